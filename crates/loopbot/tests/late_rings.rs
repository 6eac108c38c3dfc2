//! What LoopBot promises about wakers that ring late: when the task, the loop or the thread is gone.
//!
//! Such a ring may have a task of another loop polled once too often (the waker's own file says why). So
//! these tests have a process of their own: beside them, nobody can count polls.

mod common;

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::thread;

use common::{Doorbell, own_waker, virtual_robot, with_an_end};
use loopbot::{run, spawn, yield_now};

#[test]
fn a_wake_after_the_loop_has_gone_does_nothing() {
    let (of_main, of_done, of_dropped) = virtual_robot().run(async {
        let done = spawn(own_waker()).await.unwrap();
        let dropped = Rc::new(Cell::new(None));
        let waits_for_ever = spawn({
            let dropped = dropped.clone();
            async move {
                dropped.set(Some(own_waker().await));
                pending::<()>().await;
            }
        });
        yield_now().await;
        drop(waits_for_ever);
        (own_waker().await, done, dropped.take().unwrap())
    });
    for waker in [of_main, of_done, of_dropped] {
        waker.wake_by_ref(); // on the loop's own thread
        thread::spawn(move || waker.wake()).join().unwrap(); // on another
    }
    assert_eq!(run(async { 1 }), 1);
}

#[test]
fn a_wake_while_its_thread_ends_does_nothing() {
    struct RingsOnDrop(Cell<Option<Waker>>);
    impl Drop for RingsOnDrop {
        fn drop(&mut self) {
            self.0.take().unwrap().wake();
        }
    }
    thread_local! {
        static LATE: RingsOnDrop = const { RingsOnDrop(Cell::new(None)) };
    }
    // Whichever of the two thread-locals goes first, ours or LoopBot's: neither order may panic.
    let first = thread::spawn(|| {
        LATE.with(|late| late.0.set(Some(Waker::noop().clone())));
        LATE.with(|late| late.0.set(Some(run(own_waker()))));
    });
    let last = thread::spawn(|| {
        let waker = run(own_waker());
        LATE.with(|late| late.0.set(Some(waker)));
    });
    first.join().unwrap();
    last.join().unwrap();
}

#[test]
fn many_threads_wake_many_tasks_and_no_ring_is_lost() {
    const THREADS: u32 = 4;
    const RINGS: u32 = 50;
    with_an_end(|| {
        let doorbells: Arc<Vec<Doorbell>> =
            Arc::new((0..200).map(|_| Doorbell::default()).collect());
        let ringers: Vec<_> = (0..THREADS)
            .map(|_| {
                let doorbells = doorbells.clone();
                thread::spawn(move || {
                    for _ in 0..RINGS {
                        doorbells.iter().for_each(Doorbell::ring);
                    }
                })
            })
            .collect();
        run(async {
            let tasks: Vec<_> = (0..doorbells.len())
                .map(|i| {
                    let doorbells = doorbells.clone();
                    spawn(async move { doorbells[i].rung(THREADS * RINGS).await })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
        ringers
            .into_iter()
            .for_each(|ringer| ringer.join().unwrap());
    });
}

#[test]
fn threads_may_ring_while_loops_come_and_go() {
    with_an_end(|| {
        // One for main and one for the task: a doorbell remembers one waker.
        let doorbells = Arc::new([Doorbell::default(), Doorbell::default()]);
        let closing = Arc::new(AtomicBool::new(false));
        let ringers: Vec<_> = (0..2)
            .map(|_| {
                let (doorbells, closing) = (doorbells.clone(), closing.clone());
                thread::spawn(move || {
                    while !closing.load(Ordering::Relaxed) {
                        doorbells.iter().for_each(Doorbell::ring);
                    }
                })
            })
            .collect();
        for _ in 0..500 {
            run(async {
                let of_task = doorbells.clone();
                spawn(async move { of_task[1].rung(u32::MAX).await }); // left over at the end
                let of_main = &doorbells[0];
                of_main.rung(of_main.rings() + 1).await;
            });
        }
        closing.store(true, Ordering::Relaxed);
        ringers
            .into_iter()
            .for_each(|ringer| ringer.join().unwrap());
    });
}

#[test]
fn a_waker_from_an_earlier_run_reaches_at_most_somebody_who_does_not_mind() {
    with_an_end(|| {
        let old: Vec<Waker> = (0..20)
            .map(|_| run(async { spawn(own_waker()).await.unwrap() }))
            .collect();
        let ringer = {
            let old = old.clone();
            thread::spawn(move || (0..1000).for_each(|_| old.iter().for_each(Waker::wake_by_ref)))
        };
        run(async {
            for _ in 0..1000 {
                old.iter().for_each(Waker::wake_by_ref);
                assert_eq!(spawn(async { yield_now().await }).await.ok(), Some(()));
            }
        });
        ringer.join().unwrap();
    });
}

#[test]
fn two_loops_may_wake_each_others_tasks() {
    with_an_end(|| {
        const ROUNDS: u32 = 2000;
        // Each loop plays against the other: it serves, and waits until the ball is back.
        let ball = Arc::new([Doorbell::default(), Doorbell::default()]);
        let play = |side: usize, ball: Arc<[Doorbell; 2]>| {
            run(async move {
                for round in 1..=ROUNDS {
                    if side == 0 {
                        ball[1].ring();
                    }
                    ball[side].rung(round).await;
                    if side == 1 {
                        ball[0].ring();
                    }
                }
            });
        };
        let other = thread::spawn({
            let ball = ball.clone();
            move || play(1, ball)
        });
        play(0, ball);
        other.join().unwrap();
    });
}

#[test]
fn a_waker_kept_by_a_thread_local_may_be_rung_while_loops_come_and_go() {
    thread_local! {
        static KEPT: Cell<Option<Waker>> = const { Cell::new(None) };
    }
    for _ in 0..1000 {
        run(async {
            if let Some(earlier) = KEPT.take() {
                earlier.wake();
            }
            KEPT.set(Some(own_waker().await));
            spawn(async {}).await.unwrap();
        });
    }
}
