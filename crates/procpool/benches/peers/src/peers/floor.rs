//! Not a pool: the least that could be done, as a measure for the others.
//!
//! Frames over Unix socket pairs, poll(2), one thread in the parent. It keeps almost no promise that a pool has to keep: no
//! errors, no futures, no limits; what a dead worker held goes to a fresh one. The window is how many jobs a worker holds
//! at a time; with more than one they go in one write.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, process, thread};

use memmap2::{Mmap, MmapMut};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use crate::jobs;
use crate::peer::Peer;

/// By this argument the program knows that it is a worker.
const WORKER: &str = "--floor-worker";

/// Length of what follows, which job, number of the job.
const HEAD: usize = 16;

/// So much is read at a time at least, if it is there.
const READ: usize = 1 << 18;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    NoOp,
    NextOfEach,
    Echo,
    Primes,
    Hold,
    HoldOnce,
    Spin,
    Touch,
    Sum,
}

const KINDS: [Kind; 9] = [
    Kind::NoOp,
    Kind::NextOfEach,
    Kind::Echo,
    Kind::Primes,
    Kind::Hold,
    Kind::HoldOnce,
    Kind::Spin,
    Kind::Touch,
    Kind::Sum,
];

/// Bytes that arrive and are taken away from the front.
#[derive(Default)]
struct Inbox {
    bytes: Vec<u8>,
    begin: usize,
    end: usize,
    /// The last descriptor that came along.
    descriptor: Option<OwnedFd>,
}

impl Inbox {
    /// One read. Zero bytes are the end.
    fn fill(&mut self, socket: &mut UnixStream) -> io::Result<usize> {
        self.make_room();
        let read = socket.read(&mut self.bytes[self.end..])?;
        self.end += read;
        Ok(read)
    }

    /// The same, and a descriptor may come along.
    fn fill_with_descriptor(&mut self, socket: &UnixStream) -> io::Result<usize> {
        self.make_room();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut with_it = RecvAncillaryBuffer::new(&mut space);
        let bytes = &mut [IoSliceMut::new(&mut self.bytes[self.end..])];
        let received = recvmsg(socket, bytes, &mut with_it, RecvFlags::CMSG_CLOEXEC)?;
        for message in with_it.drain() {
            if let RecvAncillaryMessage::ScmRights(mut descriptors) = message {
                self.descriptor = descriptors.next().or(self.descriptor.take());
            }
        }
        self.end += received.bytes;
        Ok(received.bytes)
    }

    fn make_room(&mut self) {
        if self.begin == self.end {
            (self.begin, self.end) = (0, 0);
        }
        let frame = self.frame_length();
        if self.bytes.len() < (self.begin + frame).max(self.end) + READ {
            self.bytes.copy_within(self.begin..self.end, 0);
            (self.begin, self.end) = (0, self.end - self.begin);
            let room = frame.max(self.end) + READ;
            if self.bytes.len() < room {
                self.bytes.resize(room, 0);
            }
        }
    }

    fn frame_length(&self) -> usize {
        match self.bytes[self.begin..self.end].first_chunk::<4>() {
            Some(length) => HEAD + u32::from_le_bytes(*length) as usize,
            None => 0,
        }
    }

    /// The next whole frame: which job, its number, the bytes.
    fn next(&mut self) -> Option<(u32, u64, Range<usize>)> {
        let there = self.end - self.begin;
        let length = self.frame_length();
        if there < HEAD || there < length {
            return None;
        }
        let head = &self.bytes[self.begin..self.begin + HEAD];
        let kind = u32::from_le_bytes(head[4..8].try_into().unwrap());
        let number = u64::from_le_bytes(head[8..16].try_into().unwrap());
        let body = self.begin + HEAD..self.begin + length;
        self.begin += length;
        Some((kind, number, body))
    }
}

fn put(out: &mut Vec<u8>, kind: u32, number: u64, body: &[u8]) {
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(body);
}

/// In a worker: serves, and never returns. Else returns at once.
pub fn worker_entry() {
    if env::args().nth(1).as_deref() != Some(WORKER) {
        return;
    }
    // Whoever waits for the next job sees the end of the socket. Whoever works does not: this thread does, and ends all.
    thread::spawn(|| {
        let stdin = io::stdin();
        let mut hang_up = [PollFd::new(&stdin, PollFlags::empty())];
        while poll(&mut hang_up, None) != Ok(1) {}
        process::exit(0);
    });
    let stdin = io::stdin().as_fd().try_clone_to_owned();
    let end = stdin.and_then(|fd| serve(UnixStream::from(fd)));
    process::exit(end.is_err().into());
}

fn serve(mut socket: UnixStream) -> io::Result<()> {
    let mut inbox = Inbox::default();
    let mut out = Vec::new();
    let mut shared: Option<Mmap> = None;
    while inbox.fill_with_descriptor(&socket)? > 0 {
        while let Some((kind, number, body)) = inbox.next() {
            let body = &inbox.bytes[body];
            let number_in_it = || u64::from_le_bytes(*body.first_chunk().unwrap());
            let text = || String::from_utf8_lossy(body).into_owned();
            let answer = match KINDS[kind as usize] {
                Kind::NoOp => jobs::no_op(number_in_it()),
                Kind::Primes => {
                    let to = u64::from_le_bytes(*body.last_chunk().unwrap());
                    jobs::primes((number_in_it(), to))
                }
                Kind::Hold => jobs::hold(text()).into(),
                Kind::HoldOnce => jobs::hold_once(text()).into(),
                Kind::Spin => jobs::spin(text()).into(),
                Kind::NextOfEach => {
                    put(&mut out, kind, number, body);
                    let begin = out.len() - body.len();
                    for word in out[begin..].as_chunks_mut::<8>().0 {
                        *word = jobs::next(u64::from_le_bytes(*word)).to_le_bytes();
                    }
                    continue;
                }
                Kind::Echo => {
                    put(&mut out, kind, number, body);
                    continue;
                }
                Kind::Touch => {
                    // It is mapped, touched, and let go.
                    let memory = map(inbox.descriptor.take())?;
                    memory[memory.len() / 2].into()
                }
                Kind::Sum => {
                    if inbox.descriptor.is_some() {
                        shared = Some(map(inbox.descriptor.take())?);
                    }
                    jobs::sum(shared.as_deref().unwrap_or_default())
                }
            };
            put(&mut out, kind, number, &answer.to_le_bytes());
        }
        socket.write_all(&out)?;
        out.clear();
    }
    Ok(())
}

fn map(descriptor: Option<OwnedFd>) -> io::Result<Mmap> {
    let descriptor = descriptor.ok_or_else(|| io::Error::other("no descriptor came along"))?;
    // SAFETY: both sides are this program, and nobody makes the memory shorter while it is mapped.
    unsafe { Mmap::map(&File::from(descriptor)) }
}

/// The parent's side, with a window of `WINDOW` jobs for each worker.
pub struct Floor<const WINDOW: usize> {
    workers: Vec<Worker>,
    /// Frames, one after the other, and where each of those that nobody has yet begins and ends.
    frames: Vec<u8>,
    queue: VecDeque<Range<usize>>,
    submitted: u64,
    outstanding: u64,
    /// Memory that the workers have too.
    shared: Option<MmapMut>,
}

struct Worker {
    process: Child,
    socket: UnixStream,
    inbox: Inbox,
    /// What it holds and has not answered: the oldest first.
    holds: VecDeque<Range<usize>>,
    /// The part of the frames that is still to be written.
    to_write: Range<usize>,
}

impl Worker {
    fn start() -> Worker {
        let (socket, theirs) = UnixStream::pair().expect("a socket pair");
        socket.set_nonblocking(true).expect("a socket");
        let process = Command::new(env::current_exe().expect("this program has a path"))
            .arg(WORKER)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .spawn()
            .expect("this program can be started");
        Worker {
            process,
            socket,
            inbox: Inbox::default(),
            holds: VecDeque::new(),
            to_write: 0..0,
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl<const WINDOW: usize> Floor<WINDOW> {
    fn submit(&mut self, kind: Kind, body: &[u8]) {
        let begin = self.frames.len();
        put(&mut self.frames, kind as u32, self.submitted, body);
        self.queue.push_back(begin..self.frames.len());
        self.submitted += 1;
        self.outstanding += 1;
    }

    /// Until every job is answered, or so many are left.
    fn work(&mut self, left: u64, mut answer: impl FnMut(&[u8])) {
        while self.outstanding > left {
            self.hand_out();
            let mut ready: Vec<PollFd> = self
                .workers
                .iter()
                .map(|worker| match worker.to_write.is_empty() {
                    true => PollFd::new(&worker.socket, PollFlags::IN),
                    false => PollFd::new(&worker.socket, PollFlags::IN | PollFlags::OUT),
                })
                .collect();
            poll(&mut ready, None).expect("poll");
            let readable: Vec<bool> = ready
                .iter()
                .map(|ready| ready.revents().intersects(PollFlags::IN | PollFlags::HUP))
                .collect();
            for (number, _) in readable.iter().enumerate().filter(|(_, yes)| **yes) {
                let worker = &mut self.workers[number];
                match worker.inbox.fill(&mut worker.socket) {
                    Ok(read) if read > 0 => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                    _ => {
                        self.replace(number);
                        continue;
                    }
                }
                while let Some((_, _, body)) = worker.inbox.next() {
                    answer(&worker.inbox.bytes[body]);
                    worker.holds.pop_front();
                    self.outstanding -= 1;
                }
            }
        }
        if self.outstanding == 0 {
            self.frames.clear();
        }
    }

    /// Fills the windows, and writes what can be written.
    fn hand_out(&mut self) {
        for worker in &mut self.workers {
            if worker.to_write.is_empty() && worker.holds.len() <= WINDOW / 2 {
                while worker.holds.len() < WINDOW
                    && let Some(frame) = self.queue.front().cloned()
                {
                    // What lies side by side goes in one write.
                    if worker.to_write.is_empty() {
                        worker.to_write = frame.clone();
                    } else if worker.to_write.end == frame.start {
                        worker.to_write.end = frame.end;
                    } else {
                        break;
                    }
                    self.queue.pop_front();
                    worker.holds.push_back(frame);
                }
            }
            while !worker.to_write.is_empty() {
                match worker.socket.write(&self.frames[worker.to_write.clone()]) {
                    Ok(written) => worker.to_write.start += written,
                    Err(_) => break, // Full, or dead, which reading will tell.
                }
            }
        }
    }

    fn replace(&mut self, number: usize) {
        let dead = std::mem::replace(&mut self.workers[number], Worker::start());
        for frame in dead.holds.iter().rev() {
            self.queue.push_front(frame.clone());
        }
    }

    /// A job without a body, which goes to the first worker, with a descriptor.
    fn submit_with(&mut self, kind: Kind, descriptor: Option<&OwnedFd>) {
        self.submit(kind, &[]);
        let frame = self.queue.pop_back().expect("it is there");
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut with_it = SendAncillaryBuffer::new(&mut space);
        let descriptors: Vec<_> = descriptor
            .iter()
            .map(|descriptor| descriptor.as_fd())
            .collect();
        if !descriptors.is_empty() {
            assert!(with_it.push(SendAncillaryMessage::ScmRights(&descriptors)));
        }
        let bytes = [IoSlice::new(&self.frames[frame.clone()])];
        let worker = &mut self.workers[0];
        sendmsg(&worker.socket, &bytes, &mut with_it, SendFlags::empty()).expect("there is room");
        worker.holds.push_back(frame);
    }

    fn one(&mut self, kind: Kind, body: &[u8]) -> u64 {
        self.submit(kind, body);
        self.sum()
    }

    fn sum(&mut self) -> u64 {
        let mut sum = 0;
        self.work(0, |body| {
            let words = body.as_chunks::<8>().0;
            sum += words
                .iter()
                .map(|word| u64::from_le_bytes(*word))
                .sum::<u64>();
        });
        sum
    }

    fn hold(&mut self, kind: Kind, places: &[String]) {
        for place in places {
            self.submit(kind, place.as_bytes());
        }
        self.hand_out();
    }
}

impl<const WINDOW: usize> Peer for Floor<WINDOW> {
    const FLOOD: u64 = 20_000 * WINDOW as u64;

    fn start() -> Floor<WINDOW> {
        Floor {
            workers: (0..2).map(|_| Worker::start()).collect(),
            frames: Vec::new(),
            queue: VecDeque::new(),
            submitted: 0,
            outstanding: 0,
            shared: None,
        }
    }

    fn round_trip(&mut self, number: u64) -> u64 {
        self.one(Kind::NoOp, &number.to_le_bytes())
    }

    fn flood(&mut self, jobs: u64) -> u64 {
        for number in 0..jobs {
            self.submit(Kind::NoOp, &number.to_le_bytes());
        }
        self.sum()
    }

    fn map(&mut self, items: u64) -> u64 {
        let mut sum = 0;
        let mut body = [0; 64 * 8];
        for chunk in 0..items / 64 {
            for (place, number) in body.as_chunks_mut::<8>().0.iter_mut().zip(chunk * 64..) {
                *place = number.to_le_bytes();
            }
            self.submit(Kind::NextOfEach, &body);
            // It takes only so many at a time: what it needs in memory is bounded.
            if chunk % 1024 == 1023 {
                sum += self.sum();
            }
        }
        sum + self.sum()
    }

    fn echo(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        self.submit(Kind::Echo, &bytes);
        self.work(0, |body| bytes.copy_from_slice(body));
        bytes
    }

    fn hand_over(&mut self, bytes: usize) -> Option<impl FnMut(&mut Self) + use<WINDOW>> {
        let (descriptor, _) = shared_memory(bytes);
        Some(move |floor: &mut Self| {
            floor.submit_with(Kind::Touch, Some(&descriptor));
            floor.sum();
        })
    }

    fn share(&mut self, bytes: &[u8]) -> Option<u64> {
        // The worker gets it once, and keeps it mapped.
        let mut descriptor = None;
        let memory = self.shared.get_or_insert_with(|| {
            let (fresh, memory) = shared_memory(bytes.len());
            descriptor = Some(fresh);
            memory
        });
        memory.copy_from_slice(bytes);
        self.submit_with(Kind::Sum, descriptor.as_ref());
        let mut sum = 0;
        self.work(0, |body| {
            sum = u64::from_le_bytes(*body.first_chunk().unwrap())
        });
        Some(sum)
    }

    fn primes(&mut self, ranges: &[(u64, u64)]) -> u64 {
        for (from, to) in ranges {
            let body = [from.to_le_bytes(), to.to_le_bytes()].concat();
            self.submit(Kind::Primes, &body);
        }
        self.sum()
    }

    fn fails(
        &mut self,
        places: [String; 2],
        queued: u64,
        kill: impl FnOnce() -> Instant,
    ) -> (Duration, u64) {
        self.hold(Kind::Hold, &places);
        for number in 0..queued {
            self.submit(Kind::NoOp, &number.to_le_bytes());
        }
        let killed = kill();
        // The dead worker is the first one. What it held counts as failed, and is not tried again.
        let mut byte = [PollFd::new(&self.workers[0].socket, PollFlags::IN)];
        poll(&mut byte, None).expect("poll");
        let known = killed.elapsed();
        self.workers[0] = Worker::start();
        self.outstanding -= 1;
        self.work(1, |_| {});
        (known, 1)
    }

    fn retried(&mut self, place: String, kill: impl FnOnce() -> Instant) -> Option<Duration> {
        self.hold(Kind::HoldOnce, &[place]);
        let killed = kill();
        self.work(0, |_| {});
        Some(killed.elapsed())
    }

    fn spin(&mut self, places: [String; 2]) {
        self.hold(Kind::Spin, &places);
    }

    fn queue(
        &mut self,
        places: [String; 2],
        jobs: u64,
        begun: impl FnOnce(),
        queued: impl FnOnce(),
    ) {
        self.hold(Kind::Hold, &places);
        begun();
        for number in 0..jobs {
            self.submit(Kind::NoOp, &number.to_le_bytes());
        }
        queued();
    }
}

fn shared_memory(bytes: usize) -> (OwnedFd, MmapMut) {
    use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
    let descriptor = memfd_create("floor", MemfdFlags::CLOEXEC).expect("shared memory");
    ftruncate(&descriptor, bytes as u64).expect("memory enough");
    // SAFETY: both sides are this program, and nobody makes the memory shorter while it is mapped.
    let mut memory = unsafe { MmapMut::map_mut(descriptor.as_raw_fd()) }.expect("it can be mapped");
    memory.fill(1);
    (descriptor, memory)
}
