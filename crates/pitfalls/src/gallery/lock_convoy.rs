//! A lock convoy. LoopBot keeps the lock for a microsecond and never across an `await`: it does everything right. But others
//! keep it for long, and there is a line; so LoopBot stands in the line, with all its guests behind it.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::world::clerks;
use super::{Acts, Entry};

pub(super) const ENTRY: Entry = Entry {
    name: "lock-convoy",
    title: "a lock convoy",
    happens: "A task locks a `std::sync::Mutex` for one short moment. Threads that share it work while they hold it, one after the other, and the loop waits in line with them.",
    instead: "Everybody does the work first, and holds the lock only to put the result in. Where that is not possible, send the result through a channel and let one owner write.",
    never_ends: false,
    broken: Acts {
        loopbot: || Box::pin(loopbot_books(keep_the_ledger())),
        tokio: || Box::pin(tokio_books(keep_the_ledger())),
    },
    mended: Acts {
        loopbot: || Box::pin(loopbot_books(put_it_in())),
        tokio: || Box::pin(tokio_books(put_it_in())),
    },
};

type Ledger = Arc<Mutex<Vec<&'static str>>>;

// ANCHOR: broken
/// The clerks add up with the ledger in hand.
fn keep_the_ledger() -> Ledger {
    let ledger = Ledger::default();
    let shared = ledger.clone();
    clerks(move |adds_up| {
        let mut ledger = shared.lock().unwrap();
        adds_up();
        ledger.push("the day's sum");
    });
    ledger
}
// ANCHOR_END: broken

// ANCHOR: mended
/// They add up first.
fn put_it_in() -> Ledger {
    let ledger = Ledger::default();
    let shared = ledger.clone();
    clerks(move |adds_up| {
        adds_up();
        shared.lock().unwrap().push("the day's sum");
    });
    ledger
}
// ANCHOR_END: mended

const MEAL: Duration = Duration::from_millis(10);

// ANCHOR: books
async fn loopbot_books(ledger: Ledger) -> io::Result<()> {
    for dish in ["soup", "fish", "cake", "coffee"] {
        ledger.lock().unwrap().push(dish); // for a moment
        loopbot::sleep(MEAL).await;
    }
    Ok(())
}
// ANCHOR_END: books

async fn tokio_books(ledger: Ledger) -> io::Result<()> {
    for dish in ["soup", "fish", "cake", "coffee"] {
        ledger.lock().unwrap().push(dish);
        tokio::time::sleep(MEAL).await;
    }
    Ok(())
}
