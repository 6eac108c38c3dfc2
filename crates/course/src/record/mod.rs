//! `course record`: the book's recordings, made by the code that the learner has on disk.
//!
//! Each recording lies in `book/src/recordings` four times: as JSON, which is the recording; as a script, because a page
//! opened from a file may load that and nothing else; as a poster and as a text, for print and for readers without
//! JavaScript. All four are made here, on a virtual clock, so the bytes are the same on every machine.

mod poster;
mod telling;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flight::{ClockKind, Recording};
use monday::scene::seat;
use restaurant::Shift;
use threadbots::{Coordination, Opening, scene};
use whatif::{Outcome, Report};

use crate::cli;
use crate::trouble::{Trouble, status};

/// A recording of the book: its name, and the run that it is made of.
pub struct Take {
    /// As in `<floor-plan src="NAME">`.
    pub name: &'static str,
    /// Makes it.
    pub run: fn() -> Recording,
    /// If it is a scene that can be checked: what the checker says of it.
    pub verdict: Option<fn() -> Report>,
}

/// All recordings of the book.
pub const TAKES: &[Take] = &[
    Take {
        name: "opening-night",
        run: || {
            Opening::new(Coordination::Careless)
                .rehearse(&Shift::friday(42))
                .recording
        },
        verdict: None,
    },
    Take {
        name: "one-table-careless",
        run: || scene::record_one_table(Coordination::Careless),
        verdict: Some(|| scene::check_one_table(Coordination::Careless)),
    },
    Take {
        name: "one-table-napping",
        run: || scene::record_one_table(Coordination::Napping),
        verdict: Some(|| scene::check_one_table(Coordination::Napping)),
    },
    Take {
        name: "one-table-coordinated",
        run: || scene::record_one_table(Coordination::Coordinated),
        verdict: Some(|| scene::check_one_table(Coordination::Coordinated)),
    },
    Take {
        name: "two-tables",
        run: || {
            monday::Opening::new()
                .rehearse(&Shift::plan(42, 2, 2, 30))
                .recording
        },
        verdict: None,
    },
    Take {
        name: "two-ovens",
        run: monday::scene::bell::record,
        verdict: None,
    },
    Take {
        name: "three-jobs",
        run: monday::scene::rail::record,
        verdict: None,
    },
    Take {
        name: "kitchen-clock",
        run: monday::scene::clock::record,
        verdict: None,
    },
    Take {
        name: "guests-at-the-door",
        run: monday::scene::doorbell::record,
        verdict: None,
    },
    Take {
        name: "three-dishes",
        run: monday::scene::overlap::record_three_dishes,
        verdict: None,
    },
    Take {
        name: "bread-unpolled",
        run: monday::scene::overlap::record_unpolled,
        verdict: None,
    },
    Take {
        name: "seat-twice",
        run: || seat::TWICE.record(),
        verdict: Some(|| seat::TWICE.check()),
    },
    Take {
        name: "seat-by-order",
        run: || seat::BY_ORDER.record(),
        verdict: Some(|| seat::BY_ORDER.check()),
    },
    Take {
        name: "seat-claimed",
        run: || seat::CLAIMED.record(),
        verdict: Some(|| seat::CLAIMED.check()),
    },
    Take {
        name: "last-orders-dropped",
        run: monday::scene::last_orders::record_dropped,
        verdict: None,
    },
    Take {
        name: "last-orders-finished",
        run: monday::scene::last_orders::record_finished,
        verdict: None,
    },
    Take {
        name: "monday-threadbots",
        run: || {
            Opening::new(Coordination::Coordinated)
                .rehearse(&Shift::monday(42))
                .recording
        },
        verdict: None,
    },
    Take {
        name: "monday-loopbot",
        run: || {
            monday::Opening::new()
                .rehearse(&Shift::monday(42))
                .recording
        },
        verdict: None,
    },
];

/// A file of the book, and what should be in it.
pub struct File {
    /// Relative to the workspace's root.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// Makes the four files of one recording, and a fifth where the checker has its say.
pub fn files(take: &Take) -> Vec<File> {
    let recording = (take.run)();
    let json = recording.to_json();
    let folder = Path::new("book").join("src").join("recordings");
    let file = |extension: &str, text: String| File {
        path: folder.join(format!("{}.{extension}", take.name)),
        text,
    };
    let mut files = vec![
        file(
            "js",
            format!(
                "(globalThis.loopbotRecordings ??= {{}})[{:?}] = {};\n",
                take.name,
                json.trim_end()
            ),
        ),
        file("svg", poster::draw(&recording)),
        file("md", telling::tell(&recording)),
        file("json", json),
    ];
    files.extend(take.verdict.map(|verdict| file("txt", quoted(&verdict()))));
    files
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

/// Makes all recordings; with `check`, changes nothing and fails when a file is not what would be made.
///
/// # Errors
///
/// A file that cannot be written, in one sentence.
pub fn command(root: &Path, check: bool) -> anyhow::Result<u8> {
    let mut stale = Vec::new();
    for take in TAKES {
        let mut changed = false;
        for file in files(take) {
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
        cli::print(&format!("{:24} {said}\n", take.name))?;
    }
    if stale.is_empty() {
        return Ok(status::DONE);
    }
    cli::print(&format!(
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

/// What is in a recording, for the terminal: its facts, how long it took, and the story.
///
/// # Errors
///
/// A file that cannot be read, that is damaged, or that a newer version made: one sentence each.
pub fn tell_file(path: &Path) -> anyhow::Result<String> {
    let refuse = |why: String| Trouble::input(format!("{}: {why}.", path.display()));
    let text =
        fs::read_to_string(path).map_err(|error| refuse(format!("cannot be read ({error})")))?;
    let recording = Recording::from_json(&text).map_err(|error| refuse(error.to_string()))?;
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
        for take in TAKES {
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
        assert_eq!(command(root.path(), true).unwrap(), status::DONE);
        fs::write(
            root.path().join("book/src/recordings/two-tables.md"),
            "edited",
        )
        .unwrap();
        assert_eq!(command(root.path(), true).unwrap(), status::FAILS);
    }
}
