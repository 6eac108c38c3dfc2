//! Doing what the core decides: the one thread of a pool, and what it shares with everybody else.
//!
//! The pool's state lies under one lock. Whoever holds it, be it the thread that submits, one that waits or the driver,
//! tells the core what happened and does at once what the core then wants. All of that is quick: no call waits for a
//! worker. What may take long, starting a process, is left to the driver.
//!
//! The driver sleeps in `poll` until a worker says something, dies, or something is due. One case is handled without
//! it: a thread that waits for a job which is its worker's only one looks at that worker itself ([`Shared::lead`]). As
//! long as all work is waited for in this way the driver stays out of it, so that an answer wakes one thread and not two.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use flight::{ActorKind, Event, Lane, Text};

use crate::builder::{Output, Start};
use crate::core::{Action, Core, State, Ticket, Time};
use crate::error::Death;
use crate::frame::{Head, Kind};
use crate::jobs::Jobs;
use crate::link::{Autopsy, Eyes, Link, Told, named};
use crate::os::{Launch, OomCounter, PollFd, PollFlags, Program, Socket, poll, socket_pair};
use crate::page::Page;
use crate::reply::Order;
use crate::slab::Key;
use crate::tray::Tray;
use crate::voice::{Listener, Voice};
use crate::worker::{ARGUMENT, DEPTH};

/// How long the driver stays out of the way after somebody has led.
const STAY_OUT: u64 = 1_000_000;

/// How long somebody leads for a job that may meanwhile be given to another worker.
const MAY_MOVE: Duration = Duration::from_millis(5);

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
    pub(crate) start: Start,
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
    /// Those who wait for a place in the queue.
    room: VecDeque<Waker>,
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
            room: VecDeque::new(),
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

    // ANCHOR: with
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
        while !inner.room.is_empty() && inner.core.has_room() {
            // One for each place would be enough; but who was woken may have gone, and then nobody would come.
            let waiting = std::mem::take(&mut inner.room);
            inner.wakers.extend(waiting);
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

    fn ring(&self, inner: &mut Inner) {
        inner.driver = Driver::Awake;
        let _ = self.bell.try_send(&[1], &[]);
    }
    // ANCHOR_END: with

    /// Somebody awaits an answer and will not look for it: so the driver must, until all is answered.
    pub(crate) fn call_driver(&self) {
        if !self.needed.swap(true, Ordering::Relaxed) {
            let mut inner = self.lock();
            self.wake_rested(&mut inner);
        }
    }

    fn wake_rested(&self, inner: &mut Inner) {
        if inner.driver == Driver::Resting {
            inner.driver = Driver::Awake;
            self.rest.notify_one();
        }
    }

    // ANCHOR: lead
    /// For a thread that waits for this job, which a worker has: looks at the workers in the driver's place, at most
    /// this long, and works in what they say. At all of them, if nobody else waits for anything; otherwise only at the
    /// worker whose only job this is. `false` if the thread had better sleep until it is woken.
    pub(crate) fn lead(&self, job: Key, limit: Option<Duration>) -> bool {
        let mut inner = self.lock();
        if inner.core.job(job).is_none() {
            return true; // it has happened meanwhile: nothing more may come
        }
        let led = inner.led_by(job, self.needed.load(Ordering::Relaxed));
        if led.is_empty() {
            return false;
        }
        // What is taken back from one of these may be answered by another.
        let behind = inner.core.is_behind(job).then_some(MAY_MOVE);
        let limit = [limit, behind].into_iter().flatten().min();
        let begun = self.now();
        inner.leaders += 1;
        inner.led = begun;
        drop(inner);
        let heard = look(&led, None, limit, self.settings.spin);
        let dead = heard.iter().any(|&(_, dead)| dead);
        self.with(|inner, now| {
            for worker in &led {
                worker.eyes.led.store(false, Ordering::Relaxed);
            }
            for (place, _) in heard {
                inner.hear(now, place, self.settings.fingerprint);
            }
            inner.leaders -= 1;
            inner.led = now;
            match inner.driver {
                // It left this worker to us, and we go.
                Driver::Polling(_) if inner.overlooked => self.ring(inner),
                // It may rest for longer than we are away.
                Driver::Resting if now.saturating_sub(begun) > STAY_OUT => self.wake_rested(inner),
                _ => {}
            }
        });
        if dead {
            self.call_driver(); // burying is the driver's
        }
        !dead
    }
    // ANCHOR_END: lead

    // ANCHOR: drive
    /// The driver's life.
    fn drive(&self, bell: Socket) {
        // Workers that have said something which somebody else is about to read. To look there again would be to look
        // all the time.
        let mut led = Vec::new();
        loop {
            let starts = self.with(|inner, now| {
                let links = &inner.links;
                let begun = |place: usize| {
                    links[place]
                        .as_ref()
                        .map_or(Ticket(0), |link| Ticket(link.page.started()))
                };
                inner.core.tick(now, begun);
                inner.core.alarm = false;
                std::mem::take(&mut inner.starts)
            });
            for place in starts {
                let launched = self.launch(place);
                self.with(|inner, now| inner.launched(now, place, launched));
            }
            let mut inner = self.lock();
            let now = self.now();
            if inner.core.is_over() && inner.links.iter().all(Option::is_none) {
                if let Some(voice) = inner.voice.take() {
                    drop(inner);
                    voice.end();
                    inner = self.lock();
                }
                inner.driver = Driver::Gone;
                self.end.notify_all();
                return;
            }
            if !inner.starts.is_empty() {
                continue;
            }
            if inner.core.is_idle() {
                self.needed.store(false, Ordering::Relaxed);
            }
            let looked_at = match inner.leaders {
                0 => inner.led > 0 && now.saturating_sub(inner.led) < STAY_OUT,
                _ => !inner.is_overlooked(),
            };
            if looked_at && !self.needed.load(Ordering::Relaxed) && !inner.is_moving() {
                self.stay_out(inner, now);
                continue;
            }
            let due = inner.core.next_deadline();
            inner.driver = Driver::Polling(due.unwrap_or(u64::MAX));
            led.retain(|&place| inner.is_led(place));
            inner.overlooked = !led.is_empty();
            let watched = inner.watched(&led);
            led.clear();
            drop(inner);
            let limit = due.map(|due| Duration::from_nanos(due.saturating_sub(now)));
            let heard = look(&watched, Some(&bell), limit, self.settings.spin);
            self.with(|inner, now| {
                inner.driver = Driver::Awake;
                for (place, dead) in heard {
                    if dead {
                        self.bury(inner, now, place);
                    } else if !inner.hear_unless_led(now, place, self.settings.fingerprint) {
                        led.push(place);
                    }
                }
            });
        }
    }

    /// Somebody who waits looks at the workers. Sleeps until it is time to see whether that is still so.
    fn stay_out(&self, mut inner: MutexGuard<'_, Inner>, now: Time) {
        inner.driver = Driver::Resting;
        // Who has been there for so long will wake us when it goes.
        let settled = inner.leaders > 0 && now.saturating_sub(inner.led) > STAY_OUT;
        let limit = if settled { 50 * STAY_OUT } else { STAY_OUT };
        let due = inner
            .core
            .next_deadline()
            .map_or(limit, |due| due.saturating_sub(now));
        let limit = Duration::from_nanos(limit.min(due.max(STAY_OUT)));
        let resting = |inner: &mut Inner| inner.driver == Driver::Resting;
        let waited = self.rest.wait_timeout_while(inner, limit, resting);
        let (mut inner, _) = waited.unwrap_or_else(PoisonError::into_inner);
        inner.driver = Driver::Awake;
        // Somebody may have died meanwhile whom nobody looks at.
        drop(inner);
        self.with(|inner, now| {
            for place in 0..inner.links.len() {
                self.bury(inner, now, place);
            }
        });
    }

    fn launch(&self, place: usize) -> io::Result<Link> {
        let settings = &self.settings;
        let output = || match settings.output {
            Output::Inherit => Stdio::inherit(),
            Output::Capture => Stdio::piped(),
            Output::Null => Stdio::null(),
        };
        // A worker that is refused memory says so there, and nowhere else.
        let stderr = match settings.memory_limit {
            true => Stdio::piped(),
            false => output(),
        };
        let mut environment = settings.env.clone();
        environment.push((DEPTH.into(), (crate::depth() + 1).to_string().into()));
        let page = Page::new()?;
        let tray = Tray::new()?;
        let launch = Launch {
            program: match &settings.start {
                Start::ThisProgram => Program::This,
                Start::Program(path) => Program::File(path.clone()),
            },
            arguments: vec![ARGUMENT.into()],
            environment,
            stdout: output(),
            stderr,
        };
        let started = launch.start()?;
        let name = format!("{} worker {}", settings.name, place + 1);
        let lane = settings.recorder.actor(&name, ActorKind::Process);
        if lane.is_on() {
            lane.record(Event::ProcessStart {
                pid: u64::from(started.process.pid()),
                name: lane.text(&name),
            });
        }
        let told = Told::new(lane, &settings.name);
        Link::new(started, page, tray, &settings.briefing, told)
    }

    /// If the worker in this place is dead: reaps it, and tells the core.
    fn bury(&self, inner: &mut Inner, now: Time, place: usize) {
        let Some(link) = &mut inner.links[place] else {
            return;
        };
        let Some(exit) = link.process.try_reap() else {
            return;
        };
        let Some(link) = inner.links[place].take() else {
            return;
        };
        if link.told.lane.is_on() {
            link.told.lane.record(Event::ProcessExit {
                pid: u64::from(link.process.pid()),
                status: exit.for_the_record(),
            });
        }
        let autopsy = Autopsy {
            fingerprint: self.settings.fingerprint,
            tells_tail: self.settings.output == Output::Capture,
            oom: &mut inner.oom,
            voice: inner.voice.as_mut(),
        };
        let (obituary, why) = link.bury(now, place, &mut inner.core, exit, autopsy);
        inner.core.died(now, place, &obituary, &why);
    }
    // ANCHOR_END: drive

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
    fn send(&mut self, place: usize, job: Key, number: u64, from: u32) {
        let (Some(link), Some(order), Some(wish)) = (
            &mut self.links[place],
            self.core.job(job),
            self.core.wish(job),
        ) else {
            return;
        };
        let head = Head {
            len: order.args().len() as u32,
            gifts: order.gifts.as_ref().map_or(0, |gifts| gifts.len()) as u8,
            function: wish.function,
            ticket: Ticket::new(number, from),
            count: wish.items,
            took: link.round,
            ..Head::of(Kind::Job)
        };
        if number == self.core.turn(place) {
            link.told.starts(job); // nothing is before it there
        }
        link.push(head, order);
    }

    /// Works in what the worker in this place says.
    fn hear(&mut self, now: Time, place: usize, fingerprint: u64) {
        if let Some(link) = &mut self.links[place] {
            if link.page.is_outgrown() {
                self.core.outgrew(now, place);
            }
            let at = named(&mut self.core, place);
            link.hear(now, place, &mut self.core, fingerprint);
            if link.deaf && !link.killed {
                // It is ending; or it closed what it should not have. If it is dead already, that was not us.
                link.process.kill();
            }
            link.read_output(self.voice.as_mut(), at, self.core.turn(place), false);
            if link.held > 0 || link.blocked {
                link.flush();
            }
        }
    }

    /// The same for the driver, who leaves alone what somebody else reads.
    fn hear_unless_led(&mut self, now: Time, place: usize, fingerprint: u64) -> bool {
        if !self.is_led(place) {
            self.hear(now, place, fingerprint);
            return true;
        }
        if let Some(link) = &mut self.links[place] {
            let at = named(&mut self.core, place);
            link.read_output(self.voice.as_mut(), at, self.core.turn(place), false);
            if link.blocked {
                link.flush();
            }
        }
        false
    }

    fn launched(&mut self, now: Time, place: usize, launched: io::Result<Link>) {
        match launched {
            Ok(mut link) => {
                // It may have been told to end while it was being started.
                if self.core.state(place) == State::Ending {
                    link.quit();
                }
                self.links[place] = Some(link);
            }
            Err(error) => {
                let obituary = crate::core::Obituary {
                    pid: 0,
                    how: Death::Exit(255),
                    from_outside: false,
                    begun: Ticket(0),
                    stderr_tail: String::new(),
                };
                self.core.died(now, place, &obituary, &error.to_string());
            }
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

    /// Whether something goes on that only the driver sees to.
    fn is_moving(&self) -> bool {
        let links = self.links.iter().enumerate();
        let mut links = links.filter_map(|(place, link)| Some((place, link.as_ref()?)));
        links.any(|(place, link)| self.core.state(place) != State::Ready || link.deaf)
    }

    /// Whether a worker has something to do and nobody looks at it.
    fn is_overlooked(&self) -> bool {
        (0..self.links.len()).any(|place| self.core.load(place) > 0 && !self.is_led(place))
    }

    /// The workers that somebody who waits for this job may look at. From now on they are led.
    fn led_by(&self, job: Key, needed: bool) -> Vec<Watched> {
        let only = self.core.alone_with(job);
        let all = !needed && self.leaders == 0;
        // What it waits for must come from one of them, by a word or by its death. If it came another way (a queued job
        // is cancelled), nobody would tell.
        let its = self.core.with(job);
        let comes_from_them = its.is_some_and(|place| {
            let free = |link: &Link| !link.deaf && !link.eyes.led.load(Ordering::Relaxed);
            self.core.state(place) == State::Ready && self.links[place].as_ref().is_some_and(free)
        });
        let mut led = Vec::new();
        if !comes_from_them {
            return led;
        }
        for (place, link) in self.links.iter().enumerate() {
            if let Some(link) = link
                && (all || only == Some(place))
                && self.core.state(place) == State::Ready
                && !link.deaf
                && !link.eyes.led.swap(true, Ordering::Relaxed)
            {
                led.push(watch(place, link, true));
            }
        }
        led
    }

    /// Whether somebody else reads what this worker says. Nobody takes it away from under them: they would wait on.
    fn is_led(&self, place: usize) -> bool {
        let link = self.links[place].as_ref();
        link.is_some_and(|link| link.eyes.led.load(Ordering::Relaxed))
    }

    /// What the driver looks at; it does not read what these say.
    fn watched(&self, led: &[usize]) -> Vec<Watched> {
        let links = self.links.iter().enumerate();
        let watch = |(place, link): (usize, &Option<Link>)| {
            Some(watch(place, link.as_ref()?, !led.contains(&place)))
        };
        links.filter_map(watch).collect()
    }

    /// What is submitted under this lock makes a piece that is worth sending.
    pub(crate) fn hold_nothing(&mut self) {
        self.hold_nothing = true;
    }

    pub(crate) fn wait_for_room(&mut self, waker: &Waker) {
        self.room.push_back(waker.clone());
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

/// A worker, as the driver looks at it while it holds nothing of the pool.
struct Watched {
    place: usize,
    eyes: Arc<Eyes>,
    /// What of its socket is of interest.
    socket: PollFlags,
}

fn watch(place: usize, link: &Link, reads: bool) -> Watched {
    let mut socket = PollFlags::empty();
    if !link.deaf && reads {
        socket |= PollFlags::IN;
    }
    if !link.deaf && link.blocked {
        socket |= PollFlags::OUT;
    }
    Watched {
        place,
        eyes: Arc::clone(&link.eyes),
        socket,
    }
}

/// Waits until something can be read or written, at most for so long, and so much of it awake. Which places, and
/// whether the process there is dead.
fn look(
    watched: &[Watched],
    bell: Option<&Socket>,
    limit: Option<Duration>,
    spin: Duration,
) -> Vec<(usize, bool)> {
    // For each descriptor: whose it is, and whether it is the one that tells of death.
    let mut whose = Vec::with_capacity(2 * watched.len() + 1);
    let mut fds = Vec::with_capacity(2 * watched.len() + 1);
    for worker in watched {
        whose.push((worker.place, true));
        fds.push(PollFd::new(&worker.eyes.pidfd, PollFlags::IN));
        if !worker.socket.is_empty() {
            whose.push((worker.place, false));
            fds.push(PollFd::new(&worker.eyes.socket, worker.socket));
        }
        for pipe in worker.eyes.open_pipes() {
            whose.push((worker.place, false));
            fds.push(PollFd::new(pipe, PollFlags::IN));
        }
    }
    fds.extend(bell.map(|bell| PollFd::new(bell, PollFlags::IN)));
    let spin = limit.map_or(spin, |limit| limit.min(spin));
    let begun = Instant::now();
    let quiet = |fds: &[PollFd<'_>]| fds.iter().all(|fd| fd.revents().is_empty());
    while quiet(&fds) && begun.elapsed() < spin {
        poll(&mut fds, Some(Duration::ZERO));
    }
    if quiet(&fds) {
        poll(&mut fds, limit.map(|limit| limit.saturating_sub(spin)));
    }
    if let Some(bell) = bell
        && fds.last().is_some_and(|fd| !fd.revents().is_empty())
    {
        let _ = bell.try_receive(&mut [0; 256], &mut VecDeque::new());
    }
    let rung = whose.into_iter().zip(&fds);
    let rung = rung.filter(|(_, fd)| !fd.revents().is_empty());
    rung.map(|(whose, _)| whose).collect()
}
