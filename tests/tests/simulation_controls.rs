//! The checkers can fail: each is shown a team in which something is wrong.

#![allow(clippy::unwrap_used)]

use satchel_core::team::{Operation, Role};
use satchel_tests::attacker::{Attacker, feed};
use satchel_tests::harness::{Plan, World};
use satchel_tests::team::Phone;

const PLAN: Plan = Plan { events: 40, phones: 2, turns: 0, consents: 0, versions: false, without: None };

fn lived(seed: u64) -> World {
    let mut world = World::new(seed, PLAN);
    world.live().unwrap();
    for at in 0..world.phones.len() {
        for _ in 0..4 {
            world.work(at).unwrap();
        }
    }
    world
}

fn failure(world: &World) -> String {
    world.check().expect_err("the checks found nothing")
}

fn copy(from: &Phone, to: &std::path::Path) {
    from.unlocked.store().suspend().unwrap();
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(&from.dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "lock" {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn a_healthy_team_passes() {
    let mut world = lived(70);
    world.heal(&[]).unwrap();
    world.check().unwrap();
}

#[test]
fn a_phone_that_never_meets_the_others_is_a_divergence() {
    let mut world = lived(70);
    world.heal(&[1]).unwrap();
    // by what the others lack of it, or by what it shows instead
    assert_ne!(world.view(0), world.view(1));
    let found = failure(&world);
    assert!(["diverges", "is lost", "last written"].iter().any(|sign| found.contains(sign)), "{found}");
}

#[test]
fn work_that_a_store_forgot_after_its_ok_is_reported_lost() {
    let mut world = lived(71);
    let before = tempfile::tempdir().unwrap();
    copy(&world.phones[1], before.path());
    world.phones[1].restart();
    let known = world.model.encounters.len();
    while world.model.encounters.len() == known {
        world.work(1).unwrap();
    }
    // the disk goes back: what was acknowledged since then is gone, and never left
    let after = tempfile::tempdir().unwrap();
    copy(&world.phones[1], after.path());
    for entry in std::fs::read_dir(&world.phones[1].dir).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() != "lock" {
            std::fs::remove_file(path).unwrap();
        }
    }
    for entry in std::fs::read_dir(before.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), world.phones[1].dir.join(entry.file_name())).unwrap();
    }
    world.phones[1].restart();
    // by its sum of that day already, or by the encounter itself
    let found = world.heal(&[]).and_then(|()| world.check()).unwrap_err();
    assert!(["is lost", "last written", "a sum holds"].iter().any(|sign| found.contains(sign)), "{found}");
}

#[test]
fn a_phone_that_drops_one_body_is_noticed() {
    let mut world = lived(72);
    world.heal(&[]).unwrap();
    world.check().unwrap();
    let phone = &mut world.phones[1];
    phone.unlocked.store().suspend().unwrap();
    let database = rusqlite::Connection::open(phone.dir.join("store.sqlite")).unwrap();
    // encounters have no snapshot beside their body
    let with_snapshot = "SELECT record_id FROM document";
    let one = format!("SELECT body_id FROM body WHERE record_id NOT IN ({with_snapshot}) ORDER BY body_id LIMIT 1");
    let gone = database.execute(&format!("DELETE FROM body WHERE body_id = ({one})"), []).unwrap();
    assert_eq!(gone, 1);
    drop(database);
    phone.restart();
    // it is in every other store; the checks see that it is not in this one, or that this one cannot be read
    let noticed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.check()));
    assert!(!matches!(noticed, Ok(Ok(()))), "nothing was noticed");
}

#[test]
fn work_that_appears_twice_or_from_nowhere_is_reported() {
    let mut world = lived(73);
    world.heal(&[]).unwrap();
    let id = *world.model.encounters.keys().next().unwrap();
    let met = world.model.encounters.remove(&id).unwrap();
    assert!(failure(&world).contains("never acknowledged"), "{}", failure(&world));
    world.model.encounters.insert(id, met);
    world.check().unwrap();
    // a count that is in no sum, and one that is in two
    let key = *world.model.counted.keys().next().unwrap();
    *world.model.counted.get_mut(&key).unwrap() += 1;
    assert!(failure(&world).contains("counts differ"), "{}", failure(&world));
    *world.model.counted.get_mut(&key).unwrap() -= 2;
    assert!(failure(&world).contains("counts differ"), "{}", failure(&world));
}

#[test]
fn a_lost_edit_and_a_lost_goal_are_reported() {
    let mut world = lived(74);
    world.heal(&[]).unwrap();
    let (id, _) = world.model.files.iter().next().map(|(id, file)| (*id, file.fields.len())).unwrap();
    let file = world.model.files.get_mut(&id).unwrap();
    file.goals_added.insert("Vababa".into());
    assert!(failure(&world).contains("which nobody took off"), "{}", failure(&world));
    let file = world.model.files.get_mut(&id).unwrap();
    file.goals_added.remove("Vababa");
    file.fields.entry("contact").or_default().insert("Vababa".into());
    assert!(failure(&world).contains("last written"), "{}", failure(&world));
}

#[test]
fn a_sum_that_leaves_too_early_is_reported() {
    let mut world = lived(75);
    world.heal(&[]).unwrap();
    // the same sums again, seen by a model that knows of other encounters than the phone counted
    world.model.sums.clear();
    let phones: Vec<&Phone> = world.phones.iter().collect();
    let sum = phones[0].unlocked.tallies().unwrap().into_iter().next().expect("a sum left").0;
    for author in 0..phones.len() {
        world.model.counting.entry(author).or_default().insert(sum, 1);
    }
    assert!(world.model.watch_sums(phones[0], &phones).is_err());
}

#[test]
fn a_notice_that_tells_more_than_its_holder_knows_is_reported() {
    let mut world = lived(76);
    world.heal(&[]).unwrap();
    // under a turn that phone1 never gets: first what it knows already, then an operation that only phone0 knows
    world.phones[0].unlocked.begin_turn().unwrap();
    let writer = Attacker::join(76, "Writer", &world.phones[0], Role::Worker);
    let old = Operation::from_bytes(&writer.welcome.operations[0]).unwrap();
    let told = feed(&world.phones[1], &[writer.notice(&[old], Vec::new())]);
    assert_eq!(told.held, 1);
    world.check_held(1).unwrap();
    let told = feed(&world.phones[1], &[writer.notice(&[writer.admission()], Vec::new())]);
    assert_eq!(told.held, 1);
    let found = world.check_held(1).expect_err("the checks found nothing");
    assert!(found.contains("holds back what others have"), "{found}");
}
