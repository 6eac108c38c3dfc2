//! Happens-before: which hand-overs of an `Unguarded` are ordered, and which ones are data races,
//! whatever order the robots happened to come in.

mod common;

use std::time::Duration;

use common::{both, paper, robot, story};
use whatif::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering, fence};
use whatif::sync::mpsc::{channel, sync_channel};
use whatif::sync::{Arc, Condvar, Mutex, Shared, Unguarded};
use whatif::{Checker, Ending, Outcome, Report, Story, thread};

use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

fn explore(f: impl Fn() + Send + Sync + 'static) -> Report {
    Checker::new("the plate").shares_nothing().explore(f)
}

/// Is there a schedule in which `f` has a data race? Nothing else may go wrong.
fn races(f: impl Fn() + Send + Sync + 'static) -> bool {
    match explore(f).outcome {
        Outcome::Proved { .. } => false,
        Outcome::Failed(Story { ending: Ending::DataRace, .. }) => true,
        other => panic!("{other:?}"),
    }
}

/// One robot puts something on the plate and calls `hand_over`; the other one looks at it if
/// `receive` says so.
fn hand_over<S: Send + Sync + 'static>(
    made: fn() -> S,
    hand_over: impl Fn(&S) + Copy + Send + Sync + 'static,
    receive: impl Fn(&S) -> bool + Copy + Send + Sync + 'static,
) -> bool {
    races(move || {
        let shared = Arc::new((Unguarded::new(0), made()));
        let other = Arc::clone(&shared);
        both(
            ("ChefBot", move || {
                other.0.set(1);
                hand_over(&other.1);
            }),
            ("WaitBot", move || {
                if receive(&shared.1) {
                    assert_eq!(shared.0.get(), 1);
                }
            }),
        );
    })
}

// Message passing by a flag --------------------------------------------------------------------------------------

#[test]
fn only_release_or_stronger_and_acquire_or_stronger_hand_over() {
    for store in [Relaxed, Release, SeqCst] {
        for load in [Relaxed, Acquire, SeqCst] {
            let raced = hand_over(
                || AtomicBool::new(false),
                move |flag| flag.store(true, store),
                move |flag| flag.load(load),
            );
            assert_eq!(raced, store == Relaxed || load == Relaxed, "{store:?} {load:?}");
        }
    }
}

#[test]
fn a_swap_hands_over_as_its_ordering_says_on_either_side() {
    for store in [Relaxed, Acquire, Release, AcqRel, SeqCst] {
        for load in [Relaxed, Acquire, Release, AcqRel, SeqCst] {
            let raced = hand_over(
                || AtomicBool::new(false),
                move |flag| assert!(!flag.swap(true, store)),
                move |flag| flag.swap(false, load),
            );
            let clean = matches!(store, Release | AcqRel | SeqCst)
                && matches!(load, Acquire | AcqRel | SeqCst);
            assert_eq!(raced, !clean, "{store:?} {load:?}");
        }
    }
}

#[test]
fn a_compare_exchange_that_fails_is_a_load_with_the_ordering_of_failure() {
    for (success, failure) in [(AcqRel, Relaxed), (Relaxed, Acquire), (SeqCst, SeqCst)] {
        let raced = hand_over(
            || AtomicU32::new(0),
            |flag| flag.store(7, Release),
            move |flag| flag.compare_exchange(5, 6, success, failure) == Err(7),
        );
        assert_eq!(raced, failure == Relaxed, "{success:?} {failure:?}");
        let raced = hand_over(
            || AtomicU32::new(0),
            |flag| flag.store(7, Release),
            move |flag| flag.compare_exchange(7, 6, success, failure).is_ok(),
        );
        assert_eq!(raced, success == Relaxed, "{success:?} {failure:?}");
    }
}

#[test]
fn a_change_in_between_continues_the_release_sequence_and_a_store_breaks_it() {
    // ChefBot releases 1; WineBot makes 2 of it; WaitBot acquires 2.
    let relay = |relay: fn(&AtomicU32)| {
        races(move || {
            let shared = Arc::new((Unguarded::new(0), AtomicU32::new(0)));
            let (chef, wine) = (Arc::clone(&shared), Arc::clone(&shared));
            let robots = [
                robot("ChefBot", move || {
                    chef.0.set(1);
                    chef.1.store(1, Release);
                }),
                robot("WineBot", move || relay(&wine.1)),
                robot("WaitBot", move || {
                    if shared.1.load(Acquire) == 2 {
                        shared.0.get();
                    }
                }),
            ];
            robots.into_iter().for_each(|robot| robot.join().unwrap());
        })
    };
    assert!(!relay(|flag| assert_ne!(flag.compare_exchange(1, 2, Relaxed, Relaxed), Ok(2))));
    assert!(!relay(|flag| assert!(flag.fetch_add(1, Relaxed) < 2)));
    let store = |flag: &AtomicU32| {
        if flag.load(Relaxed) == 1 {
            flag.store(2, Relaxed);
        }
    };
    assert!(relay(store));
    // Passed on by one who knows, it is whole again.
    let knows = |flag: &AtomicU32| {
        if flag.load(Acquire) == 1 {
            flag.store(2, Release);
        }
    };
    assert!(!relay(knows));
}

#[test]
fn a_later_relaxed_store_of_the_same_robot_breaks_it_too() {
    // Until C++20 it did not; Rust has the rules of C++20.
    let raced = hand_over(
        || AtomicU32::new(0),
        |flag| {
            flag.store(1, Release);
            flag.store(2, Relaxed);
        },
        |flag| flag.load(Acquire) == 2,
    );
    assert!(raced);
}

#[test]
fn fences_make_up_for_relaxed() {
    let with = |before: Option<Ordering>, after: Option<Ordering>| {
        hand_over(
            || AtomicBool::new(false),
            move |flag| {
                before.into_iter().for_each(fence);
                flag.store(true, Relaxed);
            },
            move |flag| {
                let raised = flag.load(Relaxed);
                after.into_iter().for_each(fence);
                raised
            },
        )
    };
    for (before, after, raced) in [
        (Some(Release), Some(Acquire), false),
        (Some(SeqCst), Some(SeqCst), false),
        (Some(AcqRel), Some(AcqRel), false),
        (None, Some(Acquire), true),
        (Some(Release), None, true),
        (Some(Acquire), Some(Acquire), true),
        (Some(Release), Some(Release), true),
    ] {
        assert_eq!(with(before, after), raced, "{before:?} {after:?}");
    }
    // A fence on one side goes with an ordering on the other.
    let raced = hand_over(
        || AtomicBool::new(false),
        |flag| {
            fence(Release);
            flag.store(true, Relaxed);
        },
        |flag| flag.load(Acquire),
    );
    assert!(!raced);
    // What was written after the fence is not covered by it.
    let raced = races(|| {
        let shared = Arc::new((Unguarded::new(0), AtomicBool::new(false)));
        let other = Arc::clone(&shared);
        both(
            ("ChefBot", move || {
                fence(Release);
                other.0.set(1);
                other.1.store(true, Relaxed);
            }),
            ("WaitBot", move || {
                if shared.1.load(Acquire) {
                    shared.0.get();
                }
            }),
        );
    });
    assert!(raced);
}

#[test]
fn another_flag_orders_nothing() {
    let raced = hand_over(
        || (AtomicBool::new(false), AtomicBool::new(false)),
        |(flag, other)| {
            flag.store(true, Relaxed);
            other.store(true, Release);
        },
        |(flag, other)| {
            other.load(Acquire);
            flag.load(Relaxed)
        },
    );
    assert!(raced, "the other flag may not be raised yet");
}

// Everything else that orders -------------------------------------------------------------------------------------

#[test]
fn nothing_at_all_is_a_race_in_every_order() {
    // One schedule, whoever comes first: the accesses are no steps.
    for early in [true, false] {
        let report = explore(move || {
            let plate = Arc::new(Unguarded::new(0));
            let other = Arc::clone(&plate);
            let chef = robot("ChefBot", move || other.set(1));
            if early {
                plate.get();
            }
            chef.join().unwrap();
            plate.get();
        });
        assert_eq!(matches!(report.outcome, Outcome::Failed(_)), early, "{report}");
    }
}

#[test]
fn reads_alone_never_race() {
    assert!(!races(|| {
        let plate = Arc::new(Unguarded::new(3));
        let (a, b) = (Arc::clone(&plate), Arc::clone(&plate));
        both(
            ("ChefBot", move || assert_eq!(a.get(), 3)),
            ("WaitBot", move || assert_eq!(b.get(), 3)),
        );
    }));
}

#[test]
fn a_write_races_with_a_read_that_came_before() {
    let story = story(explore(|| {
        let plate = Arc::new(Unguarded::new(3));
        let (a, b) = (Arc::clone(&plate), Arc::clone(&plate));
        let (read, write) =
            (robot("WaitBot", move || assert!(a.get() > 2)), robot("ChefBot", move || b.set(4)));
        read.join().unwrap();
        write.join().unwrap();
    }));
    assert_eq!(story.ending, Ending::DataRace);
}

#[test]
fn a_lock_that_is_held_orders_and_one_that_is_not_does_not() {
    let raced = |chef: bool, waiter: bool| {
        races(move || {
            let shared = Arc::new((Unguarded::new(0), Mutex::new(())));
            let other = Arc::clone(&shared);
            let change = |shared: &(Unguarded<i32>, Mutex<()>), locks: bool| {
                let _held = locks.then(|| shared.1.lock().unwrap());
                shared.0.write(|n| *n += 1);
            };
            both(
                ("ChefBot", move || change(&other, chef)),
                ("WaitBot", move || change(&shared, waiter)),
            );
        })
    };
    assert!(!raced(true, true));
    assert!(raced(true, false) && raced(false, true));
}

#[test]
fn two_locks_order_nothing() {
    assert!(races(|| {
        let shared = Arc::new((Unguarded::new(0), [Mutex::new(()), Mutex::new(())]));
        let other = Arc::clone(&shared);
        let change = |shared: &(Unguarded<i32>, [Mutex<()>; 2]), lock: usize| {
            let _held = shared.1[lock].lock().unwrap();
            shared.0.write(|n| *n += 1);
        };
        both(("ChefBot", move || change(&other, 0)), ("WaitBot", move || change(&shared, 1)));
    }));
}

#[test]
fn a_try_lock_orders_only_if_it_gets_the_lock() {
    let raced = |anyway: bool| {
        races(move || {
            let shared = Arc::new((Unguarded::new(0), Mutex::new(())));
            let other = Arc::clone(&shared);
            both(
                ("ChefBot", move || {
                    let _held = other.1.lock().unwrap();
                    other.0.set(1);
                }),
                ("WaitBot", move || {
                    let held = shared.1.try_lock();
                    if held.is_ok() || anyway {
                        shared.0.get();
                    }
                }),
            );
        })
    };
    assert!(!raced(false) && raced(true));
}

#[test]
fn a_message_hands_over_what_came_before_it_and_not_what_came_after() {
    for bound in [None, Some(0), Some(1), Some(2)] {
        for late in [false, true] {
            let raced = races(move || {
                let plate = Arc::new(Unguarded::new(0));
                let other = Arc::clone(&plate);
                let work = move |send: &dyn Fn()| {
                    if !late {
                        other.set(1);
                    }
                    send();
                    if late {
                        other.set(1);
                    }
                };
                match bound {
                    None => {
                        let (pass, plates) = channel();
                        let send = move || work(&|| pass.send(()).unwrap());
                        both(
                            ("ChefBot", send),
                            ("WaitBot", move || {
                                plates.recv().unwrap();
                                plate.get();
                            }),
                        );
                    }
                    Some(bound) => {
                        let (pass, plates) = sync_channel(bound);
                        let send = move || work(&|| pass.send(()).unwrap());
                        both(
                            ("ChefBot", send),
                            ("WaitBot", move || {
                                plates.recv().unwrap();
                                plate.get();
                            }),
                        );
                    }
                }
            });
            assert_eq!(raced, late, "bound {bound:?}");
        }
    }
}

#[test]
fn a_message_of_one_robot_says_nothing_of_what_another_one_did() {
    assert!(races(|| {
        let plate = Arc::new(Unguarded::new(0));
        let other = Arc::clone(&plate);
        let (pass, plates) = channel();
        let also = pass.clone();
        let robots = [
            robot("ChefBot", move || {
                other.set(1);
                pass.send(1).unwrap();
            }),
            robot("WineBot", move || also.send(2).unwrap()),
        ];
        plates.recv().unwrap(); // it may be the wine
        plate.get();
        robots.into_iter().for_each(|robot| robot.join().unwrap());
    }));
}

#[test]
fn the_end_of_a_channel_hands_over_what_all_senders_did() {
    let raced = |to_the_end: bool| {
        races(move || {
            let plate = Arc::new([Unguarded::new(0), Unguarded::new(0)]);
            let (pass, plates) = channel::<()>();
            for n in 0..2 {
                let (pass, plate) = (pass.clone(), Arc::clone(&plate));
                drop(robot("ChefBot", move || {
                    plate[n].set(1);
                    pass.send(()).unwrap();
                }));
            }
            drop(pass);
            plates.recv().unwrap();
            if to_the_end {
                assert_eq!(plates.iter().count(), 1);
            }
            assert!(plate.iter().map(Unguarded::get).sum::<i32>() >= 1);
        })
    };
    assert!(!raced(true) && raced(false));
}

#[test]
fn a_free_place_hands_over_what_the_receiver_did_before_it_took_the_message() {
    // The plate is the waiter's until it takes the second message; the chef has one place.
    let raced = |messages: u32, bound: usize| {
        races(move || {
            let plate = Arc::new(Unguarded::new(0));
            let other = Arc::clone(&plate);
            let (pass, plates) = sync_channel(bound);
            both(
                ("ChefBot", move || {
                    (0..messages).for_each(|n| pass.send(n).unwrap());
                    other.set(1);
                }),
                ("WaitBot", move || {
                    plate.get();
                    plates.recv().unwrap();
                    assert_eq!(plates.iter().count() as u32, messages - 1);
                }),
            );
        })
    };
    assert!(raced(1, 1), "the first message needs nobody to have taken one");
    assert!(!raced(2, 1), "the second one lies where the first one was");
    assert!(raced(2, 2) && !raced(3, 2));
    assert!(!raced(1, 0), "a rendezvous orders both ways");
}

#[test]
fn spawn_and_join_and_scope_order() {
    assert!(!races(|| {
        let mut plate = Unguarded::new(0);
        plate.set(1);
        thread::scope(|s| {
            s.spawn(|| plate.write(|n| *n += 1)).join().unwrap();
            plate.write(|n| *n += 1);
            s.spawn(|| {
                plate.write(|n| *n += 1);
                s.spawn(|| plate.write(|n| *n += 1)).join().unwrap();
            });
        });
        assert_eq!(*plate.get_mut(), 5);
        plate.set(0);
    }));
    // Whoever goes on after spawning is not ordered before what the robot does.
    assert!(races(|| {
        let plate = Unguarded::new(0);
        thread::scope(|s| {
            s.spawn(|| plate.set(1));
            plate.set(2);
        });
    }));
}

#[test]
fn looking_whether_a_robot_has_finished_orders_nothing_and_joining_it_does() {
    let raced = |joins: bool| {
        races(move || {
            let plate = Arc::new(Unguarded::new(0));
            let other = Arc::clone(&plate);
            let chef = robot("ChefBot", move || other.set(1));
            if chef.is_finished() {
                if joins {
                    chef.join().unwrap();
                }
                plate.get();
            }
        })
    };
    assert!(raced(false) && !raced(true));
}

#[test]
fn a_condvar_orders_through_its_lock() {
    let raced = |under_lock: bool| {
        races(move || {
            let shared = Arc::new((Unguarded::new(0), Mutex::new(false), Condvar::new()));
            let other = Arc::clone(&shared);
            both(
                ("ChefBot", move || {
                    if under_lock {
                        other.0.set(1);
                    }
                    *other.1.lock().unwrap() = true;
                    other.2.notify_one();
                    if !under_lock {
                        other.0.set(1);
                    }
                }),
                ("WaitBot", move || {
                    let ready = shared.1.lock().unwrap();
                    let limit = Duration::from_secs(1);
                    let (ready, _) =
                        shared.2.wait_timeout_while(ready, limit, |ready| !*ready).unwrap();
                    if *ready {
                        shared.0.get();
                    }
                }),
            );
        })
    };
    assert!(!raced(true) && raced(false));
}

#[test]
fn an_unpark_hands_over_and_a_park_that_ends_by_itself_does_not() {
    let raced = |looks: bool| {
        races(move || {
            let shared = Arc::new((Unguarded::new(0), AtomicBool::new(false)));
            let other = Arc::clone(&shared);
            let waiter = robot("WaitBot", move || {
                thread::park();
                if !looks || other.1.load(Relaxed) {
                    other.0.get();
                }
            });
            shared.0.set(1);
            if looks {
                shared.1.store(true, Relaxed);
            }
            waiter.thread().unpark();
            waiter.join().unwrap();
        })
    };
    // A park may end unasked: then what it waits for has not happened, or has, and nothing orders it.
    assert!(raced(false) && raced(true));
    assert!(!races(|| {
        let shared = Arc::new((Unguarded::new(0), AtomicUsize::new(0)));
        let other = Arc::clone(&shared);
        let waiter = robot("WaitBot", move || {
            while other.1.load(Acquire) == 0 {
                thread::park();
            }
            other.0.get();
        });
        shared.0.set(1);
        shared.1.store(1, Release);
        waiter.thread().unpark();
        waiter.join().unwrap();
    }));
}

#[test]
fn a_shared_orders_writers_with_everybody_and_no_reader_with_another() {
    // What a reader did is known to the next writer, and to nobody who only reads.
    let raced = |writes: bool| {
        races(move || {
            let shared = Arc::new((Unguarded::new(0), Shared::new(0), Shared::new(0)));
            let other = Arc::clone(&shared);
            both(
                ("ChefBot", move || {
                    other.0.set(1);
                    if writes {
                        other.1.set(1);
                    } else {
                        other.1.get();
                        other.2.get();
                    }
                }),
                ("WaitBot", move || {
                    if shared.1.get() == 1 || !writes {
                        shared.0.get();
                    }
                }),
            );
        })
    };
    assert!(!raced(true) && raced(false));
}

// The story ------------------------------------------------------------------------------------------------------

fn flagged(store: Ordering, load: Ordering) -> Story {
    story(Checker::new("the plate").explore(move || {
        let pass = Arc::new((
            Unguarded::new("").called("the plate"),
            AtomicBool::new(false).called("the flag"),
        ));
        let other = Arc::clone(&pass);
        both(
            ("ChefBot", move || {
                other.0.set("soup");
                other.1.store(true, store);
            }),
            ("WaitBot", move || {
                if pass.1.load(load) {
                    assert_eq!(pass.0.get(), "soup");
                }
            }),
        );
    }))
}

#[test]
fn the_story_names_both_accesses_and_the_edge_that_is_missing() {
    let story = flagged(Relaxed, Relaxed);
    assert_eq!(
        paper(&story),
        "\
the plate: it can go wrong, and this is the shortest way I found
(2 schedules tried; it takes no preemption)

>> step 1  ChefBot  writes the plate, unguarded  [tests/races.rs:N]
   step 2  ChefBot  sets the flag to true        [tests/races.rs:N]
   step 3  WaitBot  reads the flag: true         [tests/races.rs:N]
>> step 4  WaitBot  reads the plate, unguarded   [tests/races.rs:N]

   data race: nothing orders ChefBot's write and WaitBot's read of the plate
   WaitBot has seen what ChefBot stored in the flag, but that orders nothing:
   it is stored with Relaxed and loaded with Relaxed. Release on the store and
   Acquire on the load would order them.
"
    );
}

#[test]
fn the_advice_names_the_side_that_is_missing() {
    let advice = |store, load| flagged(store, load).advice.unwrap();
    assert_eq!(
        advice(Relaxed, Relaxed),
        "WaitBot has seen what ChefBot stored in the flag, but that orders nothing: it is stored \
         with Relaxed and loaded with Relaxed. Release on the store and Acquire on the load would \
         order them."
    );
    assert!(advice(Release, Relaxed).ends_with(". Acquire on the load would order them."));
    assert!(advice(Relaxed, Acquire).ends_with(". Release on the store would order them."));
}

// Elsewhere ------------------------------------------------------------------------------------------------------

#[test]
fn outside_of_a_check_each_access_is_whole() {
    let tips = Unguarded::new(0).called("the tip jar");
    std::thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| (0..1000).for_each(|_| tips.write(|tips| *tips += 1)));
        }
    });
    assert_eq!((tips.get(), tips.read(|tips| tips + 1), tips.take()), (4000, 4001, 4000));
    tips.set(2);
    assert_eq!((format!("{tips:?}"), tips.into_inner()), ("Unguarded { .. }".to_owned(), 2));
}

#[test]
fn a_step_inside_of_an_access_is_refused_and_so_is_the_same_thing_again() {
    for again in [true, false] {
        let story = story(explore(move || {
            let (plate, flag) = (Unguarded::new(0), Shared::new(0));
            plate.write(|n| *n += if again { plate.get() } else { flag.get() });
        }));
        assert_eq!(story.ending, Ending::Misuse);
    }
}

#[test]
fn a_loop_that_waits_for_an_unguarded_flag_lets_it_be_raised() {
    let story = story(explore(|| {
        let light = Arc::new(Unguarded::new(false).called("the light"));
        let other = Arc::clone(&light);
        both(("WaitBot", move || while !light.get() {}), ("ChefBot", move || other.set(true)));
    }));
    assert_eq!(story.ending, Ending::DataRace);
}
