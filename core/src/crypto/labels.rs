//! Every domain-separation label, dated, in one list: one per derived key, per signed thing, per sealed thing.
//!
//! A label is a promise about bytes: changing what is done under a label needs a new label with a new
//! date, never an edit. Other modules cannot make labels, so this list is complete.

use std::fmt;

/// What a key, a signature, a seal or a hash is for. Constant text, never empty, free of NUL bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Label(&'static str);

impl Label {
    /// The text, for example `satchel 2026-11-22 body`.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
    /// The text as bytes of ASCII.
    pub const fn as_bytes(self) -> &'static [u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

macro_rules! labels {
    ($($(#[$doc:meta])+ $name:ident = $text:literal;)+) => {
        $($(#[$doc])+ pub const $name: Label = Label(concat!("satchel 2026-11-22 ", $text));)+
        /// All of them, with their names: for tests and for the format's reference.
        pub const ALL: &[(&str, Label)] = &[$((stringify!($name), $name)),+];
    };
}

labels! {
    // The committing AEAD and what is sealed with it.
    /// Key commitment and encryption key of one seal, from key and nonce.
    SEAL = "seal";
    /// A key wrapped under another.
    WRAP = "wrap";
    /// Associated data of a cover.
    COVER = "cover";
    /// Associated data of a body.
    BODY = "body";
    /// Associated data of a chunk of a pack.
    PACK = "pack";
    /// Associated data of a draft that has not left yet.
    DRAFT = "draft";
    /// Associated data of a key page.
    PAGE = "page";
    /// Associated data of the root that wraps page keys.
    ROOT = "root";
    /// Associated data of a record's summary.
    SUMMARY = "summary";
    /// Associated data of a device's own keys at rest.
    DEVICE_KEYS = "device keys";
    /// Associated data of any other local value of the store.
    LOCAL = "local value";
    /// Associated data of the store key in a key slot.
    SLOT = "slot";
    /// Associated data of what the keystore secret seals.
    KEYSTORE = "keystore";

    // Boxes (HPKE).
    /// `info` of every box.
    BOX = "box";
    /// Associated data of a turn's records secret for a member device.
    BOX_RECORDS = "box records secret";
    /// Associated data of a turn's commons secret for a board device.
    BOX_COMMONS = "box commons secret";
    /// Associated data of a control key for a steward.
    BOX_CONTROL = "box control key";
    /// Associated data of what a newcomer recognises colleagues by.
    BOX_ACQUAINTANCES = "box acquaintances";
    /// Associated data of a complaint for the board.
    BOX_COMPLAINT = "box complaint";
    /// Associated data of the board's keys for another board phone.
    BOX_BOARD = "box board keys";
    /// Associated data of a turn's records secret for the recovery key.
    BOX_RECOVERY = "box recovery";
    /// Associated data of the relay's control key for the recovery key.
    BOX_RECOVERY_CONTROL = "box recovery control";
    /// Associated data of a recovery package's key for the recovery key.
    BOX_PACKAGE = "box recovery package";
    /// Associated data of a copy shared outside the team.
    BOX_SHARE = "box share";
    /// How the secret of one packet is called inside HPKE.
    SHARE_SECRET = "share secret";
    /// A node of the tree of packet secrets, from the one above it.
    SHARE_TREE = "share tree";
    /// Words by which two people compare a pairing.
    SHARE_WORDS = "share words";
    /// Catches a pairing's text that was damaged.
    SHARE_CHECK = "share check";
    /// Key and associated data of an offer whose words were typed.
    SHARE_CODE = "share code";
    /// Associated data of an answer to a request to erase.
    SHARE_ANSWER = "share answer";
    /// What a phone holds, in one digest that people compare.
    LIKENESS = "likeness";

    // Keys derived from other keys.
    /// Commons secret, from a records secret.
    COMMONS_SECRET = "commons secret";
    /// A turn's id, from its commons secret.
    TURN_ID = "turn id";
    /// A record key, from its field key.
    FIELD_RECORD_KEY = "field record key";
    /// The mask of a value that leaves its body early, from a field key.
    FIELD_MASK = "field mask";
    /// Key of the announce lane, from a commons secret.
    LANE_ANNOUNCE = "lane announce";
    /// Key of the commons lane, from a commons secret.
    LANE_COMMONS = "lane commons";
    /// Key of the records lane, from a records secret.
    LANE_RECORDS = "lane records";
    /// Discovery secret, from a commons secret.
    DISCOVERY_SECRET = "discovery secret";
    /// Key pair that signs pulls, from a commons secret.
    PULL_KEYPAIR = "pull keypair";
    /// Key pair that signs pushes, from a commons secret.
    PUSH_KEYPAIR = "push keypair";
    /// Unlock key of a slot that a passphrase alone opens.
    UNLOCK_PASSPHRASE = "unlock passphrase";
    /// Unlock key of a slot that needs passphrase and keystore secret.
    UNLOCK_PASSPHRASE_KEYSTORE = "unlock passphrase and keystore";
    /// Key of a pack, from a commons secret.
    PACK_KEY = "pack key";
    /// Pre-shared key of a session between members, from a discovery secret.
    PSK_DISCOVERY = "psk discovery";
    /// Pre-shared key of a joining session, from an invitation secret.
    PSK_INVITATION = "psk invitation";

    // Noise.
    /// Prologue of every session.
    NOISE = "noise";

    // Tags, tokens and ids.
    /// Rotating tag on a local network.
    DISCOVERY_TAG = "discovery tag";
    /// Tag in front of a pack that names its turn to those who know it.
    PACK_TAG = "pack tag";
    /// Tag in a session's hello that names a turn to those who know it.
    HELLO_TAG = "hello tag";
    /// Whether two sides of a session stand at the same place, shown under its handshake hash.
    SESSION_AGREEMENT = "session agreement";
    /// The set of bodies that a side of a session holds, shown under its handshake hash.
    SESSION_SUMMARY = "session summary";
    /// Words that two people compare.
    CHECK_WORDS = "check words";
    /// The record that carries on the values of one whose history is dropped, from that one's id.
    SUCCESSOR = "successor";
    /// The record of one category of one grant, from both.
    VAULT_RECORD = "vault record";
    /// A secret of the root, told from others without being shown.
    SECRET_MARK = "secret mark";
    /// A device's id, from its signing key.
    DEVICE_ID = "device id";
    /// A team's id, from its founding operation.
    TEAM_ID = "team id";
    /// Erasure tokens of a tombstone.
    TOMBSTONE_TOKEN = "tombstone token";
    /// A document's actor, from device, document and session.
    ACTOR = "actor";
    /// A re-rooted document's actor, from document and covered heads.
    REROOT_ACTOR = "reroot actor";

    // What is signed.
    /// A device signs a body.
    SIGN_BODY = "sign body";
    /// A device signs a turn.
    SIGN_TURN = "sign turn";
    /// The last control key signs the next one.
    SIGN_NEXT_CONTROL = "sign next control key";
    /// Which phone does something that one phone is enough for.
    TURN_RANK = "turn rank";
    /// A device signs an operation of the team log.
    SIGN_OPERATION = "sign operation";
    /// A device signs its frontier.
    SIGN_FRONTIER = "sign frontier";
    /// A device signs the handshake hash of a session.
    SIGN_SESSION = "sign session";
    /// A device signs its next receiving key.
    SIGN_RECEIVING_KEY = "sign receiving key";
    /// The reseat key signs.
    SIGN_RESEAT = "sign reseat";
    /// A pull or push key signs a request to a relay.
    SIGN_REQUEST = "sign request";
    /// A control key signs a request to a relay.
    SIGN_CONTROL = "sign control";
    /// The board signs its bulletin.
    SIGN_BULLETIN = "sign bulletin";
    /// A publisher signs a catalogue.
    SIGN_CATALOGUE = "sign catalogue";

    // The team log, turns and what travels in the commons lane.
    /// An operation's id, from what was signed.
    OPERATION_ID = "operation id";
    /// Associated data of an announcement's payload.
    ANNOUNCEMENT = "announcement";
    /// Associated data of what an escrow key seals.
    ESCROW = "escrow";
    /// Associated data of a recovery package.
    PACKAGE = "recovery package";
    /// Fingerprint of a team on paper.
    PAPER_TEAM = "paper team";
    /// Set of shares of a recovery key, on paper.
    PAPER_SET = "paper set";
    /// Checksum of a paper share.
    PAPER_CHECK = "paper check";
    /// Associated data of a notice in the commons lane.
    NOTICE = "notice";
    /// Hash by which a frontier names a receiving key.
    RECEIVING_KEY_HASH = "receiving key hash";
    /// Hash over all chain heads that a device knows.
    CHAIN_DIGEST = "chain digest";
    /// Which membership bans a key was made under.
    BANS_DIGEST = "bans digest";
    /// An invitation's id, from its secret.
    INVITATION_ID = "invitation id";
    /// An invitation's secret, from a typed code's exchange.
    CODE_SECRET = "code secret";
    /// Which pack a part belongs to.
    PACK_WHOLE = "pack whole";
    /// Checksum of a part of a pack.
    PACK_PART_CHECK = "pack part check";
    /// Checksum of an invitation's text.
    INVITATION_CHECK = "invitation check";
    /// A joining device signs the handshake hash.
    SIGN_JOIN = "sign join";
    /// The record of one part of a catalogue package.
    CATALOGUE_PART = "catalogue part";
    /// Associated data of a wire page.
    WIRE_PAGE = "wire page";
    /// Associated data of a wire root, and its id.
    WIRE_ROOT = "wire root";
    /// A device signs a wire root.
    SIGN_WIRE_ROOT = "sign wire root";
    /// What a wire page holds, to see whether it changed.
    WIRE_PAGE_DIGEST = "wire page digest";
    /// Where a record lies in a store, from its id, kind and subject.
    PLACE = "place";
    /// What a receipt code says of the board that it was given for.
    BOARD_TAG = "board tag";
    /// Catches a receipt code that was mistyped.
    RECEIPT_CHECK = "receipt check";
    /// What a complaint holds of its receipt code.
    RECEIPT_HASH = "receipt hash";
    /// How the board's book calls a complaint.
    RECEIPT_NAME = "receipt name";
    /// By what a phone remembers a complaint's box.
    COMPLAINT_MARK = "complaint mark";
    /// What stands for a receipt in one bulletin.
    RECEIPT_TOKEN = "receipt token";
    /// Key and associated data of an answer for one receipt in one bulletin.
    RECEIPT_ANSWER = "receipt answer";
    /// What the next bulletin names of this one.
    BULLETIN_ID = "bulletin id";
    /// Words by which people compare the board's key.
    BOARD_WORDS = "board words";
    /// Where a body lies whose author is not known yet.
    HELD = "held";
    /// Keys of a store's own sealed values, from its root key.
    STORE_VALUES = "store values";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn labels_are_distinct_dated_and_free_of_separators() {
        let texts: BTreeSet<&str> = ALL.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(texts.len(), ALL.len(), "two names share a label");
        assert!(ALL.len() > 40);
        for (name, label) in ALL {
            let rest = label.as_str().strip_prefix("satchel 2026-11-22 ");
            assert!(rest.is_some_and(|rest| !rest.is_empty()), "{name} lacks its date");
            assert!(label.as_bytes().iter().all(|byte| byte.is_ascii_lowercase() || b" -0123456789".contains(byte)), "{name}");
        }
    }
}
