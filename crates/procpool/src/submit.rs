//! One way to give jobs away, whoever does them: the processes of this machine, or other machines.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::Answer;
use crate::error::JobError;
use crate::pool::Pool;

/// Takes jobs. A program that is written against this does not know where they are done.
///
/// [`Pool`] implements it, and so does `Cluster` (feature `nats`), whose jobs are done on other machines.
///
/// What is common is the least of what both promise. A job is begun whether or not anybody awaits the answer. The
/// answer is a future for any runtime, and awaiting it is cancel safe. It comes to one value or one error. What differs
/// is how often the job may be done: a pool does it at most once, unless told otherwise; a cluster at least once. So a
/// program that is written against the trait should submit only what may be done twice.
///
/// ```
/// use procpool::{JobError, Submit};
///
/// fn taste(dish: String) -> usize {
///     dish.len()
/// }
///
/// async fn evening(kitchen: &impl Submit) -> Result<usize, JobError> {
///     let soup = kitchen.submit(taste, "onion soup".to_owned());
///     let cake = kitchen.submit(taste, "cake".to_owned());
///     Ok(soup.await? + cake.await?)
/// }
/// ```
pub trait Submit {
    /// What will become of a job.
    type Answer<R>: Future<Output = Result<R, JobError>> + Send + Unpin
    where
        R: DeserializeOwned;

    /// Gives a job away. If there is no room for it, the answer keeps it and it waits for its turn.
    fn submit<F, A, R>(&self, function: F, arg: A) -> Self::Answer<R>
    where
        F: Fn(A) -> R + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned;
}

impl Submit for Pool {
    type Answer<R>
        = Answer<R>
    where
        R: DeserializeOwned;

    fn submit<F, A, R>(&self, function: F, arg: A) -> Answer<R>
    where
        F: Fn(A) -> R + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        Pool::submit(self, function, arg)
    }
}
