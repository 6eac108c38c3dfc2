//! Without git: an older copy of the course lies beside this one, and the work in it is to come over.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use super::{Answer, Taken, below, in_words, is_meant, keep, name_parts, put, same_lines};
use crate::exercises::{self, Exercise};
use crate::trouble::Trouble;
use crate::{progress, starter};

/// An exercise that was worked on in the older folder.
#[derive(Debug, Serialize)]
struct Found {
    number: String,
    slug: String,
    /// Its number here, unless it is gone.
    number_here: Option<String>,
    /// Where its work stands, compared with what is here.
    here: Here,
    /// Whether its starter is another one here.
    starter_changed: bool,
    sentence: String,
    #[serde(skip)]
    work: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Here {
    /// The starter: the work can come over.
    Starter,
    /// The same work.
    Same,
    /// Other work, which is not written over unless the exercise is named.
    Other,
    /// The exercise is not in this course any more.
    Gone,
}

/// Looks, and brings over what is to be taken.
pub(super) fn answer(root: &Path, old: &Path, asked: Option<&[String]>) -> anyhow::Result<Answer> {
    let old = std::path::absolute(old)?;
    if !old.join("exercises").is_dir() {
        return Err(Trouble::input(format!(
            "{} is no copy of the course: there is no folder exercises/ in it.",
            old.display()
        )));
    }
    if let (Ok(a), Ok(b)) = (old.canonicalize(), root.canonicalize())
        && a == b
    {
        return Err(Trouble::input(
            "This is the same folder: run the command in the newer one, and name the older one with --from.",
        ));
    }
    let here = exercises::load(root)?;
    let found = look(root, &old, &here)?;
    let mut taken = Vec::new();
    let mut remembered = None;
    if let Some(asked) = asked {
        for name in asked {
            if !found
                .iter()
                .any(|one| is_meant(name, &one.number, &one.slug))
            {
                let numbers: Vec<_> = found.iter().map(|one| &one.number).collect();
                return Err(Trouble::input(match numbers.as_slice() {
                    [] => format!("There is no work in {}.", old.display()),
                    _ => format!(
                        "There is no work on exercise {name} in {}; there is on {}.",
                        old.display(),
                        in_words(&numbers)
                    ),
                }));
            }
        }
        for one in &found {
            let is_asked = asked
                .iter()
                .any(|name| is_meant(name, &one.number, &one.slug));
            if !asked.is_empty() && !is_asked {
                continue;
            }
            taken.extend(bring(root, &here, one, is_asked)?);
        }
        remembered = Some(bring_progress(root, &old)?);
    }
    let json = json!({
        "from": old,
        "exercises": found,
        "taken": taken,
        "progress": remembered,
    });
    Ok(Answer {
        text: text(&old, &found, &taken, remembered, asked.is_some()),
        json,
    })
}

/// The exercises that were worked on in the older folder.
fn look(root: &Path, old: &Path, here: &[Exercise]) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = fs::read_dir(old.join("exercises"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    folders.sort();
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let Some((number, slug)) = name_parts(&name) else {
            continue;
        };
        let file = folder.join("src").join("lib.rs");
        if !file.is_file() {
            continue;
        }
        let work = fs::read_to_string(&file).map_err(|error| {
            Trouble::environment(format!("{} cannot be read ({error}).", file.display()))
        })?;
        let local = here.iter().find(|exercise| exercise.slug == slug);
        let shipped = local.and_then(|local| starter::shipped(root, local).ok());
        let began = old.join("solutions").join(&*name).join("starter.rs");
        // Very old copies have no starter beside the solution. Then all there is to compare with is the one that is here.
        let began = fs::read_to_string(began).ok().or_else(|| shipped.clone());
        if began
            .as_deref()
            .is_some_and(|began| same_lines(began, &work))
        {
            continue;
        }
        let starter_changed = match (&began, &shipped) {
            (Some(began), Some(shipped)) => !same_lines(began, shipped),
            _ => false,
        };
        let state = match local {
            None => Here::Gone,
            Some(local) => match starter::edited(local) {
                Ok(now) if same_lines(&now, &work) => Here::Same,
                _ if starter::is_edited(root, local) => Here::Other,
                _ => Here::Starter,
            },
        };
        let mut one = Found {
            number: number.to_owned(),
            slug: slug.to_owned(),
            number_here: local.map(|local| local.number.clone()),
            here: state,
            starter_changed,
            sentence: String::new(),
            work,
        };
        one.sentence = sentence(&one);
        found.push(one);
    }
    Ok(found)
}

fn sentence(one: &Found) -> String {
    let mut text = match one.here {
        Here::Starter => "Your work there can come over.".to_owned(),
        Here::Same => "Your work is here already.".to_owned(),
        Here::Other => format!(
            "You have worked on it here, too. `--take {}` brings over what is there, and keeps a copy of what is here.",
            one.number
        ),
        Here::Gone => {
            "It is not in this course any more; a copy of your work can be kept.".to_owned()
        }
    };
    if let Some(here) = one.number_here.as_ref().filter(|here| **here != one.number) {
        text.push_str(&format!(" It is exercise {here} here."));
    }
    text + &still_fits(one)
}

/// What to do about work that was begun on another starter.
fn still_fits(one: &Found) -> String {
    match &one.number_here {
        Some(number) if one.starter_changed => format!(
            " Its starter has changed since: `cargo course check {number}` says whether your work still fits."
        ),
        _ => String::new(),
    }
}

fn bring(
    root: &Path,
    here: &[Exercise],
    one: &Found,
    is_asked: bool,
) -> anyhow::Result<Option<Taken>> {
    let local = here.iter().find(|exercise| exercise.slug == one.slug);
    let taken = |copy: Option<PathBuf>, sentence: String| {
        Some(Taken {
            number: one.number.clone(),
            copy,
            sentence,
        })
    };
    Ok(match (one.here, local) {
        (Here::Gone, _) | (_, None) => {
            let copy = keep(root, &one.number, &one.slug, &one.work)?;
            let sentence = format!(
                "The exercise is not here any more. A copy of your work is in {}.",
                below(root, &copy).display()
            );
            taken(Some(copy), sentence)
        }
        (Here::Starter, Some(local)) => {
            let file = starter::edited_file(local);
            put(&file, &one.work, None)?;
            taken(
                None,
                format!("Your work is in {} now.", below(root, &file).display()),
            )
        }
        (Here::Other, Some(local)) if is_asked => {
            let copy = starter::back_up(root, local)?;
            let file = starter::edited_file(local);
            put(&file, &one.work, Some(&copy))?;
            let sentence = format!(
                "Your work is in {} now. A copy of what was there is in {}.{}",
                below(root, &file).display(),
                below(root, &copy).display(),
                still_fits(one)
            );
            taken(Some(copy), sentence)
        }
        (Here::Other, _) => taken(
            None,
            format!(
                "Left alone, because you have worked on it here, too: `--take {}` brings it over, and keeps a copy of what is here.",
                one.number
            ),
        ),
        (Here::Same, _) => None,
    })
}

/// Brings what the older folder remembers: passes, hints, verdicts, and the copies of work. `true` when there was something new.
fn bring_progress(root: &Path, old: &Path) -> anyhow::Result<bool> {
    let copies = |folder: &Path| folder.join(".progress").join("backups");
    let new_copies = bring_copies(&copies(old), &copies(root)).map_err(|error| {
        Trouble::environment(format!(
            "Your work has come over, but not its older copies ({error}); they are still in {}.",
            copies(old).display()
        ))
    })?;
    let new_progress = progress::bring_over(root, old).map_err(|error| {
        Trouble::environment(format!(
            "Your work has come over, but {} cannot be written ({error}), so what has passed is not remembered here.",
            root.join(".progress").display()
        ))
    })?;
    Ok(new_copies || new_progress)
}

/// Copies files that are not there yet. `true` when there was one.
fn bring_copies(from: &Path, to: &Path) -> std::io::Result<bool> {
    let mut is_new = false;
    let Ok(folders) = fs::read_dir(from) else {
        return Ok(false);
    };
    for folder in folders {
        let folder = folder?;
        if !folder.file_type()?.is_dir() {
            continue;
        }
        let place = to.join(folder.file_name());
        for copy in fs::read_dir(folder.path())? {
            let copy = copy?;
            let target = place.join(copy.file_name());
            if copy.file_type()?.is_file() && !target.exists() {
                fs::create_dir_all(&place)?;
                fs::copy(copy.path(), target)?;
                is_new = true;
            }
        }
    }
    Ok(is_new)
}

fn text(
    old: &Path,
    found: &[Found],
    taken: &[Taken],
    remembered: Option<bool>,
    asked: bool,
) -> String {
    let mut text = String::new();
    if asked {
        for one in taken {
            text.push_str(&format!("{}  {}\n", one.number, one.sentence));
        }
        if taken.is_empty() {
            text.push_str("All of your work is here already.\n");
        }
        if remembered == Some(true) {
            text.push_str("What you had passed, the hints you had seen and your older copies have come along.\n");
        }
        text.push_str(&format!("{} is as it was.\n", old.display()));
        return text;
    }
    if found.is_empty() {
        return format!(
            "There is no work in {}: every exercise there is its starter.\n",
            old.display()
        );
    }
    text.push_str(&format!("Your work in {}:\n", old.display()));
    for one in found {
        text.push_str(&format!(
            "\n{}  {}\n    {}\n",
            one.number, one.slug, one.sentence
        ));
    }
    if found.iter().any(|one| one.here != Here::Same) {
        text.push_str(&format!(
            "\n`cargo course upgrade-check --from {} --take` brings it over, with what you have passed. That folder stays as it is.\n",
            super::quoted(old)
        ));
    }
    text
}
