//! Exercise 14: await or spawn.
//!
//! Five tables want to eat, and one LoopBot serves them. Nearly all of an evening is waiting. Who awaits one thing after the
//! other waits for the sum; who waits for all of them at once waits for the longest. Decide, for each thing, whether it has to
//! wait for another. The tests are on a virtual clock, so they know to the second. Test: cargo test -p exercise-14
#![allow(missing_docs)]

use std::rc::Rc;

pub type Table = u32;
pub type Tip = u32;

/// What went wrong, in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble(pub String);

#[derive(Debug)]
pub struct Slip(pub Table, pub &'static str); // for the kitchen: "starter" or "main course"
#[derive(Debug)]
pub struct Plate(pub Table, pub &'static str);

/// The restaurant. Each of these waits for something, and holds nobody up meanwhile.
pub trait House: 'static {
    /// The party decides. Two slips: the starter, and the main course.
    fn take_order(&self, table: Table) -> impl Future<Output = [Slip; 2]>;
    /// The kitchen can do any number at the same time.
    fn cook(&self, slip: Slip) -> impl Future<Output = Plate>;
    fn bring(&self, plate: Plate) -> impl Future<Output = Result<Tip, Trouble>>;
}

/// One table. First its order. Then both courses are cooked, at the same time. The starter is brought as soon
/// as it is done, and the main course as soon as it is done and the starter has been brought.
///
/// Returns the sum of the tips, or the trouble. In trouble, too, nothing of it is left in the oven afterwards.
pub async fn serve<H: House>(house: Rc<H>, table: Table) -> Result<Tip, Trouble> {
    let _ = house;
    todo!("serve table {table}: what has to wait for what? First hint: cargo course hint 14")
}

/// All tables at the same time. Returns their tips, in the order of `tables`.
///
/// Trouble at one table is no reason to let others go hungry: it returns when all have been served, and then
/// the trouble that comes first in the order of `tables`. A panic in the house must reach the caller, too: as
/// a panic, or as `Trouble` with its words.
pub async fn serve_all<H: House>(house: Rc<H>, tables: Vec<Table>) -> Result<Vec<Tip>, Trouble> {
    let _ = house;
    todo!("serve {tables:?} at the same time. First hint: cargo course hint 14")
}

/// The same, but never more than `most` tables at a time (at least 1). They begin in the order of `tables`,
/// each as soon as there may be one more.
pub async fn serve_at_most<H: House>(
    house: Rc<H>,
    tables: Vec<Table>,
    most: usize,
) -> Result<Vec<Tip>, Trouble> {
    let _ = house;
    todo!("serve {tables:?}, {most} at a time. First hint: cargo course hint 14")
}
