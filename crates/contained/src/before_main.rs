use std::ffi::OsString;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::ops::ControlFlow;
use std::process::Command;
use std::time::Duration;

use crate::lines::Lines;
use crate::{Clues, Fate, Limits, Stop, Stream, Streams, platform, run_bytes};

/// The environment variable that says who contains a test program: `1`, somebody does; `off`, nobody shall; otherwise it
/// contains itself.
pub const CONTAINED: &str = "LOOPBOT_CONTAINED";

/// The environment variable with which a slow machine gets more time than [`Limits::default`] has: whole seconds.
pub const SECONDS: &str = "LOOPBOT_SECONDS";

/// The exit statuses of a contained test program that did not come to its end. Else it has the child's.
pub mod status {
    /// It did not end in time.
    pub const NEVER_ENDS: i32 = crate::DID_NOT_END;
    /// It printed too much.
    pub const PRINTS_TOO_MUCH: i32 = 125;
    /// It aborted, overflowed its stack, used up its memory, was killed: what the harness itself says for a failed test.
    pub const DIES: i32 = 101;
}

/// Called before main, in the program's first and only thread. Comes back in the child, and where nothing is contained.
pub fn before_main() {
    if env_is(CONTAINED, "1") || env_is(CONTAINED, "off") || platform::is_being_debugged() {
        return;
    }
    match supervise() {
        Ok(status) => std::process::exit(status),
        Err(error) => {
            let _ = writeln!(
                io::stderr(),
                "note: this test program cannot start itself again ({error}), so it runs without limits"
            );
        }
    }
}

/// Runs this program again as a child, and gives the exit status.
fn supervise() -> io::Result<i32> {
    let mut command = Command::new(std::env::current_exe()?);
    platform::start_like_us(&mut command);
    command
        .args(colour())
        .args(std::env::args_os().skip(1))
        .env(CONTAINED, "1");
    let streams = if platform::prints_to_one_place() {
        Streams::Merged
    } else {
        Streams::Apart
    };
    let limits = limits();
    let mut clues = Clues::default();
    let mut lines = [Lines::new(limits.line), Lines::new(limits.line)];
    let ended = run_bytes(
        command,
        streams,
        limits,
        &Stop::new(),
        &mut |stream, bytes| {
            let _ = lines[stream as usize].push(bytes, &mut |line| hear(&mut clues, line));
            hand_on(stream, bytes)
        },
    )?;
    for mut lines in lines {
        let _ = lines.finish(&mut |line| hear(&mut clues, line));
    }
    let fate = Fate::of(&ended, &clues);
    if let Some(sentence) = fate.sentence(&who(), &limits) {
        let _ = writeln!(io::stderr(), "\n{sentence}\n");
    }
    Ok(match fate {
        Fate::Finished(status) => status.code().unwrap_or(status::DIES),
        Fate::NeverEnds | Fate::ToldThatItDoesNotEnd => status::NEVER_ENDS,
        Fate::PrintsTooMuch => status::PRINTS_TOO_MUCH,
        // Leaving with 0 is no pass.
        Fate::Leaves(status) => status
            .code()
            .filter(|code| *code != 0)
            .unwrap_or(status::DIES),
        Fate::UsesUpMemory | Fate::OverflowsItsStack | Fate::Dies(_) | Fate::Stopped => {
            status::DIES
        }
    })
}

fn limits() -> Limits {
    let limits = Limits::default();
    let seconds = std::env::var(SECONDS).ok();
    match seconds.and_then(|it| it.trim().parse().ok()) {
        Some(seconds) => Limits {
            time: Duration::from_secs(seconds),
            ..limits
        },
        None => limits,
    }
}

fn hear(clues: &mut Clues, line: &str) -> ControlFlow<()> {
    clues.hear(line);
    ControlFlow::Continue(())
}

/// Prints what the child has printed, at once. Breaks when nobody reads it any more.
fn hand_on(stream: Stream, bytes: &[u8]) -> ControlFlow<()> {
    let handed = match stream {
        Stream::Out => print(&mut io::stdout().lock(), bytes),
        Stream::Err => print(&mut io::stderr().lock(), bytes),
    };
    match handed {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

fn print(to: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    match to.write_all(bytes) {
        // A console of Windows takes nothing but text.
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            to.write_all(String::from_utf8_lossy(bytes).as_bytes())?;
        }
        written => written?,
    }
    to.flush()
}

/// The harness colours its words if it prints to a terminal and captures what tests print. The child prints to a pipe, so
/// it has to be told.
fn colour() -> Option<&'static str> {
    let given = |what: &str| {
        std::env::args_os().any(|arg| arg.to_str().is_some_and(|arg| arg.starts_with(what)))
    };
    let captures = !given("--nocapture")
        && !given("--no-capture")
        && std::env::var_os("RUST_TEST_NOCAPTURE").is_none_or(|it| it == "0");
    let coloured = io::stdout().is_terminal() && captures && !given("--color");
    coloured.then_some("--color=always")
}

/// Whom the sentence is about: cargo tells a test program the name of its package.
fn who() -> String {
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    match package.strip_prefix("exercise-") {
        Some(number) => format!("Exercise {number}"),
        None if package.is_empty() => "The test program".into(),
        None => format!("`{package}`"),
    }
}

fn env_is(name: &str, value: &str) -> bool {
    std::env::var_os(name) == Some(OsString::from(value))
}
