//! The deterministic CBOR body of a package.

use super::{Catalogue, CatalogueError, Opening, Resource, check, limits};
use minicbor::decode::{Decode, Decoder, Error};

pub(super) fn encode(catalogue: &Catalogue) -> Result<Vec<u8>, CatalogueError> {
    check::catalogue(catalogue)?;
    let body = minicbor::to_vec(catalogue).map_err(|_| CatalogueError::BodyTooLarge)?;
    if body.len() > limits::INFLATED_BYTES {
        return Err(CatalogueError::BodyTooLarge);
    }
    Ok(body)
}

/// Decodes a body that is already bounded by [`limits::INFLATED_BYTES`].
pub(super) fn decode(body: &[u8]) -> Result<Catalogue, CatalogueError> {
    refuse_indefinite(body).ok_or(CatalogueError::Malformed)?;
    let mut decoder = Decoder::new(body);
    let catalogue: Catalogue = decoder.decode().map_err(|_| CatalogueError::Malformed)?;
    if decoder.position() != body.len() {
        return Err(CatalogueError::Malformed);
    }
    check::catalogue(&catalogue)?;
    let again = minicbor::to_vec(&catalogue).map_err(|_| CatalogueError::Malformed)?;
    if again != body {
        return Err(CatalogueError::NotDeterministic);
    }
    Ok(catalogue)
}

/// Walks the item heads in constant memory; `None` on an indefinite length, a tag or a cut-off item.
///
/// The deterministic encoding has none of these, and skipping nested indefinite items is the one place where
/// the decoder would keep a stack as deep as the input says.
fn refuse_indefinite(body: &[u8]) -> Option<()> {
    let mut at = 0usize;
    while let Some(head) = body.get(at) {
        let (major, info) = (head >> 5, head & 0x1f);
        let width = match info {
            0..=23 => 0usize,
            24..=27 => 1 << (info - 24),
            _ => return None,
        };
        let argument = body.get(at + 1..at + 1 + width)?;
        let value = match width {
            0 => u64::from(info),
            _ => argument.iter().fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte)),
        };
        at += 1 + width;
        match major {
            2 | 3 => {
                let length = usize::try_from(value).ok()?;
                at = at.checked_add(length).filter(|end| *end <= body.len())?;
            }
            6 => return None,
            _ => {}
        }
    }
    Some(())
}

/// Decodes an array of at most `max` items, refusing a longer one before reading any of it.
fn bounded<'b, Ctx, T: Decode<'b, Ctx>>(decoder: &mut Decoder<'b>, ctx: &mut Ctx, max: usize) -> Result<Vec<T>, Error> {
    let declared = decoder
        .array()?
        .and_then(|length| usize::try_from(length).ok())
        .filter(|length| *length <= max)
        .ok_or_else(|| Error::message("array length"))?;
    let mut items = Vec::new();
    for _ in 0..declared {
        items.push(T::decode(decoder, ctx)?);
    }
    Ok(items)
}

pub(super) fn bounded_resources<'b, Ctx>(decoder: &mut Decoder<'b>, ctx: &mut Ctx) -> Result<Vec<Resource>, Error> {
    bounded(decoder, ctx, limits::RESOURCE_COUNT)
}

pub(super) fn bounded_languages<'b, Ctx>(decoder: &mut Decoder<'b>, ctx: &mut Ctx) -> Result<Vec<String>, Error> {
    bounded(decoder, ctx, limits::LANGUAGE_COUNT)
}

pub(super) fn bounded_openings<'b, Ctx>(decoder: &mut Decoder<'b>, ctx: &mut Ctx) -> Result<Vec<Opening>, Error> {
    bounded(decoder, ctx, limits::OPENING_COUNT)
}
