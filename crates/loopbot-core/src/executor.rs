// ANCHOR: state
//! The loop. Three steps, for ever: see who rang and which timers are due, poll the tasks that are ready,
//! and if there is nothing to do, wait.

use std::cell::{Cell, OnceCell, RefCell, RefMut};
use std::mem;
use std::num::NonZeroU64;
use std::panic::{Location, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::thread;

use flight::{End, Source};

use crate::address::Address;
use crate::builder::LoopBot;
use crate::clock::TimerQueue;
use crate::current;
use crate::join_error::JoinError;
use crate::join_handle::JoinHandle;
use crate::leaf::WaitsFor;
use crate::observe;
use crate::pace::Pace;
use crate::parking::Park;
use crate::record::Record;
use crate::shelf::{MAIN, Next, Shelf, Turn};
use crate::stand_still::StandStill;
use crate::task::{Panic, Task, drop_caught, poll_caught, wake_caught};
use crate::waker::Name;

/// One run of a LoopBot: everything it knows. It never leaves its thread; only wakers do.
pub(crate) struct Executor {
    pub(crate) robot: LoopBot,
    /// Borrowed only for a moment, never while code runs that is not ours.
    pub(crate) shelf: RefCell<Shelf>,
    /// Where other threads ring.
    pub(crate) address: Address,
    /// How many times leaf futures may go on in this poll.
    pub(crate) budget: Cell<i64>,
    /// Whom this poll said it waits for.
    pub(crate) waits: Cell<WaitsFor>,
    /// Who rings now, if it is not the polled task.
    pub(crate) bell_in_hand_of: Cell<Option<Source>>,
    pub(crate) timers: Rc<RefCell<TimerQueue>>,
    /// Where it waits, if it was told to wait somewhere else than in a parked thread.
    pub(crate) parking: OnceCell<Rc<dyn Park>>,
    /// What the clock showed when this run began.
    pub(crate) started: u64,
    pub(crate) is_virtual: bool,
    /// What the clock showed when it was read last.
    pub(crate) seen: Cell<u64>,
    pub(crate) pace: Pace,
    /// Since when nobody is ready and nothing is expected, if that is so.
    pub(crate) idle_since: Cell<Option<u64>>,
    pub(crate) has_complained: Cell<bool>,
    pub(crate) record: Record,
}
// ANCHOR_END: state

// ANCHOR: run
/// Runs a future to its end.
#[track_caller]
pub(crate) fn run<F: Future>(robot: &LoopBot, main: F) -> Result<F::Output, StandStill> {
    let at = Location::caller();
    let executor = current::enter(|run| Executor::new(robot, run));
    let ended = observe::watched(robot, &executor.record, || executor.run_main(main, at));
    // With `executor` the tasks go that are left, before anything is returned or thrown.
    drop(executor);
    match ended? {
        Ok(output) => Ok(output),
        Err(panic) => resume_unwind(panic),
    }
}

impl Executor {
    fn new(robot: &LoopBot, run: NonZeroU64) -> Executor {
        let address = Address::of_this_thread();
        Executor {
            shelf: RefCell::new(Shelf::new(run, address.inbox, robot.limits.max_tasks)),
            address,
            budget: Cell::new(0),
            waits: Cell::new(WaitsFor::NobodyNamed),
            bell_in_hand_of: Cell::new(None),
            timers: Rc::default(),
            parking: OnceCell::new(),
            started: robot.clock.now(),
            seen: Cell::new(0),
            pace: Pace::new(),
            is_virtual: robot.clock.is_virtual(),
            idle_since: Cell::new(None),
            has_complained: Cell::new(false),
            record: Record::new(robot),
            robot: robot.clone(),
        }
    }

    fn run_main<F: Future>(
        &self,
        main: F,
        at: &'static Location<'static>,
    ) -> Result<thread::Result<F::Output>, StandStill> {
        self.record.spawned(MAIN, 0, None, at);
        let ended = self.run_loop(pin!(main));
        let how = match &ended {
            Ok(Ok(_)) => End::Done,
            Ok(Err(_)) => End::Panicked,
            Err(_) => End::Cancelled,
        };
        self.shelf().end(MAIN, None);
        self.record.ended(MAIN, how);
        ended
    }
    // ANCHOR_END: run

    // ANCHOR: run_loop
    /// The loop itself, until main returns or panics.
    fn run_loop<F: Future>(
        &self,
        mut main: Pin<&mut F>,
    ) -> Result<thread::Result<F::Output>, StandStill> {
        let mut just_waited = false;
        loop {
            self.record.status.turns_end();
            self.open_the_inbox();
            self.fire_timers();
            if self.shelf().ready.is_empty() {
                self.wait()?;
                just_waited = true;
                continue;
            }
            if !mem::take(&mut just_waited) {
                self.look_outside();
            }
            // Some turns, and then another look at the world, however many are ready still: so that tasks
            // that wake themselves again and again cannot keep timers and sockets from being looked at.
            self.idle_since.set(None);
            let mut turns = self.turns();
            while let Some(turn) = self.poll_tasks(&mut turns) {
                match self.poll(turn, |cx| poll_caught(main.as_mut(), cx)) {
                    Poll::Pending => self.put_back(turn, None),
                    Poll::Ready(ended) => {
                        self.record.poll_ended(MAIN, true);
                        return Ok(ended);
                    }
                }
            }
        }
    }

    // ANCHOR_END: run_loop

    // ANCHOR: poll_tasks
    /// Polls one task after the other, until the turns are used up, nobody is ready, or it is main's turn.
    fn poll_tasks(&self, turns: &mut usize) -> Option<Turn> {
        while *turns > 0 {
            *turns -= 1;
            match self.next_turn()? {
                Next::Task(turn, task) => self.poll_task(turn, task),
                Next::Main(turn) => return Some(turn),
                Next::Aborted(turn, task) => self.end_aborted(turn, task),
                Next::Over => {}
            }
            if self.budget.get() < 0 {
                break; // It used up all it had. That is many turns' worth of time.
            }
        }
        None
    }

    #[inline(always)]
    fn poll_task(&self, turn: Turn, mut task: Task) {
        match self.poll(turn, |cx| task.poll(cx)) {
            Poll::Pending => self.put_back(turn, Some(task)),
            Poll::Ready(Ok(())) => self.end_task(turn.slot, task, End::Done, true),
            Poll::Ready(Err(panic)) => self.fail(turn.slot, task, Some(*panic), true),
        }
    }

    // ANCHOR_END: poll_tasks

    // ANCHOR: poll
    /// It gets its turn, but is not polled.
    #[cold]
    fn end_aborted(&self, turn: Turn, task: Task) {
        self.poll(turn, |_| ());
        self.fail(turn.slot, task, None, true);
    }

    /// One poll, of main or of a task.
    #[inline(always)]
    pub(crate) fn poll<R>(&self, turn: Turn, poll: impl FnOnce(&mut Context<'_>) -> R) -> R {
        self.record.poll_begins(turn.slot);
        self.budget.set(i64::from(self.robot.limits.budget));
        self.waits.set(WaitsFor::NobodyNamed);
        let name = Name {
            executor: self.address.number,
            generation: turn.generation,
            slot: turn.slot,
        };
        poll(&mut Context::from_waker(&name.waker()))
    }

    /// It was polled, and goes on waiting.
    #[inline(always)]
    fn put_back(&self, turn: Turn, task: Option<Task>) {
        self.record.status.poll_ends();
        let waits_inside = self.waits.get() == WaitsFor::Tasks;
        let replaced = self.shelf().put_back(turn.slot, task, waits_inside);
        if replaced.is_some() {
            drop_caught(replaced);
        }
        self.goes_on_waiting(turn.slot);
    }
    // ANCHOR_END: poll

    // ANCHOR: end_task
    /// A task is over, and its result is in it. Whoever awaits it is told.
    #[inline(always)]
    fn end_task(&self, slot: u32, task: Task, how: End, polled: bool) {
        let (joiner, replaced, forgotten) = self.shelf().end(slot, Some(task));
        if let Some(joiner) = joiner {
            wake_caught(joiner);
        }
        self.record.status.poll_ends();
        if polled {
            self.record.poll_ended(slot, true);
        }
        self.record.ended(slot, how);
        if replaced.is_some() {
            drop_caught(replaced);
        }
        if forgotten.is_some() {
            drop_caught(forgotten);
        }
    }

    /// A task ends by a panic, or because it is cancelled: drops what is left of its future, and leaves an error there.
    #[cold]
    #[inline(never)]
    fn fail(&self, slot: u32, mut task: Task, mut panic: Option<Panic>, polled: bool) {
        if let Err(in_drop) = task.clear() {
            drop_caught(panic.replace(in_drop));
        }
        let name = self.task_name(slot);
        let (how, error) = match panic {
            Some(panic) => (End::Panicked, JoinError::panicked(&name, panic)),
            None => (End::Cancelled, JoinError::cancelled(&name)),
        };
        task.fail(error);
        self.end_task(slot, task, how, polled);
    }
    // ANCHOR_END: end_task

    // ANCHOR: order
    /// Who is next: the first in the queue, unless a checker of schedules picks somebody else.
    #[inline(always)]
    fn next_turn(&self) -> Option<Next> {
        if let Some(pick) = &self.robot.pick_next {
            let slot = self.pick(&**pick)?;
            return Some(self.shelf().begin_turn(slot));
        }
        self.shelf().next_turn()
    }

    /// Carries over who was rung for on other threads.
    fn open_the_inbox(&self) {
        if !self.address.inbox.is_empty() {
            self.address.inbox.take(|slot| {
                let slot = slot as u32;
                if self.shelf().wake_tenant(slot) {
                    self.record.woken(slot, || Source::Thread);
                }
            });
        }
    }

    /// Whatever `ring` wakes was woken by this source.
    pub(crate) fn ringing(&self, source: Source, ring: impl FnOnce()) {
        self.bell_in_hand_of.set(Some(source));
        ring();
        self.bell_in_hand_of.set(None);
    }
    // ANCHOR_END: order

    // ANCHOR: spawn_and_wake
    /// Makes a task of a future, and puts it at the end of the run queue.
    #[inline]
    pub(crate) fn spawn<F>(
        &self,
        name: Option<&str>,
        at: &'static Location<'static>,
        future: F,
    ) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let mut shelf = self.shelf();
        if !shelf.has_room() {
            drop(shelf); // The future is dropped while this panics, and then it may do anything.
            panic!(
                "this LoopBot may have {} tasks at a time, and it has: let some of them end, \
                 and drop the handles of those that have, before you spawn others",
                self.robot.limits.max_tasks
            );
        }
        let claim = shelf.spawn(future);
        drop(shelf);
        self.record.spawned(claim.slot, claim.born, name, at);
        JoinHandle::new(claim)
    }

    /// Puts a task into the run queue, if it is not there and not over.
    #[inline]
    pub(crate) fn wake(&self, slot: u32, generation: u16) {
        if self.shelf().wake(slot, generation) {
            self.record.woken(slot, || self.source_of_wake(slot));
        }
    }

    /// Who rings, if this task is woken on this thread now.
    fn source_of_wake(&self, woken: u32) -> Source {
        self.bell_in_hand_of.get().unwrap_or_else(|| {
            if self.polled() == Some(woken) {
                Source::OwnPoll
            } else {
                Source::Task
            }
        })
    }

    /// In its next turn, the task is dropped.
    pub(crate) fn abort(&self, slot: u32) {
        let generation = self.shelf().abort(slot);
        self.wake(slot, generation);
    }
    // ANCHOR_END: spawn_and_wake

    // ANCHOR: drop_tasks
    /// The end of the run: drops what is left, in the order in which it was spawned. A task that is
    /// spawned by such a drop is the youngest, so it is dropped last, without having been polled. Results that nobody took go at the very end.
    pub(crate) fn drop_tasks(&self) {
        loop {
            let mut waiting = self.shelf().waiting();
            waiting.retain(|slot| *slot != MAIN); // It is no task. It is not over if `pick_next` panicked.
            let untaken = self.shelf().untaken();
            if waiting.is_empty() && untaken.is_empty() {
                return;
            }
            for slot in &waiting {
                let task = self.shelf().take_off(*slot);
                if let Some(task) = task {
                    self.record.status.poll_begins(*slot);
                    self.fail(*slot, task, None, false);
                }
            }
            if waiting.is_empty() {
                for slot in untaken {
                    let task = self.shelf().take_off(slot);
                    drop_caught(task);
                }
            }
        }
    }

    pub(crate) fn task_name(&self, slot: u32) -> Rc<str> {
        let born = self.shelf().born(slot);
        self.record.name(slot, born)
    }

    /// The task that is being polled.
    #[inline]
    pub(crate) fn polled(&self) -> Option<u32> {
        self.record.status.polled()
    }

    /// Whether this is the loop that has this number.
    #[inline]
    pub(crate) fn is(&self, number: u16) -> bool {
        self.address.number == number
    }

    #[inline]
    pub(crate) fn shelf(&self) -> RefMut<'_, Shelf> {
        self.shelf.borrow_mut()
    }
}
// ANCHOR_END: drop_tasks
