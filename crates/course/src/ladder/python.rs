//! The same rungs in Python, if this machine has one.

use std::fs;
use std::ops::ControlFlow;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use super::evening::Evening;
use super::rungs::Rung;
use crate::contained::{self, Ended, Limits, Stop, Stream, Streams};

const SCRIPT: &str = include_str!("ladder.py");

/// What it is called, in the order in which it is asked for.
const NAMES: [&str; 2] = ["python3", "python"];

/// A dish has so many numbers there. CPython takes about as long for it as we for a dish of 72,000.
pub(super) const NUMBERS: u64 = 3_000;

/// One round in Python.
#[derive(Default)]
pub(super) struct Round {
    /// Which Python this is.
    pub(super) version: String,
    pub(super) evenings: Vec<(Rung, Evening)>,
}

/// A line of what the script prints.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Error {
        error: String,
    },
    Version {
        python: String,
        gil: bool,
    },
    Evening {
        rung: String,
        marks: u64,
        took: f64,
        late: Vec<f64>,
    },
}

/// A round of all rungs; or, in a sentence, why there is none. `None` if `stop` was raised.
pub(super) fn round(dishes: u64, stop: &Stop) -> Option<Result<Round, String>> {
    let mut why = String::new();
    for name in NAMES {
        match run(name, dishes, stop) {
            Ok(Some(round)) => return Some(round),
            Ok(None) => return None,
            Err(error) => why = format!("there is no {name} here ({error})"),
        }
    }
    Some(Err(why))
}

fn run(name: &str, dishes: u64, stop: &Stop) -> std::io::Result<Option<Result<Round, String>>> {
    // Worker processes read the script again on some systems, so it has to be a file.
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("ladder.py");
    fs::write(&script, SCRIPT)?;
    let mut command = Command::new(name);
    command
        .arg(&script)
        .args([dishes.to_string(), NUMBERS.to_string()])
        .env("PYTHONIOENCODING", "utf-8");
    let limits = Limits {
        time: Duration::from_secs(30)
            + Duration::from_millis(500) * u32::try_from(dishes).unwrap_or(u32::MAX),
        // Four guests, every 5 ms, some 25 bytes for each.
        output: 64 << 20,
        line: 32 << 20,
        memory: None,
        ..Limits::default()
    };
    let (mut printed, mut complaint) = (String::new(), String::new());
    let ended = contained::run(
        command,
        Streams::Apart,
        limits,
        stop,
        &mut |stream, line| {
            match stream {
                Stream::Out => {
                    printed.push_str(line);
                    printed.push('\n');
                }
                // The last line of a traceback says what it was.
                Stream::Err => line.clone_into(&mut complaint),
            }
            ControlFlow::Continue(())
        },
    )?;
    Ok(match ended {
        Ended::Stopped => None,
        Ended::OutOfTime => Some(Err(format!(
            "{name} did not come to an end in {} s",
            limits.time.as_secs()
        ))),
        Ended::OutOfOutput => Some(Err(format!("{name} printed without end"))),
        Ended::Exited(status) if !status.success() => {
            Some(Err(format!("{name} ended with {status}: {complaint}")))
        }
        Ended::Exited(_) => Some(understand(&printed)),
    })
}

/// What the script has printed.
fn understand(printed: &str) -> Result<Round, String> {
    let mut round = Round::default();
    for line in printed.lines() {
        match serde_json::from_str(line) {
            Ok(Line::Error { error }) => return Err(error),
            Ok(Line::Version { python, gil }) => {
                round.version = match gil {
                    true => python,
                    false => format!("{python}, free-threaded"),
                }
            }
            Ok(Line::Evening {
                rung,
                marks,
                took,
                late,
            }) => {
                let rung = Rung::ALL.into_iter().find(|it| it.key() == rung);
                let rung =
                    rung.ok_or_else(|| "Python has tasted on a rung that is not ours".to_owned())?;
                let took = seconds(took)?;
                let late = late.into_iter().map(seconds).collect::<Result<_, _>>()?;
                round.evenings.push((rung, Evening { marks, took, late }));
            }
            Err(why) => {
                return Err(format!(
                    "what Python printed is not what it should be ({why})"
                ));
            }
        }
    }
    let same = |pair: &[(Rung, Evening)]| pair[0].1.marks == pair[1].1.marks;
    let tasted = round.evenings.get(1..).unwrap_or_default();
    let rungs: Vec<Rung> = round.evenings.iter().map(|(rung, _)| *rung).collect();
    if rungs != Rung::ALL || round.version.is_empty() {
        return Err("Python has left something out".to_owned());
    }
    if !tasted.windows(2).all(same) || round.evenings.iter().any(|(_, it)| it.late.is_empty()) {
        return Err("Python has tasted something else on each rung".to_owned());
    }
    Ok(round)
}

fn seconds(seconds: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| format!("Python says that something took {seconds} s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(marks: [u64; 5]) -> String {
        let mut said = "{\"python\": \"CPython 3.11.7\", \"gil\": true}\n".to_owned();
        for (rung, marks) in Rung::ALL.into_iter().zip(marks) {
            let key = rung.key();
            said += &format!(
                "{{\"rung\": \"{key}\", \"marks\": {marks}, \"took\": 0.5, \"late\": [1.5e-05, 0.002]}}\n"
            );
        }
        said
    }

    #[test]
    fn what_the_script_prints_is_understood() {
        let round = understand(&said([0, 7, 7, 7, 7])).unwrap();
        assert_eq!(round.version, "CPython 3.11.7");
        assert_eq!(round.evenings.len(), 5);
        let (rung, evening) = &round.evenings[4];
        assert_eq!(*rung, Rung::Processes);
        assert_eq!(evening.took, Duration::from_millis(500));
        assert_eq!(evening.late, [15, 2_000].map(Duration::from_micros));
    }

    #[test]
    fn whatever_else_it_prints_is_a_sentence() {
        let short: String = said([0, 7, 7, 7, 7])
            .lines()
            .take(4)
            .collect::<Vec<_>>()
            .join("\n");
        for (printed, words) in [
            ("Traceback", "not what it should be"),
            ("{\"error\": \"too old\"}", "too old"),
            (short.as_str(), "left something out"),
            ("", "left something out"),
            (said([0, 7, 7, 8, 7]).as_str(), "something else"),
            (
                said([0, 7, 7, 7, 7]).replace("0.5", "-0.5").as_str(),
                "-0.5 s",
            ),
            (
                said([0, 7, 7, 7, 7]).replace("loop", "floor").as_str(),
                "not ours",
            ),
        ] {
            let why = understand(printed).err().unwrap_or_default();
            assert!(why.contains(words), "{printed}: {why}");
        }
    }

    #[test]
    fn who_has_no_python_is_told() {
        let why = run("no-python-is-called-this", 1, &Stop::new());
        assert!(why.is_err());
    }
}
