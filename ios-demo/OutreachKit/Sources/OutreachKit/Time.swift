import Foundation

/// What one try of a passphrase costs: of a phone, or the least that is accepted (tests).
public enum Effort: Sendable { case phone, least }

/// What the clock on the wall says where the phone is.
public struct WallTime: Sendable, Equatable {
    public let weekday: Weekday
    /// Since midnight, 0 to 1,439.
    public let minute: UInt16

    public init(weekday: Weekday, minute: UInt16) {
        self.weekday = weekday
        self.minute = minute
    }

    @Sendable public static func now() -> WallTime {
        let parts = Calendar(identifier: .gregorian).dateComponents([.weekday, .hour, .minute], from: Date())
        // the calendar counts from Sunday, 1; the library begins with Monday
        let weekday = Weekday.allCases[((parts.weekday ?? 1) + 5) % 7]
        return WallTime(weekday: weekday, minute: UInt16((parts.hour ?? 0) * 60 + (parts.minute ?? 0)))
    }
}

/// Days as the library writes them: "2026-11-23".
enum Days {
    private static var calendar: Calendar {
        var calendar = Calendar(identifier: .gregorian)
        // a day is a day everywhere: no hour may be lost or won on the way
        calendar.timeZone = TimeZone(secondsFromGMT: 0) ?? .current
        return calendar
    }

    private static func date(_ day: String) -> Date {
        let parts = day.split(separator: "-").compactMap { Int($0) }
        guard parts.count == 3 else { return .distantPast }
        return calendar.date(from: DateComponents(year: parts[0], month: parts[1], day: parts[2])) ?? .distantPast
    }

    /// How far a day lies from today: negative is past.
    static func from(_ today: String, to day: String) -> Int {
        calendar.dateComponents([.day], from: date(today), to: date(day)).day ?? 0
    }

    static func after(_ day: String, _ count: Int) -> String {
        let next = calendar.date(byAdding: .day, value: count, to: date(day)) ?? date(day)
        let parts = calendar.dateComponents([.year, .month, .day], from: next)
        return String(format: "%04d-%02d-%02d", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0)
    }
}
