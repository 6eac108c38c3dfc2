//! The gate: the book builds without a complaint, leads nowhere that is not there, and shows what the code does now.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use course::book;
use course::exercises::{self, Exercise};
use course::record::{self, TAKES, puzzle};
use course::serve::RUNS;
use house_tests::gate::Gate;
use house_tests::root;

fn runs() -> Vec<&'static str> {
    RUNS.iter().map(|run| run.name).collect()
}

/// Builds the book in `book` and gives everything that is wrong with it, mdBook's own complaints first.
fn complaints(book: &Path, exercises: &[Exercise], packages: &BTreeSet<String>) -> Vec<String> {
    let built = tempfile::tempdir().unwrap();
    let report = match book::build(book, built.path()) {
        Ok(report) => report,
        Err(error) => return vec![format!("mdBook gives up: {error:#}")],
    };
    let mut complaints: Vec<String> = report
        .complaints
        .iter()
        .map(|complaint| format!("mdBook: {complaint}"))
        .collect();
    let runs = runs();
    let gate = Gate {
        book,
        built: built.path(),
        exercises,
        packages,
        runs: &runs,
    };
    complaints.extend(gate.complaints());
    complaints
}

/// The names of all packages of the workspace.
fn packages() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let root = root();
    let mut folders = vec![root.join("referee")];
    for shelf in ["crates", "exercises", "solutions"] {
        folders.extend(
            fs::read_dir(root.join(shelf))
                .unwrap()
                .map(|entry| entry.unwrap().path()),
        );
    }
    for folder in folders {
        let Ok(text) = fs::read_to_string(folder.join("Cargo.toml")) else {
            continue;
        };
        let manifest: toml::Table = text.parse().unwrap();
        names.insert(manifest["package"]["name"].as_str().unwrap().to_owned());
    }
    names
}

#[test]
fn the_book_is_right() {
    let root = root();
    let exercises = exercises::load(&root).unwrap_or_else(|error| panic!("{error:#}"));
    let complaints = complaints(&root.join("book"), &exercises, &packages());
    assert!(
        complaints.is_empty(),
        "{} complaints:\n{}\n",
        complaints.len(),
        complaints.join("\n")
    );
}

#[test]
fn the_recordings_are_what_the_program_makes() {
    let root = root();
    let puzzles = puzzle::PUZZLES
        .iter()
        .filter_map(|it| puzzle::files(it).ok());
    let takes = TAKES.iter().flat_map(record::files);
    for file in takes.chain(puzzles.flatten()) {
        let there = fs::read_to_string(root.join(&file.path)).unwrap_or_default();
        assert!(
            there == file.text,
            "{} is out of date: `cargo course record` makes it again",
            file.path.display()
        );
    }
}

/// A book with one page, built from nothing, on which each rule can be tried.
struct Scratch {
    folder: tempfile::TempDir,
}

/// A page without a fault; the tests below put one in.
const GOOD: &str = r#"# Page {#page}

[Down](#down) and [across](other.md#across).

## Down {#down}

```rust
{{#include ../code.rs:part}}
```

<floor-plan src="one-table-careless" question="What happens?" live="loopbot">

![poster](recordings/one-table-careless.svg)

- [ ] nothing
- [x] a collision

{{#include recordings/one-table-careless.md}}

</floor-plan>

<scheduler-puzzle src="puzzle-one-table" goal="Break it.">

A story.

</scheduler-puzzle>

<quiz-question id="q">

- [x] yes
- [ ] no

</quiz-question>

<exercise-card number="03">

### Exercise {#exercise-03}

*10 minutes.*

```sh
cargo test -p exercise-03
```

</exercise-card>
"#;

impl Scratch {
    fn new(page: &str) -> Scratch {
        let scratch = Scratch {
            folder: tempfile::tempdir().unwrap(),
        };
        scratch.write("book.toml", "[book]\ntitle = \"Scratch\"\n");
        scratch.write(
            "src/SUMMARY.md",
            "# Summary\n\n- [Page](page.md)\n- [Other](other.md)\n",
        );
        scratch.write("src/page.md", page);
        scratch.write(
            "src/other.md",
            "# Other {#other}\n\n## Across {#across}\n\nText.\n",
        );
        scratch.write(
            "code.rs",
            "// ANCHOR: part\nfn part() {}\n// ANCHOR_END: part\n// ANCHOR: open\nfn open() {}\n",
        );
        let take = TAKES
            .iter()
            .find(|take| take.name == "one-table-careless")
            .unwrap();
        let puzzle = puzzle::PUZZLES
            .iter()
            .find(|it| it.name == "puzzle-one-table")
            .unwrap();
        let files = record::files(take)
            .into_iter()
            .chain(puzzle::files(puzzle).unwrap());
        for file in files {
            scratch.write(
                &format!(
                    "src/recordings/{}",
                    file.path.file_name().unwrap().to_str().unwrap()
                ),
                &file.text,
            );
        }
        scratch
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn complaints(&self) -> Vec<String> {
        let exercise = "number = 3\nslug = \"s\"\ntitle = \"t\"\nchapter = \"c\"\nminutes = 10\nhints = []\nafter = \"\"\n";
        let exercise: Exercise = toml::from_str(exercise).unwrap();
        complaints(
            self.folder.path(),
            &[exercise],
            &BTreeSet::from(["exercise-03".to_owned()]),
        )
    }

    /// Asserts that there are complaints and that one of them contains `words`.
    fn complains(&self, words: &str) {
        let complaints = self.complaints();
        assert!(
            complaints.iter().any(|complaint| complaint.contains(words)),
            "nobody said {words:?}: {complaints:#?}"
        );
    }
}

/// The good page with something in the place of something else.
fn with(old: &str, new: &str) -> Scratch {
    assert!(GOOD.contains(old), "{old:?} is not on the page");
    Scratch::new(&GOOD.replacen(old, new, 1))
}

#[test]
fn the_gate_lets_a_good_page_through() {
    let complaints = Scratch::new(GOOD).complaints();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn the_gate_sees_broken_includes() {
    with("../code.rs:part", "../no-code.rs:part").complains("mdBook: error");
    with("../code.rs:part", "../no-code.rs:part")
        .complains("includes ../no-code.rs, which is not there");
    with("../code.rs:part", "../no-code.rs:part").complains("was left standing");
    with("../code.rs:part", "../code.rs:missing").complains("has no anchor \"missing\"");
    with("../code.rs:part", "../code.rs:missing").complains("a listing (language-rust) is empty");
    with("../code.rs:part", "../code.rs:open").complains("does not end its anchor \"open\"");
    with("../code.rs:part", "../code.rs:2:3").complains("an anchor stays right");
}

#[test]
fn the_gate_sees_dead_links_and_ids() {
    with("(#down)", "(#up)").complains("has no id \"up\"");
    with("other.md#across", "other.md#along").complains("has no id \"along\"");
    with("other.md#across", "nowhere.md").complains("nowhere.html, which is not there");
    with("other.md#across", "../../elsewhere.html").complains("elsewhere.html, which is not there");
    with("recordings/one-table-careless.svg", "recordings/gone.svg")
        .complains("gone.svg, which is not there");
    with("## Down {#down}", "## Down").complains("the heading \"## Down\" has no id");
    with("{#exercise-03}", "{#down}").complains("the id \"down\" stands twice");
}

#[test]
fn the_gate_sees_what_is_unfinished_or_unclosed() {
    with("a collision", "TODO-MEASURE(cargo course shift)").complains("TODO-MEASURE");
    with("What happens?", "TODO-QUESTION").complains("\"TODO-QUESTION\" was left standing");
    with("</quiz-question>", "").complains("mdBook: warning");
}

#[test]
fn the_gate_sees_figures_without_their_recording() {
    with("src=\"one-table-careless\"", "src=\"never-recorded\"")
        .complains("has no recordings/never-recorded.json");
    with("live=\"loopbot\"", "live=\"rm\"").complains("asks for the run \"rm\"");
    for kind in ["json", "js", "svg", "md"] {
        let scratch =
            Scratch::new(&GOOD.replace("{{#include recordings/one-table-careless.md}}", "text"));
        fs::remove_file(
            scratch
                .folder
                .path()
                .join(format!("src/recordings/one-table-careless.{kind}")),
        )
        .unwrap();
        scratch.complains(&format!("has no recordings/one-table-careless.{kind}"));
    }
}

#[test]
fn the_gate_sees_puzzles_that_cannot_be_played() {
    with("puzzle-one-table", "puzzle-without-end")
        .complains("has no recordings/puzzle-without-end.js");
    with("goal=\"Break it.\"", "").complains("\"puzzle-one-table\" does not say its goal");
    with("A story.\n", "\n").complains("says nothing where it cannot be played");
    for kind in ["json", "js"] {
        let scratch = Scratch::new(GOOD);
        let path = format!("src/recordings/puzzle-one-table.{kind}");
        scratch.write(&path, "{}");
        scratch.complains(&format!(
            "puzzle-one-table.{kind}: is not what this program makes"
        ));
    }
}

#[test]
fn the_gate_sees_recordings_that_are_damaged_or_out_of_date() {
    let scratch = Scratch::new(GOOD);
    scratch.write(
        "src/recordings/one-table-careless.json",
        "{\"schema\":\"loopbot-flight\",",
    );
    scratch.complains("one-table-careless.json: the recording breaks off");
    let scratch = Scratch::new(GOOD);
    scratch.write(
        "src/recordings/one-table-careless.json",
        "{\"schema\":\"loopbot-flight\",\"version\":99}",
    );
    scratch.complains("a newer version made this recording");
    for kind in ["json", "js", "svg", "md"] {
        let scratch = Scratch::new(GOOD);
        let path = format!("src/recordings/one-table-careless.{kind}");
        let text = fs::read_to_string(scratch.folder.path().join(&path)).unwrap();
        scratch.write(&path, &text.replace("table 2", "table 1"));
        scratch.complains(&format!(
            "one-table-careless.{kind}: is not what this program makes"
        ));
    }
    let scratch = Scratch::new(GOOD);
    scratch.write("src/recordings/by-hand.json", "{}");
    scratch.complains("no program makes this recording");
}

#[test]
fn the_gate_sees_questions_without_one_right_answer() {
    with("- [x] a collision", "- [ ] a collision").complains("3 answers, 0 of them right");
    with("- [ ] no\n\n</quiz", "- [x] no\n\n</quiz").complains("2 answers, 2 of them right");
    with("- [ ] no\n\n</quiz", "\n</quiz").complains("1 answers, 1 of them right");
}

#[test]
fn the_gate_sees_cards_and_commands_that_name_nothing() {
    with("number=\"03\"", "number=\"04\"").complains("exercise \"04\", which is not there");
    with("cargo test -p exercise-03", "cargo test -p exercise-30")
        .complains("must hold the command");
    with("cargo test -p exercise-03", "cargo test -p exercise-30")
        .complains("names the package exercise-30");
    with("*10 minutes.*", "*12 minutes.*").complains("must say \"10 minutes\"");
    Scratch::new(&format!("{GOOD}\nUse `cargo course hint 77`.\n")).complains("names exercise 77");
}

#[test]
fn the_gate_sees_what_is_loaded_from_elsewhere() {
    for tag in [
        "<img src=\"https://example.org/x.png\" alt=\"x\">",
        "<script src=\"//example.org/x.js\"></script>",
        "<link rel=\"stylesheet\" href=\"http://example.org/x.css\">",
        "<iframe src=\"https://example.org/\"></iframe>",
    ] {
        Scratch::new(&format!("{GOOD}\n{tag}\n")).complains("from elsewhere");
    }
    let scratch = Scratch::new(GOOD);
    scratch.write("assets/x.js", "fetch(\"https://example.org/data\")");
    scratch.complains("names https://example.org/data");
    // A link that the reader follows is allowed.
    let scratch = Scratch::new(&format!("{GOOD}\n[Rust](https://www.rust-lang.org/)\n"));
    assert!(scratch.complaints().is_empty());
}
