//! A hundred guests are connected, and nearly all of them say nothing. Who is polled when three of them speak?
//!
//! `cargo run --release -p monday --example doorbell`

use std::io;
use std::time::{Duration, Instant};

use flight::{Event, Header, Recorder};
use futures::{AsyncReadExt, AsyncWriteExt};
use loopbot::net::{TcpListener, TcpStream};
use loopbot::{LoopBot, sleep, spawn_named, with_lane};

const GUESTS: usize = 100; // Both ends of a connection are ours, and some systems start with 256 descriptors.
const SPEAKERS: [usize; 3] = [17, 42, 80];

// ANCHOR: server
async fn open(door: TcpListener) -> io::Result<()> {
    loop {
        let (guest, _) = door.accept().await?;
        spawn_named("a guest", serve(guest));
    }
}

async fn serve(mut guest: TcpStream) -> io::Result<()> {
    let mut said = [0; 64];
    loop {
        match guest.read(&mut said).await? {
            0 => return Ok(()), // has gone
            n => guest.write_all(&said[..n]).await?,
        }
    }
}
// ANCHOR_END: server

async fn evening() -> io::Result<Duration> {
    let door = TcpListener::bind("127.0.0.1:0").await?;
    let address = door.local_addr()?;
    spawn_named("the door", async { open(door).await });

    let mut guests = Vec::new();
    for _ in 0..GUESTS {
        guests.push(TcpStream::connect(address).await?);
    }
    sleep(Duration::from_millis(200)).await; // nothing happens, and is recorded
    with_lane(|lane| lane.mark("beat", "three guests speak", 0));
    let spoken = Instant::now();
    for speaker in SPEAKERS {
        guests[speaker].write_all(b"water").await?;
    }
    let mut heard = [0; 5];
    for speaker in SPEAKERS {
        guests[speaker].read_exact(&mut heard).await?;
    }
    let took = spoken.elapsed();
    with_lane(|lane| lane.mark("beat", "they have been heard", 0));
    Ok(took)
}

fn main() -> io::Result<()> {
    let recorder = Recorder::new(Header::monotonic("doorbell"));
    let loopbot = LoopBot::builder().recorder(recorder.clone()).build();
    let took = loopbot.run(evening())?;
    let recording = recorder.recording();

    let moment = |what: &str| {
        let mut marks = recording.events.iter().enumerate();
        let is_it = |event: &Event| matches!(event, Event::Mark { text, .. } if recording.text(*text) == what);
        marks
            .find(|(_, entry)| is_it(&entry.event))
            .expect("it is marked")
            .0
    };
    let (spoke, heard) = (moment("three guests speak"), moment("they have been heard"));
    let began = recording.events[spoke].t;
    let idle = began.saturating_sub(180_000_000);
    let polls = |events: &[flight::Entry], guest: bool| {
        let counts = |entry: &&flight::Entry| match entry.event {
            Event::PollBegin { task, .. } => !guest || recording.task(task) == "a guest",
            _ => false,
        };
        events.iter().filter(counts).count()
    };
    let quiet: Vec<_> = recording.events[..spoke]
        .iter()
        .filter(|entry| entry.t > idle)
        .cloned()
        .collect();
    println!("{GUESTS} guests are connected, to one thread");
    println!(
        "180 ms without a word: tasks polled: {} (main, to end the wait)",
        polls(&quiet, false)
    );
    println!(
        "three of them speak: guests polled: {}, all heard after {took:.0?}",
        polls(&recording.events[spoke..heard], true)
    );
    Ok(())
}
