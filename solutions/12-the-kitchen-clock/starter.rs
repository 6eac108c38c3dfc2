//! Exercise 12: the kitchen clock.
//!
//! It is virtual: while anybody is ready, time stands still, and when nobody is, it goes to the next timer in one step. Write
//! `Sleep`, and the two things that a loop asks of its clock. Test: cargo test -p exercise-12
//! ```ignore
//! loop {
//!     clock.fire_due();                                  // ring for everybody whose time has come
//!     if nobody_is_ready() && !clock.advance() { break } // no timer either: nothing will ever happen
//!     poll_everybody_who_is_ready();
//! }
//! ```
#![allow(missing_docs)]

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

pub type Seconds = u64; // since opening

/// Whoever has a copy sees the same clock.
#[derive(Clone, Default)]
pub struct Clock(Rc<RefCell<Dial>>);

#[derive(Default)]
struct Dial {
    now: Seconds,
    // Your turn: the timers that are set. What has to be known of each?
}

/// Waits until the clock shows `due`.
pub struct Sleep {
    clock: Clock,
    due: Seconds,
    // Your turn: how does it find its own timer again?
}

impl Clock {
    pub fn now(&self) -> Seconds {
        self.0.borrow().now
    }

    /// Somebody computes for so long: time goes by, and no bell rings meanwhile.
    pub fn compute(&self, seconds: Seconds) {
        self.0.borrow_mut().now += seconds;
    }

    pub fn sleep(&self, seconds: Seconds) -> Sleep {
        let (clock, due) = (self.clone(), self.now() + seconds);
        Sleep { clock, due }
    }

    /// Rings, once, for every timer whose time has come: in the order of their deadlines, and equal ones
    /// in the order in which they were set. A bell may do anything when it is rung, also ask this clock.
    pub fn fire_due(&self) {
        todo!(
            "ring for everybody whose time has come, and for nobody else. First hint: cargo course hint 12"
        )
    }

    /// Nobody is ready: time goes to the next timer, and never back. `false`: no timer is set.
    pub fn advance(&self) -> bool {
        todo!("go to the next timer. First hint: cargo course hint 12")
    }
}

impl Future for Sleep {
    type Output = ();

    /// Ready as soon as the clock shows `due`. Before that it sets one timer, with the bell of the latest poll.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let (_clock, _due, _bell) = (&self.clock, self.due, cx.waker());
        todo!("is it over? If not, who rings? First hint: cargo course hint 12")
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        // Your turn: nobody waits for it any more, so time need not stop there, and no bell need ring.
        // (There is no `todo!` here, because a drop must not panic.)
    }
}
