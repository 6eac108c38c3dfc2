//! The six collisions of the restaurant, small, with the locks and threads of any checker: careless and coordinated.

/// One of the planted programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planted {
    /// As the scenes of `threadbots` are called.
    pub name: &'static str,
    /// It has the hole in it.
    pub careless: bool,
}

/// Their names.
pub const NAMES: [&str; 6] = [
    "broken-plate",
    "broken-glass",
    "one-table",
    "same-order",
    "the-bell",
    "two-keys",
];

/// Makes `fn play(planted)`, with the locks and threads of `$checker`. A broken rule is a panic.
#[macro_export]
macro_rules! planted {
    ($checker:ident) => {
        use $checker::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
        use $checker::sync::{Arc, Condvar, Mutex};
        use $checker::thread;
        use $crate::planted::Planted;

        /// Plays it once.
        ///
        /// # Panics
        ///
        /// When its rule is broken.
        pub fn play(planted: Planted) {
            let careless = planted.careless;
            match planted.name {
                "broken-plate" => broken_plate(careless),
                "broken-glass" => broken_glass(careless),
                "one-table" => one_table(careless),
                "same-order" => same_order(careless),
                "the-bell" => the_bell(careless),
                "two-keys" => two_keys(careless),
                other => panic!("there is no {other}"),
            }
        }

        /// Two robots, each with a clone of what they share.
        fn both<T: Send + Sync + 'static>(shared: T, one: fn(&T), other: fn(&T)) -> Arc<T> {
            let shared = Arc::new(shared);
            let robots = [one, other].map(|job| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || job(&shared))
            });
            for robot in robots {
                robot.join().unwrap();
            }
            shared
        }

        /// ChefBot says that the plate is there, and has not let go of it.
        fn broken_plate(careless: bool) {
            struct Hatch {
                there: AtomicBool,
                held: AtomicBool,
                careless: bool,
            }
            let hatch = Hatch {
                there: AtomicBool::new(false),
                held: AtomicBool::new(true),
                careless,
            };
            both(
                hatch,
                |hatch| {
                    if hatch.careless {
                        hatch.there.store(true, SeqCst);
                        hatch.held.store(false, SeqCst);
                    } else {
                        hatch.held.store(false, SeqCst);
                        hatch.there.store(true, SeqCst);
                    }
                },
                |hatch| {
                    if hatch.there.load(SeqCst) {
                        assert!(
                            !hatch.held.load(SeqCst),
                            "a plate is taken before it is let go"
                        );
                    }
                },
            );
        }

        /// Two robots wait for glasses at one bell, and one glass comes after the other.
        fn broken_glass(careless: bool) {
            let bar = Arc::new((Mutex::new(0_u32), Condvar::new()));
            let mut robots = Vec::new();
            for _ in 0..2 {
                let bar = Arc::clone(&bar);
                robots.push(thread::spawn(move || {
                    let mut glasses = bar.0.lock().unwrap();
                    if careless {
                        if *glasses == 0 {
                            glasses = bar.1.wait(glasses).unwrap();
                        }
                    } else {
                        while *glasses == 0 {
                            glasses = bar.1.wait(glasses).unwrap();
                        }
                    }
                    assert!(*glasses > 0, "a robot takes a glass that is not there");
                    *glasses -= 1;
                }));
            }
            for _ in 0..2 {
                *bar.0.lock().unwrap() += 1;
                bar.1.notify_all();
            }
            for robot in robots {
                robot.join().unwrap();
            }
        }

        /// GreetBot and WaitBot both find the table free.
        fn one_table(careless: bool) {
            struct Table {
                state: Mutex<(bool, bool)>,
                careless: bool,
            }
            impl Table {
                fn claim(&self, act: fn(&mut (bool, bool))) {
                    let mut state = self.state.lock().unwrap();
                    if *state != (false, false) {
                        return;
                    }
                    if self.careless {
                        drop(state);
                        state = self.state.lock().unwrap();
                    }
                    act(&mut state);
                    assert!(
                        *state != (true, true),
                        "a party sits at a table that is being cleared"
                    );
                }
            }
            let table = Table {
                state: Mutex::new((false, false)),
                careless,
            };
            both(
                table,
                |table| table.claim(|it| it.0 = true),
                |table| table.claim(|it| it.1 = true),
            );
        }

        /// Two robots take one order.
        fn same_order(careless: bool) {
            struct Order {
                card: AtomicBool,
                slips: AtomicU32,
                careless: bool,
            }
            fn take(order: &Order) {
                let mine = if order.careless {
                    let free = !order.card.load(SeqCst);
                    if free {
                        order.card.store(true, SeqCst);
                    }
                    free
                } else {
                    order
                        .card
                        .compare_exchange(false, true, SeqCst, SeqCst)
                        .is_ok()
                };
                if mine {
                    order.slips.fetch_add(1, SeqCst);
                }
            }
            let order = Order {
                card: AtomicBool::new(false),
                slips: AtomicU32::new(0),
                careless,
            };
            let order = both(order, take, take);
            assert!(order.slips.load(SeqCst) == 1, "an order is taken twice");
        }

        /// ChefBot looks, gives the lock back, and only then goes to sleep.
        fn the_bell(careless: bool) {
            struct Rail {
                slips: Mutex<u32>,
                bell: Condvar,
                careless: bool,
            }
            let rail = Rail {
                slips: Mutex::new(0),
                bell: Condvar::new(),
                careless,
            };
            both(
                rail,
                |rail| {
                    let mut slips = rail.slips.lock().unwrap();
                    if rail.careless {
                        let none = *slips == 0;
                        drop(slips);
                        slips = rail.slips.lock().unwrap();
                        if none {
                            slips = rail.bell.wait(slips).unwrap();
                        }
                    }
                    while *slips == 0 {
                        slips = rail.bell.wait(slips).unwrap();
                    }
                    *slips -= 1;
                },
                |rail| {
                    *rail.slips.lock().unwrap() += 1;
                    rail.bell.notify_one();
                },
            );
        }

        /// Two keys, taken in two orders.
        fn two_keys(careless: bool) {
            struct Doors {
                cellar: Mutex<u32>,
                cabinet: Mutex<u32>,
                careless: bool,
            }
            let doors = Doors {
                cellar: Mutex::new(10),
                cabinet: Mutex::new(10),
                careless,
            };
            both(
                doors,
                |doors| {
                    let mut cellar = doors.cellar.lock().unwrap();
                    let mut cabinet = doors.cabinet.lock().unwrap();
                    (*cellar, *cabinet) = (*cellar - 1, *cabinet - 1);
                },
                |doors| {
                    if doors.careless {
                        let mut cabinet = doors.cabinet.lock().unwrap();
                        *doors.cellar.lock().unwrap() -= 1;
                        *cabinet -= 1;
                    } else {
                        let mut cellar = doors.cellar.lock().unwrap();
                        *doors.cabinet.lock().unwrap() -= 1;
                        *cellar -= 1;
                    }
                },
            );
        }
    };
}
