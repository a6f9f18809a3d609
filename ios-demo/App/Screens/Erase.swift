import OutreachKit
import SwiftUI

extension Screens {
    /// The worker's decision, in two steps, never automatic.
    func erase(_ model: EraseModel) -> some View {
        page(words("erase")) {
            heading(words("erase_title"))
            warning(words("erase_text"))
            if model.state.keysStay { warning(words("erase_keys_stay")) }
        } foot: {
            secondary(words("keep"), action: model.keep)
            if model.state.isSure {
                primary(words("erase_confirm"), alarm: true, action: model.erase)
            } else {
                primary(words("erase_sure"), alarm: true, action: model.sure)
            }
        }
    }
}
