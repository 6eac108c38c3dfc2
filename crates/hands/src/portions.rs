//! Whoever is free takes the next portion.

use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::tasting::alone;

/// The same as [`alone`], by so many threads (at least one), which take `portion` numbers (at least one) at a time from
/// where the last one has stopped. The thread that calls this is one of them.
///
/// Nobody has to know which numbers are hard: at the end, all wait for one portion at most. The price is one addition
/// to a shared counter for each portion.
///
/// # Panics
///
/// If the system has no thread to give.
// ANCHOR: portions
pub fn in_portions(numbers: Range<u64>, hands: usize, portion: u64) -> u64 {
    let portion = portion.max(1);
    let portions = numbers.end.saturating_sub(numbers.start).div_ceil(portion);
    let next = AtomicU64::new(0);
    let work = || {
        let mut found = 0;
        loop {
            // Relaxed: everybody gets a number of their own, and nothing else is handed over by it.
            let mine = next.fetch_add(1, Ordering::Relaxed);
            if mine >= portions {
                return found;
            }
            let start = numbers.start + mine * portion;
            found += alone(start..numbers.end.min(start + portion));
        }
    };
    thread::scope(|scope| {
        let hired: Vec<_> = (1..hands).map(|_| scope.spawn(work)).collect();
        let mine = work();
        let theirs = hired
            .into_iter()
            .map(|hand| hand.join().unwrap_or_else(|panic| resume_unwind(panic)));
        mine + theirs.sum::<u64>()
    })
}
// ANCHOR_END: portions
