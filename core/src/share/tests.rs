#![allow(clippy::unwrap_used)]

use super::*;
use crate::consent::{HowGiven, Purpose};
use crate::crypto::{ReceivingKey, tree_key};
use crate::env::Env;
use crate::record::Fact;
use satchel_wire::ShiftDay;
use satchel_wire::ids::RecordId;

fn facts(share: u8) -> SharedFacts {
    SharedFacts {
        share: RecordId::from_bytes([share; 16]),
        purpose: Purpose::HousingApplication,
        expiry: ShiftDay::from_days(20_800),
        how: HowGiven::Spoken,
        words_version: 3,
        words_language: "en".into(),
        facts: vec![Fact::parse(FactField::LegalName, "Maria Gonzalez").unwrap(), Fact::parse(FactField::BirthDate, "1980-02-29").unwrap()],
    }
}

fn opened(key: &ReceivingKey, offer: &Offer, packet: &[u8]) -> Result<Message, ShareError> {
    let tag = tag_of_packet(packet).ok_or(ShareError::NotForUs)?;
    open(key, &tree_key(offer.seed(), tag), packet)
}

#[test]
fn only_the_recipient_opens_a_packet_and_everything_sent_has_one_size() {
    let env = Env::seeded(51);
    let (key, offer) = Offer::make(&env).unwrap();
    let (other, elsewhere) = Offer::make(&env).unwrap();
    let shared = facts(1);
    let packet = seal_facts(&env, offer.key(), offer.seed(), &shared).unwrap();
    assert_eq!(opened(&key, &offer, &packet).unwrap(), Message::Facts(shared.clone()));
    assert_eq!(opened(&other, &offer, &packet), Err(ShareError::NotForUs), "another key");
    assert_eq!(opened(&key, &elsewhere, &packet), Err(ShareError::NotForUs), "another secret: whoever was not paired seals nothing");
    let request = EraseRequest { id: RecordId::from_bytes([2; 16]), share: shared.share, answer_key: [9; 32] };
    let asked = seal_request(&env, offer.key(), offer.seed(), &request).unwrap();
    assert_eq!(opened(&key, &offer, &asked).unwrap(), Message::Erase(request));
    let answer = Answer::new(shared.share, ShiftDay::from_days(20_700), true, 0);
    let told = seal_answer(&env, &[9; 32], &answer).unwrap();
    assert_eq!(open_answer(&[9; 32], &told).unwrap(), answer);
    assert_eq!(open_answer(&[8; 32], &told), Err(ShareError::NotForUs));
    assert_eq!([packet.len(), asked.len(), told.len()], [PACKET_BYTES; 3]);
    // the longest facts fit
    let long = FactField::ALL.iter().map(|field| {
        let value = if field.shape() == crate::record::vault::FactShape::Date { "1980-02-29".into() } else { "x".repeat(200) };
        Fact::parse(*field, &value).unwrap()
    });
    let long = SharedFacts { facts: long.collect(), ..facts(3) };
    let packet = seal_facts(&env, offer.key(), offer.seed(), &long).unwrap();
    assert_eq!((packet.len(), opened(&key, &offer, &packet)), (PACKET_BYTES, Ok(Message::Facts(long))));
    assert_eq!(seal_facts(&env, offer.key(), offer.seed(), &SharedFacts { facts: vec![], ..facts(4) }), Err(ShareError::Nothing));
    assert!(!format!("{shared:?} {offer:?}").contains("Maria"));
}

/// Bends a packet at some of its bytes, one after the other. Says at how many.
fn bend(is_tried: impl Fn(usize) -> bool) -> usize {
    let env = Env::seeded(52);
    let (key, offer) = Offer::make(&env).unwrap();
    let packet = seal_facts(&env, offer.key(), offer.seed(), &facts(1)).unwrap();
    assert!(opened(&key, &offer, &packet).is_ok(), "control");
    let tried: Vec<usize> = (0..packet.len()).filter(|at| is_tried(*at)).collect();
    for at in &tried {
        let mut bent = packet.clone();
        bent[*at] ^= 1;
        assert_eq!(opened(&key, &offer, &bent), Err(ShareError::NotForUs), "{at}");
    }
    tried.len()
}

#[test]
#[ignore = "half a minute: opening takes 4 ms in a debug build"]
fn a_packet_changed_at_every_byte_opens_nowhere() {
    assert_eq!(bend(|_| true), PACKET_BYTES);
}

#[test]
fn a_packet_changed_at_any_byte_opens_nowhere() {
    // every byte of the head, the encapsulated key's edges and the tag; each 37th of the rest
    let tried = bend(|at| !(40..=PACKET_BYTES - 40).contains(&at) || at % 37 == 0 || (1_080..1_150).contains(&at));
    assert!(tried > 300, "{tried}");
    let env = Env::seeded(52);
    let (key, offer) = Offer::make(&env).unwrap();
    let packet = seal_facts(&env, offer.key(), offer.seed(), &facts(1)).unwrap();
    for length in [0, 1, 3, 1_140, PACKET_BYTES - 1] {
        assert_eq!(opened(&key, &offer, &packet[..length]), Err(ShareError::NotForUs));
    }
    assert_eq!(opened(&key, &offer, &[&packet[..], &[0]].concat()), Err(ShareError::NotForUs));
}

/// A packet proves nothing to a third party: with what the recipient holds, the recipient makes one that says anything, and
/// that differs from a true one in nothing but what is random in both.
#[test]
fn the_recipient_could_have_made_every_packet() {
    let env = Env::seeded(53);
    let (key, offer) = Offer::make(&env).unwrap();
    let genuine = seal_facts(&env, offer.key(), offer.seed(), &facts(1)).unwrap();
    // the recipient: its own key, and the seed that it made and showed
    let own = Offer::from_parts(key.public_key().unwrap().as_bytes(), offer.seed()).unwrap();
    let alone = Env::seeded(54);
    let forged = seal_facts(&alone, own.key(), own.seed(), &facts(1)).unwrap();
    assert_eq!(opened(&key, &offer, &forged).unwrap(), opened(&key, &offer, &genuine).unwrap(), "equal in all that it says");
    assert_eq!(forged.len(), genuine.len());
    let lie = SharedFacts { facts: vec![Fact::parse(FactField::LegalName, "Somebody Else").unwrap()], ..facts(1) };
    let forged = seal_facts(&alone, own.key(), own.seed(), &lie).unwrap();
    assert_eq!(opened(&key, &offer, &forged).unwrap(), Message::Facts(lie), "and whatever it likes");
}

#[test]
fn an_offer_is_read_from_its_text_and_from_no_other() {
    let env = Env::seeded(55);
    let (_, offer) = Offer::make(&env).unwrap();
    let text = offer.to_text();
    assert!(text.len() < 2_100, "{}", text.len());
    let spaced: String =
        text.to_lowercase().chars().enumerate().flat_map(|(at, c)| [Some(c), (at % 60 == 59).then_some('\n')]).flatten().collect();
    let read = Offer::from_text(&spaced).unwrap();
    assert_eq!((read.key(), read.seed(), read.words()), (offer.key(), offer.seed(), offer.words()));
    for at in (14..text.len()).step_by(97) {
        let mut bent = text.as_bytes().to_vec();
        bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(Offer::from_text(std::str::from_utf8(&bent).unwrap()).unwrap_err(), ShareError::Offer, "{at}");
    }
    for wrong in ["", "SATCHELSHARE1:", "SATCHELSHARE2:AAAA", &"A".repeat(5_000), &text[..100]] {
        assert_eq!(Offer::from_text(wrong).unwrap_err(), ShareError::Offer);
    }
    let (_, other) = Offer::make(&env).unwrap();
    assert_ne!(offer.words(), other.words());
}
