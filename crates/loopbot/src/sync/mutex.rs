// ANCHOR: whole
//! One at a time, also across an `await`.

use std::cell::{RefCell, RefMut};
use std::ops::{Deref, DerefMut};
use std::panic::Location;

use super::semaphore::{Permit, Semaphore};

/// A value that one task at a time may use, for as long as it likes. In asyncio this is `asyncio.Lock`, which holds no value.
///
/// Tasks of one loop change hands at an `await` and nowhere else. So it is needed only where something has to
/// stay as it is across an `await`; for all else a `Cell` or a `RefCell` is enough.
///
/// It is fair: it is handed over to the one who has waited longest. It is never poisoned: if its holder panics, the next in
/// line gets it, with the value as it was left. A task that locks it twice waits for itself, for ever.
///
/// ```
/// use std::rc::Rc;
/// use loopbot::sync::Mutex;
///
/// loopbot::run(async {
///     let till = Rc::new(Mutex::new(100));
///     let paying = [7, 5].map(|amount| {
///         let till = till.clone();
///         loopbot::spawn(async move {
///             let mut till = till.lock().await;
///             let before = *till;
///             loopbot::yield_now().await; // nobody else gets at the till meanwhile
///             *till = before + amount;
///         })
///     });
///     for payment in paying {
///         payment.await.unwrap();
///     }
///     assert_eq!(*till.lock().await, 112);
/// });
/// ```
///
/// It stays on its thread:
///
/// ```compile_fail
/// fn sent(_: impl Send) {}
/// sent(loopbot::sync::Mutex::new(1));
/// ```
// ANCHOR: mutex
#[derive(Debug)]
pub struct Mutex<T: ?Sized> {
    turn: Semaphore,
    value: RefCell<T>,
}
// ANCHOR_END: mutex

impl<T> Mutex<T> {
    /// A mutex that nobody holds.
    pub const fn new(value: T) -> Mutex<T> {
        Mutex {
            turn: Semaphore::new(1),
            value: RefCell::new(value),
        }
    }

    /// The value. Nobody can hold the mutex any more.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until it is this one's turn.
    ///
    /// Cancel safe: dropping the future gives up its place in line. If the mutex had been handed over to it, the next one gets it.
    #[track_caller]
    pub fn lock(&self) -> impl Future<Output = MutexGuard<'_, T>> {
        self.lock_at(Location::caller())
    }

    #[inline]
    pub(super) async fn lock_at(&self, at: &'static Location<'static>) -> MutexGuard<'_, T> {
        let turn = self.turn.acquire_for("a Mutex", 1, at).await;
        MutexGuard::new(self, turn.expect("nobody closes it"))
    }

    /// Locks it if nobody holds it and nobody waits for it.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let turn = self.turn.try_acquire(1)?;
        Some(MutexGuard::new(self, turn))
    }

    /// The value, without locking: nobody else can hold a mutex that is borrowed mutably.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

/// The right to use the value of a [`Mutex`]. Dropping it hands the mutex over to the next in line.
#[derive(Debug)]
#[must_use = "dropping a guard gives the mutex back at once"]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    // In this order: the value is let go before the next in line is called.
    value: RefMut<'a, T>,
    _turn: Permit<'a>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    fn new(mutex: &'a Mutex<T>, turn: Permit<'a>) -> MutexGuard<'a, T> {
        MutexGuard {
            mutex,
            value: mutex.value.borrow_mut(),
            _turn: turn,
        }
    }

    /// The mutex that this holds. It is no method, so that it hides none of the value's.
    pub fn mutex(guard: &Self) -> &'a Mutex<T> {
        guard.mutex
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
// ANCHOR_END: whole
