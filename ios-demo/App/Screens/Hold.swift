import OutreachKit
import SwiftUI

extension Screens {
    /// "What do you hold on me?", for their own eyes, in their language.
    @ViewBuilder func hold(_ model: HoldModel) -> some View {
        if let holding = model.state.holding {
            page(holding.title) {
                ForEach(Array(holding.sections.enumerated()), id: \.offset) { section in
                    heading(section.element.heading)
                    ForEach(Array((section.element.lines + section.element.ownWords).enumerated()), id: \.offset) { text($0.element) }
                }
            } foot: {
                secondary(words(model.state.language == .english ? "in_spanish" : "in_english")) {
                    model.show(in: model.state.language == .english ? .spanish : .english)
                }
                primary(words("read_aloud"), action: model.readAloud)
            }
        } else {
            page(words("hold")) {
                if model.state.isWordNeeded {
                    text(words("hold_word"))
                    field(words("hold_word_field"), model.word) { model.word = $0 }
                }
            } foot: {
                if model.state.isWordNeeded { primary(words("hold_word_ok"), action: model.said) }
            }
        }
    }
}
