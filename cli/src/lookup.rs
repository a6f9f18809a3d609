//! What people type for a record: an id or the beginning of it, an alias, a name.

use crate::failure::Failure;
use satchel_core::catalogue::{Catalogue, Filter, Resource, fold};
use satchel_core::record::Outcome;
use satchel_core::screen::ShortText;
use satchel_core::store::{DeviceLine, OfferDraft, TeamOverview, Unlocked};
use satchel_core::team::Standing;
use satchel_wire::ids::{DeviceId, MemberId, RecordId, ResourceId};
use std::collections::BTreeSet;
use std::fmt::Display;

/// Fewest characters of an abbreviated id, its prefix not counted (count).
const ABBREVIATION_MIN_COUNT: usize = 3;
/// Most resources named when several fit (count).
const CANDIDATES_MAX_COUNT: usize = 6;

/// Whether `text` is the id, or its beginning, with or without the prefix.
fn abbreviates(id: &impl Display, text: &str) -> bool {
    let id = id.to_string();
    let text = text.trim().to_ascii_lowercase();
    let bare = id.split_once('_').map_or(id.as_str(), |(_, bare)| bare);
    let typed = text.split_once('_').map_or(text.as_str(), |(_, bare)| bare);
    let prefix_fits = !text.contains('_') || id.starts_with(&text);
    prefix_fits && typed.len() >= ABBREVIATION_MIN_COUNT && bare.starts_with(typed)
}

fn only<T>(what: &'static str, mut found: Vec<T>) -> Result<T, Failure> {
    match (found.pop(), found.len()) {
        (Some(one), 0) => Ok(one),
        (Some(_), rest) => Err(Failure::Ambiguous { what, count: rest + 1, candidates: Vec::new() }),
        (None, _) => Err(Failure::NoMatch { what }),
    }
}

/// The one record that the text names.
pub fn record(what: &'static str, text: &str, known: impl IntoIterator<Item = RecordId>) -> Result<RecordId, Failure> {
    only(what, known.into_iter().filter(|id| abbreviates(id, text)).collect())
}

/// The one id, of whatever kind, that the text is or begins.
pub fn one_of<I: Display + Copy>(what: &'static str, text: &str, known: impl IntoIterator<Item = I>) -> Result<I, Failure> {
    only(what, known.into_iter().filter(|id| abbreviates(id, text)).collect())
}

/// A phone or a person.
pub enum Whom {
    Device(DeviceId),
    Member(MemberId),
}

/// A phone by its id.
pub fn device(team: &TeamOverview, text: &str) -> Result<DeviceId, Failure> {
    one_of("phone", text, team.devices.iter().map(|line| line.id))
}

/// A member by id or name; of several with one name, those who still have a phone.
pub fn member(team: &TeamOverview, text: &str) -> Result<MemberId, Failure> {
    let typed = fold(text.trim());
    let is_called = |line: &&DeviceLine| line.name.as_ref().is_some_and(|name: &ShortText| fold(name.as_str()) == typed);
    let called: BTreeSet<MemberId> = team.devices.iter().filter(is_called).map(|line| line.member).collect();
    let has_phone = |id: &MemberId| team.devices.iter().any(|line| line.member == *id && line.standing != Standing::Removed);
    let with_phone: Vec<MemberId> = called.iter().copied().filter(has_phone).collect();
    if !with_phone.is_empty() {
        return only("member", with_phone);
    }
    if !called.is_empty() {
        return only("member", called.into_iter().collect());
    }
    let all: BTreeSet<MemberId> = team.devices.iter().map(|line| line.member).collect();
    one_of("member", text, all)
}

/// A phone by its id, or a person by id or name.
pub fn whom(team: &TeamOverview, text: &str) -> Result<Whom, Failure> {
    match device(team, text) {
        Ok(device) => Ok(Whom::Device(device)),
        Err(Failure::NoMatch { .. }) => member(team, text).map(Whom::Member),
        Err(error) => Err(error),
    }
}

/// A participant by id or alias.
pub fn participant(unlocked: &Unlocked, text: &str) -> Result<RecordId, Failure> {
    let lines = unlocked.participants()?;
    let typed = fold(text.trim());
    let called: Vec<RecordId> =
        lines.iter().filter(|line| line.alias.as_ref().is_some_and(|alias| fold(alias.as_str()) == typed)).map(|line| line.id).collect();
    if called.is_empty() { record("participant", text, lines.iter().map(|line| line.id)) } else { only("participant", called) }
}

/// A zone by id or name.
pub fn zone(unlocked: &Unlocked, text: &str) -> Result<RecordId, Failure> {
    let zones = unlocked.zones()?;
    let typed = fold(text.trim());
    let called: Vec<RecordId> =
        zones.iter().filter(|line| line.name.as_ref().is_some_and(|name| fold(name.as_str()) == typed)).map(|line| line.id).collect();
    if called.is_empty() { record("zone", text, zones.iter().map(|line| line.id)) } else { only("zone", called) }
}

/// The id of a resource as records hold it.
pub fn resource_id(resource: &Resource) -> ResourceId {
    ResourceId::from_bytes(*resource.id.as_bytes())
}

/// A resource of the catalogue by id, exact name or words that only one entry holds.
pub fn in_catalogue<'c>(catalogue: &'c Catalogue, text: &str) -> Result<&'c Resource, Failure> {
    let typed = fold(text.trim());
    let named: Vec<&Resource> = catalogue.resources.iter().filter(|resource| fold(&resource.name) == typed).collect();
    if !named.is_empty() {
        return only_resource(named);
    }
    let by_id: Vec<&Resource> = catalogue.resources.iter().filter(|resource| abbreviates(&resource_id(resource), text)).collect();
    if !by_id.is_empty() {
        return only_resource(by_id);
    }
    if typed.is_empty() {
        return Err(Failure::NoMatch { what: "resource" });
    }
    let found = catalogue.find(&Filter { text: text.to_owned(), ..Filter::default() });
    // words in a name count more than words in a description
    let in_name: Vec<&Resource> =
        found.iter().copied().filter(|resource| typed.split_whitespace().all(|word| fold(&resource.name).contains(word))).collect();
    only_resource(if in_name.is_empty() { found } else { in_name })
}

/// As `only`, and says which entries of the catalogue were meant: one service may be given at several places.
fn only_resource(found: Vec<&Resource>) -> Result<&Resource, Failure> {
    let line = |resource: &&Resource| {
        let id: String = resource_id(resource).to_string().chars().take(12).collect();
        format!("{id}  {}  {}", resource.name, resource.address.as_deref().unwrap_or_default())
    };
    let candidates = found.iter().take(CANDIDATES_MAX_COUNT).map(line).collect();
    match only("resource", found) {
        Err(Failure::Ambiguous { what, count, .. }) => Err(Failure::Ambiguous { what, count, candidates }),
        other => other,
    }
}

/// A resource by id or name; a complete id is taken even if no catalogue lists it, since supplies have ids too.
pub fn resource(unlocked: &Unlocked, text: &str) -> Result<ResourceId, Failure> {
    if let Ok(id) = text.trim().to_ascii_lowercase().parse() {
        return Ok(id);
    }
    match unlocked.catalogue()? {
        Some(catalogue) => in_catalogue(&catalogue, text).map(resource_id),
        None => Err(Failure::NoMatch { what: "resource" }),
    }
}

/// Reads `RESOURCE[:QUANTITY]=OUTCOME`.
fn split_offer(text: &str) -> Result<(&str, u16, Outcome), Failure> {
    let wrong = |expected| Failure::Argument { name: "--offer", expected };
    let (resource, outcome) = text.rsplit_once('=').ok_or(wrong("RESOURCE[:QUANTITY]=OUTCOME"))?;
    let outcome = Outcome::from_name(outcome.trim())
        .ok_or(wrong("an outcome: accepted, declined, later, not_now, not_available, turned_away_by_provider, already_has, unknown"))?;
    match resource.rsplit_once(':') {
        Some((resource, quantity)) => {
            let quantity =
                quantity.trim().parse::<u16>().ok().filter(|quantity| *quantity > 0).ok_or(wrong("a quantity from 1 to 65535"))?;
            Ok((resource, quantity, outcome))
        }
        None => Ok((resource, 1, outcome)),
    }
}

/// Reads the offers of a command line.
pub fn offers(unlocked: &Unlocked, texts: &[String], keep_refusal: bool) -> Result<Vec<OfferDraft>, Failure> {
    let read = |text: &String| {
        let (named, quantity, outcome) = split_offer(text)?;
        Ok(OfferDraft { resource: resource(unlocked, named)?, quantity, outcome, keep_refusal })
    };
    texts.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_abbreviation_names_one_record_or_none() {
        let (one, two) = (RecordId::from_bytes(*b"0123456789abcdef"), RecordId::from_bytes(*b"0123456789abcdeg"));
        let known = [one, two, RecordId::from_bytes([9; 16])];
        let text = one.to_string();
        assert_eq!(record("record", &text, known).unwrap(), one);
        assert_eq!(record("record", &text.to_uppercase(), known).unwrap(), one);
        assert_eq!(record("record", "bee", known).unwrap(), known[2], "nines begin with bee");
        assert!(matches!(record("record", &text[..20], known), Err(Failure::Ambiguous { count: 2, .. })));
        for nothing in ["", "re", "rec_", "rec_zz", "zone_gay", "b", "ünder"] {
            assert!(matches!(record("record", nothing, known), Err(Failure::NoMatch { .. })), "{nothing}");
        }
    }

    #[test]
    fn an_offer_is_read_from_its_end() {
        assert!(matches!(split_offer("naloxone=accepted"), Ok(("naloxone", 1, Outcome::Accepted))));
        assert!(matches!(split_offer("a=b: c:3=not_now"), Ok(("a=b: c", 3, Outcome::NotNow))));
        for wrong in ["", "naloxone", "naloxone=", "naloxone=no", "naloxone:0=accepted", "naloxone:70000=accepted", "x:-1=later"] {
            assert!(matches!(split_offer(wrong), Err(Failure::Argument { .. })), "{wrong}");
        }
    }
}
