//! Somebody hands over a job that blocks, and then lets go of its handle. Is the job done? It depends on the pool, on the way of
//! letting go, and on whether a thread had begun it.
//!
//! ```text
//! BLOCKING_MAX_THREADS=1 cargo run -p offload --example what_runs_on
//! ```
//!
//! Each pool has one thread here, so a second job has to wait. smol's reads its bound from that variable; without it, its line is left out.

use std::env;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use futures::executor::block_on;
use offload::Pool;

/// A job of a pool, and how its handle is let go.
type Work = Box<dyn FnOnce() + Send>;
type LetGo = Box<dyn FnOnce()>;

fn main() {
    println!("{:42}{:14}begun", "", "not begun");
    says("std: a JoinHandle is dropped", None, begun(&std_drop));

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(1)
        .build()
        .expect("a runtime");
    let dropped = |work: Work| -> LetGo {
        let handle = runtime.spawn_blocking(work);
        Box::new(move || drop(handle))
    };
    let aborted = |work: Work| -> LetGo {
        let handle = runtime.spawn_blocking(work);
        Box::new(move || handle.abort())
    };
    let last = |work: Work| -> Done { Box::pin(go(runtime.spawn_blocking(work))) };
    says(
        "tokio: a JoinHandle is dropped",
        Some(queued(&dropped, &last)),
        begun(&dropped),
    );
    says(
        "tokio: abort",
        Some(queued(&aborted, &last)),
        begun(&aborted),
    );

    if env::var("BLOCKING_MAX_THREADS").as_deref() == Ok("1") {
        let dropped = |work: Work| -> LetGo {
            let task = smol::unblock(work);
            Box::new(move || drop(task))
        };
        let last = |work: Work| -> Done { Box::pin(smol::unblock(work)) };
        says(
            "smol: the Task of unblock is dropped",
            Some(queued(&dropped, &last)),
            begun(&dropped),
        );
    }

    let pool = Pool::builder().max_threads(1).build();
    let dropped = |work: Work| -> LetGo {
        let job = pool.spawn_blocking(work);
        Box::new(move || drop(job))
    };
    let cancelled = |work: Work| -> LetGo {
        let job = pool.spawn_blocking(work);
        Box::new(move || drop(job.cancel()))
    };
    let detached = |work: Work| -> LetGo {
        let job = pool.spawn_blocking(work);
        Box::new(move || job.detach())
    };
    let last = |work: Work| -> Done { Box::pin(go(pool.spawn_blocking(work))) };
    says(
        "offload: a Job is dropped",
        Some(queued(&dropped, &last)),
        begun(&dropped),
    );
    says(
        "offload: cancel",
        Some(queued(&cancelled, &last)),
        begun(&cancelled),
    );
    says(
        "offload: detach",
        Some(queued(&detached, &last)),
        begun(&detached),
    );
}

type Done = Pin<Box<dyn Future<Output = ()>>>;

async fn go<E>(job: impl Future<Output = Result<(), E>>) {
    assert!(job.await.is_ok(), "nobody lets go of the last job");
}

fn std_drop(work: Work) -> LetGo {
    let handle = thread::spawn(work);
    Box::new(move || drop(handle))
}

/// Lets go of a job that waits behind another one, and says whether it is done when the next one is.
fn queued(hand_over: &dyn Fn(Work) -> LetGo, last: &dyn Fn(Work) -> Done) -> bool {
    let (open, door) = mpsc::channel::<()>();
    let (begins, has_begun) = mpsc::channel();
    let first = last(Box::new(move || {
        begins.send(()).expect("somebody listens");
        let _ = door.recv();
    }));
    has_begun.recv().expect("the first job is begun");
    let is_done = Arc::new(AtomicBool::new(false));
    let done = is_done.clone();
    let let_go = hand_over(Box::new(move || done.store(true, Ordering::Release)));
    let_go();
    let last = last(Box::new(|| ()));
    drop(open);
    block_on(first);
    block_on(last);
    is_done.load(Ordering::Acquire)
}

/// Lets go of a job that was begun, and says whether it comes to its end.
fn begun(hand_over: &dyn Fn(Work) -> LetGo) -> bool {
    let (open, door) = mpsc::channel::<()>();
    let (begins, has_begun) = mpsc::channel();
    let (ends, has_ended) = mpsc::channel();
    let let_go = hand_over(Box::new(move || {
        begins.send(()).expect("somebody listens");
        let _ = door.recv();
        ends.send(()).expect("somebody listens");
    }));
    has_begun.recv().expect("the job is begun");
    let_go();
    drop(open);
    has_ended.recv().is_ok()
}

fn says(what: &str, not_begun: Option<bool>, begun: bool) {
    let word = |is_done| if is_done { "is done" } else { "is not done" };
    println!("{what:42}{:14}{}", not_begun.map_or("", word), word(begun));
}
