//! Every ciphertext that was ever written or sent, and what each secret opens of it: worked out once, and remembered.

use super::opening::{SORTS_COUNT, Sort, openers};
use satchel_core::crypto::{ReceivingKey, derive_key, labels};
use satchel_core::envelope::COVER_BYTES;
use satchel_core::recovery::open_package;
use satchel_core::store::{Loot, LootClass, RecordLoot};
use satchel_core::team::escrow::EscrowBoxes;
use satchel_core::team::pack::PACK_HEADER_BYTES;
use satchel_core::team::turn::open_announcement;
use satchel_wire::announcement::{self, Part};
use satchel_wire::frame::{Announce, Endpoint, Frame, Pulled, Push, Signed};
use satchel_wire::ids::{AnnouncementId, RecordId, TeamId};
use satchel_wire::row::{Lane, Row};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::Read;
use std::path::Path;

/// Every planted text begins so.
pub const CANARY: &[u8] = b"Qz";
/// How long planted texts are (bytes).
pub const CANARY_BYTES: usize = 14;

/// A planted text, by its number.
pub fn canary(number: usize) -> String {
    let mut text = String::from("Qz");
    let mut rest = number;
    for _ in 0..6 {
        text.push(char::from(b"bdfgklmnprstvwxz"[rest % 16]));
        text.push('a');
        rest /= 16;
    }
    text
}

/// What one secret leads to in one step.
#[derive(Default)]
struct Study {
    tried: [usize; SORTS_COUNT],
    boxes_tried: usize,
    yields: BTreeSet<[u8; 32]>,
    /// Planted texts, and in which ciphertexts they stood.
    texts: BTreeMap<String, BTreeSet<(usize, usize)>>,
    opened: usize,
}

/// What some secrets lead to, in any number of steps.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Secrets.
    pub secrets: BTreeSet<[u8; 32]>,
    /// Planted texts that were read.
    pub texts: BTreeSet<String>,
    /// Those that stood in something that was sent, not in a phone's files alone.
    pub sent_texts: BTreeSet<String>,
    /// Record keys that opened something.
    pub records: BTreeSet<RecordLoot>,
    /// Ciphertexts that opened (count).
    pub opened: usize,
}

/// The recovery key that opens something, and what it then gives.
type Locked = ([u8; 32], BTreeSet<[u8; 32]>);

/// All of it.
#[derive(Default)]
pub struct Evidence {
    team: Option<TeamId>,
    sealed: [Vec<Vec<u8>>; SORTS_COUNT],
    seen: HashMap<[u8; 32], usize>,
    /// Ciphertexts that travelled: all others only lie in the files of one phone.
    sent: HashSet<(usize, usize)>,
    announcements: Vec<Vec<u8>>,
    parts: BTreeMap<AnnouncementId, Vec<Part>>,
    /// Which secret is what, as the phones themselves said it: saves trying everything as everything.
    classes: HashMap<[u8; 32], BTreeSet<LootClass>>,
    names: HashMap<[u8; 32], BTreeSet<RecordLoot>>,
    studies: HashMap<[u8; 32], Study>,
    /// Recovery keys, put together from enough papers.
    papers: Vec<[u8; 32]>,
    /// What opens with a recovery key alone: boxes of a board phone, packages that one wrote. Each under a name, with the
    /// recovery key and what it then gives.
    locked: HashMap<[u8; 32], Option<Locked>>,
    /// How such a box begins, and its name.
    box_heads: HashMap<[u8; 32], [u8; 32]>,
    passed: usize,
    /// Every secret is tried as every kind of key, not only as what its phone says that it is.
    pub is_exhaustive: bool,
}

impl std::fmt::Debug for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Evidence({} secrets, {:?} ciphertexts)", self.classes.len(), self.sealed.each_ref().map(Vec::len))
    }
}

impl Evidence {
    fn keep(&mut self, sort: Sort, bytes: &[u8]) -> (usize, usize) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[sort as u8]).update(bytes);
        let known = &mut self.sealed[sort as usize];
        let at = *self.seen.entry(*hasher.finalize().as_bytes()).or_insert_with(|| {
            known.push(bytes.to_vec());
            known.len() - 1
        });
        (sort as usize, at)
    }

    fn keep_sent(&mut self, sort: Sort, bytes: &[u8]) {
        let name = self.keep(sort, bytes);
        self.sent.insert(name);
    }

    /// A secret that exists.
    pub fn name(&mut self, loot: &Loot) -> BTreeSet<[u8; 32]> {
        self.team = Some(loot.team);
        let mut all = self.boxes(&loot.escrow);
        for (class, secret) in &loot.secrets {
            self.classes.entry(*secret).or_default().insert(*class);
            all.insert(*secret);
        }
        for record in &loot.records {
            self.classes.entry(record.key).or_default().insert(LootClass::Record);
            self.names.entry(record.key).or_default().insert(*record);
            all.insert(record.key);
        }
        all
    }

    /// Enough papers of a recovery key.
    pub fn paper(&mut self, seed: [u8; 32]) {
        self.papers.push(seed);
        // without the rule of the escrow it is a receiving key like any other
        self.classes.entry(seed).or_default().insert(LootClass::Receiving);
    }

    /// What a board phone keeps. Returns the names of its boxes.
    fn boxes(&mut self, boxes: &EscrowBoxes) -> BTreeSet<[u8; 32]> {
        let mut names = BTreeSet::new();
        for (turn, sealed) in boxes.dangerous_boxes() {
            let name = *blake3::hash(sealed).as_bytes();
            names.insert(name);
            if self.locked.contains_key(&name) {
                continue;
            }
            let Some((team, head)) = self.team.zip(sealed.first_chunk()) else { continue };
            self.box_heads.insert(*head, name);
            let opened = self.papers.iter().find_map(|paper| {
                let opened = boxes.dangerous_opened(&ReceivingKey::from_seed(paper), team);
                let (_, secret) = opened.into_iter().find(|(opened, _)| *opened == turn)?;
                Some((*paper, BTreeSet::from([secret])))
            });
            if let Some((_, secrets)) = &opened {
                for secret in secrets {
                    self.classes.entry(*secret).or_default().insert(LootClass::Turn);
                }
            }
            self.locked.insert(name, opened);
        }
        names
    }

    /// A package that a board phone wrote. Returns its name: whoever has the package has that.
    pub fn package(&mut self, bytes: &[u8]) -> [u8; 32] {
        let name = *blake3::hash(bytes).as_bytes();
        let opened = self.papers.iter().find_map(|paper| {
            let plain = open_package(&ReceivingKey::from_seed(paper), bytes).ok()?;
            Some((*paper, self.boxes_in(&plain)))
        });
        self.locked.insert(name, opened);
        name
    }

    /// Whether enough papers open a package or a box.
    pub fn is_open_to_paper(&self, name: &[u8; 32]) -> bool {
        self.locked.get(name).is_some_and(Option::is_some)
    }

    fn boxes_in(&self, plain: &[u8]) -> BTreeSet<[u8; 32]> {
        if self.box_heads.is_empty() {
            return BTreeSet::new();
        }
        plain.windows(32).filter_map(|window| self.box_heads.get(window).copied()).collect()
    }

    /// Everything in a store's file.
    pub fn image(&mut self, dir: &Path) {
        let copy = tempfile::tempdir().expect("a folder");
        for name in ["store.sqlite", "store.sqlite-wal"] {
            if dir.join(name).exists() {
                std::fs::copy(dir.join(name), copy.path().join(name)).expect("a copy");
            }
        }
        let database = rusqlite::Connection::open(copy.path().join("store.sqlite")).expect("a database");
        let tables = [
            ("SELECT sealed FROM meta WHERE name = 'root'", Sort::Root),
            ("SELECT sealed FROM meta WHERE name <> 'root'", Sort::Value),
            ("SELECT sealed FROM ledger", Sort::Value),
            ("SELECT sealed FROM operation", Sort::Value),
            ("SELECT sealed FROM held", Sort::Value),
            ("SELECT sealed FROM outbox", Sort::Value),
            ("SELECT sealed FROM page", Sort::Page),
            ("SELECT sealed FROM tail", Sort::Page),
            ("SELECT sealed FROM body", Sort::Record),
            ("SELECT sealed FROM draft", Sort::Record),
            ("SELECT sealed FROM document", Sort::Record),
        ];
        for (query, sort) in tables {
            let mut statement = database.prepare(query).expect("a table");
            let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
            for sealed in rows {
                self.keep(sort, &sealed.expect("a row"));
            }
        }
    }

    /// A row that travelled.
    pub fn row(&mut self, row: &Row) {
        match row.lane() {
            Lane::Announce => {
                let Ok(part) = Part::parse(row) else { return };
                let id = part.announcement;
                let parts = self.parts.entry(id).or_default();
                if !parts.contains(&part) {
                    parts.push(part);
                }
                if let Ok(Some(whole)) = announcement::join(&self.parts[&id]) {
                    self.announcement(&whole);
                }
            }
            Lane::Commons => self.keep_sent(Sort::Notice, row.rest()),
            Lane::Records => {
                let rest = row.rest();
                self.keep_sent(Sort::Cover, rest);
                self.keep_sent(Sort::WirePage, rest);
                if let Some((cover, body)) = rest.split_at_checked(COVER_BYTES) {
                    self.keep_sent(Sort::Cover, cover);
                    self.keep_sent(Sort::Record, body);
                }
            }
        }
    }

    /// An announcement that travelled.
    pub fn announcement(&mut self, bytes: &[u8]) {
        let Some((count, rest)) = bytes.split_first_chunk::<2>() else { return };
        let boxes = usize::from(u16::from_le_bytes(*count)) * satchel_core::team::turn::BOX_BYTES;
        let Some((_, payload)) = rest.split_at_checked(boxes) else { return };
        self.keep_sent(Sort::Payload, payload);
        if !self.announcements.iter().any(|known| known == bytes) {
            self.announcements.push(bytes.to_vec());
        }
    }

    /// What passed at the relay since the last look.
    pub fn traffic(&mut self, traffic: &[crate::team::Passed]) {
        for (endpoint, request, answer) in &traffic[self.passed..] {
            let body = Signed::from_bytes(request).map(|signed| signed.body).unwrap_or_default();
            let rows = match endpoint {
                Endpoint::Announce => Announce::from_bytes(&body).map(|frame| frame.rows).unwrap_or_default(),
                Endpoint::Push => Push::from_bytes(&body).map(|frame| frame.rows).unwrap_or_default(),
                Endpoint::Pull | Endpoint::Rows => Pulled::from_bytes(answer).map(|frame| frame.rows).unwrap_or_default(),
                _ => continue,
            };
            rows.iter().for_each(|row| self.row(row));
        }
        self.passed = traffic.len();
    }

    /// What a peer said inside the channel: every byte string in it is tried as what travels.
    pub fn heard(&mut self, mut stream: &[u8]) {
        while let Some(([_, length @ ..], rest)) = stream.split_first_chunk::<4>() {
            let length = u32::from_le_bytes([length[0], length[1], length[2], 0]) as usize;
            let (payload, rest) = rest.split_at(length.min(rest.len()));
            for bytes in byte_strings(payload) {
                match Row::parse(bytes.to_vec()) {
                    Ok(row) => self.row(&row),
                    Err(_) => self.announcement(bytes),
                }
            }
            stream = rest;
        }
    }

    /// A pack.
    pub fn pack(&mut self, bytes: &[u8]) {
        let mut rest = bytes.get(PACK_HEADER_BYTES..).unwrap_or_default();
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = u32::from_le_bytes(*length) as usize;
            let (chunk, after) = after.split_at(length.min(after.len()));
            self.keep_sent(Sort::Pack, chunk);
            rest = after;
        }
    }

    /// How many ciphertexts there are.
    pub fn count(&self) -> usize {
        self.sealed.iter().map(Vec::len).sum::<usize>() + self.announcements.len()
    }

    fn study(&mut self, secret: &[u8; 32]) {
        let mut study = self.studies.remove(secret).unwrap_or_default();
        let mut classes = self.classes.get(secret).cloned().unwrap_or_default();
        if self.is_exhaustive && !self.locked.contains_key(secret) {
            classes.extend(SYMMETRIC);
        }
        let mut plains: Vec<(Sort, usize, Vec<u8>)> = Vec::new();
        for class in classes {
            for (sort, opener) in openers(class, secret) {
                let known = &self.sealed[sort as usize];
                let fresh = known.iter().enumerate().skip(study.tried[sort as usize]);
                plains.extend(fresh.filter_map(|(at, sealed)| Some((sort, at, opener.open(sealed)?))));
            }
            if class == LootClass::Field {
                let record = *derive_key(labels::FIELD_RECORD_KEY, &[secret]);
                self.classes.entry(record).or_default().insert(LootClass::Record);
                study.yields.insert(record);
            }
            if class == LootClass::Receiving
                && let Some(team) = self.team
            {
                let key = [ReceivingKey::from_seed(secret)];
                for at in study.boxes_tried..self.announcements.len() {
                    let Ok(opened) = open_announcement(team, &key, &self.announcements[at]) else { continue };
                    study.opened += 1;
                    // the secret itself is not to be had from outside: the key that it makes names it
                    study.yields.extend(self.turn_named(opened.turn.id(), opened.secret.reads_records()));
                    let boxes = EscrowBoxes::of(opened.turn.id(), opened.recovery);
                    study.yields.extend(self.boxes(&boxes));
                }
                study.boxes_tried = self.announcements.len();
            }
        }
        for (sort, tried) in study.tried.iter_mut().enumerate() {
            *tried = self.sealed[sort].len();
        }
        for (sort, at, plain) in &plains {
            study.opened += 1;
            let mut texts = BTreeSet::new();
            find_texts(plain, &mut texts);
            for text in texts {
                study.texts.entry(text).or_default().insert((*sort as usize, *at));
            }
            self.find_secrets(*sort, plain, &mut study.yields);
        }
        for (_, _, plain) in plains.iter().filter(|(sort, ..)| *sort == Sort::Pack) {
            rows_in(plain).iter().for_each(|row| self.row(row));
        }
        self.studies.insert(*secret, study);
    }

    fn turn_named(&self, id: satchel_wire::ids::TurnId, reads_records: bool) -> Vec<[u8; 32]> {
        use satchel_core::crypto::{CommonsSecret, RecordsSecret};
        let is_it = |secret: &[u8; 32], classes: &BTreeSet<LootClass>| {
            (reads_records
                && classes.contains(&LootClass::Turn)
                && RecordsSecret::from_bytes(secret).derive_commons().derive_turn_id() == id)
                || (classes.contains(&LootClass::Commons) && CommonsSecret::from_bytes(secret).derive_turn_id() == id)
        };
        self.classes.iter().filter(|(secret, classes)| is_it(secret, classes)).map(|(secret, _)| *secret).collect()
    }

    fn find_secrets(&mut self, sort: Sort, plain: &[u8], into: &mut BTreeSet<[u8; 32]>) {
        // a cover ends with the record's key, or with the field key that it follows from
        if sort == Sort::Cover
            && let Some((before, key)) = plain.split_last_chunk::<32>()
            && plain.len() + satchel_core::crypto::OVERHEAD_BYTES == COVER_BYTES
        {
            let class = if before.last() == Some(&2) { LootClass::Field } else { LootClass::Record };
            self.classes.entry(*key).or_default().insert(class);
            into.insert(*key);
        }
        into.extend(self.boxes_in(plain));
        // everything else writes 32 bytes as CBOR does
        for window in plain.windows(34).filter(|window| window[..2] == [0x58, 0x20]) {
            if let Ok(secret) = <[u8; 32]>::try_from(&window[2..])
                && self.classes.contains_key(&secret)
            {
                into.insert(secret);
            }
        }
    }

    /// Everything that some secrets lead to.
    pub fn follow(&mut self, from: &BTreeSet<[u8; 32]>) -> Found {
        let mut found = Found::default();
        let mut next: Vec<[u8; 32]> = from.iter().copied().collect();
        let mut size = self.count();
        loop {
            while let Some(secret) = next.pop() {
                if found.secrets.insert(secret) {
                    self.study(&secret);
                    next.extend(self.studies[&secret].yields.iter().copied());
                    if let Some(Some((paper, inside))) = self.locked.get(&secret)
                        && from.contains(paper)
                    {
                        next.extend(inside.iter().copied());
                    }
                }
            }
            if self.count() == size {
                break;
            }
            // a pack gave rows that were not known: once more
            size = self.count();
            next = std::mem::take(&mut found.secrets).into_iter().collect();
        }
        for secret in &found.secrets {
            let study = &self.studies[secret];
            found.opened += study.opened;
            for (text, places) in &study.texts {
                found.texts.insert(text.clone());
                if places.iter().any(|place| self.sent.contains(place)) {
                    found.sent_texts.insert(text.clone());
                }
            }
            if study.opened > 0 {
                found.records.extend(self.names.get(secret).into_iter().flatten().copied());
            }
        }
        found
    }

    /// Whether what was found tells the zone of an encounter: it stands beside the encounter somewhere, or a mask comes off.
    pub fn tells_zone(&self, found: &Found, encounter: &RecordId, zone: &RecordId) -> bool {
        let is_field = |secret: &&[u8; 32]| self.classes.get(*secret).is_some_and(|classes| classes.contains(&LootClass::Field));
        let fields: Vec<&[u8; 32]> = found.secrets.iter().filter(is_field).collect();
        let holds = |plain: &[u8], id: &RecordId| plain.windows(16).any(|window| window == id.as_bytes());
        let unmasks = |masked: &[u8]| {
            let (nonce, masked) = masked.split_at(8);
            fields.iter().any(|field| {
                let mask = derive_key(labels::FIELD_MASK, &[*field, nonce]);
                masked.iter().zip(mask.iter()).zip(zone.as_bytes()).all(|((byte, mask), zone)| byte ^ mask == *zone)
            })
        };
        let tells = |sort: Sort, plain: &[u8]| {
            let masked = plain.windows(26).filter(|window| window[..2] == [0x58, 24]);
            // a wire page names all records there are, zones among them
            (sort != Sort::WirePage && holds(plain, zone) && holds(plain, encounter))
                || masked.into_iter().any(|window| unmasks(&window[2..]))
        };
        found.secrets.iter().any(|secret| {
            let classes = self.classes.get(secret).into_iter().flatten();
            let mut openers = classes.flat_map(|class| openers(*class, secret));
            openers.any(|(sort, opener)| {
                self.sealed[sort as usize].iter().filter_map(|sealed| opener.open(sealed)).any(|plain| tells(sort, &plain))
            })
        })
    }

    /// Whether keys of some class are among what was found, and lead to a key of a record.
    pub fn leads_through(&self, found: &Found, class: LootClass, is_key: &dyn Fn(&RecordLoot) -> bool) -> bool {
        let of_class = found.secrets.iter().filter(|secret| self.classes.get(*secret).is_some_and(|classes| classes.contains(&class)));
        let yields = of_class.filter_map(|secret| self.studies.get(secret)).flat_map(|study| &study.yields);
        yields.filter_map(|key| self.names.get(key)).flatten().any(is_key)
    }

    /// By which steps some secrets lead to a text, or to a record's key: the classes of the secrets on the way.
    pub fn explain(&self, from: &BTreeSet<[u8; 32]>, is_it: &dyn Fn(&str) -> bool, is_key: &dyn Fn(&RecordLoot) -> bool) -> String {
        self.explain_secret(from, &|secret| {
            let Some(study) = self.studies.get(secret) else { return false };
            study.texts.keys().any(|text| is_it(text)) || self.names.get(secret).into_iter().flatten().any(is_key)
        })
    }

    /// By which steps some secrets lead to a field key.
    pub fn explain_field(&self, from: &BTreeSet<[u8; 32]>) -> String {
        self.explain_secret(from, &|secret| self.classes.get(secret).is_some_and(|classes| classes.contains(&LootClass::Field)))
    }

    fn explain_secret(&self, from: &BTreeSet<[u8; 32]>, is_it: &dyn Fn(&[u8; 32]) -> bool) -> String {
        let mut parents: HashMap<[u8; 32], Option<[u8; 32]>> = from.iter().map(|secret| (*secret, None)).collect();
        let mut next: std::collections::VecDeque<[u8; 32]> = from.iter().copied().collect();
        while let Some(secret) = next.pop_front() {
            let Some(study) = self.studies.get(&secret) else { continue };
            if is_it(&secret) {
                let mut words = Vec::new();
                let mut at = Some(secret);
                while let Some(step) = at {
                    words.push(format!("{:?}#{:02x}{:02x}", self.classes.get(&step), step[0], step[1]));
                    at = parents.get(&step).copied().flatten();
                }
                words.reverse();
                return words.join(" > ");
            }
            let inside = self.locked.get(&secret).into_iter().flatten().filter(|(paper, _)| from.contains(paper));
            for found in study.yields.iter().chain(inside.flat_map(|(_, inside)| inside)) {
                parents.entry(*found).or_insert_with(|| {
                    next.push_back(*found);
                    Some(secret)
                });
            }
        }
        String::from("by no way")
    }
}

/// What a secret may be that opens without public keys.
const SYMMETRIC: [LootClass; 9] = [
    LootClass::Store,
    LootClass::Values,
    LootClass::Held,
    LootClass::Page,
    LootClass::Record,
    LootClass::Turn,
    LootClass::Commons,
    LootClass::Notices,
    LootClass::WirePage,
];

/// Planted texts in a plaintext, also where columns are deflated.
fn find_texts(plain: &[u8], into: &mut BTreeSet<String>) {
    let find = |bytes: &[u8], into: &mut BTreeSet<String>| {
        for at in 0..bytes.len().saturating_sub(CANARY_BYTES - 1) {
            if bytes[at..].starts_with(CANARY)
                && let Ok(text) = std::str::from_utf8(&bytes[at..at + CANARY_BYTES])
            {
                into.insert(text.to_owned());
            }
        }
    };
    find(plain, into);
    // what Automerge packs is longer than 256 bytes unpacked, and begins somewhere in the plaintext
    if plain.windows(4).any(|window| window == [0x85, 0x6f, 0x4a, 0x83]) {
        for at in 0..plain.len() {
            // final block with dynamic or fixed Huffman codes
            if matches!(plain[at] & 7, 3 | 5) {
                let mut unpacked = Vec::new();
                let _ = flate2::read::DeflateDecoder::new(&plain[at..]).take(8 * 1024).read_to_end(&mut unpacked);
                find(&unpacked, into);
            }
        }
    }
}

fn rows_in(frames: &[u8]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut rest = frames;
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (row, after) = after.split_at((u32::from_le_bytes(*length) as usize).min(after.len()));
        rows.extend(Row::parse(row.to_vec()));
        rest = after;
    }
    rows
}

/// All byte strings of a CBOR value, wherever they lie in it (RFC 8949; lengths that are counted only).
fn byte_strings(payload: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut rest = payload;
    while let Some((first, after)) = rest.split_first() {
        let wide = match first & 0x1f {
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => 0,
        };
        let Some((argument, after)) = after.split_at_checked(wide) else { break };
        let value = argument.iter().fold(0_usize, |value, byte| (value << 8) | usize::from(*byte));
        let value = if wide == 0 { usize::from(first & 0x1f) } else { value };
        // texts and byte strings are stepped over, of everything else the head alone
        let length = if matches!(first >> 5, 2 | 3) { value } else { 0 };
        let Some((content, after)) = after.split_at_checked(length) else { break };
        if first >> 5 == 2 {
            found.push(content);
        }
        rest = after;
    }
    found
}
