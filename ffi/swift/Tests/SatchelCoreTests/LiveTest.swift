import Foundation
import XCTest

import SatchelCore

/// A phone that stays in touch with a relay that runs as a process of its own. A wait takes 50 s: ending must not.
final class LiveTest: Phones {
    private func withRelay(_ test: (Unlocked) async throws -> Void) async throws {
        let relay = try Relay(in: folder)
        do {
            let ana = try found("ana")
            try ana.setRelay(url: relay.url, mailbox: relay.mailbox, claim: relay.claim)
            try await test(ana)
        } catch {
            await relay.stop()
            throw error
        }
        await relay.stop()
    }

    func testWhatIsSavedLeavesByItselfAndIsTold() async throws {
        try await withRelay { ana in
            _ = try await ana.exchangeWithRelay()
            let ben = try join(ana, "ben")
            let blue = try ana.createParticipant(draft: ParticipantDraft(how: .spoken, wordsLanguage: "en", alias: "Blue"))
            var wasWaiting: UInt32 = 0
            for try await state in try ana.stayInTouch() {
                wasWaiting = max(wasWaiting, state.unsent)
                if state.phase == .listening && state.unsent == 0 {
                    XCTAssertNotNil(state.relayAt)
                    break
                }
            }
            XCTAssertGreaterThan(wasWaiting, 0)
            _ = try await ben.exchangeWithRelay()
            XCTAssertEqual(try ben.participants().map(\.id), [blue])
        }
    }

    func testLockingTheStoreEndsItInTheMiddleOfAWait() async throws {
        try await withRelay { ana in
            let live = try ana.liveSync()
            var began = Date.distantPast
            do {
                for try await state in live.states() where state.phase == .listening && state.unsent == 0 {
                    began = Date()
                    try ana.store().lock()
                }
                XCTFail("it ended as if it had been stopped")
            } catch FfiError.Locked(let code, _) {
                XCTAssertEqual(code, "locked")
            }
            XCTAssertLessThan(Date().timeIntervalSince(began), 20)
            guard case .Locked? = failure(try ana.liveSync()) else { return XCTFail() }
        }
    }

    func testCancellingEndsWhateverBlocksAndARelayThatIsAwayIsTold() async throws {
        let ana = try found("ana")
        let silent = try Silent()
        try ana.setRelay(url: "http://127.0.0.1:\(silent.port)", mailbox: "box_" + String(repeating: "a", count: 26))
        let began = Date()
        let exchange = Task { try await ana.exchangeWithRelay() }
        let staying = Task { for try await _ in try ana.stayInTouch() {} }
        // both are taken, and never answered: a minute's patience
        let taken = try await offThread { [try silent.accept(), try silent.accept()] }
        exchange.cancel()
        staying.cancel()
        do {
            _ = try await exchange.value
            XCTFail("nobody answered")
        } catch is CancellationError {}
        try await staying.value
        XCTAssertLessThan(Date().timeIntervalSince(began), 30)
        taken.forEach { close($0) }
        silent.stop()

        let live = try ana.liveSync()
        for try await state in live.states() {
            guard case .unreachable(let since, let retryAt, _, let remedy) = state.phase else { continue }
            XCTAssertEqual(remedy, "try_later")
            XCTAssertTrue(since > 1_700_000_000 && retryAt >= since)
            live.stop()
        }
        do {
            for try await _ in live.states() {}
            XCTFail("it ran before")
        } catch FfiError.InvalidInput(let code, _, _, _) {
            XCTAssertEqual(code, "live_over")
        }
        for (route, named) in [(RelayRoute(pin: "sha256//AAAA"), "pin"), (RelayRoute(proxy: "socks5://127.0.0.1:9050"), "proxy")] {
            guard case .InvalidInput(_, _, named, _)? = failure(try ana.liveSync(route: route)) else { return XCTFail() }
        }
        XCTAssertNoThrow(try ana.liveSync(route: RelayRoute(proxy: "socks5h://127.0.0.1:9050")), "control")
    }

    /// A port that takes calls and says nothing.
    private final class Silent: Sendable {
        let port: UInt16
        private let listening: Int32

        init() throws {
            #if os(Linux)
            let stream = Int32(SOCK_STREAM.rawValue)
            #else
            let stream = SOCK_STREAM
            #endif
            listening = socket(AF_INET, stream, 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let socket = listening
            let bound = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                    bind(socket, raw, length) + listen(socket, 4) + getsockname(socket, raw, &length)
                }
            }
            guard bound == 0 else { throw CocoaError(.fileReadUnknown) }
            port = UInt16(bigEndian: address.sin_port)
        }

        func accept() throws -> Int32 {
            let taken = accept4OrAccept(listening)
            guard taken >= 0 else { throw CocoaError(.fileReadUnknown) }
            return taken
        }

        func stop() { close(listening) }
    }
}

private func accept4OrAccept(_ listening: Int32) -> Int32 { accept(listening, nil, nil) }
