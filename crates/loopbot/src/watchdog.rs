//! The watchdog: it notices from another thread that LoopBot has been in one poll too long, while it still is.
//!
//! A task that blocks holds the whole loop, and the loop cannot complain: it is inside that task. So somebody else has to look.

mod guard;
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
///
/// The limit is a time on your clock, also for a LoopBot on a virtual one. With a recorder the watchdog has a lane of its
/// own, with two marks of the category "watchdog" for each such poll: the message, with the time at which the poll
/// began, and its end, with the nanoseconds that it took. On virtual time there is no such lane, because nothing
/// in such a record may depend on the machine.
///
/// # What it costs
///
/// LoopBot reads no clock for it, and a poll costs the same with a watchdog as without one: the loop counts its polls in any
/// case, and the watchdog can see the number. With a watchdog it also notes where each task was spawned and where it waits, which
/// takes less than a nanosecond a task, and some more for a wait point with a name. `cargo bench -p loopbot --bench watchdog` measures that. The watchdog's thread looks
/// eight times within the limit, though not more often than once a millisecond, and not at all while LoopBot sleeps. It is
/// started by each run, and ends with it.
///
/// To see the stack, the watchdog sends LoopBot's thread the signal `SIGURG`, once for each poll that takes too long. Calls of the standard library go on
/// afterwards as if nothing had been. Others may return early and say that they were interrupted, as with any
/// signal: a read from a socket with a time limit does, and so may functions written in C. A handler that was there for this signal before is called for
/// all others of its kind.
///
/// # On Tokio
///
/// A watchdog like this one needs a hook before each poll, and Tokio has that only in builds with `--cfg tokio_unstable`: there,
/// `on_before_task_poll` and `on_after_task_poll` of its runtime builder could tell such a thread which task is being polled.
/// Without the flag, you can have a task that sleeps for ten milliseconds again and again and counts,
/// and a thread of your own that complains when the count stands still: it notices, while it happens, that the current-thread runtime is held, but not
/// by whom. On the multi-thread runtime it notices only when all workers are. The crates `tokio-blocked` and `console-subscriber` tell you of long polls with the place where the task was spawned; a debugger or `perf`
/// shows the stack.
#[derive(Clone)]
pub struct Watchdog {
    limit: Duration,
    on_stuck: Arc<OnStuck>,
    on_end: Arc<OnEnd>,
}

type OnStuck = dyn Fn(&Stuck) + Send + Sync;
type OnEnd = dyn Fn(&Stuck, Duration) + Send + Sync;

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
