import Foundation
import XCTest

import SatchelCore

/// A sender and a recipient of two teams beside each other, without a camera.
final class PairingTest: Phones {
    /// What is noted on one side and read on the other.
    private final class Noted<Value: Sendable>: @unchecked Sendable {
        private let lock = NSLock()
        private var kept: Value
        init(_ value: Value) { kept = value }
        var value: Value {
            get { lock.withLock { kept } }
            set { lock.withLock { kept = newValue } }
        }
    }

    private func pair(
        _ ana: Unlocked, _ elm: Unlocked, same: @escaping @Sendable ([String], [String]) -> Bool = { $0 == $1 },
        typed: @escaping @Sendable (String) -> String = { $0 }
    ) async throws -> (ShownOffer, Result<RecordId?, FfiError>) {
        let code = Noted("")
        let took = Noted<Result<RecordId?, FfiError>?>(nil)
        let shown = try await elm.showOfferByCode(to: "Harbor", show: { code.value = String(decoding: $0, as: UTF8.self) }) { answer in
            do {
                let recipient = try await ana.pair(
                    with: "Elm House", .service, code: Data(typed(code.value).utf8), exchange: { answer($0) },
                    compare: { words in (try? elm.pairings().first.map { same(words, $0.words) }) ?? false })
                took.value = .success(recipient)
            } catch let error as FfiError {
                took.value = .failure(error)
            }
        }
        return (shown, try XCTUnwrap(took.value))
    }

    func testThreeTypedWordsBringTheSameOfferAsAPicture() async throws {
        let (ana, elm) = (try found("ana"), try found("elm"))
        let (shown, took) = try await pair(ana, elm, typed: { $0.uppercased() })
        let recipient = try XCTUnwrap(try took.get())
        XCTAssertEqual(try ana.recipients().map(\.id), [recipient])
        XCTAssertEqual(shown.words().count, 6)
        // what is sealed for the recipient opens there
        let blue = try ana.createParticipant(draft: ParticipantDraft(how: .spoken, wordsLanguage: "en", alias: "Blue"))
        func asking(_ act: ConsentAct, _ to: RecordId?) throws -> GrantRequest {
            GrantRequest(
                act: act, categories: [.legalName], recipient: to, purpose: .housingApplication, start: nil, expiry: try ana.today(),
                how: .spoken, language: .english)
        }
        let kept = try ana.giveGrant(participant: blue, request: asking(.record, nil))
        try ana.vault(participant: blue, grant: kept).write(facts: [Fact(field: .legalName, value: "Maria Gonzalez")])
        let given = try ana.giveGrant(participant: blue, request: asking(.share, recipient))
        let packet = try ana.share(participant: blue, grant: given)
        guard case .facts(_, let shared) = try elm.openPacket(packet: packet.bytes) else { return XCTFail() }
        XCTAssertEqual(shared.facts.map(\.value), ["Maria Gonzalez"])
    }

    func testWrongWordsBringNothingAndShowOnlyHere() async throws {
        let (ana, elm) = (try found("ana"), try found("elm"))
        let (shown, took) = try await pair(ana, elm, typed: { $0.split(separator: " ").reversed().joined(separator: " ") })
        guard case .InvalidInput("share_code", "pair_in_person", _, _)? = failure(try took.get()) else { return XCTFail() }
        XCTAssertTrue(try ana.recipients().isEmpty)
        // the recipient's phone cannot tell: its person sees that the other phone shows no words
        try elm.forgetPairing(id: shown.id())
        let (again, typo) = try await pair(ana, elm, typed: { $0 + " x" })
        guard case .InvalidInput("share_code", _, _, _)? = failure(try typo.get()) else { return XCTFail() }
        try elm.forgetPairing(id: again.id())
        let (_, differing) = try await pair(ana, elm, same: { _, _ in false })
        XCTAssertNil(try differing.get())
        XCTAssertTrue(try ana.recipients().isEmpty, "six words that differ pair nobody")
    }

    func testWordsAreGoodOnceAndANameIsFreeAgainWhenItBreaksOff() async throws {
        let elm = try found("elm")
        do {
            _ = try await elm.showOfferByCode(to: "Harbor", show: { _ in }) { _ in throw CocoaError(.fileReadUnknown) }
            XCTFail("it broke off")
        } catch is CocoaError {}
        XCTAssertTrue(try elm.pairings().isEmpty)
        let answers = Noted<[Data]>([])
        do {
            _ = try await elm.showOfferByCode(to: "Harbor", show: { _ in }) { answer in
                let hello = try takeOfferByCode(code: Data("abandon ability able".utf8)).hello()
                answers.value = [answer(hello), answer(hello)]
            }
            XCTFail("the words were spent")
        } catch FfiError.InvalidInput(let code, _, _, _) {
            XCTAssertEqual(code, "share_code")
        }
        XCTAssertGreaterThan(answers.value[0].count, 1_000)
        XCTAssertEqual(answers.value[1].count, 1, "one byte of refusal")
        XCTAssertTrue(try elm.pairings().isEmpty)
    }
}
