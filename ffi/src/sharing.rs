//! Sharing outside the team: pairing with a recipient who was met, one sealed packet for it, and asking for it back.

use crate::error::{FfiError, call};
use crate::pairing::{PairingOffer, ShownOffer};
use crate::records::{quiet, screened, short_text, shown};
use crate::unlocked::Unlocked;
use crate::vault::Fact;
use satchel_core::Error;
use satchel_core::consent::{GatedCategory, HowGiven, Purpose, ShareClass};
use satchel_core::record::{FactField, Recipient};
use satchel_core::share::{self, SharedFacts as CoreFacts};
use satchel_core::store::{self, ReceivedLine};
use satchel_wire::ShiftDay;
use satchel_wire::ids::RecordId;
use std::sync::Arc;

quiet!(PairingLine, SharePlan, SharedFacts);

pub(crate) fn all(words: [&'static str; 6]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

/// A sender with whom this phone is paired.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct PairingLine {
    /// Its id.
    pub id: RecordId,
    /// How the sender is called here.
    pub name: Option<String>,
    /// The day on which the offer was shown.
    pub since: ShiftDay,
    /// The words that were compared.
    pub words: Vec<String>,
}

/// What would leave: to be shown and agreed to before `share`.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct SharePlan {
    /// The recipient.
    pub recipient: RecordId,
    /// How it is called.
    pub name: Option<String>,
    /// What it is.
    pub class: ShareClass,
    /// The words that were compared when it was paired.
    pub words: Vec<String>,
    /// Which facts, in the order of the fields.
    pub fields: Vec<FactField>,
    /// Why.
    pub purpose: Purpose,
    /// The last day on which the recipient may keep or read them.
    pub until: ShiftDay,
}

impl From<store::SharePlan> for SharePlan {
    fn from(plan: store::SharePlan) -> Self {
        Self {
            recipient: plan.recipient,
            name: shown(plan.name.as_ref()),
            class: plan.class,
            words: all(plan.words),
            fields: plan.fields,
            purpose: plan.purpose,
            until: plan.until,
        }
    }
}

/// A packet, ready to be handed over in any way.
#[derive(uniffi::Record)]
pub struct SharedPacket {
    /// The copy's id.
    pub share: RecordId,
    /// What it holds, and for whom.
    pub plan: SharePlan,
    /// Its 8,192 bytes, which open on the recipient's phone alone.
    pub bytes: Vec<u8>,
}

/// What a recipient's phone says that it did. It is its word, and no proof.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ErasureAnswer {
    /// Which copy.
    pub share: RecordId,
    /// The day on which it was erased there.
    pub erased_on: ShiftDay,
    /// Whether any of it had been kept there.
    pub was_kept: bool,
    /// Phones of the recipient's team that had not confirmed the erasure yet (count).
    pub phones_awaited: u16,
}

impl From<share::Answer> for ErasureAnswer {
    fn from(answer: share::Answer) -> Self {
        Self { share: answer.share, erased_on: answer.erased, was_kept: answer.was_kept, phones_awaited: answer.awaited }
    }
}

/// How a copy outside stands.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum ShareState {
    /// Its yes counts.
    Standing,
    /// Its yes does not count any more: the recipient is to be asked to erase it.
    ToAsk,
    /// The recipient was asked, and has not answered.
    Asked {
        /// The day of the first request.
        day: ShiftDay,
    },
    /// The recipient answered.
    Answered {
        /// What it said.
        answer: ErasureAnswer,
    },
    /// Its last day is over, here and there.
    Over,
}

/// A copy that left, as far as this phone knows.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ShareLine {
    /// Its id.
    pub share: RecordId,
    /// To whom.
    pub recipient: RecordId,
    /// Which kinds of facts.
    pub categories: Vec<GatedCategory>,
    /// Its last day.
    pub until: ShiftDay,
    /// Whom it is about; none once their file is gone.
    pub participant: Option<RecordId>,
    /// How it stands.
    pub state: ShareState,
}

impl From<store::ShareLine> for ShareLine {
    fn from(line: store::ShareLine) -> Self {
        let state = match line.state {
            store::ShareState::Standing => ShareState::Standing,
            store::ShareState::ToAsk => ShareState::ToAsk,
            store::ShareState::Asked(day) => ShareState::Asked { day },
            store::ShareState::Answered(answer) => ShareState::Answered { answer: answer.into() },
            store::ShareState::Over => ShareState::Over,
        };
        Self {
            share: line.share,
            recipient: line.recipient,
            categories: line.categories,
            until: line.until,
            participant: line.participant,
            state,
        }
    }
}

/// Facts that came from another team.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct SharedFacts {
    /// The copy's id.
    pub share: RecordId,
    /// The one purpose for which they may be used.
    pub purpose: Purpose,
    /// The last day on which they may be kept or read.
    pub until: ShiftDay,
    /// How the participant said yes to the share.
    pub how: HowGiven,
    /// The facts, each field once.
    pub facts: Vec<Fact>,
}

impl From<CoreFacts> for SharedFacts {
    fn from(shared: CoreFacts) -> Self {
        let fact = |fact: &satchel_core::record::Fact| Fact { field: fact.field(), value: fact.value().to_owned() };
        let facts = shared.facts.iter().map(fact).collect();
        Self { share: shared.share, purpose: shared.purpose, until: shared.expiry, how: shared.how, facts }
    }
}

/// What a packet brought.
#[derive(uniffi::Enum)]
pub enum OpenedPacket {
    /// Facts, to be read, or kept with `keep_shared`.
    Facts {
        /// Through which pairing.
        sender: RecordId,
        /// The facts.
        shared: SharedFacts,
    },
    /// A request to erase a copy: `answer_erasure`.
    EraseRequest {
        /// Through which pairing.
        sender: RecordId,
        /// Which copy.
        share: RecordId,
        /// The participant here with whom it was kept, if it was.
        kept_with: Option<RecordId>,
    },
    /// What a recipient answered to a request of this phone; `shares` and the sharing log say so from now on.
    Answer {
        /// What it says.
        answer: ErasureAnswer,
    },
}

/// An answer to a request to erase, sealed for whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SealedAnswer {
    /// What it says.
    pub answer: ErasureAnswer,
    /// Its 8,192 bytes, to be brought to the sender.
    pub bytes: Vec<u8>,
}

/// A packet that came from another team and was opened here.
#[uniffi::remote(Record)]
pub struct ReceivedLine {
    /// The copy's id.
    pub share: RecordId,
    /// Through which pairing.
    pub pairing: RecordId,
    /// Its last day.
    pub until: ShiftDay,
    /// The grant under which its facts are kept, if they are.
    pub grant: Option<RecordId>,
    /// With whom they are kept.
    pub participant: Option<RecordId>,
    /// When it was erased because its sender asked for that.
    pub erased_on: Option<ShiftDay>,
    /// What opened the packet is destroyed.
    pub is_shut: bool,
}

#[uniffi::export]
impl Unlocked {
    /// Shows a pairing offer for one sender, while two people stand beside each other. `name` is how the sender is called here.
    ///
    /// Errors: [`FfiError::InvalidInput`] for `name`, or with `share_paired_already` for a name in use;
    /// [`FfiError::Storage`] with `share_full`.
    pub fn show_offer(&self, name: &str) -> Result<Arc<ShownOffer>, FfiError> {
        call(|| Ok(ShownOffer::of(self.core().show_offer(&short_text("name", name)?)?)))
    }

    /// The senders with whom this phone is paired: packets of each open on this phone alone.
    pub fn pairings(&self) -> Result<Vec<PairingLine>, FfiError> {
        call(|| {
            let line = |line: store::PairingLine| PairingLine {
                id: line.id,
                name: shown(line.name.as_ref()),
                since: line.since,
                words: line.words.into_iter().map(str::to_owned).collect(),
            };
            Ok(self.core().pairings()?.into_iter().map(line).collect())
        })
    }

    /// Forgets a sender: no packet of theirs opens here any more, requests to erase among them. Errors: [`FfiError::NotFound`].
    pub fn forget_pairing(&self, id: RecordId) -> Result<(), FfiError> {
        call(|| Ok(self.core().forget_pairing(id)?))
    }

    /// Writes a recipient down that was met in person, after both people compared the offer's six words. Another phone of the
    /// same office is another recipient, and needs a yes of its own. Returns its random id.
    ///
    /// Errors: [`FfiError::InvalidInput`] for `name`, or with `share_paired_already` for an offer that was taken.
    pub fn pair_recipient(&self, name: &str, class: ShareClass, offer: &PairingOffer) -> Result<RecordId, FfiError> {
        call(|| {
            screened("name", name, |name| Recipient::parse(name, class))?;
            Ok(self.core().pair_recipient(name, class, offer.core())?)
        })
    }

    /// What would leave under a yes to share: show it, and let somebody agree. No fields: all that it covers. Nothing is
    /// stored. Errors: as `share`.
    #[uniffi::method(default(fields = []))]
    pub fn share_plan(&self, participant: RecordId, grant: RecordId, fields: Vec<FactField>) -> Result<SharePlan, FfiError> {
        call(|| Ok(self.core().share_plan(participant, grant, &fields)?.into()))
    }

    /// Seals facts for the one recipient of a yes to share. The sharing log says so before this returns.
    ///
    /// Errors: [`FfiError::NoConsent`]: `grant_not_live` with how it stands (taken back, over), `grant_not_covered` for a fact
    /// that was not named, `share_justice_without_grant` for police and courts under another yes, `share_grant_to_record`;
    /// [`FfiError::Sync`] with `share_stale`: a withdrawal may be on its way, meet a colleague first;
    /// [`FfiError::Refused`] with `share_not_paired` (remedy `pair_in_person`) or of a copied store; [`FfiError::NotFound`]:
    /// no such grant, or `share_nothing`; [`FfiError::InvalidInput`] with `share_says_more` and the fact as its field.
    #[uniffi::method(default(fields = []))]
    pub fn share(&self, participant: RecordId, grant: RecordId, fields: Vec<FactField>) -> Result<SharedPacket, FfiError> {
        call(|| {
            let packet = self.core().share(participant, grant, &fields)?;
            Ok(SharedPacket { share: packet.share, plan: packet.plan.into(), bytes: packet.bytes })
        })
    }

    /// The copies that left, as far as this phone knows: those that it made, and those of consents taken back here.
    pub fn shares(&self) -> Result<Vec<ShareLine>, FfiError> {
        call(|| Ok(self.core().shares()?.into_iter().map(Into::into).collect()))
    }

    /// Seals the request to erase a copy, for the same recipient. Asked again, it is the same request.
    ///
    /// Errors: [`FfiError::NotFound`] for an unknown copy; [`FfiError::InvalidInput`] with `share_still_granted`.
    pub fn ask_erasure(&self, share: RecordId) -> Result<Vec<u8>, FfiError> {
        call(|| Ok(self.core().ask_erasure(share)?))
    }

    /// Opens what somebody handed over: facts, a request to erase, or the answer to one. Facts are stored nowhere by this; until
    /// their last day they can be opened again.
    ///
    /// Errors: [`FfiError::InvalidInput`]: `share_not_for_us`, `share_used` (kept or erased here already), `share_over` (its last
    /// day is over, remedy `ask_sender`); [`FfiError::Storage`] with `share_newer`.
    pub fn open_packet(&self, packet: Vec<u8>) -> Result<OpenedPacket, FfiError> {
        call(|| match self.core().open_packet(&packet) {
            Ok(store::Opened::Facts { from, facts }) => Ok(OpenedPacket::Facts { sender: from, shared: facts.into() }),
            Ok(store::Opened::Erase { from, share, kept_with }) => Ok(OpenedPacket::EraseRequest { sender: from, share, kept_with }),
            Err(Error::Share(share::ShareError::NotForUs)) => Ok(OpenedPacket::Answer { answer: self.core().read_answer(&packet)?.into() }),
            Err(error) => Err(error.into()),
        })
    }

    /// Keeps the facts of a packet with a participant of this team: in vaults, for the same purpose, no longer than the share.
    /// The packet opens never again. Kept twice, it is kept once. Returns the grant.
    ///
    /// Errors: as `open_packet`; [`FfiError::NoConsent`] without a file; [`FfiError::Refused`] by this team's charter.
    pub fn keep_shared(&self, packet: Vec<u8>, participant: RecordId) -> Result<RecordId, FfiError> {
        call(|| Ok(self.core().keep_shared(&packet, participant)?))
    }

    /// Packets that were opened here, those of which the facts were kept or erased among them.
    pub fn received_shares(&self) -> Result<Vec<ReceivedLine>, FfiError> {
        call(|| Ok(self.core().received_shares()?))
    }

    /// Does what a request asks: erases the copy on every phone of this team, destroys what opens its packet, and seals the
    /// answer. Asked again, it answers again. Errors: as `open_packet`; [`FfiError::InvalidInput`] with `share_other_kind`.
    pub fn answer_erasure(&self, packet: Vec<u8>) -> Result<SealedAnswer, FfiError> {
        call(|| {
            let (bytes, answer) = self.core().answer_erasure(&packet)?;
            Ok(SealedAnswer { answer: answer.into(), bytes })
        })
    }
}
