//! The newer side hands over its turn.
//!
//! Skipped when logs and turns agree. The leader speaks first and is always answered; then whoever gets an
//! announcement or a key answers it. A side for which no box opens sends its receiving key once, so that
//! the other can make a box for it; after that it gives up, and no bodies are exchanged. Each side asks at
//! most three times (two announcements, one key), so this ends by itself.

use super::*;
use crate::sync::replica::TurnVerdict;

impl Talk {
    pub(super) fn turns_agree(&self) -> bool {
        let sorted = |turns: &[TurnId]| {
            let mut turns = turns.to_vec();
            turns.sort_unstable();
            turns.dedup();
            turns
        };
        sorted(&self.own_turns) == sorted(&self.peer_turns)
    }

    pub(super) fn have_common_turn(&self) -> bool {
        self.own_turns.iter().any(|turn| self.peer_turns.contains(turn))
    }

    /// Logs agreed from the start, this side leads.
    pub(super) fn lead<R: Replica>(&mut self, replica: &mut R, report: &mut SessionReport) -> Outcome<R> {
        if self.turns_agree() {
            self.leads = true;
            return self.lead_frontiers(replica, report);
        }
        self.lead_turns(replica)
    }

    /// Logs were merged, this side leads.
    pub(super) fn lead_turns<R: Replica>(&mut self, replica: &mut R) -> Outcome<R> {
        self.leads = true;
        self.step = Step::Turn;
        self.say_turn(replica, None, None, true)?;
        Ok(())
    }

    /// The other side leads.
    pub(super) fn follow<E>(&mut self) -> Result<(), SessionError<E>> {
        self.step = if self.logs_agreed && self.turns_agree() { Step::Frontier } else { Step::Turn };
        Ok(())
    }

    /// Says where this side stands; returns whether that must be answered.
    fn say_turn<R: Replica>(
        &mut self,
        replica: &mut R,
        verdict: Option<Verdict>,
        key: Option<PassedFrontier>,
        may_offer: bool,
    ) -> Result<bool, SessionError<R::Error>> {
        let peer = self.peer()?;
        let announcement = match may_offer && self.turns_offered < 2 {
            true => replica.turn_for(peer, &self.peer_turns).map_err(SessionError::Replica)?,
            false => None,
        };
        self.turns_offered += usize::from(may_offer);
        // after `turn_for`, which may have started a turn
        self.note_turns(replica)?;
        let is_question = announcement.is_some() || key.is_some();
        let announcement = announcement.map(ByteVec::from);
        self.say(Message::Turn(Turn { verdict, turns: self.own_turns.clone(), announcement, key }));
        Ok(is_question)
    }

    pub(super) fn on_turn<R: Replica>(&mut self, replica: &mut R, turn: Turn, report: &mut SessionReport) -> Outcome<R> {
        self.turn_messages += 1;
        let is_first_of_leader = !self.leads && self.turn_messages == 1;
        let must_answer = is_first_of_leader || turn.announcement.is_some() || turn.key.is_some();
        self.peer_turns = turn.turns;
        let has_key = turn.key.is_some();
        if let Some(key) = turn.key {
            self.take_frontier(replica, key, true, report)?;
        }
        let verdict = match turn.announcement {
            Some(announcement) => Some(replica.accept_turn(&announcement).map_err(SessionError::Replica)?),
            None => None,
        };
        let mut key = None;
        match verdict {
            Some(TurnVerdict::Refused(_)) => warn(report, Warning::TurnRefused),
            Some(TurnVerdict::NotForMe) if !std::mem::replace(&mut self.turn_key_sent, true) => {
                let frontier = replica.frontier().map_err(SessionError::Replica)?.into();
                let receiving_key = Some(replica.receiving_key().map_err(SessionError::Replica)?.into());
                key = Some(PassedFrontier { device: self.device, frontier, receiving_key });
            }
            _ => {}
        }
        if must_answer {
            let may_offer = self.turns_offered == 0 || has_key;
            if self.say_turn(replica, verdict.map(Verdict::from), key, may_offer)? {
                return Ok(());
            }
        }
        if self.leads { self.lead_frontiers(replica, report) } else { self.follow_frontiers() }
    }

    fn follow_frontiers<E>(&mut self) -> Result<(), SessionError<E>> {
        self.step = Step::Frontier;
        Ok(())
    }
}
