//! What could have been done at each moment of a run, in words: for somebody who wants to see more
//! than how it went.

use crate::floor::{Robot, State};
use crate::pending::Op;
use crate::prove::Path;
use crate::scheduler::{Choice, Scheduler};

/// What could have been done at one moment of a run.
pub struct Moment {
    /// Robots, what each is about to do, and whether that preempts another one.
    pub options: Vec<(String, String, bool)>,
    /// Robots that could do nothing, each with the reason.
    pub waiting: Vec<(String, String)>,
    /// Which of the options the run took.
    pub picked: usize,
    /// How many lines had been told before.
    pub told: usize,
}

impl State {
    /// Notes what can be done now, if somebody wants to know.
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
