//! A TCP echo server: one LoopBot, as many guests as come. It says to everybody what they said.
//!
//! `cargo run --release -p loopbot --example echo -- 127.0.0.1:7007`, and then `nc 127.0.0.1 7007`.
//! Ctrl-C ends it.

use std::pin::pin;

use futures::future::{Either, select};
use futures::{AsyncReadExt, AsyncWriteExt};
use loopbot::net::{TcpListener, TcpStream};

fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:7007");
    loopbot::run(async {
        let door = TcpListener::bind(address).await?;
        println!("echoes on {}", door.local_addr()?);
        match select(pin!(welcome(door)), loopbot::signal::ctrl_c()).await {
            Either::Left((error, _)) => error,
            Either::Right((closing, _)) => closing, // the guests' tasks end with the run
        }
    })
}

async fn welcome(door: TcpListener) -> std::io::Result<()> {
    loop {
        let (guest, _) = door.accept().await?;
        guest.set_nodelay(true)?;
        loopbot::spawn(echo(guest)); // if it fails, that guest has gone, and nobody else minds
    }
}

async fn echo(mut guest: TcpStream) -> std::io::Result<()> {
    let mut buffer = [0; 512];
    loop {
        match guest.read(&mut buffer).await? {
            0 => return Ok(()),
            n => guest.write_all(&buffer[..n]).await?,
        }
    }
}
