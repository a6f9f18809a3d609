//! Satchel for Kotlin and Swift: conversion only, nothing is decided here.
//!
//! Every call is plain and may block (files, key derivation): the wrappers move it off the app's main thread.
//! A panic inside never crosses: it becomes [`FfiError::Internal`]. Memory is wiped when it is freed, so that
//! texts and passphrases do not stay behind in buffers that crossed.

mod board;
mod carrier;
mod catalogue;
mod charter;
mod charter_page;
mod complaints;
mod consent;
mod doctor;
mod erasure;
mod error;
mod holding;
mod id;
mod inbox;
mod joining;
mod live;
mod nearby;
mod network;
mod notes;
mod observer;
mod pack;
mod pairing;
mod protector;
mod records;
mod recovery;
mod relay;
mod screening;
mod session;
mod sharing;
mod store;
mod team;
mod unlocked;
mod vault;

pub use board::{BoardBook, BoardCounts, BoardKeys, BookLine, CategoryCount, Complaint};
pub use catalogue::{Resource, ResourceFilter, build_catalogue, own_resource_id};
pub use charter::{CharterChange, CharterDecision, KeyState, TurnLine};
pub use charter_page::{CharterEvent, CharterPage, CharterSection, DataField, DataGroup, SettingChange, data_map, data_map_text};
pub use complaints::{BoardStatus, Bulletin, BulletinDays, ComplaintDraft, ReceiptCode, ReceiptStatus};
pub use consent::{Grant, GrantLine, RecipientLine, SharingLine, WithdrawalLine, consent_words_text};
pub use doctor::{Diagnosis, KeySlot, Likeness, key_slots};
pub use erasure::{DroppedEdit, ErasureReceipt, MayStillHold, TendReport};
pub use error::{FfiError, Finding};
pub use holding::HeldPage;
pub use inbox::{InboxReport, InboxWaiting, LockedInbox};
pub use joining::{AnsweredKnock, CodeInvitation, CodeJoining, HostedInvitation, Joined, Joining, join_team};
pub use live::{LiveObserver, LivePhase, LiveProgress, LiveState, LiveSync, RelayRoute};
pub use nearby::{Appearance, Lookout, NearbyEvent, NearbyObserver};
pub use notes::{FollowUp, SentTally};
pub use observer::{ChangeObserver, ObserverError, Subscription};
pub use pack::{PackReader, PackReport, PackWriter};
pub use pairing::{OfferByCode, OfferTaker, PairingOffer, ShownOffer, refusal_of_hello, take_offer_by_code};
pub use protector::{KeyProtector, KeyProtectorError};
pub use records::{
    Encounter, EncounterDraft, FollowUpDraft, FollowUpLine, Participant, ParticipantConflict, ParticipantDraft, ParticipantEdit,
    ParticipantLine, SelfReferral, SelfReferralDraft, SelfReferralLine, ZoneLine,
};
pub use recovery::{MovedRelay, Paper, PaperLabel, Recovered, RecoveryStatus, Reseated};
pub use relay::{HttpRequest, RelayExchange, RelayReport};
pub use screening::{Suggestion, guard_version, screen, suggest};
pub use session::{PeerSession, SessionReport};
pub use sharing::{ErasureAnswer, OpenedPacket, PairingLine, SealedAnswer, ShareLine, SharePlan, ShareState, SharedFacts, SharedPacket};
pub use store::{DeviceErasure, Founded, KeyCost, Store, erase_device_in, found_team};
pub use team::{AwaitedSignature, DeviceLine, RemovalDetails, RemovalPlan, Team, WaitingBody};
pub use unlocked::{Unlocked, Waiting};
pub use vault::{Fact, FactLine, Vault, category_of_fact, shape_of_fact};

uniffi::setup_scaffolding!();

/// Wipes every buffer when it is freed, those that uniffi moves texts and bytes in included.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// The version of this library, `major.minor.patch`.
#[uniffi::export]
pub fn library_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

#[cfg(test)]
mod tests;
