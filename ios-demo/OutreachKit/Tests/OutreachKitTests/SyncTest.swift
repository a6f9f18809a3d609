import Foundation
import XCTest

@testable import OutreachKit

/// Two phones and a relay that runs as a process of its own.
@MainActor final class SyncTest: PhoneTest, @unchecked Sendable {
    private func withRelay(_ test: (Relay) async throws -> Void) async throws {
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        let relay = try Relay(in: scratch)
        do { try await test(relay) } catch {
            await relay.stop()
            throw error
        }
        await relay.stop()
    }

    func testWhatIsWrittenOnOnePhoneIsOnTheOtherAfterBothExchangedWithTheRelay() async throws {
        try await withRelay { relay in
            let ana = try await ana()
            let set = await ana.repository.setRelay(url: relay.url, mailbox: relay.mailbox, claim: relay.claim)
            XCTAssertNotNil(set.value)
            let claimed = await ana.repository.exchange()
            XCTAssertNotNil(claimed.value)
            let ben = try await join(ana, "Ben")
            _ = try await newPerson(ana, "Blue")

            ana.app.go(.sync)
            let sync = try await ana.at(SyncModel.self)
            try await ana.until { sync.state.waiting > 0 }
            sync.exchange()
            try await ana.until { sync.state.isExchanged && sync.state.waiting == 0 && !sync.isBusy }

            ben.app.go(.people)
            let people = try await ben.at(PeopleModel.self)
            let got = await ben.repository.exchange()
            XCTAssertNotNil(got.value)
            // what arrived is shown without anybody asking for it
            try await ben.until { people.state.people.map(\.participant.alias) == ["Blue"] }
        }
    }

    func testLeavingTheScreenSendsWhatWaitsBeforeItCloses() async throws {
        try await withRelay { relay in
            let ana = try await ana()
            _ = await ana.repository.setRelay(url: relay.url, mailbox: relay.mailbox, claim: relay.claim)
            _ = await ana.repository.exchange()
            let ben = try await join(ana, "Ben")
            _ = try await newPerson(ana, "Blue")
            await ana.app.leaveScreen()
            XCTAssertFalse(ana.repository.isUnlocked)
            _ = await ben.repository.exchange()
            let people = await ben.repository.participants()
            XCTAssertEqual(people.value?.map(\.alias), ["Blue"])
        }
    }

    func testALockedNotebookFetchesWhatItCannotReadOnceSomebodySwitchedThatOn() async throws {
        try await withRelay { relay in
            let ana = try await ana()
            _ = await ana.repository.setRelay(url: relay.url, mailbox: relay.mailbox, claim: relay.claim)
            _ = await ana.repository.exchange()
            let ben = try await join(ana, "Ben")
            _ = try await newPerson(ben, "Blue")
            _ = await ben.repository.exchange()
            await ana.app.leaveScreen()
            let off = await ana.repository.fetchLocked()
            XCTAssertEqual(off, .success(0), "off unless switched on")

            try await ana.at(UnlockModel.self).unlock(passphrase)
            _ = try await ana.at(TodayModel.self)
            ana.app.go(.settings)
            let settings = try await ana.at(SettingsModel.self)
            XCTAssertFalse(settings.state.fetchesLocked)
            settings.fetchLocked(true)
            try await ana.until { settings.state.fetchesLocked && !settings.isBusy }
            ana.app.rest()
            _ = try await newPerson(ben, "Teal")
            _ = await ben.repository.exchange()
            let isDone = await ana.app.refresh()
            XCTAssertTrue(isDone)
            let again = await ana.repository.fetchLocked()
            XCTAssertGreaterThan(again.value ?? 0, 0)
            XCTAssertFalse(ana.repository.isUnlocked)

            try await ana.at(UnlockModel.self).unlock(passphrase)
            _ = try await ana.at(TodayModel.self)
            let people = await ana.repository.participants()
            XCTAssertEqual(Set((people.value ?? []).map(\.alias)), ["Blue", "Teal"], "without asking the relay again")
        }
    }

    func testARelayThatIsNotSetOrNotReachedIsSaidAndNothingIsLost() async throws {
        let ana = try await ana()
        ana.app.go(.sync)
        let sync = try await ana.at(SyncModel.self)
        sync.exchange()
        try await ana.until { sync.fault?.kind == .input && !sync.isBusy }
        sync.relay = "not an address"
        sync.setRelay()
        try await ana.until { !sync.isBusy }
        XCTAssertEqual(sync.fault?.kind, .input)
        XCTAssertTrue(ana.repository.isUnlocked)
    }
}
