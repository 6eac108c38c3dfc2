//! must fail with: This guest waits for hours, and there was a place soon after
//!
//! Sends the guest away when the queue is full at this moment, instead of waiting for a place as long as the guest would.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use offload::{Cancel, Job, JobError, Pool};

/// A bottle of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bottle(pub String);

/// Why there is no bottle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is none of that name.
    NotThere,
    /// A shelf has collapsed over whoever was looking. The words are the panic's.
    Collapsed(String),
}

/// The cellar. It was built before anybody had heard of async.
pub trait Cellar: Send + Sync {
    /// Goes down, looks on one shelf after the other, and comes back with the bottle. It blocks the thread all the while.
    ///
    /// Before each shelf it calls `go_on`, and comes back without a bottle as soon as that says false. It panics if a shelf
    /// collapses.
    fn fetch(&self, wine: &str, go_on: &dyn Fn() -> bool) -> Option<Bottle>;
}

/// Fetches one bottle. LoopBot serves others meanwhile.
pub async fn fetch(pool: &Pool, cellar: Arc<dyn Cellar>, wine: String) -> Result<Bottle, Trouble> {
    answer(go_down(pool, cellar, wine, || true).await)
}

/// Fetches all of them, as many at the same time as the pool has threads. The answers are in the order of the wines; trouble with
/// one of them does not keep the others from coming.
pub async fn fetch_all(
    pool: &Pool,
    cellar: Arc<dyn Cellar>,
    wines: Vec<String>,
) -> Vec<Result<Bottle, Trouble>> {
    let mut jobs = Vec::new();
    for wine in wines {
        let mut job = go_down(pool, Arc::clone(&cellar), wine, || true);
        job.placed().await; // a long order waits here, where it is seen, and not in an endless queue
        jobs.push(job);
    }
    let mut answers = Vec::new();
    for job in jobs {
        answers.push(answer(job.await));
    }
    answers
}

/// Fetches one bottle for a guest who waits for so long, and then leaves. `None`: the guest has left.
///
/// Then nobody looks for the bottle any more when this returns: if the search has not begun, it never does; if it has, it
/// was called off, and whoever was down there has come back.
pub async fn fetch_within(
    pool: &Pool,
    cellar: Arc<dyn Cellar>,
    wine: String,
    patience: Duration,
) -> Option<Result<Bottle, Trouble>> {
    let is_here = Arc::new(AtomicBool::new(true));
    let looks = Arc::clone(&is_here);
    let go_on = move || looks.load(Ordering::Relaxed);
    let Ok(mut job) = pool.try_spawn_blocking(move || cellar.fetch(&wine, &go_on)) else {
        return None;
    };
    if let Ok(found) = loopbot::timeout(patience, &mut job).await {
        return Some(answer(found));
    }
    is_here.store(false, Ordering::Relaxed);
    if let Cancel::Running(job) = job.cancel() {
        let _ = job.await; // nobody can stop a thread: it has been asked to, and now it is waited for
    }
    None
}

/// Sends somebody down.
fn go_down(
    pool: &Pool,
    cellar: Arc<dyn Cellar>,
    wine: String,
    go_on: impl Fn() -> bool + Send + 'static,
) -> Job<Option<Bottle>> {
    pool.spawn_blocking(move || cellar.fetch(&wine, &go_on))
}

fn answer(came_of_it: Result<Option<Bottle>, JobError>) -> Result<Bottle, Trouble> {
    match came_of_it {
        Ok(bottle) => bottle.ok_or(Trouble::NotThere),
        Err(JobError::Panicked(panic)) => Err(Trouble::Collapsed(panic.message().to_owned())),
        Err(error) => panic!("nobody has shut this pool down, and there is no deadline: {error}"),
    }
}
