//! What an interval promises: a table of ticks, worked out by hand.

mod common;

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use common::{own_waker, virtual_robot};
use loopbot::{Interval, MissedTick, interval, interval_at, now, sleep, timeout};

/// Milliseconds.
const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Awaits one tick after another, and works as long after each as `work` says. Returns for each when it
/// was due and when it came, in milliseconds.
async fn ticks(mut interval: Interval, work: &[u64]) -> Vec<(u64, u64)> {
    let mut ticks = Vec::new();
    for &work in work {
        let due = interval.tick().await;
        ticks.push((due.as_millis() as u64, now().as_millis() as u64));
        sleep(ms(work)).await;
    }
    ticks
}

/// The policy, how long the work after each tick takes, and for each tick when it was due and when it came.
type Row = (MissedTick, &'static [u64], &'static [(u64, u64)]);

/// One row for each policy and way of being late; the period is 100.
#[test]
fn the_table_of_ticks() {
    use MissedTick::{Burst, Delay, Skip};
    #[rustfmt::skip]
    let table: &[Row] = &[
        // Never late: all the same.
        (Burst, &[30, 99, 0, 0], &[(0, 0), (100, 100), (200, 200), (300, 300)]),
        (Delay, &[30, 99, 0, 0], &[(0, 0), (100, 100), (200, 200), (300, 300)]),
        (Skip,  &[30, 99, 0, 0], &[(0, 0), (100, 100), (200, 200), (300, 300)]),
        // As long as the period, to the nanosecond: not late.
        (Burst, &[100, 100, 0], &[(0, 0), (100, 100), (200, 200)]),
        (Delay, &[100, 100, 0], &[(0, 0), (100, 100), (200, 200)]),
        (Skip,  &[100, 100, 0], &[(0, 0), (100, 100), (200, 200)]),
        // Late by 150: the tick of 100 comes at 250.
        (Burst, &[250, 0, 0, 0, 0], &[(0, 0), (100, 250), (200, 250), (300, 300), (400, 400)]),
        (Delay, &[250, 0, 0, 0, 0], &[(0, 0), (100, 250), (350, 350), (450, 450), (550, 550)]),
        (Skip,  &[250, 0, 0, 0, 0], &[(0, 0), (100, 250), (300, 300), (400, 400), (500, 500)]),
        // Late by a whole number of periods: `Skip` leaves out the tick of this very moment.
        (Burst, &[300, 0, 0, 0, 0], &[(0, 0), (100, 300), (200, 300), (300, 300), (400, 400)]),
        (Delay, &[300, 0, 0, 0, 0], &[(0, 0), (100, 300), (400, 400), (500, 500), (600, 600)]),
        (Skip,  &[300, 0, 0, 0, 0], &[(0, 0), (100, 300), (400, 400), (500, 500), (600, 600)]),
        // Late twice.
        (Burst, &[120, 180, 0, 0], &[(0, 0), (100, 120), (200, 300), (300, 300)]),
        (Delay, &[120, 180, 0, 0], &[(0, 0), (100, 120), (220, 300), (400, 400)]),
        (Skip,  &[120, 180, 0, 0], &[(0, 0), (100, 120), (200, 300), (400, 400)]),
        // Late by no more than five: nothing was missed, and the grid stays.
        (Burst, &[105, 0, 0], &[(0, 0), (100, 105), (200, 200)]),
        (Delay, &[105, 0, 0], &[(0, 0), (100, 105), (200, 200)]),
        (Skip,  &[105, 0, 0], &[(0, 0), (100, 105), (200, 200)]),
        // Late by six.
        (Burst, &[106, 0, 0], &[(0, 0), (100, 106), (200, 200)]),
        (Delay, &[106, 0, 0], &[(0, 0), (100, 106), (206, 206)]),
        (Skip,  &[106, 0, 0], &[(0, 0), (100, 106), (200, 200)]),
    ];
    for &(policy, work, expected) in table {
        let got = virtual_robot().run(async {
            let interval = interval(ms(100)).missed_tick(policy);
            ticks(interval, work).await
        });
        assert_eq!(got, expected, "{policy:?} with work {work:?}");
    }
}

#[test]
fn the_table_in_the_documentation_of_missed_tick() {
    let table = [
        (MissedTick::Burst, [35, 35, 35, 40, 50]),
        (MissedTick::Delay, [35, 45, 55, 65, 75]),
        (MissedTick::Skip, [35, 40, 50, 60, 70]),
    ];
    for (policy, expected) in table {
        virtual_robot().run(async {
            let mut interval = interval(Duration::from_secs(10)).missed_tick(policy);
            interval.tick().await;
            sleep(Duration::from_secs(35)).await;
            for expected in expected {
                interval.tick().await;
                assert_eq!(now().as_secs(), expected, "{policy:?}");
            }
        });
    }
}

#[test]
fn a_period_shorter_than_what_counts_as_late_catches_up_in_bursts() {
    // As in Tokio: a delay of four milliseconds is not a missed tick, even if ticks are one apart.
    let got = virtual_robot().run(async {
        let interval = interval(ms(1)).missed_tick(MissedTick::Skip);
        ticks(interval, &[5, 0, 0, 0, 0, 0, 0]).await
    });
    assert_eq!(
        got,
        [(0, 0), (1, 5), (2, 5), (3, 5), (4, 5), (5, 5), (6, 6)]
    );
}

#[test]
fn the_first_tick_comes_at_once_or_when_it_was_asked_for() {
    virtual_robot().run(async {
        sleep(ms(250)).await;
        let at_once = ticks(interval(ms(100)), &[0, 0]).await;
        assert_eq!(at_once, [(250, 250), (350, 350)]);
        let later = ticks(interval_at(ms(1000), ms(100)), &[0, 0]).await;
        assert_eq!(later, [(1000, 1000), (1100, 1100)]);
        let in_the_past = ticks(interval_at(ms(900), ms(100)), &[0, 0, 0, 0]).await;
        assert_eq!(
            in_the_past,
            [(900, 1100), (1000, 1100), (1100, 1100), (1200, 1200)]
        );
    });
}

#[test]
fn a_tick_that_is_dropped_half_way_is_not_lost() {
    virtual_robot().run(async {
        let mut interval = interval(ms(100));
        interval.tick().await;
        for _ in 0..3 {
            assert!(timeout(ms(20), interval.tick()).await.is_err());
        }
        assert_eq!(now(), ms(60));
        assert_eq!(interval.tick().await, ms(100));
        assert_eq!(now(), ms(100));

        // Dropped at the very moment at which it is due, before anybody has seen that it is.
        let waker = own_waker().await;
        {
            let mut tick = pin!(interval.tick());
            let mut cx = std::task::Context::from_waker(&waker);
            assert!(tick.as_mut().poll(&mut cx).is_pending());
            sleep(ms(100)).await;
        }
        assert_eq!(interval.tick().await, ms(200));
        assert_eq!(interval.tick().await, ms(300));
    });
}

#[test]
fn reset_counts_from_now() {
    virtual_robot().run(async {
        let mut interval = interval(ms(100));
        interval.tick().await;
        sleep(ms(30)).await;
        interval.reset();
        assert_eq!(interval.tick().await, ms(130));
        assert_eq!(interval.tick().await, ms(230));
        assert_eq!(interval.period(), ms(100));
    });
}

#[test]
fn a_period_of_zero_is_refused_with_a_sentence() {
    let error = virtual_robot().run(async {
        loopbot::spawn(async { drop(interval(Duration::ZERO)) })
            .await
            .unwrap_err()
    });
    assert_eq!(
        error.panic_message(),
        Some(
            "an interval with a period of zero would never stop ticking: give it a period, or use `loopbot::yield_now`"
        )
    );
}

#[test]
fn a_period_longer_than_the_clock_can_count_ticks_once() {
    for policy in [MissedTick::Burst, MissedTick::Delay, MissedTick::Skip] {
        let stand_still = virtual_robot().try_run(async {
            sleep(ms(7)).await;
            let mut interval = interval_at(Duration::ZERO, Duration::MAX).missed_tick(policy);
            assert_eq!(interval.tick().await, Duration::ZERO);
            interval.tick().await
        });
        assert!(stand_still.is_err());
    }
}
