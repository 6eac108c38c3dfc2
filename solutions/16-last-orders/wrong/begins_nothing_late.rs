//! must fail with: 3 plates could be on the tables, and 2 are
//!
//! Knows by heart what a plate takes, and begins none when less than that is left. Some tables are near.

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
    let plate = floor.take().await;
    let mut hands = Hands {
        floor,
        plate: Some(plate),
    };
    floor.walk(hands.plate.as_ref().unwrap()).await;
    floor.room(hands.plate.as_ref().unwrap()).await;
    floor.serve(hands.plate.take().unwrap());
}

/// Carries plates, one after the other, for as long as the restaurant is `open`, from now on. Then
/// stops at once. Returns how many plates were served.
///
/// (`loopbot` has `timeout`, `timeout_at`, `now`, `sleep_until`.)
pub async fn last_orders(floor: &impl Floor, open: Duration) -> usize {
    let closing = loopbot::now() + open;
    let mut n = 0;
    loop {
        if loopbot::now() + Duration::from_secs(60) > closing {
            loopbot::sleep_until(closing).await;
            return n;
        }
        if loopbot::timeout_at(closing, carry(floor)).await.is_err() {
            return n;
        }
        n += 1;
    }
}

struct Hands<'a, F: Floor> {
    floor: &'a F,
    plate: Option<Plate>,
}
impl<F: Floor> Drop for Hands<'_, F> {
    fn drop(&mut self) {
        if let Some(p) = self.plate.take() {
            self.floor.put_back(p)
        }
    }
}
