//! What the files promise: they come back as they were, and every damage has a name.

use flight::rules::{self, Limits};
use flight::{
    ActorKind, Chunk, End, Event, Header, ReadError, Recorder, Recording, Source, VirtualTime,
};

/// A recording with an event of every kind that a program can record.
fn everything() -> Recording {
    let time = VirtualTime::new();
    let recorder = Recorder::new(
        Header::virtual_time("test", &time)
            .fact("tables", 6)
            .lane_capacity(18),
    );
    let lane = recorder.actor("LoopBot", ActorKind::Loop);
    let (by, task) = (
        recorder.task("the evening"),
        recorder.task("the \"Chen\" party"),
    );
    let text = recorder.text("soufflé");
    recorder.loc(std::panic::Location::caller());
    lane.counter("lost to the ring", 1);
    let events = [
        Event::TaskSpawn { task, by: Some(by) },
        Event::PollBegin {
            task,
            poll: 1,
            cause: 3,
        },
        Event::TimerArm {
            timer: 9,
            task,
            due: 500,
        },
        Event::Wake {
            task: by,
            source: Source::Task,
        },
        Event::PollEnd { task, ready: false },
        Event::PollBegin {
            task: by,
            poll: 1,
            cause: 6,
        },
        Event::PollEnd {
            task: by,
            ready: false,
        },
        Event::ParkBegin {
            why: text,
            until: 500,
        },
        Event::ParkEnd,
        Event::TimerFire {
            timer: 9,
            task,
            late: 12,
        },
        Event::ResWait { resource: text },
        Event::ResAcquire { resource: text },
        Event::ResRelease { resource: text },
        Event::Mark {
            text,
            category: text,
            value: u64::MAX,
        },
        Event::Counter {
            name: text,
            value: 3,
        },
        Event::TaskEnd {
            task,
            how: End::Panicked,
        },
    ];
    for event in events {
        time.advance_to(time.now() + 1_500);
        lane.record(event);
    }
    drop(lane);
    recorder.recording()
}

/// A loop that hands two jobs over, one to a thread and one to a process that is killed.
fn jobs() -> Recording {
    let time = VirtualTime::new();
    let recorder = Recorder::new(Header::virtual_time("test", &time));
    let robot = recorder.actor("LoopBot", ActorKind::Loop);
    let hand = recorder.actor("hand 1", ActorKind::Pool);
    let cook = recorder.actor("cook 1", ActorKind::Process);
    let task = recorder.task("the Chen party");
    let (hands, kitchen) = (
        recorder.text("the hands"),
        recorder.text("the back kitchen"),
    );
    let events = [
        (&robot, Event::TaskSpawn { task, by: None }),
        (
            &cook,
            Event::ProcessStart {
                pid: 4711,
                name: kitchen,
            },
        ),
        (
            &robot,
            Event::PollBegin {
                task,
                poll: 1,
                cause: 4,
            },
        ),
        (
            &robot,
            Event::JobSubmit {
                job: 1,
                pool: hands,
                by: Some(task),
            },
        ),
        (
            &hand,
            Event::JobStart {
                job: 1,
                pool: hands,
            },
        ),
        (
            &robot,
            Event::JobSubmit {
                job: 1,
                pool: kitchen,
                by: None,
            },
        ),
        (&robot, Event::PollEnd { task, ready: false }),
        (
            &cook,
            Event::JobStart {
                job: 1,
                pool: kitchen,
            },
        ),
        (
            &cook,
            Event::JobEnd {
                job: 1,
                how: End::Panicked,
            },
        ),
        (
            &cook,
            Event::ProcessExit {
                pid: 4711,
                status: 256 + 9,
            },
        ),
        (
            &hand,
            Event::JobEnd {
                job: 1,
                how: End::Done,
            },
        ),
        (&robot, Event::WakersGone { task }),
        (
            &robot,
            Event::TaskEnd {
                task,
                how: End::Cancelled,
            },
        ),
        (&robot, Event::Observed { task }),
    ];
    for (lane, event) in events {
        time.advance_to(time.now() + 1_500);
        lane.record(event);
    }
    drop((robot, hand, cook));
    recorder.recording()
}

#[test]
fn jobs_and_processes_come_back_as_they_were() {
    let recording = jobs();
    let json = recording.to_json();
    let again = Recording::from_json(&json).unwrap();
    assert_eq!(again.events, recording.events);
    assert_eq!(again.to_json(), json);
    let broken = [
        (
            "the pool",
            "\n[7,6000,0,17,1,0,1]",
            "\n[7,6000,0,17,1,9,1]",
            "a text",
        ),
        (
            "the task",
            "\n[7,6000,0,17,1,0,1]",
            "\n[7,6000,0,17,1,0,9]",
            "a task",
        ),
        ("observed", ",0,22,0,0,0]", ",0,22,9,0,0]", "a task"),
        (
            "the process",
            ",2,20,4711,1,0]",
            ",2,20,4711,9,0]",
            "a text",
        ),
        ("the end", ",1,19,1,0,0]", ",1,19,1,3,0]", "mean nothing"),
    ];
    for (what, from, to, sentence) in broken {
        assert!(json.contains(from), "{what}: {json}");
        let error = Recording::from_json(&json.replace(from, to)).unwrap_err();
        assert!(error.to_string().contains(sentence), "{what}: {error}");
    }
}

#[test]
fn a_file_names_a_newer_kind_only_if_it_uses_it() {
    let kinds = |recording: &Recording| {
        let file: serde_json::Value = serde_json::from_str(&recording.to_json()).unwrap();
        file["kinds"].as_array().unwrap().len()
    };
    assert_eq!(kinds(&everything()), 17, "as before these kinds were there");
    assert_eq!(kinds(&jobs()), 24);
}

#[test]
fn what_the_rules_say_can_stand_in_the_file_and_is_not_read_back() {
    let mut limits = Limits::default();
    assert_eq!(rules::look(&everything(), &limits), []);
    let (plain, json) = (everything().to_json(), everything().to_json_with(&[]));
    assert_eq!(plain, json, "without hits nothing is added");

    limits.long_poll = std::time::Duration::from_nanos(1);
    let recording = jobs();
    let hits = rules::look(&recording, &limits);
    let json = recording.to_json_with(&hits);
    let file: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(file["hits"][0]["rule"], "long_poll");
    assert_eq!(file["hits"][0]["says"], hits[0].says);
    assert_eq!(file["hits"][0].to_string(), hits[0].to_json());
    let again = Recording::from_json(&json).unwrap();
    assert_eq!(again.to_json(), recording.to_json());
}

#[test]
fn an_arrow_leads_from_the_order_to_the_worker_and_a_process_stands_for_itself() {
    let trace: serde_json::Value = serde_json::from_str(&jobs().to_chrome_trace()).unwrap();
    let rows = trace["traceEvents"].as_array().unwrap();
    let find = |ph: &str, name: &str| {
        let mut found = rows
            .iter()
            .filter(|row| row["ph"] == ph && row["name"] == name);
        let row = found
            .next()
            .unwrap_or_else(|| panic!("{ph} {name} in {rows:#?}"));
        assert!(found.next().is_none(), "one {ph} {name}");
        row
    };
    for (pool, robots) in [("the hands", true), ("the back kitchen", false)] {
        let (start, end) = (find("s", pool), find("f", pool));
        let slice = find("X", &format!("job 1 of {pool}"));
        assert_eq!((&start["cat"], &start["id"]), (&end["cat"], &end["id"]));
        assert_eq!((&slice["pid"], &slice["tid"]), (&end["pid"], &end["tid"]));
        assert_eq!(
            slice["ts"], end["ts"],
            "the arrow ends where the work begins"
        );
        assert_eq!(
            slice["pid"] == 1,
            robots,
            "a process has a process of its own"
        );
    }
    find("i", "process 4711 is gone: signal 9");
}

#[test]
fn a_recording_comes_back_as_it_was() {
    let recording = everything();
    let json = recording.to_json();
    let again = Recording::from_json(&json).unwrap();
    assert_eq!(again.events, recording.events);
    assert_eq!(again.actors, recording.actors);
    assert_eq!(again.header.facts["tables"], "6");
    assert_eq!((again.dropped, again.complete), (1, true));
    assert_eq!(again.to_json(), json);
}

#[test]
fn virtual_time_gives_the_same_bytes_each_time() {
    assert_eq!(everything().to_json(), everything().to_json());
}

#[test]
fn every_cut_through_the_file_is_noticed() {
    let json = everything().to_json();
    for end in (0..json.trim_end().len()).filter(|&end| json.is_char_boundary(end)) {
        let error = Recording::from_json(&json[..end]).unwrap_err();
        assert!(
            matches!(error, ReadError::Truncated { .. }),
            "cut at {end}: {error}"
        );
    }
}

#[test]
fn damage_is_named() {
    let json = everything().to_json();
    let cases = [
        (
            "hello",
            "this is not a recording (expected value at line 1 column 1)",
        ),
        (
            "{}",
            "this is not a recording (it names no schema and version)",
        ),
        ("[1,2]", "this is not a recording"),
        (
            &json.replace("loopbot-flight", "paint"),
            "its schema is \"paint\"",
        ),
        (
            &json.replace("\"version\":1", "\"version\":2"),
            "a newer version made this recording (version 2;",
        ),
        (
            &json.replace("\"wake\"", "\"dream\""),
            "it has events of the kind \"dream\"",
        ),
        (
            &json.replace("\"kind\":\"loop\"", "\"kind\":\"ghost\""),
            "LoopBot is a \"ghost\"",
        ),
        (
            &json.replace("\"unit\":\"ns\"", "\"unit\":\"s\""),
            "its unit of time is \"s\"",
        ),
        (
            &json.replace("\"virtual\"", "\"lunar\""),
            "its clock is \"lunar\"",
        ),
        (
            &json.replace("\"strings\":[", "\"strings\":0,\"x\":["),
            "the recording is damaged: ",
        ),
        (
            &json.replace("\n[4,", "\n[3,"),
            "does not come after the event before it",
        ),
        (
            &json.replace("\n[4,3000,0,", "\n[4,3000,7,"),
            "belongs to a robot that the file does not name",
        ),
        (
            &json.replace(",0,2,1,1,0],", ",0,2,9,1,0],"),
            "names a task that the file does not hold",
        ),
        (
            &json.replace(",0,7,0,500,0],", ",0,7,99,500,0],"),
            "uses a text that the file does not hold",
        ),
        (
            &json.replace(",0,7,0,500,0],", ",0,77,0,500,0],"),
            "is of a kind that the file does not name",
        ),
        (
            &json.replace(",0,3,1,2,0],", ",0,3,1,5,0],"),
            "has numbers that mean nothing",
        ),
    ];
    for (broken, sentence) in cases {
        let error = Recording::from_json(broken)
            .expect_err(sentence)
            .to_string();
        assert!(error.contains(sentence), "{sentence:?} is not in {error:?}");
        assert!(!error.contains('\n'), "one sentence: {error}");
    }
}

#[test]
fn what_is_streamed_adds_up_to_the_recording() {
    let recorder = Recorder::new(Header::virtual_time("test", &VirtualTime::new()));
    let mut follower = recorder.follow();
    let lane = recorder.actor("GreetBot", ActorKind::Thread);
    lane.mark("step", "opens the door", 0);
    let mut whole: serde_json::Value = serde_json::from_str(&follower.first_line()).unwrap();
    assert_eq!(whole["live"], true);
    assert_eq!(follower.next_line(), None);
    lane.mark("step", "greets the Chens", 0);
    let second = follower.next_line().unwrap();
    drop(lane);
    let last = follower.last_line(0);
    for line in [second, last] {
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        for table in ["strings", "actors", "tasks", "locs", "events"] {
            let more = line[table].as_array().unwrap().clone();
            whole[table].as_array_mut().unwrap().extend(more);
        }
        whole["complete"] = line["end"]["complete"].as_bool().unwrap_or(false).into();
    }
    let streamed = Recording::from_json(&whole.to_string()).unwrap();
    assert_eq!(streamed.to_json(), recorder.recording().to_json());
    let _: Chunk = follower.next_chunk();
}

#[test]
fn a_chrome_trace_nests_and_its_arrows_have_slices_to_hang_on() {
    let trace: serde_json::Value = serde_json::from_str(&everything().to_chrome_trace()).unwrap();
    let rows = trace["traceEvents"].as_array().unwrap();
    let slices: Vec<_> = rows.iter().filter(|row| row["ph"] == "X").collect();
    let named = |name: &str| slices.iter().filter(|row| row["name"] == name).count();
    assert_eq!(named("soufflé"), 1, "the park");
    assert_eq!(
        named("the \"Chen\" party"),
        1,
        "its poll, on the robot's lane"
    );
    assert_eq!(named("running"), 2, "both polls, on the tasks' own lanes");
    assert_eq!((named("waits for soufflé"), named("holds soufflé")), (1, 1));
    let flows = |phase: &str| {
        rows.iter()
            .filter(|row| row["ph"] == phase)
            .collect::<Vec<_>>()
    };
    let (starts, ends) = (flows("s"), flows("f"));
    assert_eq!((starts.len(), ends.len()), (1, 1));
    assert_eq!(starts[0]["id"], ends[0]["id"]);
    for arrow in [starts[0], ends[0]] {
        let ts = arrow["ts"].as_f64().unwrap();
        let inside = slices.iter().any(|slice| {
            let begin = slice["ts"].as_f64().unwrap();
            slice["pid"] == arrow["pid"]
                && slice["tid"] == arrow["tid"]
                && (begin..=begin + slice["dur"].as_f64().unwrap()).contains(&ts)
        });
        assert!(inside, "{arrow}");
    }
    assert!(
        rows.iter()
            .all(|row| row["ph"] != "X" || row["dur"].as_f64().unwrap() >= 0.0)
    );
}

#[test]
fn a_name_that_is_new_before_its_event_reaches_the_stream() {
    let recorder = Recorder::new(Header::virtual_time("test", &VirtualTime::new()));
    let lane = recorder.actor("ChefBot", ActorKind::Thread);
    let mut follower = recorder.follow();
    follower.first_line();
    let why = lane.text("a slip");
    let names = follower.next_line().expect("the name is new");
    assert!(names.contains("a slip"));
    lane.record(Event::ParkBegin { why, until: 0 });
    assert!(follower.next_line().is_some());
    assert_eq!(follower.next_line(), None);
}
