//! What a session with a colleague's phone needs of this store, and the session itself.

use super::Unlocked;
use super::mailbox::Whom;
use super::vault::Vault;
use crate::crypto::{DiscoverySecret, Signature, labels};
use crate::envelope;
use crate::error::Error;
use crate::storage::Reader;
use crate::sync::{
    Accepted, Beyond, ChainHead, Covered, FrontierVerdict, KnownFrontier, Merged, OperationId, PeerSession, Replica, Role, SessionError,
    SessionReport, Standing, TurnVerdict, Warning,
};
use crate::team::keyring::{Adoption, FrontierNews};
use crate::team::{Frontier, Operation, TurnError};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{BodyId, DeviceId, TurnId};
use satchel_wire::row::Row;
use std::collections::{BTreeMap, BTreeSet};

/// A session with a colleague's phone, over whatever carries bytes: sans-I/O.
///
/// ```text
/// loop { while let Some(bytes) = link.transmit(n)? { send(bytes) }  if link.is_finished() { break }  link.receive(&recv())?; }
/// ```
pub struct PeerLink {
    unlocked: Unlocked,
    session: PeerSession,
}

impl std::fmt::Debug for PeerLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PeerLink")
    }
}

impl Unlocked {
    /// Begins a session as the side that dials. Errors: [`SessionError`].
    pub fn dial(&self) -> Result<PeerLink, SessionError<Error>> {
        let mut unlocked = self.clone();
        let session = PeerSession::dial(&self.shared.env, &mut unlocked)?;
        Ok(PeerLink { unlocked, session })
    }

    /// Begins a session as the side that listens.
    pub fn listen(&self) -> PeerLink {
        PeerLink { unlocked: self.clone(), session: PeerSession::listen(&self.shared.env) }
    }
}

impl PeerLink {
    /// Takes bytes of the other side, in any portions. What they brought is on disk when this returns.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), SessionError<Error>> {
        self.check()?;
        self.session.receive(&mut self.unlocked, bytes)
    }

    /// At most `max` bytes for the other side; none when nothing waits.
    pub fn transmit(&mut self, max: usize) -> Result<Option<Vec<u8>>, SessionError<Error>> {
        self.check()?;
        if let Some(bytes) = self.session.transmit(max) {
            return Ok(Some(bytes));
        }
        self.session.pump(&mut self.unlocked)?;
        Ok(self.session.transmit(max))
    }

    /// After a lock not even what is already sealed leaves, and nothing that comes is looked at.
    fn check(&self) -> Result<(), SessionError<Error>> {
        self.unlocked.alive().map(drop).map_err(SessionError::Replica)
    }

    /// Whether both sides have said all they had.
    pub fn is_finished(&self) -> bool {
        self.session.is_finished()
    }
    /// What happened so far.
    pub const fn report(&self) -> &SessionReport {
        self.session.report()
    }
    /// Everything that the other side said inside the channel so far: a peer may keep it.
    #[cfg(feature = "adversary")]
    pub fn dangerous_heard(&self) -> &[u8] {
        self.session.dangerous_heard()
    }
    /// The connection is gone. What was accepted is kept; a new session goes on from there.
    pub fn abandon(&mut self) -> Result<(), Error> {
        self.session.abandon(&mut self.unlocked)
    }
    /// Whether the other side showed that this store is an old copy.
    pub fn was_rolled_back(&self) -> bool {
        self.session.report().warnings.contains(&Warning::RolledBack)
    }
}

/// The one size of a row that carries a complaint (bytes).
const COMPLAINT_ROW_BYTES: usize = 4_096;

/// Turns of newcomers who were not heard of yet in a hello (count): the rest of its room is for colleagues.
const NEWCOMERS_IN_HELLO_COUNT: usize = 2;

/// What is signed in a handshake: role and hash.
fn handshake_message(role: Role, hash: &[u8; 32]) -> [u8; 33] {
    let mut message = [0; 33];
    message[0] = match role {
        Role::Dialer => 1,
        Role::Listener => 2,
    };
    message[1..].copy_from_slice(hash);
    message
}

fn ids(operations: &[OperationId]) -> Vec<satchel_wire::ids::OperationId> {
    operations.iter().map(|id| satchel_wire::ids::OperationId::from_bytes(*id)).collect()
}

impl Vault {
    /// Rows for bodies, freshly covered under the usable turn.
    pub(super) fn cover_bodies(
        &mut self,
        tx: &crate::storage::Transaction<'_>,
        bodies: &[BodyId],
        max_bytes: usize,
    ) -> Result<Covered, Error> {
        let turn = self.usable_turn(tx)?;
        let lane = self
            .keyring
            .book
            .held()
            .find(|held| held.turn.id() == turn)
            .and_then(|held| held.secret.records_lane_key())
            .ok_or(Error::NoTurn)?;
        let mut covered = Covered::default();
        let mut size = 0;
        for id in bodies {
            if let Some(row) = self.cover_body(tx, id, &lane)? {
                let added = row.as_bytes().len();
                if size > 0 && size + added > max_bytes {
                    break;
                }
                size += added;
                covered.rows.push(row);
            }
            covered.done += 1;
        }
        Ok(covered)
    }

    fn cover_body(&mut self, reader: &Reader<'_>, id: &BodyId, lane: &crate::crypto::LaneKey) -> Result<Option<Row>, Error> {
        let Some(line) = self.ledger(reader)?.line(id).copied().filter(super::ledger::Line::is_here) else { return Ok(None) };
        let Some(body) = reader.body(&line.place, id)? else { return Ok(None) };
        let Some(item) = self.item(reader, &line.place)? else { return Ok(None) };
        if let Some(subject) = item.subject {
            self.item(reader, &super::index::place_of(subject, crate::record::Kind::Participant, Some(subject)))?;
            self.note_withdrawn(reader)?;
        }
        if item.kind == crate::record::Kind::Vault {
            self.load_consents(reader)?;
        }
        let terms = self.latest_terms()?;
        if self.is_hidden(&item, &terms) {
            return Ok(None);
        }
        // the key that sealed this body, by its commitment: a record may have had several
        let sealed_by = |key: &&super::index::ItemKey| envelope::is_sealed_by(&body, &key.record_key());
        let key = item.keys.iter().find(sealed_by).ok_or(Error::Damaged)?;
        let binding = self.binding(&item, line.day, key.id);
        // what is over is not handed out: not even by a phone that has not been tended yet
        let field = key.field_key().filter(|_| !terms.are_fields_over(item.fields_day()));
        Ok(Some(match field {
            Some(field) => envelope::cover_row_with_field(&self.env, self.team(), lane, &binding, &field, &body)?,
            None => envelope::cover_row(&self.env, self.team(), lane, &binding, &key.record_key(), &body)?,
        }))
    }

    /// The turns by which colleagues know this phone, in the order in which a hello has room for them: the turn in use, then
    /// for each colleague the newest one that their last frontier names. Whoever erased a dozen records meanwhile has as
    /// many turns that nobody else saw.
    pub(super) fn turns_to_greet_by(&mut self) -> Result<Vec<TurnId>, Error> {
        let day = self.key_day()?;
        let recent: Vec<TurnId> = self.keyring.recognised(day).map(|known| known.turn).collect();
        let of_colleagues: Vec<TurnId> = self.turns_of_colleagues(recent.iter().copied());
        let rank = |turn: &TurnId| of_colleagues.iter().position(|other| other == turn).unwrap_or(usize::MAX);
        let in_use = recent.first().copied();
        let mut order = recent;
        order.sort_by_key(|turn| (Some(*turn) != in_use, rank(turn)));
        Ok(order)
    }

    /// Of some turns, newest first, those that newcomers were let in with and those that the newest frontiers of colleagues
    /// name last.
    fn turns_of_colleagues(&self, turns: impl Iterator<Item = TurnId>) -> Vec<TurnId> {
        let log = &self.keyring.log;
        let known: Vec<&crate::team::Turn> = turns.filter_map(|id| self.keyring.book.known().find(|turn| turn.id() == id)).collect();
        // whom this phone let in, and nobody has met since, has said nothing yet
        let handed: BTreeSet<&TurnId> = self.keyring.state().handed.values().collect();
        let newcomers = known.iter().map(|turn| turn.id()).filter(|id| handed.contains(id));
        let mut picked: Vec<TurnId> = newcomers.take(NEWCOMERS_IN_HELLO_COUNT).collect();
        for (device, _) in self.keyring.frontiers.iter().filter(|(device, _)| **device != self.device) {
            let Some(frontier) = self.keyring.frontier_of(device) else { continue };
            let heads = &frontier.content().log_heads;
            let names = |turn: &&&crate::team::Turn| turn.log_heads().iter().all(|head| log.names(heads, head));
            if let Some(turn) = known.iter().find(names).map(|turn| turn.id())
                && !picked.contains(&turn)
            {
                picked.push(turn);
            }
        }
        picked
    }

    /// A colleague or the relay was reached.
    pub(super) fn note_meeting(&mut self, whom: Whom) -> Result<(), Error> {
        let (today, now) = (self.today()?, self.env.now().seconds());
        self.state.last_contact = Some(today);
        match whom {
            Whom::Relay => (self.state.met_relay, self.met.relay) = (Some(today), Some(now)),
            Whom::Colleague => (self.state.met_colleague, self.met.colleague) = (Some(today), Some(now)),
        }
        Ok(())
    }
}

impl Replica for Unlocked {
    type Error = Error;

    fn hello_secrets(&mut self) -> Result<Vec<DiscoverySecret>, Error> {
        self.write(|vault, _| {
            let order = vault.turns_to_greet_by()?;
            let remembered = vault.keyring.remembered();
            let secrets = order.iter().filter_map(|turn| remembered.iter().find(|known| known.turn == *turn));
            Ok(secrets.map(|known| DiscoverySecret::from_bytes(known.discovery.expose())).collect())
        })
    }

    fn device(&self) -> DeviceId {
        // a locked store has no device to speak for; the next call of the session says so
        Self::device(self).unwrap_or(DeviceId::from_bytes([0; 16]))
    }

    fn sign_handshake(&mut self, role: Role, hash: &[u8; 32]) -> Result<[u8; 64], Error> {
        self.read(|vault, _| Ok(*vault.signer.sign(labels::SIGN_SESSION, &handshake_message(role, hash)).as_bytes()))
    }

    fn check_handshake(&mut self, peer: DeviceId, role: Role, hash: &[u8; 32], signature: &[u8; 64]) -> Result<Standing, Error> {
        self.read(|vault, _| {
            let state = vault.keyring.log.state();
            let Some(device) = state.devices.get(&peer) else { return Ok(Standing::Unknown) };
            if device.key.verify(labels::SIGN_SESSION, &handshake_message(role, hash), &Signature::from_bytes(*signature)).is_err() {
                return Ok(Standing::Forged);
            }
            Ok(if state.device_role(peer).is_some() { Standing::Member } else { Standing::Banned })
        })
    }

    fn clock_day(&mut self) -> Result<ShiftDay, Error> {
        self.read(|vault, _| vault.clock_day())
    }

    fn hear_clock(&mut self, day: ShiftDay) -> Result<(), Error> {
        self.write(|vault, _| vault.confirm_by_clock(day))
    }

    fn own_admission(&mut self) -> Result<Vec<OperationId>, Error> {
        self.read(|vault, _| {
            let admitted = vault.keyring.log.state().devices.get(&vault.device).ok_or(Error::Removed)?.admitted;
            Ok(vault
                .keyring
                .log
                .operations()
                .map(Operation::id)
                .filter(|id| vault.keyring.log.precedes(id, &admitted))
                .map(|id| *id.as_bytes())
                .collect())
        })
    }

    fn log_heads(&mut self) -> Result<Vec<OperationId>, Error> {
        self.read(|vault, _| Ok(vault.keyring.log.heads().iter().map(|id| *id.as_bytes()).collect()))
    }

    fn operations_beyond(&mut self, heads: &[OperationId]) -> Result<Beyond, Error> {
        self.read(|vault, _| {
            Ok(match vault.keyring.log.beyond(&ids(heads)) {
                Some(operations) => Beyond::Known(operations.iter().map(|operation| *operation.id().as_bytes()).collect()),
                None => Beyond::UnknownHeads,
            })
        })
    }

    fn operation_ids(&mut self) -> Result<Vec<OperationId>, Error> {
        self.read(|vault, _| Ok(vault.keyring.log.operations().map(|operation| *operation.id().as_bytes()).collect()))
    }

    fn operations(&mut self, wanted: &[OperationId]) -> Result<Vec<Vec<u8>>, Error> {
        self.read(|vault, _| Ok(ids(wanted).iter().filter_map(|id| vault.keyring.log.operation(id)).map(Operation::to_bytes).collect()))
    }

    fn merge_operations(&mut self, operations: Vec<Vec<u8>>) -> Result<Merged, Error> {
        let merge = self.write(|vault, tx| vault.merge_operations(tx, &operations))?;
        Ok(Merged { accepted: merge.accepted, held: merge.held, refused: merge.refused })
    }

    fn turns(&mut self) -> Result<Vec<TurnId>, Error> {
        self.write(|vault, tx| {
            let first = if vault.require_writer().is_ok() { Some(vault.usable_turn(tx)?) } else { None };
            let rest = vault.keyring.book.held().map(|held| held.turn.id()).filter(|id| Some(*id) != first);
            Ok(first.into_iter().chain(rest).collect())
        })
    }

    fn frontier(&mut self) -> Result<Vec<u8>, Error> {
        self.write(|vault, tx| vault.own_frontier(tx))
    }

    fn receiving_key(&mut self) -> Result<Vec<u8>, Error> {
        self.read(|vault, _| vault.own_receiving_key())
    }

    fn needs_receiving_key(&mut self, frontier: &[u8]) -> Result<bool, Error> {
        self.read(|vault, _| {
            let Ok(frontier) = Frontier::from_bytes(frontier) else { return Ok(false) };
            let known = vault.keyring.frontiers.get(&frontier.content().device).and_then(|known| known.receiving.as_deref());
            Ok(known.is_none_or(|key| crate::team::frontier::receiving_hash(key) != frontier.content().receiving))
        })
    }

    fn accept_frontier(&mut self, device: DeviceId, frontier: &[u8], receiving_key: Option<&[u8]>) -> Result<FrontierVerdict, Error> {
        self.write(|vault, tx| {
            let decoded = Frontier::from_bytes(frontier);
            if !decoded.is_ok_and(|decoded| decoded.content().device == device) {
                return Ok(FrontierVerdict::Refused("frontier_malformed"));
            }
            let verdict = match vault.take_frontier(tx, frontier, receiving_key)? {
                None => FrontierVerdict::Refused("frontier_signature"),
                Some(FrontierNews::Newer) => FrontierVerdict::Newer,
                Some(FrontierNews::Same) => FrontierVerdict::Same,
                Some(FrontierNews::Older) => FrontierVerdict::Older,
                Some(FrontierNews::RolledBack | FrontierNews::Copied) => FrontierVerdict::RolledBack,
            };
            // a colleague's phone is one that may know the date, and what comes next is judged by it
            if !matches!(verdict, FrontierVerdict::Refused(_))
                && let Some(day) = vault.keyring.frontier_of(&device).map(|frontier| frontier.content().day)
            {
                vault.confirm_day(day)?;
            }
            Ok(verdict)
        })
    }

    fn known_frontiers(&mut self) -> Result<Vec<(DeviceId, u64)>, Error> {
        self.read(|vault, _| {
            let devices: Vec<DeviceId> = vault.keyring.frontiers.keys().copied().collect();
            Ok(devices
                .into_iter()
                .filter_map(|device| vault.frontier_of(&device).map(|frontier| (device, frontier.content().counter)))
                .collect())
        })
    }

    fn frontiers(&mut self, devices: &[DeviceId]) -> Result<Vec<KnownFrontier>, Error> {
        self.read(|vault, _| {
            let known = devices.iter().filter_map(|device| vault.keyring.frontiers.get(device).map(|known| (*device, known)));
            Ok(known
                .map(|(device, known)| KnownFrontier { device, frontier: known.frontier.clone(), receiving_key: known.receiving.clone() })
                .collect())
        })
    }

    fn turn_for(&mut self, peer: DeviceId, peer_turns: &[TurnId]) -> Result<Option<Vec<u8>>, Error> {
        self.write(|vault, tx| vault.turn_for(tx, &peer, peer_turns))
    }

    fn accept_turn(&mut self, announcement: &[u8]) -> Result<TurnVerdict, Error> {
        self.write(|vault, tx| {
            Ok(match vault.accept_announcement(tx, announcement)? {
                Ok(Adoption::Adopted) => TurnVerdict::Adopted,
                Ok(Adoption::Known) => TurnVerdict::Known,
                Err(TurnError::NotForUs) => TurnVerdict::NotForMe,
                Err(TurnError::UnknownPast) => TurnVerdict::Held,
                Err(error) => TurnVerdict::Refused(error.code()),
            })
        })
    }

    fn freeze(&mut self) -> Result<(), Error> {
        self.write(|vault, tx| vault.freeze(tx).map(|_| ()))
    }

    fn chain_heads(&mut self) -> Result<Vec<ChainHead>, Error> {
        self.read(|vault, reader| {
            let heads = vault.ledger(reader)?.chains().iter().map(|(device, chain)| ChainHead {
                device: *device,
                contiguous: chain.contiguous,
                highest: chain.bodies.last_key_value().map_or(0, |(sequence, _)| *sequence),
            });
            Ok(heads.collect())
        })
    }

    fn bodies_beyond(&mut self, heads: &[(DeviceId, u32)]) -> Result<Vec<BodyId>, Error> {
        let heads: BTreeMap<DeviceId, u32> = heads.iter().copied().collect();
        self.read(|vault, reader| {
            // lines stand in the order in which they were taken, parents before children
            let lines = vault.ledger(reader)?.lines().filter(|line| line.is_here());
            Ok(lines.filter(|line| line.sequence > heads.get(&line.device).copied().unwrap_or(0)).map(|line| line.body).collect())
        })
    }

    fn items(&mut self) -> Result<Vec<(ShiftDay, BodyId)>, Error> {
        self.read(|vault, reader| {
            let ledger = vault.ledger(reader)?;
            Ok(ledger.by_day().filter(|(_, body)| ledger.line(body).is_some_and(super::ledger::Line::is_here)).copied().collect())
        })
    }

    fn wanted(&mut self, bodies: &[BodyId]) -> Result<Vec<BodyId>, Error> {
        self.read(|vault, reader| {
            let ledger = vault.ledger(reader)?;
            Ok(bodies.iter().filter(|id| ledger.line(id).is_none()).copied().collect())
        })
    }

    fn arranged(&mut self, bodies: &[BodyId]) -> Result<Vec<BodyId>, Error> {
        self.read(|vault, reader| {
            let ledger = vault.ledger(reader)?;
            Ok(ledger.arranged(bodies))
        })
    }

    fn rows(&mut self, bodies: &[BodyId], max_bytes: usize) -> Result<Covered, Error> {
        self.write(|vault, tx| {
            let mut covered = vault.cover_bodies(tx, bodies, max_bytes.saturating_sub(COMPLAINT_ROW_BYTES))?;
            covered.rows.extend(vault.complaint_for_peer(tx)?);
            Ok(covered)
        })
    }

    fn accept_rows(&mut self, rows: Vec<Row>) -> Result<Accepted, Error> {
        let acceptance = self.write(|vault, tx| {
            vault.traffic.is_peer = true;
            let acceptance = vault.accept_rows(tx, &rows);
            vault.traffic.is_peer = false;
            acceptance
        })?;
        Ok(Accepted {
            applied: acceptance.applied,
            known: acceptance.known,
            held: acceptance.held,
            refused: acceptance.refused,
            thrown_away: acceptance.thrown_away,
        })
    }

    fn end_session(&mut self, peer: DeviceId) -> Result<(), Error> {
        self.write(|vault, tx| {
            vault.end_pull(tx)?;
            vault.note_meeting(Whom::Colleague)?;
            if let Some(day) = vault.frontier_of(&peer).map(|frontier| frontier.content().day) {
                // a colleague's phone is one that may know the date
                vault.confirm_day(day)?;
            }
            vault.forget_stale_rows(tx)?;
            vault.tend(tx).map(|_| ())
        })
    }
}
