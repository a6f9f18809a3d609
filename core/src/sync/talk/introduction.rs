//! Who speaks: device, signature over the handshake hash, and where log and turns stand.

use super::*;
use crate::sync::replica::Standing;

impl Talk {
    /// Listener: rides with Noise message 2. Only ids and signatures; positions only as a hash that says
    /// nothing to who does not hold the same.
    pub(in crate::sync) fn introduce_listener<R: Replica>(&mut self, replica: &mut R) -> Outcome<R> {
        self.stand(replica)?;
        // made now, so that an unchanged device is seen to be unchanged
        replica.frontier().map_err(SessionError::Replica)?;
        self.own_positions = self.positions(replica)?;
        let agreement = self.agreement_of(&self.own_positions);
        let introduction = Introduction {
            device: self.device,
            signature: array(replica.sign_handshake(self.role, &self.hash).map_err(SessionError::Replica)?),
            heads: Some(Hashes(self.own_heads.clone())),
            turns: Some(self.own_turns.clone()),
            agreement: Some(array(agreement)),
            clock: replica.clock_day().map_err(SessionError::Replica)?,
        };
        self.say(Message::Introduction(introduction));
        Ok(())
    }

    /// Notes where this side's log and turns stand.
    fn stand<R: Replica>(&mut self, replica: &mut R) -> Outcome<R> {
        let mut heads = replica.log_heads().map_err(SessionError::Replica)?;
        heads.sort_unstable();
        heads.dedup();
        heads.truncate(HEADS_MAX_COUNT);
        self.own_heads = heads;
        self.note_turns(replica)
    }

    pub(super) fn note_turns<R: Replica>(&mut self, replica: &mut R) -> Outcome<R> {
        self.own_turns = replica.turns().map_err(SessionError::Replica)?;
        self.own_turns.truncate(TURNS_MAX_COUNT);
        Ok(())
    }

    pub(super) fn on_introduction<R: Replica>(
        &mut self,
        replica: &mut R,
        introduction: Introduction,
        report: &mut SessionReport,
    ) -> Outcome<R> {
        if introduction.device == self.device {
            return Err(SessionFault::SameDevice.into());
        }
        self.peer = Some(introduction.device);
        self.peer_signature = introduction.signature.into();
        self.peer_clock = Some(introduction.clock);
        let heads = introduction.heads.map(|heads| heads.0);
        if heads.as_ref().is_some_and(|heads| !heads.windows(2).all(|pair| pair[0] < pair[1])) {
            return Err(SessionFault::Malformed.into());
        }
        match self.role {
            Role::Listener => {
                self.peer_heads = heads.unwrap_or_else(|| self.own_heads.clone());
                self.peer_turns = introduction.turns.unwrap_or_else(|| self.own_turns.clone());
                self.logs_agreed = self.peer_heads == self.own_heads;
                let proven = self.prove(replica, report)?;
                if self.logs_agreed {
                    // the same log, so the dialer's admission is in it
                    return if proven { self.follow() } else { Err(SessionFault::NotAMember.into()) };
                }
                self.step = Step::Proof;
                if !proven {
                    self.ask_admission();
                }
            }
            Role::Dialer => {
                let (Some(heads), Some(turns), Some(agreement)) = (heads, introduction.turns, introduction.agreement) else {
                    return Err(SessionFault::Malformed.into());
                };
                (self.peer_heads, self.peer_turns, self.agreement) = (heads, turns, Some(agreement.into()));
                let proven = self.prove(replica, report)?;
                self.stand(replica)?;
                self.logs_agreed = self.peer_heads == self.own_heads;
                if self.logs_agreed && !proven {
                    return Err(SessionFault::NotAMember.into());
                }
                let signature = replica.sign_handshake(self.role, &self.hash).map_err(SessionError::Replica)?;
                self.say(Message::Introduction(Introduction {
                    device: self.device,
                    signature: array(signature),
                    heads: (!self.logs_agreed).then(|| Hashes(self.own_heads.clone())),
                    turns: (self.peer_turns != self.own_turns).then(|| self.own_turns.clone()),
                    agreement: None,
                    clock: replica.clock_day().map_err(SessionError::Replica)?,
                }));
                match (self.logs_agreed, proven) {
                    (true, _) => return self.lead(replica, report),
                    (false, true) => return self.tell_log_state(replica),
                    (false, false) => {
                        self.step = Step::Proof;
                        self.ask_admission();
                    }
                }
            }
        }
        Ok(())
    }

    fn ask_admission(&mut self) {
        self.admission_asked = true;
        self.say(Message::AdmissionWanted);
    }

    /// Whether the other side is a member's device. Errors: banned or forged.
    fn prove<R: Replica>(&mut self, replica: &mut R, report: &mut SessionReport) -> Result<bool, SessionError<R::Error>> {
        let peer = self.peer()?;
        let standing = replica.check_handshake(peer, self.role.other(), &self.hash, &self.peer_signature);
        match standing.map_err(SessionError::Replica)? {
            Standing::Member => {
                self.proven = true;
                if let Some(clock) = self.peer_clock.take() {
                    replica.hear_clock(clock).map_err(SessionError::Replica)?;
                }
                report.peer = Some(peer);
                Ok(true)
            }
            Standing::Unknown => Ok(false),
            Standing::Banned => Err(SessionFault::Banned.into()),
            Standing::Forged => Err(SessionFault::Forged.into()),
        }
    }

    /// The one thing that is told to a device whose own proof is still missing: if both waited, two
    /// colleagues who were admitted on different phones could never meet.
    pub(super) fn on_admission_wanted<R: Replica>(&mut self, replica: &mut R) -> Outcome<R> {
        self.admission_given = true;
        let ids = replica.own_admission().map_err(SessionError::Replica)?;
        self.jobs.push_back(Job::Operations(Kind::Admission, ids, 0));
        Ok(())
    }

    pub(super) fn on_admission<R: Replica>(&mut self, replica: &mut R, operations: Operations, report: &mut SessionReport) -> Outcome<R> {
        let last = operations.last;
        self.merge(replica, operations, report)?;
        if !last {
            return Ok(());
        }
        self.admission_asked = false;
        if !self.prove(replica, report)? {
            return Err(SessionFault::NotAMember.into());
        }
        match self.role {
            Role::Dialer => self.tell_log_state(replica),
            Role::Listener => self.answer_log_state(replica),
        }
    }
}
