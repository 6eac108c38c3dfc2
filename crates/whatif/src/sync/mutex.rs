//! A lock: before it is taken, any other robot may come first.

use std::panic::Location;
use std::sync::{self, LockResult, TryLockError, TryLockResult};

use whatif_engine::{Tag, Visit};

use super::guard::{guard, guarded, lock, take, try_guarded, try_take};

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

lock!(Mutex);
guard!(
    /// The right to use what is in a [`Mutex`]. Dropping it gives the lock back.
    MutexGuard, Mutex, DerefMut
);

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
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let taken = take(&self.tag, Location::caller(), true, "takes #");
        guarded(taken, self.inner.lock(), MutexGuard::new(self))
    }

    /// Takes the lock if it is free, and does not wait if it is not.
    ///
    /// # Errors
    ///
    /// As [`std::sync::Mutex::try_lock`].
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let taken = try_take(&self.tag, Location::caller(), true, "takes #");
        let taken = taken.ok_or(TryLockError::WouldBlock)?;
        try_guarded(taken, self.inner.try_lock(), MutexGuard::new(self))
    }
}

/// What `Condvar::wait` needs: to give the lock back and take it again within one call.
impl<'a, T: ?Sized> MutexGuard<'a, T> {
    pub(super) fn taken(&self) -> Option<&Visit> {
        self.taken.as_deref()
    }

    pub(super) fn close(&mut self) {
        self.inner = None;
    }

    pub(super) fn reopen(&mut self) {
        let inner = self.lock.inner.lock();
        self.inner = Some(inner.unwrap_or_else(sync::PoisonError::into_inner));
    }

    /// Outside of a check: lets `wait` have the guard of std.
    pub(super) fn lend(
        mut self,
        wait: impl FnOnce(sync::MutexGuard<'a, T>) -> LockResult<sync::MutexGuard<'a, T>>,
    ) -> LockResult<MutexGuard<'a, T>> {
        let inner = self.inner.take().expect("a guard outside of Condvar::wait is never empty");
        guarded(None, wait(inner), MutexGuard::new(self.lock))
    }
}
