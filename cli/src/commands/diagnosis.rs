//! `satchel doctor`: how a store is protected, what waits, whether its files are whole.

use crate::arguments::Settings;
use crate::failure::Failure;
use crate::keystore::{caveat_words, promise_words};
use crate::output::{Output, table};
use satchel_core::screen::ShortText;
use satchel_core::storage::{self, SlotKind};
use satchel_core::store::KeyReplacement;
use satchel_core::team::Standing;
use serde_json::{Value, json};

pub fn doctor(settings: &Settings, output: Output, confirm_date: bool) -> Result<(), Failure> {
    let dir = settings.store_dir()?;
    let slots = storage::read_slots(&dir)?;
    let unlocked = settings.unlock()?;
    if confirm_date {
        unlocked.confirm_date()?;
    }
    let slot_values: Vec<(usize, &'static str, &'static str, storage::Argon2Cost)> = slots
        .slots
        .iter()
        .enumerate()
        .filter_map(|(number, slot)| slot.as_ref().map(|slot| (number, slot)))
        .map(|(number, slot)| {
            let (name, meaning) = match slot.kind() {
                SlotKind::Passphrase => ("passphrase", "the passphrase alone opens a copy of this folder: it must be a long one"),
                SlotKind::PassphraseKeystore => {
                    ("passphrase_keystore", "the passphrase and a key outside this folder: a copy of the folder alone is not enough")
                }
                SlotKind::PinKeystore => ("pin_keystore", "a PIN and a key in hardware that counts attempts"),
                SlotKind::Recovery => ("recovery", "a recovery code on paper"),
            };
            (number, name, meaning, slot.cost())
        })
        .collect();
    let team = unlocked.team()?;
    let (waiting, held) = unlocked.waiting()?;
    let in_doubt = unlocked.is_date_in_doubt()?;
    let today = unlocked.today()?;
    let relay = unlocked.relay()?;
    let catalogue = unlocked.catalogue_info()?;
    let (promise, replacement) = (unlocked.promise()?, unlocked.key_replacement()?);
    let check = unlocked.store().check();
    let standing = |standing: Standing| match standing {
        Standing::Active => "active",
        Standing::Suspended => "suspended",
        Standing::Removed => "removed",
    };
    let devices: Vec<Value> = team
        .devices
        .iter()
        .map(|line| {
            json!({
                "id": line.id.to_string(),
                "name": line.name.as_ref().map(ShortText::as_str),
                "role": line.role.as_str(),
                "standing": standing(line.standing),
                "last_heard": line.last_heard.map(|day| day.to_string()),
                "forked": line.is_forked,
                "self": line.is_self,
            })
        })
        .collect();
    let slot_json: Vec<Value> = slot_values
        .iter()
        .map(|(number, name, _, cost)| {
            json!({ "slot": number, "kind": name, "memory_kib": cost.memory_kib(), "passes": cost.passes(), "lanes": cost.lanes() })
        })
        .collect();
    let value = json!({
        "team": team.team.to_string(),
        "slots": slot_json,
        "keystore": promise.code(),
        "caveats": promise.caveats().iter().map(|caveat| caveat.code()).collect::<Vec<_>>(),
        "key_replacement_due": replacement == KeyReplacement::Due,
        "turn": team.turn,
        "turns_held": team.held_turns,
        "devices": devices,
        "today": today.to_string(),
        "date_in_doubt": in_doubt,
        "copied": team.is_copied,
        "waiting": waiting,
        "held": held,
        "last_contact": team.last_contact.map(|day| day.to_string()),
        "relay": relay.as_ref().map(|relay| json!({ "url": relay.url, "claimed": relay.is_claimed })),
        "catalogue_resources": catalogue.as_ref().map(|info| info.resources),
        "files_whole": check.is_ok(),
    });
    output.show(&value, || {
        let mut text = String::from("How this store opens\n");
        for (number, _, meaning, cost) in &slot_values {
            text.push_str(&format!(
                "  slot {number}: {meaning};\n          one try costs {} MiB of memory and {} passes\n",
                cost.memory_kib() / 1024,
                cost.passes()
            ));
        }
        text.push_str(&format!("  between a copied folder and a guessed passphrase stands {}\n", promise_words(promise)));
        for caveat in promise.caveats() {
            text.push_str(&format!("  but {}\n", caveat_words(*caveat)));
        }
        if replacement == KeyReplacement::Due {
            text.push_str("  something was erased and the store key still has to be replaced: the next change of anything does it\n");
        }
        text.push_str(&format!(
            "\nKeys\n  key turn {} is in use, {} held; earlier ones are destroyed when nothing needs them\n\nDevices\n",
            team.turn, team.held_turns
        ));
        let row = |line: &satchel_core::store::DeviceLine| {
            let name = line.name.as_ref().map_or("", ShortText::as_str).to_owned();
            let heard = line.last_heard.map_or("not yet".to_owned(), |day| day.to_string());
            let remark = match (line.is_self, line.is_forked) {
                (_, true) => "copied or restored!",
                (true, _) => "this device",
                _ => "",
            };
            vec![
                super::view::short(line.id),
                name,
                line.role.as_str().to_owned(),
                standing(line.standing).to_owned(),
                heard,
                remark.to_owned(),
            ]
        };
        text.push_str(&table(&["device", "name", "role", "standing", "last heard", ""], &team.devices.iter().map(row).collect::<Vec<_>>()));
        text.push_str(&format!(
            "\nWork\n  {waiting} changes have not reached the relay, {held} rows wait for something that has not come\n  {}\n",
            team.last_contact.map_or("no exchange yet".to_owned(), |day| format!("last exchange {day}"))
        ));
        text.push_str(&format!(
            "\nDate\n  today is {today}{}\n",
            if in_doubt {
                ", but the clock jumped: nothing is destroyed by age until it is confirmed (`satchel doctor --confirm-date`)"
            } else {
                ""
            }
        ));
        if team.is_copied {
            text.push_str("\nThis store is an old copy of a device: nothing leaves it until a steward answers.\n");
        }
        text.push_str(&format!(
            "\nFiles\n  {}\n",
            if check.is_ok() { "whole" } else { "DAMAGED: copy the folder away and join the team again" }
        ));
        text
    });
    Ok(check?)
}
