import Foundation

/// Hands events on to a stream.
private final class StreamNearbyObserver: NearbyObserver {
    private let continuation: AsyncThrowingStream<NearbyEvent, Error>.Continuation

    init(_ continuation: AsyncThrowingStream<NearbyEvent, Error>.Continuation) { self.continuation = continuation }

    func happened(event: NearbyEvent) throws { continuation.yield(event) }
}

extension Unlocked {
    /// Finds colleagues' phones on the local network and meets them, several at once, for as long as the task reads on.
    ///
    /// On iOS this needs the multicast entitlement; without it use `NWListener` and `NWBrowser` with `appearance()` and
    /// `recognise(shown:)`. Sessions under way end first. Throws `FfiError.Sync` where nobody can be looked for, `.Locked`.
    public func meetNearby(listen: String = "0.0.0.0:0") throws -> AsyncThrowingStream<NearbyEvent, Error> {
        let lookout = try self.lookout(listen: listen)
        let (stream, continuation) = AsyncThrowingStream<NearbyEvent, Error>.makeStream()
        let observer = StreamNearbyObserver(continuation)
        // a thread of its own: it blocks for as long as there may be colleagues
        Thread.detachNewThread {
            do {
                try lookout.meet(observer: observer)
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        continuation.onTermination = { _ in lookout.stop() }
        return stream
    }
}
