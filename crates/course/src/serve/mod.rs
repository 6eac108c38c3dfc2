//! `course serve`: the book on this machine, with evenings and checks that run for real.
//!
//! ```text
//! builder thread:  book/ changed -> build -> a new set of pages -> reload event
//! server thread:   one event loop; every request passes the gate first
//! one thread per run: reads a contained child's lines and hands them to the response
//! following thread: progress or an exercise changed -> progress event
//! ```
//!
//! The learner goes on working beside it. Checks build in a folder of their own (`check.rs`), so this server never holds the
//! lock of `target/` while cargo wants it, and never waits for it. What it does hold, on Windows, is its own executable: a
//! running program cannot be replaced there. A learner's `cargo test -p exercise-NN` does not build it again; after an update of
//! the course, stop the server before `cargo run`.
//!
//! Pages are held in memory (`pages.rs`), so a rebuild is one swap of a pointer and a request cannot reach any other file.
//! What touches sockets and timers is in `runtime.rs` alone.

mod following;
mod gate;
mod learner;
mod live;
mod pages;
mod reload;
mod routes;
mod runtime;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context;

use crate::check::CheckOptions;
use crate::trouble::Trouble;
use pages::Shelf;
use reload::Reloads;

pub use live::{NamedRun, RUNS, RunLimits};

/// The port that is tried first when none is asked for.
pub const PORT: u16 = 4470;
/// How many ports are tried from [`PORT`] on.
const PORTS_TRIED: u16 = 50;

/// Takes a line for the terminal. Called from the thread that rebuilds, too.
pub type News = Arc<dyn Fn(&str) + Send + Sync>;

/// How to serve.
#[derive(Clone)]
pub struct Options {
    /// The address to listen on.
    pub bind: IpAddr,
    /// The port, if it must be this one. `None`: [`PORT`] or the next free one.
    pub port: Option<u16>,
    /// The program that is started for runs: this one.
    pub program: PathBuf,
    /// Whether to rebuild when the book changes.
    pub follow: bool,
    /// What a run may use.
    pub run_limits: RunLimits,
    /// What a check may use.
    pub check_options: CheckOptions,
    /// Where news for the terminal goes: rebuilt, not rebuilt and why.
    pub news: News,
}

impl Options {
    /// On this machine only, first free port, this executable, news to standard error.
    ///
    /// # Errors
    ///
    /// When the platform cannot say which file this program runs from.
    pub fn new() -> anyhow::Result<Options> {
        Ok(Options {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: None,
            program: std::env::current_exe()
                .context("cannot tell which file this program runs from")?,
            follow: true,
            run_limits: RunLimits::default(),
            check_options: CheckOptions::default(),
            news: Arc::new(|line| remark!("{line}")),
        })
    }
}

/// A server at work. Dropping it ends it cleanly: runs are killed, connections closed, threads joined.
pub struct Server {
    address: SocketAddr,
    token: String,
    end: Option<runtime::End>,
    live: Arc<live::Live>,
    rebuilding: Option<reload::Rebuilding>,
    following: Option<following::Following>,
    loop_thread: Option<JoinHandle<()>>,
}

/// Builds the book and serves it.
///
/// # Errors
///
/// A port that is taken, a temporary folder that cannot be written, a book that cannot be built: one sentence each.
pub fn start(root: &Path, options: Options) -> anyhow::Result<Server> {
    // The port first: when it is taken, say so before the work of building.
    let listener = listen(options.bind, options.port)?;
    let address = listener.local_addr()?;
    let book_dir = root.join("book");
    let built = pages::build(&book_dir)?;
    (options.news)(&built.summary());
    let shelf = Arc::new(Shelf::new(built.pages));
    let token = random_hex()?;
    let reloads = Arc::new(Reloads::new(&random_hex()?));
    let live = Arc::new(live::Live::new(root, &options, Arc::clone(&reloads)));
    let following = following::follow(root, Arc::clone(&reloads));
    let site = Arc::new(routes::Site {
        gate: gate::Gate::new(address, token.clone()),
        shelf: Arc::clone(&shelf),
        reloads: Arc::clone(&reloads),
        live: Arc::clone(&live),
        root: root.to_path_buf(),
    });
    let rebuilding = options
        .follow
        .then(|| reload::keep_rebuilding(book_dir, shelf, reloads, options.news))
        .flatten();
    let (end, loop_thread) =
        runtime::serve(listener, move |request| Arc::clone(&site).answer(request))?;
    Ok(Server {
        address,
        token,
        end: Some(end),
        live,
        rebuilding,
        following,
        loop_thread: Some(loop_thread),
    })
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The front page's address for a browser on this machine.
    pub fn url(&self) -> String {
        let host = match self.address.ip() {
            ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            ip => ip,
        };
        format!("http://{}/", SocketAddr::new(host, self.address.port()))
    }

    /// What a POST must carry in `X-LoopBot-Token`. New for each server.
    pub fn token(&self) -> &str {
        &self.token
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.live.end();
        drop(self.end.take());
        if let Some(thread) = self.loop_thread.take() {
            let _ = thread.join();
        }
        drop(self.rebuilding.take());
        drop(self.following.take());
    }
}

fn listen(bind: IpAddr, port: Option<u16>) -> anyhow::Result<TcpListener> {
    if let Some(port) = port {
        return TcpListener::bind((bind, port)).map_err(|error| {
            let why = match error.kind() {
                std::io::ErrorKind::AddrInUse => "is in use by another program".to_owned(),
                std::io::ErrorKind::PermissionDenied => "is not allowed for this user".to_owned(),
                std::io::ErrorKind::AddrNotAvailable => "is not an address of this machine".to_owned(),
                _ => format!("cannot be listened on ({error})"),
            };
            Trouble::input(format!(
                "{} {why}: name another with --port, or leave --port out and the next free one is taken.",
                SocketAddr::new(bind, port)
            ))
        });
    }
    let mut last = None;
    for port in (PORT..PORT + PORTS_TRIED).chain([0]) {
        match TcpListener::bind((bind, port)) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = Some(error),
        }
    }
    let why = last.map_or(String::new(), |error| format!(" ({error})"));
    Err(Trouble::input(format!(
        "No port can be opened on {bind}{why}: name an address of this machine with --bind."
    )))
}

/// 128 bits from the operating system, as hex.
fn random_hex() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        Trouble::environment(format!(
            "The operating system gives no random bytes ({error})."
        ))
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
