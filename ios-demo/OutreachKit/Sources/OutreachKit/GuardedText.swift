import Foundation

/// A free text that the guard reads while it is typed. Never kept by the platform: it lives here.
@MainActor public final class GuardedText {
    public struct Notice: Equatable, Sendable {
        public var findings: [Finding] = []
        public var suggestions: [Suggestion] = []
    }

    public private(set) var text: String
    public private(set) var notice = Notice()
    /// The name of the participant that it is about.
    public var alias: String?
    private let app: Outreach
    private var reading: Task<Void, Never>?

    init(_ app: Outreach, _ text: String = "", alias: String? = nil) {
        self.app = app
        self.text = text
        self.alias = alias
    }

    /// The user typed: looks once they pause.
    public func typed(_ next: String) {
        if next == text { return }
        text = next
        app.tell()
        reading?.cancel()
        reading = Task {
            try? await Task.sleep(nanoseconds: app.guardPauseNanoseconds)
            if !Task.isCancelled { await look() }
        }
    }

    /// Looks now.
    func look() async {
        let read = text
        let isBlank = read.allSatisfy(\.isWhitespace)
        let found = isBlank ? nil : await app.repository.look(at: read, alias: alias).value
        // what was found in a text that has changed since says nothing about this one
        if read != text { return }
        notice = Notice(findings: found?.findings ?? [], suggestions: found?.suggestions ?? [])
        app.tell()
    }

    /// Puts `instead` where the finding stands; empty removes it.
    public func replace(_ finding: Finding, _ instead: String) { put(finding.startUtf16, finding.endUtf16, instead) }

    /// Takes a kinder wording.
    public func take(_ suggestion: Suggestion) { put(suggestion.startUtf16, suggestion.endUtf16, suggestion.instead) }

    private func range(_ start: UInt32, _ end: UInt32) -> Range<String.Index>? {
        guard start <= end, Int(end) <= text.utf16.count else { return nil }
        return String.Index(utf16Offset: Int(start), in: text)..<String.Index(utf16Offset: Int(end), in: text)
    }

    private func put(_ start: UInt32, _ end: UInt32, _ instead: String) {
        guard let range = range(start, end) else { return }
        text = text.replacingCharacters(in: range, with: instead).split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        notice = Notice()
        app.tell()
        reading?.cancel()
        reading = Task { await look() }
    }

    /// What the finding stands on.
    public func words(_ finding: Finding) -> String {
        range(finding.startUtf16, finding.endUtf16).map { String(text[$0]) } ?? ""
    }

    public func category(_ finding: Finding) -> GatedCategory? { GatedCategory.allCases.first { snake($0) == finding.category } }

    func clear() {
        reading?.cancel()
        text = ""
        notice = Notice()
        app.tell()
    }

    /// What was typed, without what stands around it; none where that is nothing.
    var said: String? { trimmed(text) }
}

func trimmed(_ text: String) -> String? {
    let start = text.drop { $0.isWhitespace }
    let end = start.lastIndex { !$0.isWhitespace }
    return end.map { String(start[...$0]) }
}
