//! The charter's page can be read by people who left school early: reading grade six or below, in both languages.

#![allow(clippy::unwrap_used)]

use satchel_core::consent::holding::{Given, GivenEvent, HeldFact, HeldFacts, HeldGrant, Holding, TakenBack};
use satchel_core::consent::page::{Page, PageFacts, page};
use satchel_core::consent::{Act, Agreement, AgreementWith, Charter, GatedCategory, Language, Purpose};
use satchel_wire::ShiftDay;

/// Highest grade of Flesch and Kincaid (school years; US Navy, 1975).
const GRADE_MAX: f64 = 6.0;
/// Least ease of Fernández Huerta (1959): 70 to 80 is sixth grade.
const EASE_MIN: f64 = 70.0;

struct Measure {
    sentences: f64,
    words: f64,
    syllables: f64,
}

fn words_of(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphabetic() && c != '\'');
    words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

fn measure(sentences: &[String], syllables: fn(&str) -> usize) -> Measure {
    let split = sentences.iter().flat_map(|text| text.split_inclusive(['.', '?', ':']));
    let split: Vec<Vec<String>> = split.map(words_of).filter(|words| !words.is_empty()).collect();
    let words: Vec<&String> = split.iter().flatten().collect();
    Measure {
        sentences: split.len() as f64,
        words: words.len() as f64,
        syllables: words.iter().map(|word| syllables(word)).sum::<usize>() as f64,
    }
}

/// Groups of vowels, without a silent e at the end, at least one.
fn english_syllables(word: &str) -> usize {
    let letters: Vec<char> = word.chars().collect();
    let is_vowel = |c: &char| "aeiouy".contains(*c);
    let groups = (0..letters.len()).filter(|at| is_vowel(&letters[*at]) && (*at == 0 || !is_vowel(&letters[at - 1]))).count();
    let has_silent_e = word.ends_with('e') && !word.ends_with("le") && groups > 1;
    groups.saturating_sub(usize::from(has_silent_e)).max(1)
}

/// Vowels, where a weak one (i, u without accent) joins its neighbour; two strong ones stand apart.
fn spanish_syllables(word: &str) -> usize {
    let letters: Vec<char> = word.replace("qu", "q").replace("gue", "ge").replace("gui", "gi").chars().collect();
    let strong = |c: char| "aeoáéóíú".contains(c);
    let last = letters.len().saturating_sub(1);
    let vowel = |at: usize| strong(letters[at]) || "iuü".contains(letters[at]) || (letters[at] == 'y' && at == last);
    let mut count = 0;
    for at in (0..letters.len()).filter(|at| vowel(*at)) {
        let joins = at > 0 && vowel(at - 1) && !(strong(letters[at]) && strong(letters[at - 1]));
        count += usize::from(!joins);
    }
    count.max(1)
}

/// 0.39 words per sentence + 11.8 syllables per word - 15.59.
fn grade(sentences: &[String]) -> f64 {
    let found = measure(sentences, english_syllables);
    0.39 * found.words / found.sentences + 11.8 * found.syllables / found.words - 15.59
}

/// 206.84 - 60 syllables per word - 1.02 words per sentence.
fn ease(sentences: &[String]) -> f64 {
    let found = measure(sentences, spanish_syllables);
    206.84 - 60.0 * found.syllables / found.words - 1.02 * found.words / found.sentences
}

fn day(days: u16) -> ShiftDay {
    ShiftDay::from_days(20_800 + days)
}

/// Every sentence that the page can hold: of a new team, and of one about which everything is said and everything is late.
fn pages(language: Language) -> Vec<Page> {
    let new = Charter::strictest("UTC", day(0));
    let mut silent = new.clone();
    silent.funders = Some(vec![]);
    silent.agreements = Some(vec![]);
    let mut old = new.clone();
    old.funders = Some(vec!["The health department".into()]);
    old.agreements = Some(AgreementWith::ALL.map(|with| Agreement { with, what: "A <b>protocol</b> & \"forms\"".into() }).to_vec());
    old.reviewed = Some(day(1));
    old.review_due = Some(day(2));
    let words = Some(["apple"; 6]);
    let facts = |charter, today, board_words, bulletin, overdue_since| PageFacts {
        charter,
        founded: day(0),
        today,
        board_words,
        bulletin,
        overdue_since,
    };
    [
        facts(&new, day(1), None, None, None),
        facts(&silent, day(1), words, None, Some(day(0))),
        facts(&silent, day(1), words, Some(day(1)), None),
        facts(&old, day(40), words, Some(day(3)), Some(day(33))),
    ]
    .map(|facts| page(&facts, language))
    .to_vec()
}

fn sentences(page: &Page) -> Vec<String> {
    page.sections.iter().flat_map(|section| section.lines.clone()).collect()
}

#[test]
fn both_languages_read_at_grade_six_or_below() {
    for page in pages(Language::English) {
        let found = grade(&sentences(&page));
        assert!(found <= GRADE_MAX, "{found:.1}");
        for section in &page.sections {
            let found = grade(&section.lines);
            assert!(found <= GRADE_MAX, "{}: {found:.1}", section.heading);
        }
    }
    for page in pages(Language::Spanish) {
        let found = ease(&sentences(&page));
        assert!(found >= EASE_MIN, "{found:.1}");
        for section in &page.sections {
            let found = ease(&section.lines);
            assert!(found >= EASE_MIN, "{}: {found:.1}", section.heading);
        }
    }
}

#[test]
fn the_measures_tell_easy_from_hard() {
    let hard = ["Participation necessitates the documented authorization of multidisciplinary information disclosure, notwithstanding institutional confidentiality obligations.".to_owned()];
    assert!(grade(&hard) > 18.0, "{}", grade(&hard));
    let easy = ["The cat sat on the mat.".to_owned()];
    assert!(grade(&easy) < 0.0, "{}", grade(&easy));
    let difficult = ["La participación requiere la autorización documentada de la comunicación interdisciplinaria de informaciones personales confidenciales.".to_owned()];
    assert!(ease(&difficult) < 30.0, "{}", ease(&difficult));
    assert!(ease(&["El sol sale por el mar.".to_owned()]) > 100.0);
    for (word, count) in [("people", 2), ("police", 2), ("records", 2), ("time", 1), ("the", 1), ("any", 2)] {
        assert_eq!(english_syllables(word), count, "{word}");
    }
    for (word, count) in
        [("policía", 4), ("junta", 2), ("quien", 1), ("teléfono", 4), ("día", 2), ("leer", 2), ("guerra", 2), ("hoy", 1), ("puedes", 2)]
    {
        assert_eq!(spanish_syllables(word), count, "{word}");
    }
}

#[test]
fn what_is_late_or_not_said_shows_and_what_an_agency_wrote_is_shown_as_it_is() {
    let all = pages(Language::English);
    let text: Vec<String> = all.iter().map(Page::to_text).collect();
    assert!(text[0].contains("There is no board yet.") && text[0].contains("We have not yet said who pays us."));
    assert!(text[1].contains("The board has not started yet.") && text[1].contains("We have no deal with police."));
    assert!(text[2].contains("Only the board can read it.") && !text[2].contains("late"));
    assert_eq!(text[3].matches("It is late.").count(), 2, "bulletin and review");
    assert!(text[3].contains("- The health department") && text[3].contains("apple apple"));
    let html = all[3].to_html();
    assert!(html.contains("A &lt;b&gt;protocol&lt;/b&gt; &amp; &quot;forms&quot;") && !html.contains("<b>"));
    for loaded in ["<script", "src=", "href=", "http", "@import", "url("] {
        assert!(!html.contains(loaded), "{loaded}");
    }
    assert!(pages(Language::Spanish)[3].to_html().contains("<html lang=\"es\">"));
    for (english, spanish) in all.iter().zip(pages(Language::Spanish)) {
        let lines = |page: &Page| page.sections.iter().map(|section| section.lines.len()).collect::<Vec<_>>();
        assert_eq!(lines(english), lines(&spanish), "both say the same number of things");
    }
}

/// Somebody about whom nothing but a blank page is held, and somebody about whom everything is.
fn holdings() -> [Holding; 3] {
    let blank = Holding {
        language: Language::English,
        readers: 1,
        silent: 0,
        lost: 0,
        has_recovery: false,
        since: None,
        is_log_whole: true,
        page_until: day(400),
        page: vec![],
        has_recognition_word: false,
        meetings: vec![],
        meeting_days: 90,
        promises: vec![],
        referrals: 0,
        facts: vec![],
        grants: vec![],
        given: vec![],
        taken_back: vec![],
    };
    let facts = GatedCategory::ALL.iter().zip(Purpose::ALL.iter().cycle()).map(|(category, purpose)| HeldFacts {
        category: *category,
        purpose: *purpose,
        since: Some(day(1)),
        until: day(30),
        is_received: true,
        facts: vec![
            HeldFact { field: "legal_name", value: Some("Maria Gonzalez".into()) },
            HeldFact { field: "officer_name", value: None },
        ],
    });
    let grant = |act, purpose: Purpose| HeldGrant {
        act,
        categories: if act == Act::Record { vec![] } else { vec![GatedCategory::LegalName, GatedCategory::BirthDate] },
        purpose,
        recipient: (act == Act::Share).then(|| "Elm House".to_owned()),
        until: day(30),
    };
    let answered = |was_kept, awaited| GivenEvent::Answered { was_kept, awaited };
    let events = [
        GivenEvent::Given,
        GivenEvent::Stopped,
        GivenEvent::Asked,
        answered(true, 3),
        answered(true, 0),
        answered(false, 0),
        GivenEvent::JusticeGranted,
    ];
    let given = events.map(|event| Given { day: day(3), event, categories: vec![GatedCategory::LegalName], recipient: "Elm House".into() });
    let scopes = [None, Some(Act::Record), Some(Act::Share)];
    let taken = scopes.iter().flat_map(|act| {
        let kinds = [(None, true), (Some(GatedCategory::BirthDate), true), (None, false), (Some(GatedCategory::BirthDate), false)];
        kinds.map(|(category, is_settled)| TakenBack { day: day(4), act: *act, category, is_settled })
    });
    let full = Holding {
        readers: 4,
        silent: 2,
        lost: 3,
        has_recovery: true,
        since: Some(day(1)),
        is_log_whole: false,
        page: vec![("alias", "Blue".into()), ("goal", "a bed".into())],
        has_recognition_word: true,
        meetings: vec![(day(1), true), (day(2), false)],
        promises: vec![("a tent".into(), day(9))],
        referrals: 2,
        facts: facts.collect(),
        grants: Purpose::ALL.iter().flat_map(|purpose| [grant(Act::Record, *purpose), grant(Act::Share, *purpose)]).collect(),
        given: given.to_vec(),
        taken_back: taken.collect(),
        ..blank.clone()
    };
    let quiet = Holding { silent: 1, lost: 1, has_recovery: false, is_log_whole: false, ..blank.clone() };
    [blank, full, quiet]
}

#[test]
fn what_is_held_reads_as_easily_and_says_the_same_in_both_languages() {
    for holding in holdings() {
        let (english, spanish) = (holding.page(Language::English), holding.page(Language::Spanish));
        assert!(grade(&sentences(&english)) <= GRADE_MAX && ease(&sentences(&spanish)) >= EASE_MIN);
        for (section, other) in english.sections.iter().zip(&spanish.sections) {
            let found = grade(&section.lines);
            assert!(found <= GRADE_MAX, "{}: {found:.1} {:?}", section.heading, section.lines);
            let found = ease(&other.lines);
            assert!(found >= EASE_MIN, "{}: {found:.1} {:?}", other.heading, other.lines);
            assert_eq!((section.lines.len(), section.own_words.len()), (other.lines.len(), other.own_words.len()), "{}", section.heading);
        }
        assert_eq!(english.sections.len(), 8);
    }
    let [blank, full, quiet] = holdings().map(|holding| holding.page(Language::English).to_text());
    for said in ["Your page is blank.", "We hold no such fact.", "We gave no fact on you to any one.", "You took nothing back."] {
        assert!(blank.contains(said) && !full.contains(said), "{said}");
    }
    for (page, never) in [(&full, "no one else"), (&quiet, "no one else"), (&quiet, "We gave no fact")] {
        assert!(blank.contains(never) && !page.contains(never), "{never}: {page}");
    }
    for said in ["name that you chose: Blue", "legal name: Maria Gonzalez", "to Elm House", "What you said of others is not shown here."] {
        assert!(full.contains(said), "{said}");
    }
}
