//! What a console hears of a LoopBot, over the real wire.

use std::net::Ipv4Addr;
use std::thread;
use std::time::Duration;

use console_api::field::Value;
use console_api::instrument::InstrumentRequest;
use console_api::instrument::instrument_client::InstrumentClient;
use console_api::tasks::TaskUpdate;
use flight::{Header, Recorder};
use loopbot::{LoopBot, spawn_named, yield_now};

#[test]
fn a_console_hears_of_every_task_and_every_poll() {
    let recorder = Recorder::new(Header::monotonic("test"));
    let address = loopbot_console::serve(&recorder, (Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let robot = LoopBot::builder().recorder(recorder).build();
    robot.run(async {
        let fidget = spawn_named("the fidget", async {
            for _ in 0..9 {
                yield_now().await;
            }
        });
        fidget.await.unwrap();
    });

    let update = thread::spawn(move || first_update(format!("http://{address}")));
    let update = update.join().unwrap();

    assert_eq!(update.dropped_events, 0);
    let fidget = update.new_tasks.iter().find(|task| {
        let name = Value::StrVal("the fidget".to_string());
        task.fields
            .iter()
            .any(|field| field.value.as_ref() == Some(&name))
    });
    let fidget = fidget.expect("the fidget is among the tasks");
    let stats = &update.stats_update[&fidget.id.unwrap().id];
    assert!(stats.dropped_at.is_some(), "it is over: {stats:?}");
    assert_eq!(stats.self_wakes, 9);
    let polls = stats.poll_stats.unwrap();
    assert_eq!(polls.polls, 10);
}

fn first_update(address: String) -> TaskUpdate {
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let hear = async {
        let mut console = InstrumentClient::connect(address).await.unwrap();
        let updates = console.watch_updates(InstrumentRequest {}).await.unwrap();
        updates.into_inner().message().await.unwrap().unwrap()
    };
    let heard = tokio.block_on(async { tokio::time::timeout(Duration::from_secs(10), hear).await });
    let update = heard.expect("the console heard nothing for ten seconds");
    update.task_update.unwrap()
}
