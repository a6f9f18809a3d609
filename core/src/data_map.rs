//! The data map: every field that can exist, why, who can open it, and until when.
//!
//! One table, checked by a test against the types that are stored and sent: a field that is missing here, or stands
//! here and no longer exists, fails the build. `docs/DATA_MAP.md` is made from it.

use std::fmt::Write;

/// Things of one kind.
#[derive(Debug, Clone, Copy)]
pub struct DataGroup {
    /// What they are called.
    pub name: &'static str,
    /// The type in the source, `path#item`, relative to `core/src`: what the test reads.
    pub source: &'static str,
    /// Whether it is about a participant.
    pub is_about_a_person: bool,
    /// Who can open it.
    pub readers: &'static str,
    /// When it goes.
    pub until: &'static str,
    /// Every field, and why it exists.
    pub fields: &'static [(&'static str, &'static str)],
}

const TEAM: &str = "workers and stewards";
const EVERYBODY: &str = "every member, the board included";
const PHONE: &str = "whoever unlocks this phone";
const FILE: &str = "12 months after the last contact, or sooner by the charter; at once when consent is taken back";
const MEETING: &str = "90 days after the meeting, or sooner by the charter";
const LOG: &str = "the team's last day";

macro_rules! group {
    ($name:literal, $source:literal, $person:literal, $readers:expr, $until:expr, $($field:literal: $why:literal),+ $(,)?) => {
        DataGroup { name: $name, source: $source, is_about_a_person: $person, readers: $readers, until: $until, fields: &[$(($field, $why)),+] }
    };
}

/// Everything that can exist.
pub const DATA_MAP: &[DataGroup] = &[
    group!("participant file", "record/participant.rs#field", true, TEAM, FILE,
        "alias": "to greet somebody by the name they chose",
        "pronouns": "to speak of them as they want",
        "language": "to speak with them",
        "contact": "how they may safely be reached; none is an answer",
        "goals": "what they want, in their order",
        "recognition_word": "asked before their page is read out, so that nobody can pose as them",
        "closed": "they closed the file",
        "grant": "the consent that the file rests on",
    ),
    group!("encounter", "record/encounter.rs#Encounter", true, TEAM, MEETING,
        "kind": "street, drop-in, phone or site visit",
        "masked_zone": "where the team is needed: a random code, under a key that is destroyed after 14 days",
        "offers": "what was offered, so that a colleague can go on",
        "note": "what a colleague needs to know; the guard reads it first",
    ),
    group!("offer", "record/encounter.rs#Offer", true, TEAM, MEETING,
        "resource": "which service or supply",
        "quantity": "how many",
        "outcome": "what the participant said",
        "kept_at_request": "a no is kept with a person only if they ask",
    ),
    group!("follow-up", "record/follow_up.rs#field", true, TEAM, FILE,
        "what": "what was promised",
        "from": "not before",
        "until": "not after",
        "who": "which member promised it",
        "contact": "how they may be reached about it",
        "state": "open, done, dropped by the participant, or over",
    ),
    group!("self-referral", "record/self_referral.rs#field", true, TEAM, FILE,
        "started_by": "the participant, alone or with a worker; nobody else",
        "to": "which service",
        "words": "what they want said",
        "status": "how far it is, by the participant's word",
        "share_grant": "the consent under which something was shared",
    ),
    group!("consent", "consent/grant.rs#Grant", true, TEAM, "its last day, 12 months at most",
        "act": "to keep a fact, or to share it; never both",
        "categories": "which facts",
        "recipient": "one, by name in the catalogue; there is no wildcard",
        "purpose": "one, from a closed list without investigation",
        "start": "from when on",
        "expiry": "until when; it ends by itself",
        "how": "spoken, on screen, or on paper",
        "words_version": "which words were shown",
        "words_language": "in which language",
        "withdrawals_seen": "so that a withdrawal always wins over a consent that had not seen it",
        "class": "what kind of place the recipient is; police and courts are a kind of their own",
        "received": "the yes was given to another team, for facts that came from there",
    ),
    group!("fact in a vault", "record/vault.rs#FactField", true, TEAM, "with the consent that it rests on, or when that is taken back",
        "legal_name": "for a form that asks for it",
        "birth_date": "for a form that asks for it",
        "phone": "to be reached, if they want that",
        "email": "to be reached, if they want that",
        "other_contact": "to be reached, if they want that",
        "exact_place": "so that help finds them, if they want that",
        "id_number": "for a form that asks for it",
        "benefit_number": "for a form that asks for it",
        "immigration_papers": "for a lawyer or a form",
        "case_number": "for their defence",
        "court": "for their defence",
        "court_date": "so that they can be there",
        "defender": "to reach their own lawyer",
        "officer_name": "for a complaint or claim of their own",
        "officer_badge": "for a complaint or claim of their own",
        "officer_unit": "for a complaint or claim of their own",
        "appearance": "so that a new colleague finds them, if they want that",
        "plate": "to help with a vehicle that was towed, say",
        "vehicle_look": "to help with a vehicle that was towed, say",
        "other_person": "whom to call, if they want that",
        "gender": "in their own words, for counts that show who is turned away",
        "origin": "in their own words, for counts that show who is turned away",
        "orientation": "in their own words, for counts that show who is turned away",
        "disability": "in their own words, for counts that show who is turned away",
    ),
    group!("recipient", "record/recipient.rs#Recipient", false, TEAM, LOG,
        "name": "to whom something may be shared; one person or office",
        "class": "what kind of place it is",
        "pairing": "what packets for it are sealed with, if somebody met it",
    ),
    group!("pairing with a recipient", "record/recipient.rs#Pairing", false, TEAM, LOG,
        "key": "only the recipient's phone opens what is sealed with it",
        "seed": "the recipient knows by it that a packet is from the team, and can prove that to nobody",
    ),
    group!("line of the sharing log", "record/sharing.rs#SharingNote", true, TEAM, "two years, so that somebody can ask later",
        "event": "shared, asked to erase, or answered",
        "grant": "under which consent",
        "recipient": "to whom",
        "categories": "which kinds of facts, never the facts",
        "share": "which copy, by a random id, to ask for it back",
        "answer": "what the recipient answered: the day, whether it was kept, and how many phones are awaited",
    ),
    group!("withdrawal", "consent/grant.rs#Withdrawal", true, TEAM, "two years, longer than any consent that it could meet",
        "act": "to keep, to share, or both",
        "category": "which facts, or all",
        "recipient": "for whom, or for all",
        "how": "spoken, on screen, or on paper",
    ),
    group!("tally", "record/tally.rs#Tally", false, TEAM, LOG,
        "lines": "anonymous counts of a finished shift, sent as one sum",
    ),
    group!("tally line", "record/tally.rs#TallyLine", false, TEAM, LOG,
        "resource": "which service or supply",
        "outcome": "what was said, by nobody in particular",
        "count": "how often",
    ),
    group!("note on a service", "record/mapping.rs#note_field", false, TEAM, LOG,
        "resource": "which service",
        "note": "what the team learned about it",
    ),
    group!("name of a zone or member", "record/mapping.rs#NAME", false, TEAM, "erased by hand, at the latest the team's last day",
        "name": "what colleagues call a zone or each other",
    ),
    group!("complaint", "complaint/content.rs#Complaint", true, "the board alone",
        "the board closes it; on other phones only a sealed box, until it is sent, 56 days at most",
        "category": "what it is about, from a closed list",
        "text": "what its author wants the board to read",
        "reply": "where the board may answer, if they want that",
        "receipt": "so that its author can follow it up without a name",
    ),
    group!("charter", "consent/charter.rs#Charter", false, EVERYBODY, LOG,
        "time_zone": "when a shift day begins",
        "retention": "how long each kind is kept",
        "sunset": "the team's last day",
        "absence_limit_days": "when a silent phone gets no more keys",
        "suppression": "below which count a report says nothing",
        "grant_days": "how long a consent may last",
        "categories": "which kinds of facts vaults may hold",
        "justice_shares": "whether anything can be shared with police or courts at all",
        "share_contact_days": "how long a phone that meets nobody may go on sharing",
        "board_key": "the board's first key for complaints",
        "board_signing": "the key that signs the board's bulletins",
        "funders": "who pays",
        "agreements": "agreements with police, prosecutors, anti-trafficking or recovery bodies",
        "reviewed": "when participants and board last went over it",
        "review_due": "when they are to do so again",
    ),
    group!("retention", "consent/charter.rs#Retention", false, EVERYBODY, LOG,
        "encounter_days": "how long a meeting is kept",
        "zone_days": "how long its zone is shown",
        "participant_days": "how long a file is kept after the last contact",
    ),
    group!("terms of consents", "consent/charter.rs#GrantDays", false, EVERYBODY, LOG,
        "record": "the longest consent to keep a fact",
        "share": "the longest consent to share one",
    ),
    group!("agreement", "consent/charter.rs#Agreement", false, EVERYBODY, LOG,
        "with": "with whom",
        "what": "what was agreed",
    ),
    group!("team log", "team/operation.rs#Action", false, EVERYBODY, LOG,
        "Found": "who founded the team, by a random id, with its first charter",
        "Admit": "a device joins; its public keys and role",
        "ChangeRole": "what a member may do",
        "Suspend": "a member is out until a steward says otherwise",
        "RemoveMember": "a member is out for good",
        "RemoveDevice": "a phone is out for good",
        "Adopt": "work of a removed phone is accepted",
        "Reseat": "the paper key decides after a quarrel or a loss",
        "Tombstone": "something is erased; it is named by keyed hashes only",
        "Countersign": "a second member agrees",
        "ChangeCharter": "the policy changes, for everybody to see",
        "Reinstate": "a suspension ends",
        "Resume": "a phone that was restored may go on",
        "SetRecovery": "the paper key that brings the team back",
        "Bulletin": "what the board publishes, signed by its own key",
    ),
    group!("table of a store", "storage/table.rs#Table", true, PHONE, "with what it holds; what is erased goes with its key",
        "Meta": "small values, listed below",
        "Page": "keys and summaries of records, sealed by the page",
        "Record": "which page holds a record, under a hash of its id",
        "Tail": "the newest summaries, not yet in their page",
        "Body": "records as they travel, sealed each under its own key",
        "Draft": "what has not left yet, sealed",
        "Document": "copies of documents that open faster, sealed",
        "Ledger": "which records are known, sealed",
        "Operation": "the team log, sealed",
        "Held": "what waits for something that has not arrived, sealed",
        "Outbox": "what waits to be sent, sealed",
    ),
    group!("small value of a store", "store#names", false, PHONE, "with the store; keys among them are replaced at every erasure",
        "root": "every lasting key; the newest reseat key until it is written down, two weeks at most",
        "turns": "which keys of the team were in use",
        "state": "the last sure day, the relay's address, what is missing",
        "tally": "the running count of this shift",
        "frontiers": "what colleagues' phones said they hold",
        "keyring": "what the keys need besides",
        "held operations": "operations of the log that wait for others",
        "relay progress": "what the relay is known to hold",
        "inbox credential": "where the relay is and the key that pulls, for a locked phone; only where that is on",
        "inbox spool": "sealed rows that a locked phone fetched",
        "relay traffic": "bytes to and from the relay by day, for a month",
        "erasures": "what was erased, by keyed hashes, and who has confirmed it",
        "announcement parts": "keys of the team that came in pieces",
        "wire roots": "lists that bring a new phone up to date",
        "wire pages": "the same, piece by piece",
        "complaints": "sealed boxes that wait, most of which hold nothing",
        "board book": "on a board phone: complaints that were read",
        "board shares": "on a board phone: which other board phone has the keys",
        "shares sent": "copies that left, to ask for them back: to whom and which kinds of facts, never the facts; while copies stand, the keys that seal for their recipients",
        "shares received": "what opens packets from other teams; gone for each packet that was kept, erased or over",
    ),
];

/// The data map as Markdown.
pub fn data_map_text() -> String {
    let mut text = String::from(
        "# What can be stored\n\nEvery field that can exist, why, who can open it, and until when. Made from the program\n\
         (`satchel charter data-map`), and checked against it: what is not here cannot be stored.\n\nA relay opens none of it. \
         Not here, because there is no place for it: photos, places on a map, clock times,\nwho was with whom, drug use, \
         sex work, arrests, scores. A fact such as a legal name exists in a vault only, under a consent of its own.\n",
    );
    for group in DATA_MAP {
        let person = if group.is_about_a_person { "may be about a participant" } else { "about nobody" };
        let _ = write!(
            text,
            "\n## {}\n\n{person} · opened by {} · until: {}\n\n| field | why |\n|---|---|\n",
            group.name, group.readers, group.until
        );
        for (field, why) in group.fields {
            let _ = writeln!(text, "| {field} | {why} |");
        }
    }
    text
}
