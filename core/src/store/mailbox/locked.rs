//! The locked inbox: a locked phone fetches rows that it cannot read.
//!
//! What lies outside the lock is the pull key of the turn in use and the relay's address, sealed under a key of its own that the
//! platform's keystore wraps. A pull key fetches ciphertext and nothing else. Rows wait, sealed once more, until the store is
//! unlocked; then each is judged as a row that a relay hands out.
//!
//! It stops at the next turn, when a day has to be listed, and when the room is used up: the unlocked phone goes on from there.

use super::super::root::{Seed, open_value, seal_value};
use super::super::vault::Vault;
use super::super::{Store, Unlocked, wipe_stack};
use super::link::coarse_offset;
use super::{Acceptance, NetworkChoice, RelayAnswer, RelayError, RelayState};
use crate::crypto::RootKey;
use crate::error::Error;
use crate::storage::{self, InboxKey, Reader, StorageError, Transaction};
use crate::store::{KeyProtector, ProtectorError};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use satchel_wire::cbor;
use satchel_wire::frame::{Cursor, Endpoint, Frame, Freshness, ProblemCode, Pull, Pulled};
use satchel_wire::ids::MailboxId;
use satchel_wire::limits::{INBOX_REQUESTS_MAX_COUNT, INBOX_ROWS_MAX_COUNT, INBOX_SPOOL_MAX_BYTES, ROW_MAX_BYTES};
use satchel_wire::row::Row;
use std::sync::Arc;

/// Name of the sealed credential.
pub(super) const CREDENTIAL: &str = "inbox credential";
/// Name of the sealed rows.
const SPOOL: &str = "inbox spool";

/// What a locked phone fetches with.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(in crate::store) struct InboxCredential {
    #[n(0)]
    url: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    pin: Option<[u8; 32]>,
    #[n(2)]
    mailbox: MailboxId,
    /// Seed of the pull key: it neither pushes nor opens anything.
    #[n(3)]
    pull: Seed,
    /// Where the unlocked phone stopped reading.
    #[n(4)]
    cursor: Option<Cursor>,
    #[n(5)]
    networks: NetworkChoice,
}

/// Rows that wait for the unlocking.
#[derive(Default, Encode, Decode)]
#[cbor(map)]
struct Spool {
    /// Where the locked phone stopped reading.
    #[n(0)]
    cursor: Option<Cursor>,
    #[n(1)]
    rows: Vec<ByteVec>,
    #[n(2)]
    sent: u64,
    #[n(3)]
    received: u64,
}

impl Spool {
    fn size(&self) -> usize {
        self.rows.iter().map(|row| row.len()).sum()
    }
}

/// Why a locked phone fetches no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboxEnd {
    /// Everything there is was fetched.
    UpToDate,
    /// The room for rows is used up.
    Full,
    /// The relay's keys are another turn's: its box opens only on an unlocked phone.
    KeysChanged,
    /// The relay lists a day instead of going on: only the unlocked phone knows what it has of it.
    NeedsUnlocking,
    /// The store was unlocked, or erased, meanwhile.
    NotLocked,
}

/// What the last unlocking found in the inbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboxReport {
    /// What became of the rows.
    pub rows: Acceptance,
    /// Turns adopted.
    pub turns: usize,
    /// What lay there was not what had been stored; it was dropped, and is fetched again.
    pub is_damaged: bool,
}

/// A locked phone's fetching: sans-I/O, as [`super::RelayLink`].
pub struct LockedInbox {
    store: Store,
    key: RootKey,
    credential: InboxCredential,
    generation: u64,
    requests: usize,
    offset: i64,
    corrected: bool,
    /// Rows that wait, those of earlier fetches included, and their bytes.
    waiting: (usize, usize),
    cursor: Option<Cursor>,
    end: Option<InboxEnd>,
}

impl std::fmt::Debug for LockedInbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LockedInbox")
    }
}

impl Store {
    /// Begins to fetch while the store is locked; none where the inbox is off, or no relay is set.
    ///
    /// Errors: [`Error::Keystore`], [`StorageError::NotFound`] while suspended, and the storage's.
    pub fn locked_inbox(&self, protector: &dyn KeyProtector) -> Result<Option<LockedInbox>, Error> {
        let begun = self.begin_locked_inbox(protector);
        wipe_stack();
        begun
    }

    #[inline(never)]
    fn begin_locked_inbox(&self, protector: &dyn KeyProtector) -> Result<Option<LockedInbox>, Error> {
        let Some(wrapped) = storage::read_inbox_key(&self.shared.dir)? else { return Ok(None) };
        let key = protector.unwrap(wrapped.alias(), wrapped.wrapped())?;
        let key = RootKey::from_bytes(key.as_slice().try_into().map_err(|_| Error::Damaged)?);
        let generation = self.shared.generation.load(std::sync::atomic::Ordering::SeqCst);
        let mut inner = self.shared.lock_inner();
        let is_locked = inner.vault.is_none();
        let database = inner.database.as_mut().ok_or(Error::Storage(StorageError::NotFound))?;
        database.read(|reader| {
            let Some(sealed) = reader.meta(CREDENTIAL)? else { return Ok(None) };
            let plain = open_value(&key, CREDENTIAL, &[], &sealed)?;
            let credential: InboxCredential = cbor::decode(&plain).map_err(|_| Error::Damaged)?;
            // rows that are damaged are fetched again
            let spool = read_spool(reader, &key)?.ok().unwrap_or_default();
            let waiting = (spool.rows.len(), spool.size());
            let cursor = spool.cursor.or(credential.cursor);
            let end = (!is_locked).then_some(InboxEnd::NotLocked);
            let store = self.clone();
            Ok(Some(LockedInbox { store, key, credential, generation, requests: 0, offset: 0, corrected: false, waiting, cursor, end }))
        })
    }
}

impl LockedInbox {
    /// Where the relay is, and the key that it may show.
    pub fn relay(&self) -> RelayState {
        let InboxCredential { url, pin, mailbox, .. } = &self.credential;
        RelayState { url: url.clone(), mailbox: *mailbox, is_claimed: true, pin: *pin }
    }

    /// Rows that wait for the unlocking (count), and their bytes.
    pub const fn waiting(&self) -> (usize, usize) {
        self.waiting
    }

    /// Why it is over, once it is.
    pub const fn end(&self) -> Option<InboxEnd> {
        self.end
    }

    fn room(&self) -> usize {
        INBOX_SPOOL_MAX_BYTES.saturating_sub(self.waiting.1)
    }

    /// The next request, or none when it is over. Ask once per answer.
    ///
    /// Errors: [`RelayError::Metered`]; [`RelayError::NoProgress`] after [`INBOX_REQUESTS_MAX_COUNT`] requests.
    pub fn next_request(&mut self) -> Result<Option<(Endpoint, Vec<u8>)>, RelayError> {
        if self.end.is_some() {
            return Ok(None);
        }
        if self.credential.networks == NetworkChoice::UnmeteredOnly && !self.store.shared.network.is_unmetered() {
            return Err(RelayError::Metered);
        }
        if self.room() < ROW_MAX_BYTES || self.waiting.0 >= INBOX_ROWS_MAX_COUNT {
            self.end = Some(InboxEnd::Full);
            return Ok(None);
        }
        if self.requests >= INBOX_REQUESTS_MAX_COUNT {
            return Err(RelayError::NoProgress);
        }
        self.requests += 1;
        let env = &self.store.shared.env;
        let freshness = Freshness { time: env.now().seconds().saturating_add_signed(self.offset), nonce: env.random() };
        let max_bytes = u32::try_from(self.room()).unwrap_or(u32::MAX);
        let pull = Pull { mailbox: self.credential.mailbox, cursor: self.cursor, max_bytes, lane: None, freshness };
        Ok(Some(Vault::signed(Endpoint::Pull, &pull, &self.credential.pull)))
    }

    /// Takes the answer. Rows are on disk, sealed, when this returns. Errors: [`RelayError`]; it is then over.
    pub fn receive(&mut self, answer: &RelayAnswer) -> Result<(), RelayError> {
        let taken = self.take(answer);
        if taken.is_err() {
            self.end = self.end.or(Some(InboxEnd::UpToDate));
        }
        wipe_stack();
        taken
    }

    fn take(&mut self, answer: &RelayAnswer) -> Result<(), RelayError> {
        let body = match answer {
            RelayAnswer::Ok(body) if body.is_empty() => {
                self.end = Some(InboxEnd::UpToDate);
                return Ok(());
            }
            RelayAnswer::Ok(body) => body,
            RelayAnswer::Problem { code: ProblemCode::ClockSkew, relay_time: Some(time) } if !self.corrected => {
                let now = self.store.shared.env.now().seconds();
                self.corrected = true;
                self.offset = coarse_offset(*time, now);
                return Ok(());
            }
            RelayAnswer::Problem { code: ProblemCode::Refused, .. } => {
                self.end = Some(InboxEnd::KeysChanged);
                return Ok(());
            }
            RelayAnswer::Problem { code, .. } => return Err(RelayError::Refused(*code)),
        };
        let pulled = Pulled::from_bytes(body).map_err(|_| RelayError::Malformed)?;
        if pulled.listing.is_some() {
            self.end = Some(InboxEnd::NeedsUnlocking);
            return Ok(());
        }
        let is_standing = pulled.rows.is_empty() && pulled.cursor == self.cursor;
        if pulled.more && (is_standing || pulled.cursor.is_none()) {
            return Err(RelayError::NoProgress);
        }
        // more than was asked for is not stored: what it would push out was
        let came: usize = pulled.rows.iter().map(|row| row.as_bytes().len()).sum();
        if came > self.room() || self.waiting.0 + pulled.rows.len() > INBOX_ROWS_MAX_COUNT {
            self.end = Some(InboxEnd::Full);
            return Ok(());
        }
        self.keep(pulled.rows, pulled.cursor, (0, 0))?;
        if !pulled.more && self.end.is_none() {
            self.end = Some(InboxEnd::UpToDate);
        }
        Ok(())
    }

    /// Adds bytes that went to the relay and came from it; the unlocking counts them. Errors: the storage's.
    pub fn note_bytes(&mut self, sent: u64, received: u64) -> Result<(), Error> {
        if sent == 0 && received == 0 { Ok(()) } else { self.keep(Vec::new(), self.cursor, (sent, received)) }
    }

    fn keep(&mut self, rows: Vec<Row>, cursor: Option<Cursor>, bytes: (u64, u64)) -> Result<(), Error> {
        let store = self.store.clone();
        let mut inner = store.shared.lock_inner();
        // an unlocked phone reads for itself, and has taken what waited
        let is_same = store.shared.generation.load(std::sync::atomic::Ordering::SeqCst) == self.generation;
        let Some(database) = inner.vault.is_none().then_some(inner.database.as_mut()).flatten().filter(|_| is_same) else {
            self.end = Some(InboxEnd::NotLocked);
            return Ok(());
        };
        let (key, env) = (&self.key, &store.shared.env);
        self.waiting = database.transaction(|tx| {
            let mut spool = read_spool(tx, key)?.ok().unwrap_or_default();
            spool.rows.extend(rows.into_iter().map(|row| ByteVec::from(row.into_bytes())));
            spool.cursor = cursor;
            spool.sent = spool.sent.saturating_add(bytes.0);
            spool.received = spool.received.saturating_add(bytes.1);
            tx.put_meta(SPOOL, &seal_value(env, key, SPOOL, &[], &cbor::encode(&spool))?)?;
            Ok::<_, Error>((spool.rows.len(), spool.size()))
        })?;
        self.cursor = cursor;
        Ok(())
    }
}

#[cfg(feature = "adversary")]
impl LockedInbox {
    /// Everything that somebody has who holds the phone locked and makes its keystore unwrap: the pull key's seed, and the rows.
    ///
    /// Errors: as any read.
    pub fn dangerous_loot(&self) -> Result<([u8; 32], Vec<Row>), Error> {
        let mut inner = self.store.shared.lock_inner();
        let database = inner.database.as_mut().ok_or(Error::Storage(StorageError::NotFound))?;
        let spool = database.read(|reader| read_spool(reader, &self.key))??;
        let rows = spool.rows.into_iter().filter_map(|bytes| Row::parse(bytes.into()).ok()).collect();
        Ok((*self.credential.pull.expose(), rows))
    }

    /// Puts something else into the place of the rows that wait. Errors: the storage's.
    pub fn dangerous_plant(&self, rows: Vec<Vec<u8>>) -> Result<(), Error> {
        let mut inner = self.store.shared.lock_inner();
        let database = inner.database.as_mut().ok_or(Error::Storage(StorageError::NotFound))?;
        let (key, env) = (&self.key, &self.store.shared.env);
        database.transaction(|tx| {
            let mut spool = read_spool(tx, key)?.ok().unwrap_or_default();
            spool.rows.extend(rows.into_iter().map(ByteVec::from));
            Ok::<_, Error>(tx.put_meta(SPOOL, &seal_value(env, key, SPOOL, &[], &cbor::encode(&spool))?)?)
        })
    }
}

/// What waits; an inner error where it is not what was stored.
fn read_spool(reader: &Reader<'_>, key: &RootKey) -> Result<Result<Spool, Error>, Error> {
    let Some(sealed) = reader.meta(SPOOL)? else { return Ok(Ok(Spool::default())) };
    Ok(open_value(key, SPOOL, &[], &sealed).and_then(|plain| cbor::decode(&plain).map_err(|_| Error::Damaged)))
}

impl Unlocked {
    /// Whether this phone fetches while it is locked. Errors: [`Error::Locked`].
    pub fn has_locked_inbox(&self) -> Result<bool, Error> {
        self.read(|vault, _| Ok(vault.root.inbox.is_some()))
    }

    /// Lets this phone fetch while it is locked, or no longer. Off unless somebody switches it on: whoever takes the phone
    /// locked, and makes its keystore work for them, then fetches this team's ciphertext until the next turn.
    ///
    /// Errors: [`Error::Keystore`], [`ProtectorError::Unsupported`] on a store without a keystore; the medium's.
    pub fn switch_locked_inbox(&self, is_on: bool) -> Result<(), Error> {
        let (protector, dir) = (self.protector()?, &self.shared.dir);
        let forget_file = || {
            // a file that cannot be read names no key
            if let (Ok(Some(known)), Some(protector)) = (storage::read_inbox_key(dir), &protector) {
                let _ = protector.destroy(known.alias());
            }
        };
        if !is_on {
            self.write(|vault, tx| vault.forget_inbox(tx))?;
            forget_file();
            return Ok(storage::remove_inbox_key(dir)?);
        }
        if self.has_locked_inbox()? {
            return Ok(());
        }
        let Some(keystore) = &protector else { return Err(ProtectorError::Unsupported.into()) };
        forget_file();
        let (alias, key) = (keystore.create()?, Seed::make(self.env()));
        let made = keystore.wrap(&alias, key.expose()).map_err(Error::from).and_then(|wrapped| {
            storage::write_inbox_key(dir, &InboxKey::new(&alias, &wrapped)?)?;
            self.write(|vault, _| {
                vault.root.inbox = Some(key.clone());
                vault.touch_root();
                Ok(())
            })
        });
        if made.is_err() {
            let _ = keystore.destroy(&alias);
            let _ = storage::remove_inbox_key(dir);
        }
        made
    }

    /// What the last unlocking found in the inbox. Errors: [`Error::Locked`].
    pub fn opened_inbox(&self) -> Result<InboxReport, Error> {
        self.read(|vault, _| Ok(vault.inbox_report.clone()))
    }

    fn protector(&self) -> Result<Option<Arc<dyn KeyProtector>>, Error> {
        let inner = self.alive()?;
        let opener = inner.opener.as_ref().ok_or(Error::Locked)?;
        Ok(opener.protector.clone().filter(|_| opener.kind.has_keystore()))
    }

    /// Judges what waits, as rows of a relay: a part at a time, so that a kill keeps what was taken. What fails stays for the
    /// next unlocking.
    pub(in crate::store) fn take_inbox(&self) -> Result<(), Error> {
        let spool = self.read(|vault, reader| match vault.inbox_key() {
            Some(key) if reader.meta(SPOOL)?.is_some() => read_spool(reader, &key).map(Some),
            _ => Ok(None),
        })?;
        let Some(spool) = spool else { return Ok(()) };
        let mut report = InboxReport { is_damaged: spool.is_err(), ..InboxReport::default() };
        let spool = spool.unwrap_or_default();
        let rows: Vec<Row> = spool.rows.into_iter().filter_map(|bytes| Row::parse(bytes.into()).ok()).collect();
        for rows in rows.chunks(128) {
            let (acceptance, turns) = self.write(|vault, tx| vault.take_relay_rows(tx, rows, rows))?;
            report.rows.join(acceptance);
            report.turns += turns;
        }
        let (sent, received) = (spool.sent, spool.received);
        self.write(|vault, tx| {
            if let Some(cursor) = spool.cursor {
                vault.move_cursor(cursor);
            }
            tx.remove_meta(SPOOL)?;
            vault.inbox_report = report;
            Ok(())
        })?;
        self.note_relay_bytes(sent, received)
    }
}

impl Vault {
    fn inbox_key(&self) -> Option<RootKey> {
        self.root.inbox.as_ref().map(|key| RootKey::from_bytes(key.expose()))
    }

    fn forget_inbox(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        tx.remove_meta(CREDENTIAL)?;
        tx.remove_meta(SPOOL)?;
        self.inbox_before = None;
        if self.root.inbox.take().is_some() {
            self.touch_root();
        }
        Ok(())
    }

    /// Keeps the credential as the relay and the turn in use are now. A part of every transaction, so that a lock has nothing to do.
    pub(in crate::store) fn save_inbox(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        let Some(key) = self.inbox_key() else { return Ok(()) };
        let relay = self.state.relay.as_ref().filter(|relay| relay.claim.is_none());
        let pull = self.access(0).ok().map(|known| known.pull.clone()).filter(|_| self.role().is_ok());
        let credential = relay.zip(pull).map(|(relay, pull)| InboxCredential {
            url: relay.url.clone(),
            pin: relay.pin,
            mailbox: relay.mailbox,
            pull,
            cursor: relay.cursor,
            networks: self.state.networks,
        });
        if credential == self.inbox_before && credential.is_some() {
            return Ok(());
        }
        match &credential {
            Some(credential) => {
                let plain = zeroize::Zeroizing::new(cbor::encode(credential));
                tx.put_meta(CREDENTIAL, &seal_value(&self.env, &key, CREDENTIAL, &[], &plain)?)?;
            }
            None => drop(tx.remove_meta(CREDENTIAL)?),
        }
        self.inbox_before = credential;
        Ok(())
    }
}
