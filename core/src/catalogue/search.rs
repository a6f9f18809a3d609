//! Finding resources.

use super::text::fold_into;
use super::{Catalogue, Category, Demand, Resource, Weekday, fold};
use std::collections::BTreeSet;

/// What to look for; the default finds everything.
///
/// It holds what a worker typed, so it has no `Debug`.
#[derive(Clone, Default)]
pub struct Filter {
    /// Only this category.
    pub category: Option<Category>,
    /// Words that must all occur, ignoring case and accents; empty matches everything.
    pub text: String,
    /// Leave out providers known to demand any of these; those that do not say stay, after the known ones.
    pub without_demands: BTreeSet<Demand>,
    /// Only what is known to be open at this weekday and local minute (0 to 1439).
    pub open_at: Option<(Weekday, u16)>,
    /// Only where this language (or the start of its name, three letters or more) is known to be spoken.
    pub language: Option<String>,
}

impl Catalogue {
    /// The resources that match, best first: fewest unanswered `without_demands`, then by name.
    ///
    /// Looks at every resource; meant for some thousands of them.
    #[must_use]
    pub fn find(&self, filter: &Filter) -> Vec<&Resource> {
        let words: Vec<String> = fold(&filter.text).split_whitespace().map(str::to_owned).collect();
        let language = filter.language.as_deref().map(|language| fold(language.trim()));
        let mut text = String::new();
        let mut found: Vec<(usize, String, &Resource)> = Vec::new();
        for resource in &self.resources {
            if filter.category.is_some_and(|category| category != resource.category) {
                continue;
            }
            let Some(unknown) = unanswered(resource, &filter.without_demands) else {
                continue;
            };
            if let Some((weekday, minute)) = filter.open_at
                && resource.hours.open_at(weekday, minute) != Some(true)
            {
                continue;
            }
            if let Some(language) = &language
                && !speaks(resource, language)
            {
                continue;
            }
            if !words.is_empty() {
                haystack(resource, &mut text);
                if !words.iter().all(|word| text.contains(word.as_str())) {
                    continue;
                }
            }
            found.push((unknown, fold(&resource.name), resource));
        }
        found.sort_by(|a, b| (a.0, &a.1, a.2.id).cmp(&(b.0, &b.1, b.2.id)));
        found.into_iter().map(|(_, _, resource)| resource).collect()
    }
}

/// How many of the demands the provider does not speak about; `None` when it makes one of them.
fn unanswered(resource: &Resource, demands: &BTreeSet<Demand>) -> Option<usize> {
    let mut unknown = 0;
    for demand in demands {
        match resource.demands.answer(*demand) {
            Some(true) => return None,
            Some(false) => {}
            None => unknown += 1,
        }
    }
    Some(unknown)
}

fn speaks(resource: &Resource, wanted: &str) -> bool {
    resource.languages.iter().any(|language| {
        let language = fold(language);
        language == wanted || (wanted.chars().count() >= 3 && language.starts_with(wanted))
    })
}

fn haystack(resource: &Resource, out: &mut String) {
    out.clear();
    for text in [
        resource.name.as_str(),
        &resource.provider,
        &resource.description,
        resource.eligibility.as_deref().unwrap_or_default(),
        resource.cost.as_deref().unwrap_or_default(),
        resource.address.as_deref().unwrap_or_default(),
        &resource.hours.text,
    ] {
        fold_into(text, out);
        out.push('\n');
    }
    for language in &resource.languages {
        fold_into(language, out);
        out.push('\n');
    }
    out.extend(resource.category.name().chars().map(|c| if c == '_' { ' ' } else { c }));
}
