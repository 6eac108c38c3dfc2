//! Every entry of the gallery holds the loop when it is broken, and does not when it is mended.
//!
//! All of it happens in real time, on a machine that may be busy. So nothing here says how long anything may take. A broken
//! one keeps the loop *at least* as long as the world keeps it waiting, on any machine. Of a mended one it is asked that the
//! victim heard its timer while the guest was still there; a machine may be too busy for that once, but a loop that is held can
//! never do it.

use flight::rules::{self, Limits, Rule, Severity};
use flight::{Entry as Recorded, Event, Recording};
use pitfalls::gallery::{ALL, Ended, Entry, HOLD, PERIOD, Run, VICTIM, Version};

/// In the lock convoy the first clerk has the ledger for half as long as everything else takes.
fn shortest_hold(entry: &Entry) -> std::time::Duration {
    match entry.name {
        "lock-convoy" => HOLD / 2,
        _ => HOLD,
    }
}

fn ended_as_said(entry: &Entry, version: Version, run: &Run) {
    match &run.ended {
        Ended::Done => assert!(!(entry.never_ends && version == Version::Broken)),
        Ended::LeftBehind => assert!(entry.never_ends && version == Version::Broken),
        Ended::Failed(why) => panic!("{}, {}: {why}", entry.name, version.name()),
    }
}

fn is_late(entry: &Entry, run: &Run) {
    match run.late {
        None => assert!(entry.never_ends, "{}", entry.name),
        Some(late) => assert!(
            late >= shortest_hold(entry) - PERIOD,
            "{}: {late:?}",
            entry.name
        ),
    }
}

/// There is a poll of somebody else's that begins when the victim's timer is set, ends when it is due, and in between
/// nobody fires it.
fn is_held(recording: &Recording) -> bool {
    let number = |is_it: &dyn Fn(&Event) -> bool, from: u64| {
        let mut after = recording.events.iter().filter(|entry| entry.n > from);
        after.find(|entry| is_it(&entry.event)).copied()
    };
    let is_victim = |task| recording.task(task) == VICTIM;
    let sets = |entry: &&Recorded| match entry.event {
        Event::TimerArm { task, .. } => is_victim(task),
        _ => false,
    };
    let held = |set: &Recorded| {
        let Event::TimerArm { timer, due, .. } = set.event else {
            return false;
        };
        let fires = number(
            &|event| matches!(event, Event::TimerFire { timer: it, .. } if *it == timer),
            set.n,
        );
        let begins = |entry: &&Recorded| match entry.event {
            Event::PollBegin { task, .. } => entry.n > set.n && !is_victim(task),
            _ => false,
        };
        recording.events.iter().filter(begins).any(|begin| {
            let end = number(&|event| matches!(event, Event::PollEnd { .. }), begin.n);
            let before = |other: &Recorded| begin.n < other.n;
            match (end, fires) {
                (Some(end), Some(fires)) => due < end.t && end.n < fires.n && before(&fires),
                (None, fires) => fires.is_none(),
                (Some(_), None) => false,
            }
        })
    };
    recording.events.iter().filter(sets).any(held)
}

#[test]
fn whoever_is_broken_holds_loopbot() {
    for entry in ALL {
        let run = entry.on_loopbot(Version::Broken);
        ended_as_said(entry, Version::Broken, &run);
        is_late(entry, &run);
        let recording = run.recording.unwrap();
        assert!(is_held(&recording), "{}", entry.name);

        let hits = rules::look(&recording, &Limits::default());
        let found = |rule| hits.iter().find(|hit| hit.rule == rule);
        let long_poll = found(Rule::LongPoll).map(|hit| hit.severity);
        assert_eq!(long_poll, Some(Severity::Red), "{}: {hits:?}", entry.name);
        // Also of one that never ends: then it has not fired when the record does.
        let late_timer = found(Rule::LateTimer).map(|hit| hit.subject.contains(VICTIM));
        assert_eq!(late_timer, Some(true), "{}: {hits:?}", entry.name);
    }
}

#[test]
fn whoever_is_mended_does_not() {
    for entry in ALL {
        let heard = (0..5).any(|_| {
            let run = entry.on_loopbot(Version::Mended);
            ended_as_said(entry, Version::Mended, &run);
            run.heard > 0
        });
        assert!(heard, "{}", entry.name);
    }
}

#[test]
fn whoever_is_broken_holds_tokio() {
    for entry in ALL {
        let run = entry.on_tokio(Version::Broken);
        ended_as_said(entry, Version::Broken, &run);
        is_late(entry, &run);
    }
}

#[test]
fn whoever_is_mended_does_not_hold_tokio() {
    for entry in ALL {
        let heard = (0..5).any(|_| {
            let run = entry.on_tokio(Version::Mended);
            ended_as_said(entry, Version::Mended, &run);
            run.heard > 0
        });
        assert!(heard, "{}", entry.name);
    }
}

#[test]
fn who_never_gives_way_is_never_heard_meanwhile() {
    // But for the convoy, which sleeps between two bookings.
    for entry in ALL.iter().filter(|entry| entry.name != "lock-convoy") {
        assert_eq!(entry.on_loopbot(Version::Broken).heard, 0, "{}", entry.name);
    }
}

#[test]
fn a_lock_that_is_kept_is_seen_in_the_record() {
    let entry = pitfalls::gallery::find("mutex-across-await").unwrap();
    let run = entry.on_loopbot(Version::Broken);
    let hits = rules::look(&run.recording.unwrap(), &Limits::default());
    assert!(
        hits.iter()
            .any(|hit| hit.rule == Rule::GuardAcrossAwait && hit.severity == Severity::Red),
        "{hits:?}"
    );
}
