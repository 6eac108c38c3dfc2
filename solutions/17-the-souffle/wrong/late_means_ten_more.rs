//! must fail with: It began at 0 s, 49 s
//!
//! A look that took too long is followed by a whole pause. The next one was due long ago.

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
        let began = now();
        if !oven.look().await {
            return;
        }
        let pause = Duration::from_secs(10);
        sleep(pause.checked_sub(now() - began).unwrap_or(pause)).await;
    }
}
