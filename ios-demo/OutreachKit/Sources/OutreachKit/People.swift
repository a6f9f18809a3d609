/// The participants of this team, by their last day. Only aliases can be looked through.
@MainActor public final class PeopleModel: Model<PeopleModel.State> {
    public struct Line: Sendable, Equatable, Identifiable {
        public let participant: ParticipantLine
        public let daysAgo: Int
        public var id: String { participant.id }
    }
    public struct State: Sendable {
        public var filter = ""
        public var people: [Line] = []
    }

    init(_ app: Outreach) { super.init(app, State()) }

    public override func load() {
        loading { [self] in
            guard let today = shown(await repository.today()), let all = shown(await repository.participants()) else { return }
            let wanted = trimmed(state.filter)?.lowercased()
            let people = all.filter { wanted.map(($0.alias ?? "").lowercased().contains) ?? true }
            change { $0.people = people.map { Line(participant: $0, daysAgo: -Days.from(today, to: $0.lastDay)) } }
        }
    }

    public func filter(_ text: String) {
        if text == state.filter { return }
        change { $0.filter = text }
        load()
    }

    public func open(_ participant: ParticipantLine) { app.go(.person(participant.id)) }
    public func new() { app.go(.newPerson) }
}

/// A file comes into being in one step with the yes to it.
@MainActor public final class NewPersonModel: Model<NewPersonModel.State> {
    public struct State: Sendable { public var how: HowGiven = .spoken }

    public let alias: GuardedText
    public let pronouns: GuardedText
    public let contact: GuardedText
    public let goal: GuardedText
    /// A word that they choose, to be known again by. May stay empty.
    public let word: GuardedText

    init(_ app: Outreach) {
        alias = GuardedText(app)
        pronouns = GuardedText(app)
        contact = GuardedText(app)
        goal = GuardedText(app)
        word = GuardedText(app)
        super.init(app, State())
    }

    public func how(_ how: HowGiven) { change { $0.how = how } }

    public func theySaidYes() {
        act { [self] in
            let draft = ParticipantDraft(
                how: state.how, wordsLanguage: app.platform.language().code, alias: alias.said, pronouns: pronouns.said, language: nil,
                contact: contact.said, goals: goal.said.map { [$0] } ?? [], recognitionWord: word.said)
            if let id = shown(await repository.createParticipant(draft)) { return app.replace(.person(id)) }
            for text in [alias, pronouns, contact, goal, word] { await text.look() }
        }
    }
}

/// Changing a file at the participant's word.
@MainActor public final class EditModel: Model<EditModel.State> {
    public struct State: Sendable {
        public var isRead = false
        public var goals: [String] = []
    }

    public private(set) var alias: GuardedText
    public private(set) var pronouns: GuardedText
    public private(set) var contact: GuardedText
    public let goal: GuardedText
    private let id: String

    init(_ app: Outreach, _ id: String) {
        self.id = id
        alias = GuardedText(app)
        pronouns = GuardedText(app)
        contact = GuardedText(app)
        goal = GuardedText(app)
        super.init(app, State())
    }

    public override func load() {
        // what arrives meanwhile must not replace what somebody types
        if state.isRead { return }
        loading { [self] in
            guard let file = shown(await repository.participant(id)), !state.isRead else { return }
            alias = GuardedText(app, file.alias ?? "", alias: file.alias)
            pronouns = GuardedText(app, file.pronouns ?? "", alias: file.alias)
            contact = GuardedText(app, file.contact ?? "", alias: file.alias)
            goal.alias = file.alias
            change { $0 = State(isRead: true, goals: file.goals) }
        }
    }

    /// Their goals, in their order: one step up.
    public func up(_ at: Int) {
        change { if at > 0 && at < $0.goals.count { $0.goals.swapAt(at, at - 1) } }
    }
    public func remove(_ at: Int) {
        change { if $0.goals.indices.contains(at) { $0.goals.remove(at: at) } }
    }
    public func add() {
        guard let next = goal.said else { return }
        change { $0.goals.append(next) }
        goal.clear()
    }

    public func save() {
        act { [self] in
            let goals = state.goals + (goal.said.map { [$0] } ?? [])
            let edit = ParticipantEdit(alias: alias.said, pronouns: pronouns.said, contact: contact.said, goals: goals)
            if shown(await repository.editParticipant(id, edit)) != nil { return app.goBack() }
            for text in [alias, pronouns, contact, goal] { await text.look() }
        }
    }
}
