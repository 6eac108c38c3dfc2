//! smol: async-executor's `LocalExecutor` and its leaked kind, driven by async-io.

use std::cell::{Cell, RefCell};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use async_executor::{LocalExecutor, StaticLocalExecutor, Task};
use async_io::{Async, Timer};
use futures::{AsyncReadExt, AsyncWriteExt};

use crate::peer::{Channels, Echoes, Peer, Sleeps, join_each};

thread_local! {
    static LOCAL: RefCell<Option<Rc<LocalExecutor<'static>>>> = const { RefCell::new(None) };
    static LEAKED: Cell<Option<&'static StaticLocalExecutor>> = const { Cell::new(None) };
}

pub struct Smol;

impl Peer for Smol {
    type Join<T: Unpin + 'static> = Task<T>;

    fn run<F: Future + 'static>(main: F) -> F::Output
    where
        F::Output: Unpin + 'static,
    {
        let executor = Rc::new(LocalExecutor::new());
        LOCAL.set(Some(executor.clone()));
        let output = async_io::block_on(executor.run(main));
        LOCAL.take();
        output
    }

    fn spawn<F: Future + 'static>(future: F) -> Task<F::Output>
    where
        F::Output: Unpin + 'static,
    {
        LOCAL.with_borrow(|executor| executor.as_ref().unwrap().spawn(future))
    }
}

impl Sleeps for Smol {
    async fn sleep(duration: Duration) {
        Timer::after(duration).await;
    }
}

impl Echoes for Smol {
    fn echo(
        connections: usize,
        listens: impl FnOnce(SocketAddr) + 'static,
    ) -> impl Future<Output = ()> + 'static {
        serve::<Self>(connections, listens)
    }
}

impl Channels for Smol {
    type Sender = async_channel::Sender<u64>;
    type Receiver = async_channel::Receiver<u64>;

    fn channel() -> (Self::Sender, Self::Receiver) {
        async_channel::unbounded()
    }

    fn send(sender: &Self::Sender, value: u64) {
        sender.try_send(value).unwrap();
    }

    async fn receive(receiver: &mut Self::Receiver) -> u64 {
        receiver.recv().await.unwrap()
    }
}

/// One executor per thread, made once and never freed: that is what it is for.
pub struct SmolStatic;

impl Peer for SmolStatic {
    type Join<T: Unpin + 'static> = Task<T>;

    fn run<F: Future + 'static>(main: F) -> F::Output
    where
        F::Output: Unpin + 'static,
    {
        let executor = LEAKED.get().unwrap_or_else(|| LocalExecutor::new().leak());
        LEAKED.set(Some(executor));
        async_io::block_on(executor.run(main))
    }

    fn spawn<F: Future + 'static>(future: F) -> Task<F::Output>
    where
        F::Output: Unpin + 'static,
    {
        LEAKED.get().unwrap().spawn(future)
    }
}

impl Sleeps for SmolStatic {
    async fn sleep(duration: Duration) {
        Timer::after(duration).await;
    }
}

impl Echoes for SmolStatic {
    fn echo(
        connections: usize,
        listens: impl FnOnce(SocketAddr) + 'static,
    ) -> impl Future<Output = ()> + 'static {
        serve::<Self>(connections, listens)
    }
}

async fn serve<P: Peer>(connections: usize, listens: impl FnOnce(SocketAddr)) {
    let listener = Async::<TcpListener>::bind(([127, 0, 0, 1], 0)).unwrap();
    listens(listener.get_ref().local_addr().unwrap());
    let mut tasks = Vec::with_capacity(connections);
    for _ in 0..connections {
        let (stream, _) = listener.accept().await.unwrap();
        stream.get_ref().set_nodelay(true).unwrap();
        tasks.push(P::spawn(converse(stream)));
    }
    join_each(tasks).await;
}

async fn converse(mut stream: Async<TcpStream>) {
    let mut buffer = [0; 64];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
