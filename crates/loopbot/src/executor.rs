//! The loop. Three steps, for ever: fire the timers that are due, poll the tasks that are ready, and
//! if there is nothing to do, wait.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use flight::{ActorKind, End, Event, Lane, Recorder, Source};

use crate::builder::LoopBot;
use crate::clock::{Clock, TimerQueue};
use crate::current;
use crate::join_handle::JoinHandle;
use crate::run_queue::{Ready, RunQueue};
use crate::stand_still::StandStill;
use crate::task::{Identity, Task, TaskId, Who, drop_caught, poll_caught, wake_caught};

/// One run of a LoopBot: everything it knows. It never leaves its thread; only wakers do.
pub(crate) struct Executor {
    /// In the order of their ids, and so in the order in which they were spawned.
    tasks: RefCell<BTreeMap<TaskId, Task>>,
    last_id: Cell<u64>,
    /// The task that is being polled, if one is.
    polling: Cell<Option<Who>>,
    /// Whether a timer is being fired.
    firing: Cell<bool>,
    run_queue: Arc<RunQueue>,
    timers: Rc<RefCell<TimerQueue>>,
    clock: Clock,
    /// What the clock showed when this run began.
    started: u64,
    recorder: Recorder,
    lane: Arc<Lane>,
    /// What to add to a time of ours to get a time of the recorder's, whose clock may have begun earlier.
    recorder_offset: u64,
}

/// Runs a future to its end.
#[track_caller]
pub(crate) fn run<F: Future>(robot: &LoopBot, main: F) -> Result<F::Output, StandStill> {
    let executor = current::enter(|| Executor::new(robot));
    executor.run_main(main)
    // Here `executor` is dropped, and with it the tasks that are left.
}

impl Executor {
    fn new(robot: &LoopBot) -> Executor {
        let lane = Arc::new(robot.recorder.actor(&robot.name, ActorKind::Loop));
        Executor {
            tasks: RefCell::default(),
            last_id: Cell::new(0),
            polling: Cell::new(None),
            firing: Cell::new(false),
            run_queue: Arc::new(RunQueue::of_this_thread(&lane)),
            timers: Rc::default(),
            started: robot.clock.now(),
            clock: robot.clock.clone(),
            recorder_offset: robot.recorder.now(),
            recorder: robot.recorder.clone(),
            lane,
        }
    }

    fn run_main<F: Future>(&self, main: F) -> Result<F::Output, StandStill> {
        let mut identity = self.enroll(Some("main"));
        let ended = self.run_loop(&mut identity, pin!(main));
        let how = match &ended {
            Ok(Ok(_)) => End::Done,
            Ok(Err(_)) => End::Panicked,
            Err(_) => End::Cancelled,
        };
        self.sign_off(&identity, how);
        match ended {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(stand_still) => Err(stand_still),
        }
    }

    // ANCHOR: run_loop
    /// The loop itself, until main returns or panics.
    fn run_loop<F: Future>(
        &self,
        main_identity: &mut Identity,
        mut main: Pin<&mut F>,
    ) -> Result<thread::Result<F::Output>, StandStill> {
        let mut round = VecDeque::new();
        loop {
            self.fire_timers();
            // One round: who is ready now. Who becomes ready meanwhile waits for the next round, so that
            // tasks that wake themselves again and again cannot keep the timers from being looked at.
            self.run_queue.take_all(&mut round);
            if round.is_empty() {
                self.wait(main_identity)?;
            }
            for Ready { id, cause } in round.drain(..) {
                if id != main_identity.who.id {
                    self.poll_task(id, cause);
                } else if let Poll::Ready(ended) =
                    self.poll(main_identity, cause, |cx| poll_caught(main.as_mut(), cx))
                {
                    return Ok(ended);
                }
            }
        }
    }
    // ANCHOR_END: run_loop

    fn poll_task(&self, id: TaskId, cause: u64) {
        // Off the shelf while it is polled: whatever it does, it finds no borrow open.
        let Some(mut task) = self.tasks.borrow_mut().remove(&id) else {
            return; // It was woken in its last poll, and has ended.
        };
        let Task { identity, job } = &mut task;
        match self.poll(identity, cause, |cx| job.poll(cx)) {
            Poll::Pending => {
                self.tasks.borrow_mut().insert(id, task);
            }
            Poll::Ready(how) => {
                self.sign_off(&task.identity, how);
                drop_caught(task);
            }
        }
    }

    /// One poll, of main or of a task, with all that belongs to it.
    fn poll<R>(
        &self,
        identity: &mut Identity,
        cause: u64,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        identity.polls += 1;
        // Before the poll, not after it: a wake that comes while the task is polled must queue it again.
        identity.bell.leaves_the_queue();
        let task = identity.who.row;
        self.lane.record(Event::PollBegin {
            task,
            poll: identity.polls,
            cause,
        });
        self.polling.set(Some(identity.who));
        let polled = poll(&mut Context::from_waker(&identity.waker));
        self.polling.set(None);
        self.lane.record(Event::PollEnd {
            task,
            ready: polled.is_ready(),
        });
        polled
    }

    fn fire_timers(&self) {
        let now = self.now();
        loop {
            // The borrow ends here, before the waker is called: it may be anybody's, and do anything.
            let Some(timer) = self.timers.borrow_mut().pop_due(now) else {
                break;
            };
            let (number, task, late) = (timer.number, timer.task, now - timer.due);
            self.lane.record(Event::TimerFire {
                timer: number,
                task,
                late,
            });
            self.firing.set(true);
            wake_caught(timer.waker);
            self.firing.set(false);
        }
    }

    /// Nobody is ready: lets time pass until the next timer is due, or until somebody else wakes a task.
    fn wait(&self, main: &Identity) -> Result<(), StandStill> {
        let due = self.timers.borrow().next_due();
        let (why, until) = match due {
            Some(due) => (
                "nobody is ready: waits for the next timer",
                self.on_record(due),
            ),
            None => ("nobody is ready: waits for a wake from outside", 0),
        };
        self.lane.record(Event::ParkBegin {
            why: self.lane.text(why),
            until,
        });
        let time_passed = self.clock.wait(due.map(|due| due + self.started));
        self.lane.record(Event::ParkEnd);
        if time_passed {
            Ok(())
        } else {
            Err(self.stand_still(main))
        }
    }

    fn stand_still(&self, main: &Identity) -> StandStill {
        let tasks = self.tasks.borrow();
        let tasks = tasks.values().map(|task| &task.identity);
        StandStill {
            waiting: [main]
                .into_iter()
                .chain(tasks)
                .map(|who| who.name.to_string())
                .collect(),
        }
    }

    /// Makes a task of a future, and puts it at the end of the run queue.
    pub(crate) fn spawn<F>(&self, name: Option<&str>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let identity = self.enroll(name);
        let id = identity.who.id;
        let (task, handle) = Task::new(identity, future);
        self.tasks.borrow_mut().insert(id, task);
        handle
    }

    /// Gives a new task its id, its line in the record, its waker, and its first place in the run queue.
    fn enroll(&self, name: Option<&str>) -> Identity {
        let id = TaskId(self.last_id.get() + 1); // Never used again: at one a nanosecond, they last 584 years.
        self.last_id.set(id.0);
        // Tasks are counted from 1 as they are spawned, those with names as well; main comes before them.
        let name: Rc<str> = name.map_or_else(|| format!("task {}", id.0 - 1).into(), Rc::from);
        let row = self.recorder.task(&name);
        let by = self.polling.get().map(|who| who.row);
        let cause = self.lane.record(Event::TaskSpawn { task: row, by });
        self.run_queue.push(Ready { id, cause });
        Identity::new(Who { id, row }, name, &self.run_queue)
    }

    /// A task is over: this goes on record, and from now on nobody can wake it.
    fn sign_off(&self, identity: &Identity, how: End) {
        identity.bell.is_done();
        self.lane.record(Event::TaskEnd {
            task: identity.who.row,
            how,
        });
    }

    /// The end of the run: drops what is left, in the order in which it was spawned. A task that is
    /// spawned by such a drop is the youngest, so it is dropped last, without having been polled.
    pub(crate) fn drop_tasks(&self) {
        loop {
            let Some((_, mut task)) = self.tasks.borrow_mut().pop_first() else {
                break;
            };
            self.polling.set(Some(task.identity.who));
            let how = task.job.cancel();
            self.polling.set(None);
            self.sign_off(&task.identity, how);
            drop_caught(task);
        }
    }

    /// Nanoseconds since this run began.
    pub(crate) fn now(&self) -> u64 {
        self.clock.now().saturating_sub(self.started)
    }

    /// A time of ours as the recorder's clock shows it.
    fn on_record(&self, time: u64) -> u64 {
        time + self.recorder_offset
    }

    pub(crate) fn lane(&self) -> &Lane {
        &self.lane
    }

    pub(crate) fn timers(&self) -> &Rc<RefCell<TimerQueue>> {
        &self.timers
    }

    /// Sets a timer for the task that is being polled. Returns its number.
    pub(crate) fn arm_timer(&self, due: u64, waker: Waker) -> u64 {
        let task = self.sleeper();
        let timer = self.timers.borrow_mut().arm(due, task, waker);
        self.lane.record(Event::TimerArm {
            timer,
            task,
            due: self.on_record(due),
        });
        timer
    }

    /// Gives a timer to the task that is being polled. Returns the waker it had, for the caller to drop.
    pub(crate) fn rewire_timer(&self, due: u64, timer: u64, waker: Waker) -> Option<Waker> {
        let task = self.sleeper();
        self.timers.borrow_mut().rewire(due, timer, task, waker)
    }

    fn sleeper(&self) -> flight::Task {
        let polling = self.polling.get();
        polling
            .expect("a Sleep has to be polled by a task of LoopBot")
            .row
    }

    /// Who rings, if `woken` is woken on this thread now.
    pub(crate) fn source_of_wake(&self, woken: TaskId) -> Source {
        match self.polling.get() {
            _ if self.firing.get() => Source::Timer,
            Some(who) if who.id == woken => Source::OwnPoll,
            _ => Source::Task,
        }
    }

    pub(crate) fn owns(&self, run_queue: &Arc<RunQueue>) -> bool {
        Arc::ptr_eq(&self.run_queue, run_queue)
    }
}
