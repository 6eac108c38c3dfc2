//! `course record`: the book's recordings, made by the code that the learner has on disk.
//!
//! Each recording lies in `book/src/recordings` four times: as JSON, which is the recording; as a script, because a page
//! opened from a file may load that and nothing else; as a poster and as a text, for print and for readers without
//! JavaScript. All four are made here, on a virtual clock, so the bytes are the same on every machine. But for those of the
//! gallery, of the back of house and of the other kitchen, which were made in real time: see [`gallery`], [`back_of_house`],
//! [`another_kitchen`].

pub mod another_kitchen;
pub mod back_of_house;
pub mod gallery;
mod poster;
pub mod puzzle;
mod telling;
pub mod which_tool;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use flight::rules::{self, Limits};
use flight::{ClockKind, Recording};
use monday::scene::seat;
use pitfalls::quiet_guest;
use pitfalls::souffle::{self, Guest};
use restaurant::Shift;
use threadbots::scene::saturday::Tasting;
use threadbots::scene::{self, Scene};
use threadbots::{Coordination, Opening};
use whatif::{Outcome, Report};

use crate::cli;
use crate::trouble::{Trouble, status};

/// A recording of the book.
pub struct Take {
    /// As in `<floor-plan src="NAME">`.
    pub name: String,
    run: Run,
}

/// What a recording is made of.
enum Run {
    /// A run of its own.
    Alone(fn() -> Recording),
    /// A run that the checker has something to say about.
    Checked(fn() -> Recording, fn() -> Report),
    /// A scene of the ThreadBots: the same.
    Scene(&'static Scene, Coordination),
}

impl Take {
    fn alone(name: &str, record: fn() -> Recording) -> Take {
        Take {
            name: name.to_owned(),
            run: Run::Alone(record),
        }
    }

    fn checked(name: &str, record: fn() -> Recording, check: fn() -> Report) -> Take {
        Take {
            name: name.to_owned(),
            run: Run::Checked(record, check),
        }
    }

    /// `one-table-careless`, and so on.
    fn scene(scene: &'static Scene, coordination: Coordination) -> Take {
        Take {
            name: format!("{}-{coordination}", scene.name),
            run: Run::Scene(scene, coordination),
        }
    }

    fn record(&self) -> Recording {
        match self.run {
            Run::Alone(record) | Run::Checked(record, _) => record(),
            Run::Scene(scene, coordination) => scene.record(coordination),
        }
    }

    fn verdict(&self) -> Option<Report> {
        match self.run {
            Run::Alone(_) => None,
            Run::Checked(_, check) => Some(check()),
            Run::Scene(scene, coordination) => Some(scene.check(coordination)),
        }
    }
}

/// All recordings of the book: every scene of the ThreadBots in every coordination, and what chapters ask for besides.
pub static TAKES: LazyLock<Vec<Take>> = LazyLock::new(|| {
    let scenes = scene::ALL
        .iter()
        .flat_map(|scene| Coordination::ALL.map(|coordination| Take::scene(scene, coordination)));
    others().into_iter().chain(scenes).collect()
});

fn others() -> Vec<Take> {
    vec![
        Take::alone("opening-night", || {
            Opening::new(Coordination::Careless)
                .rehearse(&Shift::friday(42))
                .recording
        }),
        Take::alone("friday-seven", || {
            Opening::new(Coordination::Coordinated)
                .waiters(4)
                .rehearse(&Shift::friday(42))
                .recording
        }),
        Take::alone("rush-unbounded", || scene::rush::record(None)),
        Take::alone("rush-bounded", || scene::rush::record(Some(2))),
        Take::alone("two-tables", || {
            monday::Opening::new()
                .rehearse(&Shift::plan(42, 2, 2, 30))
                .recording
        }),
        Take::alone("two-ovens", monday::scene::bell::record),
        Take::alone("three-jobs", monday::scene::rail::record),
        Take::alone("kitchen-clock", monday::scene::clock::record),
        Take::alone("guests-at-the-door", monday::scene::doorbell::record),
        Take::alone("three-dishes", monday::scene::overlap::record_three_dishes),
        Take::alone("bread-unpolled", monday::scene::overlap::record_unpolled),
        Take::checked(
            "seat-twice",
            || seat::TWICE.record(),
            || seat::TWICE.check(),
        ),
        Take::checked(
            "seat-by-order",
            || seat::BY_ORDER.record(),
            || seat::BY_ORDER.check(),
        ),
        Take::checked(
            "seat-claimed",
            || seat::CLAIMED.record(),
            || seat::CLAIMED.check(),
        ),
        Take::alone(
            "last-orders-dropped",
            monday::scene::last_orders::record_dropped,
        ),
        Take::alone(
            "last-orders-finished",
            monday::scene::last_orders::record_finished,
        ),
        Take::alone("monday-threadbots", || {
            Opening::new(Coordination::Coordinated)
                .rehearse(&Shift::monday(42))
                .recording
        }),
        Take::alone("monday-loopbot", || {
            monday::Opening::new()
                .rehearse(&Shift::monday(42))
                .recording
        }),
        Take::alone("saturday-in-turn", || {
            scene::saturday::record(Tasting::OneAfterTheOther)
        }),
        Take::alone("saturday-together", || {
            scene::saturday::record(Tasting::AtTheSameTime)
        }),
        Take::alone("saturday-blackboard", || {
            scene::saturday::record(Tasting::OneBlackboard)
        }),
        Take::alone("souffle-falls", || souffle::record(Guest::Holds)),
        Take::alone("souffle-stands", || souffle::record(Guest::InParts)),
        Take::alone("souffle-elsewhere", || souffle::record(Guest::Elsewhere)),
        Take::alone("quiet-guest", quiet_guest::record),
    ]
}

/// A file of the book, and what should be in it.
pub struct File {
    /// Relative to the workspace's root.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// Makes the four files of one recording, and a fifth where the checker has its say.
pub fn files(take: &Take) -> Vec<File> {
    let mut files = files_of(&take.name, &take.record());
    let report = take.verdict().map(|report| quoted(&report));
    files.extend(report.map(|text| file(&take.name, "txt", text)));
    files
}

/// The four files of a recording.
fn files_of(name: &str, recording: &Recording) -> Vec<File> {
    let json = recording.to_json_with(&rules::look(recording, &Limits::of(recording)));
    let script = format!(
        "(globalThis.loopbotRecordings ??= {{}})[{name:?}] = {};\n",
        json.trim_end()
    );
    vec![
        file(name, "js", script),
        file(name, "svg", poster::draw(recording)),
        file(name, "md", telling::tell(recording)),
        file(name, "json", json),
    ]
}

fn file(name: &str, extension: &str, text: String) -> File {
    let folder = Path::new("book").join("src").join("recordings");
    File {
        path: folder.join(format!("{name}.{extension}")),
        text,
    }
}

/// A checker's words, as the book quotes them.
fn quoted(report: &Report) -> String {
    match &report.outcome {
        Outcome::Failed(story) => format!(
            "{story}\n   To play it again:  WHATIF_REPLAY={}\n",
            story.id
        ),
        _ => format!("{report}\n"),
    }
}

/// Makes all recordings that are the same each time, and of the others what is made of them; with `check`, changes nothing and fails when a file is not what would be made.
///
/// # Errors
///
/// A file that cannot be written, in one sentence.
pub fn command(root: &Path, check: bool) -> anyhow::Result<u8> {
    let mut stale = make_again(root, check)?;
    let mut made_of_others = Vec::new();
    let mut unsound = back_of_house::check(root, &mut made_of_others)?
        + another_kitchen::check(root, &mut made_of_others)?
        + which_tool::check(root, &mut made_of_others)?
        + gallery::check(root, &mut made_of_others)?;
    if check {
        stale.extend(made_of_others);
    } else {
        renew(root, &made_of_others)?;
        unsound = 0; // That was said, and is another command's.
    }
    if stale.is_empty() {
        return Ok(if unsound == 0 {
            status::DONE
        } else {
            status::FAILS
        });
    }
    cli::answer(&format!(
        "\n{} not what this program makes: `cargo course record` makes them again. {}\n",
        if stale.len() == 1 {
            "This file is"
        } else {
            "These files are"
        },
        stale.join(", ")
    ))?;
    Ok(status::FAILS)
}

/// Those that are the same bytes every time. With `check`, nothing is changed, and what differs is named.
fn make_again(root: &Path, check: bool) -> anyhow::Result<Vec<String>> {
    let mut stale = Vec::new();
    let takes = TAKES.iter().map(|take| (&take.name, Ok(files(take))));
    let puzzles = puzzle::PUZZLES
        .iter()
        .map(|it| (&it.name, puzzle::files(it)));
    for (name, files) in takes.chain(puzzles) {
        let files = match files {
            Ok(files) => files,
            Err(why) => {
                cli::answer(&format!("{name:24} none: {why}\n"))?;
                continue;
            }
        };
        let mut changed = false;
        for file in files {
            let path = root.join(&file.path);
            if fs::read_to_string(&path).is_ok_and(|text| text == file.text) {
                continue;
            }
            changed = true;
            if check {
                stale.push(file.path.display().to_string());
            } else {
                write(&path, &file.text)?;
            }
        }
        let said = match (changed, check) {
            (false, _) => "as it is made now",
            (true, true) => "NOT as it is made now",
            (true, false) => "made again",
        };
        cli::answer(&format!("{name:24} {said}\n"))?;
    }
    Ok(stale)
}

/// Makes poster, text, script and findings of recordings that were made in real time again. What was recorded stays as it is.
fn renew(root: &Path, stale: &[String]) -> anyhow::Result<()> {
    let stem = |path| Path::new(path).file_stem()?.to_str();
    let names: BTreeSet<&str> = stale.iter().filter_map(stem).collect();
    for name in names {
        let json = fs::read_to_string(root.join(file(name, "json", String::new()).path))?;
        for file in files_of(name, &Recording::from_json(&json)?) {
            write(&root.join(&file.path), &file.text)?;
        }
        cli::print(&format!("{name:36} made again, of what was recorded\n"))?;
    }
    Ok(())
}

/// What is in a recording, for the terminal: its facts, how long it took, and the story.
///
/// # Errors
///
/// A file that cannot be read, that is damaged, or that a newer version made: one sentence each.
pub fn tell_file(path: &Path) -> anyhow::Result<String> {
    let recording = read(path)?;
    let header = &recording.header;
    let mut told = format!(
        "{}, {} events in {:.3} s {}\n",
        header.program,
        recording.events.len(),
        Duration::from_nanos(recording.duration()).as_secs_f64(),
        match header.clock {
            ClockKind::Virtual => "of virtual time",
            ClockKind::Monotonic => "on a real clock",
        }
    );
    for (name, fact) in &header.facts {
        told.push_str(&format!("{name}: {fact}\n"));
    }
    if recording.dropped > 0 || !recording.complete {
        told.push_str(&format!(
            "It is not complete: {} events were lost.\n",
            recording.dropped
        ));
    }
    Ok(format!("{told}\n{}", telling::tell(&recording)))
}

/// Reads a recording.
///
/// # Errors
///
/// As [`tell_file`].
pub fn read(path: &Path) -> anyhow::Result<Recording> {
    let refuse = |why: String| Trouble::input(format!("{}: {why}.", path.display()));
    let text =
        fs::read_to_string(path).map_err(|error| refuse(format!("cannot be read ({error})")))?;
    Recording::from_json(&text).map_err(|error| refuse(error.to_string()))
}

/// Written beside the file and moved over it, so that a server never reads half of one.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().expect("recordings lie in a folder");
    let moved = fs::create_dir_all(folder).and_then(|()| {
        let beside = path.with_extension("part");
        fs::write(&beside, text)?;
        fs::rename(&beside, path)
    });
    moved.map_err(|error| {
        Trouble::environment(format!("{} cannot be written ({error}).", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_come_out_twice_and_can_be_read_back() {
        for take in TAKES.iter() {
            let (one, two) = (files(take), files(take));
            for (one, two) in one.iter().zip(&two) {
                assert!(
                    one.text == two.text,
                    "{} differs from run to run",
                    one.path.display()
                );
            }
            let json = one
                .iter()
                .find(|file| file.path.extension().unwrap() == "json")
                .unwrap();
            let recording = Recording::from_json(&json.text)
                .unwrap_or_else(|error| panic!("{}: {error}", take.name));
            assert!(
                recording.complete && recording.dropped == 0,
                "{} has gaps",
                take.name
            );
        }
    }

    #[test]
    fn the_rules_find_in_the_books_runs_what_the_book_tells_and_nothing_else() {
        let found: Vec<(&str, Vec<&str>)> = TAKES
            .iter()
            .filter_map(|take| {
                let recording = take.record();
                let hits = rules::look(&recording, &Limits::of(&recording));
                let names: Vec<_> = hits.iter().map(|hit| hit.rule.name()).collect();
                (!names.is_empty()).then_some((take.name.as_str(), names))
            })
            .collect();
        assert_eq!(
            found,
            [
                ("two-ovens", vec!["lost_waker"]),
                ("guests-at-the-door", vec!["leaked_task"]),
                ("souffle-falls", vec!["long_poll", "late_timer"]),
                (
                    "quiet-guest",
                    vec!["long_poll", "ready_delay", "late_timer"]
                ),
                ("two-keys-careless", vec!["lock_cycle"]),
            ]
        );
    }

    #[test]
    fn the_careless_table_shows_its_collision_everywhere() {
        let take = TAKES
            .iter()
            .find(|take| take.name == "one-table-careless")
            .unwrap();
        for file in files(take) {
            assert!(
                file.text
                    .contains("a party sits at a table that is being cleared"),
                "{} does not tell it",
                file.path.display()
            );
        }
    }

    #[test]
    fn check_changes_nothing_and_finds_what_is_stale() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(command(root.path(), true).unwrap(), status::FAILS);
        assert!(!root.path().join("book").exists());
        assert_eq!(command(root.path(), false).unwrap(), status::DONE);
        assert!(make_again(root.path(), true).unwrap().is_empty());
        fs::write(
            root.path().join("book/src/recordings/two-tables.md"),
            "edited",
        )
        .unwrap();
        assert_eq!(make_again(root.path(), true).unwrap().len(), 1);
        assert_eq!(command(root.path(), true).unwrap(), status::FAILS);
    }
}
