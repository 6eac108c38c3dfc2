//! From bytes that came over the network to a job of the pool, and back, for a function whose types nobody here knows.
//!
//! Both ways go through the real value. The bytes of the network and those of the pool's sockets differ: in a pool a
//! [`Blob`](crate::Blob) travels as a descriptor, between machines as what is in it.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::Pending;
use crate::error::JobError;
use crate::pool::{Call, Pool};
use crate::reply::Reply;

/// The two ways, for one function of the list. Kept in the list, where its types were last known.
#[derive(Clone, Copy)]
pub(crate) struct Forward {
    submit: fn(&Call, &[u8]) -> Result<Pending, JobError>,
    take: fn(Reply) -> Result<Vec<u8>, JobError>,
}

impl Forward {
    pub(crate) fn of<A, R>() -> Forward
    where
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        Forward {
            submit: |call, argument| {
                let argument: A = postcard::from_bytes(argument)
                    .map_err(|error| JobError::Decode(format!("the argument: {error}")))?;
                Ok(call.submit(std::slice::from_ref(&argument)))
            },
            take: |reply| {
                let missing = || {
                    Err(JobError::Decode(
                        "there is no result in the answer".to_owned(),
                    ))
                };
                let value: R = reply.results().next().unwrap_or_else(missing)?;
                postcard::to_stdvec(&value)
                    .map_err(|error| JobError::Encode(format!("the result: {error}")))
            },
        }
    }
}

/// Does the job of the function at this place.
pub(super) async fn run(
    pool: &Pool,
    function: u16,
    time_limit: Option<Duration>,
    argument: &[u8],
) -> Result<Vec<u8>, JobError> {
    let Some(entry) = pool.jobs().get(function) else {
        return Err(JobError::Decode(
            "there is no such job in this machine's list".to_owned(),
        ));
    };
    let Forward { submit, take } = entry.forward;
    let call = pool.call(function, time_limit);
    // What reads and writes values is the program's own code, and may panic.
    let mut pending = guarded(|| submit(&call, argument))?;
    let reply = poll_fn(|cx| pending.poll(cx.waker())).await;
    guarded(|| take(reply))
}

fn guarded<T>(act: impl FnOnce() -> Result<T, JobError>) -> Result<T, JobError> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|_| {
        Err(JobError::Decode(
            "the job's types panic when they are read or written".to_owned(),
        ))
    })
}
