// ANCHOR: whole
//! "It has happened", for everybody who waits for it.

use std::cell::Cell;
use std::panic::Location;
use std::task::Poll;

use super::notify::{Notify, Standing};

/// Something that has happened or not. In asyncio this is `asyncio.Event`.
///
/// ```
/// use std::rc::Rc;
/// use loopbot::sync::Event;
///
/// loopbot::run(async {
///     let open = Rc::new(Event::new());
///     let guest = loopbot::spawn({
///         let open = open.clone();
///         async move { open.wait().await }
///     });
///     loopbot::yield_now().await;
///     assert!(!guest.is_finished());
///     open.set();
///     guest.await.unwrap();
///     open.wait().await; // it is still set: over at once
/// });
/// ```
///
/// It stays on its thread:
///
/// ```compile_fail
/// fn sent(_: impl Send) {}
/// sent(loopbot::sync::Event::new());
/// ```
#[derive(Debug, Default)]
pub struct Event {
    is_set: Cell<bool>,
    news: Notify,
}

impl Event {
    /// An event that has not happened.
    pub const fn new() -> Event {
        Event {
            is_set: Cell::new(false),
            news: Notify::new(),
        }
    }

    // ANCHOR: set
    /// It has happened: everybody who waits goes on, also if it is cleared before they are polled.
    pub fn set(&self) {
        self.is_set.set(true);
        self.news.notify_all();
    }
    // ANCHOR_END: set

    /// It has not happened: whoever waits from now on waits for the next [`set`](Event::set).
    pub fn clear(&self) {
        self.is_set.set(false);
    }

    /// Whether it has happened.
    pub fn is_set(&self) -> bool {
        self.is_set.get()
    }

    /// Waits until it happens. If it has happened, that is over at once.
    ///
    /// Cancel safe: nothing is lost if the future is dropped.
    #[track_caller]
    pub fn wait(&self) -> impl Future<Output = ()> + Unpin {
        let at = Location::caller();
        self.news.wait("an Event", at, |standing| match standing {
            Standing::Called(_) => Poll::Ready(()),
            _ if self.is_set() => Poll::Ready(()),
            _ => Poll::Pending,
        })
    }
}
// ANCHOR_END: whole
