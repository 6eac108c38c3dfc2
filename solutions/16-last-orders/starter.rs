//! Exercise 16: last orders.
//!
//! Until the doors close LoopBot carries plates from the pass to the tables. Then it stops at once,
//! wherever it is. In the morning plates are missing. Write both functions. Test: cargo test -p exercise-16

use std::time::Duration;

/// A plate, with its number.
#[derive(Debug)]
pub struct Plate(pub u32);

/// What LoopBot can do with a plate.
pub trait Floor {
    /// Waits for a plate on the pass, and takes it. Dropped before it is ready, it has taken nothing.
    fn take(&self) -> impl Future<Output = Plate>;
    /// Walks to the plate's table.
    fn walk(&self, plate: &Plate) -> impl Future<Output = ()>;
    /// Waits, at the table, until the guests have made room.
    fn room(&self, plate: &Plate) -> impl Future<Output = ()>;
    /// Puts the plate on the table, where there is room.
    fn serve(&self, plate: Plate);
    /// Puts a plate that was not served back on the pass. This takes no time.
    fn put_back(&self, plate: Plate);
}

/// Takes a plate, walks, waits for room, serves.
///
/// Its future may be dropped at any `await`. Then the plate, if there is one, is back on the pass.
pub async fn carry(floor: &impl Floor) {
    let _ = floor;
    todo!("carry one plate. First hint: cargo course hint 16")
}

/// Carries plates, one after the other, for as long as the restaurant is `open`, from now on. Then
/// stops at once. Returns how many plates were served.
///
/// (`loopbot` has `timeout`, `timeout_at`, `now`, `sleep_until`.)
pub async fn last_orders(floor: &impl Floor, open: Duration) -> usize {
    let _ = floor;
    todo!("carry plates for {open:?}. First hint: cargo course hint 16")
}
