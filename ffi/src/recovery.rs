//! Keys on paper: what brings a team back after every phone is lost, and the reseat key.
//!
//! A paper is a handle. Its words and its text come out only as bytes, to be shown or printed and overwritten.

use crate::error::{FfiError, call};
use crate::protector::{KeyProtector, keystore};
use crate::records::short_text;
use crate::store::{KeyCost, read_passphrase};
use crate::unlocked::Unlocked;
use satchel_core::env::Env;
use satchel_core::recovery::{self, PaperError, PaperShare, Purpose as PaperPurpose};
use satchel_core::store;
use satchel_transport::relay::check_url;
use satchel_wire::ShiftDay;
use satchel_wire::ids::{DeviceId, MailboxId, MemberId};
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What a key on paper is for.
#[uniffi::remote(Enum)]
pub enum PaperPurpose {
    /// Opens what a board phone keeps for it.
    Recovery,
    /// Signs one operation that removes devices and seats a steward. Opens no record.
    Reseat,
}

/// One paper: a whole key, or one share of it. Wiped when it is freed.
#[derive(uniffi::Object)]
pub struct Paper(PaperShare);

/// What is printed beside the words of a paper.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PaperLabel {
    /// What it is for.
    pub purpose: PaperPurpose,
    /// How many shares give the key (count).
    pub threshold: u8,
    /// How many were printed (count).
    pub shares: u8,
    /// Its number, from 1.
    pub index: u8,
    /// The set it was printed in: eight hexadecimal digits. Only shares of one set fit together.
    pub set: String,
}

impl Paper {
    pub(crate) fn of(share: PaperShare) -> Arc<Self> {
        Arc::new(Self(share))
    }
}

/// The shares themselves, as the core takes them: a paper cannot be copied except through its text.
fn shares(papers: &[Arc<Paper>]) -> Result<Vec<PaperShare>, PaperError> {
    papers.iter().map(|paper| PaperShare::read(&paper.0.to_text())).collect()
}

#[uniffi::export]
impl Paper {
    /// Reads what was typed or scanned, as UTF-8: 35 words (case, line breaks, commas and printed numbers do not matter,
    /// the first four letters are enough) or the text of a QR code. Overwrite the bytes after use.
    ///
    /// Errors: [`FfiError::InvalidInput`]; where the mistake can be found `field` names the word (`word.7`).
    #[uniffi::constructor]
    pub fn read(typed: Vec<u8>) -> Result<Arc<Self>, FfiError> {
        call(|| {
            let typed = Zeroizing::new(typed);
            let text = std::str::from_utf8(&typed).map_err(|_| PaperError::Damaged)?;
            Ok(Self::of(PaperShare::read(text)?))
        })
    }

    /// What is printed beside the words.
    pub fn label(&self) -> PaperLabel {
        PaperLabel {
            purpose: self.0.purpose(),
            threshold: self.0.threshold(),
            shares: self.0.shares(),
            index: self.0.index(),
            set: self.0.set().to_string(),
        }
    }

    /// The words to print: 35 of BIP 39's English list in ASCII, parted by spaces. Overwrite the bytes after use.
    pub fn words(&self) -> Vec<u8> {
        self.0.to_line().as_bytes().to_vec()
    }

    /// The text for a QR code (ASCII, alphanumeric mode). Overwrite the bytes after use.
    pub fn qr_text(&self) -> Vec<u8> {
        self.0.to_text().as_bytes().to_vec()
    }

    /// Splits a key that is on one paper into `shares` papers, of which `threshold` give it; the one paper is to be burnt.
    ///
    /// Errors: [`FfiError::InvalidInput`]: `paper_policy` unless 2 <= k <= n <= 16, `paper_too_few` for a share.
    pub fn split(&self, threshold: u8, shares: u8) -> Result<Vec<Arc<Self>>, FfiError> {
        call(|| Ok(self.0.split(&Env::system(), threshold, shares)?.into_iter().map(Self::of).collect()))
    }
}

/// Whether the team comes back after every phone is lost.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum RecoveryStatus {
    /// No board phone keeps anything: losing all phones loses the data. Remedy: invite a board member's phone.
    NoBoard,
    /// There is a board, and no key on paper: losing all phones loses the data. Remedy: `set_up_recovery`.
    NotSetUp,
    /// A board phone and `threshold` of `shares` papers bring the team back.
    SetUp {
        /// How many shares are needed (count).
        threshold: u8,
        /// How many were printed (count).
        shares: u8,
        /// Which papers are in force, as printed beside their words: those of other sets are void.
        set: String,
        /// The day they were printed.
        since: ShiftDay,
        /// On a board phone: whether it keeps what recovers the newest turn that it holds. None on other phones.
        is_kept_here: Option<bool>,
    },
}

impl From<store::RecoveryStatus> for RecoveryStatus {
    fn from(status: store::RecoveryStatus) -> Self {
        match status {
            store::RecoveryStatus::NoBoard => Self::NoBoard,
            store::RecoveryStatus::NotSetUp => Self::NotSetUp,
            store::RecoveryStatus::SetUp { threshold, shares, set, since, is_kept_here } => {
                Self::SetUp { threshold, shares, set: set.to_string(), since, is_kept_here }
            }
        }
    }
}

/// What the reseat key did.
#[derive(uniffi::Record)]
pub struct Reseated {
    /// The next reseat key, to be printed: the one that was used is spent.
    pub reseat_paper: Arc<Paper>,
    /// Removed devices.
    pub removed: Vec<DeviceId>,
}

#[uniffi::export]
impl Unlocked {
    /// Whether the team comes back after every phone is lost.
    pub fn recovery_status(&self) -> Result<RecoveryStatus, FfiError> {
        call(|| Ok(self.core().recovery_status()?.into()))
    }

    /// Makes a recovery key and returns `shares` papers, of which `threshold` bring the team back together with a board
    /// phone (2 <= k <= n <= 16). Papers printed before are void from now on, and the keys change.
    ///
    /// Errors: [`FfiError::Refused`] unless a steward asks, or with `recovery_no_board`; [`FfiError::InvalidInput`] with
    /// `paper_policy`.
    pub fn set_up_recovery(&self, threshold: u8, shares: u8) -> Result<Vec<Arc<Paper>>, FfiError> {
        call(|| Ok(self.core().set_up_recovery(threshold, shares)?.into_iter().map(Paper::of).collect()))
    }

    /// The paper of the newest reseat key that was made on this phone, once more: for who could not print it, or whose phone
    /// died meanwhile. None once somebody said that it is written down, and after two weeks.
    pub fn reseat_paper(&self) -> Result<Option<Arc<Paper>>, FfiError> {
        call(|| Ok(self.core().reseat_paper()?.map(Paper::of)))
    }

    /// Somebody has the paper in hand: the phone forgets the key.
    pub fn reseat_paper_written_down(&self) -> Result<(), FfiError> {
        call(|| Ok(self.core().reseat_paper_written_down()?))
    }

    /// On a board phone: what a new phone needs besides the papers, sealed to them. Delete it after use.
    ///
    /// Errors: [`FfiError::Refused`]: `recovery_not_the_board`, `recovery_not_set_up`.
    pub fn export_recovery(&self) -> Result<Vec<u8>, FfiError> {
        call(|| Ok(self.core().export_recovery()?))
    }

    /// Signs with the reseat key on paper: removes devices and, where asked, seats a member as steward. Opens no record.
    ///
    /// Errors: [`FfiError::InvalidInput`] for the papers (`recovery_other_reseat_key`: a spent one); [`FfiError::Refused`]
    /// for an unknown device or member.
    #[uniffi::method(default(steward = None))]
    pub fn reseat(&self, paper: Vec<Arc<Paper>>, remove: Vec<DeviceId>, steward: Option<MemberId>) -> Result<Reseated, FfiError> {
        call(|| {
            let done = self.core().reseat(&shares(&paper)?, &remove, steward)?;
            Ok(Reseated { reseat_paper: Paper::of(done.reseat_paper), removed: done.removed })
        })
    }
}

/// Where the relay is now, if it moved.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct MovedRelay {
    /// As in `set_relay`.
    pub url: String,
    /// As in `set_relay` (`box_…`).
    pub mailbox: MailboxId,
}

/// A team that was brought back: its records come with the first exchange with the relay.
#[derive(uniffi::Record)]
pub struct Recovered {
    /// The new store, unlocked.
    pub unlocked: Arc<Unlocked>,
    /// The next reseat key, to be printed: the one that was used is spent.
    pub reseat_paper: Arc<Paper>,
    /// The lost phones, removed now.
    pub removed: Vec<DeviceId>,
    /// Turns whose records can be read again (count).
    pub turns: u32,
    /// Whether the relay's control key came back too. Without it the lost phones' access to the relay cannot be ended:
    /// then take a new mailbox.
    pub has_control: bool,
}

/// Brings a team back on a new phone, in a new store in the folder `dir`, after every phone is lost: out of what a board
/// phone exported, enough shares of the recovery key, and the reseat key. Slow on purpose: call it off the main thread.
///
/// Errors: [`FfiError::InvalidInput`] for a package or paper, each with its code; [`FfiError::Storage`] for the folder.
#[uniffi::export(default(relay = None, protector = None))]
#[allow(clippy::too_many_arguments, reason = "named on the other side")]
pub fn recover_team(
    dir: &str,
    passphrase: Vec<u8>,
    package: Vec<u8>,
    recovery: Vec<Arc<Paper>>,
    reseat: Vec<Arc<Paper>>,
    member_name: &str,
    cost: KeyCost,
    relay: Option<MovedRelay>,
    protector: Option<Arc<dyn KeyProtector>>,
) -> Result<Recovered, FfiError> {
    call(|| {
        let passphrase = read_passphrase(passphrase)?;
        if package.len() > recovery::PACKAGE_MAX_BYTES {
            return Err(satchel_core::Error::Recovery(recovery::RecoveryError::Package).into());
        }
        relay.iter().try_for_each(|moved| check_url(&moved.url))?;
        let relay = relay.map(|moved| store::RelayAddress { url: moved.url, mailbox: moved.mailbox, claim: None, pin: None });
        let credentials = store::Credentials { passphrase: &passphrase, protector: keystore(protector), cost: cost.read()? };
        let recovering = store::Recovering {
            package: &package,
            shares: &shares(&recovery)?,
            reseat: &shares(&reseat)?,
            relay: relay.as_ref(),
            member_name: &short_text("member_name", member_name)?,
        };
        let recovered = store::Store::recover(Path::new(dir), Env::system(), &credentials, &recovering)?;
        Ok(Recovered {
            unlocked: Unlocked::of(recovered.unlocked),
            reseat_paper: Paper::of(recovered.reseat_paper),
            removed: recovered.removed,
            turns: u32::try_from(recovered.turns).unwrap_or(u32::MAX),
            has_control: recovered.has_control,
        })
    })
}
