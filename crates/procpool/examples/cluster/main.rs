//! Three kitchens and one pass: orders go to other machines, one of which is killed in the middle of the evening.
//!
//! ```text
//! cargo run -p procpool --features nats --example cluster
//! ```
//!
//! It needs `nats-server` (Debian: `apt-get install nats-server`) and starts one of its own. The three machines are
//! processes, each with its own pool of two workers. Each connects from a loopback address of its own, 127.0.0.2 to
//! 127.0.0.4, and the table below prints the addresses that the server sees. So this shows what a cluster does when a
//! machine's processes are gone from one moment to the next. It does not show a cable that is cut: when a process dies,
//! the kernel closes its connections, and the server knows at once. (The server does not need to know. It gives an order
//! to another machine when the `ack_wait` is over.)

mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant, SystemTime};

use procpool::cluster::async_nats::ConnectOptions;
use procpool::cluster::{self, Cluster, Settings};
use procpool::{JobError, Jobs, Pool, Submit};
use serde::{Deserialize, Serialize};

use server::Server;

const ORDERS: u32 = 120;
/// Every fourth order is sent twice, with the same key, by a second waiter.
const TWICE: u32 = 4;
const MACHINES: [&str; 3] = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
/// The one that is killed.
const VICTIM: &str = MACHINES[1];
/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What comes out of the kitchen. Two dishes are equal only if they are the same one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Dish {
    order: u32,
    machine: String,
    cook: u32,
    ready_at: u128,
}

/// Cooks, and writes into the ledger when it begins and when it is done, so that there is a witness.
fn cook((order, millis): (u32, u64)) -> Dish {
    write_down(&format!("begin {order}"));
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(millis) {
        std::thread::sleep(Duration::from_millis(1));
    }
    write_down(&format!("end {order}"));
    Dish {
        order,
        machine: machine_name(),
        cook: std::process::id(),
        ready_at: SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |time| time.as_nanos()),
    }
}

fn weigh(flour: u32) -> usize {
    let is_prime = |n: &u32| {
        (2..)
            .take_while(|d| d * d <= *n)
            .all(|d| !n.is_multiple_of(d))
    };
    (2..flour).filter(is_prime).count()
}

fn kitchen() -> Jobs {
    procpool::jobs![cook, weigh]
}

fn machine_name() -> String {
    std::env::var("KITCHEN_MACHINE").unwrap_or_default()
}

fn write_down(line: &str) {
    if let Ok(path) = std::env::var("KITCHEN_LEDGER")
        && let Ok(mut ledger) = OpenOptions::new().append(true).create(true).open(path)
    {
        // One write, so that lines of several cooks do not mix.
        let _ = ledger.write_all(format!("{} {line}\n", machine_name()).as_bytes());
    }
}

fn main() -> ExitCode {
    procpool::worker_entry(kitchen);
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["machine", address, url, ledger] => machine(address, url, ledger),
        _ => evening(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn settings(url: &str) -> Settings {
    Settings::new(url)
        .name("kitchen")
        .ack_wait(Duration::from_secs(1))
        .keep(Duration::from_secs(600))
        .patience(PATIENCE)
}

// ANCHOR: machine
/// What runs on each machine: a pool, which serves the queue until standard input ends.
fn machine(address: &str, url: &str, ledger: &str) -> Result<(), Box<dyn Error>> {
    let pool = Pool::builder(kitchen())
        .workers(2)
        .env("KITCHEN_MACHINE", address)
        .env("KITCHEN_LEDGER", ledger)
        .build()?;
    let local: IpAddr = address.parse()?;
    let options = ConnectOptions::new()
        .name(address)
        .local_address(SocketAddr::new(local, 0));
    let (closed, until) = futures::channel::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = closed.send(());
    });
    let until = async {
        let _ = until.await;
    };
    let served = cluster::serve_until(&pool, settings(url).connect(options), until)?;
    println!("{} {} {}", served.done, served.late, served.known);
    Ok(())
}
// ANCHOR_END: machine

// ANCHOR: trait
/// A program that does not know who weighs.
async fn baking(kitchen: &impl Submit) -> Result<usize, JobError> {
    let bags: Vec<_> = (1..=6)
        .map(|bag| kitchen.submit(weigh, bag * 1000))
        .collect();
    let mut primes = 0;
    for bag in bags {
        primes += bag.await?;
    }
    Ok(primes)
}
// ANCHOR_END: trait

fn evening() -> Result<(), Box<dyn Error>> {
    let Some(server) = Server::start()? else {
        return Err("nats-server is not installed. On Debian: apt-get install nats-server".into());
    };
    let folder = tempfile::tempdir()?;
    let ledger = folder.path().join("ledger");
    let mut machines = MACHINES
        .iter()
        .map(|address| Machine::start(address, &server.url, &ledger))
        .collect::<Result<Vec<_>, _>>()?;
    wait("all machines are at the server", || {
        Ok(server.clients()?.len() == MACHINES.len())
    })?;
    println!("The server at {} sees these machines:", server.url);
    for (name, address) in server.clients()? {
        println!("  {name}, connected from {address}");
    }

    println!("The same program on a pool here and on the machines:");
    let here = Pool::builder(kitchen()).workers(1).build()?;
    let there = Cluster::connect(kitchen(), settings(&server.url))?;
    let (on_pool, on_cluster) =
        futures::executor::block_on(async { (baking(&here).await, baking(&there).await) });
    println!("  {} and {}", on_pool?, on_cluster?);
    here.shut_down();

    // ANCHOR: orders
    let begin = Instant::now();
    let second_waiter = Cluster::connect(kitchen(), settings(&server.url))?;
    let mut answers = Vec::new();
    for order in 0..ORDERS {
        let key = format!("order-{order}");
        answers.push(there.job(cook).key(&key).submit((order, 40)));
        if order % TWICE == 0 {
            answers.push(second_waiter.job(cook).key(&key).submit((order, 40)));
        }
    }
    println!("{} orders, {} submissions.", ORDERS, answers.len());
    // ANCHOR_END: orders

    wait(
        "the machine to be killed is in the middle of its work",
        || {
            let lines = Ledger::read(&ledger)?;
            Ok(lines.finished(VICTIM).len() >= 10 && !lines.in_hand(VICTIM).is_empty())
        },
    )?;
    machines[1].process.kill()?;
    machines[1].process.wait()?;
    let killed = begin.elapsed();
    let lost = Ledger::read(&ledger)?.in_hand(VICTIM);
    println!("{VICTIM} was killed after {killed:.1?}, with {lost:?} on its stoves.");

    let mut dishes: BTreeMap<u32, Dish> = BTreeMap::new();
    let mut doubled = 0;
    for answer in answers {
        let dish = match answer.wait() {
            Ok(dish) => dish,
            Err(error) => {
                println!(
                    "{error}; with machines: {}",
                    server.in_hand("kitchen-orders")?
                );
                continue;
            }
        };
        let first = dishes.entry(dish.order).or_insert_with(|| dish.clone());
        doubled += u32::from(*first != dish);
    }
    let took = begin.elapsed();

    let mut served = BTreeMap::new();
    for machine in &mut machines {
        served.insert(machine.address, machine.stop()?);
    }
    let ledger = Ledger::read(&ledger)?;
    println!();
    println!("machine    | begun | finished | counts in the result | too late | known already");
    println!("-----------|------:|---------:|---------------------:|---------:|--------------:");
    for address in MACHINES {
        let counts = dishes
            .values()
            .filter(|dish| dish.machine == address)
            .count();
        let (late, known) = match served.get(address).and_then(Option::as_ref) {
            Some(Served { late, known }) => (late.to_string(), known.to_string()),
            None => ("killed".to_owned(), "killed".to_owned()),
        };
        let (begun, finished) = (ledger.begun(address).len(), ledger.finished(address).len());
        println!("{address:10} | {begun:5} | {finished:8} | {counts:20} | {late:>8} | {known:>14}");
    }
    println!();
    let missing: Vec<u32> = (0..ORDERS)
        .filter(|order| !dishes.contains_key(order))
        .collect();
    let twice = ledger.finished_twice();
    let baked = 6;
    let results = server.messages("KV_kitchen-results")? - baked;
    let left = server.messages("kitchen-orders")?;
    println!("lost: {} of {ORDERS} orders", missing.len());
    println!(
        "doubled: {doubled} orders with two different dishes; {results} results are stored for {ORDERS} orders"
    );
    println!("left in the queue: {left}");
    println!("cooked to the end more than once: {twice:?}");
    println!("all of it took {took:.1?}");
    if !missing.is_empty() || doubled > 0 || results != u64::from(ORDERS) || left > 0 {
        return Err("that is not what was promised".into());
    }
    Ok(())
}

/// A process that is a machine.
struct Machine {
    address: &'static str,
    process: Child,
}

struct Served {
    late: u64,
    known: u64,
}

impl Machine {
    fn start(address: &'static str, url: &str, ledger: &Path) -> Result<Machine, Box<dyn Error>> {
        let process = Command::new(std::env::current_exe()?)
            .args(["machine", address, url])
            .arg(ledger)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Machine { address, process })
    }

    /// Lets it finish; `None` if it was killed.
    fn stop(&mut self) -> Result<Option<Served>, Box<dyn Error>> {
        drop(self.process.stdin.take());
        wait("a machine goes home", || {
            Ok(self.process.try_wait()?.is_some())
        })?;
        let mut said = String::new();
        if let Some(stdout) = &mut self.process.stdout {
            stdout.read_to_string(&mut said)?;
        }
        let numbers: Vec<u64> = said
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect();
        Ok(match numbers[..] {
            [_, late, known] => Some(Served { late, known }),
            _ => None,
        })
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the cooks have written down: machine, what, order.
struct Ledger(Vec<(String, bool, u32)>);

impl Ledger {
    fn read(path: &Path) -> Result<Ledger, Box<dyn Error>> {
        let text = match path.exists() {
            true => std::fs::read_to_string(path)?,
            false => String::new(),
        };
        let entry = |line: &str| {
            let mut words = line.split(' ');
            let (machine, what) = (words.next()?.to_owned(), words.next()? == "end");
            Some((machine, what, words.next()?.parse().ok()?))
        };
        Ok(Ledger(text.lines().filter_map(entry).collect()))
    }

    fn orders(&self, machine: &str, end: bool) -> Vec<u32> {
        let mine = self
            .0
            .iter()
            .filter(|(name, what, _)| name == machine && *what == end);
        mine.map(|(_, _, order)| *order).collect()
    }

    fn begun(&self, machine: &str) -> Vec<u32> {
        self.orders(machine, false)
    }

    fn finished(&self, machine: &str) -> Vec<u32> {
        self.orders(machine, true)
    }

    fn in_hand(&self, machine: &str) -> BTreeSet<u32> {
        let finished: BTreeSet<u32> = self.finished(machine).into_iter().collect();
        self.begun(machine)
            .into_iter()
            .filter(|order| !finished.contains(order))
            .collect()
    }

    fn finished_twice(&self) -> BTreeSet<u32> {
        let mut seen = BTreeSet::new();
        let ended = self.0.iter().filter(|(_, end, _)| *end);
        ended
            .filter(|(_, _, order)| !seen.insert(*order))
            .map(|(_, _, order)| *order)
            .collect()
    }
}

fn wait(
    what: &str,
    mut until: impl FnMut() -> Result<bool, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        if until()? {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(format!("after {PATIENCE:?} it is still not so that {what}").into())
}
