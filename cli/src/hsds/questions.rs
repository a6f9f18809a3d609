//! The questions asked of a provider's words, and the phrases that answer them (English directories).

use super::rules::Rule;
use satchel_core::catalogue::{Demand, Excluded, Recipient};

const ID: Rule = Rule {
    ambiguous: true,
    yes: &[
        "photo id",
        "photo identification",
        "picture id",
        "government issued id",
        "government id",
        "state id",
        "state issued id",
        "valid id",
        "id required",
        "id is required",
        "id and proof",
        "identification required",
        "identification is required",
        "must have id",
        "must have an id",
        "must show id",
        "must present id",
        "bring id",
        "bring an id",
        "bring your id",
        "bring identification",
        "proof of identity",
        "proof of id",
        "requires id",
        "require id",
        "official identification",
    ],
    no: &[],
    nouns: &[
        "id",
        "ids",
        "identification",
        "passport",
        "drivers license",
        "driver license",
        "drivers licence",
        "driving licence",
        "birth certificate",
        "identity card",
        "identity documents",
    ],
};

const ABSTINENCE: Rule = Rule {
    ambiguous: true,
    yes: &[
        "must be sober",
        "must be clean and sober",
        "clean and sober",
        "sobriety required",
        "sobriety is required",
        "must be abstinent",
        "abstinence required",
        "abstinence is required",
        "must be drug free",
        "remain drug free",
        "stay drug free",
        "must be alcohol free",
        "pass a drug test",
        "drug test required",
        "drug testing required",
        "drug tests required",
        "random drug testing",
        "random drug tests",
        "regular drug testing",
        "submit to drug testing",
        "drug screen",
        "drug screening",
        "urine test",
        "urine screen",
        "breathalyzer",
        "breathalyser",
        "breath test",
        "must remain sober",
        "must stay sober",
        "sober living",
        "days sober",
        "days clean",
        "hours sober",
        "days of sobriety",
        "commitment to sobriety",
    ],
    no: &["any stage of use", "abstinence is never asked"],
    nouns: &["sobriety", "abstinence", "sober"],
};

const POLICE_CONTACT: Rule = Rule {
    ambiguous: true,
    yes: &[
        "police referral",
        "referred by police",
        "referred by the police",
        "police referred",
        "referral from police",
        "court referred",
        "court referral",
        "court referral required",
        "referred by the court",
        "referred by a court",
        "court ordered only",
        "must be court ordered",
        "law enforcement referral",
        "referred by law enforcement",
        "referral from law enforcement",
        "probation referral",
        "referred by probation",
        "police report required",
        "must file a police report",
        "must report to police",
        "filed a police report",
        "warrant check",
        "police clearance",
        "police background check",
        "must be on parole",
        "must be on probation",
    ],
    no: &[],
    nouns: &["police report", "police contact", "police", "law enforcement"],
};

const ADDRESS: Rule = Rule {
    ambiguous: true,
    yes: &[
        "proof of address",
        "proof of residence",
        "proof of residency",
        "utility bill",
        "must live in",
        "must reside in",
        "must be a resident",
        "must be residents",
        "residents only",
        "must have an address",
        "must have a fixed address",
        "fixed address required",
        "address required",
        "address is required",
        "evidence of address",
        "documentation of residence",
    ],
    no: &["people without an address", "general delivery accepted"],
    nouns: &["address", "permanent address", "fixed address", "mailing address", "lease", "residency"],
};

const REFERRAL: Rule = Rule {
    ambiguous: true,
    yes: &[
        "referral required",
        "referral is required",
        "referrals required",
        "by referral",
        "referral only",
        "referrals only",
        "requires a referral",
        "require a referral",
        "must be referred",
        "referred by",
        "referral letter",
        "referral from",
        "agency referral",
        "professional referral",
        "court referred",
        "police referred",
        "through coordinated entry",
    ],
    no: &["self referral", "self referrals", "self refer", "self referred", "walk in without a referral"],
    nouns: &["referral", "referrals", "referral form"],
};

const IMMIGRATION_STATUS: Rule = Rule {
    ambiguous: true,
    yes: &[
        "proof of citizenship",
        "citizens only",
        "must be a citizen",
        "must be citizens",
        "us citizens",
        "us citizen",
        "citizen or legal resident",
        "must be legal residents",
        "must be a legal resident",
        "lawful permanent resident",
        "lawful permanent residents",
        "proof of immigration status",
        "proof of legal status",
        "immigration documents",
        "green card",
        "right to work",
        "lawful status",
    ],
    no: &[
        "regardless of immigration status",
        "all immigration statuses",
        "any immigration status",
        "undocumented people welcome",
        "undocumented welcome",
    ],
    nouns: &["immigration status", "citizenship", "citizenship papers"],
};

const HMIS: Rule = Rule {
    ambiguous: false,
    yes: &[
        "entered in hmis",
        "entered into hmis",
        "entered in the hmis",
        "hmis entry",
        "shares data with hmis",
        "shared with hmis",
        "shared in hmis",
        "participates in hmis",
        "hmis participating",
        "recorded in hmis",
        "hmis consent required",
        "homeless management information system",
    ],
    no: &["does not use hmis", "not part of hmis"],
    nouns: &["hmis"],
};

const POLICE: Rule = Rule {
    ambiguous: false,
    yes: &[
        "shares data with police",
        "shared with police",
        "shared with the police",
        "shared with law enforcement",
        "shares information with law enforcement",
        "shares information with police",
        "reports to law enforcement",
        "reports to the police",
        "reported to police",
    ],
    no: &["never shared with police", "never share information with police", "not shared with police"],
    nouns: &[],
};

const FAITH_OR_RESCUE: Rule = Rule {
    ambiguous: false,
    yes: &[
        "must attend chapel",
        "attend chapel",
        "chapel required",
        "chapel is required",
        "chapel attendance",
        "chapel service required",
        "attend worship",
        "must attend worship",
        "attend church",
        "must attend church",
        "bible study required",
        "bible study is required",
        "attend bible study",
        "must pray",
        "attend a sermon",
        "prayer service before",
        "exit the sex trade",
        "exiting the sex trade",
        "leave the sex trade",
        "leave the life",
        "leaving prostitution",
        "must exit",
    ],
    no: &[
        "no religious requirement",
        "no religious requirements",
        "no religious participation",
        "not religious",
        "secular",
        "chapel is optional",
        "worship is optional",
    ],
    nouns: &["chapel", "worship", "prayer", "religious participation", "bible study"],
};

const PARTNERS: Rule = Rule {
    ambiguous: false,
    yes: &[
        "no couples",
        "no partners",
        "couples are not accepted",
        "couples not accepted",
        "single men only",
        "single women only",
        "single adults only",
        "singles only",
        "cannot accept couples",
        "couples are separated",
    ],
    no: &[
        "couples welcome",
        "couples are welcome",
        "couples accepted",
        "partners welcome",
        "partners are welcome",
        "couples may stay together",
    ],
    nouns: &[],
};

const PETS: Rule = Rule {
    ambiguous: false,
    yes: &[
        "no pets",
        "no animals",
        "no dogs",
        "pets not allowed",
        "pets are not allowed",
        "pets not accepted",
        "service animals only",
        "cannot accept pets",
        "pets cannot",
    ],
    no: &[
        "pets welcome",
        "pets are welcome",
        "pets allowed",
        "pets are allowed",
        "pets accepted",
        "pet friendly",
        "dogs welcome",
        "dogs are welcome",
        "kennels available",
    ],
    nouns: &[],
};

const TRANS_WOMEN: Rule = Rule {
    ambiguous: false,
    yes: &[
        "biological women only",
        "biological women",
        "biological females",
        "biological female",
        "born female",
        "assigned female at birth only",
        "no trans women",
        "no transgender women",
        "cisgender women only",
        "female at birth",
    ],
    no: &[
        "trans women welcome",
        "trans women are welcome",
        "transgender women welcome",
        "transgender women are welcome",
        "trans inclusive",
        "transgender inclusive",
        "including trans women",
        "including transgender women",
        "all genders",
        "all gender identities",
    ],
    nouns: &[],
};

const ACTIVE_USE: Rule = Rule {
    ambiguous: false,
    yes: &[
        "no active use",
        "no active substance use",
        "no active drug use",
        "active users not accepted",
        "must not be under the influence",
        "may not be under the influence",
        "not be intoxicated",
        "no one under the influence",
        "not admitted under the influence",
        "intoxicated people turned away",
        "intoxicated guests turned away",
    ],
    no: &[
        "people who use drugs welcome",
        "people who use drugs are welcome",
        "active use is not a barrier",
        "may be under the influence",
        "people who are using are welcome",
        "any stage of use",
    ],
    nouns: &[],
};

/// The phrases about a demand.
pub fn demand(demand: Demand) -> &'static Rule {
    match demand {
        Demand::Id => &ID,
        Demand::Abstinence => &ABSTINENCE,
        Demand::PoliceContact => &POLICE_CONTACT,
        Demand::Address => &ADDRESS,
        Demand::Referral => &REFERRAL,
        Demand::ImmigrationStatus => &IMMIGRATION_STATUS,
    }
}

/// The phrases about passing data on.
pub fn recipient(recipient: Recipient) -> &'static Rule {
    match recipient {
        Recipient::Hmis => &HMIS,
        Recipient::Police => &POLICE,
    }
}

/// The phrases about turning people away.
pub fn excluded(excluded: Excluded) -> &'static Rule {
    match excluded {
        Excluded::Partners => &PARTNERS,
        Excluded::Pets => &PETS,
        Excluded::TransWomen => &TRANS_WOMEN,
        Excluded::ActiveUse => &ACTIVE_USE,
    }
}

/// The phrases about religious or "rescue" conditions.
pub fn faith_or_rescue() -> &'static Rule {
    &FAITH_OR_RESCUE
}

/// Whether a word is a noun of any demand, so that one negation can cover a list of them.
pub fn is_noun(word: &str) -> bool {
    const ALSO: [&str; 4] = ["proof", "photo", "documents", "insurance"];
    let demands = [&ID, &ABSTINENCE, &POLICE_CONTACT, &ADDRESS, &REFERRAL, &IMMIGRATION_STATUS];
    ALSO.contains(&word) || demands.iter().any(|rule| rule.nouns.iter().any(|noun| noun.split(' ').any(|part| part == word)))
}

#[cfg(test)]
mod tests {
    use super::super::rules::{Verdict, Words};
    use super::*;

    fn ask(rule: &Rule, text: &str) -> Verdict {
        let mut words = Words::default();
        words.add(text);
        words.ask(rule)
    }

    #[test]
    fn explicit_words_answer_and_silence_does_not() {
        for (rule, text, verdict) in [
            (&ID, "Photo ID and proof of income.", Verdict::Yes),
            (&ID, "Adults 18 and over. Bring an ID.", Verdict::Yes),
            (&ID, "No ID needed.", Verdict::No),
            (&ID, "ID is not required.", Verdict::No),
            (&ID, "We don't ask for any form of identification.", Verdict::No),
            (&ID, "We help you replace a lost birth certificate or ID.", Verdict::Silent),
            (&ID, "Open to everyone.", Verdict::Silent),
            (&ABSTINENCE, "Residents must be sober for 30 days.", Verdict::Yes),
            (&ABSTINENCE, "Sobriety is not required.", Verdict::No),
            (&ABSTINENCE, "You do not need to be sober.", Verdict::No),
            (&ABSTINENCE, "People at any stage of use.", Verdict::No),
            (&POLICE_CONTACT, "Court-referred clients only.", Verdict::Yes),
            (&POLICE_CONTACT, "No police report needed.", Verdict::No),
            (&REFERRAL, "Court-referred clients only.", Verdict::Yes),
            (&REFERRAL, "By referral only.", Verdict::Yes),
            (&REFERRAL, "Self-referrals accepted.", Verdict::No),
            (&REFERRAL, "No ID, proof of address or referral needed.", Verdict::No),
            (&ADDRESS, "No ID, proof of address or referral needed.", Verdict::No),
            (&ADDRESS, "Must live in Harrow County.", Verdict::Yes),
            (&IMMIGRATION_STATUS, "Everyone, regardless of immigration status.", Verdict::No),
            (&IMMIGRATION_STATUS, "We never ask about immigration status.", Verdict::No),
            (&IMMIGRATION_STATUS, "For U.S. citizens and nobody else.", Verdict::Yes),
            (&HMIS, "Your name is entered into HMIS.", Verdict::Yes),
            (&HMIS, "No HMIS.", Verdict::No),
            (&FAITH_OR_RESCUE, "Guests attend chapel before the meal.", Verdict::Yes),
            (&FAITH_OR_RESCUE, "There is no religious requirement.", Verdict::No),
            (&PETS, "No pets allowed.", Verdict::Yes),
            (&PETS, "Pets are welcome.", Verdict::No),
            (&PARTNERS, "Couples are welcome.", Verdict::No),
            (&TRANS_WOMEN, "Biological women only.", Verdict::Yes),
            (&TRANS_WOMEN, "All women, including trans women.", Verdict::No),
            (&ACTIVE_USE, "Guests must not be under the influence.", Verdict::Yes),
        ] {
            assert_eq!(ask(rule, text), verdict, "{text}");
        }
    }

    #[test]
    fn conditions_and_contradictions_leave_it_unknown() {
        for (rule, text) in [
            (&ID, "Photo ID preferred."),
            (&ID, "Photo ID if you have one."),
            (&ID, "No walk-ins, photo ID required."),
            (&ID, "No ID needed for meals. Photo ID required for lockers."),
            (&ADDRESS, "Not for visitors: must live in Harrow. No proof of address needed."),
            (&REFERRAL, "Self-referral or referred by a clinic."),
        ] {
            assert_eq!(ask(rule, text), Verdict::Unclear, "{text}");
        }
    }

    #[test]
    fn what_a_service_gives_is_not_what_it_demands() {
        let describe = |rule: &Rule, text: &str| {
            let mut words = Words::default();
            words.add_description(text);
            words.ask(rule)
        };
        for (rule, text) in [
            (&ID, "Help with getting photo ID and birth certificates."),
            (&ID, "No ID? We help you get one."),
            (&ADDRESS, "We write a proof of address letter."),
            (&ABSTINENCE, "Anonymous drug testing for fentanyl."),
            (&REFERRAL, "A referral letter to any clinic."),
        ] {
            assert_eq!(describe(rule, text), Verdict::Silent, "{text}");
        }
        assert_eq!(describe(&ID, "Photo ID required."), Verdict::Yes);
        assert_eq!(describe(&ID, "No ID needed."), Verdict::No);
        assert_eq!(describe(&FAITH_OR_RESCUE, "Guests attend chapel first."), Verdict::Yes);
    }

    #[test]
    fn a_required_document_is_a_demand_and_the_same_word_in_passing_is_not() {
        let mut words = Words::default();
        words.add("Lawyers for people who lost a passport.");
        assert_eq!(words.ask(&ID), Verdict::Silent);
        words.add_document("Passport or driver's license");
        assert_eq!(words.ask(&ID), Verdict::Yes);
    }
}
