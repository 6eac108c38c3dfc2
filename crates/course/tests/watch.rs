//! `course watch` on a terminal of its own, and without one.
//!
//! The terminal is made by `script`, which is on every Linux. What stands where on the screen is tested in the module itself.
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use common::{PATIENCE, add_exercise, scratch_course};
use course::watch::screen::Screen;

/// A program on a terminal of 80 columns and 24 rows.
struct OnTerminal {
    child: Child,
    printed: Receiver<Vec<u8>>,
    seen: String,
    folder: tempfile::TempDir,
}

impl OnTerminal {
    /// Runs a shell's line there, and writes down the terminal's settings before and after.
    fn run(line: &str, env: &[(&str, &str)]) -> OnTerminal {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().display();
        let script = format!(
            "stty rows 24 cols 80; stty -a > {place}/before; {line}; echo $? > {place}/status; stty -a > {place}/after"
        );
        let mut child = Command::new("script")
            .args(["-qefc", &script, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env("SHELL", "/bin/sh")
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("NO_COLOR")
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("`script` makes the terminal for these tests: on Debian it is in the package bsdutils");
        let mut out = child.stdout.take().unwrap();
        let (send, printed) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = out.read(&mut buffer) {
                if send.send(buffer[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        OnTerminal {
            child,
            printed,
            seen: String::new(),
            folder,
        }
    }

    /// Waits until the program has printed this since the last time.
    fn until(&mut self, text: &str) {
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            let more = self.printed.recv_timeout(PATIENCE);
            let more = more.unwrap_or_else(|_| panic!("no {text:?} in {:?}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
    }

    fn press(&mut self, keys: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(keys.as_bytes()).unwrap();
        input.flush().unwrap();
    }

    /// The program's exit status, and everything it printed since the last [`OnTerminal::until`]. The terminal must be as it was.
    fn end(mut self) -> (String, String) {
        while let Ok(more) = self.printed.recv_timeout(PATIENCE) {
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
        self.child.wait().unwrap();
        let read = |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap();
        assert_eq!(read("after"), read("before"), "the terminal's settings");
        assert!(
            self.seen.contains("\u{1b}[?1049l") && self.seen.contains("\u{1b}[?25h"),
            "the screen and the cursor come back: {:?}",
            self.seen
        );
        (read("status").trim().to_owned(), self.seen)
    }
}

fn watch(root: &Path) -> String {
    let program = env!("CARGO_BIN_EXE_course");
    format!("{program} watch --root {}", root.display())
}

/// A course whose only exercise writes its process's id to a file, says so, and never ends.
fn endless() -> (tempfile::TempDir, PathBuf) {
    let root = scratch_course();
    let pid = root.path().join("pid");
    let lib = format!(
        "pub fn f() {{ std::fs::write({pid:?}, std::process::id().to_string()).unwrap(); println!(\"at-work\"); loop {{ std::thread::park() }} }}"
    );
    add_exercise(
        root.path(),
        "03",
        &lib,
        Some("#[test] fn f() { exercise::f() }"),
    );
    (root, pid)
}

fn is_alive(pid: &Path) -> bool {
    let pid = fs::read_to_string(pid).unwrap();
    // One that is dead and not yet waited for is no process any more.
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn a_panic_while_drawing_gives_the_terminal_back_first() {
    if std::env::var_os("PANIC_WHILE_DRAWING").is_some() {
        let mut screen = Screen::take().unwrap();
        screen.draw(|_| ()).unwrap();
        screen.draw(|_| panic!("in the middle of it")).unwrap();
    }
    let this = std::env::current_exe().unwrap();
    let line = format!(
        "{} --exact --nocapture a_panic_while_drawing_gives_the_terminal_back_first",
        this.display()
    );
    let mut terminal = OnTerminal::run(&line, &[("PANIC_WHILE_DRAWING", "1")]);
    terminal.until("\u{1b}[?1049h");
    let (status, said) = terminal.end();
    assert_eq!(status, "101");
    let back = said.find("\u{1b}[?1049l").unwrap();
    let words = said.find("in the middle of it").expect("the panic's words");
    assert!(
        back < words,
        "on the learner's screen, not on ours: {said:?}"
    );
}

#[test]
fn whatever_ends_it_the_terminal_is_as_it_was_and_nothing_runs_on() {
    // Keys first; then the signals that another program sends.
    for end in ["q", "\u{3}", "INT", "TERM", "HUP"] {
        let (root, pid) = endless();
        // So that its id is known.
        let line = format!(
            "sh -c 'echo $$ > {}/watch; exec {}'",
            root.path().display(),
            watch(root.path())
        );
        let is_key = end.len() == 1;
        let mut terminal = OnTerminal::run(&line, &[]);
        terminal.until("at-work");
        assert!(is_alive(&pid), "{end:?}");
        if is_key {
            terminal.press(end);
        } else {
            let watch = fs::read_to_string(root.path().join("watch")).unwrap();
            let mut kill = Command::new("kill");
            assert!(
                kill.args([&format!("-{end}"), watch.trim()])
                    .status()
                    .unwrap()
                    .success()
            );
        }
        let (status, _) = terminal.end();
        assert_eq!(status, "0", "{end:?}");
        assert!(!is_alive(&pid), "{end:?}");
    }
}

#[test]
fn a_save_is_tested_and_a_pass_is_told() {
    let root = scratch_course();
    let test = "#[test] fn f() { assert!(exercise::f(), \"not-right\") }";
    add_exercise(
        root.path(),
        "03",
        "pub fn f() -> bool { false }",
        Some(test),
    );
    let mut terminal = OnTerminal::run(&watch(root.path()), &[("NO_COLOR", "1")]);
    terminal.until("not-right");
    let lib = root.path().join("exercises/03-case/src/lib.rs");
    fs::write(&lib, "pub fn f() -> bool { true }").unwrap();
    // From `exercise.toml`: what to read after a pass.
    terminal.until("Read");
    terminal.press("q");
    let (status, said) = terminal.end();
    assert_eq!(status, "0");
    assert!(said.contains("1 of 1 exercises pass"), "{said:?}");
    for colour in [
        "\u{1b}[31m",
        "\u{1b}[32m",
        "\u{1b}[38;5;1m",
        "\u{1b}[38;5;2m",
    ] {
        assert!(!said.contains(colour), "NO_COLOR was set: {said:?}");
    }
    let progress = fs::read_to_string(root.path().join(".progress/progress.json")).unwrap();
    assert!(progress.contains("passed_on"), "{progress}");
}

#[test]
fn an_editor_gets_the_terminal_and_every_key_until_it_ends() {
    let root = scratch_course();
    add_exercise(
        root.path(),
        "03",
        "pub fn f() {}",
        Some("#[test] fn f() { panic!(\"not-right\") }"),
    );
    // It reads a line, as an editor would, and says which file it was given.
    let editor = root.path().join("editor.sh");
    fs::write(
        &editor,
        "#!/bin/sh\necho \"editing=$1\"\nread keys\necho \"keys=$keys\"\n",
    )
    .unwrap();
    let mut chmod = Command::new("chmod");
    assert!(chmod.arg("+x").arg(&editor).status().unwrap().success());
    let editor = editor.display().to_string();
    let mut terminal = OnTerminal::run(&watch(root.path()), &[("VISUAL", &editor)]);
    terminal.until("not-right");
    terminal.press("e");
    terminal.until("\u{1b}[?1049l");
    terminal.until("editing=");
    terminal.until("exercises/03-case/src/lib.rs");
    // To us, these would mean: quit.
    terminal.press("qqq\n");
    terminal.until("keys=qqq");
    terminal.until("\u{1b}[?1049h");
    terminal.until("not-right");
    terminal.press("q");
    assert_eq!(terminal.end().0, "0");
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_until_it_calls_back() {
    let root = scratch_course();
    let test = "#[test] fn f() { panic!(\"not-right\") }";
    add_exercise(root.path(), "03", "pub fn f() {}", Some(test));
    // A shell with jobs, which says when it has the terminal.
    let line = format!("set -m; {}; echo back-in-the-shell; fg", watch(root.path()));
    let mut terminal = OnTerminal::run(&line, &[]);
    terminal.until("not-right");
    terminal.press("\u{1a}");
    terminal.until("\u{1b}[?1049l");
    terminal.until("back-in-the-shell");
    terminal.until("\u{1b}[?1049h");
    terminal.until("not-right");
    terminal.press("q");
    assert_eq!(terminal.end().0, "0");
}

#[test]
fn without_a_terminal_it_speaks_in_lines() {
    let root = scratch_course();
    let test = "#[test] fn f() { assert!(exercise::f(), \"not-right\") }";
    add_exercise(
        root.path(),
        "03",
        "pub fn f() -> bool { false }",
        Some(test),
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_course"))
        .args(["watch", "--root"])
        .arg(root.path())
        .env_remove("CARGO_TARGET_DIR")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = std::io::BufReader::new(child.stdout.take().unwrap());
    let (send, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in std::io::BufRead::lines(out).map_while(Result::ok) {
            let _ = send.send(line);
        }
    });
    let until = |text: &str| {
        let mut seen = Vec::new();
        while let Ok(line) = lines.recv_timeout(PATIENCE) {
            assert!(!line.contains('\u{1b}'), "{line:?}");
            let found = line.contains(text);
            seen.push(line);
            if found {
                return;
            }
        }
        panic!("no {text:?} in {seen:#?}");
    };
    until("Exercise 03, Case 03 (10 min); 0 of 1 pass.");
    until("Building exercise-03 ...");
    until("Testing ...");
    until("not-right");
    until("✗ Not yet: the test fails.");
    let lib = root.path().join("exercises/03-case/src/lib.rs");
    fs::write(&lib, "pub fn f() -> bool { tru }").unwrap();
    until("cannot find value `tru`");
    until("✗ It does not compile: 1 error, the first in line 1.");
    fs::write(&lib, "pub fn f() -> bool { true }").unwrap();
    until("Read on.");
    until("✓ It passes: 1 test.");
    let mut kill = Command::new("kill");
    let id = child.id().to_string();
    assert!(kill.args(["-INT", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
