//! Exercise 17: the soufflé.
//!
//! A guest talks, and LoopBot listens. Meanwhile the soufflé's bell comes due, and nobody is there to
//! ring it. Write both functions so that every bell is heard in time. Test: cargo test -p exercise-17

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
///
/// Nobody may hold LoopBot for more than two seconds at a time. But turning away and coming back has its
/// price, too: as long as the guest goes on talking, stay for at least a second. And do not wait for
/// time to pass: if nobody else wants LoopBot, listening takes as long as talking.
pub async fn listen(guest: impl Guest) -> Vec<String> {
    let _ = guest;
    todo!("hear the guest out. First hint: cargo course hint 17")
}

/// Looks into the oven at once, and then every ten seconds, from the beginning of one look to the
/// beginning of the next. Ends when the oven is empty.
///
/// If LoopBot is held up, the look that is due comes as soon as it is free. A look lets heat out: between the
/// beginnings of two looks there are always ten seconds at least, or the soufflé falls.
///
/// (`loopbot` has `now`, `sleep`, `sleep_until`, `interval`, `yield_now`.)
pub async fn look_after(oven: impl Oven) {
    let _ = oven;
    todo!("look into the oven. First hint: cargo course hint 17")
}
