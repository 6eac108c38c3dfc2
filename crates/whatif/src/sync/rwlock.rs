//! A lock that many may hold to read, or one to write.

use std::panic::Location;
use std::sync::{self, LockResult, TryLockError, TryLockResult};

use whatif_engine::Tag;

use super::guard::{guard, guarded, lock, take, try_guarded, try_take};

/// A reader-writer lock, like [`std::sync::RwLock`].
///
/// Outside of a check it is one. Who comes first when readers and a writer wait is up to the
/// operating system, so a check tries both: readers come in while a writer waits, or the writer is
/// in line already and they wait behind it. When the last reader leaves, a new one may still be
/// faster than the writer. That is why a robot that reads twice at once can stand
/// still for ever: the writer waits for its first guard, and its second `read` for the writer.
///
/// ```
/// let menu = whatif::sync::RwLock::new(vec!["soup"]).called("the menu");
/// assert_eq!(menu.read().unwrap().len() + menu.read().unwrap().len(), 2);
/// menu.write().unwrap().push("duck");
/// ```
pub struct RwLock<T: ?Sized> {
    tag: Tag,
    inner: sync::RwLock<T>,
}

lock!(RwLock);
guard!(
    /// The right to read what is in an [`RwLock`]. Dropping it gives the lock back.
    RwLockReadGuard, RwLock
);
guard!(
    /// The right to change what is in an [`RwLock`]. Dropping it gives the lock back.
    RwLockWriteGuard, RwLock, DerefMut
);

impl<T: ?Sized> RwLock<T> {
    /// Waits until nobody writes, and takes the lock to read.
    ///
    /// # Errors
    ///
    /// As [`std::sync::RwLock::read`]: if a thread panicked while it could write. Never inside of a
    /// check.
    ///
    /// # Panics
    ///
    /// Inside of a check, asking for a lock that the same robot holds to write ends the run.
    #[inline]
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let taken = take(&self.tag, Location::caller(), false, "takes # to read");
        guarded(taken, self.inner.read(), RwLockReadGuard::new(self))
    }

    /// Waits until nobody reads or writes, and takes the lock to write.
    ///
    /// # Errors
    ///
    /// As [`RwLock::read`].
    ///
    /// # Panics
    ///
    /// Inside of a check, asking for a lock that the same robot holds ends the run.
    #[inline]
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let taken = take(&self.tag, Location::caller(), true, "takes # to write");
        guarded(taken, self.inner.write(), RwLockWriteGuard::new(self))
    }

    /// Takes the lock to read if nobody writes. Never waits.
    ///
    /// # Errors
    ///
    /// As [`std::sync::RwLock::try_read`].
    #[inline]
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let taken = try_take(&self.tag, Location::caller(), false, "takes # to read");
        let taken = taken.ok_or(TryLockError::WouldBlock)?;
        try_guarded(taken, self.inner.try_read(), RwLockReadGuard::new(self))
    }

    /// Takes the lock to write if nobody reads or writes. Never waits.
    ///
    /// # Errors
    ///
    /// As [`std::sync::RwLock::try_write`].
    #[inline]
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let taken = try_take(&self.tag, Location::caller(), true, "takes # to write");
        let taken = taken.ok_or(TryLockError::WouldBlock)?;
        try_guarded(taken, self.inner.try_write(), RwLockWriteGuard::new(self))
    }
}
