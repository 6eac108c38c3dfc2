//! Programs over all of whatif's surface, under whatif and played by hand: the same outcomes, the same verdicts.
//!
//! More of them: `REFEREE_PROGRAMS=2000 cargo test --release -p referee`; others: `REFEREE_SEED=7000000`.

use referee::by_hand;
use referee::dice::Dice;
use referee::surface::{Do, Kind, Surface};
use referee::surface_on_whatif as on_whatif;
use whatif::{Checker, Outcome as Verdict, Reduction};

fn number(variable: &str, otherwise: u64) -> u64 {
    let wanted = std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok());
    wanted.unwrap_or(otherwise)
}

/// Programs with more states, or schedules, are not compared.
const STATES: usize = 6_000;
const RUNS: usize = 500;

fn programs() -> impl Iterator<Item = (u64, Surface)> {
    let first = number("REFEREE_SEED", 0);
    let seeds = first..first + 4 * number("REFEREE_PROGRAMS", 60);
    seeds.map(|seed| (seed, Surface::random(&mut Dice::new(seed))))
}

#[test]
fn the_same_outcomes() {
    let (mut compared, mut stuck, mut broken, mut runs, mut large) = (0, 0, 0, 0, 0);
    for (seed, program) in programs() {
        let Some(hand) = by_hand::play(&program, 0, STATES) else {
            large += 1;
            continue;
        };
        let Some((outcomes, tried)) = on_whatif::explore(&program, Reduction::SleepSets, RUNS)
        else {
            large += 1;
            continue;
        };
        // Who asks for what it holds, or panics, ends the run at once, and others may have come before it.
        let early = |kind| matches!(kind, Kind::LockedTwice | Kind::BrokeDown);
        let all_kinds = hand.outcomes.iter().any(|it| early(it.kind));
        let only = |a: &std::collections::BTreeSet<_>, b: &std::collections::BTreeSet<_>| {
            a.difference(b).cloned().collect::<Vec<_>>()
        };
        let ours = only(&outcomes, &hand.outcomes);
        let mut theirs = only(&hand.outcomes, &outcomes);
        theirs.retain(|it| !all_kinds || !(it.kind == Kind::RuleBroken || early(it.kind)));
        assert!(
            ours.is_empty() && theirs.is_empty(),
            "seed {seed}\nonly whatif: {ours:?}\nonly by hand: {theirs:?}\n{program:#?}"
        );
        compared += 1;
        runs += tried;
        stuck += usize::from(outcomes.iter().any(|it| it.kind == Kind::Stuck));
        broken += usize::from(outcomes.iter().any(|it| it.kind == Kind::RuleBroken));
    }
    println!(
        "{compared} programs, {stuck} of them can get stuck, {broken} break a rule; {runs} schedules; {large} too large"
    );
    assert!(stuck > 0 && compared > large);
}

/// With one sleeper that wakes unasked, as in every check.
#[test]
fn the_same_verdicts() {
    let (mut fine, mut wrong, mut priced, mut large) = (0, 0, 0, 0);
    for (seed, program) in programs() {
        let Some(hand) = by_hand::play(&program, 1, STATES) else {
            large += 1;
            continue;
        };
        let checker = || Checker::new("a random program").max_runs(RUNS);
        let report = on_whatif::verdict(&program, checker());
        let wrong_by_hand = hand.outcomes.iter().any(|it| it.kind != Kind::AllWell);
        match report.outcome {
            Verdict::Proved { .. } => {
                assert!(
                    !wrong_by_hand,
                    "seed {seed}: whatif proves it, and {:?}\n{program:#?}",
                    hand.outcomes
                );
                fine += 1;
            }
            Verdict::Failed(story) => {
                assert!(
                    wrong_by_hand,
                    "seed {seed}: nothing goes wrong, and whatif says\n{story}\n{program:#?}"
                );
                wrong += 1;
                let fewest = hand.fewest.expect("something goes wrong");
                // A turn given up, a place in line and a wait that ends too soon have a price of their own.
                let own_price = program.has(|it| {
                    matches!(
                        it,
                        Do::Doze(_) | Do::ReceiveAWhile | Do::ParkAWhile | Do::Write
                    ) || matches!(it, Do::Yield | Do::Nap | Do::Unpark(_))
                });
                if !own_price {
                    assert!(
                        story.preemptions <= fewest,
                        "seed {seed}: {fewest} preemptions would do\n{story}\n{program:#?}"
                    );
                    priced += 1;
                }
                let Verdict::Failed(twice) = on_whatif::verdict(&program, checker()).outcome else {
                    panic!("seed {seed}: the second time nothing goes wrong\n{story}\n{program:#?}")
                };
                assert_eq!(
                    twice.to_string(),
                    story.to_string(),
                    "seed {seed}\n{program:#?}"
                );
                let (ending, rule) = (story.ending, story.rule.clone());
                let played =
                    on_whatif::check(&program, checker(), |it, once| it.replay(&story.id, once));
                let Verdict::Failed(again) = played.outcome else {
                    panic!("seed {seed}: played again it goes well\n{story}\n{program:#?}")
                };
                assert_eq!(
                    (again.ending, again.rule),
                    (ending, rule),
                    "seed {seed}\n{story}\n{program:#?}"
                );
            }
            _ => large += 1,
        }
    }
    println!(
        "{fine} programs are fine, {wrong} are not, the story of {priced} is as short as it can be; {large} too large"
    );
    assert!(fine > 0 && wrong > 0 && fine + wrong > large);
}
