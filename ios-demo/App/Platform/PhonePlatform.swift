import AVFoundation
import Foundation
import OutreachKit
import UIKit

/// What only a phone can do for the models.
@MainActor final class PhonePlatform: Platform {
    private let voice = AVSpeechSynthesizer()

    func accept(_ listening: @escaping @MainActor (String) -> Void) async -> Carrier? { await LocalNetwork.accept(listening) }
    func dial(_ address: String) async -> Carrier? { await LocalNetwork.dial(address) }
    func nearby(_ repository: Repository) -> AsyncStream<Meeting> { Nearby.meet(repository) }

    func starters() -> [(name: String, category: ResourceCategory)] {
        let words = Words { NSLocalizedString($0, comment: "") }
        return [
            (words("supply_naloxone"), .saferUseSupplies),
            (words("supply_use_kit"), .saferUseSupplies),
            (words("supply_water"), .food),
            (words("supply_socks"), .other),
            (words("supply_hygiene"), .healthCare),
            (words("supply_ride"), .transport),
        ]
    }

    func timeZone() -> String { TimeZone.current.identifier }

    /// The language that the app's words come in.
    func language() -> Language { Bundle.main.preferredLocalizations.first?.hasPrefix("es") == true ? .spanish : .english }

    /// No notification, unlike on Android: leaving the screen locks.
    func openedOrLocked(isOpen: Bool) {
        if !isOpen { voice.stopSpeaking(at: .immediate) }
    }

    func readAloud(_ text: String, in language: Language) {
        voice.stopSpeaking(at: .immediate)
        let utterance = AVSpeechUtterance(string: text)
        // the voice is the device's own: nothing is sent anywhere
        utterance.voice = AVSpeechSynthesisVoice(language: language == .spanish ? "es-US" : "en-US")
        voice.speak(utterance)
    }
}
