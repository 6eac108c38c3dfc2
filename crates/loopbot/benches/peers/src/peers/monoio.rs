//! monoio with each of its drivers.

use std::marker::PhantomData;
use std::net::SocketAddr;
use std::time::Duration;

use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use monoio::net::{TcpListener, TcpStream};
use monoio::task::JoinHandle;
use monoio::{LegacyDriver, RuntimeBuilder};

use crate::peer::{Echoes, Peer, Sleeps, join_each};

pub struct Monoio<D>(PhantomData<D>);

pub type MonoioEpoll = Monoio<LegacyDriver>;
#[cfg(target_os = "linux")]
pub type MonoioUring = Monoio<monoio::IoUringDriver>;

macro_rules! peer {
    ($driver:ty) => {
        impl Peer for Monoio<$driver> {
            type Join<T: Unpin + 'static> = JoinHandle<T>;

            fn run<F: Future + 'static>(main: F) -> F::Output
            where
                F::Output: Unpin + 'static,
            {
                let mut runtime = RuntimeBuilder::<$driver>::new()
                    .enable_timer()
                    .build()
                    .unwrap();
                runtime.block_on(main)
            }

            fn spawn<F: Future + 'static>(future: F) -> JoinHandle<F::Output>
            where
                F::Output: Unpin + 'static,
            {
                monoio::spawn(future)
            }
        }
    };
}

peer!(LegacyDriver);
#[cfg(target_os = "linux")]
peer!(monoio::IoUringDriver);

impl<D: 'static> Sleeps for Monoio<D>
where
    Self: Peer,
{
    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static {
        monoio::time::sleep(duration)
    }
}

impl<D: 'static> Echoes for Monoio<D>
where
    Self: Peer,
{
    async fn echo(connections: usize, listens: impl FnOnce(SocketAddr) + 'static) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
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
        let (read, filled) = stream.read(buffer).await;
        let Ok(1..) = read else { return };
        let (written, mut sent) = stream.write_all(filled).await;
        if written.is_err() {
            return;
        }
        sent.clear();
        buffer = sent;
    }
}
