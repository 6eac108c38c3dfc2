//! Reading a file with std. Most files are in memory and come at once; then one lies on a network drive.
//!
//! No loop can await a file. To the system a file is always ready, so there is no bell to leave: somebody has to stand there.
//! Let it be another thread. Tokio's `tokio::fs` does the same behind your back.

use std::{fs, io};

use super::world::slow_file;
use super::{Acts, Entry};

pub(super) const ENTRY: Entry = Entry {
    name: "file-read",
    title: "reading a file",
    happens: "`std::fs::read_to_string` returns when the file is there. Mostly that is at once; from a network drive, a sleeping disk or a pipe it is not.",
    instead: "Have a thread of a pool read it: `offload::fs::read_to_string`, or `spawn_blocking` with whatever reads. `tokio::fs` does that, too.",
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
    let file = slow_file()?;
    let menu = fs::read_to_string(file.path())?;
    assert_eq!(menu, "soup, fish, cake\n");
    Ok(())
}
// ANCHOR_END: broken

// ANCHOR: mended
async fn on_loopbot() -> io::Result<()> {
    let file = slow_file()?;
    let menu = offload::fs::read_to_string(file.path()).await?;
    assert_eq!(menu, "soup, fish, cake\n");
    Ok(())
}
// ANCHOR_END: mended

async fn on_tokio() -> io::Result<()> {
    let file = slow_file()?;
    let read = tokio::task::spawn_blocking(move || fs::read_to_string(file.path()));
    let menu = read.await??;
    assert_eq!(menu, "soup, fish, cake\n");
    Ok(())
}
