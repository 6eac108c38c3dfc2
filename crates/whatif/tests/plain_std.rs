//! Outside of a check everything is what it is in std.

use std::sync::TryLockError;
use std::time::Duration;

use whatif::sync::{Arc, Condvar, Mutex, Shared};
use whatif::thread;

#[test]
fn robots_are_threads() {
    let robot = thread::Builder::new().name("WaitBot-1".into()).stack_size(1 << 20);
    let name =
        robot.spawn(|| std::thread::current().name().map(str::to_owned)).unwrap().join().unwrap();
    assert_eq!(name.as_deref(), Some("WaitBot-1"));
    thread::yield_now();
    thread::sleep(Duration::ZERO);
    assert_eq!(thread::scope(|scope| scope.spawn(|| 6 * 7).join().unwrap()), 42);
}

#[test]
fn a_panic_reaches_whoever_joins() {
    let result = thread::spawn(|| std::panic::resume_unwind(Box::new("soup"))).join();
    let payload = result.unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"soup"));
}

#[test]
fn a_lock_excludes_and_is_poisoned_by_a_panic() {
    let tips = Arc::new(Mutex::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1000).for_each(|_| *tips.lock().unwrap() += 1));
        }
    });
    assert_eq!(*tips.lock().unwrap(), 4000);
    {
        let _guard = tips.lock().unwrap();
        assert!(matches!(tips.try_lock(), Err(TryLockError::WouldBlock)));
    }
    assert!(tips.try_lock().is_ok());
    let other = Arc::clone(&tips);
    let _ = thread::spawn(move || {
        let _guard = other.lock().unwrap();
        std::panic::resume_unwind(Box::new(()));
    })
    .join();
    assert!(tips.is_poisoned());
    assert_eq!(*tips.lock().unwrap_err().into_inner(), 4000);
    assert!(matches!(tips.try_lock(), Err(TryLockError::Poisoned(_))));
}

#[test]
fn a_bell_wakes_sleepers() {
    let slips = Arc::new((Mutex::new(0), Condvar::new()));
    let other = Arc::clone(&slips);
    let cook = thread::spawn(move || {
        let mut slips = other.1.wait_while(other.0.lock().unwrap(), |slips| *slips == 0).unwrap();
        *slips -= 1;
    });
    *slips.0.lock().unwrap() += 1;
    slips.1.notify_one();
    cook.join().unwrap();
    slips.1.notify_all();
    assert_eq!(*slips.0.lock().unwrap(), 0);
}

#[test]
fn a_shared_cell_never_loses_a_whole_access() {
    let cell = Shared::new(0).called("the tip jar");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1000).for_each(|_| cell.write(|tips| *tips += 1)));
        }
    });
    assert_eq!((cell.get(), cell.read(|tips| *tips + 1)), (4000, 4001));
    cell.set(7);
    assert_eq!(cell.into_inner(), 7);
}

#[test]
fn steps_and_words_do_nothing_and_kept_rules_are_silent() {
    whatif::step("sees table 2 free");
    whatif::say("nobody hears this");
    whatif::never("the sky falls", false);
}

#[test]
#[should_panic(expected = "this must never be: the sky falls")]
fn a_broken_rule_is_a_panic() {
    whatif::never("the sky falls", true);
}

#[test]
fn what_was_made_in_a_check_is_plain_std_afterwards() {
    let kept = Arc::new(std::sync::Mutex::new(None));
    let keep = Arc::clone(&kept);
    let _ = whatif::Checker::new("the test").shares_nothing().explore(move || {
        let lock = Arc::new(Mutex::new(5));
        *lock.lock().unwrap() += 1;
        *keep.lock().unwrap() = Some(lock);
    });
    let lock = kept.lock().unwrap().take().unwrap();
    thread::spawn(move || assert_eq!(*lock.lock().unwrap(), 6)).join().unwrap();
}

#[test]
fn checks_that_begin_and_end_elsewhere_change_nothing_here() {
    let tips = Arc::new(Mutex::new(0));
    let check = || {
        whatif::Checker::new("elsewhere").explore(|| {
            let cell = Arc::new(Shared::new(0));
            let other = Arc::clone(&cell);
            let robot = thread::spawn(move || other.write(|n| *n += 1));
            cell.write(|n| *n += 1);
            robot.join().unwrap();
            assert_eq!(cell.get(), 2);
        })
    };
    let add = || (0..20_000).for_each(|_| *tips.lock().unwrap() += 1);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..20).for_each(|_| proved(&check())));
            scope.spawn(add);
        }
    });
    assert_eq!(*tips.lock().unwrap(), 40_000);
}

fn proved(report: &whatif::Report) {
    assert!(matches!(report.outcome, whatif::Outcome::Proved { .. }), "{report}");
}
