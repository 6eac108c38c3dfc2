//! Polling by hand: what LoopBot does, without LoopBot. `cargo run -p loopbot --example by_hand`

// ANCHOR: program
use std::pin::pin;
use std::task::{Context, Waker};

async fn take_order(table: u32) -> String {
    println!("  stands at table {table}");
    loopbot::yield_now().await; // they have not decided
    println!("  writes it down");
    format!("two soups for table {table}")
}

fn main() {
    let order = take_order(2);
    println!("called");
    let mut order = pin!(order); // from here on it does not move
    let mut cx = Context::from_waker(Waker::noop());
    println!("{:?}", order.as_mut().poll(&mut cx));
    println!("{:?}", order.as_mut().poll(&mut cx));
}
// ANCHOR_END: program
