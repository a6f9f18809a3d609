//! Grants and vaults through the store, and between phones.

#![allow(clippy::unwrap_used)]

use satchel_core::consent::{
    Act, GatedCategory, GrantError, GrantRequest, GrantStatus, HowGiven, Language, Purpose, ShareClass, Withdrawal,
};
use satchel_core::error::Error;
use satchel_core::record::{Fact, FactField, ParticipantDraft, SharingEvent};
use satchel_core::screen::Alias;
use satchel_core::team::Role;
use satchel_tests::team::{Phone, found, join, meet};
use satchel_wire::ids::RecordId;

/// 2026-11-22 20:00 UTC.
const START: u64 = 1_795_377_600;
const DAY: i64 = 86_400;

fn person(phone: &Phone) -> RecordId {
    let draft = ParticipantDraft { alias: Some(Alias::parse("Blue").unwrap()), ..ParticipantDraft::default() };
    phone.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap()
}

fn request(phone: &Phone, categories: &[GatedCategory]) -> GrantRequest {
    GrantRequest {
        act: Act::Record,
        categories: categories.to_vec(),
        recipient: None,
        purpose: Purpose::HousingApplication,
        start: None,
        expiry: phone.unlocked.today().unwrap().plus(30),
        how: HowGiven::Spoken,
        language: Language::English,
    }
}

fn facts(phone: &Phone, participant: RecordId, grant: RecordId) -> Result<Vec<String>, Error> {
    Ok(phone.unlocked.read_vault(participant, grant)?.iter().map(|line| line.fact.value().to_owned()).collect())
}

fn status(phone: &Phone, participant: RecordId, grant: RecordId) -> GrantStatus {
    phone.unlocked.grants(participant).unwrap().into_iter().find(|line| line.id == grant).unwrap().status
}

const NAME: GatedCategory = GatedCategory::LegalName;
const BIRTH: GatedCategory = GatedCategory::BirthDate;

#[test]
fn a_vault_lives_and_dies_with_its_grant() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), 1, "Ana", START);
    let ben = join(folder.path(), 1, "Ben", START, &ana, Role::Worker);
    let blue = person(&ana);
    let words = ana.unlocked.grant_words(blue, &request(&ana, &[NAME, BIRTH]), Some("May 3")).unwrap();
    assert!(words.text.starts_with("May we write down your legal name and your birth date?"), "{}", words.text);
    let grant = ana.unlocked.give_grant(blue, &request(&ana, &[NAME, BIRTH])).unwrap();
    let other = ana.unlocked.give_grant(blue, &request(&ana, &[NAME])).unwrap();
    let name = Fact::parse(FactField::LegalName, "Maria Gonzalez").unwrap();
    let birth = Fact::parse(FactField::BirthDate, "1980-02-29").unwrap();
    let plate = Fact::parse(FactField::Plate, "7ABC123").unwrap();
    let vault = ana.unlocked.vault(blue, grant).unwrap();
    vault.write(&[name.clone(), birth.clone()]).unwrap();
    assert_eq!(vault.write(&[name.clone(), plate]), Err(GrantError::NotCovered.into()));
    ana.unlocked.vault(blue, other).unwrap().write(std::slice::from_ref(&name)).unwrap();
    let file = ana.unlocked.participant(blue).unwrap().grant.unwrap();
    assert_eq!(ana.unlocked.vault(blue, file).unwrap_err(), GrantError::NoVault.into());
    let nothing = RecordId::from_bytes([9; 16]);
    assert_eq!(ana.unlocked.vault(blue, nothing).unwrap_err(), GrantError::NoSuchGrant.into());

    meet(&ana, &ben);
    assert_eq!(facts(&ben, blue, grant).unwrap(), ["Maria Gonzalez", "1980-02-29"]);
    assert_eq!(ben.unlocked.vaults(blue).unwrap().len(), 2);
    let recorded = &ben.unlocked.grants(blue).unwrap()[0].recorded_by;
    assert_eq!(recorded.iter().map(|by| by.device).collect::<Vec<_>>(), [ana.unlocked.device().unwrap()]);

    // one category is taken back: it goes everywhere, the other stays
    let only = |category| Withdrawal { act: Some(Act::Record), category: Some(category), recipient: None, how: HowGiven::Spoken };
    let report = ben.unlocked.withdraw(blue, &only(NAME)).unwrap();
    assert_eq!((report.grants.len(), report.erasures.len(), report.is_file_closed), (2, 1, false));
    assert_eq!(ben.unlocked.withdraw(blue, &only(NAME)).unwrap_err(), GrantError::NothingToWithdraw.into());
    ana.unlocked.vault(blue, grant).unwrap().write(std::slice::from_ref(&name)).unwrap();
    meet(&ana, &ben);
    for phone in [&ana, &ben] {
        assert_eq!(facts(phone, blue, grant).unwrap(), ["1980-02-29"], "what was written meanwhile goes too");
        assert_eq!(facts(phone, blue, other), Err(GrantError::NotLive(GrantStatus::Withdrawn).into()));
        assert_eq!(phone.unlocked.vault(blue, grant).unwrap().write(std::slice::from_ref(&name)), Err(GrantError::NotCovered.into()));
        assert_eq!(phone.unlocked.vaults(blue).unwrap().len(), 1);
    }
    // they say yes again, knowing of it
    let again = ana.unlocked.give_grant(blue, &request(&ana, &[NAME])).unwrap();
    ana.unlocked.vault(blue, again).unwrap().write(&[name]).unwrap();
    meet(&ana, &ben);
    assert_eq!(facts(&ben, blue, again).unwrap(), ["Maria Gonzalez"]);

    // everything is taken back
    let report = ana.unlocked.withdraw(blue, &Withdrawal::of_everything(HowGiven::Spoken)).unwrap();
    assert!(report.is_file_closed && ana.unlocked.participants().unwrap().is_empty());
    assert_eq!(ana.unlocked.grants(blue).unwrap(), []);
    meet(&ana, &ben);
    assert!(ben.unlocked.participants().unwrap().is_empty() && ben.unlocked.vaults(blue).unwrap().is_empty());
}

#[test]
fn a_share_names_its_recipient_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), 2, "Ana", START);
    let blue = person(&ana);
    let clinic = ana.unlocked.add_recipient("Elm Street Clinic", ShareClass::Health).unwrap();
    let precinct = ana.unlocked.add_recipient("County court", ShareClass::Justice).unwrap();
    for wrong in ["case 24-0187", "call 415-555-0123", "Officer Smith"] {
        assert!(matches!(ana.unlocked.add_recipient(wrong, ShareClass::Justice), Err(Error::Screen(_))), "{wrong}");
    }
    assert!(ana.unlocked.add_recipient("County court", ShareClass::Service).is_err());
    assert_eq!(ana.unlocked.recipients().unwrap().len(), 2);
    let share = |recipient, purpose| GrantRequest { act: Act::Share, recipient, purpose, ..request(&ana, &[NAME]) };
    let give = |request: &GrantRequest| ana.unlocked.give_grant(blue, request);
    assert_eq!(give(&share(None, Purpose::HealthCare)), Err(GrantError::Wildcard.into()));
    assert_eq!(give(&share(Some(blue), Purpose::HealthCare)), Err(GrantError::UnknownRecipient.into()));
    assert_eq!(give(&share(Some(precinct), Purpose::LegalDefence)), Err(GrantError::JusticeDenied.into()));
    let stranger = RecordId::from_bytes([8; 16]);
    assert_eq!(ana.unlocked.give_grant(stranger, &share(Some(clinic), Purpose::HealthCare)), Err(GrantError::NoFile.into()));
    let asked = share(Some(clinic), Purpose::HealthCare);
    assert!(ana.unlocked.grant_words(blue, &asked, None).unwrap().text.starts_with("Elm Street Clinic gives care."));
    let grant = give(&asked).unwrap();
    assert_eq!(ana.unlocked.vault(blue, grant).unwrap_err(), GrantError::NoVault.into(), "a share keeps nothing");
    assert_eq!(status(&ana, blue, grant), GrantStatus::Live);
    let stop = Withdrawal { act: Some(Act::Share), category: None, recipient: Some(clinic), how: HowGiven::Spoken };
    let report = ana.unlocked.withdraw(blue, &stop).unwrap();
    assert_eq!((report.grants, report.stopped, report.erasures.len()), (vec![grant], vec![clinic], 0));
    assert_eq!(status(&ana, blue, grant), GrantStatus::Withdrawn);
    let log = ana.unlocked.sharing_log(blue).unwrap();
    assert_eq!(log.iter().map(|line| (line.note.event, line.note.recipient)).collect::<Vec<_>>(), [(SharingEvent::Stopped, clinic)]);
    assert_eq!(ana.unlocked.participants().unwrap().len(), 1, "the file stays");
}

#[test]
fn a_grant_that_is_over_hides_at_once_and_is_destroyed() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), 3, "Ana", START);
    let blue = person(&ana);
    let short = GrantRequest { expiry: ana.unlocked.today().unwrap().plus(3), ..request(&ana, &[NAME]) };
    let grant = ana.unlocked.give_grant(blue, &short).unwrap();
    let later = GrantRequest { start: Some(ana.unlocked.today().unwrap().plus(2)), ..request(&ana, &[NAME]) };
    let later = ana.unlocked.give_grant(blue, &later).unwrap();
    assert_eq!(status(&ana, blue, later), GrantStatus::NotBegun);
    assert_eq!(ana.unlocked.vault(blue, later).unwrap_err(), GrantError::NotLive(GrantStatus::NotBegun).into());
    let name = Fact::parse(FactField::LegalName, "Maria Gonzalez").unwrap();
    ana.unlocked.vault(blue, grant).unwrap().write(&[name]).unwrap();
    for _ in 0..2 {
        ana.clock.advance(2 * DAY);
        ana.unlocked.today().unwrap();
    }
    assert_eq!(status(&ana, blue, grant), GrantStatus::Expired);
    assert_eq!(status(&ana, blue, later), GrantStatus::Live);
    assert_eq!(facts(&ana, blue, grant), Err(GrantError::NotLive(GrantStatus::Expired).into()));
    assert!(ana.unlocked.vaults(blue).unwrap().is_empty());
    assert_eq!(ana.unlocked.tend().unwrap().destroyed, 1, "the vault, and nothing else");
    assert_eq!(ana.unlocked.tend().unwrap().destroyed, 0);
    assert_eq!(status(&ana, blue, grant), GrantStatus::Expired, "that it was given stays known as long as the file");
}
