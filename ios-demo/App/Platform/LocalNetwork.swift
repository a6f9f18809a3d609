import Foundation
import Network
import OutreachKit

/// Resumes once, whoever comes first.
final class Once<Value: Sendable>: @unchecked Sendable {
    private let gate = NSLock()
    private var waiting: CheckedContinuation<Value, Never>?

    init(_ waiting: CheckedContinuation<Value, Never>) { self.waiting = waiting }

    /// False: somebody was earlier.
    @discardableResult func give(_ value: Value) -> Bool {
        let waiting = gate.withLock { () -> CheckedContinuation<Value, Never>? in
            defer { self.waiting = nil }
            return self.waiting
        }
        waiting?.resume(returning: value)
        return waiting != nil
    }
}

/// Two phones on one Wi-Fi, one dialling the other.
enum LocalNetwork {
    private static let patienceSeconds = 600.0
    private static let dialSeconds = 10.0
    private static let queue = DispatchQueue(label: "network")

    /// Waits for one phone that calls. None: no network, nobody within ten minutes, or nobody waits any more.
    static func accept(_ listening: @escaping @MainActor (String) -> Void) async -> Carrier? {
        guard let host = ownAddress(), let listener = try? NWListener(using: .tcp) else { return nil }
        defer { listener.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { (waiting: CheckedContinuation<Carrier?, Never>) in
                let once = Once(waiting)
                listener.newConnectionHandler = { connection in
                    let wire = Wire(connection)
                    if !once.give(wire) { wire.close() }
                }
                listener.stateUpdateHandler = { state in
                    switch state {
                    case .ready:
                        guard let port = listener.port else { return }
                        Task { @MainActor in listening("\(host):\(port.rawValue)") }
                    case .failed, .cancelled: once.give(nil)
                    default: break
                    }
                }
                queue.asyncAfter(deadline: .now() + patienceSeconds) { once.give(nil) }
                listener.start(queue: queue)
            }
        } onCancel: {
            listener.cancel()
        }
    }

    /// None: nobody is there.
    static func dial(_ address: String) async -> Carrier? {
        let parts = address.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1]).flatMap(NWEndpoint.Port.init(rawValue:)) else { return nil }
        let wire = Wire(NWConnection(host: NWEndpoint.Host(String(parts[0])), port: port, using: .tcp))
        return await wire.isReady(within: dialSeconds) ? wire : nil
    }

    /// This phone's own address on a Wi-Fi; none without one.
    private static func ownAddress() -> String? {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return nil }
        defer { freeifaddrs(first) }
        var next = first
        while let here = next {
            next = here.pointee.ifa_next
            guard let address = here.pointee.ifa_addr, address.pointee.sa_family == sa_family_t(AF_INET),
                String(cString: here.pointee.ifa_name) == "en0"
            else { continue }
            let bytes = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_addr.s_addr }
            // in network order: the first number is the lowest byte
            return (0..<4).map { String(UInt32(littleEndian: bytes) >> ($0 * 8) & 255) }.joined(separator: ".")
        }
        return nil
    }
}

/// One connection: whole messages for joining, or plain bytes for a session.
final class Wire: Carrier, @unchecked Sendable {
    struct Ended: Error {}
    private static let portionBytes = 64 * 1024

    private let connection: NWConnection
    private let queue = DispatchQueue(label: "wire")
    private var frames = Frames()

    init(_ connection: NWConnection) {
        self.connection = connection
        // a call that was taken is started by whoever takes it
        connection.start(queue: queue)
    }

    func isReady(within seconds: Double) async -> Bool {
        let isReady = await withCheckedContinuation { (waiting: CheckedContinuation<Bool, Never>) in
            let once = Once(waiting)
            connection.stateUpdateHandler = { state in
                switch state {
                case .ready: once.give(true)
                case .failed, .cancelled: once.give(false)
                default: break
                }
            }
            // it may have been ready before anybody asked
            if case .ready = connection.state { once.give(true) }
            queue.asyncAfter(deadline: .now() + seconds) { once.give(false) }
        }
        if !isReady { close() }
        return isReady
    }

    func put(_ bytes: Data) async throws {
        try await withCheckedThrowingContinuation { (sent: CheckedContinuation<Void, Error>) in
            connection.send(
                content: bytes,
                completion: .contentProcessed { error in
                    if let error { sent.resume(throwing: error) } else { sent.resume() }
                })
        }
    }

    /// What came next; none once the connection is gone.
    func bytes() async throws -> Data? {
        try await withCheckedThrowingContinuation { (come: CheckedContinuation<Data?, Error>) in
            connection.receive(minimumIncompleteLength: 1, maximumLength: Self.portionBytes) { bytes, _, _, error in
                if let error { come.resume(throwing: error) } else { come.resume(returning: bytes) }
            }
        }
    }

    func send(_ message: Data) async throws { try await put(Frames.frame(message)) }

    // one message is read after the other: nobody else looks at the frames
    func receive() async throws -> Data {
        var message = try frames.take()
        while message == nil {
            guard let bytes = try await bytes() else { throw Ended() }
            message = try frames.take(bytes)
        }
        return message ?? Data()
    }

    func close() { connection.cancel() }
}
