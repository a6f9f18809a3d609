// Only what App uses, so that its pages can be held against OutreachKit without a Mac. Nothing runs.
public final class ObservableObjectPublisher {}

public protocol ObservableObject: AnyObject {}

@propertyWrapper public struct Published<Value> {
    public init(wrappedValue: Value) { self.wrappedValue = wrappedValue }
    public var wrappedValue: Value
}
