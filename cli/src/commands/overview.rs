//! Today at a glance, everything in full, and any one record.

use super::view::{self, Names, short};
use crate::arguments::Settings;
use crate::failure::Failure;
use crate::lookup;
use crate::output::{Output, table};
use satchel_core::record::{FollowUpState, Kind, ReferralStatus};
use satchel_core::screen::ShortText;
use satchel_core::store::{FollowUpLine, Unlocked};
use satchel_wire::ids::RecordId;
use serde_json::{Value, json};

pub fn list(settings: &Settings, output: Output, all: bool) -> Result<(), Failure> {
    let unlocked = settings.unlock()?;
    if all {
        let records = everything(&unlocked)?;
        output.show(&records, || serde_json::to_string_pretty(&records).unwrap_or_default());
        return Ok(());
    }
    let today = unlocked.today()?;
    let encounters: Vec<_> = unlocked.encounters(None)?.into_iter().filter(|line| line.day == today).collect();
    let open: Vec<FollowUpLine> = unlocked.follow_ups()?.into_iter().filter(|line| line.state == FollowUpState::Open).collect();
    let asked: Vec<_> = unlocked
        .self_referrals()?
        .into_iter()
        .filter(|line| !matches!(line.status, ReferralStatus::GotIt | ReferralStatus::ChangedMind))
        .collect();
    let participants = unlocked.participants()?;
    let (waiting, held) = unlocked.waiting()?;
    let last_contact = unlocked.team()?.last_contact;
    let value = json!({
        "today": today.to_string(),
        "participants": participants.iter().filter(|line| !line.closed).count(),
        "encounters_today": encounters.len(),
        "follow_ups_open": open.iter().map(|line| line.id.to_string()).collect::<Vec<_>>(),
        "self_referrals_open": asked.iter().map(|line| line.id.to_string()).collect::<Vec<_>>(),
        "waiting": waiting,
        "held": held,
        "last_contact": last_contact.map(|day| day.to_string()),
    });
    let names = Names::of(&unlocked)?;
    output.show(&value, || {
        let promised = open.iter().map(|line| {
            let what = line.what.as_ref().map_or("", ShortText::as_str).to_owned();
            vec![short(line.id), names.participant(line.participant.as_ref()), what, format!("until {}", line.until)]
        });
        let promised = table(&["promised", "to", "what", ""], &promised.collect::<Vec<_>>());
        let asked = asked.iter().map(|line| {
            let to = line.to.as_ref().map(|to| names.resource(to)).unwrap_or_default();
            vec![short(line.id), names.participant(line.participant.as_ref()), to, line.status.as_str().to_owned()]
        });
        let asked = table(&["asked", "who", "for", ""], &asked.collect::<Vec<_>>());
        let met = super::meetings::encounter_table(&encounters, &names);
        let contact = last_contact.map_or("no colleague or relay met yet".to_owned(), |day| format!("last exchange {day}"));
        format!(
            "{today}: {} people with a file, {} meetings today; {waiting} changes waiting, {contact}\n\n{promised}\n\n{asked}\n\n{met}",
            participants.len(),
            encounters.len()
        )
    });
    Ok(())
}

fn sorted(mut values: Vec<Value>) -> Value {
    let key = |value: &Value| value.get("id").and_then(Value::as_str).map_or_else(|| value.to_string(), str::to_owned);
    values.sort_by_key(key);
    Value::Array(values)
}

/// Every record in full, in an order that is the same on every phone.
fn everything(unlocked: &Unlocked) -> Result<Value, Failure> {
    let collect = |ids: Vec<RecordId>, read: &dyn Fn(RecordId) -> Result<Value, Failure>| -> Result<Value, Failure> {
        Ok(sorted(ids.into_iter().map(read).collect::<Result<_, _>>()?))
    };
    let last_day = |id: RecordId, lines: &[satchel_core::record::ParticipantLine]| {
        lines.iter().find(|line| line.id == id).map(|line| line.last_day.to_string())
    };
    let lines = unlocked.participants()?;
    let participants = collect(lines.iter().map(|line| line.id).collect(), &|id| {
        let mut value = view::participant(&unlocked.participant(id)?);
        if let Some(object) = value.as_object_mut() {
            object.insert("last_day".to_owned(), json!(last_day(id, &lines)));
        }
        Ok(value)
    })?;
    let encounters =
        collect(unlocked.encounters(None)?.iter().map(|line| line.id).collect(), &|id| Ok(view::encounter(id, &unlocked.encounter(id)?)))?;
    let follow_ups =
        collect(unlocked.follow_ups()?.iter().map(|line| line.id).collect(), &|id| Ok(view::follow_up(&unlocked.follow_up(id)?)))?;
    let referrals =
        collect(unlocked.self_referrals()?.iter().map(|line| line.id).collect(), &|id| Ok(view::referral(&unlocked.self_referral(id)?)))?;
    let zones = unlocked.zones()?;
    let zones = zones.iter().map(|line| json!({ "id": line.id.to_string(), "name": line.name.as_ref().map(ShortText::as_str) }));
    let tallies = unlocked.tallies()?;
    let members = unlocked.team()?.devices;
    let members = members.iter().map(|line| {
        let name = line.name.as_ref().map(ShortText::as_str);
        json!({ "id": line.id.to_string(), "member": line.member.to_string(), "name": name, "role": line.role.as_str() })
    });
    let catalogue = unlocked.catalogue_info()?.map(|info| data_encoding::HEXLOWER.encode(&info.content_id));
    Ok(json!({
        "participants": participants,
        "encounters": encounters,
        "follow_ups": follow_ups,
        "self_referrals": referrals,
        "zones": sorted(zones.collect()),
        "tallies": sorted(tallies.iter().map(|(day, tally)| view::tally(day, tally)).collect()),
        "devices": sorted(members.collect()),
        "catalogue": catalogue,
    }))
}

pub fn show(settings: &Settings, output: Output, text: &str) -> Result<(), Failure> {
    let unlocked = settings.unlock()?;
    if let Ok(id) = lookup::participant(&unlocked, text) {
        let file = unlocked.participant(id)?;
        output.show(&with_kind(Kind::Participant, view::participant(&file)), || view::participant_text(&file));
        return Ok(());
    }
    let mut known: Vec<(RecordId, Kind)> = Vec::new();
    known.extend(unlocked.encounters(None)?.iter().map(|line| (line.id, Kind::Encounter)));
    known.extend(unlocked.follow_ups()?.iter().map(|line| (line.id, Kind::FollowUp)));
    known.extend(unlocked.self_referrals()?.iter().map(|line| (line.id, Kind::SelfReferral)));
    let found = lookup::record("record", text, known.iter().map(|(id, _)| *id))?;
    let kind = known.iter().find(|(id, _)| *id == found).map(|(_, kind)| *kind);
    match kind {
        Some(Kind::Encounter) => {
            let shown = unlocked.encounter(found)?;
            let names = Names::of(&unlocked)?;
            output.show(&with_kind(Kind::Encounter, view::encounter(found, &shown)), || view::encounter_text(found, &shown, &names));
        }
        Some(Kind::FollowUp) => {
            let value = with_kind(Kind::FollowUp, view::follow_up(&unlocked.follow_up(found)?));
            output.show(&value, || lines_of(&value));
        }
        _ => {
            let value = with_kind(Kind::SelfReferral, view::referral(&unlocked.self_referral(found)?));
            output.show(&value, || lines_of(&value));
        }
    }
    Ok(())
}

fn with_kind(kind: Kind, mut value: Value) -> Value {
    let name = match kind {
        Kind::Participant => "participant",
        Kind::Encounter => "encounter",
        Kind::FollowUp => "follow_up",
        _ => "self_referral",
    };
    if let Some(object) = value.as_object_mut() {
        object.insert("record".to_owned(), json!(name));
    }
    value
}

/// One line for each field that says something.
fn lines_of(value: &Value) -> String {
    let fields = value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let lines = fields.map(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{:<12} {text}", name.replace('_', " "))
    });
    lines.collect::<Vec<_>>().join("\n")
}
