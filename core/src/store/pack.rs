//! Packs on this device: everything this phone holds for the team, in one sealed file, and the reading of one.

use super::Unlocked;
use super::accept::Acceptance;
use super::vault::Vault;
use crate::crypto::DiscoverySecret;
use crate::error::Error;
use crate::team::TurnSecret;
use crate::team::book::names_every_ban;
use crate::team::notice::{FrontierNotice, Notice};
use crate::team::pack::{PACK_HEADER_BYTES, PackError, PackOpener, PackSealer, names_turn};
use crate::team::pack_parts::{self, PackCollector};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{BodyId, TurnId};
use satchel_wire::limits::{PACK_CHUNK_MAX_BYTES, PACK_PART_MAX_BYTES, PACK_PARTS_MAX_COUNT};
use satchel_wire::row::Row;

/// Bytes of covered rows in one chunk: a row of the largest class fits on top.
const CHUNK_ROWS_BYTES: usize = PACK_CHUNK_MAX_BYTES / 2;

/// A pack that is being written.
pub struct PackWriter {
    unlocked: Unlocked,
    turn: TurnId,
    sealer: PackSealer,
    header: Option<Vec<u8>>,
    notices: Vec<Row>,
    bodies: Vec<BodyId>,
    is_done: bool,
}

impl std::fmt::Debug for PackWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PackWriter")
    }
}

/// A pack that is being read.
pub struct PackReader {
    unlocked: Unlocked,
    header: Vec<u8>,
    opener: Option<PackOpener>,
    acceptance: Acceptance,
}

impl std::fmt::Debug for PackReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PackReader")
    }
}

/// What a pack brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackReport {
    /// What became of its rows.
    pub rows: Acceptance,
    /// Whether its end was there. A part is kept; reading the whole file later adds the rest.
    pub is_complete: bool,
}

impl Unlocked {
    /// Begins a pack for the team: what has not left yet departs with it, as in a meeting.
    ///
    /// Errors: [`Error::Role`] without access to records, [`Error::Copied`].
    pub fn write_pack(&self) -> Result<PackWriter, Error> {
        self.begin_pack(None)
    }

    /// A small pack as texts for QR codes: what was signed on a day or later, and what of the team log is as young.
    ///
    /// A colleague who lacks earlier things that these rest on holds them until those come. Errors: as
    /// [`Unlocked::write_pack`]; [`PackError::TooLarge`] above 64 codes, [`PackError::Overtaken`].
    pub fn write_pack_parts(&self, from: ShiftDay) -> Result<Vec<String>, Error> {
        let mut writer = self.begin_pack(Some(from))?;
        let mut pack = Vec::new();
        while let Some(bytes) = writer.next_bytes()? {
            pack.extend(bytes);
            if pack.len() > PACK_PART_MAX_BYTES * PACK_PARTS_MAX_COUNT {
                return Err(PackError::TooLarge.into());
            }
        }
        Ok(pack_parts::cut(&pack)?)
    }

    /// Begins to read the texts of a small pack.
    pub fn read_pack_parts(&self) -> PackParts {
        PackParts { unlocked: self.clone(), collector: PackCollector::default() }
    }

    fn begin_pack(&self, from: Option<ShiftDay>) -> Result<PackWriter, Error> {
        let is_young = |day: ShiftDay| from.is_none_or(|from| day >= from);
        let (turn, sealer, header, notices, bodies) = self.write(|vault, tx| {
            vault.require_writer()?;
            if vault.state.is_copied {
                return Err(Error::Copied);
            }
            vault.freeze(tx)?;
            vault.own_frontier(tx)?;
            let turn = vault.usable_turn(tx)?;
            let commons = vault.turn_secret(&turn).ok_or(Error::NoTurn)?.commons();
            let (sealer, header) = PackSealer::begin(&vault.env, vault.team(), &commons);
            let operations = Notice::of_operations(vault.keyring.log.operations().filter(|operation| is_young(operation.day())));
            // a small one brings its writer's word alone
            let own = vault.device;
            let told = vault.keyring.frontiers.iter().filter(|(device, _)| from.is_none() || **device == own);
            let frontiers = told.map(|(_, known)| Notice {
                frontiers: vec![FrontierNotice { frontier: known.frontier.clone(), receiving: known.receiving.clone() }],
                ..Notice::default()
            });
            let notices = operations.into_iter().chain(frontiers).map(|notice| notice.seal(&vault.env, vault.team(), &commons));
            let mut notices = notices.collect::<Result<Vec<Row>, _>>().map_err(|_| Error::TooMany)?;
            notices.reverse();
            let mut bodies: Vec<BodyId> =
                vault.ledger(tx)?.lines().filter(|line| line.is_here() && is_young(line.day)).map(|line| line.body).collect();
            bodies.reverse();
            Ok((turn, sealer, header, notices, bodies))
        })?;
        Ok(PackWriter { unlocked: self.clone(), turn, sealer, header: Some(header), notices, bodies, is_done: false })
    }

    /// Begins to read a pack.
    pub fn read_pack(&self) -> PackReader {
        PackReader { unlocked: self.clone(), header: Vec::new(), opener: None, acceptance: Acceptance::default() }
    }
}

/// Texts of a small pack as they are scanned.
pub struct PackParts {
    unlocked: Unlocked,
    collector: PackCollector,
}

impl std::fmt::Debug for PackParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PackParts")
    }
}

impl PackParts {
    /// Takes a text, in any order. The report, once all came and were read; reading them again does no harm.
    ///
    /// Errors: [`PackError::Part`], [`PackError::OtherPack`] for this text alone; [`PackError::Unknown`] and [`PackError::Older`]
    /// as soon as the first part shows it; [`PackError::Damaged`].
    pub fn add(&mut self, text: &str) -> Result<Option<PackReport>, Error> {
        self.collector.add(text)?;
        if let Some(header) = self.collector.head().and_then(|head| head.first_chunk::<PACK_HEADER_BYTES>())
            && let Err(error) = self.unlocked.read(|vault, _| vault.open_pack(header).map(drop))
        {
            self.collector = PackCollector::default();
            return Err(error);
        }
        let whole = match self.collector.whole() {
            Ok(None) => return Ok(None),
            Ok(Some(pack)) => pack,
            Err(damage) => {
                self.collector = PackCollector::default();
                return Err(damage.into());
            }
        };
        self.collector = PackCollector::default();
        let mut reader = self.unlocked.read_pack();
        let read = reader.receive(&whole);
        let report = reader.finish()?;
        read?;
        if report.is_complete { Ok(Some(report)) } else { Err(PackError::Damaged.into()) }
    }

    /// How many texts came, and of how many; none before the first.
    pub fn progress(&self) -> Option<(usize, usize)> {
        self.collector.progress()
    }

    /// Numbers of the texts that have not come, from 1.
    pub fn missing(&self) -> Vec<usize> {
        self.collector.missing()
    }
}

impl PackWriter {
    /// The next bytes of the file, to be written to the place that the user chose; none at its end.
    ///
    /// Errors: [`PackError::Overtaken`] when the keys changed meanwhile; throw away what was written and begin again.
    pub fn next_bytes(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.is_done {
            return Ok(None);
        }
        let (turn, sealer) = (self.turn, &mut self.sealer);
        let (notices, bodies) = (&mut self.notices, &mut self.bodies);
        let (chunk, is_done) = self.unlocked.write(|vault, tx| {
            if vault.usable_turn(tx)? != turn {
                return Err(PackError::Overtaken.into());
            }
            let mut rows = Vec::new();
            let mut size = 0;
            while size < CHUNK_ROWS_BYTES
                && let Some(row) = notices.pop()
            {
                size += row.as_bytes().len();
                rows.push(row);
            }
            if size < CHUNK_ROWS_BYTES && !bodies.is_empty() {
                let next: Vec<BodyId> = bodies.iter().rev().take(CHUNK_ROWS_BYTES / 512).copied().collect();
                let covered = vault.cover_bodies(tx, &next, CHUNK_ROWS_BYTES - size)?;
                bodies.truncate(bodies.len() - covered.done.min(next.len()));
                rows.extend(covered.rows);
            }
            let is_done = notices.is_empty() && bodies.is_empty();
            Ok((sealer.chunk(&vault.env, &rows, is_done)?, is_done))
        })?;
        self.is_done = is_done;
        let mut bytes = self.header.take().unwrap_or_default();
        bytes.extend(chunk);
        Ok(Some(bytes))
    }
}

impl PackReader {
    /// Takes bytes of the file, in any portions. What they brought is on disk when this returns.
    ///
    /// Errors: [`PackError::Older`], [`PackError::Unknown`], [`PackError::Damaged`]; what came before is kept.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let missing = PACK_HEADER_BYTES.saturating_sub(self.header.len()).min(bytes.len());
        let (head, rest) = bytes.split_at(missing);
        self.header.extend_from_slice(head);
        let Some(header) = self.header.first_chunk::<PACK_HEADER_BYTES>() else { return Ok(()) };
        let opener = match &mut self.opener {
            Some(opener) => opener,
            none => none.insert(self.unlocked.read(|vault, _| vault.open_pack(header))?),
        };
        let (rows, damage) = match opener.receive(rest) {
            Ok(rows) => (rows, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        if !rows.is_empty() {
            let acceptance = self.unlocked.write(|vault, tx| vault.accept_rows(tx, &rows))?;
            self.acceptance.join(acceptance);
        }
        damage.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Ends the reading: keys that what came made worthless are destroyed. Says what the pack brought.
    pub fn finish(self) -> Result<PackReport, Error> {
        self.unlocked.write(|vault, tx| vault.end_pull(tx))?;
        Ok(PackReport { rows: self.acceptance, is_complete: self.opener.is_some_and(|opener| opener.is_complete()) })
    }
}

impl Vault {
    fn turn_secret(&self, turn: &TurnId) -> Option<&TurnSecret> {
        self.keyring.book.held().find(|held| held.turn.id() == *turn).map(|held| &held.secret)
    }

    fn open_pack(&self, header: &[u8; PACK_HEADER_BYTES]) -> Result<PackOpener, Error> {
        let usable = self.keyring.book.usable(&self.keyring.log).map(|held| held.turn.id());
        for held in self.keyring.book.held() {
            let commons = held.secret.commons();
            if !names_turn(header, &commons.derive_discovery()) {
                continue;
            }
            // held until the pull in hand ends, and yet made by somebody who lacked a ban that is known here: nothing would
            // be lost by reading it (ADR 34), but whoever brings it should hear why the next phone takes nothing from it
            let lacks_ban =
                held.secret.reads_records() && Some(held.turn.id()) != usable && !names_every_ban(&self.keyring.log, &held.turn);
            if lacks_ban {
                return Err(PackError::Older.into());
            }
            return Ok(PackOpener::after_header(self.team(), &commons, header));
        }
        let is_remembered =
            self.keyring.remembered().iter().any(|known| names_turn(header, &DiscoverySecret::from_bytes(known.discovery.expose())));
        Err(if is_remembered { PackError::Older } else { PackError::Unknown }.into())
    }
}
