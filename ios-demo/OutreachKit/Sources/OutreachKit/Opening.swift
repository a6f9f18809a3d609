import Foundation

/// Nothing is here yet: found a team or join one.
@MainActor public final class WelcomeModel: Model<Void> {
    public func create() { app.go(.create) }
    public func join() { app.go(.join) }
}

/// The least length of a passphrase.
public let leastPassphraseBytes = 12

/// Founding a team: `paper` holds the words of the reseat paper until somebody wrote them down.
@MainActor public final class CreateModel: Model<CreateModel.State> {
    public struct State: Sendable { public var paper: [String] = [] }

    public var name = ""
    private var written = Pending<Void>()

    init(_ app: Outreach) { super.init(app, State()) }

    public func create(_ passphrase: Data, again: Data) {
        act { [self] in
            guard passphrase == again else { return fail(Fault(.input, "passphrases_differ", "correct_input")) }
            guard passphrase.count >= leastPassphraseBytes else { return fail(Fault(.input, "passphrase_short", "correct_input")) }
            written = Pending()
            let reply = await repository.createTeam(
                name: trimmed(name) ?? "", passphrase: passphrase, zone: app.platform.timeZone(), starters: app.starterResources()
            ) { words in await self.show(words) }
            // it may have been locked while somebody wrote
            if shown(reply) != nil, app.screen === self { app.opened() }
        }
    }

    private func show(_ words: [String]) async {
        change { $0.paper = words }
        await written.wait()
        change { $0.paper = [] }
    }

    /// The words are on paper.
    public func paperWritten() { written.give(()) }

    public override func left() {
        super.left()
        written.give(())
    }
}

/// Joining: what was scanned or typed, then four words that both people compare.
@MainActor public final class JoinModel: Model<JoinModel.State> {
    public struct State: Sendable {
        public var isTyping = false
        public var words: [String] = []
        public var isRefused = false
    }

    public var scanned = ""
    public var code = ""
    public var address = ""
    public var name = ""
    private var agreed = Pending<Bool>()

    init(_ app: Outreach) { super.init(app, State()) }

    public func type(_ isTyping: Bool) { change { $0.isTyping = isTyping } }

    /// The camera read this.
    public func scanned(_ text: String) {
        scanned = text
        change { $0.isTyping = false }
    }

    public func join(_ passphrase: Data) {
        act { [self] in
            guard passphrase.count >= leastPassphraseBytes else { return fail(Fault(.input, "passphrase_short", "correct_input")) }
            // the text of an invitation ends with where the other phone listens: "TEXT HOST:PORT"
            let parts = scanned.split(whereSeparator: \.isWhitespace)
            let at = state.isTyping ? trimmed(address) ?? "" : parts.count > 1 ? String(parts[parts.count - 1]) : ""
            let text = state.isTyping ? nil : parts.dropLast().joined(separator: " ")
            guard let carrier = await app.platform.dial(at) else { return fail(Fault(.sync, "connection_lost", "try_later")) }
            agreed = Pending()
            let reply = await repository.join(
                scanned: text, typed: Data((trimmed(code) ?? "").utf8), carrier, name: trimmed(name) ?? "", passphrase: passphrase
            ) { words in await self.compare(words) }
            change { $0.words = [] }
            guard let isIn = shown(reply) else { return }
            if !isIn { return change { $0.isRefused = true } }
            if app.screen === self { app.opened() }
        }
    }

    private func compare(_ words: [String]) async -> Bool {
        change { $0.words = words }
        return await agreed.wait()
    }

    public func agree(_ same: Bool) { agreed.give(same) }

    public override func left() {
        super.left()
        agreed.give(false)
    }
}

/// A locked notebook. Other members' notebooks are numbers: a lock screen names nobody.
@MainActor public final class UnlockModel: Model<UnlockModel.State> {
    public struct State: Sendable {
        public var notebook: Int
        public var notebooks: [Int]
    }

    init(_ app: Outreach, _ notebook: Int) { super.init(app, State(notebook: notebook, notebooks: [notebook])) }

    public override func load() { change { $0.notebooks = repository.notebooks() } }

    public func choose(_ number: Int) { app.replace(.unlock(notebook: number)) }
    public func add() { app.go(.welcome) }

    public func unlock(_ passphrase: Data) {
        act { [self] in
            if shown(await repository.unlock(state.notebook, passphrase: passphrase)) != nil { app.opened() }
        }
    }
}
