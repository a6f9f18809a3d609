//! Where the key files of this device lie, and what they cannot promise, in words.

use satchel_core::store::{Caveat, Promise};
use std::path::PathBuf;

/// Where they lie unless `--keystore` says otherwise.
pub fn default_dir() -> Option<PathBuf> {
    std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share/satchel/keys"))
}

/// What stands between a copied folder and a guessed passphrase.
pub const fn promise_words(promise: Promise) -> &'static str {
    match promise {
        Promise::Hardware => "a key in hardware that gives no key away and counts attempts",
        Promise::System => "a key that the operating system keeps away from other programs",
        Promise::File => "a key file outside the store's folder",
        Promise::None => "nothing but the passphrase",
    }
}

/// What that cannot promise.
pub const fn caveat_words(caveat: Caveat) -> &'static str {
    match caveat {
        Caveat::CopyCanBeGuessed => "whoever copies the folder can try passphrases for as long as they like",
        Caveat::CopyOfBothCanBeGuessed => "whoever copies the folder and the key files can try passphrases for as long as they like",
        Caveat::AttemptsNotCounted => "nothing here counts wrong attempts, as a phone's hardware does",
        Caveat::DestroyedKeyMayLinger => "a destroyed key file may lie on the disk until its place is used again",
        Caveat::OldSlotsStillOpen => {
            "an old key slot that the disk still holds opens old copies of the files, with the passphrase of its time: \
             what was erased is gone for certain only where there is a keystore"
        }
    }
}
