//! async-local-executor: neither a clock nor sockets.

use async_local_executor::JoinHandle;

use crate::peer::Peer;

pub struct AsyncLocal;

impl Peer for AsyncLocal {
    type Join<T: Unpin + 'static> = JoinHandle<T>;

    fn run<F: Future + 'static>(main: F) -> F::Output
    where
        F::Output: Unpin + 'static,
    {
        async_local_executor::block_on(main)
    }

    fn spawn<F: Future + 'static>(future: F) -> JoinHandle<F::Output>
    where
        F::Output: Unpin + 'static,
    {
        async_local_executor::spawn_local(future)
    }
}
