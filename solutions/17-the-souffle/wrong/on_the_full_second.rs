//! must fail with: LoopBot looked at it at 3.5 s and again at 13 s
//!
//! Keeps its times in whole seconds.

use std::time::Duration;

use loopbot::{now, sleep_until, yield_now};

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
    loop {
        let began = now().as_secs();
        if !oven.look().await {
            return;
        }
        sleep_until(Duration::from_secs(began + 10)).await;
    }
}
