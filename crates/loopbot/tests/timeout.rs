//! What a time limit promises.

mod common;

use std::future::{Future, pending, poll_fn, ready};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use common::{Notes, SaysGoodbye, recorded_robot, virtual_robot};
use flight::{Event, VirtualTime};
use loopbot::{Clock, LoopBot, now, sleep, sleep_until, timeout, timeout_at, yield_now};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn whoever_is_ready_in_time_gets_through() {
    virtual_robot().run(async {
        let dish = async {
            sleep(MINUTE).await;
            "risotto"
        };
        assert_eq!(timeout(MINUTE * 2, dish).await, Ok("risotto"));
        assert_eq!(now(), MINUTE);
    });
}

#[test]
fn whoever_is_not_is_cancelled_exactly_at_the_limit() {
    virtual_robot().run(async {
        let notes = Notes::new();
        let guard = SaysGoodbye("cancelled", notes.clone());
        let limit = timeout(MINUTE, async move {
            let _guard = guard;
            pending::<()>().await;
        });
        assert!(limit.await.is_err());
        assert_eq!(now(), MINUTE);
        assert_eq!(notes.all(), ["cancelled"]);
    });
}

#[test]
fn the_limit_counts_from_the_call() {
    virtual_robot().run(async {
        let limit = timeout(MINUTE * 3, pending::<()>());
        sleep(MINUTE * 2).await;
        assert!(limit.await.is_err());
        assert_eq!(now(), MINUTE * 3);
    });
}

#[test]
fn if_both_come_at_once_the_output_counts() {
    virtual_robot().run(async {
        assert!(timeout(MINUTE, sleep(MINUTE)).await.is_ok());
        assert_eq!(now(), MINUTE);
        assert!(timeout(Duration::ZERO, ready(1)).await.is_ok());
        assert!(timeout_at(Duration::ZERO, ready(1)).await.is_ok());
        // A limit of zero means: now or never.
        assert!(timeout(Duration::ZERO, yield_now()).await.is_err());
        assert!(timeout_at(Duration::ZERO, pending::<()>()).await.is_err());
        assert_eq!(now(), MINUTE);
    });
}

#[test]
fn a_future_lent_to_a_timeout_can_go_on_afterwards() {
    virtual_robot().run(async {
        let mut roast = pin!(sleep(MINUTE * 5));
        assert!(timeout(MINUTE, &mut roast).await.is_err());
        assert!(timeout(MINUTE, roast.as_mut()).await.is_err());
        assert_eq!(now(), MINUTE * 2);
        roast.await;
        assert_eq!(now(), MINUTE * 5);
    });
}

#[test]
fn of_several_limits_the_first_one_ends_it() {
    virtual_robot().run(async {
        let inner = timeout(MINUTE * 2, timeout(MINUTE * 3, pending::<()>()));
        assert!(timeout(MINUTE, inner).await.is_err());
        assert_eq!(now(), MINUTE);
        let outer = timeout(MINUTE * 3, timeout(MINUTE, pending::<()>()));
        assert!(outer.await.unwrap().is_err());
        assert_eq!(now(), MINUTE * 2);
        let deadline = now() + MINUTE;
        for _ in 0..3 {
            // One deadline for several steps.
            assert!(timeout_at(deadline, pending::<()>()).await.is_err());
        }
        assert_eq!(now(), MINUTE * 3);
    });
}

#[test]
fn a_limit_that_was_not_needed_leaves_no_timer_behind() {
    let (robot, recorder, time) = recorded_robot();
    robot.run(async {
        for _ in 0..100 {
            timeout(MINUTE * 60, sleep(Duration::from_secs(1)))
                .await
                .unwrap();
        }
    });
    assert_eq!(time.now(), 100_000_000_000);
    let recording = recorder.recording();
    let fired = |event: &&flight::Entry| matches!(event.event, Event::TimerFire { .. });
    assert_eq!(recording.events.iter().filter(fired).count(), 100);
}

#[test]
fn dropped_at_any_poll_it_drops_what_it_holds_and_nothing_more_happens() {
    // A future of five steps, given up after each of them.
    for polls in 0..5 {
        let (robot, _, time) = recorded_robot();
        let notes = Notes::new();
        let guard = SaysGoodbye("gone", notes.clone());
        let stand_still = robot.try_run(async move {
            let mut limit = Box::pin(timeout(MINUTE, async move {
                let _guard = guard;
                for _ in 0..4 {
                    yield_now().await;
                }
            }));
            for _ in 0..polls {
                poll_fn(|cx| {
                    assert!(limit.as_mut().poll(cx).is_pending());
                    Poll::Ready(())
                })
                .await;
            }
            drop(limit);
            pending::<()>().await;
        });
        assert!(stand_still.is_err());
        assert_eq!(notes.all(), ["gone"]);
        assert_eq!(time.now(), 0, "a timer was left behind");
    }
}

#[test]
fn a_timeout_is_no_bigger_than_its_parts() {
    let plate = async {
        let plate = [0_u8; 1000];
        yield_now().await;
        assert_eq!(plate[999], 0);
    };
    let inside = size_of_val(&plate);
    virtual_robot().run(async {
        let twice = timeout(MINUTE, timeout(MINUTE, plate));
        assert!(size_of_val(&twice) <= inside + 2 * 32 + 16);
    });
}

#[test]
fn a_future_that_uses_up_its_budget_in_every_turn_cannot_keep_its_limit_from_being_heard() {
    let time = VirtualTime::new();
    let robot = LoopBot::builder()
        .clock(Clock::virtual_time(time.clone()))
        .build();
    let turns = robot.run(async {
        let mut turns = 0;
        let chatty = async {
            for turn in 0..1_000_000 {
                turns = turn;
                time.advance(Duration::from_secs(1));
                sleep_until(Duration::ZERO).await; // ready at once, as long as the budget lasts
            }
        };
        assert!(timeout(MINUTE * 10, chatty).await.is_err());
        turns
    });
    // Not before the limit, and not more than a few budgets of 128 after it.
    assert!((599..599 + 5 * 128).contains(&turns), "{turns}");
}

#[test]
fn who_waits_with_a_limit_waits_for_both() {
    let stand_still = virtual_robot().try_run(async {
        let oven = loopbot::wait_point("the oven", pending::<()>());
        timeout(Duration::MAX, oven).await
    });
    let stand_still = stand_still.unwrap_err();
    let waits: Vec<_> = stand_still.tasks()[0]
        .waits()
        .iter()
        .map(|wait| wait.what())
        .collect();
    assert_eq!(waits, ["the oven", "a timer"]);
}
