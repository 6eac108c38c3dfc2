//! A lock of std's, kept across an `await`. One guest pays, and waits for the card machine with the till in hand. The next one
//! wants the till, and `lock` waits, as it should: for a task on this very thread, which now never gets its turn.
//!
//! It takes one mutex and one thread. `tokio::spawn` refuses to compile it, since the guard may not leave its thread;
//! `spawn_local`, `block_on` and LoopBot take it.

use std::io;
use std::rc::Rc;
use std::sync::Mutex;
use std::time::Duration;

use flight::{Event, Text};
use loopbot::with_lane;

use super::world::HOLD;
use super::{Acts, Entry};

pub(super) const ENTRY: Entry = Entry {
    name: "mutex-across-await",
    title: "a std Mutex held across an await",
    happens: "A task awaits with a `std::sync::MutexGuard` in hand. Another task on the same thread calls `lock`, and the thread waits for a task that only this thread could poll. It never ends.",
    instead: "Drop the guard before you await. If it has to be kept across the `await`, use a mutex whose `lock` is awaited, too: `loopbot::sync::Mutex`, `tokio::sync::Mutex`.",
    never_ends: true,
    broken: Acts {
        loopbot: || Box::pin(broken_on_loopbot()),
        tokio: || Box::pin(broken_on_tokio()),
    },
    mended: Acts {
        loopbot: || Box::pin(on_loopbot()),
        tokio: || Box::pin(on_tokio()),
    },
};

/// How long the card machine thinks: two guests make a [`HOLD`].
const CARD: Duration = HOLD.checked_div(2).unwrap();

// ANCHOR: broken
async fn broken_on_loopbot() -> io::Result<()> {
    #[expect(clippy::await_holding_lock, reason = "this is the mistake")]
    async fn pays(till: Rc<Mutex<u32>>) {
        notes(|resource| Event::ResWait { resource });
        let mut money = till.lock().unwrap();
        notes(|resource| Event::ResAcquire { resource });
        loopbot::sleep(CARD).await; // with the guard in hand
        *money += 12;
    }
    let till = Rc::new(Mutex::new(0));
    let first = loopbot::spawn_named("the first to pay", pays(till.clone()));
    let second = loopbot::spawn_named("the second to pay", pays(till.clone()));
    first.await.map_err(io::Error::other)?;
    second.await.map_err(io::Error::other)
}
// ANCHOR_END: broken

/// std's mutex writes nothing into the record, so this does.
fn notes(event: impl FnOnce(Text) -> Event) {
    with_lane(|lane| lane.record(event(lane.text("the till"))));
}

// ANCHOR: mended
async fn on_loopbot() -> io::Result<()> {
    async fn pays(till: Rc<loopbot::sync::Mutex<u32>>) {
        let mut money = till.lock().await;
        loopbot::sleep(CARD).await;
        *money += 12;
    }
    let till = Rc::new(loopbot::sync::Mutex::new(0));
    let first = loopbot::spawn_named("the first to pay", pays(till.clone()));
    let second = loopbot::spawn_named("the second to pay", pays(till.clone()));
    first.await.map_err(io::Error::other)?;
    second.await.map_err(io::Error::other)
}
// ANCHOR_END: mended

async fn broken_on_tokio() -> io::Result<()> {
    #[expect(clippy::await_holding_lock, reason = "this is the mistake")]
    async fn pays(till: Rc<Mutex<u32>>) {
        let mut money = till.lock().unwrap();
        tokio::time::sleep(CARD).await;
        *money += 12;
    }
    let till = Rc::new(Mutex::new(0));
    let first = tokio::task::spawn_local(pays(till.clone()));
    let second = tokio::task::spawn_local(pays(till.clone()));
    first.await?;
    second.await?;
    Ok(())
}

async fn on_tokio() -> io::Result<()> {
    async fn pays(till: Rc<tokio::sync::Mutex<u32>>) {
        let mut money = till.lock().await;
        tokio::time::sleep(CARD).await;
        *money += 12;
    }
    let till = Rc::new(tokio::sync::Mutex::new(0));
    let first = tokio::task::spawn_local(pays(till.clone()));
    let second = tokio::task::spawn_local(pays(till.clone()));
    first.await?;
    second.await?;
    Ok(())
}
