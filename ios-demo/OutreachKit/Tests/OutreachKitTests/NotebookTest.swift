import Foundation
import XCTest

@testable import OutreachKit

/// Several members on one phone, locking, closing, erasing, and the keystore.
@MainActor final class NotebookTest: PhoneTest, @unchecked Sendable {
    func testTwoMembersOfOnePhoneSwitchInUnderFiveSecondsAndAnErasedNotebookIsGone() async throws {
        let ana = try await ana()
        ana.app.lock()
        try await ana.at(UnlockModel.self).add()
        try await found(ana, "Zoe", Data("another passphrase".utf8))
        _ = try await ana.at(TodayModel.self)
        XCTAssertEqual(ana.repository.notebook, 2)
        let began = Date()
        ana.app.lock()
        let unlock = try await ana.at(UnlockModel.self)
        try await ana.until { unlock.state.notebooks == [1, 2] }
        unlock.choose(2)
        try await ana.at(UnlockModel.self).choose(1)
        try await ana.at(UnlockModel.self).unlock(passphrase)
        _ = try await ana.at(TodayModel.self)
        XCTAssertLessThan(Date().timeIntervalSince(began), 5)
        let team = await ana.repository.team()
        XCTAssertEqual(team.value?.devices.map(\.name), ["Ana"])

        ana.app.go(.erase)
        let erase = try await ana.at(EraseModel.self)
        erase.erase()
        XCTAssertFalse(erase.isBusy, "one step erases nothing")
        erase.sure()
        erase.erase()
        let left = try await ana.at(UnlockModel.self)
        XCTAssertEqual(ana.repository.notebooks(), [2])
        XCTAssertEqual(left.state.notebook, 2)
    }

    func testItLocksByItself() async throws {
        let ana = try await ana()
        _ = try await ana.at(TodayModel.self)
        ana.repository.lockAfter(seconds: 1)
        _ = try await ana.at(UnlockModel.self)
        XCTAssertFalse(ana.repository.isUnlocked)
        XCTAssertEqual(ana.platform.isOpen, false)
    }

    func testLeavingTheScreenLocksAndClosesAndWhatWasSavedIsThereAgain() async throws {
        let ana = try await ana()
        _ = try await newPerson(ana, "Blue")
        await ana.app.leaveScreen()
        let unlock = try await ana.at(UnlockModel.self)
        XCTAssertFalse(ana.repository.isUnlocked)
        let locked = await ana.repository.participants()
        XCTAssertEqual(locked, .failure(Fault(.locked, "locked", "unlock")))
        unlock.unlock(passphrase)
        _ = try await ana.at(TodayModel.self)
        let people = await ana.repository.participants()
        XCTAssertEqual(people.value?.map(\.alias), ["Blue"])
    }

    func testWhoComesBackBeforeItIsClosedIsNotLockedOut() async throws {
        let ana = try await ana()
        let leaving = Task { await ana.app.leaveScreen() }
        leaving.cancel()
        await leaving.value
        XCTAssertTrue(ana.repository.isUnlocked)
        _ = try await ana.at(TodayModel.self)
    }

    func testUnlockingLetsGoOfWhatIsOver() async throws {
        let ana = try await ana()
        let before = await ana.repository.isTendingDue()
        XCTAssertEqual(before, .success(true), "control")
        ana.app.lock()
        try await ana.at(UnlockModel.self).unlock(passphrase)
        _ = try await ana.at(TodayModel.self)
        let after = await ana.repository.isTendingDue()
        XCTAssertEqual(after, .success(false))
    }

    func testWhatIsFoundLockedComesToTheLockScreen() async throws {
        let ana = try await ana()
        let today = try await ana.at(TodayModel.self)
        // as from a thread that knows no screens
        ana.repository.lockNow()
        today.tally(today.state.supplies[0].resource)
        _ = try await ana.at(UnlockModel.self)
    }

    func testThePassphraseIsChangedAndTheOldOneOpensNothing() async throws {
        let ana = try await ana()
        ana.app.go(.settings)
        let settings = try await ana.at(SettingsModel.self)
        settings.changePassphrase(Data("short".utf8))
        try await ana.until { settings.fault?.code == "passphrase_short" && !settings.isBusy }
        let next = Data("another passphrase".utf8)
        settings.changePassphrase(next)
        try await ana.until { settings.state.isChanged && !settings.isBusy }
        settings.lock()
        let unlock = try await ana.at(UnlockModel.self)
        unlock.unlock(passphrase)
        try await ana.until { unlock.fault?.kind == .wrongPassphrase && !unlock.isBusy }
        unlock.unlock(next)
        _ = try await ana.at(TodayModel.self)
    }

    func testWithoutTheKeystoresKeyNothingOpensAndErasingDestroysIt() async throws {
        let ana = try await ana()
        XCTAssertGreaterThan(ana.keystore.count, 0)
        XCTAssertEqual(ana.keystore.notedDays, 1, "the day is kept where a restored folder cannot take it back")
        ana.app.go(.erase)
        let erase = try await ana.at(EraseModel.self)
        erase.sure()
        erase.erase()
        _ = try await ana.at(WelcomeModel.self)
        XCTAssertEqual(ana.keystore.count, 0)

        try await found(ana, "Zoe", passphrase)
        _ = try await ana.at(TodayModel.self)
        ana.app.lock()
        ana.keystore.lose()
        let unlock = try await ana.at(UnlockModel.self)
        unlock.unlock(passphrase)
        try await ana.until { unlock.fault != nil && !unlock.isBusy }
        XCTAssertFalse(ana.repository.isUnlocked)
    }
}
