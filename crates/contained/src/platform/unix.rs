//! A child at the head of a process group of its own, with a mark in its environment, and a watchman beside it.

use std::ffi::{OsString, c_int};
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};

use crate::Limits;

/// In the environment of the child and of everything it starts: the marks of the runs that they belong to.
const MARK: &str = "LOOPBOT_RUN";

const SIGKILL: c_int = 9;

/// The C library's functions that std keeps to itself. A crate with all of them would cost each learner's first build more time
/// than the rest of this one.
#[allow(unsafe_code)]
mod c {
    use std::ffi::c_int;

    // SAFETY: declared as POSIX has it, with `pid_t` as the `int` that it is wherever std runs. It takes numbers, touches no
    // memory, and answers to any of them.
    unsafe extern "C" {
        pub safe fn kill(pid: c_int, signal: c_int) -> c_int;
    }
}

/// A child that is ended together with all it has started.
pub(crate) struct Group {
    child: Child,
    /// Empty if those who left the group may live on.
    mark: String,
    watchman: Option<Watchman>,
}

impl Group {
    pub(crate) fn spawn(command: &mut Command, limits: &Limits) -> io::Result<Group> {
        let mark = format!("{:016x}", RandomState::new().hash_one(MARK));
        // A run inside of a run has both marks.
        let marks = match std::env::var_os(MARK) {
            Some(outer) => [outer, ":".into(), OsString::from(&mark)]
                .into_iter()
                .collect(),
            None => OsString::from(&mark),
        };
        // Without one it works too, unless we are killed.
        let wanted = if limits.may_leave { "" } else { &mark };
        let mut watchman = Watchman::hire(wanted).ok();
        let child = command.env(MARK, marks).process_group(0).spawn()?;
        if let Some(watchman) = &mut watchman {
            watchman.watch(child.id());
        }
        if let Some(bytes) = limits.memory {
            limit_memory(child.id(), bytes);
        }
        Ok(Group {
            child,
            mark: wanted.to_owned(),
            watchman,
        })
    }

    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    pub(crate) fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    pub(crate) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Kills everybody in the group and everybody with the mark, and waits for the child.
    pub(crate) fn end(&mut self) {
        // No answer is needed: an error means that nobody is left in the group, which is what is wanted.
        if let Ok(group) = c_int::try_from(self.child.id()) {
            c::kill(-group, SIGKILL);
        }
        if !self.mark.is_empty() {
            kill_marked(&self.mark);
        }
        // It cannot refuse that signal. (It may be waited for already; then this knows.)
        let _ = self.child.wait();
        if let Some(watchman) = self.watchman.take() {
            watchman.dismiss();
        }
    }
}

/// A process that waits for our end, and then does what we can no longer do: for Ctrl-C, for SIGKILL, for a closed pipe.
///
/// It hangs on a pipe of which we hold the other end and nobody else does. When we are gone, whatever the reason, the
/// kernel closes it. It has a group of its own, so that what ends our group does not end it. It is a shell, because it
/// must be another process and there is nothing else that is on every machine.
struct Watchman(Child);

/// It hears which group to watch, and then nothing any more. `$0` is the mark, if those who have it are to be killed, too.
const WATCH: &str = r#"
trap '' HUP INT QUIT TERM
read -r group
read -r end
[ -n "$group" ] && kill -s KILL -- "-$group"
[ -n "$0" ] && [ -r /proc/self/environ ] || exit
for round in 1 2 3; do
    for environ in $(grep -ls "$0" /proc/[0-9]*/environ); do
        pid=${environ#/proc/}
        kill -s KILL "${pid%/environ}"
    done
done
"#;

impl Watchman {
    fn hire(mark: &str) -> io::Result<Watchman> {
        Command::new("/bin/sh")
            .args(["-c", WATCH, mark])
            .env_remove(MARK)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(Watchman)
    }

    fn watch(&mut self, group: u32) {
        if let Some(leash) = &mut self.0.stdin {
            let _ = writeln!(leash, "{group}");
        }
    }

    /// Its work is done.
    fn dismiss(mut self) {
        // Before the leash is dropped, which would mean the opposite.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Kills who has the mark in the environment it was started with, in whatever group it is now.
#[cfg(target_os = "linux")]
fn kill_marked(mark: &str) {
    // Who starts others faster than they can be found is found the next time, or the time after that.
    const ROUNDS: usize = 100;
    for _ in 0..ROUNDS {
        let marked = marked(mark);
        if marked.is_empty() {
            return;
        }
        for pid in marked {
            c::kill(pid, SIGKILL);
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

#[cfg(not(target_os = "linux"))]
fn kill_marked(_: &str) {}

/// Everybody with the mark who is still alive. Those of other users cannot be read, and are none of ours.
#[cfg(target_os = "linux")]
fn marked(mark: &str) -> Vec<c_int> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            // That of a zombie is empty.
            let environ = std::fs::read(entry.path().join("environ")).ok()?;
            is_marked(&environ, mark).then_some(pid)
        })
        .collect()
}

/// A mark is long, and random: where it stands, it is no accident.
///
/// A loop of ours over all these bytes would take longer than the rest of a run, since this crate is mostly built without
/// optimisation. The C library is not.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn is_marked(environ: &[u8], mark: &str) -> bool {
    // SAFETY: as glibc and musl have it in <string.h>.
    unsafe extern "C" {
        fn memmem(
            haystack: *const u8,
            haystack_len: usize,
            needle: *const u8,
            needle_len: usize,
        ) -> *const u8;
    }
    // SAFETY: two slices, each with its length, and nobody writes to them.
    let found = unsafe { memmem(environ.as_ptr(), environ.len(), mark.as_ptr(), mark.len()) };
    !found.is_null()
}

/// What the child and each process that it starts may have: data, heap, threads' stacks.
///
/// Not the address space. A program maps much of that without ever using it: each thread that allocates may set
/// aside 64 MiB of it.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn limit_memory(child: u32, bytes: u64) {
    #[repr(C)]
    struct Limit {
        now: u64,
        at_most: u64,
    }
    const RLIMIT_DATA: c_int = 2;
    // SAFETY: as in <sys/resource.h>; the types are those of the 64-bit function on every architecture.
    unsafe extern "C" {
        fn prlimit64(pid: c_int, resource: c_int, new: *const Limit, old: *mut Limit) -> c_int;
    }
    let Ok(pid) = c_int::try_from(child) else {
        return;
    };
    let new = Limit {
        now: bytes,
        at_most: bytes,
    };
    // SAFETY: `new` is there until the call returns, and a null `old` means that nobody wants to know it.
    unsafe { prlimit64(pid, RLIMIT_DATA, &raw const new, std::ptr::null_mut()) };
}

#[cfg(not(target_os = "linux"))]
fn limit_memory(_: u32, _: u64) {}

/// Makes it start under the name that we were started with.
pub(crate) fn start_like_us(command: &mut Command) {
    if let Some(name) = std::env::args_os().next() {
        command.arg0(name);
    }
}

/// Whether a debugger holds us.
pub(crate) fn is_being_debugged() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let tracer = status.lines().find_map(|it| it.strip_prefix("TracerPid:"));
    tracer.is_some_and(|pid| pid.trim() != "0")
}

/// Whether standard output and standard error lead to the same place, as in a terminal or after `2>&1`.
pub(crate) fn prints_to_one_place() -> bool {
    let place = |stream: BorrowedFd<'_>| {
        let file = File::from(stream.try_clone_to_owned()?);
        file.metadata().map(|it| (it.dev(), it.ino()))
    };
    let places = (place(io::stdout().as_fd()), place(io::stderr().as_fd()));
    matches!(places, (Ok(out), Ok(err)) if out == err)
}

/// Whether it died of the abort with which Rust ends where it cannot go on.
pub(crate) fn has_given_up(status: ExitStatus) -> bool {
    status.signal() == Some(6)
}

pub(crate) fn crash(status: ExitStatus) -> Option<String> {
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::is_marked;

    #[test]
    fn a_mark_is_found_among_others() {
        let environ = b"A=\xff\0LOOPBOT_RUN=outer:inner\0B=1\0";
        assert!(is_marked(environ, "outer") && is_marked(environ, "inner"));
        for other in [&b""[..], b"A=1\0", b"LOOPBOT_RUN=inne\0r"] {
            assert!(!is_marked(other, "inner"), "{other:?}");
        }
    }
}
