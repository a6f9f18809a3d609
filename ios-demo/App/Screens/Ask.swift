import OutreachKit
import SwiftUI

extension Screens {
    @ViewBuilder func ask(_ model: AskModel) -> some View {
        if let consent = model.state.words { exactly(consent, model) } else { question(model) }
    }

    /// The words, whole; "no" is as easy to reach as "yes".
    private func exactly(_ consent: ConsentWords, _ model: AskModel) -> some View {
        page(words("ask_consent")) {
            heading(words("words_title"))
            text(consent.text)
            Flow {
                small(words("read_aloud"), action: model.readAloud)
                small(words("in_english")) { model.words(in: .english) }
                small(words("in_spanish")) { model.words(in: .spanish) }
            }
            quiet(words("no_text"))
        } foot: {
            secondary(words("said_no"), action: model.no)
            primary(words("said_yes"), action: model.yes)
        }
    }

    private func question(_ model: AskModel) -> some View {
        let now = model.state
        return page(words("ask_consent")) {
            choices("act", ConsentAct.allCases, now.act, action: model.act)
            heading(words("about_what"))
            choices("gated", GatedCategory.allCases, now.category, action: model.category)
            if now.act == .record {
                field(words("value"), now.value) { model.value($0) }
            } else {
                heading(words("to_whom"))
                Flow {
                    ForEach(now.recipients, id: \.id) { line in
                        choice(line.name ?? "", line.id == now.recipient) { model.recipient(line.id) }
                    }
                }
                guarded(words("recipient_new"), model.recipientName)
                small(words("recipient_add")) { model.addRecipient(.service) }
            }
            heading(words("what_for"))
            choices("purpose", Purpose.allCases, now.purpose, action: model.purpose)
            heading(words("how_long"))
            Flow {
                ForEach([7, 30, 90], id: \.self) { days in choice("\(days)", days == now.days) { model.days(days) } }
            }
        } foot: {
            primary(words("show_words")) { model.words() }
        }
    }
}
