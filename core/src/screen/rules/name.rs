//! Personal names, by the name lists: "saw Marcus", "jennifer wants detox", "Mr. Hollis".

use super::super::finding::Reason;
use super::super::phrase::{Tier, Word, Words, fnv};
use super::super::view::{Hit, View};

/// What before a name makes it a place, a day or a firm.
const BEFORE: &[&str] = &[
    "san", "santa", "santo", "sto", "st", "saint", "sta", "south", "north", "east", "west", "lake", "mount", "port", "fort", "el", "los",
    "las",
];
/// What behind a name makes it a place or a firm.
const BEHIND: &[&str] = &[
    "street",
    "st",
    "ave",
    "avenue",
    "blvd",
    "road",
    "rd",
    "drive",
    "lane",
    "way",
    "park",
    "plaza",
    "square",
    "bridge",
    "beach",
    "creek",
    "river",
    "school",
    "high",
    "center",
    "centre",
    "house",
    "home",
    "hall",
    "place",
    "kitchen",
    "pantry",
    "church",
    "hospital",
    "clinic",
    "shelter",
    "library",
    "county",
    "city",
    "texas",
    "station",
    "hotel",
    "motel",
    "inn",
    "store",
    "market",
    "diner",
    "cafe",
    "bar",
    "pizza",
    "tacos",
    "village",
    "terminal",
    "campus",
    "iglesia",
    "university",
    "college",
    "day",
    "jr",
    "king",
    "soup",
    "jacket",
    "shirt",
    "coat",
    "shoes",
    "bags",
    "foundation",
    "fund",
    "costume",
    "mural",
    "songs",
    "song",
    "poster",
    "quote",
    "puzzle",
    "doll",
    "movie",
    "album",
    "toy",
    "special",
    "tribute",
    "club",
    "barber",
    "taqueria",
    "bakery",
    "beauty",
    "grill",
    "deli",
    "restaurant",
    "donuts",
    "liquor",
    "garage",
    "salon",
    "shop",
    "pharmacy",
    "thrift",
    "thermos",
    "lipstick",
    "statue",
    "memorial",
    "elementary",
    "middle",
    "playground",
    "trail",
    "pier",
    "stadium",
    "theater",
    "scholarship",
    "award",
    "museum",
];

fn is_one_of(list: &[&str], word: &[u8]) -> bool {
    list.iter().any(|entry| entry.as_bytes() == word)
}

/// Before a name, these say that it is somebody who got something: "gave Maria shoes" is about no brand of shoes.
const GIVING: &[&str] = &["gave", "give", "giving", "got", "brought", "bring", "handed", "offered", "lent", "owes", "sent", "saw", "told"];

/// Finds names; `harmless` marks words that harmless phrases took.
pub(super) fn find(view: &View, words: &Words, harmless: &[bool], hits: &mut Vec<Hit>) {
    let mut w = 0;
    while let Some(word) = words.list.get(w) {
        let taken = harmless.get(w) == Some(&true);
        match (!taken && !word.tier.is_empty()).then(|| name(view, words, w)).flatten() {
            Some(last) => {
                if let Some(end) = words.list.get(last) {
                    hits.push(Hit::of(Reason::PersonName, word.token, end.last + 1));
                }
                w = last + 1;
            }
            None => w += 1,
        }
    }
}

/// The last word of the name that begins at `w`.
fn name(view: &View, words: &Words, w: usize) -> Option<usize> {
    let word = words.list.get(w)?;
    let near = |at: usize| words.list.get(at).filter(|other| other.sentence == word.sentence);
    let text = |other: &Word| view.bytes(other.token);
    let before = w.checked_sub(1).and_then(near);
    if before.is_some_and(|b| is_one_of(BEFORE, text(b))) {
        return None;
    }
    let own = text(word);
    let last = extent(view, words, w);
    let next = near(last + 1);
    let given = before.is_some_and(|b| is_one_of(GIVING, text(b)));
    if !given && [next, near(w + 1)].into_iter().flatten().any(|n| is_one_of(BEHIND, text(n))) {
        return None;
    }
    // A street or a park named after somebody: "Cesar Chavez and 3rd".
    if own == b"cesar" && last > w {
        return None;
    }
    let led = before.is_some_and(|b| leads_to_name(text(b)));
    let full = last > w;
    let certain = word.tier.any(Tier::GIVEN)
        || word.tier.any(Tier::FAMILY) && (word.capital || led)
        || word.tier.any(Tier::DOUBTFUL)
            && (word.capital && !follows_capital(before) && (!word.first || full || acts(view, near(w + 1)))
                || led
                || acts_surely(view, near(w + 1)) && word.first)
        || word.tier.any(Tier::EVERYDAY)
            && word.capital
            && !follows_capital(before)
            && (full || !word.first && (led || acts(view, near(w + 1))))
        || word.tier.any(Tier::EVERYDAY) && led && acts(view, near(w + 1));
    certain.then_some(last)
}

/// Whether the word before is a capital too: "Golden Gate Park" is no person.
fn follows_capital(before: Option<&Word>) -> bool {
    before.is_some_and(|b| b.capital && !b.first && b.tier.is_empty())
}

/// The end of a name with its family name or initial.
fn extent(view: &View, words: &Words, w: usize) -> usize {
    let mut last = w;
    for at in w + 1..w + 4 {
        let (Some(here), Some(next)) = (words.list.get(last), words.list.get(at)) else { break };
        let apart = next.token > here.token + 2 && !view.is_sign(here.token + 1, b'-');
        if next.sentence != here.sentence || apart || next.excused || next.number {
            break;
        }
        let family = next.tier.any(Tier::FAMILY) || next.tier.any(Tier::FAMILY_DOUBTFUL.or(Tier::GIVEN)) && next.capital;
        let initial = view.len(next.token) == 1 && next.capital;
        let unknown = next.capital && !next.upper && next.uncommon;
        if !(family || initial || unknown) {
            break;
        }
        last = at;
    }
    last
}

/// Words that a person's name follows.
fn leads_to_name(word: &[u8]) -> bool {
    const LEADS: &[u64] = &[
        fnv(b"mr"),
        fnv(b"mrs"),
        fnv(b"ms"),
        fnv(b"miss"),
        fnv(b"dr"),
        fnv(b"named"),
        fnv(b"called"),
        fnv(b"saw"),
        fnv(b"met"),
        fnv(b"told"),
        fnv(b"tell"),
        fnv(b"don"),
        fnv(b"dona"),
        fnv(b"senor"),
        fnv(b"senora"),
        fnv(b"nurse"),
        fnv(b"friend"),
        fnv(b"son"),
        fnv(b"daughter"),
        fnv(b"sister"),
        fnv(b"brother"),
        fnv(b"mom"),
        fnv(b"dad"),
        fnv(b"llama"),
        fnv(b"hermano"),
        fnv(b"hermana"),
        fnv(b"hijo"),
        fnv(b"hija"),
        fnv(b"amiga"),
        fnv(b"amigo"),
        fnv(b"boyfriend"),
        fnv(b"girlfriend"),
        fnv(b"husband"),
        fnv(b"wife"),
        fnv(b"novio"),
        fnv(b"novia"),
        fnv(b"aunt"),
        fnv(b"uncle"),
        fnv(b"cousin"),
        fnv(b"officer"),
        fnv(b"sgt"),
        fnv(b"names"),
        fnv(b"really"),
        fnv(b"old"),
    ];
    LEADS.contains(&fnv(word))
}

/// Words that a person's name stands before: what people do.
fn acts(view: &View, next: Option<&Word>) -> bool {
    const ACTS: &[u64] = &[
        fnv(b"wants"),
        fnv(b"needs"),
        fnv(b"said"),
        fnv(b"says"),
        fnv(b"is"),
        fnv(b"was"),
        fnv(b"has"),
        fnv(b"asked"),
        fnv(b"came"),
        fnv(b"told"),
        fnv(b"took"),
        fnv(b"got"),
        fnv(b"and"),
        fnv(b"quiere"),
        fnv(b"necesita"),
        fnv(b"dijo"),
        fnv(b"dice"),
        fnv(b"pidio"),
        fnv(b"vino"),
        fnv(b"tiene"),
        fnv(b"went"),
        fnv(b"lost"),
        fnv(b"still"),
        fnv(b"wasnt"),
        fnv(b"looks"),
        fnv(b"called"),
        fnv(b"left"),
        fnv(b"slept"),
        fnv(b"wanted"),
        fnv(b"esta"),
        fnv(b"y"),
        fnv(b"did"),
        fnv(b"has"),
        fnv(b"had"),
        fnv(b"sleeps"),
        fnv(b"lives"),
        fnv(b"gets"),
    ];
    next.is_some_and(|n| ACTS.contains(&fnv(view.bytes(n.token))))
}

/// Words for what only a person does.
fn acts_surely(view: &View, next: Option<&Word>) -> bool {
    const ACTS: &[u64] = &[
        fnv(b"wants"),
        fnv(b"needs"),
        fnv(b"said"),
        fnv(b"says"),
        fnv(b"asked"),
        fnv(b"told"),
        fnv(b"quiere"),
        fnv(b"necesita"),
        fnv(b"dijo"),
        fnv(b"dice"),
        fnv(b"pidio"),
        fnv(b"came"),
        fnv(b"wanted"),
    ];
    next.is_some_and(|n| ACTS.contains(&fnv(view.bytes(n.token))))
}
