//! What an operator sets up around the server: TLS, numbers, the page, the document of the interface.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod support;

use satchel_relay::tls::{Tls, TlsError};
use satchel_wire::Lane;
use satchel_wire::frame::*;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use support::process::*;
use support::*;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

fn pair(name: &str) -> (String, String) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls");
    (format!("{folder}/{name}.pem"), format!("{folder}/{name}.key.pem"))
}

#[test]
fn every_path_of_the_document_answers_as_it_says_and_no_other_does() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let printed = text(&Command::new(PROGRAM).arg("openapi").output().unwrap());
    let document: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let expected: BTreeSet<&str> = Endpoint::ALL.iter().map(|endpoint| endpoint.path()).chain(["/healthz", "/readyz"]).collect();
    assert_eq!(paths.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected);
    let types = &document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"];
    let says = |answer: &Answer, method: &serde_json::Value| {
        let described = &method["responses"][answer.status.to_string()];
        assert!(described.is_object(), "{} is not described", answer.status);
        if answer.status == 204 {
            assert!(described["content"].is_null() && answer.body.is_empty() && !answer.head.contains("content-"), "{}", answer.head);
            return;
        }
        let kind = described["content"].as_object().unwrap().keys().next().unwrap();
        assert!(answer.head.contains(&format!("content-type: {kind}")), "{} has no {kind}", answer.head);
        if kind == "application/problem+json" {
            let problem = answer.json();
            assert!(types.as_array().unwrap().contains(&problem["type"]));
            assert!(described["description"].as_str().unwrap().contains(problem["type"].as_str().unwrap().rsplit(':').next().unwrap()));
        }
    };
    let team = relay.team(1);
    for (path, methods) in paths {
        for (method, described) in methods.as_object().unwrap() {
            let method = method.to_uppercase();
            let other = if method == "GET" { "POST" } else { "GET" };
            assert_eq!(send(relay.address, other, path, b"").status, 405, "{other} {path}");
            let max = satchel_wire::limits::HTTP_BODY_MAX_BYTES;
            let bodies: &[Vec<u8>] = if method == "GET" { &[vec![]] } else { &[vec![], b"nonsense".to_vec(), vec![0; max + 1]] };
            for body in bodies {
                says(&send(relay.address, &method, path, body), described);
            }
        }
    }
    let done = team.ask(Endpoint::Pull, &team.pull_key, &team.pull_frame(None, 100, None));
    says(&done, &paths["/v1/pull"]["post"]);
    assert_eq!(done.status, 204, "nothing is there");
    team.push(vec![row(satchel_wire::Lane::Records, 1)], None);
    let done = team.ask(Endpoint::Pull, &team.pull_key, &team.pull_frame(None, 100, None));
    says(&done, &paths["/v1/pull"]["post"]);
    assert_eq!(done.status, 200);
    assert_eq!(send(relay.address, "GET", "/v1/nothing", b"").status, 404);
    relay.stop();
}

#[test]
fn numbers_and_the_page_say_nothing_of_any_team() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data).env("SATCHEL_RELAY_OPERATOR_LISTEN", "127.0.0.1:0");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    let log = child.stderr.take().unwrap();
    let served = Served { child, address: ready["listening"].as_str().unwrap().parse().unwrap() };
    let operator = ready["operator"].as_str().unwrap().parse().unwrap();
    let team = make_team(&data, served.address, &[]);
    team.push((0..3).map(|n| row(Lane::Records, n)).collect(), None);
    assert_eq!(team.announce_answer(&[1; 700], Some(satchel_wire::AnnouncementId::of(b"x"))).problem(), ProblemCode::NotNewest);

    let metrics = String::from_utf8(send(operator, "GET", "/metrics", b"").body).unwrap();
    for line in [
        "satchel_relay_answers_total{request=\"push\",outcome=\"done\"} 1",
        "satchel_relay_answers_total{request=\"announce\",outcome=\"refused\"} 1",
        "satchel_relay_rows_total 3",
        "satchel_relay_storage_failures_total 0",
        "satchel_relay_waiting 0",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in {metrics}");
    }
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("satchel_relay_") && value.parse::<i64>().is_ok(), "{line}");
    }
    let page = send(operator, "GET", "/", b"");
    assert!(page.head.contains("content-security-policy: default-src 'none'"));
    let page = String::from_utf8(page.body).unwrap();
    assert!(page.contains("Rows kept since the start<td>3"));
    // neither the operator's paths at the phones' address, nor theirs at the operator's
    assert_eq!(send(served.address, "GET", "/metrics", b"").status, 404);
    assert_eq!(send(served.address, "GET", "/", b"").status, 404);
    assert_eq!(send(operator, "POST", "/v1/pull", b"").status, 404);
    served.signal("TERM");
    assert_eq!(served.wait(), Some(0));
    let log: Vec<String> = BufReader::new(log).lines().map(Result::unwrap).collect();
    let told: Vec<serde_json::Value> = log.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.iter().map(|line| line["event"].as_str().unwrap()).collect::<Vec<_>>(), ["ready", "stopped"]);
    let mailbox = team.mailbox.to_string();
    for text in [&metrics, &page, &log.join("\n")] {
        assert!(!text.contains(&mailbox) && !text.contains("127.0.0.1"), "{text}");
    }
}

/// Asks through TLS, trusting one certificate; what went wrong otherwise.
fn ask_tls(address: std::net::SocketAddr, trusted: &str) -> std::io::Result<Answer> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(pair(trusted).0).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address)?);
    stream.write_all(&request_bytes("GET", "/healthz", b""))?;
    read_any(&mut stream)
}

#[test]
fn tls_is_spoken_and_a_new_certificate_is_taken_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    let install = |name: &str| {
        let (from_certificate, from_key) = pair(name);
        for (from, to) in [(from_certificate, &certificate), (from_key, &key)] {
            std::fs::copy(from, to).unwrap();
        }
    };
    install("one");
    let tls = Arc::new(Tls::read(&certificate, &key).unwrap());
    assert_eq!(tls.reload(), Ok(false));
    let storage = open_storage(&folder.path().join("data"));
    let relay =
        Arc::new(satchel_relay::Relay::new(storage, satchel_relay::Config::default(), Arc::new(|| NOON), Arc::new(|_| {})).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let extras = satchel_relay::server::Extras { tls: Some(Arc::clone(&tls)), ..Default::default() };
    runtime.spawn(satchel_relay::server::serve_all(listener, relay, extras, std::future::pending()));

    assert_eq!(ask_tls(address, "one").unwrap().status, 200);
    assert!(ask_tls(address, "two").is_err(), "another certificate is not trusted");
    assert!(try_send(address, "GET", "/healthz", b"").is_err(), "plain HTTP is not answered");
    // half of a new pair: the old certificate stays
    std::fs::copy(pair("two").1, &key).unwrap();
    assert_eq!(tls.reload(), Err(TlsError::Mismatch));
    assert_eq!(ask_tls(address, "one").unwrap().status, 200);
    install("two");
    assert_eq!(tls.reload(), Ok(true));
    assert_eq!(ask_tls(address, "two").unwrap().status, 200);
    assert!(ask_tls(address, "one").is_err());
    assert_eq!(Tls::read(Path::new("/nowhere"), &key).err(), Some(TlsError::Unreadable));
    // what phones pin, as OpenSSL computes it: the same for a renewed certificate of the same key
    for name in ["one", "one.renewed"] {
        let pin = satchel_relay::tls::pin(Path::new(&pair(name).0));
        assert_eq!(pin.as_deref(), Ok("sha256//k/ybGDojXl/KBtR1XqdFIe55dz6ecSFvk7hOrqZurHA="));
    }
    assert_ne!(satchel_relay::tls::pin(Path::new(&pair("two").0)), satchel_relay::tls::pin(Path::new(&pair("one").0)));
    runtime.shutdown_background();
}
