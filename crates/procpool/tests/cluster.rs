//! What is promised of jobs on other machines, one test for each promise, against a real server. Without `nats-server`
//! they are skipped. Every wait in here has an end.
//!
//! A machine is a thread of this process with a pool of its own, or, where it is to be killed or stopped, a process.

#[cfg(target_os = "linux")]
#[path = "../examples/cluster/server.rs"]
mod server;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("pools run on Linux only so far, so this is skipped");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeSet;
    use std::fs::OpenOptions;
    use std::io::{Read, Write};
    use std::path::Path;
    use std::pin::Pin;
    use std::process::{Child, Command, ExitCode, Stdio};
    use std::sync::{Arc, Barrier, Mutex, PoisonError};
    use std::thread::JoinHandle;
    use std::time::{Duration, Instant};

    use futures::channel::oneshot;
    use futures::executor::block_on;
    use libtest_mimic::{Arguments, Failed, Trial};
    use procpool::cluster::{self, Cluster, ClusterError, Served, Settings};
    use procpool::{Blob, JobError, Jobs, Pool, Submit};
    use rustix::process::{Pid, Signal, getppid, kill_process};
    use serde::{Deserialize, Serialize};

    use crate::server::Server;

    /// How long anything may take, on a machine that has a lot to do besides.
    const PATIENCE: Duration = Duration::from_secs(60);

    type Test = Result<(), Failed>;

    /// What a cook makes. Equal only if it is the same one.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Dish {
        order: u32,
        cook: u32,
        /// How many lines were in the ledger before.
        line: usize,
    }

    /// Writes into the ledger, and waits until the file `gate` is there, if there is to be one.
    fn cook((ledger, gate, order): (String, String, u32)) -> Dish {
        let line = read(&ledger).lines().count();
        if let Ok(mut file) = OpenOptions::new().append(true).create(true).open(&ledger) {
            let _ = file.write_all(
                format!(
                    "{order} {}\n",
                    getppid().map_or(0, |pid| pid.as_raw_nonzero().get())
                )
                .as_bytes(),
            );
        }
        let begin = Instant::now();
        while !gate.is_empty() && !Path::new(&gate).exists() && begin.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
        Dish {
            order,
            cook: std::process::id(),
            line,
        }
    }

    fn double(number: u32) -> u32 {
        number * 2
    }

    fn burn(dish: String) -> String {
        panic!("the {dish} is burnt")
    }

    fn choke(_: ()) {
        std::process::abort()
    }

    /// Kills the machine that its worker belongs to.
    fn poison(_: ()) {
        if let Some(machine) = getppid() {
            let _ = kill_process(machine, Signal::KILL);
        }
        std::thread::sleep(PATIENCE);
    }

    fn turn(picture: Blob) -> Blob {
        Blob::build(picture.len(), |bytes| {
            for (new, old) in bytes.iter_mut().zip(picture.iter().rev()) {
                *new = *old;
            }
        })
    }

    fn swell(bytes: usize) -> Blob {
        Blob::build(bytes, |bytes| bytes.fill(1))
    }

    fn kitchen() -> Jobs {
        procpool::jobs![cook, double, burn, choke, poison, turn, swell]
    }

    pub fn main() -> ExitCode {
        procpool::worker_entry(kitchen);
        let args: Vec<String> = std::env::args().skip(1).collect();
        if let ["machine", name, url] = args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            return machine_process(name, url);
        }
        let server = match Server::start() {
            Ok(Some(server)) => Arc::new(Mutex::new(server)),
            Ok(None) => {
                println!("nats-server is not installed, so the tests of the cluster are skipped");
                return ExitCode::SUCCESS;
            }
            Err(error) => {
                eprintln!("nats-server does not start: {error}");
                return ExitCode::FAILURE;
            }
        };
        let to_kill = Arc::clone(&server);
        std::thread::spawn(move || {
            std::thread::sleep(5 * PATIENCE);
            eprintln!("the tests of the cluster should have ended long ago");
            let _ = to_kill.try_lock().map(|mut server| server.kill());
            std::process::exit(1);
        });
        let mut trials = vec![
            Trial::test("a_short_outage_is_bridged_and_a_long_one_is_told", outages),
            Trial::test("a_silent_server_is_noticed", silence),
            Trial::test("a_server_that_is_not_there_is_told", nobody_there),
            Trial::test(
                "who_comes_while_the_queue_is_made_waits_for_it",
                in_the_making,
            ),
        ];
        macro_rules! tests {
            ($($name:ident),* $(,)?) => {$(
                let server_too = Arc::clone(&server);
                trials.push(Trial::test(stringify!($name), move || $name(&Hall::new(stringify!($name), server_too)?)));
            )*};
        }
        tests![
            a_job_gives_its_value_or_its_panic,
            a_program_written_for_a_pool_runs_on_machines,
            awaiting_can_be_given_up_and_taken_up_again,
            the_same_key_is_the_same_order,
            an_order_that_is_queued_twice_is_cooked_once,
            nothing_is_lost_or_doubled_when_a_machine_is_killed,
            a_machine_that_stood_still_comes_too_late,
            a_long_job_is_not_taken_for_a_dead_machine,
            a_job_that_kills_its_workers_is_given_up,
            a_job_that_kills_its_machines_is_given_up,
            a_machine_takes_an_order_for_each_worker,
            a_full_queue_lets_submitters_wait,
            a_submitter_has_so_many_jobs_on_their_way,
            an_order_without_machines_stands,
            a_pool_that_is_shut_down_makes_its_machine_leave,
            what_is_too_large_is_refused,
            settings_that_others_do_not_share_are_told,
            all_who_come_at_the_same_moment_find_the_queue,
            an_order_waits_for_a_queue_that_is_made_anew,
        ];
        let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
        let mut server = server.lock().unwrap_or_else(PoisonError::into_inner);
        if conclusion.has_failed() {
            println!(
                "What the server has left: {}",
                server.ask("/jsz?consumers=true").unwrap_or_default()
            );
        }
        let _ = server.kill();
        conclusion.exit_code()
    }

    /// A queue of its own for each test.
    struct Hall {
        server: Arc<Mutex<Server>>,
        url: String,
        name: String,
        folder: tempfile::TempDir,
    }

    impl Hall {
        fn new(name: &str, server: Arc<Mutex<Server>>) -> Result<Hall, Failed> {
            let url = server
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .url
                .clone();
            Ok(Hall {
                server,
                url,
                name: name.to_owned(),
                folder: tempfile::tempdir()?,
            })
        }

        fn settings(&self) -> Settings {
            settings(&self.name, &self.url)
        }

        fn cluster(&self) -> Result<Cluster, ClusterError> {
            Cluster::connect(kitchen(), self.settings())
        }

        fn path(&self, name: &str) -> String {
            self.folder.path().join(name).to_string_lossy().into_owned()
        }

        /// An order that is written into the ledger; with a gate, it is not done before that is opened.
        fn order(&self, gate: &str, number: u32) -> (String, String, u32) {
            let gate = if gate.is_empty() {
                String::new()
            } else {
                self.path(gate)
            };
            (self.path("ledger"), gate, number)
        }

        fn open(&self, gate: &str) -> Test {
            Ok(std::fs::write(self.path(gate), "")?)
        }

        /// Order and machine of every job that was begun.
        fn ledger(&self) -> Vec<(u32, u32)> {
            let text = read(&self.path("ledger"));
            let entry = |line: &str| {
                let (order, machine) = line.split_once(' ')?;
                Some((order.parse().ok()?, machine.parse().ok()?))
            };
            text.lines().filter_map(entry).collect()
        }

        fn orders_left(&self) -> Result<u64, Failed> {
            Ok(self.lock().messages(&format!("{}-orders", self.name))?)
        }

        fn results(&self) -> Result<u64, Failed> {
            Ok(self.lock().messages(&format!("KV_{}-results", self.name))?)
        }

        fn lock(&self) -> std::sync::MutexGuard<'_, Server> {
            self.server.lock().unwrap_or_else(PoisonError::into_inner)
        }

        /// How many orders are with machines and not acknowledged.
        fn in_hand(&self) -> Result<u64, Failed> {
            Ok(self.lock().in_hand(&format!("{}-orders", self.name))?)
        }
    }

    fn settings(name: &str, url: &str) -> Settings {
        Settings::new(url)
            .name(name)
            .ack_wait(Duration::from_secs(2))
            .patience(PATIENCE)
    }

    fn read(path: &str) -> String {
        std::fs::read_to_string(path).unwrap_or_default()
    }

    fn wait_until(what: &str, mut is_so: impl FnMut() -> Result<bool, Failed>) -> Test {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if is_so()? {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(format!("after {PATIENCE:?} it is still not so that {what}").into())
    }

    /// A machine in a thread. It stops when this is dropped.
    struct Machine {
        stop: Option<oneshot::Sender<()>>,
        thread: Option<JoinHandle<Result<Served, ClusterError>>>,
        pool: Pool,
    }

    impl Machine {
        fn start(settings: Settings, workers: usize) -> Result<Machine, Failed> {
            let pool = Pool::builder(kitchen()).workers(workers).build()?;
            let (stop, stopped) = oneshot::channel::<()>();
            let its = pool.clone();
            let thread = std::thread::spawn(move || {
                let served = cluster::serve_until(&its, settings, async {
                    let _ = stopped.await;
                });
                // Who waits for this machine's work shall not have to guess why it does not come.
                if let Err(error) = &served {
                    eprintln!("a machine has left: {error}");
                }
                served
            });
            Ok(Machine {
                stop: Some(stop),
                thread: Some(thread),
                pool,
            })
        }

        fn stop(mut self) -> Result<Served, Failed> {
            self.stop.take();
            self.end()
        }

        fn end(&mut self) -> Result<Served, Failed> {
            let thread = self.thread.take().ok_or("it has ended already")?;
            let served = thread.join().map_err(|_| "the machine has panicked")?;
            Ok(served?)
        }
    }

    impl Drop for Machine {
        fn drop(&mut self) {
            self.stop.take();
            let _ = self.end();
        }
    }

    /// A machine in a process. It is killed when this is dropped.
    struct Process(Child);

    impl Process {
        fn start(hall: &Hall) -> Result<Process, Failed> {
            let child = Command::new(std::env::current_exe()?)
                .args(["machine", &hall.name, &hall.url])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            Ok(Process(child))
        }

        fn signal(&self, signal: Signal) -> Test {
            self::signal(self.0.id(), signal)
        }

        fn has_ended(&mut self) -> Result<bool, Failed> {
            Ok(self.0.try_wait()?.is_some())
        }

        /// Lets it finish: how many results counted, and how many came too late.
        fn stop(mut self) -> Result<(u64, u64), Failed> {
            self.0.stdin.take();
            wait_until("the machine has ended", || self.has_ended())?;
            let mut said = String::new();
            self.0
                .stdout
                .take()
                .ok_or("it has no output")?
                .read_to_string(&mut said)?;
            let numbers: Vec<u64> = said
                .split_whitespace()
                .filter_map(|word| word.parse().ok())
                .collect();
            match numbers[..] {
                [done, late] => Ok((done, late)),
                _ => Err(format!("the machine said {said:?}").into()),
            }
        }
    }

    impl Drop for Process {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn signal(pid: u32, signal: Signal) -> Test {
        let pid = i32::try_from(pid)
            .ok()
            .and_then(Pid::from_raw)
            .ok_or("no such process")?;
        Ok(kill_process(pid, signal)?)
    }

    fn machine_process(name: &str, url: &str) -> ExitCode {
        let (closed, until) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            let _ = closed.send(());
        });
        let serve = || -> Result<Served, Box<dyn std::error::Error>> {
            let pool = Pool::builder(kitchen()).workers(2).build()?;
            let until = async {
                let _ = until.await;
            };
            Ok(cluster::serve_until(
                &pool,
                settings(name, url).attempts(2),
                until,
            )?)
        };
        match serve() {
            Ok(served) => {
                println!("{} {}", served.done, served.late);
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        }
    }

    fn a_job_gives_its_value_or_its_panic(hall: &Hall) -> Test {
        let machine = Machine::start(hall.settings(), 1)?;
        let cluster = hall.cluster()?;
        assert_eq!(cluster.submit(double, 21).wait()?, 42);
        match cluster.submit(burn, "cake".to_owned()).wait() {
            Err(JobError::Panicked(panic)) => assert_eq!(panic.message, "the cake is burnt"),
            other => return Err(format!("{other:?}").into()),
        }
        let unknown = cluster.submit(|(): ()| 1, ()).wait();
        assert!(
            matches!(&unknown, Err(JobError::Encode(why)) if why.contains("list of jobs")),
            "{unknown:?}"
        );
        let served = machine.stop()?;
        assert_eq!((served.done, served.given_back, served.given_up), (2, 0, 0));
        assert_eq!(hall.orders_left()?, 0);
        Ok(())
    }

    fn a_program_written_for_a_pool_runs_on_machines(hall: &Hall) -> Test {
        async fn sum(kitchen: &impl Submit) -> Result<u32, JobError> {
            let answers: Vec<_> = (0..20)
                .map(|number| kitchen.submit(double, number))
                .collect();
            let mut sum = 0;
            for answer in answers {
                sum += answer.await?;
            }
            Ok(sum)
        }
        let _machine = Machine::start(hall.settings(), 2)?;
        let pool = Pool::builder(kitchen()).workers(1).build()?;
        assert_eq!(block_on(sum(&pool))?, 380);
        assert_eq!(block_on(sum(&hall.cluster()?))?, 380);
        Ok(())
    }

    fn awaiting_can_be_given_up_and_taken_up_again(hall: &Hall) -> Test {
        let cluster = hall.cluster()?;
        let mut answer = cluster.submit(double, 4);
        let first = block_on(async { futures::poll!(Pin::new(&mut answer)) });
        assert!(first.is_pending(), "nobody is there who could have done it");
        let _machine = Machine::start(hall.settings(), 1)?;
        assert_eq!(answer.wait()?, 8);
        // And dropping an answer takes nothing back.
        drop(cluster.job(cook).key("dropped").submit(hall.order("", 1)));
        wait_until("the job whose answer was dropped is done", || {
            Ok(hall.results()? == 2)
        })?;
        assert_eq!(hall.ledger().len(), 1);
        Ok(())
    }

    fn the_same_key_is_the_same_order(hall: &Hall) -> Test {
        let machine = Machine::start(hall.settings(), 2)?;
        let (here, there) = (hall.cluster()?, hall.cluster()?);
        let submit = |cluster: &Cluster, number| {
            cluster
                .job(cook)
                .key("table-7")
                .submit(hall.order("gate", number))
        };
        let answers = [submit(&here, 7), submit(&there, 7), submit(&here, 7)];
        hall.open("gate")?;
        let dishes = answers
            .into_iter()
            .map(|answer| answer.wait())
            .collect::<Result<Vec<_>, _>>()?;
        assert!(dishes.iter().all(|dish| *dish == dishes[0]), "{dishes:?}");
        assert_eq!(submit(&there, 7).wait()?, dishes[0], "the result is kept");
        assert_eq!(hall.ledger().len(), 1, "and it was cooked once");

        let taken = submit(&here, 8).wait();
        assert!(
            matches!(taken, Err(JobError::Cluster(ClusterError::KeyTaken { .. }))),
            "{taken:?}"
        );
        assert_eq!(
            here.job(double).key("table-7").submit(1).wait()?,
            2,
            "another function, another order"
        );
        let bad = here.job(double).key("table 7").submit(1).wait();
        assert!(
            matches!(bad, Err(JobError::Cluster(ClusterError::BadKey { .. }))),
            "{bad:?}"
        );
        assert_eq!(machine.stop()?.done, 2);
        Ok(())
    }

    fn an_order_that_is_queued_twice_is_cooked_once(hall: &Hall) -> Test {
        // The server remembers the order for as long as this; then it takes it a second time.
        let settings = hall.settings().keep(Duration::from_secs(2));
        let cluster = Cluster::connect(kitchen(), settings.clone())?;
        let mut answers = Vec::new();
        wait_until("it is queued twice", || {
            answers.push(cluster.job(cook).key("again").submit(hall.order("", 1)));
            std::thread::sleep(Duration::from_millis(100));
            Ok(hall.orders_left()? == 2)
        })?;
        let machine = Machine::start(settings, 1)?;
        let dishes = answers
            .into_iter()
            .map(|answer| answer.wait())
            .collect::<Result<Vec<_>, _>>()?;
        assert!(
            dishes.len() > 1 && dishes.iter().all(|dish| *dish == dishes[0]),
            "{dishes:?}"
        );
        wait_until("the queue is empty", || Ok(hall.orders_left()? == 0))?;
        let served = machine.stop()?;
        assert_eq!((served.done, served.known, hall.ledger().len()), (1, 1, 1));
        Ok(())
    }

    fn nothing_is_lost_or_doubled_when_a_machine_is_killed(hall: &Hall) -> Test {
        let cluster = hall.cluster()?;
        let second = hall.cluster()?;
        let mut answers = Vec::new();
        for order in 0..40 {
            let key = format!("order-{order}");
            answers.push(
                cluster
                    .job(cook)
                    .key(&key)
                    .submit(hall.order("gate", order)),
            );
            if order % 4 == 0 {
                answers.push(second.job(cook).key(&key).submit(hall.order("gate", order)));
            }
        }
        let mut victim = Process::start(hall)?;
        let pid = victim.0.id();
        let begun = || {
            hall.ledger()
                .into_iter()
                .filter(|(_, machine)| *machine == pid)
                .map(|(order, _)| order)
                .collect::<BTreeSet<u32>>()
        };
        wait_until("the machine has two orders in hand", || {
            Ok(begun().len() >= 2)
        })?;
        victim.0.kill()?;
        victim.0.wait()?;
        hall.open("gate")?;
        let others = [Process::start(hall)?, Process::start(hall)?];
        let mut dishes = std::collections::BTreeMap::new();
        for answer in answers {
            let dish = answer.wait()?;
            let first = dishes.entry(dish.order).or_insert_with(|| dish.clone());
            assert_eq!(*first, dish, "one result for one key");
        }
        assert_eq!(
            dishes.keys().copied().collect::<Vec<_>>(),
            (0..40).collect::<Vec<_>>()
        );
        let mut done = 0;
        for other in others {
            done += other.stop()?.0;
        }
        assert_eq!(done, 40, "the dead machine could not finish anything");
        assert_eq!((hall.results()?, hall.orders_left()?), (40, 0));
        let again = begun();
        assert!(
            again.iter().all(|order| hall
                .ledger()
                .iter()
                .filter(|(other, _)| other == order)
                .count()
                >= 2),
            "what it had begun was begun again: {again:?}"
        );
        Ok(())
    }

    fn a_machine_that_stood_still_comes_too_late(hall: &Hall) -> Test {
        let cluster = hall.cluster()?;
        let slow = Process::start(hall)?;
        let answer = cluster.job(cook).key("slow").submit(hall.order("gate", 1));
        wait_until("the first machine has it in hand", || {
            Ok(hall.ledger().len() == 1)
        })?;
        slow.signal(Signal::STOP)?;
        let quick = Process::start(hall)?;
        wait_until("it was given to the second one", || {
            Ok(hall.ledger().len() == 2)
        })?;
        hall.open("gate")?;
        let dish = answer.wait()?;
        assert_eq!(dish.line, 1, "the second one's counts");
        slow.signal(Signal::CONT)?;
        assert_eq!(slow.stop()?, (0, 1), "the first one comes too late");
        assert_eq!(quick.stop()?, (1, 0));
        let again = cluster
            .job(cook)
            .key("slow")
            .submit(hall.order("gate", 1))
            .wait()?;
        assert_eq!(again, dish, "and changes nothing");
        assert_eq!((hall.results()?, hall.orders_left()?), (1, 0));
        Ok(())
    }

    fn a_long_job_is_not_taken_for_a_dead_machine(hall: &Hall) -> Test {
        let machines = [
            Machine::start(hall.settings(), 1)?,
            Machine::start(hall.settings(), 1)?,
        ];
        let cluster = hall.cluster()?;
        let answer = cluster.job(cook).key("roast").submit(hall.order("gate", 1));
        wait_until("it is in hand", || Ok(hall.ledger().len() == 1))?;
        // Several times the ack_wait, as the other machine sees it: it would have it long since.
        for number in 0..80 {
            // Should it be given to the other one all the same, nobody is left for this. Then say so, and do not wait.
            let answer = cluster.submit(double, number);
            wait_until(
                "the other machine has doubled a number, or has the roast",
                || Ok(answer.is_done() || hall.ledger().len() > 1),
            )?;
            assert_eq!(hall.ledger().len(), 1, "it was taken for dead");
            assert_eq!(answer.wait()?, number * 2);
            std::thread::sleep(Duration::from_millis(80));
        }
        hall.open("gate")?;
        answer.wait()?;
        let done: u64 = machines
            .into_iter()
            .map(|machine| machine.stop().map_or(0, |served| served.done))
            .sum();
        assert_eq!(done, 81);
        Ok(())
    }

    fn a_job_that_kills_its_workers_is_given_up(hall: &Hall) -> Test {
        let machine = Machine::start(hall.settings().attempts(2), 1)?;
        let cluster = hall.cluster()?;
        match cluster.job(choke).key("bone").submit(()).wait() {
            Err(JobError::Poisoned { attempts: 2, last }) => {
                assert!(last.job.contains("choke"), "{last:?}")
            }
            other => return Err(format!("{other:?}").into()),
        }
        assert_eq!(cluster.submit(double, 1).wait()?, 2);
        let again = cluster.job(choke).key("bone").submit(()).wait();
        assert!(
            matches!(again, Err(JobError::Poisoned { .. })),
            "the result is kept: {again:?}"
        );
        let served = machine.stop()?;
        assert_eq!((served.done, served.given_back, served.given_up), (2, 1, 1));
        assert_eq!(hall.orders_left()?, 0);
        Ok(())
    }

    fn a_job_that_kills_its_machines_is_given_up(hall: &Hall) -> Test {
        let cluster = hall.cluster()?;
        let mut machines = vec![
            Process::start(hall)?,
            Process::start(hall)?,
            Process::start(hall)?,
        ];
        let answer = cluster.submit(poison, ());
        // Old servers sometimes lose count, and then it takes more machines. They come as they are needed.
        wait_until("it is given up", || {
            let mut alive = 0;
            for machine in &mut machines {
                alive += u32::from(!machine.has_ended()?);
            }
            if alive == 0 {
                machines.push(Process::start(hall)?);
            }
            Ok(answer.is_done())
        })?;
        assert_eq!(
            answer.wait(),
            Err(ClusterError::Abandoned { attempts: 2 }.into())
        );
        machines.push(Process::start(hall)?);
        assert_eq!(cluster.submit(double, 3).wait()?, 6, "the others go on");
        wait_until("the order is gone", || Ok(hall.orders_left()? == 0))
    }

    fn a_machine_takes_an_order_for_each_worker(hall: &Hall) -> Test {
        let cluster = hall.cluster()?;
        let answers: Vec<_> = (0..12)
            .map(|order| cluster.submit(cook, hall.order("gate", order)))
            .collect();
        wait_until("all are queued", || Ok(hall.orders_left()? == 12))?;
        let machine = Machine::start(hall.settings(), 2)?;
        wait_until("both cooks are at work", || Ok(hall.ledger().len() == 2))?;
        for _ in 0..20 {
            assert_eq!(
                (hall.in_hand()?, hall.ledger().len()),
                (2, 2),
                "the others wait at the server"
            );
        }
        hall.open("gate")?;
        let mut most = 0;
        for answer in answers {
            answer.wait()?;
            most = most.max(hall.in_hand()?);
        }
        assert!(most <= 2, "{most} in hand");
        assert_eq!(machine.stop()?.done, 12);
        Ok(())
    }

    fn a_full_queue_lets_submitters_wait(hall: &Hall) -> Test {
        let settings = hall.settings().backlog(3);
        let cluster = Cluster::connect(kitchen(), settings.clone())?;
        let answers: Vec<_> = (0..9)
            .map(|number| cluster.submit(double, number))
            .collect();
        wait_until("the queue is full", || Ok(hall.orders_left()? == 3))?;
        for _ in 0..20 {
            assert_eq!(hall.orders_left()?, 3);
        }
        let limit = Duration::from_millis(300);
        let none = cluster.job(double).patience(limit).submit(0).wait();
        assert!(
            matches!(
                none,
                Err(JobError::Cluster(ClusterError::NoAnswer {
                    ordered: false,
                    ..
                }))
            ),
            "{none:?}"
        );
        let _machine = Machine::start(settings, 1)?;
        for (number, answer) in (0..).zip(answers) {
            assert_eq!(answer.wait()?, number * 2);
        }
        Ok(())
    }

    fn a_submitter_has_so_many_jobs_on_their_way(hall: &Hall) -> Test {
        let cluster = Cluster::connect(kitchen(), hall.settings().unanswered(2))?;
        let answers: Vec<_> = (0..6)
            .map(|number| cluster.submit(double, number))
            .collect();
        wait_until("two are queued", || Ok(hall.orders_left()? == 2))?;
        for _ in 0..20 {
            assert_eq!(hall.orders_left()?, 2);
        }
        let _machine = Machine::start(hall.settings(), 1)?;
        for (number, answer) in (0..).zip(answers) {
            assert_eq!(answer.wait()?, number * 2);
        }
        Ok(())
    }

    fn an_order_without_machines_stands(hall: &Hall) -> Test {
        let cluster = hall.cluster()?;
        let order = || hall.order("", 1);
        let mut limit = Duration::from_millis(300);
        let none = loop {
            let late = cluster.job(cook).key("late").patience(limit);
            let none = late.submit(order()).wait();
            match &none {
                // The server had a lot to do. It is the same order next time.
                Err(JobError::Cluster(ClusterError::NoAnswer { ordered: false, .. }))
                    if limit < PATIENCE =>
                {
                    limit *= 2;
                }
                _ => break none,
            }
        };
        let told = ClusterError::NoAnswer {
            key: "late".to_owned(),
            after: limit,
            ordered: true,
            queue: "no machine has ever come for this list of jobs".to_owned(),
        };
        assert_eq!(none, Err(told.into()));
        assert_eq!(hall.orders_left()?, 1);
        drop(cluster);
        let _machine = Machine::start(hall.settings(), 1)?;
        hall.cluster()?
            .job(cook)
            .key("late")
            .submit(order())
            .wait()?;
        assert_eq!(hall.ledger().len(), 1, "asked for twice, ordered once");
        Ok(())
    }

    fn a_pool_that_is_shut_down_makes_its_machine_leave(hall: &Hall) -> Test {
        let mut leaving = Machine::start(hall.settings(), 1)?;
        let cluster = hall.cluster()?;
        assert_eq!(cluster.submit(double, 1).wait()?, 2);
        leaving.pool.shut_down();
        let answer = cluster.submit(double, 2);
        let left = leaving.thread.take().ok_or("it has ended already")?.join();
        let left = left.map_err(|_| "the machine has panicked")?;
        assert_eq!(left, Err(ClusterError::Pool(Box::new(JobError::ShutDown))));
        let staying = Machine::start(hall.settings(), 1)?;
        assert_eq!(answer.wait()?, 4, "another machine has it");
        assert_eq!(staying.stop()?.done, 1);
        Ok(())
    }

    fn what_is_too_large_is_refused(hall: &Hall) -> Test {
        let _machine = Machine::start(hall.settings(), 1)?;
        let cluster = hall.cluster()?;
        let picture = Blob::build(600 << 10, |bytes| {
            bytes.fill(0);
            bytes[0] = 9;
        });
        let turned = cluster.submit(turn, picture).wait()?;
        assert_eq!((turned.len(), turned[turned.len() - 1]), (600 << 10, 9));
        let argument = cluster
            .submit(turn, Blob::build(2 << 20, |bytes| bytes.fill(0)))
            .wait();
        assert!(
            matches!(&argument, Err(JobError::Encode(why)) if why.contains("server takes")),
            "{argument:?}"
        );
        let result = cluster.submit(swell, 2 << 20).wait();
        assert!(
            matches!(&result, Err(JobError::Encode(why)) if why.contains("the result")),
            "{result:?}"
        );
        Ok(())
    }

    /// With a server of its own, which it takes away.
    fn outages() -> Test {
        let mut server = Server::start()?.ok_or("nats-server is gone")?;
        let patient = settings("outages", &server.url).outage(PATIENCE);
        let hasty = patient.clone().outage(Duration::from_millis(300));
        let (patient_one, hasty_one) = (
            Cluster::connect(kitchen(), patient.clone())?,
            Cluster::connect(kitchen(), hasty)?,
        );
        let bridged = patient_one.job(double).key("bridged").submit(1);
        let told = hasty_one.job(double).key("told").submit(2);
        wait_until("both are queued", || {
            Ok(server.messages("outages-orders")? == 2)
        })?;
        server.kill()?;
        match told.wait() {
            Err(JobError::Cluster(ClusterError::ConnectionLost { key, .. })) => {
                assert_eq!(key, "told")
            }
            other => return Err(format!("{other:?}").into()),
        }
        server.start_again()?;
        let machine = Machine::start(patient, 1)?;
        assert_eq!(
            bridged.wait()?,
            2,
            "the queue has survived, and so has who waits"
        );
        // It notices a little later that the server is back.
        let begin = Instant::now();
        let again = loop {
            match hasty_one.job(double).key("told").submit(2).wait() {
                Err(JobError::Cluster(ClusterError::ConnectionLost { .. }))
                    if begin.elapsed() < PATIENCE =>
                {
                    std::thread::sleep(Duration::from_millis(20));
                }
                other => break other?,
            }
        };
        assert_eq!(again, 4);
        // And so does a machine.
        server.kill()?;
        server.start_again()?;
        assert_eq!(patient_one.submit(double, 3).wait()?, 6);
        assert_eq!(machine.stop()?.done, 3);
        Ok(())
    }

    /// The cable is cut: nothing says that the server is gone. It only says nothing any more.
    fn silence() -> Test {
        let server = Server::start()?.ok_or("nats-server is gone")?;
        let cluster = Cluster::connect(
            kitchen(),
            settings("silence", &server.url).outage(Duration::from_secs(1)),
        )?;
        let answer = cluster.job(double).key("silent").submit(1);
        wait_until("it is queued", || {
            Ok(server.messages("silence-orders")? == 1)
        })?;
        signal(server.pid(), Signal::STOP)?;
        let told = answer.wait();
        signal(server.pid(), Signal::CONT)?;
        match told {
            Err(JobError::Cluster(ClusterError::ConnectionLost { key, .. })) => {
                assert_eq!(key, "silent")
            }
            other => return Err(format!("{other:?}").into()),
        }
        Ok(())
    }

    fn nobody_there() -> Test {
        let error = Cluster::connect(kitchen(), "nats://127.0.0.1:1").map(drop);
        assert!(matches!(error, Err(ClusterError::Refused(_))), "{error:?}");
        let pool = Pool::builder(kitchen()).workers(1).build()?;
        let error = cluster::serve(&pool, "nats://127.0.0.1:1").map(drop);
        assert!(matches!(error, Err(ClusterError::Refused(_))), "{error:?}");
        let error =
            cluster::serve(&pool, Settings::new("nats://127.0.0.1:1").name("a.b")).map(drop);
        assert!(matches!(error, Err(ClusterError::Setting(_))), "{error:?}");
        Ok(())
    }

    fn settings_that_others_do_not_share_are_told(hall: &Hall) -> Test {
        let _first = hall.cluster()?;
        let other = Cluster::connect(kitchen(), hall.settings().backlog(7)).map(drop);
        assert!(
            matches!(&other, Err(ClusterError::Refused(why)) if why.contains("different configuration")),
            "{other:?}"
        );
        let _same = hall.cluster()?;
        Ok(())
    }

    /// Every machine and every submitter makes the queue if it is not there, and one of them is the first.
    fn all_who_come_at_the_same_moment_find_the_queue(hall: &Hall) -> Test {
        for round in 0..5 {
            let settings = settings(&format!("{}-{round}", hall.name), &hall.url);
            let together = Barrier::new(8);
            let come = || {
                together.wait();
                Cluster::connect(kitchen(), settings.clone()).map(drop)
            };
            std::thread::scope(|scope| {
                let all = [(); 8].map(|()| scope.spawn(come));
                all.into_iter()
                    .try_for_each(|one| one.join().expect("it does not panic"))
            })?;
        }
        Ok(())
    }

    /// What the server says to those who come at a bad moment, for as long as we like: another stream has the subjects.
    fn in_the_making() -> Test {
        let server = Server::start()?.ok_or("nats-server is gone")?;
        let other = serde_json::json!({ "name": "other", "subjects": ["making.order.*"], "storage": "memory" });
        server.request("$JS.API.STREAM.CREATE.other", &other.to_string())?;
        let lasting = settings("making", &server.url).outage(Duration::from_millis(300));
        let told = Cluster::connect(kitchen(), lasting).map(drop);
        assert!(
            matches!(&told, Err(ClusterError::Refused(why)) if why.contains("overlap")),
            "{told:?}"
        );
        let refused = || -> Result<u64, Failed> {
            let errors = server.ask("/jsz")?["api"]["errors"].as_u64();
            Ok(errors.unwrap_or(0))
        };
        let before = refused()?;
        let patient = settings("making", &server.url).outage(PATIENCE);
        let comes = std::thread::spawn(move || Cluster::connect(kitchen(), patient).map(drop));
        wait_until("it was refused", || Ok(refused()? > before))?;
        server.request("$JS.API.STREAM.DELETE.other", "")?;
        comes.join().map_err(|_| "it has panicked")??;
        Ok(())
    }

    fn an_order_waits_for_a_queue_that_is_made_anew(hall: &Hall) -> Test {
        let settings = hall.settings().outage(PATIENCE);
        let cluster = Cluster::connect(kitchen(), settings.clone())?;
        let orders = format!("$JS.API.STREAM.DELETE.{}-orders", hall.name);
        hall.lock().request(&orders, "")?;
        let answer = cluster.submit(double, 4);
        let _machine = Machine::start(settings, 1)?;
        assert_eq!(answer.wait()?, 8);
        // For ever it does not wait.
        let hasty = hall.settings().outage(Duration::from_secs(2));
        let cluster = Cluster::connect(kitchen(), hasty)?;
        hall.lock().request(&orders, "")?;
        let told = cluster.submit(double, 5).wait();
        assert!(
            matches!(told, Err(JobError::Cluster(ClusterError::Refused(_)))),
            "{told:?}"
        );
        Ok(())
    }
}
