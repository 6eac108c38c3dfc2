//! Jobs that take too long, or too much: asked first, ended then, and nobody beside them notices.

use std::time::{Duration, Instant};

use procpool::{Death, JobError, Jobs, Output, Pool};

use super::gate::{Gate, Pass};
use super::kitchen::{at_gate, build, dies, double, kitchen, pid, spins};
use super::stage::plays;
use super::waits::{PATIENCE, until_reaped};

promises![limits:
    a_job_over_its_time_costs_itself_alone,
    a_job_that_listens_is_asked_before_it_is_ended,
    a_limit_may_be_one_jobs_own,
    a_limit_counts_from_the_beginning_of_the_job_not_of_the_waiting,
    a_limit_of_a_map_is_that_of_one_input,
    a_limit_is_kept_whoever_waits_for_whom,
    a_job_that_may_be_repeated_is_not_repeated_when_its_time_was_over,
    a_job_that_ignores_every_signal_is_ended_too,
    a_cancelled_job_that_listens_keeps_its_worker,
    outside_of_a_job_nobody_is_asked_to_stop,
    more_memory_than_allowed_is_out_of_memory,
    less_memory_than_allowed_is_no_matter,
    memory_that_is_refused_is_told_whatever_becomes_of_the_output,
    an_abort_is_an_abort_and_no_lack_of_memory,
];

pub fn jobs(jobs: Jobs) -> Jobs {
    jobs.with(listens)
        .with(deaf)
        .with(takes_memory)
        .with(aborts)
        .with(speaks_of_memory)
        .with(stands_at_odd)
}

const SHORT: Duration = Duration::from_millis(30);

/// Works until it is asked to stop, and says so.
fn listens(pass: Pass) -> u32 {
    pass.note();
    let begun = Instant::now();
    while !procpool::cancelled() {
        assert!(begun.elapsed() < PATIENCE, "nobody asks it to stop");
        std::thread::sleep(Duration::from_millis(1));
    }
    pass.named("asked").note();
    std::process::id()
}

/// Ignores what can be ignored.
#[allow(unsafe_code)]
fn deaf(pass: Pass) {
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
        // SAFETY: SIG_IGN is no function, so none can be called at a bad moment.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    spins(pass);
}

pub fn takes_memory(megabytes: usize) -> usize {
    let mut bytes = vec![1_u8; megabytes << 20];
    bytes[megabytes] = 2;
    std::hint::black_box(&bytes).len()
}

fn aborts(words: String) {
    eprint!("{words}");
    std::process::abort();
}

/// As a program that was started by a job might.
fn speaks_of_memory(words: String) {
    eprintln!("{words}");
}

/// Waits at the gate if the number is odd.
fn stands_at_odd((number, pass): (u64, Pass)) -> u64 {
    if number % 2 == 1 {
        pass.wait();
    }
    number
}

// (70)
fn a_job_over_its_time_costs_itself_alone() {
    let builder = Pool::builder(kitchen()).workers(2).grace(SHORT);
    let pool = build(builder);
    let gate = Gate::new();
    let neighbour = pool.submit(at_gate, gate.pass("neighbour"));
    let lives = gate.arrived("neighbour");
    let long = pool.job(spins).time_limit(SHORT).submit(gate.pass("long"));
    let queued: Vec<_> = (0..20).map(|n| pool.submit(double, n)).collect();
    let ended = gate.arrived("long");
    assert_eq!(long.wait(), Err(JobError::TimedOut { limit: SHORT }));
    for (n, answer) in (0..).zip(queued) {
        assert_eq!(answer.wait(), Ok(2 * n));
    }
    gate.open();
    assert_eq!(neighbour.wait(), Ok(lives));
    until_reaped(ended);
}

// (71)
fn a_job_that_listens_is_asked_before_it_is_ended() {
    let builder = Pool::builder(kitchen()).workers(1).time_limit(SHORT);
    let pool = build(builder.grace(PATIENCE));
    let gate = Gate::new();
    let answer = pool.submit(listens, gate.pass("first"));
    assert_eq!(answer.wait(), Err(JobError::TimedOut { limit: SHORT }));
    assert!(
        gate.has_seen("asked"),
        "the grace is as long as the test's patience"
    );
    let worker = gate.arrived("first");
    assert_eq!(
        pool.submit(pid, ()).wait(),
        Ok(worker),
        "it has stopped by itself, and lives on"
    );
}

// (70)
fn a_limit_may_be_one_jobs_own() {
    let builder = Pool::builder(kitchen()).workers(1).time_limit(SHORT);
    let pool = build(builder.grace(SHORT));
    let gate = Gate::new();
    let short = pool.submit(spins, gate.pass("short"));
    assert_eq!(short.wait(), Err(JobError::TimedOut { limit: SHORT }));
    let long = pool
        .job(at_gate)
        .time_limit(PATIENCE)
        .submit(gate.pass("long"));
    let worker = gate.arrived("long");
    let long = long
        .wait_for(SHORT * 4)
        .expect_err("it has a limit of its own");
    gate.open();
    assert_eq!(long.wait(), Ok(worker));
}

// (70)
fn a_limit_counts_from_the_beginning_of_the_job_not_of_the_waiting() {
    let pool = build(Pool::builder(kitchen()).workers(1).grace(SHORT));
    let gate = Gate::new();
    let held = pool.submit(at_gate, gate.pass("first"));
    gate.arrived("first");
    let limit = Duration::from_secs(2);
    let waits: Vec<_> = (0..10)
        .map(|n| pool.job(double).time_limit(limit).submit(n))
        .collect();
    let held = held
        .wait_for(limit + SHORT)
        .expect_err("it stands at the gate");
    gate.open();
    held.wait().expect("an answer");
    for (n, answer) in (0..).zip(waits) {
        assert_eq!(answer.wait(), Ok(2 * n));
    }
}

// (70)
fn a_limit_of_a_map_is_that_of_one_input() {
    let pool = build(Pool::builder(kitchen()).workers(2).grace(SHORT));
    let gate = Gate::new();
    let inputs: Vec<_> = (0..6).map(|n| (n, gate.pass(n))).collect();
    let limit = Duration::from_millis(200);
    let all: Vec<_> = pool
        .job(stands_at_odd)
        .time_limit(limit)
        .map(inputs)
        .chunk(3)
        .ordered()
        .collect();
    for (n, result) in (0..).zip(all) {
        match n % 2 {
            0 => assert_eq!(result, Ok(n), "the time of its neighbours does not count"),
            _ => assert_eq!(result, Err(JobError::TimedOut { limit }), "{n}"),
        }
    }
}

// (70)
fn a_limit_is_kept_whoever_waits_for_whom() {
    let pool = build(Pool::builder(kitchen()).workers(2).grace(SHORT));
    let gate = Gate::new();
    let other = pool.submit(at_gate, gate.pass("other"));
    let lives = gate.arrived("other");
    // Somebody looks at the other worker all the time, and nobody at this one.
    let waits = std::thread::spawn(move || other.wait());
    pool.job(spins)
        .time_limit(SHORT)
        .submit(gate.pass("long"))
        .detach();
    until_reaped(gate.arrived("long"));
    gate.open();
    assert_eq!(waits.join().expect("it only waits"), Ok(lives));
}

// (70)
fn a_job_that_may_be_repeated_is_not_repeated_when_its_time_was_over() {
    let pool = build(Pool::builder(kitchen()).workers(1).grace(SHORT));
    let gate = Gate::new();
    let answer = pool
        .job(spins)
        .idempotent()
        .time_limit(SHORT)
        .submit(gate.pass("first"));
    assert_eq!(answer.wait(), Err(JobError::TimedOut { limit: SHORT }));
    assert_eq!(pool.submit(double, 1).wait(), Ok(2));
    assert_eq!(pool.metrics().retried, 0);
}

// (70)
fn a_job_that_ignores_every_signal_is_ended_too() {
    let pool = build(Pool::builder(kitchen()).workers(1).grace(SHORT));
    let gate = Gate::new();
    let answer = pool.job(deaf).time_limit(SHORT).submit(gate.pass("first"));
    assert_eq!(answer.wait(), Err(JobError::TimedOut { limit: SHORT }));
    until_reaped(gate.arrived("first"));
}

// (44, 70)
fn a_cancelled_job_that_listens_keeps_its_worker() {
    let pool = build(Pool::builder(kitchen()).workers(1).grace(PATIENCE));
    let gate = Gate::new();
    let answer = pool.submit(listens, gate.pass("first"));
    let worker = gate.arrived("first");
    assert!(answer.cancel_running());
    assert_eq!(answer.wait(), Err(JobError::Cancelled));
    assert_eq!(pool.submit(pid, ()).wait(), Ok(worker));
    assert!(gate.has_seen("asked"));
}

// (71)
fn outside_of_a_job_nobody_is_asked_to_stop() {
    assert!(!procpool::cancelled());
    assert_eq!(procpool::depth(), 0);
}

// (71)
fn more_memory_than_allowed_is_out_of_memory() {
    let builder = Pool::builder(kitchen()).workers(1).output(Output::Capture);
    let pool = build(builder.memory_limit(1 << 30));
    let big = pool.submit(takes_memory, 4096);
    let behind = pool.submit(double, 1);
    let Err(JobError::WorkerDied(died)) = big.wait() else {
        panic!("there is not so much");
    };
    assert_eq!(died.how, Death::OutOfMemory, "{died}");
    assert_eq!(behind.wait(), Ok(2));
}

// (71)
fn less_memory_than_allowed_is_no_matter() {
    let pool = build(Pool::builder(kitchen()).workers(1).memory_limit(1 << 30));
    for _ in 0..5 {
        assert_eq!(pool.submit(takes_memory, 64).wait(), Ok(64 << 20));
    }
    assert_eq!(pool.metrics().workers_started, 1);
}

// (71)
fn memory_that_is_refused_is_told_whatever_becomes_of_the_output() {
    let builder = Pool::builder(kitchen()).workers(1).output(Output::Null);
    let pool = build(builder.memory_limit(1 << 30));
    let Err(JobError::WorkerDied(died)) = pool.submit(takes_memory, 4096).wait() else {
        panic!("there is not so much");
    };
    assert_eq!(died.how, Death::OutOfMemory, "{died}");
    assert_eq!(died.stderr_tail, "", "that is for those who capture it");
    // With `Output::Inherit` it arrives where it would have gone without the pool.
    let output = plays("refused");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(
        stderr.contains("memory allocation of 4294967296 bytes failed"),
        "{stderr}"
    );
    assert!(stderr.contains("before it"), "{stderr}");
}

// (71)
fn an_abort_is_an_abort_and_no_lack_of_memory() {
    let message = "memory allocation of 64 bytes failed".to_owned();
    for output in [Output::Capture, Output::Null] {
        let builder = Pool::builder(kitchen()).workers(1).output(output);
        let pool = build(builder.memory_limit(1 << 30));
        let plainly = pool.submit(aborts, "memory allocation of it all failed".to_owned());
        // What another job said is no proof.
        pool.submit(speaks_of_memory, message.clone())
            .wait()
            .expect("an answer");
        let later = pool.submit(aborts, String::new());
        for answer in [plainly, later] {
            match answer.wait() {
                Err(JobError::WorkerDied(died)) => assert_eq!(died.how, Death::Signal(6), "{died}"),
                other => panic!("{other:?}"),
            }
        }
        let killed = pool.submit(dies, 9);
        match killed.wait() {
            Err(JobError::WorkerDied(died)) => assert_eq!(died.how, Death::Signal(9), "{died}"),
            other => panic!("{other:?}"),
        }
    }
}
