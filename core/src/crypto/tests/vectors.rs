//! The vectors under `tests/vectors/crypto`, made by `make.py` there with other implementations.

use crate::crypto::*;
use crate::env::Env;
use crate::env::testing::{FixedRandomness, TestClock};
use data_encoding::HEXLOWER;
use serde_json::Value;
use std::path::Path;

struct Case<'a>(&'a Value);

impl Case<'_> {
    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_else(|| panic!("{}: no {name}", self.0["name"]))
    }
    fn bytes(&self, name: &str) -> Vec<u8> {
        HEXLOWER.decode(self.text(name).as_bytes()).unwrap()
    }
    fn array<const N: usize>(&self, name: &str) -> [u8; N] {
        self.bytes(name).try_into().unwrap()
    }
    fn list(&self, name: &str) -> Vec<Vec<u8>> {
        self.0[name].as_array().unwrap().iter().map(|item| HEXLOWER.decode(item.as_str().unwrap().as_bytes()).unwrap()).collect()
    }
    fn number(&self, name: &str) -> u32 {
        self.0[name].as_u64().unwrap().try_into().unwrap()
    }
    fn label(&self) -> Label {
        let text = format!("satchel 2026-11-22 {}", self.text("label"));
        labels::ALL.iter().find(|(_, label)| label.as_str() == text).unwrap().1
    }
    fn aad(&self) -> Aad {
        self.list("parts").iter().fold(Aad::new(self.label()), |aad, part| aad.add(part))
    }
    fn nonce(&self) -> Nonce {
        Nonce::from_bytes(self.array("nonce"))
    }
    fn key(&self, name: &str) -> RecordKey {
        RecordKey::from_bytes(&self.array(name))
    }
    fn commons(&self) -> CommonsSecret {
        CommonsSecret::from_bytes(&self.array("commons_secret"))
    }
    fn discovery(&self) -> DiscoverySecret {
        DiscoverySecret::from_bytes(&self.array("discovery_secret"))
    }

    /// What this implementation makes of the case: bytes (text as bytes) or an error code.
    fn run(&self) -> Result<Vec<u8>, &'static str> {
        Ok(match self.text("operation") {
            "derive" => {
                let inputs = self.list("inputs");
                derive_key(self.label(), &inputs.iter().map(Vec::as_slice).collect::<Vec<_>>()).to_vec()
            }
            "derive_commons" => RecordsSecret::from_bytes(&self.array("records_secret")).derive_commons().expose().to_vec(),
            "derive_records_lane_key" => {
                RecordsSecret::from_bytes(&self.array("records_secret")).derive_records_lane_key().expose().to_vec()
            }
            "derive_turn_id" => self.commons().derive_turn_id().as_bytes().to_vec(),
            "derive_announce_lane_key" => self.commons().derive_announce_lane_key().expose().to_vec(),
            "derive_commons_lane_key" => self.commons().derive_commons_lane_key().expose().to_vec(),
            "derive_discovery" => self.commons().derive_discovery().expose().to_vec(),
            "derive_pull_keypair" => self.commons().derive_pull_keypair().verifying_key().as_bytes().to_vec(),
            "derive_push_keypair" => self.commons().derive_push_keypair().verifying_key().as_bytes().to_vec(),
            "derive_psk" if self.0["invitation_secret"].is_string() => {
                InvitationSecret::from_bytes(&self.array("invitation_secret")).derive_psk().expose().to_vec()
            }
            "derive_psk" => self.discovery().derive_psk().expose().to_vec(),
            "discovery_tag" => discovery_tag(&self.discovery(), self.number("hour"), &self.array("salt")).to_vec(),
            "hello_tag" => hello_tag(&self.discovery(), &self.array("salt")).to_vec(),
            "keyed_token" => keyed_token(&self.array("salt"), &[&self.array::<16>("record")]).to_vec(),
            "check_words" => check_words(&self.array("handshake_hash")).join(" ").into_bytes(),
            "device_id" => {
                VerifyingKey::from_slice(&self.bytes("verifying_key")).map_err(|error| error.code())?.device_id().as_bytes().to_vec()
            }
            "seal" => seal(&self.key("key"), self.nonce(), &self.aad(), &self.bytes("plaintext")).unwrap(),
            "open" => open(&self.key("key"), &self.aad(), &self.bytes("sealed")).map_err(|error| error.code())?.to_vec(),
            "open_collision" => {
                let (sealed, aad) = (self.bytes("sealed"), self.aad());
                // positive control: without the commitment one ciphertext opens as two things
                for (key, plaintext) in ["key", "other_key"].iter().zip(self.list("opens_as")) {
                    assert_eq!(*aead::open_without_commitment(&self.key(key), &aad, &sealed).unwrap(), plaintext);
                }
                assert!(open(&self.key("key"), &aad, &sealed).is_ok());
                open(&self.key("other_key"), &aad, &sealed).map_err(|error| error.code())?.to_vec()
            }
            "wrap_record_key" => wrap(&self.key("key"), self.nonce(), &self.aad(), &self.key("secret")).unwrap(),
            "unwrap_record_key" => {
                let unwrapped: RecordKey = unwrap(&self.key("key"), &self.aad(), &self.bytes("sealed")).map_err(|error| error.code())?;
                unwrapped.expose().to_vec()
            }
            "sign" => SigningKey::from_seed(&self.array("seed")).sign(self.label(), &self.bytes("message")).as_bytes().to_vec(),
            "verify" => {
                let key = VerifyingKey::from_slice(&self.bytes("verifying_key")).map_err(|error| error.code())?;
                let signature = Signature::from_slice(&self.bytes("signature")).map_err(|error| error.code())?;
                key.verify(self.label(), &self.bytes("message"), &signature).map_err(|error| error.code())?;
                Vec::new()
            }
            "verifying_key" => VerifyingKey::from_slice(&self.bytes("verifying_key")).map_err(|error| error.code())?.as_bytes().to_vec(),
            "unlock_key" => self.unlock_key().map_err(|error| error.code())?,
            "receiving_public_key" => {
                ReceivingKey::from_seed(&self.array("receiving_key")).public_key().map_err(|error| error.code())?.as_bytes().to_vec()
            }
            "read_receiving_public_key" => {
                let key = ReceivingPublicKey::from_slice(&self.bytes("receiving_public_key")).map_err(|error| error.code())?;
                key.as_bytes().to_vec()
            }
            "seal_box" => {
                let env = Env::new(TestClock::at(0), FixedRandomness::new(&self.bytes("randomness")));
                let key = ReceivingPublicKey::from_slice(&self.bytes("receiving_public_key")).map_err(|error| error.code())?;
                seal_box(&env, &key, &self.aad(), &self.bytes("plaintext")).map_err(|error| error.code())?
            }
            "open_box" => {
                let key = ReceivingKey::from_seed(&self.array("receiving_key"));
                open_box(&key, &self.aad(), &self.bytes("sealed")).map_err(|error| error.code())?.to_vec()
            }
            "session" => self.session(),
            "listen" => {
                let psk = SessionPsk::from_bytes(&self.array("psk"));
                let mut listener = Handshake::listener(&Env::seeded(1), &psk, &self.bytes("hello")).unwrap();
                listener.read(&self.bytes("message")).map_err(|error| error.code())?;
                Vec::new()
            }
            other => panic!("no operation {other}"),
        })
    }

    fn unlock_key(&self) -> Result<Vec<u8>, PassphraseError> {
        let params = Argon2Params::try_from((self.number("memory_kib"), self.number("passes"), self.number("lanes")))?;
        let passphrase = Passphrase::new(&self.bytes("passphrase"))?;
        let has_keystore = self.0["has_keystore"] == 1;
        Ok(derive_unlock_key(&passphrase, &self.array("salt"), params, has_keystore)?.expose().to_vec())
    }

    /// Both sides of a session with given ephemeral keys; every message must come out as listed.
    fn session(&self) -> Vec<u8> {
        let env = |name| Env::new(TestClock::at(0), FixedRandomness::new(&self.bytes(name)));
        let (psk, hello) = (SessionPsk::from_bytes(&self.array("psk")), self.bytes("hello"));
        let mut dialer = Handshake::dialer(&env("dialer_ephemeral"), &psk, &hello).unwrap();
        let mut listener = Handshake::listener(&env("listener_ephemeral"), &psk, &hello).unwrap();
        let handshake = self.list("handshake");
        assert_eq!(dialer.write().unwrap(), handshake[0]);
        listener.read(&handshake[0]).unwrap();
        assert_eq!(listener.write().unwrap(), handshake[1]);
        dialer.read(&handshake[1]).unwrap();
        let ((mut dialer, hash), (mut listener, same_hash)) = (dialer.finish().unwrap(), listener.finish().unwrap());
        assert_eq!(hash, same_hash);
        for (plaintext, sealed) in self.list("plaintext").iter().zip(self.list("sealed")) {
            assert_eq!(dialer.seal(plaintext).unwrap(), sealed);
            assert_eq!(*listener.open(&sealed).unwrap(), *plaintext);
        }
        assert_eq!(listener.seal(&self.bytes("answer_plaintext")).unwrap(), self.bytes("answer"));
        assert_eq!(*dialer.open(&self.bytes("answer")).unwrap(), self.bytes("answer_plaintext"));
        hash.to_vec()
    }
}

#[test]
fn every_vector_gives_its_output_or_its_error() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/crypto");
    let (mut valid, mut invalid, mut files, mut wrong) = (0, 0, 0, Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        files += 1;
        let file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for value in file["cases"].as_array().unwrap() {
            let case = Case(value);
            let expected = match value["error"].as_str() {
                Some(code) => Err(code),
                None if case.text("operation") == "check_words" => Ok(case.text("output").as_bytes().to_vec()),
                None => Ok(case.bytes("output")),
            };
            *(if expected.is_ok() { &mut valid } else { &mut invalid }) += 1;
            let got = case.run();
            if got != expected {
                wrong.push(format!("{}: {}: {:?}", path.display(), case.text("name"), got.map(|bytes| HEXLOWER.encode(&bytes))));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(files >= 6 && valid >= 60 && invalid > 2 * valid, "{files} files, {valid} valid, {invalid} invalid");
}
