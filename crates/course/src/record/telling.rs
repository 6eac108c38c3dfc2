//! A recording as text: what the robots do, step by step, for readers without the player.

use flight::{Event, Recording};
use restaurant::story::{BEAT, INCIDENT, STEP};

/// A long evening is told by its beginning.
const MOST_STEPS: usize = 40;

/// One step of the story.
struct Step<'a> {
    robot: &'a str,
    text: &'a str,
    incident: bool,
}

/// The story as Markdown: a numbered list, then what went wrong.
pub fn tell(recording: &Recording) -> String {
    let steps: Vec<Step<'_>> = recording
        .events
        .iter()
        .filter_map(|entry| {
            let Event::Mark { text, category, .. } = entry.event else {
                return None;
            };
            let category = recording.text(category);
            [STEP, INCIDENT, BEAT].contains(&category).then(|| Step {
                robot: if category == STEP {
                    recording.actor(entry)
                } else {
                    ""
                },
                text: recording.text(text),
                incident: category == INCIDENT,
            })
        })
        .collect();
    let mut text = String::new();
    for (n, step) in steps.iter().take(MOST_STEPS).enumerate() {
        text.push_str(&format!("{}. {}\n", n + 1, sentence(step)));
    }
    if steps.len() > MOST_STEPS {
        text.push_str(&format!(
            "\nThe recording goes on for {} more steps.\n",
            steps.len() - MOST_STEPS
        ));
    }
    let incidents: Vec<(usize, &Step<'_>)> = steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.incident)
        .collect();
    let line = match incidents.as_slice() {
        [] => "Nothing goes wrong.".to_owned(),
        [(n, one)] => format!(
            "One thing goes wrong, in step {}: {}.",
            n + 1,
            escape(one.text)
        ),
        [(n, first), rest @ ..] => format!(
            "{} things go wrong. The first is step {}: {}.",
            rest.len() + 1,
            n + 1,
            escape(first.text)
        ),
    };
    text.push_str(&format!("\n{line}\n"));
    text
}

fn sentence(step: &Step<'_>) -> String {
    let text = escape(step.text);
    match (step.incident, step.robot) {
        (true, _) => format!("**{text}**"),
        (_, "") => format!("*{text}*"),
        (_, robot) => format!("{robot} {text}"),
    }
}

/// Names and steps are ours, but a party may be called anything.
fn escape(text: &str) -> String {
    let mut safe = String::new();
    for char in text.chars() {
        if "\\`*_[]<>{}#".contains(char) {
            safe.push('\\');
        }
        safe.push(char);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use flight::{ActorKind, Header, Recorder, VirtualTime};

    #[test]
    fn a_short_run_is_told_whole_and_marked_up_safely() {
        let recorder = Recorder::new(Header::virtual_time("test", &VirtualTime::new()));
        let lane = recorder.actor("GreetBot", ActorKind::Thread);
        lane.mark(STEP, "seats the <b>*Chen*</b> party", 0);
        lane.mark(INCIDENT, "a plate falls: table 1", 1);
        lane.mark(BEAT, "silence", 0);
        drop(lane);
        let text = tell(&recorder.recording());
        let expected = "1. GreetBot seats the \\<b\\>\\*Chen\\*\\</b\\> party\n2. **a plate falls: table 1**\n3. *silence*\n\nOne thing goes wrong, in step 2: a plate falls: table 1.\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_long_run_says_how_much_is_left_out() {
        let recorder = Recorder::new(Header::virtual_time("test", &VirtualTime::new()));
        let lane = recorder.actor("GreetBot", ActorKind::Thread);
        for _ in 0..MOST_STEPS + 7 {
            lane.mark(STEP, "nods", 0);
        }
        drop(lane);
        let text = tell(&recorder.recording());
        assert!(text.contains("goes on for 7 more steps"), "{text}");
        assert!(text.ends_with("Nothing goes wrong.\n"), "{text}");
    }
}
