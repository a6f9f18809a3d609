//! P2: a durable save, against one plain SQLite transaction with the same content, on this disk and on a phone's.

use super::child;
use crate::Fail;
use crate::children::{BothSaves, Saves};
use crate::figures::{Figure, Series};
use crate::stage::{DRAFTS, PLAIN, Stage, WRITER};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

const BARE_SAVES: usize = 600;
const SLOW_SAVES: usize = 150;

fn compile_shim(dir: &Path) -> Result<PathBuf, Fail> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/slow_fsync.c");
    let library = dir.join("slow_fsync.so");
    let done = Command::new("cc").args(["-O2", "-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status()?;
    if done.success() { Ok(library) } else { Err("the C compiler refused the shim".into()) }
}

fn both(stage: &Stage, store: &str, copy: &str, count: usize, preload: Option<&Path>) -> Result<BothSaves, Fail> {
    let dir = stage.on_disk(store, copy)?;
    let plain = stage.on_disk(PLAIN, &format!("{copy}.sqlite"))?;
    let (seed, count) = (stage.seed.to_string(), count.to_string());
    child("saves", &[dir.as_os_str(), plain.as_os_str(), OsStr::new(&seed), OsStr::new(&count)], preload)
}

fn series(values: &[f64]) -> Series {
    let mut series = Series::default();
    values.iter().for_each(|ms| series.add_ms(*ms));
    series
}

/// Measures P2.
pub fn save(stage: &Stage) -> Result<Vec<Figure>, Fail> {
    let library = compile_shim(&stage.left("."))?;
    let bare = both(stage, WRITER, "p2", BARE_SAVES, None)?;
    let slow = both(stage, WRITER, "p2-slow", SLOW_SAVES, Some(&library))?;
    let size = stage.size.name();
    type Times = fn(&Saves) -> (&[f64], f64);
    let sorts: [(&str, Times); 2] =
        [("encounter", |saves| (&saves.encounters_ms, saves.encounters_cpu_ms)), ("edit", |saves| (&saves.edits_ms, saves.edits_cpu_ms))];
    let mut figures = Vec::new();
    for (name, times) in sorts {
        let ((ours, ours_cpu), (theirs, theirs_cpu)) = (times(&bare.satchel), times(&bare.plain));
        let count = ours.len() as f64;
        let (ours, theirs) = (series(ours), series(theirs));
        let (slow_ours, slow_theirs) = (series(times(&slow.satchel).0), series(times(&slow.plain).0));
        if slow_theirs.median() < 5.0 {
            return Err("the slowed disk is not slow: the shim does not work here".into());
        }
        figures.extend([
            Figure::aimed("P2", size, format!("{name}: p50 / SQLite, this disk"), ours.median() / theirs.median(), "x", 2.5),
            Figure::aimed("P2", size, format!("{name}: p50 / SQLite, fsync +5 ms"), slow_ours.median() / slow_theirs.median(), "x", 1.2),
            Figure::aimed("P2", size, format!("{name}: processor time above SQLite"), (ours_cpu - theirs_cpu) / count, "ms", 0.5),
            Figure::plain("P2", size, format!("{name}: processor time"), ours_cpu / count, "ms"),
        ]);
        for (whose, disk, series) in
            [("", "", &ours), ("SQLite ", "", &theirs), ("", ", fsync +5 ms", &slow_ours), ("SQLite ", ", fsync +5 ms", &slow_theirs)]
        {
            for percent in [50.0, 95.0, 99.0] {
                figures.push(Figure::plain("P2", size, format!("{name}: {whose}p{percent}{disk}"), series.percentile(percent), "ms"));
            }
        }
    }
    // nobody was met in twelve weeks: no tally has left
    let alone = both(stage, DRAFTS, "p2-alone", SLOW_SAVES, None)?;
    let ratio = series(&alone.satchel.encounters_ms).median() / series(&alone.plain.encounters_ms).median();
    figures.push(Figure::plain("P2", size, "encounter: p50 / SQLite, this disk, nobody met for 84 days", ratio, "x"));
    Ok(figures)
}
