//! On the recipient's phone: pairings that were shown, packets from other teams, and erasing what they brought.
//!
//! The private half of each pairing lies in one value of this phone, under the key that every erasure replaces. As soon as
//! facts are kept in a vault, erased or over, the secret of their packet is taken out of it: whoever kept the packet's bytes
//! and later opens this phone finds nothing that opens them.

use super::Unlocked;
use super::index::{Place, place_of};
use super::root::Seed;
use super::vault::Vault;
use super::vaults::vault_record;
use crate::consent::grant::RECORD_GRANT_MAX_DAYS;
use crate::consent::{Act, GatedCategory, Grant, GrantError};
use crate::crypto::{KeyTree, ReceivingKey, word_at, word_index};
use crate::document::Value;
use crate::error::Error;
use crate::record::Kind;
use crate::screen::ShortText;
use crate::share::limits::{ANSWERED_AGAIN_DAYS, ANSWERED_MAX_COUNT, PACKETS_MAX_COUNT, REMEMBERED_DAYS, SENDERS_MAX_COUNT};
use crate::share::{self, Answer, EraseRequest, Message, Offer, ShareError, SharedFacts};
use crate::storage::{Reader, Transaction};
use crate::team::tombstone::Erasure;
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{OperationId, RecordId};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::{Zeroize, Zeroizing};

const RECEIVED: &str = "shares received";

#[derive(Default, Encode, Decode)]
#[cbor(map)]
pub(super) struct Received {
    #[n(0)]
    pairings: Vec<ShownPairing>,
    #[n(1)]
    taken: Vec<Taken>,
}

impl Received {
    /// Whether a packet is refused although what opens it may still be here.
    fn refuses(&self, share: &RecordId, pairing: &RecordId) -> bool {
        let is_it = |known: &&Taken| known.share == *share && known.pairing == *pairing;
        self.taken.iter().find(is_it).is_some_and(|known| known.is_refused || known.erased.is_some())
    }

    /// Destroys what opens the packet with an id. Errors: [`ShareError::Full`], [`ShareError::NoSuchPairing`].
    fn shut(&mut self, pairing: RecordId, id: &RecordId) -> Result<(), ShareError> {
        let pairing = self.pairings.iter_mut().find(|known| known.id == pairing).ok_or(ShareError::NoSuchPairing)?;
        let mut tree = KeyTree::from_bytes(&pairing.tree).map_err(|_| ShareError::Full)?;
        tree.forget(share::tag_of(id)).map_err(|_| ShareError::Full)?;
        pairing.tree.zeroize();
        pairing.tree = tree.to_bytes().to_vec();
        Ok(())
    }

    /// Destroys what opens a packet if there is room to; else, or where its pairing is gone already, it is refused by its line.
    fn shut_or_refuse(&mut self, entry: &mut Taken) {
        entry.is_shut = self.shut(entry.pairing, &entry.share).is_ok();
        entry.is_refused = !entry.is_shut;
    }

    /// Whether so much of a pairing's tree is in use that what nobody saw is not shut in advance any more: whoever has the
    /// seed could use it up by requests for copies that never were.
    fn is_tree_half_full(&self, pairing: &RecordId) -> bool {
        let tree = self.pairings.iter().find(|known| known.id == *pairing).map(|known| known.tree.len());
        tree.is_some_and(|bytes| bytes > KeyTree::MAX_BYTES / 2)
    }
}

/// The private half of a pairing.
#[derive(Encode, Decode)]
#[cbor(map)]
struct ShownPairing {
    #[n(0)]
    id: RecordId,
    #[n(1)]
    name: String,
    #[n(2)]
    key: Seed,
    #[cbor(n(3), with = "minicbor::bytes")]
    tree: Vec<u8>,
    #[n(4)]
    since: ShiftDay,
    #[n(5)]
    words: Vec<u16>,
}

impl Drop for ShownPairing {
    fn drop(&mut self) {
        self.tree.zeroize();
        self.name.zeroize();
    }
}

/// A packet that was opened, or of which its sender said that it is to be erased.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
struct Taken {
    #[n(0)]
    share: RecordId,
    #[n(1)]
    pairing: RecordId,
    #[n(2)]
    until: ShiftDay,
    /// Where its facts were kept: the grant, and whose.
    #[n(3)]
    kept: Option<(RecordId, RecordId)>,
    #[n(4)]
    erased: Option<ShiftDay>,
    /// The tombstone of what was kept.
    #[n(5)]
    erasure: Option<OperationId>,
    /// What opens it is destroyed.
    #[n(6)]
    is_shut: bool,
    /// It was kept once.
    #[n(7)]
    was_kept: bool,
    /// The grant that it was kept under, where the page is gone and no tombstone is known to have taken it.
    #[n(8)]
    left: Option<RecordId>,
    /// Requests that were answered, and when first: what opens them is destroyed some days later.
    #[n(9)]
    answered: Vec<(RecordId, ShiftDay)>,
    /// What opens it could not be destroyed, and cannot be: it is refused by this line.
    #[n(10)]
    is_refused: bool,
}

impl Taken {
    const fn new(share: RecordId, pairing: RecordId, until: ShiftDay) -> Self {
        let (was_kept, is_shut, is_refused) = (false, false, false);
        let (kept, erased, erasure, left) = (None, None, None, None);
        Self { share, pairing, until, kept, erased, erasure, is_shut, was_kept, left, answered: Vec::new(), is_refused }
    }
}

/// An offer, shown once.
#[derive(Debug)]
pub struct ShownOffer {
    /// The pairing.
    pub id: RecordId,
    /// For a QR code or a file.
    pub text: Zeroizing<String>,
    /// To be compared with the words on the sender's phone.
    pub words: [&'static str; 6],
}

/// A pairing that was shown here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairingLine {
    /// Its id.
    pub id: RecordId,
    /// How the sender is called here.
    pub name: Option<ShortText>,
    /// The day on which it was shown.
    pub since: ShiftDay,
    /// The words that were compared.
    pub words: Vec<&'static str>,
}

/// A packet that was opened here, or of which its sender said that it is to be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedLine {
    /// The copy.
    pub share: RecordId,
    /// Through which pairing.
    pub pairing: RecordId,
    /// Its last day.
    pub until: ShiftDay,
    /// The grant under which its facts are kept, if they are.
    pub grant: Option<RecordId>,
    /// With whom they are kept.
    pub participant: Option<RecordId>,
    /// When it was erased because its sender asked for that.
    pub erased_on: Option<ShiftDay>,
    /// What opened it is destroyed.
    pub is_shut: bool,
}

/// What a packet brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// Facts, to be read or kept.
    Facts {
        /// Through which pairing.
        from: RecordId,
        /// The facts.
        facts: SharedFacts,
    },
    /// A request to erase a copy: [`Unlocked::answer_erasure`].
    Erase {
        /// Through which pairing.
        from: RecordId,
        /// Which copy.
        share: RecordId,
        /// The participant here with whom it was kept, if it was.
        kept_with: Option<RecordId>,
    },
}

impl Vault {
    fn received(&self, reader: &Reader<'_>) -> Result<Received, Error> {
        Ok(self.held_value(reader, RECEIVED)?.unwrap_or_default())
    }
    fn put_received(&self, tx: &Transaction<'_>, received: &Received) -> Result<(), Error> {
        self.put_held_value(tx, RECEIVED, received)
    }
    /// Read before the key of held values is replaced.
    pub(super) fn received_before_rekey(&self, reader: &Reader<'_>) -> Result<Option<Received>, Error> {
        self.held_value(reader, RECEIVED)
    }
    /// Stored again after that.
    pub(super) fn put_received_again(&self, tx: &Transaction<'_>, received: Option<Received>) -> Result<(), Error> {
        received.map_or(Ok(()), |received| self.put_received(tx, &received))
    }

    fn show_offer(&mut self, tx: &Transaction<'_>, name: &ShortText) -> Result<ShownOffer, Error> {
        self.require_writer()?;
        let mut received = self.received(tx)?;
        if received.pairings.iter().any(|pairing| pairing.name == name.as_str()) {
            return Err(ShareError::PairedAlready.into());
        }
        if received.pairings.len() >= SENDERS_MAX_COUNT {
            return Err(ShareError::Full.into());
        }
        let (key, offer) = Offer::make(&self.env)?;
        let id = RecordId::from_bytes(self.env.random());
        received.pairings.push(ShownPairing {
            id,
            name: name.as_str().to_owned(),
            key: Seed::new(key.expose_seed()),
            tree: KeyTree::new(offer.seed()).to_bytes().to_vec(),
            since: self.today()?,
            words: offer.words().iter().filter_map(|word| word_index(word)).collect(),
        });
        self.put_received(tx, &received)?;
        Ok(ShownOffer { id, text: offer.to_text(), words: offer.words() })
    }

    /// Opens a packet with whichever pairing it is for.
    fn open_shared(received: &Received, packet: &[u8]) -> Result<(RecordId, Message), ShareError> {
        let tag = share::tag_of_packet(packet).ok_or(ShareError::NotForUs)?;
        for pairing in &received.pairings {
            let tree = KeyTree::from_bytes(&pairing.tree).map_err(|_| ShareError::NotForUs)?;
            let Some(secret) = tree.leaf(tag) else { continue };
            match share::open(&ReceivingKey::from_seed(pairing.key.expose()), &secret, packet) {
                Err(ShareError::NotForUs) => {}
                opened => return opened.map(|message| (pairing.id, message)),
            }
        }
        // what would open it is destroyed: its place tells
        let is_shut = received.taken.iter().any(|taken| taken.is_shut && share::tag_of(&taken.share) == tag);
        Err(if is_shut { ShareError::Used } else { ShareError::NotForUs })
    }

    /// Takes note of a copy, and destroys what opens it if that is due.
    fn take(received: &mut Received, entry: Taken) -> Result<(), ShareError> {
        if entry.is_shut {
            received.shut(entry.pairing, &entry.share)?;
        }
        let is_full = received.taken.len() >= PACKETS_MAX_COUNT;
        let at = received.taken.iter().position(|known| known.share == entry.share && known.pairing == entry.pairing);
        match at.and_then(|at| received.taken.get_mut(at)) {
            Some(known) => *known = entry,
            None if is_full => return Err(ShareError::Full),
            None => received.taken.push(entry),
        }
        Ok(())
    }

    /// Stores it so that no older copy of the file gives back what was destroyed.
    fn put_shut(&mut self, tx: &Transaction<'_>, received: &Received) -> Result<(), Error> {
        self.put_received(tx, received)?;
        self.replace_held_key(tx)
    }

    fn open_packet(&mut self, tx: &Transaction<'_>, packet: &[u8]) -> Result<Opened, Error> {
        self.require_writer()?;
        let mut received = self.received(tx)?;
        let (from, message) = Self::open_shared(&received, packet)?;
        match message {
            Message::Facts(facts) => {
                if facts.expiry < self.latest_day()? {
                    return Err(ShareError::Over.into());
                }
                let (share, until) = (facts.share, facts.expiry);
                if received.refuses(&share, &from) {
                    return Err(ShareError::Used.into());
                }
                if !received.taken.iter().any(|known| known.share == share && known.pairing == from) {
                    Self::take(&mut received, Taken::new(share, from, until))?;
                    self.put_received(tx, &received)?;
                }
                Ok(Opened::Facts { from, facts })
            }
            Message::Erase(EraseRequest { share, .. }) => {
                let known = received.taken.iter().find(|known| known.share == share && known.pairing == from);
                Ok(Opened::Erase { from, share, kept_with: known.and_then(|known| known.kept).map(|(_, participant)| participant) })
            }
        }
    }

    /// The grant under which shared facts are kept here: the yes that was given to the share, for no longer.
    fn grant_for(&mut self, reader: &Reader<'_>, participant: RecordId, facts: &SharedFacts) -> Result<Grant, Error> {
        let today = self.today()?;
        let categories = facts.categories();
        if categories.iter().any(|category| !self.charter().is_ok_and(|charter| charter.categories.contains(category))) {
            return Err(GrantError::CategoryNotAllowed.into());
        }
        let mut grant = Grant {
            act: Act::Record,
            categories,
            recipient: None,
            purpose: facts.purpose,
            start: today,
            expiry: facts.expiry.min(today.plus(RECORD_GRANT_MAX_DAYS)),
            how: facts.how,
            words_version: facts.words_version,
            words_language: facts.words_language.clone(),
            withdrawals_seen: Vec::new(),
            class: None,
            received: Some(facts.share),
        };
        let consents = self.consents(reader, &participant)?;
        grant.withdrawals_seen = consents.seen_by(&grant).ok_or(GrantError::TooManyWithdrawals)?;
        Ok(grant)
    }

    fn keep_shared(&mut self, tx: &Transaction<'_>, packet: &[u8], participant: RecordId) -> Result<RecordId, Error> {
        self.require_writer()?;
        let mut received = self.received(tx)?;
        let (pairing, message) = match Self::open_shared(&received, packet) {
            Err(ShareError::Used) => {
                // kept already: the same answer again
                let tag = share::tag_of_packet(packet).ok_or(ShareError::NotForUs)?;
                let kept = received.taken.iter().filter(|known| share::tag_of(&known.share) == tag).find_map(|known| known.kept);
                return match kept {
                    Some((grant, whose)) if whose == participant => Ok(grant),
                    Some(_) => Err(ShareError::KeptElsewhere.into()),
                    None => Err(ShareError::Used.into()),
                };
            }
            opened => opened?,
        };
        let Message::Facts(facts) = message else { return Err(ShareError::OtherKind.into()) };
        if received.refuses(&facts.share, &pairing) {
            return Err(ShareError::Used.into());
        }
        if facts.expiry < self.latest_day()? {
            return Err(ShareError::Over.into());
        }
        self.require_live_grant(tx, participant)?;
        self.note_withdrawn(tx)?;
        if self.is_withdrawn(&participant) {
            return Err(GrantError::NoFile.into());
        }
        let grant = self.grant_for(tx, participant, &facts)?;
        let id = self.save_grant(tx, participant, grant)?;
        let mut changes: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for fact in &facts.facts {
            changes.entry(fact.field().category()).or_default().push(fact);
        }
        for (category, facts) in changes {
            self.edit_document(tx, vault_record(id, category), Kind::Vault, Some(participant), |edit| {
                facts.iter().try_for_each(|fact| edit.set(fact.field().as_str(), Value::Text(fact.value().to_owned())))
            })?;
        }
        let kept = Some((id, participant));
        let entry = Taken { kept, was_kept: true, is_shut: true, ..Taken::new(facts.share, pairing, facts.expiry) };
        Self::take(&mut received, entry)?;
        self.put_shut(tx, &received)?;
        Ok(id)
    }

    /// The vault records of a grant that came with a share, and where they lie. Of every category: the grant itself may be
    /// gone, or contradicted. It stays until its last day, as every grant does: with all its records erased it counts for
    /// nothing.
    fn vaults_of_kept(
        &mut self,
        reader: &Reader<'_>,
        grant: RecordId,
        participant: Option<RecordId>,
    ) -> Result<(Vec<RecordId>, BTreeSet<Place>), Error> {
        let records: Vec<RecordId> = GatedCategory::ALL.iter().map(|category| vault_record(grant, *category)).collect();
        let mut places = BTreeSet::new();
        for (record, participant) in records.iter().filter_map(|record| Some((*record, participant?))) {
            let place = place_of(record, Kind::Vault, Some(participant));
            if self.item(reader, &place)?.is_some() {
                places.insert(place);
            }
        }
        Ok((records, places))
    }

    fn answer_erasure(&mut self, tx: &Transaction<'_>, packet: &[u8]) -> Result<(Vec<u8>, Answer), Error> {
        self.require_writer()?;
        let mut received = self.received(tx)?;
        let (pairing, message) = Self::open_shared(&received, packet)?;
        let Message::Erase(request) = message else { return Err(ShareError::OtherKind.into()) };
        let today = self.today()?;
        let known = received.taken.iter().find(|known| known.share == request.share && known.pairing == pairing).cloned();
        let is_known = known.is_some();
        let mut entry = known.unwrap_or(Taken::new(request.share, pairing, today.plus(RECORD_GRANT_MAX_DAYS)));
        if entry.erased.is_none() {
            let kept = entry.kept.map(|(grant, participant)| (grant, Some(participant)));
            if let Some((grant, participant)) = kept.or(entry.left.map(|grant| (grant, None))) {
                let (records, places) = self.vaults_of_kept(tx, grant, participant)?;
                entry.erasure = Some(self.erase(tx, &Erasure::Records(records), Some(places))?);
                // the tombstone put what is held under another key, and this value with it
                received = self.received(tx)?;
            }
            (entry.erased, entry.kept, entry.left) = (Some(today), None, None);
            if is_known || !received.is_tree_half_full(&pairing) {
                received.shut_or_refuse(&mut entry);
            } else {
                entry.is_refused = true;
            }
        }
        if entry.answered.iter().all(|(id, _)| *id != request.id) && entry.answered.len() < ANSWERED_MAX_COUNT {
            entry.answered.push((request.id, today));
        }
        let mut remembered = entry.clone();
        // destroyed above, where there was room
        remembered.is_shut = false;
        let room = if is_known { PACKETS_MAX_COUNT } else { PACKETS_MAX_COUNT / 2 };
        if is_known || received.taken.len() < room {
            Self::take(&mut received, remembered)?;
            if let Some(known) = received.taken.iter_mut().find(|known| known.share == entry.share && known.pairing == entry.pairing) {
                known.is_shut = entry.is_shut;
            }
        }
        self.put_shut(tx, &received)?;
        let awaited = match entry.erasure {
            Some(operation) => self.unconfirmed(operation)?,
            None => 0,
        };
        let answer = Answer::new(request.share, entry.erased.unwrap_or(today), entry.was_kept, awaited);
        Ok((share::seal_answer(&self.env, &request.answer_key, &answer)?, answer))
    }

    /// Forgets with whom copies were kept whose file is gone.
    pub(super) fn forget_received_subjects(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        let mut received = self.received(tx)?;
        let mut changed = false;
        for known in &mut received.taken {
            if let Some((grant, subject)) = known.kept
                && self.item(tx, &place_of(subject, Kind::Participant, Some(subject)))?.is_none()
            {
                // who asks for it later is told how far that tombstone is; where there is none, one is written then
                known.kept = None;
                known.erasure = self.erasing.at_hand.get(&subject).copied();
                known.left = known.erasure.is_none().then_some(grant);
                changed = true;
            }
        }
        if changed { self.put_received(tx, &received) } else { Ok(()) }
    }

    /// Destroys what opens packets whose time is over, and forgets those that are long over.
    pub(super) fn tend_received(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        let (mut received, today) = (self.received(tx)?, self.today()?);
        let before = received.taken.len();
        let mut taken = std::mem::take(&mut received.taken);
        let mut is_shut = false;
        for entry in &mut taken {
            if !entry.is_shut && !entry.is_refused && entry.until < today {
                received.shut_or_refuse(entry);
                is_shut = true;
            }
            let (old, new): (Vec<_>, Vec<_>) = entry.answered.iter().copied().partition(|(_, day)| day.plus(ANSWERED_AGAIN_DAYS) < today);
            entry.answered = new;
            for (request, _) in old {
                // a full tree keeps what opens it, a forgotten pairing took it along; of copies that nobody saw there may be
                // as many as somebody makes up
                if entry.was_kept || !received.is_tree_half_full(&entry.pairing) {
                    let _ = received.shut(entry.pairing, &request);
                }
                is_shut = true;
            }
        }
        received.taken = taken;
        received.taken.retain(|known| known.until.plus(REMEMBERED_DAYS) >= today);
        match (!is_shut, received.taken.len() == before) {
            (true, true) => Ok(()),
            (true, false) => self.put_received(tx, &received),
            (false, _) => self.put_shut(tx, &received),
        }
    }
}

impl Unlocked {
    /// Shows a pairing offer for one sender, who takes it with their phone while both stand beside each other. What opens
    /// their packets stays on this phone alone. `name` is how the sender is called here.
    ///
    /// Errors: [`ShareError::PairedAlready`] for a name in use, [`ShareError::Full`], [`Error::Role`].
    pub fn show_offer(&self, name: &ShortText) -> Result<ShownOffer, Error> {
        self.write(|vault, tx| vault.show_offer(tx, name))
    }

    /// The pairings that were shown on this phone.
    pub fn pairings(&self) -> Result<Vec<PairingLine>, Error> {
        self.read(|vault, reader| {
            let line = |pairing: &ShownPairing| PairingLine {
                id: pairing.id,
                name: ShortText::from_sealed(&pairing.name).ok(),
                since: pairing.since,
                words: pairing.words.iter().map(|word| word_at(*word)).collect(),
            };
            Ok(vault.received(reader)?.pairings.iter().map(line).collect())
        })
    }

    /// The packets that were opened here, until some time after their last day.
    pub fn received_shares(&self) -> Result<Vec<ReceivedLine>, Error> {
        self.read(|vault, reader| {
            let line = |taken: &Taken| ReceivedLine {
                share: taken.share,
                pairing: taken.pairing,
                until: taken.until,
                grant: taken.kept.map(|(grant, _)| grant),
                participant: taken.kept.map(|(_, participant)| participant),
                erased_on: taken.erased,
                is_shut: taken.is_shut,
            };
            Ok(vault.received(reader)?.taken.iter().map(line).collect())
        })
    }

    /// Forgets a pairing: no packet of that sender opens here any more, requests to erase among them.
    /// Errors: [`ShareError::NoSuchPairing`].
    pub fn forget_pairing(&self, id: RecordId) -> Result<(), Error> {
        self.write(|vault, tx| {
            let mut received = vault.received(tx)?;
            let at = received.pairings.iter().position(|pairing| pairing.id == id).ok_or(ShareError::NoSuchPairing)?;
            received.pairings.remove(at);
            vault.put_shut(tx, &received)
        })
    }

    /// Opens a packet to read it. Facts are stored nowhere by this; until their last day they can be opened again.
    ///
    /// Errors: [`ShareError::NotForUs`], [`ShareError::Used`], [`ShareError::Over`], [`ShareError::Newer`],
    /// [`ShareError::Malformed`], [`Error::Role`].
    pub fn open_packet(&self, packet: &[u8]) -> Result<Opened, Error> {
        self.write(|vault, tx| vault.open_packet(tx, packet))
    }

    /// Keeps the facts of a packet with a participant of this team: in vaults, under a grant to record that says the same
    /// purpose and ends on the same day. The packet opens never again. Kept twice, it is kept once. Returns the grant.
    ///
    /// Errors: as [`Unlocked::open_packet`]; [`ShareError::OtherKind`], [`ShareError::KeptElsewhere`],
    /// [`GrantError::CategoryNotAllowed`] by this team's charter, [`Error::NoGrant`] without a file.
    pub fn keep_shared(&self, packet: &[u8], participant: RecordId) -> Result<RecordId, Error> {
        self.write(|vault, tx| vault.keep_shared(tx, packet, participant))
    }

    /// Does what a request asks: erases the copy on every phone of this team, destroys what opens the packet, and seals the
    /// answer. Asked again, it answers again, and says how many phones have not confirmed by then.
    ///
    /// Errors: [`ShareError::NotForUs`], [`ShareError::OtherKind`], [`Error::Role`].
    pub fn answer_erasure(&self, packet: &[u8]) -> Result<(Vec<u8>, Answer), Error> {
        self.write_and_promise(|vault, tx| vault.answer_erasure(tx, packet))?;
        // again, now that this phone counts itself: what the request asked for is done once
        self.write(|vault, tx| vault.answer_erasure(tx, packet))
    }
}
