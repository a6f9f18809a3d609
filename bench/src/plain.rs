//! The peer: the same records as plain JSON rows in SQLite (WAL, `synchronous=FULL`), as a careful app would write them.
//!
//! What lists show (alias, closed, last day) stands in columns and not in the JSON; ids inside the JSON are hexadecimal text.

use crate::Fail;
use crate::satchel::{OUTCOMES, resource};
use crate::workload::{Dice, Event, Meeting, Person, ZONES};
use rusqlite::{Connection, TransactionBehavior, params};
use satchel_core::record::EncounterKind;
use serde_json::{Map, Value, json};
use std::path::Path;

const SCHEMA: &str = "
    CREATE TABLE participant (id BLOB PRIMARY KEY, last_day INTEGER NOT NULL, alias TEXT, closed INTEGER NOT NULL, body TEXT NOT NULL);
    CREATE TABLE consent (id BLOB PRIMARY KEY, participant BLOB NOT NULL, day INTEGER NOT NULL, body TEXT NOT NULL);
    CREATE TABLE encounter (id BLOB PRIMARY KEY, participant BLOB, day INTEGER NOT NULL, body TEXT NOT NULL);
    CREATE TABLE zone (id BLOB PRIMARY KEY, name TEXT NOT NULL);
";

/// The peer's store.
#[derive(Debug)]
pub struct Plain {
    connection: Connection,
    dice: Dice,
    day: u16,
    /// Its participants, in the workload's order.
    pub people: Vec<[u8; 16]>,
    zones: Vec<[u8; 16]>,
}

/// One line of the peer's list.
#[derive(Debug)]
#[allow(dead_code, reason = "what a list holds is read, so that both sides do the same work")]
pub struct Line {
    id: [u8; 16],
    alias: Option<String>,
    closed: bool,
    last_day: u16,
}

fn hex(id: &[u8; 16]) -> String {
    use std::fmt::Write;
    id.iter().fold(String::with_capacity(32), |mut text, byte| {
        // writing to a String cannot fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn configure(connection: &Connection) -> Result<(), Fail> {
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA cache_size = -2048;")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

impl Plain {
    /// Creates an empty store.
    pub fn create(path: &Path, seed: u64) -> Result<Self, Fail> {
        let connection = Connection::open(path)?;
        connection.execute_batch("PRAGMA journal_mode = WAL;")?;
        configure(&connection)?;
        connection.execute_batch(SCHEMA)?;
        let mut plain = Self { connection, dice: Dice::new(seed ^ 0x51), day: 20_514, people: Vec::new(), zones: Vec::new() };
        for n in 0..ZONES {
            let id = plain.id();
            plain.connection.execute("INSERT INTO zone VALUES (?1, ?2)", params![id, format!("zone {}", char::from(b'a' + n as u8))])?;
            plain.zones.push(id);
        }
        Ok(plain)
    }

    /// Opens a store that a workload left behind, on the day after it.
    pub fn open(path: &Path, seed: u64) -> Result<Self, Fail> {
        let connection = Connection::open(path)?;
        configure(&connection)?;
        let ids = |sql: &str| -> Result<Vec<[u8; 16]>, Fail> {
            let mut statement = connection.prepare(sql)?;
            let ids = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(ids)
        };
        let (people, zones) = (ids("SELECT id FROM participant ORDER BY rowid")?, ids("SELECT id FROM zone ORDER BY rowid")?);
        Ok(Self { connection, dice: Dice::new(seed ^ 0x52), day: 20_514 + crate::workload::DAYS as u16, people, zones })
    }

    fn id(&mut self) -> [u8; 16] {
        std::array::from_fn(|_| self.dice.below(256) as u8)
    }

    /// The participant list from a fresh connection's point of view.
    pub fn list(connection: &Connection) -> Result<Vec<Line>, Fail> {
        let mut statement = connection.prepare("SELECT id, alias, closed, last_day FROM participant ORDER BY last_day DESC, id")?;
        let lines =
            statement.query_map([], |row| Ok(Line { id: row.get(0)?, alias: row.get(1)?, closed: row.get(2)?, last_day: row.get(3)? }))?;
        Ok(lines.collect::<Result<_, _>>()?)
    }

    /// Writes a participant and the grant in one transaction.
    pub fn add_person(&mut self, person: &Person) -> Result<(), Fail> {
        let (id, grant) = (self.id(), self.id());
        let body = person_json(person, person.contact, &hex(&grant));
        let expiry = self.day + 365;
        let consent = json!({"act": "record", "purpose": "service_connection", "how": "spoken", "language": "en", "expiry": expiry});
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.prepare_cached("INSERT INTO participant VALUES (?1, ?2, ?3, 0, ?4)")?.execute(params![id, self.day, person.alias, body])?;
        tx.prepare_cached("INSERT INTO consent VALUES (?1, ?2, ?3, ?4)")?.execute(params![grant, id, self.day, consent.to_string()])?;
        tx.commit()?;
        self.people.push(id);
        Ok(())
    }

    /// Writes an encounter, and the participant's last day, in one transaction.
    pub fn add_meeting(&mut self, meeting: &Meeting) -> Result<(), Fail> {
        let id = self.id();
        let zone = self.zones.get(meeting.zone).map(hex);
        let offers: Vec<Value> = meeting
            .offers
            .iter()
            .map(|&(index, quantity, outcome)| {
                let outcome = OUTCOMES.get(outcome % OUTCOMES.len()).map(|outcome| outcome.as_str());
                json!({"resource": hex(&resource(index)), "quantity": quantity, "outcome": outcome})
            })
            .collect();
        let mut body = Map::new();
        body.insert("kind".into(), json!(EncounterKind::ALL.get(meeting.kind % 4).map(|kind| kind.as_str())));
        body.insert("zone".into(), json!(zone));
        body.insert("offers".into(), Value::Array(offers));
        if let Some(note) = meeting.note {
            body.insert("note".into(), json!(note));
        }
        let person = meeting.person.and_then(|person| self.people.get(person)).copied();
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.prepare_cached("INSERT INTO encounter VALUES (?1, ?2, ?3, ?4)")?.execute(params![
            id,
            person,
            self.day,
            Value::Object(body).to_string()
        ])?;
        if let Some(person) = person {
            tx.prepare_cached("UPDATE participant SET last_day = ?2 WHERE id = ?1 AND last_day < ?2")?
                .execute(params![person, self.day])?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Changes one field of a participant: reads the row, writes it back.
    pub fn edit(&mut self, person: usize, contact: &str) -> Result<(), Fail> {
        let id = self.people.get(person).copied().ok_or("no such participant")?;
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let body: String = tx.prepare_cached("SELECT body FROM participant WHERE id = ?1")?.query_row([id], |row| row.get(0))?;
        let mut body: Map<String, Value> = serde_json::from_str(&body)?;
        body.insert("contact".into(), json!(contact));
        let body = Value::Object(body).to_string();
        tx.prepare_cached("UPDATE participant SET body = ?2, last_day = max(last_day, ?3) WHERE id = ?1")?
            .execute(params![id, body, self.day])?;
        tx.commit()?;
        Ok(())
    }

    /// Runs a workload.
    pub fn run(&mut self, events: &[Event]) -> Result<(), Fail> {
        for event in events {
            match event {
                Event::NextDay => self.day += 1,
                Event::EndOfWeek => {}
                Event::Person(person) => self.add_person(person)?,
                Event::Meeting(meeting) => self.add_meeting(meeting)?,
            }
        }
        Ok(())
    }

    /// Writes the log back and closes.
    pub fn close(self) -> Result<(), Fail> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        self.connection.close().map_err(|(_, error)| error)?;
        Ok(())
    }
}

fn person_json(person: &Person, contact: Option<&str>, grant: &str) -> String {
    let mut body = Map::new();
    for (field, text) in [("pronouns", person.pronouns), ("language", person.language), ("contact", contact)] {
        if let Some(text) = text {
            body.insert(field.into(), json!(text));
        }
    }
    if !person.goals.is_empty() {
        body.insert("goals".into(), json!(person.goals));
    }
    body.insert("grant".into(), json!(grant));
    Value::Object(body).to_string()
}
