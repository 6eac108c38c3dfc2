//! What LoopBot promises about tasks: how they begin, end, and are waited for.

mod common;

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;
use std::task::Poll;

use common::{Notes, SaysGoodbye, own_waker, recorded_robot, virtual_robot};
use flight::{End, Event};
use loopbot::{JoinError, run, sleep, spawn, spawn_named, yield_now};

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    match panic.downcast_ref::<&str>() {
        Some(message) => message.to_string(),
        None => panic
            .downcast_ref::<String>()
            .expect("panic! with words")
            .clone(),
    }
}

#[test]
fn a_task_may_spawn_and_join_in_its_first_poll() {
    let made = virtual_robot().run(async {
        spawn(async {
            spawn(async { spawn(async { 3 }).await.unwrap() + 2 })
                .await
                .unwrap()
                + 1
        })
        .await
        .unwrap()
    });
    assert_eq!(made, 6);
}

#[test]
fn main_may_borrow_from_outside() {
    let mut tips = vec![5];
    virtual_robot().run(async {
        yield_now().await;
        tips.push(7);
    });
    assert_eq!(tips, [5, 7]);
}

#[test]
fn a_robot_can_run_again_and_begins_afresh() {
    let robot = virtual_robot();
    for _ in 0..2 {
        robot.run(async {
            assert!(loopbot::now().is_zero());
            sleep(std::time::Duration::from_secs(1)).await;
        });
    }
}

#[test]
fn a_panic_goes_to_whoever_joins() {
    virtual_robot().run(async {
        let in_words = spawn_named("oven", async { panic!("the soufflé fell") })
            .await
            .unwrap_err();
        assert!(in_words.is_panic() && !in_words.is_cancelled());
        assert_eq!(in_words.to_string(), "oven panicked: the soufflé fell");

        let formatted = spawn(async { panic!("table {}", 2) }).await.unwrap_err();
        assert_eq!(formatted.panic_message(), Some("table 2"));

        let not_in_words = spawn(async { panic_any(7_u8) }).await.unwrap_err();
        assert_eq!(not_in_words.panic_message(), Some("(not in words)"));
        assert_eq!(
            *not_in_words.into_panic().unwrap().downcast::<u8>().unwrap(),
            7
        );
    });
}

#[test]
fn a_join_error_goes_into_a_boxed_error() {
    fn fits<E: std::error::Error + Send + Sync + 'static>() {}
    fits::<JoinError>();
}

#[test]
fn a_panic_of_a_detached_task_is_on_record_and_the_others_go_on() {
    let (robot, recorder, _) = recorded_robot();
    robot.run(async {
        drop(spawn_named("oven", async { panic!("nobody listens") }));
        spawn(yield_now()).await.unwrap();
    });
    let recording = recorder.recording();
    let panicked: Vec<&str> = recording
        .events
        .iter()
        .filter_map(|entry| match entry.event {
            Event::TaskEnd {
                task,
                how: End::Panicked,
            } => Some(recording.task(task)),
            _ => None,
        })
        .collect();
    assert_eq!(panicked, ["oven"]);
}

#[test]
fn a_panic_of_main_comes_out_of_run_and_the_tasks_are_dropped() {
    let notes = Notes::new();
    let panic = catch_unwind(AssertUnwindSafe(|| {
        virtual_robot().run(async {
            let goodbye = SaysGoodbye("the task is gone", notes.clone());
            drop(spawn(async move {
                let _goodbye = goodbye;
                pending::<()>().await;
            }));
            yield_now().await;
            panic!("main falls");
        })
    }))
    .unwrap_err();
    assert_eq!(message_of(&*panic), "main falls");
    assert_eq!(notes.all(), ["the task is gone"]);
    assert_eq!(
        run(async { 1 }),
        1,
        "the thread is free for another LoopBot"
    );
}

#[test]
fn dropping_the_handle_detaches_the_task() {
    virtual_robot().run(async {
        let done = Rc::new(Cell::new(false));
        drop(spawn({
            let done = done.clone();
            async move {
                yield_now().await;
                done.set(true);
            }
        }));
        for _ in 0..3 {
            yield_now().await;
        }
        assert!(done.get());
    });
}

#[test]
fn dropping_a_joiner_half_way_loses_the_result_and_not_the_task() {
    virtual_robot().run(async {
        let mut soup = spawn(async {
            yield_now().await;
            "soup"
        });
        poll_fn(|cx| {
            assert!(std::pin::Pin::new(&mut soup).poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        assert_eq!((&mut soup).await.unwrap(), "soup"); // asked again, and got
    });
}

#[test]
fn what_a_future_held_is_free_before_its_joiner_hears_of_its_end() {
    virtual_robot().run(async {
        let plate = Rc::new(());
        let held = plate.clone();
        // The future of a block that has returned still owns what it never moved: its captures.
        let mut held = Some(held);
        let task = spawn(poll_fn(move |_| {
            let _still_here = &mut held;
            Poll::Ready(())
        }));
        task.await.unwrap();
        assert_eq!(Rc::strong_count(&plate), 1);
    });
}

#[test]
fn an_aborted_task_is_dropped_and_its_joiner_hears_it() {
    virtual_robot().run(async {
        let notes = Notes::new();
        let goodbye = SaysGoodbye("put the plate back", notes.clone());
        let task = spawn_named("carry", async move {
            let _goodbye = goodbye;
            pending::<()>().await;
        });
        yield_now().await;
        task.abort();
        assert!(
            !task.is_finished(),
            "it ends in its next turn, not in the middle of ours"
        );
        let error = task.await.unwrap_err();
        assert_eq!(error.to_string(), "carry was cancelled");
        assert!(error.panic_message().is_none() && error.into_panic().is_none());
        assert_eq!(notes.all(), ["put the plate back"]);
    });
}

#[test]
fn abort_comes_too_late_for_a_task_that_is_over() {
    virtual_robot().run(async {
        let task = spawn(async { 1 });
        yield_now().await;
        task.abort();
        assert_eq!(task.await.unwrap(), 1);
    });
}

#[test]
fn a_task_may_abort_itself() {
    virtual_robot().run(async {
        let own = Rc::new(Cell::new(None::<loopbot::JoinHandle<()>>));
        let handle = spawn({
            let own = own.clone();
            async move {
                let handle = own.take().unwrap();
                handle.abort();
                own.set(Some(handle));
                pending::<()>().await;
            }
        });
        own.set(Some(handle));
        yield_now().await;
        yield_now().await;
        assert!(own.take().unwrap().await.unwrap_err().is_cancelled());
    });
}

#[test]
fn a_panic_while_a_finished_future_is_dropped_goes_to_its_joiner() {
    struct Shatters;
    impl Drop for Shatters {
        fn drop(&mut self) {
            panic!("the plate shatters");
        }
    }
    virtual_robot().run(async {
        let shatters = Shatters;
        let task = spawn(poll_fn(move |_| {
            let _plate = &shatters;
            Poll::Ready("served")
        }));
        assert_eq!(
            task.await.unwrap_err().panic_message(),
            Some("the plate shatters")
        );
        // An output that nobody takes is dropped by the loop, which goes on.
        drop(spawn(async { Shatters }));
        for _ in 0..3 {
            yield_now().await;
        }
    });
}

#[test]
fn a_nested_run_is_refused_with_a_sentence() {
    virtual_robot().run(async {
        let error = spawn(async { run(async {}) }).await.unwrap_err();
        let message = error.panic_message().unwrap();
        assert!(
            message.contains("a LoopBot already runs on this thread"),
            "{message}"
        );
        assert!(message.contains(".await"), "says what to do: {message}");
        assert_eq!(spawn(async { 1 }).await.unwrap(), 1, "the loop goes on");
    });
}

#[test]
fn what_needs_a_loop_says_so_where_there_is_none() {
    let cases: [(&str, fn()); 5] = [
        ("spawn", || drop(spawn(async {}))),
        ("spawn_named", || drop(spawn_named("soup", async {}))),
        ("sleep", || drop(sleep(std::time::Duration::ZERO))),
        ("now", || assert!(loopbot::now().is_zero())),
        ("with_lane", || loopbot::with_lane(|_| ())),
    ];
    for (name, call) in cases {
        let message = message_of(&*catch_unwind(call).unwrap_err());
        assert!(
            message.contains(&format!(
                "`loopbot::{name}` was called where no LoopBot runs"
            )),
            "{message}"
        );
    }
}

#[test]
fn tasks_that_are_left_are_dropped_in_the_order_in_which_they_were_spawned() {
    let notes = Notes::new();
    virtual_robot().run(async {
        for name in ["first", "second", "third"] {
            let goodbye = SaysGoodbye(name, notes.clone());
            drop(spawn(async move {
                let _goodbye = goodbye;
                pending::<()>().await;
            }));
        }
        yield_now().await;
    });
    assert_eq!(notes.all(), ["first", "second", "third"]);
}

#[test]
fn the_order_holds_when_a_drop_spawns_wakes_or_panics() {
    struct OnDrop<F: FnMut()>(F);
    impl<F: FnMut()> Drop for OnDrop<F> {
        fn drop(&mut self) {
            self.0();
        }
    }
    fn hold<T: 'static>(value: T) {
        drop(spawn(async move {
            let _value = value;
            pending::<()>().await;
        }));
    }
    let notes = Notes::new();
    virtual_robot().run(async {
        let waker_of_third = Rc::new(Cell::new(None));
        hold(OnDrop({
            let notes = notes.clone();
            move || {
                notes.add("first, spawns another");
                hold(SaysGoodbye("the one spawned by a drop", notes.clone()));
            }
        }));
        hold(OnDrop({
            let (notes, waker_of_third) = (notes.clone(), waker_of_third.clone());
            move || {
                notes.add("second, wakes the third and panics");
                let waker: std::task::Waker = waker_of_third.take().unwrap();
                waker.wake();
                panic!("in a drop");
            }
        }));
        drop(spawn({
            let goodbye = SaysGoodbye("third", notes.clone());
            async move {
                let _goodbye = goodbye;
                waker_of_third.set(Some(own_waker().await));
                pending::<()>().await;
            }
        }));
        yield_now().await;
    });
    assert_eq!(
        notes.all(),
        [
            "first, spawns another",
            "second, wakes the third and panics",
            "third",
            "the one spawned by a drop"
        ]
    );
}

#[test]
fn a_handle_that_outlives_its_loop_hears_that_the_task_was_cancelled() {
    let left_over = virtual_robot().run(poll_fn(|_| Poll::Ready(spawn(pending::<()>()))));
    assert!(left_over.is_finished());
    left_over.abort(); // nothing comes of it
    let error = virtual_robot().run(left_over).unwrap_err();
    assert!(error.is_cancelled());
}

#[test]
fn loopbot_standing_still_names_those_who_wait() {
    let stand_still = virtual_robot()
        .try_run(async {
            let chen = spawn_named("the Chen party", pending::<()>());
            spawn_named("the Diallo party", async {}).await.unwrap();
            drop(spawn(pending::<()>()));
            chen.await.unwrap();
        })
        .unwrap_err();
    assert_eq!(stand_still.waiting(), ["main", "the Chen party", "task 3"]);

    let panic = catch_unwind(|| virtual_robot().run(pending::<()>())).unwrap_err();
    let message = message_of(&*panic);
    assert!(message.starts_with("LoopBot stands still"), "{message}");
    assert!(message.ends_with(": main"), "{message}");
}

#[test]
fn two_tasks_that_await_each_other_stand_still() {
    let stand_still = virtual_robot()
        .try_run(async {
            let slot = Rc::new(Cell::new(None::<loopbot::JoinHandle<()>>));
            let waits_for_second = spawn_named("first", {
                let slot = slot.clone();
                async move { slot.take().unwrap().await.unwrap() }
            });
            slot.set(Some(spawn_named("second", async move {
                waits_for_second.await.unwrap()
            })));
            pending::<()>().await
        })
        .unwrap_err();
    assert_eq!(stand_still.waiting(), ["main", "first", "second"]);
}

/// Runs a function when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        self.0();
    }
}

#[test]
fn futures_of_every_size_and_alignment_are_tasks() {
    #[repr(align(256))]
    struct Aligned<const SIZE: usize>([u8; SIZE]);
    async fn look_where_it_lies<const SIZE: usize>() -> usize {
        let place = Aligned([7; SIZE]);
        yield_now().await;
        assert_eq!(&raw const place as usize % 256, 0, "it is aligned");
        assert!(
            place.0.iter().all(|byte| *byte == 7),
            "nobody wrote into it"
        );
        SIZE
    }
    virtual_robot().run(async {
        let nothing = spawn(async {}); // a future without a size, and an output without one
        let small = spawn(async {
            let three = [3_u8; 3];
            yield_now().await;
            three
        });
        let aligned = [
            spawn(look_where_it_lies::<1>()),
            spawn(look_where_it_lies::<1000>()),
        ];
        let big = spawn(async {
            let many = [5_u8; 16_000];
            yield_now().await;
            many
        });
        nothing.await.unwrap();
        assert_eq!(small.await.unwrap(), [3; 3]);
        for (task, size) in aligned.into_iter().zip([1, 1000]) {
            assert_eq!(task.await.unwrap(), size);
        }
        assert!(big.await.unwrap().iter().all(|byte| *byte == 5));
    });
}

#[test]
fn an_output_larger_than_its_future_has_room() {
    virtual_robot().run(async {
        let task = spawn(poll_fn(|_| Poll::Ready([9_u64; 500])));
        assert_eq!(task.await.unwrap(), [9; 500]);
    });
}

#[test]
fn a_future_stays_where_it_is_from_its_first_poll_on() {
    virtual_robot().run(async {
        // A block that holds a reference into itself over an await point: it must not move.
        let task = spawn(async {
            let numbers = [1, 2, 3];
            let second = &numbers[1];
            for _ in 0..10 {
                yield_now().await;
            }
            assert!(std::ptr::eq(second, &numbers[1]));
            *second
        });
        // Meanwhile the shelf grows, and moves.
        let others: Vec<_> = (0..1000).map(|_| spawn(yield_now())).collect();
        assert_eq!(task.await.unwrap(), 2);
        for other in others {
            other.await.unwrap();
        }
    });
}

#[test]
fn an_output_that_panics_when_it_is_dropped_ends_nobody_else() {
    fn shatters() -> OnDrop<impl FnMut()> {
        OnDrop(|| panic!("the plate shatters"))
    }
    virtual_robot().run(async {
        // Dropped by the loop: nobody has the handle.
        drop(spawn(async { shatters() }));
        yield_now().await;
        yield_now().await;
        // Dropped with the handle, by whoever drops that.
        let task = spawn(async { shatters() });
        yield_now().await;
        yield_now().await;
        assert!(task.is_finished());
        let panic = catch_unwind(AssertUnwindSafe(|| drop(task))).unwrap_err();
        assert_eq!(message_of(&*panic), "the plate shatters");
        // Dropped by whoever took it.
        let plate = spawn(async { shatters() }).await.unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| drop(plate))).is_err());
        // Dropped with the loop.
        std::mem::forget(spawn(async { shatters() }));
        yield_now().await;
        yield_now().await;
    });
    assert_eq!(run(async { 1 }), 1);
}

#[test]
fn a_future_that_panics_and_panics_again_when_it_is_dropped_ends_only_itself() {
    virtual_robot().run(async {
        let shatters = OnDrop(|| panic!("and again"));
        let error = spawn(poll_fn::<(), _>(move |_| {
            let _plate = &shatters;
            panic!("once")
        }))
        .await
        .unwrap_err();
        assert_eq!(error.panic_message(), Some("and again"));
        assert_eq!(spawn(async { 1 }).await.unwrap(), 1, "the loop goes on");
    });
}

/// The states that a task can be in when something is done to its handle.
fn in_every_state(act: impl Fn(loopbot::JoinHandle<SaysGoodbye>) + Copy + 'static) {
    for turns_before in 0..4 {
        let notes = Notes::new();
        virtual_robot().run(async {
            let (of_future, of_output) = (notes.clone(), notes.clone());
            let task = spawn(async move {
                let _goodbye = SaysGoodbye("the future", of_future);
                yield_now().await;
                SaysGoodbye("the output", of_output)
            });
            for _ in 0..turns_before {
                yield_now().await;
            }
            act(task);
            for _ in 0..4 {
                yield_now().await;
            }
        });
        let gone = notes.all();
        assert!(
            gone == ["the future", "the output"]
                || gone == ["the future"]
                || gone.is_empty() && turns_before == 0,
            "after {turns_before} turns: everything is dropped, once: {gone:?}"
        );
    }
}

#[test]
fn a_handle_may_be_dropped_in_every_state() {
    in_every_state(drop);
}

#[test]
fn a_task_may_be_aborted_in_every_state() {
    in_every_state(|task| task.abort());
    in_every_state(|task| {
        task.abort();
        task.abort();
        spawn(async move {
            let _ = task.await;
        });
    });
}

#[test]
fn a_handle_may_be_dropped_by_the_task_itself() {
    virtual_robot().run(async {
        let own = Rc::new(Cell::new(None::<loopbot::JoinHandle<u8>>));
        let handle = spawn({
            let own = own.clone();
            async move {
                drop(own.take());
                yield_now().await;
                7
            }
        });
        own.set(Some(handle));
        for _ in 0..4 {
            yield_now().await;
        }
    });
}

#[test]
fn a_task_that_awaits_itself_with_anothers_waker_wakes_that_one() {
    virtual_robot().run(async {
        let own = Rc::new(Cell::new(None::<loopbot::JoinHandle<()>>));
        let main = own_waker_of_main().await;
        let handle = spawn({
            let own = own.clone();
            async move {
                let mut handle = own.take().unwrap();
                let polled = std::pin::Pin::new(&mut handle)
                    .poll(&mut std::task::Context::from_waker(&main));
                assert!(polled.is_pending());
                own.set(Some(handle));
            }
        });
        own.set(Some(handle));
        // Only the end of the task wakes main.
        let mut first = true;
        poll_fn(|_| {
            if std::mem::take(&mut first) {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
        assert!(own.take().unwrap().is_finished());
    });
}

fn own_waker_of_main() -> impl Future<Output = std::task::Waker> {
    own_waker()
}

#[test]
fn a_handle_polled_again_after_its_result_panics_with_a_sentence() {
    virtual_robot().run(async {
        let mut task = spawn(async {});
        (&mut task).await.unwrap();
        assert!(task.is_finished());
        task.abort(); // nothing comes of it
        let again = catch_unwind(AssertUnwindSafe(|| {
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            let _ = std::pin::Pin::new(&mut task).poll(&mut cx);
        }));
        let message = message_of(&*again.unwrap_err());
        assert!(message.contains("polled again"), "{message}");
    });
}

#[test]
fn a_result_that_nobody_took_is_dropped_with_the_loop_and_the_handle_says_so() {
    let notes = Notes::new();
    let handle = virtual_robot().run({
        let notes = notes.clone();
        async move {
            let task = spawn(async { SaysGoodbye("the output", notes) });
            yield_now().await;
            yield_now().await;
            assert!(task.is_finished());
            Some(task)
        }
    });
    assert_eq!(notes.all(), ["the output"]);
    // On another run, where another task has the same place.
    let error = virtual_robot().run(async {
        let other = spawn(async { "another's" });
        yield_now().await;
        yield_now().await;
        let error = handle.unwrap().await.err().expect("it was cancelled");
        assert_eq!(other.await.unwrap(), "another's");
        error
    });
    assert!(error.is_cancelled());
}

#[test]
fn a_handle_may_be_dropped_when_its_thread_ends() {
    thread_local! {
        static LATE: Cell<Option<loopbot::JoinHandle<()>>> = const { Cell::new(None) };
    }
    std::thread::spawn(|| {
        run(async { LATE.set(Some(spawn(async {}))) });
    })
    .join()
    .unwrap();
    std::thread::spawn(|| {
        LATE.set(None);
        run(async { LATE.set(Some(spawn(async {}))) });
    })
    .join()
    .unwrap();
}

#[test]
fn the_places_of_tasks_are_used_again_and_no_memory_is_mixed_up() {
    virtual_robot().run(async {
        for round in 0..100_usize {
            let tasks: Vec<_> = (0..50)
                .map(|i| {
                    spawn(async move {
                        let many = vec![i; round];
                        for _ in 0..i % 3 {
                            yield_now().await;
                        }
                        many
                    })
                })
                .collect();
            for (i, task) in tasks.into_iter().enumerate() {
                if i % 5 == 0 {
                    drop(task);
                } else {
                    assert_eq!(task.await.unwrap(), vec![i; round]);
                }
            }
        }
    });
}
