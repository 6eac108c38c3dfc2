//! Who held LoopBot? Your three functions read records, and the tests know what happened.
//!
//! Most records are made here by a LoopBot, on a clock that only moves when somebody moves it: whoever talks for
//! a minute moves it by a minute. Some are made up by hand, entry by entry.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::future::poll_fn;
use std::io::Write as _;
use std::panic::{catch_unwind, resume_unwind};
use std::pin::pin;
use std::process::exit;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::task::Poll as Answer;
use std::thread;
use std::time::Duration;

use exercise_18::{LateTimer, Poll, late_timers, long_polls, polls};
use flight::{
    ActorKind, Entry, Event, Header, Lane, Recorder, Recording, Source, Task, VirtualTime,
};
use loopbot::{
    Clock, JoinHandle, LoopBot, sleep_until, spawn_named, timeout, with_lane, yield_now,
};

/// How long one test may take until we say that it hangs. It takes far less than a second.
const PATIENCE: Duration = Duration::from_secs(5);
/// The exit code of a program that noticed that it does not end; `cargo course check` knows it.
const DID_NOT_END: i32 = 124;
const FIRST_HINT: &str = "Two loops write into one record, and their entries are mixed. You have found a `PollEnd`. Which `PollBegin` does it belong to?";

/// One test, so that you read one message: about the first promise that is not kept.
#[test]
fn the_record_tells_who_held_loopbot() {
    keeps("every poll has a beginning and an end", an_evening);
    keeps("a poll that is not over lasts until now", not_over_yet);
    keeps("every loop has a lane of its own", two_loops);
    keeps("a loop that is held writes nothing", held_ones);
    keeps("what has lost its beginning is left out", a_short_memory);
    keeps("what has lost its end is left out", a_gap);
    keeps("polls over the limit are found", long_ones);
    keeps("each poll is measured by itself", many_short_ones);
    keeps("a late timer, and who held LoopBot", the_souffle_falls);
    keeps("a timer in time is all right", in_time);
    keeps("a timer that never fired is not late", not_needed);
    keeps("whoever held it longest is named", one_after_the_other);
    keeps("a crowd of short polls makes late as well", a_crowd);
    keeps("one task can be made to wait twice", twice);
    keeps("who waits can be the one who holds", her_own_timer);
    keeps("who panicked has held LoopBot, too", a_panic);
    keeps("it was nobody", the_machine_was_busy);
    keeps("timers have numbers of their own on each lane", two_clocks);
    keeps("a timer may be older than the record", an_old_timer);
    keeps("a record may have nothing in it", nothing_at_all);
    keeps("on any other evening", made_up_by_dice);
}

fn an_evening() {
    let record = played(async |house| {
        let souffle = house.waits("the soufflé", 13);
        let silva = house.in_parts("Mr. Silva", 4, 2, 8);
        silva.await.expect("he does not panic");
        souffle.await.expect("it does not panic");
    });
    let right = [
        "LoopBot: main from 0 to 0",
        "LoopBot: the soufflé from 0 to 0",
        "LoopBot: Mr. Silva from 0 to 0",
        "LoopBot: Mr. Silva from 4 min to 12 min",
        "LoopBot: Mr. Silva from 12 min to 20 min",
        "LoopBot: main from 20 min to 20 min",
        "LoopBot: the soufflé from 20 min to 20 min",
        "LoopBot: main from 20 min to 20 min",
    ];
    record.expect_polls(
        &right,
        "Every `PollBegin` is a poll of its own, also if it takes no time, and also if the same task had LoopBot right before",
    );
}

fn not_over_yet() {
    // Somebody looks at the record while LoopBot is held.
    let so_far = RefCell::new(None);
    played(async |house| {
        sleep_until(minutes(4)).await;
        house.time.advance(minutes(10));
        with_lane(|lane| lane.mark("watchdog", "LoopBot is still in one poll of main", 0));
        so_far.replace(Some(house.recorder.recording()));
    });
    let record = Record(so_far.take().expect("somebody has looked"));
    record.expect_polls(
        &["LoopBot: main from 0 to 0", "LoopBot: main from 4 min to 14 min"],
        "The house stands still, and somebody looks at the record. The poll that matters has no end yet, so it lasts until the \
         last entry. If you leave it out, you find whoever held LoopBot as soon as it no longer matters",
    );
}

fn two_loops() {
    let mut evening = MadeUp::new(2);
    evening.at(0).begin(0, "the soup");
    evening.at(2).begin(1, "the fish");
    evening.at(5).end(0, "the soup");
    evening.at(6).begin(0, "the cake");
    evening.at(11).end(0, "the cake");
    evening.at(13).end(1, "the fish");
    let right = [
        "LoopBot 1: the soup from 0 to 5 ms",
        "LoopBot 2: the fish from 2 ms to 13 ms",
        "LoopBot 1: the cake from 6 ms to 11 ms",
    ];
    evening.over().expect_polls(
        &right,
        "There are two loops, each on a thread of its own. What belongs together stands on one lane, and the order is that of the beginnings",
    );
    let guests = ["the Chen party", "the Okafor party", "the Mbeki party"];
    let mut evening = MadeUp::new(2);
    evening.at(1).begin(1, "the fish");
    let mut right = vec!["LoopBot 2: the fish from 1 ms to 9 ms".to_owned()];
    for name in guests.into_iter().cycle().take(40) {
        evening.poll(0, name, 5, 5);
        right.push(format!("LoopBot 1: {name} from 5 ms to 5 ms"));
    }
    evening.at(9).end(1, "the fish");
    evening.over().expect_polls(
        &as_strs(&right),
        "Many polls begin in the same millisecond. Their order is that of the record: if you sort, do it with a sort that keeps the order of equals",
    );
}

fn held_ones() {
    let mut evening = MadeUp::new(3);
    evening.at(1).begin(0, "the soup");
    evening.at(2).begin(1, "the fish");
    evening.at(4).end(1, "the fish");
    evening.at(5).begin(1, "the cake");
    evening.poll(2, "the stew", 20, 21);
    let record = evening.over();
    let right = [
        "LoopBot 1: the soup from 1 ms to 21 ms",
        "LoopBot 2: the fish from 2 ms to 4 ms",
        "LoopBot 2: the cake from 5 ms to 21 ms",
        "LoopBot 3: the stew from 20 ms to 21 ms",
    ];
    record.expect_polls(
        &right,
        "There are three loops, and two of them are held. A loop that is held writes nothing, so its own last entry is no end: the record goes on \
         on another lane, and until its last entry both polls last. Their places are those of their beginnings",
    );
}

fn a_short_memory() {
    // A lane keeps the newest entries. Here that is very few.
    let record = played_with(10, async |house| {
        house.busy("WaitBot's round", 0, 4).await.expect("no panic");
        house.time.advance(minutes(16));
        yield_now().await;
    });
    let lost = matches!(record.0.events[0].event, Event::Gap { .. });
    assert!(lost, "the lane has no room for all of this");
    record.expect_polls(
        &["LoopBot: main from 4 min to 20 min", "LoopBot: main from 20 min to 20 min"],
        "The recorder remembers the newest entries only, and has a `Gap` for those that are gone. The first `PollEnd` after it \
         has no `PollBegin`",
    );
}

fn a_gap() {
    let mut evening = MadeUp::new(2);
    evening.at(1).begin(0, "the soup");
    evening.at(2).begin(1, "the fish");
    evening.at(3).gap(0);
    evening.at(30).end(0, "the soup");
    evening.at(31).begin(0, "the cake");
    evening.at(32).end(1, "the fish");
    evening.at(33).end(0, "the cake");
    let right = [
        "LoopBot 2: the fish from 2 ms to 32 ms",
        "LoopBot 1: the cake from 31 ms to 33 ms",
    ];
    evening.over().expect_polls(
        &right,
        "Entries of LoopBot 1 are missing, and there may have been any number of polls in between. Do not accuse the soup of 29 ms \
         of which nobody knows anything. On the other lane nothing is missing",
    );
    let mut evening = MadeUp::new(1);
    evening.at(1).begin(0, "the soup");
    evening.at(3).gap(0);
    evening.at(40).begin(0, "the cake");
    evening.at(41).end(0, "the cake");
    evening.poll(0, "the fish", 60, 61);
    evening.over().expect_polls(
        &["LoopBot 1: the cake from 40 ms to 41 ms", "LoopBot 1: the fish from 60 ms to 61 ms"],
        "The end of the soup's poll is missing, in the gap. That is something else than a poll that is not over. And what begins and ends \
         after the gap has lost nothing",
    );
    let mut evening = MadeUp::new(2);
    evening.at(1).begin(0, "the soup");
    evening.at(3).gap(0);
    evening.poll(1, "the fish", 4, 9);
    evening.over().expect_polls(
        &["LoopBot 2: the fish from 4 ms to 9 ms"],
        "Nothing comes after the gap on LoopBot 1's lane. All the same nobody knows whether the soup's poll was over by then",
    );
}

fn long_ones() {
    let record = played(async |house| {
        let guests = [
            house.talks("the Chen party", 5, 1),
            house.talks("the Okafor party", 10, 2),
            house.talks("Mr. Silva", 15, 3),
            house.talks("the Mbeki party", 20, 10),
        ];
        for guest in guests {
            guest.await.expect("guests do not panic");
        }
        house.time.advance(minutes(4));
    });
    let right = [
        "LoopBot: Mr. Silva from 15 min to 18 min",
        "LoopBot: the Mbeki party from 20 min to 30 min",
        "LoopBot: main from 30 min to 34 min",
    ];
    record.expect_long(
        2,
        &right,
        "A poll that takes as long as the limit says is still all right, and a poll of main is a poll",
    );
    record.expect_long(
        5,
        &["LoopBot: the Mbeki party from 20 min to 30 min"],
        "It is the same record with another limit. The limit is what `long_polls` was called with",
    );
}

fn many_short_ones() {
    let record = played(async |house| {
        let silva = house.in_parts("Mr. Silva", 4, 8, 2);
        silva.await.expect("he does not panic");
    });
    record.expect_long(
        2,
        &[],
        "Mr. Silva talks for 16 minutes, and gives way after every two. What counts is how long one poll takes, and not how many there are",
    );
}

fn the_souffle_falls() {
    let record = played(async |house| {
        let souffle = house.waits("the soufflé", 13);
        let cake = house.waits("the cake", 19);
        let silva = house.talks("Mr. Silva", 4, 16);
        for task in [souffle, silva, cake] {
            task.await.expect("nobody panics");
        }
    });
    record.expect_late(
        minutes(4),
        &["the soufflé, due at 13 min, fired at 20 min, held by Mr. Silva"],
        "The task of a late timer is the one that suffers. Nobody had woken it until minute 20, because it is LoopBot that looks \
         at the clock. So from its wake to its poll no time has passed. Take the time at which the timer was due",
    );
    record.expect_late(
        Duration::from_secs(30),
        &[
            "the soufflé, due at 13 min, fired at 20 min, held by Mr. Silva",
            "the cake, due at 19 min, fired at 20 min, held by Mr. Silva",
        ],
        "Two timers waited for the end of one poll, and both were late",
    );
}

fn in_time() {
    let record = played(async |house| {
        // Both timers fire at minute 4, as they should. Then Mr. Silva has his turn first.
        let silva = house.talks("Mr. Silva", 4, 16);
        let souffle = house.waits("the soufflé", 4);
        silva.await.expect("he does not panic");
        souffle.await.expect("it does not panic");
    });
    record.expect_late(
        Duration::from_secs(5),
        &[],
        "The soufflé's timer was due at minute 4 and fired at minute 4. Its task had to wait for its turn after that. That is bad as \
         well, and it is another thing: here it is about timers",
    );
    let record = played(async |house| {
        let souffle = house.waits("the soufflé", 16);
        house.talks("Mr. Silva", 4, 16).await.expect("no panic");
        souffle.await.expect("no panic");
    });
    record.expect_late(
        minutes(4),
        &[],
        "This timer is late by 4 minutes, and that is the limit. As long as it is not more, it is all right",
    );
}

fn not_needed() {
    let record = played(async |house| {
        let soup = async { sleep_until(minutes(1)).await };
        timeout(minutes(5), soup).await.expect("the soup is quick");
        house.talks("Mr. Silva", 4, 26).await.expect("no panic");
    });
    record.expect_late(
        minutes(4),
        &[],
        "A timeout has set a timer for minute 5. The soup was there after a minute, so the timer was dropped with it. \
         Only a timer that fires can be late",
    );
}

fn one_after_the_other() {
    // As on a real clock, where LoopBot may take several turns between two looks at it.
    let mut evening = MadeUp::new(1);
    evening.at(1).arm(0, 7, "the soufflé", 10);
    evening.polls(
        0,
        &[
            ("the Chen party", 2, 11),
            ("the Okafor party", 11, 15),
            ("Mr. Silva", 15, 22),
            ("the Okafor party", 22, 26),
            ("the Mbeki party", 26, 27),
        ],
    );
    evening.at(27).fire(0, 7, "the soufflé", 17);
    evening.poll(0, "the soufflé", 27, 27);
    evening.poll(0, "the Chen party", 27, 60);
    evening.over().expect_late(
        Duration::from_millis(5),
        &["the soufflé, due at 10 ms, fired at 27 ms, held by Mr. Silva"],
        "Several were polled between 10 ms and 27 ms. You want the one step that was too long. So take, of each single poll, the part that lies \
         between due and fired, and name the longest. It need not be half of the time, as the chapter's rule wants it",
    );
}

fn twice() {
    let mut evening = MadeUp::new(1);
    for (due, name, begins, ends) in [(10, "Mr. Silva", 8, 20), (30, "Mrs. Okafor", 25, 44)] {
        evening.arm(0, due, "the soufflé", due);
        evening.poll(0, name, begins, ends);
        evening.fire(0, due, "the soufflé", ends - due);
        evening.poll(0, "the soufflé", ends, ends);
    }
    evening.over().expect_late(
        Duration::from_millis(5),
        &[
            "the soufflé, due at 10 ms, fired at 20 ms, held by Mr. Silva",
            "the soufflé, due at 30 ms, fired at 44 ms, held by Mrs. Okafor",
        ],
        "The same task can be made to wait twice. Each timer that fires is one by itself",
    );
}

fn a_crowd() {
    let mut evening = MadeUp::new(1);
    evening.at(1).arm(0, 7, "the soufflé", 10);
    evening.polls(
        0,
        &[
            ("the Chen party", 8, 12),
            ("the Okafor party", 12, 16),
            ("the Mbeki party", 16, 19),
        ],
    );
    evening.at(19).fire(0, 7, "the soufflé", 9);
    evening.over().expect_late(
        Duration::from_millis(5),
        &["the soufflé, due at 10 ms, fired at 19 ms, held by the Okafor party"],
        "The limit is for the timer. None of these polls is longer than that by itself, and the one with the largest part is still named",
    );
}

fn her_own_timer() {
    let record = played(async |house| {
        let time = house.time.clone();
        let okafor = spawn_named("Mrs. Okafor", async move {
            // Both at once, in one task: she waits for minute 5, and she talks from minute 3 on.
            let mut soup = pin!(sleep_until(minutes(5)));
            let mut talk = pin!(async {
                sleep_until(minutes(3)).await;
                time.advance(minutes(6));
            });
            let (mut soup_is_there, mut has_talked) = (false, false);
            poll_fn(|cx| {
                soup_is_there = soup_is_there || soup.as_mut().poll(cx).is_ready();
                has_talked = has_talked || talk.as_mut().poll(cx).is_ready();
                match soup_is_there && has_talked {
                    true => Answer::Ready(()),
                    false => Answer::Pending,
                }
            })
            .await;
        });
        okafor.await.expect("she does not panic");
    });
    record.expect_late(
        minutes(1),
        &["Mrs. Okafor, due at 5 min, fired at 9 min, held by Mrs. Okafor"],
        "One task can do two things: she waits for the soup, and she talks. If nobody else held LoopBot, it was herself",
    );
}

fn a_panic() {
    let record = played(async |house| {
        let souffle = house.waits("the soufflé", 13);
        let time = house.time.clone();
        let chef = spawn_named("the chef's speech", async move {
            sleep_until(minutes(4)).await;
            time.advance(minutes(16));
            resume_unwind(Box::new("he has lost the thread")); // A panic, and nothing is printed.
        });
        chef.await.expect_err("it panics");
        souffle.await.expect("it does not panic");
    });
    record.expect_late(
        minutes(4),
        &["the soufflé, due at 13 min, fired at 20 min, held by the chef's speech"],
        "The chef's speech ended by a panic. Until then it had LoopBot, and LoopBot has written down the end of that poll as of any other",
    );
}

fn the_machine_was_busy() {
    let mut evening = MadeUp::new(1);
    evening.at(1).arm(0, 3, "the soufflé", 10);
    evening.poll(0, "Mr. Silva", 2, 9);
    evening.at(9).parks(0, 10);
    evening.at(22).goes_on(0);
    evening.at(22).fire(0, 3, "the soufflé", 12);
    evening.poll(0, "the soufflé", 22, 30);
    evening.over().expect_late(
        Duration::from_millis(5),
        &["the soufflé, due at 10 ms, fired at 22 ms, held by nobody"],
        "LoopBot slept until 10 ms, and the system let it sleep until 22 ms: it had no core for it. Mr. Silva was done by then. Between due and \
         fired nobody was polled, and a poll that does not lie between them, not even in part, is innocent",
    );
}

fn two_clocks() {
    let mut evening = MadeUp::new(2);
    evening.at(1).arm(0, 0, "the soufflé", 10);
    evening.at(2).arm(1, 0, "the fish", 28);
    evening.at(4).begin(1, "the Mbeki party");
    evening.at(8).begin(0, "the Okafor party");
    evening.at(12).end(0, "the Okafor party");
    evening.at(12).begin(0, "Mr. Silva");
    evening.at(27).end(1, "the Mbeki party");
    evening.at(29).fire(1, 0, "the fish", 1);
    evening.at(29).begin(1, "the fish");
    evening.at(29).end(1, "the fish");
    evening.at(30).end(0, "Mr. Silva");
    evening.at(30).fire(0, 0, "the soufflé", 20);
    evening.at(30).begin(1, "the Mbeki party");
    evening.at(90).end(1, "the Mbeki party");
    evening.over().expect_late(
        Duration::from_millis(5),
        &["the soufflé, due at 10 ms, fired at 30 ms, held by Mr. Silva"],
        "There are two loops. On each lane the timers are counted from 0, and whoever holds one loop does not hold the other",
    );
    // The one on the other lane held longer, between due and fired.
    let mut evening = MadeUp::new(2);
    evening.at(1).arm(0, 0, "the soufflé", 10);
    evening.at(5).begin(1, "the Mbeki party");
    evening.at(8).begin(0, "the Okafor party");
    evening.at(12).end(0, "the Okafor party");
    evening.at(12).begin(0, "Mr. Silva");
    evening.at(30).end(0, "Mr. Silva");
    evening.at(30).fire(0, 0, "the soufflé", 20);
    evening.at(60).end(1, "the Mbeki party");
    evening.over().expect_late(
        Duration::from_millis(5),
        &["the soufflé, due at 10 ms, fired at 30 ms, held by Mr. Silva"],
        "The Mbeki party is at the other LoopBot's table. Whoever holds one loop does not hold the other",
    );
    let mut evening = MadeUp::new(2);
    evening.at(1).arm(0, 0, "the soufflé", 10);
    evening.at(2).arm(1, 0, "the fish", 15);
    evening.at(8).begin(0, "Mr. Silva");
    evening.at(14).begin(1, "the Mbeki party");
    evening.at(30).end(1, "the Mbeki party");
    evening.at(30).fire(1, 0, "the fish", 15);
    evening.at(40).end(0, "Mr. Silva");
    evening.at(40).fire(0, 0, "the soufflé", 30);
    evening.over().expect_late(
        Duration::from_millis(5),
        &[
            "the fish, due at 15 ms, fired at 30 ms, held by the Mbeki party",
            "the soufflé, due at 10 ms, fired at 40 ms, held by Mr. Silva",
        ],
        "Two timers are late, on two loops. They are told in the order in which they fired, as they stand in the record, whatever their lane and \
         whenever they were due",
    );
}

fn an_old_timer() {
    let record = played_with(16, async |house| {
        let souffle = house.waits("the soufflé", 13);
        house.busy("WaitBot's round", 0, 6).await.expect("no panic");
        house.time.advance(minutes(14));
        souffle.await.expect("it does not panic");
    });
    let is_armed = |entry: &Entry| matches!(entry.event, Event::TimerArm { due, .. } if due == ns(minutes(13)));
    assert!(
        !record.0.events.iter().any(is_armed),
        "the lane has forgotten it"
    );
    record.expect_late(
        minutes(4),
        &["the soufflé, due at 13 min, fired at 20 min, held by main"],
        "It was set so long ago that the entry is gone: a lane keeps the newest ones only. But the entry that says that \
         a timer fires says how late it is, so it is all you need. (And main is a task like any other.)",
    );
}

fn nothing_at_all() {
    // What a recorder that is off has to tell.
    let mut record = MadeUp::new(1).over();
    record.0.events.clear();
    record.expect_polls(&[], "This record is empty");
    record.expect_long(1, &[], "This record is empty");
    record.expect_late(minutes(1), &[], "This record is empty");
}

/// Whatever the evenings above do not show. The dice are the same each time.
fn made_up_by_dice() {
    for seed in 1..=60 {
        an_evening_made_up(&mut Dice(seed));
    }
}

/// What is to be found is settled first, and the record is made to fit.
fn an_evening_made_up(dice: &mut Dice) {
    const GUESTS: [&str; 6] = [
        "Mr. Silva",
        "Mrs. Okafor",
        "the Chen party",
        "the Mbeki party",
        "the critic",
        "the mayor",
    ];
    enum What {
        Begin(&'static str),
        End(&'static str),
        Fire(u64),
        Gap,
    }
    let loops = dice.from(1..=3) as usize;
    let (mut script, mut found, mut over) = (Vec::new(), Vec::new(), 0);
    for lane in 0..loops {
        // No two loops do anything in the same millisecond, so there is one order only.
        let mut now = lane as u64 + 1;
        let polls = dice.from(2..=4);
        let torn = dice.from(0..=2 * polls); // In this one the lane is torn, if there is such a poll.
        let mut beginning_is_lost = false;
        for poll in 0..polls {
            let name = GUESTS[dice.from(0..=5) as usize];
            let begin = now + 5 * dice.from(0..=4);
            let end = begin + 5 * dice.from(1..=20);
            now = end + 5;
            let is_whole = !beginning_is_lost && poll != torn;
            if !std::mem::take(&mut beginning_is_lost) {
                script.push((begin, lane, What::Begin(name)));
            }
            if poll == torn {
                // Its end and the next one's beginning are gone.
                script.push((begin + 3, lane, What::Gap));
                (beginning_is_lost, over) = (true, over.max(begin + 3));
                continue;
            }
            let last = poll + 1 == polls && is_whole && dice.from(0..=1) == 0;
            if is_whole {
                found.push((lane, name, begin, (!last).then_some(end)));
                over = over.max(begin);
            }
            if !last {
                script.push((end, lane, What::End(name)));
                script.push((end, lane, What::Fire(dice.from(0..=end.min(80)))));
                over = over.max(end);
            }
        }
    }
    script.sort_by_key(|(at, ..)| *at); // It keeps the order of those that are equal.
    found.sort_by_key(|(.., begin, _)| *begin);
    let found: Vec<_> = found
        .into_iter()
        .map(|(lane, name, begin, end)| (lane, name, begin, end.unwrap_or(over)))
        .collect();

    let mut late = Vec::new();
    let mut evening = MadeUp::new(loops);
    for (number, (at, lane, what)) in (0..).zip(script) {
        match what {
            What::Begin(name) => evening.at(at).begin(lane, name),
            What::End(name) => evening.at(at).end(lane, name),
            What::Gap => evening.at(at).gap(lane),
            What::Fire(by) => {
                // One millisecond after the other: whose is it?
                let mut had = HashMap::new();
                for ms in at - by..at {
                    let has = |&&(on, _, begin, end): &&(usize, _, u64, u64)| {
                        on == lane && (begin..end).contains(&ms)
                    };
                    if let Some(&(_, name, begin, _)) = found.iter().find(has) {
                        *had.entry((begin, name)).or_insert(0) += 1;
                    }
                }
                let most = had.values().max().copied();
                let mut who = had.iter().filter(|(_, ms)| Some(**ms) == most);
                let (first, second) = (who.next(), who.next());
                if second.is_some() {
                    continue; // Two have as much. Nobody says which of them is named.
                }
                evening.at(at).fire(lane, number, "the soufflé", by);
                late.push((by, at, first.map_or("nobody", |((_, name), _)| name)));
            }
        }
    }
    let record = evening.over();
    let told = |polls: &[&(usize, &str, u64, u64)]| -> Vec<String> {
        let tell = |(lane, name, begin, end): &&(usize, &str, u64, u64)| {
            format!("LoopBot {}: {name} from {begin} ms to {end} ms", lane + 1)
        };
        polls.iter().map(tell).collect()
    };
    let because = "An evening that the dice have made up";
    record.expect_polls(&as_strs(&told(&found.iter().collect::<Vec<_>>())), because);
    let limit = dice.from(5..=60);
    let long: Vec<_> = found
        .iter()
        .filter(|(.., begin, end)| end - begin > limit)
        .collect();
    record.expect_long_in_ms(limit, &as_strs(&told(&long)), because);
    let limit = dice.from(0..=40);
    let late: Vec<_> = late
        .into_iter()
        .filter(|(by, ..)| *by > limit)
        .map(|(by, at, who)| {
            let due = time((at - by) * 1_000_000);
            format!("the soufflé, due at {due}, fired at {at} ms, held by {who}")
        })
        .collect();
    record.expect_late(Duration::from_millis(limit), &as_strs(&late), because);
}

fn as_strs(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

/// Numbers that look as if nobody had chosen them, and are the same each time.
struct Dice(u64);

impl Dice {
    fn from(&mut self, range: std::ops::RangeInclusive<u64>) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let roll = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16;
        range.start() + roll % (range.end() - range.start() + 1)
    }
}

// ---- Evenings with a LoopBot --------------------------------------------------------------------

struct House {
    time: VirtualTime,
    recorder: Recorder,
}

fn played(scene: impl AsyncFnOnce(&House)) -> Record {
    played_with(10_000, scene)
}

/// The record of an evening on a LoopBot, with so many entries at most.
fn played_with(entries: usize, scene: impl AsyncFnOnce(&House)) -> Record {
    let time = VirtualTime::new();
    let header = Header::virtual_time("an evening", &time).lane_capacity(entries);
    let recorder = Recorder::new(header);
    let house = House { time, recorder };
    LoopBot::builder()
        .clock(Clock::virtual_time(house.time.clone()))
        .recorder(house.recorder.clone())
        .build()
        .run(scene(&house));
    Record(house.recorder.recording())
}

impl House {
    /// Something with a timer. It does no harm to anybody.
    fn waits(&self, name: &str, until: u64) -> JoinHandle<()> {
        spawn_named(name, sleep_until(minutes(until)))
    }

    /// A guest who takes LoopBot by the arm.
    fn talks(&self, name: &str, from: u64, takes: u64) -> JoinHandle<()> {
        self.in_parts(name, from, 1, takes)
    }

    /// One who lets go now and then.
    fn in_parts(&self, name: &str, from: u64, parts: u64, part: u64) -> JoinHandle<()> {
        let time = self.time.clone();
        spawn_named(name, async move {
            sleep_until(minutes(from)).await;
            for left in (0..parts).rev() {
                time.advance(minutes(part));
                if left > 0 {
                    yield_now().await;
                }
            }
        })
    }

    /// A short step every minute.
    fn busy(&self, name: &str, from: u64, to: u64) -> JoinHandle<()> {
        spawn_named(name, async move {
            for minute in from..=to {
                sleep_until(minutes(minute)).await;
            }
        })
    }
}

// ---- Evenings made up by hand -------------------------------------------------------------------

struct MadeUp {
    time: VirtualTime,
    recorder: Recorder,
    lanes: Vec<Lane>,
    tasks: HashMap<&'static str, Task>,
    /// Lanes of which entries are said to be missing, and when.
    gaps: Vec<(usize, u64)>,
}

impl MadeUp {
    fn new(loops: usize) -> MadeUp {
        let time = VirtualTime::new();
        let recorder = Recorder::new(Header::virtual_time("an evening", &time));
        let lane = |number| recorder.actor(&format!("LoopBot {number}"), ActorKind::Loop);
        MadeUp {
            lanes: (1..=loops).map(lane).collect(),
            recorder,
            time,
            tasks: HashMap::new(),
            gaps: Vec::new(),
        }
    }

    /// What follows happens at so many milliseconds.
    fn at(&mut self, ms: u64) -> &mut MadeUp {
        self.time.advance_to(ms * 1_000_000);
        self
    }

    fn task(&mut self, lane: usize, name: &'static str) -> Task {
        if let Some(task) = self.tasks.get(name) {
            return *task;
        }
        let task = self.recorder.task(name);
        self.lanes[lane].record(Event::TaskSpawn { task, by: None });
        self.tasks.insert(name, task);
        task
    }

    fn begin(&mut self, lane: usize, name: &'static str) {
        let task = self.task(lane, name);
        let source = Source::Task;
        let cause = self.lanes[lane].record(Event::Wake { task, source });
        let poll = 1;
        self.lanes[lane].record(Event::PollBegin { task, poll, cause });
    }

    fn end(&mut self, lane: usize, name: &'static str) {
        let task = self.task(lane, name);
        let ready = false;
        self.lanes[lane].record(Event::PollEnd { task, ready });
    }

    fn poll(&mut self, lane: usize, name: &'static str, from: u64, to: u64) {
        self.at(from).begin(lane, name);
        self.at(to).end(lane, name);
    }

    fn polls(&mut self, lane: usize, polls: &[(&'static str, u64, u64)]) {
        for &(name, from, to) in polls {
            self.poll(lane, name, from, to);
        }
    }

    fn arm(&mut self, lane: usize, timer: u64, name: &'static str, due: u64) {
        let task = self.task(lane, name);
        let due = due * 1_000_000;
        self.lanes[lane].record(Event::TimerArm { timer, task, due });
    }

    fn fire(&mut self, lane: usize, timer: u64, name: &'static str, late: u64) {
        let task = self.task(lane, name);
        let late = late * 1_000_000;
        self.lanes[lane].record(Event::TimerFire { timer, task, late });
    }

    fn parks(&mut self, lane: usize, until: u64) {
        let (why, until) = (self.recorder.text("nobody is ready"), until * 1_000_000);
        self.lanes[lane].record(Event::ParkBegin { why, until });
    }

    fn goes_on(&mut self, lane: usize) {
        self.lanes[lane].record(Event::ParkEnd);
    }

    /// Something is missing from here. The entry itself is put in at the end: a recorder writes no gap on demand.
    fn gap(&mut self, lane: usize) {
        self.lanes[lane].record(Event::ParkEnd);
        self.gaps.push((lane, self.time.now()));
    }

    fn over(self) -> Record {
        let mut recording = self.recorder.recording();
        for (lane, at) in self.gaps {
            let is_gap = |entry: &&mut Entry| {
                (entry.actor, entry.t, entry.event) == (lane, at, Event::ParkEnd)
            };
            let entry = recording
                .events
                .iter_mut()
                .find(is_gap)
                .expect("it is there");
            let (from, to, lost) = (entry.n, entry.n, 1);
            entry.event = Event::Gap { lost, from, to };
        }
        Record(recording)
    }
}

// ---- What is expected ---------------------------------------------------------------------------

struct Record(Recording);

impl Record {
    fn expect_polls(&self, right: &[&str], because: &str) {
        let found = polls(&self.0.events);
        self.expect("`polls`", right, self.told(&found), because);
    }

    fn expect_long(&self, limit: u64, right: &[&str], because: &str) {
        self.expect_long_in_ms(limit * 60_000, right, because);
    }

    fn expect_long_in_ms(&self, limit: u64, right: &[&str], because: &str) {
        let limit = Duration::from_millis(limit);
        let found = long_polls(&self.0.events, ns(limit));
        let asked = format!("`long_polls`, with a limit of {},", time(ns(limit)));
        self.expect(&asked, right, self.told(&found), because);
    }

    fn expect_late(&self, limit: Duration, right: &[&str], because: &str) {
        let found = late_timers(&self.0.events, ns(limit));
        let asked = format!("`late_timers`, with a limit of {},", time(ns(limit)));
        let tell = |timer: &LateTimer| {
            format!(
                "{}, due at {}, fired at {}, held by {}",
                self.0.task(timer.task),
                time(timer.due),
                time(timer.fired),
                timer.held_by.map_or("nobody", |task| self.0.task(task)),
            )
        };
        self.expect(&asked, right, found.iter().map(tell).collect(), because);
    }

    fn told(&self, polls: &[Poll]) -> Vec<String> {
        let tell = |poll: &Poll| {
            let lane = self.0.actors.get(poll.lane);
            format!(
                "{}: {} from {} to {}",
                lane.map_or("a lane that there is not", |actor| &actor.name),
                self.0.task(poll.task),
                time(poll.begin),
                time(poll.end),
            )
        };
        polls.iter().map(tell).collect()
    }

    /// Compares, and tells the first difference.
    fn expect(&self, asked: &str, right: &[&str], found: Vec<String>, because: &str) {
        if right == found {
            return;
        }
        let different = (0..).find(|&at| right.get(at).copied() != found.get(at).map(|it| &**it));
        let at = different.expect("they differ");
        let mut told = match (right.get(at), found.get(at)) {
            (Some(right), Some(found)) => {
                format!("{asked} should find [{right}]. In its place it finds [{found}]")
            }
            (Some(right), None) => format!("{asked} does not find [{right}]"),
            (None, Some(found)) => format!("{asked} should not find [{found}]"),
            (None, None) => unreachable!("one of them is longer"),
        };
        if !because.is_empty() {
            let _ = write!(told, ".\n  {because}");
        }
        told.push_str(".\n\n  The record:\n");
        self.tell(&mut told);
        broken(told.trim_end_matches('.'));
    }

    /// What matters here, and no more of it than one can read.
    fn tell(&self, told: &mut String) {
        const MOST: usize = 24;
        let robots = self.0.actors.len();
        let mut lines = 0;
        for entry in &self.0.events {
            let name = |task| self.0.task(task);
            let what = match entry.event {
                Event::PollBegin { task, .. } => format!("PollBegin   {}", name(task)),
                Event::PollEnd { task, .. } => format!("PollEnd     {}", name(task)),
                Event::TimerArm { timer, task, due } => {
                    format!(
                        "TimerArm    {}: number {timer}, due {}",
                        name(task),
                        time(due)
                    )
                }
                Event::TimerFire { timer, task, late } => {
                    format!(
                        "TimerFire   {}: number {timer}, {} late",
                        name(task),
                        time(late)
                    )
                }
                Event::Gap { .. } => "Gap".to_owned(),
                Event::Mark { text, .. } => format!("Mark        {}", self.0.text(text)),
                _ => continue,
            };
            lines += 1;
            if lines > MOST {
                let _ = write!(told, "\n    ... and so on");
                return;
            }
            let lane = match robots {
                1 => String::new(),
                _ => format!("{}  ", self.0.actor(entry)),
            };
            let _ = write!(told, "\n    {:>7}  {lane}{what}", time(entry.t));
        }
    }
}

// ---- Telling you --------------------------------------------------------------------------------

thread_local! {
    /// What went wrong first.
    static BROKEN: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A promise that was not kept, in words.
struct Broken(String);

/// Ends this test without the words of a panic.
fn broken(message: &str) -> ! {
    let message =
        BROKEN.with_borrow_mut(|first| first.get_or_insert_with(|| message.to_owned()).clone());
    resume_unwind(Box::new(Broken(message)))
}

/// Runs one check. On a thread of its own: code that never comes back cannot be stopped, only left.
fn keeps(promise: &'static str, check: fn()) {
    let (done, is_done) = channel();
    let body = move || {
        let ended = catch_unwind(check);
        if let Some(message) = BROKEN.take() {
            resume_unwind(Box::new(Broken(message)));
        }
        if let Err(panic) = ended {
            resume_unwind(panic);
        }
        let _ = done.send(());
    };
    let reader = thread::Builder::new()
        .name("the reader".to_owned())
        .spawn(body)
        .expect("a thread");
    if is_done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        // Straight to the terminal: what is printed the usual way is kept back until the test is over.
        let waited = PATIENCE.as_secs();
        let _ = write!(
            std::io::stderr(),
            "\n\n  Not kept: {promise}.\n  Your code did not come back: after {waited} seconds it still reads, and the record has less than \
             a hundred entries.\n\n  {HELP}\n\n"
        );
        exit(DID_NOT_END);
    }
    let Err(panic) = reader.join() else { return };
    let message = match panic.downcast::<Broken>() {
        Ok(broken) => format!("{}\n", broken.0),
        Err(panic) if words(&*panic).starts_with("not yet implemented") => {
            format!(
                "Something is still to be written: it says `todo!()`.\n\n  First hint: {FIRST_HINT}\n"
            )
        }
        Err(panic) if words(&*panic).contains("overflow") => format!(
            "Your code panicked: {}. All times are whole numbers, and none is below 0, so one of the two times is not as large as you think. \
             A poll may be over before the timer is due, and `saturating_sub` stops at 0. (The same goes for a length: a record may have nothing in it.)\n",
            words(&*panic)
        ),
        Err(panic) => format!(
            "Your code panicked: {}. A record can begin in the middle of a poll, and end in the middle of one; it can have any number of loops in it, or nothing at \
             all. Who reads it must not fall over that.\n",
            words(&*panic)
        ),
    };
    eprintln!("\n  Not kept: {promise}.\n  {message}\n  {HELP}\n");
    // The test has failed, and everything is said: no words of a panic on top.
    resume_unwind(Box::new(()));
}

const HELP: &str = "Stuck? `cargo course hint 18`.";

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

fn ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).expect("an evening is not so long")
}

/// As "20 min", "30 s" or "5 ms".
fn time(ns: u64) -> String {
    const MS: u64 = 1_000_000;
    const S: u64 = 1_000 * MS;
    const MIN: u64 = 60 * S;
    match ns {
        0 => "0".to_owned(),
        ns if ns.is_multiple_of(MIN) => format!("{} min", ns / MIN),
        ns if ns.is_multiple_of(S) => format!("{} s", ns / S),
        ns if ns.is_multiple_of(MS) => format!("{} ms", ns / MS),
        ns => format!("{ns} ns"),
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let formatted = panic.downcast_ref::<String>().map(String::as_str);
    formatted
        .or(panic.downcast_ref::<&str>().copied())
        .unwrap_or("(not in words)")
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
