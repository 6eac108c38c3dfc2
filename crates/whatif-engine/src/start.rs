//! How a robot comes onto the floor: it gets a number and a thread.

use std::io;
use std::thread::{self, Thread};

use crate::floor::Me;

impl Me {
    /// Starts a robot on a thread that robots of other runs have had before it. `deliver` gets what
    /// `f` returns. Returns its number in this run, and its thread.
    ///
    /// # Errors
    ///
    /// If the operating system has no thread for it.
    pub fn spawn<T>(
        &self,
        name: Option<&str>,
        stack_size: Option<usize>,
        f: impl FnOnce() -> T + Send + 'static,
        deliver: impl FnOnce(thread::Result<T>) + Send + 'static,
    ) -> io::Result<(usize, Thread)> {
        self.start(name, |robot| {
            let (crew, id) = (robot.crew(), robot.id);
            crew.start(id, name, stack_size, Box::new(move || robot.live(f, deliver)))
        })
    }

    /// Starts a robot on a thread of its own: `spawn` starts that, and there the robot
    /// [lives](Me::live). Lets it run until it stops for the first time: before that it touches
    /// nothing that others could see, so there is nothing to decide.
    ///
    /// # Errors
    ///
    /// That of `spawn`.
    pub fn start<H>(
        &self,
        name: Option<&str>,
        spawn: impl FnOnce(Me) -> io::Result<H>,
    ) -> io::Result<(usize, H)> {
        let robot = self.hire(name);
        let id = robot.id;
        match spawn(robot) {
            Ok(thread) => {
                self.let_start();
                Ok((id, thread))
            }
            Err(error) => {
                self.unhire(id);
                Err(error)
            }
        }
    }
}
