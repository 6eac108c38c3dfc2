//! One share for each hand, cut beforehand.

use std::ops::Range;
use std::panic::resume_unwind;
use std::thread;

use crate::tasting::alone;

/// The same as [`alone`], by so many threads (at least one). The one that calls this is one of them.
///
/// The shares are equally long. That does not make them equally much work: all wait for the one with the largest numbers.
///
/// # Panics
///
/// If the system has no thread to give.
// ANCHOR: shares
pub fn in_shares(numbers: Range<u64>, hands: usize) -> u64 {
    let share = numbers.clone().count().div_ceil(hands.max(1)).max(1);
    let from = |start| start..numbers.end.min(start + share as u64);
    let mut shares = numbers.clone().step_by(share).map(from);
    let Some(mine) = shares.next() else { return 0 };
    thread::scope(|scope| {
        // `collect`: an iterator hires nobody until it is asked to.
        let hired: Vec<_> = shares.map(|share| scope.spawn(|| alone(share))).collect();
        let mine = alone(mine);
        let theirs = hired
            .into_iter()
            .map(|hand| hand.join().unwrap_or_else(|panic| resume_unwind(panic)));
        mine + theirs.sum::<u64>()
    })
}
// ANCHOR_END: shares
