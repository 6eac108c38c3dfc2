//! A run put into words: what a failing check prints.

use std::fmt::{self, Write as _};
use std::iter;

use crate::ending::{End, Ending};
use crate::floor::{Place, State, Time};
use crate::place;
use crate::schedule::IN_TURN;
use crate::scheduler::Scheduler;
use crate::tale::What;

/// One run, told step by step: who did what, in which line of the source, and what was wrong with
/// it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Story {
    /// The name of the check.
    pub check: String,
    /// How it ends.
    pub ending: Ending,
    /// What went wrong, in a sentence. For a broken rule, the rule as `never` was given it.
    pub rule: String,
    /// What to try next, where there is something to say.
    pub advice: Option<String>,
    /// The last lines, at most [`Story::MOST_LINES`] of them.
    pub lines: Vec<Line>,
    /// Steps left out at the front.
    pub left_out: usize,
    /// The schedule. Given back in `WHATIF_REPLAY`, it makes the same run again. Empty if there is
    /// nothing to replay.
    pub id: String,
    /// How many preemptions the run took: how often a robot had to wait that could have gone on.
    pub preemptions: usize,
    /// How many turns it took that are not in the order in which they came. None: nobody had a
    /// choice.
    pub out_of_turn: Option<usize>,
    /// How many schedules had been tried when this story was chosen. 0 outside of a search.
    pub schedules: usize,
    /// The command that plays it again, if the check knows how it was started.
    pub play_again: Option<String>,
    /// Every line there is, where somebody has asked for them.
    pub whole: Vec<Line>,
}

/// One line of a story.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Line {
    /// Its number, from 1. None for where a robot stands at the end.
    pub step: Option<usize>,
    /// The robot that it is about.
    pub robot: String,
    /// What the robot does: "sees table 2 free".
    pub text: String,
    /// The source line that did it.
    pub loc: Place,
    /// It is one of the two or three lines that matter.
    pub marked: bool,
    /// The robot says it of itself.
    pub spoken: bool,
    /// It is told in any case, and not about locks, bells and cells.
    pub said: bool,
    /// It is a line that a reader wants.
    pub shown: bool,
}

impl Story {
    /// More lines than this are not read by anybody. The last ones are kept, as the end is what it
    /// is about.
    pub const MOST_LINES: usize = 24;

    /// No line of a printed story has more columns. A terminal has 80 where nobody has made it wider,
    /// and some begin a new line of their own as soon as the last one is written to. Only the command
    /// that plays it again may be longer: it is copied whole, so it is never broken.
    pub const WIDTH: usize = 79;

    /// Tells the run that is left on the floor. With `whole`, keeps all its lines, too.
    pub(crate) fn tell(check: &str, state: &State, end: &End, whole: bool) -> Story {
        // A story is told by what the robots say and do; locks, bells and cells are mentioned only
        // where they are the plot, or where the program says nothing of itself.
        let speaks = !end.plot.is_empty()
            || state.tale.lines.iter().any(|told| matches!(told.what, What::Said(_)));
        let mut step = state.tale.forgotten;
        let mut all = Vec::new();
        for (i, told) in state.tale.lines.iter().enumerate() {
            let said = told.what.is_story();
            let shown = !speaks || said || end.plot.contains(&i) || end.marks.contains(&i);
            if shown || whole {
                let stuck = matches!(told.what, What::Stuck(_));
                step += usize::from(shown && !stuck);
                all.push(Line {
                    step: (!stuck).then_some(step),
                    robot: state.robots[told.robot].name.clone(),
                    text: told.what.words(state),
                    loc: told.at,
                    marked: told.marked || end.marks.contains(&i),
                    spoken: matches!(told.what, What::Said(_)),
                    said,
                    shown,
                });
            }
        }
        let lines: Vec<Line> = all.iter().filter(|line| line.shown).cloned().collect();
        let mut lines = fold_repetitions(&lines);
        let too_many = lines.len().saturating_sub(Story::MOST_LINES);
        // A line may stand for many steps, and has the number of the last one.
        let last_left_out = lines.drain(..too_many).filter_map(|line| line.step).next_back();
        let mut story = Story::without_lines(check, end);
        story.left_out = last_left_out.unwrap_or(state.tale.forgotten);
        story.lines = lines;
        story.whole = if whole { all } else { Vec::new() };
        story.id = match (&state.scheduler, &state.rules.time) {
            (Scheduler::InTurn, _) => IN_TURN.to_owned(),
            (_, Time::Flows(_)) => String::new(),
            _ => state.picks.schedule.to_string(),
        };
        story.preemptions = state.picks.preemptions;
        story.out_of_turn = state.has_chosen.then_some(state.picks.out_of_turn);
        story
    }

    /// A story about the check as a whole, not about one run.
    pub fn without_lines(check: &str, end: &End) -> Story {
        Story {
            check: check.to_owned(),
            ending: end.ending,
            rule: end.rule.clone(),
            advice: end.advice.as_deref().map(str::to_owned),
            lines: Vec::new(),
            left_out: 0,
            id: String::new(),
            preemptions: 0,
            out_of_turn: None,
            schedules: 0,
            play_again: None,
            whole: Vec::new(),
        }
    }

    /// Its lines, and the steps that are not shown: of two stories the one with fewer is the better
    /// one.
    pub(crate) fn length(&self) -> usize {
        self.lines.len() + self.left_out
    }
}

/// No round of a loop that a reader would follow is longer.
const LONGEST_ROUND: usize = 12;

/// Says "(12 times)" instead of saying the same thing twelve times over, and the same of a round of
/// several lines.
fn fold_repetitions(lines: &[Line]) -> Vec<Line> {
    let (mut folded, mut rest) = (Vec::new(), lines);
    while let [next, ..] = rest {
        let rounds = |of: usize| {
            let first = &rest[..of.min(rest.len())];
            let like = |it: &&[Line]| it.iter().zip(first).all(|(it, first)| it.is_like(first));
            rest.chunks_exact(of).take_while(like).count()
        };
        let is_many = |of: &usize| rounds(*of) > if *of == 1 { 3 } else { 2 };
        let Some(of) = (1..=LONGEST_ROUND).find(is_many) else {
            folded.push(next.clone());
            rest = &rest[1..];
            continue;
        };
        let times = rounds(of);
        folded.extend_from_slice(&rest[..of]);
        let last = folded.last_mut().expect("no round is empty");
        last.step = rest[times * of - 1].step;
        last.text += &match of {
            1 => format!(" ({times} times)"),
            _ => format!(" (and so on, {times} rounds)"),
        };
        rest = &rest[times * of..];
    }
    folded
}

impl Line {
    fn is_like(&self, other: &Line) -> bool {
        let same = self.robot == other.robot && self.text == other.text && self.loc == other.loc;
        same && self.marked == other.marked
    }
}

// On paper ----------------------------------------------------------------------------------------

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in wrap(&format!("{}: {}", self.check, self.headline()), Story::WIDTH) {
            writeln!(f, "{line}")?;
        }
        if let Some(how) = self.how_it_came_about() {
            for line in wrap(&format!("({how})"), Story::WIDTH) {
                writeln!(f, "{line}")?;
            }
        }
        f.write_char('\n')?;
        if self.left_out > 0 {
            writeln!(f, "   ({} before that)", count(self.left_out, "step"))?;
        }
        self.table(f)?;
        if !self.lines.is_empty() {
            f.write_char('\n')?;
        }
        let rule = match self.ending {
            Ending::RuleBroken => format!("rule broken: {}", self.rule),
            _ => self.rule.clone(),
        };
        for paragraph in [Some(rule), self.advice.clone()].into_iter().flatten() {
            for line in wrap(&paragraph, Story::WIDTH - 3) {
                writeln!(f, "   {line}")?;
            }
        }
        match &self.play_again {
            Some(command) => {
                let again = "\n   To play it again:";
                let fits = again.len() + 1 + command.chars().count() <= Story::WIDTH;
                write!(f, "{again}{}{command}", if fits { "  " } else { "\n   " })
            }
            None => Ok(()),
        }
    }
}

impl Story {
    fn headline(&self) -> &'static str {
        match self.ending {
            Ending::AllWell => "in this order of steps nothing goes wrong",
            Ending::NotWritten => "not ready to be checked",
            Ending::NeverMet => "nothing has been checked",
            Ending::TooManyOrders => "nothing has gone wrong, and nothing is proved",
            Ending::DoesNotFit => "nothing to play",
            ending if ending.is_final() => "this cannot be checked",
            _ if self.schedules > 0 => "it can go wrong, and this is the shortest way I found",
            _ => "this is how it goes wrong",
        }
    }

    fn how_it_came_about(&self) -> Option<String> {
        if self.ending.is_final() {
            return None;
        }
        if self.id == IN_TURN {
            return Some("everybody moved one step in turn".to_owned());
        }
        if self.schedules == 0 {
            return None;
        }
        let tried = count(self.schedules, "schedule");
        let out_of_turn = self.out_of_turn.unwrap_or(0);
        let needed = match (self.preemptions, out_of_turn) {
            (0, 0) if self.out_of_turn.is_some() => "no turn out of order".to_owned(),
            (0, 0) => "no preemption".to_owned(),
            (n, 0) => count(n, "preemption"),
            (0, n) => format!("{} out of order", count(n, "turn")),
            (n, m) => format!("{} and {} out of order", count(n, "preemption"), count(m, "turn")),
        };
        // Robots that change places because one of them goes round are not preempted, and it would
        // look as if they were.
        let otherwise = match self.ending {
            Ending::NobodyGetsAnywhere => {
                ", and whoever goes round in a loop lets the others go on"
            }
            _ => "",
        };
        Some(format!("{tried} tried; it takes {needed}{otherwise}"))
    }

    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = |line: &Line| match line.step {
            Some(step) => format!("step {step}"),
            None if self.ending == Ending::NobodyGetsAnywhere => "on and on".to_owned(),
            None => "for ever".to_owned(),
        };
        let widest =
            |column: &dyn Fn(&Line) -> usize| self.lines.iter().map(column).max().unwrap_or(0);
        let labels = widest(&|line| label(line).len());
        let robots = widest(&|line| line.robot.chars().count()).min(LONGEST_NAME);
        let room = Story::WIDTH.saturating_sub(3 + labels + 2 + robots + 2).max(30);
        let ways = |line: &Line| ways_to_say(&place::short(line.loc));
        let columns = |text: &str| text.chars().count();
        // Where the places begin: behind the longest text beside which one fits.
        let fits = |line: &Line| {
            let (text, shortest) = (columns(&line.text), ways(line).pop().unwrap_or_default());
            if text + 2 + columns(&shortest) <= room { text } else { 0 }
        };
        let texts = widest(&fits);
        for line in &self.lines {
            let mark = if line.marked || line.step.is_none() { ">>" } else { "  " };
            let mut text = wrap(&line.text.replace('\n', " "), room);
            let last = text.pop().unwrap_or_default();
            let ways = ways(line);
            let beside = |text: usize| ways.iter().find(|way| text + 2 + columns(way) <= room);
            if let Some(place) = beside(texts.max(columns(&last))).or(beside(columns(&last))) {
                let wanted = texts.min(room - 2 - columns(place));
                text.push(format!("{last:wanted$}  {place}"));
            } else {
                let place = ways.iter().find(|way| columns(way) <= room).or(ways.last());
                text.push(last);
                text.extend(place.cloned());
            }
            for (i, part) in text.iter().enumerate() {
                match i {
                    0 => writeln!(
                        f,
                        "{mark} {:labels$}  {:robots$.robots$}  {part}",
                        label(line),
                        line.robot
                    )?,
                    _ => writeln!(f, "   {:labels$}  {:robots$}  {part}", "", "")?,
                }
            }
        }
        Ok(())
    }
}

/// `1 step`, `2 steps`.
pub fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// A name as long as this leaves room for what its robot does.
const LONGEST_NAME: usize = 32;

/// A place, and then without more and more of the folders at its front: the file and the line say most.
/// The file of somebody who learns is always named whole, so that it is found.
fn ways_to_say(place: &str) -> Vec<String> {
    let ends = place.match_indices('/').map(|(at, _)| &place[at..]);
    let ends = ends.filter(|_| !place.starts_with("src/"));
    iter::once(format!("[{place}]")).chain(ends.map(|end| format!("[…{end}]"))).collect()
}

/// Breaks a text between words, and within a word only if it is longer than a line.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let pieces = |mut word: &'_ str| {
        let mut pieces = Vec::new();
        while let Some((at, _)) = word.char_indices().nth(width) {
            pieces.push(word[..at].to_owned());
            word = &word[at..];
        }
        pieces.push(word.to_owned());
        pieces
    };
    for word in text.split(' ').filter(|word| !word.is_empty()).flat_map(pieces) {
        let line = lines.last_mut().expect("there is always one line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word);
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    lines
}
