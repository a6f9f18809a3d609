//! Records as JSON values, and names for what they point to.

use crate::failure::Failure;
use crate::lookup::resource_id;
use satchel_core::consent::holding::{GivenEvent, Holding};
use satchel_core::consent::page::Page;
use satchel_core::consent::{Act, GatedCategory};
use satchel_core::record::{Encounter, FollowUp, Participant, SelfReferral, Tally, TallyLine};
use satchel_core::screen::ShortText;
use satchel_core::store::{Shown, Unlocked};
use satchel_wire::ids::{RecordId, ResourceId};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The first characters of an id, enough to type.
pub fn short(id: impl std::fmt::Display) -> String {
    id.to_string().chars().take(12).collect()
}

fn text(text: Option<&ShortText>) -> Option<&str> {
    text.map(ShortText::as_str)
}

/// Names of resources, zones and participants, as far as this phone knows them.
pub struct Names {
    resources: BTreeMap<ResourceId, String>,
    zones: BTreeMap<RecordId, String>,
    participants: BTreeMap<RecordId, String>,
}

impl Names {
    pub fn of(unlocked: &Unlocked) -> Result<Self, Failure> {
        let catalogue = unlocked.catalogue()?;
        let resources = catalogue.iter().flat_map(|catalogue| &catalogue.resources);
        let zones = unlocked.zones()?.into_iter().filter_map(|line| Some((line.id, line.name?.as_str().to_owned())));
        let participants = unlocked.participants()?.into_iter().filter_map(|line| Some((line.id, line.alias?.as_str().to_owned())));
        Ok(Self {
            resources: resources.map(|resource| (resource_id(resource), resource.name.clone())).collect(),
            zones: zones.collect(),
            participants: participants.collect(),
        })
    }
    pub fn resource(&self, id: &ResourceId) -> String {
        self.resources.get(id).cloned().unwrap_or_else(|| short(id))
    }
    pub fn zone(&self, id: Option<&RecordId>) -> String {
        id.map_or_else(String::new, |id| self.zones.get(id).cloned().unwrap_or_else(|| short(id)))
    }
    pub fn participant(&self, id: Option<&RecordId>) -> String {
        id.map_or_else(String::new, |id| self.participants.get(id).cloned().unwrap_or_else(|| short(id)))
    }
}

pub fn participant(file: &Participant) -> Value {
    let conflicts: Vec<Value> = file
        .conflicts
        .iter()
        .map(|conflict| json!({ "field": conflict.field, "others": conflict.others.iter().map(ShortText::as_str).collect::<Vec<_>>() }))
        .collect();
    json!({
        "id": file.id.to_string(),
        "alias": file.alias.as_ref().map(|alias| alias.as_str()),
        "pronouns": text(file.pronouns.as_ref()),
        "language": text(file.language.as_ref()),
        "contact": text(file.contact.as_ref()),
        "goals": file.goals.iter().map(ShortText::as_str).collect::<Vec<_>>(),
        "recognition_word": text(file.recognition_word.as_ref()),
        "closed": file.closed,
        "grant": file.grant.map(|grant| grant.to_string()),
        "conflicts": conflicts,
    })
}

pub fn participant_text(file: &Participant) -> String {
    let mut lines = vec![format!("participant  {}", file.id)];
    let mut line = |name: &str, value: Option<&str>| lines.extend(value.map(|value| format!("{name:<12} {value}")));
    line("alias", file.alias.as_ref().map(|alias| alias.as_str()));
    line("pronouns", text(file.pronouns.as_ref()));
    line("language", text(file.language.as_ref()));
    line("contact", text(file.contact.as_ref()));
    for (number, goal) in file.goals.iter().enumerate() {
        line(if number == 0 { "goals" } else { "" }, Some(&format!("{}. {}", number + 1, goal.as_str())));
    }
    line("closed", file.closed.then_some("yes, at their word"));
    for conflict in &file.conflicts {
        let others: Vec<&str> = conflict.others.iter().map(ShortText::as_str).collect();
        line("", Some(&format!("two phones differ in {}: also \"{}\"", conflict.field, others.join("\", \""))));
    }
    lines.join("\n")
}

fn version(encounter: &Encounter) -> Value {
    let offers: Vec<Value> = encounter
        .offers
        .iter()
        .map(|offer| {
            json!({
                "resource": offer.resource.to_string(),
                "quantity": offer.quantity,
                "outcome": offer.outcome.as_str(),
                "kept_at_request": offer.kept_at_request.unwrap_or(false),
            })
        })
        .collect();
    json!({
        "kind": encounter.kind.as_str(),
        "zone": encounter.zone.map(|zone| zone.to_string()),
        "offers": offers,
        "note": encounter.note().map(|note| note.as_str().to_owned()),
    })
}

pub fn encounter(id: RecordId, shown: &Shown<Encounter>) -> Value {
    let mut value = version(&shown.value);
    if let Some(object) = value.as_object_mut() {
        object.insert("id".to_owned(), json!(id.to_string()));
        object.insert("day".to_owned(), json!(shown.day.to_string()));
        object.insert("participant".to_owned(), json!(shown.participant.map(|participant| participant.to_string())));
        object.insert("others".to_owned(), Value::Array(shown.others.iter().map(version).collect()));
    }
    value
}

pub fn encounter_text(id: RecordId, shown: &Shown<Encounter>, names: &Names) -> String {
    let value = &shown.value;
    let mut lines = vec![format!("encounter    {id}"), format!("day          {}  ({})", shown.day, value.kind.as_str())];
    let zone = names.zone(value.zone.as_ref());
    let participant = names.participant(shown.participant.as_ref());
    lines.extend((!participant.is_empty()).then(|| format!("participant  {participant}")));
    lines.extend((!zone.is_empty()).then(|| format!("zone         {zone}")));
    for offer in &value.offers {
        lines.push(format!("offer        {} × {}: {}", offer.quantity, names.resource(&offer.resource), offer.outcome.as_str()));
    }
    lines.extend(value.note().map(|note| format!("note         {}", note.as_str())));
    if !shown.others.is_empty() {
        lines.push(format!("             {} more version(s), written at the same time on other phones", shown.others.len()));
    }
    lines.join("\n")
}

pub fn follow_up(follow_up: &FollowUp) -> Value {
    json!({
        "id": follow_up.id.to_string(),
        "participant": follow_up.participant.to_string(),
        "what": text(follow_up.what.as_ref()),
        "from": follow_up.from.to_string(),
        "until": follow_up.until.to_string(),
        "who": follow_up.who.map(|member| member.to_string()),
        "contact": text(follow_up.contact.as_ref()),
        "state": follow_up.state.as_str(),
    })
}

pub fn referral(referral: &SelfReferral) -> Value {
    json!({
        "id": referral.id.to_string(),
        "participant": referral.participant.to_string(),
        "started_by": referral.started_by.as_str(),
        "to": referral.to.map(|to| to.to_string()),
        "words": text(referral.words.as_ref()),
        "status": referral.status.as_str(),
    })
}

pub fn tally_line(line: &TallyLine) -> Value {
    json!({ "resource": line.resource.to_string(), "outcome": line.outcome.as_str(), "count": line.count })
}

pub fn tally(day: impl std::fmt::Display, tally: &Tally) -> Value {
    json!({ "until": day.to_string(), "lines": tally.lines.iter().map(tally_line).collect::<Vec<_>>() })
}

/// What is held about somebody: the page in words, and the same for programs.
pub fn holding(held: &Holding, page: &Page) -> Value {
    let names = |categories: &[GatedCategory]| categories.iter().map(|category| category.as_str()).collect::<Vec<_>>();
    let sections =
        page.sections.iter().map(|section| json!({ "heading": section.heading, "lines": section.lines, "own_words": section.own_words }));
    let facts = held.facts.iter().map(|facts| {
        let fields: Vec<Value> = facts.facts.iter().map(|fact| json!({ "field": fact.field, "value": fact.value })).collect();
        json!({
            "category": facts.category.as_str(), "purpose": facts.purpose.as_str(), "until": facts.until.to_string(),
            "received": facts.is_received, "facts": fields,
        })
    });
    let grants = held.grants.iter().map(|grant| {
        json!({
            "act": grant.act.as_str(), "categories": names(&grant.categories), "purpose": grant.purpose.as_str(),
            "recipient": grant.recipient, "until": grant.until.to_string(),
        })
    });
    let given = held.given.iter().map(|given| {
        let event = match given.event {
            GivenEvent::Given => "given",
            GivenEvent::Stopped => "stopped",
            GivenEvent::Asked => "erasure_asked",
            GivenEvent::Answered { .. } => "erasure_answered",
            GivenEvent::JusticeGranted => "justice_granted",
        };
        let answer = match given.event {
            GivenEvent::Answered { was_kept, awaited } => json!({ "was_kept": was_kept, "phones_awaited": awaited }),
            _ => Value::Null,
        };
        json!({
            "day": given.day.to_string(),
            "event": event,
            "categories": names(&given.categories),
            "recipient": given.recipient,
            "answer": answer,
        })
    });
    let taken = held.taken_back.iter().map(|taken| {
        json!({ "day": taken.day.to_string(), "act": taken.act.map(Act::as_str), "category": taken.category.map(GatedCategory::as_str), "erased_everywhere": taken.is_settled })
    });
    json!({
        "language": page.language.as_str(),
        "title": page.title,
        "sections": sections.collect::<Vec<_>>(),
        "held": {
            "phones": held.readers,
            "phones_silent": held.silent,
            "phones_lost": held.lost,
            "recovery": held.has_recovery,
            "since": held.since.map(|day| day.to_string()),
            "log_is_whole": held.is_log_whole,
            "page_until": held.page_until.to_string(),
            "page": held.page.iter().map(|(field, value)| json!({ "field": field, "value": value })).collect::<Vec<_>>(),
            "recognition_word": held.has_recognition_word,
            "meetings": held.meetings.iter().map(|(day, note)| json!({ "day": day.to_string(), "note": note })).collect::<Vec<_>>(),
            "meeting_days": held.meeting_days,
            "promises": held.promises.iter().map(|(what, until)| json!({ "what": what, "until": until.to_string() })).collect::<Vec<_>>(),
            "referrals": held.referrals,
            "facts": facts.collect::<Vec<_>>(),
            "grants": grants.collect::<Vec<_>>(),
            "given": given.collect::<Vec<_>>(),
            "taken_back": taken.collect::<Vec<_>>(),
        },
    })
}
