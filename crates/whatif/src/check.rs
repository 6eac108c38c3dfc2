//! `check`: the front door.

use std::fmt;
use std::io::{self, Write};
use std::panic;
use std::thread;

use flight::VirtualTime;

use crate::ending::{End, Ending};
use crate::explore::{self, Found, Limits};
use crate::floor::{Rules, Time};
use crate::replay;
use crate::run::{self, Backstage, Ran};
use crate::scheduler::Scheduler;
use crate::story::{Story, count};

/// Runs `f` under every schedule, those with the fewest preemptions first. If one of them goes
/// wrong, prints its story and fails the test.
///
/// `f` is run once for each schedule, so it has to make everything that the robots share, and to do
/// the same every time. `name` stands at the head of the story. With `WHATIF_REPLAY` set to the id
/// of a story, plays that schedule only.
///
/// # Panics
///
/// If something goes wrong: see [`Ending`]. The story has been printed, so the panic itself says
/// nothing. It does not pass through the panic hook, so there is no backtrace either.
pub fn check(name: &str, f: impl Fn() + Send + Sync + 'static) {
    Checker::new(name).check(f);
}

/// A check with settings of its own.
///
/// ```
/// use whatif::{Checker, Outcome, sync::{Arc, Shared}, thread};
///
/// let report = Checker::new("the tip jar").max_preemptions(2).explore(|| {
///     let jar = Arc::new(Shared::new(0).called("the tip jar"));
///     let robot = thread::spawn({ let jar = Arc::clone(&jar); move || jar.set(jar.get() + 1) });
///     jar.set(jar.get() + 1);
///     robot.join().unwrap();
///     whatif::never("a tip is lost", jar.get() != 2);
/// });
/// let Outcome::Failed(story) = report.outcome else { panic!("{report}") };
/// assert_eq!((story.rule.as_str(), story.preemptions), ("a tip is lost", 1));
/// ```
#[derive(Clone, Debug)]
#[must_use = "a checker checks nothing until it is given something to check"]
pub struct Checker {
    name: String,
    limits: Limits,
    max_steps: u64,
    clock: Option<VirtualTime>,
    shares_nothing: bool,
    to_the_end: bool,
}

/// What a check has found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The name of the check.
    pub check: String,
    /// The result.
    pub outcome: Outcome,
}

/// The result of a check.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// No schedule goes wrong: all of them have been run.
    Proved {
        /// How many there are.
        runs: usize,
    },
    /// None of the schedules that were run goes wrong, and there are more.
    Bounded {
        /// How many have been run.
        runs: usize,
        /// All schedules with up to so many preemptions are among them. None: not even all of those
        /// without any.
        preemptions: Option<usize>,
    },
    /// A schedule that was played by its id, and went well.
    Replayed(Story),
    /// Something goes wrong, and this is how.
    Failed(Story),
}

impl Checker {
    /// A check with the usual limits: any number of preemptions, 20,000 schedules, 2,000 steps
    /// each.
    pub fn new(name: impl Into<String>) -> Checker {
        Checker {
            name: name.into(),
            limits: Limits { max_preemptions: usize::MAX, max_runs: 20_000 },
            max_steps: 2_000,
            clock: None,
            shares_nothing: false,
            to_the_end: false,
        }
    }

    /// Tries no schedule with more preemptions than this; except for one, in which everybody moves
    /// in turn, to see whether they get anywhere.
    pub fn max_preemptions(mut self, preemptions: usize) -> Checker {
        self.limits.max_preemptions = preemptions;
        self
    }

    /// Tries no more schedules than this.
    pub fn max_runs(mut self, runs: usize) -> Checker {
        self.limits.max_runs = runs;
        self
    }

    /// After so many steps in one run, nobody is getting anywhere.
    pub fn max_steps(mut self, steps: u64) -> Checker {
        self.max_steps = steps;
        self
    }

    /// Moves `time` on by one second with each step, and back to 0 before each run. So a recording
    /// of a replay shows one step a second.
    pub fn clock(mut self, time: &VirtualTime) -> Checker {
        self.clock = Some(time.clone());
        self
    }

    /// The robots are meant to share nothing. Otherwise robots that never meet are taken for a
    /// mistake: usually they share something that the check cannot see.
    pub fn shares_nothing(mut self) -> Checker {
        self.shares_nothing = true;
        self
    }

    /// Only a proof will do: if there are more schedules than the limits allow, that is a failure
    /// ([`Ending::TooManyOrders`]), and never [`Outcome::Bounded`].
    pub fn to_the_end(mut self) -> Checker {
        self.to_the_end = true;
        self
    }

    /// Checks `f`, prints what it has found, and fails the test if something goes wrong. See
    /// [`check()`].
    ///
    /// # Panics
    ///
    /// As [`check()`].
    pub fn check(mut self, f: impl Fn() + Send + Sync + 'static) {
        let id = std::env::var(replay::VARIABLE).ok();
        let report = match &id {
            Some(id) => self.run_replay(id, &f),
            None => self.run_search(&f),
        };
        match report.outcome {
            Outcome::Failed(mut story) => {
                if !run::is_final(story.ending) {
                    story.play_again = play_again(&story.id);
                }
                eprintln!("\n{story}\n");
                // The story says it all. This way there is no second message, and no backtrace.
                panic::resume_unwind(Box::new(story.rule));
            }
            // Somebody has asked for this story, and the output of a test that passes is kept back.
            Outcome::Replayed(story) => drop(writeln!(io::stderr(), "\n{story}\n")),
            Outcome::Proved { .. } | Outcome::Bounded { .. } => println!("{report}"),
        }
    }

    /// Checks `f` and returns what it has found. For tests of tests.
    ///
    /// # Panics
    ///
    /// Only if called from inside of a check.
    pub fn explore(mut self, f: impl Fn() + Send + Sync + 'static) -> Report {
        self.run_search(&f)
    }

    /// Plays the schedule `id`, and returns its story, whichever way it ends.
    ///
    /// # Panics
    ///
    /// Only if called from inside of a check.
    pub fn replay(mut self, id: &str, f: impl Fn() + Send + Sync + 'static) -> Report {
        self.run_replay(id, &f)
    }

    fn run_replay(&mut self, id: &str, f: &dyn Fn()) -> Report {
        let backstage = Backstage::new(&self.name);
        replay::replay(&self.name, id, |scheduler, unlock| {
            self.once(scheduler, unlock, &backstage, f)
        })
    }

    fn run_search(&mut self, f: &dyn Fn()) -> Report {
        let backstage = Backstage::new(&self.name);
        let mut unlock_is_step = false;
        loop {
            let once = |scheduler| self.once(scheduler, unlock_is_step, &backstage, f);
            // First everybody one step in turn. That is perfectly fair, so robots that get nowhere
            // have only themselves to blame; in the search it could be the schedule.
            let in_turn = once(Scheduler::InTurn);
            let found = match in_turn.story.ending {
                Ending::NobodyGetsAnywhere => Found::Failure(in_turn.story),
                ending if run::is_final(ending) => Found::Failure(in_turn.story),
                _ if in_turn.again_with_unlock => Found::AgainWithUnlock,
                _ => match explore::search(&self.limits, unlock_is_step, once) {
                    // The search ran out of its budget, but one step in turn had gone wrong before:
                    // that counts.
                    Found::NothingUpTo { .. } if in_turn.story.ending != Ending::AllWell => {
                        Found::Failure(in_turn.story)
                    }
                    found => found,
                },
            };
            let never_met = |met: bool| !met && !self.shares_nothing;
            let outcome = match found {
                Found::AgainWithUnlock => {
                    unlock_is_step = true;
                    continue;
                }
                Found::Failure(story) => Outcome::Failed(story),
                Found::Nothing { met, .. } | Found::NothingUpTo { met, .. } if never_met(met) => {
                    Outcome::Failed(Story::without_lines(&self.name, &End::never_met()))
                }
                Found::Nothing { runs, .. } => Outcome::Proved { runs },
                Found::NothingUpTo { runs, .. } if self.to_the_end => {
                    let end = End::too_many_orders(runs);
                    Outcome::Failed(Story::without_lines(&self.name, &end))
                }
                Found::NothingUpTo { runs, preemptions, .. } => {
                    Outcome::Bounded { runs, preemptions }
                }
            };
            return Report { check: self.name.clone(), outcome };
        }
    }

    fn once(
        &self,
        scheduler: Scheduler,
        unlock_is_step: bool,
        backstage: &Backstage,
        f: &dyn Fn(),
    ) -> Ran {
        let rules = Rules {
            time: self.clock.clone().map_or(Time::Stands, Time::Ticks),
            unlock_is_step,
            wake_unasked: true,
            things_from_outside: false,
            max_steps: self.max_steps,
            crew: backstage.crew.clone(),
            heartbeat: backstage.watchdog.heartbeat.clone(),
        };
        run::once(&self.name, scheduler, rules, backstage, f)
    }
}

/// The command that plays a schedule again, as far as cargo and the test harness tell how this test
/// was started.
fn play_again(id: &str) -> Option<String> {
    if id.is_empty() {
        return None;
    }
    let package =
        std::env::var("CARGO_PKG_NAME").map(|name| format!(" -p {name}")).unwrap_or_default();
    // The test harness names the thread after the test; without threads of its own it runs tests on
    // "main".
    let thread = thread::current();
    let test = thread
        .name()
        .filter(|name| *name != "main")
        .map(|name| format!(" {name}"))
        .unwrap_or_default();
    let variable = replay::VARIABLE;
    Some(if cfg!(windows) {
        format!("$env:{variable}=\"{id}\"; cargo test{package}{test}; $env:{variable}=$null")
    } else {
        format!("{variable}={id} cargo test{package}{test}")
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { check, outcome } = self;
        match outcome {
            Outcome::Proved { runs } => {
                let cover = if *runs == 1 { "covers" } else { "cover" };
                write!(
                    f,
                    "{check}: no order of steps goes wrong ({} {cover} them all)",
                    count(*runs, "schedule")
                )
            }
            Outcome::Bounded { runs, preemptions: Some(preemptions) } => {
                let up_to = count(*preemptions, "preemption");
                write!(
                    f,
                    "{check}: nothing goes wrong with up to {up_to} ({} tried, and there are more)",
                    count(*runs, "schedule")
                )
            }
            Outcome::Bounded { runs, preemptions: None } => {
                write!(
                    f,
                    "{check}: nothing goes wrong so far ({} tried, and there are more)",
                    count(*runs, "schedule")
                )
            }
            Outcome::Replayed(story) | Outcome::Failed(story) => story.fmt(f),
        }
    }
}
