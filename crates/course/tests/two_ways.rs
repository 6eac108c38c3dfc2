//! `cargo course check` and plain `cargo test` say the same of whatever a learner's code does.

mod common;

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use common::{add_exercise, scratch_course};
use course::check::{self, CheckOptions, Checked, Verdict};
use course::contained::{self, CONTAINED, SECONDS, Stop};
use course::exercises;

/// What a learner writes. Which of it, stands in a file, so that one build serves for all.
const LEARNERS: &str = r#"
use std::io::Write;
use std::sync::Mutex;

pub fn work() {
    let case = concat!(env!("CARGO_MANIFEST_DIR"), "/case.txt");
    match std::fs::read_to_string(case).unwrap().as_str() {
        "passes" => {}
        "fails" => todo!(),
        "loops" => loop { std::hint::spin_loop() },
        "waits" => {
            let table = Mutex::new(());
            let _one = table.lock();
            let _two = table.lock();
        }
        "prints" => loop { std::io::stderr().write_all(&[b'a'; 10_000]).unwrap() },
        "aborts" => std::process::abort(),
        "recurses" => println!("{}", deep(&[0; 64])),
        "collects" => {
            let mut all = vec![];
            loop { all.push(vec![1u8; 1 << 16]) }
        }
        "exits" => std::process::exit(0),
        "exits with 3" => std::process::exit(3),
        other => panic!("{other}"),
    }
}

fn deep(x: &[u64; 64]) -> u64 {
    if std::hint::black_box(x)[0] == 1 { return 0 }
    let mut y = *x;
    y[1] += 1;
    deep(&y) + y[1]
}
"#;

const TEST: &str =
    "#[test]\nfn the_work_is_done() {\n    exercise::work();\n}\n\ncontained::tests!();\n";

/// How each of them ends: under a check, and as the exit status of a plain test program.
const CASES: [(&str, Verdict, i32); 10] = [
    ("passes", Verdict::Passes, 0),
    ("fails", Verdict::Fails, 101),
    ("loops", Verdict::NeverEnds, contained::status::NEVER_ENDS),
    ("waits", Verdict::NeverEnds, contained::status::NEVER_ENDS),
    (
        "prints",
        Verdict::PrintsTooMuch,
        contained::status::PRINTS_TOO_MUCH,
    ),
    ("aborts", Verdict::Dies, contained::status::DIES),
    ("recurses", Verdict::Dies, contained::status::DIES),
    ("collects", Verdict::Dies, contained::status::DIES),
    ("exits", Verdict::Dies, contained::status::DIES),
    ("exits with 3", Verdict::Dies, 3),
];

#[test]
fn both_ways_lead_to_the_same_sentence() {
    let scratch = scratch_course();
    let root = scratch.path();
    add_exercise(root, "03", LEARNERS, Some(TEST));
    depend_on_contained(root);
    let folder = root.join("exercises/03-case");
    for (case, verdict, code) in CASES {
        if case == "collects" && !cfg!(target_os = "linux") {
            continue; // nothing ends it there but the machine's own memory
        }
        fs::write(folder.join("case.txt"), case).unwrap();
        let endless = verdict == Verdict::NeverEnds;
        let checked = checked(root, endless);
        assert_eq!(checked.verdict, verdict, "{case}: {}", checked.sentence);

        let plain = plain(root, endless);
        let err = String::from_utf8_lossy(&plain.stderr);
        let told: Vec<_> = err
            .lines()
            .filter(|it| it.starts_with("Exercise 03 "))
            .collect();
        match verdict {
            Verdict::Passes | Verdict::Fails => assert!(told.is_empty(), "{case}: {told:?}"),
            _ => assert_eq!(told, [checked.sentence.as_str()], "{case}"),
        }
        // Cargo has 101 for every kind of failure, and names another one in words.
        assert_eq!(plain.status.success(), code == 0, "{case}");
        let words = format!(": {code})");
        assert!(
            code == 0 || code == 101 || err.contains(&words),
            "{case}: {err}"
        );
    }
}

fn checked(root: &Path, endless: bool) -> Checked {
    let exercise = exercises::load(root).unwrap().remove(0);
    let options = CheckOptions {
        target: Some(root.join("target")),
        network: false,
        ..CheckOptions::default()
    };
    let options = CheckOptions {
        tests: if endless {
            Duration::from_secs(1)
        } else {
            options.tests
        },
        ..options
    };
    check::check(root, &exercise, &options, &Stop::new(), &mut |_| {})
}

fn plain(root: &Path, endless: bool) -> Output {
    let mut cargo = check::cargo();
    cargo
        .args([
            "test",
            "--offline",
            "--package",
            "exercise-03",
            "--target-dir",
        ])
        .arg(root.join("target"))
        .current_dir(root)
        .env_remove(CONTAINED)
        .env_remove(SECONDS)
        .envs(endless.then_some((SECONDS, "1")));
    cargo.output().expect("cargo can be started")
}

/// As the real exercises do, and with the versions of everything that they have.
fn depend_on_contained(root: &Path) {
    let course = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let contained = course.join("crates/contained");
    let manifest = root.join("exercises/03-case/Cargo.toml");
    let mut text = fs::read_to_string(&manifest).unwrap();
    text.push_str(&format!(
        "[dev-dependencies]\ncontained = {{ path = {contained:?} }}\n"
    ));
    fs::write(manifest, text).unwrap();
    fs::copy(course.join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
}
