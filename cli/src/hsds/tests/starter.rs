//! The catalogue that comes with the program, and what never changes a result.

use super::*;
use serde_json::Value;

#[test]
fn the_starter_catalogue_imports_without_a_skip() {
    let import = read(&starter()).unwrap();
    assert_eq!(skips(&import), []);
    assert!(import.report.imported >= 40);
    assert_eq!(import.catalogue.licence, "Satchel starter catalogue, fictional data Apache-2.0 OR MIT");
    assert_eq!(import.catalogue.published, Day::from_iso("2026-11-15"));
    for category in Category::ALL.iter().filter(|category| **category != Category::Other) {
        let filter = Filter { category: Some(*category), ..Filter::default() };
        assert!(import.catalogue.find(&filter).len() >= 3, "{category}");
    }
    for resource in &import.catalogue.resources {
        let phone = resource.phone.as_deref().unwrap();
        assert!(phone.starts_with("555-01"), "{phone}");
        assert!(resource.url.as_deref().unwrap().starts_with("https://example.org/"));
    }
    let beyond: BTreeSet<_> = warnings(&import);
    assert_eq!(beyond, ["hours_not_weekly", "unclear_answer"].into());
}

#[test]
fn the_starter_answers_are_the_ones_its_texts_give() {
    let import = read(&starter()).unwrap();
    let shelter = named(&import, "Calder Nights emergency shelter");
    assert_eq!(shelter.demands.no().collect::<Vec<_>>(), [Demand::Id, Demand::Abstinence, Demand::Referral]);
    assert_eq!(shelter.demands.yes().count(), 0);
    assert_eq!(shelter.hours.open_at(Weekday::Monday, 180), Some(true));
    let dormitory = named(&import, "St. Brendan's men's dormitory");
    assert_eq!(dormitory.demands.yes().collect::<Vec<_>>(), [Demand::Id]);
    assert_eq!(dormitory.shares_data_with.answer(Recipient::Hmis), Some(true));
    assert_eq!(dormitory.faith_or_rescue, Some(true));
    assert_eq!(dormitory.excludes.yes().collect::<Vec<_>>(), [Excluded::Partners, Excluded::Pets, Excluded::ActiveUse]);
    let haven = named(&import, "Haven dormitory for women");
    assert_eq!(haven.excludes.answer(Excluded::TransWomen), Some(true));
    assert_eq!(haven.demands.answer(Demand::Abstinence), Some(true));
    let compensation = named(&import, "Crime victim compensation");
    assert_eq!(compensation.demands.answer(Demand::PoliceContact), Some(true));
    assert_eq!(compensation.shares_data_with.answer(Recipient::Police), Some(true));
    let cash = named(&import, "County cash assistance");
    assert_eq!(cash.demands.yes().collect::<Vec<_>>(), [Demand::Id, Demand::Abstinence, Demand::Address, Demand::ImmigrationStatus]);
    // An exact term of the `satchel` taxonomy, and words that put a condition.
    assert_eq!(named(&import, "Warming centre").demands.answer(Demand::PoliceContact), Some(true));
    assert_eq!(named(&import, "Same-day buprenorphine and methadone").demands.answer(Demand::Id), None);
    assert_eq!(named(&import, "Naloxone at the pharmacy window").demands.yes().count(), 0);
    assert!(named(&import, "Naloxone at the pharmacy window").demands.is_empty());
}

#[test]
fn the_order_of_rows_and_columns_and_the_way_of_packing_do_not_matter() {
    let files = folder_files(&starter());
    let expected = package(&read(&starter()).unwrap());
    assert_eq!(expected, package(&read(&starter()).unwrap()));
    let turned: Vec<(String, Vec<u8>)> = files
        .iter()
        .map(|(name, bytes)| {
            if !name.ends_with(".csv") {
                return (name.clone(), bytes.clone());
            }
            let mut rows: Vec<Vec<String>> = csv::ReaderBuilder::new()
                .has_headers(false)
                .from_reader(bytes.as_slice())
                .records()
                .map(|row| row.unwrap().iter().rev().map(str::to_owned).collect())
                .collect();
            rows[1..].reverse();
            let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
            rows.iter().for_each(|row| writer.write_record(row).unwrap());
            (name.clone(), writer.into_inner().unwrap())
        })
        .collect();
    assert_eq!(package(&read_folder(&borrowed(&turned)).unwrap()), expected);
    assert_eq!(package(&read_bytes("a.zip", &zip_of(&borrowed(&turned))).unwrap()), expected);
    let deeper: Vec<(String, Vec<u8>)> = files.into_iter().map(|(n, b)| (format!("export/data/{n}"), b)).collect();
    assert_eq!(package(&read_folder(&borrowed(&deeper)).unwrap()), expected);
    assert_eq!(package(&read_bytes("a.zip", &zip_of(&borrowed(&deeper))).unwrap()), expected);
}

#[test]
fn the_order_of_json_does_not_matter() {
    fn turn(value: &mut Value) {
        match value {
            Value::Array(items) => {
                items.reverse();
                items.iter_mut().for_each(turn);
            }
            Value::Object(object) => object.values_mut().for_each(turn),
            _ => {}
        }
    }
    for name in ["service.json", "organization.json", "at_locations.json"] {
        let mut value: Value = serde_json::from_slice(&fs::read(fixture(name)).unwrap()).unwrap();
        turn(&mut value);
        let turned = read_bytes("x.json", value.to_string().as_bytes()).unwrap();
        assert_eq!(package(&turned), package(&read(&fixture(name)).unwrap()), "{name}");
    }
}
