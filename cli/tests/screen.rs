//! `satchel screen --json -`: objects in, objects out, in the same order, without a store.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::run_bare;

fn screen(input: &str) -> Vec<Value> {
    let ended = run_bare(&["screen", "--json", "-"], input.as_bytes());
    assert_eq!(ended.status, 0, "{}", ended.error);
    ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn findings_carry_byte_offsets_and_clean_is_an_empty_list() {
    let text = "llámale al 415-555-0123";
    let input = [
        json!({ "id": 1, "text": "gave 2 kits" }),
        json!({ "id": "two", "text": text }),
        json!({ "id": 3, "text": "badge 2024 goals: housing", "alias": "Badge" }),
        json!({ "id": 3, "text": "line one\nbadge 4417" }),
    ];
    let input: String = input.iter().map(|line| format!("{line}\n")).collect();
    let out = screen(&input);
    assert_eq!(out.iter().map(|line| line["id"].clone()).collect::<Vec<_>>(), [json!(1), json!("two"), json!(3), json!(3)]);
    assert_eq!(out[0], json!({ "id": 1, "findings": [] }));
    let found = &out[1]["findings"][0];
    let (start, end) = (found["start"].as_u64().unwrap() as usize, found["end"].as_u64().unwrap() as usize);
    assert!(text[start..end].contains("415-555-0123"), "offsets are bytes: {found}");
    assert_eq!((found["category"].as_str(), found["reason"].as_str()), (Some("contact_detail"), Some("phone_number")));
    assert_eq!(out[2]["findings"], json!([]), "the participant's own alias is a plain word");
    assert_eq!(out[3]["findings"][0]["category"], "officer");
}

#[test]
fn kinder_words_are_offered_only_when_asked_for_and_are_no_findings() {
    let input = b"{\"id\":1,\"text\":\"una drogadicta y un tweaker\"}\n{\"id\":2,\"text\":\"tea\"}\n";
    let plain = run_bare(&["screen", "--json", "-"], input);
    assert_eq!(plain.out, "{\"findings\":[],\"id\":1}\n{\"findings\":[],\"id\":2}\n");
    let asked = run_bare(&["screen", "--json", "--suggest", "-"], input);
    assert_eq!(asked.status, 0, "{}", asked.error);
    let lines: Vec<Value> = asked.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let offers = json!([
        { "start": 4, "end": 14, "instead": "persona que usa drogas" },
        { "start": 20, "end": 27, "instead": "person who uses meth" },
    ]);
    assert_eq!(lines, [json!({ "id": 1, "findings": [], "suggestions": offers }), json!({ "id": 2, "findings": [], "suggestions": [] })]);
    let people = run_bare(&["screen", "-"], input);
    assert_eq!(people.status, 0, "{}", people.error);
    assert!(people.out.contains("1: bytes 4 to 14: kinder would be \"persona que usa drogas\"\n"), "{}", people.out);
    assert!(people.out.ends_with("2: nothing found\n"), "{}", people.out);
    assert!(!people.out.contains("tweaker"), "what was written is not repeated");
}

#[test]
fn thousands_of_lines_keep_their_order() {
    let input: String = (0..5_000).map(|n| format!("{}\n", json!({ "id": n, "text": "call 415-555-0123" }))).collect();
    let out = screen(&input);
    assert_eq!(out.len(), 5_000);
    assert!(out.iter().enumerate().all(|(n, line)| line["id"] == n && line["findings"].as_array().unwrap().len() == 1));
}

#[test]
fn what_is_not_an_object_is_refused_after_what_came_before() {
    let ended = run_bare(&["screen", "--json", "-"], b"{\"id\":1,\"text\":\"tea\"}\nnot json\n{\"id\":2,\"text\":\"tea\"}\n");
    assert_eq!((ended.status, ended.out.lines().count()), (4, 1));
    assert!(!ended.error.contains("not json"));
    assert_eq!(run_bare(&["screen", "--json", "-"], b"{\"id\":1}\n").status, 4);
    assert_eq!(run_bare(&["screen", "--json", "-"], b"").status, 0);
    assert_eq!(screen("{\"id\":1,\"text\":\"tea\"}").len(), 1, "the last line needs no end");
}

#[test]
fn binary_broken_text_and_endless_lines_are_refused_and_bounded() {
    let good = b"{\"id\":1,\"text\":\"tea\"}\n".to_vec();
    let endless = [b"{\"id\":2,\"text\":\"".to_vec(), vec![b'a'; 3 << 20]].concat();
    let nested = [vec![b'['; 200_000], vec![b']'; 200_000]].concat();
    for bad in [
        b"{\"id\":2,\"text\":\"\xff\xfe\"}".to_vec(),
        vec![0, 159, 146, 150],
        vec![0; 4_096],
        endless,
        nested,
        b"{\"id\":2,\"text\":7}".to_vec(),
    ] {
        let ended = run_bare(&["screen", "--json", "-"], &[good.clone(), bad, b"\n".to_vec(), good.clone()].concat());
        assert_eq!((ended.status, ended.out.lines().count()), (4, 1), "{}", ended.error);
    }
    let long = json!({ "id": 1, "text": "gave 2 kits ".repeat(80_000) });
    assert_eq!(screen(&format!("{long}\n"))[0]["findings"], json!([]), "as long as a line may be");
}

#[test]
fn words_that_record_justice_contact_are_found_and_everyday_ones_are_not() {
    let found = |text: &str| {
        let out = screen(&format!("{}\n", json!({ "id": 1, "text": text })));
        out[0]["findings"].as_array().unwrap().iter().map(|f| f["category"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("he was arrested last night"), ["justice_contact"]);
    assert!(found("su nombre verdadero es Guadalupe Ríos").iter().all(|code| code == "legal_name"));
    assert!(!found("su nombre verdadero es Guadalupe Ríos").is_empty());
    for text in
        ["case of water", "officer of the tenants' association", "charged phone", "booked a shower", "need ice, hold it in the cooler"]
    {
        assert_eq!(found(text), Vec::<String>::new(), "{text}");
    }
}
