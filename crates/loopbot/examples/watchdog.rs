//! Three guests who hold LoopBot up, each in another way, and what the watchdog says about them.
//!
//! `cargo run -p loopbot --example watchdog --features stack`

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use loopbot::{LoopBot, Watchdog, sleep, spawn_named, wait_point};

// ANCHOR: three_guests
fn main() {
    let dog = Watchdog::new(Duration::from_millis(50));
    LoopBot::builder().watchdog(dog).build().run(async {
        let naps = spawn_named("the guest who naps", naps());
        naps.await.unwrap();
        let counts = spawn_named("the guest who counts", counts());
        counts.await.unwrap();
        let reads = spawn_named("the guest who reads", reads());
        reads.await.unwrap();
    });
}

/// Sleeps as if it had the thread for itself.
async fn naps() {
    wait_point("for the menu", sleep(Duration::from_millis(5))).await;
    thread::sleep(Duration::from_millis(200));
}
// ANCHOR_END: three_guests

/// Computes, and does not give way.
async fn counts() {
    sleep(Duration::from_millis(5)).await;
    let until = Instant::now() + Duration::from_millis(200);
    let mut crumbs = Vec::new();
    while Instant::now() < until {
        crumbs = (0..1000_u64).map(crumb).collect();
    }
    std::hint::black_box(crumbs);
}

#[inline(never)]
fn crumb(number: u64) -> u64 {
    (0..100).fold(number, |crumb, _| {
        crumb.wrapping_mul(6_364_136_223_846_793_005).rotate_left(7)
    })
}

/// Waits for a socket that is not LoopBot's.
async fn reads() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let waiter = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        thread::sleep(Duration::from_millis(200));
        drop(stream);
    });
    let mut stream = TcpStream::connect(address).unwrap();
    let mut menu = String::new();
    stream.read_to_string(&mut menu).unwrap();
    waiter.join().unwrap();
}
