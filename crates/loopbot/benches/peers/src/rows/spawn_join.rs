//! What a task costs from spawn to join.

use std::time::Duration;

use crate::measure::Stopwatch;
use crate::peer::Peer;

/// Spawns `batch` tasks, then joins them, until `operations` tasks have been.
pub fn spawn_join<P: Peer>(batch: u64, operations: u64) -> Duration {
    P::run(async move {
        P::spawn(async move {
            let mut tasks = Vec::with_capacity(batch as usize);
            let watch = Stopwatch::start();
            for _ in 0..operations / batch {
                for number in 0..batch {
                    tasks.push(P::spawn(async move { number }));
                }
                for task in tasks.drain(..) {
                    std::hint::black_box(task.await);
                }
            }
            watch.stop()
        })
        .await
    })
}

/// Spawns a task and joins it at once, again and again.
pub fn spawn_join_at_once<P: Peer>(operations: u64) -> Duration {
    P::run(async move {
        P::spawn(async move {
            let watch = Stopwatch::start();
            for number in 0..operations {
                std::hint::black_box(P::spawn(async move { number }).await);
            }
            watch.stop()
        })
        .await
    })
}
