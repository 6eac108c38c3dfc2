//! Asking another program something, with an end to the waiting.

use std::ops::ControlFlow;
use std::process::Command;

use crate::contained::{self, Ended, Limits, Stream, Streams};

use super::visit::Visit;

/// Nothing that is asked here prints more.
const OUTPUT: u64 = 256 << 20;
/// The whole answer of `cargo metadata` is one line.
const LINE: usize = 64 << 20;

/// What a program printed before it ended well.
pub struct Answer {
    /// Standard output, by line.
    pub out: Vec<String>,
}

/// Why there is no answer.
#[derive(Debug)]
pub struct Silence {
    /// In a few words, without a full stop.
    pub why: String,
    /// Standard error, by line.
    pub err: Vec<String>,
}

impl Silence {
    /// The error stream as one text, to look for words in it.
    pub fn words(&self) -> String {
        self.err.join("\n")
    }
}

/// Runs a command to its end, and gives what it printed. The time limit is the visit's.
pub fn ask(visit: &Visit, command: Command) -> Result<Answer, Silence> {
    ask_and_hear(visit, command, &mut |_, _| {})
}

/// The same; `hear` sees each line when it is printed.
pub fn ask_and_hear(
    visit: &Visit,
    command: Command,
    hear: &mut dyn FnMut(Stream, &str),
) -> Result<Answer, Silence> {
    let limits = Limits {
        time: visit.limit,
        output: OUTPUT,
        line: LINE,
        memory: None,
        // A build may start the server of a compiler's cache.
        may_leave: true,
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let ended = contained::run(
        command,
        Streams::Apart,
        limits,
        &visit.stop,
        &mut |stream, line| {
            hear(stream, line);
            match stream {
                Stream::Out => out.push(line.to_owned()),
                Stream::Err => err.push(line.to_owned()),
            }
            ControlFlow::Continue(())
        },
    );
    let why = match ended {
        Ok(Ended::Exited(status)) if status.success() => return Ok(Answer { out }),
        Ok(Ended::Exited(status)) => {
            let error = err
                .iter()
                .find(|line| line.trim_start().starts_with("error"));
            let first = || err.iter().chain(&out).find(|line| !line.trim().is_empty());
            error
                .or_else(first)
                .map_or_else(|| status.to_string(), |line| line.trim().to_owned())
        }
        Ok(Ended::OutOfTime) => {
            format!("it did not end within {} seconds", visit.limit.as_secs())
        }
        Ok(Ended::OutOfOutput) => "it printed without end".to_owned(),
        Ok(Ended::Stopped) => "it was stopped".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(Silence {
        why: why.trim_end_matches('.').to_owned(),
        err,
    })
}

/// The first line of an answer that is not empty.
pub fn first_line(visit: &Visit, command: Command) -> Result<String, String> {
    let answer = ask(visit, command).map_err(|silence| silence.why)?;
    let first = answer.out.into_iter().find(|line| !line.trim().is_empty());
    Ok(first.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_command_that_is_not_there_says_so() {
        let visit = Visit::new(Path::new("."));
        assert!(first_line(&visit, Command::new("no-such-program-here")).is_err());
    }

    #[test]
    fn a_command_that_fails_is_quoted() {
        let visit = Visit::new(Path::new("."));
        let mut rustc = visit.rustc();
        rustc.arg("no-such-file.rs");
        let silence = ask(&visit, rustc).err().unwrap();
        assert!(silence.why.starts_with("error"), "{}", silence.why);
        assert!(
            silence.words().contains("no-such-file.rs"),
            "{}",
            silence.words()
        );
    }
}
