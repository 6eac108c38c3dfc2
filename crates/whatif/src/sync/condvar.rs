//! A bell to sleep at. Whoever rings it wakes a sleeper; if nobody sleeps there, nobody hears it.

use std::fmt;
use std::panic::Location;
use std::sync::{self, LockResult};

use super::MutexGuard;
use crate::floor::Place;
use crate::pending::Op;
use crate::tale::What;
use crate::thing::Tag;

/// A condition variable, like [`std::sync::Condvar`].
///
/// Outside of a check it is one. Inside, the check decides which sleeper `notify_one` wakes; and
/// once in a run it lets a sleeper wake up unasked, which every condition variable may do. So `if`
/// around a `wait` is found out: it wants `while`.
pub struct Condvar {
    inner: sync::Condvar,
    tag: Tag,
}

impl Condvar {
    /// A bell at which nobody sleeps yet.
    #[track_caller]
    pub fn new() -> Condvar {
        Condvar { inner: sync::Condvar::new(), tag: Tag::new("Condvar") }
    }

    /// Gives it a name for stories: "the bell" instead of "the Condvar made at src/lib.rs:7".
    pub fn called(mut self, name: impl Into<String>) -> Condvar {
        self.tag.call(name.into());
        self
    }

    /// Gives the lock back and sleeps until somebody rings; then takes the lock again.
    ///
    /// # Errors
    ///
    /// As [`std::sync::Condvar::wait`]: if a thread panicked while holding the lock. Never inside
    /// of a check.
    #[track_caller]
    pub fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let at = Location::caller();
        if std::thread::panicking() && guard.holder().is_some() {
            return Ok(guard); // The run is over, and nobody will ring any more.
        }
        // A guard from outside of a check has no holder, and then nobody else is in a check with it
        // either.
        let Some(me) = self.tag.visitor(at).and(guard.holder().cloned()) else {
            return guard.lend(|inner| self.inner.wait(inner));
        };
        let (bell, lock) = me.step(
            at,
            |state| Op::Wait(state.thing(&self.tag, &me, at)),
            |state| (state.thing(&self.tag, &me, at), state.thing(guard.tag(), &me, at)),
        );
        guard.close();
        let mut state = me.floor.state();
        state.things[lock].holder = None;
        state.things[bell].sleepers.push(me.id);
        state.robots[me.id].rung = false;
        state.tale.tell(me.id, What::FellAsleep(bell), at);
        let mut state = me.stop(state, Op::Asleep { bell, lock }, at);
        state.things[lock].holder = Some(me.id);
        drop(state);
        guard.reopen();
        Ok(guard)
    }

    /// Sleeps as long as `condition` holds. Looks at it before sleeping, and again after every
    /// ring.
    ///
    /// # Errors
    ///
    /// As [`Condvar::wait`].
    #[track_caller]
    pub fn wait_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Wakes one sleeper, if there is one.
    #[track_caller]
    pub fn notify_one(&self) {
        if !self.ring(Location::caller(), false) {
            self.inner.notify_one();
        }
    }

    /// Wakes everybody who sleeps here.
    #[track_caller]
    pub fn notify_all(&self) {
        if !self.ring(Location::caller(), true) {
            self.inner.notify_all();
        }
    }

    /// Wakes one robot or all of them. False outside of a check.
    fn ring(&self, at: Place, all: bool) -> bool {
        let Some(me) = self.tag.visitor(at) else {
            return false;
        };
        me.step(
            at,
            |state| Op::Notify(state.thing(&self.tag, &me, at)),
            |state| {
                let bell = state.thing(&self.tag, &me, at);
                let what = if all {
                    What::RangAll { bell, woke: state.ring_all(bell) }
                } else {
                    What::Rang { bell, woke: state.ring_one(me.id, bell) }
                };
                state.tale.tell(me.id, what, at);
            },
        );
        true
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Condvar {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}
