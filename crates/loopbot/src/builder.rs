//! A LoopBot that is not the usual one: another clock, a recorder, a name.

use flight::Recorder;

use crate::clock::Clock;
use crate::executor;
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
}

impl LoopBot {
    /// The usual LoopBot, to be changed: the real clock, no recorder, the name "LoopBot".
    pub fn builder() -> Builder {
        Builder {
            robot: LoopBot {
                name: "LoopBot".to_owned(),
                clock: Clock::real(),
                recorder: Recorder::off(),
            },
        }
    }

    /// Runs a future to its end, together with all the tasks it spawns, and returns its output.
    ///
    /// A LoopBot can run again afterwards; each run starts with no tasks and counts [`now`](crate::now) from zero.
    ///
    /// # Panics
    ///
    /// If a LoopBot runs on this thread already; with `main`'s own panic, if it panics; and, on a virtual
    /// clock, with the words of [`StandStill`] if LoopBot stands still. [`try_run`](LoopBot::try_run) returns that instead.
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
    /// [`StandStill`], and on a virtual clock only: with the real one, a wake from another thread can always come.
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

    /// The LoopBot.
    pub fn build(self) -> LoopBot {
        self.robot
    }
}
