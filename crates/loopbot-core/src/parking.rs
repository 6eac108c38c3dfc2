// ANCHOR: whole
//! How waiting for the world outside is plugged into the loop's own waiting: the doorbell.
//!
//! A LoopBot that has nothing to do parks its thread, and whoever wakes a task from another thread unparks it. It
//! knows no socket. Who wants to wait for sockets as well has to wait somewhere else, with the system's poller, and be
//! woken there. So there is one place where a loop can be told to park: here. `loopbot-io` plugs in its
//! reactor, when the first socket is made; whoever has another source of events can plug in something of their own.

use std::any::Any;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::current;
use crate::executor::Executor;
use crate::inbox::Bell;

// ANCHOR: traits
/// Where a LoopBot waits when it has nothing to do, instead of in a parked thread.
///
/// It belongs to one run of one LoopBot, which calls it on its own thread only.
pub trait Park: Any {
    /// Waits until something comes that somebody awaits, until [`Unpark::unpark`] is called, or for `at_most` (`None`:
    /// without end; zero: only looks), and wakes the tasks that await what came. It may end sooner, for no reason.
    ///
    /// An `unpark` that comes while nobody is in here ends the next wait at once. A waker may be anybody's, and do
    /// anything: call it through [`wake_caught`](crate::leaf::wake_caught), when nothing is borrowed.
    fn park(&self, at_most: Option<Duration>);

    /// Whether it is certain that nobody awaits anything from here. Then the loop does not look in here between two rounds
    /// of turns, and it may say that it [stands still](crate::StandStill).
    fn is_idle(&self) -> bool;

    /// What ends a wait from another thread. Asked for once, when the loop begins to park here.
    fn unparker(&self) -> Arc<dyn Unpark>;
}

/// What ends a wait from another thread.
pub trait Unpark: Send + Sync {
    /// Ends the wait that is under way, or else the next one. Called at most once for each wait.
    fn unpark(&self);
}
// ANCHOR_END: traits

// ANCHOR: park_in
/// Has the LoopBot of this thread park in what `make` makes, from now on and until its run is over. If it does
/// already, that is what you get, and nothing is made. `None`: no LoopBot runs here.
///
/// # Errors
///
/// Those of `make`.
///
/// # Panics
///
/// If this LoopBot parks in something of another type: it can wait in one place only. And if `make` itself calls this.
pub fn park_in<P: Park, E>(make: impl FnOnce() -> Result<P, E>) -> Option<Result<Rc<P>, E>> {
    current::try_with(|executor| {
        if let Some(place) = executor.parking.get() {
            let place: Rc<dyn Any> = place.clone();
            return Ok(place.downcast().expect(
                "this LoopBot waits for events of another kind, and can wait in one place only: let that place do both",
            ));
        }
        let place = Rc::new(make()?);
        let is_first = executor.parking.set(place.clone()).is_ok();
        assert!(
            is_first,
            "`make` has made another place for this LoopBot to park in"
        );
        let bell = Bell::Parking(place.unparker());
        executor.address.inbox.set_bell(bell);
        Ok(place)
    })
}

/// Whether the LoopBot of this thread parks in this place. What waits here would hear nothing on another.
#[inline]
pub fn parks_in<P: Park>(place: &Rc<P>) -> bool {
    let is_own = |own: &Rc<dyn Park>| ptr::addr_eq(Rc::as_ptr(own), Rc::as_ptr(place));
    current::try_with(|executor| executor.parking.get().is_some_and(is_own)).unwrap_or(false)
}

impl Executor {
    /// Whether anybody awaits something from outside.
    #[inline]
    pub(crate) fn awaits_events(&self) -> bool {
        self.parking.get().is_some_and(|place| !place.is_idle())
    }
}
// ANCHOR_END: park_in
// ANCHOR_END: whole
