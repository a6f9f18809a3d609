//! A member who does not play by the rules: valid keys, and every format by hand.
//!
//! The public API of a store offers no way to forge. So the attacker joins by speaking the joining protocol
//! itself, keeps its own signing key and the turn's secret, and writes rows, notices and requests byte by byte.

use crate::team::{Phone, SeededRandomness, SetClock};
use satchel_core::crypto::{self, Aad, LaneKey, Nonce, ReceivingKey, RecordKey, SigningKey, labels};
use satchel_core::document::{Actor, Document, Edit};
use satchel_core::env::Env;
use satchel_core::envelope::{self, Binding, BodyHeader, Covered, SCHEMA_VERSION, SealedBody};
use satchel_core::record::{Audience, EntryContent, EntryValue, Kind, Shape, mapping};
use satchel_core::store::{Acceptance, RelayAnswer};
use satchel_core::team::joining::{Joiner, Welcome};
use satchel_core::team::notice::{FrontierNotice, Notice};
use satchel_core::team::turn::{OpenedTurn, open_announcement};
use satchel_core::team::{Action, Operation, Role};
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::frame::{Done, Endpoint, Frame, Freshness, Pulled, Signed};
use satchel_wire::ids::{BodyId, DeviceId, MailboxId, RecordId, TeamId};
use satchel_wire::row::{Lane, Row};

/// A member with valid keys.
#[derive(Debug)]
pub struct Attacker {
    /// Its clock and randomness.
    pub env: Env,
    /// The team that it joined.
    pub team: TeamId,
    /// Its signing key, admitted by the log.
    pub signer: SigningKey,
    /// Its receiving key.
    pub receiving: ReceivingKey,
    /// The welcome that it got.
    pub welcome: Welcome,
    /// The turn as boxed to it.
    pub opened: OpenedTurn,
    /// Random per unlock, at the attacker's choice.
    pub session: [u8; 8],
    sequence: u32,
    previous: Option<BodyId>,
}

/// One body with everything that goes with it.
#[derive(Debug)]
pub struct Forged {
    /// What the author signed.
    pub binding: Binding,
    /// The record key.
    pub key: RecordKey,
    /// The sealed body.
    pub body: SealedBody,
}

impl Attacker {
    /// Joins in person as any member does, and keeps the keys.
    pub fn join(seed: u64, name: &str, host: &Phone, role: Role) -> Self {
        let env = Env::new(SetClock::at(host.clock.now()), SeededRandomness::new(seed, name));
        let invitation = host.unlocked.invite(role, "").expect("an invitation");
        let signer = SigningKey::make(&env);
        let receiving = ReceivingKey::make(&env);
        let (joiner, knock) = Joiner::knock(&env, &invitation).expect("a knock");
        let (mut hosted, answer) = host.unlocked.answer_knock(&knock).expect("an answer");
        let mut ready = joiner.answer(&answer).expect("ready");
        let public = receiving.public_key().expect("a public key");
        hosted.introduced(&ready.introduce(&signer, &public).expect("an introduction")).expect("introduced");
        let welcome = ready.welcome(&hosted.welcome().expect("a welcome")).expect("welcomed");
        hosted.thanked(&ready.thanks().expect("thanks")).expect("thanked");
        let opened = open_announcement(invitation.team, std::slice::from_ref(&receiving), &welcome.announcement).expect("a turn");
        Self { team: invitation.team, signer, receiving, welcome, opened, session: env.random(), env, sequence: 0, previous: None }
    }

    /// Its device.
    pub fn device(&self) -> DeviceId {
        self.signer.verifying_key().device_id()
    }

    /// The key of the records lane.
    pub fn lane(&self) -> LaneKey {
        self.opened.secret.records_lane_key().expect("a reader of records")
    }

    /// The operation that admitted it.
    pub fn admission(&self) -> Operation {
        let operations = self.welcome.operations.iter().map(|bytes| Operation::from_bytes(bytes).expect("an operation"));
        let ours = |operation: &Operation| matches!(operation.action(), Action::Admit { device, .. } if device.signing == *self.signer.verifying_key().as_bytes());
        operations.into_iter().find(ours).expect("its admission")
    }

    /// An honest header, the next in its chain.
    pub fn header(&mut self, kind: Kind, day: ShiftDay) -> BodyHeader {
        self.sequence += 1;
        BodyHeader {
            shape: kind.shape(),
            schema: SCHEMA_VERSION,
            device: self.device(),
            session: self.session,
            sequence: self.sequence,
            previous: self.previous.map_or([0; 16], |body| body.short()),
            log_head: *self.admission().id().as_bytes().first_chunk().expect("16 bytes"),
            keep_until: (kind.shape() == Shape::Entry).then(|| day.plus(30)),
        }
    }

    /// A binding of the team's audience under a fresh key id.
    pub fn binding(&self, record: RecordId, kind: Kind, subject: Option<RecordId>, day: ShiftDay) -> Binding {
        Binding { record, subject, audience: Audience::Team, kind, day, key_id: self.env.random() }
    }

    /// Seals and signs with the attacker's key whatever it is given.
    pub fn seal(&mut self, binding: Binding, header: &BodyHeader, content: &[u8]) -> Forged {
        let key = RecordKey::make(&self.env);
        self.seal_under(binding, key, header, content)
    }

    /// The same under a given key.
    pub fn seal_under(&mut self, binding: Binding, key: RecordKey, header: &BodyHeader, content: &[u8]) -> Forged {
        let body = envelope::seal_body(&self.env, self.team, &binding, &key, &self.signer, header, content).expect("a body");
        self.previous = Some(body.id);
        Forged { binding, key, body }
    }

    /// An entry in the attacker's own name, well formed but for what its value says.
    pub fn entry<T: EntryValue>(&mut self, record: RecordId, kind: Kind, subject: Option<RecordId>, day: ShiftDay, value: T) -> Forged {
        let header = self.header(kind, day);
        let binding = self.binding(record, kind, subject, day);
        self.seal(binding, &header, &EntryContent::first(value).to_bytes())
    }

    /// A document of one edit in the attacker's own name.
    pub fn document(
        &mut self,
        record: RecordId,
        kind: Kind,
        subject: Option<RecordId>,
        day: ShiftDay,
        edit: impl FnOnce(&mut Edit<'_>) -> mapping::Edited,
    ) -> Forged {
        let actor = Actor::derive(self.device().as_bytes(), record.as_bytes(), &self.session);
        let change = Document::new(actor).edit(edit).expect("an edit").expect("a change");
        self.changes(record, kind, subject, day, &[change])
    }

    /// Any bytes as a document's changes.
    pub fn changes(&mut self, record: RecordId, kind: Kind, subject: Option<RecordId>, day: ShiftDay, changes: &[Vec<u8>]) -> Forged {
        let header = self.header(kind, day);
        let binding = self.binding(record, kind, subject, day);
        self.seal(binding, &header, &changes_content(changes))
    }

    /// Covers a body as it should be.
    pub fn cover(&self, forged: &Forged) -> Row {
        self.cover_as(&forged.binding, &forged.key, &forged.body.bytes)
    }

    /// Covers a body under whatever binding and key.
    pub fn cover_as(&self, binding: &Binding, key: &RecordKey, body: &[u8]) -> Row {
        envelope::cover_row(&self.env, self.team, &self.lane(), binding, key, body).expect("a row")
    }

    /// Opens a row of the records lane, as any member can.
    pub fn uncover(&self, row: &Row) -> Option<Covered> {
        envelope::open_row(self.team, &self.lane(), row).ok()
    }

    /// Everything that a body holds inside, signature and padding included.
    pub fn plaintext(&self, covered: &Covered) -> Vec<u8> {
        crypto::open(&covered.key, &body_aad(self.team, &covered.binding), &covered.body).expect("the body opens").to_vec()
    }

    /// Seals a plaintext as it stands: the signature inside is whoever's it was.
    pub fn reseal(&self, team: TeamId, binding: &Binding, key: &RecordKey, plaintext: &[u8]) -> Vec<u8> {
        crypto::seal(key, Nonce::make(&self.env), &body_aad(team, binding), plaintext).expect("sealed")
    }

    /// A row of the commons lane.
    pub fn notice(&self, operations: &[Operation], frontiers: Vec<FrontierNotice>) -> Row {
        self.raw_notice(operations.iter().map(Operation::to_bytes).collect(), frontiers)
    }

    /// A row of the commons lane with any bytes as operations.
    pub fn raw_notice(&self, operations: Vec<Vec<u8>>, frontiers: Vec<FrontierNotice>) -> Row {
        let notice = Notice { operations: operations.into_iter().map(Into::into).collect(), frontiers, ..Notice::default() };
        notice.seal(&self.env, self.team, &self.opened.secret.commons()).expect("a notice")
    }

    /// Noise of a size, in a lane: a row that no key opens.
    pub fn noise(&self, lane: Lane, bytes: usize) -> Row {
        let mut noise = vec![0; bytes];
        self.env.fill(&mut noise);
        noise[0] = lane.byte();
        Row::parse(noise).expect("a row")
    }

    /// Replay protection of a request.
    pub fn freshness(&self) -> Freshness {
        Freshness { time: self.env.now().seconds(), nonce: self.env.random() }
    }

    /// Signs a request to the relay with the turn's push or pull key.
    pub fn request<F: Frame>(&self, endpoint: Endpoint, frame: &F) -> Vec<u8> {
        let commons = self.opened.secret.commons();
        let signer = if endpoint == Endpoint::Pull { commons.derive_pull_keypair() } else { commons.derive_push_keypair() };
        sign_request(&signer, endpoint, frame)
    }
}

/// Signs a request with any key.
pub fn sign_request<F: Frame>(signer: &SigningKey, endpoint: Endpoint, frame: &F) -> Vec<u8> {
    let body = frame.to_bytes();
    let mut message = endpoint.path().as_bytes().to_vec();
    message.push(0);
    message.extend_from_slice(&body);
    let signature = *signer.sign(labels::SIGN_REQUEST, &message).as_bytes();
    Signed { body, signature }.to_bytes()
}

/// The mailbox that [`crate::team::Hub`] makes.
pub const HUB_MAILBOX: MailboxId = MailboxId::from_bytes([0x42; 16]);

/// What a body's seal binds.
pub fn body_aad(team: TeamId, binding: &Binding) -> Aad {
    Aad::new(labels::BODY).add(team.as_bytes()).add(binding.record.as_bytes()).add(&binding.key_id)
}

/// Changes as a document's body carries them.
pub fn changes_content(changes: &[Vec<u8>]) -> Vec<u8> {
    let changes: Vec<minicbor::bytes::ByteVec> = changes.iter().map(|change| change.clone().into()).collect();
    cbor::encode(&changes)
}

/// Hands rows to a phone in a chosen order, as a relay does that the attacker runs. The phone must know a relay.
///
/// The connection breaks after the phone has taken the rows: nothing is pushed.
pub fn feed(phone: &Phone, rows: &[Row]) -> Acceptance {
    let mut link = phone.unlocked.relay_exchange().expect("a relay is set");
    while let Some((endpoint, _)) = link.next_request().expect("a request") {
        let answer = match endpoint {
            Endpoint::Claim => Done { generation: 0 }.to_bytes(),
            Endpoint::Pull => {
                let pulled = Pulled { rows: rows.to_vec(), cursor: None, more: false, listing: None };
                link.receive(&RelayAnswer::Ok(pulled.to_bytes())).expect("an answer that a relay may give");
                return link.report().rows.clone();
            }
            other => panic!("{other:?} before a pull"),
        };
        link.receive(&RelayAnswer::Ok(answer)).expect("an answer");
    }
    panic!("no pull");
}
