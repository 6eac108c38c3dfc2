//! A worker process, from start to end, as its parent sees it.
//!
//! # Start
//!
//! `std::process::Command` without `pre_exec`: then it uses `posix_spawn`, which does not copy the parent's
//! page tables. A fork beside one GiB of memory takes 19 ms, this takes half of one. The worker's end of the
//! socket is its standard input, so that it needs no number passed to it, and no other worker inherits it.
//!
//! # End
//!
//! The pidfd turns readable when the process is dead. It is then a zombie, and as long as it is one its
//! number belongs to it, and so does the number of its process group. In that moment, and in no later one,
//! it is safe to kill the group: whatever the worker's jobs have started. Then the zombie is reaped, by its
//! pidfd: no signal handler, and no other child's status taken.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};

use super::{Attachment, Socket, socket_pair};
use crate::os::Exit;

/// Which program a worker runs.
#[derive(Clone, Debug)]
pub(crate) enum Program {
    /// The one that runs now: the very same file, also if it has been replaced or deleted since.
    This,
    /// Another one.
    File(PathBuf),
}

/// All that is said before a worker starts.
#[derive(Debug)]
pub(crate) struct Launch {
    /// What to run.
    pub(crate) program: Program,
    /// Its arguments.
    pub(crate) arguments: Vec<OsString>,
    /// Environment variables, in addition to the parent's, or in their place.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// Where its output goes. `Stdio::piped()` gives the pipe in [`Started::stdout`].
    pub(crate) stdout: Stdio,
    /// Where its errors go. `Stdio::piped()` gives the pipe in [`Started::stderr`].
    pub(crate) stderr: Stdio,
}

/// A worker that has just been started.
#[derive(Debug)]
pub(crate) struct Started {
    /// The process.
    pub(crate) process: Process,
    /// The parent's end of its socket. The worker dies when it is closed: see [`crate::leash`].
    pub(crate) socket: Socket,
    /// Its output, if that was asked for. Reading does not wait (`WouldBlock`).
    pub(crate) stdout: Option<Attachment>,
    /// Its errors, if that was asked for. Reading does not wait (`WouldBlock`).
    pub(crate) stderr: Option<Attachment>,
}

impl Launch {
    /// Starts it. Returns when the new program has been loaded, so that a program that is not there is told
    /// here. About half a millisecond, whatever the size of the parent.
    ///
    /// # Errors
    ///
    /// The program does not exist or may not be run; out of processes or descriptors.
    pub(crate) fn start(self) -> io::Result<Started> {
        let (socket, theirs) = socket_pair()?;
        let mut command = match &self.program {
            Program::This => {
                let mut command = Command::new("/proc/self/exe");
                // For those who look at the list of processes.
                if let Some(name) = std::env::args_os().next() {
                    command.arg0(name);
                }
                command
            }
            Program::File(path) => Command::new(path),
        };
        let mut child = command
            .args(self.arguments)
            .envs(self.environment)
            .stdin(Stdio::from(theirs))
            .stdout(self.stdout)
            .stderr(self.stderr)
            .process_group(0)
            .spawn()
            .map_err(|error| {
                let name = match &self.program {
                    Program::This => "this program once more".to_owned(),
                    Program::File(path) => format!("the program {}", path.display()),
                };
                io::Error::new(error.kind(), format!("could not start {name}: {error}"))
            })?;
        // The worker's end is held by `command`. While it lives here, nobody sees the worker hang up.
        drop(command);
        let stdout = child
            .stdout
            .take()
            .map(|pipe| Arc::new(OwnedFd::from(pipe)));
        let stderr = child
            .stderr
            .take()
            .map(|pipe| Arc::new(OwnedFd::from(pipe)));
        // Nobody has waited for it yet, so the number is still its own, even if it is dead already.
        let process = Process::adopt(child.id())?;
        for pipe in [&stdout, &stderr].into_iter().flatten() {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        Ok(Started {
            process,
            socket,
            stdout,
            stderr,
        })
    }
}

/// A child process that leads a process group. Dropping it kills it, and the group, and reaps it.
#[derive(Debug)]
pub(crate) struct Process {
    pid: Pid,
    pidfd: OwnedFd,
    /// How it ended, once it has been reaped.
    exit: Option<Exit>,
}

impl AsFd for Process {
    /// For the poller: readable from the moment that the process is dead. Then call
    /// [`Process::try_reap`].
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Process {
    fn adopt(pid: u32) -> io::Result<Process> {
        let pid = i32::try_from(pid)
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::other("a process without a number"))?;
        match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Process {
                pid,
                pidfd,
                exit: None,
            }),
            Err(error) => {
                // It has started, and we could not look after it: out of descriptors.
                let _ = rustix::process::kill_process_group(pid, Signal::KILL);
                let _ = rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED);
                Err(io::Error::new(
                    io::Error::from(error).kind(),
                    format!("could not watch over a new worker, so it was ended: {error}"),
                ))
            }
        }
    }

    /// Its number. After it has been reaped, the number may be somebody else's: only for telling people.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// A descriptor to wait for its end with, which outlives `self`.
    ///
    /// # Errors
    ///
    /// Out of descriptors.
    pub(crate) fn end(&self) -> io::Result<OwnedFd> {
        self.pidfd.try_clone()
    }

    /// Ends it, and all of its group: `SIGKILL`. Does not wait for it. Harmless if it is dead already.
    pub(crate) fn kill(&self) {
        if self.exit.is_some() {
            return;
        }
        // First itself, by its pidfd: if a job has moved it to another group, it does not escape.
        let gone =
            rustix::process::pidfd_send_signal(&self.pidfd, Signal::KILL) == Err(Errno::SRCH);
        if gone && !self.is_zombie() {
            // Somebody else has reaped it. The number of the group may be anybody's.
            return;
        }
        let _ = rustix::process::kill_process_group(self.pid, Signal::KILL);
    }

    /// True if it is dead and nobody has reaped it.
    fn is_zombie(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        matches!(self.wait(options), Ok(Some(_)))
    }

    fn wait(&self, options: WaitIdOptions) -> rustix::io::Result<Option<Exit>> {
        loop {
            match rustix::process::waitid(WaitId::PidFd(self.pidfd.as_fd()), options) {
                Ok(None) => return Ok(None),
                Ok(Some(status)) => {
                    return Ok(Some(
                        match (status.exit_status(), status.terminating_signal()) {
                            (Some(code), _) => Exit::Code(code),
                            (None, Some(signal)) => Exit::Signal(signal),
                            (None, None) => Exit::Unknown,
                        },
                    ));
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// If it is dead: kills what is left of its group, reaps it, and says how it ended. `None` if it lives.
    /// Never waits. May be called again, and says the same again.
    pub(crate) fn try_reap(&mut self) -> Option<Exit> {
        if self.exit.is_some() {
            return self.exit;
        }
        let peek = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match self.wait(peek) {
            Ok(None) => None,
            Ok(Some(_)) => {
                // A zombie, and so the group's number is still its own.
                let _ = rustix::process::kill_process_group(self.pid, Signal::KILL);
                let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
                self.exit = Some(self.wait(options).ok().flatten().unwrap_or(Exit::Unknown));
                self.exit
            }
            Err(_) => {
                // No child of ours any more: somebody else has reaped it.
                self.exit = Some(Exit::Unknown);
                self.exit
            }
        }
    }

    /// Waits at most `limit` for it to be dead, then does as [`Process::try_reap`]. Blocks the thread.
    pub(crate) fn reap_within(&mut self, limit: Duration) -> Option<Exit> {
        if self.exit.is_none() {
            let limit = Timespec::try_from(limit).ok();
            let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
            // Interrupted or not, what counts is what try_reap finds.
            let _ = rustix::event::poll(&mut fds, limit.as_ref());
        }
        self.try_reap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.exit.is_none() {
            self.kill();
            // A killed process is gone within microseconds, unless the kernel holds it (a dead network
            // disk, say). Then it is better to leave a zombie than to hang.
            self.reap_within(Duration::from_secs(1));
        }
    }
}

/// How often the out-of-memory killer has struck, here or close by.
///
/// It leaves no note on its victim: a process that it killed looks like one that somebody killed. But it
/// counts. If the count has grown since we looked last, and a worker was found killed that we did not kill,
/// then that was it, as good as certainly.
#[derive(Debug)]
pub(crate) struct OomCounter {
    file: Option<PathBuf>,
    seen: u64,
}

impl OomCounter {
    /// Finds the counter of this process's memory control group, or else the one of the whole machine, and
    /// looks at it for the first time.
    pub(crate) fn new() -> OomCounter {
        let file = Self::candidates().find(|file| read_counter(file).is_some());
        let seen = file.as_deref().and_then(read_counter).unwrap_or(0);
        OomCounter { file, seen }
    }

    fn candidates() -> impl Iterator<Item = PathBuf> {
        let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let mut found = Vec::new();
        for line in groups.lines() {
            // number : controllers : path
            let mut parts = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
                continue;
            };
            let path = path.trim_start_matches('/');
            if controllers.is_empty() {
                let group = PathBuf::from("/sys/fs/cgroup").join(path);
                found.push(group.join("memory.events"));
            } else if controllers.split(',').any(|name| name == "memory") {
                let group = PathBuf::from("/sys/fs/cgroup/memory").join(path);
                found.push(group.join("memory.oom_control"));
            }
        }
        found.push(PathBuf::from("/proc/vmstat"));
        found.into_iter()
    }

    /// True if it has grown since the last call. Ask once for each worker found killed.
    pub(crate) fn has_grown(&mut self) -> bool {
        let now = self.file.as_deref().and_then(read_counter);
        let now = now.unwrap_or(self.seen);
        std::mem::replace(&mut self.seen, now) < now
    }
}

fn read_counter(file: &std::path::Path) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(' ')?;
        (key == "oom_kill").then(|| value.trim().parse().ok())?
    })
}
