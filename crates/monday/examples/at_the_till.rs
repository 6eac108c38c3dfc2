//! Twenty guests pay by card at the same moment: with a lock held over the wait, and without.
//!
//! `cargo run -p monday --example at_the_till`

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use flight::VirtualTime;
use loopbot::sync::Mutex;
use loopbot::{Clock, LoopBot};
use restaurant::work::CARD;

const GUESTS: u32 = 20;
const PRICE: u32 = 30;

// ANCHOR: locked
/// Takes the till, waits for the bank, puts the money in.
async fn pay_with_the_till_locked(till: Rc<Mutex<u32>>) {
    let mut till = till.lock().await;
    loopbot::sleep(CARD).await; // and everybody else waits for this guest's bank
    *till += PRICE;
}
// ANCHOR_END: locked

// ANCHOR: short
/// Waits for the bank, then puts the money in: one step without an `await`, so it needs no lock at all.
async fn pay(till: Rc<Cell<u32>>) {
    loopbot::sleep(CARD).await;
    till.set(till.get() + PRICE);
}
// ANCHOR_END: short

fn main() {
    let till = Rc::new(Mutex::new(0));
    let locked = evening(|| pay_with_the_till_locked(till.clone()));
    println!("with the till locked over the wait: {locked:?}");

    let till = Rc::new(Cell::new(0));
    let short = evening(|| pay(till.clone()));
    println!("without:                            {short:?}");
    assert_eq!(till.get(), GUESTS * PRICE);
}

/// Starts a task for each guest. Returns how long it takes, in restaurant time, until the last one has paid.
fn evening<F: Future<Output = ()> + 'static>(pays: impl Fn() -> F) -> Duration {
    let clock = Clock::virtual_time(VirtualTime::new());
    LoopBot::builder().clock(clock).build().run(async {
        let guests: Vec<_> = (0..GUESTS).map(|_| loopbot::spawn(pays())).collect();
        for guest in guests {
            guest.await.expect("no guest panics");
        }
        loopbot::now()
    })
}
