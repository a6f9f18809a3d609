import Foundation
import SatchelCore

// The one file that knows the library: every other one sees its nouns through these names.
public typealias EncounterKind = SatchelCore.EncounterKind
public typealias Outcome = SatchelCore.Outcome
public typealias OfferDraft = SatchelCore.OfferDraft
public typealias Encounter = SatchelCore.Encounter
public typealias EncounterDraft = SatchelCore.EncounterDraft
public typealias EncounterLine = SatchelCore.EncounterLine
public typealias TallyTap = SatchelCore.TallyTap
public typealias Participant = SatchelCore.Participant
public typealias ParticipantConflict = SatchelCore.ParticipantConflict
public typealias ParticipantDraft = SatchelCore.ParticipantDraft
public typealias ParticipantEdit = SatchelCore.ParticipantEdit
public typealias ParticipantLine = SatchelCore.ParticipantLine
public typealias HowGiven = SatchelCore.HowGiven
public typealias FollowUpLine = SatchelCore.FollowUpLine
public typealias FollowUpState = SatchelCore.FollowUpState
public typealias SelfReferralDraft = SatchelCore.SelfReferralDraft
public typealias SelfReferralLine = SatchelCore.SelfReferralLine
public typealias ReferralStatus = SatchelCore.ReferralStatus
public typealias Resource = SatchelCore.Resource
public typealias ResourceCategory = SatchelCore.ResourceCategory
public typealias Demand = SatchelCore.Demand
public typealias Opening = SatchelCore.Opening
public typealias Weekday = SatchelCore.Weekday
public typealias Finding = SatchelCore.Finding
public typealias Suggestion = SatchelCore.Suggestion
public typealias GuardNotice = SatchelCore.GuardNotice
public typealias Team = SatchelCore.Team
public typealias DeviceLine = SatchelCore.DeviceLine
public typealias RemovalDetails = SatchelCore.RemovalDetails
public typealias Role = SatchelCore.Role
public typealias Standing = SatchelCore.Standing
public typealias GrantLine = SatchelCore.GrantLine
public typealias GatedCategory = SatchelCore.GatedCategory
public typealias ConsentAct = SatchelCore.ConsentAct
public typealias ConsentWords = SatchelCore.ConsentWords
public typealias Purpose = SatchelCore.Purpose
public typealias Language = SatchelCore.Language
public typealias ShareClass = SatchelCore.ShareClass
public typealias RecipientLine = SatchelCore.RecipientLine
public typealias TakenBack = SatchelCore.TakenBack
public typealias Fact = SatchelCore.Fact
public typealias FactField = SatchelCore.FactField
public typealias FactLine = SatchelCore.FactLine
public typealias PageSection = SatchelCore.CharterSection
public typealias ComplaintCategory = SatchelCore.ComplaintCategory
public typealias ComplaintDraft = SatchelCore.ComplaintDraft
public typealias Complaint = SatchelCore.Complaint
public typealias ComplaintProgress = SatchelCore.ComplaintProgress
public typealias BoardBook = SatchelCore.BoardBook
public typealias BookLine = SatchelCore.BookLine
public typealias BoardKeys = SatchelCore.BoardKeys
public typealias BoardStatus = SatchelCore.BoardStatus
public typealias RelayReport = SatchelCore.RelayReport
public typealias SessionReport = SatchelCore.SessionReport
public typealias Appearance = SatchelCore.Appearance
public typealias Caller = SatchelCore.Caller
typealias LibraryError = SatchelCore.FfiError
typealias KeyProtector = SatchelCore.KeyProtector
typealias KeyProtectorError = SatchelCore.KeyProtectorError

/// An invitation that is shown: its `text` as a QR code, or its `code` to be read out and typed.
public struct Invitation: Sendable {
    public let text: String?
    public let code: String?
    fileprivate let typed: CodeInvitation?
}

/// A removal that was prepared: its `details` are shown to a person, who then confirms.
public struct Removal: Sendable {
    public let details: RemovalDetails
    fileprivate let plan: RemovalPlan
}

/// What is held on somebody, in one language, for their own eyes.
public struct Holding: Sendable, Equatable {
    public let title: String
    public let sections: [PageSection]
    /// The whole page, to be read out.
    public let text: String
}

/// Every call to the library: off the caller's thread, answering instead of throwing. Any thread may call.
public final class Repository: @unchecked Sendable {
    static let mostNotebooks = 8
    static let bulletinDays: UInt16 = 30

    private let root: URL
    private let protector: Protector?
    private let cost: KeyCost
    private let idleSeconds: UInt64
    private let clock: @Sendable () -> WallTime

    // What changes, under one lock: `lockNow` comes from any thread.
    private let gate = NSLock()
    private var stores: [Int: Store] = [:]
    private var unlocked: Unlocked?
    private var inHand = 0

    public init(
        root: URL, keystore: Keystore? = nil, effort: Effort = .phone, idleSeconds: UInt64 = 300,
        clock: @escaping @Sendable () -> WallTime = WallTime.now
    ) {
        self.root = root
        self.protector = keystore.map(Protector.init)
        self.cost = effort == .phone ? .ios : .least
        self.idleSeconds = idleSeconds
        self.clock = clock
    }

    /// Which of the phone's notebooks is in hand, from 1; 0: none.
    public var notebook: Int { gate.withLock { inHand } }
    public var isUnlocked: Bool { gate.withLock { unlocked != nil } }

    private func dir(_ number: Int) -> URL { root.appendingPathComponent("n\(number)", isDirectory: true) }
    private func has(_ number: Int) -> Bool { FileManager.default.fileExists(atPath: dir(number).path) }

    /// The notebooks of this phone: one per member.
    public func notebooks() -> [Int] { (1...Self.mostNotebooks).filter(has) }

    /// Runs a call and says how it ended; who finds the store locked forgets its handle.
    private func replied<T: Sendable>(_ call: @escaping @Sendable () async throws -> T) async -> Reply<T> {
        do {
            return .success(try await call())
        } catch let error as LibraryError {
            if case .Locked = error { gate.withLock { unlocked = nil } }
            return .failure(Fault(error))
        } catch is CancellationError {
            return .failure(Fault(.sync, "cancelled", "try_later"))
        } catch {
            return .failure(Fault(.sync, "connection_lost", "try_later"))
        }
    }

    private func handle() throws -> Unlocked {
        guard let unlocked = gate.withLock({ unlocked }) else { throw LibraryError.Locked(code: "locked", remedy: "unlock") }
        return unlocked
    }

    private func asked<T: Sendable>(_ call: @escaping @Sendable (Unlocked) throws -> T) async -> Reply<T> {
        await replied { try await offThread { try call(self.handle()) } }
    }

    // --- opening, locking, erasing ---

    /// Founds a team in the next free notebook. `paper` is shown the words of the reseat paper, which are wiped after it.
    public func createTeam(
        name: String, passphrase: Data, zone: String, starters: [Resource], paper: @escaping @Sendable ([String]) async -> Void
    ) async -> Reply<Void> {
        await replied {
            let number = try self.nextNotebook()
            let founded = try await offThread { () throws -> Founded in
                var passphrase = passphrase
                defer { passphrase.wipe() }
                let founded = try foundTeam(
                    dir: self.dir(number).path, passphrase: passphrase, timeZone: zone, memberName: name, cost: self.cost,
                    protector: self.protector)
                // known from here on: what locks and closes meanwhile closes this one too
                try self.adopt(number, founded.unlocked())
                if !starters.isEmpty { _ = try self.handle().publishCatalogue(package: buildCatalogue(title: "starter", resources: starters)) }
                return founded
            }
            var words = founded.reseatPaper().words()
            await paper(String(decoding: words, as: UTF8.self).split(separator: " ").map(String.init))
            words.wipe()
        }
    }

    private func nextNotebook() throws -> Int {
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        guard let free = (1...Self.mostNotebooks).first(where: { !has($0) }) else {
            throw LibraryError.Storage(code: "too_many_notebooks", remedy: "erase_one")
        }
        return free
    }

    private func adopt(_ number: Int, _ opened: Unlocked) throws {
        let store = opened.store()
        try store.lockAfter(seconds: idleSeconds)
        gate.withLock {
            unlocked = opened
            inHand = number
            stores[number] = store
        }
    }

    /// The store of a notebook, its file open: it may have been closed when the app left the screen. A process opens each once.
    private func store(_ number: Int) throws -> Store {
        let store = try gate.withLock { () throws -> Store in
            if let known = stores[number] { return known }
            let opened = try Store.open(dir: dir(number).path)
            stores[number] = opened
            return opened
        }
        try store.resume()
        return store
    }

    /// Unlocks a notebook; the one in hand is locked first.
    public func unlock(_ number: Int, passphrase: Data) async -> Reply<Void> {
        lockNow()
        return await replied {
            try await offThread {
                var passphrase = passphrase
                defer { passphrase.wipe() }
                let store = try self.store(number)
                let opened = try store.unlock(passphrase: passphrase, protector: self.protector)
                try self.adopt(number, opened)
                // lets go of what is over. Where it cannot (a full disk), the next unlocking tries: nobody is kept out for it
                _ = try? opened.tend()
            }
        }
    }

    /// Whether something may be over that nobody has let go of today.
    func isTendingDue() async -> Reply<Bool> { await asked { try $0.isTendingDue() } }

    /// Locks at once, from any thread: keys are wiped when it returns.
    public func lockNow() {
        let store = gate.withLock { () -> Store? in
            unlocked = nil
            return stores[inHand]
        }
        try? store?.lock()
    }

    /// Locks and closes the files of all notebooks: the system is about to freeze the app, and may end it then.
    public func suspend() {
        let all = gate.withLock { () -> [Store] in
            unlocked = nil
            return Array(stores.values)
        }
        for store in all { try? store.suspend() }
    }

    /// Sets the idle time of the notebook in hand.
    public func lockAfter(seconds: UInt64) {
        let store = gate.withLock { stores[inHand] }
        try? store?.lockAfter(seconds: seconds)
    }

    /// Locks if the idle time is over. True: it is locked now.
    public func lockIfIdle() -> Bool {
        let store = gate.withLock { stores[inHand] }
        let isLocked = (try? store?.lockIfIdle()) ?? true
        if isLocked { gate.withLock { unlocked = nil } }
        return isLocked
    }

    /// Erases a notebook, locked or not. True: keys and files are gone.
    public func eraseNotebook(_ number: Int) async -> Reply<Bool> {
        await replied {
            try await offThread {
                let store = self.gate.withLock { () -> Store? in
                    if number == self.inHand { self.unlocked = nil }
                    return self.stores.removeValue(forKey: number)
                }
                let done =
                    try store?.eraseDevice(protector: self.protector)
                    ?? eraseDeviceIn(dir: self.dir(number).path, protector: self.protector)
                if done.areFilesGone, self.has(number) { try FileManager.default.removeItem(at: self.dir(number)) }
                return done.areKeysGone && done.areFilesGone
            }
        }
    }

    public func changePassphrase(_ passphrase: Data) async -> Reply<Void> {
        await asked { store in
            var passphrase = passphrase
            defer { passphrase.wipe() }
            try store.changeCredentials(passphrase: passphrase, cost: self.cost, protector: self.protector)
        }
    }

    // --- the day ---

    public func today() async -> Reply<String> { await asked { try $0.today() } }
    public func encounters(of participant: String? = nil) async -> Reply<[EncounterLine]> {
        await asked { try $0.encounters(participant: participant) }
    }
    public func encounter(_ id: String) async -> Reply<Encounter> { await asked { try $0.encounter(encounter: id) } }
    public func saveEncounter(_ draft: EncounterDraft) async -> Reply<String> { await asked { try $0.saveEncounter(draft: draft) } }
    public func undoEncounter(_ id: String) async -> Reply<Void> {
        await asked { _ = try $0.eraseRecord(kind: .encounter, record: id) }
    }
    public func tally(_ tap: TallyTap) async -> Reply<Void> { await asked { try $0.tally(taps: [tap]) } }
    public func tallyToday(_ resource: String) async -> Reply<Int> {
        await asked { store in
            try store.tallyWaiting(day: store.today()).filter { $0.resource == resource }.reduce(0) { $0 + Int($1.count) }
        }
    }

    public func followUps() async -> Reply<[FollowUpLine]> { await asked { try $0.followUps() } }
    public func saveFollowUp(_ participant: String, _ what: String, inDays: Int) async -> Reply<String> {
        await asked { store in
            let from = try store.today()
            let until = Days.after(from, inDays)
            return try store.saveFollowUp(draft: FollowUpDraft(participant: participant, what: what, from: from, until: until))
        }
    }
    public func setFollowUp(_ id: String, _ state: FollowUpState) async -> Reply<Void> {
        await asked { try $0.setFollowUpState(followUp: id, state: state) }
    }
    public func selfReferrals() async -> Reply<[SelfReferralLine]> { await asked { try $0.selfReferrals() } }
    public func saveSelfReferral(_ draft: SelfReferralDraft) async -> Reply<String> { await asked { try $0.saveSelfReferral(draft: draft) } }
    public func setReferral(_ id: String, _ status: ReferralStatus) async -> Reply<Void> {
        await asked { try $0.setReferralStatus(referral: id, status: status) }
    }

    public func participants() async -> Reply<[ParticipantLine]> { await asked { try $0.participants() } }
    public func participant(_ id: String) async -> Reply<Participant> { await asked { try $0.participant(participant: id) } }
    public func createParticipant(_ draft: ParticipantDraft) async -> Reply<String> { await asked { try $0.createParticipant(draft: draft) } }
    public func editParticipant(_ id: String, _ edit: ParticipantEdit) async -> Reply<Void> {
        await asked { try $0.editParticipant(participant: id, edit: edit) }
    }

    public func find(
        _ text: String = "", category: ResourceCategory? = nil, without: [Demand] = [], openNow: Bool = false
    ) async -> Reply<[Resource]> {
        let now = clock()
        return await asked { store in
            try store.findResources(
                filter: ResourceFilter(
                    text: text, category: category, withoutDemands: without, weekday: openNow ? now.weekday : nil, minute: now.minute))
        }
    }
    public func publish(_ resources: [Resource]) async -> Reply<Void> {
        await asked { _ = try $0.publishCatalogue(package: buildCatalogue(title: "team", resources: resources)) }
    }
    public func resourceId(_ name: String) -> String { ownResourceId(name: name) }

    /// What the guard says to a text; `alias` is the name of the participant that it is about.
    public func look(at text: String, alias: String?) async -> Reply<GuardNotice> { await replied { try await guardNotice(text, alias: alias) } }

    /// Told after every change that is on disk, one's own and those that arrive. Ends at once where nothing is open.
    public func changes() -> AsyncStream<Void> {
        guard let changes = try? handle().changes() else { return AsyncStream { $0.finish() } }
        // several changes are one reason to read again
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let task = Task {
            for await _ in changes { continuation.yield() }
            continuation.finish()
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }

    // --- consent ---

    private static func request(_ store: Unlocked, _ asking: Asking) throws -> GrantRequest {
        GrantRequest(
            act: asking.act, categories: asking.categories, recipient: asking.recipient, purpose: asking.purpose, start: nil,
            expiry: Days.after(try store.today(), asking.days), how: asking.how, language: asking.language)
    }

    public func grants(of participant: String) async -> Reply<[GrantLine]> { await asked { try $0.grants(participant: participant) } }
    /// Exactly the words that the yes will name; nothing is stored.
    public func words(for participant: String, _ asking: Asking) async -> Reply<ConsentWords> {
        await asked { try $0.grantWords(participant: participant, request: Self.request($0, asking), until: nil) }
    }
    public func grant(_ participant: String, _ asking: Asking) async -> Reply<String> {
        await asked { try $0.giveGrant(participant: participant, request: Self.request($0, asking)) }
    }
    /// None: everything, with the file. True: the file is closed.
    public func withdraw(_ participant: String, _ takenBack: TakenBack? = nil) async -> Reply<Bool> {
        await asked { try $0.withdraw(participant: participant, takenBack: takenBack ?? .everything(how: .spoken)).isFileClosed }
    }
    public func recipients() async -> Reply<[RecipientLine]> { await asked { try $0.recipients() } }
    public func addRecipient(_ name: String, _ shareClass: ShareClass) async -> Reply<String> {
        await asked { try $0.addRecipient(name: name, class: shareClass) }
    }
    public func writeFact(_ participant: String, grant: String, _ fact: Fact) async -> Reply<Void> {
        await asked { try $0.vault(participant: participant, grant: grant).write(facts: [fact]) }
    }
    public func facts(of participant: String) async -> Reply<[FactLine]> {
        await asked { store in
            try store.vaults(participant: participant).flatMap { try store.vault(participant: participant, grant: $0.grant).read() }
        }
    }
    /// The fields in which a fact of this category can stand.
    public func fields(of category: GatedCategory) -> [FactField] { FactField.allCases.filter { categoryOfFact(field: $0) == category } }

    /// Everything that this phone holds on somebody. Where their file has a recognition word, they have to say it.
    public func holding(_ participant: String, word: String?, in language: Language?) async -> Reply<Holding> {
        await asked { store in
            let page = try store.holdOnMe(participant: participant, word: word)
            let language = language ?? page.language()
            return Holding(title: page.title(language: language), sections: page.sections(language: language), text: page.text(language: language))
        }
    }

    // --- complaints and the board ---

    public func boardStatus() async -> Reply<BoardStatus> { await asked { try $0.boardStatus() } }
    /// Seals a complaint and gives the code that its author keeps, to be shown once.
    public func complain(_ draft: ComplaintDraft) async -> Reply<String> {
        await asked { store in
            var code = try store.complain(draft: draft).text()
            defer { code.wipe() }
            return String(decoding: code, as: UTF8.self)
        }
    }
    public func setUpBoard() async -> Reply<[String]> { await asked { try $0.boardSetUp(anew: false).words } }
    /// The board's two keys, of 1,216 and 32 bytes, as the board hands them to a steward in person.
    public func boardKeys() async -> Reply<BoardKeys> { await asked { try $0.boardKeys() } }
    /// A steward puts the board's keys into the charter: from then on complaints are offered.
    public func seatBoard(_ keys: BoardKeys) async -> Reply<Void> {
        await asked { _ = try $0.changeCharter(change: CharterChange(boardKey: keys.receiving, boardSigning: keys.signing)) }
    }
    public func boardBook() async -> Reply<BoardBook> { await asked { try $0.boardBook() } }
    public func boardRead(_ id: String) async -> Reply<Complaint> { await asked { try $0.boardRead(id: id) } }
    public func boardAnswer(_ id: String, _ text: String) async -> Reply<Void> { await asked { try $0.boardAnswer(id: id, text: text) } }
    public func boardClose(_ id: String) async -> Reply<Void> { await asked { try $0.boardClose(id: id) } }
    public func boardPublish() async -> Reply<Void> { await asked { _ = try $0.boardPublish(dueDays: Self.bulletinDays) } }

    // --- people and phones ---

    public func team() async -> Reply<Team> { await asked { try $0.team() } }
    public func prepareRemoval(_ device: String) async -> Reply<Removal> {
        await asked { store in
            let plan = try store.prepareRemoval(device: device)
            return Removal(details: try plan.details(), plan: plan)
        }
    }
    public func confirm(_ removal: Removal) async -> Reply<Void> { await replied { try await offThread { _ = try removal.plan.confirm() } } }
    public func invite(_ role: Role, address: String) async -> Reply<Invitation> {
        await asked { Invitation(text: try $0.invite(role: role, address: address), code: nil, typed: nil) }
    }
    public func inviteByCode(_ role: Role) async -> Reply<Invitation> {
        await asked { store in
            let typed = try store.inviteByCode(role: role)
            return Invitation(text: nil, code: String(decoding: typed.code(), as: UTF8.self), typed: typed)
        }
    }

    /// Takes in whoever calls over `carrier`; `agree` asks whether both phones show the same words. False: they do not.
    public func host(_ invitation: Invitation, _ carrier: Carrier, agree: @escaping @Sendable ([String]) async -> Bool) async -> Reply<Bool> {
        await replied {
            defer { carrier.close() }
            let store = try self.handle()
            if let typed = invitation.typed { try await carrier.send(typed.answerHello(hello: carrier.receive())) }
            let answered = try store.answerKnock(knock: await carrier.receive())
            try await carrier.send(answered.answer)
            guard await agree(try answered.host.words()) else { return false }
            try answered.host.introduced(message: await carrier.receive())
            try await carrier.send(answered.host.welcome())
            try answered.host.thanked(message: await carrier.receive())
            return true
        }
    }

    /// Joins over `carrier` with what a QR code held, or with words that were typed. False: the check words differed.
    public func join(
        scanned: String?, typed: Data, _ carrier: Carrier, name: String, passphrase: Data,
        agree: @escaping @Sendable ([String]) async -> Bool
    ) async -> Reply<Bool> {
        await replied {
            defer { carrier.close() }
            let number = try self.nextNotebook()
            let joining: Joining
            if let scanned {
                joining = try joinTeam(invitation: scanned)
            } else {
                let code = try joinByCode(code: typed)
                try await carrier.send(code.hello())
                joining = try code.replied(reply: await carrier.receive())
            }
            try await carrier.send(joining.knock())
            try joining.answered(answer: await carrier.receive())
            guard await agree(try joining.words()) else { return false }
            try await carrier.send(joining.introduce())
            let welcome = try await carrier.receive()
            let joined = try await offThread { () throws -> JoinedStore in
                var passphrase = passphrase
                defer { passphrase.wipe() }
                let joined = try joining.welcomed(
                    message: welcome, dir: self.dir(number).path, passphrase: passphrase, memberName: name, cost: self.cost,
                    protector: self.protector)
                return JoinedStore(unlocked: joined.unlocked, thanks: joined.thanks)
            }
            try await carrier.send(joined.thanks)
            try self.adopt(number, joined.unlocked)
            return true
        }
    }

    private struct JoinedStore: Sendable {
        let unlocked: Unlocked
        let thanks: Data
    }

    // --- sync ---

    public func waiting() async -> Reply<Int> { await asked { Int(try $0.waiting().unsent) } }
    public func setRelay(url: String, mailbox: String, claim: Data? = nil) async -> Reply<Void> {
        await asked { try $0.setRelay(url: url, mailbox: mailbox, claim: claim) }
    }
    /// One exchange with the relay, also over a network that costs where somebody asked for it `byHand`. A cancelled task ends it at once.
    public func exchange(byHand: Bool = false) async -> Reply<RelayReport> {
        await replied { try await self.handle().exchangeWithRelay(byHand: byHand) }
    }

    /// Whether this phone fetches for the notebook in hand while it is locked.
    public func hasLockedInbox() async -> Reply<Bool> { await asked { try $0.hasLockedInbox() } }
    public func switchLockedInbox(_ isOn: Bool) async -> Reply<Void> { await asked { try $0.switchLockedInbox(isOn: isOn) } }

    /// Fetches sealed rows for each notebook for which somebody switched that on, without a passphrase, and closes its file again. Says
    /// how many wait for the unlocking. A cancelled task ends it at once.
    public func fetchLocked() async -> Reply<Int> {
        await replied {
            guard let protector = self.protector else { return 0 }
            var waiting = 0
            for number in self.notebooks() {
                let store = try await offThread { try self.store(number) }
                // not under somebody who has come and unlocked meanwhile
                defer { if (try? store.isUnlocked()) != true { try? store.suspend() } }
                if let fetched = try await store.fetchLocked(protector: protector) { waiting += Int(fetched.waiting.rows) }
            }
            return waiting
        }
    }

    /// Meets a colleague's phone over a connection that the platform made: the host-carried session.
    public func meet(
        dials: Bool, send: @escaping @Sendable (Data) async throws -> Void, receive: @escaping @Sendable () async throws -> Data?
    ) async -> Reply<SessionReport> {
        await replied {
            let store = try self.handle()
            return try await (dials ? store.dial() : store.listen()).run(send: send, receive: receive)
        }
    }

    /// What this phone shows on a network for half an hour: it means something to colleagues only.
    public func appearance() async -> Reply<Appearance> { await asked { try $0.appearance() } }
    /// Which of the two calls, where a colleague shows this; none for strangers.
    public func recognise(_ shown: Data) async -> Reply<Caller?> { await asked { try $0.recognise(shown: shown) } }
}
