#![allow(clippy::unwrap_used)]

use super::*;
use crate::error::call;

#[test]
fn a_panic_becomes_an_error_without_its_words() {
    let error = call::<()>(|| panic!("private words")).unwrap_err();
    assert_eq!(error, FfiError::Internal { code: "panic".into(), remedy: "report".into() });
    assert_eq!(call(|| Ok(7)), Ok(7));
}

#[test]
fn findings_count_utf_16_code_units() {
    let text = "😀é call 415-555-0123";
    let found = screening::screen(text, None).unwrap();
    let units: Vec<u16> = text.encode_utf16().collect();
    let [finding] = found.as_slice() else { panic!("one finding, not {}", found.len()) };
    let stretch = &units[finding.start_utf16 as usize..finding.end_utf16 as usize];
    assert_eq!(String::from_utf16(stretch).unwrap(), "415-555-0123");
}

#[test]
fn errors_keep_their_code_and_remedy() {
    use satchel_core::Error;
    let crossed = FfiError::from(Error::Locked);
    assert_eq!(crossed, FfiError::Locked { code: "locked".into(), remedy: "unlock".into() });
    assert!(matches!(FfiError::from(Error::NoSuchRecord), FfiError::NotFound { .. }));
    let unasked = FfiError::from(Error::NoGrant);
    assert!(matches!(&unasked, FfiError::NoConsent { remedy, status: None, .. } if remedy == "ask_participant"), "{unasked:?}");
    assert!(matches!(FfiError::from(Error::Copied), FfiError::Refused { .. }));
    assert!(matches!(FfiError::from(satchel_core::store::RelayError::NoRelay), FfiError::InvalidInput { .. }));
}

#[test]
fn every_error_says_what_to_do_and_only_faults_of_this_library_are_internal() {
    use satchel_core::Error;
    use satchel_core::recovery::{PaperError, RecoveryError};
    use satchel_core::team::{Refusal, pack::PackError};
    let wrong_word = FfiError::from(PaperError::WrongWord { position: 7 });
    let FfiError::InvalidInput { code, field, .. } = &wrong_word else { panic!("{wrong_word:?}") };
    assert_eq!((code.as_str(), field.as_deref()), ("paper_wrong_word", Some("word.7")));
    assert!(matches!(FfiError::from(Error::TooSoon { seconds: 8 }), FfiError::TooSoon { seconds: 8, .. }));
    assert!(matches!(FfiError::from(Error::Pack(PackError::Overtaken)), FfiError::Sync { remedy, .. } if remedy == "try_later"));
    let refused = [
        Error::Ended,
        Error::Operation(Refusal::NotEntitled),
        Error::Recovery(RecoveryError::NoBoard),
        Error::Recovery(RecoveryError::NotSetUp),
    ];
    for error in refused {
        let crossed = FfiError::from(error.clone());
        assert!(matches!(&crossed, FfiError::Refused { remedy, .. } if remedy == "ask_steward"), "{error:?}: {crossed:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn memory_is_wiped_when_it_is_freed() {
    use std::os::unix::fs::FileExt;
    // this process's own memory, as somebody with a memory dump would read it
    let memory = std::fs::File::open("/proc/self/mem").unwrap();
    // made before anything is freed, or it could take the freed place and read itself
    let mut seen = vec![0_u8; 4_096];
    let secret = vec![0xA5_u8; 4_096];
    let address = secret.as_ptr() as u64;
    memory.read_exact_at(&mut seen, address).unwrap();
    assert!(seen.iter().all(|byte| *byte == 0xA5), "what lives can be read there");
    drop(secret);
    memory.read_exact_at(&mut seen, address).unwrap();
    let left = seen.iter().filter(|byte| **byte == 0xA5).count();
    // the system's allocator may write its own links into freed memory
    assert!(left < 32, "{left} of 4,096 bytes are still there");
}

#[test]
fn what_sharing_refuses_says_whom_to_turn_to() {
    use satchel_core::Error;
    use satchel_core::consent::{GrantError, GrantStatus};
    use satchel_core::share::ShareError;
    let stale = FfiError::from(Error::from(ShareError::Stale { limit_days: 7 }));
    assert_eq!(stale, FfiError::Sync { code: "share_stale".into(), remedy: "meet_colleague".into() });
    let over = FfiError::from(Error::from(ShareError::Over));
    assert!(matches!(&over, FfiError::InvalidInput { remedy, .. } if remedy == "ask_sender"), "{over:?}");
    let court = FfiError::from(Error::from(ShareError::JusticeWithoutGrant));
    assert!(matches!(&court, FfiError::NoConsent { code, status: None, .. } if code == "share_justice_without_grant"), "{court:?}");
    let expired = FfiError::from(Error::from(GrantError::NotLive(GrantStatus::Expired)));
    assert!(matches!(expired, FfiError::NoConsent { status: Some(GrantStatus::Expired), .. }));
    let denied = FfiError::from(Error::from(GrantError::NotLive(GrantStatus::NotAllowed)));
    assert!(matches!(&denied, FfiError::Refused { remedy, .. } if remedy == "ask_steward"), "{denied:?}");
    assert!(matches!(FfiError::from(Error::from(ShareError::Newer)), FfiError::Storage { remedy, .. } if remedy == "update_app"));
    assert!(matches!(FfiError::from(Error::from(ShareError::Malformed)), FfiError::InvalidInput { .. }), "no fault of this library");
}
