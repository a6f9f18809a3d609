//! The rules. Each looks at one token and a bounded stretch after it and says what stands there;
//! the walk below asks them in turn and never goes back, so the whole is linear in the text.

mod contact;
mod date;
mod name;
mod number;
mod place;
mod reference;
mod shape;

use super::finding::Finding;
use super::fold::Kind;
use super::lexicon::Tags;
use super::model::Model;
use super::phrase::{self, Words, lexis};
use super::view::{Hit, View};

/// Applies every rule; findings in the order of the walk, possibly overlapping.
pub(super) fn apply(view: &View, model: Model<'_>) -> Vec<Finding> {
    let mut hits = Vec::new();
    let mut i = 0;
    while let Some(kind) = view.kind(i) {
        let next = match kind {
            Kind::Word => apply_to_word(view, i, &mut hits),
            Kind::Digits => number::run(view, i, &mut hits),
            Kind::Sign(b'@') => take(contact::at_sign(view, i), i, &mut hits),
            Kind::Sign(b'$') => take(contact::cash_tag(view, i), i, &mut hits),
            Kind::Sign(b'/') => take(place::three_words(view, i), i, &mut hits),
            _ => i + 1,
        };
        i = next.max(i + 1);
    }
    let lexis = lexis();
    let words = Words::read(view, lexis);
    let harmless = phrase::apply(view, &words, lexis, &mut hits);
    model.doubt(view, &words, &harmless, &mut hits);
    name::find(view, &words, &harmless, &mut hits);
    model.find(view, &words, &harmless, &mut hits);
    hits.iter().filter_map(|&hit| view.finding(hit)).collect()
}

/// Records a hit and returns where to go on: behind it, or one token on.
fn take(hit: Option<Hit>, i: usize, hits: &mut Vec<Hit>) -> usize {
    match hit {
        Some(hit) => {
            hits.push(hit);
            hit.end
        }
        None => i + 1,
    }
}

fn apply_to_word(view: &View, i: usize, hits: &mut Vec<Hit>) -> usize {
    // A word that introduces a value: the value is walked over again, so that what it holds beyond
    // the introduced part is seen too. Overlaps are settled at the end.
    hits.extend(reference::birth(view, i));
    if view.has(i, reference::INTRODUCES) || view.bytes(i) == b"a" {
        hits.extend(reference::justice(view, i));
        hits.extend(reference::document(view, i));
        hits.extend(reference::plate(view, i));
    }
    if view.has(i, Tags::NETWORK) {
        hits.extend(contact::network_account(view, i));
    }
    if view.has(i, Tags::ROOM.or(Tags::FLAT).or(Tags::STAYS).or(Tags::POSITION)) {
        hits.extend(place::room(view, i));
        hits.extend(place::stay(view, i));
        hits.extend(place::position(view, i));
    }
    if view.bytes(i) == b"box" {
        hits.extend(place::postal_box(view, i));
    }
    if (view.has(i, Tags::CALLE) || matches!(view.bytes(i), b"c" | b"maps"))
        && let Some(hit) = place::calle(view, i).or_else(|| place::map_link(view, i))
    {
        return take(Some(hit), i, hits);
    }
    if let Some(hit) = contact::spoken_email(view, i) {
        return take(Some(hit), i, hits);
    }
    if let Some(hit) = date::named(view, i).or_else(|| shape::chain(view, i)) {
        return take(Some(hit), i, hits);
    }
    number::run(view, i, hits)
}
