//! Exercise 22: another kitchen.
//!
//! Next door, behind a wall, other processes cook. A cook who drops dead there takes one job along, and not the restaurant. Say
//! what they can be asked for, and decide what becomes of a job whose cook has died. Test: cargo test -p exercise-22

use std::sync::atomic::AtomicU32;
use std::time::Duration;

use procpool::{Jobs, Pool};
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
    todo!("list the jobs. First hint: cargo course hint 22")
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
    let _ = (pool, patience);
    todo!(
        "have {} dishes cooked. First hint: cargo course hint 22",
        dishes.len()
    )
}

/// Has the guest charged next door, once at most, and within `patience`.
pub async fn charge<D: NextDoor>(
    pool: &Pool,
    bill: Bill,
    patience: Duration,
) -> Result<Receipt, Trouble> {
    let _ = (pool, patience);
    todo!("charge {}. First hint: cargo course hint 22", bill.guest)
}
