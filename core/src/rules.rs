//! The rules that keep a taken-away key away, each under a name, so that a test can show what happens without it.
//!
//! In a shipped build every rule holds and [`Env::holds`](crate::env::Env::holds) is the constant `true`. With the
//! feature `adversary`, which only the test suites switch on, an [`Env`](crate::env::Env) can leave rules out: the
//! thief must then win, or live records stay unread, otherwise the test that looks for the thief proves nothing.
//!
//! Refusing a pack that was made before a ban is no rule: what such a pack opens with is destroyed by
//! [`Rule::DestroyLacking`], and what it brings is judged as what comes by any other path. It is refused to say why.

/// A rule of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Rule {
    /// T1: whoever opens a turn first applies every ban that it names.
    ApplyNamedBans = 0,
    /// T2: seal only under a turn that names every known ban.
    NameKnownBans = 1,
    /// T2: seal only under a turn without a recipient who is out, and that names what put out whoever may hold it unnamed.
    NoBannedRecipient = 2,
    /// T3: destroy turns that lack a known ban.
    DestroyLacking = 3,
    /// T3: destroy the parents of held turns.
    DestroyParents = 4,
    /// T4: replace the receiving key after each adoption.
    ReplaceReceivingKey = 5,
    /// T4: seal to a receiving key only once everything that its frontier names is known.
    ReceivingKeyFloor = 6,
    /// T5: a frontier promises only what everything held names.
    PromiseOnlyHeld = 7,
    /// T5: a frontier counts only once every operation that its author knew is known.
    CompleteLog = 8,
    /// The first write to a record after a ban uses a fresh record key.
    FreshKeyAfterBan = 9,
    /// What a colleague's phone misses is asked for and covered anew.
    AskForGaps = 10,
    /// A device silent beyond the absence limit gets no boxes.
    NoBoxForDormant = 11,
    /// A tombstone also erases what arrives later, and what is held, queued or unsent.
    EraseLateArrivals = 12,
    /// An erasure replaces the page key, the root, the store key and the keystore secret.
    ReplaceStoreKey = 13,
    /// What a removed device wrote beyond its cut waits unapplied.
    HoldBeyondCut = 14,
    /// The recovery box is sealed to the board's replaceable keys as well.
    EscrowRecovery = 15,
    /// The field key of a zone that is over is destroyed everywhere it lies.
    DestroyFieldKeys = 16,
    /// A withdrawal beats every grant in its scope that had not seen it.
    WithdrawalBeatsUnseen = 17,
    /// A verdict on what arrives asks no guard: phones have different ones.
    VerdictAsksNoGuard = 18,
}

impl Rule {
    /// All rules.
    pub const ALL: [Self; 19] = [
        Self::ApplyNamedBans,
        Self::NameKnownBans,
        Self::NoBannedRecipient,
        Self::DestroyLacking,
        Self::DestroyParents,
        Self::ReplaceReceivingKey,
        Self::ReceivingKeyFloor,
        Self::PromiseOnlyHeld,
        Self::CompleteLog,
        Self::FreshKeyAfterBan,
        Self::AskForGaps,
        Self::NoBoxForDormant,
        Self::EraseLateArrivals,
        Self::ReplaceStoreKey,
        Self::HoldBeyondCut,
        Self::EscrowRecovery,
        Self::DestroyFieldKeys,
        Self::WithdrawalBeatsUnseen,
        Self::VerdictAsksNoGuard,
    ];
}
