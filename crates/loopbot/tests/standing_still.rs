//! What LoopBot says when nothing can happen any more, on the real clock and on a virtual one.

mod common;

use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use common::{own_waker, virtual_robot, with_an_end};
use loopbot::sync::Mutex;
use loopbot::{LoopBot, sleep, spawn_named};

/// Main holds a lock, and awaits a task that wants it.
async fn deadlock() {
    let plate = Rc::new(Mutex::new(()));
    let _held = plate.lock().await;
    let guest = spawn_named("guest", {
        let plate = plate.clone();
        async move { drop(plate.lock().await) }
    });
    guest.await.unwrap();
}

#[test]
fn tasks_that_wait_for_each_other_are_an_error_at_once_on_the_real_clock_too() {
    with_an_end(|| {
        let stand_still = LoopBot::builder().build().try_run(deadlock()).unwrap_err();
        assert_eq!(stand_still.waiting(), ["main", "guest"]);
    });
}

#[test]
fn it_says_who_waits_for_what_and_where_and_since_when() {
    let stand_still = virtual_robot()
        .try_run(async {
            sleep(Duration::from_secs(3)).await;
            deadlock().await
        })
        .unwrap_err();
    let [main, guest] = stand_still.tasks() else {
        panic!("two wait: {stand_still}")
    };
    assert_eq!((main.name(), guest.name()), ("main", "guest"));
    assert_eq!(main.waits()[0].what(), "the end of guest");
    let wait = &guest.waits()[0];
    assert!(wait.what().contains("Mutex"), "{}", wait.what());
    assert_eq!(wait.since(), Duration::from_secs(3));
    assert!(wait.at().unwrap().file().ends_with("standing_still.rs"));
    let words = stand_still.to_string();
    assert!(
        words.contains("standing_still.rs:") && words.contains("since 3s"),
        "{words}"
    );
}

#[test]
fn who_waits_for_the_same_thing_in_many_polls_waits_since_the_first() {
    let stand_still = virtual_robot()
        .try_run(async {
            let polled_again = spawn_named("restless", async {
                let waker = own_waker().await;
                drop(spawn_named("wakes it", async move {
                    for _ in 0..5 {
                        sleep(Duration::from_secs(1)).await;
                        waker.wake_by_ref();
                    }
                }));
                deadlock().await;
            });
            polled_again.await.unwrap();
        })
        .unwrap_err();
    let restless = stand_still
        .tasks()
        .iter()
        .find(|task| task.name() == "restless");
    assert_eq!(restless.unwrap().waits()[0].since(), Duration::ZERO);
}

#[test]
fn a_waker_in_other_hands_is_hope() {
    with_an_end(|| {
        // The same deadlock, but another thread has a waker: so LoopBot waits, and rightly.
        let (hand_over, hands) = mpsc::channel::<Waker>();
        let rung = Arc::new(AtomicBool::new(false));
        let guest = thread::spawn({
            let rung = rung.clone();
            move || {
                let waker = hands.recv().unwrap();
                thread::yield_now();
                rung.store(true, Ordering::Release);
                waker.wake();
            }
        });
        LoopBot::builder().build().run(async move {
            hand_over.send(own_waker().await).unwrap();
            let mut deadlock = Box::pin(deadlock());
            poll_fn(|cx| {
                if rung.load(Ordering::Acquire) {
                    return Poll::Ready(());
                }
                deadlock.as_mut().poll(cx)
            })
            .await;
        });
        guest.join().unwrap();
    });
}

#[test]
fn patience_runs_out_on_the_real_clock() {
    with_an_end(|| {
        let robot = LoopBot::builder()
            .patience(Duration::from_millis(20))
            .build();
        let stand_still = robot
            .try_run(async {
                sleep(Duration::from_millis(40)).await; // time that is waited for does not count
                let _guest = spawn_named("guest", pending::<()>());
                let _waker = own_waker().await;
                pending::<()>().await
            })
            .unwrap_err();
        assert_eq!(stand_still.waiting(), ["main", "guest"]);
    });
}

#[test]
fn a_loop_with_a_timer_does_not_stand_still() {
    with_an_end(|| {
        let robot = LoopBot::builder()
            .patience(Duration::from_millis(1))
            .build();
        robot.run(async {
            let deadlocked = spawn_named("deadlocked", deadlock());
            sleep(Duration::from_millis(20)).await;
            assert!(!deadlocked.is_finished());
        });
    });
}
