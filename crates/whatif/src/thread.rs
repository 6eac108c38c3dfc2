//! Robots: threads shaped like those of `std::thread`. Outside of a check they are those of
//! `std::thread`.

use std::cell::RefCell;
use std::io;
use std::panic::{self, AssertUnwindSafe, Location};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread as real;
use std::time::Duration;

use crate::crew;
use crate::floor::{self, Me, Place};
use crate::pending::Op;

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
    match floor::me() {
        Some(me) => me.step(Location::caller(), |_| Op::Yield, |_| ()),
        None => real::yield_now(),
    }
}

/// Sleeps. Inside of a check no time passes: the others go first, *or not*, because a nap promises
/// no order. Inside of [`simulate`](crate::simulate) it takes exactly that much virtual time.
#[track_caller]
pub fn sleep(nap: Duration) {
    match floor::me() {
        Some(me) => {
            me.step(Location::caller(), |state| Op::Nap { until: state.wake_time(nap) }, |_| ())
        }
        None => real::sleep(nap),
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
        let Some(me) = floor::me() else {
            let thread = crew::builder(name.as_deref(), stack_size).spawn(f)?;
            return Ok(JoinHandle(Handle::Plain(thread)));
        };
        let result = Arc::new(Mutex::new(None));
        let deliver = Arc::clone(&result);
        let (id, thread) = start(&me, name.as_deref(), |robot| {
            let (crew, id) = (robot.crew(), robot.id);
            let life = move || robot.live(f, move |result| *lock(&deliver) = Some(result));
            crew.start(id, name.as_deref(), stack_size, Box::new(life))
        })?;
        Ok(JoinHandle(Handle::Robot { id, thread, result }))
    }

    /// Starts a robot that may borrow from outside of `scope`.
    ///
    /// # Errors
    ///
    /// If the operating system has no thread for it.
    pub fn spawn_scoped<'scope, F, T>(
        self,
        scope: &Scope<'scope, '_>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let Builder { name, stack_size } = self;
        let builder = crew::builder(name.as_deref(), stack_size);
        let Some(me) = floor::me() else {
            let thread = builder.spawn_scoped(scope.inner, || Ok(f()))?;
            return Ok(ScopedJoinHandle { robot: None, thread });
        };
        // A thread of the crew may outlive the scope, so what borrows needs one of its own.
        let (id, thread) = start(&me, name.as_deref(), |robot| {
            let live = || {
                let mut delivered = None;
                robot.live(f, |result| delivered = Some(result));
                delivered.expect("a life always delivers")
            };
            builder.spawn_scoped(scope.inner, live)
        })?;
        scope.robots.borrow_mut().push(id);
        Ok(ScopedJoinHandle { robot: Some(id), thread })
    }
}

/// Starts a robot, and lets it run until it stops for the first time: before that it touches
/// nothing that others could see, so there is nothing to decide.
fn start<H>(
    me: &Me,
    name: Option<&str>,
    spawn: impl FnOnce(Me) -> io::Result<H>,
) -> io::Result<(usize, H)> {
    let robot = me.hire(name);
    let id = robot.id;
    match spawn(robot) {
        Ok(thread) => {
            me.let_start();
            Ok((id, thread))
        }
        Err(error) => {
            me.unhire(id);
            Err(error)
        }
    }
}

/// Joining is a step that can be taken once the other robot has gone home.
fn wait_for(robot: usize, at: Place) {
    if let Some(me) = floor::me() {
        me.step(at, |_| Op::Join(robot), |_| ());
    }
}

/// The right to wait for a robot. Dropping it lets the robot go its own way. See
/// [`std::thread::JoinHandle`].
#[derive(Debug)]
pub struct JoinHandle<T>(Handle<T>);

#[derive(Debug)]
enum Handle<T> {
    Plain(real::JoinHandle<T>),
    Robot { id: usize, thread: real::Thread, result: Arc<Mutex<Option<real::Result<T>>>> },
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
        match self.0 {
            Handle::Plain(thread) => thread.join(),
            Handle::Robot { id, result, .. } => {
                wait_for(id, Location::caller());
                let result = lock(&result).take();
                result.expect("only robots of the same check can wait for a robot")
            }
        }
    }

    /// The thread that the robot is.
    pub fn thread(&self) -> &real::Thread {
        match &self.0 {
            Handle::Plain(thread) => thread.thread(),
            Handle::Robot { thread, .. } => thread,
        }
    }
}

/// Starts robots that may borrow, and waits for all of them. See [`std::thread::scope`].
///
/// One difference to std: a robot cannot itself spawn into the scope that it was spawned in.
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
    F: for<'scope> FnOnce(&Scope<'scope, 'env>) -> T,
{
    let at = Location::caller();
    real::scope(|inner| {
        let scope = Scope { inner, robots: RefCell::default() };
        let Some(me) = floor::me() else {
            return f(&scope);
        };
        // std would now wait for the robots, and meanwhile this robot would keep its turn. So wait
        // in steps first; and if `f` panics, end the run first, so that they all go home.
        match panic::catch_unwind(AssertUnwindSafe(|| f(&scope))) {
            Ok(result) => {
                for robot in scope.robots.take() {
                    wait_for(robot, at);
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
pub struct Scope<'scope, 'env: 'scope> {
    inner: &'scope real::Scope<'scope, 'env>,
    robots: RefCell<Vec<usize>>,
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a robot that may borrow from outside of the scope.
    ///
    /// # Panics
    ///
    /// If the operating system has no thread for it.
    pub fn spawn<F, T>(&self, f: F) -> ScopedJoinHandle<'scope, T>
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
    robot: Option<usize>,
    thread: real::ScopedJoinHandle<'scope, real::Result<T>>,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Waits until the robot has finished, and returns what it returned.
    ///
    /// # Errors
    ///
    /// As [`JoinHandle::join`].
    #[track_caller]
    pub fn join(self) -> real::Result<T> {
        if let Some(robot) = self.robot {
            wait_for(robot, Location::caller());
        }
        self.thread.join().and_then(|result| result)
    }
}
