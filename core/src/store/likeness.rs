//! Whether two phones hold the same: one digest of which bodies live on them, and of everything that their lists show.

use super::Unlocked;
use crate::crypto::{self, labels};
use crate::error::Error;
use crate::sync::Replica;
use satchel_wire::ids::RecordId;
use std::fmt::Write;

/// What a phone holds, in one line. It tells nothing to who does not hold the same, and is no secret of anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Likeness {
    /// Live bodies (count).
    pub bodies: usize,
    /// Over their ids, and over every list and file as it is shown today.
    pub digest: [u8; 32],
}

/// Lines in any order, hashed in one.
#[derive(Default)]
struct Lines(Vec<String>);

impl Lines {
    fn push(&mut self, kind: &str, parts: &[&dyn std::fmt::Debug]) {
        let mut line = kind.to_owned();
        for part in parts {
            // quoted and escaped: no value can look like the end of one
            let _ = write!(line, " {part:?}");
        }
        self.0.push(line);
    }
}

impl Unlocked {
    /// What this phone holds. Two phones that exchanged everything, and whose day is the same, say the same.
    ///
    /// Drafts that never left have no body yet: exchange first. It reads everything once. Errors: [`Error::Locked`], and the
    /// storage's.
    pub fn likeness(&self) -> Result<Likeness, Error> {
        let mut lines = Lines::default();
        let bodies = Replica::items(&mut self.clone())?;
        bodies.iter().for_each(|(day, body)| lines.push("body", &[day, &body.to_string()]));
        for line in self.participants()? {
            let file = self.participant(line.id)?;
            let text = |text: &Option<crate::screen::ShortText>| text.as_ref().map(|text| text.as_str().to_owned());
            let goals: Vec<&str> = file.goals.iter().map(|goal| goal.as_str()).collect();
            let conflicts: Vec<_> =
                file.conflicts.iter().map(|one| (one.field, one.others.iter().map(|text| text.as_str()).collect::<Vec<_>>())).collect();
            let alias = file.alias.as_ref().map(|alias| alias.as_str());
            let (pronouns, language, contact) = (text(&file.pronouns), text(&file.language), text(&file.contact));
            let word = text(&file.recognition_word);
            lines.push(
                "participant",
                &[&line.id, &alias, &pronouns, &language, &contact, &goals, &word, &file.closed, &line.last_day, &conflicts],
            );
            self.like_consents(line.id, &mut lines)?;
        }
        for line in self.encounters(None)? {
            let shown = self.encounter(line.id)?;
            let note = shown.value.note().map(|note| note.as_str().to_owned());
            lines.push("encounter", &[&line, &note, &shown.value.offers, &shown.others.len()]);
        }
        for line in self.follow_ups()? {
            let what = line.what.as_ref().map(|what| what.as_str().to_owned());
            lines.push("follow_up", &[&line.id, &line.participant, &what, &line.from, &line.until, &line.state]);
        }
        for line in self.self_referrals()? {
            lines.push("self_referral", &[&line.id, &line.participant, &line.to, &line.status]);
        }
        for line in self.zones()? {
            lines.push("zone", &[&line.id, &line.name.as_ref().map(|name| name.as_str().to_owned())]);
        }
        for line in self.recipients()? {
            lines.push("recipient", &[&line.id, &line.name.as_ref().map(|name| name.as_str().to_owned()), &line.class]);
        }
        for line in self.team()?.devices {
            let name = line.name.as_ref().map(|name| name.as_str().to_owned());
            lines.push("device", &[&line.id, &line.member, &name, &line.role, &line.standing]);
        }
        lines.0.sort();
        let parts: Vec<&[u8]> = lines.0.iter().map(|line| line.as_bytes()).collect();
        Ok(Likeness { bodies: bodies.len(), digest: crypto::derive_hash(labels::LIKENESS, &parts) })
    }

    fn like_consents(&self, participant: RecordId, lines: &mut Lines) -> Result<(), Error> {
        for line in self.grants(participant)? {
            let mut writers: Vec<_> = line.recorded_by.iter().map(|by| by.device).collect();
            writers.sort();
            lines.push("grant", &[&line.id, &line.grant, &line.status, &line.live, &line.recorded_on, &writers]);
        }
        for line in self.withdrawals(participant)? {
            lines.push("withdrawal", &[&line.id, &line.scopes, &line.recorded_on]);
        }
        for line in self.vaults(participant)? {
            for fact in self.read_vault(participant, line.grant)? {
                let others: Vec<_> = fact.others.iter().map(|fact| fact.value().to_owned()).collect();
                lines.push("fact", &[&line.grant, &fact.fact.field(), &fact.fact.value(), &others]);
            }
        }
        for line in self.sharing_log(participant)? {
            lines.push("shared", &[&line.id, &line.day, &line.note]);
        }
        Ok(())
    }
}
