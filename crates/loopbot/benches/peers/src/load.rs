//! The guests of the echo server: a process of their own, the same for every peer.

use std::env;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

const MESSAGE: usize = 64;

/// The load as the measuring process sees it. Dropping it ends it.
pub struct Load {
    process: Child,
    says: BufReader<ChildStdout>,
}

impl Load {
    /// Connections that have each sent one message, and are silent from then on.
    pub fn idle(address: SocketAddr, connections: u64) -> Load {
        let mut load = Load::start(address, connections, Duration::ZERO);
        load.hear("ready");
        load
    }

    /// Connections that send the next message as soon as they have the last one back.
    pub fn busy(address: SocketAddr, connections: u64, window: Duration) -> Load {
        let mut load = Load::start(address, connections, window);
        load.hear("ready");
        load
    }

    fn start(address: SocketAddr, connections: u64, window: Duration) -> Load {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--load".into(), address.to_string()])
            .args([connections.to_string(), window.as_millis().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let says = BufReader::new(process.stdout.take().unwrap());
        Load { process, says }
    }

    /// Returns when the connections are warm and the time begins to count.
    pub fn begins(&mut self) {
        self.hear("begin");
    }

    /// Returns when the time is over: how many requests were answered, and in which time.
    pub fn ends(&mut self) -> (u64, Duration) {
        let line = self.hear("end");
        let mut numbers = line
            .split(' ')
            .skip(1)
            .map(|number| number.parse().unwrap());
        let requests = numbers.next().unwrap();
        (requests, Duration::from_nanos(numbers.next().unwrap()))
    }

    fn hear(&mut self, word: &str) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        assert!(
            line.starts_with(word),
            "the load broke off: its log is above"
        );
        line.trim_end().to_string()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        drop(self.process.stdin.take()); // This tells it to go.
        let _ = self.process.wait();
    }
}

/// What the other process does.
pub fn run(address: SocketAddr, connections: u64, window: Duration) -> io::Result<()> {
    raise_descriptor_limit(connections);
    let mut guests = Vec::with_capacity(connections as usize);
    for number in 0..connections {
        guests.push(Guest::connect(address, number)?);
    }
    println!("ready");
    if window.is_zero() {
        return io::stdin().read_to_end(&mut Vec::new()).map(drop);
    }
    let mut poll = Poll::new()?;
    for (number, guest) in guests.iter_mut().enumerate() {
        let interest = Interest::READABLE;
        poll.registry()
            .register(&mut guest.stream, Token(number), interest)?;
        guest.send()?;
    }
    converse(&mut poll, &mut guests, window / 5)?;
    println!("begin");
    let start = Instant::now();
    let requests = converse(&mut poll, &mut guests, window)?;
    println!("end {requests} {}", start.elapsed().as_nanos());
    Ok(())
}

/// Answers every answer with the next request, for this long. Returns how many answers there were.
fn converse(poll: &mut Poll, guests: &mut [Guest], window: Duration) -> io::Result<u64> {
    let mut events = Events::with_capacity(1024);
    let mut answers = 0;
    let start = Instant::now();
    while start.elapsed() < window {
        poll.poll(&mut events, Some(Duration::from_secs(10)))?;
        if events.is_empty() {
            return Err(io::Error::other("no answer for 10 seconds"));
        }
        for event in &events {
            let guest = &mut guests[event.token().0];
            if guest.receive()? {
                answers += 1;
                guest.send()?;
            }
        }
    }
    Ok(answers)
}

struct Guest {
    stream: TcpStream,
    message: [u8; MESSAGE],
    answer: [u8; MESSAGE],
    received: usize,
}

impl Guest {
    /// Connects, and has one message sent back, so that the server has surely accepted.
    fn connect(address: SocketAddr, number: u64) -> io::Result<Guest> {
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut message = [0x55; MESSAGE];
        message[..8].copy_from_slice(&number.to_le_bytes());
        let mut answer = [0; MESSAGE];
        stream.write_all(&message)?;
        stream.read_exact(&mut answer)?;
        assert_eq!(answer, message);
        stream.set_nonblocking(true)?;
        Ok(Guest {
            stream: TcpStream::from_std(stream),
            message,
            answer,
            received: 0,
        })
    }

    /// The next message: it differs from the last one.
    fn send(&mut self) -> io::Result<()> {
        self.message[8] = self.message[8].wrapping_add(1);
        self.stream.write_all(&self.message)
    }

    /// Whether the whole answer is here. Events come at edges; what is left comes with an edge of its own.
    fn receive(&mut self) -> io::Result<bool> {
        match self.stream.read(&mut self.answer[self.received..]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => self.received += length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if self.received < MESSAGE {
            return Ok(false);
        }
        assert_eq!(
            self.answer, self.message,
            "the server sent back something else"
        );
        self.received = 0;
        Ok(true)
    }
}

/// Room for this many connections, within what the operating system lets a process have.
pub fn raise_descriptor_limit(connections: u64) {
    let needed = connections + 200;
    match rlimit::increase_nofile_limit(needed) {
        Ok(limit) if limit >= needed => {}
        Ok(limit) => {
            eprintln!("only {limit} descriptors, {needed} are needed: `ulimit -n` tells why")
        }
        Err(error) => eprintln!("the limit of descriptors stays as it is: {error}"),
    }
}
