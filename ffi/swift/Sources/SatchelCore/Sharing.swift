import Foundation

extension Unlocked {
    /// Seals facts for the one recipient of a yes to share: `confirm` shows what would leave and answers whether it may. No
    /// `fields`: all that the yes covers.
    ///
    /// Returns the packet, or nil when the answer was no; then nothing is written, also not into the sharing log. Each refusal
    /// has its own remedy: `FfiError.NoConsent` (ask the participant; `status` says how an earlier yes stands), `.Sync` (meet a
    /// colleague first: a withdrawal may be on its way), `.Refused` (pair in person; or ask a steward, where the charter denies
    /// it), `.InvalidInput` (the fact in `field` says more than was granted).
    public func share(
        _ participant: RecordId, under grant: RecordId, _ fields: [FactField] = [], confirm: @Sendable (SharePlan) async -> Bool
    ) async throws -> SharedPacket? {
        let plan = try await offThread { try self.sharePlan(participant: participant, grant: grant, fields: fields) }
        guard await confirm(plan) else { return nil }
        return try await offThread { try self.share(participant: participant, grant: grant, fields: plan.fields) }
    }

    /// The copies outside that somebody has to be asked back for: their yes does not count any more.
    public func sharesToAskBack() async throws -> [ShareLine] {
        try await offThread { try self.shares() }.filter { line in
            switch line.state {
            case .toAsk, .asked: true
            case .standing, .answered, .over: false
            }
        }
    }
}
