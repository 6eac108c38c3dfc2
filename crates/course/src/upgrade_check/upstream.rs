//! With git: what is new upstream, what a pull will do to each exercise, and how to take it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use serde_json::json;
use similar::{ChangeTag, TextDiff};

use super::git::{Files, Git, Upstream};
use super::{
    Answer, Taken, UpgradeCheckArgs, below, copy_command, in_words, is_meant, keep, name_parts,
    put, same_lines,
};
use crate::exercises::{self, Exercise};
use crate::starter;
use crate::trouble::Trouble;

/// An exercise that upstream has changed, or that stands on an older starter, or that a merge has left unfinished.
#[derive(Debug, Serialize)]
struct Found {
    number: String,
    slug: String,
    title: String,
    /// What upstream did with it.
    upstream: Change,
    /// The number that it has upstream, where that is another one.
    moved_to: Option<String>,
    /// What of it has changed: starter, tests, description (with the hints), solution, package.
    parts: Vec<&'static str>,
    /// Whether the learner's file differs from the starter.
    edited: bool,
    /// What a pull will do to the learner's file, or what one has done that is not finished yet.
    pull: Pull,
    /// Whether the learner's work looks like it was begun on an older starter than the one that is here now.
    older_starter: bool,
    /// All of this in words.
    sentence: String,
    /// The learner's file, below the course's folder.
    file: String,
    #[serde(skip)]
    old_starter: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Change {
    Same,
    Changed,
    New,
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Pull {
    /// It brings the new file; there is no work in the old one.
    Takes,
    /// It does not touch the file.
    Leaves,
    /// It moves the learner's file along to the exercise's new number.
    Moves,
    /// It refuses to begin, because the file has changes that are not committed.
    Refuses,
    /// It stops with a conflict in the file.
    Conflicts,
    /// It has stopped, and waits.
    Unfinished,
}

impl Found {
    /// A new exercise may have the number that another one has here, and there is nothing to take from it.
    fn is_meant(&self, asked: &str) -> bool {
        self.upstream != Change::New && is_meant(asked, &self.number, &self.slug)
    }
}

/// What is known after asking git.
struct Look {
    upstream: Upstream,
    /// Commits that upstream has and this branch has not, and the other way round.
    new: u64,
    own: u64,
    found: Vec<Found>,
    /// Other files on which a pull will be refused.
    blocked: Vec<String>,
    /// Folders of packages that upstream has no more, with the files in them that git does not follow.
    left_over: BTreeMap<String, Vec<String>>,
    under_way: Option<&'static str>,
    is_under_way: bool,
    /// The contents of the files in the last commit.
    head: Files,
    /// The files whose version in the index is not that of the last commit.
    staged: BTreeSet<String>,
    /// The command that brings what is new.
    pull: String,
}

/// Asks, takes what is to be taken, and asks again.
pub(super) fn answer(root: &Path, git: &Git, args: &UpgradeCheckArgs) -> anyhow::Result<Answer> {
    if args.fetch {
        git.fetch()?;
    }
    let upstream = git.upstream(args.against.as_deref())?;
    let mut look = look(root, git, upstream.clone())?;
    let mut taken = Vec::new();
    if let Some(asked) = &args.take {
        taken = take(root, git, &look, asked)?;
        look = self::look(root, git, upstream)?;
    }
    let advice = advice(&look);
    let json = json!({
        "compared_with": look.upstream.name,
        "fetched": look.upstream.fetched.map(|time| time.to_string()),
        "new_commits": look.new,
        "own_commits": look.own,
        "exercises": look.found,
        "blocked": look.blocked,
        "left_over": look.left_over,
        "unfinished": look.under_way,
        "taken": taken,
        "sentence": advice.first(),
        "advice": advice,
    });
    Ok(Answer {
        text: text(&look, &taken, &advice, args.take.is_some()),
        json,
    })
}

/// An exercise as it stands in a commit.
#[derive(Default)]
struct Shelved {
    number: String,
    starter: Option<String>,
    edited: Option<String>,
    description: Option<String>,
    parts: BTreeMap<&'static str, BTreeSet<(String, String)>>,
    is_package: bool,
}

fn shelf(files: &Files) -> BTreeMap<String, Shelved> {
    let mut shelf = BTreeMap::<String, Shelved>::new();
    for (path, id) in files {
        let mut steps = path.splitn(3, '/');
        let (Some(top), Some(folder), Some(rest)) = (steps.next(), steps.next(), steps.next())
        else {
            continue;
        };
        let Some((number, slug)) = name_parts(folder) else {
            continue;
        };
        let shelved = shelf.entry(slug.to_owned()).or_default();
        shelved.number = number.to_owned();
        let part = match (top, rest) {
            ("exercises", "src/lib.rs") => {
                shelved.edited = Some(id.clone());
                continue;
            }
            ("solutions", "starter.rs") => {
                shelved.starter = Some(id.clone());
                continue;
            }
            ("exercises", "exercise.toml") => {
                shelved.description = Some(id.clone());
                "description"
            }
            ("exercises", _) if rest.starts_with("tests/") => "tests",
            ("exercises", _) => {
                shelved.is_package |= rest == "Cargo.toml";
                "package"
            }
            ("solutions", _) if rest.starts_with("src/") => "solution",
            _ => continue,
        };
        let file = (rest.to_owned(), id.clone());
        shelved.parts.entry(part).or_default().insert(file);
    }
    shelf.retain(|_, shelved| shelved.is_package);
    for shelved in shelf.values_mut() {
        // Before starters lay beside the solutions, the file that learners edit was all there was.
        shelved.starter = shelved.starter.take().or(shelved.edited.clone());
    }
    shelf
}

fn look(root: &Path, git: &Git, upstream: Upstream) -> anyhow::Result<Look> {
    let Some(head) = git.commit("HEAD") else {
        return Err(Trouble::environment(
            "This repository has no commit yet, so there is nothing to compare.",
        ));
    };
    let new_head = git.commit(&upstream.name).unwrap_or_else(|| head.clone());
    // What this folder had of upstream last. A shallow clone may not know; then its own last commit has to do.
    let base = git
        .merge_base(&head, &new_head)
        .unwrap_or_else(|| head.clone());
    let shelves = ["exercises", "solutions", "crates"];
    let (then, now) = (git.files(&base, &shelves)?, git.files(&new_head, &shelves)?);
    let head_files = git.files(&head, &shelves)?;
    let mut left_over = BTreeMap::new();
    for manifest in then.keys().filter(|file| !now.contains_key(*file)) {
        // Those folders in which cargo looks for packages, and not what lies deeper.
        if let Some(folder) = manifest.strip_suffix("/Cargo.toml")
            && folder.matches('/').count() == 1
        {
            let files: Vec<_> = git.not_followed(folder)?.into_iter().collect();
            if !files.is_empty() {
                left_over.insert(folder.to_owned(), files);
            }
        }
    }
    let (then, now) = (shelf(&then), shelf(&now));
    let touched = git.changed(&base, &new_head)?;
    let uncommitted = git.uncommitted()?;
    let staged = uncommitted.iter().filter(|(_, staged)| **staged);
    let staged: BTreeSet<String> = staged.map(|(file, _)| file.clone()).collect();
    let unmerged = git.unmerged()?;
    let under_way = git.under_way();
    let starters = starters(git)?;
    let here = exercises::load(root)?;

    let mut found = Vec::new();
    let slugs: BTreeSet<&String> = then
        .keys()
        .chain(now.keys())
        .chain(here.iter().map(|e| &e.slug))
        .collect();
    for slug in slugs {
        let (old, new) = (then.get(slug), now.get(slug));
        let local = here.iter().find(|exercise| exercise.slug == *slug);
        let upstream_did = match (old, new) {
            (None, None) => Change::Same,
            (None, Some(_)) => Change::New,
            (Some(_), None) => Change::Gone,
            (Some(old), Some(new)) => match changed_parts(old, new).is_empty() {
                true if old.number == new.number => Change::Same,
                _ => Change::Changed,
            },
        };
        // It is here already: with a commit of one's own on top, or because it was written here.
        if upstream_did == Change::New && local.is_some() {
            continue;
        }
        let number = match (local, old, new) {
            (Some(local), _, _) => local.number.clone(),
            (None, Some(old), _) => old.number.clone(),
            (None, None, Some(new)) => new.number.clone(),
            (None, None, None) => continue,
        };
        let file = format!("exercises/{number}-{slug}/src/lib.rs");
        let edited = local.is_some_and(|local| starter::is_edited(root, local));
        let is_touched = touched.contains(&file);
        let committed = old.is_some_and(|old| {
            head_files
                .get(&file)
                .is_some_and(|id| Some(id) != old.edited.as_ref())
        });
        let moved_to = match (old, new) {
            (Some(old), Some(new)) if old.number != new.number && number != new.number => {
                Some(new.number.clone())
            }
            _ => None,
        };
        let only_moved = moved_to.is_some()
            && old.and_then(|old| old.edited.as_ref()) == new.and_then(|new| new.edited.as_ref());
        // A file that is not there can be brought back by a pull, and hinders none.
        let is_there = root.join(&file).exists() || staged.contains(&file);
        let pull = if unmerged.contains_key(&file) {
            Pull::Unfinished
        } else if is_touched && is_there && uncommitted.contains_key(&file) {
            Pull::Refuses
        } else if is_touched && committed {
            match only_moved {
                true => Pull::Moves,
                false => Pull::Conflicts,
            }
        } else if edited {
            Pull::Leaves
        } else {
            Pull::Takes
        };
        let old_starter = match local {
            Some(local) if edited && pull != Pull::Unfinished => {
                began_on(root, git, local, starters.get(slug))?
            }
            _ => None,
        };
        if upstream_did == Change::Same && pull != Pull::Unfinished && old_starter.is_none() {
            continue;
        }
        let title = match (local, new) {
            (Some(local), _) => local.title.clone(),
            (None, Some(new)) => title(git, new).unwrap_or_else(|| slug.clone()),
            (None, None) => slug.clone(),
        };
        let parts = match (old, new) {
            (Some(old), Some(new)) => changed_parts(old, new),
            _ => Vec::new(),
        };
        let mut one = Found {
            number,
            slug: slug.clone(),
            title,
            upstream: upstream_did,
            moved_to,
            parts,
            edited,
            pull,
            older_starter: old_starter.is_some(),
            sentence: String::new(),
            file,
            old_starter,
        };
        one.sentence = sentence(&one, under_way, committed);
        found.push(one);
    }
    // A conflict in an exercise that is gone otherwise: its folder is no package any more.
    for (file, stages) in &unmerged {
        let known = found.iter().any(|one| one.file == *file);
        let name = file
            .strip_prefix("exercises/")
            .and_then(|rest| rest.strip_suffix("/src/lib.rs"))
            .and_then(name_parts);
        let (Some((number, slug)), false) = (name, known) else {
            continue;
        };
        let mut one = Found {
            number: number.to_owned(),
            slug: slug.to_owned(),
            title: slug.to_owned(),
            upstream: match stages.contains_key(&2) && stages.contains_key(&3) {
                true => Change::Changed,
                false => Change::Gone,
            },
            moved_to: None,
            parts: Vec::new(),
            edited: true,
            pull: Pull::Unfinished,
            older_starter: false,
            sentence: String::new(),
            file: file.clone(),
            old_starter: None,
        };
        one.sentence = sentence(&one, under_way, true);
        found.push(one);
    }
    found.sort_by(|a, b| a.number.cmp(&b.number));
    // In the middle of a merge or a rebase, what differs from the last commit is not the learner's doing, so nothing can be said of
    // what a pull would do.
    let is_under_way = under_way.is_some() || !unmerged.is_empty();
    if is_under_way {
        found.retain(|one| one.pull == Pull::Unfinished);
    }

    let learners: BTreeSet<&String> = found.iter().map(|one| &one.file).collect();
    let mut in_the_way = git.unknown()?;
    in_the_way.extend(uncommitted.into_keys());
    in_the_way.retain(|file| !is_under_way && touched.contains(file) && !learners.contains(file));
    let own = git.count(&new_head, &head);
    let pull = match upstream.pulled {
        true => git.pull(own > 0),
        false => format!("git merge {}", upstream.name),
    };
    Ok(Look {
        pull,
        staged,
        new: git.count(&head, &new_head),
        own,
        upstream,
        found,
        blocked: in_the_way.into_iter().collect(),
        left_over,
        under_way,
        is_under_way,
        head: head_files,
    })
}

fn changed_parts(old: &Shelved, new: &Shelved) -> Vec<&'static str> {
    let mut parts = Vec::new();
    if old.starter != new.starter {
        parts.push("starter");
    }
    for part in ["tests", "description", "solution", "package"] {
        if old.parts.get(part) != new.parts.get(part) {
            parts.push(part);
        }
    }
    parts
}

fn title(git: &Git, shelved: &Shelved) -> Option<String> {
    let text = git.contents(shelved.description.as_ref()?).ok()?;
    let table: toml::Table = text.parse().ok()?;
    Some(table.get("title")?.as_str()?.to_owned())
}

/// All starters that an exercise has had up to now, by slug, the newest first.
fn starters(git: &Git) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let mut all = BTreeMap::<String, Vec<String>>::new();
    for (path, id) in git.versions("solutions/*/starter.rs")? {
        let folder = path.split('/').nth(1).unwrap_or_default();
        if let Some((_, slug)) = name_parts(folder) {
            let versions = all.entry(slug.to_owned()).or_default();
            if !versions.contains(&id) {
                versions.push(id);
            }
        }
    }
    Ok(all)
}

/// The older starter on which a learner's work stands, if it is not the one that is here now.
///
/// Nobody has written down on which starter they began, and nobody has to: of all that were shipped it is the one that their
/// file differs least from. Whoever has worked the changes of a newer one into their file stands on the newer one by that.
fn began_on(
    root: &Path,
    git: &Git,
    exercise: &Exercise,
    versions: Option<&Vec<String>>,
) -> anyhow::Result<Option<String>> {
    let Some(versions) = versions.filter(|versions| versions.len() > 1) else {
        return Ok(None);
    };
    let (Ok(work), Ok(shipped)) = (starter::edited(exercise), starter::shipped(root, exercise))
    else {
        return Ok(None);
    };
    let mut nearest = (distance(&shipped, &work), None);
    for id in versions {
        let old = git.contents(id)?;
        let far = distance(&old, &work);
        if far < nearest.0 && !same_lines(&old, &shipped) {
            nearest = (far, Some(id.clone()));
        }
    }
    Ok(nearest.1)
}

/// How many lines are in one of two texts only.
fn distance(a: &str, b: &str) -> usize {
    let unix = |text: &str| {
        text.lines()
            .fold(String::new(), |all, line| all + line + "\n")
    };
    TextDiff::from_lines(unix(a), unix(b))
        .iter_all_changes()
        .filter(|change| change.tag() != ChangeTag::Equal)
        .count()
}

/// What there is to say about one exercise.
fn sentence(one: &Found, under_way: Option<&str>, committed: bool) -> String {
    let have = |parts: &[&str]| match parts {
        [] => String::new(),
        [one] if !one.ends_with('s') => format!("Its {one} has changed. "),
        many => format!("Its {} have changed. ", in_words(many)),
    };
    let mut text = match one.upstream {
        Change::Same => String::new(),
        Change::New => return "It is new.".to_owned(),
        Change::Gone => "It is gone. ".to_owned(),
        Change::Changed => have(&one.parts),
    };
    if let Some(number) = &one.moved_to {
        text.push_str(&format!("It has become exercise {number}. "));
    }
    text.push_str(&match one.pull {
        Pull::Takes => "You have not edited it.".to_owned(),
        Pull::Leaves if one.upstream == Change::Same => String::new(),
        Pull::Leaves => "Your file stays as it is; check it again after the pull.".to_owned(),
        Pull::Moves => "Your file moves along as you committed it.".to_owned(),
        Pull::Refuses => {
            let how = match committed {
                true => "edited your file further since you committed it",
                false => "edited your file",
            };
            format!("You have {how}, so a pull refuses to begin, and changes nothing.")
        }
        Pull::Conflicts if one.upstream == Change::Gone => {
            "You have committed an answer, so a pull stops here, and leaves your file in a folder without Cargo.toml."
                .to_owned()
        }
        Pull::Conflicts => {
            "You have committed your answer, so a pull stops with a conflict in this file."
                .to_owned()
        }
        Pull::Unfinished => unfinished(one, under_way),
    });
    if one.older_starter {
        text.push_str(match one.upstream {
            Change::Same => {
                "Your work seems to stand on an older starter than the one that is here now."
            }
            _ => " Your work seems to stand on a starter that is older still.",
        });
    }
    text.trim_end().to_owned()
}

fn unfinished(one: &Found, under_way: Option<&str>) -> String {
    let file = &one.file;
    let number = &one.number;
    match (under_way, one.upstream) {
        (Some("merge"), Change::Gone) => format!(
            "The merge has stopped here, and your file is still there. `cargo course upgrade-check --take {number}` keeps a copy of it; then `git rm {file}`, and `git commit --no-edit` finishes the merge."
        ),
        (Some("merge"), _) => format!(
            "The merge has stopped here, and what is in your file is yours. To keep it: `git add {file}`. To begin again on the new starter: `cargo course upgrade-check --take {number}`, then the same `git add`. Then `git commit --no-edit` finishes the merge; `git merge --abort` goes back to before it."
        ),
        (Some(what), _) => format!(
            "The {what} has stopped here, and what is in your file is the new starter; yours is in the commit that is being applied. To have yours back: `git checkout --theirs -- {file}`. Then `git add {file}` and `git {what} --continue`; `git {what} --abort` goes back to before it."
        ),
        (None, _) => format!(
            "A stash met the new starter here, and what is in your file is the new starter; yours is still in the stash. To have yours back: `git checkout --theirs -- {file}`. Then `git add {file}`, and `git stash drop` once you have seen that all your work is there."
        ),
    }
}

/// What to do about all of it, a line each.
fn advice(look: &Look) -> Vec<String> {
    let pull = &look.pull;
    let numbers = |which: Pull| -> Vec<&str> {
        let those = look.found.iter().filter(|one| one.pull == which);
        those.map(|one| one.number.as_str()).collect()
    };
    let refused = numbers(Pull::Refuses);
    let (gone, conflicts): (Vec<&Found>, Vec<&Found>) = look
        .found
        .iter()
        .filter(|one| one.pull == Pull::Conflicts)
        .partition(|one| one.upstream == Change::Gone);
    let conflicts: Vec<_> = conflicts.iter().map(|one| one.number.as_str()).collect();
    let mut lines = Vec::new();
    if look.is_under_way {
        lines.push(match (look.found.is_empty(), look.under_way) {
            (false, _) => {
                "Finish what has stopped first, as said above; nothing is lost.".to_owned()
            }
            (true, what) => format!(
                "A {} is not finished here: `git status` says how to go on. Ask again after that.",
                what.unwrap_or("merge")
            ),
        });
        return lines;
    }
    if look.new == 0 {
        lines.push("Nothing is new upstream.".to_owned());
    } else if refused.is_empty()
        && conflicts.is_empty()
        && gone.is_empty()
        && look.blocked.is_empty()
    {
        lines.push(format!(
            "`{pull}` brings all of it, and leaves your work alone."
        ));
    }
    if !refused.is_empty() {
        lines.push(format!(
            "`{pull}` will refuse, because of {}. Make way first: `cargo course upgrade-check --take {}` keeps a copy of your work, says where, and puts the file back to what was committed. Then `{pull}`. Your copy can go back into the file afterwards.",
            in_words(&refused),
            refused.join(","),
        ));
    }
    if !look.blocked.is_empty() {
        lines.push(format!(
            "These files are changed here and upstream, too, so a pull refuses: {}. `git stash push -u {}` lays them aside.",
            in_words(&look.blocked),
            look.blocked.join(" "),
        ));
    }
    if !conflicts.is_empty() {
        lines.push(format!(
            "`{pull}` will stop with a conflict in {}, and leave your answer in the file, whole and without marks in it. To keep it: `git add` the file, then `git commit --no-edit`. To begin again on the new starter: `cargo course upgrade-check --take {}` when the merge has stopped; it says what comes next.",
            in_words(&conflicts),
            conflicts.join(","),
        ));
        lines.push("With `git pull --rebase` it is the other way round: what is in the file then is the new starter, and your answer waits in the commit that is being applied. `git rebase --abort` goes back to before it.".to_owned());
    }
    for one in gone {
        lines.push(format!(
            "`{pull}` will stop because of {0}, which is gone, and leave your file in a folder that is no package any more. So `cargo course upgrade-check --take {0}` first, which keeps a copy of it; then `{pull}`, `git rm {1}` and `git commit --no-edit`.",
            one.number, one.file
        ));
    }
    for (folder, files) in &look.left_over {
        lines.push(format!(
            "The course has the folder {folder} no more. After the pull it still holds what git does not know ({}): that hinders nobody, and you can delete it when you do not need it.",
            in_words(files)
        ));
    }
    for one in look.found.iter().filter(|one| one.older_starter) {
        let folder = format!("solutions/{}-{}", one.number, one.slug);
        lines.push(format!(
            "What has changed in the starter of {0} since you began: `git diff {1} HEAD:{folder}/starter.rs`. To begin again on it: `cargo course upgrade-check --take {0}`.",
            one.number,
            one.old_starter.as_deref().map_or("", |id| &id[..id.len().min(12)]),
        ));
    }
    lines
}

fn text(look: &Look, taken: &[Taken], advice: &[String], asked: bool) -> String {
    let mut text = String::new();
    for one in taken {
        text.push_str(&format!("{}  {}\n", one.number, one.sentence));
    }
    if asked {
        text.push_str(if taken.is_empty() {
            "There is nothing to take.\n\n"
        } else {
            "\n"
        });
    }
    let fetched = match look.upstream.fetched {
        Some(time) => {
            let local = time.to_zoned(jiff::tz::TimeZone::system());
            format!(
                "as it was fetched on {}",
                local.strftime("%-d %B %Y at %H:%M")
            )
        }
        None => "as it was when this folder was cloned".to_owned(),
    };
    let commits = match look.new {
        0 => "nothing is new there".to_owned(),
        1 => "one commit is new there".to_owned(),
        n => format!("{n} commits are new there"),
    };
    text.push_str(&format!(
        "Compared with {}, {fetched}: {commits}. (`--fetch` asks again.)\n",
        look.upstream.name
    ));
    let quiet = |one: &&Found| {
        one.pull == Pull::Takes && one.upstream == Change::Changed && one.moved_to.is_none()
    };
    for one in look.found.iter().filter(|one| !quiet(one)) {
        text.push_str(&format!(
            "\n{}  {}\n    {}\n",
            one.number, one.title, one.sentence
        ));
    }
    let others: Vec<_> = look.found.iter().filter(quiet).collect();
    if !others.is_empty() {
        let numbers: Vec<_> = others.iter().map(|one| one.number.as_str()).collect();
        text.push_str(&format!(
            "\nChanged, and not edited by you: {}.\n",
            in_words(&numbers)
        ));
    } else if look.new > 0 && look.found.is_empty() && !look.is_under_way {
        text.push_str("No exercise has changed.\n");
    }
    let skip =
        usize::from(look.new == 0 && advice.first().is_some_and(|l| l.starts_with("Nothing")));
    for line in advice.iter().skip(skip) {
        text.push_str(&format!("\n{line}\n"));
    }
    text
}

/// Makes way for new starters, each with a copy of the work first.
fn take(root: &Path, git: &Git, look: &Look, asked: &[String]) -> anyhow::Result<Vec<Taken>> {
    for name in asked {
        if !look.found.iter().any(|one| one.is_meant(name)) {
            // An exercise that is not there gets the list of those that are.
            let all = exercises::load(root)?;
            let exercise = exercises::find(&all, name)?;
            return Err(Trouble::input(format!(
                "There is nothing new to take for exercise {}; `cargo course reset {}` puts it back to its starter.",
                exercise.number, exercise.number
            )));
        }
    }
    let unmerged = git.unmerged()?;
    let mut taken = Vec::new();
    for one in &look.found {
        let is_asked = asked.iter().any(|name| one.is_meant(name));
        if !asked.is_empty() && !is_asked {
            continue;
        }
        if let Some(done) = take_one(root, git, look, one, unmerged.get(&one.file))? {
            taken.push(done);
        } else if is_asked {
            taken.push(Taken {
                number: one.number.clone(),
                copy: None,
                sentence: match one.pull {
                    Pull::Conflicts => "Pull first: your answer is committed, so it is safe, and the file can be changed when the merge has stopped.".to_owned(),
                    _ => "There is nothing to make way for: a pull brings it.".to_owned(),
                },
            });
        }
    }
    Ok(taken)
}

fn take_one(
    root: &Path,
    git: &Git,
    look: &Look,
    one: &Found,
    stages: Option<&BTreeMap<u8, String>>,
) -> anyhow::Result<Option<Taken>> {
    // Git's paths have slashes on every system, and a shell need not take them.
    let file = one
        .file
        .split('/')
        .fold(root.to_owned(), |path, step| path.join(step));
    let folder = format!("{}-{}", one.number, one.slug);
    let starter_here = root.join("solutions").join(&folder).join("starter.rs");
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|error| {
            Trouble::environment(format!("{} cannot be read ({error}).", path.display()))
        })
    };
    let taken = |copy: &Path, sentence: String| {
        Ok(Some(Taken {
            number: one.number.clone(),
            copy: Some(copy.to_owned()),
            sentence: format!(
                "A copy of your work is in {}. {sentence}",
                below(root, copy).display()
            ),
        }))
    };
    match one.pull {
        Pull::Unfinished => {
            // In a merge the learner's version is the branch's (2), everywhere else what comes (3).
            let mine = match look.under_way {
                Some("merge") => 2,
                _ => 3,
            };
            let Some(id) = stages.and_then(|stages| stages.get(&mine)) else {
                return Ok(None);
            };
            let mut copy = keep(root, &one.number, &one.slug, &git.contents(id)?)?;
            // Perhaps they have gone on in the file meanwhile.
            let now = read(&file).unwrap_or_default();
            let known = stages.into_iter().flat_map(BTreeMap::values);
            let is_known = known
                .filter_map(|id| git.contents(id).ok())
                .any(|text| same_lines(&text, &now));
            if !now.is_empty() && !is_known {
                copy = keep(root, &one.number, &one.slug, &now)?;
            }
            let next = match look.under_way {
                Some("merge") => "`git commit --no-edit`".to_owned(),
                Some(what) => format!("`git {what} --continue`"),
                None => {
                    "`git stash drop`, once you have seen that all your work is there".to_owned()
                }
            };
            if !starter_here.is_file() {
                return taken(
                    &copy,
                    format!("The exercise is gone: `git rm {}`, then {next}.", one.file),
                );
            }
            put(&file, &read(&starter_here)?, Some(&copy))?;
            taken(
                &copy,
                format!(
                    "The file is the new starter now. Then `git add {}`, and {next}.",
                    one.file
                ),
            )
        }
        Pull::Refuses => {
            let committed = look.head.get(&one.file);
            let committed = committed.map(|id| git.checked_out(id, &one.file));
            let Some(committed) = committed.transpose()? else {
                return Ok(None);
            };
            let unstage = match look.staged.contains(&one.file) {
                true => format!(
                    " Git's index still has your version: `git restore --staged {}` first.",
                    one.file
                ),
                false => String::new(),
            };
            let work = read(&file)?;
            if same_lines(&work, &committed) && !unstage.is_empty() {
                return Ok(Some(Taken {
                    number: one.number.clone(),
                    copy: None,
                    sentence: format!("The file is as it was committed.{unstage}"),
                }));
            }
            let copy = keep(root, &one.number, &one.slug, &work)?;
            put(&file, &committed, Some(&copy))?;
            let after = match &one.moved_to {
                Some(number) => root
                    .join("exercises")
                    .join(format!("{number}-{}", one.slug))
                    .join("src")
                    .join("lib.rs"),
                None => file.clone(),
            };
            taken(
                &copy,
                match one.upstream {
                    Change::Gone => format!(
                        "The file is as it was committed, and a pull takes it away with its exercise.{unstage}"
                    ),
                    _ => format!(
                        "The file is as it was committed, and makes way for the pull.{unstage} To go on with your work after that: `{}`",
                        copy_command(below(root, &copy), below(root, &after))
                    ),
                },
            )
        }
        Pull::Conflicts if one.upstream == Change::Gone => {
            let copy = keep(root, &one.number, &one.slug, &read(&file)?)?;
            taken(
                &copy,
                "The file itself stays as you committed it, until the pull.".to_owned(),
            )
        }
        _ if one.older_starter && one.upstream != Change::Gone => {
            let copy = keep(root, &one.number, &one.slug, &read(&file)?)?;
            put(&file, &read(&starter_here)?, Some(&copy))?;
            taken(&copy, "The file is the newer starter now.".to_owned())
        }
        _ => Ok(None),
    }
}
