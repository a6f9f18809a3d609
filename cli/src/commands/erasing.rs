//! `satchel erase`: what is erased at somebody's word, and the receipt in words.

use super::view::short;
use crate::arguments::{Erase, Settings};
use crate::failure::Failure;
use crate::keystore::{caveat_words, promise_words};
use crate::lookup;
use crate::output::{self, Output, table};
use crate::wording;
use satchel_core::consent::grant::GatedCategory;
use satchel_core::record::Kind;
use satchel_core::screen::ShortText;
use satchel_core::store::{DroppedEdit, ErasureReceipt, KeyReplacement, Promise, TeamOverview, Unlocked};
use satchel_core::team::MayHold;
use satchel_wire::ids::{DeviceId, OperationId, RecordId};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub fn erase(settings: &Settings, output: Output, command: Erase) -> Result<(), Failure> {
    let unlocked = settings.unlock()?;
    match command {
        Erase::Record { record, yes } => {
            let (kind, id) = any_record(&unlocked, &record)?;
            if kind == Kind::Participant {
                // a file without what hangs on it would leave them half remembered
                return participant(&unlocked, output, id, yes);
            }
            let plan = format!("This {} goes from every phone of the team.", kind.as_str().replace('_', " "));
            agree(output, yes, &json!({ "plan": "erase_record", "kind": kind.as_str() }), &plan, "yes")?;
            let operation = unlocked.erase_record(kind, id)?;
            show_receipt(&unlocked, output, operation)
        }
        Erase::Participant { participant: typed, yes } => participant(&unlocked, output, subject(&unlocked, &typed)?, yes),
        Erase::Category { participant: typed, category, yes } => {
            let category = GatedCategory::from_name(&category).ok_or(Failure::NoMatch { what: "category" })?;
            let id = subject(&unlocked, &typed)?;
            let name = category.as_str();
            let plan = format!(
                "Facts of the category \"{}\" about this participant go from every phone, also what arrives later.\n\
                 They stand in vaults only. Free text is not searched, and this category cannot be written about them again.",
                name.replace('_', " ")
            );
            agree(output, yes, &json!({ "plan": "erase_category", "category": name }), &plan, "yes")?;
            let operation = unlocked.erase_category(id, category)?;
            show_receipt(&unlocked, output, operation)
        }
        Erase::Team { yes } => {
            let plan = "Every record of the team goes from every phone, for ever. In a team of several people it waits for a\n\
                        second signature. There is no way back.";
            agree(output, yes, &json!({ "plan": "erase_team" }), plan, "ERASE")?;
            let operation = unlocked.erase_team()?;
            show_receipt(&unlocked, output, operation)
        }
        Erase::History { record, yes } => {
            let (kind, id) = any_record(&unlocked, &record)?;
            let plan = "What stands there now is kept, as a new record; every value that it ever had before goes from every phone.";
            agree(output, yes, &json!({ "plan": "erase_history", "kind": kind.as_str() }), plan, "yes")?;
            let operation = unlocked.drop_history(kind, id)?;
            show_receipt(&unlocked, output, operation)
        }
        Erase::List => list(&unlocked, output),
        Erase::Receipt { id } => {
            let known = unlocked.erasures()?;
            let operation = lookup::one_of("erasure", &id, known.iter().map(|receipt| receipt.operation))?;
            show_receipt(&unlocked, output, operation)
        }
    }
}

/// Says what will happen, and asks. Errors: [`Failure::NotErased`] unless the word was typed.
fn agree(output: Output, is_sure: bool, plan: &Value, words: &str, expected: &str) -> Result<(), Failure> {
    output.show(plan, || words.to_owned());
    let question = if output.is_json() { String::new() } else { format!("Type {expected} to erase: ") };
    if is_sure || output::ask(&question).is_some_and(|answer| answer == expected) { Ok(()) } else { Err(Failure::NotErased) }
}

/// A participant by alias or id; a complete id need not be known here, since another phone may know them.
fn subject(unlocked: &Unlocked, typed: &str) -> Result<RecordId, Failure> {
    match lookup::participant(unlocked, typed) {
        Ok(id) => Ok(id),
        Err(error) => typed.trim().to_ascii_lowercase().parse().map_err(|_| error),
    }
}

fn any_record(unlocked: &Unlocked, typed: &str) -> Result<(Kind, RecordId), Failure> {
    if let Ok(zone) = lookup::zone(unlocked, typed) {
        return Ok((Kind::Zone, zone));
    }
    let mut known: Vec<(RecordId, Kind)> = unlocked.participants()?.iter().map(|line| (line.id, Kind::Participant)).collect();
    known.extend(unlocked.encounters(None)?.iter().map(|line| (line.id, Kind::Encounter)));
    known.extend(unlocked.follow_ups()?.iter().map(|line| (line.id, Kind::FollowUp)));
    known.extend(unlocked.self_referrals()?.iter().map(|line| (line.id, Kind::SelfReferral)));
    let id = lookup::record("record", typed, known.iter().map(|(id, _)| *id))?;
    let kind = known.iter().find(|(known, _)| *known == id).map(|(_, kind)| *kind);
    kind.map(|kind| (kind, id)).ok_or(Failure::NoMatch { what: "record" })
}

fn participant(unlocked: &Unlocked, output: Output, id: RecordId, is_sure: bool) -> Result<(), Failure> {
    let meetings = unlocked.encounters(None)?.iter().filter(|line| line.participant == Some(id)).count();
    let promises = unlocked.follow_ups()?.iter().filter(|line| line.participant == Some(id)).count();
    let referrals = unlocked.self_referrals()?.iter().filter(|line| line.participant == Some(id)).count();
    let is_known = unlocked.participants()?.iter().any(|line| line.id == id);
    let plan = json!({
        "plan": "erase_participant", "known_here": is_known,
        "encounters": meetings, "follow_ups": promises, "self_referrals": referrals,
    });
    let here = if is_known {
        format!("Their file, {meetings} meetings, {promises} promises and {referrals} self-referrals")
    } else {
        "This phone knows no such file; whatever colleagues' phones hold about them".to_owned()
    };
    let words = format!(
        "{here} go from every phone of the team, and so does what a phone that is away wrote about them and brings later.\n\
         Anonymous counts stay: nobody can be found in them."
    );
    agree(output, is_sure, &plan, &words, "yes")?;
    let operation = unlocked.erase_participant(id)?;
    show_receipt(unlocked, output, operation)
}

fn receipt_value(receipt: &ErasureReceipt, promise: Promise) -> Value {
    json!({
        "id": receipt.operation.to_string(),
        "what": receipt.scope.as_str(),
        "day": receipt.day.to_string(),
        "author": receipt.author.to_string(),
        "confirmed": receipt.confirmed.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "awaited": receipt.awaited.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "may_still_hold": receipt.may_still_hold.iter()
            .map(|(device, why)| json!({ "device": device.to_string(), "why": why.as_str() })).collect::<Vec<_>>(),
        "settled": receipt.is_settled,
        "settled_since": receipt.settled_since.map(|day| day.to_string()),
        "waits_for_second_signature": receipt.waits_for_countersignature,
        "key_replacement": wording::replacement_code(receipt.platform_note),
        "caveats": promise.caveats().iter().map(|caveat| caveat.code()).collect::<Vec<_>>(),
    })
}

fn show_receipt(unlocked: &Unlocked, output: Output, operation: OperationId) -> Result<(), Failure> {
    let receipt = unlocked.erasure_receipt(operation)?;
    let (team, promise) = (unlocked.team()?, unlocked.promise()?);
    let mut dropped = unlocked.dropped_edits()?;
    dropped.retain(|edit| edit.operation == operation);
    let mut value = receipt_value(&receipt, promise);
    if let Some(value) = value.as_object_mut() {
        value.insert("dropped_edits".to_owned(), dropped_value(&dropped));
    }
    output.show(&value, || receipt_text(&receipt, &team, promise) + &dropped_text(&dropped, &team));
    Ok(())
}

/// What came too late for an erasure, for programs: never what it said.
pub(super) fn dropped_value(dropped: &[DroppedEdit]) -> Value {
    let line = |edit: &DroppedEdit| {
        json!({
            "erasure": edit.operation.to_string(), "kind": edit.kind.as_str(),
            "device": edit.device.to_string(), "member": edit.member.map(|member| member.to_string()),
            "written": edit.written.map(|day| day.to_string()), "day": edit.day.to_string(),
        })
    };
    dropped.iter().map(line).collect()
}

/// The same in words: of which kind, by whom, and when. Nothing without any.
pub(super) fn dropped_text(dropped: &[DroppedEdit], team: &TeamOverview) -> String {
    if dropped.is_empty() {
        return String::new();
    }
    let names: BTreeMap<DeviceId, String> = team.devices.iter().map(|line| (line.id, phone_of(line.name.as_ref(), line.id))).collect();
    let rows = dropped.iter().map(|edit| {
        let by = names.get(&edit.device).cloned().unwrap_or_else(|| phone_of(None, edit.device));
        let written = edit.written.map_or_else(|| "?".to_owned(), |day| day.to_string());
        vec![edit.kind.as_str().replace('_', " "), by, written, edit.day.to_string(), short(edit.operation)]
    });
    let count = match dropped.len() {
        1 => "One edit came too late for an erasure, and its content is gone. Tell whoever wrote it".to_owned(),
        count => format!("{count} edits came too late for an erasure, and their content is gone. Tell whoever wrote them"),
    };
    format!("\n{count}:\n{}", table(&["what", "by", "written", "dropped", "erasure"], &rows.collect::<Vec<_>>()))
}

/// The receipt, to be read out to the person who asked.
fn receipt_text(receipt: &ErasureReceipt, team: &TeamOverview, promise: Promise) -> String {
    let names: BTreeMap<DeviceId, String> = team.devices.iter().map(|line| (line.id, phone_of(line.name.as_ref(), line.id))).collect();
    let name = |device: &DeviceId| names.get(device).cloned().unwrap_or_else(|| short(device));
    let list = |devices: &[DeviceId]| devices.iter().map(name).collect::<Vec<_>>().join(", ");
    let mut text = format!("Erased: {}, on {}, from {}\n", wording::scope(receipt.scope), receipt.day, name(&receipt.author));
    text.push_str(&format!("Number of this receipt: {}\n\n", receipt.operation));
    if receipt.waits_for_countersignature {
        text.push_str("NOTHING IS ERASED YET: it waits for a second person's signature (satchel member waiting).\n");
        return text;
    }
    match receipt.settled_since {
        _ if !receipt.is_settled => {
            text.push_str("Not settled yet: these phones have not confirmed.\n");
            text.push_str(&format!("  awaited:   {}\n", list(&receipt.awaited)));
        }
        Some(day) => text.push_str(&format!("Settled since {day}, as far as this phone has seen: nobody is awaited.\n")),
        None => text.push_str("Settled: nobody is awaited.\n"),
    }
    text.push_str(&format!(
        "  confirmed: {}\n             It is gone there, and they hold no key to a copy of it.\n",
        if receipt.confirmed.is_empty() { "nobody".to_owned() } else { list(&receipt.confirmed) }
    ));
    if receipt.may_still_hold.is_empty() {
        text.push_str("  No other phone may still hold it.\n");
    }
    for (device, why) in &receipt.may_still_hold {
        let heard = team.devices.iter().find(|line| line.id == *device).and_then(|line| line.last_heard);
        let heard = heard.map_or(String::new(), |day| format!(" (last heard {day})"));
        text.push_str(&format!("  may still hold it: {}{heard}, {}\n", name(device), may_hold(*why)));
    }
    text.push_str(&format!("\nOn this phone: {}\n", wording::replacement(receipt.platform_note)));
    if receipt.platform_note != KeyReplacement::Done {
        text.push_str(&format!("  between a copied folder and a guessed passphrase stands {}\n", promise_words(promise)));
    }
    for caveat in promise.caveats() {
        text.push_str(&format!("  what this platform does not promise: {}\n", caveat_words(*caveat)));
    }
    text.push_str("What somebody read, photographed or told is in nobody's hand.\n");
    text
}

fn phone_of(name: Option<&ShortText>, device: DeviceId) -> String {
    match name {
        Some(name) => format!("{}'s phone {}", name.as_str(), short(device)),
        None => format!("phone {}", short(device)),
    }
}

const fn may_hold(why: MayHold) -> &'static str {
    match why {
        MayHold::Lost => "it was lost and removed",
        MayHold::Removed => "its owner was removed, suspended or has another role now",
        MayHold::Silent => "nobody has heard from it for longer than the team waits",
        MayHold::Copied => "a copy of it exists, and what one of the two confirms says nothing of the other",
    }
}

fn list(unlocked: &Unlocked, output: Output) -> Result<(), Failure> {
    let receipts = unlocked.erasures()?;
    let dropped = unlocked.dropped_edits()?;
    let (team, promise) = (unlocked.team()?, unlocked.promise()?);
    let value = json!({
        "erasures": receipts.iter().map(|receipt| receipt_value(receipt, promise)).collect::<Vec<_>>(),
        "dropped_edits": dropped_value(&dropped),
    });
    output.show(&value, || {
        let rows: Vec<Vec<String>> = receipts
            .iter()
            .map(|receipt| {
                let state = match (receipt.waits_for_countersignature, receipt.settled_since) {
                    (true, _) => "waits for a second signature".to_owned(),
                    (_, Some(day)) => format!("settled since {day}"),
                    _ => format!("{} awaited", receipt.awaited.len()),
                };
                let may = receipt.may_still_hold.len();
                let may = if may == 0 { String::new() } else { format!("{may} may still hold it") };
                vec![short(receipt.operation), receipt.day.to_string(), wording::scope(receipt.scope).to_owned(), state, may]
            })
            .collect();
        let mut text = table(&["erasure", "day", "what", "state", ""], &rows);
        text.push_str(&dropped_text(&dropped, &team));
        text
    });
    Ok(())
}
