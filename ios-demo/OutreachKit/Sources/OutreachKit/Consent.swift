/// Asking for a yes: what, why, for how long and to whom; then exactly the words that the yes names.
@MainActor public final class AskModel: Model<AskModel.State> {
    public struct State: Sendable {
        public var act: ConsentAct = .record
        public var category: GatedCategory = .legalName
        public var purpose: Purpose = .serviceConnection
        public var days = 30
        public var language: Language = .english
        public var recipients: [RecipientLine] = []
        public var recipient: String?
        public var value = ""
        /// The words, to be read out or shown: the last step before the yes.
        public var words: ConsentWords?
    }
    private static let isoDateLength = 10

    public let recipientName: GuardedText
    private let participant: String

    init(_ app: Outreach, _ participant: String, _ category: GatedCategory?, _ words: String) {
        self.participant = participant
        recipientName = GuardedText(app)
        super.init(app, State(category: category ?? .legalName, language: app.platform.language(), value: words))
    }

    public override func load() {
        loading { [self] in
            guard let recipients = shown(await repository.recipients()) else { return }
            change { $0.recipients = recipients }
        }
    }

    public func act(_ act: ConsentAct) { change { $0.act = act } }
    public func category(_ category: GatedCategory) { change { $0.category = category } }
    public func purpose(_ purpose: Purpose) { change { $0.purpose = purpose } }
    public func days(_ days: Int) { change { $0.days = days } }
    public func recipient(_ id: String) { change { $0.recipient = id } }
    public func value(_ text: String) {
        if text != state.value { change { $0.value = text } }
    }

    public func addRecipient(_ shareClass: ShareClass) {
        act { [self] in
            guard let name = recipientName.said else { return }
            guard let id = shown(await repository.addRecipient(name, shareClass)) else { return await recipientName.look() }
            recipientName.clear()
            change { $0.recipient = id }
            load()
        }
    }

    private var asking: Asking {
        Asking(
            act: state.act, categories: [state.category], recipient: state.act == .share ? state.recipient : nil, purpose: state.purpose,
            days: state.days, language: state.language)
    }

    /// The words in the participant's language; none: in the one that is set.
    public func words(in language: Language? = nil) {
        act { [self] in
            change { $0.language = language ?? $0.language }
            guard let words = shown(await repository.words(for: participant, asking)) else { return }
            change { $0.words = words }
        }
    }

    public func readAloud() {
        if let words = state.words { app.platform.readAloud(words.text, in: words.language) }
    }

    /// They said yes: the grant, and the fact under it.
    public func yes() {
        act { [self] in
            guard let grant = shown(await repository.grant(participant, asking)) else { return }
            let value = trimmed(state.value)
            let field = repository.fields(of: state.category).first { $0 != .birthDate || value?.count == Self.isoDateLength }
            if state.act == .record, let value, let field {
                guard shown(await repository.writeFact(participant, grant: grant, Fact(field: field, value: value))) != nil else { return }
            }
            app.goBack()
        }
    }

    /// They said no: nothing is kept, not even that they were asked.
    public func no() { app.goBack() }
}

/// "What do you hold on me?" Where the file has a recognition word, they say it first: the library opens nothing without it.
@MainActor public final class HoldModel: Model<HoldModel.State> {
    public struct State: Sendable {
        public var isWordNeeded = false
        public var holding: Holding?
        public var language: Language = .english
    }

    /// The word that they say.
    public var word = ""
    private let participant: String

    init(_ app: Outreach, _ participant: String) {
        self.participant = participant
        super.init(app, State(language: app.platform.language()))
    }

    public override func load() {
        loading { [self] in
            guard let file = shown(await repository.participant(participant)) else { return }
            if file.recognitionWord != nil && state.holding == nil { return change { $0.isWordNeeded = true } }
            await open(state.language)
        }
    }

    private func open(_ language: Language) async {
        guard let holding = shown(await repository.holding(participant, word: trimmed(word), in: language)) else { return }
        change {
            $0.holding = holding
            $0.language = language
            $0.isWordNeeded = false
        }
    }

    /// They said their word.
    public func said() { act { [self] in await open(state.language) } }

    public func show(in language: Language) { act { [self] in await open(language) } }

    public func readAloud() {
        if let holding = state.holding { app.platform.readAloud(holding.text, in: state.language) }
    }
}
