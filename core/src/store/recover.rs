//! Bringing a team back after every phone is lost, and the reseat key in a team that still has one.

use super::founding::{Made, first_day, make_store};
use super::root::{Remembered, Root, Seed};
use super::vault::{RelaySettings, Vault};
use super::{Credentials, RelayAddress, Store, Unlocked, wipe_stack};
use crate::crypto::{ReceivingKey, SigningKey};
use crate::env::Env;
use crate::error::Error;
use crate::recovery::{PaperSet, PaperShare, Purpose, RecoveryError, open_package, seal_package};
use crate::screen::ShortText;
use crate::team::escrow::{self, EscrowBoxes};
use crate::team::keyring::{KeyringSecrets, KnownFrontier, TurnRef, device_prefix};
use crate::team::operation::Action;
use crate::team::{Cut, DeviceKeys, Frontier, Keyring, KeyringParts, Operation, Refusal, Role, Turn, TurnError, TurnSecret};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::ids::{DeviceId, MemberId, TeamId};
use std::collections::BTreeMap;
use std::path::Path;
use zeroize::Zeroizing;

/// Whether the team comes back after every phone is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryStatus {
    /// No board phone keeps anything: losing all phones loses the data.
    NoBoard,
    /// There is a board, and no key on paper yet: losing all phones loses the data.
    NotSetUp,
    /// A board phone and `threshold` of `shares` papers bring back what the turn in use covers.
    SetUp {
        /// How many shares are needed.
        threshold: u8,
        /// How many were printed.
        shares: u8,
        /// Which papers are in force: those of other sets are void, also when two stewards printed some at about the same time.
        set: PaperSet,
        /// The day they were printed.
        since: ShiftDay,
        /// On a board phone: whether it keeps what recovers the newest turn that it holds. None on other phones.
        is_kept_here: Option<bool>,
    },
}

impl RecoveryStatus {
    /// What the app says in words.
    pub const fn does_losing_all_phones_lose_the_data(&self) -> bool {
        !matches!(self, Self::SetUp { .. })
    }
}

/// What brings a team back.
#[derive(Debug)]
pub struct Recovering<'a> {
    /// What the board phone exported.
    pub package: &'a [u8],
    /// Enough shares of the recovery key.
    pub shares: &'a [PaperShare],
    /// The reseat key, or enough shares of it.
    pub reseat: &'a [PaperShare],
    /// Where the relay is now, if it moved; otherwise the package says.
    pub relay: Option<&'a RelayAddress>,
    /// How the new steward is called.
    pub member_name: &'a ShortText,
}

/// A team that was brought back: its records come with the first exchange with the relay.
#[derive(Debug)]
pub struct Recovered {
    /// The new store, unlocked.
    pub unlocked: Unlocked,
    /// The next reseat key, to be printed: the one that was used is spent.
    pub reseat_paper: PaperShare,
    /// The lost phones, removed now.
    pub removed: Vec<DeviceId>,
    /// Turns whose records can be read again.
    pub turns: usize,
    /// Whether the relay's control key came back too. Without it the lost phones' access to the relay cannot be ended:
    /// then take a new mailbox.
    pub has_control: bool,
}

/// What the reseat key did.
#[derive(Debug)]
pub struct Reseated {
    /// The next reseat key, to be printed: the one that was used is spent.
    pub reseat_paper: PaperShare,
    /// Removed devices.
    pub removed: Vec<DeviceId>,
}

/// So many days a phone keeps a reseat key for whoever has not written it down.
const PAPER_KEPT_DAYS: u16 = 14;

/// What a new phone needs besides the papers.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Content {
    #[n(0)]
    team: TeamId,
    #[n(1)]
    operations: Vec<minicbor::bytes::ByteVec>,
    #[n(2)]
    turns: Vec<minicbor::bytes::ByteVec>,
    #[n(3)]
    escrow: EscrowBoxes,
    #[n(4)]
    frontiers: BTreeMap<DeviceId, KnownFrontier>,
    #[n(5)]
    relay: Option<RelaySettings>,
    /// The board phone's day.
    #[n(6)]
    day: ShiftDay,
}

impl Unlocked {
    /// Makes a recovery key and prints it as `shares` papers, of which `threshold` bring the team back together with a
    /// board phone (2 <= k <= n <= 16). Shares printed before are void from the new turn on, which starts here.
    ///
    /// Errors: [`Error::Role`] unless a steward asks, [`RecoveryError::NoBoard`], [`crate::recovery::PaperError::Policy`].
    pub fn set_up_recovery(&self, threshold: u8, shares: u8) -> Result<Vec<PaperShare>, Error> {
        self.write(|vault, tx| {
            if vault.role()? != Role::Steward {
                return Err(Error::Role);
            }
            if !has_board(vault) {
                return Err(RecoveryError::NoBoard.into());
            }
            if threshold < 2 {
                return Err(crate::recovery::PaperError::Policy.into());
            }
            let seed = Seed::make(&vault.env);
            let papers = PaperShare::print(&vault.env, Purpose::Recovery, &vault.team(), seed.expose(), threshold, shares)?;
            let key = ReceivingKey::from_seed(seed.expose()).public_key().map_err(|_| TurnError::Seal)?;
            let papers = papers.into_iter().map(|paper| paper.in_set_of(key.as_bytes())).collect();
            vault.write_operation(Action::SetRecovery { key: Some(key.as_bytes().to_vec()), threshold, shares })?;
            vault.start_turn(tx)?;
            Ok(papers)
        })
    }

    /// Whether the team comes back after every phone is lost.
    pub fn recovery_status(&self) -> Result<RecoveryStatus, Error> {
        self.read(|vault, _| {
            let state = vault.keyring.log.state().clone();
            let Some(recovery) = state.recovery.as_ref() else {
                return Ok(if has_board(vault) { RecoveryStatus::NotSetUp } else { RecoveryStatus::NoBoard });
            };
            if !has_board(vault) {
                return Ok(RecoveryStatus::NoBoard);
            }
            let is_it =
                |operation: &&Operation| matches!(operation.action(), Action::SetRecovery { key: Some(key), .. } if *key == recovery.key);
            let since = vault.keyring.log.operations().find(is_it).map_or(ShiftDay::from_days(0), Operation::day);
            let is_board = vault.keyring.role() == Some(Role::Board);
            let is_kept_here = is_board.then(|| keeps_for_papers(vault));
            let set = PaperSet::of_key(&recovery.key);
            Ok(RecoveryStatus::SetUp { threshold: recovery.threshold, shares: recovery.shares, set, since, is_kept_here })
        })
    }

    /// On a board phone: what a new phone needs besides the papers, sealed to them. Worth nothing to who carries it without
    /// shares; with enough of them it opens its turns for as long as it exists, so it is to be deleted after use.
    ///
    /// Errors: [`RecoveryError::NotTheBoard`], [`RecoveryError::NotSetUp`].
    pub fn export_recovery(&self) -> Result<Vec<u8>, Error> {
        self.write(|vault, tx| {
            if vault.role()? != Role::Board {
                return Err(RecoveryError::NotTheBoard.into());
            }
            let key = escrow::recovery_key(vault.keyring.log.state()).ok_or(RecoveryError::NotSetUp)?;
            if !keeps_for_papers(vault) {
                return Err(RecoveryError::NotSetUp.into());
            }
            // the new phone seals its first turn to this one's receiving key
            vault.own_frontier(tx)?;
            let relay =
                vault.state.relay.as_ref().map(|relay| RelaySettings { claim: None, cursor: None, announce_cursor: None, ..relay.clone() });
            let content = Content {
                day: vault.today()?,
                team: vault.team(),
                operations: vault.keyring.log.operations().map(|operation| operation.to_bytes().into()).collect(),
                turns: vault.keyring.book.known().map(|turn| turn.to_bytes().into()).collect(),
                escrow: vault.keyring.escrow().clone(),
                frontiers: vault.keyring.frontiers().clone(),
                relay,
            };
            Ok(seal_package(&vault.env, &key, &Zeroizing::new(cbor::encode(&content)))?)
        })
    }

    /// Signs with the paper reseat key: removes devices and, where asked, makes a member an active steward. It opens no record.
    ///
    /// Errors: [`RecoveryError::OtherReseatKey`], a paper's, [`Error::Operation`] for an unknown device or member.
    pub fn reseat(&self, paper: &[PaperShare], remove: &[DeviceId], steward: Option<MemberId>) -> Result<Reseated, Error> {
        self.write(|vault, tx| {
            let key = reseat_key(paper, &vault.team(), &vault.keyring)?;
            let cuts = remove.iter().map(|device| vault.cut_of(tx, device)).collect::<Result<Vec<_>, _>>()?;
            let day = vault.today()?;
            let is_own = steward == Some(vault.root.member);
            let fresh = (is_own && vault.keyring.control().is_none()).then(|| Seed::make(&vault.env));
            let reseat = Reseat { cuts, steward, device: None, control: fresh.as_ref().map(public_of) };
            let (reseat_paper, next) = reseat.apply(&vault.env.clone(), &mut vault.keyring, &key, day)?;
            vault.keep_reseat_key(next, day);
            fresh.iter().for_each(|seed| {
                vault.keyring.take_control(seed.expose());
            });
            vault.heed_log(tx)?;
            vault.retry_held(tx)?;
            if vault.require_writer().is_ok() {
                vault.usable_turn(tx)?;
            }
            Ok(Reseated { reseat_paper, removed: remove.to_vec() })
        })
    }
}

/// One paper, for a signing key: the same however often it is printed.
pub(super) fn print_reseat(env: &Env, team: TeamId, seed: &Seed) -> Result<PaperShare, Error> {
    let paper = PaperShare::print(env, Purpose::Reseat, &team, seed.expose(), 1, 1)?.into_iter().next();
    Ok(paper.ok_or(Error::Damaged)?.in_set_of(&public_of(seed)))
}

impl Vault {
    /// Keeps a reseat key whose paper nobody has in hand yet.
    fn keep_reseat_key(&mut self, seed: Seed, day: ShiftDay) {
        self.root.reseat = Some(seed);
        self.state.paper_since = Some(day);
        self.touch_root();
    }

    /// Drops it, with every older copy of the root that holds it.
    fn drop_reseat_key(&mut self) {
        if self.root.reseat.take().is_some() {
            self.state.paper_since = None;
            self.touch_root();
            self.require_new_store_key();
        }
    }

    /// Drops a kept reseat key that is not in force any more, or was kept for long enough.
    pub(super) fn tend_reseat_key(&mut self, today: ShiftDay) {
        let Some(seed) = &self.root.reseat else { return };
        let since = *self.state.paper_since.get_or_insert(today);
        if public_of(seed) != self.keyring.log.state().reseat || since.plus(PAPER_KEPT_DAYS) < today {
            self.drop_reseat_key();
        }
    }
}

impl Unlocked {
    /// The paper of the newest reseat key that was made on this phone, once more: for who could not print it, or whose phone
    /// died meanwhile. None once somebody said that it is written down, after two weeks, or when the key is not in force any more.
    ///
    /// Errors: [`Error::Locked`], and the storage's.
    pub fn reseat_paper(&self) -> Result<Option<PaperShare>, Error> {
        self.read(|vault, _| {
            let kept = vault.root.reseat.as_ref().filter(|seed| public_of(seed) == vault.keyring.log.state().reseat);
            kept.map(|seed| print_reseat(&vault.env, vault.team(), seed)).transpose()
        })
    }

    /// Somebody has the paper in hand: the phone forgets the key, and old copies of its files open no more. Errors: the storage's.
    pub fn reseat_paper_written_down(&self) -> Result<(), Error> {
        self.write(|vault, _| {
            vault.drop_reseat_key();
            Ok(())
        })
    }
}

fn public_of(seed: &Seed) -> [u8; 32] {
    *SigningKey::from_seed(seed.expose()).verifying_key().as_bytes()
}

/// Whether this phone keeps a box of the newest turn that it holds, and for the papers in force: whoever heard that recovery
/// was set up again, and has not followed to the turn that began with it, keeps boxes for papers that are void.
fn keeps_for_papers(vault: &mut Vault) -> bool {
    let Some(turn) = vault.keyring.newest_held().filter(|turn| vault.keyring.escrow().holds(turn)) else { return false };
    let heads = vault.keyring.book.known().find(|known| known.id() == turn).map(|known| known.log_heads().to_vec());
    let Some(heads) = heads else { return false };
    let then = vault.keyring.log.state_of(&heads).recovery.as_ref().map(|recovery| recovery.key.clone());
    then.is_some() && then == vault.keyring.log.state().recovery.as_ref().map(|recovery| recovery.key.clone())
}

fn has_board(vault: &Vault) -> bool {
    vault.keyring.log.state().active().any(|(_, _, role)| role == Role::Board)
}

/// The signing key of the papers, if it is the one in force.
fn reseat_key(papers: &[PaperShare], team: &TeamId, keyring: &Keyring) -> Result<SigningKey, Error> {
    let seed = PaperShare::join(papers, Purpose::Reseat, Some(team))?;
    let key = SigningKey::from_seed(&seed);
    if *key.verifying_key().as_bytes() == keyring.log.state().reseat { Ok(key) } else { Err(RecoveryError::OtherReseatKey.into()) }
}

/// What the reseat key is to sign.
struct Reseat {
    cuts: Vec<Cut>,
    steward: Option<MemberId>,
    device: Option<DeviceKeys>,
    control: Option<[u8; 32]>,
}

impl Reseat {
    /// Writes the operation, and prints the next key.
    fn apply(self, env: &Env, keyring: &mut Keyring, key: &SigningKey, day: ShiftDay) -> Result<(PaperShare, Seed), Error> {
        let Self { cuts, steward, device, control } = self;
        let next = Seed::make(env);
        let public = *SigningKey::from_seed(next.expose()).verifying_key().as_bytes();
        let action = Action::Reseat { remove: cuts, steward, device, control, next: Some(public) };
        let operation = Operation::write(key, Some(keyring.team()), keyring.log.heads_to_name(keyring.device()), day, action);
        if keyring.merge_operations(&[operation.to_bytes()]).accepted == 0 {
            return Err(Error::Operation(Refusal::Object));
        }
        Ok((print_reseat(env, keyring.team(), &next)?, next))
    }
}

impl Store {
    /// Makes a store on a new phone out of a board phone's package, enough shares, and the reseat key: every phone that
    /// read records is removed, this one is admitted as a new steward's.
    ///
    /// The records come with the exchange with the relay that follows; it also starts the new turn, after everything
    /// was read under the recovered one. What a lost phone wrote after its last frontier that the board phone has heard
    /// of lies beyond the cut and waits to be adopted.
    ///
    /// Errors: a paper's; [`RecoveryError::Package`], [`RecoveryError::OtherKey`], [`RecoveryError::OtherReseatKey`],
    /// [`RecoveryError::NotSetUp`] when the package holds no turn; those of [`Store::found`] for the files.
    pub fn recover(dir: &Path, env: Env, credentials: &Credentials<'_>, recovering: &Recovering<'_>) -> Result<Recovered, Error> {
        let recovered = recover(dir, &env, credentials, recovering);
        wipe_stack();
        recovered
    }
}

fn recover(dir: &Path, env: &Env, credentials: &Credentials<'_>, recovering: &Recovering<'_>) -> Result<Recovered, Error> {
    let seed = PaperShare::join(recovering.shares, Purpose::Recovery, None)?;
    let paper = ReceivingKey::from_seed(&seed);
    let content = open_package(&paper, recovering.package)?;
    let content: Content = cbor::decode(&content).map_err(|_| RecoveryError::Package)?;
    let team = content.team;
    PaperShare::join(recovering.shares, Purpose::Recovery, Some(&team))?;
    let signing = Seed::make(env);
    let receiving = Seed::make(env);
    let (mut keyring, turns) = reopen(env, &content, &paper, &signing, &receiving)?;
    let public = paper.public_key().map_err(|_| TurnError::Seal)?;
    if keyring.log.state().recovery.as_ref().is_none_or(|recovery| recovery.key != public.as_bytes()) {
        return Err(RecoveryError::OtherKey.into());
    }
    let key = reseat_key(recovering.reseat, &team, &keyring)?;
    let device = DeviceKeys {
        signing: *SigningKey::from_seed(signing.expose()).verifying_key().as_bytes(),
        receiving: ReceivingKey::from_seed(receiving.expose()).public_key().map_err(|_| TurnError::Seal)?.as_bytes().to_vec(),
    };
    let lost: Vec<DeviceId> = keyring.log.state().active().filter(|(_, _, role)| role.reads_records()).map(|(id, ..)| id).collect();
    let cuts = lost.iter().map(|device| cut_from(&content.frontiers, device)).collect();
    let member = MemberId::from_bytes(env.random());
    // a clock that is wrong must not date what comes back, nor take it for over
    let day = first_day(&keyring, env, content.day)?;
    // with the key that the relay knows, the new turn names the next one; without it, the paper names a fresh one
    let has_control = keyring.control().is_some();
    let fresh = (!has_control).then(|| Seed::make(env));
    let control = fresh.as_ref().map(public_of);
    let reseat = Reseat { cuts, steward: Some(member), device: Some(device), control };
    let (reseat_paper, next) = reseat.apply(env, &mut keyring, &key, day)?;
    fresh.iter().for_each(|seed| {
        keyring.take_control(seed.expose());
    });
    if keyring.role() != Some(Role::Steward) {
        return Err(Error::Operation(Refusal::NotEntitled));
    }
    let relay = match (recovering.relay, content.relay) {
        (Some(moved), Some(known)) => Some(RelaySettings { url: moved.url.clone(), mailbox: moved.mailbox, pin: moved.pin, ..known }),
        (_, known) => known,
    };
    let root = Root {
        version: 1,
        team,
        member,
        signing,
        values: Seed::make(env),
        held: Seed::make(env),
        board: None,
        inbox: None,
        reseat: Some(next),
        keys: keyring.secrets(),
        pages: Vec::new(),
        invitations: Vec::new(),
    };
    let made = Made { root, keyring, relay, first_day: Some(day) };
    let unlocked = make_store(dir, env, credentials, made)?;
    // a name can be given later; the paper is in nobody's hand but this call's
    let _ = unlocked.name_member(recovering.member_name);
    Ok(Recovered { unlocked, reseat_paper, removed: lost, turns, has_control })
}

/// The keyring of a device that nobody has admitted yet, around the turns that the paper opens.
fn reopen(env: &Env, content: &Content, paper: &ReceivingKey, signing: &Seed, receiving: &Seed) -> Result<(Keyring, usize), Error> {
    let broken = |_| Error::Recovery(RecoveryError::Package);
    let operations = content.operations.iter().map(|bytes| Operation::from_bytes(bytes)).collect::<Result<Vec<_>, _>>();
    let operations = operations.map_err(|_| RecoveryError::Package)?;
    let turns = content.turns.iter().map(|bytes| Turn::from_bytes(bytes)).collect::<Result<Vec<_>, _>>().map_err(broken)?;
    let mut secrets = KeyringSecrets {
        receiving: vec![receiving.clone()],
        control: content.escrow.open_control(paper, content.team).iter().map(|control| Seed::new(control)).collect(),
        ..KeyringSecrets::default()
    };
    let mut opened = 0;
    for (id, secret) in content.escrow.open(paper, content.team) {
        let Some(turn) = turns.iter().find(|turn| turn.id() == id) else { continue };
        let secret = TurnSecret::Records(secret);
        secrets.turns.push(TurnRef::new(id, &secret));
        secrets.remembered.push(Remembered::of(turn, &secret));
        opened += 1;
    }
    if opened == 0 {
        return Err(RecoveryError::NotSetUp.into());
    }
    secrets.remembered.sort_by_key(|known| std::cmp::Reverse(known.day));
    let parts = KeyringParts { operations, turns, secrets, frontiers: content.frontiers.clone(), ..KeyringParts::default() };
    let signer = SigningKey::from_seed(signing.expose());
    Ok((Keyring::open(env, content.team, signer, parts).map_err(broken)?, opened))
}

/// Where a lost device's work ends, as far as any frontier in the package tells.
fn cut_from(frontiers: &BTreeMap<DeviceId, KnownFrontier>, device: &DeviceId) -> Cut {
    let named = device_prefix(device);
    let told = frontiers.values().filter_map(|known| Frontier::from_bytes(&known.frontier).ok()).filter_map(|frontier| {
        let content = frontier.content();
        std::iter::once(&content.own).chain(&content.heads).filter(|head| head.device == named).map(|head| head.sequence).max()
    });
    Cut { device: *device, sequence: told.max().unwrap_or(0), body: None }
}
