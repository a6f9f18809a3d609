import OutreachKit
import SwiftUI

extension Screens {
    @ViewBuilder func encounter(_ model: EncounterModel) -> some View {
        if model.state.saved != nil || model.state.isUndone { afterSaving(model) } else { form(model) }
    }

    private func afterSaving(_ model: EncounterModel) -> some View {
        page(words("new_encounter")) {
            text(words(model.state.isUndone ? "undone" : "saved"))
        } foot: {
            if !model.state.isUndone {
                secondary(words("undo"), action: model.undo)
                if model.state.participant != nil { secondary(words("wrong_person"), action: model.wrongPerson) }
            }
            primary(words("done"), action: model.done)
        }
    }

    private func form(_ model: EncounterModel) -> some View {
        let now = model.state
        return page(words("new_encounter")) {
            choices("kind", EncounterKind.allCases, now.kind, action: model.kind)
            heading(words("who"))
            who(model)
            heading(words("offered"))
            Flow {
                ForEach(now.supplies, id: \.id) { resource in
                    choice(resource.name, now.offers.contains { $0.resource.id == resource.id }) { model.offer(resource) }
                }
            }
            ForEach(now.offers, id: \.resource.id) { offer in offered(offer, model) }
            guarded(words("note"), model.note, lines: 2, underGrant: now.participant == nil ? nil : model.recordUnderGrant)
        } foot: {
            primary(words("save"), action: model.save)
        }
    }

    @ViewBuilder private func who(_ model: EncounterModel) -> some View {
        let now = model.state
        if now.isChoosing {
            Flow {
                choice(words("nobody_named"), now.participant == nil) { model.who(nil) }
                ForEach(now.people, id: \.id) { line in
                    choice(line.alias ?? words("no_alias"), line.id == now.participant) { model.who(line.id) }
                }
            }
        } else {
            let alias = now.people.first { $0.id == now.participant }?.alias
            let name = now.participant == nil ? words("nobody_named") : alias ?? words("no_alias")
            line(name, said: "\(words("who")): \(name)", action: model.choose)
        }
    }

    private func offered(_ offer: EncounterModel.Offered, _ model: EncounterModel) -> some View {
        let name = offer.resource.name
        return card("\(name) × \(offer.quantity)") {
            Flow {
                small("−", said: words("less", name)) { model.quantity(offer.resource, offer.quantity - 1) }
                small("+", said: words("more", name)) { model.quantity(offer.resource, offer.quantity + 1) }
            }
            choices("outcome", Outcome.allCases, offer.outcome) { model.outcome(offer.resource, $0) }
            if offer.isRefusal {
                quiet(words("refusal_gone"))
                if model.state.participant != nil {
                    choice(words("keep_refusal"), offer.keepRefusal) { model.keepRefusal(offer.resource, !offer.keepRefusal) }
                }
            }
        }
    }
}
