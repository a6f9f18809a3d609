//! Who may import what. The architecture is a set of rules, and a rule that nothing checks is a wish.
//!
//! Sources are read as text, comments and string literals removed. Every rule has a positive control: a source
//! that breaks it, which must be caught.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// One source file: its path from the workspace, and its code without comments and literals.
#[derive(Clone)]
struct Source {
    path: String,
    code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), code: strip(text) }
    }
    fn is_under(&self, prefix: &str) -> bool {
        self.path.starts_with(prefix)
    }
    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs") || self.path.contains("/tests_")
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn files(folder: &Path, ends: &[&str], found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !matches!(name.as_str(), "target" | "node_modules" | "build") {
                files(&path, ends, found);
            }
        } else if ends.iter().any(|end| name.ends_with(end)) {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for folder in ["core", "wire", "relay", "transport", "ffi", "cli", "bench", "tests"] {
        files(&root().join(folder), &[".rs"], &mut found);
    }
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        Source::new(&name, &std::fs::read_to_string(path).unwrap())
    };
    found.iter().map(read).collect()
}

/// Removes comments and the inside of string and character literals.
fn strip(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        if rest.starts_with(&['/', '/']) {
            at += rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
        } else if rest.starts_with(&['/', '*']) {
            let mut depth = 0;
            while at < chars.len() {
                if chars[at..].starts_with(&['/', '*']) {
                    (depth, at) = (depth + 1, at + 2);
                } else if chars[at..].starts_with(&['*', '/']) {
                    (depth, at) = (depth - 1, at + 2);
                } else {
                    at += 1;
                }
                if depth == 0 {
                    break;
                }
            }
        } else if let Some(hashes) = raw_string(rest, out.chars().last()) {
            let open = rest.iter().position(|c| *c == '"').unwrap();
            let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let inside = &rest[open + 1..];
            let length = inside.windows(close.len()).position(|window| window == close).unwrap_or(inside.len());
            out.push_str("\"\"");
            at += open + 1 + length + close.len();
        } else if rest[0] == '"' {
            at += 1;
            while at < chars.len() && chars[at] != '"' {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
            out.push_str("\"\"");
        } else if rest[0] == '\'' && (rest.get(2) == Some(&'\'') || rest.get(1) == Some(&'\\')) {
            at += 2 + usize::from(rest[1] == '\\');
            while at < chars.len() && chars[at] != '\'' {
                at += 1;
            }
            at += 1;
            out.push_str("' '");
        } else {
            out.push(rest[0]);
            at += 1;
        }
    }
    out
}

fn raw_string(rest: &[char], before: Option<char>) -> Option<usize> {
    if rest[0] != 'r' || before.is_some_and(|c| c != 'b' && (c.is_alphanumeric() || c == '_')) {
        return None;
    }
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    (rest.get(1 + hashes) == Some(&'"')).then_some(hashes)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a name stands in the code as a whole word.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// First segments after `crate::` and after as many `super::` as lead to the crate's root, groups opened.
fn rooms_named(source: &Source) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut take = |path: &str| found.extend(heads(path));
    for (at, _) in source.code.match_indices("crate::") {
        if !source.code[..at].chars().next_back().is_some_and(is_word) {
            take(&source.code[at + 7..]);
        }
    }
    // a file two folders deep reaches the root by two `super::`, its `mod.rs` by one less
    let inside = source.path.trim_start_matches("core/src/").trim_end_matches(".rs").trim_end_matches("/mod");
    let depth = inside.split('/').count();
    let up = "super::".repeat(depth);
    for (at, _) in source.code.match_indices(&up) {
        if !source.code[..at].ends_with("super::") {
            take(&source.code[at + up.len()..]);
        }
    }
    found
}

fn heads(path: &str) -> Vec<String> {
    let path = path.trim_start();
    let Some(group) = path.strip_prefix('{') else {
        return vec![path.chars().take_while(|c| is_word(*c)).collect()];
    };
    let (mut depth, mut start, mut heads_found) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                heads_found.extend(heads(&group[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads_found.extend(heads(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    heads_found
}

const ROOMS: [&str; 15] = [
    "catalogue",
    "complaint",
    "consent",
    "crypto",
    "document",
    "envelope",
    "record",
    "recovery",
    "screen",
    "share",
    "storage",
    "store",
    "sync",
    "team",
    "env",
];

/// What a room of the core may import besides `satchel_wire`, and why. `store` may import everything.
const EDGES: &[(&str, &str, &str)] = &[
    ("crypto", "env", "randomness comes in as an argument"),
    ("envelope", "crypto", "bodies and covers are sealed and signed"),
    ("envelope", "env", "nonces"),
    ("envelope", "record", "kind, audience and shape stand in every cover"),
    ("record", "document", "records map to documents field by field"),
    ("record", "screen", "texts in records are screened types"),
    ("record", "catalogue", "a recognition word is compared as words are in a search"),
    ("record", "share", "what a recipient answered stands in the sharing log"),
    ("record", "consent", "a fact belongs to a gated category, a recipient to a class, and summaries hold what grants say"),
    ("recovery", "crypto", "keys are split, checked and put on paper"),
    ("recovery", "env", "shares are random"),
    ("consent", "record", "grants and withdrawals are entries"),
    ("consent", "env", "the id of a receipt is random"),
    ("complaint", "crypto", "complaints are boxed, bulletins signed"),
    ("complaint", "env", "receipts are random"),
    ("share", "crypto", "packets are sealed"),
    ("share", "env", "packets, offers and answers are random"),
    ("share", "consent", "a packet says under which yes"),
    ("share", "record", "a packet holds facts"),
    ("share", "screen", "the guard reads what leaves"),
    ("team", "complaint", "bulletins travel in the log, signed by the charter's board"),
    ("team", "consent", "the charter stands in the log"),
    ("team", "crypto", "operations, turns and frontiers are signed and boxed"),
    ("team", "env", "nonces and invitations"),
    ("team", "record", "what a tombstone takes depends on the kind"),
    ("sync", "crypto", "Noise, tags and agreement hashes"),
    ("sync", "env", "randomness of a session"),
];

/// Which third-party name may stand where: (word, allowed path prefixes, why).
const ENGINES: &[(&str, &[&str], &str)] = &[
    ("automerge", &["core/src/document/", "tests/", "bench/"], "one room knows the CRDT engine"),
    ("chacha20poly1305", &["core/src/crypto/", "bench/"], "one room knows ciphers"),
    ("argon2", &["core/src/crypto/", "bench/"], "one room knows ciphers"),
    ("hpke", &["core/src/crypto/", "bench/"], "one room knows ciphers"),
    ("spake2", &["core/src/crypto/"], "one room knows key exchanges"),
    ("vsss_rs", &["core/src/crypto/"], "one room knows how secrets are split"),
    ("snow", &["core/src/crypto/", "bench/"], "one room knows ciphers"),
    ("ed25519_dalek", &["core/src/crypto/", "relay/", "bench/"], "a relay verifies requests, and nothing else"),
    (
        "rusqlite",
        &["core/src/storage/", "relay/src/storage/", "relay/tests/", "tests/", "bench/", "cli/src/demo/"],
        "one room knows the database",
    ),
    ("tokio_postgres", &["relay/src/storage/postgres", "bench/"], "one room knows the database server"),
    ("deadpool_postgres", &["relay/src/storage/postgres"], "one room knows the database server"),
    ("ureq", &["transport/src/relay/"], "one room knows HTTP to a relay"),
    ("rustls", &["transport/src/relay/", "bench/"], "one room knows TLS to a relay"),
    ("negentropy", &["core/src/sync/", "bench/"], "reconciliation is a matter of sessions"),
    ("SystemTime", &["core/src/env.rs", "relay/src/cli.rs", "relay/tests/", "tests/", "bench/"], "clocks come in as arguments"),
    ("getrandom", &["core/src/env.rs", "relay/src/cli.rs", "relay/tests/", "bench/"], "randomness comes in as an argument"),
];

/// Every broken rule in some sources.
fn broken(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let mut report = |rule: &str| found.push(format!("{}: {rule}", source.path));
        let crates = ["satchel_core", "satchel_relay", "satchel_transport", "satchel_ffi", "satchel_cli"];
        if source.is_under("wire/") && crates.iter().any(|name| names(&source.code, name)) {
            report("wire imports another crate of the workspace");
        }
        if source.is_under("relay/") && crates.iter().any(|name| *name != "satchel_relay" && names(&source.code, name)) {
            report("relay imports more than wire");
        }
        if source.is_under("core/") && crates.iter().any(|name| *name != "satchel_core" && names(&source.code, name)) {
            report("core imports what is built on it");
        }
        if source.is_under("transport/") && ["satchel_relay", "satchel_ffi", "satchel_cli"].iter().any(|name| names(&source.code, name)) {
            report("transport imports what is built on it, or its server");
        }
        for (word, allowed, why) in ENGINES {
            let is_type = word.starts_with(char::is_uppercase);
            let is_named =
                if is_type { names(&source.code, word) } else { ["::", ";", " as"].iter().any(|end| names_path(&source.code, word, end)) };
            if is_named && !allowed.iter().any(|prefix| source.is_under(prefix)) {
                report(&format!("names {word}: {why}"));
            }
        }
        if source.is_under("core/src/") && !source.is_under("core/src/store/") && !source.is_test() {
            let opens =
                source.code.contains(".transaction(") && !source.is_under("core/src/document/") && !source.is_under("core/src/storage/");
            if opens {
                report("only store opens transactions");
            }
        }
        // and the program that counts allocations
        if !source.is_under("ffi/") && !source.is_under("bench/memory/") && names(&source.code, "unsafe") {
            report("unsafe outside ffi");
        }
        if let Some(rest) = source.path.strip_prefix("core/src/")
            && let Some((room, _)) = rest.split_once('/')
            && room != "store"
        {
            for named in rooms_named(source) {
                let allowed = named == room || named == "error" || EDGES.iter().any(|(from, to, _)| (*from, *to) == (room, named.as_str()));
                if ROOMS.contains(&named.as_str()) && !allowed {
                    report(&format!("{room} imports {named}"));
                }
            }
        }
    }
    found
}

/// Whether a crate's name stands at the head of a path or an import; a field or module that shares the name does not count.
fn names_path(code: &str, word: &str, end: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].trim_end();
        let is_local = before.ends_with("::") || before.ends_with('.') || before.ends_with("mod");
        let is_whole = !code[..at].chars().next_back().is_some_and(is_word);
        is_whole && !is_local && code[at + word.len()..].starts_with(end)
    })
}

#[test]
fn rooms_import_only_what_they_may() {
    let sources = sources();
    assert!(sources.len() > 150, "only {} files read", sources.len());
    let found = broken(&sources);
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_edge_in_the_table_exists() {
    // an edge that nothing uses any more is a licence that nobody asked for
    let sources = sources();
    for (from, to, why) in EDGES {
        let is_used = sources.iter().any(|source| source.is_under(&format!("core/src/{from}/")) && rooms_named(source).contains(*to));
        assert!(is_used, "{from} no longer imports {to} ({why}): take the edge out");
    }
    for room in ROOMS {
        assert!(root().join(format!("core/src/{room}")).is_dir() || root().join(format!("core/src/{room}.rs")).is_file(), "{room}");
    }
}

#[test]
fn every_rule_catches_what_breaks_it() {
    let cases = [
        ("wire/src/row.rs", "use satchel_core::crypto;"),
        ("relay/src/auth.rs", "use satchel_core::crypto::open;"),
        ("relay/src/auth.rs", "let key = chacha20poly1305::Key::default();"),
        ("relay/src/relay.rs", "use satchel_transport::Client;"),
        ("core/src/sync/mod.rs", "use satchel_transport::Client;"),
        ("transport/src/lib.rs", "use satchel_relay::Relay;"),
        ("core/src/record/mapping.rs", "use automerge::Automerge;"),
        ("cli/src/main.rs", "fn f() { automerge::Automerge::new(); }"),
        ("core/src/team/turn.rs", "use ed25519_dalek::Signer;"),
        ("core/src/sync/session.rs", "use snow::Builder;"),
        ("core/src/store/root.rs", "use hpke::Kem;"),
        ("core/src/recovery/paper.rs", "use vsss_rs::Gf256;"),
        ("core/src/recovery/paper.rs", "use crate::team::Turn;"),
        ("core/src/store/root.rs", "use argon2::Argon2;"),
        ("core/src/store/mod.rs", "use rusqlite::Connection;"),
        ("core/src/record/entry.rs", "fn f() { std::time::SystemTime::now(); }"),
        ("core/src/store/date.rs", "use std::time::{Duration, SystemTime};"),
        ("core/src/crypto/aead.rs", "fn f() { getrandom::fill(&mut []); }"),
        ("core/src/sync/session.rs", "fn f(db: &mut Database) { db.transaction(|tx| ()); }"),
        ("core/src/storage/engine.rs", "use crate::crypto::seal;"),
        ("core/src/storage/engine.rs", "use super::super::crypto::seal;"),
        ("core/src/document/apply.rs", "use crate::{error::Error, record::Kind};"),
        ("core/src/screen/mod.rs", "use super::record::Kind;"),
        ("core/src/team/log.rs", "use crate::store::Store;"),
        ("core/src/record/kind.rs", "use crate::team::Role;"),
        ("core/src/catalogue/mod.rs", "use crate::storage::Database;"),
        ("core/src/envelope/body.rs", "fn f() { crate::store::g() }"),
        ("cli/src/main.rs", "unsafe { f() }"),
    ];
    for (path, text) in cases {
        assert!(!broken(&[Source::new(path, text)]).is_empty(), "{path}: {text}");
    }
    // what only looks like it
    for (path, text) in [
        ("core/src/storage/engine.rs", "// use crate::crypto::seal;\nconst A: &str = \"crate::crypto::x unsafe automerge::\";"),
        ("core/src/storage/engine.rs", "/* outer /* use crate::crypto::seal; */ unsafe */ fn f() {}"),
        ("core/src/team/turn.rs", "use crate::crypto::seal; use super::log::Log; let c = 'x'; let d = '\\''; let e = r#\"unsafe\"#;"),
        ("relay/src/auth.rs", "use ed25519_dalek::VerifyingKey;"),
        ("core/src/sync/session.rs", "let unsafe_path = 1;"),
    ] {
        assert_eq!(broken(&[Source::new(path, text)]), Vec::<String>::new(), "{path}: {text}");
    }
}

/// The names of the workspace's crates, and of engines, in a manifest's dependencies.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut in_dependencies = false;
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            in_dependencies = line == "[dependencies]";
        } else if in_dependencies && !line.starts_with('#') {
            let name: String = line.chars().take_while(|c| is_word(*c) || *c == '-').collect();
            if !name.is_empty() {
                found.insert(name);
            }
        }
    }
    found
}

#[test]
fn manifests_keep_the_same_rules() {
    let forbidden = |dependencies: &BTreeSet<String>, names: &[&str]| -> Vec<String> {
        names.iter().filter(|name| dependencies.contains(**name)).map(|name| (*name).to_owned()).collect()
    };
    let rules: [(&str, &[&str]); 4] = [
        ("wire", &["satchel-core", "satchel-relay", "satchel-transport", "ed25519-dalek", "chacha20poly1305", "tokio", "getrandom"]),
        ("relay", &["satchel-core", "satchel-transport", "automerge", "chacha20poly1305", "hpke", "snow", "argon2"]),
        ("core", &["satchel-relay", "satchel-transport", "tokio", "axum", "ureq"]),
        ("transport", &["satchel-relay", "automerge", "chacha20poly1305", "hpke", "snow", "argon2", "rusqlite"]),
    ];
    for (folder, names) in rules {
        let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let found = dependencies(&manifest);
        assert!(!found.is_empty(), "{folder} has no dependencies, or they were not read");
        assert_eq!(forbidden(&found, names), Vec::<String>::new(), "{folder}/Cargo.toml");
    }
    // control
    let bad =
        dependencies("[package]\nname = \"x\"\n[dependencies]\nsatchel-core.workspace = true\n[dev-dependencies]\nautomerge = \"1\"\n");
    assert_eq!(forbidden(&bad, &["satchel-core", "automerge"]), vec!["satchel-core"]);
}

/// Words that make a person a case, a role or a fault; and what may be said instead.
const WORDS: &[(&str, &str)] = &[
    ("client", "participant"),
    ("clients", "participants"),
    ("addict", "person who uses drugs"),
    ("addicts", "people who use drugs"),
    ("addicted", "person who uses drugs"),
    ("junkie", "person who uses drugs"),
    ("prostitute", "person who sells sex"),
    ("prostitutes", "people who sell sex"),
    ("hooker", "person who sells sex"),
    ("offender", "person"),
    ("offenders", "people"),
    ("felon", "person with a conviction"),
    ("inmate", "person in custody"),
    ("inmates", "people in custody"),
    ("vagrant", "person without housing"),
    ("vagrants", "people without housing"),
    ("alcoholic", "person who drinks"),
    ("the homeless", "people without housing"),
    ("illegal alien", "person"),
    ("illegal immigrant", "person"),
    ("non-compliant", "said no"),
    ("noncompliant", "said no"),
];

/// (file, line holds, why it may stand there). A technical sense, or the words of somebody else that must be recognised.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("relay/tests/", "client", "an HTTP client"),
    ("docs/guide/operator.md", "client's address", "an HTTP client"),
    ("scripts/lib/common.sh", "object storage client", "another program's name"),
    ("transport/", "lient", "an HTTP client"),
    ("cli/src/commands/relay.rs", "lient", "an HTTP client"),
    ("cli/src/commands/inbox.rs", "lient", "an HTTP client"),
    ("bench/src/bin/", "lient", "an HTTP client"),
    ("tests/tests/spending.rs", "lient", "an HTTP client"),
    ("tests/tests/live.rs", "lient", "an HTTP client"),
    ("ffi/src/relay.rs", "lient", "an HTTP client"),
    ("ffi/src/carrier.rs", "lient", "an HTTP client"),
    ("docs/BUILDING.md", "client", "an HTTP client"),
    ("cli/src/hsds/questions.rs", "clients", "the words of imported directories, which the importer must recognise"),
    ("core/src/screen/lexicon.rs", "inmate", "what the text guard must recognise"),
    ("core/src/screen/tests_corpus.rs", "", "texts that the guard is tested with"),
    ("core/src/screen/suggest.rs", "", "wordings for which kinder ones are suggested"),
    ("ffi/kotlin/src/test/kotlin/org/satchel/core/GuardTest.kt", "junkie", "a wording for which a kinder one is suggested"),
    ("ffi/swift/Tests/SatchelCoreTests/ConsentTest.swift", "junkie", "a wording for which a kinder one is suggested"),
    ("android-demo/app/src/test/kotlin/org/satchel/demo/SourceTest.kt", "client", "words that no screen may show"),
    ("ios-demo/OutreachKit/Tests/OutreachKitTests/WordsTest.swift", "client", "words that no screen may show"),
    ("ios-demo/OutreachKit/Tests/OutreachKitTests/ConsentTest.swift", "an addict came by", "a wording for which a kinder one is suggested"),
    ("core/src/catalogue/vocabulary.rs", "Homeless Management Information System", "a proper name"),
    ("tests/vectors/paper/shares.json", "", "words drawn from the list of BIP 39"),
    ("tests/corpus/", "", "texts that the guard is tested with"),
    ("tests/tests/rights.rs", "nowhere(&[", "words that no name may hold"),
    ("tests/tests/layers.rs", "", "this list"),
];

fn unkind(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let lower = line.to_lowercase();
        for (word, instead) in WORDS {
            let allowed = ALLOWED.iter().any(|(file, holds, _)| path.starts_with(file) && line.contains(holds));
            if names(&lower, word) && !allowed {
                found.push(format!("{path}:{}: {word:?}; say {instead:?}", number + 1));
            }
        }
    }
    found
}

#[test]
fn people_come_first() {
    let mut paths = Vec::new();
    let ends = [".rs", ".md", ".toml", ".kt", ".swift", ".udl", ".xml", ".strings", ".json", ".sh", ".yml"];
    files(&root(), &ends, &mut paths);
    let mut found = Vec::new();
    for path in &paths {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        found.extend(unkind(&name, &text));
    }
    assert!(paths.len() > 200, "only {} files read", paths.len());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    // control: in names, docs and strings, in any case; never inside another word
    for line in ["struct Client;", "/// The Addict's file.", "label = \"Offenders\"", "for the homeless", "a non-compliant person"] {
        assert!(!unkind("core/src/x.rs", line).is_empty(), "{line}");
    }
    assert!(unkind("core/src/x.rs", "let subclients = 1; // the homelessness service").is_empty());
    assert!(unkind("relay/tests/x.rs", "a client that hangs").is_empty());
}

/// The switches that leave rules out exist for this crate's thief alone; whatever is shipped is built without them.
#[test]
fn nothing_that_is_shipped_can_leave_a_rule_out() {
    let mut asked = Vec::new();
    for member in ["wire", "core", "transport", "relay", "cli", "ffi", "bench", "tests"] {
        let manifest = std::fs::read_to_string(root().join(member).join("Cargo.toml")).expect("a manifest");
        let is_named = manifest.lines().any(|line| line.contains("adversary") && !line.starts_with('#'));
        if is_named {
            asked.push(member);
        }
        if member == "core" {
            assert!(!manifest.contains("default = "), "a default feature of the core would reach every build");
        }
    }
    assert_eq!(asked, ["core", "tests"], "the core declares the feature, this crate uses it");
}
