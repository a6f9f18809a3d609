import Foundation
import Network
import OutreachKit

/// Meets colleagues' phones on the local network, by the system's own discovery: the library's needs an entitlement on iOS.
///
/// What is shown means something to colleagues only, and is made anew every half hour. Every session is encrypted by the library.
final class Nearby: @unchecked Sendable {
    private static let service = "_sync._tcp"
    private static let property = "t"
    private static let appearanceSeconds: UInt64 = 30 * 60
    private static let mostSessions = 4

    private let repository: Repository
    private let meetings: AsyncStream<Meeting>.Continuation
    private let queue = DispatchQueue(label: "nearby")
    // on `queue` only
    private var own = Data()
    private var listener: NWListener?
    private var browser: NWBrowser?
    private var called: Set<String> = []
    private var sessions = 0

    private init(_ repository: Repository, _ meetings: AsyncStream<Meeting>.Continuation) {
        self.repository = repository
        self.meetings = meetings
    }

    static func meet(_ repository: Repository) -> AsyncStream<Meeting> {
        let (stream, meetings) = AsyncStream<Meeting>.makeStream()
        let nearby = Nearby(repository, meetings)
        let task = Task {
            while !Task.isCancelled {
                guard let appearance = await repository.appearance().value, nearby.show(appearance) else {
                    meetings.yield(.unavailable)
                    meetings.finish()
                    return
                }
                try? await Task.sleep(nanoseconds: appearanceSeconds * 1_000_000_000)
            }
        }
        meetings.onTermination = { _ in
            task.cancel()
            nearby.end()
        }
        return stream
    }

    private func show(_ appearance: Appearance) -> Bool {
        guard let listener = try? NWListener(using: .tcp) else { return false }
        var record = NWTXTRecord()
        _ = record.setEntry(.data(appearance.shown), for: Self.property)
        listener.service = NWListener.Service(name: appearance.name, type: Self.service, txtRecord: record)
        listener.newConnectionHandler = { [weak self] connection in
            guard let self else { return connection.cancel() }
            queue.async { self.session(Wire(connection), dials: false) }
        }
        let browser = NWBrowser(for: .bonjourWithTXTRecord(type: Self.service, domain: nil), using: .tcp)
        browser.browseResultsChangedHandler = { [weak self] results, _ in
            guard let self else { return }
            queue.async { self.seen(results) }
        }
        queue.async { [self] in
            endNow()
            own = appearance.shown
            called = []
            (self.listener, self.browser) = (listener, browser)
            listener.start(queue: queue)
            browser.start(queue: queue)
        }
        return true
    }

    private func seen(_ results: Set<NWBrowser.Result>) {
        for result in results {
            guard case .bonjour(let record) = result.metadata, case .data(let shown)? = record.getEntry(for: Self.property), shown != own,
                case .service(let name, _, _, _) = result.endpoint, called.insert(name).inserted
            else { continue }
            let own = own
            Task {
                guard let caller = await repository.recognise(shown).value ?? nil else { return }
                try? await Task.sleep(nanoseconds: UInt64(patience(caller, own: own, theirs: shown)) * 1_000_000_000)
                let wire = Wire(NWConnection(to: result.endpoint, using: .tcp))
                guard await wire.isReady(within: 10) else { return queue.async { self.called.remove(name) } }
                queue.async { self.session(wire, dials: true) }
            }
        }
    }

    private func session(_ wire: Wire, dials: Bool) {
        guard sessions < Self.mostSessions else { return wire.close() }
        sessions += 1
        Task {
            let reply = await repository.meet(dials: dials, send: { try await wire.put($0) }, receive: { try await wire.bytes() })
            wire.close()
            queue.async { self.sessions -= 1 }
            meetings.yield(reply.value.map { .met($0) } ?? .broken)
        }
    }

    private func end() { queue.async { self.endNow() } }

    private func endNow() {
        listener?.cancel()
        browser?.cancel()
        (listener, browser) = (nil, nil)
    }
}
