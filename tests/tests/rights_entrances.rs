//! What can never be stored, tried at all five entrances: the API, the bindings for apps, files that are imported, frames of a
//! member with valid keys, and a database that an older app wrote.
//!
//! Each row is one thing that a requirement rules out, by its id. At each entrance it is refused by name or comes to nothing; where
//! there is no entrance, the row says why, and that is checked too.
//!
//! Files that are imported: packs bring records, and are tried here. A share packet brings facts of a closed list, under a purpose of a
//! closed list (`tests/vectors/packets` holds those that are refused); a catalogue holds services and nobody; a recovery package
//! holds keys, and what they open is judged as frames are.
//!
//! Of the requirements that say "never", these are not in the table. R04: a status that nobody chose reads as the first one, and the two
//! closed lists stand in the row of R28. R05, R17, R20, R22, R24, R30, R33 and R34 ask for something to be there. R11 and R12 speak of
//! what leaves, R18 and R19 of the board; R21 and R26 of what need not be said: see `rights.rs`. R23 and R29 are the log's, below.

#![allow(clippy::unwrap_used)]

use satchel_core::consent::{Act, Charter, GatedCategory, Grant, GrantRequest, HowGiven, Language, Purpose, ShareClass, words};
use satchel_core::crypto::{SigningKey, labels};
use satchel_core::document::Value;
use satchel_core::error::Error;
use satchel_core::record::{
    Encounter, EncounterKind, EntryContent, FactField, FollowUpDraft, FollowUpState, Kind, Offer, Outcome, ParticipantDraft,
    ReferralStatus, SharingEvent, StartedBy, Tally, TallyLine,
};
use satchel_core::screen::{Alias, ShortText};
use satchel_core::store::{CharterChange, EncounterDraft, OfferDraft};
use satchel_core::team::pack::PackSealer;
use satchel_core::team::{Action, Operation, Role};
use satchel_ffi::UniFfiTag;
use satchel_tests::attacker::{Attacker, Forged, feed};
use satchel_tests::team::{Hub, Phone, found, join, view};
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::ids::{RecordId, ResourceId};
use uniffi::{Lift, Lower};

const START: u64 = 1_795_370_000;
/// Stands in every text that must not be shown.
const MARK: &str = "quagga";

/// Ana keeps to the rules and has a file of Blue; Mallory's app does not.
struct Stage {
    _folder: tempfile::TempDir,
    _hub: Hub,
    ana: Phone,
    mallory: Attacker,
    blue: RecordId,
    court: RecordId,
    day: ShiftDay,
}

impl Stage {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (hub, address) = Hub::new(folder.path(), START);
        let ana = found(folder.path(), seed, "Ana", START);
        ana.unlocked.set_relay(&address).unwrap();
        let mallory = Attacker::join(seed, "Mallory", &ana, Role::Worker);
        let draft = ParticipantDraft { alias: Some(Alias::parse("Blue").unwrap()), ..ParticipantDraft::default() };
        let blue = ana.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap();
        let court = ana.unlocked.add_recipient("County court", ShareClass::Justice).unwrap();
        let day = ana.unlocked.today().unwrap();
        Self { _folder: folder, _hub: hub, ana, mallory, blue, court, day }
    }

    fn id(&self) -> RecordId {
        RecordId::from_bytes(self.mallory.env.random())
    }

    fn entry(&mut self, kind: Kind, about: Option<RecordId>, content: &[u8], until: u16) -> Forged {
        let mut header = self.mallory.header(kind, self.day);
        header.keep_until = Some(self.day.plus(until));
        let binding = self.mallory.binding(self.id(), kind, about, self.day);
        self.mallory.seal(binding, &header, content)
    }

    fn field(&mut self, kind: Kind, id: RecordId, about: RecordId, field: &str, value: Value) -> Forged {
        let day = self.day;
        self.mallory.document(id, kind, Some(about), day, |edit| edit.set(field, value))
    }

    /// What a phone says of a frame of this body: applied, or a code.
    fn frame(&self, forged: &Forged) -> &'static str {
        let taken = feed(&self.ana, &[self.mallory.cover(forged)]);
        taken.codes.first().copied().unwrap_or("applied")
    }

    /// What a phone says of a pack with this body in it.
    fn pack(&self, forged: &Forged) -> &'static str {
        let commons = self.mallory.opened.secret.commons();
        let (mut sealer, mut file) = PackSealer::begin(&self.mallory.env, self.mallory.team, &commons);
        file.extend(sealer.chunk(&self.mallory.env, &[self.mallory.cover(forged)], true).unwrap());
        let mut reader = self.ana.unlocked.read_pack();
        reader.receive(&file).unwrap();
        let report = reader.finish().unwrap();
        assert!(report.is_complete, "control: the whole pack is read");
        report.rows.codes.first().copied().unwrap_or("applied")
    }

    /// An older app stored it, and this one opens the database.
    fn older_database(&mut self, forged: &Forged) {
        self.ana.unlocked.dangerous_take(&forged.binding, &forged.key, &forged.body.bytes).unwrap();
        self.ana.restart();
    }

    /// Everything that the phone shows of Blue and of the team.
    fn shown(&self) -> String {
        let unlocked = &self.ana.unlocked;
        let mut out = view(&self.ana);
        out.push_str(&format!("{:?}", unlocked.grants(self.blue).unwrap()));
        out.push_str(&format!("{:?}", unlocked.sharing_log(self.blue).unwrap()));
        out.push_str(&format!("{:?}", unlocked.vaults(self.blue).unwrap()));
        let holding = unlocked.hold_on_me(self.blue).unwrap();
        out.push_str(&format!("{holding:?}"));
        out.push_str(&Language::ALL.map(|language| holding.page(language).to_text()).join("\n"));
        out
    }
}

/// What there is at an entrance that takes values and not bytes.
enum Door {
    /// It is refused with this code.
    Refuses(fn(&Stage) -> String, &'static str),
    /// It comes to nothing: what is asked of the stage holds.
    Nothing(fn(&Stage) -> bool, &'static str),
    /// There is no value to say it with.
    NoValue(fn() -> bool, &'static str),
}

impl Door {
    #[track_caller]
    fn try_at(&self, stage: &Stage, row: &str) {
        match self {
            Self::Refuses(act, code) => assert_eq!(act(stage), *code, "{row}"),
            Self::Nothing(act, why) => assert!(act(stage), "{row}: {why}"),
            Self::NoValue(none, why) => assert!(none(), "{row}: {why}"),
        }
    }
}

/// What is left of it in a database that an older app wrote.
enum Left {
    /// The record does not open, by this call.
    Damaged(fn(&Phone, RecordId) -> Result<(), Error>),
    /// It counts for nothing.
    Void(fn(&Stage, RecordId) -> bool),
    /// What it says is shown nowhere.
    Unseen,
}

/// One thing that can never be stored.
struct Row {
    id: &'static str,
    what: &'static str,
    forge: fn(&mut Stage) -> Forged,
    api: Door,
    ffi: Door,
    /// The verdict on frames, and on packs: nothing else is imported that holds records.
    verdict: &'static str,
    left: Left,
}

fn code<T>(result: Result<T, Error>) -> String {
    result.err().map_or_else(|| "taken".to_owned(), |error| error.code().to_owned())
}

fn meeting(offers: Vec<Offer>) -> Encounter {
    let mut met = Encounter::new(EncounterKind::Street);
    met.offers = offers;
    met
}

fn encoded(met: Encounter) -> Vec<u8> {
    EntryContent::first(met).to_bytes()
}

/// A plain meeting with one more pair in its map, as another app may write it.
fn meeting_with(field: u8, text: &str) -> Vec<u8> {
    let mut bytes = encoded(meeting(Vec::new()));
    let map = bytes.len() - 5;
    assert_eq!(bytes[map..], [0xa2, 0x00, 0x01, 0x02, 0x80], "kind 1, no offers");
    bytes[map] += 1;
    bytes.extend([field, 0x60 + u8::try_from(text.len()).unwrap()]);
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

fn file_grant(day: ShiftDay) -> Grant {
    Grant::for_file(day, 30, HowGiven::Spoken, "en", Vec::new())
}

fn share_grant(day: ShiftDay, recipient: Option<RecordId>, class: ShareClass, number: u16) -> Grant {
    Grant {
        act: Act::Share,
        categories: vec![GatedCategory::LegalName],
        recipient,
        class: Some(class),
        words_version: number,
        ..file_grant(day)
    }
}

fn request(stage: &Stage) -> GrantRequest {
    GrantRequest {
        act: Act::Share,
        categories: vec![GatedCategory::LegalName],
        recipient: None,
        purpose: Purpose::HousingApplication,
        start: None,
        expiry: stage.day.plus(30),
        how: HowGiven::Spoken,
        language: Language::English,
    }
}

/// A grant with one of its small numbers replaced.
fn grant_with(day: ShiftDay, from: [u8; 2], to: u8) -> Vec<u8> {
    let mut bytes = EntryContent::first(file_grant(day)).to_bytes();
    let at = bytes.windows(2).rposition(|pair| pair == from).unwrap();
    bytes[at + 1] = to;
    bytes
}

fn opens_encounter(phone: &Phone, id: RecordId) -> Result<(), Error> {
    let lines = phone.unlocked.encounters(None)?;
    assert!(lines.iter().any(|line| line.id == id && line.offers == 0), "that there was a meeting is listed, and nothing of it");
    phone.unlocked.encounter(id).map(drop)
}

fn gives_nothing(stage: &Stage, id: RecordId) -> bool {
    let lines = stage.ana.unlocked.grants(stage.blue).unwrap();
    lines.iter().filter(|line| line.id == id).all(|line| line.live.is_empty() && line.grant.is_none())
}

/// Whether bytes from an app become a value: the very step that every call of the bindings takes first.
fn lifts<T: Lift<UniFfiTag>>(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    T::try_read(&mut rest).is_ok() && rest.is_empty()
}

/// The bindings know the numbers 1 to `count` of a closed list, and no other.
fn is_closed<T: Lift<UniFfiTag>>(count: usize) -> bool {
    let known = (1..=i32::try_from(count).unwrap()).all(|number| lifts::<T>(&number.to_be_bytes()));
    let others = [i32::MIN, -1, 0, i32::try_from(count).unwrap() + 1, 99, i32::MAX];
    known && others.iter().all(|number| !lifts::<T>(&number.to_be_bytes()))
}

/// The bindings take these bytes of a value, and not one field more.
fn has_no_more<T: Lift<UniFfiTag> + Lower<UniFfiTag>>(value: T) -> bool {
    let mut bytes = Vec::new();
    T::write(value, &mut bytes);
    let mut more = bytes.clone();
    <String as Lower<UniFfiTag>>::write(MARK.to_owned(), &mut more);
    lifts::<T>(&bytes) && !lifts::<T>(&more)
}

fn ffi_meeting() -> satchel_ffi::EncounterDraft {
    satchel_ffi::EncounterDraft { kind: EncounterKind::Street, participant: None, zone: None, offers: Vec::new(), note: None }
}

fn ffi_file() -> satchel_ffi::ParticipantDraft {
    satchel_ffi::ParticipantDraft {
        how: HowGiven::Spoken,
        words_language: "en".into(),
        alias: None,
        pronouns: None,
        language: None,
        contact: None,
        goals: Vec::new(),
        recognition_word: None,
    }
}

/// A team of its own behind the bindings, with one file.
fn behind_ffi<T>(act: impl FnOnce(&satchel_ffi::Unlocked, RecordId) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("ana").display().to_string();
    let passphrase = b"correct horse battery staple".to_vec();
    let founded = satchel_ffi::found_team(&dir, passphrase, "America/Los_Angeles".into(), "Ana", satchel_ffi::KeyCost::Least, None);
    let unlocked = founded.unwrap().unlocked();
    // the bindings let no panic speak; a failing test has to
    drop(std::panic::take_hook());
    let blue = unlocked.create_participant(ffi_file()).unwrap();
    act(&unlocked, blue)
}

fn ffi_code<T>(result: Result<T, satchel_ffi::FfiError>) -> String {
    use satchel_ffi::FfiError;
    match result.err() {
        None => "taken".to_owned(),
        Some(FfiError::InvalidInput { code, .. } | FfiError::Refused { code, .. } | FfiError::NoConsent { code, .. }) => code,
        Some(other) => format!("{other:?}"),
    }
}

const NO_FIELD: &str = "a meeting and a file have no such field";
const NO_NAME: &str = "the closed list has no such value";

/// A field of the file that no requirement lets anybody write.
macro_rules! field_of_a_file {
    ($id:literal, $what:literal, $field:literal) => {
        Row {
            id: $id,
            what: $what,
            forge: |stage| {
                let blue = stage.blue;
                stage.field(Kind::Participant, blue, blue, $field, Value::Text(MARK.into()))
            },
            api: Door::NoValue(
                || {
                    // every field by name: one more, and this does not compile
                    let ParticipantDraft { alias: _, pronouns: _, language: _, contact: _, goals: _, recognition_word: _ } =
                        ParticipantDraft::default();
                    FactField::from_name($field).is_none()
                },
                NO_FIELD,
            ),
            ffi: Door::NoValue(|| has_no_more(ffi_file()), NO_FIELD),
            verdict: "applied",
            left: Left::Unseen,
        }
    };
}

fn rows() -> Vec<Row> {
    vec![
        Row {
            id: "R01",
            what: "a meeting that is an arrest",
            forge: |stage| {
                let mut bytes = encoded(meeting(Vec::new()));
                let at = bytes.len() - 3;
                bytes[at] = 5;
                stage.entry(Kind::Encounter, Some(stage.blue), &bytes, 30)
            },
            api: Door::NoValue(|| EncounterKind::ALL.len() == 4 && EncounterKind::from_name("arrest").is_none(), NO_NAME),
            ffi: Door::NoValue(|| is_closed::<EncounterKind>(EncounterKind::ALL.len()), NO_NAME),
            verdict: "entry_malformed",
            left: Left::Damaged(opens_encounter),
        },
        Row {
            id: "R02",
            what: "an outcome that somebody failed",
            forge: |stage| {
                let offer = Offer::new(ResourceId::from_bytes([1; 16]), Outcome::AlreadyHas);
                let mut bytes = encoded(meeting(vec![offer]));
                let at = bytes.iter().rposition(|byte| *byte == 7).unwrap();
                bytes[at] = 8;
                stage.entry(Kind::Encounter, Some(stage.blue), &bytes, 30)
            },
            api: Door::NoValue(|| Outcome::ALL.len() == 8 && Outcome::from_name("failed").is_none(), NO_NAME),
            ffi: Door::NoValue(|| is_closed::<Outcome>(Outcome::ALL.len()), NO_NAME),
            verdict: "entry_malformed",
            left: Left::Damaged(opens_encounter),
        },
        Row {
            id: "R03",
            what: "a decline beside a person who did not ask for it",
            forge: |stage| {
                let declined = Offer::new(ResourceId::from_bytes([1; 16]), Outcome::Declined);
                stage.entry(Kind::Encounter, Some(stage.blue), &encoded(meeting(vec![declined])), 30)
            },
            api: Door::Nothing(
                |stage| {
                    let offers = vec![OfferDraft {
                        resource: ResourceId::from_bytes([1; 16]),
                        quantity: 1,
                        outcome: Outcome::Declined,
                        keep_refusal: false,
                    }];
                    let participant = Some(stage.blue);
                    let draft = EncounterDraft { kind: EncounterKind::Street, participant, zone: None, offers, note: None };
                    let met = stage.ana.unlocked.save_encounter(&draft).unwrap();
                    stage.ana.unlocked.encounter(met).unwrap().value.offers.is_empty()
                },
                "it is counted, and not kept with them",
            ),
            ffi: Door::Nothing(
                |_| {
                    behind_ffi(|unlocked, blue| {
                        let offers = vec![OfferDraft {
                            resource: ResourceId::from_bytes([1; 16]),
                            quantity: 1,
                            outcome: Outcome::Declined,
                            keep_refusal: false,
                        }];
                        let draft = satchel_ffi::EncounterDraft { participant: Some(blue), offers, ..ffi_meeting() };
                        let met = unlocked.save_encounter(draft).unwrap();
                        unlocked.encounter(met).unwrap().offers.is_empty()
                    })
                },
                "it is counted, and not kept with them",
            ),
            verdict: "entry_value",
            left: Left::Damaged(opens_encounter),
        },
        Row {
            id: "R03",
            what: "a sum that is about somebody",
            forge: |stage| {
                let line = TallyLine { resource: ResourceId::from_bytes([1; 16]), outcome: Outcome::Declined, count: 1 };
                let tally = EntryContent::first(Tally { lines: vec![line] }).to_bytes();
                stage.entry(Kind::Tally, Some(stage.blue), &tally, 30)
            },
            api: Door::NoValue(
                || {
                    let satchel_core::store::TallyTap { resource: _, outcome: _, count: _ } =
                        satchel_core::store::TallyTap { resource: ResourceId::from_bytes([1; 16]), outcome: Outcome::Declined, count: 1 };
                    true
                },
                "a tap names nobody",
            ),
            ffi: Door::NoValue(
                || {
                    has_no_more(satchel_core::store::TallyTap {
                        resource: ResourceId::from_bytes([1; 16]),
                        outcome: Outcome::Declined,
                        count: 1,
                    })
                },
                "a tap names nobody",
            ),
            verdict: "refused_subject",
            left: Left::Void(|stage, _| stage.ana.unlocked.hold_on_me(stage.blue).is_ok_and(|held| !format!("{held:?}").contains("tally"))),
        },
        field_of_a_file!("R06", "whether somebody is sober", "sober"),
        field_of_a_file!("R07", "a flag on somebody", "flag"),
        Row {
            id: "R08",
            what: "a file of somebody who did not say yes",
            forge: |stage| {
                let stranger = stage.id();
                stage.field(Kind::Participant, stranger, stranger, "alias", Value::Text(MARK.into()))
            },
            api: Door::Refuses(
                |stage| {
                    let (participant, day) = (RecordId::from_bytes([8; 16]), stage.day);
                    let what = ShortText::parse("a tent").unwrap();
                    code(stage.ana.unlocked.save_follow_up(&FollowUpDraft { participant, what, from: day, until: day, contact: None }))
                },
                "no_grant",
            ),
            ffi: Door::Refuses(
                |_| {
                    let stranger = Some(RecordId::from_bytes([8; 16]));
                    let draft = satchel_ffi::EncounterDraft { participant: stranger, ..ffi_meeting() };
                    behind_ffi(|unlocked, _| ffi_code(unlocked.save_encounter(draft)))
                },
                "no_grant",
            ),
            verdict: "held_no_grant",
            left: Left::Void(|stage, id| {
                // the name may stand in a list that shows what it was given; nothing can be written about them, and nothing is held
                stage.ana.unlocked.grants(id).unwrap().is_empty()
                    && stage.ana.unlocked.participants().unwrap().iter().all(|line| line.id != id)
                    && stage.ana.unlocked.participant(id).is_err()
            }),
        },
        Row {
            id: "R09",
            what: "a share with anybody",
            forge: |stage| {
                let anyone =
                    share_grant(stage.day, None, ShareClass::Service, words::current(Act::Share, false, Some(ShareClass::Service)));
                stage.entry(Kind::Grant, Some(stage.blue), &EntryContent::first(anyone).to_bytes(), 30)
            },
            api: Door::Refuses(|stage| code(stage.ana.unlocked.give_grant(stage.blue, &request(stage))), "grant_wildcard"),
            ffi: Door::Refuses(|stage| behind_ffi(|unlocked, blue| ffi_code(unlocked.give_grant(blue, request(stage)))), "grant_wildcard"),
            verdict: "entry_value",
            left: Left::Void(gives_nothing),
        },
        Row {
            id: "R09",
            what: "a yes that never ends",
            forge: |stage| {
                let endless = Grant { expiry: stage.day.plus(4_000), ..file_grant(stage.day) };
                stage.entry(Kind::Grant, Some(stage.blue), &EntryContent::first(endless).to_bytes(), 366)
            },
            api: Door::Refuses(
                |stage| {
                    let endless = GrantRequest { act: Act::Record, expiry: stage.day.plus(4_000), ..request(stage) };
                    code(stage.ana.unlocked.give_grant(stage.blue, &endless))
                },
                "grant_too_long",
            ),
            ffi: Door::Refuses(
                |stage| {
                    let endless = GrantRequest { act: Act::Record, expiry: stage.day.plus(4_000), ..request(stage) };
                    behind_ffi(|unlocked, blue| ffi_code(unlocked.give_grant(blue, endless)))
                },
                "grant_too_long",
            ),
            verdict: "entry_value",
            left: Left::Void(gives_nothing),
        },
        Row {
            id: "R09",
            what: "a yes to record and to share in one",
            forge: |stage| {
                let bytes = grant_with(stage.day, [0, 1], 3);
                stage.entry(Kind::Grant, Some(stage.blue), &bytes, 30)
            },
            api: Door::Refuses(
                |stage| {
                    let bundle = GrantRequest { act: Act::Record, recipient: Some(stage.court), ..request(stage) };
                    code(stage.ana.unlocked.give_grant(stage.blue, &bundle))
                },
                "grant_bundled",
            ),
            ffi: Door::NoValue(|| is_closed::<Act>(2), NO_NAME),
            verdict: "entry_malformed",
            left: Left::Void(gives_nothing),
        },
        field_of_a_file!("R10", "how well somebody takes part", "engagement"),
        field_of_a_file!("R13", "with whom somebody is seen", "associates"),
        Row {
            id: "R14",
            what: "a yes for an investigation",
            forge: |stage| {
                let bytes = grant_with(stage.day, [3, 1], 9);
                stage.entry(Kind::Grant, Some(stage.blue), &bytes, 30)
            },
            api: Door::NoValue(|| Purpose::ALL.len() == 8 && Purpose::from_name("investigation").is_none(), NO_NAME),
            ffi: Door::NoValue(|| is_closed::<Purpose>(Purpose::ALL.len()), NO_NAME),
            verdict: "entry_malformed",
            left: Left::Void(gives_nothing),
        },
        Row {
            id: "R15",
            what: "a share with a court under the words for a service",
            forge: |stage| {
                let service = words::current(Act::Share, false, Some(ShareClass::Service));
                let share =
                    Grant { purpose: Purpose::LegalDefence, ..share_grant(stage.day, Some(stage.court), ShareClass::Justice, service) };
                stage.entry(Kind::Grant, Some(stage.blue), &EntryContent::first(share).to_bytes(), 30)
            },
            api: Door::Refuses(
                |stage| {
                    let share = GrantRequest { recipient: Some(stage.court), purpose: Purpose::LegalDefence, ..request(stage) };
                    code(stage.ana.unlocked.give_grant(stage.blue, &share))
                },
                "grant_justice_denied",
            ),
            ffi: Door::Refuses(
                |stage| {
                    behind_ffi(|unlocked, blue| {
                        let court = unlocked.add_recipient("County court", ShareClass::Justice).unwrap();
                        let share = GrantRequest { recipient: Some(court), purpose: Purpose::LegalDefence, ..request(stage) };
                        ffi_code(unlocked.give_grant(blue, share))
                    })
                },
                "grant_justice_denied",
            ),
            verdict: "entry_value",
            left: Left::Void(gives_nothing),
        },
        field_of_a_file!("R25", "that somebody is barred", "barred"),
        field_of_a_file!("R27", "where somebody was born", "country_of_birth"),
        Row {
            id: "R28",
            what: "a referral that an officer began",
            forge: |stage| {
                let (id, blue) = (stage.id(), stage.blue);
                stage.field(Kind::SelfReferral, id, blue, "started_by", Value::Text(MARK.into()))
            },
            api: Door::NoValue(|| StartedBy::ALL.len() == 2 && StartedBy::from_name("officer").is_none(), NO_NAME),
            ffi: Door::NoValue(
                || is_closed::<StartedBy>(StartedBy::ALL.len()) && is_closed::<ReferralStatus>(ReferralStatus::ALL.len()),
                NO_NAME,
            ),
            verdict: "applied",
            left: Left::Unseen,
        },
        Row {
            id: "R31",
            what: "a meeting with an offence in it",
            forge: |stage| {
                let bytes = meeting_with(5, "484");
                stage.entry(Kind::Encounter, Some(stage.blue), &bytes, 30)
            },
            api: Door::NoValue(
                || {
                    let EncounterDraft { kind: _, participant: _, zone: _, offers: _, note: _ } =
                        EncounterDraft { kind: EncounterKind::Street, participant: None, zone: None, offers: Vec::new(), note: None };
                    let OfferDraft { resource: _, quantity: _, outcome: _, keep_refusal: _ } = OfferDraft {
                        resource: ResourceId::from_bytes([1; 16]),
                        quantity: 1,
                        outcome: Outcome::Accepted,
                        keep_refusal: false,
                    };
                    true
                },
                NO_FIELD,
            ),
            ffi: Door::NoValue(|| has_no_more(ffi_meeting()), NO_FIELD),
            verdict: "entry_malformed",
            left: Left::Damaged(opens_encounter),
        },
        Row {
            id: "R32",
            what: "a meeting with a place on the map",
            forge: |stage| {
                let bytes = meeting_with(6, "37.77,-122.41");
                stage.entry(Kind::Encounter, None, &bytes, 30)
            },
            api: Door::NoValue(|| EncounterKind::from_name("37.77,-122.41").is_none(), "a zone is a random code: R31 names every field"),
            ffi: Door::NoValue(|| has_no_more(ffi_meeting()), NO_FIELD),
            verdict: "entry_malformed",
            left: Left::Damaged(opens_encounter),
        },
        Row {
            id: "R32",
            what: "a sum with a zone",
            forge: |stage| {
                let line = TallyLine { resource: ResourceId::from_bytes([1; 16]), outcome: Outcome::Accepted, count: 1 };
                let mut tally = EntryContent::first(Tally { lines: vec![line] }).to_bytes();
                let map = tally.iter().rposition(|byte| *byte == 0xa1).unwrap();
                tally[map] += 1;
                tally.extend([0x01, 0x41, 0x07]);
                stage.entry(Kind::Tally, None, &tally, 30)
            },
            api: Door::NoValue(|| true, "a tap has three fields: see the row of R03"),
            ffi: Door::NoValue(
                || is_closed::<SharingEvent>(SharingEvent::ALL.len()) && is_closed::<FollowUpState>(FollowUpState::ALL.len()),
                "nor has a tap behind the bindings: see the row of R03; the other closed lists are closed too",
            ),
            verdict: "entry_malformed",
            left: Left::Damaged(|phone, _| phone.unlocked.tallies().map(drop)),
        },
    ]
}

#[test]
fn what_can_never_be_stored_is_stopped_at_every_entrance() {
    let mut tried = Vec::new();
    for (at, row) in rows().into_iter().enumerate() {
        let name = format!("{}, {}", row.id, row.what);
        let mut stage = Stage::new(100 + at as u64);
        row.api.try_at(&stage, &format!("{name}: API"));
        row.ffi.try_at(&stage, &format!("{name}: bindings"));
        let forged = (row.forge)(&mut stage);
        assert_eq!(stage.frame(&forged), row.verdict, "{name}: frame");
        let forged = (row.forge)(&mut stage);
        assert_eq!(stage.pack(&forged), row.verdict, "{name}: import of a pack");
        let before = stage.shown();
        let forged = (row.forge)(&mut stage);
        stage.older_database(&forged);
        let id = forged.binding.record;
        match row.left {
            Left::Damaged(open) => assert_eq!(open(&stage.ana, id), Err(Error::Damaged), "{name}: older database"),
            Left::Void(is_void) => assert!(is_void(&stage, id), "{name}: older database"),
            Left::Unseen => {}
        }
        assert!(!before.contains(MARK) && before.contains("Blue"), "{name}: frame or pack");
        if !matches!(row.left, Left::Damaged(_)) {
            let after = stage.shown();
            assert!(!after.contains(MARK) && after.contains("Blue"), "{name}: older database: {after}");
        }
        tried.push(row.id);
    }
    tried.dedup();
    assert_eq!(tried.len(), 16, "{tried:?}");
}

/// The same five entrances with what may be stored: each lets it in, so each would show what the table looks for.
#[test]
fn control_what_may_be_stored_comes_in_at_every_entrance() {
    let mut stage = Stage::new(1);
    let goal = |stage: &mut Stage, field: &str| {
        let blue = stage.blue;
        stage.field(Kind::Participant, blue, blue, field, Value::Text(MARK.into()))
    };
    assert!(!stage.shown().contains(MARK));
    let contact = goal(&mut stage, "pronouns");
    assert_eq!(stage.frame(&contact), "applied");
    assert!(stage.shown().contains(MARK), "by a frame");
    let mut stage = Stage::new(2);
    let contact = goal(&mut stage, "pronouns");
    assert_eq!(stage.pack(&contact), "applied");
    assert!(stage.shown().contains(MARK), "by a pack");
    let mut stage = Stage::new(3);
    let contact = goal(&mut stage, "pronouns");
    stage.older_database(&contact);
    assert!(stage.shown().contains(MARK), "in the database");
    let mut stage = Stage::new(4);
    let plain = encoded(meeting(Vec::new()));
    let met = stage.entry(Kind::Encounter, Some(stage.blue), &plain, 30);
    stage.older_database(&met);
    assert_eq!(stage.ana.unlocked.encounters(None).unwrap()[0].id, met.binding.record);
    assert!(stage.ana.unlocked.encounter(met.binding.record).is_ok());
    let kept = grant_with(stage.day, [3, 1], 2);
    let given = stage.entry(Kind::Grant, Some(stage.blue), &kept, 30);
    stage.older_database(&given);
    assert!(!gives_nothing(&stage, given.binding.record), "a grant with a known purpose counts");
    behind_ffi(|unlocked, blue| {
        let edited = satchel_ffi::EncounterDraft { participant: Some(blue), ..ffi_meeting() };
        assert_eq!(ffi_code(unlocked.save_encounter(edited)), "taken");
    });
}

/// The signed log has entrances of its own: R16 (no role of police), R29 (no switch), and what R15 and R23 need of the board.
mod the_log {
    use super::*;

    fn signed(signer: &SigningKey, content: &[u8]) -> Vec<u8> {
        let signature = *signer.sign(labels::SIGN_OPERATION, content).as_bytes();
        cbor::encode(&(minicbor::bytes::ByteVec::from(content.to_vec()), minicbor::bytes::ByteVec::from(signature.to_vec())))
    }

    /// The inside of an operation, as its author signed it.
    fn inside(operation: &Operation) -> Vec<u8> {
        let bytes = operation.to_bytes();
        let mut decoder = minicbor::Decoder::new(&bytes);
        decoder.array().unwrap();
        decoder.bytes().unwrap().to_vec()
    }

    fn loosened(charter: &Charter) -> Vec<u8> {
        let bytes = cbor::encode(charter);
        let mut more = bytes.clone();
        assert!((0xa0..0xb7).contains(&more[0]), "a map of less than 23 pairs");
        more[0] += 1;
        // 60: true
        more.extend([0x18, 60, 0xf5]);
        more
    }

    #[test]
    #[allow(non_snake_case, reason = "a test is found by the id of its requirement")]
    fn R16_and_R29_no_role_of_police_and_no_switch() {
        let mut stage = Stage::new(16);
        let member = stage.ana.unlocked.team().unwrap().devices.iter().find(|line| line.is_self).unwrap().member;
        let parents = vec![stage.mallory.admission().id()];
        let write = |action| Operation::write(&stage.mallory.signer, Some(stage.mallory.team), parents.clone(), stage.day, action);
        let promoted = inside(&write(Action::ChangeRole { member, role: Role::Board, cuts: Vec::new() }));
        let charter = stage.ana.unlocked.team().unwrap().charter;
        let changed = inside(&write(Action::ChangeCharter { charter: charter.clone() }));
        let role = promoted.windows(2).rposition(|pair| pair == [3, 0x80]).expect("the role, and no cuts");
        let mut police = promoted.clone();
        police[role] = 4;
        let at = changed.windows(cbor::encode(&charter).len()).position(|part| part == cbor::encode(&charter)).unwrap();
        let off = [&changed[..at], &loosened(&charter), &changed[at + cbor::encode(&charter).len()..]].concat();
        // API and bindings
        assert!(Role::from_name("police").is_none() && Role::ALL.len() == 3);
        assert!(is_closed::<Role>(3), "R16: bindings");
        let low = CharterChange { suppression: Some(4), ..CharterChange::default() };
        assert_eq!(code(stage.ana.unlocked.change_charter(&low)), "charter_out_of_bounds", "R29: API");
        // frame, and the same notice in a pack
        for (name, forged) in [("R16", &police), ("R29", &off)] {
            let bytes = signed(&stage.mallory.signer, forged);
            assert!(Operation::from_bytes(&bytes).is_err(), "{name}: no operation of any version");
            let before = (stage.ana.unlocked.team().unwrap().charter, stage.ana.unlocked.team().unwrap().devices.len());
            let notice = stage.mallory.raw_notice(vec![bytes], vec![]);
            feed(&stage.ana, std::slice::from_ref(&notice));
            let commons = stage.mallory.opened.secret.commons();
            let (mut sealer, mut file) = PackSealer::begin(&stage.mallory.env, stage.mallory.team, &commons);
            file.extend(sealer.chunk(&stage.mallory.env, std::slice::from_ref(&notice), true).unwrap());
            let mut reader = stage.ana.unlocked.read_pack();
            reader.receive(&file).unwrap();
            reader.finish().unwrap();
            let after = (stage.ana.unlocked.team().unwrap().charter, stage.ana.unlocked.team().unwrap().devices.len());
            assert_eq!(before, after, "{name}");
        }
        // control: as it was, it is an operation
        assert!(Operation::from_bytes(&signed(&stage.mallory.signer, &promoted)).is_ok());
        assert!(Operation::from_bytes(&signed(&stage.mallory.signer, &changed)).is_ok());

        // a database in which an older app kept them does not open, and says so
        let _ben = join(stage._folder.path(), 16, "Ben", START, &stage.ana, Role::Worker);
        let path = stage.ana.dir.join("store.sqlite");
        for part in [police, off] {
            let id = stage.mallory.admission().id();
            stage.ana.unlocked.store().suspend().unwrap();
            let query = "SELECT sealed FROM operation WHERE op_id = ?1";
            let connection = rusqlite::Connection::open(&path).unwrap();
            let sealed: Vec<u8> = connection.query_row(query, [id.as_bytes().as_slice()], |row| row.get(0)).unwrap();
            drop(connection);
            stage.ana.restart();
            let plain = stage.ana.unlocked.dangerous_kept_operation(&id, &sealed).unwrap();
            let whole = stage.mallory.admission().to_bytes();
            let at = plain.windows(whole.len()).position(|part| part == whole).expect("the operation stands in what is kept");
            let forged = [&plain[..at], &signed(&stage.mallory.signer, &part), &plain[at + whole.len()..]].concat();
            let resealed = stage.ana.unlocked.dangerous_seal_operation(&id, &forged).unwrap();
            let same = stage.ana.unlocked.dangerous_seal_operation(&id, &plain).unwrap();
            let put = |sealed: &[u8]| {
                stage.ana.unlocked.store().suspend().unwrap();
                let connection = rusqlite::Connection::open(&path).unwrap();
                let update = "UPDATE operation SET sealed = ?2 WHERE op_id = ?1";
                assert_eq!(connection.execute(update, (id.as_bytes().as_slice(), sealed)).unwrap(), 1);
            };
            put(&resealed);
            let store = satchel_core::store::Store::open(&stage.ana.dir, stage.ana.env.clone()).unwrap();
            assert_eq!(store.unlock(&satchel_tests::team::passphrase(), None).map(drop), Err(Error::Damaged));
            drop(store);
            put(&same);
            stage.ana.restart();
            assert_eq!(stage.ana.unlocked.participants().unwrap().len(), 1, "control: with the operation as it was it opens");
        }
    }
}
