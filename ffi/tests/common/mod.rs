//! Phones for the tests of this crate: found, joined and met through the door that apps use.

#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

use satchel_core::consent::{Act, GatedCategory, GrantRequest, HowGiven, Language, Purpose};
use satchel_core::record::FactField;
use satchel_core::team::Role;
use satchel_ffi::{Fact, FfiError, KeyCost, ParticipantDraft, Unlocked, found_team, join_team};
use satchel_wire::ids::RecordId;
use std::path::Path;
use std::sync::Arc;

pub const PASSPHRASE: &[u8] = b"correct horse battery staple";

pub fn found(folder: &Path, name: &str) -> Arc<Unlocked> {
    let dir = folder.join(name).display().to_string();
    let founded = found_team(&dir, PASSPHRASE.to_vec(), "America/Los_Angeles".into(), name, KeyCost::Least, None).unwrap();
    // the library silences panics in an app; a test's own are to be read
    drop(std::panic::take_hook());
    founded.unlocked()
}

pub fn join(folder: &Path, host: &Unlocked, name: &str, role: Role) -> Arc<Unlocked> {
    let dir = folder.join(name).display().to_string();
    let joining = join_team(&host.invite(role, "").unwrap()).unwrap();
    let answered = host.answer_knock(joining.knock()).unwrap();
    joining.answered(answered.answer).unwrap();
    answered.host.introduced(joining.introduce().unwrap()).unwrap();
    let joined = joining.welcomed(answered.host.welcome().unwrap(), &dir, PASSPHRASE.to_vec(), name, KeyCost::Least, None).unwrap();
    answered.host.thanked(joined.thanks).unwrap();
    joined.unlocked
}

pub fn meet(dialer: &Unlocked, listener: &Unlocked) {
    let sessions = [dialer.dial().unwrap(), listener.listen().unwrap()];
    let mut moved = true;
    while moved {
        moved = false;
        for (from, to) in [(0, 1), (1, 0)] {
            while let Some(bytes) = sessions[from].transmit(65_536).unwrap() {
                sessions[to].receive(bytes).unwrap();
                moved = true;
            }
        }
    }
    assert!(sessions.iter().all(|session| session.is_finished().unwrap()));
}

pub fn person(alias: &str, word: Option<&str>) -> ParticipantDraft {
    ParticipantDraft {
        how: HowGiven::Spoken,
        words_language: "en".into(),
        alias: Some(alias.into()),
        pronouns: None,
        language: None,
        contact: None,
        goals: Vec::new(),
        recognition_word: word.map(str::to_owned),
    }
}

pub fn request(phone: &Unlocked, act: Act, categories: &[GatedCategory], recipient: Option<RecordId>) -> GrantRequest {
    GrantRequest {
        act,
        categories: categories.to_vec(),
        recipient,
        purpose: Purpose::HousingApplication,
        start: None,
        expiry: phone.today().unwrap().plus(30),
        how: HowGiven::Spoken,
        language: Language::English,
    }
}

pub fn fact(field: FactField, value: &str) -> Fact {
    Fact { field, value: value.into() }
}

/// Case, code and remedy of an error.
#[track_caller]
pub fn failure<T>(result: Result<T, FfiError>) -> (&'static str, String, String) {
    let error = result.err().expect("nothing was refused");
    let case = match &error {
        FfiError::Locked { .. } => "Locked",
        FfiError::WrongPassphrase { .. } => "WrongPassphrase",
        FfiError::TooSoon { .. } => "TooSoon",
        FfiError::NotFound { .. } => "NotFound",
        FfiError::InvalidInput { .. } => "InvalidInput",
        FfiError::NoConsent { .. } => "NoConsent",
        FfiError::Refused { .. } => "Refused",
        FfiError::Storage { .. } => "Storage",
        FfiError::Sync { .. } => "Sync",
        FfiError::Internal { .. } => "Internal",
    };
    match error {
        FfiError::Locked { code, remedy }
        | FfiError::WrongPassphrase { code, remedy }
        | FfiError::TooSoon { code, remedy, .. }
        | FfiError::NotFound { code, remedy }
        | FfiError::InvalidInput { code, remedy, .. }
        | FfiError::NoConsent { code, remedy, .. }
        | FfiError::Refused { code, remedy }
        | FfiError::Storage { code, remedy }
        | FfiError::Sync { code, remedy }
        | FfiError::Internal { code, remedy } => (case, code, remedy),
    }
}

pub fn refusal(case: &'static str, code: &str, remedy: &str) -> (&'static str, String, String) {
    (case, code.to_owned(), remedy.to_owned())
}
