//! Futures are dropped at every moment at which they can be: nothing is lost, and nobody is stuck.

mod sync_harness;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use loopbot::sync::{Barrier, Condition, Event, Mutex, RwLock, Semaphore, channel, oneshot, watch};
use loopbot::yield_now;
use sync_harness::{Task, at_most, drop_anybody_at_any_time, run};

#[test]
fn mutex() {
    drop_anybody_at_any_time(
        || Mutex::new(0),
        |mutex| {
            let task = |_| {
                Task::new(async {
                    let mut guard = mutex.lock().await;
                    *guard += 1;
                    yield_now().await;
                    *guard -= 1;
                    drop(guard);
                    drop(mutex.lock().await);
                })
            };
            (0..4).map(task).collect()
        },
        |mutex| assert!(mutex.try_lock().is_some(), "nobody is left to hold it"),
    );
}

#[test]
fn semaphore() {
    drop_anybody_at_any_time(
        || Semaphore::new(3),
        |semaphore| {
            // A big request stands before small ones, and its place in the line may fall vacant.
            let task = |permits| {
                Task::new(async move {
                    for _ in 0..2 {
                        let _permit = semaphore.acquire(permits).await.unwrap();
                        yield_now().await;
                    }
                })
            };
            [2, 3, 1, 1, 2].into_iter().map(task).collect()
        },
        |semaphore| assert_eq!(semaphore.available_permits(), 3, "every permit came back"),
    );
}

#[test]
fn owned_permits_of_a_semaphore() {
    drop_anybody_at_any_time(
        || Rc::new(Semaphore::new(2)),
        |semaphore| {
            let task = |permits| {
                Task::new(async move {
                    let _permit = semaphore.clone().acquire_owned(permits).await.unwrap();
                    yield_now().await;
                })
            };
            [1, 2, 1, 1].into_iter().map(task).collect()
        },
        |semaphore| {
            assert_eq!(semaphore.available_permits(), 2, "every permit came back");
            assert_eq!(Rc::strong_count(semaphore), 1);
        },
    );
}

#[test]
fn rwlock() {
    drop_anybody_at_any_time(
        || RwLock::new(0),
        |lock| {
            let reader = || {
                Task::new(async {
                    let guard = lock.read().await;
                    let seen = *guard;
                    yield_now().await;
                    assert_eq!(*guard, seen, "nobody writes while somebody reads");
                })
            };
            let writer = || {
                Task::new(async {
                    let mut guard = lock.write().await;
                    *guard += 1;
                    yield_now().await;
                    let guard = guard.downgrade();
                    yield_now().await;
                    drop(guard);
                })
            };
            vec![
                reader(),
                writer(),
                reader(),
                reader(),
                writer(),
                writer(),
                reader(),
            ]
        },
        |lock| assert!(lock.try_write().is_some(), "nobody is left to hold it"),
    );
}

#[test]
fn event() {
    drop_anybody_at_any_time(
        || (Event::new(), Cell::new(0)),
        |(event, _)| {
            let waiter = |_| Task::new(event.wait());
            // There are two who set it, so that one can be dropped.
            let setter = |_| {
                Task::new(async {
                    yield_now().await;
                    event.set();
                })
            };
            (0..3).map(waiter).chain((0..2).map(setter)).collect()
        },
        |_| (),
    );
}

/// A kitchen pass: one dish less than waiters, and for each dish one of them is called.
#[test]
fn condition_notifying_one() {
    struct Pass {
        dishes: Mutex<u32>,
        news: Condition,
    }
    const WAITERS: usize = 4;
    for cooks_hold_the_pass in [false, true] {
        let set = || Pass {
            dishes: Mutex::new(0),
            news: Condition::new(),
        };
        fn scene(pass: &Pass, cooks_hold_the_pass: bool) -> Vec<Task<'_, ()>> {
            let waiter = |_| {
                Task::new(async {
                    let mut dishes = pass.dishes.lock().await;
                    dishes = pass.news.wait_while(dishes, |dishes| *dishes == 0).await;
                    *dishes -= 1;
                    yield_now().await;
                })
            };
            let cook = Task::new(async move {
                for _ in 0..WAITERS - 1 {
                    let mut dishes = pass.dishes.lock().await;
                    *dishes += 1;
                    if cooks_hold_the_pass {
                        // Who is called has to wait for the pass: there too it can be dropped.
                        pass.news.notify_one();
                        yield_now().await;
                        yield_now().await;
                    } else {
                        drop(dishes);
                        pass.news.notify_one();
                    }
                }
            });
            (0..WAITERS).map(waiter).chain([cook]).collect()
        }
        let (steps, stuck) = run(scene(&set(), cooks_hold_the_pass), None, 0);
        assert_eq!(stuck.len(), 1, "one waits for a dish that does not come");
        for victim in 0..WAITERS {
            for moment in 0..=steps {
                let pass = set();
                let (_, stuck) = run(scene(&pass, cooks_hold_the_pass), Some(victim), moment);
                let dishes = *pass.dishes.try_lock().expect("nobody is left to hold it");
                assert!(
                    dishes == 0 || stuck.is_empty(),
                    "waiter {victim} is dropped before step {moment}; {dishes} dishes are left, but {stuck:?} were never called"
                );
            }
        }
    }
}

#[test]
fn condition_notifying_all() {
    drop_anybody_at_any_time(
        || (Mutex::new(false), Condition::new()),
        |(open, news)| {
            let guest = |_| {
                Task::new(async { drop(news.wait_while(open.lock().await, |open| !*open).await) })
            };
            let host = |_| {
                Task::new(async {
                    *open.lock().await = true;
                    news.notify_all();
                })
            };
            (0..3).map(guest).chain((0..2).map(host)).collect()
        },
        |(open, _)| assert!(open.try_lock().is_some(), "nobody is left to hold it"),
    );
}

/// Two of three are needed.
#[test]
fn barrier() {
    for victim in 0..3 {
        for moment in 0..8 {
            let barrier = Barrier::new(2);
            let leaders = Cell::new(0);
            let arrive = || {
                Task::new(async {
                    let is_leader = barrier.wait().await.is_leader();
                    leaders.set(leaders.get() + usize::from(is_leader));
                })
            };
            let (_, stuck) = run(vec![arrive(), arrive(), arrive()], Some(victim), moment);
            if moment < 2 {
                // Dropped before two had arrived: the other two find each other.
                assert!(
                    stuck.is_empty(),
                    "victim {victim}, moment {moment}: {stuck:?} wait"
                );
            } else {
                // The first two went on together, whoever was dropped then. The third waits for another, unless it is the victim.
                let third = if victim == 2 { vec![] } else { vec![2] };
                assert_eq!(stuck, third, "victim {victim}, moment {moment}");
            }
            assert_eq!(leaders.get(), 1);
            // Nothing is left of that in the next round.
            let (_, stuck) = run(vec![arrive(), arrive()], None, 0);
            assert!(
                stuck.is_empty(),
                "victim {victim}, moment {moment}: the barrier is broken"
            );
            assert_eq!(leaders.get(), 2);
        }
    }
}

#[test]
fn channel_receives_what_was_sent_however_often_one_gives_up_waiting() {
    for polls in 0..4 {
        for capacity in 1..4 {
            let (sender, mut receiver) = channel::bounded(capacity);
            let received = RefCell::new(Vec::new());
            let cook = Task::new(async move {
                for dish in 0..10 {
                    sender.send(dish).await.unwrap();
                    if dish % 3 == 0 {
                        yield_now().await;
                    }
                }
            });
            let waiter = Task::new(async {
                loop {
                    match at_most(polls, receiver.recv()).await {
                        Some(Some(dish)) => received.borrow_mut().push(dish),
                        Some(None) => break,
                        None if polls == 0 => match receiver.recv().await {
                            Some(dish) => received.borrow_mut().push(dish),
                            None => break,
                        },
                        None => yield_now().await,
                    }
                }
            });
            let (_, stuck) = run(vec![waiter, cook], None, 0);
            assert!(stuck.is_empty(), "{stuck:?}");
            assert_eq!(*received.borrow(), (0..10).collect::<Vec<_>>());
        }
    }
}

/// What was sent, in the view of each sender, and what was received.
#[derive(Default)]
struct Books {
    sent: RefCell<Vec<u32>>,
    received: RefCell<Vec<u32>>,
    receiver_is_there: Cell<bool>,
}

/// Three send through one place, one receives: anybody is dropped, at any time.
#[test]
fn channel_senders_and_receiver() {
    for reserve in [false, true] {
        drop_anybody_at_any_time(
            Books::default,
            |books| {
                let (sender, mut receiver) = channel::bounded(1);
                let send = |number: u32| {
                    let sender = sender.clone();
                    Task::new(async move {
                        for dish in [10 * number, 10 * number + 1] {
                            let sent = if reserve {
                                let room = sender.reserve().await;
                                yield_now().await; // Others may not take the room meanwhile.
                                room.is_ok_and(|room| room.send(dish).is_ok())
                            } else {
                                sender.send(dish).await.is_ok()
                            };
                            if sent {
                                books.sent.borrow_mut().push(dish);
                            } else {
                                assert!(
                                    !books.receiver_is_there.get(),
                                    "it refuses, but the receiver is there"
                                );
                            }
                        }
                    })
                };
                let senders: Vec<_> = (0..3).map(send).collect();
                drop(sender);
                books.receiver_is_there.set(true);
                struct Leaves<'a>(&'a Books);
                impl Drop for Leaves<'_> {
                    fn drop(&mut self) {
                        self.0.receiver_is_there.set(false);
                    }
                }
                let leaves = Leaves(books);
                let receive = Task::new(async move {
                    let _leaves = leaves;
                    while let Some(dish) = receiver.recv().await {
                        books.received.borrow_mut().push(dish);
                    }
                });
                senders.into_iter().chain([receive]).collect()
            },
            |books| {
                let (sent, received) = (books.sent.borrow(), books.received.borrow());
                assert!(
                    received.iter().all(|dish| sent.contains(dish)),
                    "received {received:?}, but sent {sent:?}"
                );
                // Everything was received, unless the receiver was dropped; then what lay there is lost with it.
                assert!(
                    sent.starts_with(&received),
                    "received {received:?} of {sent:?}"
                );
            },
        );
    }
}

#[test]
fn oneshot() {
    drop_anybody_at_any_time(
        || (Rc::new(()), Cell::new(false)),
        |(value, refused)| {
            let (sender, receiver) = oneshot::channel();
            let value = value.clone();
            let sending = Task::new(async move {
                yield_now().await;
                refused.set(sender.send(value).is_err());
            });
            let receiving = Task::new(async move {
                let mut receiver = receiver;
                if at_most(1, &mut receiver).await.is_none() {
                    let _ = receiver.await; // Giving up once has lost nothing.
                }
            });
            vec![receiving, sending]
        },
        |(value, _)| {
            assert_eq!(
                Rc::strong_count(value),
                1,
                "the value is dropped with whoever had it"
            )
        },
    );
}

#[test]
fn oneshot_closed() {
    drop_anybody_at_any_time(
        || (),
        |()| {
            let (mut sender, receiver) = oneshot::channel::<()>();
            let sending = Task::new(async move {
                if at_most(1, sender.closed()).await.is_none() {
                    sender.closed().await;
                }
                assert!(sender.is_closed());
            });
            let receiving = Task::new(async move {
                let _receiver = receiver;
                yield_now().await;
            });
            vec![sending, receiving]
        },
        |()| (),
    );
}

#[test]
fn watch() {
    drop_anybody_at_any_time(
        || Cell::new(0),
        |done| {
            let (sender, receiver) = watch::channel(0);
            let watcher = |polls: u32| {
                let mut receiver = receiver.clone();
                Task::new(async move {
                    let mut seen = 0;
                    loop {
                        match at_most(polls, receiver.changed()).await {
                            Some(Ok(())) => {
                                let now = *receiver.borrow();
                                assert!(now > seen, "a change that was seen before: {now}");
                                seen = now;
                            }
                            Some(Err(_)) => break,
                            None => yield_now().await,
                        }
                    }
                    assert_eq!(seen, *receiver.borrow(), "the last change was missed");
                    done.set(done.get() + 1);
                })
            };
            let watchers: Vec<_> = [1, 2, u32::MAX].into_iter().map(watcher).collect();
            let send = Task::new(async move {
                for value in 1..5 {
                    sender.send_replace(value);
                    yield_now().await;
                }
            });
            watchers.into_iter().chain([send]).collect()
        },
        |done| assert!(done.get() >= 2),
    );
}
