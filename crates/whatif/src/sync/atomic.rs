//! Values that are read and changed in one step each, without a lock. What a step orders depends
//! on its [`Ordering`].
//!
//! Shaped like [`std::sync::atomic`], and outside of a check they are that. Inside, each access is
//! a step. Steps are tried in every order, but there is one order for all robots: a robot never
//! reads an old value, as it could on a real machine with a weak [`Ordering`]. What is checked
//! instead is what the value was meant to hand over: put that in an
//! [`Unguarded`](crate::sync::Unguarded), and a hand-over through `Relaxed` is found.

use std::fmt;
use std::panic::Location;
use std::sync::atomic as std_atomic;

pub use std::sync::atomic::Ordering;

use whatif_engine::{Place, Tag, Value, Words, anybody_runs, is_robot, me};

/// Orders what this robot has done before it and does after it, together with `Relaxed` accesses of
/// atomics. See [`std::sync::atomic::fence`]. It is no step: nobody can notice it.
///
/// # Panics
///
/// As std's: if `order` is `Relaxed`.
pub fn fence(order: Ordering) {
    std_atomic::fence(order);
    if let Some(me) = me() {
        me.glance(|state| state.fences(me.id, order));
    }
}

/// Takes one step at an atomic: `op` changes it, with `order`. The story tells what it was before,
/// and, by `now`, what it is after. Outside of a check it is only `op`.
#[inline]
fn change<T: Copy + Into<Value>>(
    tag: &Tag,
    at: Place,
    order: Ordering,
    words: Words,
    op: impl FnOnce() -> T,
    now: impl FnOnce() -> T,
) -> T {
    if anybody_runs() { change_in_a_run(tag, at, order, words, op, now) } else { op() }
}

#[cold]
fn change_in_a_run<T: Copy + Into<Value>>(
    tag: &Tag,
    at: Place,
    order: Ordering,
    words: Words,
    op: impl FnOnce() -> T,
    now: impl FnOnce() -> T,
) -> T {
    let Some(v) = tag.visit(at) else { return op() };
    v.step(v.changes("change #"), |state| {
        let before = op();
        state.loads(&v, order);
        state.stores(&v, order, true);
        state.tell(&v, words, [before.into(), now().into()]);
        before
    })
}

macro_rules! atomic {
    ($name:ident, $type:ty, $($fetch:ident)*) => {
        #[doc = concat!("A `", stringify!($type), "` that threads share, like [`std::sync::atomic::", stringify!($name), "`].")]
        ///
        /// Outside of a check it is one. Inside, each access is a step. `new` is not `const`: an
        /// atomic in a `static` would carry what happened in one schedule into the next.
        pub struct $name {
            tag: Tag,
            inner: std_atomic::$name,
        }

        impl $name {
            /// An atomic with `value` in it.
            #[inline]
            #[track_caller]
            pub fn new(value: $type) -> $name {
                $name { tag: Tag::new(stringify!($name)), inner: std_atomic::$name::new(value) }
            }

            /// Gives it a name for stories.
            pub fn called(self, name: impl Into<String>) -> $name {
                self.tag.call(name);
                self
            }

            /// Reads the value.
            ///
            /// # Panics
            ///
            /// As std's: if `order` is `Release` or `AcqRel`.
            #[inline]
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $type {
                let Some(v) = self.tag.visit(Location::caller()) else {
                    return self.inner.load(order);
                };
                v.step(v.looks("read #"), |state| {
                    let value = self.inner.load(order);
                    state.loads(&v, order);
                    state.tell(&v, "reads #: $", [value.into(), Value::None]);
                    value
                })
            }

            /// Puts another value in.
            ///
            /// # Panics
            ///
            /// As std's: if `order` is `Acquire` or `AcqRel`.
            #[inline]
            #[track_caller]
            pub fn store(&self, value: $type, order: Ordering) {
                let Some(v) = self.tag.visit(Location::caller()) else {
                    return self.inner.store(value, order);
                };
                v.step(v.changes("set #"), |state| {
                    self.inner.store(value, order);
                    state.stores(&v, order, false);
                    state.tell(&v, "sets # to $", [value.into(), Value::None]);
                });
            }

            /// Puts another value in, and returns the one that was there, in one step.
            #[inline]
            #[track_caller]
            pub fn swap(&self, value: $type, order: Ordering) -> $type {
                let op = || self.inner.swap(value, order);
                change(&self.tag, Location::caller(), order, "swaps # from $ to $", op, || value)
            }

            /// Puts `new` in if `current` is there, in one step; `success` is how that is ordered.
            /// If something else is there, it is a load ordered by `failure`.
            ///
            /// # Errors
            ///
            /// The value that is there instead of `current`.
            ///
            /// # Panics
            ///
            /// As std's: if `failure` is `Release` or `AcqRel`.
            #[inline]
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $type,
                new: $type,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$type, $type> {
                let op = || self.inner.compare_exchange(current, new, success, failure);
                let Some(v) = self.tag.visit(Location::caller()) else { return op() };
                v.step(v.changes("change #"), |state| {
                    let result = op();
                    match result {
                        Ok(_) => {
                            state.loads(&v, success);
                            state.stores(&v, success, true);
                            state.tell(&v, "swaps # from $ to $", [current.into(), new.into()]);
                        }
                        Err(there) => {
                            state.loads(&v, failure);
                            state.tell(&v, "finds # at $, not at $", [there.into(), current.into()]);
                        }
                    }
                    result
                })
            }

            /// As `compare_exchange`, and outside of a check it may fail for no reason. Inside it
            /// never does.
            ///
            /// # Errors
            ///
            /// As `compare_exchange`.
            ///
            /// # Panics
            ///
            /// As `compare_exchange`.
            #[inline]
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $type,
                new: $type,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$type, $type> {
                if anybody_runs() && is_robot() {
                    return self.compare_exchange(current, new, success, failure);
                }
                self.inner.compare_exchange_weak(current, new, success, failure)
            }

            /// Puts in what `f` makes of the value that is there, and tries again if somebody was
            /// faster. As in std it is a load and one `compare_exchange_weak` for each try.
            ///
            /// # Errors
            ///
            /// The value for which `f` returned `None`.
            ///
            /// # Panics
            ///
            /// As `compare_exchange`, for `fetch_order`.
            #[inline]
            #[track_caller]
            pub fn fetch_update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                mut f: impl FnMut($type) -> Option<$type>,
            ) -> Result<$type, $type> {
                let mut before = self.load(fetch_order);
                while let Some(new) = f(before) {
                    match self.compare_exchange_weak(before, new, set_order, fetch_order) {
                        Ok(before) => return Ok(before),
                        Err(there) => before = there,
                    }
                }
                Err(before)
            }

            $(
                #[doc = concat!("As [`std::sync::atomic::", stringify!($name), "::", stringify!($fetch), "`], in one step.")]
                #[inline]
                #[track_caller]
                pub fn $fetch(&self, value: $type, order: Ordering) -> $type {
                    let (op, now) =
                        (|| self.inner.$fetch(value, order), || self.inner.load(Ordering::Relaxed));
                    change(&self.tag, Location::caller(), order, "changes # from $ to $", op, now)
                }
            )*

            /// The value, with no step needed: `&mut` proves that nobody else is there.
            pub fn get_mut(&mut self) -> &mut $type {
                self.inner.get_mut()
            }

            /// The value, when nobody else can reach it any more.
            pub fn into_inner(self) -> $type {
                self.inner.into_inner()
            }
        }

        impl Default for $name {
            #[track_caller]
            fn default() -> $name {
                $name::new(<$type>::default())
            }
        }

        impl From<$type> for $name {
            #[track_caller]
            fn from(value: $type) -> $name {
                $name::new(value)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}

macro_rules! numbers {
    ($($name:ident $type:ty;)*) => {$(
        atomic!($name, $type,
            fetch_add fetch_sub fetch_and fetch_nand fetch_or fetch_xor fetch_max fetch_min);
    )*};
}

atomic!(AtomicBool, bool, fetch_and fetch_nand fetch_or fetch_xor);
numbers! {
    AtomicU8 u8; AtomicU16 u16; AtomicU32 u32; AtomicU64 u64; AtomicUsize usize;
    AtomicI8 i8; AtomicI16 i16; AtomicI32 i32; AtomicI64 i64; AtomicIsize isize;
}
