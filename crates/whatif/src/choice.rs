//! Who could move next, and at what price.
//!
//! Going on with the same robot is free, and so is changing when it must wait, or finishes, or lets
//! others go first. Making a robot wait that could have gone on is a *preemption*, and costs 1.
//! Schedules are searched by price, so the first failure found is one with the fewest preemptions:
//! the simplest there is.
//!
//! A robot that has several ways to go on (`choose`) takes the first one for nothing, and any
//! other one for 1.

use crate::ending::End;
use crate::floor::State;
use crate::pending::Op;
use crate::scheduler::{Choice, Decision};

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
                return self.finish_standstill();
            }
        };
        let Some(choice) = self.decide(me, &choices) else {
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
        if choices.len() == 1 {
            return Some(choices[0]); // No choice, no decision: schedules do not count it.
        }
        let decision = Decision { choices, moving: me, fingerprint: self.fingerprint };
        match self.scheduler.pick(&decision) {
            Ok(picked) => Some(choices[picked]),
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
        let gives_way = goes_on && self.is_going_round(me);
        if gives_way {
            self.robots[me].lets_first =
                ready.iter().copied().filter(|robot| *robot != me).collect();
        }
        // A robot that has let others go first stays behind those that have not moved since.
        let behind = |robot: &usize| {
            self.robots[*robot].lets_first.iter().any(|other| ready.contains(other))
        };
        let is_free = std::mem::take(&mut self.change_is_free) || !goes_on || naps || gives_way;
        let change = usize::from(!is_free);

        let choice = |robot: usize, price: usize| Choice { robot, unasked: false, way: 0, price };
        let others = ready.iter().filter(|robot| **robot != me);
        let (later, sooner): (Vec<usize>, Vec<usize>) = others.partition(|robot| behind(robot));
        let mut choices = Vec::with_capacity(ready.len() + 1);
        if goes_on && !gives_way {
            choices.push(choice(me, 0));
        }
        choices.extend(sooner.iter().map(|robot| choice(*robot, change)));
        choices.extend(later.iter().map(|robot| choice(*robot, 1)));
        if gives_way {
            choices.push(choice(me, 1));
        }
        choices[0].price = 0;
        if self.may_wake_unasked {
            choices.extend(self.could_wake_unasked().map(|robot| Choice {
                robot,
                unasked: true,
                way: 0,
                price: 1,
            }));
        }
        choices
    }

    /// A robot that has waited for another one to finish, and can go on. When it does, nobody can
    /// notice until it stops again, so this is no decision; the change that follows is as free as
    /// it was when the other one finished.
    fn joins_now(&self) -> Option<usize> {
        let joins = |robot: &usize| matches!(self.robots[*robot].pending, Some((Op::Join(_), _)));
        (0..self.robots.len()).find(|robot| joins(robot) && self.is_ready(*robot))
    }

    fn is_ready(&self, robot: usize) -> bool {
        self.robots[robot].pending.is_some_and(|(op, _)| op.is_ready(robot, self))
    }

    /// Has this robot come past the same place again and again, while nobody else moved? Then it
    /// waits for something that only another robot can do, and a computer that never ran the other
    /// one would not be a fair one.
    fn is_going_round(&self, me: usize) -> bool {
        let robot = &self.robots[me];
        robot.pending.is_some_and(|(op, at)| {
            robot.passed.iter().any(|(place, times)| *place == at && *times > op.patience())
        })
    }

    /// The sleepers whom nobody has rung, and who could go on at once if they woke up.
    fn could_wake_unasked(&self) -> impl Iterator<Item = usize> {
        self.robots.iter().enumerate().filter_map(|(id, robot)| match robot.pending {
            Some((Op::Asleep { lock, .. }, _))
                if !robot.rung && self.things[lock].holder.is_none() =>
            {
                Some(id)
            }
            _ => None,
        })
    }

    fn wakes_unasked(&mut self, robot: usize) {
        if let Some((Op::Asleep { bell, .. }, at)) = self.robots[robot].pending {
            self.robots[robot].rung = true;
            self.things[bell].sleepers.retain(|sleeper| *sleeper != robot);
            self.tale.tell(robot, crate::tale::What::WokeUnasked(bell), at);
        }
    }

    /// `notify_one`: whom does it wake? With several sleepers that is a decision like any other.
    pub(crate) fn ring_one(&mut self, me: usize, bell: usize) -> Option<usize> {
        let sleepers: Vec<Choice> = self.things[bell]
            .sleepers
            .iter()
            .map(|robot| Choice { robot: *robot, unasked: false, way: 0, price: 0 })
            .collect();
        if sleepers.is_empty() {
            return None;
        }
        let woken = self.decide(me, &sleepers)?.robot;
        self.things[bell].sleepers.retain(|sleeper| *sleeper != woken);
        self.robots[woken].rung = true;
        Some(woken)
    }

    /// `notify_all`: wakes everybody, and returns how many that are.
    pub(crate) fn ring_all(&mut self, bell: usize) -> usize {
        let sleepers = std::mem::take(&mut self.things[bell].sleepers);
        for robot in &sleepers {
            self.robots[*robot].rung = true;
        }
        sleepers.len()
    }

    /// Everybody who has not gone home stands still, for ever.
    fn finish_standstill(&mut self) {
        let end = End::standstill(self);
        self.finish(end);
    }

    /// Steps without end.
    pub(crate) fn finish_without_end(&mut self) {
        let end = End::nobody_gets_anywhere(self);
        self.finish(end);
    }
}
