//! The latest value, and word when it changes. asyncio has none.
//!
//! Receivers see the latest value. If it changes several times before they look, they see the last change only.
//!
//! ```
//! use loopbot::sync::watch;
//!
//! loopbot::run(async {
//!     let (menu, mut guest) = watch::channel("soup");
//!     let reader = loopbot::spawn(async move {
//!         let mut seen = vec![*guest.borrow()];
//!         while guest.changed().await.is_ok() {
//!             seen.push(*guest.borrow());
//!         }
//!         seen
//!     });
//!     loopbot::yield_now().await;
//!     menu.send("fish").unwrap();
//!     menu.send("tart").unwrap(); // nobody has looked since "fish"
//!     drop(menu);
//!     assert_eq!(reader.await.unwrap(), ["soup", "tart"]);
//! });
//! ```
//!
//! Both halves stay on their thread:
//!
//! ```compile_fail
//! fn sent(_: impl Send) {}
//! sent(loopbot::sync::watch::channel(1).0);
//! ```

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::mem;
use std::panic::Location;
use std::rc::Rc;
use std::task::Poll;

use super::Closed;
use super::channel::SendError;
use super::notify::Notify;

const CLOSED: Closed = Closed("the value of a watch cannot change any more: its sender is gone");

/// A value, and one who watches it. More who watch are made by [`Receiver::clone`] and [`Sender::subscribe`].
///
/// The receiver has seen the first value already.
pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(Shared {
        value: RefCell::new(value),
        changes: Cell::new(0),
        is_over: Cell::new(false),
        news: Notify::new(),
    });
    let sender = Sender {
        shared: shared.clone(),
    };
    (sender, Receiver { shared, seen: 0 })
}

#[derive(Debug)]
struct Shared<T> {
    value: RefCell<T>,
    /// How often the value has changed.
    changes: Cell<u64>,
    /// The sender is gone.
    is_over: Cell<bool>,
    news: Notify,
}

/// The half that changes the value.
#[derive(Debug)]
pub struct Sender<T> {
    shared: Rc<Shared<T>>,
}

impl<T> Sender<T> {
    /// Changes the value, and wakes all who wait for that. The old value is dropped.
    ///
    /// # Errors
    ///
    /// [`SendError`] gives the value back, and nothing has changed, if no receiver is left.
    ///
    /// # Panics
    ///
    /// If somebody still borrows the value. Do not hold a `borrow` across an `await`.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.receivers() == 0 {
            return Err(SendError(value));
        }
        self.send_replace(value);
        Ok(())
    }

    /// Changes the value, also if no receiver is left, and returns the old one.
    ///
    /// # Panics
    ///
    /// If somebody still borrows the value.
    #[track_caller]
    pub fn send_replace(&self, value: T) -> T {
        let old = mem::replace(&mut *self.borrow_mut(), value);
        self.tell();
        old
    }

    /// Changes the value where it is, also if no receiver is left.
    ///
    /// # Panics
    ///
    /// If somebody still borrows the value, `change` included.
    #[track_caller]
    pub fn send_modify(&self, change: impl FnOnce(&mut T)) {
        change(&mut *self.borrow_mut());
        self.tell();
    }

    #[track_caller]
    fn borrow_mut(&self) -> RefMut<'_, T> {
        let value = self.shared.value.try_borrow_mut();
        value.expect("the value of a watch is changed while somebody borrows it")
    }

    fn tell(&self) {
        self.shared.changes.update(|changes| changes + 1);
        self.shared.news.notify_all();
    }

    /// The value. Drop what this returns before the next `await`: the value cannot be changed while it is borrowed.
    pub fn borrow(&self) -> Ref<'_, T> {
        self.shared.value.borrow()
    }

    /// One more who watches. The value as it is now counts as seen.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver {
            shared: self.shared.clone(),
            seen: self.shared.changes.get(),
        }
    }

    /// How many watch.
    pub fn receivers(&self) -> usize {
        Rc::strong_count(&self.shared) - 1 // There is one sender.
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.is_over.set(true);
        self.shared.news.notify_all();
    }
}

/// One who watches the value. A clone has seen what this one has seen.
#[derive(Debug)]
pub struct Receiver<T> {
    shared: Rc<Shared<T>>,
    /// How often the value had changed when this one was told.
    seen: u64,
}

impl<T> Receiver<T> {
    /// Waits until the value has changed since this receiver was last told. If it has, that is over at once.
    ///
    /// Cancel safe: the change counts as seen only when this returns.
    ///
    /// # Errors
    ///
    /// [`Closed`], if the sender is gone and this receiver has seen the last change.
    #[track_caller]
    pub fn changed(&mut self) -> impl Future<Output = Result<(), Closed>> + Unpin {
        let Receiver { shared, seen } = self;
        let at = Location::caller();
        shared.news.wait("a change of a watch", at, |_| {
            let before = mem::replace(seen, shared.changes.get());
            match shared.is_over.get() {
                _ if before != *seen => Poll::Ready(Ok(())),
                true => Poll::Ready(Err(CLOSED)),
                false => Poll::Pending,
            }
        })
    }

    /// The latest value. That it was looked at does not count: [`changed`](Receiver::changed) still tells of it.
    ///
    /// Drop what this returns before the next `await`: the value cannot be changed while it is borrowed.
    pub fn borrow(&self) -> Ref<'_, T> {
        self.shared.value.borrow()
    }

    /// The latest value. It counts as seen.
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        self.seen = self.shared.changes.get();
        self.shared.value.borrow()
    }

    /// Whether the value has changed since this receiver was last told.
    pub fn has_changed(&self) -> bool {
        self.seen != self.shared.changes.get()
    }

    /// Whether the sender is gone, so that the value cannot change any more.
    pub fn is_closed(&self) -> bool {
        self.shared.is_over.get()
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Receiver<T> {
        Receiver {
            shared: self.shared.clone(),
            seen: self.seen,
        }
    }
}
