//! A pass between robots: what is put in at one end comes out at the other, in that order.
//!
//! Shaped like [`std::sync::mpsc`], and outside of a check it is that. Inside, sending, receiving
//! and dropping the receiver are steps; dropping a sender is one where somebody could notice that
//! it has not been dropped yet (by `try_recv` or `recv_timeout`). A message hands over what its
//! sender knows; so does the end of the channel, and, where there is a bound, a free place.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

use whatif_engine::{NONE, Op, Place, State, Tag, Visit};

use crate::channel::{self, A_MESSAGE, A_PLACE, A_TAKER, begins_to_wait};

/// A channel that holds any number of messages. See [`std::sync::mpsc::channel`].
///
/// ```
/// let (pass, plates) = whatif::sync::mpsc::channel();
/// let plates = plates.called("the pass");
/// whatif::thread::spawn(move || pass.send("soup").unwrap());
/// assert_eq!(plates.iter().collect::<Vec<_>>(), ["soup"]);
/// ```
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = mpsc::channel();
    let (end, tag) = ends(Location::caller(), None);
    (Sender { end, inner: sender }, Receiver { tag, inner: receiver, back: None })
}

/// A channel that holds no more than `bound` messages: whoever sends one more waits. With a bound
/// of 0 each message is handed over from robot to robot. See [`std::sync::mpsc::sync_channel`].
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (end, tag) = ends(Location::caller(), Some(bound));
    // In a check the floor says who waits; a message that is offered has to lie somewhere.
    let places = if tag.is_on_a_floor() { bound.max(1) } else { bound };
    let (sender, receiver) = mpsc::sync_channel(places);
    let back = Arc::default();
    let back_here = (bound == 0).then(|| Arc::clone(&back));
    let receiver = Receiver { tag, inner: receiver, back: back_here };
    (SyncSender { end, inner: sender, back }, receiver)
}

/// The sending end's, and the receiving end's, share of a new channel.
#[track_caller]
fn ends(at: Place, bound: Option<usize>) -> (SendingEnd, Arc<Tag>) {
    let tag = Arc::new(Tag::with_contents("channel"));
    if let Some(v) = tag.visit(at) {
        v.me.glance(|state| channel::opens(state, &v, bound));
    }
    (SendingEnd { tag: Arc::clone(&tag), number: 0 }, tag)
}

/// What a sender is to the floor. It is dropped before the sender of std.
struct SendingEnd {
    tag: Arc<Tag>,
    /// Tells the senders of one channel apart.
    number: usize,
}

impl Clone for SendingEnd {
    #[track_caller]
    fn clone(&self) -> SendingEnd {
        let tag = Arc::clone(&self.tag);
        let clone = |v: Visit| v.me.glance(|state| channel::clones_sender(state, &v, self.number));
        let number = tag.visit(Location::caller()).map_or(0, clone);
        SendingEnd { tag, number }
    }
}

impl Drop for SendingEnd {
    fn drop(&mut self) {
        if let Some(v) = self.tag.visit(self.tag.made_at) {
            let drops = |state: &mut State| channel::drops_sender(state, &v, self.number);
            v.lets_go("drop a sender of #", drops);
        }
    }
}

/// The end that sends. See [`std::sync::mpsc::Sender`].
pub struct Sender<T> {
    end: SendingEnd,
    inner: mpsc::Sender<T>,
}

impl<T> Sender<T> {
    /// Sends a message. Never waits.
    ///
    /// # Errors
    ///
    /// The message comes back if the receiver is gone.
    #[track_caller]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        if let Some(v) = self.end.tag.visit(Location::caller())
            && !v.step(v.changes("send to #"), |it| channel::sends(it, &v, self.end.number))
        {
            return Err(SendError(message));
        }
        self.inner.send(message)
    }
}

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Sender<T> {
        Sender { end: self.end.clone(), inner: self.inner.clone() }
    }
}

/// The end that sends, where there is a bound. See [`std::sync::mpsc::SyncSender`].
pub struct SyncSender<T> {
    end: SendingEnd,
    inner: mpsc::SyncSender<T>,
    /// A message that was offered, and that the receiver did not want when it left.
    back: Arc<Mutex<Option<T>>>,
}

impl<T> SyncSender<T> {
    /// Sends a message; waits for a place for it. With a bound of 0, waits until it is received.
    ///
    /// # Errors
    ///
    /// The message comes back if the receiver is gone.
    #[track_caller]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        let Some(v) = self.end.tag.visit(Location::caller()) else {
            return self.inner.send(message);
        };
        let sent = |state: &mut State| {
            channel::sends(state, &v, self.end.number).then(|| channel::ticket(state, &v))
        };
        let Some(ticket) = v.step(v.awaits(&A_PLACE, 0), sent) else {
            return Err(SendError(message));
        };
        self.put(message)?;
        if let Some(ticket) = ticket
            && !v.step(v.awaits(&A_TAKER, ticket), |it| channel::hands_over(it, &v, ticket))
        {
            let back = self.back.lock().unwrap_or_else(PoisonError::into_inner).take();
            return Err(SendError(back.expect("who leaves gives back what was offered")));
        }
        Ok(())
    }

    /// Sends a message if there is a place for it; with a bound of 0, if somebody is waiting for
    /// it. Never waits.
    ///
    /// # Errors
    ///
    /// The message comes back if there is no place for it, or if the receiver is gone.
    #[track_caller]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let Some(v) = self.end.tag.visit(Location::caller()) else {
            return self.inner.try_send(message);
        };
        let sent = v.step(v.changes("try to send to #"), |state| {
            let place = channel::has_place(state, &v);
            if !place {
                state.tell(&v, "finds no place in #", NONE);
            }
            place.then(|| channel::sends(state, &v, self.end.number))
        });
        match sent {
            None => Err(TrySendError::Full(message)),
            Some(false) => Err(TrySendError::Disconnected(message)),
            Some(true) => Ok(self.put(message)?),
        }
    }

    /// The floor has said that there is a place.
    fn put(&self, message: T) -> Result<(), SendError<T>> {
        self.inner.try_send(message).map_err(|error| match error {
            TrySendError::Full(message) | TrySendError::Disconnected(message) => SendError(message),
        })
    }
}

impl<T> Clone for SyncSender<T> {
    #[track_caller]
    fn clone(&self) -> SyncSender<T> {
        let back = Arc::clone(&self.back);
        SyncSender { end: self.end.clone(), inner: self.inner.clone(), back }
    }
}

/// The end that receives. See [`std::sync::mpsc::Receiver`].
pub struct Receiver<T> {
    tag: Arc<Tag>,
    inner: mpsc::Receiver<T>,
    /// See `SyncSender::back`.
    back: Option<Arc<Mutex<Option<T>>>>,
}

impl<T> Receiver<T> {
    /// Gives the channel a name for stories: "the pass" instead of "the channel made at
    /// src/lib.rs:7".
    pub fn called(self, name: impl Into<String>) -> Receiver<T> {
        self.tag.call(name);
        if let Some(v) = self.tag.visit(Location::caller()) {
            v.me.glance(|state| state.rename(&v, self.tag.name()));
        }
        self
    }

    /// Waits for a message.
    ///
    /// # Errors
    ///
    /// If the channel is empty and all senders are gone: there will never be one.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.recv_at(Location::caller())
    }

    fn recv_at(&self, at: Place) -> Result<T, RecvError> {
        let Some(v) = self.tag.visit(at) else { return self.inner.recv() };
        begins_to_wait(&v);
        let receives = |state: &mut State| channel::receives(state, &v);
        v.step(v.awaits(&A_MESSAGE, 0), receives).map_err(|_| RecvError)?;
        self.inner.try_recv().map_err(|_| RecvError)
    }

    /// Takes a message if there is one. Never waits.
    ///
    /// # Errors
    ///
    /// If there is none: because the channel is empty, or because there will never be one.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.try_recv_at(Location::caller())
    }

    fn try_recv_at(&self, at: Place) -> Result<T, TryRecvError> {
        if let Some(v) = self.tag.visit(at) {
            v.step(v.changes("look for a message in #"), |state| {
                state.unlock_becomes_step();
                channel::receives(state, &v)
            })?;
        }
        self.inner.try_recv()
    }

    /// Waits for a message, but no longer than this. Inside of a check no time passes: the wait may
    /// be too short as long as there is no message.
    ///
    /// # Errors
    ///
    /// If there was none in time, or if there will never be one.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        let Some(v) = self.tag.visit(Location::caller()) else {
            return self.inner.recv_timeout(timeout);
        };
        begins_to_wait(&v);
        let until = Some(v.me.glance(|state| state.wake_time(timeout)));
        let op = Op::Await { wait: &A_MESSAGE, thing: v.thing, number: 0, until };
        let received = v.step(op, |state| {
            state.unlock_becomes_step();
            channel::receives(state, &v)
        });
        match received {
            Ok(()) => self.inner.try_recv().map_err(|_| RecvTimeoutError::Disconnected),
            Err(TryRecvError::Empty) => Err(RecvTimeoutError::Timeout),
            Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
        }
    }

    /// Waits for one message after the other, until all senders are gone.
    #[track_caller]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self, at: Location::caller() }
    }

    /// Takes one message after the other, until there is none. Never waits.
    #[track_caller]
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self, at: Location::caller() }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Some(v) = self.tag.visit(self.tag.made_at) {
            v.step(v.changes("drop the receiver of #"), |it| channel::drops_receiver(it, &v));
            if let Some(back) = &self.back {
                *back.lock().unwrap_or_else(PoisonError::into_inner) = self.inner.try_recv().ok();
            }
        }
    }
}

/// Waits for one message after the other. See [`Receiver::iter`].
#[derive(Debug)]
pub struct Iter<'a, T> {
    receiver: &'a Receiver<T>,
    at: Place,
}

/// Takes one message after the other. See [`Receiver::try_iter`].
#[derive(Debug)]
pub struct TryIter<'a, T> {
    receiver: &'a Receiver<T>,
    at: Place,
}

/// Waits for one message after the other, and owns the receiver.
#[derive(Debug)]
pub struct IntoIter<T> {
    receiver: Receiver<T>,
    at: Place,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        self.receiver.recv_at(self.at).ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv_at(self.at).ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        self.receiver.recv_at(self.at).ok()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;
    #[track_caller]
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;
    #[track_caller]
    fn into_iter(self) -> IntoIter<T> {
        IntoIter { receiver: self, at: Location::caller() }
    }
}

macro_rules! debug {
    ($($end:ident)*) => {$(
        impl<T> fmt::Debug for $end<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }
    )*};
}

debug!(Sender SyncSender Receiver);
