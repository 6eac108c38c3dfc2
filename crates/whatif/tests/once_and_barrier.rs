//! What is done once, and waiting until everybody has come.

mod common;

use common::{outcomes, proved, robot, story, texts};
use whatif::sync::{Arc, Barrier, LazyLock, Once, OnceLock, Shared, Unguarded};
use whatif::{Checker, Ending, Outcome, Report, never, thread};

fn explore(f: impl Fn() + Send + Sync + 'static) -> Report {
    Checker::new("the menu").shares_nothing().explore(f)
}

fn races(f: impl Fn() + Send + Sync + 'static) -> bool {
    match explore(f).outcome {
        Outcome::Proved { .. } => false,
        Outcome::Failed(story) if story.ending == Ending::DataRace => true,
        other => panic!("{other:?}"),
    }
}

// Once -----------------------------------------------------------------------------------------------------------

#[test]
fn it_is_done_once_and_everybody_goes_on_only_when_it_is_done() {
    let found = outcomes(|| {
        let (once, made) = (Once::new(), Shared::new(0));
        let make = |n: u32| {
            once.call_once(|| {
                made.set(n);
                made.write(|made| *made *= 10);
            });
            made.get()
        };
        thread::scope(|s| {
            let (a, b) = (s.spawn(|| make(1)), s.spawn(|| make(2)));
            (a.join().unwrap(), b.join().unwrap())
        })
    });
    assert_eq!(found, [(10, 10), (20, 20)].into());
}

#[test]
fn a_look_finds_it_done_or_not() {
    let found = outcomes(|| {
        let (once, made) = (Once::new(), Shared::new(false));
        thread::scope(|s| {
            s.spawn(|| once.call_once(|| made.set(true)));
            (once.is_completed(), made.get())
        })
    });
    // (false, true): the value is there, and the Once does not say so yet.
    assert_eq!(found, [(false, false), (false, true), (true, true)].into());
    let found = outcomes(|| {
        let menu = OnceLock::new();
        thread::scope(|s| {
            s.spawn(|| menu.get_or_init(|| 7));
            menu.get().copied()
        })
    });
    assert_eq!(found, [None, Some(7)].into());
}

#[test]
fn set_and_get_or_init_agree_on_one_value() {
    let found = outcomes(|| {
        let menu = OnceLock::new();
        thread::scope(|s| {
            let a = s.spawn(|| menu.set(1));
            let b = s.spawn(|| *menu.get_or_init(|| 2));
            (a.join().unwrap(), b.join().unwrap(), *menu.wait())
        })
    });
    assert_eq!(found, [(Ok(()), 1, 1), (Err(1), 2, 2)].into());
}

#[test]
fn a_lazy_value_is_made_by_whoever_needs_it_first() {
    let found = outcomes(|| {
        let made_by = Arc::new(Shared::new(String::new()));
        let noted = Arc::clone(&made_by);
        let menu = LazyLock::new(move || {
            noted.write(|by| *by += thread::current().name().unwrap());
            7
        });
        thread::scope(|s| {
            for name in ["a", "b"] {
                let robot = thread::Builder::new().name(name.to_owned());
                robot.spawn_scoped(s, || assert_eq!(*menu, 7)).unwrap();
            }
        });
        made_by.read(String::clone)
    });
    assert_eq!(found, ["a".to_owned(), "b".to_owned()].into());
}

#[test]
fn making_it_while_making_it_waits_for_itself() {
    let story = story(explore(|| {
        let menu = OnceLock::new().called("the menu");
        menu.get_or_init(|| *menu.get_or_init(|| 1));
    }));
    assert_eq!(story.ending, Ending::LockedTwice);
    assert_eq!(story.rule, "deadlock: the evening asks for the menu, which it holds already");
}

#[test]
fn waiting_for_what_nobody_does_is_a_deadlock() {
    let story = story(explore(|| Once::new().called("the mise en place").wait()));
    assert_eq!(
        story.rule,
        "deadlock: the evening waits until the mise en place is done, and nobody is left to do it"
    );
}

#[test]
fn what_is_done_once_is_known_to_whoever_finds_it_done() {
    let raced = |asks: bool| {
        races(move || {
            let shared = Arc::new((Once::new(), Unguarded::new(0)));
            let other = Arc::clone(&shared);
            let chef = robot("ChefBot", move || other.0.call_once(|| other.1.set(1)));
            if !asks || shared.0.is_completed() {
                shared.1.get();
            }
            chef.join().unwrap();
        })
    };
    assert!(raced(false) && !raced(true));
    assert!(!races(|| {
        let shared = Arc::new((OnceLock::new(), Unguarded::new(0)));
        let make = |shared: &(OnceLock<u8>, Unguarded<u8>)| {
            shared.0.get_or_init(|| {
                shared.1.set(1);
                1
            });
            shared.1.get();
        };
        let (a, b) = (Arc::clone(&shared), shared);
        let robots = [robot("ChefBot", move || make(&a)), robot("WineBot", move || make(&b))];
        robots.into_iter().for_each(|robot| robot.join().unwrap());
    }));
}

// Barrier --------------------------------------------------------------------------------------------------------

#[test]
fn nobody_goes_on_before_all_have_come_and_one_of_them_leads() {
    let found = outcomes(|| {
        let (barrier, came) = (Barrier::new(2), Shared::new(0));
        let come = || {
            came.write(|came| *came += 1);
            let leads = barrier.wait().is_leader();
            (came.get(), leads)
        };
        thread::scope(|s| {
            let (a, b) = (s.spawn(come), s.spawn(come));
            [a.join().unwrap(), b.join().unwrap()]
        })
    });
    assert_eq!(found, [[(2, false), (2, true)], [(2, true), (2, false)]].into());
}

#[test]
fn a_barrier_can_be_used_again() {
    let report = explore(|| {
        let (barrier, plates) = (Barrier::new(2), [Unguarded::new(0), Unguarded::new(0)]);
        thread::scope(|s| {
            for me in 0..2 {
                let (barrier, plates) = (&barrier, &plates);
                s.spawn(move || {
                    for round in 0..3 {
                        plates[me].set(round);
                        barrier.wait();
                        assert_eq!(plates[1 - me].get(), round);
                        barrier.wait();
                    }
                });
            }
        });
    });
    proved(&report);
    // One wait is not enough: who is faster writes while the other one reads.
    assert!(races(|| {
        let (barrier, plates) = (Barrier::new(2), [Unguarded::new(0), Unguarded::new(0)]);
        thread::scope(|s| {
            for me in 0..2 {
                let (barrier, plates) = (&barrier, &plates);
                s.spawn(move || {
                    for round in 0..2 {
                        plates[me].set(round);
                        barrier.wait();
                        plates[1 - me].get();
                    }
                });
            }
        });
    }));
}

#[test]
fn a_barrier_for_one_more_than_come_is_a_deadlock() {
    let story = story(explore(|| {
        let barrier = Arc::new(Barrier::new(3).called("the briefing"));
        let other = Arc::clone(&barrier);
        let chef = robot("ChefBot", move || {
            other.wait();
        });
        barrier.wait();
        chef.join().unwrap();
    }));
    assert_eq!(story.ending, Ending::Deadlock);
    assert_eq!(
        texts(&story),
        [
            "comes to the briefing",
            "comes to the briefing",
            "waits at the briefing for 1 more",
            "waits at the briefing for 1 more",
        ]
    );
    assert_eq!(
        story.rule,
        "deadlock: the evening waits at the briefing, and nobody is left to come"
    );
}

// Elsewhere ------------------------------------------------------------------------------------------------------

#[test]
fn outside_of_a_check_they_are_those_of_std() {
    let (once, n) = (Once::new().called("the menu"), Shared::new(0));
    let count = || once.call_once(|| n.write(|n| *n += 1));
    assert!(!once.is_completed());
    count();
    count();
    once.wait();
    assert_eq!((once.is_completed(), n.get()), (true, 1));

    let mut menu = OnceLock::new().called("the menu");
    assert_eq!(
        (menu.get(), menu.set(1), menu.set(2), menu.get()),
        (None, Ok(()), Err(2), Some(&1))
    );
    assert_eq!((*menu.wait(), menu.take(), *menu.get_or_init(|| 5)), (1, Some(1), 5));
    *menu.get_mut().unwrap() += 1;
    assert_eq!((menu.into_inner(), OnceLock::from(3).get()), (Some(6), Some(&3)));
    assert_eq!(OnceLock::<u8>::default().get(), None);

    let lazy = LazyLock::new(|| vec![1, 2]).called("the list");
    assert_eq!((lazy.len(), LazyLock::force(&lazy)), (2, &vec![1, 2]));

    let barrier = Barrier::new(2);
    let leaders = thread::scope(|s| {
        let robot = s.spawn(|| barrier.wait().is_leader());
        usize::from(barrier.wait().is_leader()) + usize::from(robot.join().unwrap())
    });
    assert_eq!(leaders, 1);
}

#[test]
fn what_was_made_before_a_simulation_is_there_in_it() {
    let menu = Arc::new(OnceLock::from(7));
    let evening = move || {
        assert_eq!((menu.get(), menu.set(8)), (Some(&7), Err(8)));
        let mut other = OnceLock::from(1);
        assert_eq!((other.take(), *other.get_or_init(|| 2)), (Some(1), 2));
    };
    whatif::simulate(1, &flight::VirtualTime::new(), evening).unwrap();
}

/// Who makes it meets the other one before it is done. Where giving back is no step, it always is done by the time that
/// the other one looks.
#[test]
fn what_is_being_made_can_be_seen_not_to_be_there_by_somebody_whom_its_maker_has_met() {
    type All = (OnceLock<u8>, Once, Barrier);
    type Way = (fn(&All), fn(&All) -> bool);
    let cell: Way = (
        |it| {
            it.0.get_or_init(|| u8::from(it.2.wait().is_leader()));
        },
        |it| it.0.get().is_some(),
    );
    let once: Way = (
        |it| {
            it.1.call_once(|| {
                it.2.wait();
            });
        },
        |it| it.1.is_completed(),
    );
    for (makes, is_there) in [cell, once] {
        let report = explore(move || {
            let all = Arc::new((OnceLock::new(), Once::new(), Barrier::new(2)));
            let other = Arc::clone(&all);
            let maker = robot("ChefBot", move || makes(&other));
            all.2.wait();
            never("it is not there yet", !is_there(&all));
            maker.join().unwrap();
        });
        assert_eq!(story(report).rule, "it is not there yet");
    }
}
