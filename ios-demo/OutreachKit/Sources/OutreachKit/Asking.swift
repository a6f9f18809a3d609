/// What one asks about gated facts: everything that a yes has to name.
public struct Asking: Sendable, Equatable {
    public var act: ConsentAct
    public var categories: [GatedCategory]
    public var recipient: String?
    public var purpose: Purpose
    public var days: Int
    public var language: Language
    public var how: HowGiven = .spoken
}
