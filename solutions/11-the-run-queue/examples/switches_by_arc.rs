//! What does a switch from task to task cost, with the run queue of exercise 11? For LoopBot's own:
//! `cargo run --release -p monday --example switches`.
//!
//! `cargo run --release -p solution-11 --example switches_by_arc`

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use exercise_11::RunQueue;

const TASKS: u32 = 100;
const TIMES: u32 = 10_000;

/// Gives way so many times.
struct GiveWay(u32);

impl Future for GiveWay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

fn main() {
    let queue = RunQueue::default();
    (0..TASKS).for_each(|_| queue.spawn(GiveWay(TIMES)));
    let started = Instant::now();
    queue.run();
    let each = started.elapsed() / (TASKS * TIMES);
    println!("{TASKS} tasks, {TIMES} switches each: {each:?} a switch");
}
