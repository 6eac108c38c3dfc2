//! What stands on the desk: an editor that knows Rust, and git. The course can be done without either.

use std::process::Command;

use super::ask;
use super::finding::Finding;
use super::visit::Visit;

/// Editors that understand Rust, and under which names they are started.
const EDITORS: [(&str, &str); 9] = [
    ("code", "VS Code"),
    ("codium", "VSCodium"),
    ("cursor", "Cursor"),
    ("rustrover", "RustRover"),
    ("zed", "Zed"),
    ("hx", "Helix"),
    ("nvim", "Neovim"),
    ("vim", "Vim"),
    ("emacs", "Emacs"),
];

/// An editor and what tells it about Rust.
pub fn editor(visit: &Visit) -> Finding {
    // They are looked for and not started: in WSL, `code` would install something.
    let editors: Vec<&str> = EDITORS
        .iter()
        .filter(|(program, _)| visit.tools.find(program).is_some())
        .map(|(_, name)| *name)
        .collect();
    let mut command = Command::new("rust-analyzer");
    command.arg("--version").current_dir(&visit.root);
    judge_editor(&editors, ask::first_line(visit, command))
}

fn judge_editor(editors: &[&str], analyzer: Result<String, String>) -> Finding {
    let what = "editor";
    let found = match editors {
        [] => "No editor was found on the PATH".to_owned(),
        some => format!("Found: {}", some.join(", ")),
    };
    match (editors, analyzer) {
        ([], Ok(version)) => Finding::note(
            what,
            format!("{found}, but {version} is there for one."),
            "any editor will do; VS Code with the rust-analyzer extension is the usual one",
        ),
        (_, Ok(version)) => Finding::ok(what, format!("{found}, with {version}.")),
        (_, Err(_)) => Finding::note(
            what,
            format!(
                "{found}; rust-analyzer does not answer. An editor's extension may bring its own."
            ),
            "rustup component add rust-analyzer",
        ),
    }
}

/// Git.
pub fn git(visit: &Visit) -> Finding {
    let mut command = Command::new("git");
    command.arg("--version").current_dir(&visit.root);
    let version = ask::first_line(visit, command).ok();
    judge_git(version, visit.root.join(".git").exists())
}

fn judge_git(version: Option<String>, checkout: bool) -> Finding {
    let what = "git";
    match (version, checkout) {
        (Some(version), true) => Finding::ok(what, format!("{version}; this folder is a clone.")),
        (Some(version), false) => Finding::ok(
            what,
            format!("{version}; this folder is no clone, and nothing here needs that."),
        ),
        (None, _) => Finding::note(
            what,
            "Git does not answer. Nothing here needs it, but it is how newer versions come.",
            "install git from https://git-scm.com, or go on without",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::State;

    #[test]
    fn an_editor_is_never_more_than_a_note() {
        let analyzer = || Ok("rust-analyzer 1.95.0".to_owned());
        let none = || Err("not found".to_owned());
        assert_eq!(judge_editor(&["Helix"], analyzer()).state, State::Ok);
        assert_eq!(judge_editor(&[], analyzer()).state, State::Note);
        let finding = judge_editor(&["VS Code", "Vim"], none());
        assert_eq!(finding.state, State::Note);
        assert!(finding.found.contains("VS Code, Vim"), "{finding:?}");
        assert_eq!(
            finding.mend.as_deref(),
            Some("rustup component add rust-analyzer")
        );
    }

    #[test]
    fn without_git_the_course_goes_on() {
        assert_eq!(judge_git(None, false).state, State::Note);
        let archive = judge_git(Some("git version 2.51.0".into()), false);
        assert_eq!(archive.state, State::Ok);
    }
}
