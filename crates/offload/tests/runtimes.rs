//! The same jobs on every runtime; what is woken from a pool's thread arrives, always.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use offload::Pool;

/// Many tasks' worth of jobs, one after the other and side by side, with and without a place.
async fn evening(pool: Pool) {
    for number in 0..200_u64 {
        assert_eq!(pool.spawn_blocking(move || number).await.unwrap(), number);
    }
    let jobs = (0..500_u64).map(|number| pool.spawn_blocking(move || number));
    let mut jobs: FuturesUnordered<_> = jobs.collect();
    let mut sum = 0;
    while let Some(answer) = jobs.next().await {
        sum += answer.unwrap();
    }
    assert_eq!(sum, 499 * 500 / 2);
    let error = pool
        .spawn_blocking(|| panic!("the soufflé fell"))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the job panicked: the soufflé fell");
}

fn pool() -> Pool {
    Pool::builder().max_threads(3).queue(20).build()
}

#[test]
fn on_loopbot() {
    loopbot::run(evening(pool()));
}

#[test]
fn on_tokio_with_one_thread() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async { tokio::spawn(evening(pool())).await.unwrap() });
}

#[test]
fn on_tokio_with_many_threads() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    runtime.block_on(async {
        let pool = pool();
        let evenings = [(); 4].map(|()| tokio::spawn(evening(pool.clone())));
        for evening in evenings {
            evening.await.unwrap();
        }
    });
}

#[test]
fn on_smol() {
    smol::block_on(async { smol::spawn(evening(pool())).await });
}

#[test]
fn on_futures_own_executor() {
    futures::executor::block_on(evening(pool()));
}

#[test]
fn on_a_plain_thread() {
    let pool = pool();
    for number in 0..200 {
        assert_eq!(pool.spawn_blocking(move || number).wait().unwrap(), number);
    }
}

#[test]
fn loopbots_tasks_go_on_while_a_job_blocks() {
    let pool = pool();
    loopbot::run(async {
        let (open, door) = std::sync::mpsc::channel();
        let job = pool.spawn_blocking(move || door.recv_timeout(Duration::from_secs(60)));
        let other = loopbot::spawn(async move {
            for _ in 0..10 {
                loopbot::yield_now().await;
            }
            open.send("opened by a task").unwrap(); // The job waits for this: had the loop been blocked, it would not come.
        });
        assert_eq!(job.await.unwrap(), Ok("opened by a task"));
        other.await.unwrap();
    });
}

#[test]
fn a_file_is_written_and_read_on_the_pool_of_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("menu.txt");
    loopbot::run(async {
        offload::fs::write(&path, "soup").await.unwrap();
        assert_eq!(offload::fs::read(&path).await.unwrap(), b"soup");
        assert_eq!(offload::fs::read_to_string(&path).await.unwrap(), "soup");
        offload::fs::remove_file(&path).await.unwrap();
        let error = offload::fs::read(&path).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    });
    assert!(Pool::global().metrics().done >= 5);
}

/// Jobs that end while they are being handed over, awaited, dropped, cancelled, from four threads at once, on threads that spin, park
/// and go home all the time. If one wake-up is lost, this does not end.
#[test]
fn no_answer_is_lost_whatever_happens_at_the_same_time() {
    let done = Arc::new(AtomicU64::new(0));
    for (threads, queue, spin) in [(1, 0, 0), (2, 1, 5), (3, 16, 0), (4, 1_000, 20)] {
        let builder = Pool::builder().max_threads(threads).queue(queue);
        let builder = builder.spin(Duration::from_micros(spin));
        let pool = builder.idle(Duration::from_micros(100)).build();
        std::thread::scope(|scope| {
            for seed in 1..=4_u64 {
                let (pool, done) = (&pool, &done);
                scope.spawn(move || futures::executor::block_on(customer(pool, done, seed)));
            }
        });
        pool.shut_down();
        let metrics = pool.metrics();
        assert_eq!(
            metrics.submitted,
            metrics.done + metrics.removed,
            "{metrics:?}"
        );
        assert_eq!(done.swap(0, Ordering::SeqCst), metrics.done);
        assert!(metrics.most_threads <= threads);
    }
}

/// Does this and that with two thousand jobs, as a random number says.
async fn customer(pool: &Pool, done: &Arc<AtomicU64>, mut random: u64) {
    let mut open = HashMap::new();
    for number in 0..2_000_u64 {
        let done = done.clone();
        let mut job = pool.spawn_blocking(move || {
            done.fetch_add(1, Ordering::SeqCst);
            number
        });
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        match random % 8 {
            0 => drop(job),
            1 => match job.cancel() {
                offload::Cancel::Removed => {}
                offload::Cancel::Running(job) => assert_eq!(job.await.unwrap(), number),
                offload::Cancel::Done(answer) => assert_eq!(answer.unwrap(), number),
            },
            2 => job.detach(),
            3 => {
                job.placed().await;
                open.insert(number, job);
            }
            4 => drop(open.insert(number, job)),
            5 if !open.is_empty() => {
                let some = *open.keys().next().unwrap();
                assert_eq!(open.remove(&some).unwrap().await.unwrap(), some);
                assert_eq!(job.await.unwrap(), number);
            }
            _ => assert_eq!(job.await.unwrap(), number),
        }
    }
    for (number, job) in open {
        assert_eq!(job.await.unwrap(), number);
    }
}
