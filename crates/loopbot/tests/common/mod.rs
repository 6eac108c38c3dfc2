//! What the tests share.
#![allow(dead_code)] // no test file uses all of it

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use flight::{Header, Recorder, VirtualTime};
use loopbot::{Clock, LoopBot};

/// Every wait in these tests ends: a test that would hang fails after this many seconds instead.
/// (In an interpreter, whose clock counts its steps, after many more.)
const PATIENCE: Duration = Duration::from_secs(if cfg!(miri) { 7200 } else { 60 });

/// Runs a test that waits for real threads, and fails if it does not come to an end.
pub fn with_an_end(test: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let body = thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    match is_done.recv_timeout(PATIENCE) {
        Err(RecvTimeoutError::Timeout) => {
            panic!("somebody waits for a wake that did not come within {PATIENCE:?}")
        }
        Ok(()) | Err(RecvTimeoutError::Disconnected) => {
            if let Err(panic) = body.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

/// A LoopBot on virtual time.
pub fn virtual_robot() -> LoopBot {
    LoopBot::builder()
        .clock(Clock::virtual_time(VirtualTime::new()))
        .build()
}

/// A LoopBot on virtual time that is recorded, with its time.
pub fn recorded_robot() -> (LoopBot, Recorder, VirtualTime) {
    let time = VirtualTime::new();
    let recorder = Recorder::new(Header::virtual_time("test", &time));
    let robot = LoopBot::builder()
        .clock(Clock::virtual_time(time.clone()))
        .recorder(recorder.clone())
        .build();
    (robot, recorder, time)
}

/// A list that tasks of one loop write into, and the test reads.
#[derive(Clone, Default)]
pub struct Notes(Rc<RefCell<Vec<String>>>);

impl Notes {
    pub fn new() -> Notes {
        Notes::default()
    }

    pub fn add(&self, note: impl Into<String>) {
        self.0.borrow_mut().push(note.into());
    }

    pub fn all(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

/// Says its name when it is dropped.
pub struct SaysGoodbye(pub &'static str, pub Notes);

impl Drop for SaysGoodbye {
    fn drop(&mut self) {
        self.1.add(self.0);
    }
}

/// The waker of the task that runs.
pub fn own_waker() -> impl Future<Output = Waker> {
    std::future::poll_fn(|cx| Poll::Ready(cx.waker().clone()))
}

/// Pending for ever, and counts its polls.
pub struct CountsPolls(pub Rc<std::cell::Cell<u32>>);

impl Future for CountsPolls {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.0.set(self.0.get() + 1);
        Poll::Pending
    }
}

/// What a task waits for, and where others ring for it.
#[derive(Default)]
pub struct Doorbell {
    rings: AtomicU32,
    waker: Mutex<Option<Waker>>,
}

impl Doorbell {
    pub fn ring(&self) {
        self.rings.fetch_add(1, Ordering::Relaxed);
        if let Some(waker) = self.waker.lock().unwrap().as_ref() {
            waker.wake_by_ref();
        }
    }

    pub fn rings(&self) -> u32 {
        self.rings.load(Ordering::Relaxed)
    }

    pub async fn rung(&self, times: u32) {
        poll_fn(|cx| {
            *self.waker.lock().unwrap() = Some(cx.waker().clone());
            if self.rings.load(Ordering::Relaxed) >= times {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}
