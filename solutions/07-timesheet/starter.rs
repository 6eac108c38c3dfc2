//! Exercise 07: the timesheet.
//!
//! Seven robots, and nobody knows what they do all evening. Give each of them a meter, and work out what
//! the meters say. Test: cargo test -p exercise-07

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
    let _ = (clocks, job);
    todo!("measure {robot}. First hint: cargo course hint 07")
}

/// Hires a robot for each job, all of them at once, and returns their timesheets in the order of hiring.
pub fn evening(clocks: Arc<dyn Clocks>, jobs: Vec<(String, Job)>) -> Vec<Timesheet> {
    let _hired: Vec<thread::JoinHandle<Timesheet>> = Vec::new();
    let _ = (clocks, jobs);
    todo!("hire the robots. First hint: cargo course hint 07")
}

/// Of all the time that all robots spent on their jobs: the share in which they waited, from 0 to 1. 0 if there was
/// no time at all.
pub fn share_waiting(sheets: &[Timesheet]) -> f64 {
    let _ = sheets;
    todo!("add the timesheets up. First hint: cargo course hint 07")
}

/// How many robots would have been enough, if a robot never had to wait: all the work there was, divided by the time
/// that the longest job took, rounded up. 0 if nobody worked.
pub fn enough(sheets: &[Timesheet]) -> usize {
    let _ = sheets;
    todo!("how many are enough? First hint: cargo course hint 07")
}
