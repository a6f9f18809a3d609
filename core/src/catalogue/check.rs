//! The bounds of a catalogue, checked before one is built and after one is opened.

use super::text::is_forbidden;
use super::{Catalogue, CatalogueError, Day, Field, Resource, limits};

/// Whether line breaks are allowed, and whether the text may be empty.
#[derive(Clone, Copy)]
struct Shape {
    lines: bool,
    empty: bool,
}

const LINE: Shape = Shape { lines: false, empty: true };
const LINES: Shape = Shape { lines: true, empty: true };

pub(super) fn catalogue(catalogue: &Catalogue) -> Result<(), CatalogueError> {
    text(Field::Title, &catalogue.title, limits::TITLE_BYTES, LINE)?;
    text(Field::Source, &catalogue.source, limits::SOURCE_BYTES, LINE)?;
    text(Field::Licence, &catalogue.licence, limits::LICENCE_BYTES, LINES)?;
    day(catalogue.published)?;
    if catalogue.resources.len() > limits::RESOURCE_COUNT {
        return Err(CatalogueError::TooManyResources);
    }
    if !catalogue.resources.is_sorted_by(|a, b| a.id < b.id) {
        return Err(CatalogueError::NotSorted);
    }
    catalogue.resources.iter().try_for_each(resource)
}

fn resource(resource: &Resource) -> Result<(), CatalogueError> {
    let required = Shape { lines: false, empty: false };
    text(Field::Name, &resource.name, limits::NAME_BYTES, required)?;
    text(Field::Provider, &resource.provider, limits::PROVIDER_BYTES, LINE)?;
    text(Field::Description, &resource.description, limits::DESCRIPTION_BYTES, LINES)?;
    text(Field::Hours, &resource.hours.text, limits::HOURS_BYTES, LINES)?;
    for (field, value, max, lines) in [
        (Field::Cost, &resource.cost, limits::COST_BYTES, true),
        (Field::Eligibility, &resource.eligibility, limits::ELIGIBILITY_BYTES, true),
        (Field::Phone, &resource.phone, limits::PHONE_BYTES, false),
        (Field::Address, &resource.address, limits::ADDRESS_BYTES, false),
        (Field::Url, &resource.url, limits::URL_BYTES, false),
    ] {
        if let Some(value) = value {
            text(field, value, max, Shape { lines, empty: false })?;
        }
    }
    let languages = &resource.languages;
    if languages.len() > limits::LANGUAGE_COUNT || !languages.is_sorted_by(|a, b| a < b) {
        return Err(CatalogueError::BadList { field: Field::Languages });
    }
    for language in languages {
        text(Field::Languages, language, limits::LANGUAGE_BYTES, required)?;
    }
    let openings = &resource.hours.openings;
    if openings.len() > limits::OPENING_COUNT || !openings.is_sorted_by(|a, b| a < b) || !openings.iter().all(super::Opening::is_valid) {
        return Err(CatalogueError::BadList { field: Field::Hours });
    }
    day(resource.last_verified)
}

fn day(day: Option<Day>) -> Result<(), CatalogueError> {
    day.map_or(Ok(()), |day| Day::from_days(day.days()).map(|_| ()))
}

fn text(field: Field, text: &str, max_bytes: usize, shape: Shape) -> Result<(), CatalogueError> {
    if text.len() > max_bytes {
        return Err(CatalogueError::TextTooLong { field });
    }
    if text.is_empty() && !shape.empty {
        return Err(CatalogueError::TextEmpty { field });
    }
    if text.chars().any(|c| is_forbidden(c) && !(shape.lines && c == '\n')) {
        return Err(CatalogueError::TextForbidden { field });
    }
    Ok(())
}
