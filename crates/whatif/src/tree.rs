//! All schedules of a small program as a tree, for somebody who wants to be the scheduler.

use crate::ending::{Ending, Void};
use crate::explore::Runs;
use crate::floor::{Robot, State};
use crate::pending::Op;
use crate::prove::{Path, Reduction};
use crate::run::is_final;
use crate::scheduler::{Choice, Scheduler};
use crate::story::{Line, Story};

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
pub(crate) struct Moment {
    /// Robots, what each is about to do, and whether that preempts another one.
    options: Vec<(String, String, bool)>,
    waiting: Vec<(String, String)>,
    picked: usize,
    /// How many lines had been told before.
    told: usize,
}

impl State {
    /// Notes what can be done now, if somebody wants a tree.
    pub(crate) fn note_moment(&mut self, choices: &[Choice], whose_turn: bool) {
        if !matches!(&self.scheduler, Scheduler::Path(Path { moments: Some(_), .. }))
            || choices.len() == 1 && !whose_turn
        {
            return;
        }
        let options = choices.iter().map(|choice| {
            let preempts = whose_turn && choice.price > 0;
            (self.robots[choice.robot].name.clone(), self.next_words(choice, whose_turn), preempts)
        });
        let (options, told) = (options.collect(), self.tale.lines.len());
        let waiting = if whose_turn { self.waiting(choices) } else { Vec::new() };
        let moment = Moment { options, waiting, picked: 0, told };
        if let Scheduler::Path(Path { moments: Some(moments), .. }) = &mut self.scheduler {
            moments.push(moment);
        }
    }

    /// Notes which option was taken. Where there was only one of something, no moment was noted, and
    /// the one before keeps its own.
    pub(crate) fn note_pick(&mut self, picked: usize) {
        if let Scheduler::Path(Path { moments: Some(moments), .. }) = &mut self.scheduler
            && let Some(moment) = moments.last_mut()
            && picked > 0
        {
            moment.picked = picked;
        }
    }

    fn waiting(&self, choices: &[Choice]) -> Vec<(String, String)> {
        let robots =
            self.robots.iter().enumerate().filter(|(id, robot)| {
                !robot.gone && choices.iter().all(|choice| choice.robot != *id)
            });
        let waits = |(id, robot): (usize, &Robot)| match robot.pending {
            None | Some((Op::Join(_), _)) => None,
            Some((op, _)) => Some((robot.name.clone(), op.reason(id, self))),
        };
        robots.filter_map(waits).collect()
    }

    fn next_words(&self, choice: &Choice, whose_turn: bool) -> String {
        match self.robots[choice.robot].pending {
            _ if !whose_turn && choice.way > 0 => format!("takes way {}", choice.way),
            _ if !whose_turn => "is the one".to_owned(),
            Some((Op::Asleep { bell, .. }, _)) if choice.unasked => {
                format!("wakes up at {}, although nobody rang", self.name_of(bell))
            }
            // Its text is not known before the step is taken.
            Some((Op::Step, _)) | None => String::new(),
            Some((Op::Nap { .. }, _)) => "takes its time".to_owned(),
            Some((op, _)) => third_person(&op.reason(choice.robot, self)),
        }
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

/// Runs every schedule, and puts them together. None: giving a lock back must be a step.
pub(crate) fn grow(check: &str, run: Runs) -> Option<Result<Tree, String>> {
    let mut growing = Growing::default();
    let mut path = Path::new(Reduction::None);
    loop {
        path.moments = Some(Vec::new());
        let ran = run(Scheduler::Path(path));
        let Scheduler::Path(back) = ran.scheduler else { unreachable!("it is what it was") };
        path = back;
        let story = ran.told.expect("a run for a tree is told, however it ends");
        let too_many = |why| Some(Err(format!("{check}: {why} for a tree of all that can happen")));
        match ran.void {
            Some(Void::BeyondProof) => {
                return too_many("a robot goes round in a loop, which is too much");
            }
            Some(_) => return None,
            None if is_final(story.ending) => return Some(Err(format!("{check}: {}", story.rule))),
            None => {}
        }
        let moments = path.moments.take().unwrap_or_default();
        growing.add(&moments, &story);
        if growing.moments > MOST_MOMENTS {
            return too_many("more than 5,000 moments are too many");
        }
        if !path.turn() {
            break;
        }
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
