//! Many readers, or one writer.

use std::cell::{Ref, RefCell, RefMut};
use std::ops::{Deref, DerefMut};
use std::panic::Location;

use super::semaphore::{Permit, Semaphore};

/// How many may read at the same time. A writer takes the place of all of them.
const READERS: usize = u32::MAX as usize;

/// A value that many tasks may read at the same time, or one may change. asyncio has none.
///
/// It is fair: readers that come after a waiting writer wait behind it. So readers cannot keep a writer out for ever, nor
/// writers a reader. It is never poisoned: if a writer panics, the next in line finds the value as it was left. A task
/// that reads and asks to read again may wait for a writer that waits for it; both then wait for ever.
///
/// ```
/// use loopbot::sync::RwLock;
///
/// loopbot::run(async {
///     let menu = RwLock::new(vec!["soup"]);
///     {
///         let one = menu.read().await;
///         let other = menu.read().await;
///         assert_eq!(one.len(), other.len());
///     }
///     let mut writer = menu.write().await;
///     writer.push("fish");
///     let reader = writer.downgrade(); // others may read again, and nobody has written meanwhile
///     assert_eq!(*reader, ["soup", "fish"]);
///     assert!(menu.try_read().is_some());
/// });
/// ```
///
/// It stays on its thread:
///
/// ```compile_fail
/// fn sent(_: impl Send) {}
/// sent(loopbot::sync::RwLock::new(1));
/// ```
#[derive(Debug)]
pub struct RwLock<T: ?Sized> {
    readers: Semaphore,
    value: RefCell<T>,
}

impl<T> RwLock<T> {
    /// A lock that nobody holds.
    pub const fn new(value: T) -> RwLock<T> {
        RwLock {
            readers: Semaphore::new(READERS),
            value: RefCell::new(value),
        }
    }

    /// The value. Nobody can hold the lock any more.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until nobody writes, and nobody who came before waits to write.
    ///
    /// Cancel safe: dropping the future gives up its place in line, and what had been handed over to it.
    #[track_caller]
    pub fn read(&self) -> impl Future<Output = RwLockReadGuard<'_, T>> {
        let at = Location::caller();
        async move {
            let turn = self.readers.acquire_for("an RwLock, to read", 1, at).await;
            RwLockReadGuard::new(self, turn.expect("nobody closes it"))
        }
    }

    /// Waits until nobody reads or writes, and everybody who came before has had their turn.
    ///
    /// Cancel safe: dropping the future gives up its place in line, and what had been handed over to it.
    #[track_caller]
    pub fn write(&self) -> impl Future<Output = RwLockWriteGuard<'_, T>> {
        let at = Location::caller();
        async move {
            let turn = self
                .readers
                .acquire_for("an RwLock, to write", READERS, at)
                .await;
            RwLockWriteGuard::new(self, turn.expect("nobody closes it"))
        }
    }

    /// Reads if nobody writes and nobody waits.
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        let turn = self.readers.try_acquire(1)?;
        Some(RwLockReadGuard::new(self, turn))
    }

    /// Writes if nobody reads or writes and nobody waits.
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        let turn = self.readers.try_acquire(READERS)?;
        Some(RwLockWriteGuard::new(self, turn))
    }

    /// The value, without locking: nobody else can hold a lock that is borrowed mutably.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> RwLock<T> {
        RwLock::new(T::default())
    }
}

/// The right to read the value of an [`RwLock`].
#[derive(Debug)]
#[must_use = "dropping a guard gives the lock back at once"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    // In this order: the value is let go before the next in line is called.
    value: Ref<'a, T>,
    _turn: Permit<'a>,
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    fn new(lock: &'a RwLock<T>, turn: Permit<'a>) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard {
            value: lock.value.borrow(),
            _turn: turn,
        }
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// The right to change the value of an [`RwLock`].
#[derive(Debug)]
#[must_use = "dropping a guard gives the lock back at once"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    // In this order: the value is let go before the next in line is called.
    value: RefMut<'a, T>,
    turn: Permit<'a>,
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    fn new(lock: &'a RwLock<T>, turn: Permit<'a>) -> RwLockWriteGuard<'a, T> {
        RwLockWriteGuard {
            lock,
            value: lock.value.borrow_mut(),
            turn,
        }
    }

    /// Reads on, and lets others read. No writer comes in between.
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        let RwLockWriteGuard {
            lock,
            value,
            mut turn,
        } = self;
        drop(value);
        let value = lock.value.borrow(); // Before others are called: one of them could be here at once.
        turn.give_back(READERS - 1);
        RwLockReadGuard { value, _turn: turn }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
