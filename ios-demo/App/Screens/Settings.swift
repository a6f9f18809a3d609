import OutreachKit
import SwiftUI

extension Screens {
    func settings(_ model: SettingsModel) -> some View {
        page(words("settings")) {
            line(words("team"), action: model.team)
            if model.state.isChanged { text(words("passphrase_changed")) }
            passphrase(words("new_passphrase"), "next")
            small(words("change_passphrase")) { model.changePassphrase(shown.secret("next").take()) }
            choice(words("locked_fetch"), model.state.fetchesLocked) { model.fetchLocked(!model.state.fetchesLocked) }
            quiet(words("locked_fetch_text"))
            line(words("switch_member"), action: model.lock)
            line(words("add_notebook"), action: model.addNotebook)
            line(words("erase"), action: model.erase)
        } foot: {
            primary(words("lock"), action: model.lock)
        }
    }
}
