//! How a store comes into being: founding a team, or joining one in person.

use super::membership::welcome_pages;
use super::recover::print_reseat;
use super::root::{Root, Seed};
use super::unlocking::Opener;
use super::vault::RelaySettings;
use super::{KeyProtector, Store, Unlocked, wipe_stack, write_root};
use crate::consent::{Charter, CharterError, FOUNDED_FROM};
use crate::crypto::{Argon2Params, InvitationSecret, Passphrase, ReceivingKey, SigningKey, StoreKey};
use crate::env::Env;
use crate::error::Error;
use crate::recovery::PaperShare;
use crate::screen::ShortText;
use crate::storage::{Database, SLOT_FILLER_BYTES, SlotFile};
use crate::team::joining::{Joiner, JoinerReady, Welcome};
use crate::team::operation::Action;
use crate::team::{DeviceKeys, Frontier, Invitation, InvitationError, Keyring, Operation, Turn, TurnError};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{MemberId, TeamId};
use satchel_wire::limits;
use std::path::Path;
use std::sync::Arc;
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
#[derive(Clone)]
pub struct Credentials<'a> {
    /// The passphrase.
    pub passphrase: &'a Passphrase,
    /// The platform's keystore: mandatory on phones.
    pub protector: Option<Arc<dyn KeyProtector>>,
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
    /// The paper reseat key, to be printed: 35 words (BIP-39 list), the last of which check the others. It can remove a
    /// device and seat a steward, and opens no record. The store keeps it until [`Unlocked::reseat_paper_written_down`], for
    /// two weeks at most.
    pub reseat_words: Zeroizing<String>,
    /// The same paper: for a QR code, or to be split into shares ([`PaperShare::split`]).
    pub reseat_paper: PaperShare,
}

/// A store that is being made.
pub(super) struct Made {
    pub root: Root,
    pub keyring: Keyring,
    pub relay: Option<RelaySettings>,
    pub first_day: Option<ShiftDay>,
}

/// Writes the files of a new store. A kill on the way leaves a folder without slots, which opens as nothing.
pub(super) fn make_store(dir: &Path, env: &Env, credentials: &Credentials<'_>, made: Made) -> Result<Unlocked, Error> {
    let mut database = Database::create(dir)?;
    let store_id = env.random::<16>();
    let key = StoreKey::make(env);
    let mut slots = SlotFile::new(store_id);
    let opener = Opener::make(env, credentials)?;
    if let Some(first) = slots.slots.first_mut() {
        *first = Some(opener.slot(env, &store_id, &key)?);
    }
    database.transaction(|tx| welcome_pages(tx, env, &made).and_then(|()| write_root(tx, env, &store_id, &made.root, &key)))?;
    database.write_slots(&slots, &env.random::<SLOT_FILLER_BYTES>())?;
    let store = Store::around(dir, env.clone(), database);
    store.unlock_with(&slots, vec![(opener, key)], 0)
}

impl Store {
    /// Founds a team: one member, steward, with the strictest charter.
    ///
    /// Errors: those of [`Store::open`], [`Error::Charter`] for an unknown time zone or a clock before the first release.
    pub fn found(dir: &Path, env: Env, credentials: &Credentials<'_>, founding: &Founding) -> Result<Founded, Error> {
        let signer_seed = Seed::make(&env);
        let signer = SigningKey::from_seed(signer_seed.expose());
        let receiving_seed = Seed::make(&env);
        let receiving = ReceivingKey::from_seed(receiving_seed.expose()).public_key().map_err(|_| TurnError::Seal)?;
        let mut charter = Charter::strictest(&founding.time_zone, ShiftDay::from_days(0));
        charter.check()?;
        let today = charter.shift_day(env.now().seconds())?;
        if today < FOUNDED_FROM {
            return Err(CharterError::Clock.into());
        }
        charter = Charter::strictest(&founding.time_zone, today);
        let reseat_seed = Seed::make(&env);
        let reseat = SigningKey::from_seed(reseat_seed.expose());
        let member = MemberId::from_bytes(env.random());
        let device = DeviceKeys { signing: *signer.verifying_key().as_bytes(), receiving: receiving.as_bytes().to_vec() };
        let action = Action::Found { member, device, charter, reseat: *reseat.verifying_key().as_bytes(), salt: env.random() };
        let operation = Operation::write(&signer, None, Vec::new(), today, action);
        let team = operation.team();
        let reseat_paper = print_reseat(&env, team, &reseat_seed)?;
        let keyring = Keyring::found(&env, signer, receiving_seed, operation)?;
        let root = Root {
            version: 1,
            team,
            member,
            signing: signer_seed,
            values: Seed::make(&env),
            keys: keyring.secrets(),
            pages: Vec::new(),
            invitations: Vec::new(),
            held: Seed::make(&env),
            board: None,
            inbox: None,
            reseat: Some(reseat_seed),
        };
        let made = Made { root, keyring, relay: None, first_day: Some(today) };
        let unlocked = make_store(dir, &env, credentials, made)?;
        unlocked.name_member(&founding.member_name)?;
        wipe_stack();
        Ok(Founded { unlocked, reseat_words: reseat_paper.to_line(), reseat_paper })
    }

    /// Begins to join: the first message to the inviter. Errors: [`InvitationError::Expired`].
    pub fn join(env: Env, invitation: &Invitation) -> Result<(NewStore, Vec<u8>), Error> {
        let (joiner, knock) = Joiner::knock(&env, invitation)?;
        Ok((NewStore { env, team: Some(invitation.team), joiner }, knock))
    }
}

/// Joining, before the other phone has answered.
#[derive(Debug)]
pub struct NewStore {
    env: Env,
    /// As the invitation says; a typed code says none.
    team: Option<TeamId>,
    joiner: Joiner,
}

/// Joining, once both phones show words.
pub struct JoinedStore {
    env: Env,
    team: Option<TeamId>,
    ready: JoinerReady,
    signing: Seed,
    receiving: Seed,
}

impl std::fmt::Debug for JoinedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JoinedStore")
    }
}

/// The day from which on a store that was handed its keyring counts: the newest that somebody signed, as far as the clock goes
/// along. What the clock says beyond that is a jump like any other, which somebody has to confirm: a phone whose clock is
/// wrong would take all that comes for over.
///
/// It is not before `handed`, the day of whoever handed the keyring over: what is written on a phone whose clock is years behind
/// would be over for everybody else.
pub(super) fn first_day(keyring: &Keyring, env: &Env, handed: ShiftDay) -> Result<ShiftDay, Error> {
    let operations = keyring.log().operations().map(Operation::day);
    let frontiers = keyring.frontiers().values().filter_map(|known| Frontier::from_bytes(&known.frontier).ok());
    let days = operations.chain(keyring.book.known().map(Turn::day)).chain(frontiers.map(|frontier| frontier.content().day));
    let charter = keyring.log().state().charter.clone().ok_or(Error::Damaged)?;
    let clock = charter.shift_day(env.now().seconds())?;
    Ok(days.max().map_or(clock, |newest| newest.min(clock)).max(handed))
}

impl NewStore {
    /// Knocks with the secret of a typed code, which does not say which team it is.
    pub(super) fn knock_with(env: Env, secret: &InvitationSecret) -> Result<(Self, Vec<u8>), Error> {
        let (joiner, knock) = Joiner::knock_with(&env, secret)?;
        Ok((Self { env, team: None, joiner }, knock))
    }

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
        unlocked.promise_first_turn()?;
        match unlocked.name_member(name) {
            // names are records, and the board writes none; a clock that is far ahead takes the team for over, until it is right
            Ok(()) | Err(Error::Role | Error::Ended) => {}
            Err(error) => return Err(error),
        }
        let thanks = self.ready.thanks()?;
        wipe_stack();
        Ok((unlocked, thanks))
    }

    fn made(&self, welcome: &Welcome) -> Result<Made, Error> {
        let wrong = Error::Invitation(InvitationError::WrongPeer);
        let operations = welcome.operations.iter().map(|bytes| Operation::from_bytes(bytes)).collect::<Result<Vec<_>, _>>();
        let operations = operations.map_err(|_| wrong.clone())?;
        // a typed code does not say which team: then it is the one that the other phone, which knew the code, hands over
        let founding = || operations.iter().find(|operation| matches!(operation.action(), Action::Found { .. })).map(Operation::team);
        let team = self.team.or_else(founding).ok_or_else(|| wrong.clone())?;
        let frontiers = welcome.frontiers.iter().map(|notice| (notice.frontier.clone(), notice.receiving.clone()));
        let frontiers: Vec<_> = frontiers.collect();
        let signer = SigningKey::from_seed(self.signing.expose());
        let mut keyring = Keyring::join(&self.env, team, signer, self.receiving.clone(), operations, &welcome.announcement, &frontiers)
            .map_err(|_| wrong.clone())?;
        keyring.take_acquaintances(&self.receiving, &welcome.acquaintances).map_err(|_| wrong.clone())?;
        let admitted = keyring.log().state().devices.get(&keyring.device());
        let admitted =
            admitted.filter(|device| device.member == welcome.member).and_then(|device| keyring.log().operation(&device.admitted));
        let handed = admitted.ok_or_else(|| wrong.clone())?.day();
        let relay = match &welcome.relay {
            Some(bytes) => Some(satchel_wire::cbor::decode::<RelaySettings>(bytes).map_err(|_| wrong.clone())?),
            None => None,
        };
        let root = Root {
            version: 1,
            team,
            member: welcome.member,
            signing: self.signing.clone(),
            values: Seed::make(&self.env),
            keys: keyring.secrets(),
            pages: Vec::new(),
            invitations: Vec::new(),
            held: Seed::make(&self.env),
            board: None,
            inbox: None,
            reseat: None,
        };
        let first_day = first_day(&keyring, &self.env, handed)?;
        Ok(Made { root, keyring, relay, first_day: Some(first_day) })
    }
}
