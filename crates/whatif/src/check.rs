//! `check`: the front door.

use std::fmt;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::panic;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use flight::VirtualTime;
use whatif_engine::{
    Dice, End, Ending, Found, GOES_ROUND, Program, Proof, Reduction, Search, Story, Time, Void,
    count, every_way,
};

use crate::backstage::Backstage;
use crate::crew::Crew;
use crate::record;
use crate::replay;
use crate::tree::{self, Tree};

/// Runs `f` under every schedule, except for those that nobody can tell from one that has been run. If
/// one of them goes wrong, prints the story of the one with the fewest preemptions, and fails the
/// test.
///
/// `f` is run once for each schedule, so it has to make everything that the robots share, and to do
/// the same every time. `name` stands at the head of the story. With `WHATIF_REPLAY` set to the id
/// of a story, plays that schedule only. With `WHATIF_RECORD` set to the name of a file, writes the
/// run that goes wrong, or that is played, to that file, one step a line: `cargo course story FILE`
/// shows it.
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
    max_preemptions: usize,
    max_runs: usize,
    max_steps: u64,
    time_limit: Duration,
    random: Option<(usize, u64)>,
    clock: Option<VirtualTime>,
    shares_nothing: bool,
    to_the_end: bool,
    wake_unasked: bool,
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
    /// No schedule goes wrong: all of them have been run, except for those that nobody can tell
    /// from one that has been.
    Proved {
        /// How many have been run.
        runs: usize,
    },
    /// None of the schedules that were run goes wrong, and there are more.
    Bounded {
        /// How many have been run.
        runs: usize,
        /// All schedules with up to so many preemptions are among them. None: not even all of those
        /// without any.
        preemptions: Option<usize>,
        /// How many of them have more preemptions than that.
        more: usize,
    },
    /// None of the [random](Checker::random) schedules goes wrong.
    Random {
        /// How many there were.
        runs: usize,
    },
    /// A schedule that was played by its id, and went well.
    Replayed(Story),
    /// Something goes wrong, and this is how.
    Failed(Story),
}

impl Checker {
    /// A check with the usual limits: any number of preemptions, 20,000 schedules for the proof and
    /// as many for the search, 2,000 steps each, 10 seconds.
    pub fn new(name: impl Into<String>) -> Checker {
        Checker {
            name: name.into(),
            max_preemptions: usize::MAX,
            max_runs: 20_000,
            max_steps: 2_000,
            time_limit: Duration::from_secs(10),
            random: None,
            clock: None,
            shares_nothing: false,
            to_the_end: false,
            wake_unasked: true,
        }
    }

    /// Tries no schedule with more preemptions than this; except for one, in which everybody moves
    /// in turn, to see whether they get anywhere. That is no proof, unless nobody can be preempted
    /// more often.
    pub fn max_preemptions(mut self, preemptions: usize) -> Checker {
        self.max_preemptions = preemptions;
        self
    }

    /// Tries no more schedules than this, once for a proof, and once for the simplest failure.
    pub fn max_runs(mut self, runs: usize) -> Checker {
        self.max_runs = runs;
        self
    }

    /// Stops after this much real time, wherever the search is; the report says what has been
    /// covered. What goes wrong in a small program is found in a fraction of a second, so a limit
    /// that is not tight makes no difference to a verdict.
    pub fn time_limit(mut self, limit: Duration) -> Checker {
        self.time_limit = limit;
        self
    }

    /// Instead of all schedules tries so many random ones: for a program that is too large for
    /// anything else. The same seed gives the same schedules. This never is a proof; but what goes
    /// wrong in one of them does go wrong, and is told and replayed like everything else.
    pub fn random(mut self, runs: usize, seed: u64) -> Checker {
        self.random = Some((runs, seed));
        self
    }

    /// For a test of this crate: nobody wakes up unasked.
    #[doc(hidden)]
    pub fn sound_sleep(mut self) -> Checker {
        self.wake_unasked = false;
        self
    }

    /// For a test of this crate: how all schedules end, and how many there are. After each run
    /// `after` is told whether it counts. The error: there are too many.
    #[doc(hidden)]
    pub fn every_end(
        self,
        reduction: Reduction,
        after: impl Fn(bool),
        f: impl Fn() + Send + Sync + 'static,
    ) -> Result<(Vec<Ending>, usize), usize> {
        let (mut program, _backstage) = self.program(&f);
        program.twice(|program| {
            let (mut ends, mut runs, mut left) = (Vec::new(), 0, self.max_runs);
            let stopped = every_way(program, reduction, |way| {
                if left == 0 {
                    return ControlFlow::Break(None);
                }
                left -= 1;
                let counts = way.ran.void.is_none() && !way.is_redundant;
                after(counts);
                if way.ran.void.is_some() {
                    return ControlFlow::Break(way.ran.void);
                }
                if counts {
                    runs += 1;
                    let end = way.ran.told.map_or(Ending::AllWell, |story| story.ending);
                    if !ends.contains(&end) {
                        ends.push(end);
                    }
                }
                ControlFlow::Continue(())
            });
            match stopped {
                Some(Some(Void::AgainWithUnlock)) => None,
                Some(_) => Some(Err(runs)),
                None => Some(Ok((ends, runs))),
            }
        })
    }

    /// After so many steps in one run, nobody is getting anywhere. If it is the schedule that keeps
    /// somebody waiting, the run is left out, and there is no proof.
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
    pub fn check(self, f: impl Fn() + Send + Sync + 'static) {
        let id = std::env::var(replay::VARIABLE).ok();
        let file = std::env::var(record::VARIABLE).ok();
        let report = match &id {
            Some(id) => self.run_replay(id, &f),
            None => self.run_search(&f),
        };
        if let (Some(file), Outcome::Failed(story) | Outcome::Replayed(story)) =
            (file, &report.outcome)
        {
            // The search keeps no more than a reader wants; playing it again tells everything.
            let again = (!story.id.is_empty()).then(|| self.run_replay(&story.id, &f).outcome);
            match again {
                Some(Outcome::Failed(mut whole) | Outcome::Replayed(mut whole)) => {
                    whole.schedules = story.schedules;
                    record::write(&file, &whole);
                }
                _ => record::write(&file, story),
            }
        }
        match report.outcome {
            Outcome::Failed(mut story) => {
                if !story.ending.is_final() {
                    story.play_again = play_again(&story.id);
                }
                if story.ending == Ending::NotWritten && told_before(&story.rule) {
                    let check = &story.check;
                    eprintln!("\n{check}: not ready to be checked, as told above or below\n");
                } else {
                    eprintln!("\n{story}\n");
                }
                // The story says it all. This way there is no second message, and no backtrace.
                panic::resume_unwind(Box::new(story.rule));
            }
            // Somebody has asked for this story, and the output of a test that passes is kept back.
            Outcome::Replayed(story) => drop(writeln!(io::stderr(), "\n{story}\n")),
            _ => println!("{report}"),
        }
    }

    /// Checks `f` and returns what it has found. For tests of tests.
    ///
    /// # Panics
    ///
    /// Only if called from inside of a check.
    pub fn explore(self, f: impl Fn() + Send + Sync + 'static) -> Report {
        self.run_search(&f)
    }

    /// Plays the schedule `id`, and returns its story, whichever way it ends.
    ///
    /// # Panics
    ///
    /// Only if called from inside of a check.
    pub fn replay(self, id: &str, f: impl Fn() + Send + Sync + 'static) -> Report {
        self.run_replay(id, &f)
    }

    /// All schedules of `f` as a tree, for somebody who wants to be the scheduler: at every moment
    /// every robot that could move, and what would come of it. Nothing is left out, so this is for
    /// programs with a handful of steps.
    ///
    /// ```
    /// use whatif::{Checker, Node, step, thread};
    ///
    /// let tree = Checker::new("two steps").tree(|| {
    ///     let robot = |name: &str| thread::Builder::new().name(name.into());
    ///     let robots = ["GreetBot", "WaitBot"].map(|it| robot(it).spawn(|| step("moves")).unwrap());
    ///     robots.into_iter().for_each(|robot| robot.join().unwrap());
    /// });
    /// let Node::Options(first) = tree.unwrap().root else { panic!("somebody can move") };
    /// assert_eq!(first.iter().map(|it| it.robot.as_str()).collect::<Vec<_>>(), ["GreetBot", "WaitBot"]);
    /// ```
    ///
    /// # Errors
    ///
    /// A sentence, if there are more than 5,000 moments, or if the program cannot be checked.
    ///
    /// # Panics
    ///
    /// Only if called from inside of a check.
    pub fn tree(self, f: impl Fn() + Send + Sync + 'static) -> Result<Tree, String> {
        let (program, _backstage) = self.program(&f);
        tree::grow(&self.name, program)
    }

    fn run_replay(&self, id: &str, f: &dyn Fn()) -> Report {
        let (program, _backstage) = self.program(f);
        Report { check: self.name.clone(), outcome: replay::replay(&self.name, id, program) }
    }

    fn run_search(&self, f: &dyn Fn()) -> Report {
        let (mut program, backstage) = self.program(f);
        let mut outcome = program.twice(|program| self.verdict(program));
        if backstage.crew.has_threads() {
            outcome = self.on_new_threads(outcome, program);
        }
        Report { check: self.name.clone(), outcome }
    }

    /// Robots have the threads of those who came before them, and what a `thread_local` remembers of
    /// those is still there. In std each thread starts afresh, so the verdict must hold there, too.
    fn on_new_threads(&self, outcome: Outcome, mut program: Program) -> Outcome {
        let used = match &outcome {
            Outcome::Failed(story) if story.ending.is_final() || story.id.is_empty() => {
                return outcome;
            }
            Outcome::Failed(_) => 0,
            _ => program.in_turn().fingerprint,
        };
        program.rules.crew = Arc::<Crew>::default();
        let holds = match &outcome {
            Outcome::Failed(story) => match replay::replay(&self.name, &story.id, program) {
                Outcome::Failed(again) => again.ending == story.ending,
                _ => false,
            },
            _ => program.in_turn().fingerprint == used,
        };
        if holds { outcome } else { self.failed(End::different_steps()) }
    }

    fn program<'a>(&self, f: &'a dyn Fn()) -> (Program<'a>, Backstage) {
        let mut program = Program::new(&self.name, f);
        program.rules.time = self.clock.clone().map_or(Time::Stands, Time::Ticks);
        program.rules.wake_unasked = self.wake_unasked;
        program.rules.max_steps = self.max_steps;
        let backstage = Backstage::of(&mut program);
        (program, backstage)
    }

    /// None: everything must start again, with giving a lock back as a step.
    fn verdict(&self, program: &Program) -> Option<Outcome> {
        // First everybody one step in turn. That is perfectly fair, so robots that get nowhere have
        // only themselves to blame; in the search it could be the schedule.
        let in_turn = program.in_turn();
        if in_turn.void.is_some() {
            return None;
        }
        let hopeless = |it: &Story| it.ending == Ending::NobodyGetsAnywhere || it.ending.is_final();
        if in_turn.told.as_ref().is_some_and(hopeless) {
            return in_turn.told.map(Outcome::Failed);
        }
        let found = match self.random {
            Some((runs, seed)) => self.at_random(runs, seed, program),
            None => self.in_every_order(program),
        };
        let (outcome, met) = found?;
        Some(match (outcome, in_turn.told) {
            (Outcome::Failed(story), _) => Outcome::Failed(story),
            // The search ran out of its budget, but one step in turn had gone wrong before.
            (_, Some(story)) => Outcome::Failed(story),
            _ if !(met || in_turn.met || self.shares_nothing) => self.failed(never_met()),
            // Where not a single schedule came to its end, nothing has been checked at all.
            (Outcome::Bounded { runs, .. } | Outcome::Random { runs }, _)
                if self.to_the_end || runs == 0 =>
            {
                self.failed(too_many_orders(runs))
            }
            (outcome, _) => outcome,
        })
    }

    fn failed(&self, end: End) -> Outcome {
        Outcome::Failed(Story::without_lines(&self.name, &end))
    }

    /// Two passes side by side: the proof is over soon if nothing goes wrong, the search if
    /// something does. Returns also whether robots have met.
    fn in_every_order(&self, program: &Program) -> Option<(Outcome, bool)> {
        let start = Instant::now();
        let mut search =
            Search::new(self.max_preemptions, self.max_runs, program.rules.unlock_is_step);
        // Whoever wants few preemptions does not want a proof that tries them all.
        let proves = self.max_preemptions == usize::MAX;
        // Who can look at a clock sees more of the order of steps than the steps say.
        let reduction = if self.clock.is_some() { Reduction::None } else { Reduction::SleepSets };
        let mut proof = Proof::new(if proves { self.max_runs } else { 0 }, reduction);
        'search: for batch in 1.. {
            // Turn and turn about in batches that grow: what goes wrong in every second run, say,
            // must not look to each of the two as if it did not.
            for i in 0..2 * batch {
                if start.elapsed() > self.time_limit {
                    break 'search;
                }
                if search.has_failed() || proof.failure.is_some() {
                    proof.abandon();
                }
                match if i < batch { proof.go_on(program) } else { search.go_on(program) } {
                    None => {}
                    Some(Found::AgainWithUnlock) => return None,
                    Some(Found::Failure(story)) => return Some((Outcome::Failed(story), true)),
                    Some(Found::Nothing { runs, met }) if proof.failure.is_none() => {
                        return Some((Outcome::Proved { runs }, met));
                    }
                    Some(Found::Nothing { .. }) => break 'search,
                }
            }
            if search.is_over() && !proof.is_open() {
                break;
            }
        }
        let schedules = search.runs + proof.runs + 1;
        let failure = proof.failure.take();
        let failure = failure.map(|it| replay::shorten(it, schedules, program));
        let outcome = match search.best().or(failure) {
            Some(story) => Outcome::Failed(story),
            None => {
                let (preemptions, more) = search.covered();
                Outcome::Bounded { runs: search.runs, preemptions, more }
            }
        };
        Some((outcome, search.met))
    }

    fn at_random(&self, runs: usize, seed: u64, program: &Program) -> Option<(Outcome, bool)> {
        let (start, mut seeds, mut met) = (Instant::now(), Dice(seed), false);
        let mut unended = 0; // These have not gone well, nor wrong.
        for tried in 0..runs {
            if start.elapsed() > self.time_limit {
                return Some((Outcome::Random { runs: tried - unended }, met));
            }
            let ran = program.at_random(seeds.draw());
            met |= ran.met;
            let told = match ran.void {
                Some(Void::AgainWithUnlock) => return None,
                Some(Void::BeyondProof) => {
                    unended += 1;
                    ran.told.and_then(|it| replay::gets_nowhere(&it, program))
                }
                None => ran.told,
            };
            if let Some(story) = told {
                let story = replay::shorten(story, tried + 1, program);
                return Some((Outcome::Failed(story), met));
            }
        }
        Some((Outcome::Random { runs: runs - unended }, met))
    }
}

/// No two robots have touched the same thing.
fn never_met() -> End {
    let rule = "your robots never met: nothing that the check can see was touched by two of them";
    End::new(Ending::NeverMet, rule.to_owned()).advise(
        "So every order of steps looks the same, and nothing has been checked. \
         It sees the locks, bells, channels, atomics and cells of whatif::sync. \
         Do they use plain std::sync? \
         (If they are meant to share nothing, say so with Checker::shares_nothing.)",
    )
}

fn too_many_orders(runs: usize) -> End {
    let rule = format!(
        "there are too many orders of steps to try them all: {} went well, and there are more",
        count(runs, "schedule")
    );
    End::new(Ending::TooManyOrders, rule).advise(GOES_ROUND)
}

/// Before a learner has begun, every test of an exercise ends at the same `todo!()`. Has one of them
/// said so?
fn told_before(not_written: &str) -> bool {
    static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
    // What a `todo!()` says may name a number, and that differs from test to test: its place does not.
    let place = not_written.rsplit('[').next().unwrap_or(not_written);
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let before = told.iter().any(|it| it == place);
    told.push(place.to_owned());
    before
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
                let runs = count(*runs, "schedule");
                write!(f, "{check}: {runs} {cover} every order of steps, and none goes wrong")
            }
            Outcome::Bounded { runs, preemptions: None, .. } => {
                let (runs, go) = (count(*runs, "schedule"), if *runs == 1 { "goes" } else { "go" });
                write!(f, "{check}: {runs} {go} well, and there are more; that is no proof")
            }
            Outcome::Bounded { preemptions: Some(preemptions), more, .. } => {
                let all = match preemptions {
                    0 => "all schedules without a preemption".to_owned(),
                    n => format!("all schedules with at most {}", count(*n, "preemption")),
                };
                let more = if *more > 0 { format!(", and {more} more,") } else { String::new() };
                write!(f, "{check}: {all}{more} go well; that is no proof")
            }
            Outcome::Random { runs } => {
                let (runs, go) = (*runs, if *runs == 1 { "schedule goes" } else { "schedules go" });
                write!(f, "{check}: {runs} random {go} well; that is no proof")
            }
            Outcome::Replayed(story) | Outcome::Failed(story) => story.fmt(f),
        }
    }
}
