//! The exercises, as their `exercise.toml` files describe them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use serde::{Deserialize, Deserializer, Serialize};

use crate::trouble::Trouble;

/// One exercise: `exercises/NN-slug/exercise.toml`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Exercise {
    /// Two digits, as in the folder's name and in `exercise-NN`. The file may say 8 or "08".
    #[serde(deserialize_with = "two_digits")]
    pub number: String,
    /// The rest of the folder's name.
    pub slug: String,
    /// As the learner reads it.
    pub title: String,
    /// The chapter's page, relative to `book/src/en`, without `.md`.
    pub chapter: String,
    /// How long it takes, in minutes.
    pub minutes: u32,
    /// Three levels: where to look, what to think about, nearly the answer.
    pub hints: Vec<String>,
    /// What a learner may believe, and what a wrong answer that believes it shows.
    #[serde(default)]
    pub misconceptions: Vec<Misconception>,
    /// What to read or do after a pass.
    pub after: String,
    /// The exercise's folder.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// A wrong idea with a name.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Misconception {
    /// Its number in the list of misconceptions: quiz options refer to it, too.
    pub id: u32,
    /// The belief in a sentence.
    pub says: String,
}

impl Exercise {
    /// The package that holds it.
    pub fn package(&self) -> String {
        format!("exercise-{}", self.number)
    }
}

/// All exercises, by number.
///
/// # Errors
///
/// One sentence that names the file, for a folder without a readable `exercise.toml` or with one that contradicts the
/// folder's name.
pub fn load(root: &Path) -> anyhow::Result<Vec<Exercise>> {
    let shelf = root.join("exercises");
    let entries = fs::read_dir(&shelf).map_err(|error| {
        Trouble::environment(format!("{} cannot be read: {error}.", shelf.display()))
    })?;
    let mut exercises = Vec::new();
    for entry in entries {
        let folder = entry?.path();
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        // A folder counts when it has a manifest; what an editor or a build leaves behind does not.
        if name.starts_with('.') || !folder.join("Cargo.toml").is_file() {
            continue;
        }
        exercises.push(
            read(&folder, &name).map_err(|error| Trouble::environment(format!("{error:#}")))?,
        );
    }
    exercises.sort_by(|a, b| a.number.cmp(&b.number));
    Ok(exercises)
}

/// Said where there is nothing to work on.
pub const NONE: &str = "There is no exercise in this folder yet.";

/// The exercise that a learner calls `asked`: `3`, `03`, `exercise-03`, its slug, or its folder, as the shell completes it.
///
/// # Errors
///
/// One sentence that lists what there is.
pub fn find<'a>(exercises: &'a [Exercise], asked: &str) -> anyhow::Result<&'a Exercise> {
    let asked = asked.trim();
    let name = asked.to_lowercase().replace('\\', "/");
    let name = name.trim_end_matches('/');
    let name = name.strip_prefix("./").unwrap_or(name);
    let name = ["exercises/", "exercise-"]
        .iter()
        .find_map(|before| name.strip_prefix(before))
        .unwrap_or(name);
    let short = |number: &str| number.trim_start_matches('0').to_owned();
    exercises
        .iter()
        .find(|Exercise { number, slug, .. }| {
            let slug = slug.to_lowercase();
            name == slug
                || match name.split_once('-') {
                    None => short(name) == short(number),
                    Some((before, rest)) => short(before) == short(number) && rest == slug,
                }
        })
        .ok_or_else(|| {
            let all: Vec<_> = exercises
                .iter()
                .map(|exercise| exercise.number.as_str())
                .collect();
            Trouble::input(match all.as_slice() {
                [] => NONE.to_owned(),
                [one] => format!("There is no exercise {asked}; there is {one}."),
                all => format!("There is no exercise {asked}; there are {}.", in_words(all)),
            })
        })
}

fn read(folder: &Path, name: &str) -> anyhow::Result<Exercise> {
    let file = folder.join("exercise.toml");
    let text = fs::read_to_string(&file)
        .map_err(|error| anyhow!("{} cannot be read: {error}", file.display()))?;
    let mut exercise: Exercise = toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(String::new(), |span| {
            format!(":{}", text[..span.start].lines().count().max(1))
        });
        anyhow!(
            "{}{line} is not as it should be: {}",
            file.display(),
            error.message()
        )
    })?;
    let expected = format!("{}-{}", exercise.number, exercise.slug);
    if expected != name {
        return Err(anyhow!(
            "{} says {expected}, but its folder is {name}",
            file.display()
        ));
    }
    exercise.folder = folder.to_path_buf();
    Ok(exercise)
}

fn two_digits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "the exercise's number, such as 8 or \"08\"")]
    enum Number {
        Number(u8),
        Text(String),
    }
    Ok(match Number::deserialize(deserializer)? {
        Number::Number(number) => format!("{number:02}"),
        Number::Text(text) => text,
    })
}

/// `03, 06 and 08`.
pub(crate) fn in_words(items: &[&str]) -> String {
    match items {
        [init @ .., last] if !init.is_empty() => format!("{} and {last}", init.join(", ")),
        few => few.concat(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::trouble::{status, status_of};

    pub(crate) fn add(root: &Path, number: &str, slug: &str, hints: &[&str]) -> PathBuf {
        let folder = root.join("exercises").join(format!("{number}-{slug}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(
            folder.join("Cargo.toml"),
            format!("[package]\nname = \"exercise-{number}\"\n"),
        )
        .unwrap();
        let toml = format!(
            "number = \"{number}\"\nslug = \"{slug}\"\ntitle = \"{slug} title\"\nchapter = \"ch\"\nminutes = 10\nhints = {hints:?}\nafter = \"Rest.\"\n"
        );
        fs::write(folder.join("exercise.toml"), toml).unwrap();
        folder
    }

    #[test]
    fn exercises_come_in_order_and_are_found_by_any_of_their_names() {
        let root = tempfile::tempdir().unwrap();
        add(root.path(), "08", "a-future-by-hand", &[]);
        add(root.path(), "03", "one-table-two-parties", &[]);
        fs::create_dir(root.path().join("exercises/.vscode")).unwrap();
        let all = load(root.path()).unwrap();
        assert_eq!(
            all.iter().map(|e| e.number.as_str()).collect::<Vec<_>>(),
            ["03", "08"]
        );
        for name in [
            "3",
            "03",
            "exercise-03",
            "003",
            " 3 ",
            "Exercise-3",
            "03-one-table-two-parties",
            "one-table-two-parties",
            "exercises/03-one-table-two-parties/",
            ".\\exercises\\03-one-table-two-parties\\",
        ] {
            assert_eq!(find(&all, name).unwrap().number, "03", "{name}");
        }
    }

    #[test]
    fn an_unknown_exercise_gets_a_list_of_what_there_is() {
        let root = tempfile::tempdir().unwrap();
        add(root.path(), "03", "three", &[]);
        add(root.path(), "06", "six", &[]);
        add(root.path(), "08", "eight", &[]);
        let all = load(root.path()).unwrap();
        for asked in [
            "99",
            "",
            "0",
            "three-and-a-half",
            "../03",
            "03-six",
            "3-",
            "-3",
            "03 06",
            "exercises/",
            "\u{663}",
        ] {
            let error = find(&all, asked).unwrap_err();
            assert_eq!(status_of(&error), status::INPUT);
            assert_eq!(
                error.to_string(),
                format!("There is no exercise {asked}; there are 03, 06 and 08.")
            );
        }
    }

    #[test]
    fn a_damaged_description_is_named_with_its_line() {
        let root = tempfile::tempdir().unwrap();
        let folder = add(root.path(), "03", "three", &[]);
        fs::write(
            folder.join("exercise.toml"),
            "number = \"03\"\nslug = three\n",
        )
        .unwrap();
        let error = load(root.path()).unwrap_err().to_string();
        assert!(error.contains("exercise.toml:2"), "{error}");
    }

    #[test]
    fn a_description_that_contradicts_its_folder_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let folder = add(root.path(), "03", "three", &[]);
        fs::rename(&folder, folder.with_file_name("04-three")).unwrap();
        let error = load(root.path()).unwrap_err().to_string();
        assert!(
            error.contains("says 03-three, but its folder is 04-three"),
            "{error}"
        );
    }
}
