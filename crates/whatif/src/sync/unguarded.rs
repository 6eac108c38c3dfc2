//! A thing with no synchronisation of its own: whoever shares it must see to the order themselves.

use std::fmt;
use std::panic::Location;
use std::sync::{Mutex, PoisonError, TryLockError};

use whatif_engine::{End, Place, Tag, within_one_step};

/// A value that robots share with nothing around it, like a field that two threads reach through a
/// raw pointer, or a variable of C. Something else has to order the accesses: a lock that is held,
/// a flag that is raised with `Release` and read with `Acquire`, a message, a join.
///
/// Accesses are not steps. Inside of a check, two accesses of which one writes, and which nothing
/// orders, are a *data race*, whichever of them came first in this run: that ends it
/// ([`Ending::DataRace`](crate::Ending::DataRace)), and the story names both. In plain Rust a data
/// race is undefined behaviour, and safe Rust does not compile one. So that this type can be safe,
/// there is a lock inside: outside of a check a race goes unnoticed, and each access is whole.
///
/// ```
/// use whatif::sync::{Arc, Unguarded, atomic::{AtomicBool, Ordering}};
/// use whatif::{Checker, Ending, Outcome, thread};
///
/// let report = Checker::new("the plate").explore(|| {
///     let pass = Arc::new((Unguarded::new("").called("the plate"), AtomicBool::new(false)));
///     let (plate, ready) = &*pass;
///     let other = Arc::clone(&pass);
///     let chef = thread::spawn(move || {
///         other.0.set("soup");
///         other.1.store(true, Ordering::Relaxed); // Release would do
///     });
///     if ready.load(Ordering::Acquire) {
///         assert_eq!(plate.get(), "soup");
///     }
///     chef.join().unwrap();
/// });
/// let Outcome::Failed(story) = report.outcome else { panic!("{report}") };
/// assert_eq!(story.ending, Ending::DataRace);
/// ```
pub struct Unguarded<T> {
    tag: Tag,
    inner: Mutex<T>,
}

impl<T> Unguarded<T> {
    /// A thing with `value` in it.
    #[track_caller]
    pub fn new(value: T) -> Unguarded<T> {
        Unguarded { tag: Tag::new("Unguarded"), inner: Mutex::new(value) }
    }

    /// Gives it a name for stories: "the plate" instead of "the Unguarded made at src/lib.rs:7".
    pub fn called(self, name: impl Into<String>) -> Unguarded<T> {
        self.tag.call(name);
        self
    }

    /// Looks at the value.
    ///
    /// # Panics
    ///
    /// Inside of a check, a data race ends the run; and `look` must not take a step, nor come back
    /// to this same thing.
    #[track_caller]
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        self.access(Location::caller(), false, |value| look(value))
    }

    /// Changes the value.
    ///
    /// # Panics
    ///
    /// As [`Unguarded::read`].
    #[track_caller]
    pub fn write<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        self.access(Location::caller(), true, change)
    }

    fn access<R>(&self, at: Place, writes: bool, f: impl FnOnce(&mut T) -> R) -> R {
        let Some(v) = self.tag.visit(at) else {
            return f(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner));
        };
        v.accesses(writes);
        match self.inner.try_lock() {
            Err(TryLockError::WouldBlock) => {
                v.me.end_run(v.me.glance(|state| End::misuse(&state.robot(v.me.id).name, at)))
            }
            Err(TryLockError::Poisoned(value)) => within_one_step(|| f(&mut value.into_inner())),
            Ok(mut value) => within_one_step(|| f(&mut value)),
        }
    }

    /// A copy of the value.
    #[track_caller]
    pub fn get(&self) -> T
    where
        T: Copy,
    {
        self.read(|value| *value)
    }

    /// Puts another value in.
    #[track_caller]
    pub fn set(&self, value: T) {
        self.write(|old| *old = value);
    }

    /// Takes the value out, and leaves nothing, or whatever comes closest to it.
    #[track_caller]
    pub fn take(&self) -> T
    where
        T: Default,
    {
        self.write(std::mem::take)
    }

    /// What is inside, when nobody else can reach it any more.
    pub fn into_inner(self) -> T {
        self.inner.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is inside: `&mut` proves that nobody else is there.
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for Unguarded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unguarded").finish_non_exhaustive()
    }
}

impl<T: Default> Default for Unguarded<T> {
    #[track_caller]
    fn default() -> Unguarded<T> {
        Unguarded::new(T::default())
    }
}
