/// The phone is handed over: what is written here only the board reads, and no guard.
@MainActor public final class ComplainModel: Model<ComplainModel.State> {
    public struct State: Sendable {
        public var isOffered = true
        public var category: ComplaintCategory = .serviceQuality
        public var code: String?
        public var isOverdue = false
    }

    public var text = ""

    init(_ app: Outreach) { super.init(app, State()) }

    public override func load() {
        loading { [self] in
            guard let status = shown(await repository.boardStatus()) else { return }
            change {
                $0.isOffered = status.isOffered
                $0.isOverdue = status.overdueSince != nil
            }
        }
    }

    public func category(_ category: ComplaintCategory) { change { $0.category = category } }

    public func send() {
        act { [self] in
            guard let code = shown(await repository.complain(ComplaintDraft(category: state.category, text: trimmed(text) ?? ""))) else { return }
            text = ""
            change { $0.code = code }
        }
    }

    /// The author wrote the code down: it is never shown again.
    public func done() {
        change { $0.code = nil }
        app.goBack()
    }
}

/// What arrived for the board.
@MainActor public final class InboxModel: Model<InboxModel.State> {
    public struct State: Sendable {
        public var isSetUp = true
        public var words: [String] = []
        public var book: BoardBook?
        public var line: BookLine?
        public var complaint: Complaint?
    }

    public var answer = ""

    init(_ app: Outreach) { super.init(app, State()) }

    public override func load() {
        loading { [self] in
            guard let status = shown(await repository.boardStatus()) else { return }
            change {
                $0.isSetUp = status.words != nil
                $0.words = status.words ?? []
            }
            guard status.words != nil, let book = shown(await repository.boardBook()) else { return }
            change { $0.book = book }
        }
    }

    public func setUp() {
        act { [self] in
            guard shown(await repository.setUpBoard()) != nil else { return }
            load()
        }
    }

    public func read(_ line: BookLine) {
        act { [self] in
            guard let complaint = shown(await repository.boardRead(line.id)) else { return }
            change {
                $0.line = line
                $0.complaint = complaint
            }
        }
    }

    public func sendAnswer() {
        act { [self] in
            guard let line = state.line, shown(await repository.boardAnswer(line.id, trimmed(answer) ?? "")) != nil else { return }
            answer = ""
            closePage()
        }
    }

    public func close() {
        act { [self] in
            guard let line = state.line, shown(await repository.boardClose(line.id)) != nil else { return }
            closePage()
        }
    }

    private func closePage() {
        change {
            $0.line = nil
            $0.complaint = nil
        }
        load()
    }

    public func publish() {
        act { [self] in
            _ = shown(await repository.boardPublish())
            load()
        }
    }
}
