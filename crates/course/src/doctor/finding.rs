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

    /// The finding as it stands in the terminal, a line or two.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{:>4}  {:11}  {}\n",
            self.state.mark(),
            self.what,
            self.found
        );
        if let Some(how) = &self.mend {
            for (n, line) in how.lines().enumerate() {
                let arrow = if n == 0 { "->" } else { "  " };
                text.push_str(&format!("{:19}{arrow} {line}\n", ""));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_a_line_and_its_command_stands_below() {
        let text = Finding::mend("linker", "There is none.", "install one\nor two").text();
        assert_eq!(
            text,
            "MEND  linker       There is none.\n                   -> install one\n                      or two\n"
        );
    }

    #[test]
    fn in_json_a_state_is_a_word() {
        let json = serde_json::to_value(Finding::skipped("linker", "No compiler.")).unwrap();
        assert_eq!(json["state"], "skipped");
        assert_eq!(json["mend"], serde_json::Value::Null);
    }
}
