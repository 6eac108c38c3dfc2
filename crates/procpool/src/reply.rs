//! What came back for a job, item by item, and who waits for it.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use serde::de::DeserializeOwned;

use crate::blob::{self, Gifts};
use crate::core::{Payload, Why};
use crate::error::{JobError, WorkerDied};
use crate::frame::Tag;
use crate::os::Descriptor;

/// A job on its way: its arguments, its answers, and who wants them.
pub(crate) struct Order {
    pub(crate) name: &'static str,
    /// What travels with the arguments.
    pub(crate) gifts: Gifts,
    pub(crate) slot: Arc<Slot>,
    /// The answers, and before them, in the same memory, so many bytes of arguments: there may be a million orders.
    reply: Reply,
    args: u32,
}

/// The answers to a job's items, one behind the other, each with a [`Tag`] before it.
#[derive(Default)]
pub(crate) struct Reply {
    bytes: Vec<u8>,
    rare: Option<Box<Rare>>,
}

#[derive(Default)]
struct Rare {
    /// The errors of items that have [`Tag::Lost`], in order.
    errors: Vec<JobError>,
    /// What travelled with the answers that begin at these bytes.
    gifts: Vec<(usize, Vec<Descriptor>)>,
}

impl Order {
    /// Nothing if the arguments have 4 GiB or more.
    pub(crate) fn new(name: &'static str, args: Vec<u8>, gifts: Gifts) -> Option<Order> {
        Some(Order {
            name,
            gifts,
            slot: Slot::new(),
            args: u32::try_from(args.len()).ok()?,
            reply: Reply {
                bytes: args,
                rare: None,
            },
        })
    }

    pub(crate) fn args(&self) -> &[u8] {
        &self.reply.bytes[..self.args as usize]
    }

    /// Adds what the worker answered. `last`: nothing comes after it, so the arguments are not needed any more.
    pub(crate) fn answered(&mut self, bytes: &[u8], gifts: Vec<Descriptor>, last: bool) {
        if last {
            self.forget_args();
        }
        let reply = &mut self.reply;
        if !gifts.is_empty() {
            let at = reply.bytes.len() - self.args as usize;
            reply.rare.get_or_insert_default().gifts.push((at, gifts));
        }
        reply.bytes.extend_from_slice(bytes);
    }

    fn forget_args(&mut self) {
        let args = std::mem::take(&mut self.args);
        self.reply.bytes.drain(..args as usize);
    }

    /// All is answered. Whoever waits is to be woken.
    pub(crate) fn complete(mut self) -> Option<Waker> {
        self.forget_args();
        self.slot.complete(self.reply)
    }
}

impl Payload for Order {
    fn lose(&mut self, items: Range<u32>, why: &Why<'_>) {
        let error = match why {
            Why::Died {
                obituary,
                attempt,
                poisoned,
            } => {
                let last = WorkerDied {
                    job: self.name,
                    attempt: *attempt,
                    pid: obituary.pid,
                    how: obituary.how,
                    stderr_tail: obituary.stderr_tail.clone(),
                };
                match poisoned {
                    true => JobError::Poisoned {
                        attempts: *attempt,
                        last,
                    },
                    false => JobError::WorkerDied(last),
                }
            }
            Why::TimedOut(limit) => JobError::TimedOut { limit: *limit },
            Why::Cancelled => JobError::Cancelled,
            Why::ShutDown => JobError::ShutDown,
            Why::Broken(why) => JobError::Broken((*why).to_owned()),
        };
        for _ in items {
            self.reply.lost(error.clone());
        }
    }
}

impl Reply {
    /// The reply to a job that the pool never took.
    pub(crate) fn refused(error: JobError, items: usize) -> Reply {
        let mut reply = Reply::default();
        for _ in 0..items {
            reply.lost(error.clone());
        }
        reply
    }

    fn lost(&mut self, error: JobError) {
        self.bytes.push(Tag::Lost as u8);
        self.rare.get_or_insert_default().errors.push(error);
    }

    /// The results, one by one.
    pub(crate) fn results(self) -> Results {
        let rare = self.rare.unwrap_or_default();
        Results {
            bytes: self.bytes,
            at: 0,
            errors: rare.errors.into_iter(),
            gifts: rare.gifts.into_iter().peekable(),
        }
    }
}

/// A reply that is being read.
pub(crate) struct Results {
    bytes: Vec<u8>,
    at: usize,
    errors: std::vec::IntoIter<JobError>,
    gifts: std::iter::Peekable<std::vec::IntoIter<(usize, Vec<Descriptor>)>>,
}

impl Results {
    /// The next item's result; `None` after the last one. What cannot be read costs itself, and what comes after it in
    /// the same reply: nobody knows where that begins.
    pub(crate) fn next<R: DeserializeOwned>(&mut self) -> Option<Result<R, JobError>> {
        let gifts = self.gifts.next_if(|(at, _)| *at == self.at);
        let (&tag, bytes) = self.bytes.get(self.at..)?.split_first()?;
        let read = match Tag::from(tag) {
            Some(Tag::Value) => {
                let gifts = gifts.map_or(Vec::new(), |(_, gifts)| gifts);
                blob::reading(gifts, || postcard::take_from_bytes(bytes))
                    .map(|(value, rest)| (Ok(value), rest))
            }
            Some(Tag::Panicked) => postcard::take_from_bytes(bytes)
                .map(|(panic, rest)| (Err(JobError::Panicked(panic)), rest)),
            Some(Tag::Encode) => postcard::take_from_bytes(bytes)
                .map(|(why, rest)| (Err(JobError::Encode(why)), rest)),
            Some(Tag::Decode) => postcard::take_from_bytes(bytes)
                .map(|(why, rest)| (Err(JobError::Decode(why)), rest)),
            Some(Tag::Lost) => {
                let missing = || JobError::Decode("an error is missing".to_owned());
                Ok((Err(self.errors.next().unwrap_or_else(missing)), bytes))
            }
            None => Err(postcard::Error::DeserializeBadEncoding),
        };
        Some(match read {
            Ok((result, rest)) => {
                self.at = self.bytes.len() - rest.len();
                result
            }
            Err(error) => Err(JobError::Decode(format!("the result: {error}"))),
        })
    }
}

/// Where a reply is laid down for whoever waits for it.
pub(crate) struct Slot(Mutex<State>);

enum State {
    Waiting(Option<Waker>),
    Done(Reply),
    Taken,
}

impl Slot {
    pub(crate) fn new() -> Arc<Slot> {
        Arc::new(Slot(Mutex::new(State::Waiting(None))))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lays down the reply. Whoever waits is to be woken.
    pub(crate) fn complete(&self, reply: Reply) -> Option<Waker> {
        match std::mem::replace(&mut *self.lock(), State::Done(reply)) {
            State::Waiting(waker) => waker,
            State::Done(_) | State::Taken => None,
        }
    }

    /// The reply, once. Otherwise remembers whom to wake.
    pub(crate) fn take_or_wait(&self, waker: Option<&Waker>) -> Option<Reply> {
        let mut state = self.lock();
        if let State::Waiting(waiting) = &mut *state {
            let before = match (waker, &*waiting) {
                (Some(waker), Some(same)) if same.will_wake(waker) => None,
                (Some(waker), _) => waiting.replace(waker.clone()),
                (None, _) => None,
            };
            drop(state);
            drop(before); // its owner's code may run here
            return None;
        }
        match std::mem::replace(&mut *state, State::Taken) {
            State::Done(reply) => Some(reply),
            State::Waiting(_) | State::Taken => None,
        }
    }

    /// Nobody waits any more: nobody is to be woken.
    pub(crate) fn forget(&self) {
        let mut state = self.lock();
        let waker = match &mut *state {
            State::Waiting(waker) => waker.take(),
            State::Done(_) | State::Taken => None,
        };
        drop(state);
        drop(waker); // its owner's code may run here
    }

    pub(crate) fn is_done(&self) -> bool {
        !matches!(*self.lock(), State::Waiting(_))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};
    use std::task::{Wake, Waker};
    use std::thread;
    use std::time::Duration;

    use super::Slot;

    /// A waker whose end runs its owner's code, which looks at the slot: a task that goes with its last waker, say.
    struct Looks(Arc<Slot>);

    impl Wake for Looks {
        fn wake(self: Arc<Self>) {}
    }

    impl Drop for Looks {
        fn drop(&mut self) {
            assert!(!self.0.is_done());
        }
    }

    #[test]
    fn a_waker_that_is_replaced_may_look_at_the_slot() {
        let (done, is_done) = mpsc::channel();
        thread::spawn(move || {
            let slot = Slot::new();
            let first = Waker::from(Arc::new(Looks(Arc::clone(&slot))));
            slot.take_or_wait(Some(&first));
            drop(first); // the slot has the last one
            slot.take_or_wait(Some(Waker::noop()));
            done.send(())
        });
        let ended = is_done.recv_timeout(Duration::from_secs(60));
        assert_eq!(ended, Ok(()), "it waits for a lock that it holds");
    }
}
