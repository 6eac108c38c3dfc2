//! How a pool ends.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Door, answer, occupy, until};
use offload::{Cancel, JobError, Pool};

#[test]
fn a_shutdown_does_everything_that_was_handed_over_and_then_all_threads_have_left() {
    let pool = Pool::builder().max_threads(3).build();
    let done = Arc::new(AtomicUsize::new(0));
    let jobs: Vec<_> = (0..1_000)
        .map(|_| {
            let done = done.clone();
            pool.spawn_blocking(move || done.fetch_add(1, Ordering::SeqCst))
        })
        .collect();
    pool.shut_down();
    assert_eq!(done.load(Ordering::SeqCst), 1_000);
    assert_eq!(pool.metrics().threads, 0);
    for job in jobs {
        answer("a job has its answer", job).unwrap();
    }
    pool.shut_down(); // once more does nothing
}

#[test]
fn those_who_stand_in_line_are_served_before_the_pool_ends() {
    let pool = Pool::builder().max_threads(1).queue(1).build();
    let door = Door::default();
    let first = occupy(&pool, &door);
    let done = Arc::new(AtomicUsize::new(0));
    for _ in 0..10 {
        let done = done.clone();
        pool.spawn_blocking(move || done.fetch_add(1, Ordering::SeqCst))
            .detach();
    }
    door.open();
    pool.shut_down();
    assert_eq!(done.load(Ordering::SeqCst), 10);
    answer("the first is done", first).unwrap();
}

#[test]
fn after_a_shutdown_jobs_are_refused_and_the_pool_says_why() {
    let pool = Pool::builder().build();
    pool.shut_down();
    let error = answer("an answer", pool.spawn_blocking(|| ())).unwrap_err();
    assert!(matches!(error, JobError::ShutDown));
    let error = answer("an answer", pool.try_spawn_blocking(|| ()).unwrap()).unwrap_err();
    assert!(matches!(error, JobError::ShutDown));
    pool.spawn_blocking(|| ()).detach();
    assert_eq!(pool.metrics().submitted, 0);
}

#[test]
fn a_shutdown_with_a_limit_names_the_jobs_that_are_stuck_and_refuses_those_behind_them() {
    let pool = Pool::builder().max_threads(2).queue(10).build();
    let door = Door::default();
    let [oven, cellar] = ["the oven", "the cellar"].map(|name| {
        let passes = door.clone();
        pool.job().name(name).spawn(move || passes.pass())
    });
    until("both are begun", || pool.metrics().running == 2);
    let behind: Vec<_> = (0..10).map(|_| pool.spawn_blocking(|| ())).collect();
    let leftovers = pool.shut_down_within(Duration::from_millis(1));
    let mut abandoned = leftovers.abandoned;
    abandoned.sort();
    assert_eq!(abandoned, ["the cellar", "the oven"]);
    assert_eq!(leftovers.never_begun, 10);
    for job in behind {
        assert!(matches!(
            answer("it is refused", job),
            Err(JobError::ShutDown)
        ));
    }
    door.open();
    // What was abandoned goes on, and its answer is still an answer.
    answer("it is done", oven).unwrap();
    answer("it is done", cellar).unwrap();
    until("the threads leave", || pool.metrics().threads == 0);
    assert_eq!(pool.metrics().done, 2);
}

#[test]
fn a_job_without_a_name_is_named_after_the_place_that_it_comes_from() {
    let pool = Pool::builder().max_threads(1).build();
    let door = Door::default();
    let passes = door.clone();
    let line = line!() + 1;
    pool.spawn_blocking(move || passes.pass()).detach();
    until("it is begun", || pool.metrics().running == 1);
    let leftovers = pool.shut_down_within(Duration::ZERO);
    let [name] = &leftovers.abandoned[..] else {
        panic!("{leftovers:?}")
    };
    assert!(name.ends_with(&format!("shut_down.rs:{line}")), "{name}");
    door.open();
}

#[test]
fn a_shutdown_with_a_limit_that_is_long_enough_leaves_nothing() {
    let pool = Pool::builder().max_threads(2).build();
    for _ in 0..100 {
        pool.spawn_blocking(|| ()).detach();
    }
    let leftovers = pool.shut_down_within(Duration::MAX);
    assert_eq!((leftovers.abandoned.len(), leftovers.never_begun), (0, 0));
    assert_eq!(pool.metrics().done, 100);
}

#[test]
fn when_the_last_pool_is_dropped_what_was_handed_over_is_still_done() {
    let done = Arc::new(AtomicUsize::new(0));
    let held = {
        let pool = Pool::builder().max_threads(1).idle(Duration::MAX).build();
        let door = Door::default();
        occupy(&pool, &door).detach();
        for _ in 0..10 {
            let done = done.clone();
            pool.spawn_blocking(move || done.fetch_add(1, Ordering::SeqCst))
                .detach();
        }
        door.open();
        pool.spawn_blocking(|| "the last one")
    };
    assert_eq!(answer("it is done", held).unwrap(), "the last one");
    assert_eq!(done.load(Ordering::SeqCst), 10);
}

#[test]
fn a_job_may_shut_down_its_own_pool() {
    let pool = Pool::builder().max_threads(1).build();
    let own = pool.clone();
    let job = pool.spawn_blocking(move || own.shut_down());
    answer("it does not wait for itself", job).unwrap();
    pool.shut_down();
    assert_eq!(pool.metrics().threads, 0);
}

#[test]
fn a_deadline_far_away_does_not_hold_up_a_shutdown() {
    let pool = Pool::builder().max_threads(1).build();
    let door = Door::default();
    let first = occupy(&pool, &door);
    let patient = pool.job().deadline(Duration::from_secs(3600)).spawn(|| ());
    assert_eq!(pool.shut_down_within(Duration::ZERO).never_begun, 1);
    assert!(answer("it is refused", patient).is_err());
    door.open();
    answer("the first is done", first).unwrap();
    pool.shut_down();
}

#[test]
fn nor_does_one_whose_job_is_begun_after_the_shutdown_has_begun() {
    let pool = Pool::builder().max_threads(1).build();
    let door = Door::default();
    let first = occupy(&pool, &door);
    let patient = pool
        .job()
        .deadline(Duration::from_secs(3600))
        .spawn(|| "patient");
    let own = pool.clone();
    let shutdown = std::thread::spawn(move || own.shut_down());
    until("the pool takes in nothing more", || {
        matches!(pool.spawn_blocking(|| ()).cancel(), Cancel::Done(Err(_)))
    });
    door.open();
    until("the shutdown is over", || shutdown.is_finished());
    assert_eq!(answer("it is done", patient).unwrap(), "patient");
    answer("the first is done", first).unwrap();
}
