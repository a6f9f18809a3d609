//! Participants, promises, self-referrals.

use super::share::write_new;
use super::view::{self, Names, short};
use crate::arguments::{FileFields, FollowUp, Participant, Refer, Settings};
use crate::failure::Failure;
use crate::lookup;
use crate::output::{self, Output, table};
use crate::store::{alias, optional_text, short_text};
use satchel_core::consent::{HowGiven, Language};
use satchel_core::record::{FollowUpDraft, FollowUpState, ParticipantDraft, ParticipantEdit, ReferralStatus, SelfReferralDraft, StartedBy};
use satchel_core::screen::ShortText;
use satchel_wire::ShiftDay;
use serde_json::{Value, json};

/// How long a promise is open unless said otherwise (days).
const WINDOW_DAYS: u16 = 7;

fn goals(fields: &FileFields) -> Result<Vec<ShortText>, Failure> {
    fields.goals.iter().map(|goal| short_text("goal", goal)).collect()
}

pub fn participant(settings: &Settings, output: Output, command: Participant) -> Result<(), Failure> {
    match command {
        Participant::Add { fields, consent, words_language } => {
            // everything is read through the guard before the store is touched
            let draft = ParticipantDraft {
                alias: alias(fields.alias.as_ref())?,
                pronouns: optional_text("pronouns", fields.pronouns.as_ref())?,
                language: optional_text("language", fields.language.as_ref())?,
                contact: optional_text("contact", fields.contact.as_ref())?,
                goals: goals(&fields)?,
                recognition_word: optional_text("recognition word", fields.recognition_word.as_ref())?,
            };
            let how = HowGiven::from_name(&consent).unwrap_or(HowGiven::Spoken);
            let id = settings.unlock()?.create_participant(&draft, how, &words_language)?;
            output.show(&json!({ "id": id.to_string() }), || format!("{id}"));
        }
        Participant::List => {
            let lines = settings.unlock()?.participants()?;
            let value: Vec<Value> = lines
                .iter()
                .map(|line| {
                    let alias = line.alias.as_ref().map(|alias| alias.as_str());
                    json!({ "id": line.id.to_string(), "alias": alias, "closed": line.closed, "last_day": line.last_day.to_string() })
                })
                .collect();
            output.show(&Value::Array(value), || {
                let row = |line: &satchel_core::record::ParticipantLine| {
                    let alias = line.alias.as_ref().map_or("", |alias| alias.as_str()).to_owned();
                    vec![short(line.id), alias, line.last_day.to_string(), if line.closed { "closed" } else { "" }.to_owned()]
                };
                table(&["id", "alias", "last day", ""], &lines.iter().map(row).collect::<Vec<_>>())
            });
        }
        Participant::HoldOnMe { participant, lang, word, html } => {
            let unlocked = settings.unlock()?;
            let id = lookup::participant(&unlocked, &participant)?;
            let file = unlocked.participant(id)?;
            if file.recognition_word.is_some() {
                let question = if output.is_json() { "" } else { "Which word do we know you by? " };
                let said = word.or_else(|| output::ask(question)).unwrap_or_default();
                if !file.is_recognised_by(&said) {
                    return Err(Failure::NotRecognised);
                }
            }
            let holding = unlocked.hold_on_me(id)?;
            let language = lang.as_deref().and_then(Language::from_code).unwrap_or(holding.language);
            let page = holding.page(language);
            match html {
                Some(path) => {
                    write_new(&path, page.to_html().as_bytes())?;
                    output.show(&json!({ "html": path.display().to_string() }), || format!("Written to {}.", path.display()));
                }
                None => output.show(&view::holding(&holding, &page), || page.to_text()),
            }
        }
        Participant::Show { participant } => {
            let unlocked = settings.unlock()?;
            let file = unlocked.participant(lookup::participant(&unlocked, &participant)?)?;
            output.show(&view::participant(&file), || view::participant_text(&file));
        }
        Participant::Edit { participant, fields } => {
            let edit = ParticipantEdit {
                alias: alias(fields.alias.as_ref())?,
                pronouns: optional_text("pronouns", fields.pronouns.as_ref())?,
                language: optional_text("language", fields.language.as_ref())?,
                contact: optional_text("contact", fields.contact.as_ref())?,
                goals: if fields.goals.is_empty() { None } else { Some(goals(&fields)?) },
                recognition_word: optional_text("recognition word", fields.recognition_word.as_ref())?,
                closed: None,
            };
            change(settings, output, &participant, &edit)?;
        }
        Participant::Close { participant, reopen } => {
            change(settings, output, &participant, &ParticipantEdit { closed: Some(!reopen), ..ParticipantEdit::default() })?;
        }
    }
    Ok(())
}

fn change(settings: &Settings, output: Output, participant: &str, edit: &ParticipantEdit) -> Result<(), Failure> {
    let unlocked = settings.unlock()?;
    let id = lookup::participant(&unlocked, participant)?;
    unlocked.edit_participant(id, edit)?;
    let file = unlocked.participant(id)?;
    output.show(&view::participant(&file), || view::participant_text(&file));
    Ok(())
}

pub fn day(name: &'static str, text: Option<&String>) -> Result<Option<ShiftDay>, Failure> {
    text.map(|text| text.parse().map_err(|_| Failure::Argument { name, expected: "a day such as 2026-11-30" })).transpose()
}

pub fn follow_up(settings: &Settings, output: Output, command: FollowUp) -> Result<(), Failure> {
    match command {
        FollowUp::Add { participant, what, from, until, contact } => {
            let (what, contact) = (short_text("what", &what)?, optional_text("contact", contact.as_ref())?);
            let (from, until) = (day("--from", from.as_ref())?, day("--until", until.as_ref())?);
            let unlocked = settings.unlock()?;
            let from = from.map_or_else(|| unlocked.today(), Ok)?;
            let until = until.unwrap_or_else(|| from.plus(WINDOW_DAYS));
            let draft = FollowUpDraft { participant: lookup::participant(&unlocked, &participant)?, what, from, until, contact };
            let id = unlocked.save_follow_up(&draft)?;
            output.show(&json!({ "id": id.to_string() }), || format!("{id}"));
        }
        FollowUp::List => {
            let unlocked = settings.unlock()?;
            let lines = unlocked.follow_ups()?;
            let full: Vec<Value> =
                lines.iter().map(|line| Ok(view::follow_up(&unlocked.follow_up(line.id)?))).collect::<Result<_, Failure>>()?;
            let names = Names::of(&unlocked)?;
            output.show(&Value::Array(full), || {
                let row = |line: &satchel_core::store::FollowUpLine| {
                    let what = line.what.as_ref().map_or("", ShortText::as_str).to_owned();
                    let window = format!("{} to {}", line.from, line.until);
                    vec![short(line.id), names.participant(line.participant.as_ref()), what, window, line.state.as_str().to_owned()]
                };
                table(&["id", "for", "what", "when", "state"], &lines.iter().map(row).collect::<Vec<_>>())
            });
        }
        FollowUp::Done { follow_up, dropped } => {
            let unlocked = settings.unlock()?;
            let id = lookup::record("follow-up", &follow_up, unlocked.follow_ups()?.iter().map(|line| line.id))?;
            let state = if dropped { FollowUpState::DroppedByParticipant } else { FollowUpState::Done };
            unlocked.set_follow_up_state(id, state)?;
            output.show(&view::follow_up(&unlocked.follow_up(id)?), || format!("{}: {}", short(id), state.as_str()));
        }
    }
    Ok(())
}

pub fn refer(settings: &Settings, output: Output, command: Refer) -> Result<(), Failure> {
    match command {
        Refer::Add { participant, to, words, started_by, status } => {
            let words = optional_text("words", words.as_ref())?;
            let unlocked = settings.unlock()?;
            let draft = SelfReferralDraft {
                participant: lookup::participant(&unlocked, &participant)?,
                started_by: StartedBy::from_name(&started_by).unwrap_or(StartedBy::Participant),
                to: lookup::resource(&unlocked, &to)?,
                words,
                status: ReferralStatus::from_name(&status).unwrap_or(ReferralStatus::Asked),
            };
            let id = unlocked.save_self_referral(&draft)?;
            output.show(&json!({ "id": id.to_string() }), || format!("{id}"));
        }
        Refer::List => {
            let unlocked = settings.unlock()?;
            let lines = unlocked.self_referrals()?;
            let full: Vec<Value> =
                lines.iter().map(|line| Ok(view::referral(&unlocked.self_referral(line.id)?))).collect::<Result<_, Failure>>()?;
            let names = Names::of(&unlocked)?;
            output.show(&Value::Array(full), || {
                let row = |line: &satchel_core::store::ReferralLine| {
                    let to = line.to.as_ref().map(|to| names.resource(to)).unwrap_or_default();
                    vec![short(line.id), names.participant(line.participant.as_ref()), to, line.status.as_str().to_owned()]
                };
                table(&["id", "who asks", "to", "status"], &lines.iter().map(row).collect::<Vec<_>>())
            });
        }
        Refer::Status { referral, status } => {
            let unlocked = settings.unlock()?;
            let id = lookup::record("self-referral", &referral, unlocked.self_referrals()?.iter().map(|line| line.id))?;
            let status = ReferralStatus::from_name(&status).unwrap_or(ReferralStatus::Asked);
            unlocked.set_referral_status(id, status)?;
            output.show(&view::referral(&unlocked.self_referral(id)?), || format!("{}: {}", short(id), status.as_str()));
        }
    }
    Ok(())
}
