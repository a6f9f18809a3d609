//! Looks for planted words and keys in files: plain, encoded, reversed, and inside whatever inflates.

use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};
use flate2::{Decompress, FlushDecompress, Status};
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

/// Bytes from which streams and words may begin, per window; a window is twice as long.
const STEP: usize = 4_096;
/// Most bytes inflated from one place.
const INFLATED_MAX_BYTES: usize = 64 * 1024;
/// Chunk header of an Automerge document or change.
const AUTOMERGE_MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
/// Sealing adds 72 bytes, so nothing sealed is shorter; ids and hashes are.
const SEALED_MIN_BYTES: usize = 72;

/// The ways in which a secret may stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is named after its encoding")]
pub enum Form {
    Plain,
    Reversed,
    Utf16Little,
    Utf16Big,
    HexLower,
    HexUpper,
    Base64,
    Base64Url,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hit {
    /// What was planted.
    pub label: String,
    /// How it stands there.
    pub form: Form,
    /// Whether it was inside a compressed stream.
    pub inflated: bool,
    /// The file.
    pub file: String,
}

/// Every form of a secret with its bytes.
pub fn forms(secret: &[u8]) -> Vec<(Form, Vec<u8>)> {
    let mut forms = vec![
        (Form::Plain, secret.to_vec()),
        (Form::Reversed, secret.iter().rev().copied().collect()),
        (Form::HexLower, HEXLOWER.encode(secret).into_bytes()),
        (Form::HexUpper, HEXUPPER.encode(secret).into_bytes()),
    ];
    if let Ok(text) = std::str::from_utf8(secret) {
        forms.push((Form::Utf16Little, text.encode_utf16().flat_map(u16::to_le_bytes).collect()));
        forms.push((Form::Utf16Big, text.encode_utf16().flat_map(u16::to_be_bytes).collect()));
    }
    // At each of the three places in a group of three bytes, without the characters that its neighbours decide.
    for before in 0..3 {
        let mut shifted = vec![0; before];
        shifted.extend_from_slice(secret);
        let (from, until) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
        forms.push((Form::Base64, BASE64.encode(&shifted).as_bytes()[from..until].to_vec()));
        forms.push((Form::Base64Url, BASE64URL.encode(&shifted).as_bytes()[from..until].to_vec()));
    }
    forms
}

struct Needle {
    label: usize,
    form: Form,
    bytes: Vec<u8>,
}

/// Finds secrets in files. What it has seen once, window by window, it does not look at again.
pub struct Scanner {
    labels: Vec<String>,
    needles: Vec<Needle>,
    /// Needles by their first two bytes.
    starts: Vec<Vec<u16>>,
    seen: HashSet<blake3::Hash>,
    inflater: [Decompress; 2],
    room: Vec<u8>,
    /// Bytes looked at, without repetition.
    pub bytes_scanned: u64,
    /// Streams that inflated to anything.
    pub streams: u64,
}

impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scanner").field("bytes_scanned", &self.bytes_scanned).field("streams", &self.streams).finish_non_exhaustive()
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Self {
            labels: Vec::new(),
            needles: Vec::new(),
            starts: vec![Vec::new(); 1 << 16],
            seen: HashSet::new(),
            inflater: [Decompress::new(false), Decompress::new(true)],
            room: vec![0; INFLATED_MAX_BYTES],
            bytes_scanned: 0,
            streams: 0,
        }
    }
}

impl Scanner {
    /// Adds a secret of at least 12 bytes. Everything is looked at anew.
    pub fn plant(&mut self, label: &str, secret: &[u8]) {
        assert!(secret.len() >= 12, "{label} is too short to be told from chance");
        self.seen.clear();
        self.labels.push(label.to_owned());
        for (form, bytes) in forms(secret) {
            let number = u16::try_from(self.needles.len()).unwrap_or_else(|_| panic!("too many needles"));
            self.starts[usize::from(bytes[0]) << 8 | usize::from(bytes[1])].push(number);
            self.needles.push(Needle { label: self.labels.len() - 1, form, bytes });
        }
    }

    /// How many secrets were planted.
    pub const fn planted(&self) -> usize {
        self.labels.len()
    }

    /// Everything found in the files of a folder and in their names.
    pub fn scan_dir(&mut self, dir: &Path) -> io::Result<Vec<Hit>> {
        let mut hits = HashSet::new();
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            self.scan(name.as_bytes(), &name, &mut hits);
            if path.is_dir() {
                hits.extend(self.scan_dir(&path)?);
            } else {
                self.scan(&fs::read(&path)?, &name, &mut hits);
            }
        }
        let mut hits: Vec<Hit> = hits.into_iter().collect();
        hits.sort();
        Ok(hits)
    }

    fn scan(&mut self, bytes: &[u8], file: &str, hits: &mut HashSet<Hit>) {
        for start in (0..bytes.len()).step_by(STEP) {
            let window = &bytes[start..bytes.len().min(start + 2 * STEP)];
            // Only what is clean is skipped the next time: a hit is reported whenever it is there.
            let hash = blake3::hash(window);
            if self.seen.contains(&hash) {
                continue;
            }
            let before = hits.len();
            self.bytes_scanned += window.len().min(STEP) as u64;
            self.look(window, window.len().min(STEP), false, file, hits);
            for at in 0..window.len().min(STEP) {
                self.inflate(&window[at..], file, hits);
            }
            if hits.len() == before {
                self.seen.insert(hash);
            }
        }
    }

    fn look(&self, bytes: &[u8], until: usize, inflated: bool, file: &str, hits: &mut HashSet<Hit>) {
        for at in 0..until.min(bytes.len().saturating_sub(1)) {
            for number in &self.starts[usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1])] {
                let needle = &self.needles[usize::from(*number)];
                if bytes[at..].starts_with(&needle.bytes) {
                    hits.insert(Hit { label: self.labels[needle.label].clone(), form: needle.form, inflated, file: file.to_owned() });
                }
            }
        }
    }

    /// Inflates what may be a stream beginning here, raw (RFC 1951) or with a zlib header (RFC 1950).
    fn inflate(&mut self, bytes: &[u8], file: &str, hits: &mut HashSet<Hit>) {
        for (zlib, plausible) in [(false, may_be_raw(bytes)), (true, may_be_zlib(bytes))] {
            if !plausible {
                continue;
            }
            let inflater = &mut self.inflater[usize::from(zlib)];
            inflater.reset(zlib);
            let mut room = std::mem::take(&mut self.room);
            // What came out before an error counts too.
            let _ = inflater.decompress(bytes, &mut room, FlushDecompress::None);
            let length = usize::try_from(inflater.total_out()).unwrap_or(0).min(room.len());
            if length >= 12 {
                self.streams += 1;
                self.look(&room[..length], length, true, file, hits);
            }
            self.room = room;
        }
    }
}

fn may_be_raw(bytes: &[u8]) -> bool {
    match bytes.first().map(|first| (first >> 1) & 3) {
        Some(0) => bytes.len() > 4 && bytes[1] == !bytes[3] && bytes[2] == !bytes[4],
        Some(1 | 2) => bytes.len() > 8,
        _ => false,
    }
}

fn may_be_zlib(bytes: &[u8]) -> bool {
    bytes.len() > 8 && bytes[0] & 0x8f == 0x08 && (u16::from(bytes[0]) << 8 | u16::from(bytes[1])).is_multiple_of(31) && bytes[1] & 0x20 == 0
}

/// What a value says it is although it should be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is named after its format")]
pub enum Format {
    Automerge,
    Cbor,
    Deflate,
    Zlib,
}

/// In which unsealed formats a value can be read.
///
/// - Automerge: its magic number stands anywhere in it.
/// - CBOR: all of it is one definite-length array or map of at least 2 items, in the shortest encoding
///   (RFC 8949, section 4.1), with valid text, no tags, no floats and no unknown simple values.
/// - Deflate, zlib: a stream that ends, uses at least 9 tenths of it and gives at least 16 bytes.
///
/// The last three are asked only of values as long as a sealed one: an id of 16 random bytes is an array by chance.
pub fn formats(value: &[u8]) -> Vec<Format> {
    let mut formats = Vec::new();
    if value.windows(4).any(|window| window == AUTOMERGE_MAGIC) {
        formats.push(Format::Automerge);
    }
    if value.len() >= SEALED_MIN_BYTES {
        if matches!(value[0] >> 5, 4 | 5) && cbor_item(&mut &*value, 0, Some(2)).is_some_and(|used| used == value.len()) {
            formats.push(Format::Cbor);
        }
        for (zlib, format) in [(false, Format::Deflate), (true, Format::Zlib)] {
            let mut inflater = Decompress::new(zlib);
            let mut room = vec![0; INFLATED_MAX_BYTES * 16];
            let ended = matches!(inflater.decompress(value, &mut room, FlushDecompress::Finish), Ok(Status::StreamEnd));
            if ended && inflater.total_in() * 10 >= value.len() as u64 * 9 && inflater.total_out() >= 16 {
                formats.push(format);
            }
        }
    }
    formats
}

/// Length of one well-formed item, or none. `least` is asked of the outermost one only.
fn cbor_item(rest: &mut &[u8], depth: usize, least: Option<u64>) -> Option<usize> {
    let before = rest.len();
    let (first, tail) = rest.split_first()?;
    *rest = tail;
    let extra = match first & 31 {
        0..=23 => 0,
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let (argument, tail) = rest.split_at_checked(extra)?;
    *rest = tail;
    let number = argument.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let number = if extra == 0 { u64::from(first & 31) } else { number };
    let shortest = match extra {
        1 => number >= 24,
        2 => number > 0xff,
        4 => number > 0xffff,
        8 => number > 0xffff_ffff,
        _ => true,
    };
    if !shortest || depth > 16 || least.is_some_and(|least| number < least) {
        return None;
    }
    match first >> 5 {
        0 | 1 => {}
        2 | 3 => {
            let (content, tail) = rest.split_at_checked(usize::try_from(number).ok()?)?;
            *rest = tail;
            if first >> 5 == 3 && std::str::from_utf8(content).is_err() {
                return None;
            }
        }
        major @ (4 | 5) => {
            for _ in 0..number.checked_mul(u64::from(major - 3))? {
                cbor_item(rest, depth + 1, None)?;
            }
        }
        7 if matches!(first & 31, 20..=22) => {}
        _ => return None,
    }
    Some(before - rest.len())
}

/// Every value of every table of a store, read from a copy of its files, so that the store may be open.
///
/// Errors: those of the files and of the engine.
pub fn values(dir: &Path) -> Result<Vec<(String, Vec<u8>)>, Box<dyn std::error::Error>> {
    let copy = tempfile::tempdir()?;
    for name in ["store.sqlite", "store.sqlite-wal"] {
        if dir.join(name).exists() {
            fs::copy(dir.join(name), copy.path().join(name))?;
        }
    }
    let connection = rusqlite::Connection::open(copy.path().join("store.sqlite"))?;
    let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let tables: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut values = Vec::new();
    for table in tables {
        let mut statement = connection.prepare(&format!("SELECT * FROM \"{table}\""))?;
        let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for (number, column) in columns.iter().enumerate() {
                if let rusqlite::types::ValueRef::Blob(bytes) | rusqlite::types::ValueRef::Text(bytes) = row.get_ref(number)? {
                    values.push((format!("{table}.{column}"), bytes.to_vec()));
                }
            }
        }
    }
    Ok(values)
}
