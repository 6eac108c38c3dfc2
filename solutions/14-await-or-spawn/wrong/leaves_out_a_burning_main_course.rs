//! must fail with: The oven of table 4 panicked, and the caller was told Ok(
//!
//! If nothing comes of the main course, the starter is all there is.
#![allow(missing_docs)]

use std::cell::RefCell;
use std::rc::Rc;

use loopbot::JoinError;

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
    let [starter, main] = house.take_order(table).await;
    // A task of its own: it is in the oven while the starter is cooked and brought.
    let main = loopbot::spawn({
        let house = house.clone();
        async move { house.cook(main).await }
    });
    let starter = house.cook(starter).await;
    let tip = house.bring(starter).await;
    // Awaited before any trouble is looked at. Who drops a handle leaves its task behind.
    let Ok(main) = main.await else {
        return tip;
    };
    Ok(tip? + house.bring(main).await?)
}

/// All tables at the same time. Returns their tips, in the order of `tables`.
///
/// Trouble at one table is no reason to let others go hungry: it returns when all have been served, and then
/// the trouble that comes first in the order of `tables`. A panic in the house must reach the caller, too: as
/// a panic, or as `Trouble` with its words.
pub async fn serve_all<H: House>(house: Rc<H>, tables: Vec<Table>) -> Result<Vec<Tip>, Trouble> {
    let all: Vec<_> = tables
        .into_iter()
        .map(|table| loopbot::spawn(serve(house.clone(), table)))
        .collect();
    let mut tips = Vec::new();
    for one in all {
        tips.push(one.await.unwrap_or_else(|error| Err(panicked(error))));
    }
    tips.into_iter().collect()
}

/// The same, but never more than `most` tables at a time (at least 1). They begin in the order of `tables`,
/// each as soon as there may be one more.
pub async fn serve_at_most<H: House>(
    house: Rc<H>,
    tables: Vec<Table>,
    most: usize,
) -> Result<Vec<Tip>, Trouble> {
    // As many waiters as there may be tables at a time. Who is free takes the next table of the list.
    let tips = Rc::new(RefCell::new(vec![Ok(0); tables.len()]));
    let list = Rc::new(RefCell::new(tables.into_iter().enumerate()));
    let waiters: Vec<_> = (0..most)
        .map(|_| {
            let (house, list, tips) = (house.clone(), list.clone(), tips.clone());
            loopbot::spawn(async move {
                loop {
                    let next = list.borrow_mut().next(); // No borrow is open at an `await`.
                    let Some((place, table)) = next else { break };
                    let served = loopbot::spawn(serve(house.clone(), table)).await;
                    tips.borrow_mut()[place] = served.unwrap_or_else(|error| Err(panicked(error)));
                }
            })
        })
        .collect();
    for waiter in waiters {
        waiter.await.map_err(panicked)?;
    }
    tips.take().into_iter().collect()
}

fn panicked(error: JoinError) -> Trouble {
    Trouble(error.to_string())
}
