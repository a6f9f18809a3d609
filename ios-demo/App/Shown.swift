import Combine
import OutreachKit
import SwiftUI
import UIKit

/// What SwiftUI watches: says that something of the app may be shown anew. The state itself is in the models.
@MainActor final class Shown: ObservableObject {
    let app: Outreach
    let words = Words { NSLocalizedString($0, comment: "") }
    @Published private var told = 0
    /// The camera's page stands in front of the one for joining.
    @Published var isScanning = false
    private var secrets: [String: Secret] = [:]
    private weak var screen: (any OutreachKit.Screen)?
    private var fault: Fault?

    init(_ app: Outreach) {
        self.app = app
        screen = app.screen
        app.watch { [weak self] in self?.tell() }
    }

    private func tell() {
        if screen !== app.screen {
            // what was typed on the page before is gone with it
            for secret in secrets.values { secret.forget() }
            secrets = [:]
            isScanning = false
            screen = app.screen
        }
        if fault != app.screen.fault {
            fault = app.screen.fault
            // who does not see the page hears it
            if let fault { UIAccessibility.post(notification: .announcement, argument: words.fault(fault)) }
        }
        told += 1
    }

    /// The passphrase field of this name on the page that is shown.
    func secret(_ tag: String) -> Secret {
        if let known = secrets[tag] { return known }
        let secret = Secret()
        secrets[tag] = secret
        return secret
    }
}
