//! Two real stores over TCP, with a line that breaks.
#![allow(clippy::unwrap_used)]

use satchel_core::consent::HowGiven;
use satchel_core::crypto::Passphrase;
use satchel_core::env::Env;
use satchel_core::record::ParticipantDraft;
use satchel_core::screen::{Alias, ShortText};
use satchel_core::store::{Credentials, Founding, KeyCost, Store, Unlocked};
use satchel_core::team::{InvitationError, Role};
use satchel_transport::joining::{self, JoiningError, Newcomer};
use satchel_transport::peer::{self, Patience};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::time::Duration;

const PATIENCE: Patience = Patience { connect: Duration::from_secs(5), idle: Duration::from_secs(5) };

fn founded(dir: &Path) -> Unlocked {
    let passphrase = Passphrase::new(b"one").unwrap();
    let credentials = Credentials { passphrase: &passphrase, protector: None, cost: KeyCost::Least };
    let founding = Founding { time_zone: "UTC".into(), member_name: ShortText::parse("Ana").unwrap() };
    Store::found(dir, Env::system(), &credentials, &founding).unwrap().unlocked
}

/// Joins over TCP; each side says whether the words agree.
fn joined(host: &Unlocked, dir: &Path, agree: (bool, bool)) -> (Result<(), JoiningError>, Result<Unlocked, JoiningError>) {
    let listener = peer::listen("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let invitation = host.invite(Role::Worker, &address).unwrap();
    let host = host.clone();
    let hosting = std::thread::spawn(move || joining::host(&host, peer::accept(&listener).unwrap(), |_| agree.0));
    let passphrase = Passphrase::new(b"two").unwrap();
    let credentials = Credentials { passphrase: &passphrase, protector: None, cost: KeyCost::Least };
    let name = ShortText::parse("Ben").unwrap();
    let new = Store::join(Env::system(), &invitation).unwrap();
    let newcomer = Newcomer { dir, credentials: &credentials, name: &name };
    let guest = joining::join(new, peer::dial(&address, PATIENCE).unwrap(), &newcomer, |_| agree.1);
    (hosting.join().unwrap(), guest)
}

fn forward(mut from: TcpStream, mut to: TcpStream, bytes: u64) {
    let mut buffer = [0; 1024];
    let mut left = bytes;
    while left > 0 {
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        match from.read(&mut buffer[..most]) {
            Ok(count) if count > 0 && to.write_all(&buffer[..count]).is_ok() => left -= count as u64,
            _ => break,
        }
    }
    // a line that is cut is cut for both
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// Meets over a line that carries at most so many bytes towards the listener. Whether both sides came to the end.
fn meet(listener: &Unlocked, dialer: &Unlocked, bytes: u64) -> bool {
    let (outside, inside) = (peer::listen("127.0.0.1:0").unwrap(), peer::listen("127.0.0.1:0").unwrap());
    let (there, here) = (inside.local_addr().unwrap().to_string(), outside.local_addr().unwrap().to_string());
    let listener = listener.clone();
    let listening = std::thread::spawn(move || {
        let mut link = listener.listen();
        let done = peer::carry(&mut link, peer::accept(&inside).unwrap(), PATIENCE).is_ok();
        if !done {
            link.abandon().unwrap();
        }
        done
    });
    let line = std::thread::spawn(move || {
        let near = peer::accept(&outside).unwrap();
        let far = peer::dial(&there, PATIENCE).unwrap();
        let back = (far.try_clone().unwrap(), near.try_clone().unwrap());
        let returning = std::thread::spawn(move || forward(back.0, back.1, u64::MAX));
        forward(near, far, bytes);
        returning.join().unwrap();
    });
    let mut link = dialer.dial().unwrap();
    let done = peer::carry(&mut link, peer::dial(&here, PATIENCE).unwrap(), PATIENCE).is_ok();
    if !done {
        link.abandon().unwrap();
    }
    line.join().unwrap();
    listening.join().unwrap() && done
}

fn add(unlocked: &Unlocked, alias: String) {
    let draft = ParticipantDraft { alias: Some(Alias::parse(&alias).unwrap()), ..ParticipantDraft::default() };
    unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap();
}

fn aliases(unlocked: &Unlocked) -> Vec<String> {
    let mut aliases: Vec<String> =
        unlocked.participants().unwrap().iter().map(|line| line.alias.as_ref().unwrap().as_str().to_owned()).collect();
    aliases.sort();
    aliases
}

#[test]
fn a_line_that_breaks_anywhere_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ana = founded(&folder.path().join("ana"));
    let (hosted, guest) = joined(&ana, &folder.path().join("ben"), (true, true));
    hosted.unwrap();
    let ben = guest.unwrap();
    let mut broken = 0;
    let letters = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r"];
    let cuts = [0, 1, 2, 33, 64, 100, 150, 250, 400, 600, 900, 1_300, 1_800, 2_500, 3_500, 5_000, 7_000, 9_000];
    for (letter, cut) in letters.iter().zip(cuts) {
        add(&ana, format!("ana {letter}"));
        add(&ben, format!("ben {letter}"));
        broken += usize::from(!meet(&ana, &ben, cut));
        assert!(ana.store().check().is_ok() && ben.store().check().is_ok(), "{cut}");
    }
    assert!(broken > 10, "the line did break: {broken}");
    assert!(meet(&ana, &ben, u64::MAX));
    assert_eq!(aliases(&ana).len(), 2 * letters.len());
    assert_eq!(aliases(&ana), aliases(&ben));
}

#[test]
fn nobody_is_let_in_when_the_words_differ() {
    let folder = tempfile::tempdir().unwrap();
    let ana = founded(&folder.path().join("ana"));
    let differ = JoiningError::from(InvitationError::WordsDiffer);
    let (hosted, guest) = joined(&ana, &folder.path().join("one"), (false, true));
    assert_eq!(hosted.unwrap_err(), differ);
    assert!(matches!(guest.unwrap_err(), JoiningError::Transport(_)), "the inviter hangs up");
    let (hosted, guest) = joined(&ana, &folder.path().join("two"), (true, false));
    assert!(matches!(hosted.unwrap_err(), JoiningError::Transport(_)), "the joiner hangs up");
    assert_eq!(guest.unwrap_err(), differ);
    assert_eq!(ana.team().unwrap().devices.len(), 1);
    assert!(!folder.path().join("one").exists() && !folder.path().join("two").exists());
}
