//! What a pool's handles, jobs and threads share: its state, and the means to call somebody when it changed.

use std::io;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::task::Waker;
use std::thread;

use crate::builder::{Builder, cores};
use crate::error::JobError;
use crate::job::Place;
use crate::record::Record;
use crate::state::{Call, State};
use crate::task::{Work, let_go, wake};
use crate::{deadline, worker};

pub(crate) struct Shared {
    state: Mutex<State>,
    pub(crate) settings: Builder,
    pub(crate) cores: usize,
    pub(crate) record: Record,
    /// Seen by a thread that looks out for work before it parks.
    pub(crate) work_came: AtomicBool,
    /// The last thread left.
    pub(crate) everybody_left: Condvar,
    /// There is an earlier deadline, or the pool closed.
    pub(crate) deadlines_changed: Condvar,
}

impl Shared {
    pub(crate) fn new(settings: Builder) -> Shared {
        Shared {
            state: Mutex::new(State::new(settings.max_threads, settings.queue)),
            record: Record::new(settings.recorder.clone(), &settings.name),
            cores: cores(),
            settings,
            work_came: AtomicBool::new(false),
            everybody_left: Condvar::new(),
            deadlines_changed: Condvar::new(),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        let unpoisoned = self.state.lock();
        unpoisoned.expect("no foreign code runs, so nobody panics, while a pool is locked")
    }

    /// Takes a job in. If there is no place for it, it stands in line, if it wants to.
    pub(crate) fn take_in(self: &Arc<Self>, task: &Arc<dyn Work>, or_line: bool) -> Place {
        let mut state = self.lock();
        if state.closed {
            return Place::Refused;
        }
        let number = match state.take_in(task) {
            Some(number) => number,
            None if or_line => state.stand_in_line(task),
            None => return Place::NotYet,
        };
        self.record
            .submitted(number, task.about(), state.queue.len());
        let call = state.call();
        let is_looked_out_for = state.spinning > 0;
        let has_deadline = task.about().deadline.is_some();
        let starts_timekeeper = has_deadline && !mem::replace(&mut state.timekeeper, true);
        drop(state);
        if is_looked_out_for {
            self.work_came.store(true, Ordering::Release);
        }
        if starts_timekeeper {
            deadline::start(self);
        } else if has_deadline {
            self.deadlines_changed.notify_one();
        }
        self.make(call);
        Place::Number(number)
    }

    /// Takes a job out before it is begun. `None` if it is too late for that.
    pub(crate) fn remove(self: &Arc<Self>, number: u64) -> Option<Arc<dyn Work>> {
        let mut state = self.lock();
        state.nobody_waits_for(number);
        self.take_out(state, number, None)
    }

    /// A job in this seat waits for another one of this pool. If that means that nobody can go on, one job is given up,
    /// and whoever waits for it is told.
    pub(crate) fn waits_for(self: &Arc<Self>, seat: usize, number: u64) {
        let mut state = self.lock();
        if let Some(given_up) = state.waits_for(seat, number) {
            let_go(self.take_out(state, given_up, Some(JobError::WouldWaitForItself)));
        }
    }

    /// Its place goes to the first in line.
    fn take_out(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        number: u64,
        why: Option<JobError>,
    ) -> Option<Arc<dyn Work>> {
        let removed = state.remove(number)?;
        let mut tell = Vec::from_iter(why.and_then(|why| removed.refuse(why)));
        state.counts.removed += 1;
        state.serve_line(&mut tell);
        self.record.taken_out(number, state.queue.len());
        let call = state.call();
        drop(state);
        self.make(call);
        wake(tell);
        Some(removed)
    }

    /// Calls a thread. The lock must be free.
    pub(crate) fn make(self: &Arc<Self>, call: Call) {
        match call {
            Call::Nobody => {}
            Call::Parked(thread) => thread.unpark(),
            Call::New { seat } => {
                if let Err(error) = self.start(seat) {
                    self.no_thread(seat, &error);
                }
            }
        }
    }

    fn start(self: &Arc<Self>, seat: usize) -> io::Result<()> {
        let shared = self.clone();
        let mut thread =
            thread::Builder::new().name(format!("{}-{}", self.settings.name, seat + 1));
        if let Some(size) = self.settings.stack_size {
            thread = thread.stack_size(size);
        }
        let handle = thread.spawn(move || worker::work(&shared, seat))?;
        let mut state = self.lock();
        state.handles.retain(|handle| !handle.is_finished());
        state.handles.push(handle);
        Ok(())
    }

    /// The others will see to the work. If there are none, nobody will.
    fn no_thread(self: &Arc<Self>, seat: usize, error: &io::Error) {
        let mut state = self.lock();
        state.coming -= 1;
        self.leave(&mut state, seat);
        if state.threads == 0 {
            self.refuse_all(state, || JobError::NoThread(error.to_string()));
        }
    }

    /// A thread leaves, or could not be started.
    pub(crate) fn leave(&self, state: &mut State, seat: usize) {
        state.leave(seat);
        // The stack of a thread is freed when its handle goes. Without this, those of a rush would stay until the next.
        state.handles.retain(|handle| !handle.is_finished());
        if state.threads == 0 {
            self.everybody_left.notify_all();
            self.deadlines_changed.notify_all();
        }
    }

    /// Answers everything that was not begun, and gives how much that was.
    pub(crate) fn refuse_all(
        &self,
        mut state: MutexGuard<'_, State>,
        why: impl Fn() -> JobError,
    ) -> usize {
        let tasks = state.take_all();
        let wakers: Vec<Option<Waker>> = tasks.iter().map(|task| task.refuse(why())).collect();
        self.record.queued(0);
        drop(state);
        wake(wakers.into_iter().flatten());
        tasks.len() // The work in them is foreign code as well: it is dropped after the lock was released.
    }

    /// Takes in nothing more. Threads leave when everything is done.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let called = mem::take(&mut state.idle);
        state.coming += called.len();
        self.deadlines_changed.notify_all();
        drop(state);
        for (_, thread) in called {
            thread.unpark();
        }
    }
}
