//! The tests, by theme; and the main of this program in its three roles: worker, actor, tests.

/// A test for each of these functions, under the module's name and its own. Each comes to an end, or fails.
macro_rules! promises {
    ($module:ident: $($test:ident),* $(,)?) => {
        pub fn tests() -> Vec<libtest_mimic::Trial> {
            vec![$(libtest_mimic::Trial::test(
                concat!(stringify!($module), "::", stringify!($test)),
                || { crate::linux::waits::with_an_end($test); Ok(()) },
            )),*]
        }
    };
}

mod deaths;
mod endings;
mod errors;
mod gate;
mod kitchen;
mod limits;
mod list;
mod maps;
mod stage;
mod submits;
mod waits;
mod workers;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

pub fn main() -> ExitCode {
    procpool::worker_entry(kitchen::kitchen);
    if let Some(role) = stage::role() {
        return stage::play(&role);
    }
    let tests = tests();
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

fn tests() -> Vec<Trial> {
    [
        submits::tests(),
        maps::tests(),
        workers::tests(),
        errors::tests(),
        deaths::tests(),
        limits::tests(),
        endings::tests(),
        list::tests(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
