import OutreachKit
import SwiftUI

extension Screens {
    func people(_ model: PeopleModel) -> some View {
        page(words("people")) {
            field(words("filter_people"), model.state.filter) { model.filter($0) }
            if model.state.people.isEmpty { text(words("no_people")) }
            ForEach(model.state.people) { person in
                let last = person.participant.closed ? words("closed") : words.last(daysAgo: person.daysAgo)
                line(person.participant.alias ?? words("no_alias"), last) { model.open(person.participant) }
            }
        } foot: {
            primary(words("new_person"), action: model.new)
        }
    }
}
