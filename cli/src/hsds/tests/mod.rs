//! What a team importing a directory would see, shape by shape and mistake by mistake.
#![allow(clippy::unwrap_used)]

mod hostile;
mod mistakes;
mod shapes;
mod starter;

pub use super::*;
pub use satchel_core::catalogue::{
    CataloguePackage, Category, Day, Demand, Excluded, Filter, Recipient, Resource, Weekday, limits as bounds,
};
pub use std::collections::BTreeSet;
pub use std::fs;
pub use std::io::{Cursor, Write};
use std::path::PathBuf;
use tempfile::TempDir;
pub use zip::ZipWriter;
pub use zip::write::SimpleFileOptions;

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hsds").join(name)
}

pub fn starter() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue/starter")
}

/// Reads bytes as a file with this name.
pub fn read_bytes(name: &str, bytes: &[u8]) -> Result<Import, HsdsError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    read(&path)
}

/// Reads a folder with these files.
pub fn read_folder(files: &[(&str, &[u8])]) -> Result<Import, HsdsError> {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    read(folder.path())
}

pub fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

pub fn folder_files(path: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap())).collect()
}

pub fn borrowed(files: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect()
}

pub fn package(import: &Import) -> Vec<u8> {
    CataloguePackage::build(&import.catalogue).unwrap().into_bytes()
}

pub fn named<'a>(import: &'a Import, name: &str) -> &'a Resource {
    import.catalogue.resources.iter().find(|resource| resource.name == name).unwrap()
}

pub fn skips(import: &Import) -> Vec<(String, &'static str)> {
    import.report.skipped.iter().map(|skip| (skip.place.to_string(), skip.code.code())).collect()
}

pub fn warnings(import: &Import) -> BTreeSet<&'static str> {
    import.report.warnings.iter().map(|warning| warning.code.code()).collect()
}

pub const ONE: &[u8] = b"id,name,status\n1,Soup kitchen,active\n";
