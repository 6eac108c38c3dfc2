//! What it costs to wake a task from another thread, and how soon it runs then.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::quantile;
use crate::peer::{Peer, join_each};

/// Another thread wakes `tasks` tasks in turn, as fast as it can, `operations` times in all. A wake that
/// finds the task woken already is one too, and the time runs until the last has been answered.
pub fn throughput<P: Peer>(tasks: u64, operations: u64) -> Duration {
    P::run(async move {
        let (tell, told) = mpsc::channel();
        let closed = Arc::new(AtomicBool::new(false));
        let waiting: Vec<_> = (0..tasks)
            .map(|_| P::spawn(wait(tell.clone(), closed.clone())))
            .collect();
        let other_thread = thread::spawn(move || {
            let wakers: Vec<Waker> = told.iter().take(tasks as usize).collect();
            let start = Instant::now();
            for round in 1..=operations / tasks {
                if round == operations / tasks {
                    closed.store(true, Ordering::Release);
                }
                wakers.iter().for_each(Waker::wake_by_ref);
            }
            start
        });
        join_each(waiting).await;
        let end = Instant::now();
        end - other_thread.join().unwrap()
    })
}

async fn wait(tell: mpsc::Sender<Waker>, closed: Arc<AtomicBool>) {
    let mut known: Option<Waker> = None;
    poll_fn(|cx| {
        if closed.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        if known.is_none() {
            known = Some(cx.waker().clone());
            tell.send(cx.waker().clone()).unwrap();
        }
        Poll::Pending
    })
    .await;
}

/// From the wake on another thread to the poll that answers it, while the loop sleeps: median and 99th percentile in µs.
pub fn latency<P: Peer>(samples: u64) -> [f64; 2] {
    let late = P::run(async move {
        let bell = Arc::new(Bell::default());
        let task = P::spawn(answer(bell.clone(), samples));
        let other_thread = thread::spawn(move || ring(&bell, samples));
        let late = task.await;
        other_thread.join().unwrap();
        late
    });
    [quantile(&late, 0.5), quantile(&late, 0.99)]
}

#[derive(Default)]
struct Bell {
    waiting: AtomicBool,
    waker: Mutex<Option<Waker>>,
    rung: Mutex<Option<Instant>>,
}

async fn answer(bell: Arc<Bell>, samples: u64) -> Vec<f64> {
    let mut late = Vec::with_capacity(samples as usize);
    for _ in 0..samples {
        let mut waits = false;
        let micros = poll_fn(|cx| {
            if let Some(rung) = bell.rung.lock().unwrap().take() {
                return Poll::Ready(rung.elapsed().as_nanos() as f64 / 1e3);
            }
            if !waits {
                waits = true;
                *bell.waker.lock().unwrap() = Some(cx.waker().clone());
                bell.waiting.store(true, Ordering::Release);
            }
            Poll::Pending
        })
        .await;
        late.push(micros);
    }
    late
}

fn ring(bell: &Bell, samples: u64) {
    for _ in 0..samples {
        while !bell.waiting.swap(false, Ordering::Acquire) {
            std::hint::spin_loop();
        }
        // Time for the loop to go to sleep. This thread stays awake, so that it is not its own
        // awakening that is measured.
        let parked = Instant::now();
        while parked.elapsed() < Duration::from_micros(50) {
            std::hint::spin_loop();
        }
        let waker = bell.waker.lock().unwrap().take().unwrap();
        *bell.rung.lock().unwrap() = Some(Instant::now());
        waker.wake();
    }
}
