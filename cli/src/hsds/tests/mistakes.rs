//! Rows that are wrong.

use super::*;

#[test]
fn every_mistake_of_the_messy_package_is_named_and_the_rest_is_imported() {
    let import = read(&fixture("messy")).unwrap();
    let expected: Vec<(String, &str)> = [
        ("services 3", "missing_id"),
        ("services 4", "missing_name"),
        ("services 5", "duplicate_id"),
        ("services 7", "inactive"),
        ("services 8", "defunct"),
        ("services 9", "temporarily_closed"),
        ("services 11", "malformed_row"),
        ("services 12", "malformed_row"),
        ("organizations 3", "missing_id"),
        ("service_at_location 3", "dangling_service"),
        ("service_at_location 4", "dangling_location"),
        ("service_at_location 2", "duplicate_id"),
        ("phones 3", "dangling_parent"),
        ("phones 4", "unlinked"),
        ("phones 5", "personal_contact"),
        ("attributes 3", "dangling_term"),
        ("attributes 4", "dangling_parent"),
    ]
    .map(|(place, code)| (place.to_owned(), code))
    .into();
    assert_eq!(skips(&import).into_iter().collect::<BTreeSet<_>>(), expected.into_iter().collect());
    let names: BTreeSet<&str> = import.catalogue.resources.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["Food shelf", "Legal desk", "Odd club", "Bus passes"].into());
    assert_eq!(named(&import, "Legal desk").description, "New words");
    assert_eq!(named(&import, "Food shelf").demands.answer(Demand::Id), None);
    assert_eq!(named(&import, "Odd club").url, None);
    assert_eq!(
        warnings(&import),
        [
            "bad_package_description",
            "category_unmapped",
            "dangling_link",
            "dangling_organization",
            "hours_unreadable",
            "licence_unknown",
            "short_row",
            "unclear_answer",
            "unknown_status",
            "url_dropped",
        ]
        .into()
    );
}

#[test]
fn every_skip_code_is_reached_by_some_test() {
    let mut seen: BTreeSet<SkipCode> = BTreeSet::new();
    for name in ["messy", "page.json", "lines.jsonl"] {
        seen.extend(read(&fixture(name)).unwrap().report.skipped.iter().map(|skip| skip.code));
    }
    let long = format!("id,name\n1,{}\n2,Soup\n", "x".repeat(limits::ROW_BYTES));
    let import = read_bytes("services.csv", long.as_bytes()).unwrap();
    assert_eq!((import.report.imported, skips(&import)), (1, vec![("services 2".to_owned(), "row_too_long")]));
    seen.extend(import.report.skipped.iter().map(|skip| skip.code));

    let mut many = String::from("id,name\n");
    (0..bounds::RESOURCE_COUNT + 2).for_each(|n| many.push_str(&format!("{n},Soup\n")));
    let import = read_bytes("services.csv", many.as_bytes()).unwrap();
    assert_eq!((import.report.imported, import.report.skipped_count), (bounds::RESOURCE_COUNT, 2));
    seen.extend(import.report.skipped.iter().map(|skip| skip.code));
    assert_eq!(seen, SkipCode::ALL.iter().copied().collect());
}

#[test]
fn a_broken_quote_costs_its_own_line_only() {
    for (text, line) in [
        ("id,name\n1,Soup\n2,\"never closed\n3,Beds\n4,Rides\n", 3),
        ("id,name\r\n1,Soup\r\n\r\n2,\"never closed\r\n3,Beds\r\n4,Rides\r\n", 4),
        ("id,name,fees\n1,Soup,\n2,\"open,\n3,Beds,\n4,\"Rides\",\n", 3),
    ] {
        let import = read_bytes("services.csv", text.as_bytes()).unwrap();
        assert_eq!(import.report.imported, 3, "{text}");
        assert_eq!(skips(&import), [(format!("services {line}"), "malformed_row")]);
    }
    let fine = read_bytes("services.csv", b"id,name,description\n1,Soup,\"two\nlines \"\"quoted\"\"\"\n2,Beds,x\n").unwrap();
    assert_eq!(skips(&fine), []);
    assert_eq!(named(&fine, "Soup").description, "two\nlines \"quoted\"");
}

#[test]
fn too_long_texts_are_cut_and_reported() {
    let text = format!("id,name,url\n1,{},https://example.org/{}\n", "é".repeat(300), "x".repeat(400));
    let import = read_bytes("services.csv", text.as_bytes()).unwrap();
    assert!(warnings(&import).is_superset(&["text_truncated", "url_dropped"].into()));
    assert_eq!(import.catalogue.resources[0].name.len(), bounds::NAME_BYTES);
    package(&import);
}

#[test]
fn a_second_import_gives_the_same_ids_and_a_renamed_service_another() {
    let id = |text: &str| read_bytes("services.csv", text.as_bytes()).unwrap().catalogue.resources[0].id;
    let first = id("id,name,description\n1,Soup,a\n");
    assert_eq!(first, id("name,description,id\n Soup ,new words,1\n"));
    assert_ne!(first, id("id,name\n1,Stew\n"));
    assert_ne!(first, id("id,name\n2,Soup\n"));
}
