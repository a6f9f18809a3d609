//! Workloads: a list of events that depends on a size and a seed and on nothing else.
//!
//! Every peer stores the same events with the same grouping: one participant, one grant and one encounter are
//! one record each, offers lie inside their encounter.

/// How much is on the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Size {
    /// A tenth of S, to try a change quickly. No aim is stated for it.
    Xs,
    /// 620 participants, 3,000 encounters, 9,000 offers: a team phone at 90 days.
    S,
    /// 3,000 participants, 12,000 encounters, 36,000 offers: one year.
    M,
    /// 15,000 participants, 60,000 encounters, 180,000 offers: five years, or a whole city team.
    L,
}

impl Size {
    /// Its letter.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xs => "XS",
            Self::S => "S",
            Self::M => "M",
            Self::L => "L",
        }
    }
    /// Participants (count).
    pub const fn participants(self) -> usize {
        match self {
            Self::Xs => 62,
            Self::S => 620,
            Self::M => 3_000,
            Self::L => 15_000,
        }
    }
    /// Encounters (count), of three offers each.
    pub const fn encounters(self) -> usize {
        match self {
            Self::Xs => 300,
            Self::S => 3_000,
            Self::M => 12_000,
            Self::L => 60_000,
        }
    }
    /// Participants and encounters, as the aims count records; each participant brings a grant, which is an envelope too.
    pub const fn records(self) -> usize {
        self.participants() + self.encounters()
    }
}

/// Retention destroys an encounter after 90 days, so whatever is on a phone was written within so many.
pub const DAYS: usize = 84;
/// Both phones meet so often: 12 times in all, so that everything has left and is a numbered body.
const WEEK_DAYS: usize = 7;
/// Zones (count).
pub const ZONES: usize = 12;
/// Resources that can be offered (count).
pub const RESOURCES: usize = 40;

/// A participant who says yes to a file.
#[derive(Debug, Clone)]
pub struct Person {
    /// Alias.
    pub alias: String,
    /// Pronouns.
    pub pronouns: Option<&'static str>,
    /// Language.
    pub language: Option<&'static str>,
    /// Safe-contact preference.
    pub contact: Option<&'static str>,
    /// Goals in order.
    pub goals: Vec<&'static str>,
}

/// One meeting.
#[derive(Debug, Clone)]
pub struct Meeting {
    /// Which participant (index), or nobody's file.
    pub person: Option<usize>,
    /// Place in the list of kinds.
    pub kind: usize,
    /// Which zone (index).
    pub zone: usize,
    /// Resource (index), quantity, place in the list of outcomes that stay with a record.
    pub offers: Vec<(usize, u16, usize)>,
    /// A short note.
    pub note: Option<&'static str>,
}

/// What happens on a phone.
#[derive(Debug, Clone)]
pub enum Event {
    /// The next shift day begins.
    NextDay,
    /// The colleague's phone is met, if there is one.
    EndOfWeek,
    /// A participant says yes.
    Person(Person),
    /// An encounter is written down.
    Meeting(Meeting),
}

/// A small generator (SplitMix64): the workload needs variety and repetition, not secrecy.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Starts at a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// A number below `n`; 0 when `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.next() % n as u64) as usize }
    }
    /// True in so many cases of a hundred.
    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }
    fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        all.get(self.below(all.len())).copied()
    }
}

const COLOURS: [&str; 16] = [
    "Blue", "Green", "Red", "Grey", "Copper", "Silver", "Amber", "Violet", "Coral", "Ivory", "Olive", "Teal", "Umber", "Indigo", "Lilac",
    "Ochre",
];
const THINGS: [&str; 16] = [
    "river", "kite", "stone", "cedar", "lantern", "sparrow", "maple", "comet", "pebble", "harbour", "willow", "anchor", "feather", "ember",
    "clover", "thistle",
];
const PRONOUNS: [&str; 4] = ["she", "he", "they", "ella"];
const LANGUAGES: [&str; 4] = ["en", "es", "tl", "vi"];
const CONTACTS: [&str; 3] = ["none", "ask at the drop-in", "leave word with the kitchen"];
const GOALS: [&str; 8] = [
    "a dry place",
    "see a doctor",
    "new shoes",
    "a place for the dog",
    "get the papers back",
    "call the sister",
    "a bed for winter",
    "work two days a week",
];
const NOTES: [&str; 6] = [
    "gave two kits and water",
    "asked about the winter shelter, wants to hear again next week",
    "foot is better than last time",
    "wants socks in a bigger size",
    "talked about the drop-in and its hours; would like company on the way there",
    "in good spirits",
];

/// All events of a size and seed, in their order.
pub fn events(size: Size, seed: u64) -> Vec<Event> {
    let mut dice = Dice::new(seed);
    let (people, encounters) = (size.participants(), size.encounters());
    let mut events = Vec::with_capacity(people + encounters + DAYS);
    let (mut written_people, mut written_encounters) = (0, 0);
    for day in 0..DAYS {
        if day > 0 {
            events.push(Event::NextDay);
        }
        // most files are begun early: three quarters in the first half
        let people_due = if day < DAYS / 2 {
            people * 3 * (day + 1) / (4 * (DAYS / 2))
        } else {
            people * 3 / 4 + people * (day + 1 - DAYS / 2) / (4 * (DAYS / 2))
        };
        while written_people < people_due.min(people) || (day + 1 == DAYS && written_people < people) {
            events.push(Event::Person(person(&mut dice, written_people)));
            written_people += 1;
        }
        while written_encounters < encounters * (day + 1) / DAYS {
            events.push(Event::Meeting(meeting(&mut dice, written_people)));
            written_encounters += 1;
        }
        if day % WEEK_DAYS == WEEK_DAYS - 1 {
            events.push(Event::EndOfWeek);
        }
    }
    events
}

/// One participant.
pub fn person(dice: &mut Dice, number: usize) -> Person {
    let colour = COLOURS[number % COLOURS.len()];
    let thing = THINGS[(number / COLOURS.len()) % THINGS.len()];
    let first = dice.below(GOALS.len());
    let goals = (0..dice.below(4)).map(|n| GOALS[(first + n) % GOALS.len()]).collect();
    Person {
        alias: format!("{colour} {thing}"),
        pronouns: if dice.percent(60) { dice.one_of(&PRONOUNS) } else { None },
        language: dice.one_of(&LANGUAGES),
        contact: if dice.percent(50) { dice.one_of(&CONTACTS) } else { None },
        goals,
    }
}

/// One encounter of three offers, nine in ten with a participant who has a file.
pub fn meeting(dice: &mut Dice, people: usize) -> Meeting {
    let person = (people > 0 && dice.percent(90)).then(|| dice.below(people));
    let offers = (0..3).map(|_| offer(dice)).collect();
    Meeting {
        person,
        kind: dice.below(4),
        zone: dice.below(ZONES),
        offers,
        note: if dice.percent(30) { dice.one_of(&NOTES) } else { None },
    }
}

/// One offer whose outcome stays with the record.
pub fn offer(dice: &mut Dice) -> (usize, u16, usize) {
    (dice.below(RESOURCES), 1 + dice.below(3) as u16, dice.below(5))
}
