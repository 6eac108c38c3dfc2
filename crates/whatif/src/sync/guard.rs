//! What `Mutex`, `RwLock`, and whatever is made only once have in common: taking, giving back, and
//! the guards that do it.

use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

use whatif_engine::{
    End, IN_LINE, NONE, Op, Place, State, Tag, Visit, Words, anybody_runs, is_sent_home,
};

/// How a robot took a lock that it holds. None outside of a check.
pub(crate) type Taken = Option<Box<Visit>>;

/// Takes the lock when it is free; `alone` if nobody else may hold it meanwhile.
#[inline]
pub(super) fn take(tag: &Tag, at: Place, alone: bool, words: Words) -> Taken {
    if anybody_runs() { take_in_a_run(tag, at, alone, words) } else { None }
}

#[cold]
fn take_in_a_run(tag: &Tag, at: Place, alone: bool, words: Words) -> Taken {
    let v = tag.visit(at)?;
    asks_for_what_it_has(&v, alone);
    if !alone {
        v.step(Op::Share(v.thing), |state| takes(state, &v, false, words));
    } else {
        while !v.step(Op::Lock(v.thing), |state| takes_or_queues(state, &v, words)) {}
    }
    Some(Box::new(v))
}

/// Takes the lock if it is free. None: it is not.
#[inline]
pub(super) fn try_take(tag: &Tag, at: Place, alone: bool, words: Words) -> Option<Taken> {
    if anybody_runs() { try_take_in_a_run(tag, at, alone, words) } else { Some(None) }
}

#[cold]
fn try_take_in_a_run(tag: &Tag, at: Place, alone: bool, words: Words) -> Option<Taken> {
    let v = tag.visit(at).map(Box::new);
    v.as_ref().is_none_or(|v| takes_at_once(v, alone, words)).then_some(v)
}

fn takes_at_once(v: &Visit, alone: bool, words: Words) -> bool {
    v.step(v.changes("try to take #"), |state| {
        // Somebody who only tries can see that the lock is held. So from now on it matters when it is
        // given back, and that becomes a step of its own.
        state.unlock_becomes_step();
        let thing = state.at(v);
        let others = if alone { &thing.readers } else { &thing.sleepers };
        let free = thing.holder.is_none() && others.is_empty();
        match free {
            true => takes(state, v, alone, words),
            false => state.tell(v, "cannot have # at once", NONE),
        }
        free
    })
}

/// A robot that waits for itself waits for ever.
pub(super) fn asks_for_what_it_has(v: &Visit, alone: bool) {
    v.me.glance(|state| {
        let (thing, me) = (state.at(v), v.me.id);
        if thing.holder == Some(me) || alone && thing.readers.contains(&me) {
            let end = End::locked_twice(state, me, v.thing, v.at);
            state.finish(end);
        }
    });
}

pub(super) fn takes(state: &mut State, v: &Visit, alone: bool, words: Words) {
    let thing = state.at(v);
    if alone {
        thing.holder = Some(v.me.id)
    } else {
        thing.readers.push(v.me.id)
    }
    thing.sleepers.retain(|robot| *robot != v.me.id);
    state.hears(v, alone);
    state.tell_taken(v, words);
}

/// As long as others read it, whoever wants the lock alone may have to wait in line. From then on
/// whoever comes to read waits behind it; until the last one who reads has left, when a new one may
/// be faster.
fn takes_or_queues(state: &mut State, v: &Visit, words: Words) -> bool {
    let free = state.at(v).readers.is_empty();
    if free {
        takes(state, v, true, words);
    } else {
        state.at(v).sleepers.push(v.me.id);
        state.tell(v, IN_LINE, NONE);
    }
    free
}

/// Gives the lock back.
#[cold]
pub(super) fn ends(v: &Visit) {
    v.lets_go("give back #", |state| gives_back(state, v));
}

pub(super) fn gives_back(state: &mut State, v: &Visit) {
    let (thing, me) = (state.at(v), v.me.id);
    let alone = thing.holder == Some(me);
    if alone {
        thing.holder = None;
    } else if let Some(mine) = thing.readers.iter().position(|robot| *robot == me) {
        thing.readers.swap_remove(mine);
        if thing.readers.is_empty() {
            thing.sleepers.clear();
        }
    }
    state.leaves_word(v, alone);
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
        Err(poison) if taken.is_some() || is_sent_home() => Ok(guard(poison.into_inner(), taken)),
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
                    $crate::sync::guard::ends(v);
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
                $name { tag: whatif_engine::Tag::new(stringify!($name)), inner: std::sync::$name::new(value) }
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
