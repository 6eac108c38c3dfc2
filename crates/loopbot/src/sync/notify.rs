//! News for one of those who wait, or for all of them. `Event`, `Condition`, `Barrier` and `watch` are made of it.

use std::cell::RefCell;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::wait_list::{self, Calls, Ticket, WaitList};

#[derive(Debug)]
pub(crate) struct Notify {
    waiting: RefCell<WaitList<Notice>>,
}

impl Default for Notify {
    fn default() -> Notify {
        Notify::new()
    }
}

/// How somebody was called.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Notice {
    /// With everybody else, or not yet.
    ForAll,
    /// Instead of all the others: if this one does not come, somebody else must.
    ForOne,
}

/// How it stands with somebody who is polled.
pub(crate) enum Standing {
    New,
    Waiting,
    Called(Notice),
}

impl Notify {
    pub(crate) const fn new() -> Notify {
        Notify {
            waiting: RefCell::new(WaitList::new()),
        }
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.borrow().len()
    }

    /// Calls the one who has waited longest.
    pub(crate) fn notify_one(&self) {
        let mut calls = Calls::default();
        let mut waiting = self.waiting.borrow_mut();
        if let Some(first) = waiting.first() {
            *first = Notice::ForOne;
        }
        waiting.call_first(&mut calls);
        drop(waiting);
        calls.ring();
    }

    /// Calls everybody who waits now. Who comes while they are woken waits for the next call.
    pub(crate) fn notify_all(&self) {
        let calls = self.waiting.borrow_mut().call_all();
        calls.ring();
    }

    /// Waits until `over`, which is asked in every poll, says that it is over.
    pub(crate) fn wait<T, F>(
        &self,
        what: &'static str,
        at: &'static Location<'static>,
        over: F,
    ) -> Wait<'_, F>
    where
        F: FnMut(Standing) -> Poll<T>,
    {
        Wait {
            notify: self,
            ticket: None,
            what,
            at,
            over,
        }
    }
}

/// Somebody who waits for news. Dropped when called as the one, it passes the news on.
pub(crate) struct Wait<'a, F> {
    notify: &'a Notify,
    ticket: Option<Ticket>,
    what: &'static str,
    at: &'static Location<'static>,
    over: F,
}

/// The closure is called, never pinned.
impl<F> Unpin for Wait<'_, F> {}

impl<F> Wait<'_, F> {
    /// Whether this one stands in line, so that no news gets past it.
    pub(crate) fn stands_in_line(&self) -> bool {
        self.ticket.is_some()
    }

    fn look<T>(&mut self, waker: &mut Option<Waker>) -> Poll<T>
    where
        F: FnMut(Standing) -> Poll<T>,
    {
        let called = self.notify.waiting.borrow_mut().answer(&mut self.ticket);
        let over = (self.over)(match called {
            Some(notice) => Standing::Called(notice),
            None if self.ticket.is_some() => Standing::Waiting,
            None => Standing::New,
        });
        if over.is_pending() {
            let mut waiting = self.notify.waiting.borrow_mut();
            waiting.stand(&mut self.ticket, Notice::ForAll, waker);
        }
        over
    }
}

impl<T, F: FnMut(Standing) -> Poll<T>> Future for Wait<'_, F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let (what, at) = (self.what, self.at);
        wait_list::poll(cx, what, at, |waker| self.look(waker))
    }
}

impl<F> Drop for Wait<'_, F> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let (notice, waker) = self.notify.waiting.borrow_mut().leave(ticket);
            drop(waker);
            if notice == Notice::ForOne {
                self.notify.notify_one();
            }
        }
    }
}
