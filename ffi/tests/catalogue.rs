//! Finding a resource through the door that apps use: what somebody asks for, and what nobody has told.

#![allow(clippy::unwrap_used)]

mod common;

use common::{failure, found, join, meet};
use satchel_core::catalogue::{Category, Demand, Excluded, Opening, Recipient, Weekday};
use satchel_core::team::Role;
use satchel_ffi::{FfiError, Resource, ResourceFilter, build_catalogue, own_resource_id};

fn resource(name: &str, category: Category) -> Resource {
    Resource {
        id: own_resource_id(name),
        category,
        name: name.into(),
        provider: "Harbor".into(),
        description: "Ask at the blue door.".into(),
        cost: None,
        eligibility: None,
        demands: Vec::new(),
        does_not_demand: Vec::new(),
        shares_data_with: Vec::new(),
        faith_or_rescue: None,
        excludes: Vec::new(),
        languages: Vec::new(),
        hours: "Mondays".into(),
        openings: Vec::new(),
        are_openings_complete: false,
        phone: None,
        address: None,
    }
}

fn anything() -> ResourceFilter {
    ResourceFilter { text: String::new(), category: None, without_demands: Vec::new(), weekday: None, minute: 0, language: None }
}

#[test]
fn what_a_team_lists_is_found_by_what_somebody_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), "Ana");
    let ben = join(folder.path(), &ana, "Ben", Role::Worker);
    assert!(ana.find_resources(anything()).unwrap().is_empty(), "before a catalogue is there");
    let bed = Resource {
        demands: vec![Demand::Id, Demand::Abstinence],
        shares_data_with: vec![Recipient::Hmis],
        excludes: vec![Excluded::Pets],
        ..resource("Oak Beds", Category::Housing)
    };
    let soup = Resource {
        does_not_demand: vec![Demand::Id],
        languages: vec!["es".into()],
        // Monday 22:00 to Tuesday 02:00
        openings: vec![Opening { weekday: Weekday::Monday, opens: 1_320, closes: 1_560 }],
        are_openings_complete: true,
        ..resource("Café Río", Category::Food)
    };
    let unsaid = resource("Elm Pantry", Category::Food);
    let package = build_catalogue("Harbor's list".into(), vec![bed.clone(), soup.clone(), unsaid.clone()]).unwrap();
    assert_eq!(ana.publish_catalogue(&package).unwrap(), 3);
    meet(&ana, &ben);
    let names = |filter| -> Vec<String> { ben.find_resources(filter).unwrap().into_iter().map(|found| found.name).collect() };
    assert_eq!(names(anything()).len(), 3, "a colleague's phone has it too");
    assert_eq!(ben.find_resources(ResourceFilter { text: "oak".into(), ..anything() }).unwrap(), [bed], "as it was written");
    assert_eq!(names(ResourceFilter { text: "CAFE rio".into(), ..anything() }), ["Café Río"], "case and accents aside");
    let food = || ResourceFilter { category: Some(Category::Food), ..anything() };
    assert_eq!(names(food()).len(), 2);
    let without = ResourceFilter { without_demands: vec![Demand::Id], ..anything() };
    assert_eq!(names(without), ["Café Río", "Elm Pantry"], "who demands it is left out, who does not say comes last");
    let open = |weekday, minute| ResourceFilter { weekday: Some(weekday), minute, ..anything() };
    assert_eq!(names(open(Weekday::Tuesday, 60)), ["Café Río"], "past midnight");
    assert!(names(open(Weekday::Tuesday, 120)).is_empty() && names(open(Weekday::Monday, 1_319)).is_empty());
    assert_eq!(names(ResourceFilter { language: Some("es".into()), ..anything() }), ["Café Río"]);
    // the next list replaces it
    ana.publish_catalogue(&build_catalogue("Harbor's list".into(), vec![unsaid]).unwrap()).unwrap();
    assert_eq!(ana.find_resources(anything()).unwrap().len(), 1);
}

#[test]
fn the_same_name_is_the_same_resource_on_every_phone() {
    assert_eq!(own_resource_id("Oak Beds"), own_resource_id("Oak Beds"));
    assert_ne!(own_resource_id("Oak Beds"), own_resource_id("Oak Bed"));
}

#[test]
fn what_is_no_list_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), "Ana");
    let twice = vec![resource("Oak", Category::Food), resource("Oak", Category::Food)];
    let long = vec![Resource { description: "x".repeat(100_000), ..resource("Oak", Category::Food) }];
    let backwards = Opening { weekday: Weekday::Monday, opens: 600, closes: 300 };
    let never = vec![Resource { openings: vec![backwards], ..resource("Oak", Category::Food) }];
    for (what, wrong) in [("twice", twice), ("long", long), ("never open", never)] {
        let built = build_catalogue("List".into(), wrong);
        assert!(matches!(built, Err(FfiError::InvalidInput { .. })), "{what}");
    }
    assert_eq!(failure(build_catalogue("x".repeat(201), Vec::new())).0, "InvalidInput");
    let package = build_catalogue("List".into(), vec![resource("Oak", Category::Food)]).unwrap();
    for wrong in [&package[..package.len() / 2], &package[1..], &[], b"PK", &[0xFF; 4_096]] {
        assert_eq!(failure(ana.publish_catalogue(wrong)).0, "InvalidInput");
    }
    assert_eq!(ana.publish_catalogue(&package).unwrap(), 1, "control");
}
