//! What a named await point promises.

mod common;

use std::future::{Future, pending, ready};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use common::{Notes, SaysGoodbye, virtual_robot};
use futures::future::join;
use loopbot::{
    StandStill, TaskGroup, now, sleep, spawn_named, task_group, timeout, wait_point, yield_now,
};

const MINUTE: Duration = Duration::from_secs(60);

/// Who waits for what, in words.
fn waits(stand_still: &StandStill) -> Vec<(&str, Vec<&str>)> {
    stand_still
        .tasks()
        .iter()
        .map(|task| {
            (
                task.name(),
                task.waits().iter().map(|wait| wait.what()).collect(),
            )
        })
        .collect()
}

#[test]
fn its_name_is_heard_when_loopbot_stands_still() {
    let stand_still = virtual_robot()
        .try_run(async {
            sleep(MINUTE).await;
            wait_point("the oven", pending::<()>()).await;
        })
        .unwrap_err();
    assert_eq!(waits(&stand_still), [("main", vec!["the oven"])]);
    let wait = &stand_still.tasks()[0].waits()[0];
    assert!(wait.at().unwrap().file().ends_with("wait_point.rs"));
    assert_eq!(wait.since(), MINUTE);
    let message = stand_still.to_string();
    assert!(message.contains("main (for the oven, "), "{message}");
}

#[test]
fn a_wait_that_is_over_is_not_told() {
    let stand_still = virtual_robot()
        .try_run(async {
            wait_point("the soup", yield_now()).await;
            wait_point("the bread", ready(())).await;
            assert!(
                timeout(MINUTE, wait_point("the roast", pending::<()>()))
                    .await
                    .is_err()
            );
            yield_now().await; // what it says is what it waited for in its last turn
            pending::<()>().await
        })
        .unwrap_err();
    assert_eq!(waits(&stand_still), [("main", vec![])]);
}

#[test]
fn a_task_may_wait_at_two_points_at_once() {
    let stand_still = virtual_robot()
        .try_run(async {
            let guest = spawn_named("the Chen party", async {
                join(
                    wait_point("the oven", pending::<()>()),
                    wait_point("the wine", pending::<()>()),
                )
                .await
            });
            guest.await.unwrap();
        })
        .unwrap_err();
    assert_eq!(
        waits(&stand_still),
        [
            ("main", vec!["the end of the Chen party"]),
            ("the Chen party", vec!["the oven", "the wine"])
        ]
    );
}

#[test]
fn a_group_says_that_it_waits_for_its_tasks() {
    let stand_still = virtual_robot()
        .try_run(task_group(async |group: &TaskGroup<()>| {
            let soup = group.spawn_named("soup", pending::<Result<(), ()>>());
            assert!(timeout(MINUTE, soup).await.is_err());
            yield_now().await;
            Ok(())
        }))
        .unwrap_err();
    assert_eq!(
        waits(&stand_still),
        [("main", vec!["the tasks of a group"]), ("soup", vec![])]
    );
}

#[test]
fn it_changes_nothing_about_the_future_inside() {
    virtual_robot().run(async {
        let notes = Notes::new();
        let goodbye = SaysGoodbye("cancelled", notes.clone());
        let oven = wait_point("the oven", async move {
            let _goodbye = goodbye;
            pending::<()>().await
        });
        assert!(timeout(MINUTE, oven).await.is_err());
        assert_eq!(notes.all(), ["cancelled"]);
        assert_eq!(wait_point("the pass", async { 7 }).await, 7);
        wait_point("the clock", sleep(MINUTE)).await;
        assert_eq!(now(), MINUTE * 2);
    });
    // Without a LoopBot, too.
    let mut elsewhere = pin!(wait_point("the pass", yield_now()));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(elsewhere.as_mut().poll(&mut cx).is_pending());
    assert!(elsewhere.as_mut().poll(&mut cx).is_ready());
}
