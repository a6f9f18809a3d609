//! What a turn costs: bytes that a team of 2, 5, 25 and 250 devices brings the relay when a device is removed and when a
//! record is erased, the time on one phone, and whether unlocking stays as fast after many turns and bans.

use crate::figures::{Figure, Series, cpu_ms};
use crate::hub::Hub;
use crate::machine::Machine;
use crate::satchel::{self, MovedClock};
use crate::{Fail, report};
use satchel_core::error::Error;
use satchel_core::record::{EncounterKind, Kind};
use satchel_core::store::{EncounterDraft, KeyCost, Unlocked};
use satchel_wire::ids::RecordId;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Turns {
    /// Team sizes (devices).
    #[arg(long, value_delimiter = ',', default_value = "2,5,25,250")]
    devices: Vec<usize>,
    /// Turns and bans after which unlocking is measured.
    #[arg(long, value_delimiter = ',', default_value = "1,10,100")]
    after: Vec<usize>,
    /// Where all randomness of the run comes from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where table, JSON and picture are written.
    #[arg(long, default_value = "bench/out/turns")]
    out: PathBuf,
    /// Where stores are built.
    #[arg(long, default_value = "/dev/shm")]
    build_in: PathBuf,
}

const KIB: f64 = 1024.0;
/// Exchanges of every phone until nothing more is said; more would be a storm.
const ROUNDS_MAX_COUNT: usize = 8;
const UNLOCKS: usize = 41;

fn encounter(zone: Option<RecordId>) -> EncounterDraft {
    EncounterDraft { kind: EncounterKind::Street, participant: None, zone, offers: Vec::new(), note: None }
}

struct Team {
    hub: Hub,
    phones: Vec<Unlocked>,
    _folder: tempfile::TempDir,
}

fn label(devices: usize) -> &'static str {
    match devices {
        2 => "2",
        5 => "5",
        25 => "25",
        250 => "250",
        _ => "other",
    }
}

impl Team {
    /// A team whose phones have all heard each other.
    fn new(options: &Turns, devices: usize) -> Result<Self, Fail> {
        let folder = tempfile::tempdir_in(&options.build_in)?;
        let clock = MovedClock::at_day(0);
        let (hub, address) = Hub::new(&folder.path().join("relay"), &clock)?;
        let env = |name: &str| satchel::env(options.seed, name, &clock);
        let founder = satchel::found(&folder.path().join("0"), env("0"), KeyCost::Least)?.unlocked;
        founder.set_relay(&address)?;
        hub.exchange(&founder)?;
        let mut phones = vec![founder];
        for n in 1..devices {
            let name = n.to_string();
            let joined = satchel::join(&folder.path().join(&name), env(&name), &phones[0], "Ben")?;
            hub.exchange(&joined)?;
            hub.exchange(&phones[0])?;
            phones.push(joined);
        }
        let team = Self { hub, phones, _folder: folder };
        for phone in team.phones.iter().take(5) {
            phone.save_encounter(&encounter(None))?;
        }
        team.talk(0)?;
        Ok(team)
    }

    /// Everybody exchanges until nobody says anything new; says how often that was.
    fn talk(&self, from: usize) -> Result<usize, Fail> {
        for round in 1..=ROUNDS_MAX_COUNT {
            let before = self.hub.take_sent();
            for phone in self.phones.iter().skip(from) {
                self.hub.exchange(phone)?;
            }
            let now = self.hub.take_sent();
            let said = now.announcement_count + now.commons_count + now.records_count;
            self.hub.put_back(&[before, now]);
            if said == 0 {
                return Ok(round);
            }
        }
        Ok(ROUNDS_MAX_COUNT)
    }
}

fn kib(bytes: usize) -> f64 {
    bytes as f64 / KIB
}

fn aim(devices: usize) -> Option<f64> {
    match devices {
        0..=25 => Some(128.0),
        250 => Some(850.0),
        _ => None,
    }
}

fn bytes(id: &'static str, size: &'static str, what: &str, sent: &crate::hub::Sent, aim: Option<f64>) -> Vec<Figure> {
    let total = format!("{what}: everything that went up");
    let first = match aim {
        Some(aim) => Figure::aimed(id, size, total, kib(sent.total()), "KiB", aim),
        None => Figure::plain(id, size, total, kib(sent.total()), "KiB"),
    };
    let part = |name: &str, bytes: usize| Figure::plain(id, size, format!("{what}, of it {name}"), kib(bytes), "KiB");
    vec![
        first,
        part(&format!("{} announcements", sent.announcement_count), sent.announcements),
        part(&format!("{} notices: receiving keys, frontiers, operations", sent.commons_count), sent.commons),
        part(&format!("{} rows of records: page, root", sent.records_count), sent.records),
        part("requests around them", sent.around),
    ]
}

fn turn(options: &Turns, devices: usize) -> Result<Vec<Figure>, Fail> {
    let begun = Instant::now();
    let team = Team::new(options, devices)?;
    println!("{devices} devices: built in {:.1} s", begun.elapsed().as_secs_f64());
    let size = label(devices);
    let first = &team.phones[0];

    // a turn alone: nobody is removed, nothing erased
    team.hub.take_sent();
    let begun = Instant::now();
    first.begin_turn()?;
    let starting = begun.elapsed().as_secs_f64() * 1e3;
    team.hub.exchange(first)?;
    let announced = team.hub.take_sent();
    let mut adopting = Series::default();
    for phone in team.phones.iter().skip(1).take(9) {
        let before = cpu_ms();
        team.hub.exchange(phone)?;
        adopting.add_ms(cpu_ms() - before);
    }
    let rounds = team.talk(0)?;
    let mut sent = team.hub.take_sent();
    sent.add(&announced);
    let mut figures = bytes("turn", size, "the first turn", &sent, aim(devices));
    figures.push(Figure::plain("turn", size, "the first turn: time to begin it", starting, "ms"));
    figures.push(Figure::plain("turn", size, "the first turn: processor time of a colleague's exchange, median", adopting.median(), "ms"));
    figures.push(Figure::plain("turn", size, "the first turn: exchanges each until all is quiet", rounds as f64, ""));

    // once more: the first turn after the founding also tells of everybody who was let in since
    team.hub.take_sent();
    first.begin_turn()?;
    team.talk(0)?;
    figures.extend(bytes("turn", size, "a later turn", &team.hub.take_sent(), aim(devices)));

    // an erasure, until it is settled
    let record = first.save_encounter(&encounter(None))?;
    team.talk(0)?;
    team.hub.take_sent();
    let operation = first.erase_record(Kind::Encounter, record)?;
    let rounds = team.talk(0)?;
    let sent = team.hub.take_sent();
    let receipt = first.erasure_receipt(operation)?;
    figures.extend(bytes("erase", size, "an erasure", &sent, aim(devices)));
    figures.push(Figure::plain("erase", size, "an erasure: exchanges each until all is quiet", rounds as f64, ""));
    figures.push(Figure::plain("erase", size, "an erasure: phones still awaited then", receipt.awaited.len() as f64, ""));

    // a device is removed; a team of two has nobody left to tell
    if devices > 2 {
        let last = team.phones.last().ok_or("no phone")?.device()?;
        team.hub.take_sent();
        let begun = Instant::now();
        first.prepare_removal(last)?.confirm()?;
        let removing = begun.elapsed().as_secs_f64() * 1e3;
        let rest = Team { hub: team.hub, phones: team.phones[..devices - 1].to_vec(), _folder: team._folder };
        rest.talk(0)?;
        let sent = rest.hub.take_sent();
        figures.extend(bytes("remove", size, "a removal", &sent, aim(devices)));
        figures.push(Figure::plain("remove", size, "a removal: time to confirm it", removing, "ms"));
    }
    Ok(figures)
}

/// A refused save throws memory away and reads all that unlocking reads after Argon2.
fn reread(unlocked: &Unlocked, wall: &mut Series) -> Result<(), Fail> {
    let refused = encounter(Some(RecordId::from_bytes([0xee; 16])));
    let begun = Instant::now();
    let answer = unlocked.save_encounter(&refused);
    wall.add(begun.elapsed());
    match answer {
        Err(Error::UnknownZone) => Ok(()),
        _ => Err("an unknown zone was not refused".into()),
    }
}

fn after(dir: &Path, options: &Turns, is_ban: bool) -> Result<Vec<Figure>, Fail> {
    let clock = MovedClock::at_day(0);
    let env = |name: &str| satchel::env(options.seed, name, &clock);
    let first = satchel::found(&dir.join("founder"), env("founder"), KeyCost::Least)?.unlocked;
    let colleague = satchel::join(&dir.join("colleague"), env("colleague"), &first, "Ben")?;
    satchel::meet(&first, &colleague)?;
    let (mut done, mut figures, mut base) = (0, Vec::new(), None);
    for &count in &options.after {
        while done < count {
            if is_ban {
                let name = format!("removed {done}");
                let joined = satchel::join(&dir.join(&name), env(&name), &first, "Cleo")?;
                first.prepare_removal(joined.device()?)?.confirm()?;
                drop(joined);
                std::fs::remove_dir_all(dir.join(&name))?;
            } else {
                first.begin_turn()?;
            }
            done += 1;
        }
        let mut wall = Series::default();
        for _ in 0..UNLOCKS {
            reread(&first, &mut wall)?;
        }
        let begun = Instant::now();
        if is_ban {
            first.team().map(drop)?
        } else {
            first.begin_turn()?
        }
        let one_more = begun.elapsed().as_secs_f64() * 1e3;
        let what = if is_ban { "removals" } else { "turns" };
        let base = *base.get_or_insert(wall.least());
        figures.push(Figure::plain("unlock", "-", format!("unlock after Argon2, {count} {what}"), wall.median(), "ms"));
        let ratio = wall.least() / base;
        figures.push(Figure::aimed(
            "unlock",
            "-",
            format!("the same / after the first, quickest of each, {count} {what}"),
            ratio,
            "x",
            1.33,
        ));
        figures.push(Figure::plain("unlock", "-", format!("one more call after {count} {what}"), one_more, "ms"));
    }
    Ok(figures)
}

impl Turns {
    /// Measures and reports.
    pub fn run(&self) -> Result<(), Fail> {
        let machine = Machine::look(self.seed, self.devices.iter().copied().max().unwrap_or_default());
        println!("{machine}");
        let mut figures = Vec::new();
        for is_ban in [false, true] {
            let folder = tempfile::tempdir_in(&self.build_in)?;
            figures.extend(after(folder.path(), self, is_ban)?);
            report::write(&self.out, &machine, &figures)?;
        }
        for &devices in &self.devices {
            figures.extend(turn(self, devices)?);
            report::write(&self.out, &machine, &figures)?;
        }
        Ok(())
    }
}
