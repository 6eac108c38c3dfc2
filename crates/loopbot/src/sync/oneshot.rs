//! One value, once. In asyncio this is `asyncio.Future`.
//!
//! ```
//! use loopbot::sync::oneshot;
//!
//! loopbot::run(async {
//!     let (bill, paid) = oneshot::channel();
//!     loopbot::spawn(async move { bill.send(12).unwrap() });
//!     assert_eq!(paid.await, Ok(12));
//! });
//! ```
//!
//! Both halves stay on their thread:
//!
//! ```compile_fail
//! fn sent(_: impl Send) {}
//! sent(loopbot::sync::oneshot::channel::<u8>().0);
//! ```

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::Closed;
use super::wait_list::{self, OnlyPlace};

const CLOSED: Closed = Closed(
    "no value comes: the sender of a oneshot was dropped without sending, or the value was taken before",
);

/// A channel for one value.
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(Shared {
        value: RefCell::new(None),
        is_over: Cell::new(false),
        sender: OnlyPlace::default(),
        receiver: OnlyPlace::default(),
    });
    let sender = Sender {
        shared: shared.clone(),
    };
    let at = Location::caller();
    (sender, Receiver { shared, at })
}

#[derive(Debug)]
struct Shared<T> {
    value: RefCell<Option<T>>,
    /// No value can come any more: it was sent, or one half is gone or closed.
    is_over: Cell<bool>,
    sender: OnlyPlace,
    receiver: OnlyPlace,
}

/// The half that sends. If it is dropped unused, the receiver gets [`Closed`].
#[derive(Debug)]
pub struct Sender<T> {
    shared: Rc<Shared<T>>,
}

impl<T> Sender<T> {
    /// Sends the value.
    ///
    /// # Errors
    ///
    /// The value, if the receiver is dropped or closed.
    pub fn send(self, value: T) -> Result<(), T> {
        if self.is_closed() {
            return Err(value);
        }
        self.shared.value.replace(Some(value));
        Ok(()) // Now the sender is dropped, and that wakes the receiver.
    }

    /// Whether the receiver is dropped or closed, so that nobody wants the value any more.
    pub fn is_closed(&self) -> bool {
        self.shared.is_over.get()
    }

    /// Waits until the receiver is dropped or closed. Then there is no need to go on making the value.
    ///
    /// Cancel safe: nothing is lost if the future is dropped.
    #[track_caller]
    pub fn closed(&mut self) -> impl Future<Output = ()> + Unpin {
        let at = Location::caller();
        poll_fn(move |cx| {
            wait_list::poll(cx, "the end of a oneshot", at, |waker| {
                if self.is_closed() {
                    return Poll::Ready(());
                }
                self.shared.sender.stand(waker);
                Poll::Pending
            })
        })
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.is_over.set(true);
        self.shared.receiver.call();
    }
}

/// The half that receives: a future. Await it, or await `&mut` of it to be able to go on waiting later.
///
/// Cancel safe in that `&mut` of it may be dropped at any time. If it is dropped itself, its value is dropped with it.
///
/// # Errors
///
/// [`Closed`], if the sender was dropped without sending.
#[derive(Debug)]
#[must_use = "a future does nothing until it is awaited"]
pub struct Receiver<T> {
    shared: Rc<Shared<T>>,
    at: &'static Location<'static>,
}

impl<T> Receiver<T> {
    /// The value, if it has been sent. `None` if not yet.
    ///
    /// # Errors
    ///
    /// [`Closed`], if the sender was dropped without sending, or if the value has been received.
    pub fn try_recv(&mut self) -> Result<Option<T>, Closed> {
        let value = self.shared.value.take();
        match value {
            None if self.shared.is_over.get() => Err(CLOSED),
            value => Ok(value),
        }
    }

    /// From now on nothing can be sent. A value that has been sent can still be received.
    pub fn close(&mut self) {
        self.shared.is_over.set(true);
        self.shared.sender.call();
        self.shared.receiver.call();
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, Closed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        wait_list::poll(cx, "a oneshot", self.at, |waker| match self.try_recv() {
            Ok(None) => {
                self.shared.receiver.stand(waker);
                Poll::Pending
            }
            Ok(Some(value)) => Poll::Ready(Ok(value)),
            Err(closed) => Poll::Ready(Err(closed)),
        })
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.receiver.leave();
        self.close();
        let unread = self.shared.value.take();
        drop(unread); // When nothing is borrowed any more: a value may do anything.
    }
}
