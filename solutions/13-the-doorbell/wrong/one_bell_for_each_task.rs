//! must fail with: An event of door 1 should call: Ada, Ben. Your reactor called: Ben.
//!
//! The doorbell. Nobody stands at the doors: the operating system is asked to ring. Write the part of a
//! reactor that turns "not now" into "you will be called". `NextGuest` tries; if nobody stands there, it
//! leaves its bell and asks the system to watch. An event of the system rings the bells of that door.
//!
//! This system is strictly edge-triggered, and it is a busy street: a guest may come between any two
//! calls of yours. An event tells of a guest who *comes* to a door that is watched. Of one who stood
//! there before it tells nothing.
#![allow(missing_docs)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

pub type Door = u32;
pub type Guest = String;

/// The operating system.
pub trait Os {
    /// Lets one guest in. Never waits: `ErrorKind::WouldBlock` if nobody stands there. Other errors are news.
    fn accept(&self, door: Door) -> io::Result<Guest>;
    /// From now on, tell of the next guest who comes to `door`. Once: after that event, it is not watched.
    fn watch(&self, door: Door);
    /// Do not tell of it any more.
    fn unwatch(&self, door: Door);
}

/// Knows who waits for which door.
pub struct Reactor<O> {
    os: O,
    /// By door, and there by number: who asked first is called first.
    waiting: RefCell<BTreeMap<Door, BTreeMap<u64, Waker>>>,
    /// How many have ever asked for a guest.
    asked: Cell<u64>,
}

/// Waits for a guest at `door`, and lets one in.
pub struct NextGuest<O: Os> {
    reactor: Rc<Reactor<O>>,
    door: Door,
    /// Under which its bell is kept.
    number: u64,
    bell: RefCell<Option<Waker>>,
}

impl<O: Os> Reactor<O> {
    pub fn new(os: O) -> Rc<Reactor<O>> {
        Rc::new(Reactor {
            os,
            waiting: RefCell::default(),
            asked: Cell::new(0),
        })
    }

    pub fn next_guest(self: &Rc<Self>, door: Door) -> NextGuest<O> {
        let (reactor, number) = (self.clone(), self.asked.get());
        self.asked.set(number + 1);
        NextGuest {
            reactor,
            door,
            number,
            bell: RefCell::default(),
        }
    }

    /// An event of the system: somebody has come to `door`, perhaps more than one. Calls all who wait for
    /// that door, and nobody else. A bell may do anything when it is rung, also come back to this reactor.
    pub fn event(&self, door: Door) {
        // All of them: two guests may have come, and one event tells of both.
        let called = mem::take(self.waiting.borrow_mut().entry(door).or_default());
        // The borrow has ended when they are rung: a bell may do anything.
        called.into_values().for_each(Waker::wake);
    }
}

impl<O: Os> Future for NextGuest<O> {
    type Output = io::Result<Guest>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(news) = self.accept() {
            return Poll::Ready(news);
        }
        self.leave_bell(cx.waker().clone());
        self.reactor.os.watch(self.door);
        // Of a guest who came between the first try and the watch no event tells. Whoever comes later rings.
        match self.accept() {
            Some(news) => Poll::Ready(news),
            None => Poll::Pending,
        }
    }
}

impl<O: Os> NextGuest<O> {
    /// What `accept` says, unless it says that nobody is there. When there is news, nobody waits any more.
    fn accept(&self) -> Option<io::Result<Guest>> {
        match self.reactor.os.accept(self.door) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            news => {
                self.take_bell_back();
                Some(news)
            }
        }
    }

    fn leave_bell(&self, bell: Waker) {
        // A task has one bell. It need not be kept twice.
        let mut waiting = self.reactor.waiting.borrow_mut();
        let here = waiting.entry(self.door).or_default();
        if !here.values().any(|kept| kept.will_wake(&bell)) {
            here.insert(self.number, bell.clone());
        }
        drop(waiting);
        self.bell.replace(Some(bell));
    }

    fn take_bell_back(&self) {
        let Some(mine) = self.bell.take() else {
            return;
        };
        let mut waiting = self.reactor.waiting.borrow_mut();
        let Some(here) = waiting.get_mut(&self.door) else {
            return;
        };
        here.retain(|_, kept| !kept.will_wake(&mine));
        let nobody_else = here.is_empty();
        drop(waiting);
        if nobody_else {
            self.reactor.os.unwatch(self.door);
        }
    }
}

impl<O: Os> Drop for NextGuest<O> {
    fn drop(&mut self) {
        self.take_bell_back();
    }
}
