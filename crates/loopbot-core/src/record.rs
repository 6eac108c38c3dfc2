//! What LoopBot writes down, and what it remembers of its tasks in order to speak of them.
//!
//! A LoopBot in service needs none of this: to run a task it does not have to know its name. So there are
//! notes only if somebody will read them: with a recorder, on a virtual clock, or in a debug build. Of a task that
//! was given a name, the name is kept in any case. Otherwise everything here costs one branch: what is behind the branch is kept out of line,
//! so that it takes no room and no registers where nobody takes notes.
//!
//! Whoever watches finds here as well what other threads may know: the [`Status`].

use std::cell::{Cell, OnceCell, RefCell};
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use flight::{ActorKind, End, Event, Lane, Recorder, Source};

use crate::builder::LoopBot;
use crate::observe::Observer;
use crate::stand_still::Wait;
use crate::status::Status;

pub(crate) struct Record {
    recorder: Recorder,
    pub(crate) lane: Lane,
    pub(crate) status: Status,
    /// Who is told what does not lie there.
    pub(crate) observer: OnceCell<Option<Box<dyn Observer>>>,
    /// What to add to a time of ours to get a time of the recorder's, whose clock may have begun earlier.
    offset: u64,
    taken: bool,
    /// Whether a task was given a name, so that places on the shelf may have one.
    names_given: Cell<bool>,
    /// By place on the shelf.
    notes: RefCell<Vec<Note>>,
}

/// What is known of one task.
#[derive(Default)]
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
            status: Status::new(robot.watchdog.is_some()),
            observer: OnceCell::new(),
            offset: robot.recorder.now(),
            taken: robot.recorder.is_on()
                || robot.clock.is_virtual()
                || robot.pick_next.is_some()
                || cfg!(debug_assertions),
            names_given: Cell::new(false),
            recorder: robot.recorder.clone(),
            notes: RefCell::default(),
        }
    }

    /// Whether notes are taken.
    #[inline]
    pub(crate) fn is_taken(&self) -> bool {
        self.taken
    }

    /// Tells whoever watches, if somebody does.
    #[inline]
    fn tell_observer(&self, tell: impl FnOnce(&dyn Observer)) {
        if let Some(Some(observer)) = self.observer.get() {
            tell(&**observer);
        }
    }

    /// A task was spawned, or main begins. Once there are names, one without a name must not inherit that of the place's last task.
    #[inline]
    pub(crate) fn spawned(
        &self,
        slot: u32,
        born: u32,
        name: Option<&str>,
        at: &'static Location<'static>,
    ) {
        self.status.spawned(slot, born, at);
        if self.is_taken() || name.is_some() || self.names_given.get() {
            self.note_spawn(slot, born, name, at);
        }
    }

    #[cold]
    #[inline(never)]
    fn note_spawn(&self, slot: u32, born: u32, name: Option<&str>, at: &'static Location<'static>) {
        if let Some(name) = name {
            self.tell_observer(|observer| observer.is_called(slot, born, name));
        }
        if !self.is_taken() {
            self.names_given.set(true);
            return self.note(slot, |note| note.name = name.map(Rc::from));
        }
        let name: Rc<str> = name.map_or_else(|| numbered(born), Rc::from);
        let task = self.recorder.task(&name);
        let by = self.status.polled().map(|by| self.row(by));
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
        self.status.poll_begins(slot);
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
        self.tell_observer(|observer| observer.begins_at(t));
    }

    #[inline]
    pub(crate) fn poll_ended(&self, slot: u32, ready: bool) {
        if self.is_taken() {
            self.note_end_of_poll(slot, ready);
        }
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn note_end_of_poll(&self, slot: u32, ready: bool) {
        let (_, t) = self.write(slot, |task| Event::PollEnd { task, ready });
        self.tell_observer(|observer| observer.ends_at(self.status.poll(), t));
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
        let (cause, _) = self.write(slot, |task| Event::Wake { task, source });
        self.note(slot, |note| note.cause = cause);
    }

    #[inline]
    pub(crate) fn ended(&self, slot: u32, how: End) {
        if self.is_taken() {
            self.write(slot, |task| Event::TaskEnd { task, how });
        }
    }

    /// Somebody took what the task made. Its place may be free by now, but nobody else has had it yet.
    #[inline]
    pub(crate) fn observed(&self, slot: u32) {
        if self.is_taken() {
            self.write(slot, |task| Event::Observed { task });
        }
    }

    /// Returns the event's number, and the time.
    #[cold]
    #[inline(never)]
    fn write(&self, slot: u32, event: impl FnOnce(flight::Task) -> Event) -> (u64, u64) {
        self.lane.record_at(event(self.row(slot)))
    }

    /// The loop has nothing to do, until the next timer or until somebody rings.
    pub(crate) fn park_begins(&self, due: Option<u64>) {
        self.status.parks();
        if self.lane.is_on() {
            let why = match due {
                Some(_) => "nobody is ready: waits for the next timer",
                None => "nobody is ready: waits for a wake from outside",
            };
            let why = self.lane.text(why);
            let until = due.map_or(0, |due| self.time(due));
            self.lane.record(Event::ParkBegin { why, until });
        }
    }

    /// It may have something to do.
    pub(crate) fn park_ended(&self) {
        self.status.turns_end();
        self.tell_observer(|observer| observer.park_ended());
        self.lane.record(Event::ParkEnd);
    }

    /// For whoever watches: the polled task waits at a place that has a name.
    #[inline]
    pub(crate) fn waits_by_name(&self, name: &Rc<str>, at: &'static Location<'static>) {
        if let Some(slot) = self.status.waits(Some(at)) {
            self.tell_observer(|observer| observer.waits_by_name(slot, name, at));
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
        name.flatten().unwrap_or_else(|| numbered(born))
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

/// Tasks are counted from 1 as they are spawned, those with names as well; main comes before them.
fn numbered(born: u32) -> Rc<str> {
    match born {
        0 => "main".into(),
        _ => format!("task {born}").into(),
    }
}
