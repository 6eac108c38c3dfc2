//! What goes wrong without anybody dying of it, or while a value is on its way: the error is that of one job, and typed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;

use futures::StreamExt;
use procpool::{Blob, Death, JobError, Jobs, Pool};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::gate::Gate;
use super::kitchen::{at_gate, build, dies, double, exits, kitchen, panics, pool};

promises![errors:
    a_panic_comes_back_with_its_message_and_location,
    a_panic_comes_back_with_its_backtrace,
    a_panic_without_words_is_an_error_too,
    a_worker_survives_a_panic,
    an_error_that_a_job_returns_is_a_value,
    an_argument_that_cannot_be_written_costs_itself,
    an_argument_that_cannot_be_read_costs_itself,
    an_argument_that_kills_its_reader_costs_itself,
    a_result_that_cannot_be_written_costs_itself,
    a_result_that_kills_its_writer_costs_itself,
    a_result_that_cannot_be_read_costs_itself,
    a_result_whose_reader_panics_panics_where_it_is_awaited,
    a_job_that_exits_or_dies_says_how,
    errors_are_sentences,
    large_arguments_and_results_pass,
    blobs_pass_and_come_back,
    many_blobs_in_one_message,
];

pub fn jobs(jobs: Jobs) -> Jobs {
    jobs.with(take)
        .with(make)
        .with(may_fail)
        .with(wordless)
        .with(sum_of)
        .with(grow)
        .with(sum_of_blob)
        .with(doubled_blob)
        .with(join_blobs)
}

/// Where a trap springs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Where {
    WrittenHere,
    ReadThere,
    WrittenThere,
    ReadHere,
}

/// What it does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum What {
    Fail,
    Panic,
    Exit(i32),
    Die(i32),
}

/// A value that springs on its way.
#[derive(Debug, PartialEq)]
struct Trap(Where, What);

impl Trap {
    fn step<E>(&self, at: Where, error: fn(&str) -> E) -> Result<(), E> {
        if self.0 == at {
            match self.1 {
                What::Fail => return Err(error("it springs")),
                What::Panic => std::panic::resume_unwind(Box::new("it springs")),
                What::Exit(code) => process::exit(code),
                What::Die(signal) => dies(signal),
            }
        }
        Ok(())
    }
}

/// "Here" is where this program was started by hand, "there" is a worker.
fn is_there() -> bool {
    procpool::depth() > 0
}

impl Serialize for Trap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let at = if is_there() {
            Where::WrittenThere
        } else {
            Where::WrittenHere
        };
        self.step(at, |why| serde::ser::Error::custom(why))?;
        (self.0, self.1).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Trap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Trap, D::Error> {
        let (place, what) = <(Where, What)>::deserialize(deserializer)?;
        let trap = Trap(place, what);
        let at = if is_there() {
            Where::ReadThere
        } else {
            Where::ReadHere
        };
        trap.step(at, |why| serde::de::Error::custom(why))?;
        Ok(trap)
    }
}

fn take(_: Trap) {}

fn make((place, what): (Where, What)) -> Trap {
    Trap(place, what)
}

fn may_fail(why: String) -> Result<u32, String> {
    Err(why)
}

/// A panic whose words are no text.
fn wordless(_: ()) {
    std::panic::panic_any(7_u8);
}

fn sum_of(bytes: Vec<u8>) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte)).sum()
}

fn grow(size: usize) -> Vec<u8> {
    vec![3; size]
}

fn sum_of_blob(bytes: Blob) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte)).sum()
}

fn doubled_blob(bytes: Blob) -> Blob {
    Blob::build(bytes.len(), |place| {
        place
            .iter_mut()
            .zip(bytes.iter())
            .for_each(|(place, byte)| *place = byte * 2);
    })
}

fn join_blobs(blobs: Vec<Blob>) -> (usize, Vec<Blob>) {
    (blobs.iter().map(|blob| blob.len()).sum(), blobs)
}

/// A pool of one, and a check that the worker, or another, does what comes next.
fn after(pool: &Pool) {
    assert_eq!(pool.submit(double, 8).wait(), Ok(16));
}

// (13)
fn a_panic_comes_back_with_its_message_and_location() {
    let pool = pool(1);
    let Err(JobError::Panicked(panic)) = pool.submit(panics, "burnt é".to_owned()).wait() else {
        panic!("it panics");
    };
    assert_eq!(panic.message, "burnt é");
    assert!(panic.location.contains("kitchen.rs:"), "{}", panic.location);
    let Err(JobError::Panicked(other)) = pool.submit(panics, "raw".to_owned()).wait() else {
        panic!("it panics");
    };
    assert_eq!(
        (other.message.as_str(), other.location),
        ("raw", panic.location)
    );
}

// (13)
fn a_panic_comes_back_with_its_backtrace() {
    let pool = build(
        Pool::builder(kitchen())
            .workers(1)
            .env("RUST_BACKTRACE", "1"),
    );
    let Err(JobError::Panicked(panic)) = pool.submit(panics, "burnt".to_owned()).wait() else {
        panic!("it panics");
    };
    assert!(
        panic.backtrace.contains("kitchen::panics"),
        "{}",
        panic.backtrace
    );
    assert!(
        panic.to_string().contains("kitchen::panics"),
        "it is shown with the rest"
    );
}

// (11)
fn a_panic_without_words_is_an_error_too() {
    let pool = pool(1);
    for answer in [
        pool.submit(panics, String::new()).wait().map(drop),
        pool.submit(wordless, ()).wait(),
    ] {
        assert!(matches!(answer, Err(JobError::Panicked(_))), "{answer:?}");
    }
}

// (13)
fn a_worker_survives_a_panic() {
    let pool = pool(1);
    for _ in 0..10 {
        assert!(matches!(
            pool.submit(panics, String::new()).wait(),
            Err(JobError::Panicked(_))
        ));
        after(&pool);
    }
    assert_eq!(pool.metrics().workers_started, 1);
}

// (11)
fn an_error_that_a_job_returns_is_a_value() {
    let pool = pool(1);
    assert_eq!(
        pool.submit(may_fail, String::new()).wait(),
        Ok(Err(String::new()))
    );
}

// (28)
fn an_argument_that_cannot_be_written_costs_itself() {
    let pool = pool(1);
    let gate = Gate::new();
    let before = pool.submit(at_gate, gate.pass("first"));
    let bad = pool.submit(take, Trap(Where::WrittenHere, What::Fail));
    let behind = pool.submit(double, 1);
    let Err(JobError::Encode(why)) = bad.wait() else {
        panic!("it cannot be sent");
    };
    assert!(!why.is_empty());
    gate.open();
    assert!(before.wait().is_ok());
    assert_eq!(behind.wait(), Ok(2));
}

// (29)
fn an_argument_that_cannot_be_read_costs_itself() {
    let pool = pool(1);
    let fails = pool.submit(take, Trap(Where::ReadThere, What::Fail));
    let behind = pool.submit(double, 1);
    assert!(matches!(fails.wait(), Err(JobError::Decode(why)) if !why.is_empty()));
    assert_eq!(behind.wait(), Ok(2));
    let panics = pool
        .submit(take, Trap(Where::ReadThere, What::Panic))
        .wait();
    assert!(
        matches!(panics, Err(JobError::Panicked(_) | JobError::Decode(_))),
        "{panics:?}"
    );
    after(&pool);
    assert_eq!(pool.metrics().workers_died, 0);
}

// (29)
fn an_argument_that_kills_its_reader_costs_itself() {
    let pool = pool(1);
    for (what, how) in [
        (What::Exit(3), Death::Exit(3)),
        (What::Exit(0), Death::Exit(0)),
        (What::Die(11), Death::Signal(11)),
    ] {
        let fatal = pool.submit(take, Trap(Where::ReadThere, what));
        let behind: Vec<_> = (0..20).map(|n| pool.submit(double, n)).collect();
        let Err(JobError::WorkerDied(died)) = fatal.wait() else {
            panic!("its worker died of it");
        };
        assert_eq!(died.how, how);
        for (n, answer) in (0..).zip(behind) {
            assert_eq!(answer.wait(), Ok(2 * n));
        }
    }
    assert_eq!(pool.metrics().workers_died, 3);
}

// (31)
fn a_result_that_cannot_be_written_costs_itself() {
    let pool = pool(1);
    let fails = pool.submit(make, (Where::WrittenThere, What::Fail));
    let behind = pool.submit(double, 1);
    assert!(matches!(fails.wait(), Err(JobError::Encode(why)) if !why.is_empty()));
    assert_eq!(behind.wait(), Ok(2));
    let panics = pool.submit(make, (Where::WrittenThere, What::Panic)).wait();
    assert!(
        matches!(panics, Err(JobError::Panicked(_) | JobError::Encode(_))),
        "{panics:?}"
    );
    after(&pool);
    assert_eq!(pool.metrics().workers_died, 0);
}

// (31)
fn a_result_that_kills_its_writer_costs_itself() {
    let pool = pool(1);
    for (what, how) in [
        (What::Exit(3), Death::Exit(3)),
        (What::Die(6), Death::Signal(6)),
    ] {
        let fatal = pool.submit(make, (Where::WrittenThere, what));
        let behind: Vec<_> = (0..20).map(|n| pool.submit(double, n)).collect();
        let died = fatal.wait().expect_err("its worker died of it");
        assert!(
            matches!(&died, JobError::WorkerDied(died) if died.how == how),
            "{died}"
        );
        for (n, answer) in (0..).zip(behind) {
            assert_eq!(answer.wait(), Ok(2 * n));
        }
    }
}

// (32)
fn a_result_that_cannot_be_read_costs_itself() {
    let pool = pool(1);
    let fails = pool.submit(make, (Where::ReadHere, What::Fail));
    let behind = pool.submit(double, 1);
    assert!(matches!(fails.wait(), Err(JobError::Decode(why)) if !why.is_empty()));
    assert_eq!(behind.wait(), Ok(2));
}

// (32)
fn a_result_whose_reader_panics_panics_where_it_is_awaited() {
    let pool = pool(1);
    let fails = pool.submit(make, (Where::ReadHere, What::Panic));
    let outcome = catch_unwind(AssertUnwindSafe(|| fails.wait()));
    match outcome {
        Err(panic) => assert_eq!(panic.downcast_ref(), Some(&"it springs")),
        Ok(answer) => assert!(answer.is_err()),
    }
    after(&pool);
    assert_eq!(pool.metrics().workers_died, 0);
}

// (30, 53)
fn a_job_that_exits_or_dies_says_how() {
    let pool = pool(1);
    for code in [0, 1, 42, 255] {
        let Err(JobError::WorkerDied(died)) = pool.submit(exits, code).wait() else {
            panic!("its worker has gone");
        };
        assert_eq!(died.how, Death::Exit(code));
        assert!(died.job.ends_with("kitchen::exits"), "{}", died.job);
        assert_eq!(died.attempt, 1);
        assert!(died.pid > 1);
    }
    for signal in [6, 9, 11, 15] {
        let Err(JobError::WorkerDied(died)) = pool.submit(dies, signal).wait() else {
            panic!("its worker has gone");
        };
        assert_eq!(died.how, Death::Signal(signal));
    }
    after(&pool);
    assert_eq!(pool.metrics().workers_died, 8);
}

// (53, 44)
fn errors_are_sentences() {
    let pool = pool(1);
    let says = |error: JobError| error.to_string();
    let exit = says(pool.submit(exits, 42).wait().expect_err("it exits"));
    assert!(
        exit.contains("exit(42)") && exit.contains("kitchen::exits"),
        "{exit}"
    );
    let signal = says(pool.submit(dies, 11).wait().expect_err("it dies"));
    assert!(
        signal.contains("SIGSEGV") && signal.contains("kitchen::dies"),
        "{signal}"
    );
    let panic = says(
        pool.submit(panics, "burnt".to_owned())
            .wait()
            .expect_err("it panics"),
    );
    assert!(
        panic.contains("burnt") && panic.contains("kitchen.rs"),
        "{panic}"
    );
}

// (35, 62)
fn large_arguments_and_results_pass() {
    let pool = pool(2);
    for size in [0, 1, 4095, 4096, 65_535, 65_536, 70_000, 1 << 20, 20 << 20] {
        assert_eq!(
            pool.submit(sum_of, vec![2; size]).wait(),
            Ok(2 * size as u64),
            "{size} bytes there"
        );
        let grown = pool.submit(grow, size).wait().expect("an answer");
        assert!(
            grown.len() == size && grown.iter().all(|byte| *byte == 3),
            "{size} bytes back"
        );
    }
    // Both directions full at the same time.
    let answers: Vec<_> = (0..20)
        .map(|n| {
            (
                pool.submit(sum_of, vec![1; n * 100_000]),
                pool.submit(grow, n * 100_000),
            )
        })
        .collect();
    for (n, (there, back)) in answers.into_iter().enumerate() {
        assert_eq!(there.wait(), Ok(n as u64 * 100_000));
        assert_eq!(back.wait().map(|bytes| bytes.len()), Ok(n * 100_000));
    }
}

// (62)
fn blobs_pass_and_come_back() {
    let pool = pool(2);
    for size in [
        0,
        1,
        1000,
        procpool::SHARED_FROM - 1,
        procpool::SHARED_FROM,
        5 << 20,
        64 << 20,
    ] {
        let blob = Blob::build(size, |bytes| bytes.fill(1));
        assert_eq!(
            pool.submit(sum_of_blob, blob.clone()).wait(),
            Ok(size as u64),
            "{size} bytes"
        );
        let twice = pool
            .submit(doubled_blob, blob.clone())
            .wait()
            .expect("an answer");
        assert!(twice.len() == size && twice.iter().all(|byte| *byte == 2));
        assert!(
            blob.iter().all(|byte| *byte == 1),
            "what was sent has not changed"
        );
    }
    // They are used again, and nobody sees another's bytes.
    let results = (0..60_u8).map(|n| {
        let blob = Blob::build(1 << 20, |bytes| bytes.fill(n));
        (n, pool.submit(doubled_blob, blob))
    });
    for (n, answer) in results.collect::<Vec<_>>() {
        let twice = answer.wait().expect("an answer");
        assert!(twice.iter().all(|byte| *byte == n * 2), "{n}");
    }
}

// (62)
fn many_blobs_in_one_message() {
    let pool = pool(1);
    for count in [0, 1, 2, 100, 250] {
        let blobs: Vec<Blob> = (0..count)
            .map(|n| Blob::build(procpool::SHARED_FROM, |bytes| bytes.fill(n as u8)))
            .collect();
        let total = count * procpool::SHARED_FROM;
        let (size, back) = pool.submit(join_blobs, blobs).wait().expect("an answer");
        assert_eq!(size, total);
        for (n, blob) in back.iter().enumerate() {
            assert!(
                blob.iter().all(|byte| *byte == n as u8),
                "blob {n} of {count}"
            );
        }
    }
    // More descriptors than fit into one message: said, not cut off.
    let blobs = vec![0; 300]
        .into_iter()
        .map(|_| Blob::build(procpool::SHARED_FROM, |bytes| bytes.fill(1)));
    let Err(JobError::Encode(why)) = pool.submit(join_blobs, blobs.collect()).wait() else {
        panic!("so many do not fit");
    };
    assert!(why.contains("blobs"), "{why}");
    let maps = pool.map(
        doubled_blob,
        (0..10).map(|n| Blob::build(1 << 19, |bytes| bytes.fill(n))),
    );
    let all = futures::executor::block_on(maps.chunk(4).ordered().stream().collect::<Vec<_>>());
    for (n, blob) in (0..).zip(all) {
        assert!(blob.expect("an answer").iter().all(|byte| *byte == 2 * n));
    }
}
