import UIKit

/// A blank page over everything while the app is not in front, so that the app switcher's picture shows nothing; also while the screen
/// is recorded or shown elsewhere. A screenshot by the user cannot be prevented on iOS.
@MainActor final class Cover {
    private var window: UIWindow?
    private var isAway = false

    func begin() {
        hear(UIScene.willDeactivateNotification) { $0.isAway = true }
        hear(UIScene.didActivateNotification) { $0.isAway = false }
        hear(UIScreen.capturedDidChangeNotification) { _ in }
    }

    private func hear(_ name: Notification.Name, _ heard: @escaping @MainActor (Cover) -> Void) {
        _ = NotificationCenter.default.addObserver(forName: name, object: nil, queue: .main) { [weak self] _ in
            MainActor.assumeIsolated {
                guard let self else { return }
                heard(self)
                self.update()
            }
        }
    }

    private func update() {
        let scene = UIApplication.shared.connectedScenes.compactMap { $0 as? UIWindowScene }.first
        guard let scene, isAway || scene.screen.isCaptured else {
            window?.isHidden = true
            window = nil
            return
        }
        if window != nil { return }
        // above alerts, sheets and the keyboard
        let cover = UIWindow(windowScene: scene)
        cover.windowLevel = .alert + 1
        cover.rootViewController = UIViewController()
        cover.rootViewController?.view.backgroundColor = UIColor(Style.page)
        cover.isHidden = false
        window = cover
    }
}
