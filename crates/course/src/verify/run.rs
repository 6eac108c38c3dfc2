//! Running what has been built: contained, several at once, and again where the verdict has to be the same every time.
//!
//! Most of a run is starting and waiting, so many go on at once, and while others are still being built. What a busy machine
//! may have spoiled is run again by itself before anybody complains of it: so a verdict does not depend on the load.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::build::Built;
use crate::check::{self, CheckOptions, Checked, Subject, Verdict};
use crate::contained::Stop;

/// How a run of an answer ended, and what was printed.
#[derive(Clone, Debug)]
pub struct Run {
    /// The verdict.
    pub checked: Checked,
    /// What the compiler and the tests printed.
    pub output: String,
    /// What the tests printed.
    pub story: String,
    /// Whether the compiler warned.
    pub warned: bool,
    /// How long the tests took.
    pub took: Duration,
}

impl Run {
    /// What has to be the same every time.
    pub fn told(&self) -> (Verdict, String) {
        (self.checked.verdict, without_thread_ids(&self.story))
    }
}

/// A panic is told with the id of its thread, `thread 'name' (4711) panicked at ...`, which is another one every time.
fn without_thread_ids(story: &str) -> String {
    let line = |line: &str| {
        let (before, after) = line.split_once(") panicked at ")?;
        let (thread, id) = before.rsplit_once(" (")?;
        let is_id = id.bytes().all(|byte| byte.is_ascii_digit());
        (is_id && thread.starts_with("thread ")).then(|| format!("{thread} panicked at {after}"))
    };
    let lines = story
        .lines()
        .map(|it| line(it).unwrap_or_else(|| it.to_owned()));
    lines.collect::<Vec<_>>().join("\n")
}

/// Runs an answer's tests, if it has been built; if not, the compiler has given the verdict.
pub fn run(subject: &Subject, built: &Built, options: &CheckOptions, stop: &Stop) -> Run {
    let begun = Instant::now();
    let mut story = String::new();
    let checked = match &built.tests {
        Ok(tests) => check::run_built(subject, tests, options, stop, &mut |line| {
            story.push_str(line);
            story.push('\n');
        }),
        Err(checked) => checked.clone(),
    };
    Run {
        checked,
        output: format!("{}{story}", built.printed),
        story,
        warned: built.warned,
        took: begun.elapsed(),
    }
}

/// Work for several threads: each takes what comes next, until nothing more can come.
pub struct Queue<T> {
    waiting: Mutex<(VecDeque<T>, bool)>,
    changed: Condvar,
}

impl<T> Default for Queue<T> {
    fn default() -> Queue<T> {
        Queue::new()
    }
}

impl<T> Queue<T> {
    /// An empty queue.
    pub fn new() -> Queue<T> {
        Queue {
            waiting: Mutex::new((VecDeque::new(), false)),
            changed: Condvar::new(),
        }
    }

    /// Adds something to do.
    pub fn push(&self, job: T) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.0.push_back(job);
        self.changed.notify_one();
    }

    /// Says that nothing more will come.
    pub fn close(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.1 = true;
        self.changed.notify_all();
    }

    /// Waits for something to do. `None`: there is nothing more.
    pub fn take(&self) -> Option<T> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(job) = waiting.0.pop_front() {
                return Some(job);
            }
            if waiting.1 {
                return None;
            }
            waiting = self
                .changed
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::without_thread_ids;

    #[test]
    fn only_the_ids_of_threads_are_left_out() {
        let told = "thread 'a' (12) panicked at src/lib.rs:1:2:\n(12) panicked at\nseats (5) panicked at last\n";
        let same =
            "thread 'a' panicked at src/lib.rs:1:2:\n(12) panicked at\nseats (5) panicked at last";
        assert_eq!(without_thread_ids(told), same);
    }
}
