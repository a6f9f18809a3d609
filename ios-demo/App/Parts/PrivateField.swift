import SwiftUI
import UIKit

/// A field that the keyboard does not learn from and that gives and takes no clipboard.
///
/// UIKit's own, as SwiftUI's fields cannot turn off the clipboard, smart replacements and inline predictions.
struct PrivateField: UIViewRepresentable {
    let title: String
    let text: String
    let lines: Int
    let typed: @MainActor (String) -> Void

    func makeUIView(context: Context) -> PrivateTextView {
        let view = PrivateTextView()
        view.delegate = context.coordinator
        view.isScrollEnabled = false
        view.backgroundColor = .clear
        view.textColor = UIColor(Style.text)
        view.font = .preferredFont(forTextStyle: .body)
        view.adjustsFontForContentSizeCategory = true
        view.autocorrectionType = .no
        view.spellCheckingType = .no
        view.smartDashesType = .no
        view.smartQuotesType = .no
        view.smartInsertDeleteType = .no
        view.autocapitalizationType = .sentences
        view.textContentType = nil
        if #available(iOS 17, *) { view.inlinePredictionType = .no }
        if #available(iOS 18, *) { view.writingToolsBehavior = .none }
        view.setContentCompressionResistancePriority(.defaultLow, for: .horizontal)
        return view
    }

    func updateUIView(_ view: PrivateTextView, context: Context) {
        context.coordinator.typed = typed
        view.accessibilityLabel = title
        // only what the model changed by itself: the cursor stays where somebody types
        if view.text != text { view.text = text }
    }

    func sizeThatFits(_ proposal: ProposedViewSize, uiView: PrivateTextView, context: Context) -> CGSize? {
        let width = proposal.width ?? 200
        let least = (uiView.font?.lineHeight ?? 20) * CGFloat(lines) + uiView.textContainerInset.top + uiView.textContainerInset.bottom
        let fitting = uiView.sizeThatFits(CGSize(width: width, height: .greatestFiniteMagnitude))
        return CGSize(width: width, height: max(fitting.height, least))
    }

    func makeCoordinator() -> Coordinator { Coordinator(typed: typed) }

    @MainActor final class Coordinator: NSObject, UITextViewDelegate {
        var typed: @MainActor (String) -> Void
        init(typed: @escaping @MainActor (String) -> Void) { self.typed = typed }
        func textViewDidChange(_ view: UITextView) { typed(view.text) }
    }
}

final class PrivateTextView: UITextView {
    /// No clipboard, no sharing, no looking up, no autofill: nothing in the menu.
    override func canPerformAction(_ action: Selector, withSender sender: Any?) -> Bool { false }
}

/// What was typed into a passphrase field, until it is taken.
@MainActor final class Secret {
    fileprivate weak var field: UITextField?

    /// The passphrase as bytes; the field is empty after it. UIKit keeps a string of its own while it is typed, which nobody can wipe.
    func take() -> Data {
        let bytes = Data((field?.text ?? "").utf8)
        forget()
        return bytes
    }

    func forget() { field?.text = "" }
}

struct PassphraseField: UIViewRepresentable {
    let title: String
    let secret: Secret

    func makeUIView(context: Context) -> PrivateTextField {
        let field = PrivateTextField()
        field.isSecureTextEntry = true
        field.textColor = UIColor(Style.text)
        field.font = .preferredFont(forTextStyle: .body)
        field.adjustsFontForContentSizeCategory = true
        field.autocorrectionType = .no
        field.spellCheckingType = .no
        field.autocapitalizationType = .none
        // no offer to save it in a password manager, which other people of this phone may open
        field.textContentType = .oneTimeCode
        secret.field = field
        return field
    }

    func updateUIView(_ field: PrivateTextField, context: Context) {
        field.accessibilityLabel = title
        secret.field = field
    }
}

final class PrivateTextField: UITextField {
    override func canPerformAction(_ action: Selector, withSender sender: Any?) -> Bool { false }
}
