//! Channels: what is received in every order of steps, how they end, and how robots get stuck at
//! them.

mod common;

use std::time::Duration;

use common::{both, outcomes, paper, robot, story, texts};
use whatif::sync::mpsc::{
    RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError, channel, sync_channel,
};
use whatif::{Checker, Ending, Report, never, thread};

fn explore(f: impl Fn() + Send + Sync + 'static) -> Report {
    Checker::new("the pass").explore(f)
}

// What is received -----------------------------------------------------------------------------------------------

#[test]
fn messages_of_two_senders_mix_and_each_sender_keeps_its_order() {
    for bound in [None, Some(0), Some(1), Some(4)] {
        let found = outcomes(move || {
            let put = |digits: [u32; 2], send: &dyn Fn(u32)| digits.iter().for_each(|n| send(*n));
            let (robots, plates): (Vec<_>, _) = match bound {
                None => {
                    let (pass, plates) = channel();
                    let other = pass.clone();
                    let a = thread::spawn(move || put([1, 2], &|n| pass.send(n).unwrap()));
                    let b = thread::spawn(move || put([3, 4], &|n| other.send(n).unwrap()));
                    (vec![a, b], plates)
                }
                Some(bound) => {
                    let (pass, plates) = sync_channel(bound);
                    let other = pass.clone();
                    let a = thread::spawn(move || put([1, 2], &|n| pass.send(n).unwrap()));
                    let b = thread::spawn(move || put([3, 4], &|n| other.send(n).unwrap()));
                    (vec![a, b], plates)
                }
            };
            let all: Vec<u32> = plates.iter().collect();
            robots.into_iter().for_each(|robot| robot.join().unwrap());
            all.iter().fold(0, |all, n| all * 10 + n)
        });
        assert_eq!(found, [1234, 1324, 1342, 3124, 3142, 3412].into(), "bound {bound:?}");
    }
}

#[test]
fn try_recv_finds_a_message_or_none_or_the_end() {
    let found = outcomes(|| {
        let (pass, plates) = channel();
        let chef = thread::spawn(move || pass.send(7).unwrap());
        let looks = [plates.try_recv(), plates.try_recv()];
        chef.join().unwrap();
        looks.map(|look| match look {
            Ok(7) => "plate",
            Ok(_) => "?",
            Err(TryRecvError::Empty) => "empty",
            Err(TryRecvError::Disconnected) => "closed",
        })
    });
    let expected =
        [["plate", "empty"], ["plate", "closed"], ["empty", "plate"], ["empty", "empty"]];
    assert_eq!(found, expected.into());
}

#[test]
fn try_recv_can_come_between_two_dropped_senders() {
    // The first sender goes, the second one raises a flag and stays: the end is not there yet.
    let found = outcomes(|| {
        let (pass, plates) = channel::<()>();
        let other = pass.clone();
        let flag = whatif::sync::Arc::new(whatif::sync::Shared::new(0));
        let (a, b) = (flag.clone(), flag.clone());
        let first = thread::spawn(move || {
            drop(pass);
            a.write(|n| *n += 1);
        });
        let second = thread::spawn(move || {
            drop(other);
            b.write(|n| *n += 1);
        });
        let gone = flag.get();
        let closed = plates.try_recv() == Err(TryRecvError::Disconnected);
        first.join().unwrap();
        second.join().unwrap();
        (gone, closed)
    });
    assert_eq!(found, [(0, false), (0, true), (1, false), (1, true), (2, true)].into());
}

#[test]
fn recv_timeout_may_be_too_short_or_not() {
    let found = outcomes(|| {
        let (pass, plates) = channel();
        let chef = thread::spawn(move || pass.send(7).unwrap());
        let first = plates.recv_timeout(Duration::from_millis(1));
        let second = plates.recv_timeout(Duration::from_millis(1));
        chef.join().unwrap();
        (first, second).into_words()
    });
    let (plate, late, closed) = ("plate", "too late", "closed");
    assert_eq!(found, [(plate, late), (plate, closed), (late, plate), (late, late)].into());
}

trait IntoWords {
    fn into_words(self) -> (&'static str, &'static str);
}

impl IntoWords for (Result<i32, RecvTimeoutError>, Result<i32, RecvTimeoutError>) {
    fn into_words(self) -> (&'static str, &'static str) {
        let word = |received| match received {
            Ok(_) => "plate",
            Err(RecvTimeoutError::Timeout) => "too late",
            Err(RecvTimeoutError::Disconnected) => "closed",
        };
        (word(self.0), word(self.1))
    }
}

#[test]
fn a_full_channel_makes_its_sender_wait_and_a_place_lets_it_go_on() {
    // With one place, the sender is never more than one plate ahead.
    let found = outcomes(|| {
        let (pass, plates) = sync_channel(1);
        let sent = whatif::sync::Arc::new(whatif::sync::Shared::new(0));
        let count = sent.clone();
        let chef = thread::spawn(move || {
            for n in 0..3 {
                pass.send(n).unwrap();
                count.write(|sent| *sent += 1);
            }
        });
        plates.recv().unwrap();
        let ahead = sent.get();
        assert_eq!(plates.iter().count(), 2);
        chef.join().unwrap();
        ahead
    });
    assert_eq!(found, [0, 1, 2].into());
}

#[test]
fn a_rendezvous_is_over_when_the_message_has_been_taken() {
    let found = outcomes(|| {
        let (pass, plates) = sync_channel(0);
        let handed_over = whatif::sync::Arc::new(whatif::sync::Shared::new(false));
        let seen = handed_over.clone();
        let chef = thread::spawn(move || {
            pass.send(1).unwrap();
            seen.set(true);
        });
        let before = handed_over.get();
        plates.recv().unwrap();
        let after = handed_over.get();
        chef.join().unwrap();
        (before, after)
    });
    assert_eq!(found, [(false, false), (false, true)].into());
}

#[test]
fn try_send_finds_a_place_or_not() {
    let found = outcomes(|| {
        let (pass, plates) = sync_channel(1);
        let waiter = thread::spawn(move || plates.recv().unwrap());
        pass.send(1).unwrap();
        let second = pass.try_send(2);
        drop(pass);
        waiter.join().unwrap();
        match second {
            Ok(()) => "place",
            Err(TrySendError::Full(2)) => "full",
            Err(TrySendError::Disconnected(2)) => "gone",
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(found, ["full", "gone", "place"].into());
}

#[test]
fn try_send_to_a_rendezvous_needs_somebody_who_waits() {
    let found = outcomes(|| {
        let (pass, plates) = sync_channel(0);
        let waiter = thread::spawn(move || plates.recv().ok());
        let sent = pass.try_send(5).is_ok();
        drop(pass);
        (sent, waiter.join().unwrap())
    });
    assert_eq!(found, [(false, None), (true, Some(5))].into());
}

#[test]
fn a_receiver_that_leaves_gives_back_what_it_did_not_want() {
    for bound in [0, 1] {
        let found = outcomes(move || {
            {
                let (pass, plates) = sync_channel(bound);
                let waiter = thread::spawn(move || drop(plates));
                let sent = [pass.send(5), pass.send(6)];
                waiter.join().unwrap();
                sent
            }
            .map(|sent| sent.map_err(|SendError(plate)| plate))
        });
        let expected = match bound {
            0 => vec![[Err(5), Err(6)]],
            _ => vec![[Err(5), Err(6)], [Ok(()), Err(6)]],
        };
        assert_eq!(found.into_iter().collect::<Vec<_>>(), {
            let mut expected = expected;
            expected.sort();
            expected
        });
    }
}

#[test]
fn send_fails_once_the_receiver_is_gone() {
    let found = outcomes(|| {
        let (pass, plates) = channel();
        let waiter = thread::spawn(move || drop(plates));
        let sent = pass.send("soup").is_ok();
        waiter.join().unwrap();
        sent
    });
    assert_eq!(found, [false, true].into());
}

// Stuck ----------------------------------------------------------------------------------------------------------

#[test]
fn a_loop_over_a_channel_whose_sender_is_still_alive_never_ends() {
    let story = story(explore(|| {
        let (pass, plates) = channel();
        let plates = plates.called("the pass");
        let other = pass.clone();
        drop(robot("ChefBot", move || other.send("soup").unwrap()));
        for _ in plates {}
        drop(pass);
    }));
    assert_eq!((story.ending, story.preemptions), (Ending::Deadlock, 0));
    assert_eq!(
        paper(&story),
        "\
the pass: it can go wrong, and this is the shortest way I found
(1 schedule tried; it takes no preemption)

   step 1    ChefBot      sends to the pass       [tests/channels.rs:N]
   step 2    the evening  receives from the pass  [tests/channels.rs:N]
>> for ever  the evening  waits for a message from the pass: one Sender is
                          still alive, and the evening had it last
                          [tests/channels.rs:N]

   deadlock: the evening waits for a message from the pass, and nobody is left
   to send one
   A channel ends when its last Sender is dropped: then recv returns an error,
   and a loop over the Receiver is over. Is a Sender still alive that nobody
   needs?
"
    );
}

#[test]
fn a_sender_that_went_home_with_its_robot_is_named() {
    let story = story(explore(|| {
        let (pass, plates) = channel::<u8>();
        let plates = plates.called("the pass");
        let chef = robot("ChefBot", move || {
            pass.send(1).unwrap();
            std::mem::forget(pass);
        });
        assert_eq!(plates.iter().count(), 1);
        chef.join().unwrap();
    }));
    let last = &story.lines.last().unwrap().text;
    let had = "waits for a message from the pass: one Sender is still alive, and ChefBot, who has gone home, had it last";
    assert_eq!(last, had);
}

#[test]
fn a_send_to_a_full_channel_that_nobody_empties_is_a_deadlock() {
    let story = story(explore(|| {
        let (pass, plates) = sync_channel(2);
        let plates = plates.called("the pass");
        let chef = robot("ChefBot", move || (0..3).for_each(|n| pass.send(n).unwrap()));
        chef.join().unwrap(); // only then does somebody take the plates
        assert_eq!(plates.iter().count(), 3);
    }));
    assert_eq!(story.ending, Ending::Deadlock);
    assert_eq!(
        story.rule,
        "deadlock: ChefBot waits for a place in the pass, and nobody is left to receive"
    );
    assert_eq!(
        texts(&story),
        ["sends to the pass", "sends to the pass", "waits for a place in the pass, which is full"]
    );
}

#[test]
fn a_rendezvous_to_which_nobody_comes_is_a_deadlock() {
    let story = story(explore(|| {
        let (pass, plates) = sync_channel(0);
        let plates = plates.called("the pass");
        let chef = robot("ChefBot", move || pass.send("soup").unwrap());
        chef.join().unwrap();
        drop(plates);
    }));
    assert_eq!(
        story.rule,
        "deadlock: ChefBot offers a message at the pass, and nobody is left to receive it"
    );
}

#[test]
fn two_robots_that_answer_each_other_first_are_stuck() {
    let story = story(explore(|| {
        let (to_chef, orders) = channel::<u8>();
        let (to_waiter, plates) = channel::<u8>();
        let (orders, plates) = (orders.called("the rail"), plates.called("the pass"));
        both(
            ("ChefBot", move || {
                orders.recv().unwrap();
                to_waiter.send(1).unwrap();
            }),
            ("WaitBot", move || {
                plates.recv().unwrap();
                to_chef.send(1).unwrap();
            }),
        );
    }));
    assert_eq!(story.ending, Ending::Deadlock);
    assert_eq!(story.lines.len(), 2, "{story}");
}

// Elsewhere ------------------------------------------------------------------------------------------------------

#[test]
fn outside_of_a_check_it_is_the_channel_of_std() {
    let (pass, plates) = channel();
    let plates = plates.called("the pass");
    let other = pass.clone();
    thread::spawn(move || (0..100).for_each(|n| other.send(n).unwrap())).join().unwrap();
    assert_eq!(plates.try_iter().sum::<i32>(), 4950);
    assert_eq!(plates.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(plates.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
    pass.send(1).unwrap();
    drop(pass);
    assert_eq!((&plates).into_iter().count(), 1);
    assert_eq!(plates.recv(), Err(RecvError));

    let (pass, plates) = sync_channel(0);
    assert_eq!(pass.try_send(1), Err(TrySendError::Full(1)));
    let chef = thread::spawn(move || (0..3).for_each(|n| pass.send(n).unwrap()));
    assert_eq!(plates.into_iter().collect::<Vec<_>>(), [0, 1, 2]);
    chef.join().unwrap();
    let (pass, plates) = sync_channel(1);
    drop(plates);
    assert_eq!(pass.send(1), Err(SendError(1)));
    assert_eq!(format!("{pass:?}"), "SyncSender { .. }");
}

#[test]
fn in_a_simulation_a_timeout_takes_its_time() {
    let time = flight::VirtualTime::new();
    let clock = time.clone();
    let evening = move || {
        let (pass, plates) = channel();
        let chef = thread::spawn(move || {
            thread::sleep(Duration::from_secs(20));
            pass.send("soup").unwrap();
        });
        assert_eq!(plates.recv_timeout(Duration::from_secs(5)), Err(RecvTimeoutError::Timeout));
        assert_eq!(clock.now(), 5_000_000_000);
        assert_eq!(plates.recv_timeout(Duration::from_secs(60)), Ok("soup"));
        assert_eq!(clock.now(), 20_000_000_000);
        chef.join().unwrap();
    };
    whatif::simulate(1, &time, evening).unwrap();
}

#[test]
fn a_message_that_breaks_a_rule_is_told() {
    let story = story(explore(|| {
        let (pass, plates) = channel();
        let other = pass.clone();
        let robots = [
            robot("ChefBot", move || pass.send("soup").unwrap()),
            robot("WineBot", move || other.send("wine").unwrap()),
        ];
        never("wine comes before the soup", plates.recv() == Ok("wine"));
        robots.into_iter().for_each(|robot| robot.join().unwrap());
    }));
    assert_eq!(story.rule, "wine comes before the soup");
}

#[test]
fn a_channel_from_before_the_run_is_refused_even_by_a_simulation() {
    let (pass, plates) = channel::<u8>();
    pass.send(1).unwrap();
    let evening = move || assert_eq!(plates.recv(), Ok(1));
    let story = whatif::simulate(1, &flight::VirtualTime::new(), evening).unwrap_err();
    assert_eq!(story.ending, Ending::MadeOutside);
}

#[test]
fn a_try_to_hand_over_can_come_right_before_the_receiver_waits() {
    let found = outcomes(|| {
        let (pass, plates) = sync_channel(0);
        let light = whatif::sync::Arc::new(whatif::sync::Shared::new(false));
        let other = light.clone();
        let waiter = thread::spawn(move || {
            other.set(true);
            plates.recv().is_ok()
        });
        let (seen, sent) = (light.get(), pass.try_send(5).is_ok());
        drop(pass);
        assert_eq!(waiter.join().unwrap(), sent);
        (seen, sent)
    });
    assert_eq!(found, [(false, false), (false, true), (true, false), (true, true)].into());
}

#[test]
fn whoever_waits_for_a_sleeper_that_nobody_wakes_is_not_the_plot() {
    let story = story(explore(|| {
        let (pass, plates) = channel();
        let chef = robot("ChefBot", move || {
            thread::park();
            thread::park();
            pass.send("soup").unwrap();
        });
        plates.recv().unwrap();
        chef.join().unwrap();
    }));
    assert_eq!(story.ending, Ending::LostWakeUp);
    assert_eq!(story.rule, "lost wake-up: ChefBot is parked, and nobody is left to unpark it");
}
