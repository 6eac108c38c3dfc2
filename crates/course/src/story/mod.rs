//! `course story NN`: watch how an exercise goes wrong. Its tests run as `course check` runs them; each run that whatif
//! tells becomes a recording, and all of them a page that the book's own player plays.

mod flown;
mod page;
mod source;
mod told;

use std::fs;
use std::path::{Path, PathBuf};

use crate::check::{self, CheckOptions, Checked, Verdict};
use crate::contained::Stop;
use crate::exercises::Exercise;
use crate::trouble::Trouble;

pub use page::page;
pub use told::{Line, Told, Turn, read};

/// What came of an exercise's tests.
pub struct Watched {
    /// The page, and how many runs it shows. None: no run was told.
    pub page: Option<(PathBuf, usize)>,
    /// How the tests ended.
    pub checked: Checked,
}

/// Runs an exercise's tests and makes a page of the runs that go wrong.
///
/// # Errors
///
/// One sentence, when a file cannot be written.
pub fn watch(
    root: &Path,
    exercise: &Exercise,
    options: &CheckOptions,
    stop: &Stop,
    on_line: &mut dyn FnMut(&str),
) -> anyhow::Result<Watched> {
    let folder = tempfile::tempdir().map_err(|error| {
        Trouble::environment(format!(
            "No temporary folder can be made ({error}): is the disk full?"
        ))
    })?;
    let record = folder.path().join("told");
    let options = CheckOptions {
        record: Some(record.clone()),
        ..options.clone()
    };
    let checked = check::check(root, exercise, &options, stop, on_line);
    // No file: nothing was told. If the tests were ended in the middle of one, the runs before it still count.
    let told = fs::read_to_string(&record)
        .ok()
        .and_then(|text| read(&text).ok());
    let mut stories = told.unwrap_or_default();
    if checked.verdict == Verdict::Passes {
        // Where a test wants a run to go wrong, that run is nothing to look into. One that was asked for is.
        stories.retain(|told| told.good);
    }
    if stories.is_empty() {
        return Ok(Watched {
            page: None,
            checked,
        });
    }
    let heading = format!("Exercise {}: {}", exercise.number, exercise.title);
    let target = options.target.unwrap_or_else(|| check::target_dir(root));
    let path = target
        .join("stories")
        .join(format!("exercise-{}.html", exercise.number));
    write(&path, &page(&heading, &stories, &[&exercise.folder, root]))?;
    let page = Some((path, stories.len()));
    Ok(Watched { page, checked })
}

/// Makes a page of a file that whatif has written.
///
/// # Errors
///
/// One sentence: a file that cannot be read, is something else, or a page that cannot be written.
pub fn page_of(file: &Path) -> anyhow::Result<PathBuf> {
    let refuse = |why: String| Trouble::input(format!("{}: {why}.", file.display()));
    let text =
        fs::read_to_string(file).map_err(|error| refuse(format!("cannot be read ({error})")))?;
    let stories = read(&text).map_err(refuse)?;
    let path = file.with_extension("html");
    write(
        &path,
        &page("How it goes wrong", &stories, &[Path::new(".")]),
    )?;
    Ok(path)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let written = fs::create_dir_all(path.parent().unwrap_or(Path::new("")))
        .and_then(|()| fs::write(path, text));
    written.map_err(|error| {
        Trouble::environment(format!("{} cannot be written ({error}).", path.display()))
    })
}
