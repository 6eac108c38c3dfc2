//! Exercise 09, the bell: a solution.
//!
//! Looking for the plates and leaving the waker is one critical section, and so is putting the plates down and taking the
//! waker. So either the oven finds a waker, or LoopBot finds the plates. The ring itself comes after the lock.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use whatif::say;
use whatif::sync::{Arc, Mutex};

/// What comes out of the oven.
#[derive(Clone, Debug, PartialEq)]
pub struct Plates(pub u32);

/// What both ends share: the plates that are done, and the bell of whoever waits for them.
#[derive(Default)]
pub struct Inside {
    plates: Option<Plates>,
    waker: Option<Waker>,
}

impl Inside {
    /// The oven: puts the plates where the other end finds them.
    #[track_caller]
    pub fn put_plates(&mut self, plates: Plates) {
        say("puts the plates on the shelf");
        self.plates = Some(plates);
    }
    /// LoopBot: takes the plates, if they are there.
    #[track_caller]
    pub fn take_plates(&mut self) -> Option<Plates> {
        let what = if self.plates.is_some() { "the" } else { "no" };
        say(format!("sees {what} plates"));
        self.plates.take()
    }
    /// LoopBot: leaves its bell here. Returns the one that was here before.
    #[track_caller]
    pub fn leave_waker(&mut self, waker: Waker) -> Option<Waker> {
        say("leaves its bell at the oven");
        self.waker.replace(waker)
    }
    /// The oven: takes the bell that was left, if there is one. It does not ring by that.
    #[track_caller]
    pub fn take_waker(&mut self) -> Option<Waker> {
        let what = if self.waker.is_some() { "a" } else { "no" };
        say(format!("finds {what} bell"));
        self.waker.take()
    }
}

/// The oven's end.
pub struct Oven(pub Arc<Mutex<Inside>>);
/// LoopBot's end.
pub struct Baking(pub Arc<Mutex<Inside>>);

impl Oven {
    /// The plates are done: hands them over, and rings if somebody waits for them.
    pub fn done(self, plates: Plates) {
        let waker = {
            let mut inside = self.0.lock().unwrap();
            inside.put_plates(plates);
            inside.take_waker()
        };
        // The lock is free again. Whoever hears the bell may come at once.
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Future for Baking {
    type Output = Plates;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Plates> {
        // Declared before the guard, so dropped after it: what goes with the last copy of a waker is any code at all, too.
        let _older;
        let mut inside = self.0.lock().unwrap();
        match inside.take_plates() {
            Some(plates) => Poll::Ready(plates),
            None => {
                // Under the same lock as the look. This waker takes the place of an older one.
                _older = inside.leave_waker(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// An oven with something in it: both ends.
pub fn oven() -> (Oven, Baking) {
    let inside = Arc::new(Mutex::new(Inside::default()).called("the oven"));
    (Oven(inside.clone()), Baking(inside))
}
