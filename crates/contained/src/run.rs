use std::io::{self, Read};
use std::ops::ControlFlow;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::lines::Lines;
use crate::platform::Group;
use crate::{Limits, Stop};

/// How often the child's exit, the limits and [`Stop`] are looked at while it prints.
const GLANCE: Duration = Duration::from_millis(10);
/// The first glance once its output is closed: mostly it is gone then. Each further one takes twice as long to come.
const NEARLY_GONE: Duration = Duration::from_micros(200);
/// How long to wait for the rest of the output once the child is gone or killed.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Where something was printed.
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
    /// Through one pipe, in the order printed; everything is [`Stream::Out`].
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
/// When this returns, the child is gone and so is everything that it has started, as far as the platform can tell: the
/// crate's page says how far. The child's standard input is empty.
///
/// # Errors
///
/// When the program cannot be started.
pub fn run(
    command: Command,
    streams: Streams,
    limits: Limits,
    stop: &Stop,
    on_line: &mut dyn FnMut(Stream, &str) -> ControlFlow<()>,
) -> io::Result<Ended> {
    let mut lines = [Lines::new(limits.line), Lines::new(limits.line)];
    let ended = run_bytes(command, streams, limits, stop, &mut |stream, bytes| {
        lines[stream as usize].push(bytes, &mut |line| on_line(stream, line))
    })?;
    if let Ended::Stopped = ended {
        return Ok(ended);
    }
    for (stream, lines) in [Stream::Out, Stream::Err].into_iter().zip(&mut lines) {
        if lines.finish(&mut |line| on_line(stream, line)).is_break() {
            return Ok(Ended::Stopped);
        }
    }
    Ok(ended)
}

/// [`run`], for who wants the bytes as they come. `limits.line` means nothing here.
///
/// # Errors
///
/// When the program cannot be started, or nothing can be started that reads what it prints.
pub fn run_bytes(
    mut command: Command,
    streams: Streams,
    limits: Limits,
    stop: &Stop,
    on_bytes: &mut dyn FnMut(Stream, &[u8]) -> ControlFlow<()>,
) -> io::Result<Ended> {
    command.stdin(Stdio::null());
    let (send, printed) = mpsc::sync_channel(16);
    let mut child = match streams {
        Streams::Merged => {
            let (read, write) = io::pipe()?;
            command.stdout(write.try_clone()?).stderr(write);
            let child = Group::spawn(&mut command, &limits)?;
            // This side of the pipe, or the reader would never see its end.
            drop(command);
            pump(read, Stream::Out, send)?;
            child
        }
        Streams::Apart => {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = Group::spawn(&mut command, &limits)?;
            if let Some(out) = child.stdout() {
                pump(out, Stream::Out, send.clone())?;
            }
            if let Some(err) = child.stderr() {
                pump(err, Stream::Err, send)?;
            }
            child
        }
    };

    let mut deadline = Instant::now() + limits.time;
    let mut next_glance = Instant::now();
    let mut bytes = 0;
    let mut all_read = false;
    let mut nap = NEARLY_GONE;
    let ended = loop {
        if all_read {
            thread::sleep(nap);
            nap = GLANCE.min(2 * nap);
        } else {
            match printed.recv_timeout(GLANCE) {
                Ok((stream, chunk)) => {
                    bytes += chunk.len() as u64;
                    let handed_over = Instant::now();
                    if on_bytes(stream, &chunk).is_break() {
                        break Ended::Stopped;
                    }
                    // A child that waits until somebody has paged through what it printed is not slow.
                    deadline += handed_over.elapsed();
                }
                Err(RecvTimeoutError::Timeout) => {}
                // Both streams are closed; the child may still be alive.
                Err(RecvTimeoutError::Disconnected) => all_read = true,
            }
        }
        let now = Instant::now();
        if now < next_glance && !all_read {
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

    child.end();
    if matches!(ended, Ended::Stopped) {
        return Ok(ended);
    }
    // What the pipes still hold; a process that escaped may keep them open, so this wait has an end too.
    let mut last_words = Instant::now() + LAST_WORDS;
    while !all_read && bytes <= limits.output && Instant::now() < last_words {
        match printed.recv_timeout(GLANCE) {
            Ok((stream, chunk)) => {
                bytes += chunk.len() as u64;
                let handed_over = Instant::now();
                if on_bytes(stream, &chunk).is_break() {
                    return Ok(Ended::Stopped);
                }
                last_words += handed_over.elapsed();
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => all_read = true,
        }
    }
    if matches!(ended, Ended::Exited(_)) && bytes > limits.output {
        return Ok(Ended::OutOfOutput);
    }
    Ok(ended)
}

/// Reads a pipe to its end, on a thread of its own.
fn pump(
    mut pipe: impl Read + Send + 'static,
    stream: Stream,
    send: mpsc::SyncSender<(Stream, Vec<u8>)>,
) -> io::Result<()> {
    let reader = thread::Builder::new();
    reader.spawn(move || {
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
    })?;
    Ok(())
}
