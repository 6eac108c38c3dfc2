//! A test program under plain `cargo test`, with everything that a learner's code may do in it. The program is this one: it
//! has the line that exercises have, and the tests start it again for one of the cases.

#![cfg(unix)]

mod common;

use std::fs::File;
use std::io::Write;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use common::{Trace, start_children};
use contained::{CONTAINED, SECONDS, status};

contained::tests!();

/// What learners write. Each runs alone, and only if asked for.
mod case {
    use super::*;

    #[test]
    #[ignore = "a case"]
    fn passes() {
        println!("what a test prints");
    }

    #[test]
    #[ignore = "a case"]
    fn fails() {
        println!("what a test prints");
        panic!("no soup today");
    }

    #[test]
    #[ignore = "a case"]
    fn loops() {
        loop {
            std::hint::spin_loop();
        }
    }

    #[test]
    #[ignore = "a case"]
    fn deadlocks() {
        let (one, other) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
        let first = one.lock();
        let (tx, rx) = std::sync::mpsc::channel();
        let robot = {
            let (one, other) = (Arc::clone(&one), Arc::clone(&other));
            thread::spawn(move || {
                let _first = other.lock();
                tx.send(()).unwrap();
                let _second = one.lock();
            })
        };
        rx.recv().unwrap();
        let _second = other.lock();
        drop(first);
        robot.join().unwrap();
    }

    #[test]
    #[ignore = "a case"]
    fn forks() {
        start_children();
    }

    #[test]
    #[ignore = "a case"]
    fn forks_and_loops() {
        start_children();
        loops();
    }

    #[test]
    #[ignore = "a case"]
    fn prints() {
        // Past the harness, which would keep it.
        let mut err = std::io::stderr();
        loop {
            err.write_all(
                &b"soup soup soup soup soup soup soup soup soup soup soup\n".repeat(1000),
            )
            .unwrap();
        }
    }

    #[test]
    #[ignore = "a case"]
    fn prints_to_the_harness() {
        loop {
            println!("{}", "soup ".repeat(100_000));
        }
    }

    #[test]
    #[ignore = "a case"]
    fn aborts() {
        std::process::abort();
    }

    #[test]
    #[ignore = "a case"]
    fn dies() {
        let me = std::process::id().to_string();
        Command::new("kill").args(["-KILL", &me]).status().unwrap();
        loops();
    }

    #[test]
    #[ignore = "a case"]
    fn overflows() {
        fn deep(x: &[u64; 64]) -> u64 {
            if std::hint::black_box(x)[0] == 1 {
                return 0;
            }
            let mut y = *x;
            y[1] += 1;
            deep(&y) + y[1]
        }
        println!("{}", deep(&[0; 64]));
    }

    #[test]
    #[ignore = "a case"]
    fn allocates() {
        let mut all = Vec::new();
        loop {
            all.push(Box::new([1u8; 1 << 16]));
        }
    }

    #[test]
    #[ignore = "a case"]
    fn leaves() {
        std::process::exit(0);
    }

    #[test]
    #[ignore = "a case"]
    fn leaves_with_3() {
        std::process::exit(3);
    }

    #[test]
    #[ignore = "a case"]
    fn noticed_it_by_itself() {
        eprintln!("WaitBot never came back");
        std::process::exit(contained::DID_NOT_END);
    }

    #[test]
    #[ignore = "a case"]
    fn alternates() {
        for n in 0..500 {
            // Straight to the stream, so that the harness does not keep it.
            writeln!(std::io::stdout(), "{}", 2 * n).unwrap();
            writeln!(std::io::stderr(), "{}", 2 * n + 1).unwrap();
        }
    }

    #[test]
    #[ignore = "a case"]
    fn prints_what_is_no_text() {
        let all: Vec<u8> = (0..=255).collect();
        std::io::stdout().write_all(&all).unwrap();
    }

    #[test]
    #[ignore = "a case"]
    fn is_told_who_contains_it() {
        writeln!(std::io::stdout(), "{:?}", std::env::var(CONTAINED)).unwrap();
    }
}

/// This program, as cargo starts it. The variables around it are those of the outer one, which is contained, too.
fn program(trace: &Trace, args: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(args)
        .env_remove(CONTAINED)
        .env_remove(SECONDS)
        .env_remove("RUST_BACKTRACE")
        .env("CARGO_PKG_NAME", "exercise-03")
        .stdin(Stdio::null());
    trace.on(&mut command);
    command
}

fn only(case: &str) -> Vec<String> {
    let case = format!("case::{case}");
    ["--exact", &case, "--ignored"].map(str::to_owned).into()
}

struct Seen {
    status: ExitStatus,
    out: String,
    err: String,
}

fn play_with(case: &str, more: &[&str], seconds: Option<&str>) -> Seen {
    let trace = Trace::new();
    let mut command = program(&trace, more);
    command
        .args(only(case))
        .envs(seconds.map(|seconds| (SECONDS, seconds)));
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("this program can be started");
    trace.is_cold();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Seen {
        status,
        out: text(stdout),
        err: text(stderr),
    }
}

/// Plays it in the time that everybody gets, or in a second where that is what the case is about.
fn play(case: &str) -> Seen {
    let endless = ["loops", "deadlocks", "forks_and_loops"].contains(&case);
    play_with(case, &[], endless.then_some("1"))
}

impl Seen {
    #[track_caller]
    fn is(&self, code: i32, sentence: &str) {
        let Seen { status, out, err } = self;
        let mut end: Vec<_> = err.lines().rev().take(20).collect();
        end.reverse();
        let end = end.join("\n");
        assert_eq!(status.code(), Some(code), "{out}\n{end}");
        let mut told = end.lines().collect::<Vec<_>>();
        told.retain(|line| line.starts_with("Exercise 03 "));
        assert_eq!(told.len(), 1, "one sentence, and not: {told:?}\n{end}");
        assert!(told[0].contains(sentence), "{}", told[0]);
    }
}

#[test]
fn who_passes_passes() {
    let seen = play("passes");
    assert!(seen.status.success());
    assert!(
        seen.out.contains("test result: ok. 1 passed"),
        "{}",
        seen.out
    );
    assert_eq!(seen.err, "");
}

#[test]
fn who_fails_fails_as_ever() {
    let seen = play("fails");
    assert_eq!(seen.status.code(), Some(101));
    for words in ["what a test prints", "no soup today", "test result: FAILED"] {
        assert!(seen.out.contains(words), "{}", seen.out);
    }
    assert_eq!(seen.err, "");
}

#[test]
fn a_loop_without_an_end() {
    play("loops").is(status::NEVER_ENDS, "did not end within 1 second");
}

#[test]
fn a_deadlock_outside_of_any_checker() {
    play("deadlocks").is(status::NEVER_ENDS, "a thread that waits for ever");
}

#[test]
fn children_that_stay() {
    let seen = play("forks");
    assert!(seen.status.success(), "{}\n{}", seen.out, seen.err);
    play("forks_and_loops").is(status::NEVER_ENDS, "did not end");
}

#[test]
fn printing_without_an_end() {
    let seen = play("prints");
    seen.is(status::PRINTS_TOO_MUCH, "printed more than 64 MiB");
    assert!(seen.err.len() < 80 << 20);
    play_with("prints_to_the_harness", &["--nocapture"], None)
        .is(status::PRINTS_TOO_MUCH, "printed more than 64 MiB");
}

#[cfg(target_os = "linux")]
#[test]
fn printing_without_an_end_where_the_harness_keeps_it() {
    play("prints_to_the_harness").is(status::DIES, "or prints without an end");
}

#[test]
fn an_abort() {
    play("aborts").is(status::DIES, "aborted");
}

#[test]
fn a_kill_from_outside() {
    play("dies").is(status::DIES, "was killed from outside");
}

#[test]
fn a_stack_overflow() {
    play("overflows").is(status::DIES, "overflowed its stack");
}

#[cfg(target_os = "linux")]
#[test]
fn more_memory_than_there_is() {
    play("allocates").is(status::DIES, "used up its memory of 1 GiB");
}

#[test]
fn leaving_in_the_middle_is_no_pass() {
    play("leaves").is(status::DIES, "in the middle of a test");
    play("leaves_with_3").is(3, "in the middle of a test");
}

#[test]
fn a_guard_of_the_tests_own_tells_the_story() {
    let seen = play("noticed_it_by_itself");
    // The harness keeps what tests print, and exit throws it away: such a guard writes past the harness.
    seen.is(contained::DID_NOT_END, "never came back");
}

#[test]
fn what_the_harness_is_asked_for_is_what_it_does() {
    let ask: [&[&str]; 6] = [
        &["--list"],
        &["--list", "--format", "terse"],
        &["--list", "--format", "terse", "--ignored"],
        &["--exact", "case::passes", "--nocapture", "--ignored"],
        &["--help"],
        &["--no-such-argument"],
    ];
    for args in ask {
        let trace = Trace::new();
        let contained = program(&trace, args).output().unwrap();
        let plain = program(&trace, args)
            .env(CONTAINED, "off")
            .output()
            .unwrap();
        let read = |it: &Output| {
            let text = String::from_utf8_lossy(&it.stdout).into_owned();
            // Only the time that it took may differ.
            let text = text
                .split("finished in")
                .next()
                .unwrap_or_default()
                .to_owned();
            (it.status.code(), text, it.stderr.clone())
        };
        assert_eq!(read(&contained), read(&plain), "{args:?}");
    }
}

#[test]
fn two_streams_into_one_file_keep_their_order() {
    let path = std::env::temp_dir().join(format!("contained-{}", std::process::id()));
    let file = File::create(&path).unwrap();
    let trace = Trace::new();
    let status = program(&trace, &[])
        .args(only("alternates"))
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .status();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(status.unwrap().success());
    let numbers: Vec<u32> = text.lines().filter_map(|it| it.parse().ok()).collect();
    assert!(numbers.is_sorted() && numbers.len() >= 999, "{text}");
}

#[test]
fn bytes_are_handed_on_as_they_are() {
    let trace = Trace::new();
    let output = program(&trace, &[])
        .args(only("prints_what_is_no_text"))
        .output()
        .unwrap();
    let all: Vec<u8> = (0..=255).collect();
    assert!(output.stdout.windows(256).any(|it| it == all));
}

#[test]
fn the_child_knows_that_it_is_contained() {
    assert!(play("is_told_who_contains_it").out.contains("Ok(\"1\")"));
}

/// When the supervisor itself dies. Who is alive then can be seen on Linux alone.
#[cfg(target_os = "linux")]
mod supervisor {
    use std::io::Read;
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::Child;
    use std::time::{Duration, Instant};

    use super::common::PATIENCE;
    use super::*;

    /// Starts it, and waits until all are there: itself and its watchman, the child and two children of that.
    fn start_endless(trace: &Trace) -> Child {
        let supervisor = program(trace, &[])
            .args(only("forks_and_loops"))
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("this program can be started");
        let begun = Instant::now();
        while trace.alive().len() < 5 {
            assert!(begun.elapsed() < PATIENCE, "only {:?}", trace.alive());
            thread::sleep(Duration::from_millis(5));
        }
        supervisor
    }

    #[test]
    fn a_supervisor_that_is_killed_takes_all_of_them_along() {
        for signal in ["KILL", "INT", "TERM", "HUP"] {
            let trace = Trace::new();
            let mut supervisor = start_endless(&trace);
            // To its group, as the terminal does for Ctrl-C.
            let group = format!("-{}", supervisor.id());
            let sent = Command::new("kill")
                .args(["-s", signal, "--", &group])
                .status();
            assert!(sent.unwrap().success());
            assert!(supervisor.wait().unwrap().signal().is_some());
            trace.gets_cold();
        }
    }

    #[test]
    fn nobody_prints_for_nobody() {
        let trace = Trace::new();
        let mut supervisor = program(&trace, &["--nocapture"])
            .args(only("prints_to_the_harness"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut first = [0; 1000];
        let mut out = supervisor.stdout.take().unwrap();
        out.read_exact(&mut first).unwrap();
        drop(out);
        assert!(!supervisor.wait().unwrap().success());
        trace.gets_cold();
    }
}
