//! All outcomes of a program under shuttle: every schedule, one after the other, also after one that gets stuck.

use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex};

use shuttle::scheduler::{DfsScheduler, Schedule, Scheduler, Task, TaskId};
use shuttle::{Config, FailurePersistence, Runner};

use crate::page::Page;
use crate::program::{Outcome, Program};

mod run {
    #![allow(missing_docs, reason = "see the macro")]
    crate::interpreter!(shuttle);
}

/// What shuttle has found.
#[derive(Debug)]
pub struct Found {
    /// All outcomes.
    pub outcomes: BTreeSet<Outcome>,
    /// How many schedules it has run.
    pub runs: usize,
    /// Those were all of them.
    pub complete: bool,
}

/// A scheduler that outlives the panic with which shuttle ends a run that is stuck.
#[derive(Clone)]
struct GoesOn(Arc<Mutex<Inner>>);

struct Inner {
    dfs: DfsScheduler,
    runs: usize,
    exhausted: bool,
}

impl Scheduler for GoesOn {
    fn new_execution(&mut self) -> Option<Schedule> {
        let mut inner = self.0.lock().unwrap();
        let next = inner.dfs.new_execution();
        inner.exhausted = next.is_none();
        inner.runs += usize::from(next.is_some());
        next
    }

    fn next_task(
        &mut self,
        ready: &[&Task],
        current: Option<TaskId>,
        yields: bool,
    ) -> Option<TaskId> {
        self.0.lock().unwrap().dfs.next_task(ready, current, yields)
    }

    fn next_u64(&mut self) -> u64 {
        self.0.lock().unwrap().dfs.next_u64()
    }
}

/// Runs all schedules of the program, but no more than `most`.
///
/// # Panics
///
/// If shuttle itself complains of something else than a program that is stuck.
pub fn explore(program: &Program, most: usize) -> Found {
    let inner = Inner {
        dfs: DfsScheduler::new(None, false),
        runs: 0,
        exhausted: false,
    };
    let scheduler = GoesOn(Arc::new(Mutex::new(inner)));
    let outcomes = Arc::new(Mutex::new(BTreeSet::new()));
    loop {
        let current = Arc::new(Mutex::new(None));
        let mut config = Config::new();
        config.failure_persistence = FailurePersistence::None;
        let runner = Runner::new(scheduler.clone(), config);
        let once = {
            let (program, outcomes, current) =
                (program.clone(), Arc::clone(&outcomes), Arc::clone(&current));
            let scheduler = scheduler.clone();
            move || {
                let page = Arc::new(Page::new(program.threads.len()));
                *current.lock().unwrap() = Some(Arc::clone(&page));
                run::run(&program, &page);
                outcomes.lock().unwrap().insert(page.outcome());
                // The one way out of a search that is too long.
                let too_many = scheduler.0.lock().unwrap().runs >= most;
                assert!(!too_many, "enough");
            }
        };
        let ended = panic::catch_unwind(AssertUnwindSafe(|| runner.run(once)));
        let (runs, exhausted) = {
            let inner = scheduler
                .0
                .lock()
                .unwrap_or_else(|poison| poison.into_inner());
            (inner.runs, inner.exhausted)
        };
        match ended {
            Ok(_) => {
                let outcomes = outcomes.lock().unwrap().clone();
                return Found {
                    outcomes,
                    runs,
                    complete: exhausted,
                };
            }
            Err(panic) => {
                let words = panic.downcast_ref::<String>().cloned();
                let words = words.or(panic
                    .downcast_ref::<&str>()
                    .map(|words| (*words).to_owned()));
                let words = words.unwrap_or_default();
                if runs >= most || words == "enough" {
                    let outcomes = outcomes.lock().unwrap().clone();
                    return Found {
                        outcomes,
                        runs,
                        complete: false,
                    };
                }
                assert!(words.contains("deadlock"), "shuttle says: {words}");
                let page = current
                    .lock()
                    .unwrap()
                    .take()
                    .expect("a run that is stuck has begun");
                outcomes.lock().unwrap().insert(page.outcome());
            }
        }
    }
}
