// ANCHOR: names
//! The reactor: who waits for which descriptor.
//!
//! A socket has a slot here for as long as it lives. A task that finds nothing to read leaves its waker in the
//! slot. When LoopBot has nothing to do, it waits in the reactor and not in its sleep: the system says which
//! descriptors are ready, and the reactor wakes those who wait for them. That is all it does. Reading and
//! writing is done by the tasks themselves.

use std::cell::{Cell, RefCell};
use std::io;
use std::mem;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

pub(crate) use crate::poller::{AsSource, Mode, Poller};

use loopbot_core::leaf::{self, wake_caught};
use loopbot_core::parking::{self, Park, Unpark};

use crate::poller::{Events, Report};

/// To read, or to write. A listener that has a connection to accept can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Read,
    Write,
}

/// What is known of one direction of a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// No event yet, and nobody has tried. Trying is cheaper than asking.
    Untold,
    /// An event has come since somebody last found it dry.
    Ready,
    /// Somebody tried, and would have had to wait. Not to be tried again before the next event.
    Dry,
}

/// The name of a slot, as the poller's events carry it: its index, and in the upper bits its generation. An
/// event that comes late, for a socket that is gone, does not fit the slot's next tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(usize);

/// One less than fits: the highest names are the poller's own.
const MOST_SLOTS: usize = u32::MAX as usize;

impl Key {
    fn new(index: usize, generation: u32) -> Key {
        Key(index | (generation as usize) << 32)
    }

    fn index(self) -> usize {
        self.0 & MOST_SLOTS
    }
}
// ANCHOR_END: names

// ANCHOR: reactor
/// The poller, and a table of slots. It belongs to one LoopBot and never leaves its thread.
pub(crate) struct Reactor {
    /// Shared with whoever may have to end a wait from another thread.
    poller: Arc<Poller>,
    events: RefCell<Events>,
    slots: RefCell<Slots>,
    /// How many directions somebody waits for, and other things outside.
    awaited: Cell<usize>,
    /// Those to be woken. Empty between two waits; kept for its memory.
    woken: RefCell<Vec<Waker>>,
}

#[derive(Default)]
struct Slots {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

/// 56 bytes a socket.
struct Slot {
    generation: u32,
    mode: Mode,
    states: [State; 2],
    /// Whether a read that brings less than it could means that nothing is left.
    short_is_dry: bool,
    waiters: [Waiters; 2],
}

/// Those who wait for one direction: nearly always nobody, or one.
#[derive(Default)]
struct Waiters {
    first: Option<Waker>,
    #[allow(clippy::box_collection)]
    // A pointer's room in every slot, for what hardly any slot has.
    more: Option<Box<Vec<Waker>>>,
}
// ANCHOR_END: reactor

// ANCHOR: making
/// How many wakers are kept for one direction. A future that is cancelled leaves its waker behind, so there
/// may be some that nobody misses; past this many the oldest is woken, which a waker that is missed survives.
const MOST_WAITERS: usize = 1024;

impl Reactor {
    pub(crate) fn new() -> io::Result<Reactor> {
        Ok(Reactor {
            poller: Arc::new(Poller::new()?),
            events: RefCell::new(Events::new()),
            slots: RefCell::default(),
            awaited: Cell::new(0),
            woken: RefCell::default(),
        })
    }

    /// That of the LoopBot which runs on this thread, made when it is first needed.
    #[track_caller]
    pub(crate) fn of_this_loop(function: &str) -> io::Result<Rc<Reactor>> {
        leaf::must_run_on_a_loop(function);
        Reactor::of_the_loop_here().expect("a LoopBot runs here: it was asked for a moment ago")
    }

    /// The same, if one runs.
    pub(crate) fn of_the_loop_here() -> Option<io::Result<Rc<Reactor>>> {
        parking::park_in(Reactor::new)
    }

    // ANCHOR_END: making

    // ANCHOR: wait
    /// Waits until a descriptor is ready that somebody waits for, until the poller is notified, or for
    /// `timeout` (`None`: without end; zero: only looks). Wakes those who waited.
    pub(crate) fn wait(&self, timeout: Option<Duration>) {
        let mut events = self.events.borrow_mut();
        self.poller
            .wait(&mut events, timeout)
            .expect("the system's poller works as long as its own descriptor is open");
        let mut woken = self.woken.take();
        self.note(events.iter(), &mut woken);
        drop(events);
        // Only now, when nothing is borrowed: a waker may be anybody's, and close any of these sockets.
        for waker in woken.drain(..) {
            wake_caught(waker);
        }
        self.woken.replace(woken);
    }

    /// Notes what is ready, and takes out the wakers of those who waited for it.
    fn note(&self, reports: impl Iterator<Item = Report>, woken: &mut Vec<Waker>) {
        let mut slots = self.slots.borrow_mut();
        for report in reports {
            let Some(slot) = slots.get(Key(report.key)) else {
                continue; // An event for a socket that is gone.
            };
            slot.short_is_dry &= !report.hang_up;
            let ready = [report.readable, report.writable];
            for (direction, ready) in ready.into_iter().enumerate() {
                if ready {
                    slot.states[direction] = State::Ready;
                }
                // On demand, one event disarms both directions: who waits for the other has to arm it again.
                let concerned = ready || slot.mode == Mode::OnDemand;
                if concerned && slot.waiters[direction].take_all(woken) {
                    self.awaited.set(self.awaited.get() - 1);
                }
            }
        }
    }
    // ANCHOR_END: wait

    // ANCHOR: registering
    /// Somebody waits for something outside that will be told by a waker: until this is dropped, LoopBot is not idle.
    pub(crate) fn expects(self: &Rc<Self>) -> Expected {
        self.awaited.set(self.awaited.get() + 1);
        Expected(self.clone())
    }

    /// Gives a descriptor a slot, and has the poller watch it. Also says how, if not as asked.
    pub(crate) fn register(&self, source: &impl AsSource, mode: Mode) -> io::Result<(Key, Mode)> {
        let mode = self.poller.mode(mode);
        let short_is_dry = mode == Mode::Edge && self.poller.tells_hang_up();
        let key = self.slots.borrow_mut().insert(mode, short_is_dry)?;
        if let Err(error) = self.poller.add(source, key.0, mode) {
            self.slots.borrow_mut().remove(key);
            return Err(error);
        }
        Ok((key, mode))
    }

    /// The end of a registration. To be called before the descriptor is closed.
    pub(crate) fn deregister(&self, source: &impl AsSource, key: Key) {
        self.poller.delete(source);
        let waiters = self.slots.borrow_mut().remove(key);
        for mut waiters in waiters {
            // They are dropped, not woken: who could use the socket holds it, and it would not be closed.
            let mut left = Vec::new();
            if waiters.take_all(&mut left) {
                self.awaited.set(self.awaited.get() - 1);
            }
        }
    }

    pub(crate) fn state(&self, key: Key, direction: Direction) -> State {
        self.slots.borrow_mut().of(key).states[direction as usize]
    }

    /// Somebody tried and would have had to wait.
    pub(crate) fn is_dry(&self, key: Key, direction: Direction) {
        self.slots.borrow_mut().of(key).states[direction as usize] = State::Dry;
    }

    /// Somebody got less than could have been. If that is all there is, the next attempt would be for nothing.
    pub(crate) fn was_short(&self, key: Key, direction: Direction) {
        let mut slots = self.slots.borrow_mut();
        let slot = slots.of(key);
        if slot.short_is_dry {
            slot.states[direction as usize] = State::Dry;
        }
    }

    /// Keeps a waker until a direction is ready. Several may wait for the same.
    pub(crate) fn keep_waker(&self, key: Key, direction: Direction, waker: &Waker) {
        let is_kept = |slots: &mut Slots| {
            let waiters = &slots.of(key).waiters[direction as usize];
            waiters.iter().any(|kept| kept.will_wake(waker))
        };
        if is_kept(&mut self.slots.borrow_mut()) {
            return;
        }
        // Cloned while nothing is borrowed: a waker may be anybody's.
        let waker = leaf::keep(waker);
        let mut slots = self.slots.borrow_mut();
        let waiters = &mut slots.of(key).waiters[direction as usize];
        if waiters.first.is_none() {
            self.awaited.set(self.awaited.get() + 1);
        }
        let crowded_out = waiters.push(waker);
        drop(slots);
        if let Some(waker) = crowded_out {
            wake_caught(waker);
        }
    }

    /// Has the poller report again what is ready now, in the directions that somebody waits for.
    pub(crate) fn arm(&self, source: &impl AsSource, key: Key, mode: Mode) -> io::Result<()> {
        let mut slots = self.slots.borrow_mut();
        let [read, write] = &slots.of(key).waiters;
        let (read, write) = (read.first.is_some(), write.first.is_some());
        self.poller.arm(source, key.0, mode, read, write)
    }
}

/// Something outside that is awaited.
pub(crate) struct Expected(Rc<Reactor>);

impl Drop for Expected {
    fn drop(&mut self) {
        self.0.awaited.set(self.0.awaited.get() - 1);
    }
}
// ANCHOR_END: registering

// ANCHOR: parking
/// The loop waits here, as soon as there is a socket.
impl Park for Reactor {
    fn park(&self, at_most: Option<Duration>) {
        self.wait(at_most);
    }

    /// Whether nobody waits for a descriptor. A wait that was cancelled counts until its descriptor is ready
    /// or closed, so `false` may be out of date; `true` never is.
    fn is_idle(&self) -> bool {
        self.awaited.get() == 0
    }

    fn unparker(&self) -> Arc<dyn Unpark> {
        self.poller.clone()
    }
}

impl Unpark for Poller {
    fn unpark(&self) {
        // It fails only if the poller is broken; then the loop hears of it when it waits.
        drop(self.notify());
    }
}
// ANCHOR_END: parking

// ANCHOR: slots
impl Slots {
    fn insert(&mut self, mode: Mode, short_is_dry: bool) -> io::Result<Key> {
        let index = match self.free.pop() {
            Some(index) => index as usize,
            None if self.slots.len() == MOST_SLOTS => {
                return Err(io::Error::other(format!(
                    "one LoopBot has {MOST_SLOTS} sockets open, and cannot name another: close some first"
                )));
            }
            None => {
                self.slots.push(Slot::new());
                self.slots.len() - 1
            }
        };
        let slot = &mut self.slots[index];
        slot.mode = mode;
        slot.short_is_dry = short_is_dry;
        Ok(Key::new(index, slot.generation))
    }

    /// The slot of this name, if it is not another's by now.
    fn get(&mut self, key: Key) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(key.index())?;
        (Key::new(key.index(), slot.generation) == key).then_some(slot)
    }

    /// The slot of a socket that exists.
    fn of(&mut self, key: Key) -> &mut Slot {
        self.get(key)
            .expect("a socket has its slot until it is dropped")
    }

    /// Empties a slot for its next tenant. Returns those who waited, to be dropped when nothing is borrowed.
    fn remove(&mut self, key: Key) -> [Waiters; 2] {
        let slot = self.of(key);
        let next = Slot {
            generation: slot.generation.wrapping_add(1),
            ..Slot::new()
        };
        let old = mem::replace(slot, next);
        self.free.push(key.index() as u32);
        old.waiters
    }
}

impl Slot {
    fn new() -> Slot {
        Slot {
            generation: 0,
            mode: Mode::Edge,
            states: [State::Untold; 2],
            short_is_dry: false,
            waiters: Default::default(),
        }
    }
}

impl Waiters {
    fn iter(&self) -> impl Iterator<Item = &Waker> {
        self.first
            .iter()
            .chain(self.more.iter().flat_map(|more| more.iter()))
    }

    /// Adds one. Returns the oldest if there are too many.
    fn push(&mut self, waker: Waker) -> Option<Waker> {
        if self.first.is_none() {
            self.first = Some(waker);
            return None;
        }
        let more = self.more.get_or_insert_default();
        more.push(waker);
        (more.len() > MOST_WAITERS).then(|| more.remove(0))
    }

    /// Moves them all out. Returns whether there was any.
    fn take_all(&mut self, into: &mut Vec<Waker>) -> bool {
        let Some(first) = self.first.take() else {
            return false;
        };
        into.push(first);
        if let Some(more) = &mut self.more {
            into.append(more);
        }
        true
    }
}

#[cfg(all(test, unix))]
#[path = "../tests/unit/reactor.rs"]
mod tests;
// ANCHOR_END: slots
