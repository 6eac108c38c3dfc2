//! What it costs to hand over to another thread, and to another task.
//!
//! `cargo run --release -p loopbot --example threads_and_tasks`

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

/// So often that what is done once does not count.
const TIMES: u32 = 100_000;

fn main() {
    println!("thread to thread: {:?}", each(2 * TIMES, park_and_unpark));
    println!("task to task:     {:?}", each(2 * TIMES, give_way));
    println!("a thread, made and joined: {:?}", each(TIMES / 10, threads));
    println!("a task, made and joined:   {:?}", each(TIMES, tasks));
}

fn each(times: u32, work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed() / times
}

/// Two threads. Each wakes the other and sleeps.
fn park_and_unpark() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let is_mine = AtomicBool::new(true);
    let turns = |mine: bool, other: thread::Thread| {
        for _ in 0..TIMES {
            while is_mine.load(Ordering::Acquire) != mine {
                thread::park();
            }
            is_mine.store(!mine, Ordering::Release);
            other.unpark();
        }
    };
    let main = thread::current();
    thread::scope(|scope| {
        let other = scope.spawn(|| turns(false, main));
        turns(true, other.thread().clone());
    });
}

/// Two tasks. Each goes to the end of the queue, behind the other.
fn give_way() {
    loopbot::run(async {
        let turns = || async {
            for _ in 0..TIMES {
                loopbot::yield_now().await;
            }
        };
        let other = loopbot::spawn(turns());
        turns().await;
        other.await.unwrap();
    });
}

fn threads() {
    for i in 0..TIMES / 10 {
        thread::spawn(move || black_box(i)).join().unwrap();
    }
}

fn tasks() {
    loopbot::run(async {
        for i in 0..TIMES {
            loopbot::spawn(async move { black_box(i) }).await.unwrap();
        }
    });
}
