import Foundation
import XCTest

@testable import OutreachKit

/// A complaint from the phone that was handed over to the board's inbox.
@MainActor final class BoardTest: PhoneTest, @unchecked Sendable {
    func testAComplaintReachesTheBoardOnlyAndIsAnswered() async throws {
        let ana = try await ana()
        let board = try await join(ana, "Board", role: .board)
        board.app.go(.inbox)
        let inbox = try await board.at(InboxModel.self)
        try await board.until { !inbox.state.isSetUp }
        ana.app.go(.complain)
        let none = try await ana.at(ComplainModel.self)
        try await ana.until { !none.state.isOffered }

        inbox.setUp()
        try await board.until { !inbox.isBusy }
        let keys = try await board.repository.boardKeys().get()
        let seated = await ana.repository.seatBoard(keys)
        XCTAssertNotNil(seated.value)
        await meet(ana, board)
        inbox.load()
        try await board.until { inbox.state.isSetUp && !inbox.state.words.isEmpty && inbox.state.book != nil }
        XCTAssertEqual(inbox.state.words, keys.words)
        inbox.publish()
        try await board.until { !inbox.isBusy }
        XCTAssertNil(inbox.fault)
        await meet(board, ana)

        let complain = try await ana.at(ComplainModel.self)
        complain.load()
        try await ana.until { complain.state.isOffered }
        complain.category(.coercion)
        complain.text = "A worker told me to come back sober, 415-555-0123."
        complain.send()
        let code = try await ana.until { complain.isBusy ? nil : complain.state.code }
        XCTAssertFalse(code.isEmpty)
        XCTAssertEqual(complain.text, "")
        complain.done()
        XCTAssertNil(complain.state.code)

        // which of the boxes goes along with a meeting is drawn, and most hold nothing
        for _ in 0..<200 where inbox.state.book?.lines.isEmpty != false {
            await meet(ana, board)
            let book = await board.repository.boardBook()
            if book.value?.lines.isEmpty == false {
                inbox.load()
                try await board.until { inbox.state.book?.lines.isEmpty == false }
            }
        }
        let line = try XCTUnwrap(inbox.state.book?.lines.first)
        XCTAssertEqual(line.category, .coercion)
        inbox.read(line)
        let complaint = try await board.until { inbox.isBusy ? nil : inbox.state.complaint }
        XCTAssertTrue(complaint.text.hasSuffix("415-555-0123."), "no guard reads a complaint")
        inbox.answer = "We have asked them to stop."
        inbox.sendAnswer()
        try await board.until { inbox.state.complaint == nil && inbox.state.book?.lines.first?.progress == .answered && !inbox.isBusy }
        inbox.read(line)
        try await board.until { inbox.state.complaint != nil && !inbox.isBusy }
        inbox.close()
        try await board.until { inbox.state.book?.lines.first?.progress == .closed && !inbox.isBusy }
        let refused = await ana.repository.boardBook()
        XCTAssertEqual(refused.value, nil, "the inbox is the board's alone")
    }
}
