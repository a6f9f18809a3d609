//! What recovers a turn when every phone is lost: the board's half and the paper's half.
//!
//! ```text
//! escrow key = 32 random bytes of one announcement, in the board's boxes of it and nowhere else
//! in payload = AEAD(escrow key; "escrow" ‖ team ‖ turn): CBOR [ for the secret, for the control key | null ]
//! for …      = HPKE X-Wing to the recovery key, whose private half is on paper, k of n:
//!              records secret (32), bound to team and turn · control key's seed (32), bound to the team
//! ```
//!
//! A relay that kept everything and all the paper open nothing: the escrow key went to receiving keys of board
//! phones that each replaced when it adopted the turn (T4). A board phone alone opens nothing: the inner layer is
//! the paper's. What a board phone keeps of a turn it destroys with the turn (T3).

use super::Role;
use super::state::TeamState;
use super::turn::TurnError;
use crate::crypto::{self, Aad, EscrowKey, Nonce, ReceivingKey, ReceivingPublicKey, RecordsSecret, labels};
use crate::env::Env;
use minicbor::{Decode, Encode};
use satchel_wire::cbor;
use satchel_wire::ids::{TeamId, TurnId};
use zeroize::Zeroizing;

/// What a board phone finds in an announcement: boxes to the key on paper.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Escrowed {
    #[cbor(n(0), with = "minicbor::bytes")]
    secret: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    control: Option<Vec<u8>>,
}

/// One held turn's box.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct TurnBox {
    #[n(0)]
    turn: TurnId,
    #[cbor(n(1), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

/// What a board phone keeps: one box for each held turn, and the newest one with the control key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct EscrowBoxes {
    #[n(0)]
    turns: Vec<TurnBox>,
    #[cbor(n(1), with = "minicbor::bytes")]
    control: Option<Vec<u8>>,
}

impl EscrowBoxes {
    /// What a phone that joins begins with.
    pub fn of(turn: TurnId, escrowed: Option<Escrowed>) -> Self {
        let mut boxes = Self::default();
        escrowed.into_iter().for_each(|escrowed| boxes.keep(turn, escrowed));
        boxes
    }

    /// Keeps what came with a turn. The control key opens no record, so its box outlives the turn.
    pub fn keep(&mut self, turn: TurnId, escrowed: Escrowed) {
        self.turns.retain(|kept| kept.turn != turn);
        self.turns.push(TurnBox { turn, sealed: escrowed.secret });
        self.control = escrowed.control.or_else(|| self.control.take());
    }

    /// Destroys the boxes of turns that are gone (T3).
    pub fn destroy(&mut self, gone: impl Iterator<Item = TurnId>) {
        let gone: Vec<TurnId> = gone.collect();
        self.turns.retain(|kept| !gone.contains(&kept.turn));
    }

    /// The boxes as they lie there, by turn.
    #[cfg(feature = "adversary")]
    pub fn dangerous_boxes(&self) -> impl Iterator<Item = (TurnId, &[u8])> {
        self.turns.iter().map(|kept| (kept.turn, kept.sealed.as_slice()))
    }

    /// As [`Self::open`], for a thief who wants the bytes.
    #[cfg(feature = "adversary")]
    pub fn dangerous_opened(&self, key: &ReceivingKey, team: TeamId) -> Vec<(TurnId, [u8; 32])> {
        self.open(key, team).into_iter().map(|(turn, secret)| (turn, *secret.expose())).collect()
    }

    /// Whether a turn can be recovered with the paper.
    pub fn holds(&self, turn: &TurnId) -> bool {
        self.turns.iter().any(|kept| kept.turn == *turn)
    }

    /// The turns that the key on paper opens, with their secrets; a box that does not open, or holds another turn's
    /// secret, is left out.
    pub fn open(&self, key: &ReceivingKey, team: TeamId) -> Vec<(TurnId, RecordsSecret)> {
        let open = |kept: &TurnBox| {
            let plain = crypto::open_box(key, &secret_aad(team, kept.turn), &kept.sealed).ok()?;
            let secret = RecordsSecret::from_slice(&plain).ok()?;
            (secret.derive_commons().derive_turn_id() == kept.turn).then_some((kept.turn, secret))
        };
        self.turns.iter().filter_map(open).collect()
    }

    /// The control key's seed, if a steward ever announced a turn since recovery was set up.
    pub fn open_control(&self, key: &ReceivingKey, team: TeamId) -> Option<Zeroizing<[u8; 32]>> {
        let plain = crypto::open_box(key, &control_aad(team), self.control.as_ref()?).ok()?;
        <[u8; 32]>::try_from(plain.as_slice()).ok().map(Zeroizing::new)
    }
}

/// The recovery key in force, if there is an active board phone to keep what it opens.
pub fn recovery_key(state: &TeamState) -> Option<ReceivingPublicKey> {
    let has_board = state.active().any(|(_, _, role)| role == Role::Board);
    let recovery = state.recovery.as_ref().filter(|_| has_board)?;
    ReceivingPublicKey::from_slice(&recovery.key).ok()
}

fn secret_aad(team: TeamId, turn: TurnId) -> Aad {
    Aad::new(labels::BOX_RECOVERY).add(team.as_bytes()).add(turn.as_bytes())
}

fn control_aad(team: TeamId) -> Aad {
    Aad::new(labels::BOX_RECOVERY_CONTROL).add(team.as_bytes())
}

fn escrow_aad(team: TeamId, turn: TurnId) -> Aad {
    Aad::new(labels::ESCROW).add(team.as_bytes()).add(turn.as_bytes())
}

/// Seals what recovers a turn: the escrow key for the board's boxes, and the bytes for the payload.
///
/// Errors: [`TurnError::Seal`].
pub(super) fn seal(
    env: &Env,
    recovery: &ReceivingPublicKey,
    team: TeamId,
    turn: TurnId,
    secret: &RecordsSecret,
    control: Option<&[u8; 32]>,
) -> Result<(EscrowKey, Vec<u8>), TurnError> {
    let sealed = |aad: Aad, plain: &[u8; 32]| crypto::seal_box(env, recovery, &aad, plain).map_err(|_| TurnError::Seal);
    let control = control.map(|control| sealed(control_aad(team), control)).transpose()?;
    let escrowed = Escrowed { secret: sealed(secret_aad(team, turn), secret.expose())?, control };
    let key = EscrowKey::make(env);
    let bytes = crypto::seal(&key, Nonce::make(env), &escrow_aad(team, turn), &cbor::encode(&escrowed)).map_err(|_| TurnError::Seal)?;
    Ok((key, bytes))
}

/// Opens the board's layer. None: it is not what the key of the box belongs to.
pub(super) fn open(key: &EscrowKey, team: TeamId, turn: TurnId, sealed: &[u8]) -> Option<Escrowed> {
    let plain = crypto::open(key, &escrow_aad(team, turn), sealed).ok()?;
    cbor::decode(&plain).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::crypto::SigningKey;
    use crate::rules::Rule;
    use crate::team::turn::{self, BoxFor, OpenedTurn, TurnDraft};
    use crate::team::{RecipientClass, Turn, TurnSecret};
    use satchel_wire::ShiftDay;
    use satchel_wire::ids::OperationId;

    const TEAM: TeamId = TeamId::from_bytes([9; 16]);
    const CONTROL: [u8; 32] = [0x33; 32];

    struct Announced {
        secret: RecordsSecret,
        turn: TurnId,
        bytes: Vec<u8>,
        board: ReceivingKey,
        worker: ReceivingKey,
        paper: ReceivingKey,
    }

    fn announced(env: &Env, classes: &[RecipientClass]) -> Announced {
        let [board, worker, paper] = [(); 3].map(|()| ReceivingKey::make(env));
        let secret = RecordsSecret::make(env);
        let draft = TurnDraft {
            team: TEAM,
            parents: Vec::new(),
            recipients: Vec::new(),
            log_heads: vec![OperationId::from_bytes([1; 32])],
            day: ShiftDay::from_days(1),
            control: None,
        };
        let turn = Turn::write(&SigningKey::make(env), &secret, draft);
        let keys = [worker.public_key().unwrap(), board.public_key().unwrap(), paper.public_key().unwrap()];
        let boxes: Vec<BoxFor<'_>> = classes
            .iter()
            .map(|class| match class {
                RecipientClass::Records => BoxFor { key: &keys[0], class: *class, control: Some(&CONTROL) },
                RecipientClass::Commons => BoxFor { key: &keys[1], class: *class, control: None },
                RecipientClass::Recovery => BoxFor { key: &keys[2], class: *class, control: Some(&CONTROL) },
            })
            .collect();
        let held = TurnSecret::Records(secret.duplicate());
        let bytes = turn::announce(env, &turn, &held, &boxes, &[], &[], true).unwrap();
        Announced { secret, turn: turn.id(), bytes, board, worker, paper }
    }

    fn opened(announced: &Announced, key: &ReceivingKey) -> Result<OpenedTurn, TurnError> {
        turn::open_announcement(TEAM, std::slice::from_ref(key), &announced.bytes)
    }

    const ALL: [RecipientClass; 3] = [RecipientClass::Records, RecipientClass::Commons, RecipientClass::Recovery];

    #[test]
    fn board_and_paper_together_recover_a_turn_and_neither_does_alone() {
        let env = Env::seeded(1);
        let announced = announced(&env, &ALL);
        assert_eq!(opened(&announced, &announced.paper).unwrap_err(), TurnError::NotForUs);
        let worker = opened(&announced, &announced.worker).unwrap();
        assert!(worker.recovery.is_none() && *worker.control.unwrap() == CONTROL);
        let board = opened(&announced, &announced.board).unwrap();
        assert!(!board.secret.reads_records() && board.control.is_none());
        let mut kept = EscrowBoxes::of(announced.turn, board.recovery);
        assert!(kept.holds(&announced.turn));
        assert!(kept.open(&ReceivingKey::make(&env), TEAM).is_empty());
        assert!(kept.open(&announced.board, TEAM).is_empty());
        assert!(kept.open(&announced.paper, TeamId::from_bytes([8; 16])).is_empty());
        let recovered = kept.open(&announced.paper, TEAM);
        assert_eq!(recovered, vec![(announced.turn, announced.secret.duplicate())]);
        assert_eq!(*kept.open_control(&announced.paper, TEAM).unwrap(), CONTROL);
        // the turn goes, and its box with it; the control key opens no record and stays
        kept.destroy([announced.turn].into_iter());
        assert!(!kept.holds(&announced.turn) && kept.open(&announced.paper, TEAM).is_empty());
        assert!(kept.open_control(&announced.paper, TEAM).is_some());
    }

    #[test]
    fn a_box_of_one_turn_is_not_taken_for_another_one() {
        let env = Env::seeded(2);
        let (one, other) = (announced(&env, &ALL), announced(&env, &ALL));
        let escrowed = opened(&one, &one.board).unwrap().recovery;
        assert!(EscrowBoxes::of(other.turn, escrowed).open(&one.paper, TEAM).is_empty());
    }

    #[test]
    fn without_a_board_nothing_is_sealed_to_the_paper() {
        let env = Env::seeded(3);
        let with = announced(&env, &ALL).bytes.len();
        let without = announced(&env, &[RecipientClass::Records, RecipientClass::Recovery]);
        assert!(without.bytes.len() + 2 * crypto::BOX_OVERHEAD_BYTES < with);
        assert_eq!(opened(&without, &without.paper).unwrap_err(), TurnError::NotForUs);
        assert!(opened(&without, &without.worker).unwrap().recovery.is_none());
    }

    #[cfg(feature = "adversary")]
    #[test]
    fn without_the_rule_paper_and_relay_are_enough() {
        let announced = announced(&Env::seeded(4).dangerous_without(Rule::EscrowRecovery), &ALL);
        let opened = opened(&announced, &announced.paper).unwrap();
        assert!(opened.secret.reads_records());
    }

    #[test]
    fn the_relay_sees_as_many_boxes_with_recovery_as_without() {
        let env = Env::seeded(5);
        assert!(env.holds(Rule::EscrowRecovery));
        let boxes = |classes: &[RecipientClass]| announced(&env, classes).bytes[..2].to_vec();
        let nine = [RecipientClass::Records; 8];
        assert_eq!(boxes(&nine), boxes(&[nine.as_slice(), &[RecipientClass::Recovery]].concat()));
    }
}
