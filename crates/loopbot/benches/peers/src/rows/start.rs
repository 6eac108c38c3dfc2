//! What it costs to make a runtime, run nothing on it, and drop it.

use std::time::{Duration, Instant};

use crate::peer::Peer;

pub fn start<P: Peer>(operations: u64) -> Duration {
    let start = Instant::now();
    for number in 0..operations {
        assert_eq!(P::run(async move { number }), number);
    }
    start.elapsed()
}
