//! All outcomes of a program under whatif, and its verdict on a hand-over.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use whatif::{Checker, Ending, Outcome as Verdict, Reduction};

use crate::hand_over::HandOver;
use crate::page::Page;
use crate::program::{Outcome, Program};

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
///
/// # Panics
///
/// If a run ends in a way in which none of these programs can end.
pub fn explore(
    program: &Program,
    reduction: Reduction,
    most: usize,
) -> Option<(BTreeSet<Outcome>, usize)> {
    let page = Arc::new(Mutex::new(Arc::new(Page::new(0))));
    let once = {
        let (program, page) = (program.clone(), Arc::clone(&page));
        move || {
            let fresh = Arc::new(Page::new(program.threads.len()));
            *page.lock().unwrap() = Arc::clone(&fresh);
            run::run(&program, &fresh);
        }
    };
    let outcomes = RefCell::new(BTreeSet::new());
    // A run that whatif knows to be like another one does not count: what it leaves out must come out elsewhere.
    let after = |counts| {
        if counts {
            outcomes.borrow_mut().insert(page.lock().unwrap().outcome());
        }
    };
    let checker = Checker::new("a random program")
        .max_runs(most)
        .shares_nothing();
    let (ends, runs) = checker.every_end(reduction, after, once).ok()?;
    let known = [Ending::AllWell, Ending::Deadlock, Ending::LostWakeUp];
    assert!(
        ends.iter().all(|end| known.contains(end)),
        "{ends:?}: {program:#?}"
    );
    Some((outcomes.into_inner(), runs))
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
