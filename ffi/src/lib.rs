//! Satchel for Kotlin and Swift: conversion only, nothing is decided here.

uniffi::setup_scaffolding!();

/// Length of an id after its prefix: 16 bytes in base32 without padding.
const ID_TEXT_LENGTH_BYTES: usize = 26;

/// Why a call failed, by what the caller can do about it. Holds no text that a user wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum FfiError {
    /// Not an id of a record. Remedy: scan or copy it again.
    #[error("malformed id")]
    MalformedId,
}

/// The version of this library, `major.minor.patch`.
#[uniffi::export]
pub fn library_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Reads the id of a record as text (`rec_` and 26 characters of RFC 4648 base32, upper or lower case)
/// and returns its one canonical form, in lower case.
///
/// # Errors
/// [`FfiError::MalformedId`] for anything else, of any length.
#[uniffi::export]
pub fn parse_id(text: &str) -> Result<String, FfiError> {
    let digits = text.strip_prefix("rec_").ok_or(FfiError::MalformedId)?;
    if digits.len() != ID_TEXT_LENGTH_BYTES {
        return Err(FfiError::MalformedId);
    }
    let mut last = 0;
    for digit in digits.bytes() {
        last = match digit.to_ascii_lowercase() {
            letter @ b'a'..=b'z' => letter - b'a',
            number @ b'2'..=b'7' => number - b'2' + 26,
            _ => return Err(FfiError::MalformedId),
        };
    }
    // 26 digits are 130 bits, an id has 128: the two left over must be zero, or two texts would mean one id.
    if last & 0b11 != 0 {
        return Err(FfiError::MalformedId);
    }
    Ok(text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_canonical_form() {
        let canonical = "rec_gaytemzugu3doobzmfrggzdfmy";
        assert_eq!(parse_id(canonical).as_deref(), Ok(canonical));
        assert_eq!(parse_id("rec_GAYTEMZUGU3DOOBZMFRGGZDFMY").as_deref(), Ok(canonical));
    }

    #[test]
    fn anything_else_is_malformed() {
        for text in [
            "",
            "rec_",
            "dev_gaytemzugu3doobzmfrggzdfmy",
            "rec_gaytemzugu3doobzmfrggzdfm",
            "rec_gaytemzugu3doobzmfrggzdfmyy",
            "rec_gaytemzugu3doobzmfrggzdfm1",
            // The last digit carries bits beyond the 16th byte.
            "rec_gaytemzugu3doobzmfrggzdfmz",
            // 26 bytes, fewer characters.
            "rec_gaytemzugu3doobzmfrggzdfé",
        ] {
            assert_eq!(parse_id(text), Err(FfiError::MalformedId), "{text}");
        }
    }
}
