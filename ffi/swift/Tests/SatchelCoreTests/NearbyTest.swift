import Foundation
import XCTest

import SatchelCore

/// Colleagues' phones on the same network. Whether multicast gets through is tried elsewhere, on a network made for it.
final class NearbyTest: Phones {
    func testColleaguesKnowEachOtherByWhatTheyShowStrangersDoNot() throws {
        let ana = try found("ana")
        let ben = try join(ana, "ben")
        let zoe = try found("zoe")
        let shown = try ana.appearance()
        XCTAssertEqual(shown.shown.count, 144)
        XCTAssertNotNil(try ben.recognise(shown: shown.shown))
        XCTAssertNil(try zoe.recognise(shown: shown.shown))
        XCTAssertNil(try ben.recognise(shown: Data([1, 2, 3])))
        try ben.store().lock()
        guard case .Locked? = failure(try ben.recognise(shown: shown.shown)) else { return XCTFail("not locked") }
    }

    func testALookoutTakesCallsUntilItIsLeft() async throws {
        let ana = try found("ana")
        var events: [NearbyEvent] = []
        for try await event in try ana.meetNearby(listen: "127.0.0.1:0") {
            events.append(event)
            break
        }
        guard case .listening(let address) = events.first else { return XCTFail("not listening") }
        XCTAssertTrue(address.hasPrefix("127.0.0.1:"))
        XCTAssertThrowsError(try ana.meetNearby(listen: "no address"))
    }
}
