//! Waits for something, and leaves no bell there. On a virtual clock LoopBot notices.
//!
//! `cargo run -p monday --example no_bell`

use std::pin::Pin;
use std::task::{Context, Poll};

use flight::VirtualTime;
use loopbot::{Clock, LoopBot, spawn_named};

struct WithoutABell;

impl Future for WithoutABell {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

fn main() {
    let loopbot = LoopBot::builder().clock(Clock::virtual_time(VirtualTime::new()));
    let evening = async {
        let plates = spawn_named("the Webers' plates", WithoutABell);
        plates.await.expect("plates do not panic");
    };
    if let Err(stands_still) = loopbot.build().try_run(evening) {
        println!("{stands_still}");
    }
}
