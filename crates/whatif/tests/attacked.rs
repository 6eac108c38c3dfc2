//! Programs that were written to get a wrong answer out of the checker. What it should say of each
//! one follows from the documentation of std.

mod common;

use std::process::Command;
use std::time::Duration;

use common::{both, proved, story};
use whatif::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};
use whatif::sync::mpsc::{Sender, channel, sync_channel};
use whatif::sync::{Arc, Barrier, Condvar, Mutex, Once, RwLock, Shared, Unguarded};
use whatif::{Checker, Ending, Outcome, Reduction, Report, check, never, step, thread};

fn explore(f: impl Fn() + Send + Sync + 'static) -> Report {
    Checker::new("an attack").explore(f)
}

// Not seen ------------------------------------------------------------------------------------------

/// `Arc` is that of std: when a clone goes is no step, so nobody comes before it. A robot says that
/// it is done, and its clone goes a moment later; whoever hears that and takes the value out at
/// once comes too early more often than not. Here never.
#[test]
fn what_an_arc_counts_is_not_seen() {
    let report = explore(|| {
        let (done, all_done) = channel();
        let tips = Arc::new(Mutex::new(0));
        let tips_too = Arc::clone(&tips);
        thread::spawn(move || {
            *tips_too.lock().unwrap() += 1;
            done.send(()).unwrap();
        });
        all_done.recv().unwrap();
        Arc::try_unwrap(tips).expect("everybody has said that they are done");
    });
    assert!(
        matches!(report.outcome, Outcome::Proved { .. }),
        "seen now? Say so in lib.rs: {report}"
    );
}

/// Both go home, and the one who goes last drops the receiver; that takes a step of its own, which
/// somebody else can come before. If B has gone home and A has only come as far as its number, the
/// receiver is still there. To the proof the steps of A and B have nothing in common, so it tries
/// only one order of who goes last.
#[test]
fn who_drops_the_last_arc_is_not_seen() {
    let run = || {
        let (tx, rx) = channel::<u8>();
        let (shared, came) = (Arc::new(Mutex::new(rx)), Arc::new(AtomicU32::new(0)));
        let (share, came_too) = (Arc::clone(&shared), Arc::clone(&came));
        let a = thread::spawn(move || {
            came_too.store(1, Ordering::SeqCst);
            drop(share);
        });
        let elsewhere = Arc::new(AtomicU32::new(0));
        let b = thread::spawn(move || {
            elsewhere.store(1, Ordering::SeqCst);
            drop(shared);
        });
        b.join().unwrap();
        if came.load(Ordering::SeqCst) == 1 {
            never("it can still be sent", tx.send(1).is_ok());
        }
        a.join().unwrap();
    };
    let ends = |reduction| {
        let checker = Checker::new("the last one").shares_nothing();
        let (mut ends, _) = checker.every_end(reduction, |_| (), run).unwrap();
        ends.sort_by_key(|it| format!("{it:?}"));
        ends
    };
    assert_eq!(ends(Reduction::None), [Ending::AllWell, Ending::RuleBroken]);
    assert_eq!(ends(Reduction::SleepSets), [Ending::AllWell], "seen now? Say so in lib.rs");
}

/// Whoever drops the last clone of an `Arc` knows what those did who dropped theirs before. Here
/// it does not, and that is a false alarm.
#[test]
fn what_an_arc_orders_is_not_seen() {
    let report = explore(|| {
        let (tx, rx) = channel::<()>();
        let (tx, tips) = (Arc::new(tx), Arc::new(Mutex::new(0)));
        let plates = Arc::new([Unguarded::new(0), Unguarded::new(0)]);
        let robots = [0, 1].map(|me| {
            let (tx, tips, plates) = (Arc::clone(&tx), Arc::clone(&tips), Arc::clone(&plates));
            thread::spawn(move || {
                *tips.lock().unwrap() += 1;
                plates[me].set(1);
                drop(tx);
            })
        });
        drop(tx);
        assert!(rx.recv().is_err());
        assert_eq!(plates[0].get() + plates[1].get(), 2);
        robots.into_iter().for_each(|it| it.join().unwrap());
    });
    assert_eq!(story(report).ending, Ending::DataRace, "seen now? Say so in lib.rs");
}

// It was proved, and was wrong ----------------------------------------------------------------------

/// `try_read` must not wait, and promises nothing about who comes first. With a writer in line it
/// fails on Linux, as `read` would wait.
#[test]
fn try_read_can_fail_while_a_writer_is_in_line() {
    let report = explore(|| {
        let menu = Arc::new(RwLock::new(0));
        let (reads, writes) = (Arc::clone(&menu), menu);
        both(
            ("WaitBot", move || {
                let one = reads.read().unwrap();
                step("reads");
                let two = reads.try_read();
                never("one who reads cannot read again", two.is_err());
                drop((one, two));
            }),
            ("ChefBot", move || *writes.write().unwrap() += 1),
        );
    });
    assert_eq!(story(report).ending, Ending::RuleBroken);
}

/// Being in line is no promise either: when the last reader leaves, a new one may still be faster than
/// the writer who has waited.
#[test]
fn a_reader_can_come_before_a_writer_who_was_in_line() {
    let report = explore(|| {
        let menu = Arc::new(RwLock::new(0));
        let writer_waits = Arc::new(AtomicBool::new(false));
        let (reads, writes, reads_later) = (Arc::clone(&menu), Arc::clone(&menu), menu);
        let waits = Arc::clone(&writer_waits);
        let robots = [
            thread::spawn(move || {
                let first = reads.read().unwrap();
                waits.store(reads.try_read().is_err(), Ordering::SeqCst);
                drop(first);
            }),
            thread::spawn(move || *writes.write().unwrap() += 1),
            thread::spawn(move || {
                if writer_waits.load(Ordering::SeqCst) {
                    never("the writer was faster", *reads_later.read().unwrap() == 0);
                }
            }),
        ];
        robots.into_iter().for_each(|it| it.join().unwrap());
    });
    assert_eq!(story(report).ending, Ending::RuleBroken);
}

/// A sender that was dropped has nothing to do with why another one cannot send: that was the
/// receiver.
#[test]
fn a_send_that_fails_orders_nothing_between_senders() {
    let report = explore(|| {
        let (tx, rx) = channel::<u8>();
        let plate = Arc::new(Unguarded::new(0));
        let (tx_too, plate_too) = (tx.clone(), Arc::clone(&plate));
        let chef = thread::spawn(move || {
            plate_too.set(1);
            drop(tx_too);
        });
        let guest = thread::spawn(move || drop(rx));
        let wait = thread::spawn(move || {
            if tx.send(1).is_err() {
                plate.get();
            }
        });
        [chef, guest, wait].into_iter().for_each(|it| it.join().unwrap());
    });
    assert_eq!(story(report).ending, Ending::DataRace);
}

/// What a robot returns is dropped on its thread if nobody wants it. If that panics, std aborts.
#[test]
fn a_result_that_panics_when_it_is_dropped_is_a_breakdown() {
    struct Tray;
    impl Drop for Tray {
        fn drop(&mut self) {
            panic!("the tray falls");
        }
    }
    let report = explore(|| {
        let tips = Arc::new(Mutex::new(0));
        let tips_too = Arc::clone(&tips);
        drop(thread::spawn(move || {
            *tips_too.lock().unwrap() += 1;
            Tray
        }));
        *tips.lock().unwrap() += 1;
    });
    assert_eq!(story(report).ending, Ending::BrokeDown);
}

// It was right, and there was an alarm --------------------------------------------------------------

/// Each robot meets the first one, while both are there.
#[test]
fn robots_that_each_talk_to_the_first_one_have_met() {
    let messages = explore(|| {
        let (soup, soups) = channel();
        let (wine, wines) = channel();
        let chef = thread::spawn(move || soup.send(1).unwrap());
        let bar = thread::spawn(move || wine.send(2).unwrap());
        assert_eq!(soups.recv().unwrap() + wines.recv().unwrap(), 3);
        [chef, bar].into_iter().for_each(|it| it.join().unwrap());
    });
    proved(&messages);
    let bells = explore(|| {
        let robots = [thread::spawn(thread::park), thread::spawn(thread::park)];
        robots.iter().for_each(|it| it.thread().unpark());
        robots.into_iter().for_each(|it| it.join().unwrap());
    });
    proved(&bells);
}

/// The second message is taken after the plate is down, and with no place to put it `send` does not
/// return before that.
#[test]
fn after_a_try_send_the_next_send_waits_for_its_own_receipt() {
    let report = Checker::new("a hand-over").max_runs(2_000).explore(|| {
        let (tx, rx) = sync_channel::<u8>(0);
        let plate = Arc::new(Unguarded::new(0));
        let plate_too = Arc::clone(&plate);
        both(
            ("WaitBot", move || {
                rx.recv().unwrap();
                plate.set(1);
                rx.recv().unwrap();
            }),
            ("ChefBot", move || {
                while tx.try_send(1).is_err() {
                    thread::yield_now();
                }
                tx.send(2).unwrap();
                assert_eq!(plate_too.get(), 1);
            }),
        );
    });
    assert!(!matches!(report.outcome, Outcome::Failed(_)), "{report}");
}

// The checker itself hung, or died ------------------------------------------------------------------

/// A pool as in the book: dropping it closes the channel and waits for the workers.
struct Pool {
    jobs: Option<Sender<u8>>,
    workers: Vec<thread::JoinHandle<()>>,
}

impl Drop for Pool {
    fn drop(&mut self) {
        drop(self.jobs.take());
        self.workers.drain(..).for_each(|it| it.join().unwrap());
    }
}

fn pool<T: Send + Sync + 'static>(served: &Arc<T>, serve: fn(&T)) -> Pool {
    let (jobs, next) = channel();
    let next = Arc::new(Mutex::new(next));
    let worker = |_| {
        let (next, served) = (Arc::clone(&next), Arc::clone(served));
        thread::spawn(move || {
            while next.lock().unwrap().recv().is_ok() {
                serve(&served);
            }
        })
    };
    Pool { jobs: Some(jobs), workers: (0..2).map(worker).collect() }
}

impl Pool {
    fn serve(&self, job: u8) {
        self.jobs.as_ref().expect("the pool is open").send(job).unwrap();
    }
}

#[test]
#[ignore = "passes, but may end the process; run by the test below"]
fn shows_a_pool_and_somebody_who_tries() {
    check("a pool", || {
        let served = Arc::new(Mutex::new(0));
        let pool = pool(&served, |served| *served.lock().unwrap() += 1);
        pool.serve(1);
        if let Ok(served) = served.try_lock() {
            assert!(*served < 2);
        }
        drop(pool);
        assert_eq!(*served.lock().unwrap(), 1);
    });
}

#[test]
#[ignore = "passes, but may end the process; run by the test below"]
fn shows_a_pool_and_somebody_who_looks_again() {
    Checker::new("a pool").max_runs(300).check(|| {
        let served = Arc::new(AtomicBool::new(false));
        let pool = pool(&served, |served| served.store(true, Ordering::Release));
        pool.serve(1);
        while !served.load(Ordering::Acquire) {
            thread::yield_now();
        }
        drop(pool);
    });
}

/// There is nothing wrong with these two: no run of theirs may be broken off, because then the pool
/// would wait for robots that are sent home, in a `drop`, and that ends the process.
#[test]
fn a_program_that_is_right_survives_its_check() {
    let tests =
        ["shows_a_pool_and_somebody_who_tries", "shows_a_pool_and_somebody_who_looks_again"];
    for test in tests {
        let text = told_by(test);
        assert!(text.contains("1 passed"), "{test}: {text}");
    }
}

#[test]
#[ignore = "fails on purpose; run by the test below"]
fn shows_a_pool_that_loses_a_plate() {
    check("a pool", || {
        let served = Arc::new(Shared::new(0));
        let pool = pool(&served, |served| served.set(served.get() + 1));
        pool.serve(1);
        never("one plate at a time", served.get() == 1);
        drop(pool);
    });
}

#[test]
#[ignore = "fails on purpose; run by the test below"]
fn shows_a_drop_that_takes_a_lock() {
    struct Closes(Arc<Mutex<bool>>);
    impl Drop for Closes {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = true;
        }
    }
    check("a drop", || {
        let closed = Arc::new(Mutex::new(false));
        let closes = Closes(Arc::clone(&closed));
        let robot = thread::spawn(move || {
            let _closes = closes;
            step("works");
        });
        let held = closed.lock().unwrap();
        never("one plate at a time", !*held);
        drop(held);
        robot.join().unwrap();
    });
}

fn told_by(test: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", test])
        .env_remove("WHATIF_REPLAY")
        .env_remove("WHATIF_RECORD")
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// When a run ends early, its robots are sent home by unwinding. A `drop` that fails then ends the
/// process; but the story comes first.
#[test]
fn a_story_is_told_whatever_drops_do() {
    for test in ["shows_a_drop_that_takes_a_lock", "shows_a_pool_that_loses_a_plate"] {
        let text = told_by(test);
        assert!(text.contains("rule broken: one plate at a time"), "{test}: {text}");
    }
}

/// Twelve robots read the one and want to write the other, twelve the other way round.
#[test]
fn a_ring_is_found_among_many_robots() {
    let report = Checker::new("two menus").max_runs(1).explore(|| {
        let menus = Arc::new((RwLock::new(0), RwLock::new(0), Barrier::new(24)));
        let robot = |i: usize| {
            let menus = Arc::clone(&menus);
            thread::spawn(move || {
                let (mine, other) =
                    if i.is_multiple_of(2) { (&menus.0, &menus.1) } else { (&menus.1, &menus.0) };
                let reads = mine.read().unwrap();
                menus.2.wait();
                *other.write().unwrap() += *reads;
            })
        };
        (0..24).map(robot).collect::<Vec<_>>().into_iter().for_each(|it| it.join().unwrap());
    });
    assert_eq!(story(report).ending, Ending::Deadlock);
}

// Attacked, and held -------------------------------------------------------------------------------

/// A receiver that has not begun to wait is not there yet: its last step before that and the
/// `try_send` cannot change places.
#[test]
fn a_rendezvous_is_tried_before_and_after_the_receiver_has_come() {
    let ends = |reduction| {
        let checker = Checker::new("a rendezvous").shares_nothing();
        let run = || {
            let (tx, rx) = sync_channel::<u8>(0);
            let elsewhere = Arc::new(AtomicU32::new(0));
            both(
                ("ChefBot", move || never("taken at once", tx.try_send(1).is_ok())),
                ("WaitBot", move || {
                    elsewhere.store(1, Ordering::SeqCst);
                    let _ = rx.recv();
                }),
            );
        };
        let (mut ends, _) = checker.every_end(reduction, |_| (), run).unwrap();
        ends.sort_by_key(|it| format!("{it:?}"));
        ends
    };
    assert_eq!(ends(Reduction::None), [Ending::AllWell, Ending::RuleBroken]);
    assert_eq!(ends(Reduction::SleepSets), ends(Reduction::None));
}

/// What is in a channel is dropped with its receiver, and whoever waits for an answer learns that
/// there will be none.
#[test]
fn a_request_that_nobody_will_answer_is_not_waited_for() {
    for bound in [0, 1, 2] {
        let report = explore(move || {
            let (tx, rx) = sync_channel::<Sender<u8>>(bound);
            let worker = thread::spawn(move || drop(rx));
            let (reply, answer) = channel();
            let _ = tx.send(reply);
            assert!(answer.recv().is_err());
            worker.join().unwrap();
        });
        proved(&report);
    }
}

#[test]
fn what_std_orders_is_ordered() {
    // `Arc` by hand.
    proved(&explore(|| {
        let it = Arc::new((AtomicU32::new(2), Unguarded::new(0)));
        let leave = |it: Arc<(AtomicU32, Unguarded<u32>)>| {
            move || {
                it.1.read(|_| ());
                if it.0.fetch_sub(1, Ordering::Release) == 1 {
                    fence(Ordering::Acquire);
                    it.1.set(1);
                }
            }
        };
        both(("WaitBot-1", leave(Arc::clone(&it))), ("WaitBot-2", leave(it)));
    }));
    // A change by somebody else continues the release sequence, and fences join it.
    proved(&explore(|| {
        let it = Arc::new((AtomicU32::new(0), AtomicU32::new(0), Unguarded::new(0)));
        let (sets, adds) = (Arc::clone(&it), Arc::clone(&it));
        let robots = [
            thread::spawn(move || {
                sets.2.set(1);
                fence(Ordering::Release);
                sets.0.store(1, Ordering::Relaxed);
            }),
            thread::spawn(move || {
                adds.0.fetch_add(10, Ordering::Relaxed);
            }),
        ];
        if it.0.load(Ordering::Relaxed) & 1 == 1 {
            fence(Ordering::Acquire);
            assert_eq!(it.2.get(), 1);
        }
        robots.into_iter().for_each(|it| it.join().unwrap());
    }));
    // A barrier, twice.
    proved(&explore(|| {
        let it = Arc::new((Barrier::new(2), [Unguarded::new(0), Unguarded::new(0)]));
        let turns = |it: Arc<(Barrier, [Unguarded<u32>; 2])>, me: usize| {
            move || {
                for round in 0..2 {
                    it.1[(me + round) % 2].write(|n| *n += 1);
                    it.0.wait();
                }
                it.1[me].read(|n| assert_eq!(*n, 2));
            }
        };
        both(("WaitBot-1", turns(Arc::clone(&it), 0)), ("WaitBot-2", turns(it, 1)));
    }));
    // Scopes, one inside another, and a robot that spawns into the scope that it is in.
    proved(&explore(|| {
        let (tips, plates) = (Mutex::new(0), [(); 3].map(|()| Unguarded::new(0)));
        thread::scope(|s| {
            s.spawn(|| {
                plates[0].set(1);
                s.spawn(|| {
                    plates[1].write(|n| *n += 1);
                    *tips.lock().unwrap() += 1;
                });
            });
            s.spawn(|| {
                *tips.lock().unwrap() += 1;
                thread::scope(|inner| drop(inner.spawn(|| plates[2].set(1))));
                assert_eq!(plates[2].get(), 1);
            });
        });
        assert_eq!(plates.iter().map(Unguarded::get).sum::<u32>(), 3);
    }));
    // All senders gone, and a `Once`.
    proved(&explore(|| {
        let it = Arc::new((Once::new(), Unguarded::new(0), Unguarded::new(0)));
        let (tx, rx) = channel::<()>();
        let call = |it: Arc<(Once, Unguarded<u32>, Unguarded<u32>)>, tx: Sender<()>| {
            move || {
                it.0.call_once(|| it.1.set(1));
                assert_eq!(it.1.get(), 1);
                drop(tx);
            }
        };
        let robots = [
            thread::spawn(call(Arc::clone(&it), tx.clone())),
            thread::spawn(call(Arc::clone(&it), tx)),
        ];
        it.0.wait();
        assert!(rx.recv().is_err());
        it.1.set(2);
        robots.into_iter().for_each(|it| it.join().unwrap());
    }));
}

#[test]
fn what_std_does_not_order_is_a_race() {
    let is_a_race = |f: fn()| assert_eq!(story(explore(f)).ending, Ending::DataRace);
    // A store by somebody else ends the release sequence.
    is_a_race(|| {
        let it = Arc::new((AtomicU32::new(0), Unguarded::new(0)));
        let (sets, stores) = (Arc::clone(&it), Arc::clone(&it));
        let robots = [
            thread::spawn(move || {
                sets.1.set(1);
                sets.0.store(1, Ordering::Release);
            }),
            thread::spawn(move || {
                if stores.0.load(Ordering::Relaxed) == 1 {
                    stores.0.store(2, Ordering::Relaxed);
                }
            }),
        ];
        if it.0.load(Ordering::Acquire) == 2 {
            it.1.get();
        }
        robots.into_iter().for_each(|it| it.join().unwrap());
    });
    // `park` may return for nothing, and `park_timeout` too early.
    for park in [thread::park as fn(), || thread::park_timeout(Duration::from_secs(9))] {
        let report = explore(move || {
            let plate = Arc::new(Unguarded::new(0));
            let plate_too = Arc::clone(&plate);
            let robot = thread::spawn(move || {
                park();
                plate_too.get()
            });
            plate.set(1);
            robot.thread().unpark();
            robot.join().unwrap();
        });
        assert_eq!(story(report).ending, Ending::DataRace);
    }
    // Two who only read a lock learn nothing from each other.
    is_a_race(|| {
        let it = Arc::new((RwLock::new(0), Unguarded::new(0)));
        let reads = |it: Arc<(RwLock<u32>, Unguarded<u32>)>| {
            move || {
                let menu = it.0.read().unwrap();
                it.1.write(|n| *n += *menu);
            }
        };
        both(("WaitBot-1", reads(Arc::clone(&it))), ("WaitBot-2", reads(it)));
    });
}

/// For each kind of failure that can be played again, a program that ends like that.
#[test]
fn every_id_plays_the_end_that_it_was_told_with() {
    let shared = || Arc::new((Mutex::new(0), Mutex::new(0), Condvar::new()));
    let deadlock = move || {
        let a = shared();
        let b = Arc::clone(&a);
        both(
            ("WaitBot-1", move || drop((a.0.lock().unwrap(), a.1.lock().unwrap()))),
            ("WaitBot-2", move || drop((b.1.lock().unwrap(), b.0.lock().unwrap()))),
        );
    };
    let lost = move || {
        let a = shared();
        let b = Arc::clone(&a);
        both(
            ("WaitBot-1", move || drop(a.2.wait(a.0.lock().unwrap()).unwrap())),
            ("WaitBot-2", move || b.2.notify_one()),
        );
    };
    let twice = move || {
        let a = shared();
        let b = Arc::clone(&a);
        both(
            ("WaitBot-1", move || *a.1.lock().unwrap() = 1),
            ("WaitBot-2", move || {
                let saw = *b.1.lock().unwrap();
                let _first = b.0.lock().unwrap();
                if saw == 1 {
                    drop(b.0.lock());
                }
            }),
        );
    };
    let spins = || {
        let a = Arc::new(AtomicBool::new(false));
        let b = Arc::clone(&a);
        both(
            ("WaitBot-1", move || while !a.load(Ordering::Acquire) {}),
            ("WaitBot-2", move || assert!(!b.load(Ordering::Acquire))),
        );
    };
    let races = || {
        let a = Arc::new(Unguarded::new(0));
        let b = Arc::clone(&a);
        both(("WaitBot-1", move || a.set(1)), ("WaitBot-2", move || b.set(2)));
    };
    let breaks = move || {
        let a = shared();
        let b = Arc::clone(&a);
        both(
            ("WaitBot-1", move || *a.0.lock().unwrap() = 1),
            ("WaitBot-2", move || assert_eq!(*b.0.lock().unwrap(), 0)),
        );
    };
    let tries = move || {
        let a = shared();
        let b = Arc::clone(&a);
        both(
            ("WaitBot-1", move || *a.0.lock().unwrap() = 1),
            ("WaitBot-2", move || never("taken", b.0.try_lock().is_err())),
        );
    };
    let programs: [(Ending, Box<dyn Fn() + Send + Sync>); 7] = [
        (Ending::Deadlock, Box::new(deadlock)),
        (Ending::LostWakeUp, Box::new(lost)),
        (Ending::LockedTwice, Box::new(twice)),
        (Ending::NobodyGetsAnywhere, Box::new(spins)),
        (Ending::DataRace, Box::new(races)),
        (Ending::BrokeDown, Box::new(breaks)),
        (Ending::RuleBroken, Box::new(tries)),
    ];
    for (ending, program) in programs {
        let program: Arc<dyn Fn() + Send + Sync> = Arc::from(program);
        let again = Arc::clone(&program);
        let told = story(explore(move || program()));
        assert_eq!(told.ending, ending);
        let replayed = story(Checker::new("an attack").replay(&told.id, move || again()));
        assert_eq!((replayed.ending, &replayed.rule), (told.ending, &told.rule), "{}", told.id);
        assert_eq!(replayed.preemptions, told.preemptions, "{}", told.id);
    }
}
