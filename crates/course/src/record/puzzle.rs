//! The puzzles of the book: each scene with all the ways in which it can go, so that a reader can be the scheduler.
//!
//! The checker runs the scene's own code in every order of its steps. What it has found is a tree, and a page needs it
//! small: moments with the same future become one, whatever came before. Nothing is lost by that, since a reader who stands
//! at such a moment could not tell by what follows how they came there. `book/assets/README.md` describes the file.

use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Value, json};
use threadbots::Coordination;
use threadbots::scene::{self, Scene};
use whatif::Tree;

use super::File;

/// A puzzle of the book.
pub struct Puzzle {
    /// As in `<scheduler-puzzle src="NAME">`.
    pub name: String,
    scene: &'static Scene,
    coordination: Coordination,
}

/// All puzzles of the book: every scene of the ThreadBots, to be broken, and again with robots that coordinate.
pub static PUZZLES: LazyLock<Vec<Puzzle>> = LazyLock::new(|| {
    let puzzle = |scene: &&'static Scene, coordination, style: &str| Puzzle {
        name: format!("puzzle-{}{style}", scene.name),
        scene,
        coordination,
    };
    let of = |scene| {
        [
            puzzle(scene, Coordination::Careless, ""),
            puzzle(scene, Coordination::Coordinated, "-coordinated"),
        ]
    };
    scene::ALL.iter().flat_map(of).collect()
});

/// Makes the two files of a puzzle.
///
/// # Errors
///
/// Why there is none: a scene with too many orders is no puzzle.
pub fn files(puzzle: &Puzzle) -> Result<Vec<File>, String> {
    let Puzzle {
        name,
        scene,
        coordination,
    } = puzzle;
    let tree = scene.tree(*coordination)?;
    let json = file(&format!("{}, {coordination}", scene.title), &tree);
    let folder = Path::new("book").join("src").join("recordings");
    let js = format!(
        "(globalThis.loopbotPuzzles ??= {{}})[{name:?}] = {};\n",
        json.trim_end()
    );
    let file = |extension: &str, text: String| File {
        path: folder.join(format!("{name}.{extension}")),
        text,
    };
    Ok(vec![file("js", js), file("json", json)])
}

/// The file: its tables, and a line for each moment.
fn file(title: &str, tree: &Tree) -> String {
    let mut merged = Merged::default();
    let (beginning, _) = past_the_evening(&tree.root);
    merged.meet(beginning);
    let root = merged.moment(beginning, &[]);
    // Every moment stands after those that it leads to. A reader begins at the beginning.
    let last = merged.nodes.len() - 1;
    assert_eq!(root, last, "what leads to all others comes last");
    let nodes: Vec<String> = merged
        .nodes
        .iter()
        .rev()
        .map(|node| node.to_json(last).to_string())
        .collect();
    let Merged {
        robots,
        texts,
        locs,
        ends,
        ..
    } = merged;
    let ends: Vec<Value> = ends.list.iter().map(End::to_json).collect();
    let table = |name: &str, table: Value| format!("{name:?}:{table},\n");
    [
        "{\"schema\":\"loopbot-puzzle\",\"version\":1,\n".to_owned(),
        table("title", json!(title)),
        table("robots", json!(robots.list)),
        table("texts", json!(texts.list)),
        table("locs", json!(locs.list)),
        table("ends", json!(ends)),
        format!("\"nodes\":[\n{}\n]}}\n", nodes.join(",\n")),
    ]
    .concat()
}

/// How whatif calls the robot that sets the scene, and looks at the result.
const THE_EVENING: &str = "the evening";

/// What comes after moments at which only the evening itself can move, and what it tells there: setting the scene and
/// looking at the result is nothing to decide.
fn past_the_evening(node: &whatif::Node) -> (&whatif::Node, Vec<&whatif::Line>) {
    let (mut node, mut told) = (node, Vec::new());
    while let whatif::Node::Options(moves) = node
        && let [it] = moves.as_slice()
        && it.robot == THE_EVENING
    {
        told.extend(&it.lines);
        node = &it.to;
    }
    (node, told)
}

/// A tree whose equal parts have become one.
#[derive(Default)]
struct Merged {
    robots: Table<String>,
    texts: Table<String>,
    locs: Table<String>,
    ends: Table<End>,
    nodes: Vec<Node>,
    known: HashMap<Node, usize>,
}

/// A table in which everything stands once.
struct Table<T> {
    list: Vec<T>,
}

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table { list: Vec::new() }
    }
}

impl<T: PartialEq> Table<T> {
    fn place(&mut self, it: T) -> usize {
        self.list
            .iter()
            .position(|other| *other == it)
            .unwrap_or_else(|| {
                self.list.push(it);
                self.list.len() - 1
            })
    }
}

/// A moment, by numbers.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Node {
    End(usize),
    Moves {
        moves: Vec<Move>,
        waits: Vec<[usize; 2]>,
    },
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Move {
    robot: usize,
    next: usize,
    preempts: bool,
    lines: Vec<Line>,
    to: usize,
}

/// Robot, text, and place in the source.
type Line = [usize; 3];

#[derive(Clone, PartialEq, Eq)]
struct End {
    ending: String,
    rule: String,
    good: bool,
    lines: Vec<Line>,
}

impl Merged {
    /// Gives robots their places in the order in which they come up.
    fn meet(&mut self, node: &whatif::Node) {
        if let whatif::Node::Options(moves) = node {
            for it in moves {
                self.robot(&it.robot);
            }
            for it in moves {
                self.meet(past_the_evening(&it.to).0);
            }
        }
    }

    /// The number of a moment; what it leads to has a smaller one. `stuck`: who will never move again has just been told.
    fn moment(&mut self, node: &whatif::Node, stuck: &[&whatif::Line]) -> usize {
        let node = match node {
            whatif::Node::End { ending, rule, good } => {
                let lines = stuck.iter().map(|line| self.line(line)).collect();
                Node::End(self.ends.place(End {
                    ending: format!("{ending:?}"),
                    rule: rule.clone(),
                    good: *good,
                    lines,
                }))
            }
            whatif::Node::Options(moves) => {
                let waits = moves.first().map_or(&[][..], |it| &it.waiting);
                let waits = waits
                    .iter()
                    .map(|(robot, why)| [self.robot(robot), self.texts.place(why.clone())])
                    .collect();
                let moves = moves.iter().map(|it| self.mov(it)).collect();
                Node::Moves { moves, waits }
            }
        };
        if let Some(known) = self.known.get(&node) {
            return *known;
        }
        let number = self.nodes.len();
        self.nodes.push(node.clone());
        self.known.insert(node, number);
        number
    }

    fn mov(&mut self, it: &whatif::Move) -> Move {
        let (to, by_the_evening) = past_the_evening(&it.to);
        let goes_wrong = matches!(to, whatif::Node::End { good: false, .. });
        let told = it
            .lines
            .iter()
            .chain(by_the_evening.into_iter().filter(|_| goes_wrong));
        // A line without a number is where a robot stands at the end.
        let (lines, stuck): (Vec<_>, Vec<_>) = told.partition(|line| line.step.is_some());
        Move {
            robot: self.robot(&it.robot),
            next: self.texts.place(it.next.clone()),
            preempts: it.preempts,
            lines: lines.into_iter().map(|line| self.line(line)).collect(),
            to: self.moment(to, &stuck),
        }
    }

    fn line(&mut self, line: &whatif::Line) -> Line {
        let loc = format!("{}:{}", line.loc.file().replace('\\', "/"), line.loc.line());
        [
            self.robot(&line.robot),
            self.texts.place(line.text.clone()),
            self.locs.place(loc),
        ]
    }

    fn robot(&mut self, name: &str) -> usize {
        self.robots.place(name.to_owned())
    }
}

impl Node {
    /// As the file has it. There, moments are counted from the beginning.
    fn to_json(&self, last: usize) -> Value {
        match self {
            Node::End(end) => json!({ "end": end }),
            Node::Moves { moves, waits } => {
                let moves: Vec<Value> = moves
                    .iter()
                    .map(|it| {
                        json!([
                            it.robot,
                            it.next,
                            u8::from(it.preempts),
                            it.lines,
                            last - it.to
                        ])
                    })
                    .collect();
                match waits.is_empty() {
                    true => json!({ "moves": moves }),
                    false => json!({ "moves": moves, "waits": waits }),
                }
            }
        }
    }
}

impl End {
    fn to_json(&self) -> Value {
        json!({ "ending": self.ending, "rule": self.rule, "good": self.good, "lines": self.lines })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whatif::Outcome;

    /// What a page counts.
    #[derive(Debug, PartialEq)]
    struct Counted {
        all: u64,
        wrong: u64,
        fewest: Option<usize>,
    }

    impl Counted {
        fn end(good: bool) -> Counted {
            let fewest = (!good).then_some(0);
            Counted {
                all: 1,
                wrong: u64::from(!good),
                fewest,
            }
        }

        fn with(mut self, preempts: bool, next: Counted) -> Counted {
            let fewest = next.fewest.map(|fewest| fewest + usize::from(preempts));
            self.fewest = self.fewest.into_iter().chain(fewest).min();
            Counted {
                all: self.all + next.all,
                wrong: self.wrong + next.wrong,
                ..self
            }
        }
    }

    const NOTHING: Counted = Counted {
        all: 0,
        wrong: 0,
        fewest: None,
    };

    fn in_tree(node: &whatif::Node) -> Counted {
        match node {
            whatif::Node::End { good, .. } => Counted::end(*good),
            whatif::Node::Options(moves) => moves
                .iter()
                .fold(NOTHING, |sum, it| sum.with(it.preempts, in_tree(&it.to))),
        }
    }

    /// From the back to the front, as the page does it.
    fn in_file(file: &Value) -> Counted {
        let nodes = file["nodes"].as_array().unwrap();
        let mut counted: Vec<Counted> = Vec::new();
        for (n, node) in nodes.iter().enumerate().rev() {
            let sum = match node["end"].as_u64() {
                Some(end) => Counted::end(file["ends"][end as usize]["good"] == true),
                None => node["moves"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .fold(NOTHING, |sum, it| {
                        let to = it[4].as_u64().unwrap() as usize;
                        assert!(to > n, "node {n} leads back to {to}");
                        let Counted { all, wrong, fewest } = counted[nodes.len() - 1 - to];
                        sum.with(it[2] == 1, Counted { all, wrong, fewest })
                    }),
            };
            counted.push(sum);
        }
        counted.pop().unwrap()
    }

    #[test]
    fn a_file_counts_what_the_tree_counts_and_breaks_where_the_checker_does() {
        let mut made = 0;
        for puzzle in PUZZLES.iter() {
            let Ok(files) = files(puzzle) else { continue };
            made += 1;
            let json: Value = serde_json::from_str(&files[1].text).unwrap();
            let counted = in_file(&json);
            let tree = puzzle.scene.tree(puzzle.coordination).unwrap();
            assert_eq!(counted, in_tree(&tree.root), "{}", puzzle.name);
            match puzzle.scene.check(puzzle.coordination).outcome {
                Outcome::Failed(story) => {
                    assert!(counted.wrong > 0, "{}: {counted:?}", puzzle.name);
                    assert_eq!(counted.fewest, Some(story.preemptions), "{}", puzzle.name);
                    assert!(
                        json["ends"]
                            .as_array()
                            .unwrap()
                            .iter()
                            .any(|end| end["rule"] == story.rule)
                    );
                }
                Outcome::Proved { .. } => assert_eq!(counted.wrong, 0, "{}", puzzle.name),
                other => panic!("{}: {other:?}", puzzle.name),
            }
        }
        assert!(made >= 2, "there are {made} puzzles");
    }

    #[test]
    fn the_same_bytes_come_out_twice_and_they_are_few() {
        for puzzle in PUZZLES.iter() {
            let (Ok(one), Ok(two)) = (files(puzzle), files(puzzle)) else {
                continue;
            };
            for (one, two) in one.iter().zip(&two) {
                assert!(
                    one.text == two.text,
                    "{} differs from run to run",
                    one.path.display()
                );
                assert!(
                    one.text.len() < 200_000,
                    "{} is too large for a page",
                    one.path.display()
                );
            }
            // The script is the same, as an assignment.
            let (script, json) = (&one[0].text, &one[1].text);
            assert!(script.contains(json.trim_end()) && script.ends_with(";\n"));
        }
    }

    #[test]
    fn one_table_can_be_broken_and_with_the_card_it_cannot() {
        let of = |name: &str| {
            let puzzle = PUZZLES.iter().find(|it| it.name == name).unwrap();
            let json: Value = serde_json::from_str(&files(puzzle).unwrap()[1].text).unwrap();
            json
        };
        let careless = of("puzzle-one-table");
        assert_eq!(careless["robots"], json!(["GreetBot", "WaitBot"]));
        let counted = in_file(&careless);
        assert!(counted.wrong > 0 && counted.wrong < counted.all && counted.fewest == Some(0));
        assert_eq!(in_file(&of("puzzle-one-table-coordinated")).wrong, 0);
    }
}
