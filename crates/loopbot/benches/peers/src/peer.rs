//! What every contestant has to be able to do, and how little of that is its own code.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// A single-threaded executor that takes part.
pub trait Peer: 'static {
    /// What a task hands to whoever waits for it.
    type Join<T: Unpin + 'static>: Future<Output = T> + 'static;

    /// Makes a new runtime with clock and I/O, if it has them; runs `main` to its end; drops the runtime.
    fn run<F>(main: F) -> F::Output
    where
        F: Future + 'static,
        F::Output: Unpin + 'static;

    /// Spawns a task on the runtime that runs on this thread.
    fn spawn<F>(future: F) -> Self::Join<F::Output>
    where
        F: Future + 'static,
        F::Output: Unpin + 'static;
}

/// A peer that has a clock.
pub trait Sleeps: Peer {
    /// The same as `run`, with every timer at its own time, for peers that otherwise let timers share their wake-ups and
    /// can be told not to.
    fn run_exact<F>(main: F) -> F::Output
    where
        F: Future + 'static,
        F::Output: Unpin + 'static,
    {
        Self::run(main)
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static;
}

/// A peer that has sockets.
pub trait Echoes: Peer {
    /// Listens on loopback, says where, and accepts this many connections; one task for each sends back
    /// what it gets. Ends when all of them are closed. The same for everybody: a buffer of 64 bytes, which is as long as a
    /// message, and no delay for small writes.
    fn echo(
        connections: usize,
        listens: impl FnOnce(SocketAddr) + 'static,
    ) -> impl Future<Output = ()> + 'static;
}

/// A peer that has a channel of its own for tasks of one thread.
pub trait Channels: Peer {
    type Sender: 'static;
    type Receiver: 'static;
    fn channel() -> (Self::Sender, Self::Receiver);
    fn send(sender: &Self::Sender, value: u64);
    fn receive(receiver: &mut Self::Receiver) -> impl Future<Output = u64>;
}

/// A join handle that gives `Result`, as one that gives the value. The tasks here do not fail.
pub struct Joined<H>(pub H);

impl<H, T, E> Future for Joined<H>
where
    H: Future<Output = Result<T, E>> + Unpin,
{
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0)
            .poll(cx)
            .map(|joined| joined.unwrap_or_else(|_| panic!("a task failed")))
    }
}

/// Waits for one task after the other: all of them run meanwhile.
pub async fn join_each<J: Future>(tasks: Vec<J>) {
    for task in tasks {
        task.await;
    }
}
