//! Printing. Standard output is often a pipe, and a pipe has room for so much (64 KiB on Linux). When it is full, `println!`
//! waits until somebody reads.
//!
//! Here it is a pipe of our own, so that your terminal is left alone. As std's `Stdout` does, it is given line by line.

use std::io::{self, LineWriter, PipeWriter, Write};

use super::world::slow_reader;
use super::{Acts, Entry};

pub(super) const ENTRY: Entry = Entry {
    name: "full-pipe",
    title: "println! to a full pipe",
    happens: "Whoever reads your output has stopped reading: a pager, a paused terminal, a busy log collector. The pipe fills up, and then `println!` waits.",
    instead: "Have another thread print. A log gets one of its own, with a queue that has a bound; decide what happens when that is full: wait with `await`, or drop lines and count them.",
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

// ANCHOR: print
/// 4,000 lines, twice as much as fits into the pipe and more.
fn print_orders(pipe: PipeWriter) -> io::Result<()> {
    let mut out = LineWriter::new(pipe);
    for order in 0..4000 {
        writeln!(out, "order {order:6}: soup, fish, bread, water, cake")?;
    }
    Ok(())
}
// ANCHOR_END: print

// ANCHOR: broken
async fn broken() -> io::Result<()> {
    print_orders(slow_reader()?)
}
// ANCHOR_END: broken

// ANCHOR: mended
async fn on_loopbot() -> io::Result<()> {
    let pipe = slow_reader()?;
    let printed = offload::spawn_blocking(move || print_orders(pipe));
    printed.await.map_err(io::Error::other)?
}
// ANCHOR_END: mended

async fn on_tokio() -> io::Result<()> {
    let pipe = slow_reader()?;
    let printed = tokio::task::spawn_blocking(move || print_orders(pipe));
    printed.await?
}
