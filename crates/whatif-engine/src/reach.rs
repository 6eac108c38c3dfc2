//! What a step can reach: robots and things, by their numbers.

use crate::floor::{Me, Robot, State};
use crate::pending::ThingId;
use crate::thing::{Name, Thing, Visit};

impl State {
    /// The thing that the robot visits, to change it.
    pub fn at(&mut self, v: &Visit) -> &mut Thing {
        &mut self.things[v.thing]
    }

    /// A thing, to look at it.
    pub fn thing_at(&self, thing: ThingId) -> &Thing {
        &self.things[thing]
    }

    /// A robot, to change it.
    pub fn robot(&mut self, robot: usize) -> &mut Robot {
        &mut self.robots[robot]
    }

    /// All robots that there have been in this run, by their numbers.
    pub fn robots(&self) -> &[Robot] {
        &self.robots
    }

    /// Gives the thing another name.
    pub fn rename(&mut self, v: &Visit, name: String) {
        self.things[v.thing].name = Name::Given(name);
    }

    /// Is giving something back a step of its own in this run?
    pub fn unlock_is_step(&self) -> bool {
        self.rules.unlock_is_step
    }
}

impl Me {
    /// Tells this run from every other one in the process.
    pub fn run(&self) -> u64 {
        self.floor.run
    }
}
