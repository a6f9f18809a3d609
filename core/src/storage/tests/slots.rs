//! The slot file: nothing crafted, torn or damaged gets through.

use super::*;
use crate::storage::{
    Argon2Cost, Presence, SLOT_COUNT, SLOT_FILE_BYTES, SLOT_FILLER_BYTES, Slot, SlotError, SlotFile, SlotKind, StorageError, destroy_slots,
    presence, read_slots,
};
use proptest::prelude::*;
use std::fs;

const SLOT_AT: usize = 26;

fn filler(seed: u64) -> [u8; SLOT_FILLER_BYTES] {
    noise(seed, SLOT_FILLER_BYTES).try_into().unwrap()
}

fn example() -> SlotFile {
    let cost = Argon2Cost::new(64 * 1024, 3, 1).unwrap();
    let mut file = SlotFile::new([9; 16]);
    file.slots[0] = Some(Slot::new(SlotKind::PassphraseKeystore, cost, [1; 16], b"alias", &noise(1, 73)).unwrap());
    file.slots[3] = Some(Slot::new(SlotKind::Passphrase, cost, [2; 16], b"", &noise(2, 192)).unwrap());
    file.slots[4] = Some(Slot::new(SlotKind::PinKeystore, cost, [3; 16], &[b'x'; 32], &noise(3, 1)).unwrap());
    file.slots[7] = Some(Slot::new(SlotKind::Recovery, cost, [4; 16], b"", &noise(4, 80)).unwrap());
    file
}

/// Changes bytes of the first slot and makes the checksum right again, as someone with the file can.
fn crafted(change: impl FnOnce(&mut [u8])) -> Result<SlotFile, SlotError> {
    let mut bytes = example().encode(&filler(1)).unwrap();
    change(&mut bytes[SLOT_AT..SLOT_AT + 256]);
    let (covered, checksum) = bytes.split_at_mut(SLOT_FILE_BYTES - 32);
    checksum.copy_from_slice(blake3::hash(covered).as_bytes());
    SlotFile::decode(&bytes)
}

#[test]
fn what_is_encoded_is_decoded() {
    assert_eq!(SlotFile::decode(&example().encode(&filler(1)).unwrap()).unwrap(), example());
    let empty = SlotFile::new([0; 16]);
    assert_eq!(SlotFile::decode(&empty.encode(&filler(2)).unwrap()).unwrap(), empty);
    assert_eq!(crafted(|_| ()).unwrap(), example(), "positive control of the crafted ones below");
}

#[test]
fn every_changed_byte_is_refused() {
    let bytes = example().encode(&filler(1)).unwrap();
    for at in 0..SLOT_FILE_BYTES {
        for flip in [1, 0x80, 0xff] {
            let mut changed = bytes;
            changed[at] ^= flip;
            let refused = SlotFile::decode(&changed).unwrap_err();
            match at {
                0..8 => assert_eq!(refused, SlotError::Magic),
                8..10 => assert!(matches!(refused, SlotError::Newer { .. } | SlotError::Damaged)),
                _ => assert_eq!(refused, SlotError::Damaged),
            }
        }
    }
    for wrong in [&bytes[..SLOT_FILE_BYTES - 1], &[&bytes[..], &[0]].concat(), &[]] {
        assert_eq!(SlotFile::decode(wrong), Err(SlotError::Size));
    }
}

#[test]
fn crafted_slots_are_refused_before_anyone_derives_a_key() {
    let memory = |kib: u32| crafted(|slot| slot[1..5].copy_from_slice(&kib.to_le_bytes()));
    assert_eq!(memory(8 * 1024 * 1024), Err(SlotError::Parameters), "8 GiB");
    assert_eq!(memory(256 * 1024 + 1), Err(SlotError::Parameters));
    assert_eq!(memory(19 * 1024 - 1), Err(SlotError::Parameters));
    assert!(memory(256 * 1024).is_ok() && memory(19 * 1024).is_ok());
    let number = |at: usize, value: u32| crafted(|slot| slot[at..at + 4].copy_from_slice(&value.to_le_bytes()));
    assert_eq!(number(5, 0), Err(SlotError::Parameters));
    assert_eq!(number(5, 17), Err(SlotError::Parameters));
    assert!(number(5, 16).is_ok());
    assert_eq!(number(9, 0), Err(SlotError::Parameters));
    assert_eq!(number(9, 5), Err(SlotError::Parameters));
    assert!(number(9, 4).is_ok());
    assert_eq!(crafted(|slot| slot[0] = 5), Err(SlotError::Kind));
    assert_eq!(crafted(|slot| slot[0] = 0), Err(SlotError::Reserved), "an empty slot is zero throughout");
    assert_eq!(crafted(|slot| slot[0] = 1), Err(SlotError::Length), "an alias where the kind has none");
    assert_eq!(crafted(|slot| slot[29..62].fill(0)), Err(SlotError::Length), "no alias where the kind needs one");
    assert_eq!(crafted(|slot| slot[29] = 33), Err(SlotError::Length));
    assert_eq!(crafted(|slot| slot[29] = 4), Err(SlotError::Reserved), "bytes behind the alias");
    assert_eq!(crafted(|slot| slot[62] = 193), Err(SlotError::Length));
    assert_eq!(crafted(|slot| slot[62..255].fill(0)), Err(SlotError::Length), "no wrapped key");
    for reserved in 255..256 {
        assert_eq!(crafted(|slot| slot[reserved] = 1), Err(SlotError::Reserved));
    }
}

proptest! {
    #[test]
    fn any_slots_survive_a_round_trip(kinds in proptest::array::uniform8(0_u8..5), seed: u64, memory in 19_456_u32..=262_144, passes in 1_u32..=16, lanes in 1_u32..=4) {
        let mut file = SlotFile::new(noise(seed, 16).try_into().unwrap());
        for (number, kind) in kinds.into_iter().enumerate() {
            let kind = [None, Some(SlotKind::Passphrase), Some(SlotKind::PassphraseKeystore), Some(SlotKind::PinKeystore), Some(SlotKind::Recovery)][usize::from(kind)];
            let Some(kind) = kind else { continue };
            let keystore = matches!(kind, SlotKind::PassphraseKeystore | SlotKind::PinKeystore);
            let alias = noise(seed ^ 1, if keystore { 1 + (seed as usize + number) % 32 } else { 0 });
            let wrapped = noise(seed ^ 2, 1 + (seed as usize ^ number) % 192);
            let cost = Argon2Cost::new(memory, passes, lanes).unwrap();
            file.slots[number] = Some(Slot::new(kind, cost, [7; 16], &alias, &wrapped).unwrap());
        }
        prop_assert_eq!(SlotFile::decode(&file.encode(&filler(seed)).unwrap()).unwrap(), file);
    }

    #[test]
    fn any_slot_bytes_give_an_answer_not_a_panic(bytes in proptest::collection::vec(any::<u8>(), 256)) {
        if let Ok(file) = crafted(|slot| slot.copy_from_slice(&bytes)) {
            // What is accepted has one encoding only.
            prop_assert_eq!(&file.encode(&filler(1)).unwrap()[SLOT_AT..SLOT_AT + 256], &bytes[..]);
        }
    }
}

#[test]
fn slots_are_replaced_whole_and_destroyed_in_place() {
    let (_folder, dir) = place();
    let mut database = Database::create(&dir).unwrap();
    assert_eq!(read_slots(&dir).unwrap_err(), StorageError::NotFound);
    database.write_slots(&example(), &filler(1)).unwrap();
    assert_eq!(read_slots(&dir).unwrap(), example());
    assert_eq!(presence(&dir).unwrap(), Presence::Complete);
    let mut next = example();
    next.slots[0] = None;
    database.write_slots(&next, &filler(2)).unwrap();
    assert_eq!(read_slots(&dir).unwrap(), next);
    assert_eq!(next.slots.len(), SLOT_COUNT);
    assert!(!dir.join("slots.new").exists());

    // A second name of the same file shows what an undelete would: the bytes in place are noise.
    fs::hard_link(dir.join("slots"), dir.join("kept")).unwrap();
    fs::write(dir.join("slots.new"), b"half written").unwrap();
    let random: [u8; SLOT_FILE_BYTES] = noise(5, SLOT_FILE_BYTES).try_into().unwrap();
    destroy_slots(&dir, &random).unwrap();
    assert_eq!(fs::read(dir.join("kept")).unwrap(), random);
    assert!(!dir.join("slots").exists() && !dir.join("slots.new").exists());
    destroy_slots(&dir, &random).unwrap();
    assert_eq!(presence(&dir).unwrap(), Presence::Unfinished);
}

#[test]
fn a_kill_between_write_and_rename_leaves_the_old_slots() {
    let (_folder, dir) = place();
    let mut database = Database::create(&dir).unwrap();
    database.write_slots(&example(), &filler(1)).unwrap();
    database.close().unwrap();
    // The state a kill leaves at that point: the new file beside the old one, whole or torn.
    for torn in [0, 1, 2_048, SLOT_FILE_BYTES] {
        let new = SlotFile::new([1; 16]).encode(&filler(3)).unwrap();
        fs::write(dir.join("slots.new"), &new[..torn]).unwrap();
        assert_eq!(read_slots(&dir).unwrap(), example());
        Database::open(&dir).unwrap().close().unwrap();
        assert!(!dir.join("slots.new").exists(), "swept at the next opening");
        assert_eq!(read_slots(&dir).unwrap(), example());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(dir.join("slots")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
