//! What a worker does first, on its own side.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::AddressFamily;
use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, Signal};

use super::Socket;
use crate::os::Memory;

/// Descriptors from here on are ours: those below are left to the jobs, whose libraries may think that they
/// know the first few.
const HIGH: i32 = 100;

/// Takes the control socket, which the parent has given as standard input, to where no job looks for it, and
/// puts an empty file in its place: a job that reads standard input finds the end of it.
///
/// # Errors
///
/// Standard input is not a socket: this process was not started by a pool.
pub(crate) fn become_worker() -> io::Result<Socket> {
    let stdin = rustix::stdio::stdin();
    if rustix::net::sockopt::socket_domain(stdin) != Ok(AddressFamily::UNIX) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "standard input is not the control socket of a pool: a worker is started by its pool, not by hand",
        ));
    }
    let socket = match rustix::io::fcntl_dupfd_cloexec(stdin, HIGH) {
        // The limit of open files lies below.
        Err(Errno::INVAL) => rustix::io::fcntl_dupfd_cloexec(stdin, 3)?,
        other => other?,
    };
    let empty = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdin(&empty)?;
    // If memory runs out, a worker shall go before its parent. Making oneself a likelier victim is allowed
    // to everybody; if it fails, the pool works all the same.
    let _ = std::fs::write("/proc/self/oom_score_adj", "500");
    Ok(Socket::from(socket))
}

/// From now on this process can have at most `bytes` of memory of its own; what does not fit is refused to
/// whoever asks for it, which ends a Rust program with an abort.
///
/// Counted is what is private and writable, not what is shared, mapped from files or reserved only. (The
/// limit of the whole address space, which is often used for this, counts the 64 MiB that the C library
/// reserves for every thread as well.) The processes that a job starts get the same limit, each for itself.
///
/// # Errors
///
/// The limit is above a hard limit that this process has already.
pub(crate) fn limit_memory(bytes: u64) -> io::Result<()> {
    let limit = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    rustix::process::setrlimit(Resource::Data, limit).map_err(|error| {
        io::Error::new(
            io::Error::from(error).kind(),
            format!("could not limit the worker's memory to {bytes} bytes: {error}"),
        )
    })
}

/// How much memory this process has; nothing if `/proc` does not say.
pub(crate) fn memory() -> Option<Memory> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    };
    Some(Memory {
        own: kib("RssAnon:")? << 10,
        peak: kib("VmHWM:")? << 10,
    })
}

/// Waits until nobody is left at the other end of `socket`, or until the process that made it is dead; then
/// ends this process, and all of its process group if it leads one. Never returns.
pub(crate) fn leash(socket: OwnedFd) -> ! {
    // Somebody may have stopped this process, and then this thread too. So let it be woken when its parent ends. (More
    // exactly, when the thread ends that started it. Too early is no harm: it has only been woken.)
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::CONT));
    watch(&socket);
    let leader = rustix::process::getpgrp() == rustix::process::getpid();
    if leader {
        let _ = rustix::process::kill_current_process_group(Signal::KILL);
    }
    let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::KILL);
    std::process::abort()
}

fn watch(socket: &OwnedFd) {
    // The socket alone is nearly enough. But if the parent has ever forked without exec, the child holds
    // the parent's end too, and nobody hangs up. So the parent itself is watched as well. It is told by
    // the socket, which knows who made it: that is more than the number of our parent process, which may be
    // a script in between.
    let parent =
        match maker(socket).map(|maker| rustix::process::pidfd_open(maker, PidfdFlags::empty())) {
            Some(Ok(pidfd)) => Some(pidfd),
            Some(Err(Errno::SRCH)) => return,
            // A system that does not let us, or a parent that has no number here (it lives in another container):
            // then the socket has to do.
            Some(Err(_)) | None => None,
        };
    loop {
        // No events asked of the socket: it then tells of hang-up alone, and a message does not wake us.
        let mut watched = vec![PollFd::new(socket, PollFlags::empty())];
        watched.extend(
            parent
                .as_ref()
                .map(|parent| PollFd::new(parent, PollFlags::IN)),
        );
        match rustix::event::poll(&mut watched, None) {
            Ok(0) | Err(Errno::INTR) => {}
            // Out of memory for a moment: nothing is known, so nothing is ended.
            Err(Errno::NOMEM | Errno::AGAIN) => std::thread::yield_now(),
            Ok(_) | Err(_) => return,
        }
    }
}

/// The process that made this pair of sockets.
fn maker(socket: &OwnedFd) -> Option<Pid> {
    // rustix has this too, but takes a process of another container, whose number is 0, for a valid one.
    let mut credentials = libc::ucred {
        pid: 0,
        uid: 0,
        gid: 0,
    };
    let mut size = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `size` bytes to `credentials`, which has that many, and any bytes
    // are a valid `ucred`.
    let error = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut size,
        )
    };
    if error != 0 {
        return None;
    }
    Pid::from_raw(credentials.pid)
}

/// A second descriptor of the socket, for the leash.
pub(crate) fn second(socket: &Socket) -> io::Result<OwnedFd> {
    match rustix::io::fcntl_dupfd_cloexec(socket.as_fd(), HIGH) {
        Err(Errno::INVAL) => Ok(rustix::io::fcntl_dupfd_cloexec(socket.as_fd(), 3)?),
        other => Ok(other?),
    }
}
