//! procspawn: a thread of the parent for each worker, two pairs of sockets for each call.

use std::time::{Duration, Instant};

use procspawn::JoinHandle;
use serde_bytes::ByteBuf;

use crate::jobs;
use crate::peer::Peer;

pub struct Procspawn(procspawn::Pool);

/// More outstanding calls than this it is not given: each has four descriptors, and it panics when there are none left.
const OUTSTANDING: u64 = 2_000;

impl Procspawn {
    fn run<A, R>(&self, argument: A, job: fn(A) -> R) -> R
    where
        A: serde::Serialize + serde::de::DeserializeOwned,
        R: serde::Serialize + serde::de::DeserializeOwned + Send + 'static,
    {
        self.0.spawn(argument, job).join().expect("an answer")
    }

    fn hold<const N: usize>(
        &self,
        places: [String; N],
        job: fn(String) -> u32,
    ) -> [JoinHandle<u32>; N] {
        places.map(|place| self.0.spawn(place, job))
    }
}

impl Peer for Procspawn {
    const FLOOD: u64 = OUTSTANDING;

    fn start() -> Procspawn {
        let most = rlimit::increase_nofile_limit(20_000).unwrap_or(0);
        assert!(
            most > 4 * OUTSTANDING,
            "only {most} descriptors are allowed"
        );
        Procspawn(procspawn::Pool::new(2).expect("a pool"))
    }

    fn round_trip(&mut self, number: u64) -> u64 {
        self.run(number, jobs::no_op)
    }

    fn flood(&mut self, jobs: u64) -> u64 {
        let calls: Vec<_> = (0..jobs)
            .map(|number| self.0.spawn(number, jobs::no_op))
            .collect();
        calls
            .into_iter()
            .map(|call| call.join().expect("an answer"))
            .sum()
    }

    fn map(&mut self, items: u64) -> u64 {
        let chunks: Vec<u64> = (0..items / 64).collect();
        let sums = chunks.chunks(OUTSTANDING as usize / 4).map(|some| {
            let calls = some.iter().map(|chunk| {
                let numbers: Vec<u64> = (chunk * 64..(chunk + 1) * 64).collect();
                self.0.spawn(numbers, jobs::next_of_each)
            });
            let calls: Vec<_> = calls.collect();
            let answers = calls
                .into_iter()
                .map(|call| call.join().expect("an answer"));
            answers.flatten().sum::<u64>()
        });
        sums.sum()
    }

    fn echo(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        self.run(ByteBuf::from(bytes), jobs::echo).into_vec()
    }

    fn primes(&mut self, ranges: &[(u64, u64)]) -> u64 {
        let calls = ranges
            .iter()
            .map(|range| self.0.spawn(*range, jobs::primes));
        let calls: Vec<_> = calls.collect();
        calls
            .into_iter()
            .map(|call| call.join().expect("an answer"))
            .sum()
    }

    fn fails(
        &mut self,
        places: [String; 2],
        queued: u64,
        kill: impl FnOnce() -> Instant,
    ) -> (Duration, u64) {
        let [first, _neighbour] = self.hold(places, jobs::hold);
        let behind: Vec<_> = (0..queued)
            .map(|number| self.0.spawn(number, jobs::no_op))
            .collect();
        let killed = kill();
        first.join().expect_err("its worker is dead");
        let known = killed.elapsed();
        let lost = behind
            .into_iter()
            .filter_map(|call| call.join().err())
            .count();
        (known, 1 + lost as u64)
    }

    fn spin(&mut self, places: [String; 2]) {
        // A handle that is dropped kills nothing.
        std::mem::forget(self.hold(places, jobs::spin));
    }

    fn queue(
        &mut self,
        places: [String; 2],
        jobs: u64,
        begun: impl FnOnce(),
        queued: impl FnOnce(),
    ) {
        let _busy = self.hold(places, jobs::hold);
        begun();
        let _behind: Vec<_> = (0..jobs)
            .map(|number| self.0.spawn(number, jobs::no_op))
            .collect();
        queued();
    }
}
