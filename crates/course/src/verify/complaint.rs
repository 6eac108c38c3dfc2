//! What is wrong with an exercise, said to its author: where, what, and what to do about it.

use std::fmt;

use serde::Serialize;

/// What a complaint is about: one of the things that `course verify` proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// The files: descriptions, manifests, what has not been written yet.
    Description,
    /// The starter fails, with its first hint.
    Starter,
    /// The solution passes.
    Solution,
    /// A wrong answer fails, with its message.
    WrongAnswer,
    /// A wrong answer gets the same verdict every time.
    Repeat,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Complaint {
    /// What it is about.
    pub about: About,
    /// The file or folder, from the course's folder on, with forward slashes.
    pub place: String,
    /// What is wrong or missing, as a sentence.
    pub what: String,
    /// What to do about it, as a sentence.
    pub mend: String,
    /// What was printed, where a run is complained of.
    pub output: Vec<String>,
}

impl Complaint {
    /// A complaint without a run.
    pub fn new(
        about: About,
        place: impl Into<String>,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Complaint {
        Complaint {
            about,
            place: place.into(),
            what: what.into(),
            mend: mend.into(),
            output: Vec::new(),
        }
    }

    /// The same, with what was printed.
    pub fn printed(mut self, output: &str) -> Complaint {
        self.output = output.lines().map(str::to_owned).collect();
        self
    }
}

/// So many lines of a run stand below a complaint; the end of a long run says more than its beginning.
const LINES: usize = 60;

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.place, self.what, self.mend)?;
        let hidden = self.output.len().saturating_sub(LINES);
        if hidden > 0 {
            write!(f, "\n      | ... ({hidden} lines above)")?;
        }
        for line in &self.output[hidden..] {
            write!(f, "\n      | {line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_says_where_and_what_and_shows_the_end_of_a_long_run() {
        let output: Vec<_> = (1..=100).map(|n| format!("line {n}")).collect();
        let complaint = Complaint::new(About::Solution, "solutions/03-x", "It fails.", "Mend it.");
        let told = complaint.printed(&output.join("\n")).to_string();
        assert!(
            told.starts_with("solutions/03-x: It fails. Mend it.\n"),
            "{told}"
        );
        assert!(told.contains("(40 lines above)"), "{told}");
        assert!(
            !told.contains("line 40\n") && told.ends_with("line 100"),
            "{told}"
        );
    }
}
