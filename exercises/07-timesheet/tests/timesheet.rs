//! What a timesheet must say. The evenings are rehearsed in virtual time, so they take no time, and the meters say the
//! same on every machine.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use exercise_07::{Clocks, Job, Timesheet, enough, evening, measure, share_waiting};
use flight::VirtualTime;
use whatif::thread;

/// Fails with these words and no others, the same each time.
macro_rules! claim {
    ($holds:expr, $($words:tt)*) => {
        let holds: bool = $holds;
        if !holds {
            let words = format!($($words)*);
            eprintln!("\n{words}\n");
            std::panic::resume_unwind(Box::new(words));
        }
    };
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A thread has a past: it has computed for so long before it gets its first job.
const PAST: Duration = ms(5);

thread_local! {
    static COMPUTED: Cell<Duration> = const { Cell::new(PAST) };
}

/// The two clocks of a rehearsal: what this thread has computed, and the virtual time.
struct Rehearsal(VirtualTime);

impl Clocks for Rehearsal {
    fn working(&self) -> Duration {
        COMPUTED.get()
    }

    fn wall(&self) -> Duration {
        Duration::from_nanos(self.0.now())
    }
}

/// Computes for so long: both clocks go on.
fn work(time: Duration) {
    thread::sleep(time);
    COMPUTED.set(COMPUTED.get() + time);
}

/// Waits for so long: only the one on the wall goes on.
fn wait(time: Duration) {
    thread::sleep(time);
}

/// Rehearses `f`, which is given the clocks and the time, and returns what it returns.
fn rehearse<T: Send + 'static>(f: impl FnOnce(Arc<Rehearsal>) -> T + Send + 'static) -> T {
    let time = VirtualTime::new();
    let (result, there) = (Arc::new(Mutex::new(None)), AtomicBool::new(false));
    let deliver = Arc::clone(&result);
    let clocks = Arc::new(Rehearsal(time.clone()));
    let ended = whatif::simulate(7, &time, move || {
        COMPUTED.set(PAST);
        let value = f(clocks);
        *deliver.lock().unwrap() = Some(value);
        there.store(true, Ordering::Relaxed);
    });
    if let Err(story) = ended {
        eprintln!("\n{story}\n");
        // The story says it all: no second message, and no backtrace.
        std::panic::resume_unwind(Box::new(story.rule));
    }
    let value = result.lock().unwrap().take();
    value.expect("the rehearsal has ended")
}

#[track_caller]
fn sheet(sheet: &Timesheet, robot: &str, working: Duration, waiting: Duration) {
    claim!(
        sheet.robot == robot,
        "whose timesheet is this? It says {}, and {robot} did the job",
        sheet.robot
    );
    claim!(
        sheet.working != working + PAST,
        "this thread had computed for 5 ms before its job began, and the timesheet of {robot} counts them: read the \
         clock before the job as well, and subtract"
    );
    let perhaps = match (sheet.working, sheet.waiting) {
        (Duration::ZERO, all) if all == working + waiting => {
            ". Which thread has read its clock? The one that did the job computed for a while"
        }
        (computed, all) if computed == working && all == working + waiting => {
            ". In the time that the job took there is some in which it computed"
        }
        (computed, rest) if computed == working && rest != waiting => {
            ". How long did the job take by `clocks.wall()`?"
        }
        _ => "",
    };
    claim!(
        (sheet.working, sheet.waiting) == (working, waiting),
        "{robot} computed for {working:?} and waited for {waiting:?}, and its timesheet says: computed for {:?}, \
         waited for {:?}{perhaps}",
        sheet.working,
        sheet.waiting
    );
}

#[test]
fn one_robot() {
    let done = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&done);
    let it = rehearse(move |clocks| {
        let job: Job = Box::new(move || {
            work(ms(10));
            wait(ms(70));
            work(ms(20));
            count.fetch_add(1, Ordering::Relaxed);
        });
        measure("ChefBot", &*clocks, job)
    });
    claim!(
        done.load(Ordering::Relaxed) == 1,
        "the job has not been done, or more than once"
    );
    sheet(&it, "ChefBot", ms(30), ms(70));
}

#[test]
fn a_job_of_a_moment() {
    const WORK: Duration = Duration::from_nanos(30_001_250);
    const PAUSE: Duration = Duration::from_nanos(750);
    let it = rehearse(move |clocks| {
        let job: Job = Box::new(move || {
            work(WORK);
            wait(PAUSE);
        });
        measure("ChefBot", &*clocks, job)
    });
    sheet(&it, "ChefBot", WORK, PAUSE);
}

/// A processor's clock may be read a moment later than the one on the wall.
#[test]
fn one_robot_that_never_waits() {
    struct Askew(Mutex<(Duration, Duration)>);
    impl Clocks for Askew {
        fn working(&self) -> Duration {
            self.0.lock().unwrap().0
        }
        fn wall(&self) -> Duration {
            self.0.lock().unwrap().1
        }
    }
    let clocks = Arc::new(Askew(Mutex::new((ms(3), ms(1000)))));
    let askew = Arc::clone(&clocks);
    let job: Job = Box::new(move || {
        let mut clocks = askew.0.lock().unwrap();
        *clocks = (
            clocks.0 + ms(50) + Duration::from_nanos(40),
            clocks.1 + ms(50),
        );
    });
    let it = measure("WineBot", &*clocks, job);
    sheet(
        &it,
        "WineBot",
        ms(50) + Duration::from_nanos(40),
        Duration::ZERO,
    );
}

#[test]
fn an_evening() {
    let jobs = |time: VirtualTime,
                strangers: Arc<AtomicBool>,
                hirer: std::thread::ThreadId,
                own: Arc<AtomicBool>| {
        let job = move |first: u64, pause: u64, then: u64| -> Job {
            let (time, strangers, own) = (time.clone(), Arc::clone(&strangers), Arc::clone(&own));
            Box::new(move || {
                own.fetch_or(std::thread::current().id() == hirer, Ordering::Relaxed);
                let before = time.now();
                work(ms(first));
                // Only robots of the rehearsal make its time go by.
                strangers.fetch_or(time.now() == before, Ordering::Relaxed);
                wait(ms(pause));
                work(ms(then));
            })
        };
        vec![
            ("GreetBot".to_owned(), job(1, 98, 1)),
            ("WaitBot".to_owned(), job(4, 6, 0)),
            ("ChefBot".to_owned(), job(20, 30, 10)),
        ]
    };
    let (strangers, own) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let (there, here) = (Arc::clone(&strangers), Arc::clone(&own));
    let (sheets, took) = rehearse(move |clocks| {
        let jobs = jobs(clocks.0.clone(), there, std::thread::current().id(), here);
        let sheets = evening(clocks.clone(), jobs);
        (sheets, clocks.wall())
    });
    claim!(
        !own.load(Ordering::Relaxed),
        "the jobs were done by the robot that hires: each job needs a robot of its own"
    );
    claim!(
        !strangers.load(Ordering::Relaxed),
        "a thread that the rehearsal does not know does a job: start robots with whatif::thread, it is imported already"
    );
    claim!(
        sheets.len() == 3,
        "3 robots were hired, and there are {} timesheets",
        sheets.len()
    );
    claim!(
        took == ms(100),
        "the evening took {took:?}, and the longest job takes 100 ms: are all robots hired before the first one is \
         waited for?"
    );
    let robots: Vec<&str> = sheets.iter().map(|sheet| sheet.robot.as_str()).collect();
    claim!(
        robots == ["GreetBot", "WaitBot", "ChefBot"],
        "the timesheets lie in the order of hiring, whoever goes home first"
    );
    sheet(&sheets[2], "ChefBot", ms(30), ms(30));
    sheet(&sheets[1], "WaitBot", ms(4), ms(6));
    sheet(&sheets[0], "GreetBot", ms(2), ms(98));
}

/// Each of them waits for 10 ms. Most of them have the same name.
#[test]
fn an_evening_of_forty() {
    const ROBOTS: u64 = 40;
    let (sheets, took) = rehearse(|clocks| {
        let job = |number: u64| -> (String, Job) {
            let name = if number == 0 { "ChefBot" } else { "WaitBot" };
            let job = move || {
                work(Duration::from_micros(number));
                wait(ms(10) - Duration::from_micros(number));
            };
            (name.to_owned(), Box::new(job))
        };
        let sheets = evening(clocks.clone(), (0..ROBOTS).map(job).collect());
        (sheets, clocks.wall())
    });
    claim!(
        sheets.len() as u64 == ROBOTS,
        "{ROBOTS} robots were hired, most of them with the same name, and there are {} timesheets",
        sheets.len()
    );
    claim!(
        took == ms(10),
        "{ROBOTS} robots have a job of 10 ms each, and the evening took {took:?}: hire all of them at once, however many \
         there are"
    );
    let wrong = (0..)
        .zip(&sheets)
        .find(|(number, sheet)| sheet.working != Duration::from_micros(*number));
    claim!(
        wrong.is_none(),
        "{ROBOTS} robots were hired, most of them with the same name, and timesheet {} is not that of the robot that was hired \
         at that place",
        wrong.map_or(0, |(number, _)| number + 1)
    );
}

#[test]
fn an_evening_without_robots() {
    let sheets = rehearse(|clocks| evening(clocks, Vec::new()));
    claim!(
        sheets.is_empty(),
        "nobody was hired, so there are no timesheets"
    );
}

fn of(working: u64, waiting: u64) -> Timesheet {
    Timesheet {
        robot: "WaitBot".to_owned(),
        working: ms(working),
        waiting: ms(waiting),
    }
}

/// In milliseconds.
const HOUR: u64 = 3_600_000;

#[track_caller]
fn share(sheets: &[Timesheet], wanted: f64, why: &str) {
    let share = share_waiting(sheets);
    claim!(
        (share - wanted).abs() < 1e-6,
        "{why}: the share that they waited is {wanted}, and not {share}"
    );
}

#[test]
fn the_share_of_waiting() {
    share(&[of(2, 98)], 0.98, "98 parts waiting and 2 parts working");
    share(&[of(0, 30)], 1.0, "nothing but waiting");
    share(&[of(30, 0)], 0.0, "nothing but work");
    share(
        &[of(10, 0), of(0, 990)],
        0.99,
        "a robot that was there for a moment does not count as much as one that was there all evening",
    );
    share(&[], 0.0, "no robots, so no time at all");
    share(
        &[of(0, 0)],
        0.0,
        "a robot that was sent home at once, so no time at all",
    );
    let short = Timesheet {
        robot: "WineBot".to_owned(),
        working: Duration::from_nanos(250),
        waiting: Duration::from_nanos(750),
    };
    share(&[short], 0.75, "a job shorter than a millisecond");
    share(
        &[of(HOUR, 3 * HOUR), of(HOUR, 3 * HOUR)],
        0.75,
        "two robots, four hours each (hours have more nanoseconds than a u32 can count)",
    );
}

#[track_caller]
fn are_enough(sheets: &[Timesheet], wanted: usize, why: &str) {
    let enough = enough(sheets);
    claim!(
        enough == wanted,
        "{why}: {wanted} would have been enough, and you say {enough}"
    );
}

#[test]
fn how_many_are_enough() {
    let seven = vec![of(2, 98); 7];
    let why = "seven robots that wait 98 % of the time: 14 ms of work in 100 ms";
    are_enough(&seven, 1, why);
    let why =
        "three robots that never wait (fractions of a second are not exact; whole nanoseconds are)";
    are_enough(&[of(100, 0), of(100, 0), of(100, 0)], 3, why);
    let why = "110 ms of work in 100 ms: some of it is left for a second robot";
    are_enough(&[of(60, 40), of(50, 50)], 2, why);
    let why = "100 ms of work in 100 ms: one robot, and not a minute to spare";
    are_enough(&[of(60, 40), of(40, 60)], 1, why);
    let why = "a little work: some work for one robot";
    are_enough(&[of(0, 100), of(1, 99)], 1, why);
    let why = "the longest job takes 100 ms, and the first one takes 10";
    are_enough(&[of(5, 5), of(10, 90)], 1, why);
    let why =
        "120 ms of work, and the longest job takes 100 ms; the short jobs fit into one evening";
    are_enough(&[of(100, 0), of(10, 0), of(10, 0)], 2, why);
    let short = Timesheet {
        robot: "WineBot".to_owned(),
        working: Duration::from_nanos(250),
        waiting: Duration::from_nanos(750),
    };
    let why = "five jobs shorter than a millisecond: 1.25 µs of work in 1 µs";
    are_enough(&vec![short; 5], 2, why);
    let hair = Timesheet {
        robot: "WineBot".to_owned(),
        working: Duration::from_nanos(1),
        waiting: Duration::ZERO,
    };
    let why = "100 ms and one nanosecond of work in 100 ms: one robot cannot do it";
    are_enough(&[of(60, 40), of(40, 60), hair], 2, why);
    let why = "three robots, two hours of work each in four (hours have more nanoseconds than a u32 can count)";
    are_enough(&vec![of(2 * HOUR, 2 * HOUR); 3], 2, why);
    let why = "ten robots that never wait";
    are_enough(&vec![of(100, 0); 10], 10, why);
    are_enough(&[of(0, 100)], 0, "nobody worked");
    are_enough(
        &[of(0, 0)],
        0,
        "a robot that was sent home at once, so nobody worked",
    );
    are_enough(&[], 0, "nobody was there");
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
