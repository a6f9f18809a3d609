/// Why something was not done. Nothing was changed; the screen words it by `kind` and `code` in the user's language.
public struct Fault: Error, Equatable, Sendable {
    public enum Kind: Sendable, CaseIterable {
        case locked, wrongPassphrase, tooSoon, notFound, input, noConsent, refused, storage, sync, `internal`
    }
    public let kind: Kind
    public let code: String
    public let remedy: String
    public var seconds: UInt64 = 0
    public var field: String?
    public var findings: [Finding] = []

    public init(_ kind: Kind, _ code: String, _ remedy: String) {
        self.kind = kind
        self.code = code
        self.remedy = remedy
    }

    init(_ error: LibraryError) {
        switch error {
        case .Locked(let code, let remedy): self.init(.locked, code, remedy)
        case .WrongPassphrase(let code, let remedy): self.init(.wrongPassphrase, code, remedy)
        case .TooSoon(let code, let remedy, let seconds):
            self.init(.tooSoon, code, remedy)
            self.seconds = seconds
        case .NotFound(let code, let remedy): self.init(.notFound, code, remedy)
        case .InvalidInput(let code, let remedy, let field, let findings):
            self.init(.input, code, remedy)
            self.field = field
            self.findings = findings
        case .NoConsent(let code, let remedy, _): self.init(.noConsent, code, remedy)
        case .Refused(let code, let remedy): self.init(.refused, code, remedy)
        case .Storage(let code, let remedy): self.init(.storage, code, remedy)
        case .Sync(let code, let remedy): self.init(.sync, code, remedy)
        case .Internal(let code, let remedy): self.init(.internal, code, remedy)
        }
    }
}

/// What a call came to.
public typealias Reply<T> = Result<T, Fault>

extension Result {
    public var value: Success? { try? get() }
}
