//! Colleagues' phones find each other on a network of its own, a stranger's finds nobody, and whoever records every packet
//! learns neither team nor person: real processes, real namespaces, a real capture.
//!
//! Needs root, `ip` and `tcpdump`. Without them it says so and passes; with CI=true that is a failure.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod support;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use support::{Ended, Phone, Talking};

fn run(program: &str, arguments: &[&str]) -> bool {
    let done = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    done.is_ok_and(|done| done.status.success())
}

/// Three phones on one bridge, cut off from everything else.
struct Network {
    prefix: String,
}

impl Network {
    fn new() -> Option<Self> {
        let network = Self { prefix: format!("st{}", std::process::id()) };
        if !run("tcpdump", &["--version"]) || !run("ip", &["netns", "add", &network.name("hub")]) {
            return None;
        }
        let hub = network.name("hub");
        let inside = |arguments: &[&str]| assert!(run("ip", &[&["-n", &hub], arguments].concat()), "ip -n hub {arguments:?}");
        inside(&["link", "add", "bridge", "type", "bridge", "mcast_snooping", "0"]);
        inside(&["link", "set", "bridge", "up"]);
        for (host, phone) in ["a", "b", "z"].into_iter().enumerate() {
            let name = network.name(phone);
            assert!(run("ip", &["netns", "add", &name]));
            let port = format!("port-{phone}");
            inside(&["link", "add", &port, "type", "veth", "peer", "name", "net", "netns", &name]);
            inside(&["link", "set", &port, "master", "bridge", "up"]);
            let address = format!("198.51.100.{}/24", host + 1);
            for arguments in [&["addr", "add", &address, "dev", "net"][..], &["link", "set", "net", "up"], &["link", "set", "lo", "up"]] {
                assert!(run("ip", &[&["-n", &name], arguments].concat()), "{arguments:?}");
            }
        }
        Some(network)
    }

    fn name(&self, phone: &str) -> String {
        format!("{}-{phone}", self.prefix)
    }

    fn inside(&self, phone: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name(phone), program]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn look(&self, phone: &str, store: &Phone, arguments: &[&str]) -> Talking {
        let mut command = self.inside(phone, env!("CARGO_BIN_EXE_satchel"));
        command.env_remove("SATCHEL_STORE").arg("--store").arg(&store.store).arg("--keystore").arg(&store.keys);
        command.args(["--key-cost", "least", "--passphrase-fd", "0", "--json", "peer", "nearby"]).args(arguments);
        store.talk(command)
    }

    /// Records everything on the bridge; returns once it does.
    fn record(&self) -> Recording {
        let mut command = self.inside("hub", "tcpdump");
        let mut child = command.args(["-i", "bridge", "--immediate-mode", "-U", "-s", "0", "-w", "-"]).spawn().unwrap();
        let (mut said, mut errors) = (String::new(), BufReader::new(child.stderr.take().unwrap()));
        while !said.contains("listening on") {
            said.clear();
            assert!(errors.read_line(&mut said).unwrap() > 0, "tcpdump ended");
        }
        Recording { child, _errors: errors }
    }

    /// Plain words on the network, for everybody to see.
    fn say(&self, words: &str) {
        let script = format!("exec 3<>/dev/udp/198.51.100.2/9 && printf {words} >&3");
        assert!(self.inside("a", "bash").args(["-c", &script]).status().unwrap().success());
    }
}

struct Recording {
    child: Child,
    _errors: BufReader<ChildStderr>,
}

impl Recording {
    /// Everything up to the packet with these words.
    fn until(mut self, words: &str) -> Vec<u8> {
        let (mut packets, mut portion) = (Vec::new(), [0; 65_536]);
        let mut out = self.child.stdout.take().unwrap();
        while !holds(&packets, words.as_bytes()) {
            let count = out.read(&mut portion).unwrap();
            assert!(count > 0, "tcpdump ended");
            packets.extend_from_slice(&portion[..count]);
        }
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        packets
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for phone in ["a", "b", "z", "hub"] {
            run("ip", &["netns", "del", &self.name(phone)]);
        }
    }
}

fn joined(host: &Phone, folder: &Path, name: &str) -> Phone {
    let phone = Phone::new(folder, name);
    let mut inviting = host.start(&["--json", "invite", "--role", "worker"]);
    let invitation = inviting.next()["invitation"].as_str().unwrap().to_owned();
    let mut joining = phone.start(&["--json", "join", &invitation, "--name", name]);
    assert_eq!(inviting.next()["words"], joining.next()["words"]);
    inviting.say("yes");
    joining.say("yes");
    assert_eq!((inviting.end().status, joining.end().status), (0, 0));
    phone
}

fn met(ended: &Ended) -> u64 {
    assert_eq!(ended.status, 0, "{}", ended.error);
    let last: serde_json::Value = serde_json::from_str(ended.out.lines().last().unwrap()).unwrap();
    last["met"].as_u64().unwrap()
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}

#[test]
fn colleagues_find_each_other_strangers_find_nobody_and_the_network_learns_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let Some(network) = Network::new() else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "needs root, iproute2 and tcpdump");
        eprintln!("LEFT OUT: phones that find each other need root, iproute2 and tcpdump");
        return;
    };
    let ana = Phone::founded(folder.path());
    let ben = joined(&ana, folder.path(), "Benedetta");
    let elsewhere = tempfile::tempdir().unwrap();
    let zoe = Phone::founded(elsewhere.path());
    let participant = ana.id(&["participant", "add", "--alias", "Kingfisher"]);
    let here = ana.id(&["encounter", "add", "--participant", &participant, "--note", "likes peppermint tea"]);

    let recording = network.record();
    network.say("PLAINCANARY");
    let stranger = network.look("z", &zoe, &["--seconds", "600"]);
    let one = network.look("a", &ana, &["--seconds", "60", "--meetings", "1"]);
    let other = network.look("b", &ben, &["--seconds", "60", "--meetings", "1"]);
    let (one, other) = (one.end(), other.end());
    assert_eq!((met(&one), met(&other)), (1, 1), "{} {}", one.out, other.out);
    let mut stranger = stranger;
    stranger.child.kill().unwrap();
    let mut heard = String::new();
    stranger.lines.read_to_string(&mut heard).unwrap();
    assert_eq!(heard.lines().count(), 1, "the stranger met or called somebody: {heard}");
    stranger.child.wait().unwrap();
    assert!(ben.run(&["encounter", "show", &here]).value().is_object(), "what Ana wrote is on Ben's phone");

    network.say("ENDCANARY");
    let packets = recording.until("ENDCANARY");
    assert!(packets.len() > 10_000, "{} bytes", packets.len());
    assert!(holds(&packets, b"PLAINCANARY") && holds(&packets, b"_sync"), "the search finds what is there");
    let members = ana.run(&["member", "list"]).value();
    let mut secrets: Vec<String> = vec!["satchel".into(), "kingfisher".into(), "benedetta".into(), "peppermint".into(), participant, here];
    for line in members.as_array().unwrap() {
        secrets.extend(["id", "member"].iter().filter_map(|key| line[*key].as_str().map(str::to_owned)));
    }
    secrets.extend(std::fs::read_to_string("/etc/hostname").ok().map(|name| name.trim().to_owned()).filter(|name| name.len() > 3));
    for secret in &secrets {
        let bare = secret.split_once('_').map_or(secret.as_str(), |(_, id)| id);
        assert!(!holds(&packets, bare.as_bytes()), "the network saw {secret}");
        if let Ok(raw) = data_encoding::HEXLOWER.decode(bare.as_bytes()) {
            assert!(!holds(&packets, &raw), "the network saw the bytes of {secret}");
        }
    }
}
