import Foundation
import XCTest

import SatchelCore

/// What all tests share: phones of one team in a folder of their own, and what carries their messages.
class Phones: XCTestCase {
    let passphrase = Data("correct horse battery staple".utf8)
    let kit = "res_aaaaaaaaaaaaaaaaaaaaaaaaaa"
    let soup = "res_gaytemzugu3doobzmfrggzdfmy"
    var folder = URL(fileURLWithPath: "/")

    override func setUpWithError() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    override func tearDownWithError() throws {
        try FileManager.default.removeItem(at: folder)
    }

    func dir(_ name: String) -> String { folder.appendingPathComponent(name).path }

    func found(_ name: String, protector: KeyProtector? = nil) throws -> Unlocked {
        let founded = try foundTeam(
            dir: dir(name), passphrase: passphrase, timeZone: "America/Los_Angeles", memberName: "Ana", cost: .least,
            protector: protector)
        XCTAssertEqual(String(decoding: founded.reseatPaper().words(), as: UTF8.self).split(separator: " ").count, 35)
        return founded.unlocked()
    }

    /// The error that a call throws.
    func failure<T>(_ call: @autoclosure () throws -> T, line: UInt = #line) -> FfiError? {
        do {
            _ = try call()
            XCTFail("nothing was thrown", line: line)
            return nil
        } catch {
            return error as? FfiError
        }
    }

    final class MemoryProtector: KeyProtector, @unchecked Sendable {
        struct PrivateWords: Error {}
        // stands for the Secure Enclave, which this host does not have: the key is one byte string, the cipher a sum of
        // bytes, so that only the interface is tried here
        var secrets: [Data: UInt8] = [:]
        var isBroken = false
        private var made: UInt8 = 0
        private func key(_ alias: Data) throws -> UInt8 {
            if isBroken { throw PrivateWords() }
            guard let secret = secrets[alias] else { throw KeyProtectorError.Missing }
            return secret
        }
        func create() throws -> Data {
            made += 1
            let alias = Data("key-\(made)".utf8)
            secrets[alias] = made
            return alias
        }
        func wrap(alias: Data, plain: Data) throws -> Data {
            let key = try key(alias)
            return Data(plain.map { $0 &+ key })
        }
        func unwrap(alias: Data, wrapped: Data) throws -> Data {
            let key = try key(alias)
            return Data(wrapped.map { $0 &- key })
        }
        func destroy(alias: Data) throws { secrets[alias] = nil }
        func isHardwareBound() throws -> Bool { false }
    }

    /// Carries a session in the portions that a radio would.
    func meet(_ dialer: PeerSession, _ listener: PeerSession) throws {
        var moved = true
        while moved {
            moved = false
            for (from, to) in [(dialer, listener), (listener, dialer)] {
                while let bytes = try from.transmit(maxBytes: 500) {
                    try to.receive(bytes: bytes)
                    moved = true
                }
            }
        }
        XCTAssertTrue(try dialer.isFinished() && listener.isFinished())
    }

    /// Carries the messages of joining; `joining` is what the newcomer began with.
    func join(_ host: Unlocked, _ name: String, _ begun: Joining? = nil) throws -> Unlocked {
        let joining = try begun ?? joinTeam(invitation: host.invite(role: .worker, address: ""))
        let answered = try host.answerKnock(knock: joining.knock())
        try joining.answered(answer: answered.answer)
        XCTAssertEqual(try answered.host.words(), try joining.words())
        try answered.host.introduced(message: joining.introduce())
        let joined = try joining.welcomed(
            message: answered.host.welcome(), dir: dir(name), passphrase: passphrase, memberName: name.capitalized, cost: .least)
        try answered.host.thanked(message: joined.thanks)
        return joined.unlocked
    }
}
