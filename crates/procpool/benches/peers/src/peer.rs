//! What every pool has to be able to do, and how little of that is its own code.

use std::time::{Duration, Instant};

/// A pool with two workers. What it has no means for, it leaves at `None`.
pub trait Peer: Sized {
    /// So many no-ops it takes at a time; one that takes less than the others says so.
    const FLOOD: u64 = 200_000;

    fn start() -> Self;

    /// One whose workers, and whoever waits for them, look for the next message a while before they go to sleep.
    fn start_awake() -> Option<Self> {
        None
    }

    /// One no-op, and its answer.
    fn round_trip(&mut self, number: u64) -> u64;

    /// The same, awaited instead of waited for.
    fn awaited(&mut self, _number: u64) -> Option<u64> {
        None
    }

    /// So many no-ops, all of them submitted before the first answer is looked at. Returns the sum of the answers.
    fn flood(&mut self, jobs: u64) -> u64;

    /// `next` of every number below this, in chunks of 64. Returns the sum.
    fn map(&mut self, items: u64) -> u64;

    /// There and back.
    fn echo(&mut self, bytes: Vec<u8>) -> Vec<u8>;

    /// Hands over a block of shared memory that is filled already, and waits until the other side has touched it.
    fn hand_over(&mut self, _bytes: usize) -> Option<impl FnMut(&mut Self) + use<Self>> {
        None::<fn(&mut Self)>
    }

    /// Copies the bytes to where the other side can read them, and has them read: the sum.
    fn share(&mut self, _bytes: &[u8]) -> Option<u64> {
        None
    }

    /// How many primes there are in all of these ranges.
    fn primes(&mut self, ranges: &[(u64, u64)]) -> u64;

    /// Gives each worker one job to `hold`, with that place, and queues so many no-ops behind; then calls `kill`, which ends
    /// the first worker and says when. Returns how long it took until the job was known to have failed, and how many of all
    /// jobs did.
    fn fails(
        &mut self,
        places: [String; 2],
        queued: u64,
        kill: impl FnOnce() -> Instant,
    ) -> (Duration, u64);

    /// The same with one job to `hold_once`, which may be tried again: how long it took until its answer was there.
    fn retried(&mut self, _place: String, _kill: impl FnOnce() -> Instant) -> Option<Duration> {
        None
    }

    /// Gives each worker one job to `spin`, and does not wait for it.
    fn spin(&mut self, places: [String; 2]);

    /// Gives each worker one job to `hold`, calls `begun`; queues so many no-ops behind them, and calls `queued`.
    fn queue(
        &mut self,
        places: [String; 2],
        jobs: u64,
        begun: impl FnOnce(),
        queued: impl FnOnce(),
    );
}
