//! What git is asked. Nothing here changes the repository, except [`Git::fetch`], which brings what is new upstream and
//! leaves files, branches and commits alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jiff::Timestamp;

use crate::trouble::Trouble;

/// The repository that holds the course.
pub struct Git {
    root: PathBuf,
}

/// Why there is nobody to ask.
#[derive(Debug)]
pub enum NoGit {
    /// There is no program `git`.
    NotInstalled,
    /// The folder was unpacked from an archive, or lies inside a repository of something else.
    NotARepository,
    /// Git is there, and does not want to look at this folder. It said why.
    Refuses(String),
}

/// What upstream is compared with, and how fresh it is.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Such as `origin/main`.
    pub name: String,
    /// Whether a bare `git pull` brings it.
    pub pulled: bool,
    /// When it was fetched last; `None` when it has not been since the clone.
    pub fetched: Option<Timestamp>,
}

/// A folder's files in a commit: path below the root, and the id of the contents.
pub type Files = BTreeMap<String, String>;

impl Git {
    /// Finds the repository whose top is `root`.
    pub fn open(root: &Path) -> Result<Git, NoGit> {
        let git = Git {
            root: root.to_owned(),
        };
        let output = git
            .command(&["rev-parse", "--show-toplevel"])
            .output()
            .map_err(|_| NoGit::NotInstalled)?;
        if !output.status.success() {
            let said = last_line(&output.stderr);
            return Err(if said.contains("not a git repository") {
                NoGit::NotARepository
            } else {
                NoGit::Refuses(said)
            });
        }
        let top = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end());
        let same = |a: &Path, b: &Path| match (a.canonicalize(), b.canonicalize()) {
            (Ok(a), Ok(b)) => a == b,
            _ => false,
        };
        // An archive may be unpacked inside a repository of something else, as a home folder can be one.
        if same(&top, root) {
            Ok(git)
        } else {
            Err(NoGit::NotARepository)
        }
    }

    /// Whose version of the course counts as upstream: the one that is asked for; else a remote called `upstream`, which
    /// is how a fork names the original; else what the branch follows; else the remote `origin`.
    pub fn upstream(&self, asked: Option<&str>) -> anyhow::Result<Upstream> {
        let followed = self.line(&[
            "rev-parse",
            "--abbrev-ref",
            "--symbolic-full-name",
            "@{upstream}",
        ]);
        let name = match asked {
            Some(asked) => Some(asked.to_owned()),
            None => self
                .branch_of("upstream")
                .or_else(|| followed.clone())
                .or_else(|| self.branch_of("origin")),
        };
        let name = name.ok_or_else(|| {
            Trouble::environment(
                "This repository has no upstream: `git remote add origin ADDRESS` names one, and `--fetch` brings it.",
            )
        })?;
        if name.starts_with('-') || self.commit(&name).is_none() {
            return Err(Trouble::input(format!(
                "{name} is no commit or branch that is known here; `git branch --all` lists the branches, `--fetch` brings new ones."
            )));
        }
        let fetched = self
            .line(&["rev-parse", "--git-path", "FETCH_HEAD"])
            .and_then(|path| self.root.join(path).metadata().ok()?.modified().ok())
            .and_then(|time| Timestamp::try_from(time).ok());
        Ok(Upstream {
            pulled: followed.as_deref() == Some(&name),
            name,
            fetched,
        })
    }

    /// Asks the remotes what is new. What git says meanwhile goes to standard error.
    pub fn fetch(&self) -> anyhow::Result<()> {
        let status = self
            .command(&["fetch", "--all"])
            // Whatever it says, the answer on standard output is ours alone.
            .stdout(Stdio::null())
            .stdin(Stdio::inherit())
            .status()?;
        if status.success() {
            return Ok(());
        }
        Err(Trouble::environment(
            "`git fetch` did not succeed (it says why above): without `--fetch`, what was fetched last is looked at.",
        ))
    }

    /// The commit that a name stands for.
    pub fn commit(&self, name: &str) -> Option<String> {
        self.line(&[
            "rev-parse",
            "--verify",
            "--quiet",
            &format!("{name}^{{commit}}"),
        ])
    }

    /// The command that brings what is new, as a merge, whatever is configured: a rebase would refuse as soon as any file has changes.
    pub fn pull(&self, has_own_commits: bool) -> String {
        let branch = self.line(&["symbolic-ref", "--quiet", "--short", "HEAD"]);
        let of_branch = format!("branch.{}.rebase", branch.unwrap_or_default());
        let configured = |key: &str| self.line(&["config", "--get", key]);
        let rebases = configured(&of_branch)
            .or_else(|| configured("pull.rebase"))
            .is_some_and(|value| value != "false");
        let mut command = "git pull".to_owned();
        if has_own_commits || rebases {
            command.push_str(" --no-rebase");
        }
        if has_own_commits && configured("pull.ff").as_deref() == Some("only") {
            command.push_str(" --ff");
        }
        command
    }

    /// Where two histories parted.
    pub fn merge_base(&self, a: &str, b: &str) -> Option<String> {
        self.line(&["merge-base", a, b])
    }

    /// How many commits `to` has that `from` has not.
    pub fn count(&self, from: &str, to: &str) -> u64 {
        self.line(&["rev-list", "--count", &format!("{from}..{to}")])
            .and_then(|count| count.parse().ok())
            .unwrap_or(0)
    }

    /// The files below some folders in a commit.
    pub fn files(&self, commit: &str, folders: &[&str]) -> anyhow::Result<Files> {
        let mut args = vec!["ls-tree", "-r", "-z", "--full-tree", commit, "--"];
        args.extend(folders);
        let text = self.text(&args)?;
        // MODE SP blob SP ID TAB PATH
        let entry = |entry: &str| {
            let (about, path) = entry.split_once('\t')?;
            Some((path.to_owned(), about.split(' ').nth(2)?.to_owned()))
        };
        Ok(text.split('\0').filter_map(entry).collect())
    }

    /// The contents that an id stands for.
    pub fn contents(&self, id: &str) -> anyhow::Result<String> {
        self.exact(&["cat-file", "blob", id])
    }

    /// The same, as git would write it into the folder: on Windows the lines may end in another way there, and whoever writes them
    /// otherwise has changed the file in the eyes of a pull.
    pub fn checked_out(&self, id: &str, file: &str) -> anyhow::Result<String> {
        self.exact(&["cat-file", "--filters", &format!("--path={file}"), id])
    }

    /// The files that differ between two commits.
    pub fn changed(&self, from: &str, to: &str) -> anyhow::Result<BTreeSet<String>> {
        let text = self.text(&["diff", "--name-only", "--no-renames", "-z", from, to, "--"])?;
        Ok(paths(&text))
    }

    /// The files that differ from the last commit, and of each whether that is so in the index, where `git add` puts it.
    ///
    /// `git status` says what a pull will think. `git diff` does not: it is silent about files of which the line endings alone differ.
    pub fn uncommitted(&self) -> anyhow::Result<BTreeMap<String, bool>> {
        let text = self.text(&[
            "status",
            "--porcelain=v1",
            "-z",
            "--no-renames",
            "--untracked-files=no",
        ])?;
        // XY SP PATH NUL, where X is about the index
        let entry = |entry: &str| Some((entry.get(3..)?.to_owned(), !entry.starts_with(' ')));
        Ok(text.split('\0').filter_map(entry).collect())
    }

    /// The files that git does not know, without what it is told to ignore.
    pub fn unknown(&self) -> anyhow::Result<BTreeSet<String>> {
        let text = self.text(&["ls-files", "--others", "--exclude-standard", "-z"])?;
        Ok(paths(&text))
    }

    /// The files in a folder that git does not follow, those that it is told to ignore among them.
    pub fn not_followed(&self, folder: &str) -> anyhow::Result<BTreeSet<String>> {
        let text = self.text(&["ls-files", "--others", "-z", "--", folder])?;
        Ok(paths(&text))
    }

    /// The files that a merge, a rebase or a stash has left unfinished, each with the versions that met: 1 the common
    /// beginning, 2 what was on the branch, 3 what came.
    pub fn unmerged(&self) -> anyhow::Result<BTreeMap<String, BTreeMap<u8, String>>> {
        let text = self.text(&["ls-files", "--unmerged", "-z"])?;
        let mut all = BTreeMap::<String, BTreeMap<u8, String>>::new();
        // MODE SP ID SP STAGE TAB PATH
        for entry in text.split('\0') {
            let Some((about, path)) = entry.split_once('\t') else {
                continue;
            };
            let mut about = about.split(' ').skip(1);
            if let (Some(id), Some(Ok(stage))) = (about.next(), about.next().map(str::parse)) {
                all.entry(path.to_owned())
                    .or_default()
                    .insert(stage, id.to_owned());
            }
        }
        Ok(all)
    }

    /// What is half done, by the name of the command that does it.
    pub fn under_way(&self) -> Option<&'static str> {
        [
            ("MERGE_HEAD", "merge"),
            ("rebase-merge", "rebase"),
            ("rebase-apply", "rebase"),
            ("CHERRY_PICK_HEAD", "cherry-pick"),
        ]
        .into_iter()
        .find(|(file, _)| {
            self.line(&["rev-parse", "--git-path", file])
                .is_some_and(|path| self.root.join(path).exists())
        })
        .map(|(_, name)| name)
    }

    /// The contents that each file matching `pattern` has had up to now, the newest first.
    pub fn versions(&self, pattern: &str) -> anyhow::Result<Vec<(String, String)>> {
        let text = self.text(&[
            "log",
            "--format=",
            "--raw",
            "--no-abbrev",
            "--no-renames",
            "-z",
            "HEAD",
            "--",
            &format!(":(glob){pattern}"),
        ])?;
        let mut versions = Vec::new();
        // :MODE SP MODE SP OLD SP NEW SP LETTER NUL PATH NUL
        let mut parts = text.split('\0');
        while let Some(about) = parts.next() {
            let Some(about) = about.trim_start().strip_prefix(':') else {
                continue;
            };
            let Some(path) = parts.next() else { break };
            if let Some(id) = about
                .split(' ')
                .nth(3)
                .filter(|id| !id.bytes().all(|b| b == b'0'))
            {
                versions.push((path.to_owned(), id.to_owned()));
            }
        }
        Ok(versions)
    }

    /// The branch of a remote that holds the course: its main one, or the one named like ours.
    fn branch_of(&self, remote: &str) -> Option<String> {
        let head = self.line(&[
            "rev-parse",
            "--abbrev-ref",
            "--verify",
            "--quiet",
            &format!("refs/remotes/{remote}/HEAD"),
        ]);
        head.filter(|name| self.commit(name).is_some()).or_else(|| {
            let here = self.line(&["symbolic-ref", "--quiet", "--short", "HEAD"]);
            here.iter()
                .map(String::as_str)
                .chain(["main", "master"])
                .map(|branch| format!("{remote}/{branch}"))
                .find(|name| self.commit(&format!("refs/remotes/{name}")).is_some())
        })
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .current_dir(&self.root)
            .args(["-c", "color.ui=false", "-c", "log.showSignature=false"])
            .args(args)
            .stdin(Stdio::null())
            // Its words are read, so they have to be English; and looking must not touch the index.
            .env("LC_ALL", "C")
            .env("GIT_OPTIONAL_LOCKS", "0")
            // They are set inside a hook, and would point to another repository.
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE");
        command
    }

    /// Lines and lists. A file of the learner's may have a name that is no text: it is named as far as it is one, and stops nobody.
    fn text(&self, args: &[&str]) -> anyhow::Result<String> {
        Ok(String::from_utf8_lossy(&self.bytes(args)?).into_owned())
    }

    /// What is in a file, whole or not at all.
    fn exact(&self, args: &[&str]) -> anyhow::Result<String> {
        String::from_utf8(self.bytes(args)?).map_err(|_| {
            Trouble::environment(format!(
                "`git {}` answered with something that is no text.",
                args.join(" ")
            ))
        })
    }

    fn bytes(&self, args: &[&str]) -> anyhow::Result<Vec<u8>> {
        let output = self.command(args).output()?;
        if !output.status.success() {
            return Err(Trouble::environment(format!(
                "`git {}` failed: {}",
                args.first().unwrap_or(&""),
                last_line(&output.stderr)
            )));
        }
        Ok(output.stdout)
    }

    /// The one line of an answer, or nothing where git has none.
    fn line(&self, args: &[&str]) -> Option<String> {
        let line = self.text(args).ok()?.trim_end().to_owned();
        (!line.is_empty()).then_some(line)
    }
}

fn paths(text: &str) -> BTreeSet<String> {
    text.split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What git says is best said by its first `fatal:` or `error:` line, and its advice comes after it.
fn last_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text
        .lines()
        .find(|line| line.starts_with("fatal:") || line.starts_with("error:"))
        .or_else(|| text.lines().last())
        .unwrap_or("it did not say why");
    line.trim_start_matches("fatal: ")
        .trim_start_matches("error: ")
        .to_owned()
}
