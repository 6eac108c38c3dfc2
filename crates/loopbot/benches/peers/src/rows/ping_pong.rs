//! What it costs to hand a value to another task and get it back.

use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc;

use crate::measure::Stopwatch;
use crate::peer::{Channels, Peer};

/// Over the channel of the crate local-channel: the same code for every peer, no atomics.
pub fn over_local_channel<P: Peer>(operations: u64) -> Duration {
    P::run(async move {
        let (ping, mut pinged) = local_channel::mpsc::channel();
        let (pong, mut ponged) = local_channel::mpsc::channel();
        let other = P::spawn(async move {
            while let Some(value) = pinged.recv().await {
                pong.send(value)
                    .unwrap_or_else(|_| panic!("nobody receives"));
            }
        });
        let one = P::spawn(async move {
            let watch = Stopwatch::start();
            for value in 0..operations {
                ping.send(value)
                    .unwrap_or_else(|_| panic!("nobody receives"));
                assert_eq!(ponged.recv().await, Some(value));
            }
            watch.stop()
        });
        let elapsed = one.await;
        other.await;
        elapsed
    })
}

/// Over futures' unbounded mpsc, which is made for threads: the same code for every peer.
pub fn over_futures_mpsc<P: Peer>(operations: u64) -> Duration {
    P::run(async move {
        let (ping, mut pinged) = mpsc::unbounded();
        let (pong, mut ponged) = mpsc::unbounded();
        let other = P::spawn(async move {
            while let Some(value) = pinged.next().await {
                pong.unbounded_send(value).unwrap();
            }
        });
        let one = P::spawn(async move {
            let watch = Stopwatch::start();
            for value in 0..operations {
                ping.unbounded_send(value).unwrap();
                assert_eq!(ponged.next().await, Some(value));
            }
            watch.stop()
        });
        let elapsed = one.await;
        other.await;
        elapsed
    })
}

/// Over the channel that the peer brings along.
pub fn over_its_own<P: Channels>(operations: u64) -> Duration {
    P::run(async move {
        let (ping, mut pinged) = P::channel();
        let (pong, mut ponged) = P::channel();
        let other = P::spawn(async move {
            for _ in 0..operations {
                let value = P::receive(&mut pinged).await;
                P::send(&pong, value);
            }
        });
        let one = P::spawn(async move {
            let watch = Stopwatch::start();
            for value in 0..operations {
                P::send(&ping, value);
                assert_eq!(P::receive(&mut ponged).await, value);
            }
            watch.stop()
        });
        let elapsed = one.await;
        other.await;
        elapsed
    })
}
