//! The story in the documentation is the one that its program tells.

mod common;

use common::story;
use whatif::sync::{Arc, Shared};
use whatif::{Checker, never, say, thread};

#[test]
fn the_story_on_the_front_page_is_the_real_one() {
    let story = story(Checker::new("one table").explore(|| {
        let guests = Arc::new(Shared::new(0));
        let seat = |robot: &str| {
            let guests = Arc::clone(&guests);
            let seat_two = move || {
                if guests.get() == 0 {
                    say("sees that the table is free");
                    guests.write(|n| *n += 2);
                    say("seats a party of two");
                }
                never("two parties sit at one table", guests.get() > 2);
            };
            thread::Builder::new().name(robot.into()).spawn(seat_two).unwrap()
        };
        let robots = [seat("GreetBot-1"), seat("GreetBot-2")];
        robots.into_iter().for_each(|robot| robot.join().unwrap());
    }));
    let page = include_str!("../src/lib.rs").replace("//! ", "").replace("//!", "");
    for line in story.to_string().lines() {
        let line = line.split("  [").next().unwrap();
        assert!(page.contains(line), "not on the front page: {line}");
    }
    assert!(page.contains(&format!("WHATIF_REPLAY={} ", story.id)), "{}", story.id);
}
