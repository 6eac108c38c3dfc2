//! must fail with: The machine's receipt has the number
//!
//! Writes the receipt itself.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use procpool::{JobError, Jobs, Pool};
use serde::{Deserialize, Serialize};

/// A plate, and how many eggs are in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plate {
    pub dish: String,
    pub eggs: u32,
}

/// What a guest has to pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    pub guest: String,
    pub cents: u32,
}

/// The guest has paid. The number is the machine's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt(pub u32);

/// Why there is no plate, or no receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The recipe has a mistake: cooking it panics, with these words.
    Burnt(String),
    /// So many cooks have tried it, and each of them has died of it.
    GivenUp { cooks: u32 },
    /// It has taken longer than the guest's patience, and was stopped.
    TooLong,
    /// The charge was begun, and did not come to its end. Nobody knows whether the guest has paid.
    NobodyKnows,
    /// It was not begun at all. In words, why.
    Closed(String),
}

/// What is next door. Whoever uses it may panic, drop dead, or never come back.
pub trait NextDoor: 'static {
    /// Cooks a dish. What goes wrong can be cooked again.
    fn cook(dish: &str) -> Plate;
    /// Takes the money from the guest's card. Who is charged again has paid twice.
    fn charge(bill: &Bill) -> Receipt;
}

/// The tally on the wall of this kitchen: the eggs in all plates that have been served.
pub static EGGS: AtomicU32 = AtomicU32::new(0);

/// Everything that the cooks next door can be asked for: functions of one argument.
pub fn jobs<D: NextDoor>() -> Jobs {
    procpool::jobs![cook_one::<D>, charge_one::<D>]
}

fn cook_one<D: NextDoor>(dish: String) -> Plate {
    D::cook(&dish) // the tally is not here: this is next door
}

fn charge_one<D: NextDoor>(bill: Bill) -> Receipt {
    D::charge(&bill)
}

/// Has the dishes cooked next door, by all cooks at the same time. The answers are in the order of the dishes.
///
/// A dish whose cook has died is cooked again, as long as the pool gives it to anybody. No dish takes longer than `patience`.
/// Trouble with one dish is none with the others. The eggs of the plates are on the tally afterwards.
pub async fn serve<D: NextDoor>(
    pool: &Pool,
    dishes: Vec<String>,
    patience: Duration,
) -> Vec<Result<Plate, Trouble>> {
    let order = |dish| {
        let job = pool.job(cook_one::<D>).idempotent().time_limit(patience);
        job.submit(dish)
    };
    let answers: Vec<_> = dishes.into_iter().map(order).collect();
    let mut served = Vec::new();
    for answer in answers {
        served.push(match answer.await {
            Ok(plate) => {
                EGGS.fetch_add(plate.eggs, Ordering::Relaxed);
                Ok(plate)
            }
            Err(JobError::Panicked(panic)) => Err(Trouble::Burnt(panic.message)),
            Err(JobError::Poisoned { attempts, .. }) => Err(Trouble::GivenUp { cooks: attempts }),
            Err(JobError::TimedOut { .. }) => Err(Trouble::TooLong),
            Err(error) => Err(Trouble::Closed(error.to_string())),
        });
    }
    served
}

/// Has the guest charged next door, once at most, and within `patience`.
pub async fn charge<D: NextDoor>(
    pool: &Pool,
    bill: Bill,
    patience: Duration,
) -> Result<Receipt, Trouble> {
    let job = pool.job(charge_one::<D>).time_limit(patience); // and not `idempotent`
    let cents = bill.cents;
    let paid: Result<Receipt, JobError> = job.submit(bill).await;
    paid.map(|_| Receipt(cents)).map_err(|error| match error {
        // It was begun. The money may be gone, or not. (A bill and a receipt can always be written down and read. If a receipt could
        // not, the money would be gone, too.)
        JobError::WorkerDied(_) | JobError::TimedOut { .. } | JobError::Panicked(_) => {
            Trouble::NobodyKnows
        }
        error => Trouble::Closed(error.to_string()),
    })
}
