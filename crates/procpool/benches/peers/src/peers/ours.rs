//! Ours.

use std::time::{Duration, Instant};

use futures::executor::block_on;
use procpool::{Blob, Builder, Jobs, Pool};

use crate::jobs::{self, hold, hold_once, next, no_op, primes, spin};
use crate::peer::Peer;

pub struct Ours(Pool);

pub fn kitchen() -> Jobs {
    procpool::jobs![no_op, next, echo, primes, hold, hold_once, spin, touch, sum]
}

fn builder() -> Builder {
    let queue = 2 * Ours::FLOOD as usize;
    Pool::builder(kitchen()).workers(2).queue(queue)
}

/// Sends back what it got, in memory of its own: every byte is read and written here.
fn echo(bytes: Blob) -> Blob {
    Blob::from(&bytes[..])
}

fn touch(bytes: Blob) -> u8 {
    bytes[bytes.len() / 2]
}

fn sum(bytes: Blob) -> u64 {
    jobs::sum(&bytes)
}

impl Peer for Ours {
    const FLOOD: u64 = 200_000;

    fn start() -> Ours {
        Ours(builder().build().expect("a pool"))
    }

    fn start_awake() -> Option<Ours> {
        builder()
            .spin(Duration::from_micros(100))
            .build()
            .ok()
            .map(Ours)
    }

    fn round_trip(&mut self, number: u64) -> u64 {
        self.0.submit(no_op, number).wait().expect("an answer")
    }

    fn awaited(&mut self, number: u64) -> Option<u64> {
        block_on(self.0.submit(no_op, number)).ok()
    }

    fn flood(&mut self, jobs: u64) -> u64 {
        let answers: Vec<_> = (0..jobs)
            .map(|number| self.0.submit(no_op, number))
            .collect();
        answers
            .into_iter()
            .map(|answer| answer.wait().expect("an answer"))
            .sum()
    }

    fn map(&mut self, items: u64) -> u64 {
        let results = self.0.map(next, 0..items).chunk(64).ordered();
        results
            .map(|result: Result<u64, _>| result.expect("an answer"))
            .sum()
    }

    fn echo(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let blob = self
            .0
            .submit(echo, Blob::from(&bytes[..]))
            .wait()
            .expect("an answer");
        let mut bytes = bytes;
        bytes.copy_from_slice(&blob);
        bytes
    }

    fn hand_over(&mut self, bytes: usize) -> Option<impl FnMut(&mut Self) + use<>> {
        let blob = Blob::build(bytes, |bytes| bytes.fill(1));
        Some(move |ours: &mut Self| {
            assert_eq!(ours.0.submit(touch, blob.clone()).wait(), Ok(1));
        })
    }

    fn share(&mut self, bytes: &[u8]) -> Option<u64> {
        self.0.submit(sum, Blob::from(bytes)).wait().ok()
    }

    fn primes(&mut self, ranges: &[(u64, u64)]) -> u64 {
        let answers: Vec<_> = ranges
            .iter()
            .map(|range| self.0.submit(primes, *range))
            .collect();
        answers
            .into_iter()
            .map(|answer| answer.wait().expect("an answer"))
            .sum()
    }

    fn fails(
        &mut self,
        places: [String; 2],
        queued: u64,
        kill: impl FnOnce() -> Instant,
    ) -> (Duration, u64) {
        let [first, _neighbour] = places.map(|place| self.0.submit(hold, place));
        let behind: Vec<_> = (0..queued)
            .map(|number| self.0.submit(no_op, number))
            .collect();
        let killed = kill();
        first.wait().expect_err("its worker is dead");
        let known = killed.elapsed();
        let lost = behind
            .into_iter()
            .filter_map(|answer| answer.wait().err())
            .count();
        (known, 1 + lost as u64)
    }

    fn retried(&mut self, place: String, kill: impl FnOnce() -> Instant) -> Option<Duration> {
        let answer = self.0.job(hold_once).idempotent().submit(place);
        let killed = kill();
        answer.wait().expect("the second try");
        Some(killed.elapsed())
    }

    fn spin(&mut self, places: [String; 2]) {
        for place in places {
            self.0.submit(spin, place).detach();
        }
    }

    fn queue(
        &mut self,
        places: [String; 2],
        jobs: u64,
        begun: impl FnOnce(),
        queued: impl FnOnce(),
    ) {
        let _busy = places.map(|place| self.0.submit(hold, place));
        begun();
        let mut answers = Vec::with_capacity(jobs as usize);
        answers.extend((0..jobs).map(|number| self.0.submit(no_op, number)));
        queued();
    }
}
