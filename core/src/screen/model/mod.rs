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
use super::phrase::Words;
use super::view::{Hit, View};

/// Most words that one verdict covers.
const WINDOW_WORDS: usize = 24;

/// What the model can tell apart, in the order of the weights.
pub(super) const KINDS: [Reason; 5] =
    [Reason::JusticeWording, Reason::ThirdPartyWording, Reason::AppearanceWording, Reason::ImmigrationWording, Reason::PlaceWording];

/// Thresholds (little-endian `i32`, one a kind), then for every bucket one `i8` a kind.
pub(super) static WEIGHTS: &[u8] = include_bytes!("weights.bin");
const HEAD_BYTES: usize = 4 * KINDS.len();

/// The shipped model or one that was just learnt.
#[derive(Clone, Copy)]
pub(super) struct Model<'a> {
    thresholds: [i32; KINDS.len()],
    weights: &'a [u8],
}

impl<'a> Model<'a> {
    /// Reads a model; anything of another size is a model that finds nothing.
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let whole = bytes.len() == HEAD_BYTES + BUCKETS * KINDS.len();
        let (head, weights) = bytes.split_at_checked(HEAD_BYTES).filter(|_| whole).unwrap_or_default();
        let mut thresholds = [i32::MAX; KINDS.len()];
        for (slot, chunk) in thresholds.iter_mut().zip(head.chunks_exact(4)) {
            *slot = chunk.try_into().map_or(i32::MAX, i32::from_le_bytes);
        }
        Self { thresholds, weights }
    }

    fn row(&self, bucket: usize) -> &[u8] {
        self.weights.get(bucket * KINDS.len()..(bucket + 1) * KINDS.len()).unwrap_or_default()
    }

    /// The scores of a set of features.
    fn scores(&self, buckets: &[u16]) -> [i32; KINDS.len()] {
        let mut scores = [0_i32; KINDS.len()];
        for &bucket in buckets {
            for (score, &weight) in scores.iter_mut().zip(self.row(usize::from(bucket))) {
                *score = score.saturating_add(i32::from(weight as i8));
            }
        }
        scores
    }

    /// The kind that lies furthest above its threshold.
    fn verdict(&self, scores: [i32; KINDS.len()]) -> Option<usize> {
        let above = |kind: &usize| Some(scores.get(*kind)?.saturating_sub(*self.thresholds.get(*kind)?));
        (0..KINDS.len()).filter(|kind| above(kind).is_some_and(|by| by >= 0)).max_by_key(|kind| above(kind))
    }

    /// Looks at the sentences without a finding.
    pub(super) fn find(&self, view: &View, words: &Words, harmless: &[bool], hits: &mut Vec<Hit>) {
        if self.weights.is_empty() {
            return;
        }
        let mut taken: Vec<(usize, usize)> = hits.iter().map(|hit| (hit.first, hit.end)).collect();
        taken.sort_unstable();
        let mut sentence = Sentence::default();
        let mut from = 0;
        while let Some(first) = words.list.get(from) {
            let rest = words.list.get(from..).unwrap_or_default();
            let count = rest.iter().take(WINDOW_WORDS).take_while(|word| word.sentence == first.sentence).count().max(1);
            let last = words.list.get(from + count - 1).unwrap_or(first);
            let behind = taken.partition_point(|&(start, _)| start <= last.last);
            // Findings hardly overlap, so the last two that begin before the end are enough to look at.
            let touched = taken.iter().take(behind).rev().take(2).any(|&(_, end)| end > first.token);
            if !touched {
                sentence.read(view, words, harmless, from, count);
                // One word alone is no wording.
                if sentence.places.len() > 1
                    && let Some(kind) = self.verdict(self.scores(&sentence.buckets))
                    && let Some(&reason) = KINDS.get(kind)
                    && let Some((start, end)) = self.stretch(&sentence, kind)
                    && let (Some(start), Some(end)) = (words.list.get(from + start), words.list.get(from + end))
                {
                    hits.push(Hit::of(reason, start.token, end.last + 1));
                }
            }
            from += count;
        }
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
