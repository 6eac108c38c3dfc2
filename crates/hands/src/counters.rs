//! Four ways to count together.
//!
//! In all four every addition arrives, so none of them is wrong. They differ in how often cores must ask each other for a
//! cache line: memory travels between cores in lines (64 bytes on most machines, 128 on some), and one core at a time
//! may write to a line.

use std::hint::black_box;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Where the hands count.
// ANCHOR: counters
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counters {
    /// One counter for all: the line with it travels at every addition.
    Shared,
    /// A counter for each hand, one beside the other. Nobody shares a counter, and all share a line: false sharing.
    Neighbours,
    /// A counter for each hand, each in a line of its own.
    Apart,
    /// A local variable of each hand, handed over once, at the end.
    Own,
}

/// A counter that has 128 bytes to itself, which is a line or two on any machine there is.
#[derive(Default)]
#[repr(align(128))]
struct Alone(AtomicU64);

/// So many hands (at least one) add 1 so many times each. Returns the sum.
///
/// # Panics
///
/// If the system has no thread to give.
pub fn count(counters: Counters, hands: usize, times: u64) -> u64 {
    let hands = hands.max(1);
    let shared = AtomicU64::new(0);
    let neighbours: Vec<AtomicU64> = (0..hands).map(|_| AtomicU64::new(0)).collect();
    let apart: Vec<Alone> = (0..hands).map(|_| Alone::default()).collect();
    let add = |counter: &AtomicU64| {
        for _ in 0..times {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    };
    let work = |hand: usize| match counters {
        Counters::Shared => add(&shared),
        Counters::Neighbours => add(&neighbours[hand]),
        Counters::Apart => add(&apart[hand].0),
        Counters::Own => {
            // `black_box`, or the compiler sees through this and adds `times` at once.
            let own = (0..times).fold(0, |own, _| black_box(own + 1));
            shared.fetch_add(own, Ordering::Relaxed);
        }
    };
    let work = &work;
    thread::scope(|scope| {
        let hired: Vec<_> = (1..hands)
            .map(|hand| scope.spawn(move || work(hand)))
            .collect();
        work(0);
        for hand in hired {
            hand.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
    let each = neighbours.iter().chain(apart.iter().map(|alone| &alone.0));
    shared.into_inner()
        + each
            .map(|counter| counter.load(Ordering::Relaxed))
            .sum::<u64>()
}
// ANCHOR_END: counters
