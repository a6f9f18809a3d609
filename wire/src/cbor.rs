//! Deterministic CBOR (RFC 8949, section 4.2): one value, one encoding.
//!
//! Decoding is strict: bytes that decode but would be written differently are refused, so
//! unknown map keys, long integers, indefinite lengths and trailing bytes never pass. That
//! is what lets a verdict be a function of the bytes.

use minicbor::{Decode, Encode};

/// Why bytes are not a value of the expected type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    /// Not CBOR, or CBOR of another shape. Remedy: refuse the input.
    #[error("not the expected CBOR value")]
    Malformed,
    /// The value has another, shorter or ordered, encoding. Remedy: refuse the input.
    #[error("not the deterministic encoding")]
    NotDeterministic,
}

/// Encodes a value. Writing to memory cannot fail; a type whose `Encode` refuses yields no bytes.
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).unwrap_or_default()
}

/// Decodes exactly one value and checks that `bytes` is its only encoding.
pub fn decode<T>(bytes: &[u8]) -> Result<T, CborError>
where
    T: Encode<()> + for<'b> Decode<'b, ()>,
{
    let value: T = minicbor::decode(bytes).map_err(|_| CborError::Malformed)?;
    if encode(&value) == bytes { Ok(value) } else { Err(CborError::NotDeterministic) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Debug, PartialEq, Encode, Decode)]
    #[cbor(map)]
    struct Sample {
        #[n(0)]
        a: u32,
        #[n(1)]
        b: Option<u8>,
    }

    #[test]
    fn one_value_has_one_encoding() {
        let value = Sample { a: 7, b: None };
        let bytes = encode(&value);
        assert_eq!(bytes, [0xa1, 0x00, 0x07]);
        assert_eq!(decode::<Sample>(&bytes).unwrap(), value);
        // 7 written in two bytes, an unknown key, an explicit null, a trailing byte, an indefinite map
        for wrong in [
            &[0xa1, 0x00, 0x18, 0x07][..],
            &[0xa2, 0x00, 0x07, 0x05, 0x01],
            &[0xa2, 0x00, 0x07, 0x01, 0xf6],
            &[0xa1, 0x00, 0x07, 0x00],
            &[0xbf, 0x00, 0x07, 0xff],
        ] {
            assert_eq!(decode::<Sample>(wrong), Err(CborError::NotDeterministic), "{wrong:02x?}");
        }
        assert_eq!(decode::<Sample>(&[0x01]), Err(CborError::Malformed));
    }
}
