//! How many threads there are, and what they are called.

mod common;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::{Door, answer, occupy, until};
use offload::{JobError, Pool};

#[test]
fn a_hundred_thousand_queued_jobs_never_make_more_threads_than_the_bound() {
    let pool = Pool::builder().max_threads(3).queue(100_000).build();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let door = Door::default();
    let doors: Vec<_> = (0..3).map(|_| occupy(&pool, &door)).collect();
    let jobs: Vec<_> = (0..100_000)
        .map(|_| {
            let (now, most) = (now.clone(), most.clone());
            let job = pool.try_spawn_blocking(move || {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                now.fetch_sub(1, Ordering::SeqCst);
            });
            job.expect("the queue is long enough")
        })
        .collect();
    let full = pool.metrics();
    assert_eq!((full.threads, full.queued), (3, 100_000));
    door.open();
    for job in doors.into_iter().chain(jobs) {
        answer("a job is done", job).unwrap();
    }
    assert!(most.load(Ordering::SeqCst) <= 3);
    let end = pool.metrics();
    assert_eq!(end.most_threads, 3);
    assert_eq!((end.done, end.running, end.queued), (100_003, 0, 0));
}

#[test]
fn threads_start_when_there_is_work_for_them_and_not_before() {
    let pool = Pool::builder().max_threads(8).build();
    assert_eq!(pool.metrics().threads, 0);
    let door = Door::default();
    for threads in 1..=4 {
        occupy(&pool, &door).detach();
        assert_eq!(pool.metrics().threads, threads);
    }
    door.open();
}

#[test]
fn jobs_that_come_one_after_the_other_are_all_done_by_one_thread() {
    let pool = Pool::builder().max_threads(8).build();
    for _ in 0..2_000 {
        pool.spawn_blocking(|| ()).wait().unwrap();
    }
    assert_eq!(pool.metrics().most_threads, 1);
}

#[test]
fn every_thread_that_the_pool_may_have_works_when_there_is_enough_to_do() {
    let pool = Pool::builder().max_threads(5).build();
    // All five must be inside at the same time, or none gets through.
    let together = Arc::new(std::sync::Barrier::new(5));
    let jobs: Vec<_> = (0..5)
        .map(|_| {
            let together = together.clone();
            pool.spawn_blocking(move || together.wait().is_leader())
        })
        .collect();
    for job in jobs {
        answer("five jobs are done at the same time", job).unwrap();
    }
}

#[test]
fn sleeping_threads_are_called_again_as_many_as_are_needed() {
    let pool = Pool::builder().max_threads(4).spin(Duration::ZERO).build();
    for _ in 0..200 {
        let together = Arc::new(std::sync::Barrier::new(4));
        let jobs: Vec<_> = (0..4)
            .map(|_| {
                let together = together.clone();
                pool.spawn_blocking(move || together.wait().is_leader())
            })
            .collect();
        for job in jobs {
            answer("four jobs are done at the same time", job).unwrap();
        }
    }
    assert_eq!(pool.metrics().most_threads, 4);
}

#[test]
fn threads_that_have_nothing_to_do_go_home_and_come_back() {
    let pool = Pool::builder()
        .max_threads(4)
        .idle(Duration::from_millis(1))
        .build();
    for round in 1..=3 {
        let door = Door::default();
        let jobs: Vec<_> = (0..4).map(|_| occupy(&pool, &door)).collect();
        assert_eq!(pool.metrics().threads, 4, "round {round}");
        door.open();
        for job in jobs {
            answer("a job is done", job).unwrap();
        }
        until("all threads go home", || pool.metrics().threads == 0);
    }
}

#[test]
fn threads_are_named_after_the_pool_and_their_seats() {
    let pool = Pool::builder().name("cellar\0").max_threads(2).build();
    let names = Arc::new(Mutex::new(Vec::new()));
    let door = Door::default();
    for _ in 0..2 {
        let (names, door) = (names.clone(), door.clone());
        let name = move || {
            names
                .lock()
                .unwrap()
                .push(thread::current().name().map(str::to_owned));
            door.pass();
        };
        pool.spawn_blocking(name).detach();
    }
    until("both say their names", || names.lock().unwrap().len() == 2);
    door.open();
    let mut names = names.lock().unwrap().clone();
    names.sort();
    assert_eq!(
        names,
        [Some("cellar-1".to_owned()), Some("cellar-2".to_owned())]
    );
}

#[test]
fn if_no_thread_can_be_started_the_job_says_so() {
    let pool = Pool::builder().stack_size(usize::MAX / 4).build();
    let error = answer("an answer", pool.spawn_blocking(|| ())).unwrap_err();
    assert!(matches!(error, JobError::NoThread(_)), "{error}");
    assert_eq!(pool.metrics().threads, 0);
    pool.shut_down(); // and this does not wait for what never was
}

#[test]
fn a_bound_of_no_threads_is_a_bound_of_one() {
    let pool = Pool::builder().max_threads(0).build();
    assert_eq!(
        answer("a job is done", pool.spawn_blocking(|| 5)).unwrap(),
        5
    );
}
