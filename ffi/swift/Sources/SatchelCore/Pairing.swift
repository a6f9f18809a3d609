import Foundation

extension Unlocked {
    /// Pairs with a recipient who stands there: `compare` shows the six words of `offer`, the text that their phone shows, and
    /// answers whether theirs are the same, read aloud.
    ///
    /// Returns the recipient, or nil where the words differ; then nothing is stored. Wipe `offer` after it. Throws
    /// `FfiError.InvalidInput` for a name or an offer that cannot be used: have a new one shown.
    public func pair(
        with name: String, _ kind: ShareClass, offer: Data, compare: @Sendable ([String]) async -> Bool
    ) async throws -> RecordId? {
        let read = try await offThread { try PairingOffer.read(text: offer) }
        return try await pair(with: name, kind, read, compare)
    }

    /// As ``pair(with:_:offer:compare:)`` where no camera can be used: `code` are the three words that the recipient read out,
    /// as typed here. `exchange` brings one message to their phone and their reply back, over whatever connects the two.
    ///
    /// Wipe `code` after it. Throws `FfiError.InvalidInput` with the remedy `pair_in_person`: `share_code` for words that cannot
    /// be (no try is spent), for wrong ones, or a phone in between; `share_code_expired`. Then new words are shown there.
    public func pair(
        with name: String, _ kind: ShareClass, code: Data, exchange: @Sendable (Data) async throws -> Data,
        compare: @Sendable ([String]) async -> Bool
    ) async throws -> RecordId? {
        let taker = try await offThread { try takeOfferByCode(code: code) }
        let read = try taker.replied(reply: try await exchange(taker.hello()))
        return try await pair(with: name, kind, read, compare)
    }

    private func pair(
        with name: String, _ kind: ShareClass, _ offer: PairingOffer, _ compare: @Sendable ([String]) async -> Bool
    ) async throws -> RecordId? {
        guard await compare(offer.words()) else { return nil }
        return try await offThread { try self.pairRecipient(name: name, class: kind, offer: offer) }
    }

    /// On the recipient's phone: shows an offer to a sender without a camera. `show` reads out three words, good for one try and
    /// ten minutes (wipe them after it), and `exchange` waits for the sender's message, hands it to its argument and brings the
    /// answer back.
    ///
    /// Returns the offer, whose six words both people compare; where theirs differ, or their phone shows none, `forgetPairing`.
    /// Whatever ends it before that forgets the pairing, and the sender's name is free again. Throws `FfiError.InvalidInput`
    /// with the remedy `pair_in_person`: `share_code_expired`, `share_code`; the sender has been told.
    public func showOfferByCode(
        to name: String, show: @Sendable (Data) async -> Void,
        exchange: @Sendable (_ answer: @escaping @Sendable (Data) -> Data) async throws -> Void
    ) async throws -> ShownOffer {
        let shown = try await offThread { try self.showOffer(name: name) }
        do {
            let typed = try shown.byCode()
            await show(typed.code())
            let failed = Failed()
            try await exchange { hello in
                do {
                    return try typed.answerHello(hello: hello)
                } catch {
                    return failed.note(error)
                }
            }
            if let error = failed.error { throw error }
            return shown
        } catch {
            _ = try? await offThread { try self.forgetPairing(id: shown.id()) }
            throw error
        }
    }
}

/// Why an answer was a refusal: it is thrown once the refusal is on its way.
private final class Failed: @unchecked Sendable {
    private let lock = NSLock()
    private var noted: Error?

    var error: Error? { lock.withLock { noted } }

    /// What is sent instead.
    func note(_ error: Error) -> Data {
        lock.withLock { noted = error }
        guard case FfiError.InvalidInput(let code, _, _, _) = error else { return refusalOfHello(code: "") }
        return refusalOfHello(code: code)
    }
}
