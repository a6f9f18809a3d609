import Foundation
import XCTest

import SatchelCore

/// Two stores, and a relay that runs as a process of its own.
final class RelayTest: Phones {
    func testTwoPhonesSyncThroughARealRelay() async throws {
        let relay = try Relay(in: folder)
        do {
            try await syncTwoPhones(through: relay)
        } catch {
            await relay.stop()
            throw error
        }
        await relay.stop()
    }

    private func syncTwoPhones(through relay: Relay) async throws {
        let ana = try found("ana")
        try ana.setRelay(url: relay.url, mailbox: relay.mailbox, claim: relay.claim)
        _ = try ana.syncWithRelay()
        let ben = try join(ana, "ben")
        let participant = try ana.createParticipant(draft: ParticipantDraft(how: .spoken, wordsLanguage: "en", alias: "Blue"))
        let fromAna = try ana.saveEncounter(draft: EncounterDraft(kind: .street, participant: participant, note: "gave 2 kits"))
        let fromBen = try ben.saveEncounter(draft: EncounterDraft(kind: .dropIn))
        _ = try ben.createZone(name: "by the river")
        let today = try ana.today()
        _ = try ana.saveFollowUp(draft: FollowUpDraft(participant: participant, what: "bring a tent", from: today, until: today))
        let request = GrantRequest(
            act: .record, categories: [.legalName], recipient: nil, purpose: .housingApplication, start: nil, expiry: today, how: .spoken,
            language: .english)
        let grant = try ana.giveGrant(participant: participant, request: request)
        try ana.vault(participant: participant, grant: grant).write(facts: [Fact(field: .legalName, value: "Maria Gonzalez")])
        XCTAssertGreaterThan(try ana.waiting().unsent, 0)
        let pushed = try await ana.exchangeWithRelay()
        XCTAssertGreaterThan(pushed.pushed, 0)
        XCTAssertEqual(try ana.waiting().unsent, 0)
        for phone in [ben, ana] { _ = try await phone.exchangeWithRelay() }
        for phone in [ana, ben] {
            XCTAssertEqual(Set(try phone.encounters().map(\.id)), [fromAna, fromBen])
            XCTAssertEqual(try phone.participants().map(\.alias), ["Blue"])
            XCTAssertEqual(try phone.encounter(encounter: fromAna).note, "gave 2 kits")
            let facts = try phone.vault(participant: participant, grant: grant).read()
            XCTAssertEqual(facts.map(\.value), ["Maria Gonzalez"])
        }
        try assertSameLists(ana, ben, participant)
        let takenBack = TakenBack(act: nil, category: .legalName, recipient: nil, how: .spoken)
        let report = try ben.withdraw(participant: participant, takenBack: takenBack)
        for phone in [ben, ana, ben] { _ = try await phone.exchangeWithRelay() }
        XCTAssertTrue(try ana.vaults(participant: participant).isEmpty)
        XCTAssertTrue(try ben.erasureReceipt(operation: report.erasures[0]).isSettled)
        try assertSameLists(ana, ben, participant)

        let operation = try ben.eraseParticipant(participant: participant)
        for phone in [ben, ana, ben, ana, ben] { _ = try await phone.exchangeWithRelay() }
        XCTAssertTrue(try ana.participants().isEmpty)
        XCTAssertTrue(try ben.erasureReceipt(operation: operation).isSettled)
    }

    /// Two phones list the same.
    private func assertSameLists(_ ana: Unlocked, _ ben: Unlocked, _ participant: RecordId, line: UInt = #line) throws {
        XCTAssertEqual(try ana.participants(), try ben.participants(), line: line)
        XCTAssertEqual(try ana.encounters(), try ben.encounters(), line: line)
        XCTAssertEqual(try ana.followUps(), try ben.followUps(), line: line)
        XCTAssertEqual(try ana.zones(), try ben.zones(), line: line)
        XCTAssertEqual(try ana.grants(participant: participant), try ben.grants(participant: participant), line: line)
        XCTAssertEqual(try ana.withdrawals(participant: participant), try ben.withdrawals(participant: participant), line: line)
        XCTAssertEqual(try ana.vaults(participant: participant), try ben.vaults(participant: participant), line: line)
        XCTAssertFalse(try ana.participants().isEmpty || ana.followUps().isEmpty || ana.zones().isEmpty, "control", line: line)
    }
}
