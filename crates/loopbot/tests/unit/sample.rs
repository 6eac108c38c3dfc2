//! A thread is interrupted at every bad moment: while it allocates, while it waits, while it ends.
#![allow(unsafe_code)]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;

use super::*;

/// A thread that does something again and again for as long as this lives.
struct Busy {
    thread: Thread,
    is_over: &'static AtomicBool,
    handle: Option<thread::JoinHandle<()>>,
}

impl Busy {
    fn with(mut work: impl FnMut() + Send + 'static) -> Busy {
        let is_over: &AtomicBool = Box::leak(Box::default());
        let (says, hears) = mpsc::channel();
        let handle = thread::spawn(move || {
            says.send(Thread::this()).unwrap();
            while !is_over.load(Ordering::Relaxed) {
                work();
            }
        });
        Busy {
            thread: hears.recv().unwrap(),
            is_over,
            handle: Some(handle),
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.handle.take().unwrap().join().unwrap();
    }
}

fn is_plausible(sample: &Sample) {
    assert_ne!(sample.registers.pc, 0);
    assert!(sample.stack.len() >= 64, "a stack has something on it");
}

#[test]
fn while_it_allocates_and_frees() {
    let busy = Busy::with(|| {
        for size in [10, 1000, 100_000, 1_000_000] {
            std::hint::black_box(vec![1_u8; size]);
        }
    });
    for _ in 0..500 {
        let sample = busy.thread.sample().unwrap();
        // We allocate as well, with what may have been its lock in its hand.
        is_plausible(&sample);
    }
}

#[test]
fn while_it_asks_for_the_time_and_prints() {
    let busy = Busy::with(|| {
        std::hint::black_box(format!("{:?}", Instant::now()));
    });
    for _ in 0..500 {
        is_plausible(&busy.thread.sample().unwrap());
    }
}

#[test]
fn while_it_sleeps_and_it_sleeps_on() {
    const NIGHT: Duration = Duration::from_millis(300);
    let (says, hears) = mpsc::channel();
    let sleeper = thread::spawn(move || {
        let before = Instant::now();
        says.send(Thread::this()).unwrap();
        thread::sleep(NIGHT);
        before.elapsed()
    });
    let thread = hears.recv().unwrap();
    while !sleeper.is_finished() {
        match thread.sample() {
            Ok(sample) => is_plausible(&sample),
            Err(why) => assert_eq!(why, GONE),
        }
    }
    assert!(sleeper.join().unwrap() >= NIGHT);
}

#[test]
fn while_it_waits_for_a_socket_and_it_reads_on() {
    let (mut here, mut there) = UnixStream::pair().unwrap();
    let (says, hears) = mpsc::channel();
    let reader = thread::spawn(move || {
        says.send(Thread::this()).unwrap();
        // One call each: an interruption that came through would be an error.
        let mut bytes = [0; 5];
        let read = there.read(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    });
    let thread = hears.recv().unwrap();
    for _ in 0..100 {
        is_plausible(&thread.sample().unwrap());
    }
    here.write_all(b"menu!").unwrap();
    assert_eq!(reader.join().unwrap(), "menu!");
}

#[test]
fn while_it_ends() {
    for delay in 0..200 {
        let (says, hears) = mpsc::channel();
        let dying = thread::spawn(move || {
            says.send(Thread::this()).unwrap();
            for _ in 0..delay {
                std::hint::spin_loop();
            }
        });
        let thread = hears.recv().unwrap();
        loop {
            match thread.sample() {
                Ok(sample) => is_plausible(&sample),
                // Of a thread that is at its very end the system may not say yet that it is gone.
                Err(why) => {
                    assert!(why == GONE || why == DEAF, "{why}");
                    break;
                }
            }
        }
        dying.join().unwrap();
        assert_eq!(thread.sample().err(), Some(GONE));
    }
}

#[test]
fn two_threads_at_once_asked_by_two() {
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let busy = Busy::with(|| drop(std::hint::black_box(Box::new(1))));
                for _ in 0..300 {
                    is_plausible(&busy.thread.sample().unwrap());
                }
            });
        }
    });
}

#[test]
fn a_thread_may_look_at_itself() {
    is_plausible(&Thread::this().sample().unwrap());
}

/// Blocks or unblocks the signal for this thread.
fn mask(how: c_int) {
    // SAFETY: the set is made by the system before it is used.
    unsafe {
        let mut set = mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, SIGNAL);
        assert_eq!(libc::pthread_sigmask(how, &set, ptr::null_mut()), 0);
    }
}

#[test]
fn a_thread_that_does_not_answer_is_left_alone_and_may_answer_too_late() {
    let (says, hears) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let deaf = thread::spawn(move || {
        mask(libc::SIG_BLOCK);
        says.send(Thread::this()).unwrap();
        may_go_on.recv().unwrap();
        mask(libc::SIG_UNBLOCK); // Here it arrives, and nobody wants it any more.
        Thread::this().sample().map(|sample| is_plausible(&sample))
    });
    let thread = hears.recv().unwrap();
    assert_eq!(thread.sample().err(), Some(DEAF));
    assert_eq!(thread.sample().err(), Some(DEAF));
    go_on.send(()).unwrap();
    deaf.join().unwrap().unwrap();
}

#[test]
fn of_a_deep_stack_the_innermost_part_is_copied() {
    fn dig(depth: usize, then: &mut dyn FnMut()) {
        let earth = std::hint::black_box([0_u8; 1000]);
        match depth {
            0 => then(),
            _ => dig(depth - 1, then),
        }
        std::hint::black_box(earth);
    }
    let thread = Thread::this();
    let mut len = 0;
    dig(400, &mut || len = thread.sample().unwrap().stack.len());
    assert_eq!(len, MOST);
}
