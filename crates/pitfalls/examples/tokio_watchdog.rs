//! A watchdog for Tokio's current-thread runtime, made by hand: a task that counts, and a thread that complains when the
//! count stands still.
//!
//! `cargo run -p pitfalls --example tokio_watchdog`

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("the system has what a runtime needs");
    runtime.block_on(async {
        tokio::spawn(beats(Duration::from_millis(50)));
        tokio::time::sleep(Duration::from_millis(100)).await;
        thread::sleep(Duration::from_millis(200)); // a chatty guest
        tokio::time::sleep(Duration::from_millis(100)).await;
    });
}

// ANCHOR: beats
/// Counts, eight times within the limit, for as long as this is polled. And a thread looks whether it does.
async fn beats(limit: Duration) {
    let beats = Arc::new(AtomicU64::new(0));
    let heart = Arc::downgrade(&beats);
    thread::spawn(move || {
        let mut seen = u64::MAX;
        // When the task is gone, so is the heart, and the thread ends.
        while let Some(beats) = heart.upgrade() {
            let now = beats.load(Ordering::Relaxed);
            if now == seen {
                eprintln!("for {limit:?} nobody has looked at the timers");
            }
            seen = now;
            drop(beats);
            thread::sleep(limit);
        }
    });
    loop {
        beats.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(limit / 8).await;
    }
}
// ANCHOR_END: beats
