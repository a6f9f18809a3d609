#![allow(clippy::unwrap_used)]

use super::tests::founded;
use super::*;
use crate::screen::ShortText;
use crate::team::{InvitationError, Role};
use std::path::PathBuf;

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_owned();
    (folder, dir)
}

/// From the knock to the thanks.
fn finish(host: &Unlocked, (new, knock): (NewStore, Vec<u8>), dir: &Path, name: &str) -> Result<Unlocked, Error> {
    let (mut hosted, answer) = host.answer_knock(&knock)?;
    let mut joined = new.answered(&answer)?;
    assert_eq!(hosted.words(), joined.words());
    hosted.introduced(&joined.introduce()?)?;
    let welcome = hosted.welcome()?;
    let passphrase = Passphrase::new(b"correct horse battery staple").unwrap();
    let credentials = Credentials { passphrase: &passphrase, protector: None, cost: KeyCost::Least };
    let (unlocked, thanks) = joined.welcomed(&welcome, dir, &credentials, &ShortText::parse(name).unwrap())?;
    hosted.thanked(&thanks)?;
    Ok(unlocked)
}

fn by_code(host: &Unlocked, code: CodeInvitation, typed: &str, dir: &Path) -> Result<Unlocked, Error> {
    let (typed, hello) = Store::join_by_code(Env::system(), typed)?;
    let reply = code.answer_hello(&hello)?;
    finish(host, typed.replied(&reply)?, dir, "Ben")
}

#[test]
fn a_typed_code_lets_in_who_has_it_and_one_wrong_guess_spends_it() {
    let (_folder, dir) = place();
    let (host, _) = founded(&dir.join("ana"));
    let code = host.invite_by_code(Role::Worker).unwrap();
    assert!(!format!("{code:?}").contains(code.code()));
    let typed = code.code().to_uppercase();
    let ben = by_code(&host, code, &typed, &dir.join("ben")).unwrap();
    assert_eq!(ben.team().unwrap().team, host.team().unwrap().team);
    assert_eq!(host.team().unwrap().devices.len(), 2);
    // only a steward invites
    assert_eq!(ben.invite_by_code(Role::Worker).unwrap_err(), Error::Role);

    let code = host.invite_by_code(Role::Worker).unwrap();
    let right = code.code().to_owned();
    let wrong = if right.starts_with("zoo") { "abandon ability able" } else { "zoo zone zero" };
    let (guess, hello) = Store::join_by_code(Env::system(), wrong).unwrap();
    let reply = code.answer_hello(&hello).unwrap();
    // the reply looks like any other; the knock names an invitation that nobody made
    let (_, knock) = guess.replied(&reply).unwrap();
    assert_eq!(host.answer_knock(&knock).unwrap_err(), InvitationError::Used.into());
    // and the code itself is spent: the value that could answer once more does not exist, and the next code is another
    let next = host.invite_by_code(Role::Worker).unwrap();
    assert!(by_code(&host, next, &right, &dir.join("eve")).is_err());
    assert_eq!(host.team().unwrap().devices.len(), 2);
    // mistyped: no try is spent
    assert_eq!(Store::join_by_code(Env::system(), "zoo zoen zero").unwrap_err(), InvitationError::Malformed.into());
}

#[test]
fn a_code_is_good_for_ten_minutes_on_any_clock() {
    let clock = crate::env::testing::TestClock::at(1_795_377_600);
    let env = Env::new(clock.clone(), crate::env::testing::SeededRandomness::new(3));
    let (_folder, dir) = place();
    let passphrase = Passphrase::new(b"correct horse battery staple").unwrap();
    let credentials = Credentials { passphrase: &passphrase, protector: None, cost: KeyCost::Least };
    let founding = Founding { time_zone: "America/Los_Angeles".into(), member_name: ShortText::parse("Ana").unwrap() };
    let host = Store::found(&dir.join("ana"), env, &credentials, &founding).unwrap().unlocked;
    for (moved, is_good) in [(0, true), (600, true), (601, false), (-1, false), (-86_400, false)] {
        clock.set(1_795_377_600);
        let code = host.invite_by_code(Role::Worker).unwrap();
        let (_, hello) = Store::join_by_code(Env::system(), code.code()).unwrap();
        clock.set(1_795_377_600_u64.checked_add_signed(moved).unwrap());
        let answered = code.answer_hello(&hello);
        assert_eq!(answered.is_ok(), is_good, "{moved}");
        assert!(is_good || answered.unwrap_err() == InvitationError::Expired.into());
    }
}

#[test]
fn a_second_phone_belongs_to_the_member_who_invited_it() {
    let (_folder, dir) = place();
    let (host, _) = founded(&dir.join("ana"));
    let invitation = host.invite_own_device("").unwrap();
    let tablet = finish(&host, Store::join(Env::system(), &invitation).unwrap(), &dir.join("tablet"), "Ana").unwrap();
    let code = host.invite_own_device_by_code().unwrap();
    let typed = code.code().to_owned();
    let laptop = by_code(&host, code, &typed, &dir.join("laptop")).unwrap();
    let team = host.team().unwrap();
    assert_eq!(team.devices.len(), 3);
    assert!(team.devices.iter().all(|line| line.role == Role::Steward), "with the member's own role");
    let member = |unlocked: &Unlocked| unlocked.read(|vault, _| Ok(vault.root.member)).unwrap();
    assert!(member(&tablet) == member(&host) && member(&laptop) == member(&host));
    // positive control: somebody else's phone is somebody else's
    let invitation = host.invite(Role::Worker, "").unwrap();
    let ben = finish(&host, Store::join(Env::system(), &invitation).unwrap(), &dir.join("ben"), "Ben").unwrap();
    assert!(member(&ben) != member(&host));
}
