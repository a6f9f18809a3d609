//! Learns the model's weights: an averaged perceptron with a margin, in whole numbers, the same everywhere.

use super::features::{BUCKETS, Sentence};
use super::{COLUMNS, KINDS, Model};
use crate::screen::fold::Folded;
use crate::screen::phrase::{self, Words, lexis};
use crate::screen::view::View;

/// Rounds over the corpus.
const ROUNDS: u64 = 4;
/// How clearly a sentence must lie on its side.
const MARGIN: i64 = 6;
/// Shipped weight for a learnt weight of one.
const SCALE: i64 = 6;
/// Parts for choosing thresholds: each is judged by weights that have not seen it.
const FOLDS: usize = 5;
/// Clean notes of every thousand that may reach a kind's threshold, when thresholds are chosen; most of them do not pass the gate.
const ALARMS_PER_THOUSAND: usize = 25;
/// No threshold is lower: a kind with few examples would else find on a whim.
const THRESHOLD_MIN: i32 = -4;
/// Words of one note that are learnt from.
const NOTE_WORDS: usize = 48;

/// A labelled note.
pub struct Example<'a> {
    /// The note.
    pub text: &'a str,
    /// The participant's alias.
    pub alias: Option<&'a str>,
    /// Codes of the categories that stand in it; none for a clean note.
    pub labels: Vec<&'a str>,
}

struct Lesson {
    buckets: Vec<u16>,
    truth: [bool; COLUMNS],
    clean: bool,
}

/// Learns from a corpus and returns the content of the weights file.
#[must_use]
pub fn learn(examples: &[Example<'_>]) -> Vec<u8> {
    let lessons: Vec<Lesson> = examples.iter().map(lesson).collect();
    let thresholds = thresholds(&lessons);
    file(thresholds, &weights(lessons.iter()))
}

fn lesson(example: &Example<'_>) -> Lesson {
    let mut view = View::of(Folded::read(example.text));
    if let Some(alias) = example.alias {
        view.exempt(&Folded::read(alias));
    }
    let words = Words::read(&view, lexis());
    let harmless = phrase::apply(&view, &words, lexis(), &mut Vec::new());
    let mut sentence = Sentence::default();
    sentence.read(&view, &words, &harmless, 0, words.list.len().min(NOTE_WORDS));
    let stands = |codes: &[&str]| example.labels.iter().any(|label| codes.contains(label));
    let truth = [
        stands(&["justice_contact", "officer"]),
        stands(&["third_party"]),
        stands(&["physical_description"]),
        stands(&["immigration"]),
        stands(&["exact_place"]),
        stands(&["photo"]),
        !example.labels.is_empty(),
    ];
    Lesson { buckets: sentence.buckets, truth, clean: example.labels.is_empty() }
}

type Weights = Vec<[i64; COLUMNS]>;

fn weights<'l>(lessons: impl Iterator<Item = &'l Lesson>) -> Weights {
    let lessons: Vec<&Lesson> = lessons.collect();
    let mut now: Weights = vec![[0; COLUMNS]; BUCKETS];
    let mut later: Weights = vec![[0; COLUMNS]; BUCKETS];
    let (mut step, mut state) = (1_i64, 0x5EED_u64);
    let mut order: Vec<usize> = (0..lessons.len()).collect();
    for _ in 0..ROUNDS {
        for last in (1..order.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(last, (state >> 33) as usize % (last + 1));
        }
        for lesson in order.iter().filter_map(|&at| lessons.get(at)) {
            for kind in 0..COLUMNS {
                let side = if lesson.truth.get(kind) == Some(&true) { 1 } else { -1 };
                let score: i64 = lesson.buckets.iter().map(|&bucket| now[usize::from(bucket)][kind]).sum();
                if score * side < MARGIN {
                    for &bucket in &lesson.buckets {
                        now[usize::from(bucket)][kind] += side;
                        later[usize::from(bucket)][kind] += side * step;
                    }
                }
            }
            step += 1;
        }
    }
    for (now, later) in now.iter_mut().zip(&later) {
        for (now, later) in now.iter_mut().zip(later) {
            // the mean over all steps, rounded to the nearest
            let mean = (*now * step - later) * SCALE;
            *now = (mean + mean.signum() * step / 2) / step;
        }
    }
    now
}

/// For each kind the lowest score that hardly any clean note reaches by weights that have not seen it.
fn thresholds(lessons: &[Lesson]) -> [i32; KINDS.len()] {
    let mut reached: [Vec<i32>; KINDS.len()] = Default::default();
    for fold in 0..FOLDS {
        let others = lessons.iter().enumerate().filter(|(at, _)| at % FOLDS != fold).map(|(_, lesson)| lesson);
        let bytes = file([0; KINDS.len()], &weights(others));
        let model = Model::read(&bytes);
        for (_, lesson) in lessons.iter().enumerate().filter(|(at, lesson)| at % FOLDS == fold && lesson.clean) {
            for (list, score) in reached.iter_mut().zip(model.scores(&lesson.buckets)) {
                list.push(score);
            }
        }
    }
    reached.map(|mut scores| {
        scores.sort_unstable_by(|a, b| b.cmp(a));
        let allowed = scores.len() * ALARMS_PER_THOUSAND / 1_000;
        scores.get(allowed).copied().unwrap_or(0).max(THRESHOLD_MIN) + 1
    })
}

fn file(thresholds: [i32; KINDS.len()], weights: &Weights) -> Vec<u8> {
    let mut bytes = Vec::new();
    for threshold in thresholds {
        bytes.extend_from_slice(&threshold.to_le_bytes());
    }
    for row in weights {
        for &weight in row {
            bytes.push(weight.clamp(-127, 127) as i8 as u8);
        }
    }
    bytes
}
