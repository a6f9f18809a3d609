//! Cases about everything before the columns.

use super::super::craft::*;
use super::super::*;
use super::Case;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name, expect, comment, change: Vec<u8>| {
        cases.push(Case { name, comment, change, expect });
    };
    let good = Crafted::simple();
    let frame = good.bytes();
    let altered = |place: usize, value: u8| {
        let mut bytes = frame.clone();
        bytes[place] = value;
        bytes
    };
    add("empty", "truncated", "no bytes", vec![]);
    add("magic", "magic", "wrong magic", altered(0, 0x84));
    add("checksum", "checksum", "wrong checksum", altered(4, frame[4] ^ 1));
    add("chunk-document", "chunk_type", "a whole document", Document::new(ANA).save());
    for (name, kind) in [("chunk-compressed", 2), ("chunk-bundle", 3), ("chunk-unknown", 9)] {
        let bytes = Crafted { chunk_type: kind, ..good.clone() }.bytes();
        add(name, "chunk_type", "not a plain change", bytes);
    }
    add("cut", "length", "the last byte is missing", frame[..frame.len() - 1].to_vec());
    add("longer", "length", "a byte follows the chunk", [&frame[..], &[0]].concat());
    let overlong = [&frame[..9], &[frame[9] | 0x80, 0], &frame[10..]].concat();
    add("overlong-length", "number", "the length is not in its shortest form", overlong);
    let hash = |i: u8| [i; 32];
    let with_deps = |dependencies: Vec<[u8; 32]>| Crafted { dependencies, ..good.clone() }.bytes();
    add("parents-most", "ok", "64 parents", with_deps((0..64).map(hash).collect()));
    add("parents-65", "dependencies", "65 parents", with_deps((0..65).map(hash).collect()));
    add("parents-unsorted", "dependencies", "parents not ascending", with_deps(vec![hash(2), hash(1)]));
    add("parents-repeated", "dependencies", "one parent twice", with_deps(vec![hash(1), hash(1)]));
    for (name, actor) in [("actor-15", vec![1; 15]), ("actor-17", vec![1; 17]), ("actor-0", vec![])] {
        add(name, "actor_length", "an actor that is not 16 bytes", Crafted { actor, ..good.clone() }.bytes());
    }
    for (name, sequence, start_op) in
        [("sequence-0", 0, 1), ("start-op-0", 1, 0), ("sequence-high", u64::MAX, 1), ("start-op-high", 1, u64::from(u32::MAX))]
    {
        let bytes = Crafted { sequence, start_op, ..good.clone() }.bytes();
        add(name, "number", "a counter out of its range", bytes);
    }
    add("time", "time", "a commit time", Crafted { time: 1, ..good.clone() }.bytes());
    add("time-negative", "time", "a commit time before 1970", Crafted { time: -1, ..good.clone() }.bytes());
    add("message", "message", "a commit message", Crafted { message: b"hi".to_vec(), ..good.clone() }.bytes());
    let with_others = |others: Vec<Vec<u8>>| Crafted { others, ..good.clone() }.bytes();
    add("other-actor-own", "other_actors", "the own actor among the others", with_others(vec![good.actor.clone()]));
    add("other-actor-repeated", "other_actors", "one other actor twice", with_others(vec![vec![1; 16]; 2]));
    add("other-actor-unsorted", "other_actors", "others not ascending", with_others(vec![vec![2; 16], vec![1; 16]]));
    add("other-actor-short", "actor_length", "another actor of 4 bytes", with_others(vec![vec![1; 4]]));
    let many = (0..257_u16).map(|i| [&i.to_be_bytes()[..], &[0; 14]].concat()).collect();
    add("other-actors-257", "other_actors", "257 other actors", with_others(many));
    cases
}
