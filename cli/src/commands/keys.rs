//! What becomes of this device's keys.

use crate::arguments::Settings;
use crate::failure::Failure;
use crate::output::{self, Output};
use satchel_core::store::{Credentials, Store};
use serde_json::json;

pub fn change_passphrase(settings: &Settings, output: Output, new: Option<u32>) -> Result<(), Failure> {
    let unlocked = settings.unlock()?;
    let passphrase = settings.new_passphrase_from(new)?;
    let credentials = Credentials { passphrase: &passphrase, protector: settings.keystore()?, cost: settings.key_cost() };
    unlocked.change_credentials(&credentials)?;
    let promise = unlocked.promise()?;
    output.show(&json!({ "changed": true, "keystore": promise.code() }), || {
        let mut text = String::from("The passphrase is changed, and with it every key that the old one opened.");
        for caveat in promise.caveats() {
            text.push_str(&format!("\n  Note: {}.", crate::keystore::caveat_words(*caveat)));
        }
        text
    });
    Ok(())
}

pub fn erase_device(settings: &Settings, output: Output, is_sure: bool) -> Result<(), Failure> {
    let dir = settings.store_dir()?;
    let question =
        if output.is_json() { "" } else { "This destroys everything that this device holds and has not sent. Type ERASE to go on: " };
    if !is_sure && output::ask(question).is_none_or(|answer| answer != "ERASE") {
        return Err(Failure::NotErased);
    }
    // not opened first: whatever state the files are in, their keys go
    let erased = Store::erase_device_in(&dir, &settings.env(), settings.keystore()?)?;
    let value = json!({ "keys_gone": erased.are_keys_gone, "files_gone": erased.are_files_gone });
    output.show(&value, || {
        let keys = if erased.are_keys_gone {
            "The keys of this store are destroyed: nobody can open it any more."
        } else {
            "The slots are destroyed, but the keystore did not destroy its key, or a damaged file did not say which. Run this again with the right --keystore; if there is no store then, remove the keystore itself."
        };
        let files = if erased.are_files_gone {
            "Its files are removed; the disk may keep their ciphertext."
        } else {
            "Its files are still in use elsewhere; the next opening removes them."
        };
        format!("{keys}\n{files}\nAsk a steward to remove this device from the team.")
    });
    Ok(())
}
