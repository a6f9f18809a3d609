import Foundation

extension Unlocked {
    /// Removes a device, a lost phone say, in two steps: `confirm` shows a person what it means and answers whether to go on.
    ///
    /// Returns the operation, or nil when the person said no; then nothing has happened. Throws `FfiError.NotFound` for a
    /// device that is unknown or removed, `.Refused` for this device or without the right.
    public func removeDevice(
        _ device: DeviceId, confirm: @Sendable (RemovalDetails) async -> Bool
    ) async throws -> OperationId? {
        let plan = try await offThread { try self.prepareRemoval(device: device) }
        guard await confirm(try plan.details()) else { return nil }
        return try await offThread { try plan.confirm() }
    }
}

extension Store {
    /// Locks the store by itself once no handle was used for `seconds`, and returns when it is locked.
    ///
    /// For a task that lives as long as the app. Cancelling it leaves the limit: every call still looks at it first.
    /// Call `lock` when the app goes to the background: a clock that stands still is not noticed here.
    public func lockWhenIdle(seconds: UInt64, lookingEvery interval: TimeInterval = 1) async throws {
        try lockAfter(seconds: seconds)
        while try await offThread({ try !self.lockIfIdle() }) {
            try await Task.sleep(nanoseconds: UInt64(interval * 1_000_000_000))
        }
    }
}

/// A platform that keeps no day outside the store need not say so.
extension KeyProtector {
    public func noteDay(store: Data, day: UInt32) throws { throw KeyProtectorError.Unsupported }
    public func highestDay(store: Data) throws -> UInt32? { throw KeyProtectorError.Unsupported }
}
