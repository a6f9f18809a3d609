import Foundation
import XCTest

import SatchelCore

/// Complaints, the board's phone, and what anybody may ask to see.
final class BoardTest: Phones {
    private actor Shown {
        private(set) var code = Data()
        func show(_ code: Data) { self.code = Data([UInt8](code)) }
    }

    func testComplaintsAreOfferedWithABoardKeyOnlyAndAnsweredToWhoeverHoldsTheCode() async throws {
        let ana = try found("ana")
        let ben = try join(ana, "ben")
        let board = try join(ana, "board", joinTeam(invitation: ana.invite(role: .board, address: "")))
        let words = "A worker told me to come back sober."
        let draft = ComplaintDraft(category: .coercion, text: words)
        XCTAssertFalse(try ben.boardStatus().isOffered)
        guard case .Refused(let none, _)? = failure(try ben.complain(draft: draft)) else { return XCTFail() }
        XCTAssertEqual(none, "no_board")

        let keys = try board.boardSetUp()
        guard case .Refused? = failure(try board.boardPublish(dueDays: 30)) else { return XCTFail() }
        let change = CharterChange(boardKey: keys.receiving, boardSigning: keys.signing)
        XCTAssertFalse(try ana.changeCharter(change: change).waitsForBoard)
        try meet(ana.dial(), board.listen())
        _ = try board.boardPublish(dueDays: 30)
        try meet(board.dial(), ana.listen())
        try meet(ana.dial(), ben.listen())
        XCTAssertTrue(try ben.boardStatus().isOffered)
        XCTAssertEqual(try ben.boardStatus().words, keys.words)

        let shown = Shown()
        try await ben.complainAndShowCode(draft) { await shown.show($0) }
        XCTAssertFalse("\(draft)".contains("sober"), "a draft prints none of itself")
        // which of the boxes goes along with a meeting is drawn, and most hold nothing
        for _ in 0..<200 where try board.boardBook().lines.isEmpty { try meet(ben.dial(), board.listen()) }
        let lines = try board.boardBook().lines
        XCTAssertEqual(lines.map(\.category), [.coercion])
        let id = try XCTUnwrap(lines.first?.id)
        XCTAssertEqual(try board.boardRead(id: id).text, words)
        try board.boardAnswer(id: id, text: "We have asked them to stop.")
        XCTAssertNil(try board.boardCounts().total, "too few to be told")
        guard case .NotFound? = failure(try board.boardRead(id: "aaaaaaaa")) else { return XCTFail() }

        let file = try board.boardPublish(dueDays: 30).toFile()
        try meet(board.dial(), ben.listen())
        var typed = await shown.code
        let code = try ReceiptCode.read(typed: typed)
        // from the board's own channel, and from the team's phones
        for bulletin in [try Bulletin.fromFile(file: file), try XCTUnwrap(ben.bulletins().last)] {
            XCTAssertEqual(bulletin.boardWords(), keys.words)
            let status = try bulletin.lookUp(code: code)
            XCTAssertEqual(status.progress, .answered)
            XCTAssertEqual(status.answer, "We have asked them to stop.")
        }
        typed[0] = typed[0] == UInt8(ascii: "a") ? UInt8(ascii: "b") : UInt8(ascii: "a")
        guard case .InvalidInput(let mistyped, _, _, _)? = failure(try ReceiptCode.read(typed: typed)) else { return XCTFail() }
        XCTAssertEqual(mistyped, "receipt_code")
        guard case .InvalidInput? = failure(try Bulletin.fromFile(file: Data("no bulletin".utf8))) else { return XCTFail() }

        try board.boardClose(id: id)
        guard case .InvalidInput(let closed, _, _, _)? = failure(try board.boardRead(id: id)) else { return XCTFail() }
        XCTAssertEqual(closed, "complaint_closed")
        guard case .Refused? = failure(try ben.boardBook()) else { return XCTFail() }
    }

    func testTheChartersPageItsHistoryAndTheDataMap() throws {
        let ana = try found("ana")
        let board = try join(ana, "board", joinTeam(invitation: ana.invite(role: .board, address: "")))
        XCTAssertFalse(try ana.changeCharter(change: CharterChange(encounterDays: 30)).waitsForBoard)
        let funder = try ana.changeCharter(change: CharterChange(funders: ["a city grant"]))
        XCTAssertTrue(funder.waitsForBoard)
        let bad = CharterChange(funders: ["a fund", "Ann, 415-555-0123"])
        guard case .InvalidInput(_, _, "funders.1", _)? = failure(try ana.changeCharter(change: bad)) else { return XCTFail() }
        let before = try ana.charterPage(language: .english).text()
        XCTAssertTrue(before.contains("30 days") && !before.contains("a city grant"), before)
        XCTAssertEqual(try ana.charterHistory().last?.waitsForBoard, true)
        try meet(ana.dial(), board.listen())
        _ = try board.countersign(operation: funder.operation)
        try meet(board.dial(), ana.listen())
        let page = try ana.charterPage(language: .english)
        XCTAssertTrue(page.html().hasPrefix("<!doctype html>") && page.html().contains("a city grant"))
        XCTAssertTrue(page.sections().contains { $0.ownWords == ["a city grant"] })
        XCTAssertEqual(try ana.charterPage(language: .spanish).title(), "Lo que te prometemos")
        let shorter = SettingChange(setting: "encounter_days", before: "90", after: "30")
        XCTAssertTrue(try ana.charterHistory().contains { $0.changes == [shorter] })
        XCTAssertGreaterThan(try ana.reviewDue(), try ana.today())
        let file = try XCTUnwrap(dataMap().first { $0.name == "participant file" })
        XCTAssertTrue(file.isAboutAPerson && file.fields.contains { $0.name == "alias" })
        XCTAssertTrue(dataMapText().hasPrefix("# What can be stored"))
    }

    func testDoctorSaysHowTheStoreStands() throws {
        let ana = try found("ana")
        _ = try ana.saveEncounter(draft: EncounterDraft(kind: .street))
        let found = try ana.doctor()
        XCTAssertTrue(found.areFilesWhole && !found.isCopied && !found.isDateInDoubt)
        XCTAssertEqual(found.promise, .none)
        XCTAssertEqual(found.recovery, .noBoard)
        XCTAssertGreaterThan(found.waiting.unsent, 0)
        XCTAssertFalse(found.keys.turns.isEmpty || found.board.isOffered)
        let slots = try keySlots(dir: dir("ana"))
        XCTAssertEqual(slots.map(\.kind), [.passphrase])
        XCTAssertEqual(slots.first?.memoryKib, 19_456)
        guard case .Storage? = failure(try keySlots(dir: dir("nowhere"))) else { return XCTFail() }
    }
}
