//! The doctor on scratch courses, healthy and broken, and an archive made, unpacked and built.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::{add_exercise, scratch_course};
use serde_json::Value;

const STARTER: &str = "//! Write it.\npub fn tables() -> u32 {\n    0\n}\n";
const TEST: &str = "#[test]\nfn there_are_six() {\n    assert_eq!(exercise::tables(), 6);\n}\n";

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A course with one exercise, which nobody has begun.
fn course() -> tempfile::TempDir {
    let root = scratch_course();
    add_exercise(root.path(), "03", STARTER, Some(TEST));
    write(root.path(), "solutions/03-case/starter.rs", STARTER);
    lock(root.path());
    root
}

fn write(root: &Path, file: &str, text: &str) {
    let file = root.join(file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn lock(root: &Path) {
    let output = cargo()
        .args(["generate-lockfile", "--offline"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

fn course_program(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_course"));
    command
        .args(arguments)
        .arg("--root")
        .arg(root)
        .env_remove("CARGO_TARGET_DIR")
        .stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The answer of `doctor --json`, and its exit status.
fn examine(mut command: Command) -> (Value, Option<i32>) {
    let output = command.output().unwrap();
    let answer = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {} {}", text(&output.stdout), text(&output.stderr))
    });
    (answer, output.status.code())
}

fn finding<'a>(answer: &'a Value, what: &str) -> &'a Value {
    let findings = answer["findings"].as_array().unwrap();
    findings
        .iter()
        .find(|finding| finding["what"] == what)
        .unwrap_or_else(|| panic!("no {what}: {answer}"))
}

#[test]
fn a_healthy_course_is_found_so() {
    let root = course();
    let (answer, status) = examine(course_program(root.path(), &["doctor", "--json"]));
    for what in [
        "rustc", "cargo", "port", "temp", "linker", "crates", "exercise", "seed 42",
    ] {
        assert_eq!(finding(&answer, what)["state"], "ok", "{answer:#}");
    }
    let ready = answer["ready"] == true;
    assert_eq!(status, Some(if ready { 0 } else { 3 }), "{answer:#}");
    assert!(answer["seconds"].is_number() && answer["sentence"].is_string());
}

#[test]
fn an_exercise_somebody_works_on_is_left_alone() {
    let root = course();
    write(
        root.path(),
        "exercises/03-case/src/lib.rs",
        "this does not compile\n",
    );
    let manifest = "[package]\nname = \"solution-03\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\nname = \"exercise\"\ntest = false\ndoctest = false\n[[test]]\nname = \"case\"\npath = \"../../exercises/03-case/tests/case.rs\"\n";
    write(root.path(), "solutions/03-case/Cargo.toml", manifest);
    write(
        root.path(),
        "solutions/03-case/src/lib.rs",
        "pub fn tables() -> u32 {\n    6\n}\n",
    );
    write(
        root.path(),
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"exercises/*\", \"solutions/*\"]\n",
    );
    lock(root.path());
    let (answer, _) = examine(course_program(root.path(), &["doctor", "--json"]));
    let exercise = finding(&answer, "exercise");
    assert_eq!(exercise["state"], "ok", "{answer:#}");
    assert!(exercise["found"].as_str().unwrap().contains("solution-03"));
}

#[test]
fn without_a_temporary_folder_there_is_one_thing_to_mend_and_a_way() {
    let root = course();
    let mut command = course_program(root.path(), &["doctor", "--json"]);
    command.envs([
        ("TMPDIR", "/no/such/folder"),
        ("TMP", "Z:\\no\\such"),
        ("TEMP", "Z:\\no\\such"),
    ]);
    let (answer, status) = examine(command);
    assert_eq!(status, Some(3));
    let temp = finding(&answer, "temp");
    assert_eq!(temp["state"], "mend", "{answer:#}");
    assert!(temp["mend"].as_str().unwrap().contains("TMPDIR"));
    assert_eq!(finding(&answer, "linker")["state"], "skipped");
    assert_eq!(finding(&answer, "exercise")["state"], "skipped");
}

#[test]
fn a_crate_that_is_not_here_is_named_with_the_command() {
    let root = course();
    want_a_crate_that_nobody_has(root.path());
    let (answer, status) = examine(course_program(root.path(), &["doctor", "--json"]));
    assert_eq!(status, Some(3), "{answer:#}");
    let crates = finding(&answer, "crates");
    assert_eq!(crates["state"], "mend", "{answer:#}");
    assert!(
        crates["found"]
            .as_str()
            .unwrap()
            .contains("nobody-has-it-1.2.3")
    );
    assert_eq!(crates["mend"], "cargo fetch --locked");
    // Told once.
    assert_eq!(finding(&answer, "exercise")["state"], "skipped");
}

fn want_a_crate_that_nobody_has(root: &Path) {
    let manifest = root.join("exercises/03-case/Cargo.toml");
    let wants =
        fs::read_to_string(&manifest).unwrap() + "[dependencies]\nnobody-has-it = \"1.2.3\"\n";
    fs::write(manifest, wants).unwrap();
    write(
        root,
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"exercise-03\"\nversion = \"0.1.0\"\ndependencies = [\n \"nobody-has-it\",\n]\n\n[[package]]\nname = \"nobody-has-it\"\nversion = \"1.2.3\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"0000000000000000000000000000000000000000000000000000000000000000\"\n",
    );
    // Instead of the registry, a folder with nothing in it: so the network is not asked either.
    write(
        root,
        ".cargo/config.toml",
        "[source.crates-io]\nreplace-with = \"here\"\n[source.here]\ndirectory = \"crates-of-others\"\n",
    );
    fs::create_dir_all(root.join("crates-of-others")).unwrap();
}

#[cfg(unix)]
#[test]
fn a_low_limit_of_open_files_is_found() {
    let root = course();
    let mut shell = Command::new("sh");
    shell
        .args([
            "-c",
            "ulimit -n 200 && exec \"$0\" doctor --json --root \"$1\"",
            env!("CARGO_BIN_EXE_course"),
        ])
        .arg(root.path())
        .env_remove("CARGO_TARGET_DIR");
    let (answer, status) = examine(shell);
    assert_eq!(status, Some(3), "{answer:#}");
    let files = finding(&answer, "open files");
    assert_eq!(files["state"], "mend", "{answer:#}");
    assert!(
        files["found"]
            .as_str()
            .unwrap()
            .starts_with("200 at a time")
    );
}

/// A compiler that never answers: Ctrl-C ends the doctor, and the compiler with it.
#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_and_what_it_has_started() {
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;

    let root = course();
    let stub = root.path().join("rustc");
    // It holds the pipe's end open as long as it lives.
    let pipe = root.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    write(
        root.path(),
        "rustc",
        &format!(
            "#!/bin/sh\nexec 3>'{}'\necho here >&3\nexec sleep 600\n",
            pipe.display()
        ),
    );
    fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = course_program(root.path(), &["doctor"]);
    command.env("RUSTC", &stub).stderr(Stdio::piped());
    let child = command.stdout(Stdio::null()).spawn().unwrap();
    let mut pipe = fs::File::open(pipe).unwrap();
    let mut said = [0; 5];
    pipe.read_exact(&mut said).unwrap();
    assert!(
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("Stopped."));
    // The end of the pipe: nobody holds it any more.
    assert_eq!(pipe.read(&mut said).unwrap(), 0);
}

/// A course whose exercise needs a crate of somebody else.
fn course_with_a_crate() -> tempfile::TempDir {
    let root = course();
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let all: toml::Table = fs::read_to_string(ours.join("Cargo.lock"))
        .unwrap()
        .parse()
        .unwrap();
    let package = all["package"]
        .as_array()
        .unwrap()
        .iter()
        .find(|package| package["name"].as_str() == Some("cfg-if"))
        .unwrap();
    let say = |key: &str| package[key].as_str().unwrap();
    let (name, version) = (say("name"), say("version"));
    let manifest = root.path().join("exercises/03-case/Cargo.toml");
    let wants = format!(
        "{}[dependencies]\n{name} = \"={version}\"\n",
        fs::read_to_string(&manifest).unwrap()
    );
    fs::write(manifest, wants).unwrap();
    write(
        root.path(),
        "Cargo.lock",
        &format!(
            "version = 4\n\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{}\"\nchecksum = \"{}\"\n\n[[package]]\nname = \"exercise-03\"\nversion = \"0.1.0\"\ndependencies = [\n \"{name}\",\n]\n",
            say("source"),
            say("checksum")
        ),
    );
    let mut config = "[alias]\ncourse = \"run --package course --\"\n".to_owned();
    // Where this course is an unpacked archive itself, the crates lie there.
    let vendor = ours.join("vendor");
    if vendor.is_dir() {
        let vendor = fs::canonicalize(vendor).unwrap();
        config.push_str(&format!(
            "[source.crates-io]\nreplace-with = \"here\"\n[source.here]\ndirectory = {:?}\n",
            vendor.display().to_string().trim_start_matches(r"\\?\")
        ));
    }
    write(root.path(), ".cargo/config.toml", &config);
    write(root.path(), ".gitignore", "target/\n/.progress\n");
    root
}

fn bundle(root: &Path, output: &Path, more: &[&str]) -> Output {
    let mut command = course_program(root, &["bundle", "--json"]);
    command.arg("--output").arg(output);
    command.args(more).output().unwrap()
}

fn unpack(archive: &Path, place: &Path) {
    let archive = fs::File::open(archive).unwrap();
    tar::Archive::new(flate2::read::GzDecoder::new(archive))
        .unpack(place)
        .unwrap();
}

/// The same bytes; where they are not, what differs is named, and not printed.
fn assert_same(one: &Path, other: &Path) {
    let (before, after) = (contents(one), contents(other));
    let differing: Vec<_> = before.symmetric_difference(&after).collect();
    assert!(differing.is_empty(), "{differing:#?}");
    assert!(fs::read(one).unwrap() == fs::read(other).unwrap());
}

/// Names, modes and sizes.
fn contents(archive: &Path) -> BTreeSet<String> {
    let archive = fs::File::open(archive).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    let entries = archive.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        let (path, header) = (entry.path().unwrap(), entry.header());
        let mode = header.mode().unwrap();
        format!("{} {mode:o} {}", path.display(), entry.size())
    });
    entries.collect()
}

#[test]
fn an_archive_unpacks_to_a_course_that_builds_with_nothing_from_outside() {
    let root = course_with_a_crate();
    write(root.path(), "exercises/03-case/src/lib.rs", "my own work\n");
    let room = tempfile::tempdir().unwrap();
    let archive = room.path().join("course.tar.gz");
    let output = bundle(root.path(), &archive, &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["starters_for"], serde_json::json!(["03"]));
    assert_eq!(said["crates"], 1);
    assert_eq!(said["bytes"], fs::metadata(&archive).unwrap().len());

    // The same bytes again, for the same content.
    let again = room.path().join("again.tar.gz");
    assert!(bundle(root.path(), &again, &[]).status.success());
    assert_same(&archive, &again);

    unpack(&archive, room.path());
    let folder = room.path().join(said["folder"].as_str().unwrap());
    assert!(folder.join("START-HERE.txt").is_file());
    assert!(folder.join("book-html/en/one.html").is_file());
    assert_eq!(
        fs::read_to_string(folder.join("exercises/03-case/src/lib.rs")).unwrap(),
        STARTER
    );
    let config = fs::read_to_string(folder.join(".cargo/config.toml")).unwrap();
    assert!(config.contains("run --package course"), "{config}");
    assert!(
        !config.contains("://") && !config.contains("here\""),
        "{config}"
    );

    // A cargo that has never downloaded anything.
    let mut build = cargo();
    build
        .args(["build", "--offline", "--locked", "--package", "exercise-03"])
        .env("CARGO_HOME", room.path().join("home"))
        .env("CARGO_TARGET_DIR", room.path().join("target"))
        .current_dir(&folder);
    let built = build.output().unwrap();
    assert!(built.status.success(), "{}", text(&built.stderr));

    // And an archive can be made of what was unpacked: it is the same.
    let third = room.path().join("third.tar.gz");
    let output = bundle(&folder, &third, &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_same(&archive, &third);
}

#[test]
fn with_my_work_it_is_shipped() {
    let root = course_with_a_crate();
    write(root.path(), "exercises/03-case/src/lib.rs", "my own work\n");
    let room = tempfile::tempdir().unwrap();
    let archive = room.path().join("course.tar.gz");
    let output = bundle(root.path(), &archive, &["--with-my-work"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["work_of"], serde_json::json!(["03"]));
    unpack(&archive, room.path());
    let answer = room
        .path()
        .join(said["folder"].as_str().unwrap())
        .join("exercises/03-case/src/lib.rs");
    assert_eq!(fs::read_to_string(answer).unwrap(), "my own work\n");
}

#[test]
fn crates_that_are_missing_are_named_and_the_old_archive_stays() {
    let root = course();
    want_a_crate_that_nobody_has(root.path());
    let room = tempfile::tempdir().unwrap();
    let archive = room.path().join("course.tar.gz");
    fs::write(&archive, "the old one").unwrap();
    let output = bundle(root.path(), &archive, &[]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("nobody-has-it-1.2.3") && said.contains("cargo fetch --locked"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&archive).unwrap(), "the old one");
    assert_eq!(files(room.path()), [archive]);
    // And nothing of the preparation is left.
    assert!(
        files(&root.path().join("target"))
            .iter()
            .all(|file| !file.display().to_string().contains("bundle-"))
    );
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect()
}

#[test]
fn a_place_that_cannot_be_written_is_refused_at_once() {
    let root = course();
    let output = bundle(
        root.path(),
        &root.path().join("no/such/folder/a.tar.gz"),
        &[],
    );
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("no such folder"), "{said}");
    let output = bundle(root.path(), root.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
}
