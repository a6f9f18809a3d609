import Foundation

/// Bytes of one portion of a session, and of one read of a file.
private let portionBytes = 64 * 1024

extension Unlocked {
    /// One whole exchange with the team's relay by `route`, off the caller's thread. `progress` is told after each request.
    /// `byHand`: over any network, because somebody pressed a button; otherwise a phone that waits for a network that costs
    /// nothing throws `FfiError.Sync` with `network_metered`, and nothing was sent.
    ///
    /// Cancelling ends it at once, also in the middle of a request, with `CancellationError`; what was accepted is kept, and the
    /// next exchange goes on from there. Throws `FfiError.Sync` (try later), `.InvalidInput` where no relay is set, `.Locked`,
    /// `.Storage`.
    public func exchangeWithRelay(
        by route: RelayRoute? = nil, byHand: Bool = false, progress: @Sendable (RelayReport) -> Void = { _ in }
    ) async throws -> RelayReport {
        let exchange = try relayExchange(route: route, byHand: byHand)
        return try await withTaskCancellationHandler {
            do {
                while try await offThread({ try exchange.carryNext() }) {
                    progress(try exchange.report())
                    try Task.checkCancellation()
                }
            } catch let error as FfiError {
                try Task.checkCancellation()
                throw error
            }
            return try exchange.report()
        } onCancel: {
            exchange.cancel()
        }
    }

    /// Writes everything this phone holds for the team into a new file, sealed.
    ///
    /// Throws `FfiError.Sync` with `pack_overtaken` when the keys changed meanwhile (begin again), and the file system's.
    public func writePack(to file: URL) async throws {
        try await offThread {
            guard FileManager.default.createFile(atPath: file.path, contents: nil) else { throw CocoaError(.fileWriteUnknown) }
            let handle = try FileHandle(forWritingTo: file)
            defer { try? handle.close() }
            let pack = try self.writePack()
            while let bytes = try pack.nextBytes() { try handle.write(contentsOf: bytes) }
        }
    }

    /// Reads a pack. What each portion brought is on disk; reading it twice changes nothing.
    ///
    /// Throws `FfiError.Sync`: `pack_older` (ask for a new one), `pack_unknown` (meet a colleague's phone first),
    /// `pack_damaged`; what came before is kept.
    public func readPack(from file: URL) async throws -> PackReport {
        try await offThread {
            let handle = try FileHandle(forReadingFrom: file)
            defer { try? handle.close() }
            let pack = self.readPack()
            while let bytes = try handle.read(upToCount: portionBytes), !bytes.isEmpty { try pack.receive(bytes: bytes) }
            return try pack.finish()
        }
    }
}

extension PeerSession {
    /// Runs this side of a session over a connection to the colleague's phone, and returns when both sides have said all
    /// they had. `receive` gives what came, nil once the connection is gone.
    ///
    /// To cancel, close the connection. What was accepted is kept. Throws `FfiError`, and what the connection throws.
    public func run(
        send: @Sendable (Data) async throws -> Void, receive: @Sendable () async throws -> Data?
    ) async throws -> SessionReport {
        while true {
            while let bytes = try transmit(maxBytes: UInt32(portionBytes)) { try await send(bytes) }
            if try isFinished() { break }
            guard let bytes = try await receive() else {
                try abandon()
                break
            }
            do {
                try await offThread { try self.receive(bytes: bytes) }
            } catch {
                // the other side is told why, where it can still be told anything
                while let bytes = try? transmit(maxBytes: UInt32(portionBytes)) { try await send(bytes) }
                throw error
            }
        }
        return try report()
    }
}
