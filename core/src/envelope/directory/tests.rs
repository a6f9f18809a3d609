#![allow(clippy::unwrap_used)]

use super::*;
use crate::crypto::RecordsSecret;
use proptest::prelude::*;

const TEAM: TeamId = TeamId::from_bytes([7; 16]);

fn entry(n: u8, keys: usize, bodies: usize) -> DirectoryEntry {
    DirectoryEntry {
        record: RecordId::from_bytes([n; 16]),
        kind: 2,
        subject: None,
        keys: (0..keys).map(|key| EntryKey { id: [key as u8; 8], key: RecordKey::from_bytes(&[key as u8; 32]), field: None }).collect(),
        bodies: (0..bodies).map(|body| (BodyId::of(&[n, body as u8, (body >> 8) as u8]), ShiftDay::from_days(20_000))).collect(),
    }
}

fn page_key(n: u8) -> PageKey {
    PageKey::from_bytes(&[n; 32])
}

fn content(pages: usize) -> RootContent {
    let page = |n: usize| PageName { row: RowId::of(&n.to_le_bytes()), key: page_key(n as u8) };
    let maker = SigningKey::from_seed(&[1; 32]).verifying_key().device_id();
    RootContent::new(TEAM, (maker, 1), ShiftDay::from_days(20_000), (0..pages).map(page).collect(), vec![vec![9; 700].into()])
}

#[test]
fn a_page_opens_under_its_own_key_in_its_own_team_only() {
    let env = Env::seeded(1);
    let row = seal_page(&env, TEAM, &page_key(1), &[entry(1, 1, 2), entry(2, 3, 4)]).unwrap();
    let opened = open_page(TEAM, &page_key(1), &row).unwrap();
    assert_eq!(opened.len(), 2);
    assert_eq!(opened[1].bodies, entry(2, 3, 4).bodies);
    assert!(opened[1].keys[2].key == RecordKey::from_bytes(&[2; 32]));
    assert_eq!(open_page(TEAM, &page_key(2), &row).unwrap_err(), DirectoryError::Key);
    assert_eq!(open_page(TeamId::from_bytes([8; 16]), &page_key(1), &row).unwrap_err(), DirectoryError::Key);
}

#[test]
fn what_breaks_a_pages_limits_is_refused() {
    let env = Env::seeded(2);
    let seal = |entries: &[DirectoryEntry]| seal_page(&env, TEAM, &page_key(1), entries).unwrap();
    let refused = |entries: &[DirectoryEntry]| open_page(TEAM, &page_key(1), &seal(entries)).unwrap_err();
    assert!(open_page(TEAM, &page_key(1), &seal(&[entry(1, PAGE_ENTRY_KEYS_MAX_COUNT, PAGE_ENTRY_BODIES_MAX_COUNT)])).is_ok());
    assert_eq!(refused(&[entry(1, 0, 1)]), DirectoryError::Malformed);
    assert_eq!(refused(&[entry(1, PAGE_ENTRY_KEYS_MAX_COUNT + 1, 1)]), DirectoryError::Malformed);
    assert_eq!(refused(&[entry(1, 1, PAGE_ENTRY_BODIES_MAX_COUNT + 1)]), DirectoryError::Malformed);
    let many: Vec<DirectoryEntry> = (0..=PAGE_RECORDS_MAX_COUNT).map(|n| entry(n as u8, 1, 1)).collect();
    assert_eq!(refused(&many), DirectoryError::Malformed);
    let huge: Vec<DirectoryEntry> = (0..3).map(|n| entry(n, 1, PAGE_ENTRY_BODIES_MAX_COUNT)).collect();
    assert_eq!(seal_page(&env, TEAM, &page_key(1), &huge).unwrap_err(), DirectoryError::TooLarge);
}

#[test]
fn a_root_of_many_rows_is_joined_in_any_order_and_believed_by_its_signature() {
    let env = Env::seeded(3);
    let signer = SigningKey::from_seed(&[1; 32]);
    let lane = RecordsSecret::make(&env).derive_records_lane_key();
    let (id, rows) = seal_root(&env, &lane, &signer, &content(2_000)).unwrap();
    assert!(rows.len() > 1);
    let mut parts: Vec<RootPart> = rows.iter().map(|row| open_root_part(TEAM, &lane, row).unwrap()).collect();
    parts.reverse();
    parts.push(parts[0].clone());
    assert!(join_root(TEAM, &parts[..rows.len() - 1]).unwrap().is_none());
    let opened = join_root(TEAM, &parts).unwrap().unwrap();
    assert_eq!((opened.id, opened.maker()), (id, signer.verifying_key().device_id()));
    let read = opened.verify(&signer.verifying_key()).unwrap();
    assert_eq!((read.pages.len(), read.frontiers.len()), (2_000, 1));
    // another turn's lane, another member's key, a piece of another root
    let other = RecordsSecret::make(&env).derive_records_lane_key();
    assert_eq!(open_root_part(TEAM, &other, &rows[0]).unwrap_err(), DirectoryError::Key);
    let opened = join_root(TEAM, &parts).unwrap().unwrap();
    assert_eq!(opened.verify(&SigningKey::from_seed(&[2; 32]).verifying_key()).unwrap_err(), DirectoryError::Signature);
    let (_, rows) = seal_root(&env, &lane, &signer, &content(2_001)).unwrap();
    parts[0] = open_root_part(TEAM, &lane, rows.last().unwrap()).unwrap();
    assert_eq!(join_root(TEAM, &parts).unwrap_err(), DirectoryError::Malformed);
}

#[test]
fn limits_of_a_root_hold_on_both_sides() {
    let env = Env::seeded(4);
    let signer = SigningKey::from_seed(&[1; 32]);
    let lane = RecordsSecret::make(&env).derive_records_lane_key();
    assert!(seal_root(&env, &lane, &signer, &content(DIRECTORY_PAGES_MAX_COUNT)).is_ok());
    assert_eq!(seal_root(&env, &lane, &signer, &content(DIRECTORY_PAGES_MAX_COUNT + 1)).unwrap_err(), DirectoryError::TooLarge);
    let mut large = content(1);
    large.frontiers = vec![vec![1; 8_000].into(); 200];
    assert_eq!(seal_root(&env, &lane, &signer, &large).unwrap_err(), DirectoryError::TooLarge);
}

proptest! {
    #[test]
    fn no_bytes_make_reading_fail_otherwise_than_by_an_error(bytes in proptest::collection::vec(any::<u8>(), 511), cut in any::<u16>()) {
        let env = Env::seeded(5);
        let lane = RecordsSecret::make(&env).derive_records_lane_key();
        let mut row = vec![Lane::Records.byte()];
        row.extend_from_slice(&bytes);
        let row = Row::parse(row).unwrap();
        prop_assert!(open_page(TEAM, &page_key(1), &row).is_err());
        prop_assert!(open_root_part(TEAM, &lane, &row).is_err());
        // the same bytes as a member's plaintext under the right key
        let sealed = crypto::seal(&page_key(1), Nonce::make(&env), &aad(labels::WIRE_PAGE, TEAM), &bytes[..439]).unwrap();
        prop_assert!(open_page(TEAM, &page_key(1), &row_of(&sealed).unwrap()).is_err());
        let mut plain = bytes[..439].to_vec();
        plain[16..22].copy_from_slice(&[0, 1, cut as u8, (cut >> 8) as u8, 0, 0]);
        let sealed = crypto::seal(&lane, Nonce::make(&env), &aad(labels::WIRE_ROOT, TEAM), &plain).unwrap();
        if let Ok(part) = open_root_part(TEAM, &lane, &row_of(&sealed).unwrap()) {
            prop_assert!(join_root(TEAM, &[part]).is_err());
        }
    }
}
