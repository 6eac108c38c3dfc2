//! must fail with: a job was begun or polled all the same
//!
//! Whoever is dropped halfway tries to go on, in `drop`.
//!
//! LoopBot serves one table. With `async` it would be three lines:
//! ```ignore
//! let slip = house.take_order(table).await;
//! let plate = house.cook(slip).await;
//! house.carry(plate, table).await
//! ```
//! The compiler turns them into a value that remembers at which `.await` it stands, and a `poll` that
//! goes on from there. Here you write both out by hand. Behave as the three lines would.
#![allow(missing_docs)]

use std::pin::Pin;
use std::task::{Context, Poll};

#[derive(Clone, Debug, PartialEq)]
pub struct Slip(pub String); // what a guest ordered
#[derive(Clone, Debug, PartialEq)]
pub struct Plate(pub String); // what the kitchen made of it
pub type Tip = u32; // what the guest leaves on the table

/// The restaurant. Each function begins a job and gives you the future of its result.
pub trait House: Unpin {
    type TakeOrder: Future<Output = Slip> + Unpin;
    type Cook: Future<Output = Plate> + Unpin;
    type Carry: Future<Output = Tip> + Unpin;
    fn take_order(&self, table: u32) -> Self::TakeOrder;
    fn cook(&self, slip: Slip) -> Self::Cook;
    fn carry(&self, plate: Plate, table: u32) -> Self::Carry;
}

/// The future that stands for the three lines.
pub struct Serve<H: House> {
    pub house: H,
    pub table: u32,
    pub state: State<H>,
}

/// Which of the three lines it stands at, and the job that it waits for there.
pub enum State<H: House> {
    Start, // A future does nothing until it is polled.
    Ordering(H::TakeOrder),
    Cooking(H::Cook),
    Carrying(H::Carry),
}

impl<H: House> Serve<H> {
    pub fn new(house: H, table: u32) -> Self {
        let state = State::Start;
        Serve {
            house,
            table,
            state,
        }
    }
}

impl<H: House> Future for Serve<H> {
    type Output = Tip;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Tip> {
        let serve = self.get_mut();
        loop {
            match &mut serve.state {
                State::Start => {
                    serve.state = State::Ordering(serve.house.take_order(serve.table));
                }
                State::Ordering(job) => match Pin::new(job).poll(cx) {
                    Poll::Ready(slip) => serve.state = State::Cooking(serve.house.cook(slip)),
                    Poll::Pending => return Poll::Pending,
                },
                State::Cooking(job) => match Pin::new(job).poll(cx) {
                    Poll::Ready(plate) => {
                        serve.state = State::Carrying(serve.house.carry(plate, serve.table));
                    }
                    Poll::Pending => return Poll::Pending,
                },
                // Polled again after this it would poll a job that is over. An `async fn` panics there, too.
                State::Carrying(job) => return Pin::new(job).poll(cx),
            }
        }
    }
}

impl<H: House> Drop for Serve<H> {
    fn drop(&mut self) {
        // Whoever is served halfway must be served to the end.
        let mut cx = Context::from_waker(std::task::Waker::noop());
        for _ in 0..1000 {
            if matches!(self.state, State::Start) {
                return;
            }
            let done = match &mut self.state {
                State::Ordering(job) => match Pin::new(job).poll(&mut cx) {
                    Poll::Ready(s) => {
                        self.state = State::Cooking(self.house.cook(s));
                        false
                    }
                    _ => false,
                },
                _ => true,
            };
            if done {
                return;
            }
        }
    }
}
