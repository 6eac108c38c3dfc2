//! Tokio on one thread, both ways: `LocalSet`, which takes tasks that are not `Send`, and plain `spawn`.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, LocalSet};

use crate::peer::{Channels, Echoes, Joined, Peer, Sleeps, join_each};

pub struct TokioLocalSet;

impl Peer for TokioLocalSet {
    type Join<T: Unpin + 'static> = Joined<JoinHandle<T>>;

    fn run<F: Future + 'static>(main: F) -> F::Output
    where
        F::Output: Unpin + 'static,
    {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, main)
    }

    fn spawn<F: Future + 'static>(future: F) -> Self::Join<F::Output>
    where
        F::Output: Unpin + 'static,
    {
        Joined(tokio::task::spawn_local(future))
    }
}

impl Sleeps for TokioLocalSet {
    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static {
        tokio::time::sleep(duration)
    }
}

impl Echoes for TokioLocalSet {
    fn echo(
        connections: usize,
        listens: impl FnOnce(SocketAddr) + 'static,
    ) -> impl Future<Output = ()> + 'static {
        serve::<Self>(connections, listens)
    }
}

impl Channels for TokioLocalSet {
    type Sender = mpsc::UnboundedSender<u64>;
    type Receiver = mpsc::UnboundedReceiver<u64>;

    fn channel() -> (Self::Sender, Self::Receiver) {
        mpsc::unbounded_channel()
    }

    fn send(sender: &Self::Sender, value: u64) {
        sender.send(value).unwrap();
    }

    async fn receive(receiver: &mut Self::Receiver) -> u64 {
        receiver.recv().await.unwrap()
    }
}

pub struct TokioSpawn;

impl Peer for TokioSpawn {
    type Join<T: Unpin + 'static> = SpawnJoined<T>;

    fn run<F: Future + 'static>(main: F) -> F::Output
    where
        F::Output: Unpin + 'static,
    {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(main)
    }

    fn spawn<F: Future + 'static>(future: F) -> Self::Join<F::Output>
    where
        F::Output: Unpin + 'static,
    {
        SpawnJoined(tokio::spawn(OneThread(future)))
    }
}

impl Sleeps for TokioSpawn {
    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static {
        tokio::time::sleep(duration)
    }
}

impl Echoes for TokioSpawn {
    fn echo(
        connections: usize,
        listens: impl FnOnce(SocketAddr) + 'static,
    ) -> impl Future<Output = ()> + 'static {
        serve::<Self>(connections, listens)
    }
}

/// Says that something is `Send` that stays where it is.
pub struct OneThread<T>(T);

// SAFETY: this program has Tokio's current-thread runtime only, and calls `tokio::spawn` on the thread
// that is in its `block_on`. That thread polls and drops all tasks; only their wakers travel.
unsafe impl<T> Send for OneThread<T> {}

impl<F: Future> Future for OneThread<F> {
    type Output = OneThread<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: the future is pinned whenever the wrapper is; nothing moves it out.
        let future = unsafe { self.map_unchecked_mut(|this| &mut this.0) };
        future.poll(cx).map(OneThread)
    }
}

pub struct SpawnJoined<T>(JoinHandle<OneThread<T>>);

impl<T> Future for SpawnJoined<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0)
            .poll(cx)
            .map(|joined| joined.unwrap().0)
    }
}

async fn serve<P: Peer>(connections: usize, listens: impl FnOnce(SocketAddr)) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listens(listener.local_addr().unwrap());
    let mut tasks = Vec::with_capacity(connections);
    for _ in 0..connections {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        tasks.push(P::spawn(converse(stream)));
    }
    join_each(tasks).await;
}

async fn converse(mut stream: TcpStream) {
    let mut buffer = [0; 64];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
