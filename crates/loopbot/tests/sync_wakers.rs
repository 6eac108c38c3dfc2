//! A waker may be anybody's, and do anything when it is cloned, called or dropped: here it uses the very primitive
//! that holds it. Nothing may be borrowed then, and nobody may be forgotten.
#![allow(unsafe_code)] // A waker that notices its clones cannot be made without.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};

use loopbot::sync::{Barrier, Condition, Event, Mutex, RwLock, Semaphore, channel, oneshot, watch};

/// What happens to a waker.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    Cloned,
    Called,
    Dropped,
}

type Hook = Rc<dyn Fn(Moment)>;

thread_local! {
    /// What the wakers of this test do, and how often they did it.
    static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    static POKES: Cell<u32> = const { Cell::new(0) };
}

fn poke(moment: Moment) {
    // Taken out while it runs: the wakers that it uses itself are plain.
    let hook = HOOK.take();
    if let Some(hook) = hook {
        POKES.set(POKES.get() + 1);
        hook(moment);
        HOOK.set(Some(hook));
    }
}

static NOSY: RawWakerVTable = RawWakerVTable::new(
    |rings| {
        poke(Moment::Cloned);
        // SAFETY: `rings` is from `Arc::into_raw`, and the waker that is cloned holds one count.
        unsafe { Arc::increment_strong_count(rings.cast::<AtomicU32>()) };
        RawWaker::new(rings, &NOSY)
    },
    |rings| {
        // SAFETY: as above; this count is used up here.
        let rings = unsafe { Arc::from_raw(rings.cast::<AtomicU32>()) };
        rings.fetch_add(1, Ordering::Relaxed);
        poke(Moment::Called);
    },
    |rings| {
        // SAFETY: as above; this count is not ours to drop.
        let rings = ManuallyDrop::new(unsafe { Arc::from_raw(rings.cast::<AtomicU32>()) });
        rings.fetch_add(1, Ordering::Relaxed);
        poke(Moment::Called);
    },
    |rings| {
        poke(Moment::Dropped);
        // SAFETY: as above; this count is used up here.
        drop(unsafe { Arc::from_raw(rings.cast::<AtomicU32>()) });
    },
);

/// A waker that pokes, and how often it was called.
fn nosy() -> (Waker, Arc<AtomicU32>) {
    let rings = Arc::new(AtomicU32::new(0));
    let data = Arc::into_raw(rings.clone());
    // SAFETY: the functions of `NOSY` keep the counts of an `Arc`, and an `AtomicU32` may be used from any thread.
    let waker = unsafe { Waker::from_raw(RawWaker::new(data.cast(), &NOSY)) };
    (waker, rings)
}

/// Runs a scene, in which every clone, call and drop of a waker runs `hook`.
fn with_hook<R>(hook: impl Fn(Moment) + 'static, scene: impl FnOnce() -> R) -> R {
    HOOK.set(Some(Rc::new(hook)));
    POKES.set(0);
    let output = scene();
    assert!(
        POKES.get() > 0,
        "the waker was never cloned, called or dropped"
    );
    HOOK.set(None);
    output
}

/// One poll with a nosy waker of its own.
fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    let (waker, _) = nosy();
    future.poll(&mut Context::from_waker(&waker))
}

/// Polls, and drops at once.
fn glance<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// A future that waits, is polled by another task, is called; and another that waits and gives up.
fn wait_in_every_way<T>(wait: impl Fn() -> Pin<Box<dyn Future<Output = T>>>, call: impl Fn()) {
    let mut both = [Some(wait()), Some(wait())];
    let poll = |slot: &mut Option<Pin<Box<dyn Future<Output = T>>>>| {
        if slot
            .as_mut()
            .is_some_and(|future| poll_once(future.as_mut()).is_ready())
        {
            *slot = None; // What the waker does may be what it waited for.
        }
    };
    for _ in 0..2 {
        both.iter_mut().for_each(poll);
    }
    let [patient, impatient] = &mut both;
    *impatient = None;
    call();
    poll(patient);
}

#[test]
fn semaphore_mutex_and_rwlock() {
    let semaphore = Rc::new(Semaphore::new(0));
    with_hook(
        {
            let semaphore = semaphore.clone();
            move |_| {
                semaphore.add_permits(1);
                drop(semaphore.try_acquire(1));
                drop(glance(semaphore.acquire(2)));
                if let Some(permit) = semaphore.try_acquire(1) {
                    permit.forget();
                }
            }
        },
        || {
            wait_in_every_way(
                || {
                    let semaphore = semaphore.clone();
                    Box::pin(async move { drop(semaphore.acquire(3).await) })
                },
                || semaphore.add_permits(3),
            );
            let mut refused = Box::pin(semaphore.acquire(1000));
            let _ = poll_once(refused.as_mut());
            semaphore.close();
        },
    );

    let mutex = Rc::new(Mutex::new(0));
    let held = mutex.try_lock().unwrap();
    let held = RefCell::new(Some(held));
    with_hook(
        {
            let mutex = mutex.clone();
            move |_| {
                if let Some(mut guard) = glance(mutex.lock()) {
                    *guard += 1;
                }
            }
        },
        || {
            wait_in_every_way(
                || {
                    let mutex = mutex.clone();
                    Box::pin(async move { *mutex.lock().await += 1 })
                },
                || drop(held.take()),
            );
        },
    );

    let lock = Rc::new(RwLock::new(0));
    let held = RefCell::new(lock.try_write());
    with_hook(
        {
            let lock = lock.clone();
            move |_| {
                drop(glance(lock.read()));
                drop(glance(lock.write()));
            }
        },
        || {
            wait_in_every_way(
                || {
                    let lock = lock.clone();
                    Box::pin(async move { drop(lock.read().await) })
                },
                || drop(held.take().map(|guard| guard.downgrade())),
            );
        },
    );
}

#[test]
fn event_condition_and_barrier() {
    let event = Rc::new(Event::new());
    with_hook(
        {
            let event = event.clone();
            move |_| {
                event.set();
                event.clear();
                glance(event.wait());
            }
        },
        || {
            wait_in_every_way(
                || {
                    let event = event.clone();
                    Box::pin(async move { event.wait().await })
                },
                || event.set(),
            );
        },
    );

    let pass = Rc::new((Mutex::new(0), Condition::new()));
    with_hook(
        {
            let pass = pass.clone();
            move |_| {
                pass.1.notify_one();
                pass.1.notify_all();
                if let Some(guard) = pass.0.try_lock() {
                    glance(pass.1.wait(guard));
                }
            }
        },
        || {
            wait_in_every_way(
                || {
                    let pass = pass.clone();
                    Box::pin(async move { drop(pass.1.wait(pass.0.lock().await).await) })
                },
                || pass.1.notify_one(),
            );
        },
    );

    let barrier = Rc::new(Barrier::new(3));
    with_hook(
        {
            let barrier = barrier.clone();
            move |_| {
                let _ = glance(barrier.wait());
            }
        },
        || {
            wait_in_every_way(
                || {
                    let barrier = barrier.clone();
                    Box::pin(async move { barrier.wait().await })
                },
                || {
                    let _ = (glance(barrier.wait()), glance(barrier.wait()));
                },
            );
        },
    );
}

#[test]
fn channel_oneshot_and_watch() {
    let (sender, receiver) = channel::bounded(1);
    let receiver = Rc::new(RefCell::new(receiver));
    with_hook(
        {
            let (sender, receiver) = (sender.clone(), receiver.clone());
            move |moment| {
                let _ = glance(sender.send(1));
                drop(sender.clone());
                if moment != Moment::Called {
                    let _ = sender.try_send(2);
                }
                // It may be this test that receives just now.
                if let Ok(mut receiver) = receiver.try_borrow_mut() {
                    let _ = receiver.try_recv();
                    let _ = glance(receiver.recv());
                }
            }
        },
        || {
            wait_in_every_way(
                || {
                    let sender = sender.clone();
                    Box::pin(async move {
                        for number in 0..3 {
                            sender.send(number).await.unwrap();
                        }
                    })
                },
                || {
                    let _ = receiver.borrow_mut().try_recv();
                },
            );
            while receiver.borrow_mut().try_recv().is_ok() {}
            for _ in 0..2 {
                let mut receiver = receiver.borrow_mut();
                let mut recv = pin!(receiver.recv());
                let _ = poll_once(recv.as_mut());
                let _ = poll_once(recv.as_mut());
            }
            receiver.borrow_mut().close();
        },
    );

    let (sender, receiver) = oneshot::channel();
    let sender = Rc::new(RefCell::new(Some(sender)));
    let mut receiver = Box::pin(receiver);
    with_hook(
        {
            let sender = sender.clone();
            move |moment| {
                if moment == Moment::Dropped
                    && let Ok(mut sender) = sender.try_borrow_mut()
                    && let Some(sender) = sender.take()
                {
                    sender.send(1).unwrap();
                }
            }
        },
        || {
            let _ = poll_once(receiver.as_mut());
            // Its first waker is dropped in this poll; that sends the value, and calls the second.
            let (waker, rings) = nosy();
            let polled = receiver.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(polled.is_ready() || rings.load(Ordering::Relaxed) > 0);
        },
    );

    let (sender, receiver) = watch::channel(0);
    let sender = Rc::new(sender);
    with_hook(
        {
            let sender = sender.clone();
            let receiver = receiver.clone();
            move |_| {
                sender.send_modify(|value| *value += 1);
                glance(receiver.clone().changed());
                drop(sender.subscribe());
            }
        },
        || {
            wait_in_every_way(
                || {
                    let mut receiver = receiver.clone();
                    Box::pin(async move { receiver.changed().await })
                },
                || sender.send(1).unwrap(),
            );
        },
    );
}

/// Between the look and the wait stands the cloning of the waker. If that makes what is waited for happen, the future must be done or woken.
#[test]
fn what_happens_while_the_waker_is_cloned_is_not_missed() {
    fn not_missed<T>(
        what: &str,
        mut future: Pin<Box<dyn Future<Output = T> + '_>>,
        happens: impl FnOnce() + 'static,
    ) {
        let happens = Cell::new(Some(happens));
        let (waker, rings) = nosy();
        let polled = with_hook(
            move |moment| {
                if moment == Moment::Cloned
                    && let Some(happens) = happens.take()
                {
                    happens();
                }
            },
            || future.as_mut().poll(&mut Context::from_waker(&waker)),
        );
        let woken = rings.load(Ordering::Relaxed) > 0;
        assert!(polled.is_ready() || woken, "{what}: neither done nor woken");
    }

    let semaphore = Rc::new(Semaphore::new(1));
    let adds = semaphore.clone();
    not_missed("Semaphore", Box::pin(semaphore.acquire(2)), move || {
        adds.add_permits(1)
    });
    let closes = semaphore.clone();
    not_missed(
        "closed Semaphore",
        Box::pin(semaphore.acquire(9)),
        move || closes.close(),
    );

    let event = Rc::new(Event::new());
    let sets = event.clone();
    not_missed("Event", Box::pin(event.wait()), move || sets.set());

    let barrier = Rc::new(Barrier::new(2));
    let arrives = barrier.clone();
    let place = Rc::new(Cell::new(None));
    let at_the_barrier = place.clone();
    not_missed("Barrier", Box::pin(barrier.wait()), move || {
        // Waits now, to the end of this test: it is the first to arrive.
        let mut waits = Box::pin(async move {
            arrives.wait().await;
        });
        let polled = waits.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        at_the_barrier.set(Some(waits));
    });

    let (sender, mut receiver) = channel::bounded(1);
    let sends = sender.clone();
    not_missed("recv", Box::pin(receiver.recv()), move || {
        sends.try_send(1).unwrap()
    });
    let last = sender;
    not_missed(
        "the end of a channel",
        Box::pin(receiver.recv()),
        move || drop(last),
    );

    let (sender, mut receiver) = channel::bounded(1);
    sender.try_send(1).unwrap();
    not_missed("send", Box::pin(sender.send(2)), move || {
        receiver.try_recv().map(drop).unwrap()
    });

    let (sender, receiver) = oneshot::channel();
    not_missed("oneshot", Box::pin(receiver), move || {
        sender.send(1).unwrap()
    });
    let (mut sender, receiver) = oneshot::channel::<()>();
    not_missed("closed oneshot", Box::pin(sender.closed()), move || {
        drop(receiver)
    });

    let (sender, mut receiver) = watch::channel(1);
    not_missed("watch", Box::pin(receiver.changed()), move || {
        sender.send(2).unwrap()
    });
}

/// A waker that panics does so for itself: those behind it have been called as well, and nobody would call them again.
#[test]
fn who_is_called_after_a_waker_that_panics_is_woken_all_the_same() {
    struct Breaks;
    impl Wake for Breaks {
        fn wake(self: Arc<Self>) {
            resume_unwind(Box::new("a waker that is broken"));
        }
    }

    fn woken<F: Future>(what: &str, [first, second]: [F; 2], call: impl FnOnce()) {
        let (mut first, mut second) = (pin!(first), pin!(second));
        let breaks = Waker::from(Arc::new(Breaks));
        let (waker, rings) = nosy();
        assert!(
            first
                .as_mut()
                .poll(&mut Context::from_waker(&breaks))
                .is_pending()
        );
        assert!(
            second
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        let _whose_panic_it_is_does_not_matter = catch_unwind(AssertUnwindSafe(call));
        assert_eq!(
            rings.load(Ordering::Relaxed),
            1,
            "{what}: the second is forgotten"
        );
        assert!(
            second
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_ready(),
            "{what}"
        );
    }

    let event = Event::new();
    woken("Event", [event.wait(), event.wait()], || event.set());
    let permits = Semaphore::new(0);
    let acquires = [permits.acquire(1), permits.acquire(1)];
    woken("Semaphore", acquires, || permits.add_permits(2));
    let closed = Semaphore::new(0);
    let acquires = [closed.acquire(1), closed.acquire(1)];
    woken("closed Semaphore", acquires, || closed.close());
    let (sender, receiver) = watch::channel(1);
    let mut receivers = [receiver.clone(), receiver];
    let changes = receivers.each_mut().map(watch::Receiver::changed);
    woken("watch", changes, || sender.send(2).unwrap());
}
