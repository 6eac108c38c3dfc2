//! A chat over WebSockets, by async-tungstenite on one LoopBot: what one guest says, all the others hear.
//!
//! `cargo run -p loopbot --example chat -- 127.0.0.1:8009`, and then, in the console of a browser,
//!
//! ```js
//! chat = new WebSocket("ws://127.0.0.1:8009"); chat.onmessage = (said) => console.log(said.data);
//! chat.send("Good evening.");
//! ```
//!
//! Ctrl-C says goodbye to everybody and ends it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::pin::pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use async_tungstenite::tungstenite::Message;
use async_tungstenite::tungstenite::protocol::CloseFrame;
use async_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use async_tungstenite::{WebSocketReceiver, WebSocketSender, accept_async};
use futures::StreamExt;
use futures::future::{Either, select};
use loopbot::TaskGroup;
use loopbot::net::{TcpListener, TcpStream};
use loopbot::sync::channel::{self, Receiver, Sender};

/// How many messages may lie waiting for a guest who does not read. With one more, that guest is shown out.
const UNREAD: usize = 64;
/// How long a guest may take for the handshake, for one message, and to leave.
const PATIENCE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:8009");
    loopbot::run(async {
        let door = TcpListener::bind(address).await?;
        println!("ws://{}/", door.local_addr()?);
        let room = Rc::new(Room::default());
        let evening = loopbot::task_group(async |guests: &TaskGroup<io::Error>| {
            let welcome = pin!(welcome(&door, &room, guests));
            let ended = match select(welcome, loopbot::signal::ctrl_c()).await {
                Either::Left((error, _)) => error,
                Either::Right((interrupted, _)) => interrupted,
            };
            room.close();
            ended // and now the group waits until all have left
        });
        Ok(evening.await?)
    })
}

async fn welcome(
    door: &TcpListener,
    room: &Rc<Room>,
    guests: &TaskGroup<io::Error>,
) -> io::Result<()> {
    loop {
        let (stream, _) = door.accept().await?;
        guests.spawn_named("a guest", visit(stream, room.clone()));
    }
}

/// Who is here: for each guest, the channel to them.
#[derive(Default)]
struct Room {
    guests: RefCell<BTreeMap<u64, Sender<Message>>>,
    so_far: Cell<u64>,
}

impl Room {
    fn enter(&self) -> (u64, Receiver<Message>) {
        let (to_guest, from_others) = channel::bounded(UNREAD);
        let guest = self.so_far.get() + 1;
        self.so_far.set(guest);
        self.guests.borrow_mut().insert(guest, to_guest);
        (guest, from_others)
    }

    /// Nobody waits for a guest who is slow: the channel is bounded, and whoever has let it fill up is out.
    fn say(&self, speaker: u64, what: &Message) {
        self.guests
            .borrow_mut()
            .retain(|guest, channel| *guest == speaker || channel.try_send(what.clone()).is_ok());
    }

    fn leave(&self, guest: u64) {
        self.guests.borrow_mut().remove(&guest);
    }

    /// Ends every channel, upon which everybody hears goodbye.
    fn close(&self) {
        self.guests.borrow_mut().clear();
    }
}

/// One guest, from the handshake to the end.
async fn visit(stream: TcpStream, room: Rc<Room>) -> io::Result<()> {
    let Ok(Ok(socket)) = loopbot::timeout(PATIENCE, accept_async(stream)).await else {
        return Ok(()); // not a WebSocket, or not in time
    };
    let (to_guest, from_guest) = socket.split();
    let (guest, from_others) = room.enter();
    let tells = async {
        tell(from_others, to_guest).await;
        loopbot::sleep(PATIENCE).await; // for the guest's own goodbye, which `listen` hears
    };
    select(pin!(listen(guest, from_guest, &room)), pin!(tells)).await;
    room.leave(guest);
    Ok(())
}

async fn listen(guest: u64, mut from_guest: WebSocketReceiver<TcpStream>, room: &Room) {
    while let Some(Ok(message)) = from_guest.next().await {
        // Pings are answered, and goodbyes returned, by async-tungstenite.
        if let Message::Text(_) = message {
            room.say(guest, &message);
        }
    }
}

async fn tell(mut from_others: Receiver<Message>, mut to_guest: WebSocketSender<TcpStream>) {
    while let Some(message) = from_others.recv().await {
        let sent = loopbot::timeout(PATIENCE, to_guest.send(message)).await;
        if !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
    let goodbye = CloseFrame {
        code: CloseCode::Away,
        reason: "goodbye".into(),
    };
    let _ = loopbot::timeout(PATIENCE, to_guest.close(Some(goodbye))).await;
}
