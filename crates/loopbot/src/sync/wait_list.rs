//! The line that waiting tasks stand in, and the one way in which every future of this module waits.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::mem;
use std::panic::Location;
use std::task::{Context, Poll, Waker, ready};

use loopbot_core::leaf::{self, EndedBy, wake_caught};

/// Who waits, in the order in which they came. Each has a place, which is theirs until they leave the list.
///
/// The places are in one `Vec`, and linked by their numbers. So whoever gives up leaves from the middle in O(1), and
/// once the `Vec` is as long as the line ever was, waiting allocates nothing.
///
/// `N` is a note about each: what they wait for, or how they were called.
#[derive(Debug)]
pub(crate) struct WaitList<N> {
    places: Vec<Place<N>>,
    first: usize,
    last: usize,
    waiting: usize,
    /// The first place that belongs to nobody. They are linked too, through `behind`.
    vacant: usize,
    /// Nothing here would be unsound on two threads in turn. But who waits here belongs to one loop.
    one_loop: PhantomData<*const ()>,
}

#[derive(Debug)]
struct Place<N> {
    note: N,
    /// `None` once they have been called. Then they are no longer linked.
    waker: Option<Waker>,
    ahead: usize,
    behind: usize,
}

/// The end of every chain.
const NOBODY: usize = usize::MAX;

/// The right to one place. There is one for each, so a place cannot be left twice.
#[derive(Debug)]
pub(crate) struct Ticket(usize);

impl<N: Copy> WaitList<N> {
    pub(crate) const fn new() -> WaitList<N> {
        WaitList {
            places: Vec::new(),
            first: NOBODY,
            last: NOBODY,
            waiting: 0,
            vacant: NOBODY,
            one_loop: PhantomData,
        }
    }

    /// How many wait. Who has been called does not wait any more.
    pub(crate) fn len(&self) -> usize {
        self.waiting
    }

    /// The note about the first in line.
    pub(crate) fn first(&mut self) -> Option<&mut N> {
        self.places.get_mut(self.first).map(|place| &mut place.note)
    }

    /// Somebody waits, if there is a `waker`: at the end of the line, or where they have stood already. Then the
    /// waker that they had before is left in its stead, to be dropped when nothing is borrowed any more.
    pub(crate) fn stand(
        &mut self,
        ticket: &mut Option<Ticket>,
        note: N,
        waker: &mut Option<Waker>,
    ) {
        if waker.is_none() {
            return;
        }
        match ticket {
            Some(Ticket(number)) => mem::swap(&mut self.places[*number].waker, waker),
            None => *ticket = Some(self.enter(note, waker.take())),
        }
    }

    fn enter(&mut self, note: N, waker: Option<Waker>) -> Ticket {
        let place = Place {
            note,
            waker,
            ahead: self.last,
            behind: NOBODY,
        };
        let number = match self.places.get_mut(self.vacant) {
            Some(vacant) => {
                let next_vacant = vacant.behind;
                *vacant = place;
                mem::replace(&mut self.vacant, next_vacant)
            }
            None => {
                self.places.push(place);
                self.places.len() - 1
            }
        };
        self.link(self.last, number);
        self.last = number;
        self.waiting += 1;
        Ticket(number)
    }

    /// Makes two places neighbours. `NOBODY` ahead means the front of the line.
    fn link(&mut self, ahead: usize, behind: usize) {
        match self.places.get_mut(ahead) {
            Some(place) => place.behind = behind,
            None => self.first = behind,
        }
        match self.places.get_mut(behind) {
            Some(place) => place.ahead = ahead,
            None => self.last = ahead,
        }
    }

    /// Calls the first in line: their turn has come. They keep their place until they answer or leave.
    pub(crate) fn call_first(&mut self, calls: &mut Calls) {
        if let Some(place) = self.places.get_mut(self.first) {
            let (waker, behind) = (place.waker.take(), place.behind);
            self.link(NOBODY, behind);
            self.waiting -= 1;
            calls.add(waker);
        }
    }

    /// Calls everybody.
    pub(crate) fn call_all(&mut self) -> Calls {
        let mut calls = Calls::default();
        while self.waiting > 0 {
            self.call_first(&mut calls);
        }
        calls
    }

    /// If the holder of this ticket has been called, it is gone now, and here is the note.
    pub(crate) fn answer(&mut self, ticket: &mut Option<Ticket>) -> Option<N> {
        let called = self.places[ticket.as_ref()?.0].waker.is_none();
        let ticket = ticket.take_if(|_| called)?;
        Some(self.leave(ticket).0)
    }

    /// Leaves the list. The waker is there for the caller to drop; there is none if they had been called.
    pub(crate) fn leave(&mut self, ticket: Ticket) -> (N, Option<Waker>) {
        let place = &mut self.places[ticket.0];
        let (note, waker, ahead, behind) =
            (place.note, place.waker.take(), place.ahead, place.behind);
        place.behind = mem::replace(&mut self.vacant, ticket.0);
        if waker.is_some() {
            self.link(ahead, behind);
            self.waiting -= 1;
        }
        (note, waker)
    }
}

/// Those who have been called and are still to be woken. That is done when nothing is borrowed any more.
#[derive(Default)]
#[must_use = "who is called has to be woken"]
pub(crate) struct Calls {
    /// Mostly there is one. It needs no `Vec`.
    first: Option<Waker>,
    rest: Vec<Waker>,
}

impl Calls {
    fn add(&mut self, waker: Option<Waker>) {
        if self.first.is_none() {
            self.first = waker;
        } else {
            self.rest.extend(waker);
        }
    }

    /// Wakes them, in the order in which they were called. A waker may do anything: nothing may be borrowed now,
    /// and if one panics, those behind it are woken all the same.
    pub(crate) fn ring(self) {
        for waker in self.first.into_iter().chain(self.rest) {
            wake_caught(waker);
        }
    }
}

/// The place of the only one who can wait for something.
#[derive(Debug, Default)]
pub(crate) struct OnlyPlace(RefCell<Option<Waker>>);

impl OnlyPlace {
    /// Waits here, if there is a `waker`. The one that was here before is left in its stead.
    pub(crate) fn stand(&self, waker: &mut Option<Waker>) {
        if waker.is_some() {
            mem::swap(&mut *self.0.borrow_mut(), waker);
        }
    }

    pub(crate) fn leave(&self) {
        let waker = self.0.take();
        drop(waker); // When nothing is borrowed any more.
    }

    pub(crate) fn call(&self) {
        let waker = self.0.take();
        waker.into_iter().for_each(wake_caught);
    }
}

/// A poll of something that one can have at once or has to wait for. `look` is as in [`wait`].
#[inline]
pub(crate) fn poll<T>(
    cx: &mut Context<'_>,
    what: &'static str,
    at: &'static Location<'static>,
    look: impl FnMut(&mut Option<Waker>) -> Poll<T>,
) -> Poll<T> {
    ready!(leaf::spend(cx));
    wait(cx, what, at, look)
}

/// The rest of such a poll.
///
/// If it is to wait, `look` leaves the waker where it will be called. LoopBot's own wakers cost nothing to copy. A
/// foreign one is copied only after a first look without; and because that may run any code, after which everything
/// may be different, it looks once more.
#[inline]
pub(crate) fn wait<T>(
    cx: &mut Context<'_>,
    what: &'static str,
    at: &'static Location<'static>,
    mut look: impl FnMut(&mut Option<Waker>) -> Poll<T>,
) -> Poll<T> {
    let mut waker = leaf::keep_own(cx.waker());
    loop {
        let can_stand = waker.is_some();
        let looked = look(&mut waker);
        if looked.is_pending() && !can_stand {
            waker = Some(cx.waker().clone());
            continue;
        }
        if looked.is_pending() {
            leaf::waits(what, at, EndedBy::Task);
        }
        return looked; // Here a waker that is left over is dropped.
    }
}
