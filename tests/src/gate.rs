//! What must be true of the built book, beyond what mdBook complains of.
//!
//! mdBook writes a page with an empty listing when an anchor is missing, leaves the directive standing when a file is, and
//! never looks whether a link leads somewhere. The functions here do. Each returns its complaints as sentences; an empty
//! list means that all is well.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use course::exercises::Exercise;
use course::record;
use flight::Recording;

use crate::page::{self, Element};

/// A built book and what it is held against.
pub struct Gate<'a> {
    /// The folder with `book.toml`.
    pub book: &'a Path,
    /// Where it was built to.
    pub built: &'a Path,
    /// The exercises that cards may name.
    pub exercises: &'a [Exercise],
    /// The packages that commands on the pages may name.
    pub packages: &'a BTreeSet<String>,
    /// The runs that figures may ask for.
    pub runs: &'a [&'a str],
}

/// What the program makes, recordings and puzzles: made once, and looked at by many tests.
static MADE: LazyLock<Vec<record::File>> = LazyLock::new(|| {
    let takes = record::TAKES.iter().flat_map(record::files);
    let puzzles = record::puzzle::PUZZLES.iter();
    let puzzles = puzzles.filter_map(|it| record::puzzle::files(it).ok());
    takes.chain(puzzles.flatten()).collect()
});

/// Pages that mdBook makes for itself out of the others.
const MADE_BY_MDBOOK: [&str; 3] = ["print.html", "404.html", "toc.html"];

impl Gate<'_> {
    /// Everything that is wrong.
    pub fn complaints(&self) -> Vec<String> {
        let pages = self.pages();
        let mut complaints = Vec::new();
        for (name, elements) in &pages {
            let mut add = |what: String| complaints.push(format!("{name}: {what}"));
            unfinished(elements, &mut add);
            listings(elements, &mut add);
            ids(elements, &mut add);
            outside(elements, &mut add);
            self.links(name, elements, &pages, &mut add);
            self.figures(elements, &mut add);
            self.puzzles(elements, &mut add);
            questions(elements, &mut add);
            self.cards(elements, &mut add);
            self.commands(elements, &mut add);
        }
        for source in files(&self.book.join("src"), "md") {
            let name = self.short(&source);
            let text = fs::read_to_string(&source).unwrap_or_default();
            let mut add = |what: String| complaints.push(format!("{name}: {what}"));
            includes(&source, &text, &mut add);
            // Generated texts have no headings of their own; everything else is linked to.
            headings(&text, &mut add);
        }
        for script in ["js", "css"]
            .iter()
            .flat_map(|kind| files(&self.book.join("assets"), kind))
        {
            let text = fs::read_to_string(&script).unwrap_or_default();
            for address in addresses(&text) {
                complaints.push(format!(
                    "{}: names {address}, and nothing may be loaded from elsewhere",
                    self.short(&script)
                ));
            }
        }
        complaints.extend(self.recordings());
        complaints
    }

    /// The pages that are made of a chapter, read.
    fn pages(&self) -> BTreeMap<String, Vec<Element>> {
        files(self.built, "html")
            .into_iter()
            .map(|path| {
                (
                    slashed(path.strip_prefix(self.built).expect("it was found there")),
                    path,
                )
            })
            .filter(|(name, _)| !MADE_BY_MDBOOK.contains(&name.as_str()))
            .map(|(name, path)| {
                (
                    name,
                    page::read(&fs::read_to_string(path).unwrap_or_default()),
                )
            })
            .collect()
    }

    fn short(&self, path: &Path) -> String {
        slashed(path.strip_prefix(self.book).unwrap_or(path))
    }

    /// Links, pictures and scripts lead to files of the book, and to ids that are there.
    fn links(
        &self,
        page: &str,
        elements: &[Element],
        pages: &BTreeMap<String, Vec<Element>>,
        add: &mut dyn FnMut(String),
    ) {
        for element in elements {
            let Some(target) = element.attribute("href").or(element.attribute("src")) else {
                continue;
            };
            // A figure's `src` is the name of a recording, not a path.
            let is_figure = ["floor-plan", "scheduler-puzzle"].contains(&element.tag.as_str());
            if is_figure || target.is_empty() || has_scheme(target) {
                continue;
            }
            let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
            let path = path.split('?').next().unwrap_or_default();
            let file = if path.is_empty() {
                Some(page.to_owned())
            } else {
                resolve(page, path)
            };
            let Some(file) = file.filter(|file| self.built.join(file).is_file()) else {
                add(format!(
                    "<{}> leads to {target}, which is not there",
                    element.tag
                ));
                continue;
            };
            if fragment.is_empty() || !file.ends_with(".html") {
                continue;
            }
            let there = pages.get(&file).map(Vec::as_slice).unwrap_or_default();
            if !there
                .iter()
                .any(|element| element.attribute("id") == Some(fragment))
            {
                add(format!(
                    "<{}> leads to {target}, and {file} has no id {fragment:?}",
                    element.tag
                ));
            }
        }
    }

    /// Every figure has its recording in all four forms, and a run that the program knows.
    fn figures(&self, elements: &[Element], add: &mut dyn FnMut(String)) {
        for figure in elements
            .iter()
            .filter(|element| element.tag == "floor-plan")
        {
            let Some(name) = figure.attribute("src") else {
                add("a <floor-plan> names no recording".to_owned());
                continue;
            };
            for kind in ["json", "js", "svg", "md"] {
                // The text is for authors to include; it lies beside the others in the sources, and mdBook drops it.
                let folder = if kind == "md" {
                    self.book.join("src")
                } else {
                    self.built.to_path_buf()
                };
                if !folder
                    .join("recordings")
                    .join(format!("{name}.{kind}"))
                    .is_file()
                {
                    add(format!(
                        "the figure {name:?} has no recordings/{name}.{kind}"
                    ));
                }
            }
            if let Some(run) = figure
                .attribute("live")
                .filter(|run| !self.runs.contains(run))
            {
                add(format!(
                    "the figure {name:?} asks for the run {run:?}; there are {}",
                    self.runs.join(", ")
                ));
            }
            if figure.text.trim().is_empty() {
                add(format!(
                    "the figure {name:?} says nothing where it cannot be played"
                ));
            }
        }
    }

    /// Every puzzle has its file in both forms, something to reach, and a text for readers who cannot play.
    fn puzzles(&self, elements: &[Element], add: &mut dyn FnMut(String)) {
        for puzzle in elements.iter().filter(|it| it.tag == "scheduler-puzzle") {
            let name = puzzle.attribute("src").unwrap_or("without a src");
            for kind in ["json", "js"] {
                let file = self.built.join("recordings").join(format!("{name}.{kind}"));
                if !file.is_file() {
                    add(format!(
                        "the puzzle {name:?} has no recordings/{name}.{kind}"
                    ));
                }
            }
            if puzzle
                .attribute("goal")
                .is_none_or(|goal| goal.trim().is_empty())
            {
                add(format!("the puzzle {name:?} does not say its goal"));
            }
            if puzzle.text.trim().is_empty() {
                add(format!(
                    "the puzzle {name:?} says nothing where it cannot be played"
                ));
            }
        }
    }

    /// Cards belong to exercises, and copy a command that works.
    fn cards(&self, elements: &[Element], add: &mut dyn FnMut(String)) {
        for (at, card) in elements
            .iter()
            .enumerate()
            .filter(|(_, element)| element.tag == "exercise-card")
        {
            let number = card.attribute("number").unwrap_or_default();
            let Some(exercise) = self
                .exercises
                .iter()
                .find(|exercise| exercise.number == number)
            else {
                add(format!(
                    "a card is for exercise {number:?}, which is not there"
                ));
                continue;
            };
            let command = elements.iter().find(|element| {
                element.tag == "code" && element.inside.contains(&at) && in_pre(elements, element)
            });
            let wanted = format!("cargo test -p {}", exercise.package());
            if command.is_none_or(|command| command.text.trim() != wanted) {
                add(format!(
                    "the card of exercise {number} must hold the command `{wanted}` first"
                ));
            }
            if !card.text.contains(&format!("{} minutes", exercise.minutes)) {
                add(format!(
                    "the card of exercise {number} must say \"{} minutes\", as its description does",
                    exercise.minutes
                ));
            }
        }
    }

    /// Commands on the pages name packages, programs and exercises that are there.
    fn commands(&self, elements: &[Element], add: &mut dyn FnMut(String)) {
        for code in elements.iter().filter(|element| element.tag == "code") {
            for line in code.text.lines() {
                let words: Vec<&str> = line
                    .split_whitespace()
                    .map(|word| word.trim_matches('`'))
                    .collect();
                let Some(cargo) = words.iter().position(|word| *word == "cargo") else {
                    continue;
                };
                let words = &words[cargo..];
                for pair in words.windows(2) {
                    // `NN` and the like stand for something the reader puts in.
                    let placeholder = pair[1].contains("NN") || pair[1].contains('<');
                    if matches!(pair[0], "-p" | "--package")
                        && !placeholder
                        && !self.packages.contains(pair[1])
                    {
                        add(format!(
                            "`{line}` names the package {}, which is not there",
                            pair[1]
                        ));
                    }
                    let known = |number: &str| {
                        self.exercises
                            .iter()
                            .any(|exercise| exercise.number == number)
                    };
                    let digits =
                        pair[1].len() == 2 && pair[1].bytes().all(|byte| byte.is_ascii_digit());
                    if matches!(pair[0], "check" | "hint" | "story")
                        && words.get(1) == Some(&"course")
                        && digits
                        && !known(pair[1])
                    {
                        add(format!(
                            "`{line}` names exercise {}, which is not there",
                            pair[1]
                        ));
                    }
                }
            }
        }
    }

    /// The recordings can be read, and are what the program makes now.
    fn recordings(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let folder = self.book.join("src").join("recordings");
        // A puzzle is no recording of one run: it is only compared with what the program makes.
        let is_puzzle = |path: &Path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("puzzle-"))
        };
        let recordings = files(&folder, "json")
            .into_iter()
            .filter(|it| !is_puzzle(it));
        for path in recordings {
            let name = self.short(&path);
            match fs::read_to_string(&path)
                .map_err(|error| error.to_string())
                .and_then(|text| Recording::from_json(&text).map_err(|error| error.to_string()))
            {
                Ok(recording) if recording.complete && recording.dropped == 0 => {}
                // What never ends was left behind.
                Ok(recording) if recording.dropped == 0 && never_ends(&path) => {}
                Ok(_) => complaints.push(format!("{name}: the recording has gaps")),
                Err(error) => complaints.push(format!("{name}: {error}")),
            }
        }
        // These come out differently each time, so they are not compared.
        let mut made: BTreeSet<OsString> = record::gallery::names()
            .map(|(name, _)| name)
            .chain(record::back_of_house::names())
            .chain(record::another_kitchen::names())
            .chain(record::which_tool::names())
            .flat_map(|name| ["json", "js", "svg", "md"].map(|it| format!("{name}.{it}").into()))
            .collect();
        for file in MADE.iter() {
            let name = file
                .path
                .file_name()
                .expect("recordings are files")
                .to_owned();
            let path = folder.join(&name);
            made.insert(name);
            // A scratch book has the recordings that it has; which ones a page needs is asked where the figure stands.
            match fs::read_to_string(&path) {
                Ok(text) if text == file.text => {}
                Ok(_) => complaints.push(format!(
                    "{}: is not what this program makes; `cargo course record` makes it again",
                    self.short(&path)
                )),
                Err(_) => {}
            }
        }
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if !made.contains(&entry.file_name()) {
                complaints.push(format!(
                    "{}: no program makes this recording",
                    self.short(&entry.path())
                ));
            }
        }
        complaints
    }
}

/// Whether this is the recording of a run of the gallery that never ends.
fn never_ends(path: &Path) -> bool {
    let ends = record::gallery::names()
        .find(|(name, _)| path.file_stem().is_some_and(|it| it == name.as_str()));
    ends.is_some_and(|(_, ends)| !ends)
}

/// Directives that were not carried out, and notes that an author left for later.
fn unfinished(elements: &[Element], add: &mut dyn FnMut(String)) {
    let Some(body) = elements.iter().find(|element| element.tag == "main") else {
        return add("has no <main>".to_owned());
    };
    for mark in ["{{#", "TODO-"] {
        if let Some(at) = body.text.find(mark) {
            let rest: String = body.text[at..].chars().take(60).collect();
            add(format!(
                "{:?} was left standing",
                rest.lines().next().unwrap_or_default()
            ));
        }
    }
    for value in elements
        .iter()
        .flat_map(|element| element.attributes.values())
    {
        if value.contains("TODO-") {
            add(format!("{value:?} was left standing"));
        }
    }
}

/// A listing without a line is an include whose anchor is missing.
fn listings(elements: &[Element], add: &mut dyn FnMut(String)) {
    let letters = |text: &str| text.chars().filter(|char| !char.is_whitespace()).count();
    for (at, code) in elements.iter().enumerate() {
        if code.tag != "code" || !in_pre(elements, code) {
            continue;
        }
        // mdBook puts a hidden `fn main` around listings in Rust.
        let hidden = elements.iter().filter(|element| {
            element.inside.contains(&at) && element.attribute("class") == Some("boring")
        });
        let hidden: usize = hidden.map(|element| letters(&element.text)).sum();
        if letters(&code.text) == hidden {
            add(format!(
                "a listing ({}) is empty",
                code.attribute("class").unwrap_or("no language")
            ));
        }
    }
}

fn in_pre(elements: &[Element], element: &Element) -> bool {
    element
        .inside
        .iter()
        .any(|&around| elements[around].tag == "pre")
}

/// An id may stand only once on a page.
fn ids(elements: &[Element], add: &mut dyn FnMut(String)) {
    let mut seen = BTreeSet::new();
    for id in elements
        .iter()
        .filter_map(|element| element.attribute("id"))
    {
        if !seen.insert(id) {
            add(format!("the id {id:?} stands twice"));
        }
    }
}

/// No page loads anything from elsewhere. (A link that a reader may follow is no load.)
fn outside(elements: &[Element], add: &mut dyn FnMut(String)) {
    for element in elements {
        let loaded = match element.tag.as_str() {
            "a" | "area" => None,
            "link" => element.attribute("href"),
            _ => element
                .attribute("src")
                .or(element.attribute("srcset"))
                .or(element.attribute("data")),
        };
        if let Some(address) =
            loaded.filter(|address| address.starts_with("//") || address.contains("://"))
        {
            add(format!("<{}> loads {address} from elsewhere", element.tag));
        }
    }
}

/// A prediction and a quiz question have exactly one right answer, and more than one to choose from.
fn questions(elements: &[Element], add: &mut dyn FnMut(String)) {
    for (at, asked) in elements.iter().enumerate() {
        let name = match asked.tag.as_str() {
            "quiz-question" => asked.attribute("id").unwrap_or("without an id"),
            "floor-plan" if asked.attribute("question").is_some() => {
                asked.attribute("src").unwrap_or("without a src")
            }
            _ => continue,
        };
        let boxes: Vec<&Element> = elements
            .iter()
            .filter(|element| {
                element.tag == "input"
                    && element.inside.contains(&at)
                    && element.attribute("type") == Some("checkbox")
            })
            .collect();
        let right = boxes
            .iter()
            .filter(|answer| answer.attributes.contains_key("checked"))
            .count();
        if right != 1 || boxes.len() < 2 {
            add(format!(
                "<{}> {name}: {} answers, {right} of them right",
                asked.tag,
                boxes.len()
            ));
        }
    }
}

/// Include directives: the file is there, the anchor is in it, and it ends.
fn includes(source: &Path, text: &str, add: &mut dyn FnMut(String)) {
    for directive in text.split("{{#").skip(1) {
        let Some((directive, _)) = directive.split_once("}}") else {
            continue;
        };
        let Some((kind, target)) = directive.split_once(' ') else {
            continue;
        };
        if !matches!(kind, "include" | "rustdoc_include") {
            continue;
        }
        let mut parts = target.trim().split(':');
        let file = parts.next().unwrap_or_default();
        let path = source.parent().expect("a source has a folder").join(file);
        let Ok(code) = fs::read_to_string(&path) else {
            add(format!("includes {file}, which is not there"));
            continue;
        };
        // Lines instead of an anchor drift with every edit above them.
        match parts.next() {
            None => {}
            Some(anchor)
                if anchor.is_empty() || anchor.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                add(format!(
                    "includes lines of {file}; an anchor stays right when the file changes"
                ));
            }
            Some(anchor) => {
                for (mark, what) in [("ANCHOR:", "has no"), ("ANCHOR_END:", "does not end its")] {
                    let marked = |line: &str| {
                        line.split_once(mark)
                            .is_some_and(|(_, name)| name.split_whitespace().next() == Some(anchor))
                    };
                    if !code.lines().any(marked) {
                        add(format!("{file} {what} anchor {anchor:?}"));
                    }
                }
            }
        }
    }
}

/// Every heading has an explicit id, so that links keep working when its words change or are translated.
fn headings(text: &str, add: &mut dyn FnMut(String)) {
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let trimmed = line.trim_start();
        if let Some(mark) = ["```", "~~~"]
            .into_iter()
            .find(|mark| trimmed.starts_with(mark))
        {
            match fence {
                Some(open) if open == mark => fence = None,
                Some(_) => {}
                None => fence = Some(mark),
            }
            continue;
        }
        let level = line.bytes().take_while(|&byte| byte == b'#').count();
        let heading = fence.is_none() && (1..=6).contains(&level) && line[level..].starts_with(' ');
        let is_summary = line == "# Summary" || text.starts_with("# Summary");
        if heading && !is_summary && !(line.contains("{#") && line.trim_end().ends_with('}')) {
            add(format!("the heading {line:?} has no id"));
        }
    }
}

/// Addresses in a script or style, but for the names of XML vocabularies, which nothing loads.
fn addresses(text: &str) -> Vec<String> {
    text.match_indices("://")
        .filter_map(|(at, _)| {
            let start = text[..at]
                .rfind(|char: char| !char.is_ascii_alphabetic())
                .map_or(0, |before| before + 1);
            let end = text[at..]
                .find(|char: char| char.is_whitespace() || "\"'`)<>".contains(char))
                .map_or(text.len(), |end| at + end);
            let address = &text[start..end];
            (address.starts_with("http") && !address.starts_with("http://www.w3.org/"))
                .then(|| address.to_owned())
        })
        .collect()
}

fn has_scheme(target: &str) -> bool {
    target.starts_with("//")
        || target
            .split(['/', '#', '?'])
            .next()
            .is_some_and(|first| first.contains(':'))
}

/// A relative path from a page to a file, as a path from the book's root. `None` when it leads out of the book.
fn resolve(page: &str, path: &str) -> Option<String> {
    let from = Path::new(page).parent().unwrap_or(Path::new(""));
    let mut parts: Vec<String> = Vec::new();
    for part in from.join(path).components() {
        match part {
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            Component::ParentDir => drop(parts.pop()?),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    let mut file = parts.join("/");
    if path.ends_with('/') || file.is_empty() {
        file = if file.is_empty() {
            "index.html".to_owned()
        } else {
            format!("{file}/index.html")
        };
    }
    Some(file)
}

/// All files with an extension in a folder and below, in order.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn slashed(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}
