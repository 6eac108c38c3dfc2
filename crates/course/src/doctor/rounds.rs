//! Looks at one thing after another. Each look has a limit, all of them together have one, and a slow one never looks dead.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::contained::Stop;

use super::finding::{Finding, State};
use super::screen::Screen;
use super::visit::{Tools, Visit};

/// How often the screen is brought up to date and Ctrl-C looked at.
const GLANCE: Duration = Duration::from_millis(100);
/// How long a look that was stopped may take to end what it has started.
const LAST_MOMENTS: Duration = Duration::from_secs(2);

/// Something to look at.
pub struct Look {
    /// Its name.
    pub what: &'static str,
    /// What is done, for the screen: "builds and runs a program".
    pub doing: &'static str,
    /// How long it may take.
    pub limit: Duration,
    /// What to do when it takes longer.
    pub late: &'static str,
    /// Looks.
    pub look: fn(&Visit) -> Finding,
}

/// What the rounds gave.
pub struct Rounds {
    /// In the order of the looks; fewer than those when it was stopped.
    pub findings: Vec<(Finding, Duration)>,
    /// Whether somebody stopped it.
    pub stopped: bool,
}

/// Looks at everything, and tells the screen.
pub fn go(
    root: &Path,
    tools: &Tools,
    looks: &[Look],
    all_together: Duration,
    stop: &Stop,
    screen: &mut Screen,
) -> anyhow::Result<Rounds> {
    let begun = Instant::now();
    let mut rounds = Rounds {
        findings: Vec::new(),
        stopped: false,
    };
    let mut visit = Visit::new(root);
    visit.tools = tools.clone();
    for look in looks {
        let left = all_together.saturating_sub(begun.elapsed());
        let started = Instant::now();
        screen.begins(look);
        let finding = if left.is_zero() {
            Finding::skipped(
                look.what,
                format!(
                    "Not looked at, for {} seconds are over.",
                    all_together.as_secs()
                ),
            )
        } else {
            visit.limit = look.limit.min(left);
            visit.stop = Stop::new();
            match one(look, &visit, stop, screen)? {
                Some(finding) => finding,
                None => {
                    rounds.stopped = true;
                    screen.clear();
                    return Ok(rounds);
                }
            }
        };
        if finding.state == State::Mend {
            visit.broken.insert(look.what);
        }
        screen.found(&finding)?;
        rounds.findings.push((finding, started.elapsed()));
    }
    Ok(rounds)
}

/// One look, on a thread of its own: what asks a dead network drive cannot be interrupted, and is left to itself.
fn one(
    look: &Look,
    visit: &Visit,
    stop: &Stop,
    screen: &mut Screen,
) -> anyhow::Result<Option<Finding>> {
    let (say, said) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    let mut visit = visit.clone();
    visit.say = Some(say);
    let (limit, its_stop, see) = (visit.limit, visit.stop.clone(), look.look);
    thread::Builder::new()
        .name(look.what.to_owned())
        .spawn(move || tell.send(see(&visit)))?;
    let started = Instant::now();
    let mut asked_to_end = None;
    loop {
        match told.recv_timeout(GLANCE) {
            // What it says after it was told to end is about the ending.
            Ok(finding) if asked_to_end.is_none() => return Ok(Some(finding)),
            Err(RecvTimeoutError::Timeout)
                if asked_to_end.is_none_or(|at: Instant| at.elapsed() < LAST_MOMENTS) => {}
            Err(RecvTimeoutError::Disconnected) if asked_to_end.is_none() => {
                return Ok(Some(Finding::mend(
                    look.what,
                    "The course program broke down while it looked; its words are above.",
                    "report it, with those words",
                )));
            }
            _ if stop.is_raised() => return Ok(None),
            _ => {
                return Ok(Some(Finding::mend(
                    look.what,
                    format!("No answer within {} seconds.", limit.as_secs()),
                    look.late,
                )));
            }
        }
        while let Ok(detail) = said.try_recv() {
            screen.detail(detail);
        }
        if asked_to_end.is_none() && (stop.is_raised() || started.elapsed() > limit) {
            its_stop.now();
            asked_to_end = Some(Instant::now());
        }
        screen.still();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(what: &'static str, look: fn(&Visit) -> Finding) -> Look {
        Look {
            what,
            doing: "looks",
            limit: Duration::from_secs(30),
            late: "look again",
            look,
        }
    }

    fn rounds(looks: &[Look], all_together: Duration, stop: &Stop) -> Rounds {
        let mut screen = Screen::silent();
        go(
            Path::new("."),
            &Tools::here(),
            looks,
            all_together,
            stop,
            &mut screen,
        )
        .unwrap()
    }

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn what_is_broken_is_known_to_the_looks_after_it() {
        let looks = [
            look("rustc", |_| Finding::mend("rustc", "gone", "install it")),
            look("linker", |visit| match visit.is_broken("rustc") {
                true => Finding::skipped("linker", "no compiler"),
                false => Finding::ok("linker", "there"),
            }),
        ];
        let rounds = rounds(&looks, LONG, &Stop::new());
        assert_eq!(rounds.findings[1].0.state, State::Skipped);
    }

    #[test]
    fn a_look_that_never_ends_is_a_finding_and_the_next_one_is_made() {
        let never = Look {
            limit: Duration::from_millis(50),
            ..look("drive", |visit| {
                // As a read from a dead drive: not even a stop is heard.
                let _keep = visit.clone();
                loop {
                    thread::park();
                }
            })
        };
        let looks = [never, look("git", |_| Finding::ok("git", "there"))];
        let rounds = rounds(&looks, LONG, &Stop::new());
        let (drive, git) = (&rounds.findings[0].0, &rounds.findings[1].0);
        assert_eq!((drive.state, git.state), (State::Mend, State::Ok));
        assert_eq!(drive.mend.as_deref(), Some("look again"));
    }

    #[test]
    fn a_look_that_breaks_down_is_a_finding() {
        let rounds = rounds(
            &[look("disk", |_| panic!("a look may panic, too"))],
            LONG,
            &Stop::new(),
        );
        assert_eq!(rounds.findings[0].0.state, State::Mend);
    }

    #[test]
    fn when_all_the_time_is_over_the_rest_is_skipped() {
        let rounds = rounds(
            &[look("disk", |_| panic!("not looked at"))],
            Duration::ZERO,
            &Stop::new(),
        );
        assert_eq!(rounds.findings[0].0.state, State::Skipped);
    }

    #[test]
    fn a_stop_ends_it() {
        let stop = Stop::new();
        stop.now();
        let waits = look("disk", |visit| {
            while !visit.stop.is_raised() {
                thread::yield_now();
            }
            Finding::ok("disk", "too late")
        });
        let rounds = rounds(&[waits], LONG, &stop);
        assert!(rounds.stopped && rounds.findings.is_empty());
    }
}
