//! What a pool writes down.

mod common;

use flight::{ActorKind, End, Event, Header, Recorder};
use offload::Pool;

#[test]
fn the_record_says_which_job_was_handed_over_begun_and_ended_and_on_which_thread() {
    let recorder = Recorder::new(Header::monotonic("back of house"));
    let pool = Pool::builder()
        .name("kitchen")
        .max_threads(1)
        .recorder(recorder.clone())
        .build();
    let door = common::Door::default();
    let passes = door.clone();
    let soup = pool.job().name("soup").spawn(move || passes.pass());
    common::until("soup is begun", || pool.metrics().running == 1);
    let pie = pool
        .job()
        .name("pie")
        .spawn(|| -> () { panic!("the crust broke") });
    let cake = pool.job().name("cake").spawn(|| ());
    drop(cake);
    door.open();
    soup.wait().unwrap();
    pie.wait().unwrap_err();
    pool.shut_down();
    drop(pool);

    let recording = recorder.recording();
    let name = |actor: usize| recording.actors[actor].name.as_str();
    let events: Vec<(&str, String)> = recording
        .events
        .iter()
        .filter_map(|entry| {
            let what = match entry.event {
                Event::JobSubmit { job, .. } => format!("submit {job}"),
                Event::JobStart { job, .. } => format!("start {job}"),
                Event::JobEnd {
                    job,
                    how: End::Done,
                } => format!("end {job}"),
                Event::JobEnd {
                    job,
                    how: End::Panicked,
                } => format!("panic {job}"),
                Event::JobEnd {
                    job,
                    how: End::Cancelled,
                } => format!("out {job}"),
                _ => return None,
            };
            Some((name(entry.actor), what))
        })
        .collect();
    let expected = [
        ("kitchen", "submit 0"),
        ("kitchen-1", "start 0"),
        ("kitchen", "submit 1"),
        ("kitchen", "submit 2"),
        ("kitchen", "out 2"),
        ("kitchen-1", "end 0"),
        ("kitchen-1", "start 1"),
        ("kitchen-1", "panic 1"),
    ];
    assert_eq!(events, expected.map(|(lane, what)| (lane, what.to_owned())));
    let names: Vec<_> = recording
        .marks("job")
        .map(|(_, name, number)| (name, number))
        .collect();
    assert_eq!(names, [("soup", 0), ("pie", 1), ("cake", 2)]);
    let queue = recording
        .events
        .iter()
        .filter_map(|entry| match entry.event {
            Event::Counter { name, value } => Some((&recording.strings[name.index()][..], value)),
            _ => None,
        });
    let queue: Vec<_> = queue.collect();
    assert_eq!(
        queue,
        [1, 0, 1, 2, 1, 0].map(|length| ("kitchen: queue", length))
    );
    assert!(
        recording
            .actors
            .iter()
            .all(|actor| actor.kind == ActorKind::Pool || actor.name == "kitchen-1")
    );
}
