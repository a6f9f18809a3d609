import OutreachKit
import SwiftUI

// Fields of text: nothing learns from them, fills them in, or carries what is in them to another app.
extension Screens {
    func field(_ title: String, _ text: String, lines: Int = 1, typed: @escaping @MainActor (String) -> Void) -> some View {
        VStack(alignment: .leading, spacing: Style.gap / 3) {
            quiet(title).accessibilityHidden(true)
            PrivateField(title: title, text: text, lines: lines, typed: typed)
                .frame(minHeight: Style.touchHeight)
                .padding(.horizontal, Style.gap)
                .overlay(RoundedRectangle(cornerRadius: Style.corner).stroke(Style.edge, lineWidth: 2))
        }
    }

    func passphrase(_ title: String, _ tag: String) -> some View {
        VStack(alignment: .leading, spacing: Style.gap / 3) {
            quiet(title).accessibilityHidden(true)
            PassphraseField(title: title, secret: shown.secret(tag))
                .frame(minHeight: Style.touchHeight)
                .padding(.horizontal, Style.gap)
                .overlay(RoundedRectangle(cornerRadius: Style.corner).stroke(Style.edge, lineWidth: 2))
        }
    }

    /// A field that the guard reads: what it finds stands right below, with what can be done about it.
    func guarded(_ title: String, _ text: GuardedText, lines: Int = 1, underGrant: (@MainActor (Finding) -> Void)? = nil) -> some View {
        VStack(alignment: .leading, spacing: Style.gap / 2) {
            field(title, text.text, lines: lines) { text.typed($0) }
            ForEach(Array(text.notice.findings.enumerated()), id: \.offset) { item in finding(item.element, in: text, underGrant) }
            Flow {
                ForEach(Array(text.notice.suggestions.enumerated()), id: \.offset) { item in
                    small(words("guard_instead", item.element.instead)) { text.take(item.element) }
                }
            }
        }
    }

    private func finding(_ finding: Finding, in text: GuardedText, _ underGrant: (@MainActor (Finding) -> Void)?) -> some View {
        VStack(alignment: .leading, spacing: Style.gap / 2) {
            Text(words("guard_found", text.words(finding))).font(.subheadline).foregroundColor(Style.alarm)
            Flow {
                small(words("guard_remove")) { text.replace(finding, "") }
                small(words("guard_neutral")) { text.replace(finding, words.neutral(finding)) }
                if let underGrant, text.category(finding) != nil { small(words("guard_grant")) { underGrant(finding) } }
            }
        }
    }
}
