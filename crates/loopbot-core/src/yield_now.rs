// ANCHOR: whole
//! Giving way: the smallest future there is that is not ready at once.

use std::pin::Pin;
use std::task::{Context, Poll};

/// Lets every other task that is ready have a turn, and then goes on.
///
/// A long computation that awaits this now and then keeps LoopBot able to do other things.
///
/// ```
/// loopbot::run(async {
///     let other = loopbot::spawn(async {});
///     loopbot::yield_now().await;
///     assert!(other.is_finished());
/// });
/// ```
pub fn yield_now() -> YieldNow {
    YieldNow { gave_way: false }
}

/// The future of [`yield_now`].
#[derive(Debug)]
#[must_use = "a future does nothing until it is awaited"]
// ANCHOR: yield_now
pub struct YieldNow {
    gave_way: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.gave_way {
            return Poll::Ready(());
        }
        self.gave_way = true;
        // Rung before we leave: the task goes to the back of the run queue, behind all who are ready.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
// ANCHOR_END: yield_now
// ANCHOR_END: whole
