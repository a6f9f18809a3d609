//! "What do you hold on me": everything that is stored about one participant, in plain words, in their language.
//!
//! Sentences are short on purpose; a test measures both languages. What they said themselves stands as it is. What they
//! said of other people is named and never shown; nor is a note's text, which may speak of others.

use super::grant::{Act, GatedCategory, Purpose};
use super::page::{Page, Section};
use super::words::{Language, category_words, list, purpose_words};
use satchel_wire::ShiftDay;

/// A fact as it may be shown: its category, and its value unless it speaks of somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldFact {
    /// The name of the field.
    pub field: &'static str,
    /// The value; none where it speaks of somebody else.
    pub value: Option<String>,
}

/// Facts of one category under one yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldFacts {
    /// The category.
    pub category: GatedCategory,
    /// Why.
    pub purpose: Purpose,
    /// Since when.
    pub since: Option<ShiftDay>,
    /// Until when.
    pub until: ShiftDay,
    /// They came from another team.
    pub is_received: bool,
    /// The facts.
    pub facts: Vec<HeldFact>,
}

/// A yes that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldGrant {
    /// To keep or to give.
    pub act: Act,
    /// Which facts; none: the page itself.
    pub categories: Vec<GatedCategory>,
    /// Why.
    pub purpose: Purpose,
    /// To whom, for a share.
    pub recipient: Option<String>,
    /// Until when.
    pub until: ShiftDay,
}

/// What became of a copy outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenEvent {
    /// It left.
    Given,
    /// Nothing more leaves.
    Stopped,
    /// The recipient was asked to erase it.
    Asked,
    /// The recipient answered, by their word.
    Answered {
        /// Any of it had been kept there.
        was_kept: bool,
        /// So many of their phones had not confirmed (count).
        awaited: u16,
    },
    /// A yes to police or courts was given.
    JusticeGranted,
}

/// A line of the sharing log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The day.
    pub day: ShiftDay,
    /// What happened.
    pub event: GivenEvent,
    /// Which facts.
    pub categories: Vec<GatedCategory>,
    /// The recipient.
    pub recipient: String,
}

/// Something that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// The day.
    pub day: ShiftDay,
    /// Only this act, or both.
    pub act: Option<Act>,
    /// Only this category, or all.
    pub category: Option<GatedCategory>,
    /// No erasure since then waits for a phone.
    pub is_settled: bool,
}

/// Everything that is held about one participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The participant's language, as far as there are words in it.
    pub language: Language,
    /// How many of the team's phones can open it.
    pub readers: usize,
    /// So many of them were silent for long (count).
    pub silent: usize,
    /// So many phones were lost or removed since the page began: they may still open it (count).
    pub lost: usize,
    /// The board can bring it back, with a phone of its own and slips of paper.
    pub has_recovery: bool,
    /// Since when there is a page, as far as a yes says so.
    pub since: Option<ShiftDay>,
    /// What was given to others is all known here, as far as this phone can tell.
    pub is_log_whole: bool,
    /// The last day of the page, if nobody meets them again.
    pub page_until: ShiftDay,
    /// What the page says: field and value, in the participant's words.
    pub page: Vec<(&'static str, String)>,
    /// A recognition word is kept; it is never shown.
    pub has_recognition_word: bool,
    /// Meetings: the day, and whether there is a note.
    pub meetings: Vec<(ShiftDay, bool)>,
    /// How long a meeting is kept (days).
    pub meeting_days: u16,
    /// What was promised, and until when.
    pub promises: Vec<(String, ShiftDay)>,
    /// How many services they asked to be connected to.
    pub referrals: usize,
    /// Gated facts.
    pub facts: Vec<HeldFacts>,
    /// Every yes that counts today.
    pub grants: Vec<HeldGrant>,
    /// What was given to others, the newest first.
    pub given: Vec<Given>,
    /// What was taken back, the newest first.
    pub taken_back: Vec<TakenBack>,
}

impl Holding {
    /// As a page to be shown or read out.
    pub fn page(&self, language: Language) -> Page {
        let speak = Speaker { language };
        let head = |english, spanish| if language == Language::English { english } else { spanish };
        let section = |heading, (lines, own_words)| Section { heading, lines, own_words };
        Page {
            language,
            title: head("What we hold on you", "Lo que hay aquí sobre usted"),
            sections: vec![
                section(head("Your page", "Su hoja"), self.page_lines(speak)),
                section(head("When we met", "Cuándo nos vimos"), self.meeting_lines(speak)),
                section(head("What we said we would do", "Lo que dijimos que haríamos"), self.promise_lines(speak)),
                section(head("Facts that you let us keep", "Datos que usted nos deja tener"), self.fact_lines(speak)),
                section(head("What you said yes to", "A qué dijo que sí"), self.grant_lines(speak)),
                section(head("What we gave to others", "Lo que dimos a otros"), self.given_lines(speak)),
                section(head("What you took back", "Lo que usted quitó"), self.taken_lines(speak)),
                section(head("What you can do", "Lo que usted puede hacer"), (speak.rights(), Vec::new())),
            ],
        }
    }

    fn page_lines(&self, speak: Speaker) -> (Vec<String>, Vec<String>) {
        let mut lines = vec![
            match self.since {
                Some(day) => {
                    speak.say(&format!("We keep a page on you since {day}."), &format!("Hay una hoja sobre usted desde el {day}."))
                }
                None => speak.say("We keep a page on you.", "Hay una hoja sobre usted."),
            },
            match self.readers {
                1 => speak.say("One of our phones can open it.", "La abre un solo teléfono del grupo."),
                n => speak.say(&format!("So far, {n} of our phones can open it."), &format!("La abren {n} teléfonos del grupo.")),
            },
        ];
        self.others_lines(speak, &mut lines);
        lines.push(speak.say(
            &format!("If we do not meet again, it goes on {}.", self.page_until),
            &format!("Si no nos vemos más, se borra el {}.", self.page_until),
        ));
        if self.has_recognition_word {
            lines.push(speak.say("We keep the word that we know you by. We do not show it.", "Hay una clave suya. No se muestra."));
        }
        lines.push(if self.page.is_empty() {
            speak.say("Your page is blank.", "Su hoja no dice nada.")
        } else {
            speak.say("This is what it says:", "Dice esto:")
        });
        (lines, self.page.iter().map(|(field, value)| format!("{}: {value}", speak.field(field))).collect())
    }

    /// Who else may open the page: nobody is passed over.
    fn others_lines(&self, speak: Speaker, lines: &mut Vec<String>) {
        match self.silent {
            0 => {}
            1 => lines.push(speak.say("We have not heard from one of them for long.", "De uno no se sabe nada hace mucho.")),
            n => lines.push(
                speak
                    .say(&format!("We have not heard from {n} of them for long."), &format!("De {n} de ellos no se sabe nada hace mucho.")),
            ),
        }
        match self.lost {
            0 => {}
            1 => lines.push(speak.say(
                "One more phone may still open it. It got lost, or it left us.",
                "Tal vez la abre un teléfono más. Se perdió, o ya no es del grupo.",
            )),
            n => lines.push(speak.say(
                &format!("As many as {n} more phones may still open it. They got lost, or they left us."),
                &format!("Tal vez la abren {n} teléfonos más. Se perdieron, o ya no son del grupo."),
            )),
        }
        if self.has_recovery {
            lines.push(speak.say(
                "If we lose our phones, our board can bring it back. It needs some slips that we gave to people we trust.",
                "Si perdemos los teléfonos, la junta la puede traer. Usa unas hojas que tiene gente de confianza.",
            ));
        }
        if self.lost == 0 && !self.has_recovery {
            lines.push(speak.say("We know of no one else who can.", "No se sabe de nadie más que la abra."));
        }
    }

    fn meeting_lines(&self, speak: Speaker) -> (Vec<String>, Vec<String>) {
        if self.meetings.is_empty() {
            return (vec![speak.say("We keep no note of a visit.", "No hay nota de una visita.")], Vec::new());
        }
        let mut lines = vec![
            speak.say("We keep the day of each visit, and what we had for you.", "Hay el día de cada visita y lo que le dimos."),
            speak.say(
                &format!("Each of these goes {} days after the visit.", self.meeting_days),
                &format!("Cada una se borra a los {} días.", self.meeting_days),
            ),
        ];
        if self.meetings.iter().any(|(_, has_note)| *has_note) {
            lines.push(speak.say("Some have a note. Ask us to read it to you.", "Hay alguna nota. Pida que se la lean."));
        }
        let note = speak.say("with a note", "con nota");
        (lines, self.meetings.iter().map(|(day, has_note)| if *has_note { format!("{day}, {note}") } else { day.to_string() }).collect())
    }

    fn promise_lines(&self, speak: Speaker) -> (Vec<String>, Vec<String>) {
        let mut lines = Vec::new();
        match self.referrals {
            0 => {}
            1 => lines.push(speak.say("You asked us to link you to one place.", "Usted pidió ir a un lugar.")),
            n => lines.push(speak.say(&format!("You asked us to link you to {n} places."), &format!("Usted pidió ir a {n} lugares."))),
        }
        lines.push(if self.promises.is_empty() {
            speak.say("We have nothing else to do for you now.", "No hay nada más que hacer por ahora.")
        } else {
            speak.say("We said that we would do this:", "Dijimos que haríamos esto:")
        });
        (lines, self.promises.iter().map(|(what, until)| format!("{what} ({until})")).collect())
    }

    fn fact_lines(&self, speak: Speaker) -> (Vec<String>, Vec<String>) {
        if self.facts.is_empty() {
            return (vec![speak.say("We hold no such fact.", "No hay ningún dato así.")], Vec::new());
        }
        let (mut lines, mut own) = (Vec::new(), Vec::new());
        for held in &self.facts {
            let (what, why) = (category_words(held.category, speak.language), purpose_words(held.purpose, speak.language));
            lines.push(speak.say(
                &format!("We hold {what}. It is for {why}. It goes on {}.", held.until),
                &format!("Hay esto: {what}. Es para {why}. Se borra el {}.", held.until),
            ));
            if let Some(since) = held.since {
                lines.push(speak.say(&format!("You let us keep it on {since}."), &format!("Nos dejó el {since}.")));
            }
            if held.is_received {
                lines.push(speak.say("It came from a team that you said yes to.", "Lo dio otro grupo, con el sí de usted."));
            }
            if held.facts.iter().any(|fact| fact.value.is_none()) {
                lines.push(speak.say("What you said of others is not shown here.", "Aquí no se ve lo que dijo de otros."));
            }
            own.extend(held.facts.iter().filter_map(|fact| Some(format!("{}: {}", speak.field(fact.field), fact.value.as_ref()?))));
        }
        (lines, own)
    }

    fn grant_lines(&self, speak: Speaker) -> (Vec<String>, Vec<String>) {
        let line = |grant: &HeldGrant| {
            let what = speak.what(&grant.categories);
            let why = purpose_words(grant.purpose, speak.language);
            let until = grant.until;
            match (&grant.recipient, grant.act) {
                (_, Act::Record) if grant.categories.is_empty() => {
                    speak.say(&format!("You let us keep a page until {until}."), &format!("Nos deja tener una hoja hasta el {until}."))
                }
                (_, Act::Record) => speak.say(
                    &format!("You let us keep {what}. It is for {why}. Your yes ends on {until}."),
                    &format!("Nos deja tener {what}. Es para {why}. Su sí se acaba el {until}."),
                ),
                (who, Act::Share) => {
                    let who = who.as_deref().unwrap_or("?");
                    speak.say(
                        &format!("You let us give {what} to {who}. It is for {why}. Your yes ends on {until}."),
                        &format!("Nos deja dar {what} a {who}. Es para {why}. Su sí se acaba el {until}."),
                    )
                }
            }
        };
        let mut lines: Vec<String> = self.grants.iter().map(line).collect();
        if lines.is_empty() {
            lines.push(speak.say("No yes of yours counts now.", "Ahora no hay ningún sí."));
        }
        (lines, Vec::new())
    }

    fn given_lines(&self, speak: Speaker) -> (Vec<String>, Vec<String>) {
        let line = |given: &Given| {
            let (day, who, what) = (given.day, &given.recipient, speak.what(&given.categories));
            match given.event {
                GivenEvent::Given => speak.say(&format!("On {day} we gave {what} to {who}."), &format!("El {day} dimos {what} a {who}.")),
                GivenEvent::Stopped => speak
                    .say(&format!("From {day} on we give no more of it to {who}."), &format!("Desde el {day} ya no damos más a {who}.")),
                GivenEvent::Asked => {
                    speak.say(&format!("On {day} we asked {who} to erase it."), &format!("El {day} le pedimos a {who} que lo borre."))
                }
                GivenEvent::Answered { was_kept: false, .. } => speak.say(
                    &format!("On {day} we heard from {who} that they did not keep it."),
                    &format!("El {day} {who} dijo que no lo tenía."),
                ),
                GivenEvent::Answered { awaited: 0, .. } => speak.say(
                    &format!("On {day} we heard from {who} that it is gone there. That is their word."),
                    &format!("El {day} {who} dijo que lo borró. Eso dice."),
                ),
                GivenEvent::Answered { awaited, .. } => speak.say(
                    &format!("On {day} we heard from {who} that they erased it. But {awaited} of their phones may still have it."),
                    &format!("El {day} {who} dijo que lo borró. Pero tal vez lo tienen {awaited} de sus teléfonos."),
                ),
                GivenEvent::JusticeGranted => speak.say(
                    &format!("On {day} you let us give {what} to {who}. They are part of the law."),
                    &format!("El {day} nos dejó dar {what} a {who}. Son parte de la ley."),
                ),
            }
        };
        let mut lines: Vec<String> = self.given.iter().map(line).collect();
        if self.given.is_empty() && self.is_log_whole {
            lines.push(speak.say("We gave no fact on you to any one.", "No dimos ningún dato a nadie."));
        } else if self.given.is_empty() {
            lines.push(speak.say("This phone knows of no fact that we gave.", "Este teléfono no sabe de ningún dato dado."));
        }
        if !self.is_log_whole {
            lines.push(speak.say("There may be more that it has not heard of yet.", "Puede haber más que aún no sabe."));
        }
        (lines, Vec::new())
    }

    fn taken_lines(&self, speak: Speaker) -> (Vec<String>, Vec<String>) {
        let line = |taken: &TakenBack| {
            let day = taken.day;
            let what = taken
                .category
                .map_or_else(|| speak.say("all of it", "todo"), |category| category_words(category, speak.language).to_owned());
            match taken.act {
                Some(Act::Share) => speak.say(
                    &format!("On {day} you said: do not give this to others: {what}."),
                    &format!("El {day} dijo que no se dé más: {what}."),
                ),
                _ if taken.is_settled => speak.say(
                    &format!("On {day} you took this back: {what}. We erased it."),
                    &format!("El {day} quitó esto: {what}. Lo borramos."),
                ),
                _ => speak.say(
                    &format!("On {day} you took this back: {what}. We erase it. Some of our phones have not said so yet."),
                    &format!("El {day} quitó esto: {what}. Lo borramos. Faltan unos teléfonos que aún no lo dicen."),
                ),
            }
        };
        let mut lines: Vec<String> = self.taken_back.iter().map(line).collect();
        if lines.is_empty() {
            lines.push(speak.say("You took nothing back.", "Usted no quitó nada."));
        }
        (lines, Vec::new())
    }
}

/// Says one thing in the language in hand.
#[derive(Clone, Copy)]
struct Speaker {
    language: Language,
}

impl Speaker {
    fn say(self, english: &str, spanish: &str) -> String {
        if self.language == Language::English { english.to_owned() } else { spanish.to_owned() }
    }

    fn what(self, categories: &[GatedCategory]) -> String {
        list(self.language, categories.iter().map(|category| category_words(*category, self.language)))
    }

    fn rights(self) -> Vec<String> {
        vec![
            self.say("You can say stop at any time. Then we erase it.", "Puede decir basta cuando quiera. Entonces lo borramos."),
            self.say("If it is wrong, tell us, and we fix it.", "Si algo está mal, lo dice y lo cambiamos."),
            self.say("You can ask for a slip on what you said yes to.", "Puede pedir una hoja con lo que dijo que sí."),
            self.say("We help you just the same.", "Le ayudamos igual."),
        ]
    }

    /// A field in words; what has none stands as it is called.
    fn field(self, name: &'static str) -> String {
        let (english, spanish) = match name {
            "alias" => ("name that you chose", "nombre que eligió"),
            "pronouns" => ("how we speak of you", "cómo hablamos de usted"),
            "language" => ("language", "idioma"),
            "contact" => ("how to reach you", "cómo ubicarle"),
            "goal" => ("what you want", "lo que quiere"),
            "closed" => ("closed", "cerrada"),
            "legal_name" => ("legal name", "nombre legal"),
            "birth_date" => ("birth date", "fecha de nacer"),
            "phone" => ("phone", "teléfono"),
            "email" => ("email", "correo"),
            "exact_place" => ("place", "lugar"),
            other => return other.replace('_', " "),
        };
        self.say(english, spanish)
    }
}
