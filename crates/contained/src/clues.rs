/// What a test program's output gives away about its end. The exit status alone does not say it: Rust aborts when the stack
/// overflows and when memory is used up, and a program that called `exit(0)` in a test looks like one that passed.
///
/// Show it every line, of both streams.
#[derive(Clone, Debug, Default)]
pub struct Clues {
    /// Rust said that a thread overflowed its stack.
    pub(crate) overflowed: bool,
    /// Rust said that there was no memory.
    pub(crate) out_of_memory: bool,
    /// The harness said that it begins.
    pub(crate) begun: bool,
    /// The harness said how it all ended.
    pub(crate) summed_up: bool,
}

impl Clues {
    /// Looks at a line. What is no clue is passed over.
    pub fn hear(&mut self, line: &str) {
        self.overflowed |= line.ends_with(" has overflowed its stack");
        // A printing test may be in the middle of its line. The other words are the system's, for a thread without a stack.
        self.out_of_memory |= line.ends_with(" failed") && line.contains("memory allocation of ")
            || line.ends_with("Cannot allocate memory (os error 12)");
        self.begun |= is_start(line);
        self.summed_up |= is_summary(line);
    }
}

/// `running 3 tests`, or its like as JSON, which editors ask for.
fn is_start(line: &str) -> bool {
    match line.strip_prefix("running ") {
        Some(rest) => rest.split_once(' ').is_some_and(|(count, what)| {
            count.parse::<usize>().is_ok() && (what == "tests" || what == "test")
        }),
        None => is_suite(line) && line.contains(r#""event": "started""#),
    }
}

/// `test result: ok. 3 passed; ...`, or its like as JSON.
fn is_summary(line: &str) -> bool {
    // The harness may colour the word that follows.
    line.starts_with("test result: ") || is_suite(line) && !is_start(line)
}

fn is_suite(line: &str) -> bool {
    line.starts_with(r#"{ "type": "suite","#)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(text: &str) -> Clues {
        let mut clues = Clues::default();
        text.lines().for_each(|line| clues.hear(line));
        clues
    }

    #[test]
    fn a_harness_that_begins_and_ends_is_seen_to() {
        let begun = "\nrunning 2 tests\ntest a ... ok\n";
        assert!(hear(begun).begun && !hear(begun).summed_up);
        assert!(hear("running 1 test\n\ntest result: ok. 1 passed; 0 failed;").summed_up);
        assert!(hear("test result: \u{1b}[31mFAILED\u{1b}(B\u{1b}[m. 0 passed;").summed_up);
        assert!(!hear("running late, as every test").begun);
    }

    #[test]
    fn the_same_as_json() {
        let begun = r#"{ "type": "suite", "event": "started", "test_count": 1 }"#;
        let test = r#"{ "type": "test", "event": "started", "name": "a" }"#;
        let ended = r#"{ "type": "suite", "event": "failed", "passed": 0, "failed": 1 }"#;
        let clues = hear(&[begun, test].join("\n"));
        assert!(clues.begun && !clues.summed_up);
        assert!(hear(ended).summed_up);
    }

    #[test]
    fn what_rust_says_before_it_aborts() {
        let overflow = "thread 'main' (123) has overflowed its stack";
        assert!(hear(overflow).overflowed);
        let memory = "test a ... memory allocation of 1073741824 bytes failed";
        assert!(hear(memory).out_of_memory);
        let thread =
            "failed to allocate an alternative stack: Cannot allocate memory (os error 12)";
        assert!(hear(thread).out_of_memory);
        assert!(
            !hear("I have overflowed with joy, and memory allocation of mine failed").overflowed
        );
    }
}
