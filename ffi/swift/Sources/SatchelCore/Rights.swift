import Foundation

/// How what is held on somebody is given to them.
public enum PageForm: Sendable, CaseIterable { case text, html }

extension Unlocked {
    /// Everything that this phone holds on a participant, for them. Where their file has a recognition word, `askWord` asks for
    /// it first; nil says that they do not know it, and then nothing is opened and nil comes back.
    ///
    /// Who forgot their word and is known to the worker is given another one first, with `editParticipant`. Throws
    /// `FfiError.InvalidInput` with `recognition_word` for a word that is not theirs, `.NotFound`.
    public func holdOnMe(_ participant: RecordId, askWord: @Sendable () async -> String?) async throws -> HeldPage? {
        var said: String?
        if try await offThread({ try self.participant(participant: participant).recognitionWord != nil }) {
            said = await askWord()
            if said == nil { return nil }
        }
        let word = said
        return try await offThread { try self.holdOnMe(participant: participant, word: word) }
    }

    /// Writes a receipt for a yes that counts today, as JSON, to where the participant said. Only for one who asks for it:
    /// found in a pocket, it says that somebody said yes to something. `agency` and `policy` are as `grantReceipt` says.
    ///
    /// Throws `FfiError.NoConsent` for a yes that is over, `.NotFound`, `.InvalidInput`, and what the file system throws.
    public func writeReceipt(
        to file: URL, _ participant: RecordId, _ grant: RecordId, agency: String, policy: String, form: ReceiptForm = .kantara
    ) async throws {
        try await offThread {
            let receipt = try self.grantReceipt(participant: participant, grant: grant, agency: agency, policy: policy, form: form)
            try Data(receipt.utf8).write(to: file, options: given)
        }
    }
}

/// A copy in the clear: nobody's file is overwritten, and on a device it can be read while that is unlocked only.
#if os(Linux)
private let given: Data.WritingOptions = [.withoutOverwriting]
#else
private let given: Data.WritingOptions = [.withoutOverwriting, .completeFileProtection]
#endif

extension HeldPage {
    /// Writes the page to where the participant said, and nowhere else; a file that is there stays. Leave no copy on this phone.
    ///
    /// `language` is theirs where none is named. Throws what the file system throws.
    public func write(to file: URL, as form: PageForm, in language: Language? = nil) async throws {
        try await offThread {
            let language = language ?? self.language()
            let page = form == .html ? self.html(language: language) : self.text(language: language)
            try Data(page.utf8).write(to: file, options: given)
        }
    }
}
