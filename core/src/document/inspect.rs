//! Judges the bytes of one change before Automerge sees them.
//!
//! Automerge stores the operations of a change in run-length columns, so a hundred bytes can claim
//! millions of rows: 113 bytes have cost 1.8 GB and 13 seconds. And it trusts what it parses: an
//! operation on an object that does not exist, a gap in a sequence or an unknown actor end in a
//! panic. Here the runs are summed and never unrolled, and only the shape that this room writes is
//! let through: puts and deletes of scalars in the root map, each key once, in ascending order, in
//! eight known columns. The cost is linear in the bytes, and the only allocation is the list of
//! parents, at most 2 KiB.
//!
//! The format: <https://automerge.org/automerge-binary-format-spec/>.

use super::reader::{Reader, walk_false, walk_runs};
use super::{Actor, DocumentError, limits};

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHUNK_DOCUMENT: u8 = 0;
const CHUNK_CHANGE: u8 = 1;

/// The bit of a column specification that says the column is deflated.
const DEFLATED: u64 = 0b1000;

// Column specifications: the column's id × 16 + its type.
const KEY: u64 = 0x15;
const INSERT: u64 = 0x34;
const ACTION: u64 = 0x42;
const VALUE_META: u64 = 0x56;
const VALUE: u64 = 0x57;
const PREDECESSOR_GROUP: u64 = 0x70;
const PREDECESSOR_ACTOR: u64 = 0x71;
const PREDECESSOR_COUNTER: u64 = 0x73;

const COLUMNS: [u64; limits::MAX_COLUMNS_COUNT] =
    [KEY, INSERT, ACTION, VALUE_META, VALUE, PREDECESSOR_GROUP, PREDECESSOR_ACTOR, PREDECESSOR_COUNTER];

/// What the bytes of a change say of themselves, known before Automerge parses them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeFacts {
    /// Who wrote it.
    pub actor: Actor,
    /// Its number among the actor's changes in this document, from 1.
    pub sequence: u64,
    /// The counter of its first operation, from 1.
    pub start_op: u64,
    /// How many operations it has, at most [`limits::MAX_OPS_COUNT`]; none if it only joins heads.
    pub ops: u64,
    /// The hashes of its parents, strictly ascending, at most [`limits::MAX_DEPENDENCIES_COUNT`].
    pub dependencies: Vec<[u8; 32]>,
}

/// Judges the bytes of one change by themselves, without Automerge, in time linear in the bytes.
///
/// Not yet judged: the checksum, the UTF-8 of texts, and all that needs the parents.
///
/// # Errors
/// The first thing that is wrong; it is wrong on every phone, so refuse the body.
pub fn inspect_change(bytes: &[u8]) -> Result<ChangeFacts, DocumentError> {
    if bytes.len() > limits::MAX_CHANGE_BYTES {
        return Err(DocumentError::ChangeTooLarge { bytes: bytes.len() });
    }
    let mut reader = open_chunk(bytes, CHUNK_CHANGE)?;
    let dependencies = read_dependencies(&mut reader)?;
    let actor = Actor(read_actor(&mut reader)?);
    let sequence = reader.unsigned()?;
    let start_op = reader.unsigned()?;
    if sequence == 0 || sequence > limits::MAX_OP_COUNTER || start_op == 0 || start_op > limits::MAX_OP_COUNTER - limits::MAX_OPS_COUNT {
        return Err(DocumentError::Number);
    }
    if reader.signed()? != 0 {
        return Err(DocumentError::Time);
    }
    if reader.unsigned()? != 0 {
        return Err(DocumentError::Message);
    }
    let others = read_other_actors(&mut reader, &actor)?;
    let columns = Columns::read(&mut reader)?;
    let ops = columns.judge(start_op, others)?;
    Ok(ChangeFacts { actor, sequence, start_op, ops, dependencies })
}

/// Judges the frame of a snapshot: one document chunk, of the exact length, no deflated column.
pub(super) fn inspect_snapshot(bytes: &[u8]) -> Result<(), DocumentError> {
    if bytes.len() > limits::MAX_SNAPSHOT_BYTES {
        return Err(DocumentError::SnapshotTooLarge { bytes: bytes.len() });
    }
    let mut reader = open_chunk(bytes, CHUNK_DOCUMENT)?;
    for _ in 0..reader.unsigned()? {
        read_actor(&mut reader)?;
    }
    for _ in 0..reader.unsigned()? {
        reader.array::<32>()?;
    }
    // Two tables of columns: those of the changes, then those of the operations.
    for _ in 0..2 {
        for _ in 0..reader.unsigned()? {
            if reader.unsigned()? & DEFLATED != 0 {
                return Err(DocumentError::DeflatedColumn);
            }
            reader.unsigned()?;
        }
    }
    Ok(())
}

/// The content of a chunk that fills the bytes: magic, checksum (4 bytes), type, length, content.
fn open_chunk(bytes: &[u8], expected: u8) -> Result<Reader<'_>, DocumentError> {
    let mut reader = Reader(bytes);
    if reader.array::<4>()? != MAGIC {
        return Err(DocumentError::Magic);
    }
    reader.array::<4>()?;
    let found = reader.byte()?;
    if found != expected {
        return Err(DocumentError::ChunkType { found });
    }
    let length = reader.unsigned()?;
    if usize::try_from(length) == Ok(reader.0.len()) { Ok(reader) } else { Err(DocumentError::Length) }
}

fn read_dependencies(reader: &mut Reader<'_>) -> Result<Vec<[u8; 32]>, DocumentError> {
    let count = usize::try_from(reader.unsigned()?).map_err(|_| DocumentError::Dependencies)?;
    if count > limits::MAX_DEPENDENCIES_COUNT {
        return Err(DocumentError::Dependencies);
    }
    let mut dependencies: Vec<[u8; 32]> = Vec::with_capacity(count);
    for _ in 0..count {
        let hash = reader.array::<32>()?;
        if dependencies.last().is_some_and(|last| *last >= hash) {
            return Err(DocumentError::Dependencies);
        }
        dependencies.push(hash);
    }
    Ok(dependencies)
}

fn read_actor(reader: &mut Reader<'_>) -> Result<[u8; 16], DocumentError> {
    reader.prefixed()?.try_into().map_err(|_| DocumentError::ActorLength)
}

/// How many other actors the change lists.
fn read_other_actors(reader: &mut Reader<'_>, own: &Actor) -> Result<u64, DocumentError> {
    let count = reader.unsigned()?;
    if count > limits::MAX_OTHER_ACTORS_COUNT as u64 {
        return Err(DocumentError::OtherActors);
    }
    let mut last: Option<[u8; 16]> = None;
    for _ in 0..count {
        let other = read_actor(reader)?;
        if other == own.0 || last.is_some_and(|last| last >= other) {
            return Err(DocumentError::OtherActors);
        }
        last = Some(other);
    }
    Ok(count)
}

/// The bytes of each column, in the order of [`COLUMNS`]; empty if it is absent.
struct Columns<'a>([&'a [u8]; COLUMNS.len()]);

impl<'a> Columns<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DocumentError> {
        let count = reader.unsigned()?;
        if count > COLUMNS.len() as u64 {
            return Err(DocumentError::Columns);
        }
        let mut lengths = [0_u64; COLUMNS.len()];
        let mut next = 0;
        for _ in 0..count {
            let spec = reader.unsigned()?;
            if spec & DEFLATED != 0 {
                return Err(DocumentError::DeflatedColumn);
            }
            // Searching only behind the last one found makes the order strict.
            let place = COLUMNS
                .iter()
                .enumerate()
                .skip(next)
                .find_map(|(place, known)| (*known == spec).then_some(place))
                .ok_or(DocumentError::Columns)?;
            let length = reader.unsigned()?;
            if length == 0 {
                return Err(DocumentError::Columns);
            }
            lengths[place] = length;
            next = place + 1;
        }
        let mut columns = [&[][..]; COLUMNS.len()];
        for (column, length) in columns.iter_mut().zip(lengths) {
            *column = reader.bytes(length)?;
        }
        if reader.is_empty() { Ok(Self(columns)) } else { Err(DocumentError::TrailingBytes) }
    }

    /// Counts and judges the rows; returns the number of operations.
    fn judge(&self, start_op: u64, other_actors: u64) -> Result<u64, DocumentError> {
        let [key, insert, action, meta, value, group, pred_actor, pred_counter] = self.0;
        let ops = count_actions(action)?;
        let predecessors = count_predecessors(group, ops)?;
        let inserts = if ops == 0 && insert.is_empty() { 0 } else { walk_false(insert, limits::MAX_OPS_COUNT)? };
        if count_keys(key)? != ops
            || inserts != ops
            || count_values(meta, value)? != ops
            || count_predecessor_actors(pred_actor, other_actors)? != predecessors
            || count_predecessor_counters(pred_counter, start_op)? != predecessors
        {
            return Err(DocumentError::Rows);
        }
        Ok(ops)
    }
}

fn count_actions(column: &[u8]) -> Result<u64, DocumentError> {
    const PUT: u64 = 1;
    const DELETE: u64 = 3;
    walk_runs(column, limits::MAX_OPS_COUNT, &DocumentError::TooManyOps, Reader::unsigned, |_, action| match action {
        PUT | DELETE => Ok(()),
        _ => Err(DocumentError::Action),
    })
}

/// Each key once and in ascending order: no run can repeat one, so no key can be multiplied.
fn count_keys(column: &[u8]) -> Result<u64, DocumentError> {
    let mut last: &[u8] = &[];
    walk_runs(column, limits::MAX_OPS_COUNT, &DocumentError::TooManyOps, Reader::prefixed, |rows, key| {
        let printable = key.iter().all(u8::is_ascii_graphic);
        if rows != 1 || key <= last || key.len() > limits::MAX_KEY_BYTES || !printable {
            return Err(DocumentError::Keys);
        }
        last = key;
        Ok(())
    })
}

/// The metadata gives type (low four bits) and size of each value; together they fill the column.
fn count_values(meta: &[u8], value: &[u8]) -> Result<u64, DocumentError> {
    const NULL: u64 = 0;
    const FALSE: u64 = 1;
    const TRUE: u64 = 2;
    const INT: u64 = 4;
    const TEXT: u64 = 6;
    const BYTES: u64 = 7;
    let mut total = 0_u64;
    let rows = walk_runs(meta, limits::MAX_OPS_COUNT, &DocumentError::TooManyOps, Reader::unsigned, |rows, meta| {
        let size = meta >> 4;
        let fits = match meta & 0x0f {
            NULL | FALSE | TRUE => size == 0,
            INT => (1..=10).contains(&size),
            TEXT | BYTES => size <= limits::MAX_CHANGE_BYTES as u64,
            _ => false,
        };
        total = rows.checked_mul(size).and_then(|sum| total.checked_add(sum)).filter(|_| fits).ok_or(DocumentError::ValueType)?;
        Ok(())
    })?;
    if total == value.len() as u64 { Ok(rows) } else { Err(DocumentError::ValueType) }
}

/// The group column says how many values each operation replaces; returns how many all of them do.
fn count_predecessors(column: &[u8], ops: u64) -> Result<u64, DocumentError> {
    let mut total = 0_u64;
    let rows = walk_runs(column, limits::MAX_OPS_COUNT, &DocumentError::TooManyOps, Reader::unsigned, |rows, each| {
        total = rows
            .checked_mul(each)
            .and_then(|sum| total.checked_add(sum))
            .filter(|sum| *sum <= limits::MAX_PREDECESSORS_COUNT)
            .ok_or(DocumentError::TooManyPredecessors)?;
        Ok(())
    })?;
    if rows == ops { Ok(total) } else { Err(DocumentError::Rows) }
}

/// Every other actor that is listed must be used: Automerge panics on one it has never met.
fn count_predecessor_actors(column: &[u8], others: u64) -> Result<u64, DocumentError> {
    // Index 0 is the change's own actor.
    let mut used = [false; limits::MAX_OTHER_ACTORS_COUNT + 1];
    used[0] = true;
    let listed = usize::try_from(others).ok().and_then(|others| used.get_mut(..=others)).ok_or(DocumentError::OtherActors)?;
    let rows = walk_runs(column, limits::MAX_PREDECESSORS_COUNT, &DocumentError::TooManyPredecessors, Reader::unsigned, |_, index| {
        let used = usize::try_from(index).ok().and_then(|i| listed.get_mut(i));
        *used.ok_or(DocumentError::OtherActors)? = true;
        Ok(())
    })?;
    if listed.iter().all(|used| *used) { Ok(rows) } else { Err(DocumentError::OtherActors) }
}

/// A counter is stored as the difference to the one before; every one lies before the change.
fn count_predecessor_counters(column: &[u8], start_op: u64) -> Result<u64, DocumentError> {
    let in_past = |counter: i64| u64::try_from(counter).is_ok_and(|c| (1..start_op).contains(&c));
    let mut counter = 0_i64;
    walk_runs(column, limits::MAX_PREDECESSORS_COUNT, &DocumentError::TooManyPredecessors, Reader::signed, |rows, step| {
        let first = counter.checked_add(step);
        // Within a run the counters only rise or only fall: its two ends bound the rest.
        let last = i64::try_from(rows).ok().and_then(|rows| step.checked_mul(rows)).and_then(|sum| counter.checked_add(sum));
        match (first, last) {
            (Some(first), Some(last)) if in_past(first) && in_past(last) => {
                counter = last;
                Ok(())
            }
            _ => Err(DocumentError::Number),
        }
    })
}
