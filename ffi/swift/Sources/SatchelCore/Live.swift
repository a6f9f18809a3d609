import Foundation

/// Hands states on to a stream.
private final class StreamLiveObserver: LiveObserver {
    private let continuation: AsyncThrowingStream<LiveState, Error>.Continuation

    init(_ continuation: AsyncThrowingStream<LiveState, Error>.Continuation) { self.continuation = continuation }

    func stands(state: LiveState) throws { continuation.yield(state) }
}

extension LiveSync {
    /// Stays in touch with the team's relay for as long as the task reads on, once, and says how it stands. Of states that a
    /// slow reader has not seen, it gets the newest: each says everything.
    ///
    /// Ending the task ends it at once, in the middle of whatever it waits for; so does locking the store, with
    /// `FfiError.Locked`. A relay that is away is `.unreachable` and no failure. `hurry`, `hold` and `stop` may be called meanwhile.
    public func states() -> AsyncThrowingStream<LiveState, Error> {
        let (stream, continuation) = AsyncThrowingStream<LiveState, Error>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let observer = StreamLiveObserver(continuation)
        // a thread of its own: it blocks for as long as there may be news
        Thread.detachNewThread {
            do {
                try self.run(observer: observer)
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        continuation.onTermination = { _ in self.stop() }
        return stream
    }
}

extension Unlocked {
    /// ``LiveSync/states()`` of a new `LiveSync` by `route`. Keep a `LiveSync` of your own for a button that hurries it, or for
    /// `hold`. Throws `FfiError.InvalidInput` where no relay is set or `route` cannot be read, `.Locked`.
    public func stayInTouch(by route: RelayRoute = RelayRoute()) throws -> AsyncThrowingStream<LiveState, Error> {
        try liveSync(route: route).states()
    }
}
