import OutreachKit
import SwiftUI

extension Screens {
    func team(_ model: TeamModel) -> some View {
        page(words("team")) {
            ForEach(model.state.phones) { phone in
                let device = phone.device
                let standing = device.standing == .suspended ? words("suspended") : ""
                card(device.name ?? words("no_alias"), [words.word("role", device.role), words.heard(phone), standing]) {
                    if !device.isSelf && model.state.maySteward { small(words("remove_phone")) { model.remove(phone) } }
                }
            }
        } foot: {
            if model.state.maySteward { primary(words("invite"), action: model.invite) }
        }
    }
}
