//! A receipt for a yes: made on request, handed to the participant, kept nowhere.
//!
//! Two forms: a consent receipt (Kantara Consent Receipt 1.1, whose fields ISO/IEC TS 27560:2023 took over) and a FHIR R5
//! `Consent` (5.0.0). Neither names anybody: no participant, no worker, no id that stands in a store. Days, because nothing finer
//! is stored; a moment where the form wants one is the beginning of that day, UTC.

use super::grant::{Act, GatedCategory, Grant, HowGiven, Purpose};
use super::words::{self, Language, Words, category_words, purpose_words};
use crate::env::Env;
use satchel_wire::ShiftDay;
use std::fmt::Write;

/// Which form a receipt has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptForm {
    /// Kantara Consent Receipt 1.1.
    Kantara,
    /// HL7 FHIR R5 `Consent` (5.0.0).
    Fhir,
}

/// What a receipt is made from.
#[derive(Debug, Clone, Copy)]
pub struct ReceiptFacts<'a> {
    /// The grant, which counts today.
    pub grant: &'a Grant,
    /// The categories for which it counts today; none for a file.
    pub categories: &'a [GatedCategory],
    /// The last day on which it counts: the charter may cut what the grant says.
    pub until: ShiftDay,
    /// How the recipient of a share is called.
    pub recipient: Option<&'a str>,
    /// How the agency wants to be called on it; nothing in a store says so.
    pub agency: &'a str,
    /// Where the agency's charter can be read.
    pub policy: &'a str,
}

/// One JSON value, written by hand: nothing here parses any.
enum Json {
    Text(String),
    Number(u64),
    Flag(bool),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
    fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }
    fn coding(system: &str, code: &str) -> Self {
        Self::Object(vec![("coding", Self::List(vec![Self::Object(vec![("system", Self::text(system)), ("code", Self::text(code))])]))])
    }
    fn write(&self, out: &mut String) {
        match self {
            Self::Text(text) => quote(text, out),
            Self::Number(number) => {
                let _ = write!(out, "{number}");
            }
            Self::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(fields) => {
                out.push('{');
                for (at, (name, value)) in fields.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    quote(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// RFC 8259, section 7.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A receipt as JSON. Its id is random and stored nowhere.
pub fn receipt(env: &Env, facts: &ReceiptFacts<'_>, form: ReceiptForm) -> String {
    let language = Language::from_code(&facts.grant.words_language).unwrap_or(Language::English);
    let value = match form {
        ReceiptForm::Kantara => kantara(env, facts, language),
        ReceiptForm::Fhir => fhir(facts, language),
    };
    let mut text = String::new();
    value.write(&mut text);
    text
}

/// The words that they said yes to, filled in again with what of it counts today.
fn said(facts: &ReceiptFacts<'_>, language: Language) -> Option<Words> {
    let grant = facts.grant;
    let until = facts.until.to_string();
    let gaps = words::Gaps { what: facts.categories, why: grant.purpose, who: facts.recipient.unwrap_or(""), until: &until };
    words::fill(grant.words_version, language, &gaps)
}

fn categories(facts: &ReceiptFacts<'_>, language: Language) -> Vec<&'static str> {
    let page = if language == Language::English { "a page with the name that you chose" } else { "una hoja con el nombre que eligió" };
    match facts.categories {
        [] => vec![page],
        some => some.iter().map(|category| category_words(*category, language)).collect(),
    }
}

/// A random UUID, version 4 (RFC 9562).
fn uuid(env: &Env) -> String {
    let mut bytes: [u8; 16] = env.random();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    let mut text = String::with_capacity(36);
    for (at, c) in hex.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(c);
    }
    text
}

const fn is_sensitive(category: GatedCategory) -> bool {
    matches!(category, GatedCategory::Immigration | GatedCategory::JusticeContact | GatedCategory::Officer | GatedCategory::Demographics)
}

fn kantara(env: &Env, facts: &ReceiptFacts<'_>, language: Language) -> Json {
    let grant = facts.grant;
    let how = match grant.how {
        HowGiven::Spoken => "spoken, after these words were read out",
        HowGiven::OnScreen => "on the screen, after these words were shown",
        HowGiven::SignedPaperOnFile => "on paper",
    };
    let termination = format!("{}; at any time before, by saying so", facts.until);
    let mut purpose = vec![
        ("purpose", Json::text(purpose_words(grant.purpose, language))),
        ("purposeCategory", Json::texts([grant.purpose.as_str()])),
        ("consentType", Json::text("EXPLICIT")),
        ("piiCategory", Json::texts(categories(facts, language))),
        ("primaryPurpose", Json::Flag(true)),
        ("termination", Json::Text(termination)),
        ("thirdPartyDisclosure", Json::Flag(grant.act == Act::Share)),
    ];
    if let (Act::Share, Some(recipient)) = (grant.act, facts.recipient) {
        purpose.push(("thirdPartyName", Json::text(recipient)));
    }
    let service = Json::Object(vec![("service", Json::text(grant.act.as_str())), ("purposes", Json::List(vec![Json::Object(purpose)]))]);
    let sensitive: Vec<&str> =
        facts.categories.iter().filter(|category| is_sensitive(**category)).map(|category| category.as_str()).collect();
    let controller = Json::Object(vec![("piiController", Json::text(facts.agency)), ("onBehalf", Json::Flag(false))]);
    Json::Object(vec![
        ("version", Json::text("KI-CR-v1.1.0")),
        ("jurisdiction", Json::text("US")),
        ("consentTimestamp", Json::Number(u64::from(grant.start.days()) * 86_400)),
        ("collectionMethod", Json::text(how)),
        ("consentReceiptID", Json::Text(uuid(env))),
        ("language", Json::text(language.as_str())),
        // the form asks for one; there is none, and whoever holds the receipt is meant
        ("piiPrincipalId", Json::text("the holder of this receipt")),
        ("piiControllers", Json::List(vec![controller])),
        ("policyUrl", Json::text(facts.policy)),
        ("services", Json::List(vec![service])),
        ("sensitive", Json::Flag(!sensitive.is_empty())),
        ("spiCat", Json::texts(sensitive)),
        ("notice", Json::Text(said(facts, language).map_or_else(String::new, |words| words.text))),
    ])
}

/// FHIR's `url` has no white space; how to find a charter may be said in words instead.
fn is_url(text: &str) -> bool {
    text.contains(':') && !text.contains(char::is_whitespace)
}

/// In R5 the root says what holds where nothing else is said, and each provision is an exception to that: nothing is allowed
/// but what they said yes to. Whoever reads a provision otherwise refuses, which harms nobody.
fn fhir(facts: &ReceiptFacts<'_>, language: Language) -> Json {
    const ACTION: &str = "http://terminology.hl7.org/CodeSystem/consentaction";
    const REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
    const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
    let grant = facts.grant;
    let text = |text: &str| Json::Object(vec![("text", Json::text(text))]);
    let named = |name: &str| Json::Object(vec![("display", Json::text(name))]);
    let period = || Json::Object(vec![("start", Json::Text(grant.start.to_string())), ("end", Json::Text(facts.until.to_string()))]);
    let reason = if grant.purpose == Purpose::HealthCare { "TREAT" } else { "PATRQT" };
    let reason = Json::Object(vec![
        ("system", Json::text(REASON)),
        ("code", Json::text(reason)),
        ("display", Json::text(purpose_words(grant.purpose, language))),
    ]);
    let recipient = facts.recipient.filter(|_| grant.act == Act::Share);
    let mut provision = vec![("period", period())];
    if let Some(recipient) = recipient {
        let actor = Json::Object(vec![("role", Json::coding(PARTICIPATION, "IRCP")), ("reference", named(recipient))]);
        provision.push(("actor", Json::List(vec![actor])));
    }
    let action = if grant.act == Act::Share { "disclose" } else { "collect" };
    provision.push(("action", Json::List(vec![Json::coding(ACTION, action)])));
    provision.push(("purpose", Json::List(vec![reason])));
    provision.push(("code", Json::List(categories(facts, language).into_iter().map(text).collect())));
    let mut consent = vec![
        ("resourceType", Json::text("Consent")),
        ("language", Json::text(language.as_str())),
        ("status", Json::text("active")),
        ("category", Json::List(vec![Json::coding("http://loinc.org", "59284-0")])),
        ("date", Json::Text(grant.start.to_string())),
        ("period", period()),
    ];
    if let Some(recipient) = recipient {
        consent.push(("grantee", Json::List(vec![named(recipient)])));
    }
    consent.push(("controller", Json::List(vec![named(facts.agency)])));
    if is_url(facts.policy) {
        consent.push(("policyBasis", Json::Object(vec![("url", Json::text(facts.policy))])));
    }
    consent.push(("decision", Json::text("deny")));
    consent.push(("provision", Json::List(vec![Json::Object(provision)])));
    Json::Object(consent)
}
