//! Bodies and covers: how a record's content travels and is proven.
//!
//! A *body* is sealed once, under its record's own key, and signed by the device that wrote it. Its bytes
//! are the same everywhere, for ever. A *cover* is transport: made afresh under the sender's current turn
//! whenever a body leaves, by any member; it carries the record key, so each row stands alone.
//!
//! ```text
//! row   = lane 0x03 ‖ cover (150) ‖ body, padded to a power of two from 512 bytes to 64 KiB
//! cover = AEAD(records lane key of a turn, aad: "cover", team, body id):
//!         suite (1) ‖ record (16) ‖ subject (16, zero: none) ‖ audience (1) ‖ kind (1) ‖ day (2) ‖ key id (8)
//!         ‖ which secret (1: 1 record key, 2 field key) ‖ secret (32)
//! body  = AEAD(record key, aad: "body", team, record, key id):
//!         shape (1) ‖ schema (2) ‖ device (16) ‖ session (8) ‖ sequence (4) ‖ previous (16) ‖ log head (16)
//!         ‖ keep-until (2) ‖ length (2) ‖ content ‖ signature (64) ‖ zeros
//! AEAD  = nonce (24) ‖ commitment (32) ‖ ciphertext ‖ tag (16); integers are little-endian
//! ```
//!
//! A *field key* masks what is to be forgotten before its body is: the zone of an encounter. The record key is derived
//! from it, so that a cover needs room for one of both, and the body's commitment to the record key is one to the field
//! key as well. Who destroys the field key keeps the record and its signature, and the masked bytes in it say nothing.
//!
//! The signature covers team, record, subject, audience, kind, day, key id, the AEAD's nonce and commitment
//! and everything from shape to content. Insiders know the keys, so associated data alone would stop no
//! re-labelling; and because nonce, commitment and the padding rule are all fixed by what was signed, there
//! is exactly one body for a signed content: no insider can mint a second one and make its author look cloned.

mod body;
mod cover;
pub mod directory;

pub use body::{
    Binding, BodyHeader, EnvelopeError, OpenedBody, SCHEMA_VERSION, SealedBody, VerifiedBody, is_sealed_by, open_body, seal_body,
};
pub use cover::{COVER_BYTES, Covered, SUITE, body_of, cover_row, cover_row_with_field, open_row};
