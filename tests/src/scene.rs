//! A team of one at work: a clock and randomness under the test's hand, and every operation of the public API.

use satchel_core::catalogue::{Catalogue, CataloguePackage, Category, Hours, Known, Resource};
use satchel_core::consent::HowGiven;
use satchel_core::crypto::Passphrase;
use satchel_core::env::{Clock, Env, Randomness};
use satchel_core::error::Error;
use satchel_core::record::{
    EncounterKind, FollowUpDraft, FollowUpState, Outcome, ParticipantDraft, ParticipantEdit, ReferralStatus, SelfReferralDraft, StartedBy,
};
use satchel_core::screen::{Alias, Note, ShortText};
use satchel_core::store::{Credentials, EncounterDraft, Founded, Founding, KeyCost, OfferDraft, Store, TallyTap, Unlocked};
use satchel_core::team::{Invitation, Role};
use data_encoding::BASE32_NOPAD;
use satchel_wire::{RecordId, ResourceId};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// 2026-11-22 20:00 UTC: noon of a shift day in Los Angeles (Unix seconds).
pub const NOON: u64 = 1_795_377_600;
/// One day (seconds).
pub const DAY: u64 = 86_400;
/// What kept secrets are exclusive-ored with, so that keeping them leaves no copy in memory.
pub const MASK: u8 = 0x5a;

/// A clock that stands where it is put.
#[derive(Debug)]
pub struct TestClock(AtomicU64);

impl TestClock {
    /// A clock at this time (Unix seconds).
    pub fn at(seconds: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(seconds)))
    }
    /// Puts it elsewhere (Unix seconds).
    pub fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn unix_seconds(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Randomness that keeps, masked, every draw of 32 bytes: by the house's own rule such a draw is a key or a seed.
pub struct Recorder {
    seeded: Option<Mutex<blake3::OutputReader>>,
    keys: Mutex<Vec<[u8; 32]>>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recorder")
    }
}

impl Recorder {
    /// Repeats itself from a seed.
    pub fn seeded(seed: u64) -> Arc<Self> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        Arc::new(Self { seeded: Some(Mutex::new(hasher.finalize_xof())), keys: Mutex::default() })
    }
    /// The system's, which keeps no state of its own in this process.
    pub fn system() -> Arc<Self> {
        Arc::new(Self { seeded: None, keys: Mutex::default() })
    }
    /// The keys drawn so far, each exclusive-ored with [`MASK`].
    pub fn masked_keys(&self) -> Vec<[u8; 32]> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// The keys drawn so far.
    pub fn keys(&self) -> Vec<[u8; 32]> {
        self.masked_keys().into_iter().map(|key| key.map(|byte| byte ^ MASK)).collect()
    }
}

impl Randomness for Recorder {
    fn fill(&self, out: &mut [u8]) {
        match &self.seeded {
            Some(reader) => reader.lock().unwrap_or_else(PoisonError::into_inner).fill(out),
            None => Env::system().fill(out),
        }
        if out.len() == 32 {
            let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            keys.push([0; 32]);
            if let Some(kept) = keys.last_mut() {
                kept.iter_mut().zip(out).for_each(|(kept, byte)| *kept = *byte ^ MASK);
            }
        }
    }
}

/// A made-up word for a purpose: 16 lower-case letters that stand in no program file.
pub fn word(purpose: &str) -> Zeroizing<String> {
    let hash = blake3::hash(purpose.as_bytes());
    let mut word = Zeroizing::new(String::with_capacity(16));
    for pair in hash.as_bytes().chunks(2).take(8) {
        word.push(char::from(b"bdfgklmnprstvz"[usize::from(pair[0]) % 14]));
        word.push(char::from(b"aeiou"[usize::from(pair[1]) % 5]));
    }
    word
}

/// [`word`] as a line of free text.
pub fn line(purpose: &str) -> ShortText {
    ShortText::parse(&word(purpose)).unwrap_or_else(|error| panic!("{purpose}: {}", error.code()))
}

/// [`word`] as a note.
pub fn note(purpose: &str) -> Note {
    Note::parse(&word(purpose)).unwrap_or_else(|error| panic!("{purpose}: {}", error.code()))
}

/// [`word`] as an alias.
pub fn alias(purpose: &str) -> Alias {
    Alias::parse(&word(purpose)).unwrap_or_else(|error| panic!("{purpose}: {}", error.code()))
}

/// The passphrase of every store here.
pub fn passphrase() -> Passphrase {
    Passphrase::new(word("passphrase").as_bytes()).unwrap_or_else(|error| panic!("{}", error.code()))
}

/// Founds a team of one in `dir`.
pub fn found(dir: &Path, env: Env) -> Result<Founded, Error> {
    let passphrase = passphrase();
    let credentials = Credentials { passphrase: &passphrase, protector: None, cost: KeyCost::Least };
    Store::found(dir, env, &credentials, &Founding { time_zone: "America/Los_Angeles".into(), member_name: line("member") })
}

/// An encounter with nothing but a note.
pub fn encounter(participant: Option<RecordId>, zone: Option<RecordId>, purpose: &str) -> EncounterDraft {
    let offers = [Outcome::Accepted, Outcome::Declined].map(|outcome| offer(outcome, false)).to_vec();
    EncounterDraft { kind: EncounterKind::Street, participant, zone, offers, note: Some(note(purpose)) }
}

/// One offer of [`kit`].
pub fn offer(outcome: Outcome, keep_refusal: bool) -> OfferDraft {
    OfferDraft { resource: kit(), quantity: 1, outcome, keep_refusal }
}

/// A resource that needs no catalogue.
pub const fn kit() -> ResourceId {
    ResourceId::from_bytes([7; 16])
}

/// A participant with every field filled.
pub fn participant() -> ParticipantDraft {
    ParticipantDraft {
        alias: Some(alias("alias")),
        pronouns: Some(line("pronouns")),
        language: Some(line("language")),
        contact: Some(line("contact")),
        goals: vec![line("goal 1"), line("goal 2")],
        recognition_word: Some(line("recognition word")),
    }
}

/// A package with one resource whose every text is a [`word`].
pub fn catalogue_package() -> Vec<u8> {
    let text = |purpose| word(purpose).to_string();
    let resource = Resource {
        id: satchel_core::catalogue::ResourceId::derive("1", None, "x"),
        category: Category::Food,
        name: text("resource name"),
        provider: text("resource provider"),
        // long and repetitive, so that compressing hides it
        description: format!("{0} {0} {0} {1}", *word("resource description"), "soup and bread ".repeat(20)).trim().to_owned(),
        cost: None,
        eligibility: Some(text("resource eligibility")),
        demands: Known::default(),
        shares_data_with: Known::default(),
        faith_or_rescue: None,
        excludes: Known::default(),
        languages: Vec::new(),
        hours: Hours::default(),
        phone: None,
        address: None,
        url: None,
        last_verified: None,
    };
    let catalogue = Catalogue::new(text("catalogue"), "https://example.org".into(), "CC0".into(), None, vec![resource]);
    let package = catalogue.and_then(|catalogue| CataloguePackage::build(&catalogue));
    package.unwrap_or_else(|error| panic!("{}", error.code())).into_bytes()
}

/// The purposes of all words that [`work`] plants and that a store may hold sealed.
pub const PLANTED: &[&str] = &[
    "member", "member renamed", "zone", "alias", "pronouns", "language", "contact", "goal 1", "goal 2", "recognition word", "alias edited",
    "pronouns edited", "language edited", "contact edited", "goal 3", "recognition word edited", "encounter", "encounter corrected",
    "anonymous encounter", "follow-up", "follow-up contact", "referral words", "resource note", "resource note edited", "resource name",
    "resource provider", "resource description", "resource eligibility", "catalogue", "passphrase", "refused encounter", "refused goal",
    "refused follow-up",
];

/// What [`work`] left.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// The participant.
    pub participant: RecordId,
    /// Their encounter.
    pub encounter: RecordId,
    /// Their follow-up.
    pub follow_up: RecordId,
    /// Their self-referral.
    pub referral: RecordId,
    /// The secret of an invitation that nobody has used, exclusive-ored with [`MASK`].
    pub masked_invitation: [u8; 16],
}

/// Does everything that the public API can do with records, and calls `after` with a name after each operation.
pub fn work(store: &Unlocked, after: &mut dyn FnMut(&'static str)) -> Result<Work, Error> {
    store.name_member(&line("member renamed"))?;
    after("member renamed");
    let zone = store.create_zone(&line("zone"))?;
    after("zone");
    let participant = store.create_participant(&participant(), HowGiven::Spoken, "en")?;
    after("participant");
    let edit = ParticipantEdit {
        alias: Some(alias("alias edited")),
        pronouns: Some(line("pronouns edited")),
        language: Some(line("language edited")),
        contact: Some(line("contact edited")),
        goals: Some(vec![line("goal 3"), line("goal 1")]),
        recognition_word: Some(line("recognition word edited")),
        closed: Some(false),
    };
    store.edit_participant(participant, &edit)?;
    after("participant edited");
    let met = store.save_encounter(&encounter(Some(participant), Some(zone), "encounter"))?;
    after("encounter");
    store.correct_encounter(met, &encounter(Some(participant), Some(zone), "encounter corrected"))?;
    after("encounter corrected");
    store.save_encounter(&encounter(None, Some(zone), "anonymous encounter"))?;
    after("anonymous encounter");
    store.tally(&[TallyTap { resource: kit(), outcome: Outcome::Accepted, count: 3 }])?;
    after("tally");
    let today = store.today()?;
    let promise = |participant, what| FollowUpDraft {
        participant,
        what: line(what),
        from: today,
        until: today.plus(7),
        contact: Some(line("follow-up contact")),
    };
    let follow_up = store.save_follow_up(&promise(participant, "follow-up"))?;
    after("follow-up");
    store.set_follow_up_state(follow_up, FollowUpState::Done)?;
    after("follow-up done");
    let referral = store.save_self_referral(&SelfReferralDraft {
        participant,
        started_by: StartedBy::ParticipantWithWorker,
        to: kit(),
        words: Some(line("referral words")),
        status: ReferralStatus::Thinking,
    })?;
    after("referral");
    store.set_referral_status(referral, ReferralStatus::Asked)?;
    after("referral status");
    store.save_resource_note(kit(), &note("resource note"))?;
    store.save_resource_note(kit(), &note("resource note edited"))?;
    after("resource note");
    store.publish_catalogue(&catalogue_package())?;
    after("catalogue");
    store.begin_turn()?;
    after("turn");
    let masked_invitation = masked_secret(&store.invite(Role::Worker, "")?);
    after("invitation");
    let nobody = RecordId::from_bytes([9; 16]);
    let refused = [
        store.save_encounter(&encounter(None, Some(nobody), "refused encounter")).map(|_| ()),
        store.save_encounter(&encounter(Some(nobody), None, "refused encounter")).map(|_| ()),
        store.create_participant(
            &ParticipantDraft { goals: (0..17).map(|_| line("refused goal")).collect(), ..ParticipantDraft::default() },
            HowGiven::Spoken,
            "en",
        )
        .map(|_| ()),
        store.save_follow_up(&promise(nobody, "refused follow-up")).map(|_| ()),
    ];
    assert!(refused.iter().all(Result::is_err), "each of these is refused");
    after("refused operations");
    Ok(Work { participant, encounter: met, follow_up, referral, masked_invitation })
}

fn masked_secret(invitation: &Invitation) -> [u8; 16] {
    let text = Zeroizing::new(invitation.to_text());
    let bytes = text.strip_prefix("SATCHEL1:").and_then(|rest| BASE32_NOPAD.decode(rest.as_bytes()).ok()).map(Zeroizing::new);
    let mut masked = [MASK; 16];
    masked.iter_mut().zip(bytes.iter().flat_map(|bytes| &bytes[32..48])).for_each(|(masked, byte)| *masked ^= byte);
    masked
}

/// A value to be held or dropped.
pub type Held = Box<dyn std::any::Any>;
/// One call of the public API on what [`work`] left.
pub type Operation = fn(&Unlocked, &Work) -> Result<Held, Error>;

/// Reads, in lists and one by one, of everything that [`work`] wrote.
pub const READS: &[(&str, Operation)] = &[
    ("participants", |store, _| Ok(Box::new(store.participants()?))),
    ("participant", |store, done| Ok(Box::new(store.participant(done.participant)?))),
    ("encounters", |store, _| Ok(Box::new(store.encounters(None)?))),
    ("encounter", |store, done| Ok(Box::new(store.encounter(done.encounter)?))),
    ("follow-ups", |store, _| Ok(Box::new(store.follow_ups()?))),
    ("follow-up", |store, done| Ok(Box::new(store.follow_up(done.follow_up)?))),
    ("self-referrals", |store, _| Ok(Box::new(store.self_referrals()?))),
    ("self-referral", |store, done| Ok(Box::new(store.self_referral(done.referral)?))),
    ("zones", |store, _| Ok(Box::new(store.zones()?))),
    ("resource note", |store, _| Ok(Box::new(store.resource_note(kit())?))),
    ("tallies", |store, _| Ok(Box::new(store.tallies()?))),
    ("catalogue", |store, _| Ok(Box::new(store.catalogue()?))),
    ("team", |store, _| Ok(Box::new(store.team()?))),
    ("waiting", |store, _| Ok(Box::new(store.waiting()?))),
];

/// Writes that may be repeated.
pub const WRITES: &[(&str, Operation)] = &[
    ("nothing", |_, _| Ok(Box::new(()))),
    ("member renamed", |store, _| Ok(Box::new(store.name_member(&line("member"))?))),
    ("zone created", |store, _| Ok(Box::new(store.create_zone(&line("zone"))?))),
    ("participant created", |store, _| Ok(Box::new(store.create_participant(&participant(), HowGiven::Spoken, "en")?))),
    ("encounter saved", |store, done| Ok(Box::new(store.save_encounter(&encounter(Some(done.participant), None, "encounter"))?))),
    ("encounter corrected", |store, done| {
        Ok(Box::new(store.correct_encounter(done.encounter, &encounter(Some(done.participant), None, "encounter corrected"))?))
    }),
    ("encounter refused", |store, _| {
        Ok(Box::new(store.save_encounter(&encounter(Some(RecordId::from_bytes([9; 16])), None, "refused encounter")).is_err()))
    }),
    ("tally", |store, _| Ok(Box::new(store.tally(&[TallyTap { resource: kit(), outcome: Outcome::Later, count: 1 }])?))),
    ("follow-up state", |store, done| Ok(Box::new(store.set_follow_up_state(done.follow_up, FollowUpState::Open)?))),
    ("resource note saved", |store, _| Ok(Box::new(store.save_resource_note(kit(), &note("resource note"))?))),
    ("catalogue published", |store, _| Ok(Box::new(store.publish_catalogue(&catalogue_package())?))),
    ("turn", |store, _| Ok(Box::new(store.begin_turn()?))),
];

/// Everything that lists and single reads show, as one text: two states are the same to a user exactly if these are.
pub fn view(store: &Unlocked) -> Result<String, Error> {
    let text = |text: &Option<ShortText>| text.as_ref().map(|text| text.as_str().to_owned());
    let mut view = Vec::new();
    for line in store.participants()? {
        let file = store.participant(line.id)?;
        let goals: Vec<&str> = file.goals.iter().map(ShortText::as_str).collect();
        let texts = [&file.pronouns, &file.language, &file.contact, &file.recognition_word].map(text);
        view.push(format!("{} {:?} {:?} {goals:?} {texts:?}", line.id, line.last_day, line.alias.as_ref().map(Alias::as_str)));
    }
    for line in store.encounters(None)? {
        let shown = store.encounter(line.id)?;
        view.push(format!("{line:?} {:?} {:?}", shown.value.note().map(|note| note.as_str().to_owned()), shown.value.offers));
    }
    for line in store.follow_ups()? {
        view.push(format!("{line:?} {:?} {:?}", text(&line.what), text(&store.follow_up(line.id)?.contact)));
    }
    for line in store.self_referrals()? {
        view.push(format!("{line:?} {:?}", text(&store.self_referral(line.id)?.words)));
    }
    view.extend(store.zones()?.iter().map(|line| format!("{} {:?}", line.id, text(&line.name))));
    view.push(format!("{:?}", store.resource_note(kit())?.map(|note| note.as_str().to_owned())));
    view.push(format!("{:?} {:?}", store.tally_waiting(store.today()?)?, store.catalogue_info()?));
    Ok(view.join("\n"))
}
