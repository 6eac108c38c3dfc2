//! Waiting until what a `Mutex` guards has changed.

use std::future::poll_fn;
use std::panic::Location;
use std::pin::Pin;
use std::task::Poll;

use super::mutex::MutexGuard;
use super::notify::{Notice, Notify, Standing};

/// A place to wait for news about a value in a [`Mutex`](super::Mutex). In asyncio this is `asyncio.Condition`, which has its lock built in.
///
/// Whoever changes the value notifies one of those who wait, or all. Always look at the value again after a wait:
/// somebody else may have had the mutex first. [`wait_while`](Condition::wait_while) does that.
///
/// ```
/// use std::rc::Rc;
/// use loopbot::sync::{Condition, Mutex};
///
/// loopbot::run(async {
///     let pass = Rc::new((Mutex::new(Vec::new()), Condition::new()));
///     let waiter = loopbot::spawn({
///         let pass = pass.clone();
///         async move {
///             let (dishes, news) = &*pass;
///             let mut dishes = news.wait_while(dishes.lock().await, |dishes| dishes.is_empty()).await;
///             dishes.pop()
///         }
///     });
///     loopbot::yield_now().await;
///     pass.0.lock().await.push("soup");
///     pass.1.notify_one();
///     assert_eq!(waiter.await.unwrap(), Some("soup"));
/// });
/// ```
///
/// It stays on its thread:
///
/// ```compile_fail
/// fn sent(_: impl Send) {}
/// sent(loopbot::sync::Condition::new());
/// ```
#[derive(Debug, Default)]
pub struct Condition {
    news: Notify,
}

impl Condition {
    /// A condition that nobody waits for.
    pub const fn new() -> Condition {
        Condition {
            news: Notify::new(),
        }
    }

    /// Gives the mutex back, waits for a notification, and locks the mutex again.
    ///
    /// The mutex is given back in the first poll; from then on no notification is missed.
    ///
    /// Cancel safe: if the future is dropped, also while it waits for the mutex, the notification that it had been
    /// given goes to the next in line. The mutex is not locked then. (In asyncio a cancelled `wait` locks it again.)
    #[track_caller]
    pub fn wait<'a, T: ?Sized>(
        &'a self,
        guard: MutexGuard<'a, T>,
    ) -> impl Future<Output = MutexGuard<'a, T>> {
        self.wait_at(guard, Location::caller())
    }

    async fn wait_at<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        at: &'static Location<'static>,
    ) -> MutexGuard<'a, T> {
        let mutex = MutexGuard::mutex(&guard);
        let mut guard = Some(guard);
        let mut wait = self
            .news
            .wait("a Condition", at, |standing| match standing {
                Standing::Called(notice) => Poll::Ready(notice),
                _ => Poll::Pending,
            });
        let notice = poll_fn(|cx| {
            let called = Pin::new(&mut wait).poll(cx);
            if wait.stands_in_line() {
                guard = None; // Given back now and not before: no news gets past this one.
            }
            called
        })
        .await;
        let mut unused = Unused {
            news: &self.news,
            notice,
        };
        let guard = mutex.lock_at(at).await;
        unused.notice = Notice::ForAll; // It is used: there is nothing to pass on.
        guard
    }

    /// Waits for as long as `unfit` says that the value is not yet what is waited for.
    ///
    /// If it is fit already, that is over at once, without giving the mutex back. Cancel safe as [`wait`](Condition::wait) is.
    #[track_caller]
    pub fn wait_while<'a, T: ?Sized>(
        &'a self,
        mut guard: MutexGuard<'a, T>,
        mut unfit: impl FnMut(&mut T) -> bool,
    ) -> impl Future<Output = MutexGuard<'a, T>> {
        let at = Location::caller();
        async move {
            while unfit(&mut guard) {
                guard = self.wait_at(guard, at).await;
            }
            guard
        }
    }

    /// Calls the one who has waited longest. If nobody waits, nothing happens. Whoever calls need not hold the mutex.
    pub fn notify_one(&self) {
        self.news.notify_one();
    }

    /// Calls everybody who waits now. They lock the mutex in the order in which they came.
    pub fn notify_all(&self) {
        self.news.notify_all();
    }
}

/// What somebody was called for who has not got the mutex yet. If that never happens, somebody else is called.
struct Unused<'a> {
    news: &'a Notify,
    notice: Notice,
}

impl Drop for Unused<'_> {
    fn drop(&mut self) {
        if self.notice == Notice::ForOne {
            self.news.notify_one();
        }
    }
}
