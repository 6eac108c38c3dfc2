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
use crate::floor::{Me, Place, Robot, State};
use crate::pending::Op;
use crate::scheduler::{Choice, Decision};
use crate::tale::What;

impl State {
    /// Robot `me` has stopped, or has finished: decides whose turn it is.
    pub(crate) fn pick_next(&mut self, me: usize) {
        while !self.see_who_is_ready() {
            if !self.time_jumps() {
                let end = End::standstill(self);
                return self.finish(end);
            }
        }
        if let Some(joiner) = self.joins_now() {
            self.moving = joiner;
            self.change_is_free = true;
            return;
        }
        let choices = self.choices(me);
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

    /// Which robots could take the step that they have announced? False: none. (In plain loops, here
    /// and below: this is done before each step, and tests are built without optimisation.)
    fn see_who_is_ready(&mut self) -> bool {
        let mut anybody = false;
        for id in 0..self.robots.len() {
            let robot = &self.robots[id];
            let is_ready = matches!(&robot.pending, Some((op, _)) if op.is_ready(id, self));
            self.robots[id].is_ready = is_ready;
            anybody |= is_ready;
        }
        anybody
    }

    /// The ways to go on, the one that happens by itself first.
    fn choices(&mut self, me: usize) -> Vec<Choice> {
        let goes_on = self.robots[me].is_ready;
        let naps = goes_on && matches!(self.robots[me].pending, Some((Op::Nap { .. }, _)));
        let gives_way = goes_on && (self.is_going_round(me) || self.gives_up(me));
        if gives_way {
            let others = self.robots.iter().enumerate().filter(|it| it.0 != me && it.1.is_ready);
            self.robots[me].lets_first = others.map(|it| it.0).collect();
        }
        let is_free = std::mem::take(&mut self.change_is_free) || !goes_on || naps || gives_way;
        let change = usize::from(!is_free);
        // A robot that has let others go first stays behind those that have not moved since; and one
        // that would give up waiting does so only when it must, or for a price.
        let behind = |id: usize| {
            self.robots[id].lets_first.iter().any(|other| self.robots[*other].is_ready)
                || self.gives_up(id)
        };

        let (mut choices, mut later) = (Vec::with_capacity(self.robots.len()), Vec::new());
        if goes_on && !gives_way {
            choices.push(Choice::of(me, 0));
        }
        for (id, robot) in self.robots.iter().enumerate() {
            if id == me || !robot.is_ready {
            } else if behind(id) {
                later.push(Choice::of(id, 1));
            } else {
                choices.push(Choice::of(id, change));
            }
        }
        choices.append(&mut later);
        if gives_way {
            choices.push(Choice::of(me, 1));
        }
        choices[0].price = 0;
        if self.may_wake_unasked {
            for (id, robot) in self.robots.iter().enumerate() {
                if let Some((op, _)) = &robot.pending
                    && op.could_wake_unasked(id, self)
                {
                    choices.push(Choice { unasked: true, ..Choice::of(id, 1) });
                }
            }
        }
        choices
    }

    /// A robot that has waited for another one, to finish for one, and can go on. When it does, nobody can
    /// notice until it stops again, so this is no decision; the change that follows is as free as
    /// it was when the other one finished.
    fn joins_now(&self) -> Option<usize> {
        let joins = |robot: &Robot| {
            robot.is_ready && matches!(&robot.pending, Some((op, _)) if op.ends_a_wait())
        };
        self.robots.iter().position(joins)
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
