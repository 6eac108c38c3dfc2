//! What a sleep costs that ends, and how late it ends.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::measure::{cpu, each, quantile};
use crate::peer::{Sleeps, join_each};

/// `sleeps` tasks sleep once each, spread over `within`. Processor time for each in ns, spawn and join
/// included; then how late they woke: median, 99th percentile and the earliest, in µs. Below 0 is early.
pub fn sleeps<P: Sleeps>(sleeps: u64, within: Duration) -> [f64; 4] {
    let before = cpu();
    let late = P::run(all::<P>(sleeps, within));
    figures(cpu() - before, &late)
}

/// The same, with every timer at its own time, where the peer lets the user choose.
pub fn exact_sleeps<P: Sleeps>(sleeps: u64, within: Duration) -> [f64; 4] {
    let before = cpu();
    let late = P::run_exact(all::<P>(sleeps, within));
    figures(cpu() - before, &late)
}

fn figures(used: Duration, late: &[f64]) -> [f64; 4] {
    [
        each(used, late.len() as u64),
        quantile(late, 0.5),
        quantile(late, 0.99),
        quantile(late, 0.0),
    ]
}

async fn all<P: Sleeps>(sleeps: u64, within: Duration) -> Vec<f64> {
    P::spawn(async move {
        let late = Rc::new(RefCell::new(Vec::with_capacity(sleeps as usize)));
        let tasks: Vec<_> = (0..sleeps)
            .map(|number| {
                // Spread evenly, set in no order: 7919 is a prime that divides no number of sleeps here.
                let share = (number * 7919 % sleeps) as f64 / sleeps as f64;
                P::spawn(sleep::<P>(within.mul_f64(share), late.clone()))
            })
            .collect();
        join_each(tasks).await;
        late.take()
    })
    .await
}

async fn sleep<P: Sleeps>(duration: Duration, late: Rc<RefCell<Vec<f64>>>) {
    let due = Instant::now() + duration;
    P::sleep(duration).await;
    let now = Instant::now();
    let micros = if now >= due {
        (now - due).as_nanos() as f64 / 1e3
    } else {
        -((due - now).as_nanos() as f64) / 1e3
    };
    late.borrow_mut().push(micros);
}
