//! A lock that whatif has, and that this crate does not hand on, would be std's: no check would see it.

use std::collections::BTreeSet;

const SYNC: &str = include_str!("../../whatif/src/sync/mod.rs");
const ATOMIC: &str = include_str!("../../whatif/src/sync/atomic.rs");
const THREAD: &str = include_str!("../../whatif/src/thread.rs");

/// What std has nothing like; and what is made for a `static`, where only std's own compiles.
const NOT_HANDED_ON: [&str; 5] = ["Shared", "Unguarded", "LazyLock", "Once", "OnceLock"];

#[test]
fn what_whatif_has_is_handed_on() {
    let mut names: BTreeSet<&str> = words(ATOMIC).filter(is_an_atomic).collect();
    names.extend(public_names(SYNC));
    names.extend(public_names(THREAD));
    for known in ["AtomicBool", "Mutex", "atomic", "spawn"] {
        assert!(names.contains(known), "{known} is not found any more");
    }
    let handed_on: BTreeSet<&str> = words(include_str!("../src/lib.rs")).collect();
    let forgotten: Vec<_> = names.difference(&handed_on).collect();
    assert!(
        forgotten.is_empty(),
        "whatif has them, and src/lib.rs does not hand them on: {forgotten:?}"
    );
}

/// What a file makes public at its top level, apart from what is std's, and what is not to be handed on.
fn public_names(source: &str) -> impl Iterator<Item = &str> {
    let items = source.split("\npub ").skip(1);
    items
        .flat_map(|item| match item.split_once(' ') {
            Some(("use", path)) if path.starts_with("std::") => Vec::new(),
            Some(("use", path)) => {
                let path = path.split(';').next().unwrap_or_default();
                let names = path.split_once("::").map_or("", |(_, names)| names);
                words(names).collect()
            }
            Some(("fn" | "struct" | "mod" | "type", name)) => words(name).take(1).collect(),
            _ => Vec::new(),
        })
        .filter(|name| !NOT_HANDED_ON.contains(name))
}

fn is_an_atomic(word: &&str) -> bool {
    let kind = word.strip_prefix("Atomic").unwrap_or_default();
    kind.starts_with(|c: char| c.is_ascii_uppercase())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}
