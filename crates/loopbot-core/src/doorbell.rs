// ANCHOR: whole
//! The doorbell: how waiting for the world outside is plugged into the loop's own waiting.
//!
//! A LoopBot that has nothing to do parks its thread, and whoever wakes a task from another thread unparks it. It
//! knows no socket. Who wants to wait for sockets as well has to wait somewhere else, with the system's poller, and be
//! woken there. So there is one place where a loop can be told to park: this one. `loopbot-io` plugs in its
//! reactor; whoever has another source of events can plug in something of their own.

use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::current;
use crate::executor::Executor;
use crate::inbox::Bell;

/// Where a LoopBot waits when it has nothing to do, instead of in a parked thread.
///
/// It belongs to one run of one LoopBot, which calls it on its own thread only.
pub trait Park: Any {
    /// Waits until something comes that somebody awaits, until [`Unpark::unpark`] is called, or for `at_most` (`None`:
    /// without end; zero: only looks). Wakes the tasks that await what came. It may return earlier and for no reason.
    ///
    /// An `unpark` that comes before it, when nobody is waiting, has to end the next wait at once. The wakers that it calls
    /// may be anybody's, and do anything: use [`wake_caught`](crate::leaf::wake_caught), when nothing is borrowed.
    fn park(&self, at_most: Option<Duration>);

    /// Whether nobody awaits anything from here. Then the loop need not look, and if all its tasks wait for each
    /// other, it [stands still](crate::StandStill). `true` must be certain.
    fn is_idle(&self) -> bool;

    /// What ends a wait from another thread. Asked for once, and kept until the run is over.
    fn unparker(&self) -> Arc<dyn Unpark>;
}

/// What ends a wait from another thread: the rope of the doorbell.
pub trait Unpark: Send + Sync {
    /// Ends the wait, or the next one. It is called at most once for each wait, and not at all while the loop is awake.
    fn unpark(&self);
}

/// Where the LoopBot of this thread parks from now on: in what `make` makes, if it was not told so before.
/// `None` if no LoopBot runs here.
///
/// # Errors
///
/// Those of `make`.
///
/// # Panics
///
/// If this LoopBot parks in something of another type already: it can wait in one place only.
pub fn park_in<P: Park, E>(make: impl FnOnce() -> Result<P, E>) -> Option<Result<Rc<P>, E>> {
    current::try_with(|executor| {
        if let Some(place) = executor.doorbell.get() {
            let place: Rc<dyn Any> = place.clone();
            return Ok(place.downcast().expect(
                "this LoopBot waits for something else already, and can wait in one place only",
            ));
        }
        let place = Rc::new(make()?);
        executor
            .address
            .inbox
            .set_bell(Bell::Parked(place.unparker()));
        let _ = executor.doorbell.set(place.clone());
        Ok(place)
    })
}

/// Whether the LoopBot of this thread parks in this place: what waits there would hear nothing on any other.
#[inline]
pub fn parks_in<P: Park>(place: &Rc<P>) -> bool {
    current::try_with(|executor| executor.parks_in(Rc::as_ptr(place).cast())).unwrap_or(false)
}

impl Executor {
    #[inline]
    fn parks_in(&self, place: *const ()) -> bool {
        let own = self.doorbell.get();
        own.is_some_and(|own| std::ptr::addr_eq(Rc::as_ptr(own), place))
    }

    /// Whether anybody awaits something from outside.
    #[inline]
    pub(crate) fn awaits_io(&self) -> bool {
        self.doorbell.get().is_some_and(|place| !place.is_idle())
    }
}
// ANCHOR_END: whole
