//! Every way in which a run can end is found, and told; and what is right is proved.

mod common;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use common::{both, careful, careless, paper, proved, robot, story};
use whatif::sync::{Arc, Condvar, Mutex, Shared};
use whatif::{Checker, Ending, Line, Outcome, Story, never, say, step, thread};

fn explore(f: impl Fn() + Send + Sync + 'static) -> whatif::Report {
    Checker::new("the test").explore(f)
}

// A broken rule --------------------------------------------------------------------------------------------------

#[test]
fn check_then_act_is_found_and_told() {
    let story = story(explore(careless));
    assert_eq!((story.ending, story.preemptions), (Ending::RuleBroken, 1));
    assert_eq!(story.rule, common::CLASH);
    assert_eq!(
        paper(&story),
        "\
the test: it can go wrong, and this is the shortest way I found
(11 schedules tried; it takes 1 preemption)

>> step 1  WaitBot-1  sees table 2 free                [tests/common/mod.rs:N]
   step 2  WaitBot-1  starts clearing table 2          [tests/common/mod.rs:N]
   step 3  GreetBot   sees table 2 free                [tests/common/mod.rs:N]
>> step 4  GreetBot   seats the Chen party at table 2  [tests/common/mod.rs:N]

   rule broken: a party sits at a table that is being cleared
"
    );
}

#[test]
fn check_and_act_under_one_lock_is_proved() {
    proved(&explore(careful));
}

#[test]
fn a_nap_is_not_a_lock() {
    let nap = || thread::sleep(Duration::from_millis(5));
    let story = story(explore(move || {
        let table = Arc::new(common::Table::default());
        let other = Arc::clone(&table);
        both(
            ("GreetBot", move || {
                nap();
                if table.is_free() {
                    nap();
                    table.seat();
                }
            }),
            ("WaitBot-1", move || {
                if other.is_free() {
                    nap();
                    other.clear();
                }
            }),
        );
    }));
    assert_eq!((story.rule.as_str(), story.preemptions), (common::CLASH, 0), "{story}");
}

#[test]
fn where_the_robots_say_nothing_the_accesses_tell_the_story() {
    let story = story(explore(|| {
        let jar = Arc::new(Shared::new(0).called("the tip jar"));
        let (a, b) = (Arc::clone(&jar), Arc::clone(&jar));
        both(("GreetBot", move || a.set(a.get() + 1)), ("WaitBot-1", move || b.set(b.get() + 1)));
        never("a tip is lost", jar.get() != 2);
    }));
    assert_eq!(
        paper(&story),
        "\
the test: it can go wrong, and this is the shortest way I found
(4 schedules tried; it takes 1 preemption)

>> step 1  GreetBot     reads the tip jar   [tests/ends.rs:N]
   step 2  WaitBot-1    reads the tip jar   [tests/ends.rs:N]
>> step 3  WaitBot-1    writes the tip jar  [tests/ends.rs:N]
>> step 4  GreetBot     writes the tip jar  [tests/ends.rs:N]
   step 5  the evening  reads the tip jar   [tests/ends.rs:N]

   rule broken: a tip is lost
"
    );
}

// Standing still -------------------------------------------------------------------------------------------------

fn keys(orders: &'static [[usize; 2]]) -> impl Fn() + Send + Sync + 'static {
    let names = ["the cellar key", "the till key", "the door key"];
    move || {
        let keys = Arc::new(names.map(|name| Mutex::new(()).called(name)));
        let robots: Vec<_> = orders
            .iter()
            .zip(["GreetBot", "WineBot", "ChefBot"])
            .map(|([first, second], name)| {
                let keys = Arc::clone(&keys);
                robot(name, move || {
                    let _first = keys[*first].lock().unwrap();
                    let _second = keys[*second].lock().unwrap();
                    say("has both keys");
                })
            })
            .collect();
        robots.into_iter().for_each(|robot| robot.join().unwrap());
    }
}

#[test]
fn two_keys_in_opposite_order_are_a_deadlock() {
    let story = story(explore(keys(&[[0, 1], [1, 0]])));
    assert_eq!((story.ending, story.preemptions), (Ending::Deadlock, 1));
    assert_eq!(
        paper(&story),
        "\
the test: it can go wrong, and this is the shortest way I found
(4 schedules tried; it takes 1 preemption)

>> step 1    GreetBot  takes the cellar key                     […/ends.rs:N]
>> step 2    WineBot   takes the till key                       […/ends.rs:N]
>> for ever  GreetBot  waits for the till key, held by WineBot  […/ends.rs:N]
>> for ever  WineBot   waits for the cellar key, held by GreetBot
                       [tests/ends.rs:N]

   deadlock: GreetBot and WineBot wait for each other
"
    );
}

#[test]
fn two_keys_in_the_same_order_are_proved() {
    proved(&explore(keys(&[[0, 1], [0, 1]])));
}

#[test]
fn a_ring_of_three_is_a_deadlock() {
    let story = story(explore(keys(&[[0, 1], [1, 2], [2, 0]])));
    assert_eq!(
        story.rule,
        "deadlock: GreetBot waits for WineBot, WineBot for ChefBot, and ChefBot for GreetBot"
    );
    assert_eq!(story.lines.len(), 6, "{story}");
}

#[test]
fn a_lock_taken_twice_waits_for_itself() {
    let story = story(explore(|| {
        let pass = Arc::new(Mutex::new(0).called("the pass"));
        robot("ChefBot", move || {
            let _plate = pass.lock().unwrap();
            *pass.lock().unwrap() += 1;
        })
        .join()
        .unwrap();
    }));
    assert_eq!(story.ending, Ending::LockedTwice);
    assert_eq!(story.rule, "deadlock: ChefBot asks for the pass, which it holds already");
    assert_eq!(story.lines[0].text, "takes the pass");
}

#[test]
fn a_lock_taken_home_is_named() {
    let story = story(explore(|| {
        let key = Arc::new(Mutex::new(()).called("the key"));
        let other = Arc::clone(&key);
        both(
            ("GreetBot", move || std::mem::forget(key.lock())),
            ("WaitBot-1", move || drop(other.lock())),
        );
    }));
    assert_eq!(story.ending, Ending::Deadlock);
    assert_eq!(
        story.lines[1].text,
        "waits for the key, which GreetBot took home without giving it back"
    );
}

#[test]
fn a_ring_that_nobody_hears_is_a_lost_wake_up() {
    let story = story(explore(|| {
        let ready =
            Arc::new((Mutex::new(false).called("the pass"), Condvar::new().called("the bell")));
        let other = Arc::clone(&ready);
        both(
            ("ChefBot", move || {
                *ready.0.lock().unwrap() = true;
                ready.1.notify_one();
            }),
            ("WaitBot-1", move || {
                let is_ready = *other.0.lock().unwrap(); // looks, gives the lock back, ...
                if !is_ready {
                    drop(other.1.wait(other.0.lock().unwrap())); // ... and then sleeps
                }
            }),
        );
    }));
    assert_eq!((story.ending, story.preemptions), (Ending::LostWakeUp, 1));
    assert_eq!(
        paper(&story),
        "\
the test: it can go wrong, and this is the shortest way I found
(6 schedules tried; it takes 1 preemption)

>> step 1    WaitBot-1  takes the pass             [tests/ends.rs:N]
>> step 2    ChefBot    rings the bell, but nobody sleeps there
                        [tests/ends.rs:N]
>> step 3    WaitBot-1  goes to sleep at the bell  [tests/ends.rs:N]
>> for ever  WaitBot-1  sleeps at the bell         [tests/ends.rs:N]

   lost wake-up: WaitBot-1 sleeps at the bell, and nobody is left to ring it
"
    );
}

fn waiting(look_again: bool) -> impl Fn() + Send + Sync + 'static {
    move || {
        let plates = Arc::new((Mutex::new(0), Condvar::new().called("the bell")));
        let other = Arc::clone(&plates);
        both(
            ("ChefBot", move || {
                *plates.0.lock().unwrap() += 1;
                say("puts a plate on the pass");
                plates.1.notify_one();
            }),
            ("WaitBot-1", move || {
                let mut plates = other.0.lock().unwrap();
                if look_again {
                    plates = other.1.wait_while(plates, |plates| *plates == 0).unwrap();
                } else if *plates == 0 {
                    plates = other.1.wait(plates).unwrap();
                }
                say("takes a plate");
                never("a robot takes a plate that is not there", *plates == 0);
                *plates -= 1;
            }),
        );
    }
}

#[test]
fn if_instead_of_while_around_a_wait_is_found() {
    let story = story(explore(waiting(false)));
    assert_eq!(story.rule, "a robot takes a plate that is not there");
    let texts: Vec<&str> = story.lines.iter().map(|line| line.text.as_str()).collect();
    let woke = "wakes up at the bell, although nobody rang";
    assert_eq!(texts, [woke, "takes a plate"], "{story}");
}

#[test]
fn looking_again_after_every_ring_is_proved() {
    proved(&explore(waiting(true)));
}

// Moving without getting anywhere --------------------------------------------------------------------------------

fn polite(both_polite: bool) -> impl Fn() + Send + Sync + 'static {
    move || {
        let at_the_door = Arc::new([Shared::new(false), Shared::new(false)]);
        let pass = |me: usize, polite: bool| {
            let at_the_door = Arc::clone(&at_the_door);
            move || loop {
                at_the_door[me].set(true);
                step("goes to the door");
                if !at_the_door[1 - me].get() {
                    break;
                }
                if polite {
                    at_the_door[me].set(false);
                    step("steps back: after you");
                }
            }
        };
        let leave = |me: usize| {
            let at_the_door = Arc::clone(&at_the_door);
            move || at_the_door[me].set(false)
        };
        let (a, b, leave_a, leave_b) = (pass(0, true), pass(1, both_polite), leave(0), leave(1));
        both(
            ("GreetBot", move || {
                a();
                leave_a();
            }),
            ("WaitBot-1", move || {
                b();
                leave_b();
            }),
        );
    }
}

#[test]
fn two_polite_robots_get_nowhere() {
    let story = story(explore(polite(true)));
    assert_eq!(story.ending, Ending::NobodyGetsAnywhere);
    assert_eq!(story.id, "in-turn");
    let rounds = |line: &Line| line.text.ends_with("steps back: after you (and so on, 200 rounds)");
    assert!(story.lines.len() <= 8 && story.lines.iter().any(rounds), "{story}");
    assert!(story.to_string().contains("\n(everybody moved one step in turn)\n"), "{story}");
    assert!(story.lines.iter().any(|line| line.text == "steps back: after you"), "{story}");
}

#[test]
fn one_polite_robot_is_enough() {
    let report = Checker::new("the test").max_preemptions(2).explore(polite(false));
    assert!(
        matches!(
            report.outcome,
            Outcome::Proved { .. } | Outcome::Bounded { preemptions: Some(2), .. }
        ),
        "{report}"
    );
}

#[test]
fn robots_that_wait_for_each_other_in_loops_are_not_said_to_be_preempted() {
    let story = story(explore(|| {
        let came = Arc::new(Shared::new(0).called("the list"));
        let robot = |walk: usize, think: usize| {
            let came = Arc::clone(&came);
            move || {
                (0..walk).for_each(|_| step("walks"));
                let others = came.get();
                (0..think).for_each(|_| step("thinks"));
                came.set(others + 1); // one of the two may be forgotten
                while came.get() != 2 {
                    step("waits");
                }
            }
        };
        both(("GreetBot", robot(0, 1)), ("WaitBot-1", robot(4, 0)));
    }));
    assert_eq!(story.ending, Ending::NobodyGetsAnywhere);
    let says = "it takes 1 preemption, and whoever goes round in a loop lets the others go on)";
    let text = story.to_string().replace('\n', " ");
    assert!(text.contains(says), "{story}");
}

fn spinning(ends: bool) -> impl Fn() + Send + Sync + 'static {
    move || {
        let ready = Arc::new(Shared::new(false).called("the light"));
        let other = Arc::clone(&ready);
        both(("WaitBot-1", move || while !ready.get() {}), ("ChefBot", move || other.set(ends)));
    }
}

#[test]
fn waiting_in_a_loop_for_what_never_comes_gets_nowhere() {
    let story = story(explore(spinning(false)));
    assert_eq!(story.ending, Ending::NobodyGetsAnywhere);
    assert!(story.lines.iter().any(|line| line.text.starts_with("reads the light (")), "{story}");
}

#[test]
fn waiting_in_a_loop_for_what_does_come_is_fine() {
    let report = Checker::new("the test").max_preemptions(3).explore(spinning(true));
    assert!(matches!(report.outcome, Outcome::Bounded { preemptions: Some(3), .. }), "{report}");
}

// Breaking down --------------------------------------------------------------------------------------------------

#[test]
fn a_panic_is_told_with_what_came_before_it() {
    let story = story(explore(|| {
        let orders = Arc::new(Mutex::new(vec!["soup"]));
        let other = Arc::clone(&orders);
        let take = |orders: Arc<Mutex<Vec<&str>>>| {
            let n = orders.lock().unwrap().len();
            let dish = orders.lock().unwrap().remove(n - 1);
            say(format!("takes the order: {dish}"));
        };
        // The other robot unwraps a lock that a panic could have poisoned: that must not become the
        // story.
        both(
            ("WaitBot-1", move || take(orders)),
            ("WaitBot-2", move || {
                if !other.lock().unwrap().is_empty() {
                    take(other);
                }
            }),
        );
    }));
    assert_eq!(story.ending, Ending::BrokeDown);
    assert!(story.rule.starts_with("WaitBot-"), "{story}");
    assert!(story.rule.contains(" breaks down: "), "{story}");
    assert!(story.rule.contains("[tests/ends.rs:"), "{story}");
    assert!(!story.rule.contains("oison"), "{story}");
}

#[test]
fn a_failed_assertion_in_the_check_itself_is_told_in_one_line() {
    let story = story(explore(|| assert_eq!(1 + 1, 3, "tips")));
    let said = "the evening breaks down: assertion `left == right` failed: tips; left: 2; right: 3";
    assert!(story.rule.starts_with(said), "{story}");
}

#[test]
fn a_todo_is_not_a_failure_but_an_invitation() {
    let story = story(explore(|| todo!("hold the lock from the look to the deed")));
    assert_eq!(story.ending, Ending::NotWritten);
    assert_eq!(
        paper(&story),
        "the test: not ready to be checked\n\n   not written yet: hold the lock from the look to the deed [tests/ends.rs:N]\n"
    );
}

#[test]
fn a_panic_among_scoped_robots_does_not_hang() {
    let story = story(explore(|| {
        let key = Mutex::new(0);
        thread::scope(|scope| {
            let _key = key.lock().unwrap();
            scope.spawn(|| *key.lock().unwrap() += 1);
            panic!("the lights go out");
        });
    }));
    assert_eq!(story.ending, Ending::BrokeDown);
    assert!(story.rule.contains("the lights go out"), "{story}");
}

// What cannot be checked -----------------------------------------------------------------------------------------

#[test]
fn a_static_that_changes_what_robots_do_is_noticed() {
    static EVENINGS: AtomicU32 = AtomicU32::new(0);
    let story = story(explore(|| {
        let table = Arc::new(Shared::new(0));
        let other = Arc::clone(&table);
        let odd = EVENINGS.fetch_add(1, Ordering::Relaxed) % 2 == 1;
        both(
            ("GreetBot", move || {
                if odd {
                    table.get();
                }
                table.set(1);
            }),
            ("WaitBot-1", move || other.set(2)),
        );
    }));
    assert_eq!(story.ending, Ending::DifferentSteps);
    assert!(story.advice.as_ref().unwrap().contains("Is there a static, a clock"), "{story}");
}

#[test]
fn a_thread_of_plain_std_is_a_stranger() {
    let story = story(explore(|| {
        let table = Arc::new(Mutex::new(0).called("table 2"));
        let other = Arc::clone(&table);
        let stranger = std::thread::spawn(move || *other.lock().unwrap() += 1);
        let _ = stranger.join();
        *table.lock().unwrap() += 1;
    }));
    assert_eq!(story.ending, Ending::Stranger);
    assert!(
        story.rule.starts_with("a robot that the check does not know touches table 2"),
        "{story}"
    );
    assert!(story.to_string().contains("std::thread::spawn"), "{story}");
}

#[test]
fn a_thing_from_outside_the_run_is_refused() {
    let table = Arc::new(Mutex::new(0).called("table 2"));
    let story = story(explore(move || *table.lock().unwrap() += 1));
    assert_eq!(story.ending, Ending::MadeOutside);
    assert!(
        story.rule.starts_with("the evening touches table 2, which was there before the run began"),
        "{story}"
    );
}

#[test]
fn a_step_inside_of_a_step_is_refused() {
    let story = story(explore(|| {
        let (a, b) = (Shared::new(1), Shared::new(2));
        a.write(|a| *a += b.get());
    }));
    assert_eq!(story.ending, Ending::Misuse);
    assert!(
        story.rule.starts_with("the evening tries to stop in the middle of one step"),
        "{story}"
    );
}

#[test]
fn robots_that_never_meet_prove_nothing() {
    let apart = || {
        both(
            ("GreetBot", || *Mutex::new(0).lock().unwrap() += 1),
            ("WaitBot-1", || step("polishes a glass")),
        );
    };
    let story = story(explore(apart));
    assert_eq!(story.ending, Ending::NeverMet);
    proved(&Checker::new("the test").shares_nothing().explore(apart));
}

#[test]
fn robots_behind_a_plain_std_mutex_never_meet() {
    let story = story(explore(|| {
        let tips = Arc::new(std::sync::Mutex::new(0));
        let other = Arc::clone(&tips);
        both(
            ("GreetBot", move || *tips.lock().unwrap() += 1),
            ("WaitBot-1", move || *other.lock().unwrap() += 1),
        );
    }));
    assert_eq!(story.ending, Ending::NeverMet);
}

#[test]
#[should_panic(expected = "a check inside a check")]
fn a_check_inside_a_check_is_refused() {
    let story = story(explore(|| whatif::check("inner", || ())));
    panic!("{}", story.rule);
}

// Robots and their threads ---------------------------------------------------------------------------------------

#[test]
fn a_robot_that_nobody_waits_for_is_part_of_the_run() {
    let story = story(explore(|| {
        let light = Arc::new(Shared::new(false));
        let other = Arc::clone(&light);
        drop(robot("WaitBot-1", move || other.set(true)));
        drop(robot("GreetBot", move || never("the light is on", light.get())));
    }));
    assert_eq!(story.rule, "the light is on");
}

#[test]
fn a_lock_given_back_is_seen_by_one_who_only_tries() {
    // Without a stop before the lock is given back, nobody could ever find it held.
    let explore = || {
        explore(|| {
            let key = Arc::new(Mutex::new(()).called("the key"));
            let other = Arc::clone(&key);
            both(
                ("GreetBot", move || drop(key.lock().unwrap())),
                ("WaitBot-1", move || {
                    never("the key is not there", other.try_lock().is_err());
                }),
            );
        })
    };
    let story = story(explore());
    assert_eq!(story.rule, "the key is not there");
    assert!(story.id.starts_with("u-"), "{}", story.id);
}

#[test]
fn two_robots_of_one_name_are_told_apart() {
    let story = story(explore(|| both(("WaitBot", || ()), ("WaitBot", || panic!("trips")))));
    assert!(story.rule.starts_with("WaitBot (2) breaks down: trips"), "{story}");
}

// Sentences ------------------------------------------------------------------------------------------------------

#[test]
fn a_proof_says_how_many_schedules_it_covers() {
    assert_eq!(
        explore(careful).to_string(),
        "the test: 2 schedules cover every order of steps, and none goes wrong"
    );
}

#[test]
fn a_search_that_stops_early_says_how_far_it_got() {
    let writes = || {
        let cell = Arc::new(Shared::new(0));
        let other = Arc::clone(&cell);
        let thrice = |cell: &Shared<i32>| (0..3).for_each(|n| cell.set(n));
        both(("GreetBot", move || thrice(&cell)), ("WaitBot-1", move || thrice(&other)));
    };
    assert_eq!(
        Checker::new("the test").max_preemptions(1).explore(writes).to_string(),
        "the test: all schedules with at most 1 preemption go well; that is no proof"
    );
    assert_eq!(
        Checker::new("the test").max_runs(1).explore(writes).to_string(),
        "the test: 1 schedule goes well, and there are more; that is no proof"
    );
}

#[test]
fn a_story_fits_a_page_whatever_the_robots_say() {
    let story = story(explore(|| {
        let name = "WaitBot-of-the-Great-Northern-Railway-Hotel";
        robot(name, || {
            for i in 0..100 {
                step(format!("carries plate number {i} all the way from the kitchen, past the bar, to table {i}"));
            }
            never("a plate is cold", true);
        })
        .join()
        .unwrap();
    }));
    assert_eq!((story.lines.len(), story.left_out), (24, 76));
    assert_eq!(story.lines[23].step, Some(100));
    for line in story.to_string().lines() {
        assert!(line.chars().count() <= 90, "{line}");
    }
}

#[test]
fn what_is_left_out_is_counted_in_steps() {
    let story = story(explore(|| {
        (0..50).for_each(|_| step("polishes a glass")); // one line
        (0..30).for_each(|n| step(format!("carries plate {n}")));
        never("a plate is cold", true);
    }));
    assert_eq!((story.left_out, story.lines[0].step), (56, Some(57)));
    assert!(story.to_string().contains("(56 steps before that)"), "{story}");
}

#[test]
fn to_the_end_takes_only_a_proof() {
    let to_the_end = |runs| Checker::new("the test").max_runs(runs).to_the_end();
    proved(&to_the_end(2).explore(careful));
    let story = story(to_the_end(1).explore(careful));
    assert_eq!(story.ending, Ending::TooManyOrders);
    assert_eq!(
        story.to_string(),
        "\
the test: nothing has gone wrong, and nothing is proved

   there are too many orders of steps to try them all: 1 schedule went well,
   and there are more
   Do your robots go round in a loop? Each round is one more order to try. A
   lock waits better than `try_lock` in a loop; and a bell, a message or a join
   waits better than `yield_now`, a nap or a timeout in one.
"
    );
}

#[test]
fn a_search_without_end_keeps_no_more_than_it_can_run() {
    // 2,000 steps with a choice at each: far more schedules than anybody could run, or hold in
    // memory.
    let report = Checker::new("the test").max_runs(20).explore(|| {
        let cell = Arc::new(Shared::new(0));
        let other = Arc::clone(&cell);
        let count = |cell: &Shared<i32>| (0..900).for_each(|n| cell.set(n));
        both(("GreetBot", move || count(&cell)), ("WaitBot-1", move || count(&other)));
    });
    assert!(matches!(report.outcome, Outcome::Bounded { runs: 20, .. }), "{report}");
}

#[test]
fn a_budget_that_ends_in_the_middle_of_a_level_does_not_count_that_level() {
    // Two robots with two steps each have 6 orders: 2 without preemptions, 2 with one, 2 with two.
    for (runs, preemptions) in [(1, None), (2, Some(0)), (3, Some(0)), (4, Some(1)), (5, Some(1))] {
        let report = Checker::new("the test").max_runs(runs).explore(|| {
            let cell = Arc::new(Shared::new(0));
            let other = Arc::clone(&cell);
            let twice = |cell: &Shared<i32>| (0..2).for_each(|n| cell.set(n));
            both(("GreetBot", move || twice(&cell)), ("WaitBot-1", move || twice(&other)));
        });
        let Outcome::Bounded { runs: ran, preemptions: up_to, .. } = report.outcome else {
            panic!("{report}")
        };
        assert_eq!((ran, up_to), (runs, preemptions), "{report}");
    }
}

#[test]
fn whoever_has_waited_for_another_robot_can_be_overtaken_for_free() {
    // GreetBot is done, and both the evening and WaitBot-1 could go on: nobody is interrupted if
    // WaitBot-1 does.
    let story = story(explore(|| {
        let (door, light) = (Arc::new(Shared::new(false)), Arc::new(Shared::new(false)));
        let (opens, looks, lights) = (Arc::clone(&door), door, Arc::clone(&light));
        let greetbot = robot("GreetBot", move || opens.set(true));
        let waitbot = robot("WaitBot-1", move || {
            if looks.get() {
                lights.set(true);
            }
        });
        greetbot.join().unwrap();
        never("the light is on already", light.get());
        waitbot.join().unwrap();
    }));
    assert_eq!((story.rule.as_str(), story.preemptions), ("the light is on already", 0), "{story}");
}

#[test]
fn robots_do_not_meet_through_the_one_who_looks_at_the_result() {
    let story = story(explore(|| {
        let jars = [Arc::new(Shared::new(0)), Arc::new(Shared::new(0))];
        let [a, b] = jars.clone();
        both(("GreetBot", move || a.set(1)), ("WaitBot-1", move || b.set(1)));
        assert_eq!(jars.map(|jar| jar.get()), [1, 1]);
    }));
    assert_eq!(story.ending, Ending::NeverMet);
}

#[derive(Default)]
struct Dormitory {
    asleep: usize,
    rung: bool,
    first: Option<usize>,
}

#[test]
fn notify_one_may_wake_any_sleeper() {
    let story = story(explore(|| {
        let shared = Arc::new((Mutex::new(Dormitory::default()), Condvar::new()));
        let waiter = |id: usize| {
            let shared = Arc::clone(&shared);
            move || {
                let mut beds = shared.0.lock().unwrap();
                if beds.asleep == id && !beds.rung {
                    beds.asleep += 1; // the second one comes only when the first one sleeps
                    beds = shared.1.wait_while(beds, |beds| !beds.rung).unwrap();
                    let first = *beds.first.get_or_insert(id);
                    never("the second sleeper wakes first", first == 1);
                }
            }
        };
        let robots = [robot("WaitBot-1", waiter(0)), robot("WaitBot-2", waiter(1))];
        thread::yield_now();
        let mut beds = shared.0.lock().unwrap();
        beds.rung = true;
        if beds.asleep == 2 {
            shared.1.notify_one();
        }
        drop(beds);
        thread::yield_now();
        shared.1.notify_all();
        robots.into_iter().for_each(|robot| robot.join().unwrap());
    }));
    assert_eq!(story.rule, "the second sleeper wakes first", "{story}");
    // Nobody has to be interrupted, and nobody to wake up unasked.
    assert_eq!(story.preemptions, 0, "{story}");
}

#[test]
fn a_sleeper_that_was_woken_waits_for_the_lock_and_not_for_the_bell() {
    let story = story(explore(|| {
        let pass = Arc::new((Mutex::new(false).called("the pass"), Condvar::new()));
        let other = Arc::clone(&pass);
        both(
            ("WaitBot-1", move || {
                drop(pass.1.wait_while(pass.0.lock().unwrap(), |ready| !*ready));
            }),
            ("ChefBot", move || {
                let mut ready = other.0.lock().unwrap();
                *ready = true;
                other.1.notify_one();
                std::mem::forget(ready);
            }),
        );
    }));
    assert_eq!(story.ending, Ending::Deadlock, "{story}");
    let why = "waits for the pass, which ChefBot took home without giving it back";
    assert!(story.lines.iter().any(|line| line.text.contains(why)), "{story}");
}

#[test]
fn whoever_has_let_the_others_go_first_is_next_when_they_have_moved() {
    let story = story(explore(|| {
        let light = Arc::new(Shared::new(false));
        let other = Arc::clone(&light);
        let robots = [
            robot("GreetBot", move || {
                step("greets");
                thread::yield_now();
                never("the light is on", light.get());
            }),
            robot("WaitBot-1", move || {
                step("waits");
                thread::yield_now();
                other.set(true);
            }),
            robot("ChefBot", || step("cooks")),
        ];
        robots.into_iter().for_each(|robot| robot.join().unwrap());
    }));
    assert_eq!((story.rule.as_str(), story.preemptions), ("the light is on", 0), "{story}");
}

#[test]
fn more_robots_than_letters_are_refused() {
    let story =
        story(explore(|| (0..40).for_each(|_| drop(thread::spawn(|| step("stands about"))))));
    assert_eq!(story.ending, Ending::Misuse);
    assert!(story.rule.starts_with("more than 26 robots"), "{story}");
}

#[test]
fn a_value_that_takes_a_lock_when_it_is_dropped_does_not_keep_its_robot_from_going_home() {
    struct Tray(Arc<Mutex<u32>>);
    impl Drop for Tray {
        fn drop(&mut self) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let explore = |broken: bool| {
        explore(move || {
            let trays = Arc::new(Mutex::new(0));
            let (a, b) = (Arc::clone(&trays), Arc::clone(&trays));
            // Nobody joins: the robot itself drops the tray.
            drop(thread::spawn(move || {
                step("carries a tray");
                Tray(a)
            }));
            drop(thread::spawn(move || {
                let _tray = Tray(b);
                never("a tray falls", broken);
            }));
        })
    };
    proved(&explore(false));
    assert_eq!(story(explore(true)).rule, "a tray falls");
}

// Whom to blame ---------------------------------------------------------------------------------------------------

/// Three robots try, and the one who has the lock needs thirty turns to come to the end. Dice may not
/// give it as many, and nobody is to blame for that.
#[test]
fn a_loop_that_an_unfair_order_keeps_going_is_not_said_to_get_nowhere() {
    let tries = || {
        let rack = Arc::new(Mutex::new(6));
        let robot = |name: &str| thread::Builder::new().name(name.to_owned());
        let other = Arc::clone(&rack);
        let holds = move || {
            let _bottles = other.lock().unwrap();
            (0..30).for_each(|_| step("counts"));
        };
        let mut robots = vec![robot("WineBot").spawn(holds).unwrap()];
        for name in ["GreetBot", "WaitBot", "ChefBot"] {
            let rack = Arc::clone(&rack);
            robots.push(robot(name).spawn(move || while rack.try_lock().is_err() {}).unwrap());
        }
        robots.into_iter().for_each(|it| it.join().unwrap());
    };
    let report = Checker::new("the test").max_steps(150).random(50, 1).explore(tries);
    let Outcome::Random { runs } = report.outcome else { panic!("{report}") };
    assert!(runs < 50, "some of them came to no end, and are not said to have gone well: {runs}");
}

#[test]
fn two_things_made_in_one_line_have_two_names() {
    let story = story(explore(|| {
        let racks = Arc::new([(); 2].map(|()| Mutex::new(0)));
        let other = Arc::clone(&racks);
        both(
            ("WineBot", move || drop((racks[0].lock().unwrap(), racks[1].lock().unwrap()))),
            ("GreetBot", move || drop((other[1].lock().unwrap(), other[0].lock().unwrap()))),
        );
    }));
    let text = story.to_string();
    for name in ["takes the first Mutex made at", "takes the second Mutex made at"] {
        assert!(text.contains(name), "{text}");
    }
}

// On paper -------------------------------------------------------------------------------------------------------

#[test]
fn a_story_fits_a_terminal_of_80_columns_whatever_its_robots_are_called_and_do() {
    let story = story(explore(|| {
        let name = "the robot that stands at the second door from the left";
        let robot = thread::Builder::new().name(name.into()).spawn(|| {
            step("says a word that is longer than a line: ".to_owned() + &"x".repeat(100));
            step("tells two\nlines");
            step("sees room for plate 17, which has been on the pass");
            never(&"a rule of many words ".repeat(12), true);
        });
        step("looks on");
        robot.unwrap().join().unwrap();
    }));
    for line in story.to_string().lines() {
        assert!(line.chars().count() <= Story::WIDTH, "{line}\nin\n{story}");
    }
}

#[test]
fn the_command_that_plays_it_again_is_in_one_piece() {
    let mut story = story(explore(careless));
    let short = "WHATIF_REPLAY=1c cargo test -p exercise-03 a_test";
    story.play_again = Some(short.to_owned());
    assert!(story.to_string().ends_with(&format!("\n   To play it again:  {short}")), "{story}");
    let long = format!("{short}_with_a_very_long_name");
    story.play_again = Some(long.clone());
    assert!(story.to_string().ends_with(&format!("\n   To play it again:\n   {long}")), "{story}");
}
