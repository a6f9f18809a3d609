//! The words that are shown or read out before somebody says yes, numbered: a grant says which ones were used.
//!
//! A text is never changed: better words get the next number, and the old ones stay here, so that it can be shown later
//! what was said. The numbers are a closed list: a new one is a schema version. `{what}`, `{why}`, `{who}` and `{until}`
//! are filled in; nothing else is.

use super::grant::{Act, GatedCategory, Purpose, ShareClass};

/// A language in which there are words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// English.
    English,
    /// Spanish.
    Spanish,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::English, Self::Spanish];
    /// Two lower-case letters (ISO 639-1).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }
    /// The language of a code; none for one without words.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.as_str() == code)
    }
    const fn pick<'t>(self, english: &'t str, spanish: &'t str) -> &'t str {
        match self {
            Self::English => english,
            Self::Spanish => spanish,
        }
    }
}

/// What is said for what.
struct Entry {
    number: u16,
    act: Act,
    is_for_file: bool,
    class: Option<ShareClass>,
    english: &'static str,
    spanish: &'static str,
}

const fn share(number: u16, class: ShareClass, english: &'static str, spanish: &'static str) -> Entry {
    Entry { number, act: Act::Share, is_for_file: false, class: Some(class), english, spanish }
}

/// Every text there ever was, oldest first.
const TABLE: &[Entry] = &[
    Entry {
        number: 1,
        act: Act::Record,
        is_for_file: true,
        class: None,
        english: "May we keep a page about you? It holds the name you choose, what you want, and when we met. Only our team can open \
                  it. The page ends by itself on {until}. You can say stop at any time, to any of us. Then we erase it. If you say \
                  no, we help you just the same.",
        spanish: "¿Podemos tener una hoja sobre usted? Tiene el nombre que usted elige, lo que usted quiere y cuándo nos vimos. Solo \
                  la abre nuestro equipo. La hoja se acaba sola el {until}. Usted puede decir basta en todo momento. Entonces la \
                  borramos. Si dice que no, le ayudamos igual.",
    },
    Entry {
        number: 2,
        act: Act::Record,
        is_for_file: false,
        class: None,
        english: "May we write down {what}? We use it only for {why}. Only our team can open it. It ends by itself on {until}, and \
                  then we erase it. You can say stop at any time, to any of us. If you say no, we help you just the same.",
        spanish: "¿Podemos anotar {what}? Lo usamos solo para {why}. Solo lo abre nuestro equipo. Se acaba solo el {until}, y \
                  entonces lo borramos. Usted puede decir basta en todo momento. Si dice que no, le ayudamos igual.",
    },
    share(
        3,
        ShareClass::Service,
        "May we give {what} to {who}? It is only for {why}. They may keep what we give them. Your yes ends on {until}. You can say \
         stop at any time. Then we stop, and ask them to erase it. If you say no, we help you just the same.",
        "¿Podemos dar {what} a {who}? Es solo para {why}. Ellos pueden guardar lo que les damos. Su sí se acaba el {until}. Usted \
         puede decir basta en todo momento. Entonces paramos y les pedimos que lo borren. Si dice que no, le ayudamos igual.",
    ),
    share(
        4,
        ShareClass::Legal,
        "{who} helps with the law. May we give them {what}? It is only for {why}. They may keep what we give them. Your yes ends on \
         {until}. You can say stop at any time. Then we stop, and ask them to erase it. You can talk to them first. If you say no, \
         we help you just the same.",
        "{who} ayuda con la ley. ¿Podemos darles {what}? Es solo para {why}. Ellos pueden guardar lo que les damos. Su sí se acaba \
         el {until}. Usted puede decir basta en todo momento. Entonces paramos y les pedimos que lo borren. Puede hablar antes con \
         ellos. Si dice que no, le ayudamos igual.",
    ),
    share(
        5,
        ShareClass::Health,
        "{who} gives care. May we give them {what}? It is only for {why}. They may put it in their files and keep it. Your yes ends \
         on {until}. You can say stop at any time. Then we stop, and ask them to erase it. If you say no, we help you just the same.",
        "{who} da cuidados. ¿Podemos darles {what}? Es solo para {why}. Ellos pueden ponerlo en sus papeles y guardarlo. Su sí se \
         acaba el {until}. Usted puede decir basta en todo momento. Entonces paramos y les pedimos que lo borren. Si dice que no, le \
         ayudamos igual.",
    ),
    share(
        6,
        ShareClass::Benefits,
        "{who} is an office. May we give them {what}? It is only for {why}. They can use it when they say yes or no to you. They may \
         keep it and show it to other offices. Your yes ends on {until}. You can say stop at any time. Then we stop, and ask them to \
         erase it. If you say no, we help you just the same.",
        "{who} es una oficina. ¿Podemos darles {what}? Es solo para {why}. Ellos lo pueden usar cuando le digan que sí o que no. Lo \
         pueden guardar y mostrar a otros. Su sí se acaba el {until}. Usted puede decir basta en todo momento. Entonces paramos y \
         les pedimos que lo borren. Si dice que no, le ayudamos igual.",
    ),
    share(
        7,
        ShareClass::Emergency,
        "If you are hurt or very sick, may we give {what} to {who}? We do it only then. They may keep what we give them. Your yes \
         ends on {until}. You can say stop at any time. If you say no, we help you just the same.",
        "Si usted está muy mal, ¿podemos dar {what} a {who}? Solo en ese caso. Ellos pueden guardar lo que les damos. Su sí se acaba \
         el {until}. Usted puede decir basta en todo momento. Si dice que no, le ayudamos igual.",
    ),
    share(
        8,
        ShareClass::OwnCopy,
        "Do you want your own copy of {what}? You can take it with you. If somebody finds it, they can read it. We can not take it \
         back. You can ask for it until {until}. If you say no, we help you just the same.",
        "¿Quiere una copia de {what}? Se la puede llevar. Si alguien la ve, la puede leer. No la podemos quitar después. La puede \
         pedir hasta el {until}. Si dice que no, le ayudamos igual.",
    ),
    share(
        9,
        ShareClass::Justice,
        "{who} is part of the police, the courts or a jail. May we give them {what}? They can use it against you. They can keep it \
         for good. We can not take it back. You can talk to a lawyer first. It is only for {why}. Your yes ends on {until}. You can \
         say stop at any time, and we give them no more. You do not have to say yes. If you say no, we help you just the same.",
        "{who} es parte de la policía, de la corte o de la cárcel. ¿Podemos darles {what}? Lo pueden usar contra usted. Lo pueden \
         guardar para siempre. No lo podemos quitar después. Puede hablar antes con su abogado. Es solo para {why}. Su sí se acaba \
         el {until}. Usted puede decir basta en todo momento, y ya no les damos más. No tiene que decir que sí. Si dice que no, le \
         ayudamos igual.",
    ),
];

/// The number of the words that are used today.
pub fn current(act: Act, is_for_file: bool, class: Option<ShareClass>) -> u16 {
    let says = |entry: &&Entry| is_said(entry, act, is_for_file, class);
    TABLE.iter().rev().find(says).map_or(0, |entry| entry.number)
}

/// Whether some words were written for what a grant says. False for a number that does not exist.
pub fn fits(number: u16, act: Act, is_for_file: bool, class: Option<ShareClass>) -> bool {
    TABLE.iter().any(|entry| entry.number == number && is_said(entry, act, is_for_file, class))
}

/// Whether some words were written for a share.
pub fn is_of_a_share(number: u16) -> bool {
    TABLE.iter().any(|entry| entry.number == number && entry.act == Act::Share)
}

fn is_said(entry: &Entry, act: Act, is_for_file: bool, class: Option<ShareClass>) -> bool {
    entry.act == act && entry.is_for_file == (is_for_file && act == Act::Record) && entry.class == class
}

/// The words of a number with their gaps; none for a number that does not exist.
pub fn text(number: u16, language: Language) -> Option<&'static str> {
    let entry = TABLE.iter().find(|entry| entry.number == number)?;
    Some(language.pick(entry.english, entry.spanish))
}

/// What is filled in: what, why, to whom, until when.
#[derive(Debug, Clone, Copy)]
pub struct Gaps<'t> {
    /// The gated categories.
    pub what: &'t [GatedCategory],
    /// The purpose.
    pub why: Purpose,
    /// How the recipient is called; empty where there is none.
    pub who: &'t str,
    /// The last day, as it is to be read.
    pub until: &'t str,
}

/// Words ready to be shown or read out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Their number, for the grant.
    pub number: u16,
    /// Their language.
    pub language: Language,
    /// The text.
    pub text: String,
}

/// Fills the words of a number in; none for a number that does not exist.
pub fn fill(number: u16, language: Language, gaps: &Gaps<'_>) -> Option<Words> {
    let what = list(language, gaps.what.iter().map(|category| category_words(*category, language)));
    let mut rest = text(number, language)?;
    let mut filled = String::with_capacity(rest.len() + 64);
    // from left to right and once: what is filled in may itself look like a gap
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (gap, behind) = after.split_once('}')?;
        filled.push_str(match gap {
            "what" => &what,
            "why" => purpose_words(gaps.why, language),
            "who" => gaps.who,
            "until" => gaps.until,
            _ => return None,
        });
        rest = behind;
    }
    filled.push_str(rest);
    Some(Words { number, language, text: filled })
}

pub(super) fn list<'t>(language: Language, items: impl ExactSizeIterator<Item = &'t str>) -> String {
    let last = items.len().saturating_sub(1);
    let mut text = String::new();
    for (at, item) in items.enumerate() {
        match at {
            0 => {}
            _ if at == last => text.push_str(language.pick(" and ", " y ")),
            _ => text.push_str(", "),
        }
        text.push_str(item);
    }
    text
}

/// A category in plain words, as the end of "write down …".
pub const fn category_words(category: GatedCategory, language: Language) -> &'static str {
    let (english, spanish) = match category {
        GatedCategory::LegalName => ("your legal name", "su nombre legal"),
        GatedCategory::BirthDate => ("your birth date", "su fecha de nacer"),
        GatedCategory::ContactDetail => ("how to reach you", "cómo ubicarle"),
        GatedCategory::ExactPlace => ("the place where you stay", "el lugar donde está"),
        GatedCategory::GovernmentId => ("your ID numbers", "los números de sus papeles"),
        GatedCategory::Immigration => ("what papers you have to be in this country", "sus papeles para estar en este país"),
        GatedCategory::JusticeContact => ("your police or court case", "su caso con la policía o la corte"),
        GatedCategory::Officer => ("who the officer was", "quién fue el policía"),
        GatedCategory::PhysicalDescription => ("what you look like", "cómo es su cuerpo y su cara"),
        GatedCategory::Vehicle => ("your car", "su carro"),
        GatedCategory::ThirdParty => ("what you say about another person", "lo que dice de otra persona"),
        GatedCategory::Demographics => ("how you describe yourself", "cómo se describe usted"),
    };
    language.pick(english, spanish)
}

/// A purpose in plain words, as the end of "it is only for …".
pub const fn purpose_words(purpose: Purpose, language: Language) -> &'static str {
    let (english, spanish) = match purpose {
        Purpose::ServiceConnection => ("getting you a service", "darle un servicio"),
        Purpose::WarmHandoff => ("taking you to somebody who helps", "llevarle con quien le ayuda"),
        Purpose::BenefitsApplication => ("asking for benefits", "pedir ayudas"),
        Purpose::HousingApplication => ("asking for housing", "pedir casa"),
        Purpose::LegalDefence => ("helping you in a case against you", "ayudarle en un caso contra usted"),
        Purpose::HealthCare => ("your health", "su salud"),
        Purpose::EmergencyContact => ("an emergency", "algo muy urgente"),
        Purpose::OwnCopy => ("your own copy", "su copia"),
    };
    language.pick(english, spanish)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn filled(entry: &Entry, language: Language) -> Words {
        let what = [GatedCategory::LegalName, GatedCategory::BirthDate];
        let gaps = Gaps { what: &what, why: Purpose::HousingApplication, who: "Elm House", until: language.pick("May 3", "3 de mayo") };
        fill(entry.number, language, &gaps).unwrap()
    }

    #[test]
    fn there_are_words_for_everything_that_can_be_asked() {
        let classes = ShareClass::ALL.iter().map(|class| (Act::Share, false, Some(*class)));
        let all: Vec<_> = [(Act::Record, true, None), (Act::Record, false, None)].into_iter().chain(classes).collect();
        for (act, is_for_file, class) in all {
            let number = current(act, is_for_file, class);
            assert!(number > 0 && fits(number, act, is_for_file, class), "{act:?} {class:?}");
        }
        assert_eq!(current(Act::Share, false, None), 0, "a share to nobody has none");
        let justice = current(Act::Share, false, Some(ShareClass::Justice));
        assert!(!fits(justice, Act::Share, false, Some(ShareClass::Service)), "words of their own");
        assert!(!fits(0, Act::Record, true, None) && !fits(999, Act::Record, true, None));
        let numbers: std::collections::BTreeSet<u16> = TABLE.iter().map(|entry| entry.number).collect();
        assert_eq!(numbers.len(), TABLE.len());
    }

    #[test]
    fn every_gap_is_filled_once() {
        for entry in TABLE {
            for language in Language::ALL {
                let words = filled(entry, language);
                assert!(!words.text.contains(['{', '}']), "{}", words.text);
                assert!(words.text.contains(language.pick("May 3", "3 de mayo")), "an end is always said: {}", words.text);
                let asks = words.text.contains(language.pick("your legal name and your birth date", "su nombre legal y su fecha de nacer"));
                assert_eq!(asks, !entry.is_for_file, "{}", words.text);
                assert!(
                    words.text.contains(language.pick("If you say no, we help you just the same.", "Si dice que no, le ayudamos igual."))
                );
            }
        }
        let sly = Gaps { what: &[], why: Purpose::HealthCare, who: "{until}", until: "May 3" };
        assert!(fill(3, Language::English, &sly).unwrap().text.contains("to {until}?"), "a name is not a gap");
    }

    /// Syllables of a word, roughly: groups of vowels, without a silent e in English.
    fn syllables(word: &str, language: Language) -> usize {
        let folded: String = word.to_lowercase().chars().filter(|c| c.is_alphabetic()).collect();
        let is_vowel = |c: char| "aeiouyáéíóúü".contains(c);
        let mut count = 0;
        let mut before = false;
        for c in folded.chars() {
            let vowel = is_vowel(c);
            // in Spanish an accented i or u stands alone, and two strong vowels are two syllables
            count += usize::from(vowel && (!before || (language == Language::Spanish && "íú".contains(c))));
            before = vowel;
        }
        let silent = language == Language::English && folded.ends_with('e') && !folded.ends_with("le") && count > 1;
        (count - usize::from(silent)).max(1)
    }

    /// Flesch-Kincaid grade for English; Crawford's grade for Spanish (1984).
    fn grade(text: &str, language: Language) -> f64 {
        let words: Vec<&str> = text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).collect();
        let sentences = text.matches(['.', '?']).count() as f64;
        let count = words.len() as f64;
        let spoken = words.iter().map(|word| syllables(word, language)).sum::<usize>() as f64;
        match language {
            Language::English => 0.39 * count / sentences + 11.8 * spoken / count - 15.59,
            Language::Spanish => -0.205 * (100.0 * sentences / count) + 0.049 * (100.0 * spoken / count) - 3.407,
        }
    }

    #[test]
    fn everybody_can_read_them() {
        for entry in TABLE {
            for language in Language::ALL {
                let words = filled(entry, language);
                let grade = grade(&words.text, language);
                assert!(grade <= 6.0, "{grade:.1}: {}", words.text);
            }
        }
        let lawyers = "The undersigned individual hereby authorizes the dissemination of personally identifying information to \
                       participating organizations, notwithstanding applicable confidentiality regulations.";
        assert!(grade(lawyers, Language::English) > 12.0);
        let abogados = "La persona infrascrita autoriza irrevocablemente la comunicación de informaciones identificativas personales a \
                        cualesquiera organizaciones participantes, independientemente de la normativa aplicable.";
        assert!(grade(abogados, Language::Spanish) > 6.0);
    }

    #[test]
    fn each_category_and_purpose_has_words_of_its_own() {
        for language in Language::ALL {
            let categories: std::collections::BTreeSet<_> = GatedCategory::ALL.iter().map(|c| category_words(*c, language)).collect();
            let purposes: std::collections::BTreeSet<_> = Purpose::ALL.iter().map(|p| purpose_words(*p, language)).collect();
            assert_eq!((categories.len(), purposes.len()), (GatedCategory::ALL.len(), Purpose::ALL.len()));
        }
    }
}
