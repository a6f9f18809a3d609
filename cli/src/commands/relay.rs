//! The team's relay: exchange with it once, or stay in touch.

use crate::arguments::{ChoiceName, InboxName, NetworkName, Relay, Settings, Sync, SyncAction};
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::wording;
use satchel_core::store::{Network, NetworkChoice, RelayAddress, RelayAnswer, RelayError, RelayLink, RelayReport, TrafficDay, Unlocked};
use satchel_transport::live::{Event, Live, LiveError, Phase, State};
use satchel_transport::relay::{Client, Pin, Route, check_url_on};
use satchel_wire::ShiftDay;
use serde_json::{Value, json};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

pub fn sync(settings: &Settings, output: Output, command: &Sync) -> Result<(), Failure> {
    if matches!(command.action, Some(SyncAction::Inbox { what: InboxName::Fetch })) {
        return super::inbox::fetch(settings, output, command);
    }
    let unlocked = settings.unlock()?;
    match command.action {
        Some(SyncAction::Inbox { what }) => return super::inbox::switch(output, &unlocked, matches!(what, InboxName::On)),
        Some(SyncAction::Status) => return status(output, &unlocked),
        Some(SyncAction::Networks { which }) => return choose(output, &unlocked, which),
        None => {}
    }
    unlocked.store().note_network(network_of(command));
    let relay = unlocked.relay()?.ok_or(RelayError::NoRelay)?;
    let route = Route { proxy: command.proxy.clone(), ..Route::pinned(relay.pin) };
    if command.live {
        return stay(settings, output, &unlocked, route);
    }
    let link = if command.anyway { unlocked.relay_exchange_by_hand()? } else { unlocked.relay_exchange()? };
    let client = Client::on_route(&relay.url, route)?;
    let carried = carry(link, &client);
    // what was paid for counts, whatever became of it
    let traffic = client.take_traffic();
    unlocked.note_relay_bytes(traffic.sent, traffic.received)?;
    let report = carried?;
    output.show(&relay_value(&report), || relay_text(&report));
    Ok(())
}

/// What was said of the network.
pub fn network_of(command: &Sync) -> Network {
    match command.network {
        None => Network::Unknown,
        Some(NetworkName::Unmetered) => Network::Unmetered,
        Some(NetworkName::Metered) => Network::Metered,
    }
}

fn carry(mut link: RelayLink, client: &Client) -> Result<RelayReport, Failure> {
    while let Some((endpoint, frame)) = link.next_request()? {
        let answer = match client.post(endpoint, &frame)? {
            Ok(body) => RelayAnswer::Ok(body),
            Err(problem) => RelayAnswer::Problem { code: problem.code, relay_time: problem.relay_time },
        };
        link.receive(&answer)?;
    }
    Ok(link.report().clone())
}

fn choose(output: Output, unlocked: &Unlocked, which: ChoiceName) -> Result<(), Failure> {
    let choice = match which {
        ChoiceName::Any => NetworkChoice::Any,
        ChoiceName::Unmetered => NetworkChoice::UnmeteredOnly,
    };
    unlocked.choose_networks(choice)?;
    output.show(&json!({ "networks": choice_code(choice) }), || format!("Set. {}", choice_words(choice)));
    Ok(())
}

const fn choice_code(choice: NetworkChoice) -> &'static str {
    match choice {
        NetworkChoice::Any => "any",
        NetworkChoice::UnmeteredOnly => "unmetered",
    }
}

const fn choice_words(choice: NetworkChoice) -> &'static str {
    match choice {
        NetworkChoice::Any => "The relay is reached over any network.",
        NetworkChoice::UnmeteredOnly => {
            "The relay is reached only over networks that cost nothing (--network unmetered), or with --anyway."
        }
    }
}

/// How it stands, without asking anybody.
fn status(output: Output, unlocked: &Unlocked) -> Result<(), Failure> {
    let (outlook, choice, traffic) = (unlocked.outlook()?, unlocked.network_choice()?, unlocked.relay_traffic()?);
    let has_relay = unlocked.relay()?.is_some();
    let today = unlocked.today()?;
    let days: Vec<Value> =
        traffic.iter().map(|day| json!({ "day": day.day.to_string(), "sent_bytes": day.sent, "received_bytes": day.received })).collect();
    let value = json!({
        "relay_set": has_relay,
        "unsent": outlook.unsent,
        "held": outlook.held,
        "met_relay": outlook.relay_day.map(|day| day.to_string()),
        "met_colleague": outlook.colleague_day.map(|day| day.to_string()),
        "networks": choice_code(choice),
        "traffic": days,
    });
    output.show(&value, || {
        let met = |what: &str, day: Option<ShiftDay>| day.map_or(format!("{what}: never"), |day| format!("{what}: {day}"));
        let mut lines = vec![
            waiting_words(outlook.unsent),
            if has_relay { met("relay last reached", outlook.relay_day) } else { "no relay is set".to_owned() },
            met("colleague's phone last met", outlook.colleague_day),
            choice_words(choice).to_owned(),
        ];
        lines.extend(traffic.iter().map(|day| traffic_words(day, today)));
        lines.join("\n")
    });
    Ok(())
}

fn traffic_words(day: &TrafficDay, today: ShiftDay) -> String {
    let when = if day.day == today { "today".to_owned() } else { day.day.to_string() };
    format!("{when}: {} sent, {} received", bytes_words(day.sent), bytes_words(day.received))
}

/// Bytes as people read them: decimal, as networks are sold.
fn bytes_words(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// Stays in touch until Ctrl-C: one line for each change of how it stands.
fn stay(settings: &Settings, output: Output, unlocked: &Unlocked, route: Route) -> Result<(), Failure> {
    let env = settings.env();
    let live = Live::new(unlocked, route, env.clone()).map_err(failure)?;
    let handle = live.handle();
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(|error| Failure::Unreadable(error.kind()))?;
    let signalled = signals.handle();
    let listener = std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            handle.stop();
        }
    });
    let ended = live.run(|event| match event {
        Event::State(state) => output.show(&state_value(state), || state_text(state, env.now().seconds())),
        Event::Progress(progress) => {
            let value = json!({ "pulled": progress.pulled, "pushed": progress.pushed, "to_push": progress.to_push });
            output.show(&json!({ "progress": value }), || format!("  {} rows came, {} went", progress.pulled, progress.pushed));
        }
    });
    signalled.close();
    // it ends with its handle
    let _ = listener.join();
    ended.map_err(failure)
}

fn failure(error: LiveError) -> Failure {
    match error {
        LiveError::Transport(error) => error.into(),
        LiveError::Relay(error) => error.into(),
    }
}

fn state_value(state: &State) -> Value {
    let mut value = json!({ "unsent": state.unsent, "relay_at": state.relay_at, "colleague_at": state.colleague_at });
    let phase = match state.phase {
        Phase::Exchanging => json!({ "phase": "exchanging" }),
        Phase::Listening => json!({ "phase": "listening" }),
        Phase::Gathering => json!({ "phase": "gathering" }),
        Phase::Resting { until } => json!({ "phase": "resting", "until": until }),
        Phase::Unreachable { since, retry_at, code, remedy } => {
            json!({ "phase": "unreachable", "since": since, "retry_at": retry_at, "code": code, "remedy": remedy.code() })
        }
        Phase::Held => json!({ "phase": "held" }),
        Phase::Spared => json!({ "phase": "spared" }),
        Phase::Stopped => json!({ "phase": "stopped" }),
    };
    if let (Some(value), Value::Object(phase)) = (value.as_object_mut(), phase) {
        value.extend(phase);
    }
    value
}

fn state_text(state: &State, now: u64) -> String {
    let doing = match state.phase {
        Phase::Exchanging => "exchanging with the relay".to_owned(),
        Phase::Listening => "up to date; news will come by themselves".to_owned(),
        Phase::Gathering => "sending soon".to_owned(),
        Phase::Resting { until } => format!("up to date; looking again in {}", span(until.saturating_sub(now))),
        Phase::Unreachable { since, retry_at, code, remedy } => format!(
            "relay unreachable for {}; next try in {} [{code}]\n  {}",
            span(now.saturating_sub(since)),
            span(retry_at.saturating_sub(now)),
            wording::remedy(remedy)
        ),
        Phase::Held => "nothing is sent for now".to_owned(),
        Phase::Spared => "waiting for a network that costs nothing (`satchel sync --anyway` sends all the same)".to_owned(),
        Phase::Stopped => "stopped".to_owned(),
    };
    format!("{}: {doing}", waiting_words(state.unsent))
}

/// How much waits, in words.
pub fn waiting_words(unsent: usize) -> String {
    match unsent {
        0 => "nothing waiting".to_owned(),
        1 => "1 change waiting".to_owned(),
        count => format!("{count} changes waiting"),
    }
}

/// A span of time, as people say it.
fn span(seconds: u64) -> String {
    match seconds {
        0..90 => format!("{seconds} s"),
        90..5_400 => format!("{} min", seconds / 60),
        5_400..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn relay_value(report: &RelayReport) -> Value {
    json!({
        "pulled": report.pulled,
        "pushed": report.pushed,
        "applied": report.rows.applied,
        "known": report.rows.known,
        "held": report.rows.held,
        "refused": report.rows.refused,
        "thrown_away": report.rows.thrown_away,
        "codes": report.rows.codes,
        "turns": report.turns,
        "missing": report.missing,
        "lost": report.lost,
        "requests": report.requests,
    })
}

fn relay_text(report: &RelayReport) -> String {
    let rows = &report.rows;
    let mut text = format!("Done in {} requests: {} new here, {} pushed.", report.requests, rows.applied, report.pushed);
    if report.missing > 0 {
        text.push_str(&format!(
            "\n  {} rows are listed there and were not handed out as they are listed: meet a colleague's phone",
            report.missing
        ));
    }
    if report.lost > 0 {
        text.push_str(&format!(
            "\n  {} rows that the relay had are gone from it, as after a backup was put back: it is filled again from this phone. Ask the operator",
            report.lost
        ));
    }
    if rows.held + rows.refused + rows.thrown_away > 0 {
        text.push_str(&format!("\n  {} held back, {} refused, {} thrown away {:?}", rows.held, rows.refused, rows.thrown_away, rows.codes));
    }
    text
}

pub fn relay(settings: &Settings, output: Output, command: Relay) -> Result<(), Failure> {
    match command {
        Relay::Set { url, mailbox, secret, pin } => {
            check_url_on(&url, &Route { pin, proxy: None })?;
            let typed = match secret.as_deref() {
                Some("-") => Some(output::ask("Secret: ").unwrap_or_default()),
                other => other.map(str::to_owned),
            };
            let claim = typed.map(|secret| claim_secret(&secret)).transpose()?;
            settings.unlock()?.set_relay(&RelayAddress { url, mailbox, claim, pin: pin.map(|pin| *pin.as_bytes()) })?;
            output.show(&json!({ "set": true }), || "Set. `satchel sync` reaches it.".to_owned());
        }
        Relay::Pin { pin } => {
            settings.unlock()?.pin_relay(Some(*pin.as_bytes()))?;
            output.show(&json!({ "pinned": pin.to_string() }), || "Pinned. Only this key is accepted from now on.".to_owned());
        }
        Relay::Show => {
            let relay = settings.unlock()?.relay()?.ok_or(satchel_core::store::RelayError::NoRelay)?;
            let pin = relay.pin.map(|pin| Pin::from_bytes(pin).to_string());
            let value = json!({ "url": relay.url, "mailbox": relay.mailbox.to_string(), "claimed": relay.is_claimed, "pin": pin });
            output.show(&value, || {
                let claimed = if relay.is_claimed { "" } else { "  (not claimed yet)" };
                format!("{}\n{}{claimed}\n{}", relay.url, relay.mailbox, pin.as_deref().unwrap_or("no key pinned"))
            });
        }
    }
    Ok(())
}

/// The secret as the relay's operator sees it: base32, any case.
fn claim_secret(text: &str) -> Result<[u8; 16], Failure> {
    let wrong = Failure::Argument { name: "--secret", expected: "the 26 characters that `satchel-relay mailbox create` printed" };
    let bytes = data_encoding::BASE32_NOPAD.decode(text.trim().to_ascii_uppercase().as_bytes());
    bytes.ok().and_then(|bytes| bytes.try_into().ok()).ok_or(wrong)
}
