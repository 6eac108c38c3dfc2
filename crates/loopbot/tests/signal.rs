//! Ctrl-C and the polite kill. Unix only: there a process can send them to itself.
#![cfg(all(unix, feature = "net"))]

mod common;

use std::process::Command;

use common::with_an_end;
use futures::poll;
use loopbot::signal::{ctrl_c, terminate};

/// Signals are the process's own, so each of these tests has one to itself.
fn alone(test: &str, body: impl FnOnce() + Send + 'static) {
    const ALONE: &str = "LOOPBOT_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        with_an_end(body);
        return;
    }
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(ALONE, "1")
        .status()
        .unwrap();
    assert!(status.success(), "see above");
}

fn raise(signal: i32) {
    signal_hook::low_level::raise(signal).unwrap();
}

use signal_hook::consts::{SIGINT, SIGTERM};

#[test]
fn ctrl_c_is_heard_from_the_call_on() {
    alone("ctrl_c_is_heard_from_the_call_on", || {
        loopbot::run(async {
            let mut closing = ctrl_c();
            raise(SIGINT); // before the first poll
            (&mut closing).await.unwrap();
            // The next one is another.
            assert!(poll!(&mut closing).is_pending());
            loopbot::yield_now().await;
            assert!(poll!(&mut closing).is_pending());
            raise(SIGINT);
            closing.await.unwrap();
        });
    });
}

#[test]
fn everybody_hears_it() {
    alone("everybody_hears_it", || {
        loopbot::run(async {
            let tasks: Vec<_> = (0..5).map(|_| loopbot::spawn(ctrl_c())).collect();
            loopbot::yield_now().await;
            raise(SIGINT);
            for task in tasks {
                task.await.unwrap().unwrap();
            }
        });
    });
}

#[test]
fn one_that_is_dropped_takes_nothing_from_the_next() {
    alone("one_that_is_dropped_takes_nothing_from_the_next", || {
        loopbot::run(async {
            let mut first = ctrl_c();
            assert!(poll!(&mut first).is_pending());
            let second = ctrl_c();
            drop(first);
            raise(SIGINT);
            second.await.unwrap();
            raise(SIGINT); // nobody listens, and the program lives on
        });
        loopbot::run(async {
            let third = ctrl_c();
            raise(SIGINT);
            third.await.unwrap();
        });
    });
}

#[test]
fn terminate_is_not_ctrl_c() {
    alone("terminate_is_not_ctrl_c", || {
        loopbot::run(async {
            let (mut closing, mut leaving) = (ctrl_c(), terminate());
            raise(SIGTERM);
            (&mut leaving).await.unwrap();
            loopbot::yield_now().await;
            assert!(poll!(&mut closing).is_pending());
            raise(SIGINT);
            closing.await.unwrap();
            assert!(poll!(&mut leaving).is_pending());
        });
    });
}

/// From another process, while LoopBot sleeps in the poller.
#[test]
fn kill_from_outside_wakes_loopbot() {
    alone("kill_from_outside_wakes_loopbot", || {
        loopbot::run(async {
            let leaving = terminate();
            let me = std::process::id().to_string();
            let mut kill = Command::new("sh")
                .args(["-c", "sleep 0.05; kill -TERM \"$0\"", &me])
                .spawn()
                .unwrap();
            leaving.await.unwrap();
            kill.wait().unwrap();
        });
    });
}
