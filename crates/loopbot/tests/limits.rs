//! What keeps one task, or one LoopBot, from taking too much.

mod common;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use common::{Notes, with_an_end};
use flight::VirtualTime;
use loopbot::{Clock, LoopBot, ReadyTask, run, sleep, spawn, spawn_named, yield_now};

fn virtual_builder() -> loopbot::Builder {
    LoopBot::builder().clock(Clock::virtual_time(VirtualTime::new()))
}

#[test]
fn a_task_that_always_finds_something_to_do_gives_way_when_its_budget_is_used_up() {
    for budget in [1, 10, 128] {
        let robot = virtual_builder().budget(budget).build();
        robot.run(async {
            let steps = Rc::new(Cell::new(0));
            let greedy = spawn({
                let steps = steps.clone();
                async move {
                    for _ in 0..1000 {
                        spawn_and_finish().await; // a handle of LoopBot's own: ready at once
                        steps.set(steps.get() + 1);
                    }
                }
            });
            let seen = spawn({
                let steps = steps.clone();
                async move { steps.get() }
            });
            assert!(seen.await.unwrap() <= budget);
            greedy.await.unwrap();
        });
    }
    /// A sleep of no time is ready at once, and asks the budget.
    async fn spawn_and_finish() {
        sleep(Duration::ZERO).await;
    }
}

#[test]
fn a_foreign_executor_inside_a_task_does_not_wait_for_a_budget_for_ever() {
    with_an_end(|| {
        virtual_builder().budget(10).build().run(async {
            // It polls the same future again and again and never gives way to LoopBot.
            let mut steps = std::pin::pin!(async {
                for _ in 0..1000 {
                    sleep(Duration::ZERO).await;
                }
            });
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            while steps.as_mut().poll(&mut cx).is_pending() {}
        });
    });
}

#[test]
fn timers_are_looked_at_although_tasks_are_ready() {
    for turns in [1, 7, 256] {
        with_an_end(move || {
            let robot = LoopBot::builder().turns_between_looks(turns).build();
            robot.run(async {
                let rings = Rc::new(Cell::new(false));
                let greedy = spawn({
                    let rings = rings.clone();
                    async move {
                        while !rings.get() {
                            yield_now().await;
                        }
                    }
                });
                sleep(Duration::from_millis(1)).await;
                rings.set(true);
                greedy.await.unwrap();
            });
        });
    }
}

#[test]
fn there_are_no_more_tasks_than_the_limit_and_room_comes_back() {
    virtual_builder().max_tasks(3).build().run(async {
        let mut tasks: Vec<_> = (0..3).map(|i| spawn(async move { i })).collect();
        let refused = catch_unwind(AssertUnwindSafe(|| drop(spawn(async {}))));
        let message = refused.unwrap_err();
        let message = message.downcast_ref::<String>().unwrap();
        assert!(message.contains("may have 3 tasks"), "{message}");
        assert_eq!(tasks.remove(0).await.unwrap(), 0);
        yield_now().await; // now all three are over
        let again: Vec<_> = (0..3).map(|i| spawn(async move { i })).collect();
        for task in again {
            task.await.unwrap();
        }
        assert_eq!(tasks.remove(0).await.unwrap(), 1);
    });
}

#[test]
fn more_loops_than_there_are_numbers_for_are_refused_with_a_sentence() {
    // The last one is the 4097th in this process, if no other test runs one now. So: at least one is refused.
    const LOOPS: usize = 4097;
    with_an_end(|| {
        let (running, over) = (
            Arc::new(Barrier::new(LOOPS + 1)),
            Arc::new(Barrier::new(LOOPS + 1)),
        );
        let threads: Vec<_> = (0..LOOPS)
            .map(|_| {
                let (running, over) = (running.clone(), over.clone());
                let body = move || {
                    let arrived = Cell::new(false);
                    let refused = catch_unwind(AssertUnwindSafe(|| {
                        run(async {
                            arrived.set(true);
                            running.wait();
                            over.wait();
                        })
                    }));
                    if !arrived.get() {
                        running.wait();
                        over.wait();
                    }
                    refused
                        .err()
                        .map(|panic| panic.downcast_ref::<String>().unwrap().clone())
                };
                thread::Builder::new()
                    .stack_size(256 << 10)
                    .spawn(body)
                    .expect("a thread")
            })
            .collect();
        running.wait();
        over.wait();
        let refusals: Vec<String> = threads
            .into_iter()
            .filter_map(|thread| thread.join().unwrap())
            .collect();
        assert!(!refusals.is_empty());
        assert!(refusals[0].contains("that is the limit"), "{}", refusals[0]);
        assert_eq!(run(async { 1 }), 1, "their numbers are used again");
    });
}

#[test]
fn a_checker_may_pick_who_is_next() {
    let order = |pick: fn(&[ReadyTask]) -> usize| {
        let notes = Notes::new();
        virtual_builder().pick_next(pick).build().run(async {
            let tasks: Vec<_> = ["soup", "bread", "wine"]
                .into_iter()
                .map(|name| {
                    let notes = notes.clone();
                    spawn_named(name, async move { notes.add(name) })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
        notes.all()
    };
    assert_eq!(order(|_| 0), ["soup", "bread", "wine"]);
    assert_eq!(order(|ready| ready.len() - 1), ["wine", "bread", "soup"]);
}

#[test]
fn the_checker_sees_names_and_numbers_in_the_order_of_the_run_queue() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let robot = virtual_builder().pick_next({
        let seen = seen.clone();
        move |ready| {
            let ready: Vec<(String, u64)> = ready
                .iter()
                .map(|task| (task.name.clone(), task.id))
                .collect();
            seen.borrow_mut().push(ready);
            0
        }
    });
    robot.build().run(async {
        let soup = spawn_named("soup", async {});
        drop(spawn(async {}));
        soup.await.unwrap();
    });
    let named = |name: &str, id| (name.to_owned(), id);
    let seen = seen.take();
    assert_eq!(seen[0], [named("main", 0)]);
    assert_eq!(seen[1], [named("soup", 1), named("task 2", 2)]);
    assert_eq!(seen[2], [named("task 2", 2), named("main", 0)]);
}

#[test]
fn a_pick_that_is_not_there_is_refused_with_a_sentence() {
    let robot = virtual_builder().pick_next(|ready| ready.len()).build();
    let panic = catch_unwind(AssertUnwindSafe(|| robot.run(async {}))).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("picked number 1 of 1"), "{message}");
    assert_eq!(run(async { 1 }), 1);
}

#[test]
fn a_task_that_was_woken_in_its_last_poll_is_not_offered_to_the_checker() {
    let robot = virtual_builder().pick_next(|ready| {
        assert!(ready.iter().all(|task| task.name != "over" || task.id == 1));
        assert!(ready.iter().filter(|task| task.id == 1).count() <= 1);
        0
    });
    robot.build().run(async {
        let polls = Rc::new(Cell::new(0));
        let counted = polls.clone();
        drop(spawn_named(
            "over",
            poll_fn(move |cx| {
                counted.set(counted.get() + 1);
                cx.waker().wake_by_ref();
                Poll::Ready(())
            }),
        ));
        for _ in 0..3 {
            yield_now().await;
        }
        assert_eq!(polls.get(), 1);
    });
}
