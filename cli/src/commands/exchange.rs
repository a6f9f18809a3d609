//! Exchange with colleagues' phones.

use crate::arguments::{Peer, Settings};
use crate::failure::Failure;
use crate::output::Output;
use satchel_core::store::{PeerLink, Unlocked};
use satchel_core::sync::SessionReport;
use satchel_transport::TransportError;
use satchel_transport::nearby::{Lookout, Nearby};
use satchel_transport::peer::{self, Patience};
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
