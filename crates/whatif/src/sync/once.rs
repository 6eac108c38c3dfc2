//! What is done once, whoever comes first: everybody else waits until it is done, and finds it.

use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::sync::{self, Mutex, PoisonError};

use whatif_engine::{NONE, Op, Place, State, Tag, Visit, Wait};

use super::guard::{asks_for_what_it_has, gives_back, takes};

/// What the floor knows of it: it has been done.
#[derive(Default)]
struct Done(bool);

/// Waiting until it has been done.
static IT_IS_DONE: Wait = Wait {
    has_come: |thing, _| thing.own::<Done>().is_some_and(|it| it.0),
    verb: None,
    changes: false,
    ends_a_wait: true,
    reason: |state, thing| state.fill_in("waits until # is done", thing, NONE),
    in_vain: "waits until # is done",
    whom: "do it",
    advice: None,
};

fn done<'a>(state: &'a mut State, v: &Visit) -> &'a mut bool {
    &mut state.at(v).own_mut::<Done>().0
}

/// Whoever comes finds it done, or not; it may have been done before the run began.
fn visit(tag: &Tag, at: Place, is_done: impl FnOnce() -> bool) -> Option<Visit> {
    let v = tag.visit(at)?;
    v.me.glance(|state| {
        if state.at(&v).holder.is_none() {
            *done(state, &v) = is_done();
        }
    });
    Some(v)
}

/// Is it done? Somebody who `only_looks` can see that it is not, even where now it is: who has done
/// it may have let the other one go on before. So from now on it matters when it is done, and that
/// becomes a step of its own.
fn sees_done(v: &Visit, only_looks: bool) -> bool {
    v.step(v.looks("look whether # is done"), |state| {
        let done = *done(state, v);
        if done {
            state.hears(v, false);
        }
        if only_looks {
            state.unlock_becomes_step();
        }
        state.tell(v, if done { "finds # done" } else { "finds # not done yet" }, NONE);
        done
    })
}

/// Waits until it is done, or is the one to do it, and returns true.
fn is_first(v: &Visit) -> bool {
    if v.me.glance(|state| *done(state, v)) {
        return !sees_done(v, false);
    }
    asks_for_what_it_has(v, true);
    v.step(Op::Lock(v.thing), |state| {
        let done = *done(state, v);
        if done {
            state.hears(v, false);
            state.tell(v, "finds # done", NONE);
        } else {
            takes(state, v, true, "is the first to come to #");
        }
        !done
    })
}

fn has_done(v: &Visit) {
    v.lets_go("be done with #", |state| {
        *done(state, v) = true;
        gives_back(state, v);
    });
}

fn waits_until_done(v: &Visit) {
    v.step(v.awaits(&IT_IS_DONE, 0), |state| state.hears(v, false));
}

/// Something to do once, like [`std::sync::Once`]. Outside of a check it is one. `new` is not
/// `const`: see [`Mutex`](crate::sync::Mutex).
pub struct Once {
    tag: Tag,
    inner: sync::Once,
}

impl Once {
    /// Nothing has been done yet.
    #[expect(clippy::new_without_default, reason = "std's has none either")]
    #[track_caller]
    pub fn new() -> Once {
        Once { tag: Tag::new("Once"), inner: sync::Once::new() }
    }

    /// Gives it a name for stories.
    pub fn called(self, name: impl Into<String>) -> Once {
        self.tag.call(name);
        self
    }

    /// Runs `f` if nobody has before; if somebody is at it, waits until it is done.
    ///
    /// # Panics
    ///
    /// As [`std::sync::Once::call_once`]: if `f` has panicked before.
    #[track_caller]
    pub fn call_once(&self, f: impl FnOnce()) {
        let Some(v) = self.visit(Location::caller()) else {
            return self.inner.call_once(f);
        };
        if is_first(&v) {
            f();
            self.inner.call_once(|| ());
            has_done(&v);
        }
    }

    /// Has it been done?
    #[track_caller]
    pub fn is_completed(&self) -> bool {
        match self.visit(Location::caller()) {
            Some(v) => sees_done(&v, true),
            None => self.inner.is_completed(),
        }
    }

    /// Waits until somebody has done it.
    #[track_caller]
    pub fn wait(&self) {
        match self.visit(Location::caller()) {
            Some(v) => waits_until_done(&v),
            None => self.inner.wait(),
        }
    }

    fn visit(&self, at: Place) -> Option<Visit> {
        visit(&self.tag, at, || self.inner.is_completed())
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// A value that is put in once, like [`std::sync::OnceLock`]. Outside of a check it is one. `new`
/// is not `const`: see [`Mutex`](crate::sync::Mutex).
///
/// ```
/// let menu = whatif::sync::OnceLock::new();
/// assert_eq!(menu.get_or_init(|| "soup"), &"soup");
/// assert_eq!(menu.set("duck"), Err("duck"));
/// ```
pub struct OnceLock<T> {
    tag: Tag,
    inner: sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    /// No value yet.
    #[track_caller]
    pub fn new() -> OnceLock<T> {
        OnceLock { tag: Tag::new("OnceLock"), inner: sync::OnceLock::new() }
    }

    /// Gives it a name for stories.
    pub fn called(self, name: impl Into<String>) -> OnceLock<T> {
        self.tag.call(name);
        self
    }

    /// The value, if it is there. Never waits.
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        let done = self.visit(Location::caller()).is_none_or(|v| sees_done(&v, true));
        self.inner.get().filter(|_| done)
    }

    /// The value; `f` makes it if nobody has before. If somebody is at it, waits until it is there.
    #[track_caller]
    pub fn get_or_init(&self, f: impl FnOnce() -> T) -> &T {
        self.get_or_init_at(Location::caller(), f)
    }

    fn get_or_init_at(&self, at: Place, f: impl FnOnce() -> T) -> &T {
        let Some(v) = self.visit(at) else {
            return self.inner.get_or_init(f);
        };
        if is_first(&v) {
            let _ = self.inner.set(f());
            has_done(&v);
        }
        self.inner.get().expect("the floor has said that it is there")
    }

    /// Puts the value in, if there is none; if somebody is making one, waits until it is there.
    ///
    /// # Errors
    ///
    /// The value comes back if there is one already.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.get_or_init_at(Location::caller(), || value.take().expect("it is made once"));
        value.map_or(Ok(()), Err)
    }

    /// Waits until somebody has put a value in.
    #[track_caller]
    pub fn wait(&self) -> &T {
        if let Some(v) = self.visit(Location::caller()) {
            waits_until_done(&v);
        }
        self.inner.wait()
    }

    /// The value: `&mut` proves that nobody else is there.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.inner.get_mut()
    }

    /// The value, when nobody else can reach it any more.
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }

    /// Takes the value out, so that another one can be put in.
    pub fn take(&mut self) -> Option<T> {
        self.inner.take()
    }

    fn visit(&self, at: Place) -> Option<Visit> {
        visit(&self.tag, at, || self.inner.get().is_some())
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> Default for OnceLock<T> {
    #[track_caller]
    fn default() -> OnceLock<T> {
        OnceLock::new()
    }
}

impl<T> From<T> for OnceLock<T> {
    #[track_caller]
    fn from(value: T) -> OnceLock<T> {
        OnceLock { tag: Tag::new("OnceLock"), inner: sync::OnceLock::from(value) }
    }
}

/// A value that is made by whoever needs it first, like [`std::sync::LazyLock`]. `new` is not
/// `const`: see [`Mutex`](crate::sync::Mutex).
pub struct LazyLock<T, F = fn() -> T> {
    value: OnceLock<T>,
    make: Mutex<Option<F>>,
}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// A value that `make` will make.
    #[track_caller]
    pub fn new(make: F) -> LazyLock<T, F> {
        let value = OnceLock { tag: Tag::new("LazyLock"), inner: sync::OnceLock::new() };
        LazyLock { value, make: Mutex::new(Some(make)) }
    }

    /// Gives it a name for stories.
    pub fn called(self, name: impl Into<String>) -> LazyLock<T, F> {
        self.value.tag.call(name);
        self
    }

    /// The value, made now if need be.
    ///
    /// # Panics
    ///
    /// If making it has panicked before.
    #[track_caller]
    pub fn force(this: &LazyLock<T, F>) -> &T {
        this.value.get_or_init_at(Location::caller(), || {
            let make = this.make.lock().unwrap_or_else(PoisonError::into_inner).take();
            make.expect("making this LazyLock has panicked before")()
        })
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;
    #[track_caller]
    fn deref(&self) -> &T {
        LazyLock::force(self)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LazyLock").field(&self.value.inner.get()).finish()
    }
}
