import Foundation

/// Carries whole messages between two phones while one joins.
public protocol Carrier: Sendable {
    func send(_ message: Data) async throws
    /// Waits for the next message. Throws where the connection ends, or holds no message.
    func receive() async throws -> Data
    func close()
}

/// Messages on a connection: four bytes of length, then so many bytes. As the Android demo writes them.
public struct Frames: Sendable {
    public static let messageBytes = 4 * 1024 * 1024
    public struct TooLong: Error {}

    private var come = Data()

    public init() {}

    public static func frame(_ message: Data) throws -> Data {
        guard message.count <= messageBytes else { throw TooLong() }
        let length = UInt32(message.count)
        return Data([UInt8(length >> 24), UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255)]) + message
    }

    /// Takes what came; gives the first whole message there is, once.
    public mutating func take(_ bytes: Data = Data()) throws -> Data? {
        come += bytes
        guard come.count >= 4 else { return nil }
        let length = come.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        // whoever is on this network may have connected
        guard length <= Self.messageBytes else { throw TooLong() }
        guard come.count >= 4 + length else { return nil }
        let message = Data(come.dropFirst(4).prefix(length))
        come = Data(come.dropFirst(4 + length))
        return message
    }
}
