//! LoopBot's futures go together with the combinators that everybody uses: those of `futures`.

mod common;

use std::cell::Cell;
use std::future::pending;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use common::{CountsPolls, Notes, SaysGoodbye, recorded_robot, virtual_robot};
use flight::Event;
use futures::future::{Either, FutureExt, join_all, select, select_all, try_join_all};
use futures::stream::{self, FuturesUnordered, StreamExt};
use loopbot::{interval, now, sleep, spawn, timeout, yield_now};

const MINUTE: Duration = Duration::from_secs(60);

/// A dish that takes some minutes.
async fn cook(minutes: u32) -> u32 {
    sleep(MINUTE * minutes).await;
    minutes
}

#[test]
fn join_all_takes_as_long_as_the_longest_and_keeps_the_order() {
    virtual_robot().run(async {
        assert_eq!(join_all([3, 1, 2].map(cook)).await, [3, 1, 2]);
        assert_eq!(now(), MINUTE * 3);
        // Of handles as well as of futures: these are tasks of their own.
        let tasks = join_all([3, 1, 2].map(|minutes| spawn(cook(minutes)))).await;
        let dishes: Vec<_> = tasks.into_iter().map(Result::unwrap).collect();
        assert_eq!(dishes, [3, 1, 2]);
        assert_eq!(now(), MINUTE * 6);
        // So many that `join_all` keeps them in a `FuturesUnordered`, with a waker for each.
        let many = join_all((1..=100).rev().map(cook)).await;
        assert_eq!(many.len(), 100);
        assert_eq!(now(), MINUTE * 106);
    });
}

#[test]
fn try_join_all_ends_at_the_first_error_and_cancels_the_others() {
    virtual_robot().run(async {
        let notes = Notes::new();
        let dishes = [3, 1, 2].map(|minutes| {
            let goodbye = SaysGoodbye("gone", notes.clone());
            async move {
                let _goodbye = goodbye;
                match cook(minutes).await {
                    1 => Err("burnt"),
                    minutes => Ok(minutes),
                }
            }
        });
        assert_eq!(try_join_all(dishes).await, Err("burnt"));
        assert_eq!(now(), MINUTE);
        assert_eq!(notes.all().len(), 3);
    });
}

#[test]
fn select_gives_the_first_and_dropping_the_loser_cancels_its_timer() {
    let (robot, recorder, time) = recorded_robot();
    robot.run(async {
        let slow = pin!(cook(60));
        let quick = pin!(cook(1));
        match select(slow, quick).await {
            Either::Right((minutes, _slow)) => assert_eq!(minutes, 1),
            Either::Left(_) => panic!("the slow one was first"),
        }
    });
    assert_eq!(time.now(), 60_000_000_000);
    let recording = recorder.recording();
    let fired = recording
        .events
        .iter()
        .filter(|entry| matches!(entry.event, Event::TimerFire { .. }));
    assert_eq!(fired.count(), 1);
}

#[test]
fn what_select_leaves_over_can_go_on() {
    virtual_robot().run(async {
        let mut left: Vec<_> = [3, 1, 2].map(|minutes| Box::pin(cook(minutes))).into();
        let mut done = Vec::new();
        while !left.is_empty() {
            let (minutes, _, rest) = select_all(left).await;
            done.push((minutes, now() / 60));
            left = rest;
        }
        let second = Duration::from_secs(1);
        assert_eq!(done, [(1, second), (2, second * 2), (3, second * 3)]);
    });
}

#[test]
fn the_select_macro_in_a_loop() {
    virtual_robot().run(async {
        let mut rounds = interval(MINUTE);
        let mut closing = pin!(sleep(MINUTE * 3 + MINUTE / 2).fuse());
        let mut ticks = 0;
        loop {
            futures::select_biased! {
                () = closing => break,
                _ = pin!(rounds.tick().fuse()) => ticks += 1,
            }
        }
        assert_eq!(ticks, 4); // at 0, 1, 2 and 3 minutes
    });
}

#[test]
fn futures_unordered_yields_them_as_they_finish() {
    virtual_robot().run(async {
        let mut dishes: FuturesUnordered<_> = [5, 1, 4, 2, 3].map(cook).into_iter().collect();
        let mut order = Vec::new();
        while let Some(minutes) = dishes.next().await {
            order.push((minutes, now().as_secs() / 60));
            if minutes == 2 {
                dishes.push(cook(10)); // until 12
            }
        }
        assert_eq!(order, [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (10, 12)]);
    });
}

#[test]
fn in_futures_unordered_only_who_was_woken_is_polled() {
    virtual_robot().run(async {
        let polls = Rc::new(Cell::new(0));
        let mut all: FuturesUnordered<_> = (0..100)
            .map(|_| CountsPolls(polls.clone()).boxed_local())
            .collect();
        all.push(sleep(MINUTE).boxed_local());
        all.push(sleep(MINUTE * 2).boxed_local());
        all.next().await;
        all.next().await;
        assert_eq!(now(), MINUTE * 2);
        assert_eq!(polls.get(), 100);
        // Give up on the rest: its wakers may be called later, and nothing comes of it.
        drop(all);
        yield_now().await;
    });
}

#[test]
fn buffer_unordered_keeps_so_many_at_work_and_no_more() {
    virtual_robot().run(async {
        let at_work = Cell::new(0);
        let most = Cell::new(0);
        let tables = stream::iter(0..20).map(|_| async {
            at_work.set(at_work.get() + 1);
            most.set(most.get().max(at_work.get()));
            cook(1).await;
            at_work.set(at_work.get() - 1);
        });
        tables.buffer_unordered(5).for_each(|()| async {}).await;
        assert_eq!(most.get(), 5);
        assert_eq!(now(), MINUTE * 4);
    });
}

#[test]
fn one_future_shared_by_many_tasks() {
    virtual_robot().run(async {
        let bread = cook(5).shared();
        let guests: Vec<_> = (0..10).map(|_| spawn(bread.clone())).collect();
        // One of them leaves half-way; the others still get their bread.
        guests[0].abort();
        for (i, guest) in guests.into_iter().enumerate() {
            let got = guest.await;
            assert!(if i == 0 {
                got.is_err()
            } else {
                got.unwrap() == 5
            });
        }
        assert_eq!(now(), MINUTE * 5);
    });
}

#[test]
fn a_select_dropped_half_way_and_a_timeout_around_a_join() {
    virtual_robot().run(async {
        let notes = Notes::new();
        let dish = |name, minutes| {
            let goodbye = SaysGoodbye(name, notes.clone());
            async move {
                let _goodbye = goodbye;
                cook(minutes).await
            }
        };
        let dinner = futures::future::join(dish("soup", 1), dish("roast", 90));
        assert!(timeout(MINUTE * 2, dinner).await.is_err());
        let forever = select(Box::pin(dish("pie", 60)), Box::pin(pending::<()>()));
        assert!(timeout(MINUTE, forever).await.is_err());
        assert_eq!(notes.all(), ["soup", "roast", "pie"]);
        assert_eq!(now(), MINUTE * 3);
    });
}
