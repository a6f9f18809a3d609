//! Every setting of the charter can be set and seen on the command line.
#![allow(clippy::unwrap_used)]

mod support;

use satchel_core::consent::Charter;
use satchel_wire::ShiftDay;
use support::{Phone, run_bare};

/// The option that sets a setting, a value for it, and what it is called then. The charter tells the names, so that a setting
/// without an option fails here.
fn option_of(setting: &str) -> Option<(&'static str, &'static str, &'static str)> {
    Some(match setting {
        "encounter_days" => ("--encounter-days", "30", "30"),
        "zone_days" => ("--zone-days", "3", "3"),
        "participant_days" => ("--participant-days", "100", "100"),
        "last_day" => ("--last-day", "2027-05-01", "2027-05-01"),
        "absence_limit_days" => ("--absence-limit-days", "10", "10"),
        "suppression" => ("--suppression", "12", "12"),
        "record_grant_days" => ("--record-grant-days", "60", "60"),
        "share_grant_days" => ("--share-grant-days", "20", "20"),
        "share_contact_days" => ("--share-contact-days", "3", "3"),
        "categories" => ("--category", "legal_name", "legal_name"),
        "funders" => ("--funder", "The county", "The county"),
        "agreements" => ("--agreement", "police=a protocol", "police: a protocol"),
        "reviewed" => ("--reviewed", "2026-11-21", "2026-11-21"),
        "review_due" => ("--review-due", "2027-01-01", "2027-01-01"),
        "justice_shares" => ("--justice-shares", "yes", "true"),
        _ => return None,
    })
}

/// Settings that are set elsewhere, and where.
const ELSEWHERE: [(&str, &[&str], &str); 3] = [
    ("time_zone", &["init", "--help"], "--time-zone"),
    ("board_key", &["charter", "set", "--help"], "--board-keys"),
    ("board_signing", &["charter", "set", "--help"], "--board-keys"),
];

#[test]
fn every_setting_has_an_option_and_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::new(folder.path(), "Ana");
    ana.run(&["init", "--name", "Ana", "--time-zone", "America/Los_Angeles"]).value();
    let names: Vec<&str> = Charter::strictest("UTC", ShiftDay::from_days(20_500)).settings().into_iter().map(|(name, _)| name).collect();
    assert!(names.len() >= 18);
    let shown = ana.run(&["charter", "show"]).value()["settings"].clone();
    let table = ana.start(&["charter", "show", "--settings"]).end().out;
    for name in &names {
        assert!(shown[*name].is_string(), "{name} is not shown: {shown}");
        assert!(table.contains(&name.replace('_', " ")), "{name} is not in the table");
        if let Some((_, command, option)) = ELSEWHERE.iter().find(|(setting, ..)| setting == name) {
            assert!(run_bare(command, b"").out.contains(option), "{name}");
            continue;
        }
        let (option, value, stands) = option_of(name).unwrap_or_else(|| panic!("no option sets {name}"));
        assert_ne!(shown[*name], stands, "{name} would not change");
        let set = ana.run(&["charter", "set", option, value]).value();
        // what only tightens is in force, the rest stands in the history and waits
        let history = ana.run(&["charter", "history"]).value();
        let last = history.as_array().unwrap().iter().find(|event| event["operation"] == set["operation"]).unwrap();
        let change = last["changes"].as_array().unwrap().iter().find(|change| change["setting"] == *name).unwrap();
        assert_eq!(change["after"], stands, "{name}");
        let now = ana.run(&["charter", "show"]).value()["settings"][*name].clone();
        assert_eq!(now == stands, set["waits_for_board"] == false, "{name}: {now}");
    }
    // and what nobody may be given
    assert_eq!(ana.run(&["charter", "set", "--category", "criminal_history"]).status, 8);
    assert_eq!(ana.run(&["charter", "set", "--justice-shares", "maybe"]).status, 2);
    assert_eq!(ana.run(&["charter", "set", "--record-grant-days", "367"]).code(), "charter_out_of_bounds");
    assert_eq!(ana.run(&["charter", "set", "--share-contact-days", "22"]).code(), "charter_out_of_bounds");
    let none = ana.run(&["charter", "set", "--no-categories"]).value();
    assert_eq!(none["waits_for_board"], false);
    assert_eq!(ana.run(&["charter", "show"]).value()["settings"]["categories"], "none");
}
