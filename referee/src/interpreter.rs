//! Runs a program with the locks and threads of one checker. The text is the same for all of them, so what differs is
//! theirs.

/// Makes `fn run(program, page)`, with the locks and threads of `$checker`.
#[macro_export]
macro_rules! interpreter {
    ($checker:ident) => {
        use std::sync::Arc;

        use $checker::sync::atomic::{AtomicU8, Ordering::SeqCst};
        use $checker::sync::{Barrier, Condvar, Mutex, MutexGuard, RwLock, mpsc};
        use $checker::thread;
        use $crate::page::Page;
        use $crate::program::{ATOMICS, LOCKS, Op, Program};

        struct World {
            locks: [Mutex<u8>; LOCKS],
            bells: [Condvar; LOCKS],
            shelf: RwLock<u8>,
            atomics: [AtomicU8; ATOMICS],
            barrier: Barrier,
        }

        enum Sender {
            Bounded(mpsc::SyncSender<u8>),
            Unbounded(mpsc::Sender<u8>),
        }

        /// One thread, and what it holds.
        struct Robot<'a> {
            number: usize,
            world: &'a World,
            page: &'a Page,
            held: Vec<(usize, Option<MutexGuard<'a, u8>>)>,
            sender: Option<Sender>,
            receiver: Option<mpsc::Receiver<u8>>,
        }

        /// Runs the program once, and writes what it notes on the page.
        pub fn run(program: &Program, page: &Arc<Page>) {
            let world = Arc::new(World {
                locks: std::array::from_fn(|_| Mutex::new(0)),
                bells: std::array::from_fn(|_| Condvar::new()),
                shelf: RwLock::new(0),
                atomics: std::array::from_fn(|_| AtomicU8::new(0)),
                barrier: Barrier::new(2),
            });
            let (sender, receiver) = match program.places {
                Some(places) => {
                    let (sender, receiver) = mpsc::sync_channel(places);
                    (Sender::Bounded(sender), receiver)
                }
                None => {
                    let (sender, receiver) = mpsc::channel();
                    (Sender::Unbounded(sender), receiver)
                }
            };
            let mut receiver = Some(receiver);
            let mut threads = Vec::new();
            for (number, ops) in program.threads.iter().enumerate() {
                let (world, page, ops) = (Arc::clone(&world), Arc::clone(page), ops.clone());
                let receiver = receiver.take();
                let sender = (number > 0).then(|| match &sender {
                    Sender::Bounded(sender) => Sender::Bounded(sender.clone()),
                    Sender::Unbounded(sender) => Sender::Unbounded(sender.clone()),
                });
                threads.push(thread::spawn(move || {
                    let mut robot = Robot {
                        number,
                        world: &world,
                        page: &page,
                        held: Vec::new(),
                        sender,
                        receiver,
                    };
                    robot.all(&ops);
                    // Others notice when the last Sender or the Receiver goes. whatif makes a step of that; to shuttle it
                    // is part of what came before, unless it is given a place to stop.
                    thread::yield_now();
                }));
            }
            drop(sender);
            for thread in threads {
                thread.join().unwrap();
            }
            page.the_rest(
                (world.locks.iter().map(|lock| *lock.lock().unwrap()))
                    .chain([*world.shelf.read().unwrap()])
                    .chain(world.atomics.iter().map(|atomic| atomic.load(SeqCst))),
            );
        }

        impl<'a> Robot<'a> {
            fn all(&mut self, ops: &[Op]) {
                for op in ops {
                    self.one(op);
                }
            }

            fn notes(&self, what: u8) {
                self.page.note(self.number, what);
            }

            fn guard(&mut self, lock: usize) -> &mut Option<MutexGuard<'a, u8>> {
                let held = self.held.iter_mut().find(|(held, _)| *held == lock);
                &mut held.expect("the program holds this lock").1
            }

            fn one(&mut self, op: &Op) {
                let world = self.world;
                match op {
                    Op::Lock(lock, inside) => {
                        self.held
                            .push((*lock, Some(world.locks[*lock].lock().unwrap())));
                        self.all(inside);
                        self.held.pop();
                    }
                    Op::TryLock(lock, inside) => match world.locks[*lock].try_lock() {
                        Ok(guard) => {
                            self.notes(1);
                            self.held.push((*lock, Some(guard)));
                            self.all(inside);
                            self.held.pop();
                        }
                        Err(_) => self.notes(0),
                    },
                    Op::Get(lock) => {
                        let number = **self.guard(*lock).as_ref().unwrap();
                        self.notes(number);
                    }
                    Op::Put(lock, number) => **self.guard(*lock).as_mut().unwrap() = *number,
                    Op::WaitFor(lock, number) => {
                        let mut guard = self.guard(*lock).take().unwrap();
                        while *guard != *number {
                            guard = world.bells[*lock].wait(guard).unwrap();
                        }
                        *self.guard(*lock) = Some(guard);
                    }
                    Op::Ring { bell, all: true } => world.bells[*bell].notify_all(),
                    Op::Ring { bell, all: false } => world.bells[*bell].notify_one(),
                    Op::Look(inside) => {
                        let guard = world.shelf.read().unwrap();
                        self.notes(*guard);
                        self.all(inside);
                    }
                    Op::Change(inside) => {
                        let mut guard = world.shelf.write().unwrap();
                        *guard += 1;
                        self.all(inside);
                    }
                    Op::Load(atomic) => self.notes(world.atomics[*atomic].load(SeqCst)),
                    Op::Store(atomic, number) => world.atomics[*atomic].store(*number, SeqCst),
                    Op::Add(atomic, number) => {
                        self.notes(world.atomics[*atomic].fetch_add(*number, SeqCst));
                    }
                    Op::Exchange(atomic, from, to) => {
                        match world.atomics[*atomic].compare_exchange(*from, *to, SeqCst, SeqCst) {
                            Ok(found) => self.notes(100 + found),
                            Err(found) => self.notes(found),
                        }
                    }
                    Op::Send(number) => {
                        let sent = match self
                            .sender
                            .as_ref()
                            .expect("a thread that sends has a sender")
                        {
                            Sender::Bounded(sender) => sender.send(*number).is_ok(),
                            Sender::Unbounded(sender) => sender.send(*number).is_ok(),
                        };
                        self.notes(u8::from(sent));
                    }
                    Op::Receive => {
                        let received = self
                            .receiver
                            .as_ref()
                            .expect("the first thread receives")
                            .recv();
                        self.notes(received.unwrap_or(99));
                    }
                    Op::TryReceive => {
                        let received = self
                            .receiver
                            .as_ref()
                            .expect("the first thread receives")
                            .try_recv();
                        self.notes(match received {
                            Ok(number) => number,
                            Err(mpsc::TryRecvError::Empty) => 98,
                            Err(mpsc::TryRecvError::Disconnected) => 99,
                        });
                    }
                    Op::Meet => {
                        world.barrier.wait();
                        self.notes(7);
                    }
                    Op::Yield => thread::yield_now(),
                }
            }
        }
    };
}
