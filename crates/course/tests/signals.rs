//! The program on a machine with signals, and on machines that lack something.
#![cfg(unix)]

mod common;

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use common::{add_exercise, scratch_course};

/// Ctrl-C ends a check, and the tests that it runs with it.
#[test]
fn a_check_that_is_interrupted_says_so() {
    let root = scratch_course();
    let lib = "pub fn f() { println!(\"at work\"); loop { std::thread::park() } }";
    add_exercise(
        root.path(),
        "03",
        lib,
        Some("#[test] fn f() { exercise::f() }"),
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_course"))
        .args(["check", "03", "--root"])
        .arg(root.path())
        .env_remove("CARGO_TARGET_DIR")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert!(
        lines.any(|line| line.contains("at work")),
        "the tests never ran"
    );
    assert!(
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(
        lines.last().as_deref(),
        Some("The check of exercise 03 was stopped.")
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[cfg(not(target_os = "macos"))]
#[test]
fn without_a_browser_the_address_is_enough() {
    let root = scratch_course();
    let mut child = Command::new(env!("CARGO_BIN_EXE_course"))
        .args(["serve", "--port", "0", "--root"])
        .arg(root.path())
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WSL_DISTRO_NAME")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert!(
        lines.any(|line| line.contains("No browser was found")),
        "it said nothing about the browser"
    );
    assert!(
        Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// The address on a line of its own, and a clean end on the signal that Ctrl-C sends.
#[test]
fn serving_ends_cleanly_on_a_signal() {
    for signal in ["INT", "TERM"] {
        let root = scratch_course();
        let mut child = Command::new(env!("CARGO_BIN_EXE_course"))
            .args(["serve", "--no-open", "--port", "0", "--root"])
            .arg(root.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        assert!(
            line.starts_with("http://127.0.0.1:") && line.ends_with("/\n"),
            "{line:?}"
        );
        let sent = Command::new("kill")
            .args([format!("-{signal}"), child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        let mut rest = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut rest)
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{rest}");
        assert!(rest.ends_with("Closed.\n"), "{rest}");
    }
}

/// Without a linker nothing can be built; the doctor finds it by building something, and names the command.
#[cfg(not(target_os = "macos"))]
#[test]
fn the_doctor_finds_a_missing_linker() {
    let sysroot = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()
        .unwrap()
        .stdout;
    let rustc = format!("{}/bin/rustc", String::from_utf8(sysroot).unwrap().trim());
    let root = scratch_course();
    let output = Command::new(env!("CARGO_BIN_EXE_course"))
        .args(["doctor", "--root"])
        .arg(root.path())
        .env("RUSTC", rustc)
        .env("PATH", "/no/such/folder")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("MEND  linker") && said.contains("build-essential"),
        "{said}"
    );
    assert!(said.contains("ok  rustc"), "{said}");
}

/// Without a compiler there is one thing to do, and it is said once.
#[test]
fn the_doctor_finds_a_missing_compiler() {
    let root = scratch_course();
    let output = Command::new(env!("CARGO_BIN_EXE_course"))
        .args(["doctor", "--root"])
        .arg(root.path())
        .env("RUSTC", "/no/such/rustc")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("MEND  rustc") && said.contains("rustup.rs"),
        "{said}"
    );
    assert!(said.contains("One thing is missing"), "{said}");
}
