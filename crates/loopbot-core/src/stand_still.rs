//! What LoopBot says when nothing can ever happen again.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// LoopBot stands still: no task is ready, no timer is set, no socket is awaited, and the main future is not done.
///
/// On a virtual clock nobody outside is expected to wake anyone, so nothing can ever happen again. On the
/// real clock that is certain if all tasks wait for each other, and likely when a
/// [`patience`](crate::Builder::patience) has run out. It is an error in the program: two tasks wait for
/// each other, or somebody returned [`Poll::Pending`](std::task::Poll::Pending) and did not see to it that its waker is called.
///
/// ```
/// use loopbot::{Clock, LoopBot};
///
/// let robot = LoopBot::builder().clock(Clock::virtual_time(flight::VirtualTime::new())).build();
/// let stand_still = robot
///     .try_run(async {
///         let guest = loopbot::spawn_named("the Chen party", std::future::pending::<()>());
///         let _ = guest.await;
///     })
///     .unwrap_err();
/// let main = &stand_still.tasks()[0];
/// assert_eq!(main.name(), "main");
/// let wait = &main.waits()[0];
/// assert_eq!(wait.what(), "the end of the Chen party");
/// assert!(wait.at().is_some_and(|at| at.file().ends_with(".rs")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandStill {
    names: Vec<String>,
    tasks: Vec<Waiting>,
}

/// A task that waits, when LoopBot stands still: [`StandStill::tasks`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub(crate) name: String,
    pub(crate) waits: Vec<Wait>,
}

/// What a task waits for: [`Waiting::waits`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    pub(crate) what: String,
    pub(crate) at: Option<&'static Location<'static>>,
    pub(crate) since: Duration,
}

impl StandStill {
    pub(crate) fn new(tasks: Vec<Waiting>) -> StandStill {
        let names = tasks.iter().map(|task| task.name.clone()).collect();
        StandStill { names, tasks }
    }

    /// The names of the tasks that wait, "main" first, then in the order in which they were spawned.
    pub fn waiting(&self) -> &[String] {
        &self.names
    }

    /// The same tasks, with what they said they wait for.
    pub fn tasks(&self) -> &[Waiting] {
        &self.tasks
    }

    /// What a LoopBot on the real clock says that cannot be sure.
    pub(crate) fn as_a_question(&self) -> String {
        format!(
            "Does LoopBot stand still? For a while nobody has been ready, no timer is set, no socket is awaited. \
             Unless another thread will wake somebody, these wait for ever: {}",
            self.list()
        )
    }

    fn list(&self) -> String {
        let tasks: Vec<String> = self.tasks.iter().map(Waiting::to_string).collect();
        tasks.join(", ")
    }
}

impl Waiting {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it waits for, as far as that is known: LoopBot's own futures and named wait points say so, others do not.
    pub fn waits(&self) -> &[Wait] {
        &self.waits
    }
}

impl Wait {
    /// What it waits for: "a Mutex", "the oven".
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Where in the program it began to wait; for the end of a task, where that was spawned.
    pub fn at(&self) -> Option<&'static Location<'static>> {
        self.at
    }

    /// Since when, as a time since LoopBot began its run.
    pub fn since(&self) -> Duration {
        self.since
    }
}

impl fmt::Display for StandStill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "LoopBot stands still: nobody is ready, no timer is set, and these wait for a wake that cannot come: {}",
            self.list()
        )
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (i, wait) in self.waits.iter().enumerate() {
            f.write_str(if i == 0 { " (for " } else { "; for " })?;
            write!(f, "{wait}")?;
        }
        f.write_str(if self.waits.is_empty() { "" } else { ")" })
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(at) = self.at {
            write!(f, ", {}:{}", at.file(), at.line())?;
        }
        write!(f, ", since {:?}", self.since)
    }
}

impl std::error::Error for StandStill {}
