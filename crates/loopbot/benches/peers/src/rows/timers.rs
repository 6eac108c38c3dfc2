//! What it costs to set a timer and to take it back.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::measure::Stopwatch;
use crate::peer::Sleeps;

/// Sets `timers` timers of up to an hour, in no order, then cancels them; until there were `operations` of them.
pub fn insert_and_cancel<P: Sleeps>(timers: u64, operations: u64) -> Duration {
    P::run(async move {
        P::spawn(async move {
            // The places are made before the time runs: nobody's allocator is measured.
            let mut places: Vec<Pin<Box<Option<_>>>> =
                (0..timers).map(|_| Box::pin(None)).collect();
            let mut random = 1;
            let watch = Stopwatch::start();
            for _ in 0..operations / timers {
                for place in &mut places {
                    place.set(Some(P::sleep(some_time(&mut random))));
                    poll_fn(|cx| {
                        let sleep = place.as_mut().as_pin_mut().unwrap();
                        assert!(sleep.poll(cx).is_pending());
                        Poll::Ready(())
                    })
                    .await;
                }
                for place in &mut places {
                    place.set(None);
                }
            }
            watch.stop()
        })
        .await
    })
}

/// One minute to one hour, by a xorshift generator.
fn some_time(random: &mut u64) -> Duration {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    Duration::from_secs(60) + Duration::from_nanos(*random % 3_540_000_000_000)
}
