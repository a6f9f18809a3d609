import SwiftUI
import UIKit

/// Every colour and size in one place. Contrasts are 7:1 or better for text, in both themes: the Android demo's colours.
enum Style {
    static let page = colour(0xFFFFFF, night: 0x101416)
    static let card = colour(0xF1F5F6, night: 0x1C2326)
    static let text = colour(0x12191C, night: 0xF0F4F5)
    static let quiet = colour(0x3E4A4F, night: 0xB9C6CA)
    static let primary = colour(0x0B5563, night: 0x8FD7E4)
    static let onPrimary = colour(0xFFFFFF, night: 0x06262D)
    static let alarm = colour(0x8C1D18, night: 0xFFB4A8)
    static let alarmCard = colour(0xFDECEA, night: 0x3A1512)
    static let onAlarm = colour(0xFFFFFF, night: 0x3A1512)
    static let edge = colour(0x5B686D, night: 0x8A989D)

    /// The least height of what is touched most, and of anything that is touched.
    static let primaryHeight: CGFloat = 64
    static let touchHeight: CGFloat = 48
    static let gap: CGFloat = 12
    static let side: CGFloat = 20
    static let corner: CGFloat = 14

    private static func colour(_ day: UInt32, night: UInt32) -> Color {
        Color(UIColor { traits in
            let rgb = traits.userInterfaceStyle == .dark ? night : day
            return UIColor(
                red: CGFloat(rgb >> 16 & 255) / 255, green: CGFloat(rgb >> 8 & 255) / 255, blue: CGFloat(rgb & 255) / 255, alpha: 1)
        })
    }
}
