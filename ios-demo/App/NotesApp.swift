import OutreachKit
import SwiftUI
import UIKit

/// On the phone it is called "Notes": nothing about it says who uses it.
@main
struct NotesApp: App {
    @UIApplicationDelegateAdaptor(Delegate.self) private var delegate

    var body: some Scene {
        WindowGroup {
            Screens(shown: delegate.shown)
        }
    }
}

/// Owns the app for as long as the process lives, and hears what the system says to it.
@MainActor final class Delegate: NSObject, UIApplicationDelegate {
    let shown: Shown
    private let leaving: Leaving
    private let cover = Cover()

    override init() {
        let platform = PhonePlatform()
        let app = Outreach(Repository(root: Folder.make(), keystore: EnclaveKeystore()), platform)
        shown = Shown(app)
        leaving = Leaving(app)
        super.init()
    }

    func application(_ application: UIApplication, didFinishLaunchingWithOptions options: [UIApplication.LaunchOptionsKey: Any]?) -> Bool {
        // the system wants it registered before the launch ends
        leaving.begin()
        cover.begin()
        return true
    }

    /// A keyboard from elsewhere sees what is typed.
    func application(_ application: UIApplication, shouldAllowExtensionPointIdentifier point: UIApplication.ExtensionPointIdentifier) -> Bool {
        point != .keyboard
    }
}
