//! The names that events refer to by number: strings, robots, tasks, places in the source.

use std::collections::HashMap;
use std::panic::Location;

use crate::event::{Loc, Task, Text};
use crate::recording::{Actor, ActorKind};

#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) strings: Vec<String>,
    pub(crate) actors: Vec<Actor>,
    pub(crate) tasks: Vec<String>,
    pub(crate) locs: Vec<String>,
    string_index: HashMap<String, u32>,
    loc_index: HashMap<&'static Location<'static>, u32>,
}

impl Tables {
    pub(crate) fn text(&mut self, string: &str) -> Text {
        if let Some(&index) = self.string_index.get(string) {
            return Text(index);
        }
        let index = push(&mut self.strings, string.to_owned());
        self.string_index.insert(string.to_owned(), index);
        Text(index)
    }

    pub(crate) fn loc(&mut self, location: &'static Location<'static>) -> Loc {
        Loc(*self.loc_index.entry(location).or_insert_with(|| {
            let place = format!("{}:{}", portable(location.file()), location.line());
            push(&mut self.locs, place)
        }))
    }

    /// Two tasks may have the same name; each has a row of its own.
    pub(crate) fn task(&mut self, name: &str) -> Task {
        Task(push(&mut self.tasks, name.to_owned()))
    }

    pub(crate) fn actor(&mut self, name: &str, kind: ActorKind) {
        self.actors.push(Actor {
            name: name.to_owned(),
            kind,
        });
    }
}

/// Adds a row, and gives its index.
fn push<T>(table: &mut Vec<T>, row: T) -> u32 {
    let index = u32::try_from(table.len());
    table.push(row);
    index.expect("a recording holds fewer than four thousand million names")
}

/// A source path as a recording may show it: the same on every system, and nothing of the machine in it.
fn portable(path: &str) -> String {
    let path = path.replace('\\', "/");
    let is_absolute = path.starts_with('/') || path.get(1..3) == Some(":/");
    match path.rsplit_once('/') {
        Some((_, file)) if is_absolute => file.to_owned(),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::portable;

    #[test]
    fn a_source_path_shows_nothing_of_the_machine() {
        assert_eq!(portable("crates/x/src/lib.rs"), "crates/x/src/lib.rs");
        assert_eq!(portable(r"crates\x\src\lib.rs"), "crates/x/src/lib.rs");
        assert_eq!(portable("/home/ada/x/src/lib.rs"), "lib.rs");
        assert_eq!(portable(r"C:\ada\x\src\lib.rs"), "lib.rs");
    }
}
