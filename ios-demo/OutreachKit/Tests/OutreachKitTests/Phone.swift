import Foundation
import XCTest

@testable import OutreachKit

/// A connection between two phones of this test: bytes in portions, as a radio would hand them on.
final class Link: Carrier, @unchecked Sendable {
    struct Ended: Error {}
    private let out: AsyncStream<Data>.Continuation
    private var come: AsyncStream<Data>.Iterator
    private var frames = Frames()

    private init(_ out: AsyncStream<Data>.Continuation, _ come: AsyncStream<Data>) {
        self.out = out
        self.come = come.makeAsyncIterator()
    }

    static func pair() -> (Link, Link) {
        let (one, toOne) = AsyncStream<Data>.makeStream()
        let (other, toOther) = AsyncStream<Data>.makeStream()
        return (Link(toOther, one), Link(toOne, other))
    }

    func bytes() async -> Data? { await come.next() }
    func put(_ bytes: Data) { out.yield(bytes) }

    func send(_ message: Data) async throws {
        let frame = try Frames.frame(message)
        put(frame.prefix(3))
        put(Data(frame.dropFirst(3)))
    }

    func receive() async throws -> Data {
        var message = try frames.take()
        while message == nil {
            guard let bytes = await bytes() else { throw Ended() }
            message = try frames.take(bytes)
        }
        return message ?? Data()
    }

    func close() { out.finish() }
}

/// Where phones of one test can call each other.
@MainActor final class Air {
    private var waiting: [String: CheckedContinuation<Carrier?, Never>] = [:]
    private var made = 0

    func accept(_ listening: (String) -> Void) async -> Carrier? {
        made += 1
        let address = "127.0.0.1:\(made)"
        return await withTaskCancellationHandler {
            await withCheckedContinuation {
                waiting[address] = $0
                listening(address)
            }
        } onCancel: {
            Task { @MainActor in self.waiting.removeValue(forKey: address)?.resume(returning: nil) }
        }
    }

    func dial(_ address: String) -> Carrier? {
        guard let called = waiting.removeValue(forKey: address) else { return nil }
        let (one, other) = Link.pair()
        called.resume(returning: one)
        return other
    }
}

/// A platform without a phone.
@MainActor final class TestPlatform: Platform {
    private let air: Air
    var isOpen: Bool?
    var said: String?
    var supplies: [(name: String, category: ResourceCategory)] = [("Naloxone kit", .saferUseSupplies), ("Socks", .other)]
    var meetings: [Meeting] = []

    init(_ air: Air) { self.air = air }

    func accept(_ listening: @escaping @MainActor (String) -> Void) async -> Carrier? { await air.accept(listening) }
    func dial(_ address: String) async -> Carrier? { air.dial(address) }
    func nearby(_ repository: Repository) -> AsyncStream<Meeting> {
        AsyncStream { stream in
            for meeting in meetings { stream.yield(meeting) }
            stream.finish()
        }
    }
    func starters() -> [(name: String, category: ResourceCategory)] { supplies }
    func timeZone() -> String { "America/Los_Angeles" }
    func language() -> Language { .english }
    func openedOrLocked(isOpen: Bool) { self.isOpen = isOpen }
    func readAloud(_ text: String, in language: Language) { said = "\(language.code):\(text)" }
}

/// Stands for the Secure Enclave and the keychain: only the interface is tried here. The cipher is a sum of bytes.
final class MemoryKeystore: Keystore, @unchecked Sendable {
    private let gate = NSLock()
    private var keys: [Data: UInt8] = [:]
    private var days: [Data: UInt32] = [:]
    private var made: UInt8 = 0

    var count: Int { gate.withLock { keys.count } }
    var notedDays: Int { gate.withLock { days.count } }
    func lose() { gate.withLock { keys = [:] } }

    func create() throws -> Data {
        gate.withLock {
            made += 1
            keys[Data("key-\(made)".utf8)] = made
            return Data("key-\(made)".utf8)
        }
    }
    func wrap(_ plain: Data, alias: Data) throws -> Data {
        let key = try XCTUnwrap(gate.withLock { keys[alias] })
        return Data(plain.map { $0 &+ key })
    }
    func unwrap(_ wrapped: Data, alias: Data) throws -> Data? {
        gate.withLock { keys[alias] }.map { key in Data(wrapped.map { $0 &- key }) }
    }
    func destroy(alias: Data) throws { gate.withLock { keys[alias] = nil } }
    func note(day: UInt32, of store: Data) throws { gate.withLock { days[store] = max(day, days[store] ?? 0) } }
    func highestDay(of store: Data) throws -> UInt32? { gate.withLock { days[store] } }
}

let passphrase = Data("correct horse battery".utf8)
/// Monday noon.
let noon = WallTime(weekday: .monday, minute: 720)

/// A phone without its screen: the app, its models and a real store.
@MainActor final class Phone {
    let platform: TestPlatform
    let keystore = MemoryKeystore()
    let repository: Repository
    let app: Outreach
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ folder: URL, _ air: Air) {
        platform = TestPlatform(air)
        repository = Repository(root: folder, keystore: keystore, effort: .least, clock: { noon })
        app = Outreach(repository, platform, guardPauseMillis: 0, lookMillis: 50)
        app.watch { [weak self] in self?.wake() }
    }

    private func wake() {
        let woken = waiting
        waiting = []
        for one in woken { one.resume() }
    }

    /// Waits until what is shown fits; fails after a minute.
    func until<T>(_ what: @MainActor () -> T?, line: UInt = #line) async throws -> T {
        var isLate = false
        let limit = Task {
            try await Task.sleep(nanoseconds: 60_000_000_000)
            isLate = true
            wake()
        }
        defer { limit.cancel() }
        while !isLate {
            if let found = what() { return found }
            await withCheckedContinuation { waiting.append($0) }
        }
        XCTFail("never came to be; at \(app.place), fault \(String(describing: app.screen.fault))", line: line)
        throw CancellationError()
    }

    func until(_ what: @MainActor () -> Bool, line: UInt = #line) async throws {
        let _: Void = try await until({ what() ? () : nil }, line: line)
    }

    /// Waits for a screen of this kind that nothing is under way on.
    func at<M: Screen>(_ kind: M.Type, line: UInt = #line) async throws -> M {
        try await until({ (app.screen as? M).flatMap { $0.isBusy ? nil : $0 } }, line: line)
    }
}

/// What all tests share: phones of one team in a folder of their own.
@MainActor class PhoneTest: XCTestCase, @unchecked Sendable {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    let air = Air()

    func phone(_ name: String) throws -> Phone {
        let folder = folder
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        addTeardownBlock { try? FileManager.default.removeItem(at: folder) }
        return Phone(folder.appendingPathComponent(name), air)
    }

    var scratch: URL { folder }

    /// A phone that founded a team, at today's page.
    func ana(supplies: [(name: String, category: ResourceCategory)]? = nil) async throws -> Phone {
        let phone = try phone("ana")
        if let supplies { phone.platform.supplies = supplies }
        try await found(phone, "Ana", passphrase)
        let today = try await phone.at(TodayModel.self)
        try await phone.until { today.state.supplies.count == phone.platform.supplies.count }
        return phone
    }

    func found(_ phone: Phone, _ name: String, _ passphrase: Data) async throws {
        try await phone.at(WelcomeModel.self).create()
        let create = try await phone.at(CreateModel.self)
        create.name = name
        create.create(passphrase, again: passphrase)
        try await phone.until { !create.state.paper.isEmpty }
        XCTAssertEqual(create.state.paper.count, 35)
        create.paperWritten()
    }

    func newPerson(_ phone: Phone, _ alias: String, word: String = "") async throws -> PersonModel {
        phone.app.go(.newPerson)
        let new = try await phone.at(NewPersonModel.self)
        new.alias.typed(alias)
        new.word.typed(word)
        new.theySaidYes()
        let person = try await phone.at(PersonModel.self)
        try await phone.until { person.state.file?.alias == alias }
        return person
    }

    /// A newcomer joins `host`; `same` is what both people say about the words.
    func join(_ host: Phone, _ name: String, byCode: Bool = false, role: Role = .worker, same: Bool = true) async throws -> Phone {
        let newcomer = try phone(name.lowercased())
        host.app.go(.invite)
        let invite = try await host.at(InviteModel.self)
        invite.role(role)
        invite.invite(byCode: byCode)
        try await host.until { invite.state.step == .show }
        try await newcomer.at(WelcomeModel.self).join()
        let join = try await newcomer.at(JoinModel.self)
        join.type(byCode)
        join.name = name
        join.scanned = invite.state.qr ?? ""
        join.code = invite.state.code ?? ""
        join.address = invite.state.address
        join.join(passphrase)
        try await newcomer.until { !join.state.words.isEmpty }
        try await host.until { invite.state.step == .compare }
        XCTAssertEqual(invite.state.words, join.state.words)
        XCTAssertEqual(join.state.words.count, 4)
        invite.agree(same)
        join.agree(same)
        if same {
            _ = try await newcomer.at(TodayModel.self)
            try await host.until { invite.state.step == .done && !invite.isBusy }
            invite.done()
        } else {
            try await newcomer.until { join.state.isRefused }
            try await host.until { invite.state.hasDiffered }
        }
        return newcomer
    }

    /// A session over a connection that the test carries.
    @discardableResult func meet(_ one: Phone, _ other: Phone) async -> Reply<SessionReport> {
        let (near, far) = Link.pair()
        let (dialing, listening) = (one.repository, other.repository)
        let side = Task { () -> Reply<SessionReport> in
            let reply = await listening.meet(dials: false, send: { far.put($0) }, receive: { await far.bytes() })
            far.close()
            return reply
        }
        let reply = await dialing.meet(dials: true, send: { near.put($0) }, receive: { await near.bytes() })
        near.close()
        let answer = await side.value
        return reply.value == nil ? reply : answer
    }
}
