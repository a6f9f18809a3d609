/// A new encounter: nothing on it has to be filled in.
@MainActor public final class EncounterModel: Model<EncounterModel.State> {
    public struct Offered: Sendable, Equatable {
        public let resource: Resource
        public var outcome: Outcome = .accepted
        public var quantity = 1
        public var keepRefusal = false
        public var isRefusal: Bool { outcome == .declined || outcome == .notNow }
    }
    public struct State: Sendable {
        public var kind: EncounterKind = .street
        public var participant: String?
        public var people: [ParticipantLine] = []
        public var supplies: [Resource] = []
        public var offers: [Offered] = []
        public var isChoosing = false
        /// The encounter was saved: it can be undone, or moved to somebody else.
        public var saved: String?
        public var isUndone = false
    }
    private static let mostOfOne = 99

    public let note: GuardedText

    init(_ app: Outreach, _ participant: String?) {
        note = GuardedText(app)
        super.init(app, State(participant: participant))
    }

    public override func load() {
        loading { [self] in
            guard let people = shown(await repository.participants()), let supplies = shown(await repository.find()) else { return }
            change {
                $0.people = people.filter { !$0.closed }
                $0.supplies = supplies
            }
            nameNote()
        }
    }

    private func nameNote() { note.alias = state.people.first { $0.id == state.participant }?.alias }

    public func kind(_ kind: EncounterKind) { change { $0.kind = kind } }
    public func choose() { change { $0.isChoosing = true } }

    public func who(_ participant: String?) {
        change {
            $0.participant = participant
            $0.isChoosing = false
        }
        nameNote()
    }

    /// One tap offers it, taken; another tap takes it off again.
    public func offer(_ resource: Resource) {
        change { state in
            if state.offers.contains(where: { $0.resource.id == resource.id }) {
                state.offers.removeAll { $0.resource.id == resource.id }
            } else {
                state.offers.append(Offered(resource: resource))
            }
        }
    }

    private func change(_ resource: Resource, _ edit: (inout Offered) -> Void) {
        change { state in
            for at in state.offers.indices where state.offers[at].resource.id == resource.id { edit(&state.offers[at]) }
        }
    }

    /// What they said. Only their word sets it.
    public func outcome(_ resource: Resource, _ outcome: Outcome) {
        change(resource) {
            $0.outcome = outcome
            $0.keepRefusal = false
        }
    }

    public func quantity(_ resource: Resource, _ quantity: Int) { change(resource) { $0.quantity = min(max(quantity, 1), Self.mostOfOne) } }

    /// They asked that the refusal be kept with them.
    public func keepRefusal(_ resource: Resource, _ keep: Bool) { change(resource) { $0.keepRefusal = keep } }

    public func save() {
        act { [self] in
            let offers = state.offers.map {
                OfferDraft(resource: $0.resource.id, quantity: UInt16($0.quantity), outcome: $0.outcome, keepRefusal: $0.keepRefusal)
            }
            let draft = EncounterDraft(kind: state.kind, participant: state.participant, offers: offers, note: note.said)
            guard let id = shown(await repository.saveEncounter(draft)) else { return await note.look() }
            change {
                $0.saved = id
                $0.isChoosing = false
            }
        }
    }

    /// Erases what was just saved, here and on every phone that got it. The anonymous count stays.
    public func undo() {
        act { [self] in
            guard let saved = state.saved, shown(await repository.undoEncounter(saved)) != nil else { return }
            change {
                $0.saved = nil
                $0.isUndone = true
            }
        }
    }

    /// It was somebody else: what was saved is erased, and the form is open again for the right person.
    public func wrongPerson() {
        act { [self] in
            guard let saved = state.saved, shown(await repository.undoEncounter(saved)) != nil else { return }
            change {
                $0.saved = nil
                $0.participant = nil
                $0.isChoosing = true
            }
        }
    }

    /// Keeps the words under a yes of their own, asked for now.
    public func recordUnderGrant(_ finding: Finding) {
        guard let participant = state.participant, let category = note.category(finding) else { return }
        let words = note.words(finding)
        note.replace(finding, "")
        app.go(.ask(participant: participant, category: category, words: words))
    }

    public func done() { app.hasBack ? app.goBack() : app.replace(.today) }
}
