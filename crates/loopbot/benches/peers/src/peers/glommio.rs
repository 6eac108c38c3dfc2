use std::net::SocketAddr;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use glommio::net::{TcpListener, TcpStream};
use glommio::{LocalExecutorBuilder, Task};

use crate::peer::{Echoes, Peer, Sleeps, join_each};

pub struct Glommio;

impl Peer for Glommio {
    type Join<T: Unpin + 'static> = Task<T>;

    fn run<F: Future + 'static>(main: F) -> F::Output
    where
        F::Output: Unpin + 'static,
    {
        LocalExecutorBuilder::default().make().unwrap().run(main)
    }

    fn spawn<F: Future + 'static>(future: F) -> Task<F::Output>
    where
        F::Output: Unpin + 'static,
    {
        glommio::spawn_local(future)
    }
}

impl Sleeps for Glommio {
    async fn sleep(duration: Duration) {
        glommio::timer::sleep(duration).await;
    }
}

impl Echoes for Glommio {
    async fn echo(connections: usize, listens: impl FnOnce(SocketAddr) + 'static) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listens(listener.local_addr().unwrap());
        let mut tasks = Vec::with_capacity(connections);
        for _ in 0..connections {
            let stream = listener.accept().await.unwrap();
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
