// ANCHOR: whole
//! Being watched: what a LoopBot tells somebody who wants to know in which poll it is, and since when.
//!
//! The watchdog is such a somebody. It lives in a crate above this one, and on a thread of its own.

use std::panic::Location;
use std::rc::Rc;

use crate::builder::LoopBot;

/// Places on the shelf are numbered from 0, and there are never more than this.
pub const MOST_PLACES: usize = crate::inbox::PLACES;

/// Whoever watches LoopBots: given to [`Builder::watchdog`](crate::Builder::watchdog).
pub trait Observe {
    /// A run begins, on this thread. If the run is to be watched, here is who is told of everything in it. It is dropped when
    /// the run is over and all tasks are gone.
    fn observe(&self, robot: &LoopBot) -> Option<Box<dyn Observer>>;
}

/// What is told of one run, on the loop's own thread, while it happens. The loop waits meanwhile, so be quick; and a panic in
/// here ends the run.
///
/// A task is named by its place (`slot`), which another task gets when it is gone. Who it is there is said by
/// how-manyth task it is (`born`); main is number 0, and in place 0.
pub trait Observer {
    /// A task was spawned, or main begins.
    fn spawned(&self, slot: u32, born: u32, at: &'static Location<'static>);

    /// It was given a name.
    fn is_called(&self, slot: u32, born: u32, name: &str);

    /// A poll begins, and the one before is over.
    fn poll_begins(&self, slot: u32);

    /// When it began, on the recorder's clock, if there is a recorder.
    fn begins_at(&self, t: u64);

    /// The poll is about to be over: when, on the recorder's clock, if there is a recorder.
    fn ends_at(&self, t: u64);

    /// The last poll is over, and the loop looks at the world, or ends.
    fn poll_ended(&self);

    /// The polled task waits, at this place in the program if that is known.
    fn waits(&self, slot: u32, at: Option<&'static Location<'static>>);

    /// The polled task waits at a place that has a name. Keep a share of the name rather than a copy.
    fn waits_by_name(&self, slot: u32, name: &Rc<str>, at: &'static Location<'static>);

    /// The loop has nothing to do.
    fn park_begins(&self);

    /// It may have something to do again.
    fn park_ended(&self);
}
// ANCHOR_END: whole
