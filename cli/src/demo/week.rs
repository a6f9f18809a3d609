//! The rest of the week: a lost phone, somebody who asks to be forgotten, and a team without a phone.

use super::consent::consents;
use super::phone::{Phone, join, join_typed, meet, meet_refused};
use super::story::{Cast, Narrator, check, converge, number};
use crate::failure::Failure;
use satchel_core::crypto::make_passphrase;
use satchel_core::env::Env;
use serde_json::Value;
use std::path::Path;

/// Tells the rest of the week.
pub fn rest_of_the_week(cast: &Cast, folder: &Path, narrator: &Narrator) -> Result<(), Failure> {
    let spare = |name: &'static str, place: &str| -> Result<Phone, Failure> {
        let passphrase = make_passphrase(&Env::system(), 5)?;
        Ok(Phone::replacement(name, folder, place, String::from_utf8_lossy(passphrase.dangerous_as_bytes()).into_owned()))
    };
    let rosa = spare("Rosa", "rosa")?;
    let papers = board(cast, &rosa, narrator)?;
    consents(cast, &rosa, &spare("Elm", "elm")?, folder, narrator)?;
    let ines = spare("Ines", "ines-new")?;
    lost_phone(cast, &ines, narrator)?;
    forgotten(cast, &ines, &rosa, folder, narrator)?;
    all_phones_lost(cast, &ines, &rosa, &papers, &spare("Ana", "ana-new")?, folder, narrator)
}

fn sync(phones: &[&Phone]) -> Result<(), Failure> {
    phones.iter().try_for_each(|phone| phone.run(&["sync"]).map(|_| ()))
}

fn records(phone: &Phone) -> Result<Value, Failure> {
    phone.run(&["list", "--all"])
}

fn count(records: &Value, name: &str) -> usize {
    records[name].as_array().map_or(0, Vec::len)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn board(cast: &Cast, rosa: &Phone, narrator: &Narrator) -> Result<Vec<String>, Failure> {
    let Cast { ana, ben, ines, .. } = cast;
    narrator.chapter("Two days later: the community board gets a phone, and three people a paper");
    let before = ana.run(&["recovery", "status"])?;
    check(before["losing_all_phones_loses_the_data"] == true, "without_a_board_all_would_be_lost")?;
    join(ana, rosa, "board")?;
    sync(&[ana, rosa, ana])?;
    let made = ana.run(&["recovery", "set-up", "--threshold", "2", "--shares", "3"])?;
    let papers: Vec<String> = made["papers"].as_array().into_iter().flatten().map(|paper| text(paper, "words").to_owned()).collect();
    check(papers.len() == 3, "three_papers")?;
    sync(&[ana, ben, ines, rosa, ana])?;
    let read = records(rosa)?;
    check(count(&read, "participants") == 0 && count(&read, "encounters") == 0, "the_board_reads_no_record")?;
    check(ana.run(&["recovery", "status"])?["losing_all_phones_loses_the_data"] == false, "recovery_is_set_up")?;
    narrator.tell("Until now, losing all phones would have lost the data; Ana's phone said so. Rosa of the board joins with a phone");
    narrator.tell("that reads no record, and Ana prints three papers: two of them, Rosa's phone and the reseat key bring the team back.");
    Ok(papers)
}

fn lost_phone(cast: &Cast, new: &Phone, narrator: &Narrator) -> Result<(), Failure> {
    let Cast { ana, ben, ines, .. } = cast;
    narrator.chapter("The third day: Ines's phone is lost, and somebody has it running");
    sync(&[ana, ben, ines, ana, ben])?;
    let before = count(&records(ines)?, "encounters");
    let members = ana.run(&["member", "list"])?;
    let device = members.as_array().into_iter().flatten().find(|line| line["name"] == "Ines").map(|line| text(line, "id").to_owned());
    let device = device.ok_or(Failure::Check("the_lost_phone_is_listed"))?;
    // the first step is refused, and nothing has happened
    let mut asking = ana.start(&["member", "remove", &device])?;
    asking.next()?;
    asking.say("no")?;
    check(asking.end()?.0 == Some(4), "a_removal_asks_first")?;
    let mut removing = ana.start(&["member", "remove", &device])?;
    let plan = removing.next()?;
    check(plan["name"] == "Ines" && plan["last_of_member"] == true && plan["last_heard"].is_string(), "the_plan_says_whose_phone")?;
    removing.say("yes")?;
    let removed = removing.finish(ana.name)?;
    narrator.tell(&format!(
        "Ana removes it from her own phone, in two steps: \"{}'s phone, last heard from on {}\", then yes. Key turn {} begins.",
        text(&plan, "name"),
        text(&plan, "last_heard"),
        number(&removed, "turn")
    ));
    ana.id(&["encounter", "add", "--note", "tea at the bridge, after the loss"])?;
    sync(&[ana, ben])?;
    let at_ben = records(ben)?;
    check(count(&at_ben, "encounters") == before + 1, "a_colleague_gets_what_comes_after")?;
    let (status, out, error) = ines.start(&["sync"])?.end()?;
    check(count(&records(ines)?, "encounters") == before, "the_lost_phone_gets_nothing_by_relay")?;
    let relay_says = if status == Some(0) {
        let report: Value = serde_json::from_str(out.lines().last().unwrap_or_default()).unwrap_or_default();
        format!("{} new", number(&report, "applied"))
    } else {
        let error: Value = serde_json::from_str(error.lines().last().unwrap_or_default()).unwrap_or_default();
        text(&error["error"], "code").to_owned()
    };
    let ana_says = meet_refused(ana, ines)?.ok_or(Failure::Check("the_lost_phone_is_not_talked_to"))?;
    let ben_says = meet_refused(ben, ines)?.ok_or(Failure::Check("the_lost_phone_is_not_talked_to"))?;
    check(count(&records(ines)?, "encounters") == before, "the_lost_phone_gets_nothing_by_meeting")?;
    narrator.tell(&format!(
        "Ana writes on, and Ben has it. The lost phone gets nothing: through the relay \"{relay_says}\", from Ana's phone \"{ana_says}\", from Ben's \"{ben_says}\"."
    ));
    let (code, words) = join_typed(ana, new)?;
    let report = meet(ana, new)?;
    check(number(&report, "applied") > 0, "the_new_phone_gets_the_records")?;
    sync(&[new, ana, ben, new])?;
    converge(&[ana, ben, new])?;
    narrator.tell(&format!(
        "Ines joins again with a new phone: she types \"{code}\", both compare \"{words}\". {} changes come over; all hold the same.",
        number(&report, "applied")
    ));
    Ok(())
}

fn forgotten(cast: &Cast, ines: &Phone, rosa: &Phone, folder: &Path, narrator: &Narrator) -> Result<(), Failure> {
    let Cast { ana, ben, .. } = cast;
    narrator.chapter("The fourth day: Bluebird asks to be forgotten");
    let copy = folder.join("copy-of-ben");
    copy_folder(&ben.store, &copy)?;
    let tried = folder.join("copy-tried-before");
    copy_folder(&copy, &tried)?;
    let shown = ben.with_files_at(tried).run(&["participant", "show", "Bluebird"])?;
    check(shown["alias"] == "Bluebird", "a_copy_shows_them_before_the_erasure")?;
    narrator.tell("Somebody copies the files of Ben's phone and knows his passphrase: today the copy shows Bluebird's file.");
    let mut erasing = ana.start(&["erase", "participant", "Bluebird"])?;
    let plan = erasing.next()?;
    check(number(&plan, "encounters") >= 1, "the_plan_says_what_goes")?;
    erasing.say("yes")?;
    let receipt = erasing.finish(ana.name)?;
    let id = text(&receipt, "id").to_owned();
    check(receipt["settled"] == false && count(&receipt, "awaited") >= 2, "colleagues_are_awaited")?;
    narrator.tell("Ana erases at their word, while they are there, and reads out the receipt:");
    print_receipt(ana, &id)?;
    for phone in [ben, ines] {
        check(records(phone)?.to_string().contains("Bluebird"), "they_are_there_until_the_phones_hear")?;
    }
    for _ in 0..2 {
        sync(&[ana, ben, ines, rosa])?;
    }
    sync(&[ana])?;
    let settled = ana.run(&["erase", "receipt", &id])?;
    narrator.tell("Then every phone of the team has exchanged with the relay:");
    print_receipt(ana, &id)?;
    check(settled["settled"] == true && settled["settled_since"].is_string(), "the_erasure_is_settled")?;
    check(settled["may_still_hold"][0]["why"] == "lost" && count(&settled, "may_still_hold") == 1, "the_lost_phone_may_still_hold_it")?;
    for phone in [ana, ben, ines] {
        let all = records(phone)?;
        check(!all.to_string().contains("Bluebird") && count(&all, "participants") == 1, "they_are_gone")?;
        phone.run_refused(&["participant", "show", "Bluebird"], 8)?;
    }
    converge(&[ana, ben, ines])?;
    let thief = ben.with_files_at(copy);
    let (status, out, error) = thief.start(&["participant", "show", "Bluebird"])?.end()?;
    check(status != Some(0) && !out.contains("Bluebird"), "an_old_copy_shows_nothing_of_them")?;
    let error: Value = serde_json::from_str(error.lines().last().unwrap_or_default()).unwrap_or_default();
    narrator.tell(&format!(
        "The copy of Ben's files from before, with his passphrase, on his own phone: \"{}\". The phone has destroyed what opened it.",
        text(&error["error"], "code")
    ));
    Ok(())
}

/// The receipt as a person reads it.
fn print_receipt(phone: &Phone, id: &str) -> Result<(), Failure> {
    crate::output::say("");
    for line in phone.read_aloud(&["erase", "receipt", id])?.lines() {
        crate::output::say(&format!("   | {line}"));
    }
    crate::output::say("");
    Ok(())
}

#[allow(clippy::too_many_arguments, reason = "everybody who is left")]
fn all_phones_lost(
    cast: &Cast,
    ines: &Phone,
    rosa: &Phone,
    papers: &[String],
    new: &Phone,
    folder: &Path,
    narrator: &Narrator,
) -> Result<(), Failure> {
    let Cast { ana, ben, reseat, .. } = cast;
    narrator.chapter("The fifth day: every phone of the team is lost");
    sync(&[ana, ben, ines, ana, ben, rosa])?;
    let before = records(ana)?;
    let package = folder.join("package");
    let package = package.to_string_lossy();
    rosa.run(&["recovery", "export", &package])?;
    let restore = |papers: &[&String]| -> Result<_, Failure> {
        let mut restoring = new.start(&["recovery", "restore", &package, "--name", "Ana"])?;
        for paper in papers.iter().copied().chain([reseat]) {
            restoring.say(paper)?;
        }
        restoring.say("")?;
        restoring.end()
    };
    let [first, _, third] = papers else { return Err(Failure::Check("three_papers")) };
    check(restore(&[first])?.0 != Some(0) && !new.store.exists(), "one_paper_is_not_enough")?;
    let (status, out, error) = restore(&[third, first])?;
    if status != Some(0) {
        crate::output::complain(&format!("demo: {error}"));
        return Err(Failure::Check("two_papers_are_enough"));
    }
    let restored: Value = serde_json::from_str(out.lines().last().unwrap_or_default()).unwrap_or_default();
    sync(&[new, new, new])?;
    let after = records(new)?;
    for part in ["participants", "encounters", "follow_ups", "self_referrals", "zones", "tallies"] {
        if after[part] != before[part] {
            crate::output::complain(&format!("demo: {part}: {} of {}", count(&after, part), count(&before, part)));
        }
    }
    check(count(&after, "participants") == 1 && after["participants"].to_string().contains("Marisol"), "the_records_are_back")?;
    check(!after.to_string().contains("Bluebird"), "who_was_forgotten_does_not_come_back")?;
    for part in ["participants", "encounters", "follow_ups", "self_referrals", "zones", "tallies"] {
        if after[part] != before[part] {
            return Err(Failure::Check("everything_is_back"));
        }
    }
    let members = new.run(&["member", "list"])?;
    let active = members.as_array().into_iter().flatten().filter(|line| line["standing"] == "active").count();
    check(active == 2, "the_lost_phones_are_removed")?;
    narrator.tell("One paper and the reseat key: refused. Rosa's phone, two of the three papers and the reseat key, on a new phone:");
    narrator.tell(&format!(
        "{} lost phones are removed, and through the relay {} files, {} meetings and {} sums are back, field by field. Bluebird is not.",
        count(&restored, "removed"),
        count(&after, "participants"),
        count(&after, "encounters"),
        count(&after, "tallies")
    ));
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Failure> {
    let unreadable = |error: std::io::Error| Failure::Unreadable(error.kind());
    std::fs::create_dir(to).map_err(unreadable)?;
    for entry in std::fs::read_dir(from).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()))?;
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).map_err(unreadable)?;
        }
    }
    Ok(())
}
