//! Computing. Nobody waits for anything here, and the loop is held all the same.

use std::hint::black_box;
use std::io;

use super::world::{HOLD, taste_for};
use super::{Acts, Entry};

pub(super) const ENTRY: Entry = Entry {
    name: "cpu-loop",
    title: "a computation",
    happens: "A task computes: it parses, compresses, hashes a password. As long as that takes, the loop does nothing else. `async` does not make it shorter, and `join!` does not make it parallel.",
    instead: "Have another thread compute (`offload::spawn_blocking`, `tokio::task::spawn_blocking`), or several: that is a chapter of its own. What is short may stay, cut into pieces with `yield_now().await` between them.",
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
    black_box(taste_for(HOLD));
    Ok(())
}
// ANCHOR_END: broken

// ANCHOR: mended
async fn on_loopbot() -> io::Result<()> {
    let tasted = offload::spawn_blocking(|| taste_for(HOLD));
    black_box(tasted.await.map_err(io::Error::other)?);
    Ok(())
}
// ANCHOR_END: mended

async fn on_tokio() -> io::Result<()> {
    let tasted = tokio::task::spawn_blocking(|| taste_for(HOLD));
    black_box(tasted.await?);
    Ok(())
}
