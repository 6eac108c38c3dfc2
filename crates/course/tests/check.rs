//! Every way in which a learner's code can end, with the sentence and the exit status that it gets.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{PATIENCE, add_exercise, scratch_course};
use course::check::{self, CheckOptions, Checked, Verdict};
use course::contained::Stop;
use course::exercises;

struct Run {
    checked: Checked,
    output: String,
}

/// Checks an exercise of the given library and test.
fn check(lib: &str, test: Option<&str>, options: CheckOptions) -> Run {
    let root = scratch_course();
    add_exercise(root.path(), "03", lib, test);
    check_in(root.path(), options, &Stop::new())
}

fn check_in(root: &Path, options: CheckOptions, stop: &Stop) -> Run {
    let exercise = exercises::load(root).unwrap().remove(0);
    let mut output = String::new();
    let checked = check::check(
        root,
        &exercise,
        &in_its_own_folder(root, options),
        stop,
        &mut |line| output.push_str(&format!("{line}\n")),
    );
    Run { checked, output }
}

/// Builds inside the scratch course, so that nothing is left behind.
fn in_its_own_folder(root: &Path, options: CheckOptions) -> CheckOptions {
    CheckOptions {
        target: Some(root.join("target")),
        ..options
    }
}

/// Long enough for any machine where the time limit is not what is tested.
fn patient() -> CheckOptions {
    CheckOptions {
        tests: PATIENCE,
        ..CheckOptions::default()
    }
}

impl Run {
    fn is(&self, verdict: Verdict, status: u8, words: &[&str]) {
        let Run { checked, output } = self;
        let end = output
            .get(output.len().saturating_sub(2000)..)
            .unwrap_or(output);
        assert_eq!(checked.verdict, verdict, "{}\n{end}", checked.sentence);
        assert_eq!(checked.verdict.status(), status);
        assert_eq!(checked.sentence.lines().count(), 1, "{}", checked.sentence);
        for word in words {
            assert!(
                checked.sentence.contains(word),
                "{word:?} is missing in: {}",
                checked.sentence
            );
        }
    }
}

const CALL: Option<&str> = Some(
    "#[test]\nfn the_work_is_done() {\n    assert!(exercise::work(), \"first hint: look at the door\");\n}\n",
);

#[test]
fn right_code_passes() {
    check("pub fn work() -> bool { true }", CALL, patient()).is(
        Verdict::Passes,
        0,
        &["03 passes", "1 test."],
    );
}

#[test]
fn a_failing_test_shows_its_story() {
    let run = check(
        "pub fn work() -> bool { println!(\"opens the wrong door\"); false }",
        CALL,
        patient(),
    );
    run.is(Verdict::Fails, 1, &["1 of 1 test failed", "hint 03"]);
    assert!(
        run.output.contains("first hint: look at the door"),
        "{}",
        run.output
    );
    assert!(
        run.output.contains("opens the wrong door"),
        "{}",
        run.output
    );
}

#[test]
fn code_that_does_not_compile_gets_the_compilers_words_and_a_place() {
    let run = check(
        "pub fn work() -> bool {\n    1\n}\npub fn other() -> u8 { \"\" }\n",
        CALL,
        patient(),
    );
    run.is(Verdict::DoesNotCompile, 4, &["2 errors", "lib.rs:2"]);
    assert!(run.output.contains("mismatched types"), "{}", run.output);
}

#[test]
fn todo_is_a_failing_test() {
    let run = check("pub fn work() -> bool { todo!() }", CALL, patient());
    run.is(Verdict::Fails, 1, &["1 of 1 test failed"]);
    assert!(run.output.contains("not yet implemented"), "{}", run.output);
}

#[test]
fn a_loop_without_an_end_is_ended() {
    let options = CheckOptions {
        tests: Duration::from_secs(1),
        ..patient()
    };
    check(
        "pub fn work() -> bool { loop { std::hint::spin_loop() } }",
        CALL,
        options,
    )
    .is(Verdict::NeverEnds, 5, &["1 second"]);
}

#[test]
fn printing_without_an_end_is_ended() {
    let run = check(
        "pub fn work() -> bool { loop { println!(\"{}\", \"soup \".repeat(200)) } }",
        CALL,
        patient(),
    );
    run.is(Verdict::PrintsTooMuch, 6, &["64 MiB"]);
    assert!(
        run.output.len() < 2 << 20,
        "{} bytes were shown",
        run.output.len()
    );
    assert!(run.output.contains("the rest of the output is not shown"));
}

#[test]
fn printing_without_a_line_break_is_ended_too() {
    let run = check(
        "pub fn work() -> bool { loop { print!(\"{}\", \"soup \".repeat(200)) } }",
        CALL,
        patient(),
    );
    run.is(Verdict::PrintsTooMuch, 6, &["64 MiB"]);
}

#[test]
fn an_abort_is_named() {
    check(
        "pub fn work() -> bool { std::process::abort() }",
        CALL,
        patient(),
    )
    .is(Verdict::Dies, 7, &["aborted"]);
}

#[test]
fn a_stack_overflow_is_named() {
    let lib = "pub fn work() -> bool { deep(&[0; 64]) > 0 }\nfn deep(x: &[u64; 64]) -> u64 {\n    if std::hint::black_box(x)[0] == 1 { return 0 }\n    let mut y = *x;\n    y[1] += 1;\n    deep(&y) + y[1]\n}\n";
    check(lib, CALL, patient()).is(Verdict::Dies, 7, &["overflowed its stack"]);
}

#[test]
fn tests_that_noticed_by_themselves_that_they_do_not_end_have_told_why() {
    let lib = format!(
        "pub fn work() -> bool {{ eprintln!(\"WaitBot is gone\"); std::process::exit({}) }}",
        whatif::DID_NOT_END
    );
    let run = check(&lib, CALL, patient());
    run.is(
        Verdict::NeverEnds,
        5,
        &["does not end", "the story is above"],
    );
    assert!(run.output.contains("WaitBot is gone"), "{}", run.output);
}

#[test]
fn tests_know_their_package_as_they_do_under_cargo() {
    let names = r#"pub fn work() -> bool {
        let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("folder: {}", folder == env!("CARGO_MANIFEST_DIR"));
        println!("package: {:?}", std::env::var("CARGO_PKG_NAME"));
        true
    }"#;
    let run = check(names, CALL, patient());
    run.is(Verdict::Passes, 0, &[]);
    assert!(run.output.contains("folder: true"), "{}", run.output);
    assert!(
        run.output.contains(r#"package: Ok("exercise-03")"#),
        "{}",
        run.output
    );
}

#[test]
fn leaving_in_the_middle_is_no_pass() {
    check(
        "pub fn work() -> bool { std::process::exit(0) }",
        CALL,
        patient(),
    )
    .is(Verdict::Dies, 7, &["in the middle of a test"]);
}

#[test]
fn without_a_test_there_is_no_pass() {
    check("pub fn work() -> bool { true }", None, patient()).is(
        Verdict::NotRun,
        3,
        &["has no test", "tests"],
    );
}

#[test]
fn a_manifest_that_cargo_refuses_is_not_called_a_compile_error() {
    let root = scratch_course();
    add_exercise(root.path(), "03", "", CALL);
    fs::write(
        root.path().join("exercises/03-case/Cargo.toml"),
        "[package\n",
    )
    .unwrap();
    let run = check_in(root.path(), patient(), &Stop::new());
    run.is(Verdict::NotRun, 3, &["Cargo could not build"]);
    assert!(run.output.contains("Cargo.toml"), "{}", run.output);
}

#[test]
fn a_check_can_be_stopped() {
    let root = scratch_course();
    add_exercise(
        root.path(),
        "03",
        "pub fn work() -> bool { println!(\"at work\"); loop { std::thread::park() } }",
        CALL,
    );
    let exercise = exercises::load(root.path()).unwrap().remove(0);
    let stop = Stop::new();
    let checked = check::check(
        root.path(),
        &exercise,
        &in_its_own_folder(root.path(), patient()),
        &stop.clone(),
        &mut |line| {
            if line.contains("at work") {
                stop.now();
            }
        },
    );
    assert_eq!(
        (checked.verdict, checked.verdict.status()),
        (Verdict::Stopped, 130),
        "{}",
        checked.sentence
    );
}

#[test]
fn warnings_of_the_learners_own_code_are_shown() {
    let run = check(
        "pub fn work() -> bool { let soup = 1; true }",
        CALL,
        patient(),
    );
    run.is(Verdict::Passes, 0, &[]);
    assert!(
        run.output.contains("unused variable: `soup`"),
        "{}",
        run.output
    );
}

/// The course with exercise 03 alone, as it is in the repository, in a folder where it can be edited.
fn course_with_one_exercise() -> PathBuf {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // The same folder each time, so that what does not change is built once.
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("one-exercise");
    let copy = |from: &str, change: &dyn Fn(String) -> String| {
        let text = fs::read_to_string(repository.join(from)).unwrap();
        let to = root.join(from);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, change(text)).unwrap();
    };
    let as_it_is = |text: String| text;
    copy("Cargo.lock", &as_it_is);
    copy("Cargo.toml", &|text| {
        let crates = repository.canonicalize().unwrap().join("crates");
        let (before, rest) = text.split_once("members = [").unwrap();
        let (_, after) = rest.split_once("]\n").unwrap();
        let (_, after) = after.split_once("[workspace.package]").unwrap();
        format!("{before}members = [\"exercises/*\"]\n\n[workspace.package]{after}").replace(
            "path = \"crates/",
            &format!(
                "path = \"{}/",
                crates.display().to_string().replace('\\', "/")
            ),
        )
    });
    let exercise = "exercises/03-one-table-two-parties";
    for file in ["Cargo.toml", "exercise.toml", "tests/one_table.rs"] {
        copy(&format!("{exercise}/{file}"), &as_it_is);
    }
    root
}

/// How many tests passed and failed, or that there was nothing to run.
#[derive(Debug, PartialEq)]
enum Counted {
    Tests { passed: usize, failed: usize },
    CompileError,
}

/// What `cargo test -p exercise-03` makes of it.
fn plainly(root: &Path) -> (bool, Counted) {
    let output = Command::new(env!("CARGO"))
        .args(["test", "--package", "exercise-03", "--target-dir"])
        .arg(root.join("target"))
        .current_dir(root)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let counted = match said
        .lines()
        .find_map(|line| line.strip_prefix("test result: "))
    {
        Some(result) => {
            let words: Vec<_> = result.split([' ', ';']).collect();
            let before = |what: &str| {
                let at = words.iter().position(|word| *word == what).unwrap();
                words[at - 1].parse().unwrap()
            };
            Counted::Tests {
                passed: before("passed"),
                failed: before("failed"),
            }
        }
        None => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains("could not compile `exercise-03`"), "{said}");
            Counted::CompileError
        }
    };
    (output.status.success(), counted)
}

/// The same from the check's sentence.
fn counted(checked: &Checked) -> Counted {
    let numbers: Vec<usize> = checked
        .sentence
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    match (checked.verdict, numbers.as_slice()) {
        (Verdict::Passes, &[3, passed]) => Counted::Tests { passed, failed: 0 },
        (Verdict::Fails, &[3, failed, all]) => Counted::Tests {
            passed: all - failed,
            failed,
        },
        (Verdict::DoesNotCompile, _) => Counted::CompileError,
        _ => panic!("{:?}: {}", checked.verdict, checked.sentence),
    }
}

/// `cargo test -p exercise-03` is the plain way, and it says the same.
#[test]
fn plain_cargo_test_gives_the_same_verdict() {
    let root = course_with_one_exercise();
    let solutions =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../solutions/03-one-table-two-parties");
    let read = |file: &str| fs::read_to_string(solutions.join(file)).unwrap();
    let wrong = fs::read_dir(solutions.join("wrong")).unwrap().next();
    let wrong = fs::read_to_string(wrong.unwrap().unwrap().path()).unwrap();
    let answers = [
        ("the starter", read("starter.rs"), Verdict::Fails),
        ("the solution", read("src/lib.rs"), Verdict::Passes),
        ("a wrong answer", wrong, Verdict::Fails),
        (
            "a typing error",
            read("src/lib.rs").replace("fn ", "fm "),
            Verdict::DoesNotCompile,
        ),
    ];
    let file = root.join("exercises/03-one-table-two-parties/src/lib.rs");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    for (what, answer, verdict) in answers {
        fs::write(&file, answer).unwrap();
        let run = check_in(&root, patient(), &Stop::new());
        assert_eq!(run.checked.verdict, verdict, "{what}: {}", run.output);
        let (passes, plain) = plainly(&root);
        assert_eq!(passes, verdict == Verdict::Passes, "{what}");
        assert_eq!(plain, counted(&run.checked), "{what}");
    }
}
