//! Who could move next, and at what price.
//!
//! Going on with the same robot is free, and so is changing when it must wait, or finishes, or lets
//! others go first. Making a robot wait that could have gone on is a *preemption*, and costs 1.
//! Schedules are searched by price, so the first failure found is one with the fewest preemptions:
//! the simplest there is.
//!
//! A robot that has several [ways to go on](Me::chooses) takes the first one for nothing, and any
//! other one for 1.

use crate::ending::End;
use crate::floor::{Me, Place, State};
use crate::pending::Op;
use crate::scheduler::{Choice, Decision};
use crate::tale::What;

impl State {
    /// Robot `me` has stopped, or has finished: decides whose turn it is.
    pub(crate) fn pick_next(&mut self, me: usize) {
        if let Some(joiner) = self.joins_now() {
            self.moving = joiner;
            self.change_is_free = true;
            return;
        }
        let choices = loop {
            let choices = self.choices(me);
            if !choices.is_empty() {
                break choices;
            }
            if !self.time_jumps() {
                let end = End::standstill(self);
                return self.finish(end);
            }
        };
        let Some(choice) = self.take_one(me, &choices, true) else {
            return;
        };
        if choice.unasked {
            self.may_wake_unasked = false;
            self.wakes_unasked(choice.robot);
        }
        if choice.robot != me {
            self.robots[choice.robot].passed.clear();
        }
        self.moving = choice.robot;
    }

    /// Takes one of the choices. None if the run ends here, because it is not the run that it was
    /// said to be.
    pub(crate) fn decide(&mut self, me: usize, choices: &[Choice]) -> Option<Choice> {
        self.take_one(me, choices, false)
    }

    fn take_one(&mut self, me: usize, choices: &[Choice], whose_turn: bool) -> Option<Choice> {
        let robots = whose_turn.then_some(&*self.robots);
        let decision = Decision { choices, robots, moving: me, fingerprint: self.fingerprint };
        match self.scheduler.pick(&decision) {
            Ok(picked) => {
                self.picks.note(choices, picked);
                if whose_turn {
                    self.note_turn(choices, picked);
                }
                if let Some(watch) = self.rules.watch.clone() {
                    watch(self, choices, picked, whose_turn);
                }
                Some(choices[picked])
            }
            Err(end) => {
                self.finish(end);
                None
            }
        }
    }

    /// The ways to go on, the one that happens by itself first.
    fn choices(&mut self, me: usize) -> Vec<Choice> {
        let ready: Vec<usize> =
            (0..self.robots.len()).filter(|robot| self.is_ready(*robot)).collect();
        if ready.is_empty() {
            return Vec::new();
        }
        let goes_on = ready.contains(&me);
        let naps = goes_on && matches!(self.robots[me].pending, Some((Op::Nap { .. }, _)));
        let gives_way = goes_on && (self.is_going_round(me) || self.gives_up(me));
        if gives_way {
            self.robots[me].lets_first =
                ready.iter().copied().filter(|robot| *robot != me).collect();
        }
        let is_free = std::mem::take(&mut self.change_is_free) || !goes_on || naps || gives_way;
        let change = usize::from(!is_free);
        // A robot that has let others go first stays behind those that have not moved since; and one
        // that would give up waiting does so only when it must, or for a price.
        let behind = |robot: &usize| {
            self.robots[*robot].lets_first.iter().any(|other| ready.contains(other))
                || self.gives_up(*robot)
        };

        let others = ready.iter().filter(|robot| **robot != me);
        let (later, sooner): (Vec<usize>, Vec<usize>) = others.partition(|robot| behind(robot));
        let mut choices = Vec::with_capacity(ready.len() + 1);
        if goes_on && !gives_way {
            choices.push(Choice::of(me, 0));
        }
        choices.extend(sooner.iter().map(|robot| Choice::of(*robot, change)));
        choices.extend(later.iter().map(|robot| Choice::of(*robot, 1)));
        if gives_way {
            choices.push(Choice::of(me, 1));
        }
        choices[0].price = 0;
        if self.may_wake_unasked {
            let woken = |robot| Choice { unasked: true, ..Choice::of(robot, 1) };
            choices.extend(self.could_wake_unasked().map(woken));
        }
        choices
    }

    /// A robot that has waited for another one, to finish for one, and can go on. When it does, nobody can
    /// notice until it stops again, so this is no decision; the change that follows is as free as
    /// it was when the other one finished.
    fn joins_now(&self) -> Option<usize> {
        let joins =
            |robot: &usize| self.robots[*robot].pending.is_some_and(|(op, _)| op.ends_a_wait());
        (0..self.robots.len()).find(|robot| joins(robot) && self.is_ready(*robot))
    }

    fn is_ready(&self, robot: usize) -> bool {
        self.robots[robot].pending.is_some_and(|(op, _)| op.is_ready(robot, self))
    }

    /// Is the robot ready only to give up waiting?
    fn gives_up(&self, robot: usize) -> bool {
        self.robots[robot].pending.is_some_and(|(op, _)| op.gives_up(robot, self))
    }

    /// Has this robot come past the same place again and again, while nobody else moved? Then it
    /// waits for something that only another robot can do, and a computer that never ran the other
    /// one would not be a fair one.
    fn is_going_round(&self, me: usize) -> bool {
        let robot = &self.robots[me];
        robot.pending.is_some_and(|(op, _)| robot.times_passed() > op.patience())
    }

    /// The sleepers whom nobody has woken, and who could go on at once if they woke up.
    fn could_wake_unasked(&self) -> impl Iterator<Item = usize> {
        let could = |robot: &usize| {
            let pending = self.robots[*robot].pending;
            pending.is_some_and(|(op, _)| op.could_wake_unasked(*robot, self))
        };
        (0..self.robots.len()).filter(could)
    }

    fn wakes_unasked(&mut self, robot: usize) {
        self.robots[robot].rung = true;
        if let Some((op, at)) = self.robots[robot].pending
            && let Some(place) = op.thing()
        {
            self.things[place].sleepers.retain(|sleeper| *sleeper != robot);
            let words = match op {
                Op::Park { .. } => "goes on, although nobody unparked it",
                _ => "wakes up at #, although nobody rang",
            };
            self.tale.tell(robot, What::Woke(place, words), at);
        }
    }

    /// Wakes one who sleeps at the bell, and returns which. With several sleepers that is a decision
    /// like any other.
    pub fn ring_one(&mut self, me: usize, bell: usize) -> Option<usize> {
        let sleepers = &self.things[bell].sleepers;
        let sleepers: Vec<Choice> = sleepers.iter().map(|robot| Choice::of(*robot, 0)).collect();
        if sleepers.is_empty() {
            return None;
        }
        let woken = self.decide(me, &sleepers)?.robot;
        self.things[bell].sleepers.retain(|sleeper| *sleeper != woken);
        self.robots[woken].rung = true;
        Some(woken)
    }

    /// Wakes everybody who sleeps at the bell, and returns how many that are.
    pub fn ring_all(&mut self, bell: usize) -> usize {
        let sleepers = std::mem::take(&mut self.things[bell].sleepers);
        for robot in &sleepers {
            self.robots[*robot].rung = true;
        }
        sleepers.len()
    }
}

impl Me {
    /// Which of `ways` does the robot go? By itself the first one, 0; any other one is another
    /// schedule. That is no step: nobody can come before it.
    pub fn chooses(&self, ways: &[impl AsRef<str>], at: Place) -> usize {
        let mut state = self.floor.state();
        // A loop that goes round and does nothing else has to end, too.
        state.count_effort();
        let mut chosen = 0;
        if ways.len() > 1 && state.end.is_none() {
            state.is_offered(self.id, ways, at);
            let way = |way| Choice { way, ..Choice::of(self.id, usize::from(way > 0)) };
            let choices: Vec<Choice> = (0..ways.len()).map(way).collect();
            chosen = state.decide(self.id, &choices).map_or(0, |it| it.way);
            if chosen > 0 {
                let turned = What::Turned {
                    to: ways[chosen].as_ref().to_owned(),
                    first: ways[0].as_ref().to_owned(),
                };
                state.tale.tell(self.id, turned, at);
            }
        }
        drop(self.unless_over(state));
        chosen
    }
}
