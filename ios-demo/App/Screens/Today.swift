import OutreachKit
import SwiftUI

extension Screens {
    func today(_ model: TodayModel) -> some View {
        let now = model.state
        return page(words("today"), hasBack: false) {
            text(words("encounters_today", now.encounters))
            if now.waiting > 0 { quiet(words("waiting", now.waiting)) }
            quiet(words.met(daysAgo: now.lastContact))
            if !now.promised.isEmpty {
                heading(words("promised"))
                ForEach(now.promised) { promise in
                    card(promise.what, [promise.who ?? "", words.until(inDays: promise.inDays)]) {
                        small(words("done")) { model.done(promise) }
                    }
                }
            }
            if !now.supplies.isEmpty {
                heading(words("tally_title"))
                Flow {
                    ForEach(now.supplies, id: \.resource.id) { line in
                        let name = line.resource.name
                        small("\(name)  +1  (\(line.counted))", said: words("tally_said", name, line.counted)) { model.tally(line.resource) }
                    }
                }
            }
            heading(words("go_to"))
            places(model)
        } foot: {
            secondary(words("lock"), action: model.lock)
            if !now.isBoard { primary(words("new_encounter"), action: model.newEncounter) }
        }
    }

    private func places(_ model: TodayModel) -> some View {
        Flow {
            small(words("people"), action: model.people)
            small(words("find"), action: model.find)
            small(words("follow_ups"), action: model.followUps)
            small(words("team"), action: model.team)
            small(words("sync"), action: model.sync)
            small(words("complain"), action: model.complain)
            small(words("settings"), action: model.settings)
            if model.state.isBoard { small(words("inbox"), action: model.inbox) }
        }
    }
}
