import OutreachKit
import SwiftUI

extension Screens {
    @ViewBuilder func invite(_ model: InviteModel) -> some View {
        let now = model.state
        switch now.step {
        case .choose:
            page(words("invite")) {
                if now.hasDiffered { warning(words("differed")) }
                heading(words("invite_as"))
                choices("role", Role.allCases, now.role, action: model.role)
            } foot: {
                secondary(words("invite_code")) { model.invite(byCode: true) }
                primary(words("invite_qr")) { model.invite(byCode: false) }
            }
        case .show:
            page(words("invite")) {
                text(words("invite_show"))
                if let qr = now.qr { Qr(text: qr, said: words("invite_qr_said")) }
                if let code = now.code {
                    heading(words("invite_read"))
                    card(code)
                }
                quiet(words("listening_at", now.address))
            }
        case .compare:
            compare(words("invite"), now.words, agree: model.agree)
        case .done:
            page(words("invite")) {
                text(words("invite_done"))
            } foot: {
                primary(words("done"), action: model.done)
            }
        }
    }
}
