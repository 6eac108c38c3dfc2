//! The work. It computes, and nothing else: no lock, no memory, nothing to wait for.

use std::ops::Range;

/// How many prime numbers there are in a range. By trial division, which is slow, and is meant to be.
///
/// A number takes longer the larger it is, so the upper half of a range is more work than the lower one: nearly two thirds. Real work is like that, and nobody knows beforehand by how much.
// ANCHOR: tasting
pub fn alone(numbers: Range<u64>) -> u64 {
    numbers.filter(|number| is_prime(*number)).count() as u64
}

pub(crate) fn is_prime(number: u64) -> bool {
    number >= 2
        && (2..)
            .take_while(|d| d * d <= number)
            .all(|d| !number.is_multiple_of(d))
}
// ANCHOR_END: tasting
