import Foundation
import XCTest

@testable import OutreachKit

/// Frames, days and names.
final class PartsTest: XCTestCase {
    func testMessagesComeOutWholeHoweverTheirBytesArrive() throws {
        let messages = [Data("one".utf8), Data(), Data(repeating: 7, count: 70_000)]
        let bytes = try messages.reduce(Data()) { try $0 + Frames.frame($1) }
        for portion in [1, 3, 1_000, bytes.count] {
            var frames = Frames()
            var come: [Data] = []
            var at = 0
            while at < bytes.count {
                var message = try frames.take(bytes[at..<min(at + portion, bytes.count)])
                while let whole = message {
                    come.append(whole)
                    message = try frames.take()
                }
                at += portion
            }
            XCTAssertEqual(come, messages, "in portions of \(portion)")
        }
    }

    func testALengthThatNobodyWouldSendIsRefusedBeforeItIsWaitedFor() throws {
        var frames = Frames()
        XCTAssertNil(try frames.take(Data([0, 64, 0, 0])), "control: the greatest length is taken")
        var other = Frames()
        XCTAssertThrowsError(try other.take(Data([0, 64, 0, 1])))
        XCTAssertThrowsError(try Frames.frame(Data(count: Frames.messageBytes + 1)))
    }

    func testDaysAreCountedOverEndsOfMonthsAndYears() {
        XCTAssertEqual(Days.from("2026-11-23", to: "2026-11-23"), 0)
        XCTAssertEqual(Days.from("2026-11-23", to: "2026-12-01"), 8)
        XCTAssertEqual(Days.from("2027-01-01", to: "2026-12-31"), -1)
        XCTAssertEqual(Days.after("2028-02-28", 1), "2028-02-29")
        XCTAssertEqual(Days.after("2026-12-25", 7), "2027-01-01")
    }

    func testOfTwoPhonesThatSeeEachOtherExactlyOneCallsFirst() {
        let (one, other) = (Data([1, 2]), Data([1, 3]))
        XCTAssertEqual(patience(.us, own: one, theirs: other), 0)
        XCTAssertGreaterThan(patience(.them, own: one, theirs: other), 0)
        XCTAssertNotEqual(patience(.either, own: one, theirs: other) == 0, patience(.either, own: other, theirs: one) == 0)
    }

    func testNamesAreWrittenAsInTheTables() {
        XCTAssertEqual(snake(Outcome.turnedAwayByProvider), "turned_away_by_provider")
        XCTAssertEqual(snake(FollowUpState.open), "open")
        XCTAssertEqual(trimmed("  two words \n"), "two words")
        XCTAssertNil(trimmed(" \n"))
    }
}
