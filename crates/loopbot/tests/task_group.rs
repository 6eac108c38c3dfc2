//! What a task group promises: it ends, and then nothing of it is left.

mod common;

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use common::{Notes, SaysGoodbye, recorded_robot, virtual_robot};
use flight::{End, Event, Recording};
use loopbot::{
    GroupError, GroupHandle, TaskGroup, now, sleep, spawn, spawn_named, task_group, timeout,
    yield_now,
};

const MINUTE: Duration = Duration::from_secs(60);

type Kitchen = TaskGroup<String>;

/// Works for ever, and says goodbye when it is dropped.
async fn works(name: &'static str, notes: Notes) -> Result<(), String> {
    let _goodbye = SaysGoodbye(name, notes);
    pending().await
}

async fn fails_after(duration: Duration) -> Result<(), String> {
    sleep(duration).await;
    Err("the oven is cold".to_owned())
}

/// How the tasks of a recording ended.
fn ends(recording: &Recording) -> Vec<(&str, End)> {
    recording
        .events
        .iter()
        .filter_map(|entry| match entry.event {
            Event::TaskEnd { task, how } => Some((recording.task(task), how)),
            _ => None,
        })
        .collect()
}

#[test]
fn it_returns_what_the_body_returned_when_all_tasks_are_done() {
    virtual_robot().run(async {
        let notes = Notes::new();
        let made = task_group(async |group: &Kitchen| {
            for (name, minutes) in [("roast", 30), ("soup", 10)] {
                let notes = notes.clone();
                group.spawn(async move {
                    sleep(MINUTE * minutes).await;
                    notes.add(name);
                    Ok(())
                });
            }
            notes.add("body");
            Ok("dinner")
        })
        .await;
        assert_eq!(made.unwrap(), "dinner");
        assert_eq!(notes.all(), ["body", "soup", "roast"]);
        assert_eq!(now(), MINUTE * 30);
    });
}

#[test]
fn handles_give_what_the_tasks_made() {
    virtual_robot().run(async {
        let total = task_group(async |group: &TaskGroup<Infallible>| {
            let plates: Vec<_> = (0..10_u64)
                .map(|i| {
                    group.spawn(async move {
                        sleep(MINUTE * (10 - i as u32)).await;
                        Ok(i)
                    })
                })
                .collect();
            let mut total = 0;
            for plate in plates {
                total += plate.await;
            }
            Ok(total)
        });
        assert_eq!(total.await.unwrap(), 45);
        assert_eq!(now(), MINUTE * 10);
    });
}

#[test]
fn a_group_without_tasks_is_over_with_its_body() {
    virtual_robot().run(async {
        let made = task_group(async |_: &Kitchen| Ok(7)).await;
        assert_eq!(made.unwrap(), 7);
        let failed = task_group(async |_: &Kitchen| Err::<(), _>("closed".to_owned())).await;
        assert!(matches!(failed, Err(GroupError::Body(why)) if why == "closed"));
    });
}

#[test]
fn the_first_failure_cancels_the_body_and_all_other_tasks_in_order() {
    let (robot, recorder, time) = recorded_robot();
    let notes = Notes::new();
    robot.run(async {
        let error = task_group(async |group: &Kitchen| {
            group.spawn_named("soup", works("soup", notes.clone()));
            group.spawn_named("oven", fails_after(MINUTE));
            group.spawn_named("wine", works("wine", notes.clone()));
            works("body", notes.clone()).await
        })
        .await
        .unwrap_err();
        assert_eq!(error.to_string(), "oven failed: the oven is cold");
        assert_eq!(error.error().unwrap(), "the oven is cold");
        notes.add("group");
    });
    // When the group's error is there, everybody is gone.
    let goodbyes = notes.all();
    assert_eq!(goodbyes.last().unwrap(), "group");
    let tasks: Vec<_> = goodbyes.iter().filter(|name| *name != "body").collect();
    assert_eq!(tasks, ["soup", "wine", "group"]);
    assert_eq!(goodbyes.len(), 4);
    assert_eq!(time.now(), 60_000_000_000);
    let recording = recorder.recording();
    assert_eq!(
        ends(&recording),
        [
            ("oven", End::Done),
            ("soup", End::Cancelled),
            ("wine", End::Cancelled),
            ("main", End::Done)
        ]
    );
}

#[test]
fn a_body_that_fails_cancels_the_tasks() {
    virtual_robot().run(async {
        let notes = Notes::new();
        let error = task_group(async |group: &Kitchen| {
            group.spawn(works("soup", notes.clone()));
            sleep(MINUTE).await;
            Err::<(), _>("the guests have left".to_owned())
        })
        .await
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the body of the group failed: the guests have left"
        );
        assert_eq!(notes.all(), ["soup"]);
    });
}

#[test]
fn a_panic_of_a_task_is_a_failure_and_is_handed_on() {
    let (robot, recorder, _) = recorded_robot();
    let notes = Notes::new();
    robot.run(async {
        let error = task_group(async |group: &Kitchen| {
            group.spawn_named("wine", works("wine", notes.clone()));
            let chef: GroupHandle<()> = group.spawn_named("ChefBot", async {
                sleep(MINUTE).await;
                panic!("the soufflé fell")
            });
            drop(chef); // which changes nothing for the task
            pending::<Result<(), String>>().await
        })
        .await
        .unwrap_err();
        assert_eq!(error.to_string(), "ChefBot panicked: the soufflé fell");
        assert!(error.error().is_none());
        let GroupError::Panic(error) = error else {
            panic!("{error:?}")
        };
        assert_eq!(error.panic_message(), Some("the soufflé fell"));
        assert!(error.into_panic().unwrap().is::<&str>());
        assert_eq!(notes.all(), ["wine"]);
    });
    let recording = recorder.recording();
    assert!(ends(&recording).contains(&("ChefBot", End::Panicked)));
}

#[test]
fn a_panic_of_the_body_cancels_the_tasks_and_goes_on() {
    let notes = Notes::new();
    virtual_robot().run(async {
        let party = notes.clone();
        let error = spawn_named("the party", async move {
            task_group(async |group: &Kitchen| {
                group.spawn(works("soup", party.clone()));
                yield_now().await;
                panic!("fire");
                #[allow(unreachable_code)]
                Ok(())
            })
            .await
        })
        .await
        .unwrap_err();
        assert_eq!(error.to_string(), "the party panicked: fire");
        assert_eq!(notes.all(), ["soup"]);
    });
}

#[test]
fn a_panic_in_the_drop_of_finished_work_counts_as_its_panic() {
    struct Falls;
    impl Drop for Falls {
        fn drop(&mut self) {
            panic!("on the way out");
        }
    }
    virtual_robot().run(async {
        let falls = Falls;
        let group = task_group(async |group: &Kitchen| {
            group
                .spawn_named("clumsy", async move {
                    let _falls = &falls;
                    Ok(())
                })
                .await;
            Ok(())
        });
        let error = group.await.unwrap_err();
        assert_eq!(error.to_string(), "clumsy panicked: on the way out");
    });
}

#[test]
fn a_panic_while_being_cancelled_does_not_keep_the_group_from_ending() {
    struct Falls(Notes);
    impl Drop for Falls {
        fn drop(&mut self) {
            self.0.add("fell");
            panic!("on the way out");
        }
    }
    virtual_robot().run(async {
        let notes = Notes::new();
        let falls = [Falls(notes.clone()), Falls(notes.clone())];
        let error = task_group(async |group: &Kitchen| {
            for falls in falls {
                group.spawn(async move {
                    let _falls = falls;
                    pending::<Result<(), String>>().await
                });
            }
            group.spawn(fails_after(MINUTE));
            Ok(())
        })
        .await
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "task 3 of a group failed: the oven is cold"
        );
        assert_eq!(notes.all(), ["fell", "fell"]);
        // And where the group is dropped half-way.
        let falls = [Falls(notes.clone()), Falls(notes.clone())];
        let half_way = timeout(
            MINUTE,
            task_group(async |group: &Kitchen| {
                for falls in falls {
                    group.spawn(async move {
                        let _falls = falls;
                        pending::<Result<(), String>>().await
                    });
                }
                Ok(())
            }),
        );
        assert!(half_way.await.is_err());
        assert_eq!(notes.all().len(), 4);
    });
}

#[test]
fn of_two_failures_the_first_counts() {
    virtual_robot().run(async {
        let error = task_group(async |group: &TaskGroup<&str>| {
            for (name, minutes) in [("second", 2), ("first", 1), ("with the first", 1)] {
                group.spawn(async move {
                    sleep(MINUTE * minutes).await;
                    Err::<(), _>(name)
                });
            }
            Ok(())
        })
        .await
        .unwrap_err();
        assert_eq!(error.error(), Some(&"first"));
        assert_eq!(now(), MINUTE);
    });
}

#[test]
fn dropped_at_any_moment_it_takes_all_its_tasks_with_it_there_and_then() {
    // Five tasks that each take some turns; the group is given up after 0, 1, 2 ... minutes.
    for minutes in 0..8 {
        let (robot, recorder, _) = recorded_robot();
        let notes = Notes::new();
        let alive = Rc::new(Cell::new(0));
        struct Counted(Rc<Cell<u32>>);
        impl Drop for Counted {
            fn drop(&mut self) {
                self.0.set(self.0.get() - 1);
            }
        }
        robot.run(async {
            let group = task_group(async |group: &Kitchen| {
                for i in 0..5 {
                    alive.set(alive.get() + 1);
                    let counted = Counted(alive.clone());
                    group.spawn(async move {
                        let _counted = counted;
                        sleep(MINUTE * i).await;
                        yield_now().await;
                        sleep(MINUTE).await;
                        Ok(())
                    });
                    yield_now().await;
                }
                sleep(MINUTE * 6).await;
                Ok(())
            });
            let ended = timeout(MINUTE * minutes, group).await;
            assert_eq!(ended.is_ok(), minutes >= 6, "{minutes}");
            assert_eq!(alive.get(), 0, "after {minutes} minutes somebody stayed");
            notes.add("over");
            yield_now().await;
            yield_now().await; // the empty shells end in their next turn
        });
        let recording = recorder.recording();
        let spawned = recording
            .events
            .iter()
            .filter(|entry| matches!(entry.event, Event::TaskSpawn { .. }));
        assert_eq!(ends(&recording).len(), spawned.count());
        assert!(
            ends(&recording)
                .iter()
                .all(|(_, how)| *how != End::Panicked)
        );
    }
}

#[test]
fn a_group_that_is_never_polled_does_nothing() {
    virtual_robot().run(async {
        let notes = Notes::new();
        let body = notes.clone();
        drop(task_group(async move |_: &Kitchen| {
            body.add("began");
            Ok(())
        }));
        assert!(notes.all().is_empty());
    });
}

#[test]
fn tasks_spawn_tasks_into_their_own_group() {
    /// Each table calls two more.
    fn table(
        group: Kitchen,
        depth: u32,
        served: Rc<Cell<u32>>,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>>>> {
        Box::pin(async move {
            sleep(MINUTE).await;
            served.set(served.get() + 1);
            if depth > 0 {
                group.spawn(table(group.clone(), depth - 1, served.clone()));
                group.spawn(table(group.clone(), depth - 1, served));
            }
            Ok(())
        })
    }
    virtual_robot().run(async {
        let served = Rc::new(Cell::new(0));
        task_group(async |group: &Kitchen| {
            group.spawn(table(group.clone(), 4, served.clone()));
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(served.get(), 31);
        assert_eq!(now(), MINUTE * 5);
        assert_eq!(Rc::strong_count(&served), 1, "nothing leaks");
    });
}

#[test]
fn nothing_leaks_when_tasks_hold_their_group_and_it_is_dropped() {
    virtual_robot().run(async {
        let counted = Rc::new(());
        let group = task_group(async |group: &Kitchen| {
            for _ in 0..3 {
                let held = (group.clone(), counted.clone());
                group.spawn(async move {
                    let _held = held;
                    pending::<Result<(), String>>().await
                });
            }
            Ok(())
        });
        assert!(timeout(MINUTE, group).await.is_err());
        assert_eq!(Rc::strong_count(&counted), 1);
    });
}

#[test]
fn a_task_that_drops_its_own_group_is_dropped_at_the_end_of_its_turn() {
    type Shelf = Rc<RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>>>;
    virtual_robot().run(async {
        let shelf = Shelf::default();
        let notes = Notes::new();
        let inside = (shelf.clone(), notes.clone());
        let group: Pin<Box<dyn Future<Output = ()>>> = Box::pin(async move {
            let group = task_group(async |group: &Kitchen| {
                let (shelf, notes) = inside;
                group.spawn(works("sibling", notes.clone()));
                group.spawn(async move {
                    let _goodbye = SaysGoodbye("self", notes.clone());
                    drop(shelf.take());
                    notes.add("goes on");
                    pending::<Result<(), String>>().await
                });
                Ok(())
            });
            let _ = group.await;
        });
        shelf.replace(Some(group));
        // Polled where it stands, without being taken out: the task takes it out.
        poll_fn(|cx| {
            let mut group = shelf.take().unwrap();
            assert!(group.as_mut().poll(cx).is_pending());
            shelf.replace(Some(group));
            Poll::Ready(())
        })
        .await;
        sleep(MINUTE).await;
        assert_eq!(notes.all(), ["sibling", "goes on", "self"]);
        assert!(shelf.borrow().is_none());
    });
}

#[test]
fn a_group_that_is_over_takes_no_more_tasks() {
    virtual_robot().run(async {
        let mut kept = None;
        task_group(async |group: &Kitchen| {
            kept = Some(group.clone());
            Ok(())
        })
        .await
        .unwrap();
        let error = spawn(async move { drop(kept.unwrap().spawn_named("late", async { Ok(()) })) })
            .await
            .unwrap_err();
        assert_eq!(
            error.panic_message(),
            Some(
                "late was spawned into a task group that is over: the group's tasks end with it, so spawn it before, or with `loopbot::spawn`"
            )
        );
    });
}

#[test]
fn a_handle_that_is_carried_out_gives_its_output_or_says_why_not() {
    virtual_robot().run(async {
        let soup = task_group(async |group: &Kitchen| Ok(group.spawn(async { Ok("soup") })))
            .await
            .unwrap();
        assert_eq!(soup.await, "soup");

        let lost = RefCell::new(None);
        task_group(async |group: &Kitchen| {
            lost.replace(Some(group.spawn(fails_after(MINUTE))));
            Ok(())
        })
        .await
        .unwrap_err();
        let lost = lost.take().unwrap();
        let error = spawn(lost).await.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("awaited after the group had failed"),
            "{error}"
        );
    });
}

#[test]
fn a_handle_that_is_dropped_half_way_loses_the_output_and_not_the_task() {
    virtual_robot().run(async {
        let notes = Notes::new();
        task_group(async |group: &Kitchen| {
            let done = notes.clone();
            let mut roast = group.spawn(async move {
                sleep(MINUTE * 3).await;
                done.add("roast");
                Ok("roast")
            });
            assert!(timeout(MINUTE, &mut roast).await.is_err());
            assert_eq!(roast.await, "roast");
            let done = notes.clone();
            let pie = group.spawn(async move {
                sleep(MINUTE * 3).await;
                done.add("pie");
                Ok(())
            });
            assert!(timeout(MINUTE, pie).await.is_err());
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(notes.all(), ["roast", "pie"]);
    });
}

#[test]
fn groups_stand_inside_groups() {
    virtual_robot().run(async {
        let notes = Notes::new();
        let error = task_group(async |outer: &Kitchen| {
            let inner = notes.clone();
            outer.spawn_named("a table", async move {
                task_group(async |group: &Kitchen| {
                    group.spawn(works("fish", inner.clone()));
                    group.spawn(works("wine", inner.clone()));
                    Ok(())
                })
                .await
                .map_err(|error| error.to_string())
            });
            outer.spawn_named("oven", fails_after(MINUTE));
            Ok(())
        })
        .await
        .unwrap_err();
        assert_eq!(error.to_string(), "oven failed: the oven is cold");
        assert_eq!(notes.all(), ["fish", "wine"]);
    });
}

#[test]
fn a_long_evening_in_one_group_does_not_pile_up() {
    virtual_robot().run(async {
        task_group(async |group: &Kitchen| {
            for _ in 0..1000 {
                group.spawn(async { Ok(()) }).await;
            }
            assert!(format!("{group:?}").contains("tasks: 0"), "{group:?}");
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn the_end_of_the_loop_ends_groups_as_well() {
    let notes = Notes::new();
    virtual_robot().run(async {
        let party = notes.clone();
        drop(spawn(async move {
            let _ = task_group(async |group: &Kitchen| {
                group.spawn(works("soup", party.clone()));
                group.spawn(works("wine", party.clone()));
                works("body", party.clone()).await
            })
            .await;
        }));
        yield_now().await;
        yield_now().await;
    });
    let mut goodbyes = notes.all();
    goodbyes.sort();
    assert_eq!(goodbyes, ["body", "soup", "wine"]);
}
