//! Systems that are not Linux: every name is there, and nothing can be made.
//!
//! The types have no values, so that what is said about them is true without being said: the compiler knows
//! that none of their functions is ever called.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::marker::PhantomData;
use std::ops::BitOrAssign;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use super::{Exit, Memory};

/// What every function here answers.
pub(crate) const MISSING: &str = "procpool's worker processes need Linux so far (pidfd, memfd with seals, \
     descriptors over a Unix socket). Elsewhere use threads: the offload crate has the same shape";

fn missing<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, MISSING))
}

/// No such thing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Descriptor {}
pub(crate) type Attachment = Arc<Descriptor>;

#[derive(Debug)]
pub(crate) struct Socket(Descriptor);

pub(crate) fn socket_pair() -> io::Result<(Socket, Descriptor)> {
    missing()
}

impl From<Descriptor> for Socket {
    fn from(end: Descriptor) -> Socket {
        match end {}
    }
}

impl Socket {
    pub(crate) fn try_send(&self, _: &[u8], _: &[&Attachment]) -> io::Result<usize> {
        match self.0 {}
    }
    pub(crate) fn send(&self, _: &[u8], _: &[&Attachment]) -> io::Result<()> {
        match self.0 {}
    }
    pub(crate) fn try_receive(
        &self,
        _: &mut [u8],
        _: &mut VecDeque<Descriptor>,
    ) -> io::Result<usize> {
        match self.0 {}
    }
    pub(crate) fn receive(&self, _: &mut [u8], _: &mut VecDeque<Descriptor>) -> io::Result<usize> {
        match self.0 {}
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Program {
    This,
    File(PathBuf),
}

#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) program: Program,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) stdout: Stdio,
    pub(crate) stderr: Stdio,
}

#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) process: Process,
    pub(crate) socket: Socket,
    pub(crate) stdout: Option<Attachment>,
    pub(crate) stderr: Option<Attachment>,
}

impl Launch {
    pub(crate) fn start(self) -> io::Result<Started> {
        missing()
    }
}

#[derive(Debug)]
pub(crate) struct Process(Descriptor);

impl Process {
    pub(crate) fn pid(&self) -> u32 {
        match self.0 {}
    }
    pub(crate) fn end(&self) -> io::Result<Descriptor> {
        match self.0 {}
    }
    pub(crate) fn kill(&self) {
        match self.0 {}
    }
    pub(crate) fn try_reap(&mut self) -> Option<Exit> {
        match self.0 {}
    }
    pub(crate) fn reap_within(&mut self, _: Duration) -> Option<Exit> {
        match self.0 {}
    }
}

#[derive(Debug)]
pub(crate) struct OomCounter(());

impl OomCounter {
    pub(crate) fn new() -> OomCounter {
        OomCounter(())
    }
    pub(crate) fn has_grown(&mut self) -> bool {
        false
    }
}

#[derive(Debug)]
pub(crate) struct SharedMemory(Descriptor);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receiver {
    Reads,
    Writes,
}

impl SharedMemory {
    pub(crate) fn new(_: &str, _: usize, _: Receiver) -> io::Result<SharedMemory> {
        missing()
    }
    pub(crate) fn receive(file: Descriptor, _: usize, _: Receiver) -> io::Result<SharedMemory> {
        match file {}
    }
    pub(crate) fn as_ptr(&self) -> *const u8 {
        match self.0 {}
    }
    pub(crate) fn as_mut_ptr(&self) -> *mut u8 {
        match self.0 {}
    }
    pub(crate) fn len(&self) -> usize {
        match self.0 {}
    }
    pub(crate) fn to_give(&self) -> io::Result<Descriptor> {
        match self.0 {}
    }
    pub(crate) fn is_alone(&self) -> bool {
        match self.0 {}
    }
}

pub(crate) fn become_worker() -> io::Result<Socket> {
    missing()
}

pub(crate) fn limit_memory(_: u64) -> io::Result<()> {
    missing()
}

pub(crate) fn memory() -> Option<Memory> {
    None
}

pub(crate) fn leash(socket: Descriptor) -> ! {
    match socket {}
}

pub(crate) fn second(socket: &Socket) -> io::Result<Descriptor> {
    match socket.0 {}
}

/// Nothing can be waited for where nothing can be made.
#[derive(Debug)]
pub(crate) struct PollFd<'a>(PhantomData<&'a Descriptor>);

impl<'a> PollFd<'a> {
    pub(crate) fn new<T>(_: &'a T, _: PollFlags) -> PollFd<'a> {
        PollFd(PhantomData)
    }
    pub(crate) fn revents(&self) -> PollFlags {
        PollFlags::empty()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PollFlags(());

impl PollFlags {
    pub(crate) const IN: PollFlags = PollFlags(());
    pub(crate) const OUT: PollFlags = PollFlags(());
    pub(crate) fn empty() -> PollFlags {
        PollFlags(())
    }
    pub(crate) fn is_empty(self) -> bool {
        true
    }
}

impl BitOrAssign for PollFlags {
    fn bitor_assign(&mut self, _: PollFlags) {}
}

pub(crate) fn poll(_: &mut [PollFd<'_>], _: Option<Duration>) {}

pub(crate) fn read(pipe: &Attachment, _: &mut [u8]) -> io::Result<usize> {
    match **pipe {}
}
