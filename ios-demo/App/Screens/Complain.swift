import OutreachKit
import SwiftUI

extension Screens {
    /// The phone is handed over. No guard reads here, and no draft is kept.
    @ViewBuilder func complain(_ model: ComplainModel) -> some View {
        let now = model.state
        if let code = now.code {
            page(words("complain"), hasBack: false) {
                heading(words("complain_code"))
                card(code)
            } foot: {
                primary(words("complain_done"), action: model.done)
            }
        } else if now.isOffered {
            page(words("complain")) {
                text(words("complain_text"))
                if now.isOverdue { warning(words("complain_overdue")) }
                choices("about", ComplaintCategory.allCases, now.category, action: model.category)
                field(words("complain_words"), model.text, lines: 4) { model.text = $0 }
            } foot: {
                primary(words("complain_send"), action: model.send)
            }
        } else {
            page(words("complain")) { text(words("complain_none")) }
        }
    }
}
