//! Deadlines: a job that was not begun in time is not begun any more, and whoever waits hears of it at once, also when
//! every thread of the pool is stuck. So this is seen to by a thread of its own, which is there only while there are deadlines.

use std::sync::{Arc, MutexGuard};
use std::thread;
use std::time::Instant;

use crate::error::JobError;
use crate::shared::Shared;
use crate::state::State;
use crate::task::{let_go, wake};

/// Answers those whose deadlines have passed. Threads do this before they begin a job, so none is begun too late.
pub(crate) fn refuse_late<'a>(
    shared: &'a Shared,
    mut state: MutexGuard<'a, State>,
) -> MutexGuard<'a, State> {
    while let Some((due, number)) = state.deadlines.first().copied()
        && due <= Instant::now()
    {
        let late = state.remove(number);
        let late = late.expect("a job that was begun has no deadline any more");
        let mut tell = Vec::from_iter(late.refuse(JobError::DeadlinePassed));
        state.counts.too_late += 1;
        state.serve_line(&mut tell);
        shared.record.taken_out(number, state.queue.len());
        drop(state);
        wake(tell);
        let_go(late);
        state = shared.lock();
    }
    state
}

/// Starts the timekeeper.
pub(crate) fn start(shared: &Arc<Shared>) {
    let name = format!("{} deadlines", shared.settings.name);
    let keeper = shared.clone();
    let thread = thread::Builder::new().name(name);
    let started = thread.spawn(move || keep_time(&keeper));
    let mut state = shared.lock();
    match started {
        Ok(handle) => state.handles.push(handle),
        Err(_) => state.timekeeper = false, // The next deadline is another occasion.
    }
}

fn keep_time(shared: &Shared) {
    let mut state = shared.lock();
    loop {
        state = refuse_late(shared, state);
        let wait = match state.deadlines.first() {
            Some((due, _)) => due.saturating_duration_since(Instant::now()),
            None if state.closed => break,
            None => shared.settings.idle,
        };
        let changed = shared.deadlines_changed.wait_timeout(state, wait);
        let timeout;
        (state, timeout) = changed.expect("nobody panics while a pool is locked");
        if timeout.timed_out() && state.deadlines.is_empty() {
            break;
        }
    }
    state.timekeeper = false;
}
