//! For tests: this test program once more, as a worker that plays a part.
//!
//! A part is a test function as far as the harness knows. Run with all the others it finds no socket, and
//! does nothing. Started by [`play`] it is the only one that runs, in a process of its own.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{Launch, Process, Program, Socket, Started, become_worker};

const MARK: &str = "PROCPOOL_TEST_PART";

/// No wait in a test is longer than this.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// Starts the part, by the full name of its test function.
pub(crate) fn play(part: &str) -> Started {
    launch(part).start().expect("the test program starts again")
}

pub(crate) fn launch(part: &str) -> Launch {
    Launch {
        program: Program::This,
        arguments: [part, "--exact", "--nocapture", "--test-threads=1"]
            .map(Into::into)
            .to_vec(),
        environment: vec![(MARK.into(), part.into())],
        stdout: Stdio::null(),
        stderr: Stdio::null(),
    }
}

/// First line of a part. `None` in the ordinary run of the tests.
pub(crate) fn on_stage(part: &str) -> Option<Socket> {
    let asked = std::env::var_os(MARK)? == part;
    asked.then(|| become_worker().expect("started by `play`"))
}

/// Sends one number.
pub(crate) fn tell(socket: &Socket, number: u64) {
    socket
        .send(&number.to_le_bytes(), &[])
        .expect("the other side is there");
}

/// Receives one number, and what came with it. `None` if the other side is gone.
pub(crate) fn hear_with(socket: &Socket) -> Option<(u64, Vec<OwnedFd>)> {
    let mut bytes = [0; 8];
    let mut descriptors = VecDeque::new();
    let mut got = 0;
    while got < bytes.len() {
        match receive_within(socket, &mut bytes[got..], &mut descriptors) {
            Ok(0) | Err(_) => return None,
            Ok(several) => got += several,
        }
    }
    Some((u64::from_le_bytes(bytes), descriptors.into()))
}

pub(crate) fn hear(socket: &Socket) -> Option<u64> {
    hear_with(socket).map(|(number, _)| number)
}

/// As [`Socket::receive`], with an end.
pub(crate) fn receive_within(
    socket: &Socket,
    into: &mut [u8],
    descriptors: &mut VecDeque<OwnedFd>,
) -> io::Result<usize> {
    loop {
        match socket.try_receive(into, descriptors) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                assert!(readable(socket), "nothing came for {LONG:?}");
            }
            other => return other,
        }
    }
}

/// Waits for a descriptor to be readable, at most [`LONG`].
pub(crate) fn readable(fd: impl std::os::fd::AsFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec};
    let end = Instant::now() + LONG;
    loop {
        let rest = end.saturating_duration_since(Instant::now());
        let rest = Timespec::try_from(rest).expect("half a minute");
        let mut fds = [PollFd::new(&fd, PollFlags::IN)];
        match rustix::event::poll(&mut fds, Some(&rest)) {
            Ok(0) => return false,
            Ok(_) => return true,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => panic!("poll: {error}"),
        }
    }
}

/// A job that never ends and never looks up.
pub(crate) fn busy() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

/// The end of a process, at most [`LONG`] from now.
pub(crate) fn end_of(process: &mut Process) -> super::Exit {
    process.reap_within(LONG).expect("the process ends")
}

/// Any process, by its number, to be told of its end.
pub(crate) fn watch(pid: u64) -> OwnedFd {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).expect("a pid")).expect("not 0");
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).expect("it lives")
}

/// Stops a worker and its group, as a person with too little memory might, or lets them go on.
pub(crate) fn pause(process: &Process, paused: bool) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let group = Pid::from_raw(process.pid() as i32).expect("a pid");
    let signal = if paused { Signal::STOP } else { Signal::CONT };
    kill_process_group(group, signal).expect("it lives");
}
