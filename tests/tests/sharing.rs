//! What leaves a team: one packet for one recipient who was met, under a yes that counts, and asked back when it does not.

#![allow(clippy::unwrap_used)]

use satchel_core::consent::receipt::ReceiptForm;
use satchel_core::consent::{
    Act, GatedCategory, Grant, GrantError, GrantRequest, GrantStatus, HowGiven, Language, Purpose, ShareClass, Withdrawal,
};
use satchel_core::error::Error;
use satchel_core::record::{
    EncounterKind, EntryContent, Fact, FactField, Kind, Pairing, ParticipantDraft, Recipient, SharingEvent, SharingNote,
};
use satchel_core::screen::{Alias, Note, ShortText};
use satchel_core::share::{Offer, PACKET_BYTES, ShareError};
use satchel_core::store::{CharterChange, EncounterDraft, Opened, ShareState, SharedPacket, vault_record};
use satchel_core::team::Role;
use satchel_tests::attacker::{Attacker, feed};
use satchel_tests::team::{Hub, Phone, found, join, meet};
use satchel_wire::ids::RecordId;

/// 2026-11-22 20:00 UTC.
const START: u64 = 1_795_377_600;
const DAY: i64 = 86_400;
const NAME: GatedCategory = GatedCategory::LegalName;
const BIRTH: GatedCategory = GatedCategory::BirthDate;

fn person(phone: &Phone, alias: &str) -> RecordId {
    let draft = ParticipantDraft { alias: Some(Alias::parse(alias).unwrap()), ..ParticipantDraft::default() };
    phone.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap()
}

fn request(phone: &Phone, act: Act, categories: &[GatedCategory], recipient: Option<RecordId>) -> GrantRequest {
    GrantRequest {
        act,
        categories: categories.to_vec(),
        recipient,
        purpose: Purpose::HousingApplication,
        start: None,
        expiry: phone.unlocked.today().unwrap().plus(30),
        how: HowGiven::Spoken,
        language: Language::English,
    }
}

fn stop(recipient: Option<RecordId>) -> Withdrawal {
    Withdrawal { act: Some(Act::Share), category: None, recipient, how: HowGiven::Spoken }
}

/// A team with somebody's facts, another one that they want them given to, and a yes to that.
struct Scene {
    folder: tempfile::TempDir,
    ana: Phone,
    elm: Phone,
    blue: RecordId,
    recipient: RecordId,
    grant: RecordId,
}

fn pair(sender: &Phone, recipient: &Phone, called: &str, class: ShareClass) -> RecordId {
    let shown = recipient.unlocked.show_offer(&ShortText::parse(&sender.name).unwrap()).unwrap();
    let offer = Offer::from_text(&shown.text).unwrap();
    assert_eq!(offer.words(), shown.words, "both phones show the same words");
    sender.unlocked.pair_recipient(called, class, &offer).unwrap()
}

fn scene(seed: u64) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), seed, "Ana", START);
    let elm = found(&folder.path().join("elm"), seed + 1_000, "Elm", START);
    let recipient = pair(&ana, &elm, "Elm House", ShareClass::Service);
    let blue = person(&ana, "Blue");
    let kept = ana.unlocked.give_grant(blue, &request(&ana, Act::Record, &[NAME, BIRTH, GatedCategory::ContactDetail], None)).unwrap();
    let facts = [(FactField::LegalName, "Maria Gonzalez"), (FactField::BirthDate, "1980-02-29"), (FactField::Phone, "415-555-0123")];
    let facts = facts.map(|(field, value)| Fact::parse(field, value).unwrap());
    ana.unlocked.vault(blue, kept).unwrap().write(&facts).unwrap();
    let grant = ana.unlocked.give_grant(blue, &request(&ana, Act::Share, &[NAME, BIRTH], Some(recipient))).unwrap();
    Scene { folder, ana, elm, blue, recipient, grant }
}

impl Scene {
    fn share(&self, fields: &[FactField]) -> Result<SharedPacket, Error> {
        self.ana.unlocked.share(self.blue, self.grant, fields)
    }
    fn events(&self) -> Vec<SharingEvent> {
        let mut events: Vec<_> = self.ana.unlocked.sharing_log(self.blue).unwrap().iter().map(|line| line.note.event).collect();
        events.sort();
        events
    }
    fn state(&self, share: RecordId) -> ShareState {
        self.ana.unlocked.shares().unwrap().into_iter().find(|line| line.share == share).unwrap().state
    }
}

fn kept(phone: &Phone, participant: RecordId, grant: RecordId) -> Result<Vec<String>, Error> {
    Ok(phone.unlocked.read_vault(participant, grant)?.iter().map(|line| line.fact.value().to_owned()).collect())
}

fn opened(phone: &Phone, packet: &[u8]) -> Result<Vec<(FactField, String)>, Error> {
    match phone.unlocked.open_packet(packet)? {
        Opened::Facts { facts, .. } => Ok(facts.facts.iter().map(|fact| (fact.field(), fact.value().to_owned())).collect()),
        Opened::Erase { .. } => panic!("a request"),
    }
}

#[test]
fn what_was_granted_leaves_and_nothing_else_and_comes_to_an_end_there() {
    let s = scene(1);
    let plan = s.ana.unlocked.share_plan(s.blue, s.grant, &[]).unwrap();
    assert_eq!(plan.fields, [FactField::LegalName, FactField::BirthDate], "the phone number was not granted");
    assert_eq!(plan.words.to_vec(), s.elm.unlocked.pairings().unwrap()[0].words);
    assert!(s.events().is_empty(), "a plan leaves no trace");
    assert_eq!(s.share(&[FactField::Phone]).unwrap_err(), GrantError::NotCovered.into());
    let one = s.share(&[FactField::BirthDate]).unwrap();
    assert_eq!(opened(&s.elm, &one.bytes).unwrap(), [(FactField::BirthDate, "1980-02-29".to_owned())]);
    let packet = s.share(&[]).unwrap();
    assert_eq!((packet.bytes.len(), one.bytes.len(), s.events()), (PACKET_BYTES, PACKET_BYTES, vec![SharingEvent::Shared; 2]));
    assert_eq!(opened(&s.elm, &packet.bytes).unwrap().len(), 2);
    assert_eq!(opened(&s.elm, &packet.bytes).unwrap().len(), 2, "read, and read again");
    assert!(s.elm.unlocked.participants().unwrap().is_empty(), "reading keeps nothing");

    // the recipient's team keeps it with somebody who has a page there
    assert_eq!(s.elm.unlocked.keep_shared(&packet.bytes, RecordId::from_bytes([7; 16])), Err(Error::NoGrant));
    let maria = person(&s.elm, "Teal");
    let grant = s.elm.unlocked.keep_shared(&packet.bytes, maria).unwrap();
    assert_eq!(kept(&s.elm, maria, grant).unwrap(), ["Maria Gonzalez", "1980-02-29"]);
    let line = s.elm.unlocked.grants(maria).unwrap().into_iter().find(|line| line.id == grant).unwrap();
    let said = line.grant.unwrap();
    assert_eq!((said.act, said.purpose, said.expiry), (Act::Record, Purpose::HousingApplication, packet.plan.until));
    assert_eq!((said.received, said.words_version), (Some(packet.share), 3), "the yes was given to a share, in its words");

    // replay: once is enough, and never with somebody else
    assert_eq!(s.elm.unlocked.keep_shared(&packet.bytes, maria).unwrap(), grant);
    assert_eq!(s.elm.unlocked.grants(maria).unwrap().len(), 2, "the page, and this");
    let other = person(&s.elm, "Gray");
    assert_eq!(s.elm.unlocked.keep_shared(&packet.bytes, other), Err(ShareError::KeptElsewhere.into()));
    assert_eq!(s.elm.unlocked.open_packet(&packet.bytes), Err(ShareError::Used.into()), "what opened it is destroyed");

    // the last day is over: there too
    for _ in 0..16 {
        for phone in [&s.elm, &s.ana] {
            phone.clock.advance(2 * DAY);
            phone.unlocked.today().unwrap();
        }
    }
    assert_eq!(kept(&s.elm, maria, grant), Err(GrantError::NotLive(GrantStatus::Expired).into()));
    assert!(s.elm.unlocked.tend().unwrap().destroyed >= 2, "both categories");
    assert_eq!(opened(&s.elm, &one.bytes), Err(ShareError::Used.into()), "one that was only read is shut at its end");
    assert_eq!(s.state(packet.share), ShareState::Over);
    assert_eq!(s.share(&[]).unwrap_err(), GrantError::NotLive(GrantStatus::Expired).into());
}

#[test]
fn an_old_packet_is_not_read_by_whoever_comes_late() {
    let s = scene(2);
    let packet = s.share(&[]).unwrap();
    for _ in 0..16 {
        s.elm.clock.advance(2 * DAY);
        s.elm.unlocked.today().unwrap();
    }
    assert_eq!(s.elm.unlocked.open_packet(&packet.bytes), Err(ShareError::Over.into()));
    let maria = person(&s.elm, "Teal");
    assert_eq!(s.elm.unlocked.keep_shared(&packet.bytes, maria), Err(ShareError::Over.into()));
}

#[test]
fn a_share_is_refused_by_name() {
    let mut s = scene(3);
    let unlocked = s.ana.unlocked.clone();
    let nothing = RecordId::from_bytes([9; 16]);
    assert_eq!(unlocked.share(s.blue, nothing, &[]).unwrap_err(), GrantError::NoSuchGrant.into());
    let to_record = unlocked.grants(s.blue).unwrap().into_iter().find(|line| line.live.len() == 3).unwrap().id;
    assert_eq!(unlocked.share(s.blue, to_record, &[]).unwrap_err(), ShareError::NotAShare.into());
    // somebody who was only written down
    let clinic = unlocked.add_recipient("Oak Clinic", ShareClass::Health).unwrap();
    let told = GrantRequest { purpose: Purpose::HealthCare, ..request(&s.ana, Act::Share, &[NAME], Some(clinic)) };
    let told = unlocked.give_grant(s.blue, &told).unwrap();
    assert_eq!(unlocked.share(s.blue, told, &[]).unwrap_err(), ShareError::NotPaired.into());
    // one offer, one recipient
    let shown = s.elm.unlocked.show_offer(&ShortText::parse("Harbor").unwrap()).unwrap();
    let offer = Offer::from_text(&shown.text).unwrap();
    unlocked.pair_recipient("Oak House", ShareClass::Service, &offer).unwrap();
    assert_eq!(unlocked.pair_recipient("Pine House", ShareClass::Service, &offer), Err(ShareError::PairedAlready.into()));
    assert_eq!(s.elm.unlocked.show_offer(&ShortText::parse("Harbor").unwrap()).unwrap_err(), ShareError::PairedAlready.into());
    // no fact under it
    let email = request(&s.ana, Act::Share, &[GatedCategory::ExactPlace], Some(s.recipient));
    let email = unlocked.give_grant(s.blue, &email).unwrap();
    assert_eq!(unlocked.share(s.blue, email, &[]).unwrap_err(), ShareError::Nothing.into());
    // a fact that says more
    let more = Fact::parse(FactField::LegalName, "Maria Gonzalez 415-555-0123").unwrap();
    unlocked.vault(s.blue, to_record).unwrap().write(&[more]).unwrap();
    assert_eq!(s.share(&[]).unwrap_err(), ShareError::SaysMore { field: FactField::LegalName }.into());
    assert!(s.share(&[FactField::BirthDate]).is_ok(), "the other fact may leave");
    // police and courts: denied by the charter, and a yes to a service is no yes to them
    let court = pair(&s.ana, &s.elm_again("Front desk"), "County court", ShareClass::Justice);
    let share = GrantRequest { purpose: Purpose::LegalDefence, ..request(&s.ana, Act::Share, &[NAME], Some(court)) };
    assert_eq!(unlocked.give_grant(s.blue, &share), Err(GrantError::JusticeDenied.into()));
    // taken back on this phone
    unlocked.withdraw(s.blue, &stop(None)).unwrap();
    assert_eq!(s.share(&[]).unwrap_err(), GrantError::NotLive(GrantStatus::Withdrawn).into());
    s.blue = RecordId::from_bytes([8; 16]);
    assert_eq!(s.share(&[]).unwrap_err(), GrantError::NoSuchGrant.into());
}

impl Scene {
    fn elm_again(&self, name: &str) -> Phone {
        found(&self.folder.path().join(name), 77, name, START)
    }
}

#[test]
fn a_phone_that_met_nobody_for_too_long_shares_nothing() {
    let s = scene(4);
    assert!(s.share(&[]).is_ok(), "a phone alone in its team waits for nobody");
    let ben = join(s.folder.path(), 4, "Ben", START, &s.ana, Role::Worker);
    meet(&s.ana, &ben);
    for phone in [&s.ana, &ben] {
        for _ in 0..4 {
            phone.clock.advance(2 * DAY);
            phone.unlocked.today().unwrap();
        }
    }
    assert_eq!(s.share(&[]).unwrap_err(), ShareError::Stale { limit_days: 7 }.into());
    // what was on its way
    ben.unlocked.withdraw(s.blue, &stop(Some(s.recipient))).unwrap();
    meet(&s.ana, &ben);
    assert_eq!(s.share(&[]).unwrap_err(), GrantError::NotLive(GrantStatus::Withdrawn).into());
    let again = s.ana.unlocked.give_grant(s.blue, &request(&s.ana, Act::Share, &[NAME], Some(s.recipient))).unwrap();
    assert!(s.ana.unlocked.share(s.blue, again, &[]).is_ok(), "control: having met somebody, a new yes counts");
    assert!(ben.unlocked.share(s.blue, again, &[]).is_err(), "a member who has not heard of the yes shares nothing");
    meet(&s.ana, &ben);
    assert!(ben.unlocked.share(s.blue, again, &[]).is_ok(), "any phone of the team may, it was paired for all");
}

#[test]
fn a_withdrawal_asks_for_the_copy_back_and_the_answer_is_shown() {
    let s = scene(5);
    let packet = s.share(&[]).unwrap();
    let maria = person(&s.elm, "Teal");
    let grant = s.elm.unlocked.keep_shared(&packet.bytes, maria).unwrap();
    assert_eq!(s.ana.unlocked.ask_erasure(packet.share), Err(ShareError::StillGranted.into()));
    assert_eq!(s.state(packet.share), ShareState::Standing);
    let report = s.ana.unlocked.withdraw(s.blue, &stop(Some(s.recipient))).unwrap();
    assert_eq!((report.to_ask, s.state(packet.share)), (vec![packet.share], ShareState::ToAsk));
    assert_eq!(kept(&s.elm, maria, grant).unwrap().len(), 2, "control: nothing reaches them by itself");

    let asked = s.ana.unlocked.ask_erasure(packet.share).unwrap();
    let again = s.ana.unlocked.ask_erasure(packet.share).unwrap();
    assert_eq!((asked.len(), s.events().len()), (PACKET_BYTES, 3), "shared, stopped, asked once");
    assert!(matches!(s.state(packet.share), ShareState::Asked(_)));
    let Opened::Erase { share, kept_with, .. } = s.elm.unlocked.open_packet(&asked).unwrap() else { panic!("facts") };
    assert_eq!((share, kept_with), (packet.share, Some(maria)));
    assert_eq!(s.elm.unlocked.answer_erasure(&packet.bytes).unwrap_err(), ShareError::Used.into());
    let (answer, told) = s.elm.unlocked.answer_erasure(&asked).unwrap();
    assert!(told.was_kept && told.awaited == 0 && told.erased == s.elm.unlocked.today().unwrap());
    assert_eq!(kept(&s.elm, maria, grant), Err(GrantError::NotLive(GrantStatus::Withdrawn).into()));
    let name = Fact::parse(FactField::LegalName, "Maria Gonzalez").unwrap();
    assert!(s.elm.unlocked.vault(maria, grant).is_err_and(|error| error == GrantError::NotLive(GrantStatus::Withdrawn).into()));
    let own = s.elm.unlocked.give_grant(maria, &request(&s.elm, Act::Record, &[NAME], None)).unwrap();
    assert!(s.elm.unlocked.vault(maria, own).unwrap().write(&[name]).is_ok(), "what they are asked for there is another yes");
    assert!(s.elm.unlocked.vaults(maria).unwrap().len() == 1 && s.elm.unlocked.participant(maria).is_ok(), "their page stays");
    assert_eq!(s.elm.unlocked.keep_shared(&packet.bytes, maria), Err(ShareError::Used.into()), "a replay brings nothing back");

    assert_eq!(s.ana.unlocked.read_answer(&answer).unwrap(), told);
    assert_eq!((s.state(packet.share), s.events().len()), (ShareState::Answered(told), 4));
    assert!(s.events().contains(&SharingEvent::ErasureAnswered));
    // replays of request and answer change nothing
    let (later, same) = s.elm.unlocked.answer_erasure(&again).unwrap();
    assert_eq!((same, s.ana.unlocked.read_answer(&later).unwrap(), s.events().len()), (told, told, 4));
    assert_eq!(s.ana.unlocked.read_answer(&asked), Err(ShareError::NotForUs.into()));
    assert_eq!(s.elm.unlocked.read_answer(&answer), Err(ShareError::NotForUs.into()), "only who asked reads it");
}

#[test]
fn what_was_given_away_is_asked_back_also_when_the_whole_page_goes() {
    let s = scene(6);
    let ben = join(s.folder.path(), 6, "Ben", START, &s.ana, Role::Worker);
    let packet = s.share(&[]).unwrap();
    let maria = person(&s.elm, "Teal");
    let grant = s.elm.unlocked.keep_shared(&packet.bytes, maria).unwrap();
    meet(&s.ana, &ben);
    // a colleague hears it; the phone that shared learns of it later
    let report = ben.unlocked.withdraw(s.blue, &Withdrawal::of_everything(HowGiven::Spoken)).unwrap();
    assert!(report.is_file_closed && report.to_ask == [packet.share]);
    meet(&s.ana, &ben);
    for phone in [&ben, &s.ana] {
        phone.unlocked.tend().unwrap();
        let line = phone.unlocked.shares().unwrap().remove(0);
        assert_eq!((line.share, line.participant, line.state), (packet.share, None, ShareState::ToAsk), "{}", phone.name);
    }
    // either of them asks; both may
    let asked = ben.unlocked.ask_erasure(packet.share).unwrap();
    let (answer, told) = s.elm.unlocked.answer_erasure(&asked).unwrap();
    assert!(told.was_kept && kept(&s.elm, maria, grant).is_err());
    assert_eq!(ben.unlocked.read_answer(&answer).unwrap(), told);
    let (answer, second) = s.elm.unlocked.answer_erasure(&s.ana.unlocked.ask_erasure(packet.share).unwrap()).unwrap();
    assert!(second.was_kept && s.ana.unlocked.read_answer(&answer).unwrap() == second);
    assert!(s.ana.unlocked.sharing_log(s.blue).unwrap().is_empty(), "of them nothing is written any more");
}

#[test]
fn a_request_reaches_the_copies_of_its_own_pairing_only() {
    let s = scene(7);
    let packet = s.share(&[]).unwrap();
    let maria = person(&s.elm, "Teal");
    let grant = s.elm.unlocked.keep_shared(&packet.bytes, maria).unwrap();
    // another team, paired with the same recipient, names a copy that is not its own
    let mallory = found(&s.folder.path().join("mallory"), 700, "Mallory", START);
    let shown = s.elm.unlocked.show_offer(&ShortText::parse("Mallory").unwrap()).unwrap();
    let offer = Offer::from_text(&shown.text).unwrap();
    let id = RecordId::from_bytes(mallory.env.random());
    let request = satchel_core::share::EraseRequest { id, share: packet.share, answer_key: [1; 32] };
    let bytes = satchel_core::share::seal_request(&mallory.env, offer.key(), offer.seed(), &request).unwrap();
    let (_, told) = s.elm.unlocked.answer_erasure(&bytes).unwrap();
    assert!(!told.was_kept && kept(&s.elm, maria, grant).unwrap().len() == 2);
    // and the true sender is not kept from asking
    s.ana.unlocked.withdraw(s.blue, &stop(None)).unwrap();
    let (_, told) = s.elm.unlocked.answer_erasure(&s.ana.unlocked.ask_erasure(packet.share).unwrap()).unwrap();
    assert!(told.was_kept && kept(&s.elm, maria, grant).is_err());
}

#[test]
fn the_wrong_recipient_reads_nothing() {
    let s = scene(8);
    let packet = s.share(&[]).unwrap();
    let oak = s.elm_again("Oak");
    let maria = person(&oak, "Teal");
    pair(&s.ana, &oak, "Oak House", ShareClass::Service);
    for phone in [&oak, &s.ana] {
        assert_eq!(phone.unlocked.open_packet(&packet.bytes), Err(ShareError::NotForUs.into()));
    }
    assert_eq!(oak.unlocked.keep_shared(&packet.bytes, maria), Err(ShareError::NotForUs.into()));
    assert_eq!(oak.unlocked.answer_erasure(&packet.bytes).unwrap_err(), ShareError::NotForUs.into());
    let ben = join(&s.folder.path().join("elm"), 8, "Ben", START, &s.elm, Role::Worker);
    meet(&ben, &s.elm);
    assert_eq!(ben.unlocked.open_packet(&packet.bytes), Err(ShareError::NotForUs.into()), "the key is on one phone alone");
    // a forgotten pairing opens nothing any more
    let id = s.elm.unlocked.pairings().unwrap()[0].id;
    assert!(opened(&s.elm, &packet.bytes).is_ok());
    s.elm.unlocked.forget_pairing(id).unwrap();
    assert_eq!(s.elm.unlocked.open_packet(&packet.bytes), Err(ShareError::NotForUs.into()));
    assert_eq!(s.elm.unlocked.forget_pairing(id), Err(ShareError::NoSuchPairing.into()));
}

#[test]
fn pairings_survive_a_restart_and_every_erasure() {
    let mut s = scene(9);
    let packet = s.share(&[]).unwrap();
    let gone = person(&s.elm, "Gray");
    s.elm.unlocked.erase_participant(gone).unwrap();
    s.elm.restart();
    assert_eq!(opened(&s.elm, &packet.bytes).unwrap().len(), 2);
    s.ana.restart();
    assert_eq!(s.state(packet.share), ShareState::Standing);
    assert!(s.ana.unlocked.recipients().unwrap()[0].is_paired);
}

/// A member whose app does not keep to the rules cannot make an honest phone share what nobody said yes to.
#[test]
fn frames_from_a_member_open_no_way_out() {
    let s = scene(10);
    let (_hub, address) = Hub::new(s.folder.path(), START);
    s.ana.unlocked.set_relay(&address).unwrap();
    let mut mallory = Attacker::join(10, "Mallory", &s.ana, Role::Worker);
    let day = s.ana.unlocked.today().unwrap();
    let court = pair(&s.ana, &s.elm_again("Front desk"), "County court", ShareClass::Justice);
    let base = Grant {
        act: Act::Share,
        categories: vec![NAME],
        recipient: Some(court),
        class: Some(ShareClass::Service),
        words_version: 3,
        ..Grant::for_file(day, 30, HowGiven::Spoken, "en", Vec::new())
    };
    let mut send = |record: u8, kind, subject, content: &[u8]| {
        let header = mallory.header(kind, day);
        let binding = mallory.binding(RecordId::from_bytes([record; 16]), kind, subject, day);
        let forged = mallory.seal(binding, &header, content);
        feed(&s.ana, &[mallory.cover(&forged)]).codes.first().copied()
    };
    // a court under the words of a service
    assert_eq!(send(0x41, Kind::Grant, Some(s.blue), &EntryContent::first(base.clone()).to_bytes()), None);
    let forged = RecordId::from_bytes([0x41; 16]);
    assert_eq!(s.ana.unlocked.share(s.blue, forged, &[]).unwrap_err(), ShareError::JusticeWithoutGrant.into());
    // a line of the log that names no copy, and a yes that came with no share
    let note = SharingNote {
        event: SharingEvent::Shared,
        grant: s.grant,
        recipient: s.recipient,
        categories: vec![NAME],
        share: None,
        answer: None,
    };
    assert_eq!(send(0x42, Kind::SharingNote, Some(s.blue), &EntryContent::first(note).to_bytes()), Some("entry_value"));
    let received = Grant { act: Act::Record, recipient: None, class: None, received: Some(forged), words_version: 2, ..base };
    assert_eq!(send(0x43, Kind::Grant, Some(s.blue), &EntryContent::first(received).to_bytes()), Some("entry_value"));
    // another key under a recipient's id: nothing is sealed any more, and never to that key
    assert!(s.share(&[]).is_ok(), "control");
    let (_, other) = Offer::make(&mallory.env).unwrap();
    let mut swapped = Recipient::parse("Elm House", ShareClass::Service).unwrap();
    swapped.pairing = Some(Pairing::new(other.key().as_bytes(), other.seed()));
    let forged = mallory.entry(s.recipient, Kind::Recipient, None, day, swapped);
    assert!(feed(&s.ana, &[mallory.cover(&forged)]).codes.is_empty());
    assert_eq!(s.share(&[]).unwrap_err(), ShareError::NotPaired.into());
}

/// What a thief who opens the recipient's phone finds of a copy: keys of the records that it was kept in.
#[test]
fn what_was_erased_is_gone_from_the_recipients_disk() {
    let s = scene(11);
    let packet = s.share(&[]).unwrap();
    let maria = person(&s.elm, "Teal");
    let grant = s.elm.unlocked.keep_shared(&packet.bytes, maria).unwrap();
    let records = [NAME, BIRTH].map(|category| vault_record(grant, category));
    let found = || {
        let loot = s.elm.unlocked.dangerous_loot().unwrap();
        loot.records.iter().filter(|loot| records.contains(&loot.record)).count()
    };
    let secrets = || -> Vec<[u8; 32]> { s.elm.unlocked.dangerous_loot().unwrap().secrets.iter().map(|(_, secret)| *secret).collect() };
    assert_eq!(found(), 2, "control: two vaults");
    let before = secrets();
    s.ana.unlocked.withdraw(s.blue, &stop(None)).unwrap();
    let (_, told) = s.elm.unlocked.answer_erasure(&s.ana.unlocked.ask_erasure(packet.share).unwrap()).unwrap();
    assert!(told.was_kept);
    assert_eq!(found(), 0);
    assert_eq!(s.elm.unlocked.open_packet(&packet.bytes), Err(ShareError::Used.into()), "nor do the packet's own bytes help");
    // the keys under which they and the packet's secret lay are nowhere any more: older versions of the file stay shut
    let after = secrets();
    let (store, held) = (before[0], before[2]);
    assert!(!after.contains(&store) && !after.contains(&held), "store key and the key of held values were replaced");
    assert!(after.contains(&before[3]), "control: what was not erased is as it was");
}

#[test]
fn everything_held_about_somebody_is_said_to_them_and_nothing_of_others() {
    let s = scene(12);
    let unlocked = &s.ana.unlocked;
    let note = Note::parse("wants a warm place near the library").unwrap();
    let met = EncounterDraft { kind: EncounterKind::Street, participant: Some(s.blue), zone: None, offers: vec![], note: Some(note) };
    unlocked.save_encounter(&met).unwrap();
    let other = person(&s.ana, "Gray");
    let packet = s.share(&[]).unwrap();
    unlocked.withdraw(s.blue, &stop(Some(s.recipient))).unwrap();
    unlocked.ask_erasure(packet.share).unwrap();
    let holding = unlocked.hold_on_me(s.blue).unwrap();
    let (english, spanish) = (holding.page(Language::English).to_text(), holding.page(Language::Spanish).to_text());
    for said in [
        "name that you chose: Blue",
        "legal name: Maria Gonzalez",
        "phone: 415-555-0123",
        "we gave your legal name and your birth date to Elm House",
        "we asked Elm House to erase it",
        "You let us keep a page until",
        "Some have a note.",
    ] {
        assert!(english.contains(said), "{said}: {english}");
    }
    assert!(spanish.contains("Hay una hoja sobre usted desde el ") && spanish.contains("nombre legal: Maria Gonzalez"));
    for text in [&english, &spanish] {
        assert!(!text.contains("Gray") && !text.contains("library"), "nobody else, and no note");
    }
    let gray = unlocked.hold_on_me(other).unwrap();
    assert!(gray.facts.is_empty() && gray.given.is_empty() && !gray.page(Language::English).to_text().contains("Maria"));
    unlocked.erase_participant(other).unwrap();
    assert_eq!(unlocked.hold_on_me(other).unwrap_err(), Error::NoSuchRecord);
}

fn is_day(value: &serde_json::Value) -> bool {
    value.as_str().is_some_and(|text| text.parse::<satchel_wire::ShiftDay>().is_ok())
}

/// What breaks the schema of a Kantara Consent Receipt 1.1, section 7: fields that it requires, their types and closed lists.
fn kantara_errors(receipt: &serde_json::Value) -> Vec<String> {
    let text = |value: &serde_json::Value| value.as_str().is_some_and(|text| !text.is_empty());
    let id = |value: &serde_json::Value| {
        let parts: Vec<usize> = value.as_str().unwrap_or_default().split('-').map(str::len).collect();
        parts == [8, 4, 4, 4, 12]
    };
    let purpose = &receipt["services"][0]["purposes"][0];
    let is_shared = purpose["thirdPartyDisclosure"] == true;
    let checks = [
        ("version", receipt["version"] == "KI-CR-v1.1.0"),
        ("jurisdiction", text(&receipt["jurisdiction"])),
        ("consentTimestamp", receipt["consentTimestamp"].is_u64()),
        ("collectionMethod", text(&receipt["collectionMethod"])),
        ("consentReceiptID", id(&receipt["consentReceiptID"])),
        ("language", receipt["language"].as_str().is_some_and(|text| text.len() == 2)),
        ("piiPrincipalId", text(&receipt["piiPrincipalId"])),
        ("piiController", text(&receipt["piiControllers"][0]["piiController"])),
        ("policyUrl", receipt["policyUrl"].as_str().is_some_and(|text| text.contains("://") && !text.contains(' '))),
        ("service", text(&receipt["services"][0]["service"])),
        ("purpose", text(&purpose["purpose"])),
        ("consentType", ["EXPLICIT", "IMPLICIT"].contains(&purpose["consentType"].as_str().unwrap_or_default())),
        ("piiCategory", purpose["piiCategory"].as_array().is_some_and(|list| !list.is_empty() && list.iter().all(text))),
        ("termination", text(&purpose["termination"])),
        ("thirdPartyDisclosure", purpose["thirdPartyDisclosure"].is_boolean() && is_shared == text(&purpose["thirdPartyName"])),
        ("sensitive", receipt["sensitive"].is_boolean() && receipt["spiCat"].is_array()),
    ];
    checks.into_iter().filter(|(_, holds)| !holds).map(|(field, _)| field.to_owned()).collect()
}

/// What breaks the definition of a FHIR R5 `Consent`: elements that it does not have, cardinalities, types and required bindings of
/// those that are used.
fn fhir_errors(consent: &serde_json::Value) -> Vec<String> {
    let known = [
        "resourceType",
        "language",
        "status",
        "category",
        "date",
        "period",
        "grantee",
        "controller",
        "policyBasis",
        "decision",
        "provision",
    ];
    let unknown = consent.as_object().into_iter().flatten().map(|(name, _)| name.clone()).filter(|name| !known.contains(&name.as_str()));
    let coded = |value: &serde_json::Value| {
        let coding = &value["coding"][0];
        value["text"].is_string()
            || (coding["system"].as_str().is_some_and(|system| system.starts_with("http")) && coding["code"].is_string())
    };
    let all = |value: &serde_json::Value, holds: &dyn Fn(&serde_json::Value) -> bool| {
        value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(holds))
    };
    let one_of = |value: &serde_json::Value, codes: &[&str]| value.as_str().is_some_and(|code| codes.contains(&code));
    let provision = &consent["provision"][0];
    let elements = ["period", "actor", "action", "purpose", "code"];
    let known_inside = provision.as_object().is_some_and(|inside| inside.keys().all(|name| elements.contains(&name.as_str())));
    let checks = [
        ("resourceType", consent["resourceType"] == "Consent"),
        ("status", one_of(&consent["status"], &["draft", "active", "inactive", "not-done", "entered-in-error", "unknown"])),
        ("category", all(&consent["category"], &coded)),
        ("date", is_day(&consent["date"])),
        ("period", is_day(&consent["period"]["start"]) && is_day(&consent["period"]["end"])),
        ("grantee", consent["grantee"].is_null() || all(&consent["grantee"], &|reference| reference["display"].is_string())),
        ("controller", all(&consent["controller"], &|reference| reference["display"].is_string())),
        ("decision", one_of(&consent["decision"], &["deny", "permit"])),
        ("provision", consent["provision"].is_array() && known_inside),
        ("provision.period.start", is_day(&provision["period"]["start"])),
        ("provision.period.end", is_day(&provision["period"]["end"])),
        ("provision.action", all(&provision["action"], &coded)),
        ("provision.purpose", all(&provision["purpose"], &|coding| coding["system"].is_string() && coding["code"].is_string())),
        ("provision.code", all(&provision["code"], &coded)),
        ("provision.actor", provision["actor"].is_null() || all(&provision["actor"], &|actor| coded(&actor["role"]))),
    ];
    unknown.chain(checks.into_iter().filter(|(_, holds)| !holds).map(|(field, _)| field.to_owned())).collect()
}

#[test]
fn a_receipt_says_what_was_agreed_and_names_nobody() {
    let s = scene(13);
    let receipt = |grant, form| s.ana.unlocked.grant_receipt(s.blue, grant, "Harbor \"Night\" Team", "https://example.org/charter", form);
    let kantara: serde_json::Value = serde_json::from_str(&receipt(s.grant, ReceiptForm::Kantara).unwrap()).unwrap();
    assert_eq!(kantara["version"], "KI-CR-v1.1.0");
    assert_eq!(kantara["piiControllers"][0]["piiController"], "Harbor \"Night\" Team");
    let purpose = &kantara["services"][0]["purposes"][0];
    assert_eq!((&purpose["thirdPartyDisclosure"], &purpose["thirdPartyName"]), (&true.into(), &"Elm House".into()));
    assert_eq!(purpose["piiCategory"], serde_json::json!(["your legal name", "your birth date"]));
    assert!(kantara["notice"].as_str().unwrap().starts_with("May we give your legal name and your birth date to Elm House?"));
    let required =
        ["jurisdiction", "consentTimestamp", "collectionMethod", "consentReceiptID", "language", "piiPrincipalId", "policyUrl", "spiCat"];
    assert!(required.iter().all(|field| !kantara[field].is_null()) && kantara["sensitive"] == false);
    let fhir: serde_json::Value = serde_json::from_str(&receipt(s.grant, ReceiptForm::Fhir).unwrap()).unwrap();
    assert_eq!((&fhir["resourceType"], &fhir["status"]), (&"Consent".into(), &"active".into()));
    assert_eq!(fhir["decision"], "deny", "all but the one provision");
    assert_eq!(fhir["provision"][0]["actor"][0]["reference"]["display"], "Elm House");
    assert_eq!(fhir["provision"][0]["action"][0]["coding"][0]["code"], "disclose");
    let said = ReceiptForm::Kantara;
    let plain: serde_json::Value =
        serde_json::from_str(&s.ana.unlocked.grant_receipt(s.blue, s.grant, "Us", "ask us", said).unwrap()).unwrap();
    assert_eq!(kantara_errors(&kantara), Vec::<String>::new());
    assert_eq!(kantara_errors(&plain), ["policyUrl"], "words are no address: the validator sees it");
    assert_eq!(fhir_errors(&fhir), Vec::<String>::new());
    let file = s.ana.unlocked.grants(s.blue).unwrap().into_iter().find(|line| line.grant.as_ref().is_some_and(Grant::is_for_file)).unwrap();
    for grant in [file.id, s.grant] {
        let fhir = serde_json::from_str(&receipt(grant, ReceiptForm::Fhir).unwrap()).unwrap();
        assert_eq!(fhir_errors(&fhir), Vec::<String>::new());
    }
    // controls: the validators find what is wrong
    let mut wrong = fhir.clone();
    wrong["patient"] = "somebody".into();
    wrong["decision"] = "maybe".into();
    wrong["provision"][0]["period"]["end"] = "soon".into();
    assert_eq!(fhir_errors(&wrong), ["patient", "decision", "provision.period.end"]);
    let mut wrong = kantara.clone();
    wrong["consentReceiptID"] = "1".into();
    wrong["services"][0]["purposes"][0]["consentType"] = "TACIT".into();
    assert_eq!(kantara_errors(&wrong), ["consentReceiptID", "consentType"]);
    is_fhir_r5(&fhir);
    assert!(fhir.get("subject").is_none() && fhir.get("grantor").is_none());
    // one more receipt is another one; and none holds a name, an alias or an id of a store
    let again: serde_json::Value = serde_json::from_str(&receipt(s.grant, ReceiptForm::Kantara).unwrap()).unwrap();
    assert_ne!(kantara["consentReceiptID"], again["consentReceiptID"]);
    for text in [kantara.to_string(), fhir.to_string()] {
        for never in ["Blue", "Maria", "Ana", "rec_", &s.blue.to_string(), &s.grant.to_string()] {
            assert!(!text.contains(never), "{never}");
        }
    }
    s.ana.unlocked.withdraw(s.blue, &stop(None)).unwrap();
    assert_eq!(receipt(s.grant, ReceiptForm::Fhir), Err(GrantError::NotLive(GrantStatus::Withdrawn).into()));
}

/// The elements of R5 (5.0.0) `Consent` and of what it is made of here, by the specification's table: a code, a date, an
/// object, a list. What R4 had and R5 has not is refused, as is what R5 made a list.
fn is_fhir_r5(consent: &serde_json::Value) {
    type Shape<'a> = &'a [(&'a str, &'a str)];
    const CONCEPT: Shape<'_> = &[("coding", "*coding"), ("text", "text")];
    const CODING: Shape<'_> = &[("system", "text"), ("code", "text"), ("display", "text")];
    const PERIOD: Shape<'_> = &[("start", "date"), ("end", "date")];
    const REFERENCE: Shape<'_> = &[("display", "text")];
    const ACTOR: Shape<'_> = &[("role", "concept"), ("reference", "reference")];
    const BASIS: Shape<'_> = &[("url", "text")];
    const PROVISION: Shape<'_> =
        &[("period", "period"), ("actor", "*actor"), ("action", "*concept"), ("purpose", "*coding"), ("code", "*concept")];
    const CONSENT: Shape<'_> = &[
        ("resourceType", "text"),
        ("language", "text"),
        ("status", "text"),
        ("category", "*concept"),
        ("subject", "reference"),
        ("date", "date"),
        ("period", "period"),
        ("grantor", "*reference"),
        ("grantee", "*reference"),
        ("manager", "*reference"),
        ("controller", "*reference"),
        ("policyBasis", "basis"),
        ("decision", "text"),
        ("provision", "*provision"),
    ];
    fn check(value: &serde_json::Value, kind: &str, at: &str) {
        if let Some(kind) = kind.strip_prefix('*') {
            let list = value.as_array().unwrap_or_else(|| panic!("{at} is a list"));
            assert!(!list.is_empty(), "{at}: no empty lists in FHIR");
            return list.iter().for_each(|value| check(value, kind, at));
        }
        let shape = match kind {
            "text" => return assert!(value.as_str().is_some_and(|text| !text.is_empty()), "{at}"),
            "date" => {
                let text = value.as_str().unwrap();
                return assert!(text.len() == 10 && text.parse::<satchel_wire::ShiftDay>().is_ok(), "{at}: {text}");
            }
            "concept" => CONCEPT,
            "coding" => CODING,
            "period" => PERIOD,
            "reference" => REFERENCE,
            "actor" => ACTOR,
            "basis" => BASIS,
            "provision" => PROVISION,
            _ => CONSENT,
        };
        for (name, value) in value.as_object().unwrap_or_else(|| panic!("{at} is an object")) {
            let (_, kind) = shape.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{at}: R5 has no {name}"));
            check(value, kind, &format!("{at}.{name}"));
        }
    }
    check(consent, "consent", "Consent");
    assert!(["draft", "active", "inactive", "not-done", "entered-in-error", "unknown"].contains(&consent["status"].as_str().unwrap()));
    assert!(["deny", "permit"].contains(&consent["decision"].as_str().unwrap()));
}

#[test]
fn a_receipt_says_no_more_than_what_counts_today() {
    let s = scene(14);
    let receipt = |form| s.ana.unlocked.grant_receipt(s.blue, s.grant, "Harbor", "https://example.org/charter", form).unwrap();
    for form in [ReceiptForm::Kantara, ReceiptForm::Fhir] {
        assert!(receipt(form).contains("legal name"), "control");
    }
    let name = Withdrawal { act: Some(Act::Share), category: Some(NAME), recipient: None, how: HowGiven::Spoken };
    s.ana.unlocked.withdraw(s.blue, &name).unwrap();
    for form in [ReceiptForm::Kantara, ReceiptForm::Fhir] {
        let text = receipt(form);
        assert!(text.contains("birth date") && !text.contains("legal name"), "{text}");
    }
    // the charter was tightened: the yes ends sooner than it said
    let day = s.ana.unlocked.today().unwrap();
    s.ana.unlocked.change_charter(&CharterChange { share_grant_days: Some(7), ..CharterChange::default() }).unwrap();
    let kantara: serde_json::Value = serde_json::from_str(&receipt(ReceiptForm::Kantara)).unwrap();
    let fhir: serde_json::Value = serde_json::from_str(&receipt(ReceiptForm::Fhir)).unwrap();
    let end = day.plus(7).to_string();
    assert!(kantara["services"][0]["purposes"][0]["termination"].as_str().unwrap().starts_with(&end));
    assert_eq!((&fhir["period"]["end"], &fhir["provision"][0]["period"]["end"]), (&end.as_str().into(), &end.as_str().into()));
    is_fhir_r5(&fhir);
}

#[test]
fn the_page_for_them_says_only_what_the_phone_knows() {
    let s = scene(15);
    let page = |phone: &Phone| phone.unlocked.hold_on_me(s.blue).unwrap().page(Language::English).to_text();
    assert!(page(&s.ana).contains("We gave no fact on you") && page(&s.ana).contains("no one else"), "control: one phone, and it knows");
    let ben = join(s.folder.path(), 15, "Ben", START, &s.ana, Role::Worker);
    meet(&s.ana, &ben);
    assert!(page(&ben).contains("We gave no fact on you"));
    // a share that has not come over yet
    let packet = s.share(&[]).unwrap();
    for phone in [&s.ana, &ben, &s.elm] {
        for _ in 0..4 {
            phone.clock.advance(2 * DAY);
            phone.unlocked.today().unwrap();
        }
    }
    assert!(!page(&ben).contains("We gave no fact") && page(&ben).contains("There may be more"), "{}", page(&ben));
    meet(&s.ana, &ben);
    assert!(page(&ben).contains("we gave your legal name and your birth date to Elm House") && !page(&ben).contains("There may be more"));
    // a colleague over there has not confirmed
    let oak = join(&s.folder.path().join("elm"), 15, "Oak", START + 8 * 86_400, &s.elm, Role::Worker);
    let maria = person(&s.elm, "Teal");
    s.elm.unlocked.keep_shared(&packet.bytes, maria).unwrap();
    meet(&s.elm, &oak);
    s.ana.unlocked.withdraw(s.blue, &stop(None)).unwrap();
    let asked = s.ana.unlocked.ask_erasure(packet.share).unwrap();
    let (answer, told) = s.elm.unlocked.answer_erasure(&asked).unwrap();
    assert_eq!((told.was_kept, told.awaited), (true, 1));
    s.ana.unlocked.read_answer(&answer).unwrap();
    assert!(!page(&s.ana).contains("gone there") && page(&s.ana).contains("1 of their phones may still have it"), "{}", page(&s.ana));
    meet(&s.elm, &oak);
    meet(&s.elm, &oak);
    let (answer, told) = s.elm.unlocked.answer_erasure(&asked).unwrap();
    assert_eq!(told.awaited, 0);
    s.ana.unlocked.read_answer(&answer).unwrap();
    assert!(page(&s.ana).contains("gone there"), "confirmed by all: {}", page(&s.ana));
    // a phone that had the page and is not ours any more
    let member = s.ana.unlocked.team().unwrap().devices.iter().find(|line| !line.is_self).unwrap().member;
    s.ana.unlocked.remove_member(member).unwrap();
    assert!(!page(&s.ana).contains("no one else") && page(&s.ana).contains("One more phone may still open it"), "{}", page(&s.ana));
}
