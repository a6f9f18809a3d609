//! Joining a team in person. The app carries the messages, over any connection between the two phones.
//!
//! Inviter: `invite` (shown as a QR code), `answer_knock`, both compare `words`, `introduced`, `welcome`, `thanked`.
//! Newcomer: `join_team`, `knock`, `answered`, both compare `words`, `introduce`, `welcomed` and send its `thanks`.

use crate::error::{FfiError, call};
use crate::protector::{KeyProtector, keystore};
use crate::records::short_text;
use crate::store::{KeyCost, read_passphrase};
use crate::unlocked::Unlocked;
use satchel_core::env::Env;
use satchel_core::store;
use satchel_core::team::{Invitation, InvitationError, Role, joining};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a member may do.
#[uniffi::remote(Enum)]
pub enum Role {
    /// Admits and removes members; does everything that a worker does.
    Steward,
    /// Reads and writes records.
    Worker,
    /// The community board: holds no key to records.
    Board,
}

fn words(words: [&'static str; 4]) -> Vec<String> {
    words.into_iter().map(str::to_owned).collect()
}

fn out_of_order() -> FfiError {
    satchel_core::Error::Invitation(InvitationError::Protocol).into()
}

/// The inviter's side, once somebody knocked.
#[derive(uniffi::Object)]
pub struct HostedInvitation(Mutex<store::HostedInvitation>);

/// A knock that was answered.
#[derive(uniffi::Record)]
pub struct AnsweredKnock {
    /// Goes on from here.
    pub host: Arc<HostedInvitation>,
    /// To be sent to the newcomer.
    pub answer: Vec<u8>,
}

#[uniffi::export]
impl Unlocked {
    /// Makes an invitation, good once and for ten minutes: the text for a QR code. Show it only to whom it is for.
    ///
    /// `address` is where this phone listens, or empty. Errors: [`FfiError::Refused`] unless this member is a steward.
    pub fn invite(&self, role: Role, address: &str) -> Result<String, FfiError> {
        call(|| Ok(self.core().invite(role, address)?.to_text()))
    }

    /// Answers a knock. The invitation is used up, on disk, before the answer exists.
    ///
    /// On an error send the newcomer `refusal_of_knock`. Errors: [`FfiError::Sync`]: used, expired, wrong secret.
    pub fn answer_knock(&self, knock: Vec<u8>) -> Result<AnsweredKnock, FfiError> {
        call(|| {
            let (host, answer) = self.core().answer_knock(&knock)?;
            Ok(AnsweredKnock { host: Arc::new(HostedInvitation(Mutex::new(host))), answer })
        })
    }
}

/// What is sent to a newcomer whose knock failed with this error's `code`.
#[uniffi::export]
pub fn refusal_of_knock(code: &str) -> Vec<u8> {
    let is_expired = code == InvitationError::Expired.code();
    joining::refusal(if is_expired { InvitationError::Expired } else { InvitationError::Used })
}

impl HostedInvitation {
    fn host(&self) -> MutexGuard<'_, store::HostedInvitation> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[uniffi::export]
impl HostedInvitation {
    /// The four words that both people compare, aloud.
    pub fn words(&self) -> Result<Vec<String>, FfiError> {
        call(|| Ok(words(self.host().words())))
    }

    /// Reads who joins. Errors: [`FfiError::Sync`].
    pub fn introduced(&self, message: Vec<u8>) -> Result<(), FfiError> {
        call(|| Ok(self.host().introduced(&message)?))
    }

    /// Admits the device, after this side's person said that the words agree. Returns the message to the newcomer.
    ///
    /// Errors: [`FfiError::Sync`], also before `introduced`; [`FfiError::Locked`].
    pub fn welcome(&self) -> Result<Vec<u8>, FfiError> {
        call(|| Ok(self.host().welcome()?))
    }

    /// Hears that the new phone has everything on disk. Errors: [`FfiError::Sync`].
    pub fn thanked(&self, message: Vec<u8>) -> Result<(), FfiError> {
        call(|| Ok(self.host().thanked(&message)?))
    }
}

enum Step {
    Knocked(store::NewStore),
    Answered(Box<store::JoinedStore>),
    Over,
}

/// The newcomer's side.
#[derive(uniffi::Object)]
pub struct Joining {
    knock: Vec<u8>,
    step: Mutex<Step>,
}

/// A store that has joined.
#[derive(uniffi::Record)]
pub struct Joined {
    /// The store, unlocked.
    pub unlocked: Arc<Unlocked>,
    /// To be sent to the inviter.
    pub thanks: Vec<u8>,
}

/// Begins to join with the text of an invitation. Errors: [`FfiError::Sync`]: mistyped, expired.
#[uniffi::export]
pub fn join_team(invitation: &str) -> Result<Arc<Joining>, FfiError> {
    call(|| {
        let env = Env::system();
        let invitation = Invitation::from_text(invitation, env.now()).map_err(satchel_core::Error::from)?;
        let (new, knock) = store::Store::join(env, &invitation)?;
        Ok(Arc::new(Joining { knock, step: Mutex::new(Step::Knocked(new)) }))
    })
}

impl Joining {
    fn step(&self) -> MutexGuard<'_, Step> {
        self.step.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[uniffi::export]
impl Joining {
    /// The first message to the inviter.
    pub fn knock(&self) -> Vec<u8> {
        self.knock.clone()
    }

    /// Reads the inviter's answer. Errors: [`FfiError::Sync`]; then begin again with a new invitation.
    pub fn answered(&self, answer: Vec<u8>) -> Result<(), FfiError> {
        call(|| {
            let mut step = self.step();
            let Step::Knocked(new) = std::mem::replace(&mut *step, Step::Over) else { return Err(out_of_order()) };
            *step = Step::Answered(Box::new(new.answered(&answer)?));
            Ok(())
        })
    }

    /// The four words that both people compare, aloud. Errors: [`FfiError::Sync`] before `answered`.
    pub fn words(&self) -> Result<Vec<String>, FfiError> {
        call(|| match &*self.step() {
            Step::Answered(joined) => Ok(words(joined.words())),
            _ => Err(out_of_order()),
        })
    }

    /// The message that introduces this device; send it only after its person said that the words agree.
    pub fn introduce(&self) -> Result<Vec<u8>, FfiError> {
        call(|| match &mut *self.step() {
            Step::Answered(joined) => Ok(joined.introduce()?),
            _ => Err(out_of_order()),
        })
    }

    /// Takes the welcome and writes the store in the folder `dir`. Slow on purpose: call it off the main thread.
    ///
    /// Errors: [`FfiError::InvalidInput`] for what was entered, and it may be tried again; [`FfiError::Sync`] and
    /// [`FfiError::Storage`], after which joining begins again with a new invitation.
    #[uniffi::method(default(protector = None))]
    pub fn welcomed(
        &self,
        message: Vec<u8>,
        dir: &str,
        passphrase: Vec<u8>,
        member_name: &str,
        cost: KeyCost,
        protector: Option<Arc<dyn KeyProtector>>,
    ) -> Result<Joined, FfiError> {
        call(|| {
            let passphrase = read_passphrase(passphrase)?;
            let name = short_text("member_name", member_name)?;
            let credentials = store::Credentials { passphrase: &passphrase, protector: keystore(protector), cost: cost.read()? };
            let mut step = self.step();
            match std::mem::replace(&mut *step, Step::Over) {
                Step::Answered(joined) => {
                    let (unlocked, thanks) = joined.welcomed(&message, Path::new(dir), &credentials, &name)?;
                    Ok(Joined { unlocked: Unlocked::of(unlocked), thanks })
                }
                earlier => {
                    *step = earlier;
                    Err(out_of_order())
                }
            }
        })
    }
}
