//! What LoopBot promises about time. All of it on the virtual clock: nothing here waits.

mod common;

use std::cell::RefCell;
use std::future::{Future, pending};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use common::{Notes, own_waker, recorded_robot, virtual_robot, with_an_end};
use flight::{Event, VirtualTime};
use loopbot::{Clock, LoopBot, now, sleep, sleep_until, spawn, yield_now};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn timers_fire_in_the_order_of_their_deadlines_and_equal_ones_as_they_were_set() {
    virtual_robot().run(async {
        let order = Notes::new();
        let dishes = [
            ("roast", 40),
            ("soup", 10),
            ("fish", 25),
            ("bread", 10),
            ("wine", 10),
            ("pie", 25),
        ];
        let tasks = dishes.map(|(name, minutes)| {
            let order = order.clone();
            spawn(async move {
                sleep(MINUTE * minutes).await;
                order.add(format!("{name} at {}", now().as_secs() / 60));
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(
            order.all(),
            [
                "soup at 10",
                "bread at 10",
                "wine at 10",
                "fish at 25",
                "pie at 25",
                "roast at 40"
            ]
        );
    });
}

#[test]
fn a_virtual_evening_takes_no_real_time() {
    // If it did, this test would take a hundred years.
    let closing = virtual_robot().run(async {
        let guests: Vec<_> = (0..100)
            .map(|year| spawn(sleep(MINUTE * 525_600 * (year + 1))))
            .collect();
        for guest in guests {
            guest.await.unwrap();
        }
        now()
    });
    assert_eq!(closing, MINUTE * 525_600 * 100);
}

#[test]
fn a_sleep_is_over_exactly_at_its_deadline_on_a_virtual_clock() {
    virtual_robot().run(async {
        sleep(Duration::from_nanos(1)).await;
        assert_eq!(now(), Duration::from_nanos(1));
        sleep_until(MINUTE).await;
        assert_eq!(now(), MINUTE);
        sleep_until(MINUTE / 2).await; // past: over at once
        sleep(Duration::ZERO).await;
        assert_eq!(now(), MINUTE);
    });
}

#[test]
fn a_sleep_counts_from_the_call_and_not_from_the_first_poll() {
    virtual_robot().run(async {
        let egg = sleep(MINUTE * 4);
        sleep(MINUTE * 3).await;
        egg.await;
        assert_eq!(now(), MINUTE * 4);
    });
}

#[test]
fn a_sleep_on_the_real_clock_never_ends_early() {
    with_an_end(|| {
        loopbot::run(async {
            for micros in [0, 1, 50, 200, 1000] {
                let sleep = sleep(Duration::from_micros(micros));
                let deadline = sleep.deadline();
                sleep.await;
                assert!(now() >= deadline);
            }
        })
    });
}

#[test]
fn a_dropped_sleep_takes_its_timer_with_it() {
    let time = VirtualTime::new();
    let robot = LoopBot::builder()
        .clock(Clock::virtual_time(time.clone()))
        .build();
    let stand_still = robot.try_run(async {
        {
            let mut timeout = pin!(sleep(MINUTE * 60));
            let waker = own_waker().await;
            let mut cx = Context::from_waker(&waker);
            assert!(timeout.as_mut().poll(&mut cx).is_pending());
        }
        sleep(MINUTE).await;
        pending::<()>().await; // if the timer were still set, LoopBot would wait for it
    });
    assert!(stand_still.is_err());
    assert_eq!(Duration::from_nanos(time.now()), MINUTE);
}

#[test]
fn the_waker_of_the_last_poll_counts() {
    let stand_still = virtual_robot().try_run(async {
        let mut sleep = pin!(sleep(MINUTE));
        let own = own_waker().await;
        assert!(
            sleep
                .as_mut()
                .poll(&mut Context::from_waker(&own))
                .is_pending()
        );
        assert!(
            sleep
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        pending::<()>().await;
    });
    assert_eq!(stand_still.unwrap_err().waiting(), ["main"]);

    virtual_robot().run(async {
        let mut sleep = pin!(sleep(MINUTE));
        assert!(
            sleep
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        sleep.await; // polled again, with this task's own waker
        assert_eq!(now(), MINUTE);
    });
}

#[test]
fn a_sleep_longer_than_the_clock_can_count_never_ends() {
    let time = VirtualTime::new();
    let robot = LoopBot::builder()
        .clock(Clock::virtual_time(time.clone()))
        .build();
    assert!(robot.try_run(sleep_for(Duration::MAX)).is_err());
    assert_eq!(time.now(), 0, "the clock must not jump to the end of time");
    time.advance(MINUTE); // and on a clock that has run for a while
    assert!(robot.try_run(sleep_for(Duration::MAX)).is_err());
    assert!(
        robot
            .try_run(sleep_for(Duration::from_secs(290 * 365 * 86_400)))
            .is_ok()
    );
}

async fn sleep_for(duration: Duration) {
    sleep(duration).await;
}

#[test]
fn a_timer_that_comes_due_while_loopbot_is_held_fires_late_and_the_record_says_how_late() {
    let (robot, recorder, time) = recorded_robot();
    robot.run(async {
        let souffle = spawn(sleep(Duration::from_millis(300)));
        yield_now().await;
        time.advance(Duration::from_millis(1100)); // a guest holds LoopBot by the arm
        souffle.await.unwrap();
    });
    let late = recorder
        .recording()
        .events
        .iter()
        .find_map(|entry| match entry.event {
            Event::TimerFire { late, .. } => Some(late),
            _ => None,
        });
    assert_eq!(late, Some(800_000_000));
}

#[test]
fn tasks_that_are_always_ready_cannot_keep_timers_from_firing() {
    let time = VirtualTime::new();
    let robot = LoopBot::builder()
        .clock(Clock::virtual_time(time.clone()))
        .build();
    robot.run(async {
        let due = Duration::from_millis(5);
        let bell = spawn(async move {
            sleep(due).await;
            now()
        });
        for _ in 0..3 {
            let time = time.clone();
            drop(spawn(async move {
                for _ in 0..1000 {
                    time.advance(Duration::from_millis(1));
                    yield_now().await;
                }
            }));
        }
        // One round of the three busy tasks may pass until the timer is looked at, one until its task is polled.
        let rang = bell.await.unwrap();
        assert!(
            rang <= due + Duration::from_millis(6),
            "the bell rang at {rang:?}"
        );
    });
}

#[test]
fn a_sleep_does_not_move_to_another_loop() {
    let sleep = Rc::new(std::cell::Cell::new(None));
    let made_here = sleep.clone();
    virtual_robot().run(async move { made_here.set(Some(loopbot::sleep(MINUTE))) });
    let sleep = sleep.take().unwrap();
    let error = virtual_robot().run(async { spawn(sleep).await.unwrap_err() });
    assert!(
        error
            .to_string()
            .contains("made on one LoopBot and polled on another"),
        "{error}"
    );
}

#[test]
fn a_timer_may_be_set_and_cancelled_in_the_drop_of_a_waker() {
    // The waker of a timer is anybody's. When it is dropped it may do anything, even use the timers.
    struct UsesTimers;
    impl std::task::Wake for UsesTimers {
        fn wake(self: std::sync::Arc<Self>) {}
    }
    impl Drop for UsesTimers {
        fn drop(&mut self) {
            drop(sleep(MINUTE));
            drop(spawn(async {}));
        }
    }
    fn waker() -> Waker {
        std::sync::Arc::new(UsesTimers).into()
    }
    virtual_robot().run(async {
        let mut dropped = Box::pin(sleep(MINUTE));
        let mut fired = Box::pin(sleep(MINUTE));
        for sleep in [&mut dropped, &mut fired] {
            assert_eq!(
                sleep.as_mut().poll(&mut Context::from_waker(&waker())),
                Poll::Pending
            );
            assert_eq!(
                sleep.as_mut().poll(&mut Context::from_waker(&waker())),
                Poll::Pending
            );
        }
        drop(dropped);
        sleep(MINUTE * 2).await;
        fired.await;
        assert_eq!(now(), MINUTE * 2);
    });
}

#[test]
fn a_timer_that_is_given_to_another_task_fires_for_that_one() {
    let (robot, recorder, _) = recorded_robot();
    robot.run(async {
        let mut nap = Box::pin(sleep(MINUTE));
        std::future::poll_fn(|cx| {
            assert!(nap.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        loopbot::spawn_named("the second", nap).await.unwrap();
    });
    let recording = recorder.recording();
    let fired = recording.events.iter().find_map(|entry| match entry.event {
        Event::TimerFire { task, .. } => Some(recording.task(task)),
        _ => None,
    });
    assert_eq!(fired, Some("the second"));
}

/// Polls once, with a waker of one's own.
fn poll_with(sleep: &mut std::pin::Pin<Box<loopbot::Sleep>>, waker: Waker) {
    let polled = sleep.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
}

/// A waker that does something when it is called. What it does it must do on the loop's thread.
struct Does(Box<dyn Fn() + Send + Sync>);

impl Wake for Does {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

fn does(what: impl Fn() + Send + Sync + 'static) -> Waker {
    Arc::new(Does(Box::new(what))).into()
}

#[test]
fn a_waker_that_panics_does_not_keep_other_timers_from_firing() {
    virtual_robot().run(async {
        let mut rude = Box::pin(sleep(MINUTE));
        poll_with(&mut rude, does(|| panic!("the bell fell off")));
        let polite = spawn(sleep(MINUTE));
        sleep(MINUTE).await;
        polite.await.unwrap();
        rude.await; // it was rung, if not heard
        assert_eq!(now(), MINUTE);
    });
}

#[test]
fn a_waker_may_set_timers_while_timers_fire() {
    thread_local!(static NEW: RefCell<Vec<std::pin::Pin<Box<loopbot::Sleep>>>> = const { RefCell::new(Vec::new()) });
    virtual_robot().run(async {
        let own = own_waker().await;
        let mut first = Box::pin(sleep(MINUTE));
        let sets_more = move || {
            for minutes in [3, 2] {
                let mut new = Box::pin(sleep_until(MINUTE * minutes));
                poll_with(&mut new, own.clone());
                NEW.with_borrow_mut(|all| all.push(new));
            }
            let mut past = Box::pin(sleep_until(MINUTE));
            let polled = past.as_mut().poll(&mut Context::from_waker(&own));
            assert!(polled.is_ready());
            own.wake_by_ref();
        };
        poll_with(&mut first, does(sets_more));
        let second = sleep(MINUTE); // fires in the same go, after the first
        std::future::poll_fn(|_| match NEW.with_borrow(Vec::len) {
            2 => Poll::Ready(()),
            _ => Poll::Pending,
        })
        .await;
        second.await;
        assert_eq!(now(), MINUTE);
        let [three, two] = NEW.take().try_into().unwrap();
        two.await;
        assert_eq!(now(), MINUTE * 2);
        three.await;
        assert_eq!(now(), MINUTE * 3);
    });
}

#[test]
fn a_waker_may_cancel_the_timer_that_is_next() {
    thread_local!(static VICTIM: RefCell<Option<std::pin::Pin<Box<loopbot::Sleep>>>> = const { RefCell::new(None) });
    virtual_robot().run(async {
        let mut first = Box::pin(sleep(MINUTE));
        let mut second = Box::pin(sleep(MINUTE));
        poll_with(&mut first, does(|| drop(VICTIM.take())));
        poll_with(&mut second, does(|| unreachable!("it was cancelled")));
        VICTIM.set(Some(second));
        sleep(MINUTE).await;
        first.await;
        assert!(VICTIM.take().is_none());
    });
}

#[test]
fn a_sleep_that_is_dropped_anywhere_else_does_nothing() {
    let keep = Rc::new(RefCell::new(Vec::new()));
    let kept = keep.clone();
    virtual_robot().run(async move {
        for _ in 0..3 {
            let mut nap = Box::pin(sleep(MINUTE));
            poll_with(&mut nap, own_waker().await);
            kept.borrow_mut().push(nap);
        }
    });
    let elsewhere = keep.borrow_mut().pop().unwrap();
    std::thread::spawn(move || drop(elsewhere)).join().unwrap();
    let on_another_loop = keep.borrow_mut().pop().unwrap();
    virtual_robot().run(async move {
        let mut nap = Box::pin(sleep(MINUTE));
        poll_with(&mut nap, own_waker().await); // this has the same number and the same place
        drop(on_another_loop);
        nap.await;
        assert_eq!(now(), MINUTE);
    });
    drop(keep); // and the last one where no loop runs
}

#[test]
fn a_sleep_may_be_given_another_deadline() {
    virtual_robot().run(async {
        // While nobody waits for it, while somebody does, to earlier, to later, to the past.
        let mut nap = sleep(MINUTE * 10);
        nap.reset(MINUTE);
        assert_eq!(nap.deadline(), MINUTE);
        nap.await;
        assert_eq!(now(), MINUTE);
        for (deadline, over_at) in [(2, 2), (6, 6), (3, 6)] {
            let mut nap = pin!(sleep_until(MINUTE * 5));
            let was_reset = std::cell::Cell::new(false);
            std::future::poll_fn(|cx| {
                if was_reset.replace(true) {
                    return nap.as_mut().poll(cx); // woken by the new timer, or else not at all
                }
                let pending = nap.as_mut().poll(cx).is_pending();
                nap.reset(MINUTE * deadline);
                if pending {
                    Poll::Pending
                } else {
                    Poll::Ready(())
                }
            })
            .await;
            if deadline == 3 {
                break; // this one was over before it was reset
            }
            assert_eq!(now(), MINUTE * over_at);
        }
    });
}

#[test]
fn an_exact_clock_is_never_early_either() {
    with_an_end(|| {
        let robot = LoopBot::builder().clock(Clock::real().exact()).build();
        robot.run(async {
            for micros in [0, 1, 50, 200, 1000] {
                let deadline = now() + Duration::from_micros(micros);
                sleep_until(deadline).await;
                assert!(now() >= deadline);
            }
        });
    });
}

#[test]
fn of_many_sleeps_on_the_real_clock_none_ends_early() {
    with_an_end(|| {
        loopbot::run(async {
            let start = now();
            let tasks: Vec<_> = (0..2000_u64)
                .map(|i| {
                    let deadline = start + Duration::from_micros(i * 7919 % 20_011);
                    spawn(async move {
                        sleep_until(deadline).await;
                        assert!(now() >= deadline);
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
    });
}
