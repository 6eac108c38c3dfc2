//! A minute of lunch on LoopBot, with something to see for whoever attaches a console.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use flight::{Header, Recorder};
use loopbot::{LoopBot, sleep, spawn_named, yield_now};

fn main() -> io::Result<()> {
    let recorder = Recorder::new(Header::monotonic("lunch"));
    let address = loopbot_console::serve(&recorder, (Ipv4Addr::LOCALHOST, 6669).into())?;
    println!("lunch is served for a minute; attach with: tokio-console http://{address}");
    let robot = LoopBot::builder()
        .name("LoopBot")
        .recorder(recorder)
        .build();
    robot.run(async {
        spawn_named("the pass bell", ring_now_and_then());
        spawn_named("the fidget", fidget());
        for party in 1..=60 {
            spawn_named(&format!("party {party}"), dine(party));
            sleep(Duration::from_secs(1)).await;
        }
    });
    Ok(())
}

/// Mostly waits.
async fn dine(party: u64) {
    for _course in 0..3 {
        sleep(Duration::from_millis(500 + party % 7 * 100)).await;
        chop(Duration::from_millis(2));
    }
}

async fn ring_now_and_then() {
    loop {
        sleep(Duration::from_millis(100)).await;
    }
}

/// Wakes itself, and works much: a console marks it.
async fn fidget() {
    loop {
        for _ in 0..10 {
            chop(Duration::from_millis(1));
            yield_now().await;
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// Works, and holds LoopBot up meanwhile.
fn chop(duration: Duration) {
    let start = std::time::Instant::now();
    while start.elapsed() < duration {
        std::hint::spin_loop();
    }
}
