//! How often is a future polled that waits for a tenth of a second: once with a bell at the clock, and once with its own
//! bell rung in every poll?
//!
//! `cargo run --release -p monday --example asks_again`

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Context;
use std::time::Duration;

const WAIT: Duration = Duration::from_millis(100);

/// Polls `future`, and counts.
async fn count<F: Future>(future: F, asks_again: bool) -> u32 {
    let (mut future, mut polls) = (pin!(future), 0);
    poll_fn(|cx: &mut Context<'_>| {
        polls += 1;
        let polled = F::poll(Pin::as_mut(&mut future), cx);
        if asks_again && polled.is_pending() {
            cx.waker().wake_by_ref();
        }
        polled.map(|_| ())
    })
    .await;
    polls
}

fn main() {
    loopbot::run(async {
        let polls = count(loopbot::sleep(WAIT), false).await;
        println!("leaves its bell at the clock: {polls} polls");
        let polls = count(loopbot::sleep(WAIT), true).await;
        println!("rings its own bell: {polls} polls");
    });
}
