//! An HTTP server, by hyper on one LoopBot. It says hello to everybody.
//!
//! `cargo run --release -p loopbot --features hyper --example hyper_hello -- 127.0.0.1:8008`, and then
//! `curl http://127.0.0.1:8008/`. Ctrl-C ends it; with `--requests 1000` it ends after a thousand answers. Either way
//! nobody new is let in, and those who are being served are served to the end.

use std::cell::Cell;
use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::pin::pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use futures::future::{Either, select};
use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use loopbot::TaskGroup;
use loopbot::hyper_rt::{HyperStream, HyperTimer};
use loopbot::net::{TcpListener, TcpStream};
use loopbot::sync::Event;

/// How long a guest may take to say what they want, and how long to leave after closing time.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hyper_hello: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let Wanted { address, requests } = Wanted::from_args()?;
    loopbot::run(async {
        let door = TcpListener::bind(&*address).await?;
        println!("http://{}/", door.local_addr()?);
        let house = Rc::new(House {
            to_answer: Cell::new(requests),
            closing: Event::new(),
        });
        let evening = loopbot::task_group(async |guests: &TaskGroup<io::Error>| {
            let welcome = pin!(welcome(&door, &house, guests));
            let last_orders = pin!(select(loopbot::signal::ctrl_c(), house.closing.wait()));
            let ended = match select(welcome, last_orders).await {
                Either::Left((error, _)) => error,
                Either::Right((Either::Left((interrupted, _)), _)) => interrupted,
                Either::Right((Either::Right(_), _)) => Ok(()),
            };
            house.closing.set();
            ended // and now the group waits for its guests
        });
        Ok(evening.await?)
    })
}

/// What all guests share. They are on one thread, so a `Cell` and an `Rc` will do.
struct House {
    to_answer: Cell<u64>,
    closing: Event,
}

async fn welcome(
    door: &TcpListener,
    house: &Rc<House>,
    guests: &TaskGroup<io::Error>,
) -> io::Result<()> {
    loop {
        let (guest, _) = door.accept().await?;
        guest.set_nodelay(true)?;
        guests.spawn_named("a guest", serve(guest, house.clone()));
    }
}

/// One connection, with as many requests as the guest likes. If it fails, that guest has gone, and nobody else minds.
async fn serve(guest: TcpStream, house: Rc<House>) -> io::Result<()> {
    let connection = http1::Builder::new()
        .timer(HyperTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(HyperStream::new(guest), service_fn(|_| house.hello()));
    let mut connection = pin!(connection);
    if let Either::Right(_) = select(connection.as_mut(), house.closing.wait()).await {
        connection.as_mut().graceful_shutdown();
        let _ = loopbot::timeout(PATIENCE, connection).await;
    }
    Ok(())
}

impl House {
    async fn hello(&self) -> Result<Response<Full<Bytes>>, Infallible> {
        let left = self.to_answer.get().saturating_sub(1);
        self.to_answer.set(left);
        if left == 0 {
            self.closing.set();
        }
        let hello = Bytes::from_static(b"Hello from LoopBot.\n");
        Ok(Response::new(Full::new(hello)))
    }
}

/// What the command line asks for.
struct Wanted {
    address: String,
    requests: u64,
}

impl Wanted {
    fn from_args() -> Result<Wanted, String> {
        let mut wanted = Wanted {
            address: "127.0.0.1:8008".to_owned(),
            requests: u64::MAX,
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            if arg == "--requests" {
                let number = args.next().and_then(|number| number.parse().ok());
                wanted.requests = number
                    .filter(|requests| *requests > 0)
                    .ok_or("--requests needs a number from 1 on, such as --requests 1000")?;
            } else {
                wanted.address = arg;
            }
        }
        Ok(wanted)
    }
}
