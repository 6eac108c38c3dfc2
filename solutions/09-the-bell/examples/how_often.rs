//! How often does the ring of `wrong/two_locked_steps.rs` get lost, with real threads and without a checker?
//!
//! `cargo run --release -p solution-09 --example how_often`

#[allow(dead_code, missing_docs)]
#[path = "../wrong/two_locked_steps.rs"]
mod careless;

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Barrier};
use std::task::{Context, Wake, Waker};
use std::thread;

use careless::{Oven, Plates, oven};

const TRIES: u32 = 1_000_000;

/// A bell that remembers whether it was rung.
#[derive(Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

fn main() {
    let start = Arc::new(Barrier::new(2));
    let (send, receive) = sync_channel::<Oven>(1);
    let baker = {
        let start = start.clone();
        thread::spawn(move || {
            for oven in receive {
                start.wait(); // both at once, as well as it can be done
                oven.done(Plates(4));
                start.wait();
            }
        })
    };
    let mut lost = 0;
    for _ in 0..TRIES {
        let (oven, mut baking) = oven();
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(bell.clone());
        send.send(oven).expect("the baker is there");
        start.wait();
        let polled = Pin::new(&mut baking).poll(&mut Context::from_waker(&waker));
        start.wait();
        // Both are done. Whoever was told Pending and was not rung for would now wait for ever.
        lost += u32::from(polled.is_pending() && !bell.0.load(SeqCst));
    }
    drop(send);
    baker.join().expect("the baker does not panic");
    println!("{TRIES} tries, {lost} rings lost");
}
