//! All schedules of a small program as a tree, for somebody who wants to be the scheduler.

use std::mem;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use whatif_engine::{
    Choice, Ending, Line, NONE, Op, Program, Reduction, Robot, State, Story, Void, every_way,
};

/// Everything that can happen in a small program: see
/// [`Checker::tree`](crate::Checker::tree).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tree {
    /// The name of the check.
    pub check: String,
    /// What is told before the first moment.
    pub before: Vec<Line>,
    /// The first moment.
    pub root: Node,
}

/// One moment: somebody can move, or everything has come to its end.
#[derive(Clone, Debug)]
pub enum Node {
    /// These can move. If it is one, there is no choice.
    Options(Vec<Move>),
    /// The end.
    End {
        /// Its kind.
        ending: Ending,
        /// What went wrong, in a sentence.
        rule: String,
        /// Did everything go well?
        good: bool,
    },
}

/// What one robot could do next.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Move {
    /// The robot.
    pub robot: String,
    /// The step that it is about to take: "reads the tip jar". For a
    /// [step of the story](crate::step), its text.
    pub next: String,
    /// Taking it makes a robot wait that could have gone on.
    pub preempts: bool,
    /// Robots that cannot move at this moment, each with the reason: "waits for the key, held by
    /// GreetBot". Whoever waits for another one to finish is left out.
    pub waiting: Vec<(String, String)>,
    /// What is told if it moves. Mostly by this robot; another one may go home meanwhile.
    pub lines: Vec<Line>,
    /// The moment after it.
    pub to: Node,
}

/// More moments than this are no game.
const MOST_MOMENTS: usize = 5_000;

/// What could have been done at one moment of a run.
struct Moment {
    /// Robots, what each is about to do, and whether that preempts another one.
    options: Vec<(String, String, bool)>,
    waiting: Vec<(String, String)>,
    picked: usize,
    /// How many lines had been told before.
    told: usize,
}

impl Moment {
    fn note(state: &State, choices: &[Choice], picked: usize, whose_turn: bool) -> Moment {
        let options = choices.iter().map(|choice| {
            let preempts = whose_turn && choice.price > 0;
            let words = next_words(state, choice, whose_turn);
            (state.robots()[choice.robot].name.clone(), words, preempts)
        });
        let waiting = if whose_turn { waiting(state, choices) } else { Vec::new() };
        Moment { options: options.collect(), waiting, picked, told: state.told() }
    }
}

fn waiting(state: &State, choices: &[Choice]) -> Vec<(String, String)> {
    let robots = state
        .robots()
        .iter()
        .enumerate()
        .filter(|(id, robot)| !robot.gone && choices.iter().all(|choice| choice.robot != *id));
    let waits = |(id, robot): (usize, &Robot)| match robot.pending {
        None | Some((Op::Join(_), _)) => None,
        Some((op, _)) => Some((robot.name.clone(), op.reason(id, state))),
    };
    robots.filter_map(waits).collect()
}

fn next_words(state: &State, choice: &Choice, whose_turn: bool) -> String {
    match state.robots()[choice.robot].pending {
        _ if !whose_turn && choice.way > 0 => format!("takes way {}", choice.way),
        _ if !whose_turn => "is the one".to_owned(),
        Some((Op::Asleep { bell, .. }, _)) if choice.unasked => {
            state.fill_in("wakes up at #, although nobody rang", bell, NONE)
        }
        // Its text is not known before the step is taken.
        Some((Op::Step, _)) | None => String::new(),
        Some((Op::Nap { .. }, _)) => "takes its time".to_owned(),
        Some((op, _)) => third_person(&op.reason(choice.robot, state)),
    }
}

/// "is about to read the tip jar" becomes "reads the tip jar".
fn third_person(reason: &str) -> String {
    let Some((before, deed)) = reason.split_once("is about to ") else {
        return reason.to_owned();
    };
    let (verb, rest) = deed.split_once(' ').unwrap_or((deed, ""));
    let verb = match verb.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if verb.ends_with(['s', 'x', 'h', 'o']) => format!("{verb}es"),
        None => format!("{verb}s"),
    };
    format!("{before}{verb} {rest}").trim_end().to_owned()
}

/// A tree that grows run by run.
#[derive(Default)]
struct Growing {
    before: Vec<Line>,
    root: Option<Node>,
    moments: usize,
    /// Somebody tells something, so nobody need hear of locks and cells.
    speaks: bool,
}

/// Runs every schedule, and puts them together.
pub(crate) fn grow(check: &str, mut program: Program) -> Result<Tree, String> {
    let moments = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&moments);
    program.rules.watch = Some(Arc::new(move |state, choices, picked, whose_turn| {
        if choices.len() > 1 || whose_turn {
            let moment = Moment::note(state, choices, picked, whose_turn);
            notes.lock().unwrap_or_else(PoisonError::into_inner).push(moment);
        }
    }));
    program.whole = true;
    program.twice(|program| put_together(check, program, &moments))
}

/// None: giving a lock back must be a step.
fn put_together(
    check: &str,
    program: &Program,
    moments: &Mutex<Vec<Moment>>,
) -> Option<Result<Tree, String>> {
    let mut growing = Growing::default();
    let too_many =
        |why| ControlFlow::Break(Some(format!("{why} for a tree of all that can happen")));
    let stopped = every_way(program, Reduction::None, |way| {
        let moments = mem::take(&mut *moments.lock().unwrap_or_else(PoisonError::into_inner));
        let story = way.ran.told.expect("a run for a tree is told, however it ends");
        match way.ran.void {
            Some(Void::BeyondProof) => {
                return too_many("a robot goes round in a loop, which is too much");
            }
            Some(Void::AgainWithUnlock) => return ControlFlow::Break(None),
            None if story.ending.is_final() => return ControlFlow::Break(Some(story.rule)),
            None => growing.add(&moments, &story),
        }
        match growing.moments > MOST_MOMENTS {
            true => too_many("more than 5,000 moments are too many"),
            false => ControlFlow::Continue(()),
        }
    });
    if let Some(why) = stopped {
        return why.map(|why| Err(format!("{check}: {why}")));
    }
    let Growing { mut before, root, speaks, .. } = growing;
    let mut root = root.expect("there has been a run");
    if speaks {
        before.retain(|line| line.said);
        keep_what_is_said(&mut root);
    }
    Some(Ok(Tree { check: check.to_owned(), before, root }))
}

impl Growing {
    /// Adds a run: it goes along what is there already, and then on its own.
    fn add(&mut self, moments: &[Moment], story: &Story) {
        let lines = |from: usize, to: Option<&Moment>| {
            story.whole[from..to.map_or(story.whole.len(), |moment| moment.told)].to_vec()
        };
        self.speaks |= story.whole.iter().any(|line| line.spoken);
        let end = Node::End {
            ending: story.ending,
            rule: story.rule.clone(),
            good: story.ending == Ending::AllWell,
        };
        if self.root.is_none() {
            self.before = lines(0, moments.first());
        }
        let mut here = self.root.get_or_insert(Node::Options(Vec::new()));
        for (i, moment) in moments.iter().enumerate() {
            let Node::Options(moves) = here else { unreachable!("a run does not end and go on") };
            if moves.is_empty() {
                self.moments += 1;
                *moves =
                    moment.options.iter().map(|it| Move::untried(it, &moment.waiting)).collect();
            }
            let it = &mut moves[moment.picked];
            if matches!(&it.to, Node::Options(next) if next.is_empty()) {
                it.lines = lines(moment.told, moments.get(i + 1));
                if it.next.is_empty() {
                    it.next = it.lines.first().map_or_else(String::new, |line| line.text.clone());
                }
            }
            here = &mut it.to;
        }
        self.moments += 1;
        *here = end;
    }
}

impl Move {
    fn untried(
        (robot, next, preempts): &(String, String, bool),
        waiting: &[(String, String)],
    ) -> Move {
        Move {
            robot: robot.clone(),
            next: next.clone(),
            preempts: *preempts,
            waiting: waiting.to_vec(),
            lines: Vec::new(),
            to: Node::Options(Vec::new()),
        }
    }
}

fn keep_what_is_said(node: &mut Node) {
    if let Node::Options(moves) = node {
        for it in moves {
            it.lines.retain(|line| line.said);
            keep_what_is_said(&mut it.to);
        }
    }
}
