import XCTest

import SatchelCore

/// What an app sees of the library: calls arrive, values come back, errors are typed.
final class SmokeTest: XCTestCase {
    func testTheLibraryAnswers() {
        XCTAssertNotNil(libraryVersion().range(of: #"^\d+\.\d+\.\d+$"#, options: .regularExpression))
    }

    func testAnIdHasOneCanonicalForm() throws {
        XCTAssertEqual(try parseId(text: "rec_GAYTEMZUGU3DOOBZMFRGGZDFMY"), "rec_gaytemzugu3doobzmfrggzdfmy")
    }

    func testAMalformedIdIsATypedError() {
        XCTAssertThrowsError(try parseId(text: "rec_")) { error in
            XCTAssertEqual(error as? FfiError, .MalformedId)
        }
    }
}
