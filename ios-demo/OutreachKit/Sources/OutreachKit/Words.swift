/// The user's words: those of the string tables, with their places filled in.
public struct Words: Sendable {
    private let lookUp: @Sendable (String) -> String

    /// `lookUp` gives the text of a key in the user's language, or the key itself.
    public init(_ lookUp: @escaping @Sendable (String) -> String) { self.lookUp = lookUp }

    /// The text of `key`, with `fills` where it says "%1$@" (text) or "%1$ld" (number).
    public func callAsFunction(_ key: String, _ fills: CustomStringConvertible...) -> String {
        // one pass: what is filled in is never read as a place itself
        var text = ""
        var rest = Substring(lookUp(key))
        while let percent = rest.firstIndex(of: "%") {
            text += rest[..<percent]
            rest = rest[percent...]
            let place = rest.prefix(while: { $0 != "@" && $0 != "d" })
            let number = place.dropFirst().prefix(while: \.isNumber)
            guard let at = Int(number), at >= 1, at <= fills.count, place.count < rest.count else {
                text += "%"
                rest = rest.dropFirst()
                continue
            }
            text += fills[at - 1].description
            rest = rest.dropFirst(place.count + 1)
        }
        return text + rest
    }

    /// The word for a value of a closed list: each value has its string, named after it.
    public func word(_ prefix: String, _ value: some Any) -> String { self("\(prefix)_\(snake(value))") }

    /// What went wrong and what can be done, without anything that was typed.
    public func fault(_ fault: Fault) -> String {
        switch fault.kind {
        case .locked: self("fault_locked")
        case .wrongPassphrase: self("fault_wrong_passphrase")
        case .tooSoon: self("fault_too_soon", fault.seconds)
        case .notFound: self("fault_not_found")
        case .input:
            if !fault.findings.isEmpty {
                self("fault_text")
            } else if fault.code == "passphrase_short" {
                self("fault_passphrase_short")
            } else if fault.code == "passphrases_differ" {
                self("fault_passphrases_differ")
            } else if fault.code == "recognition_word" {
                self("fault_word")
            } else {
                self("fault_input", fault.code)
            }
        case .noConsent: self("fault_no_consent", fault.code)
        case .refused: self("fault_refused", fault.code)
        case .storage: self("fault_storage", fault.code)
        case .sync: self("fault_sync", fault.code)
        case .internal: self("fault_internal", fault.code)
        }
    }

    /// When a colleague's phone was met last.
    public func met(daysAgo: Int?) -> String {
        guard let daysAgo else { return self("met_never") }
        return daysAgo <= 0 ? self("met_today") : self("met_days", daysAgo)
    }

    /// When somebody was last in contact.
    public func last(daysAgo: Int) -> String { daysAgo <= 0 ? self("last_today") : self("last_days", daysAgo) }

    /// When a phone was heard of.
    public func heard(_ phone: TeamModel.Phone) -> String {
        if phone.device.isSelf { return self("this_phone") }
        guard let daysAgo = phone.heardDaysAgo else { return self("heard_never") }
        return daysAgo <= 0 ? self("heard_today") : self("heard_days", daysAgo)
    }

    public func until(inDays: Int) -> String {
        if inDays < 0 { return self("due_past") }
        return inDays == 0 ? self("due_today") : self("in_days", inDays)
    }

    /// The phrase that can stand where a finding stood.
    public func neutral(_ finding: Finding) -> String {
        switch finding.category {
        case "contact_detail": self("neutral_contact_detail")
        case "legal_name": self("neutral_legal_name")
        case "exact_place": self("neutral_exact_place")
        case "third_party": self("neutral_third_party")
        default: self("neutral_other")
        }
    }

    /// What a provider demands, in one line.
    public func demands(_ resource: Resource) -> String {
        if resource.demands.isEmpty { return self("demands_none") }
        return self("demands", resource.demands.map { word("demand", $0) }.joined(separator: ", "))
    }

    /// All that is known of a resource, a line each.
    public func details(_ resource: Resource) -> [String] {
        let known: [String?] = [
            word("cat", resource.category), resource.provider, resource.description, demands(resource), resource.hours, resource.eligibility,
            resource.cost, resource.languages.joined(separator: ", "), resource.phone, resource.address,
            resource.sharesDataWith.contains(.police) ? self("shares_police") : nil,
            resource.sharesDataWith.contains(.hmis) ? self("shares_hmis") : nil,
            resource.faithOrRescue == true ? self("faith") : nil,
        ]
        return known.compactMap { $0 }.filter { !$0.isEmpty }
    }
}
