//! The team's relay: exchange with it once, or stay in touch.

use crate::arguments::{Relay, Settings, Sync};
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::wording;
use satchel_core::store::{RelayAddress, RelayAnswer, RelayError, RelayReport, Unlocked};
use satchel_transport::live::{Event, Live, LiveError, Phase, State};
use satchel_transport::relay::{Client, Pin, Route, check_url_on};
use serde_json::{Value, json};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

pub fn sync(settings: &Settings, output: Output, command: &Sync) -> Result<(), Failure> {
    let unlocked = settings.unlock()?;
    let relay = unlocked.relay()?.ok_or(RelayError::NoRelay)?;
    let route = Route { proxy: command.proxy.clone(), ..Route::pinned(relay.pin) };
    if command.live {
        return stay(settings, output, &unlocked, route);
    }
    let mut link = unlocked.relay_exchange()?;
    let client = Client::on_route(&relay.url, route)?;
    while let Some((endpoint, frame)) = link.next_request()? {
        let answer = match client.post(endpoint, &frame)? {
            Ok(body) => RelayAnswer::Ok(body),
            Err(problem) => RelayAnswer::Problem { code: problem.code, relay_time: problem.relay_time },
        };
        link.receive(&answer)?;
    }
    let report = link.report();
    output.show(&relay_value(report), || relay_text(report));
    Ok(())
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
