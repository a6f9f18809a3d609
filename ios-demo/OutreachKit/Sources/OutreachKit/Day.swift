/// A promise as it is shown: `inDays` until the last day of its window.
public struct Promised: Sendable, Equatable, Identifiable {
    public let id: String
    public let what: String
    public let who: String?
    public let inDays: Int
}

/// The first screen of a shift.
@MainActor public final class TodayModel: Model<TodayModel.State> {
    public struct Count: Sendable, Equatable {
        public let resource: Resource
        public var counted: Int
    }
    public struct State: Sendable {
        public var encounters = 0
        public var promised: [Promised] = []
        public var supplies: [Count] = []
        public var waiting = 0
        /// Days since this phone last met another one; none: never.
        public var lastContact: Int?
        public var isBoard = false
    }
    private static let soonDays = 3

    init(_ app: Outreach) { super.init(app, State()) }

    public override func load() {
        loading { [self] in
            guard let today = shown(await repository.today()), let encounters = shown(await repository.encounters()),
                let all = shown(await repository.find()), let team = shown(await repository.team()),
                let waiting = shown(await repository.waiting())
            else { return }
            var supplies: [Count] = []
            // what a provider offers is not handed out by hand
            for resource in all where resource.provider.isEmpty {
                supplies.append(Count(resource: resource, counted: await repository.tallyToday(resource.id).value ?? 0))
            }
            let promised = await promises(repository)
            change {
                $0.encounters = encounters.filter { $0.day == today }.count
                $0.promised = promised.filter { $0.inDays <= Self.soonDays }
                $0.supplies = supplies
                $0.waiting = waiting
                $0.lastContact = team.lastContact.map { -Days.from(today, to: $0) }
                $0.isBoard = team.devices.contains { $0.isSelf && $0.role == .board }
            }
        }
    }

    public func newEncounter() { app.go(.newEncounter(participant: nil)) }

    /// One tap: one given, nobody named.
    public func tally(_ resource: Resource) {
        act { [self] in
            guard shown(await repository.tally(TallyTap(resource: resource.id, outcome: .accepted, count: 1))) != nil,
                let counted = shown(await repository.tallyToday(resource.id))
            else { return }
            change { state in
                for at in state.supplies.indices where state.supplies[at].resource.id == resource.id { state.supplies[at].counted = counted }
            }
        }
    }

    public func done(_ promise: Promised) {
        act { [self] in
            _ = shown(await repository.setFollowUp(promise.id, .done))
            load()
        }
    }

    public func people() { app.go(.people) }
    public func find() { app.go(.find("")) }
    public func followUps() { app.go(.followUps) }
    public func team() { app.go(.team) }
    public func sync() { app.go(.sync) }
    public func settings() { app.go(.settings) }
    public func complain() { app.go(.complain) }
    public func inbox() { app.go(.inbox) }
    public func lock() { app.lock() }
}

/// What was promised and is open.
func promises(_ repository: Repository) async -> [Promised] {
    guard let today = await repository.today().value, let lines = await repository.followUps().value else { return [] }
    let people = await repository.participants().value ?? []
    return lines.filter { $0.state == .open }.map { line in
        Promised(
            id: line.id, what: line.what ?? "", who: people.first { $0.id == line.participant }?.alias,
            inDays: Days.from(today, to: line.until))
    }
}

/// What was promised.
@MainActor public final class FollowUpsModel: Model<FollowUpsModel.State> {
    public struct State: Sendable { public var promised: [Promised] = [] }

    init(_ app: Outreach) { super.init(app, State()) }

    public override func load() {
        loading { [self] in
            let promised = await promises(repository)
            change { $0.promised = promised }
        }
    }

    public func done(_ promise: Promised) { set(promise, .done) }
    public func dropped(_ promise: Promised) { set(promise, .droppedByParticipant) }

    private func set(_ promise: Promised, _ next: FollowUpState) {
        act { [self] in
            _ = shown(await repository.setFollowUp(promise.id, next))
            load()
        }
    }
}

/// What a team can offer, offline, and what each provider asks in return.
@MainActor public final class FindModel: Model<FindModel.State> {
    public struct State: Sendable {
        public var text = ""
        public var category: ResourceCategory?
        public var without: Set<Demand> = []
        public var openNow = false
        public var found: [Resource] = []
        public var opened: String?
    }

    init(_ app: Outreach, _ text: String) { super.init(app, State(text: text)) }

    public override func load() {
        loading { [self] in
            let now = state
            let without = Demand.allCases.filter(now.without.contains)
            guard let found = shown(await repository.find(now.text, category: now.category, without: without, openNow: now.openNow)) else { return }
            change { $0.found = found }
        }
    }

    public func type(_ text: String) {
        if text != state.text { set { $0.text = text } }
    }
    public func category(_ category: ResourceCategory) { set { $0.category = $0.category == category ? nil : category } }
    public func without(_ demand: Demand) { set { $0.without.formSymmetricDifference([demand]) } }
    public func openNow(_ only: Bool) { set { $0.openNow = only } }
    public func open(_ resource: Resource) { change { $0.opened = $0.opened == resource.id ? nil : resource.id } }

    private func set(_ edit: (inout State) -> Void) {
        change(edit)
        load()
    }
}
