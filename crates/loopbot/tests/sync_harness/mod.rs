//! Tasks by hand: each is polled when the test says so, or when it was woken. No executor, no clock, no threads.
#![allow(dead_code)] // no test file uses all of it

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Counts how often it is rung.
#[derive(Default)]
pub struct Bell(AtomicU32);

impl Bell {
    pub fn rings(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A future with a bell of its own. It must not be polled again once it is done.
pub struct Task<'a, T> {
    future: Option<Pin<Box<dyn Future<Output = T> + 'a>>>,
    bell: Arc<Bell>,
    heard: u32,
}

impl<'a, T> Task<'a, T> {
    pub fn new(future: impl Future<Output = T> + 'a) -> Task<'a, T> {
        Task {
            future: Some(Box::pin(future)),
            bell: Arc::default(),
            heard: 0,
        }
    }

    /// Polls it once. If it is done, it is dropped.
    pub fn poll(&mut self) -> Poll<T> {
        self.heard = self.bell.rings();
        let waker = Waker::from(self.bell.clone());
        let future = self.future.as_mut().expect("it is not done yet");
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        if polled.is_ready() {
            self.future = None;
        }
        polled
    }

    /// Polls it once, and it has to be done then.
    #[track_caller]
    pub fn done(&mut self) -> T {
        match self.poll() {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("this should be done in this poll"),
        }
    }

    /// Polls it once, and it has to wait.
    #[track_caller]
    pub fn waits(&mut self) {
        assert!(self.poll().is_pending(), "this should have to wait");
    }

    /// Whether it was woken since its last poll.
    pub fn is_woken(&self) -> bool {
        self.bell.rings() > self.heard
    }

    pub fn is_over(&self) -> bool {
        self.future.is_none()
    }
}

/// Polls tasks one after the other, each when it was woken, as an executor would. Before step `moment` it drops
/// the task `victim`. Returns the number of steps, and which tasks never came to their end.
pub fn run(
    mut tasks: Vec<Task<'_, ()>>,
    victim: Option<usize>,
    moment: usize,
) -> (usize, Vec<usize>) {
    let mut first_polls = 0;
    let mut next = 0;
    for step in 0.. {
        assert!(step < 10_000, "these tasks wake one another for ever");
        if step == moment
            && let Some(victim) = victim
        {
            tasks[victim].future = None;
        }
        let count = tasks.len();
        // All get their first poll in order; after that, whoever was woken, in turn.
        let ready =
            |task: usize| !tasks[task].is_over() && (first_polls < count || tasks[task].is_woken());
        let Some(task) = (next..next + count)
            .map(|task| task % count)
            .find(|task| ready(*task))
        else {
            if step < moment && victim.is_some() {
                continue; // It still is to be dropped, and may leave something to the others then.
            }
            let stuck = (0..count).filter(|task| !tasks[*task].is_over());
            return (step, stuck.collect());
        };
        first_polls += 1;
        next = task + 1;
        let _ = tasks[task].poll();
    }
    unreachable!()
}

/// Runs a scene once for each of its tasks and each moment, and drops that task at that moment: before its first
/// poll, between a wake and the poll, while it holds what it got. Whoever is left must come to its end. `after` looks at what is left.
pub fn drop_anybody_at_any_time<S>(
    set: impl Fn() -> S,
    scene: impl for<'a> Fn(&'a S) -> Vec<Task<'a, ()>>,
    after: impl Fn(&S),
) {
    let undisturbed = set();
    let (steps, stuck) = run(scene(&undisturbed), None, 0);
    assert!(
        stuck.is_empty(),
        "with nobody dropped, {stuck:?} never come to an end"
    );
    after(&undisturbed);
    let count = scene(&undisturbed).len();
    for victim in 0..count {
        for moment in 0..=steps {
            let set = set();
            let (_, stuck) = run(scene(&set), Some(victim), moment);
            assert!(
                stuck.is_empty(),
                "task {victim} is dropped before step {moment}, and {stuck:?} never come to an end"
            );
            after(&set);
        }
    }
}

/// Polls a future so many times at most, and drops it if it is not done then.
pub async fn at_most<T>(polls: u32, future: impl Future<Output = T>) -> Option<T> {
    let mut future = Box::pin(future);
    let mut left = polls;
    std::future::poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
