import Foundation
import XCTest

import SatchelCore

/// Networks that cost, and a locked phone that fetches, at a relay that runs as a process of its own.
final class NetworkTest: Phones {
    private func withRelay(_ test: (Relay) async throws -> Void) async throws {
        let relay = try Relay(in: folder)
        do {
            try await test(relay)
        } catch {
            await relay.stop()
            throw error
        }
        await relay.stop()
    }

    private func metered<T>(line: UInt = #line, _ call: () async throws -> T) async throws {
        do {
            _ = try await call()
            XCTFail("it was sent over a network that costs", line: line)
        } catch FfiError.Sync(let code, let remedy) {
            XCTAssertEqual([code, remedy], ["network_metered", "try_later"], line: line)
        }
    }

    func testAPhoneWaitsForANetworkThatCostsNothingAndShowsWhatWent() async throws {
        try await withRelay { relay in
            let ana = try found("ana")
            try ana.setRelay(url: relay.url, mailbox: relay.mailbox, claim: relay.claim)
            _ = try await ana.exchangeWithRelay()
            let first = try await ana.networkUse()
            XCTAssertEqual(first.choice, .any)
            XCTAssertEqual(first.days.map(\.day), [try ana.today()])
            XCTAssertTrue(first.days[0].sent > 100 && first.days[0].received > 100, "control: what went is counted")

            try ana.chooseNetworks(choice: .unmeteredOnly)
            for network in [Network.unknown, .metered] {
                try ana.store().noteNetwork(network: network)
                let use = try await ana.networkUse()
                XCTAssertTrue(use.isSpared)
                try await metered { try await ana.exchangeWithRelay() }
                try await metered { try ana.syncWithRelay() }
                for try await state in try ana.stayInTouch() {
                    XCTAssertEqual(state.phase, .spared)
                    break
                }
            }
            let spared = try await ana.networkUse()
            XCTAssertEqual(spared.bytes, first.bytes, "nothing went")
            _ = try await ana.exchangeWithRelay(byHand: true)
            let byHand = try await ana.networkUse()
            XCTAssertGreaterThan(byHand.bytes, first.bytes, "a button sends all the same, and it is counted")
            try ana.store().noteNetwork(network: .unmetered)
            _ = try await ana.exchangeWithRelay()
            try ana.noteRelayBytes(sent: 1_000, received: 2_000)
            let last = try await ana.networkUse()
            XCTAssertTrue(last.bytes > byHand.bytes + 3_000 && !last.isSpared)
        }
    }

    func testALockedPhoneFetchesWhatItCannotReadAndHasItWhenUnlocked() async throws {
        try await withRelay { relay in
            let keystore = MemoryProtector()
            let ana = try found("ana", protector: keystore)
            try ana.setRelay(url: relay.url, mailbox: relay.mailbox, claim: relay.claim)
            _ = try await ana.exchangeWithRelay()
            let ben = try join(ana, "ben")
            for phone in [ana, ben, ana] { _ = try await phone.exchangeWithRelay() }
            let store = ana.store()
            let off = try await store.fetchLocked(protector: keystore)
            XCTAssertNil(off, "off unless switched on")
            try ana.switchLockedInbox(isOn: true)
            XCTAssertTrue(try ana.hasLockedInbox())
            try store.lock()
            let nothing = try await store.fetchLocked(protector: keystore)
            XCTAssertEqual(nothing?.end, .upToDate)
            let blue = try ben.createParticipant(draft: ParticipantDraft(how: .spoken, wordsLanguage: "en", alias: "Blue"))
            _ = try await ben.exchangeWithRelay()
            let came = try await store.fetchLocked(protector: keystore)
            let fetched = try XCTUnwrap(came)
            XCTAssertEqual(fetched.end, .upToDate)
            XCTAssertTrue(fetched.waiting.rows > 0 && fetched.waiting.bytes >= fetched.waiting.rows * 512, "\(fetched.waiting)")
            let twice = try await store.fetchLocked(protector: keystore)
            XCTAssertEqual(twice, fetched, "asked again, nothing comes twice")

            let again = try store.unlock(passphrase: passphrase, protector: keystore)
            XCTAssertEqual(try again.participants().map(\.id), [blue], "without asking the relay")
            let report = try again.openedInbox()
            XCTAssertTrue(report.applied > 0 && !report.isDamaged, "\(report)")
            let use = try await again.networkUse()
            XCTAssertGreaterThan(use.days[0].received, UInt64(fetched.waiting.bytes), "the bytes count")
            let open = try XCTUnwrap(try store.lockedInbox(protector: keystore))
            XCTAssertFalse(try open.carryNext())
            XCTAssertEqual(try open.end(), .notLocked)

            try again.chooseNetworks(choice: .unmeteredOnly)
            try store.lock()
            try await metered { try await store.fetchLocked(protector: keystore) }
            try store.noteNetwork(network: .unmetered)
            let free = try await store.fetchLocked(protector: keystore)
            XCTAssertEqual(free?.end, .upToDate)
            // the same with the app's own HTTP: what the relay would answer, a refusal
            let own = try XCTUnwrap(try store.lockedInbox(protector: keystore))
            XCTAssertEqual(try own.nextRequest()?.path, "/v1/pull")
            try own.receiveProblem(code: "refused")
            XCTAssertEqual(try own.end(), .keysChanged)

            try store.unlock(passphrase: passphrase, protector: keystore).switchLockedInbox(isOn: false)
            try store.lock()
            let over = try await store.fetchLocked(protector: keystore)
            XCTAssertNil(over)
        }
    }

    func testWithoutAKeystoreThereIsNoInbox() async throws {
        guard case .Storage("keystore_unsupported", _)? = failure(try found("ben").switchLockedInbox(isOn: true)) else {
            return XCTFail("its credential would lie open beside the store")
        }
        let keystore = MemoryProtector()
        let ana = try found("ana", protector: keystore)
        try ana.setRelay(url: "http://127.0.0.1:9", mailbox: "box_" + String(repeating: "a", count: 26))
        try ana.switchLockedInbox(isOn: true)
        let store = ana.store()
        try store.lock()
        XCTAssertNotNil(try store.lockedInbox(protector: keystore), "control")
        keystore.isBroken = true
        guard case .Storage("keystore_refused", _)? = failure(try store.lockedInbox(protector: keystore)) else { return XCTFail() }
    }
}
