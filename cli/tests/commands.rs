//! Every command once, with the real program.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::{Phone, run_bare};

#[test]
fn a_day_at_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    assert!(ana.run(&["catalogue", "import"]).value()["resources"].as_u64().unwrap() > 20);
    let found = ana.run(&["catalogue", "find", "bus", "passes"]).value();
    assert_eq!(found[0]["name"], "Bus passes");
    let bus = found[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(ana.run(&["catalogue", "show", &bus[..10]]).value()["name"], "Bus passes");
    assert_eq!(ana.run(&["catalogue", "list", "--category", "legal_aid"]).value().as_array().unwrap().len(), 4);

    let zone = ana.id(&["zone", "add", "by the river"]);
    assert_eq!(ana.run(&["zone", "list"]).value()[0]["name"], "by the river");

    let file = ana.id(&["participant", "add", "--alias", "Blue", "--goal", "a dry place", "--goal", "see a doctor"]);
    ana.run(&["participant", "edit", "blue", "--goal", "see a doctor", "--contact", "none"]).value();
    let shown = ana.run(&["participant", "show", &file[..9]]).value();
    assert_eq!((shown["alias"].as_str(), shown["contact"].as_str()), (Some("Blue"), Some("none")));
    assert_eq!(shown["goals"], serde_json::json!(["see a doctor"]));
    assert_eq!(ana.run(&["participant", "close", "Blue"]).value()["closed"], true);
    assert_eq!(ana.run(&["participant", "close", "Blue", "--reopen"]).value()["closed"], false);
    assert_eq!(ana.run(&["participant", "list"]).value()[0]["alias"], "Blue");

    let offers = ["--offer", "bus passes:2=accepted", "--offer", "New Bridge detox=declined"];
    let encounter =
        ana.id(&[&["encounter", "add", "--participant", "blue", "--zone", "by the river", "--note", "Blue is well"][..], &offers].concat());
    let shown = ana.run(&["encounter", "show", &encounter]).value();
    assert_eq!((shown["zone"].as_str(), shown["offers"].as_array().unwrap().len()), (Some(zone.as_str()), 1));
    assert_eq!(shown["offers"][0]["quantity"], 2);
    let corrected =
        ana.run(&["encounter", "correct", &encounter, "--kind", "drop_in", "--offer", "detox=declined", "--keep-refusal"]).value();
    assert_eq!((corrected["kind"].as_str(), corrected["participant"].as_str()), (Some("drop_in"), Some(file.as_str())));
    assert_eq!(corrected["offers"][0]["kept_at_request"], true);
    assert_eq!(ana.run(&["encounter", "list", "--participant", "blue"]).value().as_array().unwrap().len(), 1);

    ana.run(&["tally", "add", "--offer", "bus passes:3=declined"]).value();
    let tally = ana.run(&["tally", "list"]).value();
    let waiting: u64 = tally["waiting"].as_array().unwrap().iter().map(|line| line["count"].as_u64().unwrap()).sum();
    assert_eq!((waiting, tally["sums"].as_array().unwrap().len()), (6, 0));

    let promise = ana.id(&["follow-up", "add", "--participant", "blue", "--what", "bring a tent"]);
    assert_eq!(ana.run(&["follow-up", "list"]).value()[0]["state"], "open");
    assert_eq!(ana.run(&["follow-up", "done", &promise]).value()["state"], "done");

    let referral = ana.id(&["refer", "add", "--participant", "blue", "--to", "Street law", "--status", "thinking"]);
    assert_eq!(ana.run(&["refer", "status", &referral, "asked"]).value()["status"], "asked");
    assert_eq!(ana.run(&["refer", "list"]).value()[0]["status"], "asked");

    let today = ana.run(&["list"]).value();
    assert_eq!((today["participants"].as_u64(), today["encounters_today"].as_u64()), (Some(1), Some(1)));
    assert_eq!(today["self_referrals_open"][0], referral.as_str());
    for (id, record) in [(&file, "participant"), (&encounter, "encounter"), (&promise, "follow_up"), (&referral, "self_referral")] {
        assert_eq!(ana.run(&["show", id]).value()["record"], record);
    }
    let all = ana.run(&["list", "--all"]).value();
    assert_eq!(all["encounters"][0]["note"], Value::Null, "a correction replaces the whole entry");

    let health = ana.run(&["doctor"]).value();
    assert_eq!(health["slots"][0]["kind"], "passphrase_keystore");
    assert_eq!((health["slots"][0]["memory_kib"].as_u64(), health["files_whole"].as_bool()), (Some(19 * 1024), Some(true)));
    assert_eq!((health["copied"].as_bool(), health["date_in_doubt"].as_bool()), (Some(false), Some(false)));

    assert_eq!(ana.run(&["relay", "show"]).status, 8);
    let mailbox = "box_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    ana.run(&["relay", "set", "http://127.0.0.1:9", "--mailbox", mailbox, "--secret", "aaaaaaaaaaaaaaaaaaaaaaaaaa"]).value();
    assert_eq!(ana.run(&["relay", "show"]).value()["claimed"], false);
    assert_eq!(ana.run(&["sync"]).status, 6, "nobody listens on the discard port");
}

#[test]
fn people_read_tables_and_sentences() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    ana.id(&["participant", "add", "--alias", "Blue"]);
    let list = ana.start(&["participant", "list"]).end();
    assert!(list.out.starts_with("id ") && list.out.contains("Blue"), "{}", list.out);
    let doctor = ana.start(&["doctor"]).end();
    assert!(doctor.out.contains("a copy of the folder alone is not enough"), "{}", doctor.out);
    let refused = ana.start(&["encounter", "add", "--note", "call 415-555-0123"]).end();
    assert_eq!(refused.status, 4);
    assert!(refused.error.contains("bytes 5 to 17") && !refused.error.contains("555"), "{}", refused.error);
    for arguments in [&["exit-codes"][..], &["help", "exit-codes"], &["--help"]] {
        let codes = run_bare(arguments, b"");
        assert!(codes.status == 0 && codes.out.contains("   3  wrong passphrase"), "{arguments:?} {}", codes.out);
    }
}

#[test]
fn a_phone_joins_meets_and_converges() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    ana.id(&["participant", "add", "--alias", "Blue"]);
    let ben = Phone::new(folder.path(), "ben");
    let join = |answer: &str| {
        let mut inviting = ana.start(&["--json", "invite"]);
        let invitation = inviting.next()["invitation"].as_str().unwrap().to_owned();
        let mut joining = ben.start(&["--json", "join", &invitation, "--name", "Ben"]);
        assert_eq!(inviting.next()["words"], joining.next()["words"]);
        inviting.say(answer);
        joining.say(answer);
        (inviting.end(), joining.end(), invitation)
    };
    let (inviting, joining, invitation) = join("no");
    assert_eq!((inviting.status, inviting.code().as_str()), (7, "invitation_words_differ"));
    assert_eq!(joining.code(), "invitation_words_differ");
    assert!(!ben.store.join("slots").exists() && ben.run(&["list"]).status == 5, "nothing was written");
    assert_eq!(ana.run(&["list", "--all"]).value()["devices"].as_array().unwrap().len(), 1, "nobody was let in");
    assert_ne!(ben.run(&["join", &invitation, "--name", "Ben"]).status, 0, "an invitation is good once");
    let (inviting, joining, _) = join("yes");
    assert_eq!((inviting.status, joining.status), (0, 0), "{} {}", inviting.error, joining.error);

    let mut listening = ana.start(&["--json", "peer", "listen"]);
    let address = listening.next()["listening"].as_str().unwrap().to_owned();
    let met = ben.run(&["peer", "dial", &address]).value();
    assert!(met["applied"].as_u64().unwrap() > 0);
    assert_eq!(listening.end().status, 0);
    assert_eq!(ben.run(&["participant", "show", "blue"]).value()["alias"], "Blue");
    assert_eq!(ben.run(&["list", "--all"]).value(), ana.run(&["list", "--all"]).value());
}

#[test]
fn words_on_the_command_line_must_be_the_right_ones() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    let ben = Phone::new(folder.path(), "ben");
    let mut inviting = ana.start(&["--json", "invite"]);
    let invitation = inviting.next()["invitation"].as_str().unwrap().to_owned();
    let joining = ben.run(&["join", &invitation, "--name", "Ben", "--expect-words", "abandon ability able about"]);
    assert_eq!((joining.status, joining.code().as_str()), (7, "invitation_words_differ"));
    inviting.next();
    inviting.say("yes");
    assert_ne!(inviting.end().status, 0, "the joiner hung up");
}

#[test]
fn strangers_get_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    let stranger = Phone::new(folder.path(), "stranger");
    stranger.run(&["init", "--name", "S", "--time-zone", "UTC"]).value();
    let mut listening = ana.start(&["--json", "peer", "listen"]);
    let address = listening.next()["listening"].as_str().unwrap().to_owned();
    let dialled = stranger.run(&["peer", "dial", &address]);
    assert_ne!(dialled.status, 0);
    assert_eq!(listening.end().status, 7);
}

#[test]
fn a_phone_joins_with_three_typed_words_and_a_second_one_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    let join = |phone: &Phone, flags: &[&str], typed: Option<&str>| {
        let mut inviting = ana.start(&[&["--json", "invite", "--typed"], flags].concat());
        let shown = inviting.next();
        let (code, address) = (shown["code"].as_str().unwrap().to_owned(), shown["address"].as_str().unwrap().to_owned());
        let typed = typed.unwrap_or(&code);
        let mut joining = phone.start(&["--json", "join", "--typed", "--address", &address, typed, "--name", "Ben"]);
        if typed == code {
            assert_eq!(inviting.next()["words"], joining.next()["words"]);
            inviting.say("yes");
            joining.say("yes");
        }
        (inviting.end(), joining.end())
    };
    let ben = Phone::new(folder.path(), "ben");
    let (inviting, joining) = join(&ben, &[], Some("zoo zone zero"));
    assert_eq!((inviting.code().as_str(), joining.code().as_str()), ("invitation_used", "invitation_used"), "one guess, and it was wrong");
    let (inviting, joining) = join(&ben, &[], None);
    assert_eq!((inviting.status, joining.status), (0, 0), "{} {}", inviting.error, joining.error);
    let tablet = Phone::new(folder.path(), "tablet");
    let (inviting, joining) = join(&tablet, &["--own-device"], None);
    assert_eq!((inviting.status, joining.status), (0, 0), "{} {}", inviting.error, joining.error);
    let devices = ana.run(&["list", "--all"]).value()["devices"].as_array().unwrap().clone();
    let stewards = devices.iter().filter(|device| device["role"] == "steward").count();
    assert_eq!((devices.len(), stewards), (3, 2), "the tablet does what its owner may");
}

#[test]
fn a_passphrase_is_changed_and_a_device_erased() {
    let folder = tempfile::tempdir().unwrap();
    let mut ana = Phone::founded(folder.path());
    ana.id(&["zone", "add", "by the river"]);
    let mut changing = ana.start(&["--json", "passphrase", "change", "--new-passphrase-fd", "0"]);
    changing.say("another five words for this");
    assert_eq!(changing.end().value()["keystore"], "file");
    assert_eq!(ana.run(&["list"]).code(), "wrong_passphrase");
    ana.passphrase = "another five words for this";
    let health = ana.run(&["doctor"]).value();
    assert_eq!(health["keystore"], "file");
    assert!(health["caveats"].as_array().unwrap().contains(&Value::from("copy_of_both_can_be_guessed")));
    // without the word nothing is erased
    assert_eq!(ana.run(&["erase-device"]).code(), "not_erased");
    assert_eq!(ana.run(&["zone", "list"]).value().as_array().unwrap().len(), 1);
    let erased = ana.run(&["erase-device", "--yes"]).value();
    assert_eq!((&erased["keys_gone"], &erased["files_gone"]), (&Value::from(true), &Value::from(true)));
    assert!(!ana.store.exists());
    assert_eq!(std::fs::read_dir(&ana.keys).unwrap().count(), 0);
    assert_eq!(ana.run(&["erase-device", "--yes"]).code(), "storage.not_found");
}

#[test]
fn a_lone_steward_hears_that_losing_all_phones_loses_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    let status = ana.run(&["recovery", "status"]).value();
    assert_eq!((status["recovery"].as_str(), status["losing_all_phones_loses_the_data"].as_bool()), (Some("no_board"), Some(true)));
    let refused = ana.run(&["recovery", "set-up", "--threshold", "2", "--shares", "3"]);
    assert_eq!(refused.code(), "recovery_no_board");
    let refused = ana.run(&["recovery", "export", folder.path().join("package").to_str().unwrap()]);
    assert_eq!(refused.code(), "recovery_not_the_board");
}

#[test]
fn the_reseat_key_is_typed_in_and_the_next_one_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::new(folder.path(), "ana");
    let founded = ana.run(&["init", "--name", "Ana", "--time-zone", "America/Los_Angeles"]).value();
    let words = founded["reseat_words"].as_str().unwrap().to_owned();
    let type_in = |paper: &str| {
        let mut talking = ana.start(&["--json", "reseat"]);
        talking.say(paper);
        talking.end()
    };
    let mut wrong: Vec<&str> = words.split(' ').collect();
    wrong[6] = if wrong[6] == "zoo" { "zebra" } else { "zoo" };
    let refused = type_in(&wrong.join(" "));
    assert_eq!(refused.code(), "paper_wrong_word");
    assert!(refused.error.contains("word 7 "), "{}", refused.error);
    let next = type_in(&words).value()["reseat"]["text"].as_str().unwrap().to_owned();
    assert_eq!(type_in(&words).code(), "recovery_other_reseat_key");
    type_in(&next).value();
}

#[test]
fn consent_at_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    ana.id(&["participant", "add", "--alias", "Blue"]);
    let words = ana.run(&["grant", "words", "blue", "--category", "legal_name", "--purpose", "housing_application", "--language", "es"]);
    assert!(words.value()["text"].as_str().unwrap().starts_with("¿Podemos anotar su nombre legal?"));
    let give = ["grant", "give", "blue", "--category", "legal_name", "--category", "birth_date"];
    assert_eq!(ana.run(&give).code(), "not_confirmed", "nobody said yes");
    let grant = ana.id(&[&give[..], &["--yes"]].concat());
    for (arguments, code) in [
        (&["--until", "2020-01-01"][..], "grant_expired"),
        (&["--from", "2020-01-01"], "grant_back_dated"),
        (&["--until", "2149-01-01"], "grant_too_long"),
        (&["--category", "immigration"], "grant_category_not_allowed"),
        (&["--to", "anyone"], "no_match"),
        (&["--purpose", "investigation"], ""),
        (&["--category", "everything"], ""),
    ] {
        let refused = ana.run(&[&give[..], &["--yes"], arguments].concat());
        assert_ne!(refused.status, 0, "{arguments:?}");
        assert_eq!(refused.code(), code, "{arguments:?}");
    }
    let facts = ana.run(&["vault", "write", "blue", &grant, "--fact", "legal_name=Maria Gonzalez", "--fact", "birth_date=1980-02-29"]);
    assert_eq!(facts.value().as_array().unwrap().len(), 2);
    assert_eq!(ana.run(&["vault", "write", "blue", &grant, "--fact", "plate=7ABC123"]).code(), "grant_not_covered");
    assert_eq!(ana.run(&["vault", "write", "blue", &grant, "--fact", "birth_date=soon"]).code(), "fact_date");
    assert_eq!(ana.run(&["vault", "show", "blue"]).value()[0]["categories"], serde_json::json!(["legal_name", "birth_date"]));
    assert_eq!(ana.run(&["vault", "remove", "blue", &grant, "birth_date"]).value().as_array().unwrap().len(), 1);
    ana.id(&["grant", "recipient", "add", "--name", "Elm Street Clinic", "--class", "health"]);
    ana.id(&["grant", "recipient", "add", "--name", "County court", "--class", "justice"]);
    let share = ["grant", "give", "blue", "--category", "legal_name", "--yes", "--to"];
    ana.id(&[&share[..], &["elm street clinic", "--purpose", "health_care"]].concat());
    assert_eq!(ana.run(&[&share[..], &["county court", "--purpose", "legal_defence"]].concat()).code(), "grant_justice_denied");
    let listed = ana.run(&["grant", "list", "blue"]).value();
    assert_eq!(listed["grants"].as_array().unwrap().len(), 3);
    assert!(listed["grants"].as_array().unwrap().iter().all(|line| line["status"] == "live"));

    assert_eq!(ana.run(&["withdraw", "blue", "--category", "birth_date"]).code(), "not_confirmed");
    let taken = ana.run(&["withdraw", "blue", "--act", "record", "--category", "legal_name", "--yes"]).value();
    assert_eq!(taken["erasures"].as_array().unwrap().len(), 1);
    assert_eq!(ana.run(&["withdraw", "blue", "--act", "record", "--category", "legal_name", "--yes"]).code(), "nothing_to_withdraw");
    let stopped = ana.run(&["withdraw", "blue", "--act", "share", "--yes"]).value();
    assert_eq!(stopped["stopped"].as_array().unwrap().len(), 1);
    assert_eq!(ana.run(&["grant", "log", "blue"]).value()[0]["event"], "stopped");
    assert_eq!(ana.run(&["withdraw", "blue", "--yes"]).value()["file_closed"], true);
    assert!(ana.run(&["participant", "list"]).value().as_array().unwrap().is_empty());
}
