//! Running a child program that may do anything: loop, print without end, start children of its own, crash.
//!
//! The child gets a process group of its own (a job object on Windows), so that it can be ended together with everything it
//! started. It is held to a time limit and an output limit. The calling thread reads its output line by line.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use platform::Group;

/// How often the child's exit, the limits and [`Stop`] are looked at while it prints nothing.
const GLANCE: Duration = Duration::from_millis(10);
/// How long to wait for the rest of the output once the child is gone or killed.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A flag that ends a contained run from another thread.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// A flag that is not raised.
    pub fn new() -> Stop {
        Stop::default()
    }

    /// Raises it: the run's process group is killed within a few milliseconds.
    pub fn now(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether both are the same flag.
    pub fn is_same(&self, other: &Stop) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether it is raised.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// What a child may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Wall time from start to exit.
    pub time: Duration,
    /// Bytes printed, on both streams together.
    pub output: u64,
    /// Bytes in one line; a longer one arrives in pieces of this size.
    pub line: usize,
}

/// Where a line was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output; with [`Streams::Merged`], standard error too.
    Out,
    /// Standard error.
    Err,
}

/// How the two output streams reach the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// Through one pipe, in the order printed; each line is [`Stream::Out`].
    Merged,
    /// Through a pipe each; their order against each other is lost.
    Apart,
}

/// How a contained run ended.
#[derive(Debug)]
pub enum Ended {
    /// By itself.
    Exited(ExitStatus),
    /// Killed at the time limit.
    OutOfTime,
    /// Killed at the output limit.
    OutOfOutput,
    /// Killed because [`Stop`] was raised or the reader asked for it.
    Stopped,
}

/// Runs `command` to its end. `on_line` sees each line without its line break, as text; breaking from it ends the run.
///
/// When this returns, the child is gone and so is everything in its group.
///
/// # Errors
///
/// When the program cannot be started.
pub fn run(
    mut command: Command,
    streams: Streams,
    limits: Limits,
    stop: &Stop,
    on_line: &mut dyn FnMut(Stream, &str) -> ControlFlow<()>,
) -> io::Result<Ended> {
    command.stdin(Stdio::null());
    let (send, printed) = mpsc::sync_channel(16);
    let mut child = match streams {
        Streams::Merged => {
            let (read, write) = io::pipe()?;
            command.stdout(write.try_clone()?).stderr(write);
            let child = Group::spawn(&mut command)?;
            // This side of the pipe, or the reader would never see its end.
            drop(command);
            pump(read, Stream::Out, send);
            child
        }
        Streams::Apart => {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = Group::spawn(&mut command)?;
            if let Some(out) = child.stdout() {
                pump(out, Stream::Out, send.clone());
            }
            if let Some(err) = child.stderr() {
                pump(err, Stream::Err, send);
            }
            child
        }
    };

    let deadline = Instant::now() + limits.time;
    let mut next_glance = Instant::now();
    let mut lines = [Lines::new(limits.line), Lines::new(limits.line)];
    let mut bytes = 0;
    let mut all_read = false;
    let ended = loop {
        match printed.recv_timeout(GLANCE) {
            Ok((stream, chunk)) => {
                bytes += chunk.len() as u64;
                if lines[stream as usize]
                    .push(&chunk, &mut |line| on_line(stream, line))
                    .is_break()
                {
                    break Ended::Stopped;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            // Both streams are closed; the child may still be alive.
            Err(RecvTimeoutError::Disconnected) => {
                all_read = true;
                thread::sleep(GLANCE);
            }
        }
        let now = Instant::now();
        if now < next_glance {
            continue;
        }
        next_glance = now + GLANCE;
        if stop.is_raised() {
            break Ended::Stopped;
        }
        if bytes > limits.output {
            break Ended::OutOfOutput;
        }
        if let Some(status) = child.try_wait()? {
            break Ended::Exited(status);
        }
        if now >= deadline {
            break Ended::OutOfTime;
        }
    };

    end_group(&mut child);
    if matches!(ended, Ended::Stopped) {
        return Ok(ended);
    }
    // What the pipes still hold; a process that left the group may keep them open, so this wait has an end too.
    let last_words = Instant::now() + LAST_WORDS;
    while !all_read && bytes <= limits.output && Instant::now() < last_words {
        match printed.recv_timeout(GLANCE) {
            Ok((stream, chunk)) => {
                bytes += chunk.len() as u64;
                if lines[stream as usize]
                    .push(&chunk, &mut |line| on_line(stream, line))
                    .is_break()
                {
                    return Ok(Ended::Stopped);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => all_read = true,
        }
    }
    if matches!(ended, Ended::Exited(_)) && bytes > limits.output {
        return Ok(Ended::OutOfOutput);
    }
    for (stream, lines) in [Stream::Out, Stream::Err].into_iter().zip(&mut lines) {
        if lines.finish(&mut |line| on_line(stream, line)).is_break() {
            return Ok(Ended::Stopped);
        }
    }
    Ok(ended)
}

/// How a program ended that did not exit by itself, in words: `None` for an ordinary exit status.
pub fn crash(status: ExitStatus) -> Option<String> {
    platform::crash(status)
}

fn end_group(child: &mut Group) {
    child.kill();
    let give_up = Instant::now() + Duration::from_secs(5);
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < give_up {
        thread::sleep(Duration::from_millis(1));
    }
}

fn pump(
    mut pipe: impl Read + Send + 'static,
    stream: Stream,
    send: mpsc::SyncSender<(Stream, Vec<u8>)>,
) {
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match pipe.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => {
                    if send.send((stream, buffer[..n].to_vec())).is_err() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    });
}

/// Cuts chunks of bytes into lines of bounded length.
struct Lines {
    partial: Vec<u8>,
    longest: usize,
}

impl Lines {
    fn new(longest: usize) -> Lines {
        Lines {
            partial: Vec::new(),
            longest: longest.max(1),
        }
    }

    fn push(
        &mut self,
        chunk: &[u8],
        on_line: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        for piece in chunk.split_inclusive(|&byte| byte == b'\n') {
            let (piece, complete) = match piece.strip_suffix(b"\n") {
                Some(piece) => (piece, true),
                None => (piece, false),
            };
            self.partial.extend_from_slice(piece);
            while self.partial.len() > self.longest {
                let rest = self.partial.split_off(self.longest);
                Self::tell(&self.partial, on_line)?;
                self.partial = rest;
            }
            if complete {
                Self::tell(&self.partial, on_line)?;
                self.partial.clear();
            }
        }
        ControlFlow::Continue(())
    }

    fn finish(&mut self, on_line: &mut dyn FnMut(&str) -> ControlFlow<()>) -> ControlFlow<()> {
        if self.partial.is_empty() {
            return ControlFlow::Continue(());
        }
        Self::tell(&std::mem::take(&mut self.partial), on_line)
    }

    fn tell(line: &[u8], on_line: &mut dyn FnMut(&str) -> ControlFlow<()>) -> ControlFlow<()> {
        on_line(String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).as_ref())
    }
}

#[cfg(unix)]
mod platform {
    use std::io;
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus};

    use rustix::process::{Pid, Signal, kill_process_group};

    /// A child at the head of a process group of its own.
    pub struct Group(Child);

    impl Group {
        pub fn spawn(command: &mut Command) -> io::Result<Group> {
            command.process_group(0).spawn().map(Group)
        }

        pub fn stdout(&mut self) -> Option<ChildStdout> {
            self.0.stdout.take()
        }

        pub fn stderr(&mut self) -> Option<ChildStderr> {
            self.0.stderr.take()
        }

        pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
            self.0.try_wait()
        }

        /// Kills everybody in the group.
        pub fn kill(&mut self) {
            // An error means that nobody is left in the group, which is what is wanted.
            let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        }
    }

    pub fn crash(status: ExitStatus) -> Option<String> {
        // The numbers that POSIX fixes; the others differ between systems and are named by number.
        status.signal().map(|signal| match signal {
            4 => "died of an illegal instruction (SIGILL)".into(),
            6 => "aborted (SIGABRT)".into(),
            8 => "died of an arithmetic fault (SIGFPE)".into(),
            9 => "was killed from outside (SIGKILL); out of memory is the usual reason".into(),
            11 => "died of an invalid memory access (SIGSEGV)".into(),
            15 => "was terminated from outside (SIGTERM)".into(),
            other => format!("was ended by signal {other}"),
        })
    }
}

#[cfg(windows)]
mod platform {
    use std::io;
    use std::process::{ChildStderr, ChildStdout, Command, ExitStatus};

    use process_wrap::std::{ChildWrapper, CommandWrap, JobObject};

    /// A child in a job object of its own.
    pub struct Group(Box<dyn ChildWrapper>);

    impl Group {
        pub fn spawn(command: &mut Command) -> io::Result<Group> {
            let command = std::mem::replace(command, Command::new(""));
            let mut group = CommandWrap::from(command);
            group.wrap(JobObject);
            group.spawn().map(Group)
        }

        pub fn stdout(&mut self) -> Option<ChildStdout> {
            self.0.stdout().take()
        }

        pub fn stderr(&mut self) -> Option<ChildStderr> {
            self.0.stderr().take()
        }

        pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
            self.0.try_wait()
        }

        /// Ends the job with everybody in it.
        pub fn kill(&mut self) {
            let _ = self.0.start_kill();
        }
    }

    pub fn crash(status: ExitStatus) -> Option<String> {
        match status.code()? as u32 {
            0xC000_0005 => Some("died of an invalid memory access".into()),
            0xC000_001D => Some("died of an illegal instruction".into()),
            0xC000_00FD => Some("overflowed its stack".into()),
            0xC000_0409 => Some("aborted".into()),
            code if code >= 0xC000_0000 => Some(format!("died of exception {code:#010x}")),
            _ => None,
        }
    }
}
