//! Joining a team in person. The app carries the messages, over any connection between the two phones.
//!
//! Inviter: `invite` (shown as a QR code), `answer_knock`, both compare `words`, `introduced`, `welcome`, `thanked`.
//! Newcomer: `join_team`, `knock`, `answered`, both compare `words`, `introduce`, `welcomed` and send its `thanks`.
//!
//! Without a camera: the inviter reads the three words of `invite_by_code` aloud, the newcomer types them. Two messages
//! come first, `CodeJoining.hello` and `CodeInvitation.answer_hello`; `CodeJoining.replied` goes on as above.

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
use zeroize::Zeroizing;

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

    /// Invites somebody by a code to be typed: good for one try and ten minutes, where no camera can be used.
    ///
    /// Errors: [`FfiError::Refused`] unless this member is a steward.
    pub fn invite_by_code(&self, role: Role) -> Result<Arc<CodeInvitation>, FfiError> {
        call(|| Ok(CodeInvitation::of(self.core().invite_by_code(role)?)))
    }

    /// Invites this member's own second phone, with this member's role: the text for a QR code, as `invite`.
    ///
    /// Errors: [`FfiError::Sync`] for the address, [`FfiError::Refused`].
    pub fn invite_own_device(&self, address: &str) -> Result<String, FfiError> {
        call(|| Ok(self.core().invite_own_device(address)?.to_text()))
    }

    /// As `invite_own_device`, by a code to be typed.
    pub fn invite_own_device_by_code(&self) -> Result<Arc<CodeInvitation>, FfiError> {
        call(|| Ok(CodeInvitation::of(self.core().invite_own_device_by_code()?)))
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

/// A code to be typed on the other phone. It lives as long as this handle.
#[derive(uniffi::Object)]
pub struct CodeInvitation {
    code: Zeroizing<Vec<u8>>,
    invitation: Mutex<Option<store::CodeInvitation>>,
}

impl CodeInvitation {
    fn of(invitation: store::CodeInvitation) -> Arc<Self> {
        let code = Zeroizing::new(invitation.code().as_bytes().to_vec());
        Arc::new(Self { code, invitation: Mutex::new(Some(invitation)) })
    }
}

#[uniffi::export]
impl CodeInvitation {
    /// The three words in ASCII, parted by hyphens or spaces: to be read out to who joins, and to nobody else.
    pub fn code(&self) -> Vec<u8> {
        self.code.to_vec()
    }

    /// Answers the hello of the other phone. The code is spent, whether or not the other side knew it, and nothing says
    /// which: `answer_knock` tells (`invitation_used`). On an error send `refusal_of_knock`. Errors: [`FfiError::Sync`].
    pub fn answer_hello(&self, hello: Vec<u8>) -> Result<Vec<u8>, FfiError> {
        call(|| {
            let taken = self.invitation.lock().unwrap_or_else(PoisonError::into_inner).take();
            let invitation = taken.ok_or(satchel_core::Error::Invitation(InvitationError::Used))?;
            Ok(invitation.answer_hello(&hello)?)
        })
    }
}

/// The newcomer's side of a typed code, until the other phone has replied. One try.
#[derive(uniffi::Object)]
pub struct CodeJoining {
    hello: Vec<u8>,
    typed: Mutex<Option<store::TypedStore>>,
}

/// Begins to join with a typed code, as UTF-8. Errors: [`FfiError::Sync`] for what cannot be a code; no try is spent.
#[uniffi::export]
pub fn join_by_code(code: Vec<u8>) -> Result<Arc<CodeJoining>, FfiError> {
    call(|| {
        let code = Zeroizing::new(code);
        let typed = std::str::from_utf8(&code).map_err(|_| satchel_core::Error::Invitation(InvitationError::Malformed))?;
        let (typed, hello) = store::Store::join_by_code(Env::system(), typed)?;
        Ok(Arc::new(CodeJoining { hello, typed: Mutex::new(Some(typed)) }))
    })
}

#[uniffi::export]
impl CodeJoining {
    /// The first message to the inviter.
    pub fn hello(&self) -> Vec<u8> {
        self.hello.clone()
    }

    /// Reads the inviter's reply; from here on it goes as with a QR code, `knock` first. Errors: [`FfiError::Sync`].
    pub fn replied(&self, reply: Vec<u8>) -> Result<Arc<Joining>, FfiError> {
        call(|| {
            let typed = self.typed.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(out_of_order)?;
            let (new, knock) = typed.replied(&reply)?;
            Ok(Joining::knocked(new, knock))
        })
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
        Ok(Joining::knocked(new, knock))
    })
}

impl Joining {
    fn knocked(new: store::NewStore, knock: Vec<u8>) -> Arc<Self> {
        Arc::new(Self { knock, step: Mutex::new(Step::Knocked(new)) })
    }

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
