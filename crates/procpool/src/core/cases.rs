//! What the dice meet too seldom, or what takes its time, one by one.

use super::queue::{BACKLOG, WINDOW};
use super::simulated::{LOST, Paper};
use super::starts::{GIVE_UP, SILENCE};
use super::taking_back::LONG;
use super::*;

const CALM: Limits = Limits {
    workers: 1,
    queue: 1000,
    max_jobs: u64::MAX,
    max_attempts: 3,
    idle: None,
    grace: 500,
};

/// A pool whose workers are all there and idle. Its one function is known to take so many nanoseconds.
fn staffed(limits: Limits, takes: u64) -> Core<Paper> {
    let mut core = Core::new(limits, 1);
    for _ in 0..limits.workers {
        give(&mut core, 0, None);
    }
    for place in 0..limits.workers {
        core.said_hello(place);
        core.ready(0, place);
        finish(&mut core, 0, place, takes);
    }
    core.actions.clear();
    core
}

fn give(core: &mut Core<Paper>, id: u64, limit: Option<u64>) -> Key {
    let wish = Wish {
        function: 0,
        items: 1,
        idempotent: false,
        limit: limit.map(Duration::from_nanos),
    };
    let paper = Paper {
        id,
        items: 1,
        settled: 0,
    };
    core.submit(0, wish, paper).ok().expect("there is room")
}

/// The worker answers its first job.
fn finish(core: &mut Core<Paper>, now: Time, place: usize, took: u64) {
    let next = core.expected(place).expect("it has a job");
    next.payload.settled += 1;
    core.answered(now, place, 1, took);
}

fn dies(core: &mut Core<Paper>, now: Time, place: usize, begun: u64) {
    let obituary = Obituary {
        pid: 1,
        how: Death::Signal(9),
        from_outside: false,
        begun: Ticket::new(begun, 0),
        stderr_tail: String::new(),
    };
    core.died(now, place, &obituary, "killed");
}

/// What it wants done, in words. Sent jobs by their names.
fn wants(core: &mut Core<Paper>) -> Vec<String> {
    let actions = std::mem::take(&mut core.actions);
    let word = |action: Action<Paper>| match action {
        Action::Start(place) => format!("start {place}"),
        Action::Send { worker, job, .. } => {
            format!(
                "send {} to {worker}",
                core.job(job).expect("it is there").id
            )
        }
        Action::TakeBack(place) => format!("take back from {place}"),
        Action::Ask { worker, .. } => format!("ask {worker}"),
        Action::Retire(place) => format!("retire {place}"),
        Action::Kill(place) => format!("kill {place}"),
        Action::Resolve(paper) => format!("resolve {}", paper.id),
    };
    actions.into_iter().map(word).collect()
}

/// Somebody kills every worker as it starts, as a kill storm does, or a person who tidies up.
#[test]
fn workers_that_are_killed_as_they_start_break_the_pool_only_if_that_lasts() {
    let mut core = Core::new(CALM, 1);
    give(&mut core, 0, None);
    let (mut now, mut starts) = (0, 0);
    while core.phase == Phase::Open {
        core.tick(now, |_| Ticket(0));
        for want in wants(&mut core) {
            assert_eq!(want, "start 0");
            starts += 1;
            let obituary = Obituary {
                pid: 1,
                how: Death::Signal(9),
                from_outside: true,
                begun: Ticket(0),
                stderr_tail: String::new(),
            };
            core.died(now, 0, &obituary, "killed");
        }
        now = core.next_deadline().unwrap_or(now);
    }
    assert!(now >= GIVE_UP, "after {now} ns");
    assert!((10..100).contains(&starts), "{starts} starts");
    assert_eq!(wants(&mut core), ["resolve 0"]);
    // And a good start in between begins the count anew.
    let mut core = staffed(CALM, 1);
    assert_eq!(core.failing_since, None);
    core.start_failed(7, "killed", true);
    assert_eq!(core.failing_since, Some(7));
    core.workers[0].state = State::Preparing;
    core.starting = 1;
    core.ready(8, 0);
    assert_eq!(core.failing_since, None);
}

#[test]
fn jobs_of_a_dead_worker_are_next_in_their_order() {
    let mut core = staffed(CALM, 1);
    for id in 10..13 {
        give(&mut core, id, None);
    }
    core.outgrew(0, 0); // so that the others wait
    give(&mut core, 13, None);
    give(&mut core, 14, None);
    core.actions.clear();
    dies(&mut core, 1, 0, 2); // it was at number 2, which is job 10
    assert_eq!(wants(&mut core), ["resolve 10", "start 0"]);
    core.ready(1, 0);
    assert_eq!(
        wants(&mut core),
        [11, 12, 13, 14].map(|id| format!("send {id} to 0"))
    );
}

#[test]
fn tiny_jobs_lie_at_a_worker_up_to_the_window_and_no_others() {
    let mut core = staffed(CALM, 0);
    for id in 0..100 {
        give(&mut core, id, None);
    }
    assert_eq!((core.load(0), core.queued()), (WINDOW, 100 - WINDOW));
    let mut core = staffed(CALM, BACKLOG / 2);
    for id in 0..100 {
        give(&mut core, id, None);
    }
    assert_eq!(core.load(0), 2, "as much work as may lie there");
    let mut core = staffed(CALM, BACKLOG + 1);
    for id in 0..100 {
        give(&mut core, id, None);
    }
    assert_eq!(core.load(0), 1, "what takes long has nothing behind it");
}

#[test]
fn what_lies_behind_a_long_job_is_taken_back_and_goes_elsewhere() {
    let begun = |_| Ticket(0);
    let mut core = staffed(CALM, 1);
    for id in 1..5 {
        give(&mut core, id, None); // as numbers 2 to 5
    }
    core.actions.clear();
    assert_eq!(core.next_deadline(), Some(LONG));
    core.tick(LONG - 1, begun);
    assert!(wants(&mut core).is_empty(), "it may still be a tiny one");
    core.tick(LONG, begun);
    assert_eq!(wants(&mut core), ["take back from 0"]);
    core.taken_back(LONG, 0, None); // it has not come to its first one
    assert_eq!((core.load(0), core.next_deadline()), (4, Some(2 * LONG)));
    core.tick(2 * LONG, begun);
    core.taken_back(2 * LONG, 0, Some(3)); // it has done the first one, and we have not heard it yet
    assert_eq!((core.load(0), core.queued()), (2, 2));
    give(&mut core, 5, None);
    assert_eq!(
        (core.load(0), core.queued()),
        (2, 3),
        "nothing more behind that"
    );
    core.actions.clear();
    finish(&mut core, 2 * LONG + 1, 0, 1);
    let sent = ["resolve 1", "send 3 to 0", "send 4 to 0", "send 5 to 0"];
    assert_eq!(wants(&mut core), sent, "it goes on, and in the same order");
}

#[test]
fn nothing_is_sent_behind_a_job_that_is_long_already() {
    let mut core = staffed(CALM, 1);
    give(&mut core, 1, None);
    core.tick(LONG, |_| Ticket(0));
    core.taken_back(LONG, 0, Some(2));
    give(&mut core, 2, None);
    assert_eq!((core.load(0), core.queued()), (1, 1));
}

#[test]
fn a_job_over_its_time_is_asked_and_then_killed() {
    let mut core = staffed(CALM, 1);
    give(&mut core, 1, Some(100));
    core.actions.clear();
    assert_eq!(core.next_deadline(), Some(100));
    let begun = |_| Ticket::new(2, 0);
    core.tick(99, begun);
    assert!(wants(&mut core).is_empty());
    core.tick(100, begun);
    assert_eq!(wants(&mut core), ["ask 0"]);
    core.tick(599, begun);
    assert!(wants(&mut core).is_empty());
    core.tick(600, begun);
    assert_eq!(wants(&mut core), ["kill 0"]);
    dies(&mut core, 601, 0, 2);
    assert_eq!(wants(&mut core), ["resolve 1", "start 0"]);
    assert_eq!(LOST.take(), [(1, 0, "timed out")]);
}

#[test]
fn each_item_of_a_batch_has_a_limit_of_its_own() {
    let mut core = staffed(CALM, 1);
    let (items, settled, idempotent) = (3, 0, false);
    let limit = Some(Duration::from_nanos(100));
    let wish = Wish {
        function: 0,
        items,
        idempotent,
        limit,
    };
    let paper = Paper {
        id: 1,
        items,
        settled,
    };
    core.submit(0, wish, paper).ok().expect("there is room");
    core.actions.clear();
    core.tick(100, |_| Ticket::new(2, 1)); // it got on, though nothing was heard of it
    assert!(wants(&mut core).is_empty());
    assert_eq!(core.next_deadline(), Some(200));
    core.tick(200, |_| Ticket::new(2, 1));
    assert_eq!(wants(&mut core), ["ask 0"]);
}

#[test]
fn a_running_job_is_asked_when_it_is_cancelled_and_one_behind_it_when_its_turn_comes() {
    let mut core = staffed(CALM, 1);
    let keys = [1, 2, 3].map(|id| give(&mut core, id, None));
    core.actions.clear();
    assert!(!core.cancel(1, keys[0], false), "it runs");
    assert!(core.cancel(1, keys[1], true));
    assert!(wants(&mut core).is_empty(), "another one has its turn");
    assert!(core.cancel(1, keys[0], true));
    assert_eq!(wants(&mut core), ["ask 0"]);
    finish(&mut core, 2, 0, 1);
    assert_eq!(wants(&mut core), ["resolve 1", "ask 0"]);
    core.stopped(3, 0);
    assert_eq!(wants(&mut core), ["resolve 2"]);
    assert_eq!(LOST.take(), [(2, 0, "cancelled")]);
    finish(&mut core, 4, 0, 1);
    assert_eq!(wants(&mut core), ["resolve 3"]);
}

#[test]
fn who_is_asked_and_dies_of_something_else_is_not_told_as_out_of_time() {
    let mut core = staffed(CALM, 1);
    give(&mut core, 1, Some(100));
    give(&mut core, 2, None);
    core.tick(100, |_| Ticket::new(2, 0));
    // It had answered the first, and was at the second; the pool had not heard of it when it asked.
    let next = core.expected(0).expect("two jobs");
    next.payload.settled += 1;
    core.answered(101, 0, 1, 1);
    dies(&mut core, 101, 0, 3);
    assert_eq!(LOST.take(), [(2, 0, "died")]);
}

#[test]
fn idle_workers_leave_and_those_who_do_not_are_killed() {
    let limits = Limits {
        idle: Some(1000),
        ..CALM
    };
    let mut core = staffed(limits, 1);
    core.tick(999, |_| Ticket(0));
    assert!(wants(&mut core).is_empty());
    core.tick(1000, |_| Ticket(0));
    assert_eq!(wants(&mut core), ["retire 0"]);
    core.tick(1500, |_| Ticket(0));
    assert_eq!(wants(&mut core), ["kill 0"]);
    dies(&mut core, 1501, 0, 1);
    assert!(wants(&mut core).is_empty(), "nobody needs it");
}

#[test]
fn who_has_grown_too_much_does_what_it_has_and_leaves() {
    let mut core = staffed(CALM, 1);
    core.outgrew(1, 0);
    assert_eq!(wants(&mut core), ["retire 0"]);
    let mut core = staffed(CALM, 1);
    give(&mut core, 1, None);
    give(&mut core, 2, None);
    core.actions.clear();
    core.outgrew(1, 0);
    give(&mut core, 3, None);
    finish(&mut core, 2, 0, 1);
    assert_eq!(wants(&mut core), ["resolve 1"]);
    finish(&mut core, 2, 0, 1);
    assert_eq!(wants(&mut core), ["resolve 2", "retire 0"]);
    dies(&mut core, 3, 0, 3);
    assert_eq!(wants(&mut core), ["start 0"]);
    core.ready(4, 0);
    finish(&mut core, 5, 0, 1);
    assert_eq!(core.state(0), State::Ready, "the new one has not grown");
    assert_eq!(core.counts.died, 0);
}

#[test]
fn a_worker_that_never_says_a_word_is_killed() {
    let mut core = Core::new(CALM, 1);
    give(&mut core, 1, None);
    assert_eq!(wants(&mut core), ["start 0"]);
    assert_eq!(core.next_deadline(), Some(SILENCE));
    core.tick(SILENCE, |_| Ticket(0));
    assert_eq!(wants(&mut core), ["kill 0"]);
}

#[test]
fn a_dead_worker_is_replaced_though_nobody_waits() {
    let mut core = staffed(CALM, 1);
    give(&mut core, 1, None);
    core.actions.clear();
    dies(&mut core, 1, 0, 2);
    assert_eq!(wants(&mut core), ["resolve 1", "start 0"]);
}

#[test]
fn killing_ends_all_at_once() {
    let mut core = staffed(CALM, BACKLOG + 1);
    give(&mut core, 1, None);
    give(&mut core, 2, None);
    core.actions.clear();
    core.kill(1);
    assert_eq!(wants(&mut core), ["resolve 2", "kill 0"]);
    assert_eq!(LOST.take(), [(2, 0, "shut down")]);
    dies(&mut core, 2, 0, 2);
    assert!(core.is_over());
}

#[test]
fn failed_starts_are_forgotten_after_a_good_one() {
    let mut core = Core::new(CALM, 1);
    give(&mut core, 1, None);
    let mut now = 0;
    for _ in 0..3 {
        for _ in 0..2 {
            dies(&mut core, now, 0, 0); // it was starting
            now = core.next_deadline().expect("another try");
            core.tick(now, |_| Ticket(0));
        }
        core.ready(now, 0);
        dies(&mut core, now, 0, 0); // the job was not begun, so it waits again
        core.tick(now + SILENCE / 2, |_| Ticket(0));
    }
    assert_eq!(core.phase, Phase::Open);
    assert_eq!(core.state(0), State::Starting);
}

#[test]
fn a_worker_that_scribbled_over_its_page_spreads_no_rumours_about_time() {
    let mut core = staffed(CALM, 1);
    give(&mut core, 1, Some(100));
    give(&mut core, 2, None);
    core.tick(100, |_| Ticket::new(2, 0));
    dies(&mut core, 101, 0, 1 << 30); // so it says that it had begun everything
    assert_eq!(LOST.take(), [(2, 0, "died"), (1, 0, "timed out")]);
}

#[test]
fn a_cancelled_job_does_not_go_back_to_the_queue() {
    let mut core = staffed(CALM, 1);
    give(&mut core, 1, None);
    let key = give(&mut core, 2, None);
    assert!(core.cancel(1, key, true));
    dies(&mut core, 2, 0, 2);
    assert_eq!(LOST.take(), [(2, 0, "cancelled"), (1, 0, "died")]);
    assert_eq!((core.queued(), core.counts.given_back), (0, 0));
}

/// Who sleeps until the next deadline has to hear of one that comes with a death: it may be somebody else who tells it.
#[test]
fn a_death_whose_replacement_has_to_wait_rings() {
    let mut core = staffed(CALM, 1);
    give(&mut core, 1, None);
    core.actions.clear();
    (core.not_before, core.alarm) = (100, false);
    dies(&mut core, 1, 0, 1);
    assert_eq!(wants(&mut core), Vec::<String>::new());
    assert_eq!((core.queued(), core.next_deadline()), (1, Some(100)));
    assert!(core.alarm);
}
