//! must fail with: is put back, and it is on its table
//!
//! The guard does not learn that the plate was served, and puts back another one with the same number.

use std::time::Duration;

use loopbot::{now, timeout_at};

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
    let hands = Hands {
        plate: floor.take().await,
        floor,
    };
    floor.walk(&hands.plate).await;
    floor.room(&hands.plate).await;
    floor.serve(Plate(hands.plate.0));
}

/// What LoopBot carries. Whoever drops it puts the plate back.
struct Hands<'a, F: Floor> {
    floor: &'a F,
    plate: Plate,
}

impl<F: Floor> Drop for Hands<'_, F> {
    fn drop(&mut self) {
        self.floor.put_back(Plate(self.plate.0));
    }
}

/// Carries plates, one after the other, for as long as the restaurant is `open`, from now on. Then
/// stops at once. Returns how many plates were served.
pub async fn last_orders(floor: &impl Floor, open: Duration) -> usize {
    let closing = now() + open;
    let mut served = 0;
    while timeout_at(closing, carry(floor)).await.is_ok() {
        served += 1;
    }
    served
}
