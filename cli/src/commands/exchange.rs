//! Exchange with colleagues' phones and with the relay.

use crate::arguments::{Peer, Relay, Settings};
use crate::failure::Failure;
use crate::output::{self, Output};
use satchel_core::store::{PeerLink, RelayAddress, RelayAnswer, RelayReport, Unlocked};
use satchel_core::sync::SessionReport;
use satchel_transport::TransportError;
use satchel_transport::nearby::{Lookout, Nearby};
use satchel_transport::peer::{self, Patience};
use satchel_transport::relay::{Client, check_url};
use serde_json::{Value, json};
use std::net::TcpStream;
use std::time::Duration;

pub fn peer(settings: &Settings, output: Output, command: Peer) -> Result<(), Failure> {
    let unlocked = settings.unlock()?;
    match command {
        Peer::Listen { listen } => {
            let listener = peer::listen(&listen)?;
            let here = listener.local_addr().map_err(|error| TransportError::Listen { kind: error.kind() })?;
            output.show(&json!({ "listening": here.to_string() }), || format!("Waiting for a colleague's phone at {here} …"));
            let stream = peer::accept(&listener)?;
            meet(output, unlocked.listen(), stream)
        }
        Peer::Nearby { listen, seconds, meetings } => nearby(output, &unlocked, &listen, Duration::from_secs(seconds), meetings),
        Peer::Dial { address } => {
            let stream = peer::dial(&address, Patience::default())?;
            meet(output, unlocked.dial()?, stream)
        }
    }
}

fn nearby(output: Output, unlocked: &Unlocked, listen: &str, term: Duration, meetings: Option<u32>) -> Result<(), Failure> {
    let lookout = Lookout::new(listen, Patience::default())?;
    let (stop, mut met) = (lookout.stop(), 0);
    lookout.meet(unlocked, Some(term), |event| match event {
        Nearby::Listening(here) => {
            output.show(&json!({ "listening": here.to_string() }), || format!("Looking for colleagues' phones; taking calls at {here} …"))
        }
        Nearby::Met(report) => {
            output.show(&session_value(&report), || session_text(&report));
            met += 1;
            if meetings == Some(met) {
                stop.stop();
            }
        }
        // whoever is on the network may call and say nonsense: it is told, and the rest goes on
        Nearby::Broken(error) => {
            let code = Failure::from(error).code().to_owned();
            output.show(&json!({ "broken": code }), || format!("A meeting broke off ({code}); what had arrived is kept."));
        }
    })?;
    output.show(&json!({ "met": met }), || format!("{met} meetings."));
    Ok(())
}

fn meet(output: Output, mut link: PeerLink, stream: TcpStream) -> Result<(), Failure> {
    if let Err(error) = peer::carry(&mut link, stream, Patience::default()) {
        link.abandon()?;
        return Err(error.into());
    }
    let report = link.report();
    output.show(&session_value(report), || session_text(report));
    Ok(())
}

fn session_value(report: &SessionReport) -> Value {
    json!({
        "peer": report.peer.map(|peer| peer.to_string()),
        "sent": report.sent,
        "received": report.received,
        "applied": report.rows.applied,
        "known": report.rows.known,
        "held": report.rows.held,
        "refused": report.rows.refused,
        "thrown_away": report.rows.thrown_away,
        "operations_sent": report.operations_sent,
        "operations_accepted": report.operations.accepted,
        "bytes_sent": report.bytes_sent,
        "bytes_received": report.bytes_received,
        "round_trips": report.round_trips,
        "warnings": report.warnings.iter().map(|warning| warning.code()).collect::<Vec<_>>(),
    })
}

fn session_text(report: &SessionReport) -> String {
    let mut text = format!(
        "Met. {} new here, {} sent, {} held, {} refused; {} bytes out, {} bytes in.",
        report.rows.applied, report.sent, report.rows.held, report.rows.refused, report.bytes_sent, report.bytes_received
    );
    for warning in &report.warnings {
        text.push_str(&format!("\n  note: {}", warning.code().replace('_', " ")));
    }
    text
}

pub fn sync(settings: &Settings, output: Output) -> Result<(), Failure> {
    let unlocked = settings.unlock()?;
    let mut link = unlocked.relay_exchange()?;
    let url = unlocked.relay()?.ok_or(satchel_core::store::RelayError::NoRelay)?.url;
    let client = Client::new(&url)?;
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
        Relay::Set { url, mailbox, secret } => {
            check_url(&url)?;
            let typed = match secret.as_deref() {
                Some("-") => Some(output::ask("Secret: ").unwrap_or_default()),
                other => other.map(str::to_owned),
            };
            let claim = typed.map(|secret| claim_secret(&secret)).transpose()?;
            settings.unlock()?.set_relay(&RelayAddress { url, mailbox, claim })?;
            output.show(&json!({ "set": true }), || "Set. `satchel sync` reaches it.".to_owned());
        }
        Relay::Show => {
            let relay = settings.unlock()?.relay()?.ok_or(satchel_core::store::RelayError::NoRelay)?;
            let value = json!({ "url": relay.url, "mailbox": relay.mailbox.to_string(), "claimed": relay.is_claimed });
            output
                .show(&value, || format!("{}\n{}{}", relay.url, relay.mailbox, if relay.is_claimed { "" } else { "  (not claimed yet)" }));
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
