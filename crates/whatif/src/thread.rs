//! Robots: threads shaped like those of `std::thread`. Outside of a check they are those of
//! `std::thread`.

use std::fmt;
use std::io;
use std::num::NonZero;
use std::panic::{self, AssertUnwindSafe, Location};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread as real;
use std::time::Duration;

pub use std::thread::{AccessError, LocalKey, Result, ThreadId, panicking};

use whatif_engine::{NONE, Op, Place, builder, is_sent_home, me};

use crate::one_core;

/// As std's. In a check, too, it says how many cores the machine has, not how many the check uses.
///
/// # Errors
///
/// If the system does not tell.
pub fn available_parallelism() -> io::Result<NonZero<usize>> {
    one_core::before().map_or_else(real::available_parallelism, Ok)
}

/// Starts a robot. See [`std::thread::spawn`].
///
/// # Panics
///
/// If the operating system has no thread for it.
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(f).expect("the operating system has no thread to give")
}

/// Lets others go first, or not: that is a hint, and a check tries both.
#[track_caller]
pub fn yield_now() {
    match me() {
        Some(me) => me.step(Location::caller(), |_| Op::Yield, |_| ()),
        None => real::yield_now(),
    }
}

/// Sleeps. Inside of a check no time passes: the others go first, *or not*, because a nap promises
/// no order. Inside of [`simulate`](crate::simulate) it takes exactly that much virtual time.
#[track_caller]
pub fn sleep(nap: Duration) {
    match me() {
        Some(me) => {
            me.step(Location::caller(), |state| Op::Nap { until: state.wake_time(nap) }, |_| ())
        }
        None => real::sleep(nap),
    }
}

/// Waits until somebody unparks this robot, if nobody has since it parked last. May also go on
/// although nobody has: so look again, in a loop. A check tries that, once in a run.
///
/// Whoever is unparked knows what those who unparked it knew.
#[track_caller]
pub fn park() {
    park_until(None, Location::caller(), real::park);
}

/// Parks, but no longer than this. Inside of a check no time passes: it may be too short.
#[track_caller]
pub fn park_timeout(timeout: Duration) {
    park_until(Some(timeout), Location::caller(), || real::park_timeout(timeout));
}

fn park_until(timeout: Option<Duration>, at: Place, outside: impl FnOnce()) {
    let Some(me) = me() else { return outside() };
    let (id, v) = (me.id, me.visit(me.id, at));
    let until = me.glance(|state| {
        state.robot(id).rung = false;
        timeout.map(|timeout| state.wake_time(timeout))
    });
    v.step(Op::Park { robot: v.thing, until }, |state| {
        if std::mem::take(&mut state.robot(id).token) {
            state.hears(&v, true);
            state.tell(&v, "goes on: it has been unparked", NONE);
        }
    });
}

/// The robot that runs now. See [`std::thread::current`].
pub fn current() -> Thread {
    Thread { inner: real::current(), robot: me().map(|me| (me.run(), me.id)) }
}

/// A robot, for others to wake. See [`std::thread::Thread`].
#[derive(Clone)]
pub struct Thread {
    inner: real::Thread,
    /// The run, and the robot's number in it.
    robot: Option<(u64, usize)>,
}

impl Thread {
    /// Lets the robot go on if it is parked; otherwise its next `park` returns at once.
    #[track_caller]
    pub fn unpark(&self) {
        match (me(), self.robot) {
            (Some(me), Some((run, robot))) if me.run() == run => {
                let v = me.visit(robot, Location::caller());
                v.step(v.changes("unpark #"), |state| {
                    state.robot(robot).token = true;
                    state.leaves_word(&v, true);
                    state.tell(&v, "unparks #", NONE);
                });
            }
            _ => self.inner.unpark(),
        }
    }

    /// The name that the robot was given.
    pub fn name(&self) -> Option<&str> {
        self.inner.name()
    }

    /// Tells its thread from every other one that is running. In a check, a robot of the next run
    /// may have the same thread.
    pub fn id(&self) -> ThreadId {
        self.inner.id()
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// How to start a robot: most of all, its name. See [`std::thread::Builder`].
///
/// ```
/// let robot = whatif::thread::Builder::new().name("WaitBot-1".into()).spawn(|| 40 + 2)?;
/// assert_eq!(robot.join().unwrap(), 42);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Default)]
#[must_use = "a robot that is not spawned does nothing"]
pub struct Builder {
    name: Option<String>,
    stack_size: Option<usize>,
}

impl Builder {
    /// A robot without a name.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// The robot's name, in stories as in the operating system.
    pub fn name(mut self, name: String) -> Builder {
        self.name = Some(name);
        self
    }

    /// The size of its stack, in bytes.
    pub fn stack_size(mut self, bytes: usize) -> Builder {
        self.stack_size = Some(bytes);
        self
    }

    /// Starts the robot.
    ///
    /// # Errors
    ///
    /// If the operating system has no thread for it.
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let Builder { name, stack_size } = self;
        let Some(me) = me() else {
            let thread = builder(name.as_deref(), stack_size).spawn(f)?;
            let handle = Thread { inner: thread.thread().clone(), robot: None };
            return Ok(JoinHandle { thread: handle, inner: Handle::Plain(thread) });
        };
        let result = Arc::new(Mutex::new(None));
        let deliver = Arc::clone(&result);
        let deliver = move |result| *lock(&deliver) = Some(result);
        let (id, thread) = me.spawn(name.as_deref(), stack_size, f, deliver)?;
        let thread = Thread { inner: thread, robot: Some((me.run(), id)) };
        Ok(JoinHandle { thread, inner: Handle::Robot { id, result } })
    }

    /// Starts a robot that may borrow from outside of `scope`.
    ///
    /// # Errors
    ///
    /// If the operating system has no thread for it.
    pub fn spawn_scoped<'scope, F, T>(
        self,
        scope: &'scope Scope<'scope, '_>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let Builder { name, stack_size } = self;
        let builder = builder(name.as_deref(), stack_size);
        let Some(me) = me() else {
            let inner = builder.spawn_scoped(&scope.0, || Ok(f()))?;
            let thread = Thread { inner: inner.thread().clone(), robot: None };
            return Ok(ScopedJoinHandle { thread, inner });
        };
        // A thread of the crew may outlive the scope, so what borrows needs one of its own.
        let (id, inner) = me.start(name.as_deref(), |robot| {
            me.glance(|state| state.robot(robot.id).scope = scope.address());
            let live = || {
                let mut delivered = None;
                robot.live(f, |result| delivered = Some(result));
                delivered.expect("a life always delivers")
            };
            builder.spawn_scoped(&scope.0, live)
        })?;
        let thread = Thread { inner: inner.thread().clone(), robot: Some((me.run(), id)) };
        Ok(ScopedJoinHandle { thread, inner })
    }
}

/// Joining is a step that can be taken once the other robot has gone home.
fn wait_for(robot: usize, at: Place) {
    if let Some(me) = me() {
        me.step(at, |_| Op::Join(robot), |state| state.joins(me.id, robot));
    }
}

/// Looking whether a robot is still there is a step. Then so is its end: it can be noticed.
fn has_finished(robot: usize, at: Place) -> Option<bool> {
    let v = me()?.visit(robot, at);
    Some(v.step(v.looks("look whether # has finished"), |state| {
        state.unlock_becomes_step();
        let gone = state.robot(robot).gone;
        let words = if gone { "sees that # has finished" } else { "sees that # has not finished" };
        state.tell(&v, words, NONE);
        gone
    }))
}

/// The right to wait for a robot. Dropping it lets the robot go its own way. See
/// [`std::thread::JoinHandle`].
#[derive(Debug)]
pub struct JoinHandle<T> {
    thread: Thread,
    inner: Handle<T>,
}

#[derive(Debug)]
enum Handle<T> {
    Plain(real::JoinHandle<T>),
    Robot { id: usize, result: Arc<Mutex<Option<real::Result<T>>>> },
}

fn lock<T>(result: &Mutex<T>) -> MutexGuard<'_, T> {
    result.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> JoinHandle<T> {
    /// Waits until the robot has finished, and returns what it returned.
    ///
    /// # Errors
    ///
    /// The payload of its panic, if it panicked. Never inside of a check: there a panic ends the
    /// run.
    ///
    /// # Panics
    ///
    /// If the robot is one of a check that is still running, and whoever joins is not.
    #[track_caller]
    pub fn join(self) -> real::Result<T> {
        match self.inner {
            Handle::Plain(thread) => thread.join(),
            Handle::Robot { id, result } => {
                wait_for(id, Location::caller());
                match lock(&result).take() {
                    Some(result) => result,
                    None if is_sent_home() => Err(Box::new("the run is over")),
                    None => panic!("only robots of the same check can wait for a robot"),
                }
            }
        }
    }

    /// The thread that the robot is.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Has the robot finished? Then `join` would not wait.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        match &self.inner {
            Handle::Plain(thread) => thread.is_finished(),
            Handle::Robot { id, result } => {
                has_finished(*id, Location::caller()).unwrap_or_else(|| lock(result).is_some())
            }
        }
    }
}

/// Starts robots that may borrow, and waits for all of them. See [`std::thread::scope`].
///
/// ```
/// let glasses = vec![1, 2, 3];
/// let total = whatif::thread::scope(|s| {
///     let robot = s.spawn(|| glasses.iter().sum::<i32>());
///     robot.join().unwrap()
/// });
/// assert_eq!(total, 6);
/// ```
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let at = Location::caller();
    real::scope(|inner| {
        let scope = Scope::around(inner);
        let Some(me) = me() else {
            return f(scope);
        };
        // std would now wait for the robots, and meanwhile this robot would keep its turn. So wait
        // in steps first; and if `f` panics, end the run first, so that they all go home.
        match panic::catch_unwind(AssertUnwindSafe(|| f(scope))) {
            Ok(result) => {
                let mut robot = 0; // The robots of the scope may spawn more meanwhile.
                while let Some(of) = me.glance(|state| state.robots().get(robot).map(|it| it.scope))
                {
                    if of == scope.address() {
                        wait_for(robot, at);
                    }
                    robot += 1;
                }
                result
            }
            Err(payload) => {
                me.give_up(payload.as_ref());
                panic::resume_unwind(payload)
            }
        }
    })
}

/// Where scoped robots are spawned. See [`std::thread::Scope`].
#[derive(Debug)]
#[repr(transparent)]
pub struct Scope<'scope, 'env: 'scope>(real::Scope<'scope, 'env>);

impl<'scope, 'env> Scope<'scope, 'env> {
    /// The scope of std, seen as one of ours. Only so it lives as long as `'scope`, and robots can
    /// spawn into the scope in which they were spawned.
    #[allow(unsafe_code)]
    fn around(inner: &'scope real::Scope<'scope, 'env>) -> &'scope Scope<'scope, 'env> {
        // SAFETY: a `Scope` is nothing but a scope of std (`repr(transparent)`), and the reference
        // stays what it was: shared, and as long as `'scope`.
        unsafe { &*std::ptr::from_ref(inner).cast() }
    }

    /// Tells it from every other scope that is open.
    fn address(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    /// Starts a robot that may borrow from outside of the scope.
    ///
    /// # Panics
    ///
    /// If the operating system has no thread for it.
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        Builder::new().spawn_scoped(self, f).expect("the operating system has no thread to give")
    }
}

/// The right to wait for a scoped robot. See [`std::thread::ScopedJoinHandle`].
#[derive(Debug)]
pub struct ScopedJoinHandle<'scope, T> {
    thread: Thread,
    inner: real::ScopedJoinHandle<'scope, real::Result<T>>,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Waits until the robot has finished, and returns what it returned.
    ///
    /// # Errors
    ///
    /// As [`JoinHandle::join`].
    #[track_caller]
    pub fn join(self) -> real::Result<T> {
        if let Some((_, robot)) = self.thread.robot {
            wait_for(robot, Location::caller());
        }
        self.inner.join().and_then(|result| result)
    }

    /// The thread that the robot is.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Has the robot finished? Then `join` would not wait.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        let robot = self.thread.robot;
        robot
            .and_then(|(_, robot)| has_finished(robot, Location::caller()))
            .unwrap_or_else(|| self.inner.is_finished())
    }
}
