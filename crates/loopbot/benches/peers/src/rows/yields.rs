//! What it costs to switch from one ready task to the next.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::measure::Stopwatch;
use crate::peer::{Peer, join_each};

/// `tasks` tasks that give way again and again, until all have done it `operations` times together.
pub fn yields<P: Peer>(tasks: u64, operations: u64) -> Duration {
    P::run(async move {
        P::spawn(async move {
            let watch = Stopwatch::start();
            let tasks: Vec<_> = (0..tasks)
                .map(|_| P::spawn(give_way(operations / tasks)))
                .collect();
            join_each(tasks).await;
            watch.stop()
        })
        .await
    })
}

async fn give_way(times: u64) {
    for _ in 0..times {
        GiveWay::default().await;
    }
}

/// Wakes itself once: the same code for every peer. Some have a `yield_now` of their own that is slower or fairer.
#[derive(Default)]
pub struct GiveWay {
    gave: bool,
}

impl Future for GiveWay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.gave {
            return Poll::Ready(());
        }
        self.gave = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
