//! What one event costs: `cargo bench -p flight`. Prints nanoseconds, asserts nothing.

use std::hint::black_box;
use std::time::Instant;

use flight::{ActorKind, Event, Header, Recorder, VirtualTime};

const EVENTS: u32 = 1_000_000;

fn main() {
    println!("ns per event, best of five rounds of {EVENTS}:");
    report("recorder off", &Recorder::off());
    report(
        "on, virtual time",
        &Recorder::new(Header::virtual_time("bench", &VirtualTime::new())),
    );
    report(
        "on, the computer's clock",
        &Recorder::new(Header::monotonic("bench")),
    );
}

fn report(name: &str, recorder: &Recorder) {
    let lane = recorder.actor("LoopBot", ActorKind::Loop);
    let task = recorder.task("a task");
    let round = || {
        let start = Instant::now();
        for poll in 0..EVENTS {
            black_box(&lane).record(Event::PollBegin {
                task,
                poll: poll.into(),
                cause: 1,
            });
        }
        start.elapsed().as_nanos() as f64 / f64::from(EVENTS)
    };
    let best = (0..5).map(|_| round()).fold(f64::INFINITY, f64::min);
    println!("{name:>26}  {best:6.1}");
}
