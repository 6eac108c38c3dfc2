//! The reactor alone, without a loop. The wakers here count, or do what one should not do in a waker.

use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::Wake;
use std::thread;

use super::*;

#[derive(Default)]
struct Counts(AtomicUsize);

impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Counts {
    fn new() -> (Arc<Counts>, Waker) {
        let counts = Arc::<Counts>::default();
        (counts.clone(), counts.into())
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Fails a test that waits in vain.
fn with_an_end(test: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let body = thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    if is_done.recv_timeout(Duration::from_secs(60)) == Err(mpsc::RecvTimeoutError::Timeout) {
        panic!("nothing ended the wait in the poller for a minute");
    }
    body.join().expect("see above");
}

fn readable(key: Key) -> Report {
    Report {
        key: key.0,
        readable: true,
        writable: false,
        hang_up: false,
    }
}

/// Waits in one direction, as a socket would.
fn await_ready(reactor: &Reactor, one: &UnixStream, key: Key, mode: Mode, waker: &Waker) {
    reactor.keep_waker(key, Direction::Write, waker);
    if mode == Mode::OnDemand {
        reactor.arm(one, key, mode).unwrap();
    }
}

#[test]
fn an_event_that_comes_late_does_not_reach_the_next_tenant_of_the_slot() {
    let reactor = Reactor::new().unwrap();
    let (one, other) = UnixStream::pair().unwrap();
    let (before, _) = reactor.register(&one, Mode::Edge).unwrap();
    reactor.deregister(&one, before);
    let (after, _) = reactor.register(&other, Mode::Edge).unwrap();
    assert_eq!(before.index(), after.index(), "the slot is used again");
    let (counts, waker) = Counts::new();
    reactor.keep_waker(after, Direction::Read, &waker);

    let mut woken = Vec::new();
    reactor.note([readable(before)].into_iter(), &mut woken);
    assert!(woken.is_empty());
    assert_eq!(reactor.state(after, Direction::Read), State::Untold);
    assert!(!reactor.is_idle());

    reactor.note([readable(after)].into_iter(), &mut woken);
    woken.into_iter().for_each(Waker::wake);
    assert_eq!(counts.get(), 1);
    assert!(reactor.is_idle());
}

#[test]
fn a_waker_is_kept_once_and_several_are_all_woken() {
    with_an_end(|| {
        let reactor = Reactor::new().unwrap();
        let (one, _other) = UnixStream::pair().unwrap();
        let (key, mode) = reactor.register(&one, Mode::Edge).unwrap();
        let all: Vec<_> = (0..5).map(|_| Counts::new()).collect();
        for (_, waker) in all.iter().chain(&all) {
            await_ready(&reactor, &one, key, mode, waker);
        }
        reactor.wait(None); // it can be written to
        for (counts, _) in &all {
            assert_eq!(counts.get(), 1);
        }
        assert!(reactor.is_idle());
    });
}

#[test]
fn too_many_wakers_push_out_the_oldest_by_waking_it() {
    let reactor = Reactor::new().unwrap();
    let (one, _other) = UnixStream::pair().unwrap();
    let (key, _) = reactor.register(&one, Mode::Edge).unwrap();
    let all: Vec<_> = (0..MOST_WAITERS + 3).map(|_| Counts::new()).collect();
    for (_, waker) in &all {
        reactor.keep_waker(key, Direction::Read, waker);
    }
    let woken: usize = all.iter().map(|(counts, _)| counts.get()).sum();
    assert_eq!(woken, 2);
    reactor.deregister(&one, key);
    assert!(reactor.is_idle(), "nobody waits for a socket that is gone");
}

/// A waker that closes the sockets that were reported together with its own.
#[test]
fn a_waker_may_use_the_reactor() {
    with_an_end(|| {
        struct Closes(Arc<thread::ThreadId>);
        thread_local! {
            static SHOP: RefCell<Option<(Rc<Reactor>, UnixStream, Key)>> = const { RefCell::new(None) };
        }
        impl Wake for Closes {
            fn wake(self: Arc<Self>) {
                assert_eq!(*self.0, thread::current().id());
                if let Some((reactor, socket, key)) = SHOP.take() {
                    reactor.deregister(&socket, key);
                    let (new, _) = UnixStream::pair().unwrap();
                    let (key, _) = reactor.register(&new, Mode::Edge).unwrap();
                    reactor.keep_waker(key, Direction::Read, &Waker::from(self));
                    reactor.deregister(&new, key);
                }
            }
        }
        let reactor = Rc::new(Reactor::new().unwrap());
        let (one, other) = UnixStream::pair().unwrap();
        let waker = Waker::from(Arc::new(Closes(Arc::new(thread::current().id()))));
        let (first, mode) = reactor.register(&one, Mode::Edge).unwrap();
        let (second, _) = reactor.register(&other, Mode::Edge).unwrap();
        await_ready(&reactor, &one, first, mode, &waker);
        await_ready(&reactor, &other, second, mode, &waker);
        SHOP.set(Some((reactor.clone(), other, second)));
        reactor.wait(None);
        assert!(SHOP.take().is_none(), "the waker was called");
        assert!(reactor.is_idle());
        reactor.deregister(&one, first);
    });
}

#[test]
fn another_thread_ends_a_wait_without_end() {
    with_an_end(|| {
        let reactor = Reactor::new().unwrap();
        for _ in 0..3 {
            let unparker = reactor.unparker();
            let rings = thread::spawn(move || unparker.unpark());
            reactor.wait(None);
            rings.join().unwrap();
        }
        // A ring that comes before the wait ends the wait.
        reactor.unparker().unpark();
        reactor.unparker().unpark();
        reactor.wait(None);
    });
}

#[test]
fn a_wait_with_an_end_ends_also_after_one_that_was_longer() {
    with_an_end(|| {
        let reactor = Reactor::new().unwrap();
        for milliseconds in [3_600_000, 2, 0, 1, 3_600_000, 1] {
            if milliseconds > 1000 {
                reactor.unparker().unpark();
            }
            reactor.wait(Some(Duration::from_millis(milliseconds)));
        }
        reactor.unparker().unpark();
        reactor.wait(Some(Duration::MAX));
    });
}

/// What every idle connection costs.
#[test]
fn a_slot_is_small() {
    assert!(size_of::<Slot>() <= 56, "{}", size_of::<Slot>());
    let stream = size_of::<crate::net::TcpStream>();
    assert!(stream <= 32, "{stream}");
}
