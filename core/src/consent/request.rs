//! What is asked for before a grant exists, and why it cannot be had.

use super::charter::Charter;
use super::grant::{Act, GatedCategory, Grant, HowGiven, Purpose, RECORD_GRANT_MAX_DAYS, ShareClass, fits};
use super::standing::GrantStatus;
use super::words::{self, Language};
use satchel_wire::ShiftDay;
use satchel_wire::ids::RecordId;

/// Why a grant or a withdrawal cannot be stored, or does not allow what was asked. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// Neither `record` nor `share`. The two are never one.
    #[error("a grant is to record or to share")]
    UnknownAct,
    /// No such gated category: there is none for "everything".
    #[error("unknown gated category")]
    UnknownCategory,
    /// No such purpose. None of them is investigative.
    #[error("unknown purpose")]
    UnknownPurpose,
    /// No such way of giving consent.
    #[error("unknown way of giving consent")]
    UnknownHow,
    /// There are no words in this language. Remedy: choose `en` or `es`.
    #[error("no words in this language")]
    UnknownLanguage,
    /// The purpose does not fit the class of the recipient.
    #[error("this purpose does not fit this recipient")]
    PurposeDoesNotFit,
    /// A share names no recipient, or "anyone". Remedy: one grant for each recipient.
    #[error("a share names one recipient")]
    Wildcard,
    /// A grant to record names a recipient: sharing is asked for separately.
    #[error("a grant to record has no recipient")]
    Bundled,
    /// A share names no category.
    #[error("a share names what is shared")]
    NothingNamed,
    /// The recipient has no record here, or contradicting ones.
    #[error("unknown recipient")]
    UnknownRecipient,
    /// It would begin before today.
    #[error("a grant cannot begin in the past")]
    BackDated,
    /// Its last day is over, or before its first.
    #[error("a grant that is over before it begins")]
    Expired,
    /// Longer than the charter allows.
    #[error("longer than the {limit_days} days that the charter allows")]
    TooLong {
        /// The longest term (days).
        limit_days: u16,
    },
    /// The charter does not allow this category. Remedy: the board may.
    #[error("the charter does not allow this category")]
    CategoryNotAllowed,
    /// The charter denies shares with police, courts and prisons.
    #[error("the charter denies shares with the justice system")]
    JusticeDenied,
    /// The participant has no file, or closed consent to it: only an anonymous tally can be stored.
    #[error("no live grant for this participant's file")]
    NoFile,
    /// No grant with this id is known here.
    #[error("no such grant")]
    NoSuchGrant,
    /// The grant does not count today; its status says why.
    #[error("the grant does not count today")]
    NotLive(GrantStatus),
    /// The grant is to share, or for the file: no vault rests on it.
    #[error("this grant has no vault")]
    NoVault,
    /// The grant does not cover the category of a fact.
    #[error("the grant does not cover this category")]
    NotCovered,
    /// Nothing that was given is reached by this withdrawal.
    #[error("there is nothing to take back")]
    NothingToWithdraw,
    /// More withdrawals overlap this grant than one can list.
    #[error("too many withdrawals to list")]
    TooManyWithdrawals,
}

impl GrantError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownAct => "grant_unknown_act",
            Self::UnknownCategory => "grant_unknown_category",
            Self::UnknownPurpose => "grant_unknown_purpose",
            Self::UnknownHow => "grant_unknown_how",
            Self::UnknownLanguage => "grant_unknown_language",
            Self::PurposeDoesNotFit => "grant_purpose_does_not_fit",
            Self::Wildcard => "grant_wildcard",
            Self::Bundled => "grant_bundled",
            Self::NothingNamed => "grant_nothing_named",
            Self::UnknownRecipient => "grant_unknown_recipient",
            Self::BackDated => "grant_back_dated",
            Self::Expired => "grant_expired",
            Self::TooLong { .. } => "grant_too_long",
            Self::CategoryNotAllowed => "grant_category_not_allowed",
            Self::JusticeDenied => "grant_justice_denied",
            Self::NoFile => "grant_no_file",
            Self::NoSuchGrant => "grant_unknown",
            Self::NotLive(_) => "grant_not_live",
            Self::NoVault => "grant_no_vault",
            Self::NotCovered => "grant_not_covered",
            Self::NothingToWithdraw => "nothing_to_withdraw",
            Self::TooManyWithdrawals => "grant_too_many_withdrawals",
        }
    }

    /// Whether only the charter, and so the board, could change the answer.
    pub const fn is_the_charters(self) -> bool {
        matches!(self, Self::TooLong { .. } | Self::CategoryNotAllowed | Self::JusticeDenied)
    }
}

/// What a participant is asked to say yes to: one act, one purpose, one recipient or none, and an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRequest {
    /// Record or share.
    pub act: Act,
    /// Gated categories; none asks for the file itself, which only `record` can.
    pub categories: Vec<GatedCategory>,
    /// The record of the one recipient of a share.
    pub recipient: Option<RecordId>,
    /// The one purpose.
    pub purpose: Purpose,
    /// First day; none: today.
    pub start: Option<ShiftDay>,
    /// Last day.
    pub expiry: ShiftDay,
    /// How they say yes.
    pub how: HowGiven,
    /// Language of the words that were shown or read.
    pub language: Language,
}

/// A request in names, as programs and imports write it.
#[derive(Debug, Clone, Copy)]
pub struct GrantNames<'t> {
    /// `record` or `share`.
    pub act: &'t str,
    /// Names of categories.
    pub categories: &'t [&'t str],
    /// A recipient's id; empty for none.
    pub recipient: &'t str,
    /// The name of a purpose.
    pub purpose: &'t str,
    /// `spoken`, `on_screen` or `signed_paper_on_file`.
    pub how: &'t str,
    /// `en` or `es`.
    pub language: &'t str,
}

impl GrantRequest {
    /// Reads names: every one of them from a closed list. Errors: the [`GrantError`] of the first name that is in none.
    pub fn from_names(names: &GrantNames<'_>, start: Option<ShiftDay>, expiry: ShiftDay) -> Result<Self, GrantError> {
        let category = |name: &&str| GatedCategory::from_name(name).ok_or(GrantError::UnknownCategory);
        let recipient = match names.recipient {
            "" => None,
            id => Some(id.parse().map_err(|_| GrantError::Wildcard)?),
        };
        Ok(Self {
            act: Act::from_name(names.act).ok_or(GrantError::UnknownAct)?,
            categories: names.categories.iter().map(category).collect::<Result<_, _>>()?,
            recipient,
            purpose: Purpose::from_name(names.purpose).ok_or(GrantError::UnknownPurpose)?,
            start,
            expiry,
            how: HowGiven::from_name(names.how).ok_or(GrantError::UnknownHow)?,
            language: Language::from_code(names.language).ok_or(GrantError::UnknownLanguage)?,
        })
    }

    /// Whether it asks for the participant file itself.
    pub fn is_for_file(&self) -> bool {
        self.act == Act::Record && self.categories.is_empty()
    }

    /// Checks it against a charter on a day; `class` is what the recipient's record says. Returns the grant that a yes
    /// makes, as far as it does not depend on withdrawals. Errors: [`GrantError`].
    pub fn check(&self, charter: &Charter, today: ShiftDay, class: Option<ShareClass>) -> Result<Grant, GrantError> {
        match self.act {
            Act::Record if self.recipient.is_some() => return Err(GrantError::Bundled),
            Act::Record => {}
            Act::Share if self.recipient.is_none() => return Err(GrantError::Wildcard),
            Act::Share if self.categories.is_empty() => return Err(GrantError::NothingNamed),
            Act::Share if class.is_none() => return Err(GrantError::UnknownRecipient),
            Act::Share => {}
        }
        let class = class.filter(|_| self.act == Act::Share);
        let is_fit = class.map_or(self.purpose != Purpose::OwnCopy, |class| fits(class, self.purpose));
        if !is_fit {
            return Err(GrantError::PurposeDoesNotFit);
        }
        if class == Some(ShareClass::Justice) && !charter.justice_shares {
            return Err(GrantError::JusticeDenied);
        }
        if self.categories.iter().any(|category| !charter.categories.contains(category)) {
            return Err(GrantError::CategoryNotAllowed);
        }
        let start = self.start.unwrap_or(today);
        if start < today {
            return Err(GrantError::BackDated);
        }
        if self.expiry < start {
            return Err(GrantError::Expired);
        }
        // what is signed says that it ends within the format's longest term, counted from today
        let ahead = start.days() - today.days();
        let limit_days = charter.grant_limit_days(self.act, self.is_for_file()).min(RECORD_GRANT_MAX_DAYS.saturating_sub(ahead));
        if self.expiry.days() - start.days() > limit_days {
            return Err(GrantError::TooLong { limit_days });
        }
        let mut categories = self.categories.clone();
        categories.sort_unstable();
        categories.dedup();
        Ok(Grant {
            act: self.act,
            categories,
            recipient: self.recipient,
            purpose: self.purpose,
            start,
            expiry: self.expiry,
            how: self.how,
            words_version: words::current(self.act, self.is_for_file(), class),
            words_language: self.language.as_str().to_owned(),
            withdrawals_seen: Vec::new(),
            class,
            received: None,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::record::entry::EntryValue;

    fn day(n: u16) -> ShiftDay {
        ShiftDay::from_days(n)
    }
    const TODAY: ShiftDay = ShiftDay::from_days(20_500);

    fn names<'t>() -> GrantNames<'t> {
        GrantNames {
            act: "record",
            categories: &["legal_name"],
            recipient: "",
            purpose: "housing_application",
            how: "spoken",
            language: "en",
        }
    }
    fn request() -> GrantRequest {
        GrantRequest::from_names(&names(), None, TODAY.plus(30)).unwrap()
    }

    #[test]
    fn every_name_is_from_a_closed_list() {
        let read = |names: GrantNames<'_>| GrantRequest::from_names(&names, None, TODAY).unwrap_err();
        assert_eq!(read(GrantNames { act: "record_and_share", ..names() }), GrantError::UnknownAct);
        for wrong in ["everything", "*", "", "criminal_history", "associates", "Legal_Name"] {
            assert_eq!(read(GrantNames { categories: &[wrong], ..names() }), GrantError::UnknownCategory, "{wrong}");
        }
        for wrong in ["investigation", "any", "research", "", "police"] {
            assert_eq!(read(GrantNames { purpose: wrong, ..names() }), GrantError::UnknownPurpose, "{wrong}");
        }
        for wrong in ["*", "anyone", "all partners", "rec_", "rec_aaaa,rec_bbbb"] {
            assert_eq!(read(GrantNames { recipient: wrong, ..names() }), GrantError::Wildcard, "{wrong}");
        }
        assert_eq!(read(GrantNames { how: "implied", ..names() }), GrantError::UnknownHow);
        assert_eq!(read(GrantNames { language: "xx", ..names() }), GrantError::UnknownLanguage);
    }

    #[test]
    fn what_cannot_be_given_has_its_own_error() {
        let charter = Charter::strictest("UTC", TODAY);
        let recipient = Some(RecordId::from_bytes([1; 16]));
        let share = GrantRequest { act: Act::Share, recipient, ..request() };
        let service = Some(ShareClass::Service);
        let cases = [
            (GrantRequest { start: Some(TODAY.minus(1)), ..request() }, None, GrantError::BackDated),
            (GrantRequest { expiry: TODAY.minus(1), ..request() }, None, GrantError::Expired),
            (GrantRequest { start: Some(TODAY.plus(40)), ..request() }, None, GrantError::Expired),
            (GrantRequest { expiry: TODAY.plus(181), ..request() }, None, GrantError::TooLong { limit_days: 180 }),
            (GrantRequest { expiry: TODAY.plus(91), ..share.clone() }, service, GrantError::TooLong { limit_days: 90 }),
            (GrantRequest { categories: vec![GatedCategory::Immigration], ..request() }, None, GrantError::CategoryNotAllowed),
            (GrantRequest { recipient, ..request() }, service, GrantError::Bundled),
            (GrantRequest { recipient: None, ..share.clone() }, None, GrantError::Wildcard),
            (GrantRequest { categories: Vec::new(), ..share.clone() }, service, GrantError::NothingNamed),
            (share.clone(), None, GrantError::UnknownRecipient),
            (GrantRequest { purpose: Purpose::LegalDefence, ..share.clone() }, Some(ShareClass::Justice), GrantError::JusticeDenied),
            (share.clone(), Some(ShareClass::Justice), GrantError::PurposeDoesNotFit),
            (share.clone(), Some(ShareClass::OwnCopy), GrantError::PurposeDoesNotFit),
            (GrantRequest { purpose: Purpose::OwnCopy, ..request() }, None, GrantError::PurposeDoesNotFit),
        ];
        for (request, class, error) in cases {
            assert_eq!(request.check(&charter, TODAY, class), Err(error), "{request:?}");
        }
        let mut codes: Vec<&str> = cases_codes();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), cases_codes().len());
    }

    fn cases_codes() -> Vec<&'static str> {
        use GrantError::*;
        let all = [UnknownAct, UnknownCategory, UnknownPurpose, UnknownHow, UnknownLanguage, PurposeDoesNotFit, Wildcard, Bundled];
        let more = [NothingNamed, UnknownRecipient, BackDated, Expired, TooLong { limit_days: 1 }, CategoryNotAllowed, JusticeDenied];
        let last = [NoFile, NoSuchGrant, NotLive(GrantStatus::Expired), NoVault, NotCovered, NothingToWithdraw, TooManyWithdrawals];
        all.into_iter().chain(more).chain(last).map(GrantError::code).collect()
    }

    #[test]
    fn what_can_be_given_is_what_is_stored() {
        let charter = Charter::strictest("UTC", TODAY);
        let grant = request().check(&charter, TODAY, None).unwrap();
        grant.check().unwrap();
        assert_eq!((grant.start, grant.expiry, grant.words_version), (TODAY, TODAY.plus(30), 2));
        let twice = GrantRequest { categories: vec![GatedCategory::LegalName; 2], ..request() };
        assert_eq!(twice.check(&charter, TODAY, None).unwrap(), grant);
        for class in ShareClass::ALL.iter().filter(|class| **class != ShareClass::Justice) {
            let purpose = if *class == ShareClass::OwnCopy { Purpose::OwnCopy } else { Purpose::HealthCare };
            let recipient = Some(RecordId::from_bytes([1; 16]));
            let share = GrantRequest { act: Act::Share, recipient, purpose, ..request() };
            share.check(&charter, TODAY, Some(*class)).unwrap().check().unwrap();
        }
        let file = GrantRequest { categories: Vec::new(), expiry: TODAY.plus(365), ..request() };
        assert!(file.check(&charter, TODAY, None).unwrap().is_for_file());
        let far = GrantRequest { start: Some(day(20_500 + 300)), expiry: day(20_500 + 367), ..request() };
        assert_eq!(far.check(&charter, TODAY, None), Err(GrantError::TooLong { limit_days: 66 }));
    }
}
