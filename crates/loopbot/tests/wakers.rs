//! What LoopBot promises about wakers.

mod common;

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Poll, Waker};
use std::thread;

use common::{CountsPolls, Doorbell, own_waker, virtual_robot, with_an_end};
use loopbot::{run, spawn, yield_now};

#[test]
fn a_wake_from_another_thread_ends_the_sleep_of_the_loop() {
    with_an_end(|| {
        let (ring, bells) = mpsc::channel::<Waker>();
        let rung = Arc::new(AtomicBool::new(false));
        let guest = thread::spawn({
            let rung = rung.clone();
            move || {
                let waker = bells.recv().unwrap();
                rung.store(true, Ordering::Relaxed);
                waker.wake();
            }
        });
        run(poll_fn(|cx| {
            if rung.load(Ordering::Relaxed) {
                return Poll::Ready(());
            }
            let _ = ring.send(cx.waker().clone());
            Poll::Pending
        }));
        guest.join().unwrap();
    });
}

#[test]
fn a_wake_during_its_own_poll_is_kept() {
    virtual_robot().run(async {
        let polls = Rc::new(Cell::new(0));
        let counted = polls.clone();
        spawn(poll_fn(move |cx| {
            counted.set(counted.get() + 1);
            cx.waker().wake_by_ref();
            if counted.get() < 3 {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        }))
        .await
        .unwrap();
        assert_eq!(polls.get(), 3);
    });
}

#[test]
fn a_task_is_in_the_run_queue_at_most_once() {
    virtual_robot().run(async {
        let polls = Rc::new(Cell::new(0));
        let waker = Rc::new(Cell::new(None));
        let task = spawn({
            let (polls, waker) = (polls.clone(), waker.clone());
            async move {
                waker.set(Some(own_waker().await));
                CountsPolls(polls).await;
            }
        });
        yield_now().await;
        assert_eq!(polls.get(), 1);
        let waker = waker.take().unwrap();
        for _ in 0..100 {
            waker.wake_by_ref();
        }
        for _ in 0..10 {
            yield_now().await;
        }
        assert_eq!(
            polls.get(),
            2,
            "a hundred rings before a poll are answered by that poll"
        );
        drop(task);
    });
}

#[test]
fn a_wake_after_the_end_of_its_task_reaches_nobody() {
    virtual_robot().run(async {
        let late = spawn(own_waker()).await.unwrap();
        let polls = Rc::new(Cell::new(0));
        let next = spawn(CountsPolls(polls.clone()));
        yield_now().await;
        for _ in 0..10 {
            late.wake_by_ref();
            yield_now().await;
        }
        assert_eq!(
            polls.get(),
            1,
            "the next task must not answer to the name of the last"
        );
        drop(next);
    });
}

#[test]
fn tasks_are_polled_in_the_order_in_which_they_were_woken() {
    virtual_robot().run(async {
        let order = common::Notes::new();
        let wakers = Rc::new(std::cell::RefCell::new(Vec::new()));
        let tasks: Vec<_> = ["soup", "bread", "wine"]
            .into_iter()
            .map(|name| {
                let (order, wakers) = (order.clone(), wakers.clone());
                let mut woken = false;
                spawn(poll_fn(move |cx| {
                    order.add(name);
                    if woken {
                        return Poll::Ready(());
                    }
                    woken = true;
                    wakers.borrow_mut().push(cx.waker().clone());
                    Poll::Pending
                }))
            })
            .collect();
        yield_now().await;
        for waker in wakers.take().iter().rev() {
            waker.wake_by_ref();
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(
            order.all(),
            ["soup", "bread", "wine", "wine", "bread", "soup"]
        );
    });
}

#[test]
fn a_task_that_wakes_itself_leaves_the_others_their_turn() {
    virtual_robot().run(async {
        let stop = Rc::new(Cell::new(false));
        let greedy = spawn({
            let stop = stop.clone();
            async move {
                while !stop.get() {
                    yield_now().await;
                }
            }
        });
        spawn(async move {
            for _ in 0..10 {
                yield_now().await;
            }
            stop.set(true);
        });
        greedy.await.unwrap();
    });
}

#[test]
fn one_bell_for_two_waiters_loses_the_first() {
    // Not a promise of LoopBot but of every executor: a future must keep the waker of its *last* poll.
    let stand_still = virtual_robot()
        .try_run(async {
            let doorbell = Rc::new(Doorbell::default());
            for name in ["first", "second"] {
                let doorbell = doorbell.clone();
                drop(loopbot::spawn_named(
                    name,
                    async move { doorbell.rung(1).await },
                ));
            }
            yield_now().await;
            doorbell.ring();
            pending::<()>().await
        })
        .unwrap_err();
    assert_eq!(stand_still.waiting(), ["main", "first"]);
}

/// A waker of somebody else's making, and not a good one.
struct Explosive;

impl std::task::Wake for Explosive {
    fn wake(self: std::sync::Arc<Self>) {
        panic!("this waker explodes");
    }
}

#[test]
fn a_waker_that_panics_ends_neither_the_loop_nor_the_next_one() {
    use std::sync::Arc;
    use std::task::{Context, Waker};

    let explosive = || Waker::from(Arc::new(Explosive));
    // Rung when the task ends.
    loopbot::run(async {
        let mut handle = loopbot::spawn(async {});
        let polled = std::pin::Pin::new(&mut handle).poll(&mut Context::from_waker(&explosive()));
        assert!(polled.is_pending());
        loopbot::yield_now().await;
        loopbot::yield_now().await;
        assert!(handle.is_finished());
    });
    // Rung when the loop ends, for a task that is left over.
    let kept = std::cell::RefCell::new(None);
    loopbot::run(async {
        let mut handle = loopbot::spawn(std::future::pending::<()>());
        let polled = std::pin::Pin::new(&mut handle).poll(&mut Context::from_waker(&explosive()));
        assert!(polled.is_pending());
        kept.replace(Some(handle));
    });
    assert!(kept.take().is_some_and(|handle| handle.is_finished()));
    assert_eq!(loopbot::run(async { "free" }), "free");
}

#[test]
fn a_copy_of_a_waker_would_wake_the_same_task() {
    virtual_robot().run(async {
        let own = own_waker().await;
        poll_fn(|cx| {
            assert!(own.will_wake(cx.waker()), "it is the same in every poll");
            assert!(own.clone().will_wake(cx.waker()));
            Poll::Ready(())
        })
        .await;
        let anothers = spawn(own_waker()).await.unwrap();
        assert!(!own.will_wake(&anothers));
    });
}

#[test]
fn forty_thousand_copies_of_one_waker() {
    virtual_robot().run(async {
        let copies: Vec<Waker> = vec![own_waker().await; 40_000];
        let mut first = true;
        poll_fn(|_| {
            if !std::mem::take(&mut first) {
                return Poll::Ready(());
            }
            copies.iter().for_each(Waker::wake_by_ref);
            Poll::Pending
        })
        .await;
        drop(copies);
    });
}

#[test]
fn ten_thousand_rings_from_another_thread_before_the_loop_looks() {
    with_an_end(|| {
        run(async {
            let wakers = Rc::new(std::cell::RefCell::new(Vec::new()));
            let tasks: Vec<_> = (0..10_000)
                .map(|_| {
                    let wakers = wakers.clone();
                    let mut first = true;
                    spawn(poll_fn(move |cx| {
                        if !std::mem::take(&mut first) {
                            return Poll::Ready(());
                        }
                        wakers.borrow_mut().push(cx.waker().clone());
                        Poll::Pending
                    }))
                })
                .collect();
            yield_now().await;
            let wakers = wakers.take();
            // The loop stands here until the other thread has rung for all of them.
            thread::spawn(move || wakers.into_iter().for_each(Waker::wake))
                .join()
                .unwrap();
            for task in tasks {
                task.await.unwrap();
            }
        });
    });
}

#[test]
fn a_ring_in_its_last_poll_is_not_heard_by_the_next_task_in_its_place() {
    virtual_robot().run(async {
        let order = common::Notes::new();
        let waiter = Rc::new(Cell::new(None));
        let mut polled_before = false;
        let waits = spawn(poll_fn({
            let (order, waiter) = (order.clone(), waiter.clone());
            move |cx| {
                if std::mem::replace(&mut polled_before, true) {
                    order.add("who was rung for first");
                    return Poll::Ready(());
                }
                waiter.set(Some(cx.waker().clone()));
                Poll::Pending
            }
        }));
        drop(spawn(poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::Ready(())
        })));
        yield_now().await; // both were polled, and the second is over, but still in the run queue
        waiter.take().unwrap().wake();
        let polls = Rc::new(Cell::new(0));
        let next = spawn({
            let (order, polls) = (order.clone(), polls.clone());
            async move {
                order.add("who was spawned last");
                CountsPolls(polls).await;
            }
        });
        waits.await.unwrap();
        yield_now().await;
        yield_now().await;
        assert_eq!(
            order.all(),
            ["who was rung for first", "who was spawned last"]
        );
        assert_eq!(polls.get(), 1);
        drop(next);
    });
}
