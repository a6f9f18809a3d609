//! Staying in touch from the command line: how it stands, one line each, until Ctrl-C.
#![allow(clippy::unwrap_used)]

mod support;

use std::net::TcpListener;
use std::process::Command;
use support::Phone;

const MAILBOX: &str = "box_ijbeeqscijbeeqscijbeeqscii";
const SECRET: &str = "C4LROFYXC4LROFYXC4LROFYXC4";
const PIN: &str = "sha256//k/ybGDojXl/KBtR1XqdFIe55dz6ecSFvk7hOrqZurHA=";

fn interrupt(pid: u32) {
    assert!(Command::new("kill").args(["-INT", &pid.to_string()]).status().unwrap().success());
}

#[test]
fn it_says_how_it_stands_and_stops_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::founded(folder.path());
    // nobody listens there any more
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    phone.run(&["relay", "set", &format!("http://{gone}"), "--mailbox", MAILBOX, "--secret", SECRET]).value();
    let mut talking = phone.start(&["--json", "sync", "--live"]);
    let first = talking.next();
    assert_eq!((&first["phase"], &first["relay_at"]), (&"exchanging".into(), &serde_json::Value::Null));
    let state = talking.next();
    assert_eq!((&state["phase"], &state["code"]), (&"unreachable".into(), &"transport.unreachable".into()), "{state}");
    assert_eq!(state["remedy"], "try_later");
    assert!(state["unsent"].as_u64().unwrap() > 0 && state["retry_at"].as_u64() > state["since"].as_u64(), "{state}");
    interrupt(talking.child.id());
    let ended = talking.end();
    assert_eq!((ended.status, ended.error.as_str()), (0, ""), "{}", ended.out);
    assert!(ended.out.contains(r#""phase":"stopped""#), "{}", ended.out);

    // the same in words
    let mut talking = phone.start(&["sync", "--live"]);
    let mut line = String::new();
    while !line.contains("relay unreachable for") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut talking.lines, &mut line).unwrap() > 0);
    }
    assert!(line.contains("changes waiting: "), "{line}");
    interrupt(talking.child.id());
    assert_eq!(talking.end().status, 0);
    let doctor = phone.run(&["doctor"]).value();
    assert_eq!((&doctor["met_relay"], &doctor["met_colleague"]), (&serde_json::Value::Null, &serde_json::Value::Null));
}

#[test]
fn pins_and_proxies_are_read_and_wrong_ones_refused() {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::founded(folder.path());
    let set = |url: &str, pin: &str| phone.run(&["relay", "set", url, "--mailbox", MAILBOX, "--pin", pin]);
    assert_eq!(set("https://relay.example", "sha256//short").status, 2);
    assert_eq!(set("http://127.0.0.1:1", PIN).code(), "transport.address", "nothing would check it");
    set("https://127.0.0.1:1", PIN).value();
    assert_eq!(phone.run(&["relay", "show"]).value()["pin"], PIN);
    assert_eq!(phone.run(&["sync", "--proxy", "socks5://127.0.0.1:9050"]).status, 2, "it would look names up here");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(phone.run(&["sync", "--proxy", &format!("socks5h://{nobody}")]).code(), "transport.unreachable");
    let other = PIN.replace("k/yb", "k/yc");
    assert_eq!(phone.run(&["relay", "pin", &other]).value()["pinned"], other.as_str());
    assert_eq!(phone.run(&["relay", "show"]).value()["pin"], other.as_str());
}

#[test]
fn a_network_that_costs_is_spared_and_bytes_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::founded(folder.path());
    assert_eq!(phone.run(&["sync", "status"]).value()["relay_set"], false);
    // takes one connection, reads a request and hangs up
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let read = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        std::io::Read::read(&mut stream, &mut [0; 4_096]).unwrap()
    });
    phone.run(&["relay", "set", &url, "--mailbox", MAILBOX, "--secret", SECRET]).value();
    assert_eq!(phone.run(&["sync", "networks", "unmetered"]).value()["networks"], "unmetered");
    for wrong in [&["sync"][..], &["sync", "--network", "metered"]] {
        let ended = phone.run(wrong);
        assert_eq!((ended.status, ended.code().as_str()), (6, "network_metered"), "{}", ended.error);
    }
    let status = phone.run(&["sync", "status"]).value();
    assert_eq!((&status["networks"], &status["traffic"]), (&"unmetered".into(), &serde_json::json!([])), "nobody was reached");
    assert_eq!(phone.run(&["sync", "--anyway"]).status, 6, "the other side hung up");
    let status = phone.run(&["sync", "status"]).value();
    assert!(status["traffic"][0]["sent_bytes"].as_u64().unwrap() >= read.join().unwrap() as u64, "{status}");
    let words = phone.start(&["sync", "status"]).end().out;
    assert!(
        words.contains("today: ") && words.contains(" bytes sent, ") && words.contains("only over networks that cost nothing"),
        "{words}"
    );
    assert_eq!(phone.run(&["sync", "networks", "any"]).value()["networks"], "any");
    assert_eq!(phone.run(&["sync"]).code(), "transport.unreachable", "asked again");
}

#[test]
fn a_locked_store_fetches_without_a_passphrase_and_only_where_it_is_on() {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::founded(folder.path());
    let fetch = || {
        support::run_bare(
            &["--store", phone.store.to_str().unwrap(), "--keystore", phone.keys.to_str().unwrap(), "--json", "sync", "inbox", "fetch"],
            b"",
        )
    };
    assert_eq!(fetch().value()["locked_inbox"], false);
    assert_eq!(phone.run(&["sync", "inbox", "on"]).value()["locked_inbox"], true);
    assert_eq!(fetch().value()["locked_inbox"], false, "no relay is set");
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    phone.run(&["relay", "set", &format!("http://{gone}"), "--mailbox", MAILBOX]).value();
    let ended = fetch();
    assert_eq!((ended.status, ended.code().as_str()), (6, "transport.unreachable"), "it asked: {}", ended.error);
    assert_eq!(phone.run(&["sync", "inbox", "off"]).value()["locked_inbox"], false);
    assert_eq!(fetch().value()["locked_inbox"], false);
}
