// Only what App uses of SwiftUI (SDK of iOS 18), written down by hand, so that its pages can be held against OutreachKit without a Mac.
// Nothing runs. It proves that App and OutreachKit fit each other, not that Apple's framework is like this.
@_exported import Combine
@_exported import CoreGraphics
@_exported import Foundation

@MainActor @preconcurrency public protocol View {
    associatedtype Body: View
    @ViewBuilder var body: Body { get }
}
extension Never: View { public var body: Never { fatalError() } }
extension Optional: View where Wrapped: View { public var body: Never { fatalError() } }
public protocol Leaf: View where Body == Never {}
extension Leaf { public var body: Never { fatalError() } }

@resultBuilder public struct ViewBuilder {
    public static func buildExpression<V: View>(_ view: V) -> V { view }
    public static func buildBlock() -> EmptyView { EmptyView() }
    public static func buildBlock<V: View>(_ view: V) -> V { view }
    public static func buildBlock<each V: View>(_ views: repeat each V) -> TupleView<(repeat each V)> { TupleView() }
    public static func buildIf<V: View>(_ view: V?) -> V? { view }
    public static func buildEither<A: View, B: View>(first: A) -> Either<A, B> { Either() }
    public static func buildEither<A: View, B: View>(second: B) -> Either<A, B> { Either() }
}
public struct TupleView<T>: Leaf { nonisolated init() {} }
public struct Either<A: View, B: View>: Leaf { nonisolated init() {} }
public struct EmptyView: Leaf { nonisolated public init() {} }
public struct Group<Content: View>: Leaf { public init(@ViewBuilder content: () -> Content) {} }

public struct Alignment: Sendable { public static let leading = Alignment() }
public enum HorizontalAlignment: Sendable { case leading, center }
public struct Edge { public struct Set: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    public static let all = Set(rawValue: 15), top = Set(rawValue: 1), bottom = Set(rawValue: 2), horizontal = Set(rawValue: 4), vertical = Set(rawValue: 8)
} }
public struct VStack<Content: View>: Leaf {
    public init(alignment: HorizontalAlignment = .center, spacing: CGFloat? = nil, @ViewBuilder content: () -> Content) {}
}
public struct HStack<Content: View>: Leaf { public init(spacing: CGFloat? = nil, @ViewBuilder content: () -> Content) {} }
public struct ScrollView<Content: View>: Leaf { public init(@ViewBuilder content: () -> Content) {} }
public struct Spacer: Leaf { public init(minLength: CGFloat? = nil) {} }
public struct ForEach<Data: RandomAccessCollection, ID: Hashable, Content: View>: Leaf {
    public init(_ data: Data, id: KeyPath<Data.Element, ID>, @ViewBuilder content: @escaping (Data.Element) -> Content) {}
}
extension ForEach where Data.Element: Identifiable, ID == Data.Element.ID {
    public init(_ data: Data, @ViewBuilder content: @escaping (Data.Element) -> Content) {}
}

public struct Font: Sendable {
    public static let body = Font(), headline = Font(), subheadline = Font(), title2 = Font()
    public func bold() -> Font { self }
}
public struct Color: Leaf, Sendable {
    nonisolated public init() {}
    public static let clear = Color(), white = Color()
}
public struct Text: Leaf {
    nonisolated public init<S: StringProtocol>(_ text: S) {}
    public func font(_ font: Font?) -> Text { self }
    public func foregroundColor(_ colour: Color?) -> Text { self }
}
public struct Image: Leaf {
    public enum Interpolation { case none }
    nonisolated public init(systemName: String) {}
    public func interpolation(_ interpolation: Interpolation) -> Image { self }
    public func resizable() -> Image { self }
}
public struct RoundedRectangle: Leaf {
    nonisolated public init(cornerRadius: CGFloat) {}
    public func fill(_ colour: Color) -> some View { self }
    public func stroke(_ colour: Color, lineWidth: CGFloat) -> some View { self }
}
public struct Rectangle: Leaf { nonisolated public init() {} }

public struct Button<Label: View>: Leaf { public init(action: @escaping @MainActor () -> Void, @ViewBuilder label: () -> Label) {} }
public struct ButtonStyleConfiguration {
    public let label = EmptyView()
    public let isPressed = false
}
@MainActor @preconcurrency public protocol ButtonStyle {
    typealias Configuration = ButtonStyleConfiguration
    associatedtype Body: View
    @ViewBuilder func makeBody(configuration: Configuration) -> Body
}

public struct AccessibilityTraits: SetAlgebra, Sendable {
    public static let isHeader = AccessibilityTraits(), isSelected = AccessibilityTraits()
    public init() {}
    public func contains(_ member: AccessibilityTraits) -> Bool { false }
    public func union(_ other: AccessibilityTraits) -> AccessibilityTraits { self }
    public func intersection(_ other: AccessibilityTraits) -> AccessibilityTraits { self }
    public func symmetricDifference(_ other: AccessibilityTraits) -> AccessibilityTraits { self }
    public mutating func insert(_ new: AccessibilityTraits) -> (inserted: Bool, memberAfterInsert: AccessibilityTraits) { (true, new) }
    public mutating func remove(_ member: AccessibilityTraits) -> AccessibilityTraits? { nil }
    public mutating func update(with new: AccessibilityTraits) -> AccessibilityTraits? { nil }
    public mutating func formUnion(_ other: AccessibilityTraits) {}
    public mutating func formIntersection(_ other: AccessibilityTraits) {}
    public mutating func formSymmetricDifference(_ other: AccessibilityTraits) {}
}
public enum ScrollDismissesKeyboardMode { case interactively }

extension View {
    public func id<ID: Hashable>(_ id: ID) -> some View { self }
    public func font(_ font: Font?) -> some View { self }
    public func foregroundColor(_ colour: Color?) -> some View { self }
    public func padding(_ edges: Edge.Set = .all, _ length: CGFloat? = nil) -> some View { self }
    public func padding(_ length: CGFloat) -> some View { self }
    public func frame(minWidth: CGFloat? = nil, maxWidth: CGFloat? = nil, minHeight: CGFloat? = nil, alignment: Alignment = .leading) -> some View { self }
    public func background<V: View>(_ view: V) -> some View { self }
    public func overlay<V: View>(_ view: V) -> some View { self }
    public func opacity(_ opacity: Double) -> some View { self }
    public func contentShape(_ shape: Rectangle) -> some View { self }
    public func ignoresSafeArea(edges: Edge.Set = .all) -> some View { self }
    public func disabled(_ disabled: Bool) -> some View { self }
    public func fixedSize(horizontal: Bool, vertical: Bool) -> some View { self }
    public func scaledToFit() -> some View { self }
    public func scrollDismissesKeyboard(_ mode: ScrollDismissesKeyboardMode) -> some View { self }
    public func buttonStyle<S: ButtonStyle>(_ style: S) -> some View { self }
    public func accessibilityLabel<S: StringProtocol>(_ label: S) -> some View { self }
    public func accessibilityHidden(_ hidden: Bool) -> some View { self }
    public func accessibilityAddTraits(_ traits: AccessibilityTraits) -> some View { self }
    public func fullScreenCover<V: View>(isPresented: Binding<Bool>, @ViewBuilder content: @escaping () -> V) -> some View { self }
    public func task(_ action: @escaping @MainActor @Sendable () async -> Void) -> some View { self }
}

@propertyWrapper public struct Binding<Value> {
    public init() {}
    public var wrappedValue: Value { get { fatalError() } nonmutating set {} }
}
@MainActor @preconcurrency @propertyWrapper public struct ObservedObject<Object: ObservableObject> {
    @dynamicMemberLookup @MainActor public struct Wrapper {
        public subscript<Value>(dynamicMember path: ReferenceWritableKeyPath<Object, Value>) -> Binding<Value> { Binding() }
    }
    public init(wrappedValue: Object) { self.wrappedValue = wrappedValue }
    public var wrappedValue: Object
    public var projectedValue: Wrapper { Wrapper() }
}
@propertyWrapper public struct State<Value> {
    public init(wrappedValue: Value) {}
    public var wrappedValue: Value { get { fatalError() } nonmutating set {} }
}

public struct ProposedViewSize {
    public var width: CGFloat?, height: CGFloat?
    public init(width: CGFloat?, height: CGFloat?) {}
    public init(_ size: CGSize) {}
}
public struct LayoutSubview {
    public func sizeThatFits(_ size: ProposedViewSize) -> CGSize { .zero }
    public func place(at point: CGPoint, proposal: ProposedViewSize) {}
}
public protocol Layout {
    typealias Subviews = [LayoutSubview]
    func sizeThatFits(proposal: ProposedViewSize, subviews: Subviews, cache: inout ()) -> CGSize
    func placeSubviews(in bounds: CGRect, proposal: ProposedViewSize, subviews: Subviews, cache: inout ())
}
extension Layout {
    @MainActor public func callAsFunction<V: View>(@ViewBuilder _ content: () -> V) -> some View { content() }
}

// --- where it meets UIKit ---
import UIKit

extension Color { nonisolated public init(_ colour: UIColor) { self.init() } }
extension UIColor { public convenience init(_ colour: Color) { self.init(red: 0, green: 0, blue: 0, alpha: 1) } }
@MainActor @preconcurrency public protocol UIViewRepresentable: View where Body == Never {
    associatedtype UIViewType: UIView
    associatedtype Coordinator = Void
    typealias Context = UIViewRepresentableContext<Self>
    func makeUIView(context: Context) -> UIViewType
    func updateUIView(_ view: UIViewType, context: Context)
    func makeCoordinator() -> Coordinator
    func sizeThatFits(_ proposal: ProposedViewSize, uiView: UIViewType, context: Context) -> CGSize?
}
extension UIViewRepresentable {
    public var body: Never { fatalError() }
    public func sizeThatFits(_ proposal: ProposedViewSize, uiView: UIViewType, context: Context) -> CGSize? { nil }
}
extension UIViewRepresentable where Coordinator == Void { public func makeCoordinator() {} }
@MainActor public struct UIViewRepresentableContext<V: UIViewRepresentable> { public var coordinator: V.Coordinator { fatalError() } }
@MainActor @preconcurrency public protocol UIViewControllerRepresentable: View where Body == Never {
    associatedtype UIViewControllerType: UIViewController
    typealias Context = Void
    func makeUIViewController(context: Context) -> UIViewControllerType
    func updateUIViewController(_ controller: UIViewControllerType, context: Context)
}
extension UIViewControllerRepresentable { public var body: Never { fatalError() } }

@MainActor @preconcurrency public protocol Scene {}
public struct WindowGroup<Content: View>: Scene { public init(@ViewBuilder content: () -> Content) {} }
@MainActor @preconcurrency public protocol App {
    associatedtype Body: Scene
    var body: Body { get }
    init()
}
extension App { public static func main() {} }
@MainActor @preconcurrency @propertyWrapper public struct UIApplicationDelegateAdaptor<D: NSObject & UIApplicationDelegate> {
    public init(_ type: D.Type) {}
    public var wrappedValue: D { fatalError() }
}
