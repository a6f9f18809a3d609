import Foundation
import XCTest

@testable import OutreachKit

/// Opening, and a shift on one phone.
@MainActor final class DayTest: PhoneTest, @unchecked Sendable {
    func testAnEncounterTakesThreeTapsAndIsThereAfterUnlockingAgain() async throws {
        let ana = try await ana()
        let today = try await ana.at(TodayModel.self)
        var taps = 0
        func tap(_ button: () -> Void) {
            taps += 1
            button()
        }
        tap { today.newEncounter() }
        let encounter = try await ana.at(EncounterModel.self)
        let kit = try await ana.until { encounter.state.supplies.first { $0.name == "Naloxone kit" } }
        tap { encounter.offer(kit) }
        tap { encounter.save() }
        try await ana.until { encounter.state.saved != nil && !encounter.isBusy }
        XCTAssertEqual(taps, 3)
        encounter.done()
        let after = try await ana.at(TodayModel.self)
        try await ana.until { after.state.encounters == 1 && after.state.supplies.contains { $0.counted == 1 } }

        ana.app.lock()
        XCTAssertEqual(ana.platform.isOpen, false)
        let unlock = try await ana.at(UnlockModel.self)
        unlock.unlock(Data("something else".utf8))
        try await ana.until { unlock.fault != nil && !unlock.isBusy }
        XCTAssertEqual(unlock.fault?.kind, .wrongPassphrase)
        unlock.unlock(passphrase)
        let again = try await ana.at(TodayModel.self)
        try await ana.until { again.state.encounters == 1 }
    }

    func testOneTapCountsOneAndNamesNobody() async throws {
        let ana = try await ana()
        let today = try await ana.at(TodayModel.self)
        let socks = try XCTUnwrap(today.state.supplies.first { $0.resource.name == "Socks" }).resource
        for counted in 1...2 {
            today.tally(socks)
            try await ana.until { !today.isBusy && today.state.supplies.contains { $0.resource.id == socks.id && $0.counted == counted } }
        }
        XCTAssertEqual(today.state.encounters, 0)
        let encounters = await ana.repository.encounters()
        XCTAssertEqual(encounters.value, [])
    }

    func testARefusalIsKeptWithNobodyUnlessTheyAsk() async throws {
        let ana = try await ana()
        let blue = try await newPerson(ana, "Blue")
        for keep in [false, true] {
            ana.app.go(.newEncounter(participant: blue.state.file?.id))
            let encounter = try await ana.at(EncounterModel.self)
            try await ana.until { encounter.state.supplies.count == 2 }
            for resource in encounter.state.supplies { encounter.offer(resource) }
            let declined = encounter.state.supplies[0]
            encounter.outcome(declined, .declined)
            encounter.keepRefusal(declined, keep)
            encounter.save()
            let id = try await ana.until { encounter.state.saved }
            let saved = await ana.repository.encounter(id)
            XCTAssertEqual(saved.value?.offers.count, keep ? 2 : 1)
        }
    }

    func testWhatWasSavedCanBeUndoneOrMovedToTheRightPerson() async throws {
        let ana = try await ana()
        try await newPerson(ana, "Blue").encounter()
        let encounter = try await ana.at(EncounterModel.self)
        func settled(_ what: () -> Bool) async throws { try await ana.until { what() && !encounter.isBusy } }
        encounter.save()
        try await settled { encounter.state.saved != nil }
        encounter.wrongPerson()
        try await settled { encounter.state.saved == nil && encounter.state.isChoosing }
        encounter.who(nil)
        encounter.save()
        try await settled { encounter.state.saved != nil }
        let moved = await ana.repository.encounters()
        XCTAssertEqual(moved.value?.map(\.participant), [nil])
        encounter.undo()
        try await settled { encounter.state.isUndone }
        let none = await ana.repository.encounters()
        XCTAssertEqual(none.value, [])
    }

    func testPromisesAreListedUntilTheyAreDone() async throws {
        let ana = try await ana()
        let person = try await newPerson(ana, "Blue")
        person.promise.typed("bring a tent")
        person.promise(inDays: 2)
        try await ana.until { person.state.promised.count == 1 && !person.isBusy }
        ana.app.go(.today)
        let today = try await ana.at(TodayModel.self)
        let promised = try await ana.until { today.state.promised.first }
        XCTAssertEqual([promised.what, promised.who], ["bring a tent", "Blue"])
        XCTAssertEqual(promised.inDays, 2)
        today.followUps()
        let all = try await ana.at(FollowUpsModel.self)
        all.dropped(try await ana.until { all.state.promised.first })
        try await ana.until { all.state.promised.isEmpty && !all.isBusy }
    }

    func testResourcesAreFoundOfflineOpenNowAndWithoutWhatIsDemanded() async throws {
        let ana = try await ana(supplies: [])
        var shelter = ownResource(ana.repository.resourceId("Night shelter"), "Night shelter", .housing)
        shelter.provider = "City"
        shelter.demands = [.id, .policeContact]
        shelter.openings = [Opening(weekday: .monday, opens: 1200, closes: 1860)]
        shelter.areOpeningsComplete = true
        var house = ownResource(ana.repository.resourceId("Elm House"), "Elm House", .dropIn)
        house.provider = "Elm House"
        house.doesNotDemand = [.id, .policeContact, .abstinence]
        house.openings = [Opening(weekday: .monday, opens: 600, closes: 960)]
        house.areOpeningsComplete = true
        let published = await ana.repository.publish([shelter, house])
        XCTAssertNotNil(published.value)
        ana.app.go(.find(""))
        let find = try await ana.at(FindModel.self)
        func names() -> Set<String> { Set(find.state.found.map(\.name)) }
        try await ana.until { names() == ["Night shelter", "Elm House"] }
        find.openNow(true)
        try await ana.until { names() == ["Elm House"] }
        find.openNow(false)
        try await ana.until { names().count == 2 }
        find.without(.policeContact)
        try await ana.until { names() == ["Elm House"] }
        find.without(.policeContact)
        find.category(.housing)
        try await ana.until { names() == ["Night shelter"] }
        find.type("nothing of the kind")
        try await ana.until { names().isEmpty }
    }

    func testAShortPassphraseAndTwoThatDifferAreRefusedBeforeAnythingIsWritten() async throws {
        let ana = try phone("ana")
        try await ana.at(WelcomeModel.self).create()
        let create = try await ana.at(CreateModel.self)
        for (first, again, code) in [("short", "short", "passphrase_short"), ("correct horse battery", "something else", "passphrases_differ")] {
            create.create(Data(first.utf8), again: Data(again.utf8))
            try await ana.until { create.fault?.code == code && !create.isBusy }
        }
        XCTAssertEqual(ana.repository.notebooks(), [])
    }
}
