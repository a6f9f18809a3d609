//! `satchel sync inbox`: fetching while the store is locked.

use crate::arguments::{Settings, Sync};
use crate::failure::Failure;
use crate::output::Output;
use satchel_core::store::{InboxEnd, LockedInbox, ProtectorError, RelayAnswer, Store, Unlocked};
use satchel_transport::relay::{Client, Route};
use serde_json::json;

/// Switches it on or off. It needs a key folder: the credential must not lie open beside the store.
pub fn switch(output: Output, unlocked: &Unlocked, is_on: bool) -> Result<(), Failure> {
    unlocked.switch_locked_inbox(is_on)?;
    output.show(&json!({ "locked_inbox": is_on }), || {
        if is_on {
            "On. `satchel sync inbox fetch` fetches sealed rows without the passphrase, until the team's next change of keys.\n\
             Whoever takes this device with its key folder can fetch them too, and read none."
        } else {
            "Off. Its key is destroyed, and rows that waited are gone; the relay has them."
        }
        .to_owned()
    });
    Ok(())
}

/// Fetches what there is. Asks for no passphrase, and shows nothing of what came.
pub fn fetch(settings: &Settings, output: Output, command: &Sync) -> Result<(), Failure> {
    let store = Store::open(&settings.store_dir()?, settings.env())?;
    store.note_network(super::relay::network_of(command));
    let keystore = settings.keystore()?.ok_or(ProtectorError::Unsupported)?;
    let Some(mut inbox) = store.locked_inbox(&*keystore)? else {
        output.show(&json!({ "locked_inbox": false }), || "The locked inbox is off: `satchel sync inbox on`.".to_owned());
        return Ok(());
    };
    let relay = inbox.relay();
    let route = Route { proxy: command.proxy.clone(), ..Route::pinned(relay.pin) };
    let client = Client::on_route(&relay.url, route)?;
    let carried = carry(&mut inbox, &client);
    let traffic = client.take_traffic();
    inbox.note_bytes(traffic.sent, traffic.received)?;
    carried?;
    let ((rows, bytes), end) = (inbox.waiting(), inbox.end().map_or("", end_code));
    output.show(&json!({ "locked_inbox": true, "rows": rows, "bytes": bytes, "end": end }), || {
        format!("{rows} sealed rows wait for the unlocking ({bytes} bytes){}", inbox.end().map_or("", end_words))
    });
    Ok(())
}

fn carry(inbox: &mut LockedInbox, client: &Client) -> Result<(), Failure> {
    while let Some((endpoint, frame)) = inbox.next_request()? {
        let answer = match client.post(endpoint, &frame)? {
            Ok(body) => RelayAnswer::Ok(body),
            Err(problem) => RelayAnswer::Problem { code: problem.code, relay_time: problem.relay_time },
        };
        inbox.receive(&answer)?;
    }
    Ok(())
}

const fn end_code(end: InboxEnd) -> &'static str {
    match end {
        InboxEnd::UpToDate => "up_to_date",
        InboxEnd::Full => "full",
        InboxEnd::KeysChanged => "keys_changed",
        InboxEnd::NeedsUnlocking => "needs_unlocking",
        InboxEnd::NotLocked => "not_locked",
    }
}

const fn end_words(end: InboxEnd) -> &'static str {
    match end {
        InboxEnd::UpToDate => ".",
        InboxEnd::Full => "; there is no room for more until then.",
        InboxEnd::KeysChanged => "; the team's keys changed: unlock to go on.",
        InboxEnd::NeedsUnlocking => "; the relay has to be asked by the unlocked phone.",
        InboxEnd::NotLocked => "; the store is unlocked by now.",
    }
}
