/// What only the platform can do for the models.
@MainActor public protocol Platform: AnyObject {
    /// Waits for one phone that calls, and says first where it can be called. None: no connection can be had.
    func accept(_ listening: @escaping @MainActor (String) -> Void) async -> Carrier?
    func dial(_ address: String) async -> Carrier?
    /// Meets colleagues' phones on this network for as long as it is read.
    func nearby(_ repository: Repository) -> AsyncStream<Meeting>
    /// The starter list of supplies in the user's language.
    func starters() -> [(name: String, category: ResourceCategory)]
    /// A name of the time zone database.
    func timeZone() -> String
    func language() -> Language
    /// The store was opened or locked: what runs beside the screens follows.
    func openedOrLocked(isOpen: Bool)
    func readAloud(_ text: String, in language: Language)
}

/// How a colleague's phone nearby was met.
public enum Meeting: Sendable {
    case met(SessionReport)
    case broken
    /// Nobody can be looked for: no network, or no permission.
    case unavailable
}

extension Language {
    /// Two lower-case letters (ISO 639-1).
    public var code: String { self == .spanish ? "es" : "en" }
}

/// Where in the app one is.
public enum Place: Hashable, Sendable {
    case welcome, create, join, today, people, newPerson, followUps, team, invite, sync, settings, erase, complain, inbox
    case unlock(notebook: Int)
    case newEncounter(participant: String?)
    case person(String)
    case edit(String)
    case find(String)
    case ask(participant: String, category: GatedCategory?, words: String)
    case hold(String)
    case remove(device: String)

    /// The store is open where one stands, or about to be.
    var isOpen: Bool {
        switch self {
        case .welcome, .unlock: false
        default: true
        }
    }
}

/// The whole app without its screens: where one is, what is open, and the way back.
@MainActor public final class Outreach {
    public let repository: Repository
    public let platform: Platform
    public private(set) var place: Place = .welcome
    public private(set) var screen: any Screen = Blank()
    let guardPauseNanoseconds: UInt64
    private let lookNanoseconds: UInt64
    private var back: [Place] = []
    private var watching: [Task<Void, Never>] = []
    private var told: [@MainActor () -> Void] = []

    private final class Blank: Screen {
        let fault: Fault? = nil
        let isBusy = false
        func load() {}
        func left() {}
    }

    public init(_ repository: Repository, _ platform: Platform, guardPauseMillis: UInt64 = 300, lookMillis: UInt64 = 5_000) {
        self.repository = repository
        self.platform = platform
        guardPauseNanoseconds = guardPauseMillis * 1_000_000
        lookNanoseconds = lookMillis * 1_000_000
        enter(start())
    }

    /// `told` hears of everything that may be shown anew.
    public func watch(_ told: @escaping @MainActor () -> Void) { self.told.append(told) }
    func tell() { for told in told { told() } }

    private func start() -> Place { repository.notebooks().first.map { .unlock(notebook: $0) } ?? .welcome }

    private func model(of place: Place) -> any Screen {
        switch place {
        case .welcome: WelcomeModel(self, ())
        case .create: CreateModel(self)
        case .join: JoinModel(self)
        case .unlock(let notebook): UnlockModel(self, notebook)
        case .today: TodayModel(self)
        case .newEncounter(let participant): EncounterModel(self, participant)
        case .people: PeopleModel(self)
        case .newPerson: NewPersonModel(self)
        case .person(let id): PersonModel(self, id)
        case .edit(let id): EditModel(self, id)
        case .find(let text): FindModel(self, text)
        case .followUps: FollowUpsModel(self)
        case .ask(let participant, let category, let words): AskModel(self, participant, category, words)
        case .hold(let participant): HoldModel(self, participant)
        case .team: TeamModel(self)
        case .invite: InviteModel(self)
        case .remove(let device): RemoveModel(self, device)
        case .sync: SyncModel(self)
        case .settings: SettingsModel(self)
        case .erase: EraseModel(self)
        case .complain: ComplainModel(self)
        case .inbox: InboxModel(self)
        }
    }

    public func go(_ next: Place) {
        back.append(place)
        enter(next)
    }

    /// Goes to a place without a way back to this one.
    func replace(_ next: Place) { enter(next) }

    private func enter(_ next: Place) {
        screen.left()
        place = next
        screen = model(of: next)
        screen.load()
        tell()
    }

    public var hasBack: Bool { !back.isEmpty }

    public func goBack() {
        guard let last = back.popLast() else { return }
        enter(last)
    }

    /// A notebook was opened: today is shown, and what arrives is shown as it comes.
    func opened() {
        back = []
        enter(.today)
        platform.openedOrLocked(isOpen: true)
        stopWatching()
        watching = [
            Task { [weak self, lookNanoseconds] in
                while !Task.isCancelled {
                    try? await Task.sleep(nanoseconds: lookNanoseconds)
                    guard let self, !Task.isCancelled else { return }
                    if repository.lockIfIdle() { locked() }
                }
            },
            Task { [weak self, changes = repository.changes()] in
                for await _ in changes { self?.screen.load() }
            },
        ]
    }

    private func stopWatching() {
        for task in watching { task.cancel() }
        watching = []
    }

    /// The quick lock.
    public func lock() {
        repository.lockNow()
        locked()
    }

    /// What was shown is forgotten with the models that held it.
    func locked() {
        if place.isOpen { restart() }
    }

    /// Nobody looks whether it is locked, and nothing is shown anew: it is about to be erased.
    func erasing() { stopWatching() }

    /// To whatever notebook there is, or to the beginning.
    func restart() {
        stopWatching()
        back = []
        platform.openedOrLocked(isOpen: false)
        enter(start())
    }

    /// The app left the screen. What waits is sent while the system still allows it; then all is locked and closed. Cancel it where
    /// the user is back before that.
    public func leaveScreen() async {
        if repository.isUnlocked { _ = await repository.exchange() }
        if !Task.isCancelled { rest() }
    }

    /// The system lets the app run a little, away from the screen. True: what there was came. A locked notebook fetches what it cannot
    /// read, where somebody switched that on.
    public func refresh() async -> Bool {
        repository.isUnlocked ? await repository.exchange().value != nil : await repository.fetchLocked().value != nil
    }

    /// Locks and closes at once: the system is about to freeze the app.
    public func rest() {
        repository.suspend()
        locked()
    }

    /// The starter list as resources of the team's own.
    func starterResources() -> [Resource] {
        platform.starters().map { ownResource(repository.resourceId($0.name), $0.name, $0.category) }
    }
}

/// A resource of which nothing is known but its name and kind.
public func ownResource(_ id: String, _ name: String, _ category: ResourceCategory) -> Resource {
    Resource(
        id: id, category: category, name: name, provider: "", description: "", cost: nil, eligibility: nil, demands: [], doesNotDemand: [],
        sharesDataWith: [], faithOrRescue: nil, excludes: [], languages: [], hours: "", openings: [], areOpeningsComplete: false, phone: nil,
        address: nil)
}
