//! All schedules of a small program as a tree, for somebody who wants to be the scheduler.

use std::ops::ControlFlow;

use whatif_engine::{Ending, Line, Moment, Program, Reduction, Story, Void, every_way};

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

/// A tree that grows run by run.
#[derive(Default)]
struct Growing {
    before: Vec<Line>,
    root: Option<Node>,
    moments: usize,
    /// Somebody tells something, so nobody need hear of locks and cells.
    speaks: bool,
}

/// Runs every schedule, and puts them together. None: giving a lock back must be a step.
pub(crate) fn grow(check: &str, program: &Program) -> Option<Result<Tree, String>> {
    let mut growing = Growing::default();
    let too_many =
        |why| ControlFlow::Break(Some(format!("{why} for a tree of all that can happen")));
    let stopped = every_way(program, Reduction::None, true, |way| {
        let story = way.ran.told.expect("a run for a tree is told, however it ends");
        match way.ran.void {
            Some(Void::BeyondProof) => {
                return too_many("a robot goes round in a loop, which is too much");
            }
            Some(Void::AgainWithUnlock) => return ControlFlow::Break(None),
            None if story.ending.is_final() => return ControlFlow::Break(Some(story.rule)),
            None => growing.add(&way.moments, &story),
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
