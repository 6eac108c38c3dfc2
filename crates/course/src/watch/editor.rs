//! Which editor to open, and how it is told the line.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};

/// How an editor is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The program.
    pub program: String,
    /// What is said after its name.
    pub arguments: Vec<String>,
    /// Whether it needs this terminal, which `watch` then leaves to it until it ends.
    pub takes_terminal: bool,
}

impl Launch {
    /// The command, for a program that has a window of its own or for one that takes the terminal.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        if !self.takes_terminal {
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
        }
        command
    }
}

/// Editors with a window of their own. Any other is taken to need the terminal, as `$EDITOR` is meant.
const WINDOWS: [&str; 28] = [
    "code",
    "code-insiders",
    "codium",
    "vscodium",
    "cursor",
    "windsurf",
    "zed",
    "zeditor",
    "subl",
    "sublime_text",
    "rustrover",
    "idea",
    "clion",
    "fleet",
    "gedit",
    "gnome-text-editor",
    "kate",
    "kwrite",
    "gvim",
    "mvim",
    "neovide",
    "emacsclient",
    "mate",
    "bbedit",
    "notepad",
    "notepad++",
    "xed",
    "lapce",
];

/// Decides. `asked` is what `--edit-cmd` says; `env` is the environment.
///
/// In the terminal inside VS Code that is the editor, whatever `$EDITOR` says: the learner looks at it.
///
/// # Errors
///
/// One sentence that says what to do, when no editor is known.
pub fn choose(
    asked: Option<&str>,
    env: &HashMap<String, String>,
    file: &Path,
    line: Option<u32>,
) -> Result<Launch, String> {
    let set = |name: &str| env.get(name).filter(|value| !value.trim().is_empty());
    let in_vscode = set("TERM_PROGRAM").is_some_and(|program| program == "vscode");
    let command = match (asked, in_vscode) {
        (Some(asked), _) => asked.to_owned(),
        (None, true) => vscode(env).to_owned(),
        (None, false) => match set("VISUAL").or_else(|| set("EDITOR")) {
            Some(command) => command.clone(),
            None => {
                return Err(format!(
                    "No editor is known: set $VISUAL or $EDITOR, or begin with --edit-cmd. The file is {}",
                    file.display()
                ));
            }
        },
    };
    let words = words(&command);
    let Some((program, given)) = words.split_first() else {
        return Err("The editor's name is empty: say it with --edit-cmd.".into());
    };
    let name = name_of(program);
    let (file, line) = (file.to_string_lossy().into_owned(), line.unwrap_or(1));
    // Emacs is both; without a display, or told so, it is in the terminal.
    let has_window = WINDOWS.contains(&name.as_str())
        || (name == "emacs"
            && (set("DISPLAY").is_some() || set("WAYLAND_DISPLAY").is_some() || cfg!(windows)));
    let told = |flags: &[&str]| given.iter().any(|word| flags.contains(&word.as_str()));
    let has_window = has_window && !told(&["-nw", "--no-window-system", "-t", "--tty"]);
    let arguments = if given.iter().any(|word| word.contains("{file}")) {
        let filled = |word: &String| {
            word.replace("{file}", &file)
                .replace("{line}", &line.to_string())
        };
        given.iter().map(filled).collect()
    } else {
        let mut arguments = given.to_vec();
        // A window that is waited for would be one that `watch` waits for in vain.
        if has_window {
            arguments.retain(|word| word != "--wait" && word != "-w");
        }
        arguments.extend(file_and_line(&name, file, line));
        arguments
    };
    Ok(Launch {
        program: program.clone(),
        arguments,
        takes_terminal: !has_window,
    })
}

/// The program that stands for this VS Code, or for the one of its relatives that it is.
fn vscode(env: &HashMap<String, String>) -> &'static str {
    let name = env.get("TERM_PROGRAM_VERSION").map_or("", String::as_str);
    let program = if env.contains_key("CURSOR_TRACE_ID") {
        "cursor"
    } else if name.contains("insider") {
        "code-insiders"
    } else {
        "code"
    };
    match (program, cfg!(windows)) {
        (program, false) => program,
        // There it is a script, and those are only found by their whole name.
        ("cursor", true) => "cursor.cmd",
        ("code-insiders", true) => "code-insiders.cmd",
        (_, true) => "code.cmd",
    }
}

/// How each editor wants to hear of a line.
fn file_and_line(name: &str, file: String, line: u32) -> Vec<String> {
    match name {
        "code" | "code-insiders" | "codium" | "vscodium" | "cursor" | "windsurf" => {
            vec!["-g".into(), format!("{file}:{line}")]
        }
        "hx" | "helix" | "zed" | "zeditor" | "subl" | "sublime_text" | "lapce" => {
            vec![format!("{file}:{line}")]
        }
        "vi" | "vim" | "nvim" | "view" | "gvim" | "mvim" | "nano" | "pico" | "emacs"
        | "emacsclient" | "kak" | "micro" | "joe" | "jed" | "mg" | "ne" | "mcedit" | "gedit"
        | "gnome-text-editor" | "xed" | "bbedit" => vec![format!("+{line}"), file],
        "kate" | "kwrite" | "rustrover" | "idea" | "clion" | "mate" => {
            vec!["--line".into(), line.to_string(), file]
        }
        "neovide" => vec!["--".into(), format!("+{line}"), file],
        "notepad++" => vec![format!("-n{line}"), file],
        _ => vec![file],
    }
}

fn name_of(program: &str) -> String {
    // Of `C:\...\Code.exe`, too, on any system.
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    let name = name.to_lowercase();
    for end in [".exe", ".cmd", ".bat"] {
        if let Some(name) = name.strip_suffix(end) {
            return name.to_owned();
        }
    }
    name
}

/// A command's words. Quotes hold words together; there are no other signs with a meaning, for no shell is asked.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
        pairs.iter().map(owned).collect()
    }

    fn chosen(asked: Option<&str>, pairs: &[(&str, &str)], line: Option<u32>) -> (String, bool) {
        let launch = choose(asked, &env(pairs), Path::new("src/lib.rs"), line).unwrap();
        let line = format!("{} {}", launch.program, launch.arguments.join(" "));
        (line, launch.takes_terminal)
    }

    #[test]
    fn terminal_editors_take_the_terminal_and_windows_do_not() {
        let cases: [(&str, &str, bool); 12] = [
            ("vim", "vim +60 src/lib.rs", true),
            ("/usr/bin/nvim", "/usr/bin/nvim +60 src/lib.rs", true),
            ("nano", "nano +60 src/lib.rs", true),
            ("hx", "hx src/lib.rs:60", true),
            ("emacs", "emacs +60 src/lib.rs", true),
            ("emacs -nw", "emacs -nw +60 src/lib.rs", true),
            ("emacsclient -t", "emacsclient -t +60 src/lib.rs", true),
            ("code --wait", "code -g src/lib.rs:60", false),
            ("zed", "zed src/lib.rs:60", false),
            ("rustrover", "rustrover --line 60 src/lib.rs", false),
            ("gedit", "gedit +60 src/lib.rs", false),
            ("unheard-of -x", "unheard-of -x src/lib.rs", true),
        ];
        for (editor, line, takes_terminal) in cases {
            let expected = (line.to_owned(), takes_terminal);
            assert_eq!(chosen(None, &[("EDITOR", editor)], Some(60)), expected);
            assert_eq!(chosen(Some(editor), &[], Some(60)), expected);
        }
        let with_display = [("EDITOR", "emacs"), ("DISPLAY", ":0")];
        assert!(!chosen(None, &with_display, None).1);
    }

    #[test]
    fn what_is_asked_for_goes_first_and_visual_before_editor() {
        let both = [("EDITOR", "nano"), ("VISUAL", "vim")];
        assert_eq!(chosen(None, &both, None).0, "vim +1 src/lib.rs");
        assert_eq!(chosen(Some("hx"), &both, None).0, "hx src/lib.rs:1");
        let empty = [("EDITOR", "nano"), ("VISUAL", " ")];
        assert_eq!(chosen(None, &empty, None).0, "nano +1 src/lib.rs");
    }

    #[cfg(not(windows))]
    #[test]
    fn inside_vscode_it_is_vscode() {
        let pairs = [("TERM_PROGRAM", "vscode"), ("EDITOR", "vim")];
        assert_eq!(
            chosen(None, &pairs, Some(7)),
            ("code -g src/lib.rs:7".into(), false)
        );
        let cursor = [("TERM_PROGRAM", "vscode"), ("CURSOR_TRACE_ID", "1")];
        assert_eq!(chosen(None, &cursor, None).0, "cursor -g src/lib.rs:1");
    }

    #[test]
    fn a_command_says_itself_where_file_and_line_go() {
        let asked = "tmux split-window 'nvim +{line} \"{file}\"'";
        let launch = choose(Some(asked), &env(&[]), Path::new("a b/lib.rs"), Some(3)).unwrap();
        assert_eq!(launch.arguments, ["split-window", "nvim +3 \"a b/lib.rs\""]);
    }

    #[test]
    fn a_program_with_spaces_in_its_path_is_quoted() {
        let asked = r#""C:\Program Files\VS Code\Code.exe""#;
        let launch = choose(Some(asked), &env(&[]), Path::new("lib.rs"), None).unwrap();
        assert_eq!(launch.program, r"C:\Program Files\VS Code\Code.exe");
        assert_eq!(launch.arguments, ["-g", "lib.rs:1"]);
        assert!(!launch.takes_terminal);
    }

    #[test]
    fn without_an_editor_the_sentence_says_what_to_do() {
        let error = choose(None, &env(&[]), Path::new("src/lib.rs"), None).unwrap_err();
        assert!(
            error.contains("$EDITOR") && error.contains("src/lib.rs"),
            "{error}"
        );
        let error = choose(Some("  "), &env(&[]), Path::new("src/lib.rs"), None).unwrap_err();
        assert!(error.contains("--edit-cmd"), "{error}");
    }
}
