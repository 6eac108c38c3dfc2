//! Which functions of a stack are shown. A part of `src/watchdog/stack/fold.rs`: nobody else sees it.

use super::super::names::Function;
use super::for_a_reader;

/// What is shown of these functions, innermost first. The last one is the loop's.
fn shown(names: &[&str]) -> Vec<String> {
    let function = |name: &&str| Function {
        name: (*name).to_owned(),
        file: None,
        line: None,
    };
    let stack = names.iter().chain(&["loopbot_core::task::Task::poll"]);
    let frames = for_a_reader(stack.map(function));
    frames.into_iter().map(|frame| frame.function).collect()
}

#[test]
fn of_the_libraries_only_what_the_program_called() {
    let stack = [
        "memmove",
        "<T as core::convert::Into<U>>::into",
        "<alloc::vec::Vec<T> as core::clone::Clone>::clone",
        "soup::kitchen::cook",
        "<core::pin::Pin<P> as core::future::future::Future>::poll",
        "soup::serve::{{closure}}",
        "<core::panic::unwind_safe::AssertUnwindSafe<F> as core::ops::function::FnOnce<()>>::call_once",
        "std::panicking::catch_unwind",
    ];
    assert_eq!(
        shown(&stack),
        [
            "<alloc::vec::Vec<T> as core::clone::Clone>::clone",
            "soup::kitchen::cook",
            "<core::pin::Pin<P> as core::future::future::Future>::poll",
            "soup::serve",
        ]
    );
}

#[test]
fn what_the_program_has_written_for_a_type_of_std_is_the_programs() {
    let stack = [
        "std::thread::functions::sleep",
        "<alloc::vec::Vec<T> as soup::Cook>::cook",
        "<&soup::Menu as core::iter::traits::collect::IntoIterator>::into_iter",
        "soup::serve",
    ];
    assert_eq!(shown(&stack), stack);
}

#[test]
fn loopbot_is_left_out() {
    let stack = [
        "std::thread::functions::sleep",
        "soup::naps",
        "<loopbot_core::wait_point::Waits<F> as core::future::future::Future>::poll",
        "soup::serve",
    ];
    assert_eq!(
        shown(&stack),
        ["std::thread::functions::sleep", "soup::naps", "soup::serve"]
    );
}
