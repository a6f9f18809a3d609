import Foundation
import XCTest

import SatchelCore

/// Two teams, and one packet between them that is asked back.
final class SharingTest: Phones {
    private func asking(
        _ phone: Unlocked, _ act: ConsentAct, _ recipient: RecordId? = nil, _ purpose: Purpose = .housingApplication
    ) throws -> GrantRequest {
        GrantRequest(
            act: act, categories: [.legalName], recipient: recipient, purpose: purpose, start: nil, expiry: try phone.today(),
            how: .spoken, language: .english)
    }

    private func pair(_ ana: Unlocked, _ elm: Unlocked, _ name: String, _ kind: ShareClass = .service) async throws -> RecordId {
        let shown = try elm.showOffer(name: "Harbor \(elm.pairings().count)")
        let recipient = try await ana.pair(with: name, kind, offer: shown.text()) { $0 == shown.words() && $0.count == 6 }
        return try XCTUnwrap(recipient)
    }

    /// A team, another one, and somebody whose name is kept.
    private func begin() throws -> (Unlocked, Unlocked, RecordId, RecordId) {
        let (ana, elm) = (try found("ana"), try found("elm"))
        let blue = try ana.createParticipant(draft: ParticipantDraft(how: .spoken, wordsLanguage: "en", alias: "Blue"))
        let kept = try ana.giveGrant(participant: blue, request: asking(ana, .record))
        try ana.vault(participant: blue, grant: kept).write(facts: [Fact(field: .legalName, value: "Maria Gonzalez")])
        return (ana, elm, blue, kept)
    }

    func testAPacketLeavesIsKeptAskedBackAndAnswered() async throws {
        let (ana, elm, blue, _) = try begin()
        let differing = try await ana.pair(with: "Elm House", .service, offer: elm.showOffer(name: "Harbor").text()) { _ in false }
        XCTAssertNil(differing)
        XCTAssertTrue(try ana.recipients().isEmpty)
        let recipient = try await pair(ana, elm, "Elm House")
        let grant = try ana.giveGrant(participant: blue, request: asking(ana, .share, recipient))
        let refused = try await ana.share(blue, under: grant) { _ in false }
        XCTAssertNil(refused)
        XCTAssertTrue(try ana.shares().isEmpty && ana.sharingLog(participant: blue).isEmpty, "a no leaves no trace")
        let sealed = try await ana.share(blue, under: grant) { $0.fields == [.legalName] && $0.name == "Elm House" }
        let packet = try XCTUnwrap(sealed)
        XCTAssertEqual(packet.bytes.count, 8_192)
        guard case .facts(_, let shared) = try elm.openPacket(packet: packet.bytes) else { return XCTFail() }
        XCTAssertEqual(shared.facts.map(\.value), ["Maria Gonzalez"])
        XCTAssertFalse("\(shared) \(packet)".contains("Maria"), "what is printed says nothing")
        let teal = try elm.createParticipant(draft: ParticipantDraft(how: .spoken, wordsLanguage: "en", alias: "Teal"))
        let there = try elm.keepShared(packet: packet.bytes, participant: teal)
        XCTAssertEqual(try elm.grants(participant: teal).first { $0.id == there }?.grant?.received, packet.share)
        XCTAssertEqual(try elm.receivedShares().map(\.participant), [teal])

        let none = try await ana.sharesToAskBack()
        XCTAssertTrue(none.isEmpty)
        _ = try ana.withdraw(participant: blue, takenBack: TakenBack(act: .share, category: nil, recipient: recipient, how: .spoken))
        let back = try await ana.sharesToAskBack()
        XCTAssertEqual(back.map(\.share), [packet.share])
        guard case .eraseRequest(_, let asked, teal) = try elm.openPacket(packet: ana.askErasure(share: packet.share)) else { return XCTFail() }
        XCTAssertEqual(asked, packet.share)
        let answer = try elm.answerErasure(packet: ana.askErasure(share: packet.share))
        XCTAssertTrue(try elm.vaults(participant: teal).isEmpty)
        guard case .answer(answer.answer) = try ana.openPacket(packet: answer.bytes) else { return XCTFail() }
        guard case .answered(let told)? = try ana.shares().first?.state else { return XCTFail() }
        XCTAssertTrue(told.wasKept && told.phonesAwaited == 0)
        XCTAssertEqual(
            Set(try ana.sharingLog(participant: blue).map(\.event)), [.shared, .stopped, .erasureAsked, .erasureAnswered])
    }

    func testEachRefusalIsACaseOfItsOwnWithItsRemedy() async throws {
        let (ana, elm, blue, kept) = try begin()
        guard case .NoConsent("share_grant_to_record", "ask_participant", nil)? = failure(try ana.share(participant: blue, grant: kept))
        else { return XCTFail() }
        let clinic = try ana.addRecipient(name: "Oak Clinic", class: .service)
        let unmet = try ana.giveGrant(participant: blue, request: asking(ana, .share, clinic))
        guard case .Refused("share_not_paired", "pair_in_person")? = failure(try ana.share(participant: blue, grant: unmet))
        else { return XCTFail() }
        let court = try await pair(ana, elm, "County court", .justice)
        guard
            case .Refused("grant_justice_denied", "ask_steward")? =
                failure(try ana.giveGrant(participant: blue, request: asking(ana, .share, court, .legalDefence)))
        else { return XCTFail() }
        let recipient = try await pair(ana, elm, "Elm House")
        let grant = try ana.giveGrant(participant: blue, request: asking(ana, .share, recipient))
        guard case .NoConsent("grant_not_covered", _, _)? = failure(try ana.sharePlan(participant: blue, grant: grant, fields: [.phone]))
        else { return XCTFail() }
        _ = try ana.withdraw(participant: blue, takenBack: TakenBack(act: .share, category: nil, recipient: recipient, how: .spoken))
        guard case .NoConsent(_, _, .withdrawn)? = failure(try ana.share(participant: blue, grant: grant)) else { return XCTFail() }
        guard case .NotFound? = failure(try ana.askErasure(share: blue)) else { return XCTFail() }
        guard case .InvalidInput("share_not_for_us", "ask_sender", _, _)? = failure(try elm.openPacket(packet: Data(count: 8_192)))
        else { return XCTFail() }
    }
}
