//! The team's policy: the page for participants, its history, what can be stored, and changing it.

use super::board::read_keys;
use crate::arguments::{Charter, Settings};
use crate::failure::Failure;
use crate::output::{self, Output};
use satchel_core::consent::{Agreement, AgreementWith, GatedCategory, Language};
use satchel_core::data_map::{DATA_MAP, data_map_text};
use satchel_core::store::CharterChange;
use serde_json::{Value, json};

pub fn charter(settings: &Settings, output: Output, command: Charter) -> Result<(), Failure> {
    match command {
        Charter::Show { language, html, settings: by_name } => show(settings, output, &language, html, by_name),
        Charter::History => history(settings, output),
        Charter::DataMap => {
            data_map(output);
            Ok(())
        }
        Charter::Set { .. } => set(settings, output, command),
    }
}

fn show(settings: &Settings, output: Output, language: &str, html: bool, by_name: bool) -> Result<(), Failure> {
    let language = Language::from_code(language).ok_or(Failure::Argument { name: "language", expected: "en or es" })?;
    let unlocked = settings.unlock()?;
    let named = unlocked.team()?.charter.settings();
    if by_name && !output.is_json() {
        let rows: Vec<_> = named.iter().map(|(name, value)| vec![name.replace('_', " "), value.clone()]).collect();
        output::say(output::table(&["setting", ""], &rows).trim_end());
        return Ok(());
    }
    let page = unlocked.charter_page(language)?;
    if html && !output.is_json() {
        output::say(page.to_html().trim_end());
        return Ok(());
    }
    let sections =
        page.sections.iter().map(|section| json!({ "heading": section.heading, "lines": section.lines, "own_words": section.own_words }));
    let mut value = json!({ "language": language.as_str(), "title": page.title, "sections": sections.collect::<Vec<_>>() });
    if let Some(object) = value.as_object_mut() {
        let named = named.into_iter().map(|(name, value)| (name.to_owned(), json!(value)));
        object.insert("settings".to_owned(), Value::Object(named.collect()));
    }
    if html && let Some(object) = value.as_object_mut() {
        object.insert("html".to_owned(), json!(page.to_html()));
    }
    output.show(&value, || page.to_text());
    Ok(())
}

fn history(settings: &Settings, output: Output) -> Result<(), Failure> {
    let unlocked = settings.unlock()?;
    let events = unlocked.charter_history()?;
    let devices = unlocked.team()?.devices;
    let name = |author| {
        let line = devices.iter().find(|line| line.id == author);
        line.and_then(|line| line.name.as_ref()).map_or_else(|| author.to_string(), |name| name.as_str().to_owned())
    };
    let values = events.iter().map(|event| {
        let changes = event.changes.iter().map(|(setting, before, after)| json!({ "setting": setting, "before": before, "after": after }));
        json!({
            "operation": event.operation.to_string(), "day": event.day.to_string(), "author": event.author.to_string(),
            "waits_for_board": event.waits_for_board, "changes": changes.collect::<Vec<_>>(),
        })
    });
    output.show(&Value::Array(values.collect()), || {
        let mut text = String::new();
        for event in &events {
            let waits = if event.waits_for_board { ", WAITS for the board's signature" } else { "" };
            text.push_str(&format!("{} by {}{waits}\n", event.day, name(event.author)));
            for (setting, before, after) in &event.changes {
                let before = before.as_ref().map_or_else(String::new, |before| format!("{before} -> "));
                text.push_str(&format!("  {:<20} {before}{after}\n", setting.replace('_', " ")));
            }
        }
        text
    });
    Ok(())
}

fn data_map(output: Output) {
    let groups = DATA_MAP.iter().map(|group| {
        let fields = group.fields.iter().map(|(field, why)| json!({ "field": field, "why": why }));
        json!({
            "name": group.name, "about_a_person": group.is_about_a_person, "readers": group.readers, "until": group.until,
            "fields": fields.collect::<Vec<_>>(),
        })
    });
    output.show(&Value::Array(groups.collect()), data_map_text);
}

fn agreement(text: &str) -> Result<Agreement, Failure> {
    let split = text.split_once('=').and_then(|(with, what)| Some((AgreementWith::from_name(with.trim())?, what.trim().to_owned())));
    split
        .map(|(with, what)| Agreement { with, what })
        .ok_or(Failure::Argument { name: "agreement", expected: "police=…, prosecutors=…, anti_trafficking=… or recovery=…" })
}

fn set(settings: &Settings, output: Output, command: Charter) -> Result<(), Failure> {
    let Charter::Set {
        encounter_days,
        zone_days,
        participant_days,
        last_day,
        absence_limit_days,
        suppression,
        record_grant_days,
        share_grant_days,
        share_contact_days,
        categories,
        no_categories,
        justice_shares,
        funders,
        no_funders,
        agreements,
        no_agreements,
        reviewed,
        review_due,
        board_keys,
    } = command
    else {
        return Ok(());
    };
    let keys = board_keys.as_deref().map(read_keys).transpose()?;
    let words = keys.as_ref().map(|keys| keys.words().join(" "));
    let agreements: Vec<Agreement> = agreements.iter().map(|text| agreement(text)).collect::<Result<_, _>>()?;
    let category = |name: &String| GatedCategory::from_name(name).ok_or(Failure::NoMatch { what: "category" });
    let categories = categories.iter().map(category).collect::<Result<Vec<_>, _>>()?;
    for (field, line) in funders.iter().map(|line| ("funder", line)).chain(agreements.iter().map(|line| ("agreement", &line.what))) {
        crate::store::short_text(field, line)?;
    }
    let change = CharterChange {
        encounter_days,
        zone_days,
        participant_days,
        sunset: last_day,
        absence_limit_days,
        suppression,
        board_key: keys.as_ref().map(|keys| keys.receiving.clone()),
        board_signing: keys.map(|keys| keys.signing),
        funders: (no_funders || !funders.is_empty()).then_some(funders),
        agreements: (no_agreements || !agreements.is_empty()).then_some(agreements),
        reviewed,
        review_due,
        record_grant_days,
        share_grant_days,
        share_contact_days,
        categories: (no_categories || !categories.is_empty()).then_some(categories),
        justice_shares,
    };
    if change == CharterChange::default() {
        return Err(Failure::Argument { name: "charter set", expected: "at least one setting" });
    }
    let decision = settings.unlock()?.change_charter(&change)?;
    let value = json!({
        "operation": decision.operation.to_string(), "waits_for_board": decision.waits_for_board, "board_words": words,
    });
    output.show(&value, || {
        let mut text = if decision.waits_for_board {
            format!("This waits for the board: a board member signs it with `satchel member sign {}`.", decision.operation)
        } else {
            "In force.".to_owned()
        };
        if let Some(words) = words {
            text.push_str(&format!("\nThe board's words are: {words}\nCompare them with those that the board itself shows."));
        }
        text
    });
    Ok(())
}
