//! must fail with: after it had begun the carrying, but did not poll it
//!
//! Without a loop: each case leads to the next ones, by copying. One copy is not complete, and only an order that
//! takes a while and a kitchen that does not come there.
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

pub struct Serve<H: House> {
    pub house: H,
    pub table: u32,
    pub state: State<H>,
}
pub enum State<H: House> {
    Start,
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
        let s = self.get_mut();
        match &mut s.state {
            State::Start => {
                let mut order = s.house.take_order(s.table);
                match Pin::new(&mut order).poll(cx) {
                    Poll::Pending => {
                        s.state = State::Ordering(order);
                        Poll::Pending
                    }
                    Poll::Ready(slip) => {
                        let mut cook = s.house.cook(slip);
                        match Pin::new(&mut cook).poll(cx) {
                            Poll::Pending => {
                                s.state = State::Cooking(cook);
                                Poll::Pending
                            }
                            Poll::Ready(plate) => {
                                let mut carry = s.house.carry(plate, s.table);
                                let tip = Pin::new(&mut carry).poll(cx);
                                s.state = State::Carrying(carry);
                                tip
                            }
                        }
                    }
                }
            }
            State::Ordering(order) => match Pin::new(order).poll(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(slip) => {
                    let mut cook = s.house.cook(slip);
                    let cooked = Pin::new(&mut cook).poll(cx);
                    if let Poll::Ready(plate) = cooked {
                        s.state = State::Carrying(s.house.carry(plate, s.table));
                    } else {
                        s.state = State::Cooking(cook);
                    }
                    Poll::Pending
                }
            },
            State::Cooking(cook) => match Pin::new(cook).poll(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(plate) => {
                    let mut carry = s.house.carry(plate, s.table);
                    let tip = Pin::new(&mut carry).poll(cx);
                    s.state = State::Carrying(carry);
                    tip
                }
            },
            State::Carrying(carry) => Pin::new(carry).poll(cx),
        }
    }
}
