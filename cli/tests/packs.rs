//! Small packs from screen to screen: texts out, texts in.
#![allow(clippy::unwrap_used)]

mod support;

use support::Phone;

#[test]
fn the_last_days_are_shown_as_texts_and_scanned_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::founded(folder.path());
    phone.run(&["encounter", "add", "--kind", "street"]).value();
    let shown = phone.run(&["pack", "show"]).value();
    let parts: Vec<String> = shown["parts"].as_array().unwrap().iter().map(|part| part.as_str().unwrap().to_owned()).collect();
    assert!(parts.len() > 1 && parts.iter().all(|part| part.starts_with("SATCHELP1:")), "{shown}");
    let mut scanning = phone.start(&["--json", "pack", "scan"]);
    scanning.say("SATCHELP1:MISREAD");
    assert_eq!(scanning.next()["not_taken"], "pack_part");
    for (at, part) in parts.iter().enumerate().rev() {
        scanning.say(part);
        let said = scanning.next();
        match at {
            0 => assert_eq!((&said["complete"], &said["refused"]), (&true.into(), &0.into()), "{said}"),
            _ => assert_eq!((said["have"].as_u64().unwrap(), said["missing"][0].as_u64()), ((parts.len() - at) as u64, Some(1)), "{said}"),
        }
    }
    assert_eq!(scanning.end().status, 0);
    // given up half-way: says what is missing
    let mut scanning = phone.start(&["--json", "pack", "scan"]);
    scanning.say(&parts[0]);
    scanning.next();
    let ended = scanning.end();
    assert_eq!((ended.status, ended.code().as_str()), (4, "pack_part"), "{}", ended.error);
}
