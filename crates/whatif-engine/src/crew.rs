//! Threads for robots: where they come from is for whoever runs the program to say.

use std::io;
use std::thread::{self, Thread};

/// What a robot does from its first step to its last.
pub type Life = Box<dyn FnOnce() + Send>;

/// Whoever gives robots their threads.
pub trait Crew: Send + Sync {
    /// Runs `life` on a thread for robot number `id` of this run, with this name and stack. A robot that
    /// had the same number in the run before has gone home.
    ///
    /// # Errors
    ///
    /// If the operating system has no thread for it.
    fn start(
        &self,
        id: usize,
        name: Option<&str>,
        stack_size: Option<usize>,
        life: Life,
    ) -> io::Result<Thread>;
}

/// A new thread for each robot.
pub(crate) struct NewThreads;

impl Crew for NewThreads {
    fn start(
        &self,
        _: usize,
        name: Option<&str>,
        stack_size: Option<usize>,
        life: Life,
    ) -> io::Result<Thread> {
        Ok(builder(name, stack_size).spawn(life)?.thread().clone())
    }
}

/// A thread of the operating system, to order.
pub fn builder(name: Option<&str>, stack_size: Option<usize>) -> thread::Builder {
    let mut builder = thread::Builder::new();
    if let Some(name) = name {
        builder = builder.name(name.to_owned());
    }
    if let Some(bytes) = stack_size {
        builder = builder.stack_size(bytes);
    }
    builder
}
