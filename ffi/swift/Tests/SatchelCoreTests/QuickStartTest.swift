import Foundation
import XCTest

import SatchelCore

/// The quick start of `docs/guide/embedding.md`, word for word between the two marks.
final class QuickStartTest: Phones {
    private var printed: [String] = []
    private var shown: [RecordId] = []
    private var explained: [String] = []
    private func print(_ words: Data) { printed.append(String(decoding: words, as: UTF8.self)) }
    private func show(_ encounters: [RecordId]) { shown += encounters }
    private func explain(_ error: FfiError) {
        if case .InvalidInput(let code, _, _, _) = error { explained.append(code) }
    }

    private func start(_ dir: String, note: String) async throws -> Unlocked {
        let cost = KeyCost.least
        let keystore = MemoryProtector()
        let passphrase = passphrase
        // quick start: begin
        let founded = try await offThread {
            try foundTeam(dir: dir, passphrase: passphrase, timeZone: "America/Los_Angeles", memberName: "Ana", cost: cost, protector: keystore)
        }
        var words = founded.reseatPaper().words()
        print(words)
        words.wipe()
        let store = founded.unlocked()
        let blue = try store.createParticipant(draft: ParticipantDraft(how: .spoken, wordsLanguage: "en", alias: "Blue"))
        let saved = await answer { try store.saveEncounter(draft: EncounterDraft(kind: .street, participant: blue, note: note)) }
        switch saved {
        case .success: show(try store.encounters().map(\.id))
        case .failure(let error): explain(error)
        }
        try store.lock()
        // quick start: end
        return store
    }

    func testTheQuickStartRuns() async throws {
        let store = try await start(dir("ana"), note: "gave 2 kits")
        XCTAssertEqual(printed.first?.split(separator: " ").count, 35)
        XCTAssertEqual(shown.count, 1)
        XCTAssertFalse(try store.store().isUnlocked())
        _ = try await start(dir("ben"), note: "reach him at 415-555-0123")
        XCTAssertEqual(explained, ["text_unresolved"])
        XCTAssertEqual(shown.count, 1, "nothing was saved")
    }
}
