//! The loop. Three steps, for ever: see who rang and which timers are due, poll the tasks that are ready,
//! and if there is nothing to do, wait.

use std::cell::{Cell, RefCell, RefMut};
use std::mem;
use std::num::NonZeroU64;
use std::panic::{Location, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use flight::{End, Event, Lane, Recorder, Source};

use crate::builder::{LoopBot, ReadyTask};
use crate::clock::{TimerKey, TimerQueue, nanoseconds};
use crate::current;
use crate::inbox::Address;
#[cfg(feature = "net")]
use crate::inbox::Bell;
use crate::join_error::JoinError;
use crate::join_handle::JoinHandle;
use crate::leaf::EndedBy;
use crate::record::Record;
use crate::shelf::{Job, MAIN, Shelf, Turn};
use crate::stand_still::{StandStill, Waiting};
use crate::task::{Panic, Task, drop_caught, poll_caught, wake_caught};
use crate::waker::Name;

/// One run of a LoopBot: everything it knows. It never leaves its thread; only wakers do.
pub(crate) struct Executor {
    robot: LoopBot,
    /// Borrowed only for a moment, never while code runs that is not ours.
    shelf: RefCell<Shelf>,
    /// Where other threads ring.
    address: Address,
    /// The task that is being polled.
    polled: Cell<Option<u32>>,
    /// How many times leaf futures may go on in this poll.
    budget: Cell<i64>,
    /// Whom this poll said it waits for.
    waits: Cell<WaitsFor>,
    /// Who rings now, if it is not the polled task.
    bell_in_hand_of: Cell<Option<Source>>,
    timers: Rc<RefCell<TimerQueue>>,
    #[cfg(feature = "net")]
    reactor: std::cell::OnceCell<Rc<crate::reactor::Reactor>>,
    /// What the clock showed when this run began.
    started: u64,
    is_virtual: bool,
    /// What the clock showed when it was read last.
    seen: Cell<u64>,
    /// Since when nobody is ready and nothing is expected, if that is so.
    idle_since: Cell<Option<u64>>,
    has_complained: Cell<bool>,
    record: Record,
}

/// Whom a task waits for, as far as it has said so.
#[derive(Clone, Copy, PartialEq)]
enum WaitsFor {
    NobodyNamed,
    Tasks,
    Outside,
}

/// Runs a future to its end.
#[track_caller]
pub(crate) fn run<F: Future>(robot: &LoopBot, main: F) -> Result<F::Output, StandStill> {
    let at = Location::caller();
    let executor = current::enter(|run| Executor::new(robot, run));
    let ended = executor.run_main(main, at);
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
            polled: Cell::new(None),
            budget: Cell::new(0),
            waits: Cell::new(WaitsFor::NobodyNamed),
            bell_in_hand_of: Cell::new(None),
            timers: Rc::default(),
            #[cfg(feature = "net")]
            reactor: std::cell::OnceCell::new(),
            started: robot.clock.now(),
            seen: Cell::new(0),
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
        if self.record.is_taken() {
            self.record.spawned(MAIN, 0, Some("main"), at, None);
        }
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

    // ANCHOR: run_loop
    /// The loop itself, until main returns or panics.
    fn run_loop<F: Future>(
        &self,
        mut main: Pin<&mut F>,
    ) -> Result<thread::Result<F::Output>, StandStill> {
        let mut just_waited = false;
        loop {
            self.open_the_inbox();
            self.fire_timers();
            if self.shelf().ready.is_empty() {
                self.wait()?;
                just_waited = true;
                continue;
            }
            if !mem::take(&mut just_waited) {
                self.look_at_the_poller();
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
            let (turn, job) = self.next_turn()?;
            match job {
                Job::Poll(task) => self.poll_task(turn, task),
                Job::Drop(task) => self.end_aborted(turn, task),
                Job::Main => return Some(turn),
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
            Poll::Ready(result) => self.end_task(turn.slot, task, result.err().map(Some), true),
        }
    }
    // ANCHOR_END: poll_tasks

    /// It gets its turn, but is not polled.
    #[cold]
    fn end_aborted(&self, turn: Turn, task: Task) {
        self.poll(turn, |_| ());
        self.end_task(turn.slot, task, Some(None), true);
    }

    /// One poll, of main or of a task.
    #[inline(always)]
    fn poll<R>(&self, turn: Turn, poll: impl FnOnce(&mut Context<'_>) -> R) -> R {
        self.record.poll_begins(turn.slot);
        self.polled.set(Some(turn.slot));
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
        self.polled.set(None);
        let waits_inside = self.waits.get() == WaitsFor::Tasks;
        self.shelf().put_back(turn.slot, task, waits_inside);
        self.record.poll_ended(turn.slot, false);
    }

    /// A task has its result; or it failed, by a panic, or because it is cancelled. Whoever awaits it is told.
    #[inline(never)]
    fn end_task(&self, slot: u32, mut task: Task, failed: Option<Option<Panic>>, polled: bool) {
        let how = match failed {
            None => End::Done,
            Some(panic) => self.fail(slot, &mut task, panic),
        };
        let (joiner, forgotten) = self.shelf().end(slot, Some(task));
        joiner.into_iter().for_each(wake_caught);
        self.polled.set(None);
        if polled {
            self.record.poll_ended(slot, true);
        }
        self.record.ended(slot, how);
        drop_caught(forgotten);
    }

    /// Drops what is left of the future, and leaves an error in its place.
    #[cold]
    fn fail(&self, slot: u32, task: &mut Task, mut panic: Option<Panic>) -> End {
        if let Err(in_drop) = task.clear() {
            drop_caught(panic.replace(in_drop));
        }
        let name = self.task_name(slot);
        let (how, error) = match panic {
            Some(panic) => (End::Panicked, JoinError::panicked(&name, panic)),
            None => (End::Cancelled, JoinError::cancelled(&name)),
        };
        task.fail(error);
        how
    }

    /// Who is next: the first in the queue, unless a checker of schedules picks somebody else.
    #[inline(always)]
    fn next_turn(&self) -> Option<(Turn, Job)> {
        match &self.robot.pick_next {
            None => self.shelf().next_turn(),
            Some(pick) => self.pick(&**pick),
        }
    }

    /// How many turns there may be until the next look at the world. Virtual time moves only when tasks move
    /// it: there, who becomes ready meanwhile waits until the timers were looked at.
    fn turns(&self) -> usize {
        let most = self.robot.limits.turns;
        match self.is_virtual {
            true => most.min(self.shelf().ready.len()),
            false => most,
        }
    }

    #[cold]
    fn pick(&self, pick: &dyn Fn(&[ReadyTask]) -> usize) -> Option<(Turn, Job)> {
        let slots = self.shelf().who_is_ready();
        if slots.is_empty() {
            return None;
        }
        let describe = |slot: &u32| ReadyTask {
            name: self.task_name(*slot).to_string(),
            id: u64::from(self.shelf().born(*slot)),
        };
        let index = pick(&slots.iter().map(describe).collect::<Vec<_>>());
        assert!(
            index < slots.len(),
            "`pick_next` picked number {index} of {} who are ready: the first is number 0",
            slots.len()
        );
        let slot = self.shelf().ready.take(index)?;
        self.shelf().begin_turn(slot)
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

    fn fire_timers(&self) {
        if self.timers.borrow_mut().next_due().is_none() {
            return; // Then nobody needs to know what time it is.
        }
        let now = self.now();
        loop {
            // The borrow ends here, before the waker is called: it may be anybody's, and do anything.
            let Some(timer) = self.timers.borrow_mut().pop_due(now) else {
                break;
            };
            let (number, task, late) = (timer.number, timer.task, now - timer.due);
            self.record.lane.record(Event::TimerFire {
                timer: number,
                task,
                late,
            });
            self.ringing(Source::Timer, || wake_caught(timer.waker));
        }
    }

    /// Whatever `ring` wakes was woken by this source.
    fn ringing(&self, source: Source, ring: impl FnOnce()) {
        self.bell_in_hand_of.set(Some(source));
        ring();
        self.bell_in_hand_of.set(None);
    }

    /// Nobody is ready: lets time pass until the next timer is due, a socket is ready, or somebody else wakes a task.
    fn wait(&self) -> Result<(), StandStill> {
        let due = self.robot.clock.time_to_wake(&mut self.timers.borrow_mut());
        self.record.park_begins(due);
        let ended = match due {
            None if !self.awaits_io() => self.wait_for_a_ring(),
            _ => {
                self.sleep(due);
                Ok(())
            }
        };
        self.record.lane.record(Event::ParkEnd);
        ended
    }

    /// Neither a timer nor a socket can end this wait. Who can?
    fn wait_for_a_ring(&self) -> Result<(), StandStill> {
        if self.is_virtual || self.waits_for_itself() {
            return Err(self.stand_still());
        }
        let now = self.now();
        let idle_since = self.idle_since.get().unwrap_or(now);
        self.idle_since.set(Some(idle_since));
        let limits = &self.robot.limits;
        let complains = cfg!(debug_assertions) && !self.has_complained.get();
        let patience = limits.patience.or(complains.then_some(PATIENCE));
        let Some(patience) = patience.map(nanoseconds) else {
            self.sleep(None);
            return Ok(());
        };
        if now - idle_since < patience {
            self.sleep(Some(idle_since + patience));
        } else if limits.patience.is_some() {
            return Err(self.stand_still());
        } else {
            self.has_complained.set(true);
            eprintln!("{}", self.stand_still().as_a_question());
        }
        Ok(())
    }

    fn waits_for_itself(&self) -> bool {
        !self.address.inbox.is_shared() && self.shelf().waits_for_itself()
    }

    // ANCHOR: sleep
    /// Sleeps, until `due` or until somebody rings; maybe not as long, so look again afterwards.
    fn sleep(&self, due: Option<u64>) {
        if !self.address.inbox.falls_asleep() {
            return;
        }
        // Virtual time jumps, but not past a socket that somebody awaits: for that it takes its time.
        let jumps = self.is_virtual && due.is_some() && !self.awaits_io();
        if self.waits_in_the_poller(if jumps { Some(0) } else { due }) && !jumps {
            // Slept there.
        } else if self.shelf().ready.is_empty() {
            self.robot.clock.wait(due.map(|due| due + self.started));
        }
        self.address.inbox.is_awake();
    }
    // ANCHOR_END: sleep

    /// Waits for sockets, if there is a poller. There it hears other threads as well.
    #[cfg(feature = "net")]
    fn waits_in_the_poller(&self, due: Option<u64>) -> bool {
        let Some(reactor) = self.reactor.get() else {
            return false;
        };
        let left = due.map(|due| Duration::from_nanos(due.saturating_sub(self.now())));
        let before = self.is_virtual.then(std::time::Instant::now);
        self.ringing(Source::Thread, || reactor.wait(left));
        if let (Some(before), false) = (before, left == Some(Duration::ZERO)) {
            // As much time has passed on a virtual clock as on yours.
            let now = self.now() + nanoseconds(before.elapsed());
            let now = due.map_or(now, |due| due.min(now));
            self.robot.clock.wait(Some(now + self.started));
        }
        true
    }

    #[cfg(not(feature = "net"))]
    fn waits_in_the_poller(&self, _: Option<u64>) -> bool {
        false
    }

    /// Looks at the sockets without waiting, if anybody awaits one.
    fn look_at_the_poller(&self) {
        if self.awaits_io() {
            self.waits_in_the_poller(Some(0));
        }
    }

    #[cfg(feature = "net")]
    fn awaits_io(&self) -> bool {
        let reactor = self.reactor.get();
        reactor.is_some_and(|reactor| !reactor.is_idle())
    }

    #[cfg(not(feature = "net"))]
    fn awaits_io(&self) -> bool {
        false
    }

    /// The reactor of this loop, made when it is first needed.
    #[cfg(feature = "net")]
    pub(crate) fn reactor(&self) -> std::io::Result<Rc<crate::reactor::Reactor>> {
        if let Some(reactor) = self.reactor.get() {
            return Ok(reactor.clone());
        }
        let reactor = Rc::new(crate::reactor::Reactor::new()?);
        let bell = Bell::Poller(reactor.notifier());
        self.address.inbox.set_bell(bell);
        Ok(self.reactor.get_or_init(|| reactor).clone())
    }

    fn stand_still(&self) -> StandStill {
        let waiting = self.shelf().waiting();
        let describe = |slot: &u32| {
            let name = self.task_name(*slot).to_string();
            let waits = if self.record.is_taken() {
                self.record.note(*slot, |note| note.waits.clone())
            } else {
                Vec::new()
            };
            Waiting { name, waits }
        };
        StandStill::new(waiting.iter().map(describe).collect())
    }

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
        let claim = self.shelf().spawn(future);
        self.record
            .spawned(claim.slot, claim.born, name, at, self.polled.get());
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
            if self.polled.get() == Some(woken) {
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
                    self.polled.set(Some(*slot));
                    self.end_task(*slot, task, Some(None), false);
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

    /// Takes one from the budget of this poll, if there is any left.
    #[inline]
    pub(crate) fn spend(&self) -> bool {
        // After as many refusals it begins anew. A task that gets `Pending` from everybody and goes on asking is
        // held up by a foreign executor inside it, which waits for an answer and will not give way.
        let (left, whole) = (self.budget.get(), i64::from(self.robot.limits.budget));
        self.budget
            .set(if left <= -whole { whole } else { left - 1 });
        left > 0
    }

    /// The polled task is about to return `Pending`, and says what it waits for.
    #[inline]
    pub(crate) fn waits(
        &self,
        what: &'static str,
        at: &'static Location<'static>,
        ended_by: EndedBy,
    ) {
        let so_far = self.waits.get();
        self.waits.set(match ended_by {
            EndedBy::Task if so_far != WaitsFor::Outside => WaitsFor::Tasks,
            _ => WaitsFor::Outside,
        });
        if self.record.is_taken() {
            self.names_a_wait(what.into(), Some(at));
        }
    }

    /// The same, for the end of a task.
    pub(crate) fn waits_for_task(&self, slot: u32) {
        if self.waits.get() != WaitsFor::Outside {
            self.waits.set(WaitsFor::Tasks);
        }
        if self.record.is_taken() {
            let what = format!("the end of {}", self.task_name(slot));
            let at = self.record.note(slot, |note| note.spawned_at);
            self.names_a_wait(what, at);
        }
    }

    #[cold]
    pub(crate) fn names_a_wait(&self, what: String, at: Option<&'static Location<'static>>) {
        if let Some(slot) = self.polled.get()
            && self.record.is_taken()
        {
            self.record
                .waits(slot, what, at, Duration::from_nanos(self.now()));
        }
    }

    fn task_name(&self, slot: u32) -> Rc<str> {
        let born = self.shelf().born(slot);
        self.record.name(slot, born)
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

    /// Nanoseconds since this run began.
    pub(crate) fn now(&self) -> u64 {
        let now = self.robot.clock.now().saturating_sub(self.started);
        self.seen.set(now);
        now
    }

    /// A time that has come, for certain. On a virtual clock this is now. To read the real one takes longer than
    /// to set a timer, so there it is what the clock showed when it was read last.
    #[inline]
    pub(crate) fn time_seen(&self) -> u64 {
        match self.is_virtual {
            true => self.now(),
            false => self.seen.get(),
        }
    }

    pub(crate) fn lane(&self) -> &Lane {
        &self.record.lane
    }

    pub(crate) fn timers(&self) -> &Rc<RefCell<TimerQueue>> {
        &self.timers
    }

    /// Sets a timer for the task that is being polled.
    pub(crate) fn arm_timer(&self, due: u64, waker: Waker) -> TimerKey {
        let task = self.sleeper();
        let length = due.saturating_sub(self.seen.get());
        let timer = self.timers.borrow_mut().arm(due, length, task, waker);
        if self.lane().is_on() {
            let due = self.record.time(due);
            self.lane().record(Event::TimerArm {
                timer: timer.number,
                task,
                due,
            });
        }
        timer
    }

    /// Gives a timer to the task that is being polled. Returns the waker that is not needed any more, for the caller to drop.
    pub(crate) fn rewire_timer(&self, timer: TimerKey, waker: Waker) -> Option<Waker> {
        let task = self.sleeper();
        self.timers.borrow_mut().rewire(timer, task, waker)
    }

    /// For the record, the task that is being polled.
    fn sleeper(&self) -> flight::Task {
        if self.lane().is_on() {
            self.record.row(self.polled.get().unwrap_or(MAIN))
        } else {
            Recorder::off().task("")
        }
    }
}

/// How long a debug build watches a LoopBot that seems to stand still before it says so.
const PATIENCE: Duration = Duration::from_secs(10);
