//! How a store comes into being, on this device and on a colleague's.

use super::recovery::KEPT;
use crate::arguments::Settings;
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::store::{compare_words, short_text};
use satchel_core::crypto::make_passphrase;
use satchel_core::store::{Credentials, Founding, Store};
use satchel_core::team::{Invitation, Role};
use satchel_transport::{joining, peer};
use serde_json::json;

pub fn init(settings: &Settings, output: Output, name: &str, time_zone: String) -> Result<(), Failure> {
    let dir = settings.store_dir()?;
    let founding = Founding { time_zone, member_name: short_text("name", name)? };
    let passphrase = settings.new_passphrase()?;
    let credentials = Credentials { passphrase: &passphrase, protector: settings.keystore()?, cost: settings.key_cost() };
    let founded = Store::found(&dir, settings.env(), &credentials, &founding)?;
    let team = founded.unlocked.team()?.team;
    let value = json!({ "team": team.to_string(), "reseat_words": founded.reseat_words.as_str() });
    output.show(&value, || {
        format!(
            "Your team is founded: {team}\n\n\
             The paper reseat key. {KEPT}\n\
             With it a lost phone can be removed and a new steward seated. It opens no record.\n\n  {}\n\n\
             {}",
            founded.reseat_words.as_str(),
            protection_sentence(settings)
        )
    });
    Ok(())
}

/// What the chosen protection means.
pub fn protection_sentence(settings: &Settings) -> &'static str {
    if settings.no_keystore {
        "This store opens with its passphrase alone: whoever copies the folder can try passphrases for as long as they like."
    } else {
        "This store opens with its passphrase and a key file on this device. A copy of the store's folder alone is not\n\
         enough; a copy of the whole home folder holds both. Nothing here counts wrong attempts, as a phone's hardware does."
    }
}

/// Whom an invitation is for, and in which form.
pub struct Whom<'a> {
    pub role: &'a str,
    pub is_own_device: bool,
    pub is_typed: bool,
}

pub fn invite(
    settings: &Settings,
    output: Output,
    whom: &Whom<'_>,
    listen: &str,
    address: Option<String>,
    expected: Option<&str>,
) -> Result<(), Failure> {
    let role = Role::ALL.into_iter().find(|known| known.as_str() == whom.role).unwrap_or(Role::Worker);
    let unlocked = settings.unlock()?;
    let listener = peer::listen(listen)?;
    let here = listener.local_addr().map_err(|error| satchel_transport::TransportError::Listen { kind: error.kind() })?;
    let address = address.unwrap_or_else(|| here.to_string());
    let agree = |words: &[&'static str; 4]| compare_words(words, expected, output.is_json());
    if whom.is_typed {
        let code = if whom.is_own_device { unlocked.invite_own_device_by_code()? } else { unlocked.invite_by_code(role)? };
        output.show(&json!({ "code": code.code(), "address": address }), || {
            format!(
                "Good for one try, for ten minutes, for somebody who is here with you:\n\n  {}\n\n\
                 On their phone: satchel join --typed --address {address} \"{}\"\nWaiting …",
                code.code(),
                code.code()
            )
        });
        joining::host_by_code(&unlocked, code, peer::accept(&listener)?, agree)?;
    } else {
        let invitation = if whom.is_own_device { unlocked.invite_own_device(&address)? } else { unlocked.invite(role, &address)? };
        let value = json!({ "invitation": invitation.to_text(), "address": address });
        output.show(&value, || {
            format!(
                "Good once, for ten minutes, for somebody who is here with you:\n\n  {}\n\nWaiting for their phone at {address} …",
                invitation.to_text()
            )
        });
        joining::host(&unlocked, peer::accept(&listener)?, agree)?;
    }
    output.show(&json!({ "joined": true }), || "They have joined the team.".to_owned());
    Ok(())
}

pub fn join(
    settings: &Settings,
    output: Output,
    invitation: &str,
    name: &str,
    address: Option<String>,
    expected: Option<&str>,
    is_typed: bool,
) -> Result<(), Failure> {
    let dir = settings.store_dir()?;
    let name = short_text("name", name)?;
    let env = settings.env();
    let typed = if invitation == "-" { output::ask("Invitation: ").unwrap_or_default() } else { invitation.to_owned() };
    let agree = |words: &[&'static str; 4]| compare_words(words, expected, output.is_json());
    // what was mistyped is told before a passphrase is asked for
    let (by_code, by_text) = if is_typed {
        (Some(Store::join_by_code(env.clone(), &typed)?), None)
    } else {
        (None, Some(Invitation::from_text(&typed, env.now())?))
    };
    let passphrase = settings.new_passphrase()?;
    let credentials = Credentials { passphrase: &passphrase, protector: settings.keystore()?, cost: settings.key_cost() };
    let newcomer = joining::Newcomer { dir: &dir, credentials: &credentials, name: &name };
    let dial = |address: &str| peer::dial(address, peer::Patience::default());
    let unlocked = match (by_code, by_text) {
        (_, Some(invitation)) => {
            let stream = dial(&address.unwrap_or_else(|| invitation.address.clone()))?;
            joining::join(Store::join(env, &invitation)?, stream, &newcomer, agree)?
        }
        (Some(typed), None) => joining::join_by_code(typed, dial(&address.unwrap_or_default())?, &newcomer, agree)?,
        (None, None) => return Err(satchel_core::Error::from(satchel_core::team::InvitationError::Malformed).into()),
    };
    let team = unlocked.team()?.team;
    let value = json!({ "team": team.to_string(), "device": unlocked.device()?.to_string() });
    output.show(&value, || format!("Welcome. You are in team {team}.\n{}", protection_sentence(settings)));
    Ok(())
}

pub fn passphrase(settings: &Settings, output: Output, words: usize) -> Result<(), Failure> {
    let made = make_passphrase(&settings.env(), words)?;
    let text = String::from_utf8_lossy(made.dangerous_as_bytes());
    output.show(&json!({ "passphrase": text }), || text.to_string());
    Ok(())
}
