//! Whoever is free takes half of what another one still has before it: work stealing, by rayon.

use std::ops::Range;

use rayon::prelude::*;

use crate::tasting::is_prime;

/// The same as [`alone`](crate::alone), on rayon's threads: one a core, hired at the first call and kept.
///
/// Inside of [`rayon::ThreadPool::install`], on the threads of that pool.
// ANCHOR: rayon
pub fn with_rayon(numbers: Range<u64>) -> u64 {
    numbers
        .into_par_iter()
        .filter(|number| is_prime(*number))
        .count() as u64
}
// ANCHOR_END: rayon
