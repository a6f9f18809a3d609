import OutreachKit
import SwiftUI

extension Screens {
    func welcome(_ model: WelcomeModel) -> some View {
        page(words("app_name")) {
            text(words("welcome_text"))
        } foot: {
            secondary(words("join_team"), action: model.join)
            primary(words("create_team"), action: model.create)
        }
    }
}
