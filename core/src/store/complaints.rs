//! Complaints on a phone: sealed at once, waiting among boxes that hold nothing, leaving at a rate that nothing changes.
//!
//! Every phone of a team with a board sends one box of one size each one to three days, drawn anew after each: a
//! complaint if one is drawn from those that wait, else one that holds nothing. What waits here looks the same: boxes that
//! hold nothing join the rest after each sending and once a fortnight, some and without a highest number, whether or not
//! there is a relay. A box says the fortnight in which its time is over and nothing else: not which is which, nor whose it
//! is, nor on which day it was written. What a colleague's phone handed over waits among them.

use super::Unlocked;
use super::vault::Vault;
use crate::complaint::{self, Bulletin, COMPLAINT_BOX_BYTES, ComplaintDraft, ComplaintError, ReceiptCode};
use crate::crypto::{self, ReceivingPublicKey, labels};
use crate::error::Error;
use crate::storage::{Reader, Transaction};
use crate::team::notice::Notice;
use crate::team::operation::Action;
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::ids::RowId;
use satchel_wire::row::Row;

const WAITING: &str = "complaints";
/// Most boxes that wait on a phone, and so most complaints (count): more are refused, by name.
const WAITING_MAX_COUNT: usize = 16;
/// With so many waiting, no box that holds nothing is added: there is room for what somebody writes (count).
const COVERED_MAX_COUNT: usize = 7;
/// With so many waiting, nothing more is taken from colleagues' phones (count).
const CARRIED_MAX_COUNT: usize = 10;
/// Boxes are let go of at the end of a period of this length (days): all that came in one have one day.
const PERIOD_DAYS: u16 = 14;
/// A box that reached neither relay nor board stays for three periods after the one it came in: 42 to 56 days. The board keeps
/// its keys for longer.
const KEPT_PERIODS_COUNT: u16 = 4;
/// Longest wait between two sendings (days).
const DRAWN_MAX_DAYS: u8 = 3;
/// How many sent boxes are remembered, so that none goes round in circles (count).
const SENT_MAX_COUNT: usize = 64;

#[derive(Debug, Clone, Default, Encode, Decode)]
#[cbor(map)]
struct Waiting {
    #[n(0)]
    boxes: Vec<SealedBox>,
    /// The day from which on the next one leaves.
    #[n(1)]
    slot: Option<ShiftDay>,
    #[n(2)]
    sent: Vec<ByteArray<8>>,
    /// The period for which boxes that hold nothing were last added.
    #[n(3)]
    covered: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
struct SealedBox {
    #[n(0)]
    until: ShiftDay,
    #[cbor(n(1), with = "minicbor::bytes")]
    bytes: Vec<u8>,
}

impl SealedBox {
    fn of(bytes: Vec<u8>, today: ShiftDay) -> Self {
        let period = today.days() / PERIOD_DAYS;
        Self { until: ShiftDay::from_days((period + KEPT_PERIODS_COUNT).saturating_mul(PERIOD_DAYS)), bytes }
    }
}

/// What is known of complaints while a store is unlocked, besides what is stored.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    /// The row of this push that carries a complaint, and the mark of its box.
    out: Option<(RowId, [u8; 8])>,
    /// Rows of this push that carry the board's keys to another board phone.
    pub(super) shares: Vec<(RowId, satchel_wire::ids::DeviceId, [u8; 16])>,
    /// What comes in now comes from a colleague's phone and not from the relay.
    pub(super) is_peer: bool,
}

/// The board as this phone knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardStatus {
    /// Six words of the key that signs bulletins: compare them with those that the board itself shows. None: no board yet.
    pub words: Option<[&'static str; 6]>,
    /// Number, day and due day of the newest bulletin.
    pub newest: Option<(u32, ShiftDay, ShiftDay)>,
    /// Whether a complaint can be made: the charter names a board, and it has published a bulletin.
    pub is_offered: bool,
    /// Since when the board's next bulletin has been due, if that day is over.
    pub overdue_since: Option<ShiftDay>,
}

pub(super) fn mark(bytes: &[u8]) -> [u8; 8] {
    let id = crypto::derive_id(labels::COMPLAINT_MARK, &[bytes]);
    [id[0], id[1], id[2], id[3], id[4], id[5], id[6], id[7]]
}

/// Words by which people compare a board's key.
pub fn board_words(signing: &[u8; 32]) -> [&'static str; 6] {
    let bits = crypto::derive_hash(labels::BOARD_WORDS, &[signing]);
    [0, 2, 4, 6, 8, 10].map(|at: usize| crypto::word_at(u16::from_le_bytes([bits[at], bits[at + 1]])))
}

impl Vault {
    /// Every bulletin that the charter's board signed, in order; of two with one number the one with the smaller id counts,
    /// and comes last.
    pub(super) fn bulletins(&self) -> Vec<Bulletin> {
        let board = self.charter().ok().and_then(|charter| charter.board_signing);
        let carried = self.keyring.log.operations().filter_map(|operation| match operation.action() {
            Action::Bulletin { bytes } => Bulletin::from_bytes(bytes).ok(),
            _ => None,
        });
        let mut bulletins: Vec<Bulletin> = carried.filter(|bulletin| Some(*bulletin.board()) == board).collect();
        bulletins.sort_by_cached_key(|bulletin| (bulletin.number(), std::cmp::Reverse(bulletin.id())));
        bulletins.dedup();
        bulletins
    }

    /// The key that complaints are sealed to, confirmed by the board's own signature, and the key of that signature.
    fn board_keys(&self) -> Option<(ReceivingPublicKey, [u8; 32])> {
        let newest = self.bulletins().pop()?;
        Some((ReceivingPublicKey::from_slice(newest.receiving()).ok()?, *newest.board()))
    }

    pub(super) fn board_status(&mut self) -> Result<BoardStatus, Error> {
        let today = self.key_day()?;
        let signing = self.charter()?.board_signing;
        let newest = self.bulletins().pop().map(|bulletin| (bulletin.number(), bulletin.day(), bulletin.due()));
        // without any bulletin: a month after the charter named the board
        let named = self.keyring.log.operations().filter_map(|operation| match operation.action() {
            Action::Found { charter, .. } | Action::ChangeCharter { charter } if charter.board_signing == signing => Some(operation.day()),
            _ => None,
        });
        let first_due = signing.and_then(|_| named.min()).map(|day| day.plus(complaint::limits::BULLETIN_TERM_MAX_DAYS));
        let due = newest.map(|(_, _, due)| due).or(first_due);
        Ok(BoardStatus {
            words: signing.as_ref().map(board_words),
            newest,
            is_offered: newest.is_some(),
            overdue_since: due.filter(|due| *due < today),
        })
    }

    fn waiting_complaints(&self, reader: &Reader<'_>) -> Result<Waiting, Error> {
        Ok(self.extra(reader, WAITING)?.unwrap_or_default())
    }

    /// Everything that is kept beside the boxes.
    #[cfg(feature = "adversary")]
    pub(super) fn complaint_days(&self, reader: &Reader<'_>) -> Result<Vec<ShiftDay>, Error> {
        Ok(self.waiting_complaints(reader)?.boxes.iter().map(|sealed| sealed.until).collect())
    }

    fn put_complaints(&self, tx: &Transaction<'_>, waiting: &mut Waiting) -> Result<(), Error> {
        // their order says nothing about when they came
        waiting.boxes.sort();
        self.put_extra(tx, WAITING, waiting)
    }

    fn draw_days(&self) -> u16 {
        u16::from(self.env.random::<1>()[0] % DRAWN_MAX_DAYS)
    }

    fn complain(&mut self, tx: &Transaction<'_>, draft: &ComplaintDraft<'_>) -> Result<ReceiptCode, Error> {
        let today = self.key_day()?;
        let (key, signing) = self.board_keys().ok_or(ComplaintError::NoBoard)?;
        let mut waiting = self.waiting_complaints(tx)?;
        self.cover_period(&mut waiting, &key, today)?;
        if waiting.boxes.len() >= WAITING_MAX_COUNT {
            return Err(ComplaintError::Full.into());
        }
        let (bytes, code) = complaint::seal(&self.env, self.team(), &key, &signing, draft)?;
        waiting.boxes.push(SealedBox::of(bytes, today));
        self.put_complaints(tx, &mut waiting)?;
        Ok(code)
    }

    /// The row that leaves with this push, if its day has come: a complaint that waits, or one that holds nothing.
    pub(super) fn complaint_row(&mut self, tx: &Transaction<'_>) -> Result<Option<Row>, Error> {
        self.traffic.out = None;
        let Some((key, _)) = self.board_keys() else { return Ok(None) };
        let Some(commons) = self.keyring.notice_secret() else { return Ok(None) };
        let today = self.key_day()?;
        let mut waiting = self.waiting_complaints(tx)?;
        // a slot further ahead than any that is drawn: the clock was put back
        let is_set = waiting.slot.is_some_and(|slot| slot <= today.plus(u16::from(DRAWN_MAX_DAYS)));
        if !is_set {
            waiting.slot = Some(today.plus(1 + self.draw_days()));
            self.cover_period(&mut waiting, &key, today)?;
            self.put_complaints(tx, &mut waiting)?;
            return Ok(None);
        }
        if waiting.slot.is_some_and(|slot| slot > today) {
            return Ok(None);
        }
        // drawn: which was written last, and how long it has waited, is nowhere
        let due: Vec<&SealedBox> = waiting.boxes.iter().filter(|sealed| sealed.until >= today).collect();
        let bytes = match due.get(self.draw(due.len())) {
            Some(sealed) => sealed.bytes.clone(),
            None => complaint::seal_dummy(&self.env, self.team(), &key)?,
        };
        let sent = mark(&bytes);
        let notice = Notice { complaint: Some(bytes.into()), ..Notice::default() };
        let row = notice.seal(&self.env, self.team(), &commons).map_err(|_| Error::TooMany)?;
        self.traffic.out = Some((row.id(), sent));
        Ok(Some(row))
    }

    /// Some rows are at the relay: the box among them goes from here, and the next day is drawn.
    pub(super) fn complaint_pushed(&mut self, tx: &Transaction<'_>, rows: &[Row]) -> Result<(), Error> {
        let Some((row, sent)) = self.traffic.out else { return Ok(()) };
        if !rows.iter().any(|pushed| pushed.id() == row) {
            return Ok(());
        }
        self.traffic.out = None;
        let today = self.key_day()?;
        let mut waiting = self.waiting_complaints(tx)?;
        waiting.boxes.retain(|sealed| mark(&sealed.bytes) != sent && sealed.until >= today);
        note_sent(&mut waiting, sent);
        waiting.slot = Some(today.plus(1 + self.draw_days()));
        if let Some((key, _)) = self.board_keys() {
            // fewer than leave, so that they do not pile up
            self.add_covers(&mut waiting, &key, today, 3)?;
        }
        self.put_complaints(tx, &mut waiting)
    }

    /// Adds boxes that hold nothing: each further one with one chance in so many. However many there are, one more is not much
    /// likelier with a complaint among them than without: no number proves one.
    fn add_covers(&self, waiting: &mut Waiting, key: &ReceivingPublicKey, today: ShiftDay, one_in: usize) -> Result<(), Error> {
        while waiting.boxes.len() < COVERED_MAX_COUNT && self.draw(one_in) == 0 {
            waiting.boxes.push(SealedBox::of(complaint::seal_dummy(&self.env, self.team(), key)?, today));
        }
        Ok(())
    }

    /// Once a fortnight, also where nothing is ever pushed.
    fn cover_period(&self, waiting: &mut Waiting, key: &ReceivingPublicKey, today: ShiftDay) -> Result<(), Error> {
        let period = today.days() / PERIOD_DAYS;
        if waiting.covered != Some(period) {
            waiting.covered = Some(period);
            waiting.boxes.retain(|sealed| sealed.until >= today);
            self.add_covers(waiting, key, today, 2)?;
        }
        Ok(())
    }

    /// Adds boxes that hold nothing where a fortnight began. A part of what a phone does by itself each day.
    pub(super) fn tend_complaints(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        let Some((key, _)) = self.board_keys().filter(|_| self.root.board.is_none()) else { return Ok(()) };
        let today = self.key_day()?;
        let mut waiting = self.waiting_complaints(tx)?;
        let before = waiting.covered;
        self.cover_period(&mut waiting, &key, today)?;
        if waiting.covered == before { Ok(()) } else { self.put_complaints(tx, &mut waiting) }
    }

    /// A number below one that is at most 256; 0 below none.
    fn draw(&self, below: usize) -> usize {
        usize::from(self.env.random::<1>()[0]) % below.max(1)
    }

    /// A row for a colleague's phone: one box that waits here, or one that holds nothing. It stays here as well, until
    /// this phone meets the relay or its days are over, since the colleague may meet nobody.
    pub(super) fn complaint_for_peer(&mut self, reader: &Reader<'_>) -> Result<Option<Row>, Error> {
        let Some((key, _)) = self.board_keys() else { return Ok(None) };
        let Some(commons) = self.keyring.notice_secret() else { return Ok(None) };
        let waiting = self.waiting_complaints(reader)?;
        let drawn = self.draw(waiting.boxes.len() + 1);
        let bytes = match waiting.boxes.get(drawn) {
            Some(sealed) => sealed.bytes.clone(),
            None => complaint::seal_dummy(&self.env, self.team(), &key)?,
        };
        let notice = Notice { complaint: Some(bytes.into()), ..Notice::default() };
        Ok(Some(notice.seal(&self.env, self.team(), &commons).map_err(|_| Error::TooMany)?))
    }

    /// A box came: for the board to open, for a phone to carry on, or known to be at the relay.
    pub(super) fn take_complaint(&mut self, tx: &Transaction<'_>, bytes: &[u8]) -> Result<(), Error> {
        if bytes.len() != COMPLAINT_BOX_BYTES {
            return Ok(());
        }
        if self.root.board.is_some() {
            return self.open_complaint(tx, bytes);
        }
        let today = self.key_day()?;
        let mut waiting = self.waiting_complaints(tx)?;
        let this = mark(bytes);
        let is_here = waiting.boxes.iter().any(|sealed| sealed.bytes == bytes);
        if self.traffic.is_peer {
            let was_sent = waiting.sent.iter().any(|sent| **sent == this);
            if is_here || was_sent || waiting.boxes.len() >= CARRIED_MAX_COUNT || self.board_keys().is_none() {
                return Ok(());
            }
            waiting.boxes.push(SealedBox::of(bytes.to_vec(), today));
        } else if is_here {
            waiting.boxes.retain(|sealed| sealed.bytes != bytes);
            note_sent(&mut waiting, this);
        } else {
            return Ok(());
        }
        self.put_complaints(tx, &mut waiting)
    }
}

fn note_sent(waiting: &mut Waiting, sent: [u8; 8]) {
    waiting.sent.push(sent.into());
    let over = waiting.sent.len().saturating_sub(SENT_MAX_COUNT);
    waiting.sent.drain(..over);
}

impl Unlocked {
    /// Whether there is a board, how its key is compared, and whether its bulletin is overdue.
    pub fn board_status(&self) -> Result<BoardStatus, Error> {
        self.write(|vault, _| vault.board_status())
    }

    /// Seals a complaint to the board and gives the code that its author keeps: show it once, keep it nowhere.
    ///
    /// Nothing of it stays on this phone but the sealed box, which leaves on one of the next days among boxes that hold
    /// nothing. Its text passes no guard: only the board reads it.
    ///
    /// Errors: [`ComplaintError::NoBoard`] (do not offer it then), [`ComplaintError::Empty`], [`ComplaintError::TooLong`],
    /// [`ComplaintError::Full`].
    pub fn complain(&self, draft: &ComplaintDraft<'_>) -> Result<ReceiptCode, Error> {
        self.write(|vault, tx| vault.complain(tx, draft))
    }

    /// Every bulletin of the board that is here, oldest first.
    pub fn bulletins(&self) -> Result<Vec<Bulletin>, Error> {
        self.read(|vault, _| Ok(vault.bulletins()))
    }
}
