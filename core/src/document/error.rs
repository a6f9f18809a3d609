//! Why a change, a snapshot or an edit was not taken.

use thiserror::Error;

/// Why a change, a snapshot or an edit was not taken; whatever it was, the document is as before.
///
/// No variant carries text that a person wrote. Unless a variant says otherwise the bytes are at
/// fault, will be on every phone for ever, and the remedy is to refuse the body they came in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The change is larger than [`super::limits::MAX_CHANGE_BYTES`]; an author splits the edit.
    #[error("the change has {bytes} bytes, too many")]
    ChangeTooLarge {
        /// Its size in bytes.
        bytes: usize,
    },
    /// The bytes end before what they announce.
    #[error("the bytes end too early")]
    Truncated,
    /// The bytes do not start as an Automerge chunk.
    #[error("not an Automerge chunk")]
    Magic,
    /// The chunk is of another type than the one expected: compressed, a document, a bundle, unknown.
    #[error("a chunk of type {found} is not taken here")]
    ChunkType {
        /// The type byte found.
        found: u8,
    },
    /// The chunk's announced length is not the length of the bytes.
    #[error("the chunk's length is wrong")]
    Length,
    /// A number is overlong, negative where it must not be, or out of its range.
    #[error("a number is out of range")]
    Number,
    /// The parents are too many, unsorted or repeated.
    #[error("the parents are too many, unsorted or repeated")]
    Dependencies,
    /// An actor id is not 16 bytes long.
    #[error("an actor id is not 16 bytes")]
    ActorLength,
    /// The other actors are too many, unsorted, repeated or unused, or a row names an unlisted one.
    #[error("the other actors are wrong")]
    OtherActors,
    /// The change carries a time; nothing here may tell when it was written.
    #[error("the change carries a time")]
    Time,
    /// The change carries a message.
    #[error("the change carries a message")]
    Message,
    /// A column is deflated.
    #[error("a column is deflated")]
    DeflatedColumn,
    /// The columns are unsorted, repeated, empty, or not those of a flat map of scalars.
    #[error("the columns are not those of a flat map of scalars")]
    Columns,
    /// Bytes follow the last column.
    #[error("bytes follow the last column")]
    TrailingBytes,
    /// A column claims more rows than [`super::limits::MAX_OPS_COUNT`].
    #[error("a column claims too many rows")]
    TooManyOps,
    /// The operations replace more values than [`super::limits::MAX_PREDECESSORS_COUNT`].
    #[error("the operations replace too many values")]
    TooManyPredecessors,
    /// Two columns disagree on the number of rows, or a row is null that must not be.
    #[error("the columns disagree on their rows")]
    Rows,
    /// An operation is neither a put of a scalar nor a delete.
    #[error("an operation is neither put nor delete")]
    Action,
    /// The keys are empty, too long, unprintable, unsorted or repeated.
    #[error("the keys are wrong")]
    Keys,
    /// A value is of a type this room does not write, or its size contradicts its type.
    #[error("a value has a type or size that is not taken")]
    ValueType,
    /// The checksum does not match the content.
    #[error("the checksum does not match")]
    Checksum,
    /// The Automerge library refused bytes that were within all bounds.
    #[error("Automerge cannot read the bytes")]
    Malformed,
    /// Automerge would write this change in other bytes, so a saved document could not be loaded.
    #[error("the change is not in its canonical form")]
    NotCanonical,
    /// The change names an actor that its signer may not use.
    #[error("the change's actor is not its signer's")]
    Author,
    /// The change is not the direct successor of a change of its actor among its parents.
    #[error("the change skips in its actor's sequence")]
    Sequence,
    /// The first operation's counter is not the one that follows the parents.
    #[error("the operation counter does not follow the parents")]
    StartOp,
    /// An operation replaces other values than those its author saw.
    #[error("an operation replaces values its author did not see")]
    Predecessors,
    /// The actor has already written another change under this number.
    ///
    /// Keep both bodies as evidence: their author broke the protocol, or reused a session.
    #[error("the actor wrote two changes with the sequence number {sequence}")]
    Equivocation {
        /// The actor.
        actor: super::Actor,
        /// The sequence number used twice.
        sequence: u64,
    },
    /// Parents are not here yet: hold the body and apply it again when one of them has arrived.
    #[error("{} parents are missing", missing.len())]
    Held {
        /// Hashes of the missing parents, sorted.
        missing: Vec<[u8; 32]>,
    },
    /// The call carries more changes than [`super::limits::MAX_CHANGES_COUNT`].
    #[error("the call carries {count} changes, too many")]
    TooManyChanges {
        /// How many it carries.
        count: usize,
    },
    /// The snapshot is larger than [`super::limits::MAX_SNAPSHOT_BYTES`].
    #[error("the snapshot has {bytes} bytes, too many")]
    SnapshotTooLarge {
        /// Its size in bytes.
        bytes: usize,
    },
    /// The document has too many heads for one change; call `Document::join` until it returns none.
    #[error("the document has {count} heads, join them first")]
    TooManyHeads {
        /// How many heads it has.
        count: usize,
    },
    /// The field's name is empty, too long, or has a character outside printable ASCII without `/`.
    #[error("not a field name")]
    FieldName,
    /// The list has no such item (any more): read it again.
    #[error("the list has no such item")]
    UnknownItem,
    /// The list is full, see [`super::limits::MAX_ITEMS_COUNT`].
    #[error("the list is full")]
    TooManyItems,
}

impl DocumentError {
    /// A short name of the variant that will never change, for logs, tests and other languages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ChangeTooLarge { .. } => "change_too_large",
            Self::Truncated => "truncated",
            Self::Magic => "magic",
            Self::ChunkType { .. } => "chunk_type",
            Self::Length => "length",
            Self::Number => "number",
            Self::Dependencies => "dependencies",
            Self::ActorLength => "actor_length",
            Self::OtherActors => "other_actors",
            Self::Time => "time",
            Self::Message => "message",
            Self::DeflatedColumn => "deflated_column",
            Self::Columns => "columns",
            Self::TrailingBytes => "trailing_bytes",
            Self::TooManyOps => "too_many_ops",
            Self::TooManyPredecessors => "too_many_predecessors",
            Self::Rows => "rows",
            Self::Action => "action",
            Self::Keys => "keys",
            Self::ValueType => "value_type",
            Self::Checksum => "checksum",
            Self::Malformed => "malformed",
            Self::NotCanonical => "not_canonical",
            Self::Author => "author",
            Self::Sequence => "sequence",
            Self::StartOp => "start_op",
            Self::Predecessors => "predecessors",
            Self::Equivocation { .. } => "equivocation",
            Self::Held { .. } => "held",
            Self::TooManyChanges { .. } => "too_many_changes",
            Self::SnapshotTooLarge { .. } => "snapshot_too_large",
            Self::TooManyHeads { .. } => "too_many_heads",
            Self::FieldName => "field_name",
            Self::UnknownItem => "unknown_item",
            Self::TooManyItems => "too_many_items",
        }
    }
}
