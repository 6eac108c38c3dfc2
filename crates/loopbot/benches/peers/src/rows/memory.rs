//! What a waiting task and an idle connection hold of memory. Each is measured in a fresh process, which
//! prints the bytes and ends.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::process;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use crate::load::{Load, raise_descriptor_limit};
use crate::measure::resident;
use crate::peer::{Echoes, Peer};

/// Parks this many tasks. The future of each has 40 bytes.
pub fn parked_tasks<P: Peer>(tasks: u64) {
    P::run(async move {
        P::spawn(async move {
            let count = Rc::new(Count {
                not_yet_parked: Cell::new(tasks),
                all_parked: RefCell::new(None),
            });
            let mut handles: Vec<Option<P::Join<u64>>> = (0..tasks).map(|_| None).collect();
            let before = resident();
            for (number, handle) in handles.iter_mut().enumerate() {
                *handle = Some(P::spawn(Parked {
                    orders: [number as u64; 3],
                    count: count.clone(),
                    waits: false,
                }));
            }
            poll_fn(|cx| {
                count.all_parked.replace(Some(cx.waker().clone()));
                match count.not_yet_parked.get() {
                    0 => Poll::Ready(()),
                    _ => Poll::Pending,
                }
            })
            .await;
            tell(before, tasks);
        })
        .await;
    });
}

struct Count {
    not_yet_parked: Cell<u64>,
    all_parked: RefCell<Option<Waker>>,
}

struct Parked {
    orders: [u64; 3],
    count: Rc<Count>,
    waits: bool,
}

impl Future for Parked {
    type Output = u64;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u64> {
        if self.waits {
            return Poll::Ready(self.orders.iter().sum());
        }
        self.waits = true;
        let left = self.count.not_yet_parked.get() - 1;
        self.count.not_yet_parked.set(left);
        if left == 0
            && let Some(waker) = self.count.all_parked.take()
        {
            waker.wake();
        }
        Poll::Pending
    }
}

/// Holds this many connections that have said something once.
pub fn idle_connections<P: Echoes>(connections: u64) {
    raise_descriptor_limit(connections);
    let (listens, listening) = mpsc::channel::<SocketAddr>();
    thread::spawn(move || {
        P::run(P::echo(connections as usize, move |address| {
            listens.send(address).unwrap();
        }));
    });
    let address = listening
        .recv_timeout(Duration::from_secs(10))
        .expect("the server did not begin to listen");
    let before = resident();
    let load = Load::idle(address, connections);
    tell(before, connections);
    drop(load);
}

fn tell(before: Option<u64>, parts: u64) {
    match (before, resident()) {
        (Some(before), Some(after)) => {
            println!("{}", after.saturating_sub(before) as f64 / parts as f64);
        }
        _ => println!("unknown"),
    }
    process::exit(0);
}
