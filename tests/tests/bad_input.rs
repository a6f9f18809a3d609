//! Bad input gets a typed error with a code and a remedy, and changes nothing.
#![allow(clippy::unwrap_used)]

use satchel_core::consent::HowGiven;
use satchel_core::crypto::Passphrase;
use satchel_core::env::Env;
use satchel_core::error::{Error, Remedy};
use satchel_core::record::{FollowUpDraft, FollowUpState, Outcome, ParticipantDraft, ParticipantEdit, ReferralStatus};
use satchel_core::screen::{Alias, Category, Note, ScreenError, ShortText};
use satchel_core::store::{Credentials, EncounterDraft, Founding, KeyCost, Store, TallyTap, Unlocked};
use satchel_core::team::{Invitation, Role};
use satchel_tests::scene::{self, DAY, NOON, Recorder, TestClock, Work, view};
use satchel_wire::RecordId;
use std::sync::Arc;
use tempfile::TempDir;

struct Place {
    folder: TempDir,
    clock: Arc<TestClock>,
    unlocked: Unlocked,
    done: Work,
}

impl Place {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = TestClock::at(NOON);
        let env = Env::new(clock.clone(), Recorder::seeded(seed));
        let unlocked = scene::found(&folder.path().join("store"), env).unwrap().unlocked;
        let done = scene::work(&unlocked, &mut |_| {}).unwrap();
        Self { folder, clock, unlocked, done }
    }

    /// Does something that is refused with this code and remedy, and finds everything as it was.
    fn refused<T>(&self, code: &str, remedy: Remedy, what: impl FnOnce(&Unlocked) -> Result<T, Error>) {
        let before = view(&self.unlocked).unwrap();
        let error = what(&self.unlocked).err().unwrap_or_else(|| panic!("{code} was expected"));
        assert_eq!((error.code(), error.remedy()), (code, remedy));
        assert_eq!(view(&self.unlocked).unwrap(), before, "{code}");
    }
}

const NOBODY: RecordId = RecordId::from_bytes([9; 16]);

fn bare(participant: Option<RecordId>) -> EncounterDraft {
    EncounterDraft { offers: Vec::new(), ..scene::encounter(participant, None, "encounter") }
}

#[test]
fn a_wrong_passphrase_is_one_constant_error_and_costs_nothing_but_time() {
    let place = Place::new(1);
    let before = view(&place.unlocked).unwrap();
    let store = place.unlocked.store();
    store.lock();
    let right = scene::word("passphrase");
    let near = [&right[1..], &right[..15], &right.to_uppercase(), "x", "correct horse", &format!("{} ", *right), &"y".repeat(1_024)]
        .map(str::to_owned);
    let errors: Vec<Error> =
        near.iter().map(|wrong| store.unlock(&Passphrase::new(wrong.as_bytes()).unwrap(), None).unwrap_err()).collect();
    assert!(errors.iter().all(|error| *error == Error::WrongPassphrase && error.remedy() == Remedy::RetypePassphrase));
    assert!(errors.iter().all(|error| error.to_string() == "wrong passphrase" && format!("{error:?}") == "WrongPassphrase"));
    assert!(!store.is_unlocked());
    for wrong in [&b""[..], &[b'y'; 1_025]] {
        assert_eq!(Error::from(Passphrase::new(wrong).unwrap_err()).code(), "passphrase.length");
    }
    assert_eq!(view(&store.unlock(&scene::passphrase(), None).unwrap()).unwrap(), before);
}

#[test]
fn a_locked_handle_is_dead_and_stays_dead() {
    let place = Place::new(2);
    let (store, old) = (place.unlocked.store(), place.unlocked.clone());
    old.lock();
    let new = store.unlock(&scene::passphrase(), None).unwrap();
    for (name, operation) in scene::READS.iter().chain(scene::WRITES) {
        let refused = operation(&old, &place.done);
        assert!(name.starts_with("nothing") || *name == "encounter refused" || matches!(refused, Err(Error::Locked)), "{name}");
        assert!(operation(&new, &place.done).is_ok(), "positive control: {name}");
    }
    assert_eq!(Error::Locked.remedy(), Remedy::Unlock);
    store.suspend().unwrap();
    assert_eq!(new.participants().unwrap_err(), Error::Locked);
    assert!(store.unlock(&scene::passphrase(), None).is_ok(), "unlocking opens a suspended store");
}

#[test]
fn what_names_nothing_is_refused() {
    let place = Place::new(3);
    let (edit, input) = (ParticipantEdit::default(), Remedy::CorrectInput);
    place.refused("unknown_zone", input, |store| store.save_encounter(&EncounterDraft { zone: Some(NOBODY), ..bare(None) }));
    // An id that is known, but not as a zone.
    let participant = place.done.participant;
    place.refused("unknown_zone", input, |store| store.save_encounter(&EncounterDraft { zone: Some(participant), ..bare(None) }));
    place.refused("no_grant", input, |store| store.save_encounter(&bare(Some(NOBODY))));
    place.refused("no_grant", input, |store| store.save_encounter(&bare(Some(place.done.encounter))));
    place.refused("no_such_record", input, |store| store.edit_participant(NOBODY, &edit));
    place.refused("no_such_record", input, |store| store.correct_encounter(NOBODY, &bare(None)));
    place.refused("no_such_record", input, |store| store.correct_encounter(place.done.encounter, &bare(None)));
    place.refused("no_such_record", input, |store| store.set_follow_up_state(place.done.referral, FollowUpState::Done));
    place.refused("no_such_record", input, |store| store.set_referral_status(NOBODY, ReferralStatus::Sent));
    place.refused("no_such_record", input, |store| store.participant(place.done.encounter));
    place.refused("no_such_record", input, |store| store.encounter(NOBODY));
    let promise = |participant, from: u16, until: u16| {
        let day = satchel_wire::ShiftDay::from_days;
        FollowUpDraft { participant, what: scene::line("follow-up"), from: day(from), until: day(until), contact: None }
    };
    place.refused("no_grant", input, |store| store.save_follow_up(&promise(NOBODY, 20_800, 20_801)));
    place.refused("impossible_window", input, |store| store.save_follow_up(&promise(participant, 20_801, 20_800)));
    place.unlocked.save_encounter(&bare(Some(participant))).unwrap();
}

#[test]
fn too_much_is_refused_before_it_is_stored() {
    let place = Place::new(4);
    let goals = |count: usize| (0..count).map(|_| scene::line("goal 1")).collect::<Vec<_>>();
    let input = Remedy::CorrectInput;
    let file = |count| ParticipantDraft { goals: goals(count), ..ParticipantDraft::default() };
    place.refused("too_many", input, |store| store.create_participant(&file(17), HowGiven::Spoken, "en"));
    place.unlocked.create_participant(&file(16), HowGiven::Spoken, "en").unwrap();
    let edit = |count| ParticipantEdit { goals: Some(goals(count)), ..ParticipantEdit::default() };
    place.refused("too_many", input, |store| store.edit_participant(place.done.participant, &edit(17)));
    place.unlocked.edit_participant(place.done.participant, &edit(16)).unwrap();
    let offers = |count| EncounterDraft { offers: vec![scene::offer(Outcome::Accepted, false); count], ..bare(None) };
    place.refused("too_many", input, |store| store.save_encounter(&offers(33)));
    place.unlocked.save_encounter(&offers(32)).unwrap();
    for outcome in Outcome::ALL {
        let mut nothing = offers(1);
        nothing.offers[0].outcome = outcome;
        nothing.offers[0].quantity = 0;
        place.refused("entry_value", input, |store| store.save_encounter(&nothing));
    }
    let taps = vec![TallyTap { resource: scene::kit(), outcome: Outcome::Accepted, count: 1 }; 513];
    place.refused("too_many", input, |store| store.tally(&taps));
    place.unlocked.tally(&taps[..512]).unwrap();
    place.refused("catalogue_not_a_package", input, |store| store.publish_catalogue(b"PK\x03\x04 not a catalogue at all"));
    let package = scene::catalogue_package();
    for cut in [0, 1, 12, 13, 14, package.len() / 2, package.len() - 1] {
        let before = view(&place.unlocked).unwrap();
        let error = place.unlocked.publish_catalogue(&package[..cut]).unwrap_err();
        assert!(matches!(error, Error::Catalogue(_)) && error.remedy() == input, "{cut}: {error:?}");
        assert_eq!(view(&place.unlocked).unwrap(), before);
    }
}

#[test]
fn tricks_with_text_are_found_where_they_stand() {
    let refusal = |error: ScreenError| Error::from(error);
    for empty in ["", " ", "\t\n ", "\u{3000}", "\u{a0}\u{a0}"] {
        for error in [Alias::parse(empty).unwrap_err(), ShortText::parse(empty).unwrap_err(), Note::parse(empty).unwrap_err()] {
            assert_eq!((refusal(error).code(), "empty"), ("text_empty", "empty"));
        }
    }
    // Zero-width, bidirectional, invisible operators, tags, variation selectors without a base, soft hyphen, byte order mark.
    for hidden in
        ['\u{200b}', '\u{200e}', '\u{202e}', '\u{2066}', '\u{2060}', '\u{feff}', '\u{ad}', '\u{e0041}', '\u{0}', '\u{7f}', '\u{3164}']
    {
        for text in [format!("Blue{hidden}bird"), format!("{hidden}Bluebird"), format!("Bluebird{hidden}")] {
            for error in [Alias::parse(&text).err(), ShortText::parse(&text).err(), Note::parse(&text).err()] {
                let error = refusal(error.unwrap_or_else(|| panic!("{hidden:?} was let through")));
                assert!(["text_hidden", "text_unresolved"].contains(&error.code()) && error.remedy() == Remedy::CorrectInput, "{hidden:?}");
                assert!(!format!("{error} {error:?}").contains("Blue"));
            }
        }
    }
    // A number cannot hide behind what nobody sees.
    assert!(Note::parse("call 415\u{200b}555\u{200b}0123").is_err());
    let Err(ScreenError::Unresolved { findings }) = Note::parse("call 415-555-0123 at noon") else { panic!() };
    assert_eq!(
        findings.iter().map(|finding| (finding.category, finding.start, finding.end)).collect::<Vec<_>>(),
        [(Category::ContactDetail, 5, 17)]
    );
    assert!(matches!(Alias::parse("415-555-0123"), Err(ScreenError::Unresolved { .. })));
    let long = |bytes: usize| "socks, tea, soup ".repeat(bytes / 17 + 1)[..bytes].trim_end().to_owned() + "s";
    assert!(matches!(Note::parse(&long(2_001)), Err(ScreenError::TooLong { limit_bytes: 2_000 })));
    assert!(matches!(ShortText::parse(&long(202)), Err(ScreenError::TooLong { limit_bytes: 200 })));
    assert!(Note::parse(&long(1_999)).is_ok() && Alias::parse(&"é".repeat(33)).is_err() && Alias::parse(&"é".repeat(32)).is_ok());
}

#[test]
fn a_clock_in_1970_or_2038_loses_nothing() {
    let place = Place::new(5);
    let (today, before) = (place.unlocked.today().unwrap(), view(&place.unlocked).unwrap());
    assert!(!place.unlocked.is_date_in_doubt().unwrap());
    place.clock.set(0);
    assert_eq!((place.unlocked.today().unwrap(), view(&place.unlocked).unwrap()), (today, before.clone()), "a day once seen stays");
    place.unlocked.save_encounter(&bare(Some(place.done.participant))).unwrap();
    place.clock.set(NOON + 2 * DAY);
    assert!(!place.unlocked.is_date_in_doubt().unwrap(), "a long weekend is no doubt");
    let today = place.unlocked.today().unwrap();
    for far in [NOON + 5 * DAY, NOON + 400 * DAY, 2_147_483_648, u64::from(u32::MAX), u64::MAX] {
        place.clock.set(far);
        let seen = place.unlocked.is_date_in_doubt();
        assert!(seen.unwrap(), "at {far}");
        // What may be over is hidden while nobody knows the date; the days that no term ends in show it all.
        let here = place.unlocked.participants().unwrap();
        let is_near = far == NOON + 5 * DAY;
        assert_eq!(here.iter().any(|line| line.id == place.done.participant), is_near, "at {far}");
        assert_eq!(place.unlocked.encounter(place.done.encounter).is_ok(), is_near, "at {far}");
        let tended = place.unlocked.tend().unwrap();
        assert!(tended.date_in_doubt && tended.destroyed == 0 && !tended.is_destroyed, "at {far}: {tended:?}");
        // Locking and unlocking at the wrong date destroys nothing either.
        let store = place.unlocked.store();
        store.check().unwrap();
    }
    place.clock.set(NOON + 2 * DAY);
    place.unlocked.confirm_date().unwrap();
    assert_eq!(place.unlocked.tend().unwrap().destroyed, 0);
    assert!(place.unlocked.participants().unwrap().iter().any(|line| line.id == place.done.participant), "hidden, not destroyed");
    place.unlocked.encounter(place.done.encounter).unwrap();
    assert_eq!((place.unlocked.today().unwrap(), place.unlocked.is_date_in_doubt().unwrap()), (today, false));
    place.unlocked.save_encounter(&bare(Some(place.done.participant))).unwrap();
    let store = place.unlocked.store();
    store.lock();
    let again = store.unlock(&scene::passphrase(), None).unwrap();
    assert_eq!(again.today().unwrap(), today);
    assert_eq!(again.encounters(Some(place.done.participant)).unwrap().len(), 3);
}

#[test]
fn no_team_is_founded_in_1970() {
    // put right later, such a clock would put all that was written past its term and the team past its last day
    let folder = tempfile::tempdir().unwrap();
    let (dir, clock) = (folder.path().join("store"), TestClock::at(0));
    let found = || scene::found(&dir, Env::new(clock.clone(), Recorder::seeded(6)));
    let error = found().unwrap_err();
    assert_eq!((error.code(), error.remedy()), ("charter_clock", Remedy::CheckDate));
    assert!(!dir.exists());
    clock.set(NOON);
    let unlocked = found().unwrap().unlocked;
    let participant = unlocked.create_participant(&scene::participant(), HowGiven::Spoken, "en").unwrap();
    // a battery that dies later takes nothing along
    clock.set(0);
    unlocked.participant(participant).unwrap();
    clock.set(NOON + DAY);
    assert!(!unlocked.is_date_in_doubt().unwrap());
    unlocked.participant(participant).unwrap();
}

#[test]
fn an_invitation_is_good_once_and_for_ten_minutes() {
    let place = Place::new(7);
    let env = || Env::new(place.clock.clone(), Recorder::seeded(8));
    let invitation = place.unlocked.invite(Role::Worker, "").unwrap();
    let (new, knock) = Store::join(env(), &invitation).unwrap();
    let (mut host, answer) = place.unlocked.answer_knock(&knock).unwrap();
    // The same code again, photographed: burnt, whoever comes with it.
    let (_, second) = Store::join(env(), &invitation).unwrap();
    for knock in [&knock, &second] {
        place.refused("invitation_used", Remedy::AskForInvitation, |store| store.answer_knock(knock));
    }
    let mut joined = new.answered(&answer).unwrap();
    assert_eq!(joined.words(), host.words());
    host.introduced(&joined.introduce().unwrap()).unwrap();
    let welcome = host.welcome().unwrap();
    assert_eq!(host.welcome().unwrap_err().code(), "invitation_protocol");
    let passphrase = Passphrase::new(b"another one").unwrap();
    let credentials = Credentials { passphrase: &passphrase, protector: None, cost: KeyCost::Least };
    let theirs = place.folder.path().join("theirs");
    let (colleague, thanks) = joined.welcomed(&welcome, &theirs, &credentials, &scene::line("member")).unwrap();
    host.thanked(&thanks).unwrap();
    assert_eq!(colleague.team().unwrap().devices.len(), 2);
    assert_eq!(colleague.invite(Role::Worker, "").unwrap_err().code(), "role", "only a steward invites");
    // Another member's store has another passphrase.
    let store = colleague.store();
    store.lock();
    assert_eq!(store.unlock(&scene::passphrase(), None).unwrap_err(), Error::WrongPassphrase);
    // Too late, at either side.
    let late = place.unlocked.invite(Role::Worker, "").unwrap();
    let (_, knock) = Store::join(env(), &late).unwrap();
    place.clock.set(NOON + 601);
    assert_eq!(Store::join(env(), &late).unwrap_err().code(), "invitation_expired");
    assert_eq!(Invitation::from_text(&late.to_text(), env().now()).unwrap_err().code(), "invitation_expired");
    place.refused("invitation_expired", Remedy::AskForInvitation, |store| store.answer_knock(&knock));
    place.refused("invitation_used", Remedy::AskForInvitation, |store| store.answer_knock(&knock));
    for nonsense in [&b""[..], &[1], &[0; 40], &knock[..knock.len() - 1], &[7; 100_000]] {
        let error = place.unlocked.answer_knock(nonsense).err().unwrap();
        assert!(matches!(error, Error::Invitation(_)) && error.remedy() == Remedy::AskForInvitation, "{error:?}");
    }
}

#[test]
fn a_founding_with_a_wrong_setting_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let env = || Env::new(TestClock::at(NOON), Recorder::seeded(9));
    let passphrase = scene::passphrase();
    let credentials = Credentials { passphrase: &passphrase, protector: None, cost: KeyCost::Least };
    let founding = Founding { time_zone: "Mars/Olympus_Mons".into(), member_name: scene::line("member") };
    let error = Store::found(&dir, env(), &credentials, &founding).unwrap_err();
    assert_eq!((error.code(), error.remedy()), ("charter_time_zone", Remedy::CorrectInput));
    assert!(!dir.exists());
    drop(scene::found(&dir, env()).unwrap());
    // A folder that is in use is not founded over.
    let error = scene::found(&dir, env()).unwrap_err();
    assert_eq!((error.code(), error.remedy()), ("storage.exists", Remedy::ChooseFolder));
    let error = Store::open(&folder.path().join("elsewhere"), env()).unwrap_err();
    assert_eq!((error.code(), error.remedy()), ("storage.not_found", Remedy::ChooseFolder));
}
