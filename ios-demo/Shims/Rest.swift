// Stands for the files of App that use UIKit and the device: their names only, as the pages see them.
import OutreachKit
import SwiftUI

enum Style {
    static let page = Color(), card = Color(), text = Color(), quiet = Color(), primary = Color(), onPrimary = Color()
    static let alarm = Color(), alarmCard = Color(), onAlarm = Color(), edge = Color()
    static let primaryHeight: CGFloat = 64, touchHeight: CGFloat = 48, gap: CGFloat = 12, side: CGFloat = 20, corner: CGFloat = 14
}
@MainActor final class Secret {
    func take() -> Data { Data() }
    func forget() {}
}
struct PrivateField: Leaf {
    let title: String
    let text: String
    let lines: Int
    let typed: @MainActor (String) -> Void
}
struct PassphraseField: Leaf {
    let title: String
    let secret: Secret
}
struct Qr: Leaf {
    let text: String
    let said: String
}
struct Scan: Leaf {
    let words: Words
    let done: @MainActor (String?) -> Void
}
