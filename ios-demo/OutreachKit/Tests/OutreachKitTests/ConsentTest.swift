import Foundation
import XCTest

@testable import OutreachKit

/// The guard, asking for a yes with exact words, taking it back, and what is held on somebody.
@MainActor final class ConsentTest: PhoneTest, @unchecked Sendable {
    private let number = "415-555-0123"

    func testAFindingIsRemovedPutNeutrallyOrKeptUnderAYesWithTheExactWords() async throws {
        let ana = try await ana()
        let id = try await newPerson(ana, "Blue").state.file?.id
        ana.app.go(.newEncounter(participant: id))
        let encounter = try await ana.at(EncounterModel.self)
        try await ana.until { !encounter.state.people.isEmpty }
        encounter.note.typed("call \(number) tonight")
        let finding = try await ana.until { encounter.note.notice.findings.first }
        XCTAssertEqual(encounter.note.words(finding), number)
        encounter.save()
        try await ana.until { encounter.fault?.kind == .input && !encounter.isBusy }
        let none = await ana.repository.encounters()
        XCTAssertEqual(none.value, [])
        encounter.note.replace(finding, "a way to be reached")
        XCTAssertEqual(encounter.note.text, "call a way to be reached tonight")
        try await ana.until { encounter.note.notice.findings.isEmpty }

        encounter.note.typed("call \(number) tonight")
        encounter.recordUnderGrant(try await ana.until { encounter.note.notice.findings.first })
        XCTAssertEqual(encounter.note.text, "call tonight")
        let ask = try await ana.at(AskModel.self)
        XCTAssertEqual(ask.state.category, .contactDetail)
        XCTAssertEqual(ask.state.value, number)
        ask.words(in: .spanish)
        let spanish = try await ana.until { ask.isBusy ? nil : ask.state.words }
        XCTAssertEqual(spanish.language, .spanish)
        ask.readAloud()
        XCTAssertEqual(ana.platform.said, "es:\(spanish.text)")
        ask.words(in: .english)
        let english = try await ana.until { ask.isBusy || ask.state.words?.language == .spanish ? nil : ask.state.words }
        XCTAssertNotEqual(english.text, spanish.text)
        ask.yes()
        _ = try await ana.at(EncounterModel.self)
        ana.app.go(.hold(try XCTUnwrap(id)))
        let hold = try await ana.at(HoldModel.self)
        let page = try await ana.until { hold.state.holding }
        XCTAssertTrue(page.text.contains(number) && page.text.contains("Blue"))
        XCTAssertTrue(page.sections.flatMap(\.ownWords).contains { $0.contains(number) } || page.text.contains(number))
    }

    func testSuggestionsAreKinderWordsAndBlockNothing() async throws {
        let ana = try await ana()
        ana.app.go(.newEncounter(participant: nil))
        let encounter = try await ana.at(EncounterModel.self)
        encounter.note.typed("an addict came by")
        let suggestion = try await ana.until { encounter.note.notice.suggestions.first }
        XCTAssertEqual(encounter.note.notice.findings, [])
        encounter.note.take(suggestion)
        XCTAssertTrue(encounter.note.text.contains(suggestion.instead))
        encounter.note.typed("an addict came by")
        encounter.save()
        try await ana.until { encounter.state.saved != nil }
    }

    func testANoToTheWordsLeavesNothing() async throws {
        let ana = try await ana()
        let blue = try await newPerson(ana, "Blue")
        // the yes to the file itself
        let before = try await ana.repository.grants(of: try XCTUnwrap(blue.state.file?.id)).get()
        XCTAssertEqual(before.map(\.live), [[]])
        blue.ask()
        let ask = try await ana.at(AskModel.self)
        ask.value("Maria Gonzalez")
        ask.words()
        try await ana.until { ask.state.words != nil && !ask.isBusy }
        ask.no()
        let person = try await ana.at(PersonModel.self)
        let id = try await ana.until { person.state.file?.id }
        let (grants, facts) = (await ana.repository.grants(of: id), await ana.repository.facts(of: id))
        XCTAssertEqual(grants.value, before)
        XCTAssertEqual(facts.value, [])
    }

    /// Keeps a name under a yes, and one to pass it on.
    private func twice(_ ana: Phone, _ person: PersonModel) async throws -> PersonModel {
        person.ask()
        let keep = try await ana.at(AskModel.self)
        keep.value("Maria Gonzalez")
        keep.yes()
        try await ana.at(PersonModel.self).ask()
        let share = try await ana.at(AskModel.self)
        share.act(.share)
        share.recipientName.typed("Elm House")
        share.addRecipient(.service)
        try await ana.until { share.state.recipients.count == 1 && share.state.recipient != nil && !share.isBusy }
        share.purpose(.housingApplication)
        share.days(7)
        share.yes()
        let again = try await ana.at(PersonModel.self)
        try await ana.until { again.state.grants.count == 2 }
        return again
    }

    func testOneYesIsTakenBackWithWhatWasWrittenUnderItAndTheOtherStays() async throws {
        let ana = try await ana()
        let blue = try await newPerson(ana, "Blue")
        let id = try XCTUnwrap(blue.state.file?.id)
        let person = try await twice(ana, blue)
        let before = await ana.repository.facts(of: id)
        XCTAssertEqual(before.value?.map(\.value), ["Maria Gonzalez"])
        person.withdraw(try XCTUnwrap(person.state.grants.first { $0.grant?.act == .record }))
        try await ana.until { person.state.grants.count == 1 && !person.isBusy }
        XCTAssertEqual(person.state.grants.first?.grant?.act, .share)
        let after = await ana.repository.facts(of: id)
        XCTAssertEqual(after.value?.count, 0)
    }

    func testGoalsInTheirOrderASelfReferralAndEverythingTakenBack() async throws {
        let ana = try await ana()
        let person = try await newPerson(ana, "Blue")
        try await ana.until { !person.state.resources.isEmpty }
        person.chooseReferral(true)
        person.refer(to: person.state.resources[0])
        let referral = try await ana.until { person.isBusy ? nil : person.state.referrals.first }
        person.referral(referral, .changedMind)
        try await ana.until { person.state.referrals.first?.status == .changedMind && !person.isBusy }
        person.edit()
        let edit = try await ana.at(EditModel.self)
        try await ana.until { edit.state.isRead }
        edit.goal.typed("a dry place")
        edit.add()
        edit.goal.typed("see a doctor")
        edit.add()
        edit.up(1)
        edit.save()
        let again = try await ana.at(PersonModel.self)
        try await ana.until { again.state.file?.goals == ["see a doctor", "a dry place"] }
        again.close(true)
        try await ana.until { again.state.file?.closed == true && !again.isBusy }
        again.withdraw(true)
        again.withdrawAll()
        _ = try await ana.at(TodayModel.self)
        let left = await ana.repository.participants()
        XCTAssertEqual(left.value, [])
    }

    func testWhatIsHeldIsShownToWhoSaysTheirWordOnly() async throws {
        let ana = try await ana()
        let blue = try await newPerson(ana, "Blue", word: "Río Verde")
        blue.hold()
        let hold = try await ana.at(HoldModel.self)
        try await ana.until { hold.state.isWordNeeded }
        hold.word = "heron"
        hold.said()
        try await ana.until { hold.fault != nil && !hold.isBusy }
        XCTAssertNil(hold.state.holding)
        hold.word = " rio  VERDE"
        hold.said()
        let page = try await ana.until { hold.isBusy ? nil : hold.state.holding }
        XCTAssertTrue(page.text.contains("Blue"))
        XCTAssertFalse(page.text.lowercased().contains("verde"), "the word is never shown")
        hold.show(in: .spanish)
        let spanish = try await ana.until { hold.isBusy || hold.state.language == .english ? nil : hold.state.holding }
        XCTAssertNotEqual(spanish.title, page.title)
        hold.readAloud()
        XCTAssertEqual(ana.platform.said, "es:\(spanish.text)")
    }

    func testOnlyChosenNamesAreLookedThrough() async throws {
        let ana = try await ana()
        _ = try await newPerson(ana, "Blue")
        _ = try await newPerson(ana, "Teal")
        ana.app.go(.people)
        let people = try await ana.at(PeopleModel.self)
        try await ana.until { people.state.people.count == 2 }
        people.filter("bL")
        try await ana.until { people.state.people.map(\.participant.alias) == ["Blue"] }
        XCTAssertEqual(people.state.people.first?.daysAgo, 0)
    }
}
