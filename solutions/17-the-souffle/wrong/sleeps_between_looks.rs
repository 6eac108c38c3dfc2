//! must fail with: LoopBot should begin to look at 0 s, 10 s
//!
//! Ten seconds from the end of one look to the beginning of the next. Each lap is late by what the look takes.

use std::time::Duration;

use loopbot::{now, sleep, yield_now};

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
    let mut since = now();
    while let Some(word) = guest.next_word().await {
        heard.push(word);
        if now() - since >= Duration::from_secs(1) {
            yield_now().await;
            since = now();
        }
    }
    heard
}

/// Looks into the oven at once, and then every ten seconds, from the beginning of one look to the
/// beginning of the next. Ends when the oven is empty.
pub async fn look_after(oven: impl Oven) {
    while oven.look().await {
        sleep(Duration::from_secs(10)).await;
    }
}
