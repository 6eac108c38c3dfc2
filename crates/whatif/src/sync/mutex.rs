//! A lock: before it is taken, any other robot may come first.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{self, LockResult, PoisonError, TryLockError, TryLockResult};

use crate::ending::End;
use crate::floor::State;
use crate::pending::Op;
use crate::tale::{NONE, What};
use crate::thing::{Tag, Visit};

/// A mutual exclusion lock, like [`std::sync::Mutex`].
///
/// Outside of a check it is one. Inside, taking it is a step: the check tries what happens if
/// another robot comes first. It is never poisoned there, as a robot that panics ends the run.
/// `new` is not `const`: a lock in a `static` would carry what happened in one schedule into the
/// next.
///
/// ```
/// let tips = whatif::sync::Mutex::new(0).called("the tip jar");
/// *tips.lock().unwrap() += 5;
/// assert_eq!(tips.into_inner().unwrap(), 5);
/// ```
pub struct Mutex<T: ?Sized> {
    tag: Tag,
    inner: sync::Mutex<T>,
}

/// The right to use what is in a [`Mutex`]. Dropping it gives the lock back.
#[must_use = "if it is dropped at once, the lock is given back at once"]
pub struct MutexGuard<'a, T: ?Sized> {
    lock: &'a Mutex<T>,
    /// None only on the way out, and while its robot sleeps at a `Condvar`.
    inner: Option<sync::MutexGuard<'a, T>>,
    /// How the robot that holds it took it. None outside of a check.
    taken: Option<Visit>,
}

impl<T> Mutex<T> {
    /// A lock around `value`.
    #[track_caller]
    pub fn new(value: T) -> Mutex<T> {
        Mutex { tag: Tag::new("Mutex"), inner: sync::Mutex::new(value) }
    }

    /// Gives it a name for stories: "the pass" instead of "the Mutex made at src/lib.rs:7".
    pub fn called(self, name: impl Into<String>) -> Mutex<T> {
        self.tag.call(name);
        self
    }

    /// What is inside. Nobody else can have the lock any more.
    ///
    /// # Errors
    ///
    /// As [`std::sync::Mutex::into_inner`].
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until the lock is free, and takes it.
    ///
    /// # Errors
    ///
    /// As [`std::sync::Mutex::lock`]: if a thread panicked while holding it. Never inside of a
    /// check.
    ///
    /// # Panics
    ///
    /// Inside of a check, asking for a lock that the same robot holds ends the run with a story.
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let Some(v) = self.tag.visit(Location::caller()) else {
            return map(self.inner.lock(), |inner| self.guard(inner, None));
        };
        v.me.glance(|state| {
            if state.things[v.thing].holder == Some(v.me.id) {
                let end = End::locked_twice(state, v.me.id, v.thing, v.at);
                state.finish(end);
            }
        });
        v.step(Op::Lock(v.thing), |state| state.takes(&v));
        Ok(self.guard(self.open(), Some(v)))
    }

    /// Takes the lock if it is free, and does not wait if it is not.
    ///
    /// # Errors
    ///
    /// As [`std::sync::Mutex::try_lock`].
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let Some(v) = self.tag.visit(Location::caller()) else {
            let wrap = |inner| self.guard(inner, None);
            return match self.inner.try_lock() {
                Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
                Err(TryLockError::Poisoned(poison)) => map(Err(poison), wrap).map_err(Into::into),
                Ok(inner) => Ok(wrap(inner)),
            };
        };
        let taken = v.step(v.changes("try to take #"), |state| {
            // Somebody who only tries can see that the lock is held. So from now on it matters
            // when it is given back, and that becomes a step of its own.
            state.unlock_becomes_step();
            let free = state.things[v.thing].holder.is_none();
            if free {
                state.takes(&v)
            } else {
                state.tell(&v, "cannot have # at once", NONE)
            }
            free
        });
        if taken { Ok(self.guard(self.open(), Some(v))) } else { Err(TryLockError::WouldBlock) }
    }

    /// What is inside, with no lock needed: `&mut` proves that nobody else is there.
    ///
    /// # Errors
    ///
    /// As [`std::sync::Mutex::get_mut`].
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }

    /// Has a thread panicked while holding it?
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// The floor has said that the lock is free, so the one inside is free too, and poison is an
    /// echo of another run's end.
    fn open(&self) -> sync::MutexGuard<'_, T> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn guard<'a>(
        &'a self,
        inner: sync::MutexGuard<'a, T>,
        taken: Option<Visit>,
    ) -> MutexGuard<'a, T> {
        MutexGuard { lock: self, inner: Some(inner), taken }
    }
}

/// What `Condvar::wait` needs: to give the lock back and take it again within one call.
impl<'a, T: ?Sized> MutexGuard<'a, T> {
    pub(super) fn taken(&self) -> Option<&Visit> {
        self.taken.as_ref()
    }

    pub(super) fn close(&mut self) {
        self.inner = None;
    }

    pub(super) fn reopen(&mut self) {
        self.inner = Some(self.lock.open());
    }

    /// Outside of a check: lets `wait` have the guard of std.
    pub(super) fn lend(
        mut self,
        wait: impl FnOnce(sync::MutexGuard<'a, T>) -> LockResult<sync::MutexGuard<'a, T>>,
    ) -> LockResult<MutexGuard<'a, T>> {
        let inner = self.inner.take().expect("a guard outside of Condvar::wait is never empty");
        map(wait(inner), |inner| {
            self.inner = Some(inner);
            self
        })
    }
}

/// The same result about something else.
pub(super) fn map<A, B>(result: LockResult<A>, wrap: impl FnOnce(A) -> B) -> LockResult<B> {
    match result {
        Ok(inner) => Ok(wrap(inner)),
        Err(poison) => Err(PoisonError::new(wrap(poison.into_inner()))),
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        if let Some(v) = &self.taken {
            v.lets_go("give back #", |state| state.gives_back(v));
        }
    }
}

impl State {
    /// The robot takes the lock.
    pub(super) fn takes(&mut self, v: &Visit) {
        self.things[v.thing].holder = Some(v.me.id);
        self.hears(v, true);
        self.tale.tell(v.me.id, What::Took(v.thing, "takes #"), v.at);
    }

    pub(super) fn gives_back(&mut self, v: &Visit) {
        self.things[v.thing].holder = None;
        self.leaves_word(v, true);
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.inner.as_ref().expect("a guard outside of Condvar::wait is never empty")
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.inner.as_mut().expect("a guard outside of Condvar::wait is never empty")
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}
