//! A bell to sleep at. Whoever rings it wakes a sleeper; if nobody sleeps there, nobody hears it.

use std::fmt;
use std::panic::Location;
use std::sync::{self, LockResult, PoisonError};
use std::time::{Duration, Instant};

use whatif_engine::{NONE, Op, Place, State, Tag, UNHEARD, Value, me};

use super::MutexGuard;
use super::guard::gives_back;

/// A condition variable, like [`std::sync::Condvar`].
///
/// Outside of a check it is one. Inside, the check decides which sleeper `notify_one` wakes; and
/// once in a run it lets a sleeper wake up unasked, which every condition variable may do. So `if`
/// around a `wait` is found out: it wants `while`.
pub struct Condvar {
    inner: sync::Condvar,
    tag: Tag,
}

impl Condvar {
    /// A bell at which nobody sleeps yet.
    #[track_caller]
    pub fn new() -> Condvar {
        Condvar { inner: sync::Condvar::new(), tag: Tag::new("Condvar") }
    }

    /// Gives it a name for stories: "the bell" instead of "the Condvar made at src/lib.rs:7".
    pub fn called(self, name: impl Into<String>) -> Condvar {
        self.tag.call(name);
        self
    }

    /// Gives the lock back and sleeps until somebody rings; then takes the lock again.
    ///
    /// # Errors
    ///
    /// As [`std::sync::Condvar::wait`]: if a thread panicked while holding the lock. Never inside
    /// of a check.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        match self.sleep(guard, None, Location::caller()) {
            Ok((guard, _)) => Ok(guard),
            Err(guard) => guard.lend(|inner| self.inner.wait(inner)),
        }
    }

    /// Sleeps as long as `condition` holds. Looks at it before sleeping, and again after every
    /// ring.
    ///
    /// # Errors
    ///
    /// As [`Condvar::wait`].
    #[track_caller]
    pub fn wait_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Sleeps until somebody rings, but no longer than this. Inside of a check no time passes:
    /// nobody may ring in time, or somebody may, and both are tried.
    ///
    /// # Errors
    ///
    /// As [`Condvar::wait`].
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        self.sleep_until(guard, &Deadline::after(timeout), Location::caller())
    }

    /// Sleeps as long as `condition` holds, but no longer than this.
    ///
    /// # Errors
    ///
    /// As [`Condvar::wait`].
    #[track_caller]
    pub fn wait_timeout_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        timeout: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let (at, deadline) = (Location::caller(), Deadline::after(timeout));
        let mut timed_out = WaitTimeoutResult(false);
        while condition(&mut guard) {
            if timed_out.0 {
                return Ok((guard, timed_out));
            }
            (guard, timed_out) = self.sleep_until(guard, &deadline, at)?;
        }
        Ok((guard, WaitTimeoutResult(false)))
    }

    fn sleep_until<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        deadline: &Deadline,
        at: Place,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        self.sleep(guard, deadline.on_the_floor, at).or_else(|guard| {
            let mut timed_out = false;
            let wait = |inner| {
                map(self.inner.wait_timeout(inner, deadline.left()), |(inner, out)| {
                    timed_out = out.timed_out();
                    inner
                })
            };
            let slept = guard.lend(wait);
            map(slept, |guard| (guard, WaitTimeoutResult(timed_out)))
        })
    }

    /// Sleeps on the floor of a check. Outside of one the guard comes back at once.
    fn sleep<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        until: Option<u64>,
        at: Place,
    ) -> Result<(MutexGuard<'a, T>, WaitTimeoutResult), MutexGuard<'a, T>> {
        if std::thread::panicking() && guard.taken().is_some() {
            return Ok((guard, WaitTimeoutResult(true))); // The run is over, nobody will ring.
        }
        // A guard from outside of a check says so, and then nobody else is in a check with it
        // either.
        let (Some(v), Some(lock)) = (self.tag.visit(at), guard.taken().cloned()) else {
            return Err(guard);
        };
        let (me, bell, lock_id) = (v.me.id, v.thing, lock.thing);
        v.step(Op::Wait { bell, lock: lock_id }, |_| ());
        guard.close();
        let falls_asleep = |state: &mut State| {
            gives_back(state, &lock);
            state.at(&v).sleepers.push(me);
            state.robot(me).rung = false;
            state.tell(&v, "goes to sleep at #", NONE);
            Op::Asleep { bell, lock: lock_id, until }
        };
        let has_lock_again = |state: &mut State| {
            state.at(&lock).holder = Some(me);
            state.hears(&lock, true);
        };
        let timed_out = v.me.step(at, falls_asleep, |state| {
            let timed_out = !state.robot(me).rung;
            if timed_out {
                state.at(&v).sleepers.retain(|sleeper| *sleeper != me);
                state.tell(&v, "has slept long enough at #", NONE);
            } else {
                has_lock_again(state);
            }
            timed_out
        });
        if timed_out {
            v.step(Op::Lock(lock_id), has_lock_again);
        }
        guard.reopen();
        Ok((guard, WaitTimeoutResult(timed_out)))
    }

    /// Wakes one sleeper, if there is one.
    #[track_caller]
    pub fn notify_one(&self) {
        if !self.ring(Location::caller(), false) {
            self.inner.notify_one();
        }
    }

    /// Wakes everybody who sleeps here.
    #[track_caller]
    pub fn notify_all(&self) {
        if !self.ring(Location::caller(), true) {
            self.inner.notify_all();
        }
    }

    /// Wakes one robot or all of them. False outside of a check.
    fn ring(&self, at: Place, all: bool) -> bool {
        let Some(v) = self.tag.visit(at) else {
            return false;
        };
        v.step(v.changes("ring #"), |state| {
            let woke = if all {
                (state.ring_all(v.thing) > 0).then_some(("rings # and wakes everybody there", NONE))
            } else {
                let woken = state.ring_one(v.me.id, v.thing);
                woken.map(|robot| ("rings # and wakes $", [Value::Robot(robot), Value::None]))
            };
            let (words, values) = woke.unwrap_or((UNHEARD, NONE));
            state.tell(&v, words, values);
        });
        true
    }
}

/// Did a wait end because its time was over? See [`std::sync::WaitTimeoutResult`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// True if nobody rang in time.
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

/// The same result about something else.
fn map<A, B>(result: LockResult<A>, wrap: impl FnOnce(A) -> B) -> LockResult<B> {
    match result {
        Ok(inner) => Ok(wrap(inner)),
        Err(poison) => Err(PoisonError::new(wrap(poison.into_inner()))),
    }
}

/// When a sleeper has slept long enough.
struct Deadline {
    on_the_floor: Option<u64>,
    start: Instant,
    timeout: Duration,
}

impl Deadline {
    fn after(timeout: Duration) -> Deadline {
        let on_the_floor = me().map(|me| me.glance(|state| state.wake_time(timeout)));
        Deadline { on_the_floor, start: Instant::now(), timeout }
    }

    fn left(&self) -> Duration {
        self.timeout.saturating_sub(self.start.elapsed())
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Condvar {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}
