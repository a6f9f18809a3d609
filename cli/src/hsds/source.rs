//! From a path to bounded files: a folder, a zip archive or a single document.

use super::report::{Place, Report, WarningCode};
use super::tables::Table;
use super::{HsdsError, limits};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::path::{Component, Path, PathBuf};
use zip::ZipArchive;

/// What a file is, by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A CSV table.
    Csv(Table),
    /// A CSV file whose stem names no table; the package description may.
    OtherCsv,
    /// The package description.
    Description,
    /// A JSON document.
    Json,
    /// JSON lines.
    JsonLines,
}

/// One file of the source.
pub struct SourceFile {
    /// Path inside the source, with forward slashes.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Reads every file of the source that this reader may use.
pub fn open(path: &Path, report: &mut Report) -> Result<Vec<SourceFile>, HsdsError> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return folder(path, report);
    }
    if !metadata.is_file() {
        return Err(HsdsError::NotAFile);
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut budget = limits::TOTAL_BYTES;
    let bytes = read_bounded(File::open(path)?, limits::FILE_BYTES, &mut budget)?;
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return archive(bytes, report);
    }
    let kind = match kind(&name) {
        // One table on its own is enough when it is the table of services.
        Some(kind @ (Kind::JsonLines | Kind::Csv(Table::Services))) => kind,
        Some(Kind::Csv(_) | Kind::OtherCsv) => return Err(HsdsError::NotHsds),
        _ => Kind::Json,
    };
    Ok(vec![SourceFile { name, kind, bytes }])
}

/// What a file is by its name; `None` for what this reader never uses.
fn kind(name: &str) -> Option<Kind> {
    let file = name.rsplit('/').next()?;
    if file.starts_with('.') || name.starts_with("__MACOSX/") {
        return None;
    }
    let (stem, extension) = file.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "csv" | "tsv" => Some(Table::from_stem(stem).map_or(Kind::OtherCsv, Kind::Csv)),
        "json" if stem.eq_ignore_ascii_case("datapackage") => Some(Kind::Description),
        "json" => Some(Kind::Json),
        "jsonl" | "ndjson" => Some(Kind::JsonLines),
        _ => None,
    }
}

fn read_bounded(reader: impl Read, max: u64, budget: &mut u64) -> Result<Vec<u8>, HsdsError> {
    let allowed = max.min(*budget);
    let mut bytes = Vec::new();
    reader.take(allowed + 1).read_to_end(&mut bytes)?;
    let length = bytes.len() as u64;
    if length > max {
        return Err(HsdsError::FileTooLarge);
    }
    *budget = budget.checked_sub(length).ok_or(HsdsError::SourceTooLarge)?;
    Ok(bytes)
}

fn folder(root: &Path, report: &mut Report) -> Result<Vec<SourceFile>, HsdsError> {
    let mut names = BTreeMap::new();
    let mut seen = 0usize;
    list(root, "", 2, &mut seen, &mut names, report)?;
    let wanted = choose(names.keys().map(String::as_str), report);
    let mut budget = limits::TOTAL_BYTES;
    let mut files = Vec::new();
    for (name, path) in names {
        let Some(kind) = kind(&name).filter(|_| wanted.contains(&name)) else {
            continue;
        };
        if fs::symlink_metadata(&path)?.len() > limits::FILE_BYTES {
            return Err(HsdsError::FileTooLarge);
        }
        let bytes = read_bounded(File::open(&path)?, limits::FILE_BYTES, &mut budget)?;
        files.push(SourceFile { name, kind, bytes });
    }
    Ok(files)
}

/// Lists regular files of a folder and two levels of subfolders; links are reported, never followed.
fn list(
    folder: &Path,
    prefix: &str,
    deeper: usize,
    seen: &mut usize,
    names: &mut BTreeMap<String, PathBuf>,
    report: &mut Report,
) -> Result<(), HsdsError> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        *seen += 1;
        if *seen > limits::ENTRY_COUNT {
            return Err(HsdsError::TooManyFiles);
        }
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let file_type = entry.file_type()?;
        let name = format!("{prefix}{name}");
        if file_type.is_symlink() {
            report.warn(Some(WHOLE), WarningCode::LinkIgnored);
        } else if file_type.is_file() {
            names.insert(name, entry.path());
        } else if file_type.is_dir() && deeper > 0 {
            list(&entry.path(), &format!("{name}/"), deeper - 1, seen, names, report)?;
        }
    }
    Ok(())
}

const WHOLE: Place = Place { table: Table::Source, row: 0 };

/// Of several files for one table takes the one nearest to the top; `physical_addresses` and
/// `postal_addresses` are two tables in this sense. Documents are read only when there is no services table.
fn choose<'a>(names: impl Iterator<Item = &'a str>, report: &mut Report) -> BTreeSet<String> {
    let mut names: Vec<&str> = names.filter(|name| kind(name).is_some()).collect();
    names.sort_by_key(|name| (name.matches('/').count(), *name));
    let tabular = names.iter().any(|name| matches!(kind(name), Some(Kind::Csv(Table::Services))));
    // A description can give a services table an unexpected file name.
    let described =
        names.iter().any(|name| kind(name) == Some(Kind::Description)) && names.iter().any(|name| kind(name) == Some(Kind::OtherCsv));
    let mut taken = BTreeSet::new();
    let mut wanted = BTreeSet::new();
    for name in names {
        let file = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
        let unique = match kind(name) {
            Some(Kind::Csv(_) | Kind::OtherCsv | Kind::Description) => taken.insert(file),
            Some(Kind::Json | Kind::JsonLines) if tabular || described => continue,
            _ => true,
        };
        if unique {
            wanted.insert(name.to_owned());
        } else {
            report.warn(Some(WHOLE), WarningCode::DuplicateTable);
        }
    }
    wanted
}

fn archive(bytes: Vec<u8>, report: &mut Report) -> Result<Vec<SourceFile>, HsdsError> {
    if bytes.len() as u64 > limits::ZIP_BYTES {
        return Err(HsdsError::FileTooLarge);
    }
    // The directory of an archive is parsed whole: count its headers before that happens.
    if bytes.windows(4).filter(|window| window == b"PK\x01\x02").count() > 2 * limits::ENTRY_COUNT {
        return Err(HsdsError::TooManyFiles);
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| HsdsError::BadArchive)?;
    if archive.len() > limits::ENTRY_COUNT {
        return Err(HsdsError::TooManyFiles);
    }
    let mut names = BTreeMap::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|_| HsdsError::BadArchive)?;
        let name = entry.name().map_err(|_| HsdsError::BadArchive)?.into_owned();
        if !is_safe(&name) {
            return Err(HsdsError::UnsafePath);
        }
        if entry.is_symlink() {
            report.warn(Some(WHOLE), WarningCode::LinkIgnored);
        } else if entry.is_file() && name.matches('/').count() <= 2 {
            if entry.encrypted() {
                return Err(HsdsError::EncryptedArchive);
            }
            names.insert(name, index);
        }
    }
    let wanted = choose(names.keys().map(String::as_str), report);
    let mut budget = limits::TOTAL_BYTES;
    let mut files = Vec::new();
    for (name, index) in names {
        let Some(kind) = kind(&name).filter(|_| wanted.contains(&name)) else {
            continue;
        };
        let entry = archive.by_index(index).map_err(|_| HsdsError::BadArchive)?;
        let bytes = match read_bounded(entry, limits::FILE_BYTES, &mut budget) {
            Err(HsdsError::Unreadable { .. }) => return Err(HsdsError::BadArchive),
            other => other?,
        };
        files.push(SourceFile { name, kind, bytes });
    }
    Ok(files)
}

/// Whether a path stays inside the folder it is relative to, on every operating system.
pub fn is_safe(path: &str) -> bool {
    !path.contains(['\\', ':', '\0'])
        && Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
        && !path.starts_with('/')
}
