use std::net::SocketAddr;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use loopbot::net::{TcpListener, TcpStream};
use loopbot::sync::channel::{self, Receiver, Sender};

use crate::peer::{Channels, Echoes, Joined, Peer, Sleeps, join_each};

pub struct LoopBot;

impl Peer for LoopBot {
    type Join<T: Unpin + 'static> = Joined<loopbot::JoinHandle<T>>;

    fn run<F: Future + 'static>(main: F) -> F::Output
    where
        F::Output: Unpin + 'static,
    {
        loopbot::run(main)
    }

    fn spawn<F: Future + 'static>(future: F) -> Self::Join<F::Output>
    where
        F::Output: Unpin + 'static,
    {
        Joined(loopbot::spawn(future))
    }
}

impl Sleeps for LoopBot {
    fn run_exact<F: Future + 'static>(main: F) -> F::Output
    where
        F::Output: Unpin + 'static,
    {
        let clock = loopbot::Clock::real().exact();
        loopbot::LoopBot::builder().clock(clock).build().run(main)
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static {
        loopbot::sleep(duration)
    }
}

impl Echoes for LoopBot {
    async fn echo(connections: usize, listens: impl FnOnce(SocketAddr) + 'static) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listens(listener.local_addr().unwrap());
        let mut tasks = Vec::with_capacity(connections);
        for _ in 0..connections {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tasks.push(Self::spawn(converse(stream)));
        }
        join_each(tasks).await;
    }
}

async fn converse(mut stream: TcpStream) {
    let mut buffer = [0; 64];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

impl Channels for LoopBot {
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn channel() -> (Self::Sender, Self::Receiver) {
        channel::unbounded()
    }

    fn send(sender: &Self::Sender, value: u64) {
        sender.try_send(value).unwrap();
    }

    async fn receive(receiver: &mut Self::Receiver) -> u64 {
        receiver.recv().await.unwrap()
    }
}
