//! A robot panics: keep what it said for the story, and keep the usual noise off the screen.

use std::cell::RefCell;
use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::Once;
use std::thread;

use crate::{floor, place};

/// What a panicking robot said, and where.
#[derive(Clone, Debug)]
pub(crate) struct LastWords {
    pub message: String,
    pub place: String,
}

thread_local! {
    static LAST_WORDS: RefCell<Option<LastWords>> = const { RefCell::new(None) };
}

/// Makes the panic hook of this process listen to robots. For everybody else it does what it did
/// before.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !floor::is_robot() {
                usual(panic)
            } else if aborts(panic) {
                LAST_WORDS.take().iter().for_each(say_at_once);
                say_at_once(&note(panic));
                // The run has ended, and a value that was dropped on the way home did not bear it.
                if let Some(story) = floor::story_of_the_end() {
                    let _ = writeln!(io::stderr(), "\n{story}\n");
                }
            } else {
                LAST_WORDS.set(Some(note(panic)))
            }
        }));
    });
}

/// Does this panic end the process? So does, for one, that of a value dropped during another
/// panic. There is a method that tells, but not in stable Rust yet; its answer is part of the
/// `Debug` form.
fn aborts(panic: &PanicHookInfo) -> bool {
    format!("{panic:?}").contains("can_unwind: false")
}

/// There will be no story any more. Straight to the real stderr: what `eprintln!` is given in a test
/// is kept back until the test ends, and would be lost with it.
fn say_at_once(words: &LastWords) {
    let robot = thread::current();
    let robot = robot.name().unwrap_or("a robot");
    let LastWords { message, place } = words;
    let _ = writeln!(io::stderr(), "\n{robot} breaks down: {message}   [{place}]");
}

/// What the robot on this thread said when it panicked.
pub(crate) fn last_words() -> LastWords {
    let nothing = || LastWords {
        message: "without a word".to_owned(),
        place: "nobody knows where".to_owned(),
    };
    LAST_WORDS.take().unwrap_or_else(nothing)
}

fn note(panic: &PanicHookInfo) -> LastWords {
    let payload = panic.payload();
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or(payload.downcast_ref::<String>().map(String::as_str));
    let message = message.unwrap_or("a panic that carries no text");
    // assert_eq! speaks in three lines, and somebody may print a whole restaurant: a story has room
    // for less.
    let lines: Vec<&str> = message.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut message: String = lines.join("; ").chars().take(300).collect();
    if message.is_empty() {
        message.push_str("a panic without a message");
    }
    let place =
        panic.location().map_or_else(String::new, |at| place::short_path(at.file(), at.line()));
    LastWords { message, place }
}
