// ANCHOR: whole
//! A limit to how long one waits.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use loopbot_core::{Sleep, sleep, sleep_until};
use pin_project_lite::pin_project;

/// Waits for `future`, but not longer than `limit`, counted from this call.
///
/// When the time is up, `future` has not been dropped yet: it is, like any other, when this future is. So give it by value, and what it
/// was doing is cancelled; or give `&mut future`, and go on with it afterwards. If both come in the same poll, the output counts, not the limit.
///
/// A limit can cancel at an `.await` only. Code that does not give way is not interrupted.
///
/// Cancel safety: that of `future`, which is dropped with it.
///
/// ```
/// use std::time::Duration;
/// use loopbot::timeout;
///
/// loopbot::run(async {
///     let patience = Duration::from_millis(5);
///     assert_eq!(timeout(patience, async { "soup" }).await, Ok("soup"));
///     let error = timeout(patience, std::future::pending::<()>()).await.unwrap_err();
///     assert_eq!(error.to_string(), "the time limit has passed");
/// });
/// ```
///
/// # Panics
///
/// If no LoopBot runs on this thread.
#[track_caller]
pub fn timeout<F: IntoFuture>(limit: Duration, future: F) -> Timeout<F::IntoFuture> {
    Timeout {
        future: future.into_future(),
        limit: sleep(limit),
    }
}

/// Waits for `future`, but not longer than until [`now`](crate::now) is `deadline`. In everything else it is as [`timeout`].
///
/// Several steps that share one deadline are easier to get right than several that each have a limit of their own.
///
/// # Panics
///
/// If no LoopBot runs on this thread.
#[track_caller]
pub fn timeout_at<F: IntoFuture>(deadline: Duration, future: F) -> Timeout<F::IntoFuture> {
    Timeout {
        future: future.into_future(),
        limit: sleep_until(deadline),
    }
}

pin_project! {
    /// The future of [`timeout`] and [`timeout_at`].
    #[derive(Debug)]
    #[must_use = "a future does nothing until it is awaited"]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        limit: Sleep,
    }
}

// ANCHOR: poll
impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        // Without a budget: the future may have used it up, and would do so every time.
        this.limit.poll_unbudgeted(cx).map(|()| Err(Elapsed(())))
    }
}
// ANCHOR_END: poll

/// The time limit of [`timeout`] has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(());

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time limit has passed")
    }
}

impl std::error::Error for Elapsed {}
// ANCHOR_END: whole
