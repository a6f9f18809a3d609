// The closed lists that screens offer, in the order in which they are offered. A test holds them against the words for them.
extension EncounterKind: @retroactive CaseIterable {
    public static var allCases: [EncounterKind] { [.street, .dropIn, .phone, .siteVisit] }
}
extension Outcome: @retroactive CaseIterable {
    public static var allCases: [Outcome] {
        [.unknown, .accepted, .declined, .later, .notNow, .notAvailable, .turnedAwayByProvider, .alreadyHas]
    }
}
extension HowGiven: @retroactive CaseIterable {
    public static var allCases: [HowGiven] { [.spoken, .onScreen, .signedPaperOnFile] }
}
extension ReferralStatus: @retroactive CaseIterable {
    public static var allCases: [ReferralStatus] { [.thinking, .asked, .sent, .gotIt, .changedMind] }
}
extension ResourceCategory: @retroactive CaseIterable {
    public static var allCases: [ResourceCategory] {
        [.housing, .childcare, .healthCare, .income, .legalAid, .food, .saferUseSupplies, .dropIn, .transport, .other]
    }
}
extension Demand: @retroactive CaseIterable {
    public static var allCases: [Demand] { [.id, .abstinence, .policeContact, .address, .referral, .immigrationStatus] }
}
extension Weekday: @retroactive CaseIterable {
    public static var allCases: [Weekday] { [.monday, .tuesday, .wednesday, .thursday, .friday, .saturday, .sunday] }
}
extension Role: @retroactive CaseIterable {
    public static var allCases: [Role] { [.steward, .worker, .board] }
}
extension ConsentAct: @retroactive CaseIterable {
    public static var allCases: [ConsentAct] { [.record, .share] }
}
extension GatedCategory: @retroactive CaseIterable {
    public static var allCases: [GatedCategory] {
        [
            .legalName, .birthDate, .contactDetail, .exactPlace, .governmentId, .immigration, .justiceContact, .officer,
            .physicalDescription, .vehicle, .thirdParty, .demographics,
        ]
    }
}
extension Purpose: @retroactive CaseIterable {
    public static var allCases: [Purpose] {
        [
            .serviceConnection, .warmHandoff, .benefitsApplication, .housingApplication, .legalDefence, .healthCare, .emergencyContact,
            .ownCopy,
        ]
    }
}
extension FactField: @retroactive CaseIterable {
    public static var allCases: [FactField] {
        [
            .legalName, .birthDate, .phone, .email, .otherContact, .exactPlace, .idNumber, .benefitNumber, .immigrationPapers, .caseNumber,
            .court, .courtDate, .defender, .officerName, .officerBadge, .officerUnit, .appearance, .plate, .vehicleLook, .otherPerson,
            .gender, .origin, .orientation, .disability,
        ]
    }
}
extension ComplaintCategory: @retroactive CaseIterable {
    public static var allCases: [ComplaintCategory] {
        [
            .serviceQuality, .discrimination, .coercion, .policeMisconduct, .policeSexualViolence, .extortion, .privacy, .other,
            .feltPressured,
        ]
    }
}
extension ComplaintProgress: @retroactive CaseIterable {
    public static var allCases: [ComplaintProgress] { [.received, .read, .answered, .closed] }
}

/// The name of a value as the string tables and the library's codes write it: `.dropIn` is "drop_in".
public func snake(_ value: some Any) -> String {
    var name = ""
    for letter in String(describing: value) {
        if letter.isUppercase { name += "_" }
        name += letter.lowercased()
    }
    return name
}
