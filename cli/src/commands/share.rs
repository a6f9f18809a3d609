//! `satchel share`: one packet for one recipient who was met, and asking for it back.

use super::consent::{agree, grant_of, recipient_name, what};
use super::view::short;
use crate::arguments::{Pair, Settings, Share};
use crate::failure::Failure;
use crate::lookup;
use crate::output::{self, Output, table};
use crate::qr;
use satchel_core::Error;
use satchel_core::consent::words::purpose_words;
use satchel_core::consent::{Language, ShareClass};
use satchel_core::env::Env;
use satchel_core::record::{Fact, FactField};
use satchel_core::screen::ShortText;
use satchel_core::share::typed::{self, TypedOffer, TypedTaker};
use satchel_core::share::{Answer, Offer, PACKET_BYTES, ShareError, SharedFacts};
use satchel_core::store::{Opened, ShareLine, SharePlan, ShareState, ShownOffer, Unlocked};
use satchel_transport::{TransportError, joining, peer};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

pub fn share(settings: &Settings, output: Output, command: Share) -> Result<(), Failure> {
    let unlocked = settings.unlock()?;
    match command {
        Share::Pair(pair) => pairing(settings, &unlocked, output, pair),
        Share::Send { participant, grant, out, fields, yes } => {
            let participant = lookup::participant(&unlocked, &participant)?;
            let grant = grant_of(&unlocked, participant, &grant)?;
            let field = |name: &String| FactField::from_name(name).ok_or(Failure::NoMatch { what: "fact" });
            let fields = fields.iter().map(field).collect::<Result<Vec<_>, _>>()?;
            let plan = unlocked.share_plan(participant, grant, &fields)?;
            if !yes {
                agree(output, false, &plan_value(&plan), &plan_text(&unlocked, &plan)?, "Hand it over? [yes/no] ")?;
            }
            // the file first: what is logged as given has to be somewhere, and what was agreed to is what leaves
            let place = Destination::open(&out)?;
            let packet = match unlocked.share(participant, grant, &plan.fields) {
                Ok(packet) => packet,
                Err(error) => {
                    place.leave();
                    return Err(error.into());
                }
            };
            place.fill(&packet.bytes)?;
            let value = json!({ "share": packet.share.to_string(), "bytes": packet.bytes.len(), "plan": plan_value(&packet.plan) });
            tell(output, &out, &value, || {
                let name = packet.plan.name.as_ref().map_or("the recipient", |name| name.as_str()).to_owned();
                format!("{}\nSealed for {name} alone, and written into the sharing log. It ends on {}.", packet.share, packet.plan.until)
            });
            Ok(())
        }
        Share::List => {
            let lines = unlocked.shares()?;
            let rows = lines.iter().map(|line| row(&unlocked, line)).collect::<Result<Vec<_>, _>>()?;
            let value = lines.iter().map(line_value).collect();
            output.show(&Value::Array(value), || table(&["copy", "to", "what", "until", "stands"], &rows));
            Ok(())
        }
        Share::Open { file, keep_with } => open(&unlocked, output, &read(&file)?, keep_with.as_deref()),
        Share::AskErase { share, out } => {
            let share = lookup::record("copy", &share, unlocked.shares()?.into_iter().map(|line| line.share))?;
            let bytes = unlocked.ask_erasure(share)?;
            write_new(&out, &bytes)?;
            tell(output, &out, &json!({ "share": share.to_string(), "bytes": bytes.len() }), || {
                "Sealed for the same recipient. Bring it to them; `satchel share open` reads what they answer.".to_owned()
            });
            Ok(())
        }
        Share::Answer { file, out, yes } => {
            let bytes = read(&file)?;
            let Opened::Erase { share, kept_with, .. } = unlocked.open_packet(&bytes)? else {
                return Err(Error::from(ShareError::OtherKind).into());
            };
            let plan = json!({ "plan": "erase_copy", "share": share.to_string(), "kept": kept_with.is_some() });
            let words = if kept_with.is_some() {
                "What came with this copy goes from every phone of the team."
            } else {
                "Nothing of this copy was kept here."
            };
            if !yes {
                agree(output, false, &plan, words, "Erase it, and say so? [yes/no] ")?;
            }
            let (bytes, answer) = unlocked.answer_erasure(&bytes)?;
            write_new(&out, &bytes)?;
            tell(output, &out, &answer_value(&answer), || format!("{}\nSealed for whoever asked. Bring it to them.", answer_text(&answer)));
            Ok(())
        }
    }
}

/// Shows three words, and gives the offer to whoever typed them. Errors: [`ShareError::Code`] for a call with other words: they are spent.
fn host_typed(
    env: &Env,
    unlocked: &Unlocked,
    output: Output,
    shown: &ShownOffer,
    listener: &TcpListener,
    address: Option<String>,
) -> Result<(), Failure> {
    let forget = |error: Failure| {
        // nobody has it: the name is free again
        let _ = unlocked.forget_pairing(shown.id);
        error
    };
    let here = listener.local_addr().map_err(|error| TransportError::Listen { kind: error.kind() })?;
    let address = address.unwrap_or_else(|| here.to_string());
    let typed = TypedOffer::make(env, &shown.text).map_err(Error::from)?;
    output.show(&json!({ "code": typed.code(), "address": address }), || {
        format!(
            "Good for one try, for ten minutes, for somebody who is here with you:\n\n  {}\n\n\
             On their phone: satchel share pair take --typed --address {address} \"{}\" --name … --class …\nWaiting …",
            typed.code(),
            typed.code()
        )
    });
    let exchange = || -> Result<(), Failure> {
        let mut stream = peer::accept(listener)?;
        patient(&stream)?;
        let hello = joining::receive(&mut stream)?;
        match typed.answer(env, &hello) {
            Ok(reply) => Ok(joining::send(&mut stream, &reply)?),
            Err(error) => {
                // a refusal that does not arrive is no worse than a closed door
                let _ = joining::send(&mut stream, &typed::refusal(error));
                Err(Error::from(error).into())
            }
        }
    };
    exchange().map_err(forget)?;
    let words = shown.words.join(" ");
    let value = json!({ "id": shown.id.to_string(), "words": words });
    output.show(&value, || format!("Both phones show: {words}\nIf theirs shows others, or none: satchel share pair forget"));
    Ok(())
}

fn patient(stream: &TcpStream) -> Result<(), Failure> {
    let limit = Some(Duration::from_secs(joining::COMPARE_MAX_SECONDS));
    let done = stream.set_read_timeout(limit).and_then(|()| stream.set_write_timeout(limit));
    done.map_err(|error| Failure::Unreadable(error.kind()))
}

fn take_typed(settings: &Settings, typed: &str, address: &str) -> Result<Offer, Failure> {
    let (taker, hello) = TypedTaker::hello(&settings.env(), typed).map_err(Error::from)?;
    let mut stream = peer::dial(address, peer::Patience::default())?;
    patient(&stream)?;
    joining::send(&mut stream, &hello)?;
    Ok(taker.replied(&joining::receive(&mut stream)?).map_err(Error::from)?)
}

fn pairing(settings: &Settings, unlocked: &Unlocked, output: Output, command: Pair) -> Result<(), Failure> {
    match command {
        Pair::Show { name, out, qr, typed, listen, address } => {
            let name = ShortText::parse(&name).map_err(|error| Failure::Text { field: "name", error })?;
            // what cannot listen shows nothing, and keeps no pairing that nobody took
            let listener = if typed { Some(peer::listen(&listen)?) } else { None };
            let shown = unlocked.show_offer(&name)?;
            let words = shown.words.join(" ");
            if let Some(listener) = listener {
                return host_typed(&settings.env(), unlocked, output, &shown, &listener, address);
            }
            if qr && !output.is_json() {
                output::say(&qr::picture(&shown.text)?);
                output::say(&format!("Both phones show: {words}"));
                return Ok(());
            }
            let value = json!({ "id": shown.id.to_string(), "words": words, "offer": out.is_none().then(|| shown.text.as_str()) });
            match &out {
                None => output.show(&value, || format!("{}\n\nBoth phones show: {words}", shown.text.as_str())),
                Some(path) => {
                    write_new(path, shown.text.as_bytes())?;
                    tell(output, path, &value, || format!("Both phones show: {words}"));
                }
            }
            Ok(())
        }
        Pair::Take { offer, typed, address, name, class, expect_words } => {
            let class = ShareClass::from_name(&class).ok_or(Failure::NoMatch { what: "class" })?;
            let offer = if typed {
                take_typed(settings, &offer, &address.unwrap_or_default())?
            } else {
                let text = String::from_utf8(read(Path::new(&offer))?).map_err(|_| Error::from(ShareError::Offer))?;
                Offer::from_text(&text).map_err(Error::from)?
            };
            let words = offer.words().join(" ");
            match expect_words {
                Some(expected) if expected.split_whitespace().eq(offer.words()) => {}
                Some(_) => return Err(Failure::NotConfirmed),
                None => agree(
                    output,
                    false,
                    &json!({ "words": words }),
                    &format!("This phone shows: {words}"),
                    "Does the other phone show the same six words? [yes/no] ",
                )?,
            }
            let id = unlocked.pair_recipient(&name, class, &offer).map_err(|error| match error {
                Error::Screen(error) => Failure::Text { field: "name", error },
                other => other.into(),
            })?;
            output.show(&json!({ "id": id.to_string(), "words": words }), || id.to_string());
            Ok(())
        }
        Pair::List => {
            let lines = unlocked.pairings()?;
            let name = |name: &Option<ShortText>| name.as_ref().map(|name| name.as_str().to_owned());
            let value = lines.iter().map(|line| {
                json!({ "id": line.id.to_string(), "name": name(&line.name), "since": line.since.to_string(), "words": line.words.join(" ") })
            });
            output.show(&Value::Array(value.collect()), || {
                let rows: Vec<_> = lines
                    .iter()
                    .map(|line| vec![short(line.id), name(&line.name).unwrap_or_default(), line.since.to_string(), line.words.join(" ")])
                    .collect();
                table(&["id", "sender", "since", "words"], &rows)
            });
            Ok(())
        }
        Pair::Forget { sender } => {
            let lines = unlocked.pairings()?;
            let named = lines.iter().find(|line| line.name.as_ref().is_some_and(|name| name.as_str().eq_ignore_ascii_case(sender.trim())));
            let id = match named {
                Some(line) => line.id,
                None => lookup::record("sender", &sender, lines.iter().map(|line| line.id))?,
            };
            unlocked.forget_pairing(id)?;
            output.show(&json!({ "id": id.to_string() }), || "Nothing more of that sender opens here.".to_owned());
            Ok(())
        }
    }
}

fn open(unlocked: &Unlocked, output: Output, bytes: &[u8], keep_with: Option<&str>) -> Result<(), Failure> {
    if let Some(participant) = keep_with {
        let participant = lookup::participant(unlocked, participant)?;
        let grant = unlocked.keep_shared(bytes, participant)?;
        let value = json!({ "grant": grant.to_string(), "participant": participant.to_string() });
        output.show(&value, || format!("{grant}\nKept in a vault under that yes. What opened the packet is destroyed."));
        return Ok(());
    }
    match unlocked.open_packet(bytes) {
        Ok(Opened::Facts { facts, .. }) => output.show(&facts_value(&facts), || facts_text(&facts)),
        Ok(Opened::Erase { share, kept_with, .. }) => {
            let value = json!({ "kind": "request", "share": share.to_string(), "kept_with": kept_with.map(|id| id.to_string()) });
            output.show(&value, || {
                let kept = if kept_with.is_some() { "It is kept here." } else { "Nothing of it is kept here." };
                format!("The sender asks that copy {} be erased. {kept}\nDo it with `satchel share answer`.", short(share))
            });
        }
        Err(Error::Share(ShareError::NotForUs)) => {
            let answer = unlocked.read_answer(bytes)?;
            output.show(&answer_value(&answer), || answer_text(&answer));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn plan_value(plan: &SharePlan) -> Value {
    json!({
        "plan": "share",
        "recipient": plan.recipient.to_string(),
        "class": plan.class.as_str(),
        "words": plan.words.join(" "),
        "fields": plan.fields.iter().map(|field| field.as_str()).collect::<Vec<_>>(),
        "purpose": plan.purpose.as_str(),
        "until": plan.until.to_string(),
    })
}

fn plan_text(unlocked: &Unlocked, plan: &SharePlan) -> Result<String, Failure> {
    let fields: Vec<String> = plan.fields.iter().map(|field| field.as_str().replace('_', " ")).collect();
    let why = purpose_words(plan.purpose, Language::English);
    let to = recipient_name(unlocked, plan.recipient)?;
    Ok(format!("To {to} ({}), for {why}, until {}: {}.", plan.words.join(" "), plan.until, fields.join(", ")))
}

fn row(unlocked: &Unlocked, line: &ShareLine) -> Result<Vec<String>, Failure> {
    let stands = match line.state {
        ShareState::Standing => "their yes counts".to_owned(),
        ShareState::ToAsk => "to be asked back".to_owned(),
        ShareState::Asked(day) => format!("asked back on {day}"),
        ShareState::Answered(answer) => answer_text(&answer),
        ShareState::Over => "over".to_owned(),
    };
    Ok(vec![short(line.share), recipient_name(unlocked, line.recipient)?, what(&line.categories), line.until.to_string(), stands])
}

fn line_value(line: &ShareLine) -> Value {
    let (state, asked, answer) = match line.state {
        ShareState::Standing => ("standing", None, None),
        ShareState::ToAsk => ("to_ask", None, None),
        ShareState::Asked(day) => ("asked", Some(day.to_string()), None),
        ShareState::Answered(answer) => ("answered", None, Some(answer_value(&answer))),
        ShareState::Over => ("over", None, None),
    };
    json!({
        "share": line.share.to_string(),
        "recipient": line.recipient.to_string(),
        "participant": line.participant.map(|id| id.to_string()),
        "categories": line.categories.iter().map(|category| category.as_str()).collect::<Vec<_>>(),
        "until": line.until.to_string(),
        "state": state,
        "asked_on": asked,
        "answer": answer,
    })
}

fn answer_value(answer: &Answer) -> Value {
    json!({
        "kind": "answer",
        "share": answer.share.to_string(),
        "erased_on": answer.erased.to_string(),
        "was_kept": answer.was_kept,
        "phones_awaited": answer.awaited,
    })
}

fn answer_text(answer: &Answer) -> String {
    let what = if answer.was_kept { "Erased there" } else { "Never kept there" };
    let waits = if answer.awaited == 0 { String::new() } else { format!("; {} phones had not confirmed", answer.awaited) };
    format!("{what} on {}{waits}. That is their word.", answer.erased)
}

fn facts_value(shared: &SharedFacts) -> Value {
    let fact = |fact: &Fact| json!({ "field": fact.field().as_str(), "value": fact.value() });
    json!({
        "kind": "facts",
        "share": shared.share.to_string(),
        "purpose": shared.purpose.as_str(),
        "until": shared.expiry.to_string(),
        "facts": shared.facts.iter().map(fact).collect::<Vec<_>>(),
    })
}

fn facts_text(shared: &SharedFacts) -> String {
    let rows: Vec<_> = shared.facts.iter().map(|fact| vec![fact.field().as_str().replace('_', " "), fact.value().to_owned()]).collect();
    let why = purpose_words(shared.purpose, Language::English);
    format!("{}\nOnly for {why}, until {}. Nothing of it is stored here yet.", table(&["fact", ""], &rows), shared.expiry)
}

/// Where the standard output is the packet, what is told goes to the error stream.
fn tell(output: Output, out: &Path, value: &Value, human: impl FnOnce() -> String) {
    if out == Path::new("-") {
        output::complain(&if output.is_json() { value.to_string() } else { human() });
    } else {
        output.show(value, human);
    }
}

/// Where bytes will go: a file that did not exist, open before anything is logged, or the standard output.
enum Destination<'p> {
    File(&'p Path, std::fs::File),
    Output,
}

impl<'p> Destination<'p> {
    /// Opens it. A file that exists is left alone. Errors: [`Failure::Unreadable`].
    fn open(path: &'p Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Ok(Self::Output);
        }
        let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| Failure::Unreadable(error.kind()))?;
        Ok(Self::File(path, file))
    }
    /// Nothing goes there after all.
    fn leave(self) {
        if let Self::File(path, file) = self {
            drop(file);
            let _ = std::fs::remove_file(path);
        }
    }
    fn fill(self, bytes: &[u8]) -> Result<(), Failure> {
        let written = match self {
            Self::File(_, mut file) => file.write_all(bytes).and_then(|()| file.sync_all()),
            Self::Output => {
                let mut out = std::io::stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush())
            }
        };
        written.map_err(|error| Failure::Unreadable(error.kind()))
    }
}

/// Writes a new file, or to the standard output.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    Destination::open(path)?.fill(bytes)
}

/// Reads no more than a packet or an offer can be.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: std::io::Error| Failure::Unreadable(error.kind());
    let input: Box<dyn Read> =
        if path == Path::new("-") { Box::new(std::io::stdin().lock()) } else { Box::new(std::fs::File::open(path).map_err(unreadable)?) };
    let mut bytes = Vec::new();
    input.take(PACKET_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}
