//! Sixty-four bytes there and back over loopback, as often as it goes.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::load::Load;
use crate::measure::cpu;
use crate::peer::Echoes;

/// Requests per second that this many connections get answered, and what one costs the server's process
/// in µs of processor time. The load comes from another process.
pub fn echo<P: Echoes>(connections: u64, window: Duration) -> [f64; 2] {
    let (listens, listening) = mpsc::channel::<SocketAddr>();
    let (ends, ended) = mpsc::channel();
    let server = thread::spawn(move || {
        P::run(P::echo(connections as usize, move |address| {
            listens.send(address).unwrap();
        }));
        ends.send(()).unwrap();
    });
    let address = listening
        .recv_timeout(Duration::from_secs(10))
        .expect("the server did not begin to listen");
    let mut load = Load::busy(address, connections, window);
    load.begins();
    let before = cpu();
    let (requests, elapsed) = load.ends();
    let used = cpu() - before;
    drop(load);
    ended
        .recv_timeout(Duration::from_secs(20))
        .expect("the server did not end when its connections were closed");
    server.join().unwrap();
    [
        requests as f64 / elapsed.as_secs_f64(),
        used.as_nanos() as f64 / 1e3 / requests as f64,
    ]
}
