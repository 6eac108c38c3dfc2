//! A kill storm: workers are killed all the time, and every job is answered exactly once.
//!
//! `cargo run --release -p procpool --example storm -- --seconds 60 --every 50 --seed 1`
//!
//! Two threads and a map keep a pool busy with jobs of all kinds: short and long, small and large, such that may be done
//! twice and such that may not. Meanwhile a worker, drawn from the seed, gets SIGKILL every so many milliseconds. Each job
//! writes its number into a file when it begins. In the end the books are balanced: every job has come to a value, the right
//! one, or to an error that says how its worker died; no job that may not be done twice was begun twice; and no process is
//! left. It ends by itself, and fails if something is missing.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{process, thread};

use futures::executor::block_on;
use procpool::{Answer, Blob, Death, JobBuilder, JobError, Jobs, Pool, WorkerState};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::de::DeserializeOwned;

/// How the storm is to be.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// How long it lasts.
    pub seconds: u64,
    /// Between two kills.
    pub every: Duration,
    /// Where chance begins.
    pub seed: u64,
}

/// What became of all the jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Kills that hit a worker.
    pub kills: u64,
    /// Jobs and inputs of maps, all together.
    pub jobs: u64,
    /// Those that came to a value, the right one.
    pub values: u64,
    /// Those whose worker died.
    pub died: u64,
    /// Those that may be repeated, were, and took every worker with them.
    pub poisoned: u64,
    /// Those that somebody cancelled.
    pub cancelled: u64,
    /// Jobs that were given to another worker, because theirs had died with them.
    pub retried: u64,
    /// Jobs that went back to the queue, because theirs had died before them.
    pub given_back: u64,
    /// Jobs of those whose worker died that had not even written their number down.
    pub hardly_begun: u64,
}

/// How many jobs each thread has in the pool.
const AT_A_TIME: usize = 300;

/// Inputs of a map.
const INPUTS: u64 = 2_000;

/// Everything that the workers can be asked for.
pub fn kitchen() -> Jobs {
    procpool::jobs![short, long, large, shared]
}

/// A job's number, and where it writes it down.
type Note = (u64, PathBuf);

fn note((number, file): &Note) {
    let mut file = OpenOptions::new()
        .append(true)
        .open(file)
        .expect("the file is there");
    // One write of eight bytes at the end: nobody comes in between.
    file.write_all(&number.to_le_bytes())
        .expect("there is room");
}

/// What any job makes of its number.
fn value_of(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn short(order: Note) -> u64 {
    note(&order);
    value_of(order.0)
}

fn long((order, micros): (Note, u64)) -> u64 {
    note(&order);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_micros(micros) {
        std::hint::spin_loop();
    }
    value_of(order.0)
}

/// Through the socket, there and back.
fn large((order, bytes): (Note, Vec<u8>)) -> (u64, Vec<u8>) {
    note(&order);
    (value_of(order.0), bytes)
}

/// Through shared memory, there and back.
fn shared((order, bytes): (Note, Blob)) -> (u64, Blob) {
    note(&order);
    let twice = Blob::build(bytes.len(), |place| place.copy_from_slice(&bytes));
    (value_of(order.0), twice)
}

#[allow(dead_code)] // The test has a main of its own.
fn main() {
    procpool::worker_entry(kitchen);
    let argument = |name: &str, otherwise: u64| {
        let mut arguments = std::env::args().skip_while(|argument| argument != name);
        match arguments.nth(1) {
            None => otherwise,
            Some(text) => text.parse().unwrap_or_else(|_| {
                eprintln!("{name} wants a number, and got {text:?}");
                process::exit(2)
            }),
        }
    };
    let weather = Weather {
        seconds: argument("--seconds", 60),
        every: Duration::from_millis(argument("--every", 50).max(1)),
        seed: argument("--seed", 1),
    };
    println!(
        "a worker is killed every {:?} for {} s, seed {}",
        weather.every, weather.seconds, weather.seed
    );
    let books = storm(weather);
    println!("{books:#?}");
    println!(
        "every job was answered once, none that may not be repeated was begun twice, and no process is left"
    );
}

/// Runs it, and returns the books when they balance.
///
/// # Panics
///
/// If they do not, if a process is left, or if somebody still waits two minutes after the end.
pub fn storm(weather: Weather) -> Books {
    let over = AtomicBool::new(false);
    let is_over = &over;
    let file = std::env::temp_dir().join(format!("storm-{}", process::id()));
    fs::write(&file, "").expect("there is room for a file");
    let pool = Pool::builder(kitchen())
        .workers(3)
        .queue(2 * AT_A_TIME)
        .build()
        .expect("a pool");
    let numbers = AtomicU64::new(1);
    let mut sheets = Vec::new();
    let mut kills = 0;
    thread::scope(|scope| {
        let storms = scope.spawn(|| kill_workers(&pool, weather, is_over));
        let guests: Vec<_> = (0..2)
            .map(|guest| {
                let chance = ChaCha8Rng::seed_from_u64(weather.seed * 100 + guest);
                let guest = Guest::new(&pool, &numbers, &file, chance);
                scope.spawn(|| guest.orders(is_over))
            })
            .collect();
        let maps = scope.spawn(|| maps(&pool, &numbers, &file, is_over));
        thread::sleep(Duration::from_secs(weather.seconds));
        over.store(true, Ordering::Relaxed);
        let watched = watch();
        sheets.extend(
            guests
                .into_iter()
                .map(|guest| guest.join().expect("a guest's sheet")),
        );
        sheets.push(maps.join().expect("the maps' sheet"));
        kills = storms.join().expect("the storm ends");
        watched.store(true, Ordering::Relaxed);
    });
    pool.shut_down();
    assert_eq!(pool.workers(), [], "workers, after the shutdown");
    assert_eq!(children(), "", "processes, after the shutdown");
    let log = fs::read(&file).expect("the file is there");
    let _ = fs::remove_file(&file);
    balance(kills, &pool, sheets, &log)
}

/// Ends this program if somebody waits for an answer that does not come.
fn watch() -> &'static AtomicBool {
    let done: &AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
    thread::spawn(|| {
        thread::sleep(Duration::from_secs(120));
        if !done.load(Ordering::Relaxed) {
            eprintln!("two minutes after the storm somebody still waits for an answer");
            process::exit(1);
        }
    });
    done
}

/// SIGKILL for one worker, again and again. One that is still starting is spared: three starts in a row that fail break a
/// pool, as they should, and on a busy machine a start takes longer than the storm waits.
fn kill_workers(pool: &Pool, weather: Weather, over: &AtomicBool) -> u64 {
    let mut chance = ChaCha8Rng::seed_from_u64(weather.seed);
    let mut kills = 0;
    let mut next = Instant::now();
    while !over.load(Ordering::Relaxed) {
        next += weather.every;
        thread::sleep(next.saturating_duration_since(Instant::now()));
        let mut workers = pool.workers();
        workers.retain(|worker| worker.state != WorkerState::Starting);
        if workers.is_empty() {
            continue;
        }
        let victim = workers[chance.random_range(0..workers.len())].pid;
        kills += u64::from(kill(victim));
    }
    kills
}

#[cfg(unix)]
fn kill(pid: u32) -> bool {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())
}

/// Elsewhere nobody is killed, and the storm is a breeze.
#[cfg(not(unix))]
fn kill(_: u32) -> bool {
    false
}

/// The processes that this one has started and that are still there, zombies too, as far as the system tells.
fn children() -> String {
    let tasks = fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    children.collect::<String>().trim().to_owned()
}

/// What became of each job of one thread: its number, whether it may be repeated, and its end.
type Sheet = Vec<(u64, bool, End)>;

enum End {
    Value,
    Died,
    Poisoned,
    Cancelled,
}

fn end(number: u64, result: Result<u64, JobError>) -> End {
    match result {
        Ok(value) => {
            assert_eq!(value, value_of(number), "another job's value");
            End::Value
        }
        Err(JobError::WorkerDied(died)) => {
            assert_eq!(died.how, Death::Signal(9), "{died}");
            End::Died
        }
        Err(JobError::Poisoned { attempts, last }) => {
            assert_eq!((attempts, last.how), (3, Death::Signal(9)));
            End::Poisoned
        }
        Err(JobError::Cancelled) => End::Cancelled,
        Err(error) => panic!("job {number}: {error}"),
    }
}

/// Waits for an answer, in one of the ways there are.
fn take<R: DeserializeOwned>(chance: &mut ChaCha8Rng, answer: Answer<R>) -> Result<R, JobError> {
    match chance.random_range(0..100) {
        0..60 => answer.wait(),
        60..98 => block_on(answer),
        98 => {
            answer.cancel();
            answer.wait()
        }
        _ => {
            // Impatient, and then patient after all.
            let mut answer = answer;
            for _ in 0..3 {
                let moment = Duration::from_micros(chance.random_range(0..500));
                match answer.wait_for(moment) {
                    Ok(result) => return result,
                    Err(again) => answer = again,
                }
            }
            answer.wait()
        }
    }
}

/// An answer of any kind of job, and what must come back besides the value.
enum Expected {
    Value(Answer<u64>),
    Large(Answer<(u64, Vec<u8>)>, usize),
    Shared(Answer<(u64, Blob)>, usize),
}

/// A job that may be repeated, or one that may not.
fn job<F>(pool: &Pool, function: F, again: bool) -> JobBuilder<'_, F> {
    let job = pool.job(function);
    if again { job.idempotent() } else { job }
}

/// A thread that submits jobs and takes answers.
struct Guest<'a> {
    pool: &'a Pool,
    numbers: &'a AtomicU64,
    file: &'a Path,
    chance: ChaCha8Rng,
    waiting: VecDeque<(u64, bool, Expected)>,
    sheet: Sheet,
}

impl<'a> Guest<'a> {
    fn new(
        pool: &'a Pool,
        numbers: &'a AtomicU64,
        file: &'a Path,
        chance: ChaCha8Rng,
    ) -> Guest<'a> {
        Guest {
            pool,
            numbers,
            file,
            chance,
            waiting: VecDeque::new(),
            sheet: Vec::new(),
        }
    }

    fn orders(mut self, over: &AtomicBool) -> Sheet {
        while !over.load(Ordering::Relaxed) {
            self.order();
            if self.waiting.len() >= AT_A_TIME {
                self.takes();
            }
        }
        while !self.waiting.is_empty() {
            self.takes();
        }
        self.sheet
    }

    fn order(&mut self) {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let note = (number, self.file.to_path_buf());
        let again = self.chance.random_bool(0.3);
        let byte = number as u8;
        // Most are short.
        let expected = match self.chance.random_range(0..100) {
            0 | 1 => {
                let micros = self.chance.random_range(0..5_000);
                Expected::Value(job(self.pool, long, again).submit((note, micros)))
            }
            2 => {
                let size = self.chance.random_range(0..300_000);
                let bytes = vec![byte; size];
                Expected::Large(job(self.pool, large, again).submit((note, bytes)), size)
            }
            3 => {
                let size = self.chance.random_range(0..2_000_000);
                let bytes = Blob::build(size, |bytes| bytes.fill(byte));
                Expected::Shared(job(self.pool, shared, again).submit((note, bytes)), size)
            }
            _ => Expected::Value(job(self.pool, short, again).submit(note)),
        };
        self.waiting.push_back((number, again, expected));
    }

    fn takes(&mut self) {
        let Some((number, again, expected)) = self.waiting.pop_front() else {
            return;
        };
        let whole = |bytes: &[u8], size| {
            assert!(
                bytes.len() == size && bytes.iter().all(|byte| *byte == number as u8),
                "job {number}: other bytes"
            );
        };
        let chance = &mut self.chance;
        let result = match expected {
            Expected::Value(answer) => take(chance, answer),
            Expected::Large(answer, size) => take(chance, answer).map(|(value, bytes)| {
                whole(&bytes, size);
                value
            }),
            Expected::Shared(answer, size) => take(chance, answer).map(|(value, bytes)| {
                whole(&bytes, size);
                value
            }),
        };
        self.sheet.push((number, again, end(number, result)));
    }
}

/// One map after the other, in chunks.
fn maps(pool: &Pool, numbers: &AtomicU64, file: &Path, over: &AtomicBool) -> Sheet {
    let mut sheet = Vec::new();
    for turn in 0_u64.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let again = turn % 2 == 1;
        let first = numbers.fetch_add(INPUTS, Ordering::Relaxed);
        let inputs = (first..first + INPUTS).map(|number| (number, file.to_path_buf()));
        let results = job(pool, short, again)
            .map(inputs)
            .chunk(1 + turn as usize % 50)
            .ordered();
        let before = sheet.len();
        for (number, result) in (first..).zip(results) {
            sheet.push((number, again, end(number, result)));
        }
        assert_eq!(sheet.len() - before, INPUTS as usize, "results of a map");
    }
    sheet
}

fn balance(kills: u64, pool: &Pool, sheets: Vec<Sheet>, log: &[u8]) -> Books {
    let mut begun: HashMap<u64, u32> = HashMap::new();
    for number in log.as_chunks::<8>().0 {
        *begun.entry(u64::from_le_bytes(*number)).or_default() += 1;
    }
    let metrics = pool.metrics();
    let mut books = Books {
        kills,
        retried: metrics.retried,
        given_back: metrics.given_back,
        ..Books::default()
    };
    for (number, again, end) in sheets.into_iter().flatten() {
        books.jobs += 1;
        let times = begun.remove(&number).unwrap_or(0);
        assert!(
            again || times <= 1,
            "job {number} may not be repeated, and was begun {times} times"
        );
        match end {
            End::Value => {
                assert!(times >= 1, "job {number} has a value, and was never begun");
                books.values += 1;
            }
            End::Died => {
                assert!(!again, "job {number} may be repeated, and was not");
                books.hardly_begun += u64::from(times == 0);
                books.died += 1;
            }
            End::Poisoned => {
                assert!(again, "job {number} may not be repeated");
                books.poisoned += 1;
            }
            End::Cancelled => {
                // One that may be repeated may have been begun and lost before.
                assert!(
                    again || times == 0,
                    "job {number} was begun, and then taken out of the queue"
                );
                books.cancelled += 1;
            }
        }
    }
    assert!(
        begun.is_empty(),
        "{} jobs were begun that nobody has an answer of",
        begun.len()
    );
    let ends = books.values + books.died + books.poisoned + books.cancelled;
    assert_eq!(books.jobs, ends);
    assert!(
        books.died <= kills,
        "{} jobs died of {kills} kills",
        books.died
    );
    books
}
