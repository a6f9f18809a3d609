//! Cutting and assembling packages.

use super::*;

#[test]
fn parts_go_together_in_any_order_and_any_number_of_times() {
    let package: Vec<u8> = (0..5000u32).map(|n| (n % 251) as u8).collect();
    let parts = split(&package, 1024).unwrap();
    assert_eq!(parts.len(), 5);
    let mut set = PartSet::new(ContentId::of(&package), 5).unwrap();
    for index in [4, 2, 2, 0, 3] {
        let part: Part = minicbor::decode(&minicbor::to_vec(&parts[index]).unwrap()).unwrap();
        assert_eq!(set.add(part), Ok(false));
    }
    assert_eq!(set.missing().collect::<Vec<_>>(), [1]);
    assert_eq!(set.add(parts[1].clone()), Ok(true));
    assert_eq!(set.finish().unwrap(), package);
}

#[test]
fn wrong_parts_are_named_and_never_become_a_package() {
    let package = vec![7u8; 3000];
    let parts = split(&package, 1024).unwrap();
    let fresh = || PartSet::new(ContentId::of(&package), 3).unwrap();

    let mut set = fresh();
    assert_eq!(set.add(Part { package_id: ContentId::of(b"x"), ..parts[0].clone() }), Err(PartError::Foreign));
    assert_eq!(set.add(Part { total: 4, ..parts[0].clone() }), Err(PartError::Foreign));
    assert_eq!(set.add(Part { index: 3, ..parts[0].clone() }), Err(PartError::Index));
    assert_eq!(set.add(Part { bytes: Vec::new(), ..parts[0].clone() }), Err(PartError::PackageSize));
    set.add(parts[0].clone()).unwrap();
    assert_eq!(set.add(Part { bytes: vec![8; 1024], ..parts[0].clone() }), Err(PartError::Conflict));
    assert_eq!(set.finish().map(|_| ()), Err(PartError::Incomplete));

    let mut set = fresh();
    for part in &parts {
        let mut part = part.clone();
        part.bytes[0] ^= 1;
        set.add(part).unwrap();
    }
    assert_eq!(set.finish().map(|_| ()), Err(PartError::WrongContent));
}

#[test]
fn parts_are_bounded() {
    let id = ContentId::of(b"");
    assert_eq!(split(b"", 1024), Err(PartError::PackageSize));
    assert_eq!(split(&vec![0; limits::PACKAGE_BYTES + 1], 1 << 20), Err(PartError::PackageSize));
    assert_eq!(split(&[1; 10], 1023), Err(PartError::PartSize));
    assert_eq!(split(&vec![1; limits::PACKAGE_BYTES], 1024).unwrap().len(), 8192);
    assert_eq!(PartSet::new(id, 0).map(|_| ()), Err(PartError::Total));
    assert_eq!(PartSet::new(id, u32::MAX).map(|_| ()), Err(PartError::Total));
    let mut set = PartSet::new(id, 2).unwrap();
    let half = |index| Part { package_id: id, index, total: 2, bytes: vec![0; limits::PACKAGE_BYTES / 2 + 1] };
    assert_eq!(set.add(half(0)), Ok(false));
    assert_eq!(set.add(half(1)), Err(PartError::PackageSize));
}
