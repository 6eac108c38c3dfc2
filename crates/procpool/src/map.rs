//! One function over many inputs.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures_core::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::{Pending, Unpark};
use crate::core::Ticket;
use crate::error::JobError;
use crate::pool::{Call, Encoded};
use crate::reply;

/// For so long the first of several chunks waits for the others.
const PATIENCE: Duration = Duration::from_micros(50);

/// One function over many inputs, to be described further. Made by [`Pool::map`](crate::Pool::map); begun by
/// [`ordered`](Map::ordered) or [`unordered`](Map::unordered).
#[must_use = "nothing is submitted yet"]
pub struct Map<F, I, A, R> {
    call: Call,
    inputs: I,
    chunk: usize,
    buffer: Option<usize>,
    types: PhantomData<fn(F, A) -> R>,
}

/// The results of a map: an iterator that waits on its thread. In an async program that would be the executor's, so take
/// the [`stream`](Results::stream) there.
///
/// The first inputs are taken and submitted before anybody asks for a result; after that, inputs are taken as results
/// are taken out. Dropping it cancels what is still queued.
#[must_use = "dropping the results cancels what is still queued"]
pub struct Results<I, A, R> {
    call: Call,
    /// `None` after its end.
    inputs: Option<I>,
    chunk: usize,
    buffer: usize,
    /// How many inputs go to the pool at a time, if that leaves the workers enough to do.
    several: usize,
    ordered: bool,
    /// How many inputs were taken whose results were not.
    ahead: usize,
    pending: VecDeque<(Pending, usize)>,
    /// A chunk that is answered, and how many of its results are left.
    current: Option<(reply::Results, usize)>,
    types: PhantomData<fn(A) -> R>,
}

/// The results of a map as a stream, on any runtime. Made by [`Results::stream`].
///
/// It is a type of its own, so that `next` and `map` mean the stream's, and nobody waits by accident on a thread that has
/// other things to do.
///
/// ```no_run
/// use futures::StreamExt;
/// # fn weigh(bag: u64) -> u64 { bag }
/// # async fn bake(pool: procpool::Pool) {
/// let mut weights = pool.map(weigh, 0..1000).chunk(20).unordered().stream();
/// while let Some(weight) = weights.next().await {
///     println!("{weight:?}");
/// }
/// # }
/// ```
#[must_use = "dropping the results cancels what is still queued"]
pub struct ResultStream<I, A, R>(Results<I, A, R>);

impl<F, I, A, R> Map<F, I, A, R>
where
    F: Fn(A) -> R + 'static,
    I: Iterator<Item = A>,
    A: Serialize + DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    pub(crate) fn new(call: Call, inputs: I) -> Self {
        Map {
            call,
            inputs,
            chunk: 1,
            buffer: None,
            types: PhantomData,
        }
    }

    /// How many inputs travel together. The default is 1; a million is the most. With small jobs, larger chunks are
    /// much faster. The results of a chunk arrive together.
    ///
    /// # Panics
    ///
    /// If `inputs` is 0.
    pub fn chunk(mut self, inputs: usize) -> Self {
        assert!(inputs > 0, "a chunk of no inputs would take for ever");
        self.chunk = inputs.min(Ticket::MOST_ITEMS);
        self
    }

    /// How many inputs at most are taken before the results of earlier ones were taken out. The default is 32 chunks
    /// for each worker. Less than a chunk makes the chunks smaller.
    ///
    /// # Panics
    ///
    /// If `inputs` is 0.
    pub fn buffer(mut self, inputs: usize) -> Self {
        assert!(inputs > 0, "a buffer of no inputs would take for ever");
        self.buffer = Some(inputs);
        self
    }

    /// Begins. The results come in the order of the inputs.
    pub fn ordered(self) -> Results<I, A, R> {
        self.begin(true)
    }

    /// Begins. The results come as they are ready, with nothing that tells of which input each is.
    pub fn unordered(self) -> Results<I, A, R> {
        self.begin(false)
    }

    fn begin(self, ordered: bool) -> Results<I, A, R> {
        let buffer = self
            .buffer
            .unwrap_or(self.chunk.saturating_mul(32 * self.call.workers()));
        let chunk = self.chunk.min(buffer);
        // When a quarter of what the workers have is done, the next quarter is sent, in one piece to each of them.
        let chunks_each = buffer / chunk / self.call.workers();
        let mut results = Results {
            several: chunk * (chunks_each / 4 * self.call.workers()).max(1),
            call: self.call,
            inputs: Some(self.inputs),
            chunk,
            buffer,
            ordered,
            ahead: 0,
            pending: VecDeque::new(),
            current: None,
            types: PhantomData,
        };
        results.fill();
        results
    }
}

impl<I, A, R> Results<I, A, R>
where
    I: Iterator<Item = A>,
    A: Serialize + DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    /// The same results as a stream. What was taken out before is not in it.
    pub fn stream(self) -> ResultStream<I, A, R> {
        ResultStream(self)
    }

    /// Takes inputs when there is room for several chunks, here and in the pool's queue, until there is none for one.
    fn fill(&mut self) {
        while self.buffer - self.ahead >= self.several
            && self
                .pending
                .back()
                .is_none_or(|(last, _)| !last.is_waiting())
            && self.inputs.is_some()
        {
            let orders = self.take_several();
            self.ahead += orders.iter().map(|(_, items)| items).sum::<usize>();
            self.pending.extend(self.call.submit_all(orders));
        }
    }

    /// The next few chunks. If the inputs are slow in coming, nobody shall wait for them all.
    fn take_several(&mut self) -> Vec<(Encoded, usize)> {
        let begun = Instant::now();
        let mut orders = Vec::with_capacity(self.several / self.chunk);
        while orders.len() < orders.capacity()
            && (orders.is_empty() || begun.elapsed() < PATIENCE)
            && let Some(inputs) = &mut self.inputs
        {
            let chunk: Vec<A> = inputs.take(self.chunk).collect();
            if chunk.len() < self.chunk {
                self.inputs = None;
            }
            if !chunk.is_empty() {
                orders.push((self.call.order(&chunk), chunk.len()));
            }
        }
        orders
    }

    /// A result that is here already.
    fn next_here(&mut self) -> Option<Result<R, JobError>> {
        let (results, left) = self.current.as_mut()?;
        let missing = || {
            Err(JobError::Decode(
                "a result is missing in the answer".to_owned(),
            ))
        };
        let result = results.next().unwrap_or_else(missing);
        *left -= 1;
        if *left == 0 {
            self.current = None;
        }
        self.ahead -= 1;
        self.fill();
        Some(result)
    }

    /// The next chunk that is answered: the first one, or any.
    fn poll_chunk(&mut self, waker: &Waker) -> Poll<()> {
        let candidates = if self.ordered { 1 } else { self.pending.len() };
        for place in 0..candidates.min(self.pending.len()) {
            let (pending, items) = &mut self.pending[place];
            if let Poll::Ready(reply) = pending.poll(waker) {
                self.current = Some((reply.results(), *items));
                self.pending.remove(place);
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}

impl<I, A, R> Stream for ResultStream<I, A, R>
where
    I: Iterator<Item = A>,
    A: Serialize + DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    type Item = Result<R, JobError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let results = &mut self.0;
        loop {
            if let Some(result) = results.next_here() {
                return Poll::Ready(Some(result));
            }
            results.fill();
            if results.pending.is_empty() {
                return Poll::Ready(None);
            }
            if results.poll_chunk(cx.waker()).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl<I, A, R> Iterator for Results<I, A, R>
where
    I: Iterator<Item = A>,
    A: Serialize + DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    type Item = Result<R, JobError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut waker = None;
        loop {
            if let Some(result) = self.next_here() {
                return Some(result);
            }
            self.fill();
            if self.ordered {
                let (mut first, items) = self.pending.pop_front()?;
                let reply = first.wait(None)?;
                self.current = Some((reply.results(), items));
                continue;
            }
            if self.pending.is_empty() {
                return None;
            }
            let waker =
                waker.get_or_insert_with(|| Waker::from(Arc::new(Unpark(thread::current()))));
            while self.poll_chunk(waker).is_pending() {
                thread::park();
            }
        }
    }
}

/// Nothing in it is ever pinned.
impl<I, A, R> Unpin for ResultStream<I, A, R> {}
