//! A job ticks once a second. After five seconds and a half somebody lets go of it, in one way or another. Does it go on?
//!
//! `cargo run -p monday --example what_stops`

use std::cell::Cell;
use std::convert::Infallible;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use flight::VirtualTime;
use loopbot::{Clock, LoopBot, TaskGroup, sleep, spawn, task_group, timeout};

/// How long somebody waits before letting go.
const A_WHILE: Duration = Duration::from_millis(5_500);

/// Ticks for ever.
async fn job(ticks: Rc<Cell<u32>>) {
    loop {
        sleep(Duration::from_secs(1)).await;
        ticks.set(ticks.get() + 1);
    }
}

fn main() {
    println!("ticks in the five seconds after that:");
    after("a future, dropped by a timeout around it", async |ticks| {
        let _time_is_up = timeout(A_WHILE, job(ticks)).await;
    });
    after("a task, when its JoinHandle is dropped", async |ticks| {
        let handle = spawn(job(ticks));
        sleep(A_WHILE).await;
        drop(handle);
    });
    after(
        "a task, by a timeout around the JoinHandle",
        async |ticks| {
            let _time_is_up = timeout(A_WHILE, spawn(job(ticks))).await;
        },
    );
    after("a task, by abort", async |ticks| {
        let handle = spawn(job(ticks));
        sleep(A_WHILE).await;
        handle.abort();
    });
    after(
        "a task of a group, by a timeout around the group",
        async |ticks| {
            let group = task_group(async |group: &TaskGroup<Infallible>| {
                group.spawn(async move {
                    job(ticks).await;
                    Ok(())
                });
                pending::<Result<(), Infallible>>().await
            });
            let _time_is_up = timeout(A_WHILE, group).await;
        },
    );
}

/// Lets go of a job, waits five seconds, and prints how often it has ticked in them.
fn after(what: &str, lets_go: impl AsyncFnOnce(Rc<Cell<u32>>)) {
    let clock = Clock::virtual_time(VirtualTime::new());
    let went_on = LoopBot::builder().clock(clock).build().run(async {
        let ticks = Rc::new(Cell::new(0));
        lets_go(ticks.clone()).await;
        let before = ticks.get();
        assert_eq!(before, 5, "it ticks until then");
        sleep(Duration::from_secs(5)).await;
        ticks.get() - before
    });
    println!("{went_on}  {what}");
}
