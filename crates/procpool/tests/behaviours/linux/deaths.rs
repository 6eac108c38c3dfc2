//! A worker that ends in the middle of something: one job has that error, nobody else notices, nothing is left.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use procpool::{Blob, Death, JobError, Jobs, Output, Pool};
use rustix::process::Signal;

use super::gate::{Gate, Pass};
use super::kitchen::{at_gate, build, dies, double, kitchen, pid, pool};
use super::waits::{kill, send, until, until_gone, until_reaped};

promises![deaths:
    a_killed_worker_costs_its_job_alone,
    the_pool_is_at_full_strength_again,
    an_idle_worker_that_is_killed_costs_nothing,
    both_workers_killed_at_once_cost_their_two_jobs,
    a_death_is_seen_whoever_waits_for_whom,
    a_job_that_was_sent_but_not_begun_is_not_lost,
    a_job_that_may_be_repeated_is_given_to_another_worker,
    a_job_that_kills_every_worker_is_given_up,
    a_job_that_may_not_be_repeated_is_begun_once,
    a_death_while_a_large_argument_is_half_written,
    a_death_while_a_large_result_is_half_written,
    a_death_with_a_blob_in_hand,
    a_death_after_the_answer,
    a_worker_that_hangs_up_but_lives_is_declared_dead,
    what_it_wrote_last_comes_with_the_error,
    neighbours_that_kill_each_other,
    children_of_a_killed_job_go_with_it,
    a_nested_pool_goes_with_its_worker,
    a_segfault_is_a_segfault,
    running_out_of_stack_costs_its_job_alone,
    a_stopped_worker_that_goes_on_answers,
];

pub fn jobs(jobs: Jobs) -> Jobs {
    jobs.with(twice_lucky)
        .with(always_fatal)
        .with(begins_once)
        .with(sleeps_over)
        .with(dies_while_it_answers)
        .with(dies_with_blob)
        .with(drops_dead)
        .with(hangs_up)
        .with(last_words)
        .with(kills)
        .with(has_child)
        .with(has_pool)
        .with(segfaults)
        .with(recurses)
}

/// Survives the third time.
fn twice_lucky((passes, value): (Vec<Pass>, u64)) -> u64 {
    for pass in &passes {
        if pass.note() {
            dies(9);
        }
    }
    value
}

/// Notes each attempt in the first place that is free, and dies.
fn always_fatal(passes: Vec<Pass>) {
    for pass in &passes {
        if pass.note() {
            std::process::exit(5);
        }
    }
}

fn begins_once(pass: Pass) -> bool {
    pass.note()
}

/// Holds the worker, so that what comes behind is sent and not begun.
fn sleeps_over((pass, bytes): (Pass, Vec<u8>)) -> usize {
    pass.wait();
    bytes.len()
}

/// A result so large that it does not fit into the socket, and somebody who kills the worker when part of it must be there.
fn dies_while_it_answers((pass, size): (Pass, usize)) -> Vec<u8> {
    std::thread::spawn(move || {
        pass.wait();
        dies(9);
    });
    vec![1; size]
}

fn dies_with_blob(blob: Blob) -> Blob {
    let mine = Blob::build(blob.len(), |bytes| bytes.fill(9));
    if blob[0] == 1 {
        dies(9);
    }
    mine
}

/// A value that is deadly to throw away.
#[derive(serde::Serialize, serde::Deserialize)]
struct Deadly(u64);

impl Drop for Deadly {
    fn drop(&mut self) {
        if procpool::depth() > 0 {
            std::process::exit(8);
        }
    }
}

fn drops_dead(value: u64) -> Deadly {
    Deadly(value)
}

/// Hangs up on the pool, by every socket that it finds, and works on.
fn hangs_up(pass: Pass) {
    pass.note();
    let open = fs::read_dir("/proc/self/fd").expect("it is there");
    let open: Vec<i32> = open
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    open.into_iter().for_each(shut);
    std::thread::sleep(Duration::from_secs(60));
}

/// Only closing it would not do: somebody may be waiting on it, and then it stays open.
#[allow(unsafe_code)]
fn shut(number: i32) {
    // SAFETY: it touches no memory. What is no socket, or is closed already, is refused.
    unsafe { libc::shutdown(number, libc::SHUT_RDWR) };
}

fn last_words(text: String) {
    eprintln!("{text}");
    std::process::exit(1);
}

/// Kills another worker.
fn kills((pass, victim): (Pass, u32)) -> u32 {
    kill(victim);
    pass.wait();
    victim
}

fn has_child(pass: Pass) -> u32 {
    let child = Command::new("sleep")
        .arg("1000")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let child = child.expect("sleep is there").id();
    fs::write(pass.beside("child"), child.to_string()).expect("the place can be written");
    pass.wait();
    child
}

fn has_pool(pass: Pass) -> u32 {
    let pool = pool(1);
    let inner = pool.submit(pid, ()).wait().expect("an answer");
    pool.submit(super::kitchen::spins, pass.named("inner"))
        .detach();
    pass.wait();
    inner
}

#[allow(unsafe_code)]
fn segfaults(_: ()) -> u8 {
    let nowhere = std::hint::black_box(8) as *const u8;
    // SAFETY: it is not: nothing is mapped there. That is what this test is about.
    unsafe { nowhere.read_volatile() }
}

fn recurses(depth: u64) -> u64 {
    let local = std::hint::black_box([depth; 1000]);
    if depth == u64::MAX {
        return 0;
    }
    recurses(depth + 1) + local[(depth % 1000) as usize]
}

// (12)
fn a_killed_worker_costs_its_job_alone() {
    let pool = pool(2);
    let gate = Gate::new();
    let victim = pool.submit(at_gate, gate.pass("victim"));
    let neighbour = pool.submit(at_gate, gate.pass("neighbour"));
    let (killed, lives) = (gate.arrived("victim"), gate.arrived("neighbour"));
    let queued: Vec<_> = (0..20).map(|n| pool.submit(double, n)).collect();
    kill(killed);
    let Err(JobError::WorkerDied(died)) = victim.wait() else {
        panic!("it was killed");
    };
    assert_eq!(
        (died.pid, died.how, died.attempt),
        (killed, Death::Signal(9), 1)
    );
    for (n, answer) in (0..).zip(queued) {
        assert_eq!(
            answer.wait(),
            Ok(2 * n),
            "it was queued, and the fresh worker does it"
        );
    }
    gate.open();
    assert_eq!(neighbour.wait(), Ok(lives));
    assert_eq!(pool.metrics().workers_died, 1);
    until_reaped(killed);
}

// (12)
fn the_pool_is_at_full_strength_again() {
    let pool = pool(2);
    let gate = Gate::new();
    for round in 0..5 {
        let answers: Vec<_> = (0..2)
            .map(|n| pool.submit(at_gate, gate.pass(format!("{round}.{n}"))))
            .collect();
        for (n, answer) in answers.into_iter().enumerate() {
            kill(gate.arrived(format!("{round}.{n}")));
            assert!(matches!(answer.wait(), Err(JobError::WorkerDied(_))));
        }
    }
    // Two stand at the gate at the same time, so there are two.
    let answers: Vec<_> = (0..2).map(|n| pool.submit(at_gate, gate.pass(n))).collect();
    assert_ne!(gate.arrived(0), gate.arrived(1));
    gate.open();
    assert!(answers.into_iter().all(|answer| answer.wait().is_ok()));
    assert_eq!(pool.metrics().workers_died, 10);
}

// (12)
fn an_idle_worker_that_is_killed_costs_nothing() {
    let pool = pool(1);
    for _ in 0..20 {
        let worker = pool.submit(pid, ()).wait().expect("an answer");
        kill(worker);
        // Whether or not the pool has noticed: the next job was not begun by the dead one.
        let next = pool.submit(pid, ()).wait().expect("an answer");
        assert_ne!(next, worker);
        until_reaped(worker);
    }
}

// (12)
fn both_workers_killed_at_once_cost_their_two_jobs() {
    let pool = pool(2);
    let gate = Gate::new();
    let running: Vec<_> = (0..2).map(|n| pool.submit(at_gate, gate.pass(n))).collect();
    let pids = [gate.arrived(0), gate.arrived(1)];
    let queued: Vec<_> = (0..50).map(|n| pool.submit(double, n)).collect();
    pids.into_iter().for_each(kill);
    for answer in running {
        assert!(matches!(answer.wait(), Err(JobError::WorkerDied(_))));
    }
    for (n, answer) in (0..).zip(queued) {
        assert_eq!(answer.wait(), Ok(2 * n));
    }
}

// (12)
fn a_death_is_seen_whoever_waits_for_whom() {
    for awake in [Duration::ZERO, Duration::from_secs(1)] {
        deaths_are_seen(build(Pool::builder(kitchen()).workers(2).spin(awake)));
    }
}

fn deaths_are_seen(pool: Pool) {
    let gate = Gate::new();
    let stays = pool.submit(at_gate, gate.pass("stays"));
    let busy = gate.arrived("stays");
    // Somebody looks at this worker all the time, and nobody at the other: it is idle, or its job is nobody's.
    let waits = std::thread::spawn(move || stays.wait());
    let idle = pool.submit(pid, ()).wait().expect("an answer");
    kill(idle);
    until_reaped(idle);
    pool.submit(at_gate, gate.pass("nobody's")).detach();
    let nobodys = gate.arrived("nobody's");
    kill(nobodys);
    until_reaped(nobodys);
    assert_eq!(pool.submit(double, 1).wait(), Ok(2));
    gate.open();
    assert_eq!(waits.join().expect("it only waits"), Ok(busy));
}

// (12)
fn a_job_that_was_sent_but_not_begun_is_not_lost() {
    let pool = pool(1);
    let gate = Gate::new();
    // Short jobs first, so that the worker is given several at a time.
    for n in 0..500 {
        assert_eq!(pool.submit(double, n).wait(), Ok(2 * n));
    }
    let held = pool.submit(at_gate, gate.pass("first"));
    let behind: Vec<_> = (0..100)
        .map(|n| pool.submit(begins_once, gate.pass(format!("behind {n}"))))
        .collect();
    kill(gate.arrived("first"));
    assert!(matches!(held.wait(), Err(JobError::WorkerDied(_))));
    for answer in behind {
        assert_eq!(
            answer.wait(),
            Ok(true),
            "begun once, by a worker that lived"
        );
    }
}

// (12)
fn a_job_that_may_be_repeated_is_given_to_another_worker() {
    let pool = pool(2);
    let gate = Gate::new();
    let passes = vec![gate.pass("one"), gate.pass("two")];
    let answer = pool.job(twice_lucky).idempotent().submit((passes, 7));
    assert_eq!(answer.wait(), Ok(7));
    let metrics = pool.metrics();
    assert_eq!((metrics.workers_died, metrics.retried), (2, 2));
    assert_ne!(gate.arrived("one"), gate.arrived("two"));
}

// (12)
fn a_job_that_kills_every_worker_is_given_up() {
    for most in [1, 3, 5] {
        let pool = build(Pool::builder(kitchen()).workers(1).max_attempts(most));
        let gate = Gate::new();
        let passes: Vec<_> = (0..10).map(|n| gate.pass(n)).collect();
        let fatal = pool.job(always_fatal).idempotent().submit(passes);
        let behind = pool.submit(double, 1);
        let Err(JobError::Poisoned { attempts, last }) = fatal.wait() else {
            panic!("it survives nothing");
        };
        assert_eq!(
            (attempts, last.attempt, last.how),
            (most, most, Death::Exit(5))
        );
        assert_eq!((0..10).filter(|n| gate.has_seen(n)).count(), most as usize);
        assert_eq!(behind.wait(), Ok(2));
    }
}

// (12)
fn a_job_that_may_not_be_repeated_is_begun_once() {
    let pool = pool(1);
    let gate = Gate::new();
    let passes: Vec<_> = (0..10).map(|n| gate.pass(n)).collect();
    let fatal = pool.submit(always_fatal, passes);
    assert!(matches!(fatal.wait(), Err(JobError::WorkerDied(died)) if died.attempt == 1));
    assert_eq!(pool.submit(double, 1).wait(), Ok(2));
    assert_eq!((0..10).filter(|n| gate.has_seen(n)).count(), 1);
}

// (35)
fn a_death_while_a_large_argument_is_half_written() {
    let pool = pool(1);
    let gate = Gate::new();
    for round in 0..5 {
        let held = pool.submit(at_gate, gate.pass(round));
        let worker = gate.arrived(round);
        // Far more than a socket holds: with the worker at the gate, it cannot be through.
        let passes = (0..3).map(|n| gate.pass(format!("large {round}.{n}")));
        let large: Vec<_> = passes
            .map(|pass| pool.submit(sleeps_over, (pass, vec![0; 8 << 20])))
            .collect();
        kill(worker);
        assert!(matches!(held.wait(), Err(JobError::WorkerDied(_))));
        // None of them was begun by the dead one.
        let next = gate.arrived(format!("large {round}.0"));
        assert_ne!(next, worker);
        kill(next);
        let mut large = large.into_iter();
        assert!(matches!(
            large.next().map(|answer| answer.wait()),
            Some(Err(JobError::WorkerDied(_)))
        ));
        for (n, answer) in (1..).zip(large) {
            kill(gate.arrived(format!("large {round}.{n}")));
            assert!(matches!(answer.wait(), Err(JobError::WorkerDied(_))));
        }
    }
    assert_eq!(pool.submit(double, 1).wait(), Ok(2));
}

// (35)
fn a_death_while_a_large_result_is_half_written() {
    let pool = pool(2);
    for round in 0..10 {
        let gate = Gate::new();
        let large = pool.submit(dies_while_it_answers, (gate.pass("first"), 16 << 20));
        gate.arrived("first");
        gate.open();
        // It may have come through just before.
        match large.wait() {
            Ok(bytes) => assert_eq!(bytes.len(), 16 << 20),
            Err(JobError::WorkerDied(died)) => assert_eq!(died.how, Death::Signal(9)),
            Err(error) => panic!("{error}"),
        }
        assert_eq!(pool.submit(double, round).wait(), Ok(2 * round));
    }
}

// (12, 27)
fn a_death_with_a_blob_in_hand() {
    let pool = pool(2);
    let deadly = Blob::build(1 << 20, |bytes| bytes.fill(1));
    let harmless = Blob::build(1 << 20, |bytes| bytes.fill(2));
    for _ in 0..10 {
        let dies = pool.submit(dies_with_blob, deadly.clone());
        let lives = pool.submit(dies_with_blob, harmless.clone());
        assert!(matches!(dies.wait(), Err(JobError::WorkerDied(_))));
        assert!(
            lives
                .wait()
                .expect("an answer")
                .iter()
                .all(|byte| *byte == 9)
        );
    }
    assert!(deadly.iter().all(|byte| *byte == 1));
}

// (54)
fn a_death_after_the_answer() {
    let pool = pool(1);
    for n in 0..10 {
        // The result is thrown away there when it has been written down. Whether the answer got out before is not told.
        match pool.submit(drops_dead, n).wait() {
            Ok(value) => assert_eq!(value.0, n),
            Err(JobError::WorkerDied(died)) => assert_eq!(died.how, Death::Exit(8)),
            Err(error) => panic!("{error}"),
        }
        assert_eq!(
            pool.submit(double, n).wait(),
            Ok(2 * n),
            "the next job is not blamed"
        );
    }
}

// (72)
fn a_worker_that_hangs_up_but_lives_is_declared_dead() {
    let pool = pool(1);
    let gate = Gate::new();
    let lost = pool.submit(hangs_up, gate.pass("first"));
    let worker = gate.arrived("first");
    let behind = pool.submit(double, 1);
    let lost = lost.wait();
    assert!(
        matches!(lost, Err(JobError::WorkerDied(_))),
        "its answer can never arrive: {lost:?}"
    );
    assert_eq!(behind.wait(), Ok(2));
    until_reaped(worker);
}

// (64)
fn what_it_wrote_last_comes_with_the_error() {
    let pool = build(Pool::builder(kitchen()).workers(1).output(Output::Capture));
    let Err(JobError::WorkerDied(died)) =
        pool.submit(last_words, "too much salt".to_owned()).wait()
    else {
        panic!("it exits");
    };
    assert!(died.stderr_tail.contains("too much salt"), "{died:?}");
    assert!(died.to_string().contains("too much salt"));
    // However much it was: the end of it.
    let long = "x".repeat(1 << 20) + " the end";
    let Err(JobError::WorkerDied(died)) = pool.submit(last_words, long).wait() else {
        panic!("it exits");
    };
    assert!(died.stderr_tail.trim_end().ends_with("the end"));
    assert!(
        died.stderr_tail.len() <= 64 << 10,
        "{} bytes",
        died.stderr_tail.len()
    );
}

// (69)
fn neighbours_that_kill_each_other() {
    for workers in [1, 2, 5, 13] {
        let pool = pool(workers);
        let gate = Gate::new();
        let waiting: Vec<_> = (0..workers)
            .map(|n| pool.submit(at_gate, gate.pass(n)))
            .collect();
        let pids: Vec<u32> = (0..workers).map(|n| gate.arrived(n)).collect();
        gate.open();
        waiting.into_iter().for_each(|answer| drop(answer.wait()));
        let fight = Gate::new();
        let fights: Vec<_> = (0..workers)
            .map(|n| pool.submit(kills, (fight.pass(n), pids[(n + 1) % workers])))
            .collect();
        // The last ones standing wait for somebody to open.
        fight.open();
        for answer in fights {
            match answer.wait() {
                Ok(victim) => assert!(pids.contains(&victim)),
                Err(JobError::WorkerDied(died)) => assert_eq!(died.how, Death::Signal(9)),
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(pool.submit(double, 1).wait(), Ok(2));
        pool.shut_down();
        pids.into_iter().for_each(until_reaped);
    }
}

// (56)
fn children_of_a_killed_job_go_with_it() {
    let pool = pool(1);
    let gate = Gate::new();
    let answer = pool.submit(has_child, gate.pass("first"));
    let worker = gate.arrived("first");
    let child = gate.arrived("child");
    assert!(answer.cancel_running());
    assert_eq!(answer.wait(), Err(JobError::Cancelled));
    until_reaped(worker);
    until_gone(child);
    // And when it is somebody else who kills the worker.
    let gate = Gate::new();
    let answer = pool.submit(has_child, gate.pass("first"));
    let worker = gate.arrived("first");
    let child = gate.arrived("child");
    kill(worker);
    assert!(matches!(answer.wait(), Err(JobError::WorkerDied(_))));
    until_gone(child);
}

// (56)
fn a_nested_pool_goes_with_its_worker() {
    let pool = pool(1);
    let gate = Gate::new();
    let answer = pool.submit(has_pool, gate.pass("outer"));
    let outer = gate.arrived("outer");
    let inner = gate.arrived("inner");
    pool.kill();
    assert!(answer.wait().is_err());
    until_reaped(outer);
    until_gone(inner);
}

// (30, 53)
fn a_segfault_is_a_segfault() {
    let pool = pool(2);
    let answers: Vec<_> = (0..5)
        .map(|n| (pool.submit(segfaults, ()), pool.submit(double, n)))
        .collect();
    for (n, (bad, good)) in (0..).zip(answers) {
        assert!(
            matches!(bad.wait(), Err(JobError::WorkerDied(died)) if died.how == Death::Signal(11))
        );
        assert_eq!(good.wait(), Ok(2 * n));
    }
}

// (30)
fn running_out_of_stack_costs_its_job_alone() {
    let pool = build(Pool::builder(kitchen()).workers(1).output(Output::Capture));
    let Err(JobError::WorkerDied(died)) = pool.submit(recurses, 0).wait() else {
        panic!("no stack is that deep");
    };
    assert_eq!(died.how, Death::Signal(6));
    assert!(
        died.stderr_tail.contains("overflow"),
        "{}",
        died.stderr_tail
    );
    assert_eq!(pool.submit(double, 1).wait(), Ok(2));
}

// (73)
fn a_stopped_worker_that_goes_on_answers() {
    let pool = pool(1);
    let gate = Gate::new();
    let answer = pool.submit(at_gate, gate.pass("first"));
    let worker = gate.arrived("first");
    send(worker, Signal::STOP);
    until("it has stopped", || {
        super::waits::state(worker) == Some('T')
    });
    gate.open();
    assert!(!answer.is_done(), "stopped is not dead");
    send(worker, Signal::CONT);
    assert_eq!(answer.wait(), Ok(worker));
    assert_eq!(pool.metrics().workers_died, 0);
}
