/// What a screen shows and what can be done on it. Knows no framework.
@MainActor public protocol Screen: AnyObject {
    /// What went wrong last; none again with the next try.
    var fault: Fault? { get }
    /// A call is under way: buttons rest meanwhile.
    var isBusy: Bool { get }
    /// Reads again what is shown.
    func load()
    /// Somebody went elsewhere, or it was locked: whoever waits for an answer here gets none.
    func left()
}

/// A screen's state, and how actions of the user and readings change it.
@MainActor public class Model<State: Sendable>: Screen {
    public let app: Outreach
    public private(set) var state: State
    public private(set) var fault: Fault?
    public private(set) var isBusy = false
    private var reading: Task<Void, Never>?

    init(_ app: Outreach, _ state: State) {
        self.app = app
        self.state = state
    }

    var repository: Repository { app.repository }

    public func load() {}
    public func left() { reading?.cancel() }

    /// A reading that was overtaken changes nothing any more.
    func change(_ edit: (inout State) -> Void) {
        if Task.isCancelled { return }
        edit(&state)
        app.tell()
    }

    func fail(_ next: Fault?) {
        if Task.isCancelled { return }
        fault = next
        app.tell()
        if next?.kind == .locked { app.locked() }
    }

    /// The value of a reply, or none after showing its fault.
    func shown<T>(_ reply: Reply<T>) -> T? {
        switch reply {
        case .success(let value): return value
        case .failure(let fault):
            fail(fault)
            return nil
        }
    }

    /// Runs an action of the user; a second tap meanwhile does nothing.
    func act(_ action: @escaping @MainActor () async -> Void) {
        if isBusy { return }
        isBusy = true
        fail(nil)
        Task {
            await action()
            isBusy = false
            app.tell()
        }
    }

    /// Reads what is shown; an earlier reading that is still under way must not come after this one.
    func loading(_ read: @escaping @MainActor () async -> Void) {
        reading?.cancel()
        reading = Task { await read() }
    }
}

/// An answer that somebody gives later. The first one counts.
@MainActor final class Pending<Value: Sendable> {
    private var given: Value?
    private var waiting: CheckedContinuation<Value, Never>?

    func give(_ value: Value) {
        if given != nil { return }
        given = value
        waiting?.resume(returning: value)
        waiting = nil
    }

    /// To be waited for once.
    func wait() async -> Value {
        if let given { return given }
        return await withCheckedContinuation { waiting = $0 }
    }
}
