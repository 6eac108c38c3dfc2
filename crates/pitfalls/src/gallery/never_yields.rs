//! A future that never yields. There is an `await` in every round, and nobody else gets a turn: an `await` gives way only if
//! what is awaited is not ready, and here there is always one more order on the rail.
//!
//! LoopBot's own futures keep a budget and give way after 128 answers, and Tokio's do. A future of anybody else's need not.

use std::future::ready;
use std::hint::black_box;
use std::io;
use std::time::{Duration, Instant};

use super::world::{HOLD, taste_for};
use super::{Acts, Entry};

pub(super) const ENTRY: Entry = Entry {
    name: "never-yields",
    title: "a future that is always ready",
    happens: "A loop awaits something that is always ready. Each step is short, and yet no other task has a turn until the loop ends. Here the clock ends it; without that it would go on for ever.",
    instead: "Give way yourself now and then: `loopbot::yield_now().await`, `tokio::task::yield_now().await`.",
    never_ends: false,
    broken: Acts {
        loopbot: || Box::pin(broken()),
        tokio: || Box::pin(broken()),
    },
    mended: Acts {
        loopbot: || Box::pin(on_loopbot()),
        tokio: || Box::pin(on_tokio()),
    },
};

/// One order: a little work.
async fn next_order() {
    black_box(taste_for(Duration::from_micros(500)));
    ready(()).await; // the next one is there already
}

// ANCHOR: broken
async fn broken() -> io::Result<()> {
    let closing_time = Instant::now() + HOLD;
    while Instant::now() < closing_time {
        next_order().await;
    }
    Ok(())
}
// ANCHOR_END: broken

// ANCHOR: mended
async fn on_loopbot() -> io::Result<()> {
    let closing_time = Instant::now() + HOLD;
    while Instant::now() < closing_time {
        next_order().await;
        loopbot::yield_now().await;
    }
    Ok(())
}
// ANCHOR_END: mended

async fn on_tokio() -> io::Result<()> {
    let closing_time = Instant::now() + HOLD;
    while Instant::now() < closing_time {
        next_order().await;
        tokio::task::yield_now().await;
    }
    Ok(())
}
