//! A LoopBot that is not the usual one: another clock, a recorder, a name.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use flight::Recorder;

use crate::clock::Clock;
use crate::executor;
use crate::inbox::PLACES;
use crate::observe::Observe;
use crate::stand_still::StandStill;

/// A single-threaded executor. [`run`](crate::run) makes the usual one; [`LoopBot::builder`] makes others.
///
/// ```
/// use std::time::Duration;
/// use loopbot::{Clock, LoopBot};
///
/// let robot = LoopBot::builder().clock(Clock::virtual_time(flight::VirtualTime::new())).build();
/// let shift = robot.run(async {
///     loopbot::sleep(Duration::from_secs(4 * 3600)).await;
///     loopbot::now()
/// });
/// assert_eq!(shift.as_secs(), 14_400); // four hours on its clock, none on yours
/// ```
#[derive(Clone)]
pub struct LoopBot {
    pub(crate) name: String,
    pub(crate) clock: Clock,
    pub(crate) recorder: Recorder,
    pub(crate) limits: Limits,
    pub(crate) pick_next: Option<Rc<PickNext>>,
    pub(crate) watchdog: Option<Rc<dyn Observe>>,
}

/// What keeps a LoopBot from doing too much of one thing.
#[derive(Clone)]
pub(crate) struct Limits {
    pub(crate) max_tasks: usize,
    pub(crate) budget: u32,
    pub(crate) turns: usize,
    pub(crate) patience: Option<Duration>,
}

type PickNext = dyn Fn(&[ReadyTask]) -> usize;

/// A task that is ready, as [`Builder::pick_next`] sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadyTask {
    /// Its name.
    pub name: String,
    /// Its number in this run: 0 for main, then as they are spawned.
    pub id: u64,
}

impl LoopBot {
    /// The usual LoopBot, to be changed: the real clock, no recorder, the name "LoopBot".
    pub fn builder() -> Builder {
        Builder {
            robot: LoopBot {
                name: "LoopBot".to_owned(),
                clock: Clock::real(),
                recorder: Recorder::off(),
                limits: Limits {
                    max_tasks: PLACES - 1,
                    budget: 128,
                    turns: MOST_TURNS,
                    patience: None,
                },
                pick_next: None,
                watchdog: None,
            },
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The clock that its timers are on.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Where it writes down what it does.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Runs a future to its end, together with all the tasks it spawns, and returns its output.
    ///
    /// A LoopBot can run again afterwards; each run starts with no tasks and counts [`now`](crate::now) from zero.
    ///
    /// # Panics
    ///
    /// If a LoopBot runs on this thread already; with `main`'s own panic, if it panics; and with the words
    /// of [`StandStill`] if LoopBot stands still. [`try_run`](LoopBot::try_run) returns that instead.
    #[track_caller]
    pub fn run<F: Future>(&self, main: F) -> F::Output {
        match self.try_run(main) {
            Ok(output) => output,
            Err(stand_still) => panic!("{stand_still}"),
        }
    }

    /// The same as [`run`](LoopBot::run), but when LoopBot stands still you get the names of those who wait.
    ///
    /// ```
    /// use loopbot::{Clock, LoopBot};
    ///
    /// let robot = LoopBot::builder().clock(Clock::virtual_time(flight::VirtualTime::new())).build();
    /// let stand_still = robot
    ///     .try_run(async {
    ///         let _guest = loopbot::spawn_named("the Chen party", std::future::pending::<()>());
    ///         std::future::pending::<()>().await
    ///     })
    ///     .unwrap_err();
    /// assert_eq!(stand_still.waiting(), ["main", "the Chen party"]);
    /// ```
    ///
    /// # Errors
    ///
    /// [`StandStill`]: on a virtual clock as soon as nobody is ready and nobody waits for time. On the real one a wake
    /// from another thread may come; there it is an error if that is out of the question, because all tasks wait for
    /// each other and no waker was copied by anybody else, or if LoopBot runs out of [`patience`](Builder::patience).
    ///
    /// # Panics
    ///
    /// If a LoopBot runs on this thread already; with `main`'s own panic, if it panics.
    #[track_caller]
    pub fn try_run<F: Future>(&self, main: F) -> Result<F::Output, StandStill> {
        executor::run(self, main)
    }
}

/// Says what a [`LoopBot`] shall be like. Made by [`LoopBot::builder`].
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    robot: LoopBot,
}

impl Builder {
    /// The name of its lane in the record.
    pub fn name(mut self, name: &str) -> Builder {
        self.robot.name = name.to_owned();
        self
    }

    /// The clock that its timers are on.
    pub fn clock(mut self, clock: Clock) -> Builder {
        self.robot.clock = clock;
        self
    }

    /// Where it writes down what it does. For a LoopBot on virtual time, give both the same [`flight::VirtualTime`].
    pub fn recorder(mut self, recorder: Recorder) -> Builder {
        self.robot.recorder = recorder;
        self
    }

    /// How many tasks there may be at a time, main not counted. Beyond that, [`spawn`](crate::spawn) panics.
    /// The default is what there is room for: 16 million.
    ///
    /// ```
    /// let robot = loopbot::LoopBot::builder().max_tasks(1).build();
    /// robot.run(async {
    ///     let first = loopbot::spawn(async {});
    ///     let second = std::panic::catch_unwind(|| loopbot::spawn(async {}));
    ///     assert!(second.is_err(), "there is room for one");
    ///     first.await.unwrap();
    ///     loopbot::spawn(async {}).await.unwrap(); // now there is room again
    /// });
    /// ```
    pub fn max_tasks(mut self, max_tasks: usize) -> Builder {
        self.robot.limits.max_tasks = max_tasks.min(PLACES - 1);
        self
    }

    /// How many times LoopBot's own futures (locks, channels, sockets, sleeps) may answer in one turn of a task.
    /// Then they say `Pending` although they could go on, and the task gets its next turn when all others had
    /// theirs: so a task that always finds something to do cannot starve the others. The default is 128; at least 1.
    pub fn budget(mut self, budget: u32) -> Builder {
        self.robot.limits.budget = budget.max(1);
        self
    }

    /// After how many turns at most LoopBot looks at timers, sockets and other threads, if tasks are still ready. If turns
    /// are long it looks sooner: as many turns as fit into a millisecond, once it has seen how long they are. The
    /// default is 256, which is also the most; at least 1. Less means that a timer is less late when much is going on, and
    /// that every turn costs more.
    pub fn turns_between_looks(mut self, turns: usize) -> Builder {
        self.robot.limits.turns = turns.clamp(1, MOST_TURNS);
        self
    }

    /// How long LoopBot, on the real clock, puts up with having nothing to do and nothing to expect but
    /// perhaps a wake from another thread. Then it [stands still](StandStill). Without this it waits on for ever;
    /// in a debug build it says once, after ten seconds, who waits for what.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let robot = loopbot::LoopBot::builder().patience(Duration::from_millis(5)).build();
    /// let stand_still = robot.try_run(std::future::pending::<()>()).unwrap_err();
    /// assert_eq!(stand_still.waiting(), ["main"]);
    /// ```
    pub fn patience(mut self, patience: Duration) -> Builder {
        self.robot.limits.patience = Some(patience);
        self
    }

    /// Lets somebody else choose who is next: the function sees all who are ready, in the order of the run
    /// queue, and says the index of the one that gets the next turn. Always 0 is what happens without it.
    ///
    /// Tasks on one loop run in some order, and a program must be right in every one. A checker can try them out with this.
    ///
    /// # Panics
    ///
    /// The run panics if the function panics or picks an index that is not there.
    ///
    /// ```
    /// use loopbot::{LoopBot, ReadyTask};
    ///
    /// let last_first = LoopBot::builder().pick_next(|ready: &[ReadyTask]| ready.len() - 1).build();
    /// last_first.run(async {
    ///     let first = loopbot::spawn_named("first", async {});
    ///     let second = loopbot::spawn_named("second", async {});
    ///     second.await.unwrap();
    ///     assert!(!first.is_finished());
    /// });
    /// ```
    pub fn pick_next(mut self, pick: impl Fn(&[ReadyTask]) -> usize + 'static) -> Builder {
        self.robot.pick_next = Some(Rc::new(pick));
        self
    }

    /// Has it watched: by a `loopbot::Watchdog`, or by an observer of your own. Without this, nobody notices that
    /// a task holds LoopBot up.
    pub fn watchdog(mut self, watchdog: impl Observe + 'static) -> Builder {
        self.robot.watchdog = Some(Rc::new(watchdog));
        self
    }

    /// The LoopBot.
    pub fn build(self) -> LoopBot {
        self.robot
    }
}

/// Two microseconds of turns, at eight nanoseconds each.
const MOST_TURNS: usize = 256;

impl fmt::Debug for LoopBot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopBot")
            .field("name", &self.name)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}
