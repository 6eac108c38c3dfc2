//! Room on the disk: where cargo builds, and for temporary files.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::finding::Finding;
use super::machine::gibibytes;
use super::visit::Visit;

/// What building and testing everything here takes, with room to spare.
const TARGET_NEEDED: u64 = 8 << 30;
/// What the exercises alone take.
const TARGET_LEAST: u64 = 1 << 30;
/// What compilers and tests put there at a time.
const TEMP_NEEDED: u64 = 256 << 20;

pub(super) const ANOTHER_TEMP: &str =
    "make room there, or set TMPDIR (TMP on Windows) to a folder of yours with room in it";

const ANOTHER_TARGET: &str = "make room, or set CARGO_TARGET_DIR to a folder on a larger disk; `cargo clean` frees what was built";

/// Room where cargo builds.
pub fn disk(visit: &Visit) -> Finding {
    let target = visit.target();
    if let Err(error) = fs::create_dir_all(&target).and_then(|()| try_out(&target)) {
        return Finding::mend(
            "disk",
            format!("Nothing can be built in {} ({error}).", target.display()),
            "make that folder yours, or set CARGO_TARGET_DIR to one that is",
        );
    }
    judge_disk(&target, fs4::available_space(&target))
}

fn judge_disk(target: &Path, free: io::Result<u64>) -> Finding {
    let what = "disk";
    match free {
        Ok(free) if free >= TARGET_NEEDED => Finding::ok(
            what,
            format!("{} free where cargo builds.", gibibytes(free)),
        ),
        Ok(free) if free >= TARGET_LEAST => Finding::note(
            what,
            format!(
                "{} free in {}: enough for the exercises, but to build and test everything takes up to {}.",
                gibibytes(free),
                target.display(),
                gibibytes(TARGET_NEEDED)
            ),
            ANOTHER_TARGET,
        ),
        Ok(free) => Finding::mend(
            what,
            format!(
                "{} free in {}: the exercises alone take up to {}.",
                gibibytes(free),
                target.display(),
                gibibytes(TARGET_LEAST)
            ),
            ANOTHER_TARGET,
        ),
        Err(error) => Finding::note(
            what,
            format!("The free space is unknown ({error})."),
            format!("see that {} are free", gibibytes(TARGET_NEEDED)),
        ),
    }
}

/// The temporary folder: there, writable, and not full.
pub fn temp(visit: &Visit) -> Finding {
    let temp = &visit.tools.temp;
    match try_out(temp) {
        Ok(()) => judge_temp(temp, fs4::available_space(temp)),
        Err(error) => Finding::mend(
            "temp",
            format!("Nothing can be written to {} ({error}).", temp.display()),
            ANOTHER_TEMP,
        ),
    }
}

fn judge_temp(temp: &Path, free: io::Result<u64>) -> Finding {
    match free {
        Ok(free) if free < TEMP_NEEDED => Finding::mend(
            "temp",
            format!(
                "{} MiB free in {}; compilers need up to {}.",
                free >> 20,
                temp.display(),
                TEMP_NEEDED >> 20
            ),
            ANOTHER_TEMP,
        ),
        _ => Finding::ok("temp", format!("{} can be written to.", temp.display())),
    }
}

/// Writes a mebibyte to a file there, and takes it away again.
fn try_out(folder: &Path) -> io::Result<()> {
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(&vec![0; 1 << 20])?;
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::State;

    fn visit(temp: &Path) -> Visit {
        let mut visit = Visit::new(temp);
        visit.tools.temp = temp.to_path_buf();
        visit.tools.target = None;
        visit
    }

    #[test]
    fn a_temporary_folder_that_is_not_there_is_named() {
        let finding = temp(&visit(Path::new("/no/such/folder")));
        assert_eq!(finding.state, State::Mend);
        assert!(finding.found.contains("/no/such/folder"), "{finding:?}");
        assert!(finding.mend.unwrap().contains("TMPDIR"));
    }

    #[test]
    fn a_full_temporary_folder_is_a_finding() {
        let folder = tempfile::tempdir().unwrap();
        let finding = judge_temp(folder.path(), Ok(3 << 20));
        assert_eq!(finding.state, State::Mend);
        assert!(finding.found.starts_with("3 MiB free"), "{finding:?}");
        assert_eq!(temp(&visit(folder.path())).state, State::Ok);
    }

    #[test]
    fn a_target_that_cannot_be_made_is_a_finding() {
        let root = tempfile::tempdir().unwrap();
        fs::write(
            root.path().join("target"),
            "a file stands where the folder goes",
        )
        .unwrap();
        let finding = disk(&visit(root.path()));
        assert_eq!(finding.state, State::Mend);
        assert!(finding.mend.unwrap().contains("CARGO_TARGET_DIR"));
    }

    #[test]
    fn a_disk_is_judged_by_what_is_free() {
        let state = |free| judge_disk(Path::new("target"), Ok(free)).state;
        assert_eq!(state(100 << 30), State::Ok);
        assert_eq!(state(2 << 30), State::Note);
        assert_eq!(state(200 << 20), State::Mend);
        let unknown = judge_disk(Path::new("target"), Err(io::ErrorKind::Unsupported.into()));
        assert_eq!(unknown.state, State::Note);
    }
}
