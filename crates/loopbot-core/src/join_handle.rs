// ANCHOR: claim
//! The join handle: how what a task made reaches whoever waits for it.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use crate::join_error::JoinError;
use crate::shelf::Joined;
use crate::{current, leaf};

/// The right to what one task makes, a `T`. Like a waker it is a name; unlike a waker it is the only one, and as
/// long as it lives the place of its task is not given to another.
pub(crate) struct Claim<T> {
    /// Which run on this thread. They are counted, and no number is used twice.
    pub(crate) run: NonZeroU64,
    pub(crate) slot: u32,
    /// The how-manyth task, for messages.
    pub(crate) born: u32,
    /// It stays on its thread.
    makes: PhantomData<*const T>,
}

impl<T> Claim<T> {
    pub(crate) fn new(run: NonZeroU64, slot: u32, born: u32) -> Claim<T> {
        let makes = PhantomData;
        Claim {
            run,
            slot,
            born,
            makes,
        }
    }
}
// ANCHOR_END: claim

// ANCHOR: handle
/// Waits for a task, and gets what it made. Made by [`spawn`](crate::spawn).
///
/// Await it for the task's output, or for the [`JoinError`] that says why there is none.
///
/// Dropping it *detaches* the task: it runs on, and nobody hears of its end. (A dropped future stops, a
/// dropped handle does not stop its task: that is a common surprise.)
///
/// Cancel safety: dropping it half-way through an `.await` loses the result, not the task. Await `&mut handle`
/// to keep it.
///
/// A handle can outlive its LoopBot. What its task made and nobody took is dropped with the LoopBot; awaited
/// later, on another one, the handle says that the task was cancelled.
///
/// ```
/// loopbot::run(async {
///     let plate = loopbot::spawn(async { "risotto" });
///     assert!(!plate.is_finished()); // nobody gave it a turn yet
///     assert_eq!(plate.await.unwrap(), "risotto");
/// });
/// ```
///
/// It stays on the loop's thread:
///
/// ```compile_fail
/// loopbot::run(async {
///     let plate = loopbot::spawn(async {});
///     std::thread::spawn(move || drop(plate));
/// });
/// ```
pub struct JoinHandle<T> {
    /// Until the result was taken.
    claim: Option<Claim<T>>,
}

impl<T> JoinHandle<T> {
    pub(crate) fn new(claim: Claim<T>) -> JoinHandle<T> {
        JoinHandle { claim: Some(claim) }
    }

    /// Whether the task is over: done, cancelled or panicked.
    pub fn is_finished(&self) -> bool {
        self.claim.as_ref().is_none_or(|claim| {
            current::try_with(|executor| executor.shelf().is_over(claim)).unwrap_or(true)
        })
    }

    /// Asks for the task to be cancelled. In its next turn its future is dropped instead of polled, and
    /// whoever awaits the handle gets a [`JoinError`] that [is cancelled](JoinError::is_cancelled).
    ///
    /// Does nothing to a task that is over. A task that is being polled right now and finishes in this poll is done, not cancelled.
    ///
    /// ```
    /// loopbot::run(async {
    ///     let guest = loopbot::spawn(std::future::pending::<()>());
    ///     guest.abort();
    ///     assert!(guest.await.unwrap_err().is_cancelled());
    /// });
    /// ```
    pub fn abort(&self) {
        if let Some(claim) = &self.claim
            && !self.is_finished()
        {
            current::try_with(|executor| executor.abort(claim.slot));
        }
    }
}
// ANCHOR_END: handle

// ANCHOR: join
impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    ///
    /// If it is polled again after it returned `Ready`.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(leaf::spend(cx));
        let Some(claim) = self.claim.take() else {
            panic!("a JoinHandle was polled again after it gave its result")
        };
        let (born, slot) = (claim.born, claim.slot);
        let joined = current::try_with(|executor| {
            let joined = executor.shelf().join(claim);
            if let Joined::Over(_) = joined {
                executor.record.observed(slot);
            }
            joined
        });
        match joined {
            Some(Joined::Over(result)) => Poll::Ready(result),
            Some(Joined::NotYet(claim)) => {
                let slot = claim.slot;
                self.claim = Some(claim);
                wait_for(slot, cx.waker());
                Poll::Pending
            }
            _ => Poll::Ready(Err(JoinError::cancelled(&format!("task {born}")))),
        }
    }
}

/// The waker will be called when the task is over.
#[inline(never)]
fn wait_for(slot: u32, waker: &Waker) {
    // A waker may be anybody's: its clone and its drop may run any code, so no borrow is open.
    let joiner = leaf::keep(waker);
    current::try_with(|executor| {
        let earlier = executor.shelf().set_joiner(slot, joiner);
        drop(earlier);
        executor.waits_for_task(slot);
    });
}

/// Nobody will ask for this task. What it made may be dropped here, which may run any code: when the borrow is over.
#[inline(never)]
fn detach<T>(claim: Claim<T>) {
    let task = current::try_with(|executor| executor.shelf().release(claim));
    drop(task);
}

impl<T> Drop for JoinHandle<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(claim) = self.claim.take() {
            detach(claim);
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("is_finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}
// ANCHOR_END: join
