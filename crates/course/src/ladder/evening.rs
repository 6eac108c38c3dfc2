//! One evening on one rung: the menu is tasted, and guests want something every few milliseconds. How late is it?

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use loopbot::{Clock, LoopBot, now, sleep_until, spawn, yield_now};

/// So many guests.
const GUESTS: u32 = 4;
/// Each of them wants something, again and again, after so long.
const SIP: Duration = Duration::from_millis(5);

/// What was seen of an evening.
pub(super) struct Evening {
    /// The sum of all marks.
    pub(super) marks: u64,
    /// How long the tasting took.
    pub(super) took: Duration,
    /// Of every timer that was due while it lasted: how late it was.
    pub(super) late: Vec<Duration>,
}

/// Lets LoopBot do `work` while the guests are there.
pub(super) fn spend<F: Future<Output = anyhow::Result<u64>>>(work: F) -> anyhow::Result<Evening> {
    // Exact: LoopBot's own way of sharing wake-ups would make every timer late by some tenths of a millisecond.
    let loopbot = LoopBot::builder().clock(Clock::real().exact()).build();
    loopbot.run(async {
        let end = Rc::new(Cell::new(None));
        let began = now();
        let first = began + SIP;
        let guests: Vec<_> = (0..GUESTS)
            .map(|number| spawn(guest(first + SIP * number / GUESTS, Rc::clone(&end))))
            .collect();
        yield_now().await; // They set their timers.
        let marks = work.await;
        end.set(Some(now().max(first + SIP)));
        let took = now() - began;
        let mut late = Vec::new();
        for guest in guests {
            late.extend(guest.await?);
        }
        Ok(Evening {
            marks: marks?,
            took,
            late,
        })
    })
}

// ANCHOR: guest
/// Every 5 ms, and not 5 ms after the last time: so the numbers say how long
/// guests have waited, and not how often LoopBot was away.
async fn guest(first: Duration, end: Rc<Cell<Option<Duration>>>) -> Vec<Duration> {
    let mut late = Vec::new();
    let mut due = first;
    loop {
        sleep_until(due).await;
        if end.get().is_some_and(|end| due > end) {
            return late;
        }
        late.push(now().saturating_sub(due));
        due += SIP;
    }
}
// ANCHOR_END: guest

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_guest_has_been_seen_however_short_it_was() {
        let evening = spend(async { Ok(7) }).unwrap();
        assert_eq!(evening.marks, 7);
        assert!(evening.late.len() >= GUESTS as usize);
    }

    #[test]
    fn what_goes_wrong_is_handed_on() {
        let why = spend(async { anyhow::bail!("no dishes") }).err().unwrap();
        assert_eq!(why.to_string(), "no dishes");
    }
}
