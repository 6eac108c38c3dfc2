//! What the watchdog sees on the stack of the thread that is held.
#![cfg(all(
    feature = "stack",
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use loopbot::{LoopBot, Stuck, Watchdog, sleep, spawn_named, wait_point};

const LIMIT: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(60);

/// A LoopBot whose watchdog calls this.
fn watched(on_stuck: impl Fn(&Stuck) + Send + Sync + 'static) -> LoopBot {
    let dog = Watchdog::new(LIMIT).on_stuck(on_stuck);
    LoopBot::builder().watchdog(dog).build()
}

fn functions(stuck: &Stuck) -> Vec<&str> {
    stuck.stack.iter().map(|frame| &*frame.function).collect()
}

#[inline(never)]
fn listens_to_the_guest(heard: &Receiver<Stuck>) -> Stuck {
    loop {
        let stuck = heard
            .recv_timeout(PATIENCE)
            .expect("the watchdog notices this");
        if stuck.task == "the chatty guest" {
            return stuck;
        }
    }
}

async fn at_the_table(heard: Receiver<Stuck>) -> Stuck {
    wait_point("for the menu", sleep(Duration::from_millis(1))).await;
    listens_to_the_guest(&heard)
}

#[test]
fn the_functions_of_the_task_and_what_they_called() {
    let (says, heard) = mpsc::channel();
    let robot = watched(move |stuck| drop(says.send(stuck.clone())));
    let guest = async move {
        let guest = at_the_table(heard);
        wait_point("for the bill", guest).await
    };
    let stuck = robot.run(async { spawn_named("the chatty guest", guest).await.unwrap() });
    let functions = functions(&stuck);
    let (called, ours) = functions.split_first().unwrap();
    assert!(
        called.starts_with("std::sync::mpsc::Receiver"),
        "{functions:?}"
    );
    assert_eq!(
        ours,
        [
            "watchdog_stack::listens_to_the_guest",
            "watchdog_stack::at_the_table",
            "watchdog_stack::the_functions_of_the_task_and_what_they_called",
        ]
    );
    let listens = &stuck.stack[1];
    assert_eq!(
        listens.file.as_deref(),
        Some("loopbot/tests/watchdog_stack.rs")
    );
    assert!(listens.line.is_some());
    let message = stuck.to_string();
    let said = "<- watchdog_stack::listens_to_the_guest (watchdog_stack.rs:";
    assert!(message.contains(said), "{message}");
}

#[test]
fn a_task_that_computes_is_seen_computing() {
    #[inline(never)]
    fn counts_crumbs(is_seen: &AtomicBool) {
        let mut crumbs = 1_u64;
        while !is_seen.load(Ordering::Relaxed) {
            crumbs = std::hint::black_box(crumbs.wrapping_mul(3));
        }
    }
    let is_seen = Arc::new(AtomicBool::new(false));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let robot = watched({
        let (is_seen, seen) = (is_seen.clone(), seen.clone());
        move |stuck| {
            seen.lock().unwrap().push(stuck.clone());
            is_seen.store(stuck.task == "the chatty guest", Ordering::Relaxed);
        }
    });
    robot.run(async move {
        spawn_named("the chatty guest", async move { counts_crumbs(&is_seen) })
            .await
            .unwrap();
    });
    let seen = seen.lock().unwrap();
    let functions = functions(seen.last().unwrap());
    assert!(
        functions
            .iter()
            .any(|function| function.ends_with("::counts_crumbs")),
        "{functions:?}"
    );
    assert!(
        !functions
            .iter()
            .any(|function| function.contains("loopbot::")),
        "{functions:?}"
    );
}

#[test]
fn a_call_that_waits_goes_on_after_it_was_seen() {
    let (here, mut there) = UnixStream::pair().unwrap();
    let here = Mutex::new(here);
    let robot = watched(move |stuck| {
        if stuck.task == "the chatty guest" {
            here.lock().unwrap().write_all(b"menu!").unwrap();
        }
    });
    let read = robot.run(async move {
        let guest = spawn_named("the chatty guest", async move {
            // One call: if the signal had ended it, this would be an error.
            let mut bytes = [0; 5];
            there.read(&mut bytes).map(|_| bytes)
        });
        guest.await.unwrap()
    });
    assert_eq!(&read.unwrap(), b"menu!");
}

#[test]
fn of_two_that_are_held_at_once_each_is_seen_where_it_is() {
    #[inline(never)]
    fn holds_the_left(both: &std::sync::Barrier) {
        both.wait();
        std::hint::black_box(());
    }
    #[inline(never)]
    fn holds_the_right(both: &std::sync::Barrier) {
        both.wait();
        std::hint::black_box(());
    }
    // Each of the two polls ends when both watchdogs have spoken.
    let both = Arc::new(std::sync::Barrier::new(4));
    let evening = |hold: fn(&std::sync::Barrier)| {
        let both = both.clone();
        thread::spawn(move || {
            let seen = Arc::new(Mutex::new(None));
            let robot = watched({
                let (seen, both) = (seen.clone(), both.clone());
                move |stuck| {
                    if stuck.task == "the chatty guest" {
                        *seen.lock().unwrap() = Some(stuck.clone());
                        both.wait();
                    }
                }
            });
            robot.run(async move {
                spawn_named("the chatty guest", async move { hold(&both) })
                    .await
                    .unwrap();
            });
            seen.lock().unwrap().take().unwrap()
        })
    };
    let (left, right) = (evening(holds_the_left), evening(holds_the_right));
    for (thread, holds) in [(left, "::holds_the_left"), (right, "::holds_the_right")] {
        let stuck = thread.join().unwrap();
        let functions = functions(&stuck);
        assert!(
            functions.iter().any(|function| function.ends_with(holds)),
            "{functions:?}"
        );
    }
}

/// Whoever had the signal before still has it.
#[cfg(feature = "net")]
#[test]
fn a_handler_from_before_is_called_for_what_is_not_ours() {
    let flag = Arc::new(AtomicBool::new(false));
    let urgent = signal_hook::consts::SIGURG;
    signal_hook::flag::register(urgent, flag.clone()).unwrap();
    let (says, heard) = mpsc::channel();
    let robot = watched(move |stuck| drop(says.send(stuck.clone())));
    let stuck = robot.run(async {
        let guest = spawn_named(
            "the chatty guest",
            async move { listens_to_the_guest(&heard) },
        );
        guest.await.unwrap()
    });
    assert!(!stuck.stack.is_empty(), "{stuck}");
    flag.store(false, Ordering::Relaxed);
    signal_hook::low_level::raise(urgent).unwrap();
    assert!(flag.load(Ordering::Relaxed));
}
