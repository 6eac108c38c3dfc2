//! How a pool ends: in good order, at once, with its program, or with a program that was killed. Nothing of it is left.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::ExitCode;
use std::thread;

use procpool::{JobError, Jobs, Output, Pool, Start};
use rustix::process::Signal;

use super::gate::{Gate, Pass};
use super::kitchen::{at_gate, build, double, kitchen, pid, pool, spins};
use super::stage::{Actor, Play};
use super::waits::{kill, send, until, until_gone, until_reaped};

promises![endings:
    shutting_down_finishes_fifty_queued_jobs,
    shutting_down_waits_for_a_job_and_for_its_death,
    a_result_that_cannot_be_sent_while_shutting_down,
    a_job_cancelled_right_before_the_end,
    a_pool_that_is_shut_down_refuses,
    shutting_down_twice_and_from_two_threads,
    a_pool_that_never_had_a_job_ends,
    killing_ends_running_jobs_and_answers_queued_ones,
    killing_is_harmless_at_any_time,
    killing_ends_a_worker_that_is_just_being_started,
    dropping_the_pool_answers_its_queue_and_finishes_what_runs,
    a_death_after_the_drop_is_noticed,
    answers_outlive_the_pool,
    a_clone_keeps_the_pool_open,
    a_program_that_ends_takes_its_workers_along,
    a_program_that_exits_takes_its_workers_along,
    a_program_that_drops_its_pool_at_the_end_ends,
    a_program_that_panics_takes_its_workers_along,
    workers_of_a_killed_program_are_gone_idle_or_busy,
    a_program_that_ends_on_ctrl_c_takes_its_workers_along,
    ctrl_c_reaches_the_program_alone,
    what_it_did_is_in_the_record,
    each_start_in_the_record_has_its_end,
];

pub fn jobs(jobs: Jobs) -> Jobs {
    jobs.with(slowly).with(unwritable)
}

/// Stands at the gate, so that the end comes meanwhile, and dies then.
fn slowly(pass: Pass) {
    pass.wait();
    std::process::exit(4);
}

/// Something that cannot be written down.
struct Unwritable;

impl serde::Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it has no words"))
    }
}

impl<'de> serde::Deserialize<'de> for Unwritable {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Unwritable)
    }
}

fn unwritable(pass: Pass) -> Unwritable {
    pass.wait();
    Unwritable
}

// (39)
fn shutting_down_finishes_fifty_queued_jobs() {
    let pool = pool(2);
    let answers: Vec<_> = (0..50).map(|n| pool.submit(double, n)).collect();
    pool.shut_down();
    assert_eq!(pool.workers(), []);
    for (n, answer) in (0..).zip(answers) {
        assert!(answer.is_done());
        assert_eq!(answer.wait(), Ok(2 * n));
    }
}

/// Shuts it down on another thread, and returns when the pool refuses jobs.
fn shutting_down(pool: &Pool) -> thread::JoinHandle<()> {
    let ends = thread::spawn({
        let pool = pool.clone();
        move || pool.shut_down()
    });
    until("it refuses jobs", || {
        let answer = pool.submit(double, 1);
        answer.is_done() && answer.wait() == Err(JobError::ShutDown)
    });
    ends
}

// (33)
fn shutting_down_waits_for_a_job_and_for_its_death() {
    let pool = pool(1);
    let gate = Gate::new();
    let answer = pool.submit(slowly, gate.pass("first"));
    let worker = gate.arrived("first");
    let queued = pool.submit(double, 1);
    let ends = shutting_down(&pool);
    assert!(!ends.is_finished(), "a job stands at the gate");
    gate.open();
    assert!(matches!(answer.wait(), Err(JobError::WorkerDied(_))));
    assert_eq!(queued.wait(), Ok(2), "it was accepted before");
    ends.join().expect("it ends");
    until_reaped(worker);
}

// (34)
fn a_result_that_cannot_be_sent_while_shutting_down() {
    let pool = pool(1);
    let gate = Gate::new();
    let answer = pool.submit(unwritable, gate.pass("first"));
    gate.arrived("first");
    let ends = shutting_down(&pool);
    gate.open();
    assert!(matches!(answer.wait(), Err(JobError::Encode(_))));
    ends.join().expect("it ends");
}

// (41)
fn a_job_cancelled_right_before_the_end() {
    for _ in 0..20 {
        let pool = pool(1);
        let answers: Vec<_> = (0..20).map(|n| pool.submit(double, n)).collect();
        for answer in &answers {
            answer.cancel();
        }
        pool.shut_down();
        for (n, answer) in (0..).zip(answers) {
            let result = answer.wait();
            assert!(
                matches!(result, Err(JobError::Cancelled)) || result == Ok(2 * n),
                "{result:?}"
            );
        }
    }
}

// (37)
fn a_pool_that_is_shut_down_refuses() {
    let pool = pool(1);
    assert_eq!(pool.submit(double, 1).wait(), Ok(2));
    pool.shut_down();
    assert_eq!(pool.submit(double, 1).wait(), Err(JobError::ShutDown));
    assert_eq!(
        pool.map(double, 0..3).ordered().next(),
        Some(Err(JobError::ShutDown))
    );
    let tried = pool.try_submit(double, 1).map(|answer| answer.wait());
    assert!(matches!(tried, Ok(Err(JobError::ShutDown))));
    assert_eq!(pool.metrics().workers_started, 1);
}

// (24, 41)
fn shutting_down_twice_and_from_two_threads() {
    let pool = pool(2);
    let answers: Vec<_> = (0..20).map(|n| pool.submit(double, n)).collect();
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let pool = pool.clone();
            thread::spawn(move || pool.shut_down())
        })
        .collect();
    pool.shut_down();
    threads
        .into_iter()
        .for_each(|thread| thread.join().expect("it ends"));
    pool.shut_down();
    assert!(answers.into_iter().all(|answer| answer.wait().is_ok()));
}

// (24)
fn a_pool_that_never_had_a_job_ends() {
    pool(2).shut_down();
    pool(2).kill();
    drop(pool(2));
}

// (24)
fn killing_ends_running_jobs_and_answers_queued_ones() {
    let pool = pool(2);
    let gate = Gate::new();
    let running: Vec<_> = (0..2).map(|n| pool.submit(spins, gate.pass(n))).collect();
    let pids = [gate.arrived(0), gate.arrived(1)];
    let queued: Vec<_> = (0..200)
        .map(|n| pool.submit(at_gate, gate.pass(format!("queued {n}"))))
        .collect();
    pool.kill();
    pids.into_iter().for_each(until_reaped);
    for answer in running {
        assert!(matches!(answer.wait(), Err(JobError::WorkerDied(_))));
    }
    for answer in queued {
        assert_eq!(answer.wait(), Err(JobError::ShutDown));
    }
    assert!((0..200).all(|n| !gate.has_seen(format!("queued {n}"))));
    assert_eq!(pool.submit(double, 1).wait(), Err(JobError::ShutDown));
    assert_eq!(pool.workers(), []);
}

// (24)
fn killing_ends_a_worker_that_is_just_being_started() {
    // A program that never says a word, and would not hear one either.
    let place = Gate::new();
    let program = place.path().join("mute");
    fs::write(&program, "#!/bin/sh\nexec sleep 1000\n").expect("there is room");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    for _ in 0..20 {
        let start = Start::Program(program.clone());
        let pool = build(Pool::builder(kitchen()).workers(1).start(start));
        let answer = pool.submit(double, 1);
        pool.kill();
        assert_eq!(answer.wait(), Err(JobError::ShutDown));
        assert_eq!(pool.workers(), []);
    }
}

// (24)
fn killing_is_harmless_at_any_time() {
    let killed = pool(2);
    killed.kill();
    killed.kill();
    killed.shut_down();
    // While it starts, while it works, while it ends.
    for n in 0..30 {
        let pool = pool(2);
        let answers: Vec<_> = (0..n).map(|k| pool.submit(double, k)).collect();
        let ends = (n % 2 == 0).then(|| {
            let pool = pool.clone();
            thread::spawn(move || pool.shut_down())
        });
        if n % 3 == 0 {
            thread::yield_now();
        }
        pool.kill();
        for (k, answer) in (0..).zip(answers) {
            match answer.wait() {
                Ok(value) => assert_eq!(value, 2 * k),
                Err(error) => assert!(
                    matches!(error, JobError::ShutDown | JobError::WorkerDied(_)),
                    "{error}"
                ),
            }
        }
        ends.into_iter()
            .for_each(|ends| ends.join().expect("it ends"));
        assert_eq!(pool.workers(), []);
    }
}

// (19, 42, 55)
fn dropping_the_pool_answers_its_queue_and_finishes_what_runs() {
    let pool = pool(1);
    let gate = Gate::new();
    let running = pool.submit(at_gate, gate.pass("first"));
    let worker = gate.arrived("first");
    let queued: Vec<_> = (0..500).map(|n| pool.submit(double, n)).collect();
    drop(pool);
    gate.open();
    assert_eq!(running.wait(), Ok(worker));
    let mut left = 0;
    for (n, answer) in (0..).zip(queued) {
        match answer.wait() {
            Ok(value) => assert_eq!(value, 2 * n, "the worker had it already"),
            Err(JobError::ShutDown) => left += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(left > 0, "500 are more than a worker has in hand");
    until_reaped(worker);
}

// (55)
fn a_death_after_the_drop_is_noticed() {
    let pool = pool(1);
    let gate = Gate::new();
    let running = pool.submit(at_gate, gate.pass("first"));
    let worker = gate.arrived("first");
    drop(pool);
    kill(worker);
    assert!(matches!(running.wait(), Err(JobError::WorkerDied(_))));
    until_reaped(worker);
}

// (42)
fn answers_outlive_the_pool() {
    let pool = pool(1);
    let answers: Vec<_> = (0..20).map(|n| pool.submit(double, n)).collect();
    pool.shut_down();
    drop(pool);
    for (n, answer) in (0..).zip(answers) {
        assert_eq!(answer.wait(), Ok(2 * n));
    }
}

// (42)
fn a_clone_keeps_the_pool_open() {
    let pool = pool(1);
    let other = pool.clone();
    let worker = pool.submit(pid, ()).wait();
    drop(pool);
    assert_eq!(other.submit(pid, ()).wait(), worker);
}

// Whole programs.

/// What this program can play.
pub const PLAYS: &[Play] = &[
    ("leaks", play_leaks),
    ("rebuilt", super::workers::play_rebuilt),
    ("shouts", play_shouts),
    ("refused", play_refused),
    ("one-core", play_one_core),
    ("returns", play_returns),
    ("exits", play_exits),
    ("drops", play_drops),
    ("panics", play_panics),
    ("idle", play_idle),
    ("busy", play_busy),
];

/// Says the workers' numbers, so that the test knows them.
fn say(pids: &[u32]) {
    let words: Vec<String> = pids.iter().map(u32::to_string).collect();
    println!("{}", words.join(" "));
    std::io::stdout().flush().expect("it can be written");
}

/// A pool with one job at work, and one worker idle.
fn at_work() -> (Pool, [u32; 2]) {
    let pool = pool(2);
    let gate = Gate::new();
    let both: Vec<_> = (0..2).map(|n| pool.submit(at_gate, gate.pass(n))).collect();
    let pids = [gate.arrived(0), gate.arrived(1)];
    gate.open();
    both.into_iter().for_each(|answer| drop(answer.wait()));
    let busy = Gate::new();
    pool.submit(spins, busy.pass("busy")).detach();
    busy.arrived("busy");
    (pool, pids)
}

fn play_returns() -> ExitCode {
    let (pool, pids) = at_work();
    say(&pids);
    // It lives until the program has ended.
    std::mem::forget(pool);
    ExitCode::SUCCESS
}

fn play_exits() -> ExitCode {
    let (_pool, pids) = at_work();
    say(&pids);
    std::process::exit(3);
}

fn play_drops() -> ExitCode {
    let (pool, pids) = at_work();
    say(&pids);
    drop(pool);
    ExitCode::SUCCESS
}

fn play_panics() -> ExitCode {
    let (_pool, pids) = at_work();
    say(&pids);
    panic!("the program is broken");
}

/// Two workers with nothing to do, and a program that waits to be killed.
fn play_idle() -> ExitCode {
    let pool = pool(2);
    let gate = Gate::new();
    let both: Vec<_> = (0..2).map(|n| pool.submit(at_gate, gate.pass(n))).collect();
    let pids = [gate.arrived(0), gate.arrived(1)];
    gate.open();
    both.into_iter().for_each(|answer| drop(answer.wait()));
    say(&pids);
    waits_to_be_ended()
}

/// Two workers that never look up.
fn play_busy() -> ExitCode {
    let pool = pool(2);
    let gate = Gate::new();
    for n in 0..2 {
        pool.submit(spins, gate.pass(n)).detach();
    }
    say(&[gate.arrived(0), gate.arrived(1)]);
    waits_to_be_ended()
}

fn waits_to_be_ended() -> ExitCode {
    thread::sleep(super::waits::PATIENCE);
    ExitCode::FAILURE
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("it is there").count()
}

/// Pools of every fate, and as many open descriptors and children afterwards as before.
fn play_leaks() -> ExitCode {
    fn one_round() {
        let broken = build(
            Pool::builder(kitchen())
                .workers(2)
                .initializer(super::kitchen::exits, 42),
        );
        assert!(broken.submit(double, 1).wait().is_err());
        drop(broken);
        let works = build(Pool::builder(kitchen()).workers(2).output(Output::Capture));
        assert_eq!(works.submit(double, 1).wait(), Ok(2));
        assert!(works.submit(super::kitchen::dies, 9).wait().is_err());
        let blob = procpool::Blob::build(1 << 20, |bytes| bytes.fill(1));
        drop(works.map(double, 0..100).chunk(3).ordered());
        drop(blob);
        works.shut_down();
        let killed = build(Pool::builder(kitchen()).workers(2));
        killed.submit(spins, Gate::new().pass("-")).detach();
        killed.kill();
    }
    one_round();
    let settled = |limit: usize| {
        until(&format!("{limit} descriptors are open"), || {
            descriptors() <= limit
        });
    };
    let before = descriptors();
    for _ in 0..20 {
        one_round();
    }
    settled(before);
    let children = fs::read_to_string(format!("/proc/self/task/{}/children", std::process::id()));
    assert_eq!(
        children.unwrap_or_default().trim(),
        "",
        "children that nobody has reaped"
    );
    let left = |tag: &str| {
        fs::read_dir("/dev/shm")
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
            .any(|entry| entry.file_name().to_string_lossy().contains(tag))
    };
    assert!(!left("procpool"), "there is nothing with a name");
    ExitCode::SUCCESS
}

fn play_shouts() -> ExitCode {
    for (output, text) in [
        (Output::Inherit, "inherited"),
        (Output::Capture, "captured"),
        (Output::Null, "thrown away"),
    ] {
        let pool = build(Pool::builder(kitchen()).workers(1).output(output));
        pool.submit(super::workers::shout, text.to_owned())
            .wait()
            .expect("an answer");
        pool.shut_down();
    }
    ExitCode::SUCCESS
}

/// A job is refused memory, and its words go where ours go.
fn play_refused() -> ExitCode {
    let pool = build(Pool::builder(kitchen()).workers(1).memory_limit(1 << 30));
    let before = pool.submit(super::workers::shout, "before it".to_owned());
    before.wait().expect("an answer");
    let died = pool.submit(super::limits::takes_memory, 4096).wait();
    pool.shut_down();
    match died {
        Err(JobError::WorkerDied(died)) if died.how == procpool::Death::OutOfMemory => {
            ExitCode::SUCCESS
        }
        _ => ExitCode::FAILURE,
    }
}

fn play_one_core() -> ExitCode {
    let mut one = rustix::thread::CpuSet::new();
    let all = rustix::thread::sched_getaffinity(None).expect("it is known");
    let first = (0..rustix::thread::CpuSet::MAX_CPU).find(|cpu| all.is_set(*cpu));
    one.set(first.expect("there is one"));
    rustix::thread::sched_setaffinity(None, &one).expect("one may");
    let pool = build(Pool::builder(kitchen()));
    let gate = Gate::new();
    let answers: Vec<_> = (0..3).map(|n| pool.submit(at_gate, gate.pass(n))).collect();
    gate.arrived(0);
    gate.open();
    answers.into_iter().for_each(|answer| drop(answer.wait()));
    println!("{}", pool.metrics().workers_started);
    ExitCode::SUCCESS
}

/// Plays it to its end. All workers that it has told of are gone then.
fn ends_with_its_workers(role: &str) -> (std::process::ExitStatus, String) {
    let mut actor = Actor::enters(role);
    let pids = actor.numbers();
    assert_eq!(pids.len(), 2);
    let (status, stdout, stderr) = actor.exits();
    pids.into_iter().for_each(until_gone);
    assert_eq!(stdout, "", "nobody has written anything more");
    (status, stderr)
}

// (38, 74)
fn a_program_that_ends_takes_its_workers_along() {
    let (status, stderr) = ends_with_its_workers("returns");
    assert!(status.success());
    assert_eq!(stderr, "");
}

// (38)
fn a_program_that_exits_takes_its_workers_along() {
    let (status, stderr) = ends_with_its_workers("exits");
    assert_eq!(status.code(), Some(3));
    assert_eq!(stderr, "");
}

// (40)
fn a_program_that_drops_its_pool_at_the_end_ends() {
    let (status, stderr) = ends_with_its_workers("drops");
    assert!(status.success());
    assert_eq!(stderr, "");
}

// (38)
fn a_program_that_panics_takes_its_workers_along() {
    let (status, stderr) = ends_with_its_workers("panics");
    assert_eq!(status.code(), Some(101));
    assert!(stderr.contains("the program is broken"));
}

// (63, 74)
fn workers_of_a_killed_program_are_gone_idle_or_busy() {
    for role in ["idle", "busy"] {
        for _ in 0..3 {
            let mut actor = Actor::enters(role);
            let pids = actor.numbers();
            kill(actor.pid());
            pids.into_iter().for_each(until_gone);
        }
    }
}

/// What a terminal sends to everybody in the foreground.
fn ctrl_c(group: u32) {
    let group = rustix::process::Pid::from_raw(group as i32).expect("it has a number");
    rustix::process::kill_process_group(group, Signal::INT).expect("it is there");
}

// (63)
fn a_program_that_ends_on_ctrl_c_takes_its_workers_along() {
    for role in ["idle", "busy"] {
        let mut actor = Actor::enters(role);
        let pids = actor.numbers();
        ctrl_c(actor.pid());
        let (status, _, stderr) = actor.exits();
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&status),
            Some(2)
        );
        assert_eq!(stderr, "", "nobody complains");
        pids.into_iter().for_each(until_gone);
    }
}

// (73)
fn ctrl_c_reaches_the_program_alone() {
    // The program that is stopped by it does not end, and its workers do not notice.
    let mut actor = Actor::enters("busy");
    let pids = actor.numbers();
    let group = rustix::process::Pid::from_raw(actor.pid() as i32).expect("it has a number");
    rustix::process::kill_process_group(group, Signal::STOP).expect("it is there");
    until("the program has stopped", || {
        super::waits::state(actor.pid()) == Some('T')
    });
    assert!(
        pids.iter()
            .all(|pid| super::waits::state(*pid) == Some('R'))
    );
    send(actor.pid(), Signal::KILL);
    pids.into_iter().for_each(until_gone);
}

// (64)
fn what_it_did_is_in_the_record() {
    use flight::{Event, Header, Recorder};
    let recorder = Recorder::new(Header::monotonic("behaviours"));
    let pool = build(
        Pool::builder(kitchen())
            .workers(1)
            .recorder(recorder.clone())
            .name("kitchen"),
    );
    assert_eq!(pool.submit(double, 1).wait(), Ok(2));
    let worker = pool.submit(pid, ()).wait().expect("an answer");
    let gate = Gate::new();
    let killed = pool.submit(at_gate, gate.pass("first"));
    gate.arrived("first");
    kill(worker);
    assert!(killed.wait().is_err());
    assert_eq!(pool.submit(double, 1).wait(), Ok(2));
    pool.shut_down();
    let recording = recorder.recording();
    let count = |is: fn(&Event) -> bool| {
        recording
            .events
            .iter()
            .filter(|entry| is(&entry.event))
            .count()
    };
    assert_eq!(count(|event| matches!(event, Event::JobSubmit { .. })), 4);
    assert_eq!(count(|event| matches!(event, Event::JobStart { .. })), 4);
    assert_eq!(count(|event| matches!(event, Event::JobEnd { .. })), 4);
    assert_eq!(
        count(|event| matches!(event, Event::ProcessStart { .. })),
        2
    );
    let exits: Vec<_> = recording
        .events
        .iter()
        .filter_map(|entry| match entry.event {
            Event::ProcessExit { pid, status } => Some((pid, status)),
            _ => None,
        })
        .collect();
    assert_eq!(exits.len(), 2);
    assert_eq!(exits[0], (u64::from(worker), 256 + 9));
    assert_eq!(exits[1].1, 0);
}

// (64)
fn each_start_in_the_record_has_its_end() {
    use flight::{End, Event, Header, Recorder};
    let recorder = Recorder::new(Header::monotonic("behaviours"));
    let builder = Pool::builder(kitchen()).workers(2).max_jobs_per_worker(70);
    let pool = build(builder.recorder(recorder.clone()));
    // Tiny ones lie at a worker behind each other, and some of them when it dies.
    let tiny = |n: u64| (0..n).map(|n| pool.submit(double, n)).collect::<Vec<_>>();
    let mut answers = tiny(200);
    for round in 0..5 {
        let gate = Gate::new();
        let held = pool.submit(at_gate, gate.pass("first"));
        let worker = gate.arrived("first");
        answers.extend(tiny(50 * round));
        kill(worker);
        assert!(held.wait().is_err());
    }
    for answer in answers {
        answer
            .wait()
            .expect("it was not begun when its worker died");
    }
    pool.shut_down();
    let recording = recorder.recording();
    assert_eq!(recording.dropped, 0);
    let mut at = std::collections::HashMap::new();
    let (mut done, mut given_back) = (0, 0);
    for entry in &recording.events {
        match entry.event {
            Event::JobStart { job, .. } => {
                let other = at.insert(entry.actor, job);
                assert_eq!(other, None, "a worker does one job at a time");
            }
            Event::JobEnd { job, how } => {
                assert_eq!(at.remove(&entry.actor), Some(job), "it was started there");
                match how {
                    End::Done => done += 1,
                    _ => given_back += 1,
                }
            }
            _ => {}
        }
    }
    assert!(at.is_empty(), "without an end: {at:?}");
    assert_eq!(done, 200 + 50 * (1 + 2 + 3 + 4));
    assert!(given_back >= 5, "{given_back}");
}
