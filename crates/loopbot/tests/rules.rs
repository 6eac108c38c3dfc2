//! The rules of the flight recorder over real runs of LoopBot: for each rule a run that breaks it, and one that
//! does the same work and does not. The clock is virtual, so to block is to let time pass inside a poll.

mod common;

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::mpsc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use common::{recorded_robot, with_an_end};
use flight::rules::{self, Hit, Limits, Rule, Severity};
use flight::{ActorKind, End, Event, Header, Recorder, Recording, VirtualTime};
use loopbot::sync::{Mutex, channel};
use loopbot::{Clock, LoopBot, ReadyTask, sleep, spawn_named, task_group, with_lane, yield_now};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What the rules say of a run. It is given the time, for whoever wants to block.
fn record<F: Future<Output = ()>>(main: impl FnOnce(VirtualTime) -> F) -> Recording {
    let (robot, recorder, time) = recorded_robot();
    let _ = robot.try_run(main(time));
    recorder.recording()
}

fn look(recording: &Recording) -> Vec<Hit> {
    rules::look(recording, &Limits::default())
}

/// The hits of one rule. What is left of a run's hits is a test's business as well: nothing may be found that is not there.
fn of_rule(rule: Rule, recording: &Recording) -> Vec<Hit> {
    let mut hits = look(recording);
    hits.retain(|hit| hit.rule == rule);
    hits
}

#[track_caller]
fn the_one(rule: Rule, recording: &Recording) -> Hit {
    let hits = of_rule(rule, recording);
    assert_eq!(hits.len(), 1, "{:#?}", look(recording));
    hits.into_iter().next().unwrap()
}

#[track_caller]
fn nothing(recording: &Recording) {
    assert_eq!(look(recording), [], "this run keeps to the rules");
}

/// Dinner: the soufflé has to come out at 300 ms, and at 110 ms a guest begins a story of a second.
async fn dinner<F: Future<Output = ()>>(story: impl FnOnce() -> F + 'static) {
    let souffle = spawn_named("the soufflé", sleep(ms(300)));
    let guest = spawn_named("the chatty guest", async move {
        sleep(ms(110)).await;
        story().await;
    });
    souffle.await.unwrap();
    guest.await.unwrap();
}

#[test]
fn the_souffle_falls() {
    let recording = record(|time| dinner(move || async move { time.advance(ms(1000)) }));
    let poll = the_one(Rule::LongPoll, &recording);
    assert_eq!(
        (poll.severity, poll.subject.as_str(), poll.at),
        (Severity::Red, "the chatty guest", 110_000_000)
    );
    let timer = the_one(Rule::LateTimer, &recording);
    assert_eq!(
        (timer.severity, timer.observed),
        (Severity::Red, 810_000_000)
    );
    assert_eq!(
        timer.says,
        "the timer of the soufflé was due at 300 ms and fired at 1.11 s, 810 ms late (from 110 ms on, LoopBot was in a poll of \
         the chatty guest): a timer is meant to fire within 5 ms of its time."
    );
    assert_eq!(look(&recording).len(), 2, "{:#?}", look(&recording));
}

#[test]
fn the_same_story_told_with_awaits_harms_nobody() {
    nothing(&record(|_| dinner(|| sleep(ms(1000)))));
    // In pieces of a millisecond, with a look round after each.
    nothing(&record(|time| {
        dinner(move || async move {
            for _ in 0..100 {
                time.advance(ms(1));
                yield_now().await;
            }
        })
    }));
}

#[test]
fn whoever_is_ready_behind_a_chatty_guest_waits_for_its_turn() {
    let run = |takes: Duration| {
        record(move |time| async move {
            let guest = spawn_named("the chatty guest", async move { time.advance(takes) });
            let soup = spawn_named("soup", async {});
            guest.await.unwrap();
            soup.await.unwrap();
        })
    };
    let hit = of_rule(Rule::ReadyDelay, &run(ms(300)));
    let soup = hit.iter().find(|hit| hit.subject == "soup").unwrap();
    assert_eq!(soup.severity, Severity::Red);
    assert!(
        soup.says
            .contains("300 ms later (LoopBot was in a poll of the chatty guest)"),
        "{}",
        soup.says
    );
    nothing(&run(ms(1)));
}

#[test]
fn a_future_that_forgets_its_waker_is_found_out_at_once() {
    let forgetful = || {
        let mut asked = false;
        poll_fn(move |_| match std::mem::replace(&mut asked, true) {
            false => Poll::Pending,
            true => Poll::Ready(()),
        })
    };
    let recording = record(|_| async move {
        sleep(ms(20)).await;
        let bell = spawn_named("the bell", forgetful());
        sleep(ms(480)).await;
        drop(bell);
    });
    let hit = the_one(Rule::LostWaker, &recording);
    assert_eq!(
        (hit.subject.as_str(), hit.at, hit.observed),
        ("the bell", 20_000_000, 480_000_000)
    );
    assert_eq!(
        look(&recording).len(),
        1,
        "one reason is enough: {:#?}",
        look(&recording)
    );
}

#[test]
fn a_waker_that_somebody_has_is_not_lost() {
    // A foreign future keeps it; a group keeps it and says nothing; one future of two has it.
    nothing(&record(|_| async {
        let kept = Rc::new(Cell::new(None));
        let bell = kept.clone();
        let waits = spawn_named(
            "keeps it",
            poll_fn(move |cx| match bell.replace(Some(cx.waker().clone())) {
                None => Poll::Pending,
                Some(_) => Poll::Ready(()),
            }),
        );
        sleep(ms(5)).await;
        let waker: std::task::Waker = kept.take().unwrap();
        kept.set(Some(waker.clone()));
        waker.wake();
        waits.await.unwrap();
    }));
    let failed = record(|_| async {
        let ended = task_group(async |group| {
            group.spawn(async {
                sleep(ms(5)).await;
                Err::<(), _>("no more bread")
            });
            pending::<Result<(), &str>>().await
        });
        assert!(ended.await.is_err());
    });
    nothing(&failed);
    nothing(&record(|_| async {
        let waits = loopbot::timeout(ms(5), pending::<()>()).await;
        assert!(waits.is_err());
    }));
    // Whoever waits for ever, and is told to stop.
    nothing(&record(|_| async {
        let guest = spawn_named("waits for ever", pending::<()>());
        yield_now().await;
        guest.abort();
        assert!(guest.await.unwrap_err().is_cancelled());
    }));
}

/// Takes a lock, and writes that down.
async fn take<'a>(name: &'static str, lock: &'a Mutex<()>) -> loopbot::sync::MutexGuard<'a, ()> {
    let resource = with_lane(|lane| lane.text(name));
    with_lane(|lane| lane.record(Event::ResWait { resource }));
    let guard = lock.lock().await;
    with_lane(|lane| lane.record(Event::ResAcquire { resource }));
    guard
}

fn two_keys(second_order: [usize; 2]) -> Recording {
    record(move |_| async move {
        let keys = Rc::new([
            ("the cellar key", Mutex::new(())),
            ("the wine book", Mutex::new(())),
        ]);
        let robot = |name, order: [usize; 2]| {
            let keys = keys.clone();
            spawn_named(name, async move {
                let one = take(keys[order[0]].0, &keys[order[0]].1).await;
                yield_now().await;
                let two = take(keys[order[1]].0, &keys[order[1]].1).await;
                for ((name, _), guard) in keys.iter().zip([one, two]) {
                    let resource = with_lane(|lane| lane.text(name));
                    with_lane(|lane| lane.record(Event::ResRelease { resource }));
                    drop(guard);
                }
            })
        };
        let (greet, wine) = (robot("GreetBot", [0, 1]), robot("WineBot", second_order));
        greet.await.unwrap();
        wine.await.unwrap();
    })
}

#[test]
fn two_keys_in_two_orders_stand_still() {
    let recording = two_keys([1, 0]);
    let circle = the_one(Rule::LockCycle, &recording);
    assert!(
        circle
            .says
            .contains("GreetBot has the cellar key and waits for the wine book"),
        "{}",
        circle.says
    );
    let still = the_one(Rule::LostWaker, &recording);
    assert!(
        still
            .says
            .contains("main, GreetBot and WineBot waited for a wake"),
        "{}",
        still.says
    );
    assert_eq!(of_rule(Rule::LeakedTask, &recording), []);
    assert_eq!(of_rule(Rule::LockCycle, &two_keys([0, 1])), []);
    assert_eq!(of_rule(Rule::LostWaker, &two_keys([0, 1])), []);
}

#[test]
fn a_key_in_hand_while_waiting() {
    let run = |keeps_it: bool| {
        record(move |_| async move {
            let cellar = |held: bool| {
                let resource = with_lane(|lane| lane.text("the cellar key"));
                with_lane(|lane| match held {
                    true => lane.record(Event::ResAcquire { resource }),
                    false => lane.record(Event::ResRelease { resource }),
                });
            };
            let guest = spawn_named("the guest", async move {
                cellar(true);
                if keeps_it {
                    sleep(ms(8)).await;
                    cellar(false);
                } else {
                    cellar(false);
                    sleep(ms(8)).await;
                }
            });
            guest.await.unwrap();
        })
    };
    let hit = the_one(Rule::GuardAcrossAwait, &run(true));
    assert_eq!((hit.subject.as_str(), hit.observed), ("the guest", 1));
    nothing(&run(false));
}

#[test]
fn is_it_ready_is_it_ready() {
    let run = |times: usize| {
        record(move |_| async move {
            let guest = spawn_named("the impatient guest", async move {
                for _ in 0..times {
                    yield_now().await;
                }
            });
            guest.await.unwrap();
        })
    };
    let hit = the_one(Rule::SelfWakeStorm, &run(200));
    assert_eq!(
        (hit.subject.as_str(), hit.observed),
        ("the impatient guest", 200)
    );
    nothing(&run(100));
}

#[test]
fn what_is_spawned_and_forgotten() {
    let never = record(|_| async {
        let _bread = spawn_named("the bread", async { unreachable!("the run is over") });
    });
    assert_eq!(the_one(Rule::NeverPolled, &never).subject, "the bread");
    assert_eq!(look(&never).len(), 1);

    let leaked = record(|_| async {
        drop(spawn_named("the doorman", async {
            loop {
                sleep(ms(30)).await;
            }
        }));
        sleep(ms(100)).await;
    });
    let hit = the_one(Rule::LeakedTask, &leaked);
    assert_eq!(
        (hit.subject.as_str(), hit.at, hit.observed),
        ("the doorman", 100_000_000, 10_000_000)
    );
    assert_eq!(look(&leaked).len(), 1);

    nothing(&record(|_| async {
        let bread = spawn_named("the bread", async {});
        let doorman = spawn_named("the doorman", sleep(ms(10_000)));
        bread.await.unwrap();
        doorman.abort();
        let _ = doorman.await;
    }));
}

#[test]
fn a_panic_that_nobody_hears() {
    let run = |is_awaited: bool| {
        record(move |_| async move {
            let chef = spawn_named("the chef", async { panic!("the pan is on fire") });
            sleep(ms(6)).await;
            if is_awaited {
                assert!(chef.await.unwrap_err().is_panic());
            }
        })
    };
    let hit = the_one(Rule::UnjoinedPanic, &run(false));
    assert_eq!(
        (hit.severity, hit.subject.as_str()),
        (Severity::Red, "the chef")
    );
    nothing(&run(true));

    let group = record(|_| async {
        let ended = task_group(async |group| {
            group.spawn::<(), _>(async { panic!("the pan is on fire") });
            Ok::<(), ()>(())
        });
        assert!(ended.await.is_err());
    });
    assert_eq!(
        of_rule(Rule::UnjoinedPanic, &group),
        [],
        "its group has the panic"
    );
    let ends = group.events.iter();
    let panicked = ends.filter(|entry| {
        matches!(
            entry.event,
            Event::TaskEnd {
                how: End::Panicked,
                ..
            }
        )
    });
    assert_eq!(panicked.count(), 1);
}

#[test]
fn more_comes_in_than_goes_out() {
    let run = |every: Duration| {
        record(move |_| async move {
            let (send, mut receive) = channel::unbounded();
            let length = Rc::new(Cell::new(0));
            let count = move |change: i64| {
                length.set(length.get() + change);
                with_lane(|lane| lane.counter("the queue of the pass", length.get() as u64));
            };
            let counts = count.clone();
            let cook = spawn_named("the cook", async move {
                for plate in 0..20 {
                    send.try_send(plate).unwrap();
                    counts(1);
                    sleep(ms(10)).await;
                }
            });
            let waiter = spawn_named("the waiter", async move {
                while receive.recv().await.is_some() {
                    count(-1);
                    sleep(every).await;
                }
            });
            cook.await.unwrap();
            waiter.await.unwrap();
        })
    };
    let hit = the_one(Rule::QueueGrowth, &run(ms(1000)));
    assert_eq!(hit.subject, "the queue of the pass");
    nothing(&run(ms(8)));
}

#[test]
fn the_regular_is_always_served_first() {
    let run = |is_fair: bool| {
        let time = VirtualTime::new();
        let recorder = Recorder::new(Header::virtual_time("test", &time));
        let robot = LoopBot::builder()
            .clock(Clock::virtual_time(time))
            .recorder(recorder.clone());
        let robot = match is_fair {
            true => robot,
            false => robot.pick_next(|ready: &[ReadyTask]| {
                let regular = ready.iter().position(|task| task.name == "the regular");
                regular.unwrap_or(0)
            }),
        };
        robot.build().run(async {
            let regular = spawn_named("the regular", async {
                for _ in 0..50 {
                    yield_now().await;
                }
            });
            let soup = spawn_named("soup", async {});
            soup.await.unwrap();
            regular.await.unwrap();
        });
        recorder.recording()
    };
    let hits = of_rule(Rule::Starvation, &run(false));
    let soup = hits.iter().find(|hit| hit.subject == "soup").unwrap();
    assert!(
        soup.says.contains("the regular had 51 turns"),
        "{}",
        soup.says
    );
    nothing(&run(true));
}

#[test]
fn more_hands_than_cores() {
    let run = |hands: usize| {
        let time = VirtualTime::new();
        let mut header = Header::virtual_time("test", &time);
        header.cores = 2;
        let recorder = Recorder::new(header);
        let robot = LoopBot::builder()
            .clock(Clock::virtual_time(time))
            .recorder(recorder.clone())
            .build();
        let (begun, has_begun) = mpsc::channel();
        let threads: Vec<_> = (1..=hands)
            .map(|hand| {
                let lane = recorder.actor(&format!("hand {hand}"), ActorKind::Pool);
                let (end, ends) = mpsc::channel::<()>();
                let begun = begun.clone();
                let work = thread::spawn(move || {
                    let pool = lane.text("the hands");
                    lane.record(Event::JobStart { job: 1, pool });
                    begun.send(()).unwrap();
                    let _ = ends.recv();
                    lane.record(Event::JobEnd {
                        job: 1,
                        how: End::Done,
                    });
                });
                (work, end)
            })
            .collect();
        (0..hands).for_each(|_| has_begun.recv().unwrap());
        robot.run(async { sleep(ms(50)).await });
        for (work, end) in threads {
            drop(end);
            work.join().unwrap();
        }
        recorder.recording()
    };
    with_an_end(move || {
        let hit = the_one(Rule::Oversubscribed, &run(5));
        assert_eq!(
            (hit.limit, hit.observed),
            (4, 6),
            "five hands, and LoopBot now and then"
        );
        nothing(&run(4));
    });
}
