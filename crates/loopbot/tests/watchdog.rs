//! The watchdog: what it notices, what it says, and when it goes home.
//!
//! No test here sleeps and hopes. A poll that shall be too long goes on until the watchdog has spoken. On a machine that is
//! busy with other things, any poll may take too long, so what is said of others is not counted.

use std::cell::Cell;
use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use flight::{Event, Header, Recorder, Recording, VirtualTime};
use loopbot::{Builder, Clock, LoopBot, Stuck, Watchdog, sleep, spawn, spawn_named, wait_point};

/// Short, so that the tests are.
const LIMIT: Duration = Duration::from_millis(100);
/// How long a poll waits for the watchdog before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A LoopBot with a watchdog, and what the watchdog says.
fn watched() -> (Builder, Bark) {
    let (says, hears) = mpsc::channel();
    let dog = Watchdog::new(LIMIT).on_stuck(move |stuck| drop(says.send(stuck.clone())));
    (
        LoopBot::builder().watchdog(dog),
        Bark(Arc::new(Mutex::new(hears))),
    )
}

#[derive(Clone)]
struct Bark(Arc<Mutex<Receiver<Stuck>>>);

impl Bark {
    /// Holds the thread until the watchdog speaks of this task.
    fn hold_on(&self, task: &str) -> Stuck {
        loop {
            let heard = self.0.lock().unwrap().recv_timeout(PATIENCE);
            let stuck = heard.expect("the watchdog notices that this poll does not end");
            if stuck.task == task {
                return stuck;
            }
        }
    }
}

#[track_caller]
fn line() -> u32 {
    Location::caller().line()
}

#[test]
fn it_says_which_task_it_is_where_it_was_spawned_and_where_it_last_waited() {
    let (robot, bark) = watched();
    let (stuck, spawned, waited) = robot.build().run(async {
        let guest = async move {
            let waited = line() + 1;
            wait_point("for the menu", sleep(Duration::from_millis(1))).await;
            (bark.hold_on("the chatty guest"), waited)
        };
        let spawned = line() + 1;
        let guest = spawn_named("the chatty guest", guest);
        let (stuck, waited) = guest.await.unwrap();
        (stuck, spawned, waited)
    });
    assert_eq!(stuck.task, "the chatty guest");
    let at = stuck.spawned_at.unwrap();
    assert_eq!((at.file(), at.line()), (file!(), spawned));
    let wait = stuck.wait_point.as_ref().unwrap();
    assert_eq!(wait.name.as_deref(), Some("for the menu"));
    assert_eq!((wait.at.file(), wait.at.line()), (file!(), waited));
    assert_eq!(stuck.limit, LIMIT);
    assert!(stuck.in_poll_for >= LIMIT);

    let message = stuck.to_string();
    let so_far = "LoopBot has been in one poll of `the chatty guest` for ";
    assert!(message.starts_with(so_far), "{message}");
    assert!(
        message.contains(" ms (limit 100 ms). Spawned at "),
        "{message}"
    );
    let waited = format!(
        "it was last waiting at `for the menu` ({}:{waited}).",
        file!()
    );
    assert!(message.contains(&waited), "{message}");
}

#[test]
fn a_task_without_a_name_has_a_number_and_main_is_main() {
    let (robot, bark) = watched();
    let robot = robot.build();
    let at = line() + 1;
    let (main, second) = robot.run(async {
        let main = bark.hold_on("main");
        let bark_again = bark.clone();
        spawn(async {}).await.unwrap();
        let second = spawn(async move { bark_again.hold_on("task 2") });
        (main, second.await.unwrap())
    });
    assert_eq!(main.task, "main");
    assert_eq!(main.spawned_at.unwrap().line(), at);
    assert_eq!(main.wait_point, None);
    assert_eq!(second.wait_point, None);
}

#[test]
fn a_name_is_not_inherited_with_the_place_on_the_shelf() {
    let (robot, bark) = watched();
    let stuck = robot.build().run(async {
        wait_point("for the bill", spawn_named("a guest from before", async {}))
            .await
            .unwrap();
        spawn(async move { bark.hold_on("task 2") }).await.unwrap()
    });
    assert_eq!(stuck.wait_point, None);
}

#[test]
fn where_it_waited_is_where_it_waited_last() {
    let (robot, bark) = watched();
    let (after_sleep, slept, after_join) = robot.build().run(async {
        wait_point("for the menu", sleep(Duration::from_millis(1))).await;
        let slept = line() + 1;
        sleep(Duration::from_millis(1)).await;
        let after_sleep = bark.hold_on("main");
        spawn(async {}).await.unwrap(); // Where it waits for that is not known.
        (after_sleep, slept, bark.hold_on("main"))
    });
    let wait = after_sleep.wait_point.unwrap();
    assert_eq!(wait.name, None);
    assert_eq!(wait.at.line(), slept);
    assert_eq!(after_join.wait_point, None);
}

#[test]
fn one_place_may_have_another_name_each_time() {
    let (robot, bark) = watched();
    let stuck = robot.build().run(async {
        let guest = spawn_named("the chatty guest", async move {
            for table in ["table 1", "table 2", "table 1"] {
                wait_point(table, sleep(Duration::from_millis(1))).await;
            }
            bark.hold_on("the chatty guest")
        });
        guest.await.unwrap()
    });
    assert_eq!(stuck.wait_point.unwrap().name.as_deref(), Some("table 1"));
}

#[test]
fn what_a_task_leaves_behind_is_dropped_in_its_time() {
    struct Coat(Bark, Rc<Cell<bool>>);
    impl Drop for Coat {
        fn drop(&mut self) {
            self.0.hold_on("the guest who left a coat");
            self.1.set(true);
        }
    }
    let (robot, bark) = watched();
    robot.build().run(async {
        let noticed = Rc::new(Cell::new(false));
        let coat = Coat(bark, noticed.clone());
        drop(spawn_named("the guest who left a coat", async { coat }));
        loopbot::yield_now().await;
        assert!(
            noticed.get(),
            "nobody holds the handle, so the coat was dropped with the task"
        );
    });
}

#[test]
fn when_such_a_poll_is_over_it_says_how_long_it_was() {
    let (says, hears) = mpsc::channel();
    let (says_end, ends) = mpsc::channel();
    let begins = Arc::new(AtomicU32::new(0));
    let begun = begins.clone();
    let dog = Watchdog::new(LIMIT)
        .on_stuck(move |stuck| {
            begun.fetch_add(1, Ordering::Relaxed);
            drop(says.send(stuck.clone()));
        })
        .on_end(move |stuck, took| drop(says_end.send((stuck.task.clone(), took))));
    let bark = Bark(Arc::new(Mutex::new(hears)));
    let stuck = LoopBot::builder().watchdog(dog).build().run(async {
        spawn_named("first", {
            let bark = bark.clone();
            async move { bark.hold_on("first") }
        })
        .await
        .unwrap();
        spawn_named("second", async move { bark.hold_on("second") })
            .await
            .unwrap()
    });
    let ends: Vec<_> = ends.try_iter().collect();
    assert_eq!(
        ends.len(),
        begins.load(Ordering::Relaxed) as usize,
        "all was told before the run ended"
    );
    let took = |name: &str| ends.iter().find(|end| end.0 == name).unwrap().1;
    assert!(took("first") >= LIMIT);
    assert!(took("second") >= stuck.in_poll_for);
}

#[test]
fn short_polls_are_nobody_s_business() {
    let dog = Watchdog::new(Duration::from_secs(3600));
    let dog = dog.on_stuck(|stuck| panic!("there is nothing to complain of: {stuck}"));
    LoopBot::builder().watchdog(dog).build().run(async {
        for _ in 0..100 {
            spawn(async { sleep(Duration::from_micros(100)).await })
                .await
                .unwrap();
        }
    });
}

#[test]
fn a_panic_in_on_stuck_is_the_end_of_nothing() {
    let (says, hears) = mpsc::channel();
    let dog = Watchdog::new(LIMIT).on_stuck(move |stuck| {
        says.send(stuck.clone()).unwrap();
        // What is thrown may panic in its own drop.
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                if !thread::panicking() {
                    panic!("and so does what it throws, when it is dropped");
                }
            }
        }
        std::panic::panic_any(Bomb);
    });
    let hears = Bark(Arc::new(Mutex::new(hears)));
    LoopBot::builder().watchdog(dog).build().run(async {
        hears.hold_on("main");
        sleep(Duration::from_millis(1)).await;
        hears.hold_on("main");
    });
}

#[test]
fn the_watchdog_goes_home_with_the_run_however_that_ends() {
    let collar = Arc::new(());
    let worn = collar.clone();
    let dog = Watchdog::new(LIMIT).on_stuck(move |_| drop(worn.clone()));
    let robot = LoopBot::builder().watchdog(dog).build();
    robot.run(async {});
    robot.run(async { sleep(Duration::from_millis(1)).await });
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        robot.run(async { panic!("the evening is over") })
    }));
    assert!(panicked.is_err());
    drop(robot);
    // The thread had a share in this as long as it was there.
    assert_eq!(Arc::strong_count(&collar), 1);
}

#[test]
fn it_wakes_up_with_a_loop_that_was_idle() {
    let (robot, bark) = watched();
    robot.build().run(async {
        for round in 0..12 {
            // Sometimes it falls asleep meanwhile, sometimes it does not get to it.
            sleep(LIMIT / 20 * round).await;
            if round % 4 == 3 {
                bark.hold_on("main");
            }
        }
    });
}

#[test]
fn a_loop_on_virtual_time_is_watched_in_real_time_and_the_record_has_none_of_it() {
    let time = VirtualTime::new();
    let recorder = Recorder::new(Header::virtual_time("an evening", &time));
    let (says, hears) = mpsc::channel();
    let dog = Watchdog::new(LIMIT).on_stuck(move |stuck| drop(says.send(stuck.clone())));
    let hears = Bark(Arc::new(Mutex::new(hears)));
    let robot = LoopBot::builder().clock(Clock::virtual_time(time));
    let robot = robot.recorder(recorder.clone()).watchdog(dog).build();
    robot.run(async {
        sleep(Duration::from_secs(3600)).await;
        hears.hold_on("main");
    });
    let recording = recorder.recording();
    assert_eq!(recording.actors.len(), 1);
    assert_eq!(recording.marks("watchdog").count(), 0);
}

/// The begin and the end of the first poll of this task, in the record.
fn first_poll(recording: &Recording, name: &str) -> (u64, u64) {
    let mut events = recording.events.iter();
    let begin = events.find(|entry| {
        matches!(entry.event, Event::PollBegin { task, .. } if recording.task(task) == name)
    });
    let end = events.find(
        |entry| matches!(entry.event, Event::PollEnd { task, .. } if recording.task(task) == name),
    );
    (begin.unwrap().t, end.unwrap().t)
}

#[test]
fn the_record_has_the_slice_as_it_was_on_a_lane_of_the_watchdog_s_own() {
    let recorder = Recorder::new(Header::monotonic("the watchdog"));
    let (robot, bark) = watched();
    let stuck = robot.recorder(recorder.clone()).build().run(async {
        let guest = spawn_named("the chatty guest", async move {
            bark.hold_on("the chatty guest")
        });
        guest.await.unwrap()
    });
    let recording = recorder.recording();
    let (begin, end) = first_poll(&recording, "the chatty guest");
    let mut marks: Vec<_> = recording.marks("watchdog").collect();
    marks.retain(|(_, text, _)| text.contains("the chatty guest"));
    assert_eq!(marks.len(), 2);
    assert_eq!(
        (marks[0].1, marks[0].2),
        (stuck.to_string().as_str(), begin)
    );
    assert_eq!(marks[1].2, end - begin);
    assert!(
        marks[1]
            .1
            .starts_with("`the chatty guest` gives LoopBot back")
    );
    assert!(
        !marks[0].1.contains(env!("CARGO_MANIFEST_DIR")),
        "{}",
        marks[0].1
    );
    let noticed = marks[0].0;
    assert!(
        begin < noticed.t && noticed.t < end,
        "it was told while it happened"
    );
    let actor = &recording.actors[noticed.actor];
    assert_eq!(actor.name, "watchdog of LoopBot");
}

/// A panic that is not a task's own goes through the run, and through whoever watches it.
#[test]
fn it_goes_home_when_the_run_itself_panics() {
    let (robot, _bark) = watched();
    let robot = robot
        .pick_next(|_| panic!("nobody wants to choose"))
        .build();
    let bound = std::panic::AssertUnwindSafe(|| robot.run(async {}));
    let panic = std::panic::catch_unwind(bound).unwrap_err();
    assert_eq!(
        panic.downcast_ref::<&str>(),
        Some(&"nobody wants to choose")
    );
    assert_eq!(loopbot::run(async { 4 }), 4, "this thread is free again");
}
