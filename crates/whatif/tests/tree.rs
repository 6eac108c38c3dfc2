//! A tree of all schedules, for somebody who wants to be the scheduler.

mod common;

use common::{both, careful, careless};
use whatif::sync::{Arc, Mutex, Shared};
use whatif::{Checker, Ending, Node, Outcome, Tree, thread};

/// Follows every way to its end. Returns how many ways there are, and how many end well.
fn ends(node: &Node) -> (usize, usize) {
    match node {
        Node::End { good, .. } => (1, usize::from(*good)),
        Node::Options(moves) => {
            assert!(!moves.is_empty(), "somebody can move, or it is the end");
            let all = moves.iter().map(|it| ends(&it.to));
            all.fold((0, 0), |(n, good), (m, well)| (n + m, good + well))
        }
    }
}

fn tree(f: impl Fn() + Send + Sync + 'static) -> Tree {
    Checker::new("the test").tree(f).unwrap()
}

#[test]
fn it_has_every_schedule() {
    let writes = || {
        let cell = Arc::new(Shared::new(0).called("the till"));
        let other = Arc::clone(&cell);
        let thrice = |cell: &Shared<i32>| (0..3).for_each(|n| cell.set(n));
        both(("GreetBot", move || thrice(&cell)), ("WaitBot-1", move || thrice(&other)));
    };
    let tree = tree(writes);
    assert_eq!(ends(&tree.root), (20, 20)); // 6 over 3
    let Node::Options(first) = &tree.root else { panic!("{tree:?}") };
    let says = |i: usize| (first[i].robot.as_str(), first[i].next.as_str());
    assert_eq!(
        (says(0), says(1)),
        (("GreetBot", "writes the till"), ("WaitBot-1", "writes the till"))
    );
    assert_eq!(first[0].lines[0].text, "writes the till");
}

#[test]
fn it_has_the_failure_that_the_check_finds() {
    let Outcome::Failed(story) = Checker::new("the test").explore(careless).outcome else {
        panic!("careless goes wrong")
    };
    let tree = tree(careless);
    let (all, good) = ends(&tree.root);
    assert!(good > 0 && good < all, "{good} of {all}");
    // Every line that somebody says on the way to some broken rule, in the order of the story.
    fn ways(node: &Node, told: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
        match node {
            Node::End { ending: Ending::RuleBroken, .. } => found.push(told.clone()),
            Node::End { .. } => {}
            Node::Options(moves) => {
                for it in moves {
                    let before = told.len();
                    told.extend(
                        it.lines.iter().map(|line| format!("{}: {}", line.robot, line.text)),
                    );
                    ways(&it.to, told, found);
                    told.truncate(before);
                }
            }
        }
    }
    let mut found = Vec::new();
    ways(&tree.root, &mut Vec::new(), &mut found);
    let wanted: Vec<String> =
        story.lines.iter().map(|line| format!("{}: {}", line.robot, line.text)).collect();
    assert!(found.contains(&wanted), "{wanted:?}");
    // What nobody says is left out, because somebody says something.
    assert!(!found.concat().iter().any(|line| line.contains("Shared")), "{found:?}");
}

#[test]
fn a_step_of_the_story_is_announced_by_its_text() {
    let tree = tree(careful);
    let mut node = &tree.root;
    let mut next = Vec::new();
    while let Node::Options(moves) = node {
        next.push(moves[0].next.clone());
        node = &moves[0].to;
    }
    assert!(next.iter().any(|it| it == "seats the Chen party at table 2"), "{next:?}");
    assert!(next.iter().any(|it| it.starts_with("takes the Mutex")), "{next:?}");
}

#[test]
fn a_standstill_is_an_end() {
    let tree = tree(|| {
        let keys = Arc::new(["the cellar key", "the till key"].map(|it| Mutex::new(()).called(it)));
        let other = Arc::clone(&keys);
        let take = |first: &Mutex<()>, second: &Mutex<()>| {
            let _first = first.lock().unwrap();
            let _second = second.lock().unwrap();
        };
        both(
            ("GreetBot", move || take(&keys[0], &keys[1])),
            ("WineBot", move || take(&other[1], &other[0])),
        );
    });
    let Node::Options(first) = &tree.root else { panic!("{tree:?}") };
    let Node::Options(second) = &first[0].to else { panic!("{tree:?}") };
    let wine = second.iter().find(|it| it.robot == "WineBot").unwrap();
    let Node::End { ending, rule, good } = &wine.to else { panic!("{tree:?}") };
    assert_eq!((*ending, *good), (Ending::Deadlock, false));
    assert!(rule.contains("GreetBot and WineBot wait for each other"), "{rule}");
}

#[test]
fn a_try_lock_finds_the_lock_held() {
    let tree = tree(|| {
        let key = Arc::new(Mutex::new(()).called("the key"));
        let other = Arc::clone(&key);
        both(("GreetBot", move || drop(key.lock())), ("WaitBot-1", move || drop(other.try_lock())));
    });
    let text = format!("{tree:?}");
    assert!(
        text.contains("gives back the key") && text.contains("tries to take the key"),
        "{text}"
    );
}

#[test]
fn what_is_too_large_is_refused_in_a_sentence() {
    let count = |cell: &Shared<i32>| (0..9).for_each(|n| cell.set(n));
    let error = Checker::new("the test").tree(move || {
        let cell = Arc::new(Shared::new(0));
        let other = Arc::clone(&cell);
        both(("GreetBot", move || count(&cell)), ("WaitBot-1", move || count(&other)));
    });
    let sentence =
        "the test: more than 5,000 moments are too many for a tree of all that can happen";
    assert_eq!(error.unwrap_err(), sentence);
    let error = Checker::new("the test").tree(|| {
        let light = Arc::new(Shared::new(false));
        let other = Arc::clone(&light);
        both(("GreetBot", move || while !light.get() {}), ("WaitBot-1", move || other.set(true)));
    });
    assert!(error.unwrap_err().starts_with("the test: a robot goes round in a loop"));
}

#[test]
fn what_cannot_be_checked_is_refused_with_its_story() {
    let table = Arc::new(Shared::new(0));
    let error = Checker::new("the test").tree(move || table.set(1)).unwrap_err();
    assert!(error.contains("was there before the run began"), "{error}");
    let error = Checker::new("the test").tree(|| drop(thread::spawn(|| todo!("seat them")).join()));
    assert!(error.unwrap_err().contains("seat them"));
}

#[test]
fn it_says_who_is_preempted_and_who_has_to_wait() {
    let tree = tree(|| {
        let key = Arc::new(Mutex::new(()).called("the key"));
        let other = Arc::clone(&key);
        let twice = |key: &Mutex<()>| (0..2).for_each(|_| drop(key.lock().unwrap()));
        let holds = move || {
            let _key = key.lock().unwrap();
            whatif::step("looks round");
        };
        both(("GreetBot", holds), ("WineBot", move || twice(&other)));
    });
    let Node::Options(first) = &tree.root else { panic!("{tree:?}") };
    assert!(first.iter().all(|it| !it.preempts && it.waiting.is_empty()), "nobody has moved yet");
    let Node::Options(second) = &first[0].to else { panic!("{tree:?}") };
    let waits = ("WineBot".to_owned(), "waits for the key, held by GreetBot".to_owned());
    assert_eq!((second.len(), &second[0].waiting), (1, &vec![waits]));
    // WineBot gives the key back in one step with taking it, and could go on.
    let Node::Options(second) = &first[1].to else { panic!("{tree:?}") };
    let preempts = |name: &str| second.iter().find(|it| it.robot == name).unwrap().preempts;
    assert_eq!((preempts("GreetBot"), preempts("WineBot")), (true, false));
}

#[test]
fn a_bell_with_one_sleeper_leaves_no_choice() {
    let tree = tree(|| {
        let bell = Arc::new((Mutex::new(false), whatif::sync::Condvar::new()));
        let other = Arc::clone(&bell);
        let rings = move || {
            *other.0.lock().unwrap() = true;
            other.1.notify_one();
        };
        let waits = move || drop(bell.1.wait_while(bell.0.lock().unwrap(), |rung| !*rung));
        both(("WaitBot", waits), ("ChefBot", rings));
    });
    let (all, good) = ends(&tree.root);
    assert!(all > 2 && good == all, "{good} of {all}");
}
