import BackgroundTasks
import OutreachKit
import UIKit

/// What happens when the app leaves the screen, and while it is away.
@MainActor final class Leaving {
    /// Also in Info.plist. It says nothing.
    private static let refresh = "org.satchel.notes.refresh"
    private static let refreshSeconds: TimeInterval = 30 * 60

    private let app: Outreach
    private var leaving: Task<Void, Never>?
    private var time = UIBackgroundTaskIdentifier.invalid

    init(_ app: Outreach) { self.app = app }

    /// Before the launch ends.
    func begin() {
        BGTaskScheduler.shared.register(forTaskWithIdentifier: Self.refresh, using: .main) { task in
            // it comes on the main queue, and is used there only
            nonisolated(unsafe) let task = task
            MainActor.assumeIsolated { self.refresh(task) }
        }
        hear(UIApplication.didEnterBackgroundNotification) { $0.left() }
        hear(UIApplication.willEnterForegroundNotification) { $0.cameBack() }
        // the device is being locked: in seconds no file can be read
        hear(UIApplication.protectedDataWillBecomeUnavailableNotification) { $0.app.rest() }
        hear(UIApplication.willTerminateNotification) { $0.app.rest() }
    }

    private func hear(_ name: Notification.Name, _ heard: @escaping @MainActor (Leaving) -> Void) {
        _ = NotificationCenter.default.addObserver(forName: name, object: nil, queue: .main) { [weak self] _ in
            MainActor.assumeIsolated {
                if let self { heard(self) }
            }
        }
    }

    /// One exchange while the system still gives time, then everything is locked and closed: a frozen app must hold no file open.
    private func left() {
        schedule()
        leaving?.cancel()
        time = UIApplication.shared.beginBackgroundTask { [weak self] in
            MainActor.assumeIsolated {
                self?.leaving?.cancel()
                self?.app.rest()
                self?.endTime()
            }
        }
        leaving = Task {
            await app.leaveScreen()
            endTime()
        }
    }

    /// Back before it was closed: nobody is locked out for having looked at a message.
    private func cameBack() {
        leaving?.cancel()
        leaving = nil
        endTime()
    }

    private func endTime() {
        if time == .invalid { return }
        UIApplication.shared.endBackgroundTask(time)
        time = .invalid
    }

    private func schedule() {
        let request = BGAppRefreshTaskRequest(identifier: Self.refresh)
        request.earliestBeginDate = Date(timeIntervalSinceNow: Self.refreshSeconds)
        try? BGTaskScheduler.shared.submit(request)
    }

    /// Where somebody switched that on, locked notebooks fetch sealed rows, with a key that reads and opens nothing. Only while the device
    /// is unlocked: files and keys stay closed to a device that is locked, though it could fetch more often otherwise.
    private func refresh(_ task: BGTask) {
        schedule()
        guard UIApplication.shared.isProtectedDataAvailable else { return task.setTaskCompleted(success: true) }
        let fetching = Task {
            let isDone = await app.refresh()
            task.setTaskCompleted(success: isDone)
        }
        task.expirationHandler = { fetching.cancel() }
    }
}
