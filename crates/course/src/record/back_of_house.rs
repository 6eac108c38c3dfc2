//! The recordings of the back of house. Its threads are real, and so is the time that they need: as with the [gallery's](super::gallery),
//! one asks not whether the recordings are the same but whether they show what they are there to show. Here that is the
//! order in which things happen, and that the rules find nothing.

use std::path::Path;

use flight::Recording;
use flight::rules::{self, Limits};
use pitfalls::back_of_house::Evening;

use super::gallery::{TRIES, sound, spoilt};
use super::{files_of, write};
use crate::cli;
use crate::trouble::status;

/// What they are called.
pub fn names() -> impl Iterator<Item = String> {
    Evening::ALL.iter().map(|evening| evening.name().to_owned())
}

/// Makes all of them again.
///
/// # Errors
///
/// A file that cannot be written; a recording that does not come out as it should, however many times it is made.
pub fn make(root: &Path) -> anyhow::Result<u8> {
    for evening in Evening::ALL {
        for file in files_of(evening.name(), &record(evening)?) {
            write(&root.join(&file.path), &file.text)?;
        }
        cli::answer(&format!("{:36} made again\n", evening.name()))?;
    }
    Ok(status::DONE)
}

/// One that shows what it is there to show.
fn record(evening: Evening) -> anyhow::Result<Recording> {
    let mut why = String::new();
    for _ in 0..TRIES {
        let recording = evening.record();
        match judge(evening, &recording) {
            Ok(()) => return Ok(recording),
            Err(wrong) => why = wrong,
        }
    }
    Err(spoilt(evening.name(), &why))
}

/// Says of each whether it is what it should be, and adds to `stale` the files that are not made of their recording.
/// Returns how many recordings do not show what they are there to show.
///
/// # Errors
///
/// When nobody reads what is printed.
pub(super) fn check(root: &Path, stale: &mut Vec<String>) -> anyhow::Result<usize> {
    let mut unsound = 0;
    for evening in Evening::ALL {
        let judge = |recording: &Recording| judge(evening, recording);
        let sound = sound(root, evening.name(), stale, judge);
        unsound += usize::from(sound.is_err());
        let said = match sound {
            Ok(()) => "shows what it should".to_owned(),
            Err(why) => format!("NOT as it should be: {why}"),
        };
        cli::answer(&format!("{:36} {said}\n", evening.name()))?;
    }
    Ok(unsound)
}

/// Whether things happen in the order that is told, and nobody holds LoopBot or is late.
fn judge(evening: Evening, recording: &Recording) -> Result<(), String> {
    evening.check(recording)?;
    match rules::look(recording, &Limits::default()).first() {
        Some(hit) => Err(format!("{}: {}", hit.rule.name(), hit.says)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn those_in_the_book_are_sound_and_what_is_not_made_of_them_is_found() {
        let scratch = tempfile::tempdir().unwrap();
        let mut stale = Vec::new();
        let all = Evening::ALL.len();
        assert_eq!(check(scratch.path(), &mut stale).unwrap(), all);

        let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        assert_eq!(check(&book, &mut stale).unwrap(), 0);
        assert!(stale.is_empty(), "{stale:?}");

        let folder = Path::new("book/src/recordings");
        fs::create_dir_all(scratch.path().join(folder)).unwrap();
        for name in names() {
            for extension in ["json", "js", "svg", "md"] {
                let file = folder.join(format!("{name}.{extension}"));
                fs::copy(book.join(&file), scratch.path().join(&file)).unwrap();
            }
        }
        let story = folder.join("cellar-one-bottle.md");
        fs::write(scratch.path().join(&story), "edited").unwrap();
        assert_eq!(check(scratch.path(), &mut stale).unwrap(), 0);
        assert_eq!(stale, [story.display().to_string()]);
    }

    #[test]
    fn one_evening_is_not_taken_for_another() {
        let recording = Evening::GuestsLeave.record();
        let why = judge(Evening::FiveBottles, &recording).unwrap_err();
        assert!(why.contains("not where it belongs"), "{why}");
    }
}
