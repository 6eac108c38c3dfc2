//! How short should a turn be? One task computes and gives way now and then; another sleeps for a millisecond, again and
//! again, and says how late it was. Giving way costs time, and not giving way costs the other one's patience.
//!
//! `cargo run --release -p monday --example short_turns`

use std::hint::black_box;
use std::time::{Duration, Instant};

use loopbot::{Clock, LoopBot, now, sleep_until, spawn, yield_now};

/// All that has to be computed.
const STEPS: u64 = 100_000_000;
/// How often each is measured. The fastest computation counts, and all the sleeps do.
const TIMES: usize = 3;

/// The computation, or a part of it.
fn compute(steps: u64, mut number: u64) -> u64 {
    for _ in 0..steps {
        number = black_box(
            number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1),
        );
    }
    number
}

/// Computes, and gives way after each `turn` steps. Says how long the whole took, and how late the sleeps were.
fn run(turn: u64, looks: Option<usize>) -> (Duration, Vec<Duration>) {
    let loopbot = LoopBot::builder().clock(Clock::real().exact());
    let loopbot = match looks {
        Some(turns) => loopbot.turns_between_looks(turns),
        None => loopbot,
    };
    loopbot.build().run(async move {
        let computes = spawn(async move {
            let (began, mut number) = (Instant::now(), 1);
            for _ in 0..STEPS / turn {
                number = compute(turn, number);
                yield_now().await;
            }
            black_box(number);
            began.elapsed()
        });
        let mut late = Vec::new();
        while !computes.is_finished() {
            let due = now() + Duration::from_millis(1);
            sleep_until(due).await;
            late.push(now() - due);
        }
        (computes.await.expect("computing does not panic"), late)
    })
}

/// The fastest computation, and the lateness of the sleep in the middle and of the worst one.
fn measure(turn: u64, looks: Option<usize>) -> (Duration, Duration, Duration) {
    let (mut fastest, mut late) = (Duration::MAX, Vec::new());
    for _ in 0..TIMES {
        let (took, these) = run(turn, looks);
        fastest = fastest.min(took);
        late.extend(these);
    }
    late.sort();
    (fastest, late[late.len() / 2], late[late.len() - 1])
}

fn main() {
    // The same in one piece. Nobody is late for it, because nobody else is there.
    let in_one_piece = (0..TIMES)
        .map(|_| {
            let began = Instant::now();
            black_box(compute(STEPS, 1));
            began.elapsed()
        })
        .min()
        .expect("it is measured more than once");
    println!("in one piece it takes {in_one_piece:.0?}");
    println!("a turn of    looks at the clock      takes longer by   late, median        worst");
    for turn in [10, 100, 1_000, 10_000, 100_000, 1_000_000] {
        let length = in_one_piece.mul_f64(turn as f64 / STEPS as f64);
        for (looks, name) in [(None, "as usual"), (Some(1), "after each turn")] {
            let (took, median, worst) = measure(turn, looks);
            let more = 100.0 * (took.as_secs_f64() / in_one_piece.as_secs_f64() - 1.0);
            println!(
                "{:>9}    {name:<20} {more:>16.1} % {:>14} {:>12}",
                format!("{length:.0?}"),
                format!("{median:.1?}"),
                format!("{worst:.1?}")
            );
        }
    }
}
