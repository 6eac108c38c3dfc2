//! One job and its answer: what arrives, on which runtime, and what can be done with an answer before it is there.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use futures::stream::FuturesUnordered;
use futures::{StreamExt, future};
use procpool::{JobError, Jobs, Pool};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::gate::{Gate, Pass};
use super::kitchen::{at_gate, build, double, kitchen, panics, pid, pool};
use super::waits::until;

promises![submits:
    a_job_gives_the_value_of_the_call,
    several_arguments_go_as_a_tuple_and_structs_with_fields_of_any_name,
    a_closure_that_captures_nothing_is_a_job_like_any_other,
    a_function_that_is_not_in_the_list_is_refused_at_once,
    the_pool_keeps_neither_argument_nor_result,
    an_argument_is_gone_from_the_worker_before_the_next_job,
    twenty_thousand_jobs_can_be_submitted_before_the_first_answer_is_taken,
    a_full_queue_gives_the_argument_back,
    a_full_queue_lets_submit_wait_for_a_place,
    who_waits_for_a_place_is_remembered_once_and_forgotten_when_it_goes,
    an_answer_can_be_awaited_on_any_runtime,
    a_dropped_answer_calls_nobody_back,
    a_job_starts_whether_or_not_anybody_awaits_it,
    a_queued_job_can_be_cancelled,
    a_running_job_is_not_cancelled_unless_one_insists,
    dropping_the_answer_of_a_queued_job_cancels_it_and_detaching_does_not,
    dropping_the_answer_of_a_running_job_lets_it_run_on,
    waiting_for_a_time_gives_the_answer_back_when_the_time_is_over,
    a_thread_that_waits_is_woken_when_another_cancels,
    all_ways_of_waiting_at_once,
    the_first_to_finish_is_the_first_to_be_seen,
    what_lies_behind_a_job_that_turns_out_long_is_done_elsewhere,
    what_is_taken_back_is_begun_once,
    a_hundred_jobs_that_end_while_one_begins_to_wait,
    ten_threads_share_a_pool,
    chains_of_jobs_hundreds_deep,
    a_waker_may_submit_to_the_same_pool,
    a_waker_that_panics_harms_no_other_answer,
    what_was_done_is_counted,
];

pub fn jobs(jobs: Jobs) -> Jobs {
    jobs.with(plus)
        .with(describe)
        .with(next())
        .with(weigh)
        .with(cling)
        .with(left_in_here)
        .with(dawdles)
        .with(quick_unless_held)
        .with(signs)
}

/// Writes its number into the book, and takes its time if it is told to.
fn signs((book, number, long): (PathBuf, u32, bool)) {
    let mut book = OpenOptions::new()
        .append(true)
        .open(book)
        .expect("it is there");
    // One write, so that lines of several workers do not mix.
    let line = format!("{number}\n");
    book.write_all(line.as_bytes()).expect("there is room");
    if long {
        thread::sleep(Duration::from_millis(20));
    }
}

/// Tiny, as far as the pool has seen.
fn quick_unless_held(pass: Option<Pass>) -> u32 {
    pass.map_or_else(std::process::id, at_gate)
}

fn plus((a, b, c): (u64, u64, u64)) -> u64 {
    a + b + c
}

/// Takes so many microseconds.
fn dawdles((micros, number): (u64, u64)) -> u64 {
    if micros > 0 {
        thread::sleep(Duration::from_micros(micros));
    }
    number
}

/// The same closure each time, and so the same type.
fn next() -> impl Fn(u32) -> u32 + Copy {
    |x| x + 1
}

/// Names that a pool might use itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Awkward {
    job: String,
    r#fn: Vec<Option<i8>>,
    #[serde(rename = "self")]
    me: Option<Box<Awkward>>,
}

fn describe(value: Awkward) -> Awkward {
    value
}

/// How many there are of these in this process: of those that stay here, and of those that go to workers and come back.
static LIVING: [AtomicI64; 2] = [AtomicI64::new(0), AtomicI64::new(0)];

/// Counts itself.
struct Counted<const KIND: usize>(u64);

impl<const KIND: usize> Counted<KIND> {
    fn new(value: u64) -> Counted<KIND> {
        LIVING[KIND].fetch_add(1, Ordering::SeqCst);
        Counted(value)
    }
}

impl<const KIND: usize> Drop for Counted<KIND> {
    fn drop(&mut self) {
        LIVING[KIND].fetch_sub(1, Ordering::SeqCst);
    }
}

impl<const KIND: usize> Serialize for Counted<KIND> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de, const KIND: usize> Deserialize<'de> for Counted<KIND> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Counted::new)
    }
}

fn weigh(value: Counted<0>) -> Counted<0> {
    Counted::new(value.0)
}

/// Panics while it has an argument in hand.
fn cling(value: Counted<1>) -> Counted<1> {
    assert!(value.0 == 0, "it clings");
    value
}

fn left_in_here(_: ()) -> i64 {
    LIVING[1].load(Ordering::SeqCst)
}

// (1)
fn a_job_gives_the_value_of_the_call() {
    let pool = pool(2);
    assert_eq!(pool.submit(double, 21).wait(), Ok(42));
}

// (1)
fn several_arguments_go_as_a_tuple_and_structs_with_fields_of_any_name() {
    let pool = pool(1);
    assert_eq!(pool.submit(plus, (1, 20, 300)).wait(), Ok(321));
    let inner = Awkward {
        job: String::new(),
        r#fn: vec![],
        me: None,
    };
    let awkward = Awkward {
        job: "é\0".to_owned(),
        r#fn: vec![None, Some(-1)],
        me: Some(Box::new(inner)),
    };
    assert_eq!(pool.submit(describe, awkward.clone()).wait(), Ok(awkward));
}

// (1, 51)
fn a_closure_that_captures_nothing_is_a_job_like_any_other() {
    assert_eq!(pool(1).submit(next(), 1).wait(), Ok(2));
}

// (1)
fn a_function_that_is_not_in_the_list_is_refused_at_once() {
    fn stranger(_: ()) {}
    let pool = pool(1);
    let Err(JobError::Encode(why)) = pool.submit(stranger, ()).wait() else {
        panic!("it is not in the list");
    };
    assert!(why.contains("stranger"), "{why}");
    assert_eq!(
        pool.metrics().workers_started,
        0,
        "for that, nobody has to get up"
    );
}

// (9)
fn the_pool_keeps_neither_argument_nor_result() {
    let pool = pool(1);
    let before = LIVING[0].load(Ordering::SeqCst);
    let gate = Gate::new();
    let held = pool.submit(at_gate, gate.pass("first"));
    let answers: Vec<_> = (0..10)
        .map(|n| pool.submit(weigh, Counted::new(n)))
        .collect();
    // They are queued, and encoded: the values themselves are gone.
    assert_eq!(LIVING[0].load(Ordering::SeqCst), before);
    gate.open();
    held.wait().expect("an answer");
    for (n, answer) in (0..).zip(answers) {
        if n % 2 == 0 {
            drop(answer); // Nobody wants it.
        } else {
            let value = answer.wait().expect("an answer");
            assert_eq!(value.0, n);
        }
    }
    pool.shut_down();
    assert_eq!(LIVING[0].load(Ordering::SeqCst), before);
}

// (10)
fn an_argument_is_gone_from_the_worker_before_the_next_job() {
    let pool = pool(1);
    assert!(pool.submit(cling, Counted::new(0)).wait().is_ok());
    assert_eq!(pool.submit(left_in_here, ()).wait(), Ok(0));
    assert!(matches!(
        pool.submit(cling, Counted::new(1)).wait(),
        Err(JobError::Panicked(_))
    ));
    assert_eq!(pool.submit(left_in_here, ()).wait(), Ok(0));
    // The worker is the same one.
    assert_eq!(pool.metrics().workers_started, 1);
}

// (36)
fn twenty_thousand_jobs_can_be_submitted_before_the_first_answer_is_taken() {
    let pool = pool(2);
    let answers: Vec<_> = (0..20_000).map(|n| pool.submit(double, n)).collect();
    for (n, answer) in (0..).zip(answers) {
        assert_eq!(answer.wait(), Ok(2 * n));
    }
}

// (7)
fn a_full_queue_gives_the_argument_back() {
    let pool = build(Pool::builder(kitchen()).workers(1).queue(2));
    let gate = Gate::new();
    let held = pool.submit(at_gate, gate.pass("first"));
    gate.arrived("first");
    // The worker may hold some beside the one that it runs.
    let mut taken = Vec::new();
    let full = loop {
        match pool.try_submit(double, taken.len() as u64) {
            Ok(answer) => taken.push(answer),
            Err(full) => break full,
        }
        assert!(taken.len() < 1000, "the queue has 2 places");
    };
    assert_eq!(full.0, taken.len() as u64);
    assert!(taken.len() >= 2, "only {} found a place", taken.len());
    gate.open();
    held.wait().expect("an answer");
    for (n, answer) in (0..).zip(taken) {
        assert_eq!(answer.wait(), Ok(2 * n));
    }
}

// (7)
fn a_full_queue_lets_submit_wait_for_a_place() {
    let pool = build(Pool::builder(kitchen()).workers(1).queue(2));
    let gate = Gate::new();
    let held = pool.submit(at_gate, gate.pass("first"));
    gate.arrived("first");
    let answers: Vec<_> = (0..50).map(|n| pool.submit(double, n)).collect();
    assert!(pool.metrics().queued <= 2, "{:?}", pool.metrics());
    gate.open();
    held.wait().expect("an answer");
    let all = block_on(future::join_all(answers));
    let expected: Vec<_> = (0..50).map(|n| Ok(2 * n)).collect();
    assert_eq!(all, expected);
}

// (7)
fn who_waits_for_a_place_is_remembered_once_and_forgotten_when_it_goes() {
    struct Bell;
    impl Wake for Bell {
        fn wake(self: Arc<Self>) {}
    }
    let pool = build(Pool::builder(kitchen()).workers(1).queue(1));
    let gate = Gate::new();
    let held = pool.submit(at_gate, gate.pass("first"));
    gate.arrived("first");
    let queued = pool.submit(double, 1);
    let bell = Arc::new(Bell);
    for round in 0..100 {
        // As it is in a loop that looks at something else as well, and gives up in the end.
        let mut waiting = pool.submit(double, 2);
        for look in 0..100 {
            let waker = Waker::from(Arc::clone(&bell));
            let polled = Pin::new(&mut waiting).poll(&mut Context::from_waker(&waker));
            assert!(polled.is_pending(), "there is no place");
            drop(waker);
            let kept = Arc::strong_count(&bell) - 1;
            assert!(
                kept <= 2,
                "{kept} wakers kept after look {look} of round {round}"
            );
        }
        drop(waiting);
        let kept = Arc::strong_count(&bell) - 1;
        assert_eq!(
            kept, 0,
            "wakers kept for somebody who is gone, round {round}"
        );
    }
    gate.open();
    held.wait().expect("an answer");
    assert_eq!(queued.wait(), Ok(2));
}

// (52)
fn an_answer_can_be_awaited_on_any_runtime() {
    let pool = pool(2);
    assert_eq!(block_on(pool.submit(double, 1)), Ok(2));
    let on_the_loop = pool.clone();
    let value = loopbot::run(async move {
        let task = loopbot::spawn({
            let pool = on_the_loop.clone();
            async move { pool.submit(double, 2).await }
        });
        let here = on_the_loop.submit(double, 3).await;
        (task.await.expect("the task ends"), here)
    });
    assert_eq!(value, (Ok(4), Ok(6)));
}

// (52)
fn a_dropped_answer_calls_nobody_back() {
    struct Counts(AtomicUsize);
    impl Wake for Counts {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let pool = pool(1);
    let gate = Gate::new();
    let counts = Arc::new(Counts(AtomicUsize::new(0)));
    let waker = Waker::from(counts.clone());
    let mut running = pool.submit(at_gate, gate.pass("first"));
    let mut queued = pool.submit(double, 1);
    gate.arrived("first");
    let mut cx = Context::from_waker(&waker);
    assert!(Pin::new(&mut running).poll(&mut cx).is_pending());
    assert!(Pin::new(&mut queued).poll(&mut cx).is_pending());
    drop((running, queued, waker));
    gate.open();
    assert_eq!(pool.submit(double, 2).wait(), Ok(4));
    pool.shut_down();
    assert_eq!(
        counts.0.load(Ordering::SeqCst),
        0,
        "the loop it would wake may be gone"
    );
    assert_eq!(
        Arc::strong_count(&counts),
        1,
        "the pool keeps a waker of nobody"
    );
}

// (1)
fn a_job_starts_whether_or_not_anybody_awaits_it() {
    let pool = pool(1);
    let gate = Gate::new();
    let answer = pool.submit(at_gate, gate.pass("first"));
    gate.arrived("first");
    gate.open();
    answer.wait().expect("an answer");
}

// (44)
fn a_queued_job_can_be_cancelled() {
    let pool = pool(1);
    let gate = Gate::new();
    let held = pool.submit(at_gate, gate.pass("first"));
    gate.arrived("first");
    // Those in front may be with the worker already. The last of so many is not.
    let before: Vec<_> = (0..200).map(|n| pool.submit(double, n)).collect();
    let cancelled = pool.submit(at_gate, gate.pass("never"));
    assert!(!cancelled.is_done());
    assert!(cancelled.cancel());
    assert!(cancelled.is_done());
    assert!(!cancelled.cancel(), "it is done");
    assert_eq!(cancelled.wait(), Err(JobError::Cancelled));
    gate.open();
    held.wait().expect("an answer");
    for (n, answer) in (0..).zip(before) {
        assert_eq!(answer.wait(), Ok(2 * n));
    }
    pool.shut_down();
    assert!(!gate.has_seen("never"));
}

// (44)
fn a_running_job_is_not_cancelled_unless_one_insists() {
    let pool = pool(2);
    let gate = Gate::new();
    let stays = pool.submit(at_gate, gate.pass("stays"));
    let goes = pool.submit(at_gate, gate.pass("goes"));
    let (neighbour, victim) = (gate.arrived("stays"), gate.arrived("goes"));
    assert!(!goes.cancel());
    assert!(goes.cancel_running());
    assert_eq!(goes.wait(), Err(JobError::Cancelled));
    super::waits::until_reaped(victim);
    gate.open();
    assert_eq!(stays.wait(), Ok(neighbour));
    let done = pool.submit(double, 1);
    until("the job is done", || done.is_done());
    assert!(!done.cancel_running(), "it is done");
    assert_eq!(done.wait(), Ok(2));
}

// (44)
fn dropping_the_answer_of_a_queued_job_cancels_it_and_detaching_does_not() {
    let pool = pool(1);
    let gate = Gate::new();
    let held = pool.submit(at_gate, gate.pass("first"));
    gate.arrived("first");
    let before: Vec<_> = (0..200).map(|n| pool.submit(double, n)).collect();
    drop(pool.submit(at_gate, gate.pass("dropped")));
    pool.submit(at_gate, gate.pass("detached")).detach();
    gate.open();
    held.wait().expect("an answer");
    before.into_iter().for_each(|answer| drop(answer.wait()));
    pool.shut_down();
    assert!(!gate.has_seen("dropped"));
    assert!(gate.has_seen("detached"));
}

// (9)
fn dropping_the_answer_of_a_running_job_lets_it_run_on() {
    fn _is_send<T: Send + Unpin>(_: &T) {}
    let pool = pool(1);
    let gate = Gate::new();
    let running = pool.submit(at_gate, gate.pass("first"));
    _is_send(&running);
    let worker = gate.arrived("first");
    drop(running);
    gate.open();
    assert_eq!(
        pool.submit(pid, ()).wait(),
        Ok(worker),
        "its worker lives, and takes the next"
    );
}

// (45)
fn waiting_for_a_time_gives_the_answer_back_when_the_time_is_over() {
    let pool = pool(1);
    let gate = Gate::new();
    let answer = pool.submit(at_gate, gate.pass("first"));
    let worker = gate.arrived("first");
    let answer = answer
        .wait_for(Duration::from_millis(1))
        .expect_err("it stands at the gate");
    let answer = answer
        .wait_for(Duration::ZERO)
        .expect_err("it stands at the gate");
    gate.open();
    let value = answer
        .wait_for(Duration::from_secs(100))
        .expect("the gate is open");
    assert_eq!(value, Ok(worker));
}

// (45)
fn a_thread_that_waits_is_woken_when_another_cancels() {
    let pool = pool(1);
    let gate = Gate::new();
    let running = pool.submit(at_gate, gate.pass("first"));
    gate.arrived("first");
    let waits = thread::spawn(move || running.wait());
    pool.kill();
    assert!(waits.join().expect("it only waits").is_err());
    drop(gate);
}

// (45, 48)
fn all_ways_of_waiting_at_once() {
    for awake in [0, 100] {
        let builder = Pool::builder(kitchen()).workers(2);
        wait_in_all_ways(build(builder.spin(Duration::from_micros(awake))));
    }
}

fn wait_in_all_ways(pool: Pool) {
    let threads: Vec<_> = (0..6)
        .map(|seed| {
            let pool = pool.clone();
            let mut chance = ChaCha8Rng::seed_from_u64(seed);
            thread::spawn(move || (0..300).for_each(|n| wait_somehow(&pool, &mut chance, n)))
        })
        .collect();
    for thread in threads {
        thread.join().expect("every answer is its own");
    }
    pool.shut_down();
    let metrics = pool.metrics();
    assert_eq!(metrics.submitted, metrics.answered);
}

/// Submits a job that takes a moment, or none, and waits for it in one of the ways there are.
fn wait_somehow(pool: &Pool, chance: &mut ChaCha8Rng, number: u64) {
    let mut job = || pool.submit(dawdles, (chance.random_range(0..8) / 7 * 2_000, number));
    let (answer, other) = (job(), job());
    match chance.random_range(0..9) {
        0..3 => assert_eq!(answer.wait(), Ok(number)),
        3 => assert_eq!(block_on(answer), Ok(number)),
        4 => match answer.wait_for(Duration::from_micros(chance.random_range(0..3_000))) {
            Ok(result) => assert_eq!(result, Ok(number)),
            Err(answer) => assert_eq!(answer.wait(), Ok(number)),
        },
        5 => {
            answer.cancel();
            let result = answer.wait();
            assert!(result == Ok(number) || result == Err(JobError::Cancelled));
        }
        6 => answer.detach(),
        7 => drop(answer),
        // Awaited at first, and then waited for.
        _ => {
            let mut answer = answer;
            let mut cx = Context::from_waker(Waker::noop());
            if Pin::new(&mut answer).poll(&mut cx).is_pending() {
                assert_eq!(answer.wait(), Ok(number));
            }
        }
    }
    assert_eq!(other.wait(), Ok(number));
    if chance.random_range(0..10) == 0 {
        thread::sleep(Duration::from_micros(chance.random_range(0..3_000)));
    }
}

// (47)
fn the_first_to_finish_is_the_first_to_be_seen() {
    let pool = pool(2);
    let (slow, quick) = (Gate::new(), Gate::new());
    let mut both: FuturesUnordered<_> = [slow.pass("slow"), quick.pass("quick")]
        .map(|pass| pool.submit(at_gate, pass))
        .into_iter()
        .collect();
    let (of_slow, of_quick) = (slow.arrived("slow"), quick.arrived("quick"));
    quick.open();
    assert_eq!(block_on(both.next()), Some(Ok(of_quick)));
    slow.open();
    assert_eq!(block_on(both.next()), Some(Ok(of_slow)));
    assert_eq!(block_on(both.next()), None);
}

// (47)
fn what_lies_behind_a_job_that_turns_out_long_is_done_elsewhere() {
    for round in 0..10 {
        let pool = pool(2);
        for _ in 0..200 {
            assert!(pool.submit(quick_unless_held, None).wait().is_ok());
        }
        let (long, longer) = (Gate::new(), Gate::new());
        let [first, second] =
            [&long, &longer].map(|gate| pool.submit(quick_unless_held, Some(gate.pass("held"))));
        let behind: Vec<_> = (0..20)
            .map(|_| pool.submit(quick_unless_held, None))
            .collect();
        // The second one may have been sent behind the first one itself.
        let (one, other) = (long.arrived("held"), longer.arrived("held"));
        long.open();
        // Whoever waits: a thread that looks at the workers itself, or one that is woken.
        for (number, answer) in behind.into_iter().enumerate() {
            let done = match (number + round) % 2 {
                0 => answer.wait(),
                _ => block_on(answer),
            };
            assert!(done.is_ok(), "{done:?}");
        }
        assert!(!second.is_done(), "it is held");
        longer.open();
        assert_eq!((first.wait(), second.wait()), (Ok(one), Ok(other)));
    }
}

// (47)
fn what_is_taken_back_is_begun_once() {
    let place = Gate::new();
    let book = place.path().join("book");
    fs::write(&book, "").expect("there is room");
    let pool = pool(3);
    let jobs = 6_000;
    let answers: Vec<_> = (0..jobs)
        .map(|number| pool.submit(signs, (book.clone(), number, number % 150 == 149)))
        .collect();
    for (number, answer) in answers.into_iter().enumerate() {
        let done = match number % 2 {
            0 => answer.wait(),
            _ => block_on(answer),
        };
        assert_eq!(done, Ok(()));
    }
    let text = fs::read_to_string(book).expect("it is there");
    let mut signed: Vec<u32> = text.lines().map(|line| line.parse().unwrap()).collect();
    signed.sort_unstable();
    assert_eq!(signed, (0..jobs).collect::<Vec<_>>());
    assert!(pool.metrics().taken_back > 0, "{:?}", pool.metrics());
}

// (48)
fn a_hundred_jobs_that_end_while_one_begins_to_wait() {
    let pool = pool(2);
    for _ in 0..20 {
        let answers: Vec<_> = (0..100).map(|n| pool.submit(double, n)).collect();
        let all: Result<Vec<_>, _> = block_on(future::try_join_all(answers));
        assert_eq!(all, Ok((0..100).map(|n| 2 * n).collect()));
    }
    // The first error ends the waiting, and the queued ones with it.
    let answers = (0..100).map(|n| {
        let pool = pool.clone();
        async move {
            match n {
                50 => pool.submit(panics, "fifty".to_owned()).await,
                n => pool.submit(double, n).await,
            }
        }
    });
    let failed = block_on(future::try_join_all(answers));
    assert!(matches!(failed, Err(JobError::Panicked(panic)) if panic.message == "fifty"));
}

// (57)
fn ten_threads_share_a_pool() {
    let pool = pool(2);
    let threads: Vec<_> = (0..10)
        .map(|thread| {
            let pool = pool.clone();
            thread::spawn(move || {
                for n in 0..200 {
                    let number = thread * 1000 + n;
                    assert_eq!(pool.submit(double, number).wait(), Ok(2 * number));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("every answer is its own");
    }
}

// (67)
fn chains_of_jobs_hundreds_deep() {
    fn chain(pool: Pool, number: u64, left: u32) -> future::BoxFuture<'static, u64> {
        Box::pin(async move {
            let number = pool.submit(double, number).await.expect("an answer") % 1_000_003;
            match left {
                0 => number,
                left => chain(pool, number, left - 1).await,
            }
        })
    }
    let pool = pool(2);
    let mut expected = 1;
    (0..=300).for_each(|_| expected = expected * 2 % 1_000_003);
    assert_eq!(block_on(chain(pool, 1, 300)), expected);
}

/// Submits a job from inside the waking, as a callback would, and sends what came of it.
struct Submits(Pool, mpsc::Sender<Result<u64, JobError>>);

impl Wake for Submits {
    fn wake(self: Arc<Self>) {
        let answer = self.0.submit(double, 5);
        let sends = self.1.clone();
        thread::spawn(move || sends.send(answer.wait()));
    }
}

// (67)
fn a_waker_may_submit_to_the_same_pool() {
    let pool = pool(1);
    let gate = Gate::new();
    let (sends, receives) = mpsc::channel();
    let waker = Waker::from(Arc::new(Submits(pool.clone(), sends)));
    let mut answer = pool.submit(at_gate, gate.pass("first"));
    gate.arrived("first");
    assert!(
        Pin::new(&mut answer)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    gate.open();
    assert_eq!(receives.recv().expect("the waker was called"), Ok(10));
    assert!(matches!(
        Pin::new(&mut answer).poll(&mut Context::from_waker(&waker)),
        Poll::Ready(Ok(_))
    ));
}

/// A waker that is broken.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        // Without the message, which would stand between the tests.
        std::panic::resume_unwind(Box::new("a waker that panics"));
    }
}

// (43, 67)
fn a_waker_that_panics_harms_no_other_answer() {
    let pool = pool(1);
    let gate = Gate::new();
    let waker = Waker::from(Arc::new(Panics));
    let mut broken = pool.submit(at_gate, gate.pass("first"));
    gate.arrived("first");
    assert!(
        Pin::new(&mut broken)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    let others: Vec<_> = (0..10).map(|n| pool.submit(double, n)).collect();
    gate.open();
    for (n, answer) in (0..).zip(others) {
        assert_eq!(answer.wait(), Ok(2 * n));
    }
    assert!(broken.wait().is_ok());
    pool.shut_down();
}

// (44)
fn what_was_done_is_counted() {
    let pool = pool(1);
    for n in 0..10 {
        assert_eq!(pool.submit(double, n).wait(), Ok(2 * n));
    }
    let metrics = pool.metrics();
    assert_eq!((metrics.submitted, metrics.answered), (10, 10));
    assert_eq!((metrics.queued, metrics.with_workers), (0, 0));
    assert_eq!((metrics.workers_started, metrics.workers_died), (1, 0));
    let gate = Gate::new();
    let held = pool.submit(at_gate, gate.pass("first"));
    gate.arrived("first");
    assert_eq!(pool.metrics().with_workers, 1);
    assert!(format!("{:?}", pool.workers()).contains("Busy"));
    gate.open();
    held.wait().expect("an answer");
}
