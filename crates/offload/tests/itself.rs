//! A job that waits for a job of its own pool.

mod common;

use std::sync::{Arc, Barrier};

use common::{Door, answer, occupy};
use futures::executor::block_on;
use offload::{Job, JobError, Pool};

fn is_told(answer: &Result<(), JobError>) -> bool {
    matches!(answer, Err(JobError::WouldWaitForItself))
}

#[test]
fn a_job_that_waits_for_another_one_is_told_if_it_has_the_only_thread() {
    let pool = Pool::builder().max_threads(1).build();
    let own = pool.clone();
    let outer = pool.spawn_blocking(move || own.spawn_blocking(|| ()).wait());
    assert!(is_told(&answer("the outer job goes on", outer).unwrap()));
    assert_eq!((pool.metrics().queued, pool.metrics().removed), (0, 1));
}

#[test]
fn it_is_told_whichever_way_it_waits() {
    let pool = Pool::builder().max_threads(1).build();
    let own = pool.clone();
    let outer = pool.spawn_blocking(move || block_on(own.spawn_blocking(|| ())));
    assert!(is_told(&answer("futures::executor", outer).unwrap()));
    let own = pool.clone();
    let outer =
        pool.spawn_blocking(move || loopbot::run(async { own.spawn_blocking(|| ()).await }));
    assert!(is_told(&answer("LoopBot", outer).unwrap()));
}

#[test]
fn a_job_may_wait_for_another_one_while_there_is_a_thread_for_it() {
    let pool = Pool::builder().max_threads(2).build();
    for _ in 0..200 {
        let own = pool.clone();
        let outer = pool.spawn_blocking(move || own.spawn_blocking(|| 5).wait());
        assert_eq!(answer("the outer job goes on", outer).unwrap().unwrap(), 5);
    }
}

#[test]
fn it_may_wait_while_another_thread_does_something_that_ends() {
    let pool = Pool::builder().max_threads(2).build();
    let door = Door::default();
    let busy = occupy(&pool, &door);
    let own = pool.clone();
    let outer = pool.spawn_blocking(move || own.spawn_blocking(|| 5).wait());
    common::until("the inner job waits for a thread", || {
        pool.metrics().queued == 1
    });
    door.open();
    assert_eq!(answer("the outer job goes on", outer).unwrap().unwrap(), 5);
    answer("the other is done", busy).unwrap();
}

#[test]
fn if_all_threads_wait_for_jobs_behind_them_one_is_told_and_the_others_get_their_answers() {
    let pool = Pool::builder().max_threads(4).build();
    let together = Arc::new(Barrier::new(4));
    let outer: Vec<_> = (0..4)
        .map(|_| {
            let (own, together) = (pool.clone(), together.clone());
            pool.spawn_blocking(move || {
                together.wait(); // All four have their threads.
                own.spawn_blocking(|| ()).wait()
            })
        })
        .collect();
    let answers = outer
        .into_iter()
        .map(|outer| answer("an outer job goes on", outer).unwrap());
    let told = answers.filter(is_told).count();
    assert_eq!(told, 1);
}

#[test]
fn jobs_that_wait_for_each_other_in_a_row_are_told_at_the_end_of_the_row() {
    fn nested(pool: &Pool, depth: u32) -> Result<u32, JobError> {
        let own = pool.clone();
        let inner: Job<_> = pool.spawn_blocking(move || nested(&own, depth + 1));
        // Whoever is told counts; the others hand on what they hear.
        match inner.wait() {
            Ok(answer) => answer,
            Err(JobError::WouldWaitForItself) => Ok(depth),
            Err(error) => Err(error),
        }
    }
    let pool = Pool::builder().max_threads(3).build();
    let own = pool.clone();
    let first = pool.spawn_blocking(move || nested(&own, 1));
    assert_eq!(
        answer("the row comes to an end", first).unwrap().unwrap(),
        3
    );
}

#[test]
fn a_job_that_looked_at_another_one_and_let_go_of_it_is_not_taken_for_one_that_waits() {
    let pool = Pool::builder().max_threads(2).build();
    let door = Door::default();
    let (own, passes) = (pool.clone(), door.clone());
    let looks = pool.spawn_blocking(move || {
        let mut job = Box::pin(own.spawn_blocking(|| ()));
        let waker = std::task::Waker::noop();
        let _ = job
            .as_mut()
            .poll(&mut std::task::Context::from_waker(waker));
        drop(job);
        passes.pass();
    });
    common::until("it has looked", || {
        pool.metrics().submitted == 2 && pool.metrics().queued == 0
    });
    let own = pool.clone();
    let waits = pool.spawn_blocking(move || own.spawn_blocking(|| 5).wait());
    common::until("the inner job waits for a thread", || {
        pool.metrics().queued == 1
    });
    door.open();
    assert_eq!(answer("it goes on", waits).unwrap().unwrap(), 5);
    answer("the other is done", looks).unwrap();
}

#[test]
fn two_pools_may_wait_for_each_other() {
    let pools = [(); 2].map(|()| Pool::builder().max_threads(1).build());
    let other = pools[1].clone();
    let outer = pools[0].spawn_blocking(move || other.spawn_blocking(|| 5).wait());
    assert_eq!(answer("the outer job goes on", outer).unwrap().unwrap(), 5);
}

#[test]
fn a_crowd_of_jobs_that_wait_for_their_own_pool_comes_through() {
    let pool = Pool::builder().max_threads(3).queue(2).build();
    let outer = (0..500).map(|number| {
        let own = pool.clone();
        pool.spawn_blocking(move || own.spawn_blocking(move || number).wait())
    });
    let answers = block_on(futures::future::join_all(outer));
    for (number, answer) in answers.into_iter().enumerate() {
        match answer.unwrap() {
            Ok(same) => assert_eq!(same, number),
            Err(error) => assert!(matches!(error, JobError::WouldWaitForItself)),
        }
    }
}

/// Job X, on one of two threads, and another job on the other one that looks at X and then does not wait for it. If the pool
/// went by that look, it would give up the job that X waits for.
fn a_look_is_no_wait(look: impl FnOnce(&Pool, Job<Result<u32, JobError>>, &Door)) {
    let pool = Pool::builder().max_threads(2).build();
    let (begin, end) = (Door::default(), Door::default());
    let (own, passes) = (pool.clone(), begin.clone());
    let x = pool.spawn_blocking(move || {
        passes.pass();
        own.spawn_blocking(|| 5).wait()
    });
    common::until("X is begun", || pool.metrics().running == 1);
    look(&pool, x, &end);
    begin.open();
    common::until("X waits for a thread", || pool.metrics().queued == 1);
    end.open();
    pool.shut_down();
    assert_eq!(pool.metrics().removed, 0, "nothing was given up");
}

fn poll_once<T: 'static>(mut job: Job<T>) -> Job<T> {
    let cx = &mut std::task::Context::from_waker(std::task::Waker::noop());
    assert!(std::pin::Pin::new(&mut job).poll(cx).is_pending());
    job
}

#[test]
fn a_job_that_looked_at_one_that_is_being_done_and_let_go_of_it_does_not_wait() {
    a_look_is_no_wait(|pool, x, end| {
        let (passes, looked) = (end.clone(), Arc::new(Barrier::new(2)));
        let has_looked = looked.clone();
        let look = move || {
            drop(poll_once(x));
            has_looked.wait();
            passes.pass();
        };
        pool.spawn_blocking(look).detach();
        looked.wait();
    });
}

#[test]
fn a_job_that_is_over_does_not_wait_whatever_it_looked_at() {
    let mut kept = None;
    a_look_is_no_wait(|pool, x, end| {
        kept = Some(answer("it has looked", pool.spawn_blocking(|| poll_once(x))).unwrap());
        occupy(pool, end).detach();
    });
    let x = kept.expect("X was handed back");
    assert_eq!(answer("X is done", x).unwrap().unwrap(), 5);
}
