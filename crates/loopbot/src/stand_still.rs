//! What LoopBot says when nothing can ever happen again.

use std::fmt;

/// LoopBot stands still: no task is ready, no timer is set, and the main future is not done.
///
/// On a virtual clock nobody outside is expected to wake anyone, so nothing can ever happen again. This
/// is an error in the program: somebody returned [`Poll::Pending`](std::task::Poll::Pending) and did not see to it that its waker is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandStill {
    pub(crate) waiting: Vec<String>,
}

impl StandStill {
    /// The names of the tasks that wait, "main" first, then in the order in which they were spawned.
    pub fn waiting(&self) -> &[String] {
        &self.waiting
    }
}

impl fmt::Display for StandStill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "LoopBot stands still: nobody is ready, no timer is set, and these wait for a wake that cannot come: {}",
            self.waiting.join(", ")
        )
    }
}

impl std::error::Error for StandStill {}
