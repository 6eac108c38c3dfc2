//! What does a switch from task to task cost on LoopBot? For the run queue of exercise 11:
//! `cargo run --release -p solution-11 --example switches_by_arc`.
//!
//! `cargo run --release -p monday --example switches`

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

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
    let each = loopbot::run(async {
        let tasks: Vec<_> = (0..TASKS).map(|_| loopbot::spawn(GiveWay(TIMES))).collect();
        let started = Instant::now();
        for task in tasks {
            task.await.expect("no task panics");
        }
        started.elapsed() / (TASKS * TIMES)
    });
    println!("{TASKS} tasks, {TIMES} switches each: {each:?} a switch");
}
