//! must fail with: it is being held
//!
//! The results of a map are an iterator, and become a stream by `stream()`. The iterator waits on its thread, and here that is LoopBot's.

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
    D::cook(&dish)
}

fn charge_one<D: NextDoor>(bill: Bill) -> Receipt {
    D::charge(&bill)
}

/// Has the dishes cooked next door.
pub async fn serve<D: NextDoor>(
    pool: &Pool,
    dishes: Vec<String>,
    patience: Duration,
) -> Vec<Result<Plate, Trouble>> {
    let cook = pool.job(cook_one::<D>).idempotent().time_limit(patience);
    let mut served = Vec::new();
    for answer in cook.map(dishes).ordered() {
        served.push(match answer {
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

/// Has the guest charged next door.
pub async fn charge<D: NextDoor>(
    pool: &Pool,
    bill: Bill,
    patience: Duration,
) -> Result<Receipt, Trouble> {
    let job = pool.job(charge_one::<D>).time_limit(patience);
    job.submit(bill).await.map_err(|error| match error {
        JobError::WorkerDied(_) | JobError::TimedOut { .. } | JobError::Panicked(_) => {
            Trouble::NobodyKnows
        }
        error => Trouble::Closed(error.to_string()),
    })
}
