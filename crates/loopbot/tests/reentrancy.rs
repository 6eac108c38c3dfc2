//! Code of the user's that runs while LoopBot itself is at work: when a future, an output or a waker is dropped.
//! Whatever it does there, spawn, wake or ask, it must find no borrow open.

mod common;

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use common::virtual_robot;
use flight::VirtualTime;
use loopbot::{Clock, JoinHandle, LoopBot, spawn, yield_now};

/// Does what code does that knows it is on LoopBot: spawns a task and rings for one.
fn uses_the_loop() {
    drop(spawn(async {}));
}

/// Uses the loop when it is dropped.
struct UsesTheLoop(Option<JoinHandle<()>>);

impl Drop for UsesTheLoop {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            handle.abort();
        }
        loopbot::now();
    }
}

/// A waker of somebody else's, which uses the loop when its last copy is dropped.
struct Foreign(Arc<AtomicU32>);

impl Wake for Foreign {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Foreign {
    fn drop(&mut self) {
        uses_the_loop();
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_future_for_which_there_is_no_room_may_use_the_loop_when_it_is_dropped() {
    let time = Clock::virtual_time(VirtualTime::new());
    let robot = LoopBot::builder().clock(time).max_tasks(1).build();
    robot.run(async {
        let first = spawn(async {});
        let holds = UsesTheLoop(Some(first));
        let refused = catch_unwind(AssertUnwindSafe(|| {
            spawn(async move {
                let _holds = holds;
                pending::<()>().await;
            })
        }))
        .unwrap_err();
        let said = refused.downcast_ref::<String>().unwrap();
        assert!(said.contains("may have 1 tasks at a time"), "{said}");
        yield_now().await; // The first one is aborted, and over: now there is room.
        spawn(async {}).await.unwrap();
    });
}

/// A task that polls its own handle with one waker, after main did so with another.
fn joined_twice(afterwards: fn(&mut Context<'_>) -> Poll<()>) {
    let dropped = Arc::new(AtomicU32::new(0));
    virtual_robot().run(async {
        let own = Rc::new(Cell::new(None::<JoinHandle<()>>));
        let foreign = || Waker::from(Arc::new(Foreign(dropped.clone())));
        let mut handle = spawn({
            let (own, inner) = (own.clone(), foreign());
            poll_fn(move |cx| {
                let Some(mut handle) = own.take() else {
                    return afterwards(cx);
                };
                let polled = Pin::new(&mut handle).poll(&mut Context::from_waker(&inner));
                assert!(polled.is_pending());
                own.set(Some(handle));
                afterwards(cx)
            })
        });
        {
            let outer = foreign();
            let polled = Pin::new(&mut handle).poll(&mut Context::from_waker(&outer));
            assert!(polled.is_pending());
        }
        own.set(Some(handle));
        for _ in 0..3 {
            yield_now().await;
        }
        drop(own.take());
        yield_now().await;
    });
    assert_eq!(dropped.load(Ordering::Relaxed), 2);
}

#[test]
fn a_joiner_that_is_replaced_while_the_task_waits_may_use_the_loop() {
    joined_twice(|_| Poll::Pending);
}

#[test]
fn a_joiner_that_is_replaced_when_the_task_ends_may_use_the_loop() {
    joined_twice(|_| Poll::Ready(()));
}
