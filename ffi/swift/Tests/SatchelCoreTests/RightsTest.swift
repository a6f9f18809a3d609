import Foundation
import XCTest

import SatchelCore

/// What is held on somebody, and a receipt for a yes.
final class RightsTest: Phones {
    private func blue(_ phone: Unlocked, word: String?) throws -> RecordId {
        try phone.createParticipant(draft: ParticipantDraft(how: .spoken, wordsLanguage: "en", alias: "Blue", recognitionWord: word))
    }

    func testTheWordIsAskedForFirstAndThePageGoesWhereTheySay() async throws {
        let ana = try found("ana")
        let blue = try blue(ana, word: "Río Verde")
        let unknown = try await ana.holdOnMe(blue) { nil }
        XCTAssertNil(unknown, "they do not know it")
        guard case .InvalidInput("recognition_word", _, "word", _)? = failure(try ana.holdOnMe(participant: blue)) else { return XCTFail() }
        do {
            _ = try await ana.holdOnMe(blue) { "heron" }
            XCTFail("another word opens nothing")
        } catch FfiError.InvalidInput(let code, _, _, _) {
            XCTAssertEqual(code, "recognition_word")
        }
        let opened = try await ana.holdOnMe(blue) { " rio  VERDE" }
        let page = try XCTUnwrap(opened)
        XCTAssertEqual(page.language(), .english)
        for language in [Language.english, .spanish] {
            for form in PageForm.allCases {
                let file = folder.appendingPathComponent("\(language)-\(form)")
                try await page.write(to: file, as: form, in: language)
                let copy = try String(contentsOf: file, encoding: .utf8)
                XCTAssertTrue(copy.contains("Blue") && copy.contains(page.title(language: language)))
                XCTAssertFalse(copy.lowercased().contains("verde"), "the word is never shown")
                XCTAssertEqual(copy.hasPrefix("<!doctype html>"), form == .html)
                do {
                    try await page.write(to: file, as: form)
                    XCTFail("a file that is there stays")
                } catch is CocoaError {}
            }
        }
        let unasked = try await ana.holdOnMe(self.blue(ana, word: nil)) {
            XCTFail("nobody without a word is asked for one")
            return nil
        }
        XCTAssertNotNil(unasked)
    }

    func testAReceiptIsWrittenForAYesThatCountsAndNamesNobody() async throws {
        let ana = try found("ana")
        let blue = try blue(ana, word: nil)
        let request = GrantRequest(
            act: .record, categories: [.legalName], recipient: nil, purpose: .housingApplication, start: nil, expiry: try ana.today(),
            how: .spoken, language: .english)
        let grant = try ana.giveGrant(participant: blue, request: request)
        for (form, mark) in [(ReceiptForm.kantara, "KI-CR-v1.1.0"), (.fhir, "\"resourceType\":\"Consent\"")] {
            let file = folder.appendingPathComponent("receipt-\(form).json")
            try await ana.writeReceipt(to: file, blue, grant, agency: "Harbor Outreach", policy: "https://harbor.example/charter", form: form)
            let receipt = try String(contentsOf: file, encoding: .utf8)
            XCTAssertNotNil(try JSONSerialization.jsonObject(with: Data(receipt.utf8)) as? [String: Any])
            XCTAssertTrue(receipt.contains(mark) && receipt.contains("Harbor Outreach"))
            for secret in ["Blue", blue, grant, try ana.device()] { XCTAssertFalse(receipt.contains(secret)) }
        }
        _ = try ana.withdraw(participant: blue, takenBack: TakenBack(act: nil, category: .legalName, recipient: nil, how: .spoken))
        let none = folder.appendingPathComponent("none.json")
        do {
            try await ana.writeReceipt(to: none, blue, grant, agency: "Harbor Outreach", policy: "p")
            XCTFail("a yes that was taken back has no receipt")
        } catch FfiError.NoConsent(_, _, let status) {
            XCTAssertEqual(status, .withdrawn)
        }
        XCTAssertFalse(FileManager.default.fileExists(atPath: none.path))
    }
}
