//! `cargo course ladder` as it is typed: its workers are the program itself, so only the program can be asked.

use std::fs;
use std::process::{Command, Stdio};

fn climb(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_course"))
        .args(["ladder", "--rounds", "1", "--dishes", "2"])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_rung_has_a_line_and_the_book_gets_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ladder.md");
    let said = climb(&["--no-python", "--markdown", file.to_str().unwrap()]);
    let written = fs::read_to_string(&file).unwrap();
    for rung in [
        "nobody tastes",
        "on the loop",
        "spawn_blocking",
        "threads,",
        #[cfg(target_os = "linux")]
        "processes,",
    ] {
        for text in [&said, &written] {
            let line = text
                .lines()
                .find(|line| line.trim_start_matches("| ").starts_with(rung));
            let line = line.unwrap_or_else(|| panic!("no line for {rung}: {text}"));
            assert!(line.contains(|c: char| c.is_ascii_digit()), "{line}");
        }
    }
    assert!(!said.contains("asyncio"), "{said}");
}

#[test]
fn python_has_the_other_half_or_there_is_a_sentence() {
    let said = climb(&[]);
    let is_there = said.contains("ProcessPoolExecutor") && said.contains(", asyncio");
    assert!(is_there || said.contains("No Python here: "), "{said}");
}
