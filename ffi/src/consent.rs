//! Consent: what a participant is asked, said yes to, and took back; to whom something may go, and what went.

use crate::error::{FfiError, call};
use crate::records::{quiet, screened, shown};
use crate::unlocked::Unlocked;
use satchel_core::consent::{
    self, Act as ConsentAct, GatedCategory, GrantRequest, GrantStatus, HowGiven, Language, Purpose, ShareClass, Withdrawal as TakenBack,
    Words as ConsentWords,
};
use satchel_core::record::{Recipient, SharingEvent};
use satchel_core::store::{self, RecordedBy, WithdrawalReport};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{DeviceId, MemberId, OperationId, RecordId};

quiet!(RecipientLine);

/// What a yes allows. The two are never asked together.
#[uniffi::remote(Enum)]
pub enum ConsentAct {
    /// Facts may exist in the team's store.
    Record,
    /// Facts may leave to one recipient.
    Share,
}

/// Why. There is no investigative purpose.
#[uniffi::remote(Enum)]
pub enum Purpose {
    /// Connecting to a service.
    ServiceConnection,
    /// Introducing someone in person.
    WarmHandoff,
    /// Applying for benefits.
    BenefitsApplication,
    /// Applying for housing.
    HousingApplication,
    /// Legal defence.
    LegalDefence,
    /// Health care.
    HealthCare,
    /// Emergency contact.
    EmergencyContact,
    /// The participant's own copy.
    OwnCopy,
}

/// Whom a share goes to. The words before a yes differ by it.
#[uniffi::remote(Enum)]
pub enum ShareClass {
    /// A service: housing, food, work, a drop-in.
    Service,
    /// A lawyer, or legal aid.
    Legal,
    /// Somebody who treats or cares.
    Health,
    /// An office that decides about benefits.
    Benefits,
    /// Somebody to call in an emergency.
    Emergency,
    /// The participants themselves.
    OwnCopy,
    /// Police, prosecutors, courts, probation, prisons: denied unless the charter says otherwise.
    Justice,
}

/// A language in which there are words.
#[uniffi::remote(Enum)]
pub enum Language {
    /// English.
    English,
    /// Spanish.
    Spanish,
}

/// How a yes stands today.
#[uniffi::remote(Enum)]
pub enum GrantStatus {
    /// It counts, at least for one of its categories.
    Live,
    /// Its first day is still to come.
    NotBegun,
    /// Its last day, or the longest term of the charter, is over.
    Expired,
    /// It was taken back.
    Withdrawn,
    /// The charter does not allow what it is about, or its recipient is not what it says.
    NotAllowed,
    /// Several phones claim it and contradict each other: it counts for nothing.
    Contradicted,
}

/// What a line of the sharing log says.
#[uniffi::remote(Enum)]
pub enum SharingEvent {
    /// Facts left.
    Shared,
    /// Consent was taken back: nothing more leaves.
    Stopped,
    /// Consent was given to a share with police, prosecutors, courts, probation or prisons.
    JusticeGranted,
    /// The recipient was asked to erase what it has.
    ErasureAsked,
    /// The recipient says that it erased what it had.
    ErasureAnswered,
}

/// What a participant is asked to say yes to: one act, one purpose, one recipient or none, and an end.
#[uniffi::remote(Record)]
pub struct GrantRequest {
    /// Record or share.
    pub act: ConsentAct,
    /// Gated categories; none asks for the file itself, which only a record can.
    pub categories: Vec<GatedCategory>,
    /// The record of the one recipient of a share; none for a record.
    pub recipient: Option<RecordId>,
    /// The one purpose.
    pub purpose: Purpose,
    /// First day; none: today.
    pub start: Option<ShiftDay>,
    /// Last day.
    pub expiry: ShiftDay,
    /// How they say yes.
    pub how: HowGiven,
    /// Language of the words that are shown or read.
    pub language: Language,
}

/// Words to be shown or read out before somebody says yes: exactly these.
#[uniffi::remote(Record)]
pub struct ConsentWords {
    /// Their version: the yes names it. A version is never reworded.
    pub number: u16,
    /// Their language.
    pub language: Language,
    /// The text, with everything filled in.
    pub text: String,
}

/// Who wrote something down, by their signature.
#[uniffi::remote(Record)]
pub struct RecordedBy {
    /// The phone.
    pub device: DeviceId,
    /// Its member, if the phone is known to the team log.
    pub member: Option<MemberId>,
}

/// What was said yes to.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Grant {
    /// Record or share.
    pub act: ConsentAct,
    /// Gated categories; empty for the participant file itself.
    pub categories: Vec<GatedCategory>,
    /// The one recipient of a share.
    pub recipient: Option<RecordId>,
    /// What that recipient is, as it was said.
    pub class: Option<ShareClass>,
    /// The one purpose.
    pub purpose: Purpose,
    /// First day.
    pub start: ShiftDay,
    /// Last day.
    pub expiry: ShiftDay,
    /// How it was given.
    pub how: HowGiven,
    /// Version of the words that were shown or read: `consent_words_text` has them.
    pub words_version: u16,
    /// Their language: two lower-case letters (ISO 639-1).
    pub words_language: String,
    /// The copy that another team shared under it; none for a yes that was given here.
    pub received: Option<RecordId>,
}

impl From<consent::Grant> for Grant {
    fn from(grant: consent::Grant) -> Self {
        Self {
            act: grant.act,
            categories: grant.categories,
            recipient: grant.recipient,
            class: grant.class,
            purpose: grant.purpose,
            start: grant.start,
            expiry: grant.expiry,
            how: grant.how,
            words_version: grant.words_version,
            words_language: grant.words_language,
            received: grant.received,
        }
    }
}

/// A yes, and how it stands today.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GrantLine {
    /// Its id.
    pub id: RecordId,
    /// What was said yes to; none where several phones claim it and contradict each other.
    pub grant: Option<Grant>,
    /// How it stands.
    pub status: GrantStatus,
    /// The categories for which it counts today; none for a file.
    pub live: Vec<GatedCategory>,
    /// The withdrawals that took something of it back.
    pub withdrawn_by: Vec<RecordId>,
    /// Who recorded it. More than one is a forgery, or a copied phone.
    pub recorded_by: Vec<RecordedBy>,
    /// The day on which it was recorded, by its author's word.
    pub recorded_on: ShiftDay,
}

impl From<store::GrantLine> for GrantLine {
    fn from(line: store::GrantLine) -> Self {
        Self {
            id: line.id,
            grant: line.grant.map(Into::into),
            status: line.status,
            live: line.live,
            withdrawn_by: line.withdrawn_by,
            recorded_by: line.recorded_by,
            recorded_on: line.recorded_on,
        }
    }
}

/// What somebody takes back. What is none means all: four nones and a way of saying it is everything, the file too.
#[uniffi::remote(Record)]
pub struct TakenBack {
    /// Only this act, or both.
    pub act: Option<ConsentAct>,
    /// Only this category, or all.
    pub category: Option<GatedCategory>,
    /// Only for this recipient, or for all.
    pub recipient: Option<RecordId>,
    /// How it was taken back.
    pub how: HowGiven,
}

/// A withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct WithdrawalLine {
    /// Its id.
    pub id: RecordId,
    /// What was taken back.
    pub scopes: Vec<TakenBack>,
    /// Who recorded it.
    pub recorded_by: Vec<RecordedBy>,
    /// The day on which it was recorded, by its author's word.
    pub recorded_on: ShiftDay,
}

/// What a withdrawal did.
#[uniffi::remote(Record)]
pub struct WithdrawalReport {
    /// The withdrawal.
    pub withdrawal: RecordId,
    /// Grants of which something was taken back.
    pub grants: Vec<RecordId>,
    /// Erasures that it began: `erasure_receipt` says how far they are.
    pub erasures: Vec<OperationId>,
    /// Recipients who get nothing more.
    pub stopped: Vec<RecordId>,
    /// Copies that left and are to be asked back.
    pub to_ask: Vec<RecordId>,
    /// The file itself was taken back.
    pub is_file_closed: bool,
}

/// Somebody to whom something may be shared.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct RecipientLine {
    /// Its record.
    pub id: RecordId,
    /// How it is called.
    pub name: Option<String>,
    /// What it is.
    pub class: ShareClass,
}

/// A line of the sharing log: which categories, to whom, under which yes; never a fact.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SharingLine {
    /// Its record.
    pub id: RecordId,
    /// The day.
    pub day: ShiftDay,
    /// What happened.
    pub event: SharingEvent,
    /// Under which yes.
    pub grant: RecordId,
    /// To whom.
    pub recipient: RecordId,
    /// Which categories.
    pub categories: Vec<GatedCategory>,
    /// Who recorded it.
    pub recorded_by: Vec<RecordedBy>,
}

impl From<store::SharingLine> for SharingLine {
    fn from(line: store::SharingLine) -> Self {
        Self {
            id: line.id,
            day: line.day,
            event: line.note.event,
            grant: line.note.grant,
            recipient: line.note.recipient,
            categories: line.note.categories,
            recorded_by: line.recorded_by,
        }
    }
}

/// The words of a version with their gaps (`{what}`, `{why}`, `{who}`, `{until}`); none for a version that does not exist.
#[uniffi::export]
pub fn consent_words_text(number: u16, language: Language) -> Option<String> {
    consent::words::text(number, language).map(str::to_owned)
}

#[uniffi::export]
impl Unlocked {
    /// The words to show or read out before they say yes; exactly these are what the yes names. Nothing is stored.
    ///
    /// `until` is the last day as it is to be read; none prints it as `YYYY-MM-DD`. Errors: as `give_grant`.
    #[uniffi::method(default(until = None))]
    pub fn grant_words(&self, participant: RecordId, request: GrantRequest, until: Option<String>) -> Result<ConsentWords, FfiError> {
        call(|| Ok(self.core().grant_words(participant, &request, until.as_deref())?))
    }

    /// Stores that they said yes, once it was shown or read. Returns the grant's random id.
    ///
    /// To record without a category renews the file. Errors: [`FfiError::NoConsent`] without a file;
    /// [`FfiError::InvalidInput`] for what cannot be asked; [`FfiError::Refused`] for what the charter denies, and for the board.
    pub fn give_grant(&self, participant: RecordId, request: GrantRequest) -> Result<RecordId, FfiError> {
        call(|| Ok(self.core().give_grant(participant, &request)?))
    }

    /// Everything that somebody said yes to, the newest first, with how it stands and who recorded it.
    pub fn grants(&self, participant: RecordId) -> Result<Vec<GrantLine>, FfiError> {
        call(|| Ok(self.core().grants(participant)?.into_iter().map(Into::into).collect()))
    }

    /// Stores that they took something back, and acts on it before this returns: facts are erased, shares stop.
    ///
    /// It beats every yes in its scope that had not seen it, also one that arrives later.
    /// Errors: [`FfiError::InvalidInput`] with `nothing_to_withdraw`; [`FfiError::Refused`] for the board.
    pub fn withdraw(&self, participant: RecordId, taken_back: TakenBack) -> Result<WithdrawalReport, FfiError> {
        call(|| Ok(self.core().withdraw(participant, &taken_back)?))
    }

    /// Every withdrawal of somebody, the newest first.
    pub fn withdrawals(&self, participant: RecordId) -> Result<Vec<WithdrawalLine>, FfiError> {
        call(|| {
            let line = |line: store::WithdrawalLine| WithdrawalLine {
                id: line.id,
                scopes: line.scopes,
                recorded_by: line.recorded_by,
                recorded_on: line.recorded_on,
            };
            Ok(self.core().withdrawals(participant)?.into_iter().map(line).collect())
        })
    }

    /// Writes a recipient down. Its class says which words are shown, and cannot be changed. Returns its random id.
    ///
    /// Errors: [`FfiError::InvalidInput`] for `name`.
    pub fn add_recipient(&self, name: &str, class: ShareClass) -> Result<RecordId, FfiError> {
        call(|| {
            screened("name", name, |name| Recipient::parse(name, class))?;
            Ok(self.core().add_recipient(name, class)?)
        })
    }

    /// Every recipient that this phone knows.
    pub fn recipients(&self) -> Result<Vec<RecipientLine>, FfiError> {
        call(|| {
            let line = |line: store::RecipientLine| RecipientLine { id: line.id, name: shown(line.name.as_ref()), class: line.class };
            Ok(self.core().recipients()?.into_iter().map(line).collect())
        })
    }

    /// What was allowed to leave about somebody, left, and stopped leaving; the newest first.
    pub fn sharing_log(&self, participant: RecordId) -> Result<Vec<SharingLine>, FfiError> {
        call(|| Ok(self.core().sharing_log(participant)?.into_iter().map(Into::into).collect()))
    }
}
