//! Deadlines: a job that was not begun in time is not begun any more, and whoever waits hears of it at once, also when
//! every thread of the pool is stuck. So this is seen to by a thread of its own, which is there only while there are deadlines.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crate::error::JobError;
use crate::shared::Shared;
use crate::task::wake;

/// Starts the timekeeper.
pub(crate) fn start(shared: &Arc<Shared>) {
    let name = format!("{} deadlines", shared.settings.name);
    let keeper = shared.clone();
    let started = thread::Builder::new()
        .name(name)
        .spawn(move || keep_time(&keeper));
    let mut state = shared.lock();
    match started {
        Ok(handle) => state.handles.push(handle),
        Err(_) => state.timekeeper = false, // The next deadline is another occasion.
    }
}

fn keep_time(shared: &Shared) {
    let mut state = shared.lock();
    loop {
        let now = Instant::now();
        let wait = match state.deadlines.first() {
            Some((due, number)) if *due <= now => {
                let number = *number;
                let mut tell = Vec::new();
                let late = state.remove(number);
                let late = late.expect("a job that was begun has no deadline any more");
                tell.extend(late.refuse(JobError::DeadlinePassed));
                state.counts.too_late += 1;
                state.serve_line(&mut tell);
                shared.record.taken_out(number, state.queue.len());
                drop(state);
                wake(tell);
                drop(late);
                state = shared.lock();
                continue;
            }
            Some((due, _)) => *due - now,
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
