//! The queue is bounded: who gets a place, when, and who has to wait for one.

mod common;

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::{Bell, Door, answer, occupy, until};
use offload::{Full, Job, Pool};

fn poll<T: 'static>(job: &mut Job<T>) -> Poll<Result<T, offload::JobError>> {
    pin!(job).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_pool_has_as_many_places_as_threads_and_queue_together() {
    let pool = Pool::builder().max_threads(2).queue(3).build();
    let door = Door::default();
    let jobs: Vec<_> = (0..5)
        .map(|_| {
            let door = door.clone();
            pool.try_spawn_blocking(move || door.pass())
                .expect("there are five places")
        })
        .collect();
    let soup = "soup".to_owned();
    let Full(work) = pool.try_spawn_blocking(move || soup).unwrap_err();
    assert_eq!(work(), "soup", "the work comes back as it was");
    assert_eq!(pool.metrics().turned_away, 1);
    door.open();
    for job in jobs {
        answer("a job is done", job).unwrap();
    }
}

#[test]
fn without_a_queue_a_job_needs_a_thread_that_is_free() {
    let pool = Pool::builder().max_threads(1).queue(0).build();
    for _ in 0..1_000 {
        // As soon as the answer is there, so is the place.
        let job = pool.try_spawn_blocking(|| ()).expect("the thread is free");
        answer("the job is done", job).unwrap();
    }
    let door = Door::default();
    let _job = occupy(&pool, &door);
    assert!(pool.try_spawn_blocking(|| ()).is_err());
    door.open();
}

#[test]
fn those_who_wait_for_a_place_get_it_in_the_order_in_which_they_came() {
    let pool = Pool::builder().max_threads(1).queue(1).build();
    let order = Arc::new(Mutex::new(Vec::new()));
    let door = Door::default();
    let first = occupy(&pool, &door);
    let mut jobs: Vec<_> = (0..50)
        .map(|number| {
            let order = order.clone();
            pool.spawn_blocking(move || order.lock().unwrap().push(number))
        })
        .collect();
    // Job 0 has the place in the queue. The others stand in line in the order in which they are polled: backwards.
    for job in jobs.iter_mut().rev() {
        assert!(poll(job).is_pending());
    }
    assert_eq!((pool.metrics().queued, pool.metrics().waiting), (1, 49));
    door.open();
    answer("the first is done", first).unwrap();
    for job in jobs {
        answer("a job is done", job).unwrap();
    }
    let expected: Vec<_> = [0].into_iter().chain((1..50).rev()).collect();
    assert_eq!(*order.lock().unwrap(), expected);
}

#[test]
fn nobody_comes_in_from_the_side_while_others_stand_in_line() {
    let pool = Pool::builder().max_threads(1).queue(1).build();
    let door = Door::default();
    let first = occupy(&pool, &door);
    let queued = pool.spawn_blocking(|| ());
    let mut in_line = pool.spawn_blocking(|| ());
    assert!(poll(&mut in_line).is_pending());
    drop(queued); // A place is free, and belongs to the one in line.
    assert!(pool.try_spawn_blocking(|| ()).is_err());
    assert_eq!((pool.metrics().queued, pool.metrics().waiting), (1, 0));
    door.open();
    answer("the one in line is done", in_line).unwrap();
    answer("the first is done", first).unwrap();
}

#[test]
fn one_who_waits_for_a_place_and_is_dropped_lets_the_next_one_in() {
    let pool = Pool::builder().max_threads(1).queue(1).build();
    let door = Door::default();
    let first = occupy(&pool, &door);
    let queued = pool.spawn_blocking(|| ());
    let [mut gone, mut next] = [(); 2].map(|()| pool.spawn_blocking(|| ()));
    assert!(poll(&mut gone).is_pending());
    let bell = Arc::new(Bell::default());
    {
        let mut placed = pin!(next.placed());
        let waker = Waker::from(bell.clone());
        let cx = &mut Context::from_waker(&waker);
        assert!(placed.as_mut().poll(cx).is_pending());
        drop(gone);
        assert_eq!(bell.rings(), 0, "there is no place yet");
        drop(queued);
        assert_eq!(bell.rings(), 1, "now there is");
        assert!(placed.as_mut().poll(cx).is_ready());
    }
    door.open();
    answer("the next one is done", next).unwrap();
    answer("the first is done", first).unwrap();
    assert_eq!(pool.metrics().removed, 2);
}

#[test]
fn whoever_awaits_a_place_before_the_next_job_makes_no_line() {
    let pool = Pool::builder().max_threads(2).queue(4).build();
    loopbot::run(async {
        let mut jobs = Vec::new();
        for number in 0..2_000 {
            let mut job = pool.spawn_blocking(move || number);
            job.placed().await;
            let metrics = pool.metrics();
            assert!(
                metrics.queued + metrics.running <= 6 && metrics.waiting == 0,
                "{metrics:?}"
            );
            jobs.push(job);
        }
        for (number, job) in jobs.into_iter().enumerate() {
            assert_eq!(job.await.unwrap(), number);
        }
    });
}

#[test]
fn a_job_without_a_place_is_begun_when_it_is_awaited() {
    let pool = Pool::builder().max_threads(1).queue(1).build();
    let jobs: Vec<_> = (0..100)
        .map(|number| pool.spawn_blocking(move || number))
        .collect();
    loopbot::run(async {
        for (number, job) in jobs.into_iter().enumerate() {
            assert_eq!(job.await.unwrap(), number);
        }
    });
}

#[test]
fn a_detached_job_is_done_even_if_it_had_no_place() {
    let pool = Pool::builder().max_threads(1).queue(0).build();
    let door = Door::default();
    occupy(&pool, &door).detach();
    let done = Arc::new(Mutex::new(0));
    for _ in 0..10 {
        let done = done.clone();
        pool.spawn_blocking(move || *done.lock().unwrap() += 1)
            .detach();
    }
    assert_eq!(pool.metrics().waiting, 10);
    door.open();
    until("all are done", || *done.lock().unwrap() == 10);
}

#[test]
fn a_thousand_who_came_and_left_again_leave_room_for_others() {
    let pool = Pool::builder().max_threads(1).queue(2).build();
    let door = Door::default();
    let first = occupy(&pool, &door);
    for _ in 0..1_000 {
        let jobs = [(); 2].map(|()| pool.try_spawn_blocking(|| ()).expect("there is room again"));
        drop(jobs);
    }
    assert_eq!((pool.metrics().removed, pool.metrics().queued), (2_000, 0));
    door.open();
    answer("the first is done", first).unwrap();
}

#[test]
fn a_flood_through_a_narrow_door_comes_through_whole() {
    let pool = Pool::builder()
        .max_threads(2)
        .queue(3)
        .idle(Duration::from_millis(1))
        .build();
    let jobs = (0..10_000_u64).map(|number| pool.spawn_blocking(move || number));
    let answers = loopbot::run(futures::future::join_all(jobs));
    let sum: u64 = answers.into_iter().map(Result::unwrap).sum();
    assert_eq!(sum, 9_999 * 10_000 / 2);
    assert!(pool.metrics().most_threads <= 2);
}
