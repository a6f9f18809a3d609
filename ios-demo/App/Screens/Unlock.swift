import OutreachKit
import SwiftUI

extension Screens {
    /// Other members' notebooks are numbers: a lock screen names nobody.
    func unlock(_ model: UnlockModel) -> some View {
        let others = model.state.notebooks.filter { $0 != model.state.notebook }
        return page(words("notebook", model.state.notebook), hasBack: false) {
            passphrase(words("passphrase"), "passphrase")
            if !others.isEmpty {
                heading(words("other_notebook"))
                Flow {
                    ForEach(others, id: \.self) { number in small(words("notebook", number)) { model.choose(number) } }
                }
            }
            small(words("add_notebook"), action: model.add)
        } foot: {
            primary(words("unlock")) { model.unlock(shown.secret("passphrase").take()) }
        }
    }
}
