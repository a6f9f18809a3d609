//! What a provider demands, shares, excludes and expects, from its words and its terms.

use super::questions;
use super::rules::{Rule, Verdict, Words};
use super::terms::{Exact, Terms};
use satchel_core::catalogue::{Demand, Excluded, Known, Recipient};

/// The known answers of one resource.
#[derive(Default)]
pub struct Answers {
    /// What is demanded.
    pub demands: Known<Demand>,
    /// Who data is shared with.
    pub shares: Known<Recipient>,
    /// Who is turned away.
    pub excludes: Known<Excluded>,
    /// Religious or "rescue" conditions.
    pub faith_or_rescue: Option<bool>,
    /// Whether some words left a question open.
    pub unclear: bool,
}

impl Answers {
    /// Asks every question; an exact term beats words.
    pub fn read(words: &Words, terms: &[&Terms]) -> Self {
        let mut answers = Answers::default();
        for demand in Demand::ALL {
            if let Some(answer) = answers.ask(words, terms, questions::demand(*demand), Exact::Demand(*demand)) {
                answers.demands.record(*demand, answer);
            }
        }
        for recipient in Recipient::ALL {
            if let Some(answer) = answers.ask(words, terms, questions::recipient(*recipient), Exact::Shares(*recipient)) {
                answers.shares.record(*recipient, answer);
            }
        }
        for excluded in Excluded::ALL {
            if let Some(answer) = answers.ask(words, terms, questions::excluded(*excluded), Exact::Excludes(*excluded)) {
                answers.excludes.record(*excluded, answer);
            }
        }
        answers.faith_or_rescue = answers.ask(words, terms, questions::faith_or_rescue(), Exact::FaithOrRescue);
        answers
    }

    fn ask(&mut self, words: &Words, terms: &[&Terms], rule: &Rule, exact: Exact) -> Option<bool> {
        let (mut yes, mut no) = (false, false);
        for (_, answer) in terms.iter().flat_map(|terms| &terms.exact).filter(|(asked, _)| *asked == exact) {
            yes |= answer;
            no |= !answer;
        }
        match (yes, no) {
            (true, false) => return Some(true),
            (false, true) => return Some(false),
            (true, true) => {
                self.unclear = true;
                return None;
            }
            (false, false) => {}
        }
        let mut verdicts = vec![words.ask(rule)];
        for (text, denied) in terms.iter().flat_map(|terms| &terms.texts) {
            let mut words = Words::default();
            words.add(text);
            verdicts.push(match (words.ask(rule), denied) {
                (Verdict::Yes, true) => Verdict::No,
                (Verdict::No, true) => Verdict::Yes,
                (verdict, _) => verdict,
            });
        }
        let said = |verdict| verdicts.contains(&verdict);
        match (said(Verdict::Yes), said(Verdict::No), said(Verdict::Unclear)) {
            (true, false, false) => Some(true),
            (false, true, false) => Some(false),
            (false, false, false) => None,
            _ => {
                self.unclear = true;
                None
            }
        }
    }
}
