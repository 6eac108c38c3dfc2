//! What the tests have in common: jobs that are in the test's hands, and waits that have an end.
#![allow(dead_code)] // each test file uses some of it

use std::sync::{Arc, Condvar, Mutex};
use std::task::{Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use offload::{Job, Pool};

/// A job that blocks in here goes on when the test says so.
#[derive(Clone, Default)]
pub struct Door(Arc<(Mutex<bool>, Condvar)>);

impl Door {
    pub fn pass(&self) {
        let (open, opened) = &*self.0;
        let open = open.lock().unwrap();
        let limit = Duration::from_secs(60);
        let (_open, timeout) = opened
            .wait_timeout_while(open, limit, |open| !*open)
            .unwrap();
        assert!(!timeout.timed_out(), "the test never opened this door");
    }

    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

/// A job that is being done when this returns, until the door is opened.
pub fn occupy(pool: &Pool, door: &Door) -> Job<()> {
    let before = pool.metrics().running;
    let door = door.clone();
    let job = pool.spawn_blocking(move || door.pass());
    until("a thread begins the job", || {
        pool.metrics().running > before
    });
    job
}

/// Waits for something that other threads will bring about, and fails if they do not.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "this did not come about: {what}");
        thread::sleep(Duration::from_micros(100));
    }
}

/// Waits for a job's answer, and fails if there is none. `Job::wait` with an end.
pub fn answer<T: 'static>(what: &str, job: Job<T>) -> Result<T, offload::JobError> {
    let mut job = Box::pin(job);
    let mut answer = None;
    let waker = Waker::noop();
    until(what, || {
        let poll = job
            .as_mut()
            .poll(&mut std::task::Context::from_waker(waker));
        if let std::task::Poll::Ready(ready) = poll {
            answer = Some(ready);
        }
        answer.is_some()
    });
    answer.unwrap()
}

/// A waker that counts.
#[derive(Default)]
pub struct Bell(std::sync::atomic::AtomicUsize);

impl Bell {
    pub fn rings(&self) -> usize {
        self.0.load(std::sync::atomic::Ordering::SeqCst)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }
}
