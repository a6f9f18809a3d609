import Foundation

/// What waits, and when this phone last met another one.
@MainActor public final class SyncModel: Model<SyncModel.State> {
    public struct State: Sendable {
        public var waiting = 0
        public var lastContact: Int?
        public var isLooking = false
        public var met = 0
        public var brought = 0
        /// An exchange with the relay came to its end.
        public var isExchanged = false
    }

    public var relay = ""
    public var mailbox = ""
    private var looking: Task<Void, Never>?

    init(_ app: Outreach) { super.init(app, State()) }

    public override func load() {
        loading { [self] in
            guard let waiting = shown(await repository.waiting()), let today = shown(await repository.today()),
                let team = shown(await repository.team())
            else { return }
            change {
                $0.waiting = waiting
                $0.lastContact = team.lastContact.map { -Days.from(today, to: $0) }
            }
        }
    }

    /// Looks for colleagues' phones on this network until told to stop, or until somebody goes elsewhere.
    public func look(_ on: Bool) {
        looking?.cancel()
        looking = nil
        change { $0.isLooking = on }
        if !on { return }
        looking = Task {
            for await meeting in app.platform.nearby(repository) {
                switch meeting {
                case .met(let report):
                    change {
                        $0.met += 1
                        $0.brought += Int(report.rowsApplied)
                    }
                    load()
                case .broken: break
                case .unavailable: fail(Fault(.sync, "nearby_unavailable", "try_later"))
                }
            }
            change { $0.isLooking = false }
        }
    }

    public func setRelay() {
        act { [self] in
            _ = shown(await repository.setRelay(url: trimmed(relay) ?? "", mailbox: trimmed(mailbox) ?? ""))
        }
    }

    public func exchange() {
        act { [self] in
            guard let report = shown(await repository.exchange(byHand: true)) else { return }
            change {
                $0.isExchanged = true
                $0.brought += Int(report.pulled)
            }
            load()
        }
    }

    public override func left() {
        super.left()
        looking?.cancel()
    }
}

/// What can be set on this phone.
@MainActor public final class SettingsModel: Model<SettingsModel.State> {
    public struct State: Sendable {
        public var isChanged = false
        /// This phone fetches for this notebook while it is locked.
        public var fetchesLocked = false
    }

    init(_ app: Outreach) { super.init(app, State()) }

    public override func load() {
        loading { [self] in
            guard let fetches = shown(await repository.hasLockedInbox()) else { return }
            change { $0.fetchesLocked = fetches }
        }
    }

    /// Off unless somebody switches it on, who read beside it what it costs.
    public func fetchLocked(_ isOn: Bool) {
        act { [self] in
            guard shown(await repository.switchLockedInbox(isOn)) != nil else { return }
            load()
        }
    }

    public func team() { app.go(.team) }
    public func erase() { app.go(.erase) }
    public func lock() { app.lock() }
    public func addNotebook() {
        app.lock()
        app.go(.welcome)
    }

    public func changePassphrase(_ passphrase: Data) {
        act { [self] in
            guard passphrase.count >= leastPassphraseBytes else { return fail(Fault(.input, "passphrase_short", "correct_input")) }
            guard shown(await repository.changePassphrase(passphrase)) != nil else { return }
            change { $0.isChanged = true }
        }
    }
}

/// Erasing this notebook from this phone: the worker's decision, in two steps, never automatic.
@MainActor public final class EraseModel: Model<EraseModel.State> {
    public struct State: Sendable {
        public var isSure = false
        public var keysStay = false
    }

    init(_ app: Outreach) { super.init(app, State()) }

    public func sure() { change { $0.isSure = true } }

    /// The second step.
    public func erase() {
        guard state.isSure else { return }
        act { [self] in
            app.erasing()
            guard let isGone = shown(await repository.eraseNotebook(repository.notebook)) else { return }
            if isGone { app.restart() } else { change { $0.keysStay = true } }
        }
    }

    public func keep() { app.goBack() }
}
