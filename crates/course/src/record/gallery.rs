//! The recordings of the gallery: `gallery-NAME-broken` and `gallery-NAME-mended`.
//!
//! They are made in real time, since what blocks for real takes its time for real. So they come out differently each time, and no
//! one can ask whether they are the same. What is asked of them is what they are there to show: the rules find that a broken one
//! holds LoopBot, and nothing red in a mended one. And poster, text and script must be those of the recording.

use std::fs;
use std::path::Path;

use flight::Recording;
use flight::rules::{self, Hit, Limits, Rule, Severity};
use pitfalls::gallery::{ALL, Ended, Entry, VICTIM, Version};

use super::{file, files_of, write};
use crate::cli;
use crate::trouble::{Trouble, status};

/// A machine that is busy with something else can spoil a recording. Then it is made again, so many times.
pub(super) const TRIES: usize = 10;

fn name(entry: &Entry, version: Version) -> String {
    format!("gallery-{}-{}", entry.name, version.name())
}

fn all() -> impl Iterator<Item = (&'static Entry, Version)> {
    ALL.iter()
        .flat_map(|entry| Version::BOTH.map(|version| (entry, version)))
}

/// What they are called, and whether the run comes to an end. If it does not, neither does the recording.
pub fn names() -> impl Iterator<Item = (String, bool)> {
    all().map(|(entry, version)| {
        let ends = !entry.never_ends || version == Version::Mended;
        (name(entry, version), ends)
    })
}

/// Makes all of them again.
///
/// # Errors
///
/// A file that cannot be written; a recording that does not come out as it should, however many times it is made.
pub fn make(root: &Path) -> anyhow::Result<u8> {
    for (entry, version) in all() {
        let name = name(entry, version);
        match record(entry, version)? {
            Ok(recording) => {
                for file in files_of(&name, &recording) {
                    write(&root.join(&file.path), &file.text)?;
                }
                cli::answer(&format!("{name:36} made again\n"))?;
            }
            Err(why) => cli::answer(&format!("{name:36} none: {why}\n"))?,
        }
    }
    Ok(status::DONE)
}

/// One that shows what it is there to show; or why this system cannot make it.
fn record(entry: &Entry, version: Version) -> anyhow::Result<Result<Recording, String>> {
    let mut wrong = String::new();
    for _ in 0..TRIES {
        let run = entry.record(version);
        if let Ended::Failed(why) = run.ended {
            return Ok(Err(why.to_string()));
        }
        let recording = run.recording.expect("LoopBot was given a recorder");
        match judge(version, &recording) {
            Ok(()) => return Ok(Ok(recording)),
            Err(why) => wrong = why,
        }
    }
    Err(spoilt(&name(entry, version), &wrong))
}

pub(super) fn spoilt(name: &str, why: &str) -> anyhow::Error {
    Trouble::environment(format!(
        "{name} was spoilt {TRIES} times, the last time because {why}. If this machine is busy, try again when it is not."
    ))
}

/// Says of each whether it is what it should be, and adds to `stale` the files that are not made of their recording.
/// Returns how many recordings do not show what they are there to show.
///
/// # Errors
///
/// When nobody reads what is printed.
pub(super) fn check(root: &Path, stale: &mut Vec<String>) -> anyhow::Result<usize> {
    let mut unsound = 0;
    for (entry, version) in all() {
        let name = name(entry, version);
        let judge = |recording: &Recording| judge(version, recording);
        let sound = sound(root, &name, stale, judge);
        unsound += usize::from(sound.is_err());
        let said = match sound {
            Ok(()) => "shows what it should".to_owned(),
            Err(why) => format!("NOT as it should be: {why}"),
        };
        cli::answer(&format!("{name:36} {said}\n"))?;
    }
    if unsound > 0 {
        cli::answer(
            "\n`cargo course record --gallery` makes those again that were made in real time.\n",
        )?;
    }
    Ok(unsound)
}

pub(super) fn sound(
    root: &Path,
    name: &str,
    stale: &mut Vec<String>,
    judge: impl Fn(&Recording) -> Result<(), String>,
) -> Result<(), String> {
    let path = root.join(file(name, "json", String::new()).path);
    let text = fs::read_to_string(&path).map_err(|why| format!("it cannot be read ({why})"))?;
    let recording = Recording::from_json(&text).map_err(|why| why.to_string())?;
    for file in files_of(name, &recording) {
        if !fs::read_to_string(root.join(&file.path)).is_ok_and(|text| text == file.text) {
            stale.push(file.path.display().to_string());
        }
    }
    judge(&recording)
}

/// What the rules have to find, and what not.
fn judge(version: Version, recording: &Recording) -> Result<(), String> {
    let hits = rules::look(recording, &Limits::default());
    match version {
        Version::Broken => {
            let holds = |hit: &Hit| hit.rule == Rule::LongPoll && hit.severity == Severity::Red;
            let is_late = |hit: &Hit| hit.rule == Rule::LateTimer && hit.subject == VICTIM;
            if !hits.iter().any(holds) {
                return Err("the rules find nobody who holds LoopBot".to_owned());
            }
            if !hits.iter().any(is_late) {
                return Err("the rules find that nobody's timer was late".to_owned());
            }
            Ok(())
        }
        Version::Mended => match hits.iter().find(|hit| hit.severity == Severity::Red) {
            Some(hit) => Err(format!("{}: {}", hit.rule.name(), hit.says)),
            None => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pitfalls::gallery;

    #[test]
    fn a_broken_one_is_not_taken_for_a_mended_one() {
        let entry = gallery::find("thread-sleep").unwrap();
        let recording = record(entry, Version::Broken).unwrap().unwrap();
        let why = judge(Version::Mended, &recording).unwrap_err();
        assert!(why.contains("kept LoopBot to itself"), "{why}");
    }

    #[test]
    fn what_is_not_there_and_what_is_not_made_of_it() {
        let root = tempfile::tempdir().unwrap();
        let entry = gallery::find("thread-sleep").unwrap();
        let name = name(entry, Version::Broken);
        let mut stale = Vec::new();
        let look = |stale: &mut Vec<String>| {
            sound(root.path(), &name, stale, |it| judge(Version::Broken, it))
        };
        let why = look(&mut stale).unwrap_err();
        assert!(why.contains("cannot be read"), "{why}");

        let recording = record(entry, Version::Broken).unwrap().unwrap();
        for file in files_of(&name, &recording) {
            write(&root.path().join(file.path), &file.text).unwrap();
        }
        assert_eq!(look(&mut stale), Ok(()));
        assert!(stale.is_empty(), "{stale:?}");

        let poster = root.path().join(file(&name, "svg", String::new()).path);
        fs::write(poster, "edited").unwrap();
        assert_eq!(look(&mut stale), Ok(()));
        assert_eq!(stale.len(), 1);
    }
}
