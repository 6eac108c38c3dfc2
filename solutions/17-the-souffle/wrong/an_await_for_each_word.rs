//! must fail with: The soufflé has fallen. Its bell was due at 20 s and rang at
//!
//! There is an `await` for every word, so LoopBot can turn to somebody else at every word. It cannot: the word is
//! there each time.

use std::time::Duration;

use loopbot::{MissedTick, interval};

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

// ANCHOR: an_await_for_each_word
/// Hears the guest out. Returns every word, in order.
pub async fn listen(mut guest: impl Guest) -> Vec<String> {
    let mut heard = Vec::new();
    while let Some(word) = guest.next_word().await {
        heard.push(word);
    }
    heard
}
// ANCHOR_END: an_await_for_each_word

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
