//! Inviting by a typed code, and inviting this member's own second phone.

use super::root::PendingInvitation;
use super::vault::Vault;
use super::{NewStore, Store, Unlocked};
use crate::crypto::JoinCode;
use crate::env::{Env, UnixTime};
use crate::error::Error;
use crate::team::joining::{self, CodeJoiner};
use crate::team::{Invitation, InvitationError, Role};
use satchel_wire::ids::MemberId;

/// How long an invitation is good (seconds).
const TERM_SECONDS: u64 = crate::team::invitation::INVITATION_TERM_SECONDS;

/// A typed code that was made here: good for one try and ten minutes, and only while this value lives.
pub struct CodeInvitation {
    unlocked: Unlocked,
    code: JoinCode,
    expires: UnixTime,
    role: Role,
    member: Option<MemberId>,
}

impl std::fmt::Debug for CodeInvitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeInvitation")
    }
}

impl CodeInvitation {
    /// The three words, to be read out to the person who joins and to nobody else.
    pub fn code(&self) -> &str {
        self.code.as_str()
    }

    /// Answers the hello of the other phone. The code is spent, whether or not the other side knew it; the reply says
    /// nothing about that. What follows is [`Unlocked::answer_knock`], which answers [`InvitationError::Used`] to a wrong guess.
    ///
    /// On an error send [`joining::refusal`]. Errors: [`InvitationError::Expired`], [`InvitationError::Protocol`], [`Error::Locked`].
    pub fn answer_hello(self, hello: &[u8]) -> Result<Vec<u8>, Error> {
        let env = self.unlocked.env();
        let now = env.now();
        // a clock that went back far enough to make the code young again is no reason to take it
        if now > self.expires || now.seconds() + TERM_SECONDS < self.expires.seconds() {
            return Err(InvitationError::Expired.into());
        }
        let (secret, reply) = joining::answer_code(env, &self.code, hello)?;
        self.unlocked.write(|vault, _| {
            vault.await_knock(PendingInvitation {
                secret: *secret.expose(),
                expires: self.expires.seconds(),
                role: self.role,
                member: self.member,
            });
            Ok(())
        })?;
        Ok(reply)
    }
}

impl Vault {
    /// Notes an invitation that may be used once, and forgets those whose time is over.
    pub(super) fn await_knock(&mut self, pending: PendingInvitation) {
        let now = self.env.now().seconds();
        self.root.invitations.retain(|pending| pending.expires >= now);
        self.root.invitations.push(pending);
        self.touch_root();
    }

    /// What an own second phone may do: as much as this member.
    fn own_device(&self) -> Result<(Role, MemberId), Error> {
        Ok((self.role()?, self.root.member))
    }
}

impl Unlocked {
    /// Invites somebody by a code to be typed: three words, good for one try and ten minutes, where no camera can be used.
    ///
    /// Errors: [`Error::Role`] unless this member is a steward.
    pub fn invite_by_code(&self, role: Role) -> Result<CodeInvitation, Error> {
        self.read(|vault, _| if vault.role()? == Role::Steward { Ok(()) } else { Err(Error::Role) })?;
        self.code_invitation(role, None)
    }

    /// Invites this member's own second phone, with this member's role: the text for a QR code, as [`Unlocked::invite`].
    ///
    /// Errors: [`InvitationError::Malformed`] for the address; [`Error::Removed`].
    pub fn invite_own_device(&self, address: &str) -> Result<Invitation, Error> {
        self.write(|vault, _| {
            let (role, member) = vault.own_device()?;
            let invitation = Invitation::make(&vault.env, vault.team(), vault.device, address)?;
            let expires = invitation.expires.seconds();
            vault.await_knock(PendingInvitation { secret: *invitation.secret.expose(), expires, role, member: Some(member) });
            Ok(invitation)
        })
    }

    /// As [`Unlocked::invite_own_device`], by a code to be typed.
    pub fn invite_own_device_by_code(&self) -> Result<CodeInvitation, Error> {
        let (role, member) = self.read(|vault, _| vault.own_device())?;
        self.code_invitation(role, Some(member))
    }

    fn code_invitation(&self, role: Role, member: Option<MemberId>) -> Result<CodeInvitation, Error> {
        let env = self.env();
        let expires = UnixTime::from_seconds(env.now().seconds().saturating_add(TERM_SECONDS));
        Ok(CodeInvitation { unlocked: self.clone(), code: JoinCode::make(env), expires, role, member })
    }
}

/// Joining by a typed code, before the other phone has answered. One try: a wrong code needs a new one.
#[derive(Debug)]
pub struct TypedStore {
    env: Env,
    joiner: CodeJoiner,
}

impl Store {
    /// Begins to join by a typed code: the hello to the inviter.
    ///
    /// Errors: [`InvitationError::Malformed`] for what cannot be a code; then no try is spent.
    pub fn join_by_code(env: Env, typed: &str) -> Result<(TypedStore, Vec<u8>), Error> {
        let code = JoinCode::from_text(typed).map_err(|_| InvitationError::Malformed)?;
        let (joiner, hello) = CodeJoiner::hello(&env, &code);
        Ok((TypedStore { env, joiner }, hello))
    }
}

impl TypedStore {
    /// Reads the inviter's reply; from here on it goes as with a QR code, knock first. Errors: [`InvitationError`].
    pub fn replied(self, reply: &[u8]) -> Result<(NewStore, Vec<u8>), Error> {
        let secret = self.joiner.reply(reply)?;
        NewStore::knock_with(self.env, &secret)
    }
}
