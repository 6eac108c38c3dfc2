//! `contained::run` with children that misbehave. Each of them is this same program, started again to play a part.

mod common;

use std::io::Write;
use std::ops::ControlFlow;
use std::process::Command;
use std::thread;
use std::time::Duration;

use common::{PATIENCE, Trace};
use contained::{Clues, Ended, Fate, Limits, Stop, Stream, Streams};

const PART: &str = "CONTAINED_TEST_PART";
/// Before each line that a part prints. The harness prints, too.
const SAYS: &str = "> ";

/// Not a test, but who the tests start.
#[test]
fn plays_its_part() {
    let Ok(part) = std::env::var(PART) else {
        return;
    };
    let say = |words: &str| {
        println!("{SAYS}{words}");
    };
    match part.as_str() {
        "speaks" => {
            say("one");
            eprintln!("{SAYS}two");
            say("three");
        }
        "ends with 7" => std::process::exit(7),
        "waits" => {
            say("waiting");
            loop {
                thread::park();
            }
        }
        "prints" => loop {
            println!("{}", "soup ".repeat(1000));
        },
        "prints without a line break" => loop {
            print!("{}", "soup ".repeat(1000));
        },
        "allocates" => {
            let mut all = vec![1u8];
            loop {
                all.extend_from_within(..);
            }
        }
        "leaves children" => common::start_children(),
        "leaves children and waits" => {
            common::start_children();
            say("waiting");
            loop {
                thread::park();
            }
        }
        "multiplies" => {
            for _ in 0..20 {
                common::start_children();
            }
            say("waiting");
            loop {
                thread::park();
            }
        }
        "reads" => {
            let mut line = String::new();
            let read = std::io::stdin().read_line(&mut line);
            say(&format!("{:?}", read.ok()));
        }
        other => panic!("there is no part {other:?}"),
    }
}

/// A run that is watched.
struct Seen {
    ended: Ended,
    lines: Vec<(Stream, String)>,
    clues: Clues,
}

fn play(part: &str, streams: Streams, limits: Limits) -> Seen {
    play_and(part, streams, limits, &Stop::new(), &mut |_| {
        ControlFlow::Continue(())
    })
}

fn play_and(
    part: &str,
    streams: Streams,
    limits: Limits,
    stop: &Stop,
    on_line: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> Seen {
    let trace = Trace::new();
    let mut command = me(part);
    trace.on(&mut command);
    let (mut lines, mut clues) = (Vec::new(), Clues::default());
    let ended = contained::run(command, streams, limits, stop, &mut |stream, line| {
        clues.hear(line);
        match line.split_once(SAYS) {
            Some((_, said)) => {
                lines.push((stream, said.to_owned()));
                on_line(said)
            }
            None => ControlFlow::Continue(()),
        }
    });
    trace.is_cold();
    Seen {
        ended: ended.expect("this program can be started"),
        lines,
        clues,
    }
}

/// This program, to play a part.
fn me(part: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "plays_its_part", "--nocapture"]);
    command.env(PART, part);
    command
}

fn patient() -> Limits {
    Limits {
        time: PATIENCE,
        ..Limits::default()
    }
}

fn hasty() -> Limits {
    Limits {
        time: Duration::from_secs(1),
        ..Limits::default()
    }
}

#[test]
fn merged_streams_keep_their_order() {
    let seen = play("speaks", Streams::Merged, patient());
    assert!(matches!(seen.ended, Ended::Exited(status) if status.success()));
    let lines: Vec<_> = seen.lines.iter().map(|(_, line)| line.as_str()).collect();
    assert_eq!(lines, ["one", "two", "three"]);
    assert!(seen.lines.iter().all(|(stream, _)| *stream == Stream::Out));
}

#[test]
fn streams_apart_are_told_apart() {
    let seen = play("speaks", Streams::Apart, patient());
    let of = |stream| {
        let lines = seen.lines.iter().filter(move |(it, _)| *it == stream);
        lines.map(|(_, line)| line.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(of(Stream::Out), ["one", "three"]);
    assert_eq!(of(Stream::Err), ["two"]);
}

#[test]
fn the_exit_status_is_handed_on() {
    let seen = play("ends with 7", Streams::Merged, patient());
    assert!(matches!(seen.ended, Ended::Exited(status) if status.code() == Some(7)));
    assert!(matches!(
        Fate::of(&seen.ended, &seen.clues),
        Fate::Leaves(_)
    ));
}

#[test]
fn there_is_nothing_to_read() {
    let seen = play("reads", Streams::Merged, patient());
    assert_eq!(seen.lines, [(Stream::Out, "Some(0)".to_owned())]);
}

#[test]
fn who_waits_for_ever_is_ended() {
    let seen = play("waits", Streams::Merged, hasty());
    assert!(matches!(seen.ended, Ended::OutOfTime), "{:?}", seen.ended);
    assert_eq!(seen.lines.len(), 1);
}

#[test]
fn who_prints_for_ever_is_ended() {
    for part in ["prints", "prints without a line break"] {
        for streams in [Streams::Merged, Streams::Apart] {
            let limits = Limits {
                output: 4 << 20,
                ..patient()
            };
            let seen = play(part, streams, limits);
            assert!(matches!(seen.ended, Ended::OutOfOutput), "{:?}", seen.ended);
        }
    }
}

#[test]
fn a_time_limit_holds_for_who_prints_too() {
    let limits = Limits {
        output: u64::MAX,
        ..hasty()
    };
    let seen = play("prints", Streams::Merged, limits);
    assert!(matches!(seen.ended, Ended::OutOfTime), "{:?}", seen.ended);
}

#[cfg(target_os = "linux")]
#[test]
fn memory_has_an_end() {
    let limits = Limits {
        memory: Some(128 << 20),
        ..patient()
    };
    let seen = play("allocates", Streams::Merged, limits);
    assert_eq!(Fate::of(&seen.ended, &seen.clues), Fate::UsesUpMemory);
}

#[test]
fn children_do_not_outlive_who_started_them() {
    // They hold the pipes, and neither their parent's end nor the reader waits for them.
    let seen = play("leaves children", Streams::Merged, patient());
    assert!(matches!(seen.ended, Ended::Exited(status) if status.success()));
    let seen = play("leaves children and waits", Streams::Apart, hasty());
    assert!(matches!(seen.ended, Ended::OutOfTime), "{:?}", seen.ended);
    let seen = play("multiplies", Streams::Merged, hasty());
    assert!(matches!(seen.ended, Ended::OutOfTime), "{:?}", seen.ended);
}

#[cfg(target_os = "linux")]
#[test]
fn who_may_leave_lives_on() {
    let trace = Trace::new();
    let mut command = me("leaves children");
    trace.on(&mut command);
    let limits = Limits {
        may_leave: true,
        ..patient()
    };
    let ended = contained::run(
        command,
        Streams::Merged,
        limits,
        &Stop::new(),
        &mut |_, _| ControlFlow::Continue(()),
    );
    assert!(matches!(ended, Ok(Ended::Exited(status)) if status.success()));
    // The one in the group is gone, the one that left it is not.
    let alive = trace.alive();
    assert_eq!(alive.len(), 1, "{alive:?}");
    let pid = alive[0].split(' ').next().expect("it begins with a number");
    Command::new("kill")
        .arg(pid)
        .status()
        .expect("kill is everywhere");
    trace.gets_cold();
}

#[test]
fn a_stop_ends_it_from_another_thread() {
    let stop = Stop::new();
    let other = stop.clone();
    let seen = play_and(
        "leaves children and waits",
        Streams::Merged,
        patient(),
        &stop,
        &mut |_| {
            let other = other.clone();
            thread::spawn(move || other.now());
            ControlFlow::Continue(())
        },
    );
    assert!(matches!(seen.ended, Ended::Stopped), "{:?}", seen.ended);
    assert!(stop.is_raised() && stop.is_same(&other));
}

#[test]
fn a_reader_who_has_read_enough_ends_it() {
    let seen = play_and(
        "leaves children and waits",
        Streams::Apart,
        patient(),
        &Stop::new(),
        &mut |_| ControlFlow::Break(()),
    );
    assert!(matches!(seen.ended, Ended::Stopped), "{:?}", seen.ended);
}

#[test]
fn a_reader_who_takes_long_costs_the_child_no_time() {
    // The reader needs twice the child's time for one line.
    let seen = play_and(
        "speaks",
        Streams::Merged,
        hasty(),
        &Stop::new(),
        &mut |line| {
            if line == "one" {
                thread::sleep(2 * hasty().time);
            }
            ControlFlow::Continue(())
        },
    );
    assert!(matches!(seen.ended, Ended::Exited(_)), "{:?}", seen.ended);
    assert_eq!(seen.lines.len(), 3);
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let trace = Trace::new();
    let mut command = Command::new("there is no such program");
    trace.on(&mut command);
    let result = contained::run(
        command,
        Streams::Merged,
        patient(),
        &Stop::new(),
        &mut |_, _| ControlFlow::Continue(()),
    );
    assert!(result.is_err());
    trace.gets_cold();
}

#[test]
fn bytes_come_as_they_are() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--list", "--format=terse"]);
    let mut all = Vec::new();
    let ended = contained::run_bytes(
        command,
        Streams::Apart,
        patient(),
        &Stop::new(),
        &mut |stream, bytes| {
            assert_eq!(stream, Stream::Out);
            all.write_all(bytes).unwrap();
            ControlFlow::Continue(())
        },
    );
    assert!(matches!(ended, Ok(Ended::Exited(status)) if status.success()));
    let listed = String::from_utf8(all).unwrap();
    assert!(
        listed.contains("bytes_come_as_they_are: test\n"),
        "{listed}"
    );
}
