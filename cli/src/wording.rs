//! Codes in plain English. One place, so that another language is another table.

use crate::failure::Failure;
use satchel_core::Remedy;
use satchel_core::screen::{Category, Finding};

/// What went wrong.
pub fn failure(failure: &Failure) -> String {
    let particular = match failure {
        Failure::Text { field, .. } => {
            Some(format!("The text of \"{field}\": {}", sentence(failure.code()).unwrap_or("it cannot be stored.")))
        }
        Failure::Argument { name, expected } => Some(format!("\"{name}\" cannot be read: expected {expected}.")),
        Failure::NoMatch { what } => Some(format!("There is no {what} like that here.")),
        Failure::Ambiguous { what, count, candidates } if candidates.is_empty() => {
            Some(format!("{count} {what}s fit that: give more of it, or the id."))
        }
        Failure::Ambiguous { what, count, candidates } => {
            Some(format!("{count} {what}s fit that; give more of it, or the id:\n  {}", candidates.join("\n  ")))
        }
        Failure::Unreadable(kind) => Some(format!("The file cannot be read ({kind}).")),
        Failure::Hsds(error) => Some(format!("The directory was not imported: {error}.")),
        Failure::Check(code) => Some(format!("A check failed: {}.", code.replace('_', " "))),
        _ => None,
    };
    let fallback = || match failure {
        Failure::Store(error) => format!("{error}."),
        Failure::Relay(error) => format!("{error} ({}).", error.code()),
        Failure::Session(error) => format!("{error}."),
        Failure::Transport(error) => format!("{error}."),
        Failure::Keystore(error) => format!("{error}."),
        other => format!("{}.", other.code()),
    };
    particular.or_else(|| sentence(failure.code()).map(str::to_owned)).unwrap_or_else(fallback)
}

fn sentence(code: &str) -> Option<&'static str> {
    Some(match code {
        "locked" => "The store is locked.",
        "wrong_passphrase" => "This passphrase does not open the store here.",
        "no_such_record" => "There is no such record.",
        "no_grant" => "This participant has no file with a live yes: count the contact with `satchel tally add` instead.",
        "unknown_zone" => "There is no such zone.",
        "too_many" => "That is more than one record may hold.",
        "impossible_window" => "The last day lies before the first one.",
        "role" => "Your role in the team does not allow this.",
        "removed" => "This device no longer belongs to the team.",
        "copied_or_restored" => "Another phone showed that this store is an old copy; nothing leaves it until a steward answers.",
        "no_usable_turn" => "There is no key in use that may seal new work.",
        "damaged" => "A stored value is damaged.",
        "text_empty" => "it is empty; leave the option out instead.",
        "text_too_long" => "it is too long; nothing is cut silently.",
        "text_hidden" => "it holds characters that a reader cannot see.",
        "text_unresolved" => "it could identify somebody or record contact with police; please say it in other words.",
        "passphrase.length" => "A passphrase has 1 to 1,024 bytes.",
        "passphrase.words" => "A generated passphrase has 4 to 12 words.",
        "charter_time_zone" => "There is no such time zone.",
        "invitation_malformed" => "This is not an invitation, or it was mistyped.",
        "invitation_expired" => "This invitation has expired.",
        "invitation_used" => "This invitation was already used, or taken back.",
        "invitation_wrong_peer" => "The other phone does not hold this invitation.",
        "invitation_words_differ" => "The words were not the same: nobody was let in. Somebody may sit between the two phones.",
        "relay_not_set" => "No relay is set: see `satchel relay set`.",
        "relay_refused" => "The relay does not know this mailbox, or not these keys.",
        "clock_skew" => "The relay's clock and this device's clock are too far apart.",
        "rate_limited" => "The relay asks to wait.",
        "quota_exceeded" => "The mailbox is full.",
        "session.not_a_colleague" => "The other side is not a colleague's phone.",
        "session.banned" | "session.closed_refused" => "The other side does not talk to this device, or must not be talked to.",
        "transport.address" => "That is not a usable address.",
        "transport.not_encrypted" => "http:// is for a relay on this machine only; use https://.",
        "transport.idle_timeout" => "Nothing came for too long. What arrived before is kept.",
        "transport.cut" => "The connection was cut. What arrived before is kept.",
        "transport.not_a_relay" => "What answers at that address is not a relay.",
        "keystore_missing" => "The keystore does not hold this store's key.",
        "keystore_refused" => "The keystore's folder cannot be used.",
        "not_erased" => "Nothing was erased.",
        "storage.erased" => "This store was erased from the device.",
        "too_soon" => "Too many wrong passphrases in a row: wait a little.",
        "no_store_named" => "Which store? Give --store DIR or set SATCHEL_STORE.",
        "no_passphrase" => "No passphrase was given.",
        "passphrases_differ" => "The two passphrases were not the same.",
        _ => return None,
    })
}

/// What can be done.
pub const fn remedy(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::Unlock => "Unlock the store, then try again.",
        Remedy::RetypePassphrase => "Type the passphrase again; if the store was made with a keystore, name it with --keystore.",
        Remedy::CorrectInput => "Correct it and try again; nothing was stored.",
        Remedy::ChooseFolder => "Choose another folder, or make a store with `satchel init` or `satchel join`.",
        Remedy::CloseOther => "Close the other program that uses this store.",
        Remedy::FreeSpace => "Free some space, then try again; nothing was lost.",
        Remedy::UpdateApp => "Update the older of the two programs.",
        Remedy::RestoreFromTeam => "Copy the folder away and join the team again; nothing was deleted.",
        Remedy::MeetColleague => "Meet a colleague's phone (`satchel peer`), then try again.",
        Remedy::AskForInvitation => "Ask for a new invitation.",
        Remedy::AskSteward => "Ask a steward of the team.",
        Remedy::TryLater => "Try again later; what was done is kept.",
        Remedy::CheckDate => "Look at this device's date and time.",
        Remedy::Report => "Please report this code.",
    }
}

/// What a finding would give away.
pub fn finding(finding: &Finding) -> String {
    let what = match finding.category {
        Category::HiddenText => "a character that cannot be seen",
        Category::Number => "a long number",
        Category::Date => "a date",
        Category::ContactDetail => "a way to reach somebody",
        Category::Vehicle => "a vehicle",
        Category::ExactPlace => "an exact place",
        Category::JusticeContact => "contact with police or courts",
        Category::BirthDate => "a birth date",
        Category::GovernmentId => "a number from an identity document",
        Category::LegalName => "a person's name",
        Category::Officer => "who an officer, judge or guard is",
        Category::Immigration => "papers, borders or status",
        Category::PhysicalDescription => "what a person looks like",
        Category::ThirdParty => "somebody else, with drugs, sex work or violence",
        Category::Photo => "a picture or recording of somebody",
    };
    format!("bytes {} to {}: {what} ({})", finding.start, finding.end, finding.reason.code())
}
