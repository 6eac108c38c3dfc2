//! Thousands of connections that behave badly, and every byte accounted for.
//!
//! `cargo run --release -p loopbot --example soak -- --seconds 60 --connections 8000 --seed 1`
//!
//! Guests connect to an echo server on the same LoopBot, over this machine's own network. Each connection
//! draws its manners from the seed: how much it says, in which pieces, how long it stalls, how slowly it
//! reads; whether it half-closes in the end, as it should, or hangs up, or resets; and whether the server
//! does. All bytes are counted on both sides, and each is compared with the one it has to be. It ends by
//! itself, and fails if a byte is wrong or missing, a task does not end, or a descriptor is left open.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::{Shutdown, SocketAddr};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures::future::{Either, select};
use futures::{AsyncReadExt, AsyncWriteExt};
use loopbot::net::{TcpListener, TcpStream};

/// How long it goes on.
#[derive(Clone, Copy)]
pub enum Length {
    /// Guests come back until so many seconds are over.
    Seconds(u64),
    /// Each guest comes so many times.
    #[allow(dead_code)] // The test's.
    Visits(u64),
}

/// What was seen, all connections together.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Connections that both sides closed in good order. On these, what was sent is what arrived.
    pub orderly: u64,
    /// Connections that one side hung up or reset. On these, what arrived is the beginning of what was sent.
    pub broken: u64,
    /// What the guests said.
    pub to_server: Bytes,
    /// What the server said back.
    pub to_guests: Bytes,
}

/// The bytes of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    /// What the system took.
    pub sent: u64,
    /// What came out on the other side, each byte as it went in.
    pub arrived: u64,
    /// Sent into a connection that broke.
    pub lost: u64,
}

#[allow(dead_code)] // The test has a main of its own.
fn main() {
    let argument = |name: &str, otherwise: u64| {
        let mut arguments = std::env::args().skip_while(|argument| argument != name);
        match arguments.nth(1) {
            None => otherwise,
            Some(text) => text.parse().unwrap_or_else(|_| {
                eprintln!("{name} wants a number, and got {text:?}");
                std::process::exit(2)
            }),
        }
    };
    let guests = argument("--connections", 8000);
    let seed = argument("--seed", 1);
    let seconds = argument("--seconds", 60);
    enough_descriptors(2 * guests + 50);
    println!("{guests} connections for {seconds} s, seed {seed}");
    let books = soak(guests, Length::Seconds(seconds), seed);
    println!("{books:#?}");
    println!("every byte is accounted for, and no descriptor is left open");
}

/// A shell often allows a process no more than 1,024 descriptors. The process itself may ask for more.
#[cfg(unix)]
fn enough_descriptors(wanted: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let (now, most) = (
        limit.current.unwrap_or(wanted),
        limit.maximum.unwrap_or(wanted),
    );
    let more = Rlimit {
        current: Some(wanted),
        maximum: limit.maximum,
    };
    if now < wanted && (most < wanted || setrlimit(Resource::Nofile, more).is_err()) {
        eprintln!(
            "this needs {wanted} open descriptors, and the system allows {most}: run it with fewer --connections"
        );
        std::process::exit(2);
    }
}

#[cfg(not(unix))]
fn enough_descriptors(_: u64) {}

/// Runs it, and returns the books when they balance.
///
/// # Panics
///
/// If they do not, if a descriptor is left open, or if somebody is still there 60 seconds after closing time.
pub fn soak(guests: u64, length: Length, seed: u64) -> Books {
    let watched = Arc::new(Watched::default());
    let watchdog = thread::spawn({
        let watched = watched.clone();
        let closing = match length {
            Length::Seconds(seconds) => seconds,
            Length::Visits(_) => 60,
        };
        move || watched.watch(closing, seed)
    });
    let before = open_descriptors();
    let ledger = loopbot::run(evening(guests, length, seed, watched.clone()));
    assert_eq!(open_descriptors(), before, "descriptors, before and after");
    let wrong = ledger.wrong.take();
    assert!(wrong.is_empty(), "{wrong:#?}");
    watched.over.store(true, Ordering::Relaxed);
    watchdog.thread().unpark();
    watchdog.join().expect("the watchdog only watches");
    balance(&ledger.entries.take())
}

/// What one connection did, as both sides saw it, under its number.
#[derive(Default)]
struct Entry {
    guest: Option<Side>,
    server: Option<Side>,
}

#[derive(Clone, Copy)]
struct Side {
    sent: u64,
    received: u64,
    /// It read to the end of the stream, and wrote all it had to.
    orderly: bool,
}

/// What both sides wrote down.
#[derive(Default)]
struct Ledger {
    entries: RefCell<HashMap<u64, Entry>>,
    /// Bytes that were others than they had to be.
    wrong: RefCell<Vec<String>>,
}

impl Ledger {
    fn guest(&self, number: u64, side: Side) {
        self.entries.borrow_mut().entry(number).or_default().guest = Some(side);
    }

    fn server(&self, number: u64, side: Side) {
        self.entries.borrow_mut().entry(number).or_default().server = Some(side);
    }

    /// Compares what came with what has to be, from byte `n` on.
    fn check(&self, manners: &Manners, n: u64, came: &[u8], where_to: &str) {
        let wrong = (n..).zip(came).find(|(n, byte)| manners.byte(*n) != **byte);
        if let Some((n, byte)) = wrong {
            let Manners { number, seed, .. } = manners;
            self.wrong.borrow_mut().push(format!(
                "byte {n} of connection {number}, seed {seed}, was {byte} when it came to {where_to}"
            ));
        }
    }
}

fn balance(ledger: &HashMap<u64, Entry>) -> Books {
    let mut books = Books::default();
    for (number, entry) in ledger {
        let guest = entry
            .guest
            .expect("a connection is in the ledger because a guest made it");
        assert!(
            !guest.orderly || entry.server.is_some(),
            "connection {number} was closed in good order, and the server does not know of it"
        );
        // A guest that hung up before it said its number never was there for the server.
        let server = entry.server.unwrap_or(Side {
            sent: 0,
            received: 0,
            orderly: false,
        });
        let orderly = guest.orderly && server.orderly;
        for (direction, sent, arrived) in [
            (&mut books.to_server, guest.sent, server.received),
            (&mut books.to_guests, server.sent, guest.received),
        ] {
            let lost = sent.checked_sub(arrived);
            let lost = lost.unwrap_or_else(|| {
                panic!("connection {number}: {arrived} bytes arrived, and only {sent} were sent")
            });
            assert!(
                !orderly || lost == 0,
                "connection {number} was closed in good order, and {lost} of {sent} bytes are missing"
            );
            direction.sent += sent;
            direction.arrived += arrived;
            direction.lost += lost;
        }
        *(if orderly {
            &mut books.orderly
        } else {
            &mut books.broken
        }) += 1;
    }
    books
}

async fn evening(guests: u64, length: Length, seed: u64, watched: Arc<Watched>) -> Rc<Ledger> {
    let ledger = Rc::<Ledger>::default();
    let door = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = door.local_addr().expect("its address");
    let served: Rc<RefCell<Vec<loopbot::JoinHandle<()>>>> = Rc::default();
    let server = loopbot::spawn({
        let (ledger, served) = (ledger.clone(), served.clone());
        async move {
            loop {
                let (stream, _) = door.accept().await.expect("accept goes on");
                let task = loopbot::spawn(serve(stream, seed, ledger.clone()));
                let mut served = served.borrow_mut();
                if served.len() == served.capacity() {
                    served.retain(|task| !task.is_finished());
                }
                served.push(task);
            }
        }
    });
    let visits = |guest| {
        let (ledger, watched) = (ledger.clone(), watched.clone());
        async move {
            for visit in 0.. {
                let over = match length {
                    Length::Seconds(seconds) => loopbot::now().as_secs() >= seconds,
                    Length::Visits(visits) => visit >= visits,
                };
                if over {
                    return;
                }
                let number = guest + guests * visit;
                self::visit(address, number, seed, &ledger).await;
                watched.visits.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    let tasks: Vec<_> = (0..guests)
        .map(|guest| loopbot::spawn(visits(guest)))
        .collect();
    for task in tasks {
        task.await.expect("no guest panics");
    }
    // Whoever was served is served to the end: by now they all hear that their guest has gone.
    loop {
        let Some(task) = served.borrow_mut().pop() else {
            break;
        };
        task.await.expect("no task of the server panics");
    }
    server.abort();
    let _ = server.await;
    ledger
}

/// How a connection behaves. Both sides draw it from the connection's number.
struct Manners {
    dice: Dice,
    number: u64,
    seed: u64,
    length: u64,
    /// After how many bytes received the guest breaks it off, if it does, and whether by a reset.
    guest_breaks: Option<(u64, bool)>,
    /// The same for the server.
    server_breaks: Option<(u64, bool)>,
}

impl Manners {
    fn of(number: u64, seed: u64, side: u64) -> Manners {
        let mut dice = Dice::new(number ^ seed.rotate_left(32));
        let length = match dice.below(10) {
            0 => 0,
            1..8 => dice.below(5000),
            _ => dice.below(300_000),
        };
        let mut breaks = |chance| {
            (dice.below(100) < chance).then(|| (dice.below(length + 1), dice.below(2) == 0))
        };
        let (guest_breaks, server_breaks) = (breaks(15), breaks(7));
        Manners {
            dice: Dice::new(dice.next() ^ side),
            number,
            seed,
            length,
            guest_breaks,
            server_breaks,
        }
    }

    /// The byte that has to be there.
    fn byte(&self, n: u64) -> u8 {
        let mixed = (self.number ^ n.wrapping_mul(0x9E37_79B9_7F4A_7C15)) ^ self.seed;
        (mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as u8
    }

    /// Now and then: wait a while before going on.
    async fn stall(dice: &mut Dice) {
        match dice.below(40) {
            0 => loopbot::sleep(Duration::from_micros(dice.below(20_000))).await,
            1..6 => loopbot::yield_now().await,
            _ => {}
        }
    }
}

/// One connection, seen by the guest.
async fn visit(address: SocketAddr, number: u64, seed: u64, ledger: &Ledger) {
    let mut manners = Manners::of(number, seed, 0);
    Manners::stall(&mut manners.dice).await;
    let stream = TcpStream::connect(address).await.expect("the door is open");
    let (mut talks, mut listens) = (manners.dice.fork(), manners.dice.fork());
    let sent = Cell::new(0);
    let heard_the_end = Cell::new(false);
    let says = async {
        if (&stream).write_all(&number.to_be_bytes()).await.is_err() {
            return;
        }
        while sent.get() < manners.length {
            let piece = (1 + talks.below(9000)).min(manners.length - sent.get());
            let piece: Vec<u8> = (0..piece).map(|n| manners.byte(sent.get() + n)).collect();
            match (&stream).write(&piece).await {
                Ok(written) => sent.set(sent.get() + written as u64),
                Err(_) => return, // The reading side finds out why.
            }
            Manners::stall(&mut talks).await;
        }
        let _ = stream.shutdown(Shutdown::Write);
    };
    let hears = async {
        let mut received = 0;
        let mut buffer = vec![0; 16 + listens.below(7000) as usize];
        loop {
            if let Some((after, reset)) = manners.guest_breaks
                && received >= after
            {
                return (received, Some(reset));
            }
            match (&stream).read(&mut buffer).await {
                Ok(0) => {
                    heard_the_end.set(true);
                    return (received, None);
                }
                Ok(read) => {
                    ledger.check(&manners, received, &buffer[..read], "the guest");
                    received += read as u64;
                }
                Err(_) => return (received, None),
            }
            Manners::stall(&mut listens).await;
        }
    };
    // Who breaks off does not finish the sentence.
    let (received, reset) = {
        match select(pin!(says), pin!(hears)).await {
            Either::Left(((), hears)) => hears.await,
            Either::Right((heard, _)) => heard,
        }
    };
    let side = Side {
        sent: sent.get(),
        received,
        // An error is no end. It may come from the system: one that has no room for more connections to be accepted
        // puts them off, and in the end resets them, and the server never hears of them.
        orderly: heard_the_end.get() && sent.get() == manners.length && received == manners.length,
    };
    hang_up(stream, reset == Some(true));
    ledger.guest(number, side);
}

/// One connection, seen by the server: it says what it hears.
async fn serve(stream: TcpStream, seed: u64, ledger: Rc<Ledger>) {
    let mut number = [0; 8];
    if (&stream).read_exact(&mut number).await.is_err() {
        return;
    }
    let number = u64::from_be_bytes(number);
    let mut manners = Manners::of(number, seed, 1);
    let mut side = Side {
        sent: 0,
        received: 0,
        orderly: false,
    };
    let mut reset = false;
    let mut buffer = vec![0; 16 + manners.dice.below(7000) as usize];
    'talk: loop {
        if let Some((after, by_reset)) = manners.server_breaks
            && side.received >= after
        {
            reset = by_reset;
            break;
        }
        let read = match (&stream).read(&mut buffer).await {
            Ok(0) => {
                side.orderly = side.received == manners.length;
                let _ = stream.shutdown(Shutdown::Write);
                break;
            }
            Ok(read) => read,
            Err(_) => break,
        };
        ledger.check(&manners, side.received, &buffer[..read], "the server");
        side.received += read as u64;
        let mut said = 0;
        while said < read {
            match (&stream).write(&buffer[said..read]).await {
                Ok(written) => {
                    said += written;
                    side.sent += written as u64;
                }
                Err(_) => break 'talk,
            }
        }
        Manners::stall(&mut manners.dice).await;
    }
    hang_up(stream, reset);
    ledger.server(number, side);
}

/// Closes a connection, in the rude way if so asked: then the other side gets a reset instead of an end.
fn hang_up(stream: TcpStream, reset: bool) {
    if reset {
        let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    }
    drop(stream);
}

/// Small, and always the same for the same seed: splitmix64.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One of 0 .. `sides`.
    fn below(&mut self, sides: u64) -> u64 {
        self.next() % sides
    }

    fn fork(&mut self) -> Dice {
        Dice(self.next())
    }
}

/// Ends the program with an explanation if the evening does not end by itself.
#[derive(Default)]
struct Watched {
    over: AtomicBool,
    visits: AtomicU64,
}

impl Watched {
    fn watch(&self, closing: u64, seed: u64) {
        let until = Instant::now() + Duration::from_secs(closing + 60);
        while !self.over.load(Ordering::Relaxed) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let visits = self.visits.load(Ordering::Relaxed);
                eprintln!(
                    "60 s after closing time somebody still waits: seed {seed}, {visits} visits are over"
                );
                std::process::exit(1);
            }
            thread::park_timeout(left);
        }
    }
}

/// How many descriptors this process has open, where the system says so.
fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}
