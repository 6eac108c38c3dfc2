use std::net::SocketAddr;
use std::time::Duration;

use futures::AsyncWriteExt;
use nio::net::{TcpListener, TcpStream};
use nio::{JoinHandle, RuntimeBuilder};

use crate::peer::{Echoes, Joined, Peer, Sleeps, join_each};

pub struct Nio;

impl Peer for Nio {
    type Join<T: Unpin + 'static> = Joined<JoinHandle<T>>;

    fn run<F: Future + 'static>(main: F) -> F::Output
    where
        F::Output: Unpin + 'static,
    {
        let mut runtime = RuntimeBuilder::new().worker_threads(1).build().unwrap();
        runtime.block_on(main)
    }

    fn spawn<F: Future + 'static>(future: F) -> Self::Join<F::Output>
    where
        F::Output: Unpin + 'static,
    {
        Joined(nio::spawn_local(future))
    }
}

impl Sleeps for Nio {
    async fn sleep(duration: Duration) {
        nio::sleep(duration).await;
    }
}

impl Echoes for Nio {
    async fn echo(connections: usize, listens: impl FnOnce(SocketAddr) + 'static) {
        let mut listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listens(listener.local_addr().unwrap());
        let mut tasks = Vec::with_capacity(connections);
        for _ in 0..connections {
            let connection = listener.accept().await.unwrap();
            let stream = connection.connect().await.unwrap();
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
