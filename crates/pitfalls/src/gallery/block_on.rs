//! `block_on` inside of a task: a function that is not `async` wants to await, and brings an executor along. That one takes the
//! thread, and waits for a task that only the first executor could poll.
//!
//! Tokio notices when it is Tokio's own `block_on`, and LoopBot when it is `loopbot::run`: both panic. Anybody else's
//! waits. Here is the one of chapter 10.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};

use super::world::HOLD;
use super::{Acts, Entry};

pub(super) const ENTRY: Entry = Entry {
    name: "block-on",
    title: "block_on inside async",
    happens: "Somewhere below an `async fn`, a plain function calls `block_on`. The inner executor keeps the thread and waits for something that the outer one would have to do. It never ends.",
    instead: "Make the function `async`, and await. If it must stay plain, have it run on another thread with `spawn_blocking`, and let it `block_on` there.",
    never_ends: true,
    broken: Acts {
        loopbot: || Box::pin(broken_on_loopbot()),
        tokio: || Box::pin(broken_on_tokio()),
    },
    mended: Acts {
        loopbot: || Box::pin(on_loopbot()),
        tokio: || Box::pin(on_tokio()),
    },
};

// ANCHOR: block_on
/// Polls one future, and parks the thread in between. There is nothing wrong with it, on a thread of its own.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        thread::park();
    }
}
// ANCHOR_END: block_on

// ANCHOR: broken
async fn broken_on_loopbot() -> io::Result<()> {
    let dish = loopbot::spawn_named("the dish", loopbot::sleep(HOLD));
    block_on(dish).map_err(io::Error::other)
}
// ANCHOR_END: broken

// ANCHOR: mended
async fn on_loopbot() -> io::Result<()> {
    let dish = loopbot::spawn_named("the dish", loopbot::sleep(HOLD));
    dish.await.map_err(io::Error::other)
}
// ANCHOR_END: mended

async fn broken_on_tokio() -> io::Result<()> {
    let dish = tokio::spawn(tokio::time::sleep(HOLD));
    Ok(block_on(dish)?)
}

async fn on_tokio() -> io::Result<()> {
    let dish = tokio::spawn(tokio::time::sleep(HOLD));
    Ok(dish.await?)
}
