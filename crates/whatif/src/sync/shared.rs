//! A cell that everybody can reach: each look and each change is whole, but nothing holds two of
//! them together.

use std::fmt;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};

use whatif_engine::{NONE, Place, Tag, within_one_step};

/// A value that threads share, and read and write one access at a time.
///
/// No access is ever half done, so there is no data race. What can happen *between* two accesses is
/// another matter, and a check tries it all: each access is a step.
///
/// ```
/// let tips = whatif::sync::Shared::new(3);
/// tips.set(tips.get() + 1); // two steps: somebody else may come between them
/// tips.write(|tips| *tips += 1); // one step
/// assert_eq!(tips.get(), 5);
/// ```
pub struct Shared<T> {
    tag: Tag,
    inner: Mutex<T>,
}

impl<T> Shared<T> {
    /// A cell with `value` in it.
    #[track_caller]
    pub fn new(value: T) -> Shared<T> {
        Shared { tag: Tag::new("Shared"), inner: Mutex::new(value) }
    }

    /// Gives it a name for stories: "the tip jar" instead of "the Shared made at src/lib.rs:7".
    pub fn called(self, name: impl Into<String>) -> Shared<T> {
        self.tag.call(name);
        self
    }

    /// Looks at the value, in one step. Looking must not change it, as it could through a `Cell`: two
    /// looks are not tried in both orders.
    ///
    /// # Panics
    ///
    /// Inside of a check, `look` must not take a step of its own: that ends the run with a story.
    #[track_caller]
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        self.stop(Location::caller(), false);
        within_one_step(|| look(&self.inner.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Changes the value, in one step.
    ///
    /// # Panics
    ///
    /// As [`Shared::read`].
    #[track_caller]
    pub fn write<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        self.stop(Location::caller(), true);
        within_one_step(|| change(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Inside of a check, each access is preceded by a stop.
    fn stop(&self, at: Place, changes: bool) {
        if let Some(v) = self.tag.visit(at) {
            let (op, words) = match changes {
                true => (v.changes("write #"), "writes #"),
                false => (v.looks("read #"), "reads #"),
            };
            v.step(op, |state| {
                state.hears(&v, changes);
                state.leaves_word(&v, changes);
                state.tell(&v, words, NONE);
            });
        }
    }

    /// A copy of the value, in one step.
    #[track_caller]
    pub fn get(&self) -> T
    where
        T: Copy,
    {
        self.read(|value| *value)
    }

    /// Puts another value in, in one step.
    #[track_caller]
    pub fn set(&self, value: T) {
        self.write(|old| *old = value);
    }

    /// What is inside, when nobody else can reach it any more.
    pub fn into_inner(self) -> T {
        self.inner.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: Default> Default for Shared<T> {
    #[track_caller]
    fn default() -> Shared<T> {
        Shared::new(T::default())
    }
}
