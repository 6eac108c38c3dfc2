//! must fail with: open for 3600 seconds, and the doors close after 3600.9
//!
//! Gives the last plate a moment more. That is late, by less than a second.

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
    let mut hands = Hands {
        plate: Some(floor.take().await),
        floor,
    };
    floor.walk(hands.plate()).await;
    floor.room(hands.plate()).await;
    floor.serve(hands.empty());
}

/// What LoopBot carries. Whoever drops it puts the plate back.
struct Hands<'a, F: Floor> {
    floor: &'a F,
    plate: Option<Plate>,
}

impl<F: Floor> Hands<'_, F> {
    fn plate(&self) -> &Plate {
        self.plate.as_ref().expect("it was not given away yet")
    }

    fn empty(&mut self) -> Plate {
        self.plate.take().expect("it was not given away yet")
    }
}

impl<F: Floor> Drop for Hands<'_, F> {
    fn drop(&mut self) {
        if let Some(plate) = self.plate.take() {
            self.floor.put_back(plate);
        }
    }
}

/// Carries plates, one after the other, for as long as the restaurant is `open`, from now on. Then
/// stops at once. Returns how many plates were served.
pub async fn last_orders(floor: &impl Floor, open: Duration) -> usize {
    let closing = now() + open + Duration::from_millis(900);
    let mut served = 0;
    while timeout_at(closing, carry(floor)).await.is_ok() {
        served += 1;
    }
    served
}
