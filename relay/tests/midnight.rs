//! Midnight at the worst moment, every time: a storage that lets a test act just before rows are read.
#![allow(clippy::unwrap_used)]

mod support;

use satchel_relay::arrivals::RowHead;
use satchel_relay::storage::sqlite::{Role, SqliteStorage};
use satchel_relay::storage::{Adoption, Census, Deposit, Deposited, KeyReplacement, Mailbox, ReadRows, Storage, StorageError};
use satchel_relay::{Config, Relay};
use satchel_wire::frame::*;
use satchel_wire::{Lane, MailboxId, Row, RowId, UtcDay};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use support::*;

type Interruption = Box<dyn FnOnce() + Send>;

struct Interrupted {
    storage: SqliteStorage,
    before_rows: Mutex<Option<Interruption>>,
}

macro_rules! forward {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        $(fn $name(&self, $($argument: $kind),*) -> Result<$answer, StorageError> { self.storage.$name($($argument),*) })*
    };
}

impl Storage for Interrupted {
    forward! {
        probe() -> ();
        earliest_day() -> UtcDay;
        begin_day(day: UtcDay, forget_before: UtcDay) -> ();
        tidy(rebuild: bool) -> ();
        mailbox(mailbox: &MailboxId) -> Option<Mailbox>;
        mailboxes() -> Vec<Mailbox>;
        create_mailbox(mailbox: &MailboxId, quota_bytes: u64, claim_hash: &[u8; 32]) -> ();
        claim(mailbox: &MailboxId, control: &[u8; 32], keys: &AccessKeys) -> bool;
        replace_keys(mailbox: &MailboxId, replacement: &KeyReplacement) -> bool;
        close_mailbox(mailbox: &MailboxId) -> bool;
        set_quota(mailbox: &MailboxId, quota_bytes: u64) -> bool;
        hand_over(mailbox: &MailboxId, claim_hash: &[u8; 32]) -> bool;
        adopt(adoption: &Adoption<'_>) -> bool;
        adopt_rows(mailbox: &MailboxId, day: UtcDay, rows: &[(RowId, Row)]) -> ();
        schedule_deletion(mailbox: &MailboxId, day: UtcDay, rows: &[satchel_wire::RowName]) -> bool;
        pending_deletions(mailbox: &MailboxId, since: UtcDay) -> Vec<PendingBatch>;
        veto_deletion(mailbox: &MailboxId, rows: &[satchel_wire::RowName]) -> u32;
        delete_due(day: UtcDay) -> satchel_relay::storage::Deleted;
        used_bytes(mailbox: &MailboxId) -> u64;
        next_day(mailbox: &MailboxId, after: Option<UtcDay>, lane: Option<Lane>) -> Option<UtcDay>;
        heads(mailbox: &MailboxId, day: UtcDay) -> Vec<RowHead>;
        deposit(deposit: &Deposit<'_>) -> Deposited;
        examine(now: u64) -> Vec<satchel_relay::storage::Finding>;
        census(mailbox: &MailboxId) -> Option<Census>;
    }
    fn rows(&self, mailbox: &MailboxId, day: UtcDay, ids: &[RowId], max_bytes: usize, first: bool) -> Result<ReadRows, StorageError> {
        let interruption = self.before_rows.lock().unwrap().take();
        if let Some(interruption) = interruption {
            interruption();
        }
        self.storage.rows(mailbox, day, ids, max_bytes, first)
    }
}

#[test]
fn rows_that_come_between_looking_and_midnight_are_not_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(AtomicU64::new(NOON));
    let storage =
        Arc::new(Interrupted { storage: SqliteStorage::open(folder.path(), Role::Server).unwrap(), before_rows: Mutex::default() });
    let shown = Arc::clone(&clock);
    let tell = Arc::new(move || shown.load(Ordering::SeqCst));
    let relay = Arc::new(Relay::new(Arc::<Interrupted>::clone(&storage), Config::default(), tell, Arc::new(|_| {})).unwrap());
    let team = Team::new("127.0.0.1:1".parse().unwrap(), 1, Arc::clone(&clock));
    storage.create_mailbox(&team.mailbox, 1 << 20, blake3::hash(&team.secret).as_bytes()).unwrap();
    relay.answer(Endpoint::Claim, &sign(Endpoint::Claim, &team.control, team.claim_frame().to_bytes())).unwrap();

    let push = |relay: &Relay, team: &Team, n: u64| {
        let push = Push { mailbox: team.mailbox, rows: vec![row(Lane::Records, n)], cursor: None, freshness: team.freshness() };
        let answer = relay.answer(Endpoint::Push, &sign(Endpoint::Push, &team.push_key, push.to_bytes())).unwrap();
        Pushed::from_bytes(&answer).unwrap()
    };
    let Pushed { day: first_day, cursor: own } = push(&relay, &team, 1);
    let (inner, sender) = (Arc::clone(&relay), team.clone());
    *storage.before_rows.lock().unwrap() = Some(Box::new(move || {
        // the pull has looked at the running day; now one more row comes, midnight passes, and another row comes
        assert_eq!(push(&inner, &sender, 2).day, first_day);
        clock.fetch_add(DAY, Ordering::SeqCst);
        inner.maintain().unwrap();
        assert_eq!(push(&inner, &sender, 3).day, first_day.plus(1));
    }));

    let mut phone = Phone::default();
    let mut pages = 0;
    let unread = sign(Endpoint::Pull, &team.pull_key, team.pull_frame(own, u32::MAX, None).to_bytes());
    relay.answer(Endpoint::Pull, &unread).unwrap();
    assert!(storage.before_rows.lock().unwrap().is_some(), "without news no row is read");
    while phone.rows.len() < 3 && pages < 5 {
        let signed = sign(Endpoint::Pull, &team.pull_key, team.pull_frame(phone.cursor, u32::MAX, None).to_bytes());
        let pulled = Pulled::from_bytes(&relay.answer(Endpoint::Pull, &signed).unwrap()).unwrap();
        if let Some(listing) = pulled.listing {
            let day = pulled.cursor.unwrap().day;
            phone.take(storage.rows(&team.mailbox, day, &listing, usize::MAX, true).unwrap().rows);
        }
        phone.cursor = pulled.cursor;
        phone.take(pulled.rows);
        pages += 1;
    }
    assert!(storage.before_rows.lock().unwrap().is_none(), "control: it did happen");
    assert_eq!(phone.ids(), ids(&[1, 2, 3].map(|n: u64| -> Row { row(Lane::Records, n) })));
}
