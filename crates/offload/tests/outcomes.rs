//! What comes of a job: its result, its panic; and what dropping, cancelling and a deadline do to it.

mod common;

use std::panic::panic_any;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use common::{Bell, Door, answer, occupy, until};
use offload::{Cancel, Job, JobError, Pool};

fn one_thread() -> Pool {
    Pool::builder().max_threads(1).build()
}

/// Says when it is dropped.
struct Plate(Arc<AtomicUsize>);

impl Drop for Plate {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_panic_is_the_answer_and_the_thread_goes_on() {
    let pool = one_thread();
    let thread = answer("an id", pool.spawn_blocking(|| thread::current().id())).unwrap();
    let error = answer(
        "an answer",
        pool.spawn_blocking(|| panic!("the soufflé fell")),
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "the job panicked: the soufflé fell");
    let words = format!("{} fell", "it");
    let error = answer("an answer", pool.spawn_blocking(move || panic!("{words}"))).unwrap_err();
    let JobError::Panicked(panic) = error else {
        panic!("{error}")
    };
    assert_eq!(panic.message(), "it fell");
    let error = answer("an answer", pool.spawn_blocking(|| panic_any(7_u8))).unwrap_err();
    let JobError::Panicked(panic) = error else {
        panic!("{error}")
    };
    assert_eq!(panic.into_payload().downcast_ref(), Some(&7_u8));
    let same = answer("an id", pool.spawn_blocking(|| thread::current().id())).unwrap();
    assert_eq!(thread, same);
    assert_eq!((pool.metrics().panicked, pool.metrics().done), (3, 2));
}

#[test]
fn a_job_that_is_dropped_in_the_queue_is_never_begun_and_its_work_is_dropped_at_once() {
    let pool = one_thread();
    let door = Door::default();
    let first = occupy(&pool, &door);
    let (begun, drops) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let (says, plate) = (begun.clone(), Plate(drops.clone()));
    let queued = pool.spawn_blocking(move || {
        says.store(true, Ordering::SeqCst);
        drop(plate);
    });
    assert_eq!(pool.metrics().queued, 1);
    drop(queued);
    assert_eq!(drops.load(Ordering::SeqCst), 1);
    assert_eq!((pool.metrics().queued, pool.metrics().removed), (0, 1));
    door.open();
    answer("the first is done", first).unwrap();
    pool.shut_down();
    assert!(!begun.load(Ordering::SeqCst));
}

#[test]
fn a_job_that_is_dropped_while_it_is_being_done_runs_on_and_its_result_is_dropped() {
    let pool = one_thread();
    let (door, drops) = (Door::default(), Arc::new(AtomicUsize::new(0)));
    let (passes, plate) = (door.clone(), Plate(drops.clone()));
    let job = pool.spawn_blocking(move || {
        passes.pass();
        plate
    });
    until("it is begun", || pool.metrics().running == 1);
    drop(job);
    assert_eq!(
        (pool.metrics().running, drops.load(Ordering::SeqCst)),
        (1, 0)
    );
    door.open();
    pool.shut_down();
    assert_eq!((pool.metrics().done, drops.load(Ordering::SeqCst)), (1, 1));
}

#[test]
fn work_is_dropped_as_soon_as_it_is_done_and_a_result_when_it_is_taken() {
    let pool = one_thread();
    let (work, result) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (in_work, in_result) = (Plate(work.clone()), Plate(result.clone()));
    let job = pool.spawn_blocking(move || {
        let _in_work = in_work;
        in_result
    });
    let in_result = answer("the job is done", job).unwrap();
    assert_eq!(
        (work.load(Ordering::SeqCst), result.load(Ordering::SeqCst)),
        (1, 0)
    );
    drop(in_result);
    assert_eq!(result.load(Ordering::SeqCst), 1);
}

#[test]
fn cancel_says_whether_the_work_was_removed_runs_or_is_done() {
    let pool = one_thread();
    let door = Door::default();
    let running = occupy(&pool, &door);
    assert!(matches!(
        pool.spawn_blocking(|| ()).cancel(),
        Cancel::Removed
    ));
    let Cancel::Running(running) = running.cancel() else {
        panic!("it is being done, and cannot be stopped")
    };
    door.open();
    answer("it is done", running).unwrap();
    let done = pool.spawn_blocking(|| 5);
    until("it is done", || pool.metrics().done == 2);
    assert!(matches!(done.cancel(), Cancel::Done(Ok(5))));
    let panicked: Job<()> = pool.spawn_blocking(|| panic!("the soufflé fell"));
    until("it panics", || pool.metrics().panicked == 1);
    assert!(matches!(
        panicked.cancel(),
        Cancel::Done(Err(JobError::Panicked(_)))
    ));
}

#[test]
fn a_job_without_a_place_can_be_cancelled() {
    let pool = Pool::builder().max_threads(1).queue(0).build();
    let door = Door::default();
    let _job = occupy(&pool, &door);
    assert!(matches!(
        pool.spawn_blocking(|| ()).cancel(),
        Cancel::Removed
    ));
    door.open();
}

#[test]
fn cancel_never_says_removed_of_work_that_is_done_nor_running_of_work_that_is_not() {
    let pool = Pool::builder().max_threads(2).build();
    let (mut removed, mut begun_of_removed) = (0, 0);
    for round in 0..5_000_u32 {
        let begun = Arc::new(AtomicBool::new(false));
        let says = begun.clone();
        let job = pool.spawn_blocking(move || says.store(true, Ordering::SeqCst));
        for _ in 0..round % 300 {
            std::hint::spin_loop();
        }
        match job.cancel() {
            Cancel::Removed => {
                removed += 1;
                begun_of_removed += u32::from(begun.load(Ordering::SeqCst));
            }
            Cancel::Running(job) => answer("it is done", job).unwrap(),
            Cancel::Done(answer) => answer.unwrap(),
        }
    }
    pool.shut_down();
    assert_eq!(begun_of_removed, 0);
    let metrics = pool.metrics();
    assert_eq!((metrics.removed, metrics.done), (removed, 5_000 - removed));
}

#[test]
fn a_deadline_is_told_when_it_passes_though_every_thread_is_stuck() {
    let pool = one_thread();
    let door = Door::default();
    let stuck = occupy(&pool, &door);
    let late = pool.job().deadline(Duration::from_millis(2)).spawn(|| ());
    let error = answer("the deadline is told", late).unwrap_err();
    assert!(matches!(error, JobError::DeadlinePassed));
    assert_eq!((pool.metrics().too_late, pool.metrics().queued), (1, 0));
    door.open();
    answer("the first is done", stuck).unwrap();
}

#[test]
fn deadlines_are_told_in_their_own_order_and_only_to_those_whose_they_are() {
    let pool = one_thread();
    let door = Door::default();
    let stuck = occupy(&pool, &door);
    let patient = pool
        .job()
        .deadline(Duration::from_secs(3600))
        .spawn(|| "patient");
    let hungry = pool
        .job()
        .deadline(Duration::from_millis(1))
        .spawn(|| "hungry");
    let no_deadline = pool.spawn_blocking(|| "whenever");
    assert!(answer("the deadline is told", hungry).is_err());
    door.open();
    assert_eq!(answer("it is done", patient).unwrap(), "patient");
    assert_eq!(answer("it is done", no_deadline).unwrap(), "whenever");
    answer("the first is done", stuck).unwrap();
    pool.shut_down(); // It does not wait an hour for a deadline that means nothing any more.
}

#[test]
fn a_deadline_that_has_passed_already_is_not_begun_even_if_a_thread_is_free() {
    let pool = one_thread();
    for _ in 0..100 {
        let late = pool.job().deadline(Duration::ZERO).spawn(|| ());
        assert!(matches!(
            answer("an answer", late),
            Err(JobError::DeadlinePassed)
        ));
    }
    assert_eq!((pool.metrics().done, pool.metrics().too_late), (0, 100));
}

#[test]
fn a_job_that_was_begun_in_time_may_take_longer_than_its_deadline() {
    let pool = one_thread();
    let door = Door::default();
    let passes = door.clone();
    let job = pool
        .job()
        .deadline(Duration::from_secs(60))
        .spawn(move || passes.pass());
    until("it is begun", || pool.metrics().running == 1);
    door.open();
    answer("it is done", job).unwrap();
}

#[test]
fn only_the_newest_waker_is_woken_and_that_once() {
    let pool = one_thread();
    let door = Door::default();
    let mut job = occupy(&pool, &door);
    let bells = [(); 3].map(|()| Arc::new(Bell::default()));
    for bell in &bells {
        let waker = Waker::from(bell.clone());
        assert!(
            Pin::new(&mut job)
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        drop(waker);
    }
    assert_eq!(
        Arc::strong_count(&bells[0]),
        1,
        "a waker that was replaced is dropped"
    );
    door.open();
    until("the newest is woken", || bells[2].rings() == 1);
    assert_eq!((bells[0].rings(), bells[1].rings()), (0, 0));
    let waker = Waker::noop();
    assert!(
        Pin::new(&mut job)
            .poll(&mut Context::from_waker(waker))
            .is_ready()
    );
}

#[test]
fn a_waker_that_panics_harms_nobody() {
    struct Bad;
    impl Wake for Bad {
        fn wake(self: Arc<Self>) {
            panic!("a waker that panics");
        }
    }
    let pool = one_thread();
    let door = Door::default();
    let mut job = occupy(&pool, &door);
    let waker = Waker::from(Arc::new(Bad));
    assert!(
        Pin::new(&mut job)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    door.open();
    answer("the thread goes on", pool.spawn_blocking(|| ())).unwrap();
    answer("the answer is there", job).unwrap();
}

#[test]
fn a_result_that_nobody_wants_and_that_panics_when_it_is_dropped_harms_nobody() {
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("a drop that panics");
        }
    }
    let pool = one_thread();
    let door = Door::default();
    let passes = door.clone();
    let job = pool.spawn_blocking(move || {
        passes.pass();
        Bad
    });
    until("it is begun", || pool.metrics().running == 1);
    drop(job);
    door.open();
    answer("the thread goes on", pool.spawn_blocking(|| ())).unwrap();
    pool.shut_down();
    assert_eq!(pool.metrics().done, 2);
}

#[test]
fn a_result_that_takes_long_to_drop_keeps_no_other_job_waiting() {
    struct Slow(Door);
    impl Drop for Slow {
        fn drop(&mut self) {
            self.0.pass();
        }
    }
    let pool = Pool::builder().max_threads(2).build();
    let door = Door::default();
    let slow = Slow(door.clone());
    let begin = Door::default();
    let passes = begin.clone();
    let job = pool.spawn_blocking(move || {
        passes.pass();
        slow
    });
    until("it is begun", || pool.metrics().running == 1);
    drop(job);
    begin.open();
    until("it is done, and being dropped", || pool.metrics().done == 1);
    answer("another thread does this", pool.spawn_blocking(|| ())).unwrap();
    door.open();
}

#[test]
#[should_panic = "this job has given its answer already"]
fn a_job_that_is_polled_after_its_answer_says_so() {
    let mut job = one_thread().spawn_blocking(|| ());
    let cx = &mut Context::from_waker(Waker::noop());
    let end = Instant::now() + Duration::from_secs(60);
    while Pin::new(&mut job).poll(cx).is_pending() {
        assert!(Instant::now() < end);
        thread::yield_now();
    }
    let _ = Pin::new(&mut job).poll(cx);
}

#[test]
fn jobs_can_be_sent_and_moved() {
    fn can<T: Send + Unpin>() {}
    can::<Job<std::cell::Cell<u8>>>();
    fn error<T: std::error::Error + Send + Sync + 'static>() {}
    error::<JobError>();
}
