//! What GreetBot and WaitBot owe their guests. The tests run the robots in every order of steps.

use exercise_03::Room;
use whatif::sync::Arc;
use whatif::{Checker, never, thread};

/// More orders of steps are not tried. Two robots that share a lock have two; with a claim and a
/// `Condvar` it is a few hundred.
const MOST_ORDERS: usize = 2_000;

/// A check that takes nothing but a proof.
fn every_order(of: &str) -> Checker {
    Checker::new(of).max_runs(MOST_ORDERS).to_the_end()
}

/// Starts a robot that does `job` in `room`.
fn robot<T: Send + 'static>(
    name: &str,
    room: &Arc<Room>,
    job: impl FnOnce(&Room) -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let room = Arc::clone(room);
    thread::Builder::new()
        .name(name.into())
        .spawn(move || job(&room))
        .expect("a thread for each robot")
}

/// Who sits at the table.
fn party(room: &Room) -> Option<String> {
    room.table.lock().unwrap().party.clone()
}

fn plates(room: &Room) -> u32 {
    room.table.lock().unwrap().plates
}

#[test]
fn greetbot_alone() {
    every_order("GreetBot alone").shares_nothing().check(|| {
        let room = Room::new(0);
        never(
            "the Chen party is turned away from a free table",
            !room.seat("Chen"),
        );
        never(
            "GreetBot says that the Chen party sits, and it does not",
            party(&room).as_deref() != Some("Chen"),
        );
        never(
            "GreetBot says that a second party sits at table 2",
            room.seat("Okafor"),
        );
        never(
            "the Chen party has lost its table",
            party(&room).as_deref() != Some("Chen"),
        );

        let room = Room::new(0);
        never(
            "the Okafor party is turned away from a free table",
            !room.seat("Okafor"),
        );
    });
}

#[test]
fn waitbot_alone() {
    every_order("WaitBot alone").shares_nothing().check(|| {
        let room = Room::new(4);
        never(
            "WaitBot leaves the plates of a party that has gone",
            !room.clear(),
        );
        never(
            "WaitBot says that table 2 is clear, and there are plates",
            plates(&room) > 0,
        );

        let room = Room::new(4);
        room.table.lock().unwrap().party = Some("Chen".into());
        never(
            "WaitBot says that it has cleared a table at which a party sits",
            room.clear(),
        );
        never(
            "the plates of a party that still sits there are gone",
            plates(&room) != 4,
        );

        let room = Room::new(0);
        room.table.lock().unwrap().party = Some("Chen".into());
        never(
            "WaitBot says that it has cleared a table that has no plates yet, and a party sits there",
            room.clear(),
        );
    });
}

#[test]
fn seat_and_clear() {
    every_order("a party comes, and WaitBot wants to clear").check(|| {
        let room = Arc::new(Room::new(4));
        let greetbot = robot("GreetBot", &room, |room| room.seat("Chen"));
        let waitbot = robot("WaitBot", &room, Room::clear);
        let (seated, cleared) = (greetbot.join().unwrap(), waitbot.join().unwrap());

        // Whoever comes first: nobody sits there when GreetBot looks.
        never(
            "the Chen party is turned away, and nobody sits at table 2",
            !seated,
        );
        never(
            "GreetBot says that the Chen party sits, and it does not",
            party(&room).as_deref() != Some("Chen"),
        );
        never(
            "what WaitBot says of the plates is not so",
            cleared != (plates(&room) == 0),
        );
    });
}

#[test]
fn nothing_moves_under_a_party() {
    // One step more than above, so it may be too many orders to try them all. What is above is proved.
    let check = Checker::new("a party sits, and looks at the plates").max_runs(MOST_ORDERS);
    check.check(|| {
        let room = Arc::new(Room::new(4));
        let greetbot = robot("GreetBot", &room, |room| {
            room.seat("Chen").then(|| plates(room))
        });
        let waitbot = robot("WaitBot", &room, Room::clear);
        let seen = greetbot.join().unwrap();
        waitbot.join().unwrap();
        never(
            "WaitBot has taken the plates away while the party sat there: what it saw, and what it did, are two sections",
            seen.is_some_and(|seen| seen != plates(&room)),
        );
    });
}

#[test]
fn two_parties() {
    every_order("two parties come at once").check(|| {
        let room = Arc::new(Room::new(0));
        let one = robot("GreetBot-1", &room, |room| room.seat("Chen"));
        let two = robot("GreetBot-2", &room, |room| room.seat("Okafor"));
        let seated = match (one.join().unwrap(), two.join().unwrap()) {
            (true, false) => Some("Chen"),
            (false, true) => Some("Okafor"),
            (true, true) => return never("two parties have been promised one table", true),
            (false, false) => {
                return never(
                    "both parties are turned away, and nobody sits at table 2",
                    true,
                );
            }
        };
        never(
            "another party sits there than GreetBot says",
            party(&room).as_deref() != seated,
        );
    });
}

#[test]
fn two_parties_and_clear() {
    // Three robots may have too many orders even if all is right. What two of them do is proved
    // above.
    let check = Checker::new("two parties come, and WaitBot wants to clear").max_runs(MOST_ORDERS);
    check.check(|| {
        let room = Arc::new(Room::new(4));
        let robots = [
            robot("GreetBot-1", &room, |room| room.seat("Chen")),
            robot("GreetBot-2", &room, |room| room.seat("Okafor")),
            robot("WaitBot", &room, Room::clear),
        ];
        let [one, two, cleared] = robots.map(|robot| robot.join().unwrap());
        never("of two parties, not exactly one gets the table", one == two);
        never(
            "what WaitBot says of the plates is not so",
            cleared != (plates(&room) == 0),
        );
    });
}

#[test]
fn each_says_what_it_did() {
    every_order("each robot asked again").shares_nothing().check(|| {
        let room = Room::new(0);
        never(
            "nobody sits at table 2, and WaitBot does not clear it. That there are no plates does not matter: it is wiped",
            !room.clear(),
        );
        room.seat("Chen");
        never(
            "GreetBot says that it has seated a party that sat there already",
            room.seat("Chen"),
        );
    });
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
