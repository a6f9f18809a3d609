//! Whether two phones hold the same: what changes it, and what two phones that met say.

#![allow(clippy::unwrap_used)]

mod common;

use common::{fact, failure, found, join, meet, person, request};
use satchel_core::consent::{Act, GatedCategory, HowGiven, Withdrawal};
use satchel_core::record::FactField;
use satchel_core::team::Role;
use satchel_ffi::Unlocked;

fn digest(phone: &Unlocked) -> String {
    phone.likeness().unwrap().digest
}

#[test]
fn two_phones_that_met_say_the_same_and_any_change_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), "Ana");
    let ben = join(folder.path(), &ana, "Ben", Role::Worker);
    meet(&ana, &ben);
    meet(&ben, &ana);
    assert_eq!(ana.likeness().unwrap(), ben.likeness().unwrap());
    let blue = ana.create_participant(person("Blue", Some("heron"))).unwrap();
    let grant = ana.give_grant(blue, request(&ana, Act::Record, &[GatedCategory::LegalName], None)).unwrap();
    let vault = ana.vault(blue, grant).unwrap();
    let changes: [(&str, &dyn Fn()); 5] = [
        ("a zone", &|| {
            let _ = ana.create_zone("by the river").unwrap();
        }),
        ("a fact", &|| vault.write(vec![fact(FactField::LegalName, "Maria Gonzalez")]).unwrap()),
        ("the fact", &|| vault.write(vec![fact(FactField::LegalName, "Maria Gonzales")]).unwrap()),
        ("a withdrawal", &|| {
            let all = Withdrawal { act: None, category: Some(GatedCategory::LegalName), recipient: None, how: HowGiven::Spoken };
            drop(ana.withdraw(blue, all).unwrap());
        }),
        ("an erasure", &|| {
            let _ = ana.erase_participant(blue).unwrap();
        }),
    ];
    for (what, change) in changes {
        let before = digest(&ana);
        change();
        assert_ne!(digest(&ana), before, "{what}");
        assert_ne!(digest(&ana), digest(&ben), "{what}: control, before they meet");
        // an erasure is answered, and that is news as well
        for _ in 0..3 {
            meet(&ana, &ben);
            meet(&ben, &ana);
        }
        assert_eq!(ana.likeness().unwrap(), ben.likeness().unwrap(), "{what}");
    }
    ana.lock().unwrap();
    assert_eq!(failure(ana.likeness()).0, "Locked");
}
