/// People and phones.
@MainActor public final class TeamModel: Model<TeamModel.State> {
    public struct Phone: Sendable, Equatable, Identifiable {
        public let device: DeviceLine
        public let heardDaysAgo: Int?
        public var id: String { device.id }
    }
    public struct State: Sendable {
        public var phones: [Phone] = []
        public var maySteward = false
    }

    init(_ app: Outreach) { super.init(app, State()) }

    public override func load() {
        loading { [self] in
            guard let team = shown(await repository.team()), let today = shown(await repository.today()) else { return }
            let phones = team.devices.filter { $0.standing != .removed }.map { line in
                Phone(device: line, heardDaysAgo: line.lastHeard.map { -Days.from(today, to: $0) })
            }
            change {
                $0.phones = phones
                $0.maySteward = team.devices.contains { $0.isSelf && $0.role == .steward }
            }
        }
    }

    public func invite() { app.go(.invite) }
    public func remove(_ phone: Phone) { app.go(.remove(device: phone.device.id)) }
}

/// Removing a lost phone, in two steps.
@MainActor public final class RemoveModel: Model<RemoveModel.State> {
    public struct State: Sendable {
        public var removal: Removal?
    }

    private let device: String

    init(_ app: Outreach, _ device: String) {
        self.device = device
        super.init(app, State())
    }

    public override func load() {
        // a plan stays the one that was shown
        if state.removal != nil { return }
        loading { [self] in
            guard let removal = shown(await repository.prepareRemoval(device)) else { return }
            change { $0.removal = removal }
        }
    }

    /// The second step.
    public func confirm() {
        act { [self] in
            guard let removal = state.removal, shown(await repository.confirm(removal)) != nil else { return }
            app.goBack()
        }
    }

    public func keep() { app.goBack() }
}

/// An invitation: a QR code, or words to be typed where a camera is broken; then four words that both people compare.
@MainActor public final class InviteModel: Model<InviteModel.State> {
    public enum Step: Sendable { case choose, show, compare, done }
    public struct State: Sendable {
        public var step: Step = .choose
        public var role: Role = .worker
        public var qr: String?
        public var code: String?
        public var address = ""
        public var words: [String] = []
        public var hasDiffered = false
    }

    private var agreed = Pending<Bool>()
    private var waiting: Task<Carrier?, Never>?

    init(_ app: Outreach) { super.init(app, State()) }

    public func role(_ role: Role) { change { $0.role = role } }

    public func invite(byCode: Bool) {
        act { [self] in
            let invitation = Pending<Invitation?>()
            let calls = Task {
                await app.platform.accept { [self] address in
                    Task { invitation.give(await self.show(address, byCode)) }
                }
            }
            waiting = calls
            let carrier = await calls.value
            waiting = nil
            guard let carrier else {
                // given up, refused (which was said), or there is no network
                if app.screen === self && fault == nil { fail(Fault(.sync, "connection_lost", "try_later")) }
                return change { $0 = State(role: $0.role) }
            }
            guard let invitation = await invitation.wait() else {
                carrier.close()
                return change { $0 = State(role: $0.role) }
            }
            agreed = Pending()
            let isIn = shown(await repository.host(invitation, carrier) { words in await self.compare(words) })
            change { $0 = State(step: isIn == true ? .done : .choose, role: $0.role, hasDiffered: isIn == false) }
        }
    }

    private func show(_ address: String, _ byCode: Bool) async -> Invitation? {
        let made = byCode ? await repository.inviteByCode(state.role) : await repository.invite(state.role, address: address)
        guard let invitation = shown(made) else {
            waiting?.cancel()
            return nil
        }
        change {
            $0.step = .show
            $0.qr = invitation.text.map { "\($0) \(address)" }
            $0.code = invitation.code
            $0.address = address
        }
        return invitation
    }

    private func compare(_ words: [String]) async -> Bool {
        change {
            $0.step = .compare
            $0.words = words
        }
        return await agreed.wait()
    }

    /// What both people said about the words.
    public func agree(_ same: Bool) { agreed.give(same) }
    public func done() { app.goBack() }

    public override func left() {
        super.left()
        waiting?.cancel()
        agreed.give(false)
    }
}
