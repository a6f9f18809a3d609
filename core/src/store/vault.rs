//! What exists only while a store is unlocked: keys, index, log, turns. Dropped, and wiped, by `lock`.

use super::erase::{ERASURES, Erasing};
use super::index::{BanMark, Index, Item, ItemKey, Place, place_of};
use super::ledger::Ledger;
use super::observer::Change;
use super::retention::Terms;
use super::root::{self, Root, open_value, seal_value};
use crate::consent::Charter;
use crate::crypto::{self, RootKey, SigningKey, StoreKey, labels};
use crate::env::Env;
use crate::error::Error;
use crate::record::{Kind, TallyCounter};
use crate::rules::Rule;
use crate::storage::{Reader, Transaction};
use crate::team::keyring::{KeyringSecrets, KeyringState};
use crate::team::{Frontier, KeptOperation, Keyring, KeyringParts, Role};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::ids::{AnnouncementId, BodyId, DeviceId, MailboxId, OperationId, RecordId, RowId, RowName, TeamId};
use std::collections::BTreeSet;

pub(super) const OPERATION: &str = "operation";
pub(super) const TURNS: &str = "turns";
pub(super) const STATE: &str = "state";
const TALLY: &str = "tally";
pub(super) const FRONTIERS: &str = "frontiers";
pub(super) const KEYRING: &str = "keyring";
const HELD_OPERATIONS: &str = "held operations";
const PROGRESS: &str = "relay progress";

/// Small state that changes with use: one sealed value.
#[derive(Debug, Clone, Default, Encode, Decode)]
#[cbor(map)]
pub(super) struct LocalState {
    /// Highest shift day ever seen and accepted.
    #[n(0)]
    pub day_seen: Option<ShiftDay>,
    /// A date jump waits for confirmation: gates are closed, nothing is destroyed.
    #[n(1)]
    pub date_in_doubt: bool,
    /// Another phone showed that this store is a copy: nothing is numbered any more.
    #[n(2)]
    pub is_copied: bool,
    /// What is missing here, and since when it is asked for.
    #[n(3)]
    pub gaps: super::gaps::Gaps,
    /// The steward's answer, heeded here, that this store may go on although it is a copy.
    #[n(7)]
    pub resumed: Option<crate::team::Cut>,
    /// The relay, if there is one.
    #[n(4)]
    pub relay: Option<RelaySettings>,
    /// Day of the last meeting with any colleague's phone or the relay.
    #[n(5)]
    pub last_contact: Option<ShiftDay>,
    /// Phones of which two bodies claim one place, as far as reported.
    #[n(6)]
    pub forked: BTreeSet<DeviceId>,
    /// Rows that no turn here opens did not all fit: the relay is read again from its beginning after the next adoption.
    #[n(8)]
    pub is_pull_incomplete: bool,
    /// The day on which what was over was last destroyed.
    #[n(20)]
    #[cbor(default)]
    pub tended: Option<ShiftDay>,
    /// So many days were believed because a colleague's clock said the same, and nobody who was sure (days).
    #[n(21)]
    #[cbor(default)]
    pub vouched_days: u16,
    /// Day of the last whole exchange with the relay.
    #[n(23)]
    #[cbor(default)]
    pub met_relay: Option<ShiftDay>,
    /// Day of the last meeting with a colleague's phone.
    #[n(24)]
    #[cbor(default)]
    pub met_colleague: Option<ShiftDay>,
    /// The first day on which the turn in use was found overdue: this phone reaches nobody.
    #[n(22)]
    #[cbor(default)]
    pub overdue_since: Option<ShiftDay>,
    /// The terms by which this phone destroys.
    #[n(26)]
    #[cbor(default)]
    pub lasting: Option<super::retention::Lasting>,
    /// A day that the keystore had, far from all that was known here, and that somebody said is wrong.
    #[n(27)]
    #[cbor(default)]
    pub dismissed_day: Option<ShiftDay>,
    /// Over which networks the relay is reached: this phone's alone.
    #[n(25)]
    #[cbor(default)]
    pub networks: super::mailbox::NetworkChoice,
    /// The day on which a relay that had lost rows was last filled again.
    #[n(28)]
    #[cbor(default)]
    pub refilled: Option<ShiftDay>,
    /// The day since which the root keeps a reseat key whose paper nobody has confirmed.
    #[n(29)]
    #[cbor(default)]
    pub paper_since: Option<ShiftDay>,
    /// Something was erased: the store key is replaced with the next write that can.
    #[n(9)]
    #[cbor(default)]
    pub is_rekey_due: bool,
}

/// What the relay is known to hold: a value of its own, since it grows and no save should rewrite it.
#[derive(Debug, Clone, Default, Encode, Decode)]
#[cbor(map)]
pub(super) struct RelayProgress {
    /// Row ids known of the cursor's day.
    #[n(0)]
    pub rows: BTreeSet<RowId>,
    /// Operations that the relay is known to hold.
    #[n(1)]
    pub operations: BTreeSet<OperationId>,
    /// Hash of the frontier that the relay holds of this device.
    #[n(2)]
    pub frontier: u64,
    /// Rows on the relay that nobody needs any more: the next deletion batch names them.
    #[n(3)]
    #[cbor(default)]
    pub superseded: BTreeSet<RowName>,
    /// Day at the relay of the last deletion batch that this phone sent.
    #[n(4)]
    #[cbor(default)]
    pub batch_day: Option<satchel_wire::UtcDay>,
    /// Day at the relay up to which waiting batches were looked at.
    #[n(5)]
    #[cbor(default)]
    pub checked_day: Option<satchel_wire::UtcDay>,
}

/// How to reach the relay, and how far it was read.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct RelaySettings {
    #[n(0)]
    pub url: String,
    #[n(1)]
    pub mailbox: MailboxId,
    /// One-time claim secret, until the mailbox is claimed.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub claim: Option<[u8; 16]>,
    /// Generation of the access keys in force there.
    #[n(3)]
    pub generation: u64,
    /// Where the last pull ended.
    #[n(4)]
    pub cursor: Option<satchel_wire::frame::Cursor>,
    /// The newest announcement known to be there.
    #[n(5)]
    pub newest: Option<AnnouncementId>,
    /// The turn whose access keys are in force there.
    #[n(6)]
    pub keys_of: Option<satchel_wire::ids::TurnId>,
    /// Where the last pull of the announce lane alone ended.
    #[n(7)]
    pub announce_cursor: Option<satchel_wire::frame::Cursor>,
    /// Other announcements seen there, one of which may be the newest: rows come in no meaningful order.
    #[n(9)]
    #[cbor(default)]
    pub others: Vec<AnnouncementId>,
    /// SHA-256 of the one public key that it may show.
    #[cbor(n(10), with = "minicbor::bytes")]
    #[cbor(default)]
    pub pin: Option<[u8; 32]>,
}

/// Most announcements of which one is tried as the newest (count).
pub(super) const ANNOUNCED_MAX_COUNT: usize = 8;

impl RelaySettings {
    /// An announcement is there, probably the newest.
    pub(super) fn note_announcement(&mut self, id: AnnouncementId) {
        self.others.retain(|other| *other != id);
        if let Some(before) = self.newest.replace(id).filter(|before| *before != id) {
            self.others.insert(0, before);
        }
        self.others.truncate(ANNOUNCED_MAX_COUNT);
    }

    /// The relay says that it was not: another one is taken for it, until all had their turn.
    pub(super) fn try_another_newest(&mut self) {
        self.others.extend(self.newest.take());
        if !self.others.is_empty() {
            self.newest = Some(self.others.remove(0));
        }
    }
}

/// Everything behind an unlocked handle.
pub(super) struct Vault {
    pub env: Env,
    pub store_id: [u8; 16],
    store_key: StoreKey,
    pub values: RootKey,
    pub root: Root,
    root_changed: bool,
    pub index: Index,
    /// Log, turns, frontiers, receiving keys: everything that says who may read what.
    pub keyring: Keyring,
    keyring_state_before: KeyringState,
    ledger: Option<Ledger>,
    pub state: LocalState,
    state_before: Vec<u8>,
    progress: RelayProgress,
    progress_changed: bool,
    /// Wire pages.
    pub directory: super::pages::Directory,
    pub tally: TallyCounter,
    tally_changed: bool,
    /// Random per unlock: enters every actor and every body.
    pub session: [u8; 8],
    pub signer: SigningKey,
    pub device: DeviceId,
    changes: Vec<Change>,
    /// Who said yes, and whose file was taken back; none until it was asked for, and after each grant or withdrawal.
    pub withdrawn: Option<super::consent::Answers>,
    /// The slot file still holds the slot of a store key that was replaced.
    pub has_other_slots: bool,
    /// Bodies beyond a cut that a standing member built on.
    pub depended_on: BTreeSet<BodyId>,
    /// How much is held, once something had to be.
    pub held_room: Option<super::accept::HeldRoom>,
    /// Something held was dropped because its time was over: the key under which it lay goes with this transaction.
    pub is_held_key_due: bool,
    /// The catalogue in use, once somebody asked for it.
    pub catalogue: Option<(super::CatalogueInfo, std::sync::Arc<crate::catalogue::Catalogue>)>,
    /// Tombstones in force, and what was dropped because of them.
    pub erasing: Erasing,
    /// The highest day that the keystore knew at unlocking.
    pub recalled_day: Option<ShiftDay>,
    /// The same where it was too far from all that was known here to be believed.
    pub suspected_day: Option<ShiftDay>,
    /// Marks of the secrets in the stored root.
    stored_secrets: BTreeSet<[u8; 16]>,
    /// Complaints on their way.
    pub traffic: super::complaints::Traffic,
    /// When whom was met since unlocking: nothing finer than a day goes to disk.
    pub met: super::mailbox::Met,
    /// What is being taken in was handed out by a relay.
    pub is_from_relay: bool,
    /// The inbox's credential as it was last stored.
    pub inbox_before: Option<super::mailbox::InboxCredential>,
    /// What the last unlocking found in the inbox.
    pub inbox_report: super::mailbox::InboxReport,
}

impl Vault {
    /// Reads what unlocking needs: root, log, turns and small state. Pages and ledger are read when asked for.
    pub(super) fn open(env: &Env, reader: &Reader<'_>, store_id: [u8; 16], store_key: StoreKey) -> Result<Self, Error> {
        let sealed = reader.meta(root::ROOT)?.ok_or(Error::Damaged)?;
        let mut root = Root::open(&store_id, &store_key, &sealed)?;
        let values = root.values_key();
        let mut operations = Vec::new();
        reader.for_each_operation::<Error>(|id, sealed| {
            let bytes = open_value(&values, OPERATION, id.as_bytes(), sealed)?;
            operations.push(KeptOperation::from_bytes(&bytes).map_err(|_| Error::Damaged)?);
            Ok(())
        })?;
        let keyring_state: KeyringState = read_value(reader, &values, KEYRING)?.unwrap_or_default();
        let held_operations: Vec<minicbor::bytes::ByteVec> = read_value(reader, &values, HELD_OPERATIONS)?.unwrap_or_default();
        let parts = KeyringParts {
            kept_operations: operations,
            operations: Vec::new(),
            kept: read_value(reader, &values, TURNS)?.unwrap_or_default(),
            turns: Vec::new(),
            secrets: std::mem::take(&mut root.keys),
            frontiers: read_value(reader, &values, FRONTIERS)?.unwrap_or_default(),
            state: keyring_state.clone(),
            held_operations: held_operations.into_iter().map(Into::into).collect(),
        };
        let stored_secrets = marks(&parts.secrets);
        let erasing = Erasing::new(read_value(reader, &values, ERASURES)?.unwrap_or_default());
        let keyring = Keyring::open(env, root.team, root.signer(), parts).map_err(|_| Error::Damaged)?;
        let state: LocalState = read_value(reader, &values, STATE)?.unwrap_or_default();
        let tally = read_value(reader, &values, TALLY)?.unwrap_or_default();
        let progress = read_value(reader, &values, PROGRESS)?.unwrap_or_default();
        let signer = root.signer();
        let device = signer.verifying_key().device_id();
        let session = env.random();
        let state_before = cbor::encode(&state);
        Ok(Self {
            env: env.clone(),
            store_id,
            store_key,
            values,
            root,
            root_changed: false,
            index: Index::default(),
            keyring,
            keyring_state_before: keyring_state,
            ledger: None,
            state,
            state_before,
            progress,
            progress_changed: false,
            directory: super::pages::Directory::default(),
            tally,
            tally_changed: false,
            session,
            signer,
            device,
            changes: Vec::new(),
            withdrawn: None,
            has_other_slots: false,
            depended_on: BTreeSet::new(),
            held_room: None,
            is_held_key_due: false,
            catalogue: None,
            erasing,
            recalled_day: None,
            suspected_day: None,
            stored_secrets,
            traffic: super::complaints::Traffic::default(),
            met: super::mailbox::Met::default(),
            is_from_relay: false,
            inbox_before: None,
            inbox_report: super::mailbox::InboxReport::default(),
        })
    }

    /// Forgets everything in memory that a failed transaction may have changed, and reads it again. The session stays.
    pub(super) fn reopen(&mut self, reader: &Reader<'_>) -> Result<(), Error> {
        let (session, recalled, suspected) = (self.session, self.recalled_day, self.suspected_day);
        *self = Self::open(&self.env.clone(), reader, self.store_id, self.store_key.duplicate())?;
        // a fresh session would be as good; keeping it keeps chains of one unlock together
        self.session = session;
        self.recalled_day = recalled;
        self.suspected_day = suspected;
        self.state.day_seen = self.state.day_seen.max(recalled);
        Ok(())
    }

    /// Applies what the log says is erased. Comes before the store key is replaced: whatever left the root since it was
    /// stored, a page key, a turn, a receiving key, lies in older roots and goes with the key that sealed them.
    pub(super) fn settle(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        self.apply_tombstones(tx)?;
        if self.directory.has_let_go_of_keys() || self.is_held_key_due {
            self.replace_held_key(tx)?;
        }
        if !self.stored_secrets.is_subset(&marks(&self.keyring.secrets())) {
            self.require_new_store_key();
        }
        Ok(())
    }

    /// Stores everything that changed. The last step of every transaction.
    pub(super) fn save(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        if let Some(ledger) = &mut self.ledger {
            ledger.save(&self.env, tx, &self.values)?;
        }
        let keyring = self.keyring.take_changes();
        for operation in &keyring.operations {
            self.put_operation(tx, &operation.id())?;
        }
        if keyring.turns {
            self.put_value(tx, TURNS, &cbor::encode(&self.keyring.book.to_keep()))?;
        }
        if keyring.held_operations {
            let held: Vec<minicbor::bytes::ByteVec> = self.keyring.held_operations().into_iter().map(Into::into).collect();
            self.put_value(tx, HELD_OPERATIONS, &cbor::encode(&held))?;
        }
        if keyring.frontiers {
            self.put_value(tx, FRONTIERS, &cbor::encode(&self.keyring.frontiers))?;
        }
        if self.keyring_state_before != *self.keyring.state() {
            self.keyring_state_before = self.keyring.state().clone();
            self.put_value(tx, KEYRING, &cbor::encode(&self.keyring_state_before))?;
        }
        self.root_changed |= keyring.secrets;
        if std::mem::take(&mut self.tally_changed) {
            let plain = zeroize::Zeroizing::new(cbor::encode(&self.tally));
            self.put_value(tx, TALLY, &plain)?;
        }
        self.save_directory(tx)?;
        if std::mem::take(&mut self.progress_changed) {
            self.put_value(tx, PROGRESS, &cbor::encode(&self.progress))?;
        }
        let state = cbor::encode(&self.state);
        if state != self.state_before {
            self.put_value(tx, STATE, &state)?;
            self.state_before = state;
        }
        if std::mem::take(&mut self.erasing.changed) {
            self.put_extra(tx, ERASURES, &self.erasing.stored)?;
        }
        self.save_inbox(tx)?;
        if std::mem::take(&mut self.root_changed) {
            self.root.keys = self.keyring.secrets();
            self.stored_secrets = marks(&self.root.keys);
            let sealed = self.root.seal(&self.env, &self.store_id, &self.store_key);
            self.root.keys = KeyringSecrets::default();
            tx.put_meta(root::ROOT, &sealed?)?;
        }
        Ok(())
    }

    fn put_value(&self, tx: &Transaction<'_>, name: &'static str, plain: &[u8]) -> Result<(), Error> {
        Ok(tx.put_meta(name, &seal_value(&self.env, &self.values, name, &[], plain)?)?)
    }

    /// Stores a small value under a name of its own.
    pub(super) fn put_extra<T: Encode<()>>(&self, tx: &Transaction<'_>, name: &'static str, value: &T) -> Result<(), Error> {
        self.put_value(tx, name, &zeroize::Zeroizing::new(cbor::encode(value)))
    }
    /// Reads a small value of its own.
    pub(super) fn extra<T: Encode<()> + for<'b> Decode<'b, ()>>(
        &self,
        reader: &Reader<'_>,
        name: &'static str,
    ) -> Result<Option<T>, Error> {
        read_value(reader, &self.values, name)
    }

    /// Stores a value that holds keys of records: under the key that every erasure replaces, so that no old copy of the
    /// file opens it.
    pub(super) fn put_held_value<T: Encode<()>>(&self, tx: &Transaction<'_>, name: &'static str, value: &T) -> Result<(), Error> {
        let plain = zeroize::Zeroizing::new(cbor::encode(value));
        Ok(tx.put_meta(name, &seal_value(&self.env, &self.root.held_key(), name, &[], &plain)?)?)
    }
    /// Reads one.
    pub(super) fn held_value<T: Encode<()> + for<'b> Decode<'b, ()>>(
        &self,
        reader: &Reader<'_>,
        name: &'static str,
    ) -> Result<Option<T>, Error> {
        read_value(reader, &self.root.held_key(), name)
    }

    /// Stores an operation that the log accepted.
    fn put_operation(&self, tx: &Transaction<'_>, id: &OperationId) -> Result<(), Error> {
        let kept = self.keyring.log.to_keep(id).ok_or(Error::Damaged)?;
        let sealed = seal_value(&self.env, &self.values, OPERATION, id.as_bytes(), &kept.to_bytes())?;
        tx.put_operation(id, &sealed)?;
        Ok(())
    }

    /// The ledger, read on first use.
    pub(super) fn ledger(&mut self, reader: &Reader<'_>) -> Result<&mut Ledger, Error> {
        if self.ledger.is_none() {
            self.ledger = Some(Ledger::load(reader, &self.values)?);
        }
        self.ledger.as_mut().ok_or(Error::Damaged)
    }

    /// Something was erased: the transaction in hand replaces the store key before it ends, or leaves that due.
    pub(super) const fn require_new_store_key(&mut self) {
        self.state.is_rekey_due = true;
    }
    /// Whether nothing on this medium opens what was destroyed: T5 promises to colleagues what an old copy of the files does
    /// not take back. A keystore that refuses to make or to destroy a key leaves the old one in force.
    pub(super) fn has_destroyed_old_keys(&self) -> bool {
        !(self.state.is_rekey_due || self.has_other_slots) || !self.env.holds(Rule::ReplaceStoreKey)
    }
    /// Puts another store key in place; the root is sealed under it when this transaction is saved. Returns the old one.
    pub(super) const fn replace_store_key(&mut self, key: StoreKey) -> StoreKey {
        self.root_changed = true;
        std::mem::replace(&mut self.store_key, key)
    }
    /// The store key, for the test that plays the thief.
    #[cfg(feature = "adversary")]
    pub(super) const fn dangerous_store_key(&self) -> &StoreKey {
        &self.store_key
    }
    /// What the relay is known to hold.
    pub(super) const fn progress(&self) -> &RelayProgress {
        &self.progress
    }
    /// What the relay is known to hold, to be changed.
    pub(super) const fn progress_mut(&mut self) -> &mut RelayProgress {
        self.progress_changed = true;
        &mut self.progress
    }
    pub(super) const fn touch_root(&mut self) {
        self.root_changed = true;
    }
    /// The tally counter, to be changed.
    pub(super) const fn tally_mut(&mut self) -> &mut TallyCounter {
        self.tally_changed = true;
        &mut self.tally
    }

    /// Stores an item that is new or has changed, and tells observers.
    pub(super) fn save_item(&mut self, tx: &Transaction<'_>, item: Item) -> Result<(), Error> {
        let (record, kind, subject) = (item.record, item.kind, item.subject);
        let today = item.day;
        self.root_changed |= self.index.save(&self.env, tx, &self.store_id, &mut self.root, item, today)?;
        self.note_change(kind, record, subject);
        Ok(())
    }

    /// Makes the next unlock read pages without tails.
    pub(super) fn fold_tails(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        self.root_changed |= self.index.fold_tails(&self.env, tx, &self.store_id, &mut self.root)?;
        Ok(())
    }

    /// Something of a record changed, or it is gone.
    pub(super) fn note_change(&mut self, kind: Kind, record: RecordId, subject: Option<RecordId>) {
        self.changes.push(Change { kind, record, subject });
        if matches!(kind, Kind::Grant | Kind::Withdrawal) {
            self.withdrawn = None;
        }
        if kind == Kind::Catalogue {
            self.catalogue = None;
        }
    }

    pub(super) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// The item of a place, read if need be.
    pub(super) fn item(&mut self, reader: &Reader<'_>, place: &Place) -> Result<Option<Item>, Error> {
        self.index.load_place(reader, &self.store_id, &self.root, place)?;
        Ok(self.index.item(place).cloned())
    }

    /// All items of a kind.
    pub(super) fn items(&mut self, reader: &Reader<'_>, kind: Kind) -> Result<Vec<Item>, Error> {
        self.index.load_kind(reader, &self.store_id, &self.root, kind)?;
        Ok(self.index.of_kind(kind).cloned().collect())
    }

    /// All items of a kind where they lie: lists need no copy of the keys.
    pub(super) fn listed(&mut self, reader: &Reader<'_>, kind: Kind) -> Result<impl Iterator<Item = &Item>, Error> {
        self.index.load_kind(reader, &self.store_id, &self.root, kind)?;
        Ok(self.index.of_kind(kind))
    }

    /// Reads what lists of a kind show, and by which terms.
    pub(super) fn load_shown(&mut self, reader: &Reader<'_>, kind: Kind) -> Result<Terms, Error> {
        self.index.load_kind(reader, &self.store_id, &self.root, kind)?;
        self.index.load_kind(reader, &self.store_id, &self.root, Kind::Participant)?;
        self.note_withdrawn(reader)?;
        self.latest_terms()
    }

    /// The items of a kind that are not over, where they lie: lists need no copy of the keys.
    pub(super) fn shown(&self, kind: Kind, terms: Terms) -> impl Iterator<Item = &Item> {
        self.index.of_kind(kind).filter(move |item| !self.is_hidden(item, &terms))
    }

    /// The record of an id and kind, unless it is over. Errors: [`Error::NoSuchRecord`].
    pub(super) fn find_shown(&mut self, reader: &Reader<'_>, record: RecordId, kind: Kind) -> Result<(Item, Terms), Error> {
        let item = self.find(reader, record, kind)?;
        if let Some(subject) = item.subject {
            self.item(reader, &place_of(subject, Kind::Participant, Some(subject)))?;
            self.note_withdrawn(reader)?;
        }
        let terms = self.latest_terms()?;
        if self.is_hidden(&item, &terms) { Err(Error::NoSuchRecord) } else { Ok((item, terms)) }
    }

    /// The record of an id and kind, whatever its subject; of several, the one in the smallest place.
    pub(super) fn find(&mut self, reader: &Reader<'_>, record: RecordId, kind: Kind) -> Result<Item, Error> {
        // the two places that a well-behaved record can be in without a look at the whole kind
        for subject in [None, Some(record)] {
            if let Some(item) = self.item(reader, &place_of(record, kind, subject))? {
                return Ok(item);
            }
        }
        self.index.load_kind(reader, &self.store_id, &self.root, kind)?;
        self.index.of_kind(kind).filter(|item| item.record == record).min_by_key(|item| item.place()).cloned().ok_or(Error::NoSuchRecord)
    }

    /// A fresh key for a record; one that masks where something in it is forgotten before the record.
    pub(super) fn make_key(&self, masks: bool) -> ItemKey {
        let make = if masks { ItemKey::make_with_field } else { ItemKey::make };
        make(&self.env, self.ban_mark(), self.device)
    }
    /// The membership bans known: a key made under others seals nothing new.
    pub(super) fn ban_mark(&self) -> BanMark {
        BanMark::of(self.keyring.log.state())
    }

    /// The charter in force.
    pub(super) fn charter(&self) -> Result<&Charter, Error> {
        self.keyring.log.state().charter.as_ref().ok_or(Error::Damaged)
    }
    /// The team.
    pub(super) const fn team(&self) -> TeamId {
        self.root.team
    }
    /// This device's role. Errors: [`Error::Removed`].
    pub(super) fn role(&self) -> Result<Role, Error> {
        self.keyring.log.state().device_role(self.device).ok_or(Error::Removed)
    }
    /// Errors unless this device may write records.
    pub(super) fn require_writer(&self) -> Result<(), Error> {
        if self.role()?.reads_records() { Ok(()) } else { Err(Error::Role) }
    }

    /// A device's newest frontier, decoded.
    pub(super) fn frontier_of(&self, device: &DeviceId) -> Option<Frontier> {
        self.keyring.frontier_of(device)
    }
}

/// What tells whether a secret that was stored is gone.
fn marks(secrets: &KeyringSecrets) -> BTreeSet<[u8; 16]> {
    let turns = secrets.turns.iter().map(|turn| turn.secret.expose());
    let all = secrets.receiving.iter().map(root::Seed::expose).chain(turns);
    all.map(|secret| crypto::derive_id(labels::SECRET_MARK, &[secret])).collect()
}

fn read_value<T: Encode<()> + for<'b> Decode<'b, ()>>(reader: &Reader<'_>, key: &RootKey, name: &'static str) -> Result<Option<T>, Error> {
    let Some(sealed) = reader.meta(name)? else { return Ok(None) };
    let plain = open_value(key, name, &[], &sealed)?;
    cbor::decode(&plain).map(Some).map_err(|_| Error::Damaged)
}
