//! What each primitive promises, one test for each sentence.

mod sync_harness;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use flight::VirtualTime;
use loopbot::sync::channel::{SendError, TryRecvError, TrySendError};
use loopbot::sync::{Barrier, Condition, Event, Mutex, RwLock, Semaphore, channel, oneshot, watch};
use loopbot::{Clock, LoopBot, sleep, spawn, yield_now};
use sync_harness::{Bell, Task};

/// On virtual time somebody who is never called ends the test: LoopBot sees that it stands still.
fn on_loopbot<T>(test: impl Future<Output = T>) -> T {
    let clock = Clock::virtual_time(VirtualTime::new());
    LoopBot::builder().clock(clock).build().run(test)
}

#[test]
fn a_mutex_is_handed_over_in_the_order_of_asking() {
    on_loopbot(async {
        let served = Rc::new(Mutex::new(Vec::new()));
        let guests: Vec<_> = (0..5)
            .map(|guest| {
                let served = served.clone();
                spawn(async move {
                    let mut served = served.lock().await;
                    yield_now().await;
                    served.push(guest);
                })
            })
            .collect();
        for guest in guests {
            guest.await.unwrap();
        }
        assert_eq!(*served.lock().await, [0, 1, 2, 3, 4]);
    });
}

#[test]
fn nobody_slips_in_between_a_mutex_and_the_one_it_was_handed_to() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let mut waiter = Task::new(mutex.lock());
    waiter.waits();
    drop(guard);
    assert!(waiter.is_woken());
    assert!(mutex.try_lock().is_none(), "it belongs to the waiter");
    let mut late = Task::new(mutex.lock());
    late.waits();
    drop(waiter.done());
    drop(late.done());
}

#[test]
fn a_mutex_whose_holder_panics_goes_to_the_next_as_it_was_left() {
    on_loopbot(async {
        let mutex = Rc::new(Mutex::new(0));
        let clumsy = spawn({
            let mutex = mutex.clone();
            async move {
                let mut guard = mutex.lock().await;
                *guard = 7;
                yield_now().await;
                panic!("dropped the tray");
            }
        });
        yield_now().await;
        let next = mutex.lock().await;
        assert_eq!(*next, 7);
        assert!(clumsy.await.unwrap_err().is_panic());
    });
}

#[test]
fn a_mutex_gives_its_value_back() {
    let mut mutex = Mutex::new(String::from("soup"));
    mutex.get_mut().push('!');
    assert_eq!(mutex.into_inner(), "soup!");
    let unsized_value: &Mutex<[u8]> = &Mutex::new([1, 2]);
    assert_eq!(unsized_value.try_lock().unwrap().len(), 2);
    assert_eq!(*Mutex::<u8>::default().try_lock().unwrap(), 0);
}

#[test]
fn a_task_that_locks_twice_is_said_to_stand_still() {
    let clock = Clock::virtual_time(VirtualTime::new());
    let robot = LoopBot::builder().clock(clock).build();
    let mutex = Mutex::new(());
    let stand_still = robot.try_run(async {
        let _first = mutex.lock().await;
        let _second = mutex.lock().await;
    });
    assert!(stand_still.is_err());
    assert!(
        mutex.try_lock().is_some(),
        "and the first is given back when the task is dropped"
    );
}

#[test]
fn readers_read_together_and_wait_behind_a_writer_who_came_before() {
    let lock = RwLock::new(());
    let first = lock.try_read().unwrap();
    let second = Task::new(lock.read()).done();
    let mut writer = Task::new(lock.write());
    writer.waits();
    assert!(lock.try_read().is_none(), "the writer came before");
    let mut third = Task::new(lock.read());
    third.waits();
    drop((first, second));
    assert!(writer.is_woken() && !third.is_woken());
    let guard = writer.done();
    third.waits();
    drop(guard);
    drop(third.done());
}

#[test]
fn readers_wait_no_longer_when_the_writer_before_them_gives_up() {
    let lock = RwLock::new(());
    let _first = lock.try_read().unwrap();
    let mut writer = Task::new(lock.write());
    writer.waits();
    let mut readers = [lock.read(), lock.read()].map(Task::new);
    readers.iter_mut().for_each(Task::waits);
    drop(writer);
    assert!(readers.iter().all(Task::is_woken));
    let _guards = readers.each_mut().map(Task::done);
}

#[test]
fn no_writer_comes_in_between_a_downgrade() {
    let mut lock = RwLock::new(1);
    {
        let mut guard = lock.try_write().unwrap();
        let mut reader = Task::new(lock.read());
        reader.waits();
        let mut writer = Task::new(lock.write());
        writer.waits();
        *guard = 2;
        let guard = guard.downgrade();
        assert!(reader.is_woken() && !writer.is_woken());
        assert_eq!((*guard, *reader.done()), (2, 2));
        drop(guard);
        *writer.done() = 3;
    }
    assert_eq!(*lock.get_mut(), 3);
    assert_eq!(lock.into_inner(), 3);
}

#[test]
fn a_big_request_is_not_passed_over_for_small_ones() {
    let semaphore = Semaphore::new(3);
    let small = semaphore.try_acquire(1).unwrap();
    let mut big = Task::new(semaphore.acquire(3));
    big.waits();
    let mut late = Task::new(semaphore.acquire(1));
    late.waits(); // although two are free
    assert!(semaphore.try_acquire(1).is_none());
    assert_eq!(semaphore.available_permits(), 2);
    drop(small);
    assert!(big.is_woken() && !late.is_woken());
    let permit = big.done().unwrap();
    late.waits();
    drop(permit);
    late.done().unwrap().forget();
    assert_eq!(semaphore.available_permits(), 2, "one is kept for ever");
}

#[test]
fn one_release_serves_as_many_as_it_can() {
    let semaphore = Semaphore::new(0);
    let mut waiting = [1, 2, 3].map(|permits| Task::new(semaphore.acquire(permits)));
    waiting.iter_mut().for_each(Task::waits);
    semaphore.add_permits(4);
    assert_eq!(waiting.each_ref().map(Task::is_woken), [true, true, false]);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn a_closed_semaphore_refuses_those_in_line_and_honours_what_it_gave() {
    let semaphore = Semaphore::new(0);
    let mut waiting = [(); 2].map(|()| Task::new(semaphore.acquire(1)));
    waiting.iter_mut().for_each(Task::waits);
    semaphore.add_permits(1);
    semaphore.close();
    assert!(waiting.iter().all(Task::is_woken));
    let [first, second] = waiting.each_mut().map(Task::done);
    assert!(first.is_ok());
    assert_eq!(second.unwrap_err().to_string(), "the semaphore was closed");
    assert!(Task::new(semaphore.acquire(0)).done().is_err());
    drop(first);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn too_many_permits_are_refused_and_nothing_breaks() {
    let semaphore = Semaphore::new(usize::MAX);
    let panic = catch_unwind(AssertUnwindSafe(|| semaphore.add_permits(1)));
    assert!(panic.is_err());
    assert_eq!(semaphore.available_permits(), usize::MAX);
}

#[test]
fn who_waited_when_an_event_was_set_goes_on_although_it_is_cleared_again() {
    let event = Event::default();
    let mut waiter = Task::new(event.wait());
    waiter.waits();
    event.set();
    event.clear();
    let mut late = Task::new(event.wait());
    late.waits();
    waiter.done();
    assert!(!late.is_woken());
}

#[test]
fn a_condition_gives_the_mutex_back_while_it_waits_and_calls_in_order() {
    let (mutex, condition) = (Mutex::new(()), Condition::default());
    let mut waiting = [(); 3].map(|()| {
        let mut task = Task::new(condition.wait(mutex.try_lock().unwrap()));
        task.waits();
        task
    });
    condition.notify_one();
    assert_eq!(waiting.each_ref().map(Task::is_woken), [true, false, false]);
    let guard = waiting[0].done();
    condition.notify_all();
    waiting[2].waits(); // for the mutex now
    drop(guard);
    drop(waiting[2].done());
    drop(waiting[1].done());
    assert!(mutex.try_lock().is_some());
}

#[test]
fn a_notification_that_finds_nobody_is_lost() {
    let (mutex, condition) = (Mutex::new(()), Condition::new());
    condition.notify_one();
    condition.notify_all();
    let mut late = Task::new(condition.wait(mutex.try_lock().unwrap()));
    late.waits();
    assert!(!late.is_woken());
}

#[test]
fn a_wait_that_is_not_polled_still_holds_the_mutex() {
    let (mutex, condition) = (Mutex::new(()), Condition::new());
    let wait = condition.wait(mutex.try_lock().unwrap());
    assert!(mutex.try_lock().is_none());
    drop(wait);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn wait_while_does_not_give_the_mutex_back_if_the_value_is_fit() {
    let (mutex, condition) = (Mutex::new(5), Condition::new());
    let mut wait = Task::new(condition.wait_while(mutex.try_lock().unwrap(), |value| *value < 5));
    assert_eq!(*wait.done(), 5);
}

#[test]
fn a_barrier_holds_up_all_but_the_last_round_after_round() {
    let barrier = Barrier::new(3);
    for _ in 0..3 {
        let mut early = [(); 2].map(|()| Task::new(barrier.wait()));
        early.iter_mut().for_each(Task::waits);
        early.iter_mut().for_each(Task::waits); // Polled again, nobody arrives twice.
        assert!(Task::new(barrier.wait()).done().is_leader());
        // One of the next round does not mix with those of this one.
        let mut next_round = Task::new(barrier.wait());
        next_round.waits();
        assert!(early.iter_mut().all(|task| !task.done().is_leader()));
        next_round.waits();
    }
    for small in [0, 1] {
        assert!(Task::new(Barrier::new(small).wait()).done().is_leader());
    }
}

#[test]
fn a_full_channel_holds_up_its_senders_and_serves_them_in_order() {
    let (sender, mut receiver) = channel::bounded(1);
    sender.try_send(1).unwrap();
    assert_eq!(sender.try_send(9).unwrap_err(), TrySendError::Full(9));
    let mut second = Task::new(sender.send(2));
    second.waits();
    let other = sender.clone();
    let mut third = Task::new(other.send(3));
    third.waits();
    assert_eq!(receiver.try_recv(), Ok(1));
    assert!(second.is_woken() && !third.is_woken());
    assert!(
        sender.try_send(9).is_err(),
        "the room belongs to the second"
    );
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    second.done().unwrap();
    assert_eq!(Task::new(receiver.recv()).done(), Some(2));
    third.done().unwrap();
    assert_eq!((receiver.len(), receiver.is_empty()), (1, false));
}

#[test]
fn a_channel_without_senders_ends_after_its_last_value() {
    let (sender, mut receiver) = channel::unbounded();
    sender.clone().try_send(1).unwrap();
    sender.try_send(2).unwrap();
    drop(sender);
    assert_eq!(Task::new(receiver.recv()).done(), Some(1));
    assert_eq!(receiver.try_recv(), Ok(2));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(Task::new(receiver.recv()).done(), None);
}

#[test]
fn the_last_sender_wakes_the_receiver_when_it_goes() {
    let (sender, mut receiver) = channel::bounded::<()>(1);
    let another = sender.clone();
    let mut receiving = Task::new(receiver.recv());
    receiving.waits();
    drop(sender);
    assert!(!receiving.is_woken());
    drop(another);
    assert_eq!(receiving.done(), None);
}

#[test]
fn a_closed_channel_gives_the_values_back_and_keeps_what_it_has() {
    let (sender, mut receiver) = channel::bounded(1);
    sender.try_send(1).unwrap();
    let mut waiting = Task::new(sender.send(2));
    waiting.waits();
    receiver.close();
    assert_eq!(waiting.done(), Err(SendError(2)));
    assert_eq!(sender.try_send(3), Err(TrySendError::Closed(3)));
    assert_eq!(Task::new(sender.send(4)).done(), Err(SendError(4)));
    assert_eq!(
        Task::new(sender.reserve()).done().unwrap_err(),
        SendError(())
    );
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(Task::new(receiver.recv()).done(), None);
}

/// A sender that was given room, but had not used it when the channel was closed, has not sent.
#[test]
fn nothing_gets_into_a_closed_channel_through_room_that_was_given_before() {
    let (sender, mut receiver) = channel::bounded(1);
    sender.try_send(1).unwrap();
    let mut late = Task::new(sender.send(2));
    late.waits();
    assert_eq!(receiver.try_recv(), Ok(1));
    assert!(late.is_woken());
    receiver.close();
    assert_eq!(Task::new(receiver.recv()).done(), None);
    assert_eq!(late.done(), Err(SendError(2)));
}

#[test]
fn values_in_a_channel_are_dropped_with_the_receiver_not_with_the_channel() {
    let value = Rc::new(());
    let (sender, receiver) = channel::unbounded();
    sender.try_send(value.clone()).unwrap();
    drop(receiver);
    assert_eq!(Rc::strong_count(&value), 1);
    assert!(sender.is_closed());
}

#[test]
fn a_receiver_is_a_stream_by_hand() {
    on_loopbot(async {
        use futures::StreamExt;
        let (sender, mut receiver) = channel::bounded(1);
        let sending = spawn(async move {
            for number in 0..3 {
                sender.send(number).await.unwrap();
            }
        });
        let stream = futures::stream::poll_fn(move |cx| receiver.poll_recv(cx));
        assert_eq!(stream.collect::<Vec<_>>().await, [0, 1, 2]);
        sending.await.unwrap();
    });
}

/// Two halves of one task can share a receiver: one polls it by hand, and the other closes it.
#[test]
fn who_polls_a_receiver_by_hand_hears_that_it_was_closed() {
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(bell.clone());
    let mut cx = Context::from_waker(&waker);
    let (_sender, mut receiver) = channel::bounded::<()>(1);
    assert!(receiver.poll_recv(&mut cx).is_pending());
    receiver.close();
    assert_eq!(bell.rings(), 1);
    assert_eq!(receiver.poll_recv(&mut cx), Poll::Ready(None));

    let (_sender, mut receiver) = oneshot::channel::<()>();
    assert!(Pin::new(&mut receiver).poll(&mut cx).is_pending());
    receiver.close();
    assert_eq!(bell.rings(), 2);
    assert!(Pin::new(&mut receiver).poll(&mut cx).is_ready());
}

#[test]
#[should_panic(expected = "could never take a value")]
fn a_channel_needs_room() {
    let _ = channel::bounded::<()>(0);
}

#[test]
fn a_channel_with_a_bound_out_of_reach_takes_no_memory_for_it() {
    let (sender, mut receiver) = channel::bounded(usize::MAX);
    sender.try_send([1u8; 64]).unwrap();
    assert_eq!(receiver.try_recv().unwrap(), [1; 64]);
}

#[test]
fn many_small_kitchens_pass_everything_on() {
    on_loopbot(async {
        let (first, mut last) = channel::bounded(3);
        for stage in 0..10 {
            let (sender, next) = channel::bounded(1 + stage % 3);
            let mut before = std::mem::replace(&mut last, next);
            spawn(async move {
                while let Some(number) = before.recv().await {
                    if number % 7 == 0 {
                        sleep(Duration::from_millis(1)).await;
                    }
                    sender.send(number).await.unwrap();
                }
            });
        }
        spawn(async move {
            for number in 0..200 {
                first.send(number).await.unwrap();
            }
        });
        for number in 0..200 {
            assert_eq!(last.recv().await, Some(number));
        }
        assert_eq!(last.recv().await, None);
    });
}

#[test]
fn a_oneshot_gives_its_value_or_says_that_none_comes() {
    let (sender, receiver) = oneshot::channel();
    let mut receiving = Task::new(receiver);
    receiving.waits();
    sender.send(5).unwrap();
    assert!(receiving.is_woken());
    assert_eq!(receiving.done(), Ok(5));

    let (sender, mut receiver) = oneshot::channel::<()>();
    assert_eq!(receiver.try_recv(), Ok(None));
    let mut receiving = Task::new(receiver);
    receiving.waits();
    drop(sender);
    assert!(receiving.is_woken());
    let sentence = receiving.done().unwrap_err().to_string();
    assert!(sentence.starts_with("no value comes"), "{sentence}");
}

#[test]
fn a_oneshot_gives_the_value_back_if_nobody_wants_it() {
    let (mut sender, receiver) = oneshot::channel();
    let mut gone = Task::new(sender.closed());
    gone.waits();
    drop(receiver);
    gone.done();
    drop(gone);
    assert_eq!(sender.send("soup"), Err("soup"));

    let (sender, mut receiver) = oneshot::channel();
    receiver.close();
    assert_eq!(sender.send("soup"), Err("soup"));

    let (sender, mut receiver) = oneshot::channel();
    sender.send("soup").unwrap();
    receiver.close();
    assert_eq!(receiver.try_recv(), Ok(Some("soup")), "it was sent before");
    assert!(receiver.try_recv().is_err());
}

#[test]
fn a_watch_wakes_everybody_and_shows_the_latest() {
    let (sender, mut first) = watch::channel(0);
    let mut second = first.clone();
    let mut late = sender.subscribe();
    {
        let mut waiting = [first.changed(), second.changed(), late.changed()].map(Task::new);
        waiting.iter_mut().for_each(Task::waits);
        sender.send(1).unwrap();
        sender.send_modify(|value| *value += 1);
        assert!(waiting.iter().all(Task::is_woken));
        waiting.iter_mut().for_each(|task| task.done().unwrap());
    }
    assert_eq!(
        (*first.borrow(), *late.borrow(), *sender.borrow()),
        (2, 2, 2)
    );
    assert!(!first.has_changed() && !first.is_closed());
    Task::new(first.changed()).waits();
    // One that subscribes has seen what is there.
    Task::new(sender.subscribe().changed()).waits();
    // The last change is told before the end.
    sender.send(3).unwrap();
    drop(sender);
    assert!(second.is_closed());
    Task::new(second.changed()).done().unwrap();
    assert_eq!(*second.borrow_and_update(), 3);
    assert!(Task::new(second.changed()).done().is_err());
}

#[test]
fn a_watch_without_receivers_gives_the_value_back() {
    let (sender, receiver) = watch::channel(0);
    drop(receiver);
    assert_eq!(sender.send(1), Err(SendError(1)));
    assert_eq!(*sender.borrow(), 0);
    assert_eq!(sender.send_replace(2), 0);
    assert_eq!(*sender.subscribe().borrow(), 2);
}

#[test]
fn a_watch_says_so_if_its_value_is_changed_while_it_is_borrowed() {
    let (sender, receiver) = watch::channel(0);
    let borrowed = receiver.borrow();
    let panic = catch_unwind(AssertUnwindSafe(|| sender.send(1))).unwrap_err();
    let sentence = panic.downcast_ref::<String>().expect("in words");
    assert!(sentence.contains("while somebody borrows it"), "{sentence}");
    drop(borrowed);
    sender.send(1).unwrap();
}

#[test]
fn a_future_may_move_from_one_task_to_another_while_it_waits() {
    let event = Event::new();
    let mut wait = event.wait();
    let bell = Arc::new(Bell::default());
    let first = Waker::from(bell.clone());
    let polled = Pin::new(&mut wait).poll(&mut Context::from_waker(&first));
    assert!(polled.is_pending());
    let mut second = Task::new(wait);
    second.waits();
    event.set();
    assert!(second.is_woken());
    assert_eq!(bell.rings(), 0, "only the last waker counts");
    second.done();
}

#[test]
fn who_waited_leaves_nothing_behind() {
    // Ten thousand come and go; the line is never longer than two, and neither is its memory.
    let semaphore = Semaphore::new(0);
    let mut stays = Task::new(semaphore.acquire(1));
    stays.waits();
    for _ in 0..10_000 {
        Task::new(semaphore.acquire(1)).waits();
    }
    let places = format!("{semaphore:?}").matches("Place {").count();
    assert_eq!(places, 2);
    semaphore.add_permits(1);
    stays.done().unwrap().forget();
}
