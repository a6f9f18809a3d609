//! The board's side: its keys, its book of complaints, its bulletins.
//!
//! The board's keys lie in the root of every board phone. Whoever holds them boxes them to the receiving key of each
//! other board phone, through the relay, whenever that key changed; a phone takes them only if they are the charter's.
//! Each bulletin may bring a new key for complaints; an old one is destroyed once nothing sealed to it can arrive any
//! more. The book is sealed under the key that every erasure replaces.

use super::Unlocked;
use super::complaints::{board_words, mark};
use super::root::Seed;
use super::vault::Vault;
use crate::complaint::limits::{ANSWER_MAX_BYTES, BULLETIN_RECEIPTS_MAX_COUNT, BULLETIN_TERM_MAX_DAYS};
use crate::complaint::{self, Bulletin, BulletinDraft, BulletinLine, Category, Complaint, ComplaintError, Count, Progress, ReceiptHash};
use crate::crypto::{self, Aad, ReceivingKey, SigningKey, labels};
use crate::error::Error;
use crate::storage::{Reader, Transaction};
use crate::team::Role;
use crate::team::notice::{BoardBox, Notice};
use crate::team::operation::Action;
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::ids::DeviceId;
use satchel_wire::row::Row;
use std::collections::BTreeMap;
use zeroize::{Zeroize, Zeroizing};

const BOOK: &str = "board book";
const SHARES: &str = "board shares";
/// A key for complaints is replaced with the next bulletin once it is so old (days).
const KEY_TERM_DAYS: u16 = 7;
/// A replaced key is destroyed after this (days): longer than any phone keeps a box.
const KEY_KEPT_DAYS: u16 = 75;
/// Most keys for complaints at once (count): one a week for as long as a replaced one is kept.
const KEYS_MAX_COUNT: usize = 16;
/// Most complaints in the book (count).
const BOOK_MAX_COUNT: usize = 800;
/// Most boxes that are remembered as read (count).
const SEEN_MAX_COUNT: usize = 4_096;
/// A closed complaint stays in bulletins for so long (days).
const CLOSED_KEPT_DAYS: u16 = 90;

/// What only board phones hold.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
pub(super) struct BoardSecrets {
    #[n(0)]
    signing: Seed,
    #[n(1)]
    keys: Vec<BoardSeed>,
}

#[derive(Debug, Clone, Encode, Decode)]
struct BoardSeed {
    #[n(0)]
    seed: Seed,
    #[n(1)]
    since: ShiftDay,
    /// The day on which a bulletin replaced it.
    #[n(2)]
    until: Option<ShiftDay>,
}

impl BoardSeed {
    fn key(&self) -> ReceivingKey {
        ReceivingKey::from_seed(self.seed.expose())
    }
}

impl BoardSecrets {
    /// Every seed, for the test that plays the thief.
    #[cfg(feature = "adversary")]
    pub(super) fn dangerous_seeds(&self) -> ([u8; 32], Vec<[u8; 32]>) {
        (*self.signing.expose(), self.keys.iter().map(|key| *key.seed.expose()).collect())
    }
    fn signer(&self) -> SigningKey {
        SigningKey::from_seed(self.signing.expose())
    }
}

#[derive(Debug, Clone, Default, Encode, Decode)]
#[cbor(map)]
struct Book {
    #[n(0)]
    items: Vec<BookItem>,
    #[n(1)]
    seen: Vec<ByteArray<8>>,
    /// Complaints that found no room.
    #[n(2)]
    turned_away: u32,
}

#[derive(Clone, Encode, Decode)]
#[cbor(map)]
struct BookItem {
    #[n(0)]
    receipt: ReceiptHash,
    #[n(1)]
    arrived: ShiftDay,
    #[n(2)]
    category: Category,
    #[n(3)]
    text: String,
    #[n(4)]
    reply: Option<String>,
    #[n(5)]
    progress: Progress,
    #[n(6)]
    answer: Option<String>,
    #[n(7)]
    closed: Option<ShiftDay>,
}

impl std::fmt::Debug for BookItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BookItem(..)")
    }
}

impl Drop for BookItem {
    fn drop(&mut self) {
        self.text.zeroize();
        self.reply.zeroize();
    }
}

/// The public halves that a steward enters into the charter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardKeys {
    /// The first key for complaints (X-Wing, 1,216 bytes).
    pub receiving: Vec<u8>,
    /// The key that signs bulletins (Ed25519).
    pub signing: [u8; 32],
}

impl BoardKeys {
    /// The words that the board shows at its own channel.
    pub fn words(&self) -> [&'static str; 6] {
        board_words(&self.signing)
    }
}

/// One complaint in the board's book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookLine {
    /// How the book calls it.
    pub id: [u8; 5],
    /// The day on which it reached this phone, not the one on which it was written.
    pub arrived: ShiftDay,
    /// What it is about.
    pub category: Category,
    /// How far the board is.
    pub progress: Progress,
    /// Whether its author left an address.
    pub has_reply: bool,
}

impl Vault {
    fn book(&self, reader: &Reader<'_>) -> Result<Book, Error> {
        Ok(self.held_value(reader, BOOK)?.unwrap_or_default())
    }

    /// Seals the book under the key that replaced the one it lay under.
    pub(super) fn book_before_rekey(&self, reader: &Reader<'_>) -> Result<Option<impl Encode<()> + use<>>, Error> {
        self.held_value::<Book>(reader, BOOK)
    }

    pub(super) fn put_book_again(&self, tx: &Transaction<'_>, book: Option<impl Encode<()>>) -> Result<(), Error> {
        book.map_or(Ok(()), |book| self.put_held_value(tx, BOOK, &book))
    }

    fn secrets_of_board(&self) -> Result<&BoardSecrets, Error> {
        if self.role()? != Role::Board {
            return Err(Error::Role);
        }
        self.root.board.as_ref().ok_or_else(|| ComplaintError::NoKeys.into())
    }

    fn set_up_board(&mut self, anew: bool) -> Result<BoardKeys, Error> {
        if self.role()? != Role::Board {
            return Err(Error::Role);
        }
        if self.root.board.is_some() && !anew {
            return Err(ComplaintError::SetUp.into());
        }
        let today = self.key_day()?;
        let mut keys = self.root.board.take().map_or_else(Vec::new, |before| before.keys);
        for key in &mut keys {
            key.until.get_or_insert(today);
        }
        keys.push(BoardSeed { seed: Seed::make(&self.env), since: today, until: None });
        keys.drain(..keys.len().saturating_sub(KEYS_MAX_COUNT));
        let secrets = BoardSecrets { signing: Seed::make(&self.env), keys };
        let public = public_of(&secrets)?;
        self.root.board = Some(secrets);
        self.touch_root();
        if anew {
            self.require_new_store_key();
        }
        Ok(public)
    }

    /// Tries the board's keys on a box. What none opens is not for this board, or was altered.
    pub(super) fn open_complaint(&mut self, tx: &Transaction<'_>, bytes: &[u8]) -> Result<(), Error> {
        let Ok(secrets) = self.secrets_of_board() else { return Ok(()) };
        let team = self.team();
        let opened = secrets.keys.iter().rev().find_map(|seed| complaint::open(&seed.key(), team, bytes));
        let Some(Some(complaint)) = opened else { return Ok(()) };
        let today = self.key_day()?;
        let mut book = self.book(tx)?;
        let this = mark(bytes);
        // a box that a member covered again, or a second one with the receipt of the first
        if book.seen.iter().any(|seen| **seen == this) || book.items.iter().any(|item| item.receipt == complaint.receipt) {
            return Ok(());
        }
        enter(&mut book, &complaint, today);
        book.seen.push(this.into());
        let over = book.seen.len().saturating_sub(SEEN_MAX_COUNT);
        book.seen.drain(..over);
        self.put_held_value(tx, BOOK, &book)
    }

    fn find_in_book(book: &mut Book, id: [u8; 5]) -> Result<&mut BookItem, Error> {
        book.items.iter_mut().find(|item| item.receipt.short() == id).ok_or_else(|| ComplaintError::Unknown.into())
    }

    /// What other board phones did, by their bulletins.
    fn learn_progress(&self, book: &mut Book) {
        let bulletins = self.bulletins();
        for item in &mut book.items {
            for bulletin in &bulletins {
                item.progress = item.progress.max(bulletin.progress_of(&item.receipt).unwrap_or(Progress::Received));
                if item.answer.is_none() {
                    item.answer = bulletin.answer_to(&item.receipt);
                }
            }
        }
    }

    fn publish_bulletin(&mut self, tx: &Transaction<'_>, due_days: u16) -> Result<Bulletin, Error> {
        let today = self.today()?;
        let signing = *self.secrets_of_board()?.signer().verifying_key().as_bytes();
        if self.charter()?.board_signing != Some(signing) {
            return Err(ComplaintError::NotInCharter.into());
        }
        let previous = self.bulletins().pop();
        self.turn_keys(today, previous.is_some())?;
        let mut book = self.book(tx)?;
        self.learn_progress(&mut book);
        book.items.retain(|item| item.closed.is_none_or(|closed| closed.plus(CLOSED_KEPT_DAYS) >= today));
        let secrets = self.secrets_of_board()?;
        let receiving = newest(secrets)?.key().public_key().map_err(|_| ComplaintError::Seal)?;
        let lines = book.items.iter().rev().take(BULLETIN_RECEIPTS_MAX_COUNT);
        let lines = lines.map(|item| BulletinLine { receipt: item.receipt, progress: item.progress, answer: item.answer.as_deref() });
        let draft = BulletinDraft {
            team: self.team(),
            number: previous.as_ref().map_or(1, |before| before.number() + 1),
            day: today,
            due: today.plus(due_days.clamp(1, BULLETIN_TERM_MAX_DAYS)),
            previous: previous.as_ref().map_or([0; 32], Bulletin::id),
            receiving: &receiving,
            lines: lines.collect(),
        };
        let bulletin = Bulletin::write(&self.env, &secrets.signer(), &draft)?;
        self.put_held_value(tx, BOOK, &book)?;
        self.decide(tx, Action::Bulletin { bytes: bulletin.as_bytes().to_vec() })?;
        Ok(bulletin)
    }

    /// Brings in a new key once the last one is old, and destroys those to which nothing can arrive any more.
    fn turn_keys(&mut self, today: ShiftDay, has_published: bool) -> Result<(), Error> {
        let fresh = Seed::make(&self.env);
        let secrets = self.root.board.as_mut().ok_or(ComplaintError::NoKeys)?;
        let is_old = secrets.keys.iter().filter(|key| key.until.is_none()).all(|key| key.since.plus(KEY_TERM_DAYS) <= today);
        if is_old && has_published {
            for key in &mut secrets.keys {
                key.until.get_or_insert(today);
            }
            secrets.keys.push(BoardSeed { seed: fresh, since: today, until: None });
        }
        let before = secrets.keys.len();
        secrets.keys.retain(|key| key.until.is_none_or(|until| until.plus(KEY_KEPT_DAYS) >= today));
        let over = secrets.keys.len().saturating_sub(KEYS_MAX_COUNT);
        secrets.keys.drain(..over);
        let is_destroyed = secrets.keys.len() < before;
        self.touch_root();
        if is_destroyed {
            // the copies of the root that still hold it go with the key that sealed them
            self.require_new_store_key();
        }
        Ok(())
    }

    /// Rows that bring the board's keys to other board phones whose receiving key is new since the last time.
    pub(super) fn board_shares(&mut self, tx: &Transaction<'_>) -> Result<Vec<Row>, Error> {
        self.traffic.shares.clear();
        let (Ok(secrets), Some(commons)) = (self.secrets_of_board(), self.keyring.notice_secret()) else { return Ok(Vec::new()) };
        let plain = Zeroizing::new(cbor::encode(secrets));
        let sent: BTreeMap<DeviceId, ByteArray<16>> = self.extra(tx, SHARES)?.unwrap_or_default();
        let boards = self.keyring.log.state().active().filter(|(id, _, role)| *role == Role::Board && *id != self.device);
        let boards: Vec<DeviceId> = boards.map(|(id, ..)| id).collect();
        let mut rows = Vec::new();
        for device in boards {
            let Some(key) = self.keyring.receiving_key_of(&device) else { continue };
            let state = crypto::derive_id(labels::BOX_BOARD, &[key.as_bytes(), &plain]);
            if sent.get(&device).is_some_and(|before| **before == state) {
                continue;
            }
            let sealed = crypto::seal_box(&self.env, &key, &share_aad(self, &device), &plain).map_err(|_| ComplaintError::Seal)?;
            let notice = Notice { board: Some(BoardBox { device, sealed }), ..Notice::default() };
            let row = notice.seal(&self.env, self.team(), &commons).map_err(|_| Error::TooMany)?;
            self.traffic.shares.push((row.id(), device, state));
            rows.push(row);
        }
        Ok(rows)
    }

    pub(super) fn board_shares_pushed(&mut self, tx: &Transaction<'_>, rows: &[Row]) -> Result<(), Error> {
        let shares = std::mem::take(&mut self.traffic.shares);
        let shares: Vec<_> = shares.into_iter().filter(|(id, ..)| rows.iter().any(|row| row.id() == *id)).collect();
        if shares.is_empty() {
            return Ok(());
        }
        let mut sent: BTreeMap<DeviceId, ByteArray<16>> = self.extra(tx, SHARES)?.unwrap_or_default();
        sent.extend(shares.into_iter().map(|(_, device, state)| (device, state.into())));
        self.put_extra(tx, SHARES, &sent)
    }

    /// Takes the board's keys if they are the charter's: nobody else can make such a box.
    pub(super) fn take_board_box(&mut self, board: &BoardBox) -> Result<(), Error> {
        if board.device != self.device || self.role()? != Role::Board {
            return Ok(());
        }
        let aad = share_aad(self, &self.device);
        let keys = self.keyring.secrets().receiving_keys();
        let Some(plain) = keys.iter().find_map(|key| crypto::open_box(key, &aad, &board.sealed).ok()) else { return Ok(()) };
        let Ok(theirs) = cbor::decode::<BoardSecrets>(&plain) else { return Ok(()) };
        if self.charter()?.board_signing != Some(*theirs.signer().verifying_key().as_bytes()) || theirs.keys.len() > KEYS_MAX_COUNT {
            return Ok(());
        }
        let mut keys = self.root.board.take().map_or_else(Vec::new, |mine| mine.keys);
        for key in theirs.keys {
            match keys.iter_mut().find(|mine| mine.seed == key.seed) {
                Some(mine) => mine.until = mine.until.or(key.until),
                None => keys.push(key),
            }
        }
        keys.sort_by_key(|key| key.since);
        keys.drain(..keys.len().saturating_sub(KEYS_MAX_COUNT));
        self.root.board = Some(BoardSecrets { signing: theirs.signing, keys });
        self.touch_root();
        Ok(())
    }
}

fn share_aad(vault: &Vault, device: &DeviceId) -> Aad {
    Aad::new(labels::BOX_BOARD).add(vault.team().as_bytes()).add(device.as_bytes())
}

/// The key that the next bulletin names.
fn newest(secrets: &BoardSecrets) -> Result<&BoardSeed, Error> {
    secrets.keys.iter().rev().find(|key| key.until.is_none()).ok_or_else(|| ComplaintError::NoKeys.into())
}

fn public_of(secrets: &BoardSecrets) -> Result<BoardKeys, Error> {
    let receiving = newest(secrets)?.key().public_key().map_err(|_| ComplaintError::Seal)?;
    Ok(BoardKeys { receiving: receiving.as_bytes().to_vec(), signing: *secrets.signer().verifying_key().as_bytes() })
}

/// Enters a complaint; a full book lets its oldest closed one go, and turns the newcomer away if there is none.
fn enter(book: &mut Book, complaint: &Complaint, today: ShiftDay) {
    if book.items.len() >= BOOK_MAX_COUNT {
        match book.items.iter().position(|item| item.progress == Progress::Closed) {
            Some(at) => drop(book.items.remove(at)),
            None => {
                book.turned_away = book.turned_away.saturating_add(1);
                return;
            }
        }
    }
    book.items.push(BookItem {
        receipt: complaint.receipt,
        arrived: today,
        category: complaint.category,
        text: complaint.text.clone(),
        reply: complaint.reply.clone(),
        progress: Progress::Received,
        answer: None,
        closed: None,
    });
}

impl Unlocked {
    /// Makes the board's keys on a board phone. A steward enters their public halves into the charter, then the board
    /// publishes its first bulletin: from then on complaints are offered. `anew` replaces keys that a phone which no longer
    /// belongs to the board may hold; complaints sealed to earlier ones are still read.
    ///
    /// Errors: [`Error::Role`], [`ComplaintError::SetUp`].
    pub fn board_set_up(&self, anew: bool) -> Result<BoardKeys, Error> {
        self.write(|vault, _| vault.set_up_board(anew))
    }

    /// The public halves of the keys here. Errors: [`Error::Role`], [`ComplaintError::NoKeys`].
    pub fn board_keys(&self) -> Result<BoardKeys, Error> {
        self.read(|vault, _| public_of(vault.secrets_of_board()?))
    }

    /// How many keys for complaints are here (count). Errors: as [`Self::board_keys`].
    pub fn board_key_count(&self) -> Result<usize, Error> {
        self.read(|vault, _| Ok(vault.secrets_of_board()?.keys.len()))
    }

    /// The board's book, oldest first, and how many complaints found no room in it (count). Errors: as [`Self::board_keys`].
    pub fn board_book(&self) -> Result<(Vec<BookLine>, u32), Error> {
        self.read(|vault, reader| {
            vault.secrets_of_board()?;
            let mut book = vault.book(reader)?;
            vault.learn_progress(&mut book);
            let line = |item: &BookItem| BookLine {
                id: item.receipt.short(),
                arrived: item.arrived,
                category: item.category,
                progress: item.progress,
                has_reply: item.reply.is_some(),
            };
            Ok((book.items.iter().map(line).collect(), book.turned_away))
        })
    }

    /// Reads one complaint, and notes that the board has. Errors: [`ComplaintError::Unknown`], [`ComplaintError::Closed`].
    pub fn board_read(&self, id: [u8; 5]) -> Result<Complaint, Error> {
        self.write(|vault, tx| {
            vault.secrets_of_board()?;
            let mut book = vault.book(tx)?;
            let item = Vault::find_in_book(&mut book, id)?;
            if item.progress == Progress::Closed {
                return Err(ComplaintError::Closed.into());
            }
            item.progress = item.progress.max(Progress::Read);
            let complaint =
                Complaint { category: item.category, text: item.text.clone(), reply: item.reply.clone(), receipt: item.receipt };
            vault.put_held_value(tx, BOOK, &book)?;
            Ok(complaint)
        })
    }

    /// Sets what the next bulletins say to whoever holds the code of this complaint; at most 500 bytes, sealed to the code.
    ///
    /// Errors: [`ComplaintError::TooLong`], [`ComplaintError::Empty`], [`ComplaintError::Unknown`], [`ComplaintError::Closed`].
    pub fn board_answer(&self, id: [u8; 5], text: &str) -> Result<(), Error> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ComplaintError::Empty.into());
        }
        if text.len() > ANSWER_MAX_BYTES {
            return Err(ComplaintError::TooLong { limit_bytes: ANSWER_MAX_BYTES }.into());
        }
        self.write(|vault, tx| {
            vault.secrets_of_board()?;
            let mut book = vault.book(tx)?;
            let item = Vault::find_in_book(&mut book, id)?;
            if item.progress == Progress::Closed {
                return Err(ComplaintError::Closed.into());
            }
            item.progress = Progress::Answered;
            item.answer = Some(text.to_owned());
            vault.put_held_value(tx, BOOK, &book)
        })
    }

    /// Finishes with a complaint: its text and address are destroyed on this phone, as finally as its platform deletes keys.
    /// Bulletins show it as closed for 90 days. Errors: [`ComplaintError::Unknown`].
    pub fn board_close(&self, id: [u8; 5]) -> Result<(), Error> {
        self.write(|vault, tx| {
            vault.secrets_of_board()?;
            let today = vault.today()?;
            let mut book = vault.book(tx)?;
            let item = Vault::find_in_book(&mut book, id)?;
            item.text.zeroize();
            item.reply.zeroize();
            item.reply = None;
            item.progress = Progress::Closed;
            item.closed.get_or_insert(today);
            vault.put_held_value(tx, BOOK, &book)?;
            vault.is_held_key_due = true;
            Ok(())
        })
    }

    /// Signs and publishes the next bulletin: into the team log, and as a file for the board's own channel. The next one is
    /// due after `due_days`, 1 to 31.
    ///
    /// Errors: [`ComplaintError::NotInCharter`] until a steward has entered the keys; as [`Self::board_keys`].
    pub fn board_publish(&self, due_days: u16) -> Result<Bulletin, Error> {
        self.write(|vault, tx| vault.publish_bulletin(tx, due_days))
    }

    /// Complaints in the book by category, fit to be handed out: below the charter's threshold nothing is told, nor what
    /// gives it away. Errors: as [`Self::board_keys`].
    pub fn board_counts(&self) -> Result<(Vec<(Category, Count)>, Count), Error> {
        self.read(|vault, reader| {
            vault.secrets_of_board()?;
            let book = vault.book(reader)?;
            Ok(complaint::suppressed(book.items.iter().map(|item| item.category), vault.charter()?.suppression))
        })
    }
}
