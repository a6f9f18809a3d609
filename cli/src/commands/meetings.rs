//! Encounters, tallies, zones.

use super::view::{self, Names, short};
use crate::arguments::{Encounter, EncounterFields, Settings, Tally, Zone};
use crate::failure::Failure;
use crate::lookup;
use crate::output::{Output, table};
use crate::store::{note, short_text};
use satchel_core::record::{EncounterKind, TallyLine};
use satchel_core::screen::ShortText;
use satchel_core::store::{EncounterDraft, EncounterLine, TallyTap, Unlocked};
use satchel_wire::ids::RecordId;
use serde_json::{Value, json};

fn draft(unlocked: &Unlocked, fields: &EncounterFields, participant: Option<RecordId>) -> Result<EncounterDraft, Failure> {
    let alias = match participant {
        Some(participant) => unlocked.participant(participant)?.alias,
        None => None,
    };
    Ok(EncounterDraft {
        kind: EncounterKind::from_name(&fields.kind).unwrap_or(EncounterKind::Street),
        participant,
        zone: fields.zone.as_ref().map(|zone| lookup::zone(unlocked, zone)).transpose()?,
        offers: lookup::offers(unlocked, &fields.offers, fields.keep_refusal)?,
        note: fields.note.as_ref().map(|text| note(text, alias.as_ref())).transpose()?,
    })
}

fn named(unlocked: &Unlocked, participant: Option<&String>) -> Result<Option<RecordId>, Failure> {
    participant.map(|participant| lookup::participant(unlocked, participant)).transpose()
}

pub fn encounter(settings: &Settings, output: Output, command: Encounter) -> Result<(), Failure> {
    let unlocked = settings.unlock()?;
    let find = |text: &str| lookup::record("encounter", text, unlocked.encounters(None)?.iter().map(|line| line.id));
    match command {
        Encounter::Add { fields } => {
            let participant = named(&unlocked, fields.participant.as_ref())?;
            let id = unlocked.save_encounter(&draft(&unlocked, &fields, participant)?)?;
            output.show(&json!({ "id": id.to_string() }), || format!("{id}"));
        }
        Encounter::List { participant } => {
            let lines = unlocked.encounters(named(&unlocked, participant.as_ref())?)?;
            let value = lines.iter().map(|line| {
                json!({
                    "id": line.id.to_string(),
                    "day": line.day.to_string(),
                    "kind": line.kind.as_str(),
                    "zone": line.zone.map(|zone| zone.to_string()),
                    "participant": line.participant.map(|participant| participant.to_string()),
                    "offers": line.offers,
                })
            });
            let names = Names::of(&unlocked)?;
            output.show(&Value::Array(value.collect()), || encounter_table(&lines, &names));
        }
        Encounter::Show { encounter } => {
            let id = find(&encounter)?;
            let shown = unlocked.encounter(id)?;
            let names = Names::of(&unlocked)?;
            output.show(&view::encounter(id, &shown), || view::encounter_text(id, &shown, &names));
        }
        Encounter::Correct { encounter, fields } => {
            let id = find(&encounter)?;
            let before = unlocked.encounter(id)?.participant;
            // the participant stays the same one, whether or not it is named again
            let participant = named(&unlocked, fields.participant.as_ref())?.or(before);
            unlocked.correct_encounter(id, &draft(&unlocked, &fields, participant)?)?;
            let shown = unlocked.encounter(id)?;
            let names = Names::of(&unlocked)?;
            output.show(&view::encounter(id, &shown), || view::encounter_text(id, &shown, &names));
        }
    }
    Ok(())
}

pub fn encounter_table(lines: &[EncounterLine], names: &Names) -> String {
    let row = |line: &EncounterLine| {
        let kind = line.kind.as_str().to_owned();
        let (who, zone) = (names.participant(line.participant.as_ref()), names.zone(line.zone.as_ref()));
        vec![short(line.id), line.day.to_string(), kind, who, zone, line.offers.to_string()]
    };
    table(&["id", "day", "kind", "with", "zone", "offers"], &lines.iter().map(row).collect::<Vec<_>>())
}

pub fn tally(settings: &Settings, output: Output, command: Tally) -> Result<(), Failure> {
    let unlocked = settings.unlock()?;
    match command {
        Tally::Add { offers } => {
            let taps: Vec<TallyTap> = lookup::offers(&unlocked, &offers, false)?
                .iter()
                .map(|offer| TallyTap { resource: offer.resource, outcome: offer.outcome, count: u32::from(offer.quantity) })
                .collect();
            unlocked.tally(&taps)?;
            output.show(&json!({ "counted": taps.len() }), || "Counted. Nothing else was written down.".to_owned());
        }
        Tally::List => {
            let waiting = unlocked.tally_waiting(unlocked.today()?)?;
            let mut sums = unlocked.tallies()?;
            sums.sort_by(|a, b| (a.0, &a.1.lines.len()).cmp(&(b.0, &b.1.lines.len())));
            let value = json!({
                "sums": sums.iter().map(|(day, sum)| view::tally(day, sum)).collect::<Vec<_>>(),
                "waiting": waiting.iter().map(view::tally_line).collect::<Vec<_>>(),
            });
            let names = Names::of(&unlocked)?;
            output.show(&value, || {
                let row = |when: String, line: &TallyLine| {
                    vec![when, names.resource(&line.resource), line.outcome.as_str().to_owned(), line.count.to_string()]
                };
                let sent = sums.iter().flat_map(|(day, sum)| sum.lines.iter().map(move |line| row(format!("until {day}"), line)));
                let rows: Vec<_> = sent.chain(waiting.iter().map(|line| row("today, here".to_owned(), line))).collect();
                table(&["when", "what", "outcome", "count"], &rows)
            });
        }
    }
    Ok(())
}

pub fn zone(settings: &Settings, output: Output, command: Zone) -> Result<(), Failure> {
    match command {
        Zone::Add { name } => {
            let name = short_text("name", &name)?;
            let id = settings.unlock()?.create_zone(&name)?;
            output.show(&json!({ "id": id.to_string() }), || format!("{id}"));
        }
        Zone::List => {
            let zones = settings.unlock()?.zones()?;
            let value = zones.iter().map(|line| json!({ "id": line.id.to_string(), "name": line.name.as_ref().map(ShortText::as_str) }));
            output.show(&Value::Array(value.collect()), || {
                let row = |line: &satchel_core::store::NameLine| {
                    vec![short(line.id), line.name.as_ref().map_or("", ShortText::as_str).to_owned()]
                };
                table(&["id", "name"], &zones.iter().map(row).collect::<Vec<_>>())
            });
        }
    }
    Ok(())
}
