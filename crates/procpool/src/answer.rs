//! The answer to a job: a future on any runtime, or something a thread can wait for.

use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use crate::core::{Time, Wish};
use crate::driver::{Inner, Shared};
use crate::error::JobError;
use crate::pool::Encoded;
use crate::reply::{Order, Reply, Slot};
use crate::room::Ticket;
use crate::slab::Key;

/// What will become of a job. Await it on any runtime, or [`wait`](Answer::wait) for it on a thread.
///
/// Dropping it cancels the job if it is still queued. A job that runs is left to itself: it runs on, and its value is
/// thrown away.
///
/// Awaiting it is cancel safe: a poll that is given up loses nothing.
#[must_use = "dropping the answer cancels a job that is still queued"]
pub struct Answer<R> {
    pending: Pending,
    result: PhantomData<fn() -> R>,
}

impl<R: DeserializeOwned> Answer<R> {
    /// Waits on this thread. On a thread that runs an async executor, await it instead: nothing else goes on there
    /// while it waits.
    ///
    /// # Errors
    ///
    /// Why the job has no value.
    pub fn wait(mut self) -> Result<R, JobError> {
        match self.pending.wait(None) {
            Some(reply) => only(reply),
            None => Err(JobError::Cancelled), // only a limit ends the wait without a reply
        }
    }

    /// Waits on this thread, but not for ever: after `limit` the answer is returned as it is.
    ///
    /// # Errors
    ///
    /// `Err(self)` if there is no answer yet.
    pub fn wait_for(mut self, limit: Duration) -> Result<Result<R, JobError>, Answer<R>> {
        match self.pending.wait(Instant::now().checked_add(limit)) {
            Some(reply) => Ok(only(reply)),
            None => Err(self),
        }
    }
}

impl<R> Answer<R> {
    pub(crate) fn new(pending: Pending) -> Answer<R> {
        Answer {
            pending,
            result: PhantomData,
        }
    }

    /// Takes the job out of the queue. `false` if it is done, or with a worker already: see
    /// [`cancel_running`](Answer::cancel_running). If `true`, the answer is [`JobError::Cancelled`].
    pub fn cancel(&self) -> bool {
        self.pending.cancel(false)
    }

    /// Cancels the job wherever it is. If a worker runs it, the job is asked to stop (see [`cancelled`](crate::cancelled)),
    /// and after the pool's grace the worker is killed. `false` if the job is done. A value that is on its way at this
    /// moment still counts.
    pub fn cancel_running(&self) -> bool {
        self.pending.cancel(true)
    }

    /// Whether there is an answer.
    pub fn is_done(&self) -> bool {
        self.pending.slot.is_done()
    }

    /// Lets the job run without anybody who waits for its value. A job that found no place in the queue and waits for one
    /// is kept by this answer alone, and goes with it: what is to be detached had better be given by
    /// [`try_submit`](crate::Pool::try_submit), which says so.
    pub fn detach(mut self) {
        self.pending.key = None;
    }
}

impl<R: DeserializeOwned> Future for Answer<R> {
    type Output = Result<R, JobError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.pending.poll(cx.waker()).map(only)
    }
}

impl<R> std::fmt::Debug for Answer<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = match (self.is_done(), &self.pending.waiting) {
            (true, _) => "done",
            (false, Some(_)) => "waits for a place in the queue",
            (false, None) => "pending",
        };
        f.debug_tuple("Answer").field(&state).finish()
    }
}

fn only<R: DeserializeOwned>(reply: Reply) -> Result<R, JobError> {
    let missing = || {
        Err(JobError::Decode(
            "there is no result in the answer".to_owned(),
        ))
    };
    reply.results().next().unwrap_or_else(missing)
}

/// A job of any number of items that was given to the pool, or is to be given as soon as there is a place.
pub(crate) struct Pending {
    pool: Arc<Shared>,
    slot: Arc<Slot>,
    /// Its name in the pool; `None` before it is there, and when nobody cares any more.
    key: Option<Key>,
    /// It waits for a place in the queue.
    waiting: Option<Box<Waiting>>,
}

/// A job that has no place in the queue.
struct Waiting {
    wish: Wish,
    order: Order,
    /// By this the pool knows whom to wake when there is a place; `None` if nobody has asked for that.
    ticket: Option<Ticket>,
}

impl Pending {
    /// A job for this pool.
    pub(crate) fn new(pool: Arc<Shared>, wish: Wish, order: Order) -> Pending {
        let slot = Arc::clone(&order.slot);
        let given = pool.with(|inner, now| give(inner, now, wish, order));
        Pending::given(pool, slot, given)
    }

    fn given(pool: Arc<Shared>, slot: Arc<Slot>, given: Given) -> Pending {
        Pending {
            pool,
            slot,
            key: given.as_ref().ok().copied(),
            waiting: given.err(),
        }
    }

    /// Jobs for this pool that are sent together, each with the number of its items.
    pub(crate) fn several(
        pool: &Arc<Shared>,
        orders: Vec<(Encoded, usize)>,
    ) -> Vec<(Pending, usize)> {
        pool.with(|inner, now| {
            inner.hold_nothing();
            let mut one = |order: Encoded, items| {
                let pool = Arc::clone(pool);
                let (wish, order) = match order {
                    Ok(order) => order,
                    Err(error) => return Pending::refused(pool, error, items),
                };
                let slot = Arc::clone(&order.slot);
                let given = give(inner, now, wish, order);
                Pending::given(pool, slot, given)
            };
            let orders = orders.into_iter();
            orders
                .map(|(order, items)| (one(order, items), items))
                .collect()
        })
    }

    /// A job that cannot be given to any pool.
    pub(crate) fn refused(pool: Arc<Shared>, error: JobError, items: usize) -> Pending {
        let slot = Slot::new();
        slot.complete(Reply::refused(error, items));
        Pending {
            pool,
            slot,
            key: None,
            waiting: None,
        }
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Gives the job to the pool if it has not been yet. If there is still no place, the waker is told of the next one.
    fn offer_again(&mut self, waker: &Waker) {
        if self.slot.is_done() {
            return;
        }
        let Some(waiting) = self.waiting.take() else {
            return;
        };
        let Waiting {
            wish,
            order,
            ticket,
        } = *waiting;
        let waker = waker.clone();
        let (given, unneeded) = self.pool.with(|inner, now| {
            let mut given = give(inner, now, wish, order);
            let unneeded = match &mut given {
                Ok(_) => ticket.and_then(|ticket| inner.room.leave(ticket)),
                Err(waiting) => {
                    waiting.ticket = ticket;
                    inner.room.wait(&mut waiting.ticket, waker)
                }
            };
            (given, unneeded)
        });
        drop(unneeded);
        match given {
            Ok(key) => self.key = Some(key),
            Err(waiting) => self.waiting = Some(waiting),
        }
    }

    pub(crate) fn poll(&mut self, waker: &Waker) -> Poll<Reply> {
        self.offer_again(waker);
        match self.slot.take_or_wait(Some(waker)) {
            Some(reply) => {
                self.key = None;
                Poll::Ready(reply)
            }
            None => {
                self.pool.call_driver();
                Poll::Pending
            }
        }
    }

    /// Waits on this thread; `None` if there is no reply at the end of its patience.
    pub(crate) fn wait(&mut self, until: Option<Instant>) -> Option<Reply> {
        let left = || until.map(|until| until.saturating_duration_since(Instant::now()));
        let mut waker = None;
        loop {
            if let Some(reply) = self.slot.take_or_wait(None) {
                self.key = None;
                return Some(reply);
            }
            if left().is_some_and(|left| left.is_zero()) {
                return None;
            }
            if self.key.is_some_and(|key| self.pool.lead(key, left())) {
                continue;
            }
            let waker =
                waker.get_or_insert_with(|| Waker::from(Arc::new(Unpark(thread::current()))));
            if let Poll::Ready(reply) = self.poll(waker) {
                return Some(reply);
            }
            match left() {
                Some(left) => thread::park_timeout(left),
                None => thread::park(),
            }
        }
    }

    fn cancel(&self, running: bool) -> bool {
        if self.slot.is_done() {
            return false;
        }
        match self.key {
            Some(key) => self
                .pool
                .with(|inner, now| inner.core.cancel(now, key, running)),
            None => {
                // It is not in the queue yet, and need not go there any more.
                let waker = self.slot.complete(Reply::refused(JobError::Cancelled, 1));
                waker.into_iter().for_each(Waker::wake);
                true
            }
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.slot.forget();
        if let Some(ticket) = self.waiting.take().and_then(|waiting| waiting.ticket) {
            drop(self.pool.with(|inner, _| inner.room.leave(ticket)));
        }
        if let Some(key) = self.key.take()
            && !self.slot.is_done()
        {
            self.pool
                .with(|inner, now| inner.core.cancel(now, key, false));
        }
    }
}

/// What came of offering a job to the pool: its name there, or the job back.
type Given = Result<Key, Box<Waiting>>;

/// Gives a job to the pool, or back if that is full.
fn give(inner: &mut Inner, now: Time, wish: Wish, order: Order) -> Given {
    match inner.core.submit(now, wish, order) {
        Ok(key) => {
            inner.record_submit(key.number());
            Ok(key)
        }
        Err(order) => Err(Box::new(Waiting {
            wish,
            order,
            ticket: None,
        })),
    }
}

/// Wakes a thread that waits.
pub(crate) struct Unpark(pub(crate) Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
