//! Secret values: one type per purpose, on the heap, wiped when dropped.
//!
//! A secret lives in exactly one heap cell: moving the value moves a pointer, so no copy is left behind
//! on the stack, and `Drop` wipes the only one. There is no `Copy` and no `Clone`; a second copy is
//! spelled [`duplicate`](RecordKey::duplicate), so that a reviewer sees it. `Debug` prints the type's
//! name only; equality takes constant time.

use crate::env::Env;
use std::fmt;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroize;

/// Bytes had the wrong length for this secret. Remedy: refuse what they were read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key has another length")]
pub struct SecretLengthError;

impl SecretLengthError {
    /// A stable code for the boundary.
    pub const fn code(self) -> &'static str {
        "secret.length"
    }
}

/// A secret of 32 bytes. Cannot be named outside this crate.
pub trait Secret32: Sized {
    /// The type's name, which separates one kind of wrapped key from another.
    const KIND: &'static str;
    /// Copies 32 bytes to the heap.
    fn from_bytes(bytes: &[u8; 32]) -> Self;
    /// The bytes, for this crate's own use.
    fn expose(&self) -> &[u8; 32];
}

/// A key that may seal and open ([`seal`](super::seal), [`open`](super::open)), and wrap other keys.
pub trait SealingKey: Secret32 {}

/// A secret that may be wrapped under a [`SealingKey`].
pub trait WrappedSecret: Secret32 {}

macro_rules! secret {
    ($(#[$doc:meta])+ $name:ident, $length:literal) => {
        $(#[$doc])+
        pub struct $name(Box<[u8; $length]>);

        #[allow(dead_code, reason = "every secret has the same methods, whether or not each is called yet")]
        impl $name {
            /// Length in bytes.
            pub const LENGTH_BYTES: usize = $length;

            /// A fresh random secret.
            pub fn make(env: &Env) -> Self {
                let mut cell = Box::new([0; $length]);
                env.fill(cell.as_mut_slice());
                Self(cell)
            }

            /// Copies bytes that already are this secret; the caller wipes its own copy.
            pub fn from_bytes(bytes: &[u8; $length]) -> Self {
                let mut cell = Box::new([0; $length]);
                cell.copy_from_slice(bytes);
                Self(cell)
            }

            /// As `from_bytes`. Errors: [`SecretLengthError`] for any other length.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, SecretLengthError> {
                bytes.try_into().map(Self::from_bytes).map_err(|_| SecretLengthError)
            }

            /// A second copy, wiped on its own. Every call is worth a reviewer's question.
            pub fn duplicate(&self) -> Self {
                Self::from_bytes(&self.0)
            }

            /// The bytes: to be sealed, boxed or derived from, never stored as they are.
            pub(crate) fn expose(&self) -> &[u8; $length] {
                &self.0
            }

            /// Fills the secret in place.
            pub(super) fn filled_by(fill: impl FnOnce(&mut [u8; $length])) -> Self {
                let mut cell = Box::new([0; $length]);
                fill(&mut cell);
                Self(cell)
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                self.0.as_mut_slice().zeroize();
            }
        }

        impl zeroize::ZeroizeOnDrop for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl ConstantTimeEq for $name {
            fn ct_eq(&self, other: &Self) -> Choice {
                self.0.as_slice().ct_eq(other.0.as_slice())
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.ct_eq(other).into()
            }
        }

        impl Eq for $name {}
    };
    ($(#[$doc:meta])+ $name:ident, 32, $($role:ident),+) => {
        secret!($(#[$doc])+ $name, 32);

        impl Secret32 for $name {
            const KIND: &'static str = stringify!($name);
            fn from_bytes(bytes: &[u8; 32]) -> Self {
                Self::from_bytes(bytes)
            }
            fn expose(&self) -> &[u8; 32] {
                &self.0
            }
        }

        $(impl $role for $name {})+
    };
}

secret!(
    /// Seals the bodies of one record: random, so that destroying it is final.
    RecordKey, 32, SealingKey, WrappedSecret
);
secret!(
    /// Masks what leaves a body earlier than the body itself. The record key follows from it, and never the other way:
    /// who destroys it keeps the record.
    FieldKey, 32
);
secret!(
    /// Seals one key page; a page is never rewritten under the same one.
    PageKey, 32, SealingKey, WrappedSecret
);
secret!(
    /// Seals the root that holds the page keys.
    RootKey, 32, SealingKey, WrappedSecret
);
secret!(
    /// Seals the root and the local values of one store; wrapped in the key slots.
    StoreKey, 32, SealingKey, WrappedSecret
);
secret!(
    /// Opens a key slot: derived from the passphrase, never stored.
    UnlockKey, 32, SealingKey
);
secret!(
    /// What a keystore made of files holds for one store; one made of hardware never shows it.
    KeystoreSecret, 32, SealingKey
);
secret!(
    /// Seals the covers of one lane under one turn.
    LaneKey, 32, SealingKey
);
secret!(
    /// The random secret of one turn: opens everything that travels under it.
    RecordsSecret, 32, WrappedSecret
);
secret!(
    /// What the board holds of a turn: opens log, charter, frontiers, receipts and complaints, never records.
    CommonsSecret, 32, WrappedSecret
);
secret!(
    /// Seals what recovers one turn; it lies in the board's boxes of that announcement and nowhere else.
    EscrowKey, 32, SealingKey
);
secret!(
    /// Seals one pairing offer on its way to the phone on which its words were typed.
    OfferKey, 32, SealingKey
);
secret!(
    /// Lets members recognise each other on a network, and opens their sessions.
    DiscoverySecret, 32, WrappedSecret
);
secret!(
    /// The one-time secret of an invitation, shown as a QR code or typed: 128 bits.
    InvitationSecret, 16
);
secret!(
    /// The pre-shared key of one Noise session.
    SessionPsk, 32
);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn debug_shows_the_name_and_not_one_byte() {
        let bytes = [0xa5; 32];
        let shown = format!("{:?} {:#?}", RecordKey::from_bytes(&bytes), StoreKey::from_bytes(&bytes));
        assert_eq!(shown, "RecordKey(..) StoreKey(..)");
        // positive control: bytes that are not wrapped do show
        assert!(format!("{bytes:02x?}").contains("a5"));
    }

    #[test]
    fn equality_sees_every_bit() {
        let key = RecordKey::make(&Env::seeded(1));
        assert_eq!(key, key.duplicate());
        for bit in 0..256 {
            let mut other = *key.expose();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(key, RecordKey::from_bytes(&other));
        }
    }

    #[test]
    fn only_the_right_length_is_a_secret() {
        for length in [0usize, 15, 17, 31, 33, 64] {
            assert_eq!(RecordKey::from_slice(&vec![1; length]), Err(SecretLengthError), "{length}");
        }
        assert_eq!(RecordKey::from_slice(&[1; 32]).unwrap().expose(), &[1; 32]);
        assert_eq!(InvitationSecret::from_slice(&[1; 16]).unwrap().expose(), &[1; 16]);
        assert_eq!(InvitationSecret::from_slice(&[1; 32]), Err(SecretLengthError));
    }
}
