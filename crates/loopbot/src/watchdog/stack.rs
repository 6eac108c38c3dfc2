// ANCHOR: stack
//! Which functions hold the loop's thread right now.
//!
//! What it takes: the thread is interrupted by a signal and copies its own stack (`sample.rs`), which takes it some
//! microseconds; then it goes on, and the watchdog finds out at leisure who called whom (`unwind.rs`),
//! what their names are (`names.rs`), and which of them a reader wants to know (`fold.rs`).

mod fold;
mod names;
mod sample;
mod unwind;

use super::stuck::Frame;

/// The thread to look at.
pub(super) struct Target(sample::Thread);

impl Target {
    pub(super) fn this_thread() -> Target {
        Target(sample::Thread::this())
    }

    /// The functions that this thread is in, innermost first, down to the task's own; if what they are asked about
    /// still goes on afterwards.
    pub(super) fn stack(&self, goes_on: impl Fn() -> bool) -> Result<Vec<Frame>, &'static str> {
        let sample = self.0.sample()?;
        if !goes_on() {
            return Err("the poll was over before it could be seen");
        }
        let functions = names::functions(unwind::addresses(&sample));
        Ok(fold::for_a_reader(functions))
    }
}
// ANCHOR_END: stack
