//! What `Mutex`, `RwLock`, and whatever is made only once have in common: taking, giving back, and
//! the guards that do it.

use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

use crate::ending::End;
use crate::floor::{self, Place, State};
use crate::pending::Op;
use crate::tale::{NONE, What, Words};
use crate::thing::{Tag, Visit};

/// What a story says of a robot that waits for those who read.
pub(crate) const IN_LINE: Words = "waits in line to write #";

/// How a robot took a lock that it holds. None outside of a check.
pub(crate) type Taken = Option<Box<Visit>>;

impl Tag {
    /// Takes the lock when it is free; `alone` if nobody else may hold it meanwhile.
    #[inline]
    pub(super) fn lock(&self, at: Place, alone: bool, words: Words) -> Taken {
        if floor::anybody_runs() { self.lock_in_a_run(at, alone, words) } else { None }
    }

    #[cold]
    fn lock_in_a_run(&self, at: Place, alone: bool, words: Words) -> Taken {
        let v = self.visit_in_a_run(at)?;
        v.locks(alone, words);
        Some(Box::new(v))
    }

    /// Takes the lock if it is free. None: it is not.
    #[inline]
    pub(super) fn try_lock(&self, at: Place, alone: bool, words: Words) -> Option<Taken> {
        if floor::anybody_runs() { self.try_lock_in_a_run(at, alone, words) } else { Some(None) }
    }

    #[cold]
    fn try_lock_in_a_run(&self, at: Place, alone: bool, words: Words) -> Option<Taken> {
        let v = self.visit_in_a_run(at).map(Box::new);
        v.as_ref().is_none_or(|v| v.tries(alone, words)).then_some(v)
    }
}

impl Visit {
    fn locks(&self, alone: bool, words: Words) {
        self.asks_for_what_it_has(alone);
        if !alone {
            self.step(Op::Share(self.thing), |state| state.takes(self, false, words));
        } else {
            while !self.step(Op::Lock(self.thing), |state| state.takes_or_queues(self, words)) {}
        }
    }

    /// A robot that waits for itself waits for ever.
    pub(super) fn asks_for_what_it_has(&self, alone: bool) {
        self.me.glance(|state| {
            let (thing, me) = (&state.things[self.thing], self.me.id);
            if thing.holder == Some(me) || alone && thing.readers.contains(&me) {
                let end = End::locked_twice(state, me, self.thing, self.at);
                state.finish(end);
            }
        });
    }

    /// Gives the lock back.
    #[cold]
    pub(super) fn ends(&self) {
        self.lets_go("give back #", |state| state.gives_back(self));
    }

    fn tries(&self, alone: bool, words: Words) -> bool {
        self.step(self.changes("try to take #"), |state| {
            // Somebody who only tries can see that the lock is held. So from now on it matters
            // when it is given back, and that becomes a step of its own.
            state.unlock_becomes_step();
            let thing = &state.things[self.thing];
            let others = if alone { &thing.readers } else { &thing.sleepers };
            let free = thing.holder.is_none() && others.is_empty();
            match free {
                true => state.takes(self, alone, words),
                false => state.tell(self, "cannot have # at once", NONE),
            }
            free
        })
    }
}

impl State {
    pub(super) fn takes(&mut self, v: &Visit, alone: bool, words: Words) {
        let thing = &mut self.things[v.thing];
        if alone {
            thing.holder = Some(v.me.id)
        } else {
            thing.readers.push(v.me.id)
        }
        thing.sleepers.retain(|robot| *robot != v.me.id);
        self.hears(v, alone);
        self.tale.tell(v.me.id, What::Took(v.thing, words), v.at);
    }

    /// As long as others read it, whoever wants the lock alone may have to wait in line. From then
    /// on whoever comes to read waits behind it; until the last one who reads has left, when a new
    /// one may be faster.
    fn takes_or_queues(&mut self, v: &Visit, words: Words) -> bool {
        let free = self.things[v.thing].readers.is_empty();
        if free {
            self.takes(v, true, words);
        } else {
            self.things[v.thing].sleepers.push(v.me.id);
            self.tell(v, IN_LINE, NONE);
        }
        free
    }

    pub(super) fn gives_back(&mut self, v: &Visit) {
        let (thing, me) = (&mut self.things[v.thing], v.me.id);
        let alone = thing.holder == Some(me);
        if alone {
            thing.holder = None;
        } else if let Some(mine) = thing.readers.iter().position(|robot| *robot == me) {
            thing.readers.swap_remove(mine);
            if thing.readers.is_empty() {
                thing.sleepers.clear();
            }
        }
        self.leaves_word(v, alone);
    }
}

/// A guard around that of std. In a check, poison is an echo of another run's end.
#[inline]
pub(super) fn guarded<I, G>(
    taken: Taken,
    inner: LockResult<I>,
    guard: impl FnOnce(I, Taken) -> G,
) -> LockResult<G> {
    match inner {
        Ok(inner) => Ok(guard(inner, taken)),
        Err(poison) if taken.is_some() || floor::is_sent_home() => {
            Ok(guard(poison.into_inner(), taken))
        }
        Err(poison) => Err(PoisonError::new(guard(poison.into_inner(), None))),
    }
}

/// The same for a lock that was only tried.
#[inline]
pub(super) fn try_guarded<I, G>(
    taken: Taken,
    inner: TryLockResult<I>,
    guard: impl FnOnce(I, Taken) -> G,
) -> TryLockResult<G> {
    let inner = match inner {
        Err(TryLockError::WouldBlock) => return Err(TryLockError::WouldBlock),
        Err(TryLockError::Poisoned(poison)) => Err(poison),
        Ok(inner) => Ok(inner),
    };
    Ok(guarded(taken, inner, guard)?)
}

/// A guard: what it is for, its name, that of std, and the lock.
macro_rules! guard {
    ($(#[$doc:meta])* $name:ident, $lock:ident $(, $deref_mut:ident)?) => {
        $(#[$doc])*
        #[must_use = "if it is dropped at once, the lock is given back at once"]
        pub struct $name<'a, T: ?Sized> {
            #[allow(dead_code, reason = "only a MutexGuard is reopened")]
            lock: &'a $lock<T>,
            /// None only on the way out, and while its robot sleeps at a `Condvar`.
            inner: Option<std::sync::$name<'a, T>>,
            taken: $crate::sync::guard::Taken,
        }

        impl<'a, T: ?Sized> $name<'a, T> {
            #[inline]
            fn new(
                lock: &'a $lock<T>,
            ) -> impl FnOnce(std::sync::$name<'a, T>, $crate::sync::guard::Taken) -> Self {
                move |inner, taken| $name { lock, inner: Some(inner), taken }
            }
        }

        impl<T: ?Sized> Drop for $name<'_, T> {
            #[inline]
            fn drop(&mut self) {
                if let Some(v) = &self.taken {
                    v.ends();
                }
            }
        }

        impl<T: ?Sized> std::ops::Deref for $name<'_, T> {
            type Target = T;
            #[inline]
            fn deref(&self) -> &T {
                self.inner.as_ref().expect("a guard outside of Condvar::wait is never empty")
            }
        }

        $(impl<T: ?Sized> std::ops::$deref_mut for $name<'_, T> {
            #[inline]
            fn deref_mut(&mut self) -> &mut T {
                self.inner.as_mut().expect("a guard outside of Condvar::wait is never empty")
            }
        })?

        impl<T: ?Sized + std::fmt::Debug> std::fmt::Debug for $name<'_, T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<T: ?Sized + std::fmt::Display> std::fmt::Display for $name<'_, T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                (**self).fmt(f)
            }
        }
    };
}

/// What `Mutex` and `RwLock` have besides taking the lock.
macro_rules! lock {
    ($name:ident) => {
        impl<T> $name<T> {
            /// A lock around `value`.
            #[track_caller]
            pub fn new(value: T) -> $name<T> {
                $name { tag: $crate::thing::Tag::new(stringify!($name)), inner: std::sync::$name::new(value) }
            }

            #[doc = concat!("Gives it a name for stories: \"the pass\" instead of \"the ", stringify!($name), " made at src/lib.rs:7\".")]
            pub fn called(self, name: impl Into<String>) -> $name<T> {
                self.tag.call(name);
                self
            }

            /// What is inside. Nobody else can have the lock any more.
            ///
            /// # Errors
            ///
            #[doc = concat!("As [`std::sync::", stringify!($name), "::into_inner`].")]
            pub fn into_inner(self) -> std::sync::LockResult<T> {
                self.inner.into_inner()
            }
        }

        impl<T: ?Sized> $name<T> {
            /// What is inside, with no lock needed: `&mut` proves that nobody else is there.
            ///
            /// # Errors
            ///
            #[doc = concat!("As [`std::sync::", stringify!($name), "::get_mut`].")]
            pub fn get_mut(&mut self) -> std::sync::LockResult<&mut T> {
                self.inner.get_mut()
            }

            /// Has a thread panicked while it could change what is inside?
            pub fn is_poisoned(&self) -> bool {
                self.inner.is_poisoned()
            }

            /// What is inside is in order again.
            pub fn clear_poison(&self) {
                self.inner.clear_poison();
            }
        }

        impl<T: ?Sized + std::fmt::Debug> std::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.inner.fmt(f)
            }
        }

        impl<T: Default> Default for $name<T> {
            #[track_caller]
            fn default() -> $name<T> {
                $name::new(T::default())
            }
        }

        impl<T> From<T> for $name<T> {
            #[track_caller]
            fn from(value: T) -> $name<T> {
                $name::new(value)
            }
        }
    };
}

pub(super) use {guard, lock};
