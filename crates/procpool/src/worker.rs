//! The worker's side: a process that does one job after the other.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::process::exit;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::blob;
use crate::core::Ticket;
use crate::error::Panic;
use crate::frame::{FOR_GOOD, Found, Head, Inbox, Kind, Tag};
use crate::growth::Growth;
use crate::jobs::Jobs;
use crate::leash;
use crate::os::{self, Attachment, Descriptor, Socket};
use crate::page::Page;
use crate::tray::Tray;

/// The argument that makes a program a worker. It is an argument and not an environment variable, so that programs
/// that a job starts do not take themselves for workers.
pub(crate) const ARGUMENT: &str = "--procpool-worker";
/// The environment variable that says how deep pools are nested. This one is for the jobs' children as well.
pub(crate) const DEPTH: &str = "PROCPOOL_DEPTH";

/// The exit code of a worker that cannot work: what it has to say is on stderr.
const CANNOT: i32 = 70;

/// What a worker is told before its first job.
#[derive(Serialize, Deserialize)]
pub(crate) struct Briefing {
    pub(crate) memory_limit: Option<u64>,
    pub(crate) max_growth: Option<u64>,
    pub(crate) spin: Duration,
    /// A function's place in the list, and its argument.
    pub(crate) initializer: Option<(u16, Vec<u8>)>,
    /// The pool's list of jobs: their names, and what stands for their types.
    pub(crate) jobs: Vec<(String, u64)>,
}

/// The page of this process, if it is a worker.
static PAGE: OnceLock<Page> = OnceLock::new();

thread_local! {
    /// The way out for answers. On the thread that does the jobs, nowhere else.
    static OUT: RefCell<Option<Out>> = const { RefCell::new(None) };
    /// Whether this thread is in a job, and what its last panic said.
    static IN_JOB: Cell<bool> = const { Cell::new(false) };
    static LAST_PANIC: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

// ANCHOR: entry
/// The first line of main in every program that has a pool.
///
/// In a worker process it serves the pool and never returns. Everywhere else it returns at once.
///
/// What comes before this line is done by every worker as well. A job finds the end of file on standard input. If the
/// pool's process ends, however that happens, the worker ends too, with everything its jobs have started.
pub fn worker_entry(jobs: impl FnOnce() -> Jobs) {
    if std::env::args_os().nth(1) != Some(OsString::from(ARGUMENT)) {
        return;
    }
    let socket = match os::become_worker() {
        Ok(socket) => socket,
        Err(error) => cannot(&error),
    };
    match serve(socket, &jobs()) {
        Ok(()) => exit(0),
        Err(error) => cannot(&error),
    }
}

fn cannot(error: &io::Error) -> ! {
    if matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    ) {
        exit(0); // the pool is gone, and nobody is left who could want an answer
    }
    eprintln!("a worker of a process pool cannot go on: {error}");
    exit(CANNOT)
}

/// In a job: whether it has been asked to stop, because of its time limit or because it was cancelled. A job that takes
/// long asks now and then, and returns early; its worker then need not be killed. Always `false` outside of a worker.
pub fn cancelled() -> bool {
    PAGE.get().is_some_and(|page| {
        let ticket = page.started();
        ticket != 0 && page.is_cancelled(ticket)
    })
}

/// How deep in pools this process is: 0 in a program that was started by hand, 1 in its workers and what they start,
/// and so on.
pub fn depth() -> u32 {
    let depth = std::env::var(DEPTH).ok();
    depth.and_then(|depth| depth.parse().ok()).unwrap_or(0)
}

fn serve(socket: Socket, jobs: &Jobs) -> io::Result<()> {
    leash::put_on(&socket)?;
    let mut source = Source {
        socket: Socket::from(os::second(&socket)?),
        inbox: Inbox::default(),
        out: 0,
        gifts: VecDeque::new(),
        spin: Duration::ZERO,
    };
    let Some(Message { body, gifts, .. }) = source.next()? else {
        return Ok(());
    };
    let briefing: Briefing = postcard::from_bytes(body).map_err(strange)?;
    let mut gifts = gifts.into_iter();
    let (Some(page), Some(tray)) = (gifts.next(), gifts.next()) else {
        return Err(io::Error::other("the pool sent no memory to write in"));
    };
    let page = PAGE.get_or_init(|| page_or_end(page));
    OUT.set(Some(Out {
        socket,
        tray: Tray::receive(tray)?,
        since: Instant::now(),
    }));
    hook_panics();
    if let Some(why) = jobs.differ_from(&briefing.jobs) {
        return say(Kind::Failed, FOR_GOOD.0, why.as_bytes());
    }
    say(Kind::Hello, jobs.fingerprint(), &[])?;
    if let Some(bytes) = briefing.memory_limit {
        os::limit_memory(bytes)?;
    }
    if let Some((function, arg)) = briefing.initializer
        && let Err(why) = initialize(jobs, function, &arg, page)
    {
        return say(Kind::Failed, 0, why.as_bytes());
    }
    let mut growth = Growth::new(briefing.max_growth);
    source.spin = briefing.spin;
    say(Kind::Ready, 0, &[])?;
    while let Some(Message { head, body, gifts }) = source.next()? {
        match (head.kind, jobs.get(head.function)) {
            // The pool has given it to somebody else meanwhile.
            (Kind::Job, _) if !page.take_up(head.took, head.ticket.number()) => {}
            (Kind::Job, Some(entry)) => {
                let mut batch = Batch {
                    args: body,
                    gifts,
                    head,
                    page,
                    init: None,
                };
                (entry.run)(&mut batch);
                drop(batch);
                growth.look(page);
                with_out(Out::flush)?;
            }
            (Kind::Quit, _) => break,
            _ => return Err(strange("a frame that is not for a worker")),
        }
    }
    Ok(())
}

fn page_or_end(descriptor: Descriptor) -> Page {
    Page::receive(descriptor).unwrap_or_else(|error| cannot(&error))
}

fn strange(what: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_string())
}

/// Runs the initializer as a job of number 0, whose answer is whether it failed.
fn initialize(jobs: &Jobs, function: u16, arg: &[u8], page: &Page) -> Result<(), String> {
    let Some(entry) = jobs.get(function) else {
        return Err("the initializer is not in the worker's list of jobs".to_owned());
    };
    let mut batch = Batch {
        args: arg,
        gifts: Vec::new(),
        head: Head {
            count: 1,
            ..Head::of(Kind::Job)
        },
        page,
        init: Some(Ok(())),
    };
    (entry.run)(&mut batch);
    batch.init.unwrap_or(Ok(()))
}
// ANCHOR_END: entry

/// A frame that has come, with all that belongs to it.
struct Message<'a> {
    head: Head,
    body: &'a [u8],
    gifts: Vec<Descriptor>,
}

/// Where frames come from.
struct Source {
    socket: Socket,
    inbox: Inbox,
    /// The size of the frame that was given out last.
    out: usize,
    gifts: VecDeque<Descriptor>,
    /// How long to look for more before going to sleep.
    spin: Duration,
}

impl Source {
    /// The next frame; `None` when the pool has hung up.
    fn next(&mut self) -> io::Result<Option<Message<'_>>> {
        self.inbox.took(std::mem::take(&mut self.out));
        while let Found::Part(_) = self.inbox.front() {
            let read = self.receive()?;
            if read == 0 {
                return Ok(None);
            }
            self.inbox.filled(read);
            with_out(|out| {
                out.since = Instant::now();
                Ok(())
            })?;
        }
        let Found::Frame(head, body, size) = self.inbox.front() else {
            return Err(strange("what came is no frame"));
        };
        self.out = size;
        let gifts = usize::from(head.gifts).min(self.gifts.len());
        let gifts = self.gifts.drain(..gifts).collect();
        Ok(Some(Message { head, body, gifts }))
    }

    /// Waits for bytes: a moment without sleeping, if that is wanted, then asleep.
    fn receive(&mut self) -> io::Result<usize> {
        let (room, begun) = (self.inbox.room(), Instant::now());
        while begun.elapsed() < self.spin {
            match self.socket.try_receive(room, &mut self.gifts) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
        }
        self.socket.receive(room, &mut self.gifts)
    }
}

// ANCHOR: batch
/// The items of one job, one after the other.
pub(crate) struct Batch<'a> {
    args: &'a [u8],
    gifts: Vec<Descriptor>,
    head: Head,
    page: &'a Page,
    /// For the initializer: what became of it, in place of an answer.
    init: Option<Result<(), String>>,
}

/// What became of an item.
enum Outcome<R> {
    Value(R),
    Unreadable(String),
}

impl Batch<'_> {
    /// Runs the function for every item from the ticket's on.
    pub(crate) fn run<F, A, R>(&mut self, function: &F)
    where
        F: Fn(A) -> R,
        A: DeserializeOwned,
        R: Serialize,
    {
        let number = self.head.ticket.number();
        let from = self.head.ticket.item();
        // Descriptors belong to the message, so with any, all its arguments are read at once.
        let mut args = (!self.gifts.is_empty()).then(|| self.read_all::<A>().into_iter());
        for item in 0..self.head.count {
            let ticket = Ticket::new(number, item);
            if item >= from {
                // From here on, it is this item's fault. Reading its argument is part of it.
                self.page.start(ticket.0);
            }
            let run = || {
                let arg = match &mut args {
                    Some(args) => args
                        .next()
                        .unwrap_or_else(|| Err("it is missing".to_owned())),
                    None => self.read(),
                };
                match arg {
                    Ok(_) if item < from => None, // it was done, or lost, by another worker
                    Ok(arg) => Some(Outcome::Value(function(arg))),
                    Err(why) => Some(Outcome::Unreadable(why)),
                }
            };
            IN_JOB.set(true);
            let outcome = catch_unwind(AssertUnwindSafe(run));
            let unreadable = matches!(outcome, Ok(Some(Outcome::Unreadable(_))));
            self.answer(ticket, outcome);
            IN_JOB.set(false);
            if unreadable && args.is_none() {
                // Nobody knows where the next argument begins.
                for item in item.max(from) + 1..self.head.count {
                    let why = "an argument before it in the same chunk cannot be read".to_owned();
                    self.answer::<R>(
                        Ticket::new(number, item),
                        Ok(Some(Outcome::Unreadable(why))),
                    );
                }
                return;
            }
        }
    }

    fn read<A: DeserializeOwned>(&mut self) -> Result<A, String> {
        let (arg, rest) = blob::reading(Vec::new(), || postcard::take_from_bytes(self.args))
            .map_err(|error| format!("the argument: {error}"))?;
        self.args = rest;
        Ok(arg)
    }

    fn read_all<A: DeserializeOwned>(&mut self) -> Vec<Result<A, String>> {
        self.page.start(self.head.ticket.0);
        let mut bytes = self.args;
        let mut read = || {
            let arg =
                postcard::take_from_bytes(bytes).map_err(|error| format!("the argument: {error}"));
            arg.map(|(arg, rest)| {
                bytes = rest;
                arg
            })
        };
        let gifts = std::mem::take(&mut self.gifts);
        blob::reading(gifts, || (0..self.head.count).map(|_| read()).collect())
    }

    /// Says what became of an item. The value is gone when this returns.
    fn answer<R: Serialize>(
        &mut self,
        ticket: Ticket,
        outcome: Result<Option<Outcome<R>>, Box<dyn Any + Send>>,
    ) {
        let outcome = match outcome {
            Ok(None) => return,
            Ok(Some(outcome)) => Ok(outcome),
            Err(payload) => Err(last_panic(payload)),
        };
        if let Some(init) = &mut self.init {
            *init = match outcome {
                Ok(Outcome::Value(_)) => Ok(()),
                Ok(Outcome::Unreadable(why)) => Err(why),
                Err(panic) => Err(panic.to_string()),
            };
            return;
        }
        let sent = match outcome {
            // Only what was asked to stop may have stopped early; what it returns then means nothing.
            Ok(Outcome::Value(_)) if self.page.is_cancelled(ticket.0) => stopped(ticket),
            Ok(Outcome::Value(value)) => {
                let sent = catch_unwind(AssertUnwindSafe(|| answer(ticket, Tag::Value, &value)));
                match sent {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(Unsent::Io(error))) => Err(error),
                    Ok(Err(Unsent::Encode(why))) => answer_or_io(ticket, Tag::Encode, &why),
                    Err(payload) => answer_or_io(ticket, Tag::Panicked, &last_panic(payload)),
                }
            }
            Ok(Outcome::Unreadable(why)) => answer_or_io(ticket, Tag::Decode, &why),
            Err(panic) => answer_or_io(ticket, Tag::Panicked, &panic),
        };
        if let Err(error) = sent {
            cannot(&error); // the pool is gone; so will this process be
        }
    }
}
// ANCHOR_END: batch

/// The way out: answers are collected in the tray, and sent when the job is over or the tray is full.
struct Out {
    socket: Socket,
    tray: Tray,
    /// Since when time counts for the next frame.
    since: Instant,
}

/// Why an answer is not on its way.
enum Unsent {
    Encode(String),
    Io(io::Error),
}

impl From<io::Error> for Unsent {
    fn from(error: io::Error) -> Unsent {
        Unsent::Io(error)
    }
}

impl Out {
    fn flush(&mut self) -> io::Result<()> {
        let took = self.took();
        if let Some(frame) = self.tray.frame(took) {
            self.socket.send(frame, &[])?;
            self.tray.clear();
        }
        Ok(())
    }

    /// Nanoseconds since the last time.
    fn took(&mut self) -> u32 {
        let before = std::mem::replace(&mut self.since, Instant::now());
        let took = self.since.duration_since(before).as_nanos();
        u32::try_from(took).unwrap_or(u32::MAX)
    }

    fn send(&mut self, head: Head, body: &[u8], with: &[Attachment]) -> io::Result<()> {
        self.flush()?;
        let len = u32::try_from(body.len()).map_err(|_| strange("an answer of 4 GiB or more"))?;
        let mut frame = Vec::with_capacity(Head::SIZE + body.len());
        let head = Head {
            len,
            gifts: with.len() as u8,
            took: self.took(),
            ..head
        };
        frame.extend_from_slice(&head.to_bytes());
        frame.extend_from_slice(body);
        let with: Vec<&Attachment> = with.iter().collect();
        self.socket.send(&frame, &with)
    }
}

fn with_out(act: impl FnOnce(&mut Out) -> io::Result<()>) -> io::Result<()> {
    OUT.with_borrow_mut(|out| out.as_mut().map_or(Ok(()), act))
}

fn say(kind: Kind, number: u64, body: &[u8]) -> io::Result<()> {
    let head = Head {
        ticket: Ticket(number),
        ..Head::of(kind)
    };
    with_out(|out| out.send(head, body, &[]))
}

fn stopped(ticket: Ticket) -> io::Result<()> {
    let head = Head {
        ticket,
        count: 1,
        ..Head::of(Kind::Stopped)
    };
    with_out(|out| out.send(head, &[], &[]))
}

/// Puts an answer into the tray, or sends it by itself if it is too large or brings descriptors along.
///
/// The value is serialised while nothing of ours is borrowed but the tray; it may panic, and is not in the tray then.
fn answer<T: Serialize>(ticket: Ticket, tag: Tag, value: &T) -> Result<(), Unsent> {
    OUT.with_borrow_mut(|out| {
        let Some(out) = out else { return Ok(()) };
        let mut gone_wrong = None;
        let mut put = |room: &mut [u8]| {
            let (first, rest) = room.split_first_mut()?;
            *first = tag as u8;
            let (written, gifts) =
                blob::writing(|| postcard::to_slice(value, rest).map(|used| used.len()));
            match written {
                Ok(used) if gifts.is_none() => Some(1 + used),
                Ok(_) | Err(postcard::Error::SerializeBufferFull) => None,
                Err(error) => {
                    gone_wrong = Some(Unsent::Encode(format!("the result: {error}")));
                    None
                }
            }
        };
        if out.tray.add(ticket, &mut put) {
            return Ok(());
        }
        if let Some(wrong) = gone_wrong {
            return Err(wrong);
        }
        let (bytes, gifts) = blob::writing(|| postcard::to_extend(value, vec![tag as u8]));
        let bytes = bytes.map_err(|error| Unsent::Encode(format!("the result: {error}")))?;
        let gifts = gifts.as_deref().map_or(&[][..], Vec::as_slice);
        if gifts.len() > MOST_GIFTS {
            return Err(Unsent::Encode(format!(
                "the result has more than {MOST_GIFTS} blobs"
            )));
        }
        if u32::try_from(bytes.len()).is_err() {
            return Err(Unsent::Encode("the result has 4 GiB or more".to_owned()));
        }
        let head = Head {
            ticket,
            count: 1,
            ..Head::of(Kind::Answer)
        };
        Ok(out.send(head, &bytes, gifts)?)
    })
}

/// How many blobs a message can bring along.
pub(crate) const MOST_GIFTS: usize = 253;

/// The same for what can always be serialised.
fn answer_or_io<T: Serialize>(ticket: Ticket, tag: Tag, value: &T) -> io::Result<()> {
    match answer(ticket, tag, value) {
        Ok(()) => Ok(()),
        Err(Unsent::Io(error)) => Err(error),
        Err(Unsent::Encode(why)) => Err(strange(why)),
    }
}

// ANCHOR: panic
/// Notes where and why a job panics, in place of printing it: it is told to whoever awaits the job.
fn hook_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !IN_JOB.get() {
            return usual(info); // a thread that a job has started
        }
        let panic = describe(info);
        if cfg!(panic = "abort") {
            // This process ends when the hook returns. So it is said now.
            if let Some(page) = PAGE.get() {
                let _ = answer_or_io(Ticket(page.started()), Tag::Panicked, &panic);
                let _ = with_out(Out::flush);
            }
        }
        LAST_PANIC.set(Some(panic));
    }));
}

fn describe(info: &PanicHookInfo<'_>) -> Panic {
    Panic {
        message: words(info.payload()),
        location: info.location().map(ToString::to_string).unwrap_or_default(),
        backtrace: {
            let backtrace = std::backtrace::Backtrace::capture();
            match backtrace.status() {
                std::backtrace::BacktraceStatus::Captured => backtrace.to_string(),
                _ => String::new(),
            }
        },
    }
}

/// What the hook saw; or only the words, if the panic was resumed and no hook was called.
fn last_panic(payload: Box<dyn Any + Send>) -> Panic {
    let message = words(&*payload);
    // A payload can panic when it is dropped; that shall not cost the next job.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    let last = LAST_PANIC.take().filter(|last| last.message == message);
    last.unwrap_or(Panic {
        message,
        location: String::new(),
        backtrace: String::new(),
    })
}

/// `panic!("words")` carries a &str, `panic!("{words}")` a String.
fn words(payload: &(dyn Any + Send)) -> String {
    let str = payload.downcast_ref::<&str>().map(ToString::to_string);
    let string = || payload.downcast_ref::<String>().cloned();
    str.or_else(string).unwrap_or("(not in words)".to_owned())
}
// ANCHOR_END: panic
