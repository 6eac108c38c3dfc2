//! A thread of the pool: it does what is in the queue, looks out for more for a moment, parks, and goes home at last.

use std::cell::Cell;
use std::hint;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};
use std::task::Waker;
use std::thread;
use std::time::Instant;

use flight::Lane;

use crate::deadline;
use crate::shared::Shared;
use crate::state::{Call, State};
use crate::task::{Work, let_go, wake};

thread_local! {
    /// Which pool this thread belongs to, by its address, and its seat there.
    static SEAT: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
}

/// This thread's seat in this pool, if it is one of its threads.
pub(crate) fn seat_in(shared: &Arc<Shared>) -> Option<usize> {
    let (pool, seat) = SEAT.get()?;
    (pool == Arc::as_ptr(shared).addr()).then_some(seat)
}

/// What a thread of the pool does, from its first moment to its last.
pub(crate) fn work(shared: &Arc<Shared>, seat: usize) {
    SEAT.set(Some((Arc::as_ptr(shared).addr(), seat)));
    let lane = shared
        .record
        .worker(thread::current().name().unwrap_or("a thread"));
    let mut looked_out = false;
    let mut state = shared.lock();
    state.coming -= 1;
    // ANCHOR: work
    loop {
        state = deadline::refuse_late(shared, state);
        if let Some((number, task)) = state.begin(seat) {
            shared.record.queued(state.queue.len());
            let call = state.call();
            drop(state);
            shared.make(call);
            shared.record.begun(&lane, number);
            let came_back = do_it(shared, &lane, seat, number, task);
            looked_out = false;
            state = shared.lock();
            state.coming -= usize::from(came_back);
        } else if state.closed {
            break;
        } else if !looked_out && may_look_out(shared, &mut state) {
            looked_out = true;
            state = look_out(shared, state);
        } else {
            let was_called;
            (state, was_called) = park(shared, state, seat);
            if !was_called && state.queue.len() == 0 {
                break; // It was idle long enough.
            }
        }
    }
    // ANCHOR_END: work
    drop(lane);
    shared.leave(&mut state, seat);
}

/// Does a job, and says whether this thread was counted as coming since.
fn do_it(shared: &Arc<Shared>, lane: &Lane, seat: usize, number: u64, task: Arc<dyn Work>) -> bool {
    let mut tell: Vec<Waker> = Vec::new();
    let mut call = Call::Nobody;
    let mut comes_back = false;
    let mut ended = |panicked| {
        shared.record.ended(lane, number, panicked);
        // If nobody waits, the result is dropped on this thread, and that may take as long as it likes.
        comes_back = Arc::strong_count(&task) > 1;
        let mut state = shared.lock();
        state.end(seat, panicked, comes_back);
        state.serve_line(&mut tell);
        call = state.call();
    };
    task.run(&mut ended);
    shared.make(call);
    wake(tell);
    let_go(task);
    comes_back
}

/// To look out for work while there is none saves the next caller the wake-up, which is half of the whole way. It
/// pays only if a core has nothing else to do: one thread at a time looks out, and one core is left to the caller.
///
/// Whether the core was free after all only the outcome tells: if others want it, the caller among them, they come late. So
/// a thread that looked out in vain leaves it out the next two times, then four, and so on up to 64.
fn may_look_out(shared: &Shared, state: &mut State) -> bool {
    let is_wanted = !shared.settings.spin.is_zero();
    let may = is_wanted && state.spinning == 0 && state.running + 1 < shared.cores;
    if may && state.spins_left_out > 0 {
        state.spins_left_out -= 1;
        return false;
    }
    may
}

fn look_out<'a>(shared: &'a Shared, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
    state.spinning += 1;
    shared.work_came.store(false, Ordering::Relaxed);
    drop(state);
    let end = Instant::now() + shared.settings.spin;
    while !shared.work_came.load(Ordering::Acquire) && Instant::now() < end {
        for _ in 0..4 {
            hint::spin_loop();
        }
    }
    // Whether work came or not: from here on callers have to call.
    let mut state = shared.lock();
    state.spinning -= 1;
    if state.queue.len() > 0 {
        state.spun_in_vain = 0;
    } else {
        state.spun_in_vain = (state.spun_in_vain + 1).min(6);
        state.spins_left_out = 1 << state.spun_in_vain;
    }
    state
}

/// Waits to be called; `false` if nobody did for as long as a thread may be idle.
fn park<'a>(
    shared: &'a Shared,
    mut state: MutexGuard<'a, State>,
    seat: usize,
) -> (MutexGuard<'a, State>, bool) {
    state.idle.push((seat, thread::current()));
    let end = Instant::now() + shared.settings.idle;
    loop {
        drop(state);
        thread::park_timeout(end.saturating_duration_since(Instant::now()));
        state = shared.lock();
        // Whoever calls a thread takes it off this list. Anything else that ends a park means nothing.
        let Some(index) = state.idle.iter().position(|(idle, _)| *idle == seat) else {
            state.coming -= 1;
            return (state, true);
        };
        if Instant::now() >= end {
            state.idle.remove(index);
            return (state, false);
        }
    }
}
