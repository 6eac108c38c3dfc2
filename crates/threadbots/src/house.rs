//! What all robots share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use restaurant::{Shift, Slip};
use whatif::sync::Shared;

use crate::rail::Rail;
use crate::spot::Spot;

pub(crate) struct House {
    pub(crate) spots: Vec<Spot>,
    /// Slips on their way to ChefBot.
    pub(crate) kitchen: Rail<Slip>,
    /// Slips on their way to WineBot.
    pub(crate) bar: Rail<Slip>,
    /// Plates and glasses that are ready, each with its slip, on their way to a table.
    pub(crate) pass: Rail<Slip>,
    /// GreetBot has said goodbye to the last party.
    pub(crate) is_closed: Shared<bool>,
    /// Rings when a robot has broken down. A plain atomic: it rings in evenings that are over anyway.
    alarm: AtomicBool,
}

impl House {
    pub(crate) fn new(shift: &Shift) -> House {
        House {
            spots: (1..=shift.tables).map(Spot::new).collect(),
            kitchen: Rail::new(),
            bar: Rail::new(),
            pass: Rail::new(),
            is_closed: Shared::new(false),
            alarm: AtomicBool::new(false),
        }
    }

    /// Whether everybody should go home, because one robot cannot do its job any more.
    pub(crate) fn has_alarm(&self) -> bool {
        self.alarm.load(Ordering::Acquire)
    }

    pub(crate) fn spot(&self, table: u32) -> &Spot {
        &self.spots[table as usize - 1]
    }
}

// ANCHOR: alarm
/// Every robot carries one of these. If the robot panics, dropping it sends the others home: they would wait
/// for plates that nobody cooks.
pub(crate) struct Alarm<'a>(pub(crate) &'a House);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.alarm.store(true, Ordering::Release);
            self.0.kitchen.close();
            self.0.bar.close();
        }
    }
}
// ANCHOR_END: alarm

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use restaurant::Shift;

    use super::{Alarm, House};

    #[test]
    fn a_robot_that_breaks_down_sends_the_others_home() {
        let house = Arc::new(House::new(&Shift::monday(1)));
        let chefbot = std::thread::spawn({
            let house = house.clone();
            move || {
                let _alarm = Alarm(&house);
                panic!("the gas is off (this panic is part of the test)");
            }
        });
        assert!(chefbot.join().is_err());
        assert!(house.has_alarm());
        assert!(
            house.kitchen.take().is_none(),
            "nobody waits for a slip any more"
        );
    }

    #[test]
    fn a_robot_that_goes_home_alarms_nobody() {
        let house = House::new(&Shift::monday(1));
        drop(Alarm(&house));
        assert!(!house.has_alarm());
    }
}
