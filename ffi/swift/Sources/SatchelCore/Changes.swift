/// Hands changes on to a stream.
private final class StreamObserver: ChangeObserver {
    private let continuation: AsyncStream<[Change]>.Continuation

    init(_ continuation: AsyncStream<[Change]>.Continuation) { self.continuation = continuation }

    func changed(changes: [Change]) throws { continuation.yield(changes) }
}

extension Unlocked {
    /// Changes from this call on, each list after it is on disk. Ends with the task that reads it.
    ///
    /// Locking the store ends the changes, not the sequence: ask again after unlocking.
    public func changes() throws -> AsyncStream<[Change]> {
        let (stream, continuation) = AsyncStream<[Change]>.makeStream()
        let subscription = try observe(observer: StreamObserver(continuation))
        continuation.onTermination = { _ in subscription.cancel() }
        return stream
    }
}
