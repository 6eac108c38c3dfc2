//! What was found, and what mends it.

use serde::Serialize;

/// One thing looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// How it is.
    pub state: State,
    /// What was found, in a sentence.
    pub found: String,
    /// The command that mends it, or what to do where there is none. `None` when there is nothing to do.
    pub mend: Option<String>,
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// The course can be done with it as it is, and it could be better.
    Note,
    /// The course cannot be done, or not as in the book, before this is mended.
    Mend,
    /// Not looked at, because something else has to be mended first.
    Skipped,
}

impl State {
    /// As it stands before a finding.
    pub fn mark(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Note => "note",
            State::Mend => "MEND",
            State::Skipped => "--",
        }
    }
}

impl Finding {
    /// All is well.
    pub fn ok(what: &'static str, found: impl Into<String>) -> Finding {
        Finding {
            what,
            state: State::Ok,
            found: found.into(),
            mend: None,
        }
    }

    /// It will do, and `how` makes it better.
    pub fn note(what: &'static str, found: impl Into<String>, how: impl Into<String>) -> Finding {
        Finding {
            what,
            state: State::Note,
            found: found.into(),
            mend: Some(how.into()),
        }
    }

    /// It will not do before `how`.
    pub fn mend(what: &'static str, found: impl Into<String>, how: impl Into<String>) -> Finding {
        Finding {
            what,
            state: State::Mend,
            found: found.into(),
            mend: Some(how.into()),
        }
    }

    /// It was not looked at, for `why`.
    pub fn skipped(what: &'static str, why: impl Into<String>) -> Finding {
        Finding {
            what,
            state: State::Skipped,
            found: why.into(),
            mend: None,
        }
    }

    /// It was not looked at, because `broken` has to be mended first.
    pub fn waits(what: &'static str, broken: &str) -> Finding {
        Finding::skipped(what, format!("Not tried before this is mended: {broken}."))
    }

    /// The finding as it stands in a terminal of so many columns. A command is one line, however long: it will be copied.
    pub fn text(&self, columns: usize) -> String {
        let mut text = format!("{:>4}  {:11} ", self.state.mark(), self.what);
        let mut at = INDENT - 1;
        for word in self.found.split(' ') {
            let width = word.chars().count();
            if at > INDENT && at + 1 + width > columns {
                text.push_str(&format!("\n{:1$}", "", INDENT - 1));
                at = INDENT - 1;
            }
            text.push(' ');
            text.push_str(word);
            at += 1 + width;
        }
        text.push('\n');
        if let Some(how) = &self.mend {
            for (n, line) in how.lines().enumerate() {
                let arrow = if n == 0 { "->" } else { "  " };
                text.push_str(&format!("{:INDENT$}{arrow} {line}\n", ""));
            }
        }
        text
    }
}

/// Where the sentences begin.
const INDENT: usize = 19;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_a_line_and_its_command_stands_below() {
        let text = Finding::mend("linker", "There is none.", "install one\nor two").text(80);
        assert_eq!(
            text,
            "MEND  linker       There is none.\n                   -> install one\n                      or two\n"
        );
    }

    #[test]
    fn a_sentence_is_broken_between_words_and_a_command_is_not() {
        let finding = Finding::note("port", "one two three four five six", "ulimit -n 20480");
        assert_eq!(
            finding.text(30),
            "note  port         one two\n                   three four\n                   five six\n                   -> ulimit -n 20480\n"
        );
        let long = Finding::ok("port", "a-word-that-is-longer-than-the-line");
        assert_eq!(long.text(5).lines().count(), 1);
    }

    #[test]
    fn in_json_a_state_is_a_word() {
        let json = serde_json::to_value(Finding::skipped("linker", "No compiler.")).unwrap();
        assert_eq!(json["state"], "skipped");
        assert_eq!(json["mend"], serde_json::Value::Null);
    }
}
