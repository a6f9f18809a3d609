//! The story, and what is checked on the way.

use super::canaries::search;
use super::phone::{Phone, join, meet};
use super::relay::Relay;
use super::week;
use crate::failure::Failure;
use crate::output::{complain, say};
use satchel_core::crypto::make_passphrase;
use satchel_core::env::Env;
use serde_json::Value;
use std::path::Path;
use std::time::Instant;

/// Far enough back that another shift day was running, and not more than two days (seconds).
const YESTERDAY_SECONDS: u64 = 25 * 3600;
/// Words that only this team may ever read.
const CANARIES: [&str; 7] = ["Bluebird", "Marisol", "the heron", "river bend", "dry place", "clear my record", "walk over together"];

pub(super) struct Narrator {
    began: Instant,
}

impl Narrator {
    #[allow(clippy::disallowed_methods, reason = "the demonstration tells how long it took")]
    fn begin() -> Self {
        Self { began: Instant::now() }
    }
    #[allow(clippy::disallowed_methods, reason = "the demonstration tells how long it took")]
    fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }
    pub(super) fn chapter(&self, title: &str) {
        say(&format!("\n── {title}  [{:.1} s]", self.seconds()));
    }
    pub(super) fn tell(&self, text: &str) {
        say(&format!("   {text}"));
    }
}

pub(super) fn check(is_so: bool, code: &'static str) -> Result<(), Failure> {
    if is_so { Ok(()) } else { Err(Failure::Check(code)) }
}

pub(super) fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or(0)
}

fn session(report: &Value) -> String {
    format!(
        "{} changes in, {} out, {:.1} KB over the air, {} round trips",
        number(report, "applied"),
        number(report, "sent"),
        (number(report, "bytes_sent") + number(report, "bytes_received")) as f64 / 1000.0,
        number(report, "round_trips")
    )
}

/// Runs the demonstration.
pub fn run() -> Result<(), Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::Unreadable(error.kind()))?;
    let narrator = Narrator::begin();
    let done = day(folder.path(), &narrator);
    if done.is_ok() {
        say(&format!("\nEvery check held. {:.1} s; the temporary folder is gone.", narrator.seconds()));
    }
    done
}

/// The three phones, the relay, and the paper with the reseat key.
pub(super) struct Cast {
    pub ana: Phone,
    pub ben: Phone,
    pub ines: Phone,
    pub relay: Relay,
    pub reseat: String,
}

fn day(folder: &Path, narrator: &Narrator) -> Result<(), Failure> {
    let relay = Relay::start(&folder.join("relay"))?;
    let env = Env::system();
    let yesterday = Some(env.now().seconds().saturating_sub(YESTERDAY_SECONDS));
    let phone = |name| -> Result<Phone, Failure> {
        let passphrase = make_passphrase(&env, 5)?;
        Ok(Phone::new(name, folder, String::from_utf8_lossy(passphrase.dangerous_as_bytes()).into_owned(), yesterday))
    };
    let mut cast = Cast { ana: phone("Ana")?, ben: phone("Ben")?, ines: phone("Ines")?, relay, reseat: String::new() };
    say("A week of street outreach: Ana, Ben and Ines, each with a phone, and a relay that can read nothing.");
    let mailbox = morning(&mut cast, narrator)?;
    shift(&cast, narrator)?;
    afternoon(&cast, narrator)?;
    for phone in [&mut cast.ana, &mut cast.ben, &mut cast.ines] {
        phone.wake_today();
    }
    next_day(&cast, narrator)?;
    seizure(&cast, folder, &mailbox, narrator)?;
    dishonest_relay(&mut cast, narrator)?;
    week::rest_of_the_week(&cast, folder, narrator)
}

fn morning(cast: &mut Cast, narrator: &Narrator) -> Result<String, Failure> {
    let Cast { ana, ben, ines, relay, reseat } = cast;
    narrator.chapter("Morning: a team is founded");
    let founded = ana.run(&["init", "--name", "Ana", "--time-zone", "America/Los_Angeles"])?;
    *reseat = founded["reseat_words"].as_str().unwrap_or_default().to_owned();
    let imported = ana.run(&["catalogue", "import"])?;
    check(number(&imported, "resources") > 20, "the_starter_catalogue")?;
    narrator.tell(&format!(
        "Ana founds it and brings a catalogue of {} services, {:.1} KB. A key for paper is shown, and kept until it is written down.",
        number(&imported, "resources"),
        number(&imported, "package_bytes") as f64 / 1000.0
    ));
    let (mailbox, secret) = relay.create_mailbox()?;
    ana.run(&["relay", "set", &relay.url(), "--mailbox", &mailbox, "--secret", &secret])?;
    ana.run(&["zone", "add", "river bend"])?;
    ana.id(&["participant", "add", "--alias", "Bluebird", "--pronouns", "they", "--goal", "a dry place", "--goal", "see a doctor"])?;
    narrator.tell("Somebody who goes by Bluebird said yes to a file: the name they chose, and what they want, in their order.");
    for guest in [&*ben, &*ines] {
        let words = join(ana, guest, "worker")?;
        narrator.tell(&format!("{} joins, beside Ana. Both phones show \"{words}\"; both people say yes.", guest.name));
    }
    for guest in [&*ben, &*ines] {
        let report = meet(ana, guest)?;
        narrator.tell(&format!("{}'s phone and Ana's meet before they leave: {}.", guest.name, session(&report)));
    }
    Ok(mailbox)
}

fn shift(cast: &Cast, narrator: &Narrator) -> Result<(), Failure> {
    let Cast { ana, ben, ines, .. } = cast;
    narrator.chapter("The shift: nobody has a network");
    ana.id(&[
        "encounter",
        "add",
        "--participant",
        "Bluebird",
        "--zone",
        "river bend",
        "--offer",
        "naloxone at the pharmacy:2=accepted",
        "--offer",
        "Calder Nights=declined",
        "--offer",
        "Bus passes=later",
        "--note",
        "asked about the heron again, in good spirits",
    ])?;
    ana.id(&["encounter", "add", "--zone", "river bend", "--offer", "Night van sandwiches:3=accepted"])?;
    ana.id(&["encounter", "add", "--kind", "phone", "--offer", "Free dental day=not_available"])?;
    narrator.tell("Ana meets three people. Bluebird takes two doses of naloxone, wants a bus pass another time, and declines the shelter:");
    narrator.tell("that goes to an anonymous count and into no file, since they did not ask to have it kept.");
    ben.id(&["participant", "add", "--alias", "Marisol", "--language", "es", "--contact", "none", "--consent", "on_screen"])?;
    ben.id(&[
        "encounter",
        "add",
        "--participant",
        "Marisol",
        "--offer",
        "Street law=accepted",
        "--offer",
        "detox=not_now",
        "--keep-refusal",
    ])?;
    ben.id(&["encounter", "add", "--offer", "Lantern drop-in=already_has"])?;
    ben.id(&["encounter", "add", "--offer", "St. Brendan's men's dormitory=turned_away_by_provider"])?;
    ben.id(&["refer", "add", "--participant", "Marisol", "--to", "Street law", "--words", "I want to clear my record"])?;
    ben.id(&["follow-up", "add", "--participant", "Marisol", "--what", "walk over together"])?;
    narrator.tell("Ben meets Marisol, who asks to be connected to a lawyer herself; he promises to walk over together.");
    ines.run(&["tally", "add", "--offer", "Condoms:10=accepted", "--offer", "Drug checking=declined"])?;
    for _ in 0..3 {
        ines.id(&["encounter", "add", "--offer", "Drug checking=accepted"])?;
    }
    narrator.tell("Ines works the drop-in, mostly counting: no file, no name, a number.");
    ana.run(&["participant", "edit", "Bluebird", "--contact", "ask at the van", "--pronouns", "she"])?;
    ines.run(&[
        "participant",
        "edit",
        "Bluebird",
        "--goal",
        "see a doctor",
        "--goal",
        "a dry place",
        "--goal",
        "a bus pass",
        "--pronouns",
        "he",
    ])?;
    narrator.tell("Bluebird talks to Ana and to Ines: both change the same file, each without knowing of the other.");
    let code = ben.run_refused(&["encounter", "add", "--note", "call 415-555-0123, badge 4417"], 4)?;
    narrator.tell(&format!("Ben is about to note a phone number and a badge: his phone asks him not to ({code})."));
    Ok(())
}

fn afternoon(cast: &Cast, narrator: &Narrator) -> Result<(), Failure> {
    narrator.chapter("Afternoon: two phones meet, no relay, no Internet");
    let report = meet(&cast.ben, &cast.ines)?;
    check(number(&report, "applied") > 0 && number(&report, "sent") > 0, "phones_that_meet")?;
    narrator.tell(&format!("Ben's phone and Ines's: {}.", session(&report)));
    Ok(())
}

/// The first part of the records in which phones differ, or what all of them hold.
fn compare(phones: &[&Phone]) -> Result<Result<Value, &'static str>, Failure> {
    let all = phones.iter().map(|phone| phone.run(&["list", "--all"])).collect::<Result<Vec<_>, _>>()?;
    let Some((first, rest)) = all.split_first() else { return Err(Failure::Check("no_phones")) };
    let parts = ["participants", "encounters", "follow_ups", "self_referrals", "zones", "tallies", "devices", "catalogue"];
    let different = parts.into_iter().find(|part| rest.iter().any(|other| first[*part].is_null() || first[*part] != other[*part]));
    Ok(match different {
        Some(part) => Err(part),
        None => Ok(first.clone()),
    })
}

pub(super) fn converge(phones: &[&Phone]) -> Result<Value, Failure> {
    compare(phones)?.map_err(|part| {
        complain(&format!("demo: {part} differ"));
        Failure::Check("phones_differ")
    })
}

fn next_day(cast: &Cast, narrator: &Narrator) -> Result<(), Failure> {
    let Cast { ana, ben, ines, .. } = cast;
    narrator.chapter("The next day: through the relay");
    for phone in [ana, ben, ines, ana, ben] {
        let report = phone.run(&["sync"])?;
        narrator.tell(&format!(
            "{:<5} {:>2} new here, {:>2} rows pushed, {} requests",
            phone.name,
            number(&report, "applied"),
            number(&report, "pushed"),
            number(&report, "requests")
        ));
    }
    let records = converge(&[ana, ben, ines])?;
    let count = |name: &str| records[name].as_array().map_or(0, Vec::len);
    check(count("participants") == 2 && count("encounters") == 9 && count("follow_ups") == 1, "everything_arrived")?;
    check(count("tallies") == 3 && count("self_referrals") == 1 && count("devices") == 3, "everything_arrived")?;
    narrator.tell(&format!(
        "All three phones hold the same: {} files, {} meetings, {} sums, compared field by field.",
        count("participants"),
        count("encounters"),
        count("tallies")
    ));
    let bluebird = ines.run(&["participant", "show", "Bluebird"])?;
    let goals: Vec<&str> = bluebird["goals"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    check(goals.contains(&"a bus pass") && bluebird["contact"] == "ask at the van", "both_edits_survive")?;
    check(bluebird["conflicts"].as_array().is_some_and(|conflicts| !conflicts.is_empty()), "a_conflict_is_shown")?;
    narrator.tell(&format!(
        "Bluebird's file has both changes. On the pronouns the two differed: \"{}\" is shown, the other stands beside it to be asked about.",
        bluebird["pronouns"].as_str().unwrap_or_default()
    ));
    let declined = records["encounters"].to_string().matches("\"declined\"").count();
    let counted = records["tallies"].to_string().matches("\"declined\"").count();
    check(declined == 0 && counted >= 2, "a_refusal_stays_anonymous")?;
    narrator
        .tell("What was declined stands in the anonymous sums and in nobody's file; Marisol asked that her \"not now\" be kept, so it is.");
    ben.run(&["follow-up", "done", records["follow_ups"][0]["id"].as_str().unwrap_or_default()])?;
    narrator.tell("Ben and Marisol walked over together. The promise is kept.");
    Ok(())
}

fn seizure(cast: &Cast, folder: &Path, mailbox: &str, narrator: &Narrator) -> Result<(), Failure> {
    narrator.chapter("Somebody takes a locked phone, and the relay's disk");
    let control = folder.join("control");
    std::fs::create_dir(&control).map_err(|error| Failure::Unreadable(error.kind()))?;
    std::fs::write(control.join("note.txt"), CANARIES.join("\n")).map_err(|error| Failure::Unreadable(error.kind()))?;
    let hits = search(&control, &CANARIES)?.hits;
    check(hits == CANARIES.len(), "the_search_finds_plain_text")?;
    let on_phone = search(&cast.ben.store, &CANARIES)?;
    check(on_phone.hits == 0 && on_phone.files > 0, "nothing_readable_on_a_locked_phone")?;
    narrator.tell(&format!(
        "{} words looked for in UTF-8, UTF-16, hexadecimal and base64. In a plain file: {hits} found. On Ben's locked phone",
        CANARIES.len()
    ));
    narrator.tell(&format!("({} files, {} KB): none.", on_phone.files, on_phone.bytes / 1000));
    let at_relay = search(&folder.join("relay"), &CANARIES)?;
    check(at_relay.hits == 0 && at_relay.files > 0, "nothing_readable_at_the_relay")?;
    narrator.tell(&format!("In the relay's files ({} files, {} KB): none.", at_relay.files, at_relay.bytes / 1000));
    let thief = Phone::new("Ben", folder, "a guess".to_owned(), None);
    check(thief.run_refused(&["list"], 3)? == "wrong_passphrase", "a_wrong_passphrase")?;
    narrator.tell("And what a court order against the relay would yield, in the operator's own words:");
    say("");
    for line in cast.relay.command(&["disclose", mailbox])?.lines() {
        say(&format!("   | {line}"));
    }
    Ok(())
}

fn dishonest_relay(cast: &mut Cast, narrator: &Narrator) -> Result<(), Failure> {
    narrator.chapter("The relay changes one bit of one row");
    // Ana is up to date, so that only what Ines writes now is new to her
    cast.ben.run(&["sync"])?;
    cast.ana.run(&["sync"])?;
    cast.ines.run(&["sync"])?;
    let before = cast.relay.record_rows()?;
    let last = ["last one today, all well", "tea and socks", "a quiet evening"];
    for note in last {
        cast.ines.id(&["encounter", "add", "--note", note])?;
    }
    cast.ines.run(&["sync"])?;
    let new: Vec<_> = cast.relay.record_rows()?.into_iter().filter(|row| !before.contains(row)).collect();
    let Some((path, id)) = new.first() else { return Err(Failure::Check("nothing_to_tamper_with")) };
    cast.relay.stop();
    Relay::tamper(path, id)?;
    cast.relay.serve()?;
    let pulled = cast.ana.run(&["sync"])?;
    check(number(&pulled, "missing") == 1, "the_changed_row_is_noticed")?;
    check(number(&pulled, "applied") + 1 == new.len() as u64, "only_the_changed_row_is_missing")?;
    narrator.tell(&format!(
        "Ana pulls {} new rows: {} are good and taken; the changed one opens under no key and becomes no record.",
        new.len(),
        number(&pulled, "applied")
    ));
    check(compare(&[&cast.ana, &cast.ines])? == Err("encounters"), "a_missing_row_is_missing")?;
    let report = meet(&cast.ines, &cast.ana)?;
    check(number(&report, "applied") == 1, "a_colleague_brings_what_the_relay_broke")?;
    narrator.tell(&format!("Then Ana meets Ines, and gets exactly what the relay broke: {}.", session(&report)));
    cast.ben.run(&["sync"])?;
    meet(&cast.ana, &cast.ben)?;
    converge(&[&cast.ana, &cast.ben, &cast.ines])?;
    narrator.tell("All three phones hold the same again.");
    Ok(())
}
