//! Exercise 13: the doorbell.
//!
//! Nobody stands at the doors: the operating system is asked to ring. Write the part of a reactor that turns "not now" into
//! "you will be called". `NextGuest` tries; if nobody stands there, it leaves its bell and asks the system to watch. An event of
//! the system rings the bells of that door. Test: cargo test -p exercise-13
//!
//! This system is strictly edge-triggered, and it is a busy street: a guest may come between any two
//! calls of yours. An event tells of a guest who *comes* to a door that is watched. Of one who stood
//! there before it tells nothing. And one `watch` is one event.
#![allow(missing_docs)]

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

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
    // Your turn: whose bell, for which door? Two may wait for the same one.
}

/// Waits for a guest at `door`, and lets one in.
pub struct NextGuest<O: Os> {
    reactor: Rc<Reactor<O>>,
    door: Door,
    // Your turn: how does it find its own bell again? It may be polled again, and with another one.
}

impl<O: Os> Reactor<O> {
    pub fn new(os: O) -> Rc<Reactor<O>> {
        Rc::new(Reactor { os })
    }

    pub fn next_guest(self: &Rc<Self>, door: Door) -> NextGuest<O> {
        let reactor = self.clone();
        NextGuest { reactor, door }
    }

    /// An event of the system: somebody has come to `door`, perhaps more than one. Calls all who wait for
    /// that door, and nobody else. A bell may do anything when it is rung, also come back to this reactor.
    pub fn event(&self, door: Door) {
        let _os = &self.os;
        todo!("who waits for door {door}? First hint: cargo course hint 13")
    }
}

impl<O: Os> Future for NextGuest<O> {
    type Output = io::Result<Guest>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (_reactor, _door, _bell) = (&self.reactor, self.door, cx.waker());
        todo!(
            "try. If nobody stands there: who will ring, and what if somebody has come meanwhile? First hint: cargo course hint 13"
        )
    }
}

impl<O: Os> Drop for NextGuest<O> {
    fn drop(&mut self) {
        // Your turn: nobody waits here any more. If nobody else waits at this door, it need not be watched.
        // (There is no `todo!` here, because a drop must not panic.)
    }
}
