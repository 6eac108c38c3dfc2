// ANCHOR: whole
//! Being watched: how somebody gets to see, from another thread, in which poll a LoopBot is.
//!
//! The watchdog is such a somebody. It lives in a crate above this one, and on a thread of its own.

use std::panic::Location;
use std::rc::Rc;

use crate::builder::LoopBot;
use crate::record::Record;
pub use crate::status::{Known, Poll, Status};

/// Whoever watches LoopBots: given to [`Builder::watchdog`](crate::Builder::watchdog).
pub trait Observe {
    /// A run begins, on this thread: `run` is all of it, up to the end of the main future, and must be called. Meanwhile
    /// `status` says how it gets on. Nobody is called for that, it lies there to be looked at: so let another thread do so,
    /// which borrows it until `run` is back (see [`std::thread::scope`]). What is left of the tasks is dropped afterwards.
    ///
    /// If `run` panics, that panic must get out of here.
    fn observe(&self, robot: &LoopBot, status: &Status, run: &mut Run<'_>);
}

/// A run, which is given whoever is told of it, if somebody is.
pub type Run<'run> = dyn FnMut(Option<Box<dyn Observer>>) + 'run;

/// What happens too seldom to lie in the [`Status`], or cannot lie there, is told, on the loop's own thread. The loop waits
/// meanwhile, so be quick; and a panic in here ends the run.
pub trait Observer {
    /// The task in this place, which is the `born`-th of the run, was given a name.
    fn is_called(&self, slot: u32, born: u32, name: &str);

    /// The one in this place waits where its status says, and that has a name. Keep a share of it rather than a copy.
    fn waits_by_name(&self, slot: u32, name: &Rc<str>, at: &'static Location<'static>);

    /// When the poll that is about to begin began, on the recorder's clock, if there is a recorder.
    fn begins_at(&self, t: u64);

    /// When this poll ended, on the recorder's clock, if there is a recorder.
    fn ends_at(&self, poll: Poll, t: u64);

    /// The loop may have something to do, after it had not.
    fn park_ended(&self);
}

/// Lets a run happen, and whoever watches look on.
pub(crate) fn watched<R>(robot: &LoopBot, record: &Record, run: impl FnOnce() -> R) -> R {
    let Some(watchdog) = &robot.watchdog else {
        return run();
    };
    let (mut run, mut ended) = (Some(run), None);
    watchdog.observe(robot, &record.status, &mut |observer| {
        if let Some(run) = run.take() {
            let _ = record.observer.set(observer); // There is none yet.
            ended = Some(run());
        }
    });
    ended.expect("whoever observes a run has to call `run`")
}
// ANCHOR_END: whole
