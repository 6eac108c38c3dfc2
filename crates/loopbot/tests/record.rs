//! What LoopBot writes down.

mod common;

use std::collections::HashMap;
use std::pin::pin;
use std::sync::mpsc;
use std::task::Context;
use std::thread;
use std::time::Duration;

use common::{own_waker, recorded_robot, with_an_end};
use flight::{End, Event, Header, Recorder, Recording, Source, Task};
use loopbot::{Clock, LoopBot, sleep, spawn, spawn_named, yield_now};

/// A recording in words, one line for each event.
fn in_words(recording: &Recording) -> Vec<String> {
    let name = |task: Task| recording.task(task).to_owned();
    let ms = |ns: u64| ns / 1_000_000;
    recording
        .events
        .iter()
        .map(|entry| {
            let what = match entry.event {
                Event::ActorStart => "enters".to_owned(),
                Event::ActorStop => "leaves".to_owned(),
                Event::TaskSpawn { task, by: None } => format!("spawn {}", name(task)),
                Event::TaskSpawn { task, by: Some(by) } => {
                    format!("spawn {} by {}", name(task), name(by))
                }
                Event::TaskEnd { task, how } => format!("end {} {how:?}", name(task)),
                Event::PollBegin { task, poll, cause } => {
                    format!("poll {} #{poll} because of {cause}", name(task))
                }
                Event::PollEnd { ready, .. } => {
                    if ready { "  ready" } else { "  pending" }.to_owned()
                }
                Event::Wake { task, source } => format!("wake {} by {source:?}", name(task)),
                Event::ParkBegin { why, until } => {
                    format!("{}, until {}", recording.text(why), ms(until))
                }
                Event::ParkEnd => "goes on".to_owned(),
                Event::TimerArm { timer, task, due } => {
                    format!("arm {timer} for {} at {}", name(task), ms(due))
                }
                Event::TimerFire { timer, late, .. } => format!("fire {timer}, late {}", ms(late)),
                Event::Observed { task } => format!("  {} is observed", name(task)),
                other => format!("{other:?}"),
            };
            format!("{:>2} {:>3} ms  {what}", entry.n, ms(entry.t))
        })
        .collect()
}

#[test]
fn the_record_of_a_small_evening() {
    let (robot, recorder, _) = recorded_robot();
    robot.run(async {
        let soup = spawn_named("soup", sleep(Duration::from_millis(20)));
        yield_now().await;
        soup.await.unwrap();
    });
    let recording = recorder.recording();
    let first = recording.events[0].n;
    // The numbers of causes below are right if numbering begins at the recorder's first number.
    let expected = [
        "enters",
        "spawn main",
        "poll main #1 because of {1}",
        "spawn soup by main",
        "wake main by OwnPoll",
        "  pending",
        "poll soup #1 because of {3}",
        "arm 1 for soup at 20",
        "  pending",
        "poll main #2 because of {4}",
        "  pending",
        "nobody is ready: waits for the next timer, until 20",
        "goes on",
        "fire 1, late 0",
        "wake soup by Timer",
        "poll soup #2 because of {14}",
        "wake main by Task",
        "  ready",
        "end soup Done",
        "poll main #3 because of {16}",
        "  soup is observed",
        "  ready",
        "end main Done",
        "leaves",
    ];
    let expected: Vec<String> = expected
        .iter()
        .enumerate()
        .map(|(i, what)| {
            let what = [1, 3, 4, 14, 16]
                .iter()
                .fold(what.to_string(), |what, cause: &u64| {
                    what.replace(&format!("{{{cause}}}"), &(first + cause).to_string())
                });
            let time = if i < 12 { 0 } else { 20 };
            format!("{:>2} {time:>3} ms  {what}", first + i as u64)
        })
        .collect();
    assert_eq!(in_words(&recording), expected);
    assert!(recording.complete);
}

/// A busier run: timers, joins, yields, an abort, a panic, tasks left over.
fn busy_evening() -> Recording {
    let (robot, recorder, _) = recorded_robot();
    robot.run(async {
        let tasks: Vec<_> = (0..20)
            .map(|i| {
                spawn(async move {
                    for _ in 0..i % 4 {
                        yield_now().await;
                    }
                    sleep(Duration::from_millis(i % 7)).await;
                    assert!(i != 13, "thirteen guests");
                })
            })
            .collect();
        tasks[5].abort();
        for task in tasks {
            let _ = task.await;
        }
        drop(spawn_named("left over", std::future::pending::<()>()));
        yield_now().await;
    });
    recorder.recording()
}

#[test]
fn the_same_evening_gives_the_same_record() {
    assert_eq!(in_words(&busy_evening()), in_words(&busy_evening()));
}

#[test]
fn every_poll_has_its_cause_and_every_task_its_end() {
    let recording = busy_evening();
    let mut rings = HashMap::new(); // n of a wake or a spawn -> the task
    let mut polling = None;
    let mut ended = HashMap::new();
    let mut spawned = 0;
    for entry in &recording.events {
        match entry.event {
            Event::TaskSpawn { task, .. } => {
                spawned += 1;
                rings.insert(entry.n, task);
            }
            Event::Wake { task, .. } => {
                assert!(
                    !ended.contains_key(&task),
                    "a task that is over is not woken"
                );
                rings.insert(entry.n, task);
            }
            Event::PollBegin { task, cause, .. } => {
                assert_eq!(polling.replace(task), None, "one poll at a time");
                assert_eq!(
                    rings.remove(&cause),
                    Some(task),
                    "each ring is the cause of one poll, of its own task"
                );
            }
            Event::PollEnd { task, .. } => assert_eq!(polling.take(), Some(task)),
            Event::TaskEnd { task, how } => {
                assert!(ended.insert(task, how).is_none(), "a task ends once")
            }
            _ => {}
        }
    }
    assert_eq!(ended.len(), spawned);
    let ended = |name: &str| {
        ended
            .iter()
            .find(|(task, _)| recording.task(**task) == name)
            .map(|(_, how)| *how)
            .unwrap()
    };
    assert_eq!(ended("main"), End::Done);
    assert_eq!(ended("task 1"), End::Done);
    assert_eq!(ended("task 6"), End::Cancelled);
    assert_eq!(ended("task 14"), End::Panicked);
    assert_eq!(ended("left over"), End::Cancelled);
}

#[test]
fn a_wake_from_another_thread_is_on_record_and_is_the_cause_of_the_poll() {
    with_an_end(|| {
        let recorder = Recorder::new(Header::monotonic("test"));
        let robot = LoopBot::builder().recorder(recorder.clone()).build();
        let (ring, bells) = mpsc::channel::<std::task::Waker>();
        let guest = thread::spawn(move || bells.recv().unwrap().wake());
        let mut polls = 0;
        robot.run(std::future::poll_fn(|cx| {
            polls += 1;
            if polls == 1 {
                ring.send(cx.waker().clone()).unwrap();
                return std::task::Poll::Pending;
            }
            std::task::Poll::Ready(())
        }));
        guest.join().unwrap();
        let events = recorder.recording().events;
        let wake = events
            .iter()
            .find(|entry| matches!(entry.event, Event::Wake { .. }))
            .unwrap();
        assert!(matches!(
            wake.event,
            Event::Wake {
                source: Source::Thread,
                ..
            }
        ));
        assert!(events.iter().any(
            |entry| matches!(entry.event, Event::PollBegin { poll: 2, cause, .. } if cause == wake.n)
        ));
    });
}

#[test]
fn the_record_ends_with_the_loop_even_if_a_waker_lives_on() {
    let (robot, recorder, _) = recorded_robot();
    let waker = robot.run(own_waker());
    assert!(recorder.recording().complete, "LoopBot has left");
    let events = recorder.recording().events.len();
    waker.wake_by_ref();
    assert_eq!(recorder.recording().events.len(), events);
}

#[test]
fn a_wake_that_reaches_nobody_is_not_on_record() {
    let (robot, recorder, _) = recorded_robot();
    robot.run(async {
        let late = spawn(own_waker()).await.unwrap();
        yield_now().await;
        late.wake();
    });
    let recording = recorder.recording();
    let woken = recording
        .events
        .iter()
        .filter_map(|entry| match entry.event {
            Event::Wake { task, .. } => Some(recording.task(task)),
            _ => None,
        });
    assert_eq!(woken.collect::<Vec<_>>(), ["main", "main"]);
}

#[test]
fn a_sleep_sets_one_timer_however_often_it_is_polled() {
    let (robot, recorder, _) = recorded_robot();
    robot.run(async {
        let mut souffle = pin!(sleep(Duration::from_millis(20)));
        for _ in 0..5 {
            let waker = own_waker().await;
            let mut cx = Context::from_waker(&waker);
            assert!(souffle.as_mut().poll(&mut cx).is_pending());
        }
        souffle.await;
    });
    let events = recorder.recording().events;
    let timers = events.iter().filter(|entry| {
        matches!(
            entry.event,
            Event::TimerArm { .. } | Event::TimerFire { .. }
        )
    });
    assert_eq!(timers.count(), 2, "armed once, fired once");
}

#[test]
fn times_are_on_the_recorders_clock_even_if_it_began_earlier() {
    let (robot, recorder, time) = recorded_robot();
    time.advance(Duration::from_millis(500));
    robot.run(async {
        sleep(Duration::from_millis(20)).await;
        assert_eq!(loopbot::now(), Duration::from_millis(20));
    });
    let due = recorder
        .recording()
        .events
        .iter()
        .find_map(|entry| match entry.event {
            Event::TimerArm { due, .. } => Some(due),
            _ => None,
        });
    assert_eq!(due, Some(520_000_000));
}

#[test]
fn a_refused_run_leaves_no_trace_in_the_record() {
    let (robot, recorder, _) = recorded_robot();
    let again = robot.clone();
    robot.run(async move {
        let refused = spawn(async move { again.run(async {}) }).await;
        assert!(refused.is_err());
    });
    let recording = recorder.recording();
    assert_eq!(recording.actors.len(), 1);
}

#[test]
fn the_lane_has_the_name_of_the_robot() {
    let (_, recorder, time) = recorded_robot();
    let robot = LoopBot::builder()
        .name("MondayBot")
        .clock(Clock::virtual_time(time))
        .recorder(recorder.clone())
        .build();
    robot.run(async { loopbot::with_lane(|lane| lane.mark("beat", "Monday", 1)) });
    let recording = recorder.recording();
    assert_eq!(recording.actors[0].name, "MondayBot");
    assert_eq!(
        recording
            .marks("beat")
            .map(|(_, text, value)| (text, value))
            .next(),
        Some(("Monday", 1))
    );
}
