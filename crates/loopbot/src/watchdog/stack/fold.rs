// ANCHOR: fold
//! Which functions of a stack a reader wants to know.
//!
//! From the system call that blocks to the function that turns the loop it is easily fifty functions. What one wants to
//! read is three of them: which of one's own functions it is, who called that one, and what it called.

use super::super::stuck::{self, Frame};
use super::names::Function;

/// More functions are not shown.
const MOST: usize = 12;

/// The functions of the task. Of several in a row that are the libraries', the one that the program called. The loop's own are left out.
pub(super) fn for_a_reader(stack: impl Iterator<Item = Function>) -> Vec<Frame> {
    let mut shown: Vec<(Frame, Whose)> = Vec::new();
    for function in stack.take_while(|function| !is_the_loop(&function.name)) {
        let whose = whose(&function);
        if whose == Whose::LoopBot || function.name.is_empty() {
            continue;
        }
        let frame = Frame {
            function: readable(&function.name),
            file: function.file.as_deref().map(stuck::without_host),
            line: function.line,
        };
        match shown.last_mut() {
            Some(last) if last.1 == Whose::Library && whose == Whose::Library => last.0 = frame,
            // The same function again: an async block in it, or a closure.
            Some(last) if whose == Whose::Program && last.0.function == frame.function => {}
            _ => shown.push((frame, whose)),
        }
    }
    // On the outside there is the machinery that catches panics.
    while shown.len() > 1 && shown.last().is_some_and(|last| last.1 == Whose::Library) {
        shown.pop();
    }
    shown.truncate(MOST);
    shown.into_iter().map(|(frame, _)| frame).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Whose {
    Program,
    Library,
    LoopBot,
}

/// The function that polls the task, or what is left of it if the compiler has merged it with others. Beyond it there are only ours.
fn is_the_loop(name: &str) -> bool {
    let ours = ["task", "executor", "current", "builder"];
    ours.iter().any(|file| {
        name.contains(&format!("loopbot_core::{file}::")) && !is_argument_of(name, file)
    })
}

/// Whether one of our types is named only as what a function of somebody else's is generic over.
fn is_argument_of(name: &str, file: &str) -> bool {
    let name = name.trim_start_matches('<');
    !name.starts_with(&format!("loopbot_core::{file}::"))
}

fn whose(function: &Function) -> Whose {
    let file = function.file.as_deref().unwrap_or_default();
    let comes_along = |part| file.contains(part);
    match stuck::crate_of(&function.name) {
        Some("loopbot" | "loopbot_core" | "loopbot_io") => Whose::LoopBot,
        // A function in C, or one that was inlined, of which the whole name is not known.
        None => Whose::Library,
        _ if stuck::is_standard(&function.name) => Whose::Library,
        _ if ["/.cargo/registry/", "/rustc/"]
            .into_iter()
            .any(comes_along) =>
        {
            Whose::Library
        }
        _ => Whose::Program,
    }
}

/// A path as it would be written: an async block and a closure are part of the function that they are in.
fn readable(name: &str) -> String {
    name.replace("::{{closure}}", "")
        .replace("::{closure#0}", "")
}

#[cfg(test)]
#[path = "../../../tests/unit/fold.rs"]
mod tests;
// ANCHOR_END: fold
