//! Waiting for a thread's answer with std's channel: `recv` is made for threads, which have nothing else to do.

use std::io;
use std::sync::mpsc;

use super::world::chef;
use super::{Acts, Entry};

pub(super) const ENTRY: Entry = Entry {
    name: "channel-recv",
    title: "recv of a std channel",
    happens: "A task waits for a thread with `std::sync::mpsc::Receiver::recv`. That is how a thread waits for a thread: it stands still until the answer comes.",
    instead: "Use a channel whose receiving end is awaited: one of the futures crate's, `tokio::sync::oneshot`, `tokio::sync::mpsc`. The thread that sends may stay a plain thread.",
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
    let (pass, plates) = mpsc::channel();
    chef(move || {
        let _ = pass.send("fish");
    });
    let plate = plates.recv().map_err(io::Error::other)?;
    assert_eq!(plate, "fish");
    Ok(())
}
// ANCHOR_END: broken

// ANCHOR: mended
async fn on_loopbot() -> io::Result<()> {
    let (pass, plate) = futures_channel::oneshot::channel();
    chef(move || {
        let _ = pass.send("fish");
    });
    let plate = plate.await.map_err(io::Error::other)?;
    assert_eq!(plate, "fish");
    Ok(())
}
// ANCHOR_END: mended

async fn on_tokio() -> io::Result<()> {
    let (pass, plate) = tokio::sync::oneshot::channel();
    chef(move || {
        let _ = pass.send("fish");
    });
    let plate = plate.await.map_err(io::Error::other)?;
    assert_eq!(plate, "fish");
    Ok(())
}
