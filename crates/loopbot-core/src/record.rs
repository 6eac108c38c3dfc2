//! What LoopBot writes down, and what it remembers of its tasks in order to speak of them.
//!
//! A LoopBot in service needs none of this: to run a task it does not have to know its name. So there are
//! notes only if somebody will read them: with a recorder, on a virtual clock, or in a debug build. Of a task that
//! was given a name, the name is kept in any case. Otherwise everything here costs one branch: what is behind the branch is kept out of line,
//! so that it takes no room and no registers where nobody takes notes.
//!
//! The watchdog hears of things here as well. It keeps what it hears where its own thread can read it.

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use flight::{ActorKind, End, Event, Lane, Recorder, Source, Text};

use crate::builder::LoopBot;
use crate::observe::Observer;
use crate::shelf::MAIN;
use crate::stand_still::Wait;

pub(crate) struct Record {
    recorder: Recorder,
    pub(crate) lane: Lane,
    observer: Option<Box<dyn Observer>>,
    /// What to add to a time of ours to get a time of the recorder's, whose clock may have begun earlier.
    offset: u64,
    taken: bool,
    /// Whether a task was given a name, so that places on the shelf may have one.
    names_given: Cell<bool>,
    /// By place on the shelf.
    notes: RefCell<Vec<Note>>,
    why_timer: Cell<Option<Text>>,
    why_outside: Cell<Option<Text>>,
}

/// What is known of one task.
pub(crate) struct Note {
    pub(crate) name: Option<Rc<str>>,
    /// Its row in the record's table of tasks.
    row: flight::Task,
    /// How many times it was polled.
    polls: u64,
    /// The number, in the record, of the wake or the spawn that put it into the run queue.
    cause: u64,
    /// Whether one of LoopBot's own futures has ever kept its waker.
    pub(crate) waker_is_kept: bool,
    pub(crate) spawned_at: Option<&'static Location<'static>>,
    /// What it said in its last poll that it waits for, from the inside out; and in the one before.
    pub(crate) waits: Vec<Wait>,
    waited: Vec<Wait>,
}

impl Record {
    pub(crate) fn new(robot: &LoopBot) -> Record {
        Record {
            lane: robot.recorder.actor(&robot.name, ActorKind::Loop),
            observer: robot.watchdog.as_ref().and_then(|dog| dog.observe(robot)),
            offset: robot.recorder.now(),
            taken: robot.recorder.is_on()
                || robot.clock.is_virtual()
                || robot.pick_next.is_some()
                || cfg!(debug_assertions),
            names_given: Cell::new(false),
            recorder: robot.recorder.clone(),
            notes: RefCell::default(),
            why_timer: Cell::new(None),
            why_outside: Cell::new(None),
        }
    }

    /// Whether notes are taken.
    #[inline]
    pub(crate) fn is_taken(&self) -> bool {
        self.taken
    }

    /// Tells the watchdog, if there is one.
    #[inline(always)]
    fn tell_watchdog(&self, tell: impl FnOnce(&dyn Observer)) {
        if let Some(dog) = &self.observer {
            tell(&**dog);
        }
    }

    /// The run begins. To have notes on main, and its name, is not a reason to have them on all others.
    pub(crate) fn main_begins(&self, at: &'static Location<'static>) {
        self.tell_watchdog(|watch| watch.spawned(MAIN, 0, at));
        if self.is_taken() {
            self.note_spawn(MAIN, 0, Some("main"), at, None);
        }
    }

    /// A task was spawned. Once there are names, one without a name must not inherit that of the place's last task.
    #[inline]
    pub(crate) fn spawned(
        &self,
        slot: u32,
        born: u32,
        name: Option<&str>,
        at: &'static Location<'static>,
        by: Option<u32>,
    ) {
        self.tell_watchdog(|watch| watch.spawned(slot, born, at));
        if self.is_taken() || name.is_some() || self.names_given.get() {
            self.note_spawn(slot, born, name, at, by);
        }
    }

    #[cold]
    #[inline(never)]
    fn note_spawn(
        &self,
        slot: u32,
        born: u32,
        name: Option<&str>,
        at: &'static Location<'static>,
        by: Option<u32>,
    ) {
        if let Some(name) = name {
            self.tell_watchdog(|watch| watch.is_called(slot, born, name));
        }
        if !self.is_taken() {
            self.names_given.set(true);
            return self.note(slot, |note| note.name = name.map(Rc::from));
        }
        // Tasks are counted from 1 as they are spawned, those with names as well; main comes before them.
        let name: Rc<str> = name.map_or_else(|| numbered(born), Rc::from);
        let task = self.recorder.task(&name);
        let by = by.map(|by| self.row(by));
        let cause = self.lane.record(Event::TaskSpawn { task, by });
        self.note(slot, |note| {
            *note = Note {
                name: Some(name),
                row: task,
                cause,
                spawned_at: Some(at),
                ..Note::default()
            };
        });
    }

    #[inline]
    pub(crate) fn poll_begins(&self, slot: u32) {
        if self.is_taken() {
            self.note_poll(slot);
        }
        self.tell_watchdog(|watch| watch.poll_begins(slot));
    }

    #[cold]
    #[inline(never)]
    fn note_poll(&self, slot: u32) {
        let (task, poll, cause) = self.note(slot, |note| {
            note.polls += 1;
            std::mem::swap(&mut note.waits, &mut note.waited);
            note.waits.clear();
            (note.row, note.polls, note.cause)
        });
        let (_, t) = self.lane.record_at(Event::PollBegin { task, poll, cause });
        self.tell_watchdog(|watch| watch.begins_at(t));
    }

    #[inline]
    pub(crate) fn poll_ended(&self, slot: u32, ready: bool) {
        if self.is_taken() {
            self.note_end_of_poll(slot, ready);
        }
    }

    /// The loop looks at the world, or ends. Between two turns the watchdog is told nothing: what a task leaves behind is
    /// dropped there, and takes that task's time.
    pub(crate) fn turns_ended(&self) {
        self.tell_watchdog(|watch| watch.poll_ended());
    }

    #[cold]
    #[inline(never)]
    fn note_end_of_poll(&self, slot: u32, ready: bool) {
        let task = self.row(slot);
        let (_, t) = self.lane.record_at(Event::PollEnd { task, ready });
        self.tell_watchdog(|watch| watch.ends_at(t));
    }

    #[inline]
    pub(crate) fn woken(&self, slot: u32, source: impl FnOnce() -> Source) {
        if self.is_taken() {
            self.note_wake(slot, source());
        }
    }

    #[cold]
    #[inline(never)]
    fn note_wake(&self, slot: u32, source: Source) {
        let task = self.row(slot);
        let cause = self.lane.record(Event::Wake { task, source });
        self.note(slot, |note| note.cause = cause);
    }

    #[inline]
    pub(crate) fn ended(&self, slot: u32, how: End) {
        if self.is_taken() {
            self.note_end(slot, how);
        }
    }

    #[cold]
    #[inline(never)]
    fn note_end(&self, slot: u32, how: End) {
        let task = self.row(slot);
        self.lane.record(Event::TaskEnd { task, how });
    }

    /// Somebody took what the task made. Its place may be free by now, but nobody else has had it yet.
    #[inline]
    pub(crate) fn observed(&self, slot: u32) {
        if self.is_taken() {
            self.note_observed(slot);
        }
    }

    #[cold]
    #[inline(never)]
    fn note_observed(&self, slot: u32) {
        let task = self.row(slot);
        self.lane.record(Event::Observed { task });
    }

    /// The loop has nothing to do, until the next timer or until somebody rings.
    pub(crate) fn park_begins(&self, due: Option<u64>) {
        self.tell_watchdog(|watch| watch.park_begins());
        if self.lane.is_on() {
            let (cell, why) = match due {
                Some(_) => (&self.why_timer, "nobody is ready: waits for the next timer"),
                None => (
                    &self.why_outside,
                    "nobody is ready: waits for a wake from outside",
                ),
            };
            let why = cell.get().unwrap_or_else(|| self.lane.text(why));
            cell.set(Some(why));
            let until = due.map_or(0, |due| self.time(due));
            self.lane.record(Event::ParkBegin { why, until });
        }
    }

    /// It may have something to do.
    pub(crate) fn park_ended(&self) {
        self.tell_watchdog(|watch| watch.park_ended());
        self.lane.record(Event::ParkEnd);
    }

    /// For the watchdog: where the polled task waits, if that is known.
    #[inline]
    pub(crate) fn waits_at(&self, polled: Option<u32>, at: Option<&'static Location<'static>>) {
        if let Some(slot) = polled {
            self.tell_watchdog(|watch| watch.waits(slot, at));
        }
    }

    /// The same, if that place has a name.
    pub(crate) fn waits_by_name(
        &self,
        polled: Option<u32>,
        name: &Rc<str>,
        at: &'static Location<'static>,
    ) {
        if let Some(slot) = polled {
            self.tell_watchdog(|watch| watch.waits_by_name(slot, name, at));
        }
    }

    /// The polled task says what it waits for. If it said the same in its last poll, it has been waiting since then.
    pub(crate) fn waits(
        &self,
        slot: u32,
        what: String,
        at: Option<&'static Location<'static>>,
        now: Duration,
    ) {
        self.note(slot, |note| {
            let same = |wait: &&Wait| wait.what == what && wait.at == at;
            let since = note.waited.iter().find(same).map_or(now, |wait| wait.since);
            note.waits.push(Wait { what, at, since });
        });
    }

    /// A time of ours as the recorder's clock shows it.
    pub(crate) fn time(&self, time: u64) -> u64 {
        time + self.offset
    }

    /// The task's row in the record's table of tasks.
    pub(crate) fn row(&self, slot: u32) -> flight::Task {
        self.note(slot, |note| note.row)
    }

    pub(crate) fn name(&self, slot: u32, born: u32) -> Rc<str> {
        let name = (self.is_taken() || self.names_given.get())
            .then(|| self.note(slot, |note| note.name.clone()));
        name.flatten().unwrap_or_else(|| {
            if born == 0 {
                "main".into()
            } else {
                numbered(born)
            }
        })
    }

    /// The notes on a task; empty ones, if it was spawned before notes were taken.
    pub(crate) fn note<R>(&self, slot: u32, with: impl FnOnce(&mut Note) -> R) -> R {
        let mut notes = self.notes.borrow_mut();
        let slot = slot as usize;
        if notes.len() <= slot {
            notes.resize_with(slot + 1, Note::default);
        }
        with(&mut notes[slot])
    }
}

impl Default for Note {
    fn default() -> Note {
        Note {
            name: None,
            row: Recorder::off().task(""),
            polls: 0,
            cause: 0,
            waker_is_kept: false,
            spawned_at: None,
            waits: Vec::new(),
            waited: Vec::new(),
        }
    }
}

fn numbered(born: u32) -> Rc<str> {
    format!("task {born}").into()
}
