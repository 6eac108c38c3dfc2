//! What the pool promises, one test for each promise. `src/behaviours.md` is the list of them.
//!
//! The workers are this same program, so its main is not the test harness's: the pool's entry comes first.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

/// Whether processes are there, and what they have, these tests read in `/proc`.
#[cfg(not(target_os = "linux"))]
fn main() {
    println!("these tests look at processes as Linux shows them, and skip elsewhere");
}
