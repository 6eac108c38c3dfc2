//! Doing what the core decides: one lock, and one thread.
//!
//! The pool's state lies under one lock. Whoever holds it, be it the thread that submits, one that waits or the driver,
//! tells the core what happened and does at once what the core then wants. All of that is quick: no call waits for a
//! worker. What may take long, starting a process, is left to the driver.

mod lead;
mod look;
mod places;
mod talk;
mod thread;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use flight::{ActorKind, Event, Lane, Text};

use crate::builder::Output;
use crate::core::{Action, Core, State, Time};
use crate::jobs::Jobs;
use crate::link::Link;
use crate::os::{OomCounter, Socket, socket_pair};
use crate::program::Other;
use crate::reply::Order;
use crate::room::Room;
use crate::voice::{Listener, Voice};

/// What a pool is, for everybody who has to do with it.
pub(crate) struct Shared {
    pub(crate) jobs: Jobs,
    pub(crate) settings: Settings,
    inner: Mutex<Inner>,
    /// The driver sleeps here while it stays out of the way.
    rest: Condvar,
    /// Somebody waits for an answer without looking at the workers.
    needed: AtomicBool,
    /// Those who wait for the pool's end.
    end: Condvar,
    /// Wakes the driver out of `poll`.
    bell: Socket,
    epoch: Instant,
}

/// What does not change after the pool was built.
pub(crate) struct Settings {
    pub(crate) name: String,
    /// `None`: this program.
    pub(crate) program: Option<Other>,
    pub(crate) briefing: Vec<u8>,
    pub(crate) memory_limit: bool,
    pub(crate) time_limit: Option<Duration>,
    pub(crate) output: Output,
    pub(crate) listener: Option<Listener>,
    pub(crate) env: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    pub(crate) spin: Duration,
    pub(crate) recorder: flight::Recorder,
    pub(crate) fingerprint: u64,
}

impl Settings {
    /// Whether the workers' errors, which are to go where ours go, go through us on their way.
    fn takes_stderr_away(&self) -> bool {
        self.memory_limit && self.output == Output::Inherit
    }
}

/// What does.
pub(crate) struct Inner {
    pub(crate) core: Core<Order>,
    links: Vec<Option<Link>>,
    /// Places where the driver shall start a worker.
    starts: Vec<usize>,
    /// Whom to wake when the lock is free again.
    wakers: Vec<Waker>,
    pub(crate) room: Room,
    oom: OomCounter,
    /// Where the workers' output goes, if it goes anywhere.
    voice: Option<Voice>,
    driver: Driver,
    /// When somebody last led, and how many do.
    led: Time,
    leaders: usize,
    /// What is to be sent shall be sent now, in one piece.
    hold_nothing: bool,
    /// The driver is in `poll` without looking at some worker that is led.
    overlooked: bool,
    lane: Lane,
    name: Text,
}

/// Where the driver is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Driver {
    /// About to look at everything anyhow.
    Awake,
    /// In `poll`, until this time.
    Polling(Time),
    /// Out of the way, for a moment.
    Resting,
    /// The pool is over.
    Gone,
}

impl Shared {
    /// The pool, with its driver already at work.
    pub(crate) fn start(
        jobs: Jobs,
        settings: Settings,
        core: Core<Order>,
    ) -> io::Result<Arc<Shared>> {
        let (bell, theirs) = socket_pair()?;
        let mut links = Vec::new();
        links.resize_with(core.places(), || None);
        let listener = settings.listener.clone();
        let is_heard = listener.is_some() || settings.takes_stderr_away();
        let voice = is_heard.then(|| Voice::start(&settings.name, listener));
        let inner = Inner {
            core,
            links,
            starts: Vec::new(),
            wakers: Vec::new(),
            room: Room::default(),
            oom: OomCounter::new(),
            voice: voice.transpose()?,
            driver: Driver::Awake,
            led: 0,
            leaders: 0,
            hold_nothing: false,
            overlooked: false,
            lane: settings.recorder.actor(&settings.name, ActorKind::Pool),
            name: settings.recorder.text(&settings.name),
        };
        let shared = Arc::new(Shared {
            jobs,
            settings,
            inner: Mutex::new(inner),
            rest: Condvar::new(),
            needed: AtomicBool::new(false),
            end: Condvar::new(),
            bell,
            epoch: Instant::now(),
        });
        let its = Arc::clone(&shared);
        std::thread::Builder::new()
            .name(shared.settings.name.clone())
            .spawn(move || its.drive(Socket::from(theirs)))?;
        Ok(shared)
    }

    fn now(&self) -> Time {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the core something, does what it wants, and wakes whom that concerns.
    pub(crate) fn with<R>(&self, tell: impl FnOnce(&mut Inner, Time) -> R) -> R {
        let mut inner = self.lock();
        let result = tell(&mut inner, self.now());
        self.perform(&mut inner);
        let wakers = std::mem::take(&mut inner.wakers);
        self.ring_if_needed(&mut inner);
        drop(inner);
        for waker in wakers {
            // If one panics, its hook has told; the others shall be woken all the same.
            let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
        result
    }

    fn perform(&self, inner: &mut Inner) {
        let mut dirty = false;
        while let Some(action) = inner.core.actions.pop_front() {
            match action {
                Action::Start(place) => inner.starts.push(place),
                Action::Send {
                    worker,
                    job,
                    number,
                    from,
                } => {
                    inner.send(worker, job, number, from);
                    dirty = true;
                }
                Action::TakeBack(worker) => {
                    let first = inner.core.turn(worker);
                    let link = inner.links[worker].as_mut();
                    let begun = link.and_then(|link| link.take_back(first));
                    inner.core.taken_back(self.now(), worker, begun);
                }
                Action::Ask { worker, ticket } => {
                    if let Some(link) = &inner.links[worker] {
                        link.page.cancel(ticket.0);
                    }
                }
                Action::Retire(worker) => {
                    if let Some(link) = &mut inner.links[worker] {
                        link.quit();
                    }
                }
                Action::Kill(worker) => {
                    if let Some(link) = &mut inner.links[worker] {
                        link.kill();
                    }
                }
                Action::Resolve(order) => {
                    inner.wakers.extend(order.complete());
                }
            }
        }
        if dirty {
            for (place, link) in inner.links.iter_mut().enumerate() {
                let Some(link) = link else { continue };
                // A worker with two jobs in hand needs no third at once. Its next answer will send what has gathered.
                let worth_it = inner.hold_nothing || link.out.len() > 64 * 1024;
                let in_hand = inner.core.load(place) - link.held.min(inner.core.load(place));
                if link.held > 0 && (in_hand < 2 || worth_it) && !link.blocked {
                    link.flush();
                }
            }
        }
        inner.hold_nothing = false;
        inner.record_starts();
        if !inner.room.is_empty() && inner.core.has_room() {
            inner.wakers.extend(inner.room.call());
        }
    }

    fn ring_if_needed(&self, inner: &mut Inner) {
        match inner.driver {
            Driver::Awake | Driver::Gone => {}
            Driver::Resting if inner.starts.is_empty() => {}
            Driver::Resting => self.wake_rested(inner),
            Driver::Polling(until) => {
                let alarm = std::mem::take(&mut inner.core.alarm);
                let sooner = alarm && inner.core.next_deadline().is_some_and(|due| due < until);
                let full = inner.links.iter().flatten().any(|link| link.blocked);
                if sooner || full || !inner.starts.is_empty() || inner.core.is_over() {
                    self.ring(inner);
                }
            }
        }
    }

    pub(crate) fn workers(&self) -> usize {
        self.lock().core.places()
    }

    /// Waits until nothing of the pool is left.
    pub(crate) fn wait_for_end(&self) {
        let gone = |inner: &mut Inner| inner.driver != Driver::Gone;
        let ended = self.end.wait_while(self.lock(), gone);
        drop(ended.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Inner {
    /// What is submitted under this lock makes a piece that is worth sending.
    pub(crate) fn hold_nothing(&mut self) {
        self.hold_nothing = true;
    }

    /// Writes into the record that a job was accepted.
    pub(crate) fn record_submit(&self, job: u64) {
        if self.lane.is_on() {
            self.lane.record(Event::JobSubmit {
                job,
                pool: self.name,
                by: None,
            });
        }
    }

    /// Writes into the record which job each worker has come to.
    fn record_starts(&mut self) {
        if self.lane.is_on() {
            for (place, link) in self.links.iter_mut().enumerate() {
                if let (Some(link), Some(job)) = (link, self.core.at(place)) {
                    link.told.starts(job);
                }
            }
        }
    }

    /// Process ids, states, loads and peaks of memory.
    pub(crate) fn workers(&self) -> impl Iterator<Item = (u32, State, usize, u64)> {
        let links = self.links.iter().enumerate();
        links.filter_map(|(place, link)| {
            let link = link.as_ref()?;
            let (pid, peak) = (link.process.pid(), link.page.peak());
            Some((pid, self.core.state(place), self.core.load(place), peak))
        })
    }
}
