//! The world outside: everything here takes [`HOLD`] until it answers. It is slow in a thread of its own, as a network or a
//! disk is slow without your help; whoever waits for it does nothing but wait.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long the world takes.
pub const HOLD: Duration = Duration::from_millis(80);

/// A file whose bytes come later, as from a network drive. For real, it is a pipe; on Unix, a pipe has a path.
#[cfg_attr(not(unix), allow(dead_code, reason = "nobody can make one there"))]
pub(super) struct SlowFile {
    path: PathBuf,
    /// The path is good for as long as this lives.
    _pipe: PipeReader,
}

impl SlowFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// # Errors
///
/// On a system on which a pipe has no path.
#[cfg(unix)]
pub(super) fn slow_file() -> io::Result<SlowFile> {
    use std::os::fd::AsRawFd;

    let (pipe, mut end) = io::pipe()?;
    thread::spawn(move || {
        thread::sleep(HOLD);
        // Whoever reads may have gone home.
        let _ = end.write_all(b"soup, fish, cake\n");
    });
    Ok(SlowFile {
        path: format!("/dev/fd/{}", pipe.as_raw_fd()).into(),
        _pipe: pipe,
    })
}

/// # Errors
///
/// Always: a pipe has no path here.
#[cfg(not(unix))]
pub(super) fn slow_file() -> io::Result<SlowFile> {
    let why = "a slow file is made of a pipe with a path, which this system does not have";
    Err(io::Error::new(io::ErrorKind::Unsupported, why))
}

/// A server that thinks before it says "rare" and hangs up. It answers one guest.
pub(super) fn slow_server() -> io::Result<SocketAddr> {
    let door = TcpListener::bind("127.0.0.1:0")?;
    let address = door.local_addr()?;
    thread::spawn(move || {
        if let Ok((mut guest, _)) = door.accept() {
            thread::sleep(HOLD);
            let _ = guest.write_all(b"rare");
        }
    });
    Ok(address)
}

/// Somebody who knows addresses: one datagram with a name, one with its address. It answers once.
pub(super) fn slow_resolver() -> io::Result<SocketAddr> {
    let desk = UdpSocket::bind("127.0.0.1:0")?;
    let address = desk.local_addr()?;
    thread::spawn(move || {
        let mut name = [0; 256];
        if let Ok((_, asker)) = desk.recv_from(&mut name) {
            thread::sleep(HOLD);
            let _ = desk.send_to(b"192.0.2.7", asker);
        }
    });
    Ok(address)
}

/// A pipe that nobody reads for a while: a terminal that stands still, a log collector that is busy.
pub(super) fn slow_reader() -> io::Result<PipeWriter> {
    let (pipe, end) = io::pipe()?;
    thread::spawn(move || {
        thread::sleep(HOLD);
        read_all(pipe);
    });
    Ok(end)
}

/// A child process that prints 200,000 bytes, and then takes a while to end.
pub(super) fn talking_child() -> Command {
    #[cfg(unix)]
    let (shell, flag, script) = ("sh", "-c", "head -c 200000 /dev/zero; sleep 0.08");
    #[cfg(not(unix))]
    let (shell, flag, script) = (
        "cmd",
        "/C",
        "for /L %i in (1,1,6000) do @echo soup, fish, bread, water, cake, coffee",
    );
    let mut command = Command::new(shell);
    command
        .args([flag, script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// The outside hand: after a while it reads what nobody else has read.
pub(super) fn reads_later(pipe: impl Read + Send + 'static) {
    thread::spawn(move || {
        thread::sleep(HOLD);
        read_all(pipe);
    });
}

fn read_all(mut pipe: impl Read) {
    let _ = io::copy(&mut pipe, &mut io::sink());
}

/// ChefBot, a thread, who rings when the dish is done.
pub(super) fn chef(rings: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        thread::sleep(HOLD);
        rings();
    });
}

/// Four clerks, threads, who have something to write down. When this returns, the first of them has begun.
pub(super) fn clerks(writes: impl FnOnce(&dyn Fn()) + Clone + Send + 'static) {
    let (begun, begins) = mpsc::channel();
    for _ in 0..4 {
        let (writes, begun) = (writes.clone(), begun.clone());
        thread::spawn(move || {
            writes(&|| {
                let _ = begun.send(());
                thread::sleep(HOLD / 2); // adds it all up
            });
        });
    }
    let _ = begins.recv();
}

/// Work for the CPU: it tastes and tastes for so long. Returns what it came to, so that nobody can leave it out.
pub(super) fn taste_for(how_long: Duration) -> u64 {
    let end = Instant::now() + how_long;
    let mut taste = DefaultHasher::new();
    while Instant::now() < end {
        for spoon in 0..1000 {
            spoon.hash(&mut taste);
        }
    }
    taste.finish()
}
