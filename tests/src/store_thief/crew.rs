//! Phones with keystores of their own, everything that they do, and the thief who takes one.

use super::evidence::{Evidence, Found, canary};
use super::losses::Loss;
use crate::team::{Hub, Phone, env, passphrase};
use data_encoding::HEXLOWER;
use satchel_core::consent::HowGiven;
use satchel_core::env::Env;
use satchel_core::error::Error;
use satchel_core::record::{EncounterKind, FollowUpDraft, Kind, ParticipantDraft, ParticipantEdit};
use satchel_core::recovery::PaperShare;
use satchel_core::rules::Rule;
use satchel_core::screen::{Note, ShortText};
use satchel_core::storage::read_slots;
use satchel_core::store::{
    Credentials, EncounterDraft, FileKeystore, Founding, KeyCost, KeyProtector, LootClass, PackReport, RecordLoot, RelayAddress, Store,
    Unlocked,
};
use satchel_core::team::{Invitation, Role};
use satchel_wire::ids::{DeviceId, OperationId, RecordId};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

/// The day on which every story begins: 2026-11-22 12:00 UTC.
pub const START: u64 = 1_795_348_800;

/// One version of a phone's files, as far as a thief must know it beside the ciphertexts.
#[derive(Debug, Clone)]
struct Image {
    /// The keystore's files without which its slots do not open.
    keys: Vec<PathBuf>,
    /// What its slots open to.
    store_key: [u8; 32],
}

/// A phone with its keystore.
pub struct Handset {
    /// The phone.
    pub phone: Phone,
    /// Its keystore's folder.
    pub keystore: PathBuf,
    /// Its device.
    pub device: DeviceId,
    images: Vec<Image>,
    now: BTreeSet<[u8; 32]>,
    ever: BTreeSet<[u8; 32]>,
    /// Devices without access to records, as far as it knows.
    pub shut_out: BTreeSet<DeviceId>,
    /// Keys of bodies that it holds back.
    pub held: Vec<RecordLoot>,
    /// Rows that it holds back unopened (count).
    pub held_rows: usize,
    /// Keys that wire pages brought it before the bodies came.
    pub listed: Vec<RecordLoot>,
    /// Who let it in: the number of a phone.
    pub host: usize,
}

impl std::fmt::Debug for Handset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Handset({})", self.phone.name)
    }
}

impl Handset {
    /// The keystore.
    pub fn protector(&self) -> Arc<dyn KeyProtector> {
        Arc::new(FileKeystore::new(&self.keystore, self.phone.env.clone()))
    }
    /// Its store.
    pub fn store(&self) -> &Unlocked {
        &self.phone.unlocked
    }
}

/// A text that was planted in a record.
#[derive(Debug, Clone)]
pub struct Planted {
    /// The text.
    pub text: String,
    /// The record.
    pub record: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// Whom it is about.
    pub subject: Option<RecordId>,
    /// Which phone wrote it.
    pub by: usize,
    /// Devices that the writer knew to be without access.
    pub shut_out: BTreeSet<DeviceId>,
}

/// What an erasure is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// One record.
    Record(RecordId),
    /// A participant and everything about them.
    Subject(RecordId),
}

impl Target {
    /// Whether a record of this id and subject goes with it.
    pub fn covers(&self, record: RecordId, subject: Option<RecordId>) -> bool {
        match self {
            Self::Record(id) => record == *id,
            Self::Subject(id) => record == *id || subject == Some(*id),
        }
    }
}

/// A team, its relay, and the thief's collection.
pub struct Crew {
    seed: u64,
    folder: tempfile::TempDir,
    without: Vec<Rule>,
    /// The relay.
    pub hub: Hub,
    /// The phones.
    pub phones: Vec<Handset>,
    /// What the thief collected.
    pub evidence: Evidence,
    /// What was planted.
    pub planted: Vec<Planted>,
    /// Shares of all recovery keys; the thief has all papers there ever were.
    pub(super) shares: Vec<PaperShare>,
    pub(super) papers: BTreeSet<[u8; 32]>,
    pub(super) reseat: Option<PaperShare>,
    /// The newest package that a board phone wrote, with the shares that open it.
    pub(super) package: Option<(Vec<u8>, Vec<PaperShare>)>,
}

impl std::fmt::Debug for Crew {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Crew({:?}, {:?})", self.phones, self.evidence)
    }
}

fn text(text: &str) -> ShortText {
    ShortText::parse(text).expect("a clean text")
}

impl Crew {
    /// A team of one with a relay. Rules may be left out on every phone.
    pub fn found(seed: u64, without: impl IntoIterator<Item = Rule>) -> Self {
        let without: Vec<Rule> = without.into_iter().collect();
        let folder = tempfile::tempdir().expect("a folder");
        let (hub, address) = Hub::new(folder.path(), START);
        let (shares, papers, package) = Default::default();
        let mut crew = Self {
            seed,
            folder,
            without,
            hub,
            phones: Vec::new(),
            evidence: Evidence::default(),
            planted: Vec::new(),
            shares,
            papers,
            reseat: None,
            package,
        };
        let (env, clock, keystore, dir) = crew.place(0);
        let protector: Arc<dyn KeyProtector> = Arc::new(FileKeystore::new(&keystore, env.clone()));
        let passphrase = passphrase();
        let credentials = Credentials { passphrase: &passphrase, protector: Some(protector), cost: KeyCost::Least };
        let founding = Founding { time_zone: "America/Los_Angeles".into(), member_name: text("Member 0") };
        let founded = Store::found(&dir, env.clone(), &credentials, &founding).expect("founding");
        crew.reseat = Some(founded.reseat_paper);
        crew.add(Phone { name: "phone 0".into(), unlocked: founded.unlocked, clock, env, dir }, keystore, 0);
        crew.set_relay(&address);
        crew
    }

    fn set_relay(&mut self, address: &RelayAddress) {
        self.phones[0].store().set_relay(address).expect("a relay");
        assert!(self.exchange(0));
    }

    pub(super) fn place(&self, number: usize) -> (Env, Arc<crate::team::SetClock>, PathBuf, PathBuf) {
        let name = format!("phone {number}");
        let start = self.phones.first().map_or(START, |phone| phone.phone.clock.now());
        let (env, clock) = env(self.seed, &name, start);
        let env = self.without.iter().copied().fold(env, Env::dangerous_without);
        let (keystore, dir) = (self.folder.path().join(format!("keys {number}")), self.folder.path().join(name));
        (env, clock, keystore, dir)
    }

    pub(super) fn add(&mut self, phone: Phone, keystore: PathBuf, host: usize) {
        let device = phone.unlocked.device().expect("a device");
        let (images, now, ever, shut_out) = Default::default();
        let (held, held_rows, listed) = Default::default();
        self.phones.push(Handset { phone, keystore, device, images, now, ever, shut_out, held, held_rows, listed, host });
        self.touch(self.phones.len() - 1);
    }

    /// Somebody joins in person. Returns the number of their phone; none if the host may not or cannot invite.
    pub fn join(&mut self, host: usize, role: Role) -> Option<usize> {
        let number = self.phones.len();
        let (env, clock, keystore, dir) = self.place(number);
        let protector: Arc<dyn KeyProtector> = Arc::new(FileKeystore::new(&keystore, env.clone()));
        let passphrase = passphrase();
        let credentials = Credentials { passphrase: &passphrase, protector: Some(protector), cost: KeyCost::Least };
        let invitation = self.phones[host].store().invite(role, "").ok()?;
        let invitation = Invitation::from_text(&invitation.to_text(), env.now()).expect("its text");
        let (joining, knock) = Store::join(env.clone(), &invitation).expect("a knock");
        let (mut hosted, answer) = self.phones[host].store().answer_knock(&knock).expect("an answer");
        let mut joined = joining.answered(&answer).expect("words");
        hosted.introduced(&joined.introduce().expect("an introduction")).expect("introduced");
        let welcome = hosted.welcome().ok()?;
        self.evidence.announcement(hosted.dangerous_said());
        let name = text(&format!("Member {number}"));
        let (unlocked, thanks) = joined.welcomed(&welcome, &dir, &credentials, &name).expect("welcomed");
        hosted.thanked(&thanks).expect("thanked");
        self.add(Phone { name: format!("phone {number}"), unlocked, clock, env, dir }, keystore, host);
        self.touch(host);
        Some(number)
    }

    /// Looks at a phone: the thief keeps its files as they are now, and knows what is in its memory.
    pub fn touch(&mut self, number: usize) {
        let Self { phones, evidence, .. } = self;
        let handset = &mut phones[number];
        let Ok(loot) = handset.phone.unlocked.dangerous_loot() else { return };
        handset.now = evidence.name(&loot);
        handset.ever.extend(&handset.now);
        handset.shut_out = loot.devices.iter().filter(|device| !loot.readers.contains(device)).copied().collect();
        (handset.held, handset.held_rows, handset.listed) = (loot.held, loot.held_rows, loot.listed);
        let store_key = loot.secrets.iter().find(|(class, _)| *class == LootClass::Store).expect("a store key").1;
        let slots = read_slots(&handset.phone.dir).expect("slots");
        let keys =
            slots.slots.iter().flatten().map(|slot| handset.keystore.join(format!("{}.key", HEXLOWER.encode(slot.keystore_alias()))));
        handset.images.push(Image { keys: keys.collect(), store_key });
        evidence.image(&handset.phone.dir);
    }

    /// Two phones meet; after so many portions the connection breaks. Says whether they came to the end.
    pub fn meet(&mut self, dialer: usize, listener: usize, cut: Option<usize>) -> bool {
        let [a, b] = [dialer, listener].map(|number| self.phones[number].store().clone());
        let Ok(mut one) = a.dial() else { return false };
        let mut other = b.listen();
        let mut portions = 0;
        let mut is_broken = false;
        'talk: for _ in 0..100_000 {
            let mut moved = false;
            for is_dialer in [true, false] {
                let (from, to) = if is_dialer { (&mut one, &mut other) } else { (&mut other, &mut one) };
                loop {
                    let Ok(sent) = from.transmit(4 * 1024) else {
                        is_broken = true;
                        break;
                    };
                    let Some(bytes) = sent else { break };
                    moved = true;
                    portions += 1;
                    is_broken |= to.receive(&bytes).is_err();
                    if cut.is_some_and(|cut| portions >= cut) {
                        is_broken = true;
                        break 'talk;
                    }
                }
            }
            if !moved {
                break;
            }
        }
        let is_whole = !is_broken && one.is_finished() && other.is_finished();
        if !is_whole {
            let _ = (one.abandon(), other.abandon());
        }
        self.evidence.heard(one.dangerous_heard());
        self.evidence.heard(other.dangerous_heard());
        self.touch(dialer);
        self.touch(listener);
        is_whole
    }

    /// One exchange with the relay. Says whether it came to the end.
    pub fn exchange(&mut self, number: usize) -> bool {
        self.exchange_with(number, Loss::Nothing)
    }

    /// One exchange in which something is lost. Says whether it came to the end.
    pub fn exchange_with(&mut self, number: usize, loss: Loss) -> bool {
        self.hub.clock.set(self.phones[number].phone.clock.now().max(self.hub.clock.now()));
        let Self { hub, phones, evidence, .. } = self;
        let phone = &phones[number].phone;
        let done = loss.exchange(hub, phone, &mut || evidence.image(&phone.dir)).unwrap_or(false);
        let traffic = self.hub.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        self.evidence.traffic(&traffic);
        drop(traffic);
        self.touch(number);
        done
    }

    /// Everybody exchanges with the relay, so many times.
    pub fn settle(&mut self, rounds: usize) {
        for _ in 0..rounds {
            for number in 0..self.phones.len() {
                self.exchange(number);
            }
        }
    }

    /// Writes a pack.
    pub fn write_pack(&mut self, number: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut writer = self.phones[number].store().write_pack().ok()?;
        while let Some(chunk) = writer.next_bytes().ok()? {
            bytes.extend(chunk);
        }
        self.evidence.pack(&bytes);
        self.touch(number);
        Some(bytes)
    }

    /// Reads a pack.
    pub fn read_pack(&mut self, number: usize, pack: &[u8]) -> Result<PackReport, Error> {
        let mut reader = self.phones[number].store().read_pack();
        let read = pack.chunks(1_000).try_for_each(|part| reader.receive(part));
        let done = read.and_then(|()| reader.finish());
        self.touch(number);
        done
    }

    /// Closes a phone and starts it again.
    pub fn restart(&mut self, number: usize) {
        let handset = &mut self.phones[number];
        let protector = handset.protector();
        let store = handset.phone.unlocked.store();
        store.suspend().expect("suspending");
        drop(store);
        let store = Store::open(&handset.phone.dir, handset.phone.env.clone()).expect("opening");
        handset.phone.unlocked = store.unlock(&passphrase(), Some(protector)).expect("unlocking");
        self.touch(number);
    }

    /// Moves every clock.
    pub fn advance(&mut self, seconds: i64) {
        for handset in &self.phones {
            handset.phone.clock.advance(seconds);
        }
        self.hub.clock.advance(seconds);
    }

    fn plant(&mut self, by: usize, record: RecordId, kind: Kind, subject: Option<RecordId>, text: String) {
        self.touch(by);
        let shut_out = self.phones[by].shut_out.clone();
        self.planted.push(Planted { text, record, kind, subject, by, shut_out });
    }

    fn next_text(&self) -> String {
        canary(self.planted.len())
    }

    /// A participant whose pronouns are a planted text.
    pub fn participant(&mut self, by: usize) -> Result<RecordId, Error> {
        let planted = self.next_text();
        let draft = ParticipantDraft { pronouns: Some(text(&planted)), ..ParticipantDraft::default() };
        let record = self.phones[by].store().create_participant(&draft, HowGiven::Spoken, "en")?;
        self.plant(by, record, Kind::Participant, Some(record), planted);
        Ok(record)
    }

    /// Another text for a participant.
    pub fn edit(&mut self, by: usize, participant: RecordId) -> Result<(), Error> {
        let planted = self.next_text();
        let edit = ParticipantEdit { pronouns: Some(text(&planted)), ..ParticipantEdit::default() };
        self.phones[by].store().edit_participant(participant, &edit)?;
        self.plant(by, participant, Kind::Participant, Some(participant), planted);
        Ok(())
    }

    fn encounter_draft(planted: &str, participant: Option<RecordId>) -> EncounterDraft {
        let note = Some(Note::parse(planted).expect("a note"));
        EncounterDraft { kind: EncounterKind::Street, participant, zone: None, offers: Vec::new(), note }
    }

    /// An encounter.
    pub fn encounter(&mut self, by: usize, participant: Option<RecordId>) -> Result<RecordId, Error> {
        let planted = self.next_text();
        let record = self.phones[by].store().save_encounter(&Self::encounter_draft(&planted, participant))?;
        self.plant(by, record, Kind::Encounter, participant, planted);
        Ok(record)
    }

    /// An encounter in a zone of its own. Returns both.
    pub fn encounter_in_zone(&mut self, by: usize) -> Result<(RecordId, RecordId), Error> {
        let planted = self.next_text();
        let store = self.phones[by].store();
        let zone = store.create_zone(&text("by the river"))?;
        let record = store.save_encounter(&EncounterDraft { zone: Some(zone), ..Self::encounter_draft(&planted, None) })?;
        self.plant(by, record, Kind::Encounter, None, planted);
        Ok((record, zone))
    }

    /// Whether a thief learns the zone of an encounter by what was found.
    pub fn tells_zone(&self, found: &Found, (encounter, zone): &(RecordId, RecordId)) -> bool {
        self.evidence.tells_zone(found, encounter, zone)
    }

    /// Another text for an encounter.
    pub fn correct(&mut self, by: usize, encounter: RecordId) -> Result<(), Error> {
        let planted = self.next_text();
        let subject = self.planted.iter().find(|known| known.record == encounter).and_then(|known| known.subject);
        self.phones[by].store().correct_encounter(encounter, &Self::encounter_draft(&planted, subject))?;
        self.plant(by, encounter, Kind::Encounter, subject, planted);
        Ok(())
    }

    /// A follow-up.
    pub fn follow_up(&mut self, by: usize, participant: RecordId) -> Result<RecordId, Error> {
        let planted = self.next_text();
        let store = self.phones[by].store();
        let from = store.today()?;
        let draft = FollowUpDraft { participant, what: text(&planted), from, until: from.plus(7), contact: None };
        let record = store.save_follow_up(&draft)?;
        self.plant(by, record, Kind::FollowUp, Some(participant), planted);
        Ok(record)
    }

    /// Erases on one phone.
    pub fn erase(&mut self, by: usize, target: Target) -> Result<OperationId, Error> {
        let store = self.phones[by].store();
        let done = match target {
            Target::Subject(participant) => store.erase_participant(participant),
            Target::Record(record) => {
                let kind = self.planted.iter().find(|known| known.record == record).map_or(Kind::Encounter, |known| known.kind);
                store.erase_record(kind, record)
            }
        };
        self.touch(by);
        done
    }

    pub(super) fn haul(&self, number: usize) -> BTreeSet<[u8; 32]> {
        let handset = &self.phones[number];
        let mut start = handset.now.clone();
        // all papers are the thief's: without a board phone they open nothing
        start.extend(&self.papers);
        // an old slot opens while the keystore has its key
        start.extend(handset.images.iter().filter(|image| image.keys.iter().any(|key| key.exists())).map(|image| image.store_key));
        start
    }

    /// Takes a phone now, unlocked, with every image of its flash.
    pub fn steal(&mut self, number: usize) -> Found {
        let start = self.haul(number);
        self.evidence.follow(&start)
    }

    /// By which way a theft of a phone led to a target.
    pub fn explain(&self, number: usize, target: &Target) -> String {
        let is_text =
            |text: &str| self.planted.iter().any(|planted| planted.text == text && target.covers(planted.record, planted.subject));
        self.evidence.explain(&self.haul(number), &is_text, &|key| target.covers(key.record, key.subject))
    }

    /// By which way a theft of a phone led to a field key.
    pub fn explain_field(&self, number: usize) -> String {
        self.evidence.explain_field(&self.haul(number))
    }

    /// By which way a removed phone came to a text that it must not read.
    pub fn explain_after(&self, number: usize) -> String {
        let device = self.phones[number].device;
        let is_text = |text: &str| self.planted.iter().any(|planted| planted.text == text && planted.shut_out.contains(&device));
        self.evidence.explain(&self.phones[number].ever, &is_text, &|_| false)
    }

    /// What a phone reads that kept every secret that it ever had: one that does not play by the rules.
    pub fn hoard(&mut self, number: usize) -> Found {
        let start = self.phones[number].ever.union(&self.papers).copied().collect();
        self.evidence.follow(&start)
    }

    /// What of a target was found: planted texts, or keys of its records.
    pub fn finds(&self, found: &Found, target: &Target) -> Option<String> {
        let texts = self.planted.iter().filter(|planted| target.covers(planted.record, planted.subject));
        if let Some(planted) = texts.into_iter().find(|planted| found.texts.contains(&planted.text)) {
            return Some(format!("text {} of {:?} {}", planted.text, planted.kind, planted.record));
        }
        let key = found.records.iter().find(|key| target.covers(key.record, key.subject))?;
        Some(format!("a key of {:?} {}", key.kind, key.record))
    }

    /// Texts that were sent by whoever knew that a device is shut out, and that were found all the same.
    pub fn finds_after(&self, found: &Found, device: &DeviceId) -> Option<String> {
        let hit = self.planted.iter().find(|planted| planted.shut_out.contains(device) && found.sent_texts.contains(&planted.text))?;
        Some(format!("text {} of {:?} by phone {}", hit.text, hit.kind, hit.by))
    }

    /// A path in the crew's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Copies a phone's folder as it is.
    pub fn copy_files(&self, number: usize, to: &Path) {
        std::fs::create_dir_all(to).expect("a folder");
        for entry in std::fs::read_dir(&self.phones[number].phone.dir).expect("a folder") {
            let entry = entry.expect("a file");
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
        }
    }
}
