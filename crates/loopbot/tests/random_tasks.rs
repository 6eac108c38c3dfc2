//! Random programs of tasks, against a model that is simple enough to be believed.

mod common;

use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Poll, Waker};
use std::thread;

use common::with_an_end;
use loopbot::{Clock, JoinHandle, LoopBot, spawn, yield_now};
use proptest::prelude::*;

/// What a task, or main, does in one step. Numbers name other tasks, modulo how many there are.
#[derive(Clone, Debug)]
enum Step {
    /// Spawns a task that does these steps.
    Spawn(Vec<Step>),
    Yield,
    Abort(usize),
    DropHandle(usize),
    Join(usize),
    /// Rings for somebody, who may be over.
    Wake(usize),
    /// Gives a copy of its waker to another thread, which rings for it again and again until the end.
    LendWaker,
    Panic,
    /// Leaves something on the stack that does this when it is dropped.
    OnDrop(Box<Step>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let simple = prop_oneof![
        4 => Just(Step::Yield),
        2 => any::<usize>().prop_map(Step::Abort),
        2 => any::<usize>().prop_map(Step::DropHandle),
        3 => any::<usize>().prop_map(Step::Join),
        3 => any::<usize>().prop_map(Step::Wake),
        1 => Just(Step::LendWaker),
        1 => Just(Step::Panic),
    ];
    let step = simple.prop_recursive(4, 60, 8, |inner| {
        prop_oneof![
            3 => proptest::collection::vec(inner.clone(), 0..8).prop_map(Step::Spawn),
            1 => inner.prop_map(|step| Step::OnDrop(Box::new(step))),
        ]
    });
    proptest::collection::vec(step, 0..16)
}

/// What the model knows of a task.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Alive,
    Finished,
    Panicked,
    Dropped,
}

/// What all tasks of a program share.
struct World {
    states: RefCell<Vec<State>>,
    handles: RefCell<Vec<Option<JoinHandle<usize>>>>,
    wakers: RefCell<Vec<Option<Waker>>>,
    lend: mpsc::Sender<Waker>,
}

/// Notes how a task ends: if nothing else was noted before, it was dropped.
struct Ends(Rc<World>, usize);

impl Drop for Ends {
    fn drop(&mut self) {
        let state = &mut self.0.states.borrow_mut()[self.1];
        match *state {
            State::Alive if thread::panicking() => *state = State::Panicked,
            State::Alive => *state = State::Dropped,
            State::Finished => {}
            State::Panicked | State::Dropped => panic!("a future was dropped twice"),
        }
    }
}

/// Does a step when it is dropped. One that waits is not possible there.
struct DoesOnDrop(Rc<World>, Step);

impl Drop for DoesOnDrop {
    fn drop(&mut self) {
        match &self.1 {
            // A panic while another one unwinds ends the process, by a rule of Rust's.
            Step::Panic if thread::panicking() => {}
            step => now(&self.0, step),
        }
    }
}

fn task(world: &Rc<World>, steps: Vec<Step>) -> JoinHandle<usize> {
    let number = world.states.borrow().len();
    world.states.borrow_mut().push(State::Alive);
    world.handles.borrow_mut().push(None);
    world.wakers.borrow_mut().push(None);
    let ends = Ends(world.clone(), number);
    let world = world.clone();
    spawn(async move {
        let ends = ends;
        assert_eq!(world.states.borrow()[number], State::Alive);
        run_steps(&world, Some(number), steps).await;
        world.states.borrow_mut()[number] = State::Finished;
        drop(ends);
        number
    })
}

/// Does a step that does not wait.
fn now(world: &Rc<World>, step: &Step) {
    let pick = |n: usize| {
        let count = world.states.borrow().len();
        (count > 0).then(|| n % count)
    };
    match step {
        Step::Spawn(steps) => {
            let number = world.states.borrow().len();
            let handle = task(world, steps.clone());
            world.handles.borrow_mut()[number] = Some(handle);
        }
        Step::Abort(n) => {
            if let Some(n) = pick(*n)
                && let Some(handle) = &world.handles.borrow()[n]
            {
                handle.abort();
            }
        }
        Step::DropHandle(n) => {
            let handle = pick(*n).and_then(|n| world.handles.borrow_mut()[n].take());
            drop(handle);
        }
        Step::Wake(n) => {
            let waker = pick(*n).and_then(|n| world.wakers.borrow()[n].clone());
            waker.into_iter().for_each(Waker::wake);
        }
        Step::Panic => panic!("a step panics"),
        Step::Yield | Step::Join(_) | Step::LendWaker | Step::OnDrop(_) => {}
    }
}

async fn run_steps(world: &Rc<World>, own: Option<usize>, steps: Vec<Step>) {
    let mut left_on_the_stack = Vec::new();
    poll_fn(|cx| {
        if let Some(own) = own {
            world.wakers.borrow_mut()[own] = Some(cx.waker().clone());
        }
        Poll::Ready(())
    })
    .await;
    for step in steps {
        match step {
            Step::Yield => yield_now().await,
            Step::Join(n) => {
                let count = world.states.borrow().len();
                let other = if count == 0 { None } else { Some(n % count) };
                let handle = other.and_then(|other| world.handles.borrow_mut()[other].take());
                // Nobody waits for somebody who might wait for it: only older ones wait for younger ones.
                if let (Some(handle), Some(other)) = (handle, other) {
                    if own.is_some_and(|own| own >= other) {
                        world.handles.borrow_mut()[other] = Some(handle);
                        continue;
                    }
                    let result = handle.await;
                    let state = world.states.borrow()[other];
                    match result {
                        Ok(number) => assert_eq!((number, state), (other, State::Finished)),
                        Err(error) if error.is_panic() => assert_ne!(state, State::Alive),
                        Err(_) => assert_eq!(state, State::Dropped),
                    }
                }
            }
            Step::LendWaker => {
                poll_fn(|cx| {
                    let _ = world.lend.send(cx.waker().clone());
                    Poll::Ready(())
                })
                .await;
            }
            Step::OnDrop(step) => left_on_the_stack.push(DoesOnDrop(world.clone(), *step)),
            // Main does not panic here: its panic would be the program's.
            Step::Panic if own.is_none() => {}
            step => now(world, &step),
        }
    }
}

/// Runs a program, with a thread that rings for everybody whose waker it got until after the loop has ended.
fn run_program(robot: &LoopBot, steps: Vec<Step>, rings: bool) -> Vec<State> {
    let (lend, lent) = mpsc::channel::<Waker>();
    let over = Arc::new(AtomicBool::new(false));
    let ringer = rings.then(|| {
        let over = over.clone();
        thread::spawn(move || {
            let mut wakers = Vec::new();
            while !over.load(Ordering::Relaxed) {
                wakers.extend(lent.try_iter());
                wakers.iter().for_each(Waker::wake_by_ref);
                thread::yield_now();
            }
        })
    });
    let world = Rc::new(World {
        states: RefCell::default(),
        handles: RefCell::default(),
        wakers: RefCell::default(),
        lend,
    });
    let ran = catch_unwind(AssertUnwindSafe(|| {
        robot.run(async {
            run_steps(&world, None, steps).await;
            // The handles go before the loop or after it, as it happens.
            if world.states.borrow().len().is_multiple_of(2) {
                let handles = world.handles.take();
                world
                    .handles
                    .borrow_mut()
                    .resize_with(handles.len(), || None);
                drop(handles);
            }
        });
    }));
    if let Err(panic) = ran {
        // Only what main left on its stack may panic.
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"a step panics"));
    }
    over.store(true, Ordering::Relaxed);
    ringer.into_iter().for_each(|ringer| ringer.join().unwrap());
    let handles = world.handles.take();
    for handle in handles.iter().flatten() {
        assert!(handle.is_finished(), "after its loop every task is over");
    }
    drop(handles);
    world
        .wakers
        .take()
        .into_iter()
        .flatten()
        .for_each(Waker::wake);
    assert_eq!(Rc::strong_count(&world), 1, "nothing of any task is left");
    world.states.take()
}

fn virtual_robot() -> LoopBot {
    common::virtual_robot()
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        // An interpreter takes its time.
        cases: if cfg!(miri) { 4 } else { cases },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn every_task_ends_once_and_leaves_nothing(steps in steps()) {
        quietly(|| {
            let states = run_program(&virtual_robot(), steps, false);
            assert!(states.iter().all(|state| *state != State::Alive));
        });
    }

    #[test]
    fn the_same_program_ends_in_the_same_way(steps in steps()) {
        quietly(|| {
            let first = run_program(&virtual_robot(), steps.clone(), false);
            assert_eq!(run_program(&virtual_robot(), steps, false), first);
        });
    }

    #[test]
    fn another_thread_may_ring_all_the_while_and_when_the_loop_is_gone(steps in steps()) {
        quietly(|| {
            with_an_end(move || {
                let states = run_program(&LoopBot::builder().build(), steps, true);
                assert!(states.iter().all(|state| *state != State::Alive));
            });
        });
    }

    #[test]
    fn in_whatever_order_they_run(steps in steps(), picks in proptest::collection::vec(any::<usize>(), 1..20)) {
        quietly(|| {
            let turn = std::cell::Cell::new(0);
            let robot = LoopBot::builder()
                .clock(Clock::virtual_time(flight::VirtualTime::new()))
                .pick_next(move |ready| {
                    turn.set(turn.get() + 1);
                    picks[turn.get() % picks.len()] % ready.len()
                })
                .build();
            let states = run_program(&robot, steps, false);
            assert!(states.iter().all(|state| *state != State::Alive));
        });
    }
}

/// These programs panic all the time, and say so each time. What a failed test has to say comes from proptest.
fn quietly(test: impl FnOnce()) {
    static QUIET: std::sync::Once = std::sync::Once::new();
    QUIET.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref::<&str>() != Some(&"a step panics") {
                loud(info);
            }
        }));
    });
    test();
}
