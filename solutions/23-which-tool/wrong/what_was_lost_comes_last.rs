//! must fail with: The results have the order of the jobs
//!
//! Sorts the results by their plates' numbers. What was lost has none.
#![allow(missing_docs)]

use std::rc::Rc;
use std::time::Duration;

/// What is known of a job before it is done.
#[derive(Clone, Debug)]
pub struct Job {
    pub number: u32,
    pub does: Does,
    /// May go to another thread. A job that holds an `Rc` may not; the few words in which it was ordered may go anywhere.
    pub is_send: bool,
    /// May end the process that does it: a segfault, an abort, memory without end.
    pub may_crash: bool,
    /// May have to be called off. What it holds then has to be free again, and not busy until closing time.
    pub may_never_end: bool,
    /// The data that it reads, in MB. Threads share it. Into another process it is copied, by LoopBot, at 4 MB in a millisecond.
    pub data: u32,
    /// It has to be done so soon after it came.
    pub within: Duration,
}

#[derive(Clone, Copy, Debug)]
pub enum Does {
    /// Waits, and its library is async: it awaits.
    WaitsAsync(Duration),
    /// Waits, and its library blocks the thread until the wait is over.
    WaitsBlocking(Duration),
    /// Computes, so long on one core. LoopBot may be held for a millisecond, and no longer.
    Computes(Duration),
}

/// Where a job can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Here and now, in the task that asks: `house.here(&job).await`. What comes after it begins when it is done.
    Await,
    /// The same, in a task of its own.
    Task,
    /// On one of 8 threads that may block. There and back takes 11 µs.
    SpawnBlocking,
    /// Cut into portions, on 3 threads: as many as LoopBot leaves cores. A wait cannot be cut. There and back takes 11 µs.
    Threads,
    /// In one of 3 processes. There and back takes 20 µs. Where one crashes, or is killed, there is soon another.
    Process,
}

/// Less than this is not worth asking anybody: there and back takes longer.
const NOT_WORTH_A_HOP: Duration = Duration::from_micros(20);

/// Where is this job done best?
pub fn plan(job: &Job) -> Tool {
    if job.may_crash {
        return Tool::Process; // Whatever else it is: it must die alone.
    }
    match job.does {
        // Dropping an async wait ends it, and on a LoopBot nothing has to be `Send`.
        Does::WaitsAsync(_) => Tool::Task,
        // Nobody can stop a thread, LoopBot's own included.
        _ if job.may_never_end => Tool::Process,
        Does::Computes(time) if time < NOT_WORTH_A_HOP => Tool::Await,
        // What is not `Send` cannot go to another thread.
        _ if !job.is_send => Tool::Process,
        Does::WaitsBlocking(_) => Tool::SpawnBlocking,
        Does::Computes(_) => Tool::Threads,
    }
}

/// All these jobs have come at the same moment. Has each done where `plan` says, and returns what came of each, in their
/// order. A job that is lost is no reason to lose another one.
pub async fn serve<H: House>(house: Rc<H>, jobs: Vec<Job>) -> Vec<Result<Plate, Lost>> {
    let mut begun = Vec::new();
    for job in jobs {
        let tool = plan(&job);
        begun.push(loopbot::spawn(elsewhere(house.clone(), job, tool)));
    }
    let mut all = Vec::new();
    for task in begun {
        all.push(task.await.unwrap());
    }
    all.sort_by_key(|plate| plate.as_ref().map_or(u32::MAX, |plate| plate.0));
    all
}

async fn elsewhere<H: House>(house: Rc<H>, job: Job, tool: Tool) -> Result<Plate, Lost> {
    match tool {
        Tool::Await | Tool::Task => house.here(&job).await,
        Tool::SpawnBlocking => house.spawn_blocking(&job).await,
        Tool::Threads => house.threads(&job).await,
        Tool::Process => house.process(&job).await,
    }
}

/// What there is to show for a job: its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plate(pub u32);

/// A job was lost: it crashed, or was called off. In words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost(pub String);

/// The restaurant. Each of these does a job, in its place.
pub trait House: 'static {
    /// On LoopBot's own thread, for `Await` and `Task`.
    fn here(&self, job: &Job) -> impl Future<Output = Result<Plate, Lost>>;
    fn spawn_blocking(&self, job: &Job) -> impl Future<Output = Result<Plate, Lost>>;
    fn threads(&self, job: &Job) -> impl Future<Output = Result<Plate, Lost>>;
    fn process(&self, job: &Job) -> impl Future<Output = Result<Plate, Lost>>;
}
