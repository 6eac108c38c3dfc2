//! In this package `std` is `whatif-std`. An ordinary program must not notice.

use std::any::TypeId;
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fmt::{self, Display, Write as _};
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, Weak, mpsc};
use std::time::Duration;
use std::{env, thread};

/// Derives, traits, and the prelude.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Rack {
    bottles: u32,
}

impl Display for Rack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bottles", self.bottles)
    }
}

#[derive(Debug)]
struct Empty;

impl Display for Empty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the rack is empty")
    }
}

impl Error for Empty {}

thread_local! {
    static VISITS: Cell<u32> = const { Cell::new(0) };
}

fn take(rack: &Mutex<Rack>) -> Result<u32, Box<dyn Error>> {
    let mut rack: MutexGuard<'_, Rack> = rack.lock().map_err(|_| "poisoned")?;
    rack.bottles = rack.bottles.checked_sub(1).ok_or(Empty)?;
    VISITS.set(VISITS.get() + 1);
    Ok(rack.bottles)
}

#[test]
fn macros_derives_and_the_prelude_are_those_of_std() -> Result<(), Box<dyn Error>> {
    let rack = Arc::new(Mutex::new(Rack { bottles: 1 }));
    assert_eq!(take(&rack)?, 0);
    std::assert_eq!(
        take(&rack).map_err(|e| e.to_string()),
        Err("the rack is empty".to_owned())
    );
    assert!(matches!(VISITS.get(), 1), "{}", line!());

    let mut text = String::new();
    write!(text, "{}, {:?}", Rack::default(), vec![Some(1), None])?;
    std::writeln!(text, "{}", concat!("a", 1))?;
    assert_eq!(text, format!("0 bottles, [Some(1), None]{}\n", "a1"));
    writeln!(io::sink(), "{}", env!("CARGO_PKG_NAME"))?;
    let _ = (
        env::args(),
        ::std::mem::size_of::<Rack>(),
        core::mem::size_of::<Rack>(),
    );

    let counted: HashMap<_, _> = ["cellar", "bar"].into_iter().zip(1_u32..).collect();
    let sorted: BTreeMap<_, _> = counted.into_iter().collect();
    assert_eq!(sorted.first_key_value(), Some((&"bar", &2)));
    let weak: Weak<_> = Arc::downgrade(&rack);
    let number: u32 = "7".parse()?;
    assert_eq!((weak.upgrade().is_some(), u64::from(number)), (true, 7));
    Ok(())
}

#[test]
fn locks_and_threads_are_those_of_whatif() {
    fn same<A: 'static, B: 'static>() {
        assert_eq!(TypeId::of::<A>(), TypeId::of::<B>());
    }
    same::<Mutex<u32>, whatif::sync::Mutex<u32>>();
    same::<MutexGuard<'static, u32>, whatif::sync::MutexGuard<'static, u32>>();
    same::<Condvar, whatif::sync::Condvar>();
    same::<AtomicU32, whatif::sync::atomic::AtomicU32>();
    same::<mpsc::SyncSender<u32>, whatif::sync::mpsc::SyncSender<u32>>();
    same::<thread::Builder, whatif::thread::Builder>();
    same::<thread::JoinHandle<u32>, whatif::thread::JoinHandle<u32>>();
    same::<thread::ScopedJoinHandle<'static, u32>, whatif::thread::ScopedJoinHandle<'static, u32>>(
    );
}

#[test]
fn outside_of_a_check_everything_runs_for_real() {
    let started = Arc::new(AtomicU32::new(0));
    let (ready, bell) = (Mutex::new(false), Condvar::new());
    let name = OnceLock::new();
    let sum = thread::scope(|scope| {
        let robot = scope.spawn(|| {
            started.fetch_add(1, Ordering::SeqCst);
            *ready.lock().unwrap() = true;
            bell.notify_all();
            name.get_or_init(|| thread::current().name().map(str::to_owned));
            1
        });
        let mut ready = ready.lock().unwrap();
        while !*ready {
            ready = bell.wait(ready).unwrap();
        }
        robot.join().unwrap()
    });
    thread::yield_now();
    thread::sleep(Duration::ZERO);
    let robot = thread::spawn(move || sum + started.load(Ordering::SeqCst));
    assert_eq!((robot.join().unwrap(), name.get().is_some()), (2, true));
}
