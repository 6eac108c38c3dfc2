//! Nobody goes on before all are here.

use std::panic::Location;
use std::task::Poll;

use super::notify::{Notify, Standing};

/// A place where so many tasks wait for one another, again and again. In asyncio this is `asyncio.Barrier`.
///
/// ```
/// use std::rc::Rc;
/// use loopbot::sync::Barrier;
///
/// loopbot::run(async {
///     let table = Rc::new(Barrier::new(3)); // nobody eats before all three are served
///     let plates = [(); 3].map(|()| {
///         let table = table.clone();
///         loopbot::spawn(async move { table.wait().await.is_leader() })
///     });
///     let mut leaders = 0;
///     for plate in plates {
///         leaders += usize::from(plate.await.unwrap());
///     }
///     assert_eq!(leaders, 1);
/// });
/// ```
///
/// It stays on its thread:
///
/// ```compile_fail
/// fn sent(_: impl Send) {}
/// sent(loopbot::sync::Barrier::new(3));
/// ```
#[derive(Debug)]
pub struct Barrier {
    size: usize,
    /// Who waits here has arrived.
    arrived: Notify,
}

impl Barrier {
    /// A barrier for so many. One for 0 or 1 holds nobody up.
    pub const fn new(size: usize) -> Barrier {
        Barrier {
            size,
            arrived: Notify::new(),
        }
    }

    /// Arrives, and waits until all have arrived. One arrives when its future is polled for the first time.
    ///
    /// After that the barrier can be used again: who waits next is the first of the next round.
    ///
    /// Cancel safe, and nothing breaks: whoever is dropped while it waits has not arrived, and the others wait for
    /// somebody else in its stead, as in asyncio. Once all have arrived the round is over, whoever is dropped then.
    #[track_caller]
    pub fn wait(&self) -> impl Future<Output = BarrierWaitResult> + Unpin {
        let at = Location::caller();
        let is_leader = |leader| Poll::Ready(BarrierWaitResult { leader });
        self.arrived
            .wait("a Barrier", at, move |standing| match standing {
                Standing::Called(_) => is_leader(false),
                Standing::New if self.arrived.len() + 1 >= self.size => {
                    self.arrived.notify_all();
                    is_leader(true)
                }
                _ => Poll::Pending,
            })
    }
}

/// What [`Barrier::wait`] gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierWaitResult {
    leader: bool,
}

impl BarrierWaitResult {
    /// Whether this is the one who arrived last. In every round exactly one is.
    pub fn is_leader(self) -> bool {
        self.leader
    }
}
