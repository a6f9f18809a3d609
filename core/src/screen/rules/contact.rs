//! Ways to reach someone that are no number: e-mail addresses and account names.

use super::super::finding::Reason;
use super::super::fold::Kind;
use super::super::lexicon::Tags;
use super::super::view::{Hit, View};

/// How many tokens of a name are looked at: longer ones are found, but not to their end.
const NAME_TOKENS: usize = 32;

fn is_name_part(view: &View, i: usize) -> bool {
    view.is_alnum(i) || [b'.', b'_', b'-', b'+'].iter().any(|&sign| view.is_sign(i, sign))
}

/// The first token of the name that ends before `i`.
fn name_start(view: &View, i: usize) -> usize {
    let mut first = i;
    for _ in 0..NAME_TOKENS {
        if !is_name_part(view, first.wrapping_sub(1)) {
            break;
        }
        first -= 1;
    }
    first
}

/// The end of the name that begins at `i`, without closing punctuation.
fn name_end(view: &View, i: usize) -> usize {
    let mut end = i;
    for j in i..i + NAME_TOKENS {
        if view.is_alnum(j) || view.is_sign(j, b'_') {
            end = j + 1;
        } else if !is_name_part(view, j) {
            break;
        }
    }
    end
}

/// An address or account name around an at sign: "joe@example.org", "joe @ gmail", "@joe_22".
pub(super) fn at_sign(view: &View, i: usize) -> Option<Hit> {
    let first = name_start(view, i);
    if first < i {
        let end = name_end(view, i + 1);
        return (end > i + 1).then(|| Hit::of(Reason::EmailAddress, first, end));
    }
    let provider = view.past_space(i + 1);
    if view.is_space(i.wrapping_sub(1)) && view.has(provider, Tags::MAIL) {
        let first = name_start(view, i.wrapping_sub(1));
        let end = domain_end(view, provider);
        return Some(Hit::of(Reason::EmailAddress, first, end));
    }
    // "@7am", "@shelter" say when and where.
    let named = view.is_word(i + 1) || view.is_sign(i + 1, b'_');
    let end = name_end(view, i + 1);
    let venue = end == i + 2 && view.has(i + 1, Tags::VENUE);
    let long = end > i + 2 || view.len(i + 1) >= 2;
    (named && long && !venue).then(|| Hit::of(Reason::AccountName, i, end))
}

/// "joe at gmail dot com", "maria arroba hotmail punto com", "joe gmail.com".
pub(super) fn spoken_email(view: &View, i: usize) -> Option<Hit> {
    let spoken_at = matches!(view.bytes(i), b"at" | b"arroba");
    let provider = if spoken_at {
        let bracket = usize::from(view.is_sign(i + 1, b')') || view.is_sign(i + 1, b']'));
        view.past_space(i + 1 + bracket)
    } else {
        i
    };
    if !view.has(provider, Tags::MAIL) {
        return None;
    }
    let end = domain_end(view, provider);
    if end == provider + 1 && view.bytes(i) != b"arroba" {
        return None;
    }
    let mut before = view.before(i);
    if view.is_sign(before, b'(') || view.is_sign(before, b'[') {
        before = view.before(before);
    }
    let first = if is_name_part(view, before) { name_start(view, before + 1) } else { i };
    Some(Hit::of(Reason::EmailAddress, first, end))
}

/// The end of "gmail.com", "gmail dot com", "gmail punto com", or of the provider alone.
fn domain_end(view: &View, provider: usize) -> usize {
    let mut j = view.past_space(provider + 1);
    if view.is_sign(j, b'(') || view.is_sign(j, b'[') {
        j += 1;
    }
    if !(view.is_sign(j, b'.') || matches!(view.bytes(j), b"dot" | b"punto")) {
        return provider + 1;
    }
    j += 1;
    if view.is_sign(j, b')') || view.is_sign(j, b']') {
        j += 1;
    }
    j = view.past_space(j);
    if matches!(view.bytes(j), b"com" | b"net" | b"org" | b"mx" | b"es" | b"me" | b"ch" | b"edu") { j + 1 } else { provider + 1 }
}

/// "$joe22": an account for payments. "$20" is an amount.
pub(super) fn cash_tag(view: &View, i: usize) -> Option<Hit> {
    let apart = !view.is_alnum(i.wrapping_sub(1));
    let end = name_end(view, i + 1);
    (apart && view.is_word(i + 1) && view.len(i + 1) >= 3).then(|| Hit::of(Reason::AccountName, i, end))
}

/// "ig: queen_jay22", "facebook.com/maria.g.88".
pub(super) fn network_account(view: &View, i: usize) -> Option<Hit> {
    let mut j = i + 1;
    for _ in 0..8 {
        let passes = match view.kind(j)? {
            Kind::Space | Kind::Sign(b':' | b'.' | b'/' | b'=' | b'-' | b'\'' | b'@') => true,
            Kind::Word => matches!(
                view.bytes(j),
                b"com"
                    | b"is"
                    | b"es"
                    | b"name"
                    | b"handle"
                    | b"at"
                    | b"user"
                    | b"username"
                    | b"under"
                    | b"s"
                    | b"como"
                    | b"usuario"
                    | b"me"
                    | b"account"
                    | b"cuenta"
                    | b"id"
            ),
            _ => false,
        };
        if !passes {
            break;
        }
        j += 1;
    }
    if !view.is_word(j) {
        return None;
    }
    let end = name_end(view, j);
    let mut telling = end > j + 1 && view.is_sign(j.wrapping_sub(1), b'/');
    for part in j..end {
        telling |= view.is_digits(part) || view.is_sign(part, b'_');
    }
    let long = end > j + 2 || view.len(j) + view.len(j + 1) >= 4;
    (telling && long && end > j + 1).then(|| Hit::of(Reason::AccountName, i, end))
}
