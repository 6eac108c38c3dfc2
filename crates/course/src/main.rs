//! The entry: everything it does is in the library, where tests can reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    // In a worker process of a pool it serves, and never returns.
    procpool::worker_entry(course::kitchen);
    course::cli::main()
}
