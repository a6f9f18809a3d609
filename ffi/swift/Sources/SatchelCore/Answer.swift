import Dispatch
import Foundation

/// Runs blocking calls of this library off the caller's thread.
///
/// A call that has begun runs to its end: each is one transaction. Cancelling the task takes effect after it. Any thread
/// may call; calls on one store wait for each other. Throws what the call throws.
public func offThread<T: Sendable>(_ call: @escaping @Sendable () throws -> T) async throws -> T {
    // not a task of the shared pool: a call may block for as long as a key derivation or a request takes
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global(qos: .userInitiated).async {
            continuation.resume(with: Result(catching: call))
        }
    }
}

/// As ``offThread(_:)``, with the one error that all calls share as a value: a `switch` over it is complete.
///
/// Whatever else a closure throws is a fault of the app, and comes as `FfiError.Internal` with the code `foreign_error`.
public func answer<T: Sendable>(_ call: @escaping @Sendable () throws -> T) async -> Result<T, FfiError> {
    do {
        return .success(try await offThread(call))
    } catch let error as FfiError {
        return .failure(error)
    } catch {
        return .failure(.Internal(code: "foreign_error", remedy: "report"))
    }
}

extension Data {
    /// Overwrites secret bytes (a paper's words, a code, a passphrase) after use. Copies made before are not reached.
    public mutating func wipe() { resetBytes(in: startIndex..<endIndex) }
}
