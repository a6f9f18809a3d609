import OutreachKit
import SwiftUI

extension Screens {
    func sync(_ model: SyncModel) -> some View {
        let now = model.state
        return page(words("sync")) {
            text(words("waiting", now.waiting))
            text(words.met(daysAgo: now.lastContact))
            if now.isLooking { text(words("looking", now.met, now.brought)) }
            if now.isExchanged { text(words("relay_done", now.brought)) }
            field(words("relay"), model.relay) { model.relay = $0 }
            field(words("mailbox"), model.mailbox) { model.mailbox = $0 }
            Flow {
                small(words("relay_set"), action: model.setRelay)
                small(words("relay_exchange"), action: model.exchange)
            }
        } foot: {
            primary(words(now.isLooking ? "stop_looking" : "look_nearby")) { model.look(!now.isLooking) }
        }
    }
}
