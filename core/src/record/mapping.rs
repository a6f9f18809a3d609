//! How records map to documents: field by field, and back.

use super::encounter::Encounter;
use super::follow_up::{self, FollowUp, FollowUpDraft, FollowUpState};
use super::kind::Kind;
use super::participant::{self, Conflict, Participant, ParticipantDraft, ParticipantEdit};
use super::self_referral::{self, ReferralStatus, SelfReferral, SelfReferralDraft, StartedBy};
use super::summary::Summary;
use crate::document::{Document, DocumentError, Edit, Place, Value};
use crate::screen::{Alias, Note, ShortText};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{MemberId, RecordId, ResourceId};

/// What an edit of a document returns.
pub type Edited = Result<(), DocumentError>;

/// Field of a zone's or member's name.
pub const NAME: &str = "name";
/// Fields of the team's note on a service.
pub mod note_field {
    /// The resource.
    pub const RESOURCE: &str = "resource";
    /// The note.
    pub const NOTE: &str = "note";
}

fn set_text(edit: &mut Edit<'_>, field: &str, text: Option<&ShortText>) -> Edited {
    match text {
        Some(text) => edit.set(field, Value::Text(text.as_str().to_owned())),
        None => Ok(()),
    }
}

fn text(document: &Document, field: &str) -> Option<ShortText> {
    as_text(document.value(field)?)
}

fn as_text(value: Value) -> Option<ShortText> {
    match value {
        Value::Text(text) => ShortText::from_sealed(&text).ok(),
        _ => None,
    }
}

/// A text as it is shown: what the guard finds in it is covered.
fn shown_text(document: &Document, field: &str, alias: Option<&str>) -> Option<ShortText> {
    match document.value(field)? {
        Value::Text(text) => ShortText::received(&text, alias).ok(),
        _ => None,
    }
}

fn int(document: &Document, field: &str) -> Option<i64> {
    match document.value(field)? {
        Value::Int(number) => Some(number),
        _ => None,
    }
}

fn id(document: &Document, field: &str) -> Option<[u8; 16]> {
    match document.value(field)? {
        Value::Bytes(bytes) => bytes.try_into().ok(),
        _ => None,
    }
}

fn day(document: &Document, field: &str) -> ShiftDay {
    ShiftDay::from_days(int(document, field).and_then(|days| u16::try_from(days).ok()).unwrap_or(0))
}

/// Writes a new participant file.
pub fn write_participant(edit: &mut Edit<'_>, draft: &ParticipantDraft, grant: RecordId) -> Edited {
    use participant::field;
    edit.set(field::GRANT, Value::Bytes(grant.as_bytes().to_vec()))?;
    if let Some(alias) = &draft.alias {
        edit.set(field::ALIAS, Value::Text(alias.as_str().to_owned()))?;
    }
    set_text(edit, field::PRONOUNS, draft.pronouns.as_ref())?;
    set_text(edit, field::LANGUAGE, draft.language.as_ref())?;
    set_text(edit, field::CONTACT, draft.contact.as_ref())?;
    set_text(edit, field::RECOGNITION_WORD, draft.recognition_word.as_ref())?;
    for goal in &draft.goals {
        edit.add_item(field::GOALS, goal.as_str(), Place::Last)?;
    }
    Ok(())
}

/// Changes a participant file.
pub fn edit_participant(edit: &mut Edit<'_>, change: &ParticipantEdit) -> Edited {
    use participant::field;
    if let Some(alias) = &change.alias {
        edit.set(field::ALIAS, Value::Text(alias.as_str().to_owned()))?;
    }
    set_text(edit, field::PRONOUNS, change.pronouns.as_ref())?;
    set_text(edit, field::LANGUAGE, change.language.as_ref())?;
    set_text(edit, field::CONTACT, change.contact.as_ref())?;
    set_text(edit, field::RECOGNITION_WORD, change.recognition_word.as_ref())?;
    if let Some(closed) = change.closed {
        edit.set(field::CLOSED, Value::Bool(closed))?;
    }
    match &change.goals {
        Some(goals) => order_goals(edit, goals),
        None => Ok(()),
    }
}

/// Brings the list to the wanted texts in their order, keeping items that stay: what another phone does to those merges.
fn order_goals(edit: &mut Edit<'_>, goals: &[ShortText]) -> Edited {
    let list = participant::field::GOALS;
    let mut unused = edit.items(list);
    let mut place = Place::First;
    for goal in goals {
        let kept = unused.iter().position(|item| item.text == goal.as_str()).map(|at| unused.remove(at).id);
        let id = match kept {
            Some(id) => {
                let items = edit.items(list);
                let before = items
                    .iter()
                    .position(|item| item.id == id)
                    .and_then(|at| at.checked_sub(1))
                    .and_then(|at| items.get(at))
                    .map(|item| item.id);
                let stands = match place {
                    Place::After(previous) => before == Some(previous),
                    _ => before.is_none(),
                };
                if !stands {
                    edit.move_item(list, id, place)?;
                }
                id
            }
            None => edit.add_item(list, goal.as_str(), place)?,
        };
        place = Place::After(id);
    }
    unused.iter().try_for_each(|item| edit.remove_item(list, item.id))
}

/// Reads a participant file as it is shown.
pub fn read_participant(id: RecordId, document: &Document) -> Participant {
    use participant::field;
    let shown = read_alias(document).and_then(|alias| Alias::received(alias.as_str(), None).ok());
    let alias = shown.as_ref().map(|alias| alias.as_str().to_owned());
    let alias = alias.as_deref();
    let received = |text: &str| ShortText::received(text, alias).ok();
    let fields = [field::ALIAS, field::PRONOUNS, field::LANGUAGE, field::CONTACT, field::RECOGNITION_WORD];
    let conflicts = fields.into_iter().filter_map(|field| {
        let others: Vec<ShortText> =
            document.conflicts(field).into_iter().skip(1).filter_map(|(value, _)| received(as_text(value)?.as_str())).collect();
        (!others.is_empty()).then_some(Conflict { field, others })
    });
    Participant {
        id,
        pronouns: shown_text(document, field::PRONOUNS, alias),
        language: shown_text(document, field::LANGUAGE, alias),
        contact: shown_text(document, field::CONTACT, alias),
        goals: document.list(field::GOALS).iter().filter_map(|goal| received(goal)).collect(),
        recognition_word: shown_text(document, field::RECOGNITION_WORD, alias),
        closed: document.value(field::CLOSED) == Some(Value::Bool(true)),
        grant: self::id(document, field::GRANT).map(RecordId::from_bytes),
        conflicts: conflicts.collect(),
        alias: shown,
    }
}

fn read_alias(document: &Document) -> Option<Alias> {
    match document.value(participant::field::ALIAS)? {
        Value::Text(text) => Alias::from_sealed(&text).ok(),
        _ => None,
    }
}

/// Writes a new follow-up.
pub fn write_follow_up(edit: &mut Edit<'_>, draft: &FollowUpDraft, who: MemberId) -> Edited {
    use follow_up::field;
    set_text(edit, field::WHAT, Some(&draft.what))?;
    edit.set(field::FROM, Value::Int(i64::from(draft.from.days())))?;
    edit.set(field::UNTIL, Value::Int(i64::from(draft.until.days())))?;
    edit.set(field::WHO, Value::Bytes(who.as_bytes().to_vec()))?;
    set_text(edit, field::CONTACT, draft.contact.as_ref())?;
    set_follow_up_state(edit, FollowUpState::Open)
}

/// Says where a follow-up stands.
pub fn set_follow_up_state(edit: &mut Edit<'_>, state: FollowUpState) -> Edited {
    edit.set(follow_up::field::STATE, Value::Text(state.as_str().to_owned()))
}

fn state(document: &Document) -> FollowUpState {
    match document.value(follow_up::field::STATE) {
        Some(Value::Text(name)) => FollowUpState::from_name(&name).unwrap_or(FollowUpState::Open),
        _ => FollowUpState::Open,
    }
}

/// Reads a follow-up as it is shown on a day.
pub fn read_follow_up(id: RecordId, participant: RecordId, document: &Document, today: ShiftDay, alias: Option<&str>) -> FollowUp {
    use follow_up::field;
    let until = day(document, field::UNTIL);
    FollowUp {
        id,
        participant,
        what: shown_text(document, field::WHAT, alias),
        from: day(document, field::FROM),
        until,
        who: self::id(document, field::WHO).map(MemberId::from_bytes),
        contact: shown_text(document, field::CONTACT, alias),
        state: shown_state(state(document), until, today),
    }
}

/// The fields of a document whose values a successor record carries on; none for a kind that others refer to by its id.
pub const fn carried_fields(kind: Kind) -> Option<&'static [&'static str]> {
    match kind {
        Kind::FollowUp => Some(follow_up::field::ALL),
        Kind::SelfReferral => Some(self_referral::field::ALL),
        _ => None,
    }
}

/// Writes the values that another document has now.
pub fn carry(edit: &mut Edit<'_>, fields: &[&str], from: &Document) -> Edited {
    fields.iter().filter_map(|field| Some((field, from.value(field)?))).try_for_each(|(field, value)| edit.set(field, value))
}

/// An open promise whose window has passed reads as expired.
pub fn shown_state(state: FollowUpState, until: ShiftDay, today: ShiftDay) -> FollowUpState {
    if state == FollowUpState::Open && until < today { FollowUpState::Expired } else { state }
}

/// Writes a new self-referral.
pub fn write_self_referral(edit: &mut Edit<'_>, draft: &SelfReferralDraft) -> Edited {
    use self_referral::field;
    edit.set(field::STARTED_BY, Value::Text(draft.started_by.as_str().to_owned()))?;
    edit.set(field::TO, Value::Bytes(draft.to.as_bytes().to_vec()))?;
    set_text(edit, field::WORDS, draft.words.as_ref())?;
    set_referral_status(edit, draft.status)
}

/// Says where a self-referral stands.
pub fn set_referral_status(edit: &mut Edit<'_>, status: ReferralStatus) -> Edited {
    edit.set(self_referral::field::STATUS, Value::Text(status.as_str().to_owned()))
}

/// Reads a self-referral as it is shown.
pub fn read_self_referral(id: RecordId, participant: RecordId, document: &Document, alias: Option<&str>) -> SelfReferral {
    use self_referral::field;
    let name = |field| match document.value(field) {
        Some(Value::Text(name)) => Some(name),
        _ => None,
    };
    SelfReferral {
        id,
        participant,
        started_by: name(field::STARTED_BY).and_then(|name| StartedBy::from_name(&name)).unwrap_or(StartedBy::Participant),
        to: self::id(document, field::TO).map(ResourceId::from_bytes),
        words: shown_text(document, field::WORDS, alias),
        status: name(field::STATUS).and_then(|name| ReferralStatus::from_name(&name)).unwrap_or(ReferralStatus::Thinking),
        share_grant: self::id(document, field::SHARE_GRANT).map(RecordId::from_bytes),
    }
}

/// Writes the team's note on a service.
pub fn write_resource_note(edit: &mut Edit<'_>, resource: ResourceId, note: &Note) -> Edited {
    edit.set(note_field::RESOURCE, Value::Bytes(resource.as_bytes().to_vec()))?;
    edit.set(note_field::NOTE, Value::Text(note.as_str().to_owned()))
}

/// Reads the team's note on a service.
pub fn read_resource_note(document: &Document) -> Option<(ResourceId, Note)> {
    let Value::Text(text) = document.value(note_field::NOTE)? else { return None };
    Some((ResourceId::from_bytes(id(document, note_field::RESOURCE)?), Note::received(&text, None).ok()?))
}

/// Writes a zone's or member's name.
pub fn write_name(edit: &mut Edit<'_>, name: &ShortText) -> Edited {
    set_text(edit, NAME, Some(name))
}

/// What lists show of a document.
pub fn summary(kind: Kind, document: &Document) -> Summary {
    match kind {
        Kind::Participant => Summary::Participant {
            alias: read_alias(document).map(|alias| alias.as_str().to_owned()),
            closed: document.value(participant::field::CLOSED) == Some(Value::Bool(true)),
        },
        Kind::FollowUp => Summary::FollowUp {
            what: text(document, follow_up::field::WHAT).map(|text| text.as_str().to_owned()),
            window: (day(document, follow_up::field::FROM), day(document, follow_up::field::UNTIL)),
            state: state(document),
        },
        Kind::SelfReferral => {
            let read = read_self_referral(RecordId::from_bytes([0; 16]), RecordId::from_bytes([0; 16]), document, None);
            Summary::SelfReferral { to: read.to, status: read.status }
        }
        Kind::MemberName | Kind::Zone => Summary::Name(text(document, NAME).map(|text| text.as_str().to_owned())),
        Kind::ResourceNote => Summary::ResourceNote(id(document, note_field::RESOURCE).map(ResourceId::from_bytes)),
        Kind::Encounter
        | Kind::Tally
        | Kind::Grant
        | Kind::Withdrawal
        | Kind::Catalogue
        | Kind::Vault
        | Kind::Recipient
        | Kind::SharingNote => Summary::Plain,
    }
}

/// What lists show of an encounter.
pub fn encounter_summary(encounter: &Encounter) -> Summary {
    Summary::Encounter { kind: encounter.kind, zone: encounter.zone, offers: u8::try_from(encounter.offers.len()).unwrap_or(u8::MAX) }
}
