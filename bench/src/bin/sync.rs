//! Phones and a relay over loopback HTTP: the first sync of an empty phone, and a whole team that comes back at once.
//!
//! `sync first` lets a team phone write a workload over 84 days, exchanging with the relay every week, and then an empty phone
//! read it all. `sync returning` lets fifty phones of one team come back at once after a shift. All through the public API.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports to a terminal")]
#![allow(clippy::disallowed_methods, reason = "a program that measures needs the monotonic clock")]

#[allow(dead_code, reason = "shared with the other figures")]
#[path = "../satchel.rs"]
mod satchel;
#[allow(dead_code, reason = "shared with the other figures")]
#[path = "../workload.rs"]
mod workload;

use clap::{Parser, Subcommand};
use satchel::{MovedClock, Phone};
use satchel_core::env::Clock;
use satchel_core::store::{KeyCost, RelayAddress, RelayAnswer, RelayReport, Unlocked};
use satchel_relay::storage::Storage;
use satchel_relay::storage::sqlite::{Role, SqliteStorage};
use satchel_relay::{Config, Relay, server};
use satchel_transport::relay::{Client, Traffic};
use satchel_wire::ids::MailboxId;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};
use workload::{Event, Size};

/// Whatever goes wrong ends the run.
pub type Fail = Box<dyn std::error::Error>;

const MAILBOX: MailboxId = MailboxId::from_bytes([0x42; 16]);
const SECRET: [u8; 16] = [0x17; 16];

#[derive(Parser)]
#[command(about = "Phones and a relay over loopback")]
struct Arguments {
    /// Where stores and relay lie; a folder of its own is made there and removed
    #[arg(long, default_value = "target")]
    disk: PathBuf,
    /// Where all randomness comes from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// The first sync of a workload to an empty phone
    First {
        /// Which workload
        #[arg(long, value_enum, default_value = "s")]
        size: Size,
        /// How many empty phones, one after the other
        #[arg(long, default_value_t = 3)]
        phones: usize,
    },
    /// A team that comes back at once after a shift
    Returning {
        /// How many phones
        #[arg(long, default_value_t = 50)]
        phones: usize,
        /// Encounters that each wrote
        #[arg(long, default_value_t = 20)]
        encounters: usize,
    },
}

/// A relay that serves from a thread of this process, at the workload's clock.
fn serve(dir: &Path, clock: &Arc<MovedClock>) -> Result<SocketAddr, Fail> {
    let storage = SqliteStorage::open(dir, Role::Server)?;
    storage.create_mailbox(&MAILBOX, 1 << 40, blake3::hash(&SECRET).as_bytes())?;
    let clock = Arc::clone(clock);
    let config = Config { burst_count: u32::MAX, rate_per_second: u32::MAX, connections_count: 1_024, ..Config::default() };
    let relay = Arc::new(Relay::new(Arc::new(storage), config, Arc::new(move || clock.unix_seconds()), Arc::new(|_| {}))?);
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
            // whoever waits for the address is gone only if the program ends
            let _ = tell.send(listener.local_addr()?);
            server::serve(listener, relay, std::future::pending()).await;
            Ok(())
        })
    });
    Ok(told.recv()?)
}

/// One whole exchange; `after` is called after each answer that was taken.
fn exchange(unlocked: &Unlocked, client: &Client, mut after: impl FnMut(&RelayReport)) -> Result<RelayReport, Fail> {
    let mut link = unlocked.relay_exchange()?;
    while let Some((endpoint, frame)) = link.next_request()? {
        let answer = match client.post(endpoint, &frame)? {
            Ok(body) => RelayAnswer::Ok(body),
            Err(problem) => RelayAnswer::Problem { code: problem.code, relay_time: problem.relay_time },
        };
        link.receive(&answer)?;
        after(link.report());
    }
    Ok(link.report().clone())
}

fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').take(1).collect()
}

fn founded(dir: &Path, seed: u64, clock: &Arc<MovedClock>, url: &str) -> Result<Phone, Fail> {
    let phone = satchel::found(&dir.join("writer"), satchel::env(seed, "writer", clock), KeyCost::Least)?;
    phone.unlocked.set_relay(&RelayAddress { url: url.to_owned(), mailbox: MAILBOX, claim: Some(SECRET), pin: None })?;
    Ok(phone)
}

fn first(dir: &Path, seed: u64, size: Size, phones: usize) -> Result<(), Fail> {
    let clock = MovedClock::at_day(0);
    let url = format!("http://{}", serve(&dir.join("relay"), &clock)?);
    let client = Client::new(&url)?;
    let mut writer = founded(dir, seed, &clock, &url)?;
    let began = Instant::now();
    let (mut pushed, mut turns) = (0, 0);
    let events = workload::events(size, seed);
    for week in events.split_inclusive(|event| matches!(event, Event::EndOfWeek)) {
        satchel::run(&mut writer, &clock, None, week)?;
        let report = exchange(&writer.unlocked, &client, |_| {})?;
        (pushed, turns) = (pushed + report.pushed, writer.unlocked.team()?.turn);
    }
    let written = writer.unlocked.participants()?.len() + writer.unlocked.encounters(None)?.len();
    println!(
        "workload {}, seed {seed}: {} records in view, {pushed} rows at the relay, turn {turns}, built in {:.1} s; load {}",
        size.name(),
        written,
        began.elapsed().as_secs_f64(),
        load()
    );
    for n in 0..phones {
        let name = format!("empty {n}");
        let empty = satchel::join(&dir.join(&name), satchel::env(seed, &name, &clock), &writer.unlocked, "Ben")?;
        exchange(&writer.unlocked, &client, |_| {})?;
        let client = Client::new(&url)?;
        let began = Instant::now();
        // every second phone also looks at its list after each answer: what that shows, and when
        let looks = n % 2 == 1;
        let (mut list, mut usable, mut answers) = (0, None, 0);
        let report = exchange(&empty, &client, |report| {
            answers += 1;
            if looks && usable.is_none() && report.pulled > 0 {
                list = empty.participants().map_or(0, |lines| lines.len());
                usable = (list > 0).then(|| began.elapsed());
            }
        })?;
        let took = began.elapsed();
        let Traffic { sent, received } = client.take_traffic();
        let here = empty.participants()?.len() + empty.encounters(None)?.len();
        println!(
            "{name}: {here} records in {:.2} s = {:.0} records/s ({:.0} rows/s); {} rows pulled in {answers} answers, {} applied, {} held, \
             {} known, {} missing, {} pushed; {received} bytes in, {sent} out; load {}",
            took.as_secs_f64(),
            here as f64 / took.as_secs_f64(),
            report.pulled as f64 / took.as_secs_f64(),
            report.pulled,
            report.rows.applied,
            report.rows.held,
            report.rows.known,
            report.missing,
            report.pushed,
            load()
        );
        if let Some(usable) = usable {
            println!("  its list showed {list} files after {:.0} ms", usable.as_secs_f64() * 1e3);
        }
        if here != written {
            return Err(format!("{here} of {written} records came").into());
        }
        let again = exchange(&empty, &client, |_| {})?;
        println!("  the next exchange: {} rows pulled in {} requests", again.pulled, again.requests);
    }
    // the same phone to phone, without a network: what of it is the store's own
    let empty = satchel::join(&dir.join("met"), satchel::env(seed, "met", &clock), &writer.unlocked, "Cleo")?;
    let began = Instant::now();
    satchel::meet(&empty, &writer.unlocked)?;
    let took = began.elapsed().as_secs_f64();
    let here = empty.participants()?.len() + empty.encounters(None)?.len();
    println!("met a phone instead: {here} records in {took:.2} s = {:.0} records/s, both phones on one core", here as f64 / took);
    Ok(())
}

fn quantile(sorted: &[Duration], at: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * at).round() as usize).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

fn returning(dir: &Path, seed: u64, phones: usize, encounters: usize) -> Result<(), Fail> {
    let clock = MovedClock::at_day(0);
    let url = format!("http://{}", serve(&dir.join("relay"), &clock)?);
    let client = Client::new(&url)?;
    let mut writer = founded(dir, seed, &clock, &url)?;
    let mut dice = workload::Dice::new(seed);
    for number in 0..40 {
        writer.add_person(&workload::person(&mut dice, number))?;
    }
    exchange(&writer.unlocked, &client, |_| {})?;
    let began = Instant::now();
    let mut team = Vec::new();
    for n in 1..phones {
        let name = format!("phone {n}");
        let unlocked = satchel::join(&dir.join(&name), satchel::env(seed, &name, &clock), &writer.unlocked, "Ben")?;
        team.push(Phone { unlocked, people: writer.people.clone(), zones: writer.zones.clone() });
    }
    team.push(writer);
    // everybody is up to date in the morning
    for _ in 0..2 {
        for phone in &team {
            exchange(&phone.unlocked, &client, |_| {})?;
        }
    }
    println!("{phones} phones joined and up to date in {:.1} s; load {}", began.elapsed().as_secs_f64(), load());
    for phone in &team {
        for _ in 0..encounters {
            phone.add_meeting(&workload::meeting(&mut dice, 40))?;
        }
    }
    let barrier = Barrier::new(team.len());
    let began = Instant::now();
    let came: Vec<Result<(Duration, RelayReport, Traffic, usize), String>> = std::thread::scope(|scope| {
        let running: Vec<_> = team
            .iter()
            .map(|phone| {
                let (barrier, url) = (&barrier, &url);
                scope.spawn(move || {
                    let client = Client::new(url).map_err(|error| error.to_string())?;
                    barrier.wait();
                    let began = Instant::now();
                    let mut requests = 0;
                    let report = exchange(&phone.unlocked, &client, |_| requests += 1).map_err(|error| error.to_string())?;
                    Ok((began.elapsed(), report, client.take_traffic(), requests))
                })
            })
            .collect();
        running.into_iter().map(|run| run.join().unwrap_or_else(|_| Err("a phone failed".to_owned()))).collect()
    });
    let all = began.elapsed();
    let came = came.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut times: Vec<Duration> = came.iter().map(|(took, ..)| *took).collect();
    times.sort_unstable();
    let (pushed, pulled) = came.iter().fold((0, 0), |(pushed, pulled), (_, report, ..)| (pushed + report.pushed, pulled + report.pulled));
    let bytes: u64 = came.iter().map(|(.., traffic, _)| traffic.sent + traffic.received).sum();
    let requests: usize = came.iter().map(|(.., requests)| requests).sum();
    println!(
        "{phones} phones at once, {encounters} encounters each: all done after {:.2} s (p50 {:.0} ms, p99 {:.0} ms a phone); {pushed} rows pushed, \
         {pulled} pulled, {requests} requests, {bytes} bytes; relay and all phones on one machine, load {}",
        all.as_secs_f64(),
        quantile(&times, 0.5),
        quantile(&times, 0.99),
        load()
    );
    // and once more, for what others pushed while they pulled
    let began = Instant::now();
    let mut late = 0;
    for phone in &team {
        late += exchange(&phone.unlocked, &client, |_| {})?.pulled;
    }
    println!("one after the other, for the rest: {late} rows in {:.2} s", began.elapsed().as_secs_f64());
    let expected = team.first().map_or(Ok(0), |phone| phone.unlocked.encounters(None).map(|lines| lines.len()))?;
    for phone in &team {
        let here = phone.unlocked.encounters(None)?.len();
        if here != expected || here != phones * encounters {
            return Err(format!("a phone holds {here} encounters of {}", phones * encounters).into());
        }
    }
    println!("every phone holds all {expected} encounters");
    Ok(())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let dir = arguments.disk.join(format!("satchel-sync-{}", std::process::id()));
    let done = match arguments.action {
        Action::First { size, phones } => first(&dir, arguments.seed, size, phones),
        Action::Returning { phones, encounters } => returning(&dir, arguments.seed, phones, encounters),
    };
    // a folder that stays behind is a nuisance and no error
    let _ = std::fs::remove_dir_all(&dir);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sync: {error}");
            ExitCode::FAILURE
        }
    }
}
