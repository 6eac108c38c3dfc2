//! What it costs to wake a task on the loop's own thread, the poll that follows included.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::measure::Stopwatch;
use crate::peer::{Peer, join_each};

/// `tasks` tasks wait. All are woken, all are polled, and again, until there were `operations` wakes.
pub fn wake<P: Peer>(tasks: u64, operations: u64) -> Duration {
    P::run(async move {
        let room = Rc::new(Room::default());
        let waiting: Vec<_> = (0..tasks)
            .map(|number| P::spawn(wait(room.clone(), number as usize, tasks)))
            .collect();
        let elapsed = P::spawn(wake_all(room, tasks, operations / tasks)).await;
        join_each(waiting).await;
        elapsed
    })
}

/// Where the tasks wait.
#[derive(Default)]
struct Room {
    wakers: RefCell<Vec<Option<Waker>>>,
    polled: Cell<u64>,
    closed: Cell<bool>,
    all_polled: RefCell<Option<Waker>>,
}

async fn wait(room: Rc<Room>, number: usize, tasks: u64) {
    room.wakers.borrow_mut().resize(tasks as usize, None);
    poll_fn(|cx| {
        if room.closed.get() {
            return Poll::Ready(());
        }
        let known = &mut room.wakers.borrow_mut()[number];
        if !known
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            *known = Some(cx.waker().clone());
        }
        room.polled.set(room.polled.get() + 1);
        if room.polled.get() == tasks
            && let Some(waker) = room.all_polled.take()
        {
            waker.wake();
        }
        Poll::Pending
    })
    .await;
}

async fn wake_all(room: Rc<Room>, tasks: u64, rounds: u64) -> Duration {
    until_all_polled(&room, tasks).await;
    let watch = Stopwatch::start();
    for _ in 0..rounds {
        room.polled.set(0);
        for waker in room.wakers.borrow().iter().flatten() {
            waker.wake_by_ref();
        }
        until_all_polled(&room, tasks).await;
    }
    let elapsed = watch.stop();
    room.closed.set(true);
    for waker in room.wakers.borrow().iter().flatten() {
        waker.wake_by_ref();
    }
    elapsed
}

async fn until_all_polled(room: &Room, tasks: u64) {
    poll_fn(|cx| {
        if room.polled.get() == tasks {
            return Poll::Ready(());
        }
        room.all_polled.replace(Some(cx.waker().clone()));
        Poll::Pending
    })
    .await;
}
