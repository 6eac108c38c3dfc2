//! must fail with: The soufflé has fallen. Its bell was due at 20 s and rang at
//!
//! Counts words. A hundred of them are half a second or a minute.

use std::time::Duration;

use loopbot::{MissedTick, interval, yield_now};

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

/// Hears the guest out. Returns every word, in order.
pub async fn listen(mut guest: impl Guest) -> Vec<String> {
    let mut heard = Vec::new();
    while let Some(word) = guest.next_word().await {
        heard.push(word);
        if heard.len().is_multiple_of(100) {
            yield_now().await;
        }
    }
    heard
}

/// Looks into the oven at once, and then every ten seconds, from the beginning of one look to the
/// beginning of the next. Ends when the oven is empty.
pub async fn look_after(oven: impl Oven) {
    let mut rounds = interval(Duration::from_secs(10)).missed_tick(MissedTick::Delay);
    loop {
        rounds.tick().await;
        if !oven.look().await {
            return;
        }
    }
}
