//! Running a program that may do anything: loop, print without end, eat all memory, start children of its own, crash.
//!
//! [`run`] starts a child, hands on what it prints, and holds it to its [`Limits`]. When it returns, the child is gone, and so is
//! everything that the child has started. [`Clues`] and [`Fate`] say in one sentence what became of a test program.
//!
//! [`tests!`] does the same for a test program under plain `cargo test`:
//!
//! ```
//! contained::tests!();
//! # fn main() {}
//! ```
//!
//! # What each platform does
//!
//! | | Linux | macOS, other Unix | Windows |
//! |---|---|---|---|
//! | time, output | yes | yes | yes |
//! | memory | of each process: data, heap and threads' stacks (`RLIMIT_DATA`) | no: no limit that is kept | of all processes together (job object) |
//! | killed whole | the process group, and whatever else has this run's mark in its environment | the process group; who leaves it (`setsid`) stays | the job; nobody can leave it |
//! | when the supervisor itself dies | a watchman kills the same | a watchman kills the group | the job ends with its last handle |
//!
//! What escapes on Linux: a process that left the group and was started with an environment of its own. [`Limits::may_leave`]
//! lets everybody go who leaves.
//!
//! The part for Windows is checked by the compiler and was never run by us; that for macOS neither.

mod before_main;
mod clues;
mod fate;
mod limits;
mod lines;
mod platform;
mod run;
mod stop;

#[doc(hidden)]
pub use before_main::before_main;
pub use before_main::{CONTAINED, SECONDS, status};
pub use clues::Clues;
#[doc(hidden)]
pub use ctor;
pub use fate::{DID_NOT_END, Fate};
pub use limits::Limits;
pub use run::{Ended, Stream, Streams, run, run_bytes};
pub use stop::Stop;

use std::process::ExitStatus;

/// How a program ended that did not exit by itself, in words: `None` for an ordinary exit status.
pub fn crash(status: ExitStatus) -> Option<String> {
    platform::crash(status)
}

/// Contains the test program in which it stands: one line, at the top level of a file in `tests/`.
///
/// Before its main begins, the program starts itself again as a child within [`Limits::default`], hands on what the child
/// prints, byte by byte, and ends as the child does. If the child does not end, or dies, one sentence on standard error says
/// so. [`status`] has the exit statuses.
///
/// All arguments are handed on, so the harness's own (`--list`, `--exact`, `--nocapture`) work, and so does whoever starts
/// tests with them. Standard input is empty. `LOOPBOT_SECONDS=300` in the environment gives a slow machine five minutes.
///
/// # Under a debugger
///
/// A debugger would see the wrong one of the two processes. `LOOPBOT_CONTAINED=off` in the environment leaves everything in
/// one, without any limits. Where a debugger is noticed (on Linux), this happens by itself.
///
/// `LOOPBOT_CONTAINED=1` means that somebody else contains the program already. The child finds it in its environment, and
/// so does everything that it starts: a test that starts its own program again is not contained twice.
#[macro_export]
macro_rules! tests {
    () => {
        $crate::ctor::declarative::ctor! {
            #[ctor(unsafe, crate_path = $crate::ctor)]
            fn contain_this_test_program() {
                $crate::before_main()
            }
        }
    };
}
