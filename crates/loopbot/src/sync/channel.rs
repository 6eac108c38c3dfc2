//! Values from many tasks to one. In asyncio this is `asyncio.Queue`.
//!
//! ```
//! use loopbot::sync::channel;
//!
//! loopbot::run(async {
//!     let (slips, mut kitchen) = channel::bounded(2);
//!     let waiter = loopbot::spawn(async move {
//!         for slip in ["soup", "fish", "tart"] {
//!             slips.send(slip).await.unwrap(); // two lie there: the third has to wait
//!         }
//!     });
//!     let mut cooked = Vec::new();
//!     while let Some(slip) = kitchen.recv().await {
//!         cooked.push(slip);
//!     }
//!     assert_eq!(cooked, ["soup", "fish", "tart"]); // `slips` is gone, so no more can come
//! });
//! ```
//!
//! Both halves stay on their thread:
//!
//! ```compile_fail
//! fn sent(_: impl Send) {}
//! sent(loopbot::sync::channel::bounded::<u8>(1).0);
//! ```
//!
//! ```compile_fail
//! fn sent(_: impl Send) {}
//! sent(loopbot::sync::channel::unbounded::<u8>().1);
//! ```

use std::cell::RefCell;
use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::semaphore::{Acquire, Permit, Semaphore};
use super::wait_list::{self, OnlyPlace};

/// A channel in which at most `capacity` values lie. Whoever sends more waits: that is backpressure.
///
/// There is room for the values from the start (for 1,024 of them, if `capacity` is more): sending allocates nothing.
///
/// # Panics
///
/// If `capacity` is 0: a value has to lie somewhere between being sent and being received.
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(
        capacity > 0,
        "a channel of capacity 0 could never take a value: give it room for 1"
    );
    channel(capacity, VecDeque::with_capacity(capacity.min(1024)))
}

/// A channel in which any number of values may lie. Sending never waits, so nothing slows down a sender that is too fast.
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    // Its bound is out of reach.
    channel(usize::MAX, VecDeque::new())
}

fn channel<T>(capacity: usize, queue: VecDeque<T>) -> (Sender<T>, Receiver<T>) {
    let channel = Rc::new(Channel {
        room: Semaphore::new(capacity),
        queue: RefCell::new(queue),
        receiver: OnlyPlace::default(),
    });
    let sender = Sender {
        channel: channel.clone(),
    };
    (sender, Receiver { channel })
}

/// What both halves share.
#[derive(Debug)]
struct Channel<T> {
    /// A permit is room for one value. It is closed when nothing may be sent any more.
    room: Semaphore,
    queue: RefCell<VecDeque<T>>,
    receiver: OnlyPlace,
}

impl<T> Channel<T> {
    fn room(&self, at: &'static Location<'static>) -> Acquire<'_> {
        self.room.acquire_for("room in a channel", 1, at)
    }

    /// Puts a value where room has been made for it.
    fn put(&self, room: Permit<'_>, value: T) -> Result<(), SendError<T>> {
        if self.room.is_closed() {
            return Err(SendError(value));
        }
        room.forget();
        self.queue.borrow_mut().push_back(value);
        self.receiver.call();
        Ok(())
    }

    /// Nothing may be sent any more, and everybody who waits hears of it.
    fn close(&self) {
        self.room.close();
        self.receiver.call();
    }

    fn take(&self) -> Option<T> {
        let value = self.queue.borrow_mut().pop_front()?;
        self.room.add_permits(1);
        Some(value)
    }

    fn poll_recv(&self, cx: &mut Context<'_>, at: &'static Location<'static>) -> Poll<Option<T>> {
        wait_list::poll(cx, "a value from a channel", at, |waker| {
            if let Some(value) = self.take() {
                return Poll::Ready(Some(value));
            }
            if self.room.is_closed() {
                return Poll::Ready(None);
            }
            self.receiver.stand(waker);
            Poll::Pending
        })
    }
}

/// The half that sends. Clones send into the same channel; when the last is dropped, the channel is closed.
#[derive(Debug)]
pub struct Sender<T> {
    channel: Rc<Channel<T>>,
}

impl<T> Sender<T> {
    /// Waits for room, and puts the value there.
    ///
    /// Those who wait are served in the order in which they came. Cancel safe in that a dropped future has
    /// sent nothing; but the value is dropped with it. [`reserve`](Sender::reserve) waits without the value.
    ///
    /// # Errors
    ///
    /// [`SendError`] gives the value back, if the receiver is dropped or closed, now or while this waits.
    #[track_caller]
    pub fn send(&self, value: T) -> impl Future<Output = Result<(), SendError<T>>> {
        let (channel, at) = (&*self.channel, Location::caller());
        async move {
            match channel.room(at).await {
                Ok(room) => channel.put(room, value),
                Err(_) => Err(SendError(value)),
            }
        }
    }

    /// Waits for room for one value, and keeps it free until the [`Room`] is used or dropped.
    ///
    /// Cancel safe: dropping the future gives up its place in line, and the room that it had been given.
    ///
    /// ```
    /// # loopbot::run(async {
    /// let (sender, mut receiver) = loopbot::sync::channel::bounded(1);
    /// let room = sender.reserve().await.unwrap();
    /// room.send("soup").unwrap();
    /// assert_eq!(receiver.recv().await, Some("soup"));
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// [`SendError`], with nothing to give back, if the receiver is dropped or closed, now or while this waits.
    #[track_caller]
    pub fn reserve(&self) -> impl Future<Output = Result<Room<'_, T>, SendError<()>>> {
        let (channel, at) = (&*self.channel, Location::caller());
        async move {
            let room = channel.room(at).await.map_err(|_| SendError(()))?;
            Ok(Room { channel, room })
        }
    }

    /// Puts the value there if there is room and nobody waits for it. In an unbounded channel there always is.
    ///
    /// # Errors
    ///
    /// [`TrySendError`] gives the value back, and says why.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let channel = &self.channel;
        match channel.room.try_acquire(1) {
            Some(room) => channel
                .put(room, value)
                .map_err(|SendError(value)| TrySendError::Closed(value)),
            None if self.is_closed() => Err(TrySendError::Closed(value)),
            None => Err(TrySendError::Full(value)),
        }
    }

    /// Whether nothing can be sent any more, because the receiver is dropped or closed.
    pub fn is_closed(&self) -> bool {
        self.channel.room.is_closed()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        Sender {
            channel: self.channel.clone(),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // This one and the receiver. (Without a receiver it is closed anyway.)
        if Rc::strong_count(&self.channel) == 2 {
            self.channel.close();
        }
    }
}

/// Room for one value in a channel. Dropping it gives it to the next who waits for room.
#[derive(Debug)]
#[must_use = "dropping the room gives it back at once"]
pub struct Room<'a, T> {
    channel: &'a Channel<T>,
    room: Permit<'a>,
}

impl<T> Room<'_, T> {
    /// Puts the value there.
    ///
    /// # Errors
    ///
    /// [`SendError`] gives the value back, if the receiver was dropped or closed meanwhile.
    pub fn send(self, value: T) -> Result<(), SendError<T>> {
        self.channel.put(self.room, value)
    }
}

/// The half that receives. There is one. When it is dropped, the channel is closed, and the values in it are dropped.
#[derive(Debug)]
pub struct Receiver<T> {
    channel: Rc<Channel<T>>,
}

impl<T> Receiver<T> {
    /// Waits for the next value. `None` if the channel is closed and empty: no value can come any more.
    ///
    /// Cancel safe: it takes a value out only when it returns it. A dropped future loses none.
    #[track_caller]
    pub fn recv(&mut self) -> impl Future<Output = Option<T>> + Unpin {
        let at = Location::caller();
        poll_fn(move |cx| self.channel.poll_recv(cx, at))
    }

    /// The same by hand, for a stream: `futures::stream::poll_fn(move |cx| receiver.poll_recv(cx))` is one.
    ///
    /// Only the waker of the last call is woken.
    #[track_caller]
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.channel.poll_recv(cx, Location::caller())
    }

    /// Takes the next value if one lies there.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`] says whether one can still come.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        match self.channel.take() {
            Some(value) => Ok(value),
            None if self.channel.room.is_closed() => Err(TryRecvError::Closed),
            None => Err(TryRecvError::Empty),
        }
    }

    /// From now on nothing can be sent. What lies in the channel can still be received.
    pub fn close(&mut self) {
        self.channel.close();
    }

    /// How many values lie there.
    pub fn len(&self) -> usize {
        self.channel.queue.borrow().len()
    }

    /// Whether no value lies there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.channel.receiver.leave();
        self.channel.close();
        let unread = self.channel.queue.take();
        drop(unread); // When nothing is borrowed any more: values may do anything.
    }
}

/// The value that could not be sent, because the receiver is dropped or closed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(pub T);

/// The value that could not be sent at once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<T> {
    /// There was no room, or others waited for it.
    Full(T),
    /// The receiver is dropped or closed.
    Closed(T),
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// None lies there now.
    Empty,
    /// None lies there, and none can come any more.
    Closed,
}

const CLOSED: &str = "the channel is closed: the receiver takes nothing any more";

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CLOSED)
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySendError::Full(_) => "the channel is full",
            TrySendError::Closed(_) => CLOSED,
        })
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryRecvError::Empty => "the channel is empty",
            TryRecvError::Closed => "the channel is closed and empty: no value can come any more",
        })
    }
}

/// The value need not be `Debug` for `unwrap` and the like.
impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySendError::Full(_) => "Full(..)",
            TrySendError::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> Error for SendError<T> {}
impl<T> Error for TrySendError<T> {}
impl Error for TryRecvError {}
