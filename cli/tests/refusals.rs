//! Bad input and bad surroundings: the documented exit status, a stable code, nothing stored.
#![allow(clippy::unwrap_used)]

mod support;

use support::{Phone, run_bare, satchel};

#[test]
fn input_is_refused_with_its_code_and_nothing_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    ana.run(&["catalogue", "import"]).value();
    ana.id(&["participant", "add", "--alias", "Blue"]);
    let before = ana.run(&["list", "--all"]).value();
    let long = "a ".repeat(1_001);
    let alias = "b".repeat(65);
    let offers: Vec<&str> = std::iter::repeat_n(["--offer", "Bus passes=accepted"], 33).flatten().collect();
    let goals: Vec<&str> = std::iter::repeat_n(["--goal", "rest"], 17).flatten().collect();
    let many_offers = [&["encounter", "add"][..], &offers].concat();
    let many_goals = [&["participant", "add"][..], &goals].concat();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["encounter", "add", "--zone", "nowhere"], 8, "no_match"),
        (&["encounter", "add", "--participant", "rec_aaaaaaaaaaaaaaaaaaaaaaaaaa"], 8, "no_match"),
        (&["encounter", "show", "rec_aaaaaaaaaaaaaaaaaaaaaaaaaa"], 8, "no_match"),
        (&["encounter", "add", "--note", ""], 4, "text_empty"),
        (&["encounter", "add", "--note", &long], 4, "text_too_long"),
        (&["encounter", "add", "--note", "see \u{202e}you\u{202c}"], 4, "text_hidden"),
        (&["encounter", "add", "--note", "a\u{200b}b"], 4, "text_hidden"),
        (&["encounter", "add", "--note", "call 415-555-0123"], 4, "text_unresolved"),
        (&["encounter", "add", "--note", "badge 4417"], 4, "text_unresolved"),
        (&["encounter", "add", "--offer", "Bus passes=maybe"], 2, "argument"),
        (&["encounter", "add", "--offer", "Bus passes:0=accepted"], 2, "argument"),
        (&["encounter", "add", "--offer", "Bus passes"], 2, "argument"),
        (&["encounter", "add", "--offer", "no such thing=accepted"], 8, "no_match"),
        (&["encounter", "add", "--offer", "Syringe service and naloxone=accepted"], 2, "ambiguous"),
        (&many_offers, 4, "too_many"),
        (&many_goals, 4, "too_many"),
        (&["participant", "add", "--alias", ""], 4, "text_empty"),
        (&["participant", "add", "--alias", &alias], 4, "text_too_long"),
        (&["participant", "add", "--alias", "two\nlines"], 4, "text_hidden"),
        (&["participant", "add", "--contact", "blue@example.org"], 4, "text_unresolved"),
        (&["zone", "add", "12 Quay Street"], 4, "text_unresolved"),
        (
            &["follow-up", "add", "--participant", "Blue", "--what", "tea", "--from", "2026-12-02", "--until", "2026-12-01"],
            4,
            "impossible_window",
        ),
        (&["follow-up", "add", "--participant", "Blue", "--what", "tea", "--from", "2026-02-30"], 2, "argument"),
        (&["catalogue", "import", "/nonexistent"], 4, "catalogue_import"),
        (&["catalogue", "list", "--category", "jail"], 2, "argument"),
        (&["relay", "set", "http://relay.example", "--mailbox", "box_aaaaaaaaaaaaaaaaaaaaaaaaaa"], 4, "transport.not_encrypted"),
        (&["relay", "set", "relay", "--mailbox", "box_aaaaaaaaaaaaaaaaaaaaaaaaaa"], 4, "transport.address"),
        (&["relay", "set", "https://r.example", "--mailbox", "box_aaaaaaaaaaaaaaaaaaaaaaaaaa", "--secret", "x"], 2, "argument"),
        (&["sync"], 8, "relay_not_set"),
        (&["peer", "dial", "127.0.0.1:9"], 6, "transport.unreachable"),
        (&["peer", "dial", "nowhere"], 4, "transport.address"),
        (&["join", "SATCHEL1:AAAA", "--name", "Ana"], 4, "invitation_malformed"),
        (&["passphrase", "--words", "3"], 4, "passphrase.words"),
    ];
    for (arguments, status, code) in cases {
        let ended = ana.run(arguments);
        assert_eq!((ended.status, ended.code().as_str()), (*status, *code), "{arguments:?} {}", ended.error);
        assert!(ended.out.is_empty(), "{arguments:?}");
    }
    assert_eq!(ana.run(&["list", "--all"]).value(), before, "a refused command stores nothing");
}

#[test]
fn usage_is_status_2() {
    for arguments in
        [&["frobnicate"][..], &[], &["encounter"], &["relay", "set", "https://x", "--mailbox", "box_1"], &["list"], &["screen", "file"]]
    {
        assert_eq!(run_bare(arguments, b"").status, 2, "{arguments:?}");
    }
    assert_eq!(run_bare(&["--help"], b"").status, 0);
    assert_eq!(run_bare(&["--version"], b"").status, 0);
}

#[test]
fn a_store_opens_with_its_passphrase_and_its_key_file_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut ana = Phone::founded(folder.path());
    ana.run(&["list"]).value();
    ana.passphrase = "correct horse battery stapl";
    let wrong = ana.run(&["list"]);
    assert_eq!((wrong.status, wrong.code().as_str()), (3, "wrong_passphrase"));
    ana.passphrase = "";
    assert_eq!(ana.run(&["list"]).code(), "no_passphrase");
    ana.passphrase = "correct horse battery staple";
    let keys = std::mem::replace(&mut ana.keys, folder.path().join("other-keys"));
    assert_eq!(ana.run(&["list"]).code(), "wrong_passphrase", "a copied folder and its passphrase are not enough");
    ana.keys = keys;
    ana.run(&["list"]).value();

    let mut bare = satchel();
    bare.arg("--store").arg(folder.path().join("bare")).args(["--no-keystore", "--key-cost", "least", "--passphrase-fd", "0", "--json"]);
    bare.args(["init", "--name", "B", "--time-zone", "UTC"]);
    assert_eq!(ana.talk(bare).end().status, 0);
    let mut bare = satchel();
    bare.arg("--store").arg(folder.path().join("bare")).args(["--no-keystore", "--passphrase-fd", "0", "--json", "doctor"]);
    assert_eq!(ana.talk(bare).end().value()["slots"][0]["kind"], "passphrase");
}

#[test]
fn folders_that_are_no_store_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut phone = Phone::new(folder.path(), "missing");
    assert_eq!(phone.run(&["list"]).status, 5);
    assert!(!phone.store.exists(), "opening makes nothing");

    std::fs::create_dir(&phone.store).unwrap();
    std::fs::write(phone.store.join("letter.txt"), "dear").unwrap();
    assert_eq!(phone.run(&["list"]).status, 5);
    let refused = phone.run(&["init", "--name", "A", "--time-zone", "UTC"]);
    assert_eq!(refused.status, 5, "{}", refused.out);
    assert_eq!(std::fs::read(phone.store.join("letter.txt")).unwrap(), b"dear");

    let ana = Phone::founded(folder.path());
    assert_eq!(ana.run(&["init", "--name", "A", "--time-zone", "UTC"]).status, 5, "an existing store is not overwritten");
    ana.run(&["list"]).value();

    // /proc takes no files from anybody, the administrator included
    phone.store = "/proc/satchel".into();
    assert_eq!(phone.run(&["init", "--name", "A", "--time-zone", "UTC"]).status, 5);
    phone.store = folder.path().join("zone");
    let zone = phone.run(&["init", "--name", "A", "--time-zone", "Mars/Olympus"]);
    assert_eq!((zone.status, zone.code().as_str()), (4, "charter_time_zone"));
}

#[test]
fn one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    let mut listening = ana.start(&["--json", "peer", "listen"]);
    listening.next();
    let second = ana.run(&["list"]);
    assert_eq!((second.status, second.code().is_empty()), (5, false));
    listening.child.kill().unwrap();
    listening.child.wait().unwrap();
    ana.run(&["list"]).value();
}

#[test]
fn a_damaged_slot_file_is_a_storage_error() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    let slots = std::fs::read_dir(&ana.store).unwrap().map(|entry| entry.unwrap().path());
    let slots = slots.filter(|path| path.metadata().unwrap().len() == 4_096).find(|path| path.to_string_lossy().contains("slot")).unwrap();
    let mut bytes = std::fs::read(&slots).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&slots, bytes).unwrap();
    assert_eq!(ana.run(&["list"]).status, 5);
}
