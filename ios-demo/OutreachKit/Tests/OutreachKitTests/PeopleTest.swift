import Foundation
import XCTest

@testable import OutreachKit

/// Colleagues: joining, losing a phone, and two phones that write the same field.
@MainActor final class PeopleTest: PhoneTest, @unchecked Sendable {
    func testAColleagueJoinsByQrAnotherByWordsAndALostPhoneIsRemovedInTwoSteps() async throws {
        let ana = try await ana()
        let ben = try await join(ana, "Ben")
        _ = try await join(ana, "Cleo", byCode: true)
        ana.app.go(.team)
        let team = try await ana.at(TeamModel.self)
        try await ana.until { team.state.phones.count == 3 }
        XCTAssertTrue(team.state.maySteward)
        let met = await meet(ben, ana)
        XCTAssertNotNil(met.value)
        let lost = try await ana.until { team.state.phones.first { $0.device.name == "Ben" } }
        team.remove(lost)
        let first = try await ana.at(RemoveModel.self)
        let details = try await ana.until { first.state.removal?.details }
        XCTAssertEqual(details.name, "Ben")
        XCTAssertTrue(details.isLastOfMember && details.changesKeys)
        first.keep()
        let kept = try await ana.at(TeamModel.self)
        try await ana.until { kept.state.phones.count == 3 }
        kept.remove(lost)
        let second = try await ana.at(RemoveModel.self)
        try await ana.until { second.state.removal != nil }
        second.confirm()
        let after = try await ana.at(TeamModel.self)
        try await ana.until { after.state.phones.count == 2 }
        let refused = await meet(ben, ana)
        XCTAssertNil(refused.value)
    }

    func testNobodyJoinsWhenTheWordsDiffer() async throws {
        let ana = try await ana()
        let ben = try await join(ana, "Ben", same: false)
        XCTAssertEqual(ben.repository.notebooks(), [])
        let team = await ana.repository.team()
        XCTAssertEqual(team.value?.devices.count, 1)
    }

    func testWhoMayNotInviteIsToldSo() async throws {
        let ana = try await ana()
        let ben = try await join(ana, "Ben")
        ben.app.go(.team)
        let team = try await ben.at(TeamModel.self)
        try await ben.until { team.state.phones.count == 2 }
        XCTAssertFalse(team.state.maySteward)
        ben.app.go(.invite)
        let invite = try await ben.at(InviteModel.self)
        for byCode in [false, true] {
            invite.invite(byCode: byCode)
            try await ben.until { invite.fault != nil && !invite.isBusy }
            XCTAssertEqual(invite.fault?.kind, .refused)
            XCTAssertEqual(invite.state.step, .choose)
        }
    }

    func testGoingElsewhereIsANoToWhoeverIsJoining() async throws {
        let ana = try await ana()
        ana.app.go(.invite)
        let invite = try await ana.at(InviteModel.self)
        invite.invite(byCode: false)
        try await ana.until { invite.state.step == .show }
        let ben = try phone("ben")
        try await ben.at(WelcomeModel.self).join()
        let join = try await ben.at(JoinModel.self)
        join.scanned = invite.state.qr ?? ""
        join.join(passphrase)
        try await ana.until { invite.state.step == .compare }
        try await ben.until { !join.state.words.isEmpty }
        ana.app.goBack()
        join.agree(true)
        try await ben.until { join.fault != nil && !join.isBusy }
        XCTAssertEqual(ben.repository.notebooks(), [])
        // an invitation that nobody came for ends with its page
        ana.app.go(.invite)
        let unused = try await ana.at(InviteModel.self)
        unused.invite(byCode: true)
        try await ana.until { unused.state.step == .show }
        ana.app.goBack()
        try await ana.until { !unused.isBusy }
        XCTAssertNil(ana.app.screen.fault)
    }

    func testTwoPhonesWriteOneFieldAndBothValuesAreShownUntilOneIsPicked() async throws {
        let ana = try await ana()
        let ben = try await join(ana, "Ben")
        let person = try await newPerson(ana, "Blue")
        let id = try XCTUnwrap(person.state.file?.id)
        await meet(ana, ben)
        for (phone, pronouns) in [(ana, "she"), (ben, "they")] {
            let edited = await phone.repository.editParticipant(id, ParticipantEdit(pronouns: pronouns))
            XCTAssertNotNil(edited.value)
        }
        await meet(ana, ben)
        // what arrived is shown without anybody asking for it
        let conflict = try await ana.until { person.state.file?.conflicts.first }
        XCTAssertEqual(Set(person.values(of: conflict)), ["she", "they"])
        person.pick(conflict, "they")
        try await ana.until { person.state.file?.conflicts.isEmpty == true && person.state.file?.pronouns == "they" }
    }

    func testPhonesThatMeetNearbyAreCountedAndAStrangersShownTagMeansNothing() async throws {
        let ana = try await ana()
        let ben = try await join(ana, "Ben")
        let zoe = try phone("zoe")
        try await found(zoe, "Zoe", passphrase)
        _ = try await zoe.at(TodayModel.self)
        _ = try await newPerson(ana, "Blue")
        let tag = try await ana.repository.appearance().get().shown
        let (known, unknown) = (await ben.repository.recognise(tag), await zoe.repository.recognise(tag))
        XCTAssertNotNil(try known.get())
        XCTAssertNil(try unknown.get())

        let report = try await meet(ana, ben).get()
        XCTAssertGreaterThan(report.rowsApplied, 0)
        ben.platform.meetings = [.met(report), .broken, .met(report), .unavailable]
        ben.app.go(.sync)
        let sync = try await ben.at(SyncModel.self)
        sync.look(true)
        try await ben.until { sync.state.met == 2 && !sync.state.isLooking }
        XCTAssertEqual(sync.state.brought, 2 * Int(report.rowsApplied))
        XCTAssertEqual(sync.fault?.code, "nearby_unavailable")
        try await ben.until { sync.state.lastContact == 0 }
    }
}
