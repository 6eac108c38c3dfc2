//! An await point with a name.

use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use loopbot_core::leaf;
use pin_project_lite::pin_project;

/// Gives a name to what a task waits for while it awaits `future`.
///
/// When LoopBot stands still it says who waits for what. Of its own futures it knows that much: "a Mutex",
/// "a timer". What stands behind it in your program, you know.
/// What is told of a task is what it waited for in its last turn.
///
/// Cancel safety: that of `future`, which is dropped with it.
///
/// ```
/// use loopbot::{Clock, LoopBot, wait_point};
///
/// let robot = LoopBot::builder().clock(Clock::virtual_time(flight::VirtualTime::new())).build();
/// let stand_still = robot
///     .try_run(wait_point("the oven", std::future::pending::<()>()))
///     .unwrap_err();
/// assert_eq!(stand_still.tasks()[0].waits()[0].what(), "the oven");
/// ```
#[track_caller]
pub fn wait_point<F: IntoFuture>(name: &str, future: F) -> WaitPoint<F::IntoFuture> {
    WaitPoint {
        future: future.into_future(),
        name: name.into(),
        at: Location::caller(),
    }
}

pin_project! {
    /// The future of [`wait_point`].
    #[derive(Debug)]
    #[must_use = "a future does nothing until it is awaited"]
    pub struct WaitPoint<F> {
        #[pin]
        future: F,
        name: Rc<str>,
        at: &'static Location<'static>,
    }
}

impl<F: Future> Future for WaitPoint<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polled = this.future.poll(cx);
        if polled.is_pending() {
            // After the poll: this name stands over what the future inside has said.
            leaf::waits_by_name(this.name, this.at);
        }
        polled
    }
}
