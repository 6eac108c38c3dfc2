//! must fail with: ChefBot computed for 30.00125ms and waited for 750ns
//!
//! Rounds the time that it waited.

use std::sync::Arc;
use std::time::Duration;

use whatif::thread;

/// What a robot can read off while it works.
pub trait Clocks: Send + Sync {
    /// How long the thread that asks has been computing, since it was started. A thread that sleeps or waits does not
    /// compute, so this clock stands still meanwhile.
    fn working(&self) -> Duration;
    /// The clock on the wall. It is the same for everybody, and it never stands still.
    fn wall(&self) -> Duration;
}

/// What a robot does in an evening.
pub type Job = Box<dyn FnOnce() + Send>;

/// What a robot did with its evening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timesheet {
    /// The robot.
    pub robot: String,
    /// Time in which it computed something, during its job.
    pub working: Duration,
    /// All the rest of the time that its job took.
    pub waiting: Duration,
}

/// Does `job` on this thread, and fills in the timesheet of the robot that did it.
///
/// The two clocks may disagree by a hair, and a robot that worked all the time may seem to have worked a little longer
/// than its job took. Then it waited for 0.
pub fn measure(robot: &str, clocks: &dyn Clocks, job: Job) -> Timesheet {
    let (worked, started) = (clocks.working(), clocks.wall());
    job();
    let working = clocks.working() - worked;
    let took = clocks.wall() - started;
    Timesheet {
        robot: robot.to_owned(),
        working,
        waiting: Duration::from_micros(took.saturating_sub(working).as_micros() as u64),
    }
}

/// Hires a robot for each job, all of them at once, and returns their timesheets in the order of hiring.
pub fn evening(clocks: Arc<dyn Clocks>, jobs: Vec<(String, Job)>) -> Vec<Timesheet> {
    let hire = |(robot, job): (String, Job)| {
        let clocks = Arc::clone(&clocks);
        thread::spawn(move || measure(&robot, &*clocks, job))
    };
    // `collect`: everybody is hired before the first one is waited for.
    let robots: Vec<_> = jobs.into_iter().map(hire).collect();
    let sheet = |robot: thread::JoinHandle<Timesheet>| robot.join().expect("a robot broke down");
    robots.into_iter().map(sheet).collect()
}

/// Of all the time that all robots spent on their jobs: the share in which they waited, from 0 to 1. 0 if there was
/// no time at all.
pub fn share_waiting(sheets: &[Timesheet]) -> f64 {
    let waiting: Duration = sheets.iter().map(|sheet| sheet.waiting).sum();
    let working: Duration = sheets.iter().map(|sheet| sheet.working).sum();
    if (working + waiting).is_zero() {
        return 0.0;
    }
    waiting.as_secs_f64() / (working + waiting).as_secs_f64()
}

/// How many robots would have been enough, if a robot never had to wait: all the work there was, divided by the time
/// that the longest job took, rounded up. 0 if nobody worked.
pub fn enough(sheets: &[Timesheet]) -> usize {
    let working: Duration = sheets.iter().map(|sheet| sheet.working).sum();
    let longest = sheets
        .iter()
        .map(|sheet| sheet.working + sheet.waiting)
        .max();
    if working.is_zero() {
        return 0;
    }
    let longest = longest.expect("somebody worked, so there is a timesheet");
    working.as_nanos().div_ceil(longest.as_nanos()) as usize
}
