//! Membership on this device: inviting, turns, frontiers, and who belongs.

use super::Unlocked;
use super::founding::Made;
use super::root::{PendingInvitation, seal_value};
use super::vault::{FRONTIERS, KEYRING, LocalState, OPERATION, STATE, TURNS, Vault};
use crate::consent::Charter;
use crate::crypto::{InvitationSecret, ReceivingPublicKey};
use crate::env::{Env, UnixTime};
use crate::error::Error;
use crate::screen::ShortText;
use crate::storage::{Reader, Transaction};
use crate::team::joining::{self, Host, Introduction, Welcome};
use crate::team::keyring::{Adoption, FrontierNews, Merge, device_prefix};
use crate::team::notice::FrontierNotice;
use crate::team::operation::Action;
use crate::team::{ChainHead, Invitation, InvitationError, Operation, Role, Standing, TurnError};
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::ids::{DeviceId, MemberId, TeamId, TurnId};
use std::collections::BTreeMap;

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
    /// It was silent beyond the absence limit: it gets no keys until somebody meets it.
    pub is_dormant: bool,
    /// Their role.
    pub role: Role,
    /// Where it stands.
    pub standing: Standing,
    /// The day on which it was last heard: its last frontier known here, or a meeting.
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
    member: Option<MemberId>,
    introduction: Option<Introduction>,
    /// The turn as boxed to the newcomer, as whoever hosts may keep it.
    #[cfg(feature = "adversary")]
    said: Vec<u8>,
}

impl std::fmt::Debug for HostedInvitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HostedInvitation")
    }
}

/// Writes what a new store knows from the start.
pub(super) fn welcome_pages(tx: &Transaction<'_>, env: &Env, made: &Made) -> Result<(), Error> {
    let values = made.root.values_key();
    for id in made.keyring.log.operations().map(Operation::id) {
        let kept = made.keyring.log.to_keep(&id).ok_or(Error::Damaged)?;
        tx.put_operation(&id, &seal_value(env, &values, OPERATION, id.as_bytes(), &kept.to_bytes())?)?;
    }
    let lasting = made.keyring.log().state().charter.as_ref().map(super::retention::Lasting::of);
    let state = LocalState { relay: made.relay.clone(), day_seen: made.first_day, lasting, ..LocalState::default() };
    let pages: [(&str, Vec<u8>); 4] = [
        (TURNS, cbor::encode(&made.keyring.book.to_keep())),
        (STATE, cbor::encode(&state)),
        (FRONTIERS, cbor::encode(&made.keyring.frontiers)),
        (KEYRING, cbor::encode(made.keyring.state())),
    ];
    for (name, plain) in pages {
        tx.put_meta(name, &seal_value(env, &values, name, &[], &plain)?)?;
    }
    Ok(())
}

impl Vault {
    /// Adds an operation of this device on top of everything it knows.
    pub(super) fn write_operation(&mut self, action: Action) -> Result<Operation, Error> {
        let day = self.today()?;
        self.keyring.write_operation(action, day).map_err(Error::Operation)
    }

    /// Takes operations from elsewhere, and looks again at what waited for them.
    pub(super) fn merge_operations(&mut self, tx: &Transaction<'_>, operations: &[Vec<u8>]) -> Result<Merge, Error> {
        let merge = self.keyring.merge_operations(operations);
        if merge.accepted > 0 {
            self.heed_log(tx)?;
            self.retry_held(tx)?;
        }
        Ok(merge)
    }

    /// Rule T2: the turn to seal under; starts one if none may be used.
    pub(super) fn usable_turn(&mut self, tx: &Transaction<'_>) -> Result<TurnId, Error> {
        let day = self.key_day()?;
        self.require_writer()?;
        let usable = self.keyring.usable_turn(day)?;
        self.started(tx, usable.announcement)?;
        Ok(usable.turn)
    }

    /// Starts a turn on top of everything held, sealed to every entitled device whose receiving key is known.
    pub(super) fn start_turn(&mut self, tx: &Transaction<'_>) -> Result<TurnId, Error> {
        let day = self.key_day()?;
        self.require_writer()?;
        let usable = self.keyring.start_turn(day)?;
        self.started(tx, usable.announcement)?;
        Ok(usable.turn)
    }

    /// A turn that was started here waits for the relay, if there is one.
    fn started(&mut self, tx: &Transaction<'_>, announcement: Option<Vec<u8>>) -> Result<(), Error> {
        let Some(announcement) = announcement else { return Ok(()) };
        self.queue_announcement(tx, &announcement)?;
        if self.state.relay.is_some() {
            self.want_directory(tx)?;
        }
        self.adopted();
        Ok(())
    }

    /// An announcement waits for the relay, if there is one.
    pub(super) fn queue_announcement(&self, tx: &Transaction<'_>, announcement: &[u8]) -> Result<(), Error> {
        if self.state.relay.is_some() {
            tx.add_outbox(&seal_value(&self.env, &self.values, ANNOUNCEMENT, &[], announcement)?)?;
        }
        Ok(())
    }

    /// A turn was adopted: what the relay keeps beyond what fitted here is read again.
    fn adopted(&mut self) {
        if std::mem::take(&mut self.state.is_pull_incomplete)
            && let Some(relay) = &mut self.state.relay
        {
            relay.cursor = None;
            self.progress_mut().rows.clear();
        }
    }

    /// The end of a pull or session: T2, T3 and T4 hold afterwards, and what one phone does for all is done.
    pub(super) fn end_pull(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        let day = self.key_day()?;
        let announcement = self.keyring.end_pull(day)?;
        self.started(tx, announcement)?;
        self.prune_pages(tx)
    }

    /// The day by which keys are judged: a jump of the clock that nobody has confirmed makes no colleague dormant and
    /// no turn due.
    pub(super) fn key_day(&mut self) -> Result<ShiftDay, Error> {
        let today = self.today()?;
        Ok(if self.state.date_in_doubt { self.state.day_seen.unwrap_or(today) } else { today })
    }

    /// Opens an announcement, applies what it names (T1), adopts its turn.
    pub(super) fn accept_announcement(&mut self, tx: &Transaction<'_>, bytes: &[u8]) -> Result<Result<Adoption, TurnError>, Error> {
        let day = self.key_day()?;
        let before = self.keyring.log.heads();
        let adoption = self.keyring.accept_announcement(bytes, day);
        if adoption == Ok(Adoption::Adopted) {
            self.adopted();
        }
        if adoption.is_ok() || self.keyring.log.heads() != before {
            self.heed_log(tx)?;
            self.retry_held(tx)?;
        }
        Ok(adoption)
    }

    /// A box with the usable turn for one device that lacks it.
    pub(super) fn turn_for(&mut self, tx: &Transaction<'_>, peer: &DeviceId, peer_turns: &[TurnId]) -> Result<Option<Vec<u8>>, Error> {
        if self.keyring.log.state().device_role(*peer).is_none() || self.require_writer().is_err() {
            return Ok(None);
        }
        let day = self.key_day()?;
        // met face to face: whatever it was, it is not silent any more
        self.keyring.wake(*peer, day);
        let id = self.usable_turn(tx)?;
        if peer_turns.contains(&id) {
            return Ok(None);
        }
        Ok(self.keyring.box_for(peer, day)?)
    }

    /// This phone's word on where it stands, for others: everything that it has heard to be erased is looked for first.
    pub(super) fn own_frontier(&mut self, tx: &Transaction<'_>) -> Result<Vec<u8>, Error> {
        self.finish_searches(tx)?;
        self.note_frontier(tx)
    }

    /// The same for this phone's own receipts: what was erased a moment ago is gone where it lay, and looked for elsewhere later.
    pub(super) fn note_frontier(&mut self, reader: &Reader<'_>) -> Result<Vec<u8>, Error> {
        let day = self.today()?;
        let heads = self.chain_heads(reader)?;
        Ok(self.keyring.own_frontier(&heads, day, self.has_destroyed_old_keys())?)
    }

    fn chain_heads(&mut self, reader: &Reader<'_>) -> Result<Vec<ChainHead>, Error> {
        let mut heads: Vec<(ShiftDay, ChainHead)> = Vec::new();
        let ledger = self.ledger(reader)?;
        for (device, chain) in ledger.chains() {
            let Some(body) = chain.head() else { continue };
            let day = ledger.line(&body).map_or(ShiftDay::from_days(0), |line| line.day);
            let mut prefix = [0; 8];
            prefix.copy_from_slice(&body.as_bytes()[..8]);
            heads.push((day, ChainHead { device: device_prefix(device), sequence: chain.contiguous, body: prefix }));
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
        let own = self.device;
        let own_newest = self.ledger(reader)?.chain(&own).and_then(|chain| chain.bodies.last_key_value().map(|(n, _)| *n)).unwrap_or(0);
        let day = self.key_day()?;
        let news = self.keyring.take_frontier(bytes, receiving, own_newest, day);
        if news == Some(FrontierNews::Copied) {
            self.state.is_copied = true;
        }
        Ok(news)
    }

    /// How members are called, as far as this phone knows.
    pub(super) fn member_names(&mut self, reader: &Reader<'_>) -> Result<BTreeMap<MemberId, ShortText>, Error> {
        let items = self.items(reader, crate::record::Kind::MemberName)?;
        let members = self.keyring.log.state().members.keys();
        let named = members.filter_map(|member| {
            let item = items.iter().find(|item| item.record == super::write::name_record(*member))?;
            let crate::record::Summary::Name(name) = &item.summary else { return None };
            Some((*member, ShortText::received(name.as_deref()?, None).ok()?))
        });
        Ok(named.collect())
    }

    /// The encoded receiving key that the own frontier names.
    pub(super) fn own_receiving_key(&self) -> Result<Vec<u8>, Error> {
        Ok(self.keyring.receiving_public()?.as_bytes().to_vec())
    }
}

impl Unlocked {
    /// A device that has just joined says so: its frontier names the key that replaced the one of its first box (T4).
    pub(super) fn promise_first_turn(&self) -> Result<(), Error> {
        self.write(|vault, tx| vault.own_frontier(tx).map(|_| ()))
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
            let expires = invitation.expires.seconds();
            vault.await_knock(PendingInvitation { secret: *invitation.secret.expose(), expires, role, member: None });
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
        let hosted = HostedInvitation {
            unlocked: self.clone(),
            host,
            role: pending.role,
            member: pending.member,
            introduction: None,
            #[cfg(feature = "adversary")]
            said: Vec::new(),
        };
        Ok((hosted, answer))
    }

    /// Starts a new turn: fresh secrets for everything that is written from now on. Any member may; once a month is usual.
    pub fn begin_turn(&self) -> Result<(), Error> {
        self.write(|vault, tx| vault.start_turn(tx).map(|_| ()))
    }

    /// The team as this device knows it.
    pub fn team(&self) -> Result<TeamOverview, Error> {
        self.read(|vault, reader| {
            let names = vault.member_names(reader)?;
            let day = vault.key_day()?;
            let state = vault.keyring.log.state().clone();
            let devices = state.devices.iter().map(|(id, device)| DeviceLine {
                id: *id,
                member: device.member,
                name: names.get(&device.member).cloned(),
                is_dormant: state.device_role(*id).is_some() && vault.keyring.is_dormant(id, day),
                role: state.members.get(&device.member).map_or(Role::Worker, |member| member.role),
                standing: device.standing,
                last_heard: vault.keyring.last_heard(id),
                is_forked: vault.state.forked.contains(id),
                is_self: *id == vault.device,
            });
            Ok(TeamOverview {
                team: vault.team(),
                charter: vault.charter()?.clone(),
                devices: devices.collect(),
                turn: vault.keyring.turn_number(),
                held_turns: vault.keyring.book.held().count(),
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
        let (role, invitation, known) = (self.role, self.host.invitation, self.member);
        let welcome = self.unlocked.write(|vault, tx| {
            let receiving = ReceivingPublicKey::from_slice(&introduction.device.receiving).map_err(|_| InvitationError::WrongPeer)?;
            let member = known.unwrap_or_else(|| MemberId::from_bytes(vault.env.random()));
            let admission = vault.write_operation(Action::Admit { member, device: introduction.device.clone(), role, invitation })?.id();
            // the newcomer reads on at the relay: what lies there under turns that are gone needs other keys
            vault.want_directory(tx)?;
            vault.usable_turn(tx)?;
            let devices = &vault.keyring.log.state().devices;
            let newcomer = devices.iter().find(|(_, known)| known.admitted == admission).map(|(device, _)| *device);
            let announcement = vault.keyring.let_in(newcomer.ok_or(InvitationError::WrongPeer)?, &receiving)?;
            // colleagues who have not heard of the turn in use must still know the newcomer's phone for one of theirs
            let turns = vault.turns_to_greet_by()?;
            let acquaintances = vault.keyring.acquaint(&turns, &receiving)?;
            vault.own_frontier(tx)?;
            let frontiers = vault
                .keyring
                .frontiers
                .values()
                .map(|known| FrontierNotice { frontier: known.frontier.clone(), receiving: known.receiving.clone() });
            Ok(Welcome {
                member,
                operations: vault.keyring.log.operations().map(|operation| operation.to_bytes().into()).collect(),
                announcement,
                relay: vault.state.relay.as_ref().map(|relay| {
                    // the newcomer reads the relay from its beginning
                    let fresh = super::vault::RelaySettings { claim: None, cursor: None, announce_cursor: None, ..relay.clone() };
                    cbor::encode(&fresh)
                }),
                frontiers: frontiers.collect(),
                acquaintances,
            })
        })?;
        #[cfg(feature = "adversary")]
        self.said.clone_from(&welcome.announcement);
        Ok(self.host.welcome(&welcome)?)
    }

    /// The announcement that the welcome carried inside its channel.
    #[cfg(feature = "adversary")]
    pub fn dangerous_said(&self) -> &[u8] {
        &self.said
    }

    /// Hears that the new phone has everything on disk.
    pub fn thanked(&mut self, message: &[u8]) -> Result<(), Error> {
        Ok(self.host.thanks(message)?)
    }
}
