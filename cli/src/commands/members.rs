//! `satchel member`: who belongs, and what becomes of it.

use super::view::short;
use crate::arguments::{Member, Settings};
use crate::failure::Failure;
use crate::lookup::{self, Whom};
use crate::output::{self, Output, table};
use crate::wording;
use satchel_core::Error;
use satchel_core::screen::ShortText;
use satchel_core::store::{DeviceLine, TeamOverview, Unlocked};
use satchel_core::team::{Role, Standing};
use satchel_wire::ids::{BodyId, DeviceId, MemberId};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub fn member(settings: &Settings, output: Output, command: Member) -> Result<(), Failure> {
    let unlocked = settings.unlock()?;
    let team = unlocked.team()?;
    match command {
        Member::List => list(output, &team),
        Member::Remove { whom, yes } => match lookup::whom(&team, &whom)? {
            Whom::Device(device) => return remove_device(&unlocked, output, device, yes),
            Whom::Member(member) => return remove_member(&unlocked, output, &team, member, yes),
        },
        Member::Suspend { whom, yes } => return suspend(&unlocked, output, &team, &whom, yes),
        Member::Reinstate { whom } => {
            let member = lookup::member(&team, &whom)?;
            require_steward(&team)?;
            let operation = unlocked.reinstate_member(member)?;
            decided(&unlocked, output, operation, "They belong to the team again.")?;
        }
        Member::Role { whom, role } => {
            let member = lookup::member(&team, &whom)?;
            require_steward(&team)?;
            let operation = unlocked.change_role(member, Role::from_name(&role).unwrap_or(Role::Worker))?;
            decided(&unlocked, output, operation, &format!("Their role is {role} now."))?;
        }
        Member::Resume { device, yes } => {
            let device = lookup::device(&team, &device)?;
            require_steward(&team)?;
            let question =
                "Two phones with one store overwrite each other's work. Has somebody made sure that no second one runs? [yes/no] ";
            agree(output, yes, question)?;
            let operation = unlocked.resume_device(device)?;
            decided(&unlocked, output, operation, "It may go on from here as soon as it hears of this.")?;
        }
        Member::Waiting => waiting(&unlocked, output, &team)?,
        Member::Sign { operation } => {
            let waiting = unlocked.awaiting_countersignature()?;
            let id = lookup::one_of("operation", &operation, waiting.iter().map(|waiting| waiting.operation))?;
            if waiting.iter().any(|waiting| waiting.operation == id && !waiting.may_sign) {
                return Err(Error::Role.into());
            }
            let signed = unlocked.countersign(id)?;
            let value = json!({ "operation": signed.to_string(), "signed": id.to_string() });
            output.show(&value, || "Signed: it takes effect on every phone that hears of it.".to_owned());
        }
        Member::Adopt { bodies, from } => return adopt(&unlocked, output, &team, &bodies, from.as_deref()),
    }
    Ok(())
}

/// Refused here, before anything is written: the log would refuse it without saying why.
fn require_steward(team: &TeamOverview) -> Result<(), Failure> {
    let is_steward = |line: &DeviceLine| line.is_self && line.role == Role::Steward && line.standing == Standing::Active;
    if team.devices.iter().any(is_steward) { Ok(()) } else { Err(Error::Role.into()) }
}

/// Asks unless the answer was given with `--yes`. Errors: [`Failure::NotConfirmed`].
fn agree(output: Output, is_sure: bool, question: &str) -> Result<(), Failure> {
    let question = if output.is_json() { "" } else { question };
    if is_sure || output::ask(question).is_some_and(|answer| answer.eq_ignore_ascii_case("yes")) {
        Ok(())
    } else {
        Err(Failure::NotConfirmed)
    }
}

/// Says what was written, and whether it still waits for somebody else.
fn decided(unlocked: &Unlocked, output: Output, operation: satchel_wire::ids::OperationId, done: &str) -> Result<(), Failure> {
    let waits = unlocked.awaiting_countersignature()?.into_iter().find(|waiting| waiting.operation == operation);
    let value = json!({
        "operation": operation.to_string(),
        "waits_for_second_signature": waits.is_some(),
        "turn": unlocked.team()?.turn,
    });
    output.show(&value, || match waits {
        None => format!("{done}\nThe others hear of it with the next exchange."),
        Some(waiting) => format!(
            "Written, and it waits for a second signature: {}.\nOn their phone: satchel member sign {}",
            wording::awaiting(waiting.awaiting),
            short(operation)
        ),
    });
    Ok(())
}

fn device_value(line: &DeviceLine) -> Value {
    json!({
        "id": line.id.to_string(),
        "member": line.member.to_string(),
        "name": line.name.as_ref().map(ShortText::as_str),
        "role": line.role.as_str(),
        "standing": wording::standing(line.standing),
        "last_heard": line.last_heard.map(|day| day.to_string()),
        "dormant": line.is_dormant,
        "copied": line.is_forked,
        "self": line.is_self,
    })
}

fn remarks(line: &DeviceLine) -> String {
    let mut remarks = Vec::new();
    remarks.extend(line.is_self.then_some("this phone"));
    remarks.extend(line.is_dormant.then_some("silent for long: gets no keys until somebody meets it"));
    remarks.extend(line.is_forked.then_some("copied or restored!"));
    remarks.join("; ")
}

/// A table of all phones, those of one person beside each other.
pub fn device_table(team: &TeamOverview) -> String {
    let mut lines: Vec<&DeviceLine> = team.devices.iter().collect();
    lines.sort_by_key(|line| (line.standing, line.name.as_ref().map(|name| name.as_str().to_owned()), line.member, line.id));
    let row = |line: &&DeviceLine| {
        vec![
            line.name.as_ref().map_or("(no name)", ShortText::as_str).to_owned(),
            short(line.member),
            short(line.id),
            line.role.as_str().to_owned(),
            wording::standing(line.standing).to_owned(),
            line.last_heard.map_or("never".to_owned(), |day| day.to_string()),
            remarks(line),
        ]
    };
    let rows: Vec<_> = lines.iter().map(row).collect();
    table(&["name", "member", "phone", "role", "standing", "last heard", ""], &rows)
}

fn list(output: Output, team: &TeamOverview) {
    let devices: Vec<Value> = team.devices.iter().map(device_value).collect();
    output.show(&Value::Array(devices), || device_table(team));
}

fn named(name: Option<&ShortText>) -> String {
    name.map_or_else(|| "somebody whose name is not known here".to_owned(), |name| name.as_str().to_owned())
}

fn remove_device(unlocked: &Unlocked, output: Output, device: DeviceId, is_sure: bool) -> Result<(), Failure> {
    let plan = unlocked.prepare_removal(device)?;
    let value = json!({
        "plan": "remove_device",
        "device": plan.device.to_string(),
        "member": plan.member.to_string(),
        "name": plan.name.as_ref().map(ShortText::as_str),
        "last_heard": plan.last_heard.map(|day| day.to_string()),
        "dormant": plan.is_dormant,
        "last_of_member": plan.is_last_of_member,
        "accepted_bodies": plan.accepted_bodies,
        "begins_turn": plan.begins_turn,
    });
    output.show(&value, || {
        let heard = plan.last_heard.map_or("never heard from".to_owned(), |day| format!("last heard from on {day}"));
        let mut text = format!("Phone {} of {}, {heard}.\n\nWhat follows:\n", short(device), named(plan.name.as_ref()));
        text.push_str("  - it gets nothing that is written from now on, neither by the relay nor by meeting;\n");
        text.push_str("  - what it holds now stays readable on it for whoever has its passphrase;\n");
        text.push_str(&format!(
            "  - its {} pieces of work that came here stay; others wait until a steward adopts them;\n",
            plan.accepted_bodies
        ));
        text.push_str(if plan.begins_turn {
            "  - the keys are changed at once;\n"
        } else {
            "  - the keys are changed by the first colleague who hears of it;\n"
        });
        if plan.is_last_of_member {
            text.push_str("  - they have no other phone: they join again with a new one (satchel invite).\n");
        } else {
            text.push_str("  - their other phones go on as before.\n");
        }
        text
    });
    agree(output, is_sure, "Remove this phone? [yes/no] ")?;
    let operation = plan.confirm()?;
    decided(unlocked, output, operation, "The phone is removed.")
}

fn member_plan(output: Output, team: &TeamOverview, member: MemberId, plan: &str, last: &str) {
    let phones: Vec<&DeviceLine> = team.devices.iter().filter(|line| line.member == member && line.standing != Standing::Removed).collect();
    let name = team.devices.iter().find(|line| line.member == member).and_then(|line| line.name.as_ref());
    let value = json!({
        "plan": plan,
        "member": member.to_string(),
        "name": name.map(ShortText::as_str),
        "devices": phones.iter().map(|line| device_value(line)).collect::<Vec<_>>(),
    });
    output.show(&value, || {
        let mut text = format!("{}, with {} phones:\n", named(name), phones.len());
        for line in &phones {
            let heard = line.last_heard.map_or("never heard from".to_owned(), |day| format!("last heard from on {day}"));
            text.push_str(&format!("  {}  {heard}\n", short(line.id)));
        }
        text.push_str("\nWhat follows:\n  - none of these phones gets anything that is written from now on;\n");
        text.push_str("  - what they hold now stays readable on them; the keys are changed at once;\n");
        text.push_str(&format!("  - {last}\n"));
        text
    });
}

fn remove_member(unlocked: &Unlocked, output: Output, team: &TeamOverview, member: MemberId, is_sure: bool) -> Result<(), Failure> {
    require_steward(team)?;
    let last = "somebody who is or was a steward is suspended until a second person signs; anybody else is out at once.";
    member_plan(output, team, member, "remove_member", last);
    agree(output, is_sure, "Remove this person? [yes/no] ")?;
    let operation = unlocked.remove_member(member)?;
    decided(unlocked, output, operation, "They are removed with all their phones.")
}

fn suspend(unlocked: &Unlocked, output: Output, team: &TeamOverview, whom: &str, is_sure: bool) -> Result<(), Failure> {
    let member = lookup::member(team, whom)?;
    require_steward(team)?;
    member_plan(output, team, member, "suspend_member", "a steward can take it back: satchel member reinstate.");
    agree(output, is_sure, "Suspend this person? [yes/no] ")?;
    let operation = unlocked.suspend_member(member)?;
    decided(unlocked, output, operation, "They are suspended.")
}

fn names(team: &TeamOverview) -> BTreeMap<DeviceId, String> {
    team.devices.iter().map(|line| (line.id, named(line.name.as_ref()))).collect()
}

fn waiting(unlocked: &Unlocked, output: Output, team: &TeamOverview) -> Result<(), Failure> {
    let operations = unlocked.awaiting_countersignature()?;
    let bodies = unlocked.waiting_beyond_cut()?;
    let value = json!({
        "operations": operations.iter().map(|waiting| json!({
            "operation": waiting.operation.to_string(),
            "needs": wording::awaiting_code(waiting.awaiting),
            "author": waiting.author.to_string(),
            "day": waiting.day.to_string(),
            "may_sign": waiting.may_sign,
        })).collect::<Vec<_>>(),
        "bodies": bodies.iter().map(|waiting| json!({
            "body": waiting.body.to_string(),
            "device": waiting.device.to_string(),
            "kind": waiting.kind.as_str(),
            "day": waiting.day.to_string(),
        })).collect::<Vec<_>>(),
    });
    let names = names(team);
    let name = |device: &DeviceId| names.get(device).cloned().unwrap_or_else(|| short(device));
    output.show(&value, || {
        let signatures = operations.iter().map(|waiting| {
            let sign = if waiting.may_sign { "you can sign" } else { "somebody else signs" };
            vec![short(waiting.operation), waiting.day.to_string(), name(&waiting.author), wording::awaiting(waiting.awaiting).to_owned(), sign.to_owned()]
        });
        let signatures = table(&["operation", "day", "by", "needs", ""], &signatures.collect::<Vec<_>>());
        let beyond = bodies.iter().map(|waiting| {
            vec![short(waiting.body), waiting.day.to_string(), name(&waiting.device), waiting.kind.as_str().replace('_', " ")]
        });
        let beyond = table(&["work", "day", "by", "what"], &beyond.collect::<Vec<_>>());
        format!("Waiting for a second signature\n{signatures}\n\nWritten by removed phones, seen by nobody before, shown nowhere until adopted\n{beyond}")
    });
    Ok(())
}

fn adopt(unlocked: &Unlocked, output: Output, team: &TeamOverview, typed: &[String], from: Option<&str>) -> Result<(), Failure> {
    require_steward(team)?;
    let waiting = unlocked.waiting_beyond_cut()?;
    let bodies: Vec<BodyId> = match from {
        Some(device) => {
            let device = lookup::device(team, device)?;
            waiting.iter().filter(|waiting| waiting.device == device).map(|waiting| waiting.body).collect()
        }
        None => {
            let one = |text: &String| lookup::one_of("piece of work", text, waiting.iter().map(|waiting| waiting.body));
            typed.iter().map(one).collect::<Result<_, _>>()?
        }
    };
    if bodies.is_empty() {
        return Err(Failure::NoMatch { what: "piece of work" });
    }
    let operation = unlocked.adopt(&bodies)?;
    let value = json!({ "operation": operation.to_string(), "adopted": bodies.len() });
    output.show(&value, || format!("{} adopted, for the whole team.", bodies.len()));
    Ok(())
}
