//! `satchel grant`, `withdraw` and `vault`: consent in words, and facts that rest on it.

use super::people::day;
use super::view::short;
use crate::arguments::{Asked, Grant, Recipient, Settings, Vault, Withdraw};
use crate::failure::Failure;
use crate::lookup;
use crate::output::{self, Output, table};
use satchel_core::consent::receipt::ReceiptForm;
use satchel_core::consent::words::{category_words, purpose_words};
use satchel_core::consent::{Act, GatedCategory, GrantRequest, HowGiven, Language, Purpose, ShareClass, Withdrawal};
use satchel_core::record::{Fact, FactField, FactLine};
use satchel_core::screen::ShortText;
use satchel_core::store::{GrantLine, RecordedBy, SharingLine, Unlocked, WithdrawalLine};
use satchel_wire::ids::RecordId;
use serde_json::{Value, json};

fn recipient(unlocked: &Unlocked, text: &str) -> Result<RecordId, Failure> {
    let all = unlocked.recipients()?;
    let is_called = |name: Option<&ShortText>| name.is_some_and(|name| name.as_str().eq_ignore_ascii_case(text.trim()));
    let named: Vec<RecordId> = all.iter().filter(|line| is_called(line.name.as_ref())).map(|line| line.id).collect();
    match named.as_slice() {
        [one] => Ok(*one),
        [] => lookup::record("recipient", text, all.iter().map(|line| line.id)),
        _ => Err(Failure::Ambiguous { what: "recipient", count: named.len(), candidates: Vec::new() }),
    }
}

/// Shows what will happen, and asks. Errors: [`Failure::NotConfirmed`] unless the answer is yes.
pub fn agree(output: Output, is_sure: bool, plan: &Value, words: &str, question: &str) -> Result<(), Failure> {
    output.show(plan, || words.to_owned());
    let question = if output.is_json() { "" } else { question };
    let is_yes = is_sure || output::ask(question).is_some_and(|answer| answer.eq_ignore_ascii_case("yes"));
    if is_yes { Ok(()) } else { Err(Failure::NotConfirmed) }
}

pub fn recipient_name(unlocked: &Unlocked, id: RecordId) -> Result<String, Failure> {
    let known = unlocked.recipients()?.into_iter().find(|line| line.id == id);
    Ok(known.and_then(|line| line.name).map_or_else(|| short(id), |name| name.as_str().to_owned()))
}

fn request(unlocked: &Unlocked, asked: &Asked) -> Result<(RecordId, GrantRequest), Failure> {
    let participant = lookup::participant(unlocked, &asked.participant)?;
    let recipient = asked.to.as_deref().map(|text| recipient(unlocked, text)).transpose()?;
    let act = if recipient.is_some() { Act::Share } else { Act::Record };
    let categories: Vec<GatedCategory> = asked.categories.iter().filter_map(|name| GatedCategory::from_name(name)).collect();
    let start = day("--from", asked.from.as_ref())?;
    let expiry = match day("--until", asked.until.as_ref())? {
        Some(day) => day,
        None => {
            let limit = unlocked.team()?.charter.grant_limit_days(act, act == Act::Record && categories.is_empty());
            start.map_or_else(|| unlocked.today(), Ok)?.plus(limit)
        }
    };
    let request = GrantRequest {
        act,
        categories,
        recipient,
        purpose: Purpose::from_name(&asked.purpose).unwrap_or(Purpose::ServiceConnection),
        start,
        expiry,
        how: HowGiven::from_name(&asked.how).unwrap_or(HowGiven::Spoken),
        language: Language::from_code(&asked.language).unwrap_or(Language::English),
    };
    Ok((participant, request))
}

pub fn grant(settings: &Settings, output: Output, command: Grant) -> Result<(), Failure> {
    match command {
        Grant::Words { asked } => {
            let unlocked = settings.unlock()?;
            let (participant, request) = request(&unlocked, &asked)?;
            let words = unlocked.grant_words(participant, &request, None)?;
            output.show(&json!({ "number": words.number, "language": words.language.as_str(), "text": words.text }), || words.text.clone());
        }
        Grant::Give { asked, yes } => {
            let unlocked = settings.unlock()?;
            let (participant, request) = request(&unlocked, &asked)?;
            let words = unlocked.grant_words(participant, &request, None)?;
            let shown = json!({ "words": words.text, "number": words.number });
            agree(output, yes, &shown, &format!("Read this out:\n\n  {}\n", words.text), "Did they say yes? [yes/no] ")?;
            let id = unlocked.give_grant(participant, &request)?;
            let value = json!({ "id": id.to_string(), "words": words.number, "expiry": request.expiry.to_string() });
            output.show(&value, || format!("{id}\nends on {}", request.expiry));
        }
        Grant::List { participant } => {
            let unlocked = settings.unlock()?;
            let id = lookup::participant(&unlocked, &participant)?;
            let (grants, withdrawals) = (unlocked.grants(id)?, unlocked.withdrawals(id)?);
            let value = json!({
                "grants": grants.iter().map(grant_value).collect::<Vec<_>>(),
                "withdrawals": withdrawals.iter().map(withdrawal_value).collect::<Vec<_>>(),
            });
            let rows = grants.iter().map(|line| grant_row(&unlocked, line)).collect::<Result<Vec<_>, _>>()?;
            let taken = withdrawals.iter().map(|line| withdrawal_row(&unlocked, line)).collect::<Result<Vec<_>, _>>()?;
            output.show(&value, || {
                let grants = table(&["yes", "to", "for", "until", "stands", "written down by"], &rows);
                format!("{grants}\n{}", table(&["taken back", "what", "on", "written down by"], &taken))
            });
        }
        Grant::Receipt { participant, grant, form, agency, policy } => {
            let unlocked = settings.unlock()?;
            let participant = lookup::participant(&unlocked, &participant)?;
            let grant = grant_of(&unlocked, participant, &grant)?;
            let form = if form == "fhir" { ReceiptForm::Fhir } else { ReceiptForm::Kantara };
            // JSON in any case: it is for programs of other agencies, and for a printer
            output::say(&unlocked.grant_receipt(participant, grant, &agency, &policy, form)?);
        }
        Grant::Log { participant } => {
            let unlocked = settings.unlock()?;
            let lines = unlocked.sharing_log(lookup::participant(&unlocked, &participant)?)?;
            let value = lines.iter().map(sharing_value).collect();
            let row = |line: &SharingLine| {
                let (event, to) = (line.note.event.as_str().replace('_', " "), recipient_name(&unlocked, line.note.recipient)?);
                Ok(vec![line.day.to_string(), event, what(&line.note.categories), to])
            };
            let rows = lines.iter().map(row).collect::<Result<Vec<_>, Failure>>()?;
            output.show(&Value::Array(value), || table(&["day", "", "what", "recipient"], &rows));
        }
        Grant::Recipient(Recipient::Add { name, class }) => {
            let class = ShareClass::from_name(&class).ok_or(Failure::NoMatch { what: "class" })?;
            let id = settings.unlock()?.add_recipient(&name, class).map_err(|error| match error {
                satchel_core::Error::Screen(error) => Failure::Text { field: "name", error },
                other => other.into(),
            })?;
            output.show(&json!({ "id": id.to_string() }), || id.to_string());
        }
        Grant::Recipient(Recipient::List) => {
            let lines = settings.unlock()?.recipients()?;
            let name = |name: &Option<ShortText>| name.as_ref().map(|name| name.as_str().to_owned());
            let value =
                lines.iter().map(|line| json!({ "id": line.id.to_string(), "name": name(&line.name), "class": line.class.as_str(), "paired": line.is_paired }));
            output.show(&Value::Array(value.collect()), || {
                let row = |line: &satchel_core::store::RecipientLine| {
                    let paired = if line.is_paired { "yes" } else { "" }.to_owned();
                    vec![short(line.id), name(&line.name).unwrap_or_default(), line.class.as_str().to_owned(), paired]
                };
                table(&["id", "name", "class", "paired"], &lines.iter().map(row).collect::<Vec<_>>())
            });
        }
    }
    Ok(())
}

pub fn what(categories: &[GatedCategory]) -> String {
    let words: Vec<&str> = categories.iter().map(|category| category_words(*category, Language::English)).collect();
    words.join(", ")
}

fn by(unlocked: &Unlocked, recorded: &[RecordedBy]) -> Result<String, Failure> {
    let name = |by: &RecordedBy| {
        let called = by.member.map(|member| unlocked.member_name(member)).transpose()?.flatten();
        Ok(called.map_or_else(|| short(by.device), |name| name.as_str().to_owned()))
    };
    Ok(recorded.iter().map(name).collect::<Result<Vec<_>, Failure>>()?.join(" and "))
}

fn recorded_value(recorded: &[RecordedBy]) -> Value {
    let by = |by: &RecordedBy| json!({ "device": by.device.to_string(), "member": by.member.map(|member| member.to_string()) });
    Value::Array(recorded.iter().map(by).collect())
}

fn grant_value(line: &GrantLine) -> Value {
    let names = |categories: &[GatedCategory]| categories.iter().map(|category| category.as_str()).collect::<Vec<_>>();
    let said = line.grant.as_ref().map(|grant| {
        json!({
            "act": grant.act.as_str(),
            "categories": names(&grant.categories),
            "recipient": grant.recipient.map(|recipient| recipient.to_string()),
            "class": grant.class.map(ShareClass::as_str),
            "purpose": grant.purpose.as_str(),
            "start": grant.start.to_string(),
            "expiry": grant.expiry.to_string(),
            "how": grant.how.as_str(),
            "words": grant.words_version,
            "language": grant.words_language,
        })
    });
    json!({
        "id": line.id.to_string(),
        "said": said,
        "status": line.status.as_str(),
        "live": names(&line.live),
        "withdrawn_by": line.withdrawn_by.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "recorded_by": recorded_value(&line.recorded_by),
        "recorded_on": line.recorded_on.to_string(),
    })
}

fn grant_row(unlocked: &Unlocked, line: &GrantLine) -> Result<Vec<String>, Failure> {
    let stands = line.status.as_str().replace('_', " ");
    let Some(grant) = &line.grant else {
        return Ok(vec![short(line.id), String::new(), String::new(), String::new(), stands, by(unlocked, &line.recorded_by)?]);
    };
    let told = match (grant.recipient, grant.is_for_file()) {
        (Some(recipient), _) => format!("give {} to {}", what(&grant.categories), recipient_name(unlocked, recipient)?),
        (None, true) => "keep a page".to_owned(),
        (None, false) => format!("write down {}", what(&grant.categories)),
    };
    let why = purpose_words(grant.purpose, Language::English).to_owned();
    Ok(vec![short(line.id), told, why, grant.expiry.to_string(), stands, by(unlocked, &line.recorded_by)?])
}

fn withdrawal_value(line: &WithdrawalLine) -> Value {
    let scope = |scope: &Withdrawal| {
        json!({
            "act": scope.act.map(Act::as_str),
            "category": scope.category.map(GatedCategory::as_str),
            "recipient": scope.recipient.map(|recipient| recipient.to_string()),
            "how": scope.how.as_str(),
        })
    };
    json!({
        "id": line.id.to_string(),
        "scopes": line.scopes.iter().map(scope).collect::<Vec<_>>(),
        "recorded_by": recorded_value(&line.recorded_by),
        "recorded_on": line.recorded_on.to_string(),
    })
}

fn withdrawal_row(unlocked: &Unlocked, line: &WithdrawalLine) -> Result<Vec<String>, Failure> {
    let told = |scope: &Withdrawal| {
        let act = scope.act.map_or("everything", |act| if act == Act::Record { "what is written down" } else { "what is given on" });
        let only = scope.category.map(|category| format!(", only {}", category_words(category, Language::English))).unwrap_or_default();
        let to = match scope.recipient {
            Some(recipient) => format!(", only to {}", recipient_name(unlocked, recipient)?),
            None => String::new(),
        };
        Ok(format!("{act}{only}{to}"))
    };
    let scopes = line.scopes.iter().map(told).collect::<Result<Vec<_>, Failure>>()?.join("; ");
    Ok(vec![short(line.id), scopes, line.recorded_on.to_string(), by(unlocked, &line.recorded_by)?])
}

fn sharing_value(line: &SharingLine) -> Value {
    json!({
        "id": line.id.to_string(),
        "day": line.day.to_string(),
        "event": line.note.event.as_str(),
        "grant": line.note.grant.to_string(),
        "recipient": line.note.recipient.to_string(),
        "categories": line.note.categories.iter().map(|category| category.as_str()).collect::<Vec<_>>(),
        "share": line.note.share.map(|share| share.to_string()),
        "recorded_by": recorded_value(&line.recorded_by),
    })
}

pub fn withdraw(settings: &Settings, output: Output, command: Withdraw) -> Result<(), Failure> {
    let unlocked = settings.unlock()?;
    let participant = lookup::participant(&unlocked, &command.participant)?;
    let withdrawal = Withdrawal {
        act: command.act.as_deref().and_then(Act::from_name),
        category: command.category.as_deref().and_then(GatedCategory::from_name),
        recipient: command.to.as_deref().map(|text| recipient(&unlocked, text)).transpose()?,
        how: HowGiven::from_name(&command.how).unwrap_or(HowGiven::Spoken),
    };
    let is_of_file = withdrawal.act != Some(Act::Share) && withdrawal.category.is_none() && withdrawal.recipient.is_none();
    let plan = if is_of_file {
        "The whole page goes from every phone of the team, with everything that hangs on it."
    } else if withdrawal.act == Some(Act::Share) || withdrawal.recipient.is_some() {
        "Nothing more of it is given on. What somebody was given already can be asked back; they may keep it."
    } else {
        "It goes from every phone of the team, and nothing more of it is given on."
    };
    agree(output, command.yes, &json!({ "plan": "withdraw", "file": is_of_file }), plan, "Take it back? [yes/no] ")?;
    let report = unlocked.withdraw(participant, &withdrawal)?;
    let ids = |ids: &[RecordId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let value = json!({
        "id": report.withdrawal.to_string(),
        "grants": ids(&report.grants),
        "erasures": report.erasures.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "stopped": ids(&report.stopped),
        "to_ask": ids(&report.to_ask),
        "file_closed": report.is_file_closed,
    });
    output.show(&value, || {
        let mut text = format!("Taken back: {} of what they had said yes to.", report.grants.len());
        for erasure in &report.erasures {
            text.push_str(&format!("\nErased here; `satchel erase receipt {}` says on which other phones.", short(erasure)));
        }
        if !report.stopped.is_empty() {
            text.push_str(&format!("\n{} recipients get nothing more.", report.stopped.len()));
        }
        for share in &report.to_ask {
            text.push_str(&format!("\nA copy left: `satchel share ask-erase {}` asks for it back.", short(share)));
        }
        text
    });
    Ok(())
}

pub fn grant_of(unlocked: &Unlocked, participant: RecordId, text: &str) -> Result<RecordId, Failure> {
    lookup::record("grant", text, unlocked.grants(participant)?.into_iter().map(|line| line.id))
}

fn fact(text: &str) -> Result<Fact, Failure> {
    let wrong = Failure::Argument { name: "--fact", expected: "FIELD=VALUE with a field such as legal_name, birth_date, phone" };
    let Some((field, value)) = text.split_once('=') else { return Err(wrong) };
    let Some(field) = FactField::from_name(field.trim()) else { return Err(wrong) };
    Ok(Fact::parse(field, value).map_err(satchel_core::Error::from)?)
}

fn facts_value(lines: &[FactLine]) -> Value {
    let value = |line: &FactLine| {
        let others = line.others.iter().map(Fact::value).collect::<Vec<_>>();
        json!({ "field": line.fact.field().as_str(), "value": line.fact.value(), "others": others })
    };
    Value::Array(lines.iter().map(value).collect())
}

fn facts_table(lines: &[FactLine]) -> String {
    let row = |line: &FactLine| {
        let also: Vec<&str> = line.others.iter().map(Fact::value).collect();
        let also = if also.is_empty() { String::new() } else { format!("also written: {}", also.join(", ")) };
        vec![line.fact.field().as_str().replace('_', " "), line.fact.value().to_owned(), also]
    };
    table(&["fact", "", ""], &lines.iter().map(row).collect::<Vec<_>>())
}

pub fn vault(settings: &Settings, output: Output, command: Vault) -> Result<(), Failure> {
    match command {
        Vault::Write { participant, grant, facts } => {
            let lines = if facts.is_empty() {
                std::io::stdin().lines().collect::<Result<Vec<_>, _>>().map_err(|error| Failure::Unreadable(error.kind()))?
            } else {
                facts
            };
            let facts = lines.iter().filter(|line| !line.trim().is_empty()).map(|line| fact(line)).collect::<Result<Vec<_>, _>>()?;
            let unlocked = settings.unlock()?;
            let participant = lookup::participant(&unlocked, &participant)?;
            let grant = grant_of(&unlocked, participant, &grant)?;
            unlocked.vault(participant, grant)?.write(&facts)?;
            let shown = unlocked.read_vault(participant, grant)?;
            output.show(&facts_value(&shown), || facts_table(&shown));
        }
        Vault::Remove { participant, grant, field } => {
            let unlocked = settings.unlock()?;
            let participant = lookup::participant(&unlocked, &participant)?;
            let grant = grant_of(&unlocked, participant, &grant)?;
            let field = FactField::from_name(&field).ok_or(Failure::NoMatch { what: "fact" })?;
            unlocked.vault(participant, grant)?.remove(field)?;
            let shown = unlocked.read_vault(participant, grant)?;
            output.show(&facts_value(&shown), || facts_table(&shown));
        }
        Vault::Show { participant, grant: Some(grant) } => {
            let unlocked = settings.unlock()?;
            let participant = lookup::participant(&unlocked, &participant)?;
            let shown = unlocked.read_vault(participant, grant_of(&unlocked, participant, &grant)?)?;
            output.show(&facts_value(&shown), || facts_table(&shown));
        }
        Vault::Show { participant, grant: None } => {
            let unlocked = settings.unlock()?;
            let lines = unlocked.vaults(lookup::participant(&unlocked, &participant)?)?;
            let names = |categories: &[GatedCategory]| categories.iter().map(|category| category.as_str()).collect::<Vec<_>>();
            let value = lines.iter().map(
                |line| json!({ "grant": line.grant.to_string(), "categories": names(&line.categories), "until": line.until.to_string() }),
            );
            output.show(&Value::Array(value.collect()), || {
                let row = |line: &satchel_core::store::VaultLine| vec![short(line.grant), what(&line.categories), line.until.to_string()];
                table(&["grant", "holds", "until"], &lines.iter().map(row).collect::<Vec<_>>())
            });
        }
    }
    Ok(())
}
