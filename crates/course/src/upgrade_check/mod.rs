//! `course upgrade-check`: which exercises have changed upstream, and how to take them.
//!
//! A learner edits files that git follows, so an upgrade and their work can meet in one file: `src/lib.rs` of an exercise.
//! Git never loses either of the two, but it does not say what to do, and each of its ways (a refused pull, a conflict in
//! a merge, one in a rebase, one from a stash) leaves something else in the file. `upstream` finds out which it will be
//! or is. `folder` does the same for somebody who has no git, and unpacks a newer course beside the older one.
//!
//! Nothing is changed without `--take`, and then never without a copy in `.progress/backups`. Git itself is only asked;
//! the one thing that it is told to do is `git fetch`, with `--fetch`.

mod folder;
mod git;
mod upstream;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::cli::print;
use crate::starter;
use crate::trouble::{Trouble, status};

use git::{Git, NoGit};

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct UpgradeCheckArgs {
    /// Ask the network first (`git fetch`); without it, what was fetched last is looked at
    #[arg(long)]
    pub fetch: bool,
    /// Compare with this branch or commit [default: the branch that yours follows, or of the remote `upstream`]
    #[arg(long, value_name = "REF")]
    pub against: Option<String>,
    /// Look for your work in this older copy of the course, unpacked beside this one
    #[arg(long, value_name = "OLD_FOLDER", conflicts_with_all = ["fetch", "against"])]
    pub from: Option<PathBuf>,
    /// Make way for the new starters; with --from, bring your work over. All of them, or those named. A copy of your work is kept
    #[arg(long, value_name = "NN", num_args = 0.., value_delimiter = ',')]
    pub take: Option<Vec<String>>,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// Something that `--take` has done.
#[derive(Debug, Serialize)]
pub struct Taken {
    /// The exercise's number.
    pub number: String,
    /// Where the copy of what was in the file is, if there was work in it.
    pub copy: Option<PathBuf>,
    /// What was done, and what to do next.
    pub sentence: String,
}

/// Runs it.
pub fn command(root: &Path, args: &UpgradeCheckArgs) -> anyhow::Result<u8> {
    let answer = match &args.from {
        Some(old) => folder::answer(root, old, args.take.as_deref())?,
        None => {
            let git = Git::open(root).map_err(|reason| nobody_to_ask(root, &reason))?;
            upstream::answer(root, &git, args)?
        }
    };
    print(&if args.json {
        format!("{}\n", serde_json::to_string_pretty(&answer.json)?)
    } else {
        answer.text
    })?;
    Ok(status::DONE)
}

/// An answer, for people and for programs.
struct Answer {
    text: String,
    json: serde_json::Value,
}

fn nobody_to_ask(root: &Path, reason: &NoGit) -> anyhow::Error {
    let instead = format!(
        "unpack the newer course beside this one, and run `cargo course upgrade-check --from {}` there",
        quoted(root)
    );
    Trouble::environment(match reason {
        NoGit::NotInstalled => format!(
            "The program git was not found, so nobody can be asked what is new: install it, or {instead}."
        ),
        NoGit::NotARepository => format!(
            "This folder is no git repository, so nobody can be asked what is new: {instead}."
        ),
        NoGit::Refuses(said) if said.contains("dubious ownership") => format!(
            "Git does not look at this folder, because another user owns it: `git config --global --add safe.directory {}` allows it; or {instead}.",
            quoted(root)
        ),
        NoGit::Refuses(said) => {
            format!("Git does not look at this folder ({said}): mend that, or {instead}.")
        }
    })
}

/// A path as it can be typed in a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    match text.contains([' ', '(', ')', '&', '\'']) {
        true => format!("\"{text}\""),
        false => text,
    }
}

/// How a file is copied over another one, in the shell of this system.
fn copy_command(from: &Path, to: &Path) -> String {
    let program = if cfg!(windows) { "copy" } else { "cp" };
    format!("{program} {} {}", quoted(from), quoted(to))
}

/// A path below the course's folder, short.
fn below<'a>(root: &Path, path: &'a Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}

/// Puts `text` into the file, of which a copy has been made. What stops it names the copy.
fn put(file: &Path, text: &str, copy: Option<&Path>) -> anyhow::Result<()> {
    fs::write(file, text).map_err(|error| {
        let kept = copy.map_or(String::new(), |copy| {
            format!("; a copy of your work is in {}", copy.display())
        });
        Trouble::environment(format!(
            "{} cannot be written ({error}){kept}.",
            file.display()
        ))
    })
}

/// Whether two texts have the same lines. Git may have changed how they end.
fn same_lines(a: &str, b: &str) -> bool {
    a.lines().eq(b.lines())
}

/// Whether a learner means this exercise by `asked`: `3`, `03`, `exercise-03`, its slug, or its folder.
fn is_meant(asked: &str, number: &str, slug: &str) -> bool {
    let name = asked.trim().trim_start_matches("exercise-");
    name == slug
        || name == format!("{number}-{slug}")
        || (!name.is_empty()
            && name.trim_start_matches('0') == number.trim_start_matches('0')
            && name.bytes().all(|b| b.is_ascii_digit()))
}

/// The number and the slug in a folder's name.
fn name_parts(folder: &str) -> Option<(&str, &str)> {
    let (number, slug) = folder.split_once('-')?;
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    digits.then_some((number, slug))
}

/// `a`, `a and b`, `a, b and c`.
fn in_words(items: &[impl AsRef<str>]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.as_slice() {
        [init @ .., last] if !init.is_empty() => format!("{} and {last}", init.join(", ")),
        few => few.concat(),
    }
}

/// Keeps a copy of a text that is about to be written over.
fn keep(root: &Path, number: &str, slug: &str, work: &str) -> anyhow::Result<PathBuf> {
    starter::keep_copy(root, &format!("{number}-{slug}"), work.as_bytes())
}
