import Foundation
import XCTest

import SatchelCore

/// What a participant said yes to, and took back; and the guard, with the places that a field marks.
final class ConsentTest: Phones {
    private func inDays(_ unlocked: Unlocked, _ days: Int) throws -> ShiftDay {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "UTC")
        format.dateFormat = "yyyy-MM-dd"
        let today = try XCTUnwrap(format.date(from: unlocked.today()))
        return format.string(from: today.addingTimeInterval(Double(days) * 86_400))
    }

    private func asking(
        _ unlocked: Unlocked, _ act: ConsentAct = .record, recipient: RecordId? = nil, days: Int = 30
    ) throws -> GrantRequest {
        GrantRequest(
            act: act, categories: [.legalName], recipient: recipient, purpose: .housingApplication, start: nil,
            expiry: try inDays(unlocked, days), how: .spoken, language: .english)
    }

    private func newParticipant(_ unlocked: Unlocked) throws -> RecordId {
        try unlocked.createParticipant(draft: ParticipantDraft(how: .spoken, wordsLanguage: "en", alias: "Blue"))
    }

    func testAYesOpensAVaultTakingItBackClosesItOnBothPhonesAndTheReceiptSaysWhen() async throws {
        let ana = try found("ana")
        let ben = try join(ana, "ben")
        let blue = try newParticipant(ana)
        let request = try asking(ana)
        let unasked = try await ana.askFor(blue, request, until: "May 3") { words in
            XCTAssertTrue(words.text.contains("your legal name") && words.text.contains("May 3"), words.text)
            XCTAssertEqual(consentWordsText(number: words.number, language: .spanish)?.contains("{what}"), true)
            return false
        }
        XCTAssertNil(unasked)
        XCTAssertEqual(try ana.grants(participant: blue).count, 1, "a no leaves nothing")

        let answered = try await ana.askFor(blue, request) { _ in true }
        let grant = try XCTUnwrap(answered)
        let line = try XCTUnwrap(ana.grants(participant: blue).first { $0.id == grant })
        XCTAssertEqual(line.status, .live)
        XCTAssertEqual(line.live, [.legalName])
        XCTAssertEqual(line.recordedBy.map(\.device), [try ana.device()])
        let name = Fact(field: .legalName, value: "Maria Gonzalez")
        try await ana.withVault(blue, grant) { try $0.write(facts: [name]) }
        XCTAssertFalse("\(name)".contains("Maria"), "a fact prints none of itself")
        try meet(ana.dial(), ben.listen())
        let read = try await ben.withVault(blue, grant) { try $0.read().map(\.value) }
        XCTAssertEqual(read, ["Maria Gonzalez"], "control: a colleague reads it")

        let open = try ana.vault(participant: blue, grant: grant)
        let takenBack = TakenBack(act: nil, category: .legalName, recipient: nil, how: .spoken)
        let report = try ana.withdraw(participant: blue, takenBack: takenBack)
        XCTAssertEqual(report.grants, [grant])
        guard case .NoConsent(let code, let remedy, let status)? = failure(try open.write(facts: [name])) else { return XCTFail() }
        XCTAssertEqual([code, remedy], ["grant_not_live", "ask_participant"])
        XCTAssertEqual(status, .withdrawn)
        XCTAssertTrue(try ana.vaults(participant: blue).isEmpty)
        XCTAssertEqual(try ana.erasureReceipt(operation: report.erasures[0]).awaited, [try ben.device()])

        try meet(ana.dial(), ben.listen())
        XCTAssertTrue(try ben.vaults(participant: blue).isEmpty)
        guard case .NoConsent? = failure(try ben.vault(participant: blue, grant: grant)) else { return XCTFail() }
        try meet(ben.dial(), ana.listen())
        XCTAssertTrue(try ana.erasureReceipt(operation: report.erasures[0]).isSettled)
        XCTAssertEqual(try ben.withdrawals(participant: blue).map(\.id), [report.withdrawal])
    }

    func testWithoutAYesNothingGatedIsWritten() throws {
        let ana = try found("ana")
        let blue = try newParticipant(ana)
        let file = try XCTUnwrap(ana.grants(participant: blue).first?.id)
        guard case .InvalidInput(let code, _, _, _)? = failure(try ana.vault(participant: blue, grant: file)) else { return XCTFail() }
        XCTAssertEqual(code, "grant_no_vault")
        guard case .NotFound? = failure(try ana.vault(participant: blue, grant: blue)) else { return XCTFail() }
        guard case .InvalidInput("not_erased_alone", _, _, _)? = failure(try ana.eraseRecord(kind: .grant, record: file))
        else { return XCTFail("a yes is taken back, and never just gone") }
        guard case .NoConsent? = failure(try ana.giveGrant(participant: file, request: asking(ana))) else { return XCTFail() }
        let vault = try ana.vault(participant: blue, grant: ana.giveGrant(participant: blue, request: asking(ana)))
        let birth = Fact(field: .birthDate, value: "1980-02-29")
        let name = Fact(field: .legalName, value: "Maria Gonzalez")
        guard case .NoConsent(let covered, _, nil)? = failure(try vault.write(facts: [name, birth])) else { return XCTFail() }
        XCTAssertEqual(covered, "grant_not_covered")
        XCTAssertTrue(try vault.read().isEmpty, "all or none")
        let wrong = Fact(field: .birthDate, value: "2/29/80")
        guard case .InvalidInput(_, _, "birth_date", _)? = failure(try vault.write(facts: [wrong])) else { return XCTFail() }
        try vault.write(facts: [name])
        XCTAssertEqual(try vault.read().map(\.value), ["Maria Gonzalez"])
    }

    func testAShareNamesOneRecipientAndTheLogSaysWhatStopped() throws {
        let ana = try found("ana")
        let blue = try newParticipant(ana)
        guard case .InvalidInput(_, _, "name", let findings)? = failure(try ana.addRecipient(name: "Sam, 415-555-0123", class: .service))
        else { return XCTFail() }
        XCTAssertEqual(findings.last?.category, "contact_detail")
        let elm = try ana.addRecipient(name: "Elm House", class: .service)
        guard case .Refused(let long, _)? = failure(try ana.giveGrant(participant: blue, request: asking(ana, .share, recipient: elm, days: 91)))
        else { return XCTFail() }
        XCTAssertEqual(long, "grant_too_long")
        let share = try ana.giveGrant(participant: blue, request: asking(ana, .share, recipient: elm))
        let report = try ana.withdraw(participant: blue, takenBack: .everything(how: .spoken))
        XCTAssertEqual(report.stopped, [elm])
        XCTAssertTrue(report.isFileClosed && report.grants.contains(share))
        XCTAssertTrue(try ana.participants().isEmpty)
        let other = try newParticipant(ana)
        let again = try ana.giveGrant(participant: other, request: asking(ana, .share, recipient: elm))
        _ = try ana.withdraw(participant: other, takenBack: TakenBack(act: nil, category: nil, recipient: elm, how: .spoken))
        let line = try XCTUnwrap(ana.sharingLog(participant: other).first)
        XCTAssertEqual(line.event, .stopped)
        XCTAssertEqual([line.grant, line.recipient], [again, elm])
    }

    func testARefusalHasItsFieldAndItsPlacesAndKinderWordsStopNothing() async throws {
        let ana = try found("ana")
        let text = "😀 arrested on Main St, reach him at 415-555-0123"
        guard
            case .InvalidInput(let code, _, let field, let findings)? =
                failure(try ana.saveEncounter(draft: EncounterDraft(kind: .street, note: text)))
        else { return XCTFail() }
        XCTAssertEqual([code, field], ["text_unresolved", "note"])
        let places = Dictionary(findings.map { ($0.category, String(text[$0.range(in: text)])) }, uniquingKeysWith: { first, _ in first })
        XCTAssertEqual(places["contact_detail"], "415-555-0123")
        XCTAssertEqual(places["justice_contact"]?.contains("arrested"), true)
        XCTAssertTrue(try ana.encounters().isEmpty)

        let kind = "😀 a junkie wants socks"
        let notice = try await guardNotice(kind)
        XCTAssertTrue(notice.findings.isEmpty)
        let offered = try XCTUnwrap(notice.suggestions.first)
        XCTAssertEqual(kind[offered.range(in: kind)], "junkie")
        XCTAssertEqual(offered.instead, "person who uses drugs")
        _ = try ana.saveEncounter(draft: EncounterDraft(kind: .street, note: kind))
    }
}
