//! Plays your plans on a model of a machine, on a virtual clock, and says what would have happened.
//!
//! There is no list of right answers in here. There are cores that are shared, threads that are taken, data that is copied,
//! and guests who want something every 5 ms.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::future::{pending, poll_fn};
use std::io::Write as _;
use std::panic::resume_unwind;
use std::pin::pin;
use std::process::exit;
use std::rc::Rc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use exercise_23::{Does, House, Job, Lost, Plate, Tool, plan, serve};
use flight::VirtualTime;
use loopbot::sync::Semaphore;
use loopbot::{Clock, LoopBot, now, sleep, sleep_until};

/// How long one test may take until we say that it hangs. It takes far less than a second.
const PATIENCE: Duration = Duration::from_secs(5);
/// The exit code of a program that noticed that it does not end; `cargo course check` knows it. The same number stands
/// in crates/whatif/src/watchdog.rs.
const DID_NOT_END: i32 = 124;

const US: Duration = Duration::from_micros(1);
const MS: Duration = Duration::from_millis(1);
/// On the virtual clock. Whoever has not returned by then waits for something that never comes.
const CLOSING_TIME: Duration = Duration::from_secs(600);

// ---- The machine -----------------------------------------------------------------------------------------

/// One core is LoopBot's.
const OTHER_CORES: usize = 3;
const THREADS_THAT_MAY_BLOCK: usize = 8;
const HAND_OVER: Duration = Duration::from_micros(11);
const HAND_OVER_TO_A_PROCESS: Duration = Duration::from_micros(20);
const MB_IN_A_MILLISECOND: u32 = 4;
const A_FRESH_PROCESS: Duration = Duration::from_micros(2_500);
/// The system gives a core to a thread for so long, and then to the next one.
const SLICE: Duration = Duration::from_millis(3);
/// So long may LoopBot be held, and so late may a guest be served.
const HELD: Duration = MS;
const SIP: Duration = Duration::from_millis(5);

/// What nobody knows of a job before it is done.
#[derive(Clone, Debug, Default)]
struct Secret {
    name: String,
    crashes: bool,
    never_ends: bool,
}

/// What somebody who watched the evening has written down.
#[derive(Default)]
struct Seen {
    /// It ended before its end, and why.
    over: Option<String>,
    waker: Option<Waker>,
    /// Where each job was done.
    places: BTreeMap<u32, Vec<&'static str>>,
    done_at: BTreeMap<u32, Duration>,
    /// When the last job was done or lost.
    last_over: Duration,
    /// When `serve` returned.
    returned: Duration,
    /// The longest time for which LoopBot was held, and by which job.
    longest: Option<(Duration, u32, String)>,
    latest: Duration,
}

struct Machine {
    time: VirtualTime,
    secrets: BTreeMap<u32, Secret>,
    cores: Semaphore,
    may_block: Semaphore,
    hands: Semaphore,
    processes: Semaphore,
    seen: RefCell<Seen>,
}

impl Machine {
    fn name(&self, job: &Job) -> &str {
        &self.secrets[&job.number].name
    }

    fn secret(&self, job: &Job) -> &Secret {
        &self.secrets[&job.number]
    }

    fn goes_to(&self, job: &Job, place: &'static str) {
        let mut seen = self.seen.borrow_mut();
        seen.places.entry(job.number).or_default().push(place);
    }

    fn is_done(&self, job: &Job) -> Result<Plate, Lost> {
        let mut seen = self.seen.borrow_mut();
        seen.done_at.insert(job.number, now());
        seen.last_over = now();
        Ok(Plate(job.number))
    }

    /// Nobody else has a turn meanwhile.
    fn hold(&self, job: &Job, time: Duration, why: &str) {
        self.time.advance(time);
        let mut seen = self.seen.borrow_mut();
        let is_longest = |(longest, ..): &(Duration, u32, String)| time > *longest;
        if seen.longest.as_ref().is_none_or(is_longest) {
            seen.longest = Some((time, job.number, why.to_owned()));
        }
    }

    /// The end of the evening.
    async fn over(&self, job: &Job, why: &str) -> Result<Plate, Lost> {
        self.is_over(job, why);
        pending().await
    }

    fn is_over(&self, job: &Job, why: &str) {
        let mut seen = self.seen.borrow_mut();
        if seen.over.is_none() {
            let facts = known_of(job);
            let place = seen.places[&job.number].last().copied();
            seen.over = Some(format!(
                "After {}, {}: {why}\n\n  Known of it: {facts}.\n  Where it was done: {}.",
                ms(now()),
                self.name(job),
                place.unwrap_or("nowhere")
            ));
        }
        if let Some(waker) = seen.waker.take() {
            waker.wake();
        }
    }

    /// Goes on for so long on one of the cores that LoopBot leaves, and shares it with whoever else wants one.
    async fn compute(&self, time: Duration) {
        let mut left = time;
        while !left.is_zero() {
            let slice = left.min(SLICE);
            let core = self.cores.acquire(1).await;
            sleep(slice).await;
            drop(core);
            left -= slice;
        }
    }

    /// All of a job, on a thread or in a process that is not LoopBot's.
    async fn work(&self, does: Does) {
        match does {
            Does::WaitsAsync(time) | Does::WaitsBlocking(time) => sleep(time).await,
            Does::Computes(time) => self.compute(time).await,
        }
    }

    /// What goes wrong with a job that shares LoopBot's process, if anything does.
    async fn goes_wrong_in_this_process(&self, job: &Job) {
        if !job.is_send {
            let why = "the program does not compile. It holds an `Rc`, which `cannot be sent between threads safely`.";
            let _ = self.over(job, why).await;
        }
        sleep(HAND_OVER).await;
        let secret = self.secret(job);
        if secret.crashes {
            let _ = self.crash(job).await;
        }
        if secret.never_ends {
            sleep_until(now().max(job.within)).await;
            let why = "it should have been done by now, and is called off. But nobody can stop a thread. It goes on until the \
                       program ends, and keeps the thread until then.";
            let _ = self.over(job, why).await;
        }
    }

    async fn crash(&self, job: &Job) -> Result<Plate, Lost> {
        sleep(length(job.does) / 2).await;
        let why = "it crashes. A crash ends the process, and with it LoopBot, and all that was under way.";
        self.over(job, why).await
    }

    fn lost(&self, job: &Job, how: &str) -> Result<Plate, Lost> {
        self.seen.borrow_mut().last_over = now();
        Err(Lost(format!("{} {how}", self.name(job))))
    }
}

impl House for Machine {
    async fn here(&self, job: &Job) -> Result<Plate, Lost> {
        self.goes_to(job, "on LoopBot's own thread");
        let secret = self.secret(job);
        match job.does {
            Does::WaitsAsync(_) if secret.crashes => return self.crash(job).await,
            Does::WaitsAsync(_) if secret.never_ends => {
                sleep(job.within).await;
                return self.lost(job, "was called off");
            }
            Does::WaitsAsync(time) => sleep(time).await,
            Does::WaitsBlocking(time) | Does::Computes(time) => {
                if secret.crashes {
                    self.time.advance(time / 2);
                    return self.crash(job).await;
                }
                if secret.never_ends {
                    let why = "it never ends, and LoopBot has no turn any more. Nobody can even call it off.";
                    return self.over(job, why).await;
                }
                let why = match job.does {
                    Does::Computes(_) => "it computes",
                    _ => "its library blocks the thread",
                };
                self.hold(job, time, why);
            }
        }
        self.is_done(job)
    }

    async fn spawn_blocking(&self, job: &Job) -> Result<Plate, Lost> {
        self.goes_to(job, "on a thread of spawn_blocking");
        self.goes_wrong_in_this_process(job).await;
        let thread = self.may_block.acquire(1).await;
        self.work(job.does).await;
        drop(thread);
        self.is_done(job)
    }

    async fn threads(&self, job: &Job) -> Result<Plate, Lost> {
        self.goes_to(job, "on the threads that compute");
        self.goes_wrong_in_this_process(job).await;
        match job.does {
            Does::Computes(time) => {
                // As rayon does: portions, and whoever is free takes the next.
                let left = Cell::new(PORTIONS);
                let hand = || async {
                    let thread = self.hands.acquire(1).await;
                    while left.get() > 0 {
                        left.set(left.get() - 1);
                        self.compute(time / PORTIONS).await;
                    }
                    drop(thread);
                };
                all_of([hand(), hand(), hand()]).await;
            }
            wait => {
                let thread = self.hands.acquire(1).await;
                self.work(wait).await;
                drop(thread);
            }
        }
        self.is_done(job)
    }

    async fn process(&self, job: &Job) -> Result<Plate, Lost> {
        self.goes_to(job, "in another process");
        let copying = MS * job.data / MB_IN_A_MILLISECOND;
        if !copying.is_zero() {
            self.hold(job, copying, "its data is copied into another process");
        }
        sleep(HAND_OVER_TO_A_PROCESS).await;
        let process = self.processes.acquire(1).await;
        let secret = self.secret(job);
        if secret.crashes || secret.never_ends {
            let (time, how) = match secret.crashes {
                true => (length(job.does) / 2, "crashed"),
                false => (job.within, "was called off, and its process was killed"),
            };
            sleep(time).await;
            sleep(A_FRESH_PROCESS).await;
            drop(process);
            return self.lost(job, how);
        }
        self.work(job.does).await;
        drop(process);
        self.is_done(job)
    }
}

const PORTIONS: u32 = 12;

/// Three futures, in one task, until all are done.
async fn all_of<F: Future<Output = ()>>(futures: [F; 3]) {
    let mut futures = futures.map(|future| Some(Box::pin(future)));
    poll_fn(|cx| {
        for slot in &mut futures {
            if let Some(future) = slot
                && future.as_mut().poll(cx).is_ready()
            {
                *slot = None;
            }
        }
        match futures.iter().all(Option::is_none) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

fn length(does: Does) -> Duration {
    match does {
        Does::WaitsAsync(time) | Does::WaitsBlocking(time) | Does::Computes(time) => time,
    }
}

// ---- The jobs ----------------------------------------------------------------------------------------------

/// Numbers that look as if nobody had chosen them, and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn from(&mut self, range: std::ops::RangeInclusive<u64>) -> u64 {
        range.start() + self.roll() % (range.end() - range.start() + 1)
    }

    fn often(&mut self, percent: u64) -> bool {
        self.roll() % 100 < percent
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[(self.roll() % words.len() as u64) as usize]
    }
}

/// Jobs, and what is not known of them. A name says nothing: every name can be any kind of job.
#[derive(Default)]
struct Jobs {
    jobs: Vec<Job>,
    secrets: BTreeMap<u32, Secret>,
}

impl Jobs {
    /// A job of no bad habits, with plenty of time. `change` makes it into another one.
    fn add(&mut self, dice: &mut Dice, does: Does, change: impl FnOnce(&mut Job, &mut Secret)) {
        let whose = dice.one_of(&[
            "the Chens'",
            "Mr. Silva's",
            "Mrs. Silva's",
            "table 4's",
            "the critic's",
            "the mayor's",
        ]);
        let what = dice.one_of(&[
            "menu",
            "bill",
            "photograph",
            "reservation",
            "wine list",
            "birthday song",
            "allergy list",
        ]);
        let number = u32::try_from(self.jobs.len()).unwrap() + 1;
        let mut secret = Secret {
            name: format!("{whose} {what} (job {number})"),
            ..Secret::default()
        };
        let mut job = Job {
            number,
            does,
            is_send: true,
            may_crash: false,
            may_never_end: false,
            data: 0,
            within: Duration::from_secs(20),
        };
        change(&mut job, &mut secret);
        self.secrets.insert(number, secret);
        self.jobs.push(job);
    }

    fn waits_async(&mut self, dice: &mut Dice, within: Duration) {
        let does = Does::WaitsAsync(MS * dice.from(50..=150) as u32);
        let (is_send, may_never_end) = (dice.often(50), dice.often(30));
        let never_ends = may_never_end && dice.often(30);
        self.add(dice, does, |job, secret| {
            (job.is_send, job.may_never_end, job.within) = (is_send, may_never_end, within);
            secret.never_ends = never_ends;
        });
    }

    fn short(&mut self, dice: &mut Dice) {
        let does = Does::Computes(US * dice.from(1..=8) as u32);
        let is_send = dice.often(50);
        self.add(dice, does, |job, _| job.is_send = is_send);
    }

    fn waits_blocking(&mut self, dice: &mut Dice, within: Duration) {
        let does = Does::WaitsBlocking(MS * dice.from(40..=80) as u32);
        self.add(dice, does, |job, _| job.within = within);
    }

    /// Computes for long, and may be shared out.
    fn computes(&mut self, dice: &mut Dice, in_a_hurry: bool) {
        let time = MS * dice.from(60..=240) as u32;
        self.add(dice, Does::Computes(time), |job, _| {
            if in_a_hurry {
                job.within = time * 3 / 5;
            }
        });
    }

    fn computes_on_much_data(&mut self, dice: &mut Dice) {
        let does = Does::Computes(MS * dice.from(20..=60) as u32);
        let data = dice.from(100..=800) as u32;
        self.add(dice, does, |job, _| job.data = data);
    }

    /// Computes or blocks, for some while.
    fn either(dice: &mut Dice) -> Does {
        let time = MS * dice.from(20..=90) as u32;
        match dice.often(50) {
            true => Does::Computes(time),
            false => Does::WaitsBlocking(time),
        }
    }

    /// Short enough to be done here, if nothing spoke against it.
    fn hardly_anything(dice: &mut Dice) -> Does {
        Does::Computes(US * dice.from(1..=8) as u32)
    }

    /// Too long for LoopBot, if not by much.
    fn computes_for_milliseconds(&mut self, dice: &mut Dice) {
        let (time, is_send) = (US * dice.from(1_500..=9_000) as u32, dice.often(50));
        self.add(dice, Does::Computes(time), |job, _| job.is_send = is_send);
    }

    /// Whatever it does, it may crash.
    fn may_crash(&mut self, dice: &mut Dice, crashes: bool) {
        let is_send = dice.often(70);
        let does = match dice.from(0..=5) {
            0 => Jobs::hardly_anything(dice),
            1 => Does::WaitsAsync(MS * dice.from(50..=150) as u32),
            _ => Jobs::either(dice),
        };
        self.add(dice, does, |job, secret| {
            (job.may_crash, job.is_send) = (true, is_send);
            secret.crashes = crashes;
        });
    }

    /// If it ends, then mostly soon.
    fn may_never_end(&mut self, dice: &mut Dice, never_ends: bool) {
        let does = match dice.often(25) {
            true => Jobs::hardly_anything(dice),
            false => Jobs::either(dice),
        };
        self.add(dice, does, |job, secret| {
            job.may_never_end = true;
            job.within = Duration::from_secs(2);
            secret.never_ends = never_ends;
        });
    }

    fn not_send(&mut self, dice: &mut Dice) {
        let does = Jobs::either(dice);
        self.add(dice, does, |job, _| job.is_send = false);
    }

    /// Everything, in any order.
    fn of_all_kinds(dice: &mut Dice) -> Jobs {
        let mut jobs = Jobs::default();
        for _ in 0..dice.from(20..=60) {
            match dice.from(0..=7) {
                0 | 1 => jobs.waits_async(dice, Duration::from_secs(1)),
                2 => jobs.short(dice),
                3 => jobs.waits_blocking(dice, Duration::from_secs(5)),
                4 => jobs.computes(dice, false),
                5 => jobs.computes_on_much_data(dice),
                6 => jobs.not_send(dice),
                _ => {
                    let goes_wrong = dice.often(30);
                    match dice.often(50) {
                        true => jobs.may_crash(dice, goes_wrong),
                        false => jobs.may_never_end(dice, goes_wrong),
                    }
                }
            }
        }
        // A process that is busy with a job which never ends is no reason to be in a hurry.
        for job in &mut jobs.jobs {
            let can_be_stuck = job.may_never_end && !matches!(job.does, Does::WaitsAsync(_));
            if job.within < Duration::from_secs(5)
                && !can_be_stuck
                && !matches!(job.does, Does::WaitsAsync(_))
            {
                job.within = Duration::from_secs(20);
            }
        }
        jobs
    }
}

fn known_of(job: &Job) -> String {
    let mut facts = match job.does {
        Does::WaitsAsync(time) => format!("waits {}, async library", ms(time)),
        Does::WaitsBlocking(time) => format!("waits {}, blocking library", ms(time)),
        Does::Computes(time) => format!("computes {}", ms(time)),
    };
    for (holds, fact) in [
        (!job.is_send, "not Send"),
        (job.may_crash, "may crash"),
        (job.may_never_end, "may never end"),
    ] {
        if holds {
            let _ = write!(facts, ", {fact}");
        }
    }
    if job.data > 0 {
        let _ = write!(facts, ", reads {} MB", job.data);
    }
    let _ = write!(
        facts,
        "; wanted within {}; your plan says {:?}",
        ms(job.within),
        plan(job)
    );
    facts
}

fn ms(time: Duration) -> String {
    match time.as_micros() {
        us @ 0..1_000 => format!("{us} µs"),
        us if us % 1_000 == 0 => format!("{} ms", us / 1_000),
        us => format!("{:.1} ms", us as f64 / 1e3),
    }
}

// ---- The evenings ------------------------------------------------------------------------------------------

/// One test, so that you read one message: about the first thing that would have happened.
#[test]
fn the_right_place_for_every_job() {
    keeps("what may crash takes nobody with it", || {
        for seed in 1..=8 {
            let mut dice = Dice(seed);
            let mut jobs = Jobs::default();
            for number in 0..6 {
                jobs.waits_async(&mut dice, Duration::from_secs(1));
                jobs.may_crash(&mut dice, number == seed % 6);
            }
            play(jobs);
        }
    });
    keeps("what may never end can be called off", || {
        for seed in 1..=8 {
            let mut dice = Dice(seed);
            let mut jobs = Jobs::default();
            for number in 0..3 {
                jobs.waits_async(&mut dice, Duration::from_secs(1));
                jobs.may_never_end(&mut dice, number == seed % 3);
            }
            play(jobs);
        }
    });
    keeps("what is not Send stays, or is done in a process", || {
        for seed in 1..=8 {
            let mut dice = Dice(seed);
            let mut jobs = Jobs::default();
            for _ in 0..4 {
                jobs.not_send(&mut dice);
                jobs.short(&mut dice);
                jobs.waits_async(&mut dice, Duration::from_secs(1));
            }
            play(jobs);
        }
    });
    keeps(
        "waits overlap, however many there are, if their library is async",
        || {
            let mut dice = Dice(11);
            let mut jobs = Jobs::default();
            for _ in 0..400 {
                jobs.waits_async(&mut dice, 200 * MS);
            }
            play(jobs);
        },
    );
    keeps(
        "waits overlap, some of them, if their library blocks",
        || {
            for seed in 1..=4 {
                let mut dice = Dice(seed);
                let mut jobs = Jobs::default();
                for _ in 0..24 {
                    jobs.waits_blocking(&mut dice, 300 * MS);
                }
                play(jobs);
            }
        },
    );
    keeps(
        "what computes for long is soon done, and holds nobody",
        || {
            for seed in 1..=8 {
                let mut dice = Dice(seed);
                let mut jobs = Jobs::default();
                jobs.computes(&mut dice, seed % 2 == 0);
                play(jobs);
            }
        },
    );
    keeps("what computes on much data leaves it where it is", || {
        for seed in 1..=8 {
            let mut dice = Dice(seed);
            let mut jobs = Jobs::default();
            jobs.computes_on_much_data(&mut dice);
            play(jobs);
        }
    });
    keeps("what takes milliseconds is too long for LoopBot", || {
        for seed in 1..=4 {
            let mut dice = Dice(seed);
            let mut jobs = Jobs::default();
            for _ in 0..6 {
                jobs.computes_for_milliseconds(&mut dice);
            }
            play(jobs);
        }
    });
    keeps("who waits takes no core from those who compute", || {
        for seed in 1..=4 {
            let mut dice = Dice(seed);
            let mut jobs = Jobs::default();
            for _ in 0..6 {
                jobs.waits_blocking(&mut dice, Duration::from_secs(20));
            }
            jobs.computes(&mut dice, true);
            play(jobs);
        }
    });
    keeps("who computes takes no thread from those who wait", || {
        for seed in 1..=4 {
            let mut dice = Dice(seed);
            let mut jobs = Jobs::default();
            for _ in 0..12 {
                jobs.computes(&mut dice, false);
            }
            for _ in 0..4 {
                jobs.waits_blocking(&mut dice, 200 * MS);
            }
            play(jobs);
        }
    });
    keeps("what is over at once is not worth a hop", || {
        for seed in 1..=4 {
            one_after_the_other(seed);
        }
    });
    keeps("an evening with jobs of all kinds", || {
        for seed in 1..=12 {
            play(Jobs::of_all_kinds(&mut Dice(seed * 7_919)));
        }
    });
}

/// Everything at the same moment, with guests at the tables.
fn play(jobs: Jobs) {
    let all = jobs.jobs.clone();
    for job in &all {
        let _ = plan(job); // If it panics, you should hear of it, and not of what came of that.
    }
    let (machine, results) = evening(jobs.secrets, |machine| serve(machine, jobs.jobs));
    nobody_waits(&machine, &all);
    answers(&machine, &all, &results);
    returns_at_once(&machine, all.len());
    in_time(&machine, &all);
}

/// Many short jobs, each of which is known when the one before it is done.
fn one_after_the_other(seed: u64) {
    let mut dice = Dice(seed);
    let mut jobs = Jobs::default();
    for _ in 0..40 {
        jobs.short(&mut dice);
    }
    for job in &mut jobs.jobs {
        job.is_send = true; // So that every place is open to it.
    }
    let all = jobs.jobs.clone();
    let work: Duration = all.iter().map(|job| length(job.does)).sum();
    let (machine, results) = evening(jobs.secrets, |machine| async move {
        let mut results = Vec::new();
        for job in jobs.jobs {
            results.extend(serve(machine.clone(), vec![job]).await);
        }
        results
    });
    nobody_waits(&machine, &all);
    answers(&machine, &all, &results);
    let took = machine
        .seen
        .borrow()
        .done_at
        .values()
        .copied()
        .max()
        .unwrap_or_default();
    let place = machine.seen.borrow().places[&1][0];
    if took > work * 2 {
        happened(&format!(
            "40 short jobs, one after the other, are {} of work altogether. They took {}: the rest was the way there and back.\n\n  \
             Known of the first: {}.\n  Where it was done: {place}.",
            ms(work),
            ms(took),
            known_of(&all[0])
        ));
    }
}

/// Runs `work` on a LoopBot of its own, on a virtual clock, until it is done or the evening is over.
fn evening<F: Future<Output = Results>>(
    secrets: BTreeMap<u32, Secret>,
    work: impl FnOnce(Rc<Machine>) -> F,
) -> (Rc<Machine>, Results) {
    let time = VirtualTime::new();
    let machine = Rc::new(Machine {
        time: time.clone(),
        secrets,
        cores: Semaphore::new(OTHER_CORES),
        may_block: Semaphore::new(THREADS_THAT_MAY_BLOCK),
        hands: Semaphore::new(OTHER_CORES),
        processes: Semaphore::new(OTHER_CORES),
        seen: RefCell::default(),
    });
    let loopbot = LoopBot::builder().clock(Clock::virtual_time(time)).build();
    let results = loopbot.run(async {
        for guest in 0..3 {
            drop(loopbot::spawn(guest_of(machine.clone(), MS * guest)));
        }
        let mut work = pin!(work(machine.clone()));
        let mut closing_time = pin!(sleep(CLOSING_TIME));
        poll_fn(|cx| {
            if let Poll::Ready(results) = work.as_mut().poll(cx) {
                machine.seen.borrow_mut().returned = now();
                return Poll::Ready(Some(results));
            }
            let mut seen = machine.seen.borrow_mut();
            seen.waker = Some(cx.waker().clone());
            match seen.over.is_some() || closing_time.as_mut().poll(cx).is_ready() {
                true => Poll::Ready(None),
                false => Poll::Pending,
            }
        })
        .await
    });
    let over = machine.seen.borrow_mut().over.take();
    match (over, results) {
        (Some(over), _) => happened(&over),
        (None, None) => happened(&format!(
            "After {}, `serve` has not returned: it waits for something that never comes.",
            ms(CLOSING_TIME)
        )),
        (None, Some(results)) => (machine, results),
    }
}

type Results = Vec<Result<Plate, Lost>>;

/// A guest wants something every 5 ms, and LoopBot looks when it is free.
async fn guest_of(machine: Rc<Machine>, first: Duration) {
    let mut due = first;
    loop {
        sleep_until(due).await;
        let late = now() - due;
        let mut seen = machine.seen.borrow_mut();
        seen.latest = seen.latest.max(late);
        due += SIP;
    }
}

fn nobody_waits(machine: &Machine, jobs: &[Job]) {
    let seen = machine.seen.borrow();
    let Some((held, number, why)) = seen.longest.as_ref().filter(|(held, ..)| *held > HELD) else {
        return;
    };
    let job = of(jobs, *number);
    happened(&format!(
        "{}: {why}, and holds LoopBot for {}. Guests are served up to {} late.\n\n  Known of it: {}.\n  Where it was done: {}.",
        capital(machine.name(job)),
        ms(*held),
        ms(seen.latest.max(*held)),
        known_of(job),
        seen.places[number].join(", and ")
    ));
}

/// Each job was done once, and what came of it is returned in its place.
fn answers(machine: &Machine, jobs: &[Job], results: &Results) {
    let seen = machine.seen.borrow();
    for job in jobs {
        let title = capital(machine.name(job));
        match seen.places.get(&job.number).map_or(0, Vec::len) {
            0 => happened(&format!("{title}: nobody has done it.")),
            1 => as_planned(machine, job, seen.places[&job.number][0]),
            often => happened(&format!(
                "{title}: it was begun {often} times, and was ordered once."
            )),
        }
    }
    if results.len() != jobs.len() {
        happened(&format!(
            "{} jobs came, and `serve` returned {} results.",
            jobs.len(),
            results.len()
        ));
    }
    for (job, result) in jobs.iter().zip(results) {
        let (name, title) = (machine.name(job), capital(machine.name(job)));
        let secret = machine.secret(job);
        let is_lost = secret.crashes || secret.never_ends;
        match result {
            Ok(Plate(number)) if *number != job.number => happened(&format!(
                "In the place of {name}, `serve` returned the plate of job {number}. The results have the order of the jobs."
            )),
            Ok(_) if is_lost => happened(&format!(
                "{title}: it was lost, and `serve` returned a plate."
            )),
            Err(Lost(why)) if of_another(machine, job, why).is_some() => happened(&format!(
                "In the place of {name}, `serve` returned what came of {}: {why:?}. The results have the order of the jobs.",
                of_another(machine, job, why).expect("there is one")
            )),
            Err(Lost(why)) if !is_lost => happened(&format!(
                "{title}: it was done, and `serve` returned Lost({why:?})."
            )),
            Err(Lost(why)) if !why.contains(name) => happened(&format!(
                "{title}: it was lost, and `serve` returned other words than those of the one who lost it: {why:?}."
            )),
            _ => {}
        }
    }
}

/// `plan` is asked, and what it says is done.
fn as_planned(machine: &Machine, job: &Job, place: &str) {
    let planned = match plan(job) {
        Tool::Await | Tool::Task => "on LoopBot's own thread",
        Tool::SpawnBlocking => "on a thread of spawn_blocking",
        Tool::Threads => "on the threads that compute",
        Tool::Process => "in another process",
    };
    if place != planned {
        happened(&format!(
            "{}: `serve` had it done in another place than `plan` says. Whoever reads `plan` should know where things are done.\n\n  \
             Known of it: {}.\n  Where it was done: {place}.",
            capital(machine.name(job)),
            known_of(job)
        ));
    }
}

/// The name of the job that was lost with these words, if it is not this one.
fn of_another<'a>(machine: &'a Machine, job: &Job, why: &str) -> Option<&'a str> {
    let another =
        |(number, secret): &(&u32, &Secret)| **number != job.number && why.contains(&secret.name);
    let (_, secret) = machine.secrets.iter().find(another)?;
    Some(&secret.name)
}

/// Whoever awaits what was begun has the last answer when there is one, and not later.
fn returns_at_once(machine: &Machine, jobs: usize) {
    let seen = machine.seen.borrow();
    if seen.returned > seen.last_over {
        happened(&format!(
            "The last of {jobs} jobs was done or lost after {}, and `serve` returned after {}. What does it wait for? Who awaits an answer \
             has it as soon as it is there: nobody need look now and then, or sleep until it will have come.",
            ms(seen.last_over),
            ms(seen.returned)
        ));
    }
}

fn in_time(machine: &Machine, jobs: &[Job]) {
    let seen = machine.seen.borrow();
    let late = |job: &&Job| {
        seen.done_at
            .get(&job.number)
            .is_some_and(|at| *at > job.within)
    };
    let count = jobs.iter().filter(late).count();
    let Some(worst) = jobs
        .iter()
        .filter(late)
        .max_by_key(|job| seen.done_at[&job.number])
    else {
        return;
    };
    happened(&format!(
        "{count} of {} jobs were done too late. {}: it was wanted within {}, and was done after {}.\n\n  Known of it: {}.\n  Where it was done: {}.",
        jobs.len(),
        capital(machine.name(worst)),
        ms(worst.within),
        ms(seen.done_at[&worst.number]),
        known_of(worst),
        seen.places[&worst.number].join(", and ")
    ));
}

/// As it stands at the beginning of a sentence.
fn capital(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

fn of(jobs: &[Job], number: u32) -> &Job {
    jobs.iter()
        .find(|job| job.number == number)
        .expect("a job of this evening")
}

// ---- Telling you -------------------------------------------------------------------------------------------

/// What would have happened, in words.
struct Happened(String);

fn happened(words: &str) -> ! {
    resume_unwind(Box::new(Happened(words.to_owned())))
}

/// Runs one check. On a thread of its own: code that never comes back cannot be stopped, only left.
fn keeps(promise: &'static str, check: fn()) {
    let (done, is_done) = channel();
    let body = move || {
        check();
        let _ = done.send(());
    };
    let loopbot = thread::Builder::new()
        .name("LoopBot".to_owned())
        .spawn(body)
        .expect("a thread");
    if is_done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        // Straight to the terminal: what is printed the usual way is kept back until the test is over.
        let seconds = PATIENCE.as_secs();
        let _ = write!(
            std::io::stderr(),
            "\n\n  Not kept: {promise}.\n  Your code did not come back: after {seconds} seconds it still blocks or loops. \
             The clock goes on only when nobody is ready: a task that asks again and again, or yields in a loop, holds it.\n\n  {HELP}\n\n"
        );
        exit(DID_NOT_END);
    }
    let Err(panic) = loopbot.join() else { return };
    let message = match panic.downcast::<Happened>() {
        Ok(happened) => format!("What would have happened:\n\n  {}\n", happened.0),
        Err(panic) if words(&*panic).starts_with("not yet implemented") => {
            "Something is still to be written: it says `todo!()`.\n\n  First hint: cargo course hint 23\n".to_owned()
        }
        Err(panic) => format!("Your code panicked: {}.\n", words(&*panic)),
    };
    eprintln!("\n  Not kept: {promise}.\n  {message}\n  {HELP}\n");
    // The test has failed, and everything is said: no words of a panic on top.
    resume_unwind(Box::new(()));
}

const HELP: &str = "Stuck? `cargo course hint 23`.";

fn words(panic: &(dyn Any + Send)) -> &str {
    let formatted = panic.downcast_ref::<String>().map(String::as_str);
    formatted
        .or(panic.downcast_ref::<&str>().copied())
        .unwrap_or("(not in words)")
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
