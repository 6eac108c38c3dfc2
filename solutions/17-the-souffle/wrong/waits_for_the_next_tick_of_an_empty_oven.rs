//! must fail with: It ends when the oven is empty, and not when the next look would be due
//!
//! Looks, waits for the next tick, and only then asks what the look has found.

use std::time::Duration;

use loopbot::{MissedTick, interval, now, yield_now};

/// A guest who likes to talk.
pub trait Guest: 'static {
    /// The next word. The guest never has to think: the word is there at once, and LoopBot stands and
    /// listens for as long as it takes to say it, which is a second at most. `None`: that was all.
    fn next_word(&mut self) -> impl Future<Output = Option<String>>;
}

/// The oven, with a soufflé in it.
pub trait Oven: 'static {
    /// Looks through the door. That takes a few seconds, and holds nobody up. `false`: the oven is empty.
    fn look(&self) -> impl Future<Output = bool>;
}

/// So long LoopBot stays with a guest who goes on talking. With the word that is being said, two seconds at most.
const TURN: Duration = Duration::from_secs(1);

/// Hears the guest out. Returns every word, in order.
pub async fn listen(mut guest: impl Guest) -> Vec<String> {
    let mut heard = Vec::new();
    let mut since = now();
    while let Some(word) = guest.next_word().await {
        heard.push(word);
        if now() - since >= TURN {
            yield_now().await;
            // Only now: what others did meanwhile is not this guest's time.
            since = now();
        }
    }
    heard
}

/// Looks into the oven at once, and then every ten seconds, from the beginning of one look to the
/// beginning of the next. Ends when the oven is empty.
pub async fn look_after(oven: impl Oven) {
    let mut rounds = interval(Duration::from_secs(10)).missed_tick(MissedTick::Delay);
    rounds.tick().await;
    loop {
        let is_full = oven.look().await;
        rounds.tick().await;
        if !is_full {
            return;
        }
    }
}
