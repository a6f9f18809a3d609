import Foundation

extension Unlocked {
    /// Asks a participant: `ask` shows or reads out exactly the words that the yes will name, and answers what they said.
    ///
    /// Returns the grant, or nil when they said no; then nothing is stored, not even that they were asked. `until` is the
    /// last day as it is to be read. Throws `FfiError.NoConsent` without a file, `.InvalidInput` for what cannot be
    /// asked, `.Refused` for what the charter denies.
    public func askFor(
        _ participant: RecordId, _ request: GrantRequest, until: String? = nil,
        ask: @Sendable (ConsentWords) async -> Bool
    ) async throws -> RecordId? {
        let words = try await offThread { try self.grantWords(participant: participant, request: request, until: until) }
        guard await ask(words) else { return nil }
        return try await offThread { try self.giveGrant(participant: participant, request: request) }
    }

    /// Opens the vault of a grant for `use`, off the caller's thread.
    ///
    /// Throws `FfiError.NoConsent` when the grant does not count, or no longer: its `status` says how it stands.
    public func withVault<T: Sendable>(
        _ participant: RecordId, _ grant: RecordId, use: @escaping @Sendable (Vault) throws -> T
    ) async throws -> T {
        try await offThread { try use(self.vault(participant: participant, grant: grant)) }
    }

    /// Seals a complaint to the board and gives its author's code to `show`, once; it is overwritten after that.
    ///
    /// Offer this only where `boardStatus().isOffered`. Throws `FfiError.Refused` without a board, `.InvalidInput` for a
    /// text that is empty or too long.
    public func complainAndShowCode(_ draft: ComplaintDraft, show: @Sendable (Data) async -> Void) async throws {
        let code = try await offThread { try self.complain(draft: draft) }
        var text = code.text()
        await show(text)
        text.wipe()
    }
}

extension TakenBack {
    /// Everything at once: the file, every vault, every share.
    public static func everything(how: HowGiven) -> TakenBack {
        TakenBack(act: nil, category: nil, recipient: nil, how: how)
    }
}

/// Where something stands in a text, for attributed strings.
private func place(_ start: UInt32, _ end: UInt32, in text: String) -> Range<String.Index> {
    String.Index(utf16Offset: Int(start), in: text)..<String.Index(utf16Offset: Int(end), in: text)
}

extension Finding {
    /// Where it stands in the text that was screened.
    public func range(in text: String) -> Range<String.Index> { place(startUtf16, endUtf16, in: text) }
}

extension Suggestion {
    /// Where it stands in the text.
    public func range(in text: String) -> Range<String.Index> { place(startUtf16, endUtf16, in: text) }
}

/// What is to be marked in a field while somebody types: `findings` stop a save, `suggestions` stop nothing.
public struct GuardNotice: Equatable, Sendable {
    public let findings: [Finding]
    public let suggestions: [Suggestion]
}

/// What the guard says to a text, off the caller's thread; `alias` is the name of the participant that it is about.
public func guardNotice(_ text: String, alias: String? = nil) async throws -> GuardNotice {
    try await offThread { GuardNotice(findings: try screen(text: text, alias: alias), suggestions: try suggest(text: text)) }
}
