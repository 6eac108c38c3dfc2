//! One function over many inputs: the same as the iterator's own map, in chunks, bounded, and one bad input costs one.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use futures::StreamExt;
use futures::executor::block_on;
use procpool::{JobError, Jobs};

use super::gate::{Gate, Pass};
use super::kitchen::{at_gate, double, pool};
use super::waits::until;

promises![maps:
    a_map_gives_what_the_iterators_own_map_gives_whatever_the_chunks,
    a_map_is_a_stream_too,
    unordered_results_are_all_there,
    a_chunk_or_a_buffer_of_nothing_is_refused,
    a_map_begins_before_anybody_asks_for_results,
    a_map_of_nothing_is_at_its_end_and_stays_there,
    a_map_over_an_endless_input_takes_what_it_needs,
    a_buffer_bounds_how_far_ahead_inputs_are_taken,
    any_buffer_gives_the_same_results,
    a_panicking_input_has_its_error_in_its_place,
    an_input_that_kills_the_worker_has_its_error_in_its_place,
    a_map_that_is_idempotent_tries_only_the_bad_input_again,
    a_result_that_cannot_be_written_costs_itself,
    dropping_the_results_cancels_the_rest,
    inputs_that_fail_leave_the_pool_usable,
    a_hundred_bad_and_a_hundred_good_jobs,
    two_maps_share_the_workers,
];

pub fn jobs(jobs: Jobs) -> Jobs {
    jobs.with(add)
        .with(halve)
        .with(mined)
        .with(notes)
        .with(fussy)
}

fn add((one, other): (u64, u64)) -> u64 {
    one + other
}

/// Odd numbers it cannot halve.
fn halve(number: u64) -> u64 {
    assert!(number.is_multiple_of(2), "{number} is odd");
    number / 2
}

/// This number is a mine.
const MINE: u64 = 13;

fn mined(number: u64) -> u64 {
    if number == MINE {
        std::process::abort();
    }
    number
}

/// Notes each attempt; of one number, none survives.
fn notes((pass, fatal): (Pass, bool)) -> bool {
    let first = pass.note();
    if fatal {
        std::process::exit(7);
    }
    first
}

/// A number that can be written down unless it is the mine.
struct Fussy(u64);

impl serde::Serialize for Fussy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            // Half of it is written already.
            MINE => {
                use serde::ser::SerializeTuple;
                let mut tuple = serializer.serialize_tuple(2)?;
                tuple.serialize_element(&self.0)?;
                Err(serde::ser::Error::custom("unlucky"))
            }
            number => (number, 0_u8).serialize(serializer),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Fussy {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Fussy, D::Error> {
        <(u64, u8)>::deserialize(deserializer).map(|(number, _)| Fussy(number))
    }
}

fn fussy(number: u64) -> Fussy {
    Fussy(number)
}

// (2)
fn a_map_gives_what_the_iterators_own_map_gives_whatever_the_chunks() {
    let pool = pool(2);
    let expected: Vec<_> = (0..100).map(double).map(Ok).collect();
    for chunk in [1, 3, 6, 64, 100, 1000] {
        let results = pool.map(double, 0..100).chunk(chunk).ordered();
        assert_eq!(results.collect::<Vec<_>>(), expected, "chunks of {chunk}");
    }
    // Several inputs go as tuples.
    let sums = pool.map(add, (0..3).zip(5..8)).ordered();
    assert_eq!(sums.collect::<Vec<_>>(), [Ok(5), Ok(7), Ok(9)]);
}

// (2, 52)
fn a_map_is_a_stream_too() {
    let pool = pool(2);
    let results = pool.map(double, 0..1000).chunk(7).ordered();
    let all: Vec<_> = block_on(results.stream().collect());
    assert_eq!(all, (0..1000).map(double).map(Ok).collect::<Vec<_>>());
    // Both kinds of `next` are in scope here, and each means one thing.
    let mut results = pool.map(double, 0..1000).chunk(7).unordered();
    let first = results.next();
    let rest = results.stream().collect::<Vec<_>>();
    let all: BTreeSet<_> = loopbot::run(rest)
        .into_iter()
        .chain(first)
        .map(|result| result.expect("an answer"))
        .collect();
    assert_eq!(all, (0..1000).map(double).collect());
}

// (2)
fn unordered_results_are_all_there() {
    let pool = pool(2);
    for chunk in [1, 7] {
        let results = pool.map(double, 0..500).chunk(chunk).unordered();
        let mut all: Vec<u64> = results.map(|result| result.expect("an answer")).collect();
        all.sort_unstable();
        assert_eq!(all, (0..500).map(double).collect::<Vec<_>>());
    }
    // One that waits does not hold up the others.
    let (slow, quick) = (Gate::new(), Gate::new());
    quick.open();
    let passes = [slow.pass("slow"), quick.pass("quick")];
    let mut results = pool.map(at_gate, passes).unordered();
    let first = results.next();
    assert_eq!(first, Some(Ok(quick.arrived("quick"))));
    slow.open();
    assert_eq!(results.count(), 1);
}

// (2, 6)
fn a_chunk_or_a_buffer_of_nothing_is_refused() {
    let pool = pool(1);
    let silently = |refused: &dyn Fn()| {
        let panic = catch_unwind(AssertUnwindSafe(refused)).expect_err("0 is nothing");
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()))
            .expect("it says why")
    };
    let chunk = silently(&|| drop(pool.map(double, 0..3).chunk(0)));
    let buffer = silently(&|| drop(pool.map(double, 0..3).buffer(0)));
    assert!(!chunk.is_empty() && !buffer.is_empty());
}

// (5)
fn a_map_begins_before_anybody_asks_for_results() {
    let pool = pool(2);
    let gate = Gate::new();
    let results = pool.map(at_gate, [gate.pass(0), gate.pass(1)]).ordered();
    gate.arrived(0);
    gate.arrived(1);
    gate.open();
    assert_eq!(results.count(), 2);
}

// (4)
fn a_map_of_nothing_is_at_its_end_and_stays_there() {
    let pool = pool(1);
    let mut nothing = pool.map(double, 0..0).chunk(8).ordered();
    assert_eq!(nothing.next(), None);
    assert_eq!(nothing.next(), None);
    let mut one = pool.map(double, 1..2).chunk(8).unordered();
    assert_eq!(one.next(), Some(Ok(2)));
    assert_eq!(one.next(), None);
    assert_eq!(one.next(), None);
    assert_eq!(block_on(one.stream().collect::<Vec<_>>()), []);
}

// (6, 7)
fn a_map_over_an_endless_input_takes_what_it_needs() {
    let pool = pool(2);
    for chunk in [1, 10] {
        let results = pool.map(double, 0..).chunk(chunk).ordered();
        let first: Vec<_> = results.take(25).collect();
        assert_eq!(first, (0..25).map(double).map(Ok).collect::<Vec<_>>());
    }
    assert_eq!(pool.submit(double, 4).wait(), Ok(8));
}

// (7)
fn a_buffer_bounds_how_far_ahead_inputs_are_taken() {
    let pool = pool(2);
    let taken = Rc::new(Cell::new(0));
    let counts = |taken: &Rc<Cell<u64>>| {
        taken.set(0);
        let taken = taken.clone();
        (0..).inspect(move |_| taken.set(taken.get() + 1))
    };
    for buffer in [1, 2, 10, 40] {
        let mut results = pool.map(double, counts(&taken)).buffer(buffer).ordered();
        for given in 0..100 {
            assert!(
                taken.get() <= given + buffer as u64,
                "{} taken, {given} given out, with a buffer of {buffer}",
                taken.get()
            );
            assert_eq!(results.next(), Some(Ok(2 * given)));
        }
    }
    // And without a word about it, it is bounded too.
    let mut results = pool.map(double, counts(&taken)).ordered();
    assert_eq!(results.next(), Some(Ok(0)));
    assert!(taken.get() < 10_000, "{} taken for one result", taken.get());
}

// (6)
fn any_buffer_gives_the_same_results() {
    let pool = pool(2);
    let expected: Vec<_> = (0..50).map(double).map(Ok).collect();
    for buffer in [1, 2, 50, 100] {
        for chunk in [1, 4, 200] {
            let map = || pool.map(double, 0..50).chunk(chunk).buffer(buffer);
            assert_eq!(
                map().ordered().collect::<Vec<_>>(),
                expected,
                "{buffer}, {chunk}"
            );
            assert_eq!(map().unordered().count(), 50, "{buffer}, {chunk}");
        }
    }
}

// (3)
fn a_panicking_input_has_its_error_in_its_place() {
    let pool = pool(2);
    for chunk in [1, 5, 64] {
        let results = pool.map(halve, [2, 4, 5, 6, 8]).chunk(chunk).ordered();
        let all: Vec<_> = results.collect();
        assert_eq!(all[..2], [Ok(1), Ok(2)]);
        assert!(matches!(&all[2], Err(JobError::Panicked(panic)) if panic.message == "5 is odd"));
        assert_eq!(all[3..], [Ok(3), Ok(4)]);
    }
    assert_eq!(pool.metrics().workers_died, 0);
}

// (3, 12)
fn an_input_that_kills_the_worker_has_its_error_in_its_place() {
    let pool = pool(2);
    for chunk in [1, 5, 64] {
        let all: Vec<_> = pool.map(mined, 0..40).chunk(chunk).ordered().collect();
        for (n, result) in (0..).zip(all) {
            match n {
                MINE => assert!(matches!(result, Err(JobError::WorkerDied(_))), "{result:?}"),
                n => assert_eq!(result, Ok(n), "with chunks of {chunk}"),
            }
        }
    }
    assert_eq!(pool.metrics().workers_died, 3);
}

// (3, 12)
fn a_map_that_is_idempotent_tries_only_the_bad_input_again() {
    let pool = pool(2);
    let gate = Gate::new();
    let inputs: Vec<_> = (0..20).map(|n| (gate.pass(n), n == MINE)).collect();
    let all: Vec<_> = pool
        .job(notes)
        .idempotent()
        .map(inputs)
        .chunk(10)
        .ordered()
        .collect();
    for (n, result) in (0..).zip(all) {
        match n {
            MINE => {
                let Err(JobError::Poisoned { attempts: 3, last }) = result else {
                    panic!("it survives nothing: {result:?}");
                };
                assert_eq!(last.attempt, 3);
            }
            // Those before it in its chunk were done and not answered, or answered; those after it were not begun.
            n => assert!(result.is_ok(), "{n}: {result:?}"),
        }
    }
}

// (31)
fn a_result_that_cannot_be_written_costs_itself() {
    let pool = pool(1);
    let all: Vec<_> = pool.map(fussy, 10..17).chunk(7).ordered().collect();
    for (n, result) in (10..).zip(all) {
        match (n, result) {
            (MINE, Err(JobError::Encode(why))) => assert!(!why.is_empty()),
            (n, Ok(Fussy(value))) => assert!(n == value && n != MINE),
            (n, Err(error)) => panic!("{n}: {error}"),
        }
    }
}

// (4)
fn dropping_the_results_cancels_the_rest() {
    let pool = pool(1);
    let gate = Gate::new();
    let passes = (0..2000).map(|n| gate.pass(n));
    let results = pool.map(at_gate, passes).buffer(1000).ordered();
    gate.arrived(0);
    drop(results);
    gate.open();
    assert_eq!(pool.submit(double, 1).wait(), Ok(2));
    assert!(!gate.has_seen(999), "nobody wants its result any more");
    pool.shut_down();
}

// (68)
fn inputs_that_fail_leave_the_pool_usable() {
    let pool = pool(2);
    let inputs = (0..100).inspect(|n| {
        if *n == 50 {
            std::panic::resume_unwind(Box::new("no more inputs"));
        }
    });
    let failed = catch_unwind(AssertUnwindSafe(|| {
        let results = pool.map(double, inputs).chunk(3).ordered();
        results.count()
    }));
    let panic = failed.expect_err("the input fails");
    assert_eq!(panic.downcast_ref(), Some(&"no more inputs"));
    let results = pool.map(double, 0..10).ordered();
    assert_eq!(results.count(), 10);
    until("nothing of it is left", || {
        let metrics = pool.metrics();
        metrics.queued == 0 && metrics.with_workers == 0
    });
}

// (68)
fn a_hundred_bad_and_a_hundred_good_jobs() {
    let pool = pool(2);
    let results = pool.map(halve, 0..200).chunk(9).ordered();
    for (n, result) in (0..).zip(results) {
        match n % 2 {
            0 => assert_eq!(result, Ok(n / 2)),
            _ => assert!(matches!(result, Err(JobError::Panicked(_)))),
        }
    }
}

// (7)
fn two_maps_share_the_workers() {
    let pool = pool(2);
    let mut one = pool.map(double, 0..1000).buffer(100).ordered();
    let mut other = pool.map(double, 1000..2000).buffer(100).ordered();
    for n in 0..1000 {
        assert_eq!(one.next(), Some(Ok(2 * n)));
        assert_eq!(other.next(), Some(Ok(2 * (1000 + n))));
    }
}
