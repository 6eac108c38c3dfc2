//! LoopBot stands in the book, every line of it, and each of its crates stays small enough for an evening.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use house_tests::root;

/// The core of the core: what a future needs to become a task and to be run.
const CORE: [&str; 5] = [
    "task.rs",
    "waker.rs",
    "run_queue.rs",
    "join_handle.rs",
    "executor.rs",
];

/// LoopBot's crates, in the order of the evenings.
const CRATES: [&str; 3] = ["loopbot-core", "loopbot-io", "loopbot"];

/// Lines of code of the core, at most.
const CORE_LIMIT: usize = 700;
/// Lines of code of each crate, at most: an evening's reading.
const CRATE_LIMIT: usize = 3000;

#[test]
fn every_line_of_loopbot_stands_in_the_book() {
    let root = root();
    let listed = listings(&root.join("book/src"));
    let mut missing = Vec::new();
    for path in CRATES.iter().flat_map(|name| sources(&folder_of(name))) {
        let nothing = BTreeSet::new();
        let shown = listed.get(&path).unwrap_or(&nothing);
        for (line, text) in told_lines(&read(&path)) {
            if !shown.contains(&line) {
                let path = path.strip_prefix(&root).unwrap();
                missing.push(format!("{}:{line}: {text}", path.display()));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "{} lines of LoopBot are in no listing of the book. Add them to a page with `{{{{#include …}}}}`:\n{}\n",
        missing.len(),
        missing.join("\n")
    );
}

#[test]
fn each_crate_of_loopbot_is_read_in_an_evening() {
    let size = |path: &Path| lines_of_code(&read(path));
    let core = folder_of("loopbot-core");
    let core: usize = CORE.iter().map(|file| size(&core.join(file))).sum();
    println!("{core} lines of code in the five files of LoopBot's core");
    assert!(
        core <= CORE_LIMIT,
        "the five files of the core have {core} lines of code, and may have {CORE_LIMIT}"
    );
    for name in CRATES {
        let whole: usize = sources(&folder_of(name))
            .iter()
            .map(|file| size(file))
            .sum();
        println!("{whole} in the crate {name}");
        assert!(
            whole <= CRATE_LIMIT,
            "the crate {name} has {whole} lines of code, and may have {CRATE_LIMIT}: that is an evening's reading"
        );
    }
}

fn folder_of(name: &str) -> PathBuf {
    root().join("crates").join(name).join("src")
}

/// All Rust files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// Which lines of which file are quoted by the pages below `folder`, counted from 1.
fn listings(folder: &Path) -> BTreeMap<PathBuf, BTreeSet<usize>> {
    let mut listed = BTreeMap::<PathBuf, BTreeSet<usize>>::new();
    for page in pages(folder) {
        for quoted in quotations(&read(&page)) {
            let (file, part) = quoted.split_once(':').unwrap_or((quoted, ""));
            let path = page.parent().unwrap().join(file);
            let path = path
                .canonicalize()
                .unwrap_or_else(|why| panic!("{} quotes {file}: {why}", page.display()));
            let lines = quoted_lines(&read(&path), part);
            listed.entry(path).or_default().extend(lines);
        }
    }
    listed
}

fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if path.is_dir() {
            found.extend(pages(&path));
        } else if path.extension().is_some_and(|end| end == "md") {
            found.push(path);
        }
    }
    found
}

/// What stands in the page's `{{#include …}}`s of Rust files.
fn quotations(page: &str) -> Vec<&str> {
    page.lines()
        .filter_map(|line| line.trim().strip_prefix("{{#include ")?.strip_suffix("}}"))
        .filter(|quoted| {
            quoted
                .split(':')
                .next()
                .is_some_and(|file| file.ends_with(".rs"))
        })
        .collect()
}

/// The lines that a quotation shows: of an anchor, or of the whole file if `part` is empty.
fn quoted_lines(text: &str, part: &str) -> BTreeSet<usize> {
    let numbered = || (1..).zip(text.lines());
    if part.is_empty() {
        return numbered().map(|(line, _)| line).collect();
    }
    let at = |mark: &str| {
        let mark = format!("{mark}: {part}");
        numbered()
            .find(|(_, text)| text.trim().trim_start_matches('/').trim() == mark)
            .map(|(line, _)| line)
            .unwrap_or_else(|| panic!("a page quotes the part `{part}`, and there is no `{mark}`"))
    };
    (at("ANCHOR") + 1..at("ANCHOR_END")).collect()
}

/// The lines that have something to say: not the blank ones, and not the marks of a listing's ends.
fn told_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter(|(_, text)| {
        let text = text.trim();
        !text.is_empty() && !text.starts_with("// ANCHOR")
    })
}

/// Neither blank lines nor comments, and not the tests at a file's end.
fn lines_of_code(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let tests = lines
        .iter()
        .position(|line| line.starts_with("mod tests"))
        .map_or(lines.len(), |at| at.saturating_sub(1));
    lines[..tests]
        .iter()
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}

#[test]
fn a_quotation_of_a_part_shows_what_is_between_its_marks() {
    let file = "// one\n// ANCHOR: two\ntwo\n\nthree\n// ANCHOR_END: two\nfour\n";
    assert_eq!(quoted_lines(file, "two"), BTreeSet::from([3, 4, 5]));
    assert_eq!(quoted_lines(file, "").len(), 7);
    assert_eq!(
        quotations("text\n{{#include ../a.rs:two}}\n{{#include b.md}}\n{{#include c.rs}}\n"),
        ["../a.rs:two", "c.rs"]
    );
    let told: Vec<usize> = told_lines(file).map(|(line, _)| line).collect();
    assert_eq!(told, [1, 3, 5, 7]);
    assert_eq!(lines_of_code(file), 3);
    assert_eq!(
        lines_of_code("code\n\n#[cfg(test)]\nmod tests {\n    test\n}\n"),
        1
    );
}
