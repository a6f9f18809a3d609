//! Every shape of the standard.

use super::*;

#[test]
fn a_service_object_becomes_one_resource_for_each_place() {
    let import = read(&fixture("service.json")).unwrap();
    assert_eq!(import.report.imported, 2);
    assert_eq!(skips(&import), []);
    let hall = import.catalogue.resources.iter().find(|r| r.address.is_some()).unwrap();
    assert_eq!(hall.category, Category::Food);
    assert_eq!(hall.provider, "Kelp Kitchen");
    assert_eq!(hall.description, "Soup & bread.\nVegan pot\nCome in.\nBus 4");
    assert_eq!(hall.cost.as_deref(), Some("Free\nTake-away box 1.5 USD"));
    assert_eq!(hall.eligibility.as_deref(), Some("Everyone. No ID needed.\nAge 12 and over"));
    assert_eq!(hall.demands.answer(Demand::Id), Some(false));
    assert_eq!(hall.demands.answer(Demand::Abstinence), None);
    assert_eq!(hall.languages, ["English", "Spanish"]);
    assert_eq!(hall.phone.as_deref(), Some("555-0141 ext. 7"));
    assert_eq!(hall.address.as_deref(), Some("Kelp hall, 5 Netmakers Yard, Port Calder"));
    assert_eq!(hall.last_verified, Day::from_iso("2026-09-01"));
    assert_eq!(hall.hours.open_at(Weekday::Wednesday, 1080), Some(true));
    let van = import.catalogue.resources.iter().find(|r| r.address.is_none()).unwrap();
    assert_eq!(van.hours.text, "Sat 22:00-02:00");
    assert_eq!(van.hours.open_at(Weekday::Wednesday, 1080), Some(false));
}

#[test]
fn every_json_shape_gives_the_same_resources() {
    let one = read(&fixture("service.json")).unwrap();
    let soup = |import: &Import| {
        let mut all = import.catalogue.resources.clone();
        all.retain(|resource| resource.name == "Harbour soup line");
        all
    };
    for (name, extra) in [("organization.json", 1), ("at_locations.json", 0), ("page.json", 0), ("lines.jsonl", 1)] {
        let import = read(&fixture(name)).unwrap();
        assert!(soup(&import) == one.catalogue.resources, "{name}");
        assert_eq!(import.report.imported, 2 + extra, "{name}");
    }
    let text = fs::read_to_string(fixture("service.json")).unwrap();
    for wrapped in [format!("[{text}]"), format!("{{\"services\": [{text}]}}"), format!("{{\"contents\": [{text}]}}")] {
        let import = read_bytes("x.json", wrapped.as_bytes()).unwrap();
        assert!(soup(&import) == one.catalogue.resources);
        assert_eq!(skips(&import), []);
    }
    let zipped = read_bytes("x.zip", &zip_of(&[("export/all.json", text.as_bytes())])).unwrap();
    assert!(soup(&zipped) == one.catalogue.resources);
}

#[test]
fn a_page_and_broken_lines_say_what_was_left_out() {
    let page = read(&fixture("page.json")).unwrap();
    assert_eq!(skips(&page), [("services 2".to_owned(), "inactive"), ("services 3".to_owned(), "not_an_object")]);
    assert!(warnings(&page).contains("partial_page"));
    let lines = read(&fixture("lines.jsonl")).unwrap();
    assert_eq!(skips(&lines), [("services 3".to_owned(), "malformed_line")]);
    // The same without the telling file name.
    let again = read_bytes("export.json", &fs::read(fixture("lines.jsonl")).unwrap()).unwrap();
    assert_eq!(skips(&again), skips(&lines));
}

#[test]
fn an_older_tabular_package_is_read_by_its_own_names() {
    let import = read(&fixture("v1")).unwrap();
    assert_eq!(skips(&import), []);
    assert_eq!(import.catalogue.title, "Old directory");
    assert_eq!(import.catalogue.licence, "Open licence https://example.org/licence");
    assert_eq!(import.catalogue.source, "https://example.org/211");
    let beds = named(&import, "Emergency beds");
    assert_eq!(beds.category, Category::Housing);
    assert_eq!(beds.provider, "Old Town Aid");
    assert_eq!(beds.address.as_deref(), Some("Main hall, 2 High Street, Oldtown, WA, 00000"));
    assert_eq!(beds.phone.as_deref(), Some("555-0151"));
    assert_eq!(beds.hours.text, "Mon 20:00-07:00\n2026-12-25: closed");
    assert_eq!(beds.hours.open_at(Weekday::Tuesday, 60), Some(true));
    assert_eq!(beds.demands.answer(Demand::Id), Some(true));
    assert_eq!(beds.demands.answer(Demand::Referral), Some(true));
    assert_eq!(beds.languages, ["Spanish"]);
    let clinic = named(&import, "Clinic");
    assert_eq!(clinic.provider, "Old Town Aid");
    assert_eq!(clinic.demands.answer(Demand::Id), Some(false));
    // 10:00 to 4:00 may be a missing "PM": never "open at 2 in the morning".
    assert_eq!(clinic.hours.open_at(Weekday::Tuesday, 120), None);
    assert!(warnings(&import).is_superset(&["hours_unreadable", "unsafe_resource_path"].into()));
    let files = folder_files(&fixture("v1"));
    let zipped = read_bytes("old.zip", &zip_of(&borrowed(&files))).unwrap();
    assert!(zipped.catalogue == import.catalogue);
}

#[test]
fn names_of_people_never_reach_the_catalogue() {
    let source = fs::read_to_string(fixture("service.json")).unwrap();
    assert!(source.contains("Personname") && source.contains("555-0143"));
    let import = read(&fixture("service.json")).unwrap();
    let written = serde_json::to_string(&import.catalogue).unwrap();
    assert!(!written.contains("Personname") && !written.contains("555-0143") && written.contains("555-0141"));
}
