import OutreachKit
import SwiftUI

extension Screens {
    /// A file comes into being in one step with the yes to it.
    func newPerson(_ model: NewPersonModel) -> some View {
        page(words("new_person")) {
            text(words("yes_text"))
            quiet(words("no_text"))
            choices("how", HowGiven.allCases, model.state.how, action: model.how)
            guarded(words("alias"), model.alias)
            guarded(words("pronouns"), model.pronouns)
            guarded(words("goal"), model.goal)
            guarded(words("contact"), model.contact)
            guarded(words("recognition_word"), model.word)
        } foot: {
            primary(words("said_yes"), action: model.theySaidYes)
        }
    }
}
