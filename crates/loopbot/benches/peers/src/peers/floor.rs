//! Not an executor: the least that could be done, as a measure for the others.
//!
//! A ring of task numbers, one allocation per task, wakers that are numbers. It keeps no promise that an
//! executor has to keep: a panic takes everything down, a waker that is kept too long wakes whoever has the
//! number now, there is one run in the whole process, and another thread's wake goes through one lock.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::ptr;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use std::thread::{self, Thread};

use crate::peer::Peer;

pub struct Floor;

thread_local! {
    static RUNS_HERE: Cell<bool> = const { Cell::new(false) };
    static TASKS: RefCell<Vec<Slot>> = const { RefCell::new(Vec::new()) };
    static FREE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    static READY: RefCell<VecDeque<usize>> = const { RefCell::new(VecDeque::new()) };
}

static FROM_OUTSIDE: Mutex<Outside> = Mutex::new(Outside {
    woken: Vec::new(),
    parked: None,
});
static ANY_FROM_OUTSIDE: AtomicBool = AtomicBool::new(false);

struct Outside {
    woken: Vec<usize>,
    parked: Option<Thread>,
}

struct Slot {
    task: Option<Rc<dyn Run>>,
    queued: bool,
}

impl Peer for Floor {
    type Join<T: Unpin + 'static> = Join<T>;

    fn run<F: Future + 'static>(main: F) -> F::Output
    where
        F::Output: Unpin + 'static,
    {
        TASKS.take();
        FREE.take();
        READY.take();
        FROM_OUTSIDE.lock().unwrap().woken.clear();
        RUNS_HERE.set(true);
        let mut main = pin!(Self::spawn(main));
        loop {
            while let Some(number) = READY.with_borrow_mut(VecDeque::pop_front) {
                let task = TASKS.with_borrow_mut(|tasks| {
                    tasks[number].queued = false;
                    tasks[number].task.clone()
                });
                let waker = waker(number);
                if task.is_some_and(|task| task.run(&mut Context::from_waker(&waker))) {
                    TASKS.with_borrow_mut(|tasks| tasks[number].task.take());
                    FREE.with_borrow_mut(|free| free.push(number));
                }
                take_from_outside();
            }
            if let Poll::Ready(output) = main.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            {
                RUNS_HERE.set(false);
                return output;
            }
            park();
        }
    }

    fn spawn<F: Future + 'static>(future: F) -> Join<F::Output>
    where
        F::Output: Unpin + 'static,
    {
        let task = Rc::new(Task {
            body: RefCell::new(Body::Running(future)),
            joiner: Cell::new(None),
        });
        let slot = Slot {
            task: Some(task.clone()),
            queued: true,
        };
        let free = FREE.with_borrow_mut(Vec::pop);
        let number = TASKS.with_borrow_mut(|tasks| match free {
            Some(number) => {
                tasks[number] = slot;
                number
            }
            None => {
                tasks.push(slot);
                tasks.len() - 1
            }
        });
        READY.with_borrow_mut(|ready| ready.push_back(number));
        Join(task)
    }
}

struct Task<F: Future> {
    body: RefCell<Body<F>>,
    joiner: Cell<Option<Waker>>,
}

enum Body<F: Future> {
    Running(F),
    Done(F::Output),
    Taken,
}

trait Run {
    /// Polls, and says whether the task is done.
    fn run(&self, cx: &mut Context<'_>) -> bool;
}

impl<F: Future> Run for Task<F> {
    fn run(&self, cx: &mut Context<'_>) -> bool {
        let mut body = self.body.borrow_mut();
        let Body::Running(future) = &mut *body else {
            return true;
        };
        // SAFETY: the future lives in an `Rc` that never gives it away; it is overwritten where it lies.
        let Poll::Ready(output) = unsafe { Pin::new_unchecked(future) }.poll(cx) else {
            return false;
        };
        *body = Body::Done(output);
        if let Some(joiner) = self.joiner.take() {
            joiner.wake();
        }
        true
    }
}

trait Output<T> {
    fn take(&self, cx: &mut Context<'_>) -> Poll<T>;
}

impl<F: Future> Output<F::Output> for Task<F> {
    fn take(&self, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut body = self.body.borrow_mut();
        if let Body::Running(_) = *body {
            self.joiner.set(Some(cx.waker().clone()));
            return Poll::Pending;
        }
        match std::mem::replace(&mut *body, Body::Taken) {
            Body::Done(output) => Poll::Ready(output),
            _ => panic!("joined twice"),
        }
    }
}

pub struct Join<T>(Rc<dyn Output<T>>);

impl<T> Future for Join<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.0.take(cx)
    }
}

fn waker(number: usize) -> Waker {
    const TABLE: RawWakerVTable = RawWakerVTable::new(
        |number| RawWaker::new(number, &TABLE),
        |number| wake(number.addr()),
        |number| wake(number.addr()),
        |_| {},
    );
    // SAFETY: the data is a number, not a pointer; every function of the table may be called at any
    // time on any thread.
    unsafe { Waker::new(ptr::without_provenance(number), &TABLE) }
}

fn wake(number: usize) {
    if !RUNS_HERE.get() {
        let mut outside = FROM_OUTSIDE.lock().unwrap();
        outside.woken.push(number);
        ANY_FROM_OUTSIDE.store(true, Ordering::Release);
        if let Some(thread) = outside.parked.take() {
            thread.unpark();
        }
        return;
    }
    let newly = TASKS.with_borrow_mut(|tasks| {
        tasks
            .get_mut(number)
            .is_some_and(|slot| !std::mem::replace(&mut slot.queued, true))
    });
    if newly {
        READY.with_borrow_mut(|ready| ready.push_back(number));
    }
}

fn take_from_outside() {
    if ANY_FROM_OUTSIDE.load(Ordering::Relaxed) {
        ANY_FROM_OUTSIDE.store(false, Ordering::Relaxed);
        let woken = std::mem::take(&mut FROM_OUTSIDE.lock().unwrap().woken);
        woken.into_iter().for_each(wake);
    }
}

fn park() {
    let mut outside = FROM_OUTSIDE.lock().unwrap();
    if outside.woken.is_empty() {
        outside.parked = Some(thread::current());
        drop(outside);
        thread::park();
    } else {
        drop(outside);
    }
    take_from_outside();
}
