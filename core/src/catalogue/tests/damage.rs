//! Random damage.

use super::*;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn changed_bodies_never_panic_and_never_open_to_another_encoding(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        cut_it in any::<bool>(),
    ) {
        let mut body = minicbor::to_vec(town()).unwrap();
        for (index, byte) in changes {
            let at = index.index(body.len());
            body[at] = byte;
        }
        if cut_it {
            body.truncate(cut.index(body.len()));
        }
        if let Ok(opened) = CataloguePackage::open(&package_of(&body)) {
            prop_assert_eq!(minicbor::to_vec(&opened).unwrap(), body);
        }
    }

    #[test]
    fn changed_packages_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        noise in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut bytes = CataloguePackage::build(&town()).unwrap().into_bytes();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = CataloguePackage::open(&bytes);
        let _ = CataloguePackage::open(&[b"SATCHCAT\x01", &noise[..]].concat());
    }

    #[test]
    fn cleaned_text_is_always_accepted(text in any::<String>(), max in 0usize..80) {
        let (line, _) = clean_line(&text, max.min(limits::TITLE_BYTES));
        let (lines, _) = clean_text(&text, max.min(limits::LICENCE_BYTES));
        prop_assert!(line.len() <= max && lines.len() <= max);
        prop_assert_eq!(clean_line(&line, max).0, line.clone());
        prop_assert_eq!(clean_text(&lines, max).0, lines.clone());
        prop_assert!(Catalogue::new(line, String::new(), lines, None, Vec::new()).is_ok());
    }

    #[test]
    fn any_cut_assembles_again(
        package in prop::collection::vec(any::<u8>(), 1..9000),
        part_bytes in 1024usize..4000,
    ) {
        let parts = split(&package, part_bytes).unwrap();
        let mut set = PartSet::new(ContentId::of(&package), parts[0].total).unwrap();
        for part in parts.into_iter().rev() {
            set.add(part).unwrap();
        }
        prop_assert_eq!(set.finish().unwrap(), package);
    }
}
