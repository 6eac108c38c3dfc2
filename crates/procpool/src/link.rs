//! A living worker, as the pool holds it.

mod output;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flight::End;

use crate::core::{Core, Obituary, Ticket};
use crate::error::Death;
use crate::frame::{FOR_GOOD, Found, Head, Inbox, Kind, Tag};
use crate::os::{Attachment, Descriptor, Exit, OomCounter, Outbox, Process, Socket, Started};
use crate::page::Page;
use crate::reply::Order;
use crate::told::Told;
use crate::tray::Tray;
use crate::voice::{Lines, Voice};

/// What is needed to wait for a worker, without holding anything of the pool.
pub(crate) struct Eyes {
    pub(crate) socket: Socket,
    /// Readable when the process is dead.
    pub(crate) pidfd: Descriptor,
    /// Whether somebody who waits for this worker's only job looks at it, so that the driver need not.
    pub(crate) led: AtomicBool,
    /// Its output and its errors, if they are captured, and whether they have come to their end.
    pipes: [Option<Attachment>; 2],
    ended: [AtomicBool; 2],
}

impl Eyes {
    /// Those pipes from which something may come.
    pub(crate) fn open_pipes(&self) -> impl Iterator<Item = &Attachment> {
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
    /// How often jobs were taken back. Those that are sent bring it along, so that the worker knows them from earlier ones.
    pub(crate) round: u32,
    /// It has hung up. Its end will follow.
    pub(crate) deaf: bool,
    inbox: Inbox,
    gifts: VecDeque<Descriptor>,
    pub(crate) page: Page,
    tray: Tray,
    tail: output::Tail,
    lines: [Lines; 2],
    /// All that was written before the job of this number began has been read.
    read_to: u64,
    /// The item during which Rust's runtime said that it was refused memory.
    refused: Option<u64>,
    /// Why it cannot work, in its own words or ours.
    failure: Option<String>,
    pub(crate) killed: bool,
    pub(crate) told: Told,
}

impl Link {
    /// A worker that has just been started, and the first thing it is told.
    pub(crate) fn new(
        started: Started,
        page: Page,
        tray: Tray,
        briefing: &[u8],
        told: Told,
    ) -> io::Result<Link> {
        let pidfd = started.process.end()?;
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
                pipes: [started.stdout, started.stderr],
                ended: Default::default(),
            }),
            out,
            blocked: false,
            held: 0,
            round: 0,
            deaf: false,
            inbox: Inbox::default(),
            gifts: VecDeque::new(),
            page,
            tray,
            tail: output::Tail::default(),
            lines: Default::default(),
            read_to: 1,
            refused: None,
            failure: None,
            killed: false,
            told,
        };
        link.flush();
        Ok(link)
    }

    /// Adds a job to what will be sent.
    pub(crate) fn push(&mut self, head: Head, order: &Order) {
        let gifts = order.gifts.as_deref().cloned().unwrap_or_default();
        self.out.push(gifts, |bytes| {
            bytes.extend_from_slice(&head.to_bytes());
            bytes.extend_from_slice(order.args());
        });
        self.held += 1;
    }

    /// Takes back the jobs that it has not taken up, unless that is its first one too. Returns the number of the last
    /// that it has taken up.
    pub(crate) fn take_back(&mut self, first: u64) -> Option<u64> {
        let begun = self.page.take_back(first)?;
        self.round = self.round.wrapping_add(1);
        Some(begun)
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
                    let why = "the worker's program is of another version, or no worker at all";
                    core.break_down(why.to_owned());
                    self.kill();
                }
                Kind::Ready => core.ready(now, place),
                // It would fail again, and again in the same way.
                Kind::Failed if head.ticket == FOR_GOOD => {
                    core.break_down(String::from_utf8_lossy(body).into_owned());
                }
                Kind::Failed => {
                    let why = String::from_utf8_lossy(body);
                    self.failure = Some(format!("its initializer failed: {why}"));
                }
                Kind::Answer | Kind::Stopped => {
                    if !accept(now, place, core, &mut self.told, head, body, gifts) {
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
        autopsy: Autopsy<'_>,
    ) -> (Obituary, String) {
        let at = named(core, place);
        self.hear(now, place, core, autopsy.fingerprint);
        if let Some((head, body)) = self.tray.left_behind() {
            accept(now, place, core, &mut self.told, head, &body, Vec::new());
        }
        self.read_output(autopsy.voice, at, core.turn(place), true);
        let begun = Ticket(self.page.started());
        if let Some(next) = core.expected(place)
            && (next.ticket <= begun || self.told.job == Some(next.key))
        {
            self.told.ends(next.key, End::Cancelled);
        }
        let struck = autopsy.oom.has_grown();
        let how = match exit {
            _ if exit.is_kill() && struck && !self.killed => Death::OutOfMemory,
            Exit::Signal(6) if self.refused == Some(begun.0) => Death::OutOfMemory,
            Exit::Signal(signal) => Death::Signal(signal),
            Exit::Code(code) => Death::Exit(code),
            Exit::Unknown => Death::Exit(255),
        };
        let obituary = Obituary {
            pid: self.process.pid(),
            how,
            // What one does to oneself by accident is none of these.
            from_outside: !self.killed && matches!(how, Death::Signal(1 | 2 | 3 | 9 | 15)),
            begun,
            stderr_tail: match autopsy.tells_tail {
                true => self.tail.words(),
                false => String::new(),
            },
        };
        let why = self
            .failure
            .take()
            .unwrap_or_else(|| match self.tail.words().as_str() {
                "" => format!("the worker ended with {how} before it was ready"),
                tail => format!(
                    "the worker ended with {how} before it was ready: {}",
                    tail.trim_end()
                ),
            });
        (obituary, why)
    }
}

/// The number and the function of the job that a worker is at, as far as is known.
pub(crate) fn named(core: &mut Core<Order>, place: usize) -> Option<(u64, &'static str)> {
    let next = core.expected(place)?;
    Some((next.ticket.number(), next.payload.name))
}

/// What has to be known to say how a worker ended.
pub(crate) struct Autopsy<'a> {
    pub(crate) fingerprint: u64,
    /// Whether what it has written last goes into the error.
    pub(crate) tells_tail: bool,
    pub(crate) oom: &'a mut OomCounter,
    /// Where what it has written goes.
    pub(crate) voice: Option<&'a mut Voice>,
}

/// Works in an answer. What is known already is passed over: a tray may hold what the socket had brought before.
fn accept(
    now: u64,
    place: usize,
    core: &mut Core<Order>,
    told: &mut Told,
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
    if last {
        let how = match (head.kind, body.first()) {
            (Kind::Stopped, _) => End::Cancelled,
            (_, Some(&tag)) if tag == Tag::Panicked as u8 => End::Panicked,
            _ => End::Done,
        };
        told.ends(next.key, how);
    }
    if head.kind == Kind::Stopped {
        core.stopped(now, place);
    } else {
        next.payload.answered(body, gifts, last);
        core.answered(now, place, head.count, u64::from(head.took));
    }
    true
}
