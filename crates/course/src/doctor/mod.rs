//! `course doctor`: is this machine ready, and if not, what mends it?
//!
//! - `rounds` looks at one thing after another; no look may hang. `screen` says what it is doing meanwhile.
//! - A look gives a [`finding`], from what it needs to know for a [`visit`]. Each kind of look is a module.
//! - `offline` builds everything with the network off, and [`bundle`] makes the archive in which that works anywhere.
//! - `platform` is what differs between systems.

use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use crate::trouble::status;
use crate::{cli, interrupt};

use finding::State;
use rounds::{Look, Rounds};
use screen::Screen;
use visit::Tools;

mod ask;
pub mod bundle;
mod clock;
mod crates;
mod descriptors;
mod desk;
pub mod evening;
mod exercise;
pub mod finding;
mod linker;
mod machine;
mod offline;
mod platform;
mod port;
mod room;
mod rounds;
mod screen;
mod toolchain;
pub mod visit;

/// All looks of `doctor` together take no longer than this.
const TWO_MINUTES: Duration = Duration::from_secs(120);
/// With `--offline`, everything is built besides, on whatever machine this is.
const TWO_HOURS: Duration = Duration::from_secs(7200);

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// Build everything with the network off, besides: it takes minutes, and some GiB on the disk
    #[arg(long)]
    pub offline: bool,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// Looks at everything, prints each finding as it is made, and ends with one sentence.
///
/// # Errors
///
/// When nothing can be printed.
pub fn command(root: &Path, args: &DoctorArgs) -> anyhow::Result<u8> {
    let interrupt = interrupt::listen()?;
    let begun = Instant::now();
    let mut looks = looks();
    let mut all_together = TWO_MINUTES;
    if args.offline {
        looks.extend(offline_looks());
        all_together = TWO_HOURS;
    }
    let mut screen = Screen::new(args.json);
    let rounds = rounds::go(
        root,
        &Tools::here(),
        &looks,
        all_together,
        interrupt.stop(),
        &mut screen,
    )?;
    if rounds.stopped {
        remark!("Stopped.");
        return Ok(status::INTERRUPTED);
    }
    let needed = count(&rounds, State::Mend);
    let ready = needed == 0 && count(&rounds, State::Skipped) == 0;
    let sentence = sentence(&rounds, needed, args.offline);
    if args.json {
        let findings: Vec<_> = rounds
            .findings
            .iter()
            .map(|(finding, took)| {
                json!({
                    "what": finding.what,
                    "state": finding.state,
                    "found": finding.found,
                    "mend": finding.mend,
                    "seconds": seconds(*took),
                })
            })
            .collect();
        let answer = json!({
            "ready": ready,
            "sentence": sentence,
            "seconds": seconds(begun.elapsed()),
            "findings": findings,
        });
        cli::answer(&format!("{answer:#}\n"))?;
    } else {
        cli::answer(&format!("\n{sentence}\n"))?;
    }
    Ok(if ready {
        status::DONE
    } else {
        status::ENVIRONMENT
    })
}

fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

fn count(rounds: &Rounds, state: State) -> usize {
    rounds
        .findings
        .iter()
        .filter(|(finding, _)| finding.state == state)
        .count()
}

fn sentence(rounds: &Rounds, needed: usize, offline: bool) -> String {
    let skipped = match count(rounds, State::Skipped) {
        0 => "",
        _ => " Then run this again, for what was not looked at.",
    };
    match needed {
        0 if !skipped.is_empty() => {
            "Nothing wrong was found, but not everything was looked at: run this again.".to_owned()
        }
        0 if offline => "This machine is ready, and needs no network.".to_owned(),
        0 => "This machine is ready.".to_owned(),
        1 => format!("One thing is missing: see the line marked MEND.{skipped}"),
        n => format!("{n} things are missing: see the lines marked MEND.{skipped}"),
    }
}

/// What is looked at, the quick things first.
fn looks() -> Vec<Look> {
    const AGAIN: &str = "run this again; if it is the same, restart the machine";
    const DRIVE: &str = "a network drive that does not answer is the usual reason: keep the course on a disk of this machine";
    let look = |what, doing, seconds, late, look| Look {
        what,
        doing,
        limit: Duration::from_secs(seconds),
        late,
        look,
    };
    vec![
        look(
            "rustc",
            "asks the compiler for its version",
            20,
            AGAIN,
            toolchain::rustc,
        ),
        look(
            "cargo",
            "asks cargo for its version",
            20,
            AGAIN,
            toolchain::cargo,
        ),
        look("cores", "counts them", 5, AGAIN, machine::cores),
        look(
            "memory",
            "asks how much there is",
            15,
            AGAIN,
            machine::memory,
        ),
        look(
            "open files",
            "asks for the limit",
            5,
            AGAIN,
            descriptors::descriptors,
        ),
        look(
            "port",
            "opens one, and talks through it",
            15,
            AGAIN,
            port::port,
        ),
        look("disk", "writes where cargo builds", 15, DRIVE, room::disk),
        look(
            "temp",
            "writes to the temporary folder",
            15,
            DRIVE,
            room::temp,
        ),
        look(
            "clock",
            "compares files with the clock",
            10,
            DRIVE,
            clock::clock,
        ),
        look(
            "linker",
            "builds and runs a program of one line",
            60,
            AGAIN,
            linker::linker,
        ),
        look(
            "crates",
            "asks cargo whether all are here",
            30,
            DRIVE,
            crates::crates,
        ),
        look(
            "exercise",
            "builds and runs exercise 03",
            100,
            "cargo course check 03    (it takes its time, once; then run this again)",
            exercise::exercise,
        ),
        look(
            "seed 42",
            "plays an evening on virtual time",
            30,
            AGAIN,
            evening::evening,
        ),
        look(
            "editor",
            "looks for one, and for rust-analyzer",
            15,
            AGAIN,
            desk::editor,
        ),
        look("git", "asks git for its version", 10, AGAIN, desk::git),
    ]
}

fn offline_looks() -> Vec<Look> {
    const LATE: &str = "CARGO_BUILD_JOBS=2 cargo test --no-run --workspace --all-targets --offline --locked    (goes on where this was stopped)";
    let look = |what, doing, look| Look {
        what,
        doing,
        limit: Duration::from_secs(3600),
        late: LATE,
        look,
    };
    vec![
        look(
            "offline",
            "builds everything with the network off",
            offline::everything,
        ),
        look(
            "exercises",
            "builds each exercise by itself, with the network off",
            offline::exercises,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use finding::Finding;

    fn rounds(findings: Vec<Finding>) -> Rounds {
        Rounds {
            findings: findings
                .into_iter()
                .map(|finding| (finding, Duration::ZERO))
                .collect(),
            stopped: false,
        }
    }

    #[test]
    fn the_last_sentence_counts_what_is_missing() {
        let say = |findings: Vec<Finding>| {
            let rounds = rounds(findings);
            sentence(&rounds, count(&rounds, State::Mend), false)
        };
        let (ok, note) = (Finding::ok("a", ""), Finding::note("b", "", ""));
        let (mend, skipped) = (Finding::mend("c", "", ""), Finding::skipped("d", ""));
        assert_eq!(say(vec![ok.clone(), note]), "This machine is ready.");
        assert!(say(vec![ok, mend.clone()]).starts_with("One thing is missing"));
        let two = say(vec![mend.clone(), mend, skipped.clone()]);
        assert!(
            two.starts_with("2 things") && two.contains("not looked at"),
            "{two}"
        );
        assert!(!say(vec![skipped]).contains("ready"));
    }

    #[test]
    fn without_the_build_all_looks_have_a_limit_within_two_minutes() {
        assert!(looks().iter().all(|look| look.limit < TWO_MINUTES));
    }
}
