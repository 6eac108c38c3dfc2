//! The same random programs under whatif, shuttle and loom: the same outcomes, the same races.
//!
//! More of them: `REFEREE_PROGRAMS=2000 cargo test --release -p referee`.

use std::panic;
use std::sync::Once;

use referee::dice::Dice;
use referee::hand_over::{self, HandOver, Move, Style};
use referee::program::{Kind, Program};
use referee::{under_loom, under_shuttle, under_whatif};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use whatif::Reduction;

/// The programs that shuttle runs to the end are compared. It needs many more schedules than whatif.
const MOST: usize = 10_000;

fn programs() -> u64 {
    let wanted = std::env::var("REFEREE_PROGRAMS")
        .ok()
        .and_then(|text| text.parse().ok());
    wanted.unwrap_or(60)
}

/// Deadlocks come as panics, thousands of them.
fn quietly() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let words = panic.payload().downcast_ref::<String>().map(String::as_str);
            let words = words
                .or(panic.payload().downcast_ref::<&str>().copied())
                .unwrap_or_default();
            if !["deadlock", "enough", "ausality"]
                .iter()
                .any(|known| words.contains(known))
            {
                usual(panic);
            }
        }));
    });
}

fn the_same_outcomes(kind: Kind, at_least: usize) {
    quietly();
    let (mut compared, mut stuck, mut ours, mut theirs) = (0, 0, 0, 0);
    for seed in 0..programs() {
        let program = Program::random(kind, &mut Dice::new(seed));
        let shuttle = under_shuttle::explore(&program, MOST);
        if !shuttle.complete {
            continue;
        }
        let Some((outcomes, runs)) = under_whatif::explore(&program, Reduction::SleepSets, MOST)
        else {
            panic!(
                "shuttle comes to an end after {} schedules, and whatif does not: seed {seed}, {program:#?}",
                shuttle.runs
            );
        };
        let only =
            |a: &std::collections::BTreeSet<_>, b: &_| a.difference(b).cloned().collect::<Vec<_>>();
        assert!(
            outcomes == shuttle.outcomes,
            "seed {seed} of {kind:?}\nonly whatif: {:?}\nonly shuttle: {:?}\n{program:#?}",
            only(&outcomes, &shuttle.outcomes),
            only(&shuttle.outcomes, &outcomes)
        );
        compared += 1;
        stuck += usize::from(outcomes.iter().any(|outcome| outcome.stuck));
        ours += runs;
        theirs += shuttle.runs;
    }
    println!(
        "{kind:?}: {compared} programs, {stuck} of them can get stuck; {ours} schedules, shuttle {theirs}"
    );
    assert!(
        compared >= at_least,
        "only {compared} programs were small enough to be compared"
    );
}

#[test]
fn locks_and_atomics() {
    the_same_outcomes(Kind::Locks, 30);
}

#[test]
fn try_lock() {
    the_same_outcomes(Kind::Tries, 30);
}

#[test]
fn bells() {
    the_same_outcomes(Kind::Bells, 30);
}

#[test]
fn channels() {
    the_same_outcomes(Kind::Channel, 30);
}

#[test]
fn rwlock_and_barrier() {
    the_same_outcomes(Kind::Rest, 30);
}

#[test]
fn a_race_that_loom_finds_is_found_and_no_other() {
    quietly();
    let (mut compared, mut races) = (0, 0);
    for seed in 0..5 * programs() {
        let program = hand_over::random(Style::Signs, &mut Dice::new(seed));
        if hand_over::changes_what_it_has_loaded(&program) {
            continue;
        }
        let Some(theirs) = under_loom::races(&program) else {
            continue;
        };
        let ours = under_whatif::races(&program);
        assert!(
            ours == theirs,
            "seed {seed}: whatif says {ours}, loom says {theirs}: {program:#?}"
        );
        compared += 1;
        races += usize::from(ours);
    }
    println!("{compared} hand-overs, {races} with a race");
    assert!(races > 0 && races < compared);
}

/// Where a thread goes on because it does *not* see a sign, a weak memory has more to offer than an order of steps: the
/// sign may be there and not be seen. Then loom finds races that whatif does not look for; it must never be the other way
/// round.
#[test]
fn what_whatif_does_not_model_is_missed_and_never_made_up() {
    quietly();
    let mut missed = 0;
    for seed in 0..5 * programs() {
        let program = hand_over::random(Style::Absence, &mut Dice::new(seed));
        if hand_over::changes_what_it_has_loaded(&program) {
            continue;
        }
        let Some(theirs) = under_loom::races(&program) else {
            continue;
        };
        let ours = under_whatif::races(&program);
        assert!(
            theirs || !ours,
            "seed {seed}: whatif sees a race that is not there: {program:#?}"
        );
        missed += usize::from(theirs && !ours);
    }
    println!("{missed} races missed");
}

/// The best known of those: store buffering. Both threads raise their own flag, then look for the other one's, and both
/// may miss it. In an order of steps, one of them is last and sees the other's.
#[test]
fn store_buffering_is_not_modelled() {
    quietly();
    let thread = |own: usize, other: usize| {
        vec![
            Move::Store(own, 1, Relaxed),
            Move::If(other, 0, Relaxed, vec![Move::Change]),
        ]
    };
    let program: HandOver = vec![thread(0, 1), thread(1, 0)];
    assert_eq!(under_loom::races(&program), Some(true));
    assert!(
        !under_whatif::races(&program),
        "the documentation says that this is not found"
    );
}

/// The last thread loads, and stores afterwards. The race is there: it stores, the first one sees that and looks, and
/// nothing orders the change of the second one. loom does not come to that execution; without the load it does.
#[test]
fn changes_what_it_has_loaded() {
    quietly();
    let program = |last: Vec<Move>| -> HandOver {
        vec![
            vec![Move::If(0, 3, Acquire, vec![Move::Look])],
            vec![Move::Change],
            last,
        ]
    };
    let store = || Move::Store(0, 3, Release);
    let loads_first = program(vec![Move::If(0, 2, Acquire, vec![]), store()]);
    assert!(hand_over::changes_what_it_has_loaded(&loads_first));
    assert!(under_whatif::races(&loads_first));
    assert_eq!(
        under_loom::races(&loads_first),
        Some(false),
        "has loom been mended? Then compare these, too"
    );
    let does_not = program(vec![store()]);
    assert!(under_whatif::races(&does_not));
    assert_eq!(under_loom::races(&does_not), Some(true));
}

/// The comparison would be worth nothing if it could not fail.
#[test]
fn a_checker_that_leaves_too_much_out_is_found_out() {
    quietly();
    let differs = |seed| {
        let program = Program::random(Kind::Locks, &mut Dice::new(seed));
        let outcomes = |reduction| {
            under_whatif::explore(&program, reduction, MOST).map(|(outcomes, _)| outcomes)
        };
        outcomes(Reduction::SleepSets) != outcomes(Reduction::Wrong)
    };
    let found_out = (0..programs()).filter(|seed| differs(*seed)).count();
    println!("{found_out} programs of {} tell", programs());
    assert!(found_out > 0);
}
