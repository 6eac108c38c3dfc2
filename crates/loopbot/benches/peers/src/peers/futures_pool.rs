//! futures' `LocalPool`: neither a clock nor sockets.

use std::cell::RefCell;

use futures::executor::{LocalPool, LocalSpawner};
use futures::future::RemoteHandle;
use futures::task::LocalSpawnExt;

use crate::peer::Peer;

thread_local! {
    static SPAWNER: RefCell<Option<LocalSpawner>> = const { RefCell::new(None) };
}

pub struct FuturesPool;

impl Peer for FuturesPool {
    type Join<T: Unpin + 'static> = RemoteHandle<T>;

    fn run<F: Future + 'static>(main: F) -> F::Output
    where
        F::Output: Unpin + 'static,
    {
        let mut pool = LocalPool::new();
        SPAWNER.set(Some(pool.spawner()));
        let output = pool.run_until(main);
        SPAWNER.take();
        output
    }

    fn spawn<F: Future + 'static>(future: F) -> RemoteHandle<F::Output>
    where
        F::Output: Unpin + 'static,
    {
        SPAWNER.with_borrow(|spawner| {
            let spawner = spawner.as_ref().unwrap();
            spawner.spawn_local_with_handle(future).unwrap()
        })
    }
}
