//! Which functions are the standard library's. A part of `src/watchdog/stuck.rs`: nobody else sees it.

use super::{crate_of, is_standard};

#[test]
fn what_is_written_in_the_standard_library() {
    for path in [
        "std::thread::functions::sleep",
        "core::hash::impls::<impl core::hash::Hash for i32>::hash",
        // Type and trait are std's.
        "<alloc::vec::Vec<T> as core::clone::Clone>::clone",
        "<alloc::vec::Vec<soup::Dish> as core::clone::Clone>::clone",
        "<alloc::vec::Vec<<soup::Menu as soup::Of>::Dish> as core::clone::Clone>::clone",
        "<alloc::boxed::Box<fn(soup::Dish) -> soup::Plate> as core::ops::function::FnOnce<()>>::call_once",
        "<core::pin::Pin<P> as core::future::future::Future>::poll",
        "<&std::net::tcp::TcpStream as std::io::Read>::read",
        "<[soup::Dish] as core::slice::cmp::SlicePartialEq<soup::Dish>>::equal",
        "<(soup::Dish, soup::Dish) as core::cmp::PartialEq>::eq",
        // No trait.
        "<alloc::vec::Vec<soup::Dish>>::push",
        "<dyn core::any::Any>::downcast_ref",
        // Any type.
        "<F as core::ops::function::FnOnce<()>>::call_once",
        "<&mut F as core::future::future::Future>::poll",
    ] {
        assert!(is_standard(path), "{path}, of {:?}", crate_of(path));
    }
}

#[test]
fn what_is_written_somewhere_else() {
    for path in [
        "soup::kitchen::cook",
        "soup::kitchen::cook::<std::thread::Thread>",
        "<soup::Dish as core::fmt::Display>::fmt",
        "<&soup::Dish as core::iter::IntoIterator>::into_iter",
        "<alloc::vec::Vec<T> as soup::Cook>::cook",
        "<[T] as soup::Cook>::cook",
        "<<soup::Menu as core::iter::IntoIterator>::Item as soup::Cook>::cook",
        "<T as soup::Cook>::cook",
        "<dyn soup::Cook>::cook",
        "<soup::Dish>::new::<<alloc::vec::Vec<T> as core::clone::Clone>::Of>",
    ] {
        assert_eq!(crate_of(path), Some("soup"), "{path}");
        assert!(!is_standard(path), "{path}");
    }
    assert!(!is_standard("stdx::sleep"));
}

#[test]
fn nobody_knows_of_a_name_without_a_path() {
    for path in ["poll", "Receiver<T>::recv", "<T>::cook", ""] {
        assert_eq!(crate_of(path), None, "{path}");
    }
}
