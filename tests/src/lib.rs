//! What crosses crates: the exercises with their solutions and wrong answers, the book with the code it quotes, and the
//! browser with the program that serves it. The tests are in `tests/`; what they are made of is here.
//!
//! - [`gate`] reads the built book and finds what mdBook does not complain of.
//! - [`page`] reads one HTML page.
//! - [`webdriver`] drives a browser.

pub mod gate;
pub mod page;
pub mod webdriver;

use std::path::{Path, PathBuf};

/// The workspace's root.
///
/// # Panics
///
/// If this package is not in the workspace any more.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests lie in the workspace")
        .to_path_buf()
}
