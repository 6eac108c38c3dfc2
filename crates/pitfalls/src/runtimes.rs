//! The same soufflé for real: on LoopBot and on Tokio, with more and more guests who talk.
//!
//! Tokio's current-thread runtime has one loop, as LoopBot has. Its multi-thread runtime has several workers, and a
//! worker that is held leaves the others free. So one would expect a soufflé to be safe until every worker is held.
//!
//! That is not what is measured. Timers, too, need a worker to look at them, and only one worker does: the one that
//! waits for the clock and for sockets, while the others wait for work. When a timer fires, that worker wakes the
//! timer's task, and goes on to run it. If this was the only task that was woken, it calls no other worker (there is
//! nothing left to do for one), and if the task then holds it, nobody looks at the timers any more. Three workers
//! idle, and the soufflé falls. With two guests at once there is something to share: another worker is called,
//! and later sees to the timers. And a guest who is woken by another thread is taken by a worker that had nothing to do.

use std::thread;
use std::time::{Duration, Instant};

use futures_channel::oneshot;
use loopbot::LoopBot;

/// How long the soufflé bakes.
pub const BAKING: Duration = Duration::from_millis(30);
/// When the guests begin to talk, all at once.
pub const CALLS: Duration = Duration::from_millis(10);
/// How long each of them talks.
pub const TALK: Duration = Duration::from_millis(100);
/// How late a soufflé can be taken out without falling. A busy machine is late by some milliseconds, too.
pub const STANDS: Duration = Duration::from_millis(40);

/// What the evening runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// One LoopBot.
    LoopBot,
    /// Tokio on one thread.
    CurrentThread,
    /// Tokio on several.
    MultiThread {
        /// How many.
        workers: usize,
    },
}

/// What a guest waits for before he begins to talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    /// A timer of the same runtime.
    ByTimer,
    /// Another thread, which wakes him.
    ByThread,
}

impl Runtime {
    /// Bakes one soufflé while so many guests talk. Returns how late it was taken out: what the clock showed then,
    /// less what it was due to show.
    ///
    /// This takes as long as it says: at least [`BAKING`], and on one thread [`TALK`] for every guest.
    ///
    /// # Panics
    ///
    /// If the system has no thread left, or if there are no workers.
    pub fn bake(self, guests: usize, begins: Begins) -> Duration {
        let (bells, ears) = (0..guests).map(|_| oneshot::channel()).unzip();
        let door = thread::spawn(move || ring_all(bells));
        let late = match self {
            Runtime::LoopBot => LoopBot::builder().build().run(on_loopbot(ears, begins)),
            Runtime::CurrentThread => {
                let mut builder = tokio::runtime::Builder::new_current_thread();
                let runtime = builder.enable_time().build();
                runtime
                    .expect("the system has a thread")
                    .block_on(on_tokio(ears, begins))
            }
            Runtime::MultiThread { workers } => {
                let mut builder = tokio::runtime::Builder::new_multi_thread();
                let runtime = builder.worker_threads(workers).enable_time().build();
                runtime
                    .expect("the system has threads")
                    .block_on(on_tokio(ears, begins))
            }
        };
        door.join().expect("ringing does not panic");
        late
    }
}

type Bell = oneshot::Sender<()>;
type Ear = oneshot::Receiver<()>;

/// Another thread, at the door. A guest who waits for a timer does not hear it.
fn ring_all(bells: Vec<Bell>) {
    thread::sleep(CALLS);
    for bell in bells {
        let _ = bell.send(());
    }
}

// ANCHOR: talk
/// There is no `await` in here: whoever polls this is held.
fn talk() {
    thread::sleep(TALK);
}
// ANCHOR_END: talk

// ANCHOR: on_tokio
async fn on_tokio(ears: Vec<Ear>, begins: Begins) -> Duration {
    let souffle = tokio::spawn(async {
        let due = Instant::now() + BAKING;
        tokio::time::sleep_until(due.into()).await;
        due.elapsed()
    });
    let guest = |ear: Ear| {
        tokio::spawn(async move {
            match begins {
                Begins::ByTimer => tokio::time::sleep(CALLS).await,
                Begins::ByThread => ear.await.expect("the bell is rung"),
            }
            talk();
        })
    };
    let guests: Vec<_> = ears.into_iter().map(guest).collect();
    let late = souffle.await.expect("the soufflé does not panic");
    for guest in guests {
        guest.await.expect("no guest panics");
    }
    late
}
// ANCHOR_END: on_tokio

/// The same, word for word, on LoopBot.
async fn on_loopbot(ears: Vec<Ear>, begins: Begins) -> Duration {
    let souffle = loopbot::spawn(async {
        let due = Instant::now() + BAKING;
        loopbot::sleep(BAKING).await;
        due.elapsed()
    });
    let guest = |ear: Ear| {
        loopbot::spawn(async move {
            match begins {
                Begins::ByTimer => loopbot::sleep(CALLS).await,
                Begins::ByThread => ear.await.expect("the bell is rung"),
            }
            talk();
        })
    };
    let guests: Vec<_> = ears.into_iter().map(guest).collect();
    let late = souffle.await.expect("the soufflé does not panic");
    for guest in guests {
        guest.await.expect("no guest panics");
    }
    late
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On one thread the guest is woken first, so the soufflé waits at least until he has talked. A busy machine makes
    /// that longer, never shorter.
    #[test]
    fn on_one_thread_one_guest_is_enough() {
        for runtime in [Runtime::LoopBot, Runtime::CurrentThread] {
            let late = runtime.bake(1, Begins::ByTimer);
            assert!(late >= TALK - (BAKING - CALLS), "{runtime:?}: {late:?}");
        }
    }

    #[test]
    fn every_runtime_comes_to_an_end_with_more_guests_than_workers() {
        for begins in [Begins::ByTimer, Begins::ByThread] {
            Runtime::MultiThread { workers: 2 }.bake(3, begins);
        }
    }
}
