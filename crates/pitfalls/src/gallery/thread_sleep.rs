//! `std::thread::sleep` in a task. The thread sleeps, and LoopBot is the thread.

use std::io;
use std::thread;

use super::world::HOLD;
use super::{Acts, Entry};

pub(super) const ENTRY: Entry = Entry {
    name: "thread-sleep",
    title: "thread::sleep",
    happens: "A task wants to wait, and calls `std::thread::sleep`. That puts the thread to sleep, with every task on it.",
    instead: "Wait with the runtime's own timer: `loopbot::sleep(..).await`, `tokio::time::sleep(..).await`.",
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
    thread::sleep(HOLD);
    Ok(())
}
// ANCHOR_END: broken

// ANCHOR: mended
async fn on_loopbot() -> io::Result<()> {
    loopbot::sleep(HOLD).await;
    Ok(())
}
// ANCHOR_END: mended

async fn on_tokio() -> io::Result<()> {
    tokio::time::sleep(HOLD).await;
    Ok(())
}
