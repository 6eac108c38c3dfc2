//! Random sequences of operations, polls and drops, beside a model that is too plain to be wrong.

mod sync_harness;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Poll;

use loopbot::sync::channel::{self, TryRecvError, TrySendError};
use loopbot::sync::{Closed, Condition, Event, Mutex, Permit, RwLock, Semaphore, watch};
use loopbot::yield_now;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use sync_harness::{Task, run};

#[derive(Clone, Debug)]
enum OnSemaphore {
    Acquire(usize),
    TryAcquire(usize),
    Poll(Index),
    /// Of a future, at any time.
    Drop(Index),
    /// Of a permit.
    Release(Index),
    Forget(Index),
    Add(usize),
    Close,
}

fn on_semaphore() -> impl Strategy<Value = OnSemaphore> {
    use OnSemaphore::*;
    let index = any::<Index>;
    prop_oneof![
        6 => (0usize..5).prop_map(Acquire),
        2 => (0usize..5).prop_map(TryAcquire),
        6 => index().prop_map(Poll),
        3 => index().prop_map(Drop),
        4 => index().prop_map(Release),
        1 => index().prop_map(Forget),
        2 => (0usize..4).prop_map(Add),
        1 => Just(Close),
    ]
}

/// How a request stands, in the model.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Request {
    InLine,
    Granted,
    Refused,
}

/// Requests in the order in which they came, and what is left to give.
#[derive(Default)]
struct Line {
    free: usize,
    closed: bool,
    requests: Vec<(usize, Request)>,
}

impl Line {
    fn nobody_waits(&self) -> bool {
        self.requests.iter().all(|(_, how)| *how != Request::InLine)
    }

    fn serve(&mut self) {
        for (permits, how) in &mut self.requests {
            if *how == Request::InLine {
                if *permits > self.free {
                    return; // And so does everybody behind.
                }
                self.free -= *permits;
                *how = Request::Granted;
            }
        }
    }
}

type Acquiring<'a> = Task<'a, Result<Permit<'a>, Closed>>;

proptest! {
    #[test]
    fn semaphore(permits in 0usize..5, operations in vec(on_semaphore(), 0..60)) {
        let semaphore = Semaphore::new(permits);
        let mut line = Line { free: permits, ..Line::default() };
        let mut waiting: Vec<Acquiring> = Vec::new();
        let mut held: Vec<(Permit, usize)> = Vec::new();
        for operation in operations {
            match operation {
                OnSemaphore::Acquire(permits) => {
                    let mut task = Task::new(semaphore.acquire(permits));
                    let polled = task.poll();
                    if line.closed {
                        prop_assert!(matches!(polled, Poll::Ready(Err(_))));
                    } else if line.nobody_waits() && permits <= line.free {
                        line.free -= permits;
                        let Poll::Ready(Ok(permit)) = polled else {
                            panic!("there are enough, and nobody waits");
                        };
                        held.push((permit, permits));
                    } else {
                        prop_assert!(polled.is_pending());
                        line.requests.push((permits, Request::InLine));
                        waiting.push(task);
                    }
                }
                OnSemaphore::TryAcquire(permits) => {
                    let possible = !line.closed && line.nobody_waits() && permits <= line.free;
                    let permit = semaphore.try_acquire(permits);
                    prop_assert_eq!(permit.is_some(), possible);
                    if let Some(permit) = permit {
                        line.free -= permits;
                        held.push((permit, permits));
                    }
                }
                OnSemaphore::Poll(index) if !waiting.is_empty() => {
                    let index = index.index(waiting.len());
                    let (permits, how) = line.requests[index];
                    match waiting[index].poll() {
                        Poll::Pending => prop_assert_eq!(how, Request::InLine),
                        Poll::Ready(Ok(permit)) => {
                            prop_assert_eq!(how, Request::Granted);
                            held.push((permit, permits));
                        }
                        Poll::Ready(Err(_)) => prop_assert_eq!(how, Request::Refused),
                    }
                    if how != Request::InLine {
                        waiting.remove(index);
                        line.requests.remove(index);
                    }
                }
                OnSemaphore::Drop(index) if !waiting.is_empty() => {
                    let index = index.index(waiting.len());
                    drop(waiting.remove(index));
                    if let (permits, Request::Granted) = line.requests.remove(index) {
                        line.free += permits;
                    }
                    line.serve();
                }
                OnSemaphore::Release(index) if !held.is_empty() => {
                    let (permit, permits) = held.remove(index.index(held.len()));
                    drop(permit);
                    line.free += permits;
                    line.serve();
                }
                OnSemaphore::Forget(index) if !held.is_empty() => {
                    held.remove(index.index(held.len())).0.forget();
                }
                OnSemaphore::Add(permits) => {
                    semaphore.add_permits(permits);
                    line.free += permits;
                    line.serve();
                }
                OnSemaphore::Close => {
                    semaphore.close();
                    line.closed = true;
                    for (permits, how) in &mut line.requests {
                        if *how == Request::InLine {
                            // Nothing of it is left to refuse if it asked for nothing.
                            *how = if *permits == 0 { Request::Granted } else { Request::Refused };
                        }
                    }
                }
                _ => {}
            }
            prop_assert_eq!(semaphore.available_permits(), line.free);
            prop_assert_eq!(semaphore.is_closed(), line.closed);
            for (task, (permits, how)) in waiting.iter().zip(&line.requests) {
                prop_assert_eq!(task.is_woken(), *how != Request::InLine, "for {} permits: {:?}", permits, how);
            }
        }
    }
}

#[derive(Clone, Debug)]
enum OnChannel {
    Send,
    TrySend,
    /// Of a `send` that waits.
    Poll(Index),
    Drop(Index),
    /// One poll of a `recv`, which is dropped if there is nothing.
    Recv,
    TryRecv,
    Close,
    DropReceiver,
}

fn on_channel() -> impl Strategy<Value = OnChannel> {
    use OnChannel::*;
    prop_oneof![
        8 => Just(Send),
        3 => Just(TrySend),
        6 => any::<Index>().prop_map(Poll),
        3 => any::<Index>().prop_map(Drop),
        5 => Just(Recv),
        3 => Just(TryRecv),
        1 => Just(Close),
        1 => Just(DropReceiver),
    ]
}

proptest! {
    #[test]
    fn bounded_channel(capacity in 1usize..4, operations in vec(on_channel(), 0..80)) {
        let (sender, receiver) = channel::bounded::<Rc<u32>>(capacity);
        let mut receiver = Some(receiver);
        let mut sending: Vec<Task<Result<(), channel::SendError<Rc<u32>>>>> = Vec::new();
        let mut line = Line { free: capacity, ..Line::default() };
        let mut values_in_line: Vec<u32> = Vec::new();
        let mut queue: VecDeque<u32> = VecDeque::new();
        for (number, operation) in operations.into_iter().enumerate() {
            let number = number as u32;
            match operation {
                OnChannel::Send => {
                    let mut task = Task::new(sender.send(Rc::new(number)));
                    match task.poll() {
                        Poll::Ready(Err(error)) => {
                            prop_assert!(line.closed);
                            prop_assert_eq!(*error.0, number, "the value comes back");
                        }
                        Poll::Ready(Ok(())) => {
                            prop_assert!(!line.closed && line.nobody_waits() && line.free > 0);
                            line.free -= 1;
                            queue.push_back(number);
                        }
                        Poll::Pending => {
                            prop_assert!(!line.closed && (!line.nobody_waits() || line.free == 0));
                            line.requests.push((1, Request::InLine));
                            sending.push(task);
                            values_in_line.push(number);
                        }
                    }
                }
                OnChannel::TrySend => match sender.try_send(Rc::new(number)) {
                    Ok(()) => {
                        prop_assert!(!line.closed && line.nobody_waits() && line.free > 0);
                        line.free -= 1;
                        queue.push_back(number);
                    }
                    Err(TrySendError::Full(value)) => {
                        prop_assert!(!line.closed && (!line.nobody_waits() || line.free == 0));
                        prop_assert_eq!(*value, number);
                    }
                    Err(TrySendError::Closed(value)) => {
                        prop_assert!(line.closed);
                        prop_assert_eq!(*value, number);
                    }
                },
                OnChannel::Poll(index) if !sending.is_empty() => {
                    let index = index.index(sending.len());
                    let how = line.requests[index].1;
                    match sending[index].poll() {
                        Poll::Pending => prop_assert_eq!(how, Request::InLine),
                        Poll::Ready(Ok(())) => {
                            prop_assert!(how == Request::Granted && !line.closed);
                            queue.push_back(values_in_line[index]);
                        }
                        Poll::Ready(Err(error)) => {
                            prop_assert!(line.closed);
                            prop_assert_eq!(*error.0, values_in_line[index], "the value comes back");
                        }
                    }
                    if how != Request::InLine {
                        sending.remove(index);
                        line.requests.remove(index);
                        values_in_line.remove(index);
                    }
                }
                OnChannel::Drop(index) if !sending.is_empty() => {
                    let index = index.index(sending.len());
                    drop(sending.remove(index));
                    values_in_line.remove(index);
                    if line.requests.remove(index).1 == Request::Granted {
                        line.free += 1;
                    }
                    line.serve();
                }
                OnChannel::Recv => {
                    if let Some(receiver) = &mut receiver {
                        let polled = Task::new(receiver.recv()).poll();
                        let polled = polled.map(|value| value.map(|value| *value));
                        let expected = match queue.pop_front() {
                            Some(value) => Poll::Ready(Some(value)),
                            None if line.closed => Poll::Ready(None),
                            None => Poll::Pending,
                        };
                        prop_assert_eq!(polled, expected);
                        if matches!(expected, Poll::Ready(Some(_))) {
                            line.free += 1;
                            line.serve();
                        }
                    }
                }
                OnChannel::TryRecv => {
                    if let Some(receiver) = &mut receiver {
                        let expected = match queue.pop_front() {
                            Some(value) => Ok(value),
                            None if line.closed => Err(TryRecvError::Closed),
                            None => Err(TryRecvError::Empty),
                        };
                        prop_assert_eq!(receiver.try_recv().map(|value| *value), expected);
                        if expected.is_ok() {
                            line.free += 1;
                            line.serve();
                        }
                    }
                }
                OnChannel::Close | OnChannel::DropReceiver => {
                    if let Some(receiver) = &mut receiver {
                        receiver.close();
                    }
                    if matches!(operation, OnChannel::DropReceiver) {
                        receiver = None;
                        queue.clear();
                    }
                    line.closed = true;
                    for (_, how) in &mut line.requests {
                        if *how == Request::InLine {
                            *how = Request::Refused;
                        }
                    }
                }
                _ => {}
            }
            prop_assert_eq!(sender.is_closed(), line.closed);
            if let Some(receiver) = &receiver {
                prop_assert_eq!(receiver.len(), queue.len());
            }
            for (task, (_, how)) in sending.iter().zip(&line.requests) {
                prop_assert_eq!(task.is_woken(), *how != Request::InLine);
            }
        }
    }
}

#[derive(Clone, Debug)]
enum OnNews {
    Wait,
    Poll(Index),
    Drop(Index),
    /// `Event::set`, `Condition::notify_all`.
    All,
    /// `Event::clear`, `Condition::notify_one`.
    Other,
}

fn on_news() -> impl Strategy<Value = OnNews> {
    use OnNews::*;
    prop_oneof![
        6 => Just(Wait),
        6 => any::<Index>().prop_map(Poll),
        3 => any::<Index>().prop_map(Drop),
        2 => Just(All),
        3 => Just(Other),
    ]
}

proptest! {
    #[test]
    fn event(operations in vec(on_news(), 0..60)) {
        let event = Event::new();
        let mut is_set = false;
        let mut waiting: Vec<(Task<()>, bool)> = Vec::new();
        for operation in operations {
            match operation {
                OnNews::Wait => {
                    let mut task = Task::new(event.wait());
                    prop_assert_eq!(task.poll().is_ready(), is_set);
                    if !is_set {
                        waiting.push((task, false));
                    }
                }
                OnNews::Poll(index) if !waiting.is_empty() => {
                    let index = index.index(waiting.len());
                    let (task, called) = &mut waiting[index];
                    prop_assert_eq!(task.poll().is_ready(), *called);
                    if *called {
                        waiting.remove(index);
                    }
                }
                OnNews::Drop(index) if !waiting.is_empty() => {
                    waiting.remove(index.index(waiting.len()));
                }
                OnNews::All => {
                    event.set();
                    is_set = true;
                    waiting.iter_mut().for_each(|(_, called)| *called = true);
                }
                OnNews::Other => {
                    event.clear();
                    is_set = false;
                }
                _ => {}
            }
            prop_assert_eq!(event.is_set(), is_set);
            for (task, called) in &waiting {
                prop_assert_eq!(task.is_woken(), *called);
            }
        }
    }

    #[test]
    fn condition(operations in vec(on_news(), 0..60)) {
        #[derive(Clone, Copy, Debug, PartialEq)]
        enum How { Waits, CalledAsOne, CalledWithAll }
        fn call_one(waiting: &mut [(Task<()>, How)]) {
            if let Some((_, how)) = waiting.iter_mut().find(|(_, how)| *how == How::Waits) {
                *how = How::CalledAsOne;
            }
        }
        let (mutex, condition) = (Mutex::new(()), Condition::new());
        let mut waiting: Vec<(Task<()>, How)> = Vec::new();
        for operation in operations {
            match operation {
                OnNews::Wait => {
                    let guard = mutex.try_lock().expect("nobody holds it between the operations");
                    let wait = condition.wait(guard);
                    let mut task = Task::new(async { drop(wait.await) });
                    prop_assert!(task.poll().is_pending());
                    waiting.push((task, How::Waits));
                }
                OnNews::Poll(index) if !waiting.is_empty() => {
                    let index = index.index(waiting.len());
                    let (task, how) = &mut waiting[index];
                    prop_assert_eq!(task.poll().is_ready(), *how != How::Waits);
                    if *how != How::Waits {
                        waiting.remove(index);
                    }
                }
                OnNews::Drop(index) if !waiting.is_empty() => {
                    let (task, how) = waiting.remove(index.index(waiting.len()));
                    drop(task);
                    if how == How::CalledAsOne {
                        call_one(&mut waiting);
                    }
                }
                OnNews::All => {
                    condition.notify_all();
                    for (_, how) in &mut waiting {
                        if *how == How::Waits {
                            *how = How::CalledWithAll;
                        }
                    }
                }
                OnNews::Other => {
                    condition.notify_one();
                    call_one(&mut waiting);
                }
                _ => {}
            }
            for (task, how) in &waiting {
                prop_assert_eq!(task.is_woken(), *how != How::Waits);
            }
        }
    }

    #[test]
    fn watch_tells_every_receiver_of_the_last_change(
        operations in vec((0u8..4, any::<Index>()), 0..60)
    ) {
        let (sender, first) = watch::channel(0);
        let mut receivers = vec![(first, 0)]; // and which value each was told of last
        let mut value = 0;
        for (operation, index) in operations {
            let index = index.index(receivers.len());
            let (receiver, told) = &mut receivers[index];
            match operation {
                0 => {
                    value += 1;
                    sender.send(value).unwrap();
                }
                1 => {
                    prop_assert_eq!(Task::new(receiver.changed()).poll().is_ready(), *told != value);
                    *told = value;
                }
                2 => {
                    prop_assert_eq!(*receiver.borrow_and_update(), value);
                    *told = value;
                }
                _ => {
                    let another = (receiver.clone(), *told);
                    receivers.push(another);
                }
            }
            prop_assert_eq!(sender.receivers(), receivers.len());
            for (receiver, told) in &receivers {
                prop_assert_eq!(*receiver.borrow(), value);
                prop_assert_eq!(receiver.has_changed(), *told != value);
            }
        }
    }

    /// Random readers and writers, one of them dropped at a random moment.
    #[test]
    fn rwlock(
        jobs in vec((any::<bool>(), any::<bool>(), 0u8..3), 1..8),
        victim in any::<Index>(),
        moment in 0usize..40,
    ) {
        let lock = RwLock::new(0u32);
        // Who has it now: so many readers, so many writers.
        let inside = RefCell::new((0, 0));
        struct Inside<'a>(&'a RefCell<(i32, i32)>, (i32, i32));
        impl<'a> Inside<'a> {
            fn new(inside: &'a RefCell<(i32, i32)>, who: (i32, i32)) -> Inside<'a> {
                let mut now = inside.borrow_mut();
                *now = (now.0 + who.0, now.1 + who.1);
                assert!(now.1 == 0 || *now == (0, 1), "{} read, {} write", now.0, now.1);
                Inside(inside, who)
            }
        }
        impl Drop for Inside<'_> {
            fn drop(&mut self) {
                let mut now = self.0.borrow_mut();
                *now = (now.0 - self.1.0, now.1 - self.1.1);
            }
        }
        let (lock, inside) = (&lock, &inside);
        let task = |&(writes, downgrades, stays): &(bool, bool, u8)| {
            Task::new(async move {
                for _ in 0..2 {
                    if writes {
                        let mut guard = lock.write().await;
                        let here = Inside::new(inside, (0, 1));
                        *guard += 1;
                        for _ in 0..stays {
                            yield_now().await;
                        }
                        drop(here);
                        if downgrades {
                            let _guard = guard.downgrade();
                            let _here = Inside::new(inside, (1, 0));
                            yield_now().await;
                        }
                    } else {
                        let _guard = lock.read().await;
                        let _here = Inside::new(inside, (1, 0));
                        for _ in 0..stays {
                            yield_now().await;
                        }
                    }
                }
            })
        };
        let tasks: Vec<_> = jobs.iter().map(task).collect();
        let victim = victim.index(tasks.len());
        let (_, stuck) = run(tasks, Some(victim), moment);
        prop_assert!(stuck.is_empty(), "{:?} never get the lock", stuck);
        prop_assert!(lock.try_write().is_some());
    }
}
