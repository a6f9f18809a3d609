//! What no phrase says outright: a small linear model over words, pairs of words and pieces of rare words.
//!
//! It reads a sentence (at most [`WINDOW_WORDS`] words at a time) that no rule has found anything in, and
//! adds up one small weight for every feature; whole numbers only, so the verdict is the same everywhere.
//! Weights and thresholds are learnt by `train` from the development corpus and shipped as `weights.bin`; a
//! test holds that the file is what the program makes.

mod features;
#[cfg(any(test, feature = "training"))]
pub mod train;

use self::features::{BUCKETS, Sentence};
use super::finding::Reason;
use super::phrase::{Word, Words};
use super::view::{Hit, View};

/// Most words that one verdict covers.
const WINDOW_WORDS: usize = 40;

/// Fewest words of a sentence that the model has a say in: names and headings are shorter, and phrases find what is said so briefly.
const WORDING_MIN_WORDS: usize = 3;

/// What the model can tell apart, in the order of the weights.
pub(super) const KINDS: [Reason; 6] = [
    Reason::JusticeWording,
    Reason::ThirdPartyWording,
    Reason::AppearanceWording,
    Reason::ImmigrationWording,
    Reason::PlaceWording,
    Reason::PictureTaken,
];
/// A weight for every kind, and one for whether anything at all should be asked about.
const COLUMNS: usize = KINDS.len() + 1;

/// Thresholds (little-endian `i32`, one a kind), then for every bucket one `i8` a kind.
pub(super) static WEIGHTS: &[u8] = include_bytes!("weights.bin");
const HEAD_BYTES: usize = 4 * KINDS.len();

/// A phrase's finding stands unless the sentence scores less than this for anything at all.
const DOUBT: i32 = -80;
/// Words on each side of a phrase's finding that may speak against it.
const AROUND_WORDS: usize = 5;
/// What a sentence must score for anything at all before a kind is looked at.
const GATE: i32 = 50;

/// Whether what a phrase found may be doubted: it hangs on words that often mean something else.
const fn is_doubtful(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::PoliceContact
            | Reason::CourtOrCustody
            | Reason::InformantTalk
            | Reason::ThirdPartyHarm
            | Reason::Appearance
            | Reason::VehicleDescription
            | Reason::ImmigrationStatus
            | Reason::PlaceDescription
            | Reason::PictureTaken
    )
}

/// Calls `each` with the number of the first word of every stretch that one verdict covers, how many words it has, and its tokens.
fn each_window(words: &Words, mut each: impl FnMut(usize, usize, usize, usize)) {
    let mut from = 0;
    while let Some(first) = words.list.get(from) {
        let rest = words.list.get(from..).unwrap_or_default();
        let count = rest.iter().take(WINDOW_WORDS).take_while(|word| word.sentence == first.sentence).count().max(1);
        let last = words.list.get(from + count - 1).unwrap_or(first);
        each(from, count, first.token, last.last + 1);
        from += count;
    }
}

/// The shipped model or one that was just learnt.
#[derive(Clone, Copy)]
pub(super) struct Model<'a> {
    thresholds: [i32; KINDS.len()],
    weights: &'a [u8],
}

impl<'a> Model<'a> {
    /// Reads a model; anything of another size is a model that finds nothing.
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let whole = bytes.len() == HEAD_BYTES + BUCKETS * COLUMNS;
        let (head, weights) = bytes.split_at_checked(HEAD_BYTES).filter(|_| whole).unwrap_or_default();
        let mut thresholds = [i32::MAX; KINDS.len()];
        for (slot, chunk) in thresholds.iter_mut().zip(head.chunks_exact(4)) {
            *slot = chunk.try_into().map_or(i32::MAX, i32::from_le_bytes);
        }
        Self { thresholds, weights }
    }

    fn row(&self, bucket: usize) -> &[u8] {
        self.weights.get(bucket * COLUMNS..(bucket + 1) * COLUMNS).unwrap_or_default()
    }

    /// The scores of a set of features.
    fn scores(&self, buckets: &[u16]) -> [i32; COLUMNS] {
        let mut scores = [0_i32; COLUMNS];
        for &bucket in buckets {
            for (score, &weight) in scores.iter_mut().zip(self.row(usize::from(bucket))) {
                *score = score.saturating_add(i32::from(weight as i8));
            }
        }
        scores
    }

    /// The kind that lies furthest above its threshold.
    fn verdict(&self, scores: [i32; COLUMNS]) -> Option<usize> {
        let above = |kind: &usize| Some(scores.get(*kind)?.saturating_sub(*self.thresholds.get(*kind)?));
        if scores.last().is_none_or(|&anything| anything < GATE) {
            return None;
        }
        (0..KINDS.len()).filter(|kind| above(kind).is_some_and(|by| by >= 0)).max_by_key(|kind| above(kind))
    }

    /// Takes back what a phrase found in a sentence that is clearly about something else.
    pub(super) fn doubt(&self, view: &View, words: &Words, harmless: &[bool], hits: &mut Vec<Hit>) {
        if self.weights.is_empty() {
            return;
        }
        let mut sentence = Sentence::default();
        hits.retain(|hit| {
            if !is_doubtful(hit.reason) {
                return true;
            }
            // The words around it in its sentence, and no others: what stands elsewhere says nothing of these.
            let at = words.list.partition_point(|word| word.last < hit.first);
            let Some(first) = words.list.get(at) else { return true };
            let alike = |word: &&Word| word.sentence == first.sentence;
            let before = words.list.get(..at).unwrap_or_default().iter().rev().take(AROUND_WORDS).take_while(alike).count();
            let behind = words.list.get(at..).unwrap_or_default().iter().take(WINDOW_WORDS).take_while(alike);
            let inside = behind.clone().take_while(|word| word.token < hit.end).count();
            let count = before + behind.count().min(inside + AROUND_WORDS);
            sentence.read(view, words, harmless, at - before, count);
            self.scores(&sentence.buckets).last().is_none_or(|&anything| anything >= DOUBT)
        });
    }

    /// Looks at the sentences without a finding.
    pub(super) fn find(&self, view: &View, words: &Words, harmless: &[bool], hits: &mut Vec<Hit>) {
        if self.weights.is_empty() {
            return;
        }
        let mut taken: Vec<(usize, usize)> = hits.iter().map(|hit| (hit.first, hit.end)).collect();
        taken.sort_unstable();
        let mut sentence = Sentence::default();
        each_window(words, |from, count, first, end| {
            let behind = taken.partition_point(|&(start, _)| start < end);
            // Findings hardly overlap, so the last two that begin before the end are enough to look at.
            if taken.iter().take(behind).rev().take(2).any(|&(_, end)| end > first) {
                return;
            }
            sentence.read(view, words, harmless, from, count);
            // What a person, a place or a promise is called is no wording, and too short to say what it is about.
            if sentence.places.len() >= WORDING_MIN_WORDS
                && let Some(kind) = self.verdict(self.scores(&sentence.buckets))
                && let Some(&reason) = KINDS.get(kind)
                && let Some((start, end)) = self.stretch(&sentence, kind)
                && let (Some(start), Some(end)) = (words.list.get(from + start), words.list.get(from + end))
            {
                hits.push(Hit::of(reason, start.token, end.last + 1));
            }
        });
    }

    /// The first and last word of a sentence that speak for a kind.
    fn stretch(&self, sentence: &Sentence, kind: usize) -> Option<(usize, usize)> {
        let weight = |bucket: &u16| self.row(usize::from(*bucket)).get(kind).map_or(0, |&weight| i32::from(weight as i8));
        let speaks = |buckets: &[u16]| buckets.iter().map(weight).sum::<i32>() > 0;
        let of = || sentence.by_word().filter(|(_, buckets)| speaks(buckets)).map(|(word, _)| word);
        Some((of().min()?, of().max()?))
    }
}

/// The model that this version of the guard ships.
pub(super) fn shipped() -> Model<'static> {
    Model::read(WEIGHTS)
}
