//! Files made to harm.

use super::*;
use proptest::prelude::*;
use tempfile::TempDir;

#[test]
fn encodings_are_decoded_or_refused() {
    let text = "id,name\n1,Café Niño\n";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin: Vec<u8> = text.chars().map(|c| c as u32 as u8).collect();
    let bom = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
    for bytes in [&bom, &[&[0xFF, 0xFE], &utf16[..]].concat(), &latin] {
        assert_eq!(read_bytes("services.csv", bytes).unwrap().catalogue.resources[0].name, "Café Niño");
    }
    assert!(warnings(&read_bytes("services.csv", &latin).unwrap()).contains("decoded_as_windows_1252"));
    let binary = read_bytes("services.csv", b"id,name\n1,\0\x01\x02\xFF\n").map(|_| ());
    assert_eq!(binary, Err(HsdsError::UnsupportedEncoding));
}

#[test]
fn what_is_not_a_directory_export_is_refused_in_words() {
    assert_eq!(read_bytes("a.json", b"{\"a\": [1, 2").map(|_| ()), Err(HsdsError::BadJson { line: 1, column: 11 }));
    assert_eq!(read_bytes("a.json", b"{\"hello\": 1}").map(|_| ()), Err(HsdsError::NotHsds));
    assert_eq!(read_bytes("a.json", b"3").map(|_| ()), Err(HsdsError::NotHsds));
    assert_eq!(read_bytes("phones.csv", b"id\n1\n").map(|_| ()), Err(HsdsError::NotHsds));
    assert_eq!(read_folder(&[("phones.csv", b"id\n1\n")]).map(|_| ()), Err(HsdsError::NotHsds));
    assert_eq!(read_folder(&[]).map(|_| ()), Err(HsdsError::NotHsds));
    assert_eq!(read_bytes("a.zip", b"PK\x03\x04 rubbish").map(|_| ()), Err(HsdsError::BadArchive));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(read_bytes("a.json", deep.as_bytes()), Err(HsdsError::BadJson { .. })));
    assert_eq!(read(Path::new("/nonexistent/place")).map(|_| ()), Err(HsdsError::Unreadable { kind: std::io::ErrorKind::NotFound }));
}

#[test]
fn sizes_and_counts_are_bounded() {
    let folder = TempDir::new().unwrap();
    let big = folder.path().join("services.csv");
    // Sparse: takes no room on the disk.
    fs::File::create(&big).unwrap().set_len(100 * 1024 * 1024).unwrap();
    assert_eq!(read(&big).map(|_| ()), Err(HsdsError::FileTooLarge));
    assert_eq!(read(folder.path()).map(|_| ()), Err(HsdsError::FileTooLarge));

    let bomb = zip_of(&[("services.csv", &vec![b'a'; limits::FILE_BYTES as usize + 1])]);
    assert!(bomb.len() < 1024 * 1024);
    assert_eq!(read_bytes("bomb.zip", &bomb).map(|_| ()), Err(HsdsError::FileTooLarge));

    let columns = format!("id,name{}\n", ",x".repeat(limits::COLUMN_COUNT));
    assert_eq!(read_bytes("services.csv", columns.as_bytes()).map(|_| ()), Err(HsdsError::TooManyColumns));
    let values = format!("[{}0]", "0,".repeat(limits::JSON_VALUE_COUNT));
    assert_eq!(read_bytes("a.json", values.as_bytes()).map(|_| ()), Err(HsdsError::TooManyValues));
    let mut rows = String::from("id\n");
    (0..=limits::ROW_COUNT).for_each(|_| rows.push_str("1\n"));
    assert_eq!(read_bytes("services.csv", rows.as_bytes()).map(|_| ()), Err(HsdsError::TooManyRows));

    let many: Vec<(String, Vec<u8>)> = (0..=limits::ENTRY_COUNT).map(|n| (format!("{n}.txt"), Vec::new())).collect();
    assert_eq!(read_folder(&borrowed(&many)).map(|_| ()), Err(HsdsError::TooManyFiles));
    assert_eq!(read_bytes("a.zip", &zip_of(&borrowed(&many))).map(|_| ()), Err(HsdsError::TooManyFiles));
}

#[test]
fn archives_cannot_reach_outside_and_links_are_not_followed() {
    for name in ["../services.csv", "/services.csv", "a/../../services.csv", "..\\services.csv", "C:services.csv"] {
        let bytes = zip_of(&[("xxxxxxxxxxxxxxxxxxxxx.csv", ONE)]);
        // Written by hand: a well-behaved writer would clean the name.
        let name = format!("{name:x<25}");
        let at: Vec<usize> = bytes.windows(25).enumerate().filter(|(_, w)| *w == b"xxxxxxxxxxxxxxxxxxxxx.csv").map(|(at, _)| at).collect();
        assert_eq!(at.len(), 2);
        let mut evil = bytes;
        at.into_iter().for_each(|at| evil[at..at + 25].copy_from_slice(name.as_bytes()));
        assert_eq!(read_bytes("a.zip", &evil).map(|_| ()), Err(HsdsError::UnsafePath), "{name}");
    }
    let mut locked = zip_of(&[("services.csv", ONE)]);
    for (signature, flag) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        let at = locked.windows(4).position(|window| window == signature).unwrap();
        locked[at + flag] |= 1;
    }
    assert_eq!(read_bytes("a.zip", &locked).map(|_| ()), Err(HsdsError::EncryptedArchive));

    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("phones.csv", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    zip.start_file("services.csv", SimpleFileOptions::default()).unwrap();
    zip.write_all(ONE).unwrap();
    let linked = read_bytes("a.zip", &zip.finish().unwrap().into_inner()).unwrap();
    assert!(warnings(&linked).contains("link_ignored"));
    assert_eq!(linked.report.imported, 1);
}

#[cfg(unix)]
#[test]
fn links_in_a_folder_are_not_followed() {
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("secret.csv"), ONE).unwrap();
    let folder = TempDir::new().unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.csv"), folder.path().join("services.csv")).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("data")).unwrap();
    assert_eq!(read(folder.path()).map(|_| ()), Err(HsdsError::NotHsds));
    fs::remove_file(folder.path().join("services.csv")).unwrap();
    fs::write(folder.path().join("services.csv"), ONE).unwrap();
    assert!(warnings(&read(folder.path()).unwrap()).contains("link_ignored"));
}

#[test]
fn errors_and_reports_repeat_nobodys_words() {
    let files: [(&str, &[u8]); 2] = [
        ("services.csv", b"id,name,status,url\nSECRETWORD,SECRETWORD,SECRETWORD,SECRETWORD:1\n,SECRETWORD,,\n"),
        ("phones.csv", b"id,service_id,number\n1,SECRETWORD2,SECRETWORD\n"),
    ];
    let import = read_folder(&files).unwrap();
    let shown = format!("{import:?} {}", serde_json::to_string(&import.report).unwrap());
    assert!(import.report.skipped_count == 2 && !shown.contains("SECRETWORD"));
    let error = read_bytes("SECRETWORD.json", b"{\"SECRETWORD\": SECRETWORD").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("SECRETWORD"));
}

fn mutated(bytes: &[u8], changes: &[(prop::sample::Index, u8)], cut: Option<prop::sample::Index>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (index, byte) in changes {
        let at = index.index(bytes.len());
        bytes[at] = *byte;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut.index(bytes.len()));
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn changed_sources_never_panic_and_what_is_read_can_be_packed(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<Option<prop::sample::Index>>(),
        which in 0usize..6,
    ) {
        let mut imports = Vec::new();
        for name in ["service.json", "organization.json", "at_locations.json", "page.json", "lines.jsonl"] {
            let bytes = mutated(&fs::read(fixture(name)).unwrap(), &changes, cut);
            imports.push(read_bytes(name, &bytes));
        }
        for source in [fixture("v1"), fixture("messy")] {
            let mut files = folder_files(&source);
            files.sort();
            let at = which % files.len();
            files[at].1 = mutated(&files[at].1, &changes, cut);
            imports.push(read_folder(&borrowed(&files)));
            imports.push(read_bytes("a.zip", &mutated(&zip_of(&borrowed(&files)), &changes, cut)));
        }
        for import in imports.into_iter().flatten() {
            let opened = CataloguePackage::open(&package(&import)).unwrap();
            prop_assert!(opened == import.catalogue);
            prop_assert_eq!(import.report.imported, opened.resources.len());
        }
    }

    #[test]
    fn any_cell_text_never_panics(cells in prop::collection::vec(any::<String>(), 12)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["id", "name", "description", "url", "status", "eligibility_description", "fees_description", "assured_date"]).unwrap();
        writer.write_record(cells.iter().take(8)).unwrap();
        let services = writer.into_inner().unwrap();
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["service_id", "byday", "opens_at", "closes_at", "valid_to"]).unwrap();
        writer.write_record([&cells[0], &cells[8], &cells[9], &cells[10], &cells[11]]).unwrap();
        let schedules = writer.into_inner().unwrap();
        if let Ok(import) = read_folder(&[("services.csv", &services), ("schedules.csv", &schedules)]) {
            package(&import);
        }
    }
}
