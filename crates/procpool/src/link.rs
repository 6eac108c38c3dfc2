//! A living worker, as the pool holds it.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{ChildStderr, ChildStdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flight::{End, Event, Lane};

use crate::core::{Core, Obituary, Ticket};
use crate::error::Death;
use crate::frame::{Found, Head, Inbox, Kind, Tag};
use crate::os::{Attachment, Descriptor, Exit, OomCounter, Outbox, Process, Socket, Started};
use crate::page::Page;
use crate::reply::Order;
use crate::tray::Tray;

/// What is needed to wait for a worker, without holding anything of the pool.
pub(crate) struct Eyes {
    pub(crate) socket: Socket,
    /// Readable when the process is dead.
    pub(crate) pidfd: OwnedFd,
    /// Whether somebody who waits for this worker's only job looks at it, so that the driver need not.
    pub(crate) led: AtomicBool,
    /// Its output and its errors, if they are captured, and whether they have come to their end.
    pipes: [Option<OwnedFd>; 2],
    ended: [AtomicBool; 2],
}

impl Eyes {
    /// Those pipes from which something may come.
    pub(crate) fn open_pipes(&self) -> impl Iterator<Item = &OwnedFd> {
        let pipes = self.pipes.iter().zip(&self.ended);
        pipes.filter_map(|(pipe, ended)| pipe.as_ref().filter(|_| !ended.load(Ordering::Relaxed)))
    }
}

pub(crate) struct Link {
    pub(crate) process: Process,
    pub(crate) eyes: Arc<Eyes>,
    pub(crate) out: Outbox,
    /// The socket is full. Go on when it is writable.
    pub(crate) blocked: bool,
    /// So many jobs are in `out` and were not sent, because the worker has others.
    pub(crate) held: usize,
    /// It has hung up. Its end will follow.
    pub(crate) deaf: bool,
    inbox: Inbox,
    gifts: VecDeque<Descriptor>,
    pub(crate) page: Page,
    tray: Tray,
    pub(crate) stdout: Option<ChildStdout>,
    pub(crate) stderr: Option<ChildStderr>,
    pub(crate) tail: Tail,
    /// Why it cannot work, in its own words or ours.
    failure: Option<String>,
    pub(crate) killed: bool,
    pub(crate) lane: Lane,
}

/// The last that was written.
#[derive(Default)]
pub(crate) struct Tail(VecDeque<u8>);

impl Tail {
    const MOST: usize = 4096;

    fn add(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
        let over = self.0.len().saturating_sub(Tail::MOST);
        self.0.drain(..over);
    }

    fn words(&mut self) -> String {
        String::from_utf8_lossy(self.0.make_contiguous()).into_owned()
    }
}

impl Link {
    /// A worker that has just been started, and the first thing it is told.
    pub(crate) fn new(
        started: Started,
        page: Page,
        tray: Tray,
        briefing: &[u8],
        lane: Lane,
    ) -> io::Result<Link> {
        let pidfd = started.process.as_fd().try_clone_to_owned()?;
        let mut out = Outbox::default();
        let gifts: [Attachment; 2] = [page.to_give()?, tray.to_give()?];
        let head = Head {
            len: briefing.len() as u32,
            gifts: gifts.len() as u8,
            ..Head::of(Kind::Begin)
        };
        out.push(gifts, |bytes| {
            bytes.extend_from_slice(&head.to_bytes());
            bytes.extend_from_slice(briefing);
        });
        let mut link = Link {
            process: started.process,
            eyes: Arc::new(Eyes {
                socket: started.socket,
                pidfd,
                led: AtomicBool::new(false),
                pipes: [second(&started.stdout)?, second(&started.stderr)?],
                ended: Default::default(),
            }),
            out,
            blocked: false,
            held: 0,
            deaf: false,
            inbox: Inbox::default(),
            gifts: VecDeque::new(),
            page,
            tray,
            stdout: started.stdout,
            stderr: started.stderr,
            tail: Tail::default(),
            failure: None,
            killed: false,
            lane,
        };
        link.flush();
        Ok(link)
    }

    /// Adds a job to what will be sent.
    pub(crate) fn push(&mut self, head: Head, order: &Order) {
        let gifts = order.gifts.as_deref().cloned().unwrap_or_default();
        self.out.push(gifts, |bytes| {
            bytes.extend_from_slice(&head.to_bytes());
            bytes.extend_from_slice(&order.args);
        });
        self.held += 1;
    }

    /// Tells it that nothing more will come.
    pub(crate) fn quit(&mut self) {
        let head = Head::of(Kind::Quit).to_bytes();
        self.out.push([], |bytes| bytes.extend_from_slice(&head));
        self.flush();
    }

    /// Sends what the socket takes. If the worker is gone, that will be seen elsewhere.
    pub(crate) fn flush(&mut self) {
        self.held = 0;
        self.blocked = matches!(
            self.out.flush(&self.eyes.socket),
            Ok(crate::os::Flushed::Part)
        );
    }

    pub(crate) fn kill(&mut self) {
        self.killed = true;
        self.process.kill();
    }

    /// Reads all that the worker has said, and tells the core.
    pub(crate) fn hear(
        &mut self,
        now: u64,
        place: usize,
        core: &mut Core<Order>,
        fingerprint: u64,
    ) {
        while !self.deaf {
            let room = self.inbox.room();
            let wanted = room.len();
            match self.eyes.socket.try_receive(room, &mut self.gifts) {
                Ok(0) => self.deaf = true,
                Ok(read) => {
                    self.inbox.filled(read);
                    if !self.understand(now, place, core, fingerprint) {
                        self.give_up("what the worker sent makes no sense");
                    } else if read < wanted {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => self.deaf = true,
                Err(error) => self.give_up(&error.to_string()),
            }
        }
    }

    fn give_up(&mut self, why: &str) {
        self.failure.get_or_insert_with(|| why.to_owned());
        self.deaf = true;
        self.kill();
    }

    /// Works in all whole frames. `false` if one is not what it should be.
    fn understand(
        &mut self,
        now: u64,
        place: usize,
        core: &mut Core<Order>,
        fingerprint: u64,
    ) -> bool {
        loop {
            let (head, body, size) = match self.inbox.front() {
                Found::Frame(head, body, size) => (head, body, size),
                Found::Part(_) => return true,
                Found::Nonsense => return false,
            };
            let gifts = usize::from(head.gifts).min(self.gifts.len());
            let gifts: Vec<Descriptor> = self.gifts.drain(..gifts).collect();
            match head.kind {
                Kind::Hello if head.ticket.0 == fingerprint => core.said_hello(place),
                Kind::Hello => {
                    let why =
                        "the worker's program has another list of jobs, or is of another version";
                    self.failure = Some(why.to_owned());
                    self.kill();
                }
                Kind::Ready => core.ready(now, place),
                Kind::Failed => {
                    let why = String::from_utf8_lossy(body);
                    self.failure = Some(format!("its initializer failed: {why}"));
                }
                Kind::Answer | Kind::Stopped => {
                    if !accept(now, place, core, &self.lane, head, body, gifts) {
                        return false;
                    }
                }
                Kind::Begin | Kind::Job | Kind::Quit => return false,
            }
            self.inbox.took(size);
        }
    }

    /// The process is dead and reaped: works in what it had said and what it had left, and says how it ended.
    pub(crate) fn bury(
        mut self,
        now: u64,
        place: usize,
        core: &mut Core<Order>,
        exit: Exit,
        settings: &Autopsy,
        oom: &mut OomCounter,
    ) -> (Obituary, String) {
        self.hear(now, place, core, settings.fingerprint);
        if let Some((head, body)) = self.tray.left_behind() {
            accept(now, place, core, &self.lane, head, &body, Vec::new());
        }
        self.read_output();
        let begun = Ticket(self.page.started());
        if let Some(next) = core.expected(place)
            && next.ticket <= begun
            && self.lane.is_on()
        {
            self.lane.record(Event::JobEnd {
                job: next.key.number(),
                how: End::Cancelled,
            });
        }
        let oom = exit.is_kill() && !self.killed && oom.has_grown();
        let how = match exit {
            _ if oom => Death::OutOfMemory,
            // A Rust program aborts when it is refused memory.
            Exit::Signal(6) if settings.memory_limit => Death::OutOfMemory,
            Exit::Signal(signal) => Death::Signal(signal),
            Exit::Code(code) => Death::Exit(code),
            Exit::Unknown => Death::Exit(255),
        };
        let obituary = Obituary {
            pid: self.process.pid(),
            how,
            begun,
            stderr_tail: self.tail.words(),
        };
        let why = self
            .failure
            .take()
            .unwrap_or_else(|| match obituary.stderr_tail.as_str() {
                "" => format!("the worker ended with {how} before it was ready"),
                tail => format!(
                    "the worker ended with {how} before it was ready: {}",
                    tail.trim_end()
                ),
            });
        (obituary, why)
    }

    /// Reads the output that is captured.
    pub(crate) fn read_output(&mut self) {
        let tail = &mut self.tail;
        drain(&mut self.stdout, |_| {});
        drain(&mut self.stderr, |bytes| tail.add(bytes));
        self.eyes.ended[0].store(self.stdout.is_none(), Ordering::Relaxed);
        self.eyes.ended[1].store(self.stderr.is_none(), Ordering::Relaxed);
    }
}

fn second(pipe: &Option<impl AsFd>) -> io::Result<Option<OwnedFd>> {
    let pipe = pipe.as_ref().map(|pipe| pipe.as_fd().try_clone_to_owned());
    pipe.transpose()
}

/// What has to be known to say how a worker ended.
pub(crate) struct Autopsy {
    pub(crate) fingerprint: u64,
    pub(crate) memory_limit: bool,
}

fn drain(pipe: &mut Option<impl Read>, mut take: impl FnMut(&[u8])) {
    let mut buffer = [0; 4096];
    while let Some(open) = pipe {
        match open.read(&mut buffer) {
            Ok(0) => *pipe = None,
            Ok(read) => take(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(_) => *pipe = None,
        }
    }
}

/// Works in an answer. What is known already is passed over: a tray may hold what the socket had brought before.
fn accept(
    now: u64,
    place: usize,
    core: &mut Core<Order>,
    lane: &Lane,
    head: Head,
    body: &[u8],
    gifts: Vec<Descriptor>,
) -> bool {
    let Some(next) = core.expected(place) else {
        return true; // nobody asked; or it is a second copy
    };
    if head.ticket < next.ticket {
        return true;
    }
    if head.ticket > next.ticket || head.count == 0 || head.count > next.left {
        return false;
    }
    let last = head.count == next.left;
    if lane.is_on() && last {
        let how = match (head.kind, body.first()) {
            (Kind::Stopped, _) => End::Cancelled,
            (_, Some(&tag)) if tag == Tag::Panicked as u8 => End::Panicked,
            _ => End::Done,
        };
        lane.record(Event::JobEnd {
            job: next.key.number(),
            how,
        });
    }
    if head.kind == Kind::Stopped {
        core.stopped(now, place);
    } else {
        next.payload.answered(body, gifts, last);
        core.answered(now, place, head.count, u64::from(head.took));
    }
    true
}
