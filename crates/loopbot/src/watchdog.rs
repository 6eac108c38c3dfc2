//! The watchdog: it notices from another thread that LoopBot has been in one poll too long, while it still is.
//!
//! A task that blocks holds the whole loop, and the loop cannot complain: it is inside that task. So somebody else has to look.

pub(crate) mod guard;
#[cfg(all(
    feature = "stack",
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod stack;
#[cfg(not(all(
    feature = "stack",
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
#[path = "watchdog/no_stack.rs"]
mod stack;
mod stuck;
mod watch;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use stuck::{Frame, LastWait, Stuck};

/// Watches a LoopBot from a thread of its own: [`Builder::watchdog`](crate::Builder::watchdog).
///
/// When one poll has lasted longer than the limit, it says so at once, while LoopBot is still in it: which task it is,
/// where it was spawned, where it last waited, and, on Linux with the feature `stack`, the functions that hold the
/// loop right now. When the poll is over, it says how long it took in the end.
///
/// ```
/// use std::time::Duration;
/// use loopbot::{LoopBot, Watchdog};
///
/// let (noticed, heard) = std::sync::mpsc::channel();
/// let dog = Watchdog::new(Duration::from_millis(5)).on_stuck(move |stuck| noticed.send(stuck.task.clone()).unwrap());
/// LoopBot::builder().watchdog(dog).build().run(async {
///     let guest = loopbot::spawn_named("the chatty guest", async move {
///         heard.recv().unwrap() // blocks LoopBot, until the watchdog has noticed it
///     });
///     assert_eq!(guest.await.unwrap(), "the chatty guest");
/// });
/// ```
#[derive(Clone)]
pub struct Watchdog {
    pub(crate) limit: Duration,
    pub(crate) on_stuck: Arc<dyn Fn(&Stuck) + Send + Sync>,
    pub(crate) on_end: Arc<dyn Fn(&Stuck, Duration) + Send + Sync>,
}

impl Watchdog {
    /// A watchdog that speaks up on stderr when a poll has lasted longer than `limit`, and again when it is over.
    pub fn new(limit: Duration) -> Watchdog {
        Watchdog {
            limit,
            on_stuck: Arc::new(|stuck| eprintln!("{stuck}")),
            on_end: Arc::new(|stuck, took| eprintln!("{}", stuck.in_the_end(took))),
        }
    }

    /// What to do when a poll has lasted too long, instead of the two messages on stderr. It is called once for each such
    /// poll, on the watchdog's thread, while the poll goes on. The run does not end before it returns. If it panics, LoopBot and
    /// the watchdog go on.
    pub fn on_stuck(mut self, on_stuck: impl Fn(&Stuck) + Send + Sync + 'static) -> Watchdog {
        self.on_stuck = Arc::new(on_stuck);
        self.on_end = Arc::new(|_, _| ());
        self
    }

    /// What to do when such a poll is over: the function is told how long it took in the end. Give it after
    /// [`on_stuck`](Watchdog::on_stuck), on the same conditions.
    pub fn on_end(mut self, on_end: impl Fn(&Stuck, Duration) + Send + Sync + 'static) -> Watchdog {
        self.on_end = Arc::new(on_end);
        self
    }
}

impl fmt::Debug for Watchdog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchdog")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
