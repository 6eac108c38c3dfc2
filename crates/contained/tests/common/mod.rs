//! What both tests need: a name for everything that one of them starts, and a look at who of that is still alive.

// Each of them needs a part of it.
#![allow(dead_code)]

use std::hash::{BuildHasher, RandomState};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// Nobody waits for so long, unless for something that will never be.
pub const PATIENCE: Duration = Duration::from_secs(60);

const TRACE: &str = "CONTAINED_TEST_TRACE";

/// In the environment of everything that was started with it.
pub struct Trace(String);

impl Trace {
    pub fn new() -> Trace {
        Trace(format!("trace-{:016x}", RandomState::new().hash_one(TRACE)))
    }

    pub fn on<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env(TRACE, &self.0)
    }

    /// The processes that are alive, each by its number and name. Where this cannot be seen, nobody is.
    pub fn alive(&self) -> Vec<String> {
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let alive = processes.filter_map(|entry| {
            let environ = std::fs::read(entry.path().join("environ")).ok()?;
            let has_it = String::from_utf8_lossy(&environ).contains(&self.0);
            let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            has_it.then(|| format!("{} {}", entry.file_name().display(), name.trim()))
        });
        alive.collect()
    }

    /// Everybody is gone at once.
    #[track_caller]
    pub fn is_cold(&self) {
        let alive = self.alive();
        assert!(alive.is_empty(), "still alive: {alive:?}");
    }

    /// Everybody is gone after a while.
    #[track_caller]
    pub fn gets_cold(&self) {
        let begun = Instant::now();
        while !self.alive().is_empty() {
            let alive = self.alive();
            assert!(begun.elapsed() < PATIENCE, "still alive: {alive:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Starts a child in our group that nobody waits for, and on Linux another one that leaves it.
#[allow(clippy::zombie_processes)]
pub fn start_children() {
    let started = if cfg!(windows) {
        Command::new("ping")
            .args(["-n", "1000", "127.0.0.1"])
            .spawn()
    } else {
        Command::new("sleep").arg("1000").spawn()
    };
    started.expect("a child can be started");
    if cfg!(target_os = "linux") {
        let left = Command::new("setsid").args(["sleep", "1000"]).spawn();
        left.expect("setsid comes with Linux");
    }
}
