//! What a removed device wrote beyond its cut: kept sealed, until somebody who stands builds on it or a steward adopts it.

use super::accept::{Held, HeldBody};
use super::freeze::changes;
use super::vault::Vault;
use crate::crypto::{FieldKey, RecordKey};
use crate::document::{Actor, Document, inspect_change};
use crate::envelope::{self, Binding, Covered};
use crate::error::Error;
use crate::record::{Audience, Kind, Shape};
use crate::storage::{Reader, Transaction};
use crate::team::operation::Action;
use crate::team::{Cut, Role};
use minicbor::bytes::ByteVec;
use satchel_wire::ShiftDay;
use satchel_wire::ids::{BodyId, DeviceId, RecordId, RowId};
use std::collections::BTreeSet;

/// Bodies in one adoption (count): 34 bytes each, so that the operation stays below 16 KiB.
pub(super) const ADOPTED_AT_ONCE_COUNT: usize = 256;
/// Most adoptions that go with a removal (count).
const ADOPTIONS_MAX_COUNT: usize = 4;

/// A body beyond a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingBody {
    /// The body, to be named in an adoption.
    pub body: BodyId,
    /// Who wrote it.
    pub device: DeviceId,
    /// What kind of record it changes or makes.
    pub kind: Kind,
    /// The day it says.
    pub day: ShiftDay,
}

impl HeldBody {
    fn binding(&self) -> Binding {
        Binding {
            record: self.record,
            subject: self.subject,
            audience: Audience::Team,
            kind: self.kind,
            day: self.day,
            key_id: self.key_id,
        }
    }

    /// As it came out of its cover.
    pub(super) fn covered(&self) -> Covered {
        let key = RecordKey::from_bytes(self.key.expose());
        let field = self.field.as_ref().map(|field| FieldKey::from_bytes(field.expose()));
        Covered { binding: self.binding(), key, field, body_id: BodyId::of(&self.body), body: self.body.clone() }
    }
}

struct Candidate {
    row: RowId,
    held: HeldBody,
    changes: Vec<ByteVec>,
}

impl Vault {
    /// Whether something waits that a device numbered so: it may not write any more, and this lies beyond its cut, or beside
    /// the chain that the cut ends.
    ///
    /// Where two bodies claim a number past a gap in what is known of the chain, the one that came first stays.
    pub(super) fn is_beyond_cut(&mut self, reader: &Reader<'_>, device: &DeviceId, sequence: u32, body: &BodyId) -> Result<bool, Error> {
        let state = self.keyring.log.state();
        if state.device_role(*device).is_some_and(crate::team::Role::reads_records) {
            return Ok(false);
        }
        let Some(cut) = state.devices.get(device).and_then(|device| device.cut) else { return Ok(true) };
        Ok(!self.ledger(reader)?.leads_to(&cut, sequence, body))
    }

    /// Adopts what is here of devices that were just removed, and lies beside their cuts or beyond a gap: the member who
    /// decides has it before their eyes, and whoever hears of the decision later must not lack it.
    pub(super) fn adopt_what_is_here(&mut self, tx: &Transaction<'_>, cuts: &[Cut]) -> Result<(), Error> {
        if self.role() != Ok(Role::Steward) {
            return Ok(());
        }
        for cut in cuts {
            if self.keyring.log.state().devices.get(&cut.device).is_none_or(|device| device.cut != Some(*cut)) {
                continue;
            }
            let here = self.ledger(tx)?.beside(cut);
            for some in here.chunks(ADOPTED_AT_ONCE_COUNT).take(ADOPTIONS_MAX_COUNT) {
                self.decide(tx, Action::Adopt { bodies: some.to_vec() })?;
            }
        }
        Ok(())
    }

    /// Everything that waits beyond a cut.
    pub(super) fn waiting_beyond_cut(&mut self, reader: &Reader<'_>) -> Result<Vec<WaitingBody>, Error> {
        let mut waiting = Vec::new();
        reader.for_each_held::<Error>(|id, sealed| {
            let body = |held: &HeldBody| BodyId::of(&held.body);
            if let Held::Body(held) = self.open_held(&id, sealed)?
                && let Ok(opened) = envelope::open_body(self.team(), &held.binding(), &RecordKey::from_bytes(held.key.expose()), &held.body)
                && self.keyring.log.state().devices.contains_key(&held.author)
                && self.is_beyond_cut(reader, &held.author, opened.claimed().sequence, &body(&held))?
            {
                waiting.push(WaitingBody { body: body(&held), device: held.author, kind: held.kind, day: held.day });
            }
            Ok(())
        })?;
        waiting.sort_by_key(|waiting| (waiting.device, waiting.day, waiting.body));
        Ok(waiting)
    }

    /// Somebody who stands wrote on top of something that waits beyond a cut: exactly what their change rests on is
    /// judged as if it lay before the cut. True if that brought the missing parents.
    pub(super) fn release_depended_on(&mut self, tx: &Transaction<'_>, held: &HeldBody, content: &[u8]) -> Result<bool, Error> {
        if held.kind.shape() != Shape::Document {
            return Ok(false);
        }
        let Some(own) = changes(content) else { return Ok(false) };
        let mut candidates = self.candidates(tx, held.record, held)?;
        // a change carries the first four bytes of its own hash; that finds them, and applying proves it below
        let mut wanted: BTreeSet<[u8; 4]> = prefixes(&own);
        let mut chosen: Vec<Candidate> = Vec::new();
        while let Some(at) = candidates.iter().position(|candidate| {
            candidate.changes.iter().any(|change| change.get(4..8).is_some_and(|prefix| wanted.iter().any(|wanted| wanted == prefix)))
        }) {
            let candidate = candidates.swap_remove(at);
            wanted.extend(prefixes(&candidate.changes));
            chosen.push(candidate);
        }
        if chosen.is_empty() || !self.completes(tx, held, &own, &chosen)? {
            return Ok(false);
        }
        self.depended_on.extend(chosen.iter().map(|candidate| BodyId::of(&candidate.held.body)));
        for candidate in &chosen {
            tx.remove_held(&candidate.row)?;
        }
        self.held_room = None;
        // parents before children, in at most as many rounds as there are bodies
        for _ in 0..chosen.len() {
            for candidate in &chosen {
                self.judge(tx, candidate.held.covered())?;
            }
        }
        Ok(true)
    }

    fn candidates(&mut self, tx: &Transaction<'_>, record: RecordId, like: &HeldBody) -> Result<Vec<Candidate>, Error> {
        let mut candidates = Vec::new();
        tx.for_each_held::<Error>(|row, sealed| {
            if let Held::Body(held) = self.open_held(&row, sealed)?
                && (held.record, held.kind, held.subject) == (record, like.kind, like.subject)
                && let Ok(opened) = envelope::open_body(self.team(), &held.binding(), &RecordKey::from_bytes(held.key.expose()), &held.body)
                && self.is_beyond_cut(tx, &held.author, opened.claimed().sequence, &BodyId::of(&held.body))?
                && let Some(changes) = changes(&opened.into_content())
            {
                candidates.push(Candidate { row, held, changes });
            }
            Ok(())
        })?;
        Ok(candidates)
    }

    fn completes(&mut self, tx: &Transaction<'_>, held: &HeldBody, own: &[ByteVec], chosen: &[Candidate]) -> Result<bool, Error> {
        let place = super::index::place_of(held.record, held.kind, held.subject);
        let mut document = match self.item(tx, &place)? {
            Some(item) => self.document(tx, &item)?,
            None => Document::new(Actor::derive(self.device.as_bytes(), held.record.as_bytes(), &self.session)),
        };
        let mut left: Vec<&[ByteVec]> = chosen.iter().map(|candidate| candidate.changes.as_slice()).collect();
        loop {
            let before = left.len();
            left.retain(|changes| !applies(&mut document, changes));
            if left.is_empty() || left.len() == before {
                return Ok(left.is_empty() && applies(&mut document, own));
            }
        }
    }
}

fn prefixes(changes: &[ByteVec]) -> BTreeSet<[u8; 4]> {
    let facts = changes.iter().filter_map(|change| inspect_change(change).ok());
    let hashes = facts.flat_map(|facts| facts.dependencies);
    hashes.filter_map(|hash| hash.first_chunk::<4>().copied()).collect()
}

fn applies(document: &mut Document, changes: &[ByteVec]) -> bool {
    let slices: Vec<&[u8]> = changes.iter().map(|change| change.as_slice()).collect();
    let actors: Vec<Actor> = slices.iter().filter_map(|change| inspect_change(change).ok()).map(|facts| facts.actor).collect();
    document.apply(&slices, &actors).is_ok()
}
