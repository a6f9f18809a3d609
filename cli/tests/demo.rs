//! The demonstration day, with three phones and the real relay (built on the way if it is missing).
#![allow(clippy::unwrap_used)]

mod support;

#[test]
fn every_check_of_the_day_holds() {
    let ended = support::run_bare(&["demo"], b"");
    assert_eq!(ended.status, 0, "{}\n{}", ended.out, ended.error);
    assert!(ended.out.contains("Every check held."), "{}", ended.out);
    assert!(ended.error.is_empty(), "{}", ended.error);
}
