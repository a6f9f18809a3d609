#![allow(clippy::unwrap_used)]

//! What wire pages may not do: outlive what they list, or take an honest row away.

use super::tests_sync::{found, join};
use super::*;
use crate::crypto::{LaneKey, PageKey};
use crate::envelope::directory::{self, PageName, RootContent};
use crate::record::EncounterKind;
use crate::team::Role;
use satchel_wire::ids::{MailboxId, RowId};
use satchel_wire::row::Row;

fn encounter(unlocked: &Unlocked) {
    let draft = EncounterDraft { kind: EncounterKind::Street, participant: None, zone: None, offers: Vec::new(), note: None };
    unlocked.save_encounter(&draft).unwrap();
}

fn with_relay(unlocked: &Unlocked) {
    let address = RelayAddress { url: "http://127.0.0.1:1".into(), mailbox: MailboxId::from_bytes([1; 16]), claim: None, pin: None };
    unlocked.set_relay(&address).unwrap();
}

/// Everything that leaves for a publication.
fn publish(unlocked: &Unlocked) -> Vec<Row> {
    unlocked
        .write(|vault, tx| {
            vault.freeze(tx)?;
            vault.want_directory(tx)?;
            assert!(vault.is_directory_due(tx)?);
            let mut all = Vec::new();
            loop {
                let (rows, is_last) = vault.directory_rows(tx, 1 << 20)?;
                vault.directory_pushed(tx, &rows)?;
                all.extend(rows);
                if is_last {
                    return Ok(all);
                }
            }
        })
        .unwrap()
}

#[test]
fn a_page_key_goes_with_a_record_that_the_page_lists() {
    let ana = found(Env::seeded(1));
    with_relay(&ana.unlocked);
    (0..5).for_each(|_| encounter(&ana.unlocked));
    let rows = publish(&ana.unlocked);
    let pages = ana.unlocked.write(|vault, tx| Ok(vault.wire_pages(tx)?.clone())).unwrap();
    // control: with the key that is kept, whoever has the row reads the records' keys
    let opens = |pages: &[super::pages::KnownPage]| {
        let team = ana.unlocked.team().unwrap().team;
        let opened = |row: &Row| pages.iter().any(|page| directory::open_page(team, &PageKey::from_bytes(page.key.expose()), row).is_ok());
        rows.iter().filter(|row| opened(row)).count()
    };
    assert_eq!((pages.len(), opens(&pages)), (1, 1));
    let left = ana.unlocked.write(|vault, tx| {
        vault.prune_pages(tx)?;
        assert_eq!(vault.wire_pages(tx)?.len(), 1, "control: while everything is here, the page stays");
        let place = vault.wire_pages(tx)?[0].places[0];
        tx.remove_record(&place)?;
        vault.prune_pages(tx)?;
        Ok(vault.wire_pages(tx)?.clone())
    });
    assert_eq!(opens(&left.unwrap()), 0);
}

#[test]
fn nothing_changed_means_nothing_but_a_root_leaves() {
    let ana = found(Env::seeded(2));
    with_relay(&ana.unlocked);
    (0..40).for_each(|_| encounter(&ana.unlocked));
    assert_eq!(publish(&ana.unlocked).len(), 2);
    assert_eq!(publish(&ana.unlocked).len(), 1);
    encounter(&ana.unlocked);
    assert_eq!(publish(&ana.unlocked).len(), 2);
}

#[test]
fn a_root_that_names_an_honest_row_takes_nothing_away() {
    let ana = found(Env::seeded(3));
    let ben = join(Env::seeded(4), &ana, "Ben", Role::Worker);
    with_relay(&ben.unlocked);
    encounter(&ben.unlocked);
    // an honest row that Ana cannot open yet, and Ben's root, which calls it a page
    let (honest, root) = ben
        .unlocked
        .write(|vault, tx| {
            vault.freeze(tx)?;
            let device = vault.device;
            // a newcomer's name is a record as well, and leaves with the encounter
            let own: Vec<_> = vault.ledger(tx)?.lines().filter(|line| line.device == device).copied().collect();
            let items = own.into_iter().map(|line| Ok((line, vault.item(tx, &line.place)?.unwrap())));
            let mut items = items.collect::<Result<Vec<_>, Error>>()?.into_iter();
            let (line, item) = items.find(|(_, item)| item.kind == crate::record::Kind::Encounter).unwrap();
            let body = tx.body(&line.place, &line.body)?.unwrap();
            let key = item.keys.first().unwrap();
            let binding = vault.binding(&item, line.day, key.id);
            let honest =
                crate::envelope::cover_row(&vault.env, vault.team(), &LaneKey::make(&vault.env), &binding, &key.record_key(), &body)?;
            let lane = vault.keyring.book.held().find_map(|held| held.secret.records_lane_key()).unwrap();
            let today = vault.today()?;
            let name = |row: RowId| PageName { row, key: PageKey::make(&vault.env) };
            let content = RootContent::new(vault.team(), (vault.device, 1), today, vec![name(honest.id())], Vec::new());
            Ok((honest, directory::seal_root(&vault.env, &lane, &vault.signer, &content).unwrap().1))
        })
        .unwrap();
    let held = |rows: &[Row]| {
        ana.unlocked.write(|vault, tx| {
            vault.accept_rows(tx, rows)?;
            Ok(tx.held(&honest.id())?.is_some())
        })
    };
    for rows in [vec![root[0].clone(), honest.clone()], vec![honest.clone()], vec![root[0].clone()]] {
        assert!(held(&rows).unwrap(), "the honest row waits");
    }
    // a true root opens it
    let rows = publish(&ben.unlocked);
    let acceptance = ana.unlocked.write(|vault, tx| vault.accept_rows(tx, &rows)).unwrap();
    assert!(acceptance.held == 0 && !held(&[]).unwrap(), "{acceptance:?}");
    assert_eq!(ana.unlocked.encounters(None).unwrap().len(), 1);
}
