//! All outcomes of a program under whatif, and its verdict on a hand-over.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use whatif::{Checker, Ending, Outcome as Verdict, Reduction};

use crate::hand_over::HandOver;
use crate::page::Page;
use crate::program::{Op, Outcome, Program};

mod run {
    #![allow(missing_docs, reason = "see the macro")]
    crate::interpreter!(whatif);
}

mod hand {
    #![allow(missing_docs, reason = "see the macro")]
    struct Thing(whatif::sync::Unguarded<u8>);

    impl Thing {
        #[track_caller]
        fn new() -> Thing {
            Thing(whatif::sync::Unguarded::new(0))
        }

        #[track_caller]
        fn look(&self) {
            self.0.read(|_| ());
        }

        #[track_caller]
        fn change(&self) {
            self.0.write(|_| ());
        }
    }

    crate::hand_over!(whatif);
}

/// All outcomes of a program, and how many schedules that took. None: it goes round, or there are more schedules than
/// `most`.
pub fn explore(
    program: &Program,
    reduction: Reduction,
    most: usize,
) -> Option<(BTreeSet<Outcome>, usize)> {
    let pages = Arc::new(Mutex::new(Vec::new()));
    let once = {
        let (program, pages) = (program.clone(), Arc::clone(&pages));
        let tries = program.threads.iter().flatten().any(tries);
        move || {
            if tries {
                // With something in the program that only tries, whatif begins again, and that first run is not to be
                // counted.
                drop(whatif::sync::Mutex::new(()).try_lock());
            }
            let page = Arc::new(Page::new(program.threads.len()));
            pages.lock().unwrap().push(Arc::clone(&page));
            run::run(&program, &page);
        }
    };
    let checker = Checker::new("a random program")
        .max_runs(most)
        .shares_nothing();
    let (ends, runs) = checker.every_end(reduction, once).ok()?;
    let known = [Ending::AllWell, Ending::Deadlock, Ending::LostWakeUp];
    assert!(
        ends.iter().all(|end| known.contains(end)),
        "{ends:?}: {program:#?}"
    );
    let outcomes = pages
        .lock()
        .unwrap()
        .iter()
        .map(|page| page.outcome())
        .collect();
    Some((outcomes, runs))
}

fn tries(op: &Op) -> bool {
    match op {
        Op::TryLock(..) | Op::TryReceive => true,
        Op::Lock(_, inside) | Op::Look(inside) | Op::Change(inside) => inside.iter().any(tries),
        _ => false,
    }
}

/// Does whatif find a data race in the hand-over?
///
/// # Panics
///
/// If it finds something else, or comes to no end.
pub fn races(hand_over: &HandOver) -> bool {
    let hand_over = hand_over.clone();
    let report = Checker::new("a hand-over")
        .shares_nothing()
        .explore(move || hand::run(&hand_over));
    match report.outcome {
        Verdict::Proved { .. } => false,
        Verdict::Failed(story) if story.ending == Ending::DataRace => true,
        other => panic!("{other:?}"),
    }
}
