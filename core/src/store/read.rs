//! Reading records: lists from sealed summaries, single records from their bodies.

use super::Unlocked;
use super::index::{Item, ItemKey, place_of};
use super::vault::Vault;
use super::write::{Draft, draft_aad, name_record};
use crate::crypto;
use crate::envelope::{self, Binding};
use crate::error::Error;
use crate::record::{
    Audience, Encounter, EncounterKind, EntryContent, EntryValue, FollowUp, FollowUpState, Kind, Participant, ParticipantLine,
    ReferralStatus, SelfReferral, Summary, Tally, TallyLine, mapping,
};
use crate::screen::{Alias, Note, ShortText};
use crate::storage::Reader;
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::ids::{BodyId, MemberId, RecordId, ResourceId};

/// One line of the list of encounters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncounterLine {
    /// The encounter.
    pub id: RecordId,
    /// Its shift day.
    pub day: ShiftDay,
    /// Street, drop-in, phone or site visit.
    pub kind: EncounterKind,
    /// Its zone.
    pub zone: Option<RecordId>,
    /// The participant.
    pub participant: Option<RecordId>,
    /// How many offers it holds.
    pub offers: u8,
}

/// One line of the list of follow-ups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUpLine {
    /// The follow-up.
    pub id: RecordId,
    /// For whom.
    pub participant: Option<RecordId>,
    /// What.
    pub what: Option<ShortText>,
    /// First day.
    pub from: ShiftDay,
    /// Last day.
    pub until: ShiftDay,
    /// State as of today.
    pub state: FollowUpState,
}

/// One line of the list of self-referrals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferralLine {
    /// The self-referral.
    pub id: RecordId,
    /// Who asks.
    pub participant: Option<RecordId>,
    /// The resource.
    pub to: Option<ResourceId>,
    /// Where it stands.
    pub status: ReferralStatus,
}

/// A name that is a record of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameLine {
    /// The zone's code, or the member's record.
    pub id: RecordId,
    /// The name.
    pub name: Option<ShortText>,
}

/// An encounter as read: the version shown, and how many others stand beside it.
#[derive(Debug)]
pub struct Shown<T> {
    /// The version shown.
    pub value: T,
    /// Its shift day.
    pub day: ShiftDay,
    /// The participant.
    pub participant: Option<RecordId>,
    /// Versions written at the same time on other phones.
    pub others: Vec<T>,
}

/// A text of a summary as it is shown: what the guard finds in it is covered.
fn line_text(text: Option<&str>, alias: Option<&str>) -> Option<ShortText> {
    ShortText::received(text?, alias).ok()
}

/// The versions of an entry; a draft has no body id yet.
pub(super) type Versions<T> = Vec<(Option<BodyId>, EntryContent<T>)>;

impl Vault {
    /// Every version of an entry that this store holds, drafts included, with the bodies they replace. A draft has no body id yet.
    pub(super) fn entry_versions<T: EntryValue>(&mut self, reader: &Reader<'_>, item: &Item) -> Result<Versions<T>, Error> {
        let place = item.place();
        let mut versions = Vec::new();
        for id in reader.bodies_of(&place)? {
            let body = reader.body(&place, &id)?.ok_or(Error::Damaged)?;
            let (content, key) = self.open_body_and_key(item, &body)?;
            versions.push((Some(id), read_entry(item.kind, &content, key)?));
        }
        for (_, draft, key) in self.drafts_and_keys_of(reader, item)? {
            versions.push((None, read_entry(item.kind, &draft.content, key)?));
        }
        // every known entry has one: without, a grant would be taken for never given, a sum for nothing
        if versions.is_empty() { Err(Error::Damaged) } else { Ok(versions) }
    }

    /// The values of an entry's versions, the one to show first.
    pub(super) fn entry_values<T: EntryValue>(&mut self, reader: &Reader<'_>, item: &Item) -> Result<Vec<T>, Error> {
        let versions = self.entry_versions::<T>(reader, item)?;
        let replaced: Vec<BodyId> = versions.iter().flat_map(|(_, content)| content.replaces.iter().flatten().copied()).collect();
        let mut leaves: Vec<(Option<BodyId>, T)> = versions
            .into_iter()
            .filter(|(id, _)| id.is_none_or(|id| !replaced.contains(&id)))
            .map(|(id, content)| (id, content.value))
            .collect();
        // a draft of this phone names all leaves it saw, so it comes first; then the smallest body id
        leaves.sort_by_key(|(id, _)| *id);
        Ok(leaves.into_iter().map(|(_, value)| value).collect())
    }

    /// The bodies that a correction has to name; none while nothing has left.
    pub(super) fn leaves(&mut self, reader: &Reader<'_>, item: &Item) -> Result<Vec<BodyId>, Error> {
        let versions = self.entry_versions::<Encounter>(reader, item)?;
        let bodies = versions.iter().filter_map(|(id, content)| id.as_ref().map(|id| (id, content.replaces.as_deref())));
        Ok(crate::record::entry::leaves(bodies))
    }

    /// The content of a body that was accepted here before; its signature was checked then.
    pub(super) fn open_own_body(&self, item: &Item, body: &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>, Error> {
        self.open_body_and_key(item, body).map(|(content, _)| content)
    }

    fn open_body_and_key<'a>(&self, item: &'a Item, body: &[u8]) -> Result<(zeroize::Zeroizing<Vec<u8>>, &'a ItemKey), Error> {
        for key in item.keys.iter().rev() {
            let binding = self.binding(item, item.day, key.id);
            if let Ok(opened) = envelope::open_body(self.team(), &binding, &key.record_key(), body) {
                return Ok((opened.into_content(), key));
            }
        }
        Err(Error::Damaged)
    }

    pub(super) fn binding(&self, item: &Item, day: ShiftDay, key_id: [u8; 8]) -> Binding {
        Binding { record: item.record, subject: item.subject, audience: Audience::Team, kind: item.kind, day, key_id }
    }

    /// How a participant is called, as far as the pages of files were read.
    pub(super) fn alias_read(&self, participant: Option<RecordId>) -> Option<String> {
        let participant = participant?;
        match &self.index.item(&place_of(participant, Kind::Participant, Some(participant)))?.summary {
            Summary::Participant { alias, .. } => alias.clone(),
            _ => None,
        }
    }

    /// A record's drafts, oldest first.
    pub(super) fn drafts_of(&self, reader: &Reader<'_>, item: &Item) -> Result<Vec<(u32, Draft)>, Error> {
        Ok(self.drafts_and_keys_of(reader, item)?.into_iter().map(|(number, draft, _)| (number, draft)).collect())
    }

    /// The same, each with the key under which it lies.
    pub(super) fn drafts_and_keys_of<'a>(&self, reader: &Reader<'_>, item: &'a Item) -> Result<Vec<(u32, Draft, &'a ItemKey)>, Error> {
        let place = item.place();
        let mut drafts = Vec::new();
        reader.for_each_draft_of::<Error>(&place, |number, sealed| {
            let aad = draft_aad(self, &place, number);
            let opened = item.keys.iter().rev().find_map(|key| Some((crypto::open(&key.record_key(), &aad, sealed).ok()?, key)));
            let (plain, key) = opened.ok_or(Error::Damaged)?;
            drafts.push((number, cbor::decode(&plain).map_err(|_| Error::Damaged)?, key));
            Ok(())
        })?;
        Ok(drafts)
    }
}

/// An entry as it lies in a body or draft, without the masks that its key can take off.
pub(super) fn read_entry<T: EntryValue>(kind: Kind, content: &[u8], key: &ItemKey) -> Result<EntryContent<T>, Error> {
    let mut content = EntryContent::<T>::from_bytes(content, kind.has_successors()).map_err(|_| Error::Damaged)?;
    if let Some(field) = key.field_key() {
        content.value.unmask(Some(&|nonce, value| field.mask(nonce, value)));
    }
    Ok(content)
}

impl Unlocked {
    /// All participant files, by their last day, the newest first; from summaries.
    pub fn participants(&self) -> Result<Vec<ParticipantLine>, Error> {
        let mut lines = self.read(|vault, reader| {
            let terms = vault.load_shown(reader, Kind::Participant)?;
            let lines = vault.shown(Kind::Participant, terms).filter_map(|item| match &item.summary {
                Summary::Participant { alias, closed } => Some(ParticipantLine {
                    id: item.record,
                    alias: alias.as_deref().and_then(|alias| Alias::received(alias, None).ok()),
                    closed: *closed,
                    last_day: item.day,
                }),
                _ => None,
            });
            Ok(lines.collect::<Vec<_>>())
        })?;
        lines.sort_by(|a, b| b.last_day.cmp(&a.last_day).then_with(|| a.id.cmp(&b.id)));
        Ok(lines)
    }

    /// One participant file. Errors: [`Error::NoSuchRecord`].
    pub fn participant(&self, participant: RecordId) -> Result<Participant, Error> {
        self.read(|vault, reader| {
            let (item, _) = vault.find_shown(reader, participant, Kind::Participant)?;
            let document = vault.document(reader, &item)?;
            Ok(mapping::read_participant(participant, &document))
        })
    }

    /// All encounters, the newest day first; of one participant, or of all.
    pub fn encounters(&self, participant: Option<RecordId>) -> Result<Vec<EncounterLine>, Error> {
        let mut lines = self.read(|vault, reader| {
            let terms = vault.load_shown(reader, Kind::Encounter)?;
            let items = vault.shown(Kind::Encounter, terms);
            let lines = items.filter(|item| participant.is_none() || item.subject == participant).filter_map(|item| match &item.summary {
                Summary::Encounter { kind, zone, offers } => Some(EncounterLine {
                    id: item.record,
                    day: item.day,
                    kind: *kind,
                    zone: zone.filter(|_| !terms.are_fields_over(item.fields_day())),
                    participant: item.subject,
                    offers: *offers,
                }),
                _ => None,
            });
            Ok(lines.collect::<Vec<_>>())
        })?;
        lines.sort_by(|a, b| b.day.cmp(&a.day).then_with(|| a.id.cmp(&b.id)));
        Ok(lines)
    }

    /// One encounter. Errors: [`Error::NoSuchRecord`].
    pub fn encounter(&self, encounter: RecordId) -> Result<Shown<Encounter>, Error> {
        self.read(|vault, reader| {
            let (item, terms) = vault.find_shown(reader, encounter, Kind::Encounter)?;
            let mut values = vault.entry_values::<Encounter>(reader, &item)?;
            if terms.are_fields_over(item.fields_day()) {
                values.iter_mut().for_each(|value| value.zone = None);
            }
            let alias = vault.alias_read(item.subject);
            values.iter_mut().for_each(|value| value.cover_note(alias.as_deref()));
            let mut values = values.into_iter();
            let value = values.next().ok_or(Error::Damaged)?;
            Ok(Shown { value, day: item.day, participant: item.subject, others: values.collect() })
        })
    }

    /// All follow-ups, the earliest window first.
    pub fn follow_ups(&self) -> Result<Vec<FollowUpLine>, Error> {
        let today = self.today()?;
        let mut lines = self.read(|vault, reader| {
            let terms = vault.load_shown(reader, Kind::FollowUp)?;
            let lines = vault.shown(Kind::FollowUp, terms).filter_map(|item| match &item.summary {
                Summary::FollowUp { what, window: (from, until), state } => Some(FollowUpLine {
                    id: item.record,
                    participant: item.subject,
                    what: line_text(what.as_deref(), vault.alias_read(item.subject).as_deref()),
                    from: *from,
                    until: *until,
                    state: mapping::shown_state(*state, *until, today),
                }),
                _ => None,
            });
            Ok(lines.collect::<Vec<_>>())
        })?;
        lines.sort_by(|a, b| a.from.cmp(&b.from).then_with(|| a.id.cmp(&b.id)));
        Ok(lines)
    }

    /// One follow-up. Errors: [`Error::NoSuchRecord`].
    pub fn follow_up(&self, follow_up: RecordId) -> Result<FollowUp, Error> {
        let today = self.today()?;
        self.read(|vault, reader| {
            let (item, _) = vault.find_shown(reader, follow_up, Kind::FollowUp)?;
            let document = vault.document(reader, &item)?;
            let alias = vault.alias_read(item.subject);
            Ok(mapping::read_follow_up(follow_up, item.subject.ok_or(Error::Damaged)?, &document, today, alias.as_deref()))
        })
    }

    /// All self-referrals.
    pub fn self_referrals(&self) -> Result<Vec<ReferralLine>, Error> {
        self.read(|vault, reader| {
            let terms = vault.load_shown(reader, Kind::SelfReferral)?;
            let lines = vault.shown(Kind::SelfReferral, terms).filter_map(|item| match &item.summary {
                Summary::SelfReferral { to, status } => {
                    Some(ReferralLine { id: item.record, participant: item.subject, to: *to, status: *status })
                }
                _ => None,
            });
            Ok(lines.collect())
        })
    }

    /// One self-referral. Errors: [`Error::NoSuchRecord`].
    pub fn self_referral(&self, referral: RecordId) -> Result<SelfReferral, Error> {
        self.read(|vault, reader| {
            let (item, _) = vault.find_shown(reader, referral, Kind::SelfReferral)?;
            let document = vault.document(reader, &item)?;
            let alias = vault.alias_read(item.subject);
            Ok(mapping::read_self_referral(referral, item.subject.ok_or(Error::Damaged)?, &document, alias.as_deref()))
        })
    }

    /// All zones with their names.
    pub fn zones(&self) -> Result<Vec<NameLine>, Error> {
        self.names(Kind::Zone)
    }

    /// How a member is called, as far as this phone knows.
    pub fn member_name(&self, member: MemberId) -> Result<Option<ShortText>, Error> {
        let record = name_record(member);
        Ok(self.names(Kind::MemberName)?.into_iter().find(|line| line.id == record).and_then(|line| line.name))
    }

    fn names(&self, kind: Kind) -> Result<Vec<NameLine>, Error> {
        self.read(|vault, reader| {
            let lines = vault.listed(reader, kind)?.map(|item| match &item.summary {
                Summary::Name(name) => NameLine { id: item.record, name: line_text(name.as_deref(), None) },
                _ => NameLine { id: item.record, name: None },
            });
            Ok(lines.collect())
        })
    }

    /// The team's note on a service.
    pub fn resource_note(&self, resource: ResourceId) -> Result<Option<Note>, Error> {
        self.read(|vault, reader| {
            let place = place_of(RecordId::from_bytes(*resource.as_bytes()), Kind::ResourceNote, None);
            // Through the pages and not the record's own row: a row that a damaged file lost would read as "no note".
            vault.items(reader, Kind::ResourceNote)?;
            let Some(item) = vault.item(reader, &place)? else { return Ok(None) };
            let document = vault.document(reader, &item)?;
            Ok(mapping::read_resource_note(&document).map(|(_, note)| note))
        })
    }

    /// What this phone has counted on a shift day and not sent yet. Sent sums are in [`Unlocked::tallies`].
    pub fn tally_waiting(&self, day: ShiftDay) -> Result<Vec<TallyLine>, Error> {
        self.read(|vault, _| Ok(vault.tally.lines(day)))
    }

    /// All sums known here, of all devices, with the last day that each counts.
    pub fn tallies(&self) -> Result<Vec<(ShiftDay, Tally)>, Error> {
        self.read(|vault, reader| {
            let mut sums = Vec::new();
            for item in vault.items(reader, Kind::Tally)? {
                sums.extend(vault.entry_values::<Tally>(reader, &item)?.into_iter().map(|tally| (item.day, tally)));
            }
            Ok(sums)
        })
    }

    /// How many drafts and bodies have not reached a relay, and how many rows are held back.
    pub fn waiting(&self) -> Result<(usize, usize), Error> {
        self.read(|vault, reader| {
            let mut drafts = 0;
            reader.for_each_draft::<Error>(|_, _, _| {
                drafts += 1;
                Ok(())
            })?;
            let unsent = vault.ledger(reader)?.lines().filter(|line| line.is_here() && !line.is_relayed()).count();
            Ok((drafts + unsent, usize::try_from(reader.held_usage()?.count).unwrap_or(usize::MAX)))
        })
    }
}
