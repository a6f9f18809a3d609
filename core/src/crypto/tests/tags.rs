//! Derived secrets, tags and tokens: who can make which from what.

use crate::crypto::*;
use crate::env::Env;
use satchel_wire::RecordId;
use std::collections::BTreeSet;

#[test]
fn everything_derived_from_one_turn_differs_and_repeats() {
    let records = RecordsSecret::make(&Env::seeded(1));
    let all = || {
        let commons = records.derive_commons();
        let discovery = commons.derive_discovery();
        vec![
            *records.expose(),
            *commons.expose(),
            *records.derive_records_lane_key().expose(),
            *commons.derive_announce_lane_key().expose(),
            *commons.derive_commons_lane_key().expose(),
            *discovery.expose(),
            *discovery.derive_psk().expose(),
            *commons.derive_pull_keypair().expose_seed(),
            *commons.derive_push_keypair().expose_seed(),
        ]
    };
    assert_eq!(all(), all());
    assert_eq!(all().into_iter().collect::<BTreeSet<_>>().len(), all().len());
}

#[test]
fn the_board_cannot_reach_the_records_lane() {
    let env = Env::seeded(2);
    let records = RecordsSecret::make(&env);
    let (commons, aad) = (records.derive_commons(), Aad::new(labels::COVER));
    let cover = seal(&records.derive_records_lane_key(), Nonce::make(&env), &aad, b"record key").unwrap();
    // every key that the commons secret gives, under every label there is
    for (_, label) in labels::ALL {
        let guess = LaneKey::from_bytes(&derive_key(*label, &[commons.expose()]));
        assert_eq!(open(&guess, &aad, &cover), Err(OpenError::Commitment));
    }
    // positive control: the same search succeeds from the records secret
    let found = labels::ALL.iter().any(|(_, label)| {
        let guess = LaneKey::from_bytes(&derive_key(*label, &[records.expose()]));
        open(&guess, &aad, &cover).is_ok()
    });
    assert!(found);
}

#[test]
fn a_tag_is_recognised_by_its_team_in_its_hour_and_by_nobody_else() {
    let env = Env::seeded(3);
    let (ours, theirs) = (DiscoverySecret::make(&env), DiscoverySecret::make(&env));
    let (salt, hour) = (env.random(), 498_696);
    let tag = discovery_tag(&ours, hour, &salt);
    assert_eq!(tag, discovery_tag(&ours, hour, &salt));
    assert_ne!(tag, discovery_tag(&theirs, hour, &salt));
    assert_ne!(tag, discovery_tag(&ours, hour + 1, &salt));
    assert_ne!(tag, discovery_tag(&ours, hour, &env.random()), "two appearances in one hour cannot be linked");
    assert_ne!(hello_tag(&ours, &salt), tag);
    assert_ne!(hello_tag(&ours, &salt), hello_tag(&theirs, &salt));
    // an hour and a salt do not run together
    let shifted: [u8; 16] = std::array::from_fn(|index| if index == 0 { 1 } else { salt[index] });
    assert_ne!(discovery_tag(&ours, hour, &shifted), tag);
}

#[test]
fn tokens_find_their_records_and_change_with_the_salt() {
    let env = Env::seeded(4);
    let records: Vec<RecordId> = (0..500).map(|_| RecordId::from_bytes(env.random())).collect();
    let salt = env.random();
    let tokens = ErasureTokens::new(&salt);
    let all: BTreeSet<_> = records.iter().map(|record| tokens.token(&[record.as_bytes()])).collect();
    assert_eq!(all.len(), records.len());
    assert_eq!(tokens.token(&[records[7].as_bytes()]), keyed_token(&salt, &[records[7].as_bytes()]));
    assert!(records.iter().all(|record| !all.contains(&keyed_token(&env.random(), &[record.as_bytes()]))));
}
