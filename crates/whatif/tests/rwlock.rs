//! Readers and writers: who may come in beside whom, and how they get stuck.

mod common;

use common::{outcomes, paper, proved, robot, story, texts};
use whatif::sync::{Arc, Mutex, RwLock, Shared, TryLockError, Unguarded};
use whatif::{Checker, Ending, Outcome, Report, never, thread};

fn explore(f: impl Fn() + Send + Sync + 'static) -> Report {
    Checker::new("the menu").explore(f)
}

/// How many robots are inside together, at most, in each order of steps?
fn together(writers: usize, readers: usize) -> std::collections::BTreeSet<usize> {
    outcomes(move || {
        let (menu, inside, most) = (RwLock::new(()), Shared::new(0), Shared::new(0));
        let stay = || {
            let now = inside.write(|n| {
                *n += 1;
                *n
            });
            most.write(|most| *most = now.max(*most));
            inside.write(|n| *n -= 1);
        };
        thread::scope(|s| {
            for _ in 0..writers {
                s.spawn(|| {
                    let _alone = menu.write().unwrap();
                    stay();
                });
            }
            for _ in 0..readers {
                s.spawn(|| {
                    let _shared = menu.read().unwrap();
                    stay();
                });
            }
        });
        most.into_inner()
    })
}

#[test]
fn readers_are_inside_together_and_a_writer_is_alone() {
    assert_eq!(together(0, 2), [1, 2].into());
    assert_eq!(together(1, 1), [1].into());
    assert_eq!(together(2, 0), [1].into());
    assert_eq!(together(1, 2), [1, 2].into());
}

#[test]
fn a_look_and_a_change_in_two_lockings_lose_a_change() {
    let counted = |careful: bool| {
        outcomes(move || {
            let n = RwLock::new(0);
            let count = || {
                if careful {
                    *n.write().unwrap() += 1;
                } else {
                    let old = *n.read().unwrap();
                    *n.write().unwrap() = old + 1;
                }
            };
            thread::scope(|s| {
                s.spawn(count);
                s.spawn(count);
            });
            n.into_inner().unwrap()
        })
    };
    assert_eq!(counted(false), [1, 2].into());
    assert_eq!(counted(true), [2].into());
}

#[test]
fn a_try_finds_the_lock_free_or_not() {
    let tries = |write: bool| {
        outcomes(move || {
            let menu = RwLock::new(0);
            thread::scope(|s| {
                s.spawn(|| drop(menu.read().unwrap()));
                match write {
                    true => menu.try_write().is_ok(),
                    false => menu.try_read().is_ok(),
                }
            })
        })
    };
    assert_eq!(tries(true), [false, true].into());
    assert_eq!(tries(false), [true].into());
}

#[test]
fn readers_may_come_in_before_a_writer_that_waits_or_after_it() {
    // One reader is inside and stays until the end. Does the other one see what the writer writes?
    let found = outcomes(|| {
        let menu = Arc::new(RwLock::new(0));
        let (reader, writer) = (Arc::clone(&menu), Arc::clone(&menu));
        let first = menu.read().unwrap();
        let writer = thread::spawn(move || *writer.write().unwrap() = 1);
        let reader = thread::spawn(move || *reader.read().unwrap());
        drop(first);
        writer.join().unwrap();
        reader.join().unwrap()
    });
    assert_eq!(found, [0, 1].into());
}

// Stuck ----------------------------------------------------------------------------------------------------------

#[test]
fn reading_twice_at_once_stands_still_if_a_writer_gets_in_line_in_between() {
    let story = story(explore(|| {
        let menu = Arc::new(RwLock::new(0).called("the menu"));
        let other = Arc::clone(&menu);
        let robots = [
            robot("WaitBot", move || {
                let soup = menu.read().unwrap();
                never("the menu changes", *soup != *menu.read().unwrap());
            }),
            robot("ChefBot", move || *other.write().unwrap() += 1),
        ];
        robots.into_iter().for_each(|robot| robot.join().unwrap());
    }));
    assert_eq!((story.ending, story.preemptions), (Ending::Deadlock, 1));
    assert_eq!(
        paper(&story),
        "\
the menu: it can go wrong, and this is the shortest way I found
(3 schedules tried; it takes 1 preemption)

>> step 1    WaitBot  takes the menu to read           [tests/rwlock.rs:N]
>> step 2    ChefBot  waits in line to write the menu  [tests/rwlock.rs:N]
>> for ever  WaitBot  waits for the menu, in line behind ChefBot
                      [tests/rwlock.rs:N]
>> for ever  ChefBot  waits for the menu, which is read by WaitBot
                      [tests/rwlock.rs:N]

   deadlock: WaitBot and ChefBot wait for each other
"
    );
}

#[test]
fn making_a_writer_of_a_reader_waits_for_itself() {
    let story = story(explore(|| {
        let menu = RwLock::new(0).called("the menu");
        let read = menu.read().unwrap();
        *menu.write().unwrap() = *read;
    }));
    assert_eq!(story.ending, Ending::LockedTwice);
    assert_eq!(story.rule, "deadlock: the evening asks for the menu, which it holds already");
}

#[test]
fn two_rwlocks_in_opposite_order_stand_still_also_for_readers() {
    let keys = |write: bool| {
        explore(move || {
            let keys = Arc::new([RwLock::new(0).called("a"), RwLock::new(0).called("b")]);
            let robots = [[0, 1], [1, 0]].map(|[first, second]| {
                let keys = Arc::clone(&keys);
                thread::spawn(move || {
                    let _shared = keys[first].read().unwrap();
                    match write {
                        true => *keys[second].write().unwrap() += 1,
                        false => drop(keys[second].read().unwrap()),
                    }
                })
            });
            robots.into_iter().for_each(|robot| robot.join().unwrap());
        })
    };
    let story = story(keys(true));
    assert_eq!(story.rule, "deadlock: robot-1 and robot-2 wait for each other");
    assert_eq!(
        texts(&story),
        [
            "takes a to read",
            "takes b to read",
            "waits in line to write b",
            "waits in line to write a",
            "waits for b, which is read by robot-2",
            "waits for a, which is read by robot-1",
        ]
    );
    proved(&keys(false));
}

// What it orders -------------------------------------------------------------------------------------------------

#[test]
fn a_writer_is_ordered_with_everybody_and_a_reader_with_no_reader() {
    let races = |chef_writes: bool, waiter_writes: bool| {
        let report = explore(move || {
            let shared = Arc::new((RwLock::new(()), Unguarded::new(0)));
            let robots = [chef_writes, waiter_writes].map(|writes| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let (_read, _write);
                    if writes {
                        _write = shared.0.write().unwrap();
                    } else {
                        _read = shared.0.read().unwrap();
                    }
                    shared.1.write(|n| *n += 1);
                })
            });
            robots.into_iter().for_each(|robot| robot.join().unwrap());
        });
        match report.outcome {
            Outcome::Proved { .. } => false,
            Outcome::Failed(story) => story.ending == Ending::DataRace,
            other => panic!("{other:?}"),
        }
    };
    assert!(!races(true, true) && !races(true, false) && !races(false, true));
    assert!(races(false, false));
}

// Elsewhere ------------------------------------------------------------------------------------------------------

#[test]
fn outside_of_a_check_it_is_the_one_of_std() {
    let menu = RwLock::new(1).called("the menu");
    {
        let (a, b) = (menu.read().unwrap(), menu.read().unwrap());
        assert_eq!(format!("{a} {b:?}"), "1 1");
        assert!(menu.try_read().is_ok());
        assert!(matches!(menu.try_write(), Err(TryLockError::WouldBlock)));
    }
    thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| (0..1000).for_each(|_| *menu.write().unwrap() += 1));
        }
    });
    assert_eq!(*menu.try_write().unwrap(), 4001);
    let _ = std::thread::scope(|s| {
        s.spawn(|| {
            let _guard = menu.write().unwrap();
            std::panic::resume_unwind(Box::new(()));
        })
        .join()
    });
    assert!(menu.is_poisoned() && menu.read().is_err() && menu.write().is_err());
    assert!(matches!(menu.try_read(), Err(TryLockError::Poisoned(_))));
    menu.clear_poison();
    let mut menu = menu;
    *menu.get_mut().unwrap() = 3;
    assert_eq!(menu.into_inner().unwrap(), 3);
    assert_eq!(*RwLock::<u8>::default().read().unwrap() + *RwLock::from(2).read().unwrap(), 2);
    assert_eq!(*Mutex::from(2).lock().unwrap(), 2);
}
