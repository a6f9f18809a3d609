import Foundation
import XCTest

import SatchelCore

/// Two phones of one team, end to end: removal, erasure, packs, papers, codes, locking.
final class TeamTest: Phones {
    private func line(_ unlocked: Unlocked, _ device: DeviceId) throws -> DeviceLine {
        try XCTUnwrap(unlocked.team().devices.first { $0.id == device })
    }

    func testALostPhoneIsRemovedInTwoStepsAndGetsNothingMore() async throws {
        let ana = try found("ana")
        let ben = try join(ana, "ben")
        _ = try ben.saveEncounter(draft: EncounterDraft(kind: .street, note: "gave 2 kits"))
        try meet(ben.dial(), ana.listen())
        let lost = try ben.device()
        let before = try line(ana, lost)
        XCTAssertEqual(before.name, "Ben")
        XCTAssertEqual(before.standing, .active)
        XCTAssertNotNil(before.lastHeard)
        XCTAssertFalse("\(before)".contains("Ben"), "a line with a name prints none of it")

        let refused = try await ana.removeDevice(lost) { details in
            XCTAssertEqual(details.device, lost)
            XCTAssertTrue(details.isLastOfMember && details.changesKeys && details.accepted > 0)
            return false
        }
        XCTAssertNil(refused)
        XCTAssertEqual(try line(ana, lost).standing, .active, "no is no")
        let turn = try ana.team().turn
        let operation = try await ana.removeDevice(lost) { _ in true }
        XCTAssertNotNil(operation)
        XCTAssertEqual(try line(ana, lost).standing, .removed)
        XCTAssertGreaterThan(try ana.team().turn, turn)
        XCTAssertEqual(try ana.encounters().count, 1, "what it wrote and handed over stays")

        _ = try ana.saveEncounter(draft: EncounterDraft(kind: .street))
        guard case .Sync? = failure(try meet(ben.dial(), ana.listen())) else { return XCTFail() }
        XCTAssertEqual(try ben.encounters().count, 1)
        guard case .NotFound? = failure(try ana.prepareRemoval(device: lost)) else { return XCTFail() }
        guard case .failure(.Refused) = await answer({ try ana.prepareRemoval(device: ana.device()) }) else { return XCTFail() }
    }

    func testAParticipantIsErasedOnBothPhonesAndTheReceiptSaysWhen() throws {
        let ana = try found("ana")
        let ben = try join(ana, "ben")
        let participant = try ana.createParticipant(draft: ParticipantDraft(how: .spoken, wordsLanguage: "en", alias: "Blue"))
        try meet(ana.dial(), ben.listen())
        XCTAssertEqual(try ben.participants().map(\.alias), ["Blue"], "control: it had reached the other phone")

        let operation = try ana.eraseParticipant(participant: participant)
        XCTAssertTrue(try ana.participants().isEmpty)
        let asked = try ana.erasureReceipt(operation: operation)
        XCTAssertEqual(asked.scope, .subject)
        XCTAssertFalse(asked.isSettled || asked.waitsForCountersignature)
        XCTAssertEqual(asked.awaited, [try ben.device()])
        XCTAssertEqual(asked.keyReplacement, .withoutKeystore)

        try meet(ana.dial(), ben.listen())
        XCTAssertTrue(try ben.participants().isEmpty)
        // what ben showed at the end of that meeting is known at the next one
        try meet(ben.dial(), ana.listen())
        let settled = try ana.erasureReceipt(operation: operation)
        XCTAssertTrue(settled.isSettled && settled.awaited.isEmpty && settled.mayStillHold.isEmpty)
        XCTAssertEqual(Set(settled.confirmed), [try ana.device(), try ben.device()])
        XCTAssertEqual(try ana.erasures(), [settled])
        XCTAssertEqual(try ana.tend().destroyed, 0)
    }

    func testAPackBringsOnePhonesRecordsToTheOther() async throws {
        let ana = try found("ana")
        let ben = try join(ana, "ben")
        for _ in 0..<5 { _ = try ana.saveEncounter(draft: EncounterDraft(kind: .street, note: "gave kits")) }
        let file = folder.appendingPathComponent("pack")
        try await ana.writePack(to: file)
        XCTAssertNil(try Data(contentsOf: file).range(of: Data("kits".utf8)))
        let report = try await ben.readPack(from: file)
        XCTAssertTrue(report.isComplete)
        XCTAssertEqual(Set(try ben.encounters().map(\.id)), Set(try ana.encounters().map(\.id)))
        XCTAssertEqual(try ben.encounters().count, 5)
        let again = try await ben.readPack(from: file)
        XCTAssertEqual(again.rowsApplied, 0, "reading it twice changes nothing")
        let eve = try found("eve")
        do {
            _ = try await eve.readPack(from: file)
            XCTFail("another team's pack")
        } catch FfiError.Sync(let code, let remedy) {
            XCTAssertEqual([code, remedy], ["pack_unknown", "meet_colleague"])
        }
    }

    func testASessionRunsOverAConnection() async throws {
        let ana = try found("ana")
        let ben = try join(ana, "ben")
        let id = try ana.saveEncounter(draft: EncounterDraft(kind: .dropIn))
        let (toBen, fromAna) = AsyncStream<Data>.makeStream()
        let (toAna, fromBen) = AsyncStream<Data>.makeStream()
        let (dialer, listener) = (try ana.dial(), try ben.listen())
        async let listened = Connection(toBen, fromBen).run(listener)
        async let dialled = Connection(toAna, fromAna).run(dialer)
        let (heard, said) = try await (listened, dialled)
        XCTAssertEqual(said.peer, try ben.device())
        XCTAssertGreaterThan(heard.rowsApplied, 0)
        XCTAssertEqual(try ben.encounters().map(\.id), [id])
    }

    /// One end of a connection between two tasks.
    private actor Connection {
        private var incoming: AsyncStream<Data>.Iterator
        private let outgoing: AsyncStream<Data>.Continuation
        init(_ incoming: AsyncStream<Data>, _ outgoing: AsyncStream<Data>.Continuation) {
            self.incoming = incoming.makeAsyncIterator()
            self.outgoing = outgoing
        }
        private func next() async -> Data? {
            var iterator = incoming
            defer { incoming = iterator }
            return await iterator.next(isolation: self)
        }
        func run(_ session: PeerSession) async throws -> SessionReport {
            let outgoing = outgoing
            defer { outgoing.finish() }
            return try await session.run(send: { outgoing.yield($0) }, receive: { await self.next() })
        }
    }

    func testPapersComeOutAsWordsAndAsATextAndAWrongWordIsNamed() throws {
        let ana = try found("ana")
        XCTAssertEqual(try ana.recoveryStatus(), .noBoard)
        guard case .Refused(let code, _)? = failure(try ana.setUpRecovery(threshold: 2, shares: 3)) else { return XCTFail() }
        XCTAssertEqual(code, "recovery_no_board")
        let board = try join(ana, "board", joinTeam(invitation: ana.invite(role: .board, address: "")))
        let papers = try ana.setUpRecovery(threshold: 2, shares: 3)
        XCTAssertEqual(papers.map { $0.label().index }, [1, 2, 3])
        for form in [papers[0].words(), papers[0].qrText()] {
            XCTAssertEqual(try Paper.read(typed: form).label(), papers[0].label())
        }
        var words = String(decoding: papers[0].words(), as: UTF8.self).split(separator: " ").map(String.init)
        words[6] = words[6] == "abandon" ? "ability" : "abandon"
        guard
            case .InvalidInput(let wrong, _, let field, _)? =
                failure(try Paper.read(typed: Data(words.joined(separator: " ").utf8)))
        else { return XCTFail() }
        XCTAssertEqual([wrong, field], ["paper_wrong_word", "word.7"])
        try meet(ana.dial(), board.listen())
        guard case .setUp(let threshold, let shares, _, _, let isKeptHere) = try board.recoveryStatus() else { return XCTFail() }
        XCTAssertEqual([threshold, shares], [2, 3])
        XCTAssertEqual(isKeptHere, true)
        XCTAssertFalse(try board.exportRecovery().isEmpty)
        var secret = papers[0].words()
        secret.wipe()
        XCTAssertTrue(secret.allSatisfy { $0 == 0 })
    }

    func testATypedCodeBringsASecondOwnPhoneIn() throws {
        let ana = try found("ana")
        let invitation = try ana.inviteOwnDeviceByCode()
        let typing = try joinByCode(code: invitation.code())
        let second = try join(ana, "second", typing.replied(reply: invitation.answerHello(hello: typing.hello())))
        let devices = try ana.team().devices
        XCTAssertEqual(devices.count, 2)
        XCTAssertEqual(Set(devices.map(\.member)).count, 1, "one member, two devices")
        XCTAssertEqual(devices.first { !$0.isSelf }?.id, try second.device())
        guard case .Sync(let code, _)? = failure(try invitation.answerHello(hello: typing.hello())) else { return XCTFail() }
        XCTAssertEqual(code, "invitation_used")
    }

    func testAStoreLocksItselfWhenNobodyUsesIt() async throws {
        let ana = try found("ana")
        let store = ana.store()
        try store.lockAfter(seconds: 3_600)
        XCTAssertFalse(try store.lockIfIdle(), "control: an hour has not passed")
        try await store.lockWhenIdle(seconds: 1, lookingEvery: 0.02)
        XCTAssertFalse(try store.isUnlocked())
        guard case .failure(.Locked) = await answer({ try ana.participants() }) else { return XCTFail() }
    }

    func testAnErasedDeviceKeepsNoKeyAndNoFile() throws {
        let protector = MemoryProtector()
        let ana = try found("ana", protector: protector)
        XCTAssertEqual(try ana.promise(), .system)
        XCTAssertEqual(protector.secrets.count, 1)
        XCTAssertEqual(try ana.replaceStoreKey(), .done)
        XCTAssertEqual(protector.secrets.count, 1)
        XCTAssertEqual(try ana.store().eraseDevice(), DeviceErasure(areKeysGone: true, areFilesGone: true))
        XCTAssertTrue(protector.secrets.isEmpty)
        guard case .Locked? = failure(try ana.participants()) else { return XCTFail() }
        guard case .Storage(_, let remedy)? = failure(try Store.open(dir: dir("ana"))) else { return XCTFail() }
        XCTAssertEqual(remedy, "choose_folder")
    }
}
