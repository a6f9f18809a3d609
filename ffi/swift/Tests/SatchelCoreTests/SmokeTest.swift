import Foundation
import XCTest

import SatchelCore

/// What an app sees of the library: calls arrive, values come back, errors are typed.
final class SmokeTest: Phones {
    private func assertLocked<T>(_ call: @autoclosure () throws -> T, line: UInt = #line) {
        guard case .Locked? = failure(try call(), line: line) else { return XCTFail("not locked", line: line) }
    }

    func testTheLibraryAnswers() {
        XCTAssertNotNil(libraryVersion().range(of: #"^\d+\.\d+\.\d+$"#, options: .regularExpression))
    }

    func testAnIdHasOneCanonicalFormAndAnythingElseIsATypedError() throws {
        XCTAssertEqual(try parseId(id: "rec_GAYTEMZUGU3DOOBZMFRGGZDFMY"), "rec_gaytemzugu3doobzmfrggzdfmy")
        guard case .InvalidInput(let code, let remedy, _, _)? = failure(try parseId(id: "rec_")) else { return XCTFail() }
        XCTAssertEqual(code, "id.malformed")
        XCTAssertEqual(remedy, "correct_input")
        let unlocked = try found("store")
        guard case .NotFound(let missing, _)? = failure(try unlocked.participant(participant: "rec_gaytemzugu3doobzmfrggzdfmy"))
        else { return XCTFail() }
        XCTAssertEqual(missing, "no_such_record")
    }

    func testADaySurvivesLockingAndReopening() throws {
        var unlocked: Unlocked? = try found("store")
        var participant = "", encounter = ""
        do {
            let store = try XCTUnwrap(unlocked)
            let zone = try store.createZone(name: "by the river")
            participant = try store.createParticipant(
                draft: ParticipantDraft(how: .spoken, wordsLanguage: "en", alias: "Blue", goals: ["a dry place", "see a doctor"]))
            encounter = try store.saveEncounter(
                draft: EncounterDraft(
                    kind: .street, participant: participant, zone: zone,
                    offers: [
                        OfferDraft(resource: kit, quantity: 1, outcome: .accepted, keepRefusal: false),
                        OfferDraft(resource: soup, quantity: 2, outcome: .declined, keepRefusal: false),
                    ],
                    note: "Blue took 2 kits"))
            try store.tally(taps: [TallyTap(resource: soup, outcome: .accepted, count: 3)])
            let today = try store.today()
            _ = try store.saveFollowUp(
                draft: FollowUpDraft(participant: participant, what: "bring a tent", from: today, until: today))
            _ = try store.saveSelfReferral(
                draft: SelfReferralDraft(participant: participant, startedBy: .participant, to: soup, status: .asked))
            XCTAssertEqual(try store.tallyWaiting(day: today).count, 3)
            try store.store().suspend()
        }
        unlocked = nil

        let store = try Store.open(dir: dir("store"))
        XCTAssertFalse(try store.isUnlocked())
        let again = try store.unlock(passphrase: passphrase)
        XCTAssertEqual(try again.participants().map(\.alias), ["Blue"])
        XCTAssertEqual(try again.participant(participant: participant).goals, ["a dry place", "see a doctor"])
        XCTAssertEqual(try again.encounters(participant: participant).map(\.id), [encounter])
        let read = try again.encounter(encounter: encounter)
        XCTAssertEqual(read.offers, [Offer(resource: kit, quantity: 1, outcome: .accepted, keptAtRequest: nil)])
        XCTAssertEqual(read.note, "Blue took 2 kits")
        XCTAssertEqual(try again.zones().map(\.name), ["by the river"])
        XCTAssertEqual(try again.followUps().map(\.what), ["bring a tent"])
        XCTAssertEqual(try again.selfReferrals().map(\.status), [.asked])
        XCTAssertFalse("\(read)".contains("kits"), "records that hold a text print none of it")
    }

    func testAWrongPassphraseIsATypedError() throws {
        let store = try found("store").store()
        try store.lock()
        guard case .WrongPassphrase(_, let remedy)? = failure(try store.unlock(passphrase: Data("wrong".utf8)))
        else { return XCTFail() }
        XCTAssertEqual(remedy, "retype_passphrase")
        _ = try store.unlock(passphrase: passphrase)
        XCTAssertTrue(try store.isUnlocked())
        guard case .Storage? = failure(try Store.open(dir: dir("nowhere"))) else { return XCTFail() }
    }

    func testNotesOnServicesNamesAndPromisesAreReadAsTheyWereWritten() throws {
        let ana = try found("store")
        XCTAssertNil(try ana.resourceNote(resource: soup))
        _ = try ana.saveResourceNote(resource: soup, note: "closed on Sundays")
        XCTAssertEqual(try ana.resourceNote(resource: soup), "closed on Sundays")
        try ana.nameMember(name: "Anabel")
        let member = try XCTUnwrap(ana.team().devices.first?.member)
        XCTAssertEqual(try ana.memberName(member: member), "Anabel")
        let blue = try ana.createParticipant(draft: ParticipantDraft(how: .spoken, wordsLanguage: "en", alias: "Blue"))
        let today = try ana.today()
        let draft = FollowUpDraft(participant: blue, what: "bring a tent", from: today, until: today)
        let read = try ana.followUp(followUp: ana.saveFollowUp(draft: draft))
        XCTAssertEqual(read.what, "bring a tent")
        XCTAssertEqual([read.participant, read.who], [blue, member])
        XCTAssertTrue(try ana.tallies().isEmpty, "nothing is sent before its day is over")
        _ = try ana.tend()
        XCTAssertFalse(try ana.isTendingDue())
    }

    func testLockingKillsEveryHandle() throws {
        let unlocked = try found("store")
        let session = try unlocked.dial()
        try unlocked.lock()
        assertLocked(try unlocked.participants())
        assertLocked(try unlocked.saveEncounter(draft: EncounterDraft(kind: .phone)))
        assertLocked(try unlocked.dial())
        assertLocked(try unlocked.observe(observer: Recorder()))
        // what was begun before is dead too: not even what is already sealed leaves
        assertLocked(try session.transmit(maxBytes: 65_536))
        let again = try unlocked.store().unlock(passphrase: passphrase)
        XCTAssertEqual(try again.participants().count, 0)
        assertLocked(try unlocked.participants())
    }

    private final class Recorder: ChangeObserver, @unchecked Sendable {
        struct PrivateWords: Error {}
        private let lock = NSLock()
        private var changes: [Change] = []
        private let onChange: () throws -> Void
        init(_ onChange: @escaping () throws -> Void = {}) { self.onChange = onChange }
        var seen: [Change] { lock.withLock { changes } }
        func changed(changes: [Change]) throws {
            lock.withLock { self.changes += changes }
            try onChange()
        }
    }

    func testObserversAreToldMayThrowAndCanBeCancelled() throws {
        let unlocked = try found("store")
        let reader = Recorder { _ = try unlocked.encounters() }
        let thrower = Recorder { throw Recorder.PrivateWords() }
        let subscription = try unlocked.observe(observer: reader)
        let other = try unlocked.observe(observer: thrower)
        let id = try unlocked.saveEncounter(draft: EncounterDraft(kind: .dropIn))
        XCTAssertEqual(reader.seen.filter { $0.kind == .encounter }, [Change(kind: .encounter, record: id, subject: nil)])
        XCTAssertEqual(reader.seen, thrower.seen)
        subscription.cancel()
        let before = reader.seen.count
        _ = try unlocked.saveEncounter(draft: EncounterDraft(kind: .dropIn))
        XCTAssertEqual(reader.seen.count, before)
        XCTAssertGreaterThan(thrower.seen.count, before)
        other.cancel()
    }

    func testChangesArriveAsASequence() async throws {
        let unlocked = try found("store")
        let changes = try unlocked.changes()
        let id = try unlocked.saveEncounter(draft: EncounterDraft(kind: .dropIn))
        for await change in changes {
            XCTAssertTrue(change.contains { $0.record == id })
            break
        }
    }

    func testWhatTheGuardFindsArrivesWithItsFieldAndItsPlace() throws {
        let unlocked = try found("store")
        let text = "😀 reach him at 415-555-0123"
        guard
            case .InvalidInput(let code, _, let field, let findings)? =
                failure(try unlocked.saveEncounter(draft: EncounterDraft(kind: .street, note: text)))
        else { return XCTFail() }
        XCTAssertEqual(code, "text_unresolved")
        XCTAssertEqual(field, "note")
        let finding = try XCTUnwrap(findings.first)
        XCTAssertEqual(finding.category, "contact_detail")
        let start = String.Index(utf16Offset: Int(finding.startUtf16), in: text)
        XCTAssertEqual(text[start..<String.Index(utf16Offset: Int(finding.endUtf16), in: text)], "415-555-0123")
        XCTAssertEqual(findings, try screen(text: text))
        XCTAssertTrue(try unlocked.encounters().isEmpty)
    }

    func testAStoreUnderAKeystoreOpensWithItsKeyAndNotWithout() throws {
        let protector = MemoryProtector()
        let store = try found("store", protector: protector).store()
        func assertRefused<T>(_ call: @autoclosure () throws -> T, line: UInt = #line) {
            guard case .WrongPassphrase? = failure(try call(), line: line) else { return XCTFail(line: line) }
        }
        try store.lock()
        assertRefused(try store.unlock(passphrase: passphrase))
        _ = try store.unlock(passphrase: passphrase, protector: protector)
        protector.isBroken = true
        assertRefused(try store.unlock(passphrase: passphrase, protector: protector))
        protector.isBroken = false
        protector.secrets = [:]
        assertRefused(try store.unlock(passphrase: passphrase, protector: protector))
    }

    func testTwoPhonesJoinAndSyncOverAConnectionThatTheAppCarries() throws {
        let ana = try found("ana")
        let ben = try join(ana, "ben")
        let participant = try ana.createParticipant(draft: ParticipantDraft(how: .spoken, wordsLanguage: "en", alias: "Blue"))
        let fromAna = try ana.saveEncounter(
            draft: EncounterDraft(kind: .street, participant: participant, note: "gave 2 kits"))
        let fromBen = try ben.saveEncounter(draft: EncounterDraft(kind: .siteVisit, note: "nobody there"))

        let dialer = try ana.dial()
        try meet(dialer, ben.listen())
        XCTAssertEqual(try dialer.report().peer, try ben.device())
        for store in [ana, ben] {
            XCTAssertEqual(Set(try store.encounters().map(\.id)), [fromAna, fromBen])
            XCTAssertEqual(try store.encounter(encounter: fromAna).note, "gave 2 kits")
            XCTAssertEqual(try store.participants().map(\.alias), ["Blue"])
        }

        let quiet = try ana.dial()
        try meet(quiet, ben.listen())
        XCTAssertEqual(try quiet.report().rowsSent, 0, "the second meeting has nothing to say")
    }

    func testAStrangerIsATypedError() throws {
        let listener = try found("ana").listen()
        let hello = try XCTUnwrap(found("eve").dial().transmit(maxBytes: 65_536))
        guard case .Sync(let code, _)? = failure(try listener.receive(bytes: hello)) else { return XCTFail() }
        XCTAssertEqual(code, "session.not_a_colleague")
    }
}
