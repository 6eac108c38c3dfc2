//! The worker's side: a process that does one job after the other.

mod batch;
mod out;
mod panics;
mod source;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::process::exit;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

pub(crate) use batch::Batch;
pub(crate) use out::MOST_GIFTS;
use out::{OUT, Out, say, with_out};
use panics::hook_panics;
use source::{Message, Source};

use crate::frame::{FOR_GOOD, Head, Inbox, Kind};
use crate::growth::Growth;
use crate::jobs::Jobs;
use crate::leash;
use crate::os::{self, Descriptor, Socket};
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
