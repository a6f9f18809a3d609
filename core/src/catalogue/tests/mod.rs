//! What a user or a hostile sender of catalogues could see.
#![allow(clippy::unwrap_used)]

mod damage;
mod parts;
mod search;

use super::*;

fn resource(n: u32, name: &str) -> Resource {
    Resource {
        id: ResourceId::derive(&n.to_string(), None, name),
        category: Category::Food,
        name: name.to_owned(),
        provider: String::new(),
        description: String::new(),
        cost: None,
        eligibility: None,
        demands: Known::default(),
        shares_data_with: Known::default(),
        faith_or_rescue: None,
        excludes: Known::default(),
        languages: Vec::new(),
        hours: Hours::default(),
        phone: None,
        address: None,
        url: None,
        last_verified: None,
    }
}

fn catalogue(resources: Vec<Resource>) -> Catalogue {
    Catalogue::new(
        "Harrow".to_owned(),
        "https://example.org".to_owned(),
        "Apache-2.0 OR MIT".to_owned(),
        Day::from_iso("2026-11-01"),
        resources,
    )
    .unwrap()
}

fn full() -> Resource {
    Resource {
        category: Category::Housing,
        provider: "Harrow Nights".to_owned(),
        description: "Beds.\nRing the bell.".to_owned(),
        cost: Some("Free".to_owned()),
        eligibility: Some("Adults".to_owned()),
        demands: [(Demand::Id, true), (Demand::Referral, false)].into_iter().collect(),
        shares_data_with: [(Recipient::Hmis, true)].into_iter().collect(),
        faith_or_rescue: Some(false),
        excludes: [(Excluded::Pets, false)].into_iter().collect(),
        languages: vec!["English".to_owned(), "Spanish".to_owned()],
        hours: Hours {
            text: "Every night 20:00 to 07:00".to_owned(),
            openings: Weekday::ALL.map(|weekday| Opening { weekday, opens: 1200, closes: 1860 }).to_vec(),
            complete: true,
        },
        phone: Some("555-0100".to_owned()),
        address: Some("1 Quay Street".to_owned()),
        url: Some("https://example.org/beds".to_owned()),
        last_verified: Day::from_iso("2026-10-01"),
        ..resource(1, "Night shelter")
    }
}

/// Wraps any body in a valid header and a stored (uncompressed) DEFLATE stream.
fn package_of(body: &[u8]) -> Vec<u8> {
    let mut bytes = b"SATCHCAT\x01".to_vec();
    bytes.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
    let mut chunks = body.chunks(60_000).peekable();
    while let Some(chunk) = chunks.next() {
        let length = u16::try_from(chunk.len()).unwrap();
        bytes.push(u8::from(chunks.peek().is_none()));
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&(!length).to_le_bytes());
        bytes.extend_from_slice(chunk);
    }
    bytes
}

#[test]
fn a_package_opens_to_the_same_catalogue_and_the_order_given_does_not_matter() {
    let built = catalogue(vec![full(), resource(2, "Soup"), resource(3, "Bus passes")]);
    let turned = catalogue(vec![resource(3, "Bus passes"), full(), resource(2, "Soup")]);
    let package = CataloguePackage::build(&built).unwrap();
    assert_eq!(package, CataloguePackage::build(&turned).unwrap());
    let opened = CataloguePackage::open(package.bytes()).unwrap();
    assert!(opened == built);
    assert!(opened.resource(full().id).unwrap() == &full());
    assert_eq!(package.content_id(), ContentId::of(package.bytes()));
    assert_eq!(*blake3::hash(package.bytes()).as_bytes(), *package.content_id().as_bytes());
}

#[test]
fn the_signed_bytes_are_a_label_and_the_content_id() {
    let package = CataloguePackage::build(&catalogue(vec![full()])).unwrap();
    let signed = package.signing_bytes();
    assert_eq!(&signed[..34], b"satchel 2026-11-22 catalogue sign\0");
    assert_eq!(&signed[34..], package.content_id().as_bytes());
    assert_eq!(signed, signing_bytes(&package.content_id()));
}

#[test]
fn the_header_is_checked_before_anything_is_inflated() {
    let good = CataloguePackage::build(&catalogue(vec![full()])).unwrap().into_bytes();
    let open = |bytes: &[u8]| CataloguePackage::open(bytes).map(|_| ());
    assert_eq!(open(&good), Ok(()));
    assert_eq!(open(b""), Err(CatalogueError::NotACatalogue));
    assert_eq!(open(&good[..12]), Err(CatalogueError::NotACatalogue));
    assert_eq!(open(b"PK\x03\x04 and then some more"), Err(CatalogueError::NotACatalogue));
    let mut newer = good.clone();
    newer[8] = 2;
    assert_eq!(open(&newer), Err(CatalogueError::UnsupportedVersion { version: 2 }));
    let mut huge = good.clone();
    huge[9..13].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(open(&huge), Err(CatalogueError::BodyTooLarge));
    let mut boast = good.clone();
    boast[9..13].copy_from_slice(&(limits::INFLATED_BYTES as u32).to_le_bytes());
    assert_eq!(open(&boast), Err(CatalogueError::Damaged));
    assert_eq!(open(&vec![0; limits::PACKAGE_BYTES + 1]), Err(CatalogueError::PackageTooLarge));
}

#[test]
fn a_stream_that_lies_about_its_length_is_refused() {
    let good = CataloguePackage::build(&catalogue(vec![full()])).unwrap().into_bytes();
    let length = u32::from_le_bytes(good[9..13].try_into().unwrap());
    for wrong in [0, 1, length - 1, length + 1, length * 2] {
        let mut bytes = good.clone();
        bytes[9..13].copy_from_slice(&wrong.to_le_bytes());
        assert!(CataloguePackage::open(&bytes).is_err(), "{wrong}");
    }
    let mut trailing = good.clone();
    trailing.push(0);
    assert_eq!(CataloguePackage::open(&trailing).map(|_| ()), Err(CatalogueError::Damaged));
    for cut in 13..good.len() {
        assert!(CataloguePackage::open(&good[..cut]).is_err(), "{cut}");
    }
}

#[test]
fn an_inflation_bomb_stops_at_the_announced_length() {
    // 8 MiB of DEFLATE that would inflate to gigabytes, announcing the largest allowed body.
    let mut compress = flate2::Compress::new(flate2::Compression::best(), false);
    let mut stream = Vec::with_capacity(1 << 20);
    let zeros = vec![0u8; 64 << 20];
    compress.compress_vec(&zeros, &mut stream, flate2::FlushCompress::Finish).unwrap();
    assert_eq!(compress.total_in(), zeros.len() as u64);
    let mut bomb = b"SATCHCAT\x01".to_vec();
    bomb.extend_from_slice(&(limits::INFLATED_BYTES as u32).to_le_bytes());
    bomb.extend_from_slice(&stream);
    assert_eq!(CataloguePackage::open(&bomb).map(|_| ()), Err(CatalogueError::Damaged));
}

#[test]
fn only_the_deterministic_encoding_is_accepted() {
    let good = catalogue(vec![full()]);
    let body = minicbor::to_vec(&good).unwrap();
    assert!(CataloguePackage::open(&package_of(&body)).unwrap() == good);
    let open = |body: &[u8]| CataloguePackage::open(&package_of(body)).map(|_| ());

    // An unknown field that an older reader would skip.
    let mut extra = body.clone();
    assert_eq!(extra[0], 0xa5);
    extra[0] = 0xa6;
    extra.extend_from_slice(&[0x18, 0x63, 0x00]);
    assert_eq!(open(&extra), Err(CatalogueError::NotDeterministic));

    // A padded key.
    let mut padded = vec![0xa5, 0x18, 0x00];
    padded.extend_from_slice(&body[2..]);
    assert_eq!(open(&padded), Err(CatalogueError::NotDeterministic));

    // Something after the end.
    let mut after = body.clone();
    after.push(0);
    assert_eq!(open(&after), Err(CatalogueError::Malformed));

    // Indefinite lengths and tags, at the top and deeply nested.
    assert_eq!(open(&[0xbf, 0xff]), Err(CatalogueError::Malformed));
    assert_eq!(open(&[&[0xc1], &body[..]].concat()), Err(CatalogueError::Malformed));
    assert_eq!(open(&[0x81, 0x9f].repeat(500_000)), Err(CatalogueError::Malformed));
    assert_eq!(open(&vec![0x81; 1_000_000]), Err(CatalogueError::Malformed));
}

#[test]
fn unsorted_and_repeated_resources_are_refused() {
    let mut wrong = catalogue(vec![full(), resource(2, "Soup")]);
    wrong.resources.reverse();
    assert_eq!(CataloguePackage::build(&wrong), Err(CatalogueError::NotSorted));
    let body = minicbor::to_vec(&wrong).unwrap();
    assert_eq!(CataloguePackage::open(&package_of(&body)).map(|_| ()), Err(CatalogueError::NotSorted));
    let twice = Catalogue::new(String::new(), String::new(), String::new(), None, vec![full(), full()]);
    assert_eq!(twice.map(|_| ()), Err(CatalogueError::NotSorted));
}

#[test]
fn lists_are_bounded_before_they_are_read() {
    let mut many: Vec<Resource> = (0..=limits::RESOURCE_COUNT as u32).map(|n| resource(n, "x")).collect();
    many.sort_by_key(|resource| resource.id);
    let too_many = Catalogue { resources: many, ..catalogue(Vec::new()) };
    assert_eq!(CataloguePackage::build(&too_many), Err(CatalogueError::TooManyResources));
    // The largest allowed catalogue opens, so the bound is not simply refusing everything.
    let mut most = too_many.clone();
    most.resources.pop();
    let package = CataloguePackage::build(&most).unwrap();
    assert!(CataloguePackage::open(package.bytes()).unwrap() == most);

    let mut languages = full();
    languages.languages = (0..=limits::LANGUAGE_COUNT).map(|n| format!("L{n:03}")).collect();
    let body = minicbor::to_vec(Catalogue { resources: vec![languages], ..catalogue(Vec::new()) }).unwrap();
    assert_eq!(CataloguePackage::open(&package_of(&body)).map(|_| ()), Err(CatalogueError::Malformed));
}

/// One change that breaks one bound.
type Break = (CatalogueError, fn(&mut Resource));

#[test]
fn every_text_and_list_bound_holds_when_building_and_when_opening() {
    let breaks: &[Break] = &[
        (CatalogueError::TextEmpty { field: Field::Name }, |r| r.name.clear()),
        (CatalogueError::TextTooLong { field: Field::Name }, |r| r.name = "x".repeat(201)),
        (CatalogueError::TextTooLong { field: Field::Provider }, |r| r.provider = "x".repeat(201)),
        (CatalogueError::TextTooLong { field: Field::Description }, |r| r.description = "x".repeat(4001)),
        (CatalogueError::TextTooLong { field: Field::Cost }, |r| r.cost = Some("x".repeat(501))),
        (CatalogueError::TextEmpty { field: Field::Cost }, |r| r.cost = Some(String::new())),
        (CatalogueError::TextTooLong { field: Field::Eligibility }, |r| r.eligibility = Some("x".repeat(2001))),
        (CatalogueError::TextTooLong { field: Field::Hours }, |r| r.hours.text = "x".repeat(1001)),
        (CatalogueError::TextTooLong { field: Field::Phone }, |r| r.phone = Some("5".repeat(201))),
        (CatalogueError::TextForbidden { field: Field::Phone }, |r| r.phone = Some("555\n0100".to_owned())),
        (CatalogueError::TextTooLong { field: Field::Address }, |r| r.address = Some("x".repeat(301))),
        (CatalogueError::TextTooLong { field: Field::Url }, |r| r.url = Some("x".repeat(301))),
        (CatalogueError::TextForbidden { field: Field::Url }, |r| r.url = Some("a\u{202E}b".to_owned())),
        (CatalogueError::TextForbidden { field: Field::Description }, |r| r.description = "\u{1b}[2J".to_owned()),
        (CatalogueError::TextTooLong { field: Field::Languages }, |r| r.languages = vec!["x".repeat(61)]),
        (CatalogueError::TextEmpty { field: Field::Languages }, |r| r.languages = vec![String::new()]),
        (CatalogueError::BadList { field: Field::Languages }, |r| r.languages.reverse()),
        (CatalogueError::BadList { field: Field::Hours }, |r| r.hours.openings.reverse()),
        (CatalogueError::BadList { field: Field::Hours }, |r| {
            r.hours.openings = vec![Opening { weekday: Weekday::Monday, opens: 1440, closes: 1500 }];
        }),
    ];
    for (error, break_it) in breaks {
        let mut bad = full();
        break_it(&mut bad);
        let bad = Catalogue { resources: vec![bad], ..catalogue(Vec::new()) };
        assert_eq!(CataloguePackage::build(&bad), Err(*error));
        let body = minicbor::to_vec(&bad).unwrap();
        assert_eq!(CataloguePackage::open(&package_of(&body)).map(|_| ()), Err(*error));
    }
}

#[test]
fn errors_and_debug_carry_no_text_from_the_catalogue() {
    let mut bad = full();
    bad.name = "SECRETWORD".repeat(50);
    let bad = Catalogue { resources: vec![bad], ..catalogue(Vec::new()) };
    let error = CataloguePackage::build(&bad).unwrap_err();
    let shown = format!("{error} {error:?} {bad:?} {:?}", bad.resources);
    assert!(!shown.contains("SECRETWORD") && shown.contains("Name"));
}

#[test]
fn names_of_the_closed_lists_are_stable_and_read_back() {
    for category in Category::ALL {
        assert_eq!(Category::from_name(category.name()), Some(*category));
        assert_eq!(serde_json::to_value(category).unwrap(), category.name());
    }
    for demand in Demand::ALL {
        assert_eq!(serde_json::to_value(demand).unwrap(), demand.name());
    }
    for excluded in Excluded::ALL {
        assert_eq!(serde_json::to_value(excluded).unwrap(), excluded.name());
    }
    let json = serde_json::to_value(full()).unwrap();
    assert_eq!(json["demands"]["id"], true);
    assert_eq!(json["demands"]["referral"], false);
    assert!(json["demands"].get("address").is_none());
    assert_eq!(json["last_verified"], "2026-10-01");
}

fn town() -> Catalogue {
    let mut cafe = resource(10, "Café Niño");
    cafe.languages = vec!["Spanish".to_owned()];
    cafe.demands.record(Demand::Id, false);
    cafe.description = "Hot meals and coffee.".to_owned();
    let mut pantry = resource(11, "Pantry");
    pantry.demands.record(Demand::Id, true);
    pantry.hours = full().hours;
    let mut soup = resource(12, "A soup line");
    soup.hours.text = "Some evenings".to_owned();
    catalogue(vec![full(), cafe, pantry, soup])
}
