//! A yes and its end: words, a withdrawal against a late edit, a share and its way back, a complaint, and the page about somebody.

use super::phone::{Phone, meet};
use super::story::{Cast, Narrator, check, converge, number};
use crate::failure::Failure;
use serde_json::Value;
use std::path::Path;

/// Most meetings until a sealed complaint has come along with one (count): which box goes along is drawn.
const MEETINGS_COUNT: usize = 40;
const NAME: &str = "legal_name=Marisol Vega";
const LATER_NAME: &str = "legal_name=Marisol Vega Ruiz";

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_string_lossy().into_owned()
}

/// Asks for a yes, reads out the words, and hears yes. Returns the grant and the words.
fn ask(phone: &Phone, asked: &[&str]) -> Result<(String, String), Failure> {
    let mut asking = phone.start(&[&["grant", "give"], asked].concat())?;
    let words = text(&asking.next()?, "words").to_owned();
    asking.say("yes")?;
    let given = asking.finish(phone.name)?;
    Ok((text(&given, "id").to_owned(), words))
}

fn vault(phone: &Phone, grant: &str) -> Result<String, Failure> {
    let facts = phone.run(&["vault", "show", "Marisol", grant])?;
    Ok(text(&facts[0], "value").to_owned())
}

/// Tells all of it. `elm` is a phone of another team.
pub fn consents(cast: &Cast, rosa: &Phone, elm: &Phone, folder: &Path, narrator: &Narrator) -> Result<(), Failure> {
    taken_back(cast, narrator)?;
    shared(cast, elm, folder, narrator)?;
    held(cast, narrator)?;
    complained(cast, rosa, folder, narrator)
}

fn taken_back(cast: &Cast, narrator: &Narrator) -> Result<(), Failure> {
    let Cast { ana, ben, .. } = cast;
    narrator.chapter("That evening: Marisol says yes to one thing, and takes it back");
    let asked = ["Marisol", "--category", "legal_name", "--purpose", "housing_application"];
    let before = ana.run(&["grant", "list", "Marisol"])?["grants"].as_array().map_or(0, Vec::len);
    // who hears the words and does not say yes has said nothing
    let mut asking = ana.start(&[&["grant", "give"][..], &asked].concat())?;
    asking.next()?;
    asking.say("no")?;
    check(asking.end()?.0 == Some(4), "only_a_yes_is_a_yes")?;
    let count = ana.run(&["grant", "list", "Marisol"])?["grants"].as_array().map_or(0, Vec::len);
    check(count == before, "no_yes_was_written_down")?;
    let (grant, words) = ask(ana, &asked)?;
    check(words.contains("your legal name") && words.contains("housing"), "the_words_say_what_and_why")?;
    narrator.tell(&format!("Ana reads out: \"{words}\""));
    ana.run(&["vault", "write", "Marisol", &grant, "--fact", NAME])?;
    meet(ana, ben)?;
    check(vault(ben, &grant)? == "Marisol Vega", "a_colleague_may_read_it_while_it_counts")?;
    ana.run(&["withdraw", "Marisol", "--act", "record", "--category", "legal_name", "--yes"])?;
    ana.run_refused(&["vault", "show", "Marisol", &grant], 4)?;
    // Ben has not heard of it, and writes
    ben.run(&["vault", "write", "Marisol", &grant, "--fact", LATER_NAME])?;
    check(vault(ben, &grant)? == "Marisol Vega Ruiz", "the_late_edit_is_there_until_the_phones_meet")?;
    meet(ana, ben)?;
    let codes = [ana, ben].map(|phone| phone.run_refused(&["vault", "show", "Marisol", &grant], 4));
    for code in codes {
        check(code? == "grant_not_live", "a_withdrawal_beats_a_late_edit")?;
    }
    converge(&[ana, ben])?;
    narrator.tell(
        "Ana writes the name into a vault, and Ben's phone gets it. Then Marisol takes it back with Ana, while Ben, elsewhere, corrects",
    );
    narrator.tell("the name. The phones meet: the name is gone from both, the correction with it, though it was written later.");
    Ok(())
}

fn shared(cast: &Cast, elm: &Phone, folder: &Path, narrator: &Narrator) -> Result<(), Failure> {
    let ana = &cast.ana;
    narrator.chapter("The next morning: a name goes to the housing office, and comes back");
    elm.run(&["init", "--name", "Elm", "--time-zone", "America/Los_Angeles"])?;
    let (offer, packet, asked, answer) = (path(folder, "offer"), path(folder, "packet"), path(folder, "asked"), path(folder, "answer"));
    let shown = elm.run(&["share", "pair", "show", "--name", "Harbor team", "--out", &offer])?;
    let words = text(&shown, "words").to_owned();
    let take = ["share", "pair", "take", &offer, "--name", "Elm House", "--class", "service", "--expect-words"];
    ana.run_refused(&[&take[..], &["apple apple apple apple apple apple"]].concat(), 4)?;
    ana.id(&[&take[..], &[&words]].concat())?;
    let (kept, _) = ask(ana, &["Marisol", "--category", "legal_name", "--purpose", "housing_application"])?;
    ana.run(&["vault", "write", "Marisol", &kept, "--fact", NAME])?;
    let give = ["Marisol", "--category", "legal_name", "--purpose", "housing_application", "--to", "Elm House"];
    let code = ana.run_refused(&["share", "send", "Marisol", &kept, "--out", &packet, "--yes"], 4)?;
    check(code == "share_grant_to_record", "a_yes_to_record_shares_nothing")?;
    let (grant, words) = ask(ana, &give)?;
    check(words.contains("give your legal name to Elm House"), "the_words_name_the_one_recipient")?;
    let sent = ana.run(&["share", "send", "Marisol", &grant, "--out", &packet, "--yes"])?;
    let bytes = std::fs::read(folder.join("packet")).map_err(|error| Failure::Unreadable(error.kind()))?;
    check(bytes.len() == 8_192 && !String::from_utf8_lossy(&bytes).contains("Vega"), "a_packet_shows_nothing")?;
    let read = elm.run(&["share", "open", &packet])?;
    check(text(&read["facts"][0], "value") == "Marisol Vega", "the_recipient_reads_it")?;
    elm.id(&["participant", "add", "--alias", "Teal"])?;
    let there = elm.run(&["share", "open", &packet, "--keep-with", "Teal"])?;
    let there = text(&there, "grant").to_owned();
    narrator.tell(&format!("Both phones showed six words. {} bytes leave for Elm House, and the sharing log says so.", bytes.len()));
    let share = text(&sent, "share").to_owned();
    ana.run_refused(&["share", "ask-erase", &share, "--out", &asked], 4)?;
    ana.run(&["withdraw", "Marisol", "--act", "share", "--yes"])?;
    ana.run_refused(&["share", "send", "Marisol", &grant, "--out", &path(folder, "again"), "--yes"], 4)?;
    ana.run(&["share", "ask-erase", &share, "--out", &asked])?;
    check(elm.run(&["vault", "show", "Teal", &there])?[0]["value"] == "Marisol Vega", "there_until_it_is_asked_back")?;
    let answered = elm.run(&["share", "answer", &asked, "--out", &answer, "--yes"])?;
    check(answered["was_kept"] == true, "it_was_kept_there")?;
    let code = elm.run_refused(&["vault", "show", "Teal", &there], 4)?;
    check(code == "grant_not_live", "the_recipient_has_erased_it")?;
    check(ana.run(&["share", "open", &answer])?["kind"] == "answer", "the_answer_is_shown")?;
    let log = ana.run(&["grant", "log", "Marisol"])?;
    let events: Vec<&str> = log.as_array().into_iter().flatten().map(|line| text(line, "event")).collect();
    check(["shared", "stopped", "erasure_asked", "erasure_answered"].iter().all(|event| events.contains(event)), "the_log_tells_all")?;
    narrator.tell("Marisol takes the share back: nothing more leaves, Elm House is asked to erase what it has, does, and says so. That is their word.");
    Ok(())
}

fn held(cast: &Cast, narrator: &Narrator) -> Result<(), Failure> {
    narrator.chapter("\"What do you hold on me?\"");
    let told = cast.ana.read_aloud(&["participant", "hold-on-me", "Marisol"])?;
    let english = cast.ana.read_aloud(&["participant", "hold-on-me", "Marisol", "--lang", "en"])?;
    check(told != english && told.contains("Marisol"), "the_page_is_in_her_language")?;
    check(english.contains("Elm House") && english.contains("legal name"), "the_page_says_who_was_told_what")?;
    check(!english.contains("Bluebird"), "the_page_is_about_nobody_else")?;
    narrator.tell(&format!("Ana's phone answers in Spanish, {} lines in plain words. Among them, in English:", told.lines().count()));
    if let Some(line) = english.lines().find(|line| line.contains("Elm House")) {
        narrator.tell(&format!("   \"{}\"", line.trim().trim_start_matches("- ")));
    }
    Ok(())
}

fn complained(cast: &Cast, rosa: &Phone, folder: &Path, narrator: &Narrator) -> Result<(), Failure> {
    let ana = &cast.ana;
    narrator.chapter("A complaint, which only the board reads");
    let (keys, first, second) = (path(folder, "board-keys"), path(folder, "bulletin-1"), path(folder, "bulletin-2"));
    let write = ["complaint", "write", "--category", "police_misconduct"];
    let mut offered = ana.start(&write)?;
    offered.hand_in("nobody would read it")?;
    check(offered.end()?.0 == Some(4), "without_a_board_nothing_is_offered")?;
    rosa.run(&["board", "set-up", &keys])?;
    ana.run(&["charter", "set", "--board-keys", &keys])?;
    meet(ana, rosa)?;
    rosa.run(&["board", "bulletin", &first])?;
    meet(rosa, ana)?;
    let mut writing = ana.start(&write)?;
    writing.hand_in("They took the tent at the heron sign and laughed.")?;
    let code = text(&writing.finish(ana.name)?, "receipt").to_owned();
    check(ana.run_refused(&["board", "list"], 9)? == "role", "the_agency_has_no_book")?;
    let here = ana.run(&["list", "--all"])?.to_string();
    check(!here.contains("laughed"), "no_record_holds_it")?;
    let mut met = 0;
    let id = loop {
        let book = rosa.run(&["board", "list"])?;
        if let Some(line) = book["complaints"].as_array().and_then(|lines| lines.first()) {
            break text(line, "id").to_owned();
        }
        check(met < MEETINGS_COUNT, "the_complaint_reaches_the_board")?;
        ana.id(&["encounter", "add"])?;
        meet(ana, rosa)?;
        met += 1;
    };
    check(text(&rosa.run(&["board", "read", &id])?, "text").contains("laughed"), "the_board_reads_it")?;
    let mut answering = rosa.start(&["board", "answer", &id])?;
    answering.hand_in("We asked the oversight office.")?;
    answering.finish(rosa.name)?;
    rosa.run(&["board", "bulletin", &second])?;
    let before = ana.run(&["complaint", "check", &code, &first])?;
    let after = ana.run(&["complaint", "check", &code, &second])?;
    check(text(&before, "progress") != "answered" && text(&after, "progress") == "answered", "the_bulletin_shows_it_was_read")?;
    narrator.tell(&format!(
        "Sealed on Ana's phone, kept in no record, carried to Rosa's after {met} meetings; boxes that hold nothing travel like it."
    ));
    narrator.tell(&format!(
        "The receipt finds the answer in the board's bulletin {}, without any store: \"{}\"",
        number(&after, "number").max(2),
        text(&after, "answer")
    ));
    Ok(())
}
