//! The floor: robots are real threads, and one of them moves at a time.
//!
//! Before each step a robot stops, announces the step, and somebody is picked to move next: perhaps
//! the same robot, perhaps another one. Everybody else is parked. There is no manager thread: the
//! robot that stops does the picking and hands over to the robot that it picked, so going on with
//! the same robot costs no thread switch at all.
//!
//! Between two stops nobody else runs. So a run is decided by its picks alone, and the same picks
//! give the same run.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::hash::{Hash, Hasher};
use std::panic::{self, AssertUnwindSafe, Location};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use flight::VirtualTime;

use crate::breakdown;
use crate::clock::Knowledge;
use crate::crew::Crew;
use crate::ending::End;
use crate::marks::{Taken, marks};
use crate::pending::{Op, ThingId};
use crate::schedule::Picks;
use crate::scheduler::{Choice, Scheduler};
use crate::story::Story;
use crate::tale::Tale;
use crate::thing::{Made, Name, Tag, Thing, Visit};

/// A place in the source.
pub type Place = &'static Location<'static>;

/// One run of one check: its robots, its things, and whose turn it is.
pub(crate) struct Floor {
    /// Tells this run from every other one in the process.
    pub run: u64,
    state: Mutex<State>,
}

/// Everything that is true on the floor at one moment: what a step may look at, and what it may
/// change.
pub struct State {
    pub(crate) robots: Vec<Robot>,
    pub(crate) things: Vec<Thing>,
    pub(crate) made: Vec<Made>,
    pub(crate) tale: Tale,
    /// Set once, when the run has ended before its time. All robots go home at their next stop.
    pub(crate) end: Option<End>,
    pub(crate) scheduler: Scheduler,
    /// What has been picked so far.
    pub(crate) picks: Picks,
    /// The steps that have been taken so far; not in a simulation, which may have any number.
    pub(crate) taken: Vec<Taken>,
    pub(crate) rules: Rules,
    /// The run does not count: it must be run again, with giving a lock back as a step.
    pub(crate) again: bool,
    /// Whose turn it is.
    pub(crate) moving: usize,
    /// The next change of robots costs nothing. See `pick_next`.
    pub(crate) change_is_free: bool,
    /// One sleeper at a bell may still wake up unasked in this run.
    pub(crate) may_wake_unasked: bool,
    /// Somebody has had several ways to go on.
    pub(crate) has_chosen: bool,
    /// A number that differs as soon as two runs differ in a step that somebody announces.
    pub(crate) fingerprint: u64,
    steps: u64,
    /// When a robot was made to wait last that could have gone on; in steps.
    preempted: u64,
    /// Robots that have not finished.
    present: usize,
}

/// One robot, as the floor sees it.
#[derive(Default)]
pub struct Robot {
    /// What a story calls it: no two have the same name.
    pub name: String,
    /// What others touch when they wake it, or look whether it is still there.
    pub(crate) thing: ThingId,
    /// Somebody has unparked it, and it has not parked since.
    pub token: bool,
    /// The scope in which it was spawned, by its address; 0 if in none.
    pub scope: usize,
    /// The step that it has announced, and where.
    pub pending: Option<(Op, Place)>,
    /// It could take that step. Only known while somebody is picked.
    pub(crate) is_ready: bool,
    /// It has been woken where it sleeps: by a ring, or unasked.
    pub rung: bool,
    /// What it knows of the others.
    pub(crate) knows: Knowledge,
    /// Finished, one way or another.
    pub gone: bool,
    /// Whom it has let go first, and who has not moved since.
    pub(crate) lets_first: Vec<usize>,
    /// The places it has passed since anybody else moved, and how often.
    pub(crate) passed: Vec<(Place, usize)>,
    /// When it could have moved last, and when it did; in steps.
    could: u64,
    moved: u64,
    /// Who spawned it and goes on as soon as it stops for the first time.
    spawner: Option<usize>,
    thread: Option<Thread>,
}

/// What holds for a whole run.
#[derive(Clone)]
pub struct Rules {
    /// The name of the check.
    pub check: Arc<str>,
    /// How time passes.
    pub time: Time,
    /// Giving a lock back is a step, so that somebody who only tries can come before it.
    pub unlock_is_step: bool,
    /// One sleeper at a bell may wake up unasked.
    pub wake_unasked: bool,
    /// Things made before the run began would carry marks of one schedule into the next: refuse
    /// them.
    pub things_from_outside: bool,
    /// More steps than this: nobody gets anywhere.
    pub max_steps: u64,
    /// Somebody who wants to hear of every decision.
    pub watch: Option<Watch>,
    /// Where robots get their threads from.
    pub crew: Arc<dyn Crew>,
    /// Counts the steps of all runs.
    pub(crate) heartbeat: Arc<AtomicU64>,
}

/// Is told of a decision when it has been made, and before anybody moves: how things stand, what
/// could be done, the index of what will be done, and whether it is about whose turn it is.
pub type Watch = Arc<dyn Fn(&State, &[Choice], usize, bool) + Send + Sync>;

/// How time passes during a run.
#[derive(Clone)]
pub enum Time {
    /// Not at all: a nap takes no time, it only lets others go first, or not.
    Stands,
    /// One second a step, for the sake of a recording. Naps as above.
    Ticks(VirtualTime),
    /// Naps take what they say, steps take nothing. Time jumps on when nobody is ready.
    Flows(VirtualTime),
}

/// The payload with which robots are unwound when a run ends early. Nobody sees it.
struct RunIsOver;

// Who am I? -------------------------------------------------------------------------------------

/// A robot's own handle on the floor that it stands on.
#[derive(Clone)]
pub struct Me {
    pub(crate) floor: Arc<Floor>,
    /// Its number in this run. The first one is 0.
    pub id: usize,
}

thread_local! {
    static ME: RefCell<Option<Me>> = const { RefCell::new(None) };
    static INSIDE_AN_ACCESS: Cell<bool> = const { Cell::new(false) };
}

/// The robot that this thread is, if it is one and if it is not being unwound.
///
/// A robot that is being unwound no longer stops: the values that it drops behave like plain std.
#[inline]
pub fn me() -> Option<Me> {
    if anybody_runs() { me_in_a_run() } else { None }
}

#[cold]
fn me_in_a_run() -> Option<Me> {
    if thread::panicking() { None } else { ME.try_with(|me| me.borrow().clone()).ok().flatten() }
}

/// Is this thread a robot, even one that is being unwound?
pub fn is_robot() -> bool {
    ME.try_with(|me| me.borrow().is_some()).unwrap_or(false)
}

/// Is this thread a robot that is being unwound?
#[cold]
pub fn is_sent_home() -> bool {
    anybody_runs() && thread::panicking() && is_robot()
}

/// The story of the run that this robot was in, if it has ended: for who cannot go home in peace.
pub(crate) fn story_of_the_end() -> Option<Story> {
    let me = ME.try_with(|me| me.borrow().clone()).ok()??;
    let state = me.floor.state.try_lock().ok()?;
    state.end.as_ref().map(|end| Story::tell(&state.rules.check, &state, end, false))
}

/// Runs `f` as part of the current step: it cannot be stopped half-way, so it must not try to stop.
pub fn within_one_step<R>(f: impl FnOnce() -> R) -> R {
    if !anybody_runs() {
        return f();
    }
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            INSIDE_AN_ACCESS.set(self.0);
        }
    }
    let _restore = Restore(INSIDE_AN_ACCESS.replace(true));
    f()
}

impl Me {
    /// Stops, announces a step, waits for the turn, takes the step. This is the only place where
    /// robots take turns.
    ///
    /// `announce` looks at the floor and names the step; `take` is the step's effect on the floor.
    pub fn step<R>(
        &self,
        at: Place,
        announce: impl FnOnce(&mut State) -> Op,
        take: impl FnOnce(&mut State) -> R,
    ) -> R {
        let mut state = self.floor.state();
        if INSIDE_AN_ACCESS.get() {
            let end = End::misuse(&state.robots[self.id].name, at);
            state.finish(end);
        }
        let op = announce(&mut state);
        let mut state = self.stop(state, op, at);
        let result = take(&mut state);
        drop(self.unless_over(state));
        result
    }

    /// Stops with `op` announced. Returns when it is this robot's turn to take it.
    fn stop<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        op: Op,
        at: Place,
    ) -> MutexGuard<'a, State> {
        if state.end.is_none() {
            state.announce(self.id, op, at);
            state.pass_on(self.id);
        }
        let mut state = self.await_turn(state);
        state.count_step(self.id);
        self.unless_over(state)
    }

    /// Looks at the floor, or changes it, without stopping.
    pub fn glance<R>(&self, look: impl FnOnce(&mut State) -> R) -> R {
        look(&mut self.floor.state())
    }

    /// Ends the run here and now, and unwinds this robot.
    pub fn end_run(&self, end: End) -> ! {
        self.glance(|state| state.finish(end));
        go_home_early()
    }

    /// Wakes the robot whose turn it is, and parks until it is this one's.
    pub(crate) fn await_turn<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
    ) -> MutexGuard<'a, State> {
        if state.moving != self.id && state.end.is_none() {
            let next = state.robots[state.moving].thread.clone();
            // Let go before waking, or the other thread would wake up only to wait for this lock.
            drop(state);
            if let Some(next) = next {
                next.unpark();
            }
            loop {
                thread::park();
                state = self.floor.state();
                if state.moving == self.id || state.end.is_some() {
                    break;
                }
                drop(state);
            }
        }
        self.unless_over(state)
    }

    /// Unwinds this robot if the run has ended meanwhile.
    pub(crate) fn unless_over<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        if state.end.is_none() {
            return state;
        }
        drop(state);
        go_home_early()
    }

    /// Puts a new robot on the floor. It is its turn until it stops for the first time.
    pub(crate) fn hire(&self, name: Option<&str>) -> Me {
        let id = self.glance(|state| {
            let id = state.robots.len();
            if id == MOST_ROBOTS && !matches!(state.rules.time, Time::Flows(_)) {
                state.finish(End::too_many_robots());
            }
            let name = state.free_name(name.map_or_else(|| format!("robot-{id}"), str::to_owned));
            state.things.push(Thing::new(Name::Given(name.clone())));
            let thing = state.things.len() - 1;
            state.robots.push(Robot { spawner: Some(self.id), ..Robot::new(name, thing) });
            state.spawns(self.id, id);
            state.present += 1;
            state.moving = id;
            id
        });
        Me { floor: Arc::clone(&self.floor), id }
    }

    /// Where robots get their threads from.
    pub(crate) fn crew(&self) -> Arc<dyn Crew> {
        self.glance(|state| Arc::clone(&state.rules.crew))
    }

    /// Takes back `hire`, when the operating system had no thread for the robot.
    pub(crate) fn unhire(&self, robot: usize) {
        self.glance(|state| {
            state.robots[robot].gone = true;
            state.present -= 1;
            state.moving = self.id;
        });
    }

    /// Waits until the robot that this one has hired has stopped for the first time.
    pub(crate) fn let_start(&self) {
        drop(self.await_turn(self.floor.state()));
    }

    /// The whole life of a robot, on the thread that calls this. `deliver` gets the result while
    /// the robot is still here.
    pub fn live<T>(self, f: impl FnOnce() -> T, deliver: impl FnOnce(thread::Result<T>)) {
        ME.set(Some(self.clone()));
        let _home = WayHome(&self);
        let result = panic::catch_unwind(AssertUnwindSafe(|| {
            self.glance(|state| state.robots[self.id].thread = Some(thread::current()));
            drop(self.await_turn(self.floor.state()));
            let result = f();
            self.finishes();
            result
        }));
        if let Err(payload) = &result {
            self.give_up(payload.as_ref());
        }
        // If nobody wants the result any more, it is dropped here.
        if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(|| deliver(result))) {
            self.give_up(payload.as_ref());
        }
    }

    /// The robot has nothing left to do. That is a step where somebody looks whether it is still
    /// there.
    fn finishes(&self) {
        let (last, is_step) = self.glance(|state| {
            (state.robots[self.id].pending.map(|(_, at)| at), state.rules.unlock_is_step)
        });
        if is_step {
            let v = self.visit(self.id, last.unwrap_or(Location::caller()));
            v.step(v.changes("finish"), |_| ());
        }
    }

    /// The robot comes to another robot, or to itself.
    pub fn visit(&self, robot: usize, at: Place) -> Visit {
        let thing = self.glance(|state| {
            let thing = state.robots[robot].thing;
            state.touches(self.id, thing);
            thing
        });
        Visit { me: self.clone(), thing, at }
    }

    /// The robot panics, and others must know before its thread has to wait for them.
    pub fn give_up(&self, payload: &(dyn Any + Send)) {
        if !payload.is::<RunIsOver>() {
            self.glance(|state| {
                let end = End::broke_down(&state.robots[self.id].name, &breakdown::last_words());
                state.finish(end);
            });
        }
    }

    /// The robot has finished, or has broken down: somebody else moves.
    fn go_home(&self) {
        let mut state = self.floor.state();
        state.robots[self.id].gone = true;
        state.robots[self.id].pending = None;
        state.present -= 1;
        if state.end.is_none() && state.present > 0 {
            state.pass_on(self.id);
        }
        // The first robot's thread also waits for the last robot to leave.
        let next = if state.present == 0 { 0 } else { state.moving };
        let next = state.robots[next].thread.clone();
        drop(state);
        if let Some(next) = next {
            next.unpark();
        }
    }
}

/// The end of a robot's life, also if a value that it leaves behind unwinds while it is dropped.
struct WayHome<'a>(&'a Me);

impl Drop for WayHome<'_> {
    fn drop(&mut self) {
        self.0.go_home();
        ME.set(None);
    }
}

/// Unwinds this thread without a word: `resume_unwind` does not call the panic hook.
pub(crate) fn go_home_early() -> ! {
    panic::resume_unwind(Box::new(RunIsOver))
}

// A run -----------------------------------------------------------------------------------------

/// The name of the robot that runs the closure given to `check`.
const FIRST_ROBOT: &str = "the evening";

/// A schedule calls robots by letters. Long before there are so many, there are too many schedules.
const MOST_ROBOTS: usize = 26;

/// Numbers the runs of this process, from 1.
static RUNS: AtomicU64 = AtomicU64::new(1);

/// How many runs are going on in this process. As long as there is none, what is shaped like std
/// has nothing to ask but this: one load.
static GOING_ON: AtomicUsize = AtomicUsize::new(0);

/// Is there a run that this thread could have to do with?
#[inline]
pub fn anybody_runs() -> bool {
    // Relaxed: a robot has been started by its run, in order.
    GOING_ON.load(Ordering::Relaxed) > 0
}

struct GoingOn;

impl GoingOn {
    fn begins() -> GoingOn {
        GOING_ON.fetch_add(1, Ordering::Relaxed);
        GoingOn
    }
}

impl Drop for GoingOn {
    fn drop(&mut self) {
        GOING_ON.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The first of several.
fn with_room<T>(room: usize, first: T) -> Vec<T> {
    let mut all = Vec::with_capacity(room);
    all.push(first);
    all
}

/// Mixes what happens into one number. Nobody tries to cheat it, and each step pays for it: so it is
/// not the hasher of std.
struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut word = bytes.len() as u64;
        for byte in bytes {
            word = word.wrapping_mul(257).wrapping_add(u64::from(*byte));
        }
        self.write_u64(word);
    }

    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }

    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }

    // Undone by nothing that follows: whoever differs here, differs from now on.
    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0 ^ n).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    }
}

impl Floor {
    /// An empty floor on which nobody has moved yet.
    pub(crate) fn new(scheduler: Scheduler, rules: Rules) -> Arc<Floor> {
        if let Time::Ticks(time) = &rules.time {
            time.reset();
        }
        let mut first = Robot::new(FIRST_ROBOT.to_owned(), 0);
        first.knows.now.tick(0);
        let state = State {
            robots: with_room(4, first),
            things: with_room(8, Thing::new(Name::Given(FIRST_ROBOT.to_owned()))),
            made: Vec::new(),
            tale: Tale::default(),
            end: None,
            scheduler,
            picks: Picks::new(rules.unlock_is_step),
            taken: Vec::new(),
            moving: 0,
            change_is_free: false,
            may_wake_unasked: rules.wake_unasked,
            has_chosen: false,
            again: false,
            rules,
            fingerprint: 1, // 0 would not notice another 0.
            steps: 0,
            preempted: 0,
            present: 1,
        };
        Arc::new(Floor { run: RUNS.fetch_add(1, Ordering::Relaxed), state: Mutex::new(state) })
    }

    /// Runs `f` as the first robot, on this thread, until every robot has gone home. Returns what
    /// is left on the floor.
    pub(crate) fn run(self: &Arc<Floor>, f: impl FnOnce()) -> MutexGuard<'_, State> {
        assert!(!is_robot(), "a check inside a check: a robot cannot hold a rehearsal of its own");
        let _going_on = GoingOn::begins();
        breakdown::listen();
        let floor = Arc::clone(self);
        Me { floor, id: 0 }.live(f, drop);
        loop {
            let state = self.state();
            if state.present == 0 {
                return state;
            }
            drop(state);
            thread::park();
        }
    }

    /// The lock around the floor. Nobody panics while holding it, so poison means nothing here.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Robot {
    fn new(name: String, thing: ThingId) -> Robot {
        Robot { name, thing, ..Robot::default() }
    }

    /// How often it has come to where it is, while nobody else moved.
    pub(crate) fn times_passed(&self) -> usize {
        let here = |(place, _): &&(Place, usize)| self.pending.is_some_and(|(_, at)| *place == at);
        self.passed.iter().find(here).map_or(0, |(_, times)| *times)
    }
}

impl State {
    /// The number of the thing behind `tag` in this run.
    pub(crate) fn thing(&mut self, tag: &Tag, me: &Me, at: Place) -> ThingId {
        let thing = tag.seat(me.floor.run, || {
            let name = self.name_for(tag, self.things.len());
            self.things.push(Thing::new(name));
            self.things.len() - 1
        });
        self.touches(me.id, thing);
        let may_come = self.rules.things_from_outside && !tag.has_contents;
        if !may_come && !tag.was_made_on(&me.floor) {
            let end = End::made_outside(&self.name_of(thing), &self.robots[me.id].name, at);
            self.finish(end);
        }
        thing
    }

    /// How a story calls a thing.
    pub fn name_of(&self, thing: ThingId) -> String {
        self.things[thing].name.to_string()
    }

    /// Ends the run. The first end counts: what follows is only its echo.
    pub fn finish(&mut self, end: End) {
        if self.end.is_none() {
            self.end = Some(End { marks: marks(self, &end), ..end });
            for thread in self.robots.iter().filter_map(|robot| robot.thread.as_ref()) {
                thread.unpark();
            }
        }
    }

    /// Somebody tries a lock: from now on it matters when locks are given back. A check starts
    /// again, but lets the run come to its end first: robots that are sent home are unwound, and
    /// that is more than some programs can take.
    pub fn unlock_becomes_step(&mut self) {
        if !self.rules.unlock_is_step {
            self.rules.unlock_is_step = true;
            self.again = !matches!(self.rules.time, Time::Flows(_));
        }
    }

    /// Is anybody still on the floor?
    pub(crate) fn is_running(&self) -> bool {
        self.present > 0
    }

    fn announce(&mut self, me: usize, op: Op, at: Place) {
        self.comes_to((me, op, at.line(), at.column()));
        self.robots[me].pending = Some((op, at));
        self.passes(me, at);
    }

    /// The robot passes this place. How often has it, since anybody else moved?
    pub(crate) fn passes(&mut self, me: usize, at: Place) -> usize {
        let robot = &mut self.robots[me];
        match robot.passed.iter_mut().find(|(place, _)| *place == at) {
            Some((_, times)) => {
                *times += 1;
                *times
            }
            None => {
                robot.passed.push((at, 1));
                1
            }
        }
    }

    /// Robot `me` has these ways to go on.
    pub(crate) fn is_offered(&mut self, me: usize, ways: &[impl AsRef<str>], at: Place) {
        let ways: Vec<&str> = ways.iter().map(AsRef::as_ref).collect();
        self.comes_to((me, at.line(), at.column(), ways));
        self.has_chosen = true;
    }

    fn comes_to(&mut self, what: impl Hash) {
        let mut mixer = Mixer(self.fingerprint);
        what.hash(&mut mixer);
        self.fingerprint = mixer.finish();
    }

    /// Hands the floor to the next robot: to the spawner at a robot's first stop, to the
    /// scheduler's pick otherwise.
    fn pass_on(&mut self, me: usize) {
        match self.robots[me].spawner.take() {
            Some(spawner) => self.moving = spawner,
            None => self.pick_next(me),
        }
    }

    fn count_step(&mut self, me: usize) {
        for robot in &mut self.robots {
            if !robot.lets_first.is_empty() {
                robot.lets_first.retain(|other| *other != me);
            }
        }
        self.robots[me].moved = self.steps;
        if let Time::Ticks(time) = &self.rules.time {
            time.advance(Duration::from_secs(1));
        }
        if let (Time::Stands | Time::Ticks(_), Some((op, _))) =
            (&self.rules.time, self.robots[me].pending)
        {
            let line = self.tale.forgotten + self.tale.lines.len();
            self.taken.push(Taken { robot: me, op, line });
        }
        self.count_effort();
    }

    /// Somebody is still at it. That must not go on for ever.
    pub(crate) fn count_effort(&mut self) {
        self.steps += 1;
        self.rules.heartbeat.fetch_add(1, Ordering::Relaxed);
        if self.steps > self.rules.max_steps {
            let end = End::nobody_gets_anywhere(self);
            self.finish(end);
        }
    }

    /// One of these choices has been taken, about whose turn it is.
    pub(crate) fn note_turn(&mut self, choices: &[Choice], picked: usize) {
        choices.iter().for_each(|choice| self.robots[choice.robot].could = self.steps);
        if choices[picked].price > 0 {
            self.preempted = self.steps;
        }
    }

    /// Has nobody had to wait for the schedule's sake, in the second half of the steps that a run
    /// may take? Then whoever gets nowhere has only themselves to blame.
    pub(crate) fn is_fair(&self) -> bool {
        let half = self.rules.max_steps / 2;
        let starves = |it: &Robot| !it.gone && it.could > half && it.moved <= half;
        matches!(self.scheduler, Scheduler::InTurn)
            || matches!(self.rules.time, Time::Flows(_))
            || self.preempted <= half && !self.robots.iter().any(starves)
    }

    /// Is it `until` yet? Where time does not flow, a nap can end at any moment.
    pub(crate) fn time_is(&self, until: u64) -> bool {
        match &self.rules.time {
            Time::Flows(time) => time.now() >= until,
            Time::Stands | Time::Ticks(_) => true,
        }
    }

    /// When a nap of this length is over.
    pub fn wake_time(&self, nap: Duration) -> u64 {
        match &self.rules.time {
            Time::Flows(time) => {
                time.now().saturating_add(u64::try_from(nap.as_nanos()).unwrap_or(u64::MAX))
            }
            Time::Stands | Time::Ticks(_) => 0,
        }
    }

    /// Nobody is ready: lets time jump to the end of the first nap. False if nobody naps.
    pub(crate) fn time_jumps(&mut self) -> bool {
        let Time::Flows(time) = &self.rules.time else {
            return false;
        };
        let naps = self.robots.iter().enumerate();
        let naps = naps.filter_map(|(id, robot)| robot.pending?.0.until(id, self));
        let Some(until) = naps.min() else {
            return false;
        };
        time.advance_to(until);
        self.steps = 0;
        true
    }

    /// Two robots of one name could not be told apart in a story.
    fn free_name(&self, name: String) -> String {
        let taken = |name: &str| self.robots.iter().any(|robot| robot.name == name);
        if !taken(&name) {
            return name;
        }
        (2..).map(|n| format!("{name} ({n})")).find(|name| !taken(name)).unwrap_or(name)
    }
}
