import Foundation

/// Where the platform keeps one key per store, and the highest day each store was sure of. The key never leaves it.
///
/// The library calls it on its own thread. Whatever it throws becomes a refusal: the reason is dropped.
public protocol Keystore: Sendable {
    /// Makes a key under a fresh alias of 1 to 32 bytes, durable when it returns.
    func create() throws -> Data
    func wrap(_ plain: Data, alias: Data) throws -> Data
    /// None: there is no such key.
    func unwrap(_ wrapped: Data, alias: Data) throws -> Data?
    func destroy(alias: Data) throws
    /// Days since 1970-01-01, where a restored folder cannot take them back; `store` is 16 bytes.
    func note(day: UInt32, of store: Data) throws
    func highestDay(of store: Data) throws -> UInt32?
}

/// What the library knows of it.
final class Protector: KeyProtector {
    private let keystore: Keystore

    init(_ keystore: Keystore) { self.keystore = keystore }

    private func asked<T>(_ call: () throws -> T) throws -> T {
        do { return try call() } catch { throw KeyProtectorError.Refused }
    }

    func create() throws -> Data { try asked(keystore.create) }
    func wrap(alias: Data, plain: Data) throws -> Data { try asked { try keystore.wrap(plain, alias: alias) } }
    func unwrap(alias: Data, wrapped: Data) throws -> Data {
        guard let plain = try asked({ try keystore.unwrap(wrapped, alias: alias) }) else { throw KeyProtectorError.Missing }
        return plain
    }
    func destroy(alias: Data) throws { try asked { try keystore.destroy(alias: alias) } }
    // the Secure Enclave gives no key away, but counts no attempts for an app: a PIN alone must not open a store
    func isHardwareBound() throws -> Bool { false }
    func noteDay(store: Data, day: UInt32) throws { try asked { try keystore.note(day: day, of: store) } }
    func highestDay(store: Data) throws -> UInt32? { try asked { try keystore.highestDay(of: store) } }
}
