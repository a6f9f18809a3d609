import Foundation

/// What a settings screen says about networks that cost: the choice, whether it keeps the phone waiting, and what went.
public struct NetworkUse: Sendable, Equatable {
    /// Over which networks the relay is reached by itself.
    public let choice: NetworkChoice
    /// Nothing is sent for now, because this network may cost.
    public let isSpared: Bool
    /// Bytes by day, newest first, at most a month.
    public let days: [TrafficDay]

    /// Bytes sent and received in those days.
    public var bytes: UInt64 { days.reduce(0) { $0 + $1.sent + $1.received } }
}

/// What a locked phone's fetching came to: why it ended, and what waits, sealed, for the unlocking.
public struct Fetched: Sendable, Equatable {
    public let end: InboxEnd?
    public let waiting: InboxWaiting
}

extension Unlocked {
    /// How the relay is reached and what that has used, off the caller's thread. Throws `FfiError.Locked`.
    public func networkUse() async throws -> NetworkUse {
        try await offThread {
            NetworkUse(choice: try self.networkChoice(), isSpared: try self.isSpared(), days: try self.relayTraffic())
        }
    }
}

extension Store {
    /// Fetches sealed rows while the store is locked, by `route`, off the caller's thread; nil where nobody switched the inbox
    /// on, or no relay is set. No passphrase is asked for, and nothing that comes can be read before the unlocking. For a
    /// `BGAppRefreshTask`; `noteNetwork` first.
    ///
    /// Cancelling ends it at once, with `CancellationError`; what came is kept. Throws `FfiError.Sync` (try later;
    /// `network_metered` where the phone waits for a network that costs nothing), `.Storage` for a keystore that does not unwrap.
    public func fetchLocked(protector: KeyProtector, by route: RelayRoute? = nil) async throws -> Fetched? {
        guard let inbox = try await offThread({ try self.lockedInbox(protector: protector, route: route) }) else { return nil }
        return try await withTaskCancellationHandler {
            do {
                while try await offThread({ try inbox.carryNext() }) { try Task.checkCancellation() }
            } catch let error as FfiError {
                try Task.checkCancellation()
                throw error
            }
            return Fetched(end: try inbox.end(), waiting: try inbox.waiting())
        } onCancel: {
            inbox.cancel()
        }
    }
}
