//! must fail with: the next timer is due at second 40, and `advance` made it second 8
//!
//! All clocks share their timers.
#![allow(missing_docs)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

pub type Seconds = u64; // since opening

/// Whoever has a copy sees the same clock.
#[derive(Clone, Default)]
pub struct Clock(Rc<RefCell<Dial>>);

#[derive(Default)]
struct Dial {
    now: Seconds,
}

/// By deadline, and for equal deadlines by number. The first is the next.
type Timers = BTreeMap<(Seconds, u64), Waker>;

thread_local! {
    static TIMERS: RefCell<Timers> = const { RefCell::new(BTreeMap::new()) };
    /// How many timers were ever set.
    static SET: RefCell<u64> = const { RefCell::new(0) };
}

/// Waits until the clock shows `due`.
pub struct Sleep {
    clock: Clock,
    due: Seconds,
    /// The number of its timer, once it has one.
    timer: Option<u64>,
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
        let timer = None;
        Sleep { clock, due, timer }
    }

    /// Rings, once, for every timer whose time has come: in the order of their deadlines, and equal ones
    /// in the order in which they were set. A bell may do anything when it is rung, also ask this clock.
    pub fn fire_due(&self) {
        // The borrow has ended when the bell is rung: a bell may do anything.
        while let Some(bell) = self.take_due() {
            bell.wake();
        }
    }

    fn take_due(&self) -> Option<Waker> {
        let now = self.now();
        TIMERS.with_borrow_mut(|timers| {
            let next = timers.first_entry()?;
            let (due, _) = *next.key();
            (due <= now).then(|| next.remove())
        })
    }

    /// Nobody is ready: time goes to the next timer, and never back. `false`: no timer is set.
    pub fn advance(&self) -> bool {
        let first = TIMERS.with_borrow(|timers| timers.keys().next().copied());
        let Some((due, _)) = first else {
            return false;
        };
        let mut dial = self.0.borrow_mut();
        dial.now = dial.now.max(due);
        true
    }
}

impl Future for Sleep {
    type Output = ();

    /// Ready as soon as the clock shows `due`. Before that it sets one timer, with the bell of the latest poll.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.get_mut();
        if sleep.clock.now() >= sleep.due {
            return Poll::Ready(());
        }
        let bell = cx.waker().clone();
        let number = *sleep.timer.get_or_insert_with(|| {
            SET.with_borrow_mut(|set| {
                *set += 1;
                *set
            })
        });
        drop(TIMERS.with_borrow_mut(|timers| timers.insert((sleep.due, number), bell)));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.timer {
            drop(TIMERS.with_borrow_mut(|timers| timers.remove(&(self.due, number))));
        }
    }
}
