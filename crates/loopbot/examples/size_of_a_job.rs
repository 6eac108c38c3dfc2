//! How large a job is that can be left in the middle. `cargo run -p loopbot --example size_of_a_job`

use std::time::Duration;

use loopbot::sleep;

const WALK: Duration = Duration::from_millis(20);

// ANCHOR: lay
async fn lay(table: u32) -> String {
    sleep(WALK).await; // to the cupboard
    let cloth = format!("the blue cloth for table {table}");
    sleep(WALK).await; // to the table
    cloth
}
// ANCHOR_END: lay

fn main() {
    let job = lay(2);
    println!("{} bytes, before its first poll", size_of_val(&job));
    println!("{}", loopbot::run(job));
}
