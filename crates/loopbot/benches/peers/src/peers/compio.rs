use std::net::SocketAddr;
use std::time::Duration;

use compio::BufResult;
use compio::io::{AsyncRead, AsyncWriteExt};
use compio::net::{TcpListener, TcpStream};
use compio::runtime::{JoinHandle, Runtime};

use crate::peer::{Echoes, Joined, Peer, Sleeps, join_each};

pub struct Compio;

impl Peer for Compio {
    type Join<T: Unpin + 'static> = Joined<JoinHandle<T>>;

    fn run<F: Future + 'static>(main: F) -> F::Output
    where
        F::Output: Unpin + 'static,
    {
        Runtime::new().unwrap().block_on(main)
    }

    fn spawn<F: Future + 'static>(future: F) -> Self::Join<F::Output>
    where
        F::Output: Unpin + 'static,
    {
        Joined(compio::runtime::spawn(future))
    }
}

impl Sleeps for Compio {
    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static {
        compio::time::sleep(duration)
    }
}

impl Echoes for Compio {
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
    let mut buffer = Vec::with_capacity(64);
    loop {
        let BufResult(read, filled) = stream.read(buffer).await;
        let Ok(1..) = read else { return };
        let BufResult(written, mut sent) = stream.write_all(filled).await;
        if written.is_err() {
            return;
        }
        sent.clear();
        buffer = sent;
    }
}
