//! Codes in plain English. One place, so that another language is another table.

use crate::failure::Failure;
use satchel_core::Remedy;
use satchel_core::screen::{Category, Finding};
use satchel_core::store::{HeldBecause, KeyReplacement};
use satchel_core::team::{Awaiting, Standing, TombstoneScope};

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
        "not_erased_alone" => "This is not erased by itself: take the consent back, or erase the participant.",
        "no_grant" => "This participant has no file with a live yes: count the contact with `satchel tally add` instead.",
        "grant_wildcard" => "A share names one recipient; there is no grant for everybody.",
        "grant_bundled" => "To record and to share are asked for separately.",
        "grant_nothing_named" => "A share names what is shared: give --category.",
        "grant_unknown_recipient" => "There is no such recipient, or it is not what it was said to be.",
        "grant_purpose_does_not_fit" => "This purpose does not fit this recipient.",
        "grant_back_dated" => "A yes counts from today on, never before.",
        "grant_expired" => "Its last day is over, or lies before its first.",
        "grant_too_long" => "That is longer than the charter allows.",
        "grant_category_not_allowed" => "The charter does not allow this category; the board may.",
        "grant_justice_denied" => "The charter denies shares with police, courts and prisons; the board may allow them.",
        "grant_no_file" => "This participant has no file with a live yes.",
        "grant_unknown" => "There is no such grant of this participant here.",
        "grant_no_vault" => "This grant is to share, or for the file: it has no vault.",
        "grant_not_covered" => "Their yes does not cover this; ask for it first.",
        "share_not_paired" => "This recipient was not paired with: meet them, and use `satchel share pair`.",
        "share_grant_to_record" => "That yes is to write something down; giving it on is asked for separately.",
        "share_justice_without_grant" => "Police, courts and prisons need a yes that says so, in words of its own.",
        "share_stale" => "This phone met nobody of the team for too long: they may have taken it back meanwhile.",
        "share_says_more" => "A fact says more than they said yes to: correct it in its vault first.",
        "share_nothing" => "There is no fact to give under this yes.",
        "share_offer" => "That is no pairing offer, or it was damaged on its way.",
        "share_code" => "Those are not the words that the other phone shows. They were good for one try: show new ones.",
        "share_code_expired" => "Those words are older than ten minutes: show new ones.",
        "share_paired_already" => "That offer was taken already, or that name is in use: show a new one.",
        "share_not_for_us" => "That is no packet for this phone, or it was altered.",
        "share_used" => "This packet was kept or erased here already: what opened it is destroyed.",
        "share_kept_elsewhere" => "It is kept with another participant already.",
        "share_over" => "Its last day is over.",
        "share_other_kind" => "That is a packet of another kind: `satchel share open` says which.",
        "share_unknown" => "This phone knows no such copy.",
        "share_still_granted" => "Their yes still counts: take it back first.",
        "share_unknown_pairing" => "This phone is not paired with such a sender.",
        "share_full" => "That is more than a phone remembers: pair again, or let old copies end.",
        "nothing_to_withdraw" => "Nothing that they said yes to is reached by this, as far as this phone knows.",
        "fact_date" => "That is no date such as 1980-02-29.",
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
        "charter_clock" => {
            "This device's date lies before the first release: a team founded today would be past its end once the date is right."
        }
        "invitation_malformed" => "This is not an invitation, or it was mistyped.",
        "invitation_expired" => "This invitation has expired.",
        "invitation_used" => "This invitation was already used, or taken back.",
        "invitation_wrong_peer" => "The other phone does not hold this invitation.",
        "invitation_words_differ" => "The words were not the same: nobody was let in. Somebody may sit between the two phones.",
        "network_metered" => {
            "This network may cost money, and this phone waits for one that does not: nothing was sent, and nothing is lost.\n  --network unmetered says that it costs nothing, --anyway sends all the same, `satchel sync networks any` ends the waiting."
        }
        "relay_not_set" => "No relay is set: see `satchel relay set`.",
        "relay_refused" => "The relay does not know this mailbox, or not these keys.",
        "clock_skew" => "The relay's clock and this device's clock are too far apart.",
        "rate_limited" => "The relay asks to wait.",
        "quota_exceeded" => "The mailbox is full.",
        "session.not_a_colleague" => "The other side is not a colleague's phone.",
        "session.banned" | "session.closed_refused" => "The other side does not talk to this device, or must not be talked to.",
        "transport.address" => "That is not a usable address.",
        "transport.not_encrypted" => "http:// is for a relay on this machine only; use https://.",
        "transport.discovery" => "Nobody can be looked for on this network: use `satchel peer listen` and `satchel peer dial`.",
        "transport.idle_timeout" => "Nothing came for too long. What arrived before is kept.",
        "transport.cut" => "The connection was cut. What arrived before is kept.",
        "transport.pin" => "The relay shows another key than the pinned one: somebody may stand between. Nothing was sent.",
        "transport.proxy" => "The proxy does not let through, or is none of that kind.",
        "transport.cancelled" => "It was ended before its end; what arrived is kept.",
        "transport.not_a_relay" => "What answers at that address is not a relay.",
        "keystore_missing" => "The keystore does not hold this store's key.",
        "keystore_refused" => "The keystore's folder cannot be used.",
        "not_erased" => "Nothing was erased.",
        "not_recognised" => "Nothing was shown: this is not the word that they are known by.",
        "not_confirmed" => "Nothing happened: the question was not answered with yes.",
        "operation_refused" => "The team log does not take that: it names nobody who is in the team, or changes nothing.",
        "team_ended" => "The team's last day is over: what is here can be read for a while, and nothing can be written.",
        "pack_older" => "This pack was made before the last change of keys.",
        "pack_unknown" => "This is no pack of this team, or it was made after a change of keys that has not come here yet.",
        "pack_damaged" => "The file is damaged, or no pack. What came before the damage is kept.",
        "pack_part" => "That is no part of a pack, or it was misread: scan it again. `pack scan` ended before every part was there.",
        "pack_part_of_another" => "That is a part of another pack: scan all parts of one first.",
        "pack_too_large" => "That is more than 64 codes carry: take fewer days, or write a file (`satchel pack write`).",
        "pack_overtaken" => "The keys changed while the pack was written.",
        "storage.erased" => "This store was erased from the device.",
        "no_board" => "No board yet: no complaint can be made here. Say where else one can be made.",
        "complaint_empty" => "Nothing was written.",
        "complaint_too_long" => {
            "That is too long: 2,000 bytes for a complaint, 200 for an address, 500 for an answer. Nothing is cut silently."
        }
        "complaint_full" => "Too many complaints wait on this phone; the board's own channel is open all the same.",
        "receipt_code" => "This is not a receipt code, or it was mistyped.",
        "bulletin_refused" => "This is no bulletin of the board that the code was given for.",
        "board_no_keys" => "The board's keys are not on this phone.",
        "board_set_up" => "The board's keys are on this phone already; --anew replaces them.",
        "board_not_in_charter" => "The charter does not name the keys on this phone: a steward enters them first.",
        "complaint_unknown" => "There is no such complaint in the book.",
        "complaint_closed" => "This complaint is closed: its text is gone.",
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

/// Where somebody stands.
pub const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "active",
        Standing::Suspended => "suspended",
        Standing::Removed => "removed",
    }
}

/// Whose second signature is missing, as a stable name.
pub const fn awaiting_code(awaiting: Awaiting) -> &'static str {
    match awaiting {
        Awaiting::Removal => "removal",
        Awaiting::Reinstatement => "reinstatement",
        Awaiting::Charter => "charter",
        Awaiting::Erasure => "erasure",
    }
}

/// Whose second signature is missing, and for what.
pub const fn awaiting(awaiting: Awaiting) -> &'static str {
    match awaiting {
        Awaiting::Removal => "another steward or the board, to remove somebody who is or was a steward",
        Awaiting::Reinstatement => "another steward or the board, to bring a steward back",
        Awaiting::Charter => "the board, to loosen the charter",
        Awaiting::Erasure => "any second member, to erase",
    }
}

/// What an erasure is about.
pub const fn scope(scope: TombstoneScope) -> &'static str {
    match scope {
        TombstoneScope::Records => "single records",
        TombstoneScope::Subject => "a participant with everything about them",
        TombstoneScope::Category => "one category of facts about a participant",
        TombstoneScope::Team => "every record of the team",
        TombstoneScope::History => "the earlier values of one record",
    }
}

/// How final an erasure is on this device, as a stable name.
pub const fn replacement_code(replacement: KeyReplacement) -> &'static str {
    match replacement {
        KeyReplacement::Done => "done",
        KeyReplacement::WithoutKeystore => "without_keystore",
        KeyReplacement::Due => "due",
    }
}

/// How final an erasure is on this device.
pub const fn replacement(replacement: KeyReplacement) -> &'static str {
    match replacement {
        KeyReplacement::Done => "the store's key is replaced, and the keystore has destroyed what opened old copies of its files.",
        KeyReplacement::WithoutKeystore => {
            "the store's key is replaced. There is no keystore: old copies of the files open with the passphrase of their time."
        }
        KeyReplacement::Due => "the store's key still has to be replaced; the next change of anything tries again.",
    }
}

/// Why the secret of a turn is still here.
pub const fn held_because(because: HeldBecause) -> &'static str {
    match because {
        HeldBecause::InUse => "in use: new work is sealed under it",
        HeldBecause::Beside => "begun by another phone at the same time: work sealed under it may still come; the next turn ends both",
        HeldBecause::Replaced => "replaced by a later one: it goes with the next exchange",
        HeldBecause::LacksBan => "made without knowing of a removal or erasure: it goes with the next exchange",
        HeldBecause::AnnouncementsOnly => "opens announcements and no record: all that the board gets",
    }
}
