//! The workers: how many there are, when they come and go, what they begin with, and what they can see.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use procpool::{JobError, Jobs, Output, Pool, Start, StartError, Stream};

use super::gate::{Gate, Pass};
use super::kitchen::{at_gate, build, double, kitchen, panics, pid, pool};
use super::stage::{plays, plays_as};
use super::waits::{kill, until, until_reaped};

promises![workers:
    no_workers_and_no_queue_are_refused,
    a_program_that_is_not_there_is_refused_with_a_sentence,
    a_program_that_is_no_worker_breaks_the_pool_with_a_sentence,
    there_are_never_more_workers_than_allowed,
    workers_start_on_demand_and_are_used_again,
    a_worker_is_replaced_after_so_many_jobs,
    a_replaced_worker_leaves_no_backlog_behind,
    inputs_of_a_map_count_as_jobs_when_workers_are_replaced,
    shutting_down_while_workers_are_replaced_loses_nothing,
    failing_jobs_and_replaced_workers_and_shutting_down,
    killing_while_workers_are_replaced_lets_none_escape,
    a_worker_that_cannot_be_replaced_breaks_the_pool,
    another_list_than_the_workers_breaks_the_pool_in_one_sentence,
    a_program_that_is_built_anew_starts_the_workers_that_it_was,
    another_program_that_is_replaced_starts_no_more_workers,
    workers_that_are_killed_as_they_start_do_not_break_the_pool,
    the_initializer_runs_once_in_each_worker_before_its_first_job,
    an_initializer_that_panics_breaks_the_pool_and_says_why,
    an_initializer_that_kills_its_worker_breaks_the_pool,
    a_pool_that_never_came_up_leaves_nothing_open,
    idle_workers_leave_and_come_back,
    idle_workers_leave_between_slow_jobs_too,
    an_idle_worker_leaves_though_somebody_waits_for_another,
    a_pool_in_a_worker_works,
    pools_nested_too_deep_are_refused,
    a_worker_has_the_environment_it_was_given,
    a_job_that_reads_its_input_finds_the_end,
    output_goes_where_it_was_sent,
    each_line_goes_to_whoever_listens,
    who_listens_slowly_holds_up_nobody,
    a_worker_that_has_grown_too_much_is_replaced_between_two_jobs,
    a_worker_that_does_not_grow_stays,
    the_number_of_workers_honours_the_cores_this_process_may_use,
    a_worker_has_a_process_group_of_its_own,
];

pub fn jobs(jobs: Jobs) -> Jobs {
    jobs.with(prepare)
        .with(prepared)
        .with(refuse)
        .with(fatal)
        .with(nest)
        .with(nested_sum)
        .with(variable)
        .with(input)
        .with(shout)
        .with(chatters)
        .with(shout_and_die)
        .with(keeps)
        .with(group)
        .with(prepares_at_gate)
}

fn prepares_at_gate(pass: Pass) {
    pass.wait();
}

/// What the initializer has left in this worker, and how often it ran.
static PREPARED: AtomicU32 = AtomicU32::new(0);
static TIMES: AtomicU32 = AtomicU32::new(0);

fn prepare(value: u32) {
    PREPARED.store(value, Ordering::SeqCst);
    TIMES.fetch_add(1, Ordering::SeqCst);
}

fn prepared(_: ()) -> (u32, u32, u32) {
    (
        std::process::id(),
        PREPARED.load(Ordering::SeqCst),
        TIMES.load(Ordering::SeqCst),
    )
}

fn refuse(why: String) {
    panic!("{why}");
}

fn fatal(code: i32) {
    std::process::exit(code);
}

/// A pool in a worker, in a worker … Returns how deep it got, and what stopped it.
fn nest(deep: u32) -> (u32, String) {
    let pool = match Pool::builder(kitchen()).workers(1).build() {
        Ok(pool) => pool,
        Err(error @ StartError::TooDeep { .. }) => return (deep, error.to_string()),
        Err(error) => return (deep, format!("another error: {error}")),
    };
    match pool.submit(nest, deep + 1).wait() {
        Ok(end) => end,
        Err(error) => (deep, format!("another error: {error}")),
    }
}

fn nested_sum(numbers: Vec<u64>) -> u64 {
    let pool = pool(2);
    let sum = pool
        .map(double, numbers)
        .ordered()
        .map(|result| result.expect("an answer"))
        .sum();
    pool.shut_down();
    sum
}

fn variable(name: String) -> Option<String> {
    std::env::var(name).ok()
}

fn input(_: ()) -> usize {
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .expect("it can be read");
    // A child of the job has the same input.
    let child = std::process::Command::new("cat")
        .output()
        .expect("cat is there");
    bytes.len() + child.stdout.len()
}

pub fn shout(text: String) {
    println!("{text}");
    eprintln!("{text}");
}

/// Writes so many lines, and then something that is no line yet.
fn chatters(lines: u32) {
    for line in 0..lines {
        println!("{line}");
    }
    eprint!("half a line");
}

/// Never gives this memory back.
fn keeps(megabytes: usize) {
    std::mem::forget(std::hint::black_box(vec![1_u8; megabytes << 20]));
}

fn shout_and_die(text: String) {
    eprint!("{text}");
    std::process::abort();
}

fn group(_: ()) -> (u32, i32) {
    (std::process::id(), rustix::process::getpgrp().as_raw_pid())
}

// (8)
fn no_workers_and_no_queue_are_refused() {
    let nobody = Pool::builder(kitchen()).workers(0).build();
    assert!(matches!(nobody.map(drop), Err(StartError::Setting(why)) if why.contains("worker")));
    let nowhere = Pool::builder(kitchen()).queue(0).build();
    assert!(matches!(nowhere.map(drop), Err(StartError::Setting(why)) if why.contains("queue")));
    let nothing = Pool::builder(kitchen()).max_jobs_per_worker(0).build();
    assert!(matches!(nothing.map(drop), Err(StartError::Setting(_))));
    let never = Pool::builder(kitchen()).max_attempts(0).build();
    assert!(matches!(never.map(drop), Err(StartError::Setting(_))));
}

// (21)
fn a_program_that_is_not_there_is_refused_with_a_sentence() {
    let missing = Start::Program("/nowhere/kitchen".into());
    let refused = match Pool::builder(kitchen()).start(missing).build() {
        Err(error) => error.to_string(),
        // It may also be found out when the first worker is wanted.
        Ok(pool) => pool
            .submit(double, 1)
            .wait()
            .expect_err("there is no worker")
            .to_string(),
    };
    assert!(refused.contains("/nowhere/kitchen"), "{refused}");
}

// (21)
fn a_program_that_is_no_worker_breaks_the_pool_with_a_sentence() {
    let pool = build(
        Pool::builder(kitchen())
            .workers(1)
            .start(Start::Program("/bin/true".into())),
    );
    let Err(JobError::Broken(why)) = pool.submit(double, 1).wait() else {
        panic!("it doubles nothing");
    };
    assert!(!why.is_empty());
    assert!(matches!(
        pool.submit(double, 1).wait(),
        Err(JobError::Broken(_))
    ));
    pool.shut_down();
}

// (14)
fn there_are_never_more_workers_than_allowed() {
    let pool = pool(2);
    let answers: Vec<_> = (0..30).map(|_| pool.submit(pid, ())).collect();
    assert!(pool.workers().len() <= 2);
    let pids: BTreeSet<u32> = answers
        .into_iter()
        .map(|answer| answer.wait().expect("an answer"))
        .collect();
    assert!(pids.len() <= 2, "{pids:?}");
    assert!(pool.metrics().workers_started <= 2);
}

// (15)
fn workers_start_on_demand_and_are_used_again() {
    let pool = pool(5);
    assert_eq!(pool.metrics().workers_started, 0);
    let first = pool.submit(pid, ()).wait();
    for _ in 0..20 {
        assert_eq!(pool.submit(pid, ()).wait(), first, "it is free");
    }
    assert_eq!(pool.metrics().workers_started, 1);
    let gate = Gate::new();
    let held: Vec<_> = (0..3).map(|n| pool.submit(at_gate, gate.pass(n))).collect();
    for n in 0..3 {
        gate.arrived(n);
    }
    assert!(pool.metrics().workers_started >= 3);
    assert!(pool.metrics().workers_started <= 5);
    gate.open();
    held.into_iter().for_each(|answer| drop(answer.wait()));
}

// (16)
fn a_worker_is_replaced_after_so_many_jobs() {
    let pool = build(Pool::builder(kitchen()).workers(1).max_jobs_per_worker(3));
    let pids: Vec<u32> = (0..12)
        .map(|_| pool.submit(pid, ()).wait().expect("an answer"))
        .collect();
    for three in pids.chunks(3) {
        assert!(three.iter().all(|pid| *pid == three[0]), "{pids:?}");
    }
    let different: BTreeSet<_> = pids.iter().collect();
    assert_eq!(different.len(), 4, "{pids:?}");
    assert_eq!(pool.metrics().workers_died, 0, "they were told to go");
    for pid in &pids[..9] {
        until_reaped(*pid);
    }
}

// (17)
fn a_replaced_worker_leaves_no_backlog_behind() {
    let pool = build(Pool::builder(kitchen()).workers(2).max_jobs_per_worker(2));
    let answers: Vec<_> = (0..100).map(|_| pool.submit(pid, ())).collect();
    let mut jobs: BTreeMap<u32, u32> = BTreeMap::new();
    for answer in answers {
        *jobs.entry(answer.wait().expect("an answer")).or_default() += 1;
        assert!(
            pool.workers().len() <= 2 + 2,
            "those that are ending are told apart"
        );
    }
    assert!(jobs.values().all(|count| *count <= 2), "{jobs:?}");
}

// (16)
fn inputs_of_a_map_count_as_jobs_when_workers_are_replaced() {
    let pool = build(Pool::builder(kitchen()).workers(1).max_jobs_per_worker(10));
    let results = pool
        .map(pid, std::iter::repeat_n((), 100))
        .chunk(5)
        .ordered();
    let pids: BTreeSet<u32> = results.map(|result| result.expect("an answer")).collect();
    assert_eq!(pids.len(), 10);
}

// (18)
fn shutting_down_while_workers_are_replaced_loses_nothing() {
    for _ in 0..5 {
        let pool = build(Pool::builder(kitchen()).workers(2).max_jobs_per_worker(1));
        let answers: Vec<_> = (0..12).map(|n| pool.submit(double, n)).collect();
        pool.shut_down();
        for (n, answer) in (0..).zip(answers) {
            assert_eq!(answer.wait(), Ok(2 * n));
        }
    }
}

// (19, 22)
fn failing_jobs_and_replaced_workers_and_shutting_down() {
    let pool = build(Pool::builder(kitchen()).workers(2).max_jobs_per_worker(1));
    let bad: Vec<_> = (0..6)
        .map(|_| pool.submit(panics, "burnt".to_owned()))
        .collect();
    let good: Vec<_> = (0..6).map(|n| pool.submit(double, n)).collect();
    // Somebody else shuts it down meanwhile.
    let shuts = std::thread::spawn({
        let pool = pool.clone();
        move || pool.shut_down()
    });
    for answer in bad {
        assert!(matches!(answer.wait(), Err(JobError::Panicked(_))));
    }
    for (n, answer) in (0..).zip(good) {
        assert_eq!(answer.wait(), Ok(2 * n));
    }
    shuts.join().expect("it ends");
    assert_eq!(pool.workers(), []);
}

// (20)
fn killing_while_workers_are_replaced_lets_none_escape() {
    for _ in 0..5 {
        let pool = build(Pool::builder(kitchen()).workers(2).max_jobs_per_worker(1));
        let answers: Vec<_> = (0..200).map(|_| pool.submit(pid, ())).collect();
        let mut answers = answers.into_iter();
        let first = answers
            .next()
            .expect("there are 200")
            .wait()
            .expect("an answer");
        let alive: Vec<u32> = pool.workers().iter().map(|worker| worker.pid).collect();
        pool.kill();
        for answer in answers {
            match answer.wait() {
                Ok(pid) => until_reaped(pid),
                Err(JobError::ShutDown) => {}
                Err(JobError::WorkerDied(died)) => until_reaped(died.pid),
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(pool.workers(), []);
        alive.into_iter().chain([first]).for_each(until_reaped);
    }
}

// (21)
fn a_worker_that_cannot_be_replaced_breaks_the_pool() {
    let place = Gate::new();
    let program = place.path().join("kitchen");
    fs::copy(
        std::env::current_exe().expect("this program has a path"),
        &program,
    )
    .expect("there is room");
    let start = Start::Program(program.clone());
    let pool = build(Pool::builder(kitchen()).workers(1).start(start));
    let gate = Gate::new();
    let held = pool.submit(at_gate, gate.pass("first"));
    let worker = gate.arrived("first");
    let queued: Vec<_> = (0..10).map(|n| pool.submit(double, n)).collect();
    fs::remove_file(&program).expect("it is there");
    kill(worker);
    assert!(matches!(held.wait(), Err(JobError::WorkerDied(_))));
    for answer in queued {
        let Err(JobError::Broken(why)) = answer.wait() else {
            panic!("there is no program to run it");
        };
        assert!(!why.is_empty());
    }
    assert!(matches!(
        pool.submit(double, 1).wait(),
        Err(JobError::Broken(_))
    ));
    pool.shut_down();
}

// (21)
fn another_list_than_the_workers_breaks_the_pool_in_one_sentence() {
    fn stranger(_: ()) {}
    let pool = build(Pool::builder(procpool::jobs![double, stranger]).workers(2));
    let Err(JobError::Broken(why)) = pool.submit(stranger, ()).wait() else {
        panic!("nobody can do that");
    };
    assert!(why.contains("another list of jobs"), "{why}");
    assert!(why.contains("the worker's lacks behaviours::"), "{why}");
    assert!(why.contains("::stranger, and the pool's "), "{why}");
    assert!(pool.metrics().workers_started <= 2, "once is enough");
    pool.shut_down();
}

/// A copy of this program replaces itself, and then makes a pool.
pub fn play_rebuilt() -> ExitCode {
    let program = std::env::current_exe().expect("this program has a path");
    let is_copy = program.file_name().is_some_and(|name| name == "kitchen");
    assert!(is_copy, "{}", program.display());
    fs::remove_file(&program).expect("it is there");
    fs::copy("/bin/true", &program).expect("there is room");
    assert_eq!(pool(1).submit(double, 21).wait(), Ok(42));
    ExitCode::SUCCESS
}

// (21)
fn a_program_that_is_built_anew_starts_the_workers_that_it_was() {
    let place = Gate::new();
    let program = place.path().join("kitchen");
    let this = std::env::current_exe().expect("this program has a path");
    fs::copy(this, &program).expect("there is room");
    let output = plays_as(&program, "rebuilt");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

// (21)
fn another_program_that_is_replaced_starts_no_more_workers() {
    let place = Gate::new();
    let program = place.path().join("kitchen");
    let this = std::env::current_exe().expect("this program has a path");
    fs::copy(&this, &program).expect("there is room");
    let builder = || {
        let start = Start::Program(program.clone());
        build(Pool::builder(kitchen()).workers(1).start(start))
    };
    let before = builder();
    let worker = before.submit(pid, ()).wait().expect("an answer");
    // The same bytes, as it happens; nobody can know that of an upgrade.
    fs::remove_file(&program).expect("it is there");
    fs::copy(&this, &program).expect("there is room");
    assert_eq!(before.submit(pid, ()).wait(), Ok(worker), "it goes on");
    kill(worker);
    until_reaped(worker);
    let Err(JobError::Broken(why)) = before.submit(pid, ()).wait() else {
        panic!("a worker of another build was started");
    };
    assert!(why.contains("not the file that it was"), "{why}");
    assert!(builder().submit(pid, ()).wait().is_ok(), "a new pool does");
}

// (71)
fn workers_that_are_killed_as_they_start_do_not_break_the_pool() {
    let gate = Gate::new();
    let builder = Pool::builder(kitchen()).workers(1);
    let pool = build(builder.initializer(prepares_at_gate, gate.pass("prepares")));
    let answer = pool.submit(double, 4);
    for killed in 0..6 {
        let mut starting = None;
        until("a worker starts", || {
            starting = pool.workers().first().map(|worker| worker.pid);
            starting.is_some()
        });
        kill(starting.expect("it is there"));
        until("its death is known", || {
            pool.metrics().workers_died > killed
        });
    }
    gate.open();
    assert_eq!(answer.wait(), Ok(8));
}

// (25)
fn the_initializer_runs_once_in_each_worker_before_its_first_job() {
    let builder = Pool::builder(kitchen()).workers(2).max_jobs_per_worker(4);
    let pool = build(builder.initializer(prepare, 77));
    let mut workers = BTreeSet::new();
    for _ in 0..20 {
        let (pid, value, times) = pool.submit(prepared, ()).wait().expect("an answer");
        assert_eq!((value, times), (77, 1));
        workers.insert(pid);
    }
    assert!(workers.len() >= 5, "{workers:?}");
}

// (26)
fn an_initializer_that_panics_breaks_the_pool_and_says_why() {
    let why = "the knives are blunt".to_owned();
    let builder = Pool::builder(kitchen()).workers(2).output(Output::Null);
    let pool = build(builder.initializer(refuse, why));
    let answers: Vec<_> = (0..10).map(|n| pool.submit(double, n)).collect();
    for answer in answers {
        let Err(JobError::Broken(why)) = answer.wait() else {
            panic!("there is no worker");
        };
        assert!(why.contains("the knives are blunt"), "{why}");
    }
    assert!(matches!(
        pool.submit(double, 1).wait(),
        Err(JobError::Broken(_))
    ));
    pool.shut_down();
    pool.kill();
}

// (26)
fn an_initializer_that_kills_its_worker_breaks_the_pool() {
    let pool = build(Pool::builder(kitchen()).workers(1).initializer(fatal, 42));
    let Err(JobError::Broken(why)) = pool.submit(double, 1).wait() else {
        panic!("there is no worker");
    };
    assert!(why.contains("42"), "{why}");
}

// (27)
fn a_pool_that_never_came_up_leaves_nothing_open() {
    let output = plays("leaks");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

// (58)
fn idle_workers_leave_and_come_back() {
    let pool = build(
        Pool::builder(kitchen())
            .workers(2)
            .idle_timeout(Duration::from_millis(20)),
    );
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        let worker = pool.submit(pid, ()).wait().expect("an answer");
        assert!(seen.insert(worker), "it had left");
        until("nobody is left", || pool.workers().is_empty());
        until_reaped(worker);
    }
    assert_eq!(pool.metrics().workers_died, 0);
    pool.shut_down();
}

// (58)
fn idle_workers_leave_between_slow_jobs_too() {
    let pool = build(
        Pool::builder(kitchen())
            .workers(2)
            .idle_timeout(Duration::from_millis(1)),
    );
    for n in 0..200 {
        let answers: Vec<_> = (0..n % 4).map(|k| pool.submit(double, k)).collect();
        for (k, answer) in (0..).zip(answers) {
            assert_eq!(answer.wait(), Ok(2 * k));
        }
        std::thread::sleep(Duration::from_micros(n * 10));
    }
    pool.shut_down();
}

// (58)
fn an_idle_worker_leaves_though_somebody_waits_for_another() {
    let builder = Pool::builder(kitchen()).workers(2);
    let pool = build(builder.idle_timeout(Duration::from_millis(20)));
    let gate = Gate::new();
    let stays = pool.submit(at_gate, gate.pass("stays"));
    let busy = gate.arrived("stays");
    let waits = std::thread::spawn(move || stays.wait());
    let idle = pool.submit(pid, ()).wait().expect("an answer");
    until_reaped(idle);
    gate.open();
    assert_eq!(waits.join().expect("it only waits"), Ok(busy));
}

// (56, 60)
fn a_pool_in_a_worker_works() {
    let pool = pool(2);
    let sums = pool
        .map(nested_sum, vec![vec![1, 2, 3], vec![], vec![50]])
        .ordered();
    assert_eq!(sums.collect::<Vec<_>>(), [Ok(12), Ok(0), Ok(100)]);
}

// (60)
fn pools_nested_too_deep_are_refused() {
    let pool = pool(1);
    let (deep, why) = pool.submit(nest, 1).wait().expect("an answer");
    assert!(
        why.contains("deep") && !why.contains("another error"),
        "{why}"
    );
    assert_eq!(deep, 10, "{why}");
}

// (61)
fn a_worker_has_the_environment_it_was_given() {
    let pool = build(
        Pool::builder(kitchen())
            .workers(1)
            .env("SOUP", "onion")
            .env("FISH", ""),
    );
    assert_eq!(
        pool.submit(variable, "SOUP".to_owned()).wait(),
        Ok(Some("onion".to_owned()))
    );
    assert_eq!(
        pool.submit(variable, "FISH".to_owned()).wait(),
        Ok(Some(String::new()))
    );
    assert_eq!(pool.submit(variable, "MEAT".to_owned()).wait(), Ok(None));
    let path = std::env::var("PATH").ok();
    assert_eq!(
        pool.submit(variable, "PATH".to_owned()).wait(),
        Ok(path),
        "and that of this program"
    );
    assert_eq!(std::env::var("SOUP").ok(), None, "here it has not changed");
}

// (65)
fn a_job_that_reads_its_input_finds_the_end() {
    let pool = pool(1);
    assert_eq!(pool.submit(input, ()).wait(), Ok(0));
    assert_eq!(pool.submit(double, 4).wait(), Ok(8));
    assert_eq!(pool.metrics().workers_started, 1);
}

// (65, 38)
fn output_goes_where_it_was_sent() {
    let output = plays("shouts");
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(output.status.success(), "{stderr}");
    for text in [stdout, stderr] {
        assert!(text.contains("inherited"), "{text}");
        assert!(
            !text.contains("captured") && !text.contains("thrown away"),
            "{text}"
        );
    }
}

// (66)
fn the_number_of_workers_honours_the_cores_this_process_may_use() {
    let output = plays("one-core");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "1");
}

// (73)
fn a_worker_has_a_process_group_of_its_own() {
    let pool = pool(1);
    let (pid, group) = pool.submit(group, ()).wait().expect("an answer");
    assert_eq!(pid as i32, group);
    assert_ne!(group, rustix::process::getpgrp().as_raw_pid());
}

// (65)
fn each_line_goes_to_whoever_listens() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let its = Arc::clone(&heard);
    let builder = Pool::builder(kitchen()).workers(1);
    let pool = build(builder.on_line(move |line| its.lock().unwrap().push(line.clone())));
    let worker = pool.submit(pid, ()).wait().expect("an answer");
    pool.submit(chatters, 3).wait().expect("an answer");
    pool.submit(shout, "salt".to_owned())
        .wait()
        .expect("an answer");
    let died = pool.submit(shout_and_die, "the end".to_owned()).wait();
    assert!(
        matches!(died, Err(JobError::WorkerDied(died)) if died.stderr_tail.ends_with("the end"))
    );
    pool.shut_down();
    let heard = heard.lock().unwrap();
    let of = |stream| {
        let lines = heard.iter().filter(move |line| line.stream == stream);
        lines
            .map(|line| (line.job, line.text.as_str()))
            .collect::<Vec<_>>()
    };
    let job = |name: &'static str| {
        let name = format!("{}::{name}", module_path!());
        let known = heard.iter().filter_map(|line| line.job);
        Some(
            known
                .into_iter()
                .find(|job| *job == name)
                .expect("it is known"),
        )
    };
    let (chatters, shout) = (job("chatters"), job("shout"));
    assert_eq!(
        of(Stream::Stdout),
        [
            (chatters, "0"),
            (chatters, "1"),
            (chatters, "2"),
            (shout, "salt")
        ]
    );
    assert_eq!(
        of(Stream::Stderr),
        [
            (shout, "half a linesalt"),
            (job("shout_and_die"), "the end")
        ]
    );
    assert!(
        heard
            .iter()
            .all(|line| line.pid == worker && line.missed == 0)
    );
    let nobody = Pool::builder(kitchen())
        .on_line(|_| {})
        .output(Output::Null)
        .build();
    assert!(matches!(nobody, Err(StartError::Setting(_))));
}

// (65)
fn who_listens_slowly_holds_up_nobody() {
    let (open, gate) = std::sync::mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let told = Arc::new(Mutex::new((0, 0)));
    let its = Arc::clone(&told);
    let builder = Pool::builder(kitchen()).workers(2).on_line(move |line| {
        let _ = gate.lock().unwrap().recv();
        let mut told = its.lock().unwrap();
        *told = (told.0 + 1, told.1 + line.missed);
    });
    let pool = build(builder);
    // More than the pool keeps, and than a pipe holds.
    let answers: Vec<_> = (0..20).map(|_| pool.submit(chatters, 2_000)).collect();
    for answer in answers {
        answer.wait().expect("it waits for no listener");
    }
    drop(open);
    pool.shut_down();
    let (heard, missed) = *told.lock().unwrap();
    assert!((1_000..2_000).contains(&heard), "{heard} and {missed}");
}

// (59)
fn a_worker_that_has_grown_too_much_is_replaced_between_two_jobs() {
    let pool = build(Pool::builder(kitchen()).workers(1).max_growth(64 << 20));
    let first = pool.submit(pid, ()).wait().expect("an answer");
    pool.submit(keeps, 128).wait().expect("an answer");
    let mut answers = Vec::new();
    until("it is replaced", || {
        answers.extend((0..5).map(|n| (n, pool.submit(double, n))));
        pool.submit(pid, ()).wait().expect("an answer") != first
    });
    for (n, answer) in answers {
        assert_eq!(answer.wait(), Ok(2 * n), "no job is lost");
    }
    let metrics = pool.metrics();
    assert_eq!((metrics.workers_died, metrics.given_back), (0, 0));
    until_reaped(first);
}

// (59)
fn a_worker_that_does_not_grow_stays() {
    let pool = build(Pool::builder(kitchen()).workers(1).max_growth(64 << 20));
    pool.submit(keeps, 128).wait().expect("an answer"); // what the first job leaves is the measure
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_millis(2_500) {
        pool.submit(double, 1).wait().expect("an answer");
    }
    assert_eq!(pool.metrics().workers_started, 1);
    let peak = pool.workers()[0].peak_memory;
    assert!(peak >= 128 << 20, "{peak}");
}
