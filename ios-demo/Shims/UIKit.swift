// Only what App uses of UIKit, as in SwiftUI.swift.
@_exported import Foundation

public struct Selector: Sendable {}
@MainActor open class UIResponder: NSObject {
    open func canPerformAction(_ action: Selector, withSender sender: Any?) -> Bool { true }
}
@MainActor open class UIView: UIResponder {
    public var backgroundColor: UIColor?
    public let layer = CALayer()
    public var bounds = CGRect.zero
    public var accessibilityLabel: String?
    public func setContentCompressionResistancePriority(_ priority: UILayoutPriority, for axis: NSLayoutConstraint.Axis) {}
    public func sizeThatFits(_ size: CGSize) -> CGSize { size }
}
@MainActor open class CALayer {
    public var frame = CGRect.zero
    public init() {}
    public func addSublayer(_ layer: CALayer) {}
}
public struct UILayoutPriority: Sendable { public static let defaultLow = UILayoutPriority() }
public enum NSLayoutConstraint { public enum Axis { case horizontal, vertical } }
@MainActor open class UIViewController: UIResponder {
    public var view: UIView! = UIView()
    public init(nibName: String?, bundle: Bundle?) {}
    public override convenience init() { self.init(nibName: nil, bundle: nil) }
    public required init?(coder: NSCoder) { nil }
    open func viewDidLoad() {}
    open func viewDidLayoutSubviews() {}
    open func viewWillAppear(_ animated: Bool) {}
    open func viewDidDisappear(_ animated: Bool) {}
}
public enum UIUserInterfaceStyle: Sendable { case light, dark }
public struct UITraitCollection: Sendable { public var userInterfaceStyle: UIUserInterfaceStyle { .light } }
public final class UIColor: @unchecked Sendable {
    public static let clear = UIColor(red: 0, green: 0, blue: 0, alpha: 0)
    public init(_ dynamic: @escaping @Sendable (UITraitCollection) -> UIColor) {}
    public init(red: CGFloat, green: CGFloat, blue: CGFloat, alpha: CGFloat) {}
}
public final class UIFont: @unchecked Sendable {
    public enum TextStyle { case body }
    public let lineHeight: CGFloat = 20
    public static func preferredFont(forTextStyle style: TextStyle) -> UIFont { UIFont() }
}
public enum UITextAutocorrectionType { case no }
public enum UITextAutocapitalizationType { case none, sentences }
public enum UITextInlinePredictionType { case no }
public enum UIWritingToolsBehavior { case none }
public struct UITextContentType: Sendable { public static let oneTimeCode = UITextContentType() }
public struct UIEdgeInsets { public var top: CGFloat = 0, bottom: CGFloat = 0 }
@MainActor public protocol UITextViewDelegate: AnyObject { func textViewDidChange(_ view: UITextView) }
@MainActor open class UITextView: UIView {
    public weak var delegate: UITextViewDelegate?
    public var isScrollEnabled = true
    public var text: String! = ""
    public var textColor: UIColor?
    public var font: UIFont?
    public var adjustsFontForContentSizeCategory = false
    public var autocorrectionType = UITextAutocorrectionType.no, spellCheckingType = UITextAutocorrectionType.no
    public var smartDashesType = UITextAutocorrectionType.no, smartQuotesType = UITextAutocorrectionType.no
    public var smartInsertDeleteType = UITextAutocorrectionType.no
    public var autocapitalizationType = UITextAutocapitalizationType.none
    public var textContentType: UITextContentType!
    public var inlinePredictionType = UITextInlinePredictionType.no
    public var writingToolsBehavior = UIWritingToolsBehavior.none
    public var textContainerInset = UIEdgeInsets()
}
@MainActor open class UITextField: UIView {
    public var text: String?
    public var isSecureTextEntry = false
    public var textColor: UIColor?
    public var font: UIFont?
    public var adjustsFontForContentSizeCategory = false
    public var autocorrectionType = UITextAutocorrectionType.no, spellCheckingType = UITextAutocorrectionType.no
    public var autocapitalizationType = UITextAutocapitalizationType.none
    public var textContentType: UITextContentType!
}

@MainActor open class UIScene: UIResponder {
    public nonisolated static let willDeactivateNotification = Notification.Name("1")
    public nonisolated static let didActivateNotification = Notification.Name("2")
}
@MainActor public final class UIScreen: NSObject {
    public nonisolated static let capturedDidChangeNotification = Notification.Name("3")
    public var isCaptured: Bool { false }
}
@MainActor public final class UIWindowScene: UIScene { public let screen = UIScreen() }
@MainActor public final class UIWindow: UIView {
    public struct Level: Sendable {
        public static let alert = Level()
        public static func + (level: Level, more: CGFloat) -> Level { level }
    }
    public init(windowScene: UIWindowScene) {}
    public var windowLevel = Level()
    public var rootViewController: UIViewController?
    public var isHidden = true
}
public struct UIBackgroundTaskIdentifier: Equatable, Sendable { public static let invalid = UIBackgroundTaskIdentifier() }
@MainActor public final class UIApplication: UIResponder {
    public struct LaunchOptionsKey: Hashable, Sendable {}
    public struct ExtensionPointIdentifier: Hashable, Sendable { public static let keyboard = ExtensionPointIdentifier() }
    public nonisolated static let didEnterBackgroundNotification = Notification.Name("4")
    public nonisolated static let willEnterForegroundNotification = Notification.Name("5")
    public nonisolated static let protectedDataWillBecomeUnavailableNotification = Notification.Name("6")
    public nonisolated static let willTerminateNotification = Notification.Name("7")
    public static let shared = UIApplication()
    public var isProtectedDataAvailable: Bool { true }
    public var connectedScenes: Set<UIScene> { [] }
    public func beginBackgroundTask(expirationHandler: (@MainActor @Sendable () -> Void)? = nil) -> UIBackgroundTaskIdentifier { .invalid }
    public func endBackgroundTask(_ identifier: UIBackgroundTaskIdentifier) {}
}
@MainActor public protocol UIApplicationDelegate: AnyObject {}

@MainActor public enum UIAccessibility {
    public struct Notification: Sendable { public static let announcement = Notification() }
    public static func post(notification: Notification, argument: Any?) {}
}
