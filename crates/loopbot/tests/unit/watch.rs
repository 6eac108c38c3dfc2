//! The loop and its watchdog meet at bad moments.

use std::thread;
use std::time::{Duration, Instant};

use super::*;

const ROUNDS: u32 = if cfg!(miri) { 50 } else { 500 };
/// How long the loop waits for a watchdog that does not wake up, before the test fails.
const PATIENCE: Duration = Duration::from_secs(if cfg!(miri) { 7200 } else { 60 });

fn teller(watch: &Arc<Watch>, thread: Thread) -> Teller {
    Teller {
        watch: watch.clone(),
        thread,
        told: RefCell::default(),
    }
}

#[test]
fn a_watchdog_that_falls_asleep_while_the_loop_wakes_up_is_woken() {
    let watch = Arc::new(Watch::default());
    let looks = Arc::new(AtomicU64::new(0));
    let [is_parked, is_over] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let dog = thread::spawn({
        let (watch, looks) = (watch.clone(), looks.clone());
        let (is_parked, is_over) = (is_parked.clone(), is_over.clone());
        move || {
            while !is_over.load(Ordering::Relaxed) {
                looks.fetch_add(1, Ordering::SeqCst);
                if watch.falls_asleep(|| is_parked.load(Ordering::Acquire)) {
                    thread::park();
                }
            }
        }
    });
    let teller = teller(&watch, dog.thread().clone());
    for round in 0..ROUNDS {
        is_parked.store(true, Ordering::Release);
        for _ in 0..round % 64 * 8 {
            std::hint::spin_loop();
        }
        is_parked.store(false, Ordering::Release);
        teller.park_ended();
        let (before, began) = (looks.load(Ordering::SeqCst), Instant::now());
        while looks.load(Ordering::SeqCst) == before {
            assert!(
                began.elapsed() < PATIENCE,
                "it was left asleep in round {round}"
            );
            thread::yield_now();
        }
    }
    is_over.store(true, Ordering::Relaxed);
    dog.thread().unpark();
    dog.join().unwrap();
}
