//! The charter: the team's signed policy. This is its minimal form at founding.
//!
//! Every setting has a strictest default; there is no switch that turns a guard off. The charter names
//! no place and no person. Retention may be lowered by a steward; raising it needs the board.

use super::grant::{Act, GatedCategory, RECORD_GRANT_MAX_DAYS};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::limits::SHORT_TEXT_MAX_BYTES;

/// A shift day begins at this hour, local time.
pub const SHIFT_BEGINS_HOUR: i8 = 5;
/// The suppression threshold may never be lower (count).
pub const SUPPRESSION_MIN: u16 = 5;
/// All later moments count as this one: past the last shift day in every time zone (Unix seconds).
const LATEST_SECONDS: u64 = (u16::MAX as u64 + 2) * 86_400;
/// A team ends at most this long after its founding, unless the board renews it (days).
pub const SUNSET_MAX_DAYS: u16 = 731;
/// Without a date in the charter a review is due so long after the founding (days).
pub const REVIEW_DEFAULT_DAYS: u16 = 182;
/// Without a setting in the charter a phone that met nobody for so long shares nothing (days).
pub const SHARE_CONTACT_DAYS: u16 = 7;
/// Longest name of a time zone (bytes).
pub const ZONE_NAME_MAX_BYTES: usize = 64;

/// The first day on which a team can be founded, 2026-01-01: no release is older.
///
/// A phone that lost its battery wakes in 1970. A team founded then would be past its last day, and its records past
/// their terms, as soon as the date is put right.
pub const FOUNDED_FROM: ShiftDay = ShiftDay::from_days(20_454);

/// Why a charter is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CharterError {
    /// The time zone is not in the IANA database. Remedy: choose one such as `America/Los_Angeles`.
    #[error("unknown time zone")]
    TimeZone,
    /// Retention, sunset, absence or suppression outside their bounds. Remedy: choose a stricter value.
    #[error("a charter setting outside its bounds")]
    OutOfBounds,
    /// The device's clock stands before [`FOUNDED_FROM`]. Remedy: set the date, then found the team.
    #[error("the device's clock is too early to found a team by")]
    Clock,
}

impl CharterError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TimeZone => "charter_time_zone",
            Self::OutOfBounds => "charter_out_of_bounds",
            Self::Clock => "charter_clock",
        }
    }
}

/// How long each kind of record is kept (days). Upper bounds are the defaults: above them only with the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Retention {
    /// Encounter detail, 1 to 90.
    #[n(0)]
    pub encounter_days: u16,
    /// The zone of an encounter, 0 to 14.
    #[n(1)]
    pub zone_days: u16,
    /// A participant file after the last contact, 1 to 365.
    #[n(2)]
    pub participant_days: u16,
}

/// Longest terms of grants (days). The grant of a file itself follows [`Retention::participant_days`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct GrantDays {
    /// To record gated facts, 1 to 366.
    #[n(0)]
    pub record: u16,
    /// To share them, 1 to 366.
    #[n(1)]
    pub share: u16,
}

/// What may be kept in vaults without a word of the board: what forms and appointments ask for.
const FIRST_CATEGORIES: [GatedCategory; 6] = [
    GatedCategory::LegalName,
    GatedCategory::BirthDate,
    GatedCategory::ContactDetail,
    GatedCategory::ExactPlace,
    GatedCategory::GovernmentId,
    GatedCategory::Demographics,
];

/// The team's policy.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Charter {
    /// IANA time zone in which a shift day begins at 05:00.
    #[n(0)]
    pub time_zone: String,
    /// Retention per kind.
    #[n(1)]
    pub retention: Retention,
    /// The team's last day; then read-only, then destruction.
    #[n(2)]
    pub sunset: ShiftDay,
    /// A device silent for longer is dormant (days, 1 to 21).
    #[n(3)]
    pub absence_limit_days: u16,
    /// Counts below this are suppressed in reports (5 or more).
    #[n(4)]
    pub suppression: u16,
    /// The community board's public key (X-Wing, 1,216 bytes), or none yet: then no complaint button is shown.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub board_key: Option<Vec<u8>>,
    /// The key that signs the board's bulletins (Ed25519), or none yet. Both keys are needed before complaints are offered.
    #[cbor(n(30), with = "minicbor::bytes")]
    pub board_signing: Option<[u8; 32]>,
    /// Who pays: sorted; none stated yet, or nobody when empty.
    #[n(31)]
    pub funders: Option<Vec<String>>,
    /// Agreements with police and their like: sorted; none stated yet, or no agreement when empty.
    #[n(32)]
    pub agreements: Option<Vec<Agreement>>,
    /// The day of the last review by participants and board.
    #[n(33)]
    pub reviewed: Option<ShiftDay>,
    /// When the next review is due.
    #[n(34)]
    pub review_due: Option<ShiftDay>,
    /// Longest terms of grants.
    #[n(20)]
    pub grant_days: GrantDays,
    /// Gated categories that may be recorded and shared, sorted.
    #[n(21)]
    pub categories: Vec<GatedCategory>,
    /// Whether a share may go to police, prosecutors, courts, probation or prisons at all.
    #[n(22)]
    pub justice_shares: bool,
    /// A phone that met nobody of the team for longer shares nothing (days, 1 to 21; none: [`SHARE_CONTACT_DAYS`]): a
    /// withdrawal may be on its way to it.
    #[n(35)]
    pub share_contact_days: Option<u16>,
}

/// With whom an agreement is: a closed list of those whose reach into people's lives must be public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum AgreementWith {
    /// Police.
    #[n(1)]
    Police,
    /// Prosecutors and courts.
    #[n(2)]
    Prosecutors,
    /// Anti-trafficking bodies.
    #[n(3)]
    AntiTrafficking,
    /// Recovery bodies: sobriety, treatment or exit programmes with conditions.
    #[n(4)]
    Recovery,
}

impl AgreementWith {
    /// All of this version.
    pub const ALL: [Self; 4] = [Self::Police, Self::Prosecutors, Self::AntiTrafficking, Self::Recovery];
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Police => "police",
            Self::Prosecutors => "prosecutors",
            Self::AntiTrafficking => "anti_trafficking",
            Self::Recovery => "recovery",
        }
    }
    /// The body of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|with| with.as_str() == name)
    }
}

/// One agreement, in the agency's words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Agreement {
    /// With whom.
    #[n(0)]
    pub with: AgreementWith,
    /// What was agreed, at most 200 bytes.
    #[n(1)]
    pub what: String,
}

/// Most funders, and most agreements, in a charter (count).
pub const LINES_MAX_COUNT: usize = 16;

/// Sorted, each once, few, and short.
fn are_lines<T: Ord>(lines: Option<&[T]>, text: impl Fn(&T) -> &str) -> bool {
    let fits = |line: &T| {
        let text = text(line);
        !text.is_empty() && text.trim() == text && text.len() <= SHORT_TEXT_MAX_BYTES && !text.chars().any(char::is_control)
    };
    lines.is_none_or(|lines| lines.len() <= LINES_MAX_COUNT && lines.is_sorted_by(|a, b| a < b) && lines.iter().all(fits))
}

fn join<T: Ord + Clone>(mine: &mut Option<Vec<T>>, other: Option<&[T]>) {
    let Some(other) = other else { return };
    let lines = mine.get_or_insert_default();
    lines.extend_from_slice(other);
    lines.sort();
    lines.dedup();
    lines.truncate(LINES_MAX_COUNT);
}

impl Charter {
    /// The strictest defaults, founded on a day.
    pub fn strictest(time_zone: &str, founded: ShiftDay) -> Self {
        Self {
            time_zone: time_zone.to_owned(),
            retention: Retention { encounter_days: 90, zone_days: 14, participant_days: 365 },
            sunset: founded.plus(730),
            absence_limit_days: 21,
            suppression: 10,
            board_key: None,
            board_signing: None,
            funders: None,
            agreements: None,
            reviewed: None,
            review_due: None,
            grant_days: GrantDays { record: 180, share: 90 },
            categories: FIRST_CATEGORIES.to_vec(),
            justice_shares: false,
            share_contact_days: None,
        }
    }

    /// Every setting by its stable name, as text: what a history compares.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let lines = |lines: Option<Vec<String>>| match lines {
            None => "not stated".to_owned(),
            Some(lines) if lines.is_empty() => "none".to_owned(),
            Some(lines) => lines.join("; "),
        };
        let key =
            |key: Option<&[u8]>| key.and_then(|key| key.get(..8)).map_or("none".to_owned(), |key| data_encoding::HEXLOWER.encode(key));
        let day = |day: Option<ShiftDay>| day.map_or("not stated".to_owned(), |day| day.to_string());
        let agreements =
            self.agreements.as_ref().map(|all| all.iter().map(|line| format!("{}: {}", line.with.as_str(), line.what)).collect());
        vec![
            ("time_zone", self.time_zone.clone()),
            ("encounter_days", self.retention.encounter_days.to_string()),
            ("zone_days", self.retention.zone_days.to_string()),
            ("participant_days", self.retention.participant_days.to_string()),
            ("last_day", self.sunset.to_string()),
            ("absence_limit_days", self.absence_limit_days.to_string()),
            ("suppression", self.suppression.to_string()),
            ("record_grant_days", self.grant_days.record.to_string()),
            ("share_grant_days", self.grant_days.share.to_string()),
            ("share_contact_days", self.share_contact_days().to_string()),
            ("categories", lines(Some(self.categories.iter().map(|category| category.as_str().to_owned()).collect()))),
            ("justice_shares", self.justice_shares.to_string()),
            ("board_key", key(self.board_key.as_deref())),
            ("board_signing", key(self.board_signing.as_ref().map(<[u8; 32]>::as_slice))),
            ("funders", lines(self.funders.clone())),
            ("agreements", lines(agreements)),
            ("reviewed", day(self.reviewed)),
            ("review_due", day(self.review_due)),
        ]
    }

    /// Adds what a concurrent charter says in public lines, and takes the earlier of two dates: nothing said is unsaid.
    pub(crate) fn join_lines(&mut self, other: &Self) {
        join(&mut self.funders, other.funders.as_deref());
        join(&mut self.agreements, other.agreements.as_deref());
        let earlier = |a: Option<ShiftDay>, b: Option<ShiftDay>| a.into_iter().chain(b).min();
        self.reviewed = earlier(self.reviewed, other.reviewed);
        self.review_due = earlier(self.review_due, other.review_due);
    }

    /// When the next review by participants and board is due: what the charter says, else half a year after the founding.
    pub fn review_due(&self, founded: ShiftDay) -> ShiftDay {
        self.review_due.unwrap_or_else(|| founded.plus(REVIEW_DEFAULT_DAYS))
    }

    /// How long a phone that meets nobody of the team may go on sharing (days).
    pub fn share_contact_days(&self) -> u16 {
        self.share_contact_days.unwrap_or(SHARE_CONTACT_DAYS)
    }

    /// The longest term of a grant (days).
    pub const fn grant_limit_days(&self, act: Act, is_for_file: bool) -> u16 {
        match act {
            Act::Record if is_for_file => self.retention.participant_days,
            Act::Record => self.grant_days.record,
            Act::Share => self.grant_days.share,
        }
    }

    /// Whether what it says of grants allows nothing that another one does not.
    pub fn grants_no_more_than(&self, other: &Self) -> bool {
        self.grant_days.record <= other.grant_days.record
            && self.grant_days.share <= other.grant_days.share
            && self.share_contact_days() <= other.share_contact_days()
            && self.categories.iter().all(|category| other.categories.contains(category))
            && (other.justice_shares || !self.justice_shares)
    }

    /// Lowers what it says of grants to what another one allows.
    pub fn tighten_grants(&mut self, other: &Self) {
        self.grant_days.record = self.grant_days.record.min(other.grant_days.record);
        self.grant_days.share = self.grant_days.share.min(other.grant_days.share);
        if other.share_contact_days() < self.share_contact_days() {
            self.share_contact_days = other.share_contact_days;
        }
        self.categories.retain(|category| other.categories.contains(category));
        self.justice_shares &= other.justice_shares;
    }

    /// Checks every bound. Errors: [`CharterError`].
    pub fn check(&self) -> Result<(), CharterError> {
        if self.time_zone.len() > ZONE_NAME_MAX_BYTES || TimeZone::get(&self.time_zone).is_err() {
            return Err(CharterError::TimeZone);
        }
        let kept = &self.retention;
        let bounded = (1..=90).contains(&kept.encounter_days)
            && kept.zone_days <= 14
            && (1..=365).contains(&kept.participant_days)
            && (1..=21).contains(&self.absence_limit_days)
            && self.suppression >= SUPPRESSION_MIN
            && (1..=RECORD_GRANT_MAX_DAYS).contains(&self.grant_days.record)
            && (1..=RECORD_GRANT_MAX_DAYS).contains(&self.grant_days.share)
            && (1..=21).contains(&self.share_contact_days())
            && self.categories.is_sorted_by(|a, b| a < b)
            && self.board_key.as_ref().is_none_or(|key| key.len() == 1_216)
            && are_lines(self.funders.as_deref(), |line| line)
            && are_lines(self.agreements.as_deref(), |line| &line.what);
        if bounded { Ok(()) } else { Err(CharterError::OutOfBounds) }
    }

    /// The shift day of a moment (Unix seconds); beyond 2149-06-06 the last representable day, so that a clock
    /// that went mad puts the date in doubt and stops nothing. Errors: [`CharterError::TimeZone`].
    pub fn shift_day(&self, unix_seconds: u64) -> Result<ShiftDay, CharterError> {
        let zone = TimeZone::get(&self.time_zone).map_err(|_| CharterError::TimeZone)?;
        let seconds = i64::try_from(unix_seconds.min(LATEST_SECONDS)).map_err(|_| CharterError::OutOfBounds)?;
        let local = Timestamp::from_second(seconds).map_err(|_| CharterError::OutOfBounds)?.to_zoned(zone).datetime();
        let day = local.checked_sub(jiff::Span::new().hours(SHIFT_BEGINS_HOUR)).map_err(|_| CharterError::OutOfBounds)?.date();
        let epoch = jiff::civil::date(1970, 1, 1);
        let days = day.since(epoch).map_err(|_| CharterError::OutOfBounds)?.get_days();
        Ok(ShiftDay::from_days(u16::try_from(days.max(0)).unwrap_or(u16::MAX)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> u64 {
        text.parse::<Timestamp>().unwrap().as_second() as u64
    }

    #[test]
    fn a_night_shift_is_one_day() {
        let charter = Charter::strictest("America/Los_Angeles", ShiftDay::from_days(20_000));
        charter.check().unwrap();
        // 21:30 on the 21st, 04:59 and 05:00 on the 22nd, Pacific standard time
        assert_eq!(charter.shift_day(at("2026-11-22T05:30:00Z")).unwrap().to_string(), "2026-11-21");
        assert_eq!(charter.shift_day(at("2026-11-22T12:59:59Z")).unwrap().to_string(), "2026-11-21");
        assert_eq!(charter.shift_day(at("2026-11-22T13:00:00Z")).unwrap().to_string(), "2026-11-22");
        assert_eq!(charter.shift_day(0).unwrap(), ShiftDay::from_days(0), "a clock at 1970 stays representable");
        assert!(charter.shift_day(at("2038-01-19T03:14:08Z")).is_ok());
        for mad in [at("2149-06-08T00:00:00Z"), at("9999-12-30T00:00:00Z"), 1 << 40, i64::MAX as u64, u64::MAX] {
            assert_eq!(charter.shift_day(mad).unwrap(), ShiftDay::from_days(u16::MAX));
        }
    }

    #[test]
    fn every_field_is_a_setting_with_a_name() {
        let charter = Charter::strictest("Europe/Madrid", ShiftDay::from_days(20_000));
        // whoever adds a field is stopped here, and gives it a name that a history and a command line know it by
        let Charter {
            time_zone: _,
            retention: Retention { encounter_days: _, zone_days: _, participant_days: _ },
            sunset: _,
            absence_limit_days: _,
            suppression: _,
            board_key: _,
            board_signing: _,
            funders: _,
            agreements: _,
            reviewed: _,
            review_due: _,
            grant_days: GrantDays { record: _, share: _ },
            categories: _,
            justice_shares: _,
            share_contact_days: _,
        } = charter.clone();
        let changes: [fn(&mut Charter); 18] = [
            |charter| charter.time_zone = "UTC".into(),
            |charter| charter.retention.encounter_days = 1,
            |charter| charter.retention.zone_days = 1,
            |charter| charter.retention.participant_days = 1,
            |charter| charter.sunset = ShiftDay::from_days(1),
            |charter| charter.absence_limit_days = 1,
            |charter| charter.suppression = 11,
            |charter| charter.board_key = Some(vec![1; 1_216]),
            |charter| charter.board_signing = Some([1; 32]),
            |charter| charter.funders = Some(Vec::new()),
            |charter| charter.agreements = Some(Vec::new()),
            |charter| charter.reviewed = Some(ShiftDay::from_days(1)),
            |charter| charter.review_due = Some(ShiftDay::from_days(1)),
            |charter| charter.grant_days.record = 1,
            |charter| charter.grant_days.share = 1,
            |charter| charter.categories = Vec::new(),
            |charter| charter.justice_shares = true,
            |charter| charter.share_contact_days = Some(1),
        ];
        let before = charter.settings();
        let mut told = std::collections::BTreeSet::new();
        for change in changes {
            let mut other = charter.clone();
            change(&mut other);
            let differ: Vec<_> = before.iter().zip(other.settings()).filter(|(a, b)| **a != *b).map(|(a, _)| a.0).collect();
            assert_eq!(differ.len(), 1, "{differ:?}");
            told.extend(differ);
        }
        assert_eq!(told.len(), before.len(), "each setting is one field");
    }

    #[test]
    fn loose_settings_are_refused() {
        let strict = Charter::strictest("Europe/Madrid", ShiftDay::from_days(20_000));
        let mut charter = strict.clone();
        charter.retention.encounter_days = 91;
        assert_eq!(charter.check(), Err(CharterError::OutOfBounds));
        charter = strict.clone();
        charter.suppression = 4;
        assert_eq!(charter.check(), Err(CharterError::OutOfBounds));
        charter = strict;
        charter.time_zone = "Mars/Olympus".into();
        assert_eq!(charter.check(), Err(CharterError::TimeZone));
    }
}
