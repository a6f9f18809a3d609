//! Membership on this device: inviting, turns, frontiers, and who belongs.

use super::Unlocked;
use super::founding::{Made, remember};
use super::root::{PendingInvitation, Seed, seal_value};
use super::vault::{KnownFrontier, LocalState, Vault};
use crate::consent::Charter;
use crate::crypto::{InvitationSecret, ReceivingKey, ReceivingPublicKey, RecordsSecret};
use crate::env::{Env, UnixTime};
use crate::error::Error;
use crate::screen::ShortText;
use crate::storage::{Reader, Transaction};
use crate::team::frontier::receiving_hash;
use crate::team::joining::{self, Host, Introduction, Welcome};
use crate::team::notice::FrontierNotice;
use crate::team::operation::Action;
use crate::team::turn::{self, BoxFor, TurnDraft};
use crate::team::{
    ChainHead, Frontier, FrontierContent, HeldTurn, Invitation, InvitationError, LogVerdict, Operation, Recipient, RecipientClass, Role,
    Standing, Turn, TurnError, TurnSecret,
};
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::ids::{DeviceId, MemberId, TeamId, TurnId};
use std::collections::BTreeMap;

/// Most turns whose discovery secret and access keys are remembered (count).
const REMEMBERED_MAX_COUNT: usize = 8;
/// Name of the sealed announcements that wait for the relay.
pub(super) const ANNOUNCEMENT: &str = "announcement";

/// A device as the team page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceLine {
    /// The device.
    pub id: DeviceId,
    /// Whose it is.
    pub member: MemberId,
    /// How they are called, if this phone knows.
    pub name: Option<ShortText>,
    /// Their role.
    pub role: Role,
    /// Where it stands.
    pub standing: Standing,
    /// The day of its last frontier known here.
    pub last_heard: Option<ShiftDay>,
    /// Two bodies claim one place in its chain: this phone was copied or restored.
    pub is_forked: bool,
    /// It is this device.
    pub is_self: bool,
}

/// The team as this device knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamOverview {
    /// The team.
    pub team: TeamId,
    /// The charter in force.
    pub charter: Charter,
    /// All devices.
    pub devices: Vec<DeviceLine>,
    /// Number of the turn in use.
    pub turn: u32,
    /// How many turns are held.
    pub held_turns: usize,
    /// Day of the last meeting with a colleague's phone or the relay.
    pub last_contact: Option<ShiftDay>,
    /// This store was shown to be a copy: nothing leaves until a steward answers.
    pub is_copied: bool,
}

/// An invitation that somebody answered.
pub struct HostedInvitation {
    unlocked: Unlocked,
    host: Host,
    role: Role,
    introduction: Option<Introduction>,
}

impl std::fmt::Debug for HostedInvitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HostedInvitation")
    }
}

/// Writes what a new store knows from the start.
pub(super) fn welcome_pages(tx: &Transaction<'_>, env: &Env, made: &Made) -> Result<(), Error> {
    let values = made.root.values_key();
    for operation in &made.operations {
        tx.put_operation(&operation.id(), &seal_value(env, &values, "operation", operation.id().as_bytes(), &operation.to_bytes())?)?;
    }
    let turns: Vec<minicbor::bytes::ByteVec> = made.turns.iter().map(|turn| turn.to_bytes().into()).collect();
    tx.put_meta("turns", &seal_value(env, &values, "turns", &[], &cbor::encode(&turns))?)?;
    let state = LocalState { relay: made.relay.clone(), day_seen: made.first_day, ..LocalState::default() };
    tx.put_meta("state", &seal_value(env, &values, "state", &[], &cbor::encode(&state))?)?;
    let frontiers: BTreeMap<DeviceId, KnownFrontier> = made.frontiers.iter().cloned().collect();
    tx.put_meta("frontiers", &seal_value(env, &values, "frontiers", &[], &cbor::encode(&frontiers))?)?;
    Ok(())
}

impl Vault {
    /// Adds an operation of this device on top of everything it knows.
    pub(super) fn write_operation(&mut self, tx: &Transaction<'_>, action: Action) -> Result<Operation, Error> {
        let day = self.today()?;
        let operation = Operation::write(&self.signer, Some(self.team()), self.log.heads(), day, action);
        match self.log.insert(operation.clone()) {
            LogVerdict::Accepted => {
                self.put_operation(tx, &operation)?;
                Ok(operation)
            }
            LogVerdict::Refused(refusal) => Err(Error::Operation(refusal)),
            LogVerdict::Known | LogVerdict::Held => Err(Error::Damaged),
        }
    }

    /// Takes operations from elsewhere; what the log accepts is stored. Returns accepted, held and refused counts.
    pub(super) fn merge_operations(&mut self, tx: &Transaction<'_>, operations: &[Vec<u8>]) -> Result<(usize, usize, usize), Error> {
        let known: std::collections::BTreeSet<_> = self.log.operations().map(Operation::id).collect();
        let verdicts = self.log.merge(operations);
        let new: Vec<Operation> = self.log.operations().filter(|operation| !known.contains(&operation.id())).cloned().collect();
        for operation in &new {
            self.put_operation(tx, operation)?;
        }
        let held = verdicts.iter().filter(|verdict| **verdict == LogVerdict::Held).count();
        let refused = verdicts.iter().filter(|verdict| matches!(verdict, LogVerdict::Refused(_))).count();
        if !new.is_empty() {
            self.retry_held(tx)?;
        }
        Ok((new.len(), held, refused))
    }

    /// Rule T4: after an adoption a fresh receiving key; all earlier ones are destroyed with the root that held them.
    ///
    /// Done when the pull in hand is over, not at each adoption: two turns that wait together may both be boxed to
    /// the present key.
    pub(super) fn replace_spent_receiving_key(&mut self) {
        if std::mem::take(&mut self.state.is_receiving_key_spent) {
            self.root.receiving = vec![Seed::make(&self.env)];
            self.touch_root();
        }
    }

    fn receiving_public(&self) -> Result<ReceivingPublicKey, Error> {
        let seed = self.root.receiving.last().ok_or(Error::Damaged)?;
        Ok(ReceivingKey::from_seed(seed.expose()).public_key().map_err(|_| TurnError::Seal)?)
    }

    /// The newest receiving key of a device, if everything that its frontier names is known here (T4).
    fn receiving_key_of(&self, device: &DeviceId) -> Option<ReceivingPublicKey> {
        let known = self.frontiers.get(device);
        let from_frontier = known.and_then(|known| {
            let frontier = Frontier::from_bytes(&known.frontier).ok()?;
            let heads_known = frontier.content().log_heads.iter().all(|head| self.log.operation(head).is_some());
            known.receiving.as_deref().filter(|key| heads_known && receiving_hash(key) == frontier.content().receiving).map(<[u8]>::to_vec)
        });
        let bytes = match (from_frontier, known) {
            (Some(bytes), _) => bytes,
            // a frontier whose key has not come yet: the first key is spent, nothing can be sealed to this device now
            (None, Some(_)) => return None,
            (None, None) => self.log.state().devices.get(device)?.receiving.clone(),
        };
        ReceivingPublicKey::from_slice(&bytes).ok()
    }

    /// Rule T2: the turn to seal under; starts one if none may be used.
    pub(super) fn usable_turn(&mut self, tx: &Transaction<'_>) -> Result<TurnId, Error> {
        if let Some(held) = self.book.usable(&self.log) {
            return Ok(held.turn.id());
        }
        self.start_turn(tx)
    }

    /// Starts a turn on top of everything held, sealed to every entitled device whose receiving key is known.
    pub(super) fn start_turn(&mut self, tx: &Transaction<'_>) -> Result<TurnId, Error> {
        self.require_writer()?;
        let day = self.today()?;
        let secret = RecordsSecret::make(&self.env);
        let parents: Vec<TurnId> = self.book.held().map(|held| held.turn.id()).collect();
        let devices: Vec<(DeviceId, Role)> = self.log.state().active().map(|(id, _, role)| (id, role)).collect();
        let mut keys = Vec::new();
        for (device, role) in devices {
            let key = if device == self.device { Some(self.receiving_public()?) } else { self.receiving_key_of(&device) };
            let class = if role.reads_records() { RecipientClass::Records } else { RecipientClass::Commons };
            keys.extend(key.map(|key| (device, role, class, key)));
        }
        let recipients = keys.iter().map(|(device, _, class, key)| {
            let hash = receiving_hash(key.as_bytes());
            let mut short = [0; 8];
            short.copy_from_slice(&hash[..8]);
            Recipient { device: *device, class: *class, key: short }
        });
        let draft = TurnDraft {
            team: self.team(),
            parents: parents.clone(),
            recipients: recipients.collect(),
            log_heads: self.log.heads(),
            day,
            control: None,
        };
        let turn = Turn::write(&self.signer, &secret, draft);
        let control = self.root.control.clone();
        let boxes: Vec<BoxFor<'_>> = keys
            .iter()
            .filter(|(device, ..)| *device != self.device)
            .map(|(_, role, class, key)| BoxFor {
                key,
                class: *class,
                control: control.as_ref().filter(|_| *role == Role::Steward).map(Seed::expose),
            })
            .collect();
        let parent_heads = self.log.common(self.book.held().map(|held| held.turn.log_heads()));
        let secret = TurnSecret::Records(secret);
        let suffix = self.log.beyond(&parent_heads).unwrap_or_default();
        let past: Vec<&Turn> = self.book.known().filter(|known| parents.contains(&known.id())).collect();
        let announcement = turn::announce(&self.env, &turn, &secret, &boxes, &suffix, &past, true)?;
        let sealed = seal_value(&self.env, &self.values, ANNOUNCEMENT, &[], &announcement)?;
        if self.state.relay.is_some() {
            tx.add_outbox(&sealed)?;
        }
        self.take_turn(&turn, secret)?;
        self.prune_turns();
        // T4 waits for the next session or pull: a colleague who began a turn at the same time sealed to the present key
        Ok(turn.id())
    }

    /// Adopts a turn: remembers what outlives it, and that the receiving key is spent (T4). False if it was held before.
    fn take_turn(&mut self, turn: &Turn, secret: TurnSecret) -> Result<bool, TurnError> {
        let remembered = remember(turn, &secret);
        self.touch_turns();
        if !self.book.adopt(&mut self.log, turn, secret)? {
            return Ok(false);
        }
        self.root.remembered.retain(|known| known.turn != turn.id());
        self.root.remembered.insert(0, remembered);
        // of turns begun at once, every phone puts the one in use first, in whatever order they came
        let usable = self.book.usable(&self.log).map(|held| held.turn.id());
        if let Some(at) = self.root.remembered.iter().position(|known| Some(known.turn) == usable) {
            self.root.remembered[..=at].rotate_right(1);
        }
        self.root.remembered.truncate(REMEMBERED_MAX_COUNT);
        self.state.is_receiving_key_spent = true;
        if std::mem::take(&mut self.state.is_pull_incomplete)
            && let Some(relay) = &mut self.state.relay
        {
            relay.cursor = None;
            self.progress_mut().rows.clear();
        }
        Ok(true)
    }

    /// Rule T3, at the end of the pull or session in hand. A turn that may be used must be there by then.
    pub(super) fn prune_turns(&mut self) {
        if self.book.usable(&self.log).is_some() || !self.book.held().any(|held: &HeldTurn| held.secret.reads_records()) {
            let gone = self.book.prune(&self.log);
            if !gone.is_empty() {
                self.touch_turns();
            }
        }
    }

    /// Opens an announcement, applies what it names (T1), adopts its turn.
    pub(super) fn accept_announcement(&mut self, tx: &Transaction<'_>, bytes: &[u8]) -> Result<Result<bool, TurnError>, Error> {
        let opened = match turn::open_announcement(self.team(), &self.root.receiving_keys(), bytes) {
            Ok(opened) => opened,
            Err(error) => return Ok(Err(error)),
        };
        self.merge_operations(tx, &opened.operations)?;
        for past in &opened.past {
            if let Err(error) = self.book.learn(&mut self.log, past) {
                self.touch_turns();
                return Ok(Err(error));
            }
        }
        let adopted = self.take_turn(&opened.turn, opened.secret);
        // Only a steward holds the control key, only a steward hands it over, and a known one is not replaced: a box of
        // somebody else's must not take the relay's mailbox out of the stewards' hands.
        let is_steward = |device| self.log.state().device_role(device) == Some(Role::Steward);
        if let (Ok(true), Some(control), None) = (&adopted, &opened.control, &self.root.control)
            && is_steward(self.device)
            && is_steward(opened.turn.maker())
        {
            self.root.control = Some(Seed::new(control));
            self.touch_root();
        }
        if adopted.is_ok() {
            self.retry_held(tx)?;
        }
        Ok(adopted)
    }

    /// A box with the usable turn for one device that lacks it.
    pub(super) fn turn_for(&mut self, tx: &Transaction<'_>, peer: &DeviceId, peer_turns: &[TurnId]) -> Result<Option<Vec<u8>>, Error> {
        let Some(role) = self.log.state().device_role(*peer) else { return Ok(None) };
        if self.require_writer().is_err() {
            return Ok(None);
        }
        let id = self.usable_turn(tx)?;
        if peer_turns.contains(&id) {
            return Ok(None);
        }
        let Some(key) = self.receiving_key_of(peer) else { return Ok(None) };
        self.boxed_turn(&id, &key, role).map(Some)
    }

    fn boxed_turn(&self, id: &TurnId, key: &ReceivingPublicKey, role: Role) -> Result<Vec<u8>, Error> {
        let held = self.book.held().find(|held| held.turn.id() == *id).ok_or(Error::NoTurn)?;
        let class = if role.reads_records() { RecipientClass::Records } else { RecipientClass::Commons };
        let control = self.root.control.as_ref().filter(|_| role == Role::Steward).map(Seed::expose);
        let past: Vec<&Turn> = self.past_of(&held.turn);
        Ok(turn::announce(&self.env, &held.turn, &held.secret, &[BoxFor { key, class, control }], &[], &past, false)?)
    }

    /// The turns below one, parents first.
    fn past_of(&self, turn: &Turn) -> Vec<&Turn> {
        let mut past: Vec<&Turn> = Vec::new();
        let mut next: Vec<TurnId> = turn.parents().to_vec();
        while let Some(id) = next.pop() {
            if let Some(known) = self.book.known().find(|known| known.id() == id)
                && !past.iter().any(|seen| seen.id() == id)
            {
                next.extend_from_slice(known.parents());
                past.push(known);
            }
        }
        past.sort_by_key(|turn| self.book.number(&turn.id()));
        past
    }

    /// This device's frontier, made anew if anything in it changed. Never promises a spent receiving key.
    pub(super) fn own_frontier(&mut self, reader: &Reader<'_>) -> Result<Vec<u8>, Error> {
        self.replace_spent_receiving_key();
        let device = self.device;
        let heads = self.chain_heads(reader)?;
        let own = heads.iter().find(|head| head.device == short(&device)).copied();
        let own = own.unwrap_or(ChainHead { device: short(&device), sequence: 0, body: [0; 8] });
        let receiving = receiving_hash(self.receiving_public()?.as_bytes());
        let day = self.today()?;
        let log_heads = self.book.promised_heads(&self.log);
        let content = |counter| {
            let mut content = FrontierContent::of_device(self.team(), device, counter, day, receiving, own).with_heads(&heads);
            content.log_heads.clone_from(&log_heads);
            content
        };
        let last = self.frontier_of(&device);
        if let Some(last) = &last
            && *last.content() == content(last.content().counter)
        {
            return Ok(last.to_bytes());
        }
        let counter = self.state.frontier_counter.saturating_add(1);
        let frontier = Frontier::write(&self.signer, content(counter));
        self.state.frontier_counter = counter;
        let receiving = self.receiving_public()?.as_bytes().to_vec();
        self.frontiers.insert(device, KnownFrontier { frontier: frontier.to_bytes(), receiving: Some(receiving) });
        self.frontiers_changed = true;
        Ok(frontier.to_bytes())
    }

    fn chain_heads(&mut self, reader: &Reader<'_>) -> Result<Vec<ChainHead>, Error> {
        let mut heads: Vec<(ShiftDay, ChainHead)> = Vec::new();
        let ledger = self.ledger(reader)?;
        for (device, chain) in ledger.chains() {
            let Some(body) = chain.head() else { continue };
            let day = ledger.line(&body).map_or(ShiftDay::from_days(0), |line| line.day);
            let mut prefix = [0; 8];
            prefix.copy_from_slice(&body.as_bytes()[..8]);
            heads.push((day, ChainHead { device: short(device), sequence: chain.contiguous, body: prefix }));
        }
        // those that moved last come first; the frontier lists as many as it has room for
        heads.sort_by(|a, b| b.cmp(a));
        Ok(heads.into_iter().map(|(_, head)| head).collect())
    }

    /// Takes a frontier. `Ok(None)` if it is not signed by a device of the log; else what it was compared to ours.
    pub(super) fn take_frontier(
        &mut self,
        reader: &Reader<'_>,
        bytes: &[u8],
        receiving: Option<&[u8]>,
    ) -> Result<Option<FrontierNews>, Error> {
        let Ok(frontier) = Frontier::from_bytes(bytes) else { return Ok(None) };
        let content = frontier.content().clone();
        let signed = self.log.state().devices.get(&content.device).is_some_and(|device| frontier.is_signed_by(&device.key));
        if !signed || content.team != self.team() {
            return Ok(None);
        }
        let own = self.device;
        let own_newest = self.ledger(reader)?.chain(&own).and_then(|chain| chain.bodies.last_key_value().map(|(n, _)| *n)).unwrap_or(0);
        let me = short(&self.device);
        // Only this device's own signature proves that it was further: its own frontier here, its own body in `enter`.
        // A colleague's frontier that says so is a word, and one lie must not silence a phone; it warns the session.
        let was_ahead =
            content.device == self.device && (content.counter > self.state.frontier_counter || content.own.sequence > own_newest);
        if was_ahead {
            self.state.is_copied = true;
        }
        let ahead_of_me = was_ahead || content.heads.iter().any(|head| head.device == me && head.sequence > own_newest);
        if content.device == self.device {
            return Ok(Some(if ahead_of_me { FrontierNews::RolledBack } else { FrontierNews::Same }));
        }
        let known = self.frontier_of(&content.device);
        let known_counter = known.as_ref().map_or(0, |known| known.content().counter);
        let matching = receiving.filter(|key| receiving_hash(key) == content.receiving).map(<[u8]>::to_vec);
        let entry = self.frontiers.get(&content.device);
        let kept = entry.and_then(|entry| entry.receiving.clone()).filter(|key| receiving_hash(key) == content.receiving);
        let news = match content.counter.cmp(&known_counter) {
            std::cmp::Ordering::Less => FrontierNews::Older,
            std::cmp::Ordering::Equal if matching.is_none() || kept.is_some() => FrontierNews::Same,
            order => {
                self.frontiers.insert(content.device, KnownFrontier { frontier: bytes.to_vec(), receiving: matching.or(kept) });
                self.frontiers_changed = true;
                if order == std::cmp::Ordering::Greater { FrontierNews::Newer } else { FrontierNews::Same }
            }
        };
        Ok(Some(if ahead_of_me { FrontierNews::RolledBack } else { news }))
    }

    /// The encoded receiving key that the own frontier names.
    pub(super) fn own_receiving_key(&self) -> Result<Vec<u8>, Error> {
        Ok(self.receiving_public()?.as_bytes().to_vec())
    }
}

/// How a frontier compares to what was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrontierNews {
    Newer,
    Same,
    Older,
    RolledBack,
}

fn short(device: &DeviceId) -> [u8; 8] {
    let mut prefix = [0; 8];
    prefix.copy_from_slice(&device.as_bytes()[..8]);
    prefix
}

impl Unlocked {
    /// Rule T4 for a device that has just joined: the key that opened its first box is replaced.
    pub(super) fn adopt_first_turn(&self) -> Result<(), Error> {
        self.write(|vault, tx| {
            vault.state.is_receiving_key_spent = true;
            vault.own_frontier(tx)?;
            Ok(())
        })
    }

    /// Makes an invitation, good once and for ten minutes. `address` is where this phone listens (`host:port`), or empty.
    ///
    /// Errors: [`Error::Role`] unless this member is a steward.
    pub fn invite(&self, role: Role, address: &str) -> Result<Invitation, Error> {
        self.write(|vault, _| {
            if vault.role()? != Role::Steward {
                return Err(Error::Role);
            }
            let invitation = Invitation::make(&vault.env, vault.team(), vault.device, address)?;
            let now = vault.env.now().seconds();
            vault.root.invitations.retain(|pending| pending.expires >= now);
            let pending = PendingInvitation { secret: *invitation.secret.expose(), expires: invitation.expires.seconds(), role };
            vault.root.invitations.push(pending);
            vault.touch_root();
            Ok(invitation)
        })
    }

    /// Answers a knock. The invitation is burnt, on disk, before the answer exists.
    ///
    /// On an error send [`joining::refusal`] instead. Errors: [`InvitationError::Used`], [`InvitationError::Expired`],
    /// [`InvitationError::WrongPeer`] when the knock does not hold the secret.
    pub fn answer_knock(&self, knock: &[u8]) -> Result<(HostedInvitation, Vec<u8>), Error> {
        let id = joining::knocked_invitation(knock)?;
        let pending = self.write(|vault, _| {
            let found =
                |pending: &PendingInvitation| crate::team::invitation::invitation_id(&InvitationSecret::from_bytes(&pending.secret)) == id;
            let at = vault.root.invitations.iter().position(found).ok_or(InvitationError::Used)?;
            let pending = vault.root.invitations.remove(at);
            vault.touch_root();
            Ok((pending, vault.team(), vault.device))
        })?;
        let (pending, team, inviter) = pending;
        let invitation = Invitation {
            team,
            inviter,
            secret: InvitationSecret::from_bytes(&pending.secret),
            expires: UnixTime::from_seconds(pending.expires),
            address: String::new(),
        };
        let (host, answer) = Host::answer(self.env(), &invitation, knock)?;
        Ok((HostedInvitation { unlocked: self.clone(), host, role: pending.role, introduction: None }, answer))
    }

    /// Starts a new turn: fresh secrets for everything that is written from now on. Any member may; once a month is usual.
    pub fn begin_turn(&self) -> Result<(), Error> {
        self.write(|vault, tx| vault.start_turn(tx).map(|_| ()))
    }

    /// The team as this device knows it.
    pub fn team(&self) -> Result<TeamOverview, Error> {
        self.read(|vault, reader| {
            let names = vault.items(reader, crate::record::Kind::MemberName)?;
            let name = |member: MemberId| {
                names.iter().find(|item| item.record == super::write::name_record(member)).and_then(|item| match &item.summary {
                    crate::record::Summary::Name(name) => name.as_deref().and_then(|name| ShortText::from_sealed(name).ok()),
                    _ => None,
                })
            };
            let state = vault.log.state().clone();
            let devices = state.devices.iter().map(|(id, device)| DeviceLine {
                id: *id,
                member: device.member,
                name: name(device.member),
                role: state.members.get(&device.member).map_or(Role::Worker, |member| member.role),
                standing: device.standing,
                last_heard: vault.frontier_of(id).map(|frontier| frontier.content().day),
                is_forked: vault.state.forked.contains(id),
                is_self: *id == vault.device,
            });
            Ok(TeamOverview {
                team: vault.team(),
                charter: vault.charter()?.clone(),
                devices: devices.collect(),
                turn: vault.book.usable(&vault.log).map_or(0, |held| vault.book.number(&held.turn.id())),
                held_turns: vault.book.held().count(),
                last_contact: vault.state.last_contact,
                is_copied: vault.state.is_copied,
            })
        })
    }

    /// This device.
    pub fn device(&self) -> Result<DeviceId, Error> {
        self.read(|vault, _| Ok(vault.device))
    }
}

impl HostedInvitation {
    /// The words that both people compare, aloud.
    pub fn words(&self) -> [&'static str; 4] {
        self.host.words()
    }

    /// Reads who joins. Errors: [`InvitationError::WrongPeer`].
    pub fn introduced(&mut self, message: &[u8]) -> Result<(), Error> {
        self.introduction = Some(self.host.introduction(message)?);
        Ok(())
    }

    /// Admits the device and hands it log and turn, after this side's person said that the words agree.
    ///
    /// Errors: [`InvitationError::Protocol`] before an introduction, [`Error::Operation`] when the log does not take it.
    pub fn welcome(&mut self) -> Result<Vec<u8>, Error> {
        let introduction = self.introduction.take().ok_or(InvitationError::Protocol)?;
        let (role, invitation) = (self.role, self.host.invitation);
        let welcome = self.unlocked.write(|vault, tx| {
            let receiving = ReceivingPublicKey::from_slice(&introduction.device.receiving).map_err(|_| InvitationError::WrongPeer)?;
            let member = MemberId::from_bytes(vault.env.random());
            vault.write_operation(tx, Action::Admit { member, device: introduction.device.clone(), role, invitation })?;
            let turn = vault.usable_turn(tx)?;
            let announcement = vault.boxed_turn(&turn, &receiving, role)?;
            vault.own_frontier(tx)?;
            let frontiers = vault
                .frontiers
                .values()
                .map(|known| FrontierNotice { frontier: known.frontier.clone(), receiving: known.receiving.clone() });
            Ok(Welcome {
                member,
                operations: vault.log.operations().map(|operation| operation.to_bytes().into()).collect(),
                announcement,
                relay: vault.state.relay.as_ref().map(|relay| {
                    // the newcomer reads the relay from its beginning
                    let fresh = super::vault::RelaySettings { claim: None, cursor: None, announce_cursor: None, ..relay.clone() };
                    cbor::encode(&fresh)
                }),
                frontiers: frontiers.collect(),
            })
        })?;
        Ok(self.host.welcome(&welcome)?)
    }

    /// Hears that the new phone has everything on disk.
    pub fn thanked(&mut self, message: &[u8]) -> Result<(), Error> {
        Ok(self.host.thanks(message)?)
    }
}
