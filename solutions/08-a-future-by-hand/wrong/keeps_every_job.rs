//! must fail with: the job is still kept
//!
//! One field for each job, and each of them stays until the table is served.
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
pub struct State<H: House> {
    order: Option<H::TakeOrder>,
    slip: Option<Slip>,
    cook: Option<H::Cook>,
    plate: Option<Plate>,
    carry: Option<H::Carry>,
}
impl<H: House> Serve<H> {
    pub fn new(house: H, table: u32) -> Self {
        let state = State {
            order: None,
            slip: None,
            cook: None,
            plate: None,
            carry: None,
        };
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
        let Serve {
            house,
            table,
            state: s,
        } = self.get_mut();
        if s.slip.is_none() {
            let job = s.order.get_or_insert_with(|| house.take_order(*table));
            match Pin::new(job).poll(cx) {
                Poll::Ready(slip) => {
                    s.slip = Some(slip);
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        if s.plate.is_none() {
            let slip = s.slip.clone().unwrap();
            let job = s.cook.get_or_insert_with(|| house.cook(slip));
            match Pin::new(job).poll(cx) {
                Poll::Ready(plate) => {
                    s.plate = Some(plate);
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        let plate = s.plate.clone().unwrap();
        let job = s.carry.get_or_insert_with(|| house.carry(plate, *table));
        Pin::new(job).poll(cx)
    }
}
