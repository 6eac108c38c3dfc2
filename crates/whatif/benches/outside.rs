//! What a lock of this crate costs where no check runs, beside std's own: `cargo bench -p whatif`. Prints, asserts nothing.

use std::hint::black_box;
use std::time::Instant;

const LOCKS: u32 = 5_000_000;

fn main() {
    let ours = whatif::sync::Mutex::new(0_u64);
    let stds = std::sync::Mutex::new(0_u64);
    println!("ns per lock and unlock, nobody else there, best of five rounds of {LOCKS}, in turn:");
    let (mut best_ours, mut best_stds) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..5 {
        best_stds = best_stds.min(round(|| *black_box(&stds).lock().unwrap() += 1));
        best_ours = best_ours.min(round(|| *black_box(&ours).lock().unwrap() += 1));
    }
    println!("   std::sync::Mutex  {best_stds:5.1}");
    println!("whatif::sync::Mutex  {best_ours:5.1}   ({:.2} times std's)", best_ours / best_stds);
}

fn round(mut lock: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..LOCKS {
        lock();
    }
    start.elapsed().as_nanos() as f64 / f64::from(LOCKS)
}
