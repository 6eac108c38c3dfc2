//! A guest talks, and a soufflé is in the oven. The tests read LoopBot's own record: when a bell was due,
//! when it rang, and what LoopBot did in between.
//!
//! No time passes here but the clock's own. A guest who talks for a minute moves it by a minute.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::future::poll_fn;
use std::io::Write as _;
use std::panic::{catch_unwind, resume_unwind};
use std::pin::pin;
use std::process::exit;
use std::rc::Rc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use exercise_17::{Guest, Oven, listen, look_after};
use flight::{Event, Header, Recorder, VirtualTime};
use loopbot::{Clock, LoopBot, now, sleep, sleep_until, spawn_named, with_lane};

/// Nobody may hold LoopBot for longer.
const LONGEST_TURN: Duration = Duration::from_secs(2);
/// As long as there are words, LoopBot stays for so long.
const SHORTEST_TURN: Duration = Duration::from_secs(1);
/// From one look into the oven to the next. An interval takes five milliseconds for no delay.
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);
const HARDLY: Duration = Duration::from_millis(5);
/// How long a soufflé stands in the oven after its bell was due.
const STANDS: Duration = Duration::from_secs(15);
/// No evening here lasts so long.
const FAR_TOO_LONG: Duration = Duration::from_secs(3_600);

/// How long one test may take until we say that it hangs. It takes far less than a second if nothing waits for real.
const PATIENCE: Duration = Duration::from_secs(5);
/// The exit code of a program that noticed that it does not end; `cargo course check` knows it.
const DID_NOT_END: i32 = 124;
const FIRST_HINT: &str = "LoopBot looks at its clock, and rings, between two polls. At which line of yours does a poll end, if the next word is there at once, each time?";

/// One test, so that you read one message: about the first promise that is not kept.
#[test]
fn every_bell_is_heard_in_time() {
    keeps("every word is heard", every_word);
    keeps("the soufflé stands while a guest talks", a_souffle);
    keeps("nobody holds LoopBot for more than two seconds", slow_words);
    keeps(
        "LoopBot stays with a guest for a second at least",
        fast_words,
    );
    keeps("listening takes as long as talking", nobody_else);
    keeps("three guests talk at once", three_guests);
    keeps("a look into the oven every ten seconds", a_quiet_evening);
    keeps("looks that were missed are not made up for", a_speech);
    keeps("guests, looks and a soufflé", everything);
}

fn every_word() {
    let evening = Evening::new();
    evening.play(&[], async |house| {
        house.listens_to("the silent guest", &[]).await;
        house.listens_to("the Chen party", &[300, 200, 100]).await;
    });
}

fn a_souffle() {
    // A minute without a break.
    let evening = Evening::new();
    evening.play(&[Rule::Souffle], async |house| {
        let souffle = house.souffle(20);
        house.listens_to("the Chen party", &all_sorts(110)).await;
        souffle.await.expect("the soufflé's task does not panic");
    });
}

fn slow_words() {
    for word in [700, 900, 1_000] {
        let evening = Evening::new();
        evening.play(&[Rule::Short], async |house| {
            house.listens_to("the Chen party", &[word; 40]).await;
        });
    }
    let evening = Evening::new();
    evening.play(&[Rule::Short], async |house| {
        house.listens_to("the Chen party", &all_sorts(200)).await;
    });
    // What has been said so far says nothing about the next word.
    for so_far in [vec![501, 500], vec![50; 39]] {
        let evening = Evening::new();
        evening.play(&[Rule::Short], async |house| {
            let words = [so_far, vec![1_000]].concat();
            house.listens_to("the Chen party", &words).await;
        });
    }
}

fn fast_words() {
    let evening = Evening::new();
    evening.play(&[Rule::Patient], async |house| {
        house.listens_to("the Okafor party", &[2; 4_000]).await;
    });
}

fn nobody_else() {
    let evening = Evening::new();
    evening.play(&[], async |house| {
        let words = all_sorts(100);
        let talk: u64 = words.iter().sum();
        house.listens_to("the Chen party", &words).await;
        let too_long = now() - Duration::from_millis(talk);
        house.expect(
            too_long.is_zero(),
            &format!(
                "the guest talked for {}, nobody else wanted LoopBot, and listening took {too_long:?} longer. A sleep gives \
                 way and waits for time to pass. Here it is enough to give way: let all others have their turn, and go on at once",
                seconds(Duration::from_millis(talk)),
            ),
        );
    });
}

fn three_guests() {
    let evening = Evening::new();
    evening.play(&Rule::ALL, async |house| {
        let souffle = house.souffle(30);
        let parties = [
            ("the Chen party", all_sorts(60)),
            ("the Okafor party", vec![40; 800]),
            ("the Mbeki party", vec![1_000; 30]),
        ];
        let listening = parties.map(|(party, words)| house.listens_to(party, &words));
        for heard_out in listening {
            heard_out.await;
        }
        souffle.await.expect("the soufflé's task does not panic");
    });
}

fn a_quiet_evening() {
    let evening = Evening::new();
    evening.play(&[], async |house| {
        house.looks(65).await;
        house.expect_looks_at(&[0, 10, 20, 30, 40, 50, 60, 70]);
    });
    let evening = Evening::new();
    evening.play(&[], async |house| {
        house.looks(0).await; // Nobody has put anything into it.
        house.expect_looks_at(&[0]);
    });
    // A longer one, which begins when it begins.
    let evening = Evening::new();
    evening.play(&[], async |house| {
        let begins = Duration::from_millis(3_500);
        sleep(begins).await;
        house.looks(600).await;
        let looks = house.looks.borrow();
        let right = (0..61).map(|n| begins + n * BETWEEN_LOOKS);
        house.expect(
            looks.iter().copied().eq(right),
            &format!(
                "`look_after` was called at {}, and LoopBot should look at once, and then every ten seconds, until {}. It \
                 began to look at {}",
                seconds(begins),
                seconds(begins + 60 * BETWEEN_LOOKS),
                list(&looks)
            ),
        );
    });
}

fn a_speech() {
    // Between two looks, and while somebody looks.
    a_speech_from(5, &[0, 43, 53, 63, 73]);
    a_speech_from(1, &[0, 39, 49, 59, 69, 79]);
}

fn a_speech_from(begins: u64, looks: &[u64]) {
    let evening = Evening::new();
    evening.play(&[], async |house| {
        // There is no mending this one. LoopBot stands and listens.
        let time = house.time.clone();
        let speech = async move {
            sleep_until(Duration::from_secs(begins)).await;
            time.advance(Duration::from_secs(38));
        };
        let speech = spawn_named("the owner's speech", speech);
        house.looks(70).await;
        house.expect_looks_at(looks);
        speech.await.expect("the speech does not panic");
    });
}

fn everything() {
    let evening = Evening::new();
    evening.play(&Rule::ALL, async |house| {
        let souffle = house.souffle(60);
        let looks = spawn_named("the looks into the oven", {
            let house = house.clone();
            async move { house.looks(60).await }
        });
        house.listens_to("the Chen party", &all_sorts(150)).await;
        ends(looks).await;
        souffle.await.expect("the soufflé's task does not panic");
        let looks = house.looks.borrow();
        for two in looks.windows(2) {
            let gap = two[1] - two[0];
            house.expect(
                gap <= BETWEEN_LOOKS + 2 * LONGEST_TURN,
                &format!(
                    "LoopBot looked into the oven at {} and then at {}, and was not held up for so long",
                    seconds(two[0]),
                    seconds(two[1])
                ),
            );
        }
    });
}

/// Words of all lengths up to a second, always the same ones. In milliseconds.
fn all_sorts(words: u64) -> Vec<u64> {
    (0..words).map(|n| 50 + n * n * 7_919 % 20 * 50).collect()
}

// ---- The evening --------------------------------------------------------------------------------

struct Evening {
    house: Rc<House>,
    recorder: Recorder,
}

/// What the record of an evening is searched for, when the evening is over.
enum Rule {
    /// The soufflé stands.
    Souffle,
    /// No poll in which a guest talks is longer than two seconds.
    Short,
    /// None is shorter than a second, if the guest goes on talking.
    Patient,
}

impl Rule {
    const ALL: [Rule; 3] = [Rule::Souffle, Rule::Short, Rule::Patient];
}

/// What the tests see of an evening while it goes on.
struct House {
    time: VirtualTime,
    looks: RefCell<Vec<Duration>>,
}

thread_local! {
    /// What went wrong first, however your code deals with the panic that tells of it.
    static BROKEN: RefCell<Option<String>> = const { RefCell::new(None) };
}

impl Evening {
    fn new() -> Evening {
        let time = VirtualTime::new();
        let recorder = Recorder::new(Header::virtual_time("the soufflé", &time));
        let looks = RefCell::default();
        let house = Rc::new(House { time, looks });
        Evening { house, recorder }
    }

    /// Plays it, and reads the record afterwards.
    fn play(self, rules: &[Rule], scene: impl AsyncFnOnce(&Rc<House>)) {
        let loopbot = LoopBot::builder()
            .clock(Clock::virtual_time(self.house.time.clone()))
            .recorder(self.recorder.clone())
            .build();
        let scene = scene(&self.house);
        let ended = loopbot.try_run(scene);
        if BROKEN.with_borrow(Option::is_some) {
            return; // That comes first.
        }
        if let Err(stand_still) = ended {
            broken(&format!(
                "nobody is ready, no timer is set, and so nothing can ever happen again. {stand_still}"
            ));
        }
        let record = Record::of(&self.recorder);
        for rule in rules {
            match rule {
                Rule::Souffle => record
                    .bells
                    .iter()
                    .for_each(|bell| record.expect_heard(bell)),
                Rule::Short => record
                    .polls
                    .iter()
                    .for_each(|poll| record.expect_short(poll)),
                Rule::Patient => record
                    .polls
                    .iter()
                    .for_each(|poll| record.expect_patient(poll)),
            }
        }
    }
}

impl House {
    /// A task in which your `listen` listens. What it returns is compared.
    fn listens_to(
        self: &Rc<Self>,
        name: &'static str,
        words: &[u64],
    ) -> impl Future<Output = ()> + use<> {
        let guest = Talk {
            name,
            words: words.to_vec(),
            said: Rc::default(),
            time: self.time.clone(),
        };
        let house = self.clone();
        ends(spawn_named(name, async move {
            let heard = going_on(listen(guest.clone())).await;
            house.expect_heard(&guest, &heard);
        }))
    }

    fn expect_heard(&self, guest: &Talk, heard: &[String]) {
        let name = guest.name;
        let (said, all) = (guest.said.get(), guest.words.len());
        self.expect(
            said >= all,
            &format!("{name} has {all} words to say, and LoopBot left after {said}"),
        );
        let wrong = (0..all).find(|&n| heard.get(n) != Some(&word(n)));
        let count = heard.len();
        let first = match wrong {
            Some(n) => format!(
                "number {} should be {:?}, and is {:?}",
                n + 1,
                word(n),
                heard.get(n).map_or("missing", |word| word)
            ),
            None => format!("from number {} on nobody said them", all + 1),
        };
        self.expect(
            wrong.is_none() && count == all,
            &format!("{name} has said {all} words. `listen` returns {count} of them, and {first}"),
        );
    }

    /// A soufflé that is to be taken out so many seconds from the beginning.
    fn souffle(&self, due: u64) -> loopbot::JoinHandle<()> {
        spawn_named("the soufflé", async move {
            sleep_until(Duration::from_secs(due)).await;
        })
    }

    /// Lets your `look_after` look into an oven that is empty after so many seconds.
    async fn looks(self: &Rc<Self>, empty_at: u64) {
        let oven = TheOven {
            house: self.clone(),
            empty_at: Duration::from_secs(empty_at),
            is_empty: Cell::new(false),
        };
        going_on(look_after(oven)).await;
        let last = self.looks.borrow().last().copied();
        self.expect(
            last.is_some_and(|last| last >= Duration::from_secs(empty_at)),
            "`look_after` has come to its end, and the soufflé is still in the oven",
        );
        let last = last.unwrap_or_default();
        self.expect(
            now() - last < BETWEEN_LOOKS,
            &format!(
                "the look that began at {} found the oven empty, and `look_after` came to its end at {}: what did it wait for? \
                 It ends when the oven is empty, and not when the next look would be due",
                seconds(last),
                seconds(now())
            ),
        );
    }

    fn expect_looks_at(&self, right: &[u64]) {
        let right: Vec<Duration> = right.iter().copied().map(Duration::from_secs).collect();
        let looks = self.looks.borrow();
        self.expect(
            *looks == right,
            &format!(
                "LoopBot should begin to look at {}. It began at {}",
                list(&right),
                list(&looks)
            ),
        );
    }

    fn expect(&self, kept: bool, otherwise: &str) {
        if !kept {
            broken(otherwise);
        }
    }
}

/// A guest who has so much to say. Copies share what was said so far.
#[derive(Clone)]
struct Talk {
    name: &'static str,
    /// How long each takes, in milliseconds.
    words: Vec<u64>,
    said: Rc<Cell<usize>>,
    time: VirtualTime,
}

impl Guest for Talk {
    async fn next_word(&mut self) -> Option<String> {
        let n = self.said.get();
        self.said.set(n + 1);
        if n > self.words.len() + 2 {
            broken(&format!(
                "{} has said everything, and is asked for another word again and again",
                self.name
            ));
        }
        let takes = *self.words.get(n)?;
        // It is said inside this poll. Until the word is over nobody else has LoopBot.
        self.time.advance(Duration::from_millis(takes));
        with_lane(|lane| lane.mark("word", "", n as u64));
        Some(word(n))
    }
}

fn word(n: usize) -> String {
    const STORY: [&str; 12] = [
        "when", "we", "were", "in", "Lyon", "they", "had", "a", "cook", "who", "never", "stopped",
    ];
    format!("{}-{}", STORY[n % STORY.len()], n + 1)
}

struct TheOven {
    house: Rc<House>,
    empty_at: Duration,
    is_empty: Cell<bool>,
}

impl Oven for TheOven {
    async fn look(&self) -> bool {
        let at = now();
        let house = &self.house;
        let last = house.looks.borrow().last().copied();
        house.looks.borrow_mut().push(at);
        if let Some(last) = last {
            house.expect(
                at - last >= BETWEEN_LOOKS - HARDLY,
                &format!(
                    "the soufflé has fallen. LoopBot looked at it at {} and again at {}, and each look lets heat out",
                    seconds(last),
                    seconds(at)
                ),
            );
        }
        house.expect(
            !self.is_empty.get(),
            "the oven is empty, `look` has said so, and LoopBot looks again",
        );
        let looks = house.looks.borrow().len() as u64;
        sleep(Duration::from_secs(1 + looks % 3)).await;
        self.is_empty.set(at >= self.empty_at);
        !self.is_empty.get()
    }
}

/// Polls your future to its end, unless it goes round in circles.
async fn going_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let (mut last, mut polls) = (now(), 0);
    poll_fn(move |cx| {
        polls = if now() == last { polls + 1 } else { 0 };
        last = now();
        if polls > 10_000 {
            broken(&format!(
                "your future was polled 10,000 times, and it is still {}. While anybody is ready, time stands still on this \
                 clock. Whoever asks again and again whether it is time yet is always ready",
                seconds(last)
            ));
        }
        if last > FAR_TOO_LONG {
            broken(&format!(
                "after {} your future is still not ready. Nobody here talks for so long, and no soufflé bakes for so long",
                seconds(FAR_TOO_LONG)
            ));
        }
        future.as_mut().poll(cx)
    })
    .await
}

/// Waits for a task of the tests, and passes its panic on.
async fn ends(task: loopbot::JoinHandle<()>) {
    if let Some(panic) = task.await.err().and_then(loopbot::JoinError::into_panic) {
        resume_unwind(panic);
    }
}

// ---- The record ---------------------------------------------------------------------------------

/// What LoopBot wrote down: its polls, and the bells that rang.
struct Record {
    polls: Vec<Poll>,
    bells: Vec<Bell>,
}

/// One poll of one task.
struct Poll {
    task: String,
    from: Duration,
    to: Duration,
    words: usize,
    /// It was the task's last.
    ready: bool,
}

/// A timer: when it was due, and when it rang.
struct Bell {
    task: String,
    due: Duration,
    rang: Duration,
}

impl Record {
    fn of(recorder: &Recorder) -> Record {
        let recording = recorder.recording();
        assert_eq!(recording.dropped, 0, "the record has room for the evening");
        let (mut polls, mut bells) = (Vec::<Poll>::new(), Vec::new());
        let mut due_times = HashMap::new();
        for entry in &recording.events {
            let at = Duration::from_nanos(entry.t);
            match entry.event {
                Event::PollBegin { task, .. } => polls.push(Poll {
                    task: recording.task(task).to_owned(),
                    from: at,
                    to: at,
                    words: 0,
                    ready: false,
                }),
                Event::PollEnd { ready, .. } => {
                    let poll = polls.last_mut().expect("it began");
                    (poll.to, poll.ready) = (at, ready);
                }
                Event::Mark { .. } => polls.last_mut().expect("words are said in polls").words += 1,
                Event::TimerArm { timer, due, .. } => {
                    due_times.insert(timer, Duration::from_nanos(due));
                }
                Event::TimerFire { timer, task, .. } => bells.push(Bell {
                    task: recording.task(task).to_owned(),
                    due: due_times[&timer],
                    rang: at,
                }),
                _ => {}
            }
        }
        Record { polls, bells }
    }

    /// What a loop cannot see while it happens: between due and rung, somebody held it.
    fn expect_heard(&self, bell: &Bell) {
        let Bell { task, due, rang } = bell;
        if task != "the soufflé" || *rang <= *due + STANDS {
            return;
        }
        let mut told = format!(
            "the soufflé has fallen. Its bell was due at {} and rang at {}, {} late. LoopBot's record:\n",
            seconds(*due),
            seconds(*rang),
            seconds(*rang - *due)
        );
        let mut line = |at: Duration, what: &str| {
            let _ = write!(told, "\n    {:>8}  {what}", seconds(at));
        };
        for poll in self
            .polls
            .iter()
            .filter(|poll| poll.to > *due && poll.from < *rang)
        {
            let Poll {
                task,
                from,
                to,
                words,
                ..
            } = poll;
            line(*from, &format!("LoopBot turns to {task}: a poll begins"));
            if from <= due {
                line(*due, "the soufflé's bell is due");
            }
            line(*to, &format!("that poll is over, {words} words later"));
        }
        line(*rang, "the soufflé's bell rings");
        told.push_str(
            "\n\n  LoopBot looks at its clock between two polls. An `.await` ends a poll only where what it waits for says \
             `Pending`, and the next word is always there. If you ask a \
             clock, ask `loopbot::now()`: the one on your wall knows nothing of this evening",
        );
        broken(&told);
    }

    fn expect_short(&self, poll: &Poll) {
        let Poll {
            task,
            from,
            to,
            words,
            ..
        } = poll;
        if *words > 0 && *to - *from > LONGEST_TURN {
            broken(&format!(
                "{task} has held LoopBot for {} in one poll, from {} to {}: {words} words. Two seconds is the most, with \
                 slow words, too. And somebody who gives way only when two seconds are over is too late",
                seconds(*to - *from),
                seconds(*from),
                seconds(*to)
            ));
        }
    }

    fn expect_patient(&self, poll: &Poll) {
        let Poll {
            task,
            from,
            to,
            words,
            ready,
        } = poll;
        let turns: Vec<&Poll> = self
            .polls
            .iter()
            .filter(|poll| poll.task == *task && poll.words > 0)
            .collect();
        let goes_on = turns.iter().any(|turn| turn.from >= *to && turn.to > *to);
        let went_on = turns.iter().any(|turn| turn.to <= *from);
        if *words == 0 && !ready && went_on && goes_on {
            broken(&format!(
                "LoopBot came back to {task} at {}, heard no word, and turned away again, while the guest went on talking. To give \
                 way once is enough: then all others have had their turn",
                seconds(*from)
            ));
        }
        if *words > 0 && !ready && goes_on && *to - *from < SHORTEST_TURN {
            broken(&format!(
                "LoopBot listened to {task} for {} from {} on, turned away, and the guest went on talking. To hear them out took {} \
                 turns. Each of them has its price, so stay for a second. How many words that is depends on the guest, and how \
                 long others had LoopBot meanwhile does not count",
                seconds(*to - *from),
                seconds(*from),
                turns.len(),
            ));
        }
    }
}

// ---- Telling you --------------------------------------------------------------------------------

/// A promise that was not kept, in words.
struct Broken(String);

/// Ends this test through whatever code of yours is running, without the words of a panic.
fn broken(message: &str) -> ! {
    let message =
        BROKEN.with_borrow_mut(|first| first.get_or_insert_with(|| message.to_owned()).clone());
    resume_unwind(Box::new(Broken(message)))
}

/// Runs one check. On a thread of its own: code that never comes back cannot be stopped, only left.
fn keeps(promise: &'static str, check: fn()) {
    let (done, is_done) = channel();
    let body = move || {
        let ended = catch_unwind(check);
        if let Some(message) = BROKEN.take() {
            resume_unwind(Box::new(Broken(message)));
        }
        if let Err(panic) = ended {
            resume_unwind(panic);
        }
        let _ = done.send(());
    };
    let loopbot = thread::Builder::new()
        .name("LoopBot".to_owned())
        .spawn(body)
        .expect("a thread");
    if is_done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        // Straight to the terminal: what is printed the usual way is kept back until the test is over.
        let waited = PATIENCE.as_secs();
        let _ = write!(
            std::io::stderr(),
            "\n\n  Not kept: {promise}.\n  Your code did not come back: after {waited} seconds it still blocks or loops. \
             Nothing here waits for real. A minute of this clock takes no time.\n\n  {HELP}\n\n"
        );
        exit(DID_NOT_END);
    }
    let Err(panic) = loopbot.join() else { return };
    let message = match panic.downcast::<Broken>() {
        Ok(broken) => format!("{}.\n", sentence(&broken.0)),
        Err(panic) if words(&*panic).starts_with("not yet implemented") => {
            format!(
                "Something is still to be written: it says `todo!()`.\n\n  First hint: {FIRST_HINT}\n"
            )
        }
        Err(panic) => format!("Your code panicked: {}.\n", words(&*panic)),
    };
    eprintln!("\n  Not kept: {promise}.\n  {message}\n  {HELP}\n");
    // The test has failed, and everything is said: no words of a panic on top.
    resume_unwind(Box::new(()));
}

const HELP: &str = "Stuck? `cargo course hint 17`.";

/// As "54.3 s".
fn seconds(time: Duration) -> String {
    format!("{} s", (time.as_secs_f64() * 1e3).round() / 1e3)
}

fn list(times: &[Duration]) -> String {
    let times: Vec<String> = times.iter().copied().map(seconds).collect();
    if times.is_empty() {
        "no time".to_owned()
    } else {
        times.join(", ")
    }
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let formatted = panic.downcast_ref::<String>().map(String::as_str);
    formatted
        .or(panic.downcast_ref::<&str>().copied())
        .unwrap_or("(not in words)")
}

// What stands above runs within limits of time, output and memory, and is ended whole.
contained::tests!();
