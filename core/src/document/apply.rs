//! Taking changes from others.

use std::collections::BTreeSet;

use automerge::{Automerge, AutomergeError, Change, ChangeHash, ChangeMetadata, ExpandedChange, ObjId, ROOT, ReadDoc, legacy};

use super::{Actor, ChangeFacts, Document, DocumentError, inspect_change, limits};

/// What a call of [`Document::apply`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// How many changes were new.
    pub new: usize,
    /// How many were here already, or repeated in the call.
    pub known: usize,
}

/// A change whose bytes are sound by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedChange {
    /// What it says of itself.
    pub facts: ChangeFacts,
    /// Its hash, by which later changes name it as a parent.
    pub hash: [u8; 32],
}

/// Judges the bytes of one change completely, its checksum and texts included, but not its parents.
///
/// # Errors
/// The first thing that is wrong; it is wrong on every phone, so refuse the body.
pub fn verify_change(bytes: &[u8]) -> Result<VerifiedChange, DocumentError> {
    let (facts, change) = parse(bytes)?;
    Ok(VerifiedChange { facts, hash: change.hash().0 })
}

fn parse(bytes: &[u8]) -> Result<(ChangeFacts, Change), DocumentError> {
    let facts = inspect_change(bytes)?;
    let change = Change::try_from(bytes).map_err(|_| DocumentError::Malformed)?;
    // Parsing computes the hash and does not compare it; the checksum is its first four bytes.
    if bytes.get(4..8) != change.hash().0.get(..4) {
        return Err(DocumentError::Checksum);
    }
    if u64::try_from(change.len()) != Ok(facts.ops) {
        return Err(DocumentError::Rows);
    }
    // A snapshot holds no changes and of their hashes only the heads: loading it encodes every
    // change again, and fails for ever if one of them comes out in other bytes than it went in.
    if Change::from(change.decode()).raw_bytes() != bytes {
        return Err(DocumentError::NotCanonical);
    }
    Ok((facts, change))
}

impl Document {
    /// Applies the changes of one body, in any order: all of them, or on an error none.
    ///
    /// Each must be written by one of `authors`: pass the actors that the body's signer may use, so
    /// in general the one derived from the device, document and session that it names. Changes
    /// that are here already are passed over.
    ///
    /// # Errors
    /// [`DocumentError::Held`]: keep the body and apply it again when a missing parent has arrived.
    /// [`DocumentError::Equivocation`]: the body contradicts an earlier one of its author; keep
    /// both. Any other: refuse the body, it is refused on every phone. The document is as before.
    pub fn apply(&mut self, changes: &[&[u8]], authors: &[Actor]) -> Result<Applied, DocumentError> {
        if changes.len() > limits::MAX_CHANGES_COUNT {
            return Err(DocumentError::TooManyChanges { count: changes.len() });
        }
        let mut waiting = Vec::new();
        let mut hashes = BTreeSet::new();
        for bytes in changes {
            let (facts, change) = parse(bytes)?;
            if !authors.contains(&facts.actor) {
                return Err(DocumentError::Author);
            }
            if !self.contains(&change.hash().0) && hashes.insert(change.hash().0) {
                waiting.push((facts, change));
            }
        }
        let applied = Applied { new: waiting.len(), known: changes.len() - waiting.len() };
        if waiting.is_empty() {
            return Ok(applied);
        }
        let mut copy = self.clone();
        // Parents first; each round applies what has all its parents by then.
        loop {
            let before = waiting.len();
            let mut later = Vec::new();
            for (facts, change) in waiting {
                if facts.dependencies.iter().all(|hash| copy.contains(hash)) {
                    copy.apply_one(&facts, change)?;
                } else {
                    later.push((facts, change));
                }
            }
            waiting = later;
            if waiting.is_empty() {
                break;
            }
            if waiting.len() == before {
                return Err(held(&copy, &waiting, &hashes));
            }
        }
        *self = copy;
        Ok(applied)
    }

    /// Applies a change whose parents are all here; on an error the document may be changed.
    fn apply_one(&mut self, facts: &ChangeFacts, change: Change) -> Result<(), DocumentError> {
        check_place(&self.engine, facts)?;
        for operation in &change.decode().operations {
            check_predecessors(&self.engine, operation, change.deps())?;
        }
        let hash = change.hash();
        self.engine.apply_changes([change]).map_err(|error| match error {
            AutomergeError::DuplicateSeqNumber(..) => DocumentError::Equivocation { actor: facts.actor, sequence: facts.sequence },
            _ => DocumentError::Malformed,
        })?;
        // Automerge parks what it cannot place and says nothing.
        if self.contains(&hash.0) { Ok(()) } else { Err(DocumentError::Malformed) }
    }

    /// Makes a change without content that joins heads, `None` if there are few enough to edit.
    ///
    /// Somebody may flood a document with concurrent changes until no edit can name all heads as
    /// its parents; call this, and send what it returns, until it returns `None`.
    ///
    /// # Errors
    /// None is expected; the document is then as before.
    pub fn join(&mut self) -> Result<Option<Vec<u8>>, DocumentError> {
        let heads = self.engine.get_heads();
        if heads.len() < limits::MAX_DEPENDENCIES_COUNT {
            return Ok(None);
        }
        let own = self.engine.get_last_local_change();
        // With the own last change, which the sequence requires, this makes at most the limit.
        let most = limits::MAX_DEPENDENCIES_COUNT - 1;
        let mut deps: BTreeSet<ChangeHash> = heads.into_iter().take(most).collect();
        deps.extend(own.as_ref().map(Change::hash));
        let mut start_op = 1;
        for dep in &deps {
            let parent = self.engine.get_change_meta_by_hash(dep);
            start_op = start_op.max(next_op(&parent.ok_or(DocumentError::Malformed)?)?);
        }
        let change = Change::from(ExpandedChange {
            operations: Vec::new(),
            actor_id: self.actor.to_engine(),
            hash: None,
            seq: own.map_or(1, |change| change.seq() + 1),
            start_op: start_op.try_into().map_err(|_| DocumentError::StartOp)?,
            time: 0,
            message: None,
            deps: deps.into_iter().collect(),
            extra_bytes: Vec::new(),
            author: None,
        });
        let bytes = change.raw_bytes().to_vec();
        let actor = self.actor;
        self.apply(&[&bytes], &[actor])?;
        Ok(Some(bytes))
    }
}

fn held(document: &Document, waiting: &[(ChangeFacts, Change)], hashes: &BTreeSet<[u8; 32]>) -> DocumentError {
    let missing: BTreeSet<[u8; 32]> = waiting
        .iter()
        .flat_map(|(facts, _)| facts.dependencies.iter().copied())
        .filter(|hash| !hashes.contains(hash) && !document.contains(hash))
        .collect();
    DocumentError::Held { missing: missing.into_iter().collect() }
}

/// The counter that an operation directly after this change has.
fn next_op(change: &ChangeMetadata<'_>) -> Result<u64, DocumentError> {
    change.max_op.checked_add(1).ok_or(DocumentError::StartOp)
}

/// The sequence and the operation counter follow from the parents, so that neither can be made up.
fn check_place(engine: &Automerge, facts: &ChangeFacts) -> Result<(), DocumentError> {
    let mut start_op = 1;
    let mut before = 0;
    for hash in &facts.dependencies {
        let parent = engine.get_change_meta_by_hash(&ChangeHash(*hash)).ok_or(DocumentError::Malformed)?;
        start_op = start_op.max(next_op(&parent)?);
        if parent.actor.to_bytes() == facts.actor.0 {
            before = before.max(parent.seq);
        }
    }
    if facts.sequence != before + 1 {
        return Err(DocumentError::Sequence);
    }
    if facts.start_op != start_op {
        return Err(DocumentError::StartOp);
    }
    Ok(())
}

/// A put replaces exactly the values its author saw, a delete some of them and at least one.
///
/// Otherwise Automerge would drop what it cannot find, or let a change overwrite a concurrent one.
fn check_predecessors(engine: &Automerge, operation: &legacy::Op, parents: &[ChangeHash]) -> Result<(), DocumentError> {
    let legacy::Key::Map(key) = &operation.key else {
        return Err(DocumentError::Keys);
    };
    let seen = engine.get_all_at(ROOT, key.as_str(), parents).map_err(|_| DocumentError::Malformed)?;
    // Sorted, so repeated ones are neighbours.
    let replaces = &operation.pred;
    let distinct = (1..replaces.len()).all(|index| replaces.get(index - 1) != replaces.get(index));
    let all_seen = replaces.iter().all(|replaced| {
        seen.iter().any(|(_, id)| {
            matches!(id, ObjId::Id(counter, actor, _)
                if *counter == replaced.counter() && actor == replaced.actor())
        })
    });
    let enough = match operation.action {
        legacy::OpType::Delete => !replaces.is_empty(),
        _ => replaces.len() == seen.len(),
    };
    if distinct && all_seen && enough { Ok(()) } else { Err(DocumentError::Predecessors) }
}
