//! The charter as a page for a participant: plain words in English and Spanish, from the settings in force.
//!
//! Sentences are short on purpose; a test measures both languages. What an agency wrote itself stands as it is.

use super::charter::{AgreementWith, Charter};
use super::words::Language;
use satchel_wire::ShiftDay;

/// What the page is made from.
#[derive(Debug, Clone)]
pub struct PageFacts<'a> {
    /// The charter in force.
    pub charter: &'a Charter,
    /// The team's first day.
    pub founded: ShiftDay,
    /// Today.
    pub today: ShiftDay,
    /// Six words of the board's key.
    pub board_words: Option<[&'static str; 6]>,
    /// Day of the board's newest bulletin; none: no complaint can be made yet.
    pub bulletin: Option<ShiftDay>,
    /// Since when the next bulletin has been due.
    pub overdue_since: Option<ShiftDay>,
}

/// A heading and its sentences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub heading: &'static str,
    /// Sentences, each of which stands alone.
    pub lines: Vec<String>,
    /// Lines that the agency wrote, below the sentences.
    pub own_words: Vec<String>,
}

/// The page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its language.
    pub language: Language,
    /// Its title.
    pub title: &'static str,
    /// Its sections.
    pub sections: Vec<Section>,
}

impl Page {
    /// As text, one sentence a line.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.title);
        for section in &self.sections {
            text.push_str(&format!("\n{}\n", section.heading));
            section.lines.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
            section.own_words.iter().for_each(|line| text.push_str(&format!("    - {line}\n")));
        }
        text
    }

    /// As one HTML document without anything from elsewhere: no script, style sheet, font or picture is loaded.
    pub fn to_html(&self) -> String {
        let mut html = format!(
            "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>{}</title>\n</head>\n<body>\n<h1>{}</h1>\n",
            self.language.as_str(),
            escape(self.title),
            escape(self.title)
        );
        for section in &self.sections {
            html.push_str(&format!("<h2>{}</h2>\n", escape(section.heading)));
            section.lines.iter().for_each(|line| html.push_str(&format!("<p>{}</p>\n", escape(line))));
            if !section.own_words.is_empty() {
                html.push_str("<ul>\n");
                section.own_words.iter().for_each(|line| html.push_str(&format!("<li>{}</li>\n", escape(line))));
                html.push_str("</ul>\n");
            }
        }
        html.push_str("</body>\n</html>\n");
        html
    }
}

fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
        out
    })
}

/// The page of a charter in a language.
pub fn page(facts: &PageFacts<'_>, language: Language) -> Page {
    let say = |english: &str, spanish: &str| match language {
        Language::English => english.to_owned(),
        Language::Spanish => spanish.to_owned(),
    };
    let head = |english: &'static str, spanish: &'static str| match language {
        Language::English => english,
        Language::Spanish => spanish,
    };
    let section = |heading, lines, own_words| Section { heading, lines, own_words };
    let charter = facts.charter;
    let kept = charter.retention;
    let choose = vec![
        say("You do not have to tell us your name.", "No tienes que decirnos tu nombre."),
        say("You can say no to any of it.", "Puedes decir que no a todo."),
        say("If you say no, you still get help.", "Si dices que no, te damos la misma ayuda."),
        say("We keep a file on you only if you say yes.", "Solo hay una hoja sobre ti si dices que sí."),
        say("You can take your yes back at any time.", "Puedes quitar ese sí cuando quieras."),
        say("Just say so, and the file goes.", "Lo dices, y la hoja se borra."),
        say("You can ask to see what we have on you.", "Puedes pedir ver lo que hay sobre ti."),
    ];
    let keep = vec![
        say(
            &format!("We keep notes of a visit for {} days at most.", kept.encounter_days),
            &format!("La nota de una visita dura {} días como mucho.", kept.encounter_days),
        ),
        say(&format!("The part of town goes after {} days.", kept.zone_days), &format!("La zona se borra a los {} días.", kept.zone_days)),
        say(
            &format!("Your file goes {} days after we last met.", kept.participant_days),
            &format!("Tu hoja se borra a los {} días de la última vez que te vimos.", kept.participant_days),
        ),
        say("A fact like your birth date needs one more yes.", "Un dato como tu edad pide otro sí."),
        say(
            &format!("That yes ends after {} days at most.", charter.grant_days.record),
            &format!("Ese sí dura {} días como mucho.", charter.grant_days.record),
        ),
        say(
            &format!("To tell it to one other place, we ask you again. That ends after {} days.", charter.grant_days.share),
            &format!("Para darlo a otro lugar, te lo pedimos otra vez. Dura {} días.", charter.grant_days.share),
        ),
        say(
            &format!("A count below {} is not shown to those who pay us.", charter.suppression),
            &format!("Un número menor que {} no se le da a quien nos paga.", charter.suppression),
        ),
        say(
            &format!("If one of our phones is not heard from for {} days, it gets no new keys.", charter.absence_limit_days),
            &format!("Si un teléfono calla por {} días, ya no le damos claves.", charter.absence_limit_days),
        ),
        say(&format!("The last day of our team is {}.", charter.sunset), &format!("El fin del grupo es el {}.", charter.sunset)),
        say("Then all of it is wiped.", "Ese día todo se borra."),
        say("To go on, we need the yes of the board.", "Para seguir, la junta tiene que decir que sí."),
    ];
    let never = vec![
        say("We have no place to write that you use drugs or sell sex.", "No hay dónde poner que usas drogas o que vendes sexo."),
        say("We have no place for your photo.", "No hay dónde poner tu foto."),
        say("We do not keep a list of people who said no.", "No hay una lista de quien dijo que no."),
        say("We do not keep track of who you are with.", "No se pone con quién andas."),
        say("We do not ask if you are clean or sober.", "No te vamos a pedir que dejes de usar."),
    ];
    Page {
        language,
        title: head("What we promise you", "Lo que te prometemos"),
        sections: vec![
            section(head("You choose", "Tú eliges"), choose, Vec::new()),
            section(head("What we keep, and how long", "Qué queda, y por cuánto tiempo"), keep, Vec::new()),
            section(head("What we do not keep", "Qué no queda"), never, Vec::new()),
            police(facts, language),
            funders(facts, language),
            board(facts, language),
            review(facts, language),
            section(
                head("What can go wrong", "Qué puede salir mal"),
                vec![
                    say("A phone that is open shows what is in it.", "Un teléfono abierto muestra lo que tiene."),
                    say("So we keep little.", "Por eso queda poco."),
                    say("One of us may still recall what you said.", "Uno de nosotros puede acordarse de lo que dijiste."),
                    say("What you let us share, we can not call back.", "Lo que nos dejas dar a otros ya no vuelve."),
                ],
                Vec::new(),
            ),
        ],
    }
}

fn police(facts: &PageFacts<'_>, language: Language) -> Section {
    let english = language == Language::English;
    let line = |en: &str, es: &str| if english { en.to_owned() } else { es.to_owned() };
    let mut lines = vec![
        line("Police have no way into our records.", "La policía no entra en lo que hay aquí."),
        if facts.charter.justice_shares {
            line("We give them a fact only if you ask us to.", "Solo les damos un dato si tú lo pides.")
        } else {
            line("We can not send them a fact on you from here.", "Desde aquí no se les puede dar un dato sobre ti.")
        },
    ];
    let mut own_words = Vec::new();
    match &facts.charter.agreements {
        None => lines.push(line(
            "We have not yet said if we have a deal with police. Ask us.",
            "Aún no se dijo si hay un trato con la policía. Pregunta.",
        )),
        Some(agreements) => {
            for with in AgreementWith::ALL {
                let found: Vec<&str> = agreements.iter().filter(|known| known.with == with).map(|known| known.what.as_str()).collect();
                let (en, es) = match with {
                    AgreementWith::Police => ("police", "la policía"),
                    AgreementWith::Prosecutors => ("the courts", "los jueces ni fiscales"),
                    AgreementWith::AntiTrafficking => ("groups that fight the sex trade", "grupos contra la trata"),
                    AgreementWith::Recovery => ("groups that want you to quit", "grupos que piden dejar de usar"),
                };
                if found.is_empty() {
                    lines.push(line(&format!("We have no deal with {en}."), &format!("No hay trato con {es}.")));
                } else {
                    lines.push(line(&format!("We have a deal with {en}. See below."), &format!("Sí hay un trato con {es}. Mira abajo.")));
                    own_words.extend(found.into_iter().map(str::to_owned));
                }
            }
        }
    }
    Section { heading: if english { "Police and courts" } else { "Policía y jueces" }, lines, own_words }
}

fn funders(facts: &PageFacts<'_>, language: Language) -> Section {
    let english = language == Language::English;
    let funders = facts.charter.funders.as_deref();
    let line = match (funders, english) {
        (None, true) => "We have not yet said who pays us. Ask us.",
        (None, false) => "Aún no se dijo quién nos paga. Pregunta.",
        (Some([]), true) => "No one pays us.",
        (Some([]), false) => "Nadie nos paga.",
        (Some(_), true) => "These pay us:",
        (Some(_), false) => "Nos pagan:",
    };
    let rule = if english { "To add one, we need the yes of the board." } else { "Para sumar uno, la junta tiene que decir que sí." };
    Section {
        heading: if english { "Who pays us" } else { "Quién nos paga" },
        lines: vec![line.to_owned(), rule.to_owned()],
        own_words: funders.unwrap_or_default().to_vec(),
    }
}

fn board(facts: &PageFacts<'_>, language: Language) -> Section {
    let english = language == Language::English;
    let line = |en: &str, es: &str| if english { en.to_owned() } else { es.to_owned() };
    let mut lines = Vec::new();
    match (facts.board_words, facts.bulletin) {
        (Some(words), Some(day)) => {
            lines.extend([
                line("You can tell the board what went wrong.", "Puedes decirle a la junta qué salió mal."),
                line("It can be about us or about police.", "Puede ser por nosotros o por la policía."),
                line("You do not have to say who you are.", "No tienes que decir quién eres."),
                line("Only the board can read it.", "Solo la junta lo puede leer."),
                line("We give you a code. Keep it safe.", "Te damos un código. Guarda ese papel."),
                line("With it you can ask the board what came of it.", "Con él le preguntas a la junta qué pasó."),
                line("Ask the board, not us. A phone can lie.", "Pregunta a la junta, no a nosotros. Un teléfono puede mentir."),
                line(&format!("The board last wrote on {day}."), &format!("La junta escribió el {day}.")),
                line("Ask the board if these are its words:", "Pregunta a la junta si estas son sus palabras:"),
            ]);
            if let Some(due) = facts.overdue_since {
                lines.push(line(
                    &format!("The board had to write by {due}. It is late. Ask why."),
                    &format!("La junta tenía que escribir antes del {due}. No lo hizo. Pregunta por qué."),
                ));
            }
            return Section { heading: if english { "The board" } else { "La junta" }, lines, own_words: vec![words.join(" ")] };
        }
        (Some(_), None) => lines.push(line("The board has not started yet.", "La junta aún no empieza.")),
        (None, _) => lines.push(line("There is no board yet.", "Aún no hay junta.")),
    }
    lines.push(line("So you can not complain here yet.", "Por eso aquí no hay queja todavía."));
    if let Some(due) = facts.overdue_since {
        lines.push(line(&format!("It had to start by {due}. Ask why."), &format!("Tenía que empezar antes del {due}. Pregunta por qué.")));
    }
    Section { heading: if english { "The board" } else { "La junta" }, lines, own_words: Vec::new() }
}

fn review(facts: &PageFacts<'_>, language: Language) -> Section {
    let english = language == Language::English;
    let line = |en: &str, es: &str| if english { en.to_owned() } else { es.to_owned() };
    let due = facts.charter.review_due(facts.founded);
    let mut lines = vec![match facts.charter.reviewed {
        Some(day) => line(
            &format!("You and the board last went over this page on {day}."),
            &format!("La gente y la junta vieron esta hoja el {day}."),
        ),
        None => line("You and the board have not gone over this page yet.", "La gente y la junta aún no vieron esta hoja."),
    }];
    lines.push(if due < facts.today {
        line(&format!("It was due on {due}. It is late. Ask us why."), &format!("Tocaba el {due}. Ya es tarde. Pregunta por qué."))
    } else {
        line(&format!("The next time is due on {due}."), &format!("Toca otra vez el {due}."))
    });
    Section { heading: if english { "Is this page up to date?" } else { "¿Está al día esta hoja?" }, lines, own_words: Vec::new() }
}
