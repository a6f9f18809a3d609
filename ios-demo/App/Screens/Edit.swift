import OutreachKit
import SwiftUI

extension Screens {
    func edit(_ model: EditModel) -> some View {
        page(words("edit")) {
            guarded(words("alias"), model.alias)
            guarded(words("pronouns"), model.pronouns)
            guarded(words("contact"), model.contact)
            heading(words("goals"))
            ForEach(Array(model.state.goals.enumerated()), id: \.offset) { goal in
                card("\(goal.offset + 1). \(goal.element)") {
                    Flow {
                        small("↑", said: words("goal_up", goal.element)) { model.up(goal.offset) }
                        small("×", said: words("goal_remove", goal.element)) { model.remove(goal.offset) }
                    }
                }
            }
            guarded(words("goal"), model.goal)
            small(words("goal_add"), action: model.add)
        } foot: {
            primary(words("save"), action: model.save)
        }
    }
}
