//! kimojio. Its wakers are an `Rc` in disguise, so it takes no part where another thread wakes.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use kimojio::{OwnedFd, operations};

use crate::peer::{Echoes, Joined, Peer, Sleeps, join_each};

pub struct Kimojio;

impl Peer for Kimojio {
    type Join<T: Unpin + 'static> = Joined<operations::TaskHandle<T>>;

    fn run<F: Future + 'static>(main: F) -> F::Output
    where
        F::Output: Unpin + 'static,
    {
        match kimojio::run(0, main) {
            Some(Ok(output)) => output,
            _ => panic!("kimojio did not end well"),
        }
    }

    fn spawn<F: Future + 'static>(future: F) -> Self::Join<F::Output>
    where
        F::Output: Unpin + 'static,
    {
        Joined(operations::spawn_task(future))
    }
}

impl Sleeps for Kimojio {
    async fn sleep(duration: Duration) {
        operations::sleep(duration).await.unwrap();
    }
}

impl Echoes for Kimojio {
    async fn echo(connections: usize, listens: impl FnOnce(SocketAddr) + 'static) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listens(listener.local_addr().unwrap());
        let mut tasks = Vec::with_capacity(connections);
        for _ in 0..connections {
            let stream = operations::accept(&listener).await.unwrap();
            // It has no call for this option; std has.
            let stream = TcpStream::from(stream);
            stream.set_nodelay(true).unwrap();
            tasks.push(Self::spawn(converse(OwnedFd::from(stream))));
        }
        join_each(tasks).await;
    }
}

async fn converse(stream: OwnedFd) {
    let mut buffer = [0; 64];
    while let Ok(length @ 1..) = operations::read(&stream, &mut buffer).await {
        let Ok(true) = operations::write(&stream, &buffer[..length])
            .await
            .map(|written| written == length)
        else {
            return;
        };
    }
}
