//! Tests in which a whole program ends, is killed, or must be alone: this program once more, in another role.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitCode, ExitStatus, Output, Stdio};

use super::endings;
use super::waits::until;

/// By this argument the program knows that it has a role.
const ROLE: &str = "--role";

/// A role's name, and what is played. It returns what `main` returns, if it does.
pub type Play = (&'static str, fn() -> ExitCode);

/// The role this program was started for, if it was.
pub fn role() -> Option<String> {
    let mut arguments = env::args().skip(1);
    (arguments.next()? == ROLE).then(|| arguments.next())?
}

pub fn play(role: &str) -> ExitCode {
    match endings::PLAYS.iter().find(|(name, _)| *name == role) {
        Some((_, play)) => play(),
        None => {
            eprintln!("nobody plays {role}");
            ExitCode::FAILURE
        }
    }
}

/// A program in its role. It is ended when this is dropped.
pub struct Actor {
    process: Child,
    says: BufReader<ChildStdout>,
}

impl Actor {
    pub fn enters(role: &str) -> Actor {
        let this = env::current_exe().expect("this program has a path");
        Actor::enters_as(&this, role)
    }

    fn enters_as(program: &Path, role: &str) -> Actor {
        let mut process = command(program, role)
            .spawn()
            .expect("this program can be started");
        let says = BufReader::new(process.stdout.take().expect("it is piped"));
        Actor { process, says }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The numbers in the next line that it writes.
    pub fn numbers(&mut self) -> Vec<u32> {
        let mut line = String::new();
        self.says.read_line(&mut line).expect("it can be read");
        let numbers = line.split_whitespace().map(|word| word.parse());
        let numbers: Result<_, _> = numbers.collect();
        let numbers: Vec<u32> = numbers.unwrap_or_else(|_| panic!("it says {line:?}"));
        assert!(!numbers.is_empty(), "it ended without a word");
        numbers
    }

    /// Waits until it has ended by itself. Returns how, and what it wrote on stdout and stderr.
    #[track_caller]
    pub fn exits(mut self) -> (ExitStatus, String, String) {
        let mut stderr = self.process.stderr.take().expect("it is piped");
        let complaints = std::thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).map(|_| text)
        });
        let mut status = None;
        until("the program has ended", || {
            status = self.process.try_wait().expect("it is our child");
            status.is_some()
        });
        let mut stdout = String::new();
        self.says
            .read_to_string(&mut stdout)
            .expect("it can be read");
        let stderr = complaints.join().expect("it only reads");
        (
            status.expect("it has ended"),
            stdout,
            stderr.expect("it can be read"),
        )
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Plays a role to its end.
pub fn plays(role: &str) -> Output {
    ends(Actor::enters(role))
}

/// The same, by a copy of this program.
pub fn plays_as(program: &Path, role: &str) -> Output {
    ends(Actor::enters_as(program, role))
}

fn ends(actor: Actor) -> Output {
    let (status, stdout, stderr) = actor.exits();
    Output {
        status,
        stdout: stdout.into_bytes(),
        stderr: stderr.into_bytes(),
    }
}

fn command(program: &Path, role: &str) -> Command {
    let mut command = Command::new(program);
    command
        .args([ROLE, role])
        // A signal for its group, as a terminal sends it, must not reach the tests.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}
