//! How a store comes into being: founding a team, or joining one in person.

use super::membership::welcome_pages;
use super::root::{Remembered, Root, Seed, TurnRef};
use super::vault::{KnownFrontier, RelaySettings};
use super::{KeyProtector, Store, Unlocked, make_slot, wipe_stack, write_root};
use crate::consent::Charter;
use crate::crypto::{Argon2Params, Passphrase, ReceivingKey, RecordsSecret, SigningKey, StoreKey};
use crate::env::Env;
use crate::error::Error;
use crate::recovery::{PaperShare, Purpose, RecoveryError};
use crate::screen::ShortText;
use crate::storage::{Database, SLOT_FILLER_BYTES, SlotFile};
use crate::team::joining::{Joiner, JoinerReady, Welcome};
use crate::team::operation::Action;
use crate::team::turn::{self, TurnDraft};
use crate::team::{DeviceKeys, Invitation, InvitationError, Log, Operation, Recipient, RecipientClass, Role, Turn, TurnError, TurnSecret};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{MemberId, TeamId};
use satchel_wire::limits;
use std::path::Path;
use zeroize::Zeroizing;

/// What one try of a passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyCost {
    /// 64 MiB, 3 passes: phones and laptops of today.
    Standard,
    /// 48 MiB, 3 passes: what an iOS app extension may use.
    Ios,
    /// 19 MiB, 2 passes, the least that is accepted (OWASP): for old devices, and for tests.
    Least,
    /// Calibrated by the caller.
    Exactly(Argon2Params),
}

impl KeyCost {
    pub(super) fn params(self) -> Result<Argon2Params, Error> {
        Ok(match self {
            Self::Standard => Argon2Params::new(limits::ARGON2_MEMORY_DEFAULT_KIB, 3, 1)?,
            Self::Ios => Argon2Params::new(limits::ARGON2_MEMORY_IOS_KIB, 3, 1)?,
            Self::Least => Argon2Params::new(limits::ARGON2_MEMORY_MIN_KIB, 2, 1)?,
            Self::Exactly(params) => params,
        })
    }
}

/// What will open the store.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// The passphrase.
    pub passphrase: &'a Passphrase,
    /// The platform's keystore: mandatory on phones.
    pub protector: Option<&'a dyn KeyProtector>,
    /// What one try costs.
    pub cost: KeyCost,
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

/// What founds a team.
#[derive(Debug)]
pub struct Founding {
    /// IANA time zone of the charter.
    pub time_zone: String,
    /// How the founder is called.
    pub member_name: ShortText,
}

/// A founded team.
#[derive(Debug)]
pub struct Founded {
    /// The store, unlocked.
    pub unlocked: Unlocked,
    /// The paper reseat key, to be printed once and never stored: 35 words (BIP-39 list), the last of which check the
    /// others. It can remove a device and seat a steward, and opens no record.
    pub reseat_words: Zeroizing<String>,
    /// The same paper: for a QR code, or to be split into shares ([`PaperShare::split`]).
    pub reseat_paper: PaperShare,
}

/// A store that is being made.
pub(super) struct Made {
    pub root: Root,
    pub operations: Vec<Operation>,
    pub turns: Vec<Turn>,
    pub frontiers: Vec<(satchel_wire::ids::DeviceId, KnownFrontier)>,
    pub relay: Option<RelaySettings>,
    pub first_day: Option<ShiftDay>,
}

/// Writes the files of a new store. A kill on the way leaves a folder without slots, which opens as nothing.
fn make_store(dir: &Path, env: &Env, credentials: &Credentials<'_>, made: Made) -> Result<Unlocked, Error> {
    let mut database = Database::create(dir)?;
    let store_id = env.random::<16>();
    let key = StoreKey::make(env);
    let mut slots = SlotFile::new(store_id);
    if let Some(first) = slots.slots.first_mut() {
        *first = Some(make_slot(env, &store_id, 0, credentials, &key)?);
    }
    database.transaction(|tx| welcome_pages(tx, env, &made).and_then(|()| write_root(tx, env, &store_id, &made.root, &key)))?;
    database.write_slots(&slots, &env.random::<SLOT_FILLER_BYTES>())?;
    let store = Store::around(dir, env.clone(), database);
    store.unlock_with(&slots, key, 0)
}

impl Store {
    /// Founds a team: one member, steward, with the strictest charter.
    ///
    /// Errors: those of [`Store::open`], [`Error::Charter`] for an unknown time zone.
    pub fn found(dir: &Path, env: Env, credentials: &Credentials<'_>, founding: &Founding) -> Result<Founded, Error> {
        let signer_seed = Seed::make(&env);
        let signer = SigningKey::from_seed(signer_seed.expose());
        let receiving_seed = Seed::make(&env);
        let receiving = ReceivingKey::from_seed(receiving_seed.expose()).public_key().map_err(|_| TurnError::Seal)?;
        let mut charter = Charter::strictest(&founding.time_zone, ShiftDay::from_days(0));
        charter.check()?;
        let today = charter.shift_day(env.now().seconds())?;
        charter = Charter::strictest(&founding.time_zone, today);
        let reseat_seed = Seed::make(&env);
        let reseat = SigningKey::from_seed(reseat_seed.expose());
        let member = MemberId::from_bytes(env.random());
        let device = DeviceKeys { signing: *signer.verifying_key().as_bytes(), receiving: receiving.as_bytes().to_vec() };
        let action = Action::Found { member, device, charter, reseat: *reseat.verifying_key().as_bytes(), salt: env.random() };
        let operation = Operation::write(&signer, None, Vec::new(), today, action);
        let team = operation.team();
        let paper = PaperShare::print(&env, Purpose::Reseat, &team, reseat_seed.expose(), 1, 1).map_err(RecoveryError::from)?;
        let reseat_paper = paper.into_iter().next().ok_or(Error::Damaged)?;
        let control = Seed::make(&env);
        let (turn, secret) = first_turn(&env, &signer, team, &operation, today, receiving.as_bytes(), &control);
        let root = Root {
            version: 1,
            team,
            member,
            signing: signer_seed,
            values: Seed::make(&env),
            receiving: vec![receiving_seed],
            turns: vec![TurnRef::new(turn.id(), &secret)],
            remembered: vec![remember(&turn, &secret)],
            control: Some(control),
            pages: Vec::new(),
            invitations: Vec::new(),
        };
        let made =
            Made { root, operations: vec![operation], turns: vec![turn], frontiers: Vec::new(), relay: None, first_day: Some(today) };
        let unlocked = make_store(dir, &env, credentials, made)?;
        unlocked.name_member(&founding.member_name)?;
        wipe_stack();
        Ok(Founded { unlocked, reseat_words: reseat_paper.to_line(), reseat_paper })
    }

    /// Begins to join: the first message to the inviter. Errors: [`InvitationError::Expired`].
    pub fn join(env: Env, invitation: &Invitation) -> Result<(NewStore, Vec<u8>), Error> {
        let (joiner, knock) = Joiner::knock(&env, invitation)?;
        Ok((NewStore { env, team: invitation.team, joiner }, knock))
    }
}

fn first_turn(
    env: &Env,
    signer: &SigningKey,
    team: TeamId,
    founding: &Operation,
    day: ShiftDay,
    receiving: &[u8],
    control: &Seed,
) -> (Turn, TurnSecret) {
    let secret = RecordsSecret::make(env);
    let mut key = [0; 8];
    key.copy_from_slice(&crate::team::frontier::receiving_hash(receiving)[..8]);
    let recipient = Recipient { device: signer.verifying_key().device_id(), class: RecipientClass::Records, key };
    let public = *SigningKey::from_seed(control.expose()).verifying_key().as_bytes();
    let draft = TurnDraft {
        team,
        parents: Vec::new(),
        recipients: vec![recipient],
        log_heads: vec![founding.id()],
        day,
        control: Some(turn::ControlChange { public, signature: None }),
    };
    let turn = Turn::write(signer, &secret, draft);
    (turn, TurnSecret::Records(secret))
}

/// What is kept of a turn after it is destroyed.
pub(super) fn remember(turn: &Turn, secret: &TurnSecret) -> Remembered {
    let commons = secret.commons();
    Remembered {
        turn: turn.id(),
        day: turn.day(),
        discovery: Seed::new(commons.derive_discovery().expose()),
        pull: Seed::new(commons.derive_pull_keypair().expose_seed()),
        push: Seed::new(commons.derive_push_keypair().expose_seed()),
    }
}

/// Joining, before the other phone has answered.
#[derive(Debug)]
pub struct NewStore {
    env: Env,
    team: TeamId,
    joiner: Joiner,
}

/// Joining, once both phones show words.
pub struct JoinedStore {
    env: Env,
    team: TeamId,
    ready: JoinerReady,
    signing: Seed,
    receiving: Seed,
}

impl std::fmt::Debug for JoinedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JoinedStore")
    }
}

impl NewStore {
    /// Reads the inviter's answer. Errors: [`InvitationError`].
    pub fn answered(self, answer: &[u8]) -> Result<JoinedStore, Error> {
        let ready = self.joiner.answer(answer)?;
        Ok(JoinedStore { ready, signing: Seed::make(&self.env), receiving: Seed::make(&self.env), env: self.env, team: self.team })
    }
}

impl JoinedStore {
    /// The words that both people compare, aloud.
    pub fn words(&self) -> [&'static str; 4] {
        self.ready.words()
    }

    /// The message that introduces this device; send it only after its person said that the words agree.
    pub fn introduce(&mut self) -> Result<Vec<u8>, Error> {
        let receiving = ReceivingKey::from_seed(self.receiving.expose()).public_key().map_err(|_| TurnError::Seal)?;
        Ok(self.ready.introduce(&SigningKey::from_seed(self.signing.expose()), &receiving)?)
    }

    /// Takes the welcome and writes the store. Returns it unlocked, and the message that thanks the inviter.
    ///
    /// Errors: [`InvitationError::WrongPeer`] when what came is not the invited team's log, or does not admit this device.
    pub fn welcomed(
        mut self,
        message: &[u8],
        dir: &Path,
        credentials: &Credentials<'_>,
        name: &ShortText,
    ) -> Result<(Unlocked, Vec<u8>), Error> {
        let welcome = self.ready.welcome(message)?;
        let made = self.made(&welcome)?;
        let unlocked = make_store(dir, &self.env, credentials, made)?;
        unlocked.adopt_first_turn()?;
        unlocked.name_member(name)?;
        let thanks = self.ready.thanks()?;
        wipe_stack();
        Ok((unlocked, thanks))
    }

    fn made(&self, welcome: &Welcome) -> Result<Made, Error> {
        let wrong = Error::Invitation(InvitationError::WrongPeer);
        let operations = welcome.operations.iter().map(|bytes| Operation::from_bytes(bytes)).collect::<Result<Vec<_>, _>>();
        let operations = operations.map_err(|_| wrong.clone())?;
        let mut log = Log::replay(self.team, operations.clone()).map_err(|_| wrong.clone())?;
        let device = SigningKey::from_seed(self.signing.expose()).verifying_key().device_id();
        let admitted = log.state().devices.get(&device).filter(|device| device.member == welcome.member);
        if admitted.is_none() || !log.state().device_role(device).is_some_and(Role::reads_records) {
            return Err(wrong);
        }
        let receiving = [ReceivingKey::from_seed(self.receiving.expose())];
        let opened = turn::open_announcement(self.team, &receiving, &welcome.announcement)?;
        let mut book = crate::team::TurnBook::default();
        for past in &opened.past {
            book.learn(&mut log, past)?;
        }
        book.learn(&mut log, &opened.turn)?;
        let mut turns = opened.past;
        turns.push(opened.turn.clone());
        let relay = match &welcome.relay {
            Some(bytes) => Some(satchel_wire::cbor::decode::<RelaySettings>(bytes).map_err(|_| wrong.clone())?),
            None => None,
        };
        let root = Root {
            version: 1,
            team: self.team,
            member: welcome.member,
            signing: self.signing.clone(),
            values: Seed::make(&self.env),
            receiving: vec![self.receiving.clone()],
            turns: vec![TurnRef::new(opened.turn.id(), &opened.secret)],
            remembered: vec![remember(&opened.turn, &opened.secret)],
            control: opened.control.as_ref().map(|control| Seed::new(control)),
            pages: Vec::new(),
            invitations: Vec::new(),
        };
        let frontiers = welcome.frontiers.iter().filter_map(|notice| {
            let frontier = crate::team::Frontier::from_bytes(&notice.frontier).ok()?;
            let device = log.state().devices.get(&frontier.content().device)?;
            let receiving =
                notice.receiving.clone().filter(|key| crate::team::frontier::receiving_hash(key) == frontier.content().receiving);
            frontier
                .is_signed_by(&device.key)
                .then(|| (frontier.content().device, KnownFrontier { frontier: notice.frontier.clone(), receiving }))
        });
        Ok(Made { root, frontiers: frontiers.collect(), operations, turns, relay, first_day: None })
    }
}
