import OutreachKit
import SwiftUI

extension Screens {
    func find(_ model: FindModel) -> some View {
        let now = model.state
        return page(words("find")) {
            field(words("find_hint"), now.text) { model.type($0) }
            choice(words("open_now"), now.openNow) { model.openNow(!now.openNow) }
            choices("cat", ResourceCategory.allCases, now.category, action: model.category)
            heading(words("without"))
            Flow {
                ForEach(Demand.allCases, id: \.self) { demand in
                    choice(words.word("demand", demand), now.without.contains(demand)) { model.without(demand) }
                }
            }
            heading(words("find"))
            if now.found.isEmpty { text(words("nothing_found")) }
            ForEach(now.found, id: \.id) { resource in
                let lines = now.opened == resource.id ? words.details(resource) : [words.word("cat", resource.category), words.demands(resource)]
                line(resource.name, lines.joined(separator: "\n")) { model.open(resource) }
            }
        }
    }
}
