//! Exercise 19: the back of house.
//!
//! Guests order wine. The cellar blocks, and LoopBot must not, so a pool of threads goes down instead. Write three
//! functions that LoopBot can await. Test: cargo test -p exercise-19

use std::sync::Arc;
use std::time::Duration;

use offload::Pool;

/// A bottle of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bottle(pub String);

/// Why there is no bottle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is none of that name.
    NotThere,
    /// A shelf has collapsed over whoever was looking. The words are the panic's.
    Collapsed(String),
}

/// The cellar. It was built before anybody had heard of async.
pub trait Cellar: Send + Sync {
    /// Goes down, looks on one shelf after the other, and comes back with the bottle. It blocks the thread all the while.
    ///
    /// Before each shelf it calls `go_on`, and comes back without a bottle as soon as that says false. It panics if a shelf
    /// collapses.
    fn fetch(&self, wine: &str, go_on: &dyn Fn() -> bool) -> Option<Bottle>;
}

/// Fetches one bottle. LoopBot serves others meanwhile.
pub async fn fetch(pool: &Pool, cellar: Arc<dyn Cellar>, wine: String) -> Result<Bottle, Trouble> {
    let _ = (pool, cellar);
    todo!("fetch {wine}. First hint: cargo course hint 19")
}

/// Fetches all of them, as many at the same time as the pool has threads. The answers are in the order of the wines; trouble with
/// one of them does not keep the others from coming.
pub async fn fetch_all(
    pool: &Pool,
    cellar: Arc<dyn Cellar>,
    wines: Vec<String>,
) -> Vec<Result<Bottle, Trouble>> {
    let _ = (pool, cellar);
    todo!(
        "fetch {} bottles. First hint: cargo course hint 19",
        wines.len()
    )
}

/// Fetches one bottle for a guest who waits for so long, and then leaves. `None`: the guest has left.
///
/// Then nobody looks for the bottle any more when this returns: if the search has not begun, it never does; if it has, it
/// was called off, and whoever was down there has come back.
pub async fn fetch_within(
    pool: &Pool,
    cellar: Arc<dyn Cellar>,
    wine: String,
    patience: Duration,
) -> Option<Result<Bottle, Trouble>> {
    let _ = (pool, cellar, wine);
    todo!("fetch it within {patience:?}. First hint: cargo course hint 19")
}
