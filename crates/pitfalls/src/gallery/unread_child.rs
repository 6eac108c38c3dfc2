//! A child process whose output nobody reads. It prints until the pipe is full, and then waits for you to read. You wait for it to
//! end.
//!
//! Both would wait for ever. Here an outside hand reads the pipe after a while, and then both go on. Even without that
//! trap, `wait` takes as long as the child does, and so does `output`: neither belongs on a loop.

use std::io;

use super::world::{reads_later, talking_child};
use super::{Acts, Entry};

pub(super) const ENTRY: Entry = Entry {
    name: "unread-child",
    title: "waiting for a child whose pipe is unread",
    happens: "A child prints more than the pipe holds, and waits until somebody reads. The parent waits with `Child::wait` until the child ends. Neither ever does; here, somebody else reads after a while.",
    instead: "Read while you wait: `output()` does both. Off the loop: `offload::spawn_blocking`, or `tokio::process::Command::output().await`.",
    never_ends: false,
    broken: Acts {
        loopbot: || Box::pin(broken()),
        tokio: || Box::pin(broken()),
    },
    mended: Acts {
        loopbot: || Box::pin(on_loopbot()),
        tokio: || Box::pin(on_tokio()),
    },
};

// ANCHOR: broken
async fn broken() -> io::Result<()> {
    let mut child = talking_child().spawn()?;
    if let Some(pipe) = child.stdout.take() {
        reads_later(pipe); // the outside hand
    }
    child.wait()?;
    Ok(())
}
// ANCHOR_END: broken

// ANCHOR: mended
async fn on_loopbot() -> io::Result<()> {
    let ran = offload::spawn_blocking(|| talking_child().output());
    let output = ran.await.map_err(io::Error::other)??;
    assert!(output.stdout.len() > 65_536);
    Ok(())
}
// ANCHOR_END: mended

async fn on_tokio() -> io::Result<()> {
    let mut child = tokio::process::Command::from(talking_child());
    let output = child.output().await?;
    assert!(output.stdout.len() > 65_536);
    Ok(())
}
