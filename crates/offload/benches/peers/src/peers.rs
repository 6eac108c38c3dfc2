//! The contestants: how each of them is handed a job, and how its answer is awaited. Whoever awaits is the same for all: a
//! thread in `futures::executor::block_on`, which parks.

use std::pin::Pin;
use std::sync::mpsc;
use std::thread;

use futures::channel::oneshot;

/// A pool of threads.
pub trait Pool {
    /// Hands over a job that does nothing, and gives what its answer can be awaited with.
    fn hand_over(&self) -> Answer;
}

/// The same for all, so that all pay for one allocation here.
pub type Answer = Pin<Box<dyn Future<Output = ()>>>;

pub struct Contestant {
    pub name: &'static str,
    pub make: fn() -> Box<dyn Pool>,
    /// Its threads are still there when the pool is gone.
    pub leaves_threads: bool,
}

pub fn all() -> Vec<Contestant> {
    vec![
        contestant("offload", || Box::new(Offload(usual().build()))),
        contestant("offload, 2 threads", || {
            Box::new(Offload(usual().max_threads(2).build()))
        }),
        contestant("tokio, 512 threads", || Box::new(Tokio::new(512))),
        contestant("tokio, 2 threads", || Box::new(Tokio::new(2))),
        Contestant {
            leaves_threads: true,
            ..contestant("blocking", || Box::new(Blocking))
        },
        contestant("rayon + oneshot", || Box::new(Rayon::new())),
        contestant("threadpool + oneshot", || {
            Box::new(ThreadPool(threadpool::ThreadPool::new(2)))
        }),
        contestant("thread + mpsc", || Box::new(Thread::new())),
    ]
}

fn contestant(name: &'static str, make: fn() -> Box<dyn Pool>) -> Contestant {
    Contestant {
        name,
        make,
        leaves_threads: false,
    }
}

struct Offload(offload::Pool);

/// The queue is as long as the flood, as those of the others are.
fn usual() -> offload::Builder {
    offload::Pool::builder().queue(crate::FLOOD)
}

impl Pool for Offload {
    fn hand_over(&self) -> Answer {
        let job = self.0.spawn_blocking(|| ());
        Box::pin(async move { job.await.expect("it does nothing") })
    }
}

struct Tokio(tokio::runtime::Runtime);

impl Tokio {
    fn new(threads: usize) -> Tokio {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.max_blocking_threads(threads).build();
        Tokio(runtime.expect("a runtime"))
    }
}

impl Pool for Tokio {
    fn hand_over(&self) -> Answer {
        let job = self.0.spawn_blocking(|| ());
        Box::pin(async move { job.await.expect("it does nothing") })
    }
}

/// It has one pool for the whole process, with at most 500 threads, which leave after half a second.
struct Blocking;

impl Pool for Blocking {
    fn hand_over(&self) -> Answer {
        Box::pin(blocking::unblock(|| ()))
    }
}

struct Rayon(rayon::ThreadPool);

impl Rayon {
    fn new() -> Rayon {
        // As many threads as cores.
        Rayon(rayon::ThreadPoolBuilder::new().build().expect("a pool"))
    }
}

impl Pool for Rayon {
    fn hand_over(&self) -> Answer {
        let (sender, receiver) = oneshot::channel();
        self.0
            .spawn(move || sender.send(()).expect("somebody awaits it"));
        Box::pin(async move { receiver.await.expect("it does nothing") })
    }
}

struct ThreadPool(threadpool::ThreadPool);

impl Pool for ThreadPool {
    fn hand_over(&self) -> Answer {
        let (sender, receiver) = oneshot::channel();
        self.0
            .execute(move || sender.send(()).expect("somebody awaits it"));
        Box::pin(async move { receiver.await.expect("it does nothing") })
    }
}

/// By hand: one thread, and a channel of boxed functions.
struct Thread(mpsc::Sender<Box<dyn FnOnce() + Send>>);

impl Thread {
    fn new() -> Thread {
        let (sender, receiver) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
        thread::spawn(move || receiver.into_iter().for_each(|work| work()));
        Thread(sender)
    }
}

impl Pool for Thread {
    fn hand_over(&self) -> Answer {
        let (sender, receiver) = oneshot::channel();
        let work = Box::new(move || sender.send(()).expect("somebody awaits it"));
        self.0.send(work).expect("the thread is there");
        Box::pin(async move { receiver.await.expect("it does nothing") })
    }
}
