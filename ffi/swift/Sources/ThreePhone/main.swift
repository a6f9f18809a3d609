// A phone that is told what to do: one command a line on the standard input, one answer a line. `scripts/test-three` lets it
// work with a phone in Kotlin and with the command line. The words of joining are printed, and compared by the script.

import Foundation
import SatchelCore

struct Stopped: Error, CustomStringConvertible {
    let description: String
}

func tell(_ line: String) {
    print(line)
    fflush(stdout)
}

/// A TCP connection, blocking.
final class Wire: Sendable {
    private let end: Int32

    private init(_ end: Int32) { self.end = end }

    /// IPv4 and TCP, on this machine; `port` 0 is any that is free.
    private static func socket(_ port: UInt16, _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32) throws -> Int32 {
        #if os(Linux)
        let end = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let end = Foundation.socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let done = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { use(end, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard done == 0 else { throw Stopped(description: "no connection") }
        return end
    }

    static func dial(_ address: String) throws -> Wire {
        guard let port = address.split(separator: ":").last.flatMap({ UInt16($0) }) else { throw Stopped(description: "no address") }
        return Wire(try socket(port) { connect($0, $1, $2) })
    }

    /// Takes one call; `ready` is told where.
    static func listen(_ ready: (String) -> Void) throws -> Wire {
        let server = try socket(0) { bind($0, $1, $2) == 0 ? Foundation.listen($0, 1) : -1 }
        defer { Foundation.close(server) }
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(server, $0, &length) }
        }
        ready("127.0.0.1:\(UInt16(bigEndian: address.sin_port))")
        let taken = accept(server, nil, nil)
        guard taken >= 0 else { throw Stopped(description: "nobody called") }
        return Wire(taken)
    }

    func send(_ data: Data) throws {
        var sent = 0
        while sent < data.count {
            let count = data.withUnsafeBytes { Foundation.send(end, $0.baseAddress! + sent, data.count - sent, 0) }
            guard count > 0 else { throw Stopped(description: "cut") }
            sent += count
        }
    }

    /// What came, at most so many bytes; nil at the end.
    func receive(_ most: Int = 65_536) -> Data? {
        var buffer = [UInt8](repeating: 0, count: most)
        let count = recv(end, &buffer, most, 0)
        return count > 0 ? Data(buffer.prefix(count)) : nil
    }

    func close() { _ = Foundation.close(end) }

    /// Messages of joining: a length (4 bytes, little endian) and that many bytes.
    func put(_ message: Data) throws {
        try send(Data((0..<4).map { UInt8(truncatingIfNeeded: message.count >> (8 * $0)) }) + message)
    }

    func exchange(_ message: Data) throws -> Data {
        try put(message)
        let length = try exactly(4).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
        return try exactly(length)
    }

    private func exactly(_ count: Int) throws -> Data {
        var data = Data()
        while data.count < count {
            guard let more = receive(count - data.count) else { throw Stopped(description: "cut") }
            data += more
        }
        return data
    }
}

final class Phone {
    private let dir: String
    private let passphrase = Data("correct horse battery staple".utf8)
    private var unlocked: Unlocked?

    init(dir: String) { self.dir = dir }

    private func join(_ address: String, _ invitation: String, _ name: String) throws -> String {
        let wire = try Wire.dial(address)
        defer { wire.close() }
        let joining = try joinTeam(invitation: invitation)
        try joining.answered(answer: wire.exchange(joining.knock()))
        tell("words " + (try joining.words().joined(separator: " ")))
        guard readLine() == "yes" else { throw Stopped(description: "the words differ") }
        let welcome = try wire.exchange(joining.introduce())
        let joined = try joining.welcomed(message: welcome, dir: dir, passphrase: passphrase, memberName: name, cost: .least)
        try wire.put(joined.thanks)
        unlocked = joined.unlocked
        return "joined \(try joined.unlocked.device())"
    }

    /// A day's work; `mark` tells the phones apart.
    private func work(_ phone: Unlocked, _ mark: String) throws -> String {
        let today = try phone.today()
        let somebody = try phone.createParticipant(
            draft: ParticipantDraft(how: .spoken, wordsLanguage: "en", alias: mark, goals: ["a dry place"], recognitionWord: "heron"))
        let zone = try phone.createZone(name: "by the \(mark) bridge")
        let soup = ownResourceId(name: "Soup")
        let offers = [OfferDraft(resource: soup, quantity: 1, outcome: .accepted, keepRefusal: false)]
        _ = try phone.saveEncounter(
            draft: EncounterDraft(kind: .street, participant: somebody, zone: zone, offers: offers, note: "gave 2 kits"))
        _ = try phone.saveEncounter(draft: EncounterDraft(kind: .dropIn))
        _ = try phone.saveFollowUp(draft: FollowUpDraft(participant: somebody, what: "bring a tent", from: today, until: today))
        _ = try phone.saveSelfReferral(draft: SelfReferralDraft(participant: somebody, startedBy: .participant, to: soup, status: .asked))
        let request = GrantRequest(
            act: .record, categories: [.legalName], recipient: nil, purpose: .housingApplication, start: nil, expiry: today, how: .spoken,
            language: .english)
        let grant = try phone.giveGrant(participant: somebody, request: request)
        try phone.vault(participant: somebody, grant: grant).write(facts: [Fact(field: .legalName, value: "Maria Gonzalez")])
        return "worked \(somebody)"
    }

    private func meet(_ session: PeerSession, _ wire: Wire) async throws -> String {
        defer { wire.close() }
        let report = try await session.run(send: { try wire.send($0) }, receive: { try await offThread { wire.receive() } })
        return "met \(report.rowsReceived)"
    }

    func answer(_ command: String, _ words: [String]) async throws -> String {
        if command == "join" { return try join(words[0], words[1], words[2]) }
        guard let phone = unlocked else { throw Stopped(description: "not joined") }
        switch command {
        case "work": return try work(phone, words[0])
        case "edit":
            try phone.editParticipant(participant: words[0], edit: ParticipantEdit(contact: "ask at the \(words[1])"))
            return "edited"
        case "withdraw":
            let takenBack = TakenBack(act: nil, category: .legalName, recipient: nil, how: .spoken)
            _ = try phone.withdraw(participant: words[0], takenBack: takenBack)
            return "withdrawn"
        case "erase": return "erasing \(try phone.eraseParticipant(participant: words[0]))"
        case "sync":
            let report = try await phone.exchangeWithRelay()
            return "synced \(report.pushed) \(report.pulled)"
        case "dial": return try await meet(phone.dial(), Wire.dial(words[0]))
        case "listen": return try await meet(phone.listen(), Wire.listen { tell("listening \($0)") })
        case "names": return "names " + (try phone.participants().compactMap(\.alias).sorted().joined(separator: " "))
        case "likeness":
            let likeness = try phone.likeness()
            return "likeness \(likeness.bodies) \(likeness.digest)"
        default: throw Stopped(description: "no such command")
        }
    }
}

let phone = Phone(dir: CommandLine.arguments[1] + "/swift")
while let line = readLine() {
    let words = line.split(separator: " ").map(String.init)
    do {
        tell(try await phone.answer(words[0], Array(words.dropFirst())))
    } catch {
        tell("failed \(error)")
    }
}
