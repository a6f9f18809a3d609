//! `satchel doctor`: how a store is protected, which keys it holds and why, what waits, whether its files are whole.

use crate::arguments::Settings;
use crate::failure::Failure;
use crate::keystore::{caveat_words, promise_words};
use crate::output::Output;
use crate::wording;
use satchel_core::screen::ShortText;
use satchel_core::storage::{self, SlotKind};
use satchel_core::store::{ErasureReceipt, KeyReplacement, KeyState, Promise, TeamOverview, Unlocked};
use satchel_wire::ShiftDay;
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
    let dropped = unlocked.dropped_edits()?;
    let (waiting, held) = unlocked.waiting()?;
    let outlook = unlocked.outlook()?;
    let in_doubt = unlocked.is_date_in_doubt()?;
    let today = unlocked.today()?;
    let relay = unlocked.relay()?;
    let catalogue = unlocked.catalogue_info()?;
    let keys = Keys::of(&unlocked, today)?;
    let board = super::board::status_in_words(&unlocked.board_status()?);
    let review = unlocked.review_due()?;
    let check = unlocked.store().check();
    // a store of which something cannot be read still has the rest told
    let likeness = unlocked.likeness().ok();
    let digest = likeness.map(|likeness| likeness.digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let devices: Vec<Value> = team
        .devices
        .iter()
        .map(|line| {
            json!({
                "id": line.id.to_string(),
                "name": line.name.as_ref().map(ShortText::as_str),
                "role": line.role.as_str(),
                "standing": wording::standing(line.standing),
                "last_heard": line.last_heard.map(|day| day.to_string()),
                "dormant": line.is_dormant,
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
    let mut value = json!({
        "team": team.team.to_string(),
        "slots": slot_json,
        "turn": team.turn,
        "turns_held": team.held_turns,
        "devices": devices,
        "today": today.to_string(),
        "date_in_doubt": in_doubt,
        "copied": team.is_copied,
        "waiting": waiting,
        "unsent": outlook.unsent,
        "met_relay": outlook.relay_day.map(|day| day.to_string()),
        "met_colleague": outlook.colleague_day.map(|day| day.to_string()),
        "held": held,
        "last_contact": team.last_contact.map(|day| day.to_string()),
        "relay": relay.as_ref().map(|relay| json!({ "url": relay.url, "claimed": relay.is_claimed })),
        "catalogue_resources": catalogue.as_ref().map(|info| info.resources),
        "files_whole": check.is_ok(),
        "likeness": likeness.map(|likeness| json!({ "bodies": likeness.bodies, "digest": digest })),
        "board": board.0,
        "review_due": review.to_string(),
        "review_overdue": review < today,
        "dropped_edits": super::erasing::dropped_value(&dropped),
    });
    if let (Some(value), Value::Object(keys)) = (value.as_object_mut(), keys.value()) {
        value.extend(keys);
    }
    output.show(&value, || {
        let mut text = String::from("How this store opens\n");
        for (number, _, meaning, cost) in &slot_values {
            text.push_str(&format!(
                "  slot {number}: {meaning};\n          one try costs {} MiB of memory and {} passes\n",
                cost.memory_kib() / 1024,
                cost.passes()
            ));
        }
        text.push_str(&keys.protection_text());
        text.push_str(&format!("\nKeys\n{}", keys.turns_text(today)));
        text.push_str(&format!("\nPhones\n{}", super::members::device_table(&team)));
        text.push_str(&format!("\nWhat waits\n{}", keys.waiting_text(&team)));
        text.push_str(&format!("\nIf every phone is lost\n{}", keys.recovery_text()));
        text.push_str(&format!("\nBoard\n  {}\n", board.1));
        text.push_str(&format!(
            "\nCharter\n  review by participants and board due by {review}{}\n",
            if review < today { ": OVERDUE" } else { "" }
        ));
        text.push_str(&format!(
            "\nWork\n  {waiting} changes have not reached the relay, {held} rows wait for something that has not come\n  {}; {}\n",
            outlook.relay_day.map_or("the relay was never reached".to_owned(), |day| format!("relay last reached {day}")),
            outlook.colleague_day.map_or("no colleague's phone met yet".to_owned(), |day| format!("last met a colleague's phone {day}"))
        ));
        if let (Some(likeness), Some(digest)) = (likeness, &digest) {
            text.push_str(&format!(
                "  two phones that exchanged everything say the same here today: {} {}\n",
                likeness.bodies,
                digest.get(..16).unwrap_or_default()
            ));
        }
        text.push_str(&format!(
            "\nDate\n  today is {today}{}\n  {}\n",
            if in_doubt {
                ", but the clock jumped: nothing is destroyed by age until it is confirmed (`satchel doctor --confirm-date`)"
            } else {
                ""
            },
            keys.end_text(today)
        ));
        text.push_str(&super::erasing::dropped_text(&dropped, &team));
        if team.is_copied {
            text.push_str(
                "\nThis store is an old copy of a device: nothing leaves it until a steward answers (`satchel member resume`).\n",
            );
        }
        text.push_str(&format!(
            "\nFiles\n  {}\n",
            if check.is_ok() { "whole" } else { "DAMAGED: copy the folder away and join the team again" }
        ));
        text
    });
    Ok(check?)
}

/// What the keys of this store are, and what waits for them to change.
struct Keys {
    state: KeyState,
    promise: Promise,
    replacement: KeyReplacement,
    signatures: usize,
    own_signatures: usize,
    beyond: usize,
    erasures: Vec<ErasureReceipt>,
    recovery: (Value, String),
    keeps_reseat: bool,
    days_in_use: u16,
}

impl Keys {
    fn of(unlocked: &Unlocked, today: ShiftDay) -> Result<Self, Failure> {
        let state = unlocked.key_state()?;
        let waiting = unlocked.awaiting_countersignature()?;
        let mut erasures = unlocked.erasures()?;
        erasures.retain(|receipt| !receipt.is_settled || receipt.waits_for_countersignature);
        Ok(Self {
            days_in_use: state.turns.first().map_or(0, |line| today.days().saturating_sub(line.day.days())),
            state,
            promise: unlocked.promise()?,
            replacement: unlocked.key_replacement()?,
            signatures: waiting.len(),
            own_signatures: waiting.iter().filter(|waiting| waiting.may_sign).count(),
            beyond: unlocked.waiting_beyond_cut()?.len(),
            erasures,
            recovery: super::recovery::status_in_words(unlocked.recovery_status()?),
            keeps_reseat: unlocked.reseat_paper()?.is_some(),
        })
    }

    fn value(&self) -> Value {
        let turns = self.state.turns.iter();
        let turns = turns.map(|line| json!({ "number": line.number, "since": line.day.to_string(), "why": line.because.as_str() }));
        json!({
            "keystore": self.promise.code(),
            "caveats": self.promise.caveats().iter().map(|caveat| caveat.code()).collect::<Vec<_>>(),
            "key_replacement_due": self.replacement == KeyReplacement::Due,
            "key_replacement": wording::replacement_code(self.replacement),
            "turns": turns.collect::<Vec<_>>(),
            "turn_age_days": self.days_in_use,
            "next_turn": self.state.next_turn.map(|day| day.to_string()),
            "waiting_signatures": self.signatures,
            "waiting_for_my_signature": self.own_signatures,
            "waiting_beyond_cut": self.beyond,
            "unsettled_erasures": self.erasures.iter().map(|receipt| receipt.operation.to_string()).collect::<Vec<_>>(),
            "recovery": self.recovery.0,
            "keeps_reseat_key": self.keeps_reseat,
            "last_day": self.state.last_day.to_string(),
            "destroyed_after": self.state.destroyed_after.to_string(),
        })
    }

    fn protection_text(&self) -> String {
        let mut text = format!("  between a copied folder and a guessed passphrase stands {}\n", promise_words(self.promise));
        for caveat in self.promise.caveats() {
            text.push_str(&format!("  but {}\n", caveat_words(*caveat)));
        }
        if self.replacement == KeyReplacement::Due {
            text.push_str("  something was erased and the store key still has to be replaced: the next change of anything does it\n");
        }
        text
    }

    fn turns_text(&self, today: ShiftDay) -> String {
        let mut text = String::new();
        for line in &self.state.turns {
            let age = today.days().saturating_sub(line.day.days());
            text.push_str(&format!("  turn {}, {age} days old, {}\n", line.number, wording::held_because(line.because)));
        }
        match self.state.turns.len() {
            0 => text.push_str("  none is held: this phone opens nothing new until it meets a colleague's\n"),
            1 => text
                .push_str("  no other one is held: earlier ones are destroyed, and nothing that was sealed under them only opens here\n"),
            more => text.push_str(&format!("  {more} are held: earlier ones are destroyed\n")),
        }
        match self.state.next_turn {
            Some(day) if day <= today => text.push_str("  the monthly one is due: one of the phones begins it with its next exchange\n"),
            Some(day) => text.push_str(&format!("  the next one is due on {day}, or as soon as somebody is removed or something erased\n")),
            None => {}
        }
        text
    }

    fn waiting_text(&self, team: &TeamOverview) -> String {
        let mut lines = Vec::new();
        let dormant = team.devices.iter().filter(|line| line.is_dormant).count();
        if dormant > 0 {
            lines.push(format!(
                "{dormant} phones were silent for long: they get no keys until somebody meets them; their unsent work is not lost"
            ));
        }
        if self.signatures > 0 {
            let own = self.own_signatures;
            lines.push(format!(
                "{} decisions wait for a second signature, {own} of them for yours: satchel member waiting",
                self.signatures
            ));
        }
        if self.beyond > 0 {
            lines.push(format!("{} pieces of work of removed phones wait to be adopted: satchel member waiting", self.beyond));
        }
        for receipt in self.erasures.iter().filter(|receipt| !receipt.waits_for_countersignature) {
            let (id, awaited) = (super::view::short(receipt.operation), receipt.awaited.len());
            lines.push(format!("the erasure of {} is not settled, {awaited} phones are awaited: satchel erase receipt {id}", receipt.day));
        }
        if lines.is_empty() { "  nothing\n".to_owned() } else { lines.iter().map(|line| format!("  {line}\n")).collect() }
    }

    fn recovery_text(&self) -> String {
        let status = self.recovery.1.replace('\n', "\n  ");
        let kept = match self.keeps_reseat {
            true => "this phone\n  keeps a copy until you have it on paper: satchel recovery paper",
            false => "nobody keeps a\n  copy of it: look whether it is where it should be.",
        };
        format!("  {status}\n  The paper reseat key removes lost phones and seats a steward. Only its newest print counts, and {kept}\n")
    }

    fn end_text(&self, today: ShiftDay) -> String {
        let (last, destroyed) = (self.state.last_day, self.state.destroyed_after);
        if last < today {
            return format!("the team's last day was {last}: nothing can be written; all is destroyed after {destroyed}");
        }
        format!("the team's last day is {last}, unless the board renews it; all is destroyed after {destroyed}")
    }
}
