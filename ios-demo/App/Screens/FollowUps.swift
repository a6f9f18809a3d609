import OutreachKit
import SwiftUI

extension Screens {
    func followUps(_ model: FollowUpsModel) -> some View {
        page(words("follow_ups")) {
            if model.state.promised.isEmpty { text(words("nothing_promised")) }
            ForEach(model.state.promised) { promise in
                card(promise.what, [promise.who.map { words("for_whom", $0) } ?? "", words.until(inDays: promise.inDays)]) {
                    Flow {
                        small(words("done")) { model.done(promise) }
                        small(words("dropped")) { model.dropped(promise) }
                    }
                }
            }
        }
    }
}
