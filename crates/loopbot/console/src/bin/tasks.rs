//! The tasks of a running LoopBot, printed once, over the wire that tokio-console uses.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use console_api::field::Value;
use console_api::instrument::InstrumentRequest;
use console_api::instrument::instrument_client::InstrumentClient;
use console_api::tasks::{Stats, Task};

/// So many updates are waited for, the first of which has everything.
const UPDATES: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let address = address.unwrap_or_else(|| "http://127.0.0.1:6669".to_string());
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    tokio.block_on(async { tokio::time::timeout(Duration::from_secs(10), print(address)).await? })
}

async fn print(address: String) -> Result<(), Box<dyn Error>> {
    let mut console = InstrumentClient::connect(address).await?;
    let mut updates = console
        .watch_updates(InstrumentRequest {})
        .await?
        .into_inner();
    let mut tasks: BTreeMap<u64, (String, Stats)> = BTreeMap::new();
    for _ in 0..UPDATES {
        let Some(update) = updates.message().await? else {
            break;
        };
        let update = update.task_update.unwrap_or_default();
        for task in update.new_tasks {
            let id = task.id.unwrap_or_default().id;
            tasks.insert(id, (name(&task), Stats::default()));
        }
        for (id, stats) in update.stats_update {
            if let Some(task) = tasks.get_mut(&id) {
                task.1 = stats;
            }
        }
    }
    println!(
        "{:>4} {:20} {:9} {:>7} {:>12} {:>12} {:>6} {:>5}",
        "id", "name", "state", "polls", "busy", "scheduled", "wakes", "self"
    );
    for (id, (name, stats)) in tasks {
        let polls = stats.poll_stats.unwrap_or_default();
        println!(
            "{id:>4} {name:20} {:9} {:>7} {:>12} {:>12} {:>6} {:>5}",
            if stats.dropped_at.is_some() {
                "over"
            } else {
                "there"
            },
            polls.polls,
            millis(polls.busy_time),
            millis(stats.scheduled_time),
            stats.wakes,
            stats.self_wakes,
        );
    }
    Ok(())
}

fn name(task: &Task) -> String {
    let values = task.fields.iter().filter_map(|field| field.value.as_ref());
    let first = values.into_iter().next();
    match first {
        Some(Value::StrVal(name)) => name.clone(),
        _ => "nameless".to_string(),
    }
}

fn millis(duration: Option<prost_types::Duration>) -> String {
    let duration: Duration = duration
        .and_then(|duration| duration.try_into().ok())
        .unwrap_or_default();
    format!("{:.3} ms", duration.as_secs_f64() * 1e3)
}
